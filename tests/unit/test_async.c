/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels: every kind of operation, order, many in flight, deadlines, closed and hostile peers, bad input.
 * Each claim is made in one address space and over sealed segments. test_async_cancel.c has cancels and waiting.
 */
#include "async_fixture.h"

static void what_can_be_done_at_once_completes_at_once(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[5];
        struct exo_message message;
        struct exo_message_header request;
        exo_u32 i;
        open_async(&two, w, 8);
        init_ops(op, 5);
        for (i = 0; i < 400; i++) { /* around the ring */
            assert_int_equal(submit_filled(&two.a, &op[0], 0, i % 300, i), EXO_OK);
            assert_done(&two.a, &op[0], EXO_OK);
            assert_int_equal(exo_async_submit_recv(&two.b, &op[1], EXO_NOW), EXO_OK);
            assert_received(&two.b, &op[1], i % 300, i);
        }
        assert_int_equal(exo_channel_loan(two.ends.a, &message, NO_HEADER, 3000), EXO_OK);
        fill((exo_u8 *)exo_message_payload(&message), 3000, 7);
        assert_int_equal(exo_async_submit_message(&two.a, &op[2], &message, EXO_FOREVER), EXO_OK);
        assert_done(&two.a, &op[2], EXO_OK);
        receive_filled(two.ends.b, 3000, 7);
        assert_int_equal(submit_question(&two.a, &op[3], 41, EXO_FOREVER), EXO_OK);
        assert_int_equal(two.a.pending, 1);
        assert_int_equal(exo_async_submit_recv(&two.b, &op[1], EXO_FOREVER), EXO_OK);
        assert_int_equal(take_question(&two.b, &op[1], &request), 41);
        i = 42;
        assert_int_equal(exo_async_submit_reply(&two.b, &op[4], &request, &i, sizeof(i), EXO_FOREVER), EXO_OK);
        assert_done(&two.b, &op[4], EXO_OK);
        assert_int_equal(exo_async_submit_reply(&two.b, &op[4], &request, &i, sizeof(i), EXO_FOREVER), EXO_NOT_FOUND);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_answered(&two.a, &op[3], 42);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_null(exo_async_next(&two.a));
        close_async(&two);
    }
}

static void sends_go_in_order_as_room_comes(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static struct exo_op op[MANY];
        static exo_u8 data[MANY][700];
        struct two_async two;
        exo_u32 received = 0;
        exo_u32 completed = 0;
        exo_u32 i;
        open_async(&two, w, 8);
        init_ops(op, MANY);
        for (i = 0; i < MANY; i++) {
            exo_size len = i * 37 % 700;
            fill(data[i], len, i);
            assert_int_equal(exo_async_submit_send(&two.a, &op[i], NO_HEADER, data[i], len, EXO_FOREVER), EXO_OK);
        }
        assert_true(two.a.pending > MANY / 2);
        while (received < MANY) {
            struct exo_op *done;
            for (i = 0; i < 30 && received < MANY; i++, received++) {
                receive_filled(two.ends.b, received * 37 % 700, received);
            }
            (void)exo_async_poll(&two.a);
            while ((done = exo_async_next(&two.a)) != NULL) {
                assert_ptr_equal(done, &op[completed]);
                assert_int_equal(done->status, EXO_OK);
                assert_int_equal(done->key, completed);
                completed++;
            }
        }
        assert_int_equal(completed, MANY);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY);
        close_async(&two);
    }
}

static void what_is_urgent_passes_what_waits(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        open_async(&two, w, 8);
        init_ops(op, 2);
        fill_lane(two.ends.a, 0);
        assert_int_equal(submit_filled(&two.a, &op[0], 0, 20, 1), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[1], 9, 10, 2), EXO_OK);
        assert_done(&two.a, &op[1], EXO_OK);
        receive_filled(two.ends.b, 10, 2);
        assert_int_equal(receive_byte(two.ends.b), 1);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[0], EXO_OK);
        fill_lane(two.ends.a, 1);
        assert_int_equal(submit_filled(&two.a, &op[1], 3, 10, 3), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_int_equal(receive_byte(two.ends.b), 1);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[1], EXO_OK);
        close_async(&two);
    }
}

static void messages_go_to_receives_in_order(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static struct exo_op op[MANY];
        struct two_async two;
        exo_u32 sent;
        exo_u32 got = 0;
        exo_u32 i;
        open_async(&two, w, 8);
        init_ops(op, MANY);
        for (i = 0; i < MANY; i++) {
            assert_int_equal(exo_async_submit_recv(&two.b, &op[i], EXO_FOREVER), EXO_OK);
        }
        assert_int_equal(exo_async_poll(&two.b), 0);
        for (sent = 0; sent < MANY;) {
            exo_u32 more = 1 + sent * 7 % 50;
            for (i = 0; i < more && sent < MANY; i++, sent++) {
                assert_int_equal(send_filled(two.ends.a, 0, sent % 200, sent), EXO_OK);
            }
            assert_int_equal(exo_async_poll(&two.b), i);
            for (; got < sent; got++) {
                assert_int_equal(op[got].key, got);
                assert_received(&two.b, &op[got], got % 200, got);
            }
        }
        assert_int_equal(two.b.pending, 0);
        close_async(&two);
    }
}

static void a_new_receive_does_not_overtake_those_that_wait(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        open_async(&two, w, 8);
        init_ops(op, 2);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(send_filled(two.ends.b, 0, 5, 1), EXO_OK);
        assert_int_equal(send_filled(two.ends.b, 0, 6, 2), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[1], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 2);
        assert_received(&two.a, &op[0], 5, 1);
        assert_received(&two.a, &op[1], 6, 2);
        close_async(&two);
    }
}

static void zero_copy_messages_wait_and_stay_the_callers_if_unsent(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        struct exo_message message[2];
        exo_u32 i;
        open_async(&two, w, 8);
        init_ops(op, 2);
        fill_lane(two.ends.a, 0);
        for (i = 0; i < 2; i++) {
            assert_int_equal(exo_channel_loan(two.ends.a, &message[i], NO_HEADER, 500), EXO_OK);
            fill((exo_u8 *)exo_message_payload(&message[i]), 500, i);
            assert_int_equal(exo_async_submit_message(&two.a, &op[i], &message[i], EXO_FOREVER), EXO_OK);
        }
        assert_int_equal(exo_async_cancel(&two.a, &op[0]), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[0], EXO_CANCELLED);
        drain_lane(two.ends.b);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[1], EXO_OK);
        receive_filled(two.ends.b, 500, 1);
        assert_int_equal(exo_channel_drop(two.ends.a, &message[1]), EXO_NOT_FOUND);
        assert_int_equal(exo_channel_drop(two.ends.a, &message[0]), EXO_OK);
        close_async(&two);
    }
}

static void a_full_arena_holds_up_its_lane_until_a_block_comes_back(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static exo_u8 data[60000];
        struct two_async two;
        struct exo_op op[3];
        struct exo_message held;
        open_async(&two, w, 8);
        init_ops(op, 3);
        fill(data, sizeof(data), 4);
        assert_int_equal(exo_channel_loan(two.ends.a, &held, NO_HEADER, sizeof(data)), EXO_OK);
        assert_int_equal(exo_async_submit_send(&two.a, &op[0], NO_HEADER, data, sizeof(data), EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 1, 2), EXO_OK); /* behind it, though there is a slot */
        assert_int_equal(submit_filled(&two.a, &op[2], 5, 1, 3), EXO_OK);
        assert_done(&two.a, &op[2], EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_int_equal(two.a.pending, 2);
        assert_int_equal(exo_channel_drop(two.ends.a, &held), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 2);
        assert_done(&two.a, &op[0], EXO_OK);
        assert_done(&two.a, &op[1], EXO_OK);
        receive_filled(two.ends.b, 1, 3);
        receive_filled(two.ends.b, sizeof(data), 4);
        receive_filled(two.ends.b, 1, 2);
        close_async(&two);
    }
}

static void a_thousand_calls_are_answered_in_any_order(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static struct exo_op op[MANY];
        struct exo_message_header asked[16];
        struct two_async two;
        struct exo_op *done;
        exo_u32 completed = 0;
        exo_u32 count;
        exo_u32 i;
        open_async(&two, w, 16);
        init_ops(op, MANY);
        for (i = 0; i < MANY; i++) {
            assert_int_equal(submit_question(&two.a, &op[i], i, EXO_FOREVER), EXO_OK);
        }
        assert_int_equal(two.a.pending, MANY);
        while (completed < MANY) {
            exo_u32 number[16];
            struct exo_message message;
            for (count = 0; count < 16 && exo_channel_recv(two.ends.b, &message) == EXO_OK; count++) {
                asked[count] = message.header;
                memcpy(&number[count], exo_message_payload(&message), sizeof(number[0]));
                assert_int_equal(exo_channel_release(two.ends.b, &message), EXO_OK);
            }
            assert_true(count != 0);
            for (i = count; i-- != 0;) {
                number[i] += 1000000;
                assert_int_equal(exo_reply(two.ends.b, &asked[i], &number[i], sizeof(number[0])), EXO_OK);
            }
            assert_int_equal(exo_async_poll(&two.a), count);
            while ((done = exo_async_next(&two.a)) != NULL) {
                assert_question_answered(&two.a, done, (exo_u32)done->key + 1000000);
                completed++;
            }
        }
        assert_int_equal(two.a.pending, 0);
        assert_int_equal(two.ends.a->unanswered, 0);
        assert_int_equal(two.ends.a->late, 0);
        close_async(&two);
    }
}

static void a_request_keeps_its_place_among_sends_unless_too_many_are_unanswered(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[6];
        struct exo_message_header request;
        exo_u32 number = 5;
        open_async(&two, w, 2);
        init_ops(op, 6);
        fill_lane(two.ends.a, 0);
        assert_int_equal(submit_filled(&two.a, &op[0], 0, 3, 1), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[1], 11, EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[2], 12, EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[3], 13, EXO_FOREVER), EXO_OK); /* one too many */
        assert_int_equal(submit_filled(&two.a, &op[4], 0, 4, 2), EXO_OK);
        drain_lane(two.ends.b);
        assert_int_equal(exo_async_poll(&two.a), 2);
        assert_done(&two.a, &op[0], EXO_OK);
        assert_done(&two.a, &op[4], EXO_OK);
        receive_filled(two.ends.b, 3, 1);
        assert_int_equal(asked(two.ends.b, &request), 11);
        assert_int_equal(exo_reply(two.ends.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(asked(two.ends.b, &request), 12);
        receive_filled(two.ends.b, 4, 2);
        assert_int_equal(submit_question(&two.a, &op[5], 14, EXO_FOREVER), EXO_OK); /* behind 13 */
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_answered(&two.a, &op[1], 5);
        assert_int_equal(asked(two.ends.b, &request), 13);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY);
        close_async(&two);
    }
}

static void answers_that_another_call_took_are_not_lost(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[3];
        struct exo_call call;
        struct exo_message_header request;
        exo_u32 i;
        open_async(&two, w, 8);
        init_ops(op, 3);
        for (i = 0; i < 3; i++) {
            assert_int_equal(submit_question(&two.a, &op[i], i, EXO_FOREVER), EXO_OK);
        }
        assert_int_equal(exo_call_send(two.ends.a, &call, NO_HEADER, &i, sizeof(i), EXO_FOREVER), EXO_OK);
        for (i = 0; i < 4; i++) {
            exo_u32 answer = asked(two.ends.b, &request) + 50;
            assert_int_equal(exo_reply(two.ends.b, &request, &answer, sizeof(answer)), EXO_OK);
        }
        assert_int_equal(exo_call_wait(two.ends.a, &call), EXO_OK);
        assert_int_equal(exo_call_release(two.ends.a, &call), EXO_OK);
        assert_null(exo_async_next(&two.a));
        assert_int_equal(exo_async_poll(&two.a), 3);
        for (i = 0; i < 3; i++) {
            assert_answered(&two.a, &op[i], i + 50);
        }
        close_async(&two);
    }
}

static void a_reply_waits_for_room_in_the_arena(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        static exo_u8 answer[40000];
        struct two_async two;
        struct exo_op op[2];
        struct exo_message held;
        struct exo_message_header request;
        open_async(&two, w, 8);
        init_ops(op, 2);
        fill(answer, sizeof(answer), 9);
        assert_int_equal(submit_question(&two.a, &op[0], 1, EXO_FOREVER), EXO_OK);
        assert_int_equal(asked(two.ends.b, &request), 1);
        assert_int_equal(exo_channel_loan(two.ends.b, &held, NO_HEADER, 60000), EXO_OK);
        assert_int_equal(exo_async_submit_reply(&two.b, &op[1], &request, answer, sizeof(answer), EXO_FOREVER), EXO_OK);
        memset(&request, 0, sizeof(request));
        assert_int_equal(exo_async_poll(&two.b), 0);
        assert_int_equal(exo_channel_drop(two.ends.b, &held), EXO_OK);
        assert_int_equal(exo_async_poll(&two.b), 1);
        assert_done(&two.b, &op[1], EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[0], EXO_OK);
        assert_filled(exo_op_message(&op[0]), sizeof(answer), 9);
        assert_int_equal(exo_op_release(&two.a, &op[0]), EXO_OK);
        close_async(&two);
    }
}

static void requests_of_lent_messages_wait_too(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op;
        struct exo_message question;
        struct exo_message_header request;
        exo_u32 number = 77;
        open_async(&two, w, 8);
        init_ops(&op, 1);
        fill_lane(two.ends.a, 0);
        assert_int_equal(exo_channel_loan(two.ends.a, &question, NO_HEADER, sizeof(number)), EXO_OK);
        memcpy(exo_message_payload(&question), &number, sizeof(number));
        assert_int_equal(exo_async_submit_call_message(&two.a, &op, &question, EXO_FOREVER), EXO_OK);
        drain_lane(two.ends.b);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_null(question.loan.data);
        assert_int_equal(asked(two.ends.b, &request), 77);
        assert_int_equal(exo_reply(two.ends.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_answered(&two.a, &op, 77);
        close_async(&two);
    }
}

#define MUCH_LATER_NS 3600000000000ull /* however slow the machine is */

static void at_its_deadline_an_operation_has_done_nothing(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[4];
        struct exo_message_header request;
        exo_u64 soon;
        exo_u32 number;
        open_async(&two, w, 8);
        init_ops(op, 4);
        assert_int_equal(submit_question(&two.a, &op[2], 6, exo_port_now_ns() + SOON_NS), EXO_OK);
        assert_int_equal(asked(two.ends.b, &request), 6);
        fill_lane(two.ends.a, 0);
        soon = exo_port_now_ns() + SOON_NS;
        assert_int_equal(exo_async_submit_send(&two.a, &op[0], NO_HEADER, "z", 1, soon), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[1], soon + 1), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[3], 7, soon + MUCH_LATER_NS), EXO_OK);
        while (two.a.pending > 1) {
            (void)exo_async_poll(&two.a);
        }
        assert_true(exo_port_now_ns() > soon);
        drain_lane(two.ends.b);
        for (number = 0; number < 3; number++) {
            struct exo_op *done = exo_async_next(&two.a);
            assert_true(done == &op[0] || done == &op[1] || done == &op[2]);
            assert_int_equal(done->status, EXO_TIMEOUT);
        }
        clock_ahead_ns = MUCH_LATER_NS;
        assert_int_equal(exo_async_poll(&two.a), 1); /* there is room, but it would come too late */
        assert_done(&two.a, &op[3], EXO_TIMEOUT);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY);
        clock_ahead_ns = 0;
        assert_int_equal(exo_reply(two.ends.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(send_filled(two.ends.b, 0, 9, 9), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 0);
        receive_filled(two.ends.a, 9, 9); /* the receive has not taken it */
        assert_int_equal(submit_question(&two.a, &op[2], 8, EXO_FOREVER), EXO_OK);
        assert_int_equal(asked(two.ends.b, &request), 8);
        assert_int_equal(exo_reply(two.ends.b, &request, &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_answered(&two.a, &op[2], 3);
        assert_int_equal(two.ends.a->late, 1);
        close_async(&two);
    }
}

static void now_means_at_once_or_not_at_all(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[4];
        open_async(&two, w, 8);
        init_ops(op, 4);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_NOW), EXO_OK);
        assert_done(&two.a, &op[0], EXO_WOULD_BLOCK);
        assert_int_equal(submit_question(&two.a, &op[1], 7, EXO_NOW), EXO_OK);
        assert_done(&two.a, &op[1], EXO_TIMEOUT);
        fill_lane(two.ends.a, 0);
        assert_int_equal(exo_async_submit_send(&two.a, &op[2], NO_HEADER, "z", 1, EXO_NOW), EXO_OK);
        assert_done(&two.a, &op[2], EXO_WOULD_BLOCK);
        assert_int_equal(exo_async_submit_send(&two.a, &op[2], NO_HEADER, "z", 1, EXO_FOREVER), EXO_OK);
        drain_lane(two.ends.b);
        assert_int_equal(exo_async_submit_send(&two.a, &op[3], NO_HEADER, "z", 1, EXO_NOW), EXO_OK); /* one is before it */
        assert_done(&two.a, &op[3], EXO_WOULD_BLOCK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_done(&two.a, &op[2], EXO_OK);
        close_async(&two);
    }
}

static void the_clock_is_read_only_for_deadlines(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[4];
        exo_u32 before;
        open_async(&two, w, 8);
        init_ops(op, 4);
        fill_lane(two.ends.a, 0);
        before = clock_reads;
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 70, 1), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[2], 7, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_int_equal(exo_async_cancel(&two.a, &op[2]), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_int_equal(exo_async_wait(&two.a, EXO_NOW), EXO_OK);
        assert_int_equal(clock_reads, before);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[3], exo_port_now_ns() + MUCH_LATER_NS), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_true(clock_reads > before + 1);
        assert_int_equal(exo_async_cancel(&two.a, &op[3]), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        before = clock_reads;
        assert_int_equal(exo_async_poll(&two.a), 0);
        assert_int_equal(clock_reads, before);
        close_async(&two);
    }
}

static void when_the_peer_closes_what_cannot_be_done_is_over(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[6];
        open_async(&two, w, 2);
        init_ops(op, 6);
        assert_int_equal(submit_question(&two.a, &op[0], 1, EXO_FOREVER), EXO_OK);
        fill_lane(two.ends.a, 0);
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 1, 1), EXO_OK);
        assert_int_equal(submit_filled(&two.a, &op[2], 0, 1000, 1), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[3], 2, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[4], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[5], EXO_FOREVER), EXO_OK);
        assert_int_equal(send_filled(two.ends.b, 0, 5, 5), EXO_OK);
        exo_channel_close(two.ends.b);
        assert_int_equal(exo_async_wait(&two.a, EXO_FOREVER), EXO_OK);
        assert_int_equal(two.a.pending, 0);
        assert_done(&two.a, &op[0], EXO_CLOSED);
        assert_done(&two.a, &op[1], EXO_CLOSED);
        assert_done(&two.a, &op[2], EXO_CLOSED);
        assert_done(&two.a, &op[3], EXO_CLOSED);
        assert_received(&two.a, &op[4], 5, 5); /* it was sent before */
        assert_done(&two.a, &op[5], EXO_CLOSED);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_done(&two.a, &op[0], EXO_CLOSED);
        close_async(&two);
    }
}

static void a_peer_that_breaks_the_protocol_ends_every_receive(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[3];
        open_async(&two, w, 8);
        init_ops(op, 3);
        assert_int_equal(exo_async_submit_recv(&two.b, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.b, &op[1], EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.b, &op[2], 1, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_send_inline(&two.ends.a->tx[0], "raw", 3), EXO_OK);
        assert_true(exo_async_poll(&two.b) >= 2);
        (void)exo_async_poll(&two.b);
        assert_done(&two.b, &op[0], EXO_CORRUPT);
        assert_done(&two.b, &op[1], EXO_CORRUPT);
        assert_done(&two.b, &op[2], EXO_CORRUPT);
        close_async(&two);
    }
}

/* It makes a receiver look at a slot that holds nothing, although something else was seen. */
static void a_message_that_vanishes_refuses_the_channel(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op;
        struct exo_sender *tx;
        open_async(&two, w, 8);
        init_ops(&op, 1);
        tx = &two.ends.a->tx[0];
        assert_int_equal(exo_async_submit_recv(&two.b, &op, EXO_FOREVER), EXO_OK);
        exo_store64(exo_tx_line_pvt(tx, tx->pos) + EXO_LINE_WORDS, exo_control_pvt(tx->pos, EXO_KIND_NONE, 0),
                    EXO_RELEASE);
        assert_int_equal(send_byte(two.ends.a, 1, 1), EXO_OK);
        two.ends.b->urgent.passed = EXO_URGENT_IN_A_ROW;
        assert_int_equal(exo_async_poll(&two.b), 1);
        assert_done(&two.b, &op, EXO_CORRUPT);
        assert_int_equal(receive_byte(two.ends.b), EXO_CORRUPT);
        close_async(&two);
    }
}

static void closing_ends_all_that_is_in_flight(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[6];
        struct exo_message_header request;
        exo_u32 number = 3;
        open_async(&two, w, 2);
        init_ops(op, 6);
        assert_int_equal(submit_question(&two.a, &op[0], 1, EXO_FOREVER), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[1], 2, EXO_FOREVER), EXO_OK);
        assert_int_equal(asked(two.ends.b, &request), 1);
        assert_int_equal(asked(two.ends.b, &request), 2);
        assert_int_equal(exo_reply(two.ends.b, &request, &number, sizeof(number)), EXO_OK);
        fill_lane(two.ends.a, 0);
        assert_int_equal(submit_filled(&two.a, &op[2], 0, 90, 1), EXO_OK);
        assert_int_equal(submit_question(&two.a, &op[3], 3, exo_port_now_ns() + SOON_NS * 1000), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[4], EXO_FOREVER), EXO_OK);
        exo_async_close(&two.a);
        exo_async_close(&two.a);
        assert_answered(&two.a, &op[1], 3); /* had come */
        assert_done(&two.a, &op[2], EXO_CANCELLED);
        assert_done(&two.a, &op[3], EXO_CANCELLED);
        assert_done(&two.a, &op[4], EXO_CANCELLED);
        assert_done(&two.a, &op[0], EXO_CANCELLED);
        assert_null(exo_async_next(&two.a));
        assert_int_equal(two.ends.a->unanswered, 0);
        assert_int_equal(exo_async_cancel(&two.a, &op[2]), EXO_NOT_FOUND);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[5], EXO_FOREVER), EXO_CLOSED);
        assert_int_equal(submit_filled(&two.a, &op[5], 0, 1, 1), EXO_CLOSED);
        drain_lane(two.ends.b);
        assert_int_equal(send_byte(two.ends.a, 0, 5), EXO_OK); /* the channel is open */
        assert_int_equal(receive_byte(two.ends.b), 5);
        close_async(&two);
    }
}

static void bad_input_is_refused_without_a_completion(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_op op[2];
        struct exo_message message;
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_REQUEST, 0, 0, 0);
        exo_u8 data[1001] = {0};
        open_async(&two, w, 8);
        two.ends.a->limit = 1000;
        init_ops(op, 2);
        assert_int_equal(exo_async_submit_send(&two.a, &op[0], &header, "x", 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        header.msg_type = EXO_MESSAGE_DATA;
        header.flags = 0x10;
        assert_int_equal(exo_async_submit_send(&two.a, &op[0], &header, "x", 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_async_submit_call(&two.a, &op[0], &header, "x", 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_async_submit_send(&two.a, &op[0], NO_HEADER, data, 1001, EXO_FOREVER), EXO_INVALID_SIZE);
        assert_int_equal(exo_async_submit_call(&two.a, &op[0], NO_HEADER, data, 1001, EXO_FOREVER), EXO_INVALID_SIZE);
        header.flags = 0;
        assert_int_equal(exo_message_new_inline(&message, &header, "x", 1), EXO_OK);
        message.header.flags = 0x20;
        assert_int_equal(exo_async_submit_message(&two.a, &op[0], &message, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_async_submit_call_message(&two.a, &op[0], &message, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_async_submit_reply(&two.a, &op[0], &header, "x", 1, EXO_FOREVER), EXO_INVALID_ARGUMENT);
        assert_null(exo_async_next(&two.a));
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_INVALID_ARGUMENT); /* in flight */
        assert_int_equal(submit_filled(&two.a, &op[0], 0, 1, 1), EXO_INVALID_ARGUMENT);
        assert_int_equal(send_byte(two.ends.b, 0, 3), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_INVALID_ARGUMENT); /* not taken */
        assert_ptr_equal(exo_async_next(&two.a), &op[0]);
        assert_int_equal(exo_op_release(&two.a, &op[0]), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(receive_byte(two.ends.b), EXO_EMPTY); /* nothing was sent */
        close_async(&two);
    }
}

struct posts {
    exo_u64 source;
    exo_u32 events;
    exo_u32 count;
};

static exo_status count_post(struct exo_notify *to, exo_u64 source, exo_u32 events)
{
    struct posts *queue = (struct posts *)(void *)to;
    queue->source = source;
    queue->events = events;
    queue->count++;
    return EXO_OK;
}

static void every_completion_is_posted_where_it_was_attached(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct posts queue = {0, 0, 0};
        struct exo_op op[3];
        open_async(&two, w, 8);
        init_ops(op, 3);
        exo_async_attach(&two.a, count_post, (struct exo_notify *)(void *)&queue, 77);
        assert_int_equal(submit_filled(&two.a, &op[0], 0, 5, 5), EXO_OK);
        assert_int_equal(queue.count, 1);
        assert_int_equal(queue.source, 77);
        assert_int_equal(queue.events, EXO_COMPLETION);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[1], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[2], EXO_FOREVER), EXO_OK);
        assert_int_equal(queue.count, 1);
        assert_int_equal(exo_async_cancel(&two.a, &op[1]), EXO_OK);
        assert_int_equal(exo_async_poll(&two.a), 1);
        assert_int_equal(queue.count, 2);
        exo_async_attach(&two.a, NULL, NULL, 0);
        exo_async_close(&two.a);
        assert_int_equal(queue.count, 2);
        close_async(&two);
    }
}

/* The queue itself, served by the owner: completions, and the channel's own progress, among other events. */
static void a_queue_of_events_tells_of_completions(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_async two;
        struct exo_notify queue;
        struct exo_notify_source sources[2];
        struct exo_waitable item;
        struct exo_event event[2];
        exo_u64 posted = 0;
        exo_u64 waited = 0;
        struct exo_op op[2];
        open_async(&two, w, 8);
        init_ops(op, 2);
        assert_int_equal(exo_notify_init(&queue, sources, 2), EXO_OK);
        exo_waitable_async(&item, &two.a);
        assert_int_equal(exo_notify_add(&queue, NULL, 7, EXO_COMPLETION, EXO_LEVEL, &posted), EXO_OK);
        assert_int_equal(exo_notify_add(&queue, &item, 8, EXO_COMPLETION, EXO_LEVEL, &waited), EXO_OK);
        exo_async_attach(&two.a, exo_notify_post, &queue, posted);
        assert_int_equal(exo_async_submit_recv(&two.a, &op[0], EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_notify_wait(&queue, event, 2, EXO_NOW), EXO_WOULD_BLOCK);
        assert_int_equal(send_byte(two.ends.b, 0, 3), EXO_OK);
        assert_true(exo_notify_wait(&queue, event, 2, EXO_FOREVER) >= 1); /* looking is what makes progress */
        assert_ptr_equal(exo_async_next(&two.a), &op[0]);
        assert_int_equal(exo_op_release(&two.a, &op[0]), EXO_OK);
        while (exo_notify_wait(&queue, event, 2, EXO_NOW) > 0) {
        }
        assert_int_equal(submit_filled(&two.a, &op[1], 0, 5, 5), EXO_OK); /* done at once, and told */
        assert_true(exo_notify_wait(&queue, event, 2, EXO_FOREVER) >= 1);
        assert_true((event[0].key == 7 || event[0].key == 8) && event[0].events == EXO_COMPLETION);
        assert_ptr_equal(exo_async_next(&two.a), &op[1]);
        exo_async_attach(&two.a, NULL, NULL, 0);
        exo_notify_fini(&queue);
        close_async(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_done_at_once_completes_at_once),
        cmocka_unit_test(sends_go_in_order_as_room_comes),
        cmocka_unit_test(what_is_urgent_passes_what_waits),
        cmocka_unit_test(messages_go_to_receives_in_order),
        cmocka_unit_test(a_new_receive_does_not_overtake_those_that_wait),
        cmocka_unit_test(zero_copy_messages_wait_and_stay_the_callers_if_unsent),
        cmocka_unit_test(a_full_arena_holds_up_its_lane_until_a_block_comes_back),
        cmocka_unit_test(a_thousand_calls_are_answered_in_any_order),
        cmocka_unit_test(a_request_keeps_its_place_among_sends_unless_too_many_are_unanswered),
        cmocka_unit_test(answers_that_another_call_took_are_not_lost),
        cmocka_unit_test(a_reply_waits_for_room_in_the_arena),
        cmocka_unit_test(requests_of_lent_messages_wait_too),
        cmocka_unit_test(at_its_deadline_an_operation_has_done_nothing),
        cmocka_unit_test(now_means_at_once_or_not_at_all),
        cmocka_unit_test(the_clock_is_read_only_for_deadlines),
        cmocka_unit_test(when_the_peer_closes_what_cannot_be_done_is_over),
        cmocka_unit_test(a_peer_that_breaks_the_protocol_ends_every_receive),
        cmocka_unit_test(a_message_that_vanishes_refuses_the_channel),
        cmocka_unit_test(closing_ends_all_that_is_in_flight),
        cmocka_unit_test(bad_input_is_refused_without_a_completion),
        cmocka_unit_test(every_completion_is_posted_where_it_was_attached),
        cmocka_unit_test(a_queue_of_events_tells_of_completions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
