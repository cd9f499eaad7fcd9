/* SPDX-License-Identifier: MIT */
/* The profiler of rings: waits, wakes, spins that paid off, and what the trace holds. */
#include "profile_fixture.h"

static void a_wait_counts_once_however_often_it_looks(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    struct exo_counters counters;
    exo_u64 number = 0;
    exo_u64 began;
    exo_u64 took;
    if (is_polled(&config)) {
        return;
    }
    profiled_open(&p, config);
    began = exo_port_now_ns();
    assert_int_equal(exo_recv_blocking(&p.f.rx, &number, 8, began + 5000000), EXO_TIMEOUT);
    took = exo_port_now_ns() - began;
    counters = counted(p.received);
    assert_int_equal(counters.empty, 1);
    assert_int_equal(counters.waits, 1);
    assert_int_equal(counters.spins_paid, 0);
    assert_true(counters.sleeps >= 1);
    assert_int_equal(exo_histogram_total(&p.received->wait), 1);
    assert_in_range(exo_profile_ns(p.received, exo_histogram_largest(&p.received->wait)), 1, took + took / 10);
    assert_int_equal(traced(p.received, EXO_TRACE_WAITED, &event), 1);
    assert_int_equal(event.subject, counters.sleeps);
    assert_int_equal(event.argument, exo_histogram_largest(&p.received->wait));
    assert_int_equal(recv_number(&p.f.rx), EXO_EMPTY);
    assert_int_equal(counted(p.received).empty, 2); /* counts again */
    (void)fill_ring(&p.f.tx, 0);
    assert_int_equal(exo_send_blocking(&p.f.tx, &number, 8, exo_port_now_ns() + 1000000), EXO_TIMEOUT);
    assert_int_equal(exo_send_blocking(&p.f.tx, &number, 8, EXO_NOW), EXO_WOULD_BLOCK); /* waits for nothing */
    counters = counted(p.sent);
    assert_int_equal(counters.full, 3);
    assert_int_equal(counters.waits, 1);
    assert_true(counters.sleeps >= 1);
    profiled_close(&p);
}

static void *receives_asleep(void *argument)
{
    struct sleeping_thread *self = argument;
    thread_started(self);
    self->result = exo_recv_blocking(self->rx, &self->value, sizeof(self->value), in_seconds(10));
    return NULL;
}

static void who_wakes_counts_it(struct exo_ring_config config)
{
    struct profiled p;
    struct sleeping_thread thread;
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    if (is_polled(&config)) {
        return;
    }
    profiled_open(&p, config);
    thread.rx = &p.f.rx;
    assert_int_equal(counted(p.sent).wakes, 0);
    thread_start(&thread, receives_asleep);
    assert_true(fell_asleep(&thread, &p.f.rx.rx->sync.waiters));
    assert_int_equal(send_number(&p.f.tx, 5), EXO_OK);
    assert_int_equal(thread_join(&thread), 8);
    assert_int_equal(counted(p.sent).wakes, 1);
    assert_int_equal(traced(p.sent, EXO_TRACE_WOKE, &event), 1);
    assert_int_equal(counted(p.received).waits, 1);
    assert_true(counted(p.received).sleeps >= 1);
    assert_int_equal(counted(p.received).spins_paid, 0);
    profiled_close(&p);
}

static exo_i64 succeeds_at_once(const struct exo_attempt *attempt)
{
    return (exo_i64)attempt->size;
}

static void a_spin_that_paid_off_is_told(struct exo_ring_config config)
{
    struct profiled p;
    if (is_polled(&config)) {
        return;
    }
    profiled_open(&p, config);
    assert_int_equal(exo_rx_wait_on_pvt(&p.f.rx, succeeds_at_once, NULL, 3, EXO_FOREVER), 3);
    assert_int_equal(counted(p.received).waits, 1);
    assert_int_equal(counted(p.received).spins_paid, 1);
    assert_int_equal(counted(p.received).sleeps, 0);
    profiled_close(&p);
}

static void one_in_so_many_is_traced(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    exo_u64 first = config.start;
    exo_u32 i;
    profiled_open(&p, config);
    free(p.sent);
    p.sent = profiler_new(4);
    assert_int_equal(exo_profile_sender(&p.f.tx, p.sent), EXO_OK);
    for (i = 0; i < 40; i++) {
        assert_int_equal(send_number(&p.f.tx, i), EXO_OK);
        assert_int_equal(recv_number(&p.f.rx), i);
    }
    assert_int_equal(traced(p.sent, EXO_TRACE_SENT, &event), 10);
    assert_int_equal(event.subject, first + 36);
    assert_int_equal(event.argument, 8);
    assert_int_equal(traced(p.received, EXO_TRACE_RECEIVED, &event), 40);
    assert_int_equal(event.subject, first + 39);
    assert_int_equal(exo_histogram_total(&p.received->transit), 0); /* slots of 64 bytes have no room for a time */
    profiled_close(&p);
}

static void fill_until_refused(struct exo_sender *tx, exo_status reason)
{
    exo_status status;
    while ((status = send_number(tx, 0)) == EXO_OK) {
    }
    assert_int_equal(status, reason);
}

static void the_end_of_a_handle_is_traced(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    profiled_open(&p, config);
    (void)exo_rx_refuse_pvt(&p.f.rx, EXO_CORRUPT);
    assert_int_equal(traced(p.received, EXO_TRACE_REFUSED, &event), 1);
    assert_int_equal((exo_i64)event.argument, EXO_CORRUPT);
    (void)exo_receiver_close(&p.f.rx);
    fill_until_refused(&p.f.tx, EXO_CLOSED);
    assert_int_equal(traced(p.sent, EXO_TRACE_REFUSED, &event), 1);
    assert_int_equal((exo_i64)event.argument, EXO_CLOSED);
    profiled_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(a_wait_counts_once_however_often_it_looks),
        IN_EVERY_KIND(who_wakes_counts_it),
        IN_EVERY_KIND(a_spin_that_paid_off_is_told),
        IN_EVERY_KIND(one_in_so_many_is_traced),
        IN_EVERY_KIND(the_end_of_a_handle_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
