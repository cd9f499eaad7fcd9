/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost: threads that hardly spin, so that each message meets a sleeper or one about to sleep.
 * A wake-up that was lost shows as a call that runs into its generous deadline.
 */
#include "sleep_fixture.h"

#define ROUNDS 20000u
#define PEOPLE 3u

static struct exo_ring_config hasty(const struct variant *variant, exo_u32 slots)
{
    struct exo_ring_config config = {0};
    config.mode = variant->mode;
    config.profile = variant->profile;
    config.start = variant->start;
    config.slots = slots;
    config.spin = 1;
    config.arena_size = BLOCK;
    config.block_size = BLOCK;
    return config;
}

/* One thread of a scene, its handles, and the first thing that went wrong. */
struct person {
    pthread_t thread;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u32 count; /* messages to send; messages received */
    exo_u64 patience_ns;
    exo_i64 failed;
    exo_u64 sum;
};

static void *send_numbers(void *argument)
{
    struct person *self = argument;
    exo_u64 i;
    for (i = 1; i <= self->count && self->failed == 0; i++) {
        exo_u64 until = generously();
        self->failed = in_time(until, exo_send_blocking(&self->tx, &i, sizeof(i), until));
    }
    (void)exo_sender_close(&self->tx);
    return NULL;
}

/* By threes, all or none: what a failed bulk leaves behind must not keep anybody asleep. */
static void *send_numbers_by_threes(void *argument)
{
    struct person *self = argument;
    exo_u64 i = 1;
    while (i <= self->count && self->failed == 0) {
        exo_u64 lot[3] = {i, i + 1, i + 2};
        exo_i64 got = exo_send_bulk(&self->tx, lot, sizeof(lot[0]), exo_min64(3, self->count - i + 1));
        if (got == EXO_FULL) {
            exo_u64 until = generously();
            self->failed = in_time(until, exo_wait_writable(&self->tx, until));
        } else {
            self->failed = got < 0 ? got : 0;
            i += got < 0 ? 0 : (exo_u64)got;
        }
    }
    (void)exo_sender_close(&self->tx);
    return NULL;
}

/* Receives until the end. A short patience makes many calls end just when a wake-up comes. */
static void *receive_numbers(void *argument)
{
    struct person *self = argument;
    exo_u64 quiet = generously();
    for (;;) {
        exo_u64 number;
        exo_u64 until = exo_port_now_ns() + self->patience_ns;
        exo_i64 got = exo_recv_blocking(&self->rx, &number, sizeof(number), until);
        if (self->patience_ns == GENEROUS && in_time(until, got) == EXO_TIMEOUT) {
            self->failed = EXO_TIMEOUT;
            return NULL;
        }
        if (got == (exo_i64)sizeof(number)) {
            self->count++;
            self->sum += number;
            quiet = generously();
        } else if (got != EXO_TIMEOUT || exo_port_now_ns() > quiet) {
            self->failed = got == EXO_CLOSED ? 0 : got;
            return NULL;
        }
    }
}

static void *answer_numbers(void *argument)
{
    struct person *self = argument;
    for (;;) {
        exo_u64 number;
        exo_u64 until = generously();
        exo_i64 got = in_time(until, exo_recv_blocking(&self->rx, &number, sizeof(number), until));
        if (got < 0) {
            self->failed = got == EXO_CLOSED ? 0 : got;
            break;
        }
        until = generously();
        self->failed = in_time(until, exo_send_blocking(&self->tx, &number, sizeof(number), until));
        if (self->failed != 0) {
            break;
        }
    }
    (void)exo_sender_close(&self->tx);
    return NULL;
}

static void ping_pong_in(const struct variant *variant)
{
    struct exo_ring_config config = hasty(variant, 2);
    static struct person here;
    static struct person there;
    struct exo_ring to;
    struct exo_ring back;
    exo_u64 i;
    memset(&here, 0, sizeof(here));
    memset(&there, 0, sizeof(there));
    assert_int_equal(exo_ring_create(&to, &config, &here.tx, &there.rx), EXO_OK);
    assert_int_equal(exo_ring_create(&back, &config, &there.tx, &here.rx), EXO_OK);
    assert_int_equal(pthread_create(&there.thread, NULL, answer_numbers, &there), 0);
    for (i = 0; i < ROUNDS; i++) {
        exo_u64 number = 0;
        exo_u64 until = generously();
        assert_int_equal(exo_send_blocking(&here.tx, &i, sizeof(i), until), EXO_OK);
        assert_int_equal(in_time(until, exo_recv_blocking(&here.rx, &number, 8, until)), 8);
        assert_int_equal(number, i);
    }
    assert_int_equal(exo_sender_close(&here.tx), EXO_OK);
    assert_int_equal(pthread_join(there.thread, NULL), 0);
    assert_int_equal(there.failed, 0);
    exo_ring_destroy(&to);
    exo_ring_destroy(&back);
}

/* Several senders and receivers, as the mode allows, on a ring that is full or empty most of the time. */
static void crowd_with(const struct variant *variant, exo_u32 slots, exo_u64 patience_ns,
                       void *(*send)(void *))
{
    struct exo_ring_config config = hasty(variant, slots);
    static struct person senders[PEOPLE];
    static struct person receivers[PEOPLE];
    exo_u32 n_tx = (variant->mode & EXO_MODE_MP) != 0 ? PEOPLE : 1;
    exo_u32 n_rx = (variant->mode & EXO_MODE_MC) != 0 ? PEOPLE : 1;
    exo_u64 sum = 0;
    exo_u32 count = 0;
    struct exo_ring ring;
    exo_u32 i;
    memset(senders, 0, sizeof(senders));
    memset(receivers, 0, sizeof(receivers));
    config.arena_size = EXO_ARENA_NONE;
    assert_int_equal(exo_ring_create(&ring, &config, NULL, NULL), EXO_OK);
    for (i = 0; i < PEOPLE; i++) {
        senders[i].count = ROUNDS / n_tx;
        receivers[i].patience_ns = patience_ns;
        assert_int_equal(i < n_tx ? exo_ring_sender(&ring, &senders[i].tx) : EXO_OK, EXO_OK);
        assert_int_equal(i < n_rx ? exo_ring_receiver(&ring, &receivers[i].rx) : EXO_OK, EXO_OK);
    }
    for (i = 0; i < PEOPLE; i++) {
        assert_int_equal(i < n_rx ? pthread_create(&receivers[i].thread, NULL, receive_numbers,
                                                   &receivers[i]) : 0, 0);
        assert_int_equal(i < n_tx ? pthread_create(&senders[i].thread, NULL, send, &senders[i]) : 0,
                         0);
    }
    for (i = 0; i < PEOPLE; i++) {
        assert_int_equal(i < n_tx ? pthread_join(senders[i].thread, NULL) : 0, 0);
        assert_int_equal(i < n_rx ? pthread_join(receivers[i].thread, NULL) : 0, 0);
        assert_int_equal(senders[i].failed, 0);
        assert_int_equal(receivers[i].failed, 0);
        count += receivers[i].count;
        sum += receivers[i].sum;
    }
    assert_int_equal(count, ROUNDS / n_tx * n_tx);
    assert_int_equal(sum, (exo_u64)(ROUNDS / n_tx) * (ROUNDS / n_tx + 1) / 2 * n_tx);
    exo_ring_destroy(&ring);
}

static void crowd_in(const struct variant *variant, exo_u32 slots, exo_u64 patience_ns)
{
    crowd_with(variant, slots, patience_ns, send_numbers);
}

static void *view_and_release(void *argument)
{
    struct person *self = argument;
    for (;;) {
        struct exo_viewed view;
        exo_u64 until = generously();
        self->failed = in_time(until, exo_view_blocking(&self->rx, &view, until));
        if (self->failed != EXO_OK) {
            self->failed = self->failed == EXO_CLOSED ? 0 : self->failed;
            return NULL;
        }
        self->count++;
        if (exo_release(&self->rx, &view) != EXO_OK) {
            self->failed = EXO_NOT_FOUND;
            return NULL;
        }
    }
}

/* The arena has one block: each loan waits for the release of the one before. */
static void one_block_in(const struct variant *variant)
{
    struct exo_ring_config config = hasty(variant, 8);
    static struct person receiver;
    struct exo_sender tx;
    struct exo_ring ring;
    exo_u32 i;
    memset(&receiver, 0, sizeof(receiver));
    assert_int_equal(exo_ring_create(&ring, &config, &tx, &receiver.rx), EXO_OK);
    assert_int_equal(pthread_create(&receiver.thread, NULL, view_and_release, &receiver), 0);
    for (i = 0; i < ROUNDS; i++) {
        struct exo_loaned loan;
        exo_u64 until = generously();
        assert_int_equal(exo_loan_blocking(&tx, 100, &loan, until), EXO_OK);
        assert_int_equal(in_time(until, exo_send_loan_blocking(&tx, &loan, until)), EXO_OK);
    }
    assert_int_equal(exo_sender_close(&tx), EXO_OK);
    assert_int_equal(pthread_join(receiver.thread, NULL), 0);
    assert_int_equal(receiver.failed, 0);
    assert_int_equal(receiver.count, ROUNDS);
    assert_int_equal(exo_loans_outstanding(&tx), 0);
    exo_ring_destroy(&ring);
}

static const struct variant spsc = {EXO_SPSC, EXO_THREADS, BELOW_WRAP};
static const struct variant spsc_shared = {EXO_SPSC, EXO_CRASH_SAFE, 0};
static const struct variant mpsc = {EXO_MPSC, EXO_THREADS, 0};
static const struct variant mpsc_owned = {EXO_MPSC, EXO_CRASH_SAFE, BELOW_WRAP};
static const struct variant spmc = {EXO_SPMC, EXO_THREADS, BELOW_WRAP};
static const struct variant mpmc = {EXO_MPMC, EXO_THREADS, 0};

static void no_wake_up_is_lost_in_a_ping_pong(void **state)
{
    (void)state;
    ping_pong_in(&spsc);
    ping_pong_in(&spsc_shared);
    ping_pong_in(&mpsc);
    ping_pong_in(&mpsc_owned);
    ping_pong_in(&mpmc);
}

static void no_wake_up_is_lost_between_one_and_one(void **state)
{
    (void)state;
    crowd_in(&spsc, 2, GENEROUS);
    crowd_in(&spsc, 64, GENEROUS);
    crowd_in(&spsc_shared, 2, GENEROUS);
}

static void no_wake_up_is_lost_between_several_and_one(void **state)
{
    (void)state;
    crowd_in(&mpsc, 2, GENEROUS);
    crowd_in(&mpsc, 16, GENEROUS);
    crowd_in(&mpsc_owned, 2, GENEROUS);
}

static void no_consumer_sleeps_on_while_messages_wait(void **state)
{
    (void)state;
    crowd_in(&spmc, 2, GENEROUS);
    crowd_in(&spmc, 64, GENEROUS);
    crowd_in(&mpmc, 2, GENEROUS);
    crowd_in(&mpmc, 8, GENEROUS);
}

static void no_wake_up_is_lost_to_a_call_that_times_out(void **state)
{
    (void)state;
    crowd_in(&spsc, 2, 20000);
    crowd_in(&mpsc_owned, 2, 20000);
    crowd_in(&spmc, 2, 20000);
    crowd_in(&mpmc, 4, 50000);
}

static void no_release_is_lost_on_a_sender_that_waits_for_its_only_block(void **state)
{
    (void)state;
    one_block_in(&spsc);
    one_block_in(&mpsc);
    one_block_in(&mpsc_owned);
    one_block_in(&mpmc);
}

static void bulk_that_failed_leaves_nobody_asleep(void **state)
{
    (void)state;
    crowd_with(&mpsc_owned, 4, GENEROUS, send_numbers_by_threes);
    crowd_with(&mpsc_owned, 8, GENEROUS, send_numbers_by_threes);
    crowd_with(&mpsc, 2, GENEROUS, send_numbers_by_threes);
    crowd_with(&mpmc, 4, GENEROUS, send_numbers_by_threes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_in_a_ping_pong),
        cmocka_unit_test(no_wake_up_is_lost_between_one_and_one),
        cmocka_unit_test(no_wake_up_is_lost_between_several_and_one),
        cmocka_unit_test(no_consumer_sleeps_on_while_messages_wait),
        cmocka_unit_test(no_wake_up_is_lost_to_a_call_that_times_out),
        cmocka_unit_test(bulk_that_failed_leaves_nobody_asleep),
        cmocka_unit_test(no_release_is_lost_on_a_sender_that_waits_for_its_only_block),
    };
    (void)alarm(200); /* for a hang that is not a lost wake-up */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
