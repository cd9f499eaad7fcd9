/* SPDX-License-Identifier: MIT */
/*
 * One to many: every subscriber gets every message, and comes and goes; what the sender is held back by and for how long.
 */
#include "broadcast_fixture.h"

static struct cast cast;

static void every_subscriber_gets_every_message(struct exo_broadcast_config config)
{
    exo_u64 number;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, SUBSCRIBERS);
    for (number = 0; number < 40; number++) {
        assert_int_equal(cast_number(&cast, number), EXO_OK);
        for (i = 0; i < SUBSCRIBERS; i++) {
            assert_int_equal(hear_number(&cast.sub[i]), number);
            assert_int_equal(hear_number(&cast.sub[i]), EXO_EMPTY);
        }
    }
    cast_close(&cast);
}

static void every_size_arrives_as_it_was_sent(struct exo_broadcast_config config)
{
    exo_u8 sent[BLOCKS * BLOCK];
    exo_u8 got[BLOCKS * BLOCK + 1];
    exo_size size;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    for (size = 0; size <= sizeof(sent); size++) {
        memset(sent, (int)size + 1, sizeof(sent));
        assert_int_equal(exo_broadcast_send(&cast.tx, sent, size), EXO_OK);
        for (i = 0; i < 2; i++) {
            got[size] = 0x5A;
            if (size != 0) {
                assert_int_equal(exo_subscriber_recv(&cast.sub[i], got, size - 1), EXO_BUFFER_TOO_SMALL);
            }
            assert_int_equal(exo_subscriber_recv(&cast.sub[i], got, size), size);
            assert_memory_equal(got, sent, size);
            assert_int_equal(got[size], 0x5A);
        }
    }
    assert_int_equal(exo_broadcast_send(&cast.tx, sent, sizeof(sent) + 1), EXO_INVALID_SIZE);
    cast_close(&cast);
    config.arena_size = EXO_ARENA_NONE;
    cast_open(&cast, &config);
    assert_int_equal(exo_broadcast_send(&cast.tx, sent, 57), EXO_INVALID_SIZE);
    cast_close(&cast);
}

static void the_slowest_holds_the_sender_back_and_nobody_else(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_join(&cast, 3);
    cast_numbers(&cast, 0, 7);
    assert_int_equal(cast_number(&cast, 8), EXO_FULL);
    hear_numbers(&cast.sub[0], 0, 7);
    hear_numbers(&cast.sub[1], 0, 7);
    assert_int_equal(cast_number(&cast, 8), EXO_FULL);
    hear_numbers(&cast.sub[2], 0, 0);
    assert_int_equal(cast_number(&cast, 8), EXO_OK);
    assert_int_equal(cast_number(&cast, 9), EXO_FULL);
    assert_int_equal(hear_number(&cast.sub[0]), 8);
    hear_numbers(&cast.sub[2], 1, 8);
    cast_numbers(&cast, 9, 15);
    hear_numbers(&cast.sub[1], 8, 15);
    cast_close(&cast);
}

static void nobody_listening_holds_nobody_back(struct exo_broadcast_config config)
{
    exo_u32 i;
    cast_open(&cast, &config);
    cast_numbers(&cast, 0, 99);
    for (i = 0; i < 50; i++) {
        assert_int_equal(cast_loan(&cast, 2 * BLOCK, 1), EXO_OK);
    }
    cast_close(&cast);
}

static void joining_gets_what_is_sent_after_it_returned(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_numbers(&cast, 0, 4);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], 0), EXO_OK);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
    cast_numbers(&cast, 5, 6);
    hear_numbers(&cast.sub[0], 5, 6);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
    cast_close(&cast);
}

static void history_comes_first_and_without_a_gap(struct exo_broadcast_config config)
{
    static const exo_u64 wanted[] = {0, 1, 3, 7, 8, 9, 1000, ~0ull};
    exo_size i;
    for (i = 0; i < COUNT(wanted); i++) {
        exo_u64 sent;
        for (sent = 0; sent <= 20; sent += 5) {
            exo_u64 there = exo_min64(sent, 8);
            exo_u64 history = exo_min64(wanted[i], there);
            cast_open(&cast, &config);
            if (sent != 0) {
                cast_numbers(&cast, 0, sent - 1);
            }
            assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], wanted[i]), EXO_OK);
            assert_int_equal(exo_broadcast_poll(&cast.tx), EXO_OK);
            hear_numbers(&cast.sub[0], (exo_i64)(sent - history), (exo_i64)sent - 1);
            assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
            cast_numbers(&cast, sent, sent);
            assert_int_equal(hear_number(&cast.sub[0]), sent);
            cast_close(&cast);
        }
    }
}

static void a_place_left_is_free_for_the_next(struct exo_broadcast_config config)
{
    struct exo_subscriber more;
    exo_u32 round;
    cast_open(&cast, &config);
    cast_join(&cast, SUBSCRIBERS);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &more, 0), EXO_ALREADY_EXISTS);
    for (round = 0; round < 20; round++) {
        exo_u32 who = round % SUBSCRIBERS;
        assert_int_equal(exo_subscriber_leave(&cast.sub[who]), EXO_OK);
        assert_int_equal(exo_subscriber_leave(&cast.sub[who]), EXO_CLOSED);
        assert_int_equal(hear_number(&cast.sub[who]), EXO_CLOSED);
        assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &more, 0), EXO_ALREADY_EXISTS);
        assert_int_equal(exo_broadcast_subscribers(&cast.tx), SUBSCRIBERS - 1);
        assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[who], 0), EXO_OK);
        assert_int_equal(cast_number(&cast, round), EXO_OK);
        assert_int_equal(hear_number(&cast.sub[who]), round);
        assert_int_equal(hear_number(&cast.sub[(who + 1) % SUBSCRIBERS]), round);
        hear_number(&cast.sub[(who + 2) % SUBSCRIBERS]);
        hear_number(&cast.sub[(who + 3) % SUBSCRIBERS]);
    }
    cast_close(&cast);
}

/* Left before the sender noticed that it was there. */
static void who_leaves_unnoticed_leaves_no_trace(struct exo_broadcast_config config)
{
    exo_u32 round;
    cast_open(&cast, &config);
    for (round = 0; round < 20; round++) {
        assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], 3), EXO_OK);
        assert_int_equal(exo_subscriber_leave(&cast.sub[0]), EXO_OK);
        cast_numbers(&cast, 0, 20);
        assert_int_equal(exo_broadcast_subscribers(&cast.tx), 0);
    }
    cast_close(&cast);
}

static void a_send_notices_who_has_left(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_join(&cast, 3);
    assert_int_equal(exo_subscriber_leave(&cast.sub[1]), EXO_OK);
    cast_numbers(&cast, 0, 0);
    assert_int_equal(cast.tx.count, 2);
    cast_numbers(&cast, 1, 1);
    hear_numbers(&cast.sub[0], 0, 1);
    hear_numbers(&cast.sub[2], 0, 1);
    cast_close(&cast);
}

static void leaving_frees_a_sender_that_was_held_back(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    cast_numbers(&cast, 0, 7);
    hear_numbers(&cast.sub[0], 0, 7);
    assert_int_equal(cast_number(&cast, 8), EXO_FULL);
    assert_int_equal(exo_subscriber_leave(&cast.sub[1]), EXO_OK);
    assert_int_equal(cast_number(&cast, 8), EXO_OK);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    cast_close(&cast);
}

/* As long as nothing is sent, nobody has been cut off. */
static exo_status send_to_two(struct cast *to)
{
    exo_status status = cast_number(to, 8);
    assert_true(status == EXO_OK || exo_broadcast_subscribers(&to->tx) == 2);
    return status;
}

static void who_lags_past_the_limit_is_cut_off_and_may_come_back(struct exo_broadcast_config config)
{
    config.lag_ns = 20 * MILLISECOND_NS;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    cast_numbers(&cast, 0, 7);
    hear_numbers(&cast.sub[0], 0, 7);
    assert_true(refused_until_the_limit(&cast, send_to_two) >= config.lag_ns);
    assert_int_equal(hear_number(&cast.sub[1]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed(&cast.sub[1]), 8);
    assert_int_equal(hear_number(&cast.sub[1]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed_all(&cast.sub[1]), 8);
    assert_int_equal(hear_number(&cast.sub[0]), 8);
    assert_int_equal(exo_subscriber_leave(&cast.sub[1]), EXO_OK);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[1], 0), EXO_OK);
    assert_int_equal(cast_number(&cast, 9), EXO_OK);
    assert_int_equal(hear_number(&cast.sub[1]), 9);
    assert_int_equal(hear_number(&cast.sub[0]), 9);
    cast_close(&cast);
}

static void a_subscriber_that_moves_is_not_cut_off(struct exo_broadcast_config config)
{
    exo_u64 number;
    config.lag_ns = 20 * MILLISECOND_NS;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    cast_numbers(&cast, 0, 7);
    for (number = 8; number < 18; number++) {
        assert_int_equal(cast_number(&cast, number), EXO_FULL);
        outwait(8 * MILLISECOND_NS);
        assert_int_equal(hear_number(&cast.sub[0]), number - 8);
        assert_int_equal(cast_number(&cast, number), EXO_OK);
    }
    cast_close(&cast);
}

static void closing_comes_after_the_last_message(struct exo_broadcast_config config)
{
    struct exo_loaned loan;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[2], 1), EXO_OK);
    cast_numbers(&cast, 0, 2);
    hear_numbers(&cast.sub[0], 0, 2);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[3], 2), EXO_OK);
    assert_int_equal(exo_broadcast_close(&cast.tx), EXO_OK);
    assert_int_equal(exo_broadcast_close(&cast.tx), EXO_CLOSED);
    assert_int_equal(cast_number(&cast, 3), EXO_CLOSED);
    assert_int_equal(exo_broadcast_send(&cast.tx, &loan, 100), EXO_CLOSED);
    assert_int_equal(exo_broadcast_loan(&cast.tx, 1, &loan), EXO_CLOSED);
    assert_int_equal(exo_broadcast_poll(&cast.tx), EXO_CLOSED);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_CLOSED);
    hear_numbers(&cast.sub[1], 0, 2);
    assert_int_equal(hear_number(&cast.sub[1]), EXO_CLOSED);
    hear_numbers(&cast.sub[2], 0, 2);
    assert_int_equal(hear_number(&cast.sub[2]), EXO_CLOSED);
    hear_numbers(&cast.sub[3], 1, 2);
    assert_int_equal(hear_number(&cast.sub[3]), EXO_CLOSED);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], 0), EXO_CLOSED);
    cast_close(&cast);
}

static void sixty_four_subscribers_get_everything(struct exo_broadcast_config config)
{
    static struct exo_subscriber subs[EXO_SUBSCRIBERS_MAX];
    struct exo_subscriber one_more;
    exo_u64 number;
    exo_u32 i;
    config.subscribers = 0;
    cast_open(&cast, &config);
    for (i = 0; i < EXO_SUBSCRIBERS_MAX; i++) {
        assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &subs[i], 0), EXO_OK);
    }
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &one_more, 0), EXO_ALREADY_EXISTS);
    for (number = 0; number < 20; number++) {
        assert_int_equal(cast_number(&cast, number), EXO_OK);
        assert_int_equal(cast_loan(&cast, 100, (exo_u8)number), EXO_OK);
        for (i = 0; i < EXO_SUBSCRIBERS_MAX; i++) {
            assert_int_equal(hear_number(&subs[i]), number);
            hear_view(&subs[i], 100, (exo_u8)number);
        }
    }
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), EXO_SUBSCRIBERS_MAX);
    cast_close(&cast);
}

static exo_status geometry_of(exo_u32 slots, exo_u32 subscribers, exo_u32 policy, exo_u32 profile, exo_size arena,
                              exo_size block)
{
    struct exo_broadcast_config config = {0};
    struct exo_geometry geometry;
    config.slots = slots;
    config.subscribers = subscribers;
    config.policy = policy;
    config.profile = profile;
    config.arena_size = arena;
    config.block_size = block;
    return exo_broadcast_geometry(&geometry, &config);
}

static void configurations_are_checked(void **state)
{
    struct exo_broadcast_config config = {0};
    struct exo_geometry geometry;
    struct cast *none = NULL;
    exo_u8 unaligned[8];
    (void)state;
    config.start = ((exo_u64)1 << 63) - 1;
    assert_int_equal(exo_broadcast_geometry(&geometry, &config), EXO_OK);
    config.start++;
    assert_int_equal(exo_broadcast_geometry(&geometry, &config), EXO_INVALID_ARGUMENT);
    assert_int_equal(geometry_of(0, 0, 0, 0, 0, 0), EXO_OK);
    assert_int_equal(geometry_of(2, 64, EXO_LATEST, EXO_HOSTILE, EXO_ARENA_NONE, 0), EXO_OK);
    assert_int_equal(geometry_of(1, 0, 0, 0, 0, 0), EXO_INVALID_SIZE);
    assert_int_equal(geometry_of(12, 0, 0, 0, 0, 0), EXO_INVALID_SIZE);
    assert_int_equal(geometry_of(0, 65, 0, 0, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(geometry_of(0, 0, 2, 0, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(geometry_of(0, 0, 0, 3, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(geometry_of(0, 0, 0, 0, EXO_SIZE_MAX / 2, 0), EXO_INVALID_SIZE);
    assert_int_equal(geometry_of(0, 0, 0, 0, 1024, 96), EXO_INVALID_SIZE);
    assert_int_equal(geometry_of(0, 0, 0, 0, 1024, 32), EXO_INVALID_SIZE);
    assert_int_equal(exo_broadcast_geometry(NULL, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_broadcast_init(&cast.broadcast, NULL, NULL, 1u << 20, &cast.tx), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_broadcast_init(&cast.broadcast, NULL, unaligned + 1, 1u << 20, &cast.tx),
                     EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_broadcast_create(&cast.broadcast, NULL, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, NULL, 0), EXO_INVALID_ARGUMENT);
    assert_null(none);
}

static void the_ports_memory_comes_and_goes(void **state)
{
    static struct exo_broadcast broadcast;
    struct exo_publisher tx;
    struct exo_subscriber sub;
    exo_size bytes = 0;
    char text[8];
    (void)state;
    assert_int_equal(exo_broadcast_bytes(NULL, &bytes), EXO_OK);
    assert_int_equal(exo_broadcast_create(&broadcast, NULL, &tx), EXO_OK);
    assert_int_equal(broadcast.owned_bytes, bytes);
    assert_int_equal(exo_broadcast_subscribe(&broadcast, &sub, 0), EXO_OK);
    assert_int_equal(exo_broadcast_send(&tx, "hello", 6), EXO_OK);
    assert_int_equal(exo_subscriber_recv(&sub, text, sizeof(text)), 6);
    assert_string_equal(text, "hello");
    exo_broadcast_destroy(&broadcast);
    assert_null(broadcast.owned);
    exo_broadcast_destroy(&broadcast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(every_subscriber_gets_every_message),
        IN_BOTH(every_size_arrives_as_it_was_sent),
        IN_RELIABLE(the_slowest_holds_the_sender_back_and_nobody_else),
        IN_BOTH(nobody_listening_holds_nobody_back),
        IN_BOTH(joining_gets_what_is_sent_after_it_returned),
        IN_BOTH(history_comes_first_and_without_a_gap),
        IN_BOTH(a_place_left_is_free_for_the_next),
        IN_BOTH(who_leaves_unnoticed_leaves_no_trace),
        IN_BOTH(a_send_notices_who_has_left),
        IN_RELIABLE(leaving_frees_a_sender_that_was_held_back),
        IN_RELIABLE(who_lags_past_the_limit_is_cut_off_and_may_come_back),
        IN_RELIABLE(a_subscriber_that_moves_is_not_cut_off),
        IN_BOTH(closing_comes_after_the_last_message),
        IN_BOTH(sixty_four_subscribers_get_everything),
        cmocka_unit_test(configurations_are_checked),
        cmocka_unit_test(the_ports_memory_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
