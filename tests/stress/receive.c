/* SPDX-License-Identifier: MIT */
/*
 * The receivers of the stress test: whatever call takes a message, it ends in accept().
 */
#include "stress.h"

/* Who sent a message, and its number: from its content where it is long enough, else from the order. */
static void identify(const struct receiving *self, const void *data, exo_u32 length, exo_u32 *sender,
                     exo_u32 *sequence)
{
    exo_u8 head[5] = {0, 0, 0, 0, 0};
    memcpy(head, data, length < 5 ? length : 5);
    *sender = length == 0 ? 0 : head[0] >> 6;
    if (*sender >= scene.senders) {
        fail("message of nobody", *sender);
    }
    *sequence = length < 5 ? self->next[*sender]
                           : (exo_u32)head[1] | (exo_u32)head[2] << 8 | (exo_u32)head[3] << 16 |
                                 (exo_u32)head[4] << 24;
}

/* Checks order, loss, doubling and every byte of a message that has just been received. */
static void accept_into(struct receiving *self, const void *data, exo_size size, exo_u32 *sender,
                        exo_u32 *sequence)
{
    exo_u32 length = (exo_u32)size;
    if (size > LENGTH_MAX) {
        fail("impossible length", (exo_i64)size);
    }
    identify(self, data, length, sender, sequence);
    if (one_consumer() ? *sequence != self->next[*sender] : *sequence < self->next[*sender]) {
        fail("out of order", *sequence);
    }
    if (*sequence >= SEQUENCE_MAX) {
        fail("impossible number", *sequence);
    }
    if (!one_consumer()) {
        exo_u32 bit = 1u << (*sequence % 32);
        if ((exo_fetch_or32(&scene.seen[*sender][*sequence / 32], bit, EXO_RELAXED) & bit) != 0) {
            fail("received twice", *sequence);
        }
    }
    body_check(data, *sender, *sequence, length);
    self->next[*sender] = *sequence + 1;
    self->from[*sender]++;
}

static void accept(struct receiving *self, const void *data, exo_size size)
{
    exo_u32 sender;
    exo_u32 sequence;
    accept_into(self, data, size, &sender, &sequence);
}

/* Gives a view back, after a look whether what it shows has stood still. */
static void give_back(struct receiving *self, struct held *held)
{
    exo_status status;
    if (held->view.data == NULL) {
        return;
    }
    body_check(held->view.data, held->sender, held->sequence, (exo_u32)held->view.len);
    status = exo_release(&self->rx, &held->view);
    if (status != EXO_OK) {
        fail("release", status);
    }
}

static void give_all_back(struct receiving *self)
{
    exo_u32 i;
    for (i = 0; i < HELD_MAX; i++) {
        give_back(self, &self->held[i]);
    }
}

/* Views into a random place; what was there goes back first, so that releases come in random order. */
static exo_i64 take_view(struct receiving *self)
{
    struct held *held = &self->held[random_below(&self->random, HELD_MAX)];
    exo_status status;
    give_back(self, held);
    status = exo_view(&self->rx, &held->view);
    if (status != EXO_OK) {
        return status;
    }
    accept_into(self, held->view.data, held->view.len, &held->sender, &held->sequence);
    if (random_below(&self->random, 3) == 0) {
        give_back(self, held);
    }
    return 1;
}

static exo_i64 take_views(struct receiving *self)
{
    exo_i64 got;
    exo_i64 i;
    struct exo_viewed view[4];
    got = exo_view_burst(&self->rx, view, 1 + random_below(&self->random, 4));
    for (i = 0; i < got; i++) {
        accept(self, view[i].data, view[i].len);
    }
    for (i = got; i-- > 0;) {
        if (exo_release(&self->rx, &view[i]) != EXO_OK) {
            fail("release", i);
        }
    }
    return got;
}

static exo_i64 take_copy(struct receiving *self)
{
    exo_u8 bytes[LENGTH_MAX];
    exo_i64 got = exo_recv(&self->rx, bytes, sizeof(bytes));
    if (got >= 0) {
        accept(self, bytes, (exo_size)got);
        return 1;
    }
    return got;
}

static exo_i64 take_inline(struct receiving *self)
{
    exo_u8 bytes[56];
    exo_i64 got = exo_recv_inline(&self->rx, bytes, sizeof(bytes));
    if (got >= 0) {
        accept(self, bytes, (exo_size)got);
        return 1;
    }
    return got;
}

static exo_i64 take_lot(struct receiving *self)
{
    exo_u8 items[LOT_MAX * 56];
    exo_u32 lengths[LOT_MAX];
    exo_u32 n = 1 + random_below(&self->random, LOT_MAX);
    exo_i64 got = EXO_EMPTY;
    exo_i64 i;
    if (random_below(&self->random, 4) == 0) {
        got = exo_recv_bulk(&self->rx, items, 56, n, lengths);
        if (got > 0 && got != n) {
            fail("bulk received a part", got);
        }
    }
    if (got == EXO_EMPTY || got == EXO_INVALID_SIZE || got == EXO_CLOSED) {
        got = exo_recv_burst(&self->rx, items, 56, n, lengths);
    }
    for (i = 0; i < got; i++) {
        accept(self, items + i * 56, lengths[i]);
    }
    return got;
}

static exo_i64 take_in_place(struct receiving *self)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    exo_status status = exo_peek(&self->rx, &peeked);
    if (status != EXO_OK) {
        return status;
    }
    accept(self, peeked.data, peeked.len);
    status = exo_consume(&self->rx, &peeked);
    if (status != EXO_OK) {
        fail("consume", status);
    }
    return 1;
}

/* With several consumers: a run of messages of one sender, to be marked as seen together. */
struct run {
    exo_u32 sender;
    exo_u32 word;
    exo_u32 bits;
};

static void mark_run(struct run *run)
{
    if (run->bits != 0 &&
        (exo_fetch_or32(&scene.seen[run->sender][run->word], run->bits, EXO_RELAXED) & run->bits) != 0) {
        fail("received twice, near", run->word * 32);
    }
    run->bits = 0;
}

/* What accept() checks, for a message of whole words that begins with its number. */
static void accept_words(struct receiving *self, const exo_u64 *words, struct run *run)
{
    exo_u32 sender = (exo_u32)words[0] >> 6 & 3u;
    exo_u32 sequence = (exo_u32)(words[0] >> 8);
    if (sender >= scene.senders || sequence >= SEQUENCE_MAX) {
        fail("message of nobody", sender);
    }
    if (one_consumer() ? sequence != self->next[sender] : sequence < self->next[sender]) {
        fail("out of order", sequence);
    }
    if (body_differs(words, sender, sequence, scene.bulk_length) != 0) {
        fail("torn or changed message", sequence);
    }
    if (!one_consumer()) {
        if (run->sender != sender || run->word != sequence / 32) {
            mark_run(run);
        }
        run->sender = sender;
        run->word = sequence / 32;
        run->bits |= 1u << (sequence % 32);
    }
    self->next[sender] = sequence + 1;
    self->from[sender]++;
}

static exo_i64 take_bulk(struct receiving *self)
{
    exo_u64 items[BULK_MAX * 7];
    exo_u32 lengths[BULK_MAX];
    struct run run = {0, 0, 0};
    exo_i64 got = exo_recv_burst(&self->rx, items, scene.bulk_length, BULK_MAX, lengths);
    exo_i64 i;
    for (i = 0; i < got; i++) {
        if (lengths[i] != scene.bulk_length) {
            fail("wrong length", lengths[i]);
        }
        accept_words(self, items + i * (scene.bulk_length / 8), &run);
    }
    mark_run(&run);
    return got;
}

/* At least one message by a call that suits the scene's path, or why there is none. */
static exo_i64 take_some(struct receiving *self)
{
    static exo_i64 (*const takes[PATHS][6])(struct receiving *) = {
        {take_inline, take_copy, take_in_place, take_view, take_inline, take_lot},
        {take_lot, take_lot, take_lot, take_inline, take_in_place, take_views},
        {take_view, take_view, take_views, take_copy, take_view, take_view},
        {take_in_place, take_in_place, take_inline, take_lot, take_copy, take_in_place},
        {take_inline, take_copy, take_in_place, take_view, take_views, take_lot},
        {take_bulk, take_bulk, take_bulk, take_bulk, take_bulk, take_bulk},
    };
    exo_i64 got = takes[scene.path][random_below(&self->random, 6)](self);
    return got == EXO_TYPE_MISMATCH ? take_view(self) : got;
}

/* Waits without holding anything: a sender may be waiting for it. */
static exo_i64 wait_for_message(struct receiving *self)
{
    exo_u8 bytes[LENGTH_MAX];
    exo_u64 deadline = scene.style == STYLE_BLOCK ? EXO_FOREVER : soon(&self->random);
    exo_i64 got;
    give_all_back(self);
    if (scene.style == STYLE_TRY) {
        exo_cpu_relax();
        (void)sched_yield();
        return EXO_EMPTY;
    }
    if (random_below(&self->random, 2) == 0) {
        got = exo_wait_readable(&self->rx, deadline);
        return got == EXO_OK ? (exo_i64)EXO_EMPTY : got;
    }
    got = exo_recv_blocking(&self->rx, bytes, sizeof(bytes), deadline);
    if (got >= 0) {
        accept(self, bytes, (exo_size)got);
    }
    return got;
}

void *receive_thread(void *argument)
{
    struct receiving *self = argument;
    exo_i64 got;
    do {
        got = take_some(self);
        if (got == EXO_EMPTY) {
            got = wait_for_message(self);
        }
    } while (got >= 0 || got == EXO_EMPTY || got == EXO_TIMEOUT);
    if (got != EXO_CLOSED) {
        fail("receive", got);
    }
    give_all_back(self);
    return NULL;
}
