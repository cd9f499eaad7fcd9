/* SPDX-License-Identifier: MIT */
/*
 * The acceptance test of a port: every hook of port.h, checked through the contract's words alone.
 *
 * It needs no libc and no system header, so it runs wherever the port does. A runner fills in a struct
 * conformance_host and calls conformance_run(); what the host cannot offer is skipped. Each check is a
 * function named as the claim it makes; it returns null, or what is wrong.
 *
 * Nothing here hangs for ever on a lost wake-up, except on the thread that lost it: the host's join
 * gives up after some seconds, the claim fails, and the run ends, since that thread still uses its
 * memory.
 */
#ifndef EXO_TESTS_CONFORMANCE_H
#define EXO_TESTS_CONFORMANCE_H

#include "exo_ipc/port.h"

#define CONFORMANCE_THREADS 6
#define CONFORMANCE_MS      1000000ull
#define CONFORMANCE_SKIP    "skip"

struct conformance_host {
    void *context;
    /* verdict: null for fine, CONFORMANCE_SKIP itself, or what is wrong. */
    void (*report)(void *context, exo_u32 number, const char *claim, const char *verdict);
    /* Threads 0 .. CONFORMANCE_THREADS - 1; null where there are none. join returns false if the thread
     * still runs after a time that only a hang can take. */
    exo_bool (*start)(void *context, exo_u32 thread, void (*run)(void *), void *argument);
    exo_bool (*join)(void *context, exo_u32 thread);
    /* A peer that lives until kill_peer is called; both null where there are no peers. */
    struct exo_port_peer *peer;
    void (*kill_peer)(void *context);
    exo_size arena_bytes; /* where pages come from a fixed arena that nobody else uses: its size */
    exo_bool sleeps;      /* waits really sleep, and normally until they are woken */
    exo_bool hung;        /* set by the suite: a thread was lost */
    /* Whether a store to this byte faults; null where there are no pages, or a fault cannot be survived. */
    exo_bool (*store_faults)(void *context, exo_u8 *byte);
    /* A user's address space; null where there are none. All it may read and write of it: from here, so much. */
    struct exo_port_space *user;
    exo_u64 user_begin;
    exo_size user_bytes;
};

typedef const char *(*conformance_check)(struct conformance_host *host);

struct conformance_claim {
    const char *claim;
    conformance_check check;
};

#define CONFORMANCE_CLAIM(name) \
    {                           \
#name, name             \
    }
#define CONFORMANCE_REQUIRE(ok)    \
    do {                           \
        if (!(ok)) {               \
            return "not so: " #ok; \
        }                          \
    } while (0)

/* Null stands for "no peer" in the hooks; C++ would not convert EXO_NULL of C. */
#define CONFORMANCE_NO_PEER ((struct exo_port_peer *)EXO_NULL)

/* Through exo_port_wait(), so that others run in the meantime on any kind of kernel. */
EXO_INLINE void conformance_pause(exo_u64 nanoseconds)
{
    exo_u64 until = exo_port_now_ns() + nanoseconds;
    exo_u32 quiet = 0;
    while (exo_port_now_ns() < until) {
        exo_port_wait(&quiet, 0, until, EXO_FALSE, CONFORMANCE_NO_PEER);
    }
}

/* Waits, politely and for at most some seconds, until a counter has reached a value. */
EXO_INLINE exo_bool conformance_reaches(const exo_u32 *counter, exo_u32 value)
{
    exo_u64 until = exo_port_now_ns() + 5000 * CONFORMANCE_MS;
    exo_u32 seen = exo_load32(counter, EXO_ACQUIRE); /* [test:count] pairs [test:counted] */
    while (seen < value && exo_port_now_ns() < until) {
        exo_port_wait(counter, seen, exo_port_now_ns() + CONFORMANCE_MS, EXO_FALSE,
                      CONFORMANCE_NO_PEER);
        seen = exo_load32(counter, EXO_ACQUIRE); /* [test:count] pairs [test:counted] */
    }
    return seen >= value;
}

EXO_INLINE exo_bool conformance_start(struct conformance_host *host, exo_u32 threads,
                                      void (*run)(void *), void *argument)
{
    exo_u32 i;
    for (i = 0; i < threads; i++) {
        if (!host->start(host->context, i, run, argument)) {
            host->hung = EXO_TRUE; /* those that did start are never joined */
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

EXO_INLINE exo_bool conformance_join(struct conformance_host *host, exo_u32 threads)
{
    exo_u32 i;
    for (i = 0; i < threads && !host->hung; i++) {
        host->hung = !host->join(host->context, i);
    }
    return !host->hung;
}

/* Runs one table of claims. Returns how many failed; counts all of them in *number. */
EXO_INLINE exo_u32 conformance_run(struct conformance_host *host,
                                   const struct conformance_claim *claims, exo_size count,
                                   exo_u32 *number)
{
    exo_u32 failed = 0;
    exo_size i;
    for (i = 0; i < count; i++) {
        const char *verdict =
            host->hung ? "not run: an earlier claim lost a thread" : claims[i].check(host);
        ++*number;
        failed += verdict != EXO_NULL && verdict[0] != CONFORMANCE_SKIP[0];
        host->report(host->context, *number, claims[i].claim, verdict);
    }
    return failed;
}

#endif
