/* SPDX-License-Identifier: MIT */
/*
 * Attaching to segments whose headers somebody else wrote: any numbers, also such as agree with each other and
 * describe another ring than there is room for. What attaches is used: whatever the header said, it stays within the
 * memory that was given.
 */
#include "fuzz.h"

#define TX_BYTES 16384u
#define RX_BYTES 8192u
#define BOOKS_BYTES 8192u

struct scene {
    struct exo_ring_memory memory;
    struct fuzz_input input;
};

/* Consistent headers for a ring of the input's choice, in one segment or in both. */
static void offer(struct scene *scene)
{
    struct exo_ring_config config = {0};
    struct exo_geometry geometry;
    exo_u32 where = fuzz_below(&scene->input, 4);
    config.slots = 2u << fuzz_below(&scene->input, 10);
    config.slot_size = 64u << fuzz_below(&scene->input, 2);
    config.mode = fuzz_below(&scene->input, 8);
    config.profile = fuzz_below(&scene->input, 3);
    config.producers = fuzz_below(&scene->input, 5);
    config.block_size = 64u << fuzz_below(&scene->input, 6);
    config.arena_size = fuzz_below(&scene->input, 33) * config.block_size;
    config.arena_size = config.arena_size == 0 ? EXO_ARENA_NONE : config.arena_size;
    config.type = fuzz_below(&scene->input, 2);
    config.start = fuzz_start(fuzz_below(&scene->input, 4));
    if (exo_geometry_from_config(&geometry, &config) != EXO_OK) {
        return;
    }
    if (where != 1) {
        exo_header_fill_pvt((struct exo_ring_header *)scene->memory.tx, &geometry, EXO_MAGIC_TX);
    }
    if (where != 2) {
        exo_header_fill_pvt((struct exo_ring_header *)scene->memory.rx, &geometry, EXO_MAGIC_RX);
    }
}

/* Any word of a header, or of what lies behind it. */
static void change(struct scene *scene)
{
    exo_u32 where = fuzz_below(&scene->input, 4);
    exo_word64 *words = (exo_word64 *)(where == 0 ? scene->memory.tx : scene->memory.rx);
    exo_u32 at = fuzz_below(&scene->input, where == 3 ? 72 : 12);
    exo_u64 value = fuzz_near(&scene->input, words[at]);
    if (fuzz_below(&scene->input, 2) != 0) { /* the upper one of two numbers */
        value = words[at] + (value << 32);
    }
    words[at] = value;
    if (where == 2) {
        ((exo_word64 *)scene->memory.tx)[at] = value;
    }
}

static exo_bool attach_declared(exo_status got)
{
    return got == EXO_OK || got == EXO_TYPE_MISMATCH || got == EXO_VERSION_MISMATCH || got == EXO_CORRUPT ||
           got == EXO_NO_MEMORY || got == EXO_ALREADY_EXISTS;
}

/* Send and receive: any answer will do, for these sides need not distrust each other (mp, mc). */
static void use(struct exo_sender *to, struct exo_receiver *from)
{
    static exo_u8 bytes[1024];
    struct exo_loaned loan;
    struct exo_viewed view;
    exo_u32 turn;
    for (turn = 0; turn < 3; turn++) {
        if (to != NULL) {
            exo_i64 got = exo_send(to, bytes, turn * 40);
            got = got == EXO_OK ? exo_send_burst(to, bytes, 8, 9) : got;
            STAGE_CHECK(got <= 9);
            if (exo_loan(to, 100, &loan) == EXO_OK) {
                memset(loan.data, 1, loan.size);
                got = exo_send_loan(to, &loan);
            }
        }
        if (from != NULL && exo_recv(from, bytes, sizeof(bytes)) >= 0 && exo_view(from, &view) == EXO_OK) {
            way_read(view.data, view.len);
            STAGE_CHECK(exo_release(from, &view) == EXO_OK);
        }
        if (from != NULL) {
            exo_i64 got = exo_recv_burst(from, bytes, 64, 4, NULL);
            STAGE_CHECK(got <= 4);
        }
    }
}

static void attach_both(const struct scene *scene, exo_u8 *books[2])
{
    struct exo_ring_memory memory = scene->memory;
    struct exo_sender to;
    struct exo_receiver from;
    exo_status sends;
    exo_status receives;
    memory.books = books[0];
    sends = exo_sender_attach(&to, &memory, 1, NULL);
    memory.books = books[1];
    receives = exo_receiver_attach(&from, &memory, 1, NULL);
    STAGE_CHECK(attach_declared(sends) && attach_declared(receives));
    use(sends == EXO_OK ? &to : NULL, receives == EXO_OK ? &from : NULL);
    if (sends == EXO_OK) {
        STAGE_CHECK(exo_sender_close(&to) == EXO_OK);
    }
    if (receives == EXO_OK) {
        STAGE_CHECK(exo_receiver_close(&from) == EXO_OK);
    }
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    static exo_u8 *books[2];
    exo_u32 i;
    if (scene.memory.tx == NULL) {
        scene.memory.tx = stage_map(-1, TX_BYTES, PROT_READ | PROT_WRITE);
        scene.memory.rx = stage_map(-1, RX_BYTES, PROT_READ | PROT_WRITE);
        books[0] = stage_map(-1, BOOKS_BYTES, PROT_READ | PROT_WRITE);
        books[1] = stage_map(-1, BOOKS_BYTES, PROT_READ | PROT_WRITE);
        scene.memory.tx_bytes = TX_BYTES;
        scene.memory.rx_bytes = RX_BYTES;
        scene.memory.books_bytes = BOOKS_BYTES;
    }
    memset(scene.memory.tx, 0, TX_BYTES);
    memset(scene.memory.rx, 0, RX_BYTES);
    memset(books[0], 0, BOOKS_BYTES);
    memset(books[1], 0, BOOKS_BYTES);
    scene.input.at = data;
    scene.input.left = size;
    offer(&scene);
    for (i = 0; i < 16 && scene.input.left != 0; i++) {
        change(&scene);
    }
    attach_both(&scene, books);
    return 0;
}
