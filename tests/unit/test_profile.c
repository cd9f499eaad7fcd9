/* SPDX-License-Identifier: MIT */
/* The profiler of rings: every call counts what it moved, once, and nothing else. */
#include "profile_fixture.h"

#define ITEM 8u

static void loan_of(struct exo_sender *tx, struct exo_loaned *loan, exo_size len)
{
    assert_int_equal(exo_loan(tx, len, loan), EXO_OK);
    memset(loan->data, 1, len);
}

static void each_message_counts_once_at_either_side(struct exo_ring_config config)
{
    struct profiled p;
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u64 sum = 0;
    exo_u32 i;
    profiled_open(&p, config);
    memset(bytes, 1, sizeof(bytes));
    for (i = 0; i < 40; i++) {
        exo_size len = i * 11 % 57;
        sum += len;
        assert_int_equal(exo_send_inline(&p.f.tx, bytes, len), EXO_OK);
        assert_counted(p.sent, i + 1, sum, 0);
        assert_int_equal(exo_recv_inline(&p.f.rx, bytes, sizeof(bytes)), len);
        assert_counted(p.received, i + 1, sum, 0);
    }
    assert_int_equal(counted(p.sent).full, 0);
    assert_int_equal(counted(p.received).empty, 0);
    profiled_close(&p);
}

static void messages_of_constant_size_count_too(struct exo_ring_config config)
{
    struct profiled p;
    exo_u32 i;
    profiled_open(&p, config);
    for (i = 0; i < 20; i++) {
        assert_int_equal(send_number(&p.f.tx, i), EXO_OK);
        assert_int_equal(recv_number(&p.f.rx), i);
    }
    assert_counted(p.sent, 20, 160, 0);
    assert_counted(p.received, 20, 160, 0);
    profiled_close(&p);
}

static void what_goes_by_reference_is_counted_as_that(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_loaned loans[2];
    struct exo_viewed views[2];
    exo_u8 bytes[300];
    exo_u32 i;
    profiled_open(&p, config);
    memset(bytes, 1, sizeof(bytes));
    for (i = 0; i < 10; i++) { /* more than there are blocks */
        assert_int_equal(exo_send(&p.f.tx, bytes, 100), EXO_OK);
        assert_int_equal(exo_recv(&p.f.rx, bytes, sizeof(bytes)), 100);
    }
    assert_counted(p.sent, 10, 1000, 10);
    assert_counted(p.received, 10, 1000, 10);
    loan_of(&p.f.tx, &loans[0], 60);
    assert_int_equal(exo_send_loan(&p.f.tx, &loans[0]), EXO_OK);
    assert_int_equal(exo_send(&p.f.tx, bytes, 5), EXO_OK);
    assert_int_equal(exo_view(&p.f.rx, &views[0]), EXO_OK);
    assert_int_equal(exo_view(&p.f.rx, &views[1]), EXO_OK); /* in the slot, but as a view */
    assert_counted(p.sent, 12, 1065, 11);
    assert_counted(p.received, 12, 1065, 11);
    assert_int_equal(exo_release(&p.f.rx, &views[0]), EXO_OK);
    loan_of(&p.f.tx, &loans[0], 70);
    loan_of(&p.f.tx, &loans[1], 80);
    assert_int_equal(exo_send_loans_bulk(&p.f.tx, loans, 2), 2);
    assert_counted(p.sent, 14, 1215, 13);
    assert_int_equal(exo_view_burst(&p.f.rx, views, 2), 2);
    assert_counted(p.received, 14, 1215, 13);
    profiled_close(&p);
}

static void messages_with_headers_count_and_are_timed(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, 3);
    exo_u8 bytes[100] = {0};
    exo_u32 i;
    config.slot_size = 128;
    profiled_open(&p, config);
    for (i = 0; i < 20; i++) {
        struct exo_message message;
        exo_size len = i % 2 == 0 ? 40 : 100;
        assert_int_equal(exo_message_send_data(&p.f.tx, &header, bytes, len), EXO_OK);
        assert_int_equal(exo_message_recv(&p.f.rx, &message), EXO_OK);
        assert_int_equal(exo_message_release(&p.f.rx, &message), EXO_OK);
    }
    assert_counted(p.sent, 20, 1400, 10);
    assert_counted(p.received, 20, 1400, 10);
    assert_int_equal(exo_histogram_total(&p.received->transit), 20);
    assert_int_equal(send_number(&p.f.tx, 1), EXO_OK);
    assert_int_equal(recv_number(&p.f.rx), 1);
    assert_int_equal(exo_histogram_total(&p.received->transit), 21); /* it is the slot that has the room */
    profiled_close(&p);
}

static void lots_count_their_messages(struct exo_ring_config config)
{
    struct profiled p;
    exo_u64 items[32] = {0};
    exo_u64 sent = 0;
    exo_u64 received = 0;
    exo_u32 turn;
    profiled_open(&p, config);
    for (turn = 0; turn < 12; turn++) {
        exo_i64 n = exo_send_burst(&p.f.tx, items, ITEM, 6 + turn % 3);
        exo_i64 got;
        assert_true(n > 0);
        sent += (exo_u64)n;
        assert_counted(p.sent, sent, sent * ITEM, 0);
        if (turn % 4 == 1) { /* one by one, a packed slot half and half */
            assert_int_equal(exo_recv_inline(&p.f.rx, items, sizeof(items)), ITEM);
            received++;
        }
        while ((got = exo_recv_burst(&p.f.rx, items, ITEM, 4, NULL)) > 0) {
            received += (exo_u64)got;
            assert_counted(p.received, received, received * ITEM, 0);
        }
        assert_int_equal(received, sent);
    }
    if (exo_send_bulk(&p.f.tx, items, 20, 2) == 2) {
        struct exo_peeked peeked;
        assert_counted(p.sent, sent + 2, sent * ITEM + 40, 0);
        assert_int_equal(exo_peek(&p.f.rx, &peeked), EXO_OK);
        assert_int_equal(exo_consume(&p.f.rx, &peeked), EXO_OK);
        assert_counted(p.received, received + 1, received * ITEM + 20, 0);
        assert_int_equal(exo_recv_bulk(&p.f.rx, items, 20, 1, NULL), 1);
        assert_counted(p.received, received + 2, received * ITEM + 40, 0);
    }
    profiled_close(&p);
}

static void what_is_built_in_place_counts_when_it_is_committed(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_reserved reserved;
    struct exo_peeked peeked;
    profiled_open(&p, config);
    assert_int_equal(exo_reserve(&p.f.tx, 30, &reserved), EXO_OK);
    assert_counted(p.sent, 0, 0, 0);
    memset(reserved.data, 1, 30);
    assert_int_equal(exo_commit(&p.f.tx, &reserved, 30), EXO_OK);
    assert_counted(p.sent, 1, 30, 0);
    assert_int_equal(exo_reserve(&p.f.tx, 30, &reserved), EXO_OK);
    assert_int_equal(exo_abort(&p.f.tx, &reserved), EXO_OK);
    assert_counted(p.sent, 1, 30, 0);
    assert_int_equal(exo_peek(&p.f.rx, &peeked), EXO_OK);
    assert_counted(p.received, 0, 0, 0);
    assert_int_equal(exo_consume(&p.f.rx, &peeked), EXO_OK);
    assert_counted(p.received, 1, 30, 0);
    assert_int_equal(exo_peek(&p.f.rx, &peeked), EXO_EMPTY); /* steps over what was given up */
    assert_counted(p.received, 1, 30, 0);
    profiled_close(&p);
}

static void looks_that_find_nothing_count(struct exo_ring_config config)
{
    struct profiled p;
    exo_u8 bytes[100] = {0};
    exo_u32 i;
    profiled_open(&p, config);
    assert_int_equal(recv_number(&p.f.rx), EXO_EMPTY);
    assert_int_equal(recv_number(&p.f.rx), EXO_EMPTY);
    assert_int_equal(counted(p.received).empty, 2);
    assert_int_equal(fill_ring(&p.f.tx, 0), 8); /* the ninth finds no slot */
    assert_int_equal(counted(p.sent).full, 1);
    assert_int_equal(send_number(&p.f.tx, 9), EXO_FULL);
    assert_int_equal(counted(p.sent).full, 2);
    assert_counted(p.sent, 8, 64, 0);
    for (i = 0; i < 8; i++) {
        assert_int_equal(recv_number(&p.f.rx), i);
    }
    for (i = 0; i < 4; i++) {
        assert_int_equal(exo_send(&p.f.tx, bytes, 100), EXO_OK);
    }
    assert_int_equal(exo_send(&p.f.tx, bytes, 100), EXO_FULL); /* no block */
    assert_int_equal(counted(p.sent).full, 3);
    assert_int_equal(counted(p.sent).waits + counted(p.received).waits, 0);
    profiled_close(&p);
}

static void who_has_no_profiler_counts_nowhere(struct exo_ring_config config)
{
    struct profiled p;
    profiled_open(&p, config);
    assert_int_equal(send_number(&p.f.tx, 1), EXO_OK);
    assert_int_equal(exo_profile_sender(&p.f.tx, NULL), EXO_OK);
    assert_int_equal(exo_profile_receiver(&p.f.rx, NULL), EXO_OK);
    assert_int_equal(send_number(&p.f.tx, 2), EXO_OK);
    assert_int_equal(recv_number(&p.f.rx), 1);
    assert_int_equal(recv_number(&p.f.rx), 2);
    assert_int_equal(recv_number(&p.f.rx), EXO_EMPTY);
    assert_counted(p.sent, 1, 8, 0);
    assert_counted(p.received, 0, 0, 0);
    assert_int_equal(counted(p.received).empty, 0);
    profiled_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(each_message_counts_once_at_either_side),
        IN_EVERY_KIND(messages_of_constant_size_count_too),
        IN_EVERY_KIND(what_goes_by_reference_is_counted_as_that),
        IN_EVERY_KIND(messages_with_headers_count_and_are_timed),
        IN_EVERY_KIND(lots_count_their_messages),
        IN_EVERY_KIND(what_is_built_in_place_counts_when_it_is_committed),
        IN_EVERY_KIND(looks_that_find_nothing_count),
        IN_EVERY_KIND(who_has_no_profiler_counts_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
