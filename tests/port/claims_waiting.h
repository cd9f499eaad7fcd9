/* SPDX-License-Identifier: MIT */
/*
 * Conformance: wait and wake, and the death of a peer.
 *
 * A wait may return early for any reason, so most claims bound only how late it returns. How many a
 * wake leaves asleep is looked at where the host says that its waits sleep.
 */
#ifndef EXO_TESTS_CLAIMS_WAITING_H
#define EXO_TESTS_CLAIMS_WAITING_H

#include "conformance.h"

#define SOON (1000 * CONFORMANCE_MS) /* what "soon" means on a busy machine */
#define LATE (5000 * CONFORMANCE_MS) /* a deadline that nobody should meet */

/* Calls exo_port_wait() once and returns how long it took. */
EXO_INLINE exo_u64 timed_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                              exo_bool shared, struct exo_port_peer *peer)
{
    exo_u64 start = exo_port_now_ns();
    exo_port_wait(word, expected, deadline_ns, shared, peer);
    return exo_port_now_ns() - start;
}

static const char *wait_returns_at_once_when_the_word_has_changed(struct conformance_host *host)
{
    exo_u32 word = 1;
    (void)host;
    CONFORMANCE_REQUIRE(
        timed_wait(&word, 0, exo_port_now_ns() + LATE, EXO_FALSE, CONFORMANCE_NO_PEER) < SOON);
    CONFORMANCE_REQUIRE(
        timed_wait(&word, 2, exo_port_now_ns() + LATE, EXO_TRUE, CONFORMANCE_NO_PEER) < SOON);
    CONFORMANCE_REQUIRE(timed_wait(&word, 0x80000001u, EXO_FOREVER, EXO_TRUE, CONFORMANCE_NO_PEER) <
                        SOON);
    CONFORMANCE_REQUIRE(word == 1);
    return (const char *)EXO_NULL;
}

static const char *wait_returns_at_once_when_its_deadline_has_passed(struct conformance_host *host)
{
    exo_u32 word = 1;
    exo_u64 now = exo_port_now_ns();
    (void)host;
    CONFORMANCE_REQUIRE(timed_wait(&word, 1, EXO_NOW, EXO_FALSE, CONFORMANCE_NO_PEER) < SOON);
    CONFORMANCE_REQUIRE(timed_wait(&word, 1, EXO_NOW, EXO_TRUE, CONFORMANCE_NO_PEER) < SOON);
    CONFORMANCE_REQUIRE(timed_wait(&word, 1, now - 1, EXO_FALSE, CONFORMANCE_NO_PEER) < SOON);
    CONFORMANCE_REQUIRE(timed_wait(&word, 1, now, EXO_TRUE, CONFORMANCE_NO_PEER) < SOON);
    return (const char *)EXO_NULL;
}

static const char *wait_ends_soon_after_its_deadline(struct conformance_host *host)
{
    exo_u32 round;
    for (round = 0; round < 4; round++) {
        exo_u32 word = 0xFFFFFFFFu;
        exo_bool shared = (round & 1u) != 0;
        exo_u64 until = exo_port_now_ns() + 5 * CONFORMANCE_MS;
        exo_u32 calls = 0;
        while (exo_port_now_ns() < until) {
            exo_port_wait(&word, 0xFFFFFFFFu, until, shared, CONFORMANCE_NO_PEER);
            calls++;
        }
        CONFORMANCE_REQUIRE(exo_port_now_ns() - until < SOON);
        CONFORMANCE_REQUIRE(!host->sleeps || calls < 100);
    }
    return (const char *)EXO_NULL;
}

static const char *wait_works_on_memory_that_is_only_readable(struct conformance_host *host)
{
    static const exo_u32 word = 7;
    (void)host;
    (void)timed_wait(&word, 7, exo_port_now_ns() + CONFORMANCE_MS, EXO_TRUE, CONFORMANCE_NO_PEER);
    (void)timed_wait(&word, 7, exo_port_now_ns() + CONFORMANCE_MS, EXO_FALSE, CONFORMANCE_NO_PEER);
    CONFORMANCE_REQUIRE(word == 7);
    return (const char *)EXO_NULL;
}

static const char *wake_without_sleepers_does_nothing(struct conformance_host *host)
{
    exo_u32 word = 3;
    (void)host;
    exo_port_wake(&word, 0, EXO_FALSE);
    exo_port_wake(&word, 1, EXO_FALSE);
    exo_port_wake(&word, 0xFFFFFFFFu, EXO_FALSE);
    exo_port_wake(&word, 1, EXO_TRUE);
    exo_port_wake(&word, 0xFFFFFFFFu, EXO_TRUE);
    CONFORMANCE_REQUIRE(word == 3);
    return (const char *)EXO_NULL;
}

/* Links words that expect 0. */
EXO_INLINE void chain_words(struct exo_wait_word *chain, exo_u32 *words, exo_u32 count, exo_bool shared)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        chain[i].next = i + 1 < count ? &chain[i + 1] : (struct exo_wait_word *)EXO_NULL;
        chain[i].word = &words[i];
        chain[i].expected = 0;
        chain[i].shared = shared;
        chain[i].peer = CONFORMANCE_NO_PEER;
    }
}

static void kill_peer_later(void *argument)
{
    struct conformance_host *host = (struct conformance_host *)argument;
    conformance_pause(20 * CONFORMANCE_MS);
    host->kill_peer(host->context);
}

static const char *the_death_of_a_peer_ends_the_sleep_and_is_final(struct conformance_host *host)
{
    struct exo_wait_word many[2];
    exo_u32 words[2] = {0, 0};
    exo_u32 word = 0;
    exo_u32 i;
    exo_u64 start = exo_port_now_ns();
    if (host->peer == EXO_NULL || host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    CONFORMANCE_REQUIRE(exo_port_peer_alive(host->peer));
    CONFORMANCE_REQUIRE(conformance_start(host, 1, kill_peer_later, host));
    while (exo_port_peer_alive(host->peer) && exo_port_now_ns() - start < LATE) {
        exo_port_wait(&word, 0, EXO_FOREVER, EXO_TRUE, host->peer);
    }
    CONFORMANCE_REQUIRE(exo_port_now_ns() - start < SOON);
    CONFORMANCE_REQUIRE(conformance_join(host, 1));
    CONFORMANCE_REQUIRE(timed_wait(&word, 0, EXO_FOREVER, EXO_TRUE, host->peer) < SOON);
    start = exo_port_now_ns();
    chain_words(many, words, 2, EXO_TRUE);
    many[1].peer = host->peer;
    while (exo_port_now_ns() - start < LATE) {
        exo_port_wait_many(many, EXO_FOREVER);
        if (!exo_port_peer_alive(host->peer)) {
            break;
        }
    }
    CONFORMANCE_REQUIRE(exo_port_now_ns() - start < SOON);
    for (i = 0; i < 1000; i++) {
        CONFORMANCE_REQUIRE(!exo_port_peer_alive(host->peer));
    }
    return (const char *)EXO_NULL;
}

/* Threads that sleep on one word, once each. */
struct sleepers {
    exo_u32 word;
    exo_u32 started;
    exo_u32 returned;
    exo_bool shared;
    exo_bool forever;
};

static void sleep_once(void *argument)
{
    struct sleepers *all = (struct sleepers *)argument;
    exo_u64 deadline = all->forever ? EXO_FOREVER : exo_port_now_ns() + LATE;
    (void)exo_fetch_add32(&all->started, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    exo_port_wait(&all->word, 0, deadline, all->shared, CONFORMANCE_NO_PEER);
    (void)exo_fetch_add32(&all->returned, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
}

/* Sleepers go on for ever if they are lost, and take what they sleep on with them: hence static. */
static const char *sleep_and_wake(struct conformance_host *host, struct sleepers *all,
                                  exo_u32 threads)
{
    exo_u64 start;
    CONFORMANCE_REQUIRE(conformance_start(host, threads, sleep_once, all));
    CONFORMANCE_REQUIRE(conformance_reaches(&all->started, threads));
    conformance_pause(10 * CONFORMANCE_MS);
    start = exo_port_now_ns();
    exo_store32(&all->word, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    exo_port_wake(&all->word, threads == 1 ? 1u : 0xFFFFFFFFu, all->shared);
    CONFORMANCE_REQUIRE(conformance_join(host, threads));
    CONFORMANCE_REQUIRE(exo_port_now_ns() - start < LATE / 2);
    return (const char *)EXO_NULL;
}

static const char *a_sleeper_is_woken_by_another_thread(struct conformance_host *host)
{
    static struct sleepers all[4];
    const char *verdict = (const char *)EXO_NULL;
    exo_u32 i;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    for (i = 0; i < 4 && verdict == EXO_NULL; i++) {
        all[i].shared = (i & 1u) != 0;
        all[i].forever = (i & 2u) != 0;
        verdict = sleep_and_wake(host, &all[i], 1);
    }
    return verdict;
}

static const char *wake_of_all_leaves_nobody_asleep(struct conformance_host *host)
{
    static struct sleepers all[2];
    const char *verdict;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    all[1].shared = EXO_TRUE;
    verdict = sleep_and_wake(host, &all[0], CONFORMANCE_THREADS);
    return verdict != EXO_NULL ? verdict : sleep_and_wake(host, &all[1], CONFORMANCE_THREADS);
}

static const char *wake_of_two_wakes_at_least_two(struct conformance_host *host)
{
    static struct sleepers all;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    all.forever = EXO_TRUE;
    CONFORMANCE_REQUIRE(conformance_start(host, 4, sleep_once, &all));
    CONFORMANCE_REQUIRE(conformance_reaches(&all.started, 4));
    conformance_pause(10 * CONFORMANCE_MS);
    exo_store32(&all.word, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    exo_port_wake(&all.word, 2, EXO_FALSE);
    conformance_pause(5 * CONFORMANCE_MS);
    host->hung = !conformance_reaches(&all.returned, 2);
    CONFORMANCE_REQUIRE(!host->hung);
    exo_port_wake(&all.word, 0xFFFFFFFFu, EXO_FALSE);
    CONFORMANCE_REQUIRE(conformance_join(host, 4));
    return (const char *)EXO_NULL;
}

static const char *wake_of_two_leaves_the_others_asleep(struct conformance_host *host)
{
    static struct sleepers all;
    exo_u32 returned;
    if (host->start == EXO_NULL || !host->sleeps) {
        return CONFORMANCE_SKIP;
    }
    all.forever = EXO_TRUE;
    CONFORMANCE_REQUIRE(conformance_start(host, 4, sleep_once, &all));
    CONFORMANCE_REQUIRE(conformance_reaches(&all.started, 4));
    conformance_pause(30 * CONFORMANCE_MS);
    exo_port_wake(&all.word, 2, EXO_FALSE); /* the word stays, so nobody returns by himself */
    conformance_pause(30 * CONFORMANCE_MS);
    returned = exo_load32(&all.returned, EXO_ACQUIRE); /* [test:count] pairs [test:counted] */
    exo_store32(&all.word, 1u, EXO_RELEASE);           /* [test:counted] pairs [test:count] */
    exo_port_wake(&all.word, 0xFFFFFFFFu, EXO_FALSE);
    CONFORMANCE_REQUIRE(conformance_join(host, 4));
    CONFORMANCE_REQUIRE(returned <= 2);
    return (const char *)EXO_NULL;
}

static const char *wake_of_another_word_wakes_nobody(struct conformance_host *host)
{
    static struct sleepers all;
    static exo_u32 others[64];
    exo_u32 returned;
    exo_u32 i;
    if (host->start == EXO_NULL || !host->sleeps) {
        return CONFORMANCE_SKIP;
    }
    all.forever = EXO_TRUE;
    CONFORMANCE_REQUIRE(conformance_start(host, 2, sleep_once, &all));
    CONFORMANCE_REQUIRE(conformance_reaches(&all.started, 2));
    conformance_pause(30 * CONFORMANCE_MS);
    exo_port_wake(&all.started, 0xFFFFFFFFu, EXO_FALSE);
    for (i = 0; i < 64; i++) {
        exo_port_wake(&others[i], 0xFFFFFFFFu, EXO_FALSE);
    }
    conformance_pause(10 * CONFORMANCE_MS);
    returned = exo_load32(&all.returned, EXO_ACQUIRE); /* [test:count] pairs [test:counted] */
    exo_store32(&all.word, 1u, EXO_RELEASE);           /* [test:counted] pairs [test:count] */
    exo_port_wake(&all.word, 0xFFFFFFFFu, EXO_FALSE);
    CONFORMANCE_REQUIRE(conformance_join(host, 2));
    CONFORMANCE_REQUIRE(returned == 0);
    return (const char *)EXO_NULL;
}

#define MANY 140u /* more than Linux takes in one call */

static const char *wait_many_returns_at_once_when_one_word_has_changed(struct conformance_host *host)
{
    static struct exo_wait_word chain[MANY];
    static exo_u32 words[MANY];
    static const exo_u32 counts[] = {1, 2, 64, 127, 128, 129, MANY};
    exo_u32 i;
    (void)host;
    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        exo_u64 start = exo_port_now_ns();
        chain_words(chain, words, counts[i], (i & 1u) != 0);
        words[counts[i] - 1] = 1;
        exo_port_wait_many(chain, start + LATE);
        words[counts[i] - 1] = 0;
        CONFORMANCE_REQUIRE(exo_port_now_ns() - start < SOON);
    }
    return (const char *)EXO_NULL;
}

static const char *wait_many_ends_soon_after_its_deadline(struct conformance_host *host)
{
    static struct exo_wait_word chain[MANY];
    static exo_u32 words[MANY];
    exo_u32 round;
    for (round = 0; round < 4; round++) {
        exo_u64 until = exo_port_now_ns() + 5 * CONFORMANCE_MS;
        exo_u32 calls = 0;
        chain_words(chain, words, (round & 2u) != 0 ? MANY : 3, (round & 1u) != 0);
        exo_port_wait_many(chain, EXO_NOW);
        while (exo_port_now_ns() < until) {
            exo_port_wait_many(chain, until);
            calls++;
        }
        CONFORMANCE_REQUIRE(exo_port_now_ns() - until < SOON);
        CONFORMANCE_REQUIRE(!host->sleeps || calls < 100);
    }
    return (const char *)EXO_NULL;
}

/* One thread that sleeps on many words, again and again, until all have changed. */
struct many_sleeper {
    struct exo_wait_word chain[MANY];
    exo_u32 words[MANY];
    exo_u32 count;
    exo_u32 rounds; /* changes seen */
    exo_bool shared;
};

static void sleep_on_many(void *argument)
{
    struct many_sleeper *all = (struct many_sleeper *)argument;
    exo_u32 seen = 0;
    exo_u32 i;
    chain_words(all->chain, all->words, all->count, all->shared);
    while (seen < all->count) {
        exo_port_wait_many(all->chain, EXO_FOREVER);
        for (i = 0; i < all->count; i++) {
            /* [test:count] pairs [test:counted] */
            exo_u32 value = exo_load32(&all->words[i], EXO_ACQUIRE);
            seen += all->chain[i].expected != value;
            all->chain[i].expected = value;
        }
        exo_store32(&all->rounds, seen, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    }
}

static const char *wait_many_is_woken_through_each_of_its_words(struct conformance_host *host)
{
    static struct many_sleeper all[3];
    static const exo_u32 counts[] = {2, 64, MANY};
    exo_u32 i;
    exo_u32 n;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    for (n = 0; n < 3; n++) {
        all[n].count = counts[n];
        all[n].shared = n == 1;
        CONFORMANCE_REQUIRE(conformance_start(host, 1, sleep_on_many, &all[n]));
        for (i = 0; i < counts[n]; i++) {
            if (i < 3) {
                conformance_pause(5 * CONFORMANCE_MS); /* now it sleeps */
            }
            exo_store32(&all[n].words[i], 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
            exo_port_wake(&all[n].words[i], 1, all[n].shared);
            host->hung = !conformance_reaches(&all[n].rounds, i + 1);
            CONFORMANCE_REQUIRE(!host->hung);
        }
        CONFORMANCE_REQUIRE(conformance_join(host, 1));
    }
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_waiting[] = {
    CONFORMANCE_CLAIM(wait_returns_at_once_when_the_word_has_changed),
    CONFORMANCE_CLAIM(wait_returns_at_once_when_its_deadline_has_passed),
    CONFORMANCE_CLAIM(wait_ends_soon_after_its_deadline),
    CONFORMANCE_CLAIM(wait_many_returns_at_once_when_one_word_has_changed),
    CONFORMANCE_CLAIM(wait_many_ends_soon_after_its_deadline),
    CONFORMANCE_CLAIM(wait_many_is_woken_through_each_of_its_words),
    CONFORMANCE_CLAIM(wait_works_on_memory_that_is_only_readable),
    CONFORMANCE_CLAIM(wake_without_sleepers_does_nothing),
    CONFORMANCE_CLAIM(the_death_of_a_peer_ends_the_sleep_and_is_final),
    CONFORMANCE_CLAIM(a_sleeper_is_woken_by_another_thread),
    CONFORMANCE_CLAIM(wake_of_all_leaves_nobody_asleep),
    CONFORMANCE_CLAIM(wake_of_two_wakes_at_least_two),
    CONFORMANCE_CLAIM(wake_of_two_leaves_the_others_asleep),
    CONFORMANCE_CLAIM(wake_of_another_word_wakes_nobody),
};

#endif
