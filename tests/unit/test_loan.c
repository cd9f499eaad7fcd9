/* SPDX-License-Identifier: MIT */
/*
 * Loans used wrongly, and lots of loans: each misuse has its own answer and changes nothing.
 */
#include "zerocopy_fixture.h"

static const struct variant plain = {EXO_SPSC, EXO_THREADS, BELOW_WRAP};

static void loan_is_roomy_aligned_and_all_to_be_sent(void **state)
{
    struct pair pair;
    exo_size size;
    (void)state;
    open_pair(&pair, &plain);
    for (size = 0; size <= ARENA; size += 13) {
        struct exo_loaned loan = {NULL, 0, 0, 0, 0};
        assert_int_equal(exo_loan(&pair.tx, size, &loan), EXO_OK);
        assert_true(exo_is_aligned(loan.data, EXO_CACHE_LINE));
        assert_true(loan.size >= size && loan.size % BLOCK == 0);
        assert_int_equal(loan.off, 0);
        assert_int_equal(loan.len, size);
        assert_int_equal(exo_loans_outstanding(&pair.tx), loan.size);
        assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_OK);
        assert_null(loan.data);
    }
    close_pair(&pair);
}

static void sending_a_loan_again_is_not_found(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_loaned copy;
    (void)state;
    open_pair(&pair, &plain);
    loan = filled_loan(&pair.tx, 100, 1);
    copy = loan;
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_NOT_FOUND);
    assert_int_equal(exo_send_loan(&pair.tx, &copy), EXO_NOT_FOUND);
    expect_filled(&pair.rx, 100, 1);
    assert_int_equal(exo_send_loan(&pair.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    assert_int_equal(exo_send_loan(&pair.tx, &copy), EXO_NOT_FOUND);
    /* The block is lent anew: the old paper does not fit. */
    loan = filled_loan(&pair.tx, 100, 2);
    assert_ptr_equal(loan.data, copy.data);
    assert_int_equal(exo_send_loan(&pair.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loan_cancel(&pair.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_recv(&pair.rx, NULL, 0), EXO_EMPTY);
    close_pair(&pair);
}

static void cancelling_what_is_not_out_is_not_found(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_loaned copy;
    (void)state;
    open_pair(&pair, &plain);
    loan = filled_loan(&pair.tx, 100, 1);
    copy = loan;
    assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_OK);
    assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_NOT_FOUND);
    assert_int_equal(exo_loan_cancel(&pair.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_send_loan(&pair.tx, &copy), EXO_NOT_FOUND);
    loan = filled_loan(&pair.tx, 100, 2);
    copy = loan;
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_NOT_FOUND);
    assert_int_equal(exo_loan_cancel(&pair.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loans_outstanding(&pair.tx), BLOCK);
    expect_filled(&pair.rx, 100, 2);
    close_pair(&pair);
}

static void forged_loan_is_not_found(void **state)
{
    struct pair pair;
    struct exo_loaned real;
    exo_u32 bit;
    (void)state;
    open_pair(&pair, &plain);
    real = filled_loan(&pair.tx, 100, 1);
    for (bit = 0; bit < 64; bit++) {
        struct exo_loaned forged = real;
        forged.token ^= 1ull << bit;
        assert_int_equal(exo_send_loan(&pair.tx, &forged), EXO_NOT_FOUND);
        assert_int_equal(exo_loan_cancel(&pair.tx, &forged), EXO_NOT_FOUND);
    }
    assert_int_equal(exo_send_loan(&pair.tx, &real), EXO_OK);
    expect_filled(&pair.rx, 100, 1);
    close_pair(&pair);
}

static void loan_of_another_sender_is_not_found(void **state)
{
    static const struct variant modes[] = {{EXO_MPSC, EXO_THREADS, BELOW_WRAP},
                                           {EXO_MPSC, EXO_CRASH_SAFE, 0}};
    size_t i;
    (void)state;
    for (i = 0; i < 2; i++) {
        struct pair pair;
        struct exo_loaned loan;
        open_pair(&pair, &modes[i]);
        open_second(&pair, &modes[i]);
        loan = filled_loan(&pair.tx, 100, 1);
        assert_int_equal(exo_send_loan(&pair.second, &loan), EXO_NOT_FOUND);
        assert_int_equal(exo_loan_cancel(&pair.second, &loan), EXO_NOT_FOUND);
        assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
        expect_filled(&pair.rx, 100, 1);
        close_pair(&pair);
    }
}

static void part_of_a_loan_can_be_sent(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_viewed view;
    (void)state;
    open_pair(&pair, &plain);
    loan = filled_loan(&pair.tx, 1000, 1);
    loan.off = 300;
    loan.len = 3;
    memcpy((char *)loan.data + 300, "abc", 3);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    loan = filled_loan(&pair.tx, 1, 1);
    loan.off = loan.size;
    loan.len = 0;
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    assert_int_equal(view.len, 3);
    assert_memory_equal(view.data, "abc", 3);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    assert_int_equal(view.len, 0);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

static void part_outside_the_loan_is_refused_and_the_loan_stays(void **state)
{
    static const struct { exo_size off, len; } outside[] = {
        {0, 2 * BLOCK + 1},     {2 * BLOCK, 1},   {2 * BLOCK + 1, 0}, {1, 2 * BLOCK},
        {EXO_SIZE_MAX, 1},      {1, EXO_SIZE_MAX}, {EXO_SIZE_MAX, 0},  {0, EXO_SIZE_MAX},
        {EXO_SIZE_MAX - 99, 100},
    };
    struct pair pair;
    struct exo_loaned loan;
    size_t i;
    (void)state;
    open_pair(&pair, &plain);
    loan = filled_loan(&pair.tx, BLOCK + 1, 5); /* two blocks */
    for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        struct exo_loaned wrong = loan;
        struct exo_loaned before;
        wrong.off = outside[i].off;
        wrong.len = outside[i].len;
        wrong.size = EXO_SIZE_MAX; /* what the caller says of it is not believed */
        before = wrong;
        assert_int_equal(exo_send_loan(&pair.tx, &wrong), EXO_INVALID_SIZE);
        assert_int_equal(exo_send_loans_bulk(&pair.tx, &wrong, 1), EXO_INVALID_SIZE);
        assert_int_equal(exo_send_loans_burst(&pair.tx, &wrong, 1), EXO_INVALID_SIZE);
        assert_loan_equal(&wrong, &before);
    }
    assert_int_equal(exo_recv(&pair.rx, NULL, 0), EXO_EMPTY);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    expect_filled(&pair.rx, BLOCK + 1, 5);
    close_pair(&pair);
}

static void lot_arrives_whole_and_in_order(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        struct exo_loaned lot[8];
        exo_u32 lap;
        open_pair(&pair, &variants[v]);
        for (lap = 0; lap < 3; lap++) {
            exo_u32 i;
            for (i = 0; i < 8; i++) {
                lot[i] = filled_loan(&pair.tx, 60 + i, lap + i);
            }
            assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 0), 0);
            assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 5), 5);
            assert_int_equal(exo_send_loans_bulk(&pair.tx, lot + 5, 3), 3);
            for (i = 0; i < 8; i++) {
                assert_null(lot[i].data);
                expect_filled(&pair.rx, 60 + i, lap + i);
            }
        }
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

/* Sends the lot by bulk and by burst, and expects the answer, the lot as it was and nothing to receive. */
static void assert_lot_is_refused(struct pair *pair, struct exo_loaned *lot, exo_size n, exo_status why)
{
    struct exo_loaned before[16];
    exo_u64 outstanding = exo_loans_outstanding(&pair->tx);
    exo_size i;
    memcpy(before, lot, n * sizeof(lot[0]));
    assert_int_equal(exo_send_loans_bulk(&pair->tx, lot, n), why);
    assert_int_equal(exo_send_loans_burst(&pair->tx, lot, n), why);
    for (i = 0; i < n; i++) {
        assert_loan_equal(&lot[i], &before[i]);
    }
    assert_int_equal(exo_loans_outstanding(&pair->tx), outstanding);
    assert_int_equal(exo_recv(&pair->rx, NULL, 0), EXO_EMPTY);
}

static void lot_with_one_bad_loan_changes_nothing_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_loaned lot[4];
    struct exo_loaned good;
    exo_u32 i;
    open_pair(&pair, variant);
    for (i = 0; i < 4; i++) {
        lot[i] = filled_loan(&pair.tx, 100, i);
    }
    for (i = 0; i < 4; i++) {
        good = lot[i];
        lot[i] = lot[(i + 1) % 4]; /* the same loan twice */
        assert_lot_is_refused(&pair, lot, 4, EXO_NOT_FOUND);
        lot[i] = good;
        lot[i].token += 1ull << 32;
        assert_lot_is_refused(&pair, lot, 4, EXO_NOT_FOUND);
        lot[i] = good;
        lot[i].off = BLOCK;
        assert_lot_is_refused(&pair, lot, 4, EXO_INVALID_SIZE);
        lot[i] = good;
    }
    assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 4), 4);
    for (i = 0; i < 4; i++) {
        expect_filled(&pair.rx, 100, i);
    }
    close_pair(&pair);
}

static void lot_with_one_bad_loan_changes_nothing(void **state)
{
    static const struct variant modes[] = {{EXO_SPSC, EXO_THREADS, 0},
                                           {EXO_SPSC, EXO_HOSTILE, BELOW_WRAP},
                                           {EXO_MPMC, EXO_THREADS, BELOW_WRAP}};
    size_t i;
    (void)state;
    for (i = 0; i < 3; i++) {
        lot_with_one_bad_loan_changes_nothing_in(&modes[i]);
    }
}

/* Owned claims are made one by one, so a burst sends up to the bad one. */
static void bulk_with_one_bad_loan_changes_nothing_with_owned_claims(void **state)
{
    static const struct variant owned = {EXO_MPSC, EXO_CRASH_SAFE, BELOW_WRAP};
    struct pair pair;
    struct exo_loaned lot[3];
    (void)state;
    open_pair(&pair, &owned);
    lot[0] = filled_loan(&pair.tx, 100, 0);
    lot[1] = filled_loan(&pair.tx, 100, 1);
    lot[2] = lot[0];
    assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 3), EXO_NOT_FOUND);
    assert_int_equal(exo_recv(&pair.rx, NULL, 0), EXO_EMPTY);
    assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 2), 2);
    expect_filled(&pair.rx, 100, 0);
    expect_filled(&pair.rx, 100, 1);
    close_pair(&pair);
}

static void lot_that_does_not_fit_is_refused_and_kept(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        struct exo_loaned lot[5];
        exo_u32 i;
        open_sized(&pair, &variants[v], 4, ARENA);
        for (i = 0; i < 5; i++) {
            lot[i] = filled_loan(&pair.tx, 100, i);
        }
        assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 5), EXO_INVALID_SIZE);
        assert_int_equal(exo_send_loans_bulk(&pair.tx, lot, 2), 2);
        assert_int_equal(exo_send_loans_bulk(&pair.tx, lot + 2, 3), EXO_FULL);
        expect_filled(&pair.rx, 100, 0);
        expect_filled(&pair.rx, 100, 1);
        if (variants[v].profile == EXO_CRASH_SAFE) { /* owned claims: steps over discarded ones */
            assert_int_equal(exo_recv(&pair.rx, NULL, 0), EXO_EMPTY);
        }
        assert_int_equal(exo_send_loans_bulk(&pair.tx, lot + 2, 3), 3);
        for (i = 2; i < 5; i++) {
            expect_filled(&pair.rx, 100, i);
        }
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

static void burst_sends_the_first_ones_that_fit(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        struct exo_loaned lot[6];
        exo_u32 sent = 0;
        exo_u32 i;
        exo_i64 n;
        open_sized(&pair, &variants[v], 4, ARENA);
        for (i = 0; i < 6; i++) {
            lot[i] = filled_loan(&pair.tx, 100, i);
        }
        assert_int_equal(exo_send_loans_burst(&pair.tx, lot, 0), 0);
        while ((n = exo_send_loans_burst(&pair.tx, lot + sent, 6 - sent)) > 0) {
            sent += (exo_u32)n;
        }
        assert_int_equal(n, EXO_FULL);
        assert_int_equal(sent, 4);
        assert_non_null(lot[4].data);
        for (i = 0; i < 4; i++) {
            assert_null(lot[i].data);
            expect_filled(&pair.rx, 100, i);
        }
        assert_int_equal(exo_loans_outstanding(&pair.tx), 2 * BLOCK);
        close_pair(&pair);
    }
}

static void closed_receiver_is_answered_and_leaves_other_loans_alone(void **state)
{
    struct pair pair;
    struct exo_loaned first;
    struct exo_loaned second;
    struct exo_loaned before;
    (void)state;
    open_pair(&pair, &plain);
    first = filled_loan(&pair.tx, 100, 1);
    second = filled_loan(&pair.tx, 100, 2);
    before = second;
    assert_int_equal(exo_receiver_close(&pair.rx), EXO_OK);
    assert_int_equal(exo_send_loan(&pair.tx, &first), EXO_CLOSED);
    assert_int_equal(exo_send_loan(&pair.tx, &second), EXO_CLOSED);
    assert_int_equal(exo_send_loans_bulk(&pair.tx, &second, 1), EXO_CLOSED);
    assert_loan_equal(&second, &before);
    assert_int_equal(exo_loan_cancel(&pair.tx, &second), EXO_OK);
    assert_int_equal(exo_loan(&pair.tx, 1, &second), EXO_CLOSED);
    close_pair(&pair);
}

/* A loan of another size reads the release of what could be lent again; that it is refused must not spoil the books. */
static void loan_that_is_refused_forgets_no_release_and_counts_none_twice(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    exo_u32 i;
    (void)state;
    open_pair(&pair, &plain);
    for (i = 0; i < 50; i++) {
        send_filled(&pair.tx, 300, i);
        expect_filled(&pair.rx, 300, i);
        assert_int_equal(exo_loan(&pair.tx, ARENA + 1, &loan), EXO_INVALID_SIZE);
        send_filled(&pair.tx, 300, i);
        assert_int_equal(exo_loan(&pair.tx, 1000, &loan), EXO_OK);
        assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_OK);
        expect_filled(&pair.rx, 300, i);
    }
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_OK);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loan_is_roomy_aligned_and_all_to_be_sent),
        cmocka_unit_test(sending_a_loan_again_is_not_found),
        cmocka_unit_test(loan_that_is_refused_forgets_no_release_and_counts_none_twice),
        cmocka_unit_test(cancelling_what_is_not_out_is_not_found),
        cmocka_unit_test(forged_loan_is_not_found),
        cmocka_unit_test(loan_of_another_sender_is_not_found),
        cmocka_unit_test(part_of_a_loan_can_be_sent),
        cmocka_unit_test(part_outside_the_loan_is_refused_and_the_loan_stays),
        cmocka_unit_test(lot_arrives_whole_and_in_order),
        cmocka_unit_test(lot_with_one_bad_loan_changes_nothing),
        cmocka_unit_test(bulk_with_one_bad_loan_changes_nothing_with_owned_claims),
        cmocka_unit_test(lot_that_does_not_fit_is_refused_and_kept),
        cmocka_unit_test(burst_sends_the_first_ones_that_fit),
        cmocka_unit_test(closed_receiver_is_answered_and_leaves_other_loans_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
