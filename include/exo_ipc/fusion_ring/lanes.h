/* SPDX-License-Identifier: MIT */
/*
 * Lanes: several rings of one sender and one receiver that lie one behind another in the same two segments.
 *
 *   sender segment    [ ring 0: header .. slots .. arena ][ ring 1 ][ ring 2 ]
 *   receiver segment  [ ring 0: header .. release ring   ][ ring 1 ][ ring 2 ]
 *   books, each side  [ ring 0                           ][ extra: the owner's of the lanes ]
 *
 * Each ring is complete, with a header of its own, so that nothing new is shared and every check of a ring holds for a
 * lane. Only the first lane may have an arena. A plain ring between two processes is the case of a single lane.
 */
#ifndef EXO_IPC_FUSION_RING_LANES_H
#define EXO_IPC_FUSION_RING_LANES_H

#include "segment.h"

#define EXO_LANES_MAX 3u

/**
 * struct exo_lanes - checked numbers of all lanes, private to a side.
 * @count: lanes
 * @kind: what the lanes are for; both ends must agree (0: a ring)
 * @limit: bytes of payload that this side takes in one message with a header; 0: any
 * @lane: their geometries
 * @tx_off, @rx_off: where each begins, in bytes of the segments
 * @tx_bytes, @rx_bytes: of the segments
 * @sender_books, @receiver_books: bytes of private memory of each side, extra included
 * @sender_extra, @receiver_extra: bytes at the end of it that are not the rings'
 */
struct exo_lanes {
    exo_u32 count;
    exo_u32 kind;
    exo_u64 limit;
    struct exo_geometry lane[EXO_LANES_MAX];
    exo_size tx_off[EXO_LANES_MAX];
    exo_size rx_off[EXO_LANES_MAX];
    exo_size tx_bytes;
    exo_size rx_bytes;
    exo_size sender_books;
    exo_size receiver_books;
    exo_size sender_extra;
    exo_size receiver_extra;
};

EXO_INLINE void exo_lanes_clear(struct exo_lanes *lanes, exo_u32 kind)
{
    lanes->count = 0;
    lanes->kind = kind;
    lanes->limit = 0;
    lanes->tx_bytes = 0;
    lanes->rx_bytes = 0;
    lanes->sender_books = 0;
    lanes->receiver_books = 0;
    lanes->sender_extra = 0;
    lanes->receiver_extra = 0;
}

/* The geometry at lane[count] was filled in: place it behind the others. */
EXO_INLINE exo_status exo_lanes_place_pvt(struct exo_lanes *lanes)
{
    const struct exo_geometry *made = &lanes->lane[lanes->count];
    if ((lanes->count != 0 && made->blocks != 0) || made->tx_bytes > EXO_SIZE_MAX / 4 - lanes->tx_bytes ||
        made->rx_bytes > EXO_SIZE_MAX / 4 - lanes->rx_bytes) {
        return EXO_INVALID_SIZE;
    }
    lanes->tx_off[lanes->count] = lanes->tx_bytes;
    lanes->rx_off[lanes->count] = lanes->rx_bytes;
    lanes->tx_bytes += (exo_size)made->tx_bytes;
    lanes->rx_bytes += (exo_size)made->rx_bytes;
    lanes->sender_books += exo_sender_books_bytes(made);
    lanes->receiver_books += exo_receiver_books_bytes(made);
    lanes->count++;
    return EXO_OK;
}

/**
 * exo_lanes_add - one more lane, from a configuration.
 * @lanes: cleared, or with fewer than EXO_LANES_MAX lanes
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE if all do not fit the address space, or another lane than the first has an arena;
 * else as exo_geometry_from_config(). On an error the lanes are as they were. Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_lanes_add(struct exo_lanes *lanes, const struct exo_ring_config *config)
{
    exo_status status;
    if (lanes->count >= EXO_LANES_MAX) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_geometry_from_config(&lanes->lane[lanes->count], config);
    return status == EXO_OK ? exo_lanes_place_pvt(lanes) : status;
}

/**
 * exo_lanes_add_offered - one more lane, from the sender segment of somebody else.
 * @lanes: cleared, or with fewer than EXO_LANES_MAX lanes
 * @tx: the segment, aligned to 128 bytes  @bytes: how much of it is mapped
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE if it does not lie within the segment; else as exo_geometry_from_header().
 * Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_lanes_add_offered(struct exo_lanes *lanes, const void *tx, exo_size bytes)
{
    struct exo_ring_header header;
    exo_status status;
    if (lanes->count >= EXO_LANES_MAX) {
        return EXO_INVALID_ARGUMENT;
    }
    if (!exo_range_ok(lanes->tx_bytes, sizeof(struct exo_tx_segment), bytes)) {
        return EXO_INVALID_SIZE;
    }
    exo_words_load(&header, (const exo_word64 *)(const void *)((const exo_u8 *)tx + lanes->tx_bytes), sizeof(header));
    status = exo_geometry_from_header(&lanes->lane[lanes->count], &header, EXO_MAGIC_TX);
    if (status == EXO_OK) {
        status = exo_lanes_place_pvt(lanes);
    }
    return status == EXO_OK && lanes->tx_bytes > bytes ? EXO_INVALID_SIZE : status;
}

/* Private memory of the lanes' owner, behind the rings' books. */
EXO_INLINE void exo_lanes_add_extra(struct exo_lanes *lanes, exo_size sender, exo_size receiver)
{
    lanes->sender_extra = (exo_size)exo_align_up(sender, EXO_CACHE_LINE);
    lanes->receiver_extra = (exo_size)exo_align_up(receiver, EXO_CACHE_LINE);
    lanes->sender_books += lanes->sender_extra;
    lanes->receiver_books += lanes->receiver_extra;
}

/* Make the sender segment, or the receiver segment, of all lanes; as exo_tx_segment_init(). */
EXO_INLINE EXO_MUST_USE exo_status exo_lanes_init(const struct exo_lanes *lanes, void *memory, exo_size bytes,
                                                  exo_u64 magic)
{
    exo_u32 i;
    exo_size needed = magic == EXO_MAGIC_TX ? lanes->tx_bytes : lanes->rx_bytes;
    exo_status status = exo_segment_check_pvt(memory, bytes, needed);
    for (i = 0; i < lanes->count && status == EXO_OK; i++) {
        const struct exo_geometry *lane = &lanes->lane[i];
        exo_u8 *at = (exo_u8 *)memory + (magic == EXO_MAGIC_TX ? lanes->tx_off[i] : lanes->rx_off[i]);
        status = magic == EXO_MAGIC_TX ? exo_tx_segment_init(at, (exo_size)lane->tx_bytes, lane)
                                       : exo_rx_segment_init(at, (exo_size)lane->rx_bytes, lane);
    }
    if (status == EXO_OK && magic == EXO_MAGIC_RX) {
        ((struct exo_rx_segment *)memory)->header.limit = lanes->limit;
    }
    return status;
}

/* Where one lane lies, to attach a handle to it. The books belong to the first lane. */
EXO_INLINE struct exo_ring_memory exo_lanes_memory(const struct exo_lanes *lanes, exo_u32 i, void *tx, void *rx,
                                                   void *books, exo_size books_bytes)
{
    struct exo_ring_memory memory;
    memory.tx = (exo_u8 *)tx + lanes->tx_off[i];
    memory.tx_bytes = (exo_size)lanes->lane[i].tx_bytes;
    memory.rx = (exo_u8 *)rx + lanes->rx_off[i];
    memory.rx_bytes = (exo_size)lanes->lane[i].rx_bytes;
    memory.books = i == 0 ? books : EXO_NULL;
    memory.books_bytes = i == 0 ? books_bytes : 0;
    return memory;
}

#endif
