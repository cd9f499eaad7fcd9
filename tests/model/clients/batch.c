/* SPDX-License-Identifier: MIT */
/* Batches: all or none, as many as go, and small messages packed several to a slot. */
#include "scene.h"

static exo_bool has(exo_u32 mode)
{
    return (client_now->param & mode) != 0;
}

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    config.profile = client_now->param2;
    scene_open(&config, has(EXO_MODE_MP) ? 2 : 1, has(EXO_MODE_MC) ? 2 : 1);
}

static struct exo_sender *own_sender(void)
{
    return &scene.tx[client_self() - 1];
}

static struct exo_receiver *own_receiver(void)
{
    return &scene.rx[client_self() - (has(EXO_MODE_MP) ? 3 : 2)];
}

static exo_i64 send_lot(exo_u32 count, exo_bool all)
{
    exo_u32 self = client_self();
    struct pair lot[3];
    exo_i64 got;
    exo_u32 i;
    for (i = 0; i < count; i++) {
        lot[i] = scene_pair(scene_number(self, scene.sent[self] + i));
    }
    got = all ? exo_send_bulk(own_sender(), lot, sizeof(lot[0]), count)
              : exo_send_burst(own_sender(), lot, sizeof(lot[0]), count);
    scene.sent[self] += got < 0 ? 0 : (exo_u32)got;
    client_check(got == EXO_FULL || (all ? got == count : got >= 1));
    return got;
}

static exo_i64 take_lot(exo_u32 count)
{
    struct pair lot[3];
    exo_i64 got = exo_recv_burst(own_receiver(), lot, sizeof(lot[0]), count, EXO_NULL);
    exo_i64 i;
    for (i = 0; i < got; i++) {
        client_check(lot[i].complement == ~lot[i].number);
        scene_took(lot[i].number);
    }
    client_check(got == EXO_EMPTY || got >= 1);
    return got;
}

/* Four messages of 16 bytes, three to a slot where they may be packed. */
static void send_four(void)
{
    while (scene.sent[1] < 4) {
        if (send_lot(4 - scene.sent[1] > 2 ? 2 : 4 - scene.sent[1], scene.sent[1] == 0) == EXO_FULL) {
            exo_cpu_relax();
        }
    }
}

static void take_four(void)
{
    while (scene.taken[client_self()].count < 4) {
        if (take_lot(3) == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

static void send_bulk_and_burst(void)
{
    (void)send_lot(2, EXO_TRUE);
    (void)send_lot(2, EXO_FALSE);
}

static void send_bulk_once(void)
{
    (void)send_lot(2, EXO_TRUE);
}

static void take_twice(void)
{
    (void)take_lot(2);
    (void)take_lot(2);
}

static void take_once(void)
{
    (void)take_lot(2);
}

static void finish(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        struct pair pair = {0, 0};
        exo_i64 got = exo_recv_inline(&scene.rx[0], &pair, sizeof(pair));
        if (got >= 0) {
            scene_took(pair.number);
        }
    }
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
}

CLIENT(spsc) = {.name = "batch-spsc-packed", .setup = setup, .thread = {send_four, take_four}, .finish = finish,
                .param = EXO_SPSC};
CLIENT(mpsc) = {.name = "batch-mpsc", .setup = setup, .thread = {send_bulk_and_burst, send_bulk_once, take_twice},
                .finish = finish, .param = EXO_MPSC};
CLIENT(mpsc_owned) = {.name = "batch-mpsc-owned", .setup = setup,
                      .thread = {send_bulk_and_burst, send_bulk_once, take_twice}, .finish = finish,
                      .param = EXO_MPSC, .param2 = EXO_CRASH_SAFE};
CLIENT(spmc) = {.name = "batch-spmc", .setup = setup, .thread = {send_bulk_and_burst, take_twice, take_once},
                .finish = finish, .param = EXO_SPMC};
CLIENT(mpmc) = {.name = "batch-mpmc", .setup = setup,
                .thread = {send_bulk_once, send_bulk_once, take_once, take_once}, .finish = finish,
                .param = EXO_MPMC};
