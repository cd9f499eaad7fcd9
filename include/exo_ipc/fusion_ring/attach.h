/* SPDX-License-Identifier: MIT */
/*
 * Handles: attach one to two mapped segments, close it.
 *
 * A handle checks both headers once, from a private copy, and never reads geometry from shared memory again.
 *
 * The private memory of a side, its books (what of the arena is lent, what is viewed), is the caller's. It must
 * be zero before the first attach, outlive the handles, and be kept as it is between them, for a message
 * may outlive the handle that sent it.
 */
#ifndef EXO_IPC_FUSION_RING_ATTACH_H
#define EXO_IPC_FUSION_RING_ATTACH_H

#include "inherit.h"
#include "owner.h"
#include "segment.h"
#include "sync.h"

/* Check both segments from private copies of their headers. */
EXO_INLINE exo_status exo_memory_check_pvt(const struct exo_ring_memory *memory,
                                           struct exo_geometry *geometry, exo_bool *asymmetric)
{
    struct exo_geometry other;
    struct exo_ring_header header;
    exo_status status = exo_segment_check_pvt(memory->tx, memory->tx_bytes, sizeof(struct exo_tx_segment));
    if (status == EXO_OK) {
        status = exo_segment_check_pvt(memory->rx, memory->rx_bytes, sizeof(struct exo_rx_segment));
    }
    if (status != EXO_OK) {
        return status;
    }
    exo_words_load(&header, (const exo_word64 *)memory->tx, sizeof(header));
    *asymmetric = header.asymmetric == 1;
    status = exo_geometry_from_header(geometry, &header, EXO_MAGIC_TX);
    if (status != EXO_OK) {
        return status;
    }
    exo_words_load(&header, (const exo_word64 *)memory->rx, sizeof(header));
    *asymmetric = *asymmetric && header.asymmetric == 1;
    status = exo_geometry_from_header(&other, &header, EXO_MAGIC_RX);
    if (status != EXO_OK) {
        return status;
    }
    if (!exo_geometry_equal(geometry, &other)) {
        return EXO_TYPE_MISMATCH;
    }
    if (memory->tx_bytes < geometry->tx_bytes || memory->rx_bytes < geometry->rx_bytes) {
        return EXO_NO_MEMORY;
    }
    return EXO_OK;
}

EXO_INLINE exo_status exo_books_check_pvt(const struct exo_ring_memory *memory, exo_size needed)
{
    if (needed == 0) {
        return EXO_OK;
    }
    if (memory->books == EXO_NULL || !exo_is_aligned(memory->books, EXO_CACHE_LINE)) {
        return EXO_INVALID_ARGUMENT;
    }
    return memory->books_bytes < needed ? EXO_NO_MEMORY : EXO_OK;
}

/* How the two sides of a ring sleep and wake. */
EXO_INLINE void exo_sync_join_pvt(struct exo_waker *waker, struct exo_sleeper *sleeper,
                                  struct exo_ring_sync *mine, const struct exo_ring_sync *theirs,
                                  const struct exo_geometry *geometry, exo_bool asymmetric)
{
    waker->waiters = &theirs->waiters;
    waker->event = &mine->event;
    waker->fenced = !asymmetric || !exo_port_fence_setup();
    waker->seen = waker->fenced ? 0xFFFFFFFFu : 0;
    waker->woken = 0;
    waker->shared = geometry->profile != EXO_THREADS;
    waker->bell = (struct exo_port_bell *)EXO_NULL;
    waker->profiler = (struct exo_profiler *)EXO_NULL;
    sleeper->waiters = &mine->waiters;
    sleeper->event = &theirs->event;
    sleeper->fenced = waker->fenced;
    sleeper->shared = waker->shared;
    sleeper->parked = 0;
    sleeper->slice_ns = (geometry->mode & EXO_MODE_OWNED) != 0 ? EXO_LIFE_SLICE_NS : 0;
    sleeper->doubt_ns = waker->shared && !waker->fenced ? EXO_PORT_FENCE_DOUBT_NS : 0;
    sleeper->asks = EXO_FALSE;
    sleeper->asked = EXO_FALSE;
    sleeper->picky = EXO_FALSE;
    sleeper->bell = 0;
}

/* One more handle on this side. Reopens a side that was closed. */
EXO_INLINE void exo_sync_open_pvt(struct exo_ring_sync *mine)
{
    /* relaxed: attaching publishes nothing */
    (void)exo_fetch_add32(&mine->open, 1u, EXO_RELAXED);
    (void)exo_fetch_and32(&mine->waiters, ~EXO_WAIT_CLOSED, EXO_RELAXED); /* relaxed: same */
}

/* The arena of producer `index`. In the crash-safe profile a place that had another holder lends nothing: what
 * that one had sent may still be read. */
EXO_INLINE void exo_arena_attach_pvt(struct exo_sender *tx, const struct exo_ring_memory *memory,
                                     const struct exo_geometry *geometry, exo_u32 index)
{
    exo_size bytes = (exo_size)exo_arena_bytes_pvt(geometry->blocks);
    exo_bool threads = geometry->profile == EXO_THREADS;
    exo_size ring_off = (exo_size)geometry->release_off +
                        (exo_size)index * geometry->release_entries * sizeof(struct exo_release_entry);
    struct exo_arena *arena =
        (struct exo_arena *)(void *)((exo_u8 *)memory->books + (threads ? index * bytes : 0));
    if (!threads && tx->claim >> 48 != 1) {
        return;
    }
    if (arena->blocks == 0) {
        exo_arena_init_pvt(arena, geometry->blocks, geometry->block_shift, index * geometry->blocks);
    }
    arena->memory = (exo_u8 *)memory->tx + geometry->arena_off + (exo_size)(index * geometry->arena_size);
    arena->ring = (const struct exo_release_entry *)(const void *)((const exo_u8 *)memory->rx + ring_off);
    arena->ring_mask = geometry->release_entries - 1;
    tx->arena = arena;
    tx->lendable = geometry->blocks;
    tx->lent_from = arena->first + EXO_BLOCK_LENT;
}

/* In slots; in small rings no farther than a quarter, for what lies beyond may not have been read. */
EXO_INLINE exo_size exo_fetch_ahead_pvt(const struct exo_geometry *geometry)
{
    exo_size ahead = (geometry->mode & EXO_MODE_MP) == 0   ? EXO_FETCH_AHEAD
                     : (geometry->mode & EXO_MODE_MC) == 0 ? EXO_FETCH_AHEAD_MPSC
                                                           : EXO_FETCH_AHEAD_MPMC;
    return (exo_size)exo_min64(ahead, geometry->slots / 4);
}

/* Where the ring lies in this address space. */
EXO_INLINE void exo_sender_place_pvt(struct exo_sender *tx, const struct exo_ring_memory *memory,
                                     const struct exo_geometry *geometry)
{
    tx->slot_shift = geometry->slot_shift;
    tx->lines = (exo_u8 *)memory->tx + geometry->slots_off + ((exo_size)1 << geometry->slot_shift) -
                EXO_CACHE_LINE;
    tx->mask = geometry->slots - 1;
    tx->off_mask = (exo_size)tx->mask << geometry->slot_shift;
    tx->fetch = exo_fetch_ahead_pvt(geometry) << geometry->slot_shift;
    tx->producers = geometry->producers;
    tx->mode = geometry->mode;
    tx->refused = EXO_OK;
    tx->done = (const exo_u32 *)(const void *)((const exo_u8 *)memory->rx + geometry->done_off);
    tx->pos = exo_load64(&tx->tx->tail.value, EXO_RELAXED); /* relaxed: ours, or a hint */
    tx->limit = tx->pos;
    tx->deserted = EXO_FALSE;
    tx->asked_ns = 0;
}

/**
 * exo_sender_attach - make a sender handle.
 * @tx: the handle, in the caller's memory
 * @memory: the ring; memory->rx may be mapped read-only
 * @spin: turns to spin before sleeping; 0 means 100
 * @peer: the receiver's process, or null if it cannot die alone
 *
 * With several producers that may die, attach in the process that will use the handle: it is known by its attaching.
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or misaligned memory; EXO_NO_MEMORY if a part is too small;
 * EXO_TYPE_MISMATCH if the segments are none, or of different rings; EXO_VERSION_MISMATCH; EXO_CORRUPT for
 * contradictory headers; EXO_ALREADY_EXISTS if all producers' places are taken.
 * Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sender_attach(struct exo_sender *tx,
                                                     const struct exo_ring_memory *memory, exo_u32 spin,
                                                     struct exo_port_peer *peer)
{
    struct exo_geometry geometry;
    exo_bool asymmetric = EXO_FALSE;
    exo_u32 index = 0;
    exo_status status;
    if (tx == EXO_NULL || memory == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_memory_check_pvt(memory, &geometry, &asymmetric);
    if (status == EXO_OK) {
        status = exo_books_check_pvt(memory, exo_sender_books_bytes(&geometry));
    }
    if (status != EXO_OK) {
        return status;
    }
    tx->tx = (struct exo_tx_segment *)memory->tx;
    tx->rx = (const struct exo_rx_segment *)memory->rx;
    status = exo_owner_claim_pvt(tx, &geometry, &index);
    if (status != EXO_OK) {
        return status;
    }
    exo_sender_place_pvt(tx, memory, &geometry);
    tx->peer = peer;
    exo_sync_join_pvt(&tx->waker, &tx->sleeper, &tx->tx->sync, &tx->rx->sync, &geometry, asymmetric);
    tx->waker.counted = (geometry.mode & EXO_MODE_MC) != 0;
    tx->waker.several = (geometry.mode & EXO_MODE_MP) != 0;
    tx->sleeper.alone = (geometry.mode & EXO_MODE_MP) == 0;
    tx->sleeper.counted = !tx->sleeper.alone && geometry.profile == EXO_THREADS;
    tx->sleeper.spin = spin == 0 ? EXO_SPIN_DEFAULT : spin;
    tx->arena = (struct exo_arena *)EXO_NULL;
    tx->relend = (struct exo_arena *)EXO_NULL;
    tx->lendable = 0;
    if (geometry.blocks != 0) {
        exo_arena_attach_pvt(tx, memory, &geometry, index);
    }
    exo_sync_open_pvt(&tx->tx->sync);
    return EXO_OK;
}

EXO_INLINE void exo_receiver_place_pvt(struct exo_receiver *rx, const struct exo_ring_memory *memory,
                                       const struct exo_geometry *geometry)
{
    rx->slot_shift = geometry->slot_shift;
    rx->lines = (const exo_u8 *)memory->tx + geometry->slots_off +
                ((exo_size)1 << geometry->slot_shift) - EXO_CACHE_LINE;
    rx->mask = geometry->slots - 1;
    rx->off_mask = (exo_size)rx->mask << geometry->slot_shift;
    rx->mode = geometry->mode;
    rx->producers = geometry->producers;
    rx->refused = EXO_OK;
    rx->done = (exo_u32 *)(void *)((exo_u8 *)memory->rx + geometry->done_off);
    rx->exact = &rx->rx->exact.value;
    rx->pos = exo_load64(rx->exact, EXO_RELAXED); /* relaxed: [attach:enter] */
    rx->taken = exo_part_items_pvt(exo_load64(&rx->rx->exact.part, EXO_RELAXED), rx->pos); /* relaxed: same */
    rx->late_step = geometry->slots < 8 ? 1 : (exo_u32)exo_min64(geometry->slots / 8, EXO_PACE_STEP);
    rx->late_at = rx->pos + rx->late_step;
    rx->deserted = EXO_FALSE;
    rx->asked_ns = 0;
    rx->claim_pos = 0;
    rx->claim_ns = 0;
    rx->claim_dead = 0;
}

/* Single consumer: take the receiver's place. Where processes may die the place says who holds it, and a dead one's
 * may be taken. */
EXO_INLINE exo_status exo_receiver_enter_pvt(struct exo_receiver *rx, exo_bool mortal)
{
    struct exo_ring_sync *sync = &rx->rx->sync;
    exo_u64 holder = 0;
    exo_u32 nobody = 0;
    if (!mortal) {
        /* [attach:enter] pairs [attach:exit] */
        return exo_cas32(&sync->open, &nobody, 1u, EXO_ACQUIRE) ? EXO_OK : EXO_ALREADY_EXISTS;
    }
    holder = exo_load64(&sync->holder, EXO_RELAXED); /* relaxed: checked by the swap */
    if (holder != 0 && exo_port_process_alive(holder)) {
        return EXO_ALREADY_EXISTS;
    }
    /* [attach:succeed] pairs [attach:resign] */
    if (!exo_cas64(&sync->holder, &holder, exo_port_process(), EXO_ACQUIRE)) {
        return EXO_ALREADY_EXISTS;
    }
    exo_store32(&sync->open, 1u, EXO_RELAXED); /* relaxed: tells users, decides nothing */
    return EXO_OK;
}

/**
 * exo_receiver_attach - make a receiver handle.
 * @rx: the handle, in the caller's memory
 * @memory: the ring; memory->tx may be mapped read-only
 * @spin: turns to spin before sleeping; 0 means 100
 * @peer: the sender's process, or null if it cannot die alone
 *
 * In the crash-safe profile the place of a receiver whose process is dead is taken over: what that one had not given
 * back comes again (the message it was taking when it died, perhaps), nothing else does. What it was viewing goes back
 * to the senders.
 *
 * Returns: as exo_sender_attach(); EXO_ALREADY_EXISTS if the ring has one consumer and somebody is attached.
 * Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_receiver_attach(struct exo_receiver *rx,
                                                       const struct exo_ring_memory *memory,
                                                       exo_u32 spin, struct exo_port_peer *peer)
{
    struct exo_geometry geometry;
    exo_bool asymmetric = EXO_FALSE;
    exo_status status;
    if (rx == EXO_NULL || memory == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_memory_check_pvt(memory, &geometry, &asymmetric);
    if (status == EXO_OK) {
        status = exo_books_check_pvt(memory, exo_receiver_books_bytes(&geometry));
    }
    if (status != EXO_OK) {
        return status;
    }
    rx->tx = (const struct exo_tx_segment *)memory->tx;
    rx->rx = (struct exo_rx_segment *)memory->rx;
    if ((geometry.mode & EXO_MODE_MC) == 0) {
        status = exo_receiver_enter_pvt(rx, geometry.profile != EXO_THREADS);
        if (status != EXO_OK) {
            return status;
        }
        (void)exo_fetch_and32(&rx->rx->sync.waiters, ~EXO_WAIT_CLOSED, EXO_RELAXED); /* relaxed: a flag */
    } else {
        exo_sync_open_pvt(&rx->rx->sync);
    }
    exo_receiver_place_pvt(rx, memory, &geometry);
    rx->peer = peer;
    exo_views_place_pvt(&rx->views, memory, &geometry);
    if (geometry.blocks != 0 && geometry.profile != EXO_THREADS) {
        exo_views_recover_pvt(&rx->views);
    }
    exo_sync_join_pvt(&rx->waker, &rx->sleeper, &rx->rx->sync, &rx->tx->sync, &geometry, asymmetric);
    rx->waker.counted = (geometry.mode & EXO_MODE_MP) != 0 && geometry.profile == EXO_THREADS;
    rx->waker.several = (geometry.mode & EXO_MODE_MC) != 0;
    rx->sleeper.alone = (geometry.mode & EXO_MODE_MC) == 0;
    rx->sleeper.counted = !rx->sleeper.alone;
    rx->sleeper.spin = spin == 0 ? EXO_SPIN_DEFAULT : spin;
    if (geometry.viewed_off != 0 && exo_views_inherit_pvt(rx) != 0) {
        exo_notify_writers(rx);
    }
    return EXO_OK;
}

/**
 * exo_sender_close - give a sender handle up. What it sent can still be received.
 * @tx: the handle; every later call on it answers EXO_CLOSED
 *
 * When the last sender of a ring closes, receivers get EXO_CLOSED after the last message. Loans that were not
 * sent go back to the arena with the ring; reservations must be committed or aborted first.
 * Returns: EXO_OK; EXO_CLOSED if it was closed before.
 * Context: not from an interrupt.
 */
EXO_INLINE exo_status exo_sender_close(struct exo_sender *tx)
{
    exo_bool last;
    if (tx->owner == EXO_NULL) {
        return EXO_CLOSED;
    }
    if ((tx->mode & EXO_MODE_MP) == 0) {
        exo_store64(&tx->tx->tail.value, tx->pos, EXO_RELAXED); /* relaxed: [attach:leave] */
    }
    /* [ring:tx_left] pairs [ring:tx_left] */
    last = exo_fetch_add32(&tx->tx->sync.open, 0u - 1u, EXO_ACQ_REL) == 1;
    if ((tx->mode & EXO_MODE_OWNED) != 0) {
        last = exo_owner_leaves_last_pvt(tx);
    }
    if (last) {
        /* [ring:tx_close] pairs [ring:closed_seen] */
        (void)exo_fetch_or32(&tx->tx->sync.waiters, EXO_WAIT_CLOSED, EXO_RELEASE);
        exo_notify_readers(tx);
    }
    exo_owner_leave_pvt(tx);
    tx->owner = (struct exo_owner *)EXO_NULL;
    (void)exo_tx_refuse_pvt(tx, EXO_CLOSED);
    return EXO_OK;
}

/**
 * exo_receiver_close - give a receiver handle up. Senders get EXO_CLOSED when the last one has gone.
 * @rx: the handle; every later call on it answers EXO_CLOSED. Release all views first.
 *
 * Returns: EXO_OK; EXO_CLOSED if it was closed before. Context: not from an interrupt.
 */
EXO_INLINE exo_status exo_receiver_close(struct exo_receiver *rx)
{
    exo_bool last = (rx->mode & EXO_MODE_MC) == 0;
    if (rx->exact == &rx->pos) {
        return EXO_CLOSED;
    }
    if (last) {
        exo_store64(&rx->rx->exact.part, rx->pos << 8 | rx->taken, EXO_RELAXED); /* relaxed: [ring:rx_close] */
    } else {
        /* [ring:rx_left] pairs [ring:rx_left] */
        last = exo_fetch_add32(&rx->rx->sync.open, 0u - 1u, EXO_ACQ_REL) == 1;
    }
    if (last) {
        /* [ring:rx_close] pairs [ring:rx_gone] */
        (void)exo_fetch_or32(&rx->rx->sync.waiters, EXO_WAIT_CLOSED, EXO_RELEASE);
        exo_notify_writers(rx);
    }
    if ((rx->mode & EXO_MODE_MC) == 0) {
        /* [attach:exit] pairs [attach:enter] */
        exo_store32(&rx->rx->sync.open, 0u, EXO_RELEASE);
        /* [attach:resign] pairs [attach:succeed] */
        exo_store64(&rx->rx->sync.holder, 0u, EXO_RELEASE);
    }
    (void)exo_rx_refuse_pvt(rx, EXO_CLOSED);
    rx->exact = &rx->pos;
    return EXO_OK;
}

#endif
