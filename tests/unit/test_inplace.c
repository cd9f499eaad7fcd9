/* SPDX-License-Identifier: MIT */
/* Messages written and read in their slots: reserve, commit, abort; peek, consume. */
#include "ring_fixture.h"

/* Where nothing of the library's ever stood. */
static const struct exo_reserved nothing_reserved = {NULL, 0, 0};
static const struct exo_peeked nothing_peeked = {NULL, 0, 0};

static void what_is_written_in_place_arrives_at_every_size(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    exo_u8 got[EXO_INLINE_THRESHOLD];
    struct fixture f;
    exo_size len;
    fixture_open(&f, &config);
    for (len = 0; len <= EXO_INLINE_THRESHOLD; len++) {
        assert_int_equal(exo_reserve(&f.tx, len, &reserved), EXO_OK);
        assert_true(exo_is_aligned(reserved.data, 64));
        assert_int_equal(reserved.size, EXO_INLINE_THRESHOLD);
        fill_message((exo_u8 *)reserved.data, len, (exo_u32)len);
        assert_int_equal(exo_recv_inline(&f.rx, got, sizeof(got)),
                         EXO_EMPTY); /* not before the commit */
        assert_int_equal(exo_commit(&f.tx, &reserved, len), EXO_OK);
        assert_null(reserved.data);
        assert_int_equal(exo_recv_inline(&f.rx, got, sizeof(got)), len);
        assert_message(got, len, (exo_u32)len);
    }
    fixture_close(&f);
}

static void a_reservation_too_large_takes_no_slot(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_reserve(&f.tx, 57, &reserved), EXO_INVALID_SIZE);
    assert_int_equal(exo_reserve(&f.tx, EXO_SIZE_MAX, &reserved), EXO_INVALID_SIZE);
    assert_memory_equal(&reserved, &nothing_reserved, sizeof(reserved));
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_FULL);
    assert_memory_equal(&reserved, &nothing_reserved, sizeof(reserved));
    fixture_close(&f);
}

static void a_commit_too_long_leaves_the_reservation_open(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    exo_u64 number = 0;
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_OK);
    assert_int_equal(exo_commit(&f.tx, &reserved, 57), EXO_INVALID_SIZE);
    assert_non_null(reserved.data);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    number = 77;
    memcpy(reserved.data, &number, sizeof(number));
    assert_int_equal(exo_commit(&f.tx, &reserved, 8), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 77);
    fixture_close(&f);
}

static void a_reservation_ends_once(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_commit(&f.tx, &reserved, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_abort(&f.tx, &reserved), EXO_NOT_FOUND);
    assert_int_equal(exo_reserve(&f.tx, 0, &reserved), EXO_OK);
    assert_int_equal(exo_commit(&f.tx, &reserved, 0), EXO_OK);
    assert_int_equal(exo_commit(&f.tx, &reserved, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_abort(&f.tx, &reserved), EXO_NOT_FOUND);
    assert_int_equal(exo_reserve(&f.tx, 0, &reserved), EXO_OK);
    assert_int_equal(exo_abort(&f.tx, &reserved), EXO_OK);
    assert_int_equal(exo_abort(&f.tx, &reserved), EXO_NOT_FOUND);
    assert_int_equal(exo_commit(&f.tx, &reserved, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_recv_inline(&f.rx, NULL, 0), 0);
    assert_int_equal(exo_recv_inline(&f.rx, NULL, 0), EXO_EMPTY);
    fixture_close(&f);
}

/* The order in which four reservations end; every fourth of them by an abort. */
static void end_in_order(struct fixture *f, const exo_u8 *order, exo_u64 base)
{
    struct exo_reserved reserved[4];
    exo_u64 i;
    for (i = 0; i < 4; i++) {
        exo_u64 number = base + i;
        assert_int_equal(exo_reserve(&f->tx, 8, &reserved[i]), EXO_OK);
        memcpy(reserved[i].data, &number, sizeof(number));
    }
    assert_int_equal(send_number(&f->tx, base + 4), EXO_OK); /* behind them all */
    for (i = 0; i < 4; i++) {
        if (order[i] != 0) {
            assert_int_equal(recv_number(&f->rx), EXO_EMPTY);
        }
        if ((base + order[i]) % 4 == 3) {
            assert_int_equal(exo_abort(&f->tx, &reserved[order[i]]), EXO_OK);
        } else {
            assert_int_equal(exo_commit(&f->tx, &reserved[order[i]], 8), EXO_OK);
        }
        if (order[i] == 0) {
            break;
        }
    }
    for (i++; i < 4; i++) {
        if ((base + order[i]) % 4 == 3) {
            assert_int_equal(exo_abort(&f->tx, &reserved[order[i]]), EXO_OK);
        } else {
            assert_int_equal(exo_commit(&f->tx, &reserved[order[i]], 8), EXO_OK);
        }
    }
    for (i = 0; i < 5; i++) {
        if (i == 4 || (base + i) % 4 != 3) {
            assert_int_equal(recv_number(&f->rx), base + i);
        }
    }
    assert_int_equal(recv_number(&f->rx), EXO_EMPTY);
}

static void reservations_end_in_any_order_and_arrive_in_theirs(struct exo_ring_config config)
{
    struct fixture f;
    exo_u32 code;
    exo_u64 base = 0;
    fixture_open(&f, &config);
    for (code = 0; code < 256; code++) {
        const exo_u8 order[4] = {(exo_u8)(code & 3), (exo_u8)(code >> 2 & 3),
                                 (exo_u8)(code >> 4 & 3), (exo_u8)(code >> 6)};
        exo_u32 seen = 1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3];
        if (seen == 15) { /* the 24 permutations */
            end_in_order(&f, order, base);
            base += 5;
        }
    }
    fixture_close(&f);
}

static void a_ring_full_of_aborted_slots_is_empty(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    struct fixture f;
    exo_u32 lap;
    fixture_open(&f, &config);
    for (lap = 0; lap < 4; lap++) {
        exo_u32 i;
        for (i = 0; i < 8; i++) {
            assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_OK);
            assert_int_equal(exo_abort(&f.tx, &reserved), EXO_OK);
        }
        assert_int_equal(send_number(&f.tx, 1), EXO_FULL);
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
        assert_int_equal(fill_ring(&f.tx, 10), 8);
        for (i = 0; i < 8; i++) {
            assert_int_equal(recv_number(&f.rx), 10 + i);
        }
    }
    fixture_close(&f);
}

static void waiting_for_a_message_steps_over_aborted_slots(struct exo_ring_config config)
{
    struct exo_reserved reserved = nothing_reserved;
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_OK);
    assert_int_equal(exo_abort(&f.tx, &reserved), EXO_OK);
    assert_int_equal(exo_wait_readable(&f.rx, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(send_number(&f.tx, 5), EXO_OK);
    assert_int_equal(exo_wait_readable(&f.rx, EXO_NOW), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 5);
    fixture_close(&f);
}

static void peek_shows_the_message_and_consume_takes_it(struct exo_ring_config config)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    struct exo_peeked peeked = nothing_peeked;
    struct fixture f;
    exo_size len;
    fixture_open(&f, &config);
    assert_int_equal(exo_peek(&f.rx, &peeked), EXO_EMPTY);
    assert_int_equal(exo_consume(&f.rx, &peeked), EXO_NOT_FOUND);
    for (len = 0; len <= EXO_INLINE_THRESHOLD; len++) {
        fill_message(bytes, len, 2);
        assert_int_equal(exo_send_inline(&f.tx, bytes, len), EXO_OK);
        assert_int_equal(exo_peek(&f.rx, &peeked), EXO_OK);
        assert_non_null(peeked.data);
        assert_int_equal(peeked.len, len);
        assert_message(peeked.data, len, 2);
        assert_int_equal(exo_consume(&f.rx, &peeked), EXO_OK);
        assert_null(peeked.data);
        assert_int_equal(exo_consume(&f.rx, &peeked), EXO_NOT_FOUND);
    }
    assert_int_equal(exo_peek(&f.rx, &peeked), EXO_EMPTY);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(exo_peek(&f.rx, &peeked), EXO_CLOSED);
    fixture_close(&f);
}

static void peeking_again_shows_the_same_message(struct exo_ring_config config)
{
    struct exo_peeked one = nothing_peeked;
    struct exo_peeked two = nothing_peeked;
    struct fixture f;
    if (has_mc(&config)) {
        return;
    }
    fixture_open(&f, &config);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_int_equal(exo_peek(&f.rx, &one), EXO_OK);
    assert_int_equal(exo_peek(&f.rx, &two), EXO_OK);
    assert_ptr_equal(one.data, two.data);
    assert_int_equal(exo_consume(&f.rx, &one), EXO_OK);
    assert_int_equal(exo_consume(&f.rx, &two), EXO_NOT_FOUND); /* the same, and gone */
    assert_int_equal(recv_number(&f.rx), 2);
    fixture_close(&f);
}

static void a_message_received_meanwhile_is_not_consumed(struct exo_ring_config config)
{
    struct exo_peeked peeked = nothing_peeked;
    struct fixture f;
    exo_u64 number;
    if (has_mc(&config)) {
        return;
    }
    fixture_open(&f, &config);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_int_equal(exo_peek(&f.rx, &peeked), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(exo_consume(&f.rx, &peeked), EXO_NOT_FOUND);
    assert_int_equal(recv_number(&f.rx), 2);
    assert_int_equal(exo_consume(&f.rx, &peeked), EXO_NOT_FOUND);
    for (number = 2; number < 8; number++) {
        assert_int_equal(send_number(&f.tx, number), EXO_OK);
        assert_int_equal(recv_number(&f.rx), number);
    }
    assert_int_equal(send_number(&f.tx, 8), EXO_OK); /* a lap later, in the same slot */
    assert_int_equal(exo_consume(&f.rx, &peeked), EXO_NOT_FOUND);
    assert_int_equal(recv_number(&f.rx), 8);
    fixture_close(&f);
}

static void what_several_receivers_peek_is_theirs_alone(struct exo_ring_config config)
{
    struct exo_peeked one = nothing_peeked;
    struct exo_peeked two = nothing_peeked;
    struct exo_receiver second;
    struct fixture f;
    if (!has_mc(&config)) {
        return;
    }
    fixture_open(&f, &config);
    assert_int_equal(exo_ring_receiver(&f.ring, &second), EXO_OK);
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_peek(&f.rx, &one), EXO_OK);
    assert_int_equal(exo_peek(&second, &two), EXO_OK);
    assert_int_equal(*(const exo_u64 *)one.data, 0);
    assert_int_equal(*(const exo_u64 *)two.data, 1);
    assert_int_equal(exo_consume(&second, &two), EXO_OK);
    assert_int_equal(send_number(&f.tx, 8),
                     EXO_FULL); /* the first of the two still holds the ring up */
    assert_int_equal(recv_number(&second), 2);
    assert_int_equal(exo_consume(&f.rx, &one), EXO_OK);
    assert_int_equal(fill_ring(&f.tx, 8), 3);
    fixture_close(&f);
}

static void a_peek_that_finds_nothing_leaves_an_earlier_one_alone(struct exo_ring_config config)
{
    struct exo_peeked peeked = nothing_peeked;
    struct exo_reserved reserved = nothing_reserved;
    struct fixture f;
    fixture_open(&f, &config);
    if (has_mc(&config)) {
        assert_int_equal(send_number(&f.tx, 1), EXO_OK);
        assert_int_equal(exo_peek(&f.rx, &peeked), EXO_OK);
        assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_OK);
        assert_int_equal(exo_abort(&f.tx, &reserved), EXO_OK);
        assert_int_equal(exo_peek(&f.rx, &peeked), EXO_EMPTY); /* steps over the aborted one */
        assert_int_equal(exo_consume(&f.rx, &peeked), EXO_OK);
        assert_int_equal(fill_ring(&f.tx, 2), 8);
    } else {
        struct exo_peeked before = peeked;
        assert_int_equal(exo_peek(&f.rx, &peeked), EXO_EMPTY);
        assert_memory_equal(&peeked, &before, sizeof(peeked));
    }
    fixture_close(&f);
}

static void items_of_a_packed_slot_are_peeked_one_by_one(struct exo_ring_config config)
{
    static const exo_u64 items[7] = {10, 11, 12, 13, 14, 15, 16};
    struct exo_peeked peeked = nothing_peeked;
    struct exo_peeked stale;
    struct fixture f;
    exo_u64 i;
    if (has_mc(&config)) {
        return;
    }
    fixture_open(&f, &config);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, 7), 7);
    for (i = 0; i < 7; i++) {
        assert_int_equal(exo_peek(&f.rx, &peeked), EXO_OK);
        assert_int_equal(peeked.len, 8);
        assert_int_equal(*(const exo_u64 *)peeked.data, 10 + i);
        stale = peeked;
        if (i % 2 == 0) {
            assert_int_equal(exo_consume(&f.rx, &peeked), EXO_OK);
        } else {
            assert_int_equal(recv_number(&f.rx), 10 + i);
        }
        assert_int_equal(exo_consume(&f.rx, &stale),
                         EXO_NOT_FOUND); /* takes no other in its place */
    }
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(what_is_written_in_place_arrives_at_every_size),
        IN_EVERY_KIND(a_reservation_too_large_takes_no_slot),
        IN_EVERY_KIND(a_commit_too_long_leaves_the_reservation_open),
        IN_EVERY_KIND(a_reservation_ends_once),
        IN_EVERY_KIND(reservations_end_in_any_order_and_arrive_in_theirs),
        IN_EVERY_KIND(a_ring_full_of_aborted_slots_is_empty),
        IN_EVERY_KIND(waiting_for_a_message_steps_over_aborted_slots),
        IN_EVERY_KIND(peek_shows_the_message_and_consume_takes_it),
        IN_EVERY_KIND(peeking_again_shows_the_same_message),
        IN_EVERY_KIND(a_message_received_meanwhile_is_not_consumed),
        IN_EVERY_KIND(what_several_receivers_peek_is_theirs_alone),
        IN_EVERY_KIND(a_peek_that_finds_nothing_leaves_an_earlier_one_alone),
        IN_EVERY_KIND(items_of_a_packed_slot_are_peeked_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
