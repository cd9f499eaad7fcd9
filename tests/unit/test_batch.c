/* SPDX-License-Identifier: MIT */
/* Lots: all or nothing, up to n, packed several to a slot. */
#include "ring_fixture.h"

#define MOST 128

static exo_u32 per_slot(const struct exo_ring_config *config, exo_size size)
{
    return has_mc(config) || is_owned(config) || size == 0 || size > 28 ? 1 : (exo_u32)(56 / size);
}

/* Items number first, first + 1, ... one behind the other. */
static void fill_items(exo_u8 *items, exo_size size, exo_u32 n, exo_u32 first)
{
    exo_u32 i;
    for (i = 0; i < n; i++) {
        fill_message(items + i * size, size, first + i);
    }
}

static void assert_items(const exo_u8 *items, exo_size room, exo_size size, exo_u32 n,
                         exo_u32 first)
{
    exo_u32 i;
    for (i = 0; i < n; i++) {
        assert_message(items + i * room, size, first + i);
    }
}

static void lots_of_every_size_and_count_arrive(struct exo_ring_config config)
{
    static exo_u8 items[MOST * EXO_INLINE_THRESHOLD];
    static exo_u8 got[MOST * EXO_INLINE_THRESHOLD];
    struct fixture f;
    exo_u32 first = 0;
    exo_size size;
    fixture_open(&f, &config);
    for (size = 0; size <= EXO_INLINE_THRESHOLD; size++) {
        exo_u32 most = 8 * per_slot(&config, size);
        exo_u32 n;
        for (n = 1; n <= most && n <= MOST; n = n < 20 ? n + 1 : n + 7) {
            fill_items(items, size, n, first);
            assert_int_equal(exo_send_bulk(&f.tx, items, size, n), n);
            memset(got, 0, sizeof(got));
            assert_int_equal(exo_recv_bulk(&f.rx, got, size, n, NULL), n);
            assert_items(got, size, size, n, first);
            assert_int_equal(exo_send_burst(&f.tx, items, size, n), is_owned(&config) ? 1 : n);
            assert_int_equal(exo_recv_burst(&f.rx, got, size, n, NULL), is_owned(&config) ? 1 : n);
            assert_int_equal(exo_recv_burst(&f.rx, got, size, 1, NULL), EXO_EMPTY);
            first += n;
        }
    }
    fixture_close(&f);
}

static void as_many_small_items_share_a_slot_as_fit(struct exo_ring_config config)
{
    static exo_u8 items[9 * MOST * EXO_INLINE_THRESHOLD];
    struct fixture f;
    exo_size size;
    fixture_open(&f, &config);
    for (size = 0; size <= EXO_INLINE_THRESHOLD; size++) {
        exo_u32 most = 8 * per_slot(&config, size);
        exo_u32 left = most;
        assert_int_equal(exo_send_bulk(&f.tx, items, size, most + 1), EXO_INVALID_SIZE);
        assert_int_equal(exo_send_bulk(&f.tx, items, size, most), most);
        assert_int_equal(exo_send_inline(&f.tx, items, 1), EXO_FULL);
        while (left != 0) {
            exo_i64 got = exo_recv_burst(&f.rx, items, size, MOST, NULL);
            assert_in_range(got, 1, left);
            left -= (exo_u32)got;
        }
        assert_int_equal(exo_recv_burst(&f.rx, items, size, MOST, NULL), EXO_EMPTY);
    }
    fixture_close(&f);
}

static void a_bulk_that_does_not_fit_sends_nothing(struct exo_ring_config config)
{
    static exo_u64 items[8][4]; /* one to a slot */
    struct fixture f;
    exo_u32 used;
    for (used = 1; used <= 8; used++) {
        exo_u32 i;
        fixture_open(&f, &config);
        for (i = 0; i < used; i++) {
            assert_int_equal(send_number(&f.tx, i), EXO_OK);
        }
        assert_int_equal(exo_send_bulk(&f.tx, items, 32, 9 - used), EXO_FULL);
        if (!is_owned(&config)) {
            assert_int_equal(fill_ring(&f.tx, used), 8 - used); /* no slot was lost */
            used = used < 8 ? used : 8;
            for (i = 0; i < 8; i++) {
                assert_int_equal(recv_number(&f.rx), i);
            }
        } else {
            for (i = 0; i < used; i++) {
                assert_int_equal(recv_number(&f.rx), i);
            }
        }
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY); /* nothing of the lot */
        assert_int_equal(fill_ring(&f.tx, 50), 8);
        assert_int_equal(recv_number(&f.rx), 50);
        fixture_close(&f);
    }
}

static void a_burst_sends_what_fits(struct exo_ring_config config)
{
    static exo_u64 items[MOST];
    struct fixture f;
    exo_u32 used;
    exo_u32 i;
    if (is_owned(&config)) {
        return; /* there a burst is one message */
    }
    for (i = 0; i < MOST; i++) {
        items[i] = 100 + i;
    }
    for (used = 0; used < 8; used++) {
        exo_u32 fit = (8 - used) * per_slot(&config, 8);
        fixture_open(&f, &config);
        for (i = 0; i < used; i++) {
            assert_int_equal(send_number(&f.tx, i), EXO_OK);
        }
        assert_int_equal(exo_send_burst(&f.tx, items, 8, MOST), fit);
        assert_int_equal(exo_send_burst(&f.tx, items, 8, MOST), EXO_FULL);
        for (i = 0; i < used; i++) {
            assert_int_equal(recv_number(&f.rx), i);
        }
        for (i = 0; i < fit; i++) {
            assert_int_equal(recv_number(&f.rx), 100 + i);
        }
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
        fixture_close(&f);
    }
}

static void a_lot_is_received_in_pieces_of_any_size(struct exo_ring_config config)
{
    static exo_u8 items[56 * 8];
    static exo_u8 got[56 * 8];
    const exo_u32 n = 5 * per_slot(&config, 3) + 1; /* 3-byte items, 18 to a slot where packed */
    struct fixture f;
    exo_u32 piece;
    fixture_open(&f, &config);
    fill_items(items, 3, n, 0);
    for (piece = 1; piece <= n; piece++) {
        exo_u32 at = 0;
        exo_u32 turn = 0;
        assert_int_equal(exo_send_bulk(&f.tx, items, 3, n), n);
        while (at < n) {
            exo_u32 want = turn++ % 3 == 2 ? 1 : exo_min64(piece, n - at) & 0xFFu;
            exo_i64 took = want == 1 ? exo_recv_inline(&f.rx, got, 3)
                                     : exo_recv_bulk(&f.rx, got, 3, want, NULL);
            assert_int_equal(took, want == 1 ? 3 : want);
            assert_items(got, 3, 3, want, at);
            at += want;
        }
        assert_int_equal(exo_recv_inline(&f.rx, got, 3), EXO_EMPTY);
    }
    fixture_close(&f);
}

static void a_bulk_of_more_than_there_are_takes_nothing(struct exo_ring_config config)
{
    static exo_u64 items[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    exo_u64 got[16];
    struct fixture f;
    exo_u32 n;
    fixture_open(&f, &config);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 1, NULL), EXO_EMPTY);
    for (n = 1; n < 8; n++) {
        assert_int_equal(exo_send_bulk(&f.tx, items, 8, n), n);
        assert_int_equal(exo_recv_bulk(&f.rx, got, 8, n + 1, NULL), EXO_EMPTY);
        assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 8, NULL), EXO_EMPTY);
        assert_int_equal(exo_recv_bulk(&f.rx, got, 8, n, NULL), n);
        assert_memory_equal(got, items, n * 8);
    }
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 9, NULL),
                     has_mc(&config) ? EXO_INVALID_SIZE : EXO_EMPTY);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 8, NULL), 8);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, 5), 5);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 6, NULL), EXO_CLOSED); /* and no more will come */
    assert_int_equal(exo_recv_burst(&f.rx, got, 8, 6, NULL), 5);
    assert_int_equal(exo_recv_burst(&f.rx, got, 8, 6, NULL), EXO_CLOSED);
    fixture_close(&f);
}

static void a_message_too_long_stops_a_lot_before_it(struct exo_ring_config config)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u8 got[8 * 16];
    exo_u32 lengths[8];
    struct fixture f;
    exo_u32 i;
    fixture_open(&f, &config);
    for (i = 0; i < 5; i++) {
        fill_message(bytes, 56, i);
        assert_int_equal(exo_send_inline(&f.tx, bytes, i == 3 ? 17 : 5 * i), EXO_OK);
    }
    assert_int_equal(exo_recv_bulk(&f.rx, got, 16, 4, lengths), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 16, 5, lengths), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_recv_burst(&f.rx, got, 16, 8, lengths), 3);
    for (i = 0; i < 3; i++) {
        assert_int_equal(lengths[i], 5 * i);
        assert_message(got + 16 * i, 5 * i, i);
    }
    assert_int_equal(exo_recv_burst(&f.rx, got, 16, 8, lengths), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_recv_burst(&f.rx, got, 17, 1, lengths), 1);
    assert_int_equal(lengths[0], 17);
    assert_int_equal(exo_recv_burst(&f.rx, got, 56, 8, NULL), 1);
    fixture_close(&f);
}

static void items_smaller_than_their_room_leave_the_rest_of_it_alone(struct exo_ring_config config)
{
    exo_u8 items[7 * 5];
    exo_u8 got[8 * 16];
    exo_u32 lengths[8];
    struct fixture f;
    exo_u32 i;
    fixture_open(&f, &config);
    fill_items(items, 5, 7, 0);
    memset(got, 0xC3, sizeof(got));
    assert_int_equal(exo_send_bulk(&f.tx, items, 5, 7), 7);
    assert_int_equal(exo_recv_burst(&f.rx, got, 4, 8, lengths), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_recv_burst(&f.rx, got, 16, 8, lengths), 7);
    assert_items(got, 16, 5, 7, 0);
    for (i = 0; i < sizeof(got); i++) {
        if (i % 16 >= 5 || i >= 7 * 16) {
            assert_int_equal(got[i], 0xC3);
        }
    }
    for (i = 0; i < 7; i++) {
        assert_int_equal(lengths[i], 5);
    }
    fixture_close(&f);
}

static void impossible_lots_are_refused(struct exo_ring_config config)
{
    exo_u8 items[64] = {0};
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_send_bulk(&f.tx, items, 57, 1), EXO_INVALID_SIZE);
    assert_int_equal(exo_send_burst(&f.tx, items, 57, 1), EXO_INVALID_SIZE);
    assert_int_equal(exo_send_bulk(&f.tx, items, 1, EXO_SIZE_MAX), EXO_INVALID_SIZE);
    assert_int_equal(exo_send_bulk(&f.tx, items, 56, ((exo_size)1 << 32) + 1), EXO_INVALID_SIZE);
    assert_int_equal(exo_recv_bulk(&f.rx, items, 1, EXO_SIZE_MAX, NULL), EXO_INVALID_SIZE);
    assert_int_equal(exo_recv_bulk(&f.rx, items, 1, has_mc(&config) ? 9 : 8 * 56 + 1, NULL),
                     EXO_INVALID_SIZE);
    assert_int_equal(exo_send_bulk(&f.tx, NULL, 8, 0), 0);
    assert_int_equal(exo_send_burst(&f.tx, NULL, 8, 0), 0);
    assert_int_equal(exo_recv_bulk(&f.rx, NULL, 8, 0, NULL), 0);
    assert_int_equal(exo_recv_burst(&f.rx, NULL, 8, 0, NULL), 0);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    fixture_close(&f);
}

static void aborted_slots_do_not_count_in_a_lot(struct exo_ring_config config)
{
    struct exo_reserved reserved = {NULL, 0, 0};
    exo_u64 got[8];
    struct fixture f;
    exo_u32 i;
    fixture_open(&f, &config);
    for (i = 0; i < 7; i++) { /* aborted, 1, aborted, 3, aborted, 5, aborted */
        if (i % 2 == 0) {
            assert_int_equal(exo_reserve(&f.tx, 8, &reserved), EXO_OK);
            assert_int_equal(exo_abort(&f.tx, &reserved), EXO_OK);
        } else {
            assert_int_equal(send_number(&f.tx, i), EXO_OK);
        }
    }
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 4, NULL), EXO_EMPTY);
    assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 3, NULL), 3);
    assert_true(got[0] == 1 && got[1] == 3 && got[2] == 5);
    assert_int_equal(exo_recv_burst(&f.rx, got, 8, 8, NULL), EXO_EMPTY);
    assert_int_equal(fill_ring(&f.tx, 0), 8); /* all slots came back */
    fixture_close(&f);
}

#define LOTS 1000u

static void *send_lots(void *argument)
{
    struct sleeping_thread *self = (struct sleeping_thread *)argument;
    exo_u64 deadline = in_seconds(20);
    exo_u64 items[8][4] = {{0}};
    exo_u32 lot;
    self->result = EXO_OK;
    for (lot = 0; lot < LOTS && self->result >= 0; lot++) {
        items[0][0] = lot;
        items[7][0] = lot;
        do {
            self->result = exo_send_bulk(self->tx, items, 32, 8);
        } while (self->result == EXO_FULL && exo_port_now_ns() < deadline && sched_yield() == 0);
    }
    return NULL;
}

static void a_lot_becomes_visible_at_once(struct exo_ring_config config)
{
    struct sleeping_thread thread = {0};
    exo_u64 deadline = in_seconds(20);
    exo_u64 items[8][4];
    struct fixture f;
    exo_u32 lot;
    exo_u32 torn = 0;
    if (is_owned(&config)) {
        return;
    }
    fixture_open(&f, &config);
    thread.tx = &f.tx;
    thread_start(&thread, send_lots);
    for (lot = 0; lot < LOTS && exo_port_now_ns() < deadline;) {
        exo_i64 got = exo_recv_burst(&f.rx, items, 32, 8, NULL);
        if (got == EXO_EMPTY) {
            (void)sched_yield();
            continue;
        }
        torn += got != 8 || items[0][0] != lot || items[7][0] != lot;
        lot++;
    }
    assert_int_equal(thread_join(&thread), 8);
    assert_int_equal(lot, LOTS);
    assert_int_equal(torn, 0);
    fixture_close(&f);
}

static void a_partly_taken_slot_goes_on_with_the_next_receiver(struct exo_ring_config config)
{
    static const exo_u64 items[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct fixture f;
    const exo_u64 n = has_mc(&config) || is_owned(&config) ? 8 : 10;
    exo_u64 i;
    fixture_open(&f, &config);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, n), n);
    for (i = 0; i < n; i++) {
        assert_int_equal(recv_number(&f.rx), i);
        assert_int_equal(exo_receiver_close(&f.rx), EXO_OK);
        assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(lots_of_every_size_and_count_arrive),
        IN_EVERY_KIND(as_many_small_items_share_a_slot_as_fit),
        IN_EVERY_KIND(a_bulk_that_does_not_fit_sends_nothing),
        IN_EVERY_KIND(a_burst_sends_what_fits),
        IN_EVERY_KIND(a_lot_is_received_in_pieces_of_any_size),
        IN_EVERY_KIND(a_bulk_of_more_than_there_are_takes_nothing),
        IN_EVERY_KIND(a_message_too_long_stops_a_lot_before_it),
        IN_EVERY_KIND(items_smaller_than_their_room_leave_the_rest_of_it_alone),
        IN_EVERY_KIND(impossible_lots_are_refused),
        IN_EVERY_KIND(aborted_slots_do_not_count_in_a_lot),
        IN_EVERY_KIND(a_lot_becomes_visible_at_once),
        IN_EVERY_KIND(a_partly_taken_slot_goes_on_with_the_next_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
