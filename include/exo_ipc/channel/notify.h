/* SPDX-License-Identifier: MIT */
/*
 * A queue of events: what happens at any number of sources, each with a key of the user's, waited for by one call.
 *
 *   any thread, interrupts      exo_notify_post()  ---> source: state, then bits, then posted ---> wake
 *   the queue's thread          exo_notify_next(), exo_notify_wait() <--- what was posted, in turn with
 *                                                                   <--- what a look at a ring finds
 *
 * A source is something waitable (wait.h), or only a place to post to, or both. What is posted is kept as a set of bits:
 * equal events coalesce until they are delivered, different ones are delivered together. What a waitable has is not
 * kept at all, but found by looking, so the sender of a ring pays nothing for the queue.
 *
 * When an event is delivered
 *   EXO_LEVEL   as long as it is so: once in each round over the sources, until the user has taken what there is.
 *   EXO_EDGE    when the state, as the queue sees it, goes from not ready to ready; and again when something has come
 *               since the last delivery (the mark of struct exo_waitable), whether or not the user took what
 *               was there. The mark is read before the event is delivered: what comes later has a new event, what
 *               came sooner is there for a user who takes all until EXO_EMPTY. So no edge is lost. A
 *               waitable without a mark (a queue, a sender to several consumers) is treated as EXO_LEVEL.
 *   EXO_ONESHOT nothing after one delivery until exo_notify_arm(); what is posted meanwhile is kept.
 *   posted      once for each set of posts; a post that finds its event delivered makes a new one.
 *   final       (closed, gone, refused) once, in either mode, until a look finds the object in another state.
 *
 * Who writes what: `state` of a source, `bits`, `posted` and `event` are written by everybody, by atomic read-modify-writes;
 * all else by the queue's thread, which also reads `waiters` and nobody else's memory. One address space: nothing
 * here is shared with another process, and a thread that is killed within a post may leave that post undelivered.
 *
 * Bounded: there are as many sources as the caller gave memory for, and each holds one set of bits; nothing is ever
 * full, and a post never fails for want of room. Fair: what is posted is delivered in the order in which it
 * became pending, rings in turn, the two kinds alternately.
 *
 * Progress: a post is lock-free (one word, retried only when others post to the same source or it is being taken), all
 * else of it wait-free. Taking is lock-free and bounded by the number of sources.
 *
 * Learned from: epoll (level, edge, one-shot) and the pending bits of interrupt controllers.
 */
#ifndef EXO_IPC_CHANNEL_NOTIFY_H
#define EXO_IPC_CHANNEL_NOTIFY_H

#include "notify_source.h"

/* Puts a source with events to deliver in the line of those, if it is not there. */
EXO_INLINE void exo_notify_line_up_pvt(struct exo_notify *q, struct exo_notify_source *at)
{
    exo_u32 number = (exo_u32)(at - q->sources) + 1;
    at->held &= at->wanted | EXO_EVENTS_FINAL;
    if (at->held == 0 || !at->armed || at->lined_up) {
        return;
    }
    at->lined_up = EXO_TRUE;
    at->next = 0;
    if (q->first == 0) {
        q->first = number;
    } else {
        q->sources[q->last - 1].next = number;
    }
    q->last = number;
}

/* Takes what was posted to 32 sources. */
EXO_INLINE void exo_notify_collect_group_pvt(struct exo_notify *q, exo_u32 group)
{
    exo_u32 *word = &q->sources[group * 32].bits;
    exo_u32 bits = exo_load32(word, EXO_RELAXED); /* relaxed: [notify:flagged] shows those of the flag */
    if (bits == 0) {
        return;
    }
    /* [notify:marked] pairs [notify:mark] */
    bits = exo_fetch_and32(word, 0u, EXO_ACQUIRE);
    for (; bits != 0; bits &= bits - 1) {
        struct exo_notify_source *at = &q->sources[group * 32 + (exo_u32)__builtin_ctz(bits)];
        at->held |= exo_notify_take_pvt(at);
        exo_notify_line_up_pvt(q, at);
    }
}

/* Takes all that was posted. A flag stands for each 32nd group: for one, up to 1024 sources. */
EXO_INLINE void exo_notify_collect_pvt(struct exo_notify *q)
{
    exo_u32 groups = (q->capacity + 31) / 32;
    exo_u32 flags = exo_load32(&q->posted, EXO_RELAXED); /* relaxed: the swap decides */
    exo_u32 group;
    if (flags == 0) {
        return;
    }
    /* [notify:flagged] pairs [notify:flag] */
    flags = exo_fetch_and32(&q->posted, 0u, EXO_ACQUIRE);
    for (; flags != 0; flags &= flags - 1) {
        for (group = (exo_u32)__builtin_ctz(flags); group < groups; group += 32) {
            exo_notify_collect_group_pvt(q, group);
        }
    }
}

/* The first in line that has something to deliver (still), or null. */
EXO_INLINE struct exo_notify_source *exo_notify_front_pvt(struct exo_notify *q)
{
    while (q->first != 0) {
        struct exo_notify_source *at = &q->sources[q->first - 1];
        if (at->held != 0 && at->armed) {
            return at;
        }
        q->first = at->next;
        at->lined_up = EXO_FALSE;
    }
    return (struct exo_notify_source *)EXO_NULL;
}

/* What a look finds that is to be delivered, and the mark to remember with it. */
EXO_INLINE exo_u32 exo_notify_news_pvt(struct exo_notify_source *at, exo_u64 *mark)
{
    const struct exo_waitable *item = &at->item;
    exo_u32 events;
    *mark = at->mark;
    if (!at->armed || item->look == EXO_NULL) {
        return 0;
    }
    events = exo_waitable_look_pvt(&at->item);
    if (events == 0 || (events & at->told) == 0) {
        at->told = 0;
    } else if ((events & EXO_EVENTS_FINAL) != 0) {
        return 0;
    }
    if (events == 0 || item->mark == EXO_NULL || (at->flags & EXO_EDGE) == 0) {
        return events;
    }
    *mark = item->mark(item->object, at->mark);
    return at->told == 0 || *mark != at->mark ? events : 0;
}

EXO_INLINE void exo_notify_deliver_pvt(struct exo_notify *q, struct exo_notify_source *at, exo_u32 events,
                                       struct exo_event *event)
{
    event->key = at->key;
    event->source = exo_notify_name_pvt(q, at);
    event->events = events;
    at->armed = (at->flags & EXO_ONESHOT) == 0;
}

EXO_INLINE exo_bool exo_notify_next_posted_pvt(struct exo_notify *q, struct exo_event *event)
{
    struct exo_notify_source *at;
    exo_u32 events;
    exo_notify_collect_pvt(q);
    at = exo_notify_front_pvt(q);
    if (at == EXO_NULL) {
        return EXO_FALSE;
    }
    events = at->held;
    at->held = 0;
    q->first = at->next;
    at->lined_up = EXO_FALSE;
    exo_notify_deliver_pvt(q, at, events, event);
    return EXO_TRUE;
}

/* Looks at up to *left sources, or at those of them where something has changed. */
EXO_INLINE exo_bool exo_notify_next_looked_pvt(struct exo_notify *q, struct exo_event *event, exo_bool all,
                                               exo_u32 *left)
{
    while (*left != 0) {
        struct exo_notify_source *at = &q->sources[q->cursor];
        exo_u64 mark = 0;
        exo_u32 events = 0;
        --*left;
        q->cursor = q->cursor + 1 == q->capacity ? 0 : q->cursor + 1;
        if (all || EXO_UNLIKELY(!exo_waitable_quiet_pvt(&at->item))) {
            events = exo_notify_news_pvt(at, &mark);
        }
        if (events != 0) {
            at->told = events;
            at->mark = mark;
            if (!q->slept && at->item.sleeper->parked != 0) {
                exo_sleeper_adapt_pvt(at->item.sleeper, EXO_FALSE);
            }
            exo_notify_deliver_pvt(q, at, events, event);
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

/* One round over the sources, with what is posted meanwhile. */
EXO_INLINE exo_i64 exo_notify_round_pvt(struct exo_notify *q, struct exo_event *events, exo_size max, exo_bool all)
{
    exo_u32 left = q->capacity;
    exo_size count = 0;
    while (count < max) {
        q->looks = !q->looks;
        if (q->looks ? !exo_notify_next_looked_pvt(q, &events[count], all, &left) &&
                           !exo_notify_next_posted_pvt(q, &events[count])
                     : !exo_notify_next_posted_pvt(q, &events[count]) &&
                           !exo_notify_next_looked_pvt(q, &events[count], all, &left)) {
            break;
        }
        count++;
    }
    return (exo_i64)count;
}

/* A quick round, in which one source is looked at whatever its probe says; if there is nothing, a whole one. */
EXO_OUTLINE exo_i64 exo_notify_get_pvt(struct exo_notify *q, struct exo_event *events, exo_size max)
{
    exo_i64 count;
    exo_waitable_blind_pvt(&q->sources[q->doubted].item);
    q->doubted = q->doubted + 1 == q->capacity ? 0 : q->doubted + 1;
    count = exo_notify_round_pvt(q, events, max, EXO_FALSE);
    return count != 0 ? count : exo_notify_round_pvt(q, events, max, EXO_TRUE);
}

/* Whether there is something to deliver. */
EXO_INLINE exo_i64 exo_notify_look_pvt(void *object)
{
    struct exo_notify *q = (struct exo_notify *)object;
    exo_u64 mark;
    exo_u32 i;
    exo_notify_collect_pvt(q);
    if (exo_notify_front_pvt(q) != EXO_NULL) {
        return EXO_OK;
    }
    for (i = 0; i < q->capacity; i++) {
        if (exo_notify_news_pvt(&q->sources[i], &mark) != 0) {
            return EXO_OK;
        }
    }
    return EXO_EMPTY;
}

/* A sleep for the queue is one for all its sources. Of a death that was told nobody need wake us. */
EXO_INLINE void exo_notify_spread_pvt(void *object, struct exo_wait_chain *chain)
{
    struct exo_notify *q = (struct exo_notify *)object;
    exo_u32 i;
    for (i = 0; i < q->capacity; i++) {
        struct exo_notify_source *at = &q->sources[i];
        if (at->armed && at->item.look != EXO_NULL) {
            exo_wait_chain_add(chain, &at->item,
                               (at->told & EXO_EVENTS_FINAL) != 0 ? (struct exo_port_peer *)EXO_NULL : at->item.peer);
        }
    }
}

/**
 * exo_waitable_notify - wait for a queue of events: EXO_READABLE when there is something to deliver.
 * @item: the item, in the caller's memory
 * @q: a queue of the thread that waits
 *
 * Queues nest by this: exo_notify_add() takes it for another queue.
 */
EXO_INLINE void exo_waitable_notify(struct exo_waitable *item, struct exo_notify *q)
{
    exo_waitable_init(item, q, exo_notify_look_pvt, EXO_READABLE, &q->sleeper);
    item->spread = exo_notify_spread_pvt;
    item->queue = q;
}

/**
 * exo_notify_arm - change what a source delivers, and deliver again after EXO_ONESHOT.
 * @q: the queue
 * @source: its name
 * @events, @flags: as exo_notify_add()
 *
 * What is the case now is news again, in either mode; what was posted and not delivered, if it is wanted, too.
 * Returns: EXO_OK; EXO_NOT_FOUND; EXO_INVALID_ARGUMENT. Context: the queue's thread.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_notify_arm(struct exo_notify *q, exo_u64 source, exo_u32 events,
                                                  exo_u32 flags)
{
    struct exo_notify_source *at = exo_notify_find_pvt(q, source);
    if (at == EXO_NULL || !exo_notify_flags_ok_pvt(events, flags)) {
        return at == EXO_NULL ? EXO_NOT_FOUND : EXO_INVALID_ARGUMENT;
    }
    at->wanted = events;
    at->flags = flags;
    at->item.wanted = events | EXO_EVENTS_FINAL;
    at->told = 0;
    at->armed = EXO_TRUE;
    exo_waitable_blind_pvt(&at->item);
    exo_notify_line_up_pvt(q, at);
    return EXO_OK;
}

/**
 * exo_notify_next - the next event, without waiting.
 * @q: the queue
 * @event: is filled in
 *
 * Returns: EXO_OK; EXO_EMPTY: there is none; EXO_INVALID_ARGUMENT for null.
 * Context: the queue's thread; from an interrupt only if that is the queue's thread.
 * Ordering: what was written before a post is visible once its event is delivered; the same for each of several
 * posts that coalesced.
 * Progress: lock-free, bounded by the number of sources.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_notify_next(struct exo_notify *q, struct exo_event *event)
{
    if (q == EXO_NULL || event == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    return exo_notify_get_pvt(q, event, 1) != 0 ? EXO_OK : EXO_EMPTY;
}

/**
 * exo_notify_wait - wait for events.
 * @q: the queue
 * @events: room for them
 * @max: how many at most, 1 or more
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * A ring comes at most once in each call, something posted perhaps again if it was posted again meanwhile.
 *
 * Returns: how many events, 1 to @max; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_INVALID_ARGUMENT for null or 0.
 * Context: the queue's thread, not from an interrupt, may sleep. Ordering: as exo_notify_next(). Progress: blocking.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_notify_wait(struct exo_notify *q, struct exo_event *events, exo_size max,
                                                exo_u64 deadline_ns)
{
    struct exo_waitable self;
    exo_i64 result = 0;
    exo_i64 count;
    if (q == EXO_NULL || events == EXO_NULL || max == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_waitable_notify(&self, q);
    for (;;) {
        count = exo_notify_get_pvt(q, events, max);
        q->slept = EXO_FALSE;
        if (count != 0 || result < 0) {
            return count != 0 ? count : result;
        }
        result = exo_wait_many(&self, 1, deadline_ns);
        q->slept = EXO_TRUE;
    }
}

#endif
