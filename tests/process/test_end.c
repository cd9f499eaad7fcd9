/* SPDX-License-Identifier: MIT */
/* Ends: what two of them agree on, what they refuse, and traffic of every kind through both directions. */
#include "stream.h"

#include <netinet/in.h>

/* As much of a stream as fits, received at once, `rounds` times over. */
static void run_stream(struct exo_sender *tx, struct exo_receiver *rx, exo_u32 kind, exo_u32 rounds)
{
    exo_u64 sent = 0;
    exo_u64 received = 0;
    while (rounds-- != 0) {
        exo_i64 count;
        exo_u32 lots;
        for (lots = 0; lots < 5; lots++) {
            count = stream_send(tx, kind, sent, EXO_NOW);
            assert_true(count > 0);
            sent += (exo_u64)count;
        }
        while ((count = stream_recv(rx, kind, received)) > 0) {
            received += (exo_u64)count;
        }
        assert_int_equal(count, EXO_EMPTY);
        assert_int_equal(received, sent);
    }
}

static void both_directions_carry_every_kind_of_message(void **state)
{
    struct held before = count_held();
    exo_u32 kind;
    (void)state;
    for (kind = 0; kind < 2 * STREAM_KINDS; kind++) {
        struct exo_ring_config config = stream_config(kind % STREAM_KINDS, NEAR_WRAP + kind / STREAM_KINDS);
        struct exo_end a;
        struct exo_end b;
        assert_int_equal(exo_open_both(&a, &b, &config), EXO_OK);
        run_stream(&a.tx, &b.rx, kind % STREAM_KINDS, 40);
        run_stream(&b.tx, &a.rx, kind % STREAM_KINDS, 40);
        assert_int_equal(exo_loans_outstanding(&a.tx), 0);
        assert_int_equal(exo_loans_outstanding(&b.tx), 0);
        exo_close(&a);
        exo_close(&b);
        assert_held(before);
    }
}

/* Pointers into this process among the words of a segment. User-space addresses are high here; the huge mappings
 * of sanitizers, into which a random word may point, do not count. */
static void assert_no_pointer(const struct exo_segment *segment, const struct mapping *mappings, exo_size count)
{
    const exo_u64 least = sizeof(void *) == 8 ? (exo_u64)0x500000000000 : (exo_u64)1 << 32;
    exo_size off;
    exo_size i;
    for (off = 0; off + 8 <= segment->bytes; off += 4) {
        exo_u64 word = exo_read64(segment->memory + off);
        for (i = 0; word >= least && i < count; i++) {
            exo_u64 bytes = mappings[i].end - mappings[i].begin;
            assert_false(word - mappings[i].begin < bytes && bytes < (exo_u64)1 << 32);
        }
    }
}

static void shared_memory_holds_no_pointer(void **state)
{
    static struct mapping mappings[4096];
    exo_size count;
    exo_u32 kind;
    exo_u32 i;
    (void)state;
    for (kind = 0; kind < STREAM_KINDS; kind++) {
        struct exo_ring_config config = stream_config(kind, 0);
        struct exo_end ends[2];
        assert_int_equal(exo_open_both(&ends[0], &ends[1], &config), EXO_OK);
        run_stream(&ends[0].tx, &ends[1].rx, kind, 40);
        run_stream(&ends[1].tx, &ends[0].rx, kind, 40);
        assert_int_equal(exo_wait_readable(&ends[0].rx, in_ms(2)), EXO_TIMEOUT);
        count = read_mappings(mappings, COUNT(mappings));
        assert_true(count > 10);
        for (i = 0; i < 2; i++) {
            assert_true(ends[i].link.own_tx.life != 0); /* they are among what is looked at */
            assert_true(ends[i].link.own_rx.life != 0);
            assert_no_pointer(&ends[i].link.own_tx, mappings, count);
            assert_no_pointer(&ends[i].link.own_rx, mappings, count);
        }
        exo_close(&ends[0]);
        exo_close(&ends[1]);
    }
}

static void answers_each_number(struct meeting *meeting)
{
    exo_u64 number = 0;
    exo_i64 got;
    child_opens(meeting);
    while ((got = exo_recv_blocking(&meeting->end.rx, &number, 8, EXO_FOREVER)) == 8) {
        number++;
        CHECK(exo_send_blocking(&meeting->end.tx, &number, 8, EXO_FOREVER) == EXO_OK);
    }
    CHECK(got == EXO_CLOSED);
    exo_close(&meeting->end);
}

static void blocking_calls_are_woken_by_the_other_process(void **state)
{
    struct exo_ring_config config = {0};
    struct meeting meeting = {.sockets = {-1, -1}, .body = answers_each_number, .config = &config};
    exo_u64 number = 0;
    exo_u32 round;
    pid_t child;
    (void)state;
    config.spin = 1;
    config.start = NEAR_WRAP;
    child = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
    for (round = 0; round < 2000; round++) {
        exo_u64 answer = 0;
        assert_int_equal(exo_send_blocking(&meeting.end.tx, &number, 8, in_seconds(5)), EXO_OK);
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &answer, 8, in_seconds(5)), 8);
        assert_int_equal(answer, number + 1);
        number = answer + round;
    }
    exo_close(&meeting.end);
    assert_int_equal(join_child(child), 0);
}

static void has_8_slots_and_no_arena(struct meeting *meeting)
{
    struct exo_loaned loan;
    exo_u32 i;
    child_opens(meeting);
    for (i = 0; i < 8; i++) {
        CHECK(exo_send_inline(&meeting->end.tx, &i, sizeof(i)) == EXO_OK);
    }
    CHECK(exo_send_inline(&meeting->end.tx, &i, sizeof(i)) == EXO_FULL);
    CHECK(exo_loan(&meeting->end.tx, 100, &loan) == EXO_NOT_SUPPORTED);
    exo_store32((exo_u32 *)meeting->argument, 1, EXO_RELEASE);
    CHECK(exo_wait_readable(&meeting->end.rx, EXO_FOREVER) == EXO_CLOSED);
    exo_close(&meeting->end);
}

static void each_direction_has_the_configuration_of_its_sender(void **state)
{
    struct exo_ring_config small = {0};
    struct exo_ring_config large = {0};
    struct meeting meeting = {.sockets = {-1, -1}, .body = has_8_slots_and_no_arena, .config = &small};
    struct exo_loaned loan;
    exo_u32 *filled = (exo_u32 *)shared_page(4096);
    exo_u32 i;
    pid_t child;
    (void)state;
    meeting.argument = filled;
    small.slots = 8;
    small.arena_size = EXO_ARENA_NONE;
    large.slots = 1024;
    large.slot_size = 128;
    large.arena_size = 1 << 20;
    child = meet(&meeting);
    assert_int_equal(parent_opens(&meeting, &large), EXO_OK);
    while (exo_load32(filled, EXO_ACQUIRE) == 0) {
        assert_true(exo_port_peer_alive(meeting.end.rx.peer));
        sleep_us(100);
    }
    for (i = 0; i < 8; i++) {
        exo_u32 got = 99;
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &got, sizeof(got), in_seconds(5)), sizeof(got));
        assert_int_equal(got, i);
    }
    assert_int_equal(exo_loan(&meeting.end.tx, 1 << 20, &loan), EXO_OK);
    assert_int_equal(exo_loan_cancel(&meeting.end.tx, &loan), EXO_OK);
    exo_close(&meeting.end);
    assert_int_equal(join_child(child), 0);
}

static void expects_a_mismatch(struct meeting *meeting)
{
    CHECK(exo_open(&meeting->end, meeting->sockets[1], meeting->config, in_seconds(20)) == EXO_TYPE_MISMATCH);
    CHECK(meeting->end.link.socket == -1);
}

static void another_type_or_profile_is_refused_on_both_sides(void **state)
{
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    for (round = 0; round < 40; round++) {
        struct exo_ring_config theirs = {0};
        struct meeting meeting = {.sockets = {-1, -1}, .body = expects_a_mismatch, .config = &theirs};
        pid_t child;
        if (round % 2 == 0) {
            theirs.type = 1;
        } else {
            theirs.profile = EXO_HOSTILE;
        }
        child = meet(&meeting);
        sleep_us(round % 4 < 2 ? 0 : 2000); /* either may be the first */
        assert_int_equal(parent_opens(&meeting, NULL), EXO_TYPE_MISMATCH);
        assert_int_equal(join_child(child), 0);
        assert_held(before);
    }
}

static void threads_means_crash_safe_between_processes(void **state)
{
    struct exo_ring_config config = {0};
    struct exo_end a;
    struct exo_end b;
    (void)state;
    config.profile = EXO_THREADS;
    assert_int_equal(exo_open_both(&a, &b, &config), EXO_OK);
    assert_int_equal(a.tx.tx->header.profile, EXO_CRASH_SAFE);
    assert_true(a.tx.waker.shared);
    exo_close(&a);
    exo_close(&b);
}

static void configurations_that_ends_cannot_have_are_refused(void **state)
{
    static const struct {
        struct exo_ring_config config;
        exo_status wanted;
    } bad[] = {
        {{.mode = EXO_MPSC}, EXO_NOT_SUPPORTED},
        {{.mode = EXO_SPMC}, EXO_NOT_SUPPORTED},
        {{.mode = EXO_MPMC}, EXO_NOT_SUPPORTED},
        {{.mode = EXO_MPSC | EXO_POLLED, .producers = 4}, EXO_NOT_SUPPORTED},
        {{.mode = 8}, EXO_INVALID_ARGUMENT},
        {{.profile = 3}, EXO_INVALID_ARGUMENT},
        {{.slots = 3}, EXO_INVALID_SIZE},
        {{.slot_size = 96}, EXO_INVALID_SIZE},
        {{.arena_size = EXO_SIZE_MAX / 2}, EXO_INVALID_SIZE},
    };
    struct held before = count_held();
    struct exo_end a;
    struct exo_end b;
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        int sockets[2] = {-1, -1};
        assert_int_equal(exo_open_both(&a, &b, &bad[i].config), bad[i].wanted);
        assert_held(before);
        assert_int_equal(exo_pair(sockets), EXO_OK);
        assert_int_equal(exo_open(&a, sockets[0], &bad[i].config, in_seconds(5)), bad[i].wanted);
        assert_int_equal(exo_open(&b, sockets[1], NULL, in_seconds(5)), EXO_PEER_DIED);
        assert_held(before);
    }
}

static void what_is_no_connected_socket_is_refused(void **state)
{
    struct held before = count_held();
    struct exo_end end;
    int sides[2] = {-1, -1};
    int descriptor = -1;
    (void)state;
    assert_int_equal(exo_open(&end, -1, NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_open(&end, 9999, NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sides), 0);
    assert_int_equal(exo_open(&end, sides[0], NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pass(sides[1], -1, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(close(sides[1]), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sides), 0);
    assert_int_equal(exo_open(&end, sides[0], NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(close(sides[1]), 0);
    assert_int_equal(pipe(sides), 0);
    assert_int_equal(exo_open(&end, sides[0], NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pass(sides[1], 0, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_take(sides[1], &descriptor, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(close(sides[1]), 0);
    assert_int_equal(exo_open(&end, socket(AF_INET, SOCK_STREAM, 0), NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_open(&end, socket(AF_UNIX, SOCK_SEQPACKET, 0), NULL, in_seconds(1)), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_take(-1, &descriptor, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(descriptor, -1);
    assert_held(before);
}

static void a_peer_that_does_not_answer_ends_in_timeout_or_would_block(void **state)
{
    struct held before = count_held();
    struct exo_end end;
    int sockets[2] = {-1, -1};
    int descriptor = -1;
    exo_u64 begun;
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(exo_open(&end, dup(sockets[0]), NULL, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_open(&end, dup(sockets[0]), NULL, 1), EXO_TIMEOUT); /* long past */
    begun = exo_port_now_ns();
    assert_int_equal(exo_open(&end, dup(sockets[0]), NULL, begun + 50 * MILLISECOND_NS), EXO_TIMEOUT);
    assert_true(exo_port_now_ns() >= begun + 50 * MILLISECOND_NS);
    assert_true(exo_port_now_ns() < begun + 5 * SECOND_NS);
    assert_int_equal(exo_take(sockets[0], &descriptor, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_take(sockets[0], &descriptor, in_ms(5)), EXO_TIMEOUT);
    assert_int_equal(close(sockets[0]) + close(sockets[1]), 0);
    assert_held(before);
}

static void a_full_socket_ends_in_timeout_or_would_block(void **state)
{
    int sockets[2] = {-1, -1};
    exo_status status;
    exo_u32 passed = 0;
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    while ((status = exo_pass(sockets[0], 0, EXO_NOW)) == EXO_OK) {
        passed++;
    }
    assert_true(passed != 0);
    assert_true(status == EXO_WOULD_BLOCK || status == EXO_QUOTA_EXCEEDED);
    status = exo_pass(sockets[0], 0, in_ms(10));
    assert_true(status == EXO_TIMEOUT || status == EXO_QUOTA_EXCEEDED);
    assert_int_equal(close(sockets[0]) + close(sockets[1]), 0);
}

static void a_peer_that_closed_before_opening_died(void **state)
{
    struct held before = count_held();
    struct exo_end end;
    int sockets[2] = {-1, -1};
    int descriptor = -1;
    (void)state;
    assert_int_equal(exo_pair(sockets), EXO_OK);
    assert_int_equal(close(sockets[1]), 0);
    assert_int_equal(exo_pass(sockets[0], 0, in_seconds(1)), EXO_PEER_DIED);
    assert_int_equal(exo_take(sockets[0], &descriptor, in_seconds(1)), EXO_PEER_DIED);
    assert_int_equal(exo_open(&end, sockets[0], NULL, in_seconds(1)), EXO_PEER_DIED);
    assert_held(before);
}

static void closing_twice_is_harmless(void **state)
{
    struct held before = count_held();
    struct exo_end a;
    struct exo_end b;
    (void)state;
    assert_int_equal(exo_open_both(&a, &b, NULL), EXO_OK);
    exo_close(&a);
    exo_close(&a);
    assert_int_equal(exo_send_inline(&b.tx, "x", 1), EXO_CLOSED);
    assert_int_equal(exo_recv_inline(&b.rx, NULL, 0), EXO_CLOSED);
    exo_close(&b);
    exo_close(&b);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(both_directions_carry_every_kind_of_message),
        CLAIM(shared_memory_holds_no_pointer),
        CLAIM(blocking_calls_are_woken_by_the_other_process),
        CLAIM(each_direction_has_the_configuration_of_its_sender),
        CLAIM(another_type_or_profile_is_refused_on_both_sides),
        CLAIM(threads_means_crash_safe_between_processes),
        CLAIM(configurations_that_ends_cannot_have_are_refused),
        CLAIM(what_is_no_connected_socket_is_refused),
        CLAIM(a_peer_that_does_not_answer_ends_in_timeout_or_would_block),
        CLAIM(a_full_socket_ends_in_timeout_or_would_block),
        CLAIM(a_peer_that_closed_before_opening_died),
        CLAIM(closing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
