/* SPDX-License-Identifier: MIT */
/*
 * The handle of a channel: its lanes, who is at the other end, opening and closing. The whole is told in channel.h.
 *
 *   lane            carries                                        read by
 *   EXO_LANE_MAIN   priority 0, and the arena                      exo_channel_recv
 *   EXO_LANE_URGENT priority 1 to 255                              exo_channel_recv, before the main lane
 *   EXO_LANE_ANSWER responses, and errors that answer a request    exo_call_...
 *
 * All lanes of a direction share the main lane's words for sleeping and waking, so that a receiver sleeps in one place
 * whatever lane the next message comes by, and a sender whatever lane it wants room in. Each handle keeps its own memory
 * of the last look at them, which costs a useless wake-up now and then and loses none.
 */
#ifndef EXO_IPC_CHANNEL_HANDLE_H
#define EXO_IPC_CHANNEL_HANDLE_H

#include "../fusion_ring/attach.h"
#include "../fusion_ring/lanes.h"
#include "../message_transfer.h"

#define EXO_LANE_MAIN 0u
#define EXO_LANE_URGENT 1u
#define EXO_LANE_ANSWER 2u
#define EXO_LANES_CHANNEL 3u

/* What exo_lanes.kind says of a channel. */
#define EXO_KIND_OF_CHANNEL 1u

/* Slots of the urgent lane at most: a bit each in a word of the receiver. */
#define EXO_URGENT_SLOTS 64u

/* Unanswered requests, when the configuration does not say, and at most. */
#define EXO_CALLS_DEFAULT 64u
#define EXO_CALLS_MAX 65536u

/* Bits of a header's flags that the user may set; the others are the library's. */
#define EXO_FLAGS_USER 0x0Fu
#define EXO_FLAG_DESCRIPTOR 0x80u /* a descriptor of the operating system comes along */
#define EXO_FLAGS_KNOWN (EXO_FLAGS_USER | EXO_FLAG_DESCRIPTOR)

/**
 * struct exo_channel_config - what a channel shall be. All zero is a sensible default.
 * @ring: the main lane of this side's direction. slot_size must be 0 or 128, mode EXO_SPSC, with EXO_POLLED if nobody
 *   will ever sleep; profile, arena, block size, spin, type and start are as for a ring, for all lanes
 * @calls: requests of the peer that may be unanswered here at the same time: a power of two up to 65536; 0 means 64
 * @urgent: slots of the urgent lane: a power of two from 2 to 64; 0 means 64
 * @limit: bytes of payload that this side takes in one message at most; 0 means any
 */
struct exo_channel_config {
    struct exo_ring_config ring;
    exo_u32 calls;
    exo_u32 urgent;
    exo_size limit;
};

/* Where a message stands, in one word that both ends know: its lane and its position. */
EXO_INLINE exo_u64 exo_channel_place(exo_u32 lane, exo_u64 pos)
{
    return (exo_u64)lane << 56 | (pos & 0xFFFFFFFFFFFFFFull);
}

/* A request that waits for its answer. */
struct exo_pending {
    struct exo_call *call;
    exo_u64 id; /* 0: the place is free */
};

/* What stands in the urgent lane, in the receiver's own words. */
struct exo_urgent {
    exo_u64 waiting; /* bit i: slot i was seen and not yet taken */
    exo_u64 seen;    /* positions below it were seen */
    exo_u32 passed;  /* urgent messages received in a row while one of the main lane waited */
    exo_u8 priority[EXO_URGENT_SLOTS];
};

/**
 * struct exo_channel - one end of a channel. Its members are the library's, but
 * @self: this end's identity, which goes into the header of what it sends
 * @peer: the peer's, stamped into the header of everything that is received
 * @limit: bytes of payload that the peer takes at most; 0 means any
 * @late: answers that came after their call was over, and were dropped
 *
 * A channel belongs to one thread at a time. Two threads may share it if one only calls exo_channel_send..., and the
 * other only exo_channel_recv... and exo_channel_release().
 */
struct exo_channel {
    struct exo_sender tx[EXO_LANES_CHANNEL];
    struct exo_receiver rx[EXO_LANES_CHANNEL];
    exo_u64 self;
    exo_u64 peer;
    exo_u64 type;
    exo_u64 limit;
    exo_u64 takes; /* bytes of payload that this side takes at most */
    exo_u64 late;
    struct exo_urgent urgent;
    struct exo_pending *pending; /* our requests, one for each slot of the peer's answer lane */
    exo_word64 *open;            /* the peer's, one for each slot of ours: their numbers, 0 once answered */
    exo_u64 calls;               /* requests made so far */
    exo_u32 unanswered;          /* of them */
    exo_u32 pending_mask;        /* the answer lane's own goes when it is refused */
    exo_u32 attached;            /* bit 0: sending, bit 1: receiving */
};

/**
 * struct exo_channel_place - where the memory of one end lies, for exo_channel_attach().
 * @out, @in: the lanes that this end sends and receives through
 * @open: private memory, zeroed: exo_channel_open_bytes() of the lanes sent through
 * @pending: private memory, zeroed: exo_channel_pending_bytes() of the lanes received through
 * @spin: turns to spin before sleeping; 0 means 100
 * @tx_peer, @rx_peer: the peer's process, or null if it cannot die alone
 * @self, @peer: identities, as the trusted side says
 */
struct exo_channel_place {
    struct exo_ring_memory out[EXO_LANES_CHANNEL];
    struct exo_ring_memory in[EXO_LANES_CHANNEL];
    void *open;
    void *pending;
    exo_u32 spin;
    struct exo_port_peer *tx_peer;
    struct exo_port_peer *rx_peer;
    exo_u64 self;
    exo_u64 peer;
};

EXO_INLINE exo_size exo_channel_open_bytes(const struct exo_lanes *lanes)
{
    return (exo_size)lanes->lane[EXO_LANE_ANSWER].slots * sizeof(exo_word64);
}
EXO_INLINE exo_size exo_channel_pending_bytes(const struct exo_lanes *lanes)
{
    return (exo_size)lanes->lane[EXO_LANE_ANSWER].slots * sizeof(struct exo_pending);
}

/**
 * exo_channel_lanes - the lanes of one direction of a channel.
 * @lanes: filled in on success only; extra private memory for the tables is in its books
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE for a slot size that is not 128, or calls or urgent that are none of those named;
 * EXO_NOT_SUPPORTED for several producers or consumers; else as exo_lanes_add(). Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_lanes(struct exo_lanes *lanes, const struct exo_channel_config *config)
{
    struct exo_ring_config lane = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    exo_u32 calls = EXO_CALLS_DEFAULT;
    exo_u32 urgent = EXO_URGENT_SLOTS;
    exo_status status;
    if (config != EXO_NULL) {
        lane = config->ring;
        calls = config->calls == 0 ? calls : config->calls;
        urgent = config->urgent == 0 ? urgent : config->urgent;
    }
    if ((lane.slot_size != 0 && lane.slot_size != 2 * EXO_CACHE_LINE) || calls > EXO_CALLS_MAX ||
        urgent > EXO_URGENT_SLOTS) {
        return EXO_INVALID_SIZE;
    }
    if ((lane.mode & EXO_MPMC) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    exo_lanes_clear(lanes, EXO_KIND_OF_CHANNEL);
    lane.slot_size = 2 * EXO_CACHE_LINE;
    status = exo_lanes_add(lanes, &lane);
    lane.arena_size = EXO_ARENA_NONE;
    lane.block_size = 0;
    lane.slots = urgent;
    status = status == EXO_OK ? exo_lanes_add(lanes, &lane) : status;
    lane.slots = calls;
    status = status == EXO_OK ? exo_lanes_add(lanes, &lane) : status;
    if (status == EXO_OK) {
        exo_lanes_add_extra(lanes, exo_channel_open_bytes(lanes), exo_channel_pending_bytes(lanes));
        lanes->limit = config == EXO_NULL ? 0 : config->limit;
    }
    return status;
}

/**
 * exo_channel_lanes_offered - whether the lanes that somebody else offers are those of a channel.
 * @lanes: as exo_lanes_add_offered() filled them in; the tables are added to the books
 *
 * Returns: EXO_OK; EXO_TYPE_MISMATCH. Context: any.
 */
EXO_INLINE exo_status exo_channel_lanes_offered(struct exo_lanes *lanes)
{
    exo_u32 calls = lanes->lane[EXO_LANE_ANSWER].slots;
    exo_u32 i;
    for (i = 0; i < lanes->count; i++) {
        if (lanes->lane[i].slot_shift != 7 || lanes->lane[i].mode != lanes->lane[0].mode) {
            return EXO_TYPE_MISMATCH;
        }
    }
    if (lanes->count != EXO_LANES_CHANNEL || lanes->lane[EXO_LANE_URGENT].slots > EXO_URGENT_SLOTS ||
        calls > EXO_CALLS_MAX) {
        return EXO_TYPE_MISMATCH;
    }
    exo_lanes_add_extra(lanes, exo_channel_open_bytes(lanes), exo_channel_pending_bytes(lanes));
    return EXO_OK;
}

/* All lanes sleep and wake by the words of the first, and share its arena. */
EXO_INLINE void exo_channel_join_pvt(struct exo_channel *channel)
{
    exo_u32 i;
    for (i = 1; i < EXO_LANES_CHANNEL; i++) {
        channel->tx[i].waker.waiters = channel->tx[0].waker.waiters;
        channel->tx[i].waker.event = channel->tx[0].waker.event;
        channel->rx[i].waker.waiters = channel->rx[0].waker.waiters;
        channel->rx[i].waker.event = channel->rx[0].waker.event;
        channel->tx[i].arena = channel->tx[0].arena;
        channel->tx[i].lendable = channel->tx[0].lendable;
        channel->tx[i].lent_from = channel->tx[0].lent_from;
        channel->rx[i].views = channel->rx[0].views;
    }
}

/**
 * exo_channel_finish - close the sending direction: the peer gets EXO_CLOSED after what was sent.
 * @channel: the end; receiving goes on, also of answers to requests made before
 *
 * Returns: EXO_OK; EXO_CLOSED if it was closed before. Context: not from an interrupt.
 */
EXO_INLINE exo_status exo_channel_finish(struct exo_channel *channel)
{
    exo_u32 i;
    if ((channel->attached & 1u) == 0) {
        return EXO_CLOSED;
    }
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        (void)exo_sender_close(&channel->tx[i]);
    }
    channel->attached &= ~1u;
    return EXO_OK;
}

/**
 * exo_channel_close - close an end, both directions.
 * @channel: harmless if it is closed already. Release all messages first; calls that wait are over, without an answer
 *
 * The peer still receives what was sent, then gets EXO_CLOSED; its sends answer EXO_CLOSED.
 * Context: not from an interrupt.
 */
EXO_INLINE void exo_channel_close(struct exo_channel *channel)
{
    exo_u32 i;
    (void)exo_channel_finish(channel);
    for (i = 0; i < EXO_LANES_CHANNEL && (channel->attached & 2u) != 0; i++) {
        (void)exo_receiver_close(&channel->rx[i]);
    }
    channel->attached = 0;
}

/**
 * exo_channel_attach - make the handle of one end.
 * @channel: the handle, in the caller's memory; do not move it while it is open
 * @place: where its memory lies
 *
 * Returns: EXO_OK; EXO_TYPE_MISMATCH if the lanes are not those of a channel; else as exo_sender_attach() and
 * exo_receiver_attach(). On an error nothing stays attached. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_attach(struct exo_channel *channel,
                                                      const struct exo_channel_place *place)
{
    exo_status status = EXO_OK;
    exo_u32 sent = 0;
    exo_u32 received = 0;
    while (status == EXO_OK && sent < EXO_LANES_CHANNEL) {
        status = exo_sender_attach(&channel->tx[sent], &place->out[sent], place->spin, place->tx_peer);
        sent += status == EXO_OK;
    }
    while (status == EXO_OK && received < EXO_LANES_CHANNEL) {
        status = exo_receiver_attach(&channel->rx[received], &place->in[received], place->spin, place->rx_peer);
        received += status == EXO_OK;
    }
    if (status == EXO_OK && channel->rx[EXO_LANE_URGENT].mask >= EXO_URGENT_SLOTS) {
        status = EXO_TYPE_MISMATCH;
    }
    if (status != EXO_OK) {
        while (sent != 0) {
            (void)exo_sender_close(&channel->tx[--sent]);
        }
        while (received != 0) {
            (void)exo_receiver_close(&channel->rx[--received]);
        }
        return status;
    }
    exo_channel_join_pvt(channel);
    channel->self = place->self;
    channel->peer = place->peer;
    channel->type = channel->tx[0].tx->header.type;
    channel->limit = exo_load64(&channel->tx[0].rx->header.limit, EXO_RELAXED); /* relaxed: constant */
    channel->takes = exo_load64(&channel->rx[0].rx->header.limit, EXO_RELAXED); /* relaxed: our own */
    channel->takes = channel->takes == 0 ? ~(exo_u64)0 : channel->takes;
    channel->late = 0;
    channel->urgent.waiting = 0;
    channel->urgent.seen = channel->rx[EXO_LANE_URGENT].pos;
    channel->urgent.passed = 0;
    channel->pending = (struct exo_pending *)place->pending;
    channel->open = (exo_word64 *)place->open;
    channel->calls = 0;
    channel->unanswered = 0;
    channel->pending_mask = channel->rx[EXO_LANE_ANSWER].mask;
    channel->attached = 3;
    return EXO_OK;
}

/* A breach of protocol in one lane ends the receiving in all. */
EXO_COLD exo_status exo_channel_refuse_pvt(struct exo_channel *channel, exo_status reason)
{
    exo_u32 i;
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        (void)exo_rx_refuse_pvt(&channel->rx[i], reason);
    }
    channel->urgent.waiting = 0;
    channel->urgent.seen = channel->rx[EXO_LANE_URGENT].pos;
    return reason;
}

#endif
