/* SPDX-License-Identifier: MIT */
/*
 * A receiver's books of all arenas: where they are, what it views, how far it has come in the release rings.
 *
 * The tables are private but for `viewed` in the crash-safe profile, whose next receiver must know (inherit.h). In
 * rings with several consumers all share them.
 */
#ifndef EXO_IPC_FUSION_RING_VIEWS_H
#define EXO_IPC_FUSION_RING_VIEWS_H

#include "layout.h"

struct exo_views {
    const exo_u8 *memory; /* arena of producer 0 */
    exo_u64 bytes;        /* of all arenas */
    exo_u32 *viewed;      /* generation viewed, one per block of all arenas; 0: none */
    exo_u32 total;        /* blocks of all arenas; 0: there are none */
    exo_u32 blocks;       /* of one arena */
    struct exo_release_entry *ring;
    exo_word64 *released; /* entries written, one per producer */
    exo_u32 ring_mask;
    exo_u32 producers;
};

/* Bytes of private memory for the tables. */
EXO_INLINE exo_u64 exo_views_bytes_pvt(exo_u32 blocks, exo_u32 producers)
{
    exo_u64 released = (exo_u64)producers * sizeof(exo_word64);
    return exo_align_up(released + (exo_u64)blocks * producers * sizeof(exo_u32), EXO_CACHE_LINE);
}

/* Entry number `at` of a producer's release ring. */
EXO_HOT struct exo_release_entry *exo_release_entry_pvt(const struct exo_views *views, exo_u32 producer, exo_u64 at)
{
    return &views->ring[(exo_size)producer * (views->ring_mask + 1) + ((exo_u32)at & views->ring_mask)];
}

/* Where the release rings stand, from the receivers' own segment: a former receiver of another process kept that in
 * its books. */
EXO_INLINE void exo_views_recover_pvt(const struct exo_views *views)
{
    exo_u32 producer;
    exo_u32 i;
    for (producer = 0; producer < views->producers; producer++) {
        exo_u64 last = 0;
        for (i = 0; i <= views->ring_mask; i++) {
            /* relaxed: [attach:succeed] */
            exo_u64 tag = exo_load64(&exo_release_entry_pvt(views, producer, i)->tag, EXO_RELAXED);
            last = tag > last ? tag : last;
        }
        exo_store64(&views->released[producer], last, EXO_RELAXED); /* relaxed: private */
    }
}

#endif
