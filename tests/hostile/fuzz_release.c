/* SPDX-License-Identifier: MIT */
/*
 * A sender and a hostile receiver, who writes what it likes into its segment: positions, release entries, sync
 * words. The sender lends, fills, sends and cancels by every way, closes and comes back. What it has lent
 * to its user is its user's, whatever the receiver says.
 */
#include "fuzz.h"

#define HELD_MOST 6u

struct scene {
    struct stage *stage;
    struct fuzz_input input;
    struct exo_loaned held[HELD_MOST];
    exo_u8 pattern[HELD_MOST];
    exo_u32 holds;
    exo_status refused; /* what it has to answer from now on */
};

static void forge_position(struct scene *scene)
{
    struct exo_rx_segment *rx = scene->stage->rx;
    exo_u32 which = fuzz_below(&scene->input, 4);
    exo_u64 pos = fuzz_near(&scene->input, scene->stage->to.pos);
    if (which != 0) {
        rx->late.value = pos;
    }
    if (which != 1) {
        rx->exact.value = pos;
    }
}

/* An entry that could be right: the next one or near it, of a block and a generation that could be. */
static void forge_release(struct scene *scene)
{
    const struct exo_arena *arena = scene->stage->to.arena;
    exo_u64 at = arena->ring_pos + fuzz_below(&scene->input, 4);
    struct exo_release_entry *entry = stage_entry(scene->stage, at);
    exo_u32 block = fuzz_below(&scene->input, STAGE_BLOCKS + 2);
    exo_u32 generation = block < STAGE_BLOCKS ? (exo_u32)(exo_arena_token_pvt(arena, block) >> 32) : 1;
    entry->token = (exo_u64)(generation + fuzz_below(&scene->input, 4) / 3) << 32 | block;
    entry->tag = at + 1;
}

/* Any word of the segment but the header, which only fuzz_attach.c changes. */
static void scribble(struct scene *scene)
{
    exo_word64 *words = (exo_word64 *)(void *)scene->stage->rx;
    const exo_size header = sizeof(struct exo_ring_header) / 8;
    exo_size count = scene->stage->sender.rx_bytes / 8;
    exo_size at = header + (exo_size)fuzz_take(&scene->input, 2) % (count - header);
    words[at] = fuzz_near(&scene->input, words[at]);
}

static void say_sync(struct scene *scene)
{
    struct exo_ring_sync *sync = &scene->stage->rx->sync;
    exo_u32 value = (exo_u32)fuzz_take(&scene->input, 1);
    sync->event += value;
    sync->waiters = value << 3 | (value & 3);
}

/* The answer is declared, and what sticks sticks. */
static void judge(struct scene *scene, exo_i64 got)
{
    STAGE_CHECK(scene->refused == EXO_OK || got == scene->refused || got == EXO_NOT_FOUND);
    if (got == EXO_CORRUPT || got == EXO_CLOSED) {
        scene->refused = (exo_status)got;
    }
    STAGE_CHECK(scene->stage->to.refused == EXO_OK || scene->stage->to.refused == EXO_CORRUPT ||
                scene->stage->to.refused == EXO_CLOSED);
    scene->refused = scene->stage->to.refused;
}

static void send(struct scene *scene)
{
    exo_u32 way = fuzz_below(&scene->input, SEND_WAYS);
    exo_size size = (exo_size)fuzz_take(&scene->input, 2) % (STAGE_ARENA + 1);
    exo_i64 got;
    if (scene->stage->to.slot_shift != 7 && way == MESSAGE_SEND) {
        STAGE_CHECK(send_by(scene->stage, way, size) == EXO_NOT_SUPPORTED);
        return;
    }
    if (scene->stage->to.slot_shift != 7 && way == MESSAGE_ZERO_COPY) {
        return;
    }
    got = send_by(scene->stage, way, size);
    STAGE_CHECK(send_declared(way, got));
    if (way != OUTSTANDING) {
        judge(scene, got);
    } else {
        scene->refused = scene->stage->to.refused;
    }
}

static void borrow(struct scene *scene)
{
    struct exo_loaned *loan = &scene->held[scene->holds];
    exo_i64 got;
    if (scene->holds == HELD_MOST) {
        return;
    }
    got = exo_loan(&scene->stage->to, (exo_size)fuzz_take(&scene->input, 2) % (STAGE_ARENA + 1), loan);
    STAGE_CHECK(send_declared(LOAN_CANCEL, got));
    judge(scene, got);
    if (got == EXO_OK) {
        scene->pattern[scene->holds] = (exo_u8)fuzz_take(&scene->input, 1);
        memset(loan->data, scene->pattern[scene->holds], loan->size);
        scene->holds++;
    }
}

/* Nobody but its holder has written into a loan. */
static void check_held(const struct scene *scene)
{
    exo_u32 i;
    for (i = 0; i < scene->holds; i++) {
        const exo_u8 *bytes = (const exo_u8 *)scene->held[i].data;
        STAGE_CHECK(exo_arena_lent_pvt(scene->stage->to.arena, scene->held[i].token) !=
                    EXO_ARENA_NOWHERE);
        STAGE_CHECK(bytes[0] == scene->pattern[i]);
        STAGE_CHECK(memcmp(bytes, bytes + 1, scene->held[i].size - 1) == 0);
    }
}

static void give_away(struct scene *scene)
{
    exo_u32 at;
    exo_i64 got = EXO_OK;
    struct exo_loaned *loan;
    if (scene->holds == 0) {
        return;
    }
    at = fuzz_below(&scene->input, scene->holds);
    loan = &scene->held[at];
    if (fuzz_below(&scene->input, 4) != 0) {
        loan->off = (exo_size)fuzz_take(&scene->input, 1);
        got = exo_send_loan(&scene->stage->to, loan);
        STAGE_CHECK(got == EXO_INVALID_SIZE || send_declared(LOAN_SEND, got));
        if (got != EXO_INVALID_SIZE) {
            judge(scene, got);
        }
        loan->off = 0;
    } else {
        STAGE_CHECK(exo_loan_cancel(&scene->stage->to, loan) == EXO_OK);
    }
    if (loan->data == NULL) { /* Closed may come with a message that was still sent */
        scene->holds--;
        scene->held[at] = scene->held[scene->holds];
        scene->pattern[at] = scene->pattern[scene->holds];
    } else {
        STAGE_CHECK(got != EXO_OK);
    }
}

static void come_back(struct scene *scene)
{
    struct stage *stage = scene->stage;
    STAGE_CHECK(exo_sender_close(&stage->to) == EXO_OK);
    STAGE_CHECK(exo_send_inline(&stage->to, NULL, 0) == EXO_CLOSED);
    STAGE_CHECK(exo_sender_attach(&stage->to, &stage->sender, 1, NULL) == EXO_OK);
    scene->refused = EXO_OK;
    if (stage->to.arena == NULL) {
        scene->holds = 0; /* a place that had another holder lends nothing */
    }
}

static void step(struct scene *scene)
{
    switch (fuzz_below(&scene->input, 16)) {
    case 0:
        forge_position(scene);
        break;
    case 1:
    case 2:
        if (scene->stage->to.arena != NULL) {
            forge_release(scene);
        }
        break;
    case 3:
        scribble(scene);
        break;
    case 4:
        say_sync(scene);
        break;
    case 5:
    case 6:
        (void)receive_by(scene->stage, fuzz_below(&scene->input, WAIT_READABLE), 600);
        break;
    case 7:
    case 8:
        borrow(scene);
        break;
    case 9:
    case 10:
        give_away(scene);
        break;
    default:
        send(scene);
        break;
    }
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 steps;
    exo_bool back;
    memset(&scene, 0, sizeof(scene));
    scene.input.at = data;
    scene.input.left = size;
    back = fuzz_below(&scene.input, 2) != 0;
    scene.stage = fuzz_stage((exo_u32)fuzz_take(&scene.input, 1));
    for (steps = 0; steps < FUZZ_STEPS && scene.input.left != 0; steps++) {
        step(&scene);
        stage_check_books(scene.stage);
        check_held(&scene);
    }
    if (back) {
        come_back(&scene);
        stage_check_books(scene.stage);
    }
    return 0;
}
