/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving messages over a ring with slots of 128 bytes.
 *
 * A hostile sender can write any header: each word is read once, and the header must agree with the slot it
 * came in (length, known type, reserved byte zero), or the handle is refused.
 */
#ifndef EXO_IPC_MESSAGE_TRANSFER_H
#define EXO_IPC_MESSAGE_TRANSFER_H

#include "message.h"

/* Claim, header, payload, publish, notify. */
EXO_INLINE exo_status exo_message_put_inline_pvt(struct exo_sender *tx,
                                                 const struct exo_message_header *header,
                                                 const void *data, exo_size len)
{
    exo_u64 pos = 0;
    exo_word64 *line;
    exo_status status = exo_tx_claim_pvt(tx, tx->mode, 1, &pos);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    line = exo_tx_line_pvt(tx, pos);
    exo_tx_tally_pvt(tx, pos, 1, len, EXO_FALSE);
    exo_line_store_pvt(line - EXO_MESSAGE_HEADER_WORDS, header, EXO_MESSAGE_HEADER_SIZE);
    exo_line_publish_pvt(line, data, len, exo_control_pvt(pos, EXO_KIND_MESSAGE, (exo_u32)len));
    return exo_tx_notify_pvt(tx, tx->mode, pos, 1);
}

EXO_INLINE exo_status exo_message_put_loan_pvt(struct exo_sender *tx,
                                               const struct exo_message_header *header,
                                               struct exo_loaned *loan)
{
    exo_u64 pos = 0;
    exo_u32 at;
    exo_status status = exo_loan_check_pvt(tx, loan, &at);
    if (status == EXO_OK) {
        status = exo_tx_claim_pvt(tx, tx->mode, 1, &pos);
    }
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    exo_line_store_pvt(exo_tx_line_pvt(tx, pos) - EXO_MESSAGE_HEADER_WORDS, header, EXO_MESSAGE_HEADER_SIZE);
    exo_arena_send_pvt(tx->arena, at, loan->token);
    exo_loan_publish_pvt(tx, tx->mode, pos, loan, EXO_KIND_MESSAGE_LOAN);
    return exo_tx_notify_pvt(tx, tx->mode, pos, 1);
}

/**
 * exo_message_send - send a message that was built, without waiting.
 * @tx: sender handle of a ring with slots of 128 bytes
 * @message: as built by exo_message_new_inline() or exo_message_new_zero_copy(); the latter is given away on
 *   success
 *
 * Returns: EXO_OK; EXO_FULL; EXO_NOT_SUPPORTED if the ring's slots have no room for headers; EXO_INVALID_SIZE
 * or EXO_INVALID_ARGUMENT if the message was changed into none; EXO_NOT_FOUND if it was sent before; else as
 * exo_send_inline().
 * Context, Ordering, Progress: as exo_send_inline().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_send(struct exo_sender *tx, struct exo_message *message)
{
    exo_u64 len = (exo_u64)message->header.total_size - EXO_MESSAGE_HEADER_SIZE;
    if (tx->slot_shift != 7) {
        return EXO_NOT_SUPPORTED;
    }
    if (message->header.msg_type > EXO_MESSAGE_CONTROL || message->header.reserved != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (message->loan.data != EXO_NULL) {
        if (len != message->loan.len) {
            return EXO_INVALID_SIZE;
        }
        return exo_message_put_loan_pvt(tx, &message->header, &message->loan);
    }
    if (len > EXO_INLINE_THRESHOLD) {
        return message->header.total_size < EXO_MESSAGE_HEADER_SIZE ? EXO_INVALID_SIZE : EXO_NOT_FOUND;
    }
    return exo_message_put_inline_pvt(tx, &message->header, message->inline_data, (exo_size)len);
}

/**
 * exo_message_send_data - send header and payload; the size picks the path.
 * @tx: sender handle of a ring with slots of 128 bytes
 * @header: total_size is ignored
 * @data, @len: the payload; copied into the slot up to 56 bytes, into the arena above
 *
 * Returns: as exo_message_send(), and EXO_INVALID_SIZE for what the arena can never hold.
 * Context, Ordering, Progress: as exo_send().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_send_data(struct exo_sender *tx,
                                                         const struct exo_message_header *header,
                                                         const void *data, exo_size len)
{
    struct exo_message_header stamped = *header;
    struct exo_message message;
    exo_status status;
    if (tx->slot_shift != 7) {
        return EXO_NOT_SUPPORTED;
    }
    if (exo_fits_inline(len)) {
        if (header->msg_type > EXO_MESSAGE_CONTROL) {
            return EXO_INVALID_ARGUMENT;
        }
        stamped.reserved = 0;
        stamped.total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)len;
        return exo_message_put_inline_pvt(tx, &stamped, data, len);
    }
    status = exo_message_new_zero_copy(&message, tx, header, len);
    if (status != EXO_OK) {
        return status == EXO_NOT_SUPPORTED ? EXO_INVALID_SIZE : status;
    }
    exo_port_copy(message.loan.data, data, len);
    status = exo_message_send(tx, &message);
    if (status != EXO_OK && message.loan.data != EXO_NULL) {
        exo_arena_give_pvt(tx->arena, exo_arena_lent_pvt(tx->arena, message.loan.token));
    }
    return status;
}

/* Header and payload of the message in an acquired line, each word read once, all of it checked. */
EXO_INLINE exo_status exo_message_parse_pvt(struct exo_receiver *rx, const exo_word64 *line,
                                            exo_u64 control, struct exo_message *message)
{
    exo_u64 len = exo_control_argument_pvt(control);
    exo_line_load_pvt(&message->header, line - EXO_MESSAGE_HEADER_WORDS, EXO_MESSAGE_HEADER_SIZE);
    if (exo_control_kind_pvt(control) == EXO_KIND_MESSAGE_LOAN) {
        exo_status status = exo_view_parse_pvt(rx, line, &message->view);
        if (status != EXO_OK) {
            return status;
        }
        len = message->view.len;
    } else if (len > EXO_INLINE_THRESHOLD) {
        return EXO_CORRUPT;
    } else {
        exo_line_read_pvt(message->view.copy, line, (exo_size)len);
        message->view.data = message->view.copy;
        message->view.len = (exo_size)len;
        message->view.token = 0;
    }
    if (message->header.total_size != len + EXO_MESSAGE_HEADER_SIZE || message->header.reserved != 0 ||
        message->header.msg_type > EXO_MESSAGE_CONTROL) {
        return EXO_CORRUPT;
    }
    return message->view.token == 0 ? EXO_OK : exo_view_enter_pvt(rx, &message->view);
}

/* Several consumers: either kind of message, whichever comes next. */
EXO_OUTLINE exo_status exo_message_recv_mc_pvt(struct exo_receiver *rx, struct exo_message *message)
{
    struct exo_rx_wish wish = {1, 1, EXO_SIZE_MAX, EXO_KIND_MESSAGE};
    exo_u32 refusals = 0;
    for (;;) {
        exo_u64 pos = 0;
        exo_u32 taken = 0;
        exo_u64 control;
        exo_status status = exo_rx_obtain_mc_pvt(rx, &wish, &pos, &taken);
        if (status == EXO_TYPE_MISMATCH && refusals++ < 8) {
            wish.kind = wish.kind == EXO_KIND_MESSAGE ? EXO_KIND_MESSAGE_LOAN : EXO_KIND_MESSAGE;
            continue;
        }
        if (status != EXO_OK) {
            return status;
        }
        control = exo_line_ready_pvt(exo_rx_line_pvt(rx, pos));
        status = EXO_EMPTY;
        if (exo_control_kind_pvt(control) != EXO_KIND_DISCARD) {
            status = exo_message_parse_pvt(rx, exo_rx_line_pvt(rx, pos), control, message);
        }
        if (status == EXO_OK) {
            exo_rx_tally_view_pvt(rx, pos, message->view.token, message->view.len);
        }
        exo_rx_done_pvt(rx, pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
        if (status != EXO_EMPTY) {
            return status;
        }
    }
}

EXO_STATIC_ASSERT((EXO_KIND_MESSAGE ^ EXO_KIND_MESSAGE_LOAN) == 1, "the kinds differ in one bit");

/* Whether a message of either kind is published at pos. */
EXO_HOT exo_bool exo_message_stands_pvt(exo_u64 control, exo_u64 pos)
{
    return ((control ^ exo_control_pvt(pos, EXO_KIND_MESSAGE, 0)) & 0xFEFFFFFFFFull) == 0;
}

/* Single consumer: a slot that holds a message of either kind, or why there is none. */
EXO_OUTLINE exo_status exo_message_settle_pvt(struct exo_receiver *rx, exo_u64 *control)
{
    exo_status status = exo_rx_settle_pvt(rx, control);
    if (status == EXO_OK && exo_control_kind_pvt(*control) != EXO_KIND_MESSAGE &&
        exo_control_kind_pvt(*control) != EXO_KIND_MESSAGE_LOAN) {
        status = EXO_TYPE_MISMATCH;
    }
    return status;
}

/**
 * exo_message_recv - receive a message, without waiting and without copying more than 88 bytes.
 * @rx: receiver handle of a ring with slots of 128 bytes
 * @message: filled in on success only; do not move it; exo_message_payload() and exo_message_size() tell
 *   where the payload is. Give it back with exo_message_release().
 *
 * Returns: EXO_OK; EXO_EMPTY; EXO_TYPE_MISMATCH if what comes next was sent without a header: it stays;
 * EXO_NOT_SUPPORTED if the ring's slots have no room for headers; EXO_CORRUPT for a header that contradicts
 * its slot: it sticks; EXO_CLOSED, EXO_PEER_DIED after the last message.
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_recv(struct exo_receiver *rx, struct exo_message *message)
{
    exo_u64 control;
    exo_status status;
    if (EXO_UNLIKELY(rx->slot_shift != 7)) {
        return EXO_NOT_SUPPORTED;
    }
    message->loan.data = EXO_NULL;
    message->loan.token = 0;
    if ((rx->mode & EXO_MODE_MC) != 0) {
        return exo_message_recv_mc_pvt(rx, message);
    }
    control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos));
    if (EXO_UNLIKELY(!exo_message_stands_pvt(control, rx->pos))) {
        status = exo_message_settle_pvt(rx, &control);
        if (status != EXO_OK) {
            return status;
        }
    }
    status = exo_message_parse_pvt(rx, exo_rx_line_pvt(rx, rx->pos), control, message);
    if (status != EXO_OK) {
        return exo_rx_refuse_pvt(rx, status);
    }
    exo_rx_tally_view_pvt(rx, rx->pos, message->view.token, message->view.len);
    exo_rx_advance_pvt(rx, rx->mode, 1);
    return EXO_OK;
}

/**
 * exo_message_release - be done with a received message. As exo_release().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_release(struct exo_receiver *rx,
                                                       struct exo_message *message)
{
    return exo_release(rx, &message->view);
}

EXO_INLINE exo_i64 exo_try_message_send_pvt(const struct exo_attempt *attempt)
{
    return exo_message_send(attempt->tx, (struct exo_message *)attempt->to);
}
EXO_INLINE exo_i64 exo_try_message_recv_pvt(const struct exo_attempt *attempt)
{
    return exo_message_recv(attempt->rx, (struct exo_message *)attempt->to);
}

/**
 * exo_message_send_blocking - exo_message_send(), waiting for room until a deadline, as exo_send_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_send_blocking(struct exo_sender *tx,
                                                             struct exo_message *message,
                                                             exo_u64 deadline_ns)
{
    return (exo_status)exo_tx_wait_pvt(tx, exo_try_message_send_pvt, EXO_NULL, message, 0, deadline_ns);
}

/**
 * exo_message_recv_blocking - exo_message_recv(), waiting for a message until a deadline, as
 * exo_recv_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_recv_blocking(struct exo_receiver *rx,
                                                             struct exo_message *message,
                                                             exo_u64 deadline_ns)
{
    return (exo_status)exo_rx_wait_pvt(rx, exo_try_message_recv_pvt, message, 0, deadline_ns);
}

#endif
