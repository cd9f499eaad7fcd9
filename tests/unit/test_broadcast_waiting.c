/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a broadcast: everything that a sleeper waits for wakes it, and nobody sleeps past a deadline or a limit.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "broadcast_fixture.h"

static struct cast cast;

struct waiting {
    pthread_t thread;
    struct exo_subscriber *sub;
    exo_u32 *word; /* says that it sleeps */
    exo_i64 result;
    exo_u64 number;
};

static void *hear_blocking(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    self->result = exo_subscriber_recv_blocking(self->sub, &self->number, sizeof(self->number), EXO_FOREVER);
    return NULL;
}

static void *view_blocking(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    struct exo_viewed view;
    self->result = exo_subscriber_view_blocking(self->sub, &view, EXO_FOREVER);
    self->number = view.data == NULL ? 0 : exo_read64(view.data);
    return NULL;
}

static void *send_blocking(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    self->number = 8;
    self->result = exo_broadcast_send_blocking(&cast.tx, &self->number, sizeof(self->number), EXO_FOREVER);
    return NULL;
}

static void *loan_blocking(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    struct exo_loaned loan;
    self->result = exo_broadcast_loan_blocking(&cast.tx, 6 * BLOCK, &loan, EXO_FOREVER);
    return NULL;
}

static void start_waiting(struct waiting *self, void *(*body)(void *), exo_u32 *word)
{
    self->word = word;
    self->result = 1000;
    assert_int_equal(pthread_create(&self->thread, NULL, body, self), 0);
}

/* Announced, and then some. */
static void until_asleep(const struct waiting *self)
{
    while ((exo_load32(self->word, EXO_ACQUIRE) & EXO_WAIT_ASLEEP) == 0) {
        (void)sched_yield();
    }
    outwait(2 * MILLISECOND_NS);
}

static exo_i64 until_woken(struct waiting *self)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(pthread_timedjoin_np(self->thread, NULL, &until), 0);
    return self->result;
}

static void every_sleeping_subscriber_is_woken_by_a_message(struct exo_broadcast_config config)
{
    struct waiting waiting[SUBSCRIBERS];
    exo_u32 round;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, SUBSCRIBERS);
    for (round = 1; round <= 10; round++) {
        for (i = 0; i < SUBSCRIBERS; i++) {
            waiting[i].sub = &cast.sub[i];
            start_waiting(&waiting[i], i % 2 == 0 ? hear_blocking : view_blocking, &cast.sub[i].rx->sync.waiters);
        }
        for (i = 0; i < SUBSCRIBERS; i++) {
            until_asleep(&waiting[i]);
        }
        assert_int_equal(cast_number(&cast, round), EXO_OK);
        for (i = 0; i < SUBSCRIBERS; i++) {
            assert_int_equal(until_woken(&waiting[i]), i % 2 == 0 ? 8 : EXO_OK);
            assert_int_equal(waiting[i].number, round);
        }
    }
    cast_close(&cast);
}

static void a_subscriber_that_slept_before_it_was_admitted_is_woken(struct exo_broadcast_config config)
{
    struct waiting waiting;
    cast_open(&cast, &config);
    cast_numbers(&cast, 41, 42);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], 1), EXO_OK);
    waiting.sub = &cast.sub[0];
    start_waiting(&waiting, hear_blocking, &cast.sub[0].rx->sync.waiters);
    until_asleep(&waiting);
    assert_int_equal(exo_broadcast_poll(&cast.tx), EXO_OK); /* the message is there already */
    assert_int_equal(until_woken(&waiting), 8);
    assert_int_equal(waiting.number, 42);
    cast_close(&cast);
}

static void closing_wakes_everybody(struct exo_broadcast_config config)
{
    struct waiting waiting[2];
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    for (i = 0; i < 2; i++) {
        waiting[i].sub = &cast.sub[i];
        start_waiting(&waiting[i], hear_blocking, &cast.sub[i].rx->sync.waiters);
        until_asleep(&waiting[i]);
    }
    assert_int_equal(exo_broadcast_close(&cast.tx), EXO_OK);
    assert_int_equal(until_woken(&waiting[0]), EXO_CLOSED);
    assert_int_equal(until_woken(&waiting[1]), EXO_CLOSED);
    cast_close(&cast);
}

static void a_held_back_sender_is_woken_when_the_slowest_moves(struct exo_broadcast_config config)
{
    struct waiting waiting;
    exo_u32 way;
    for (way = 0; way < 3; way++) {
        cast_open(&cast, &config);
        cast_join(&cast, 3);
        cast_numbers(&cast, 0, 7);
        start_waiting(&waiting, send_blocking, &cast.tx.tx->sync.waiters);
        until_asleep(&waiting);
        hear_numbers(&cast.sub[way], 0, 0);
        hear_numbers(&cast.sub[(way + 1) % 3], 0, 3);
        until_asleep(&waiting);
        assert_int_equal(waiting.result, 1000);
        if (way == 0) {
            assert_int_equal(exo_subscriber_leave(&cast.sub[(way + 2) % 3]), EXO_OK);
        } else {
            hear_numbers(&cast.sub[(way + 2) % 3], 0, 0);
        }
        assert_int_equal(until_woken(&waiting), EXO_OK);
        cast_close(&cast);
    }
}

static void a_sender_waiting_for_a_block_is_woken_by_its_release(struct exo_broadcast_config config)
{
    struct waiting waiting;
    struct exo_viewed view[2];
    exo_u32 event;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    assert_int_equal(cast_loan(&cast, 4 * BLOCK, 1), EXO_OK);
    for (i = 0; i < 2; i++) {
        open_view(&cast.sub[i], &view[i], 4 * BLOCK, 1);
    }
    start_waiting(&waiting, loan_blocking, &cast.tx.tx->sync.waiters);
    until_asleep(&waiting);
    assert_int_equal(exo_subscriber_release(&cast.sub[1], &view[1]), EXO_OK);
    outwait(5 * MILLISECOND_NS);
    assert_int_equal(waiting.result, 1000);
    outwait(150 * MILLISECOND_NS); /* its naps are long by now */
    until_asleep(&waiting);
    event = exo_load32(&cast.sub[0].rx->sync.event, EXO_RELAXED);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view[0]), EXO_OK);
    assert_int_not_equal(exo_load32(&cast.sub[0].rx->sync.event, EXO_RELAXED), event);
    assert_int_equal(until_woken(&waiting), EXO_OK);
    cast_close(&cast);
}

/* How long two that lag hold it, in its sleep. */
static exo_u64 sleeps_behind_two(const struct exo_broadcast_config *config)
{
    exo_u64 number = 8;
    exo_u64 began;
    cast_open(&cast, config);
    cast_join(&cast, 3);
    cast_numbers(&cast, 0, 7);
    hear_numbers(&cast.sub[1], 0, 7);
    began = exo_port_now_ns();
    assert_int_equal(exo_broadcast_send_blocking(&cast.tx, &number, sizeof(number), EXO_FOREVER), EXO_OK);
    began = exo_port_now_ns() - began;
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    cast_close(&cast);
    return began;
}

/* One try in which the machine does not stand still is enough to tell. */
static void a_sleeping_sender_is_held_no_longer_than_the_limit(struct exo_broadcast_config config)
{
    exo_u64 best = EXO_FOREVER;
    exo_u32 tries;
    config.lag_ns = 50 * MILLISECOND_NS;
    for (tries = 0; tries < 10 && best >= 10 * config.lag_ns; tries++) {
        exo_u64 held = sleeps_behind_two(&config);
        assert_true(held >= config.lag_ns);
        best = exo_min64(best, held);
    }
    assert_true(best < 10 * config.lag_ns);
}

static void being_cut_off_wakes(struct exo_broadcast_config config)
{
    struct waiting waiting;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    waiting.sub = &cast.sub[0];
    start_waiting(&waiting, hear_blocking, &cast.sub[0].rx->sync.waiters);
    until_asleep(&waiting);
    exo_cast_link_drop_pvt(&cast.tx, 0, EXO_SEAT_LAGGED);
    assert_int_equal(until_woken(&waiting), EXO_OVERFLOW);
    cast_close(&cast);
}

static void deadlines_pass(struct exo_broadcast_config config)
{
    struct exo_loaned loan;
    struct exo_viewed view;
    exo_u64 number = 0;
    exo_u64 began;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    assert_int_equal(exo_subscriber_recv_blocking(&cast.sub[0], &number, 8, EXO_NOW), EXO_WOULD_BLOCK);
    began = exo_port_now_ns();
    assert_int_equal(exo_subscriber_view_blocking(&cast.sub[0], &view, began + 5 * MILLISECOND_NS), EXO_TIMEOUT);
    assert_true(exo_port_now_ns() >= began + 5 * MILLISECOND_NS);
    assert_int_equal(exo_broadcast_loan(&cast.tx, BLOCK, &loan), EXO_OK);
    if (config.policy == EXO_RELIABLE) {
        cast_numbers(&cast, 0, 7);
        assert_int_equal(exo_broadcast_send_blocking(&cast.tx, &number, 8, EXO_NOW), EXO_WOULD_BLOCK);
        began = exo_port_now_ns();
        assert_int_equal(exo_broadcast_send_loan_blocking(&cast.tx, &loan, began + 5 * MILLISECOND_NS), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() >= began + 5 * MILLISECOND_NS);
        hear_numbers(&cast.sub[0], 0, 7);
    }
    assert_int_equal(exo_broadcast_send_loan_blocking(&cast.tx, &loan, EXO_NOW), EXO_OK);
    cast_close(&cast);
}

struct talker {
    struct exo_broadcast *broadcast;
    exo_u64 sum;
    exo_u32 who;
    pthread_t thread;
};

/* Comes and goes while the sender sends. */
static void *come_and_go(void *argument)
{
    struct talker *self = (struct talker *)argument;
    struct exo_subscriber sub;
    exo_u32 visits = 0;
    for (;;) {
        exo_status status = exo_broadcast_subscribe(self->broadcast, &sub, visits % 3);
        exo_i64 last = -1;
        exo_u32 i;
        if (status == EXO_CLOSED) {
            return NULL;
        }
        if (status != EXO_OK) {
            (void)sched_yield();
            continue;
        }
        for (i = 0; i < 20; i++) {
            exo_u64 number = 0;
            exo_i64 len = exo_subscriber_recv_blocking(&sub, &number, sizeof(number), EXO_FOREVER);
            if (len == EXO_CLOSED) {
                return NULL;
            }
            if (len == EXO_OVERFLOW) {
                last += last < 0 ? 0 : (exo_i64)exo_subscriber_missed(&sub);
                continue;
            }
            self->sum += len != 8 || (last >= 0 && (exo_i64)number != last + 1);
            last = (exo_i64)number;
        }
        visits++;
        if (exo_subscriber_leave(&sub) != EXO_OK) {
            self->sum++;
        }
    }
}

static void subscribers_come_and_go_while_the_sender_sends(struct exo_broadcast_config config)
{
    static struct talker talker[3];
    exo_u64 until = exo_port_now_ns() + 200 * MILLISECOND_NS;
    exo_u64 number = 0;
    exo_u32 i;
    config.lag_ns = 10 * SECOND_NS;
    cast_open(&cast, &config);
    for (i = 0; i < 3; i++) {
        talker[i].broadcast = &cast.broadcast;
        talker[i].sum = 0;
        assert_int_equal(pthread_create(&talker[i].thread, NULL, come_and_go, &talker[i]), 0);
    }
    while (exo_port_now_ns() < until) {
        assert_int_equal(exo_broadcast_send_blocking(&cast.tx, &number, sizeof(number), EXO_FOREVER), EXO_OK);
        number++;
        if (number % 64 == 0) {
            (void)sched_yield();
        }
    }
    assert_int_equal(exo_broadcast_close(&cast.tx), EXO_OK);
    for (i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(talker[i].thread, NULL), 0);
        assert_int_equal(talker[i].sum, 0);
    }
    cast_close(&cast);
}

/* What is not set announces itself with whatever bits were there. */
static void handles_have_no_bell_that_nobody_gave_them(struct exo_broadcast_config config)
{
    struct exo_subscriber sub;
    cast_open(&cast, &config);
    memset(&sub, 0xA5, sizeof(sub));
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &sub, 0), EXO_OK);
    assert_true(exo_broadcast_poll(&cast.tx) >= 0);
    assert_int_equal(cast.tx.sleeper.bell, 0);
    assert_null(cast.tx.wakers[0].bell);
    assert_int_equal(sub.sleeper.bell, 0);
    assert_null(sub.waker.bell);
    assert_int_equal(exo_subscriber_leave(&sub), EXO_OK);
    cast_close(&cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(handles_have_no_bell_that_nobody_gave_them),
        IN_BOTH(every_sleeping_subscriber_is_woken_by_a_message),
        IN_BOTH(a_subscriber_that_slept_before_it_was_admitted_is_woken),
        IN_BOTH(closing_wakes_everybody),
        IN_RELIABLE(a_held_back_sender_is_woken_when_the_slowest_moves),
        IN_BOTH(a_sender_waiting_for_a_block_is_woken_by_its_release),
        IN_RELIABLE(a_sleeping_sender_is_held_no_longer_than_the_limit),
        IN_BOTH(being_cut_off_wakes),
        IN_BOTH(deadlines_pass),
        IN_BOTH(subscribers_come_and_go_while_the_sender_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
