/* SPDX-License-Identifier: MIT */
/*
 * A channel within one address space: all segments, books and tables of both ends in one piece of memory, the port's or
 * the caller's.
 */
#ifndef EXO_IPC_CHANNEL_PAIR_H
#define EXO_IPC_CHANNEL_PAIR_H

#include "handle.h"

/**
 * struct exo_channel_pair - both ends' memory. Its members are the library's, but
 * @identity: of end 0 and end 1, what the other end's messages are stamped with; 1 and 2, unless whoever makes the pair
 *   changes them before the ends are opened
 */
struct exo_channel_pair {
    exo_u64 identity[2];
    struct exo_lanes lanes; /* of either direction */
    exo_u8 *memory;
    exo_u32 spin;
    void *owned; /* memory to give back to the port, or null */
    exo_size owned_bytes;
};

/* Bytes of one direction: sender segment, receiver segment, books of either side. */
EXO_INLINE exo_size exo_channel_direction_bytes_pvt(const struct exo_lanes *lanes)
{
    return (exo_size)exo_align_up(lanes->tx_bytes + lanes->rx_bytes + lanes->sender_books + lanes->receiver_books,
                                  EXO_LINE_PAIR);
}

/**
 * exo_channel_pair_bytes - memory that a pair needs.
 * @pair: used as scratch memory
 * @config: of both directions; null means the default
 * @bytes: filled in on success only
 *
 * Returns: as exo_channel_lanes(). Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_pair_bytes(struct exo_channel_pair *pair,
                                                          const struct exo_channel_config *config, exo_size *bytes)
{
    exo_status status = exo_channel_lanes(&pair->lanes, config);
    if (status == EXO_OK) {
        *bytes = 2 * exo_channel_direction_bytes_pvt(&pair->lanes);
    }
    return status;
}

/**
 * exo_channel_pair_init - make a pair in the caller's memory.
 * @pair: the object, in the caller's memory
 * @config: of both directions; null means the default
 * @memory: at least exo_channel_pair_bytes() bytes, aligned to 128, that stay as long as an end is open
 * @bytes: how much there is
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or misaligned memory; EXO_NO_MEMORY if it is too little; else as
 * exo_channel_lanes(). Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_pair_init(struct exo_channel_pair *pair,
                                                         const struct exo_channel_config *config, void *memory,
                                                         exo_size bytes)
{
    exo_size needed = 0;
    exo_size direction;
    exo_u32 i;
    exo_status status = exo_channel_pair_bytes(pair, config, &needed);
    if (status == EXO_OK) {
        status = exo_segment_check_pvt(memory, bytes, needed);
    }
    direction = needed / 2;
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        exo_u8 *tx = (exo_u8 *)memory + i * direction;
        exo_u8 *rx = tx + pair->lanes.tx_bytes;
        status = exo_lanes_init(&pair->lanes, tx, pair->lanes.tx_bytes, EXO_MAGIC_TX);
        if (status == EXO_OK) {
            status = exo_lanes_init(&pair->lanes, rx, pair->lanes.rx_bytes, EXO_MAGIC_RX);
        }
        exo_words_zero_pvt(rx + pair->lanes.rx_bytes, pair->lanes.sender_books + pair->lanes.receiver_books);
    }
    if (status == EXO_OK) {
        pair->identity[0] = 1;
        pair->identity[1] = 2;
        pair->memory = (exo_u8 *)memory;
        pair->spin = config == EXO_NULL ? 0 : config->ring.spin;
        pair->owned = EXO_NULL;
        pair->owned_bytes = 0;
    }
    return status;
}

/**
 * exo_channel_pair_create - make a pair in the port's memory. As exo_channel_pair_init(), and EXO_NO_MEMORY when the
 * port has none. Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_pair_create(struct exo_channel_pair *pair,
                                                           const struct exo_channel_config *config)
{
    exo_size bytes = 0;
    void *memory;
    exo_status status = exo_channel_pair_bytes(pair, config, &bytes);
    if (status != EXO_OK) {
        return status;
    }
    memory = exo_port_page_alloc(bytes);
    if (memory == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    status = exo_channel_pair_init(pair, config, memory, bytes);
    if (status != EXO_OK) {
        exo_port_page_free(memory, bytes);
        return status;
    }
    pair->owned = memory;
    pair->owned_bytes = bytes;
    return EXO_OK;
}

/**
 * exo_channel_pair_destroy - give the memory of exo_channel_pair_create() back. No end may be used afterwards.
 * @pair: harmless if it is destroyed already, or was made by exo_channel_pair_init()
 *
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE void exo_channel_pair_destroy(struct exo_channel_pair *pair)
{
    if (pair->owned != EXO_NULL) {
        exo_port_page_free(pair->owned, pair->owned_bytes);
        pair->owned = EXO_NULL;
        pair->owned_bytes = 0;
    }
}

/**
 * exo_channel_pair_open - open one end of a pair.
 * @pair: the pair
 * @end: 0 or 1
 * @channel: the handle, in the caller's memory; do not move it while it is open
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT; EXO_ALREADY_EXISTS if that end is open; else as exo_channel_attach().
 * Context: not from an interrupt; any thread.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_pair_open(const struct exo_channel_pair *pair, exo_u32 end,
                                                         struct exo_channel *channel)
{
    const struct exo_lanes *lanes = &pair->lanes;
    struct exo_channel_place place;
    exo_u8 *out;
    exo_u8 *in;
    exo_u32 i;
    if (channel == EXO_NULL || end > 1) {
        return EXO_INVALID_ARGUMENT;
    }
    out = pair->memory + end * exo_channel_direction_bytes_pvt(lanes);
    in = pair->memory + (1 - end) * exo_channel_direction_bytes_pvt(lanes);
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        exo_u8 *out_books = out + lanes->tx_bytes + lanes->rx_bytes;
        exo_u8 *in_books = in + lanes->tx_bytes + lanes->rx_bytes + lanes->sender_books;
        place.out[i] = exo_lanes_memory(lanes, i, out, out + lanes->tx_bytes, out_books, lanes->sender_books);
        place.in[i] = exo_lanes_memory(lanes, i, in, in + lanes->tx_bytes, in_books, lanes->receiver_books);
    }
    place.open = out + lanes->tx_bytes + lanes->rx_bytes + lanes->sender_books - lanes->sender_extra;
    place.pending = in + lanes->tx_bytes + lanes->rx_bytes + lanes->sender_books + lanes->receiver_books -
                    lanes->receiver_extra;
    place.spin = pair->spin;
    place.tx_peer = (struct exo_port_peer *)EXO_NULL;
    place.rx_peer = (struct exo_port_peer *)EXO_NULL;
    place.self = pair->identity[end];
    place.peer = pair->identity[1 - end];
    return exo_channel_attach(channel, &place);
}

#endif
