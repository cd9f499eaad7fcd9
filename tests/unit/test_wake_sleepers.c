/* SPDX-License-Identifier: MIT */
/*
 * A thread that really sleeps is woken by everything that gives it what it waits for.
 */
#include "sleep_fixture.h"

static struct call call;
static struct call other;

static exo_u32 *receivers_word(struct pair *pair)
{
    return &pair->rx.rx->sync.waiters;
}
static exo_u32 *senders_word(struct pair *pair)
{
    return &pair->tx.tx->sync.waiters;
}

/* A ring of two slots and one arena; skips polled rings, where nobody sleeps. */
static exo_bool open_for_sleep(struct pair *pair, const struct variant *variant)
{
    if ((variant->mode & EXO_MODE_POLLED) != 0) {
        return EXO_FALSE;
    }
    open_sized(pair, variant, 2, ARENA);
    memset(&call, 0, sizeof(call));
    memset(&other, 0, sizeof(other));
    call.tx = &pair->tx;
    call.rx = &pair->rx;
    call.size = other.size = 1;
    return EXO_TRUE;
}

/* What gives a receiver something, and what each call then answers. */
static void give_inline(struct pair *pair)
{
    assert_int_equal(exo_send_inline(&pair->tx, "a", 1), EXO_OK);
}
static void give_big(struct pair *pair)
{
    assert_int_equal(exo_send(&pair->tx, call.bytes, 1000), EXO_OK);
}
static void give_loan(struct pair *pair)
{
    send_filled(&pair->tx, 100, 1);
}
static void give_bulk(struct pair *pair)
{
    assert_int_equal(exo_send_bulk(&pair->tx, "ab", 1, 2), 2);
}
static void give_burst(struct pair *pair)
{
    assert_int_equal(exo_send_burst(&pair->tx, "a", 1, 1), 1);
}
static void give_loans(struct pair *pair)
{
    struct exo_loaned lot[2] = {filled_loan(&pair->tx, 100, 1), filled_loan(&pair->tx, 100, 2)};
    assert_int_equal(exo_send_loans_bulk(&pair->tx, lot, 2), 2);
}
static void give_commit(struct pair *pair)
{
    struct exo_reserved reserved = {NULL, 0, 0};
    assert_int_equal(exo_reserve(&pair->tx, 1, &reserved), EXO_OK);
    assert_int_equal(exo_commit(&pair->tx, &reserved, 1), EXO_OK);
}
static void give_end(struct pair *pair)
{
    assert_int_equal(exo_sender_close(&pair->tx), EXO_OK);
}

static void sleeping_receiver_is_woken_by_every_way_to_send(void **state)
{
    static const struct {
        void (*give)(struct pair *pair);
        exo_i64 (*make)(struct call *call);
        exo_i64 result;
    } ways[] = {
        {give_inline, call_recv, 1},       {give_inline, call_recv_inline, 1},
        {give_inline, call_view, EXO_OK},  {give_inline, call_wait_readable, EXO_OK},
        {give_big, call_recv, 1000},       {give_loan, call_view, EXO_OK},
        {give_loan, call_recv_inline, EXO_TYPE_MISMATCH},
        {give_bulk, call_recv, 1},         {give_burst, call_recv_inline, 1},
        {give_loans, call_view, EXO_OK},   {give_commit, call_recv, 1},
        {give_end, call_recv, EXO_CLOSED}, {give_end, call_view, EXO_CLOSED},
        {give_end, call_wait_readable, EXO_CLOSED},
    };
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
            exo_u32 event;
            if (!open_for_sleep(&pair, &variants[v])) {
                continue;
            }
            call_fall_asleep(&call, ways[i].make, receivers_word(&pair));
            event = exo_load32(&pair.tx.tx->sync.event, EXO_RELAXED);
            ways[i].give(&pair);
            assert_int_equal(call_result(&call), ways[i].result);
            /* One change of the event word, and so one system call, whatever was sent. */
            assert_int_equal(exo_load32(&pair.tx.tx->sync.event, EXO_RELAXED), event + 1);
            close_pair(&pair);
        }
    }
}

/* What gives a sender a slot of a full ring: two inline messages are in it. */
static void take_inline(struct pair *pair)
{
    exo_u8 byte;
    assert_int_equal(exo_recv_inline(&pair->rx, &byte, 1), 1);
}
static void take_view(struct pair *pair)
{
    struct exo_viewed view;
    assert_int_equal(exo_view(&pair->rx, &view), EXO_OK);
}
static void take_burst(struct pair *pair)
{
    exo_u8 bytes[2];
    assert_int_equal(exo_recv_burst(&pair->rx, bytes, 1, 2, NULL), 2);
}
static void take_bulk(struct pair *pair)
{
    exo_u8 bytes[2];
    assert_int_equal(exo_recv_bulk(&pair->rx, bytes, 1, 2, NULL), 2);
}
static void take_peeked(struct pair *pair)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    assert_int_equal(exo_peek(&pair->rx, &peeked), EXO_OK);
    assert_int_equal(exo_consume(&pair->rx, &peeked), EXO_OK);
}
static void take_end(struct pair *pair)
{
    assert_int_equal(exo_receiver_close(&pair->rx), EXO_OK);
}

static void sleeping_sender_is_woken_by_every_way_to_receive(void **state)
{
    static const struct {
        void (*take)(struct pair *pair);
        exo_i64 (*make)(struct call *call);
        exo_i64 result;
    } ways[] = {
        {take_inline, call_send, EXO_OK},    {take_inline, call_wait_writable, EXO_OK},
        {take_inline, call_send_loan, EXO_OK}, {take_view, call_send, EXO_OK},
        {take_burst, call_send, EXO_OK},     {take_bulk, call_send_loan, EXO_OK},
        {take_peeked, call_send, EXO_OK},    {take_end, call_send, EXO_CLOSED},
        {take_end, call_send_loan, EXO_CLOSED}, {take_end, call_wait_writable, EXO_CLOSED},
    };
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
            exo_u32 event;
            if (!open_for_sleep(&pair, &variants[v])) {
                continue;
            }
            give_inline(&pair);
            give_inline(&pair);
            call.loan = filled_loan(&pair.tx, 100, 1);
            call_fall_asleep(&call, ways[i].make, senders_word(&pair));
            event = exo_load32(&pair.rx.rx->sync.event, EXO_RELAXED);
            ways[i].take(&pair);
            assert_int_equal(call_result(&call), ways[i].result);
            assert_int_equal(exo_load32(&pair.rx.rx->sync.event, EXO_RELAXED), event + 1);
            close_pair(&pair);
        }
    }
}

static void sender_that_waits_for_a_block_is_woken_by_its_release_or_the_end(void **state)
{
    struct pair pair;
    struct exo_viewed view;
    size_t v;
    (void)state;
    for (v = 0; v < 2 * VARIANTS; v++) {
        if (!open_for_sleep(&pair, &variants[v / 2])) {
            continue;
        }
        send_filled(&pair.tx, ARENA, 1);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        call.size = 100;
        call_fall_asleep(&call, v % 2 == 0 ? call_loan : call_send, senders_word(&pair));
        assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
        assert_int_equal(call_result(&call), EXO_OK);
        close_pair(&pair);
        (void)open_for_sleep(&pair, &variants[v / 2]);
        send_filled(&pair.tx, ARENA, 1);
        call.size = 100;
        call_fall_asleep(&call, v % 2 == 0 ? call_loan : call_send, senders_word(&pair));
        assert_int_equal(exo_receiver_close(&pair.rx), EXO_OK);
        assert_int_equal(call_result(&call), EXO_CLOSED);
        close_pair(&pair);
    }
}

/* Two senders sleep, each for a block of its own arena: the one whose block comes back must be woken,
 * whichever fell asleep first. */
static void release_wakes_the_sender_whose_block_it_is(void **state)
{
    struct pair pair;
    struct exo_viewed view[2];
    size_t v;
    (void)state;
    for (v = 0; v < 2 * VARIANTS; v++) {
        exo_u32 first = v % 2;
        if ((variants[v / 2].mode & EXO_MODE_MP) == 0 || !open_for_sleep(&pair, &variants[v / 2])) {
            continue;
        }
        open_second(&pair, &variants[v / 2]);
        other.tx = &pair.second;
        send_filled(&pair.tx, ARENA, 1);
        send_filled(&pair.second, ARENA, 2);
        assert_int_equal(exo_view_burst(&pair.rx, view, 2), 2);
        call_fall_asleep(&call, call_loan, senders_word(&pair));
        call_fall_asleep(&other, call_loan, senders_word(&pair));
        assert_int_equal(exo_release(&pair.rx, &view[first]), EXO_OK);
        assert_int_equal(call_result(first == 0 ? &call : &other), EXO_OK);
        assert_int_equal(exo_release(&pair.rx, &view[1 - first]), EXO_OK);
        assert_int_equal(call_result(first == 0 ? &other : &call), EXO_OK);
        close_pair(&pair);
    }
}

/* One sender sleeps for a block, another for a slot: a slot wakes the one that can use it. */
static void free_slot_wakes_the_sender_that_waits_for_a_slot(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        if ((variants[v].mode & EXO_MODE_MP) == 0 || !open_for_sleep(&pair, &variants[v])) {
            continue;
        }
        open_second(&pair, &variants[v]);
        other.tx = &pair.second;
        assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_OK);
        give_inline(&pair);
        give_inline(&pair);
        call_fall_asleep(&call, call_loan, senders_word(&pair));
        call_fall_asleep(&other, call_send, senders_word(&pair));
        take_inline(&pair);
        assert_int_equal(call_result(&other), EXO_OK);
        take_end(&pair);
        assert_int_equal(call_result(&call), EXO_CLOSED);
        close_pair(&pair);
    }
}

/* Three consumers asleep, a bulk of two and a single message: each finds one, none stays asleep. */
/* Of several senders each wakes all: it may have closed a gap. */
static void as_many_consumers_wake_as_there_are_messages(void **state)
{
    static struct call calls[3];
    struct exo_receiver more[2];
    struct pair pair;
    exo_u64 until;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        if ((variants[v].mode & EXO_MPMC) != EXO_SPMC || !open_for_sleep(&pair, &variants[v])) {
            continue;
        }
        assert_int_equal(exo_ring_receiver(&pair.ring, &more[0]), EXO_OK);
        assert_int_equal(exo_ring_receiver(&pair.ring, &more[1]), EXO_OK);
        for (i = 0; i < 3; i++) {
            calls[i].rx = i == 2 ? &pair.rx : &more[i];
            call_fall_asleep(&calls[i], call_recv, receivers_word(&pair));
        }
        give_bulk(&pair);
        until = generously();
        while (exo_load32(receivers_word(&pair), EXO_RELAXED) != EXO_WAIT_STEP) {
            assert_true(exo_port_now_ns() < until);
            (void)sched_yield();
        }
        give_inline(&pair);
        for (i = 0; i < 3; i++) {
            assert_int_equal(call_result(&calls[i]), 1);
        }
        assert_int_equal(exo_load32(receivers_word(&pair), EXO_RELAXED), 0);
        close_pair(&pair);
    }
}

/* A sleeper that takes its time to wake up, or is dead, costs one system call and not one for each message. */
static void one_announcement_is_answered_once(void **state)
{
    struct pair pair;
    (void)state;
    assert_true(open_for_sleep(&pair, &variants[0]));
    exo_store32(receivers_word(&pair), EXO_WAIT_ASLEEP | EXO_WAIT_STEP, EXO_RELAXED);
    give_inline(&pair);
    give_inline(&pair);
    take_burst(&pair);
    give_inline(&pair);
    assert_int_equal(exo_load32(&pair.tx.tx->sync.event, EXO_RELAXED), 1);
    exo_store32(receivers_word(&pair), EXO_WAIT_ASLEEP | EXO_WAIT_FENCE | 2 * EXO_WAIT_STEP,
                EXO_RELAXED);
    give_inline(&pair);
    take_burst(&pair);
    give_inline(&pair);
    assert_int_equal(exo_load32(&pair.tx.tx->sync.event, EXO_RELAXED), 2);
    close_pair(&pair);
}

/* While nobody sleeps nothing but the message is written. */
static void nobody_asleep_costs_no_system_call(void **state)
{
    struct pair pair;
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        if (!open_for_sleep(&pair, &variants[v])) {
            continue;
        }
        call_fall_asleep(&call, call_recv, receivers_word(&pair));
        give_inline(&pair);
        assert_int_equal(call_result(&call), 1);
        for (i = 0; i < 10; i++) {
            give_inline(&pair);
            give_inline(&pair);
            take_burst(&pair);
        }
        assert_int_equal(exo_load32(&pair.tx.tx->sync.event, EXO_RELAXED), 1);
        assert_int_equal(exo_load32(&pair.rx.rx->sync.event, EXO_RELAXED), 0);
        close_pair(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeping_receiver_is_woken_by_every_way_to_send),
        cmocka_unit_test(sleeping_sender_is_woken_by_every_way_to_receive),
        cmocka_unit_test(sender_that_waits_for_a_block_is_woken_by_its_release_or_the_end),
        cmocka_unit_test(release_wakes_the_sender_whose_block_it_is),
        cmocka_unit_test(free_slot_wakes_the_sender_that_waits_for_a_slot),
        cmocka_unit_test(as_many_consumers_wake_as_there_are_messages),
        cmocka_unit_test(one_announcement_is_answered_once),
        cmocka_unit_test(nobody_asleep_costs_no_system_call),
    };
    (void)alarm(100); /* a sleeper that is never woken fails */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
