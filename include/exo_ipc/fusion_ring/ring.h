/* SPDX-License-Identifier: MIT */
/*
 * The two handles of a ring, and how positions move.
 *
 * Who may write what
 *   sender     pos, limit (private); tail (mp: by compare-and-swap); slots it has claimed
 *   receiver   pos (private); late, exact (sc: plain stores); exact (mc: claimed by compare-and-swap), done
 *
 * Invariants
 *   A position p may be written when the receiver has given p - size back: p < exact + size (sc), or
 *   done[p] == p - size + 1 (mc). `limit` caches a bound below which that is known; it only grows.
 *   The receiver stores `late` when it runs empty and at least every late_step messages, `exact` after each
 *   message: the sender reads exact only before it says Full or sleeps, so capacity is exact and the
 *   line of exact rests with the receiver.
 *
 * Progress: with one producer and one consumer both sides are wait-free. With several producers a send is
 * lock-free but for this: a producer that stops between claim and publication holds up delivery (not the
 * other producers' sends) until it goes on, or, in the crash-safe profile, until it is known dead.
 *
 * A handle belongs to one thread at a time. After a fork exactly one process may use it.
 */
#ifndef EXO_IPC_FUSION_RING_RING_H
#define EXO_IPC_FUSION_RING_RING_H

#include "geometry.h"
#include "life.h"
#include "slot.h"
#include "views.h"
#include "wake.h"

/* A receiver publishes `late` every size/8 messages, and at least every EXO_PACE_STEP. That often, it looks
 * whether a streaming sender is EXO_PACE_AHEAD slots away, and waits for that at most so many turns of
 * exo_cpu_relax() (exo_rx_pace_pvt). Rings of fewer than 8 * EXO_PACE_STEP slots do not. */
#define EXO_PACE_STEP 16u
#define EXO_PACE_AHEAD 32u
#define EXO_PACE_TURNS 32u

struct exo_arena;

struct exo_sender {
    exo_u8 *lines; /* line of slot 0 */
    exo_u64 pos;   /* sp: next position */
    exo_u64 limit; /* positions below it are free */
    exo_size off_mask; /* mask, in bytes of slots */
    exo_size fetch;    /* how far ahead to fetch, in bytes of slots */
    exo_u32 mask;
    exo_u32 slot_shift;
    exo_u32 mode;
    exo_status refused; /* EXO_OK, or why every further send fails */
    struct exo_waker waker;
    struct exo_tx_segment *tx;
    const struct exo_rx_segment *rx;
    const exo_u32 *done;
    struct exo_arena *arena;  /* null: none */
    struct exo_arena *relend; /* the same while a loan should look for a released run first; else null */
    exo_u32 lendable;         /* its blocks, */
    exo_u32 lent_from;        /* and what the token of a loan of its first one ends with */
    struct exo_owner *owner;
    exo_u64 claim; /* value of owner->claim while attached */
    exo_u32 producers;
    exo_bool deserted; /* owned: the receiver was dead when the kernel was asked last, */
    exo_u64 asked_ns;  /* which was then */
    struct exo_port_peer *peer;
    struct exo_sleeper sleeper;
};

struct exo_receiver {
    const exo_u8 *lines;
    exo_u64 pos;     /* sc: next position */
    exo_u64 late_at; /* sc: publish late when pos gets here */
    exo_word64 *exact;
    exo_size off_mask; /* mask, in bytes of slots */
    exo_u32 mask;
    exo_u32 slot_shift;
    exo_u32 mode;
    exo_u32 taken; /* items already taken from a packed slot */
    struct exo_waker waker;
    exo_status refused;
    exo_u32 late_step;
    exo_u32 producers;
    const struct exo_tx_segment *tx;
    struct exo_rx_segment *rx;
    exo_u32 *done;
    struct exo_views views;
    exo_bool deserted;       /* owned: all senders were dead when the kernel was asked last, */
    exo_u64 asked_ns;        /* which was then */
    exo_u64 claim_pos;       /* owned: a claim stands here, */
    exo_u64 claim_ns;        /* and was last looked into then */
    exo_u32 claim_dead;      /* owned: whoever claimed with this argument is dead */
    struct exo_port_peer *peer;
    struct exo_sleeper sleeper;
};

/* Slots may lie at any 64-byte multiple, so the cast raises no alignment. */
EXO_HOT exo_word64 *exo_tx_line_pvt(const struct exo_sender *tx, exo_u64 pos)
{
    exo_size off = ((exo_size)pos << tx->slot_shift) & tx->off_mask;
    return (exo_word64 *)(void *)(tx->lines + off);
}

EXO_HOT const exo_word64 *exo_rx_line_pvt(const struct exo_receiver *rx, exo_u64 pos)
{
    exo_size off = ((exo_size)pos << rx->slot_shift) & rx->off_mask;
    return (const exo_word64 *)(const void *)(rx->lines + off);
}

/* A sender fetches the line that it will write so many positions later: the receiver has it still, and the
 * store buffer holds too few stores to hide the way. A claim among several is a locked instruction, which waits for
 * the stores before it, so those must find their lines sooner. */
#define EXO_FETCH_AHEAD 12u
#define EXO_FETCH_AHEAD_MPSC 16u
#define EXO_FETCH_AHEAD_MPMC 24u

EXO_HOT void exo_tx_fetch_pvt(const struct exo_sender *tx, exo_u64 pos)
{
    exo_size off = (((exo_size)pos << tx->slot_shift) + tx->fetch) & tx->off_mask;
    exo_cpu_prefetch_write(tx->lines + off);
}

/* The same for a single producer, but only where the line is known to be free, by the free positions from pos on: what
 * the receiver has not read, its processor may have fetched ahead. */
EXO_HOT void exo_tx_fetch_free_pvt(const struct exo_sender *tx, exo_u64 pos, exo_u64 room)
{
    if (EXO_LIKELY(room > EXO_FETCH_AHEAD)) {
        exo_tx_fetch_pvt(tx, pos);
    }
}

/* The same for many positions: those below this one. Several producers fetch whatever comes, for their claims wait. */
EXO_HOT exo_u64 exo_tx_fetch_until_pvt(const struct exo_sender *tx)
{
    return (tx->mode & EXO_MODE_MP) != 0 ? ~(exo_u64)0 : tx->limit - EXO_FETCH_AHEAD;
}

/* From now on every send fails for this reason: no position is known to be free. */
EXO_COLD exo_status exo_tx_refuse_pvt(struct exo_sender *tx, exo_status reason)
{
    tx->refused = reason;
    exo_probe_refused_pvt(tx->waker.profiler, reason);
    tx->relend = (struct exo_arena *)EXO_NULL;
    tx->limit = (tx->mode & EXO_MODE_MP) != 0 ? 0 : tx->pos;
    return reason;
}

/* From now on every receive fails for this reason: the handle looks at a line where nothing ever comes. */
EXO_COLD exo_status exo_rx_refuse_pvt(struct exo_receiver *rx, exo_status reason)
{
    static const exo_word64 nothing[EXO_LINE_WORDS + 1] = {0, 0, 0, 0, 0, 0, 0, 0};
    rx->refused = reason;
    exo_probe_refused_pvt(rx->waker.profiler, reason);
    rx->lines = (const exo_u8 *)nothing;
    rx->mask = 0;
    rx->off_mask = 0;
    rx->late_at = rx->pos + rx->late_step;
    return reason;
}

/* Whether the receivers have closed. */
EXO_INLINE exo_bool exo_tx_closed_pvt(const struct exo_sender *tx)
{
    exo_u32 waiters = exo_load32(&tx->rx->sync.waiters, EXO_RELAXED); /* relaxed: nothing is read after */
    return (waiters & EXO_WAIT_CLOSED) != 0;
}

/* Several producers that may die: whether the receiver is dead. Another may take its place. */
EXO_COLD exo_bool exo_tx_deserted_pvt(struct exo_sender *tx)
{
    if ((tx->mode & EXO_MODE_OWNED) != 0 &&
        (tx->deserted || exo_life_due_pvt(&tx->asked_ns, EXO_LIFE_SLICE_NS))) {
        tx->deserted = exo_holder_dead_pvt(tx->rx);
    }
    return tx->deserted;
}

/* Why a sender finds no room: the peer closed, died, or is only slow. A peer that closed and left at once is
 * no dead one, hence the second look. */
EXO_COLD exo_status exo_tx_full_reason_pvt(struct exo_sender *tx)
{
    if (exo_tx_closed_pvt(tx)) {
        return exo_tx_refuse_pvt(tx, EXO_CLOSED);
    }
    if (exo_port_peer_alive(tx->peer)) {
        if (exo_tx_deserted_pvt(tx)) {
            return EXO_PEER_DIED;
        }
        exo_probe_full_pvt(tx->waker.profiler);
        return EXO_FULL;
    }
    return exo_tx_refuse_pvt(tx, exo_tx_closed_pvt(tx) ? EXO_CLOSED : EXO_PEER_DIED);
}

/* Single consumer: the bound follows from the consumed position, the late one first. */
EXO_INLINE exo_status exo_tx_refresh_sc_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 want)
{
    exo_u64 size = (exo_u64)tx->mask + 1;
    /* [ring:late_seen] pairs [ring:late], [ring:late_step] */
    exo_u64 head = exo_load64(&tx->rx->late.value, EXO_ACQUIRE);
    if (pos - head > size || size - (pos - head) < want) {
        /* [ring:exact_seen] pairs [ring:exact] */
        head = exo_load64(&tx->rx->exact.value, EXO_ACQUIRE);
        if (pos - head > size) {
            if ((tx->mode & EXO_MODE_MP) == 0) {
                return exo_tx_refuse_pvt(tx, EXO_CORRUPT);
            }
            return EXO_FULL; /* pos is an old tail: the caller reads it again */
        }
    }
    tx->limit = head + size;
    return size - (pos - head) < want ? EXO_FULL : EXO_OK;
}

/* Several consumers: each slot says itself for which position it was given back. Looks a few slots further
 * than asked, so that the lines of done are not fetched for each message. */
EXO_INLINE exo_status exo_tx_refresh_mc_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 want)
{
    exo_u64 size = (exo_u64)tx->mask + 1;
    exo_u64 ahead = want < 16 ? exo_min64(16, size) : want;
    exo_u64 i;
    for (i = 0; i < ahead; i++) {
        /* [ring:done_seen] pairs [ring:done] */
        exo_u32 done = exo_load32(&tx->done[(exo_u32)(pos + i) & tx->mask], EXO_ACQUIRE);
        if (done != (exo_u32)(pos + i - size + 1)) {
            break;
        }
    }
    tx->limit = pos + i;
    return i < want ? EXO_FULL : EXO_OK;
}

/* Raise limit so that `want` positions from pos on are free, or say why not. */
EXO_OUTLINE exo_status exo_tx_refresh_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 want)
{
    exo_status status;
    if (tx->refused != EXO_OK) {
        return tx->refused;
    }
    status = (tx->mode & EXO_MODE_MC) != 0 ? exo_tx_refresh_mc_pvt(tx, pos, want)
                                           : exo_tx_refresh_sc_pvt(tx, pos, want);
    return status == EXO_FULL ? exo_tx_full_reason_pvt(tx) : status;
}

/* Whether `want` positions from pos on are known to be free. */
EXO_HOT exo_bool exo_tx_has_room_pvt(const struct exo_sender *tx, exo_u64 pos, exo_u64 want)
{
    return (exo_i64)(tx->limit - pos) >= (exo_i64)want;
}

/* The receivers have closed: whether one of them took something from the slot at pos before it did. */
EXO_COLD exo_bool exo_tx_taken_pvt(const struct exo_sender *tx, exo_u64 pos)
{
    const struct exo_position *exact = &tx->rx->exact;
    exo_u64 head;
    /* [ring:rx_gone] pairs [ring:rx_close]: what they had taken is final */
    (void)exo_load32(tx->waker.waiters, EXO_ACQUIRE);
    head = exo_load64(&exact->value, EXO_RELAXED); /* relaxed: acquired with the flag */
    if (head != pos) {
        return (exo_i64)(head - pos) > 0;
    }
    return exo_part_items_pvt(exo_load64(&exact->part, EXO_RELAXED), pos) != 0; /* relaxed: same */
}

EXO_OUTLINE exo_status exo_tx_wake_pvt(struct exo_sender *tx, exo_u64 pos, exo_u32 count)
{
    if ((exo_waker_wake_pvt(&tx->waker, count) & EXO_WAIT_CLOSED) == 0) {
        return EXO_OK;
    }
    (void)exo_tx_refuse_pvt(tx, EXO_CLOSED);
    return exo_tx_taken_pvt(tx, pos) ? EXO_OK : EXO_CLOSED;
}

/* What begins at pos is published: look for sleepers, learn of a receiver that closed without it. */
EXO_HOT exo_status exo_tx_notify_pvt(struct exo_sender *tx, exo_u32 mode, exo_u64 pos, exo_u32 count)
{
    if ((mode & EXO_MODE_POLLED) != 0 || EXO_LIKELY(exo_waker_quiet_pvt(&tx->waker))) {
        return EXO_OK;
    }
    return exo_tx_wake_pvt(tx, pos, count);
}

/* The same for the only message that a single producer has just published: a shorter call. */
EXO_OUTLINE exo_status exo_tx_wake_one_pvt(struct exo_sender *tx)
{
    return exo_tx_wake_pvt(tx, tx->pos - 1, 1);
}

EXO_HOT exo_status exo_tx_notify_one_pvt(struct exo_sender *tx, exo_u32 mode)
{
    if ((mode & EXO_MODE_POLLED) != 0 || EXO_LIKELY(exo_waker_quiet_pvt(&tx->waker))) {
        return EXO_OK;
    }
    return exo_tx_wake_one_pvt(tx);
}

/* Whether the senders have closed; what they sent before is visible then. */
EXO_INLINE exo_bool exo_rx_closed_pvt(const struct exo_receiver *rx)
{
    /* [ring:closed_seen] pairs [ring:tx_close] */
    return (exo_load32(&rx->tx->sync.waiters, EXO_ACQUIRE) & EXO_WAIT_CLOSED) != 0;
}

/* Several producers that may die: whether all who are attached are dead. Others may attach. */
EXO_COLD exo_bool exo_rx_deserted_pvt(struct exo_receiver *rx)
{
    if ((rx->mode & EXO_MODE_OWNED) != 0 &&
        (rx->deserted || exo_life_due_pvt(&rx->asked_ns, EXO_LIFE_SLICE_NS))) {
        rx->deserted = exo_owners_dead_pvt(rx->tx, rx->producers);
    }
    return rx->deserted;
}

/* Why a receiver finds nothing: also the place where the late position is published. */
EXO_OUTLINE exo_status exo_rx_empty_reason_pvt(struct exo_receiver *rx)
{
    if ((rx->mode & EXO_MODE_MC) == 0 && rx->late_at != rx->pos + rx->late_step) {
        rx->late_at = rx->pos + rx->late_step;
        /* [ring:late] pairs [ring:late_seen] */
        exo_store64(&rx->rx->late.value, rx->pos, EXO_RELEASE);
    }
    if (rx->refused != EXO_OK) {
        return rx->refused;
    }
    if (exo_rx_closed_pvt(rx)) {
        return EXO_CLOSED;
    }
    if (exo_port_peer_alive(rx->peer) && !exo_rx_deserted_pvt(rx)) {
        exo_probe_empty_pvt(rx->waker.profiler);
        return EXO_EMPTY;
    }
    return exo_rx_closed_pvt(rx) ? EXO_CLOSED : EXO_PEER_DIED; /* it may have closed and left meanwhile */
}

/* Single consumer: whether exo_rx_empty_reason_pvt() has nothing to do and says Empty again. */
EXO_HOT exo_bool exo_rx_still_empty_pvt(const struct exo_receiver *rx)
{
    /* relaxed: a change sends us to [ring:closed_seen] */
    exo_u32 waiters = exo_load32(rx->waker.waiters, EXO_RELAXED);
    return rx->late_at == rx->pos + rx->late_step && rx->refused == EXO_OK && rx->peer == EXO_NULL &&
           (rx->mode & EXO_MODE_OWNED) == 0 && (waiters & EXO_WAIT_CLOSED) == 0;
}

/* Something was given back: look for sleeping senders. */
EXO_HOT void exo_rx_notify_pvt(struct exo_receiver *rx, exo_u32 mode, exo_u32 count)
{
    if ((mode & EXO_MODE_POLLED) == 0) {
        (void)exo_waker_notify_pvt(&rx->waker, count);
    }
}

/* Whether the slot holds something for this position, or did a moment ago. */
EXO_INLINE exo_bool exo_rx_is_published_pvt(const struct exo_receiver *rx, exo_u64 pos)
{
    return exo_control_is_for_pvt(exo_line_ready_pvt(exo_rx_line_pvt(rx, pos)), pos);
}

/*
 * Single consumer: late_step messages were taken in a row; running empty in between would have moved late_at.
 *
 * In such a stream a receiver close behind its sender reads, by guessing ahead, lines that are just being
 * written. Each of them then crosses several times, and both sides stay at that distance for good. So when
 * the sender is ahead, but by less than EXO_PACE_AHEAD, it gets a moment to move away. When it is not ahead
 * at all, there is no such stream: one thread that sends and receives in turn never waits here.
 */
EXO_OUTLINE void exo_rx_pace_pvt(struct exo_receiver *rx, exo_u64 pos)
{
    exo_u32 turn;
    rx->late_at = pos + rx->late_step;
    /* [ring:late_step] pairs [ring:late_seen] */
    exo_store64(&rx->rx->late.value, pos, EXO_RELEASE);
    if (rx->late_step < EXO_PACE_STEP || !exo_rx_is_published_pvt(rx, pos)) {
        return;
    }
    for (turn = 0; turn < EXO_PACE_TURNS; turn++) {
        if (turn % 8 == 0 && exo_rx_is_published_pvt(rx, pos + EXO_PACE_AHEAD)) {
            return;
        }
        exo_cpu_relax();
    }
}

/* Single consumer: all messages in front of pos have been taken, those in the last count slots just now. */
EXO_HOT void exo_rx_reach_pvt(struct exo_receiver *rx, exo_u32 mode, exo_u64 pos, exo_u32 count)
{
    rx->pos = pos;
    /* [ring:exact] pairs [ring:exact_seen] */
    exo_store64(rx->exact, pos, EXO_RELEASE);
    if (EXO_UNLIKELY(pos >= rx->late_at)) {
        exo_rx_pace_pvt(rx, pos);
    }
    exo_rx_notify_pvt(rx, mode, count);
}

/* Single consumer: the messages in count slots from rx->pos on have been taken. */
EXO_HOT void exo_rx_advance_pvt(struct exo_receiver *rx, exo_u32 mode, exo_u32 count)
{
    exo_rx_reach_pvt(rx, mode, rx->pos + count, count);
}

#endif
