/* SPDX-License-Identifier: MIT */
/*
 * What lies in shared memory, and nothing else. A ring is two segments, each written by one side and
 * mapped read-only by the other:
 *
 *   sender segment (senders write)                receiver segment (receivers write)
 *   +0    header: geometry, constant              +0    header: geometry, constant
 *   +128  sync: event, waiters, open              +128  sync: event, waiters, open
 *   +256  tail: claimed position (mp)             +256  late: consumed position, published late
 *   +384  owners[producers], slots[n], and        +384  exact: consumed position (sc), claimed (mc)
 *         the arena of each producer              +512  done[n] (mc only), the release ring of each
 *                                                       producer's arena, viewed[blocks] of all arenas
 *                                                       (crash-safe only)
 *
 * Nothing here is a pointer; offsets are the same for 32- and 64-bit builds. Positions run freely in 64
 * bits, a slot is position modulo n; its control word carries the position's low 32 bits.
 *
 * A slot is 64 or 128 bytes. Its last 64 bytes are the *line*: 56 bytes of payload, then the control word.
 * A slot of 128 bytes has a message header in the 32 bytes before the line, so that header and payload
 * are contiguous, and in front of it room for the time at which a message was sent (probe.h):
 *
 *   128-byte slot   [ 8 time | 24 unused | 32 message header | 56 payload | 8 control ]
 *    64-byte slot                                            [ 56 payload | 8 control ]
 *
 *   control   bits 0..31  low half of (position + 1): the slot is published for exactly that position
 *             bits 32..39 kind; 0 is what fresh memory holds and means "nothing"
 *             bits 40..63 argument: length, or size and count, or the claiming owner
 *
 * The control word is stored last, with release order; nothing else moves per message on the sender's side.
 *
 * waiters   bit 0 somebody sleeps or is about to (where sleepers are counted: wake them all); bit 1 the
 *           sleeper asks the other side to fence before it looks; bit 2 this side has closed; bit 3 the sleeper
 *           wants its bell rung (bell.h); from bit 4 on a count that changes with every announcement.
 * event     changed by this segment's writer just before it wakes the other side's sleepers:
 *           the word they sleep on. It stands apart from the control word because a futex is 32 bits wide,
 *           because several receivers may sleep for different slots, and because closing must wake too.
 */
#ifndef EXO_IPC_FUSION_RING_LAYOUT_H
#define EXO_IPC_FUSION_RING_LAYOUT_H

#include "../port.h"

#define EXO_MAGIC_TX 0x786574676E697200ull
#define EXO_MAGIC_RX 0x786572676E697200ull

/* Modes. EXO_POLLED may be added: nobody ever sleeps on the ring, so that a send does not look for
 * sleepers; the waiting calls answer NotSupported. */
#define EXO_SPSC 0u
#define EXO_MPSC 1u
#define EXO_SPMC 2u
#define EXO_MPMC 3u
#define EXO_POLLED 4u

#define EXO_MODE_MP 1u
#define EXO_MODE_MC 2u
#define EXO_MODE_POLLED 4u
#define EXO_MODE_OWNED 8u /* internal: claims carry their owner (mp, crash-safe) */

/* Trust profiles. */
#define EXO_THREADS 0u
#define EXO_CRASH_SAFE 1u
#define EXO_HOSTILE 2u

/* Kinds of slot. */
#define EXO_KIND_NONE 0u
#define EXO_KIND_INLINE 1u  /* argument: length */
#define EXO_KIND_PACKED 2u  /* argument: item size in bits 0..7, count in bits 8..15 */
#define EXO_KIND_LOAN 3u    /* line holds a struct exo_descriptor; argument: length, or EXO_ARGUMENT_MAX */
#define EXO_KIND_CLAIM 4u   /* argument: owner; the payload is being written */
#define EXO_KIND_DISCARD 5u /* nothing to receive here */
#define EXO_KIND_MESSAGE 6u /* argument: length of the payload; a message header stands before the line */
#define EXO_KIND_MESSAGE_LOAN 7u /* as LOAN, with a message header before the line */

/* Largest argument of a control word: stands for all lengths from here on, and, with one consumer, for those of all
 * loans. */
#define EXO_ARGUMENT_MAX 0xFFFFFFu

#define EXO_WAIT_ASLEEP 1u
#define EXO_WAIT_FENCE 2u
#define EXO_WAIT_CLOSED 4u
#define EXO_WAIT_BELL 8u
#define EXO_WAIT_STEP 16u

struct exo_ring_header {
    exo_word64 magic;
    exo_u32 version;
    exo_u32 slots;
    exo_u32 slot_size;
    exo_u32 mode;
    exo_u32 profile;
    exo_u32 producers;
    exo_word64 arena_size; /* bytes of each producer's arena */
    exo_u32 block_size;
    exo_u32 asymmetric; /* 1: the writer's process takes part in asymmetric fences */
    exo_word64 type;    /* the application's; both ends must agree */
    exo_word64 start;   /* first position */
    exo_word64 bytes;   /* of this segment */
    exo_word64 limit;   /* of a receiver that takes messages with headers: bytes of payload at most; 0: any */
    exo_word64 reserved[6];
};

struct exo_ring_sync {
    exo_u32 event;
    exo_u32 waiters;
    exo_u32 open; /* handles attached on this side and not closed */
    exo_u32 reserved0;
    exo_word64 holder; /* exo_port_process() of a single consumer that may die; 0: none */
    exo_u32 reserved[26];
};

struct exo_position {
    exo_word64 value;
    exo_word64 part; /* of exact, left by a holder that closed: position << 8 | items taken from the slot there */
    exo_word64 reserved[14];
};

struct exo_tx_segment {
    struct exo_ring_header header;
    struct exo_ring_sync sync;
    struct exo_position tail;
};

/* One producer's place in the ring. */
struct exo_owner {
    exo_word64 claim;   /* generation << 48 | number of the holder's process << 24 | exo_port_self() of it;
                           low 48 bits 0: free */
    exo_word64 process; /* generation << 48 | exo_port_process() of the holder, once it has said so */
    exo_word64 reserved[6];
};

struct exo_rx_segment {
    struct exo_ring_header header;
    struct exo_ring_sync sync;
    struct exo_position late;
    struct exo_position exact;
};

/* One entry of a release ring. tag is the entry's position + 1, stored last, with release order. */
struct exo_release_entry {
    exo_word64 token; /* generation << 32 | block */
    exo_word64 tag;
};

/* What a slot of kind LOAN holds. offset is counted from the first arena's first byte. */
struct exo_descriptor {
    exo_word64 token; /* generation << 32 | block, numbered over all producers' arenas */
    exo_word64 offset;
    exo_word64 length;
};

EXO_STATIC_ASSERT(sizeof(struct exo_ring_header) == 128, "header is a line pair");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_ring_header, arena_size) == 32, "no padding");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_ring_header, type) == 48, "no padding");
EXO_STATIC_ASSERT(sizeof(struct exo_ring_sync) == EXO_LINE_PAIR, "sync is a line pair");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_ring_sync, holder) == 16, "no padding");
EXO_STATIC_ASSERT(sizeof(struct exo_position) == EXO_LINE_PAIR, "position is a line pair");
EXO_STATIC_ASSERT(sizeof(struct exo_tx_segment) == 384, "sender segment");
EXO_STATIC_ASSERT(sizeof(struct exo_owner) == EXO_CACHE_LINE, "owner");
EXO_STATIC_ASSERT(sizeof(struct exo_rx_segment) == 512, "receiver segment");
EXO_STATIC_ASSERT(sizeof(struct exo_release_entry) == 16, "release entry");
EXO_STATIC_ASSERT(sizeof(struct exo_descriptor) == 24, "descriptor fits a line");

#define EXO_LINE_WORDS 7 /* payload words of a line; the next is the control word */

EXO_HOT exo_u64 exo_control_pvt(exo_u64 pos, exo_u32 kind, exo_u32 argument)
{
    return ((exo_u64)(kind | argument << 8) << 32) | (exo_u32)(pos + 1);
}
EXO_HOT exo_u32 exo_control_kind_pvt(exo_u64 control)
{
    return (exo_u32)(control >> 32) & 0xFFu;
}
EXO_HOT exo_u32 exo_control_argument_pvt(exo_u64 control)
{
    return (exo_u32)(control >> 40);
}
/* Whether a slot of this kind holds something to receive. */
EXO_HOT exo_bool exo_control_carries_pvt(exo_u32 kind)
{
    return (kind >= EXO_KIND_INLINE && kind <= EXO_KIND_LOAN) || kind == EXO_KIND_MESSAGE ||
           kind == EXO_KIND_MESSAGE_LOAN;
}
/* How many items were taken from the slot at pos already, as the word `part` tells. */
EXO_INLINE exo_u32 exo_part_items_pvt(exo_u64 part, exo_u64 pos)
{
    return (part ^ pos << 8) < 0x100u ? (exo_u32)part & 0xFFu : 0;
}
/* Whether the control word was stored for this position (and may still be NONE). */
EXO_HOT exo_bool exo_control_is_for_pvt(exo_u64 control, exo_u64 pos)
{
    return (exo_u32)control == (exo_u32)(pos + 1);
}

#endif
