/* SPDX-License-Identifier: MIT */
/*
 * The allocator of an arena against a model that knows for each block who has it.
 */
#include "arena_fixture.h"

#define STEPS 100000u

static exo_u64 random_state;

static exo_u32 random_below(exo_u32 bound)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (exo_u32)(((random_state >> 33) * bound) >> 31);
}

/* What the model knows. */
struct model {
    exo_u32 blocks;
    exo_u32 lent;                /* blocks lent in all */
    exo_u32 runs;                /* loans out */
    exo_u32 holder[BLOCKS_MAX];  /* 0: free, else 1 + first block of the loan */
    exo_u32 first[BLOCKS_MAX];   /* of each loan out, unordered */
    exo_u32 size[BLOCKS_MAX];    /* by first block */
    exo_u32 last_generation[BLOCKS_MAX];
};

static struct model model;

static void model_reset(exo_u32 blocks)
{
    memset(&model, 0, sizeof(model));
    model.blocks = blocks;
}

/* Whether the arena may refuse: no run of a class that fits without a search, and none that fits among the
 * 32 that the search looks at. */
static exo_bool model_allows_refusal(exo_u32 size)
{
    exo_u32 sure = size < 8 ? size : size + (1u << (exo_log2(size) - 3)) - 1;
    exo_u32 same_class = 0;
    exo_u32 longest = 0;
    exo_u32 at = 0;
    sure = size < 8 ? size : sure >> (exo_log2(sure) - 3) << (exo_log2(sure) - 3);
    while (at < model.blocks) {
        exo_u32 end = at;
        while (end < model.blocks && model.holder[end] == 0) {
            end++;
        }
        if (end != at) {
            longest = end - at > longest ? end - at : longest;
            same_class += exo_arena_class_pvt(end - at) == exo_arena_class_pvt(size);
        }
        at = end + 1;
    }
    return longest < size || (longest < sure && same_class > 32);
}

static void model_take(struct exo_arena *arena, exo_u32 size)
{
    exo_u32 at = exo_arena_take_pvt(arena, size);
    exo_u32 i;
    if (at == EXO_ARENA_NOWHERE) {
        assert_true(model_allows_refusal(size));
        return;
    }
    assert_true(at < model.blocks && size <= model.blocks - at);
    for (i = at; i < at + size; i++) {
        assert_int_equal(model.holder[i], 0);
        model.holder[i] = at + 1;
    }
    assert_int_equal(exo_arena_block_pvt(arena, at)->size, size);
    assert_int_not_equal(generation_of(arena, at), model.last_generation[at]);
    model.last_generation[at] = generation_of(arena, at);
    model.size[at] = size;
    model.first[model.runs++] = at;
    model.lent += size;
}

static void model_give(struct exo_arena *arena, exo_u32 nth)
{
    exo_u32 at = model.first[nth];
    exo_u32 i;
    assert_int_equal(exo_arena_lent_pvt(arena, exo_arena_token_pvt(arena, at)), at);
    exo_arena_give_pvt(arena, at);
    for (i = at; i < at + model.size[at]; i++) {
        model.holder[i] = 0;
    }
    model.lent -= model.size[at];
    model.first[nth] = model.first[--model.runs];
}

/* Walks the arena's runs: they tile it, agree with the model, and no two free ones are neighbours. */
static void assert_agrees_with_model(const struct exo_arena *arena)
{
    exo_u32 before = EXO_ARENA_NOWHERE;
    exo_u32 at = 0;
    assert_int_equal(arena->lent, model.lent);
    while (at < arena->blocks) {
        const struct exo_block *block = exo_arena_block_pvt(arena, at);
        exo_u32 its = exo_arena_state_pvt(arena, at);
        exo_u32 i;
        assert_int_equal(block->before, before);
        assert_true(block->size != 0 && block->size <= arena->blocks - at);
        assert_true(its == EXO_BLOCK_FREE || its == EXO_BLOCK_WARM || its == EXO_BLOCK_LENT);
        if (before != EXO_ARENA_NOWHERE && its == EXO_BLOCK_FREE) {
            assert_int_not_equal(exo_arena_state_pvt(arena, before), EXO_BLOCK_FREE);
        }
        for (i = at; i < at + block->size; i++) {
            assert_int_equal(model.holder[i], its == EXO_BLOCK_LENT ? at + 1 : 0);
            assert_true(i == at || exo_arena_state_pvt(arena, i) == EXO_BLOCK_INNER);
        }
        before = at;
        at += block->size;
    }
    assert_int_equal(at, arena->blocks);
}

static void run_against_model(exo_u32 blocks, exo_u32 longest, exo_u64 seed)
{
    struct exo_arena *arena = arena_new(blocks);
    exo_u32 step;
    model_reset(blocks);
    random_state = seed;
    for (step = 0; step < STEPS; step++) {
        /* Phases that mostly take and phases that mostly give. */
        exo_u32 takes = (step / 2000) % 2 == 0 ? 6 : 4;
        if (model.runs == 0 || random_below(10) < takes) {
            model_take(arena, 1 + random_below(random_below(4) == 0 ? longest : 3));
        } else {
            model_give(arena, random_below(model.runs));
        }
        if (model.runs == 0) {
            model.last_generation[0] = assert_whole_arena_can_be_lent(arena);
        }
        if (step % 500 == 0) {
            assert_agrees_with_model(arena);
        }
    }
    while (model.runs != 0) {
        model_give(arena, random_below(model.runs));
    }
    assert_agrees_with_model(arena);
    (void)assert_whole_arena_can_be_lent(arena);
    assert_int_equal(exo_arena_block_pvt(arena, 0)->size, blocks);
    free(arena);
}

static void random_loans_agree_with_the_model(void **state)
{
    (void)state;
    run_against_model(64, 16, 3);
    run_against_model(1000, 40, 5);
    run_against_model(BLOCKS_MAX, 300, 6);
}

static void random_loans_up_to_the_whole_arena_agree_with_the_model(void **state)
{
    (void)state;
    run_against_model(1, 1, 1);
    run_against_model(7, 7, 2);
    run_against_model(100, 100, 4);
}

static void many_small_holes_agree_with_the_model(void **state)
{
    (void)state;
    run_against_model(BLOCKS_MAX, 20, 7);
    run_against_model(BLOCKS_MAX - 1, 9, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_loans_agree_with_the_model),
        cmocka_unit_test(random_loans_up_to_the_whole_arena_agree_with_the_model),
        cmocka_unit_test(many_small_holes_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
