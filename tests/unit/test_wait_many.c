/* SPDX-License-Identifier: MIT */
/*
 * exo_wait_many(): what it answers at once, that it is woken through each of its items, and what a quiet item may hide.
 */
#include "ring_fixture.h"

#include <unistd.h>

static void an_item_is_ready_as_long_as_its_ring_is(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_waitable items[2];
    exo_u32 i;
    fixture_open(&f, &config);
    exo_waitable_receiver(&items[0], &f.rx);
    exo_waitable_sender(&items[1], &f.tx);
    for (i = 0; i < 40; i++) { /* over the wrap */
        assert_int_equal(exo_wait_many(items, 2, EXO_NOW), 1);
        assert_int_equal(items[0].events, 0);
        assert_int_equal(items[1].events, EXO_WRITABLE);
        assert_int_equal(send_number(&f.tx, i), EXO_OK);
        assert_int_equal(exo_wait_many(items, 2, EXO_FOREVER), 2);
        assert_int_equal(items[0].events, EXO_READABLE);
        assert_int_equal(exo_wait_many(items, 2, 1), 2); /* still */
        assert_int_equal(recv_number(&f.rx), i);
    }
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_wait_many(items, 2, EXO_NOW), 1);
    assert_int_equal(items[0].events, EXO_READABLE);
    assert_int_equal(items[1].events, 0);
    assert_int_equal(recv_number(&f.rx), 0);
    assert_int_equal(exo_wait_many(items, 2, EXO_NOW), 2);
    fixture_close(&f);
}

static void nothing_ready_is_answered_by_the_deadline(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_waitable item;
    exo_u64 deadline;
    fixture_open(&f, &config);
    exo_waitable_receiver(&item, &f.rx);
    assert_int_equal(exo_wait_many(&item, 1, EXO_NOW), EXO_WOULD_BLOCK);
    deadline = exo_port_now_ns() + 2000000;
    if (is_polled(&config)) {
        assert_int_equal(exo_wait_many(&item, 1, deadline), EXO_NOT_SUPPORTED);
    } else {
        assert_int_equal(exo_wait_many(&item, 1, 1), EXO_TIMEOUT);
        assert_int_equal(exo_wait_many(&item, 1, deadline), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() >= deadline);
        if (f.rx.sleeper.alone) {
            assert_int_equal(exo_load32(&f.rx.rx->sync.waiters, EXO_RELAXED) & EXO_WAIT_ASLEEP, 0);
        } else {
            assert_int_equal(exo_load32(&f.rx.rx->sync.waiters, EXO_RELAXED) / EXO_WAIT_STEP, 0);
        }
    }
    item.wanted = 0;
    assert_int_equal(exo_wait_many(&item, 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_wait_many(&item, 0, EXO_FOREVER), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_wait_many(NULL, 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
    fixture_close(&f);
}

static void a_closed_ring_is_final_after_its_last_message(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_waitable item;
    fixture_open(&f, &config);
    exo_waitable_receiver(&item, &f.rx);
    assert_int_equal(exo_wait_many(&item, 1, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(send_number(&f.tx, 7), EXO_OK);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(exo_wait_many(&item, 1, EXO_FOREVER), 1);
    assert_int_equal(item.events, EXO_READABLE);
    assert_int_equal(recv_number(&f.rx), 7);
    assert_int_equal(exo_wait_many(&item, 1, EXO_FOREVER), 1);
    assert_int_equal(item.events, EXO_PEER_CLOSED);
    fixture_close(&f);
}

struct crowd {
    struct fixture f[200];
    struct exo_waitable items[200];
};

static struct crowd crowd;

static void crowd_open(exo_u32 count)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        const struct exo_ring_config config = plain_config(EXO_SPSC, i % 3 == 0 ? EXO_CRASH_SAFE : EXO_THREADS, i % 2 == 0 ? 0 : NEAR_WRAP);
        fixture_open(&crowd.f[i], &config);
        exo_waitable_receiver(&crowd.items[i], &crowd.f[i].rx);
    }
}

static void crowd_close(exo_u32 count)
{
    while (count-- != 0) {
        fixture_close(&crowd.f[count]);
    }
}

/* A close does not show in the next slot: busy neighbours must not hide it for ever. */
static void a_close_is_found_among_busy_items_within_8n_calls(void **state)
{
    exo_u32 calls = 0;
    (void)state;
    crowd_open(64);
    assert_int_equal(exo_wait_many(crowd.items, 64, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(send_number(&crowd.f[5].tx, 1), EXO_OK);
    assert_int_equal(exo_sender_close(&crowd.f[40].tx), EXO_OK);
    do {
        assert_true(exo_wait_many(crowd.items, 64, EXO_FOREVER) >= 1);
        assert_int_equal(crowd.items[5].events, EXO_READABLE);
        calls++;
    } while (crowd.items[40].events == 0 && calls < 8 * 64 + 1);
    assert_int_equal(crowd.items[40].events, EXO_PEER_CLOSED);
    crowd_close(64);
}

static void every_ready_item_is_reported(void **state)
{
    exo_u32 round;
    exo_u32 i;
    (void)state;
    crowd_open(64);
    for (round = 1; round < 20; round++) {
        exo_u32 ready = 0;
        for (i = 0; i < 64; i += round) {
            assert_int_equal(send_number(&crowd.f[i].tx, i), EXO_OK);
            ready++;
        }
        assert_int_equal(exo_wait_many(crowd.items, 64, EXO_FOREVER), ready);
        for (i = 0; i < 64; i++) {
            assert_int_equal(crowd.items[i].events, i % round == 0 ? EXO_READABLE : 0);
            assert_int_equal(recv_number(&crowd.f[i].rx), i % round == 0 ? (int)i : EXO_EMPTY);
        }
    }
    crowd_close(64);
}

struct waiting {
    struct sleeping_thread thread;
    exo_u32 count;
};

static void *wait_for_crowd(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    thread_started(&self->thread);
    self->thread.result = exo_wait_many(crowd.items, self->count, in_seconds(10));
    return NULL;
}

/* More than futex_waitv takes, too. */
static void a_sleeper_is_woken_through_any_of_its_items(void **state)
{
    static const exo_u32 counts[] = {1, 2, 64, 128, 200};
    exo_u32 n;
    exo_u32 turn;
    (void)state;
    for (n = 0; n < COUNT(counts); n++) {
        for (turn = 0; turn < 6; turn++) {
            struct waiting waiting = {.count = counts[n]};
            exo_u32 at = turn % 2 == 0 ? counts[n] - 1 : turn * counts[n] / 6;
            crowd_open(counts[n]);
            thread_start(&waiting.thread, wait_for_crowd);
            assert_true(fell_asleep(&waiting.thread, &crowd.f[0].rx.rx->sync.waiters));
            if (turn < 4) {
                assert_int_equal(send_number(&crowd.f[at].tx, 1), EXO_OK);
            } else {
                assert_int_equal(exo_sender_close(&crowd.f[at].tx), EXO_OK);
            }
            assert_int_equal(thread_join(&waiting.thread), 1);
            assert_int_equal(crowd.items[at].events, turn < 4 ? EXO_READABLE : EXO_PEER_CLOSED);
            crowd_close(counts[n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(an_item_is_ready_as_long_as_its_ring_is),
        IN_EVERY_KIND(nothing_ready_is_answered_by_the_deadline),
        IN_EVERY_KIND(a_closed_ring_is_final_after_its_last_message),
        cmocka_unit_test(a_close_is_found_among_busy_items_within_8n_calls),
        cmocka_unit_test(every_ready_item_is_reported),
        cmocka_unit_test(a_sleeper_is_woken_through_any_of_its_items),
    };
    (void)alarm(100); /* a call that never returns fails */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
