/* SPDX-License-Identifier: MIT */
/*
 * The lanes of a fan-in: places, who is in, who rests. fanin.h has the whole.
 *
 * A lane that was found empty rests: what is kept are the words that must change before it has something (the control
 * word of its next slot; of a channel, that of the urgent lane too) and what they held then. A lane that does not rest
 * has probes that always differ. A probe that is old, because somebody received from the lane directly, differs as well:
 * what was received had changed it.
 */
#ifndef EXO_IPC_CHANNEL_FANIN_LANES_H
#define EXO_IPC_CHANNEL_FANIN_LANES_H

#include "ready.h"
#include "wait.h"

/* Messages of one lane in a row while another has some. */
#define EXO_FANIN_IN_A_ROW 16u

/* One lane: a place in the caller's memory. Its members are the library's. */
struct exo_fanin_lane {
    const exo_word64 *probe[2];
    exo_u64 idle[2]; /* what they hold as long as there is nothing */
    struct exo_receiver *rx;
    struct exo_channel *channel; /* null: the receiver alone */
    exo_u64 key;
    struct exo_waitable item; /* to sleep for it */
};

/**
 * struct exo_fanin_from - where something came from.
 * @key: as given to exo_fanin_add()
 * @channel: the lane, or null
 * @rx: the lane if it is a receiver, else the channel's
 */
struct exo_fanin_from {
    exo_u64 key;
    struct exo_channel *channel;
    struct exo_receiver *rx;
};

/* The fan-in. Its members are the library's. */
struct exo_fanin {
    struct exo_fanin_lane *lanes;
    exo_u32 room;
    exo_u32 count;
    exo_u32 at;     /* whose turn it is, */
    exo_u32 left;   /* and how many messages of it may come in a row; 0: the turn is over */
    exo_u32 patrol; /* which lane is tried next although it rests, */
    exo_u32 since;  /* after how many messages */
    exo_u32 polled; /* lanes that cannot be slept for */
    exo_bool slept;
    exo_u32 nobody[2]; /* the words of the sleeper: the lanes' own wake */
    struct exo_sleeper sleeper;
};

EXO_INLINE void exo_fanin_rouse_pvt(struct exo_fanin_lane *lane)
{
    static const exo_word64 nothing[1] = {0};
    lane->probe[0] = nothing;
    lane->idle[0] = 1;
    lane->probe[1] = nothing;
    lane->idle[1] = 0;
}

/* Whether the words that would have changed have not. */
EXO_HOT exo_bool exo_fanin_rests_pvt(const struct exo_fanin_lane *lane)
{
    /* relaxed: a hint; whoever finds a change receives, with the order that needs */
    return exo_load64(lane->probe[0], EXO_RELAXED) == lane->idle[0] &&
           exo_load64(lane->probe[1], EXO_RELAXED) == lane->idle[1];
}

/* Points a probe at a receiver's next slot. Returns false if something stands there. */
EXO_INLINE exo_bool exo_fanin_aim_pvt(struct exo_fanin_lane *lane, exo_u32 i, const struct exo_receiver *rx, exo_u64 pos)
{
    const exo_word64 *probe = exo_rx_line_pvt(rx, pos) + EXO_LINE_WORDS;
    exo_u64 idle = exo_load64(probe, EXO_RELAXED); /* relaxed: only compared */
    lane->probe[i] = probe;
    lane->idle[i] = idle;
    return !exo_control_is_for_pvt(idle, pos) || exo_control_kind_pvt(idle) == EXO_KIND_NONE;
}

/* Lets a lane rest if it has nothing. Returns whether it has not. */
EXO_INLINE exo_bool exo_fanin_rest_pvt(struct exo_fanin_lane *lane)
{
    const struct exo_channel *channel = lane->channel;
    exo_bool rests = exo_fanin_aim_pvt(lane, 0, lane->rx, lane->rx->pos);
    if (rests && channel != EXO_NULL) {
        rests = exo_fanin_aim_pvt(lane, 1, &channel->rx[EXO_LANE_URGENT], channel->urgent.seen) &&
                channel->urgent.waiting == 0;
    }
    if (!rests) {
        exo_fanin_rouse_pvt(lane);
    }
    return rests;
}

/* The sleeper of the fan-in itself: nobody else sees its words. Those who wake have the lanes' words. */
EXO_INLINE void exo_fanin_sleeper_pvt(struct exo_fanin *fanin)
{
    struct exo_sleeper *sleeper = &fanin->sleeper;
    fanin->nobody[0] = 0;
    fanin->nobody[1] = 0;
    sleeper->waiters = &fanin->nobody[0];
    sleeper->event = &fanin->nobody[1];
    sleeper->spin = 0;
    sleeper->parked = 0;
    sleeper->fenced = EXO_TRUE;
    sleeper->counted = EXO_FALSE;
    sleeper->shared = EXO_FALSE;
    sleeper->alone = EXO_TRUE;
    sleeper->picky = EXO_FALSE;
    sleeper->slice_ns = 0;
    sleeper->doubt_ns = 0;
    sleeper->asks = EXO_FALSE;
    sleeper->asked = EXO_FALSE;
    sleeper->bell = 0;
}

/**
 * exo_fanin_init - make a fan-in without lanes.
 * @fanin: the object, in the caller's memory
 * @places: places for lanes, in the caller's memory; both stay where they are as long as the fan-in is used
 * @n: how many places, 1 to 2^31
 *
 * Nothing has to be given back: a fan-in ends when it is used no more.
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT without places; EXO_INVALID_SIZE for more. Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_init(struct exo_fanin *fanin, struct exo_fanin_lane *places, exo_size n)
{
    if (places == EXO_NULL || n == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (n > 0x80000000u) {
        return EXO_INVALID_SIZE;
    }
    fanin->lanes = places;
    fanin->room = (exo_u32)n;
    fanin->count = 0;
    fanin->at = 0;
    fanin->left = 0;
    fanin->patrol = 0;
    fanin->since = 0;
    fanin->polled = 0;
    fanin->slept = EXO_FALSE;
    exo_fanin_sleeper_pvt(fanin);
    return EXO_OK;
}

/**
 * exo_fanin_count - how many lanes there are. Context: the receiving thread.
 */
EXO_INLINE exo_u32 exo_fanin_count(const struct exo_fanin *fanin)
{
    return fanin->count;
}

/* The place of a lane, or the number of lanes. */
EXO_INLINE exo_u32 exo_fanin_find_pvt(const struct exo_fanin *fanin, const struct exo_channel *channel,
                                      const struct exo_receiver *rx)
{
    exo_u32 i = 0;
    while (i < fanin->count && (fanin->lanes[i].channel != channel || fanin->lanes[i].rx != rx)) {
        i++;
    }
    return i;
}

/* How long to spin over all lanes before sleeping: as long as the most patient of them would. */
EXO_INLINE void exo_fanin_spin_pvt(struct exo_fanin *fanin)
{
    exo_u32 spin = 0;
    exo_u32 i;
    for (i = 0; i < fanin->count; i++) {
        const struct exo_sleeper *sleeper = fanin->lanes[i].item.sleeper;
        spin = sleeper != EXO_NULL && sleeper->spin > spin ? sleeper->spin : spin;
    }
    fanin->sleeper.spin = fanin->count == 0 ? 0 : spin / fanin->count;
}

EXO_INLINE exo_status exo_fanin_enter_pvt(struct exo_fanin *fanin, struct exo_channel *channel,
                                          struct exo_receiver *rx, exo_u64 key)
{
    struct exo_fanin_lane *lane;
    if (exo_fanin_find_pvt(fanin, channel, rx) != fanin->count) {
        return EXO_ALREADY_EXISTS;
    }
    if (fanin->count == fanin->room) {
        return EXO_FULL;
    }
    if (fanin->count != 0 && (fanin->lanes[0].channel == EXO_NULL) != (channel == EXO_NULL)) {
        return EXO_TYPE_MISMATCH;
    }
    lane = &fanin->lanes[fanin->count++];
    lane->rx = rx;
    lane->channel = channel;
    lane->key = key;
    exo_fanin_rouse_pvt(lane);
    if (channel == EXO_NULL) {
        exo_waitable_receiver(&lane->item, rx);
    } else {
        exo_waitable_channel(&lane->item, channel);
    }
    fanin->polled += lane->item.sleeper == EXO_NULL;
    exo_fanin_spin_pvt(fanin);
    return EXO_OK;
}

/* Those behind move up, so that the lanes keep their order. The next turn is that of the one behind. */
EXO_INLINE void exo_fanin_leave_pvt(struct exo_fanin *fanin, exo_u32 at)
{
    exo_u32 i;
    fanin->polled -= fanin->lanes[at].item.sleeper == EXO_NULL;
    fanin->count--;
    for (i = at; i < fanin->count; i++) {
        exo_port_copy(&fanin->lanes[i], &fanin->lanes[i + 1], sizeof(fanin->lanes[i]));
    }
    if (at == fanin->at) {
        fanin->left = 0;
    }
    if (at <= fanin->at) {
        fanin->at = fanin->at != 0 ? fanin->at - 1 : fanin->count == 0 ? 0 : fanin->count - 1;
    }
    exo_fanin_spin_pvt(fanin);
}

/**
 * exo_fanin_add - receive from one more channel.
 * @fanin: the fan-in
 * @channel: the end; it stays where it is, and belongs to the receiving thread, as long as it is in the fan-in
 * @key: whatever the caller wants to know it by
 *
 * It may be added while others flow, with messages in it; its turn comes within one round.
 *
 * Returns: EXO_OK; EXO_FULL when all places are taken; EXO_ALREADY_EXISTS if it is in; EXO_CLOSED if it is not open;
 * EXO_TYPE_MISMATCH if the other lanes are receivers. Context: the receiving thread. Progress: wait-free, in a scan of
 * the lanes.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_add(struct exo_fanin *fanin, struct exo_channel *channel, exo_u64 key)
{
    return (channel->attached & 2u) == 0
               ? EXO_CLOSED
               : exo_fanin_enter_pvt(fanin, channel, &channel->rx[EXO_LANE_MAIN], key);
}

/**
 * exo_fanin_add_receiver - receive from one more ring, whose messages exo_fanin_recv_inline() brings.
 * @rx: receiver handle of a ring with one producer and one consumer
 *
 * Returns: as exo_fanin_add(); EXO_NOT_SUPPORTED for another mode; EXO_TYPE_MISMATCH if the other lanes are channels.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_add_receiver(struct exo_fanin *fanin, struct exo_receiver *rx, exo_u64 key)
{
    return (rx->mode & EXO_MPMC) != 0 ? EXO_NOT_SUPPORTED
                                      : exo_fanin_enter_pvt(fanin, (struct exo_channel *)EXO_NULL, rx, key);
}

EXO_INLINE exo_status exo_fanin_drop_pvt(struct exo_fanin *fanin, const struct exo_channel *channel,
                                         const struct exo_receiver *rx)
{
    exo_u32 at = exo_fanin_find_pvt(fanin, channel, rx);
    if (at == fanin->count) {
        return EXO_NOT_FOUND;
    }
    exo_fanin_leave_pvt(fanin, at);
    return EXO_OK;
}

/**
 * exo_fanin_remove - receive no more from a channel. It stays open, with what was not received.
 *
 * To be called before the channel is closed on this side.
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not in. Context, Progress: as exo_fanin_add().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_remove(struct exo_fanin *fanin, const struct exo_channel *channel)
{
    return exo_fanin_drop_pvt(fanin, channel, &channel->rx[EXO_LANE_MAIN]);
}

/**
 * exo_fanin_remove_receiver - receive no more from a ring. As exo_fanin_remove().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_remove_receiver(struct exo_fanin *fanin, const struct exo_receiver *rx)
{
    return exo_fanin_drop_pvt(fanin, (const struct exo_channel *)EXO_NULL, rx);
}

#endif
