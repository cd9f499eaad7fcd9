/* SPDX-License-Identifier: MIT */
/*
 * The allocator of a sender's arena. All its books are private to the sender: nothing that a peer can reach
 * is ever believed without being looked up here, and there is no lock.
 *
 * An arena is an array of blocks. A run is one or more neighbouring blocks, free or lent; the first block of
 * a run carries the run's record, the others carry state INNER. Free runs hang in lists by size class: two
 * levels, powers of two and eighths of them (two-level segregated fit: M. Masmano, I. Ripoll, A. Crespo,
 * J. Real, ECRTS 2004). Taking and giving back cost the same whatever the size. What was given back last is
 * lent next, while its lines are still warm. Some runs of the sizes in use stay as they are when they come back, and
 * are lent again without being joined with their neighbours and cut off anew (deferred coalescing, as in the fast bins
 * of D. Lea's malloc); where no free run is long enough, all of them are joined.
 *
 * State, generation and number of a block are one word, its stamp. How it changes is told in arena.h.
 */
#ifndef EXO_IPC_FUSION_RING_RUNS_H
#define EXO_IPC_FUSION_RING_RUNS_H

#include "layout.h"

/*
 * A loan looks for released runs once so many runs are out, or so many bytes in a few. Each look fetches the receiver's
 * line of the release ring, which has EXO_COLLECT_LARGE entries, on the way of a round trip and while the receiver wants
 * to write the next release there; but buffers that are lent again soon are still in the caches.
 */
#define EXO_COLLECT_RUNS 16u
#define EXO_COLLECT_BYTES 131072u
#define EXO_COLLECT_LARGE 4u

#define EXO_ARENA_LEVELS 30
#define EXO_ARENA_NOWHERE 0xFFFFFFFFu

/* Mixed into the block's number, which has 31 bits. SENT is nothing: a peer names a block by its number alone. */
#define EXO_BLOCK_SENT 0u
#define EXO_BLOCK_LENT 0x80000000u
#define EXO_BLOCK_FREE 0x80000001u
#define EXO_BLOCK_WARM 0x80000002u /* free, but not joined with its neighbours */
#define EXO_BLOCK_INNER 0x80000003u

/* At most so many runs of so many sizes stay warm. */
#define EXO_WARM_RUNS 16u
#define EXO_WARM_SIZES 8u

struct exo_block {
    exo_u64 stamp;  /* generation << 32 | (number ^ state); of the last loan that began here, never 0 once lent */
    exo_u32 size;   /* blocks in this run */
    exo_u32 before; /* first block of the run in front of this one, or NOWHERE */
    union {
        struct {
            exo_u32 next;
            exo_u32 prev;
        } list;       /* of its class, while free */
        exo_u64 room; /* its bytes, while lent or sent */
    } as;
};

/* Warm runs of one size: their first blocks, the one that came back last on top. */
struct exo_warm {
    exo_u32 size;
    exo_u32 count;
    exo_u32 at[EXO_WARM_RUNS];
};

struct exo_arena {
    exo_u8 *memory;
    const struct exo_release_entry *ring;
    exo_u64 ring_pos;
    exo_u64 block_size;
    exo_u64 read; /* the token in the entry at ring_pos, */
    exo_bool is_read; /* if it was read already: what a peer may change is read once */
    exo_u32 ring_mask;
    exo_u32 blocks;
    exo_u32 block_shift;
    exo_u32 first;       /* number of this arena's first block among all producers' */
    exo_u32 lent;        /* blocks lent or sent and not yet back; */
    exo_u32 lazy_blocks; /* below so many, */
    exo_u32 runs;        /* and in runs: */
    exo_u32 lazy_runs;   /* below so many, a loan does not look for released ones */
    exo_u32 levels;
    struct exo_warm warm[EXO_WARM_SIZES]; /* by size modulo EXO_WARM_SIZES */
    exo_u8 classes[EXO_ARENA_LEVELS];
    exo_u32 head[EXO_ARENA_LEVELS][8];
};

/* Bytes of private memory for an arena of so many blocks. */
EXO_INLINE exo_u64 exo_arena_bytes_pvt(exo_u32 blocks)
{
    return exo_align_up(sizeof(struct exo_arena) + (exo_u64)blocks * sizeof(struct exo_block),
                        EXO_CACHE_LINE);
}

/* The record of a block, right behind the arena's. */
EXO_HOT struct exo_block *exo_arena_block_pvt(const struct exo_arena *arena, exo_u32 at)
{
    return (struct exo_block *)(exo_uptr)(arena + 1) + at;
}

EXO_INLINE exo_u32 exo_arena_state_pvt(const struct exo_arena *arena, exo_u32 at)
{
    return (exo_u32)exo_arena_block_pvt(arena, at)->stamp ^ (arena->first + at);
}

EXO_INLINE void exo_arena_mark_pvt(struct exo_arena *arena, exo_u32 at, exo_u32 state)
{
    exo_u64 *stamp = &exo_arena_block_pvt(arena, at)->stamp;
    *stamp = *stamp >> 32 << 32 | ((arena->first + at) ^ state);
}

/* Size class of a run: exact below 8 blocks, else eighths of a power of two. */
EXO_INLINE exo_u32 exo_arena_class_pvt(exo_u32 size)
{
    exo_u32 log;
    if (size < 8) {
        return size;
    }
    log = exo_log2(size);
    return (log - 2) * 8 + ((size >> (log - 3)) & 7u);
}

EXO_INLINE void exo_arena_link_pvt(struct exo_arena *arena, exo_u32 at)
{
    struct exo_block *block = exo_arena_block_pvt(arena, at);
    exo_u32 class_of = exo_arena_class_pvt(block->size);
    exo_u32 *head = &arena->head[class_of >> 3][class_of & 7];
    exo_arena_mark_pvt(arena, at, EXO_BLOCK_FREE);
    block->as.list.prev = EXO_ARENA_NOWHERE;
    block->as.list.next = *head;
    if (*head != EXO_ARENA_NOWHERE) {
        exo_arena_block_pvt(arena, *head)->as.list.prev = at;
    }
    *head = at;
    arena->levels |= 1u << (class_of >> 3);
    arena->classes[class_of >> 3] |= (exo_u8)(1u << (class_of & 7));
}

EXO_INLINE void exo_arena_unlink_pvt(struct exo_arena *arena, exo_u32 at)
{
    struct exo_block *block = exo_arena_block_pvt(arena, at);
    exo_u32 class_of = exo_arena_class_pvt(block->size);
    exo_u32 *head = &arena->head[class_of >> 3][class_of & 7];
    if (block->as.list.next != EXO_ARENA_NOWHERE) {
        exo_arena_block_pvt(arena, block->as.list.next)->as.list.prev = block->as.list.prev;
    }
    if (block->as.list.prev != EXO_ARENA_NOWHERE) {
        exo_arena_block_pvt(arena, block->as.list.prev)->as.list.next = block->as.list.next;
        return;
    }
    *head = block->as.list.next;
    if (*head == EXO_ARENA_NOWHERE) {
        arena->classes[class_of >> 3] &= (exo_u8) ~(1u << (class_of & 7));
        if (arena->classes[class_of >> 3] == 0) {
            arena->levels &= ~(1u << (class_of >> 3));
        }
    }
}

EXO_INLINE void exo_arena_init_pvt(struct exo_arena *arena, exo_u32 blocks, exo_u32 block_shift, exo_u32 first)
{
    exo_u32 level;
    exo_u32 i;
    arena->first = first;
    for (level = 0; level < EXO_ARENA_LEVELS; level++) {
        arena->classes[level] = 0;
        for (i = 0; i < 8; i++) {
            arena->head[level][i] = EXO_ARENA_NOWHERE;
        }
    }
    for (i = 0; i < EXO_WARM_SIZES; i++) {
        arena->warm[i].size = 0;
        arena->warm[i].count = 0;
    }
    for (i = 0; i < blocks; i++) {
        exo_arena_block_pvt(arena, i)->stamp = 0;
        exo_arena_mark_pvt(arena, i, EXO_BLOCK_INNER);
    }
    arena->levels = 0;
    arena->blocks = blocks;
    arena->block_shift = block_shift;
    arena->block_size = (exo_u64)1 << block_shift;
    arena->ring_pos = 0;
    arena->is_read = EXO_FALSE;
    arena->lent = 0;
    arena->runs = 0;
    arena->lazy_runs = (exo_u32)exo_min64(EXO_COLLECT_RUNS, blocks / 16);
    arena->lazy_blocks = EXO_COLLECT_BYTES >> block_shift;
    exo_arena_block_pvt(arena, 0)->size = blocks;
    exo_arena_block_pvt(arena, 0)->before = EXO_ARENA_NOWHERE;
    exo_arena_link_pvt(arena, 0);
}

/* A free run in a class where every run has `size` blocks, else one of its own class that happens to fit. */
EXO_INLINE exo_u32 exo_arena_find_pvt(const struct exo_arena *arena, exo_u32 size)
{
    exo_u32 round = size < 8 ? 0 : (1u << (exo_log2(size) - 3)) - 1;
    exo_u32 class_of = exo_arena_class_pvt(size + round);
    exo_u32 level = class_of >> 3;
    exo_u32 classes = level >= EXO_ARENA_LEVELS ? 0 : arena->classes[level] & (0xFFu << (class_of & 7));
    exo_u32 at;
    exo_u32 tries = 32;
    if (classes == 0) {
        exo_u32 levels = level >= 31 ? 0 : arena->levels & (0xFFFFFFFEu << level);
        if (levels != 0) {
            level = exo_lowest_bit(levels);
            classes = arena->classes[level];
        }
    }
    if (classes != 0) {
        return arena->head[level][exo_lowest_bit(classes)];
    }
    class_of = exo_arena_class_pvt(size);
    at = arena->head[class_of >> 3][class_of & 7];
    while (at != EXO_ARENA_NOWHERE && exo_arena_block_pvt(arena, at)->size < size && --tries != 0) {
        at = exo_arena_block_pvt(arena, at)->as.list.next;
    }
    return tries == 0 ? EXO_ARENA_NOWHERE : at;
}

/* Cut a run of `size` blocks off a free one. */
EXO_OUTLINE exo_u32 exo_arena_cut_pvt(struct exo_arena *arena, exo_u32 size)
{
    exo_u32 at = exo_arena_find_pvt(arena, size);
    struct exo_block *block;
    exo_u32 rest;
    if (at == EXO_ARENA_NOWHERE) {
        return at;
    }
    block = exo_arena_block_pvt(arena, at);
    exo_arena_unlink_pvt(arena, at);
    rest = block->size - size;
    if (rest != 0) {
        exo_u32 behind = at + size;
        exo_u32 after = at + block->size;
        block->size = size;
        exo_arena_block_pvt(arena, behind)->size = rest;
        exo_arena_block_pvt(arena, behind)->before = at;
        if (after < arena->blocks) {
            exo_arena_block_pvt(arena, after)->before = behind;
        }
        exo_arena_link_pvt(arena, behind);
    }
    return at;
}

/* Join the run that begins at `at` with free neighbours. */
EXO_OUTLINE void exo_arena_join_pvt(struct exo_arena *arena, exo_u32 at)
{
    struct exo_block *block = exo_arena_block_pvt(arena, at);
    exo_u32 after = at + block->size;
    if (after < arena->blocks && exo_arena_state_pvt(arena, after) == EXO_BLOCK_FREE) {
        exo_arena_unlink_pvt(arena, after);
        exo_arena_mark_pvt(arena, after, EXO_BLOCK_INNER);
        block->size += exo_arena_block_pvt(arena, after)->size;
    }
    if (block->before != EXO_ARENA_NOWHERE && exo_arena_state_pvt(arena, block->before) == EXO_BLOCK_FREE) {
        exo_u32 front = block->before;
        exo_arena_unlink_pvt(arena, front);
        exo_arena_mark_pvt(arena, at, EXO_BLOCK_INNER);
        exo_arena_block_pvt(arena, front)->size += block->size;
        at = front;
        block = exo_arena_block_pvt(arena, at);
    }
    after = at + block->size;
    if (after < arena->blocks) {
        exo_arena_block_pvt(arena, after)->before = at;
    }
    exo_arena_link_pvt(arena, at);
}

/* Keep a free run as it is, for the next loan of its size. False if there are enough of them. */
EXO_INLINE exo_bool exo_arena_keep_pvt(struct exo_arena *arena, exo_u32 at)
{
    const exo_u32 size = exo_arena_block_pvt(arena, at)->size;
    struct exo_warm *warm = &arena->warm[size % EXO_WARM_SIZES];
    if (warm->count == EXO_WARM_RUNS) {
        return EXO_FALSE;
    }
    if (EXO_UNLIKELY(warm->size != size)) {
        if (warm->count != 0) {
            return EXO_FALSE;
        }
        warm->size = size;
    }
    exo_arena_mark_pvt(arena, at, EXO_BLOCK_WARM);
    warm->at[warm->count++] = at;
    return EXO_TRUE;
}

/* The warm run of this size that came back last, or NOWHERE. */
EXO_INLINE exo_u32 exo_arena_reuse_pvt(struct exo_arena *arena, exo_u32 size)
{
    struct exo_warm *warm = &arena->warm[size % EXO_WARM_SIZES];
    if (warm->size != size || warm->count == 0) {
        return EXO_ARENA_NOWHERE;
    }
    return warm->at[--warm->count];
}

/* Join all warm runs with their neighbours, and cut. */
EXO_OUTLINE exo_u32 exo_arena_cool_and_cut_pvt(struct exo_arena *arena, exo_u32 size)
{
    exo_u32 i;
    for (i = 0; i < EXO_WARM_SIZES; i++) {
        while (arena->warm[i].count != 0) {
            exo_arena_join_pvt(arena, exo_arena_reuse_pvt(arena, arena->warm[i].size));
        }
    }
    return exo_arena_cut_pvt(arena, size);
}

#endif
