/* SPDX-License-Identifier: MIT */
/*
 * Views: by reference and of inline messages, alone and in lots, released rightly and wrongly.
 */
#include "zerocopy_fixture.h"

static const struct variant plain = {EXO_SPSC, EXO_THREADS, BELOW_WRAP};

static void view_is_released_once_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_viewed view;
    struct exo_viewed copy;
    open_pair(&pair, variant);
    send_filled(&pair.tx, 500, 1);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    copy = view;
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_NOT_FOUND);
    assert_int_equal(exo_release(&pair.rx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    /* The same block, lent and viewed anew, is not given back by the old paper. */
    send_filled(&pair.tx, 500, 2);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    copy.data = view.data;
    copy.token = view.token - (1ull << 32);
    assert_int_equal(exo_release(&pair.rx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 2 * BLOCK);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    send_filled(&pair.tx, 1, 3);
    expect_filled(&pair.rx, 1, 3);
    close_pair(&pair);
}

static void view_is_released_once(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        view_is_released_once_in(&variants[i]);
    }
}

static void view_that_was_never_received_is_not_found_in(const struct variant *variant)
{
    static const exo_u64 tokens[] = {1,
                                     1ull << 32 | 1,
                                     2ull << 32,
                                     1ull << 32 | BLOCKS,
                                     1ull << 32 | 2 * BLOCKS,
                                     1ull << 32 | 0xFFFFFFFFu,
                                     ~0ull,
                                     0xFFFFFFFFull << 32};
    struct pair pair;
    struct exo_viewed view;
    size_t i;
    open_pair(&pair, variant);
    send_filled(&pair.tx, 100, 1); /* block 0, generation 1, still in its slot */
    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct exo_viewed forged = {&pair, 1, tokens[i], {0}};
        assert_int_equal(exo_release(&pair.rx, &forged), EXO_NOT_FOUND);
        forged.data = &pair;
        forged.token = 1ull << 32;
        assert_int_equal(exo_release(&pair.rx, &forged), EXO_NOT_FOUND);
    }
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct exo_viewed forged = {view.data, 1, tokens[i], {0}};
        assert_int_equal(exo_release(&pair.rx, &forged), EXO_NOT_FOUND);
    }
    assert_int_equal(exo_loans_outstanding(&pair.tx), BLOCK);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

static void view_that_was_never_received_is_not_found(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        view_that_was_never_received_is_not_found_in(&variants[i]);
    }
}

static void failed_view_is_cleared(void **state)
{
    struct pair pair;
    struct exo_viewed view = {&pair, 7, 7, {0}};
    (void)state;
    open_pair(&pair, &plain);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_EMPTY);
    assert_null(view.data);
    assert_int_equal(view.len, 0);
    assert_int_equal(exo_release(&pair.rx, &view), EXO_NOT_FOUND);
    close_pair(&pair);
}

static void inline_message_is_viewed_as_a_copy_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_viewed view;
    exo_u8 bytes[56];
    exo_size size;
    open_sized(&pair, variant, 2, ARENA);
    for (size = 0; size <= 56; size++) {
        memset(bytes, (int)size + 1, sizeof(bytes));
        assert_int_equal(exo_send_inline(&pair.tx, bytes, size), EXO_OK);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        assert_ptr_equal(view.data, view.copy);
        assert_int_equal(view.len, size);
        assert_memory_equal(view.data, bytes, size);
        /* The slot is free already: the whole ring can be filled, and the copy stands still. */
        assert_int_equal(exo_send_inline(&pair.tx, "x", 1), EXO_OK);
        assert_int_equal(exo_send_inline(&pair.tx, "y", 1), EXO_OK);
        assert_int_equal(exo_send_inline(&pair.tx, "z", 1), EXO_FULL);
        assert_memory_equal(view.data, bytes, size);
        assert_int_equal(exo_recv(&pair.rx, bytes, 56), 1);
        assert_int_equal(exo_recv(&pair.rx, bytes, 56), 1);
        assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
        assert_int_equal(exo_release(&pair.rx, &view), EXO_NOT_FOUND);
    }
    close_pair(&pair);
}

static void inline_message_is_viewed_as_a_copy(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        inline_message_is_viewed_as_a_copy_in(&variants[i]);
    }
}

static void packed_messages_are_viewed_one_by_one(void **state)
{
    struct pair pair;
    struct exo_viewed view;
    exo_u32 i;
    (void)state;
    open_pair(&pair, &plain);
    assert_int_equal(exo_send_bulk(&pair.tx, "aabbccddeeffgghhiijjkkllmmnnooppqqrrssttuuvvwwxxyyzz"
                                             "AABBCCDD", 2, 30), 30);
    for (i = 0; i < 30; i++) {
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        assert_int_equal(view.len, 2);
        assert_int_equal(((const char *)view.data)[0], (i < 26 ? 'a' : 'A' - 26) + (int)i);
        assert_int_equal(((const char *)view.data)[1], (i < 26 ? 'a' : 'A' - 26) + (int)i);
    }
    assert_int_equal(exo_view(&pair.rx, &view), EXO_EMPTY);
    close_pair(&pair);
}

static void message_by_reference_stays_for_a_call_that_takes_inline_ones_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_peeked peeked;
    exo_u8 bytes[64];
    exo_u32 length;
    open_pair(&pair, variant);
    send_filled(&pair.tx, 20, 1);
    assert_int_equal(exo_recv_inline(&pair.rx, bytes, 56), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_recv_burst(&pair.rx, bytes, 56, 1, &length), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_recv_bulk(&pair.rx, bytes, 56, 1, &length), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_peek(&pair.rx, &peeked), EXO_TYPE_MISMATCH);
    expect_filled(&pair.rx, 20, 1);
    close_pair(&pair);
}

static void message_by_reference_stays_for_a_call_that_takes_inline_ones(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        message_by_reference_stays_for_a_call_that_takes_inline_ones_in(&variants[i]);
    }
}

static void burst_of_views_takes_what_is_there_of_both_kinds(void **state)
{
    size_t v;
    (void)state;
    for (v = 0; v < VARIANTS; v++) {
        struct pair pair;
        struct exo_viewed view[4];
        open_pair(&pair, &variants[v]);
        assert_int_equal(exo_view_burst(&pair.rx, view, 4), EXO_EMPTY);
        assert_int_equal(exo_view_burst(&pair.rx, view, 0), 0);
        send_filled(&pair.tx, 100, 1);
        assert_int_equal(exo_send_inline(&pair.tx, "inline", 6), EXO_OK);
        send_filled(&pair.tx, 200, 2);
        assert_int_equal(exo_view_burst(&pair.rx, view, 4), 3);
        assert_true(has_pattern(view[0].data, 100, 1));
        assert_memory_equal(view[1].data, "inline", 6);
        assert_true(has_pattern(view[2].data, 200, 2));
        assert_int_equal(exo_release(&pair.rx, &view[2]), EXO_OK);
        assert_int_equal(exo_release(&pair.rx, &view[0]), EXO_OK);
        assert_int_equal(exo_release(&pair.rx, &view[1]), EXO_OK);
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        close_pair(&pair);
    }
}

static void bulk_of_views_takes_all_or_none_in(const struct variant *variant)
{
    struct pair pair;
    struct exo_viewed view[9];
    open_pair(&pair, variant);
    send_filled(&pair.tx, 100, 1);
    if ((variant->mode & EXO_MODE_MC) != 0) {
        assert_int_equal(exo_view_bulk(&pair.rx, view, 1), EXO_NOT_SUPPORTED);
        close_pair(&pair);
        return;
    }
    assert_int_equal(exo_view_bulk(&pair.rx, view, 0), 0);
    assert_int_equal(exo_view_bulk(&pair.rx, view, 2), EXO_EMPTY);
    assert_int_equal(exo_send_inline(&pair.tx, "inline", 6), EXO_OK);
    assert_int_equal(exo_view_bulk(&pair.rx, view, 3), EXO_EMPTY);
    assert_int_equal(exo_view_bulk(&pair.rx, view, 2), 2);
    assert_true(has_pattern(view[0].data, 100, 1));
    assert_memory_equal(view[1].data, "inline", 6);
    assert_int_equal(exo_release(&pair.rx, &view[0]), EXO_OK);
    send_filled(&pair.tx, 100, 3);
    assert_int_equal(exo_sender_close(&pair.tx), EXO_OK);
    assert_int_equal(exo_view_bulk(&pair.rx, view, 2), EXO_CLOSED);
    assert_int_equal(exo_view_bulk(&pair.rx, view, 1), 1);
    assert_true(has_pattern(view[0].data, 100, 3));
    assert_int_equal(exo_view_bulk(&pair.rx, view, 1), EXO_CLOSED);
    close_pair(&pair);
}

static void bulk_of_views_takes_all_or_none(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        bulk_of_views_takes_all_or_none_in(&variants[i]);
    }
}

static void what_was_sent_before_closing_can_be_viewed(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < VARIANTS; i++) {
        struct pair pair;
        struct exo_viewed view;
        open_pair(&pair, &variants[i]);
        send_filled(&pair.tx, 100, 1);
        send_filled(&pair.tx, 300, 2);
        assert_int_equal(exo_sender_close(&pair.tx), EXO_OK);
        expect_filled(&pair.rx, 100, 1);
        expect_filled(&pair.rx, 300, 2);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_CLOSED);
        assert_null(view.data);
        close_pair(&pair);
    }
}

/* With several consumers any of them may give back what another one received. */
static void any_consumer_releases_once(void **state)
{
    static const struct variant mc = {EXO_SPMC, EXO_THREADS, BELOW_WRAP};
    struct pair pair;
    struct exo_receiver other;
    struct exo_viewed view;
    struct exo_viewed copy;
    (void)state;
    open_pair(&pair, &mc);
    assert_int_equal(exo_ring_receiver(&pair.ring, &other), EXO_OK);
    send_filled(&pair.tx, 100, 1);
    send_filled(&pair.tx, 100, 2);
    assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
    copy = view;
    expect_filled(&other, 100, 2);
    assert_int_equal(exo_release(&other, &view), EXO_OK);
    assert_int_equal(exo_release(&pair.rx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_is_released_once),
        cmocka_unit_test(view_that_was_never_received_is_not_found),
        cmocka_unit_test(failed_view_is_cleared),
        cmocka_unit_test(inline_message_is_viewed_as_a_copy),
        cmocka_unit_test(packed_messages_are_viewed_one_by_one),
        cmocka_unit_test(message_by_reference_stays_for_a_call_that_takes_inline_ones),
        cmocka_unit_test(burst_of_views_takes_what_is_there_of_both_kinds),
        cmocka_unit_test(bulk_of_views_takes_all_or_none),
        cmocka_unit_test(what_was_sent_before_closing_can_be_viewed),
        cmocka_unit_test(any_consumer_releases_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
