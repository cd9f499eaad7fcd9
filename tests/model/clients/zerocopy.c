/* SPDX-License-Identifier: MIT */
/* Loans and views: two blocks, more messages than blocks, released in the other order. */
#include "scene.h"

#define BLOCK 64u

static exo_bool has(exo_u32 mode)
{
    return (client_now->param & mode) != 0;
}

static void setup(void)
{
    struct exo_ring_config config = {0};
    exo_u32 i;
    config.mode = client_now->param;
    config.profile = client_now->param2;
    config.block_size = BLOCK;
    config.arena_size = 2 * BLOCK;
    scene_open(&config, has(EXO_MODE_MP) ? 2 : 1, has(EXO_MODE_MC) ? 2 : 1);
    for (i = 0; i < (has(EXO_MODE_MP) ? 2u : 1u); i++) {
        client_shares(scene.tx[i].arena->memory, 2 * BLOCK);
    }
}

/* Thread t's next message, if there is room now. */
static exo_status lend(struct exo_sender *tx)
{
    exo_u32 self = client_self();
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_status status = exo_loan(tx, 8, &loan);
    if (status != EXO_OK) {
        return status;
    }
    client_write((exo_u64 *)loan.data, scene_number(self, scene.sent[self]));
    status = exo_send_loan(tx, &loan);
    if (status == EXO_OK) {
        scene.sent[self]++;
    } else {
        client_check(exo_loan_cancel(tx, &loan) == EXO_OK);
    }
    return status;
}

static void lend_three(void)
{
    while (scene.sent[client_self()] < 3) {
        if (lend(&scene.tx[client_self() - 1]) == EXO_FULL) {
            exo_cpu_relax();
        }
    }
}

static void try_lend(void)
{
    (void)lend(&scene.tx[client_self() - 1]);
    (void)lend(&scene.tx[client_self() - 1]);
}

static void read_view(const struct exo_viewed *view)
{
    client_check(view->len == 8);
    scene_took(client_read((const exo_u64 *)view->data));
}

/* Two views at once, released youngest first, then the third. */
static void view_three(void)
{
    struct exo_viewed views[3];
    exo_u32 got = 0;
    while (got < 3) {
        exo_status status = exo_view(&scene.rx[0], &views[got]);
        if (status == EXO_EMPTY) {
            exo_cpu_relax();
            continue;
        }
        client_check(status == EXO_OK);
        read_view(&views[got]);
        got++;
        if (got == 2) {
            client_check(exo_release(&scene.rx[0], &views[1]) == EXO_OK);
            client_check(exo_release(&scene.rx[0], &views[0]) == EXO_OK);
        }
    }
    client_check(exo_release(&scene.rx[0], &views[2]) == EXO_OK);
}

static exo_status view_one(struct exo_receiver *rx)
{
    struct exo_viewed view;
    exo_status status = exo_view(rx, &view);
    if (status == EXO_OK) {
        read_view(&view);
        client_check(exo_release(rx, &view) == EXO_OK);
    }
    return status;
}

static void try_view(void)
{
    exo_u32 receiver = client_self() - (has(EXO_MODE_MP) ? 3 : 2);
    (void)view_one(&scene.rx[receiver]);
    (void)view_one(&scene.rx[receiver]);
}

/* The copying call on the same messages. */
static void copy_three(void)
{
    while (scene.taken[2].count < 3) {
        exo_u64 number = 0;
        exo_i64 got = exo_recv(&scene.rx[0], &number, sizeof(number));
        if (got == EXO_EMPTY) {
            exo_cpu_relax();
            continue;
        }
        client_check(got == 8);
        scene_took(number);
    }
}

static void finish(void)
{
    exo_u32 i;
    while (view_one(&scene.rx[0]) == EXO_OK) {
    }
    scene_check(1, scene.sent[1]);
    scene_check(2, scene.sent[2]);
    for (i = 0; i < (has(EXO_MODE_MP) ? 2u : 1u); i++) {
        client_check(exo_loans_outstanding(&scene.tx[i]) == 0);
    }
}

CLIENT(spsc) = {.name = "zerocopy-spsc", .setup = setup, .thread = {lend_three, view_three}, .finish = finish,
                .param = EXO_SPSC};
CLIENT(spsc_copy) = {.name = "zerocopy-spsc-copied", .setup = setup, .thread = {lend_three, copy_three},
                     .finish = finish, .param = EXO_SPSC};
CLIENT(mpsc) = {.name = "zerocopy-mpsc", .setup = setup, .thread = {try_lend, try_lend, try_view},
                .finish = finish, .param = EXO_MPSC};
CLIENT(spmc) = {.name = "zerocopy-spmc", .setup = setup, .thread = {try_lend, try_view, try_view},
                .finish = finish, .param = EXO_SPMC};
