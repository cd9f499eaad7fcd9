/* SPDX-License-Identifier: MIT */
/*
 * Sleeping elsewhere: a thread that waits for more than rings, in its system's own way (a descriptor in epoll, a message
 * of its kernel), asks the other side to ring a bell there. The bell is the port's (exo_port_ring_bell); the handles of
 * the other side know how to ring it, or never will.
 *
 *   for (;;) {
 *       take all there is, until Empty;
 *       if (exo_receiver_arm(&rx, 0, &again_ns) == EXO_OK) {
 *           sleep until the bell rings, or again_ns;
 *           exo_receiver_disarm(&rx);
 *       }
 *   }
 *
 * Arming is steps S1 to S4 of wake.h: announce, fence, look again. So either the look sees what the other side published,
 * or the other side sees the announcement and rings. What was armed is answered by one ring; arm again after it. A
 * blocking call on the same handle takes its place.
 *
 * Only a handle that is alone on its side can be armed: one receiver, one sender. Where nobody arms, nothing is done or
 * paid for it: the announcement is one more bit of a word that is looked at anyway.
 *
 * Context: the calls here are for the handle's own thread, not from an interrupt. Progress: wait-free.
 */
#ifndef EXO_IPC_FUSION_RING_BELL_H
#define EXO_IPC_FUSION_RING_BELL_H

#include "sync.h"

EXO_INLINE exo_status exo_arm_pvt(struct exo_sleeper *sleeper, const struct exo_attempt *look, exo_u32 mode,
                                  exo_u32 naps, exo_u64 *again_ns)
{
    exo_i64 result;
    if (!sleeper->alone || (mode & EXO_MODE_POLLED) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    exo_sleeper_adapt_pvt(sleeper, EXO_TRUE);
    sleeper->bell = EXO_WAIT_BELL;
    (void)exo_sleeper_announce_pvt(sleeper);
    sleeper->bell = 0;
    result = look->try_once(look);
    if (exo_attempt_again_pvt(result)) {
        *again_ns = exo_min64(*again_ns, exo_nap_end_pvt(exo_nap_most_pvt(sleeper, naps), EXO_FOREVER));
        return EXO_OK;
    }
    exo_sleeper_withdraw_pvt(sleeper);
    exo_sleeper_adapt_pvt(sleeper, EXO_FALSE);
    return result >= 0 ? EXO_INTERRUPTED : (exo_status)result;
}

/* Whether a message of that size could be sent now. */
EXO_INLINE exo_i64 exo_try_room_pvt(const struct exo_attempt *attempt)
{
    struct exo_loaned loan;
    exo_i64 result = exo_try_writable_pvt(attempt);
    if (result != EXO_OK || exo_fits_inline(attempt->size)) {
        return result;
    }
    result = exo_loan(attempt->tx, attempt->size, &loan);
    if (result == EXO_OK) {
        result = exo_loan_cancel(attempt->tx, &loan);
    }
    return result;
}

/**
 * exo_receiver_arm - have the bell rung when a message can be received, unless one can already.
 * @rx: receiver handle
 * @naps: how often in a row it was armed and looked at for nothing; spaces the looks that again_ns asks for
 * @again_ns: when to look again at the latest, lowered to that; EXO_FOREVER, where nothing asks for it (as in
 *   port.h, EXO_PORT_FENCE_DOUBT_NS)
 *
 * Returns: EXO_OK, then sleep; EXO_INTERRUPTED if there is a message; EXO_CLOSED, EXO_PEER_DIED, EXO_CORRUPT as a
 * receive would say, and EXO_NOT_SUPPORTED with several receivers or on a polled ring. Only EXO_OK leaves it armed.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_receiver_arm(struct exo_receiver *rx, exo_u32 naps, exo_u64 *again_ns)
{
    const struct exo_attempt look = {exo_try_readable_pvt, (struct exo_sender *)EXO_NULL, rx, EXO_NULL, EXO_NULL, 0};
    return exo_arm_pvt(&rx->sleeper, &look, rx->mode, naps, again_ns);
}

/**
 * exo_sender_arm - have the bell rung when a message can be sent, unless one can already.
 * @tx: sender handle
 * @size: of the message, in bytes: a larger one needs room in the arena besides a slot
 * @naps, @again_ns: as exo_receiver_arm()
 *
 * Returns: as exo_receiver_arm(), EXO_INTERRUPTED if there is room; EXO_INVALID_SIZE if there never will be.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sender_arm(struct exo_sender *tx, exo_size size, exo_u32 naps,
                                                  exo_u64 *again_ns)
{
    const struct exo_attempt look = {exo_try_room_pvt, tx, (struct exo_receiver *)EXO_NULL, EXO_NULL, EXO_NULL, size};
    return exo_arm_pvt(&tx->sleeper, &look, tx->mode, naps, again_ns);
}

/**
 * exo_receiver_disarm - take the announcement back: no more rings are asked for. Harmless if it is not armed.
 * @rx: receiver handle
 *
 * A ring that is on its way may still come.
 */
EXO_INLINE void exo_receiver_disarm(struct exo_receiver *rx)
{
    if (rx->sleeper.alone) {
        exo_sleeper_withdraw_pvt(&rx->sleeper);
    }
}

/**
 * exo_sender_disarm - as exo_receiver_disarm(), of a sender.
 */
EXO_INLINE void exo_sender_disarm(struct exo_sender *tx)
{
    if (tx->sleeper.alone) {
        exo_sleeper_withdraw_pvt(&tx->sleeper);
    }
}

#endif
