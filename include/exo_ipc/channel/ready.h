/* SPDX-License-Identifier: MIT */
/*
 * Channels among other things to wait for (wait.h): something to receive, an answer, room.
 */
#ifndef EXO_IPC_CHANNEL_READY_H
#define EXO_IPC_CHANNEL_READY_H

#include "channel.h"
#include "waitable.h"

/* Whether exo_channel_recv() would bring a message, or why it never will. */
EXO_INLINE exo_i64 exo_channel_look_pvt(void *object)
{
    struct exo_channel *channel = (struct exo_channel *)object;
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    exo_u64 control = 0;
    exo_status status;
    if (channel->urgent.waiting != 0 ||
        exo_urgent_published_pvt(&channel->rx[EXO_LANE_URGENT], channel->urgent.seen)) {
        return EXO_OK;
    }
    status = exo_message_settle_pvt(rx, &control);
    if (status == EXO_EMPTY || status == EXO_OK) {
        return status;
    }
    /* Closed or dead: what was urgent was sent before that. */
    return exo_urgent_published_pvt(&channel->rx[EXO_LANE_URGENT], channel->urgent.seen) ? EXO_OK : status;
}

EXO_INLINE exo_i64 exo_answers_look_pvt(void *object)
{
    struct exo_channel *channel = (struct exo_channel *)object;
    exo_u64 control = 0;
    return exo_message_settle_pvt(&channel->rx[EXO_LANE_ANSWER], &control);
}

EXO_INLINE const exo_word64 *exo_answers_aim_pvt(const void *object)
{
    return exo_rx_aim_pvt(&((const struct exo_channel *)object)->rx[EXO_LANE_ANSWER]);
}

/* How much has come by both lanes together: positions from which on nothing is published. */
EXO_INLINE exo_u64 exo_channel_mark_pvt(const void *object, exo_u64 last)
{
    const struct exo_channel *channel = (const struct exo_channel *)object;
    const struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    const struct exo_receiver *urgent = &channel->rx[EXO_LANE_URGENT];
    exo_u64 seen = exo_rx_mark_pvt(urgent, channel->urgent.seen);
    return exo_rx_mark_pvt(rx, last - seen) + seen;
}

EXO_INLINE struct exo_sleeper *exo_channel_sleeper_pvt(exo_u32 mode, struct exo_sleeper *sleeper)
{
    return (mode & EXO_MODE_POLLED) != 0 ? (struct exo_sleeper *)EXO_NULL : sleeper;
}

/**
 * exo_waitable_channel - wait for what exo_channel_recv() brings: EXO_READABLE.
 * @item: the item, in the caller's memory; it lasts as long as the channel is open
 * @channel: the end; it belongs to the thread that waits. Of a polled one it can only be looked at (EXO_NOW)
 */
EXO_INLINE void exo_waitable_channel(struct exo_waitable *item, struct exo_channel *channel)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    exo_waitable_init(item, channel, exo_channel_look_pvt, EXO_READABLE, exo_channel_sleeper_pvt(rx->mode, &rx->sleeper));
    item->peer = rx->peer;
    item->mark = exo_channel_mark_pvt;
}

/**
 * exo_waitable_answers - wait for answers to calls, which exo_call_poll() takes: EXO_READABLE. As
 * exo_waitable_channel(). Not together with it in one call of exo_wait_many(): both sleep in one place; use
 * exo_waitable_channel_any().
 */
EXO_INLINE void exo_waitable_answers(struct exo_waitable *item, struct exo_channel *channel)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    exo_waitable_init(item, channel, exo_answers_look_pvt, EXO_READABLE, exo_channel_sleeper_pvt(rx->mode, &rx->sleeper));
    item->peer = rx->peer;
    item->aim = exo_answers_aim_pvt;
}

EXO_INLINE exo_i64 exo_channel_any_look_pvt(void *object)
{
    return exo_answers_look_pvt(object) == EXO_OK ? (exo_i64)EXO_OK : exo_channel_look_pvt(object);
}

/**
 * exo_waitable_channel_any - wait for a message or an answer, whichever comes: EXO_READABLE. As exo_waitable_channel().
 */
EXO_INLINE void exo_waitable_channel_any(struct exo_waitable *item, struct exo_channel *channel)
{
    exo_waitable_channel(item, channel);
    item->look = exo_channel_any_look_pvt;
    item->mark = (exo_u64(*)(const void *, exo_u64))EXO_NULL;
}

EXO_INLINE exo_i64 exo_channel_room_look_pvt(void *object)
{
    return exo_tx_look_pvt(&((struct exo_channel *)object)->tx[EXO_LANE_MAIN]);
}

/**
 * exo_waitable_channel_room - wait for room for a message of priority 0: EXO_WRITABLE. As exo_waitable_channel().
 */
EXO_INLINE void exo_waitable_channel_room(struct exo_waitable *item, struct exo_channel *channel)
{
    struct exo_sender *tx = &channel->tx[EXO_LANE_MAIN];
    exo_waitable_init(item, channel, exo_channel_room_look_pvt, EXO_WRITABLE,
                      exo_channel_sleeper_pvt(tx->mode, &tx->sleeper));
    item->peer = tx->peer;
}

#endif
