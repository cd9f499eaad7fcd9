/* SPDX-License-Identifier: MIT */
/*
 * A sender that is killed at any instant: the receiver gets all that was published, in order and untorn, and
 * then learns of the death, soon, by a fact of the kernel.
 */
#include "kill_fixture.h"

#define ROUNDS_EACH 38u /* times four kinds times two ways to wait: over 300 */
#define MOST_ROUNDS 200u

/* One way to lose a sender. */
struct loss {
    struct kill_page *page;
    exo_u32 kind;
    exo_u32 most; /* messages to send; then it sleeps */
    struct exo_ring_config config;
};

static void sends_until_killed(struct meeting *meeting)
{
    const struct loss *loss = (const struct loss *)meeting->argument;
    exo_u64 sent = 0;
    child_opens(meeting);
    while (sent < loss->most) {
        exo_i64 count = stream_send(&meeting->end.tx, loss->kind, sent, EXO_FOREVER);
        CHECK(count > 0);
        sent += (exo_u64)count;
        exo_store64(&loss->page->progress, sent, EXO_RELEASE);
    }
    exo_store32(&loss->page->ready, 1, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

/* Receive until the sender is dead; returns how many messages came. */
static exo_u64 receive_all(struct exo_end *end, const struct loss *loss, exo_bool sleeping,
                           struct death_times *times)
{
    exo_u64 received = 0;
    exo_i64 got;
    while ((got = stream_recv_waiting(&end->rx, loss->kind, received, sleeping)) > 0) {
        received += (exo_u64)got;
    }
    note_death(times, loss->page);
    assert_int_equal(got, EXO_PEER_DIED);
    return received;
}

/* Lose one sender after a while; whatever it had counted as sent must come, and at most one lot more. */
static void lose_sender(struct loss *loss, exo_bool sleeping, struct kill_order *order, struct death_times *times)
{
    struct meeting meeting = {.sockets = {-1, -1}, .body = sends_until_killed, .config = &loss->config, .argument = loss};
    exo_u64 received;
    exo_u64 progress;
    pid_t killer;
    pid_t child;
    kill_page_reset(loss->page);
    child = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &loss->config), EXO_OK);
    order->page = loss->page;
    order->victim = child;
    killer = start_child(killer_body, order);
    received = receive_all(&meeting.end, loss, sleeping, times);
    assert_int_equal(join_child(killer), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    progress = exo_load64(&loss->page->progress, EXO_ACQUIRE);
    assert_true(received >= progress);
    assert_true(received <= progress + STREAM_LOT);
    assert_int_equal(stream_recv(&meeting.end.rx, loss->kind, received), EXO_PEER_DIED);
    assert_int_equal(exo_wait_readable(&meeting.end.rx, EXO_FOREVER), EXO_PEER_DIED);
    exo_close(&meeting.end);
}

static void lose_streams(exo_bool sleeping)
{
    static struct death_times times;
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u64 seed = 7 + sleeping;
    exo_u32 kind;
    exo_u32 round;
    for (kind = 0; kind < STREAM_KINDS; kind++) {
        exo_u64 first = 0;
        times.count = 0;
        /* They must be streams: more rounds where a busy machine lets hardly anything be sent before the kill. */
        for (round = 0; round < ROUNDS(ROUNDS_EACH) || (first <= ROUNDS(ROUNDS_EACH) && round < MOST_ROUNDS); round++) {
            struct kill_order order = {.delay_us = random_below(&seed, 3000)};
            struct loss loss = {page, kind, 0xFFFFFFFFu, stream_config(kind, round % 2 != 0 ? NEAR_WRAP + 1 : 0)};
            loss.config.spin = round % 4 < 2 ? 1 : 0;
            lose_sender(&loss, sleeping, &order, &times);
            first += exo_load64(&page->progress, EXO_ACQUIRE);
        }
        assert_true(first > ROUNDS(ROUNDS_EACH));
        assert_deaths_known_in_time(&times, stream_names[kind]);
    }
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

static void all_that_a_killed_sender_published_reaches_a_polling_receiver(void **state)
{
    (void)state;
    lose_streams(EXO_FALSE);
}

static void all_that_a_killed_sender_published_reaches_a_blocking_receiver(void **state)
{
    (void)state;
    lose_streams(EXO_TRUE);
}

static void a_receiver_asleep_is_woken_by_the_death_of_an_idle_sender(void **state)
{
    static struct death_times times;
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(60); round++) {
        struct loss loss = {page, STREAM_INLINE, round % 3, stream_config(STREAM_INLINE, round % 2)};
        struct kill_order order = {.asleep = EXO_TRUE, .survivor = getpid(), .delay_us = 100};
        lose_sender(&loss, EXO_TRUE, &order, &times);
    }
    assert_deaths_known_in_time(&times, "asleep");
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

/* A deadline that has not passed yet does not hide a death, one that has passed does not hide the messages. */
static void deadlines_and_deaths_do_not_hide_each_other(void **state)
{
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    struct loss loss = {page, STREAM_INLINE, 3, stream_config(STREAM_INLINE, 0)};
    struct meeting meeting = {.sockets = {-1, -1}, .body = sends_until_killed, .config = &loss.config, .argument = &loss};
    pid_t child = meet(&meeting);
    exo_u64 begun;
    exo_u32 i;
    (void)state;
    assert_int_equal(parent_opens(&meeting, &loss.config), EXO_OK);
    while (exo_load32(&page->ready, EXO_ACQUIRE) == 0) {
        sleep_us(50);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_wait_readable(&meeting.end.rx, 1), EXO_OK);
        assert_int_equal(stream_recv(&meeting.end.rx, STREAM_INLINE, i), 1);
    }
    begun = exo_port_now_ns();
    assert_int_equal(exo_wait_readable(&meeting.end.rx, in_seconds(20)), EXO_PEER_DIED);
    assert_true(passed_since(begun) < SECOND_NS);
    exo_close(&meeting.end);
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

static void opens_and_sleeps(void *argument)
{
    struct meeting *meeting = (struct meeting *)argument;
    child_opens(meeting);
    (void)pause();
}

/* The socket tells nothing as long as somebody holds a copy of the dead one's side: the process does. */
static void a_copy_of_its_socket_does_not_keep_a_dead_peer_alive(void **state)
{
    struct held before = count_held();
    struct meeting meeting = {.sockets = {-1, -1}};
    pid_t child;
    (void)state;
    assert_int_equal(exo_pair(meeting.sockets), EXO_OK);
    child = start_child(opens_and_sleeps, &meeting);
    assert_int_equal(parent_opens(&meeting, NULL), EXO_OK);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(exo_wait_readable(&meeting.end.rx, in_seconds(10)), EXO_PEER_DIED);
    assert_int_equal(join_child(child), -SIGKILL);
    exo_close(&meeting.end);
    assert_int_equal(close(meeting.sockets[1]), 0);
    assert_held(before);
}

static void opens_and_waits(struct meeting *meeting)
{
    exo_status status = exo_open(&meeting->end, meeting->sockets[1], meeting->config, in_seconds(20));
    CHECK(status == EXO_OK || status == EXO_PEER_DIED);
    (void)pause();
}

static void a_peer_killed_while_it_opens_leaves_nothing_behind(void **state)
{
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u64 seed = 3;
    exo_u32 opened = 0;
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(60); round++) {
        struct meeting meeting = {.sockets = {-1, -1}, .body = opens_and_waits};
        pid_t child = meet(&meeting);
        struct kill_order order = {.page = page, .victim = child, .delay_us = random_below(&seed, 800)};
        pid_t killer;
        exo_status status;
        killer = fork(); /* of its own, so that it holds neither side of the pair open */
        assert_true(killer >= 0);
        if (killer == 0) {
            (void)close(meeting.sockets[0]);
            killer_body(&order);
            _exit(0);
        }
        status = parent_opens(&meeting, NULL);
        if (status == EXO_OK) {
            opened++;
            status = exo_wait_readable(&meeting.end.rx, EXO_FOREVER);
        }
        assert_int_equal(status, EXO_PEER_DIED);
        exo_close(&meeting.end);
        assert_int_equal(join_child(killer), 0);
        assert_int_equal(join_child(child), -SIGKILL);
        assert_held(before);
    }
    print_message("             %u of %u were open when they were killed\n", opened, ROUNDS(60u));
    (void)munmap(page, sizeof(*page));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(all_that_a_killed_sender_published_reaches_a_polling_receiver),
        CLAIM(all_that_a_killed_sender_published_reaches_a_blocking_receiver),
        CLAIM(a_receiver_asleep_is_woken_by_the_death_of_an_idle_sender),
        CLAIM(deadlines_and_deaths_do_not_hide_each_other),
        CLAIM(a_copy_of_its_socket_does_not_keep_a_dead_peer_alive),
        CLAIM(a_peer_killed_while_it_opens_leaves_nothing_behind),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
