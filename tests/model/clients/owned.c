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

/* A receiver that dies while it views is followed by another: its blocks come back, each once, and nobody writes
 * where it may still read. */
#define LENT_BLOCK 64u

static void setup_lent(void)
{
    struct exo_ring_config config = {0};
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    config.block_size = LENT_BLOCK;
    config.arena_size = client_now->param * LENT_BLOCK;
    scene_open(&config, 1, 0);
    client_shares(scene.tx[0].arena->memory, client_now->param * LENT_BLOCK);
}

static void lend_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
        exo_status status = exo_loan_blocking(&scene.tx[0], 8, &loan, EXO_FOREVER);
        if (status == EXO_OK) {
            client_write((exo_u64 *)loan.data, scene_number(1, i));
            status = exo_send_loan_blocking(&scene.tx[0], &loan, EXO_FOREVER);
        }
        if (status != EXO_OK) {
            client_check(status == EXO_CLOSED || status == EXO_PEER_DIED);
            return;
        }
        scene.sent[1]++;
    }
}

/* Views all that is there, then releases the last one first. */
static void view_up_to(struct exo_receiver *rx, exo_u32 most)
{
    struct exo_viewed view[3];
    exo_u32 n;
    for (n = 0; n < most && exo_view(rx, &view[n]) == EXO_OK; n++) {
        client_check(view[n].len == 8);
        scene_took(client_read((const exo_u64 *)view[n].data));
    }
    while (n-- != 0) {
        client_check(exo_release(rx, &view[n]) == EXO_OK);
    }
}

static void follow(void)
{
    struct exo_receiver *rx = &scene.rx[client_self() - 2];
    while (exo_ring_receiver(&scene.ring, rx) != EXO_OK) {
        exo_cpu_relax();
    }
    view_up_to(rx, 2);
    client_check(exo_receiver_close(rx) == EXO_OK);
}

static void finish_lent(void)
{
    struct exo_receiver last;
    exo_u32 seen = 0;
    exo_u32 t;
    exo_u32 i;
    client_check(exo_ring_receiver(&scene.ring, &last) == EXO_OK);
    view_up_to(&last, 3);
    for (t = 0; t <= 3; t++) {
        for (i = 0; i < scene.taken[t].count; i++) {
            exo_u32 bit = 1u << scene.taken[t].number[i] % 100;
            client_check((seen & bit) == 0);
            seen |= bit;
        }
    }
    /* The dead one may have taken one more. */
    client_check((exo_u32)__builtin_popcount(seen) + (client_died(2) ? 1 : 0) >= scene.sent[1]);
    client_check(exo_loans_outstanding(&scene.tx[0]) == 0);
}

CLIENT(follows) = {.name = "owned-receiver-follows", .setup = setup_lent, .thread = {lend_three, follow, follow},
                   .finish = finish_lent, .param = 2, .kills = 1, .killable = 2};
CLIENT(follows_one) = {.name = "owned-receiver-follows-one-block", .setup = setup_lent,
                       .thread = {lend_three, follow, follow}, .finish = finish_lent, .param = 1, .kills = 1,
                       .killable = 2};
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
