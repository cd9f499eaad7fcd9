/* SPDX-License-Identifier: MIT */
/*
 * Channels and descriptors: one that stands for a channel in epoll, poll and io_uring, as exo_fd() does for an end
 * (exo_fd.h has the whole), and any that go along with its messages (exo_mailbox.h).
 */
#ifndef EXO_PORT_LINUX_CHANNEL_FD_H
#define EXO_PORT_LINUX_CHANNEL_FD_H

#include "exo_channel.h"
#include "exo_fd.h"

/**
 * exo_channel_fd - a descriptor that is readable when an armed channel should be looked at. As exo_fd().
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_channel_fd(struct exo_channel_end *end)
{
    return exo_gate_open_pvt(&end->link);
}

EXO_INLINE void exo_channel_disarm_pvt(struct exo_channel_end *end, exo_u32 events)
{
    if ((events & EXO_READABLE) != 0) {
        exo_receiver_disarm(&end->channel.rx[EXO_LANE_MAIN]);
    }
    if ((events & EXO_WRITABLE) != 0) {
        exo_sender_disarm(&end->channel.tx[EXO_LANE_MAIN]);
    }
}

/**
 * exo_channel_fd_clear - the descriptor was readable, or the caller gives up sleeping. As exo_fd_clear().
 */
EXO_INLINE void exo_channel_fd_clear(struct exo_channel_end *end)
{
    if (end->link.gate.epoll >= 0) {
        exo_channel_disarm_pvt(end, end->link.gate.armed);
        exo_gate_clear_pvt(&end->link);
        end->link.gate.armed = 0;
    }
}

EXO_INLINE exo_i64 exo_try_channel_any_pvt(const struct exo_attempt *attempt)
{
    return exo_channel_any_look_pvt(attempt->to);
}

/**
 * exo_channel_fd_arm - have the descriptor made readable when there is something to do, unless there is already.
 * @end: an end whose exo_channel_fd() was called
 * @events: EXO_READABLE: a message, or an answer to a call, can be received; EXO_WRITABLE: a message of priority 0 can
 *   be sent; or both
 * @size: EXO_WRITABLE: of its payload, in bytes
 *
 * Returns, Context: as exo_fd_arm().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_fd_arm(struct exo_channel_end *end, exo_u32 events, exo_size size)
{
    struct exo_channel *channel = &end->channel;
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    struct exo_sender *tx = &channel->tx[EXO_LANE_MAIN];
    const struct exo_attempt look = {exo_try_channel_any_pvt, (struct exo_sender *)NULL, rx, NULL, channel, 0};
    exo_u64 again_ns = EXO_FOREVER;
    exo_u64 progress = 0;
    exo_status status = EXO_OK;
    exo_u32 naps = end->link.gate.naps;
    if (events == 0 || (events & ~(EXO_READABLE | EXO_WRITABLE)) != 0 || end->link.gate.epoll < 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if ((events & EXO_READABLE) != 0) {
        progress += rx->pos + channel->rx[EXO_LANE_URGENT].pos + channel->rx[EXO_LANE_ANSWER].pos;
        status = exo_arm_pvt(&rx->sleeper, &look, rx->mode, naps, &again_ns);
    }
    if (status == EXO_OK && (events & EXO_WRITABLE) != 0) {
        progress += tx->pos;
        status = exo_sender_arm(tx, size, naps, &again_ns);
    }
    status = status == EXO_OK ? exo_gate_settle_pvt(&end->link, again_ns, progress) : status;
    end->link.gate.armed = events;
    if (status != EXO_OK) {
        exo_channel_disarm_pvt(end, events);
    }
    return status;
}

/* A message with a payload, inline or in the arena, that is about to go by this lane with a descriptor. */
EXO_INLINE exo_status exo_channel_pack_pvt(struct exo_channel *channel, struct exo_message *message,
                                           const struct exo_message_header *header, const void *data, exo_size len,
                                           exo_u64 deadline_ns)
{
    exo_status status;
    if (exo_fits_inline(len)) {
        return exo_message_new_inline(message, header, data, len);
    }
    if (len > 0xFFFFFFFFu - EXO_MESSAGE_HEADER_SIZE) {
        return EXO_INVALID_SIZE;
    }
    status = exo_channel_loan_blocking(channel, message, (const struct exo_message_header *)NULL, len, deadline_ns);
    if (status == EXO_OK) {
        exo_u32 total = message->header.total_size;
        memcpy(exo_message_payload(message), data, len);
        message->header = *header;
        message->header.total_size = total;
    }
    return status;
}

EXO_INLINE exo_i64 exo_try_lane_room_pvt(const struct exo_attempt *attempt)
{
    const struct exo_attempt lane = {exo_try_writable_pvt, (struct exo_sender *)attempt->to, NULL, NULL, NULL, 0};
    return exo_try_writable_pvt(&lane);
}

/* Wait for a slot, which nobody can take from a single sender; post the descriptor under that slot; send. */
EXO_INLINE exo_status exo_channel_dispatch_pvt(struct exo_channel_end *end, exo_u32 lane, struct exo_message *message,
                                               int descriptor, exo_u64 deadline_ns)
{
    struct exo_channel *channel = &end->channel;
    struct exo_sender *tx = &channel->tx[lane];
    exo_u64 tag = exo_channel_place(lane, tx->pos);
    exo_status status = (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_lane_room_pvt, NULL, tx, 0,
                                                    deadline_ns);
    if (status == EXO_OK) {
        status = exo_mailbox_post(&end->link.mailbox, tag, descriptor, deadline_ns);
    }
    if (status == EXO_OK) {
        message->header.flags |= EXO_FLAG_DESCRIPTOR;
        message->header.sender = channel->self;
        status = exo_message_send(tx, message);
    }
    if (status != EXO_OK && message->loan.data != NULL) {
        exo_status dropped = exo_channel_drop(channel, message);
        status = dropped == EXO_OK ? status : dropped;
    }
    return status;
}

/**
 * exo_channel_send_descriptor - send a message together with a descriptor of any kind.
 * @end: the end
 * @header, @data, @len: as exo_channel_send()
 * @descriptor: stays open here too; the peer gets one of its own, close-on-exec
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * The peer sees EXO_FLAG_DESCRIPTOR in the header's flags and gets it by exo_channel_take_descriptor().
 * Returns: as exo_channel_send_blocking() and exo_mailbox_post(); EXO_INVALID_ARGUMENT for a bad descriptor. On an error
 * nothing was sent. Context: may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_send_descriptor(struct exo_channel_end *end,
                                                               const struct exo_message_header *header,
                                                               const void *data, exo_size len, int descriptor,
                                                               exo_u64 deadline_ns)
{
    struct exo_message_header stamped = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    struct exo_message message;
    exo_status status;
    if (header != NULL) {
        stamped = *header;
    }
    status = descriptor < 0 ? EXO_INVALID_ARGUMENT : exo_channel_check_pvt(&end->channel, &stamped, len);
    if (status == EXO_OK) {
        status = exo_channel_pack_pvt(&end->channel, &message, &stamped, data, len, deadline_ns);
    }
    return status != EXO_OK ? status
                            : exo_channel_dispatch_pvt(end, stamped.priority == 0 ? EXO_LANE_MAIN : EXO_LANE_URGENT,
                                                       &message, descriptor, deadline_ns);
}

/**
 * exo_reply_descriptor - answer a request together with a descriptor. As exo_reply_blocking() and
 * exo_channel_send_descriptor().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reply_descriptor(struct exo_channel_end *end,
                                                        const struct exo_message_header *request, const void *data,
                                                        exo_size len, int descriptor, exo_u64 deadline_ns)
{
    struct exo_message_header stamped =
        exo_message_header_new(EXO_MESSAGE_RESPONSE, 0, request->sender, request->request_id);
    struct exo_message message;
    exo_word64 *place;
    exo_status status = descriptor < 0 ? EXO_INVALID_ARGUMENT
                                       : exo_reply_check_pvt(&end->channel, request, 0, len, &place);
    if (status == EXO_OK) {
        status = exo_channel_pack_pvt(&end->channel, &message, &stamped, data, len, deadline_ns);
    }
    if (status == EXO_OK) {
        status = exo_channel_dispatch_pvt(end, EXO_LANE_ANSWER, &message, descriptor, deadline_ns);
    }
    if (status == EXO_OK) {
        *place = 0;
    }
    return status;
}

/**
 * exo_channel_take_descriptor - get the descriptor that came along with a message, or an answer.
 * @end: the end  @message: as received; it may have been released
 * @descriptor: written on success only; close-on-exec, and of whatever kind the peer chose
 * @deadline_ns: only a hostile peer's may not be there at once
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if none came with it; else as exo_mailbox_take(). Context: may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_take_descriptor(struct exo_channel_end *end,
                                                               const struct exo_message *message, int *descriptor,
                                                               exo_u64 deadline_ns)
{
    return (message->header.flags & EXO_FLAG_DESCRIPTOR) == 0
               ? EXO_NOT_FOUND
               : exo_mailbox_take(&end->link.mailbox, message->place, descriptor, deadline_ns);
}

#endif
