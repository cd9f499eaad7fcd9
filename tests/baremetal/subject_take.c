/* SPDX-License-Identifier: MIT */
/*
 * Takes one or more of everything: to be killed with it, and to be told that there is no memory.
 */
#include "subject_parts.h"

#define REGIONS 4u

struct taken {
    exo_u64 region[REGIONS];
    exo_u64 derived;
    exo_u64 channel;
    exo_u64 peer;
    exo_u64 queue;
    exo_u64 group;
    void *at[REGIONS];
    exo_u32 refused; /* for want of memory */
};

/* True if it was done, false without memory; any other answer is the end. */
static exo_bool done(struct taken *taken, exo_status status)
{
    taken->refused += status == EXO_NO_MEMORY;
    USER_OR_EXIT(status == EXO_OK || status == EXO_NO_MEMORY);
    return status == EXO_OK;
}

static void take_regions(struct taken *taken)
{
    exo_u32 i;
    for (i = 0; i < REGIONS; i++) {
        if (done(taken, exo_sys_shm_create(user_door, i == 0 ? "taken" : (const char *)EXO_NULL, i == 0 ? 5 : 0,
                                           (i + 1) * EXO_PORT_PAGE_BYTES, 0, &taken->region[i])) &&
            done(taken, exo_sys_shm_map(user_door, taken->region[i], EXO_NULL, EXO_MAP_READ | EXO_MAP_WRITE,
                                        &taken->at[i]))) {
            *(volatile exo_u64 *)taken->at[i] = i;
            (void)done(taken, exo_sys_shm_protect(user_door, taken->at[i], EXO_MAP_READ));
        }
    }
    if (taken->region[0] != 0) {
        (void)done(taken, exo_sys_derive(user_door, taken->region[0], EXO_RIGHT_MAP_READ | EXO_RIGHT_GRANT,
                                         &taken->derived));
    }
}

/* A channel with messages on their way in both directions, some of which carry a capability. */
static void take_channel(struct taken *taken)
{
    exo_u32 i;
    if (!done(taken, exo_sys_channel_create(user_door, (const char *)EXO_NULL, 0, 0, 8, 64, &taken->channel)) ||
        !done(taken, exo_sys_channel_peer(user_door, taken->channel, EXO_RIGHTS_CHANNEL & ~EXO_RIGHT_DESTROY,
                                          &taken->peer))) {
        return;
    }
    for (i = 0; i < 4; i++) {
        exo_u64 passed = i % 2 == 0 ? taken->derived : 0;
        (void)done(taken, user_pass(i < 2 ? taken->channel : taken->peer, passed,
                                    passed == 0 ? 0 : EXO_RIGHT_MAP_READ, &i, sizeof(i)));
    }
}

static void take_queue(struct taken *taken)
{
    exo_u64 source;
    if (!done(taken, exo_sys_queue_create(user_door, 64, &taken->queue))) {
        return;
    }
    (void)done(taken, exo_sys_queue_bind(user_door, taken->queue, 0, 1, EXO_USER_EVENT, &source));
    if (taken->channel != 0) {
        (void)done(taken, exo_sys_queue_bind(user_door, taken->queue, taken->channel, 2, EXO_WRITABLE, &source));
    }
    if (done(taken, exo_sys_group_create(user_door, &taken->group))) {
        (void)done(taken, exo_sys_queue_bind(user_door, taken->queue, taken->group, 3, EXO_QUOTA_LOW, &source));
    }
}

static void take(struct taken *taken)
{
    __builtin_memset(taken, 0, sizeof(*taken));
    take_regions(taken);
    take_channel(taken);
    take_queue(taken);
}

void hold(void)
{
    static struct taken taken;
    struct exo_sys_event events[8];
    struct user_child child;
    take(&taken);
    USER_OR_EXIT(taken.refused == 0);
    USER_OR_EXIT(user_spawn(PROGRAM_SUBJECT, SUBJECT_SLEEP, &child) == EXO_OK);
    for (;;) {
        USER_OR_EXIT(exo_sys_wait(user_door, taken.queue, events, 8, EXO_FOREVER) > 0);
    }
}

static void close_one(exo_u64 handle)
{
    if (handle != 0) {
        USER_OR_EXIT(exo_sys_close(user_door, handle) == EXO_OK);
    }
}

static void give_back(struct taken *taken)
{
    exo_u64 count;
    exo_u32 i;
    if (taken->at[1] != EXO_NULL) {
        USER_OR_EXIT(exo_sys_shm_unmap(user_door, taken->at[1]) == EXO_OK);
    }
    if (taken->region[0] != 0) { /* what was derived, and is on its way, ends with it */
        USER_OR_EXIT(exo_sys_revoke(user_door, taken->region[0], EXO_TRUE, &count) == EXO_OK);
    }
    for (i = 1; i < REGIONS; i++) {
        close_one(taken->region[i]);
    }
    close_one(taken->channel);
    close_one(taken->peer);
    close_one(taken->group);
    close_one(taken->queue);
}

void churn(void)
{
    static struct taken taken;
    for (;;) {
        take(&taken);
        give_back(&taken);
    }
}

/* How many times there was no memory. */
exo_i64 memory(void)
{
    static struct taken taken;
    struct user_child child;
    struct user_end end;
    exo_u32 refused;
    take(&taken);
    if (done(&taken, user_spawn(PROGRAM_SUBJECT, SUBJECT_ARGUMENT(SUBJECT_NOTHING, 0), &child))) {
        USER_OR_EXIT(user_join(&child, EXO_FOREVER, &end) == EXO_OK);
    }
    refused = taken.refused;
    give_back(&taken);
    take(&taken); /* there is memory again, and all is as it was */
    USER_OR_EXIT(refused == 0 || taken.refused == 0);
    give_back(&taken);
    return refused;
}
