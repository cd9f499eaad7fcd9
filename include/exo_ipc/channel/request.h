/* SPDX-License-Identifier: MIT */
/*
 * A request and its answer by one call; call.h has the rest.
 */
#ifndef EXO_IPC_CHANNEL_REQUEST_H
#define EXO_IPC_CHANNEL_REQUEST_H

#include "call.h"

/**
 * exo_request - make a request, wait for its answer, copy it.
 * @channel: the end
 * @data, @len: the payload of the request, in bytes
 * @buffer, @size: where the answer's payload goes, and how much room there is; null if size is 0
 * @deadline_ns: absolute; EXO_FOREVER for none
 *
 * Returns: the answer's length; EXO_BUFFER_TOO_SMALL if it does not fit (it is lost then); the status of an Error;
 * else as exo_call_send_blocking() and exo_call_wait().
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_request(struct exo_channel *channel, const void *data, exo_size len, void *buffer,
                                         exo_size size, exo_u64 deadline_ns)
{
    struct exo_call call;
    exo_status status;
    exo_i64 result = exo_call_send_blocking(channel, &call, (const struct exo_message_header *)EXO_NULL, data, len,
                                            deadline_ns);
    if (result == EXO_OK) {
        result = exo_call_wait(channel, &call);
    }
    if (result != EXO_OK) {
        return result;
    }
    result = exo_message_error(&call.answer);
    if (result == EXO_OK && call.answer.view.len > size) {
        result = EXO_BUFFER_TOO_SMALL;
    } else if (result == EXO_OK) {
        result = (exo_i64)call.answer.view.len;
        if (buffer != EXO_NULL) {
            exo_port_copy(buffer, call.answer.view.data, call.answer.view.len);
        }
    }
    status = exo_call_release(channel, &call);
    return status == EXO_OK ? result : (exo_i64)status;
}

#endif
