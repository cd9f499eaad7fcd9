/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many things by one call: receivers with something to receive, senders with room, and whatever else
 * (channels, broadcasts, queues of events) makes itself a struct exo_waitable.
 *
 *   struct exo_waitable items[2];
 *   exo_waitable_receiver(&items[0], &rx);
 *   exo_waitable_sender(&items[1], &tx);
 *   count = exo_wait_many(items, 2, EXO_FOREVER);
 *   ... items[i].events says what happened to each
 *
 * All of it is private memory of the thread that waits; nothing here is shared. The sleeping is that of fusion_ring/wake.h, step
 * by step: announce to each (S1, S2), one fence for all (S3), look at each again (S4), sleep on all event words at
 * once (S5, exo_port_wait_many()). For each of them alone the steps come in the order that the proof there needs, so
 * no wake-up is lost; the one fence is as strong as the strongest that one of them needs.
 *
 * What it costs. While something is ready a call is one pass over the items, each one load of a word, its probe
 * (waitable.h). What does not show there, that a peer has closed or died, is found by looking at one more item in each
 * eighth call, in turn: within 8n calls while others are busy, at once when nothing is ready, and always before sleeping.
 *
 * Fairness: every item that is ready is reported, so a busy one keeps no other waiting.
 * A hostile peer costs useless wakes and looks; it cannot hide another item's events. A waiter that dies leaves
 * announcements, which cost its peers one useless wake each.
 */
#ifndef EXO_IPC_CHANNEL_WAIT_H
#define EXO_IPC_CHANNEL_WAIT_H

#include "waitable.h"

/* Those that one sleep is for. */
struct exo_wait_chain {
    struct exo_wait_word *first;
    struct exo_wait_word *last;
    exo_u64 most; /* the longest sleep, in nanoseconds; 0: any */
    exo_bool heavy;
    exo_bool shared;
};

EXO_INLINE exo_i64 exo_many_look_pvt(struct exo_waitable *items, exo_size n)
{
    exo_i64 count = 0;
    exo_size i;
    for (i = 0; i < n; i++) {
        count += exo_waitable_look_pvt(&items[i]) != 0;
    }
    return count;
}

/* Looks where something has changed; if that is so anywhere, in each eighth call at one more. */
EXO_INLINE exo_i64 exo_many_scan_pvt(struct exo_waitable *items, exo_size n)
{
    exo_i64 count = 0;
    exo_size i;
    for (i = 0; i < n; i++) {
        items[i].events = 0;
        if (EXO_UNLIKELY(!exo_waitable_quiet_pvt(&items[i]))) {
            count += exo_waitable_found_pvt(&items[i]);
        }
    }
    if (count != 0 && (++items->cursor & 7u) == 0) {
        i = (items->cursor >> 3) % n;
        count += items[i].events == 0 && exo_waitable_look_pvt(&items[i]) != 0;
    }
    return count;
}

/**
 * exo_wait_chain_add - have a sleep last no longer than until this item changes. For @spread of struct exo_waitable.
 * @chain: what is slept for
 * @item: an item with a sleeper, in no other chain
 * @peer: whose death ends the sleep; null where none does, or where it is known already
 */
EXO_INLINE void exo_wait_chain_add(struct exo_wait_chain *chain, struct exo_waitable *item,
                                   struct exo_port_peer *peer)
{
    struct exo_wait_word *word = &item->word;
    word->next = (struct exo_wait_word *)EXO_NULL;
    word->peer = peer;
    if (chain->first == EXO_NULL) {
        chain->first = word;
    } else {
        chain->last->next = word;
    }
    chain->last = word;
}

/* S1 and S2 for one item. Wakers that count sleepers shall wake all from now on: nobody knows what this one takes. */
EXO_INLINE void exo_wait_chain_say_pvt(struct exo_wait_chain *chain, struct exo_waitable *item, exo_u32 naps)
{
    struct exo_sleeper *sleeper = item->sleeper;
    exo_u64 most;
    if (naps == 0) {
        exo_sleeper_adapt_pvt(sleeper, EXO_TRUE);
    }
    sleeper->picky = EXO_TRUE;
    item->word.word = sleeper->event;
    item->word.shared = sleeper->shared;
    item->word.expected = exo_sleeper_say_pvt(sleeper);
    if (exo_sleeper_heavy_pvt(sleeper)) {
        chain->heavy = EXO_TRUE;
        chain->shared = chain->shared || sleeper->shared;
    }
    most = exo_nap_most_pvt(sleeper, naps);
    if (most != 0 && (chain->most == 0 || most < chain->most)) {
        chain->most = most;
    }
}

/* S1 to S3 for all items, and for those that they spread to; another one comes first each time. */
EXO_INLINE void exo_many_announce_pvt(struct exo_wait_chain *chain, struct exo_waitable *items, exo_size n,
                                      exo_u32 naps)
{
    struct exo_wait_word *at;
    exo_size first = naps % n;
    exo_size i;
    chain->first = (struct exo_wait_word *)EXO_NULL;
    chain->last = (struct exo_wait_word *)EXO_NULL;
    chain->most = 0;
    chain->heavy = EXO_FALSE;
    chain->shared = EXO_FALSE;
    for (i = 0; i < n; i++) {
        struct exo_waitable *item = &items[first + i < n ? first + i : first + i - n];
        if (item->wanted != 0) {
            exo_wait_chain_add(chain, item, item->peer);
        }
    }
    for (at = chain->first; at != EXO_NULL; at = at->next) {
        struct exo_waitable *item = (struct exo_waitable *)(void *)at;
        if (item->spread != EXO_NULL) {
            item->spread(item->object, chain);
        }
        exo_wait_chain_say_pvt(chain, item, naps);
    }
    exo_sleeper_fence_pvt(chain->heavy, chain->shared);
}

/* Sleep once, unless something is there after the announcement. Returns how many items have events. */
EXO_INLINE exo_i64 exo_many_nap_pvt(struct exo_waitable *items, exo_size n, exo_u32 naps, exo_u64 deadline_ns)
{
    struct exo_wait_chain chain;
    struct exo_wait_word *at;
    exo_i64 count;
    exo_many_announce_pvt(&chain, items, n, naps);
    count = exo_many_look_pvt(items, n);
    if (count == 0) {
        exo_port_wait_many(chain.first, exo_nap_end_pvt(chain.most, deadline_ns));
    }
    for (at = chain.first; at != EXO_NULL; at = at->next) {
        exo_sleeper_withdraw_pvt(((struct exo_waitable *)(void *)at)->sleeper);
    }
    return count != 0 ? count : exo_many_look_pvt(items, n);
}

/* How many turns to spin over all items; or that one cannot sleep for them. */
EXO_INLINE exo_i64 exo_many_turns_pvt(const struct exo_waitable *items, exo_size n)
{
    exo_u32 spin = 0;
    exo_bool any = EXO_FALSE;
    exo_size i;
    for (i = 0; i < n; i++) {
        if (items[i].wanted != 0) {
            if (items[i].sleeper == EXO_NULL) {
                return EXO_NOT_SUPPORTED;
            }
            any = EXO_TRUE;
            spin = spin < items[i].sleeper->spin ? items[i].sleeper->spin : spin;
        }
    }
    return any ? (exo_i64)(spin / n) + 1 : (exo_i64)EXO_INVALID_ARGUMENT;
}

/* Nothing was found by the probes: look at all, spin, then nap until something comes. */
EXO_OUTLINE exo_i64 exo_many_wait_pvt(struct exo_waitable *items, exo_size n, exo_u64 deadline_ns)
{
    exo_i64 count = exo_many_look_pvt(items, n);
    exo_i64 turns;
    exo_u32 naps;
    if (count != 0 || deadline_ns == EXO_NOW) {
        return count != 0 ? count : (exo_i64)EXO_WOULD_BLOCK;
    }
    turns = exo_many_turns_pvt(items, n);
    if (turns < 0) {
        return turns;
    }
    for (; turns != 0 && count == 0; turns--) {
        exo_cpu_relax();
        count = exo_many_scan_pvt(items, n);
    }
    for (naps = 0; count == 0; naps++) {
        if (deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
            return EXO_TIMEOUT;
        }
        count = exo_many_nap_pvt(items, n, naps, deadline_ns);
    }
    return count;
}

/**
 * exo_wait_many - wait until at least one of many things happens.
 * @items: the items; the handles behind them belong to the calling thread. No two are made of one handle
 * @n: how many, 1 or more
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Every item with something to report has it in `events` afterwards, the others 0; with an error all have 0. Readiness
 * is a level: what was not taken is reported again. A final event is reported each time, until `wanted` is set to 0. With
 * several consumers, or producers, another one may be faster than whoever was told.
 *
 * Returns: the number of items with events, 1 to n; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_NOT_SUPPORTED when it
 * would have to sleep for a polled ring; EXO_INVALID_ARGUMENT without items, or when all are left out.
 * Context: not from an interrupt, may sleep; with EXO_NOW as the objects' own trying calls.
 * Ordering: orders nothing by itself; the call that then receives does.
 * Progress: blocking; lock-free with EXO_NOW.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_wait_many(struct exo_waitable *items, exo_size n, exo_u64 deadline_ns)
{
    exo_i64 count;
    if (items == EXO_NULL || n == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    count = exo_many_scan_pvt(items, n);
    return count != 0 ? count : exo_many_wait_pvt(items, n, deadline_ns);
}

#endif
