/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a channel (channel_fixture.h), each with an asynchronous channel, and operations on them. Readings of the
 * clock are counted, and it can be put ahead, so that a deadline far off passes when a test says so.
 */
#ifndef EXO_TESTS_ASYNC_FIXTURE_H
#define EXO_TESTS_ASYNC_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "exo_ipc/port.h"

static _Thread_local exo_u32 clock_reads;
static exo_u64 clock_ahead_ns;
#define exo_port_now_ns() (clock_reads++, (exo_port_now_ns)() + clock_ahead_ns)

#include "channel_fixture.h"

#define MANY 1000u

struct two_async {
    struct two_ends ends;
    struct exo_async a;
    struct exo_async b;
};

EXO_INLINE void open_async(struct two_async *two, exo_u32 way, exo_u32 calls)
{
    struct exo_channel_config config = {0};
    config.calls = calls;
    config.ring.arena_size = 65536;
    open_two(&two->ends, &ways[way], config);
    exo_async_init(&two->a, two->ends.a);
    exo_async_init(&two->b, two->ends.b);
}

EXO_INLINE void close_async(struct two_async *two)
{
    exo_async_close(&two->a);
    exo_async_close(&two->b);
    close_two(&two->ends);
}

EXO_INLINE void init_ops(struct exo_op *op, exo_u32 count)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        exo_op_init(&op[i], i);
    }
}

/* The next completion is this one, and has ended so. */
EXO_INLINE void assert_done(struct exo_async *async, struct exo_op *op, exo_status status)
{
    assert_ptr_equal(exo_async_next(async), op);
    assert_int_equal(op->status, status);
}

EXO_INLINE void assert_received(struct exo_async *async, struct exo_op *op, exo_size len, exo_u32 number)
{
    assert_done(async, op, EXO_OK);
    assert_filled(exo_op_message(op), len, number);
    assert_int_equal(exo_op_release(async, op), EXO_OK);
}

/* The payload stays: each operation has a key of its own. */
EXO_INLINE exo_status submit_filled(struct exo_async *async, struct exo_op *op, exo_u8 priority, exo_size len,
                                    exo_u32 number)
{
    static exo_u8 data[16][1024];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    header.priority = priority;
    fill(data[op->key], len, number);
    return exo_async_submit_send(async, op, &header, data[op->key], len, EXO_FOREVER);
}

EXO_INLINE exo_status submit_question(struct exo_async *async, struct exo_op *op, exo_u32 number, exo_u64 deadline_ns)
{
    return exo_async_submit_call(async, op, NO_HEADER, &number, sizeof(number), deadline_ns);
}

EXO_INLINE void assert_question_answered(struct exo_async *async, struct exo_op *op, exo_u32 number)
{
    struct exo_message *answer = exo_op_message(op);
    exo_u32 got = 0;
    assert_int_equal(op->status, EXO_OK);
    assert_int_equal(answer->header.msg_type, EXO_MESSAGE_RESPONSE);
    assert_int_equal(exo_message_size(answer), sizeof(got));
    memcpy(&got, exo_message_payload(answer), sizeof(got));
    assert_int_equal(got, number);
    assert_int_equal(exo_op_release(async, op), EXO_OK);
}

EXO_INLINE void assert_answered(struct exo_async *async, struct exo_op *op, exo_u32 number)
{
    assert_ptr_equal(exo_async_next(async), op);
    assert_question_answered(async, op, number);
}

/* The next message is a request: what it asks. */
EXO_INLINE exo_u32 asked(struct exo_channel *channel, struct exo_message_header *request)
{
    struct exo_message message;
    exo_u32 number = 0;
    assert_int_equal(exo_channel_recv(channel, &message), EXO_OK);
    assert_int_equal(message.header.msg_type, EXO_MESSAGE_REQUEST);
    memcpy(&number, exo_message_payload(&message), sizeof(number));
    *request = message.header;
    assert_int_equal(exo_channel_release(channel, &message), EXO_OK);
    return number;
}

EXO_INLINE exo_u32 take_question(struct exo_async *async, struct exo_op *op, struct exo_message_header *request)
{
    exo_u32 number = 0;
    assert_done(async, op, EXO_OK);
    memcpy(&number, exo_message_payload(exo_op_message(op)), sizeof(number));
    *request = exo_op_message(op)->header;
    assert_int_equal(exo_op_release(async, op), EXO_OK);
    return number;
}

/* Fill a lane with messages of one byte, which is 1. */
EXO_INLINE void fill_lane(struct exo_channel *channel, exo_u8 priority)
{
    exo_status status;
    while ((status = send_byte(channel, priority, 1)) == EXO_OK) {
    }
    assert_int_equal(status, EXO_FULL);
}

/* Receive all that stands there. */
EXO_INLINE void drain_lane(struct exo_channel *channel)
{
    struct exo_message message;
    while (exo_channel_recv(channel, &message) == EXO_OK) {
        assert_int_equal(exo_channel_release(channel, &message), EXO_OK);
    }
}

#endif
