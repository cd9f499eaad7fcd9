/* SPDX-License-Identifier: MIT */
/*
 * Who holds a producer's place, or the receiver's, and whether the port knows the holder to be dead.
 *
 * A place is claimed by one compare-and-swap of a word that names the holder's process, so that there is no instant
 * at which it is held by nobody knows whom. What more is known of the process, its birth, follows in a second
 * word under the same generation; who dies in between is asked after by its number alone, which can only err
 * on the side of life.
 *
 * Death is the kernel's word, never a matter of time: time only limits how often the kernel is asked.
 */
#ifndef EXO_IPC_FUSION_RING_LIFE_H
#define EXO_IPC_FUSION_RING_LIFE_H

#include "layout.h"

/* How long a claim may stand in front of a receiver before it asks whether the claimant lives. */
#define EXO_CLAIM_PATIENCE_NS 1000000u

/* How often at most one side asks whether anybody on the other lives, and how long it sleeps in between. */
#define EXO_LIFE_SLICE_NS 50000000u

/* In a claim: whoever holds the place, process and thread; the thread, which is 0 once it is leaving. */
#define EXO_OWNER_HOLDER 0xFFFFFFFFFFFFull
#define EXO_OWNER_SELF 0xFFFFFFull

/* Generations are never used twice in a row; the first is 1 and never comes again. */
EXO_INLINE exo_u64 exo_owner_next_pvt(exo_u64 claim)
{
    exo_u64 generation = claim >> 48;
    return (generation == 0xFFFFu ? 2 : generation + 1) << 48;
}

/* Whether somebody holds the place who is known to be dead. */
EXO_COLD exo_bool exo_owner_dead_pvt(const struct exo_owner *owner, exo_u64 claim)
{
    exo_u64 process = exo_load64(&owner->process, EXO_RELAXED); /* relaxed: of use under the same generation */
    exo_u64 number = claim >> 24 & 0xFFFFFFu;
    if (process >> 48 != claim >> 48 || (process & 0xFFFFFFu) != number) {
        process = number;
    }
    return (claim & EXO_OWNER_HOLDER) != 0 && number != 0 &&
           !exo_port_process_alive(process & EXO_OWNER_HOLDER);
}

/* Whether all producers' places that are held are held by the dead, and one is. */
EXO_COLD exo_bool exo_owners_dead_pvt(const struct exo_tx_segment *tx, exo_u32 producers)
{
    const struct exo_owner *owners = (const struct exo_owner *)(const void *)(tx + 1);
    exo_bool any = EXO_FALSE;
    exo_u32 i;
    for (i = 0; i < producers; i++) {
        exo_u64 claim = exo_load64(&owners[i].claim, EXO_RELAXED); /* relaxed: asks the kernel, reads nothing */
        if ((claim & EXO_OWNER_HOLDER) != 0) {
            if (!exo_owner_dead_pvt(&owners[i], claim)) {
                return EXO_FALSE;
            }
            any = EXO_TRUE;
        }
    }
    return any;
}

/* Whether the receiver's place is held by a dead one. */
EXO_COLD exo_bool exo_holder_dead_pvt(const struct exo_rx_segment *rx)
{
    exo_u64 holder = exo_load64(&rx->sync.holder, EXO_RELAXED); /* relaxed: as above */
    return holder != 0 && !exo_port_process_alive(holder);
}

/* Whether it is time to ask again. */
EXO_INLINE exo_bool exo_life_due_pvt(exo_u64 *asked_ns, exo_u64 pause_ns)
{
    exo_u64 now = exo_port_now_ns();
    if (now - *asked_ns < pause_ns) {
        return EXO_FALSE;
    }
    *asked_ns = now;
    return EXO_TRUE;
}

#endif
