/* SPDX-License-Identifier: MIT */
/*
 * Channels of one type of C.
 *
 *   struct price { uint64_t instrument; double bid, ask; };
 *   EXO_CHANNEL_TYPE(price, struct price)
 *
 * declares, for a channel that was opened with price_config():
 *
 *   price_send(channel, &value)               price_send_blocking(.., deadline_ns)     as exo_channel_send...
 *   price_recv(channel, &value)               price_recv_blocking(.., deadline_ns)     as exo_channel_recv..., copied
 *   price_loan(channel, &message, &place)     price_send_loan(channel, &message)       written in place
 *   price_view(channel, &message, &place)     price_view_blocking(.., deadline_ns)     read in place; then
 *   price_release(channel, &message)                                                   exo_channel_release
 *   price_call(channel, &value, &answer, deadline_ns)                                  as exo_request
 *   price_reply(channel, &message.header, &answer)                                     as exo_reply
 *
 * Whether a value travels inline or by reference is known when this is compiled, from sizeof(T). A type of another
 * name, size, alignment or version is refused when the channel is opened, by EXO_TYPE_MISMATCH on both sides, also
 * where a 32-bit build lays T out differently; all calls answer EXO_TYPE_MISMATCH on a channel of another type. What is
 * received must have the size of a T: else it is given back, and the answer is EXO_TYPE_MISMATCH, or the status of
 * an Error. A T is copied as bytes: no pointer in it means anything at the other end.
 *
 * Context, Ordering, Progress: as the calls named above.
 */
#ifndef EXO_IPC_CHANNEL_TYPED_H
#define EXO_IPC_CHANNEL_TYPED_H

#include "channel.h"

/* A number for a type: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo) over its name, size, alignment and version. */
EXO_INLINE exo_u64 exo_type_number(const char *name, exo_size size, exo_size alignment, exo_u32 version)
{
    const exo_u64 facts[3] = {size, alignment, version};
    exo_u64 number = 0xCBF29CE484222325ull;
    exo_size i;
    for (i = 0; name[i] != '\0'; i++) {
        number = (number ^ (exo_u8)name[i]) * 0x100000001B3ull;
    }
    for (i = 0; i < 3 * 8; i++) {
        number = (number ^ (facts[i / 8] >> i % 8 * 8 & 0xFFu)) * 0x100000001B3ull;
    }
    return number;
}

EXO_HOT exo_status exo_typed_send_pvt(struct exo_channel *channel, exo_u64 type, const void *value, exo_size size,
                                      exo_bool waits, exo_u64 deadline_ns)
{
    const struct exo_message_header *plain = (const struct exo_message_header *)EXO_NULL;
    if (EXO_UNLIKELY(channel->type != type)) {
        return EXO_TYPE_MISMATCH;
    }
    return waits ? exo_channel_send_blocking(channel, plain, value, size, deadline_ns)
                 : exo_channel_send(channel, plain, value, size);
}

/* A received message must hold a whole value. One that does not is given back. */
EXO_INLINE exo_status exo_typed_check_pvt(struct exo_channel *channel, struct exo_message *message, exo_size size)
{
    exo_status status = exo_message_error(message);
    exo_status given;
    if (EXO_LIKELY(status == EXO_OK && exo_message_size(message) == size)) {
        return EXO_OK;
    }
    given = exo_channel_release(channel, message);
    return given != EXO_OK ? given : status == EXO_OK ? EXO_TYPE_MISMATCH : status;
}

EXO_HOT exo_status exo_typed_view_pvt(struct exo_channel *channel, exo_u64 type, struct exo_message *message,
                                      exo_size size, exo_bool waits, exo_u64 deadline_ns)
{
    exo_status status;
    if (EXO_UNLIKELY(channel->type != type)) {
        return EXO_TYPE_MISMATCH;
    }
    status = waits ? exo_channel_recv_blocking(channel, message, deadline_ns) : exo_channel_recv(channel, message);
    return EXO_LIKELY(status == EXO_OK) ? exo_typed_check_pvt(channel, message, size) : status;
}

EXO_HOT exo_status exo_typed_recv_pvt(struct exo_channel *channel, exo_u64 type, void *value, exo_size size,
                                      exo_bool waits, exo_u64 deadline_ns)
{
    struct exo_message message;
    exo_status status = exo_typed_view_pvt(channel, type, &message, size, waits, deadline_ns);
    if (EXO_LIKELY(status == EXO_OK)) {
        exo_port_copy(value, message.view.data, size);
        status = exo_channel_release(channel, &message);
    }
    return status;
}

EXO_INLINE exo_status exo_typed_loan_pvt(struct exo_channel *channel, exo_u64 type, struct exo_message *message,
                                         exo_size size)
{
    return channel->type != type
               ? EXO_TYPE_MISMATCH
               : exo_channel_loan(channel, message, (const struct exo_message_header *)EXO_NULL, size);
}

EXO_INLINE exo_status exo_typed_call_pvt(struct exo_channel *channel, exo_u64 type, const void *value, void *answer,
                                         exo_size size, exo_u64 deadline_ns)
{
    exo_i64 result = channel->type != type ? (exo_i64)EXO_TYPE_MISMATCH
                                           : exo_request(channel, value, size, answer, size, deadline_ns);
    if (result < 0) {
        return result == EXO_BUFFER_TOO_SMALL ? EXO_TYPE_MISMATCH : (exo_status)result;
    }
    return (exo_u64)result == size ? EXO_OK : EXO_TYPE_MISMATCH;
}

EXO_INLINE exo_status exo_typed_reply_pvt(struct exo_channel *channel, exo_u64 type,
                                          const struct exo_message_header *request, const void *value, exo_size size)
{
    return channel->type != type ? EXO_TYPE_MISMATCH : exo_reply(channel, request, value, size);
}

#define EXO_TYPED_OPEN_PVT(NAME, T, VERSION)                                                                        \
    EXO_STATIC_ASSERT(EXO_ALIGNOF(T) <= (sizeof(T) > EXO_INLINE_THRESHOLD ? EXO_CACHE_LINE : 8), "T is aligned");   \
    EXO_INLINE exo_u64 NAME##_type(void)                                                                            \
    {                                                                                                               \
        return exo_type_number(#NAME, sizeof(T), EXO_ALIGNOF(T), VERSION);                                          \
    }                                                                                                               \
    EXO_INLINE struct exo_channel_config NAME##_config(struct exo_channel_config config)                            \
    {                                                                                                               \
        config.ring.type = NAME##_type();                                                                           \
        return config;                                                                                              \
    }

#define EXO_TYPED_CALL_PVT(NAME, ARGUMENTS, CALL)                                                                   \
    EXO_INLINE EXO_MUST_USE exo_status NAME ARGUMENTS                                                               \
    {                                                                                                               \
        return CALL;                                                                                                \
    }

#define EXO_TYPED_COPY_PVT(NAME, T)                                                                                 \
    EXO_TYPED_CALL_PVT(NAME##_send, (struct exo_channel *channel, const T *value),                                  \
                       exo_typed_send_pvt(channel, NAME##_type(), value, sizeof(T), EXO_FALSE, 0))                  \
    EXO_TYPED_CALL_PVT(NAME##_send_blocking, (struct exo_channel *channel, const T *value, exo_u64 deadline_ns),    \
                       exo_typed_send_pvt(channel, NAME##_type(), value, sizeof(T), EXO_TRUE, deadline_ns))         \
    EXO_TYPED_CALL_PVT(NAME##_recv, (struct exo_channel *channel, T *value),                                        \
                       exo_typed_recv_pvt(channel, NAME##_type(), value, sizeof(T), EXO_FALSE, 0))                  \
    EXO_TYPED_CALL_PVT(NAME##_recv_blocking, (struct exo_channel *channel, T *value, exo_u64 deadline_ns),          \
                       exo_typed_recv_pvt(channel, NAME##_type(), value, sizeof(T), EXO_TRUE, deadline_ns))         \
    EXO_TYPED_CALL_PVT(NAME##_call, (struct exo_channel *channel, const T *value, T *answer, exo_u64 deadline_ns),  \
                       exo_typed_call_pvt(channel, NAME##_type(), value, answer, sizeof(T), deadline_ns))           \
    EXO_TYPED_CALL_PVT(NAME##_reply,                                                                                \
                       (struct exo_channel *channel, const struct exo_message_header *request, const T *value),     \
                       exo_typed_reply_pvt(channel, NAME##_type(), request, value, sizeof(T)))

/* The place of a message's value, or null: for EXO_TYPED_PLACE_PVT. */
#define EXO_TYPED_AT_PVT(CALL, PLACE, message)                                                                      \
    exo_status status = CALL;                                                                                       \
    *place = status == EXO_OK ? (PLACE)exo_message_payload(message) : (PLACE)EXO_NULL;                              \
    return status;

#define EXO_TYPED_PLACE_PVT(NAME, T)                                                                                \
    EXO_INLINE EXO_MUST_USE exo_status NAME##_loan(struct exo_channel *channel, struct exo_message *message,        \
                                                   T **place)                                                       \
    {                                                                                                               \
        EXO_TYPED_AT_PVT(exo_typed_loan_pvt(channel, NAME##_type(), message, sizeof(T)), T *, message)              \
    }                                                                                                               \
    EXO_TYPED_CALL_PVT(NAME##_send_loan, (struct exo_channel *channel, struct exo_message *message),                \
                       channel->type != NAME##_type() ? EXO_TYPE_MISMATCH                                           \
                       : exo_message_size(message) != sizeof(T) ? EXO_INVALID_SIZE                                  \
                                                                : exo_channel_send_message(channel, message))       \
    EXO_TYPED_CALL_PVT(NAME##_release, (struct exo_channel *channel, struct exo_message *message),                  \
                       exo_channel_release(channel, message))

#define EXO_TYPED_VIEW_PVT(NAME, T)                                                                                 \
    EXO_INLINE EXO_MUST_USE exo_status NAME##_view(struct exo_channel *channel, struct exo_message *message,        \
                                                   const T **place)                                                 \
    {                                                                                                               \
        EXO_TYPED_AT_PVT(exo_typed_view_pvt(channel, NAME##_type(), message, sizeof(T), EXO_FALSE, 0), const T *,   \
                         message)                                                                                   \
    }                                                                                                               \
    EXO_INLINE EXO_MUST_USE exo_status NAME##_view_blocking(                                                        \
        struct exo_channel *channel, struct exo_message *message, const T **place, exo_u64 deadline_ns)             \
    {                                                                                                               \
        EXO_TYPED_AT_PVT(exo_typed_view_pvt(channel, NAME##_type(), message, sizeof(T), EXO_TRUE, deadline_ns),     \
                         const T *, message)                                                                        \
    }

/**
 * EXO_CHANNEL_TYPE_VERSION - declare the calls of a typed channel, all of them static inline.
 * @NAME: begins their names, and is part of what both ends must agree on
 * @T: a complete type, aligned to at most 8 bytes, or 64 if it is larger than 56
 * @VERSION: any number; raise it when T changes its meaning but not its size
 */
#define EXO_CHANNEL_TYPE_VERSION(NAME, T, VERSION)                                                                  \
    EXO_TYPED_OPEN_PVT(NAME, T, VERSION)                                                                            \
    EXO_TYPED_COPY_PVT(NAME, T)                                                                                     \
    EXO_TYPED_PLACE_PVT(NAME, T)                                                                                    \
    EXO_TYPED_VIEW_PVT(NAME, T)

/* The same of version 0. */
#define EXO_CHANNEL_TYPE(NAME, T) EXO_CHANNEL_TYPE_VERSION(NAME, T, 0)

#endif
