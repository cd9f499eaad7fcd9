/* SPDX-License-Identifier: MIT */
/*
 * Requests and responses: many calls in flight, answers in any order, a deadline for each.
 *
 *   caller                                      answering side
 *   exo_call_send   Request, main or urgent  --> exo_channel_recv
 *   exo_call_wait   answer lane              <-- exo_reply or exo_reply_error
 *
 * A request's number is (count << bits) | place: the place in the caller's table of pending calls, and in the answering
 * side's table of unanswered requests, so that both find it at once. Answers have a lane of their own with a slot for
 * each place: who answers never waits for messages of another kind to be received first, and two sides that call each
 * other do not lock up.
 *
 * An answer to a call that is over (timed out, cancelled) is dropped and counted. An answer must name a request that
 * is unanswered, else the answering side gets EXO_NOT_FOUND; a hostile one can only spoil its own answers.
 *
 * No allocation: a call is a struct in the caller's memory that must stay where it is until the call is over.
 */
#ifndef EXO_IPC_CHANNEL_CALL_H
#define EXO_IPC_CHANNEL_CALL_H

#include "recv.h"
#include "send.h"

/**
 * struct exo_call - a request and its answer.
 * @answer: once exo_call_wait() or exo_call_poll() said EXO_OK; give it back with exo_call_release()
 * @status: EXO_WOULD_BLOCK while the call is pending; EXO_OK once answered; else why it ended without an answer
 * @deadline_ns: absolute
 * @id: its number; 0 once it is over
 * @over, @next: null, or the list of ended calls that it goes to (async.h), and the one that ended before it
 * @began_ticks: when the request was made, for a profiler; 0: nobody counts
 */
struct exo_call {
    struct exo_message answer;
    exo_status status;
    exo_u64 deadline_ns;
    exo_u64 id;
    struct exo_call **over;
    struct exo_call *next;
    exo_u64 began_ticks;
};

/* Whether the peer allows one more call. */
EXO_INLINE exo_bool exo_call_allowed_pvt(const struct exo_channel *channel)
{
    return channel->unanswered <= channel->pending_mask;
}

/* The place in the table that a number names. */
EXO_HOT struct exo_pending *exo_call_pending_pvt(const struct exo_channel *channel, exo_u64 id)
{
    return &channel->pending[(exo_u32)id & channel->pending_mask];
}

/* A free place for a call, or EXO_CALLS_MAX. */
EXO_INLINE exo_u32 exo_call_place_pvt(const struct exo_channel *channel)
{
    exo_u32 mask = channel->pending_mask;
    exo_u32 i;
    for (i = 0; i <= mask && exo_call_allowed_pvt(channel); i++) {
        exo_u32 at = (exo_u32)(channel->calls + i) & mask;
        if (channel->pending[at].id == 0) {
            return at;
        }
    }
    return EXO_CALLS_MAX;
}

/* The call is over, for this reason. */
EXO_INLINE void exo_call_end_pvt(struct exo_channel *channel, struct exo_call *call, exo_status status)
{
    exo_call_pending_pvt(channel, call->id)->id = 0;
    channel->unanswered--;
    call->id = 0;
    call->status = status;
    if (EXO_UNLIKELY(call->over != EXO_NULL)) {
        call->next = *call->over;
        *call->over = call;
    }
}

/* Take what stands in the answer lane: the answer of a pending call, or one that comes too late. */
EXO_INLINE exo_status exo_call_take_pvt(struct exo_channel *channel, exo_u64 control)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_ANSWER];
    const exo_word64 *line = exo_rx_line_pvt(rx, rx->pos);
    exo_u64 id = exo_load64(line - 1, EXO_RELAXED); /* relaxed: acquired with the control word */
    struct exo_pending *place = exo_call_pending_pvt(channel, id);
    struct exo_call *call = id != 0 && place->id == id ? place->call : (struct exo_call *)EXO_NULL;
    struct exo_message unwanted;
    struct exo_message *answer = call == EXO_NULL ? &unwanted : &call->answer;
    exo_status status = exo_message_parse_pvt(rx, line, control, answer);
    if (status != EXO_OK || answer->header.request_id != id || (answer->header.flags & ~EXO_FLAGS_KNOWN) != 0 ||
        answer->view.len > channel->takes ||
        (answer->header.msg_type != EXO_MESSAGE_RESPONSE && answer->header.msg_type != EXO_MESSAGE_ERROR)) {
        return exo_channel_refuse_pvt(channel, EXO_CORRUPT);
    }
    answer->header.sender = channel->peer;
    answer->loan.data = EXO_NULL;
    answer->loan.token = 0;
    answer->place = exo_channel_place(EXO_LANE_ANSWER, rx->pos);
    exo_rx_tally_view_pvt(rx, rx->pos, answer->view.token, answer->view.len);
    exo_rx_advance_pvt(rx, rx->mode, 1);
    if (call == EXO_NULL) {
        channel->late++;
        return exo_channel_release(channel, answer);
    }
    exo_probe_called_pvt(rx->waker.profiler, call->began_ticks, id);
    exo_call_end_pvt(channel, call, EXO_OK);
    return EXO_OK;
}

/* Take answers until this call is over (null: until any is), or there is none. */
EXO_INLINE exo_status exo_call_drain_pvt(struct exo_channel *channel, const struct exo_call *call)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_ANSWER];
    exo_u32 before = channel->unanswered;
    exo_u64 most = (exo_u64)rx->mask + 1;
    while (most-- != 0 && (call == EXO_NULL ? channel->unanswered == before : call->id != 0)) {
        exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos));
        exo_status status = EXO_OK;
        if (EXO_UNLIKELY(!exo_message_stands_pvt(control, rx->pos))) {
            status = exo_message_settle_pvt(rx, &control);
        }
        if (status == EXO_OK) {
            status = exo_call_take_pvt(channel, control);
        }
        if (status != EXO_OK) {
            return status == EXO_TYPE_MISMATCH ? exo_channel_refuse_pvt(channel, EXO_CORRUPT) : status;
        }
    }
    return EXO_OK;
}

/* Number a request and enter it; what remains is to send it. */
EXO_INLINE exo_status exo_call_enter_pvt(struct exo_channel *channel, struct exo_call *call, exo_u64 deadline_ns,
                                         exo_u64 *id)
{
    exo_u32 mask = channel->pending_mask;
    exo_u32 at;
    if (deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
        return EXO_TIMEOUT;
    }
    (void)exo_call_drain_pvt(channel, (const struct exo_call *)EXO_NULL); /* makes room; its failures are told there */
    at = exo_call_place_pvt(channel);
    if (at == EXO_CALLS_MAX) {
        return EXO_FULL;
    }
    *id = ((channel->calls + 1) << exo_log2(mask + 1)) | at;
    call->deadline_ns = deadline_ns;
    call->began_ticks = exo_probe_call_pvt(channel->rx[EXO_LANE_ANSWER].waker.profiler);
    return EXO_OK;
}

EXO_INLINE void exo_call_begun_pvt(struct exo_channel *channel, struct exo_call *call, exo_u64 id)
{
    struct exo_pending *place = exo_call_pending_pvt(channel, id);
    place->call = call;
    place->id = id;
    channel->calls++;
    channel->unanswered++;
    call->id = id;
    call->over = (struct exo_call **)EXO_NULL;
    call->status = EXO_WOULD_BLOCK;
}

/**
 * exo_call_send - make a request, without waiting for room or for the answer.
 * @channel: the end
 * @call: the call, in the caller's memory; not one that is pending
 * @header: flags, priority and dest of the request; null for none. msg_type, request_id and sender are filled in
 * @data, @len: the payload, in bytes
 * @deadline_ns: until when the answer counts, absolute; EXO_FOREVER for none
 *
 * Returns: EXO_OK; EXO_FULL when the lane or the arena is, or as many calls are pending as the peer allows;
 * EXO_TIMEOUT if the deadline has passed already (EXO_NOW always has); else as exo_channel_send(). On an error there
 * is no call and nothing was sent.
 * Context: as exo_channel_send(), by the thread that receives answers. Progress: wait-free, in a scan of the pending
 * calls at most.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_send(struct exo_channel *channel, struct exo_call *call,
                                                 const struct exo_message_header *header, const void *data,
                                                 exo_size len, exo_u64 deadline_ns)
{
    struct exo_message_header stamped = exo_message_header_new(EXO_MESSAGE_REQUEST, 0, 0, 0);
    exo_u64 id = 0;
    exo_status status;
    if (header != EXO_NULL) {
        stamped.flags = header->flags;
        stamped.priority = header->priority;
        stamped.dest = header->dest;
    }
    if ((stamped.flags & ~EXO_FLAGS_USER) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (channel->limit != 0 && len > channel->limit) {
        return EXO_INVALID_SIZE;
    }
    status = exo_call_enter_pvt(channel, call, deadline_ns, &id);
    if (status != EXO_OK) {
        return status;
    }
    stamped.request_id = id;
    status = exo_channel_put_pvt(channel, exo_channel_lane_pvt(channel, stamped.priority), &stamped, data, len);
    if (status == EXO_OK) {
        exo_call_begun_pvt(channel, call, id);
    }
    return status;
}

/**
 * exo_call_send_message - make a request of a message built by exo_channel_loan() or exo_message_new_inline().
 * @channel, @call, @deadline_ns: as exo_call_send()
 * @message: given away on success; msg_type, request_id and sender are filled in
 *
 * Returns, Context, Progress: as exo_call_send() and exo_message_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_send_message(struct exo_channel *channel, struct exo_call *call,
                                                         struct exo_message *message, exo_u64 deadline_ns)
{
    exo_u64 id = 0;
    exo_status status;
    if ((message->header.flags & ~EXO_FLAGS_USER) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (channel->limit != 0 && exo_message_size(message) > channel->limit) {
        return EXO_INVALID_SIZE;
    }
    status = exo_call_enter_pvt(channel, call, deadline_ns, &id);
    if (status != EXO_OK) {
        return status;
    }
    message->header.msg_type = EXO_MESSAGE_REQUEST;
    message->header.request_id = id;
    message->header.sender = channel->self;
    status = exo_message_send(exo_channel_lane_pvt(channel, message->header.priority), message);
    if (status == EXO_OK) {
        exo_call_begun_pvt(channel, call, id);
    }
    return status;
}

/**
 * exo_call_cancel - give a pending call up. Its answer will be dropped.
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not pending. Context: the caller's thread. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_cancel(struct exo_channel *channel, struct exo_call *call)
{
    struct exo_pending *place = exo_call_pending_pvt(channel, call->id);
    if (call->id == 0 || place->id != call->id || place->call != call) {
        return EXO_NOT_FOUND;
    }
    exo_call_end_pvt(channel, call, EXO_CANCELLED);
    return EXO_OK;
}

/**
 * exo_call_poll - whether a call is over, without waiting. Takes answers of other calls on the way.
 * @channel: the end  @call: of exo_call_send()
 *
 * Returns: EXO_OK: call->answer holds a Response, or an Error (exo_message_error() tells which); EXO_EMPTY while it is
 * pending; EXO_TIMEOUT once its deadline has passed; EXO_CLOSED, EXO_PEER_DIED, EXO_CORRUPT when no answer will come;
 * the same again, or what exo_call_cancel() left, if the call is over.
 * Context: the caller's thread. Ordering: acquire. Progress: wait-free, in a scan of the answer lane at most.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_poll(struct exo_channel *channel, struct exo_call *call)
{
    exo_status status;
    if (call->id == 0) {
        return call->status;
    }
    status = exo_call_drain_pvt(channel, call);
    if (call->id == 0) {
        return call->status;
    }
    if (status == EXO_EMPTY || status == EXO_OK) {
        if (call->deadline_ns == EXO_FOREVER || exo_port_now_ns() < call->deadline_ns) {
            return EXO_EMPTY;
        }
        status = EXO_TIMEOUT;
    }
    exo_call_end_pvt(channel, call, status);
    return status;
}

EXO_INLINE exo_i64 exo_try_call_pvt(const struct exo_attempt *attempt)
{
    const struct exo_call *call = (const struct exo_call *)attempt->to;
    exo_status status = exo_call_drain_pvt((struct exo_channel *)(exo_uptr)attempt->from, call);
    return call->id == 0 ? EXO_OK : status == EXO_OK ? EXO_EMPTY : status;
}

/**
 * exo_call_wait - wait until a call is over.
 * @channel, @call: as exo_call_poll()
 *
 * Returns: as exo_call_poll() but never EXO_EMPTY; EXO_NOT_SUPPORTED on a polled channel: the call stays pending.
 * Context: the caller's thread; not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_wait(struct exo_channel *channel, struct exo_call *call)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    exo_status status;
    if (call->id == 0) {
        return call->status;
    }
    status = exo_call_drain_pvt(channel, call);
    if (EXO_UNLIKELY(!exo_settled_pvt(&rx->sleeper, call->id == 0 ? EXO_OK : status))) {
        const struct exo_attempt attempt = {exo_try_call_pvt, (struct exo_sender *)EXO_NULL, rx, channel, call, 0};
        status = (exo_status)exo_wait_pvt(&rx->sleeper, &attempt, call->deadline_ns, rx->peer);
    }
    if (status == EXO_NOT_SUPPORTED) {
        return status;
    }
    if (call->id != 0) {
        exo_call_end_pvt(channel, call, status);
    }
    return call->status;
}

/** exo_call_release - give the answer of a finished call back. As exo_channel_release(). */
EXO_INLINE EXO_MUST_USE exo_status exo_call_release(struct exo_channel *channel, struct exo_call *call)
{
    return exo_channel_release(channel, &call->answer);
}

/* What a waiting exo_call_send_blocking() wants done. */
struct exo_call_wish {
    struct exo_channel *channel;
    struct exo_call *call;
    const struct exo_message_header *header;
    exo_u64 deadline_ns;
};

EXO_INLINE exo_i64 exo_try_call_send_pvt(const struct exo_attempt *attempt)
{
    const struct exo_call_wish *wish = (const struct exo_call_wish *)attempt->to;
    return exo_call_send(wish->channel, wish->call, wish->header, attempt->from, attempt->size, wish->deadline_ns);
}
EXO_INLINE exo_i64 exo_try_call_place_pvt(const struct exo_attempt *attempt)
{
    struct exo_channel *channel = (struct exo_channel *)(exo_uptr)attempt->from;
    exo_status status = exo_call_drain_pvt(channel, (const struct exo_call *)EXO_NULL);
    return exo_call_allowed_pvt(channel) ? EXO_OK : status == EXO_OK ? EXO_EMPTY : status;
}

/**
 * exo_call_send_blocking - exo_call_send(), waiting for room, and for a place among the calls, until the deadline.
 *
 * Returns: as exo_call_send() but never EXO_FULL; EXO_NOT_SUPPORTED on a polled channel that is full.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_call_send_blocking(struct exo_channel *channel, struct exo_call *call,
                                                          const struct exo_message_header *header, const void *data,
                                                          exo_size len, exo_u64 deadline_ns)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_MAIN];
    struct exo_call_wish wish;
    if (deadline_ns == EXO_NOW) {
        return EXO_TIMEOUT;
    }
    wish.channel = channel;
    wish.call = call;
    wish.header = header;
    wish.deadline_ns = deadline_ns;
    if (EXO_UNLIKELY(!exo_call_allowed_pvt(channel))) {
        const struct exo_attempt attempt = {exo_try_call_place_pvt, (struct exo_sender *)EXO_NULL, rx, channel,
                                            EXO_NULL, 0};
        exo_i64 status = exo_wait_pvt(&rx->sleeper, &attempt, deadline_ns, rx->peer);
        if (status != EXO_OK) {
            return (exo_status)status;
        }
    }
    return (exo_status)exo_tx_wait_pvt(&channel->tx[EXO_LANE_MAIN], exo_try_call_send_pvt, data, &wish, len,
                                       deadline_ns);
}

#endif
