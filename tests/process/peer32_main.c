/* SPDX-License-Identifier: MIT */
/*
 * The 32-bit side of test_pair32.c: a program without libc that maps the file it inherited, attaches to both
 * rings, and answers what comes. It leaves with 0, or with the number of the step that failed.
 */
#define EXO_PORT_NEED_MEMCPY 1
#define EXO_PORT_IMPLEMENTATION 1
#define EXO_PORT_YIELD() ((void)nolibc_call(158, 0, 0, 0, 0)) /* sched_yield */

#include "../port/nolibc.h"

#include "pair32.h"

/* The old mmap of i386: all six arguments in memory. */
static exo_u8 *map_file(void)
{
    const unsigned long arguments[6] = {0, PAIR32_BYTES, 3 /* READ, WRITE */, 1 /* SHARED */, PAIR32_DESCRIPTOR, 0};
    long at = nolibc_call(90, (long)arguments, 0, 0, 0);
    return at > -4096 && at < 0 ? (exo_u8 *)0 : (exo_u8 *)at;
}

static exo_word64 books_out[1024] EXO_ALIGNED(64);
static exo_word64 books_in[1024] EXO_ALIGNED(64);

static struct exo_ring_memory ring_memory(exo_u8 *file, exo_u32 tx, exo_u32 rx, exo_word64 *books)
{
    struct exo_ring_memory memory = {file + (exo_size)tx * PAIR32_PART, PAIR32_PART,
                                     file + (exo_size)rx * PAIR32_PART, PAIR32_PART, books, sizeof(books_out)};
    return memory;
}

static struct exo_sender tx;
static struct exo_receiver rx;

/* Receive `bytes` of inline messages of one size: the next that comes, waiting. */
static exo_bool recv_numbers(exo_word64 *numbers, exo_size size, exo_size n)
{
    exo_size got = 0;
    while (got < n) {
        exo_i64 count = exo_recv_burst(&rx, (exo_u8 *)numbers + got * size, size, n - got, (exo_u32 *)EXO_NULL);
        if (count < 0 && count != EXO_EMPTY) {
            return EXO_FALSE;
        }
        got += count > 0 ? (exo_size)count : 0;
        EXO_PORT_YIELD();
    }
    return EXO_TRUE;
}

static int answer_inline(void)
{
    exo_word64 numbers[EXO_LINE_WORDS];
    exo_u32 i;
    if (!recv_numbers(numbers, sizeof(numbers), 1)) {
        return 11;
    }
    for (i = 0; i < EXO_LINE_WORDS; i++) {
        numbers[i] ^= PAIR32_ANSWER;
    }
    while (exo_send_inline(&tx, numbers, sizeof(numbers)) != EXO_OK) {
        EXO_PORT_YIELD();
    }
    return 0;
}

static int answer_packed(void)
{
    exo_word64 numbers[PAIR32_LOT];
    exo_u32 i;
    if (!recv_numbers(numbers, 8, PAIR32_LOT)) {
        return 21;
    }
    for (i = 0; i < PAIR32_LOT; i++) {
        numbers[i] ^= PAIR32_ANSWER;
    }
    return exo_send_bulk(&tx, numbers, 8, PAIR32_LOT) == PAIR32_LOT ? 0 : 22;
}

static int answer_view(void)
{
    struct exo_viewed view;
    struct exo_loaned loan = {EXO_NULL, 0, 0, 0, 0};
    exo_u32 i;
    while (exo_view(&rx, &view) == EXO_EMPTY) {
        EXO_PORT_YIELD();
    }
    if (view.data == EXO_NULL || exo_loan(&tx, view.len, &loan) != EXO_OK) {
        return 31;
    }
    for (i = 0; i + 8 <= view.len; i += 8) {
        exo_write64((exo_u8 *)loan.data + i, exo_read64((const exo_u8 *)view.data + i) ^ PAIR32_ANSWER);
    }
    if (exo_release(&rx, &view) != EXO_OK) {
        return 32;
    }
    return exo_send_loan(&tx, &loan) == EXO_OK ? 0 : 33;
}

static int answer_message(void)
{
    struct exo_message message;
    exo_word64 numbers[5];
    exo_u32 i;
    exo_status status;
    while ((status = exo_message_recv(&rx, &message)) == EXO_EMPTY) {
        EXO_PORT_YIELD();
    }
    if (status != EXO_OK || exo_message_size(&message) != sizeof(numbers)) {
        return 41;
    }
    for (i = 0; i < 5; i++) {
        numbers[i] = exo_read64((const exo_u8 *)exo_message_payload(&message) + 8 * i) ^ PAIR32_ANSWER;
    }
    message.header.msg_type = EXO_MESSAGE_RESPONSE;
    return exo_message_send_data(&tx, &message.header, numbers, sizeof(numbers)) == EXO_OK ? 0 : 42;
}

int nolibc_main(void)
{
    exo_u8 *file = map_file();
    struct exo_ring_memory in;
    struct exo_ring_memory out;
    exo_u32 round;
    int failed = 0;
    EXO_STATIC_ASSERT(sizeof(void *) == 4, "this is the 32-bit side");
    if (file == (exo_u8 *)0) {
        return 1;
    }
    in = ring_memory(file, PAIR32_OUT_TX, PAIR32_OUT_RX, books_in);
    out = ring_memory(file, PAIR32_IN_TX, PAIR32_IN_RX, books_out);
    if (exo_receiver_attach(&rx, &in, 0, (struct exo_port_peer *)EXO_NULL) != EXO_OK) {
        return 2;
    }
    if (exo_sender_attach(&tx, &out, 0, (struct exo_port_peer *)EXO_NULL) != EXO_OK) {
        return 3;
    }
    for (round = 0; round < PAIR32_ROUNDS && failed == 0; round++) {
        failed = answer_inline();
        failed = failed != 0 ? failed : answer_packed();
        failed = failed != 0 ? failed : answer_view();
        failed = failed != 0 ? failed : answer_message();
    }
    (void)exo_sender_close(&tx);
    (void)exo_receiver_close(&rx);
    return failed;
}
