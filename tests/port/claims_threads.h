/* SPDX-License-Identifier: MIT */
/*
 * Conformance: threads that live side by side: their identities, and what they build on wait and wake,
 * where one lost wake-up is enough to hang them.
 */
#ifndef EXO_TESTS_CLAIMS_THREADS_H
#define EXO_TESTS_CLAIMS_THREADS_H

#include "conformance.h"

/* Threads that only spin, on one CPU, take a time slice for each turn: rounds end after this time, too. */
#define ROUNDS     3000u
#define ROUNDS_END (1500 * CONFORMANCE_MS)

struct identities {
    exo_u32 next;
    exo_u32 leave;
    exo_u32 self[CONFORMANCE_THREADS];
};

static void show_identity(void *argument)
{
    struct identities *all = (struct identities *)argument;
    exo_u32 self = exo_port_self();
    exo_u32 me = exo_fetch_add32(&all->next, 1u, EXO_RELAXED); /* relaxed: a number only */
    all->self[me] = exo_port_self() == self ? self : 0;
    /* All are alive at once, or a number could be given twice. */
    while (exo_load32(&all->leave, EXO_ACQUIRE) == 0) { /* [test:count] pairs [test:counted] */
        exo_port_wait(&all->leave, 0, exo_port_now_ns() + CONFORMANCE_MS, EXO_FALSE,
                      CONFORMANCE_NO_PEER);
    }
}

static const char *threads_have_distinct_selves(struct conformance_host *host)
{
    static struct identities all;
    exo_u32 i;
    exo_u32 j;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    CONFORMANCE_REQUIRE(conformance_start(host, CONFORMANCE_THREADS, show_identity, &all));
    CONFORMANCE_REQUIRE(conformance_reaches(&all.next, CONFORMANCE_THREADS));
    exo_store32(&all.leave, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    exo_port_wake(&all.leave, 0xFFFFFFFFu, EXO_FALSE);
    CONFORMANCE_REQUIRE(conformance_join(host, CONFORMANCE_THREADS));
    for (i = 0; i < CONFORMANCE_THREADS; i++) {
        CONFORMANCE_REQUIRE(all.self[i] != 0 && all.self[i] < 1u << 24);
        CONFORMANCE_REQUIRE(all.self[i] != exo_port_self());
        for (j = 0; j < i; j++) {
            CONFORMANCE_REQUIRE(all.self[i] != all.self[j]);
        }
    }
    return (const char *)EXO_NULL;
}

/* A word that says whose turn it is; each of the two sleeps for ever until it is his. */
struct turns {
    exo_u32 word;
    exo_u32 next_id;
    exo_u64 until;
    exo_bool over; /* guarded by the turn */
};

static void take_turns(void *argument)
{
    struct turns *turns = (struct turns *)argument;
    exo_u32 me = exo_fetch_add32(&turns->next_id, 1u, EXO_RELAXED); /* relaxed: a number only */
    exo_bool over = EXO_FALSE;
    exo_u32 i;
    for (i = 0; i < ROUNDS && !over; i++) {
        while (exo_load32(&turns->word, EXO_ACQUIRE) !=
               me) { /* [test:count] pairs [test:counted] */
            exo_port_wait(&turns->word, 1u - me, EXO_FOREVER, EXO_FALSE, CONFORMANCE_NO_PEER);
        }
        over = turns->over; /* the other has left, or will not come again */
        turns->over = over || exo_port_now_ns() >= turns->until;
        exo_store32(&turns->word, 1u - me, EXO_RELEASE); /* [test:counted] pairs [test:count] */
        exo_port_wake(&turns->word, 1, EXO_FALSE);
    }
}

static const char *two_that_take_turns_never_lose_a_wake_up(struct conformance_host *host)
{
    static struct turns turns;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    turns.until = exo_port_now_ns() + ROUNDS_END;
    CONFORMANCE_REQUIRE(conformance_start(host, 2, take_turns, &turns));
    CONFORMANCE_REQUIRE(conformance_join(host, 2));
    return (const char *)EXO_NULL;
}

/* A lock of three values: 0 free, 1 held, 2 held and somebody may sleep. */
struct sleeping_lock {
    exo_u32 word;
    exo_u32 entries; /* atomic: how often it was taken */
    exo_u32 counter; /* guarded by word: the same */
    exo_u64 until;
};

static void lock_sleeping(exo_u32 *word)
{
    exo_u32 seen = 0;
    exo_u32 held;
    /* [test:count] pairs [test:counted] */
    if (exo_cas32(word, &seen, 1u, EXO_ACQUIRE)) {
        return;
    }
    do {
        held = 1;
        /* relaxed: only marks the lock as slept on. */
        if (seen == 2 || exo_cas32(word, &held, 2u, EXO_RELAXED) || held == 2) {
            exo_port_wait(word, 2, EXO_FOREVER, EXO_FALSE, CONFORMANCE_NO_PEER);
        }
        seen = 0;
        /* [test:count] pairs [test:counted] */
    } while (!exo_cas32(word, &seen, 2u, EXO_ACQUIRE));
}

static void unlock_sleeping(exo_u32 *word)
{
    exo_u32 seen = exo_load32(word, EXO_RELAXED); /* relaxed: a guess for the exchange below */
    /* [test:counted] pairs [test:count] */
    while (!exo_cas32(word, &seen, 0u, EXO_RELEASE)) {
    }
    if (seen == 2) {
        exo_port_wake(word, 1, EXO_FALSE);
    }
}

static void count_under_lock(void *argument)
{
    struct sleeping_lock *lock = (struct sleeping_lock *)argument;
    exo_u32 i;
    exo_u32 hold;
    for (i = 0; i < ROUNDS && exo_port_now_ns() < lock->until; i++) {
        lock_sleeping(&lock->word);
        lock->counter++;
        for (hold = 0; hold < i % 256; hold++) {
            exo_cpu_relax(); /* long enough for the others to fall asleep */
        }
        unlock_sleeping(&lock->word);
        (void)exo_fetch_add32(&lock->entries, 1u, EXO_RELAXED); /* relaxed: read after the join */
    }
}

static const char *a_lock_that_sleeps_neither_hangs_nor_admits_two(struct conformance_host *host)
{
    static struct sleeping_lock lock;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    lock.until = exo_port_now_ns() + ROUNDS_END;
    CONFORMANCE_REQUIRE(conformance_start(host, 4, count_under_lock, &lock));
    CONFORMANCE_REQUIRE(conformance_join(host, 4));
    CONFORMANCE_REQUIRE(lock.entries > 0 && lock.counter == lock.entries);
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_threads[] = {
    CONFORMANCE_CLAIM(threads_have_distinct_selves),
    CONFORMANCE_CLAIM(two_that_take_turns_never_lose_a_wake_up),
    CONFORMANCE_CLAIM(a_lock_that_sleeps_neither_hangs_nor_admits_two),
};

#endif
