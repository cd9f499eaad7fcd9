/* SPDX-License-Identifier: MIT */
/*
 * The producers' places in a ring: take one, leave it, bury a dead holder.
 *
 * A place is one word of the sender segment, generation and holder together, changed by compare-and-swap, so
 * that a producer may be killed at any instant: either it holds the place, and can be buried, or it does not.
 * A generation is never used twice in a row; what a former holder left behind is known by it.
 */
#ifndef EXO_IPC_FUSION_RING_OWNER_H
#define EXO_IPC_FUSION_RING_OWNER_H

#include "sync.h"

/* The first free place among the producers. */
EXO_INLINE exo_status exo_owner_claim_pvt(struct exo_sender *tx, const struct exo_geometry *geometry,
                                          exo_u32 *index)
{
    struct exo_owner *owners = (struct exo_owner *)(void *)(tx->tx + 1);
    exo_u32 self = exo_port_self();
    exo_u32 i;
    for (i = 0; i < geometry->producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: checked by the swap */
        if ((exo_u32)claim == 0) {
            tx->claim = (((claim >> 32) + 1) << 32) | self;
            /* [attach:take] pairs [attach:leave] */
            if (exo_cas64(&owners[i].claim, &claim, tx->claim, EXO_ACQUIRE)) {
                tx->owner = &owners[i];
                *index = i;
                return EXO_OK;
            }
        }
    }
    return EXO_ALREADY_EXISTS;
}

/* Give the place among the producers up. */
EXO_INLINE void exo_owner_leave_pvt(struct exo_sender *tx)
{
    /* [attach:leave] pairs [attach:take], [attach:nobody] */
    exo_store64(&tx->owner->claim, tx->claim >> 32 << 32, EXO_RELEASE);
}

/* Whether no producer is left, the caller having left. The places say so, not the count `open`: a producer that
 * is killed between the two would make it wrong for ever. */
EXO_INLINE exo_bool exo_owners_gone_pvt(const struct exo_sender *tx)
{
    const struct exo_owner *owners = (const struct exo_owner *)(const void *)(tx->tx + 1);
    exo_u32 i;
    /* [attach:last] pairs [attach:last]: of two that leave at once, one sees both gone */
    exo_fence_seq();
    for (i = 0; i < tx->producers; i++) {
        /* [attach:nobody] pairs [attach:leave] */
        if ((exo_u32)exo_load64(&owners[i].claim, EXO_ACQUIRE) != 0) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/**
 * exo_sender_bury - tell a ring that one of its producers is dead (mp, crash-safe).
 * @tx: a living sender of the same ring
 * @self: what exo_port_self() answered in the dead one, when it attached
 *
 * The caller knows the death from the kernel: its child was reaped, its pidfd is readable. Slots that the dead
 * one had claimed are stepped over, its place is free again. Idempotent; may be called by several.
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if no producer has that identity; EXO_NOT_SUPPORTED in other modes.
 * Context: the sender's side.
 */
EXO_INLINE exo_status exo_sender_bury(struct exo_sender *tx, exo_u32 self)
{
    struct exo_owner *owners = (struct exo_owner *)(void *)(tx->tx + 1);
    exo_u32 i;
    if ((tx->mode & EXO_MODE_OWNED) == 0) {
        return EXO_NOT_SUPPORTED;
    }
    for (i = 0; i < tx->producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: checked by the swap */
        if (self != 0 && (exo_u32)claim == self) {
            exo_u64 buried = ((claim >> 32) + 1) << 32;
            /* [claim:bury] pairs [claim:buried] */
            if (exo_cas64(&owners[i].claim, &claim, buried, EXO_ACQ_REL)) {
                (void)exo_fetch_add32(&tx->tx->sync.open, 0u - 1u, EXO_RELAXED); /* relaxed: we are open */
                exo_notify_readers(tx);
            }
            return EXO_OK;
        }
    }
    return EXO_NOT_FOUND;
}

#endif
