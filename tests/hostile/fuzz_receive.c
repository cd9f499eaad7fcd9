/* SPDX-License-Identifier: MIT */
/*
 * A receiver and a hostile sender, who writes what it likes into its segment: control words, lines, descriptors,
 * headers of messages, sync words. The receiver receives by every way, holds views and releases them in any
 * order, closes and comes back.
 */
#include "fuzz.h"

#define HELD_MOST 6u

struct scene {
    struct stage *stage;
    struct fuzz_input input;
    struct exo_viewed held[HELD_MOST];
    exo_u32 holds;
    exo_bool corrupt; /* said so before */
};

/* A control word that could be right: for a position nearby, of any kind. */
static void forge_control(struct scene *scene)
{
    exo_u64 pos = scene->stage->from.pos + fuzz_below(&scene->input, 12) - 2;
    exo_u32 kind = (exo_u32)fuzz_below(&scene->input, 10);
    exo_u32 argument = (exo_u32)fuzz_take(&scene->input, 3);
    stage_line(scene->stage, pos)[EXO_LINE_WORDS] = exo_control_pvt(pos, kind, argument);
}

/* A descriptor that could be right. */
static void forge_descriptor(struct scene *scene)
{
    exo_u64 pos = scene->stage->from.pos + fuzz_below(&scene->input, 4);
    exo_word64 *line = stage_line(scene->stage, pos);
    exo_u32 block = fuzz_below(&scene->input, STAGE_BLOCKS + 2);
    line[0] = fuzz_take(&scene->input, 1) << 32 | block;
    line[1] = fuzz_near(&scene->input, STAGE_ARENA);
    line[2] = fuzz_near(&scene->input, STAGE_ARENA - line[1]);
    if (fuzz_below(&scene->input, 2) != 0) {
        line[EXO_LINE_WORDS] = exo_control_pvt(pos, EXO_KIND_LOAN, EXO_ARGUMENT_MAX);
    }
}

/* Any word of the segment but the header, which only fuzz_attach.c changes. */
static void scribble(struct scene *scene)
{
    exo_word64 *words = (exo_word64 *)(void *)scene->stage->tx;
    const exo_size header = sizeof(struct exo_ring_header) / 8;
    exo_size count = (exo_size)(scene->stage->geometry.arena_off / 8);
    exo_size at = header + (exo_size)fuzz_take(&scene->input, 2) % (count - header);
    words[at] = fuzz_near(&scene->input, words[at]);
}

static void say_sync(struct scene *scene)
{
    struct exo_ring_sync *sync = &scene->stage->tx->sync;
    exo_u32 value = (exo_u32)fuzz_take(&scene->input, 1);
    sync->event += value;
    sync->waiters = value << 3 | (value & 3); /* closing is said by scribbling */
}

/* The answer is declared, and Corrupt stays Corrupt. */
static void judge(struct scene *scene, exo_u32 way, exo_size size, exo_i64 got)
{
    STAGE_CHECK(receive_declared(way, size, got));
    STAGE_CHECK(!scene->corrupt || got == EXO_CORRUPT);
    scene->corrupt = got == EXO_CORRUPT;
}

static void receive(struct scene *scene)
{
    static const exo_u16 sizes[] = {0, 1, 7, 8, 28, 55, 56, 57, 300, 1300};
    exo_u32 way = fuzz_below(&scene->input, RECEIVE_WAYS);
    exo_size size = sizes[fuzz_below(&scene->input, sizeof(sizes) / sizeof(sizes[0]))];
    exo_i64 got;
    if (scene->stage->from.slot_shift != 7 && (way == MESSAGE_RECV || way == MESSAGE_RECV_BLOCKING)) {
        STAGE_CHECK(receive_by(scene->stage, way, size) == EXO_NOT_SUPPORTED);
        return;
    }
    got = receive_by(scene->stage, way, size);
    judge(scene, way, size, got);
}

static void hold(struct scene *scene)
{
    struct exo_viewed *view = &scene->held[scene->holds];
    exo_i64 got;
    if (scene->holds == HELD_MOST) {
        return;
    }
    got = exo_view(&scene->stage->from, view);
    judge(scene, VIEW, 0, got);
    if (got == EXO_OK) {
        scene->holds++;
    }
}

static void let_go(struct scene *scene)
{
    exo_u32 at;
    if (scene->holds == 0) {
        return;
    }
    at = fuzz_below(&scene->input, scene->holds);
    STAGE_CHECK(scene->held[at].token == 0 ||
                stage_in_arena(scene->stage, scene->held[at].data, scene->held[at].len));
    STAGE_CHECK(exo_release(&scene->stage->from, &scene->held[at]) == EXO_OK);
    scene->holds--;
    if (at != scene->holds) { /* one that came inline points into itself: only its token counts */
        scene->held[at] = scene->held[scene->holds];
    }
}

static void come_back(struct scene *scene)
{
    struct stage *stage = scene->stage;
    STAGE_CHECK(exo_receiver_close(&stage->from) == EXO_OK);
    STAGE_CHECK(receive_by(stage, RECV_INLINE, 56) == EXO_CLOSED);
    STAGE_CHECK(exo_receiver_attach(&stage->from, &stage->receiver, 1, NULL) == EXO_OK);
    scene->corrupt = EXO_FALSE;
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 steps;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.input.at = data;
    scene.input.left = size;
    scene.stage = fuzz_stage((exo_u32)fuzz_take(&scene.input, 1));
    for (steps = 0; steps < FUZZ_STEPS && scene.input.left != 0; steps++) {
        exo_u32 what = fuzz_below(&scene.input, 16);
        exo_u32 open = 0;
        switch (what) {
        case 0:
        case 1:
        case 2:
            forge_control(&scene);
            break;
        case 3:
            forge_descriptor(&scene);
            break;
        case 4:
            scribble(&scene);
            break;
        case 5:
            say_sync(&scene);
            break;
        case 6:
        case 7:
            (void)send_by(scene.stage, fuzz_below(&scene.input, WAIT_WRITABLE), 300);
            break;
        case 8:
            hold(&scene);
            break;
        case 9:
            let_go(&scene);
            break;
        case 10:
            come_back(&scene);
            break;
        default:
            receive(&scene);
            break;
        }
        for (i = 0; i < scene.holds; i++) {
            open += scene.held[i].token != 0;
        }
        STAGE_CHECK(stage_viewed(scene.stage) == open);
    }
    return 0;
}
