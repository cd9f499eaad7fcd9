/* SPDX-License-Identifier: MIT */
/*
 * Progress of an asynchronous channel (async.h): answers are taken, what waits to be sent is sent as far as there is
 * room, messages go to the receives that wait for them; then, if somebody has cancelled or a deadline has passed, all lists
 * are looked through once.
 *
 * An operation is claimed first and done then, so there must be no way back: a sender has room for good once it was
 * seen, since nobody else sends; a block of the arena is lent before the claim; a message that was seen stays. A peer that
 * makes it vanish again breaks the protocol, and the channel is refused.
 *
 * Bounded: each list is worked off at most once, from private memory.
 */
#ifndef EXO_IPC_CHANNEL_ASYNC_POLL_H
#define EXO_IPC_CHANNEL_ASYNC_POLL_H

#include "async_op.h"

/* Sends what was made, which has room. */
EXO_INLINE exo_status exo_op_push_pvt(struct exo_async *async, struct exo_op *op)
{
    if (op->data != EXO_NULL) {
        exo_port_copy(op->message->loan.data, op->data, op->len);
    }
    if (op->kind == EXO_OP_REPLY) {
        return exo_reply_message(async->channel, &op->request, op->message);
    }
    if (op->kind == EXO_OP_CALL) {
        return exo_call_send_message(async->channel, &op->call, op->message, op->deadline_ns);
    }
    return exo_channel_send_message(async->channel, op->message);
}

/* Gives back the block that was lent for it. */
EXO_INLINE void exo_op_unlend_pvt(struct exo_async *async, struct exo_op *op)
{
    if (op->data != EXO_NULL && op->message->loan.data != EXO_NULL) {
        struct exo_arena *arena = async->channel->tx[EXO_LANE_MAIN].arena;
        exo_arena_give_pvt(arena, exo_arena_lent_pvt(arena, op->message->loan.token));
        exo_loan_clear_pvt(&op->message->loan);
    }
}

/* A request needs no claim before it is sent: if the call is cancelled meanwhile, its answer is dropped. */
EXO_INLINE exo_status exo_op_ask_pvt(struct exo_async *async, struct exo_op *op, exo_status status)
{
    if (exo_op_cancelled_pvt(op)) {
        exo_op_unlend_pvt(async, op);
        exo_op_finish_pvt(async, op, EXO_CANCELLED);
        return EXO_OK;
    }
    if (status == EXO_OK) {
        status = exo_op_push_pvt(async, op);
    }
    if (status == EXO_OK) {
        op->call.over = &async->over;
        exo_op_move_pvt(async, op, EXO_OPS_UNANSWERED);
        return EXO_OK;
    }
    exo_op_unlend_pvt(async, op);
    if (status != EXO_FULL && exo_op_claim_pvt(async, op)) {
        exo_op_finish_pvt(async, op, status);
    }
    return status == EXO_FULL ? EXO_FULL : EXO_OK;
}

/* Try to send: EXO_FULL if it has to stay in its list, else EXO_OK. */
EXO_OUTLINE exo_status exo_op_try_pvt(struct exo_async *async, struct exo_op *op)
{
    struct exo_channel *channel = async->channel;
    exo_status status = (exo_status)exo_tx_look_pvt(&channel->tx[op->lane]);
    if (status == EXO_OK && op->data != EXO_NULL) {
        status = exo_message_new_zero_copy(op->message, &channel->tx[EXO_LANE_MAIN], &op->message->header, op->len);
        status = status == EXO_NOT_SUPPORTED ? EXO_INVALID_SIZE : status; /* there is no arena */
    }
    if (status == EXO_FULL) {
        return EXO_FULL;
    }
    if (op->kind == EXO_OP_CALL) {
        return exo_op_ask_pvt(async, op, status);
    }
    if (!exo_op_claim_pvt(async, op)) {
        exo_op_unlend_pvt(async, op);
        return EXO_OK;
    }
    if (status == EXO_OK) {
        status = exo_op_push_pvt(async, op);
    }
    if (status != EXO_OK) {
        exo_op_unlend_pvt(async, op);
    }
    exo_op_finish_pvt(async, op, status);
    return EXO_OK;
}

/* Work off what waits for room in a lane, in order. A call that the peer does not allow yet steps aside. */
EXO_INLINE void exo_async_send_lane_pvt(struct exo_async *async, exo_u32 lane)
{
    struct exo_op *op;
    while ((op = async->list[lane].first) != EXO_NULL) {
        if (op->kind == EXO_OP_CALL && !exo_call_allowed_pvt(async->channel)) {
            exo_op_move_pvt(async, op, EXO_OPS_UNPLACED);
        } else if (exo_op_try_pvt(async, op) != EXO_OK) {
            break;
        }
    }
}

EXO_INLINE void exo_async_send_pvt(struct exo_async *async)
{
    struct exo_op *op;
    while ((op = async->list[EXO_OPS_UNPLACED].first) != EXO_NULL && exo_call_allowed_pvt(async->channel)) {
        if (exo_op_try_pvt(async, op) != EXO_OK) {
            break;
        }
    }
    exo_async_send_lane_pvt(async, EXO_LANE_ANSWER);
    exo_async_send_lane_pvt(async, EXO_LANE_URGENT);
    exo_async_send_lane_pvt(async, EXO_LANE_MAIN);
}

/* Complete the calls that have ended, in the order in which they did. */
EXO_INLINE void exo_async_tell_pvt(struct exo_async *async)
{
    struct exo_call *call = async->over;
    struct exo_call *first = (struct exo_call *)EXO_NULL;
    async->over = (struct exo_call *)EXO_NULL;
    while (call != EXO_NULL) {
        struct exo_call *next = call->next;
        call->next = first;
        first = call;
        call = next;
    }
    for (call = first; call != EXO_NULL; call = first) {
        struct exo_op *op = (struct exo_op *)(void *)call;
        first = call->next;
        if (exo_op_claim_pvt(async, op)) {
            exo_op_finish_pvt(async, op, call->status);
        } else if (call->status == EXO_OK) {
            async->channel->late++;
            call->status = exo_op_release(async, op);
        }
    }
}

/* No answer will come any more. */
EXO_COLD void exo_async_no_answer_pvt(struct exo_async *async, exo_status reason)
{
    struct exo_op *op;
    while ((op = async->list[EXO_OPS_UNANSWERED].first) != EXO_NULL) {
        if (exo_op_claim_pvt(async, op)) {
            exo_op_finish_pvt(async, op, reason);
        }
    }
}

/* Take all answers that have come, and tell of those that somebody else took. */
EXO_INLINE void exo_async_answers_pvt(struct exo_async *async)
{
    struct exo_channel *channel = async->channel;
    exo_status status = EXO_OK;
    exo_u32 before = channel->unanswered + 1;
    while (async->list[EXO_OPS_UNANSWERED].first != EXO_NULL && status == EXO_OK && before > channel->unanswered) {
        before = channel->unanswered;
        status = exo_call_drain_pvt(channel, (const struct exo_call *)EXO_NULL);
        exo_async_tell_pvt(async);
    }
    if (status != EXO_OK && status != EXO_EMPTY) {
        exo_async_no_answer_pvt(async, status);
    }
}

EXO_INLINE void exo_async_receive_pvt(struct exo_async *async)
{
    struct exo_channel *channel = async->channel;
    struct exo_op *op;
    while ((op = async->list[EXO_OPS_RECV].first) != EXO_NULL) {
        if (exo_channel_look_pvt(channel) == EXO_EMPTY) {
            return;
        }
        if (exo_op_claim_pvt(async, op)) {
            exo_status status = exo_channel_recv(channel, exo_op_message(op));
            if (EXO_UNLIKELY(status == EXO_EMPTY)) {
                status = exo_channel_refuse_pvt(channel, EXO_CORRUPT); /* it was there */
            }
            exo_op_finish_pvt(async, op, status);
        }
    }
}

/* Look through all that is pending for what was cancelled, and for deadlines before now. */
EXO_OUTLINE void exo_async_sweep_pvt(struct exo_async *async, exo_u64 now)
{
    exo_u64 soonest = EXO_FOREVER;
    exo_u32 i;
    for (i = 0; i < EXO_OPS_LISTS; i++) {
        struct exo_op *op = async->list[i].first;
        while (op != EXO_NULL) {
            struct exo_op *next = op->next;
            if (exo_op_cancelled_pvt(op)) {
                exo_op_finish_pvt(async, op, EXO_CANCELLED);
            } else if (op->deadline_ns > now || op->deadline_ns == EXO_FOREVER) {
                soonest = exo_min64(soonest, op->deadline_ns);
            } else if (exo_op_claim_pvt(async, op)) {
                exo_op_finish_pvt(async, op, EXO_TIMEOUT);
            }
            op = next;
        }
    }
    async->soonest_ns = soonest;
}

EXO_OUTLINE void exo_async_progress_pvt(struct exo_async *async)
{
    exo_u64 now = 0;
    /* [async:heard] pairs [async:said] */
    exo_u32 cancels = exo_load32(&async->cancels, EXO_ACQUIRE);
    exo_async_answers_pvt(async);
    exo_async_send_pvt(async);
    exo_async_tell_pvt(async); /* who makes a call takes answers */
    exo_async_receive_pvt(async);
    if (async->timed != 0) {
        now = exo_port_now_ns();
    }
    if (cancels != async->heard || now >= async->soonest_ns) {
        async->heard = cancels;
        exo_async_sweep_pvt(async, now);
    }
}

/**
 * exo_async_poll - make what progress is possible, without waiting.
 * @async: the channel
 *
 * Returns: how many operations have completed in this call; exo_async_next() takes them, and those that completed when
 * they were submitted. Reads the clock only if something pending has a deadline.
 * Context: the owner's thread. Ordering: acquire, for what the peer sent, and for what was written before a cancel.
 * Progress: wait-free in what is pending: one attempt for each list and each completion, and, when somebody has cancelled or
 * a deadline has passed, one look at everything pending.
 */
EXO_INLINE exo_i64 exo_async_poll(struct exo_async *async)
{
    exo_u64 before = async->completed;
    if (async->pending != 0) {
        exo_async_progress_pvt(async);
    }
    return (exo_i64)(async->completed - before);
}

/**
 * exo_async_next - take a completion.
 * @async: the channel
 *
 * Returns: an operation that is over, in the order in which they ended, each once; its `status` tells how. It is the
 * caller's again. Null if there is none.
 * Context: the owner's thread; makes no progress by itself. Progress: wait-free.
 */
EXO_HOT struct exo_op *exo_async_next(struct exo_async *async)
{
    struct exo_op *op = async->done.first;
    if (op != EXO_NULL) {
        async->done.first = op->next;
        if (op->next == EXO_NULL) {
            async->done.last = (struct exo_op *)EXO_NULL;
        }
        exo_store32(&op->state, EXO_OP_IDLE, EXO_RELAXED); /* relaxed: as when it completed */
    }
    return op;
}

#endif
