/* SPDX-License-Identifier: MIT */
/*
 * Submitting operations to an asynchronous channel (async.h).
 *
 * What can be done at once is done at once, unless something submitted before it still waits for the same: the call is then
 * the one of the channel, and the completion a link in a list. What cannot is put in a list, with its header and what it
 * needs; 56 bytes of payload and less are copied then, longer ones when there is room in the arena.
 *
 * Common to all of them
 * @async: the channel
 * @op: an operation of exo_op_init() that is not in flight. On success it will complete exactly once
 * @deadline_ns: absolute; EXO_NOW: if it cannot be done at once it completes with EXO_WOULD_BLOCK; EXO_FOREVER for none.
 *   One that has passed still gets an attempt
 *
 * Returns: EXO_OK: it is submitted, and perhaps completed already; EXO_INVALID_ARGUMENT if it is in flight; EXO_CLOSED after
 * exo_async_close(); else what is said there. On an error nothing has happened and there is no completion.
 * Context: the owner's thread; never sleeps. Progress: wait-free; for a call, in a scan of the pending calls at most.
 */
#ifndef EXO_IPC_CHANNEL_ASYNC_SUBMIT_H
#define EXO_IPC_CHANNEL_ASYNC_SUBMIT_H

#include "async_poll.h"

/* Whether it may be submitted. */
EXO_HOT exo_status exo_op_begin_pvt(const struct exo_async *async, struct exo_op *op, exo_u32 kind,
                                    exo_u64 deadline_ns)
{
    /* relaxed: only the owner brings it from IDLE to anything else, and back */
    if (EXO_UNLIKELY(exo_load32(&op->state, EXO_RELAXED) != EXO_OP_IDLE)) {
        return EXO_INVALID_ARGUMENT;
    }
    op->kind = kind;
    op->deadline_ns = deadline_ns;
    return EXO_LIKELY(!async->closed) ? EXO_OK : EXO_CLOSED;
}

/* Keep what is to be sent until there is room. */
EXO_OUTLINE void exo_op_hold_data_pvt(struct exo_async *async, struct exo_op *op,
                                      const struct exo_message_header *header, const void *data, exo_size len)
{
    exo_status status = EXO_OK;
    op->message = &op->call.answer;
    op->data = data;
    op->len = len;
    if (exo_fits_inline(len)) {
        op->data = EXO_NULL;
        status = exo_message_new_inline(op->message, header, data, len);
    } else {
        op->message->header = *header;
        exo_message_clear_pvt(op->message);
    }
    if (status == EXO_OK) {
        exo_op_hold_pvt(async, op, op->lane);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
}

EXO_INLINE void exo_op_hold_message_pvt(struct exo_async *async, struct exo_op *op, struct exo_message *message)
{
    op->message = message;
    op->data = EXO_NULL;
    exo_op_hold_pvt(async, op, op->lane);
}

EXO_HOT exo_u32 exo_async_lane_pvt(exo_u8 priority)
{
    return priority == 0 ? EXO_LANE_MAIN : EXO_LANE_URGENT;
}

/* Whether nothing waits for room in this lane that was submitted before. */
EXO_HOT exo_bool exo_async_lane_free_pvt(const struct exo_async *async, exo_u32 lane)
{
    return async->list[lane].first == EXO_NULL;
}

/**
 * exo_async_submit_send - send a message. As exo_channel_send(), in order with what was submitted for the same lane.
 * @header, @len: as exo_channel_send()
 * @data: the payload; stays as it is until the operation has completed
 *
 * Returns: EXO_INVALID_ARGUMENT and EXO_INVALID_SIZE as exo_channel_send().
 * Completes with EXO_OK once it is sent; EXO_TIMEOUT, EXO_WOULD_BLOCK, EXO_CANCELLED: it was not sent; else as
 * exo_channel_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_send(struct exo_async *async, struct exo_op *op,
                                                         const struct exo_message_header *header, const void *data,
                                                         exo_size len, exo_u64 deadline_ns)
{
    struct exo_channel *channel = async->channel;
    struct exo_message_header stamped = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_SEND, deadline_ns);
    if (header != EXO_NULL) {
        stamped = *header;
    }
    if (status == EXO_OK) {
        status = exo_channel_check_pvt(channel, &stamped, len);
    }
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    op->lane = exo_async_lane_pvt(stamped.priority);
    status = EXO_FULL;
    if (EXO_LIKELY(exo_async_lane_free_pvt(async, op->lane))) {
        status = exo_channel_put_pvt(channel, &channel->tx[op->lane], &stamped, data, len);
    }
    if (EXO_UNLIKELY(status == EXO_FULL)) {
        exo_op_hold_data_pvt(async, op, &stamped, data, len);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
    return EXO_OK;
}

/**
 * exo_async_submit_message - send a message of exo_channel_loan() or exo_message_new_inline(), as
 * exo_channel_send_message().
 * @message: stays where it is until the operation has completed; given away if that is with EXO_OK, else the caller's
 *   to send again or to drop
 *
 * Returns, completes: as exo_async_submit_send() and exo_channel_send_message().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_message(struct exo_async *async, struct exo_op *op,
                                                            struct exo_message *message, exo_u64 deadline_ns)
{
    exo_u64 len = (exo_u64)message->header.total_size - EXO_MESSAGE_HEADER_SIZE;
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_SEND, deadline_ns);
    if (status == EXO_OK) {
        status = exo_channel_check_pvt(async->channel, &message->header, len);
    }
    if (status != EXO_OK) {
        return status;
    }
    op->lane = exo_async_lane_pvt(message->header.priority);
    status = EXO_FULL;
    if (exo_async_lane_free_pvt(async, op->lane)) {
        status = exo_channel_send_message(async->channel, message);
    }
    if (status == EXO_FULL) {
        exo_op_hold_message_pvt(async, op, message);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
    return EXO_OK;
}

/**
 * exo_async_submit_recv - receive a message, as exo_channel_recv(), after all receives submitted before.
 *
 * Completes with EXO_OK: exo_op_message() is the message, to be given back with exo_op_release(); EXO_TIMEOUT,
 * EXO_WOULD_BLOCK, EXO_CANCELLED: it has received nothing; else as exo_channel_recv().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_recv(struct exo_async *async, struct exo_op *op,
                                                         exo_u64 deadline_ns)
{
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_RECV, deadline_ns);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    status = EXO_EMPTY;
    if (EXO_LIKELY(async->list[EXO_OPS_RECV].first == EXO_NULL)) {
        status = exo_channel_recv(async->channel, exo_op_message(op));
    }
    if (status == EXO_EMPTY) {
        exo_op_hold_pvt(async, op, EXO_OPS_RECV);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
    return EXO_OK;
}

/* A request was sent, or not yet, or never will be. */
EXO_INLINE void exo_op_asked_pvt(struct exo_async *async, struct exo_op *op, exo_status status)
{
    if (status == EXO_OK) {
        op->call.over = &async->over;
        exo_op_hold_pvt(async, op, EXO_OPS_UNANSWERED);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
}

/**
 * exo_async_submit_call - make a request and wait for its answer, as exo_call_send() and exo_call_wait().
 * @header: as exo_call_send()  @data, @len: as exo_async_submit_send()
 * @deadline_ns: for the answer. With one that has passed (EXO_NOW always has) nothing is sent
 *
 * Requests go in order with what is sent by the same lane. When as many calls as the peer allows are unanswered, a request
 * steps aside and lets the others pass.
 *
 * Returns: EXO_INVALID_ARGUMENT and EXO_INVALID_SIZE as exo_call_send().
 * Completes with EXO_OK: exo_op_message() is the answer, to be given back with exo_op_release(); with EXO_TIMEOUT and
 * EXO_CANCELLED the request may have been sent, its answer will be dropped; else as exo_call_wait().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_call(struct exo_async *async, struct exo_op *op,
                                                         const struct exo_message_header *header, const void *data,
                                                         exo_size len, exo_u64 deadline_ns)
{
    struct exo_message_header stamped = exo_message_header_new(EXO_MESSAGE_REQUEST, 0, 0, 0);
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_CALL, deadline_ns);
    if (header != EXO_NULL) {
        stamped.flags = header->flags;
        stamped.priority = header->priority;
        stamped.dest = header->dest;
    }
    if (status == EXO_OK && (stamped.flags & ~EXO_FLAGS_USER) != 0) {
        status = EXO_INVALID_ARGUMENT;
    }
    if (status == EXO_OK && async->channel->limit != 0 && len > async->channel->limit) {
        status = EXO_INVALID_SIZE;
    }
    if (status != EXO_OK) {
        return status;
    }
    op->lane = exo_async_lane_pvt(stamped.priority);
    status = EXO_FULL;
    if (exo_async_lane_free_pvt(async, op->lane) && exo_async_lane_free_pvt(async, EXO_OPS_UNPLACED)) {
        status = exo_call_send(async->channel, &op->call, header, data, len, deadline_ns);
    }
    if (status == EXO_FULL) {
        exo_op_hold_data_pvt(async, op, &stamped, data, len);
    } else {
        exo_op_asked_pvt(async, op, status);
    }
    return EXO_OK;
}

/**
 * exo_async_submit_call_message - make a request of a message, as exo_call_send_message(). @message as in
 * exo_async_submit_message(): given away once its request is sent, which a message that was lent shows (loan.data is null).
 *
 * Returns, completes: as exo_async_submit_call().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_call_message(struct exo_async *async, struct exo_op *op,
                                                                 struct exo_message *message, exo_u64 deadline_ns)
{
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_CALL, deadline_ns);
    if (status == EXO_OK && (message->header.flags & ~EXO_FLAGS_USER) != 0) {
        status = EXO_INVALID_ARGUMENT;
    }
    if (status == EXO_OK && async->channel->limit != 0 && exo_message_size(message) > async->channel->limit) {
        status = EXO_INVALID_SIZE;
    }
    if (status != EXO_OK) {
        return status;
    }
    op->lane = exo_async_lane_pvt(message->header.priority);
    status = EXO_FULL;
    if (exo_async_lane_free_pvt(async, op->lane) && exo_async_lane_free_pvt(async, EXO_OPS_UNPLACED)) {
        status = exo_call_send_message(async->channel, &op->call, message, deadline_ns);
    }
    if (status == EXO_FULL) {
        exo_op_hold_message_pvt(async, op, message);
    } else {
        exo_op_asked_pvt(async, op, status);
    }
    return EXO_OK;
}

/**
 * exo_async_submit_reply - answer a request, as exo_reply(), after all answers submitted before.
 * @request: header of the request; not needed afterwards
 * @data, @len: as exo_async_submit_send()
 *
 * Returns: EXO_INVALID_ARGUMENT, EXO_INVALID_SIZE and EXO_NOT_FOUND as exo_reply().
 * Completes with EXO_OK once it is sent; EXO_TIMEOUT, EXO_WOULD_BLOCK, EXO_CANCELLED: the request is unanswered; else as
 * exo_reply().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_async_submit_reply(struct exo_async *async, struct exo_op *op,
                                                          const struct exo_message_header *request, const void *data,
                                                          exo_size len, exo_u64 deadline_ns)
{
    exo_word64 *place;
    exo_status status = exo_op_begin_pvt(async, op, EXO_OP_REPLY, deadline_ns);
    if (status == EXO_OK) {
        status = exo_reply_check_pvt(async->channel, request, 0, len, &place);
    }
    if (status != EXO_OK) {
        return status;
    }
    op->lane = EXO_LANE_ANSWER;
    status = EXO_FULL;
    if (exo_async_lane_free_pvt(async, EXO_LANE_ANSWER)) {
        status = exo_reply(async->channel, request, data, len);
    }
    if (status == EXO_FULL) {
        struct exo_message_header stamped = exo_message_header_new(EXO_MESSAGE_RESPONSE, 0, 0, 0);
        op->request = *request;
        exo_op_hold_data_pvt(async, op, &stamped, data, len);
    } else {
        exo_op_complete_pvt(async, op, status);
    }
    return EXO_OK;
}

#endif
