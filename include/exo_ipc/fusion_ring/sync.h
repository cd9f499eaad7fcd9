/* SPDX-License-Identifier: MIT */
/*
 * Waiting. Every blocking call is its trying form, tried in a short spin, then between naps: announce, fence,
 * try again, sleep until the other side changes its event word (wake.h has the proof). The attempt itself is
 * the condition, so nothing can slip in between a wake-up and the operation it was for.
 *
 * Deadlines are absolute, in nanoseconds of exo_port_now_ns(). EXO_NOW means not to wait at all: the answer
 * is WouldBlock then. EXO_FOREVER means none. A deadline in the past still gets one attempt.
 *
 * A sleeping call ends when the peer closes (Closed) or dies (PeerDied, within 100 ms on every port, by a
 * fact of the kernel). Nothing is returned spuriously.
 *
 * All calls here: Context: not from an interrupt, may sleep. Progress: blocking.
 */
#ifndef EXO_IPC_FUSION_RING_SYNC_H
#define EXO_IPC_FUSION_RING_SYNC_H

#include "inplace.h"
#include "path.h"

/* One attempt of a blocking call, and what it works on. */
struct exo_attempt {
    exo_i64 (*try_once)(const struct exo_attempt *attempt);
    struct exo_sender *tx;
    struct exo_receiver *rx;
    const void *from;
    void *to;
    exo_size size;
};

EXO_HOT exo_bool exo_attempt_again_pvt(exo_i64 result)
{
    return result == EXO_EMPTY || result == EXO_FULL;
}

/* Where the side that waits counts. */
EXO_INLINE struct exo_profiler *exo_attempt_profiler_pvt(const struct exo_attempt *attempt)
{
    return attempt->tx != EXO_NULL ? attempt->tx->waker.profiler : attempt->rx->waker.profiler;
}

/* How long the first, second, ... sleep of a call lasts at most, in nanoseconds; 0: until somebody wakes us. */
EXO_INLINE exo_u64 exo_nap_most_pvt(const struct exo_sleeper *sleeper, exo_u32 naps)
{
    exo_u64 most = sleeper->slice_ns; /* nobody wakes us for the death of one that we cannot watch */
    naps += sleeper->asked ? EXO_DOUBT_ASKED : 0;
    if (sleeper->doubt_ns != 0 && naps < 24) {
        exo_u64 doubt = (exo_u64)sleeper->doubt_ns << naps;
        most = most == 0 ? doubt : exo_min64(most, doubt);
    }
    return most;
}

/* When it ends at the latest. */
EXO_INLINE exo_u64 exo_nap_end_pvt(exo_u64 most, exo_u64 deadline_ns)
{
    return most == 0 ? deadline_ns : exo_min64(deadline_ns, exo_port_now_ns() + most);
}

/* Sleep once, unless the attempt succeeds after the announcement. Returns its result. */
EXO_INLINE exo_i64 exo_nap_pvt(struct exo_sleeper *sleeper, const struct exo_attempt *attempt, exo_u32 naps,
                               exo_u64 deadline_ns, struct exo_port_peer *peer)
{
    exo_u32 event = exo_sleeper_announce_pvt(sleeper);
    exo_i64 result = attempt->try_once(attempt);
    if (exo_attempt_again_pvt(result)) {
        deadline_ns = exo_nap_end_pvt(exo_nap_most_pvt(sleeper, naps), deadline_ns);
        exo_probe_slept_pvt(exo_attempt_profiler_pvt(attempt));
        exo_port_wait(sleeper->event, event, deadline_ns, sleeper->shared, peer);
    }
    exo_sleeper_withdraw_pvt(sleeper);
    return exo_attempt_again_pvt(result) ? attempt->try_once(attempt) : result;
}

/* Spin, then nap, until an attempt succeeds or the time is over. */
EXO_INLINE exo_i64 exo_try_on_pvt(struct exo_sleeper *sleeper, const struct exo_attempt *attempt,
                                  exo_u64 deadline_ns, struct exo_port_peer *peer)
{
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
        result = exo_nap_pvt(sleeper, attempt, turn, deadline_ns, peer);
        if (!exo_attempt_again_pvt(result)) {
            return result;
        }
    }
    return EXO_TIMEOUT;
}

/* A first attempt came too early: wait, if that is allowed. */
EXO_INLINE exo_i64 exo_wait_pvt(struct exo_sleeper *sleeper, const struct exo_attempt *attempt,
                                exo_u64 deadline_ns, struct exo_port_peer *peer)
{
    exo_u32 mode = attempt->tx != EXO_NULL ? attempt->tx->mode : attempt->rx->mode;
    exo_i64 result;
    if (deadline_ns == EXO_NOW) {
        return EXO_WOULD_BLOCK;
    }
    if ((mode & EXO_MODE_POLLED) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    exo_probe_wait_pvt(exo_attempt_profiler_pvt(attempt));
    result = exo_try_on_pvt(sleeper, attempt, deadline_ns, peer);
    exo_probe_waited_pvt(exo_attempt_profiler_pvt(attempt), result >= 0);
    return result;
}

EXO_INLINE exo_i64 exo_try_readable_pvt(const struct exo_attempt *attempt)
{
    struct exo_receiver *rx = attempt->rx;
    exo_u64 control = 0;
    exo_u64 pos;
    exo_status reason = EXO_EMPTY;
    if ((rx->mode & EXO_MODE_MC) == 0) {
        return exo_rx_settle_pvt(rx, &control);
    }
    for (;;) {
        pos = exo_load64(rx->exact, EXO_RELAXED); /* relaxed: a look, no claim */
        control = exo_line_ready_pvt(exo_rx_line_pvt(rx, pos));
        if (exo_control_is_for_pvt(control, pos) && exo_control_kind_pvt(control) != EXO_KIND_NONE) {
            if (exo_control_kind_pvt(control) != EXO_KIND_DISCARD) {
                return EXO_OK;
            }
            exo_rx_step_over_mc_pvt(rx, pos);
            continue;
        }
        if (exo_load64(rx->exact, EXO_RELAXED) != pos) { /* relaxed: same */
            continue;
        }
        if (reason != EXO_EMPTY) {
            return reason;
        }
        reason = exo_rx_empty_reason_pvt(rx);
        if (reason == EXO_EMPTY) {
            return reason;
        }
    }
}

EXO_INLINE exo_u64 exo_tx_next_pvt(const struct exo_sender *tx)
{
    exo_u64 control;
    return (tx->mode & EXO_MODE_OWNED) != 0 ? exo_tx_frontier_pvt(tx, &control)
                                            : exo_tx_guess_pvt(tx, tx->mode);
}

EXO_INLINE exo_i64 exo_try_writable_pvt(const struct exo_attempt *attempt)
{
    struct exo_sender *tx = attempt->tx;
    for (;;) {
        exo_u64 pos = exo_tx_next_pvt(tx);
        exo_status status =
            exo_tx_has_room_pvt(tx, pos, 1) ? EXO_OK : exo_tx_refresh_pvt(tx, pos, 1);
        if (status != EXO_FULL || exo_tx_next_pvt(tx) == pos) {
            return status;
        }
    }
}

EXO_INLINE exo_i64 exo_try_send_inline_pvt(const struct exo_attempt *attempt)
{
    return exo_send_inline(attempt->tx, attempt->from, attempt->size);
}
EXO_INLINE exo_i64 exo_try_recv_inline_pvt(const struct exo_attempt *attempt)
{
    return exo_recv_inline(attempt->rx, attempt->to, attempt->size);
}
EXO_INLINE exo_i64 exo_try_send_pvt(const struct exo_attempt *attempt)
{
    return exo_send(attempt->tx, attempt->from, attempt->size);
}
EXO_INLINE exo_i64 exo_try_recv_pvt(const struct exo_attempt *attempt)
{
    return exo_recv(attempt->rx, attempt->to, attempt->size);
}
EXO_INLINE exo_i64 exo_try_loan_pvt(const struct exo_attempt *attempt)
{
    return exo_loan(attempt->tx, attempt->size, (struct exo_loaned *)attempt->to);
}
EXO_INLINE exo_i64 exo_try_send_loan_pvt(const struct exo_attempt *attempt)
{
    return exo_send_loan(attempt->tx, (struct exo_loaned *)attempt->to);
}
EXO_INLINE exo_i64 exo_try_view_pvt(const struct exo_attempt *attempt)
{
    return exo_view(attempt->rx, (struct exo_viewed *)attempt->to);
}

EXO_OUTLINE exo_i64 exo_tx_wait_on_pvt(struct exo_sender *tx,
                                       exo_i64 (*try_once)(const struct exo_attempt *),
                                       const void *from, void *to, exo_size size, exo_u64 deadline_ns)
{
    const struct exo_attempt attempt = {try_once, tx, (struct exo_receiver *)EXO_NULL, from, to, size};
    return exo_wait_pvt(&tx->sleeper, &attempt, deadline_ns, tx->peer);
}

EXO_OUTLINE exo_i64 exo_rx_wait_on_pvt(struct exo_receiver *rx,
                                       exo_i64 (*try_once)(const struct exo_attempt *), void *to,
                                       exo_size size, exo_u64 deadline_ns)
{
    const struct exo_attempt attempt = {try_once, (struct exo_sender *)EXO_NULL, rx, EXO_NULL, to, size};
    return exo_wait_pvt(&rx->sleeper, &attempt, deadline_ns, rx->peer);
}

/* Whether the first attempt of a call settled it, so that nobody has to wait. */
EXO_HOT exo_bool exo_settled_pvt(struct exo_sleeper *sleeper, exo_i64 result)
{
    if (EXO_UNLIKELY(exo_attempt_again_pvt(result))) {
        return EXO_FALSE;
    }
    if (EXO_UNLIKELY(sleeper->parked != 0)) {
        exo_sleeper_adapt_pvt(sleeper, EXO_FALSE);
    }
    return EXO_TRUE;
}

/* Always inline, so that the first attempt is a direct call, and its record needs no memory. */
EXO_HOT exo_i64 exo_tx_wait_pvt(struct exo_sender *tx, exo_i64 (*try_once)(const struct exo_attempt *),
                                const void *from, void *to, exo_size size, exo_u64 deadline_ns)
{
    const struct exo_attempt first = {try_once, tx, (struct exo_receiver *)EXO_NULL, from, to, size};
    exo_i64 result = try_once(&first);
    return EXO_LIKELY(exo_settled_pvt(&tx->sleeper, result))
               ? result
               : exo_tx_wait_on_pvt(tx, try_once, from, to, size, deadline_ns);
}

EXO_HOT exo_i64 exo_rx_wait_pvt(struct exo_receiver *rx, exo_i64 (*try_once)(const struct exo_attempt *),
                                void *to, exo_size size, exo_u64 deadline_ns)
{
    const struct exo_attempt first = {try_once, (struct exo_sender *)EXO_NULL, rx, EXO_NULL, to, size};
    exo_i64 result = try_once(&first);
    return EXO_LIKELY(exo_settled_pvt(&rx->sleeper, result))
               ? result
               : exo_rx_wait_on_pvt(rx, try_once, to, size, deadline_ns);
}

/**
 * exo_wait_readable - wait until a message can be received.
 * @rx: receiver handle
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: EXO_OK; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_CLOSED, EXO_PEER_DIED when nothing is left and
 * nothing will come; EXO_CORRUPT; EXO_NOT_SUPPORTED on a polled ring. With several consumers another one
 * may take the message first.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_wait_readable(struct exo_receiver *rx, exo_u64 deadline_ns)
{
    return (exo_status)exo_rx_wait_pvt(rx, exo_try_readable_pvt, EXO_NULL, 0, deadline_ns);
}

/**
 * exo_wait_writable - wait until a slot is free. Parameters and returns as exo_wait_readable(). With
 * several producers another one may take the slot first.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_wait_writable(struct exo_sender *tx, exo_u64 deadline_ns)
{
    return (exo_status)exo_tx_wait_pvt(tx, exo_try_writable_pvt, EXO_NULL, EXO_NULL, 0, deadline_ns);
}

/**
 * exo_notify_readers - make all sleeping receivers look again.
 * @tx: sender handle
 *
 * Every send does this by itself; it is for users who publish in ways of their own.
 * Context: any, interrupts included. Progress: wait-free.
 */
EXO_INLINE void exo_notify_readers(struct exo_sender *tx)
{
    (void)exo_tx_notify_pvt(tx, tx->mode, tx->pos, 0xFFFFFFFFu);
}

/**
 * exo_notify_writers - make all sleeping senders look again. As exo_notify_readers().
 */
EXO_INLINE void exo_notify_writers(struct exo_receiver *rx)
{
    exo_rx_notify_pvt(rx, rx->mode, 0xFFFFFFFFu);
}

/**
 * exo_send_blocking - exo_send(), waiting for room until a deadline.
 * @tx, @data, @len: as exo_send()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_send() but never EXO_FULL; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_NOT_SUPPORTED when a
 * polled ring is full. On an error nothing was sent.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_send_blocking(struct exo_sender *tx, const void *data,
                                                     exo_size len, exo_u64 deadline_ns)
{
    if (!exo_fits_inline(len)) {
        tx->sleeper.picky = EXO_TRUE; /* may wait for a block */
    }
    return (exo_status)exo_tx_wait_pvt(tx, exo_fits_inline(len) ? exo_try_send_inline_pvt : exo_try_send_pvt,
                                       data, EXO_NULL, len, deadline_ns);
}

/**
 * exo_recv_blocking - exo_recv(), waiting for a message until a deadline.
 * @rx, @buffer, @size: as exo_recv()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_recv() but never EXO_EMPTY; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_NOT_SUPPORTED when
 * a polled ring is empty.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_recv_blocking(struct exo_receiver *rx, void *buffer, exo_size size,
                                                  exo_u64 deadline_ns)
{
    return exo_rx_wait_pvt(rx, exo_try_recv_pvt, buffer, size, deadline_ns);
}

/**
 * exo_recv_inline_blocking - exo_recv_inline(), waiting for a message until a deadline. Otherwise as
 * exo_recv_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_recv_inline_blocking(struct exo_receiver *rx, void *buffer,
                                                         exo_size size, exo_u64 deadline_ns)
{
    return exo_rx_wait_pvt(rx, exo_try_recv_inline_pvt, buffer, size, deadline_ns);
}

/**
 * exo_loan_blocking - exo_loan(), waiting for room in the arena until a deadline. Otherwise as
 * exo_send_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_loan_blocking(struct exo_sender *tx, exo_size size,
                                                     struct exo_loaned *loan, exo_u64 deadline_ns)
{
    tx->sleeper.picky = EXO_TRUE;
    return (exo_status)exo_tx_wait_pvt(tx, exo_try_loan_pvt, EXO_NULL, loan, size, deadline_ns);
}

/**
 * exo_send_loan_blocking - exo_send_loan(), waiting for a slot until a deadline. Otherwise as
 * exo_send_blocking(); the loan stays the caller's on an error.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_send_loan_blocking(struct exo_sender *tx,
                                                          struct exo_loaned *loan, exo_u64 deadline_ns)
{
    return (exo_status)exo_tx_wait_pvt(tx, exo_try_send_loan_pvt, EXO_NULL, loan, 0, deadline_ns);
}

/**
 * exo_view_blocking - exo_view(), waiting for a message until a deadline. Otherwise as exo_recv_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_view_blocking(struct exo_receiver *rx, struct exo_viewed *view,
                                                     exo_u64 deadline_ns)
{
    return (exo_status)exo_rx_wait_pvt(rx, exo_try_view_pvt, view, 0, deadline_ns);
}

#endif
