/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the stress test share: a scene (one ring, some senders, some receivers), the content of
 * messages, and how a failure is reported.
 *
 * Each message is made from its sender, its sequence number and its length, and nothing else: whoever receives
 * it computes it again and compares every byte.
 *
 *   byte 0       sender << 6 | length & 63
 *   bytes 1..4   sequence number
 *   the rest     a stream of words seeded with sender, sequence number and length
 *
 * A message is a prefix of that. With one consumer a short one is identified by its place in the order.
 */
#ifndef EXO_TESTS_STRESS_H
#define EXO_TESTS_STRESS_H

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exo_ipc/fusion_ring/batch.h"
#include "exo_ipc/fusion_ring/create.h"

#define THREADS_MAX 3u
#define LENGTH_MAX 768u
#define SEQUENCE_MAX (1u << 24) /* messages of one sender in one scene */
#define HELD_MAX 6u
#define LOT_MAX 24u
#define BULK_MAX 128u
#define ARENA_BLOCK 64u
#define ARENA_BYTES 8192u

enum path { PATH_INLINE, PATH_BATCH, PATH_LOAN, PATH_PLACE, PATH_MIXED, PATH_BULK, PATHS };
enum style { STYLE_TRY, STYLE_BLOCK, STYLE_DEADLINE, STYLES };

struct sending {
    struct exo_sender tx;
    void *books;
    exo_u32 id;
    exo_u32 sequence; /* of the next message */
    exo_u64 random;
    pthread_t thread;
};

/* A view that is kept for a while, and what must still be in it when it is released. */
struct held {
    struct exo_viewed view;
    exo_u32 sender;
    exo_u32 sequence;
};

struct receiving {
    struct exo_receiver rx;
    exo_u32 id;
    exo_u32 next[THREADS_MAX]; /* smallest sequence number that may still come from each sender */
    exo_u32 from[THREADS_MAX]; /* messages received from each sender */
    exo_u64 random;
    struct held held[HELD_MAX];
    pthread_t thread;
};

struct scene {
    const char *mode_name;
    exo_u32 mode;
    exo_u32 profile;
    exo_u32 slots;
    enum path path;
    enum style style;
    exo_u32 bulk_length; /* PATH_BULK: of every message, whole words */
    exo_u32 senders;
    exo_u32 receivers;
    exo_u64 seed;
    exo_u64 until_ns;
    struct exo_ring ring;
    struct sending sending[THREADS_MAX];
    struct receiving receiving[THREADS_MAX];
    exo_u32 *seen[THREADS_MAX]; /* several consumers: one bit for each message */
};

extern struct scene scene;

/* Says what went wrong, prints the scene, and ends the process. */
void fail(const char *what, exo_i64 value);

void *send_thread(void *argument);
void *receive_thread(void *argument);

EXO_INLINE exo_u32 random_below(exo_u64 *random, exo_u32 bound)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (exo_u32)(((*random >> 32) * bound) >> 32);
}

EXO_INLINE exo_bool one_consumer(void)
{
    return (scene.mode & EXO_MODE_MC) == 0;
}

/* Shortest message from which the receiver can tell what it must be. */
EXO_INLINE exo_u32 length_min(void)
{
    return !one_consumer() ? 5 : (scene.mode & EXO_MODE_MP) != 0 ? 1 : 0;
}

EXO_INLINE exo_u64 body_word(exo_u64 seed, exo_u32 i)
{
    exo_u64 word = seed * (2 * i + 1);
    return word ^ word >> 29;
}

EXO_INLINE exo_u64 body_seed(exo_u32 sender, exo_u32 sequence, exo_u32 length)
{
    return (((exo_u64)sequence << 24) + length * 4 + sender + 1) * 0x9E3779B97F4A7C15ull;
}

EXO_INLINE exo_u64 body_head(exo_u64 seed, exo_u32 sender, exo_u32 sequence, exo_u32 length)
{
    return (exo_u64)(sender << 6 | (length & 63)) | (exo_u64)sequence << 8 | seed >> 40 << 40;
}

/* Writes the message into whole words: up to 7 bytes more than length. */
EXO_INLINE void body_make(exo_u64 *words, exo_u32 sender, exo_u32 sequence, exo_u32 length)
{
    exo_u64 seed = body_seed(sender, sequence, length);
    exo_u32 i;
    words[0] = body_head(seed, sender, sequence, length);
    for (i = 1; i < (length + 7) / 8; i++) {
        words[i] = body_word(seed, i);
    }
}

EXO_INLINE void body_check(const void *data, exo_u32 sender, exo_u32 sequence, exo_u32 length)
{
    exo_u64 words[LENGTH_MAX / 8 + 1];
    body_make(words, sender, sequence, length);
    if (length != 0 && memcmp(data, words, length) != 0) {
        fail("torn or changed message", sequence);
    }
}

/* Whether a message of whole words is not what it must be: 0, or some bits. */
EXO_INLINE exo_u64 body_differs(const exo_u64 *words, exo_u32 sender, exo_u32 sequence, exo_u32 length)
{
    exo_u64 seed = body_seed(sender, sequence, length);
    exo_u64 differs = words[0] ^ body_head(seed, sender, sequence, length);
    exo_u32 i;
    for (i = 1; i < length / 8; i++) {
        differs |= words[i] ^ body_word(seed, i);
    }
    return differs;
}

/* A deadline that is often just now. */
EXO_INLINE exo_u64 soon(exo_u64 *random)
{
    return exo_port_now_ns() + random_below(random, 50000);
}

#endif
