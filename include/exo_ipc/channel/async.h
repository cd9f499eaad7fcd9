/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels: submit an operation, get its completion later; many in flight, each can be cancelled, by any
 * thread, and has a deadline of its own. No thread of the library's, no allocation: an operation is a struct in the caller's
 * memory, and progress is made in the owner's calls.
 *
 *   submit (async_submit.h)     send, message, recv, call, reply: done at once where possible
 *   progress (async_poll.h)     exo_async_poll, exo_async_wait; exo_wait_many() with exo_waitable_async()
 *   completions                 exo_async_next: each operation once, in the order in which they ended
 *   cancel, deadline            an operation that was cancelled or timed out has sent, or received, nothing; of a call the
 *                               answer is dropped
 *
 * Order. What is sent by one lane goes in the order of submission; so do receives, and answers. Lanes do not wait for each
 * other: something urgent passes, and an answer waits for neither. Calls end in any order. What waits for a block of the
 * arena holds up its lane.
 *
 * The owner is the thread that the channel belongs to. It may use the channel's own calls in between; those pass what is
 * pending. Only exo_async_cancel() is for every thread.
 *
 * Progress: all calls but exo_async_wait() are wait-free. Nothing is shared with the peer but the channel: what a crash
 * leaves behind there, and what a hostile peer can do, is as said there. When the peer dies, whatever cannot be done any
 * more completes with EXO_PEER_DIED, within 100 ms in a wait; messages that it had sent are received before.
 *
 * Learned from: io_uring (submission apart from completion, an operation's memory is its owner's), POSIX aio_cancel.
 */
#ifndef EXO_IPC_CHANNEL_ASYNC_H
#define EXO_IPC_CHANNEL_ASYNC_H

#include "async_submit.h"

/**
 * exo_async_init - make an asynchronous channel of a channel.
 * @async: in the caller's memory; do not move it while it is in use
 * @channel: an open end, that has no other asynchronous channel; it stays open until exo_async_close()
 *
 * Context: the channel's thread, the owner from now on.
 */
EXO_INLINE void exo_async_init(struct exo_async *async, struct exo_channel *channel)
{
    exo_u32 i;
    async->channel = channel;
    for (i = 0; i < EXO_OPS_LISTS; i++) {
        async->list[i].first = (struct exo_op *)EXO_NULL;
        async->list[i].last = (struct exo_op *)EXO_NULL;
    }
    async->done.first = (struct exo_op *)EXO_NULL;
    async->done.last = (struct exo_op *)EXO_NULL;
    async->over = (struct exo_call *)EXO_NULL;
    async->pending = 0;
    async->timed = 0;
    async->soonest_ns = EXO_FOREVER;
    async->completed = 0;
    async->heard = 0;
    async->closed = EXO_FALSE;
    async->polled = (channel->rx[EXO_LANE_MAIN].mode & EXO_MODE_POLLED) != 0;
    async->post = (exo_status(*)(struct exo_notify *, exo_u64, exo_u32))EXO_NULL;
    async->queue = (struct exo_notify *)EXO_NULL;
    async->source = 0;
    exo_waitable_channel_any(&async->incoming, channel);
    exo_waitable_channel_room(&async->outgoing, channel);
    exo_store32(&async->waiters, 0, EXO_RELAXED); /* relaxed: nobody else knows of it */
    exo_store32(&async->cancels, 0, EXO_RELAXED); /* relaxed: same */
    exo_store32(&async->event, 0, EXO_RELAXED);   /* relaxed: same */
    async->sleeper = channel->rx[EXO_LANE_MAIN].sleeper;
    async->sleeper.waiters = &async->waiters;
    async->sleeper.event = &async->event;
    async->sleeper.parked = 0;
    async->sleeper.fenced = EXO_TRUE; /* a cancel is rare: it may fence */
    async->sleeper.counted = EXO_FALSE;
    async->sleeper.shared = EXO_FALSE;
    async->sleeper.alone = EXO_TRUE;
    async->sleeper.slice_ns = 0;
    async->sleeper.doubt_ns = 0;
    async->sleeper.asks = EXO_FALSE;
    async->sleeper.asked = EXO_FALSE;
}

/* W2 to W5 of wake.h, by a waker that remembers nothing. */
EXO_INLINE void exo_async_wake_pvt(struct exo_async *async)
{
    struct exo_waker waker;
    waker.waiters = &async->waiters;
    waker.seen = 0;
    waker.woken = 0;
    waker.event = &async->event;
    waker.fenced = EXO_TRUE;
    waker.counted = EXO_FALSE;
    waker.several = EXO_FALSE;
    waker.shared = EXO_FALSE;
    waker.bell = (struct exo_port_bell *)EXO_NULL;
    waker.profiler = (struct exo_profiler *)EXO_NULL;
    (void)exo_waker_wake_pvt(&waker, 1);
}

/**
 * exo_async_cancel - cancel an operation.
 * @async: the channel it was submitted to
 * @op: the operation; it must not be reused for another one, nor its memory, while a cancel meant for it may run
 *
 * Of cancel and completion exactly one happens. A cancelled operation completes with EXO_CANCELLED in the owner's next
 * progress.
 *
 * Returns: EXO_OK: it is cancelled; EXO_NOT_FOUND: it is over, or was cancelled before, or was not submitted.
 * Context: any thread, interrupts included. Ordering: what was written before is visible to who takes the completion.
 * Progress: wait-free; wakes the owner if it sleeps.
 */
EXO_INLINE exo_status exo_async_cancel(struct exo_async *async, struct exo_op *op)
{
    exo_u32 expected = EXO_OP_PENDING;
    /* [async:cancel] pairs [async:cancelled] */
    if (!exo_cas32(&op->state, &expected, EXO_OP_CANCELLED, EXO_RELEASE)) {
        return EXO_NOT_FOUND;
    }
    /* [async:said] pairs [async:heard] */
    (void)exo_fetch_add32(&async->cancels, 1u, EXO_RELEASE);
    if (!async->polled) {
        exo_async_wake_pvt(async);
    }
    return EXO_OK;
}

/**
 * exo_async_close - end all that is in flight. The channel itself stays open.
 * @async: harmless if it is closed already; its memory is needed until no cancel can run any more
 *
 * What can still be done is done; what ended for another reason (EXO_PEER_DIED, EXO_TIMEOUT) completes with that, all else
 * with EXO_CANCELLED. exo_async_next() takes the completions. Nothing can be submitted any more.
 * Context: the owner's thread. Progress: wait-free in what is pending.
 */
EXO_INLINE void exo_async_close(struct exo_async *async)
{
    exo_u32 i;
    (void)exo_async_poll(async);
    for (i = 0; i < EXO_OPS_LISTS; i++) {
        struct exo_op *op;
        while ((op = async->list[i].first) != EXO_NULL) {
            if (exo_op_claim_pvt(async, op)) {
                exo_op_finish_pvt(async, op, EXO_CANCELLED);
            }
        }
    }
    async->closed = EXO_TRUE;
}

/**
 * exo_async_attach - have every completion posted to a queue of events, which another thread may serve.
 * @async: the channel
 * @post: exo_notify_post of notify.h; null: no more
 * @queue, @source: its arguments: a source that wants EXO_COMPLETION. Both outlast the channel, or are detached before
 *
 * Completions that were not taken when it is attached are not posted. Equal events coalesce: who gets one has the owner
 * take all. An owner that serves the queue itself rather adds exo_waitable_async() to it, which makes progress as well.
 * Context: the owner's thread.
 */
EXO_INLINE void exo_async_attach(struct exo_async *async,
                                 exo_status (*post)(struct exo_notify *queue, exo_u64 source, exo_u32 events),
                                 struct exo_notify *queue, exo_u64 source)
{
    async->post = post;
    async->queue = queue;
    async->source = source;
}

EXO_INLINE exo_i64 exo_async_look_pvt(void *object)
{
    struct exo_async *async = (struct exo_async *)object;
    (void)exo_async_poll(async);
    return async->done.first != EXO_NULL ? EXO_OK : async->closed ? EXO_CLOSED : EXO_EMPTY;
}

/* A sleep is one for the channel as well, as far as something waits for it, and until the next deadline. */
EXO_INLINE void exo_async_spread_pvt(void *object, struct exo_wait_chain *chain)
{
    struct exo_async *async = (struct exo_async *)object;
    exo_bool unplaced = async->list[EXO_OPS_UNPLACED].first != EXO_NULL;
    if (unplaced || async->list[EXO_OPS_RECV].first != EXO_NULL || async->list[EXO_OPS_UNANSWERED].first != EXO_NULL) {
        exo_sleeper_adapt_pvt(async->incoming.sleeper, EXO_TRUE);
        exo_wait_chain_add(chain, &async->incoming, async->incoming.peer);
    }
    if (unplaced || async->list[EXO_LANE_MAIN].first != EXO_NULL || async->list[EXO_LANE_URGENT].first != EXO_NULL ||
        async->list[EXO_LANE_ANSWER].first != EXO_NULL) {
        exo_sleeper_adapt_pvt(async->outgoing.sleeper, EXO_TRUE);
        exo_wait_chain_add(chain, &async->outgoing, async->outgoing.peer);
    }
    if (async->timed != 0) {
        exo_u64 now = exo_port_now_ns();
        exo_u64 left = async->soonest_ns > now ? async->soonest_ns - now : 1;
        chain->most = chain->most == 0 ? left : exo_min64(chain->most, left);
    }
}

/**
 * exo_waitable_async - wait for completions among other things: EXO_COMPLETION. Every look makes progress.
 * @item: the item, in the caller's memory
 * @async: the channel; the waiting thread is the owner. Of a polled channel it can only be looked at (EXO_NOW). The
 *   channel itself is in no item of the same call: both would sleep in one place
 */
EXO_INLINE void exo_waitable_async(struct exo_waitable *item, struct exo_async *async)
{
    exo_waitable_init(item, async, exo_async_look_pvt, EXO_COMPLETION,
                      async->polled ? (struct exo_sleeper *)EXO_NULL : &async->sleeper);
    item->spread = exo_async_spread_pvt;
}

/* Completions came without sleeping. */
EXO_INLINE void exo_async_awake_pvt(struct exo_waitable *item)
{
    if (item->sleeper != EXO_NULL && item->sleeper->parked != 0) {
        exo_sleeper_adapt_pvt(item->sleeper, EXO_FALSE);
    }
}

/**
 * exo_async_wait - wait until there is a completion.
 * @async: the channel
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: EXO_OK: exo_async_next() returns one; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_EMPTY if nothing is in
 * flight; EXO_NOT_SUPPORTED when it would have to sleep on a polled channel.
 * Context: the owner's thread; not from an interrupt, may sleep. Ordering: as exo_async_poll(). Progress: blocking.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_wait(struct exo_async *async, exo_u64 deadline_ns)
{
    struct exo_waitable item;
    exo_i64 result;
    (void)exo_async_poll(async);
    if (async->done.first != EXO_NULL) {
        exo_async_awake_pvt(&async->incoming);
        exo_async_awake_pvt(&async->outgoing);
        return EXO_OK;
    }
    if (async->pending == 0) {
        return EXO_EMPTY;
    }
    exo_waitable_async(&item, async);
    result = exo_wait_many(&item, 1, deadline_ns);
    return result < 0 ? (exo_status)result : EXO_OK;
}

#endif
