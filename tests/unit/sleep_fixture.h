/* SPDX-License-Identifier: MIT */
/*
 * A thread that makes one blocking call, and the fact that it has fallen asleep in it.
 */
#ifndef EXO_TESTS_SLEEP_FIXTURE_H
#define EXO_TESTS_SLEEP_FIXTURE_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zerocopy_fixture.h"

#define MILLISECOND 1000000ull
#define GENEROUS (10000 * MILLISECOND) /* nothing here takes that long: who waits so long was not woken */

EXO_INLINE exo_u64 generously(void)
{
    return exo_port_now_ns() + GENEROUS;
}

/* A blocking call looks once more when its deadline has passed, and may succeed: it was not woken all the same. */
EXO_INLINE exo_i64 in_time(exo_u64 deadline_ns, exo_i64 result)
{
    return exo_port_now_ns() < deadline_ns ? result : (exo_i64)EXO_TIMEOUT;
}

/* One blocking call of either side. */
struct call {
    exo_i64 (*make)(struct call *call);
    struct exo_sender *tx;
    struct exo_receiver *rx;
    exo_u64 deadline_ns;
    exo_i64 result;
    struct exo_loaned loan;
    struct exo_viewed view;
    exo_u8 bytes[ARENA];
    exo_size size;
    exo_u32 tid; /* 0: not running yet */
    exo_u32 over;
    pthread_t thread;
};

EXO_INLINE exo_i64 call_recv(struct call *call)
{
    return exo_recv_blocking(call->rx, call->bytes, sizeof(call->bytes), call->deadline_ns);
}
EXO_INLINE exo_i64 call_recv_inline(struct call *call)
{
    return exo_recv_inline_blocking(call->rx, call->bytes, 56, call->deadline_ns);
}
EXO_INLINE exo_i64 call_view(struct call *call)
{
    return exo_view_blocking(call->rx, &call->view, call->deadline_ns);
}
EXO_INLINE exo_i64 call_wait_readable(struct call *call)
{
    return exo_wait_readable(call->rx, call->deadline_ns);
}
EXO_INLINE exo_i64 call_send(struct call *call)
{
    return exo_send_blocking(call->tx, call->bytes, call->size, call->deadline_ns);
}
EXO_INLINE exo_i64 call_send_loan(struct call *call)
{
    return exo_send_loan_blocking(call->tx, &call->loan, call->deadline_ns);
}
EXO_INLINE exo_i64 call_loan(struct call *call)
{
    return exo_loan_blocking(call->tx, call->size, &call->loan, call->deadline_ns);
}
EXO_INLINE exo_i64 call_wait_writable(struct call *call)
{
    return exo_wait_writable(call->tx, call->deadline_ns);
}

EXO_INLINE void *call_thread(void *argument)
{
    struct call *call = argument;
    exo_store32(&call->tid, (exo_u32)syscall(SYS_gettid), EXO_RELEASE);
    call->result = call->make(call);
    exo_store32(&call->over, 1, EXO_RELEASE);
    return NULL;
}

EXO_INLINE exo_bool call_is_asleep(const struct call *call)
{
    char text[64];
    char state = '?';
    FILE *file;
    (void)snprintf(text, sizeof(text), "/proc/self/task/%u/stat", exo_load32(&call->tid, EXO_ACQUIRE));
    file = fopen(text, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d %*s %c", &state) != 1) {
            state = '?';
        }
        (void)fclose(file);
    }
    return state == 'S';
}

/* Starts the call in a thread. `waiters` is the word of its side: the sleeper announces itself there before it
 * sleeps. Returns when it sleeps. */
EXO_INLINE void call_fall_asleep(struct call *call, exo_i64 (*make)(struct call *call),
                                 const exo_u32 *waiters)
{
    exo_u32 before = exo_load32(waiters, EXO_RELAXED);
    exo_u64 until = generously();
    call->make = make;
    call->deadline_ns = until + GENEROUS;
    call->tid = 0;
    call->over = 0;
    assert_int_equal(pthread_create(&call->thread, NULL, call_thread, call), 0);
    while (exo_load32(&call->tid, EXO_ACQUIRE) == 0 || exo_load32(waiters, EXO_ACQUIRE) == before ||
           !call_is_asleep(call)) {
        assert_int_equal(exo_load32(&call->over, EXO_ACQUIRE), 0);
        assert_true(exo_port_now_ns() < until);
        (void)sched_yield();
    }
}

EXO_INLINE exo_bool call_ends_within(const struct call *call, exo_u64 nanoseconds)
{
    exo_u64 until = exo_port_now_ns() + nanoseconds;
    while (exo_load32(&call->over, EXO_ACQUIRE) == 0) {
        if (exo_port_now_ns() > until) {
            return EXO_FALSE;
        }
        (void)sched_yield();
    }
    return EXO_TRUE;
}

/* The call's answer, once somebody has woken it. */
EXO_INLINE exo_i64 call_result(struct call *call)
{
    assert_true(call_ends_within(call, GENEROUS));
    assert_int_equal(pthread_join(call->thread, NULL), 0);
    return call->result;
}

#endif
