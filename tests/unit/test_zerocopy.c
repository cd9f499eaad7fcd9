/* SPDX-License-Identifier: MIT */
/*
 * Loan, send, view, release, in every mode: sizes, orders, what comes back to whom.
 */
#include "zerocopy_fixture.h"

static void each_mode(void (*claim)(const struct variant *))
{
    size_t i;
    for (i = 0; i < VARIANTS; i++) {
        claim(&variants[i]);
    }
}

static void message_is_read_where_it_was_written_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_viewed view;
    void *written;
    open_pair(&pair, variant);
    loan = filled_loan(&pair.tx, 1000, 1);
    written = loan.data;
    assert_int_equal(exo_view(&pair.rx, &view), EXO_EMPTY);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    assert_null(loan.data);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    assert_ptr_equal(view.data, written);
    assert_int_equal(view.len, 1000);
    assert_true(has_pattern(view.data, 1000, 1));
    assert_int_equal(exo_loans_outstanding(&pair.tx), 4 * BLOCK);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_null(view.data);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

static void every_size_goes_through_in(const struct variant *variant)
{
    static const exo_size sizes[] = {0, 1, 56, 57, BLOCK - 1, BLOCK, BLOCK + 1, ARENA - 1, ARENA};
    static const exo_size never[] = {ARENA + 1, 2 * ARENA, 1u << 31, EXO_SIZE_MAX - BLOCK, EXO_SIZE_MAX};
    struct pair pair;
    struct exo_loaned loan;
    size_t i;
    open_pair(&pair, variant);
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        send_filled(&pair.tx, sizes[i], 7);
        expect_filled(&pair.rx, sizes[i], 7);
    }
    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_int_equal(exo_loan(&pair.tx, never[i], &loan), EXO_INVALID_SIZE);
    }
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

/* All that is between a loan and its return, each step in random order. */
struct traffic {
    struct exo_loaned loan[6];
    exo_u32 loan_seed[6];
    struct exo_viewed view[6];
    exo_u32 sent[64]; /* seeds in the order sent */
    exo_u32 sends;
    exo_u32 views;
    exo_u32 seeds;
};

static exo_size traffic_size(exo_u32 seed)
{
    return seed % 5 == 0 ? seed % 57 : (seed * 37) % 900;
}

static void traffic_lend(struct pair *pair, struct traffic *traffic, exo_u32 place)
{
    if (traffic->loan[place].data == NULL) {
        exo_status status = exo_loan(&pair->tx, traffic_size(traffic->seeds), &traffic->loan[place]);
        if (status == EXO_OK) {
            traffic->loan_seed[place] = traffic->seeds++;
            memset(traffic->loan[place].data, (int)(traffic->loan_seed[place] & 0xFF),
                   traffic->loan[place].len);
        } else {
            assert_int_equal(status, EXO_FULL);
        }
    }
}

static void traffic_send(struct pair *pair, struct traffic *traffic, exo_u32 place)
{
    exo_status status;
    if (traffic->loan[place].data == NULL) {
        return;
    }
    if (random_below(8) == 0) {
        assert_int_equal(exo_loan_cancel(&pair->tx, &traffic->loan[place]), EXO_OK);
        return;
    }
    status = exo_send_loan(&pair->tx, &traffic->loan[place]);
    if (traffic->sends - traffic->views < 8) {
        assert_int_equal(status, EXO_OK);
        traffic->sent[traffic->sends++ % 64] = traffic->loan_seed[place];
    } else {
        assert_int_equal(status, EXO_FULL);
    }
}

static void traffic_view(struct pair *pair, struct traffic *traffic, exo_u32 place)
{
    struct exo_viewed *view = &traffic->view[place];
    const exo_u8 *bytes = view->data;
    exo_size i;
    if (bytes != NULL) {
        for (i = 1; i < view->len; i++) {
            assert_int_equal(bytes[i], bytes[0]);
        }
        assert_int_equal(exo_release(&pair->rx, view), EXO_OK);
    } else if (traffic->sends == traffic->views) {
        assert_int_equal(exo_view(&pair->rx, view), EXO_EMPTY);
    } else {
        exo_u32 seed = traffic->sent[traffic->views++ % 64];
        assert_int_equal(exo_view(&pair->rx, view), EXO_OK);
        assert_int_equal(view->len, traffic_size(seed));
        assert_true(view->len == 0 || *(const exo_u8 *)view->data == (exo_u8)seed);
    }
}

static void any_order_loses_and_mixes_up_nothing_in(const struct variant *variant)
{
    static struct traffic traffic;
    struct pair pair;
    exo_u32 step;
    exo_u32 i;
    memset(&traffic, 0, sizeof(traffic));
    random_state = variant->mode + variant->start;
    open_pair(&pair, variant);
    for (step = 0; step < 20000; step++) {
        exo_u32 place = random_below(6);
        switch (random_below(3)) {
        case 0: traffic_lend(&pair, &traffic, place); break;
        case 1: traffic_send(&pair, &traffic, place); break;
        default: traffic_view(&pair, &traffic, place); break;
        }
    }
    assert_true(traffic.views > 1000);
    while (traffic.sends != traffic.views) {
        traffic_view(&pair, &traffic, random_below(6));
    }
    for (i = 0; i < 6; i++) {
        if (traffic.view[i].data != NULL) {
            assert_int_equal(exo_release(&pair.rx, &traffic.view[i]), EXO_OK);
        }
        if (traffic.loan[i].data != NULL) {
            assert_int_equal(exo_loan_cancel(&pair.tx, &traffic.loan[i]), EXO_OK);
        }
    }
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

static void full_arena_refuses_until_something_is_released_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_viewed view[2];
    open_pair(&pair, variant);
    send_filled(&pair.tx, ARENA / 2, 1);
    send_filled(&pair.tx, ARENA / 2, 2);
    assert_int_equal(exo_loan(&pair.tx, 1, &loan), EXO_FULL);
    assert_int_equal(exo_view_burst(&pair.rx, view, 2), 2);
    assert_int_equal(exo_loan(&pair.tx, 0, &loan), EXO_FULL);
    assert_int_equal(exo_release(&pair.rx, &view[1]), EXO_OK);
    assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_FULL);
    assert_true(has_pattern(view[0].data, view[0].len, 1));
    send_filled(&pair.tx, ARENA / 2, 3);
    assert_true(has_pattern(view[0].data, view[0].len, 1));
    assert_int_equal(exo_release(&pair.rx, &view[0]), EXO_OK);
    expect_filled(&pair.rx, ARENA / 2, 3);
    assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_OK);
    close_pair(&pair);
}

/* However many pieces were released: a loan takes them all back before it says Full. */
static void loan_finds_all_that_was_released_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_loaned loan;
    exo_u32 i;
    open_pair(&pair, variant);
    for (i = 0; i < BLOCKS; i += 2) {
        assert_int_equal(exo_loan(&pair.tx, BLOCK, &loan), EXO_OK);
        assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    }
    for (i = 0; i < BLOCKS; i += 2) {
        struct exo_viewed view;
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    }
    assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_OK);
    close_pair(&pair);
}

static void full_ring_leaves_the_loan_to_its_owner_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_loaned loan;
    struct exo_loaned before;
    open_sized(&pair, variant, 2, ARENA);
    send_filled(&pair.tx, 100, 0);
    send_filled(&pair.tx, 100, 1);
    loan = filled_loan(&pair.tx, 300, 2);
    before = loan;
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_FULL);
    assert_loan_equal(&loan, &before);
    expect_filled(&pair.rx, 100, 0);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_OK);
    expect_filled(&pair.rx, 100, 1);
    expect_filled(&pair.rx, 300, 2);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

static void release_reaches_the_sender_it_came_from_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_viewed view[2];
    struct exo_loaned loan;
    if ((variant->mode & EXO_MODE_MP) == 0) {
        return;
    }
    open_pair(&pair, variant);
    open_second(&pair, variant);
    send_filled(&pair.tx, ARENA, 1);
    send_filled(&pair.second, ARENA, 2);
    assert_int_equal(exo_view_burst(&pair.rx, view, 2), 2);
    assert_true(has_pattern(view[0].data, ARENA, 1));
    assert_true(has_pattern(view[1].data, ARENA, 2));
    assert_int_equal(exo_release(&pair.rx, &view[1]), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&pair.tx), ARENA);
    assert_int_equal(exo_loan(&pair.tx, 1, &loan), EXO_FULL);
    assert_int_equal(exo_loans_outstanding(&pair.second), 0);
    assert_int_equal(exo_release(&pair.rx, &view[0]), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

#define CLAIM(name)                                                                                      \
    static void name(void **state)                                                                       \
    {                                                                                                    \
        (void)state;                                                                                     \
        each_mode(name##_in);                                                                            \
    }

CLAIM(message_is_read_where_it_was_written)
CLAIM(every_size_goes_through)
CLAIM(any_order_loses_and_mixes_up_nothing)
CLAIM(full_arena_refuses_until_something_is_released)
CLAIM(loan_finds_all_that_was_released)
CLAIM(full_ring_leaves_the_loan_to_its_owner)
CLAIM(release_reaches_the_sender_it_came_from)

static void ring_without_arena_lends_nothing(void **state)
{
    struct pair pair;
    struct exo_loaned loan = {&pair, 64, 0, 64, 1ull << 32};
    struct exo_viewed view;
    (void)state;
    open_sized(&pair, &variants[0], 8, EXO_ARENA_NONE);
    assert_int_equal(exo_send_loan(&pair.tx, &loan), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_send_loans_bulk(&pair.tx, &loan, 1), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_loan_cancel(&pair.tx, &loan), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_loan(&pair.tx, 0, &loan), EXO_NOT_SUPPORTED);
    assert_ptr_equal(loan.data, &pair);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    assert_int_equal(exo_send_inline(&pair.tx, "abc", 3), EXO_OK);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    close_pair(&pair);
}

/* Loans, and what was sent, outlive the handle: the next holder of the place carries on with the arena. */
static void next_sender_takes_the_arena_over(void **state)
{
    struct pair pair;
    struct exo_loaned loan;
    (void)state;
    open_pair(&pair, &variants[0]);
    send_filled(&pair.tx, ARENA, 1);
    assert_int_equal(exo_sender_close(&pair.tx), EXO_OK);
    assert_int_equal(exo_ring_sender(&pair.ring, &pair.tx), EXO_OK);
    assert_int_equal(exo_loan(&pair.tx, 1, &loan), EXO_FULL);
    expect_filled(&pair.rx, ARENA, 1);
    assert_int_equal(exo_loan(&pair.tx, ARENA, &loan), EXO_OK);
    close_pair(&pair);
}

/* Loans by the calls that take the mode as a constant: they answer what the plain ones do. */
#define LOANS_AS(name, MODE)                                                                      \
    static void name(void **state)                                                                \
    {                                                                                             \
        static const struct variant variant = {MODE, EXO_THREADS, BELOW_WRAP};                    \
        struct exo_viewed view;                                                                   \
        struct exo_viewed again;                                                                  \
        struct exo_loaned loan;                                                                   \
        struct exo_loaned copy;                                                                   \
        struct pair pair;                                                                         \
        exo_u32 i;                                                                                \
        (void)state;                                                                              \
        open_pair(&pair, &variant);                                                               \
        for (i = 0; i < 40; i++) {                                                                \
            loan = filled_loan(&pair.tx, 300, i);                                                 \
            assert_int_equal(exo_view_as(&pair.rx, MODE, &view), EXO_EMPTY);                      \
            loan.off = 2 * BLOCK;                                                                 \
            assert_int_equal(exo_send_loan_as(&pair.tx, MODE, &loan), EXO_INVALID_SIZE);          \
            loan.off = EXO_SIZE_MAX - 299;                                                        \
            assert_int_equal(exo_send_loan_as(&pair.tx, MODE, &loan), EXO_INVALID_SIZE);          \
            loan.off = 0;                                                                         \
            copy = loan;                                                                          \
            assert_int_equal(exo_send_loan_as(&pair.tx, MODE, &loan), EXO_OK);                    \
            assert_null(loan.data);                                                               \
            assert_int_equal(exo_send_loan_as(&pair.tx, MODE, &loan), EXO_NOT_FOUND);             \
            assert_int_equal(exo_send_loan_as(&pair.tx, MODE, &copy), EXO_NOT_FOUND);             \
            assert_int_equal(exo_send_inline(&pair.tx, &i, sizeof(i)), EXO_OK);                   \
            assert_int_equal(exo_view_as(&pair.rx, MODE, &view), EXO_OK);                         \
            assert_true(view.len == 300 && has_pattern(view.data, 300, i));                       \
            again = view;                                                                         \
            assert_int_equal(exo_release_as(&pair.rx, MODE, &view), EXO_OK);                      \
            assert_null(view.data);                                                               \
            assert_int_equal(exo_release_as(&pair.rx, MODE, &view), EXO_NOT_FOUND);               \
            assert_int_equal(exo_release_as(&pair.rx, MODE, &again), EXO_NOT_FOUND);              \
            assert_int_equal(exo_view_as(&pair.rx, MODE, &view), EXO_OK);                         \
            assert_true(view.len == sizeof(i) && memcmp(view.data, &i, sizeof(i)) == 0);          \
            assert_int_equal(exo_release_as(&pair.rx, MODE, &view), EXO_OK);                      \
            assert_int_equal(exo_release_as(&pair.rx, MODE, &view), EXO_NOT_FOUND);               \
        }                                                                                         \
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);                                     \
        close_pair(&pair);                                                                        \
    }

LOANS_AS(a_constant_spsc_behaves_as_the_plain_calls, EXO_SPSC)
LOANS_AS(a_constant_mpsc_behaves_as_the_plain_calls, EXO_MPSC)
LOANS_AS(a_constant_spmc_behaves_as_the_plain_calls, EXO_SPMC)
LOANS_AS(a_constant_mpmc_behaves_as_the_plain_calls, EXO_MPMC)
LOANS_AS(a_constant_polled_spsc_behaves_as_the_plain_calls, EXO_SPSC | EXO_POLLED)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_spsc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_mpsc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_spmc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_mpmc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_polled_spsc_behaves_as_the_plain_calls),
        cmocka_unit_test(message_is_read_where_it_was_written),
        cmocka_unit_test(every_size_goes_through),
        cmocka_unit_test(any_order_loses_and_mixes_up_nothing),
        cmocka_unit_test(full_arena_refuses_until_something_is_released),
        cmocka_unit_test(loan_finds_all_that_was_released),
        cmocka_unit_test(full_ring_leaves_the_loan_to_its_owner),
        cmocka_unit_test(release_reaches_the_sender_it_came_from),
        cmocka_unit_test(ring_without_arena_lends_nothing),
        cmocka_unit_test(next_sender_takes_the_arena_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
