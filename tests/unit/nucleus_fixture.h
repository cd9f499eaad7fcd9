/* SPDX-License-Identifier: MIT */
/*
 * A nucleus with three processes in this address space, each with a door, and an account of what they hold.
 */
#ifndef NUCLEUS_FIXTURE_H
#define NUCLEUS_FIXTURE_H

#include <host_memory.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "exo_ipc/nucleus/nucleus.h"

#define PROCESSES 3u
#define USER 1000u
#define STRANGER 1001u

/* Processes 0 and 1 are one user's, 2 is another's. */
struct world {
    struct exo_nucleus nucleus;
    struct exo_process *process[PROCESSES];
    struct exo_inner_door inner[PROCESSES];
    struct exo_door *door[PROCESSES];
    exo_u64 number[PROCESSES];
};

EXO_INLINE void world_begin_one(struct world *world, exo_u32 i)
{
    struct exo_process_config config = {i == 2 ? STRANGER : USER, NULL, NULL, processes_space(), EXO_FALSE, NULL};
    assert_int_equal(exo_process_begin(&world->nucleus, &config, &world->process[i]), EXO_OK);
    exo_inner_door_init(&world->inner[i], world->process[i]);
    world->door[i] = &world->inner[i].door;
    world->number[i] = exo_process_number(world->process[i]);
}

EXO_INLINE void world_begin(struct world *world)
{
    exo_u32 i;
    assert_int_equal(exo_init(&world->nucleus, NULL), EXO_OK);
    for (i = 0; i < PROCESSES; i++) {
        world_begin_one(world, i);
    }
}

/* Nothing is charged to the whole any more. */
EXO_INLINE void assert_nothing_held(struct world *world)
{
    exo_u32 kind;
    for (kind = 0; kind < EXO_QUOTA_KINDS; kind++) {
        assert_int_equal(exo_quota_used(&world->nucleus.root, (enum exo_quota_kind)kind), 0);
    }
}

EXO_INLINE void world_end_one(struct world *world, exo_u32 i, exo_bool died)
{
    if (world->process[i] != NULL) {
        exo_process_end(world->process[i], died);
        world->process[i] = NULL;
    }
}

EXO_INLINE void world_end(struct world *world)
{
    exo_u32 i;
    for (i = 0; i < PROCESSES; i++) {
        world_end_one(world, i, EXO_FALSE);
    }
    assert_nothing_held(world);
    exo_fini(&world->nucleus);
}

EXO_INLINE exo_u64 used(const struct world *world, exo_u32 i, enum exo_quota_kind kind)
{
    return exo_quota_used(&world->process[i]->account, kind);
}

#define CLAIM(name) cmocka_unit_test(name)

#endif
