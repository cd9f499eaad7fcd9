/* SPDX-License-Identifier: MIT */
/*
 * Messages: a header of 32 bytes in front of a payload. They need a ring with slots of 128 bytes, which carry
 * a whole inline message, 32 + 56 bytes, in the last 88 bytes before the control word (layout.h has a
 * drawing). Above 56 bytes the payload travels by reference and the header stays in the slot, so that the
 * receiver never reads a header from memory that the sender may still write.
 *
 * The header is the sender's word. Who really sent is known to the channel above, which stamps it.
 */
#ifndef EXO_IPC_MESSAGE_H
#define EXO_IPC_MESSAGE_H

#include "fusion_ring/sync.h"

/* Types of message. */
#define EXO_MESSAGE_DATA 0u
#define EXO_MESSAGE_REQUEST 1u /* expects a response */
#define EXO_MESSAGE_RESPONSE 2u
#define EXO_MESSAGE_ERROR 3u
#define EXO_MESSAGE_CONTROL 4u /* open, close */

/**
 * struct exo_message_header - what precedes every payload.
 * @msg_type: one of EXO_MESSAGE_...
 * @flags: the user's
 * @priority: 0 to 255, higher is more urgent
 * @reserved: 0
 * @total_size: bytes of header and payload; filled in by the library
 * @sender, @dest: identities
 * @request_id: matches a response with its request
 */
struct exo_message_header {
    exo_u8 msg_type;
    exo_u8 flags;
    exo_u8 priority;
    exo_u8 reserved;
    exo_u32 total_size;
    exo_word64 sender;
    exo_word64 dest;
    exo_word64 request_id;
};

EXO_STATIC_ASSERT(sizeof(struct exo_message_header) == EXO_MESSAGE_HEADER_SIZE, "header is 32 bytes");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, msg_type) == 0, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, flags) == 1, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, priority) == 2, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, total_size) == 4, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, sender) == 8, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, dest) == 16, "fixed layout");
EXO_STATIC_ASSERT(__builtin_offsetof(struct exo_message_header, request_id) == 24, "fixed layout");

#define EXO_MESSAGE_HEADER_WORDS (EXO_MESSAGE_HEADER_SIZE / 8)

/**
 * struct exo_message - a message, built to be sent or just received.
 * @header: its header
 * @inline_data: the payload if it travels inline (in `view.copy` once received)
 * @loan: the payload if it shall be sent by reference
 * @view: the payload once received, wherever it lies
 * @place: once received from a channel: which lane, and where in it; names what came along with the message
 */
struct exo_message {
    struct exo_message_header header;
    exo_word64 inline_data[EXO_LINE_WORDS];
    struct exo_loaned loan;
    struct exo_viewed view;
    exo_u64 place;
};

/**
 * exo_message_header_new - a header.
 * @type: one of EXO_MESSAGE_...; @sender, @dest, @request_id: identities, 0 where there is none
 *
 * Returns: the header, priority 0, no flags, no payload yet. Context: any.
 */
EXO_INLINE struct exo_message_header exo_message_header_new(exo_u8 type, exo_u64 sender, exo_u64 dest,
                                                            exo_u64 request_id)
{
    struct exo_message_header header;
    header.msg_type = type;
    header.flags = 0;
    header.priority = 0;
    header.reserved = 0;
    header.total_size = EXO_MESSAGE_HEADER_SIZE;
    header.sender = sender;
    header.dest = dest;
    header.request_id = request_id;
    return header;
}

EXO_INLINE void exo_message_clear_pvt(struct exo_message *message)
{
    exo_loan_clear_pvt(&message->loan);
    message->view.data = EXO_NULL;
    message->view.len = 0;
    message->view.token = 0;
    message->place = 0;
}

/**
 * exo_message_new_inline - build a message that travels inside its slot.
 * @message: written on success only
 * @header: total_size is ignored
 * @data, @len: the payload, copied; at most 56 bytes
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE; EXO_INVALID_ARGUMENT for an unknown type. Context: any.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_new_inline(struct exo_message *message,
                                                          const struct exo_message_header *header,
                                                          const void *data, exo_size len)
{
    if (header->msg_type > EXO_MESSAGE_CONTROL) {
        return EXO_INVALID_ARGUMENT;
    }
    if (len > EXO_INLINE_THRESHOLD) {
        return EXO_INVALID_SIZE;
    }
    message->header = *header;
    message->header.reserved = 0;
    message->header.total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)len;
    exo_message_clear_pvt(message);
    if (len != 0) {
        __builtin_memcpy(message->inline_data, data, len);
    }
    return EXO_OK;
}

/**
 * exo_message_new_zero_copy - build a message whose payload is written straight into the sender's arena.
 * @message: written on success only; exo_message_payload() tells where to write
 * @tx: the sender that will send it; give it up with exo_message_drop() if it is not sent
 * @header: total_size is ignored
 * @len: bytes of payload; any, also below 57
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for an unknown type; EXO_INVALID_SIZE; else as exo_loan().
 * Context: as exo_loan().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_new_zero_copy(struct exo_message *message,
                                                             struct exo_sender *tx,
                                                             const struct exo_message_header *header,
                                                             exo_size len)
{
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_status status;
    if (header->msg_type > EXO_MESSAGE_CONTROL) {
        return EXO_INVALID_ARGUMENT;
    }
    if (len > 0xFFFFFFFFu - EXO_MESSAGE_HEADER_SIZE) {
        return EXO_INVALID_SIZE;
    }
    status = exo_loan(tx, len, &loan);
    if (status == EXO_OK) {
        message->header = *header;
        message->header.reserved = 0;
        message->header.total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)len;
        exo_message_clear_pvt(message);
        message->loan = loan;
    }
    return status;
}

/**
 * exo_message_payload - where a message's payload is.
 *
 * Returns: its first byte, of exo_message_size() bytes; may only be written in a message that is being built.
 */
EXO_INLINE void *exo_message_payload(struct exo_message *message)
{
    if (message->loan.data != EXO_NULL) {
        return (exo_u8 *)message->loan.data + message->loan.off;
    }
    return message->view.data != EXO_NULL ? (void *)(exo_uptr)message->view.data
                                          : (void *)message->inline_data;
}

/* Bytes of a message's payload. */
EXO_INLINE exo_size exo_message_size(const struct exo_message *message)
{
    return message->header.total_size - EXO_MESSAGE_HEADER_SIZE;
}

/**
 * exo_message_drop - give up a zero-copy message that was built and not sent. As exo_loan_cancel().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_message_drop(struct exo_sender *tx, struct exo_message *message)
{
    return exo_loan_cancel(tx, &message->loan);
}

#endif
