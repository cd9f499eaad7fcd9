/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a channel in this process: in one address space, and over sealed segments as two processes have them.
 */
#ifndef EXO_TESTS_CHANNEL_FIXTURE_H
#define EXO_TESTS_CHANNEL_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exo_linux.h"

#define NO_HEADER ((const struct exo_message_header *)NULL)
#define SOON_NS 20000000u

struct way {
    exo_bool segments;
    exo_u32 profile;
    exo_u64 start;
};

static const struct way ways[] = {
    {EXO_FALSE, EXO_THREADS, 0},
    {EXO_FALSE, EXO_THREADS, 0xFFFFFFFDull},
    {EXO_TRUE, EXO_CRASH_SAFE, 0},
    {EXO_TRUE, EXO_HOSTILE, 0xFFFFFFFDull},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

struct two_ends {
    struct exo_channel_pair pair;
    struct exo_channel thread_end[2];
    struct exo_channel_end process_end[2];
    struct exo_channel *a;
    struct exo_channel *b;
    exo_u64 name_of_a;
    exo_u64 name_of_b;
    exo_bool segments;
};

EXO_INLINE void open_two(struct two_ends *two, const struct way *way, struct exo_channel_config config)
{
    config.ring.start = way->start;
    config.ring.profile = way->profile;
    memset(two, 0xA5, sizeof(*two));
    two->segments = way->segments;
    if (way->segments) {
        assert_int_equal(exo_channel_open_both(&two->process_end[0], &two->process_end[1], &config), EXO_OK);
        two->a = &two->process_end[0].channel;
        two->b = &two->process_end[1].channel;
        two->name_of_a = exo_channel_identity(getuid(), (exo_u32)getpid());
        two->name_of_b = two->name_of_a;
        return;
    }
    assert_int_equal(exo_channel_pair_create(&two->pair, &config), EXO_OK);
    two->pair.identity[0] = 77;
    two->pair.identity[1] = 88;
    two->a = &two->thread_end[0];
    two->b = &two->thread_end[1];
    two->name_of_a = 77;
    two->name_of_b = 88;
    assert_int_equal(exo_channel_pair_open(&two->pair, 0, two->a), EXO_OK);
    assert_int_equal(exo_channel_pair_open(&two->pair, 1, two->b), EXO_OK);
}

EXO_INLINE void close_two(struct two_ends *two)
{
    if (two->segments) {
        exo_channel_end_close(&two->process_end[0]);
        exo_channel_end_close(&two->process_end[1]);
        return;
    }
    exo_channel_close(two->a);
    exo_channel_close(two->b);
    exo_channel_pair_destroy(&two->pair);
}

/* Bytes that depend on len and number. */
EXO_INLINE void fill(exo_u8 *data, exo_size len, exo_u32 number)
{
    exo_size i;
    for (i = 0; i < len; i++) {
        data[i] = (exo_u8)(number * 31 + i * 7 + len);
    }
}

EXO_INLINE void assert_filled(struct exo_message *message, exo_size len, exo_u32 number)
{
    const exo_u8 *data = (const exo_u8 *)exo_message_payload(message);
    exo_size i;
    assert_int_equal(exo_message_size(message), len);
    for (i = 0; i < len; i++) {
        assert_int_equal(data[i], (exo_u8)(number * 31 + i * 7 + len));
    }
}

EXO_INLINE exo_status send_filled(struct exo_channel *channel, exo_u8 priority, exo_size len, exo_u32 number)
{
    static exo_u8 data[65536];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    header.priority = priority;
    fill(data, len, number);
    return exo_channel_send(channel, &header, data, len);
}

EXO_INLINE void receive_filled(struct exo_channel *channel, exo_size len, exo_u32 number)
{
    struct exo_message message;
    assert_int_equal(exo_channel_recv(channel, &message), EXO_OK);
    assert_filled(&message, len, number);
    assert_int_equal(exo_channel_release(channel, &message), EXO_OK);
}

/* The payload of the next message is one byte. */
EXO_INLINE int receive_byte(struct exo_channel *channel)
{
    struct exo_message message;
    int byte;
    exo_status status = exo_channel_recv(channel, &message);
    if (status != EXO_OK) {
        return status;
    }
    assert_int_equal(exo_message_size(&message), 1);
    byte = *(const exo_u8 *)exo_message_payload(&message);
    assert_int_equal(exo_channel_release(channel, &message), EXO_OK);
    return byte;
}

EXO_INLINE exo_status send_byte(struct exo_channel *channel, exo_u8 priority, int byte)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_u8 data = (exo_u8)byte;
    header.priority = priority;
    return exo_channel_send(channel, &header, &data, 1);
}

#endif
