/* SPDX-License-Identifier: MIT */
/*
 * Several producers, any of which may die at any instant, also with a claim in its hand, also while it buries another.
 * The receiver gets all that was published, each producer's messages in order, and is not held up by the dead.
 */
#include "scene.h"

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    scene_open(&config, 2, 1);
}

static void send_one(void)
{
    exo_u32 self = client_self();
    struct pair pair = scene_pair(scene_number(self, scene.sent[self]));
    exo_status status = exo_send_blocking(&scene.tx[self - 1], &pair, sizeof(pair), EXO_FOREVER);
    client_check(status == EXO_OK);
    scene.sent[self]++;
}

static void leave(void)
{
    client_check(exo_sender_close(&scene.tx[client_self() - 1]) == EXO_OK);
}

static void send_two(void)
{
    send_one();
    send_one();
    leave();
}

static void send_once(void)
{
    send_one();
    leave();
}

static void send_and_recover(void)
{
    send_one();
    client_check(exo_sender_recover(&scene.tx[client_self() - 1]) >= 0);
    leave();
}

/* Until the living have left; the dead are waited for no longer than it takes to know. */
static void take_all(void)
{
    for (;;) {
        struct pair pair = {0, 0};
        exo_i64 length = exo_recv_blocking(&scene.rx[0], &pair, sizeof(pair), EXO_FOREVER);
        if (length == EXO_PEER_DIED || length == EXO_CLOSED) {
            return;
        }
        client_check(length == sizeof(pair) && pair.complement == ~pair.number);
        scene_took(pair.number);
    }
}

static exo_u32 from(exo_u32 thread)
{
    exo_u32 count = 0;
    exo_u32 i;
    for (i = 0; i < scene.taken[3].count; i++) {
        count += scene.taken[3].number[i] / 100 == thread;
    }
    return count;
}

static void finish(void)
{
    exo_u32 t;
    for (t = 1; t <= 2; t++) {
        exo_u32 got = from(t);
        scene_check(t, got);
        client_check(got >= scene.sent[t] && got <= scene.sent[t] + (client_died(t) ? 1 : 0));
    }
}

/* The last message of a dead one is received, whoever buries it when. */
static void send_one_in_place(void)
{
    struct exo_reserved reserved;
    struct pair pair = scene_pair(scene_number(1, 0));
    if (exo_reserve(&scene.tx[0], sizeof(pair), &reserved) == EXO_OK) {
        exo_words_store((exo_word64 *)reserved.data, &pair, sizeof(pair));
        client_check(exo_commit(&scene.tx[0], &reserved, sizeof(pair)) == EXO_OK);
        scene.sent[1]++;
    }
}

static void recover_until_dead(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        client_check(exo_sender_recover(&scene.tx[1]) >= 0);
    }
}

static void poll_three_times(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct pair pair = {0, 0};
        exo_i64 length = exo_recv_inline(&scene.rx[0], &pair, sizeof(pair));
        if (length >= 0) {
            client_check(length == sizeof(pair) && pair.complement == ~pair.number);
            scene_took(pair.number);
        }
    }
}

static void finish_rest(void)
{
    struct pair pair = {0, 0};
    while (exo_recv_inline(&scene.rx[0], &pair, sizeof(pair)) >= 0) {
        scene.taken[3].number[scene.taken[3].count++] = pair.number;
    }
    client_check(from(1) >= scene.sent[1] && from(1) <= 1);
}

/* A dead producer's place is taken again, with what it had claimed behind it. */
static void take_its_place(void)
{
    struct exo_sender tx;
    exo_status status = exo_ring_sender(&scene.ring, &tx);
    if (status == EXO_OK) {
        struct pair pair = scene_pair(scene_number(2, 0));
        client_check(exo_send_blocking(&tx, &pair, sizeof(pair), EXO_FOREVER) == EXO_OK);
        scene.sent[2]++;
        client_check(exo_sender_close(&tx) == EXO_OK);
    } else {
        client_check(status == EXO_ALREADY_EXISTS);
    }
}

static void setup_one_place(void)
{
    struct exo_ring_config config = {0};
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    scene_open_at(&config, 1, 1, 3);
}

static void finish_place(void)
{
    struct pair pair = {0, 0};
    while (exo_recv_inline(&scene.rx[0], &pair, sizeof(pair)) >= 0) {
        scene.taken[3].number[scene.taken[3].count++] = pair.number; /* it came after the end was seen */
    }
    client_check(from(1) >= scene.sent[1] && from(1) <= scene.sent[1] + (client_died(1) ? 1 : 0));
    client_check(from(2) == scene.sent[2]);
}

CLIENT(dies) = {.name = "owned-producer-dies", .setup = setup, .thread = {send_two, send_once, take_all},
                .finish = finish, .kills = 1, .killable = 1};
CLIENT(one_recovers) = {.name = "owned-one-recovers", .setup = setup,
                        .thread = {send_once, send_and_recover, take_all}, .finish = finish, .kills = 2, .killable = 3};
CLIENT(last) = {.name = "owned-last-message", .setup = setup,
                .thread = {send_one_in_place, recover_until_dead, poll_three_times}, .finish = finish_rest,
                .kills = 1, .killable = 1};
CLIENT(place) = {.name = "owned-place-again", .setup = setup_one_place,
                 .thread = {send_two, take_its_place, take_all}, .finish = finish_place, .kills = 1,
                 .killable = 1};
