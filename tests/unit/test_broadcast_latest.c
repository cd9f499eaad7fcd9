/* SPDX-License-Identifier: MIT */
/*
 * Latest: what is old is overwritten; who missed it learns how much, exactly, and never gets a torn message.
 */
#include "broadcast_fixture.h"

static struct cast cast;

static void the_sender_is_never_held_back(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    cast_numbers(&cast, 0, 999);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 2);
    cast_close(&cast);
}

static void an_overrun_subscriber_gets_the_exact_number_and_goes_on(struct exo_broadcast_config config)
{
    exo_u64 sent;
    for (sent = 1; sent <= 40; sent++) {
        cast_open(&cast, &config);
        cast_join(&cast, 1);
        cast_numbers(&cast, 0, sent - 1);
        if (sent > 8) {
            assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
            assert_int_equal(exo_subscriber_missed(&cast.sub[0]), sent - 8);
        }
        assert_int_equal(exo_subscriber_missed_all(&cast.sub[0]), sent > 8 ? sent - 8 : 0);
        hear_numbers(&cast.sub[0], sent > 8 ? (exo_i64)sent - 8 : 0, (exo_i64)sent - 1);
        assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
        cast_close(&cast);
    }
}

/* What was received and what was missed are all there is. */
static void received_and_missed_add_up(struct exo_broadcast_config config)
{
    exo_u64 seed = 7;
    exo_u64 sent = 0;
    exo_u64 received = 0;
    exo_u64 missed = 0;
    exo_u32 round;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    for (round = 0; round < 2000; round++) {
        exo_u32 burst;
        exo_u32 i;
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        burst = (exo_u32)(seed >> 33) % 13;
        for (i = 0; i < burst; i++) {
            assert_int_equal(cast_number(&cast, sent++), EXO_OK);
        }
        for (i = 0; i < (exo_u32)(seed >> 45) % 9; i++) {
            exo_i64 got = hear_number(&cast.sub[0]);
            missed += got == EXO_OVERFLOW ? exo_subscriber_missed(&cast.sub[0]) : 0;
            if (got >= 0) {
                assert_int_equal(got, received + missed);
                received++;
            }
        }
        assert_int_equal(exo_subscriber_missed_all(&cast.sub[0]), missed);
    }
    assert_true(received > 1000 && missed > 1000);
    cast_close(&cast);
}

/* The sender is 2^32 messages and more ahead, on the very slot that the subscriber looks at. */
static void laps_beyond_32_bits_are_counted(struct exo_broadcast_config config)
{
    static const exo_u64 laps[] = {8, 16, 1ull << 32, (1ull << 32) + 8, 3ull << 32, 1ull << 50};
    exo_size i;
    for (i = 0; i < COUNT(laps); i++) {
        cast_open(&cast, &config);
        cast_join(&cast, 1);
        cast_numbers(&cast, 0, 0);
        cast.tx.pos += laps[i] - 1; /* as if it had sent them */
        cast_numbers(&cast, 1, 8);
        assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
        assert_int_equal(exo_subscriber_missed(&cast.sub[0]), laps[i]);
        hear_numbers(&cast.sub[0], 1, 8);
        cast_close(&cast);
    }
}

static void who_is_overrun_again_and_again_comes_nearer_to_the_newest(struct exo_broadcast_config config)
{
    static const exo_u64 distance[] = {8, 4, 2, 1};
    exo_u64 sent = 0;
    exo_u32 i;
    config.slots = 8;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    for (i = 0; i < COUNT(distance); i++) {
        cast_numbers(&cast, sent, sent + 99);
        sent += 100;
        assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
        assert_int_equal(exo_subscriber_missed_all(&cast.sub[0]), sent - distance[i]);
    }
    assert_int_equal(hear_number(&cast.sub[0]), sent - 1);
    cast_numbers(&cast, sent, sent + 99);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    assert_int_equal(hear_number(&cast.sub[0]), sent + 92);
    cast_close(&cast);
}

/* A sender that died in the middle of a message. */
static void a_half_written_message_is_never_seen(struct exo_broadcast_config config)
{
    exo_word64 *line;
    exo_u64 number = 99;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    cast_numbers(&cast, 0, 9);
    line = exo_publisher_line_pvt(&cast.tx, cast.tx.pos);
    exo_publisher_open_pvt(&cast.tx, line, cast.tx.pos);
    exo_words_store(line, &number, sizeof(number));
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed(&cast.sub[0]), 2);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW); /* the oldest is just being overwritten */
    assert_int_equal(hear_number(&cast.sub[0]), 6);
    assert_int_equal(exo_subscriber_missed_all(&cast.sub[0]), 6);
    hear_numbers(&cast.sub[0], 7, 9);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
    cast_close(&cast);
}

struct storm {
    struct exo_subscriber *sub;
    pthread_t thread;
    exo_u64 received;
    exo_u64 torn;
    exo_u64 last;
    exo_u32 started;
};

static void *weather(void *argument)
{
    struct storm *storm = (struct storm *)argument;
    exo_u64 words[7];
    exo_i64 len;
    exo_store32(&storm->started, 1, EXO_RELEASE);
    while ((len = exo_subscriber_recv_blocking(storm->sub, words, sizeof(words), EXO_FOREVER)) != EXO_CLOSED) {
        exo_u32 i;
        if (len == EXO_OVERFLOW) {
            continue;
        }
        for (i = 1; i < 7; i++) {
            storm->torn += words[i] != words[0] + i;
        }
        storm->torn += len != sizeof(words) || words[0] != (storm->received + exo_subscriber_missed_all(storm->sub)) * 7;
        storm->received++;
    }
    return NULL;
}

static void readers_in_a_storm_get_whole_messages_and_count_right(struct exo_broadcast_config config)
{
    static struct storm storm[2];
    exo_u64 sent;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    for (i = 0; i < 2; i++) {
        memset(&storm[i], 0, sizeof(storm[i]));
        storm[i].sub = &cast.sub[i];
        assert_int_equal(pthread_create(&storm[i].thread, NULL, weather, &storm[i]), 0);
        while (exo_load32(&storm[i].started, EXO_ACQUIRE) == 0) {
            (void)sched_yield();
        }
    }
    for (sent = 0; sent < 100000; sent++) {
        exo_u64 words[7];
        for (i = 0; i < 7; i++) {
            words[i] = sent * 7 + i;
        }
        assert_int_equal(exo_broadcast_send(&cast.tx, words, sizeof(words)), EXO_OK);
        if (sent % 1000 == 0) {
            (void)sched_yield();
        }
    }
    assert_int_equal(exo_broadcast_close(&cast.tx), EXO_OK);
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(storm[i].thread, NULL), 0);
        assert_int_equal(storm[i].torn, 0);
        assert_true(storm[i].received >= 8);
        assert_int_equal(storm[i].received + exo_subscriber_missed_all(&cast.sub[i]), sent);
    }
    cast_close(&cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LATEST(the_sender_is_never_held_back),
        IN_LATEST(an_overrun_subscriber_gets_the_exact_number_and_goes_on),
        IN_LATEST(received_and_missed_add_up),
        IN_LATEST(laps_beyond_32_bits_are_counted),
        IN_LATEST(who_is_overrun_again_and_again_comes_nearer_to_the_newest),
        IN_LATEST(a_half_written_message_is_never_seen),
        IN_LATEST(readers_in_a_storm_get_whole_messages_and_count_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
