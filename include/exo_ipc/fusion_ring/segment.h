/* SPDX-License-Identifier: MIT */
/*
 * Making segments: sizes, headers, first contents. Each segment is initialised by the side that writes it and
 * only read by the other, so that it may be mapped read-only there.
 */
#ifndef EXO_IPC_FUSION_RING_SEGMENT_H
#define EXO_IPC_FUSION_RING_SEGMENT_H

#include "arena.h"
#include "geometry.h"
#include "view.h"

/**
 * struct exo_ring_memory - where one side finds its ring.
 * @tx: sender segment, aligned to 128 bytes; the receiver never writes it
 * @tx_bytes: bytes mapped there
 * @rx: receiver segment, aligned to 128 bytes; the sender never writes it
 * @rx_bytes: bytes mapped there
 * @books: private memory of this side, zeroed, aligned to 64 bytes; null if the ring has no arena
 * @books_bytes: bytes there, at least exo_sender_books_bytes() or exo_receiver_books_bytes()
 */
struct exo_ring_memory {
    void *tx;
    exo_size tx_bytes;
    void *rx;
    exo_size rx_bytes;
    void *books;
    exo_size books_bytes;
};

/* How many arenas one address space keeps books of: threads share them, a process has its own. */
EXO_INLINE exo_u32 exo_books_arenas_pvt(const struct exo_geometry *geometry)
{
    return geometry->profile == EXO_THREADS ? geometry->producers : 1;
}

/* Bytes of private memory for the senders of a ring in one address space. */
EXO_INLINE exo_size exo_sender_books_bytes(const struct exo_geometry *geometry)
{
    return geometry->blocks == 0 ? 0
                                 : (exo_size)(exo_arena_bytes_pvt(geometry->blocks) *
                                              exo_books_arenas_pvt(geometry));
}

/* Bytes of private memory for the receivers of a ring. */
EXO_INLINE exo_size exo_receiver_books_bytes(const struct exo_geometry *geometry)
{
    return geometry->blocks == 0
               ? 0
               : (exo_size)exo_views_bytes_pvt(geometry->viewed_off != 0 ? 0 : geometry->blocks,
                                               geometry->producers);
}

EXO_INLINE exo_status exo_segment_check_pvt(const void *memory, exo_size bytes, exo_u64 needed)
{
    if (memory == EXO_NULL || !exo_is_aligned(memory, EXO_LINE_PAIR)) {
        return EXO_INVALID_ARGUMENT;
    }
    return bytes < needed ? EXO_NO_MEMORY : EXO_OK;
}

EXO_INLINE void exo_header_fill_pvt(struct exo_ring_header *header, const struct exo_geometry *geometry,
                                    exo_u64 magic)
{
    exo_u32 i;
    header->version = EXO_LAYOUT_VERSION;
    header->slots = geometry->slots;
    header->slot_size = 1u << geometry->slot_shift;
    header->mode = geometry->mode & ~EXO_MODE_OWNED;
    header->profile = geometry->profile;
    header->producers = geometry->producers;
    header->arena_size = geometry->arena_size;
    header->block_size = 1u << geometry->block_shift;
    header->asymmetric = exo_port_fence_setup() ? 1u : 0u;
    header->type = geometry->type;
    header->start = geometry->start;
    header->bytes = magic == EXO_MAGIC_TX ? geometry->tx_bytes : geometry->rx_bytes;
    header->limit = 0;
    for (i = 0; i < 6; i++) {
        header->reserved[i] = 0;
    }
    header->magic = magic;
}

/* Zero what every handle reads before anything is published: slots and entries need it only once. */
EXO_INLINE void exo_words_zero_pvt(void *memory, exo_u64 bytes)
{
    exo_word64 *words = (exo_word64 *)memory;
    exo_u64 i;
    for (i = 0; i < bytes / sizeof(exo_word64); i++) {
        words[i] = 0;
    }
}

/**
 * exo_tx_segment_init - make a sender segment.
 * @memory: geometry->tx_bytes of memory, aligned to 128 bytes
 * @bytes: how much there is
 * @geometry: from exo_geometry_from_config()
 *
 * Everything but the arena is zeroed; fresh pages are zero anyway.
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or misaligned memory; EXO_NO_MEMORY if it is too little.
 * Context: the sender's side, before anybody attaches.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_tx_segment_init(void *memory, exo_size bytes,
                                                       const struct exo_geometry *geometry)
{
    struct exo_tx_segment *tx = (struct exo_tx_segment *)memory;
    exo_status status = exo_segment_check_pvt(memory, bytes, geometry->tx_bytes);
    if (status != EXO_OK) {
        return status;
    }
    exo_words_zero_pvt(memory, geometry->arena_off);
    tx->tail.value = geometry->start;
    exo_header_fill_pvt(&tx->header, geometry, EXO_MAGIC_TX);
    return EXO_OK;
}

/**
 * exo_rx_segment_init - make a receiver segment. As exo_tx_segment_init(), with geometry->rx_bytes.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_rx_segment_init(void *memory, exo_size bytes,
                                                       const struct exo_geometry *geometry)
{
    struct exo_rx_segment *rx = (struct exo_rx_segment *)memory;
    exo_status status = exo_segment_check_pvt(memory, bytes, geometry->rx_bytes);
    exo_u64 i;
    if (status != EXO_OK) {
        return status;
    }
    exo_words_zero_pvt(memory, geometry->rx_bytes);
    rx->late.value = geometry->start;
    rx->exact.value = geometry->start;
    for (i = 0; (geometry->mode & EXO_MODE_MC) != 0 && i < geometry->slots; i++) {
        exo_u32 *done = (exo_u32 *)(void *)((exo_u8 *)memory + geometry->done_off);
        exo_u64 pos = geometry->start + i;
        done[(exo_u32)pos & (geometry->slots - 1)] = (exo_u32)(pos - geometry->slots + 1);
    }
    exo_header_fill_pvt(&rx->header, geometry, EXO_MAGIC_RX);
    return EXO_OK;
}

/* Where a receiver's books of the arenas are. */
EXO_INLINE void exo_views_place_pvt(struct exo_views *views, const struct exo_ring_memory *memory,
                                    const struct exo_geometry *geometry)
{
    views->total = geometry->blocks * geometry->producers;
    if (views->total == 0) {
        return;
    }
    views->memory = (const exo_u8 *)memory->tx + geometry->arena_off;
    views->bytes = geometry->arena_size * geometry->producers;
    views->blocks = geometry->blocks;
    views->producers = geometry->producers;
    views->ring = (struct exo_release_entry *)(void *)((exo_u8 *)memory->rx + geometry->release_off);
    views->ring_mask = geometry->release_entries - 1;
    views->released = (exo_word64 *)memory->books;
    views->viewed = (exo_u32 *)(void *)(geometry->viewed_off != 0
                                            ? (exo_u8 *)memory->rx + geometry->viewed_off
                                            : (exo_u8 *)(views->released + geometry->producers));
}

#endif
