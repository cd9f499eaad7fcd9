/* SPDX-License-Identifier: MIT */
/*
 * How long the machine itself was late. "Within 100 ms" means 100 ms of a machine that runs the test: a virtual one that
 * stands still for half a second, or a processor that runs somebody else meanwhile, is nothing that a library can help.
 *
 * On each processor a watcher sleeps for a millisecond at a time, and writes down when it woke up much later than that. What
 * the one that was latest lost in a span is no part of the time that passed in it. On a machine that is not late nothing is
 * taken off, so that a limit stays what it says.
 *
 * Watchers are processes, for a test forks, and ThreadSanitizer lets a process with threads fork none that starts more. They
 * end with the process that started them. Without them nothing is taken off either.
 */
#ifndef EXO_TESTS_LATENESS_H
#define EXO_TESTS_LATENESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "exo_linux.h"

#define LATENESS_WATCHERS 16u   /* at most */
#define LATENESS_GAPS 1024u     /* that one of them remembers, the last ones */
#define LATENESS_NAP_NS 1000000u
#define LATENESS_LEAST_NS 5000000u /* less is what any scheduler does */

/* A span in which a watcher was to run and did not. */
struct lateness_gap {
    exo_word64 begin_ns;
    exo_word64 end_ns;
};

/* What one watcher writes and others read. */
struct lateness_watch {
    exo_word64 count;
    exo_word64 seen_ns; /* when it last ran */
    struct lateness_gap gap[LATENESS_GAPS];
};

/* Shared with all children; one in each translation unit would know of no watchers. */
struct lateness_watch *lateness_watches __attribute__((weak));

EXO_INLINE void lateness_keep_to_pvt(exo_size which)
{
    cpu_set_t usual;
    cpu_set_t one;
    exo_size cpu;
    if (sched_getaffinity(0, sizeof(usual), &usual) != 0) {
        return;
    }
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &usual) && which-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            (void)sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}

EXO_INLINE void lateness_watch_pvt(struct lateness_watch *watch, pid_t parent)
{
    const struct timespec nap = {0, LATENESS_NAP_NS};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == parent) { /* it may have ended before it could be asked for */
        exo_u64 due = exo_port_now_ns() + LATENESS_NAP_NS;
        exo_u64 now;
        (void)nanosleep(&nap, NULL);
        now = exo_port_now_ns();
        if (now > due + LATENESS_LEAST_NS) {
            struct lateness_gap *gap = &watch->gap[watch->count % LATENESS_GAPS];
            exo_store64(&gap->begin_ns, due, EXO_RELAXED); /* relaxed: behind the count */
            exo_store64(&gap->end_ns, now, EXO_RELAXED);
            exo_store64(&watch->count, watch->count + 1, EXO_RELEASE);
        }
        exo_store64(&watch->seen_ns, now, EXO_RELEASE);
    }
}

/* First thing in main(), so that watchers hold nothing that the test opens. */
EXO_INLINE void lateness_begin(void)
{
    pid_t parent = getpid();
    exo_u32 i;
    cpu_set_t usual;
    exo_u32 watchers = sched_getaffinity(0, sizeof(usual), &usual) == 0 ? (exo_u32)CPU_COUNT(&usual) : 1;
    void *memory = mmap(NULL, LATENESS_WATCHERS * sizeof(struct lateness_watch), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }
    lateness_watches = (struct lateness_watch *)memory;
    for (i = 0; i < watchers && i < LATENESS_WATCHERS; i++) {
        if (fork() == 0) {
            lateness_keep_to_pvt(i);
            lateness_watch_pvt(&lateness_watches[i], parent);
            _exit(0);
        }
    }
}

EXO_INLINE exo_u64 lateness_common_pvt(exo_u64 begin, exo_u64 end, exo_u64 from, exo_u64 to)
{
    begin = begin > from ? begin : from;
    end = end < to ? end : to;
    return end > begin ? end - begin : 0;
}

/* How much of a span a watcher missed. It may be about to find out about the last of it. */
EXO_INLINE exo_u64 lateness_missed_pvt(const struct lateness_watch *watch, exo_u64 from, exo_u64 to)
{
    exo_u64 seen = exo_load64(&watch->seen_ns, EXO_ACQUIRE);
    exo_u64 count = exo_load64(&watch->count, EXO_ACQUIRE);
    exo_u64 least = count > LATENESS_GAPS - 8 ? count - (LATENESS_GAPS - 8) : 0; /* the oldest are being overwritten */
    exo_u64 due = seen + LATENESS_NAP_NS;
    exo_u64 missed = seen != 0 && to > due + LATENESS_LEAST_NS ? lateness_common_pvt(due, to, from, to) : 0;
    while (count > least) {
        const struct lateness_gap *gap = &watch->gap[--count % LATENESS_GAPS];
        exo_u64 end = exo_load64(&gap->end_ns, EXO_RELAXED); /* relaxed: behind the count */
        exo_u64 begin = exo_load64(&gap->begin_ns, EXO_RELAXED);
        missed += lateness_common_pvt(begin, end > seen && seen != 0 ? seen : end, from, to);
        if (end <= from) {
            break;
        }
    }
    return missed;
}

/* The time that passed from one instant to another, but for what the machine was late. */
EXO_INLINE exo_u64 passed_between(exo_u64 from, exo_u64 to)
{
    exo_u64 most = 0;
    exo_u32 i;
    for (i = 0; i < LATENESS_WATCHERS && lateness_watches != NULL; i++) {
        exo_u64 missed = lateness_missed_pvt(&lateness_watches[i], from, to);
        most = missed > most ? missed : most;
    }
    return to - from - most;
}

/* The same, until now. */
EXO_INLINE exo_u64 passed_since(exo_u64 from)
{
    return passed_between(from, exo_port_now_ns());
}

#endif
