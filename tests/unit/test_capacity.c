/* SPDX-License-Identifier: MIT */
/*
 * Capacity is exact: what the receiver has taken can be sent again at once, not one slot less and not
 * one more, by every way of taking and sending; and a sender asleep on a full ring learns of the first
 * slot that is taken.
 */
#include "ring_fixture.h"

#define SLOTS_MOST 1024u

/* A ring kept full, and what it must hold. */
struct full_ring {
    struct fixture f;
    exo_u64 sent;
    exo_u64 received;
};

static void open_full(struct full_ring *full, const struct exo_ring_config *config)
{
    fixture_open(&full->f, config);
    full->received = 0;
    full->sent = fill_ring(&full->f.tx, 0);
    assert_int_equal(full->sent, config->slots);
}

static void take(struct full_ring *full, exo_u32 count)
{
    for (; count != 0; count--) {
        exo_i64 got = recv_number(&full->f.rx);
        if (got != (exo_i64)full->received) {
            assert_int_equal(got, full->received);
        }
        full->received++;
    }
}

static void exactly_k_sends_succeed_after_k_were_taken(struct exo_ring_config config)
{
    for (config.slots = 2; config.slots <= SLOTS_MOST; config.slots *= 2) {
        struct full_ring full;
        exo_u32 k;
        open_full(&full, &config);
        for (k = 0; k <= config.slots; k++) {
            exo_u32 sent;
            take(&full, k);
            sent = fill_ring(&full.f.tx, full.sent);
            assert_int_equal(sent, k);
            full.sent += sent;
        }
        take(&full, config.slots);
        assert_int_equal(recv_number(&full.f.rx), EXO_EMPTY);
        fixture_close(&full.f);
    }
}

static void exactly_k_sends_succeed_after_a_lot_of_k_was_taken(struct exo_ring_config config)
{
    exo_u64 numbers[64];
    for (config.slots = 2; config.slots <= 64; config.slots *= 2) {
        struct full_ring full;
        exo_u32 k;
        open_full(&full, &config);
        for (k = 1; k <= config.slots; k++) {
            exo_i64 got = k % 2 == 0 ? exo_recv_burst(&full.f.rx, numbers, 8, k, NULL)
                                     : exo_recv_bulk(&full.f.rx, numbers, 8, k, NULL);
            exo_u32 sent;
            assert_int_equal(got, k);
            assert_int_equal(numbers[k - 1], full.received + k - 1);
            full.received += k;
            sent = fill_ring(&full.f.tx, full.sent);
            assert_int_equal(sent, k);
            full.sent += sent;
        }
        fixture_close(&full.f);
    }
}

static void a_lot_of_exactly_k_fits_after_k_were_taken(struct exo_ring_config config)
{
    /* 32 bytes, so that no two share a slot */
    static exo_u64 items[64][4];
    exo_u64 got[4];
    for (config.slots = 2; config.slots <= 64; config.slots *= 2) {
        struct fixture f;
        exo_u32 k;
        fixture_open(&f, &config);
        assert_int_equal(exo_send_bulk(&f.tx, items, 32, config.slots), config.slots);
        for (k = 1; k <= config.slots; k++) {
            exo_u32 i;
            for (i = 0; i < k; i++) {
                assert_int_equal(exo_recv_inline(&f.rx, got, 32), 32);
            }
            if (!is_owned(&config)) { /* there a lot that does not fit uses slots up */
                assert_int_equal(exo_send_bulk(&f.tx, items, 32, k + 1),
                                 k == config.slots ? EXO_INVALID_SIZE : EXO_FULL);
            }
            assert_int_equal(exo_send_bulk(&f.tx, items, 32, k), k);
            assert_int_equal(exo_send_inline(&f.tx, items, 32), EXO_FULL);
        }
        fixture_close(&f);
    }
}

static void exactly_k_reservations_succeed_after_k_were_consumed(struct exo_ring_config config)
{
    struct exo_reserved reserved[17];
    for (config.slots = 2; config.slots <= 16; config.slots *= 2) {
        struct full_ring full;
        exo_u32 k;
        open_full(&full, &config);
        for (k = 0; k <= config.slots; k++) {
            exo_u32 i;
            for (i = 0; i < k; i++) {
                struct exo_peeked peeked = {NULL, 0, 0};
                assert_int_equal(exo_peek(&full.f.rx, &peeked), EXO_OK);
                assert_int_equal(exo_consume(&full.f.rx, &peeked), EXO_OK);
            }
            for (i = 0; i < k; i++) {
                assert_int_equal(exo_reserve(&full.f.tx, 8, &reserved[i]), EXO_OK);
            }
            assert_int_equal(exo_reserve(&full.f.tx, 8, &reserved[16]), EXO_FULL);
            for (i = 0; i < k; i++) {
                assert_int_equal(exo_commit(&full.f.tx, &reserved[i], 8), EXO_OK);
            }
        }
        fixture_close(&full.f);
    }
}

static void several_senders_share_exactly_what_was_taken(struct exo_ring_config config)
{
    struct full_ring full;
    struct exo_sender more[3];
    exo_u32 k;
    exo_u32 i;
    if (!has_mp(&config)) {
        return;
    }
    open_full(&full, &config);
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_ring_sender(&full.f.ring, &more[i]), EXO_OK);
    }
    for (k = 0; k <= 8; k++) {
        take(&full, k);
        for (i = 0; i < k; i++) {
            assert_int_equal(send_number(i % 4 == 3 ? &full.f.tx : &more[i % 4], full.sent++),
                             EXO_OK);
        }
        for (i = 0; i < 3; i++) {
            assert_int_equal(send_number(&more[i], 99), EXO_FULL);
        }
        assert_int_equal(send_number(&full.f.tx, 99), EXO_FULL);
    }
    fixture_close(&full.f);
}

static void what_several_receivers_took_adds_up(struct exo_ring_config config)
{
    struct full_ring full;
    struct exo_receiver second;
    exo_u32 k;
    if (!has_mc(&config)) {
        return;
    }
    open_full(&full, &config);
    assert_int_equal(exo_ring_receiver(&full.f.ring, &second), EXO_OK);
    for (k = 0; k <= 8; k++) {
        exo_u32 i;
        for (i = 0; i < k; i++) {
            assert_int_equal(recv_number(i % 3 == 0 ? &second : &full.f.rx), full.received++);
        }
        assert_int_equal(fill_ring(&full.f.tx, full.sent), k);
        full.sent += k;
    }
    fixture_close(&full.f);
}

static void a_slot_looked_at_is_not_yet_taken(struct exo_ring_config config)
{
    struct full_ring full;
    struct exo_peeked peeked = {NULL, 0, 0};
    open_full(&full, &config);
    assert_int_equal(exo_peek(&full.f.rx, &peeked), EXO_OK);
    assert_int_equal(send_number(&full.f.tx, 99), EXO_FULL);
    assert_int_equal(exo_consume(&full.f.rx, &peeked), EXO_OK);
    assert_int_equal(fill_ring(&full.f.tx, full.sent), 1);
    fixture_close(&full.f);
}

/* The ways of taking one message. */
static void take_inline(struct full_ring *full)
{
    take(full, 1);
}
static void take_burst(struct full_ring *full)
{
    exo_u64 number;
    assert_int_equal(exo_recv_burst(&full->f.rx, &number, 8, 1, NULL), 1);
}
static void take_bulk(struct full_ring *full)
{
    exo_u64 number;
    assert_int_equal(exo_recv_bulk(&full->f.rx, &number, 8, 1, NULL), 1);
}
static void take_in_place(struct full_ring *full)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    assert_int_equal(exo_peek(&full->f.rx, &peeked), EXO_OK);
    assert_int_equal(exo_consume(&full->f.rx, &peeked), EXO_OK);
}
static void take_view(struct full_ring *full)
{
    struct exo_viewed view;
    assert_int_equal(exo_view(&full->f.rx, &view), EXO_OK);
    assert_int_equal(exo_release(&full->f.rx, &view), EXO_OK);
}

static void *send_one(void *argument)
{
    struct sleeping_thread *self = (struct sleeping_thread *)argument;
    thread_started(self);
    self->result = exo_send_blocking(self->tx, &self->value, 8, in_seconds(10));
    return NULL;
}

static void a_sender_asleep_on_a_full_ring_wakes_for_the_first_slot(struct exo_ring_config config)
{
    static void (*const ways[])(struct full_ring *) = {take_inline, take_burst, take_bulk,
                                                       take_in_place, take_view};
    exo_size i;
    if (is_polled(&config)) {
        return;
    }
    for (i = 0; i < 2 * COUNT(ways); i++) {
        struct full_ring full;
        struct sleeping_thread thread = {0};
        config.slots = i < COUNT(ways) ? 2 : 1024;
        open_full(&full, &config);
        thread.tx = &full.f.tx;
        thread_start(&thread, send_one);
        assert_true(fell_asleep(&thread, &full.f.tx.tx->sync.waiters));
        ways[i % COUNT(ways)](&full);
        assert_int_equal(thread_join(&thread), EXO_OK);
        assert_int_equal(send_number(&full.f.tx, 99), EXO_FULL); /* it got the slot */
        fixture_close(&full.f);
    }
}

static void as_many_sleeping_senders_wake_as_slots_are_taken(struct exo_ring_config config)
{
    struct full_ring full;
    struct exo_sender more[3];
    struct sleeping_thread threads[3] = {{0}, {0}, {0}};
    exo_u64 numbers[3];
    exo_u32 i;
    if (is_polled(&config) || !has_mp(&config)) {
        return;
    }
    open_full(&full, &config);
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_ring_sender(&full.f.ring, &more[i]), EXO_OK);
        threads[i].tx = &more[i];
        thread_start(&threads[i], send_one);
        assert_true(fell_asleep(&threads[i], &full.f.tx.tx->sync.waiters));
    }
    assert_int_equal(exo_recv_burst(&full.f.rx, numbers, 8, 3, NULL), 3);
    for (i = 0; i < 3; i++) {
        assert_int_equal(thread_join(&threads[i]), EXO_OK);
    }
    assert_int_equal(send_number(&full.f.tx, 99), EXO_FULL);
    fixture_close(&full.f);
}

static void
a_sender_asleep_on_a_full_ring_wakes_when_the_receiver_closes(struct exo_ring_config config)
{
    struct full_ring full;
    struct sleeping_thread thread = {0};
    if (is_polled(&config)) {
        return;
    }
    open_full(&full, &config);
    thread.tx = &full.f.tx;
    thread_start(&thread, send_one);
    assert_true(fell_asleep(&thread, &full.f.tx.tx->sync.waiters));
    assert_int_equal(exo_receiver_close(&full.f.rx), EXO_OK);
    assert_int_equal(thread_join(&thread), EXO_CLOSED);
    fixture_close(&full.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(exactly_k_sends_succeed_after_k_were_taken),
        IN_EVERY_KIND(exactly_k_sends_succeed_after_a_lot_of_k_was_taken),
        IN_EVERY_KIND(a_lot_of_exactly_k_fits_after_k_were_taken),
        IN_EVERY_KIND(exactly_k_reservations_succeed_after_k_were_consumed),
        IN_EVERY_KIND(several_senders_share_exactly_what_was_taken),
        IN_EVERY_KIND(what_several_receivers_took_adds_up),
        IN_EVERY_KIND(a_slot_looked_at_is_not_yet_taken),
        IN_EVERY_KIND(a_sender_asleep_on_a_full_ring_wakes_for_the_first_slot),
        IN_EVERY_KIND(as_many_sleeping_senders_wake_as_slots_are_taken),
        IN_EVERY_KIND(a_sender_asleep_on_a_full_ring_wakes_when_the_receiver_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
