/* SPDX-License-Identifier: MIT */
/*
 * Claims about base/parking.h and about the kernel functions under it, for ports that wait through it.
 *
 * They look into the lot, under its lock, to know who is asleep; nothing else may wait meanwhile.
 */
#ifndef EXO_TESTS_CLAIMS_PARKING_H
#define EXO_TESTS_CLAIMS_PARKING_H

#include "conformance.h"

/* other_unit.c: the same calls from another translation unit. */
exo_u32 other_unit_wake(exo_u32 *word, exo_u32 count);

/* How many wait on a word. */
EXO_INLINE exo_u32 parked_on(const exo_u32 *word)
{
    exo_u64 key = EXO_PARKING_KEY(word);
    struct exo_parking_bucket *bucket = exo_parking_bucket_pvt(key);
    exo_uptr state = exo_parking_lock_pvt(bucket);
    const struct exo_parked *node;
    exo_u32 count = 0;
    for (node = bucket->first; node != EXO_NULL; node = node->next) {
        count += node->key == key;
    }
    exo_parking_unlock_pvt(bucket, state);
    return count;
}

EXO_INLINE exo_bool become_parked(const exo_u32 *word, exo_u32 count)
{
    exo_u64 until = exo_port_now_ns() + 5000 * CONFORMANCE_MS;
    while (parked_on(word) != count && exo_port_now_ns() < until) {
        conformance_pause(CONFORMANCE_MS / 5);
    }
    return parked_on(word) == count;
}

EXO_INLINE exo_bool lot_is_empty(void)
{
    exo_u32 i;
    for (i = 0; i < EXO_PARKING_BUCKETS; i++) {
        const struct exo_parking_bucket *bucket = &exo_parking_lot.bucket[i];
        if (bucket->first != EXO_NULL || bucket->last != EXO_NULL || bucket->lock != 0) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

static const char *kernel_an_unblock_before_the_block_is_not_lost(struct conformance_host *host)
{
    exo_u32 round;
    (void)host;
    for (round = 0; round < 100; round++) {
        exo_u64 start = exo_port_now_ns();
        exo_port_unblock(exo_port_thread_current());
        exo_port_block_current(start + 5000 * CONFORMANCE_MS);
        CONFORMANCE_REQUIRE(exo_port_now_ns() - start < 1000 * CONFORMANCE_MS);
    }
    return (const char *)EXO_NULL;
}

static const char *kernel_a_block_ends_at_its_deadline(struct conformance_host *host)
{
    exo_u64 start = exo_port_now_ns();
    (void)host;
    exo_port_block_current(EXO_NOW);
    exo_port_block_current(start);
    exo_port_block_current(start + CONFORMANCE_MS);
    exo_port_block_current(start + 2 * CONFORMANCE_MS);
    CONFORMANCE_REQUIRE(exo_port_now_ns() - start < 1000 * CONFORMANCE_MS);
    return (const char *)EXO_NULL;
}

static const char *who_returns_early_takes_itself_out(struct conformance_host *host)
{
    exo_u32 word = 5;
    (void)host;
    exo_parking_wait(&word, 5, exo_port_now_ns() + CONFORMANCE_MS);
    CONFORMANCE_REQUIRE(lot_is_empty());
    exo_port_unblock(exo_port_thread_current()); /* a permit of no meaning */
    exo_parking_wait(&word, 5, EXO_FOREVER);
    CONFORMANCE_REQUIRE(lot_is_empty());
    CONFORMANCE_REQUIRE(exo_parking_wake(&word, 1) == 0);
    return (const char *)EXO_NULL;
}

static const char *a_changed_word_is_not_queued_on(struct conformance_host *host)
{
    exo_u32 word = 5;
    (void)host;
    exo_parking_wait(&word, 4, EXO_FOREVER);
    CONFORMANCE_REQUIRE(lot_is_empty());
    return (const char *)EXO_NULL;
}

/* Threads that each wait once, for ever, and note who returned in which turn. */
struct queue {
    exo_u32 word;
    exo_u32 next;
    exo_u32 returned;
    exo_u32 turn[CONFORMANCE_THREADS]; /* when thread i returned, from 1; 0: not yet */
    void *thread[CONFORMANCE_THREADS];
};

static void queue_once(void *argument)
{
    struct queue *queue = (struct queue *)argument;
    exo_u32 me = exo_fetch_add32(&queue->next, 1u, EXO_RELAXED); /* relaxed: a number only */
    exo_u32 turn;
    queue->thread[me] = exo_port_thread_current();
    exo_parking_wait(&queue->word, 0, EXO_FOREVER);
    /* [test:counted] pairs [test:count] */
    turn = 1 + exo_fetch_add32(&queue->returned, 1u, EXO_RELEASE);
    exo_store32(&queue->turn[me], turn, EXO_RELEASE); /* [test:counted] pairs [test:count] */
}

/* Lets threads queue up one after the other. */
static const char *queue_up(struct conformance_host *host, struct queue *queue, exo_u32 threads)
{
    exo_u32 i;
    for (i = 0; i < threads; i++) {
        if (!host->start(host->context, i, queue_once, queue) ||
            !become_parked(&queue->word, i + 1)) {
            host->hung = EXO_TRUE;
            return "a thread did not come to wait";
        }
    }
    return (const char *)EXO_NULL;
}

static const char *who_came_first_is_woken_first(struct conformance_host *host)
{
    static struct queue queue;
    const char *verdict;
    exo_u32 i;
    verdict = queue_up(host, &queue, CONFORMANCE_THREADS);
    for (i = 0; i < CONFORMANCE_THREADS && verdict == EXO_NULL && !host->hung; i++) {
        exo_u32 woken = exo_parking_wake(&queue.word, 1);
        host->hung = woken != 1 || !conformance_reaches(&queue.turn[i], i + 1);
    }
    CONFORMANCE_REQUIRE(verdict == EXO_NULL && !host->hung);
    CONFORMANCE_REQUIRE(conformance_join(host, CONFORMANCE_THREADS));
    CONFORMANCE_REQUIRE(lot_is_empty());
    return verdict;
}

static const char *wake_takes_as_many_as_it_was_asked_for(struct conformance_host *host)
{
    static struct queue queue;
    const char *verdict;
    exo_u32 woken[4];
    verdict = queue_up(host, &queue, 6);
    CONFORMANCE_REQUIRE(verdict == EXO_NULL);
    woken[0] = exo_parking_wake(&queue.word, 0);
    woken[1] = exo_parking_wake(&queue.word, 4);
    woken[2] = other_unit_wake(&queue.word, 1); /* another translation unit has the same lot */
    woken[3] = exo_parking_wake(&queue.word, 0xFFFFFFFFu);
    CONFORMANCE_REQUIRE(conformance_join(host, 6));
    CONFORMANCE_REQUIRE(woken[0] == 0 && woken[1] == 4 && woken[2] == 1 && woken[3] == 1);
    CONFORMANCE_REQUIRE(lot_is_empty());
    return (const char *)EXO_NULL;
}

static const char *
who_leaves_from_the_middle_leaves_the_others_queued(struct conformance_host *host)
{
    static struct queue queue;
    const char *verdict;
    exo_bool middle;
    exo_u32 woken;
    exo_u32 last;
    verdict = queue_up(host, &queue, 3);
    CONFORMANCE_REQUIRE(verdict == EXO_NULL);
    exo_port_unblock(queue.thread[1]); /* it returns early, as from a deadline */
    middle = conformance_reaches(&queue.turn[1], 1) && parked_on(&queue.word) == 2;
    woken = exo_parking_wake(&queue.word, 1);
    host->hung = !conformance_reaches(&queue.turn[0], 2);
    last = exo_parking_wake(&queue.word, 1);
    CONFORMANCE_REQUIRE(conformance_join(host, 3));
    CONFORMANCE_REQUIRE(middle && woken == 1 && last == 1);
    CONFORMANCE_REQUIRE(lot_is_empty());
    return (const char *)EXO_NULL;
}

static const char *words_of_one_bucket_are_told_apart(struct conformance_host *host)
{
    static struct queue queue;
    static exo_u32 words[2048];
    const char *verdict;
    exo_u32 *other = words;
    exo_u32 strangers;
    exo_u32 woken;
    while (exo_parking_bucket_pvt(EXO_PARKING_KEY(other)) !=
           exo_parking_bucket_pvt(EXO_PARKING_KEY(&queue.word))) {
        CONFORMANCE_REQUIRE(++other < words + 2048);
    }
    verdict = queue_up(host, &queue, 1);
    CONFORMANCE_REQUIRE(verdict == EXO_NULL);
    strangers = exo_parking_wake(other, 0xFFFFFFFFu);
    woken = exo_parking_wake(&queue.word, 0xFFFFFFFFu);
    CONFORMANCE_REQUIRE(conformance_join(host, 1));
    CONFORMANCE_REQUIRE(strangers == 0 && woken == 1);
    return (const char *)EXO_NULL;
}

/* Short waits on words of one array, ended by deadlines and by wakes that race with them. */
struct crowd {
    exo_u32 word[2];
    exo_u32 next;
    exo_u32 busy;
    exo_u64 until;
};

static void come_and_go(void *argument)
{
    struct crowd *crowd = (struct crowd *)argument;
    exo_u32 me = exo_fetch_add32(&crowd->next, 1u, EXO_RELAXED); /* relaxed: a number only */
    exo_u32 random = 2654435761u * (me + 1);
    exo_u32 i;
    for (i = 0; i < 2000 && exo_port_now_ns() < crowd->until; i++) {
        random = random * 1664525u + 1013904223u;
        exo_parking_wait(&crowd->word[random >> 31], 0,
                         exo_port_now_ns() + (random >> 16 & 0x7FFFu));
    }
    /* [test:counted] pairs [test:count] */
    (void)exo_fetch_add32(&crowd->busy, 0xFFFFFFFFu, EXO_RELEASE);
}

static const char *deadlines_that_race_with_wakes_leave_an_empty_lot(struct conformance_host *host)
{
    static struct crowd crowd;
    exo_u32 turn = 0;
    exo_u32 i;
    exo_u64 give_up;
    crowd.until = exo_port_now_ns() + 1500 * CONFORMANCE_MS;
    give_up = crowd.until + 10000 * CONFORMANCE_MS;
    crowd.busy = 4;
    CONFORMANCE_REQUIRE(conformance_start(host, 4, come_and_go, &crowd));
    /* [test:count] pairs [test:counted] */
    while (exo_load32(&crowd.busy, EXO_ACQUIRE) != 0 && exo_port_now_ns() < give_up) {
        turn++;
        (void)exo_parking_wake(&crowd.word[turn & 1u], turn % 3u == 0 ? 0xFFFFFFFFu : 1u);
        for (i = 0; i < 300; i++) { /* the lock is not fair: leave it to the others for a while */
            exo_cpu_relax();
        }
    }
    CONFORMANCE_REQUIRE(conformance_join(host, 4));
    CONFORMANCE_REQUIRE(lot_is_empty());
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_parking[] = {
    CONFORMANCE_CLAIM(kernel_an_unblock_before_the_block_is_not_lost),
    CONFORMANCE_CLAIM(kernel_a_block_ends_at_its_deadline),
    CONFORMANCE_CLAIM(who_returns_early_takes_itself_out),
    CONFORMANCE_CLAIM(a_changed_word_is_not_queued_on),
    CONFORMANCE_CLAIM(who_came_first_is_woken_first),
    CONFORMANCE_CLAIM(wake_takes_as_many_as_it_was_asked_for),
    CONFORMANCE_CLAIM(who_leaves_from_the_middle_leaves_the_others_queued),
    CONFORMANCE_CLAIM(words_of_one_bucket_are_told_apart),
    CONFORMANCE_CLAIM(deadlines_that_race_with_wakes_leave_an_empty_lot),
};

#endif
