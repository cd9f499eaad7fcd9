/* SPDX-License-Identifier: MIT */
/*
 * A side that sleeps elsewhere, on a bell: the look sees what the other side published, or the other side rings. A ring
 * that is lost leaves everybody asleep.
 */
#include "scene.h"

#ifndef EXO_MODEL
#include <sys/eventfd.h>
#endif

#define OFTEN 1u /* param2: as if they had slept often, so that they ask the other side to fence */
#define CRASH_SAFE 2u

static struct exo_port_bell bells[2]; /* of the receiver, of the sender */

/* What epoll does with an eventfd, say: sleep until the bell was rung since it was looked at last. */
#ifdef EXO_MODEL
static void bell_open(struct exo_port_bell *bell)
{
    bell->rings = 0;
}
static exo_u32 bell_heard(const struct exo_port_bell *bell)
{
    return exo_load32(&bell->rings, EXO_ACQUIRE);
}
static void bell_sleep(const struct exo_port_bell *bell, exo_u32 heard)
{
    while (bell_heard(bell) == heard) {
        exo_port_wait(&bell->rings, heard, EXO_FOREVER, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
    }
}
#else
static void bell_open(struct exo_port_bell *bell)
{
    if (bell->descriptor != 0) {
        (void)close(bell->descriptor);
    }
    bell->descriptor = eventfd(0, EFD_CLOEXEC);
    client_check(bell->descriptor > 0);
}
static exo_u32 bell_heard(const struct exo_port_bell *bell)
{
    (void)bell;
    return 0;
}
static void bell_sleep(const struct exo_port_bell *bell, exo_u32 heard)
{
    exo_u64 rings = heard;
    client_check(read(bell->descriptor, &rings, sizeof(rings)) == sizeof(rings));
}
#endif

static exo_bool is(exo_u32 what)
{
    return (client_now->param2 & what) != 0;
}

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    config.profile = is(CRASH_SAFE) ? EXO_CRASH_SAFE : EXO_THREADS;
    scene_open(&config, (client_now->param & EXO_MODE_MP) != 0 ? 2 : 1, 1);
    bell_open(&bells[0]);
    bell_open(&bells[1]);
    client_names("bells", bells, sizeof(bells));
    scene.tx[0].waker.bell = &bells[0];
    scene.tx[1].waker.bell = &bells[0];
    scene.rx[0].waker.bell = &bells[1];
    if (is(OFTEN)) {
        scene.tx[0].sleeper.parked = 2 * EXO_PARKED_OFTEN;
        scene.rx[0].sleeper.parked = 2 * EXO_PARKED_OFTEN;
    }
}

/* Takes all there is, arms, sleeps. */
static void take(exo_u32 count)
{
    struct exo_receiver *rx = &scene.rx[0];
    exo_u64 again_ns = EXO_FOREVER;
    exo_status status;
    for (;;) {
        exo_u32 heard = bell_heard(&bells[0]);
        while (count != 0 && scene_recv(rx) >= 0) {
            count--;
        }
        if (count == 0) {
            return;
        }
        status = exo_receiver_arm(rx, 0, &again_ns);
        client_check(status == EXO_OK || status == EXO_INTERRUPTED);
        if (status == EXO_OK) {
            bell_sleep(&bells[0], heard);
            exo_receiver_disarm(rx);
        }
    }
}

static void send_all(exo_u32 count)
{
    struct exo_sender *tx = &scene.tx[0];
    exo_u64 again_ns = EXO_FOREVER;
    exo_u32 sent = 0;
    exo_status status;
    for (;;) {
        exo_u32 heard = bell_heard(&bells[1]);
        while (sent < count && scene_send(tx, scene_number(1, sent)) == EXO_OK) {
            sent++;
        }
        if (sent == count) {
            return;
        }
        status = exo_sender_arm(tx, sizeof(struct pair), 0, &again_ns);
        client_check(status == EXO_OK || status == EXO_INTERRUPTED);
        if (status == EXO_OK) {
            bell_sleep(&bells[1], heard);
            exo_sender_disarm(tx);
        }
    }
}

static void send_two_plainly(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        client_check(scene_send(&scene.tx[0], scene_number(1, i)) == EXO_OK);
    }
}
static void send_one_of_several(void)
{
    exo_u32 self = client_self();
    client_check(scene_send(&scene.tx[self - 1], scene_number(self, 0)) == EXO_OK);
}
static void send_three(void)
{
    send_all(3);
}
static void take_two(void)
{
    take(2);
}
static void take_three(void)
{
    take(3);
}

/* Arms, is not sure, and waits by a blocking call after all. */
static void arm_and_block(void)
{
    struct pair pair = {0, 0};
    exo_u64 again_ns = EXO_FOREVER;
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_status status = exo_receiver_arm(&scene.rx[0], 0, &again_ns);
        client_check(status == EXO_OK || status == EXO_INTERRUPTED);
        client_check(exo_recv_blocking(&scene.rx[0], &pair, sizeof(pair), EXO_FOREVER) == sizeof(pair));
        scene_took(pair.number);
    }
}

static void close_behind_one(void)
{
    client_check(scene_send(&scene.tx[0], scene_number(1, 0)) == EXO_OK);
    client_check(exo_sender_close(&scene.tx[0]) == EXO_OK);
}

/* Until the end is heard of, which rings as well. */
static void take_until_closed(void)
{
    exo_u64 again_ns = EXO_FOREVER;
    exo_status status = EXO_OK;
    while (status != EXO_CLOSED) {
        exo_u32 heard = bell_heard(&bells[0]);
        while (scene_recv(&scene.rx[0]) >= 0) {
        }
        status = exo_receiver_arm(&scene.rx[0], 0, &again_ns);
        client_check(status == EXO_OK || status == EXO_INTERRUPTED || status == EXO_CLOSED);
        if (status == EXO_OK) {
            bell_sleep(&bells[0], heard);
            exo_receiver_disarm(&scene.rx[0]);
        }
    }
}

static void finish(void)
{
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
}

CLIENT(readable) = {.name = "bell-readable", .setup = setup, .thread = {send_two_plainly, take_two},
                    .finish = finish, .param = EXO_SPSC};
CLIENT(often) = {.name = "bell-readable-often", .setup = setup, .thread = {send_two_plainly, take_two},
                 .finish = finish, .param = EXO_SPSC, .param2 = OFTEN};
CLIENT(symmetric) = {.name = "bell-readable-symmetric", .setup = setup, .thread = {send_two_plainly, take_two},
                     .finish = finish, .param = EXO_SPSC, .symmetric = EXO_TRUE};
CLIENT(both) = {.name = "bell-both", .setup = setup, .thread = {send_three, take_three}, .finish = finish,
                .param = EXO_SPSC, .param2 = CRASH_SAFE};
CLIENT(both_often) = {.name = "bell-both-often", .setup = setup, .thread = {send_three, take_three},
                      .finish = finish, .param = EXO_SPSC, .param2 = CRASH_SAFE | OFTEN};
CLIENT(several) = {.name = "bell-mpsc", .setup = setup,
                   .thread = {send_one_of_several, send_one_of_several, take_two}, .finish = finish,
                   .param = EXO_MPSC};
CLIENT(blocks) = {.name = "bell-then-blocking", .setup = setup, .thread = {send_two_plainly, arm_and_block},
                  .finish = finish, .param = EXO_SPSC};
CLIENT(closes) = {.name = "bell-close", .setup = setup, .thread = {close_behind_one, take_until_closed},
                  .finish = finish, .param = EXO_SPSC};
