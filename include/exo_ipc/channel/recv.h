/* SPDX-License-Identifier: MIT */
/*
 * Receiving from a channel: the urgent lane, then the main lane; stamp who sent it.
 */
#ifndef EXO_IPC_CHANNEL_RECV_H
#define EXO_IPC_CHANNEL_RECV_H

#include "urgent.h"

/* Stamp and judge a message that was just taken from the main or the urgent lane. */
EXO_HOT exo_status exo_channel_accept_pvt(struct exo_channel *channel, struct exo_message *message)
{
    struct exo_message_header *header = &message->header;
    header->sender = channel->peer;
    if (EXO_UNLIKELY(header->msg_type == EXO_MESSAGE_REQUEST && header->request_id != 0)) {
        exo_u32 at = (exo_u32)header->request_id & channel->tx[EXO_LANE_ANSWER].mask;
        channel->open[at] = header->request_id; /* the one before was given up by who had made it */
    } else if (EXO_UNLIKELY(header->msg_type == EXO_MESSAGE_REQUEST || header->msg_type == EXO_MESSAGE_RESPONSE ||
                            (header->msg_type == EXO_MESSAGE_ERROR && header->request_id != 0))) {
        return exo_channel_refuse_pvt(channel, EXO_CORRUPT);
    }
    if (EXO_UNLIKELY((header->flags & ~EXO_FLAGS_KNOWN) != 0 || message->view.len > channel->takes)) {
        return exo_channel_refuse_pvt(channel, EXO_CORRUPT);
    }
    return EXO_OK;
}

/* The main lane has nothing, or something that no channel sends. */
EXO_OUTLINE exo_status exo_channel_idle_pvt(struct exo_channel *channel, struct exo_message *message, exo_status status)
{
    if (status == EXO_EMPTY) {
        return status;
    }
    if (status == EXO_TYPE_MISMATCH || status == EXO_CORRUPT) {
        return exo_channel_refuse_pvt(channel, EXO_CORRUPT);
    }
    /* Closed or dead: what was urgent was sent before that. */
    exo_urgent_look_pvt(channel);
    if (channel->urgent.waiting == 0) {
        return status;
    }
    status = exo_urgent_take_pvt(channel, message);
    return status == EXO_OK ? exo_channel_accept_pvt(channel, message) : status;
}

/**
 * exo_channel_recv - receive a message, without waiting and without copying more than 88 bytes.
 * @channel: the end
 * @message: filled in on success only; do not move it. header.sender is the peer as the trusted side named it;
 *   exo_message_payload() and exo_message_size() tell where the payload is. Give it back with exo_channel_release()
 *
 * A Request is answered by exo_reply() or exo_reply_error(). Answers to own requests do not come here (call.h).
 * Priority: what waits in the urgent lane comes first, the highest priority before all others, among equals the oldest;
 * priority 0 comes when nothing urgent waits, and after 256 urgent messages in a row in any case.
 *
 * Returns: EXO_OK; EXO_EMPTY; EXO_CLOSED or EXO_PEER_DIED after the last message; EXO_CORRUPT for what no channel sends:
 * it sticks, in all lanes.
 * Context: the receiver's side; not from an interrupt that may have interrupted the same handle. Ordering: acquire.
 * Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_recv(struct exo_channel *channel, struct exo_message *message)
{
    exo_status status;
    if (EXO_UNLIKELY(exo_urgent_first_pvt(channel))) {
        status = exo_urgent_take_pvt(channel, message);
    } else {
        status = exo_message_recv(&channel->rx[EXO_LANE_MAIN], message);
        if (EXO_UNLIKELY(status != EXO_OK)) {
            return exo_channel_idle_pvt(channel, message, status);
        }
        message->place = exo_channel_place(EXO_LANE_MAIN, channel->rx[EXO_LANE_MAIN].pos - 1);
    }
    return EXO_LIKELY(status == EXO_OK) ? exo_channel_accept_pvt(channel, message) : status;
}

/**
 * exo_channel_release - be done with a received message, in any order.
 * @channel: the end  @message: cleared on success
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it was released before or never received here.
 * Context, Ordering, Progress: as exo_release().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_release(struct exo_channel *channel, struct exo_message *message)
{
    return exo_release(&channel->rx[EXO_LANE_MAIN], &message->view);
}

/**
 * exo_message_error - what a received Error says.
 * @message: an answer, or any received message
 *
 * Returns: EXO_OK if it is no Error; the status it carries; EXO_CORRUPT if that is none. Context: any.
 */
EXO_INLINE exo_status exo_message_error(const struct exo_message *message)
{
    exo_i32 word = 0;
    if (message->header.msg_type != EXO_MESSAGE_ERROR) {
        return EXO_OK;
    }
    if (message->view.data == EXO_NULL || message->view.len < sizeof(word)) {
        return EXO_CORRUPT;
    }
    __builtin_memcpy(&word, message->view.data, sizeof(word));
    return word < EXO_OK && word >= EXO_SYSTEM_ERROR ? (exo_status)word : EXO_CORRUPT;
}

EXO_INLINE exo_i64 exo_try_channel_recv_pvt(const struct exo_attempt *attempt)
{
    return exo_channel_recv((struct exo_channel *)(exo_uptr)attempt->from, (struct exo_message *)attempt->to);
}

EXO_OUTLINE exo_i64 exo_channel_recv_on_pvt(struct exo_channel *channel, struct exo_message *message,
                                            exo_u64 deadline_ns)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    const struct exo_attempt attempt = {exo_try_channel_recv_pvt, (struct exo_sender *)EXO_NULL, rx, channel, message, 0};
    return exo_wait_pvt(&rx->sleeper, &attempt, deadline_ns, rx->peer);
}

/**
 * exo_channel_recv_blocking - exo_channel_recv(), waiting for a message until a deadline.
 * @channel, @message: as exo_channel_recv()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_channel_recv() but never EXO_EMPTY; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_recv_blocking(struct exo_channel *channel, struct exo_message *message,
                                                             exo_u64 deadline_ns)
{
    exo_status status = exo_channel_recv(channel, message);
    return EXO_LIKELY(exo_settled_pvt(&channel->rx[EXO_LANE_MAIN].sleeper, status))
               ? status
               : (exo_status)exo_channel_recv_on_pvt(channel, message, deadline_ns);
}

#endif
