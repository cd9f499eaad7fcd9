/* SPDX-License-Identifier: MIT */
/*
 * What a client says of its memory: plain words, whose accesses must be ordered by what the library does (vector clocks;
 * else it is a data race), words that a hostile peer can write, words that a load may foresee.
 */
#include <string.h>

#include "model_memory.h"

#define CELLS 2048u /* plain words */
#define RANGES 8u
#define ARENA_BYTES 65536u
#define ARENA_PAGE 256u

/* One plain word: who wrote it when, and who has read it since. */
struct cell {
    exo_uptr address;
    exo_u32 writer;
    exo_u16_pvt written;
    exo_u16_pvt read[MODEL_THREADS];
};

/* Up to, not with, the last. */
struct range {
    exo_uptr from;
    exo_uptr to;
};

struct ranges {
    struct range range[RANGES];
    exo_u32 count;
};

static struct {
    exo_u32 run;
    exo_u32 cells;
    exo_u16_pvt bucket[CELLS];
    exo_u32 bucket_run[CELLS];
    struct cell cell[CELLS / 2];
    struct ranges shared;
    struct ranges distrusted;
    struct ranges predicted;
} words;

/* Memory that the library allocates. None of it is used twice in a run. */
static struct {
    exo_u8 memory[ARENA_BYTES] __attribute__((aligned(4096)));
    exo_size used;
    exo_u32 writer[ARENA_BYTES / ARENA_PAGE]; /* who allocated it, when; 0: before the threads began */
    exo_u32 written[ARENA_BYTES / ARENA_PAGE];
} arena;

void words_reset(void)
{
    memset(arena.memory, 0, arena.used);
    arena.used = 0;
    words.run++;
    words.cells = 0;
    words.shared.count = 0;
    words.distrusted.count = 0;
    words.predicted.count = 0;
}

static void add(struct ranges *ranges, const void *p, exo_size bytes)
{
    struct range *range = &ranges->range[ranges->count++];
    if (ranges->count == RANGES) {
        schedule_fail("too many ranges in one client");
    }
    range->from = (exo_uptr)p;
    range->to = range->from + bytes;
}

static exo_bool within(const struct ranges *ranges, exo_uptr address)
{
    exo_u32 i;
    for (i = 0; i < ranges->count; i++) {
        if (address >= ranges->range[i].from && address < ranges->range[i].to) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

void client_shares(void *p, exo_size bytes)
{
    add(&words.shared, p, bytes);
}

void client_distrusts(const void *p, exo_size bytes)
{
    add(&words.distrusted, p, bytes);
}

void client_predicts(const exo_u32 *word)
{
    add(&words.predicted, word, sizeof(*word));
}

exo_bool words_distrusted(exo_uptr address)
{
    return within(&words.distrusted, address);
}

exo_bool words_predicted(exo_uptr address)
{
    return within(&words.predicted, address);
}

static struct cell *plain_at(exo_uptr address)
{
    exo_u32 at = (exo_u32)(address >> 3) * 2654435761u >> 21;
    struct cell *cell;
    for (; words.bucket_run[at] == words.run; at = (at + 1) % CELLS) {
        if (words.cell[words.bucket[at]].address == address) {
            return &words.cell[words.bucket[at]];
        }
    }
    if (words.cells == CELLS / 2) {
        schedule_fail("too much plain memory in one run");
    }
    words.bucket_run[at] = words.run;
    words.bucket[at] = (exo_u16_pvt)words.cells;
    cell = &words.cell[words.cells++];
    memset(cell, 0, sizeof(*cell));
    cell->address = address;
    return cell;
}

/* A plain access: whatever conflicts with it must have happened before. */
static void plain_access(exo_uptr address, exo_bool writes)
{
    struct cell *cell = plain_at(address & ~(exo_uptr)7);
    const struct view *view = &model.thread[model.running].current;
    exo_u32 now = memory_tick(model.running);
    exo_u32 i;
    if (cell->written != 0 && !memory_before(view, cell->writer, cell->written)) {
        schedule_fail("data race: plain memory, written by another thread");
    }
    if (!writes) {
        cell->read[model.running] = (exo_u16_pvt)now;
        return;
    }
    for (i = 0; i < MODEL_THREADS; i++) {
        if (!memory_before(view, i, cell->read[i])) {
            schedule_fail("data race: plain memory, read by another thread");
        }
        cell->read[i] = 0;
    }
    cell->writer = model.running;
    cell->written = (exo_u16_pvt)now;
}

void client_write(exo_u64 *p, exo_u64 value)
{
    if (model.running != 0) {
        plain_access((exo_uptr)p, EXO_TRUE);
    }
    *p = value;
}

exo_u64 client_read(const exo_u64 *p)
{
    if (model.running != 0) {
        plain_access((exo_uptr)p, EXO_FALSE);
    }
    return *p;
}

/* Who allocates memory has written to all of it; others must have learned of that before they touch it. */
void *model_page_alloc(exo_size bytes)
{
    exo_u32 first = (exo_u32)(arena.used / ARENA_PAGE);
    exo_u32 count = (exo_u32)((bytes + ARENA_PAGE - 1) / ARENA_PAGE);
    exo_u32 now = model.running == 0 ? 0 : memory_tick(model.running);
    exo_u32 i;
    if (count > ARENA_BYTES / ARENA_PAGE - first) {
        return NULL;
    }
    arena.used += (exo_size)count * ARENA_PAGE;
    for (i = first; i < first + count; i++) {
        arena.writer[i] = model.running;
        arena.written[i] = now;
    }
    return arena.memory + (exo_size)first * ARENA_PAGE;
}

/* An access to memory that was allocated in this run. */
void words_check_fresh(exo_uptr address)
{
    exo_uptr off = address - (exo_uptr)arena.memory;
    exo_uptr page = off / ARENA_PAGE;
    if (off < arena.used && arena.written[page] != 0 &&
        !memory_before(&model.thread[model.running].current, arena.writer[page], arena.written[page])) {
        schedule_fail("data race: memory that another thread has just allocated");
    }
}

void model_copy(void *to, const void *from, exo_size bytes)
{
    exo_size i;
    for (i = 0; model.running != 0 && i < bytes; i += 8) {
        if (within(&words.shared, (exo_uptr)from + i)) {
            plain_access((exo_uptr)from + i, EXO_FALSE);
        }
        if (within(&words.shared, (exo_uptr)to + i)) {
            plain_access((exo_uptr)to + i, EXO_TRUE);
        }
    }
    memcpy(to, from, bytes);
}
