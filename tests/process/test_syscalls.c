/* SPDX-License-Identifier: MIT */
/*
 * The fast path enters no kernel: a process that would be killed for any system call sends and receives messages
 * of every kind, on polled rings and on rings whose other side is awake.
 */
#include "stream.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#define MESSAGES 100000u

/* From here on every system call but exit_group kills this process. */
static void forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {COUNT(rules), rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* No message: without it, fprintf() would be the system call. */
#define CHECK_MUTE(condition)                                                                        \
    do {                                                                                             \
        if (!(condition)) {                                                                          \
            _exit(2);                                                                                \
        }                                                                                            \
    } while (0)

/* Sanitizers make system calls of their own. */
static void skip_if_sanitized(void)
{
    if (SANITIZED) {
        skip();
    }
}

static void calls_once(void *argument)
{
    (void)argument;
    forbid_system_calls();
    (void)syscall(SYS_getppid);
}

static void calls_none(void *argument)
{
    (void)argument;
    forbid_system_calls();
}

static void a_single_system_call_would_be_seen(void **state)
{
    (void)state;
    skip_if_sanitized();
    assert_int_equal(join_child(start_child(calls_once, NULL)), -SIGSYS);
    assert_int_equal(join_child(start_child(calls_none, NULL)), 0);
}

struct errand {
    exo_u32 kind;
    exo_u32 mode;
};

/* Lots of the kind through both directions, also into a full ring and out of an empty one. */
static void talks_to_itself(void *argument)
{
    const struct errand *errand = (const struct errand *)argument;
    struct exo_ring_config config = stream_config(errand->kind, NEAR_WRAP);
    struct exo_end a;
    struct exo_end b;
    exo_u64 sent = 0;
    exo_u64 received = 0;
    exo_i64 count;
    config.mode = errand->mode;
    CHECK(exo_open_both(&a, &b, &config) == EXO_OK);
    forbid_system_calls();
    while (received < MESSAGES) {
        exo_u32 lots;
        for (lots = 0; lots < 4; lots++) {
            count = stream_send(&a.tx, errand->kind, sent, EXO_NOW);
            CHECK_MUTE(count > 0);
            sent += (exo_u64)count;
        }
        while ((count = stream_recv(&b.rx, errand->kind, received)) > 0) {
            received += (exo_u64)count;
        }
        CHECK_MUTE(count == EXO_EMPTY);
        CHECK_MUTE(exo_wait_readable(&b.rx, EXO_NOW) == EXO_WOULD_BLOCK);
    }
    while ((count = exo_send_inline(&b.tx, &sent, sizeof(sent))) == EXO_OK) {
    }
    CHECK_MUTE(count == EXO_FULL);
    CHECK_MUTE(exo_wait_writable(&b.tx, EXO_NOW) == EXO_WOULD_BLOCK);
    CHECK_MUTE(exo_recv_inline(&a.rx, &sent, sizeof(sent)) == sizeof(sent));
    CHECK_MUTE(exo_loans_outstanding(&a.tx) == 0);
    _exit(0);
}

static void every_path_is_free_of_them(exo_u32 mode)
{
    struct errand errand = {0, mode};
    skip_if_sanitized();
    for (errand.kind = 0; errand.kind < STREAM_KINDS; errand.kind++) {
        assert_int_equal(join_child(start_child(talks_to_itself, &errand)), 0);
    }
}

static void polled_rings_make_no_system_call(void **state)
{
    (void)state;
    every_path_is_free_of_them(EXO_SPSC | EXO_POLLED);
}

static void rings_whose_other_side_is_awake_make_no_system_call(void **state)
{
    (void)state;
    every_path_is_free_of_them(EXO_SPSC);
}

static void sends_without_system_calls(struct meeting *meeting)
{
    exo_u64 number = 0;
    child_opens(meeting);
    forbid_system_calls();
    while (number < MESSAGES) {
        exo_status status = exo_send_inline(&meeting->end.tx, &number, sizeof(number));
        CHECK_MUTE(status == EXO_OK || status == EXO_FULL);
        number += status == EXO_OK;
        exo_cpu_relax();
    }
    while (exo_recv_inline(&meeting->end.rx, &number, sizeof(number)) == EXO_EMPTY) {
        exo_cpu_relax();
    }
    _exit(0);
}

static void receives_without_system_calls(struct meeting *meeting)
{
    exo_u64 expected = 0;
    exo_u64 number = 0;
    child_opens(meeting);
    forbid_system_calls();
    while (expected < MESSAGES) {
        exo_i64 len = exo_recv_inline(&meeting->end.rx, &number, sizeof(number));
        CHECK_MUTE(len == EXO_EMPTY || (len == sizeof(number) && number == expected));
        expected += len == sizeof(number);
        exo_cpu_relax();
    }
    CHECK_MUTE(exo_send_inline(&meeting->end.tx, &number, sizeof(number)) == EXO_OK);
    _exit(0);
}

static void two_processes_that_are_awake_make_no_system_call(void **state)
{
    struct meeting sender = {.sockets = {-1, -1}, .body = sends_without_system_calls};
    struct meeting receiver = {.sockets = {-1, -1}, .body = receives_without_system_calls};
    exo_u64 number = 0;
    exo_u64 expected;
    pid_t child;
    (void)state;
    skip_if_sanitized();
    child = meet(&sender);
    assert_int_equal(parent_opens(&sender, NULL), EXO_OK);
    for (expected = 0; expected < MESSAGES;) {
        exo_i64 len = exo_recv_inline(&sender.end.rx, &number, sizeof(number));
        assert_true(len == EXO_EMPTY || (len == sizeof(number) && number == expected));
        expected += len == sizeof(number);
    }
    assert_int_equal(exo_send_inline(&sender.end.tx, &number, sizeof(number)), EXO_OK);
    assert_int_equal(join_child(child), 0);
    exo_close(&sender.end);
    child = meet(&receiver);
    assert_int_equal(parent_opens(&receiver, NULL), EXO_OK);
    for (number = 0; number < MESSAGES;) {
        exo_status status = exo_send_inline(&receiver.end.tx, &number, sizeof(number));
        assert_true(status == EXO_OK || status == EXO_FULL);
        number += status == EXO_OK;
    }
    while (exo_recv_inline(&receiver.end.rx, &number, sizeof(number)) == EXO_EMPTY) {
    }
    assert_int_equal(join_child(child), 0);
    exo_close(&receiver.end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_single_system_call_would_be_seen),
        CLAIM(polled_rings_make_no_system_call),
        CLAIM(rings_whose_other_side_is_awake_make_no_system_call),
        CLAIM(two_processes_that_are_awake_make_no_system_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
