/* SPDX-License-Identifier: MIT */
/*
 * Receiving a broadcast: by copying, or in place.
 *
 * A view of a reliable broadcast is the subscriber's until it releases it. In a latest one it is pinned: the
 * subscriber announces the block in its own segment, makes a full fence and looks again whether the slot still names
 * it; from then on the sender sees the pin before it lends the block again.
 *
 * A subscriber that is cut off loses what it views: the sender may write there at any time. Its release answers
 * EXO_OVERFLOW then, and what was read since the last look may have been anything. Who must know while reading
 * copies by exo_subscriber_recv(), which looks afterwards.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_VIEW_H
#define EXO_IPC_CHANNEL_BROADCAST_VIEW_H

#include "../fusion_ring/view.h"
#include "broadcast_recv.h"

/* Where the next pin goes: 0 to EXO_PINS - 2 for views, the last for copies; EXO_PINS if none is free. */
EXO_INLINE exo_u32 exo_subscriber_free_pin_pvt(const struct exo_subscriber *sub, exo_bool copies)
{
    exo_u32 i;
    if (copies) {
        return EXO_PINS - 1;
    }
    for (i = 0; i < EXO_PINS - 1; i++) {
        if (sub->pins[i] == 0) {
            return i;
        }
    }
    return EXO_PINS;
}

EXO_INLINE void exo_subscriber_pin_pvt(struct exo_subscriber *sub, exo_u32 pin, exo_u64 token)
{
    sub->pins[pin] = token;
    /* [broadcast:pin] pairs [broadcast:pin_seen]: what was read under the former pin here comes first */
    exo_store64(&sub->rx->pins[pin], token, EXO_RELEASE);
}

EXO_INLINE void exo_subscriber_unpin_pvt(struct exo_subscriber *sub, exo_u32 pin)
{
    sub->pins[pin] = 0;
    /* [broadcast:unpin] pairs [broadcast:pin_seen] */
    exo_store64(&sub->rx->pins[pin], 0u, EXO_RELEASE);
}

/* Latest: whether the slot still names what was just pinned, so that the sender will not lend it again. */
EXO_INLINE exo_bool exo_subscriber_pinned_pvt(const exo_word64 *line, exo_u64 control)
{
    /* [broadcast:pins_announce] pairs [broadcast:pins_look], [broadcast:writing] */
    exo_fence_seq();
    return exo_load64(&line[EXO_LINE_WORDS], EXO_RELAXED) == control; /* relaxed: behind the fence */
}

/* Read a descriptor once, and check all of it. False if it points outside or names no block. */
EXO_INLINE exo_bool exo_subscriber_parse_pvt(const struct exo_subscriber *sub,
                                             const struct exo_descriptor *descriptor, struct exo_viewed *view)
{
    if (descriptor->token >> 32 == 0 || (exo_u32)descriptor->token >= sub->blocks ||
        !exo_range_ok(descriptor->offset, descriptor->length, sub->arena_size)) {
        return EXO_FALSE;
    }
    view->data = sub->arena + (exo_size)descriptor->offset;
    view->len = (exo_size)descriptor->length;
    view->token = descriptor->token;
    return EXO_TRUE;
}

/* Give back what is held, by its token. Reliable: an entry in the release ring. */
EXO_INLINE void exo_subscriber_give_pvt(struct exo_subscriber *sub, exo_u64 token, exo_u32 pin)
{
    if (sub->latest) {
        exo_subscriber_unpin_pvt(sub, pin);
    } else {
        struct exo_release_entry *entry = &sub->ring[(exo_u32)sub->released & sub->ring_mask];
        sub->viewed[(exo_u32)token] = 0;
        exo_store64(&entry->token, token, EXO_RELAXED); /* relaxed: published next */
        sub->released++;
        /* [broadcast:give] pairs [broadcast:given] */
        exo_store64(&entry->tag, sub->released, EXO_RELEASE);
    }
    (void)exo_waker_notify_pvt(&sub->waker, 1);
}

/* Take the loan in the slot at pos as a view. EXO_EMPTY: it was overwritten meanwhile, look again. */
EXO_INLINE exo_status exo_subscriber_take_pvt(struct exo_subscriber *sub, exo_u64 control, exo_bool copies,
                                              exo_size most, struct exo_viewed *view, exo_u32 *pin)
{
    const exo_word64 *line = exo_subscriber_line_pvt(sub, sub->pos);
    struct exo_descriptor descriptor;
    exo_status status = EXO_OK;
    exo_bool whole;
    *pin = sub->latest ? exo_subscriber_free_pin_pvt(sub, copies) : 0;
    if (*pin == EXO_PINS) {
        return EXO_QUOTA_EXCEEDED;
    }
    exo_words_load(&descriptor, line, sizeof(descriptor));
    if (sub->latest) {
        exo_subscriber_pin_pvt(sub, *pin, descriptor.token);
        whole = exo_subscriber_pinned_pvt(line, control);
    } else {
        whole = exo_subscriber_whole_pvt(sub, line, control);
    }
    if (!whole) {
        status = EXO_EMPTY;
    } else if (!exo_subscriber_parse_pvt(sub, &descriptor, view) ||
               (!sub->latest && sub->viewed[(exo_u32)view->token] != 0)) {
        status = exo_subscriber_refuse_pvt(sub, EXO_CORRUPT);
    } else if (view->len > most) {
        status = EXO_BUFFER_TOO_SMALL;
    }
    if (status != EXO_OK) {
        if (sub->latest) {
            exo_subscriber_unpin_pvt(sub, *pin);
        }
        return status;
    }
    if (!sub->latest) {
        sub->viewed[(exo_u32)view->token] = (exo_u32)(view->token >> 32);
    }
    return EXO_OK;
}

/* Copy a loan that was taken. EXO_EMPTY: the subscriber was cut off meanwhile. */
EXO_INLINE exo_i64 exo_subscriber_copy_pvt(struct exo_subscriber *sub, const struct exo_viewed *view, exo_u32 pin,
                                           void *buffer)
{
    exo_i64 len = (exo_i64)view->len;
    if (len != 0) {
        exo_port_copy(buffer, view->data, view->len);
    }
    if (!exo_cast_still_pvt(sub->seat, sub->admitted)) {
        return EXO_EMPTY;
    }
    exo_subscriber_give_pvt(sub, view->token, pin);
    exo_subscriber_advance_pvt(sub, view->len, EXO_TRUE);
    return len;
}

/* Copy what is inline at pos. EXO_EMPTY: it was overwritten meanwhile. */
EXO_INLINE exo_i64 exo_subscriber_read_pvt(struct exo_subscriber *sub, exo_u64 control, void *buffer, exo_size size)
{
    const exo_word64 *line = exo_subscriber_line_pvt(sub, sub->pos);
    exo_size len = exo_cast_len_pvt(control);
    if (len > EXO_INLINE_THRESHOLD) {
        return exo_subscriber_refuse_pvt(sub, EXO_CORRUPT);
    }
    if (len > size) {
        return EXO_BUFFER_TOO_SMALL;
    }
    exo_line_read_pvt(buffer, line, len);
    if (!exo_subscriber_whole_pvt(sub, line, control)) {
        return EXO_EMPTY;
    }
    exo_subscriber_advance_pvt(sub, len, EXO_FALSE);
    return (exo_i64)len;
}

/* Receive by copying, whatever comes. */
EXO_OUTLINE exo_i64 exo_subscriber_recv_any_pvt(struct exo_subscriber *sub, void *buffer, exo_size size)
{
    struct exo_viewed view;
    exo_u32 turn;
    view.data = EXO_NULL;
    view.len = 0;
    view.token = 0;
    for (turn = 0; turn < 4; turn++) {
        exo_u64 control = 0;
        exo_u32 pin = 0;
        exo_i64 result = exo_subscriber_settle_pvt(sub, &control);
        if (result != EXO_OK) {
            return result;
        }
        if (exo_cast_kind_pvt(control) == EXO_CAST_INLINE) {
            result = exo_subscriber_read_pvt(sub, control, buffer, size);
        } else {
            result = exo_subscriber_take_pvt(sub, control, EXO_TRUE, size, &view, &pin);
            result = result == EXO_OK ? exo_subscriber_copy_pvt(sub, &view, pin, buffer) : result;
        }
        if (result != EXO_EMPTY) {
            return result;
        }
        result = exo_subscriber_judge_pvt(sub);
        if (result != EXO_OK) {
            return result;
        }
        /* Overwritten: the next look says by how much. */
    }
    return EXO_EMPTY;
}

/**
 * exo_subscriber_recv - receive the next message into a buffer, without waiting.
 * @sub: receiving handle
 * @buffer: where the payload goes; may be null if size is 0
 * @size: room in the buffer, in bytes
 *
 * Returns: the length; EXO_EMPTY, also while the sender has not admitted this subscriber; EXO_BUFFER_TOO_SMALL: the
 * message stays; EXO_OVERFLOW: messages were missed, exo_subscriber_missed() tells how many, and the buffer holds
 * nothing of use. Latest: the next call goes on with the oldest message that is there. Reliable, or if
 * exo_subscriber_cut_off() says so: for good; it may leave and join again. EXO_CLOSED or EXO_PEER_DIED after the last message;
 * EXO_CORRUPT once the sender broke the protocol, or says that this side did.
 * Context: the subscriber's side; any context that the handle belongs to, interrupts included.
 * Ordering: what the sender wrote before it sent is visible after the call.
 * Progress: wait-free.
 */
EXO_HOT EXO_MUST_USE exo_i64 exo_subscriber_recv(struct exo_subscriber *sub, void *buffer, exo_size size)
{
    const exo_word64 *line = exo_subscriber_line_pvt(sub, sub->pos);
    exo_u64 control = exo_line_ready_pvt(line);
    exo_size len;
    if (EXO_UNLIKELY(!exo_subscriber_plain_pvt(control, sub->pos, size, &len))) {
        return exo_subscriber_recv_any_pvt(sub, buffer, size);
    }
    exo_line_read_pvt(buffer, line, len);
    if (EXO_UNLIKELY(!exo_subscriber_whole_pvt(sub, line, control))) {
        return exo_subscriber_recv_any_pvt(sub, buffer, size);
    }
    exo_subscriber_advance_pvt(sub, len, EXO_FALSE);
    return (exo_i64)len;
}

/**
 * exo_subscriber_view - receive the next message without copying it, without waiting.
 * @sub: receiving handle
 * @view: cleared on an error; do not move it (see struct exo_viewed)
 *
 * A message of at most 56 bytes is copied into the view. Latest: at most 15 views are open at the same time.
 *
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED (latest): release a view first; else as exo_subscriber_recv().
 * Context, Ordering, Progress: as exo_subscriber_recv().
 */
EXO_OUTLINE EXO_MUST_USE exo_status exo_subscriber_view(struct exo_subscriber *sub, struct exo_viewed *view)
{
    exo_i64 result = EXO_EMPTY;
    exo_bool again = EXO_TRUE;
    exo_u32 turn;
    for (turn = 0; turn < 4 && again; turn++) {
        exo_u64 control = 0;
        exo_u32 pin = 0;
        result = exo_subscriber_settle_pvt(sub, &control);
        again = result == EXO_OK;
        if (again && exo_cast_kind_pvt(control) == EXO_CAST_INLINE) {
            result = exo_subscriber_read_pvt(sub, control, view->copy, sizeof(view->copy));
            view->data = view->copy;
            view->len = result < 0 ? 0 : (exo_size)result;
            view->token = 0;
        } else if (again) {
            result = exo_subscriber_take_pvt(sub, control, EXO_FALSE, EXO_SIZE_MAX, view, &pin);
            if (result == EXO_OK) {
                exo_subscriber_advance_pvt(sub, view->len, EXO_TRUE);
            }
        }
        if (again && result >= 0) {
            return EXO_OK;
        }
        if (again && result == EXO_EMPTY) { /* overwritten, or cut off */
            result = exo_subscriber_judge_pvt(sub);
            again = result == EXO_OK;
            result = again ? (exo_i64)EXO_EMPTY : result;
        } else {
            again = EXO_FALSE;
        }
    }
    view->data = EXO_NULL;
    view->len = 0;
    view->token = 0;
    return (exo_status)result;
}

/* Where a view stands on the books: reliable 0, latest its pin; EXO_PINS if nowhere. */
EXO_INLINE exo_u32 exo_subscriber_stands_pvt(const struct exo_subscriber *sub, exo_u64 token)
{
    exo_u32 i;
    if (!sub->latest) {
        return (exo_u32)token < sub->blocks && sub->viewed[(exo_u32)token] == (exo_u32)(token >> 32) ? 0 : EXO_PINS;
    }
    for (i = 0; i < EXO_PINS && sub->pins[i] != token; i++) {
    }
    return i;
}

/**
 * exo_subscriber_release - give a viewed message back, in any order.
 * @sub: receiving handle
 * @view: cleared
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not being viewed: released before, or never received here; EXO_OVERFLOW if
 * this subscriber was cut off: what it read may have changed under it. EXO_CORRUPT, EXO_CLOSED as the handle is.
 * Context: as exo_subscriber_recv(). Progress: wait-free. Ordering: what was read before is not overtaken by what
 * the sender writes into the buffer next.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_subscriber_release(struct exo_subscriber *sub, struct exo_viewed *view)
{
    exo_u64 token = view->token;
    exo_u32 pin;
    if (view->data == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    view->data = EXO_NULL;
    view->len = 0;
    view->token = 0;
    if (token >> 32 == 0) { /* no generation: came inline, or is forged */
        return token == 0 ? EXO_OK : EXO_NOT_FOUND;
    }
    pin = exo_subscriber_stands_pvt(sub, token);
    if (pin == EXO_PINS) {
        return EXO_NOT_FOUND;
    }
    exo_subscriber_give_pvt(sub, token, pin);
    if (!exo_cast_still_pvt(sub->seat, sub->admitted)) {
        exo_status status = exo_subscriber_judge_pvt(sub);
        return status == EXO_OK || status == EXO_EMPTY ? EXO_CORRUPT : status;
    }
    return sub->refused;
}

#endif
