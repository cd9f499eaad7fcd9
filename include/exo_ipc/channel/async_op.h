/* SPDX-License-Identifier: MIT */
/*
 * Operations of an asynchronous channel (async.h), and the lists that they stand in.
 *
 *            submit, at once              next
 *   IDLE ------------------------> DONE --------> IDLE
 *     \                             ^
 *      \ submit, not yet            | claim
 *       `------------> PENDING -----'
 *                         \  cancel                     poll          next
 *                          `------------> CANCELLED ----------> DONE ------> IDLE
 *
 * From PENDING an operation goes one way only, by a compare-and-swap of `state`: the owner claims it when it is certain that
 * what it attempts next ends it, or somebody cancels it. So exactly one of the two happens, and no attempt is ever
 * taken back. Whoever cancels touches the operation by this one access and no more; it then counts in `cancels`, so that the
 * owner looks through its lists, and wakes the owner. An owner that meets the operation sooner needs no count.
 *
 * Who writes what: `state` is written by the owner and by whoever cancels; `cancels`, `event` by whoever cancels, by atomic
 * additions; all else by the owner. One address space: nothing here is shared with the peer.
 *
 * A thread that is stopped within a cancel holds up nobody: before the swap the operation is pending, after it, cancelled.
 */
#ifndef EXO_IPC_CHANNEL_ASYNC_OP_H
#define EXO_IPC_CHANNEL_ASYNC_OP_H

#include "ready.h"
#include "wait.h"

/* States of an operation. */
#define EXO_OP_IDLE 0u /* not submitted, or its completion was taken */
#define EXO_OP_PENDING 1u
#define EXO_OP_CANCELLED 2u /* and not yet completed */
#define EXO_OP_DONE 3u

/* Kinds. */
#define EXO_OP_SEND 0u
#define EXO_OP_REPLY 1u
#define EXO_OP_CALL 2u
#define EXO_OP_RECV 3u

/* Lists of what is pending: the first three wait for room in the lane of this number. */
#define EXO_OPS_UNPLACED EXO_LANES_CHANNEL /* calls, as many as the peer allows being unanswered */
#define EXO_OPS_RECV (EXO_LANES_CHANNEL + 1)
#define EXO_OPS_UNANSWERED (EXO_LANES_CHANNEL + 2)
#define EXO_OPS_LISTS (EXO_LANES_CHANNEL + 3)

/**
 * struct exo_op - one operation, in the caller's memory. From its submission until exo_async_next() returns it, it stays
 * where it is and belongs to the library, but for
 * @key: the user's, never touched
 * @status: once completed: how it ended
 * Received messages and answers are at exo_op_message().
 */
struct exo_op {
    struct exo_call call; /* first: an ended call is an operation */
    exo_u64 key;
    exo_status status;
    exo_u32 state;
    exo_u32 kind;
    exo_u32 lane; /* that it sends through */
    exo_u32 list;
    struct exo_op *next;
    struct exo_op *before;
    struct exo_message *message; /* what is to be sent: the caller's, or made in call.answer */
    const void *data;            /* payload that goes to the arena when there is room; null once it is in the message */
    exo_size len;
    exo_u64 deadline_ns;
    struct exo_message_header request; /* that a reply answers */
};

struct exo_notify;

struct exo_op_list {
    struct exo_op *first;
    struct exo_op *last;
};

/**
 * struct exo_async - an asynchronous channel, in the caller's memory. Its members are the library's, but
 * @pending: operations that are in flight: submitted and not completed
 */
struct exo_async {
    struct exo_channel *channel;
    struct exo_op_list list[EXO_OPS_LISTS];
    struct exo_op_list done;
    struct exo_call *over; /* of our calls, those that ended and were not looked at; the last one first */
    exo_u64 pending;
    exo_u64 timed;      /* of them with a deadline */
    exo_u64 soonest_ns; /* no deadline is sooner; EXO_FOREVER if timed is 0 */
    exo_u64 completed;  /* so far */
    exo_u32 heard;      /* cancels, when all lists were last looked through */
    exo_bool closed;
    exo_bool polled; /* nobody sleeps */
    exo_status (*post)(struct exo_notify *queue, exo_u64 source, exo_u32 events); /* or null */
    struct exo_notify *queue;
    exo_u64 source;
    struct exo_waitable incoming;
    struct exo_waitable outgoing;
    struct exo_sleeper sleeper;
    exo_u32 waiters;
    exo_u32 cancels; /* everybody's, with the next */
    exo_u32 event;
};

/**
 * exo_op_init - make an operation, to be submitted any number of times, one after another.
 * @op: the operation
 * @key: the user's
 *
 * Context: any.
 */
EXO_INLINE void exo_op_init(struct exo_op *op, exo_u64 key)
{
    op->key = key;
    op->status = EXO_OK;
    op->next = (struct exo_op *)EXO_NULL;
    op->before = (struct exo_op *)EXO_NULL;
    exo_store32(&op->state, EXO_OP_IDLE, EXO_RELAXED); /* relaxed: nobody else knows of it */
}

/**
 * exo_op_message - what a completed receive or call has brought.
 * @op: with status EXO_OK
 *
 * Returns: the message, to be given back with exo_op_release(). Context: any.
 */
EXO_INLINE struct exo_message *exo_op_message(struct exo_op *op)
{
    return &op->call.answer;
}

/**
 * exo_op_release - give back what a receive or call has brought. As exo_channel_release().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_op_release(struct exo_async *async, struct exo_op *op)
{
    return exo_channel_release(async->channel, exo_op_message(op));
}

EXO_INLINE void exo_op_append_pvt(struct exo_op_list *list, struct exo_op *op)
{
    op->next = (struct exo_op *)EXO_NULL;
    op->before = list->last;
    if (list->last == EXO_NULL) {
        list->first = op;
    } else {
        list->last->next = op;
    }
    list->last = op;
}

EXO_INLINE void exo_op_unlink_pvt(struct exo_op_list *list, struct exo_op *op)
{
    if (op->before == EXO_NULL) {
        list->first = op->next;
    } else {
        op->before->next = op->next;
    }
    if (op->next == EXO_NULL) {
        list->last = op->before;
    } else {
        op->next->before = op->before;
    }
}

/* It is over, and stands in no list. */
EXO_HOT void exo_op_complete_pvt(struct exo_async *async, struct exo_op *op, exo_status status)
{
    op->status = status;
    exo_store32(&op->state, EXO_OP_DONE, EXO_RELAXED); /* relaxed: only tells who cancels that it is too late */
    exo_op_append_pvt(&async->done, op);
    async->completed++;
    if (EXO_UNLIKELY(async->post != EXO_NULL)) {
        (void)async->post(async->queue, async->source, EXO_COMPLETION);
    }
}

/* It cannot be done at once: put it in a list. With EXO_NOW that is its end. */
EXO_INLINE void exo_op_hold_pvt(struct exo_async *async, struct exo_op *op, exo_u32 list)
{
    if (op->deadline_ns == EXO_NOW) {
        exo_op_complete_pvt(async, op, EXO_WOULD_BLOCK);
        return;
    }
    exo_store32(&op->state, EXO_OP_PENDING, EXO_RELAXED); /* relaxed: who cancels reads nothing else of it */
    op->list = list;
    exo_op_append_pvt(&async->list[list], op);
    async->pending++;
    if (op->deadline_ns != EXO_FOREVER) {
        async->timed++;
        async->soonest_ns = exo_min64(async->soonest_ns, op->deadline_ns);
    }
}

/* From one list to another. */
EXO_INLINE void exo_op_move_pvt(struct exo_async *async, struct exo_op *op, exo_u32 list)
{
    exo_op_unlink_pvt(&async->list[op->list], op);
    op->list = list;
    exo_op_append_pvt(&async->list[list], op);
}

/* What was pending is over. A call that waits for its answer waits no longer. */
EXO_INLINE void exo_op_finish_pvt(struct exo_async *async, struct exo_op *op, exo_status status)
{
    exo_op_unlink_pvt(&async->list[op->list], op);
    if (op->list == EXO_OPS_UNANSWERED && op->call.id != 0) {
        op->call.over = (struct exo_call **)EXO_NULL;
        exo_call_end_pvt(async->channel, &op->call, EXO_CANCELLED);
    }
    async->pending--;
    if (op->deadline_ns != EXO_FOREVER && --async->timed == 0) {
        async->soonest_ns = EXO_FOREVER;
    }
    exo_op_complete_pvt(async, op, status);
}

/* Whether it was cancelled. */
EXO_INLINE exo_bool exo_op_cancelled_pvt(const struct exo_op *op)
{
    /* [async:cancelled] pairs [async:cancel] */
    return exo_load32(&op->state, EXO_ACQUIRE) == EXO_OP_CANCELLED;
}

/* Whether what comes next ends it; if not, it was cancelled, and completes so here. */
EXO_INLINE exo_bool exo_op_claim_pvt(struct exo_async *async, struct exo_op *op)
{
    exo_u32 expected = EXO_OP_PENDING;
    /* relaxed: one of two wins, and nothing is handed over by it */
    if (exo_cas32(&op->state, &expected, EXO_OP_DONE, EXO_RELAXED)) {
        return EXO_TRUE;
    }
    (void)exo_op_cancelled_pvt(op); /* it was: sees what was written before */
    exo_op_finish_pvt(async, op, EXO_CANCELLED);
    return EXO_FALSE;
}

#endif
