/* SPDX-License-Identifier: MIT */
/*
 * The sender of a broadcast and its private table of subscribers: who is admitted, how far each has come, who is let
 * go and why.
 *
 * Nothing here is believed of a subscriber but its own progress: a position that runs back, or beyond what was sent, is
 * its breach of protocol and ends its seat. What the table says is in no subscriber's reach.
 *
 * Reliable: position p may be written when every admitted subscriber has taken p - size. `limit` caches a bound below
 * which that is known, and is found anew only when it is reached; then only the words of those who stood at it are
 * read. Whoever keeps the sender there for longer than lag_ns is cut off: its seat says so before anything that it has
 * not taken is overwritten, and it looks at its seat after it has copied a message.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_LINKS_H
#define EXO_IPC_CHANNEL_BROADCAST_LINKS_H

#include "broadcast_publisher.h"

/* Let a subscriber go. What it has not taken may be overwritten afterwards. */
EXO_COLD void exo_cast_link_drop_pvt(struct exo_publisher *tx, exo_u32 at, exo_u32 code)
{
    struct exo_cast_link link = tx->links[at];
    exo_store64(&tx->tx->marks.tail, tx->pos, EXO_RELAXED); /* relaxed: published next, for who wants to know */
    /* [broadcast:end] pairs [broadcast:vacant], [broadcast:judge] */
    exo_store64(&tx->seats[link.seat].state, link.generation << 8 | code, EXO_RELEASE);
    /* [broadcast:cut] pairs [broadcast:whole] */
    exo_fence_release();
    tx->count--;
    tx->links[at] = tx->links[tx->count];
    tx->wakers[at] = tx->wakers[tx->count];
    tx->mask_admitted &= ~((exo_u64)1 << link.seat);
    exo_blocks_forget_pvt(tx, link.seat);
    if (code == EXO_SEAT_LAGGED || code == EXO_SEAT_CORRUPT) {
        exo_event_change_pvt(&tx->tx->sync.event, 0xFFFFFFFFu, tx->profile != EXO_THREADS); /* it may sleep */
    }
}

/* Whether a subscriber has left; what it read before is not overtaken by what the sender writes then. */
EXO_INLINE exo_bool exo_cast_link_gone_pvt(const exo_u32 *waiters)
{
    /* [broadcast:gone] pairs [broadcast:leave] */
    return (exo_load32(waiters, EXO_ACQUIRE) & EXO_WAIT_CLOSED) != 0;
}

/* Look at everybody who may sleep, and let those go who have left. */
EXO_OUTLINE void exo_publisher_wake_pvt(struct exo_publisher *tx)
{
    exo_bool fenced = EXO_FALSE;
    exo_bool asleep = EXO_FALSE;
    exo_u32 at = 0;
    while (at < tx->count) {
        struct exo_waker *waker = &tx->wakers[at];
        exo_u32 waiters = exo_waker_quiet_pvt(waker) ? waker->seen : exo_waker_look_pvt(waker, &fenced);
        if ((waiters & EXO_WAIT_ASLEEP) != 0 && waiters != waker->woken && waiters != 0xFFFFFFFFu) {
            waker->woken = waiters;
            asleep = EXO_TRUE;
        }
        if (exo_cast_link_gone_pvt(waker->waiters)) {
            exo_cast_link_drop_pvt(tx, at, EXO_SEAT_LEFT);
            continue;
        }
        at++;
    }
    if (asleep) {
        exo_probe_woke_pvt(tx->profiler);
        exo_event_change_pvt(&tx->tx->sync.event, 0xFFFFFFFFu, tx->profile != EXO_THREADS);
    }
}

/* Something was published: is anybody asleep? One load for each subscriber. */
EXO_HOT void exo_publisher_notify_pvt(struct exo_publisher *tx)
{
    const struct exo_waker *waker = tx->wakers;
    const struct exo_waker *end = waker + tx->count;
    for (; waker != end; waker++) {
        if (EXO_UNLIKELY(!exo_waker_quiet_pvt(waker))) {
            exo_publisher_wake_pvt(tx);
            return;
        }
    }
}

/* What one subscriber's segment is, to the sender. */
struct exo_newcomer {
    const struct exo_cast_rx *rx;
    struct exo_port_peer *peer;
    exo_u64 generation;
    exo_u32 seat;
    exo_bool asymmetric;
};

/* Admit a subscriber: from the next message on, or with some of the last. */
EXO_COLD void exo_cast_link_add_pvt(struct exo_publisher *tx, const struct exo_newcomer *who)
{
    struct exo_cast_link *link = &tx->links[tx->count];
    struct exo_waker *waker = &tx->wakers[tx->count];
    exo_u64 wish = exo_load64(&who->rx->place.history, EXO_RELAXED); /* relaxed: [broadcast:claimed], or the socket */
    exo_u64 start = tx->pos - exo_min64(wish, tx->pos - exo_publisher_oldest_pvt(tx));
    exo_bool fenced = !tx->asymmetric || !who->asymmetric;
    link->rx = who->rx;
    link->ring = (const struct exo_release_entry *)(const void *)(who->rx + 1);
    link->peer = who->peer;
    link->start = start;
    link->position = start;
    link->ring_pos = 0;
    link->stuck_ns = 0;
    link->generation = who->generation;
    link->seat = who->seat;
    link->held = exo_blocks_admit_pvt(tx, who->seat, start);
    waker->waiters = &who->rx->sync.waiters;
    waker->seen = fenced ? 0xFFFFFFFFu : 0;
    waker->woken = 0;
    waker->event = &tx->tx->sync.event;
    waker->fenced = fenced;
    waker->counted = EXO_FALSE;
    waker->several = EXO_FALSE;
    waker->shared = tx->profile != EXO_THREADS;
    waker->bell = (struct exo_port_bell *)EXO_NULL;
    waker->profiler = (struct exo_profiler *)EXO_NULL; /* the sender counts for all of them */
    tx->count++;
    tx->mask_admitted |= (exo_u64)1 << who->seat;
    if (!tx->latest) {
        tx->limit = exo_min64(tx->limit, start + tx->mask + 1);
    }
    exo_store64(&tx->seats[who->seat].start, start, EXO_RELAXED); /* relaxed: published next */
    /* [broadcast:admit] pairs [broadcast:judge] */
    exo_store64(&tx->seats[who->seat].state, who->generation << 8 | EXO_SEAT_ADMITTED, EXO_RELEASE);
}

/* A place was claimed although its seat has not ended: its holder broke the protocol. */
EXO_COLD void exo_publisher_evict_pvt(struct exo_publisher *tx, exo_u32 seat)
{
    exo_u32 at;
    for (at = 0; at < tx->count; at++) {
        if (tx->links[at].seat == seat) {
            exo_cast_link_drop_pvt(tx, at, EXO_SEAT_CORRUPT);
            return;
        }
    }
}

/* Among threads: admit whoever has claimed a place. */
EXO_COLD void exo_publisher_lobby_pvt(struct exo_publisher *tx)
{
    exo_u32 i;
    tx->lobby_seen = exo_load32(tx->lobby, EXO_ACQUIRE); /* [broadcast:lobby] pairs [broadcast:knock] */
    for (i = 0; tx->places != EXO_NULL && i < tx->seat_count; i++) {
        struct exo_newcomer who;
        exo_u64 claim;
        who.rx = (const struct exo_cast_rx *)(const void *)(tx->places + i * tx->place_bytes);
        /* [broadcast:claimed] pairs [broadcast:claim] */
        claim = exo_load64(&who.rx->place.claim, EXO_ACQUIRE);
        if ((claim & 1) != 0 && claim >> 1 != tx->admitted[i]) {
            tx->admitted[i] = claim >> 1;
            exo_publisher_evict_pvt(tx, i);
            who.peer = (struct exo_port_peer *)EXO_NULL;
            who.generation = claim >> 1;
            who.seat = i;
            who.asymmetric = tx->asymmetric;
            exo_cast_link_add_pvt(tx, &who);
        }
    }
    exo_publisher_wake_pvt(tx);
}

EXO_HOT exo_bool exo_publisher_knocked_pvt(const struct exo_publisher *tx)
{
    /* relaxed: a change sends us to [broadcast:lobby] */
    return exo_load32(tx->lobby, EXO_RELAXED) != tx->lobby_seen;
}

/* How far a subscriber has come. False if that cannot be. */
EXO_INLINE exo_bool exo_cast_link_follow_pvt(const struct exo_publisher *tx, struct exo_cast_link *link)
{
    /* [broadcast:taken_seen] pairs [broadcast:taken] */
    exo_u64 position = link->start + exo_load64(&link->rx->taken.value, EXO_ACQUIRE);
    if (position - link->position > tx->pos - link->position) {
        return EXO_FALSE;
    }
    if (position != link->position) {
        link->position = position;
        link->stuck_ns = 0;
    }
    return EXO_TRUE;
}

/* Whether a subscriber is at an end: EXO_SEAT_LEFT or EXO_SEAT_DIED, else EXO_SEAT_ADMITTED. */
EXO_INLINE exo_u32 exo_cast_link_end_pvt(const struct exo_cast_link *link)
{
    exo_bool dead = !exo_port_peer_alive(link->peer);
    if (exo_cast_link_gone_pvt(&link->rx->sync.waiters)) {
        return EXO_SEAT_LEFT;
    }
    return dead ? EXO_SEAT_DIED : EXO_SEAT_ADMITTED;
}

/* Whether something has lasted longer than a subscriber may hold the sender back. */
EXO_INLINE exo_bool exo_publisher_overdue_pvt(const struct exo_publisher *tx, exo_u64 *since_ns)
{
    exo_u64 now = exo_port_now_ns();
    if (*since_ns == 0) {
        *since_ns = now;
    }
    return tx->lag_ns != EXO_FOREVER && now - *since_ns >= tx->lag_ns;
}

/* What becomes of a subscriber that stands at the limit. */
EXO_INLINE exo_u32 exo_cast_link_judge_pvt(const struct exo_publisher *tx, struct exo_cast_link *link)
{
    exo_u32 code;
    if (!exo_cast_link_follow_pvt(tx, link)) {
        return EXO_SEAT_CORRUPT;
    }
    if (tx->pos - link->position <= tx->mask) {
        return EXO_SEAT_ADMITTED;
    }
    code = exo_cast_link_end_pvt(link);
    return code == EXO_SEAT_ADMITTED && exo_publisher_overdue_pvt(tx, &link->stuck_ns) ? EXO_SEAT_LAGGED : code;
}

/* The limit is reached, which it never is where the policy is latest: find it anew, and let those go who are gone or held
 * it too long. */
EXO_OUTLINE exo_status exo_publisher_refresh_pvt(struct exo_publisher *tx)
{
    exo_u64 size = (exo_u64)tx->mask + 1;
    exo_u64 limit = EXO_CAST_UNLIMITED;
    exo_u32 at = 0;
    while (at < tx->count) {
        struct exo_cast_link *link = &tx->links[at];
        exo_u32 code = tx->pos - link->position < size ? EXO_SEAT_ADMITTED : exo_cast_link_judge_pvt(tx, link);
        if (code != EXO_SEAT_ADMITTED) {
            exo_cast_link_drop_pvt(tx, at, code);
            continue;
        }
        limit = exo_min64(limit, link->position + size);
        at++;
    }
    tx->limit = limit;
    if (tx->pos < limit) {
        return EXO_OK;
    }
    exo_probe_full_pvt(tx->profiler);
    return EXO_FULL;
}

/* Whether the next position may be written; if so it must be. */
EXO_OUTLINE exo_status exo_publisher_room_pvt(struct exo_publisher *tx)
{
    if (tx->refused != EXO_OK) {
        return tx->refused;
    }
    if (exo_publisher_knocked_pvt(tx)) {
        exo_publisher_lobby_pvt(tx);
    }
    return tx->pos < tx->limit ? EXO_OK : exo_publisher_refresh_pvt(tx);
}

/**
 * exo_broadcast_poll - admit who wants to subscribe, and let those go who have left, died, or broken the protocol.
 * @tx: sending handle
 *
 * Every send does the first, and the rest where it matters; this is for a sender that has nothing to send.
 * Returns: EXO_OK; EXO_CLOSED after exo_broadcast_close().
 * Context: the sender's side; not from an interrupt that may have interrupted the same handle.
 * Progress: wait-free, in time that grows with the number of subscribers.
 */
EXO_OUTLINE EXO_MUST_USE exo_status exo_broadcast_poll(struct exo_publisher *tx)
{
    exo_u32 at = 0;
    if (tx->refused != EXO_OK) {
        return tx->refused;
    }
    exo_publisher_lobby_pvt(tx);
    while (at < tx->count) {
        exo_u32 code = exo_cast_link_end_pvt(&tx->links[at]);
        if (code == EXO_SEAT_ADMITTED && !tx->latest && !exo_cast_link_follow_pvt(tx, &tx->links[at])) {
            code = EXO_SEAT_CORRUPT;
        }
        if (code != EXO_SEAT_ADMITTED) {
            exo_cast_link_drop_pvt(tx, at, code);
            continue;
        }
        at++;
    }
    return EXO_OK;
}

/**
 * exo_broadcast_subscribers - how many are admitted now.
 * @tx: sending handle
 *
 * Polls first. Returns: 0 to 64. Context, Progress: as exo_broadcast_poll().
 */
EXO_INLINE exo_u32 exo_broadcast_subscribers(struct exo_publisher *tx)
{
    return exo_broadcast_poll(tx) == EXO_OK ? tx->count : 0;
}

#endif
