/* SPDX-License-Identifier: MIT */
/*
 * Inline messages built and read in their slots: reserve and commit, peek and consume. Saves the copy of a
 * message that is computed piece by piece.
 *
 * A reservation holds its place in the order of messages from exo_reserve() on: until it is committed or
 * aborted, nothing sent after it is received. Several may be open, and be committed in any order.
 */
#ifndef EXO_IPC_FUSION_RING_INPLACE_H
#define EXO_IPC_FUSION_RING_INPLACE_H

#include "inline.h"

/**
 * struct exo_reserved - a slot being written.
 * @data: room for `size` bytes, aligned to 64; null when the reservation is over
 * @size: bytes that may be written, EXO_INLINE_THRESHOLD
 * @pos: the library's
 */
struct exo_reserved {
    void *data;
    exo_size size;
    exo_u64 pos;
};

/**
 * struct exo_peeked - a message being read in its slot.
 * @data: the payload; null when it is consumed
 * @len: its length in bytes
 * @pos: the library's
 */
struct exo_peeked {
    const void *data;
    exo_size len;
    exo_u64 pos;
};

/**
 * exo_reserve - claim a slot to write a message into, without waiting.
 * @tx: sender handle
 * @size: bytes that will be written at most, 0 to 56
 * @reserved: cleared on an error
 *
 * Returns: as exo_send_inline(). Context, Progress: as exo_send_inline(). In the profile EXO_THREADS a thread
 * that ends between reserve and commit holds the ring up for ever.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reserve(struct exo_sender *tx, exo_size size,
                                               struct exo_reserved *reserved)
{
    exo_status status;
    exo_u64 pos = 0;
    reserved->data = EXO_NULL;
    reserved->size = 0;
    reserved->pos = 0;
    if (size > EXO_INLINE_THRESHOLD) {
        return EXO_INVALID_SIZE;
    }
    status = exo_tx_claim_pvt(tx, tx->mode, 1, &pos);
    if (status == EXO_OK) {
        reserved->data = exo_tx_line_pvt(tx, pos);
        reserved->size = EXO_INLINE_THRESHOLD;
        reserved->pos = pos;
    }
    return status;
}

/**
 * exo_commit - send what was written into a reservation.
 * @tx: sender handle
 * @reserved: cleared on success
 * @len: bytes of payload, from its first byte on
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE if len is over the reservation's size: it stays open; EXO_NOT_FOUND if it
 * is not open; EXO_CLOSED if the receiver has closed meanwhile.
 * Context: as exo_send_inline(). Ordering: release, as exo_send_inline(). Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_commit(struct exo_sender *tx, struct exo_reserved *reserved,
                                              exo_size len)
{
    if (reserved->data == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    if (len > reserved->size) {
        return EXO_INVALID_SIZE;
    }
    exo_tx_tally_pvt(tx, reserved->pos, 1, len, EXO_FALSE);
    exo_line_commit_pvt(exo_tx_line_pvt(tx, reserved->pos),
                        exo_control_pvt(reserved->pos, EXO_KIND_INLINE, (exo_u32)len));
    reserved->data = EXO_NULL;
    return exo_tx_notify_pvt(tx, tx->mode, reserved->pos, 0xFFFFFFFFu); /* it may have closed a gap */
}

/**
 * exo_abort - give a reservation up. The receiver steps over its slot.
 * @tx: sender handle
 * @reserved: cleared on success
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not open; EXO_CLOSED. Context, Progress: as exo_commit().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_abort(struct exo_sender *tx, struct exo_reserved *reserved)
{
    if (reserved->data == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    exo_line_commit_pvt(exo_tx_line_pvt(tx, reserved->pos),
                        exo_control_pvt(reserved->pos, EXO_KIND_DISCARD, 0));
    reserved->data = EXO_NULL;
    return exo_tx_notify_pvt(tx, tx->mode, reserved->pos, 0xFFFFFFFFu); /* it may have closed a gap */
}

EXO_COLD exo_status exo_peek_mc_pvt(struct exo_receiver *rx, struct exo_peeked *peeked)
{
    const struct exo_rx_wish wish = {1, 1, EXO_INLINE_THRESHOLD, EXO_KIND_INLINE};
    for (;;) {
        exo_u64 pos = 0;
        exo_u32 taken = 0;
        exo_u64 control;
        const exo_word64 *line;
        exo_status status = exo_rx_obtain_mc_pvt(rx, &wish, &pos, &taken);
        if (status != EXO_OK) {
            return status;
        }
        line = exo_rx_line_pvt(rx, pos);
        control = exo_line_ready_pvt(line);
        if (exo_control_kind_pvt(control) == EXO_KIND_INLINE) {
            peeked->data = line;
            peeked->len = exo_control_argument_pvt(control);
            peeked->pos = pos;
            return EXO_OK;
        }
        exo_rx_done_pvt(rx, pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
    }
}

/* Single consumer: where the next message of the slot at rx->pos begins. */
EXO_INLINE const void *exo_rx_next_item_pvt(const struct exo_receiver *rx, exo_u64 control)
{
    exo_u32 item = exo_control_argument_pvt(control) & 0xFFu;
    return (const exo_u8 *)exo_rx_line_pvt(rx, rx->pos) + (exo_size)rx->taken * item;
}

/* Single consumer: whatever the next slot holds. */
EXO_OUTLINE exo_status exo_peek_any_pvt(struct exo_receiver *rx, struct exo_peeked *peeked)
{
    exo_u64 control = 0;
    exo_u32 argument;
    exo_u32 item;
    exo_u32 count;
    exo_status status = exo_rx_settle_pvt(rx, &control);
    if (status != EXO_OK) {
        return status;
    }
    if (exo_control_kind_pvt(control) != EXO_KIND_INLINE &&
        exo_control_kind_pvt(control) != EXO_KIND_PACKED) {
        return EXO_TYPE_MISMATCH;
    }
    argument = exo_control_argument_pvt(control);
    item = exo_control_kind_pvt(control) == EXO_KIND_PACKED ? argument & 0xFFu : argument;
    count = exo_control_kind_pvt(control) == EXO_KIND_PACKED ? argument >> 8 : 1;
    if ((exo_u64)item * count > EXO_INLINE_THRESHOLD || rx->taken >= count) {
        return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
    }
    peeked->data = exo_rx_next_item_pvt(rx, control);
    peeked->len = item;
    peeked->pos = rx->pos;
    return EXO_OK;
}

/**
 * exo_peek - look at the next inline message in its slot, without waiting.
 * @rx: receiver handle
 * @peeked: filled in on success only
 *
 * With one consumer the message stays until exo_consume(), and peeking again shows the same one. With several
 * the message is the caller's from here on, and its slot must be given back with exo_consume().
 * In the hostile profile the sender can change what is seen here: copy it (exo_recv_inline) before relying
 * on it.
 *
 * Returns: EXO_OK; EXO_EMPTY; EXO_TYPE_MISMATCH if the message travels by reference; EXO_CLOSED,
 * EXO_PEER_DIED, EXO_CORRUPT as exo_recv_inline().
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_peek(struct exo_receiver *rx, struct exo_peeked *peeked)
{
    const exo_word64 *line = exo_rx_line_pvt(rx, rx->pos);
    exo_size len;
    if ((rx->mode & EXO_MODE_MC) != 0) {
        return exo_peek_mc_pvt(rx, peeked);
    }
    if (EXO_UNLIKELY(!exo_rx_short_pvt(exo_line_ready_pvt(line), rx->pos, EXO_KIND_INLINE,
                                       EXO_INLINE_THRESHOLD, &len))) {
        return exo_peek_any_pvt(rx, peeked);
    }
    peeked->data = line;
    peeked->len = len;
    peeked->pos = rx->pos;
    return EXO_OK;
}

/* Any but a lone message with a single consumer. */
EXO_OUTLINE exo_status exo_consume_any_pvt(struct exo_receiver *rx, struct exo_peeked *peeked)
{
    exo_u64 control = 0;
    if (peeked->data == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    if ((rx->mode & EXO_MODE_MC) != 0) {
        if (rx->refused != EXO_OK) {
            return rx->refused;
        }
        exo_rx_tally_pvt(rx, peeked->pos, 1, peeked->len, EXO_FALSE);
        exo_rx_done_pvt(rx, peeked->pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
        peeked->data = EXO_NULL;
        return EXO_OK;
    }
    if (peeked->pos != rx->pos || exo_rx_settle_pvt(rx, &control) != EXO_OK ||
        peeked->pos != rx->pos || peeked->data != exo_rx_next_item_pvt(rx, control)) {
        return EXO_NOT_FOUND;
    }
    exo_rx_tally_pvt(rx, rx->pos, 1, peeked->len, EXO_FALSE);
    peeked->data = EXO_NULL;
    if (exo_control_kind_pvt(control) == EXO_KIND_PACKED &&
        ++rx->taken < exo_control_argument_pvt(control) >> 8) {
        return EXO_OK;
    }
    rx->taken = 0;
    exo_rx_advance_pvt(rx, rx->mode, 1);
    return EXO_OK;
}

/**
 * exo_consume - be done with a message that was peeked at.
 * @rx: receiver handle
 * @peeked: cleared on success
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it was consumed before, or received by another call meanwhile. With several
 * consumers EXO_CLOSED after exo_receiver_close(), which must come after the last exo_consume().
 * Context: as exo_recv_inline(). Ordering: what was read is not overtaken by the slot's next use.
 * Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_consume(struct exo_receiver *rx, struct exo_peeked *peeked)
{
    const exo_word64 *line = exo_rx_line_pvt(rx, rx->pos);
    exo_size len;
    if (EXO_UNLIKELY((rx->mode & EXO_MODE_MC) != 0 || peeked->data != line || peeked->pos != rx->pos ||
                     rx->taken != 0 ||
                     !exo_rx_short_pvt(exo_line_ready_pvt(line), rx->pos, EXO_KIND_INLINE,
                                       EXO_INLINE_THRESHOLD, &len))) {
        return exo_consume_any_pvt(rx, peeked);
    }
    exo_rx_tally_pvt(rx, rx->pos, 1, len, EXO_FALSE);
    peeked->data = EXO_NULL;
    exo_rx_advance_pvt(rx, rx->mode, 1);
    return EXO_OK;
}

#endif
