/* SPDX-License-Identifier: MIT */
/* Requests that carry a number, and answers with another one, over the channels of channel_fixture.h. */
#ifndef EXO_TESTS_CALLS_FIXTURE_H
#define EXO_TESTS_CALLS_FIXTURE_H

#include "channel_fixture.h"

#define CALLS 8u

EXO_INLINE void open_calls(struct two_ends *two, exo_u32 way)
{
    struct exo_channel_config config = {0};
    config.calls = CALLS;
    open_two(two, &ways[way], config);
}

EXO_INLINE exo_status ask(struct exo_channel *channel, struct exo_call *call, exo_u32 number)
{
    return exo_call_send(channel, call, NO_HEADER, &number, sizeof(number), EXO_FOREVER);
}

/* Receive the next request; the number it asks with. */
EXO_INLINE exo_u32 asked(struct exo_channel *channel, struct exo_message_header *request)
{
    struct exo_message message;
    exo_u32 number;
    assert_int_equal(exo_channel_recv(channel, &message), EXO_OK);
    assert_int_equal(message.header.msg_type, EXO_MESSAGE_REQUEST);
    assert_int_equal(exo_message_size(&message), sizeof(number));
    memcpy(&number, exo_message_payload(&message), sizeof(number));
    *request = message.header;
    assert_int_equal(exo_channel_release(channel, &message), EXO_OK);
    return number;
}

EXO_INLINE void assert_answer(struct exo_channel *channel, struct exo_call *call, exo_u32 number)
{
    exo_u32 got;
    assert_int_equal(call->answer.header.msg_type, EXO_MESSAGE_RESPONSE);
    assert_int_equal(exo_message_error(&call->answer), EXO_OK);
    assert_int_equal(exo_message_size(&call->answer), sizeof(got));
    memcpy(&got, exo_message_payload(&call->answer), sizeof(got));
    assert_int_equal(got, number);
    assert_int_equal(call->answer.header.sender, channel->peer);
    assert_int_equal(exo_call_release(channel, call), EXO_OK);
}

#endif
