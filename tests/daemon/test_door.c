/* SPDX-License-Identifier: MIT */
/* The share of the daemon's time that newcomers have, by a clock that the claims set. */
#include "daemon_fixture.h"

#include "../../daemon/daemon.h"

#define BEGIN_NS (1000 * SECOND_NS)

/* Somebody always wants in, and each takes `each_ns`; returns what all took until `end_ns`. */
static exo_u64 crowds(struct door *door, exo_u64 now, exo_u64 end_ns, exo_u64 each_ns)
{
    exo_u64 took = 0;
    while (now < end_ns) {
        if (door_open(door, now)) {
            now += each_ns;
            took += each_ns;
            door_pay(door, now, each_ns);
        } else {
            now += 7000; /* others are served */
        }
    }
    return took;
}

static void newcomers_get_their_share_and_no_more(void **state)
{
    static const exo_u64 each[] = {1000, 30000, 1000000, DOOR_SHUT_NS / DOOR_SHARE};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(each); i++) {
        struct door door = {0};
        exo_u64 share = 10 * SECOND_NS / DOOR_SHARE;
        exo_u64 took = crowds(&door, BEGIN_NS, BEGIN_NS + 10 * SECOND_NS, each[i]);
        assert_true(took >= share - share / 16);
        assert_true(took <= share + DOOR_CROWD_NS / DOOR_SHARE + each[i]);
    }
}

static void a_crowd_comes_in_at_once_however_long_it_was_quiet(void **state)
{
    struct door door = {0};
    exo_u64 now = BEGIN_NS;
    exo_u32 turn;
    (void)state;
    for (turn = 0; turn < 3; turn++) {
        exo_u64 came = 0;
        for (; door_open(&door, now); came++) {
            door_pay(&door, now, 10000);
        }
        assert_int_equal(came, DOOR_CROWD_NS / DOOR_SHARE / 10000 + 1);
        now += turn == 0 ? 1000 * SECOND_NS : DOOR_CROWD_NS + 10000 * DOOR_SHARE;
    }
}

static void no_deed_shuts_it_for_longer_than_the_bound(void **state)
{
    struct door door = {0};
    exo_u32 turn;
    (void)state;
    for (turn = 0; turn < 3; turn++) {
        door_pay(&door, BEGIN_NS, 3600 * SECOND_NS);
        assert_false(door_open(&door, BEGIN_NS + DOOR_SHUT_NS - 1));
        assert_true(door_open(&door, BEGIN_NS + DOOR_SHUT_NS));
    }
}

static void when_the_wait_is_over_it_is_open(void **state)
{
    exo_u64 took;
    (void)state;
    for (took = 1; took < DOOR_SHUT_NS; took += took / 3 + 1) {
        struct door door = {BEGIN_NS, 0};
        exo_u64 wait_ns;
        door_pay(&door, BEGIN_NS, took);
        wait_ns = (exo_u32)door_wait_ms(&door, BEGIN_NS) * MILLISECOND_NS;
        assert_true(wait_ns != 0 && door_open(&door, BEGIN_NS + wait_ns));
        assert_false(door_open(&door, BEGIN_NS + wait_ns - MILLISECOND_NS));
    }
    {
        const struct door door = {BEGIN_NS, 0};
        assert_int_equal(door_wait_ms(&door, BEGIN_NS), 0);
    }
}

static void without_a_descriptor_it_is_shut_for_a_while_or_until_one_is_back(void **state)
{
    struct door door = {0};
    (void)state;
    door_deafen(&door, BEGIN_NS);
    assert_false(door_open(&door, BEGIN_NS + DOOR_SHUT_NS - 1));
    assert_true(door_open(&door, BEGIN_NS + DOOR_SHUT_NS));
    assert_int_equal(door_wait_ms(&door, BEGIN_NS), DOOR_SHUT_NS / MILLISECOND_NS);
    door_listen(&door);
    assert_true(door_open(&door, BEGIN_NS));
    door_pay(&door, BEGIN_NS, DOOR_SHUT_NS);
    door_deafen(&door, BEGIN_NS - DOOR_SHUT_NS / 2);
    door_listen(&door); /* what was taken is not forgiven */
    assert_false(door_open(&door, BEGIN_NS + DOOR_SHUT_NS - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(newcomers_get_their_share_and_no_more),
        CLAIM(a_crowd_comes_in_at_once_however_long_it_was_quiet),
        CLAIM(no_deed_shuts_it_for_longer_than_the_bound),
        CLAIM(when_the_wait_is_over_it_is_open),
        CLAIM(without_a_descriptor_it_is_shut_for_a_while_or_until_one_is_back),
    };
    return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
