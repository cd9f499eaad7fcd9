/* SPDX-License-Identifier: MIT */
/*
 * Streams of numbered messages of each kind. Each message shows its number in all of its words, so that a
 * torn one, a lost one and one out of order are all seen.
 */
#ifndef EXO_TESTS_STREAM_H
#define EXO_TESTS_STREAM_H

#include "process_fixture.h"

enum stream_kind {
    STREAM_INLINE,
    STREAM_PACKED,
    STREAM_ZERO_COPY,
    STREAM_MESSAGES,
    STREAM_KINDS
};

#define STREAM_WRONG (-1000) /* torn, or not the next one */
#define STREAM_LOT 16u       /* messages that become visible together at most */
#define STREAM_WORDS 250u    /* of the largest message */

static const char *const stream_names[STREAM_KINDS] = {"inline", "packed", "zero-copy", "messages"};

EXO_INLINE struct exo_ring_config stream_config(exo_u32 kind, exo_u64 start)
{
    struct exo_ring_config config = {0};
    config.slots = 64;
    config.slot_size = kind == STREAM_MESSAGES ? 128 : 64;
    config.profile = (start & 1) != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE;
    config.arena_size = 16384;
    config.start = start;
    return config;
}

EXO_INLINE exo_u64 stream_word(exo_u64 number, exo_size i)
{
    return number * 0x9E3779B97F4A7C15ull + i;
}

EXO_INLINE void stream_fill(void *data, exo_u64 number, exo_size words)
{
    exo_size i;
    for (i = 0; i < words; i++) {
        exo_write64((exo_u8 *)data + 8 * i, stream_word(number, i));
    }
}

EXO_INLINE exo_bool stream_shows(const void *data, exo_u64 number, exo_size words)
{
    exo_size i;
    for (i = 0; i < words; i++) {
        if (exo_read64((const exo_u8 *)data + 8 * i) != stream_word(number, i)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/* Words of message `number` where sizes vary. */
EXO_INLINE exo_size stream_words(exo_u64 number)
{
    return 8 + (exo_size)(number * 37 % (STREAM_WORDS - 8));
}

EXO_INLINE exo_i64 stream_send_packed(struct exo_sender *tx, exo_u64 next, exo_u64 deadline_ns)
{
    exo_word64 items[STREAM_LOT];
    exo_size i;
    for (i = 0; i < STREAM_LOT; i++) {
        items[i] = stream_word(next + i, 0);
    }
    for (;;) {
        exo_i64 sent = exo_send_burst(tx, items, 8, 1 + (exo_size)(next % STREAM_LOT));
        exo_status status;
        if (sent != EXO_FULL) {
            return sent;
        }
        status = exo_wait_writable(tx, deadline_ns);
        if (status != EXO_OK) {
            return status;
        }
    }
}

EXO_INLINE exo_i64 stream_send_loan(struct exo_sender *tx, exo_u64 next, exo_u64 deadline_ns)
{
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    exo_status status = exo_loan_blocking(tx, 8 * stream_words(next), &loan, deadline_ns);
    if (status == EXO_OK) {
        stream_fill(loan.data, next, stream_words(next));
        status = exo_send_loan_blocking(tx, &loan, deadline_ns);
    }
    return status == EXO_OK ? 1 : status;
}

/* Odd numbers travel inline, even ones by reference. */
EXO_INLINE exo_i64 stream_send_message(struct exo_sender *tx, exo_u64 next, exo_u64 deadline_ns)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, next);
    struct exo_message message;
    exo_word64 words[5];
    exo_status status;
    if (next % 2 != 0) {
        stream_fill(words, next, 5);
        status = exo_message_new_inline(&message, &header, words, sizeof(words));
    } else {
        while ((status = exo_message_new_zero_copy(&message, tx, &header, 8 * stream_words(next))) ==
               EXO_FULL) {
            if (exo_port_now_ns() >= deadline_ns) {
                return EXO_TIMEOUT;
            }
            sleep_us(50);
        }
        if (status == EXO_OK) {
            stream_fill(exo_message_payload(&message), next, stream_words(next));
        }
    }
    if (status == EXO_OK) {
        status = exo_message_send_blocking(tx, &message, deadline_ns);
    }
    return status == EXO_OK ? 1 : status;
}

/* Send message `next`, or a lot that begins with it. Returns how many were sent, or the error. */
EXO_INLINE exo_i64 stream_send(struct exo_sender *tx, exo_u32 kind, exo_u64 next, exo_u64 deadline_ns)
{
    exo_word64 words[EXO_LINE_WORDS];
    exo_status status;
    switch (kind) {
    case STREAM_PACKED:
        return stream_send_packed(tx, next, deadline_ns);
    case STREAM_ZERO_COPY:
        return stream_send_loan(tx, next, deadline_ns);
    case STREAM_MESSAGES:
        return stream_send_message(tx, next, deadline_ns);
    default:
        stream_fill(words, next, EXO_LINE_WORDS);
        status = exo_send_blocking(tx, words, sizeof(words), deadline_ns);
        return status == EXO_OK ? 1 : status;
    }
}

EXO_INLINE exo_i64 stream_recv_inline(struct exo_receiver *rx, exo_u64 next)
{
    exo_word64 words[EXO_LINE_WORDS];
    exo_i64 len = exo_recv_inline(rx, words, sizeof(words));
    if (len < 0) {
        return len;
    }
    return len == sizeof(words) && stream_shows(words, next, EXO_LINE_WORDS) ? 1 : STREAM_WRONG;
}

EXO_INLINE exo_i64 stream_recv_packed(struct exo_receiver *rx, exo_u64 next)
{
    exo_word64 items[5];
    exo_i64 got = exo_recv_burst(rx, items, 8, COUNT(items), NULL);
    exo_i64 i;
    for (i = 0; i < got; i++) {
        if (items[i] != stream_word(next + (exo_u64)i, 0)) {
            return STREAM_WRONG;
        }
    }
    return got;
}

EXO_INLINE exo_i64 stream_recv_view(struct exo_receiver *rx, exo_u64 next)
{
    struct exo_viewed view;
    exo_bool right;
    exo_status status = exo_view(rx, &view);
    if (status != EXO_OK) {
        return status;
    }
    right = view.len == 8 * stream_words(next) && stream_shows(view.data, next, stream_words(next));
    status = exo_release(rx, &view);
    return right && status == EXO_OK ? 1 : STREAM_WRONG;
}

EXO_INLINE exo_i64 stream_recv_message(struct exo_receiver *rx, exo_u64 next)
{
    struct exo_message message;
    exo_size words = next % 2 != 0 ? 5 : stream_words(next);
    exo_bool right;
    exo_status status = exo_message_recv(rx, &message);
    if (status != EXO_OK) {
        return status;
    }
    right = message.header.request_id == next && exo_message_size(&message) == 8 * words &&
            stream_shows(exo_message_payload(&message), next, words);
    status = exo_message_release(rx, &message);
    return right && status == EXO_OK ? 1 : STREAM_WRONG;
}

/* Receive message `next`, or some from it on, without waiting. How many, STREAM_WRONG, or the error. */
EXO_INLINE exo_i64 stream_recv(struct exo_receiver *rx, exo_u32 kind, exo_u64 next)
{
    switch (kind) {
    case STREAM_PACKED:
        return stream_recv_packed(rx, next);
    case STREAM_ZERO_COPY:
        return stream_recv_view(rx, next);
    case STREAM_MESSAGES:
        return stream_recv_message(rx, next);
    default:
        return stream_recv_inline(rx, next);
    }
}

/* The same, waiting as the caller says: asleep, or turning round and round. */
EXO_INLINE exo_i64 stream_recv_waiting(struct exo_receiver *rx, exo_u32 kind, exo_u64 next, exo_bool sleeping)
{
    exo_u32 turns = 0;
    for (;;) {
        exo_i64 got = stream_recv(rx, kind, next);
        if (got != EXO_EMPTY) {
            return got;
        }
        if (sleeping) {
            exo_status status = exo_wait_readable(rx, EXO_FOREVER);
            if (status != EXO_OK) {
                return status;
            }
        } else if (++turns % 256 == 0) {
            (void)sched_yield(); /* the other one may have no processor else */
        }
    }
}

#endif
