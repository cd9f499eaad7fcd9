/* SPDX-License-Identifier: MIT */
/* The profiler where there are many: broadcasts, of either policy, and fan-ins. */
#include "profile_fixture.h"

static void broadcasts_count_too(void **state)
{
    exo_u32 policy;
    (void)state;
    for (policy = EXO_RELIABLE; policy <= EXO_LATEST; policy++) {
        struct exo_broadcast_config config = {0};
        struct exo_broadcast broadcast;
        struct exo_publisher tx;
        struct exo_subscriber sub;
        struct exo_viewed view;
        struct exo_profiler *sent = profiler_new(1);
        struct exo_profiler *received = profiler_new(1);
        exo_u8 bytes[100] = {0};
        exo_u32 i;
        config.policy = policy;
        config.slots = 8;
        config.arena_size = 1024;
        config.block_size = PROFILED_BLOCK;
        config.spin = 1;
        assert_int_equal(exo_broadcast_create(&broadcast, &config, &tx), EXO_OK);
        assert_int_equal(exo_profile_publisher(&tx, sent), EXO_OK);
        assert_int_equal(exo_broadcast_subscribe(&broadcast, &sub, 0), EXO_OK);
        assert_int_equal(exo_broadcast_subscribers(&tx), 1);
        assert_int_equal(exo_profile_subscriber(&sub, received), EXO_OK);
        assert_int_equal(exo_broadcast_send(&tx, bytes, 20), EXO_OK);
        assert_int_equal(exo_broadcast_send(&tx, bytes, 100), EXO_OK);
        assert_int_equal(exo_broadcast_send(&tx, bytes, 90), EXO_OK);
        assert_counted(sent, 3, 210, 2);
        assert_int_equal(exo_subscriber_recv(&sub, bytes, sizeof(bytes)), 20);
        assert_int_equal(exo_subscriber_recv(&sub, bytes, sizeof(bytes)), 100);
        assert_int_equal(exo_subscriber_view(&sub, &view), EXO_OK);
        assert_int_equal(exo_subscriber_release(&sub, &view), EXO_OK);
        assert_counted(received, 3, 210, 2);
        assert_int_equal(exo_subscriber_recv(&sub, bytes, sizeof(bytes)), EXO_EMPTY);
        assert_int_equal(counted(received).empty, 1);
        assert_int_equal(exo_subscriber_recv_blocking(&sub, bytes, sizeof(bytes), exo_port_now_ns() + 1000000),
                         EXO_TIMEOUT);
        assert_int_equal(counted(received).waits, 1);
        assert_int_equal(exo_histogram_total(&received->wait), 1);
        assert_true(counted(received).sleeps >= 1);
        for (i = 0; i < 8; i++) {
            assert_int_equal(exo_broadcast_send(&tx, bytes, 1), EXO_OK);
        }
        if (policy == EXO_RELIABLE) {
            assert_int_equal(exo_broadcast_send(&tx, bytes, 1), EXO_FULL);
            assert_int_equal(counted(sent).full, 1);
        }
        assert_counted(sent, 11, 218, 2);
        exo_broadcast_destroy(&broadcast);
        free(sent);
        free(received);
    }
}

static void a_sender_without_blocks_is_held_back(void **state)
{
    exo_u32 policy;
    (void)state;
    for (policy = EXO_RELIABLE; policy <= EXO_LATEST; policy++) {
        struct exo_broadcast_config config = {0};
        struct exo_broadcast broadcast;
        struct exo_publisher tx;
        struct exo_loaned loans[2];
        struct exo_profiler *sent = profiler_new(1);
        config.policy = policy;
        config.arena_size = 128;
        config.block_size = PROFILED_BLOCK;
        assert_int_equal(exo_broadcast_create(&broadcast, &config, &tx), EXO_OK);
        assert_int_equal(exo_profile_publisher(&tx, sent), EXO_OK);
        assert_int_equal(exo_broadcast_loan(&tx, 128, &loans[0]), EXO_OK);
        assert_int_equal(counted(sent).full, 0);
        assert_int_equal(exo_broadcast_loan(&tx, 1, &loans[1]), EXO_FULL);
        assert_int_equal(counted(sent).full, 1);
        exo_broadcast_destroy(&broadcast);
        free(sent);
    }
}

/* A subscriber that sleeps, as its words say. */
static void who_wakes_subscribers_counts_it(void **state)
{
    struct exo_broadcast_config config = {0};
    struct exo_broadcast broadcast;
    struct exo_publisher tx;
    struct exo_subscriber sub;
    struct exo_profiler *sent = profiler_new(1);
    exo_u8 byte = 0;
    (void)state;
    assert_int_equal(exo_broadcast_create(&broadcast, &config, &tx), EXO_OK);
    assert_int_equal(exo_profile_publisher(&tx, sent), EXO_OK);
    assert_int_equal(exo_broadcast_subscribe(&broadcast, &sub, 0), EXO_OK);
    assert_int_equal(exo_broadcast_send(&tx, &byte, 1), EXO_OK);
    assert_int_equal(counted(sent).wakes, 0);
    (void)exo_sleeper_announce_pvt(&sub.sleeper);
    assert_int_equal(exo_broadcast_send(&tx, &byte, 1), EXO_OK);
    assert_int_equal(counted(sent).wakes, 1);
    assert_int_equal(exo_broadcast_send(&tx, &byte, 1), EXO_OK);
    assert_int_equal(counted(sent).wakes, 1);
    exo_broadcast_destroy(&broadcast);
    free(sent);
}

static void what_comes_by_a_fan_in_counts_in_its_lane(void **state)
{
    struct profiled p[2];
    struct exo_fanin_lane lanes[2];
    struct exo_fanin fanin;
    struct exo_fanin_from from;
    exo_u64 number = 0;
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_fanin_init(&fanin, lanes, 2), EXO_OK);
    for (i = 0; i < 2; i++) {
        profiled_open(&p[i], plain_config(EXO_SPSC, EXO_THREADS, 0));
        assert_int_equal(exo_fanin_add_receiver(&fanin, &p[i].f.rx, i), EXO_OK);
    }
    for (i = 0; i < 7; i++) {
        assert_int_equal(send_number(&p[i % 2].f.tx, i), EXO_OK);
    }
    for (i = 0; i < 7; i++) {
        assert_int_equal(exo_fanin_recv_inline(&fanin, &number, sizeof(number), &from), 8);
    }
    assert_counted(p[0].received, 4, 32, 0);
    assert_counted(p[1].received, 3, 24, 0);
    for (i = 0; i < 2; i++) {
        profiled_close(&p[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcasts_count_too),
        cmocka_unit_test(a_sender_without_blocks_is_held_back),
        cmocka_unit_test(who_wakes_subscribers_counts_it),
        cmocka_unit_test(what_comes_by_a_fan_in_counts_in_its_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
