/* SPDX-License-Identifier: MIT */
/*
 * The queue of events (notify.h) and its sources: making one, adding to it, posting to it.
 *
 *   state    generation << 32 | linked << 31 | posted events. Odd generations are in use. Whoever sets `linked`
 *   bits     sets the source's bit among its 32, in the first source of these,
 *   posted   and the flag of these 32 in the queue; then wakes the queue's thread. A source that is linked already has
 *            all that done or under way: a post only adds its events.
 *
 * Who takes goes the other way, flags, bits, state: what is set again after that is seen the next time.
 */
#ifndef EXO_IPC_CHANNEL_NOTIFY_SOURCE_H
#define EXO_IPC_CHANNEL_NOTIFY_SOURCE_H

#include "wait.h"

/* How a source's events are delivered: notify.h has the rules. */
#define EXO_LEVEL 0u
#define EXO_EDGE 1u
#define EXO_ONESHOT 2u

#define EXO_NOTIFY_LINKED 0x80000000u

/**
 * struct exo_event - what happened.
 * @key: the user's, as given to exo_notify_add()
 * @source: the source's name, as exo_notify_add() gave it
 * @events: EXO_READABLE and the others of waitable.h, one or more
 */
struct exo_event {
    exo_u64 key;
    exo_u64 source;
    exo_u32 events;
};

/* One source; all but state and bits is the queue's thread's. */
struct exo_notify_source {
    exo_word64 state;
    exo_u32 bits; /* in each 32nd source: which of it and the 31 that follow are linked */
    exo_u32 next; /* number of the next in line, from 1; 0: none */
    exo_u64 key;
    exo_u64 mark; /* when it was delivered last */
    exo_u32 wanted;
    exo_u32 flags;
    exo_u32 held; /* posted, taken, and not delivered */
    exo_u32 told; /* delivered for the state that the object is in */
    exo_bool used;
    exo_bool armed; /* in use, and not a one-shot that was delivered */
    exo_bool lined_up;
    struct exo_waitable item; /* look is null where there is nothing to look at */
};

/* The queue. The first words are everybody's, the others the queue's thread's. */
struct exo_notify {
    exo_u32 posted; /* bit i: among groups i, i + 32, ... of 32 sources one is linked */
    exo_u32 event;
    exo_u32 waiters;
    exo_bool fenced;
    exo_u32 capacity;
    struct exo_notify_source *sources;
    struct exo_sleeper sleeper;
    exo_u32 used;
    exo_u32 first; /* in line, number from 1; 0: nobody */
    exo_u32 last;
    exo_u32 cursor;  /* the source to look at next */
    exo_u32 doubted; /* the source to look at whatever its probe says */
    exo_u32 inside;  /* queues that this one is a source of */
    exo_u32 holds;   /* sources that are queues */
    exo_bool looks;  /* whose turn it is: rings, or what is posted */
    exo_bool slept;  /* for what is found next */
};

EXO_INLINE void exo_notify_source_clear_pvt(struct exo_notify_source *at)
{
    exo_waitable_init(&at->item, EXO_NULL, (exo_i64(*)(void *))EXO_NULL, 0, (struct exo_sleeper *)EXO_NULL);
    at->used = EXO_FALSE;
    at->armed = EXO_FALSE;
    at->held = 0;
    at->told = 0;
    at->mark = 0;
}

/**
 * exo_notify_init - make a queue of events.
 * @q: the queue, in the caller's memory
 * @sources: its sources, in the caller's memory, which lasts as long as the queue and every thread that posts to it
 * @capacity: how many, 1 to 2^31
 *
 * The queue belongs to the thread that takes its events; it may be handed to another one.
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_notify_init(struct exo_notify *q, struct exo_notify_source *sources,
                                                   exo_size capacity)
{
    exo_size i;
    if (q == EXO_NULL || sources == EXO_NULL || capacity == 0 || capacity > 0x80000000u) {
        return EXO_INVALID_ARGUMENT;
    }
    for (i = 0; i < capacity; i++) {
        exo_store64(&sources[i].state, 0u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
        exo_store32(&sources[i].bits, 0u, EXO_RELAXED);  /* relaxed: same */
        sources[i].lined_up = EXO_FALSE;
        exo_notify_source_clear_pvt(&sources[i]);
    }
    exo_store32(&q->posted, 0u, EXO_RELAXED);  /* relaxed: same */
    exo_store32(&q->event, 0u, EXO_RELAXED);   /* relaxed: same */
    exo_store32(&q->waiters, 0u, EXO_RELAXED); /* relaxed: same */
    q->fenced = !exo_port_fence_setup();
    q->capacity = (exo_u32)capacity;
    q->sources = sources;
    q->used = 0;
    q->first = 0;
    q->last = 0;
    q->cursor = 0;
    q->doubted = 0;
    q->inside = 0;
    q->holds = 0;
    q->looks = EXO_FALSE;
    q->slept = EXO_FALSE;
    q->sleeper.waiters = &q->waiters;
    q->sleeper.event = &q->event;
    q->sleeper.spin = EXO_SPIN_DEFAULT / q->capacity; /* each turn looks at all sources */
    q->sleeper.parked = 0;
    q->sleeper.fenced = q->fenced;
    q->sleeper.counted = EXO_FALSE;
    q->sleeper.shared = EXO_FALSE;
    q->sleeper.alone = EXO_TRUE;
    q->sleeper.picky = EXO_FALSE;
    q->sleeper.slice_ns = 0;
    q->sleeper.doubt_ns = 0;
    q->sleeper.asks = EXO_FALSE;
    q->sleeper.asked = EXO_FALSE;
    q->sleeper.bell = 0;
    return EXO_OK;
}

/* The name of a source: generation and index. */
EXO_INLINE exo_u64 exo_notify_name_pvt(const struct exo_notify *q, const struct exo_notify_source *at)
{
    exo_u64 state = exo_load64(&at->state, EXO_RELAXED); /* relaxed: only we change the generation */
    return (state >> 32 << 32) | (exo_u32)(at - q->sources);
}

/* The next generation, with no event but still linked if it is. Events of the old one are dropped. */
EXO_INLINE void exo_notify_turn_over_pvt(struct exo_notify_source *at)
{
    exo_u64 seen = exo_load64(&at->state, EXO_RELAXED); /* relaxed: checked by the swap */
    /* relaxed: who posts to the old generation is told so; nothing is read */
    while (!exo_cas64(&at->state, &seen, ((seen >> 32) + 1) << 32 | (seen & EXO_NOTIFY_LINKED), EXO_RELAXED)) {
        exo_cpu_relax();
    }
}

/* What was posted; the next post sets the bit again. */
EXO_INLINE exo_u32 exo_notify_take_pvt(struct exo_notify_source *at)
{
    exo_u64 seen = exo_load64(&at->state, EXO_RELAXED); /* relaxed: [notify:marked] shows that it is linked */
    while ((seen & EXO_NOTIFY_LINKED) != 0) {
        /* [notify:take] pairs [notify:post] */
        if (exo_cas64(&at->state, &seen, seen >> 32 << 32, EXO_ACQUIRE)) {
            return (exo_u32)seen & EXO_EVENTS_ALL;
        }
        exo_cpu_relax();
    }
    return 0;
}

/* The source of this name that is in use, or null. */
EXO_INLINE struct exo_notify_source *exo_notify_find_pvt(const struct exo_notify *q, exo_u64 source)
{
    struct exo_notify_source *at;
    if ((exo_u32)source >= q->capacity) {
        return (struct exo_notify_source *)EXO_NULL;
    }
    at = &q->sources[(exo_u32)source];
    return at->used && exo_notify_name_pvt(q, at) == source ? at : (struct exo_notify_source *)EXO_NULL;
}

EXO_INLINE exo_bool exo_notify_flags_ok_pvt(exo_u32 events, exo_u32 flags)
{
    return (events & ~EXO_EVENTS_ALL) == 0 && (flags & ~(EXO_EDGE | EXO_ONESHOT)) == 0;
}

/* Whether this may be added: not twice, with a sleeper; a queue holds only queues that hold none. */
EXO_INLINE exo_status exo_notify_admit_pvt(const struct exo_notify *q, const struct exo_waitable *item)
{
    exo_u32 i;
    if (item->sleeper == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    if (item->queue != EXO_NULL && (item->queue == q || q->inside != 0 || item->queue->holds != 0)) {
        return EXO_NOT_SUPPORTED;
    }
    for (i = 0; i < q->capacity; i++) {
        const struct exo_waitable *other = &q->sources[i].item;
        if (q->sources[i].used && other->object == item->object && other->ready == item->ready) {
            return EXO_ALREADY_EXISTS;
        }
    }
    return EXO_OK;
}

/**
 * exo_notify_add - add a source.
 * @q: the queue
 * @item: what to look at; it is copied. Null: the source is only posted to. What is behind it belongs to the queue's
 *   thread, and stays attached until the source is removed
 * @key: the user's, delivered with every event
 * @events: those to deliver; final ones always are. What else is posted is dropped
 * @flags: EXO_LEVEL, or EXO_EDGE, perhaps with EXO_ONESHOT
 * @source: is set to its name, for exo_notify_post() and the others; never 0
 *
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED when all sources are in use; EXO_ALREADY_EXISTS when the queue has this
 * object already; EXO_NOT_SUPPORTED for a polled ring, or a queue that would make a third storey;
 * EXO_INVALID_ARGUMENT. Context: the queue's thread, not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_notify_add(struct exo_notify *q, const struct exo_waitable *item, exo_u64 key,
                                                  exo_u32 events, exo_u32 flags, exo_u64 *source)
{
    struct exo_notify_source *at;
    exo_status status;
    if (q == EXO_NULL || source == EXO_NULL || !exo_notify_flags_ok_pvt(events, flags)) {
        return EXO_INVALID_ARGUMENT;
    }
    status = item == EXO_NULL ? EXO_OK : exo_notify_admit_pvt(q, item);
    if (status != EXO_OK || q->used == q->capacity) {
        return status != EXO_OK ? status : EXO_QUOTA_EXCEEDED;
    }
    for (at = q->sources; at->used; at++) {
    }
    if (item != EXO_NULL) {
        at->item = *item;
        at->item.wanted = events | EXO_EVENTS_FINAL;
        exo_waitable_blind_pvt(&at->item);
        if (item->queue != EXO_NULL) {
            item->queue->inside++;
            q->holds++;
        }
    }
    at->key = key;
    at->wanted = events;
    at->flags = flags;
    at->used = EXO_TRUE;
    at->armed = EXO_TRUE;
    q->used++;
    exo_notify_turn_over_pvt(at);
    *source = exo_notify_name_pvt(q, at);
    return EXO_OK;
}

/**
 * exo_notify_remove - take a source out. Its pending events are dropped, its memory is free for another one.
 * @q: the queue
 * @source: its name. Who posts to it from now on gets EXO_NOT_FOUND; a post under way is delivered by no source
 *
 * Returns: EXO_OK; EXO_NOT_FOUND. Context: the queue's thread. Progress: lock-free.
 */
EXO_INLINE exo_status exo_notify_remove(struct exo_notify *q, exo_u64 source)
{
    struct exo_notify_source *at = exo_notify_find_pvt(q, source);
    if (at == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    if (at->item.queue != EXO_NULL) {
        at->item.queue->inside--;
        q->holds--;
    }
    exo_notify_turn_over_pvt(at);
    exo_notify_source_clear_pvt(at);
    q->used--;
    return EXO_OK;
}

/**
 * exo_notify_fini - remove all sources. Nothing else is held. Who posts afterwards gets EXO_NOT_FOUND, as long as the
 * memory lasts.
 * @q: the queue; in no other queue. Context: the queue's thread.
 */
EXO_INLINE void exo_notify_fini(struct exo_notify *q)
{
    exo_u32 i;
    for (i = 0; i < q->capacity; i++) {
        if (q->sources[i].used) {
            (void)exo_notify_remove(q, exo_notify_name_pvt(q, &q->sources[i]));
        }
    }
}

/* W2 to W5 of wake.h, by a waker that remembers nothing: each post that links a source may be another thread's. */
EXO_OUTLINE void exo_notify_wake_pvt(struct exo_notify *q)
{
    struct exo_waker waker;
    waker.waiters = &q->waiters;
    waker.seen = 0;
    waker.woken = 0;
    waker.event = &q->event;
    waker.fenced = q->fenced;
    waker.counted = EXO_FALSE;
    waker.several = EXO_FALSE;
    waker.shared = EXO_FALSE;
    waker.bell = (struct exo_port_bell *)EXO_NULL;
    waker.profiler = (struct exo_profiler *)EXO_NULL;
    if (q->fenced || !exo_waker_quiet_pvt(&waker)) {
        (void)exo_waker_wake_pvt(&waker, 1);
    }
}

/**
 * exo_notify_post - let an event happen at a source.
 * @q: the queue
 * @source: the source's name
 * @events: bits of EXO_EVENTS_ALL, one or more
 *
 * An event that is pending already stays one. It is delivered if the source's @events have it.
 *
 * Returns: EXO_OK; EXO_NOT_FOUND: the source was removed; EXO_INVALID_ARGUMENT.
 * Context: any thread, interrupts included; an interrupt of another post to the same source as well.
 * Ordering: what was written before is visible to who gets the event. Progress: lock-free.
 */
EXO_INLINE exo_status exo_notify_post(struct exo_notify *q, exo_u64 source, exo_u32 events)
{
    exo_u32 index = (exo_u32)source;
    exo_u32 group = index / 32;
    struct exo_notify_source *at;
    exo_u64 seen;
    if (q == EXO_NULL || events == 0 || (events & ~EXO_EVENTS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (index >= q->capacity || (source >> 32 & 1u) == 0) {
        return EXO_NOT_FOUND;
    }
    at = &q->sources[index];
    seen = exo_load64(&at->state, EXO_RELAXED); /* relaxed: checked by the swap */
    for (;;) {
        if (seen >> 32 != source >> 32) {
            return EXO_NOT_FOUND;
        }
        /* [notify:post] pairs [notify:take]; stored even if it changes nothing, for what was written before it */
        if (exo_cas64(&at->state, &seen, seen | EXO_NOTIFY_LINKED | events, EXO_RELEASE)) {
            break;
        }
        exo_cpu_relax();
    }
    if ((seen & EXO_NOTIFY_LINKED) == 0) {
        /* [notify:mark] pairs [notify:marked] */
        (void)exo_fetch_or32(&q->sources[group * 32].bits, 1u << index % 32, EXO_RELEASE);
        /* [notify:flag] pairs [notify:flagged] */
        (void)exo_fetch_or32(&q->posted, 1u << group % 32, EXO_RELEASE);
        exo_notify_wake_pvt(q);
    }
    return EXO_OK;
}

#endif
