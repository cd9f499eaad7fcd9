/* SPDX-License-Identifier: MIT */
/*
 * The library between two processors: streams that sleep whenever they can, inline and by loans.
 */
#include "claims.h"
#include "exo_ipc/exo_ipc.h"

#define MESSAGES 4000u
#define LOANED   500u

struct stream {
    struct exo_ring ring;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u32 wrong;
    exo_i64 status;
};

static exo_size message_bytes(exo_u32 number)
{
    return 4 + number * 7 % (EXO_INLINE_THRESHOLD - 3);
}

static void receive_inline(void *argument)
{
    struct stream *stream = (struct stream *)argument;
    exo_u32 number;
    for (number = 0; number < MESSAGES; number++) {
        exo_u8 bytes[EXO_INLINE_THRESHOLD];
        exo_i64 len = exo_recv_blocking(&stream->rx, bytes, sizeof(bytes), EXO_FOREVER);
        exo_u32 first;
        exo_i64 i;
        __builtin_memcpy(&first, bytes, 4);
        stream->wrong += len != (exo_i64)message_bytes(number) || first != number;
        for (i = 4; i < len; i++) {
            stream->wrong += bytes[i] != (exo_u8)(number + (exo_u32)i);
        }
    }
}

static const char *send_inline(struct stream *stream)
{
    exo_u32 number;
    for (number = 0; number < MESSAGES; number++) {
        exo_u8 bytes[EXO_INLINE_THRESHOLD];
        exo_u32 i;
        __builtin_memcpy(bytes, &number, 4);
        for (i = 4; i < sizeof(bytes); i++) {
            bytes[i] = (exo_u8)(number + i);
        }
        REQUIRE(exo_send_blocking(&stream->tx, bytes, message_bytes(number), BY_THEN) == EXO_OK);
    }
    return CLAIM_OK;
}

static void receive_loans(void *argument)
{
    struct stream *stream = (struct stream *)argument;
    exo_u32 number;
    for (number = 0; number < LOANED; number++) {
        struct exo_viewed view;
        exo_i64 status = exo_view_blocking(&stream->rx, &view, EXO_FOREVER);
        exo_size i;
        if (status != EXO_OK) {
            stream->status = status;
            return;
        }
        stream->wrong += view.len != 3000;
        for (i = 0; i < view.len; i += 100) {
            stream->wrong += ((const exo_u8 *)view.data)[i] != (exo_u8)(number + i);
        }
        stream->wrong += exo_release(&stream->rx, &view) != EXO_OK;
    }
}

static const char *send_loans(struct stream *stream)
{
    exo_u32 number;
    for (number = 0; number < LOANED; number++) {
        struct exo_loaned loan;
        exo_u64 until = BY_THEN;
        exo_size i;
        exo_i64 status;
        while ((status = exo_loan(&stream->tx, 3000, &loan)) == EXO_FULL && exo_port_now_ns() < until) {
            sched_yield();
        }
        REQUIRE(status == EXO_OK);
        for (i = 0; i < 3000; i += 100) {
            ((exo_u8 *)loan.data)[i] = (exo_u8)(number + i);
        }
        while ((status = exo_send_loan(&stream->tx, &loan)) == EXO_FULL && exo_port_now_ns() < until) {
            sched_yield();
        }
        REQUIRE(status == EXO_OK);
    }
    return CLAIM_OK;
}

/* The receiver on the last processor; the sender is this thread, wherever it runs. */
static const char *run(struct stream *stream, exo_size arena, void (*receive)(void *),
                       const char *(*send)(struct stream *))
{
    struct exo_ring_config config;
    struct thread *receiver;
    const char *verdict;
    __builtin_memset(&config, 0, sizeof(config));
    config.slots = 8;
    config.start = 0xFFFFFFFFull - 10;
    config.spin = 1;
    config.arena_size = arena;
    REQUIRE(exo_ring_create(&stream->ring, &config, &stream->tx, &stream->rx) == EXO_OK);
    receiver = thread_create("receiver", receive, stream, 1u << (cpu_count - 1));
    REQUIRE(receiver != EXO_NULL);
    thread_start(receiver);
    verdict = send(stream);
    REQUIRE(verdict == CLAIM_OK);
    REQUIRE(thread_join(receiver, BY_THEN));
    REQUIRE(stream->wrong == 0 && stream->status == EXO_OK);
    exo_ring_destroy(&stream->ring);
    return CLAIM_OK;
}

static const char *inline_messages_between_processors_arrive_whole_and_in_order(void)
{
    static struct stream stream;
    return run(&stream, 0, receive_inline, send_inline);
}

static const char *loans_between_processors_arrive_whole_and_in_order(void)
{
    static struct stream stream;
    return run(&stream, 65536, receive_loans, send_loans);
}

static const char *a_ring_leaves_no_memory_behind(void)
{
    exo_u64 before = frames_counted().free_bytes;
    exo_u32 i;
    for (i = 0; i < 50; i++) {
        struct exo_ring ring;
        struct exo_sender tx;
        struct exo_receiver rx;
        REQUIRE(exo_ring_create(&ring, (const struct exo_ring_config *)EXO_NULL, &tx, &rx) == EXO_OK);
        REQUIRE(exo_send_inline(&tx, &i, sizeof(i)) == EXO_OK);
        exo_ring_destroy(&ring);
    }
    REQUIRE(frames_counted().free_bytes == before);
    return CLAIM_OK;
}

const struct claim claims_rings[] = {
    CLAIM(inline_messages_between_processors_arrive_whole_and_in_order),
    CLAIM(loans_between_processors_arrive_whole_and_in_order),
    CLAIM(a_ring_leaves_no_memory_behind),
    CLAIMS_END,
};
