/* SPDX-License-Identifier: MIT */
/* Ends and their processes: closing against dying, who the peer is, ends that travel, forks. */
#include "handshake_fixture.h"

#include <pthread.h>

/* What a child that opens, sends and ends has to do. */
struct ending {
    exo_u32 messages;
    exo_bool closes;
};

static void sends_and_ends(struct meeting *meeting)
{
    const struct ending *ending = (const struct ending *)meeting->argument;
    exo_u32 i;
    child_opens(meeting);
    for (i = 0; i < ending->messages; i++) {
        CHECK(exo_send_blocking(&meeting->end.tx, &i, sizeof(i), EXO_FOREVER) == EXO_OK);
    }
    if (ending->closes) {
        exo_close(&meeting->end);
    }
}

/* All messages, then the reason why no more will come. */
static void assert_ending(struct exo_end *end, const struct ending *ending, exo_bool sleeping)
{
    exo_u32 i;
    exo_u32 got = 99;
    exo_i64 len;
    exo_status reason = ending->closes ? EXO_CLOSED : EXO_PEER_DIED;
    for (i = 0; i < ending->messages; i++) {
        assert_int_equal(exo_recv_blocking(&end->rx, &got, sizeof(got), in_seconds(5)), sizeof(got));
        assert_int_equal(got, i);
    }
    if (sleeping) {
        assert_int_equal(exo_recv_blocking(&end->rx, &got, sizeof(got), in_seconds(5)), reason);
    } else {
        while ((len = exo_recv_inline(&end->rx, &got, sizeof(got))) == EXO_EMPTY) {
        }
        assert_int_equal(len, reason);
    }
    assert_int_equal(exo_wait_readable(&end->rx, EXO_NOW), reason); /* and stays so */
    while ((len = exo_send_inline(&end->tx, &got, sizeof(got))) == EXO_OK || len == EXO_FULL) {
    }
    assert_int_equal(len, reason);
}

static void closing_and_dying_are_told_apart_even_at_once(void **state)
{
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    for (round = 0; round < ROUNDS(300); round++) {
        struct ending ending = {round % 5, round % 4 < 2};
        struct meeting meeting = {.sockets = {-1, -1}, .body = sends_and_ends, .argument = &ending};
        pid_t child = meet(&meeting);
        assert_int_equal(parent_opens(&meeting, NULL), EXO_OK);
        if (round % 3 == 0) {
            sleep_us(300); /* it may have gone before we look */
        }
        assert_ending(&meeting.end, &ending, round % 8 < 4);
        exo_close(&meeting.end);
        assert_int_equal(join_child(child), 0);
    }
    assert_held(before);
}

/* The peer may have come and gone, and its process been reaped, before this side has opened its end. */
static void what_a_peer_sent_before_it_was_reaped_is_received(void **state)
{
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    for (round = 0; round < 20; round++) {
        struct ending ending = {3, round % 2 == 0};
        struct meeting meeting = {.sockets = {-1, -1}, .body = sends_and_ends, .argument = &ending};
        pid_t child = meet(&meeting);
        struct exo_end *end = &meeting.end;
        assert_int_equal(exo_end_begin_pvt(end, meeting.sockets[0], NULL, in_seconds(5)), EXO_OK);
        assert_int_equal(exo_link_accept_pvt(&end->link, in_seconds(5)), EXO_OK);
        assert_int_equal(join_child(child), 0);
        assert_int_equal(exo_end_finish_pvt(end, in_seconds(5)), EXO_OK);
        assert_ending(end, &ending, round % 4 < 2);
        exo_close(end);
    }
    assert_held(before);
}

/* Unread datagrams make the kernel report a reset to the other side, in front of what that one has not read. */
static void a_refusal_is_heard_although_the_socket_was_reset(void **state)
{
    struct held before = count_held();
    struct exo_end a;
    struct exo_end b;
    int sockets[2] = {-1, -1};
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(exo_end_begin_pvt(&a, sockets[0], NULL, EXO_NOW), EXO_OK);
    assert_int_equal(exo_end_begin_pvt(&b, sockets[1], NULL, EXO_NOW), EXO_OK);
    assert_int_equal(exo_link_accept_pvt(&a.link, EXO_NOW), EXO_OK);
    assert_int_equal(exo_link_say_pvt(&b.link, EXO_ACCEPT, EXO_NO_MEMORY, NULL, EXO_NOW), EXO_OK);
    exo_close(&b); /* with hello and accept of a unread */
    assert_int_equal(exo_end_finish_pvt(&a, in_seconds(1)), EXO_NO_MEMORY);
    exo_close(&a);
    assert_held(before);
}

static void waits_to_be_closed(struct meeting *meeting)
{
    child_opens(meeting);
    CHECK(meeting->end.peer.pid == (exo_u32)getppid());
    CHECK(exo_wait_readable(&meeting->end.rx, EXO_FOREVER) == EXO_CLOSED);
    exo_close(&meeting->end);
}

static void credentials_of_the_peer_are_the_kernels(void **state)
{
    struct meeting meeting = {.sockets = {-1, -1}, .body = waits_to_be_closed};
    pid_t child = meet(&meeting);
    (void)state;
    assert_int_equal(parent_opens(&meeting, NULL), EXO_OK);
    assert_int_equal(meeting.end.peer.pid, child);
    assert_int_equal(meeting.end.peer.uid, getuid());
    assert_int_equal(meeting.end.peer.gid, getgid());
    exo_close(&meeting.end);
    assert_int_equal(join_child(child), 0);
}

/* A child that takes a socket over another one, and opens an end with it. */
static void takes_and_answers(void *argument)
{
    const int *control = (const int *)argument;
    struct exo_end end;
    int taken = -1;
    exo_u32 number = 0;
    (void)close(control[0]);
    CHECK(exo_take(control[1], &taken, in_seconds(10)) == EXO_OK);
    CHECK((fcntl(taken, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(exo_open(&end, taken, NULL, in_seconds(10)) == EXO_OK);
    CHECK(exo_recv_blocking(&end.rx, &number, sizeof(number), EXO_FOREVER) == sizeof(number));
    number++;
    CHECK(exo_send_blocking(&end.tx, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
    CHECK(exo_wait_readable(&end.rx, EXO_FOREVER) == EXO_CLOSED);
    exo_close(&end);
}

static void a_passed_socket_joins_two_who_were_never_related(void **state)
{
    struct held before = count_held();
    int control[2] = {-1, -1};
    int sockets[2] = {-1, -1};
    struct exo_end end;
    exo_u32 number = 41;
    pid_t child;
    (void)state;
    assert_int_equal(exo_pair(control), EXO_OK);
    child = start_child(takes_and_answers, control);
    assert_int_equal(close(control[1]), 0);
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(exo_pass(control[0], sockets[1], in_seconds(10)), EXO_OK);
    assert_int_equal(close(sockets[1]), 0);
    assert_int_equal(exo_open(&end, sockets[0], NULL, in_seconds(10)), EXO_OK);
    assert_int_equal(end.peer.pid, child);
    assert_int_equal(exo_send_blocking(&end.tx, &number, sizeof(number), in_seconds(5)), EXO_OK);
    assert_int_equal(exo_recv_blocking(&end.rx, &number, sizeof(number), in_seconds(5)), sizeof(number));
    assert_int_equal(number, 42);
    exo_close(&end);
    assert_int_equal(join_child(child), 0);
    assert_int_equal(close(control[0]), 0);
    assert_held(before);
}

static void taking_anything_but_one_descriptor_is_corrupt(void **state)
{
    struct held before = count_held();
    int sockets[2] = {-1, -1};
    int taken = -7;
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(send(sockets[0], "exo", 4, 0), 4);
    assert_int_equal(exo_take(sockets[1], &taken, EXO_NOW), EXO_CORRUPT);
    assert_int_equal(exo_socket_send_pvt(sockets[0], "exocet", 7, 0, EXO_NOW), EXO_OK);
    assert_int_equal(exo_take(sockets[1], &taken, EXO_NOW), EXO_CORRUPT);
    assert_int_equal(taken, -7);
    assert_int_equal(close(sockets[0]) + close(sockets[1]), 0);
    assert_held(before);
}

static void has_no_segments(void *argument)
{
    (void)argument;
    CHECK(count_segments() == 0);
}

static void an_end_is_not_inherited_by_fork(void **state)
{
    struct exo_end a;
    struct exo_end b;
    exo_u32 number = 7;
    (void)state;
    assert_int_equal(exo_open_both(&a, &b, NULL), EXO_OK);
    assert_true(count_segments() >= 8);
    assert_int_equal(join_child(start_child(has_no_segments, NULL)), 0);
    assert_int_equal(exo_send_inline(&a.tx, &number, sizeof(number)), EXO_OK); /* no harm done here */
    assert_int_equal(exo_recv_inline(&b.rx, &number, sizeof(number)), sizeof(number));
    assert_int_equal(exo_wait_readable(&b.rx, in_ms(1)), EXO_TIMEOUT);
    exo_close(&a);
    exo_close(&b);
}

/* Two ends, and the thread that opens them, in steps that main() gives. */
struct opener {
    struct exo_end a;
    struct exo_end b;
    exo_u32 step;
};

static void *opens_waits_and_opens_again(void *argument)
{
    struct opener *opener = (struct opener *)argument;
    struct exo_end c;
    struct exo_end d;
    exo_status status = exo_open_both(&opener->a, &opener->b, NULL);
    exo_store32(&opener->step, status == EXO_OK ? 1 : 3, EXO_RELEASE);
    while (exo_load32(&opener->step, EXO_ACQUIRE) == 1) {
        (void)sched_yield();
    }
    status = exo_open_both(&c, &d, NULL);
    if (status == EXO_OK) {
        exo_close(&c);
        exo_close(&d);
    }
    return status == EXO_OK ? argument : NULL;
}

static void an_end_may_be_closed_by_another_thread_than_opened_it(void **state)
{
    struct held before = count_held();
    struct opener opener;
    pthread_t thread;
    void *result = NULL;
    (void)state;
    if (EXO_HAS_TSAN) {
        skip(); /* it takes the life word for a mutex, which must be unlocked where it was locked */
    }
    opener.step = 0;
    assert_int_equal(pthread_create(&thread, NULL, opens_waits_and_opens_again, &opener), 0);
    while (exo_load32(&opener.step, EXO_ACQUIRE) == 0) {
        (void)sched_yield();
    }
    assert_int_equal(opener.step, 1);
    exo_close(&opener.a);
    assert_int_equal(exo_recv_inline(&opener.b.rx, NULL, 0), EXO_CLOSED);
    exo_close(&opener.b);
    exo_store32(&opener.step, 2, EXO_RELEASE);
    assert_int_equal(pthread_join(thread, &result), 0); /* the kernel walks the thread's life words */
    assert_ptr_equal(result, &opener);
    assert_int_equal(count_descriptors(), before.descriptors);
    assert_true(count_segments() <= before.segments + 4); /* a page of each */
}

static void becomes_another_program(struct meeting *meeting)
{
    child_opens(meeting);
    CHECK(exo_send_inline(&meeting->end.tx, "x", 1) == EXO_OK);
    (void)execlp("sleep", "sleep", "60", (char *)NULL);
}

/* The process lives on, but nothing of the end is left in it: the socket tells. */
static void a_peer_that_executes_another_program_died(void **state)
{
    struct held before = count_held();
    struct meeting meeting = {.sockets = {-1, -1}, .body = becomes_another_program};
    pid_t child = meet(&meeting);
    char byte = 0;
    (void)state;
    assert_int_equal(parent_opens(&meeting, NULL), EXO_OK);
    assert_int_equal(exo_recv_blocking(&meeting.end.rx, &byte, 1, in_seconds(10)), 1);
    assert_int_equal(exo_wait_readable(&meeting.end.rx, in_seconds(10)), EXO_PEER_DIED);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    exo_close(&meeting.end);
    assert_held(before);
}

/* A hostile peer that calls a word its life that nothing will ever change. */
static void lies_about_its_life(void *argument)
{
    struct peer *peer = (struct peer *)argument;
    struct exo_ring_config config = {.profile = EXO_HOSTILE};
    struct exo_geometry geometry;
    struct datagram hello;
    struct datagram accept;
    (void)close(peer->other);
    CHECK(exo_geometry_from_config(&geometry, &config) == EXO_OK);
    CHECK(exo_segment_create(&peer->tx, "exo_ipc liar", (exo_size)geometry.tx_bytes, 0) == EXO_OK);
    CHECK(exo_segment_create(&peer->rx, "exo_ipc liar", (exo_size)geometry.rx_bytes, 0) == EXO_OK);
    CHECK(exo_tx_segment_init(peer->tx.memory, peer->tx.bytes, &geometry) == EXO_OK);
    CHECK(exo_rx_segment_init(peer->rx.memory, peer->rx.bytes, &geometry) == EXO_OK);
    memset(peer->tx.memory + peer->tx.bytes - 64, 0x11, 64);
    memset(peer->rx.memory + peer->rx.bytes - 64, 0x11, 64);
    CHECK(exo_segment_seal(&peer->tx) == EXO_OK && exo_segment_seal(&peer->rx) == EXO_OK);
    hello = good_hello(peer);
    accept = good_accept(peer);
    hello.hello.life = accept.hello.life = 32;
    say(peer, &hello);
    say(peer, &accept);
    (void)pause();
}

static void a_hostile_peer_that_lies_about_its_life_is_found_dead_in_time(void **state)
{
    const struct exo_ring_config config = {.profile = EXO_HOSTILE};
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    for (round = 0; round < 4; round++) {
        struct peer peer;
        struct exo_end end;
        int sockets[2] = {-1, -1};
        exo_u64 killed;
        exo_status status;
        pid_t child;
        assert_int_equal(exo_pair(sockets), EXO_OK);
        peer.socket = sockets[0];
        peer.other = sockets[1];
        child = start_child(lies_about_its_life, &peer);
        assert_int_equal(close(peer.socket), 0);
        assert_int_equal(exo_open(&end, peer.other, &config, in_seconds(10)), EXO_OK);
        assert_int_equal(exo_wait_readable(&end.rx, in_ms(150)), EXO_TIMEOUT);
        assert_int_equal(kill(child, SIGKILL), 0);
        killed = exo_port_now_ns();
        while ((status = exo_wait_readable(&end.rx, round % 2 == 0 ? in_seconds(10) : EXO_NOW)) == EXO_WOULD_BLOCK) {
        }
        assert_int_equal(status, EXO_PEER_DIED);
        assert_true(passed_since(killed) < 600 * MILLISECOND_NS);
        assert_int_equal(join_child(child), -SIGKILL);
        exo_close(&end);
        assert_held(before);
    }
}

static void two_descriptors_of_an_end_stay_open_and_none_survives_exec(void **state)
{
    struct held before = count_held();
    struct exo_end a;
    struct exo_end b;
    (void)state;
    assert_int_equal(exo_open_both(&a, &b, NULL), EXO_OK);
    assert_int_equal(count_descriptors(), before.descriptors + 4);
    assert_int_equal(fcntl(a.link.socket, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(a.link.pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    exo_close(&a);
    exo_close(&b);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(closing_and_dying_are_told_apart_even_at_once),
        CLAIM(what_a_peer_sent_before_it_was_reaped_is_received),
        CLAIM(a_refusal_is_heard_although_the_socket_was_reset),
        CLAIM(credentials_of_the_peer_are_the_kernels),
        CLAIM(a_passed_socket_joins_two_who_were_never_related),
        CLAIM(taking_anything_but_one_descriptor_is_corrupt),
        CLAIM(an_end_is_not_inherited_by_fork),
        CLAIM(an_end_may_be_closed_by_another_thread_than_opened_it),
        CLAIM(a_peer_that_executes_another_program_died),
        CLAIM(a_hostile_peer_that_lies_about_its_life_is_found_dead_in_time),
        CLAIM(two_descriptors_of_an_end_stay_open_and_none_survives_exec),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
