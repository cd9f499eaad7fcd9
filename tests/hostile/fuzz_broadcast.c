/* SPDX-License-Identifier: MIT */
/*
 * A broadcast in which one side lies. Either a subscriber writes any word of its segment: the sender and the honest
 * subscriber must not notice, which gets each message once, whole, in order, and is cut off for its own delay only. Or the
 * sender's segment is written: the subscriber answers what it is declared to answer, and reads nowhere else.
 */
#include "fuzz.h"

#define SLOTS 4u
#define BLOCK 64u
#define ARENA (8 * BLOCK)
#define VIEWS 3u
#define LAG_NS 40000u /* of the fuzzers' clock, which goes on by 1000 with each look */

struct view {
    struct exo_viewed viewed;
    exo_u64 number;
    exo_bool used;
};

struct scene {
    struct fuzz_input input;
    struct exo_broadcast broadcast;
    struct exo_publisher tx;
    struct exo_subscriber honest;
    struct exo_subscriber liar;
    struct view views[VIEWS];
    exo_bool sender_lies;
    exo_bool latest;
    exo_bool corrupt;
    exo_u64 sent;
    exo_u64 next; /* number that the honest subscriber gets next */
    exo_u32 held; /* its views of what came by reference */
    exo_u32 lengths[FUZZ_STEPS];
};

static void begin(struct scene *scene)
{
    struct exo_broadcast_config config = {0};
    exo_u32 options = (exo_u32)fuzz_take(&scene->input, 1);
    config.slots = SLOTS;
    config.subscribers = 2;
    config.policy = options & 1;
    config.profile = EXO_HOSTILE;
    config.arena_size = ARENA;
    config.block_size = BLOCK;
    config.spin = 1;
    config.lag_ns = LAG_NS;
    config.start = fuzz_start(options >> 2) & ~((exo_u64)1 << 63);
    scene->latest = (options & 1) != 0;
    scene->sender_lies = (options & 2) != 0;
    STAGE_CHECK(exo_broadcast_create(&scene->broadcast, &config, &scene->tx) == EXO_OK);
    STAGE_CHECK(exo_broadcast_subscribe(&scene->broadcast, &scene->honest, 0) == EXO_OK);
    STAGE_CHECK(exo_broadcast_subscribe(&scene->broadcast, &scene->liar, 0) == EXO_OK);
    STAGE_CHECK(exo_broadcast_subscribers(&scene->tx) == 2);
}

static void poll(struct scene *scene)
{
    STAGE_CHECK(exo_broadcast_poll(&scene->tx) == EXO_OK);
}

/* ---- lies ---- */

static void lie(struct scene *scene)
{
    exo_size bytes = (exo_size)scene->broadcast.geometry.rx_bytes;
    exo_word64 *words = (exo_word64 *)(void *)scene->liar.rx;
    exo_size from = sizeof(struct exo_ring_header) / sizeof(exo_word64);
    exo_word64 *word;
    if (scene->sender_lies) {
        words = (exo_word64 *)(void *)scene->tx.tx;
        bytes = (exo_size)scene->broadcast.geometry.tx_bytes;
    }
    word = &words[from + fuzz_take(&scene->input, 2) % (bytes / sizeof(exo_word64) - from)];
    *word = fuzz_near(&scene->input, *word);
}

/* A slot that looks like a message. */
static void forge(struct scene *scene)
{
    exo_u64 pos = scene->honest.pos + fuzz_below(&scene->input, 3);
    exo_word64 *line = exo_publisher_line_pvt(&scene->tx, pos);
    exo_u32 kind = fuzz_below(&scene->input, 6);
    if (!scene->sender_lies) {
        return;
    }
    line[0] = (exo_u64)(1 + fuzz_below(&scene->input, 2)) << 32 | fuzz_below(&scene->input, 9);
    line[1] = fuzz_near(&scene->input, fuzz_below(&scene->input, 8) * BLOCK);
    line[2] = fuzz_near(&scene->input, BLOCK);
    line[EXO_LINE_WORDS] = exo_cast_control_pvt(pos, kind, fuzz_below(&scene->input, 64));
}

/* What the liar would do if it were honest. */
static void behave(struct scene *scene)
{
    static exo_u8 bytes[ARENA];
    struct exo_viewed view;
    exo_i64 result;
    if (fuzz_below(&scene->input, 2) == 0) {
        result = exo_subscriber_recv(&scene->liar, bytes, sizeof(bytes));
    } else {
        result = exo_subscriber_view(&scene->liar, &view);
        if (result == EXO_OK && fuzz_below(&scene->input, 2) == 0) {
            result = exo_subscriber_release(&scene->liar, &view);
        }
    }
    if (result == EXO_CORRUPT || result == EXO_OVERFLOW) {
        (void)exo_subscriber_leave(&scene->liar);
        poll(scene);
        if (exo_broadcast_subscribe(&scene->broadcast, &scene->liar, fuzz_below(&scene->input, 4)) != EXO_OK) {
            poll(scene);
        }
    }
}

/* ---- the sender ---- */

static void fill(exo_u8 *bytes, exo_u64 number, exo_size len)
{
    memset(bytes, (int)(number * 7 + 1), len);
    memcpy(bytes, &number, sizeof(number));
}

static void assert_is(const exo_u8 *bytes, exo_size len, const struct scene *scene, exo_u64 number)
{
    exo_u64 told;
    exo_size i;
    STAGE_CHECK(number < scene->sent && len == scene->lengths[number]);
    memcpy(&told, bytes, sizeof(told));
    STAGE_CHECK(told == number);
    for (i = sizeof(told); i < len; i++) {
        STAGE_CHECK(bytes[i] == (exo_u8)(number * 7 + 1));
    }
}

/* One call of the sender's. The honest subscriber is let go only for what it does itself. */
static void publish(struct scene *scene)
{
    static exo_u8 bytes[ARENA + BLOCK];
    exo_bool was_there = exo_cast_still_pvt(scene->honest.seat, scene->honest.admitted) && scene->honest.joined;
    exo_bool behind = scene->held != 0 || (!scene->latest && scene->sent != scene->next); /* holds slots, or blocks */
    exo_size len = 8 + fuzz_take(&scene->input, 1) % 200;
    exo_u32 how = fuzz_below(&scene->input, 4);
    struct exo_loaned loan;
    exo_status status;
    if (how == 0) {
        status = exo_broadcast_loan(&scene->tx, len, &loan);
        if (status == EXO_OK) {
            fill((exo_u8 *)loan.data, scene->sent, len);
            status = exo_broadcast_send_loan(&scene->tx, &loan);
            STAGE_CHECK(status == EXO_OK || exo_broadcast_loan_cancel(&scene->tx, &loan) == EXO_OK);
        }
    } else if (how == 1) {
        poll(scene);
        status = EXO_FULL;
    } else {
        len = how == 2 ? len : 8 + len % 49;
        fill(bytes, scene->sent, len);
        status = exo_broadcast_send(&scene->tx, bytes, len);
    }
    STAGE_CHECK(status == EXO_OK || status == EXO_FULL);
    if (status == EXO_OK) {
        scene->lengths[scene->sent++] = (exo_u32)len;
    }
    if (!scene->sender_lies && was_there && !behind) {
        STAGE_CHECK(exo_cast_still_pvt(scene->honest.seat, scene->honest.admitted));
    }
}

/* ---- the honest subscriber ---- */

static void release(struct scene *scene, struct view *view)
{
    exo_bool by_reference = view->viewed.token != 0;
    exo_status status;
    if (!scene->sender_lies && exo_cast_still_pvt(scene->honest.seat, scene->honest.admitted)) {
        assert_is((const exo_u8 *)view->viewed.data, view->viewed.len, scene, view->number); /* it stood still */
    }
    status = exo_subscriber_release(&scene->honest, &view->viewed);
    STAGE_CHECK(status == EXO_OK || scene->corrupt || !scene->honest.joined);
    scene->held -= by_reference;
    view->used = EXO_FALSE;
}

/* It was cut off, or the sender broke the protocol: begin anew. */
static void rejoin(struct scene *scene)
{
    exo_u32 i;
    for (i = 0; i < VIEWS; i++) {
        scene->views[i].used = EXO_FALSE;
    }
    scene->held = 0;
    scene->corrupt = EXO_FALSE;
    (void)exo_subscriber_leave(&scene->honest); /* it may have found no seat the last time */
    poll(scene);
    if (exo_broadcast_subscribe(&scene->broadcast, &scene->honest, 0) == EXO_OK) {
        poll(scene);
    }
    scene->next = scene->sent;
}

static void receive(struct scene *scene)
{
    struct view *view = &scene->views[fuzz_below(&scene->input, VIEWS)];
    const exo_u8 *data;
    exo_status status;
    if (view->used) {
        release(scene, view);
    }
    status = exo_subscriber_view(&scene->honest, &view->viewed);
    STAGE_CHECK(!scene->corrupt || status == EXO_CORRUPT);
    if (status == EXO_OK) {
        data = (const exo_u8 *)view->viewed.data;
        view->used = EXO_TRUE;
        view->number = scene->next++;
        scene->held += view->viewed.token != 0;
        if (view->viewed.token != 0) {
            STAGE_CHECK(data >= scene->honest.arena &&
                        (exo_size)(data - scene->honest.arena) + view->viewed.len <= ARENA);
        } else {
            STAGE_CHECK(data == (const exo_u8 *)view->viewed.copy && view->viewed.len <= EXO_INLINE_THRESHOLD);
        }
        way_read(data, view->viewed.len);
        if (!scene->sender_lies) {
            assert_is(data, view->viewed.len, scene, view->number);
        }
        return;
    }
    scene->corrupt = status == EXO_CORRUPT;
    if (status == EXO_OVERFLOW && scene->latest && !exo_subscriber_cut_off(&scene->honest)) {
        STAGE_CHECK(exo_subscriber_missed(&scene->honest) != 0);
        scene->next += exo_subscriber_missed(&scene->honest);
        STAGE_CHECK(scene->sender_lies || scene->next <= scene->sent);
        return;
    }
    STAGE_CHECK(status == EXO_EMPTY || status == EXO_OVERFLOW || (scene->sender_lies && status == EXO_CORRUPT) ||
                status == EXO_CLOSED || (scene->held != 0 && status == EXO_FULL));
    if (status == EXO_OVERFLOW || status == EXO_CLOSED ||
        (status == EXO_CORRUPT && fuzz_below(&scene->input, 2) == 0)) {
        rejoin(scene);
    }
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.input.at = data;
    scene.input.left = size;
    begin(&scene);
    for (i = 0; i < FUZZ_STEPS && scene.input.left != 0; i++) {
        exo_u32 step = fuzz_below(&scene.input, 8);
        if (step < 2) {
            lie(&scene);
        } else if (step == 2) {
            forge(&scene);
        } else if (step == 3) {
            behave(&scene);
        } else if (step < 6) {
            publish(&scene);
        } else {
            receive(&scene);
        }
    }
    exo_broadcast_destroy(&scene.broadcast);
    return 0;
}
