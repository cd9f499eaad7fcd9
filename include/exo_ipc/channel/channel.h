/* SPDX-License-Identifier: MIT */
/*
 * Channels: whole messages, both ways, between two ends. Includes only.
 *
 *   exo_channel_send, _recv, ..._blocking        messages of any size, the size picks the path
 *   exo_channel_loan, _send_message, _release    without a copy
 *   exo_request; exo_call_send, exo_call_wait    requests; many in flight
 *   exo_reply, exo_reply_error                   their answers
 *   exo_control_send, exo_control_read           open and close of something within the channel
 *   exo_channel_finish, exo_channel_close        half-close, close
 *   exo_channel_pair_create, _open               both ends in one address space
 *   between processes                            exo_channel_open of port/linux/exo_channel.h
 *
 * A channel is three rings in each direction, so that a request never stands in the way of an answer, nor a flood of
 * ordinary messages in the way of an urgent one (handle.h). Who sends is what the trusted side says: a header's
 * sender is overwritten by the receiver.
 */
#ifndef EXO_IPC_CHANNEL_CHANNEL_H
#define EXO_IPC_CHANNEL_CHANNEL_H

#include "call.h"
#include "control.h"
#include "pair.h"
#include "reply.h"
#include "request.h"

#endif
