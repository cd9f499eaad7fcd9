/* SPDX-License-Identifier: MIT */
/*
 * What a sender lends of its arena (runs.h), and how it comes back.
 *
 *   state of a run's first block     FREE or WARM -> LENT (loan) -> SENT (send) -> FREE or WARM (release)
 *                                                    LENT -> FREE or WARM (cancel), SENT -> LENT (release and loan)
 *
 * What is lent or sent is named by a token, which is the stamp that its first block bears in that state: one comparison
 * tells whether a token is good, and no token is good twice.
 *
 * Blocks come back through the release ring, which only the receiver writes: {token, tag} with the
 * tag stored last. It has an entry for every block, so that a release never waits. A token must name a run
 * in state SENT by its number and its generation; anything else is the receiver's breach of protocol.
 */
#ifndef EXO_IPC_FUSION_RING_ARENA_H
#define EXO_IPC_FUSION_RING_ARENA_H

#include "runs.h"

/* Lend a run of `size` blocks. Returns its first block, or NOWHERE. */
EXO_INLINE exo_u32 exo_arena_take_pvt(struct exo_arena *arena, exo_u32 size)
{
    exo_u32 at = exo_arena_reuse_pvt(arena, size);
    struct exo_block *block;
    if (EXO_UNLIKELY(at == EXO_ARENA_NOWHERE)) {
        at = exo_arena_cut_pvt(arena, size);
        if (at == EXO_ARENA_NOWHERE) {
            at = exo_arena_cool_and_cut_pvt(arena, size);
        }
        if (at == EXO_ARENA_NOWHERE) {
            return at;
        }
    }
    block = exo_arena_block_pvt(arena, at);
    block->stamp += (exo_u64)(block->stamp >> 32 == 0xFFFFFFFFu ? 2 : 1) << 32;
    block->as.room = (exo_u64)size << arena->block_shift;
    exo_arena_mark_pvt(arena, at, EXO_BLOCK_LENT);
    arena->lent += size;
    arena->runs++;
    return at;
}

/* Take back the run that begins at `at`. */
EXO_INLINE void exo_arena_give_pvt(struct exo_arena *arena, exo_u32 at)
{
    arena->lent -= exo_arena_block_pvt(arena, at)->size;
    arena->runs--;
    if (EXO_UNLIKELY(!exo_arena_keep_pvt(arena, at))) {
        exo_arena_join_pvt(arena, at);
    }
}

/* What the token of something released and the token of the next loan of the same run differ by. */
#define EXO_TOKEN_NEXT ((exo_u64)1 << 32 | EXO_BLOCK_LENT)

/* The name of the run that begins at `at`, lent or sent, to whoever has it. */
EXO_HOT exo_u64 exo_arena_token_pvt(const struct exo_arena *arena, exo_u32 at)
{
    return exo_arena_block_pvt(arena, at)->stamp;
}

/* The token of something lent, once it is sent. */
EXO_HOT exo_u64 exo_token_sent_pvt(exo_u64 token)
{
    return token - EXO_BLOCK_LENT;
}

/* What a token of something lent names, at `at`, is sent from now on; or was not sent after all. */
EXO_HOT void exo_arena_send_pvt(struct exo_arena *arena, exo_u32 at, exo_u64 token)
{
    exo_arena_block_pvt(arena, at)->stamp = exo_token_sent_pvt(token);
}

EXO_INLINE void exo_arena_unsend_pvt(struct exo_arena *arena, exo_u64 token)
{
    exo_u32 at = (exo_u32)exo_token_sent_pvt(token) - arena->first;
    exo_arena_block_pvt(arena, at)->stamp = token;
}

/* The first block of the run that the token of something sent names; NOWHERE if it names none. */
EXO_HOT exo_u32 exo_arena_sent_pvt(const struct exo_arena *arena, exo_u64 token)
{
    exo_u32 at = (exo_u32)token - arena->first;
    return at < arena->blocks && exo_arena_token_pvt(arena, at) == token ? at : EXO_ARENA_NOWHERE;
}

/* The same of something lent. */
EXO_HOT exo_u32 exo_arena_lent_pvt(const struct exo_arena *arena, exo_u64 token)
{
    exo_u32 at = (exo_u32)token - EXO_BLOCK_LENT - arena->first;
    return at < arena->blocks && exo_arena_token_pvt(arena, at) == token ? at : EXO_ARENA_NOWHERE;
}

/* Bytes of the run that begins at `at`, which is lent or sent. */
EXO_HOT exo_u64 exo_arena_room_pvt(const struct exo_arena *arena, exo_u32 at)
{
    return exo_arena_block_pvt(arena, at)->as.room;
}

/* Whether the receiver has written the entry at pos of its release ring, and the token in it. */
EXO_HOT exo_bool exo_arena_released_pvt(const struct exo_arena *arena, exo_u64 pos, exo_u64 *token)
{
    const struct exo_release_entry *entry = &arena->ring[(exo_u32)pos & arena->ring_mask];
    /* [release:seen] pairs [release:give] */
    if (exo_load64(&entry->tag, EXO_ACQUIRE) != pos + 1) {
        return EXO_FALSE;
    }
    *token = exo_load64(&entry->token, EXO_RELAXED); /* relaxed: the tag was acquired */
    return EXO_TRUE;
}

/*
 * Lend the run that was released first once more, where a loan of so many bytes would have its length: what streams and
 * round trips of one size come to. False where there is none such; what was read of it is kept for the collection.
 */
EXO_HOT exo_bool exo_arena_relend_pvt(struct exo_arena *arena, exo_size size, exo_u32 *at)
{
    exo_u64 pos = arena->ring_pos;
    exo_u64 token;
    if (EXO_UNLIKELY(!exo_arena_released_pvt(arena, pos, &token))) {
        return EXO_FALSE;
    }
    *at = exo_arena_sent_pvt(arena, token);
    if (EXO_UNLIKELY(*at == EXO_ARENA_NOWHERE || token + EXO_TOKEN_NEXT < token ||
                     exo_arena_room_pvt(arena, *at) - size >= arena->block_size)) {
        arena->read = token;
        arena->is_read = EXO_TRUE;
        return EXO_FALSE;
    }
    arena->ring_pos = pos + 1;
    exo_arena_block_pvt(arena, *at)->stamp = token + EXO_TOKEN_NEXT;
    return EXO_TRUE;
}

/* Whether so much is out that a loan looks for released runs. */
EXO_INLINE exo_bool exo_arena_is_busy_pvt(const struct exo_arena *arena)
{
    return arena->runs >= arena->lazy_runs || (arena->lent >= arena->lazy_blocks && arena->runs >= EXO_COLLECT_LARGE);
}

/* Take back up to `most` released runs. EXO_CORRUPT at the first token that names nothing sent. */
EXO_INLINE exo_status exo_arena_collect_pvt(struct exo_arena *arena, exo_u32 most)
{
    for (; most != 0; most--) {
        exo_u64 token = arena->read;
        exo_u32 at;
        if (!arena->is_read && !exo_arena_released_pvt(arena, arena->ring_pos, &token)) {
            return EXO_OK;
        }
        arena->is_read = EXO_FALSE;
        at = exo_arena_sent_pvt(arena, token);
        if (at == EXO_ARENA_NOWHERE) {
            return EXO_CORRUPT;
        }
        arena->ring_pos++;
        exo_arena_give_pvt(arena, at);
    }
    return EXO_OK;
}

/* The receiver is dead: all that was sent and not released comes back at once. */
EXO_COLD void exo_arena_reclaim_pvt(struct exo_arena *arena)
{
    exo_u32 at;
    for (at = 0; at < arena->blocks; at++) {
        if (exo_arena_state_pvt(arena, at) == EXO_BLOCK_SENT) {
            exo_arena_give_pvt(arena, at);
        }
    }
}

#endif
