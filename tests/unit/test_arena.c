/* SPDX-License-Identifier: MIT */
/*
 * The allocator of an arena: what fits, what a token names, how released runs come back.
 */
#include "arena_fixture.h"

/* The receiver's part: entry number n of the release ring. */
static void release_nth(exo_u64 n, exo_u64 token, exo_u32 mask)
{
    releases[n & mask].token = token;
    releases[n & mask].tag = n + 1;
}

static exo_u64 take_sent(struct exo_arena *arena, exo_u32 size)
{
    exo_u32 at = exo_arena_take_pvt(arena, size);
    assert_int_not_equal(at, EXO_ARENA_NOWHERE);
    exo_arena_send_pvt(arena, at, exo_arena_token_pvt(arena, at));
    return exo_arena_token_pvt(arena, at);
}

static void everything_is_lent_down_to_the_last_block(void **state)
{
    struct exo_arena *arena = arena_new(77);
    exo_u32 i;
    (void)state;
    for (i = 0; i < 77; i++) {
        assert_int_not_equal(exo_arena_take_pvt(arena, 1), EXO_ARENA_NOWHERE);
    }
    assert_int_equal(exo_arena_take_pvt(arena, 1), EXO_ARENA_NOWHERE);
    for (i = 0; i < 77; i += 2) {
        exo_arena_give_pvt(arena, i);
    }
    assert_int_equal(exo_arena_take_pvt(arena, 2), EXO_ARENA_NOWHERE);
    for (i = 1; i < 77; i += 2) {
        exo_arena_give_pvt(arena, i);
    }
    (void)assert_whole_arena_can_be_lent(arena);
    free(arena);
}

/* A hole of exactly the size asked for is filled, in every size class, between neighbours that stay. */
static void hole_of_the_exact_size_is_found(void **state)
{
    exo_u32 size;
    (void)state;
    for (size = 1; size < 2000; size += 1 + size / 16) {
        struct exo_arena *arena = arena_new(size + 2);
        exo_u32 left = exo_arena_take_pvt(arena, 1);
        exo_u32 hole = exo_arena_take_pvt(arena, size);
        exo_u32 right = exo_arena_take_pvt(arena, 1);
        assert_int_not_equal(right, EXO_ARENA_NOWHERE);
        exo_arena_give_pvt(arena, hole);
        assert_int_equal(exo_arena_take_pvt(arena, size + 1), EXO_ARENA_NOWHERE);
        assert_int_equal(exo_arena_take_pvt(arena, size), hole);
        exo_arena_give_pvt(arena, left);
        exo_arena_give_pvt(arena, right);
        exo_arena_give_pvt(arena, hole);
        (void)assert_whole_arena_can_be_lent(arena);
        free(arena);
    }
}

static void block_given_back_last_is_lent_next(void **state)
{
    struct exo_arena *arena = arena_new(64);
    exo_u32 at[16];
    exo_u32 i;
    (void)state;
    for (i = 0; i < 16; i++) {
        at[i] = exo_arena_take_pvt(arena, 2);
    }
    exo_arena_give_pvt(arena, at[3]);
    exo_arena_give_pvt(arena, at[9]);
    assert_int_equal(exo_arena_take_pvt(arena, 2), at[9]);
    assert_int_equal(exo_arena_take_pvt(arena, 2), at[3]);
    free(arena);
}

static void token_with_wrong_number_generation_or_state_is_not_found(void **state)
{
    struct exo_arena *arena = arena_new(16);
    exo_u32 at = exo_arena_take_pvt(arena, 3);
    exo_u64 token = exo_arena_token_pvt(arena, at);
    (void)state;
    assert_int_equal(exo_arena_lent_pvt(arena, token), at);
    assert_int_equal(exo_arena_sent_pvt(arena, token), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_sent_pvt(arena, exo_token_sent_pvt(token)), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token + 1), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token - 1), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token + 16), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token - FIRST), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token | 0xFFFFFFFFu), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token + (1ull << 32)), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, token & 0xFFFFFFFFu), EXO_ARENA_NOWHERE);
    assert_int_equal(exo_arena_lent_pvt(arena, 0), EXO_ARENA_NOWHERE);
    exo_arena_give_pvt(arena, at);
    assert_int_equal(exo_arena_lent_pvt(arena, token), EXO_ARENA_NOWHERE);
    free(arena);
}

static void each_loan_has_another_generation_and_never_zero(void **state)
{
    struct exo_arena *arena = arena_new(4);
    exo_u64 old = 0;
    exo_u32 i;
    (void)state;
    exo_arena_block_pvt(arena, 0)->stamp |= (exo_u64)(0xFFFFFFFFu - 3) << 32;
    for (i = 0; i < 8; i++) {
        exo_u32 at = exo_arena_take_pvt(arena, 4);
        exo_u64 token = exo_arena_token_pvt(arena, at);
        assert_int_not_equal(token >> 32, 0);
        assert_int_not_equal(token, old);
        assert_int_equal(exo_arena_lent_pvt(arena, old), EXO_ARENA_NOWHERE);
        old = token;
        exo_arena_give_pvt(arena, at);
    }
    free(arena);
}

static void released_runs_come_back_in_any_order(void **state)
{
    struct exo_arena *arena = arena_new(13);
    exo_u64 token[4];
    exo_u64 lap;
    (void)state;
    for (lap = 0; lap < 100; lap++) {
        exo_u32 i;
        for (i = 0; i < 4; i++) {
            token[i] = take_sent(arena, 1 + i);
        }
        for (i = 0; i < 4; i++) {
            release_nth(lap * 4 + i, token[(i * 3 + lap) % 4], arena->ring_mask);
        }
        assert_int_equal(exo_arena_collect_pvt(arena, 3), EXO_OK);
        assert_int_equal(arena->ring_pos, lap * 4 + 3);
        assert_int_equal(exo_arena_collect_pvt(arena, 13), EXO_OK);
        assert_int_equal(arena->ring_pos, lap * 4 + 4);
        assert_int_equal(arena->lent, 0);
        if (lap % 8 == 7) {
            (void)assert_whole_arena_can_be_lent(arena);
        }
    }
    free(arena);
}

static void entry_of_another_lap_is_no_release(void **state)
{
    struct exo_arena *arena = arena_new(4);
    exo_u64 token = take_sent(arena, 1);
    (void)state;
    releases[0].token = token;
    releases[0].tag = 0;
    assert_int_equal(exo_arena_collect_pvt(arena, 4), EXO_OK);
    releases[0].tag = 5;
    assert_int_equal(exo_arena_collect_pvt(arena, 4), EXO_OK);
    releases[0].tag = 1ull << 32 | 1;
    assert_int_equal(exo_arena_collect_pvt(arena, 4), EXO_OK);
    assert_int_equal(arena->lent, 1);
    free(arena);
}

static void assert_release_is_refused(struct exo_arena *arena, exo_u64 token)
{
    exo_u64 lent = arena->lent;
    exo_u64 pos = arena->ring_pos;
    release_nth(pos, token, arena->ring_mask);
    assert_int_equal(exo_arena_collect_pvt(arena, 8), EXO_CORRUPT);
    assert_int_equal(arena->lent, lent);
    assert_int_equal(arena->ring_pos, pos);
}

static void release_of_what_was_not_sent_is_corrupt_and_changes_nothing(void **state)
{
    struct exo_arena *arena = arena_new(16);
    exo_u64 sent = take_sent(arena, 3);
    exo_u64 lent = exo_arena_token_pvt(arena, exo_arena_take_pvt(arena, 2));
    (void)state;
    assert_release_is_refused(arena, lent);
    assert_release_is_refused(arena, sent + 1);            /* an inner block */
    assert_release_is_refused(arena, sent + 5);            /* a free one */
    assert_release_is_refused(arena, sent + 16);           /* another arena's */
    assert_release_is_refused(arena, sent - FIRST);        /* the same */
    assert_release_is_refused(arena, sent + (1ull << 32)); /* generations before and after */
    assert_release_is_refused(arena, sent - (1ull << 32));
    assert_release_is_refused(arena, 0);
    assert_release_is_refused(arena, ~0ull);
    release_nth(0, sent, arena->ring_mask);
    assert_int_equal(exo_arena_collect_pvt(arena, 1), EXO_OK);
    assert_release_is_refused(arena, sent); /* twice */
    free(arena);
}

static void reclaim_takes_back_what_was_sent_and_nothing_else(void **state)
{
    struct exo_arena *arena = arena_new(64);
    exo_u32 kept = 0;
    exo_u32 at;
    exo_u32 i;
    (void)state;
    for (i = 0; i < 30; i++) {
        at = exo_arena_take_pvt(arena, 1 + i % 3);
        if (i % 5 == 2) {
            kept += 1 + i % 3;
        } else {
            exo_arena_send_pvt(arena, at, exo_arena_token_pvt(arena, at));
        }
    }
    exo_arena_reclaim_pvt(arena);
    assert_int_equal(arena->lent, kept);
    for (at = 0; at < 64; at += exo_arena_block_pvt(arena, at)->size) {
        if (exo_arena_state_pvt(arena, at) == EXO_BLOCK_LENT) {
            exo_arena_give_pvt(arena, at);
            at = 0;
        }
    }
    (void)assert_whole_arena_can_be_lent(arena);
    free(arena);
}

/* Blocks of 256 bytes: which sizes get the released run of two blocks again. */
static void released_run_is_lent_again_to_a_loan_of_its_length(void **state)
{
    static const struct {
        exo_size size;
        exo_bool fits;
    } loans[] = {{257, EXO_TRUE}, {512, EXO_TRUE}, {256, EXO_FALSE}, {513, EXO_FALSE}, {1, EXO_FALSE}, {0, EXO_FALSE},
                 {~(exo_size)0, EXO_FALSE}};
    size_t i;
    (void)state;
    for (i = 0; i < sizeof(loans) / sizeof(loans[0]); i++) {
        struct exo_arena *arena = arena_new(16);
        exo_u32 at = EXO_ARENA_NOWHERE;
        exo_u64 token;
        (void)exo_arena_take_pvt(arena, 1);
        token = take_sent(arena, 2);
        assert_false(exo_arena_relend_pvt(arena, loans[i].size, &at)); /* it is not released yet */
        release_nth(0, token, arena->ring_mask);
        assert_int_equal(exo_arena_relend_pvt(arena, loans[i].size, &at), loans[i].fits);
        if (loans[i].fits) {
            assert_int_equal(at, 1);
            assert_int_equal(exo_arena_lent_pvt(arena, exo_arena_token_pvt(arena, at)), at);
            assert_int_equal(exo_arena_token_pvt(arena, at) >> 32, (token >> 32) + 1);
            assert_int_equal(exo_arena_room_pvt(arena, at), 512);
            assert_int_equal(exo_arena_sent_pvt(arena, token), EXO_ARENA_NOWHERE);
            assert_int_equal(arena->lent, 3);
        }
        release_nth(0, 0, arena->ring_mask); /* what was read of it counts, not what the peer made of it since */
        assert_int_equal(exo_arena_collect_pvt(arena, 16), EXO_OK);
        assert_int_equal(arena->ring_pos, 1);
        assert_int_equal(arena->lent, loans[i].fits ? 3 : 1);
        free(arena);
    }
}

static void run_is_not_lent_again_where_that_makes_generation_zero(void **state)
{
    struct exo_arena *arena = arena_new(4);
    exo_u32 at;
    exo_u64 token;
    (void)state;
    exo_arena_block_pvt(arena, 0)->stamp |= (exo_u64)0xFFFFFFFEu << 32;
    token = take_sent(arena, 4);
    assert_int_equal(token >> 32, 0xFFFFFFFFu);
    release_nth(0, token, arena->ring_mask);
    assert_false(exo_arena_relend_pvt(arena, 1024, &at));
    assert_int_equal(exo_arena_collect_pvt(arena, 1), EXO_OK);
    at = exo_arena_take_pvt(arena, 4);
    assert_int_equal(exo_arena_token_pvt(arena, at) >> 32, 1);
    free(arena);
}

/* A release that names nothing sent is no run to lend, and is a breach once it is collected. */
static void forged_release_is_not_lent_again(void **state)
{
    struct exo_arena *arena = arena_new(16);
    exo_u64 token = take_sent(arena, 2);
    const exo_u64 forged[] = {0,         token + 1,  token + 15, token + 16, token - 1, token ^ EXO_BLOCK_LENT,
                              token + (1ull << 32), ~(exo_u64)0, (exo_u32)token};
    size_t i;
    (void)state;
    for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        exo_u32 at;
        release_nth(0, forged[i], arena->ring_mask);
        assert_false(exo_arena_relend_pvt(arena, 512, &at));
        assert_int_equal(exo_arena_collect_pvt(arena, 16), EXO_CORRUPT);
        assert_int_equal(exo_arena_sent_pvt(arena, token), 0);
    }
    free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_lent_down_to_the_last_block),
        cmocka_unit_test(released_run_is_lent_again_to_a_loan_of_its_length),
        cmocka_unit_test(run_is_not_lent_again_where_that_makes_generation_zero),
        cmocka_unit_test(forged_release_is_not_lent_again),
        cmocka_unit_test(hole_of_the_exact_size_is_found),
        cmocka_unit_test(block_given_back_last_is_lent_next),
        cmocka_unit_test(token_with_wrong_number_generation_or_state_is_not_found),
        cmocka_unit_test(each_loan_has_another_generation_and_never_zero),
        cmocka_unit_test(released_runs_come_back_in_any_order),
        cmocka_unit_test(entry_of_another_lap_is_no_release),
        cmocka_unit_test(release_of_what_was_not_sent_is_corrupt_and_changes_nothing),
        cmocka_unit_test(reclaim_takes_back_what_was_sent_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
