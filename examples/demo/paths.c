/* SPDX-License-Identifier: MIT */
/*
 * The paths. Inline: a message lives in its slot, and is copied out of it. Zero-copy: the sender fills a loan
 * (that copy makes the content; a program that computes its content writes it there at once), the
 * receiver reads it where it lies. Pipe: write and read; it is faster where the scheduler has its way, since
 * both sides sleep all the time.
 *
 * Calls are tried first, since that is a handful of instructions, and wait only when there is cause.
 */
#include "paths.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

#define SMALL EXO_INLINE_THRESHOLD
#define LOT   32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void take(struct sink *sink, const void *data, size_t bytes)
{
    if (sink->hash != NULL) {
        (void)EVP_DigestUpdate(sink->hash, data, bytes);
    } else {
        sink->sum += fold(data, bytes);
    }
}

static exo_status send_small(struct exo_sender *tx, const exo_u8 *data, size_t bytes)
{
    exo_status status = exo_send_inline(tx, data, bytes);
    return status == EXO_FULL ? exo_send_blocking(tx, data, bytes, EXO_FOREVER) : status;
}

static exo_status send_inline(struct link *link, const exo_u8 *data, size_t bytes, size_t frame)
{
    exo_status status = EXO_OK;
    (void)frame;
    for (; bytes > SMALL && status == EXO_OK; data += SMALL, bytes -= SMALL) {
        status = send_small(&link->end.tx, data, SMALL);
    }
    return status != EXO_OK || bytes == 0 ? status : send_small(&link->end.tx, data, bytes);
}

static exo_status receive_inline(struct link *link, size_t bytes, size_t frame, struct sink *sink)
{
    exo_u64 message[SMALL / 8];
    (void)frame;
    while (bytes != 0) {
        exo_i64 len = exo_recv_inline(&link->end.rx, message, sizeof(message));
        if (len == EXO_EMPTY) {
            len = exo_recv_inline_blocking(&link->end.rx, message, sizeof(message), EXO_FOREVER);
        }
        if (len <= 0 || (size_t)len > bytes) {
            return len < 0 ? (exo_status)len : EXO_CORRUPT;
        }
        take(sink, message, (size_t)len);
        bytes -= (size_t)len;
    }
    return EXO_OK;
}

static exo_status send_lots(struct link *link, const exo_u8 *data, size_t bytes, size_t frame)
{
    while (bytes >= SMALL) {
        exo_i64 sent = exo_send_burst(&link->end.tx, data, SMALL, least(bytes / SMALL, LOT));
        if (sent == EXO_FULL) {
            sent = exo_wait_writable(&link->end.tx, EXO_FOREVER);
        }
        if (sent < 0) {
            return (exo_status)sent;
        }
        data += (size_t)sent * SMALL;
        bytes -= (size_t)sent * SMALL;
    }
    return send_inline(link, data, bytes, frame);
}

static exo_status receive_lots(struct link *link, size_t bytes, size_t frame, struct sink *sink)
{
    exo_u64 messages[LOT * SMALL / 8];
    while (bytes >= SMALL) {
        exo_i64 got =
            exo_recv_burst(&link->end.rx, messages, SMALL, least(bytes / SMALL, LOT), NULL);
        if (got == EXO_EMPTY) {
            got = exo_wait_readable(&link->end.rx, EXO_FOREVER);
        }
        if (got < 0) {
            return (exo_status)got;
        }
        take(sink, messages, (size_t)got * SMALL);
        bytes -= (size_t)got * SMALL;
    }
    return receive_inline(link, bytes, frame, sink);
}

static exo_status send_loans(struct link *link, const exo_u8 *data, size_t bytes, size_t frame)
{
    struct exo_sender *tx = &link->end.tx;
    while (bytes != 0) {
        size_t part = least(frame, bytes);
        struct exo_loaned loan;
        exo_status status = exo_loan(tx, part, &loan);
        if (status == EXO_FULL) {
            status = exo_loan_blocking(tx, part, &loan, EXO_FOREVER);
        }
        if (status != EXO_OK) {
            return status;
        }
        memcpy(loan.data, data, part);
        status = exo_send_loan(tx, &loan);
        if (status == EXO_FULL) {
            status = exo_send_loan_blocking(tx, &loan, EXO_FOREVER);
        }
        if (status != EXO_OK) {
            return status;
        }
        data += part;
        bytes -= part;
    }
    return EXO_OK;
}

static exo_status receive_views(struct link *link, size_t bytes, size_t frame, struct sink *sink)
{
    struct exo_receiver *rx = &link->end.rx;
    (void)frame;
    while (bytes != 0) {
        struct exo_viewed view;
        exo_status status = exo_view(rx, &view);
        if (status == EXO_EMPTY) {
            status = exo_view_blocking(rx, &view, EXO_FOREVER);
        }
        if (status != EXO_OK) {
            return status;
        }
        if (view.len == 0 || view.len > bytes) {
            return EXO_CORRUPT;
        }
        bytes -= view.len;
        take(sink, view.data, view.len);
        status = exo_release(rx, &view);
        if (status != EXO_OK) {
            return status;
        }
    }
    return EXO_OK;
}

static exo_status send_pipe(struct link *link, const exo_u8 *data, size_t bytes, size_t frame)
{
    while (bytes != 0) {
        ssize_t sent = write(link->pipe_out, data, least(frame, bytes));
        if (sent < 0 && errno != EINTR) {
            return errno == EPIPE ? EXO_PEER_DIED : EXO_SYSTEM_ERROR;
        }
        data += sent < 0 ? 0 : sent;
        bytes -= sent < 0 ? 0 : (size_t)sent;
    }
    return EXO_OK;
}

/* Whole frames, so that their words stay together. */
static exo_status receive_pipe(struct link *link, size_t bytes, size_t frame, struct sink *sink)
{
    static exo_u64 message[FRAME_MAX / 8];
    size_t have = 0;
    while (bytes != 0) {
        size_t want = least(frame, bytes);
        ssize_t got = read(link->pipe_in, (exo_u8 *)message + have, want - have);
        if (got == 0) {
            return EXO_PEER_DIED;
        }
        if (got < 0 && errno != EINTR) {
            return EXO_SYSTEM_ERROR;
        }
        have += got < 0 ? 0 : (size_t)got;
        if (have == want) {
            take(sink, message, have);
            bytes -= have;
            have = 0;
        }
    }
    return EXO_OK;
}

const struct path paths[PATHS] = {
    [INLINE] = {"inline", SMALL, 1, 0, send_inline, receive_inline},
    [INLINE_LOTS] = {"inline, lots of 32", SMALL, 0, 0, send_lots, receive_lots},
    [ZERO_COPY_4K] = {"zero-copy", 4096, 1, 0, send_loans, receive_views},
    [ZERO_COPY_64K] = {"zero-copy", 65536, 1, 0, send_loans, receive_views},
    [ZERO_COPY_1M] = {"zero-copy", FRAME_MAX, 1, 0, send_loans, receive_views},
    [PIPE] = {"pipe", 65536, 1, 1, send_pipe, receive_pipe},
};

void path_prepare(const struct link *link, unsigned path)
{
    if (link->cpu < 0) {
        return;
    }
    if (paths[path].scheduled) {
        place_anywhere();
    } else {
        place_here(link->cpu);
    }
}

exo_u64 fold(const void *data, size_t bytes)
{
    const exo_u8 *at = data;
    exo_u64 sum = 0;
    exo_u64 word;
    for (; bytes >= sizeof(word); at += sizeof(word), bytes -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
    }
    word = 0;
    memcpy(&word, at, bytes);
    return sum + word;
}

const exo_u8 *pattern(void)
{
    static exo_u64 words[FRAME_MAX / 8];
    size_t i;
    for (i = 0; words[FRAME_MAX / 8 - 1] == 0 && i < FRAME_MAX / 8; i++) {
        words[i] = (i + 1) * 0x9E3779B97F4A7C15ull;
    }
    return (const exo_u8 *)words;
}
