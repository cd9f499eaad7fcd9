/* SPDX-License-Identifier: MIT */
/*
 * The blocking calls alone: what they answer at once, and when a deadline ends them.
 */
#include "sleep_fixture.h"

/* Every blocking call, each with the status of its trying form behind it. */
static exo_i64 (*const receiving[])(struct call *) = {call_recv, call_recv_inline, call_view,
                                                      call_wait_readable};
static exo_i64 (*const sending[])(struct call *) = {call_send, call_send_loan, call_loan,
                                                    call_wait_writable};
#define CALLS 4

static const struct variant polled = {EXO_SPSC | EXO_POLLED, EXO_THREADS, 0};

static struct call call;

/* A ring with nothing to receive; with no free slot and no free block. */
static void open_empty(struct pair *pair, const struct variant *variant)
{
    open_sized(pair, variant, 2, ARENA);
    memset(&call, 0, sizeof(call));
    call.rx = &pair->rx;
    call.tx = &pair->tx;
    call.size = 1;
}

static void open_full(struct pair *pair, const struct variant *variant)
{
    struct exo_loaned rest;
    open_empty(pair, variant);
    assert_int_equal(exo_loan(&pair->tx, 100, &call.loan), EXO_OK);
    assert_int_equal(exo_loan(&pair->tx, ARENA - BLOCK, &rest), EXO_OK);
    assert_int_equal(exo_send_inline(&pair->tx, "a", 1), EXO_OK);
    assert_int_equal(exo_send_inline(&pair->tx, "b", 1), EXO_OK);
}

static exo_i64 make_with(exo_i64 (*make)(struct call *), exo_u64 deadline_ns)
{
    call.deadline_ns = deadline_ns;
    return make(&call);
}

static exo_bool is_polled(const struct variant *variant)
{
    return (variant->mode & EXO_MODE_POLLED) != 0;
}

static void not_waiting_answers_would_block(void **state)
{
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        open_empty(&pair, &variants[v]);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(receiving[i], EXO_NOW), EXO_WOULD_BLOCK);
        }
        close_pair(&pair);
        open_full(&pair, &variants[v]);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(sending[i], EXO_NOW), EXO_WOULD_BLOCK);
        }
        assert_non_null(call.loan.data);
        close_pair(&pair);
    }
}

static void past_deadline_answers_timeout(void **state)
{
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        exo_status expected = is_polled(&variants[v]) ? EXO_NOT_SUPPORTED : EXO_TIMEOUT;
        open_empty(&pair, &variants[v]);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(receiving[i], 1), expected);
            assert_int_equal(make_with(receiving[i], exo_port_now_ns()), expected);
        }
        close_pair(&pair);
        open_full(&pair, &variants[v]);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(sending[i], 1), expected);
            assert_int_equal(make_with(sending[i], exo_port_now_ns()), expected);
        }
        /* Nothing was announced that a waker would have to answer. */
        assert_int_equal(exo_load32(&pair.rx.rx->sync.waiters, EXO_RELAXED), 0);
        assert_int_equal(exo_load32(&pair.tx.tx->sync.waiters, EXO_RELAXED), 0);
        close_pair(&pair);
    }
}

/* Whatever the deadline: what can be done is done. */
static void what_is_possible_is_done_whatever_the_deadline(void **state)
{
    static const exo_u64 deadlines[] = {EXO_NOW, 1, EXO_FOREVER};
    size_t v;
    size_t d;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        for (d = 0; d < 3; d++) {
            struct pair pair;
            open_empty(&pair, &variants[v]);
            call.bytes[0] = 'x';
            assert_int_equal(make_with(call_wait_writable, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_send, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_loan, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_send_loan, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_wait_readable, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_recv_inline, deadlines[d]), 1);
            assert_int_equal(call.bytes[0], 'x');
            assert_int_equal(make_with(call_recv_inline, deadlines[d]), EXO_TYPE_MISMATCH);
            assert_int_equal(make_with(call_view, deadlines[d]), EXO_OK);
            assert_int_equal(exo_release(&pair.rx, &call.view), EXO_OK);
            call.size = 57;
            assert_int_equal(make_with(call_send, deadlines[d]), EXO_OK);
            assert_int_equal(make_with(call_recv, deadlines[d]), 57);
            close_pair(&pair);
        }
    }
}

static void deadline_is_waited_for_and_not_much_longer(void **state)
{
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        if (is_polled(&variants[v])) {
            continue;
        }
        for (i = 0; i < 2 * CALLS; i++) {
            exo_u64 deadline;
            exo_u64 end;
            (i < CALLS ? open_empty : open_full)(&pair, &variants[v]);
            deadline = exo_port_now_ns() + 5 * MILLISECOND;
            assert_int_equal(make_with(i < CALLS ? receiving[i] : sending[i - CALLS], deadline),
                             EXO_TIMEOUT);
            end = exo_port_now_ns();
            assert_true(end >= deadline);
            assert_true(end < deadline + 5000 * MILLISECOND);
            close_pair(&pair);
        }
    }
}

static void polled_ring_does_not_wait(void **state)
{
    struct pair pair;
    size_t i;
    (void)state;
    open_empty(&pair, &polled);
    for (i = 0; i < CALLS; i++) {
        assert_int_equal(make_with(receiving[i], EXO_FOREVER), EXO_NOT_SUPPORTED);
        assert_int_equal(make_with(receiving[i], EXO_NOW), EXO_WOULD_BLOCK);
    }
    close_pair(&pair);
    open_full(&pair, &polled);
    for (i = 0; i < CALLS; i++) {
        assert_int_equal(make_with(sending[i], EXO_FOREVER), EXO_NOT_SUPPORTED);
        assert_int_equal(make_with(sending[i], EXO_NOW), EXO_WOULD_BLOCK);
    }
    close_pair(&pair);
}

static void misuse_is_answered_without_waiting(void **state)
{
    struct pair pair;
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct exo_loaned sent;
        open_full(&pair, &variants[v]);
        call.size = ARENA + 1;
        assert_int_equal(make_with(call_send, EXO_FOREVER), EXO_INVALID_SIZE);
        assert_int_equal(make_with(call_loan, EXO_FOREVER), EXO_INVALID_SIZE);
        sent = call.loan;
        call.loan.off = ARENA;
        assert_int_equal(make_with(call_send_loan, EXO_FOREVER), EXO_INVALID_SIZE);
        assert_int_equal(exo_loan_cancel(&pair.tx, &sent), EXO_OK);
        assert_int_equal(make_with(call_send_loan, EXO_FOREVER), EXO_NOT_FOUND);
        assert_int_equal(exo_recv_blocking(&pair.rx, NULL, 0, EXO_FOREVER), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(exo_recv_inline_blocking(&pair.rx, NULL, 0, EXO_FOREVER),
                         EXO_BUFFER_TOO_SMALL);
        assert_int_equal(make_with(call_recv, EXO_FOREVER), 1);
        close_pair(&pair);
    }
}

static void closed_peer_is_reported_without_waiting_after_the_last_message(void **state)
{
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        open_empty(&pair, &variants[v]);
        assert_int_equal(exo_send_inline(&pair.tx, "a", 1), EXO_OK);
        assert_int_equal(exo_sender_close(&pair.tx), EXO_OK);
        assert_int_equal(make_with(call_wait_readable, EXO_FOREVER), EXO_OK);
        assert_int_equal(make_with(call_recv, EXO_FOREVER), 1);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(receiving[i], EXO_FOREVER), EXO_CLOSED);
            assert_int_equal(make_with(receiving[i], EXO_NOW), EXO_CLOSED);
            assert_int_equal(make_with(sending[i], EXO_FOREVER),
                             sending[i] == call_send_loan ? EXO_NOT_FOUND : EXO_CLOSED);
        }
        close_pair(&pair);
        open_full(&pair, &variants[v]);
        assert_int_equal(exo_receiver_close(&pair.rx), EXO_OK);
        for (i = 0; i < CALLS; i++) {
            assert_int_equal(make_with(sending[i], EXO_FOREVER), EXO_CLOSED);
            assert_int_equal(make_with(receiving[i], EXO_FOREVER), EXO_CLOSED);
        }
        close_pair(&pair);
    }
}

static exo_bool fences_are_asymmetric(const struct pair *pair)
{
    return !pair->rx.sleeper.fenced;
}

/* A receiver that sleeps each time asks its sender to fence; one that finds its messages stops asking. */
static void sleeping_often_asks_for_fences_and_finding_messages_stops_it(void **state)
{
    struct pair pair;
    exo_u32 i;
    (void)state;
    open_empty(&pair, &variants[0]);
    if (!fences_are_asymmetric(&pair)) {
        skip();
    }
    for (i = 1; i < 10; i++) {
        exo_u32 waiters;
        assert_int_equal(make_with(call_recv, exo_port_now_ns() + MILLISECOND), EXO_TIMEOUT);
        waiters = exo_load32(&pair.rx.rx->sync.waiters, EXO_RELAXED);
        assert_int_equal(waiters & EXO_WAIT_ASLEEP, 0);
        assert_int_equal(waiters & EXO_WAIT_FENCE, i < EXO_PARKED_OFTEN ? 0 : EXO_WAIT_FENCE);
    }
    for (i = 0; i < 2 * EXO_PARKED_OFTEN; i++) {
        assert_int_not_equal(exo_load32(&pair.rx.rx->sync.waiters, EXO_RELAXED) & EXO_WAIT_FENCE, 0);
        assert_int_equal(exo_send_inline(&pair.tx, "a", 1), EXO_OK);
        assert_int_equal(make_with(call_recv, EXO_FOREVER), 1);
    }
    assert_int_equal(exo_load32(&pair.rx.rx->sync.waiters, EXO_RELAXED) & EXO_WAIT_FENCE, 0);
    assert_false(pair.rx.sleeper.asks);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_waiting_answers_would_block),
        cmocka_unit_test(past_deadline_answers_timeout),
        cmocka_unit_test(what_is_possible_is_done_whatever_the_deadline),
        cmocka_unit_test(deadline_is_waited_for_and_not_much_longer),
        cmocka_unit_test(polled_ring_does_not_wait),
        cmocka_unit_test(misuse_is_answered_without_waiting),
        cmocka_unit_test(closed_peer_is_reported_without_waiting_after_the_last_message),
        cmocka_unit_test(sleeping_often_asks_for_fences_and_finding_messages_stops_it),
    };
    (void)alarm(100); /* a call that never returns fails */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
