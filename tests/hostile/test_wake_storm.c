/* SPDX-License-Identifier: MIT */
/*
 * Storms. A peer that wakes the sleeper without end, changes its event, its waiters and what it calls its life word all
 * the time: the wait goes on until its deadline, ends then, and is still ended by a real message. A peer that
 * floods the socket with descriptors: each datagram is refused, and no descriptor stays.
 */
#include "../process/handshake_fixture.h"

#undef NEAR_WRAP
#undef COUNT
#include "ways.h"

#define WAIT_MS 60u
#define LATE_MS (SANITIZED ? 2000u : 1000u) /* on a machine that is busy with something else */

/* What the storm says in the end, when the page tells it to. */
struct storm_page {
    exo_u32 end; /* send a message, or take one */
    exo_u32 ready;
};

struct storm {
    struct storm_page *page;
    exo_bool on_receiver; /* storms on its receiver segment: the victim waits to send */
    exo_bool life;        /* its life word too */
};

static void storms(struct meeting *meeting)
{
    const struct storm *storm = (const struct storm *)meeting->argument;
    struct exo_segment *mine;
    struct exo_ring_sync *sync;
    exo_u32 turn;
    child_opens(meeting);
    mine = storm->on_receiver ? &meeting->end.link.own_rx : &meeting->end.link.own_tx;
    sync = &((struct exo_tx_segment *)(void *)mine->memory)->sync; /* at the same place in both */
    exo_store32(&storm->page->ready, 1, EXO_RELEASE);
    for (turn = 0; exo_load32(&storm->page->end, EXO_ACQUIRE) == 0; turn++) {
        (void)exo_fetch_add32(&sync->event, 1u, EXO_RELEASE);
        exo_store32(&sync->waiters, (turn * EXO_WAIT_STEP | (turn & 3)) & ~EXO_WAIT_CLOSED, EXO_RELAXED);
        exo_port_wake(&sync->event, 0xFFFFFFFFu, EXO_TRUE);
        if (storm->life && mine->life != 0) {
            exo_u32 *life = (exo_u32 *)(void *)(mine->memory + mine->bytes - mine->life);
            exo_store32(life, turn, EXO_RELAXED);
            exo_port_wake(life, 0xFFFFFFFFu, EXO_TRUE);
        }
    }
    if (storm->on_receiver) {
        exo_u8 bytes[56];
        CHECK(exo_recv(&meeting->end.rx, bytes, sizeof(bytes)) >= 0);
    } else {
        CHECK(exo_send(&meeting->end.tx, "end", 4) == EXO_OK);
    }
    CHECK(exo_recv_blocking(&meeting->end.rx, NULL, 0, in_seconds(20)) != EXO_TIMEOUT);
}

enum storm_wait { READABLE, BLOCKING_RECV, BLOCKING_VIEW, WRITABLE, BLOCKING_SEND, BLOCKING_LOAN, STORM_WAITS };

static exo_i64 wait_by(struct exo_end *end, enum storm_wait wait, exo_u64 deadline)
{
    static exo_u8 bytes[56];
    struct exo_viewed view;
    struct exo_loaned loan;
    switch (wait) {
    case READABLE:
        return exo_wait_readable(&end->rx, deadline);
    case BLOCKING_RECV:
        return exo_recv_blocking(&end->rx, bytes, sizeof(bytes), deadline);
    case BLOCKING_VIEW:
        return exo_view_blocking(&end->rx, &view, deadline);
    case WRITABLE:
        return exo_wait_writable(&end->tx, deadline);
    case BLOCKING_SEND:
        return exo_send_blocking(&end->tx, bytes, 8, deadline);
    default:
        return exo_loan_blocking(&end->tx, STAGE_ARENA, &loan, deadline);
    }
}

/* It does not end before its deadline, nor long after, but for what the machine was late. */
static void assert_in_time(struct exo_end *end, enum storm_wait wait, exo_u64 *worst)
{
    exo_u64 deadline = in_ms(WAIT_MS);
    exo_i64 got = wait_by(end, wait, deadline);
    exo_u64 now = exo_port_now_ns();
    if (got != EXO_TIMEOUT || now < deadline) {
        print_message("             wait %u: %s (%lld), %lld us before its deadline\n", wait, exo_status_text(got),
                      (long long)got, (long long)(deadline - now) / 1000);
        fail();
    }
    now = passed_between(deadline, now);
    assert_true(now < LATE_MS * MILLISECOND_NS);
    *worst = now > *worst ? now : *worst;
}

static void fill_up(struct exo_end *end)
{
    struct exo_loaned loan;
    assert_int_equal(exo_loan(&end->tx, 8, &loan), EXO_OK);
    while (exo_send_inline(&end->tx, "full", 4) == EXO_OK) {
    }
}

static exo_u64 stormy_waits(exo_bool life, exo_u64 *worst)
{
    exo_u64 waits = 0;
    exo_u32 wait;
    for (wait = 0; wait < STORM_WAITS; wait++) {
        struct exo_ring_config config = stage_config(0);
        struct storm storm = {NULL, wait >= WRITABLE, life};
        struct meeting meeting = {.sockets = {-1, -1}, .body = storms, .config = &config, .argument = &storm};
        exo_u32 turn;
        pid_t child;
        storm.page = (struct storm_page *)shared_page(sizeof(*storm.page));
        child = meet(&meeting);
        assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
        while (exo_load32(&storm.page->ready, EXO_ACQUIRE) == 0) {
            sleep_us(50);
        }
        if (storm.on_receiver) {
            fill_up(&meeting.end);
        }
        for (turn = 0; turn < 3; turn++) {
            assert_in_time(&meeting.end, (enum storm_wait)wait, worst);
            waits++;
        }
        exo_store32(&storm.page->end, 1, EXO_RELEASE);
        if (wait != BLOCKING_LOAN) { /* what it waits for comes, storm or not */
            assert_true(wait_by(&meeting.end, (enum storm_wait)wait, in_seconds(10)) >= 0);
        }
        if (wait == READABLE) { /* else the close may come before the sender's last look, which then says Closed */
            assert_int_equal(wait_by(&meeting.end, BLOCKING_RECV, in_seconds(10)), 4);
        }
        exo_close(&meeting.end);
        assert_int_equal(join_child(child), 0);
        (void)munmap(storm.page, sizeof(*storm.page));
    }
    return waits;
}

static void a_wait_in_a_storm_of_wakes_lasts_to_its_deadline_and_no_longer(void **state)
{
    struct held before = count_held();
    exo_u64 worst = 0;
    exo_u64 waits;
    (void)state;
    waits = stormy_waits(EXO_FALSE, &worst);
    waits += stormy_waits(EXO_TRUE, &worst);
    print_message("             %llu waits, at most %llu us late\n", (unsigned long long)waits,
                  (unsigned long long)worst / 1000);
    assert_held(before);
}

/* A life word that has changed is believed to tell of a death soon, but no call waits beyond its deadline for that. */
static void a_life_word_that_changes_does_not_hold_up_a_deadline(void **state)
{
    struct exo_end a;
    struct exo_end b;
    struct exo_ring_config config = stage_config(0);
    exo_u64 best = SECOND_NS;
    exo_u32 round;
    (void)state;
    for (round = 0; round < 5; round++) {
        exo_u64 deadline;
        exo_u32 *life;
        assert_int_equal(exo_open_both(&a, &b, &config), EXO_OK);
        life = (exo_u32 *)(void *)(b.link.own_tx.memory + b.link.own_tx.bytes - b.link.own_tx.life);
        if (b.link.own_tx.life == 0) {
            exo_close(&a);
            exo_close(&b);
            skip();
        }
        exo_store32(life, exo_load32(life, EXO_RELAXED) ^ 4u, EXO_RELAXED);
        deadline = in_ms(2);
        assert_int_equal(exo_wait_readable(&a.rx, deadline), EXO_TIMEOUT);
        best = exo_min64(best, passed_since(deadline));
        exo_store32(life, exo_load32(life, EXO_RELAXED) ^ 4u, EXO_RELAXED);
        exo_close(&a);
        exo_close(&b);
    }
    assert_true(best < EXO_PORT_DYING_MS * MILLISECOND_NS / 2); /* the best of five: the machine may be busy */
}

static void flood_with(struct peer *peer, int descriptors)
{
    struct datagram datagram = good_hello(peer);
    int i;
    for (i = 0; i < descriptors; i++) {
        datagram.descriptors[i] = peer->tx.descriptor;
    }
    datagram.count = descriptors;
    say(peer, &datagram);
}

static void a_flood_of_descriptors_leaves_none_behind(void **state)
{
    struct held before = count_held();
    struct exo_geometry geometry;
    exo_u32 round;
    (void)state;
    default_geometry(&geometry);
    for (round = 0; round < ROUNDS(120u); round++) {
        struct peer peer;
        struct exo_end end;
        exo_u32 turn;
        peer_begin(&peer, &geometry);
        peer_seal(&peer);
        for (turn = 0; turn < 4; turn++) { /* more than will ever be read */
            flood_with(&peer, 2 + (int)(round + turn) % 63);
        }
        assert_int_equal(exo_open(&end, peer.other, NULL, in_seconds(5)), EXO_CORRUPT);
        peer_end(&peer);
        assert_held(before);
    }
}

static void taking_a_descriptor_out_of_a_flood_leaves_none_behind(void **state)
{
    struct held before = count_held();
    struct exo_geometry geometry;
    struct peer peer;
    int taken;
    (void)state;
    default_geometry(&geometry);
    peer_begin(&peer, &geometry);
    for (taken = 0; taken < 63; taken++) {
        struct datagram datagram = good_hello(&peer);
        int descriptor = -1;
        int i;
        datagram.bytes = 4; /* as exo_pass() says it */
        datagram.count = 2 + taken % 63;
        for (i = 0; i < datagram.count; i++) {
            datagram.descriptors[i] = peer.tx.descriptor;
        }
        say(&peer, &datagram);
        assert_int_equal(exo_take(peer.other, &descriptor, in_seconds(5)), EXO_CORRUPT);
        assert_int_equal(descriptor, -1);
    }
    (void)close(peer.other);
    peer_end(&peer);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_wait_in_a_storm_of_wakes_lasts_to_its_deadline_and_no_longer),
        CLAIM(a_life_word_that_changes_does_not_hold_up_a_deadline),
        CLAIM(a_flood_of_descriptors_leaves_none_behind),
        CLAIM(taking_a_descriptor_out_of_a_flood_leaves_none_behind),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
