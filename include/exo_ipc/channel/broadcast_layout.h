/* SPDX-License-Identifier: MIT */
/*
 * What lies in shared memory when one sender broadcasts to many, and nothing else: one segment that the sender
 * writes, and one for each subscriber, which that one writes. Each side may map the other's read-only.
 *
 *   sender segment                                subscriber segment
 *   +0    header: geometry, constant              +0    header: geometry, constant
 *   +128  sync: event, waiters                    +128  sync: event, waiters
 *   +256  marks: tail, floor                      +256  place: who holds it, what it wants (threads)
 *   +384  seats[subscribers], slots[n],           +384  taken: messages consumed so far
 *         the arena                               +512  pins[16]: blocks being read (latest)
 *                                                 +640  the release ring (reliable)
 *
 * A slot is one line: 56 bytes of payload, then the control word, stored last.
 *
 *   control   bits 0..3   kind; 0 is what fresh memory holds and means "nothing"
 *             bits 4..9   length of an inline message, 0 to 56
 *             bits 10..63 low 54 bits of position + 1
 *
 * Other than a ring's, this control word is compared by distance: a subscriber may come back after any number of laps,
 * and must know how many. 54 bits last for years at full speed.
 *
 * seat      the sender's word about one subscriber: generation << 8 | code. A seat of another generation than the
 *           subscriber's own means that it is not admitted yet.
 * taken     counted from the seat's start, for the subscriber does not know that before it is admitted.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_LAYOUT_H
#define EXO_IPC_CHANNEL_BROADCAST_LAYOUT_H

#include "../fusion_ring/geometry.h"
#include "../fusion_ring/segment.h"

#define EXO_MAGIC_BROADCAST_TX 0x7865746163626F00ull
#define EXO_MAGIC_BROADCAST_RX 0x7865726163626F00ull

/* Policies: the sender waits for the slowest, or overwrites what is old. */
#define EXO_RELIABLE 0u
#define EXO_LATEST 1u

#define EXO_SUBSCRIBERS_MAX 64u

/* Blocks that one subscriber can have pinned; the last is for exo_subscriber_recv(). */
#define EXO_PINS 16u

/* How long a subscriber may hold the sender back, where the configuration does not say. */
#define EXO_LAG_DEFAULT_NS 1000000000u

/* Kinds of slot. */
#define EXO_CAST_NONE 0u
#define EXO_CAST_INLINE 1u
#define EXO_CAST_LOAN 2u    /* the line holds a struct exo_descriptor */
#define EXO_CAST_WRITING 3u /* latest: the payload is being overwritten */
#define EXO_CAST_RETIRED 4u /* latest: overwritten before its time, because the arena was short */

/* Codes of a seat. All but ADMITTED are final for their generation. */
#define EXO_SEAT_NONE 0u
#define EXO_SEAT_ADMITTED 1u
#define EXO_SEAT_LAGGED 2u
#define EXO_SEAT_CORRUPT 3u
#define EXO_SEAT_LEFT 4u
#define EXO_SEAT_DIED 5u

struct exo_cast_marks {
    exo_word64 tail;  /* next position; reliable: when somebody was let go last */
    exo_word64 floor; /* messages below it are gone, though their slots were not written again */
    exo_word64 reserved[14];
};

struct exo_seat {
    exo_word64 state; /* generation << 8 | code */
    exo_word64 start; /* position of the first message for this subscriber */
};

struct exo_cast_tx {
    struct exo_ring_header header;
    struct exo_ring_sync sync;
    struct exo_cast_marks marks;
};

/* Among threads a place is claimed by whoever wants to subscribe. */
struct exo_cast_place {
    exo_word64 claim;   /* generation << 1 | 1 once the segment is ready for the sender */
    exo_word64 history; /* how many of the last messages are wanted */
    exo_word64 reserved[14];
};

struct exo_cast_rx {
    struct exo_ring_header header;
    struct exo_ring_sync sync;
    struct exo_cast_place place;
    struct exo_position taken;
    exo_word64 pins[EXO_PINS]; /* tokens; 0: none */
};

EXO_STATIC_ASSERT(sizeof(struct exo_cast_marks) == EXO_LINE_PAIR, "marks are a line pair");
EXO_STATIC_ASSERT(sizeof(struct exo_seat) == 16, "seat");
EXO_STATIC_ASSERT(sizeof(struct exo_cast_tx) == 384, "sender segment");
EXO_STATIC_ASSERT(sizeof(struct exo_cast_place) == EXO_LINE_PAIR, "place is a line pair");
EXO_STATIC_ASSERT(sizeof(struct exo_cast_rx) == 640, "subscriber segment");

EXO_HOT exo_u64 exo_cast_control_pvt(exo_u64 pos, exo_u32 kind, exo_u32 len)
{
    return (pos + 1) << 10 | len << 4 | kind;
}
EXO_HOT exo_u32 exo_cast_kind_pvt(exo_u64 control)
{
    return (exo_u32)control & 15u;
}
EXO_HOT exo_u32 exo_cast_len_pvt(exo_u64 control)
{
    return (exo_u32)control >> 4 & 63u;
}
/* By how many positions the slot's message is ahead of pos; negative: behind. */
EXO_HOT exo_i64 exo_cast_ahead_pvt(exo_u64 control, exo_u64 pos)
{
    return (exo_i64)((control & ~(exo_u64)1023) - ((pos + 1) << 10)) >> 10;
}

/**
 * struct exo_broadcast_config - what a broadcast shall be. All zero is a sensible default: reliable, among threads, 256
 * slots, 32 KiB of arena, 64 subscribers, one second of lag.
 * @slots: messages kept, a power of two from 2 to 2^31; 0 means 256
 * @subscribers: at the same time at most, up to EXO_SUBSCRIBERS_MAX (64); 0 means 64
 * @policy: EXO_RELIABLE: the sender is held back by the slowest, for lag_ns at most; EXO_LATEST: old messages are
 *   overwritten, and who missed them is told how many
 * @profile: EXO_THREADS, EXO_CRASH_SAFE or EXO_HOSTILE
 * @spin: turns a waiter spins before it sleeps; 0 means 100
 * @arena_size: bytes for messages over 56 bytes, rounded up to blocks; 0 means 32 KiB, EXO_ARENA_NONE none
 * @block_size: grain of the arena in bytes, a power of two from 64 to 2^30; 0 chooses by arena_size
 * @lag_ns: how long one subscriber may hold the sender back, nanoseconds, before it is cut off; 0 means 1 s,
 *   EXO_FOREVER never
 * @type: any number that both sides must agree on
 * @start: the first position, below 2^63; 0 for everybody but tests of wrap-around
 */
struct exo_broadcast_config {
    exo_u32 slots;
    exo_u32 subscribers;
    exo_u32 policy;
    exo_u32 profile;
    exo_u32 spin;
    exo_size arena_size;
    exo_size block_size;
    exo_u64 lag_ns;
    exo_u64 type;
    exo_u64 start;
};

/* Offsets and sizes, in a ring's geometry: `mode` is the policy, `producers` the number of seats. */
EXO_INLINE exo_status exo_cast_place_pvt(struct exo_geometry *geometry)
{
    exo_u64 page = exo_min64((exo_u64)1 << geometry->block_shift, 4096);
    exo_u64 seats = (exo_u64)geometry->producers * sizeof(struct exo_seat);
    geometry->slots_off = exo_align_up(sizeof(struct exo_cast_tx) + seats, EXO_LINE_PAIR);
    geometry->arena_off = exo_align_up(geometry->slots_off + (exo_u64)geometry->slots * EXO_CACHE_LINE,
                                       page < EXO_LINE_PAIR ? EXO_LINE_PAIR : page);
    geometry->tx_bytes = exo_align_up(geometry->arena_off + geometry->arena_size, EXO_LINE_PAIR);
    geometry->release_off = sizeof(struct exo_cast_rx);
    geometry->rx_bytes = exo_align_up(geometry->release_off + (exo_u64)geometry->release_entries *
                                                                  sizeof(struct exo_release_entry),
                                      EXO_LINE_PAIR);
    return geometry->tx_bytes > EXO_SIZE_MAX / 2 || geometry->rx_bytes > EXO_SIZE_MAX / 256 ? EXO_INVALID_SIZE
                                                                                            : EXO_OK;
}

/* The part that a configuration and a foreign header share. */
EXO_INLINE exo_status exo_cast_finish_pvt(struct exo_geometry *geometry, exo_u32 seats, exo_u64 block_size)
{
    exo_status status;
    if (geometry->mode > EXO_LATEST || geometry->profile > EXO_HOSTILE || seats == 0 ||
        seats > EXO_SUBSCRIBERS_MAX || geometry->start >> 63 != 0) { /* positions are never compared round 2^64 */
        return EXO_INVALID_ARGUMENT;
    }
    if (!exo_is_pow2(geometry->slots) || geometry->slots < 2) {
        return EXO_INVALID_SIZE;
    }
    geometry->slot_shift = 6;
    geometry->producers = 1; /* one arena */
    status = exo_geometry_check_arena_pvt(geometry, block_size);
    if (status != EXO_OK) {
        return status;
    }
    geometry->producers = seats;
    geometry->release_entries = geometry->mode == EXO_LATEST ? 0 : geometry->release_entries;
    return exo_cast_place_pvt(geometry);
}

/**
 * exo_broadcast_geometry - check a configuration and derive all sizes from it.
 * @geometry: zeroed on an error
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for an unknown policy or profile, a start too high, or more than 64 subscribers;
 * EXO_INVALID_SIZE for slots that are 1, not a power of two or over 2^31, for a block size that is none, and for
 * sizes beyond the address space.
 * Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_geometry(struct exo_geometry *geometry,
                                                          const struct exo_broadcast_config *config)
{
    static const struct exo_broadcast_config zero = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct exo_geometry made = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    exo_u64 arena;
    exo_u64 block;
    exo_status status;
    if (geometry == EXO_NULL) {
        return EXO_INVALID_ARGUMENT;
    }
    *geometry = made;
    config = config == EXO_NULL ? &zero : config;
    arena = config->arena_size == 0 ? EXO_ARENA_DEFAULT : config->arena_size;
    if (config->arena_size == EXO_ARENA_NONE) {
        arena = 0;
    } else if (arena > EXO_SIZE_MAX / 4) {
        return EXO_INVALID_SIZE;
    }
    block = config->block_size == 0 ? exo_block_size_default_pvt(arena) : config->block_size;
    made.slots = config->slots == 0 ? EXO_SLOTS_DEFAULT : config->slots;
    made.mode = config->policy;
    made.profile = config->profile;
    made.arena_size = exo_is_pow2(block) ? exo_align_up(arena, block) : arena;
    made.type = config->type;
    made.start = config->start;
    status = exo_cast_finish_pvt(&made, config->subscribers == 0 ? EXO_SUBSCRIBERS_MAX : config->subscribers, block);
    if (status == EXO_OK) {
        *geometry = made;
    }
    return status;
}

/* Check the header of a foreign segment, from a private copy. As exo_geometry_from_header(). */
EXO_INLINE exo_status exo_cast_from_header_pvt(struct exo_geometry *geometry,
                                               const struct exo_ring_header *header, exo_u64 magic)
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
    made.arena_size = header->arena_size;
    made.type = header->type;
    made.start = header->start;
    if (header->slot_size != EXO_CACHE_LINE || made.arena_size > EXO_SIZE_MAX / 4 ||
        exo_cast_finish_pvt(&made, header->producers, header->block_size) != EXO_OK ||
        header->bytes != (magic == EXO_MAGIC_BROADCAST_TX ? made.tx_bytes : made.rx_bytes)) {
        return EXO_CORRUPT;
    }
    *geometry = made;
    return EXO_OK;
}

EXO_INLINE void exo_cast_header_pvt(struct exo_ring_header *header, const struct exo_geometry *geometry,
                                    exo_u64 magic)
{
    exo_header_fill_pvt(header, geometry, magic);
    header->bytes = magic == EXO_MAGIC_BROADCAST_TX ? geometry->tx_bytes : geometry->rx_bytes;
}

/* Make a sender segment. Everything but the arena is zeroed. */
EXO_INLINE exo_status exo_cast_tx_init_pvt(void *memory, exo_size bytes, const struct exo_geometry *geometry)
{
    struct exo_cast_tx *tx = (struct exo_cast_tx *)memory;
    exo_status status = exo_segment_check_pvt(memory, bytes, geometry->tx_bytes);
    if (status == EXO_OK) {
        exo_words_zero_pvt(memory, geometry->arena_off);
        tx->marks.tail = geometry->start;
        tx->marks.floor = geometry->start;
        exo_cast_header_pvt(&tx->header, geometry, EXO_MAGIC_BROADCAST_TX);
    }
    return status;
}

/* Make a subscriber segment that nobody holds. */
EXO_INLINE exo_status exo_cast_rx_init_pvt(void *memory, exo_size bytes, const struct exo_geometry *geometry)
{
    struct exo_cast_rx *rx = (struct exo_cast_rx *)memory;
    exo_status status = exo_segment_check_pvt(memory, bytes, geometry->rx_bytes);
    if (status == EXO_OK) {
        exo_words_zero_pvt(memory, geometry->rx_bytes);
        rx->place.claim = 1;
        rx->sync.waiters = EXO_WAIT_CLOSED;
        exo_cast_header_pvt(&rx->header, geometry, EXO_MAGIC_BROADCAST_RX);
    }
    return status;
}

#endif
