/* SPDX-License-Identifier: MIT */
/*
 * Sleeping and waking, both halves, one step at a time in one thread. Each wake-up adds one to the
 * waker's event word, so that they can be counted. That sleepers really wake is tested in test_capacity.c
 * and test_inline.c.
 */
#include "ring_fixture.h"

struct pair {
    exo_u32 waiters; /* written by the sleeper */
    exo_u32 event;   /* written by the waker */
    struct exo_waker waker;
    struct exo_sleeper sleeper;
};

static struct pair make_pair(exo_bool fenced, exo_bool counted, exo_bool alone)
{
    struct pair pair;
    memset(&pair, 0, sizeof(pair));
    pair.waker.fenced = fenced;
    pair.waker.counted = counted;
    pair.waker.seen = fenced ? 0xFFFFFFFFu : 0;
    pair.sleeper.fenced = fenced;
    pair.sleeper.counted = counted;
    pair.sleeper.alone = alone;
    return pair;
}

/* The words move with the struct, so the pointers are set where it stays. */
static void join(struct pair *pair)
{
    pair->waker.waiters = &pair->waiters;
    pair->waker.event = &pair->event;
    pair->sleeper.waiters = &pair->waiters;
    pair->sleeper.event = &pair->event;
    if (!exo_port_fence_setup()) {
        pair->sleeper.fenced = EXO_TRUE; /* heavy fences are not to be called here */
    }
}

static void nobody_announced_means_no_wake(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < 8; i++) {
        struct pair pair = make_pair((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
        join(&pair);
        assert_int_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
        assert_int_equal(exo_waker_notify_pvt(&pair.waker, 0xFFFFFFFFu), 0);
        assert_int_equal(pair.event, 0);
        assert_int_equal(pair.waiters, 0);
    }
}

static void each_announcement_is_answered_by_one_wake(void **state)
{
    exo_u32 fenced;
    (void)state;
    for (fenced = 0; fenced < 2; fenced++) {
        struct pair pair = make_pair(fenced != 0, EXO_FALSE, EXO_TRUE);
        exo_u32 turn;
        join(&pair);
        for (turn = 1; turn < 10; turn++) {
            exo_sleeper_announce_pvt(&pair.sleeper);
            assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1) & EXO_WAIT_ASLEEP, 0);
            assert_int_equal(pair.event, turn);
            (void)exo_waker_notify_pvt(&pair.waker, 1);
            (void)exo_waker_notify_pvt(&pair.waker, 1);
            assert_int_equal(pair.event, turn);
        }
    }
}

static void an_announcement_that_was_answered_needs_no_further_look(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_TRUE);
    (void)state;
    join(&pair);
    exo_sleeper_announce_pvt(&pair.sleeper);
    assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
    assert_int_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
    assert_int_equal(pair.waker.seen, pair.waiters);
}

static void a_withdrawn_announcement_is_not_answered(void **state)
{
    exo_u32 counted;
    (void)state;
    for (counted = 0; counted < 2; counted++) {
        struct pair pair = make_pair(EXO_FALSE, counted != 0, counted == 0);
        join(&pair);
        exo_sleeper_announce_pvt(&pair.sleeper);
        exo_sleeper_withdraw_pvt(&pair.sleeper);
        (void)exo_waker_notify_pvt(&pair.waker, 1);
        assert_int_equal(pair.event, 0);
    }
}

static void every_announcement_is_a_new_value(void **state)
{
    exo_u32 alone;
    (void)state;
    for (alone = 0; alone < 2; alone++) {
        struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, alone != 0);
        exo_u32 before = 0;
        exo_u32 turn;
        join(&pair);
        pair.waiters = 0u - 3 * EXO_WAIT_STEP; /* the number runs over within the test */
        for (turn = 0; turn < 6; turn++) {
            exo_sleeper_announce_pvt(&pair.sleeper);
            assert_int_not_equal(pair.waiters & EXO_WAIT_ASLEEP, 0);
            assert_int_not_equal(pair.waiters, before);
            before = pair.waiters;
            exo_sleeper_withdraw_pvt(&pair.sleeper);
            assert_int_equal(pair.waiters & EXO_WAIT_ASLEEP, alone != 0 ? 0 : EXO_WAIT_ASLEEP);
            (void)exo_waker_notify_pvt(&pair.waker, 1);
        }
    }
}

static void announcing_keeps_the_closed_flag(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < 3; i++) {
        struct pair pair = make_pair(EXO_FALSE, i == 0, i == 1);
        join(&pair);
        pair.waiters = EXO_WAIT_CLOSED;
        exo_sleeper_announce_pvt(&pair.sleeper);
        assert_int_not_equal(pair.waiters & EXO_WAIT_CLOSED, 0);
        exo_sleeper_withdraw_pvt(&pair.sleeper);
        assert_int_not_equal(pair.waiters & EXO_WAIT_CLOSED, 0);
        assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1) & EXO_WAIT_CLOSED, 0);
    }
}

static void several_sleepers_are_counted(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_TRUE, EXO_FALSE);
    (void)state;
    join(&pair);
    exo_sleeper_announce_pvt(&pair.sleeper);
    exo_sleeper_announce_pvt(&pair.sleeper);
    assert_int_equal(pair.waiters, 2 * EXO_WAIT_STEP);
    assert_int_equal(exo_waker_notify_pvt(&pair.waker, 1), 2 * EXO_WAIT_STEP);
    assert_int_equal(pair.event, 1);
    exo_sleeper_withdraw_pvt(&pair.sleeper);
    assert_int_equal(exo_waker_notify_pvt(&pair.waker, 1), EXO_WAIT_STEP);
    assert_int_equal(pair.event, 2); /* the count did not go to nought: somebody still sleeps */
    exo_sleeper_withdraw_pvt(&pair.sleeper);
    assert_int_equal(pair.waiters, 0);
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    assert_int_equal(pair.event, 2);
}

static void a_count_that_stays_the_same_is_answered_each_time(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_TRUE, EXO_FALSE);
    exo_u32 turn;
    (void)state;
    join(&pair);
    for (turn = 1; turn < 10; turn++) {
        exo_sleeper_announce_pvt(&pair.sleeper);
        (void)exo_waker_notify_pvt(&pair.waker, 1);
        assert_int_equal(pair.event, turn);
        exo_sleeper_withdraw_pvt(&pair.sleeper); /* and another one announces itself */
    }
}

static void a_waker_without_heavy_fences_looks_every_time(void **state)
{
    struct pair pair = make_pair(EXO_TRUE, EXO_FALSE, EXO_TRUE);
    exo_u32 seen;
    (void)state;
    join(&pair);
    seen = pair.waker.seen;
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    exo_sleeper_announce_pvt(&pair.sleeper);
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    assert_int_equal(pair.waker.seen, seen);
    assert_int_not_equal(pair.waker.seen, pair.waiters);
}

static void fall_asleep_often(struct pair *pair)
{
    exo_u32 i;
    for (i = 0; i < EXO_PARKED_OFTEN; i++) {
        exo_sleeper_adapt_pvt(&pair->sleeper, EXO_TRUE);
    }
}

static void a_sleeper_that_sleeps_often_asks_for_fences(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_TRUE);
    exo_u32 i;
    (void)state;
    join(&pair);
    for (i = 0; i < EXO_PARKED_OFTEN; i++) {
        exo_sleeper_announce_pvt(&pair.sleeper);
        assert_int_equal(pair.waiters & EXO_WAIT_FENCE, 0);
        assert_false(pair.sleeper.asks);
        exo_sleeper_withdraw_pvt(&pair.sleeper);
        exo_sleeper_adapt_pvt(&pair.sleeper, EXO_TRUE);
    }
    exo_sleeper_announce_pvt(&pair.sleeper);
    assert_int_not_equal(pair.waiters & EXO_WAIT_FENCE, 0);
    assert_true(pair.sleeper.asks);
    exo_sleeper_withdraw_pvt(&pair.sleeper);
    assert_int_equal(pair.waiters & (EXO_WAIT_FENCE | EXO_WAIT_ASLEEP), EXO_WAIT_FENCE);
}

static void a_waker_that_is_asked_for_fences_looks_every_time(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_TRUE);
    (void)state;
    join(&pair);
    fall_asleep_often(&pair);
    exo_sleeper_announce_pvt(&pair.sleeper);
    assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
    assert_int_equal(pair.event, 1);
    exo_sleeper_withdraw_pvt(&pair.sleeper);
    assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
    assert_int_not_equal(exo_waker_notify_pvt(&pair.waker, 1), 0);
    assert_int_not_equal(pair.waker.seen, pair.waiters);
    assert_int_equal(pair.event, 1);
}

static void a_sleeper_that_need_not_sleep_takes_its_request_back(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_TRUE);
    exo_u32 i;
    (void)state;
    join(&pair);
    pair.waiters = EXO_WAIT_CLOSED;
    fall_asleep_often(&pair);
    exo_sleeper_announce_pvt(&pair.sleeper);
    exo_sleeper_withdraw_pvt(&pair.sleeper);
    for (i = 1; i < EXO_PARKED_OFTEN; i++) {
        exo_sleeper_adapt_pvt(&pair.sleeper, EXO_FALSE);
        assert_int_not_equal(pair.waiters & EXO_WAIT_FENCE, 0);
    }
    exo_sleeper_adapt_pvt(&pair.sleeper, EXO_FALSE);
    assert_int_equal(pair.waiters & (EXO_WAIT_FENCE | EXO_WAIT_CLOSED), EXO_WAIT_CLOSED);
    assert_false(pair.sleeper.asks);
    assert_int_equal(pair.sleeper.parked, 0);
    exo_sleeper_adapt_pvt(&pair.sleeper, EXO_FALSE);
    assert_int_equal(pair.sleeper.parked, 0);
}

static void a_long_sleep_is_forgotten_after_a_few_quick_turns(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_TRUE);
    exo_u32 i;
    (void)state;
    join(&pair);
    for (i = 0; i < 1000; i++) {
        exo_sleeper_adapt_pvt(&pair.sleeper, EXO_TRUE);
    }
    for (i = 0; i < 2 * EXO_PARKED_OFTEN; i++) {
        exo_sleeper_adapt_pvt(&pair.sleeper, EXO_FALSE);
    }
    assert_int_equal(pair.sleeper.parked, 0);
}

static void one_of_several_sleepers_never_asks_for_fences(void **state)
{
    exo_u32 counted;
    (void)state;
    for (counted = 0; counted < 2; counted++) {
        struct pair pair = make_pair(EXO_FALSE, counted != 0, EXO_FALSE);
        join(&pair);
        fall_asleep_often(&pair);
        fall_asleep_often(&pair);
        exo_sleeper_announce_pvt(&pair.sleeper);
        assert_int_equal(pair.waiters & EXO_WAIT_FENCE, 0);
        assert_false(pair.sleeper.asks);
    }
}

static void sleepers_who_may_be_killed_are_woken_once_each_whoever_dies(void **state)
{
    struct pair pair = make_pair(EXO_FALSE, EXO_FALSE, EXO_FALSE);
    (void)state;
    join(&pair);
    exo_sleeper_announce_pvt(&pair.sleeper); /* this one dies */
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    assert_int_equal(pair.event, 1);
    exo_sleeper_announce_pvt(&pair.sleeper); /* that one lives */
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    (void)exo_waker_notify_pvt(&pair.waker, 1);
    assert_int_equal(pair.event, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_announced_means_no_wake),
        cmocka_unit_test(each_announcement_is_answered_by_one_wake),
        cmocka_unit_test(an_announcement_that_was_answered_needs_no_further_look),
        cmocka_unit_test(a_withdrawn_announcement_is_not_answered),
        cmocka_unit_test(every_announcement_is_a_new_value),
        cmocka_unit_test(announcing_keeps_the_closed_flag),
        cmocka_unit_test(several_sleepers_are_counted),
        cmocka_unit_test(a_count_that_stays_the_same_is_answered_each_time),
        cmocka_unit_test(a_waker_without_heavy_fences_looks_every_time),
        cmocka_unit_test(a_sleeper_that_sleeps_often_asks_for_fences),
        cmocka_unit_test(a_waker_that_is_asked_for_fences_looks_every_time),
        cmocka_unit_test(a_sleeper_that_need_not_sleep_takes_its_request_back),
        cmocka_unit_test(a_long_sleep_is_forgotten_after_a_few_quick_turns),
        cmocka_unit_test(one_of_several_sleepers_never_asks_for_fences),
        cmocka_unit_test(sleepers_who_may_be_killed_are_woken_once_each_whoever_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
