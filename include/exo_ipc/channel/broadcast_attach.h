/* SPDX-License-Identifier: MIT */
/*
 * Handles of a broadcast, on segments that are mapped and whose headers were checked. What a broadcast is between
 * threads, and between processes, builds on this.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_ATTACH_H
#define EXO_IPC_CHANNEL_BROADCAST_ATTACH_H

#include "../fusion_ring/attach.h"
#include "broadcast_wait.h"

/* Offsets of the sender's books. */
struct exo_cast_books {
    exo_size wakers;
    exo_size links;
    exo_size admitted;
    exo_size arena;
    exo_size holding;
    exo_size slot_block;
    exo_size bytes;
};

EXO_INLINE struct exo_cast_books exo_cast_books_pvt(const struct exo_geometry *geometry)
{
    struct exo_cast_books books = {0, 0, 0, 0, 0, 0, 0};
    exo_size seats = geometry->producers;
    books.links = seats * sizeof(struct exo_waker);
    books.admitted = books.links + seats * sizeof(struct exo_cast_link);
    books.arena = (exo_size)exo_align_up(books.admitted + seats * sizeof(exo_u64), EXO_CACHE_LINE);
    books.holding = books.arena + (geometry->blocks == 0 ? 0 : (exo_size)exo_arena_bytes_pvt(geometry->blocks));
    books.slot_block = books.holding + geometry->blocks * sizeof(struct exo_holding);
    books.bytes = books.slot_block + (geometry->blocks == 0 ? 0 : geometry->slots * sizeof(exo_u32));
    books.bytes = (exo_size)exo_align_up(books.bytes, EXO_CACHE_LINE);
    return books;
}

/* Bytes of private memory of one subscriber. */
EXO_INLINE exo_size exo_cast_viewed_bytes_pvt(const struct exo_geometry *geometry)
{
    return geometry->mode == EXO_LATEST ? 0
                                        : (exo_size)exo_align_up((exo_u64)geometry->blocks * sizeof(exo_u32),
                                                                 EXO_CACHE_LINE);
}

EXO_INLINE void exo_publisher_arena_pvt(struct exo_publisher *tx, const struct exo_geometry *geometry, exo_u8 *memory,
                                        exo_u8 *books)
{
    const struct exo_cast_books at = exo_cast_books_pvt(geometry);
    exo_u32 i;
    tx->arena = (struct exo_arena *)EXO_NULL;
    tx->holding = (struct exo_holding *)EXO_NULL;
    tx->slot_block = (exo_u32 *)EXO_NULL;
    if (geometry->blocks == 0) {
        return;
    }
    tx->arena = (struct exo_arena *)(void *)(books + at.arena);
    tx->holding = (struct exo_holding *)(void *)(books + at.holding);
    tx->slot_block = (exo_u32 *)(void *)(books + at.slot_block);
    exo_arena_init_pvt(tx->arena, geometry->blocks, geometry->block_shift, 0);
    tx->arena->memory = memory + geometry->arena_off;
    for (i = 0; i < geometry->blocks; i++) {
        tx->holding[i].holders = 0;
        tx->holding[i].slotted = 0;
    }
    for (i = 0; i < geometry->slots; i++) {
        tx->slot_block[i] = EXO_ARENA_NOWHERE;
    }
}

EXO_INLINE void exo_publisher_sleeper_pvt(struct exo_publisher *tx, exo_u32 spin)
{
    struct exo_sleeper *sleeper = &tx->sleeper;
    sleeper->waiters = &tx->tx->sync.waiters;
    sleeper->event = &tx->tx->sync.event;
    sleeper->spin = spin == 0 ? EXO_SPIN_DEFAULT : spin;
    sleeper->parked = 0;
    sleeper->fenced = !tx->asymmetric;
    sleeper->counted = EXO_FALSE;
    sleeper->shared = tx->profile != EXO_THREADS;
    sleeper->alone = EXO_TRUE;
    sleeper->picky = EXO_FALSE;
    sleeper->slice_ns = 0;
    sleeper->doubt_ns = sleeper->shared && tx->asymmetric ? EXO_PORT_FENCE_DOUBT_NS : 0;
    sleeper->asks = EXO_FALSE;
    sleeper->asked = EXO_FALSE;
    sleeper->bell = 0;
}

/* Make the sending handle of a segment that was made just now. */
EXO_INLINE void exo_publisher_init_pvt(struct exo_publisher *tx, const struct exo_geometry *geometry, void *memory,
                                       void *books, const struct exo_broadcast_config *config)
{
    const struct exo_cast_books at = exo_cast_books_pvt(geometry);
    exo_u8 *base = (exo_u8 *)books;
    exo_u32 i;
    tx->tx = (struct exo_cast_tx *)memory;
    tx->seats = (struct exo_seat *)(void *)(tx->tx + 1);
    tx->lines = (exo_u8 *)memory + geometry->slots_off;
    tx->mask = geometry->slots - 1;
    tx->off_mask = (exo_size)tx->mask << 6;
    tx->fetch = (exo_size)exo_min64(EXO_FETCH_AHEAD, geometry->slots / 4) << 6;
    tx->pos = geometry->start;
    tx->floor = geometry->start;
    tx->limit = EXO_CAST_UNLIMITED;
    tx->latest = geometry->mode == EXO_LATEST;
    tx->profile = geometry->profile;
    tx->seat_count = geometry->producers;
    tx->refused = EXO_OK;
    tx->wakers = (struct exo_waker *)(void *)base;
    tx->links = (struct exo_cast_link *)(void *)(base + at.links);
    tx->admitted = (exo_u64 *)(void *)(base + at.admitted);
    tx->count = 0;
    tx->mask_admitted = 0;
    for (i = 0; i < tx->seat_count; i++) {
        tx->admitted[i] = 0;
    }
    tx->nobody = 0;
    tx->profiler = (struct exo_profiler *)EXO_NULL;
    tx->lobby = &tx->nobody;
    tx->lobby_seen = 0;
    tx->places = (const exo_u8 *)EXO_NULL;
    tx->place_bytes = (exo_size)geometry->rx_bytes;
    tx->lag_ns = config == EXO_NULL || config->lag_ns == 0 ? EXO_LAG_DEFAULT_NS : config->lag_ns;
    tx->starved_ns = 0;
    tx->slotted = 0;
    tx->limbo = EXO_ARENA_NOWHERE;
    tx->release_mask = geometry->release_entries - 1;
    tx->asymmetric = exo_port_fence_setup();
    exo_publisher_arena_pvt(tx, geometry, (exo_u8 *)memory, base);
    exo_publisher_sleeper_pvt(tx, config == EXO_NULL ? 0 : config->spin);
}

/* What a receiving handle is made of. */
struct exo_cast_memory {
    const struct exo_geometry *geometry;
    const void *tx;
    void *rx;
    void *viewed;
    struct exo_port_peer *peer;
    exo_u64 generation;
    exo_u32 seat;
    exo_u32 spin;
    exo_bool asymmetric; /* the sender's process takes part */
};

/* Make a receiving handle for a seat, of a subscriber segment that says so. */
EXO_INLINE void exo_subscriber_init_pvt(struct exo_subscriber *sub, const struct exo_cast_memory *memory)
{
    const struct exo_geometry *geometry = memory->geometry;
    const exo_u8 *tx = (const exo_u8 *)memory->tx;
    exo_u32 i;
    sub->tx = (const struct exo_cast_tx *)memory->tx;
    sub->rx = (struct exo_cast_rx *)memory->rx;
    sub->slots = tx + geometry->slots_off;
    sub->arena = tx + geometry->arena_off;
    sub->arena_size = geometry->arena_size;
    sub->blocks = geometry->blocks;
    sub->mask = geometry->slots - 1;
    sub->seat = &((const struct exo_seat *)(const void *)(sub->tx + 1))[memory->seat].state;
    sub->generation = memory->generation;
    sub->admitted = memory->generation << 8 | EXO_SEAT_ADMITTED;
    sub->taken = &sub->rx->taken.value;
    sub->latest = geometry->mode == EXO_LATEST;
    sub->pos = 0;
    sub->start = 0;
    sub->pace_step = geometry->slots < 8 ? 1 : (exo_u32)exo_min64(geometry->slots / 8, EXO_PACE_STEP);
    sub->pace_at = 0;
    sub->overruns = 0;
    sub->missed = 0;
    sub->missed_all = 0;
    sub->viewed = (exo_u32 *)memory->viewed;
    sub->ring = (struct exo_release_entry *)(void *)(sub->rx + 1);
    sub->ring_mask = geometry->release_entries - 1;
    sub->released = 0;
    for (i = 0; i < EXO_PINS; i++) {
        sub->pins[i] = 0;
    }
    for (i = 0; i < geometry->blocks && !sub->latest; i++) {
        sub->viewed[i] = 0;
    }
    sub->peer = memory->peer;
    exo_sync_join_pvt(&sub->waker, &sub->sleeper, &sub->rx->sync, &sub->tx->sync, geometry, memory->asymmetric);
    sub->waker.counted = EXO_FALSE;
    sub->waker.several = EXO_FALSE;
    sub->sleeper.alone = EXO_TRUE;
    sub->sleeper.counted = EXO_FALSE;
    sub->sleeper.spin = memory->spin == 0 ? EXO_SPIN_DEFAULT : memory->spin;
    (void)exo_subscriber_refuse_pvt(sub, EXO_OK);
}

/**
 * exo_subscriber_leave - subscribe no longer. Views are gone afterwards.
 * @sub: receiving handle; every later call on it answers EXO_CLOSED
 *
 * The sender gives the seat free at its next call.
 * Returns: EXO_OK; EXO_CLOSED if it left before. Context: not from an interrupt.
 */
EXO_INLINE exo_status exo_subscriber_leave(struct exo_subscriber *sub)
{
    exo_u32 i;
    if (sub->refused == EXO_CLOSED) {
        return EXO_CLOSED;
    }
    for (i = 0; i < EXO_PINS; i++) {
        if (sub->pins[i] != 0) {
            exo_subscriber_unpin_pvt(sub, i);
        }
    }
    /* [broadcast:leave] pairs [broadcast:gone], [broadcast:vacated] */
    (void)exo_fetch_or32(&sub->rx->sync.waiters, EXO_WAIT_CLOSED, EXO_RELEASE);
    (void)exo_waker_notify_pvt(&sub->waker, 1);
    (void)exo_subscriber_refuse_pvt(sub, EXO_CLOSED);
    return EXO_OK;
}

#endif
