/* SPDX-License-Identifier: MIT */
/*
 * What the tests of shared memory share. They run on the Linux port: a frame is a memfd there, so what becomes of frames can be
 * counted by descriptors.
 */
#ifndef EXO_TESTS_PAGES_FIXTURE_H
#define EXO_TESTS_PAGES_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "exo_ipc/exo_ipc.h"

#define PAGE ((exo_size)EXO_PORT_PAGE_BYTES)
/* Names in an index; the one on liburcu keeps records for a while longer than that. */
#ifdef EXO_IPC_NAMES
#define NAMES_IN(index) ((index).live)
#else
#define NAMES_IN(index) ((index).records.used)
#endif

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Sequences that repeat, after S. Vigna's splitmix64. */
EXO_INLINE exo_u64 random_next(exo_u64 *state)
{
    exo_u64 mixed = *state += 0x9E3779B97F4A7C15ull;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9ull;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBull;
    return mixed ^ mixed >> 31;
}

/* Descriptors of this process. */
EXO_INLINE exo_u32 open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    exo_u32 count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* Whether storing to a byte kills who does it; asked of a child. */
EXO_INLINE exo_bool store_kills(exo_u8 *byte)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        __atomic_store_n(byte, (exo_u8)1, __ATOMIC_RELAXED);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

#endif
