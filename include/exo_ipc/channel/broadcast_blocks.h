/* SPDX-License-Identifier: MIT */
/*
 * The blocks of a broadcast's arena, and who holds them. All books are the sender's and private.
 *
 * A block that was sent is held by the slot that names it, so that who joins later can have it, and
 *
 *   reliable   by every subscriber that was admitted when it was sent (or joined with it), until that one releases it
 *              by an entry in its own release ring, or is let go;
 *   latest     by whoever has pinned it. A reader announces the block's token in its own segment, makes a full fence,
 *              and looks again whether the slot still names it; the sender overwrites the slot, makes a full fence, and
 *              looks at all pins before it lends the block again (hazard pointers: M. Michael, IEEE TPDS 2004).
 *              Blocks whose slots were overwritten wait in a list, `limbo`, and are looked at all together when
 *              the arena is short.
 *
 * When the arena is short, the oldest slots are retired: in a reliable broadcast those that everybody has taken, else
 * any. Who holds blocks for longer than lag_ns while the sender finds none is cut off, the greediest first; its
 * blocks come back although it may still be reading them.
 *
 * A release of what the subscriber does not hold ends its seat and touches nobody else. A hostile subscriber may
 * pin or keep blocks; that costs the others nothing but time, up to lag_ns.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_BLOCKS_H
#define EXO_IPC_CHANNEL_BROADCAST_BLOCKS_H

#include "broadcast_links.h"

/* Reliable: what one subscriber released, at most all blocks. False if it released what it does not hold. */
EXO_INLINE exo_bool exo_cast_link_collect_pvt(struct exo_publisher *tx, struct exo_cast_link *link)
{
    exo_u64 bit = (exo_u64)1 << link->seat;
    exo_u32 most;
    for (most = tx->arena->blocks; most != 0; most--) {
        const struct exo_release_entry *entry = &link->ring[(exo_u32)link->ring_pos & tx->release_mask];
        exo_u32 block;
        /* [broadcast:given] pairs [broadcast:give] */
        if (exo_load64(&entry->tag, EXO_ACQUIRE) != link->ring_pos + 1) {
            return EXO_TRUE;
        }
        /* relaxed: the tag was acquired */
        block = exo_arena_sent_pvt(tx->arena, exo_load64(&entry->token, EXO_RELAXED));
        if (block == EXO_ARENA_NOWHERE || (tx->holding[block].holders & bit) == 0) {
            return EXO_FALSE;
        }
        link->ring_pos++;
        link->stuck_ns = 0;
        link->held--;
        tx->holding[block].holders &= ~bit;
        exo_blocks_settle_pvt(tx, block);
    }
    return EXO_TRUE;
}

/* Reliable: what all subscribers released. */
EXO_INLINE void exo_blocks_collect_pvt(struct exo_publisher *tx)
{
    exo_u32 at = 0;
    while (at < tx->count) {
        if (exo_cast_link_follow_pvt(tx, &tx->links[at]) && exo_cast_link_collect_pvt(tx, &tx->links[at])) {
            at++;
        } else {
            exo_cast_link_drop_pvt(tx, at, EXO_SEAT_CORRUPT);
        }
    }
}

/* Latest: note who has which block pinned. */
EXO_INLINE void exo_blocks_mark_pvt(struct exo_publisher *tx)
{
    exo_u32 at;
    exo_u32 i;
    for (at = 0; at < tx->count; at++) {
        struct exo_cast_link *link = &tx->links[at];
        link->held = 0;
        for (i = 0; i < EXO_PINS; i++) {
            /* [broadcast:pin_seen] pairs [broadcast:pin], [broadcast:unpin] */
            exo_u64 token = exo_load64(&link->rx->pins[i], EXO_ACQUIRE);
            exo_u32 block = exo_arena_sent_pvt(tx->arena, token);
            if (block != EXO_ARENA_NOWHERE) {
                tx->holding[block].holders |= (exo_u64)1 << link->seat;
                link->held += tx->holding[block].slotted == 0;
            }
        }
    }
}

/* Latest: take back the blocks in limbo that nobody has pinned. */
EXO_INLINE void exo_blocks_scan_pvt(struct exo_publisher *tx)
{
    exo_u32 block;
    exo_u32 next = tx->limbo;
    for (block = next; block != EXO_ARENA_NOWHERE; block = tx->holding[block].next) {
        tx->holding[block].holders = 0;
    }
    /* [broadcast:pins_look] pairs [broadcast:pins_announce] */
    exo_fence_seq();
    exo_blocks_mark_pvt(tx);
    tx->limbo = EXO_ARENA_NOWHERE;
    while (next != EXO_ARENA_NOWHERE) {
        block = next;
        next = tx->holding[block].next;
        if (tx->holding[block].holders == 0) {
            exo_arena_give_pvt(tx->arena, block);
        } else {
            tx->holding[block].next = tx->limbo;
            tx->limbo = block;
        }
    }
}

/* Up to where slots may be retired. */
EXO_INLINE exo_u64 exo_blocks_idle_pvt(const struct exo_publisher *tx)
{
    exo_u64 idle = tx->pos;
    exo_u32 at;
    for (at = 0; at < tx->count && !tx->latest; at++) {
        idle = tx->pos - tx->links[at].position > tx->pos - idle ? tx->links[at].position : idle;
    }
    return idle;
}

/* Retire the oldest slots that name a block: an eighth of them, so that this is not done for each loan. False if none
 * may be. */
EXO_INLINE exo_bool exo_blocks_retire_pvt(struct exo_publisher *tx)
{
    exo_u64 until = exo_blocks_idle_pvt(tx);
    exo_u64 pos = exo_publisher_oldest_pvt(tx);
    exo_u32 wanted = tx->slotted / 8 + 1;
    exo_u32 before = tx->slotted;
    for (; pos != until && before - tx->slotted < wanted && tx->slotted != 0; pos++) {
        if (tx->slot_block[(exo_u32)pos & tx->mask] == EXO_ARENA_NOWHERE) {
            continue;
        }
        exo_blocks_unslot_pvt(tx, pos);
        if (tx->latest) {
            exo_store64(&tx->tx->marks.floor, pos + 1, EXO_RELAXED); /* relaxed: published with the control word */
            exo_line_commit_pvt(exo_publisher_line_pvt(tx, pos), exo_cast_control_pvt(pos, EXO_CAST_RETIRED, 0));
        }
    }
    tx->floor = pos;
    return tx->slotted != before;
}

/* No block is to be had: let those go who are gone; once it has lasted too long, whoever holds most. False if nobody
 * was. */
EXO_INLINE exo_bool exo_blocks_blame_pvt(struct exo_publisher *tx)
{
    exo_u32 most = 0;
    exo_u32 worst = 0;
    exo_u32 at;
    for (at = 0; at < tx->count; at++) {
        exo_u32 code = exo_cast_link_end_pvt(&tx->links[at]);
        if (code != EXO_SEAT_ADMITTED) {
            exo_cast_link_drop_pvt(tx, at, code);
            return EXO_TRUE;
        }
        if (tx->links[at].held > most) {
            most = tx->links[at].held;
            worst = at;
        }
    }
    if (!exo_publisher_overdue_pvt(tx, &tx->starved_ns) || most == 0) {
        return EXO_FALSE;
    }
    exo_cast_link_drop_pvt(tx, worst, EXO_SEAT_LAGGED);
    return EXO_TRUE;
}

/* The arena is short: get back what can be had. Each turn lets a subscriber go, or is the last. */
EXO_OUTLINE exo_u32 exo_blocks_find_pvt(struct exo_publisher *tx, exo_u32 size)
{
    exo_u32 at;
    do {
        if (!tx->latest) {
            exo_blocks_collect_pvt(tx);
        }
        do {
            if (tx->latest) {
                exo_blocks_scan_pvt(tx);
            }
            at = exo_arena_take_pvt(tx->arena, size);
        } while (at == EXO_ARENA_NOWHERE && exo_blocks_retire_pvt(tx));
    } while (at == EXO_ARENA_NOWHERE && exo_blocks_blame_pvt(tx));
    return at;
}

/**
 * exo_broadcast_loan - borrow a buffer from the sender's arena, without waiting.
 * @tx: sending handle
 * @size: bytes wanted; 0 is allowed
 * @loan: filled in on success only
 *
 * Returns: EXO_OK; EXO_FULL when no run of that size is free now: lent, or held by subscribers that may hold it for
 * lag_ns; EXO_INVALID_SIZE if the arena can never hold it; EXO_NOT_SUPPORTED if there is no arena; EXO_CLOSED after
 * exo_broadcast_close().
 * Context: as exo_broadcast_poll().
 * Progress: wait-free; in time that does not depend on size while the arena is not short, else that grows with the
 * numbers of subscribers, blocks and slots.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_loan(struct exo_publisher *tx, exo_size size,
                                                      struct exo_loaned *loan)
{
    struct exo_arena *arena = tx->arena;
    exo_size blocks;
    exo_u32 at;
    if (EXO_UNLIKELY(arena == EXO_NULL)) {
        return EXO_NOT_SUPPORTED;
    }
    blocks = ((size - (size != 0)) >> arena->block_shift) + 1;
    if (EXO_UNLIKELY(blocks > arena->blocks)) {
        return EXO_INVALID_SIZE;
    }
    if (EXO_UNLIKELY(tx->refused != EXO_OK)) {
        return tx->refused;
    }
    at = exo_arena_take_pvt(arena, (exo_u32)blocks);
    if (EXO_UNLIKELY(at == EXO_ARENA_NOWHERE)) {
        at = exo_blocks_find_pvt(tx, (exo_u32)blocks);
        if (at == EXO_ARENA_NOWHERE) {
            exo_probe_full_pvt(tx->profiler);
            return EXO_FULL;
        }
    }
    tx->starved_ns = 0;
    loan->data = arena->memory + ((exo_size)at << arena->block_shift);
    loan->size = blocks << arena->block_shift;
    loan->off = 0;
    loan->len = size;
    loan->token = exo_arena_token_pvt(arena, at);
    return EXO_OK;
}

/**
 * exo_broadcast_loan_cancel - give a loan back unsent.
 * @tx: sending handle  @loan: cleared on success
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it names no loan that is still out; EXO_NOT_SUPPORTED if there is no arena.
 * Context: as exo_broadcast_poll(). Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_loan_cancel(struct exo_publisher *tx, struct exo_loaned *loan)
{
    exo_u32 at;
    if (tx->arena == EXO_NULL) {
        return EXO_NOT_SUPPORTED;
    }
    at = exo_arena_lent_pvt(tx->arena, loan->token);
    if (at == EXO_ARENA_NOWHERE) {
        return EXO_NOT_FOUND;
    }
    exo_arena_give_pvt(tx->arena, at);
    exo_loan_clear_pvt(loan);
    return EXO_OK;
}

#endif
