/* SPDX-License-Identifier: MIT */
/* Inline messages without waiting, in every mode: more of them than slots. */
#include "scene.h"

#define EACH 3u

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    config.profile = client_now->param2;
    client_capacity(2);
    scene_open(&config, (config.mode & EXO_MODE_MP) != 0 ? 2 : 1, (config.mode & EXO_MODE_MC) != 0 ? 2 : 1);
}

static void send_each(void)
{
    exo_u32 i;
    for (i = 0; i < EACH; i++) {
        while (scene_send(&scene.tx[client_self() - 1], scene_number(client_self(), i)) == EXO_FULL) {
            exo_cpu_relax();
        }
    }
}

/* Twice, without waiting. */
static void try_send(void)
{
    exo_u32 self = client_self();
    (void)scene_send(&scene.tx[self - 1], scene_number(self, scene.sent[self]));
    (void)scene_send(&scene.tx[self - 1], scene_number(self, scene.sent[self]));
}

static void try_send_once(void)
{
    exo_u32 self = client_self();
    (void)scene_send(&scene.tx[self - 1], scene_number(self, 0));
}

static struct exo_receiver *own_receiver(void)
{
    return &scene.rx[client_self() - ((client_now->param & EXO_MODE_MP) != 0 ? 3 : 2)];
}

static void take_all(void)
{
    while (scene.taken[client_self()].count < EACH) {
        if (scene_recv(own_receiver()) == EXO_EMPTY) {
            exo_cpu_relax();
        }
    }
}

static void try_take(void)
{
    (void)scene_recv(own_receiver());
    (void)scene_recv(own_receiver());
}

static void try_take_once(void)
{
    (void)scene_recv(own_receiver());
}

static void finish_all(void)
{
    scene_check(1, EACH);
}

/* What is left in the ring is taken now; then all that was sent was received, and nothing else. */
static void finish_rest(void)
{
    while (scene_recv(&scene.rx[0]) >= 0) {
    }
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
}

CLIENT(spsc) = {.name = "inline-spsc", .setup = setup, .thread = {send_each, take_all}, .finish = finish_all,
                .param = EXO_SPSC};
CLIENT(spsc_crash_safe) = {.name = "inline-spsc-crash-safe", .setup = setup, .thread = {send_each, take_all},
                           .finish = finish_all, .param = EXO_SPSC, .param2 = EXO_CRASH_SAFE};
CLIENT(spsc_symmetric) = {.name = "inline-spsc-symmetric", .setup = setup, .thread = {send_each, take_all},
                          .finish = finish_all, .param = EXO_SPSC, .symmetric = EXO_TRUE};
CLIENT(mpsc) = {.name = "inline-mpsc", .setup = setup, .thread = {try_send, try_send, try_take},
                .finish = finish_rest, .param = EXO_MPSC, .spurious = 1};
CLIENT(mpsc_owned) = {.name = "inline-mpsc-owned", .setup = setup, .thread = {try_send, try_send, try_take},
                      .finish = finish_rest, .param = EXO_MPSC, .param2 = EXO_CRASH_SAFE, .spurious = 1};
CLIENT(spmc) = {.name = "inline-spmc", .setup = setup, .thread = {try_send, try_take, try_take},
                .finish = finish_rest, .param = EXO_SPMC, .spurious = 1};
CLIENT(mpmc) = {.name = "inline-mpmc", .setup = setup,
                .thread = {try_send, try_send_once, try_take, try_take_once},
                .finish = finish_rest, .param = EXO_MPMC};
