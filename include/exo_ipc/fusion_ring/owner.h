/* SPDX-License-Identifier: MIT */
/*
 * The producers' places in a ring: take one, leave it, bury a dead holder.
 *
 * A place is one word of the sender segment, generation and holder together, changed by compare-and-swap, so
 * that a producer may be killed at any instant: either it holds the place, and can be buried, or it does not.
 * A generation is never used twice in a row; what a former holder left behind is known by it.
 *
 * Whoever finds all places taken buries the dead first. Burying is one compare-and-swap: it may be done by several
 * at once, and who does it may be killed.
 */
#ifndef EXO_IPC_FUSION_RING_OWNER_H
#define EXO_IPC_FUSION_RING_OWNER_H

#include "sync.h"

EXO_INLINE struct exo_owner *exo_owners_pvt(const struct exo_sender *tx)
{
    return (struct exo_owner *)(void *)(tx->tx + 1);
}

/* The first free place among the producers. */
EXO_INLINE exo_status exo_owner_take_pvt(struct exo_sender *tx, exo_u32 producers, exo_u32 *index)
{
    struct exo_owner *owners = exo_owners_pvt(tx);
    exo_u64 process = exo_port_process();
    exo_u64 holder = (process & 0xFFFFFFu) << 24 | exo_port_self();
    exo_u32 i;
    for (i = 0; i < producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: checked by the swap */
        if ((claim & EXO_OWNER_HOLDER) == 0) {
            tx->claim = exo_owner_next_pvt(claim) | holder;
            /* [attach:take] pairs [attach:leave] */
            if (exo_cas64(&owners[i].claim, &claim, tx->claim, EXO_ACQUIRE)) {
                exo_u64 born = (tx->claim & ~EXO_OWNER_HOLDER) | process;
                exo_store64(&owners[i].process, born, EXO_RELAXED); /* relaxed: its generation says whose */
                tx->owner = &owners[i];
                *index = i;
                return EXO_OK;
            }
        }
    }
    return EXO_ALREADY_EXISTS;
}

/* Free the place of a dead holder. False if somebody else was faster. */
EXO_INLINE exo_bool exo_owner_bury_pvt(struct exo_sender *tx, struct exo_owner *owner, exo_u64 claim)
{
    /* [claim:bury] pairs [claim:buried] */
    if (!exo_cas64(&owner->claim, &claim, exo_owner_next_pvt(claim), EXO_RELEASE)) {
        return EXO_FALSE;
    }
    (void)exo_fetch_add32(&tx->tx->sync.open, 0u - 1u, EXO_RELAXED); /* relaxed: tells users, decides nothing */
    return EXO_TRUE;
}

/* Free all places whose holders are dead. How many. */
EXO_COLD exo_u32 exo_owners_bury_pvt(struct exo_sender *tx, exo_u32 producers)
{
    struct exo_owner *owners = exo_owners_pvt(tx);
    exo_u32 buried = 0;
    exo_u32 i;
    for (i = 0; i < producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: checked by the swap */
        if (exo_owner_dead_pvt(&owners[i], claim)) {
            buried += exo_owner_bury_pvt(tx, &owners[i], claim);
        }
    }
    return buried;
}

/* A place among the producers, a dead one's if there is no other. */
EXO_INLINE exo_status exo_owner_claim_pvt(struct exo_sender *tx, const struct exo_geometry *geometry,
                                          exo_u32 *index)
{
    exo_status status = exo_owner_take_pvt(tx, geometry->producers, index);
    if (status != EXO_OK && (geometry->mode & EXO_MODE_OWNED) != 0 &&
        exo_owners_bury_pvt(tx, geometry->producers) != 0) {
        status = exo_owner_take_pvt(tx, geometry->producers, index);
    }
    return status;
}

/* Give the place among the producers up. */
EXO_INLINE void exo_owner_leave_pvt(struct exo_sender *tx)
{
    /* [attach:leave] pairs [attach:take], [attach:nobody] */
    exo_store64(&tx->owner->claim, tx->claim & ~EXO_OWNER_HOLDER, EXO_RELEASE);
}

/*
 * Producers that may die: begin to leave. Returns whether all others are gone or leaving, and so are to be told. The
 * place still names the process: who dies before everybody knows of the end is found dead in it. The places
 * decide, not the count `open`, which a producer killed at the wrong moment makes wrong for ever.
 */
EXO_INLINE exo_bool exo_owner_leaves_last_pvt(const struct exo_sender *tx)
{
    const struct exo_owner *owners = exo_owners_pvt(tx);
    exo_u32 i;
    /* [attach:leaving] pairs [attach:nobody] */
    exo_store64(&tx->owner->claim, tx->claim & ~(exo_u64)EXO_OWNER_SELF, EXO_RELEASE);
    /* [attach:last] pairs [attach:last]: of two that leave at once, one sees both */
    exo_fence_seq();
    for (i = 0; i < tx->producers; i++) {
        /* [attach:nobody] pairs [attach:leave], [attach:leaving] */
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_ACQUIRE);
        if ((claim & EXO_OWNER_SELF) != 0 && !exo_owner_dead_pvt(&owners[i], claim)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/**
 * exo_sender_recover - free the places of producers that the port knows to be dead (mp, crash-safe).
 * @tx: a living sender of the same ring
 *
 * Nobody has to call this: the receiver steps over what the dead had claimed, and who attaches takes their places.
 * It makes that sooner. Idempotent; may be called by several, and who calls it may be killed.
 *
 * Returns: how many were found; EXO_NOT_SUPPORTED in other modes. Context: the sender's side, not from an interrupt.
 */
EXO_INLINE exo_i64 exo_sender_recover(struct exo_sender *tx)
{
    exo_u32 buried;
    if ((tx->mode & EXO_MODE_OWNED) == 0) {
        return EXO_NOT_SUPPORTED;
    }
    buried = exo_owners_bury_pvt(tx, tx->producers);
    if (buried != 0) {
        exo_notify_readers(tx);
    }
    return buried;
}

/**
 * exo_sender_bury - tell a ring that one of its producers is dead (mp, crash-safe), where the port cannot know.
 * @tx: a living sender of the same ring
 * @self: what exo_port_self() answered in the dead one, when it attached
 *
 * The caller knows the death for certain: its thread was joined, its process reaped. Otherwise as
 * exo_sender_recover().
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if no producer has that identity; EXO_NOT_SUPPORTED in other modes.
 */
EXO_INLINE exo_status exo_sender_bury(struct exo_sender *tx, exo_u32 self)
{
    struct exo_owner *owners = exo_owners_pvt(tx);
    exo_u32 i;
    if ((tx->mode & EXO_MODE_OWNED) == 0) {
        return EXO_NOT_SUPPORTED;
    }
    for (i = 0; i < tx->producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: checked by the swap */
        if (self != 0 && (claim & EXO_OWNER_SELF) == self) {
            if (exo_owner_bury_pvt(tx, &owners[i], claim)) {
                exo_notify_readers(tx);
            }
            return EXO_OK;
        }
    }
    return EXO_NOT_FOUND;
}

#endif
