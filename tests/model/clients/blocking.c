/* SPDX-License-Identifier: MIT */
/*
 * Both sides fall asleep: more messages than slots, and nobody polls. A wake-up that is lost leaves everybody
 * asleep.
 */
#include "scene.h"

#define OFTEN 1u /* param2: as if both had slept often, so that they ask the other side to fence */
#define CRASH_SAFE 2u

static exo_bool has(exo_u32 mode)
{
    return (client_now->param & mode) != 0;
}

static void setup(void)
{
    struct exo_ring_config config = {0};
    exo_u32 i;
    config.mode = client_now->param;
    config.profile = (client_now->param2 & CRASH_SAFE) != 0 ? EXO_CRASH_SAFE : EXO_THREADS;
    scene_open(&config, has(EXO_MODE_MP) ? 2 : 1, has(EXO_MODE_MC) ? 2 : 1);
    client_predicts(&scene.tx[0].tx->sync.event);
    for (i = 0; i < 2 && (client_now->param2 & OFTEN) != 0; i++) {
        scene.tx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
        scene.rx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
    }
}

static void send_blocking(exo_u32 count)
{
    exo_u32 self = client_self();
    exo_u32 i;
    for (i = 0; i < count; i++) {
        struct pair pair = scene_pair(scene_number(self, i));
        client_check(exo_send_blocking(&scene.tx[self - 1], &pair, sizeof(pair), EXO_FOREVER) == EXO_OK);
        scene.sent[self]++;
    }
}

static void take_blocking(struct exo_receiver *rx, exo_u32 count)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        struct pair pair = {0, 0};
        client_check(exo_recv_blocking(rx, &pair, sizeof(pair), EXO_FOREVER) == sizeof(pair));
        client_check(pair.complement == ~pair.number);
        scene_took(pair.number);
    }
}

static void send_one(void)
{
    send_blocking(1);
}
static void send_two(void)
{
    send_blocking(2);
}
static void send_three(void)
{
    send_blocking(3);
}
static void take_three(void)
{
    take_blocking(&scene.rx[0], 3);
}
static void take_four(void)
{
    take_blocking(&scene.rx[0], 4);
}
static void take_one(void)
{
    take_blocking(&scene.rx[client_self() - (has(EXO_MODE_MP) ? 3 : 2)], 1);
}
static void take_two(void)
{
    take_blocking(&scene.rx[client_self() - (has(EXO_MODE_MP) ? 3 : 2)], 2);
}

/* Looks first, then takes; wakes by hand once more, which does no harm. */
static void wait_and_take_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct pair pair = {0, 0};
        client_check(exo_wait_readable(&scene.rx[0], EXO_FOREVER) == EXO_OK);
        client_check(exo_recv_inline(&scene.rx[0], &pair, sizeof(pair)) == sizeof(pair));
        scene_took(pair.number);
    }
    exo_notify_writers(&scene.rx[0]);
}

static void wait_and_send_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct pair pair = scene_pair(scene_number(1, i));
        client_check(exo_wait_writable(&scene.tx[0], EXO_FOREVER) == EXO_OK);
        client_check(exo_send_inline(&scene.tx[0], &pair, sizeof(pair)) == EXO_OK);
        scene.sent[1]++;
    }
    exo_notify_readers(&scene.tx[0]);
}

/* Two reservations, the younger committed first: the older one makes both available. */
static void commit_out_of_order(void)
{
    struct exo_reserved reserved[2];
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        client_check(exo_reserve(&scene.tx[0], sizeof(struct pair), &reserved[i]) == EXO_OK);
    }
    for (i = 2; i-- != 0;) {
        struct pair pair = scene_pair(scene_number(1, i));
        exo_words_store((exo_word64 *)reserved[i].data, &pair, sizeof(pair));
        client_check(exo_commit(&scene.tx[0], &reserved[i], sizeof(pair)) == EXO_OK);
        scene.sent[1]++;
    }
}

static void finish(void)
{
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
}

CLIENT(spsc) = {.name = "blocking-spsc", .setup = setup, .thread = {send_three, take_three}, .finish = finish,
                .param = EXO_SPSC, .spurious = 1};
CLIENT(spsc_future) = {.name = "blocking-spsc-future", .setup = setup, .thread = {send_three, take_three},
                       .finish = finish, .param = EXO_SPSC, .guesses = 1};
CLIENT(spsc_often) = {.name = "blocking-spsc-often", .setup = setup, .thread = {send_three, take_three},
                      .finish = finish, .param = EXO_SPSC, .param2 = OFTEN};
CLIENT(spsc_symmetric) = {.name = "blocking-spsc-symmetric", .setup = setup, .thread = {send_three, take_three},
                          .finish = finish, .param = EXO_SPSC, .symmetric = EXO_TRUE};
CLIENT(waits) = {.name = "blocking-spsc-waits", .setup = setup,
                 .thread = {wait_and_send_three, wait_and_take_three}, .finish = finish, .param = EXO_SPSC};
CLIENT(mpsc) = {.name = "blocking-mpsc", .setup = setup, .thread = {send_two, send_two, take_four},
                .finish = finish, .param = EXO_MPSC};
CLIENT(mpsc_owned) = {.name = "blocking-mpsc-owned", .setup = setup, .thread = {send_two, send_two, take_four},
                      .finish = finish, .param = EXO_MPSC, .param2 = CRASH_SAFE};
CLIENT(spmc) = {.name = "blocking-spmc", .setup = setup, .thread = {send_three, take_two, take_one},
                .finish = finish, .param = EXO_SPMC};
CLIENT(spmc_commit) = {.name = "blocking-spmc-commit", .setup = setup,
                       .thread = {commit_out_of_order, take_one, take_one}, .finish = finish,
                       .param = EXO_SPMC};
CLIENT(mpmc) = {.name = "blocking-mpmc", .setup = setup, .thread = {send_two, send_one, take_two, take_one},
                .finish = finish, .param = EXO_MPMC};
CLIENT(mpmc_symmetric) = {.name = "blocking-mpmc-symmetric", .setup = setup,
                          .thread = {send_two, send_one, take_two, take_one}, .finish = finish,
                          .param = EXO_MPMC, .symmetric = EXO_TRUE};
