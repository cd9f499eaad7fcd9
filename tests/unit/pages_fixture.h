/* SPDX-License-Identifier: MIT */
/*
 * What the tests of shared memory share. What they ask of the system below is in host_memory.h, of which each system has its
 * own.
 */
#ifndef EXO_TESTS_PAGES_FIXTURE_H
#define EXO_TESTS_PAGES_FIXTURE_H

#include <host_memory.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#endif
