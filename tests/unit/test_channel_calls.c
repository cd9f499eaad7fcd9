/* SPDX-License-Identifier: MIT */
/*
 * Requests and answers: many in flight, any order, deadlines, late answers, both sides calling each other. Each claim is made in one address space and over sealed segments.
 */
#include "calls_fixture.h"

#include <pthread.h>

static void answers_come_in_any_order(void **state)
{
    exo_u32 w;
    exo_u32 round;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        open_calls(&two, w);
        for (round = 0; round < 40; round++) {
            struct exo_call call[CALLS];
            struct exo_message_header request[CALLS];
            for (i = 0; i < CALLS; i++) {
                assert_int_equal(ask(two.a, &call[i], i), EXO_OK);
                assert_int_equal(exo_call_poll(two.a, &call[i]), EXO_EMPTY);
            }
            for (i = 0; i < CALLS; i++) {
                assert_int_equal(asked(two.b, &request[i]), i);
            }
            for (i = CALLS; i-- != 0;) {
                exo_u32 at = (i * 5 + round) % CALLS;
                exo_u32 number = 1000 + at;
                assert_int_equal(exo_reply(two.b, &request[at], &number, sizeof(number)), EXO_OK);
            }
            for (i = 0; i < CALLS; i++) {
                assert_int_equal(exo_call_wait(two.a, &call[i]), EXO_OK);
                assert_answer(two.a, &call[i], 1000 + i);
            }
        }
        assert_int_equal(two.a->late, 0);
        assert_int_equal(two.a->unanswered, 0);
        close_two(&two);
    }
}

static void as_many_calls_as_the_peer_allows(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call[CALLS + 1];
        struct exo_message_header request;
        exo_u32 number = 5;
        open_calls(&two, w);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(ask(two.a, &call[i], i), EXO_OK);
        }
        assert_int_equal(ask(two.a, &call[CALLS], 9), EXO_FULL);
        assert_int_equal(exo_call_send_blocking(two.a, &call[CALLS], NO_HEADER, &number, sizeof(number),
                                                exo_port_now_ns() + SOON_NS), EXO_TIMEOUT);
        assert_int_equal(asked(two.b, &request), 0);
        assert_int_equal(exo_reply(two.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(ask(two.a, &call[CALLS], 9), EXO_OK); /* the answer has made room */
        assert_int_equal(exo_call_poll(two.a, &call[0]), EXO_OK);
        assert_answer(two.a, &call[0], 5);
        close_two(&two);
    }
}

static void a_deadline_ends_a_call_and_its_answer_is_dropped(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call late;
        struct exo_call next;
        struct exo_message_header request;
        struct exo_message message;
        exo_u64 start = exo_port_now_ns();
        exo_u8 large[3000] = {0};
        open_calls(&two, w);
        assert_int_equal(exo_call_send(two.a, &late, NO_HEADER, "", 0, start), EXO_TIMEOUT);
        assert_int_equal(exo_call_send(two.a, &late, NO_HEADER, "", 0, EXO_NOW), EXO_TIMEOUT);
        assert_int_equal(receive_byte(two.b), EXO_EMPTY); /* nothing was sent */
        assert_int_equal(exo_call_send(two.a, &late, NO_HEADER, "1", 1, exo_port_now_ns() + SOON_NS), EXO_OK);
        assert_int_equal(exo_call_wait(two.a, &late), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() - start >= SOON_NS);
        assert_int_equal(exo_call_wait(two.a, &late), EXO_TIMEOUT);
        assert_int_equal(exo_call_cancel(two.a, &late), EXO_NOT_FOUND);
        assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
        request = message.header;
        assert_int_equal(exo_reply(two.b, &request, large, sizeof(large)), EXO_OK);
        assert_int_equal(ask(two.a, &next, 7), EXO_OK);
        assert_int_equal(exo_call_poll(two.a, &next), EXO_EMPTY);
        assert_int_equal(two.a->late, 1);
        assert_int_equal(exo_loans_outstanding(&two.b->tx[0]), 0); /* and given back */
        close_two(&two);
    }
}

static void a_cancelled_call_is_over_once(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call;
        struct exo_message_header request;
        open_calls(&two, w);
        assert_int_equal(ask(two.a, &call, 1), EXO_OK);
        assert_int_equal(exo_call_cancel(two.a, &call), EXO_OK);
        assert_int_equal(exo_call_cancel(two.a, &call), EXO_NOT_FOUND);
        assert_int_equal(exo_call_poll(two.a, &call), EXO_CANCELLED);
        assert_int_equal(asked(two.b, &request), 1);
        assert_int_equal(exo_reply(two.b, &request, "", 0), EXO_OK);
        assert_int_equal(ask(two.a, &call, 2), EXO_OK);
        assert_int_equal(exo_call_poll(two.a, &call), EXO_EMPTY);
        assert_int_equal(two.a->late, 1);
        close_two(&two);
    }
}

static void a_request_is_answered_once(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call;
        struct exo_message_header request;
        struct exo_message_header unknown;
        exo_u32 number = 3;
        open_calls(&two, w);
        assert_int_equal(ask(two.a, &call, 1), EXO_OK);
        assert_int_equal(asked(two.b, &request), 1);
        unknown = request;
        unknown.request_id += CALLS;
        assert_int_equal(exo_reply(two.b, &unknown, "", 0), EXO_NOT_FOUND);
        unknown.request_id = 0;
        assert_int_equal(exo_reply(two.b, &unknown, "", 0), EXO_NOT_FOUND);
        unknown = request;
        unknown.msg_type = EXO_MESSAGE_DATA;
        assert_int_equal(exo_reply(two.b, &unknown, "", 0), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_reply_error(two.b, &request, EXO_OK), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_reply_error(two.b, &request, (exo_status)-99), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_reply(two.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_reply(two.b, &request, &number, sizeof(number)), EXO_NOT_FOUND);
        assert_int_equal(exo_reply_error(two.b, &request, EXO_CANCELLED), EXO_NOT_FOUND);
        assert_int_equal(exo_call_wait(two.a, &call), EXO_OK);
        assert_answer(two.a, &call, 3);
        close_two(&two);
    }
}

static void errors_carry_a_status(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call;
        struct exo_message message;
        struct exo_message_header request;
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_ERROR, 0, 0, 0);
        exo_i32 word = EXO_QUOTA_EXCEEDED;
        open_calls(&two, w);
        assert_int_equal(ask(two.a, &call, 1), EXO_OK);
        assert_int_equal(asked(two.b, &request), 1);
        assert_int_equal(exo_reply_error(two.b, &request, EXO_PERMISSION_DENIED), EXO_OK);
        assert_int_equal(exo_call_wait(two.a, &call), EXO_OK);
        assert_int_equal(exo_message_error(&call.answer), EXO_PERMISSION_DENIED);
        assert_int_equal(exo_call_release(two.a, &call), EXO_OK);
        /* One that answers nothing is a message like others. */
        assert_int_equal(exo_channel_send(two.b, &header, &word, sizeof(word)), EXO_OK);
        assert_int_equal(exo_channel_recv(two.a, &message), EXO_OK);
        assert_int_equal(exo_message_error(&message), EXO_QUOTA_EXCEEDED);
        assert_int_equal(exo_channel_send(two.b, &header, &word, 3), EXO_OK);
        assert_int_equal(exo_channel_recv(two.a, &message), EXO_OK);
        assert_int_equal(exo_message_error(&message), EXO_CORRUPT);
        word = 5;
        assert_int_equal(exo_channel_send(two.b, &header, &word, sizeof(word)), EXO_OK);
        assert_int_equal(exo_channel_recv(two.a, &message), EXO_OK);
        assert_int_equal(exo_message_error(&message), EXO_CORRUPT);
        close_two(&two);
    }
}

static void answers_do_not_wait_for_other_messages(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call[2];
        struct exo_message_header request[2];
        exo_u32 number = 4;
        open_calls(&two, w);
        assert_int_equal(ask(two.a, &call[0], 1), EXO_OK);
        assert_int_equal(ask(two.b, &call[1], 2), EXO_OK);
        assert_int_equal(asked(two.b, &request[0]), 1);
        assert_int_equal(asked(two.a, &request[1]), 2);
        while (send_byte(two.a, 0, 1) == EXO_OK || send_byte(two.a, 1, 1) == EXO_OK || send_byte(two.b, 0, 1) == EXO_OK ||
               send_byte(two.b, 1, 1) == EXO_OK) {
        }
        assert_int_equal(exo_reply(two.b, &request[0], &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_reply(two.a, &request[1], &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_call_wait(two.a, &call[0]), EXO_OK);
        assert_answer(two.a, &call[0], 4);
        assert_int_equal(exo_call_wait(two.b, &call[1]), EXO_OK);
        assert_answer(two.b, &call[1], 4);
        close_two(&two);
    }
}

static void requests_and_answers_go_without_a_copy(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call;
        struct exo_message message;
        struct exo_message got;
        struct exo_message_header request;
        open_calls(&two, w);
        assert_int_equal(exo_channel_loan(two.a, &message, NO_HEADER, 5000), EXO_OK);
        fill((exo_u8 *)exo_message_payload(&message), 5000, 1);
        assert_int_equal(exo_call_send_message(two.a, &call, &message, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &got), EXO_OK);
        assert_filled(&got, 5000, 1);
        request = got.header;
        assert_int_equal(exo_channel_loan(two.b, &message, NO_HEADER, 6000), EXO_OK);
        fill((exo_u8 *)exo_message_payload(&message), 6000, 2);
        assert_int_equal(exo_reply_message(two.b, &request, &message), EXO_OK);
        assert_int_equal(exo_channel_release(two.b, &got), EXO_OK);
        assert_int_equal(exo_call_wait(two.a, &call), EXO_OK);
        assert_filled(&call.answer, 6000, 2);
        assert_int_equal(exo_call_release(two.a, &call), EXO_OK);
        assert_int_equal(exo_call_release(two.a, &call), EXO_NOT_FOUND);
        assert_int_equal(exo_loans_outstanding(&two.a->tx[0]), 0);
        assert_int_equal(exo_loans_outstanding(&two.b->tx[0]), 0);
        close_two(&two);
    }
}

static void a_call_ends_when_the_peer_closes(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call[2];
        struct exo_message_header request;
        exo_u32 number = 6;
        exo_u8 byte;
        open_calls(&two, w);
        assert_int_equal(ask(two.a, &call[0], 1), EXO_OK);
        assert_int_equal(ask(two.a, &call[1], 2), EXO_OK);
        assert_int_equal(asked(two.b, &request), 1);
        assert_int_equal(exo_reply(two.b, &request, &number, sizeof(number)), EXO_OK);
        exo_channel_close(two.b);
        assert_int_equal(exo_call_wait(two.a, &call[1]), EXO_CLOSED);
        assert_int_equal(exo_call_wait(two.a, &call[0]), EXO_OK);
        assert_answer(two.a, &call[0], 6);
        assert_int_equal(ask(two.a, &call[0], 1), EXO_CLOSED);
        assert_int_equal(exo_request(two.a, "", 0, &byte, 1, EXO_FOREVER), EXO_CLOSED);
        assert_int_equal(two.a->unanswered, 0);
        close_two(&two);
    }
}

/* Echoes until the peer closes. */
static void *serves(void *argument)
{
    struct exo_channel *channel = (struct exo_channel *)argument;
    struct exo_message message;
    exo_u64 served = 0;
    while (exo_channel_recv_blocking(channel, &message, EXO_FOREVER) == EXO_OK) {
        struct exo_message_header request = message.header;
        exo_u8 copy[5000];
        exo_size len = exo_message_size(&message);
        memcpy(copy, exo_message_payload(&message), len);
        if (exo_channel_release(channel, &message) != EXO_OK ||
            exo_reply_blocking(channel, &request, copy, len, EXO_FOREVER) != EXO_OK) {
            return NULL;
        }
        served++;
    }
    return (void *)(uintptr_t)served;
}

static void a_server_that_sleeps_answers_everything(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        pthread_t thread;
        void *served = NULL;
        open_calls(&two, w);
        assert_int_equal(pthread_create(&thread, NULL, serves, two.b), 0);
        for (i = 0; i < 3000; i++) {
            exo_u8 data[5000];
            exo_u8 back[5000];
            exo_size len = i % 3 == 0 ? 4000 + i % 1000 : i % 57;
            fill(data, len, i);
            assert_int_equal(exo_request(two.a, data, len, back, sizeof(back), EXO_FOREVER), len);
            assert_memory_equal(data, back, len);
        }
        assert_int_equal(exo_request(two.a, "12345", 5, NULL, 0, EXO_FOREVER), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(exo_channel_finish(two.a), EXO_OK);
        assert_int_equal(pthread_join(thread, &served), 0);
        assert_int_equal((uintptr_t)served, 3001);
        close_two(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_any_order),
        cmocka_unit_test(as_many_calls_as_the_peer_allows),
        cmocka_unit_test(a_deadline_ends_a_call_and_its_answer_is_dropped),
        cmocka_unit_test(a_cancelled_call_is_over_once),
        cmocka_unit_test(a_request_is_answered_once),
        cmocka_unit_test(errors_carry_a_status),
        cmocka_unit_test(answers_do_not_wait_for_other_messages),
        cmocka_unit_test(requests_and_answers_go_without_a_copy),
        cmocka_unit_test(a_call_ends_when_the_peer_closes),
        cmocka_unit_test(a_server_that_sleeps_answers_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
