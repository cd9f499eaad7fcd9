/* SPDX-License-Identifier: MIT */
/*
 * Every word that a hostile peer may write holds, at any read, what it likes: nothing, everything, one more, one
 * less, something old. The honest side answers with a message, or with one of the declared errors; it reads
 * nothing outside, it does not run on.
 */
#include "scene.h"

#define BLOCK 64u

static void setup(void)
{
    struct exo_ring_config config = {0};
    config.profile = EXO_HOSTILE;
    config.block_size = BLOCK;
    config.arena_size = 2 * BLOCK;
    scene_open(&config, 1, 1);
    client_shares(scene.tx[0].arena->memory, 2 * BLOCK);
    if (client_now->param == 0) {
        client_distrusts(scene.ring.sender.tx, scene.ring.sender.tx_bytes);
    } else {
        client_distrusts(scene.ring.sender.rx, scene.ring.sender.rx_bytes);
    }
}

static exo_bool is_declared(exo_i64 status)
{
    return status == EXO_EMPTY || status == EXO_FULL || status == EXO_CORRUPT || status == EXO_CLOSED ||
           status == EXO_TYPE_MISMATCH || status == EXO_BUFFER_TOO_SMALL || status == EXO_TIMEOUT;
}

/* One message of each sort. */
static void send_all_sorts(void)
{
    exo_u64 items[3] = {1, 2, 3};
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    client_check(exo_send_bulk(&scene.tx[0], items, 8, 3) == 3);
    if (exo_loan(&scene.tx[0], 8, &loan) == EXO_OK) {
        client_write((exo_u64 *)loan.data, 4);
        if (exo_send_loan(&scene.tx[0], &loan) != EXO_OK) {
            client_check(exo_loan_cancel(&scene.tx[0], &loan) == EXO_OK);
        }
    }
}

static void receive_all_sorts(void)
{
    struct exo_receiver *rx = &scene.rx[0];
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        struct exo_viewed view;
        exo_u64 buffer[8];
        exo_status status = exo_view(rx, &view);
        if (status == EXO_OK) {
            const exo_u8 *at = (const exo_u8 *)view.data;
            const exo_u8 *arena = (const exo_u8 *)scene.tx[0].arena->memory;
            client_check(at == (const exo_u8 *)view.copy ? view.len <= sizeof(view.copy)
                                                         : at >= arena && view.len <= 2 * BLOCK &&
                                                               at + view.len <= arena + 2 * BLOCK);
            client_check(exo_release(rx, &view) == EXO_OK);
        } else {
            exo_i64 got = exo_recv(rx, buffer, sizeof(buffer));
            client_check(is_declared(status));
            client_check(is_declared(got) || (got >= 0 && got <= (exo_i64)sizeof(buffer)));
        }
    }
}

static void send_four(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
        exo_status status = exo_send_inline(&scene.tx[0], &i, sizeof(i));
        client_check(status == EXO_OK || is_declared(status));
        status = exo_loan(&scene.tx[0], 8, &loan);
        client_check(status == EXO_OK || is_declared(status));
        if (status == EXO_OK) {
            const exo_u8 *arena = (const exo_u8 *)scene.tx[0].arena->memory;
            const exo_u8 *at = (const exo_u8 *)loan.data;
            client_check(at == arena || at == arena + BLOCK);
            status = exo_send_loan(&scene.tx[0], &loan);
            client_check(status == EXO_OK || is_declared(status));
        }
    }
}

static void receive_some(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        struct exo_viewed view;
        if (exo_view(&scene.rx[0], &view) == EXO_OK) {
            client_check(exo_release(&scene.rx[0], &view) == EXO_OK);
        }
    }
}

/* Waiting: the hostile side may have it spin or sleep, and lie about who sleeps; the deadline holds. */
static void receive_blocking(void)
{
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        exo_u64 buffer[8];
        exo_i64 got = exo_recv_blocking(&scene.rx[0], buffer, sizeof(buffer), 1000000);
        client_check(is_declared(got) || (got >= 0 && got <= (exo_i64)sizeof(buffer)));
    }
}

static void finish(void)
{
}

CLIENT(receiver) = {.name = "hostile-sender", .setup = setup, .thread = {send_all_sorts, receive_all_sorts},
                    .finish = finish, .param = 0, .lies = 2, .liars = 2};
CLIENT(blocking) = {.name = "hostile-sender-blocking", .setup = setup,
                    .thread = {send_all_sorts, receive_blocking}, .finish = finish, .param = 0, .lies = 2,
                    .liars = 2, .timed = EXO_TRUE};
CLIENT(sender) = {.name = "hostile-receiver", .setup = setup, .thread = {send_four, receive_some},
                  .finish = finish, .param = 1, .lies = 2, .liars = 1};
