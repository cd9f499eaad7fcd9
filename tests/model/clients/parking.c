/* SPDX-License-Identifier: MIT */
/* The parking lot, over a thread's permit. A word that is changed and then woken leaves nobody parked. */
#include "../client.h"

#define EXO_PORT_HAS_PARKING_HOOKS 1

static exo_u32 permit[CLIENT_THREADS + 1];

static void *exo_port_thread_current(void)
{
    return &permit[client_self()];
}
static void exo_port_block_current(exo_u64 deadline_ns)
{
    exo_u32 *mine = &permit[client_self()];
    exo_port_wait(mine, 0, deadline_ns, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
    (void)exo_fetch_and32(mine, 0u, EXO_RELAXED);
}
static void exo_port_unblock(void *thread)
{
    (void)exo_fetch_or32((exo_u32 *)thread, 1u, EXO_RELAXED);
    exo_port_wake((exo_u32 *)thread, 1, EXO_FALSE);
}
static exo_uptr exo_port_critical_enter(void)
{
    return 0;
}
static void exo_port_critical_exit(exo_uptr state)
{
    (void)state;
}

#include "exo_ipc/base/parking.h"

#include <string.h>

EXO_PARKING_DEFINE_LOT;

static exo_u32 word;
static exo_u32 other; /* for whom parks on two words */
static exo_u64 payload;

static void setup(void)
{
    memset(&exo_parking_lot, 0, sizeof(exo_parking_lot));
    memset(permit, 0, sizeof(permit));
    word = 0;
    other = 0;
    payload = 0;
    client_names("word", &word, sizeof(word));
    client_names("permit", permit, sizeof(permit));
    client_names("lot", &exo_parking_lot, sizeof(exo_parking_lot));
}

static void park(void)
{
    while (exo_load32(&word, EXO_ACQUIRE) == 0) {
        exo_parking_wait(&word, 0, EXO_FOREVER);
    }
    client_check(client_read(&payload) == 42);
}

static void change_and_wake(void)
{
    client_write(&payload, 42);
    exo_store32(&word, 1u, EXO_RELEASE);
    (void)exo_parking_wake(&word, 0xFFFFFFFFu);
}

/* Parks on both words until both have changed. */
static void park_on_two(void)
{
    struct exo_wait_word words[2];
    exo_u32 seen[2] = {0, 0};
    words[0].next = &words[1];
    words[0].word = &word;
    words[1].next = (struct exo_wait_word *)EXO_NULL;
    words[1].word = &other;
    while (seen[0] == 0 || seen[1] == 0) {
        words[0].expected = seen[0];
        words[1].expected = seen[1];
        exo_parking_wait_many(words, EXO_FOREVER);
        seen[0] = exo_load32(&word, EXO_ACQUIRE);
        seen[1] = exo_load32(&other, EXO_RELAXED);
    }
    client_check(client_read(&payload) == 42);
}

static void change_other(void)
{
    exo_store32(&other, 1u, EXO_RELAXED);
    (void)exo_parking_wake(&other, 1);
}

static void finish_many(void)
{
    exo_u32 i;
    for (i = 0; i < EXO_PARKING_BUCKETS; i++) {
        client_check(exo_parking_lot.bucket[i].first == EXO_NULL && exo_parking_lot.bucket[i].lock == 0);
    }
}

static void finish(void)
{
    client_check(exo_parking_lot.bucket[0].first == EXO_NULL);
}

CLIENT(one) = {.name = "parking-one", .setup = setup, .thread = {park, change_and_wake}, .finish = finish,
               .spurious = 1};
CLIENT(two) = {.name = "parking-two", .setup = setup, .thread = {park, park, change_and_wake}, .finish = finish};
CLIENT(many) = {.name = "parking-many", .setup = setup, .thread = {park_on_two, change_and_wake, change_other},
                .finish = finish_many};
CLIENT(beside) = {.name = "parking-beside", .setup = setup, .thread = {park, park_on_two, change_and_wake, change_other},
                  .finish = finish_many};
