/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a broadcast. As sync.h: the trying form in a short spin, then between naps; wake.h has the proof.
 *
 * Subscribers sleep on the sender's event word, all on the same one. The sender sleeps on the event word of one
 * subscriber that holds it back, and looks anew at all of them when it wakes: no progress is possible before
 * that one has moved, so nothing is missed. It looks at it once more between announcement and sleep. Where it waits for a block, which any of several may give back, it
 * looks again after 1 ms, then after twice as long each time.
 *
 * A nap of the sender ends at the latest when somebody is to be cut off, or dies.
 *
 * All calls here: Context: not from an interrupt, may sleep. Progress: blocking.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_WAIT_H
#define EXO_IPC_CHANNEL_BROADCAST_WAIT_H

#include "broadcast_send.h"
#include "broadcast_view.h"

/* The first nap of a sender that any of several may wake. */
#define EXO_CAST_NAP_NS 1000000u

/* One attempt of a blocking call, and what it works on. */
struct exo_cast_attempt {
    exo_i64 (*try_once)(const struct exo_cast_attempt *attempt);
    struct exo_publisher *tx;
    struct exo_subscriber *sub;
    const void *from;
    void *to;
    exo_size size;
};

/* Where the side that waits counts. */
EXO_INLINE struct exo_profiler *exo_cast_attempt_profiler_pvt(const struct exo_cast_attempt *attempt)
{
    return attempt->tx != EXO_NULL ? attempt->tx->profiler : attempt->sub->waker.profiler;
}

EXO_INLINE exo_i64 exo_try_subscriber_recv_pvt(const struct exo_cast_attempt *attempt)
{
    return exo_subscriber_recv(attempt->sub, attempt->to, attempt->size);
}
EXO_INLINE exo_i64 exo_try_subscriber_view_pvt(const struct exo_cast_attempt *attempt)
{
    return exo_subscriber_view(attempt->sub, (struct exo_viewed *)attempt->to);
}
EXO_INLINE exo_i64 exo_try_broadcast_send_pvt(const struct exo_cast_attempt *attempt)
{
    return exo_broadcast_send(attempt->tx, attempt->from, attempt->size);
}
EXO_INLINE exo_i64 exo_try_broadcast_loan_pvt(const struct exo_cast_attempt *attempt)
{
    return exo_broadcast_loan(attempt->tx, attempt->size, (struct exo_loaned *)attempt->to);
}
EXO_INLINE exo_i64 exo_try_broadcast_send_loan_pvt(const struct exo_cast_attempt *attempt)
{
    return exo_broadcast_send_loan(attempt->tx, (struct exo_loaned *)attempt->to);
}

/* What the next nap is on. */
struct exo_cast_nap {
    const exo_u32 *word;
    exo_u32 expected;
    exo_u64 until_ns;
    exo_bool shared;
    struct exo_port_peer *peer;
};

/* The moment at which something that lasts since then has lasted too long. */
EXO_INLINE exo_u64 exo_publisher_due_pvt(const struct exo_publisher *tx, exo_u64 since_ns)
{
    return since_ns == 0 || tx->lag_ns >= EXO_FOREVER - since_ns ? EXO_FOREVER : since_ns + tx->lag_ns;
}

/* Whom the sender waits for: one that stands at the limit, or holds most blocks; count if nobody. */
EXO_INLINE exo_u32 exo_publisher_blocker_pvt(const struct exo_publisher *tx, exo_bool block, exo_u64 *due_ns)
{
    exo_u32 blocker = tx->count;
    exo_u32 most = 0;
    exo_u32 at;
    *due_ns = block ? exo_publisher_due_pvt(tx, tx->starved_ns) : EXO_FOREVER;
    for (at = 0; at < tx->count; at++) {
        const struct exo_cast_link *link = &tx->links[at];
        if (!tx->latest && tx->pos - link->position > tx->mask) {
            *due_ns = exo_min64(*due_ns, exo_publisher_due_pvt(tx, link->stuck_ns));
            blocker = block && most != 0 ? blocker : at;
        }
        if (block && link->held > most) {
            most = link->held;
            blocker = at;
        }
    }
    return blocker;
}

/* Whether the one whose word the sender would sleep on holds it back still, as the last attempt saw. It was chosen in
 * front of the announcement: if it has moved since, it has woken nobody, and whoever holds now would wake another word. */
EXO_INLINE exo_bool exo_publisher_blocked_pvt(const struct exo_publisher *tx, const exo_u32 *word, exo_bool block)
{
    exo_u32 at;
    for (at = 0; at < tx->count; at++) {
        if (&tx->links[at].rx->sync.event == word) {
            return (block && tx->links[at].held != 0) || tx->pos - tx->links[at].position > tx->mask;
        }
    }
    return word == &tx->tx->sync.event;
}

/* Announce, and say what to sleep on. */
EXO_INLINE void exo_publisher_announce_pvt(struct exo_publisher *tx, exo_bool block, exo_u32 naps,
                                           exo_u64 deadline_ns, struct exo_cast_nap *nap)
{
    struct exo_sleeper *sleeper = &tx->sleeper;
    exo_u64 due_ns;
    exo_u32 at = exo_publisher_blocker_pvt(tx, block, &due_ns);
    sleeper->slice_ns = block || at == tx->count ? EXO_CAST_NAP_NS << (naps < 6 ? naps : 6) : 0;
    sleeper->event = at == tx->count ? &tx->tx->sync.event : &tx->links[at].rx->sync.event;
    nap->peer = at == tx->count ? (struct exo_port_peer *)EXO_NULL : tx->links[at].peer;
    nap->word = sleeper->event;
    nap->shared = sleeper->shared;
    nap->expected = exo_sleeper_announce_pvt(sleeper);
    nap->until_ns = exo_min64(exo_nap_end_pvt(exo_nap_most_pvt(sleeper, naps), deadline_ns), due_ns);
}

EXO_INLINE void exo_subscriber_announce_pvt(struct exo_subscriber *sub, exo_u32 naps, exo_u64 deadline_ns,
                                            struct exo_cast_nap *nap)
{
    nap->peer = sub->peer;
    nap->word = sub->sleeper.event;
    nap->shared = sub->sleeper.shared;
    nap->expected = exo_sleeper_announce_pvt(&sub->sleeper);
    nap->until_ns = exo_nap_end_pvt(exo_nap_most_pvt(&sub->sleeper, naps), deadline_ns);
}

/* Sleep once, unless the attempt succeeds after the announcement. Returns its result. */
EXO_INLINE exo_i64 exo_cast_nap_pvt(const struct exo_cast_attempt *attempt, exo_bool block, exo_u32 naps,
                                    exo_u64 deadline_ns)
{
    struct exo_sleeper *sleeper = attempt->tx != EXO_NULL ? &attempt->tx->sleeper : &attempt->sub->sleeper;
    struct exo_cast_nap nap;
    exo_i64 result;
    if (attempt->tx != EXO_NULL) {
        exo_publisher_announce_pvt(attempt->tx, block, naps, deadline_ns, &nap);
    } else {
        exo_subscriber_announce_pvt(attempt->sub, naps, deadline_ns, &nap);
    }
    result = attempt->try_once(attempt);
    if (exo_attempt_again_pvt(result) &&
        (attempt->tx == EXO_NULL || exo_publisher_blocked_pvt(attempt->tx, nap.word, block))) {
        exo_probe_slept_pvt(exo_cast_attempt_profiler_pvt(attempt));
        exo_port_wait(nap.word, nap.expected, nap.until_ns, nap.shared, nap.peer);
    }
    exo_sleeper_withdraw_pvt(sleeper);
    return exo_attempt_again_pvt(result) ? attempt->try_once(attempt) : result;
}

/* Spin, then nap, until an attempt succeeds or the time is over. */
EXO_INLINE exo_i64 exo_cast_try_on_pvt(const struct exo_cast_attempt *attempt, exo_bool block, exo_u64 deadline_ns)
{
    struct exo_sleeper *sleeper = attempt->tx != EXO_NULL ? &attempt->tx->sleeper : &attempt->sub->sleeper;
    exo_i64 result;
    exo_u32 turn;
    for (turn = 0; turn < sleeper->spin; turn++) {
        exo_cpu_relax();
        result = attempt->try_once(attempt);
        if (!exo_attempt_again_pvt(result)) {
            exo_sleeper_adapt_pvt(sleeper, EXO_FALSE);
            return result;
        }
    }
    exo_sleeper_adapt_pvt(sleeper, EXO_TRUE);
    for (turn = 0; deadline_ns == EXO_FOREVER || exo_port_now_ns() < deadline_ns; turn++) {
        result = exo_cast_nap_pvt(attempt, block, turn, deadline_ns);
        if (!exo_attempt_again_pvt(result)) {
            return result;
        }
    }
    return EXO_TIMEOUT;
}

/* A first attempt came too early: wait, if that is allowed. */
EXO_OUTLINE exo_i64 exo_cast_wait_on_pvt(const struct exo_cast_attempt *attempt, exo_bool block, exo_u64 deadline_ns)
{
    exo_i64 result;
    if (deadline_ns == EXO_NOW) {
        return EXO_WOULD_BLOCK;
    }
    exo_probe_wait_pvt(exo_cast_attempt_profiler_pvt(attempt));
    result = exo_cast_try_on_pvt(attempt, block, deadline_ns);
    exo_probe_waited_pvt(exo_cast_attempt_profiler_pvt(attempt), result >= 0);
    return result;
}

EXO_INLINE exo_i64 exo_cast_wait_pvt(const struct exo_cast_attempt *attempt, exo_bool block, exo_u64 deadline_ns)
{
    exo_i64 result = attempt->try_once(attempt);
    struct exo_sleeper *sleeper = attempt->tx != EXO_NULL ? &attempt->tx->sleeper : &attempt->sub->sleeper;
    return EXO_LIKELY(exo_settled_pvt(sleeper, result)) ? result : exo_cast_wait_on_pvt(attempt, block, deadline_ns);
}

EXO_INLINE exo_status exo_publisher_wait_pvt(struct exo_publisher *tx,
                                             exo_i64 (*try_once)(const struct exo_cast_attempt *),
                                             const void *from, void *to, exo_size size, exo_bool block,
                                             exo_u64 deadline_ns)
{
    const struct exo_cast_attempt attempt = {try_once, tx, (struct exo_subscriber *)EXO_NULL, from, to, size};
    return (exo_status)exo_cast_wait_pvt(&attempt, block, deadline_ns);
}

EXO_INLINE exo_i64 exo_subscriber_wait_pvt(struct exo_subscriber *sub,
                                           exo_i64 (*try_once)(const struct exo_cast_attempt *), void *to,
                                           exo_size size, exo_u64 deadline_ns)
{
    const struct exo_cast_attempt attempt = {try_once, (struct exo_publisher *)EXO_NULL, sub, EXO_NULL, to, size};
    return exo_cast_wait_pvt(&attempt, EXO_FALSE, deadline_ns);
}

/**
 * exo_broadcast_send_blocking - exo_broadcast_send(), waiting for the slowest subscriber until a deadline.
 * @tx, @data, @len: as exo_broadcast_send()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_broadcast_send() but never EXO_FULL; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW. On an error nothing
 * was sent. Nobody holds it for longer than lag_ns: who would is cut off.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_send_blocking(struct exo_publisher *tx, const void *data,
                                                               exo_size len, exo_u64 deadline_ns)
{
    return exo_publisher_wait_pvt(tx, exo_try_broadcast_send_pvt, data, EXO_NULL, len, !exo_fits_inline(len),
                                  deadline_ns);
}

/**
 * exo_broadcast_loan_blocking - exo_broadcast_loan(), waiting for room in the arena until a deadline. Otherwise as
 * exo_broadcast_send_blocking(). What is lent to the caller itself does not come back by waiting.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_loan_blocking(struct exo_publisher *tx, exo_size size,
                                                               struct exo_loaned *loan, exo_u64 deadline_ns)
{
    return exo_publisher_wait_pvt(tx, exo_try_broadcast_loan_pvt, EXO_NULL, loan, size, EXO_TRUE, deadline_ns);
}

/**
 * exo_broadcast_send_loan_blocking - exo_broadcast_send_loan(), waiting for the slowest subscriber until a deadline.
 * Otherwise as exo_broadcast_send_blocking(); the loan stays the caller's on an error.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_send_loan_blocking(struct exo_publisher *tx,
                                                                    struct exo_loaned *loan, exo_u64 deadline_ns)
{
    return exo_publisher_wait_pvt(tx, exo_try_broadcast_send_loan_pvt, EXO_NULL, loan, 0, EXO_FALSE, deadline_ns);
}

/**
 * exo_subscriber_recv_blocking - exo_subscriber_recv(), waiting for a message until a deadline.
 * @sub, @buffer, @size: as exo_subscriber_recv()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_subscriber_recv() but never EXO_EMPTY; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_subscriber_recv_blocking(struct exo_subscriber *sub, void *buffer,
                                                             exo_size size, exo_u64 deadline_ns)
{
    return exo_subscriber_wait_pvt(sub, exo_try_subscriber_recv_pvt, buffer, size, deadline_ns);
}

/**
 * exo_subscriber_view_blocking - exo_subscriber_view(), waiting for a message until a deadline. Otherwise as
 * exo_subscriber_recv_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_subscriber_view_blocking(struct exo_subscriber *sub, struct exo_viewed *view,
                                                                exo_u64 deadline_ns)
{
    return (exo_status)exo_subscriber_wait_pvt(sub, exo_try_subscriber_view_pvt, view, 0, deadline_ns);
}

#endif
