/* SPDX-License-Identifier: MIT */
/*
 * The subscriber of a broadcast: its handle, and receiving by copying.
 *
 * What is copied out of a slot may be overwritten meanwhile, so a second look decides whether the copy counts:
 *
 *   latest     at the slot's control word: unchanged, so nothing was written in between;
 *   reliable   at the seat: still admitted, so the sender was still waiting for this subscriber.
 *
 * The sender's segment is only read. A hostile sender can spoil its own messages and no more: lengths and descriptors
 * are checked on private copies, and a control word that no honest sender writes is Corrupt, which sticks.
 *
 * Progress: receiving is wait-free. A subscriber that is killed leaves nothing behind that the sender waits for longer
 * than it takes to notice, lag_ns at most.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_RECV_H
#define EXO_IPC_CHANNEL_BROADCAST_RECV_H

#include "../fusion_ring/sync.h"
#include "broadcast_layout.h"

/**
 * struct exo_subscriber - a receiving handle of a broadcast. Its members are the library's.
 */
struct exo_subscriber {
    const exo_u8 *lines; /* of the slots; of nothing while there is nothing to receive */
    exo_u64 pos;
    const exo_word64 *seat;
    exo_u64 admitted; /* what the seat says while this subscriber is admitted */
    exo_word64 *taken;
    exo_u64 start;
    exo_size off_mask;
    exo_u64 pace_at;
    struct exo_waker waker;
    exo_bool latest;
    exo_bool joined; /* admitted, and not refused since */
    exo_status refused;
    exo_u32 mask;
    exo_u32 overruns; /* in a row */
    exo_u32 pace_step;
    exo_u64 missed;
    exo_u64 missed_all;
    exo_u64 generation;
    const struct exo_cast_tx *tx;
    struct exo_cast_rx *rx;
    const exo_u8 *slots;
    const exo_u8 *arena;
    exo_u64 arena_size;
    exo_u32 blocks;
    exo_u32 *viewed; /* reliable: generation viewed, by block; 0: none */
    struct exo_release_entry *ring;
    exo_u64 released;
    exo_u32 ring_mask;
    exo_bool shared;
    exo_u64 pins[EXO_PINS]; /* what stands in the segment */
    struct exo_port_peer *peer;
    struct exo_sleeper sleeper;
};

EXO_HOT const exo_word64 *exo_subscriber_line_pvt(const struct exo_subscriber *sub, exo_u64 pos)
{
    return (const exo_word64 *)(const void *)(sub->lines + (((exo_size)pos << 6) & sub->off_mask));
}

/* From now on every call fails for this reason: the handle looks at a line where nothing ever comes. */
EXO_COLD exo_status exo_subscriber_refuse_pvt(struct exo_subscriber *sub, exo_status reason)
{
    static const exo_word64 nothing[EXO_LINE_WORDS + 1] = {0, 0, 0, 0, 0, 0, 0, 0};
    sub->refused = reason;
    sub->joined = EXO_FALSE;
    sub->lines = (const exo_u8 *)nothing;
    sub->off_mask = 0;
    return reason;
}

/* Admitted: from here on there is something to receive. */
EXO_COLD void exo_subscriber_enter_pvt(struct exo_subscriber *sub, exo_u64 state)
{
    sub->start = exo_load64(sub->seat + 1, EXO_RELAXED); /* relaxed: acquired with the seat's state */
    sub->pos = sub->start;
    sub->pace_at = sub->pos + sub->pace_step;
    sub->admitted = state;
    sub->joined = EXO_TRUE;
    sub->lines = sub->slots;
    sub->off_mask = (exo_size)sub->mask << 6;
}

/* Cut off: how much that was. */
EXO_COLD exo_status exo_subscriber_lagged_pvt(struct exo_subscriber *sub)
{
    /* relaxed: acquired with the seat's state, or later */
    sub->missed = exo_load64(&sub->tx->marks.tail, EXO_RELAXED) - sub->pos;
    sub->missed_all += sub->missed;
    return exo_subscriber_refuse_pvt(sub, EXO_OVERFLOW);
}

/* What the sender says of this subscriber: OK, Empty while it is not admitted, or why it never is again. A seat that has
 * a later holder was ours, and we did not leave: cut off. */
EXO_COLD exo_status exo_subscriber_judge_pvt(struct exo_subscriber *sub)
{
    /* [broadcast:judge] pairs [broadcast:admit], [broadcast:end] */
    exo_u64 state = exo_load64(sub->seat, EXO_ACQUIRE);
    exo_u32 code = (exo_u32)state & 0xFFu;
    if (sub->refused != EXO_OK) {
        return sub->refused;
    }
    if (state >> 8 < sub->generation) {
        return sub->joined ? exo_subscriber_refuse_pvt(sub, EXO_CORRUPT) : EXO_EMPTY;
    }
    if (state >> 8 == sub->generation && (code == EXO_SEAT_ADMITTED || code == EXO_SEAT_LAGGED) && !sub->joined) {
        exo_subscriber_enter_pvt(sub, state);
    }
    if (state >> 8 == sub->generation && code == EXO_SEAT_ADMITTED) {
        return EXO_OK;
    }
    return state >> 8 != sub->generation || code == EXO_SEAT_LAGGED ? exo_subscriber_lagged_pvt(sub)
                                                                    : exo_subscriber_refuse_pvt(sub, EXO_CORRUPT);
}

/* Whether a word is still as it was, after all that was read so far. */
EXO_HOT exo_bool exo_cast_still_pvt(const exo_word64 *guard, exo_u64 wanted)
{
    /* [broadcast:whole] pairs [broadcast:cut], [broadcast:writing] */
    exo_fence_acquire();
    return exo_load64(guard, EXO_RELAXED) == wanted; /* relaxed: behind the fence */
}

/* Whether what was just read of this slot was the message under this control word, and not torn. */
EXO_HOT exo_bool exo_subscriber_whole_pvt(const struct exo_subscriber *sub, const exo_word64 *line,
                                          exo_u64 control)
{
    return sub->latest ? exo_cast_still_pvt(&line[EXO_LINE_WORDS], control)
                       : exo_cast_still_pvt(sub->seat, sub->admitted);
}

/* Latest: the message at pos is gone. Count what was missed, go on with the oldest that is there; after several times in
 * a row nearer to the newest, so that a slow reader gets anywhere. */
EXO_COLD exo_status exo_subscriber_overrun_pvt(struct exo_subscriber *sub)
{
    exo_u64 size = (exo_u64)sub->mask + 1;
    /* [broadcast:tail_seen] pairs [broadcast:writing] */
    exo_u64 tail = exo_load64(&sub->tx->marks.tail, EXO_ACQUIRE);
    exo_u64 floor = exo_load64(&sub->tx->marks.floor, EXO_RELAXED); /* relaxed: a hint; the slots decide */
    exo_u64 ahead = tail - sub->pos;
    exo_u64 next = sub->pos + 1;
    if ((exo_i64)ahead < -1) {
        return exo_subscriber_refuse_pvt(sub, EXO_CORRUPT);
    }
    ahead += (exo_i64)ahead < 0; /* an old tail: the slot was seen first, without order */
    size >>= sub->overruns < 31 ? sub->overruns : 31;
    if (ahead > size) {
        next = (exo_i64)(tail - size - next) > 0 ? tail - size : next;
    }
    if (floor - sub->pos <= ahead && (exo_i64)(floor - next) > 0) {
        next = floor;
    }
    sub->overruns++;
    sub->missed = next - sub->pos;
    sub->missed_all += sub->missed;
    sub->pos = next;
    sub->pace_at = next + sub->pace_step;
    return EXO_OVERFLOW;
}

/* Whether the sender has closed; what it sent before is visible then. */
EXO_INLINE exo_bool exo_subscriber_ended_pvt(const struct exo_subscriber *sub)
{
    /* [broadcast:closed_seen] pairs [broadcast:close] */
    return (exo_load32(&sub->tx->sync.waiters, EXO_ACQUIRE) & EXO_WAIT_CLOSED) != 0;
}

/* Nothing is published at pos: why. */
EXO_OUTLINE exo_status exo_subscriber_empty_pvt(struct exo_subscriber *sub)
{
    exo_status status = sub->joined ? exo_subscriber_judge_pvt(sub) : EXO_OK;
    if (status != EXO_OK) {
        return status;
    }
    if (exo_subscriber_ended_pvt(sub)) {
        return EXO_CLOSED;
    }
    if (exo_port_peer_alive(sub->peer)) {
        exo_probe_empty_pvt(sub->waker.profiler);
        return EXO_EMPTY;
    }
    return exo_subscriber_ended_pvt(sub) ? EXO_CLOSED : EXO_PEER_DIED; /* it may have closed and left meanwhile */
}

/* Make the slot at pos one that can be received: EXO_OK with its control word, or why there is none. */
EXO_OUTLINE exo_status exo_subscriber_settle_pvt(struct exo_subscriber *sub, exo_u64 *found)
{
    exo_status reason = EXO_EMPTY;
    exo_u32 turn;
    for (turn = 0; turn < 3; turn++) {
        exo_u64 control;
        exo_i64 ahead;
        exo_u32 kind;
        if (!sub->joined) {
            exo_status status = exo_subscriber_judge_pvt(sub);
            if (status != EXO_OK && status != EXO_EMPTY) {
                return status;
            }
        }
        control = exo_line_ready_pvt(exo_subscriber_line_pvt(sub, sub->pos));
        ahead = exo_cast_ahead_pvt(control, sub->pos);
        kind = exo_cast_kind_pvt(control);
        if (ahead == 0 && (kind == EXO_CAST_INLINE || kind == EXO_CAST_LOAN)) {
            *found = control;
            return EXO_OK;
        }
        if (kind != EXO_CAST_NONE && (ahead > 0 || (ahead == 0 && kind == EXO_CAST_RETIRED))) {
            exo_status status = exo_subscriber_judge_pvt(sub);
            return sub->latest && status == EXO_OK ? exo_subscriber_overrun_pvt(sub)
                   : status == EXO_OK              ? exo_subscriber_refuse_pvt(sub, EXO_CORRUPT)
                                                   : status;
        }
        if (kind != EXO_CAST_NONE && (kind > EXO_CAST_RETIRED || (ahead != 0 && ahead != -(exo_i64)sub->mask - 1))) {
            return exo_subscriber_refuse_pvt(sub, EXO_CORRUPT);
        }
        if (reason != EXO_EMPTY) {
            return reason;
        }
        reason = exo_subscriber_empty_pvt(sub);
        if (reason == EXO_EMPTY) {
            return EXO_EMPTY;
        }
        /* Closed or dead: look once more, for what was published before that. */
    }
    return reason;
}

/* The subscriber follows its sender closely: as exo_rx_pace_pvt(), for the same reason. */
EXO_OUTLINE void exo_subscriber_pace_pvt(struct exo_subscriber *sub)
{
    exo_u64 ahead = sub->pos + EXO_PACE_AHEAD;
    exo_u32 turn;
    sub->pace_at = sub->pos + sub->pace_step;
    if (sub->pace_step < EXO_PACE_STEP ||
        exo_cast_ahead_pvt(exo_line_ready_pvt(exo_subscriber_line_pvt(sub, sub->pos)), sub->pos) != 0) {
        return;
    }
    for (turn = 0; turn < EXO_PACE_TURNS; turn++) {
        if (turn % 8 == 0 &&
            exo_cast_ahead_pvt(exo_line_ready_pvt(exo_subscriber_line_pvt(sub, ahead)), ahead) >= 0) {
            return;
        }
        exo_cpu_relax();
    }
}

/* The message at pos has been taken: so many bytes, by reference or not. */
EXO_HOT void exo_subscriber_advance_pvt(struct exo_subscriber *sub, exo_u64 bytes, exo_bool by_reference)
{
    exo_probe_untimed_pvt(sub->waker.profiler, EXO_TRACE_RECEIVED, sub->pos, bytes, by_reference);
    sub->pos++;
    sub->overruns = 0;
    if (!sub->latest) {
        /* [broadcast:taken] pairs [broadcast:taken_seen] */
        exo_store64(sub->taken, sub->pos - sub->start, EXO_RELEASE);
        (void)exo_waker_notify_pvt(&sub->waker, 1);
    }
    if (EXO_UNLIKELY(sub->pos >= sub->pace_at)) {
        exo_subscriber_pace_pvt(sub);
    }
}

/* Whether an inline message that fits is published at pos; *len is its length. Where the buffer's size is a constant,
 * only a message that fills it is plain: one comparison, and a copy of constant length. */
EXO_HOT exo_bool exo_subscriber_plain_pvt(exo_u64 control, exo_u64 pos, exo_size size, exo_size *len)
{
    exo_size most = size < EXO_INLINE_THRESHOLD ? size : EXO_INLINE_THRESHOLD;
    *len = __builtin_constant_p(size) ? most : exo_cast_len_pvt(control);
    return *len <= most && control == exo_cast_control_pvt(pos, EXO_CAST_INLINE, (exo_u32)*len);
}

/**
 * exo_subscriber_missed - how many messages the last EXO_OVERFLOW stands for.
 * @sub: receiving handle
 *
 * Exact where the policy is latest. For who was cut off: how many had been sent and not taken then.
 * Context: the subscriber's side. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_subscriber_missed(const struct exo_subscriber *sub)
{
    return sub->missed;
}

/**
 * exo_subscriber_cut_off - whether an EXO_OVERFLOW was the last: the sender has let this subscriber go.
 * @sub: receiving handle
 *
 * A reliable broadcast cuts off who holds the sender back for longer than lag_ns; one of the latest, who keeps views of
 * so many blocks for so long that the sender finds none. It may leave and join again.
 * Context: the subscriber's side. Progress: wait-free.
 */
EXO_INLINE exo_bool exo_subscriber_cut_off(const struct exo_subscriber *sub)
{
    return sub->refused == EXO_OVERFLOW;
}

/**
 * exo_subscriber_missed_all - how many messages were missed since the subscriber joined, by all overflows together.
 * @sub: receiving handle
 */
EXO_INLINE exo_u64 exo_subscriber_missed_all(const struct exo_subscriber *sub)
{
    return sub->missed_all;
}

#endif
