/* SPDX-License-Identifier: MIT */
/* Messages written and read in their slots: plain memory, handed over by the ring. */
#include "scene.h"

#define LATE 1u /* param2: the receiver publishes its position as late as in a larger ring */

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    scene_open(&config, 1, (config.mode & EXO_MODE_MC) != 0 ? 2 : 1);
    if ((client_now->param2 & LATE) != 0) {
        scene.rx[0].late_step = 2;
        scene.rx[0].late_at = scene.rx[0].pos + 2;
    }
}

/* Three messages, the second given up. */
static void write_three(void)
{
    exo_u32 sent = 0;
    while (sent < 3) {
        struct exo_reserved reserved;
        exo_status status = exo_reserve(&scene.tx[0], 8, &reserved);
        if (status == EXO_FULL) {
            exo_cpu_relax();
            continue;
        }
        client_check(status == EXO_OK);
        client_write((exo_u64 *)reserved.data, scene_number(1, sent));
        if (sent++ == 1) {
            client_check(exo_abort(&scene.tx[0], &reserved) == EXO_OK);
        } else {
            client_check(exo_commit(&scene.tx[0], &reserved, 8) == EXO_OK);
        }
    }
}

static exo_status read_one(struct exo_receiver *rx)
{
    struct exo_peeked peeked;
    exo_status status = exo_peek(rx, &peeked);
    if (status == EXO_OK) {
        client_check(peeked.len == 8);
        scene_took(client_read((const exo_u64 *)peeked.data));
        client_check(exo_consume(rx, &peeked) == EXO_OK);
    }
    return status;
}

static void read_two(void)
{
    while (scene.taken[2].count < 2) {
        if (read_one(&scene.rx[0]) == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

static void try_read(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        (void)read_one(&scene.rx[client_self() - 2]);
    }
}

/* Without waiting for room: at most the ring. */
static void try_write(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct exo_reserved reserved;
        if (exo_reserve(&scene.tx[0], 8, &reserved) == EXO_OK) {
            client_write((exo_u64 *)reserved.data, scene_number(1, scene.sent[1]++));
            client_check(exo_commit(&scene.tx[0], &reserved, 8) == EXO_OK);
        }
    }
}

static void finish(void)
{
    client_check(scene.taken[2].count == 2 && scene.taken[2].number[0] == 100 && scene.taken[2].number[1] == 102);
}

static void finish_rest(void)
{
    while (read_one(&scene.rx[0]) == EXO_OK) {
    }
    scene_check(1, scene.sent[1]);
}

CLIENT(spsc) = {.name = "inplace-spsc", .setup = setup, .thread = {write_three, read_two}, .finish = finish,
                .param = EXO_SPSC};
CLIENT(spsc_late) = {.name = "inplace-spsc-late", .setup = setup, .thread = {write_three, read_two},
                     .finish = finish, .param = EXO_SPSC, .param2 = LATE};
CLIENT(spmc) = {.name = "inplace-spmc", .setup = setup, .thread = {try_write, try_read, try_read},
                .finish = finish_rest, .param = EXO_SPMC};
