/* SPDX-License-Identifier: MIT */
/*
 * Conformance: the asymmetric fence between two threads, or the plain one where the port has none.
 *
 * Each of two threads stores to its own word and then looks at the other's. The heavy side pays for the
 * fence of both; never may both miss the other's store. Without fences they do, once in a few hundred
 * rounds.
 */
#ifndef EXO_TESTS_CLAIMS_FENCE_H
#define EXO_TESTS_CLAIMS_FENCE_H

#include "conformance.h"

#define FENCE_ROUNDS 20000u /* at most; fewer where the two take turns on one CPU */

/* Lines of the heavy side that the light side stores to first. A processor that keeps its stores in order
 * then holds back the one that matters, long enough for a fence that only delays to be found out. */
#define FENCE_BALLAST 24u

struct fence_pair {
    struct {
        exo_u32 word;
    } EXO_ALIGNED(EXO_LINE_PAIR) side[2];
    struct {
        exo_u32 word;
    } EXO_ALIGNED(EXO_LINE_PAIR) arrived[2];
    struct {
        exo_u32 word;
    } EXO_ALIGNED(EXO_LINE_PAIR) ballast[FENCE_BALLAST];
    exo_u32 next;
    exo_bool asymmetric;
    exo_u64 until;
    exo_u32 last; /* written by thread 0, read when both have met */
    exo_u8 missed[2][FENCE_ROUNDS];
};

/* Returns once both have come to the same round. */
EXO_INLINE void meet(struct fence_pair *pair, exo_u32 me, exo_u32 round)
{
    exo_u32 turns = 0;
    exo_u32 seen;
    exo_store32(&pair->arrived[me].word, round, EXO_RELEASE);    /* [test:met] pairs [test:meet] */
    seen = exo_load32(&pair->arrived[1 - me].word, EXO_ACQUIRE); /* [test:meet] pairs [test:met] */
    while (seen != round && seen != round + 1) {
        if (++turns < 2000) {
            exo_cpu_relax();
        } else { /* the other is not running: let it */
            exo_port_wait(&pair->arrived[1 - me].word, seen,
                          exo_port_now_ns() + CONFORMANCE_MS / 20, EXO_FALSE, CONFORMANCE_NO_PEER);
        }
        /* [test:meet] pairs [test:met] */
        seen = exo_load32(&pair->arrived[1 - me].word, EXO_ACQUIRE);
    }
}

static void store_fence_load(void *argument)
{
    struct fence_pair *pair = (struct fence_pair *)argument;
    exo_u32 me = exo_fetch_add32(&pair->next, 1u, EXO_RELAXED); /* relaxed: a number only */
    exo_u32 round;
    for (round = 1; round <= FENCE_ROUNDS; round++) {
        exo_u32 seen;
        exo_u32 i;
        for (i = 0; me == 1 && i < FENCE_BALLAST; i++) {
            /* relaxed: takes the line, no more */
            exo_store32(&pair->ballast[i].word, round, EXO_RELAXED);
        }
        meet(pair, me, 2 * round);
        for (i = 0; me == 0 && i < round % FENCE_BALLAST; i++) {
            /* relaxed: fills the store buffer */
            exo_store32(&pair->ballast[i].word, round, EXO_RELAXED);
        }
        for (i = 0; me == 1 && i < round / FENCE_BALLAST % 8; i++) {
            exo_cpu_relax(); /* comes a little later, now more, now less */
        }
        /* relaxed, here and below: the fences are what is tested */
        exo_store32(&pair->side[me].word, round, EXO_RELAXED);
        if (!pair->asymmetric) {
            exo_fence_seq();
        } else if (me == 0) {
            exo_fence_compiler();
        } else {
            exo_port_fence_heavy(EXO_FALSE);
        }
        seen = exo_load32(&pair->side[1 - me].word, EXO_RELAXED); /* relaxed: see above */
        pair->missed[me][round - 1] = seen != round;
        if (me == 0 && exo_port_now_ns() >= pair->until) {
            pair->last = round;
        }
        meet(pair, me, 2 * round + 1);
        if (pair->last != 0) {
            return;
        }
    }
}

static const char *
a_fence_between_store_and_load_never_lets_both_sides_miss(struct conformance_host *host)
{
    static struct fence_pair pair;
    exo_u32 round;
    exo_u32 both = 0;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    pair.asymmetric = exo_port_fence_setup();
    pair.until = exo_port_now_ns() + 1500 * CONFORMANCE_MS;
    CONFORMANCE_REQUIRE(conformance_start(host, 2, store_fence_load, &pair));
    CONFORMANCE_REQUIRE(conformance_join(host, 2));
    for (round = 0; round < FENCE_ROUNDS; round++) {
        both += pair.missed[0][round] && pair.missed[1][round];
    }
    CONFORMANCE_REQUIRE(both == 0);
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_fence[] = {
    CONFORMANCE_CLAIM(a_fence_between_store_and_load_never_lets_both_sides_miss),
};

#endif
