/* SPDX-License-Identifier: MIT */
/*
 * The sender of a broadcast: its handle, its table of subscribers, and its books of who holds which block. All of it is
 * private to the sender and in nobody else's reach.
 *
 * A block is LENT to the sender's user, then SENT. What was sent is held by the slot that names it and, in a reliable
 * broadcast, by each subscriber that was admitted when it was sent or joined with it as history; a bit for each seat.
 * Who is let go holds nothing any more.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_PUBLISHER_H
#define EXO_IPC_CHANNEL_BROADCAST_PUBLISHER_H

#include "../fusion_ring/loan.h"
#include "../fusion_ring/sync.h"
#include "broadcast_layout.h"

/* Positions are free without limit: latest, or nobody listens. */
#define EXO_CAST_UNLIMITED 0xFFFFFFFFFFFFFFFFull

/* One admitted subscriber. Its struct exo_waker stands at the same index of another table. */
struct exo_cast_link {
    const struct exo_cast_rx *rx;
    const struct exo_release_entry *ring;
    struct exo_port_peer *peer;
    exo_u64 start;
    exo_u64 position; /* next message that it takes, as far as is known */
    exo_u64 ring_pos;
    exo_u64 stuck_ns; /* since when it holds the sender back; 0: it does not */
    exo_u64 generation;
    exo_u32 seat;
    exo_u32 held; /* blocks that it has not given back */
};

/* Who holds a block that was sent, at the index of its first block. */
struct exo_holding {
    exo_u64 holders; /* seats, bit by bit; latest: seats that were seen to have it pinned */
    exo_u32 next;    /* latest: in the list of blocks whose slots were overwritten */
    exo_u32 slotted; /* 1: a slot still names it */
};

/**
 * struct exo_publisher - the sending handle of a broadcast. Its members are the library's.
 */
struct exo_publisher {
    exo_u8 *lines;
    exo_u64 pos;   /* next position */
    exo_u64 limit; /* positions below it are free */
    exo_size off_mask;
    const exo_u32 *lobby; /* changes when somebody wants to be admitted */
    exo_u32 lobby_seen;
    exo_u32 slotted; /* slots that name a block */
    struct exo_waker *wakers;
    exo_u32 count; /* of admitted subscribers */
    exo_bool latest;
    exo_u32 mask;
    exo_size fetch;
    struct exo_cast_tx *tx;
    struct exo_seat *seats;
    struct exo_cast_link *links;
    exo_u64 *admitted; /* generation that each seat's claim had when it was looked at last */
    const exo_u8 *places; /* threads: the subscribers' segments; null: admitted one by one */
    exo_size place_bytes;
    exo_u32 seat_count;
    exo_status refused;
    exo_u64 floor;
    exo_u64 mask_admitted; /* seats, bit by bit */
    exo_u64 lag_ns;
    exo_u64 starved_ns;      /* since when no block was to be had; 0: there was one */
    struct exo_arena *arena; /* null: none */
    struct exo_holding *holding;
    exo_u32 *slot_block; /* first block of what each slot names, or NOWHERE */
    exo_u32 limbo;       /* latest: blocks whose slots were overwritten, perhaps pinned */
    exo_u32 release_mask;
    exo_bool asymmetric;
    exo_u32 profile; /* of trust */
    exo_u32 nobody; /* the lobby where there is none */
    struct exo_profiler *profiler;
    struct exo_sleeper sleeper;
};

EXO_HOT exo_word64 *exo_publisher_line_pvt(const struct exo_publisher *tx, exo_u64 pos)
{
    return (exo_word64 *)(void *)(tx->lines + (((exo_size)pos << 6) & tx->off_mask));
}

/* The oldest message that is still there. */
EXO_INLINE exo_u64 exo_publisher_oldest_pvt(const struct exo_publisher *tx)
{
    exo_u64 size = (exo_u64)tx->mask + 1;
    return tx->pos - tx->floor > size ? tx->pos - size : tx->floor;
}

/* A block of a reliable broadcast that nobody holds any more is free. */
EXO_HOT void exo_blocks_settle_pvt(struct exo_publisher *tx, exo_u32 block)
{
    if (tx->holding[block].holders == 0 && tx->holding[block].slotted == 0) {
        exo_arena_give_pvt(tx->arena, block);
    }
}

/* The slot at pos names its block no longer, or is about to be overwritten. */
EXO_INLINE void exo_blocks_unslot_pvt(struct exo_publisher *tx, exo_u64 pos)
{
    exo_u32 *slot = &tx->slot_block[(exo_u32)pos & tx->mask];
    exo_u32 block = *slot;
    if (block == EXO_ARENA_NOWHERE) {
        return;
    }
    *slot = EXO_ARENA_NOWHERE;
    tx->slotted--;
    tx->holding[block].slotted = 0;
    if (tx->latest) {
        tx->holding[block].next = tx->limbo;
        tx->limbo = block;
    } else {
        exo_blocks_settle_pvt(tx, block);
    }
}

/* The slot at pos names a block: all who are admitted hold it. */
EXO_INLINE void exo_blocks_slot_pvt(struct exo_publisher *tx, exo_u64 pos, exo_u32 block)
{
    exo_u32 at;
    tx->slot_block[(exo_u32)pos & tx->mask] = block;
    tx->slotted++;
    tx->holding[block].slotted = 1;
    tx->holding[block].holders = tx->latest ? 0 : tx->mask_admitted;
    for (at = 0; at < tx->count && !tx->latest; at++) {
        tx->links[at].held++;
    }
}

/* A new seat holds what the slots from start on name. How many blocks that is. */
EXO_INLINE exo_u32 exo_blocks_admit_pvt(struct exo_publisher *tx, exo_u32 seat, exo_u64 start)
{
    exo_u32 held = 0;
    for (; start != tx->pos && tx->slotted != 0 && !tx->latest; start++) {
        exo_u32 block = tx->slot_block[(exo_u32)start & tx->mask];
        if (block != EXO_ARENA_NOWHERE) {
            tx->holding[block].holders |= (exo_u64)1 << seat;
            held++;
        }
    }
    return held;
}

/* A seat holds nothing any more. */
EXO_INLINE void exo_blocks_forget_pvt(struct exo_publisher *tx, exo_u32 seat)
{
    exo_u64 bit = (exo_u64)1 << seat;
    exo_u32 block;
    for (block = 0; tx->arena != EXO_NULL && !tx->latest && block < tx->arena->blocks; block++) {
        if (exo_arena_state_pvt(tx->arena, block) == EXO_BLOCK_SENT && (tx->holding[block].holders & bit) != 0) {
            tx->holding[block].holders &= ~bit;
            exo_blocks_settle_pvt(tx, block);
        }
    }
}

#endif
