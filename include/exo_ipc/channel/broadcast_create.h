/* SPDX-License-Identifier: MIT */
/*
 * A broadcast within one address space: the sender's segment, a segment for each place, and the private books, in one
 * piece of memory, the port's or the caller's.
 *
 *   | sender segment | lobby | subscriber segment of each place | books of the sender, of each place |
 *
 * Who subscribes claims a place by compare-and-swap, prepares its segment, says that it is ready, and changes the
 * lobby's word. The sender looks at that word in front of every send, and admits. A place can be claimed again when its
 * last holder has left and the sender has ended that seat; so neither ever meets the other's successor.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_CREATE_H
#define EXO_IPC_CHANNEL_BROADCAST_CREATE_H

#include "broadcast_attach.h"

/**
 * struct exo_broadcast - a broadcast in one address space. Its members are the library's.
 */
struct exo_broadcast {
    struct exo_geometry geometry;
    exo_u8 *tx;
    exo_u32 *lobby;
    exo_u8 *places;
    exo_u8 *books;
    exo_u32 spin;
    void *owned; /* memory to give back to the port, or null */
    exo_size owned_bytes;
};

EXO_INLINE exo_size exo_broadcast_needed_pvt(const struct exo_geometry *geometry)
{
    exo_size seats = geometry->producers;
    return (exo_size)geometry->tx_bytes + EXO_LINE_PAIR + seats * (exo_size)geometry->rx_bytes +
           exo_cast_books_pvt(geometry).bytes + seats * exo_cast_viewed_bytes_pvt(geometry);
}

/**
 * exo_broadcast_bytes - memory that a broadcast among threads needs.
 * @config: null means the default
 * @bytes: filled in on success only
 *
 * Returns: as exo_broadcast_geometry(). Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_bytes(const struct exo_broadcast_config *config, exo_size *bytes)
{
    struct exo_geometry geometry;
    exo_status status = exo_broadcast_geometry(&geometry, config);
    if (status == EXO_OK) {
        *bytes = exo_broadcast_needed_pvt(&geometry);
    }
    return status;
}

/**
 * exo_broadcast_init - make a broadcast in the caller's memory.
 * @broadcast: the object, in the caller's memory
 * @config: null means the default
 * @memory: at least exo_broadcast_bytes() bytes, aligned to 128, that stay as long as the broadcast is used
 * @bytes: how much there is
 * @tx: sending handle to fill in; there is one
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or misaligned memory; EXO_NO_MEMORY if it is too little; else as
 * exo_broadcast_geometry(). Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_init(struct exo_broadcast *broadcast,
                                                      const struct exo_broadcast_config *config, void *memory,
                                                      exo_size bytes, struct exo_publisher *tx)
{
    struct exo_geometry geometry;
    exo_status status = exo_broadcast_geometry(&geometry, config);
    exo_u32 i;
    if (status == EXO_OK) {
        status = broadcast == EXO_NULL || tx == EXO_NULL
                     ? EXO_INVALID_ARGUMENT
                     : exo_segment_check_pvt(memory, bytes, exo_broadcast_needed_pvt(&geometry));
    }
    if (status == EXO_OK) {
        status = exo_cast_tx_init_pvt(memory, (exo_size)geometry.tx_bytes, &geometry);
    }
    if (status != EXO_OK) {
        return status;
    }
    broadcast->geometry = geometry;
    broadcast->tx = (exo_u8 *)memory;
    broadcast->lobby = (exo_u32 *)(void *)(broadcast->tx + geometry.tx_bytes);
    broadcast->places = broadcast->tx + geometry.tx_bytes + EXO_LINE_PAIR;
    broadcast->books = broadcast->places + geometry.producers * (exo_size)geometry.rx_bytes;
    broadcast->spin = config == EXO_NULL ? 0 : config->spin;
    broadcast->owned = EXO_NULL;
    broadcast->owned_bytes = 0;
    *broadcast->lobby = 0;
    for (i = 0; i < geometry.producers; i++) {
        status = exo_cast_rx_init_pvt(broadcast->places + i * (exo_size)geometry.rx_bytes,
                                      (exo_size)geometry.rx_bytes, &geometry);
        if (status != EXO_OK) {
            return status;
        }
    }
    exo_publisher_init_pvt(tx, &geometry, memory, broadcast->books, config);
    tx->lobby = broadcast->lobby;
    tx->places = broadcast->places;
    return EXO_OK;
}

/**
 * exo_broadcast_destroy - give the memory of exo_broadcast_create() back. No handle may be used afterwards.
 * @broadcast: harmless if it is destroyed already, or was made by exo_broadcast_init()
 *
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE void exo_broadcast_destroy(struct exo_broadcast *broadcast)
{
    if (broadcast->owned != EXO_NULL) {
        exo_port_page_free(broadcast->owned, broadcast->owned_bytes);
        broadcast->owned = EXO_NULL;
        broadcast->owned_bytes = 0;
    }
}

/**
 * exo_broadcast_create - make a broadcast in the port's memory.
 * @broadcast: the object, in the caller's memory
 * @config: null means the default
 * @tx: sending handle to fill in
 *
 * Returns: EXO_OK; EXO_NO_MEMORY; else as exo_broadcast_init(). On an error nothing is left behind.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_create(struct exo_broadcast *broadcast,
                                                        const struct exo_broadcast_config *config,
                                                        struct exo_publisher *tx)
{
    exo_size bytes = 0;
    void *memory;
    exo_status status = exo_broadcast_bytes(config, &bytes);
    if (status != EXO_OK) {
        return status;
    }
    if (broadcast == EXO_NULL || tx == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    memory = exo_port_page_alloc(bytes);
    if (memory == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    status = exo_broadcast_init(broadcast, config, memory, bytes, tx);
    if (status != EXO_OK) {
        exo_port_page_free(memory, bytes);
        return status;
    }
    broadcast->owned = memory;
    broadcast->owned_bytes = bytes;
    return EXO_OK;
}

EXO_INLINE struct exo_cast_rx *exo_broadcast_place_pvt(const struct exo_broadcast *broadcast, exo_u32 seat)
{
    return (struct exo_cast_rx *)(void *)(broadcast->places + seat * (exo_size)broadcast->geometry.rx_bytes);
}

/* Claim a place that nobody holds. Its generation, or 0. */
EXO_INLINE exo_u64 exo_broadcast_claim_pvt(const struct exo_broadcast *broadcast, exo_u32 seat)
{
    const struct exo_seat *seats = (const struct exo_seat *)(const void *)(broadcast->tx + sizeof(struct exo_cast_tx));
    struct exo_cast_rx *rx = exo_broadcast_place_pvt(broadcast, seat);
    exo_u64 claim = exo_load64(&rx->place.claim, EXO_RELAXED); /* relaxed: checked by the swap */
    exo_u64 state = exo_load64(&seats[seat].state, EXO_ACQUIRE); /* [broadcast:vacant] pairs [broadcast:end] */
    if ((claim & 1) == 0 || state >> 8 != claim >> 1 || ((exo_u32)state & 0xFFu) == EXO_SEAT_ADMITTED) {
        return 0;
    }
    /* [broadcast:vacated] pairs [broadcast:leave] */
    if ((exo_load32(&rx->sync.waiters, EXO_ACQUIRE) & EXO_WAIT_CLOSED) == 0) {
        return 0;
    }
    /* relaxed: what the former holder did was acquired; nobody else comes in between */
    return exo_cas64(&rx->place.claim, &claim, ((claim >> 1) + 1) << 1, EXO_RELAXED) ? (claim >> 1) + 1 : 0;
}

/**
 * exo_broadcast_subscribe - receive what is sent from now on, and perhaps what was sent last.
 * @broadcast: the broadcast
 * @sub: receiving handle to fill in, in the caller's memory
 * @history: how many of the last messages are wanted first; as many as there are still, and all that follow without a gap
 *
 * The sender admits at its next call; until then nothing is received. A message whose sending begins after this call
 * has returned is received.
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS when all places are taken: one that was left is free again after the sender's
 * next call; EXO_CLOSED after exo_broadcast_close(); EXO_INVALID_ARGUMENT.
 * Context: not from an interrupt; any thread. Progress: wait-free.
 */
EXO_OUTLINE EXO_MUST_USE exo_status exo_broadcast_subscribe(const struct exo_broadcast *broadcast,
                                                            struct exo_subscriber *sub, exo_u64 history)
{
    struct exo_cast_memory memory;
    const struct exo_cast_tx *tx;
    struct exo_cast_rx *rx;
    exo_u32 i;
    if (broadcast == EXO_NULL || sub == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    tx = (const struct exo_cast_tx *)(const void *)broadcast->tx;
    if ((exo_load32(&tx->sync.waiters, EXO_RELAXED) & EXO_WAIT_CLOSED) != 0) { /* relaxed: nothing is read after */
        return EXO_CLOSED;
    }
    memory.generation = 0;
    for (memory.seat = 0; memory.seat < broadcast->geometry.producers; memory.seat++) {
        memory.generation = exo_broadcast_claim_pvt(broadcast, memory.seat);
        if (memory.generation != 0) {
            break;
        }
    }
    if (memory.generation == 0) {
        return EXO_ALREADY_EXISTS;
    }
    rx = exo_broadcast_place_pvt(broadcast, memory.seat);
    memory.geometry = &broadcast->geometry;
    memory.tx = tx;
    memory.rx = rx;
    memory.viewed = broadcast->books + exo_cast_books_pvt(&broadcast->geometry).bytes +
                    memory.seat * exo_cast_viewed_bytes_pvt(&broadcast->geometry);
    memory.peer = (struct exo_port_peer *)EXO_NULL;
    memory.spin = broadcast->spin;
    memory.asymmetric = exo_port_fence_setup();
    exo_subscriber_init_pvt(sub, &memory);
    for (i = 0; i < broadcast->geometry.release_entries; i++) {
        exo_store64(&sub->ring[i].tag, 0u, EXO_RELAXED); /* relaxed: [broadcast:claim] */
    }
    exo_store64(sub->taken, 0u, EXO_RELAXED);                /* relaxed: same */
    exo_store64(&rx->place.history, history, EXO_RELAXED);   /* relaxed: same */
    exo_store32(&rx->sync.waiters, 0u, EXO_RELAXED);         /* relaxed: same */
    /* [broadcast:claim] pairs [broadcast:claimed] */
    exo_store64(&rx->place.claim, memory.generation << 1 | 1, EXO_RELEASE);
    /* [broadcast:knock] pairs [broadcast:lobby] */
    (void)exo_fetch_add32(broadcast->lobby, 1u, EXO_RELEASE);
    return EXO_OK;
}

#endif
