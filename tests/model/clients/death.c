/* SPDX-License-Identifier: MIT */
/*
 * One side of a pair dies at any instant. The other receives all that was published, nothing torn, and then learns of
 * the death; what the dead one held comes back.
 */
#include "scene.h"

#define BLOCK 64u

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.profile = client_now->param2;
    config.block_size = BLOCK;
    config.arena_size = 2 * BLOCK;
    scene_open(&config, 1, 1);
    scene.tx[0].peer = client_process(2);
    scene.rx[0].peer = client_process(1);
    client_shares(scene.tx[0].arena->memory, 2 * BLOCK);
}

static void send_three(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct pair pair = scene_pair(scene_number(1, i));
        exo_status status = exo_send_blocking(&scene.tx[0], &pair, sizeof(pair), EXO_FOREVER);
        if (status != EXO_OK) {
            client_check(status == EXO_PEER_DIED || status == EXO_CLOSED);
            return;
        }
        scene.sent[1]++;
    }
    client_check(exo_sender_close(&scene.tx[0]) == EXO_OK);
}

static void take_to_the_end(void)
{
    for (;;) {
        struct pair pair = {0, 0};
        exo_i64 got = exo_recv_blocking(&scene.rx[0], &pair, sizeof(pair), EXO_FOREVER);
        if (got < 0) {
            client_check(got == EXO_CLOSED || got == EXO_PEER_DIED);
            return;
        }
        client_check(got == sizeof(pair) && pair.complement == ~pair.number);
        scene_took(pair.number);
    }
}

/* All whose sending had ended; and the one that was under way, or not. */
static void finish_stream(void)
{
    exo_u32 got = scene.taken[2].count;
    if (!client_died(2)) {
        client_check(got == scene.sent[1] || (client_died(1) && got == scene.sent[1] + 1));
        scene_check(1, got);
    }
    if (!client_died(1)) {
        client_check(scene.sent[1] == 3 || client_died(2));
    }
}

static void lend_until_refused(void)
{
    for (;;) {
        struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
        exo_status status = exo_loan_blocking(&scene.tx[0], 8, &loan, EXO_FOREVER);
        if (status == EXO_OK) {
            client_write((exo_u64 *)loan.data, scene_number(1, scene.sent[1]));
            status = exo_send_loan_blocking(&scene.tx[0], &loan, EXO_FOREVER);
            if (status != EXO_OK) {
                client_check(exo_loan_cancel(&scene.tx[0], &loan) == EXO_OK);
            }
        }
        if (status != EXO_OK) {
            client_check(status == EXO_PEER_DIED || status == EXO_CLOSED);
            break;
        }
        if (++scene.sent[1] == 3) {
            break;
        }
    }
}

static void view_some(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct exo_viewed view;
        exo_status status = exo_view_blocking(&scene.rx[0], &view, EXO_FOREVER);
        if (status != EXO_OK) {
            client_check(status == EXO_PEER_DIED);
            return;
        }
        client_check(view.len == 8);
        scene_took(client_read((const exo_u64 *)view.data));
        client_check(exo_release(&scene.rx[0], &view) == EXO_OK);
    }
}

static void finish_loans(void)
{
    if (client_died(2)) {
        client_check(exo_loans_outstanding(&scene.tx[0]) == 0);
    } else {
        scene_check(1, scene.taken[2].count);
        client_check(scene.taken[2].count >= scene.sent[1]);
        if (!client_died(1)) {
            client_check(exo_loans_outstanding(&scene.tx[0]) == 0);
        }
    }
}

CLIENT(sender) = {.name = "death-sender", .setup = setup, .thread = {send_three, take_to_the_end},
                  .finish = finish_stream, .param2 = EXO_CRASH_SAFE, .kills = 1, .killable = 1};
CLIENT(receiver) = {.name = "death-receiver", .setup = setup, .thread = {send_three, take_to_the_end},
                    .finish = finish_stream, .param2 = EXO_CRASH_SAFE, .kills = 1, .killable = 2};
CLIENT(both) = {.name = "death-both", .setup = setup, .thread = {send_three, take_to_the_end},
                .finish = finish_stream, .param2 = EXO_CRASH_SAFE, .kills = 2, .killable = 3};
CLIENT(loans) = {.name = "death-loans", .setup = setup, .thread = {lend_until_refused, view_some},
                 .finish = finish_loans, .param2 = EXO_CRASH_SAFE, .kills = 1, .killable = 3};
