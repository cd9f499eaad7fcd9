/* SPDX-License-Identifier: MIT */
/*
 * The other side acts in the middle of a call, at each of its atomic accesses in turn. One thread, so every
 * run is the same; what the processor may reorder is not tested here.
 *
 * The accesses of the library are wrapped: before the one with number k the other side takes its step. Sleeping
 * is wrapped too: a call that falls asleep although the step was taken has missed its wake-up.
 */
#include "exo_ipc/port.h"

static void before_access(const void *word);
static void before_sleep(const exo_u32 *word, exo_u32 expected);

#undef exo_load32
#undef exo_load64
#undef exo_store32
#undef exo_store64
#undef exo_cas32
#undef exo_cas64
#define exo_load32(p, order) (before_access(p), __atomic_load_n(exo_const_word32_pvt(p), order))
#define exo_load64(p, order) (before_access(p), __atomic_load_n(exo_const_word64_pvt(p), order))
#define exo_store32(p, value, order) \
    (before_access(p), __atomic_store_n(exo_word32_pvt(p), value, order))
#define exo_store64(p, value, order) \
    (before_access(p), __atomic_store_n(exo_word64_pvt(p), value, order))
#define exo_cas32(p, expected, desired, order)                                                     \
    (before_access(p), __atomic_compare_exchange_n(exo_word32_pvt(p), expected, desired, 0, order, \
                                                   __ATOMIC_RELAXED))
#define exo_cas64(p, expected, desired, order)                                                     \
    (before_access(p), __atomic_compare_exchange_n(exo_word64_pvt(p), expected, desired, 0, order, \
                                                   __ATOMIC_RELAXED))
#define exo_port_wait(word, expected, deadline_ns, shared, peer) \
    ((void)(deadline_ns), (void)(shared), (void)(peer), before_sleep(word, expected))

#include "ring_fixture.h"

/* The ring under test, and the other side. */
static struct {
    struct fixture f;
    struct exo_sender tx;   /* of the other side, where there may be several */
    struct exo_receiver rx; /* same */
    exo_u32 countdown;      /* accesses until the step; 0: none */
    exo_bool taken;         /* the step was */
    exo_u32 missed;         /* wake-ups */
    exo_u64 received;       /* sum of the numbers that the step received */
    void (*step)(void);
    void (*forger)(const void *word);
    exo_u64 forged;
} scene;

static void before_access(const void *word)
{
    if (scene.forger != NULL) {
        scene.forger(word);
    }
    if (scene.countdown != 0 && --scene.countdown == 0) {
        scene.step();
        scene.taken = EXO_TRUE;
    }
}

/* Instead of sleeping: would it have woken? After that, or at last, the other side acts. */
static void before_sleep(const exo_u32 *word, exo_u32 expected)
{
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != expected) {
        return;
    }
    scene.missed += scene.taken;
    if (!scene.taken && scene.countdown != 0) {
        scene.countdown = 0;
        scene.step();
    }
}

static void open_scene(const struct exo_ring_config *config)
{
    memset(&scene, 0, sizeof(scene));
    fixture_open(&scene.f, config);
    if (has_mp(config)) {
        assert_int_equal(exo_ring_sender(&scene.f.ring, &scene.tx), EXO_OK);
    }
    if (has_mc(config)) {
        assert_int_equal(exo_ring_receiver(&scene.f.ring, &scene.rx), EXO_OK);
    }
}

/* The next accesses of this side are counted; before the one with number k, the step. */
static void begin(exo_u32 k, void (*step)(void))
{
    scene.step = step;
    scene.countdown = k;
}

/* Whether the step was taken within the call. */
static exo_bool end(void)
{
    scene.countdown = 0;
    return scene.taken;
}

static void step_send(void)
{
    assert_int_equal(send_number(&scene.f.tx, 42), EXO_OK);
}
static void step_receive(void)
{
    assert_int_equal(recv_number(&scene.f.rx), 0);
}
static void step_send_and_receive(void)
{
    exo_i64 got;
    assert_int_equal(send_number(&scene.tx, 42), EXO_OK);
    got = recv_number(&scene.f.rx);
    scene.received += got < 0 ? 0 : (exo_u64)got; /* nothing if all stands behind a claim */
}
static void step_receive_as_the_other(void)
{
    assert_in_range(recv_number(&scene.rx), 0, 3);
}
/* All that is there taken, and as much sent again. */
static void step_turn_the_ring_over(void)
{
    exo_u64 number;
    while (recv_number(&scene.rx) >= 0) {
    }
    for (number = 0; send_number(&scene.f.tx, number) == EXO_OK; number++) {
    }
}
static void step_send_and_close(void)
{
    assert_int_equal(send_number(&scene.f.tx, 1), EXO_OK);
    assert_int_equal(exo_sender_close(&scene.f.tx), EXO_OK);
}
static void step_close_sender(void)
{
    assert_int_equal(exo_sender_close(&scene.f.tx), EXO_OK);
}
static void step_close_receiver(void)
{
    assert_int_equal(exo_receiver_close(&scene.f.rx), EXO_OK);
}

static void no_receiver_sleeps_through_a_message(struct exo_ring_config config)
{
    exo_bool within = !is_polled(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_u64 number = 0;
        open_scene(&config);
        begin(k, step_send);
        assert_int_equal(exo_recv_blocking(&scene.f.rx, &number, 8, EXO_FOREVER), 8);
        within = end();
        assert_int_equal(number, 42);
        assert_int_equal(scene.missed, 0);
        fixture_close(&scene.f);
    }
    assert_true(is_polled(&config) || k > 5);
}

static void no_sender_sleeps_through_a_free_slot(struct exo_ring_config config)
{
    exo_bool within = !is_polled(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_u64 number = 7;
        open_scene(&config);
        assert_int_equal(fill_ring(&scene.f.tx, 0), 8);
        begin(k, step_receive);
        assert_int_equal(exo_send_blocking(&scene.f.tx, &number, 8, EXO_FOREVER), EXO_OK);
        within = end();
        assert_int_equal(scene.missed, 0);
        assert_int_equal(send_number(&scene.f.tx, 8), EXO_FULL);
        fixture_close(&scene.f);
    }
    assert_true(is_polled(&config) || k > 5);
}

static void nobody_sleeps_through_the_end(struct exo_ring_config config)
{
    exo_bool within = !is_polled(&config) && !has_mc(&config) && !has_mp(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_u64 number = 0;
        open_scene(&config);
        begin(k, step_close_sender);
        assert_int_equal(exo_recv_blocking(&scene.f.rx, &number, 8, EXO_FOREVER), EXO_CLOSED);
        within = end();
        assert_int_equal(scene.missed, 0);
        fixture_close(&scene.f);
        open_scene(&config);
        assert_int_equal(fill_ring(&scene.f.tx, 0), 8);
        begin(k, step_close_receiver);
        assert_int_equal(exo_send_blocking(&scene.f.tx, &number, 8, EXO_FOREVER), EXO_CLOSED);
        within = end() || within;
        assert_int_equal(scene.missed, 0);
        fixture_close(&scene.f);
    }
}

static void the_last_message_of_a_closing_sender_is_received(struct exo_ring_config config)
{
    exo_bool within = EXO_TRUE;
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_i64 got;
        open_scene(&config);
        if (has_mp(&config)) {
            assert_int_equal(exo_sender_close(&scene.tx), EXO_OK);
        }
        begin(k, step_send_and_close);
        assert_int_not_equal(exo_wait_readable(&scene.f.rx, EXO_NOW), EXO_CLOSED);
        got = recv_number(&scene.f.rx);
        within = end();
        if (within && got == EXO_EMPTY) {
            got = recv_number(&scene.f.rx);
        }
        assert_int_equal(got, within ? 1 : EXO_EMPTY);
        assert_int_equal(recv_number(&scene.f.rx), within ? EXO_CLOSED : EXO_EMPTY);
        fixture_close(&scene.f);
    }
}

/* All that is left in the ring, and what the step has received, adds up. */
static void expect_the_rest(exo_u64 sum)
{
    exo_u64 got = scene.received;
    exo_i64 number;
    while ((number = recv_number(&scene.f.rx)) >= 0) {
        got += (exo_u64)number;
    }
    assert_int_equal(number, EXO_EMPTY);
    assert_int_equal(got, sum);
}

static void a_producer_that_was_overtaken_is_not_refused(struct exo_ring_config config)
{
    exo_bool within = has_mp(&config);
    exo_u32 k;
    exo_u32 in_flight;
    for (in_flight = 0; in_flight < 7 && has_mp(&config); in_flight++) {
        for (k = 1, within = EXO_TRUE; within; k++) {
            exo_u32 i;
            open_scene(&config);
            for (i = 0; i < in_flight;
                 i++) { /* moves on, so that what is cached runs out now or then */
                assert_int_equal(send_number(&scene.tx, i), EXO_OK);
                assert_int_equal(recv_number(&scene.f.rx), i);
            }
            begin(k, step_send_and_receive);
            assert_int_equal(send_number(&scene.f.tx, 1), EXO_OK);
            within = end();
            expect_the_rest(within ? 43 : 1);
            fixture_close(&scene.f);
        }
    }
}

static void a_producer_that_was_overtaken_finds_room(struct exo_ring_config config)
{
    exo_bool within = has_mp(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        open_scene(&config);
        begin(k, step_send_and_receive);
        assert_int_equal(exo_wait_writable(&scene.f.tx, EXO_NOW), EXO_OK);
        within = end();
        fixture_close(&scene.f);
    }
}

static void a_consumer_that_was_overtaken_finds_the_next_message(struct exo_ring_config config)
{
    exo_bool within = has_mc(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_i64 got;
        open_scene(&config);
        assert_int_equal(send_number(&scene.f.tx, 0), EXO_OK);
        assert_int_equal(send_number(&scene.f.tx, 1), EXO_OK);
        begin(k, step_receive_as_the_other);
        got = recv_number(&scene.f.rx);
        within = end();
        assert_in_range(got, 0, 1);
        if (!within) {
            assert_int_equal(got, 0);
        }
        fixture_close(&scene.f);
    }
}

static void a_consumer_that_was_overtaken_by_a_lap_finds_a_message(struct exo_ring_config config)
{
    exo_bool within = has_mc(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        open_scene(&config);
        assert_int_equal(fill_ring(&scene.f.tx, 0), 8);
        begin(k, step_turn_the_ring_over);
        assert_in_range(recv_number(&scene.f.rx), 0, 7);
        within = end();
        fixture_close(&scene.f);
    }
}

static void a_lot_is_not_torn_by_another_consumer(struct exo_ring_config config)
{
    exo_bool within = has_mc(&config);
    exo_u32 k;
    for (k = 1; within; k++) {
        exo_u64 got[3] = {0, 0, 0};
        exo_i64 n;
        exo_u64 i;
        open_scene(&config);
        for (i = 0; i < 4; i++) {
            assert_int_equal(send_number(&scene.f.tx, i), EXO_OK);
        }
        begin(k, step_receive_as_the_other);
        n = exo_recv_bulk(&scene.f.rx, got, 8, 3, NULL);
        within = end() && k < 60;
        assert_int_equal(n, 3);
        assert_in_range(got[0], 0, 1);
        assert_true(got[1] == got[0] + 1 && got[2] == got[0] + 2);
        fixture_close(&scene.f);
    }
}

/* Each slot that the receiver looks at has just been discarded, for ever. */
static void discard_what_is_looked_at(const void *word)
{
    exo_word64 *line = exo_tx_line_pvt(&scene.f.tx, scene.forged);
    if (word == &line[EXO_LINE_WORDS]) {
        line[EXO_LINE_WORDS] = exo_control_pvt(scene.forged, EXO_KIND_DISCARD, 0);
        scene.forged++;
    }
    if (scene.forged - scene.f.tx.pos > 1000) {
        scene.forger = NULL;
        fail_msg("the receiver is kept in its call");
    }
}

static exo_i64 receive_by(exo_u32 way)
{
    exo_u64 items[8];
    struct exo_peeked peeked;
    switch (way) {
    case 0:
        return recv_number(&scene.f.rx);
    case 1:
        return exo_recv_burst(&scene.f.rx, items, 8, 8, NULL);
    case 2:
        return exo_recv_bulk(&scene.f.rx, items, 8, 2, NULL);
    case 3:
        return exo_peek(&scene.f.rx, &peeked);
    default:
        return exo_wait_readable(&scene.f.rx, EXO_NOW);
    }
}

static void a_sender_that_only_discards_keeps_nobody_in_a_call(struct exo_ring_config config)
{
    exo_u32 first;
    exo_u32 way;
    for (way = 0; way < 10 && config.profile == EXO_HOSTILE; way++) {
        open_scene(&config);
        for (first = 0; first < way / 5;
             first++) { /* with nothing, and with a message before that */
            assert_int_equal(send_number(&scene.f.tx, first), EXO_OK);
        }
        scene.forged = scene.f.tx.pos;
        scene.forger = discard_what_is_looked_at;
        assert_in_range(receive_by(way % 5) + 100, 0, 101);
        assert_in_range(receive_by(way % 5) + 100, 0, 101);
        scene.forger = NULL;
        fixture_close(&scene.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(no_receiver_sleeps_through_a_message),
        IN_EVERY_KIND(no_sender_sleeps_through_a_free_slot),
        IN_EVERY_KIND(nobody_sleeps_through_the_end),
        IN_EVERY_KIND(the_last_message_of_a_closing_sender_is_received),
        IN_EVERY_KIND(a_producer_that_was_overtaken_is_not_refused),
        IN_EVERY_KIND(a_producer_that_was_overtaken_finds_room),
        IN_EVERY_KIND(a_consumer_that_was_overtaken_finds_the_next_message),
        IN_EVERY_KIND(a_consumer_that_was_overtaken_by_a_lap_finds_a_message),
        IN_EVERY_KIND(a_lot_is_not_torn_by_another_consumer),
        IN_EVERY_KIND(a_sender_that_only_discards_keeps_nobody_in_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
