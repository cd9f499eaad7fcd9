/* SPDX-License-Identifier: MIT */
/*
 * A ring within one address space: both segments and the books of both sides in one piece of memory, the port's
 * or the caller's. One call makes it with its first two handles.
 */
#ifndef EXO_IPC_FUSION_RING_CREATE_H
#define EXO_IPC_FUSION_RING_CREATE_H

#include "attach.h"

/**
 * struct exo_ring - a ring in one address space. Its members are the library's.
 */
struct exo_ring {
    struct exo_ring_memory sender;
    struct exo_ring_memory receiver;
    exo_u32 spin;
    void *owned; /* memory to give back to the port, or null */
    exo_size owned_bytes;
};

/**
 * exo_ring_bytes - memory that a ring needs.
 * @config: null means the default
 * @bytes: filled in on success only
 *
 * Returns: as exo_geometry_from_config(). Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_ring_bytes(const struct exo_ring_config *config, exo_size *bytes)
{
    struct exo_geometry geometry;
    exo_status status = exo_geometry_from_config(&geometry, config);
    if (status == EXO_OK) {
        *bytes = (exo_size)(geometry.tx_bytes + geometry.rx_bytes) + exo_sender_books_bytes(&geometry) +
                 exo_receiver_books_bytes(&geometry);
    }
    return status;
}

/**
 * exo_ring_init - make a ring in the caller's memory.
 * @ring: the object, in the caller's memory
 * @config: null means the default
 * @memory: at least exo_ring_bytes() bytes, aligned to 128, that stay as long as the ring is used
 * @bytes: how much there is
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or misaligned memory; EXO_NO_MEMORY if it is too little; else as
 * exo_geometry_from_config(). Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_ring_init(struct exo_ring *ring,
                                                 const struct exo_ring_config *config, void *memory,
                                                 exo_size bytes)
{
    struct exo_geometry geometry;
    exo_u8 *at = (exo_u8 *)memory;
    exo_size needed = 0;
    exo_size books;
    exo_status status = exo_geometry_from_config(&geometry, config);
    if (status == EXO_OK) {
        status = exo_ring_bytes(config, &needed);
    }
    if (status == EXO_OK) {
        status = ring == EXO_NULL ? EXO_INVALID_ARGUMENT : exo_segment_check_pvt(memory, bytes, needed);
    }
    if (status != EXO_OK) {
        return status;
    }
    status = exo_tx_segment_init(at, (exo_size)geometry.tx_bytes, &geometry);
    if (status == EXO_OK) {
        status = exo_rx_segment_init(at + geometry.tx_bytes, (exo_size)geometry.rx_bytes, &geometry);
    }
    if (status != EXO_OK) {
        return status;
    }
    ring->sender.tx = at;
    ring->sender.tx_bytes = (exo_size)geometry.tx_bytes;
    ring->sender.rx = at + geometry.tx_bytes;
    ring->sender.rx_bytes = (exo_size)geometry.rx_bytes;
    ring->receiver = ring->sender;
    at += (exo_size)(geometry.tx_bytes + geometry.rx_bytes);
    books = exo_sender_books_bytes(&geometry);
    exo_words_zero_pvt(at, books + exo_receiver_books_bytes(&geometry));
    ring->sender.books = books == 0 ? EXO_NULL : at;
    ring->sender.books_bytes = books;
    ring->receiver.books = books == 0 ? EXO_NULL : at + books;
    ring->receiver.books_bytes = exo_receiver_books_bytes(&geometry);
    ring->spin = config == EXO_NULL ? 0 : config->spin;
    ring->owned = EXO_NULL;
    ring->owned_bytes = 0;
    return EXO_OK;
}

/**
 * exo_ring_sender - one more sender handle of a ring.
 * @ring: the ring  @tx: the handle, in the caller's memory
 *
 * Returns: as exo_sender_attach(): EXO_ALREADY_EXISTS when all producers' places are taken.
 * Context: not from an interrupt; any thread.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_ring_sender(const struct exo_ring *ring, struct exo_sender *tx)
{
    return exo_sender_attach(tx, &ring->sender, ring->spin, (struct exo_port_peer *)EXO_NULL);
}

/**
 * exo_ring_receiver - one more receiver handle of a ring. As exo_ring_sender().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_ring_receiver(const struct exo_ring *ring,
                                                     struct exo_receiver *rx)
{
    return exo_receiver_attach(rx, &ring->receiver, ring->spin, (struct exo_port_peer *)EXO_NULL);
}

/**
 * exo_ring_destroy - give the memory of exo_ring_create() back. No handle may be used afterwards.
 * @ring: harmless if it is destroyed already, or was made by exo_ring_init()
 *
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE void exo_ring_destroy(struct exo_ring *ring)
{
    if (ring->owned != EXO_NULL) {
        exo_port_page_free(ring->owned, ring->owned_bytes);
        ring->owned = EXO_NULL;
        ring->owned_bytes = 0;
    }
}

/**
 * exo_ring_create - make a ring in the port's memory, with a sender and a receiver.
 * @ring: the object, in the caller's memory
 * @config: null means the default
 * @tx: sender handle to fill in, or null
 * @rx: receiver handle to fill in, or null
 *
 * Returns: EXO_OK; EXO_NO_MEMORY; else as exo_ring_init(). On an error nothing is left behind.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_ring_create(struct exo_ring *ring,
                                                   const struct exo_ring_config *config,
                                                   struct exo_sender *tx, struct exo_receiver *rx)
{
    exo_size bytes = 0;
    void *memory;
    exo_status status = exo_ring_bytes(config, &bytes);
    if (status != EXO_OK) {
        return status;
    }
    if (ring == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    memory = exo_port_page_alloc(bytes);
    if (memory == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    status = exo_ring_init(ring, config, memory, bytes);
    if (status != EXO_OK) {
        exo_port_page_free(memory, bytes);
        return status;
    }
    ring->owned = memory;
    ring->owned_bytes = bytes;
    if (tx != EXO_NULL) {
        status = exo_ring_sender(ring, tx);
    }
    if (status == EXO_OK && rx != EXO_NULL) {
        status = exo_ring_receiver(ring, rx);
    }
    if (status != EXO_OK) {
        exo_ring_destroy(ring);
    }
    return status;
}

#endif
