/* SPDX-License-Identifier: MIT */
/*
 * What a peer may write into its own segment, written wrongly. Each word gives its declared error, which
 * sticks, or harms only the writer; nothing is read or written outside. One thread: the words change
 * between the calls, as tests/hostile/ changes them within.
 */
#include "ring_fixture.h"

static const exo_u64 starts[] = {0, NEAR_WRAP};
static const exo_u64 garbage[] = {0,
                                  1,
                                  2,
                                  7,
                                  8,
                                  0x80,
                                  0xFFFF,
                                  0x7FFFFFFF,
                                  0x80000000,
                                  0xFFFFFFFF,
                                  0x100000000ull,
                                  0x7FFFFFFFFFFFFFFFull,
                                  0x8000000000000000ull,
                                  0xFFFFFFFFFFFFFFFFull};

/* Lengths that no inline message has. */
static const exo_u32 lengths[] = {57, 64, 255, 256, 0x10038, 0xFFFFFF};

static struct exo_ring_config hostile_config(exo_u64 start)
{
    return plain_config(EXO_SPSC, EXO_HOSTILE, start);
}

/* The control word of the next slot to be received says `kind` and `argument`. */
static void forge(struct fixture *f, exo_u32 kind, exo_u32 argument)
{
    exo_u64 pos = f->rx.pos;
    exo_word64 *line = exo_tx_line_pvt(&f->tx, pos);
    line[EXO_LINE_WORDS] = exo_control_pvt(pos, kind, argument & 0xFFFFFFu);
}

/* Every way to receive, in turn, each with room for all that may come. */
static exo_i64 receive_by(struct fixture *f, exo_u32 way)
{
    static exo_u64 items[64 * 7];
    struct exo_peeked peeked = {NULL, 0, 0};
    struct exo_viewed view;
    exo_i64 result;
    switch (way) {
    case 0:
        return exo_recv_inline(&f->rx, items, 64);
    case 1:
        return exo_recv(&f->rx, items, 64);
    case 2:
        return exo_recv_burst(&f->rx, items, 56, 64, NULL);
    case 3:
        return exo_recv_bulk(&f->rx, items, 56, 2, NULL);
    case 4:
        result = exo_view(&f->rx, &view);
        return result == EXO_OK ? (exo_i64)exo_release(&f->rx, &view) : result;
    case 5:
        result = exo_peek(&f->rx, &peeked);
        return result == EXO_OK ? (exo_i64)exo_consume(&f->rx, &peeked) : result;
    case 6:
        return exo_recv_inline_as(&f->rx, EXO_SPSC, items, 64);
    default:
        return exo_wait_readable(&f->rx, EXO_NOW);
    }
}
#define WAYS 8u

static void assert_corrupt_for_ever(struct fixture *f)
{
    exo_u64 pos = f->rx.pos;
    exo_u32 way;
    for (way = 0; way < WAYS; way++) {
        assert_int_equal(receive_by(f, way), EXO_CORRUPT);
    }
    exo_line_publish_pvt(exo_tx_line_pvt(&f->tx, pos), &pos, 8,
                         exo_control_pvt(pos, EXO_KIND_INLINE, 8));
    for (way = 0; way < WAYS; way++) {
        assert_int_equal(receive_by(f, way), EXO_CORRUPT); /* also when it is repaired */
    }
    assert_int_equal(exo_receiver_close(&f->rx), EXO_OK);
}

static void an_unknown_kind_is_corrupt_and_sticks(void **state)
{
    exo_u32 kind;
    exo_u32 i;
    (void)state;
    for (kind = EXO_KIND_MESSAGE_LOAN + 1; kind < 256; kind++) {
        for (i = 0; i < WAYS; i++) {
            struct exo_ring_config config = hostile_config(starts[kind % 2]);
            struct fixture f;
            fixture_open(&f, &config);
            forge(&f, kind, 8);
            assert_int_equal(receive_by(&f, i), EXO_CORRUPT);
            assert_corrupt_for_ever(&f);
            fixture_close(&f);
        }
    }
}

static void a_length_over_56_is_corrupt_and_sticks(void **state)
{
    static const exo_u32 ways[] = {0, 1, 4, 5, 6};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(lengths) * COUNT(ways); i++) {
        struct exo_ring_config config = hostile_config(starts[i % 2]);
        struct fixture f;
        fixture_open(&f, &config);
        forge(&f, EXO_KIND_INLINE, lengths[i / COUNT(ways)]);
        assert_int_equal(receive_by(&f, ways[i % COUNT(ways)]), EXO_CORRUPT);
        fixture_close(&f);
    }
}

/* A lot may answer that the message is too long, which it is; nothing is copied either way. */
static void a_length_over_56_never_enters_a_lot(void **state)
{
    static exo_u8 items[8 * 0x10040];
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(lengths); i++) {
        struct exo_ring_config config = hostile_config(starts[i % 2]);
        struct fixture f;
        exo_i64 got;
        fixture_open(&f, &config);
        assert_int_equal(fill_ring(&f.tx, 0), 8);
        forge(&f, EXO_KIND_INLINE, lengths[i]);
        got = exo_recv_bulk(&f.rx, items, 56, 2, NULL);
        assert_true(got == EXO_BUFFER_TOO_SMALL || got == EXO_CORRUPT);
        got = exo_recv_burst(&f.rx, items, 0x10040, 8, NULL);
        assert_int_equal(got, EXO_CORRUPT);
        fixture_close(&f);
    }
}

static void a_packed_slot_that_holds_more_than_it_can_is_corrupt(void **state)
{
    /* no item, items of no count, then more bytes or more items than a line has */
    static const exo_u32 packed[] = {0,
                                     8,
                                     8 | 8u << 8,
                                     57 | 1u << 8,
                                     29 | 2u << 8,
                                     1 | 57u << 8,
                                     255 | 0xFFFFu << 8,
                                     56 | 0xFFFFu << 8,
                                     1 | 0x8000u << 8};
    exo_size i;
    exo_u32 way;
    (void)state;
    for (i = 0; i < COUNT(packed); i++) {
        for (way = 0; way < 3; way++) {
            struct exo_ring_config config = hostile_config(starts[i % 2]);
            struct fixture f;
            fixture_open(&f, &config);
            forge(&f, EXO_KIND_PACKED, packed[i]);
            assert_int_equal(receive_by(&f, way == 1 ? 5 : way), EXO_CORRUPT);
            assert_corrupt_for_ever(&f);
            fixture_close(&f);
        }
    }
}

static void a_packed_slot_that_shrinks_while_it_is_taken_does_no_harm(void **state)
{
    static const exo_u64 items[7] = {1, 2, 3, 4, 5, 6, 7};
    exo_u32 argument;
    exo_u32 way;
    (void)state;
    for (argument = 0; argument < 10; argument++) {
        for (way = 0; way < WAYS; way++) {
            struct exo_ring_config config = hostile_config(starts[argument % 2]);
            struct fixture f;
            exo_u64 got[3];
            fixture_open(&f, &config);
            assert_int_equal(exo_send_bulk(&f.tx, items, 8, 7), 7);
            assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 3, NULL), 3);
            forge(&f, argument < 8 ? EXO_KIND_PACKED : argument, 8 | argument << 8);
            (void)receive_by(&f, way);
            (void)receive_by(&f, way);
            assert_true(f.rx.pos - config.start <= 8);
            fixture_close(&f);
        }
    }
}

static void a_control_word_of_another_lap_is_no_message(void **state)
{
    static const exo_u64 off[] = {1, 8, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8};
    exo_size i;
    exo_u32 way;
    (void)state;
    for (i = 0; i < 2 * COUNT(off); i++) {
        struct exo_ring_config config = hostile_config(starts[i % 2]);
        struct fixture f;
        fixture_open(&f, &config);
        exo_tx_line_pvt(&f.tx, f.rx.pos)[EXO_LINE_WORDS] =
            exo_control_pvt(f.rx.pos + off[i / 2], EXO_KIND_INLINE, 8);
        for (way = 0; way < WAYS - 1; way++) {
            assert_int_equal(receive_by(&f, way), EXO_EMPTY);
        }
        assert_int_equal(send_number(&f.tx, 3), EXO_OK);
        assert_int_equal(recv_number(&f.rx), 3);
        fixture_close(&f);
    }
}

static void a_claim_in_a_ring_without_owners_is_corrupt_or_nothing(void **state)
{
    static const exo_u32 arguments[] = {0, 1, 255, 0x100, 0x1FF, 0xFFFF00, 0xFFFFFF};
    exo_size i;
    exo_u32 way;
    (void)state;
    for (i = 0; i < COUNT(arguments); i++) {
        for (way = 0; way < WAYS; way++) {
            struct exo_ring_config config = hostile_config(starts[i % 2]);
            struct fixture f;
            exo_i64 got;
            fixture_open(&f, &config);
            forge(&f, EXO_KIND_CLAIM, arguments[i]);
            got = receive_by(&f, way);
            assert_true(got == EXO_CORRUPT || got == EXO_EMPTY || got == EXO_WOULD_BLOCK);
            fixture_close(&f);
        }
    }
}

static void a_claim_of_an_owner_that_cannot_be_is_waited_for(void **state)
{
    exo_u32 index;
    (void)state;
    for (index = 4; index < 256; index++) {
        struct exo_ring_config config = plain_config(EXO_MPSC, EXO_CRASH_SAFE, starts[index % 2]);
        struct fixture f;
        fixture_open(&f, &config);
        assert_int_equal(send_number(&f.tx, 1), EXO_OK);
        forge(&f, EXO_KIND_CLAIM, index | 1u << 8);
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
        assert_true(f.rx.pos == config.start); /* not stepped over */
        assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
        fixture_close(&f);
    }
}

static void say_position(struct fixture *f, exo_u64 pos)
{
    struct exo_rx_segment *rx = (struct exo_rx_segment *)f->ring.receiver.rx;
    rx->late.value = pos;
    rx->exact.value = pos;
}

static void a_position_beyond_the_ring_is_corrupt_and_sticks(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < 2 * COUNT(garbage); i++) {
        struct exo_ring_config config = hostile_config(starts[i % 2]);
        exo_u64 off = garbage[i / 2];
        struct fixture f;
        struct exo_reserved reserved;
        exo_u64 lot[2] = {0, 0};
        fixture_open(&f, &config);
        assert_int_equal(fill_ring(&f.tx, 0), 8);
        if (off <= 8) { /* then it is a position like others */
            fixture_close(&f);
            continue;
        }
        say_position(&f, config.start + off);
        assert_int_equal(send_number(&f.tx, 8), EXO_CORRUPT);
        say_position(&f, config.start + 8);
        assert_int_equal(send_number(&f.tx, 8), EXO_CORRUPT);
        assert_int_equal(exo_send(&f.tx, lot, 8), EXO_CORRUPT);
        assert_int_equal(exo_send_bulk(&f.tx, lot, 8, 2), EXO_CORRUPT);
        assert_int_equal(exo_send_burst(&f.tx, lot, 8, 2), EXO_CORRUPT);
        assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_CORRUPT);
        assert_int_equal(exo_send_blocking(&f.tx, lot, 8, EXO_FOREVER), EXO_CORRUPT);
        assert_int_equal(exo_wait_writable(&f.tx, EXO_FOREVER), EXO_CORRUPT);
        fixture_close(&f);
    }
}

static void a_late_position_that_is_wrong_is_made_up_for_by_the_exact_one(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < 2 * COUNT(garbage); i++) {
        struct exo_ring_config config = hostile_config(starts[i % 2]);
        struct fixture f;
        exo_u64 off = garbage[i / 2];
        fixture_open(&f, &config);
        assert_int_equal(fill_ring(&f.tx, 0), 8);
        if (off > 8) {
            ((struct exo_rx_segment *)f.ring.receiver.rx)->late.value = config.start + off;
        }
        assert_int_equal(send_number(&f.tx, 8), EXO_FULL);
        fixture_close(&f);
    }
}

static void garbage_among_waiters_and_events_costs_only_time(struct exo_ring_config config)
{
    exo_size i;
    for (i = 0; i < COUNT(garbage); i++) {
        struct fixture f;
        struct exo_ring_sync *of_tx;
        struct exo_ring_sync *of_rx;
        const exo_u32 word = (exo_u32)garbage[i];
        exo_u32 turn;
        fixture_open(&f, &config);
        of_tx = &((struct exo_tx_segment *)f.ring.sender.tx)->sync;
        of_rx = &((struct exo_rx_segment *)f.ring.sender.rx)->sync;
        for (turn = 0; turn < 20; turn++) {
            of_tx->event = of_rx->event = word + turn;
            of_tx->waiters = of_rx->waiters = (word ^ turn << 3) & ~EXO_WAIT_CLOSED;
            assert_int_equal(send_number(&f.tx, turn), EXO_OK);
            assert_int_equal(exo_wait_readable(&f.rx, in_seconds(1)), EXO_OK);
            assert_int_equal(recv_number(&f.rx), turn);
            assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
        }
        assert_int_equal(fill_ring(&f.tx, 0), 8); /* and then it is full, not closed */
        for (turn = 0; turn < 8; turn++) {
            assert_int_equal(recv_number(&f.rx), turn);
        }
        assert_int_equal(exo_wait_readable(&f.rx, 1),
                         is_polled(&config) ? EXO_NOT_SUPPORTED : EXO_TIMEOUT);
        of_rx->waiters = word | EXO_WAIT_CLOSED; /* whoever says that he has closed, has */
        of_tx->waiters = word | EXO_WAIT_CLOSED;
        while (send_number(&f.tx, 1) == EXO_OK) {
        }
        assert_int_equal(send_number(&f.tx, 1), EXO_CLOSED);
        while (recv_number(&f.rx) == 1) {
        }
        assert_int_equal(recv_number(&f.rx), EXO_CLOSED);
        fixture_close(&f);
    }
}

/* Everything but the header, at random; every call must come back. */
static void random_segments_never_lead_astray(void **state)
{
    exo_u32 seed = 12345;
    exo_u32 round;
    (void)state;
    for (round = 0; round < 300; round++) {
        struct exo_ring_config config = hostile_config(starts[round % 2]);
        struct fixture f;
        exo_u32 turn;
        config.arena_size = 4096;
        fixture_open(&f, &config);
        for (turn = 0; turn < 20; turn++) {
            exo_size off;
            for (off = 0; off < 8; off++) {
                exo_u64 pos = f.rx.pos + off;
                seed = seed * 1664525u + 1013904223u;
                exo_tx_line_pvt(&f.tx, pos)[seed >> 29] = (exo_u64)seed * 0x9E3779B97F4A7C15ull;
                exo_tx_line_pvt(&f.tx, pos)[7] =
                    exo_control_pvt(pos, (seed >> 8) % 9, seed >> (seed & 7) & 0xFFFFFFu);
            }
            (void)receive_by(&f, (seed >> 16) % WAYS);
            (void)receive_by(&f, (seed >> 20) % WAYS);
        }
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_kind_is_corrupt_and_sticks),
        cmocka_unit_test(a_length_over_56_is_corrupt_and_sticks),
        cmocka_unit_test(a_length_over_56_never_enters_a_lot),
        cmocka_unit_test(a_packed_slot_that_holds_more_than_it_can_is_corrupt),
        cmocka_unit_test(a_packed_slot_that_shrinks_while_it_is_taken_does_no_harm),
        cmocka_unit_test(a_control_word_of_another_lap_is_no_message),
        cmocka_unit_test(a_claim_in_a_ring_without_owners_is_corrupt_or_nothing),
        cmocka_unit_test(a_claim_of_an_owner_that_cannot_be_is_waited_for),
        cmocka_unit_test(a_position_beyond_the_ring_is_corrupt_and_sticks),
        cmocka_unit_test(a_late_position_that_is_wrong_is_made_up_for_by_the_exact_one),
        IN_EVERY_KIND(garbage_among_waiters_and_events_costs_only_time),
        cmocka_unit_test(random_segments_never_lead_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
