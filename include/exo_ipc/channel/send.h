/* SPDX-License-Identifier: MIT */
/*
 * Sending through a channel: check, pick the lane, stamp, send.
 */
#ifndef EXO_IPC_CHANNEL_SEND_H
#define EXO_IPC_CHANNEL_SEND_H

#include "handle.h"

/* Whether the user may send such a header by itself: requests and answers belong to calls. */
EXO_INLINE exo_status exo_channel_check_pvt(const struct exo_channel *channel, const struct exo_message_header *header,
                                            exo_u64 len)
{
    if (header->msg_type != EXO_MESSAGE_DATA && header->msg_type != EXO_MESSAGE_CONTROL &&
        (header->msg_type != EXO_MESSAGE_ERROR || header->request_id != 0)) {
        return EXO_INVALID_ARGUMENT;
    }
    if ((header->flags & ~EXO_FLAGS_USER) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    return channel->limit != 0 && len > channel->limit ? EXO_INVALID_SIZE : EXO_OK;
}

EXO_HOT struct exo_sender *exo_channel_lane_pvt(struct exo_channel *channel, exo_u8 priority)
{
    return &channel->tx[priority == 0 ? EXO_LANE_MAIN : EXO_LANE_URGENT];
}

/* Send a checked header and its payload by a lane. */
EXO_INLINE exo_status exo_channel_put_pvt(struct exo_channel *channel, struct exo_sender *tx,
                                          struct exo_message_header *stamped, const void *data, exo_size len)
{
    stamped->sender = channel->self;
    stamped->reserved = 0;
    if (EXO_LIKELY(exo_fits_inline(len))) {
        stamped->total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)len;
        return exo_message_put_inline_pvt(tx, stamped, data, len);
    }
    return exo_message_send_data(tx, stamped, data, len);
}

/**
 * exo_channel_send - send a message, without waiting.
 * @channel: the end
 * @header: msg_type Data, Control or Error; flags within EXO_FLAGS_USER; priority; dest and request_id as they are.
 *   sender and total_size are filled in. Null means Data of priority 0
 * @data, @len: the payload, in bytes; copied into the slot up to 56 bytes, into the arena above
 *
 * Returns: EXO_OK; EXO_FULL when the lane or the arena is; EXO_INVALID_ARGUMENT for another type (requests are made by
 * exo_call_send(), answers by exo_reply()), an unknown flag, or a request_id in an Error; EXO_INVALID_SIZE for what the
 * arena can never hold or the peer does not take; EXO_CLOSED if either side closed this direction; EXO_PEER_DIED;
 * EXO_CORRUPT. On an error nothing was sent.
 * Context, Ordering, Progress: as exo_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_send(struct exo_channel *channel, const struct exo_message_header *header,
                                                    const void *data, exo_size len)
{
    struct exo_message_header stamped;
    exo_status status;
    if (header == EXO_NULL) {
        stamped = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    } else {
        stamped = *header;
    }
    status = exo_channel_check_pvt(channel, &stamped, len);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    return exo_channel_put_pvt(channel, exo_channel_lane_pvt(channel, stamped.priority), &stamped, data, len);
}

/**
 * exo_channel_loan - build a message whose payload is written straight into shared pages, without waiting.
 * @channel: the end
 * @message: written on success only; exo_message_payload() tells where to write. Send it with
 *   exo_channel_send_message(), or give it up with exo_channel_drop()
 * @header: as in exo_channel_send()
 * @len: bytes of payload
 *
 * Returns: as exo_channel_send(), and EXO_NOT_SUPPORTED if the channel has no arena. Context: as exo_loan().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_loan(struct exo_channel *channel, struct exo_message *message,
                                                    const struct exo_message_header *header, exo_size len)
{
    struct exo_message_header plain = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_status status = exo_channel_check_pvt(channel, header == EXO_NULL ? &plain : header, len);
    if (status != EXO_OK) {
        return status;
    }
    return exo_message_new_zero_copy(message, &channel->tx[EXO_LANE_MAIN], header == EXO_NULL ? &plain : header, len);
}

/**
 * exo_channel_drop - give up a message of exo_channel_loan() that was not sent. As exo_loan_cancel().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_drop(struct exo_channel *channel, struct exo_message *message)
{
    return exo_message_drop(&channel->tx[EXO_LANE_MAIN], message);
}

/**
 * exo_channel_send_message - send a message that was built, without waiting.
 * @channel: the end
 * @message: of exo_channel_loan() or exo_message_new_inline(); given away on success
 *
 * Returns: as exo_channel_send() and exo_message_send(). Context, Ordering, Progress: as exo_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_send_message(struct exo_channel *channel, struct exo_message *message)
{
    exo_u64 len = (exo_u64)message->header.total_size - EXO_MESSAGE_HEADER_SIZE;
    exo_status status = exo_channel_check_pvt(channel, &message->header, len);
    if (status != EXO_OK) {
        return status;
    }
    message->header.sender = channel->self;
    return exo_message_send(exo_channel_lane_pvt(channel, message->header.priority), message);
}

/* What a waiting call of the sending side wants done. */
struct exo_channel_wish {
    struct exo_channel *channel;
    const struct exo_message_header *header;
    struct exo_message *message;
};

EXO_INLINE exo_i64 exo_try_channel_send_pvt(const struct exo_attempt *attempt)
{
    const struct exo_channel_wish *wish = (const struct exo_channel_wish *)attempt->to;
    return exo_channel_send(wish->channel, wish->header, attempt->from, attempt->size);
}
EXO_INLINE exo_i64 exo_try_channel_send_message_pvt(const struct exo_attempt *attempt)
{
    const struct exo_channel_wish *wish = (const struct exo_channel_wish *)attempt->to;
    return exo_channel_send_message(wish->channel, wish->message);
}
EXO_INLINE exo_i64 exo_try_channel_loan_pvt(const struct exo_attempt *attempt)
{
    const struct exo_channel_wish *wish = (const struct exo_channel_wish *)attempt->to;
    return exo_channel_loan(wish->channel, wish->message, wish->header, attempt->size);
}

/**
 * exo_channel_send_blocking - exo_channel_send(), waiting for room until a deadline.
 * @channel, @header, @data, @len: as exo_channel_send()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_channel_send() but never EXO_FULL; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW. On an error nothing was
 * sent. Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_send_blocking(struct exo_channel *channel,
                                                             const struct exo_message_header *header, const void *data,
                                                             exo_size len, exo_u64 deadline_ns)
{
    struct exo_channel_wish wish;
    wish.channel = channel;
    wish.header = header;
    wish.message = (struct exo_message *)EXO_NULL;
    return (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_channel_send_pvt, data, &wish, len,
                                       deadline_ns);
}

/**
 * exo_channel_send_message_blocking - exo_channel_send_message(), waiting for a slot until a deadline. Otherwise as
 * exo_channel_send_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_send_message_blocking(struct exo_channel *channel,
                                                                     struct exo_message *message, exo_u64 deadline_ns)
{
    struct exo_channel_wish wish;
    wish.channel = channel;
    wish.header = EXO_NULL;
    wish.message = message;
    return (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_channel_send_message_pvt, EXO_NULL, &wish,
                                       0, deadline_ns);
}

/**
 * exo_channel_loan_blocking - exo_channel_loan(), waiting for room in the arena until a deadline. Otherwise as
 * exo_channel_send_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_loan_blocking(struct exo_channel *channel, struct exo_message *message,
                                                             const struct exo_message_header *header, exo_size len,
                                                             exo_u64 deadline_ns)
{
    struct exo_channel_wish wish;
    wish.channel = channel;
    wish.header = header;
    wish.message = message;
    return (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_channel_loan_pvt, EXO_NULL, &wish, len,
                                       deadline_ns);
}

#endif
