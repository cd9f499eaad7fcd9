/* SPDX-License-Identifier: MIT */
/*
 * A receiver that is killed at any instant: the sender learns of it, also when it sleeps, and has its loans
 * back. And a peer whose thread ends while its process lives, which is no death.
 */
#include "kill_fixture.h"

#include <pthread.h>

/* One way to lose a receiver. */
struct loss {
    struct kill_page *page;
    exo_u32 kind;
    exo_u32 most; /* messages to receive; then it sleeps */
    exo_u32 held; /* of them, views that are not released */
    struct exo_ring_config config;
};

static void receives_until_killed(struct meeting *meeting)
{
    const struct loss *loss = (const struct loss *)meeting->argument;
    exo_u64 received = 0;
    child_opens(meeting);
    while (received < loss->held) {
        struct exo_viewed view;
        CHECK(exo_view_blocking(&meeting->end.rx, &view, EXO_FOREVER) == EXO_OK);
        received++;
    }
    while (received < loss->most) {
        exo_i64 got = stream_recv_waiting(&meeting->end.rx, loss->kind, received, loss->config.spin == 1);
        CHECK(got > 0);
        received += (exo_u64)got;
        exo_store64(&loss->page->progress, received, EXO_RELEASE);
    }
    exo_store32(&loss->page->ready, 1, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

/* Lose one receiver while this side sends as fast as it can. */
static void lose_receiver(struct loss *loss, struct kill_order *order, struct death_times *times)
{
    struct meeting meeting = {.sockets = {-1, -1}, .body = receives_until_killed, .config = &loss->config, .argument = loss};
    exo_u64 sent = 0;
    exo_i64 count;
    pid_t killer;
    pid_t child;
    kill_page_reset(loss->page);
    child = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &loss->config), EXO_OK);
    order->page = loss->page;
    order->victim = child;
    killer = start_child(killer_body, order);
    while ((count = stream_send(&meeting.end.tx, loss->kind, sent, EXO_FOREVER)) > 0) {
        sent += (exo_u64)count;
    }
    note_death(times, loss->page);
    assert_int_equal(count, EXO_PEER_DIED);
    assert_true(sent >= exo_load64(&loss->page->progress, EXO_ACQUIRE)); /* nothing came that was not sent */
    assert_int_equal(exo_send_inline(&meeting.end.tx, &sent, sizeof(sent)), EXO_PEER_DIED);
    assert_int_equal(exo_wait_writable(&meeting.end.tx, EXO_FOREVER), EXO_PEER_DIED);
    assert_int_equal(exo_recv_inline(&meeting.end.rx, &sent, sizeof(sent)), EXO_PEER_DIED);
    assert_int_equal(join_child(killer), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    exo_close(&meeting.end);
}

static void a_sender_in_midstream_learns_of_its_receivers_death(void **state)
{
    static struct death_times times;
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u64 seed = 11;
    exo_u32 kind;
    exo_u32 round;
    (void)state;
    for (kind = 0; kind < STREAM_KINDS; kind++) {
        times.count = 0;
        for (round = 0; round < ROUNDS(26); round++) {
            struct kill_order order = {.delay_us = random_below(&seed, 3000)};
            struct loss loss = {page, kind, 0xFFFFFFFFu, 0, stream_config(kind, round % 2 != 0 ? NEAR_WRAP + 1 : 0)};
            loss.config.spin = round % 4 < 2 ? 1 : 0;
            lose_receiver(&loss, &order, &times);
        }
        assert_deaths_known_in_time(&times, stream_names[kind]);
    }
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

static void a_sender_asleep_on_a_full_ring_is_woken_by_the_death(void **state)
{
    static struct death_times times;
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(40); round++) {
        struct kill_order order = {.asleep = EXO_TRUE, .survivor = getpid(), .delay_us = 100};
        struct loss loss = {page, STREAM_INLINE, round % 70, 0, stream_config(STREAM_INLINE, NEAR_WRAP + round % 2)};
        lose_receiver(&loss, &order, &times);
    }
    assert_deaths_known_in_time(&times, "full ring");
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

/* The parent's part with an arena of which the victim holds most. */
static void lose_holder(struct loss *loss, struct death_times *times)
{
    struct meeting meeting = {.sockets = {-1, -1}, .body = receives_until_killed, .config = &loss->config, .argument = loss};
    struct kill_order order = {.page = loss->page, .asleep = EXO_TRUE, .survivor = getpid()};
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    exo_status status;
    exo_u32 sent = 0;
    pid_t killer;
    kill_page_reset(loss->page);
    order.victim = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &loss->config), EXO_OK);
    killer = start_child(killer_body, &order);
    while ((status = exo_loan_blocking(&meeting.end.tx, 1000, &loan, EXO_FOREVER)) == EXO_OK) {
        assert_int_equal(exo_send_loan(&meeting.end.tx, &loan), EXO_OK);
        sent++;
    }
    note_death(times, loss->page);
    assert_int_equal(status, EXO_PEER_DIED);
    assert_int_equal(sent, 16);
    assert_int_equal(exo_loans_outstanding(&meeting.end.tx), 0);
    assert_int_equal(join_child(killer), 0);
    assert_int_equal(join_child(order.victim), -SIGKILL);
    exo_close(&meeting.end);
}

static void a_sender_asleep_for_a_loan_is_woken_and_has_all_loans_back(void **state)
{
    static struct death_times times;
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(30); round++) {
        struct loss loss = {page, STREAM_ZERO_COPY, 1 + round % 16, 1 + round % 16, stream_config(STREAM_ZERO_COPY, round % 2)};
        loss.config.block_size = 1024; /* 16 blocks */
        lose_holder(&loss, &times);
    }
    assert_deaths_known_in_time(&times, "empty arena");
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

static void loans_that_were_not_viewed_come_back_too(void **state)
{
    struct kill_page *page = kill_page_new();
    struct loss loss = {page, STREAM_ZERO_COPY, 2, 2, stream_config(STREAM_ZERO_COPY, 0)};
    struct meeting meeting = {.sockets = {-1, -1}, .body = receives_until_killed, .config = &loss.config, .argument = &loss};
    pid_t child = meet(&meeting);
    struct exo_loaned unsent;
    exo_u64 alone;
    exo_u32 i;
    (void)state;
    assert_int_equal(parent_opens(&meeting, &loss.config), EXO_OK);
    assert_int_equal(exo_loan(&meeting.end.tx, 100, &unsent), EXO_OK);
    alone = exo_loans_outstanding(&meeting.end.tx);
    for (i = 0; i < 6; i++) {
        assert_true(stream_send(&meeting.end.tx, STREAM_ZERO_COPY, i, in_seconds(5)) > 0);
    }
    while (exo_load32(&page->ready, EXO_ACQUIRE) == 0) {
        sleep_us(50);
    }
    assert_true(exo_loans_outstanding(&meeting.end.tx) > alone);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    while (exo_port_peer_alive(meeting.end.tx.peer)) {
        sleep_us(50);
    }
    assert_int_equal(exo_loans_outstanding(&meeting.end.tx), alone); /* what was not sent is still ours */
    assert_int_equal(exo_loan_cancel(&meeting.end.tx, &unsent), EXO_OK);
    assert_int_equal(exo_loans_outstanding(&meeting.end.tx), 0);
    exo_close(&meeting.end);
    (void)munmap(page, sizeof(*page));
}

static void *opens_and_ends(void *argument)
{
    child_opens((struct meeting *)argument);
    return NULL;
}

/* The thread that opened the end is gone at once; another one sends every few milliseconds. */
static void sends_from_another_thread(struct meeting *meeting)
{
    const struct loss *loss = (const struct loss *)meeting->argument;
    pthread_t opener;
    exo_u64 number;
    CHECK(pthread_create(&opener, NULL, opens_and_ends, meeting) == 0);
    CHECK(pthread_join(opener, NULL) == 0);
    for (number = 0; number < loss->most; number++) {
        exo_u64 echo = 0;
        sleep_us(number % 4 == 3 ? 120000 : 5000); /* longer than a slice, too */
        CHECK(exo_send_blocking(&meeting->end.tx, &number, 8, EXO_FOREVER) == EXO_OK);
        CHECK(exo_recv_blocking(&meeting->end.rx, &echo, 8, EXO_FOREVER) == 8);
        CHECK(echo == number);
    }
    exo_store32(&loss->page->ready, 1, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

/* Wait for the death: asleep, or with a look every so often. */
static exo_status wait_for_death(struct exo_receiver *rx, exo_u32 look_us)
{
    exo_i64 got;
    if (look_us == 0) {
        return exo_wait_readable(rx, EXO_FOREVER);
    }
    while ((got = exo_recv_inline(rx, NULL, 0)) == EXO_EMPTY) {
        sleep_us(look_us);
    }
    return (exo_status)got;
}

static void lose_the_rest_of_a_process(struct kill_page *page, exo_u32 look_us, struct death_times *times)
{
    struct loss loss = {page, 0, 9, 0, stream_config(0, NEAR_WRAP)};
    struct meeting meeting = {.sockets = {-1, -1}, .body = sends_from_another_thread, .config = &loss.config, .argument = &loss};
    struct kill_order order = {.page = page, .asleep = EXO_TRUE, .survivor = getpid(), .delay_us = 100};
    exo_u64 number;
    exo_u64 got = 99;
    pid_t killer;
    kill_page_reset(page);
    order.victim = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &loss.config), EXO_OK);
    killer = start_child(killer_body, &order);
    for (number = 0; number < loss.most; number++) {
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &got, 8, EXO_FOREVER), 8);
        assert_int_equal(got, number);
        assert_int_equal(exo_send_blocking(&meeting.end.tx, &number, 8, EXO_FOREVER), EXO_OK);
    }
    assert_int_equal(wait_for_death(&meeting.end.rx, look_us), EXO_PEER_DIED);
    note_death(times, page);
    assert_int_equal(join_child(killer), 0);
    assert_int_equal(join_child(order.victim), -SIGKILL);
    exo_close(&meeting.end);
}

static void the_end_of_the_opening_thread_is_no_death_and_a_kill_is_noticed_all_the_same(void **state)
{
    static const exo_u32 looks_us[] = {0, 0, 0, 1, 100, 10000};
    struct held before = count_held();
    struct kill_page *page = kill_page_new();
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(looks_us); i++) {
        struct death_times times;
        times.count = 0;
        lose_the_rest_of_a_process(page, looks_us[i], &times);
        print_message("             a look every %u us: death known after %u us\n", looks_us[i], times.us[0]);
        assert_true(times.us[0] <= (DEATH_KNOWN_MS + DEATH_SLACK_MS) * 1000);
    }
    (void)munmap(page, sizeof(*page));
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_sender_in_midstream_learns_of_its_receivers_death),
        CLAIM(a_sender_asleep_on_a_full_ring_is_woken_by_the_death),
        CLAIM(a_sender_asleep_for_a_loan_is_woken_and_has_all_loans_back),
        CLAIM(loans_that_were_not_viewed_come_back_too),
        CLAIM(the_end_of_the_opening_thread_is_no_death_and_a_kill_is_noticed_all_the_same),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
