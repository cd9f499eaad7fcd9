/* SPDX-License-Identifier: MIT */
/*
 * One send and one receive for all sizes: which path is taken, and that no path loses what does not fit.
 */
#include "zerocopy_fixture.h"

static exo_u8 payload[2 * ARENA];
static exo_u8 buffer[2 * ARENA];

static void fill_payload(exo_size size)
{
    exo_size i;
    for (i = 0; i < size; i++) {
        payload[i] = (exo_u8)(i * 11 + size);
    }
}

static void expect_payload(struct pair *pair, exo_size size, exo_size room)
{
    memset(buffer, 0xEE, sizeof(buffer));
    assert_int_equal(exo_recv(&pair->rx, buffer, room), size);
    assert_memory_equal(buffer, payload, size);
    assert_int_equal(buffer[size], 0xEE);
}

static void every_size_goes_through(void **state)
{
    static const exo_size sizes[] = {0, 1, 7, 8, 55, 56, 57, 64, BLOCK, BLOCK + 1, ARENA - 1, ARENA};
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_sized(&pair, &variants[v], 2, ARENA);
        for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            fill_payload(sizes[i]);
            assert_int_equal(exo_send(&pair.tx, payload, sizes[i]), EXO_OK);
            expect_payload(&pair, sizes[i], sizes[i]);
            assert_int_equal(exo_send(&pair.tx, payload, sizes[i]), EXO_OK);
            expect_payload(&pair, sizes[i], sizeof(buffer));
            assert_int_equal(exo_recv(&pair.rx, buffer, sizeof(buffer)), EXO_EMPTY);
        }
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

/* The receiver tells the path: recv_inline refuses what came by reference, and the arena is in use. */
static void fits_inline_agrees_with_the_path_taken(void **state)
{
    exo_size size;
    size_t v;
    (void)state;
    assert_true(exo_fits_inline(0));
    assert_true(exo_fits_inline(56));
    assert_false(exo_fits_inline(57));
    assert_false(exo_fits_inline(EXO_SIZE_MAX));
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_pair(&pair, &variants[v]);
        for (size = 0; size < 200; size++) {
            exo_i64 expected = exo_fits_inline(size) ? (exo_i64)size : (exo_i64)EXO_TYPE_MISMATCH;
            fill_payload(size);
            assert_int_equal(exo_send(&pair.tx, payload, size), EXO_OK);
            assert_int_equal(exo_loans_outstanding(&pair.tx), exo_fits_inline(size) ? 0 : BLOCK);
            assert_int_equal(exo_recv_inline(&pair.rx, buffer, sizeof(buffer)), expected);
            if (!exo_fits_inline(size)) {
                expect_payload(&pair, size, size);
            }
        }
        close_pair(&pair);
    }
}

static void message_larger_than_the_arena_is_refused(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_pair(&pair, &variants[v]);
        assert_int_equal(exo_send(&pair.tx, payload, ARENA + 1), EXO_INVALID_SIZE);
        assert_int_equal(exo_send(&pair.tx, payload, EXO_SIZE_MAX), EXO_INVALID_SIZE);
        assert_int_equal(exo_recv(&pair.rx, buffer, sizeof(buffer)), EXO_EMPTY);
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
        open_sized(&pair, &variants[v], 8, EXO_ARENA_NONE);
        assert_int_equal(exo_send(&pair.tx, payload, 57), EXO_INVALID_SIZE);
        fill_payload(56);
        assert_int_equal(exo_send(&pair.tx, payload, 56), EXO_OK);
        expect_payload(&pair, 56, 56);
        close_pair(&pair);
    }
}

static void small_buffer_keeps_the_message_on_both_paths(void **state)
{
    static const exo_size sizes[] = {1, 56, 57, 1000};
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_pair(&pair, &variants[v]);
        for (i = 0; i < 4; i++) {
            fill_payload(sizes[i]);
            memset(buffer, 0xEE, sizeof(buffer));
            assert_int_equal(exo_send(&pair.tx, payload, sizes[i]), EXO_OK);
            assert_int_equal(exo_recv(&pair.rx, buffer, sizes[i] - 1), EXO_BUFFER_TOO_SMALL);
            assert_int_equal(exo_recv(&pair.rx, NULL, 0), EXO_BUFFER_TOO_SMALL);
            assert_int_equal(buffer[0], 0xEE);
            expect_payload(&pair, sizes[i], sizes[i]);
        }
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

static void full_ring_or_arena_takes_nothing_and_leaks_nothing(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_sized(&pair, &variants[v], 2, ARENA);
        fill_payload(ARENA);
        assert_int_equal(exo_send(&pair.tx, payload, ARENA), EXO_OK);
        assert_int_equal(exo_send(&pair.tx, payload, 57), EXO_FULL); /* the arena is */
        assert_int_equal(exo_send(&pair.tx, payload, 56), EXO_OK);
        assert_int_equal(exo_send(&pair.tx, payload, 56), EXO_FULL); /* the ring is */
        expect_payload(&pair, ARENA, ARENA);
        assert_int_equal(exo_recv(&pair.rx, buffer, 56), 56);
        assert_int_equal(exo_send(&pair.tx, payload, 100), EXO_OK);
        assert_int_equal(exo_send(&pair.tx, payload, 100), EXO_OK);
        assert_int_equal(exo_send(&pair.tx, payload, 100), EXO_FULL);
        assert_int_equal(exo_loans_outstanding(&pair.tx), 2 * BLOCK);
        assert_int_equal(exo_recv(&pair.rx, buffer, 100), 100);
        assert_int_equal(exo_recv(&pair.rx, buffer, 100), 100);
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

static void paths_may_alternate_and_order_stays(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        exo_u32 sent = 0;
        exo_u32 taken = 0;
        open_pair(&pair, &variants[v]);
        random_state = v;
        while (taken < 5000) {
            exo_size size = (sent * 29) % 120;
            fill_payload(size);
            if (random_below(2) == 0 && exo_send(&pair.tx, payload, size) == EXO_OK) {
                sent++;
            }
            if (random_below(2) == 0 && taken != sent) {
                size = (taken++ * 29) % 120;
                fill_payload(size);
                expect_payload(&pair, size, size);
            }
        }
        close_pair(&pair);
    }
}

/* Lengths beyond what a control word holds are compared in full. */
static void length_of_16_mib_and_more_is_not_mistaken(void **state)
{
    static const exo_size sizes[] = {0xFFFFFE, 0xFFFFFF, 0x1000000, 0x1000001};
    size_t v;
    size_t i;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        open_sized(&pair, &variants[v], 2, 0x1000100);
        for (i = 0; i < 4; i++) {
            struct exo_loaned loan = {NULL, 0, 0, 0, 0};
            struct exo_viewed view;
            assert_int_equal(exo_loan(&pair.tx, sizes[i], &loan), EXO_OK);
            assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
            assert_int_equal(exo_recv(&pair.rx, buffer, sizeof(buffer)), EXO_BUFFER_TOO_SMALL);
            assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
            assert_int_equal(view.len, sizes[i]);
            assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
        }
        close_pair(&pair);
    }
}

/* A message that can no longer be received is answered Closed, whichever way it took. */
static void closed_receiver_is_answered_on_both_paths(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        if ((variants[v].mode & EXO_MODE_POLLED) != 0) {
            continue; /* does not look, until the ring is full */
        }
        open_pair(&pair, &variants[v]);
        assert_int_equal(exo_receiver_close(&pair.rx), EXO_OK);
        assert_int_equal(exo_send(&pair.tx, payload, 1000), EXO_CLOSED);
        assert_int_equal(exo_send(&pair.tx, payload, 10), EXO_CLOSED);
        assert_int_equal(exo_recv(&pair.rx, buffer, 1000), EXO_CLOSED);
        close_pair(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_goes_through),
        cmocka_unit_test(fits_inline_agrees_with_the_path_taken),
        cmocka_unit_test(message_larger_than_the_arena_is_refused),
        cmocka_unit_test(small_buffer_keeps_the_message_on_both_paths),
        cmocka_unit_test(full_ring_or_arena_takes_nothing_and_leaks_nothing),
        cmocka_unit_test(paths_may_alternate_and_order_stays),
        cmocka_unit_test(length_of_16_mib_and_more_is_not_mistaken),
        cmocka_unit_test(closed_receiver_is_answered_on_both_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
