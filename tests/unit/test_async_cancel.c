/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels: cancels in every state and by other threads, waiting alone and among other things.
 */
#include "async_fixture.h"

#include <pthread.h>

static void only_what_is_pending_can_be_cancelled_and_once(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op;
        open_async(&two, w, 8);
        init_ops(&op, 1);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_NOT_FOUND); /* not submitted */
        assert_int_equal(exo_async_submit_recv(&two.a, &op, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_OK);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_NOT_FOUND); /* was cancelled */
        assert_null(exo_async_next(&two.a));
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_NOT_FOUND); /* is completed */
        assert_done(&two.a, &op, EXO_CANCELLED);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_NOT_FOUND); /* was taken */
        assert_int_equal(exo_async_submit_recv(&two.a, &op, EXO_FOREVER), EXO_OK);
        assert_int_equal(send_filled(two.ends.b, 0, 4, 4), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_int_equal(exo_async_cancel(&two.a, &op), EXO_NOT_FOUND); /* is done */
        assert_received(&two.a, &op, 4, 4);
        assert_null(exo_async_next(&two.a));
        close_async(&two);
    }
}

/* Also when the cancel is not yet known and there is room, or a message. */
static void what_is_cancelled_does_nothing(void **state)
{
    exo_u32 w;
    exo_u32 known;
    (void)state;
    for (w = 0; w < 2 * WAYS; w++) {
        struct two_async two;
        struct exo_op op[6];
        exo_u32 i;
        known = w % 2;
        open_async(&two, w / 2, 8);
        init_ops(op, 6);
        fill_lane(two.ends.a, 0);
        assert_int_equal(submit_filled(&two.a, &op[0], 0, 30, 0), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 900, 1), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[2], 0, 31, 2), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[3], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[4], EXO_FOREVER), EXO_OK);
        for (i = 0; i < 4; i += i == 1 ? 2 : 1) {
            assert_int_equal(exo_async_cancel(&two.a, &op[i]), EXO_OK);
        }
        if (known != 0) {
            assert_int_equal(exo_async_poll(&two.a), 3);
        }
        drain_lane(two.ends.b);
        assert_int_equal(send_filled(two.ends.b, 0, 6, 6), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), known != 0 ? 2 : 5);
        if (known == 0) {
            assert_done(&two.a, &op[0], EXO_CANCELLED);
            assert_done(&two.a, &op[1], EXO_CANCELLED);
            assert_done(&two.a, &op[2], EXO_OK);
            assert_done(&two.a, &op[3], EXO_CANCELLED);
        } else {
            assert_done(&two.a, &op[0], EXO_CANCELLED);
            assert_done(&two.a, &op[1], EXO_CANCELLED);
            assert_done(&two.a, &op[3], EXO_CANCELLED);
            assert_done(&two.a, &op[2], EXO_OK);
        }
        assert_received(&two.a, &op[4], 6, 6);
        receive_filled(two.ends.b, 31, 2);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY);
        assert_int_equal(exo_loans_outstanding(&two.ends.a->tx[0]), 0); /* the block that was lent for it came back */
        close_async(&two);
    }
}

static void the_answer_to_a_cancelled_call_is_dropped(void **state)
{
    exo_u32 w;
    exo_u32 sooner;
    (void)state;
    for (w = 0; w < 2 * WAYS; w++) {
        static const exo_u8 large[5000];
        struct two_async two;
        struct exo_op op[4];
        struct exo_message_header request[2];
        struct exo_viewed *view;
        sooner = w % 2;
        open_async(&two, w / 2, 2);
        init_ops(op, 4);
        assert_int_equal(submit_question(&two.a, &op[0], 10, EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[1], 11, EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[2], 12, EXO_FOREVER), EXO_OK); /* not sent */
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_int_equal(asked(two.ends.b, &request[0]), 10);
        assert_int_equal(asked(two.ends.b, &request[1]), 11);
        assert_int_equal(exo_async_cancel(&two.a, &op[2]), EXO_OK);
        assert_int_equal(exo_async_cancel(&two.a, &op[0]), EXO_OK);
        if (sooner != 0) {
            assert_int_equal(exo_async_poll(&two.a), 2);
        }
        assert_int_equal(exo_reply(two.ends.b, &request[0], large, sizeof(large)), EXO_OK);
        assert_int_equal(exo_reply(two.ends.b, &request[1], &w, sizeof(w)), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), sooner != 0 ? 1 : 3);
        if (sooner != 0) {
            assert_done(&two.a, &op[2], EXO_CANCELLED);
            assert_done(&two.a, &op[0], EXO_CANCELLED);
            assert_answered(&two.a, &op[1], w);
        } else {
            assert_done(&two.a, &op[0], EXO_CANCELLED);
            assert_answered(&two.a, &op[1], w);
            assert_done(&two.a, &op[2], EXO_CANCELLED);
        }
        assert_int_equal(two.ends.a->late, 1);
        assert_int_equal(two.ends.a->unanswered, 0);
        view = &exo_op_message(&op[0])->view;
        assert_int_equal(exo_release(&two.ends.a->rx[0], view), EXO_NOT_FOUND);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY);
        assert_int_equal(exo_loans_outstanding(&two.ends.b->tx[0]), 0);
        close_async(&two);
    }
}

static void waiting_needs_something_in_flight_and_obeys_its_deadline(void **state)
{
    exo_u64 best = EXO_FOREVER; /* of the ways: the machine may stand still for a while */
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        exo_u64 start = exo_port_now_ns();
        open_async(&two, w, 8);
        init_ops(op, 2);
        assert_int_equal(exo_async_wait(&two.a, EXO_FOREVER), EXO_EMPTY);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_wait(&two.a, EXO_NOW), EXO_WOULD_BLOCK);
        assert_int_equal(exo_async_wait(&two.a, start + SOON_NS), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() - start >= SOON_NS);
        start = exo_port_now_ns();
        assert_int_equal(exo_async_submit_recv(&two.a, &op[1], start + SOON_NS), EXO_OK);
        assert_int_equal(exo_async_wait(&two.a, EXO_FOREVER), EXO_OK); /* by the operation's own */
        assert_true(exo_port_now_ns() - start >= SOON_NS);
        best = exo_min64(best, exo_port_now_ns() - start);
        assert_done(&two.a, &op[1], EXO_TIMEOUT);
        assert_int_equal(send_byte(two.ends.b, 0, 1), EXO_OK);
        assert_int_equal(exo_async_wait(&two.a, EXO_NOW), EXO_OK);
        assert_done(&two.a, &op[0], EXO_OK);
        close_async(&two);
    }
    assert_true(best < 50 * SOON_NS);
}

static void a_polled_channel_cannot_be_slept_for(void **state)
{
    struct exo_channel_config config = {0};
    struct exo_channel_pair pair;
    struct exo_channel end[2];
    struct exo_async async;
    struct exo_op op;
    (void)state;
    config.ring.mode = EXO_SPSC | EXO_POLLED;
    assert_int_equal(exo_channel_pair_create(&pair, &config), EXO_OK);
    assert_int_equal(exo_channel_pair_open(&pair, 0, &end[0]), EXO_OK);
    assert_int_equal(exo_channel_pair_open(&pair, 1, &end[1]), EXO_OK);
    exo_async_init(&async, &end[0]);
    exo_op_init(&op, 5);
    assert_int_equal(exo_async_submit_recv(&async, &op, EXO_FOREVER), EXO_OK);
    assert_int_equal(exo_async_wait(&async, EXO_FOREVER), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_async_wait(&async, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(send_byte(&end[1], 0, 7), EXO_OK);
    assert_int_equal(exo_async_poll(&async), 1);
    assert_done(&async, &op, EXO_OK);
    assert_int_equal(op.key, 5);
    assert_int_equal(exo_op_release(&async, &op), EXO_OK);
    assert_int_equal(exo_async_submit_recv(&async, &op, EXO_FOREVER), EXO_OK);
    assert_int_equal(exo_async_cancel(&async, &op), EXO_OK);
    assert_int_equal(exo_async_poll(&async), 1);
    assert_done(&async, &op, EXO_CANCELLED);
    exo_async_close(&async);
    exo_channel_close(&end[0]);
    exo_channel_close(&end[1]);
    exo_channel_pair_destroy(&pair);
}

/* What another thread does once the first one sleeps, most probably. */
struct other {
    struct two_async *two;
    struct exo_op *op;
    exo_u32 what;
};

static void *does_it(void *argument)
{
    struct other *other = (struct other *)argument;
    struct timespec pause = {0, 3000000};
    exo_status status = EXO_OK;
    (void)nanosleep(&pause, NULL);
    if (other->what == 0) {
        status = exo_async_cancel(&other->two->a, other->op);
    } else if (other->what == 1) {
        status = send_byte(other->two->ends.b, 0, 9);
    } else {
        drain_lane(other->two->ends.b);
    }
    return status == EXO_OK ? argument : NULL;
}

static void a_sleeper_is_woken_by_cancel_message_and_room(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < 3 * WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        struct exo_waitable items[2];
        struct other other = {&two, &op[0], w % 3};
        pthread_t thread;
        void *result = NULL;
        open_async(&two, w / 3, 8);
        init_ops(op, 2);
        fill_lane(two.ends.a, 0);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 300, 1), EXO_OK);
        assert_int_equal(pthread_create(&thread, NULL, does_it, &other), 0);
        if (w % 2 == 0) {
            assert_int_equal(exo_async_wait(&two.a, EXO_FOREVER), EXO_OK);
        } else { /* among other things */
            struct exo_async *const both[2] = {&two.b, &two.a};
            struct exo_op idle;
            exo_op_init(&idle, 0);
            exo_waitable_async(&items[0], both[0]);
            exo_waitable_async(&items[1], both[1]);
            items[0].wanted = 0;
            assert_int_equal(exo_wait_many(items, 2, EXO_FOREVER), 1);
            assert_int_equal(items[1].events, EXO_COMPLETION);
        }
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, &other);
        assert_done(&two.a, other.what == 2 ? &op[1] : &op[0], other.what == 0 ? EXO_CANCELLED : EXO_OK);
        assert_int_equal(two.a.pending, 1);
        close_async(&two);
    }
}

/* One thread receives, one sends, one cancels at random. Every receive ends once, with a message or cancelled as it was
 * told; every message arrives, in order. */
#define RACERS 64u

struct race {
    struct two_async two;
    struct exo_op op[RACERS];
    exo_u32 cancelled; /* that the canceller was told */
    exo_u32 messages;
    exo_u32 stop;
};

static void *cancels(void *argument)
{
    struct race *race = (struct race *)argument;
    exo_u32 random = 1;
    exo_u32 told = 0;
    while (exo_load32(&race->stop, EXO_ACQUIRE) == 0) {
        random = random * 1664525u + 1013904223u;
        told += exo_async_cancel(&race->two.a, &race->op[(random >> 16) % RACERS]) == EXO_OK;
        if (random >> 28 == 0) {
            (void)sched_yield();
        }
    }
    exo_store32(&race->cancelled, told, EXO_RELEASE);
    return NULL;
}

static void *sends(void *argument)
{
    struct race *race = (struct race *)argument;
    exo_u32 i;
    for (i = 0; i < race->messages; i++) {
        if (exo_channel_send_blocking(race->two.ends.b, NO_HEADER, &i, sizeof(i), EXO_FOREVER) != EXO_OK) {
            return argument;
        }
    }
    return NULL;
}

static void cancels_and_completions_never_both_happen(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w += 2) {
        static struct race race;
        pthread_t threads[2];
        void *result[2] = {&race, &race};
        struct exo_op *op;
        exo_u32 got = 0;
        exo_u32 cancelled = 0;
        exo_u32 i;
        memset(&race, 0, sizeof(race));
        race.messages = EXO_HAS_TSAN ? 3000 : 20000;
        open_async(&race.two, w, 8);
        init_ops(race.op, RACERS);
        for (i = 0; i < RACERS; i++) {
            assert_int_equal(exo_async_submit_recv(&race.two.a, &race.op[i], EXO_FOREVER), EXO_OK);
        }
        assert_int_equal(pthread_create(&threads[0], NULL, cancels, &race), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, sends, &race), 0);
        while (got < race.messages) {
            assert_int_equal(exo_async_wait(&race.two.a, EXO_FOREVER), EXO_OK);
            while ((op = exo_async_next(&race.two.a)) != NULL) {
                if (op->status == EXO_OK) {
                    assert_memory_equal(exo_message_payload(exo_op_message(op)), &got, sizeof(got));
                    assert_int_equal(exo_op_release(&race.two.a, op), EXO_OK);
                    got++;
                } else {
                    assert_int_equal(op->status, EXO_CANCELLED);
                    cancelled++;
                }
                assert_int_equal(exo_async_submit_recv(&race.two.a, op, EXO_FOREVER), EXO_OK);
            }
        }
        exo_store32(&race.stop, 1, EXO_RELEASE);
        assert_int_equal(pthread_join(threads[0], &result[0]), 0);
        assert_int_equal(pthread_join(threads[1], &result[1]), 0);
        assert_true(result[0] == NULL && result[1] == NULL);
        (void)exo_async_poll(&race.two.a);
        while ((op = exo_async_next(&race.two.a)) != NULL) {
            cancelled += op->status == EXO_CANCELLED;
        }
        assert_int_equal(cancelled, exo_load32(&race.cancelled, EXO_ACQUIRE));
        close_async(&race.two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_pending_can_be_cancelled_and_once),
        cmocka_unit_test(what_is_cancelled_does_nothing),
        cmocka_unit_test(the_answer_to_a_cancelled_call_is_dropped),
        cmocka_unit_test(waiting_needs_something_in_flight_and_obeys_its_deadline),
        cmocka_unit_test(a_polled_channel_cannot_be_slept_for),
        cmocka_unit_test(a_sleeper_is_woken_by_cancel_message_and_room),
        cmocka_unit_test(cancels_and_completions_never_both_happen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
