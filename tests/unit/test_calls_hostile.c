/* SPDX-License-Identifier: MIT */
/*
 * Calls to a peer that breaks the protocol: what it answers falsely, and what becomes of the calls that are pending. Each
 * claim is made in one address space and over sealed segments.
 */
#include "calls_fixture.h"

/* A hostile peer answers what was never asked, twice, in another's name, or with what is no answer. */
static void false_answers_spoil_nothing_but_themselves(void **state)
{
    exo_u32 w;
    exo_u32 type;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        for (type = 0; type < 7; type++) {
            struct two_ends two;
            struct exo_call call;
            struct exo_message_header forged;
            exo_u32 i;
            open_calls(&two, w);
            assert_int_equal(ask(two.a, &call, 1), EXO_OK);
            for (i = 0; i < CALLS; i++) { /* numbers of no pending call */
                forged = exo_message_header_new(EXO_MESSAGE_RESPONSE, 0, 0, call.id + 1 + i * CALLS * 3);
                assert_int_equal(exo_message_send_data(&two.b->tx[EXO_LANE_ANSWER], &forged, "x", 1), EXO_OK);
            }
            assert_int_equal(exo_call_poll(two.a, &call), EXO_EMPTY);
            assert_int_equal(two.a->late, CALLS);
            forged = exo_message_header_new((exo_u8)(type % 5), 0, 0, call.id);
            forged.flags = type == 5 ? 0x20 : 0;
            assert_int_equal(exo_message_send_data(&two.b->tx[EXO_LANE_ANSWER], &forged, "x", 1), EXO_OK);
            if (type == EXO_MESSAGE_RESPONSE || type == EXO_MESSAGE_ERROR) {
                assert_int_equal(exo_call_poll(two.a, &call), EXO_OK);
            } else {
                assert_int_equal(exo_call_poll(two.a, &call), EXO_CORRUPT);
                assert_int_equal(receive_byte(two.a), EXO_CORRUPT);
            }
            assert_int_equal(two.a->unanswered, 0);
            close_two(&two);
        }
    }
}

static void breaks_the_protocol(struct exo_channel *channel)
{
    struct exo_message_header forged = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    forged.flags = 0x20; /* of no meaning */
    assert_int_equal(exo_message_send_data(&channel->tx[EXO_LANE_MAIN], &forged, "x", 1), EXO_OK);
}

/* A refused channel finds all of its calls all the same. */
static void calls_pending_at_a_breach_end_one_by_one(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_call call[CALLS];
        struct exo_call another;
        open_calls(&two, w);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(ask(two.a, &call[i], i), EXO_OK);
        }
        breaks_the_protocol(two.b);
        assert_int_equal(receive_byte(two.a), EXO_CORRUPT);
        assert_int_equal(ask(two.a, &another, 0), EXO_FULL); /* they are pending still */
        for (i = 0; i < CALLS; i++) {
            if (i % 2 == 0) {
                assert_int_equal(exo_call_cancel(two.a, &call[i]), EXO_OK);
                assert_int_equal(exo_call_cancel(two.a, &call[i]), EXO_NOT_FOUND);
                assert_int_equal(call[i].status, EXO_CANCELLED);
            } else {
                assert_int_equal(exo_call_wait(two.a, &call[i]), EXO_CORRUPT);
            }
            assert_int_equal(two.a->unanswered, CALLS - 1 - i);
        }
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(two.a->pending[i].id, 0); /* none is left that names a call which is gone */
        }
        assert_int_equal(ask(two.a, &another, 0), EXO_OK); /* the other direction goes on */
        assert_int_equal(exo_call_poll(two.a, &another), EXO_CORRUPT);
        close_two(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(false_answers_spoil_nothing_but_themselves),
        cmocka_unit_test(calls_pending_at_a_breach_end_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
