/* SPDX-License-Identifier: MIT */
/*
 * Sending a broadcast: one slot for all, then one look at each subscriber.
 *
 * Latest: the slot may be read while it is overwritten. The control word first says so (WRITING), then come the
 * payload's words, then the control word of the new message; a reader that saw any of the new words finds one of the
 * two when it looks at the control word again (a sequence lock for each slot; its fences as in H.-J. Boehm, MSPC 2012).
 *
 * A crash leaves at most one slot WRITING: that message is lost, and nobody ever sees a part of it.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_SEND_H
#define EXO_IPC_CHANNEL_BROADCAST_SEND_H

#include "broadcast_blocks.h"

/* The slot at pos is about to change under its readers. */
EXO_HOT void exo_publisher_open_pvt(const struct exo_publisher *tx, exo_word64 *line, exo_u64 pos)
{
    if (tx->latest) {
        exo_u64 writing = exo_cast_control_pvt(pos, EXO_CAST_WRITING, 0);
        exo_store64(&line[EXO_LINE_WORDS], writing, EXO_RELAXED); /* relaxed: the fence follows */
        /* [broadcast:writing] pairs [broadcast:whole], [broadcast:pins_announce], [broadcast:tail_seen] */
        exo_fence_release();
    }
}

/* The message at tx->pos is in its slot. */
EXO_HOT void exo_publisher_advance_pvt(struct exo_publisher *tx)
{
    tx->pos++;
    if (tx->latest) {
        /* relaxed: [broadcast:writing] in front of it publishes all messages before this one, which its reader needs */
        exo_store64(&tx->tx->marks.tail, tx->pos, EXO_RELAXED);
    }
    exo_publisher_notify_pvt(tx);
}

EXO_HOT void exo_publisher_inline_pvt(struct exo_publisher *tx, const void *data, exo_size len)
{
    exo_u64 pos = tx->pos;
    exo_word64 *line = exo_publisher_line_pvt(tx, pos);
    exo_probe_untimed_pvt(tx->profiler, EXO_TRACE_SENT, pos, len, EXO_FALSE);
    exo_publisher_open_pvt(tx, line, pos);
    exo_line_publish_pvt(line, data, len, exo_cast_control_pvt(pos, EXO_CAST_INLINE, (exo_u32)len));
    exo_publisher_advance_pvt(tx);
}

/* A loan that may be sent becomes the message in the next slot, which is free. */
EXO_INLINE void exo_publisher_put_loan_pvt(struct exo_publisher *tx, exo_u32 at, struct exo_loaned *loan)
{
    exo_u64 pos = tx->pos;
    exo_word64 *line = exo_publisher_line_pvt(tx, pos);
    exo_blocks_unslot_pvt(tx, pos);
    exo_blocks_slot_pvt(tx, pos, at);
    exo_arena_send_pvt(tx->arena, at, loan->token);
    exo_probe_untimed_pvt(tx->profiler, EXO_TRACE_SENT, pos, loan->len, EXO_TRUE);
    exo_publisher_open_pvt(tx, line, pos);
    exo_store64(&line[0], exo_arena_token_pvt(tx->arena, at), EXO_RELAXED); /* relaxed: published below */
    exo_store64(&line[1], ((exo_u64)at << tx->arena->block_shift) + loan->off, EXO_RELAXED); /* relaxed: published below */
    exo_store64(&line[2], loan->len, EXO_RELAXED);                           /* relaxed: published below */
    exo_line_commit_pvt(line, exo_cast_control_pvt(pos, EXO_CAST_LOAN, 0));
    exo_loan_clear_pvt(loan);
    exo_publisher_advance_pvt(tx);
}

/* Whatever a send may meet. */
EXO_OUTLINE exo_status exo_broadcast_send_any_pvt(struct exo_publisher *tx, const void *data, exo_size len)
{
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_status status = exo_publisher_room_pvt(tx);
    if (status != EXO_OK) {
        return status;
    }
    if (exo_fits_inline(len)) {
        if (tx->slotted != 0) {
            exo_blocks_unslot_pvt(tx, tx->pos);
        }
        exo_publisher_inline_pvt(tx, data, len);
        return EXO_OK;
    }
    status = exo_broadcast_loan(tx, len, &loan);
    if (status != EXO_OK) {
        return status == EXO_NOT_SUPPORTED ? EXO_INVALID_SIZE : status;
    }
    exo_port_copy(loan.data, data, len);
    exo_publisher_put_loan_pvt(tx, exo_arena_lent_pvt(tx->arena, loan.token), &loan);
    return EXO_OK;
}

/**
 * exo_broadcast_send - send a message to all subscribers, without waiting.
 * @tx: sending handle
 * @data: the payload; may be null if len is 0
 * @len: its length in bytes; up to 56 travel in the slot, more by reference, copied into the arena
 *
 * With nobody admitted it is sent all the same, for those who join with history.
 *
 * Returns: EXO_OK; EXO_FULL (reliable, or len is over 56): a subscriber holds the sender back, for lag_ns in all at
 * most; EXO_INVALID_SIZE when len is over 56 and over the arena, or there is none; EXO_CLOSED after
 * exo_broadcast_close(). On an error nothing was sent.
 * Context: the sender's side; any context that the handle belongs to, interrupts included.
 * Ordering: what was written before the call is visible to whoever receives the message.
 * Progress: wait-free. A subscriber costs one load of a word that hardly changes.
 */
EXO_HOT EXO_MUST_USE exo_status exo_broadcast_send(struct exo_publisher *tx, const void *data, exo_size len)
{
    exo_u64 pos = tx->pos;
    if (EXO_UNLIKELY(len > EXO_INLINE_THRESHOLD || pos >= tx->limit || tx->slotted != 0 ||
                     exo_publisher_knocked_pvt(tx))) {
        return exo_broadcast_send_any_pvt(tx, data, len);
    }
    if (EXO_LIKELY(pos + EXO_FETCH_AHEAD < tx->limit)) {
        exo_cpu_prefetch_write(tx->lines + ((((exo_size)pos << 6) + tx->fetch) & tx->off_mask));
    }
    exo_publisher_inline_pvt(tx, data, len);
    return EXO_OK;
}

/**
 * exo_broadcast_send_loan - send a filled loan to all subscribers, without waiting and without copying.
 * @tx: sending handle
 * @loan: bytes [off, off + len) of it are sent; cleared on success, unchanged on an error
 *
 * Returns: EXO_OK; EXO_FULL; EXO_NOT_FOUND if it is not a loan that is still out; EXO_INVALID_SIZE if off and len
 * do not lie within it; EXO_NOT_SUPPORTED; EXO_CLOSED.
 * Context, Ordering, Progress: as exo_broadcast_send(). After it the sender must not touch the buffer.
 */
EXO_OUTLINE EXO_MUST_USE exo_status exo_broadcast_send_loan(struct exo_publisher *tx, struct exo_loaned *loan)
{
    exo_status status;
    exo_u32 at;
    if (tx->arena == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    at = exo_arena_lent_pvt(tx->arena, loan->token);
    if (at == EXO_ARENA_NOWHERE) {
        return EXO_NOT_FOUND;
    }
    if (!exo_range_ok(loan->off, loan->len, exo_arena_room_pvt(tx->arena, at))) {
        return EXO_INVALID_SIZE;
    }
    status = exo_publisher_room_pvt(tx);
    if (status == EXO_OK) {
        exo_publisher_put_loan_pvt(tx, at, loan);
    }
    return status;
}

/**
 * exo_broadcast_close - send no more. Subscribers get EXO_CLOSED after the last message.
 * @tx: sending handle; every later call on it answers EXO_CLOSED
 *
 * Who has claimed a place is admitted first. What was sent stays readable as long as the memory stays.
 * Returns: EXO_OK; EXO_CLOSED if it was closed before. Context: not from an interrupt.
 */
EXO_OUTLINE exo_status exo_broadcast_close(struct exo_publisher *tx)
{
    if (tx->refused != EXO_OK) {
        return tx->refused;
    }
    exo_publisher_lobby_pvt(tx);
    /* [broadcast:close] pairs [broadcast:closed_seen] */
    (void)exo_fetch_or32(&tx->tx->sync.waiters, EXO_WAIT_CLOSED, EXO_RELEASE);
    exo_event_change_pvt(&tx->tx->sync.event, 0xFFFFFFFFu, tx->profile != EXO_THREADS);
    tx->refused = EXO_CLOSED;
    tx->limit = tx->pos;
    return EXO_OK;
}

#endif
