/* SPDX-License-Identifier: MIT */
/*
 * What a receiver that died was viewing goes back to its senders (crash-safe).
 *
 * The table of what is viewed lies in the receiver segment there, and its order with the rest makes every instant
 * of a death one of these:
 *
 *   exo_view      viewed := generation      the slot still stands before `exact`: it comes again, and is viewed then
 *                 exact := position + 1     viewed
 *   exo_release   release entry             both: the entry is the last of its ring, for a receiver releases one by one
 *                 viewed := 0               released
 *
 * Who takes the place therefore strikes what still stands in the ring and what its last entry names, and releases the
 * rest in the same two steps. It may itself be killed at any of them, and the next one goes on.
 *
 * Progress: wait-free, in one pass over the slots and one over the blocks.
 */
#ifndef EXO_IPC_FUSION_RING_INHERIT_H
#define EXO_IPC_FUSION_RING_INHERIT_H

#include "view.h"

/* Strike the view that a token names, if there is one. */
EXO_INLINE void exo_view_strike_pvt(const struct exo_views *views, exo_u64 token)
{
    exo_u32 *viewed = &views->viewed[(exo_u32)token];
    /* relaxed: ours since [attach:succeed] */
    if ((exo_u32)token < views->total &&
        exo_load32(viewed, EXO_RELAXED) == (exo_u32)(token >> 32)) {
        exo_store32(viewed, 0u, EXO_RELAXED); /* relaxed: same */
    }
}

/* Strike what the ring will deliver again. */
EXO_INLINE void exo_views_strike_pending_pvt(struct exo_receiver *rx)
{
    const struct exo_views *views = &rx->views;
    exo_u64 i;
    for (i = 0; i <= rx->mask; i++) {
        const exo_word64 *line = exo_rx_line_pvt(rx, rx->pos + i);
        exo_u64 control = exo_line_ready_pvt(line);
        exo_u32 kind = exo_control_kind_pvt(control);
        if (exo_control_is_for_pvt(control, rx->pos + i) &&
            (kind == EXO_KIND_LOAN || kind == EXO_KIND_MESSAGE_LOAN)) {
            exo_view_strike_pvt(views, exo_load64(&line[0], EXO_RELAXED)); /* relaxed: acquired with the control word */
        }
    }
}

/* Strike what the last entry of each release ring names: that was released already. Before anything else is
 * released, for then another entry is the last. */
EXO_INLINE void exo_views_strike_released_pvt(const struct exo_views *views)
{
    exo_u32 producer;
    for (producer = 0; producer < views->producers; producer++) {
        exo_u64 released = exo_load64(&views->released[producer], EXO_RELAXED); /* relaxed: private */
        const struct exo_release_entry *entry = exo_release_entry_pvt(views, producer, released - 1);
        exo_u64 token = exo_load64(&entry->token, EXO_RELAXED); /* relaxed: ours since [attach:succeed] */
        if (released != 0) {
            exo_view_strike_pvt(views, token);
        }
    }
}

/* A new receiver: give back what the former one held. How many. */
EXO_COLD exo_u32 exo_views_inherit_pvt(struct exo_receiver *rx)
{
    const struct exo_views *views = &rx->views;
    exo_u32 given = 0;
    exo_u32 number;
    exo_views_strike_pending_pvt(rx);
    exo_views_strike_released_pvt(views);
    for (number = 0; number < views->total; number++) {
        exo_u32 generation = exo_load32(&views->viewed[number], EXO_RELAXED); /* relaxed: as above */
        if (generation != 0) {
            exo_release_enter_pvt(views, rx->mode, number / views->blocks, (exo_u64)generation << 32 | number);
            exo_store32(&views->viewed[number], 0u, EXO_RELAXED); /* relaxed: as above */
            given++;
        }
    }
    return given;
}

#endif
