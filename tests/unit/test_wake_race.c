/* SPDX-License-Identifier: MIT */
/*
 * Publishing against falling asleep, at the worst moment: each message is sent, and each slot given back, a random
 * few nanoseconds after the other side was seen to have nothing left to do. This is what the fences of
 * wake.h are for; a wake-up that was lost shows as a call that runs into its generous deadline.
 */
#include "sleep_fixture.h"

#define ROUNDS 20000u
#define DELAY_TURNS 400u

struct side {
    pthread_t thread;
    struct pair *pair;
    exo_u32 often; /* 1: a sleeper that has slept often asks the other side to fence; 0: it never has */
    exo_u32 over;
    exo_i64 failed;
};

static void open_hasty(struct pair *pair, exo_u32 profile, exo_u32 slots)
{
    struct exo_ring_config config = {0};
    config.profile = profile;
    config.slots = slots;
    config.spin = 1;
    config.start = BELOW_WRAP;
    config.arena_size = EXO_ARENA_NONE;
    memset(pair, 0, sizeof(*pair));
    assert_int_equal(exo_ring_create(&pair->ring, &config, &pair->tx, &pair->rx), EXO_OK);
}

static void random_delay(void)
{
    exo_u32 turns;
    for (turns = random_below(DELAY_TURNS); turns != 0; turns--) {
        exo_fence_compiler();
    }
}

static void *receive_all(void *argument)
{
    struct side *self = argument;
    exo_u64 i;
    for (i = 0; i < ROUNDS && self->failed == 0; i++) {
        exo_u64 number = 0;
        exo_u64 until = generously();
        exo_i64 got = in_time(until, exo_recv_blocking(&self->pair->rx, &number, 8, until));
        self->failed = got != 8 ? got : number != i;
        self->pair->rx.sleeper.parked *= self->often;
    }
    exo_store32(&self->over, 1, EXO_RELEASE);
    return NULL;
}

static void *send_all(void *argument)
{
    struct side *self = argument;
    exo_u64 i;
    for (i = 0; i < ROUNDS && self->failed == 0; i++) {
        exo_u64 until = generously();
        self->failed = in_time(until, exo_send_blocking(&self->pair->tx, &i, sizeof(i), until));
        self->pair->tx.sleeper.parked *= self->often;
    }
    exo_store32(&self->over, 1, EXO_RELEASE);
    return NULL;
}

static exo_bool is_over(const struct side *side)
{
    return exo_load32(&side->over, EXO_ACQUIRE) != 0;
}

/* Sends the next message when the receiver has given the last one back: it is about to sleep. */
static void send_to_one_who_falls_asleep(exo_u32 profile, exo_u32 often)
{
    struct pair pair;
    struct side receiver = {0, &pair, often, 0, 0};
    exo_u64 i;
    open_hasty(&pair, profile, 64);
    assert_int_equal(pthread_create(&receiver.thread, NULL, receive_all, &receiver), 0);
    for (i = 0; i < ROUNDS && !is_over(&receiver); i++) {
        while (exo_load64(&pair.rx.rx->exact.value, EXO_ACQUIRE) != BELOW_WRAP + i &&
               !is_over(&receiver)) {
            exo_cpu_relax();
        }
        random_delay();
        assert_int_equal(exo_send_inline(&pair.tx, &i, sizeof(i)), EXO_OK);
    }
    assert_int_equal(pthread_join(receiver.thread, NULL), 0);
    assert_int_equal(receiver.failed, 0);
    close_pair(&pair);
}

/* Takes a message when the sender has filled the ring: it is about to sleep. */
static void take_from_one_who_falls_asleep(exo_u32 profile, exo_u32 often)
{
    struct pair pair;
    struct side sender = {0, &pair, often, 0, 0};
    exo_u64 number;
    exo_u64 i;
    open_hasty(&pair, profile, 2);
    assert_int_equal(pthread_create(&sender.thread, NULL, send_all, &sender), 0);
    for (i = 0; i < ROUNDS; i++) {
        exo_u64 last = BELOW_WRAP + i + 1;
        while (!exo_control_is_for_pvt(exo_line_ready_pvt(exo_rx_line_pvt(&pair.rx, last)), last) &&
               !is_over(&sender)) {
            exo_cpu_relax();
        }
        random_delay();
        if (exo_recv_inline(&pair.rx, &number, sizeof(number)) != sizeof(number) || number != i) {
            break;
        }
    }
    assert_int_equal(pthread_join(sender.thread, NULL), 0);
    assert_int_equal(sender.failed, 0);
    assert_int_equal(i, ROUNDS);
    close_pair(&pair);
}

static void message_is_not_lost_on_a_receiver_that_falls_asleep(void **state)
{
    (void)state;
    random_state = 1;
    send_to_one_who_falls_asleep(EXO_THREADS, 0);
    send_to_one_who_falls_asleep(EXO_THREADS, 1);
    send_to_one_who_falls_asleep(EXO_CRASH_SAFE, 0);
    send_to_one_who_falls_asleep(EXO_CRASH_SAFE, 1);
}

static void free_slot_is_not_lost_on_a_sender_that_falls_asleep(void **state)
{
    (void)state;
    random_state = 2;
    take_from_one_who_falls_asleep(EXO_THREADS, 0);
    take_from_one_who_falls_asleep(EXO_THREADS, 1);
    take_from_one_who_falls_asleep(EXO_CRASH_SAFE, 0);
    take_from_one_who_falls_asleep(EXO_CRASH_SAFE, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_not_lost_on_a_receiver_that_falls_asleep),
        cmocka_unit_test(free_slot_is_not_lost_on_a_sender_that_falls_asleep),
    };
    (void)alarm(200); /* for a hang that is not a lost wake-up */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
