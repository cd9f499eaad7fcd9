/* SPDX-License-Identifier: MIT */
/*
 * The answering side of requests; call.h has the whole.
 */
#ifndef EXO_IPC_CHANNEL_REPLY_H
#define EXO_IPC_CHANNEL_REPLY_H

#include "recv.h"
#include "send.h"

/* Whether a request is unanswered; *place is where that stands. */
EXO_INLINE exo_status exo_reply_check_pvt(struct exo_channel *channel, const struct exo_message_header *request,
                                          exo_u8 flags, exo_u64 len, exo_word64 **place)
{
    *place = &channel->open[(exo_u32)request->request_id & channel->tx[EXO_LANE_ANSWER].mask];
    if (request->msg_type != EXO_MESSAGE_REQUEST || (flags & ~EXO_FLAGS_USER) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (request->request_id == 0 || **place != request->request_id) {
        return EXO_NOT_FOUND;
    }
    return channel->limit != 0 && len > channel->limit ? EXO_INVALID_SIZE : EXO_OK;
}

EXO_INLINE exo_status exo_reply_put_pvt(struct exo_channel *channel, const struct exo_message_header *request,
                                        exo_u8 type, const void *data, exo_size len)
{
    struct exo_message_header stamped = exo_message_header_new(type, 0, request->sender, request->request_id);
    exo_word64 *place;
    exo_status status = exo_reply_check_pvt(channel, request, 0, len, &place);
    if (status == EXO_OK) {
        status = exo_channel_put_pvt(channel, &channel->tx[EXO_LANE_ANSWER], &stamped, data, len);
    }
    if (status == EXO_OK) {
        *place = 0;
    }
    return status;
}

/**
 * exo_reply - answer a request, without waiting.
 * @channel: the end that received it
 * @request: header of the request; the message itself may have been released
 * @data, @len: the payload, in bytes
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if that request is unknown, was answered, or was given up and its number is in use
 * again; EXO_INVALID_ARGUMENT if it is no request; EXO_FULL when the peer has not taken answers that came too late for
 * it; else as exo_channel_send(). On an error the request stays unanswered.
 * Context, Ordering, Progress: as exo_channel_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reply(struct exo_channel *channel, const struct exo_message_header *request,
                                             const void *data, exo_size len)
{
    return exo_reply_put_pvt(channel, request, EXO_MESSAGE_RESPONSE, data, len);
}

/**
 * exo_reply_error - answer a request with an error.
 * @status: what went wrong, a negative exo_status
 *
 * Returns: as exo_reply(); EXO_INVALID_ARGUMENT for a status that is none or EXO_OK.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reply_error(struct exo_channel *channel,
                                                   const struct exo_message_header *request, exo_status status)
{
    exo_i32 word = (exo_i32)status;
    if (status >= EXO_OK || status < EXO_SYSTEM_ERROR) {
        return EXO_INVALID_ARGUMENT;
    }
    return exo_reply_put_pvt(channel, request, EXO_MESSAGE_ERROR, &word, sizeof(word));
}

/**
 * exo_reply_message - answer a request with a message built by exo_channel_loan() or exo_message_new_inline().
 * @message: given away on success; msg_type, request_id, sender and dest are filled in
 *
 * Returns, Context, Progress: as exo_reply() and exo_message_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reply_message(struct exo_channel *channel,
                                                     const struct exo_message_header *request,
                                                     struct exo_message *message)
{
    exo_word64 *place;
    exo_status status =
        exo_reply_check_pvt(channel, request, message->header.flags, exo_message_size(message), &place);
    if (status != EXO_OK) {
        return status;
    }
    message->header.msg_type = EXO_MESSAGE_RESPONSE;
    message->header.request_id = request->request_id;
    message->header.sender = channel->self;
    message->header.dest = request->sender;
    status = exo_message_send(&channel->tx[EXO_LANE_ANSWER], message);
    if (status == EXO_OK) {
        *place = 0;
    }
    return status;
}

EXO_INLINE exo_i64 exo_try_reply_pvt(const struct exo_attempt *attempt)
{
    const struct exo_channel_wish *wish = (const struct exo_channel_wish *)attempt->to;
    return exo_reply(wish->channel, wish->header, attempt->from, attempt->size);
}

/**
 * exo_reply_blocking - exo_reply(), waiting for room until a deadline. Otherwise as exo_channel_send_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_reply_blocking(struct exo_channel *channel,
                                                      const struct exo_message_header *request, const void *data,
                                                      exo_size len, exo_u64 deadline_ns)
{
    struct exo_channel_wish wish;
    wish.channel = channel;
    wish.header = request;
    wish.message = (struct exo_message *)EXO_NULL;
    return (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_reply_pvt, data, &wish, len, deadline_ns);
}

#endif
