/* SPDX-License-Identifier: MIT */
/*
 * Births and deaths of the chaos test.
 */
#include "chaos.h"

#include <time.h>

void times_add(struct times *times, exo_u64 nanoseconds)
{
    exo_u64 us = nanoseconds / 1000;
    exo_u32 most = us > 0xFFFFFFFFu ? 0xFFFFFFFFu : (exo_u32)us;
    exo_u32 log = most < 8 ? 0 : exo_log2(most) - 2;
    times->bucket[most < 8 ? most : log * 8 + ((most >> (log - 1)) & 7u)]++;
    times->most = most > times->most ? most : times->most;
    times->count++;
}

/* The middle, or at most an eighth below it. */
exo_u32 times_median(const struct times *times)
{
    exo_u32 left = times->count / 2;
    exo_u32 i = 0;
    if (times->count == 0) {
        return 0;
    }
    while (i < COUNT(times->bucket) - 1 && left >= times->bucket[i]) {
        left -= times->bucket[i++];
    }
    return i < 8 ? i : (8 + i % 8) << (i / 8 - 1);
}

void die_at(struct note *note, exo_u64 kill_ns)
{
    struct sigevent event;
    struct itimerspec at;
    timer_t timer;
    if (kill_ns == 0) {
        return;
    }
    exo_store64(&note->kill_ns, kill_ns, EXO_RELEASE);
    memset(&event, 0, sizeof(event));
    memset(&at, 0, sizeof(at));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    at.it_value.tv_sec = (time_t)(kill_ns / SECOND_NS);
    at.it_value.tv_nsec = (long)(kill_ns % SECOND_NS);
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    MUST(timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0);
}

void wait_for_death(const struct note *note, exo_u32 before_ns)
{
    while (exo_port_now_ns() + before_ns < note->kill_ns) {
        exo_cpu_relax();
    }
}

void await_death(void)
{
    for (;;) {
        (void)pause();
    }
}

void mourn(const struct note *note, int status)
{
    exo_u32 phase = exo_load32(&note->phase, EXO_ACQUIRE);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* else it failed, and said how */
    MUST(phase < PHASES);
    chaos.kills++;
    chaos.index++;
    chaos.at[phase]++;
    if (note->receiver != 0) {
        chaos.receivers++;
    } else {
        chaos.senders++;
    }
    /* a spin in front of the sleep is over by then */
    chaos.asleep += phase == PHASE_ASLEEP && note->since_ns + 50000 < note->kill_ns;
}

void bury(pid_t child, const struct note *note)
{
    int status = 0;
    pid_t joined;
    do {
        joined = waitpid(child, &status, 0);
    } while (joined < 0 && errno == EINTR);
    MUST(joined == child);
    mourn(note, status);
}

void hear(const struct note *note, exo_u64 now_ns, exo_bool in_crowd)
{
    exo_u64 kill_ns = exo_load64(&note->kill_ns, EXO_ACQUIRE);
    MUST(kill_ns != 0 && now_ns >= kill_ns); /* never before the kill */
    MUST(passed_between(kill_ns, now_ns) <= KNOWN_NS);
    times_add(&chaos.news[in_crowd], passed_between(kill_ns, now_ns));
}
