/* SPDX-License-Identifier: MIT */
/*
 * One send and one receive for any size: exo_send() picks the inline path up to 56 bytes and the path by
 * reference above, where it fills the loan from the caller's buffer; exo_recv() takes either. To save
 * that copy, use exo_loan() and exo_view().
 */
#ifndef EXO_IPC_FUSION_RING_PATH_H
#define EXO_IPC_FUSION_RING_PATH_H

#include "zerocopy.h"

EXO_OUTLINE exo_status exo_send_copy_pvt(struct exo_sender *tx, const void *data, exo_size len)
{
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_status status = exo_loan(tx, len, &loan);
    if (status == EXO_NOT_SUPPORTED) {
        return EXO_INVALID_SIZE;
    }
    if (status != EXO_OK) {
        return status;
    }
    exo_port_copy(loan.data, data, len);
    status = exo_send_loan(tx, &loan);
    if (status != EXO_OK && loan.data != EXO_NULL) {
        exo_arena_give_pvt(tx->arena, exo_arena_lent_pvt(tx->arena, loan.token));
    }
    return status;
}

/**
 * exo_send - send a message of any size up to the arena's, without waiting.
 * @tx: sender handle
 * @data: the payload; may be null if len is 0
 * @len: its length in bytes
 *
 * Returns: EXO_OK; EXO_FULL when there is no slot, or no room in the arena; EXO_INVALID_SIZE when len is over 56
 * and over the arena, or there is none; EXO_CLOSED, EXO_PEER_DIED, EXO_CORRUPT as exo_send_inline().
 * Context, Ordering, Progress: as exo_send_inline() up to 56 bytes, as exo_loan() above.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_send(struct exo_sender *tx, const void *data, exo_size len)
{
    return exo_fits_inline(len) ? exo_send_inline(tx, data, len) : exo_send_copy_pvt(tx, data, len);
}

EXO_OUTLINE exo_i64 exo_recv_copy_pvt(struct exo_receiver *rx, void *buffer, exo_size size)
{
    struct exo_viewed view;
    exo_i64 len;
    exo_status status = exo_view_upto_pvt(rx, size, &view);
    if (status != EXO_OK) {
        return status;
    }
    len = (exo_i64)view.len;
    if (buffer != EXO_NULL) {
        exo_port_copy(buffer, view.data, view.len);
    }
    status = exo_release(rx, &view);
    return status == EXO_OK ? len : (exo_i64)status;
}

/**
 * exo_recv - receive a message of any size into a buffer, without waiting.
 * @rx: receiver handle
 * @buffer: where the payload goes; may be null if size is 0
 * @size: room in the buffer, in bytes
 *
 * Returns: the length; EXO_BUFFER_TOO_SMALL: the message stays; else as exo_recv_inline() and exo_view().
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_recv(struct exo_receiver *rx, void *buffer, exo_size size)
{
    exo_i64 len = exo_recv_inline(rx, buffer, size);
    return EXO_LIKELY(len != EXO_TYPE_MISMATCH) ? len : exo_recv_copy_pvt(rx, buffer, size);
}

#endif
