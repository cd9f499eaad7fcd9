/* SPDX-License-Identifier: MIT */
/*
 * One process that tells several others the same, in a region that all of them trust each other with: it is mapped at the
 * same address in each, and the broadcast in it is that of threads.
 */
#include "subject_parts.h"

#define PLACE       ((void *)0x0000200000000000ull)
#define BYTES       (64u * EXO_PORT_PAGE_BYTES)
#define SUBSCRIBERS 3u
#define TOLD        300u

/* At the begin of the region. */
struct cast {
    struct exo_broadcast broadcast;
    exo_u32 ready;
};

static const char name[] = "cast";

static struct cast *place_cast(exo_u64 region)
{
    void *at;
    USER_OR_EXIT(exo_sys_shm_map(user_door, region, PLACE, EXO_MAP_READ | EXO_MAP_WRITE, &at) == EXO_OK);
    USER_OR_EXIT(at == PLACE);
    return (struct cast *)at;
}

void cast(void)
{
    static struct exo_publisher tx;
    struct exo_broadcast_config config;
    struct user_child child[SUBSCRIBERS];
    struct user_end end;
    struct cast *shared;
    exo_u64 region;
    exo_u64 i;
    USER_OR_EXIT(exo_sys_shm_create(user_door, name, 4, BYTES, EXO_PERMS(EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, 0),
                                    &region) == EXO_OK);
    shared = place_cast(region);
    __builtin_memset(&config, 0, sizeof(config));
    config.slots = 16;
    config.subscribers = SUBSCRIBERS;
    config.policy = EXO_RELIABLE;
    config.arena_size = EXO_ARENA_NONE;
    config.lag_ns = EXO_FOREVER;
    USER_OR_EXIT(exo_broadcast_init(&shared->broadcast, &config, (exo_u8 *)shared + EXO_PORT_PAGE_BYTES,
                                    BYTES - EXO_PORT_PAGE_BYTES, &tx) == EXO_OK);
    for (i = 0; i < SUBSCRIBERS; i++) {
        spawn_other(SUBJECT_CAST, i, &child[i]);
    }
    while (exo_load32(&shared->ready, EXO_ACQUIRE) != SUBSCRIBERS) { /* [cast:wait] pairs [cast:ready] */
        user_yield();
    }
    for (i = 0; i < TOLD; i++) {
        USER_OR_EXIT(exo_broadcast_send_blocking(&tx, &i, sizeof(i), EXO_FOREVER) == EXO_OK);
    }
    for (i = 0; i < SUBSCRIBERS; i++) {
        USER_OR_EXIT(user_join(&child[i], EXO_FOREVER, &end) == EXO_OK);
        USER_OR_EXIT(end.vector == USER_END_EXIT && end.code == 0);
    }
}

void cast_other(void)
{
    static struct exo_subscriber sub;
    struct cast *shared;
    exo_u64 region;
    exo_u64 number;
    exo_u64 i;
    USER_OR_EXIT(exo_sys_shm_open(user_door, name, 4, EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &region) == EXO_OK);
    shared = place_cast(region);
    USER_OR_EXIT(exo_broadcast_subscribe(&shared->broadcast, &sub, 0) == EXO_OK);
    (void)exo_fetch_add32(&shared->ready, 1u, EXO_RELEASE); /* [cast:ready] pairs [cast:wait] */
    for (i = 0; i < TOLD; i++) {
        USER_OR_EXIT(exo_subscriber_recv_blocking(&sub, &number, sizeof(number), EXO_FOREVER) == sizeof(number));
        USER_OR_EXIT(number == i);
    }
}
