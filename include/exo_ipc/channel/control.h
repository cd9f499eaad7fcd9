/* SPDX-License-Identifier: MIT */
/*
 * Control messages: one end tells the other that it opens or closes what `dest` names within the channel (a stream, an
 * object, a subscription), and with which status. They travel as other messages do, in order with those of priority 0.
 *
 * The channel itself is opened and closed by its segments, not by messages: so a killed end cannot leave it open.
 */
#ifndef EXO_IPC_CHANNEL_CONTROL_H
#define EXO_IPC_CHANNEL_CONTROL_H

#include "recv.h"
#include "send.h"

#define EXO_CONTROL_OPEN 1u
#define EXO_CONTROL_CLOSE 2u

/**
 * struct exo_control - the payload of a control message.
 * @what: EXO_CONTROL_OPEN or EXO_CONTROL_CLOSE
 * @status: EXO_OK, or why
 */
struct exo_control {
    exo_u32 what;
    exo_i32 status;
};

/**
 * exo_control_send - send a control message, without waiting.
 * @channel: the end
 * @dest: what is opened or closed; the receiver finds it in the header
 * @what, @status: see struct exo_control
 *
 * Returns: as exo_channel_send(); EXO_INVALID_ARGUMENT for another @what, or a status that is none.
 * Context, Ordering, Progress: as exo_channel_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_control_send(struct exo_channel *channel, exo_u64 dest, exo_u32 what,
                                                    exo_status status)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_CONTROL, 0, dest, 0);
    struct exo_control control;
    if ((what != EXO_CONTROL_OPEN && what != EXO_CONTROL_CLOSE) || status > EXO_OK || status < EXO_SYSTEM_ERROR) {
        return EXO_INVALID_ARGUMENT;
    }
    control.what = what;
    control.status = (exo_i32)status;
    return exo_channel_send(channel, &header, &control, sizeof(control));
}

/**
 * exo_control_read - what a received control message says.
 * @message: as exo_channel_recv() filled it in
 * @control: written on success only
 *
 * Returns: EXO_OK; EXO_TYPE_MISMATCH if it is no control message; EXO_CORRUPT if it says neither open nor close, or no
 * status. Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_control_read(const struct exo_message *message, struct exo_control *control)
{
    struct exo_control read;
    if (message->header.msg_type != EXO_MESSAGE_CONTROL) {
        return EXO_TYPE_MISMATCH;
    }
    if (message->view.data == EXO_NULL || message->view.len != sizeof(read)) {
        return EXO_CORRUPT;
    }
    __builtin_memcpy(&read, message->view.data, sizeof(read));
    if ((read.what != EXO_CONTROL_OPEN && read.what != EXO_CONTROL_CLOSE) || read.status > EXO_OK ||
        read.status < EXO_SYSTEM_ERROR) {
        return EXO_CORRUPT;
    }
    *control = read;
    return EXO_OK;
}

#endif
