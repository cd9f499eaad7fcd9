/* SPDX-License-Identifier: MIT */
/*
 * Every way to receive and to send, with what each may answer and what must hold whatever the peer does: nothing is
 * written beyond the buffer, what is shown lies in the sender's arena or in the receiver's own memory, what was
 * viewed can be released, a loan that was not sent can be cancelled.
 */
#ifndef EXO_TESTS_WAYS_H
#define EXO_TESTS_WAYS_H

#include "stage.h"

#define WAY_LOT 3u     /* messages that a lot asks for */
#define WAY_MOST 4096u /* room of the largest buffer */
#define WAY_FENCE 64u  /* bytes on either side of a buffer that must stay as they are */
#define LONG_PAST 1u   /* a deadline that has passed: one attempt, no sleep */

enum receive_way {
    RECV_INLINE,
    RECV_INLINE_AS,
    RECV,
    RECV_BURST,
    RECV_BULK,
    RECV_BLOCKING,
    RECV_INLINE_BLOCKING,
    VIEW,
    VIEW_BURST,
    VIEW_BULK,
    VIEW_BLOCKING,
    PEEK,
    MESSAGE_RECV,
    MESSAGE_RECV_BLOCKING,
    WAIT_READABLE,
    RECEIVE_WAYS
};

static const char *const receive_names[RECEIVE_WAYS] = {
    "recv_inline", "recv_inline_as", "recv",         "recv_burst",    "recv_bulk",
    "recv_blocking", "recv_inline_blocking", "view", "view_burst",    "view_bulk",
    "view_blocking", "peek",         "message_recv", "message_recv_blocking", "wait_readable",
};

enum send_way {
    SEND_INLINE,
    SEND,
    SEND_BULK,
    SEND_BURST,
    SEND_BLOCKING,
    RESERVE_COMMIT,
    RESERVE_ABORT,
    LOAN_SEND,
    LOAN_CANCEL,
    LOAN_BLOCKING,
    LOANS_BULK,
    LOANS_BURST,
    MESSAGE_SEND,
    MESSAGE_ZERO_COPY,
    WAIT_WRITABLE,
    OUTSTANDING,
    SEND_WAYS
};

static const char *const send_names[SEND_WAYS] = {
    "send_inline",   "send",        "send_bulk",  "send_burst",  "send_blocking", "reserve_commit",
    "reserve_abort", "loan_send",   "loan_cancel", "loan_blocking", "loans_bulk", "loans_burst",
    "message_send",  "message_zero_copy", "wait_writable", "outstanding",
};

/* Reading what was shown: whatever the bytes are, they are there. */
EXO_INLINE void way_read(const void *data, exo_size len)
{
    const volatile exo_u8 *bytes = (const volatile exo_u8 *)data;
    exo_size i;
    for (i = 0; i < len; i += 61) {
        (void)bytes[i];
    }
    if (len != 0) {
        (void)bytes[len - 1];
    }
}

EXO_INLINE void way_check_view(struct stage *stage, struct exo_viewed *view)
{
    STAGE_CHECK(view->token == 0 ? view->data == view->copy && view->len <= EXO_INLINE_THRESHOLD
                                 : stage_in_arena(stage, view->data, view->len));
    way_read(view->data, view->len);
    STAGE_CHECK(exo_release(&stage->from, view) == EXO_OK);
    STAGE_CHECK(exo_release(&stage->from, view) == EXO_NOT_FOUND);
}

EXO_INLINE exo_i64 way_view(struct stage *stage, exo_u32 way)
{
    struct exo_viewed views[WAY_LOT];
    exo_i64 got;
    exo_i64 i;
    memset(views, 0xA5, sizeof(views));
    if (way == VIEW_BULK || way == VIEW_BURST) {
        got = way == VIEW_BULK ? exo_view_bulk(&stage->from, views, WAY_LOT)
                               : exo_view_burst(&stage->from, views, WAY_LOT);
        for (i = 0; i < got; i++) {
            way_check_view(stage, &views[i]);
        }
        return got;
    }
    got = way == VIEW ? exo_view(&stage->from, views) : exo_view_blocking(&stage->from, views, LONG_PAST);
    if (got == EXO_OK) {
        way_check_view(stage, views);
    }
    return got;
}

EXO_INLINE exo_i64 way_peek(struct stage *stage)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    exo_i64 got = exo_peek(&stage->from, &peeked);
    exo_i64 consumed;
    if (got != EXO_OK) {
        STAGE_CHECK(peeked.data == NULL);
        return got;
    }
    STAGE_CHECK(peeked.len <= EXO_INLINE_THRESHOLD);
    STAGE_CHECK(exo_range_ok((exo_uptr)peeked.data - (exo_uptr)exo_rx_line_pvt(&stage->from, peeked.pos),
                             peeked.len, EXO_INLINE_THRESHOLD));
    way_read(peeked.data, peeked.len);
    consumed = exo_consume(&stage->from, &peeked);
    STAGE_CHECK(consumed == EXO_OK || consumed == EXO_NOT_FOUND);
    return EXO_OK;
}

EXO_INLINE exo_i64 way_message(struct stage *stage, exo_u32 way)
{
    struct exo_message message;
    exo_i64 got;
    memset(&message, 0xA5, sizeof(message));
    got = way == MESSAGE_RECV ? exo_message_recv(&stage->from, &message)
                              : exo_message_recv_blocking(&stage->from, &message, LONG_PAST);
    if (got == EXO_OK) {
        const void *payload = exo_message_payload(&message);
        STAGE_CHECK(message.header.reserved == 0 && message.header.msg_type <= EXO_MESSAGE_CONTROL);
        STAGE_CHECK(exo_message_size(&message) == message.view.len && payload == message.view.data);
        way_check_view(stage, &message.view);
    }
    return got;
}

/* Into a buffer of `size` bytes for each message, with a fence around it. */
EXO_INLINE exo_i64 way_copy(struct stage *stage, exo_u32 way, exo_size size)
{
    static exo_u8 box[2 * WAY_FENCE + WAY_MOST + STAGE_ARENA]; /* what is too long shall be seen, not fatal */
    static exo_u8 fence[WAY_FENCE];
    exo_u8 *buffer = box + WAY_FENCE;
    exo_u32 lengths[WAY_LOT + 1] = {0, 0, 0, 0xA5A5A5A5u};
    exo_size room = way == RECV_BURST || way == RECV_BULK ? WAY_LOT * size : size;
    exo_size i;
    exo_i64 got;
    memset(fence, 0xA5, sizeof(fence));
    memcpy(box, fence, sizeof(fence));
    memcpy(buffer + room, fence, sizeof(fence));
    switch (way) {
    case RECV_INLINE:
        got = exo_recv_inline(&stage->from, buffer, size);
        break;
    case RECV_INLINE_AS:
        got = exo_recv_inline_as(&stage->from, EXO_SPSC, buffer, size);
        break;
    case RECV:
        got = exo_recv(&stage->from, buffer, size);
        break;
    case RECV_BURST:
        got = exo_recv_burst(&stage->from, buffer, size, WAY_LOT, lengths);
        break;
    case RECV_BULK:
        got = exo_recv_bulk(&stage->from, buffer, size, WAY_LOT, lengths);
        break;
    case RECV_BLOCKING:
        got = exo_recv_blocking(&stage->from, buffer, size, LONG_PAST);
        break;
    default:
        got = exo_recv_inline_blocking(&stage->from, buffer, size, LONG_PAST);
        break;
    }
    STAGE_CHECK(memcmp(box, fence, sizeof(fence)) == 0 && memcmp(buffer + room, fence, sizeof(fence)) == 0);
    for (i = 0; i < WAY_LOT && room != size; i++) {
        STAGE_CHECK((exo_i64)i >= got || lengths[i] <= size);
    }
    STAGE_CHECK(lengths[WAY_LOT] == 0xA5A5A5A5u);
    return got;
}

EXO_INLINE exo_i64 way_receive(struct stage *stage, exo_u32 way, exo_size size)
{
    switch (way) {
    case VIEW:
    case VIEW_BURST:
    case VIEW_BULK:
    case VIEW_BLOCKING:
        return way_view(stage, way);
    case PEEK:
        return way_peek(stage);
    case MESSAGE_RECV:
    case MESSAGE_RECV_BLOCKING:
        return way_message(stage, way);
    case WAIT_READABLE:
        return exo_wait_readable(&stage->from, LONG_PAST);
    default:
        return way_copy(stage, way, size);
    }
}

/* Receive by one way, at most `size` <= WAY_MOST / WAY_LOT bytes. What was viewed is released again. */
EXO_INLINE exo_i64 receive_by(struct stage *stage, exo_u32 way, exo_size size)
{
    exo_u32 viewed = stage_viewed(stage);
    exo_i64 got = way_receive(stage, way, size);
    STAGE_CHECK(stage_viewed(stage) == viewed);
    return got;
}

/* Whether the headers declare that answer. */
EXO_INLINE exo_bool receive_declared(exo_u32 way, exo_size size, exo_i64 got)
{
    exo_bool blocking = way == RECV_BLOCKING || way == RECV_INLINE_BLOCKING || way == VIEW_BLOCKING ||
                        way == MESSAGE_RECV_BLOCKING || way == WAIT_READABLE;
    exo_i64 most = way == RECV || way == RECV_BLOCKING ? (exo_i64)size
                                                       : (exo_i64)exo_min64(size, EXO_INLINE_THRESHOLD);
    switch (got) {
    case EXO_EMPTY:
        return !blocking;
    case EXO_TIMEOUT:
        return blocking;
    case EXO_CLOSED:
    case EXO_PEER_DIED:
    case EXO_CORRUPT:
        return EXO_TRUE;
    case EXO_TYPE_MISMATCH:
        return way != WAIT_READABLE;
    case EXO_BUFFER_TOO_SMALL:
        return way <= RECV_INLINE_BLOCKING;
    default:
        break;
    }
    switch (way) {
    case RECV_BULK:
    case VIEW_BULK:
        return got == WAY_LOT;
    case RECV_BURST:
    case VIEW_BURST:
        return got >= 1 && got <= WAY_LOT;
    default:
        return got >= 0 && got <= (way <= RECV_INLINE_BLOCKING ? most : 0);
    }
}

/* Give up what was not sent. */
EXO_INLINE exo_i64 way_give_up(struct stage *stage, struct exo_loaned *loan, exo_i64 got)
{
    if (loan->data != NULL) {
        STAGE_CHECK(exo_loan_cancel(&stage->to, loan) == EXO_OK);
    }
    return got;
}

EXO_INLINE exo_i64 way_loan(struct stage *stage, exo_u32 way, exo_size size)
{
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    exo_i64 got = way == LOAN_BLOCKING ? exo_loan_blocking(&stage->to, size, &loan, LONG_PAST)
                                       : exo_loan(&stage->to, size, &loan);
    exo_uptr off = (exo_uptr)loan.data - (exo_uptr)stage->tx - (exo_uptr)stage->geometry.arena_off;
    if (got != EXO_OK) {
        STAGE_CHECK(loan.data == NULL);
        return got;
    }
    STAGE_CHECK(loan.size >= size && exo_range_ok(off, loan.size, stage->geometry.arena_size));
    memset(loan.data, 0x3C, loan.size);
    if (way == LOAN_SEND) {
        got = exo_send_loan(&stage->to, &loan);
    } else if (way == LOAN_BLOCKING) {
        got = exo_send_loan_blocking(&stage->to, &loan, LONG_PAST);
    }
    return way_give_up(stage, &loan, got);
}

EXO_INLINE exo_i64 way_loans(struct stage *stage, exo_u32 way, exo_size size)
{
    struct exo_loaned loans[WAY_LOT];
    exo_i64 got = EXO_OK;
    exo_u32 i;
    memset(loans, 0, sizeof(loans));
    for (i = 0; i < WAY_LOT && got == EXO_OK; i++) {
        got = exo_loan(&stage->to, size, &loans[i]);
    }
    if (got == EXO_OK) {
        got = way == LOANS_BULK ? exo_send_loans_bulk(&stage->to, loans, WAY_LOT)
                                : exo_send_loans_burst(&stage->to, loans, WAY_LOT);
    }
    for (i = 0; i < WAY_LOT; i++) {
        (void)way_give_up(stage, &loans[i], 0);
    }
    return got;
}

EXO_INLINE exo_i64 way_message_send(struct stage *stage, exo_u32 way, exo_size size)
{
    static const exo_u8 bytes[EXO_INLINE_THRESHOLD];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, 3);
    struct exo_message message;
    exo_i64 got;
    if (way == MESSAGE_SEND) {
        return exo_message_send_data(&stage->to, &header, bytes, 40);
    }
    got = exo_message_new_zero_copy(&message, &stage->to, &header, size);
    if (got == EXO_OK) {
        memset(message.loan.data, 0x3C, size);
        got = exo_message_send(&stage->to, &message);
        got = way_give_up(stage, &message.loan, got);
    }
    return got;
}

EXO_INLINE exo_i64 way_reserve(struct stage *stage, exo_u32 way)
{
    struct exo_reserved reserved;
    exo_i64 got = exo_reserve(&stage->to, 40, &reserved);
    STAGE_CHECK((got == EXO_OK) == (reserved.data != NULL));
    if (got == EXO_OK) {
        memset(reserved.data, 0x3C, 40);
        got = way == RESERVE_COMMIT ? exo_commit(&stage->to, &reserved, 40) : exo_abort(&stage->to, &reserved);
    }
    return got;
}

/* Send by one way; `size` is that of a message by reference. */
EXO_INLINE exo_i64 send_by(struct stage *stage, exo_u32 way, exo_size size)
{
    static const exo_u8 bytes[STAGE_ARENA];
    switch (way) {
    case SEND_INLINE:
        return exo_send_inline(&stage->to, bytes, 40);
    case SEND:
        return exo_send(&stage->to, bytes, size);
    case SEND_BULK:
        return exo_send_bulk(&stage->to, bytes, 40, WAY_LOT);
    case SEND_BURST:
        return exo_send_burst(&stage->to, bytes, 40, WAY_LOT);
    case SEND_BLOCKING:
        return exo_send_blocking(&stage->to, bytes, size, LONG_PAST);
    case RESERVE_COMMIT:
    case RESERVE_ABORT:
        return way_reserve(stage, way);
    case LOAN_SEND:
    case LOAN_CANCEL:
    case LOAN_BLOCKING:
        return way_loan(stage, way, size);
    case LOANS_BULK:
    case LOANS_BURST:
        return way_loans(stage, way, size);
    case MESSAGE_SEND:
    case MESSAGE_ZERO_COPY:
        return way_message_send(stage, way, size);
    case WAIT_WRITABLE:
        return exo_wait_writable(&stage->to, LONG_PAST);
    default:
        return (exo_i64)exo_loans_outstanding(&stage->to);
    }
}

EXO_INLINE exo_bool send_declared(exo_u32 way, exo_i64 got)
{
    exo_bool blocking = way == SEND_BLOCKING || way == LOAN_BLOCKING || way == WAIT_WRITABLE;
    switch (got) {
    case EXO_FULL:
        return !blocking;
    case EXO_TIMEOUT:
        return blocking;
    case EXO_CLOSED:
    case EXO_PEER_DIED:
    case EXO_CORRUPT:
        return way != OUTSTANDING;
    default:
        break;
    }
    switch (way) {
    case SEND_BULK:
    case LOANS_BULK:
        return got == WAY_LOT;
    case SEND_BURST:
    case LOANS_BURST:
        return got >= 1 && got <= WAY_LOT;
    case OUTSTANDING:
        return got >= 0 && got <= (exo_i64)STAGE_ARENA && got % STAGE_BLOCK == 0;
    default:
        return got == EXO_OK;
    }
}

#endif
