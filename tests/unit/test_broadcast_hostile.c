/* SPDX-License-Identifier: MIT */
/*
 * Hostile words in either segment: a subscriber ends its own seat and touches nobody else; a sender spoils its own
 * messages, and nobody reads outside.
 */
#include "broadcast_fixture.h"

static struct cast cast;

/* Words that honest sides never write there, or not then. */
static const exo_u64 words[] = {0, 1, 2, 7, 8, 9, 255, 256, 1u << 31, 0xFFFFFFFFull, 1ull << 32, 1ull << 63, ~0ull, ~1ull};

static struct exo_cast_rx *open_hostile(struct exo_broadcast_config *config)
{
    config->profile = EXO_HOSTILE;
    config->lag_ns = 1;
    cast_open(&cast, config);
    cast_join(&cast, 2);
    return cast.sub[1].rx;
}

/* The honest subscriber gets all of it, whatever the other one does. */
static void expect_service(exo_u32 messages)
{
    exo_u32 i;
    for (i = 0; i < messages; i++) {
        exo_status status = cast_number(&cast, i);
        status = status == EXO_FULL ? cast_number(&cast, i) : status;
        assert_int_equal(status, EXO_OK);
        hear_numbers(&cast.sub[0], i, i);
        status = cast_loan(&cast, 2 * BLOCK, (exo_u8)i);
        status = status == EXO_FULL ? cast_loan(&cast, 2 * BLOCK, (exo_u8)i) : status;
        assert_int_equal(status, EXO_OK);
        hear_view(&cast.sub[0], 2 * BLOCK, (exo_u8)i);
    }
    assert_true(exo_broadcast_subscribers(&cast.tx) >= 1);
}

static void a_lying_position_ends_the_liars_seat(struct exo_broadcast_config config)
{
    exo_size i;
    for (i = 0; i < COUNT(words); i++) {
        struct exo_cast_rx *rx = open_hostile(&config);
        exo_store64(&rx->taken.value, words[i], EXO_RELAXED);
        expect_service(20);
        if (words[i] > 8) {
            assert_int_equal(hear_number(&cast.sub[1]), EXO_CORRUPT);
        }
        cast_close(&cast);
    }
}

static void a_position_that_runs_back_ends_the_seat(struct exo_broadcast_config config)
{
    struct exo_cast_rx *rx;
    config.profile = EXO_HOSTILE;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    rx = cast.sub[0].rx;
    cast_numbers(&cast, 0, 7);
    hear_numbers(&cast.sub[0], 0, 3);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    exo_store64(&rx->taken.value, 3, EXO_RELAXED);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 0);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_CORRUPT);
    cast_close(&cast);
}

static void a_release_of_what_was_never_held_ends_the_seat(struct exo_broadcast_config config)
{
    exo_size i;
    for (i = 0; i < COUNT(words); i++) {
        struct exo_cast_rx *rx = open_hostile(&config);
        struct exo_release_entry *ring = (struct exo_release_entry *)(void *)(rx + 1);
        exo_store64(&ring[0].token, words[i], EXO_RELAXED);
        exo_store64(&ring[0].tag, 1, EXO_RELAXED);
        expect_service(20);
        assert_true(hear_number(&cast.sub[1]) == EXO_CORRUPT || exo_subscriber_missed_all(&cast.sub[1]) != 0);
        cast_close(&cast);
    }
}

static void a_block_released_twice_is_not_lent_twice(struct exo_broadcast_config config)
{
    struct exo_viewed view[2];
    struct exo_viewed kept;
    struct exo_release_entry *ring;
    struct exo_cast_rx *rx;
    exo_u64 token;
    config.profile = EXO_HOSTILE;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    rx = cast.sub[1].rx;
    ring = (struct exo_release_entry *)(void *)(rx + 1);
    assert_int_equal(cast_loan(&cast, 4 * BLOCK, 1), EXO_OK);
    open_view(&cast.sub[0], &kept, 4 * BLOCK, 1);
    open_view(&cast.sub[1], &view[1], 4 * BLOCK, 1);
    token = view[1].token;
    assert_int_equal(exo_subscriber_release(&cast.sub[1], &view[1]), EXO_OK);
    exo_store64(&ring[1].token, token, EXO_RELAXED);
    exo_store64(&ring[1].tag, 2, EXO_RELAXED);
    assert_int_equal(cast_loan(&cast, 5 * BLOCK, 2), EXO_FULL);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    assert_filled(kept.data, 4 * BLOCK, 1);
    assert_int_equal(hear_number(&cast.sub[1]), EXO_CORRUPT);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &kept), EXO_OK);
    assert_int_equal(cast_loan(&cast, 5 * BLOCK, 2), EXO_OK);
    hear_view(&cast.sub[0], 5 * BLOCK, 2);
    cast_close(&cast);
}

static void pins_of_nonsense_cost_time_and_nothing_else(struct exo_broadcast_config config)
{
    exo_size i;
    exo_u32 pin;
    for (i = 0; i < COUNT(words); i++) {
        struct exo_cast_rx *rx = open_hostile(&config);
        for (pin = 0; pin < EXO_PINS; pin++) {
            exo_store64(&rx->pins[pin], words[i] + ((exo_u64)pin << 32), EXO_RELAXED);
        }
        expect_service(20);
        cast_close(&cast);
    }
}

/* All of a subscriber's segment, and all the time. */
static void a_scribbled_segment_harms_nobody_else(struct exo_broadcast_config config)
{
    exo_u64 seed = 3;
    exo_u32 round;
    for (round = 0; round < 300; round++) {
        struct exo_cast_rx *rx = open_hostile(&config);
        exo_word64 *at = (exo_word64 *)(void *)&rx->sync;
        exo_size n = (cast.broadcast.geometry.rx_bytes - sizeof(rx->header)) / sizeof(*at);
        exo_u32 step;
        for (step = 0; step < 10; step++) {
            exo_size i;
            for (i = 0; i < n; i++) {
                seed = seed * 6364136223846793005ull + 1442695040888963407ull;
                if ((seed >> 60) < 12) {
                    at[i] = (seed >> 59 & 1) != 0 ? words[(seed >> 33) % COUNT(words)] : seed >> (seed >> 58);
                }
            }
            expect_service(3);
        }
        cast_close(&cast);
    }
}

/* Every answer that a subscriber may give to nonsense. */
static void expect_declared(struct exo_subscriber *sub, struct cast *at)
{
    exo_u8 buffer[BLOCKS * BLOCK];
    struct exo_viewed view;
    exo_i64 got = exo_subscriber_recv(sub, buffer, sizeof(buffer));
    assert_true(got <= (exo_i64)sizeof(buffer));
    if (got < 0) {
        assert_true(got == EXO_EMPTY || got == EXO_CORRUPT || got == EXO_OVERFLOW || got == EXO_CLOSED);
    }
    got = exo_subscriber_view(sub, &view);
    if (got == EXO_OK) {
        const exo_u8 *arena = at->broadcast.tx + at->broadcast.geometry.arena_off;
        const exo_u8 *data = (const exo_u8 *)view.data;
        assert_true(data == (const exo_u8 *)view.copy
                        ? view.len <= EXO_INLINE_THRESHOLD
                        : data >= arena && view.len <= BLOCKS * BLOCK && data + view.len <= arena + BLOCKS * BLOCK);
        got = exo_subscriber_release(sub, &view);
        assert_true(got == EXO_OK || got == EXO_OVERFLOW || got == EXO_CORRUPT);
    } else {
        assert_null(view.data);
        assert_true(got == EXO_EMPTY || got == EXO_CORRUPT || got == EXO_OVERFLOW || got == EXO_CLOSED);
    }
}

static void descriptors_that_point_outside_are_refused(struct exo_broadcast_config config)
{
    exo_size i;
    exo_u32 which;
    for (i = 0; i < COUNT(words); i++) {
        for (which = 0; which < 3; which++) {
            exo_u64 bad = which == 1 ? BLOCKS * BLOCK + 1 + words[i] % 1000 : words[i] | 1ull << 62;
            struct exo_viewed view;
            config.profile = EXO_HOSTILE;
            cast_open(&cast, &config);
            cast_join(&cast, 1);
            assert_int_equal(cast_loan(&cast, BLOCK, 1), EXO_OK);
            bad = which == 0 ? words[i] | BLOCKS : bad; /* no block has that number, or no loan that generation */
            exo_store64(&exo_publisher_line_pvt(&cast.tx, cast.tx.pos - 1)[which], bad, EXO_RELAXED);
            assert_int_equal(exo_subscriber_view(&cast.sub[0], &view), EXO_CORRUPT);
            assert_int_equal(hear_number(&cast.sub[0]), EXO_CORRUPT);
            cast_close(&cast);
        }
    }
}

static void lengths_beyond_a_slot_are_refused(struct exo_broadcast_config config)
{
    exo_u8 buffer[2 * EXO_CACHE_LINE];
    exo_u8 before[sizeof(buffer)];
    exo_u32 len;
    memset(before, 0x5A, sizeof(before));
    for (len = EXO_INLINE_THRESHOLD + 1; len < 64; len++) {
        exo_word64 *line;
        config.profile = EXO_HOSTILE;
        cast_open(&cast, &config);
        cast_join(&cast, 1);
        cast_numbers(&cast, 0, 0);
        line = exo_publisher_line_pvt(&cast.tx, cast.tx.pos - 1);
        exo_store64(&line[EXO_LINE_WORDS], exo_cast_control_pvt(cast.tx.pos - 1, EXO_CAST_INLINE, len), EXO_RELAXED);
        memcpy(buffer, before, sizeof(buffer));
        assert_int_equal(exo_subscriber_recv(&cast.sub[0], buffer, sizeof(buffer)), EXO_CORRUPT);
        assert_memory_equal(buffer, before, sizeof(buffer));
        cast_close(&cast);
    }
}

static void a_scribbling_sender_is_survived(struct exo_broadcast_config config)
{
    exo_u64 seed = 5;
    exo_u32 round;
    for (round = 0; round < 2000; round++) {
        exo_word64 *at;
        exo_size n;
        exo_u32 step;
        config.profile = EXO_HOSTILE;
        cast_open(&cast, &config);
        cast_join(&cast, 1);
        cast_numbers(&cast, 0, 2);
        assert_int_equal(cast_loan(&cast, BLOCK, 1), EXO_OK);
        at = (exo_word64 *)(void *)&cast.tx.tx->sync;
        n = (cast.broadcast.geometry.arena_off - sizeof(struct exo_ring_header)) / sizeof(*at);
        for (step = 0; step < 8; step++) {
            exo_u32 change;
            for (change = 0; change < 3; change++) {
                seed = seed * 6364136223846793005ull + 1442695040888963407ull;
                at[(seed >> 33) % n] ^= (seed >> 62) == 0   ? words[(seed >> 20) % COUNT(words)]
                                        : (seed >> 62) == 1 ? 1ull << (seed >> 20 & 63)
                                                            : seed >> (seed >> 14 & 63);
            }
            expect_declared(&cast.sub[0], &cast);
        }
        cast_close(&cast);
    }
}

/* Only a hostile sender can bring positions round 2^64. Whoever misses something gets on all the same. */
static void an_overflow_leads_forward_whatever_the_sender_says(struct exo_broadcast_config config)
{
    config.profile = EXO_HOSTILE;
    config.start = 0;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    cast_numbers(&cast, 0, 11);
    cast.tx.seats[0].start = ~(exo_u64)0; /* the subscriber has not looked yet */
    cast.tx.tx->marks.floor = ~(exo_u64)0;
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed(&cast.sub[0]), 5); /* from there to the oldest of the last eight */
    assert_false(exo_subscriber_cut_off(&cast.sub[0]));
    hear_numbers(&cast.sub[0], 4, 11);
    cast_close(&cast);
}

static void who_is_cut_off_is_told_that_it_is_for_good(struct exo_broadcast_config config)
{
    struct exo_viewed view[2];
    struct exo_loaned loan;
    exo_u32 i;
    config.lag_ns = 1;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    for (i = 0; i < 2; i++) {
        assert_int_equal(cast_loan(&cast, BLOCK * BLOCKS / 2, (exo_u8)i), EXO_OK);
        assert_int_equal(exo_subscriber_view(&cast.sub[0], &view[i]), EXO_OK);
    }
    assert_false(exo_subscriber_cut_off(&cast.sub[0]));
    for (i = 0; i < 3 && exo_broadcast_loan(&cast.tx, BLOCK * BLOCKS, &loan) != EXO_OK; i++) { /* it keeps all blocks */
    }
    assert_in_range(i, 1, 2);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    assert_true(exo_subscriber_cut_off(&cast.sub[0]));
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    cast_close(&cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RELIABLE(a_lying_position_ends_the_liars_seat),
        IN_RELIABLE(a_position_that_runs_back_ends_the_seat),
        IN_RELIABLE(a_release_of_what_was_never_held_ends_the_seat),
        IN_RELIABLE(a_block_released_twice_is_not_lent_twice),
        IN_LATEST(pins_of_nonsense_cost_time_and_nothing_else),
        IN_BOTH(a_scribbled_segment_harms_nobody_else),
        IN_BOTH(descriptors_that_point_outside_are_refused),
        IN_BOTH(lengths_beyond_a_slot_are_refused),
        IN_BOTH(a_scribbling_sender_is_survived),
        IN_LATEST(an_overflow_leads_forward_whatever_the_sender_says),
        IN_BOTH(who_is_cut_off_is_told_that_it_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
