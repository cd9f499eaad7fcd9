/* SPDX-License-Identifier: MIT */
/*
 * A conformance_host of POSIX threads that prints TAP.
 */
#ifndef EXO_TESTS_POSIX_HOST_H
#define EXO_TESTS_POSIX_HOST_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "conformance.h"

#define POSIX_HOST_HANG_MS 20000u /* a thread that takes longer has lost a wake-up */
#define POSIX_HOST_LIMIT_S 100u   /* a check that takes longer hangs itself */

struct posix_thread {
    pthread_t id;
    void (*run)(void *);
    void *argument;
    exo_u32 done;
};

struct posix_host {
    struct posix_thread thread[CONFORMANCE_THREADS];
};

static void *posix_thread_main(void *argument)
{
    struct posix_thread *thread = (struct posix_thread *)argument;
    thread->run(thread->argument);
    exo_store32(&thread->done, 1u, EXO_RELEASE); /* [host:done] pairs [host:join] */
    return NULL;
}

static exo_bool posix_start(void *context, exo_u32 index, void (*run)(void *), void *argument)
{
    struct posix_thread *thread = &((struct posix_host *)context)->thread[index];
    thread->run = run;
    thread->argument = argument;
    thread->done = 0;
    return pthread_create(&thread->id, NULL, posix_thread_main, thread) == 0;
}

static exo_bool posix_join(void *context, exo_u32 index)
{
    struct posix_thread *thread = &((struct posix_host *)context)->thread[index];
    struct timespec millisecond = {0, 1000000};
    exo_u32 waited;
    for (waited = 0; waited < POSIX_HOST_HANG_MS; waited++) {
        if (exo_load32(&thread->done, EXO_ACQUIRE)) { /* [host:join] pairs [host:done] */
            return pthread_join(thread->id, NULL) == 0;
        }
        (void)nanosleep(&millisecond, NULL);
    }
    return EXO_FALSE;
}

static void posix_report(void *context, exo_u32 number, const char *claim, const char *verdict)
{
    (void)context;
    if (verdict == NULL) {
        printf("ok %u - %s\n", (unsigned)number, claim);
    } else if (verdict[0] == CONFORMANCE_SKIP[0]) {
        printf("ok %u - %s # SKIP\n", (unsigned)number, claim);
    } else {
        printf("not ok %u - %s\n# %s\n", (unsigned)number, claim, verdict);
    }
    (void)fflush(stdout);
    (void)alarm(POSIX_HOST_LIMIT_S);
}

static void posix_hangs(int signal_number)
{
    static const char text[] = "Bail out! a check hangs\n";
    (void)signal_number;
    (void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

/* context, report, start and join of a host. */
EXO_INLINE struct conformance_host posix_host_make(struct posix_host *posix)
{
    struct conformance_host host = {posix,      posix_report,        posix_start,
                                    posix_join, CONFORMANCE_NO_PEER, NULL,
                                    0,          EXO_FALSE,           EXO_FALSE,
                                    NULL,       NULL,                0,          0};
    (void)signal(SIGALRM, posix_hangs);
    (void)alarm(POSIX_HOST_LIMIT_S);
    return host;
}

/* Threads that were lost still run: leave without asking them. */
EXO_INLINE void posix_host_exit(exo_u32 number, exo_u32 failed)
{
    printf("1..%u\n", (unsigned)number);
    (void)fflush(stdout);
    _exit(failed != 0);
}

#endif
