/* SPDX-License-Identifier: MIT */
/*
 * Broadcast without copying: who holds a block, when it comes back, and to whom it is never lent meanwhile.
 */
#include "broadcast_fixture.h"

static struct cast cast;

/* How many blocks can be lent now. */
static exo_u32 count_free(void)
{
    struct exo_loaned loan[BLOCKS + 1];
    exo_u32 count = 0;
    exo_u32 i;
    while (count <= BLOCKS && exo_broadcast_loan(&cast.tx, BLOCK, &loan[count]) == EXO_OK) {
        count++;
    }
    for (i = 0; i < count; i++) {
        assert_int_equal(exo_broadcast_loan_cancel(&cast.tx, &loan[i]), EXO_OK);
    }
    return count;
}

static void all_read_where_it_was_written(struct exo_broadcast_config config)
{
    struct exo_loaned loan;
    struct exo_viewed view[SUBSCRIBERS];
    const void *written;
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, SUBSCRIBERS);
    assert_int_equal(exo_broadcast_loan(&cast.tx, 100, &loan), EXO_OK);
    written = loan.data;
    memset(loan.data, 7, 100);
    loan.off = 10;
    loan.len = 90;
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &loan), EXO_OK);
    assert_null(loan.data);
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &loan), EXO_NOT_FOUND);
    for (i = 0; i < SUBSCRIBERS; i++) {
        open_view(&cast.sub[i], &view[i], 90, 7);
        assert_ptr_equal(view[i].data, (const exo_u8 *)written + 10);
    }
    for (i = 0; i < SUBSCRIBERS; i++) {
        struct exo_viewed again = view[i];
        assert_int_equal(exo_subscriber_release(&cast.sub[i], &view[i]), EXO_OK);
        assert_int_equal(exo_subscriber_release(&cast.sub[i], &view[i]), EXO_NOT_FOUND);
        assert_int_equal(exo_subscriber_release(&cast.sub[i], &again), EXO_NOT_FOUND);
    }
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), SUBSCRIBERS);
    cast_close(&cast);
}

static void wrong_loans_are_refused_and_stay(struct exo_broadcast_config config)
{
    struct exo_loaned loan;
    struct exo_loaned copy;
    cast_open(&cast, &config);
    assert_int_equal(exo_broadcast_loan(&cast.tx, BLOCKS * BLOCK + 1, &loan), EXO_INVALID_SIZE);
    assert_int_equal(exo_broadcast_loan(&cast.tx, EXO_SIZE_MAX, &loan), EXO_INVALID_SIZE);
    assert_int_equal(exo_broadcast_loan(&cast.tx, 0, &loan), EXO_OK);
    loan.off = BLOCK;
    loan.len = 1;
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &loan), EXO_INVALID_SIZE);
    loan.off = EXO_SIZE_MAX;
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &loan), EXO_INVALID_SIZE);
    copy = loan;
    assert_int_equal(exo_broadcast_loan_cancel(&cast.tx, &loan), EXO_OK);
    assert_int_equal(exo_broadcast_loan_cancel(&cast.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &copy), EXO_NOT_FOUND);
    assert_int_equal(count_free(), BLOCKS);
    cast_close(&cast);
    config.arena_size = EXO_ARENA_NONE;
    cast_open(&cast, &config);
    assert_int_equal(exo_broadcast_loan(&cast.tx, 1, &loan), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_broadcast_send_loan(&cast.tx, &copy), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_broadcast_loan_cancel(&cast.tx, &copy), EXO_NOT_SUPPORTED);
    cast_close(&cast);
}

static void a_block_comes_back_when_the_last_one_has_released_it(struct exo_broadcast_config config)
{
    struct exo_viewed view[3];
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 3);
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 1), EXO_OK);
    for (i = 0; i < 3; i++) {
        assert_int_equal(cast_loan(&cast, 6 * BLOCK, 2), EXO_FULL);
        open_view(&cast.sub[i], &view[i], 6 * BLOCK, 1);
    }
    for (i = 0; i < 3; i++) {
        assert_int_equal(count_free(), 2);
        assert_int_equal(exo_subscriber_release(&cast.sub[(i + 1) % 3], &view[(i + 1) % 3]), EXO_OK);
    }
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 2), EXO_OK);
    for (i = 0; i < 3; i++) {
        hear_view(&cast.sub[i], 6 * BLOCK, 2);
    }
    assert_int_equal(count_free(), BLOCKS);
    cast_close(&cast);
}

static void who_leaves_gives_back_all_it_held(struct exo_broadcast_config config)
{
    struct exo_viewed view;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    assert_int_equal(cast_loan(&cast, 3 * BLOCK, 1), EXO_OK); /* viewed by one */
    assert_int_equal(cast_loan(&cast, 3 * BLOCK, 2), EXO_OK); /* not taken by it */
    hear_view(&cast.sub[1], 3 * BLOCK, 1);
    hear_view(&cast.sub[1], 3 * BLOCK, 2);
    open_view(&cast.sub[0], &view, 3 * BLOCK, 1);
    assert_int_equal(count_free(), config.policy == EXO_RELIABLE ? 2 : 5);
    assert_int_equal(exo_subscriber_leave(&cast.sub[0]), EXO_OK);
    assert_int_equal(count_free(), BLOCKS);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    cast_close(&cast);
}

static void history_holds_its_blocks_for_who_joins(struct exo_broadcast_config config)
{
    struct exo_viewed view;
    cast_open(&cast, &config);
    assert_int_equal(cast_loan(&cast, BLOCK, 1), EXO_OK);
    assert_int_equal(cast_loan(&cast, BLOCK, 2), EXO_OK);
    cast_numbers(&cast, 3, 3);
    assert_int_equal(exo_broadcast_subscribe(&cast.broadcast, &cast.sub[0], 2), EXO_OK);
    assert_int_equal(exo_broadcast_poll(&cast.tx), EXO_OK);
    open_view(&cast.sub[0], &view, BLOCK, 2);
    assert_int_equal(count_free(), BLOCKS - 1);
    assert_filled(view.data, BLOCK, 2);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view), EXO_OK);
    assert_int_equal(count_free(), BLOCKS);
    hear_numbers(&cast.sub[0], 3, 3);
    cast_close(&cast);
}

/* More loans than blocks, for subscribers that keep up: the arena never runs dry. */
static void blocks_go_round(struct exo_broadcast_config config)
{
    exo_u32 round;
    cast_open(&cast, &config);
    cast_join(&cast, 3);
    for (round = 0; round < 300; round++) {
        exo_size size = round * 37 % (3 * BLOCK);
        exo_u32 i;
        assert_int_equal(cast_loan(&cast, size, (exo_u8)round), EXO_OK);
        assert_int_equal(cast_number(&cast, round), EXO_OK);
        for (i = 0; i < 3; i++) {
            hear_view(&cast.sub[i], size, (exo_u8)round);
            hear_numbers(&cast.sub[i], round, round);
        }
    }
    assert_int_equal(count_free(), BLOCKS);
    cast_close(&cast);
}

static void a_pinned_block_is_not_lent_again(struct exo_broadcast_config config)
{
    struct exo_viewed view[2];
    exo_u32 i;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    assert_int_equal(cast_loan(&cast, 2 * BLOCK, 1), EXO_OK);
    assert_int_equal(cast_loan(&cast, 2 * BLOCK, 2), EXO_OK);
    open_view(&cast.sub[0], &view[0], 2 * BLOCK, 1);
    open_view(&cast.sub[1], &view[1], 2 * BLOCK, 1);
    for (i = 0; i < 30; i++) {
        assert_int_equal(cast_loan(&cast, 2 * BLOCK, 9), EXO_OK);
        assert_filled(view[0].data, 2 * BLOCK, 1);
    }
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view[0]), EXO_OK);
    assert_int_equal(count_free(), 6);
    assert_filled(view[1].data, 2 * BLOCK, 1);
    assert_int_equal(exo_subscriber_release(&cast.sub[1], &view[1]), EXO_OK);
    assert_int_equal(count_free(), 8);
    assert_int_equal(exo_subscriber_view(&cast.sub[0], &view[0]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed(&cast.sub[0]), 31); /* count_free() retired them all */
    assert_int_equal(exo_subscriber_view(&cast.sub[0], &view[0]), EXO_EMPTY);
    cast_close(&cast);
}

static void slots_retired_for_their_blocks_are_missed_and_counted(struct exo_broadcast_config config)
{
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    cast_numbers(&cast, 0, 0);
    assert_int_equal(cast_loan(&cast, 4 * BLOCK, 1), EXO_OK);
    assert_int_equal(cast_loan(&cast, 4 * BLOCK, 2), EXO_OK);
    assert_int_equal(cast_loan(&cast, 4 * BLOCK, 3), EXO_OK);
    hear_numbers(&cast.sub[0], 0, 0);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    assert_int_equal(exo_subscriber_missed(&cast.sub[0]), 1);
    hear_view(&cast.sub[0], 4 * BLOCK, 2);
    hear_view(&cast.sub[0], 4 * BLOCK, 3);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_EMPTY);
    cast_close(&cast);
}

static void more_views_than_pins_are_refused(struct exo_broadcast_config config)
{
    struct exo_viewed view[EXO_PINS];
    exo_u8 bytes[BLOCK];
    exo_u32 i;
    config.slots = 32;
    config.arena_size = 32 * BLOCK;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    for (i = 0; i <= EXO_PINS; i++) {
        assert_int_equal(cast_loan(&cast, BLOCK, (exo_u8)i), EXO_OK);
    }
    for (i = 0; i < EXO_PINS - 1; i++) {
        open_view(&cast.sub[0], &view[i], BLOCK, (exo_u8)i);
    }
    assert_int_equal(exo_subscriber_view(&cast.sub[0], &view[i]), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_subscriber_recv(&cast.sub[0], bytes, sizeof(bytes)), BLOCK); /* copying has a pin of its own */
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view[3]), EXO_OK);
    open_view(&cast.sub[0], &view[3], BLOCK, EXO_PINS);
    cast_close(&cast);
}

static struct exo_viewed kept; /* by who is to be cut off */

/* As long as nothing is sent, what is being viewed stands still. */
static exo_status send_four_blocks(struct cast *to)
{
    exo_status status = cast_loan(to, 4 * BLOCK, 3);
    if (status == EXO_FULL) {
        assert_filled(kept.data, 5 * BLOCK, 1);
    }
    return status;
}

static void who_keeps_blocks_past_the_limit_is_cut_off(struct exo_broadcast_config config)
{
    config.lag_ns = 20 * MILLISECOND_NS;
    cast_open(&cast, &config);
    cast_join(&cast, 2);
    assert_int_equal(cast_loan(&cast, 5 * BLOCK, 1), EXO_OK);
    open_view(&cast.sub[0], &kept, 5 * BLOCK, 1);
    hear_view(&cast.sub[1], 5 * BLOCK, 1);
    assert_int_equal(cast_loan(&cast, BLOCK, 2), EXO_OK);
    hear_view(&cast.sub[1], BLOCK, 2);
    assert_true(refused_until_the_limit(&cast, send_four_blocks) >= config.lag_ns);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &kept), EXO_OVERFLOW);
    assert_int_equal(hear_number(&cast.sub[0]), EXO_OVERFLOW);
    hear_view(&cast.sub[1], 4 * BLOCK, 3);
    assert_int_equal(exo_broadcast_subscribers(&cast.tx), 1);
    assert_int_equal(count_free(), BLOCKS);
    cast_close(&cast);
}

/* Shortage in the past is no reason to cut off who makes a short one now. */
static void each_shortage_is_timed_by_itself(struct exo_broadcast_config config)
{
    struct exo_viewed view;
    config.lag_ns = 30 * MILLISECOND_NS;
    cast_open(&cast, &config);
    cast_join(&cast, 1);
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 1), EXO_OK);
    open_view(&cast.sub[0], &view, 6 * BLOCK, 1);
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 2), EXO_FULL);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view), EXO_OK);
    outwait(40 * MILLISECOND_NS);
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 2), EXO_OK);
    open_view(&cast.sub[0], &view, 6 * BLOCK, 2);
    assert_int_equal(cast_loan(&cast, 6 * BLOCK, 3), EXO_FULL);
    assert_int_equal(exo_subscriber_release(&cast.sub[0], &view), EXO_OK);
    cast_close(&cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(all_read_where_it_was_written),
        IN_BOTH(wrong_loans_are_refused_and_stay),
        IN_RELIABLE(a_block_comes_back_when_the_last_one_has_released_it),
        IN_BOTH(who_leaves_gives_back_all_it_held),
        IN_BOTH(history_holds_its_blocks_for_who_joins),
        IN_BOTH(blocks_go_round),
        IN_LATEST(a_pinned_block_is_not_lent_again),
        IN_LATEST(slots_retired_for_their_blocks_are_missed_and_counted),
        IN_LATEST(more_views_than_pins_are_refused),
        IN_BOTH(who_keeps_blocks_past_the_limit_is_cut_off),
        IN_BOTH(each_shortage_is_timed_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
