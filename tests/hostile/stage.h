/* SPDX-License-Identifier: MIT */
/*
 * A ring as two processes that distrust each other have it, in one process: each segment is mapped twice, writable for
 * the side that owns it and read-only for the other, between pages that nobody may touch. The test is the
 * attacker: it writes through the owner's mapping what the handle under test sees through the read-only one. A
 * read or write outside, and a write to the peer's segment, is a fault in every build.
 *
 * No cmocka here, so that the fuzzers can use it too.
 */
#ifndef EXO_TESTS_STAGE_H
#define EXO_TESTS_STAGE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exo_ipc/exo_ipc.h"

#define STAGE_SLOTS 8u
#define STAGE_BLOCK 256u
#define STAGE_BLOCKS 16u
#define STAGE_ARENA (STAGE_BLOCK * STAGE_BLOCKS)
#define STAGE_WRAP 0xFFFFFFFCull /* the fifth position is past 2^32 */

/* What must hold whatever the peer does. Not assert(): it stays in every build. */
#define STAGE_CHECK(condition)                                                                       \
    do {                                                                                             \
        if (!(condition)) {                                                                          \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                 \
        }                                                                                            \
    } while (0)

struct stage {
    struct exo_ring_config config;
    struct exo_geometry geometry;
    struct exo_ring_memory sender;   /* the ring as the sender maps it: rx is read-only */
    struct exo_ring_memory receiver; /* and as the receiver does: tx is read-only */
    struct exo_tx_segment *tx;       /* writable: what a hostile sender scribbles on */
    struct exo_rx_segment *rx;       /* what a hostile receiver does */
    struct exo_sender to;
    struct exo_receiver from;
};

EXO_INLINE struct exo_ring_config stage_config(exo_u64 start)
{
    struct exo_ring_config config = {0};
    config.slots = STAGE_SLOTS;
    config.slot_size = 128;
    config.profile = EXO_HOSTILE;
    config.spin = 1;
    config.arena_size = STAGE_ARENA;
    config.block_size = STAGE_BLOCK;
    config.start = start;
    return config;
}

/* So many bytes between two pages that fault, ending where the second begins. */
EXO_INLINE exo_u8 *stage_map(int file, exo_size bytes, int rights)
{
    exo_size page = (exo_size)sysconf(_SC_PAGESIZE);
    exo_size span = (exo_size)exo_align_up(bytes, page);
    exo_u8 *base;
    void *at;
    base = (exo_u8 *)mmap(NULL, span + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    STAGE_CHECK(base != MAP_FAILED);
    at = mmap(base + page, span, rights,
              MAP_FIXED | (file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), file, 0);
    STAGE_CHECK(at != MAP_FAILED);
    return base + page + (span - bytes);
}

EXO_INLINE void stage_unmap(void *memory, exo_size bytes)
{
    exo_size page = (exo_size)sysconf(_SC_PAGESIZE);
    exo_size span = (exo_size)exo_align_up(bytes, page);
    if (memory != NULL) {
        (void)munmap((exo_u8 *)memory + bytes - span - page, span + 2 * page);
    }
}

/* One segment, seen from both sides. */
EXO_INLINE void stage_share(exo_size bytes, void **writer, void **reader)
{
    int file = (int)syscall(SYS_memfd_create, "exo_ipc stage", 1u /* close on exec */);
    STAGE_CHECK(file >= 0 && ftruncate(file, (off_t)exo_align_up(bytes, (exo_u64)sysconf(_SC_PAGESIZE))) == 0);
    *writer = stage_map(file, bytes, PROT_READ | PROT_WRITE);
    *reader = stage_map(file, bytes, PROT_READ);
    (void)close(file);
}

/* Memory for the ring; stage_reset() makes the ring in it. */
EXO_INLINE void stage_make(struct stage *stage, const struct exo_ring_config *config)
{
    memset(stage, 0, sizeof(*stage));
    stage->config = *config;
    STAGE_CHECK(exo_geometry_from_config(&stage->geometry, config) == EXO_OK);
    stage->sender.tx_bytes = stage->receiver.tx_bytes = (exo_size)stage->geometry.tx_bytes;
    stage->sender.rx_bytes = stage->receiver.rx_bytes = (exo_size)stage->geometry.rx_bytes;
    stage_share(stage->sender.tx_bytes, &stage->sender.tx, &stage->receiver.tx);
    stage_share(stage->sender.rx_bytes, &stage->receiver.rx, &stage->sender.rx);
    stage->sender.books_bytes = exo_sender_books_bytes(&stage->geometry);
    stage->receiver.books_bytes = exo_receiver_books_bytes(&stage->geometry);
    if (stage->geometry.blocks != 0) {
        stage->sender.books = stage_map(-1, stage->sender.books_bytes, PROT_READ | PROT_WRITE);
        stage->receiver.books = stage_map(-1, stage->receiver.books_bytes, PROT_READ | PROT_WRITE);
    }
    stage->tx = (struct exo_tx_segment *)stage->sender.tx;
    stage->rx = (struct exo_rx_segment *)stage->receiver.rx;
}

EXO_INLINE void stage_reset(struct stage *stage)
{
    memset(stage->sender.tx, 0, stage->sender.tx_bytes);
    if (stage->geometry.blocks != 0) {
        memset(stage->sender.books, 0, stage->sender.books_bytes);
        memset(stage->receiver.books, 0, stage->receiver.books_bytes);
    }
    STAGE_CHECK(exo_tx_segment_init(stage->sender.tx, stage->sender.tx_bytes, &stage->geometry) == EXO_OK);
    STAGE_CHECK(exo_rx_segment_init(stage->receiver.rx, stage->receiver.rx_bytes, &stage->geometry) == EXO_OK);
}

EXO_INLINE void stage_attach(struct stage *stage)
{
    STAGE_CHECK(exo_sender_attach(&stage->to, &stage->sender, stage->config.spin, NULL) == EXO_OK);
    STAGE_CHECK(exo_receiver_attach(&stage->from, &stage->receiver, stage->config.spin, NULL) == EXO_OK);
}

EXO_INLINE void stage_open(struct stage *stage, exo_u64 start)
{
    struct exo_ring_config config = stage_config(start);
    stage_make(stage, &config);
    stage_reset(stage);
    stage_attach(stage);
}

EXO_INLINE void stage_close(struct stage *stage)
{
    stage_unmap(stage->sender.tx, stage->sender.tx_bytes);
    stage_unmap(stage->receiver.tx, stage->receiver.tx_bytes);
    stage_unmap(stage->sender.rx, stage->sender.rx_bytes);
    stage_unmap(stage->receiver.rx, stage->receiver.rx_bytes);
    stage_unmap(stage->sender.books, stage->sender.books_bytes);
    stage_unmap(stage->receiver.books, stage->receiver.books_bytes);
}

/* The line of a position, and an entry of the release ring, as their writers see them. */
EXO_INLINE exo_word64 *stage_line(const struct stage *stage, exo_u64 pos)
{
    exo_size slot = (exo_u32)pos & (stage->geometry.slots - 1);
    exo_size size = (exo_size)1 << stage->geometry.slot_shift;
    return (exo_word64 *)(void *)((exo_u8 *)stage->tx + stage->geometry.slots_off + (slot + 1) * size -
                                  EXO_CACHE_LINE);
}

EXO_INLINE struct exo_release_entry *stage_entry(const struct stage *stage, exo_u64 at)
{
    struct exo_release_entry *ring =
        (struct exo_release_entry *)(void *)((exo_u8 *)stage->rx + stage->geometry.release_off);
    return &ring[at & (stage->geometry.release_entries - 1)];
}

/* Whether bytes that a receiver was shown lie in an arena of the sender's, as the receiver maps it. */
EXO_INLINE exo_bool stage_in_arena(const struct stage *stage, const void *data, exo_size len)
{
    exo_uptr off = (exo_uptr)data - (exo_uptr)stage->receiver.tx - (exo_uptr)stage->geometry.arena_off;
    return exo_range_ok(off, len, stage->geometry.arena_size * stage->geometry.producers);
}

/* Blocks that the receiver has on its books as being viewed. */
EXO_INLINE exo_u32 stage_viewed(const struct stage *stage)
{
    const struct exo_views *views = &stage->from.views;
    exo_u32 count = 0;
    exo_u32 i;
    for (i = 0; i < views->total; i++) {
        count += views->viewed[i] != 0;
    }
    return count;
}

/* The sender's books: runs that lie behind one another and fill the arena, and a count that is theirs. */
EXO_INLINE void stage_check_books(const struct stage *stage)
{
    const struct exo_arena *arena = stage->to.arena;
    exo_u64 lent = 0;
    exo_u32 before = EXO_ARENA_NOWHERE;
    exo_u32 at = 0;
    if (arena == NULL) {
        return;
    }
    while (at < arena->blocks) {
        const struct exo_block *run = exo_arena_block_pvt(arena, at);
        exo_u32 state = exo_arena_state_pvt(arena, at);
        STAGE_CHECK(run->size != 0 && run->size <= arena->blocks - at && run->before == before);
        exo_bool out = state == EXO_BLOCK_LENT || state == EXO_BLOCK_SENT;
        STAGE_CHECK(out || state == EXO_BLOCK_FREE || state == EXO_BLOCK_WARM);
        lent += out ? run->size : 0;
        before = at;
        at += run->size;
    }
    STAGE_CHECK(lent == arena->lent);
}

#endif
