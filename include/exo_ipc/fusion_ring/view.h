/* SPDX-License-Identifier: MIT */
/*
 * The receiver's half of zero-copy: view, read, release. The whole is told in zerocopy.h.
 */
#ifndef EXO_IPC_FUSION_RING_VIEW_H
#define EXO_IPC_FUSION_RING_VIEW_H

#include "inline.h"

/**
 * struct exo_viewed - a received message, read in place.
 * @data: its first byte; null once released
 * @len: its length in bytes
 * @token: the library's; 0 for a message that came inline
 * @copy: holds a message that came inline, and data points to it: do not move the struct
 */
struct exo_viewed {
    const void *data;
    exo_size len;
    exo_u64 token;
    exo_word64 copy[EXO_LINE_WORDS];
};

/* Read a descriptor once, and check all of it. */
EXO_HOT exo_status exo_view_parse_pvt(struct exo_receiver *rx, const exo_word64 *line, struct exo_viewed *view)
{
    const struct exo_views *views = &rx->views;
    exo_u64 token = exo_load64(&line[0], EXO_RELAXED);  /* relaxed: acquired with the control word */
    exo_u64 offset = exo_load64(&line[1], EXO_RELAXED); /* relaxed: same */
    exo_u64 length = exo_load64(&line[2], EXO_RELAXED); /* relaxed: same */
    if (EXO_UNLIKELY(token >> 32 == 0) || EXO_UNLIKELY((exo_u32)token >= views->total) ||
        !exo_range_within(offset, length, &views->bytes)) {
        return EXO_CORRUPT;
    }
    view->data = views->memory + (exo_size)offset;
    view->len = (exo_size)length;
    view->token = token;
    return EXO_OK;
}

/* Enter a view in the books; a block that is viewed already cannot come again before its release. */
EXO_HOT exo_status exo_view_enter_pvt(struct exo_receiver *rx, const struct exo_viewed *view)
{
    exo_u32 *viewed = &rx->views.viewed[(exo_u32)view->token];
    if (exo_load32(viewed, EXO_RELAXED) != 0) { /* relaxed: private, or handed over with the slot */
        return EXO_CORRUPT;
    }
    exo_store32(viewed, (exo_u32)(view->token >> 32), EXO_RELAXED); /* relaxed: same */
    return EXO_OK;
}

/* A message that came inline is copied into the view: at most 56 bytes, and its slot is free at once. */
EXO_OUTLINE exo_status exo_view_inline_pvt(struct exo_receiver *rx, exo_size most, struct exo_viewed *view)
{
    exo_i64 len = exo_rx_take_any_pvt(rx, view->copy, most < sizeof(view->copy) ? most : sizeof(view->copy));
    if (len < 0) {
        return (exo_status)len;
    }
    view->data = view->copy;
    view->len = (exo_size)len;
    view->token = 0;
    return EXO_OK;
}

EXO_OUTLINE exo_status exo_view_mc_pvt(struct exo_receiver *rx, exo_size most, struct exo_viewed *view)
{
    const struct exo_rx_wish wish = {1, 1, most, EXO_KIND_LOAN};
    for (;;) {
        exo_u64 pos = 0;
        exo_u32 taken = 0;
        const exo_word64 *line;
        exo_u64 control;
        exo_status status = exo_rx_obtain_mc_pvt(rx, &wish, &pos, &taken);
        if (status == EXO_TYPE_MISMATCH) {
            exo_i64 len = exo_rx_take_any_mc_pvt(rx, view->copy,
                                                 most < sizeof(view->copy) ? most : sizeof(view->copy));
            if (len == EXO_TYPE_MISMATCH) {
                continue; /* another consumer took the inline message in front of it */
            }
            view->data = view->copy;
            view->len = (exo_size)len;
            view->token = 0;
            return len < 0 ? (exo_status)len : EXO_OK;
        }
        if (status != EXO_OK) {
            return status;
        }
        line = exo_rx_line_pvt(rx, pos);
        control = exo_line_ready_pvt(line);
        status = EXO_EMPTY;
        if (exo_control_kind_pvt(control) == EXO_KIND_LOAN) {
            status = exo_view_parse_pvt(rx, line, view);
            status = status == EXO_OK && view->len > most ? EXO_CORRUPT : status;
            status = status == EXO_OK ? exo_view_enter_pvt(rx, view) : status;
        }
        if (status == EXO_OK) {
            exo_rx_tally_view_pvt(rx, pos, view->token, view->len);
        }
        exo_rx_done_pvt(rx, pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
        if (status != EXO_EMPTY) {
            return status;
        }
    }
}

/* Receive as a view what is at most `most` bytes long. */
EXO_INLINE exo_status exo_view_upto_pvt(struct exo_receiver *rx, exo_size most, struct exo_viewed *view)
{
    exo_u64 control;
    exo_status status;
    if ((rx->mode & EXO_MODE_MC) != 0) {
        return exo_view_mc_pvt(rx, most, view);
    }
    status = exo_rx_settle_pvt(rx, &control);
    if (status != EXO_OK) {
        return status;
    }
    if (exo_control_kind_pvt(control) != EXO_KIND_LOAN) {
        return exo_view_inline_pvt(rx, most, view);
    }
    status = exo_view_parse_pvt(rx, exo_rx_line_pvt(rx, rx->pos), view);
    if (status == EXO_OK) {
        if (view->len > most) {
            return EXO_BUFFER_TOO_SMALL;
        }
        status = exo_view_enter_pvt(rx, view);
    }
    if (status != EXO_OK) {
        return exo_rx_refuse_pvt(rx, status);
    }
    exo_rx_tally_view_pvt(rx, rx->pos, view->token, view->len);
    exo_rx_advance_pvt(rx, rx->mode, 1);
    return EXO_OK;
}

EXO_INLINE void exo_view_clear_pvt(struct exo_viewed *view)
{
    view->data = EXO_NULL;
    view->len = 0;
    view->token = 0;
}

EXO_OUTLINE exo_status exo_view_any_pvt(struct exo_receiver *rx, struct exo_viewed *view)
{
    exo_status status = exo_view_upto_pvt(rx, EXO_SIZE_MAX, view);
    if (status != EXO_OK) {
        exo_view_clear_pvt(view);
    }
    return status;
}

/* exo_view() with the ring's mode as a constant; the mode must be the ring's. */
EXO_HOT EXO_MUST_USE exo_status exo_view_as(struct exo_receiver *rx, const exo_u32 mode, struct exo_viewed *view)
{
    exo_u64 pos = rx->pos;
    const exo_word64 *line = exo_rx_line_pvt(rx, pos);
    if ((mode & EXO_MODE_MC) != 0 ||
        EXO_UNLIKELY(exo_line_ready_pvt(line) != exo_control_pvt(pos, EXO_KIND_LOAN, EXO_ARGUMENT_MAX))) {
        return exo_view_any_pvt(rx, view);
    }
    if (EXO_UNLIKELY(exo_view_parse_pvt(rx, line, view) != EXO_OK || exo_view_enter_pvt(rx, view) != EXO_OK)) {
        exo_view_clear_pvt(view);
        return exo_rx_refuse_pvt(rx, EXO_CORRUPT); /* the descriptor is not read again */
    }
    exo_rx_tally_view_pvt(rx, pos, view->token, view->len);
    exo_rx_reach_pvt(rx, mode, pos + 1, 1);
    return EXO_OK;
}

/**
 * exo_view - receive the next message without copying it, without waiting.
 * @rx: receiver handle
 * @view: cleared on an error, so no open view; do not move it (see struct exo_viewed)
 *
 * A message that came inline is copied into the view. Its slot is free again either way; the buffer of a
 * message by reference is the receiver's until exo_release().
 *
 * Returns: EXO_OK; EXO_EMPTY; EXO_CLOSED or EXO_PEER_DIED after the last message; EXO_CORRUPT for a
 * descriptor that points outside, names no block or one that is being viewed; it sticks.
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_HOT EXO_MUST_USE exo_status exo_view(struct exo_receiver *rx, struct exo_viewed *view)
{
    if (EXO_UNLIKELY((rx->mode & EXO_MODE_MC) != 0)) {
        return exo_view_any_pvt(rx, view);
    }
    return exo_view_as(rx, EXO_SPSC, view);
}

/* Whether a view is on the books. With several consumers it is struck off at once, so that one of two releases fails;
 * else once it is released, so that a receiver killed in between leaves no block that nobody knows of. */
EXO_HOT exo_bool exo_view_stands_pvt(exo_u32 *viewed, const exo_u32 mode, exo_u32 generation)
{
    if ((mode & EXO_MODE_MC) != 0) {
        return exo_cas32(viewed, &generation, 0u, EXO_RELAXED); /* relaxed: guards only itself */
    }
    return exo_load32(viewed, EXO_RELAXED) == generation; /* relaxed: only we write it */
}

/* The next entry of a producer's release ring. */
EXO_HOT exo_u64 exo_release_claim_pvt(exo_word64 *released, const exo_u32 mode)
{
    exo_u64 at;
    if ((mode & EXO_MODE_MC) != 0) {
        return exo_fetch_add64(released, 1u, EXO_RELAXED); /* relaxed: the entry's tag publishes */
    }
    at = exo_load64(released, EXO_RELAXED);       /* relaxed: private */
    exo_store64(released, at + 1, EXO_RELAXED);   /* relaxed: private */
    return at;
}

/* Tell the producer that a block is its own again. */
EXO_HOT void exo_release_enter_pvt(const struct exo_views *views, const exo_u32 mode, exo_u32 producer, exo_u64 token)
{
    exo_u64 at = exo_release_claim_pvt(&views->released[producer], mode);
    struct exo_release_entry *entry = exo_release_entry_pvt(views, producer, at);
    exo_store64(&entry->token, token, EXO_RELAXED); /* relaxed: published next */
    /* [release:give] pairs [release:seen] */
    exo_store64(&entry->tag, at + 1, EXO_RELEASE);
}

/* The view that a token names, if there is one, goes back. */
EXO_HOT exo_bool exo_release_token_pvt(struct exo_receiver *rx, const exo_u32 mode, exo_u64 token)
{
    const struct exo_views *views = &rx->views;
    exo_u32 number = (exo_u32)token;
    exo_u32 *viewed;
    if (EXO_UNLIKELY(number >= views->total)) {
        return EXO_FALSE;
    }
    viewed = &views->viewed[number];
    if (EXO_UNLIKELY(!exo_view_stands_pvt(viewed, mode, (exo_u32)(token >> 32)))) {
        return EXO_FALSE;
    }
    exo_release_enter_pvt(views, mode, (mode & EXO_MODE_MP) == 0 ? 0 : number / views->blocks, token);
    if ((mode & EXO_MODE_MC) == 0) {
        exo_store32(viewed, 0u, EXO_RELAXED); /* relaxed: behind the entry, [release:give] */
    }
    exo_rx_notify_pvt(rx, mode, 1);
    return EXO_TRUE;
}

/* Release a view of what came inline, or of nothing. */
EXO_OUTLINE exo_status exo_release_copy_pvt(struct exo_viewed *view)
{
    exo_bool good = view->data != EXO_NULL && view->token == 0; /* else it was released before, or is forged */
    view->data = EXO_NULL;
    view->token = 0;
    return good ? EXO_OK : EXO_NOT_FOUND;
}

/* exo_release() with the ring's mode as a constant; the mode must be the ring's. */
EXO_HOT EXO_MUST_USE exo_status exo_release_as(struct exo_receiver *rx, const exo_u32 mode, struct exo_viewed *view)
{
    exo_u64 token = view->token;
    if (EXO_UNLIKELY(token >> 32 == 0)) {
        return exo_release_copy_pvt(view);
    }
    view->data = EXO_NULL;
    view->token = 0;
    return exo_release_token_pvt(rx, mode, token) ? EXO_OK : EXO_NOT_FOUND;
}

EXO_OUTLINE exo_status exo_release_any_pvt(struct exo_receiver *rx, struct exo_viewed *view)
{
    return exo_release_as(rx, rx->mode, view);
}

/**
 * exo_release - give a viewed message back to its sender, in any order.
 * @rx: receiver handle
 * @view: on success its data is null
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not being viewed: released before, or never received here.
 * Context: as exo_recv_inline(). Progress: wait-free. Ordering: what the receiver read before is not
 * overtaken by what the sender writes into the buffer next.
 */
EXO_HOT EXO_MUST_USE exo_status exo_release(struct exo_receiver *rx, struct exo_viewed *view)
{
    if (EXO_UNLIKELY((rx->mode & (EXO_MODE_MP | EXO_MODE_MC)) != 0)) {
        return exo_release_any_pvt(rx, view);
    }
    return exo_release_as(rx, EXO_SPSC, view);
}

#endif
