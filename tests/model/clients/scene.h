/* SPDX-License-Identifier: MIT */
/* What clients share: one small ring in static memory, its handles, and what was received. */
#ifndef EXO_TESTS_MODEL_SCENE_H
#define EXO_TESTS_MODEL_SCENE_H

#include <string.h>

#include "../client.h"

#define SCENE_BYTES 16384u
#define SCENE_MESSAGES 16u

/* A message of two words, so that a torn one is seen. */
struct pair {
    exo_u64 number;
    exo_u64 complement;
};

/* What one thread received. */
struct taken {
    exo_u64 number[SCENE_MESSAGES];
    exo_u32 count;
};

static struct {
    exo_u8 memory[SCENE_BYTES] __attribute__((aligned(128)));
    struct exo_ring ring;
    struct exo_sender tx[3];
    struct exo_receiver rx[3];
    struct taken taken[CLIENT_THREADS + 1];
    exo_u32 sent[CLIENT_THREADS + 1]; /* calls that returned EXO_OK, by thread */
} scene;

/* A ring of 2 slots that begins just below a wrap of the 32-bit sequence, with so many handles. Sender i is for
 * thread i + 1; the receivers begin with thread `reader`. */
EXO_INLINE void scene_open_at(struct exo_ring_config *config, exo_u32 senders, exo_u32 receivers,
                              exo_u32 reader)
{
    exo_u32 i;
    if (config->slots == 0) {
        config->slots = 2;
    }
    if (config->arena_size == 0) {
        config->arena_size = EXO_ARENA_NONE;
    }
    config->producers = senders;
    config->start = 0xFFFFFFFFull;
    config->spin = 1;
    memset(&scene, 0, sizeof(scene));
    client_check(exo_ring_init(&scene.ring, config, scene.memory, sizeof(scene.memory)) == EXO_OK);
    for (i = 0; i < senders; i++) {
        client_acts_as(1 + i);
        client_check(exo_ring_sender(&scene.ring, &scene.tx[i]) == EXO_OK);
    }
    for (i = 0; i < receivers; i++) {
        client_acts_as(reader + i);
        client_check(exo_ring_receiver(&scene.ring, &scene.rx[i]) == EXO_OK);
    }
    client_acts_as(1);
    client_names("tx.header", scene.ring.sender.tx, 128);
    client_names("tx.sync", (exo_u8 *)scene.ring.sender.tx + 128, 128);
    client_names("tx.tail", (exo_u8 *)scene.ring.sender.tx + 256, 128);
    client_names("tx.slots", (exo_u8 *)scene.ring.sender.tx + 384, scene.ring.sender.tx_bytes - 384);
    client_names("rx.header", scene.ring.sender.rx, 128);
    client_names("rx.sync", (exo_u8 *)scene.ring.sender.rx + 128, 128);
    client_names("rx.late", (exo_u8 *)scene.ring.sender.rx + 256, 128);
    client_names("rx.exact", (exo_u8 *)scene.ring.sender.rx + 384, 128);
    client_names("rx.rest", (exo_u8 *)scene.ring.sender.rx + 512, scene.ring.sender.rx_bytes - 512);
}

EXO_INLINE void scene_open(struct exo_ring_config *config, exo_u32 senders, exo_u32 receivers)
{
    scene_open_at(config, senders, receivers, senders + 1);
}

EXO_INLINE struct pair scene_pair(exo_u64 number)
{
    struct pair pair;
    pair.number = number;
    pair.complement = ~number;
    return pair;
}

/* Thread t's message i. */
EXO_INLINE exo_u64 scene_number(exo_u32 thread, exo_u32 i)
{
    return thread * 100 + i;
}

EXO_INLINE exo_status scene_send(struct exo_sender *tx, exo_u64 number)
{
    struct pair pair = scene_pair(number);
    exo_status status;
    client_begins(EXO_TRUE, number);
    status = exo_send_inline(tx, &pair, sizeof(pair));
    client_ends(status, number);
    scene.sent[client_self()] += status == EXO_OK;
    return status;
}

EXO_INLINE void scene_took(exo_u64 number)
{
    struct taken *taken = &scene.taken[client_self()];
    client_check(taken->count < SCENE_MESSAGES);
    taken->number[taken->count++] = number;
}

EXO_INLINE exo_i64 scene_recv(struct exo_receiver *rx)
{
    struct pair pair = {0, 0};
    exo_i64 got;
    client_begins(EXO_FALSE, 0);
    got = exo_recv_inline(rx, &pair, sizeof(pair));
    client_ends(got, pair.number);
    if (got >= 0) {
        client_check(got == sizeof(pair) && pair.complement == ~pair.number);
        scene_took(pair.number);
    }
    return got;
}

/* In finish: each of thread t's `count` messages was received exactly once, each receiver got them in order. */
EXO_INLINE void scene_check(exo_u32 thread, exo_u32 count)
{
    exo_u32 seen = 0;
    exo_u32 t;
    exo_u32 i;
    for (t = 0; t <= CLIENT_THREADS; t++) {
        exo_u64 last = 0;
        for (i = 0; i < scene.taken[t].count; i++) {
            exo_u64 number = scene.taken[t].number[i];
            if (number / 100 == thread) {
                client_check(number > last && number % 100 < count);
                client_check((seen >> number % 100 & 1) == 0);
                seen |= 1u << number % 100;
                last = number;
            }
        }
    }
    client_check(seen == (1u << count) - 1);
}

#endif
