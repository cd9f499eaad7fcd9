/* SPDX-License-Identifier: MIT */
/*
 * An arena without a ring: only its books, and a release ring that the test writes.
 */
#ifndef EXO_TESTS_ARENA_FIXTURE_H
#define EXO_TESTS_ARENA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exo_ipc/fusion_ring/arena.h"

#define SHIFT 8u
#define FIRST 4096u /* number of the arena's first block: it is not the first producer's */
#define BLOCKS_MAX 4096u

static struct exo_release_entry releases[BLOCKS_MAX];

static struct exo_arena *arena_new(exo_u32 blocks)
{
    exo_u32 entries = 1;
    struct exo_arena *arena = malloc((size_t)exo_arena_bytes_pvt(blocks));
    assert_non_null(arena);
    memset(arena, 0x5A, (size_t)exo_arena_bytes_pvt(blocks));
    exo_arena_init_pvt(arena, blocks, SHIFT, FIRST);
    while (entries < blocks) {
        entries *= 2;
    }
    memset(releases, 0, sizeof(releases));
    arena->memory = NULL;
    arena->ring = releases;
    arena->ring_mask = entries - 1;
    return arena;
}

static exo_u32 generation_of(const struct exo_arena *arena, exo_u32 at)
{
    return (exo_u32)(exo_arena_token_pvt(arena, at) >> 32);
}

/* Everything is back in one run; returns the generation of the loan that showed it. */
static exo_u32 assert_whole_arena_can_be_lent(struct exo_arena *arena)
{
    exo_u32 at = exo_arena_take_pvt(arena, arena->blocks);
    exo_u32 generation;
    assert_int_equal(at, 0);
    assert_int_equal(exo_arena_take_pvt(arena, 1), EXO_ARENA_NOWHERE);
    generation = generation_of(arena, 0);
    exo_arena_give_pvt(arena, at);
    assert_int_equal(arena->lent, 0);
    return generation;
}

#endif
