/* SPDX-License-Identifier: MIT */
/*
 * Inline messages: up to 56 bytes, carried in the slot itself. Check, copy, publish, notify.
 *
 * The calls ending in `_as` take the ring's mode as an argument; where it is a constant, everything that the
 * mode does not need folds away. The plain calls read it from the handle.
 */
#ifndef EXO_IPC_FUSION_RING_INLINE_H
#define EXO_IPC_FUSION_RING_INLINE_H

#include "claim.h"

/**
 * exo_fits_inline - whether a payload travels inside a slot.
 * @size: bytes of payload
 *
 * Returns: true up to EXO_INLINE_THRESHOLD (56). Context: any.
 */
EXO_HOT exo_bool exo_fits_inline(exo_size size)
{
    return size <= EXO_INLINE_THRESHOLD;
}

/* How many items share a slot. */
EXO_HOT exo_u32 exo_batch_per_slot_pvt(const exo_u32 mode, exo_size size)
{
    if ((mode & (EXO_MODE_MC | EXO_MODE_OWNED)) != 0 || size == 0 || size > EXO_INLINE_THRESHOLD / 2) {
        return 1;
    }
    return size == 8 ? 7 : (exo_u32)(EXO_INLINE_THRESHOLD / (exo_u32)size);
}

/* The whole of a send, in any mode. */
EXO_HOT exo_status exo_tx_send_pvt(struct exo_sender *tx, const exo_u32 mode, const void *data,
                                   exo_size len)
{
    exo_u64 pos;
    exo_status status;
    if (EXO_UNLIKELY(len > EXO_INLINE_THRESHOLD)) {
        return EXO_INVALID_SIZE;
    }
    status = exo_tx_claim_pvt(tx, mode, 1, &pos);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    exo_tx_tally_pvt(tx, pos, 1, len, EXO_FALSE);
    exo_line_publish_pvt(exo_tx_line_pvt(tx, pos), data, len,
                         exo_control_pvt(pos, EXO_KIND_INLINE, (exo_u32)len));
    return exo_tx_notify_pvt(tx, mode, pos, 1);
}

EXO_OUTLINE exo_status exo_send_inline_any_pvt(struct exo_sender *tx, const void *data, exo_size len)
{
    return exo_tx_send_pvt(tx, tx->mode, data, len);
}

/* exo_send_inline() with the ring's mode as a constant; the mode must be the ring's. */
EXO_HOT EXO_MUST_USE exo_status exo_send_inline_as(struct exo_sender *tx, const exo_u32 mode,
                                                   const void *data, exo_size len)
{
    exo_u64 pos = tx->pos;
    exo_u64 room = tx->limit - pos;
    if ((mode & EXO_MODE_MP) != 0) {
        return exo_tx_send_pvt(tx, mode, data, len);
    }
    if (EXO_UNLIKELY(len > EXO_INLINE_THRESHOLD || room == 0)) {
        return exo_send_inline_any_pvt(tx, data, len);
    }
    exo_tx_fetch_free_pvt(tx, pos, room);
    tx->pos = pos + 1;
    exo_tx_tally_inline_pvt(tx, pos, len);
    exo_line_publish_pvt(exo_tx_line_pvt(tx, pos), data, len,
                         exo_control_pvt(pos, EXO_KIND_INLINE, (exo_u32)len));
    return exo_tx_notify_one_pvt(tx, mode);
}

/**
 * exo_send_inline - send a message of at most 56 bytes, without waiting.
 * @tx: sender handle
 * @data: the payload; may be null if len is 0
 * @len: its length in bytes, 0 to 56
 *
 * Returns: EXO_OK; EXO_FULL; EXO_INVALID_SIZE if len is over 56; EXO_CLOSED if the receiver has closed, also
 * during the call and without this message; EXO_PEER_DIED; EXO_CORRUPT once the receiver broke the protocol.
 * On an error nothing was sent; but what found the receiver closing stays in the ring, for a receiver that takes
 * its place.
 * Context: the sender's side; any context that the handle belongs to, interrupts included.
 * Ordering: what was written before the call is visible to whoever receives the message.
 * Progress: wait-free (sp), lock-free (mp).
 */
EXO_HOT EXO_MUST_USE exo_status exo_send_inline(struct exo_sender *tx, const void *data, exo_size len)
{
    if (EXO_UNLIKELY((tx->mode & EXO_MODE_MP) != 0)) {
        return exo_send_inline_any_pvt(tx, data, len);
    }
    return exo_send_inline_as(tx, EXO_SPSC, data, len);
}

/* The next item of a packed slot. */
EXO_INLINE exo_i64 exo_rx_take_packed_pvt(struct exo_receiver *rx, const exo_word64 *line,
                                          exo_u32 argument, void *buffer, exo_size size)
{
    exo_u32 item = argument & 0xFFu;
    exo_u32 count = argument >> 8;
    if (item * count > EXO_INLINE_THRESHOLD || rx->taken >= count) {
        return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
    }
    if (item > size) {
        return EXO_BUFFER_TOO_SMALL;
    }
    if (buffer != EXO_NULL) {
        exo_word64 copy[EXO_LINE_WORDS];
        exo_words_load(copy, line, sizeof(copy));
        __builtin_memcpy(buffer, (const exo_u8 *)copy + (exo_size)rx->taken * item, item);
    }
    exo_rx_tally_pvt(rx, rx->pos, 1, item, EXO_FALSE);
    rx->taken++;
    if (rx->taken == count) {
        rx->taken = 0;
        exo_rx_advance_pvt(rx, rx->mode, 1);
    }
    return item;
}

/* Whether there is nothing to receive in the slot at pos and never will be. */
EXO_INLINE exo_bool exo_rx_skippable_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 control)
{
    exo_u32 kind = exo_control_kind_pvt(control);
    if (kind != EXO_KIND_CLAIM) {
        return kind == EXO_KIND_DISCARD;
    }
    return (rx->mode & EXO_MODE_OWNED) != 0 && exo_rx_orphan_pvt(rx, pos, exo_control_argument_pvt(control)) &&
           exo_line_ready_pvt(exo_rx_line_pvt(rx, pos)) == control;
}

/*
 * Single consumer: make the slot at rx->pos one that can be received, stepping over discarded ones and
 * claims of the dead, at most a ring full of them. Returns EXO_OK with its control word, or why there is
 * none.
 */
EXO_OUTLINE exo_status exo_rx_settle_pvt(struct exo_receiver *rx, exo_u64 *found)
{
    exo_status reason = EXO_EMPTY;
    exo_u64 skipped = 0;
    while (rx->refused == EXO_OK && skipped <= rx->mask) {
        exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos));
        exo_u32 kind = exo_control_kind_pvt(control);
        if (exo_control_is_for_pvt(control, rx->pos) && kind != EXO_KIND_NONE) {
            if (exo_control_carries_pvt(kind)) {
                *found = control;
                return EXO_OK;
            }
            if (exo_rx_skippable_pvt(rx, rx->pos, control)) {
                exo_rx_advance_pvt(rx, rx->mode, 1);
                skipped++;
                continue;
            }
            if (kind != EXO_KIND_CLAIM || (rx->mode & EXO_MODE_OWNED) == 0) {
                return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
            }
        }
        if (reason != EXO_EMPTY) {
            return reason;
        }
        reason = exo_rx_empty_reason_pvt(rx);
        if (reason == EXO_EMPTY) {
            return EXO_EMPTY;
        }
        /* Closed or dead: look once more, for what was published before that. */
    }
    return rx->refused != EXO_OK ? rx->refused : EXO_EMPTY;
}

/* Single consumer: whatever the next slot holds. */
EXO_OUTLINE exo_i64 exo_rx_take_any_pvt(struct exo_receiver *rx, void *buffer, exo_size size)
{
    const exo_word64 *line = exo_rx_line_pvt(rx, rx->pos);
    exo_u64 control = exo_line_ready_pvt(line);
    exo_u32 argument;
    if (!exo_control_is_for_pvt(control, rx->pos) && exo_rx_still_empty_pvt(rx)) {
        exo_probe_empty_pvt(rx->waker.profiler);
        return EXO_EMPTY;
    }
    if (!exo_control_is_for_pvt(control, rx->pos) || exo_control_kind_pvt(control) != EXO_KIND_INLINE) {
        exo_status status = exo_rx_settle_pvt(rx, &control);
        if (status != EXO_OK) {
            return status;
        }
        line = exo_rx_line_pvt(rx, rx->pos);
    }
    argument = exo_control_argument_pvt(control);
    if (exo_control_kind_pvt(control) == EXO_KIND_PACKED) {
        return exo_rx_take_packed_pvt(rx, line, argument, buffer, size);
    }
    if (exo_control_kind_pvt(control) != EXO_KIND_INLINE) {
        return EXO_TYPE_MISMATCH;
    }
    if (argument > EXO_INLINE_THRESHOLD) {
        return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
    }
    if (argument > size) {
        return EXO_BUFFER_TOO_SMALL;
    }
    exo_line_read_pvt(buffer, line, argument);
    exo_rx_tally_pvt(rx, rx->pos, 1, argument, EXO_FALSE);
    exo_rx_advance_pvt(rx, rx->mode, 1);
    return argument;
}

/* Several consumers: whatever comes next. */
EXO_OUTLINE exo_i64 exo_rx_take_any_mc_pvt(struct exo_receiver *rx, void *buffer, exo_size size)
{
    const struct exo_rx_wish wish = {1, 1, size, EXO_KIND_INLINE};
    for (;;) {
        exo_u64 pos = 0;
        exo_u32 taken = 0;
        exo_u64 control;
        const exo_word64 *line;
        exo_i64 len = -1;
        exo_status status = exo_rx_obtain_mc_pvt(rx, &wish, &pos, &taken);
        if (EXO_UNLIKELY(status != EXO_OK)) {
            return status;
        }
        line = exo_rx_line_pvt(rx, pos);
        control = exo_line_ready_pvt(line);
        if (EXO_LIKELY(exo_control_kind_pvt(control) == EXO_KIND_INLINE)) {
            len = exo_control_argument_pvt(control);
            exo_line_read_pvt(buffer, line, (exo_size)len);
            exo_rx_tally_pvt(rx, pos, 1, (exo_u64)len, EXO_FALSE);
        }
        exo_rx_done_pvt(rx, pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
        if (EXO_LIKELY(len >= 0)) {
            return len;
        }
    }
}

/* Whether a message of this kind and of at most `most` bytes is published at pos; *len is its length. */
EXO_HOT exo_bool exo_rx_short_pvt(exo_u64 control, exo_u64 pos, exo_u32 kind, exo_size most, exo_size *len)
{
    exo_u64 rest = control ^ exo_control_pvt(pos, kind, 0);
    *len = (exo_size)(rest >> 40);
    return rest << 24 == 0 && *len <= most;
}

/* Whether a plain message that fits is published at pos; *len is its length. Where the buffer's size is a constant,
 * only a message that fills it is plain: one comparison, and a copy of constant length. */
EXO_HOT exo_bool exo_rx_plain_pvt(exo_u64 control, exo_u64 pos, exo_size size, exo_size *len)
{
    exo_size most = size < EXO_INLINE_THRESHOLD ? size : EXO_INLINE_THRESHOLD;
    if (__builtin_constant_p(size)) {
        *len = most;
        return control == exo_control_pvt(pos, EXO_KIND_INLINE, (exo_u32)most);
    }
    return exo_rx_short_pvt(control, pos, EXO_KIND_INLINE, most, len);
}

/* exo_recv_inline() with the ring's mode as a constant; the mode must be the ring's. */
EXO_HOT EXO_MUST_USE exo_i64 exo_recv_inline_as(struct exo_receiver *rx, const exo_u32 mode,
                                                void *buffer, exo_size size)
{
    const exo_bool mc = (mode & EXO_MODE_MC) != 0;
    exo_u64 pos = mc ? exo_load64(rx->exact, EXO_RELAXED) : rx->pos; /* relaxed: checked by the swap */
    const exo_word64 *line = exo_rx_line_pvt(rx, pos);
    exo_u64 control = exo_line_ready_pvt(line);
    exo_size len;
    if (EXO_UNLIKELY(!exo_rx_plain_pvt(control, pos, size, &len))) {
        return mc ? exo_rx_take_any_mc_pvt(rx, buffer, size) : exo_rx_take_any_pvt(rx, buffer, size);
    }
    /* relaxed: what is read was acquired with the control word; this guards no data */
    if (mc && EXO_UNLIKELY(!exo_cas64(rx->exact, &pos, pos + 1, EXO_RELAXED))) {
        return exo_rx_take_any_mc_pvt(rx, buffer, size);
    }
    exo_line_read_pvt(buffer, line, len);
    exo_rx_tally_inline_pvt(rx, pos, len);
    if (mc) {
        exo_rx_done_pvt(rx, pos);
        exo_rx_scout_pvt(rx, pos);
        exo_rx_notify_pvt(rx, mode, 1);
    } else {
        exo_rx_reach_pvt(rx, mode, pos + 1, 1);
    }
    return (exo_i64)len;
}

/**
 * exo_recv_inline - receive a message of at most 56 bytes, without waiting.
 * @rx: receiver handle
 * @buffer: where the payload goes; may be null if size is 0
 * @size: room in the buffer, in bytes; exactly the message's length is written
 *
 * Returns: the length, 0 to 56; EXO_EMPTY; EXO_BUFFER_TOO_SMALL: the message stays; EXO_TYPE_MISMATCH if the
 * next message travels by reference or has a header: it stays, take it with exo_view() or exo_recv(), or
 * with exo_message_recv(); EXO_CLOSED or
 * EXO_PEER_DIED after the last message; EXO_CORRUPT once the sender broke the protocol.
 * Context: the receiver's side; any context that the handle belongs to, interrupts included.
 * Ordering: what the sender wrote before it sent is visible after the call.
 * Progress: wait-free (sc), lock-free (mc).
 */
EXO_HOT EXO_MUST_USE exo_i64 exo_recv_inline(struct exo_receiver *rx, void *buffer, exo_size size)
{
    if (EXO_UNLIKELY((rx->mode & EXO_MODE_MC) != 0)) {
        return exo_rx_take_any_mc_pvt(rx, buffer, size);
    }
    return exo_recv_inline_as(rx, EXO_SPSC, buffer, size);
}

#endif
