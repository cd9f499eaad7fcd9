/* SPDX-License-Identifier: MIT */
/*
 * From a configuration, or from the header of a foreign segment, to checked private numbers. After attach
 * nobody reads geometry from shared memory again.
 */
#ifndef EXO_IPC_FUSION_RING_GEOMETRY_H
#define EXO_IPC_FUSION_RING_GEOMETRY_H

#include "layout.h"

#define EXO_SLOTS_DEFAULT 256u
#define EXO_ARENA_DEFAULT 32768u
#define EXO_ARENA_NONE EXO_SIZE_MAX
#define EXO_PRODUCERS_DEFAULT 16u
#define EXO_PRODUCERS_MAX 256u

/**
 * struct exo_ring_config - what a ring shall be. All zero is a sensible default: one producer, one consumer,
 * threads, 256 slots of 64 bytes, 32 KiB of arena.
 * @slots: capacity in slots, a power of two from 2 to 2^31; 0 means 256
 * @slot_size: bytes of a slot, 64, or 128 for messages with headers; 0 means 64
 * @mode: EXO_SPSC, EXO_MPSC, EXO_SPMC or EXO_MPMC, EXO_POLLED added if nobody will ever sleep
 * @profile: EXO_THREADS, EXO_CRASH_SAFE or EXO_HOSTILE
 * @producers: sender handles at the same time at most, each with its own arena; 0 means 1, or 16 with mp
 * @spin: turns a waiter spins before it sleeps; 0 means 100
 * @arena_size: bytes of each producer's arena for zero-copy, rounded up to blocks; 0 means 32 KiB,
 *   EXO_ARENA_NONE none
 * @block_size: grain of the arena in bytes, a power of two from 64 to 2^30; 0 chooses by arena_size
 * @type: any number that both ends must agree on; 0 is a value like others
 * @start: the ring's first position; 0 for everybody but tests of wrap-around
 *
 * Several consumers (mc) exist in the profile EXO_THREADS only; several producers (mp) in EXO_THREADS and
 * EXO_CRASH_SAFE. Hostile senders get a ring each.
 */
struct exo_ring_config {
    exo_u32 slots;
    exo_u32 slot_size;
    exo_u32 mode;
    exo_u32 profile;
    exo_u32 producers;
    exo_u32 spin;
    exo_size arena_size;
    exo_size block_size;
    exo_u64 type;
    exo_u64 start;
};

/* Checked numbers, private to a side. */
struct exo_geometry {
    exo_u32 slots;
    exo_u32 slot_shift;
    exo_u32 mode; /* with EXO_MODE_OWNED where it applies */
    exo_u32 profile;
    exo_u32 producers;
    exo_u32 block_shift;
    exo_u32 blocks;          /* in each arena; 0: no arena */
    exo_u32 release_entries; /* in each release ring: blocks rounded up to a power of two, 2 at least */
    exo_u64 arena_size;      /* of each producer */
    exo_u64 type;
    exo_u64 start;
    exo_u64 slots_off; /* in the sender segment */
    exo_u64 arena_off; /* in the sender segment */
    exo_u64 done_off;  /* in the receiver segment */
    exo_u64 release_off;
    exo_u64 viewed_off; /* 0: not shared */
    exo_u64 tx_bytes;
    exo_u64 rx_bytes;
};

EXO_INLINE exo_status exo_geometry_check_mode_pvt(exo_u32 mode, exo_u32 profile, exo_u32 producers)
{
    if (mode > (EXO_MPMC | EXO_POLLED) || profile > EXO_HOSTILE) {
        return EXO_INVALID_ARGUMENT;
    }
    if ((mode & EXO_MODE_MC) != 0 && profile != EXO_THREADS) {
        return EXO_NOT_SUPPORTED;
    }
    if ((mode & EXO_MODE_MP) != 0 && profile == EXO_HOSTILE) {
        return EXO_NOT_SUPPORTED;
    }
    if (producers == 0 || producers > EXO_PRODUCERS_MAX) {
        return EXO_INVALID_ARGUMENT;
    }
    return (mode & EXO_MODE_MP) == 0 && producers != 1 ? EXO_INVALID_ARGUMENT : EXO_OK;
}

/* Arena and block count. An arena may use at most 2^31 blocks in all, for a block's number is 32 bits. */
EXO_INLINE exo_status exo_geometry_check_arena_pvt(struct exo_geometry *geometry, exo_u64 block_size)
{
    if (!exo_is_pow2(block_size) || block_size < 64 || block_size > (1u << 30)) {
        return EXO_INVALID_SIZE;
    }
    geometry->block_shift = exo_log2(block_size);
    exo_u64 blocks = geometry->arena_size >> geometry->block_shift;
    if (blocks << geometry->block_shift != geometry->arena_size || blocks > (1u << 31) ||
        blocks * geometry->producers > (1u << 31)) {
        return EXO_INVALID_SIZE;
    }
    geometry->blocks = (exo_u32)blocks;
    /* Two at least, so that a release that its writer's death cut short has never overwritten the last whole one. */
    geometry->release_entries = blocks == 0 ? 0 : 1u << (blocks <= 2 ? 1 : exo_log2(blocks - 1) + 1);
    return EXO_OK;
}

/* Offsets and sizes; every term is below 2^62, so that no sum wraps. */
EXO_INLINE exo_status exo_geometry_place_pvt(struct exo_geometry *geometry)
{
    exo_u64 page = exo_min64((exo_u64)1 << geometry->block_shift, 4096);
    exo_u64 owners = (exo_u64)geometry->producers * sizeof(struct exo_owner);
    geometry->slots_off = exo_align_up(sizeof(struct exo_tx_segment) + owners, EXO_LINE_PAIR);
    exo_u64 slots_end = geometry->slots_off + ((exo_u64)geometry->slots << geometry->slot_shift);
    geometry->arena_off = exo_align_up(slots_end, page < 128 ? 128 : page);
    geometry->tx_bytes = exo_align_up(
        geometry->arena_off + geometry->arena_size * geometry->producers, EXO_LINE_PAIR);
    geometry->done_off = sizeof(struct exo_rx_segment);
    exo_u64 done_bytes = (geometry->mode & EXO_MODE_MC) != 0 ? (exo_u64)geometry->slots * 4 : 0;
    geometry->release_off = exo_align_up(geometry->done_off + done_bytes, EXO_LINE_PAIR);
    exo_u64 end = geometry->release_off + (exo_u64)geometry->release_entries * geometry->producers *
                                              sizeof(struct exo_release_entry);
    if (geometry->profile == EXO_CRASH_SAFE && geometry->blocks != 0) {
        geometry->viewed_off = exo_align_up(end, EXO_LINE_PAIR);
        end = geometry->viewed_off + (exo_u64)geometry->blocks * geometry->producers * sizeof(exo_u32);
    }
    geometry->rx_bytes = exo_align_up(end, EXO_LINE_PAIR);
    if (geometry->tx_bytes > EXO_SIZE_MAX / 2 || geometry->rx_bytes > EXO_SIZE_MAX / 2) {
        return EXO_INVALID_SIZE;
    }
    return EXO_OK;
}

/* The part that a configuration and a foreign header share. */
EXO_INLINE exo_status exo_geometry_finish_pvt(struct exo_geometry *geometry, exo_u32 slot_size,
                                              exo_u64 block_size)
{
    exo_status status =
        exo_geometry_check_mode_pvt(geometry->mode, geometry->profile, geometry->producers);
    if (status != EXO_OK) {
        return status;
    }
    if (!exo_is_pow2(geometry->slots) || geometry->slots < 2 ||
        (slot_size != EXO_CACHE_LINE && slot_size != 2 * EXO_CACHE_LINE)) {
        return EXO_INVALID_SIZE;
    }
    geometry->slot_shift = exo_log2(slot_size);
    status = exo_geometry_check_arena_pvt(geometry, block_size);
    if (status != EXO_OK) {
        return status;
    }
    if ((geometry->mode & EXO_MODE_MP) != 0 && geometry->profile == EXO_CRASH_SAFE) {
        geometry->mode |= EXO_MODE_OWNED;
    }
    return exo_geometry_place_pvt(geometry);
}

EXO_INLINE exo_u64 exo_block_size_default_pvt(exo_u64 arena_size)
{
    exo_u64 block = 512;
    while (block < 4096 && block * 4096 < arena_size) {
        block *= 2;
    }
    return block;
}

/**
 * exo_geometry_from_config - check a configuration and derive all sizes from it.
 * @geometry: zeroed on an error
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for an unknown mode or profile, or more producers than the mode or
 * EXO_PRODUCERS_MAX allows; EXO_INVALID_SIZE for slots that are 1, not a power of two or over 2^31, for
 * a slot or block size that is none, and for sizes beyond the address space; EXO_NOT_SUPPORTED for a
 * mode that the profile does not have.
 * Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_geometry_from_config(struct exo_geometry *geometry,
                                                            const struct exo_ring_config *config)
{
    static const struct exo_ring_config zero = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct exo_geometry made = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    if (geometry == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    *geometry = made;
    if (config == EXO_NULL) {
        config = &zero;
    }
    exo_bool mp = (config->mode & EXO_MODE_MP) != 0;
    exo_u64 arena = config->arena_size == 0 ? EXO_ARENA_DEFAULT : config->arena_size;
    exo_u64 block = config->block_size;
    if (config->arena_size == EXO_ARENA_NONE) {
        arena = 0;
    } else if (arena > EXO_SIZE_MAX / 4) {
        return EXO_INVALID_SIZE;
    }
    if (block == 0) {
        block = exo_block_size_default_pvt(arena);
    }
    made.slots = config->slots == 0 ? EXO_SLOTS_DEFAULT : config->slots;
    made.mode = config->mode;
    made.profile = config->profile;
    made.producers = config->producers != 0 ? config->producers : mp ? EXO_PRODUCERS_DEFAULT : 1;
    made.arena_size = exo_is_pow2(block) ? exo_align_up(arena, block) : arena;
    made.type = config->type;
    made.start = config->start;
    exo_status status = exo_geometry_finish_pvt(
        &made, config->slot_size == 0 ? EXO_CACHE_LINE : config->slot_size, block);
    if (status == EXO_OK) {
        *geometry = made;
    }
    return status;
}

/**
 * exo_geometry_from_header - check the header of a segment that somebody else made.
 * @geometry: zeroed on an error
 * @header: a private copy of the header
 * @magic: EXO_MAGIC_TX or EXO_MAGIC_RX, the kind of segment expected
 *
 * Returns: EXO_OK; EXO_TYPE_MISMATCH if it is no such segment; EXO_VERSION_MISMATCH; EXO_CORRUPT if its
 * numbers contradict each other.
 * Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_geometry_from_header(struct exo_geometry *geometry,
                                                            const struct exo_ring_header *header,
                                                            exo_u64 magic)
{
    struct exo_geometry made = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    *geometry = made;
    if (header->magic != magic) {
        return EXO_TYPE_MISMATCH;
    }
    if (header->version != EXO_LAYOUT_VERSION) {
        return EXO_VERSION_MISMATCH;
    }
    made.slots = header->slots;
    made.mode = header->mode;
    made.profile = header->profile;
    made.producers = header->producers;
    made.arena_size = header->arena_size;
    made.type = header->type;
    made.start = header->start;
    if (made.arena_size > EXO_SIZE_MAX / 4 ||
        exo_geometry_finish_pvt(&made, header->slot_size, header->block_size) != EXO_OK ||
        header->bytes != (magic == EXO_MAGIC_TX ? made.tx_bytes : made.rx_bytes)) {
        return EXO_CORRUPT;
    }
    *geometry = made;
    return EXO_OK;
}

/* Whether two segments belong to one ring. */
EXO_INLINE exo_bool exo_geometry_equal(const struct exo_geometry *a, const struct exo_geometry *b)
{
    return a->slots == b->slots && a->slot_shift == b->slot_shift && a->mode == b->mode &&
           a->profile == b->profile && a->producers == b->producers && a->block_shift == b->block_shift &&
           a->arena_size == b->arena_size && a->type == b->type && a->start == b->start;
}

#endif
