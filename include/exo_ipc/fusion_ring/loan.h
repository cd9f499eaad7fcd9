/* SPDX-License-Identifier: MIT */
/*
 * The sender's half of zero-copy: loan, fill, send. The whole is told in zerocopy.h.
 */
#ifndef EXO_IPC_FUSION_RING_LOAN_H
#define EXO_IPC_FUSION_RING_LOAN_H

#include "arena.h"
#include "claim.h"

/**
 * struct exo_loaned - a buffer lent to the sender's user.
 * @data: its first byte, aligned to 64; null once sent or cancelled
 * @size: room in bytes
 * @off: first byte to send, counted from data; 0 unless the user sets it
 * @len: bytes to send; what was asked for unless the user changes it
 * @token: the library's
 */
struct exo_loaned {
    void *data;
    exo_size size;
    exo_size off;
    exo_size len;
    exo_u64 token;
};

/* Collect what came back; a breach of protocol sticks. */
EXO_INLINE exo_status exo_tx_collect_pvt(struct exo_sender *tx, exo_u32 most)
{
    exo_status status = exo_arena_collect_pvt(tx->arena, most);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        (void)exo_tx_refuse_pvt(tx, status);
    }
    return status;
}

/* No run is free: collect everything, then learn why there still is none. */
EXO_COLD exo_status exo_loan_reason_pvt(struct exo_sender *tx, exo_u32 blocks, exo_u32 *at)
{
    exo_status status = exo_tx_collect_pvt(tx, tx->arena->blocks);
    if (status != EXO_OK) {
        return status;
    }
    *at = exo_arena_take_pvt(tx->arena, blocks);
    if (*at != EXO_ARENA_NOWHERE) {
        return EXO_OK;
    }
    status = exo_tx_full_reason_pvt(tx);
    if (status == EXO_PEER_DIED && tx->refused != EXO_OK) { /* for good: nobody takes its place */
        exo_arena_reclaim_pvt(tx->arena);
    }
    return status;
}

EXO_HOT void exo_loan_fill_pvt(const struct exo_arena *arena, exo_u32 at, exo_size size, struct exo_loaned *loan)
{
    loan->data = arena->memory + ((exo_size)at << arena->block_shift);
    loan->size = (exo_size)exo_arena_room_pvt(arena, at);
    loan->off = 0;
    loan->len = size;
    loan->token = exo_arena_token_pvt(arena, at);
}

/* Whatever a loan may meet that found no released run to lend again. */
EXO_OUTLINE exo_status exo_loan_any_pvt(struct exo_sender *tx, exo_size size, struct exo_loaned *loan)
{
    struct exo_arena *arena = tx->arena;
    exo_status status;
    exo_size blocks;
    exo_u32 at;
    if (arena == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    if (arena->is_read) {
        (void)exo_tx_collect_pvt(tx, EXO_COLLECT_RUNS); /* what it found amiss, `refused` says below */
    }
    blocks = ((size - (size != 0)) >> arena->block_shift) + 1;
    if (blocks > arena->blocks) {
        return EXO_INVALID_SIZE;
    }
    if (tx->refused != EXO_OK) {
        return tx->refused;
    }
    at = exo_arena_take_pvt(arena, (exo_u32)blocks);
    if (at == EXO_ARENA_NOWHERE) {
        status = exo_loan_reason_pvt(tx, (exo_u32)blocks, &at);
        if (status != EXO_OK) {
            return status;
        }
    }
    tx->relend = exo_arena_is_busy_pvt(arena) ? arena : (struct exo_arena *)EXO_NULL;
    exo_loan_fill_pvt(arena, at, size, loan);
    return EXO_OK;
}

/**
 * exo_loan - borrow a buffer from the sender's arena, without waiting.
 * @tx: sender handle
 * @size: bytes wanted; 0 is allowed
 * @loan: filled in on success only
 *
 * Returns: EXO_OK; EXO_FULL when no run of that size is free now; EXO_INVALID_SIZE if the arena can never
 * hold it; EXO_NOT_SUPPORTED if the ring has no arena; EXO_CLOSED, EXO_PEER_DIED; EXO_CORRUPT once the
 * receiver released what it never got.
 * Context: the sender's side; not from an interrupt that may have interrupted the same handle.
 * Progress: wait-free, in time that does not depend on size.
 */
EXO_HOT EXO_MUST_USE exo_status exo_loan(struct exo_sender *tx, exo_size size, struct exo_loaned *loan)
{
    struct exo_arena *arena = tx->relend;
    exo_u32 at;
    if (EXO_UNLIKELY(arena == EXO_NULL || !exo_arena_relend_pvt(arena, size, &at))) {
        return exo_loan_any_pvt(tx, size, loan);
    }
    exo_loan_fill_pvt(arena, at, size, loan);
    return EXO_OK;
}

EXO_HOT void exo_loan_clear_pvt(struct exo_loaned *loan)
{
    loan->data = EXO_NULL;
    loan->token = 0;
}

/**
 * exo_loan_cancel - give a loan back unsent.
 * @tx: sender handle  @loan: on success its data is null
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it names no loan of this sender that is still out: never lent, already
 * sent or already cancelled. Context: as exo_loan(). Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_loan_cancel(struct exo_sender *tx, struct exo_loaned *loan)
{
    exo_u32 at;
    if (tx->arena == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    at = exo_arena_lent_pvt(tx->arena, loan->token);
    if (at == EXO_ARENA_NOWHERE) {
        return EXO_NOT_FOUND;
    }
    exo_arena_give_pvt(tx->arena, at);
    exo_loan_clear_pvt(loan);
    return EXO_OK;
}

/* Whether a loan may be sent as it stands; *at is its first block. */
EXO_INLINE exo_status exo_loan_check_pvt(const struct exo_sender *tx, const struct exo_loaned *loan,
                                         exo_u32 *at)
{
    if (tx->arena == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    *at = exo_arena_lent_pvt(tx->arena, loan->token);
    if (*at == EXO_ARENA_NOWHERE) {
        return EXO_NOT_FOUND;
    }
    return exo_range_ok(loan->off, loan->len, exo_arena_room_pvt(tx->arena, *at)) ? EXO_OK : EXO_INVALID_SIZE;
}

/*
 * What a token of something lent names becomes a message in the slot at pos. Its length stands in the control word for
 * consumers that may find the line written anew; one who is alone reads it in the line.
 */
EXO_HOT void exo_loan_publish_pvt(struct exo_sender *tx, const exo_u32 mode, exo_u64 pos, struct exo_loaned *loan,
                                  exo_u32 kind)
{
    exo_u64 token = exo_token_sent_pvt(loan->token);
    exo_u64 offset = ((exo_u64)(exo_u32)token << tx->arena->block_shift) + loan->off;
    exo_word64 *line = exo_tx_line_pvt(tx, pos);
    exo_bool long_one = (mode & EXO_MODE_MC) == 0 || loan->len >= EXO_ARGUMENT_MAX;
    exo_tx_tally_pvt(tx, pos, 1, loan->len, EXO_TRUE);
    exo_store64(&line[0], token, EXO_RELAXED);     /* relaxed: published below */
    exo_store64(&line[1], offset, EXO_RELAXED);    /* relaxed: published below */
    exo_store64(&line[2], loan->len, EXO_RELAXED); /* relaxed: published below */
    exo_line_commit_pvt(line, exo_control_pvt(pos, kind, long_one ? EXO_ARGUMENT_MAX : (exo_u32)loan->len));
    exo_loan_clear_pvt(loan);
}

/* Whatever the send of a loan may meet. */
EXO_OUTLINE exo_status exo_send_loan_any_pvt(struct exo_sender *tx, struct exo_loaned *loan)
{
    exo_u64 pos = 0;
    exo_u32 at;
    exo_status status = exo_loan_check_pvt(tx, loan, &at);
    if (status != EXO_OK) {
        return status;
    }
    status = exo_tx_claim_pvt(tx, tx->mode, 1, &pos);
    if (status != EXO_OK) {
        return status;
    }
    exo_arena_send_pvt(tx->arena, at, loan->token);
    exo_loan_publish_pvt(tx, tx->mode, pos, loan, EXO_KIND_LOAN);
    return exo_tx_notify_pvt(tx, tx->mode, pos, 1);
}

/* exo_send_loan() with the ring's mode as a constant; the mode must be the ring's. */
EXO_HOT EXO_MUST_USE exo_status exo_send_loan_as(struct exo_sender *tx, const exo_u32 mode, struct exo_loaned *loan)
{
    exo_u32 at = (exo_u32)loan->token - tx->lent_from;
    exo_u64 pos = tx->pos;
    struct exo_block *block;
    if ((mode & EXO_MODE_MP) != 0 || EXO_UNLIKELY(at >= tx->lendable || pos >= tx->limit)) {
        return exo_send_loan_any_pvt(tx, loan);
    }
    block = exo_arena_block_pvt(tx->arena, at);
    if (EXO_UNLIKELY(block->stamp != loan->token) || !exo_range_within(loan->off, loan->len, &block->as.room)) {
        return exo_send_loan_any_pvt(tx, loan);
    }
    block->stamp = exo_token_sent_pvt(loan->token);
    tx->pos = pos + 1;
    exo_loan_publish_pvt(tx, mode, pos, loan, EXO_KIND_LOAN);
    return exo_tx_notify_one_pvt(tx, mode);
}

/**
 * exo_send_loan - send a filled loan, without waiting and without copying.
 * @tx: sender handle
 * @loan: bytes [off, off + len) of it are sent; its data is null on success, and when the receiver closed during the call;
 *   unchanged on any other error
 *
 * Returns: EXO_OK; EXO_FULL; EXO_NOT_FOUND if it is not a loan that is still out (never lent, sent before,
 * cancelled); EXO_INVALID_SIZE if off and len do not lie within it; else as exo_send_inline().
 * Context, Ordering, Progress: as exo_send_inline(). After it the sender must not touch the buffer.
 */
EXO_HOT EXO_MUST_USE exo_status exo_send_loan(struct exo_sender *tx, struct exo_loaned *loan)
{
    if (EXO_UNLIKELY((tx->mode & (EXO_MODE_MP | EXO_MODE_MC)) != 0)) {
        return exo_send_loan_any_pvt(tx, loan);
    }
    return exo_send_loan_as(tx, EXO_SPSC, loan);
}

/**
 * exo_loans_outstanding - bytes of the sender's arena that are lent, or sent and not yet released.
 * @tx: sender handle
 *
 * Takes back what was released first. Returns: bytes, in whole blocks; 0 without an arena.
 * Context: as exo_loan().
 */
EXO_INLINE exo_u64 exo_loans_outstanding(struct exo_sender *tx)
{
    if (tx->arena == EXO_NULL) {
        return 0;
    }
    (void)exo_tx_collect_pvt(tx, tx->arena->blocks);
    if (!exo_port_peer_alive(tx->peer)) {
        exo_arena_reclaim_pvt(tx->arena);
    }
    return (exo_u64)tx->arena->lent << tx->arena->block_shift;
}

#endif
