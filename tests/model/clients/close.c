/* SPDX-License-Identifier: MIT */
/* Closing and leaving: all that was sent arrives before Closed does, nobody sleeps on, a place can be taken over. */
#include "scene.h"

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    config.profile = client_now->param2;
    scene_open(&config, (config.mode & EXO_MODE_MP) != 0 ? 2 : 1, (config.mode & EXO_MODE_MC) != 0 ? 2 : 1);
}

static void send_and_close(void)
{
    exo_u32 self = client_self();
    struct pair pair = scene_pair(scene_number(self, 0));
    if (exo_send_blocking(&scene.tx[self - 1], &pair, sizeof(pair), EXO_FOREVER) == EXO_OK) {
        scene.sent[self]++;
    }
    client_check(exo_sender_close(&scene.tx[self - 1]) == EXO_OK);
}

static void take_until_closed(void)
{
    struct exo_receiver *rx = &scene.rx[client_self() - ((client_now->param & EXO_MODE_MP) != 0 ? 3 : 2)];
    for (;;) {
        struct pair pair = {0, 0};
        exo_i64 got = exo_recv_blocking(rx, &pair, sizeof(pair), EXO_FOREVER);
        if (got == EXO_CLOSED) {
            return;
        }
        client_check(got == sizeof(pair) && pair.complement == ~pair.number);
        scene_took(pair.number);
    }
}

static void finish_taken(void)
{
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
}

/* The receiver leaves: the sender learns of it, awake or asleep. */
static void send_until_closed(void)
{
    exo_u32 i;
    exo_status status = EXO_OK;
    for (i = 0; status == EXO_OK; i++) {
        struct pair pair = scene_pair(scene_number(1, i));
        status = exo_send_blocking(&scene.tx[0], &pair, sizeof(pair), EXO_FOREVER);
        scene.sent[1] += status == EXO_OK;
        client_check(i <= 4);
    }
    client_check(status == EXO_CLOSED);
}

static void take_one_and_close(void)
{
    struct exo_receiver *rx = &scene.rx[client_self() - 2];
    struct pair pair;
    exo_i64 got = exo_recv_inline(rx, &pair, sizeof(pair));
    client_check(got == sizeof(pair) || got == EXO_EMPTY);
    if (got == sizeof(pair)) {
        scene_took(pair.number);
    }
    client_check(exo_receiver_close(rx) == EXO_OK);
}

/* What a receiver took before it left was not refused: a sender that sends again elsewhere would double it. */
static void finish_refused(void)
{
    exo_u32 t;
    for (t = 2; t <= 3; t++) {
        client_check(scene.taken[t].count == 0 || scene.taken[t].number[0] < scene_number(1, scene.sent[1]));
    }
}

/* The same for a lot in one slot, of which the receiver takes a part. */
static void send_lot_until_closed(void)
{
    const exo_u64 lot[2] = {scene_number(1, 0), scene_number(1, 1)};
    exo_i64 sent = exo_send_bulk(&scene.tx[0], lot, sizeof(lot[0]), 2);
    client_check(sent == 2 || sent == EXO_CLOSED);
    scene.sent[1] = sent == 2 ? 2 : 0;
}

static void take_a_part_and_close(void)
{
    exo_u64 number = 0;
    if (exo_recv_inline(&scene.rx[0], &number, sizeof(number)) == sizeof(number)) {
        scene_took(number);
    }
    client_check(exo_receiver_close(&scene.rx[0]) == EXO_OK);
}

/* Two threads share one place, one after the other. */
static void hand_over(void)
{
    exo_u32 self = client_self();
    struct exo_sender tx;
    while (exo_ring_sender(&scene.ring, &tx) != EXO_OK) {
        exo_cpu_relax();
    }
    client_check(tx.pos - 0xFFFFFFFFull == scene.sent[1] + scene.sent[2]);
    if (scene_send(&tx, scene_number(self, 0)) == EXO_OK) {
        scene.sent[0]++;
    }
    client_check(exo_sender_close(&tx) == EXO_OK);
}

static void take_over(void)
{
    struct exo_receiver rx;
    struct pair pair = {0, 0};
    while (exo_ring_receiver(&scene.ring, &rx) != EXO_OK) {
        exo_cpu_relax();
    }
    client_check(exo_recv_inline(&rx, &pair, sizeof(pair)) == sizeof(pair) && pair.complement == ~pair.number);
    scene_took(pair.number);
    client_check(exo_receiver_close(&rx) == EXO_OK);
}

static void setup_empty(void)
{
    struct exo_ring_config config = {0};
    config.mode = client_now->param;
    config.profile = client_now->param2;
    config.producers = 1;
    scene_open(&config, 0, 1);
}

static void setup_filled(void)
{
    struct exo_ring_config config = {0};
    exo_u32 i;
    config.profile = client_now->param2;
    scene_open(&config, 1, 0);
    for (i = 0; i < 2; i++) {
        struct pair pair = scene_pair(scene_number(1, i));
        client_check(exo_send_inline(&scene.tx[0], &pair, sizeof(pair)) == EXO_OK);
    }
}

static void finish_hand_over(void)
{
    struct pair pair;
    exo_u32 got = 0;
    while (exo_recv_inline(&scene.rx[0], &pair, sizeof(pair)) == sizeof(pair)) {
        client_check(pair.complement == ~pair.number);
        got++;
    }
    client_check(got == 2);
}

static void finish_take_over(void)
{
    client_check(scene.taken[1].count == 1 && scene.taken[2].count == 1);
    client_check(scene.taken[1].number[0] + scene.taken[2].number[0] == 201);
}

CLIENT(sender) = {.name = "close-sender-spsc", .setup = setup, .thread = {send_and_close, take_until_closed},
                  .finish = finish_taken, .param = EXO_SPSC};
CLIENT(senders) = {.name = "close-senders-mpsc", .setup = setup,
                   .thread = {send_and_close, send_and_close, take_until_closed}, .finish = finish_taken,
                   .param = EXO_MPSC};
CLIENT(owned) = {.name = "close-senders-mpsc-owned", .setup = setup,
                 .thread = {send_and_close, send_and_close, take_until_closed}, .finish = finish_taken,
                 .param = EXO_MPSC, .param2 = EXO_CRASH_SAFE};
CLIENT(mc) = {.name = "close-sender-spmc", .setup = setup,
              .thread = {send_and_close, take_until_closed, take_until_closed}, .finish = finish_taken,
              .param = EXO_SPMC};
CLIENT(receiver) = {.name = "close-receiver-spsc", .setup = setup,
                    .thread = {send_until_closed, take_one_and_close}, .finish = finish_refused,
                    .param = EXO_SPSC};
CLIENT(receivers) = {.name = "close-receivers-spmc", .setup = setup,
                     .thread = {send_until_closed, take_one_and_close, take_one_and_close},
                     .finish = finish_refused, .param = EXO_SPMC};
CLIENT(lot) = {.name = "close-receiver-lot", .setup = setup,
               .thread = {send_lot_until_closed, take_a_part_and_close}, .finish = finish_refused,
               .param = EXO_SPSC};
CLIENT(places) = {.name = "close-hand-over-sender", .setup = setup_empty, .thread = {hand_over, hand_over},
                  .finish = finish_hand_over, .param = EXO_SPSC};
CLIENT(receiving) = {.name = "close-hand-over-receiver", .setup = setup_filled, .thread = {take_over, take_over},
                     .finish = finish_take_over, .param = EXO_SPSC};
CLIENT(succeeding) = {.name = "close-hand-over-mortal-receiver", .setup = setup_filled,
                      .thread = {take_over, take_over}, .finish = finish_take_over, .param = EXO_SPSC,
                      .param2 = EXO_CRASH_SAFE};
