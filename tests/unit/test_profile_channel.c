/* SPDX-License-Identifier: MIT */
/*
 * The profiler of channels: all lanes of a side together, how long messages were under way, and how long calls took. Each
 * claim is made in one address space and over sealed segments.
 */
#include "profile_fixture.h"

#include "channel_fixture.h"

struct profiled_ends {
    struct two_ends two;
    struct exo_profiler *sent[2];
    struct exo_profiler *received[2];
};

static void ends_open(struct profiled_ends *p, exo_u32 w, exo_u32 every)
{
    struct exo_channel_config config = {0};
    exo_u32 i;
    config.ring.slots = 16;
    config.urgent = 4;
    config.ring.spin = 1;
    open_two(&p->two, &ways[w], config);
    for (i = 0; i < 2; i++) {
        p->sent[i] = profiler_new(every);
        p->received[i] = profiler_new(1);
    }
    assert_int_equal(exo_profile_channel(p->two.a, p->sent[0], p->received[0]), EXO_OK);
    assert_int_equal(exo_profile_channel(p->two.b, p->sent[1], p->received[1]), EXO_OK);
}

static void ends_close(struct profiled_ends *p)
{
    exo_u32 i;
    close_two(&p->two);
    for (i = 0; i < 2; i++) {
        free(p->sent[i]);
        free(p->received[i]);
    }
}

static exo_u64 arrived(const struct exo_profiler *profiler)
{
    return exo_histogram_total(&profiler->transit);
}

static void all_lanes_of_a_side_count_together(void **state)
{
    static const exo_size sizes[] = {0, 56, 57, 2000};
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        exo_u64 sum = 0;
        ends_open(&p, w, 1);
        for (i = 0; i < 200; i++) {
            assert_int_equal(send_filled(p.two.a, (exo_u8)(i % 5 == 0), sizes[i % 4], i), EXO_OK);
            receive_filled(p.two.b, sizes[i % 4], i);
            sum += sizes[i % 4];
        }
        assert_counted(p.sent[0], 200, sum, 100);
        assert_counted(p.received[1], 200, sum, 100);
        assert_counted(p.sent[1], 0, 0, 0);
        assert_counted(p.received[0], 0, 0, 0);
        assert_int_equal(arrived(p.received[1]), 200);
        ends_close(&p);
    }
}

/* What lay in the ring was under way for that long at least, and not longer than since before it was sent. */
static void the_time_under_way_is_that_of_the_message(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        struct exo_message message;
        exo_u64 before;
        exo_u64 sent;
        exo_u64 least;
        exo_u64 most;
        ends_open(&p, w, 1);
        before = exo_ticks();
        assert_int_equal(exo_channel_send(p.two.a, NO_HEADER, "x", 1), EXO_OK);
        sent = exo_ticks();
        while (exo_ticks() - sent < 100000) {
        }
        least = exo_ticks() - sent;
        assert_int_equal(exo_channel_recv(p.two.b, &message), EXO_OK);
        most = exo_ticks() - before;
        assert_int_equal(exo_channel_release(p.two.b, &message), EXO_OK);
        assert_int_equal(arrived(p.received[1]), 1);
        assert_in_range(exo_histogram_largest(&p.received[1]->transit), least, most);
        ends_close(&p);
    }
}

static void one_message_in_so_many_is_timed(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        exo_u64 first;
        exo_u64 wanted = 0;
        ends_open(&p, w, 8);
        first = p.two.a->tx[0].pos;
        for (i = 0; i < 100; i++) {
            wanted += (first + i) % 8 == 0;
            assert_int_equal(send_filled(p.two.a, 0, 10, i), EXO_OK);
            receive_filled(p.two.b, 10, i);
            assert_int_equal(arrived(p.received[1]), wanted);
        }
        ends_close(&p);
    }
}

/* A time from the lap before, or nonsense, is not taken for this message's; a time to come counts as none. */
static void only_a_time_of_this_message_counts(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        exo_word64 *stamp;
        exo_u64 pos;
        ends_open(&p, w, 1);
        for (i = 0; i < 16; i++) {
            assert_int_equal(send_filled(p.two.a, 0, 10, i), EXO_OK);
            receive_filled(p.two.b, 10, i);
        }
        assert_int_equal(arrived(p.received[1]), 16);
        assert_int_equal(exo_profile_channel(p.two.a, NULL, NULL), EXO_OK); /* its times stay where they are */
        for (i = 0; i < 64; i++) {
            assert_int_equal(send_filled(p.two.a, 0, 10, i), EXO_OK);
            pos = p.two.b->rx[0].pos;
            stamp = exo_tx_line_pvt(&p.two.a->tx[0], pos) - EXO_STAMP_WORDS;
            if (i >= 32) {
                *stamp = exo_stamp_mark_pvt(pos + 1 + i) | 12345;
            }
            receive_filled(p.two.b, 10, i);
        }
        assert_int_equal(arrived(p.received[1]), 16);
        assert_int_equal(send_filled(p.two.a, 0, 10, 1), EXO_OK);
        pos = p.two.b->rx[0].pos;
        stamp = exo_tx_line_pvt(&p.two.a->tx[0], pos) - EXO_STAMP_WORDS;
        *stamp = exo_stamp_mark_pvt(pos) | ((exo_ticks() + 1000000000) & 0xFFFFFFFFFFFFull);
        receive_filled(p.two.b, 10, 1);
        assert_int_equal(arrived(p.received[1]), 17);
        assert_int_equal(p.received[1]->transit.count[0], 1);
        ends_close(&p);
    }
}

static void a_call_is_timed_from_request_to_answer(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        struct exo_trace_event event = {0, 0, 0, 0, 0};
        ends_open(&p, w, 1);
        for (i = 0; i < 10; i++) {
            struct exo_call call;
            struct exo_message request;
            exo_u64 before = exo_ticks();
            exo_u64 number;
            exo_u64 most;
            memset(&call, 0xA5, sizeof(call));
            call.id = 0;
            assert_int_equal(exo_call_send(p.two.a, &call, NO_HEADER, "ask", 3, EXO_FOREVER), EXO_OK);
            number = call.id;
            assert_int_equal(exo_channel_recv(p.two.b, &request), EXO_OK);
            assert_int_equal(exo_reply(p.two.b, &request.header, "answer", 6), EXO_OK);
            assert_int_equal(exo_channel_release(p.two.b, &request), EXO_OK);
            assert_int_equal(exo_call_wait(p.two.a, &call), EXO_OK);
            most = exo_ticks() - before;
            assert_int_equal(exo_call_release(p.two.a, &call), EXO_OK);
            assert_int_equal(exo_histogram_total(&p.received[0]->call), i + 1);
            assert_int_equal(traced(p.received[0], EXO_TRACE_CALLED, &event), i + 1);
            assert_int_equal(event.subject, number);
            assert_in_range(event.argument, 1, most);
            assert_true(event.ticks >= before);
        }
        assert_counted(p.sent[0], 10, 30, 0);
        assert_counted(p.received[1], 10, 30, 0);
        assert_counted(p.sent[1], 10, 60, 0);
        assert_counted(p.received[0], 10, 60, 0);
        ends_close(&p);
    }
}

static void a_call_that_is_over_is_not_timed(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct profiled_ends p;
        struct exo_call call;
        struct exo_message request[2];
        exo_u32 i;
        ends_open(&p, w, 1);
        call.id = 0;
        assert_int_equal(exo_call_send(p.two.a, &call, NO_HEADER, "ask", 3, exo_port_now_ns() + 1000000), EXO_OK);
        assert_int_equal(exo_call_wait(p.two.a, &call), EXO_TIMEOUT);
        assert_int_equal(counted(p.received[0]).waits, 1);
        assert_int_equal(exo_histogram_total(&p.received[0]->wait), 1);
        assert_int_equal(exo_call_send(p.two.a, &call, NO_HEADER, "again", 5, EXO_FOREVER), EXO_OK);
        for (i = 0; i < 2; i++) { /* the first answer comes too late */
            assert_int_equal(exo_channel_recv(p.two.b, &request[i]), EXO_OK);
            assert_int_equal(exo_reply(p.two.b, &request[i].header, "answer", 6), EXO_OK);
            assert_int_equal(exo_channel_release(p.two.b, &request[i]), EXO_OK);
        }
        assert_int_equal(exo_call_wait(p.two.a, &call), EXO_OK);
        assert_int_equal(exo_call_release(p.two.a, &call), EXO_OK);
        assert_int_equal(p.two.a->late, 1);
        assert_int_equal(exo_histogram_total(&p.received[0]->call), 1);
        assert_counted(p.received[0], 2, 12, 0);
        ends_close(&p);
    }
}

/* One thread may count all it does with a channel, or with several, in one place. */
static void sides_of_one_thread_may_share_a_profiler(void **state)
{
    struct profiled_ends p;
    (void)state;
    ends_open(&p, 0, 1);
    assert_int_equal(exo_profile_channel(p.two.a, p.sent[0], p.sent[0]), EXO_OK);
    assert_int_equal(exo_profile_channel(p.two.b, p.sent[0], p.sent[0]), EXO_OK);
    assert_int_equal(send_filled(p.two.a, 0, 100, 1), EXO_OK);
    receive_filled(p.two.b, 100, 1);
    assert_counted(p.sent[0], 2, 200, 2);
    ends_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lanes_of_a_side_count_together),
        cmocka_unit_test(the_time_under_way_is_that_of_the_message),
        cmocka_unit_test(one_message_in_so_many_is_timed),
        cmocka_unit_test(only_a_time_of_this_message_counts),
        cmocka_unit_test(a_call_is_timed_from_request_to_answer),
        cmocka_unit_test(a_call_that_is_over_is_not_timed),
        cmocka_unit_test(sides_of_one_thread_may_share_a_profiler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
