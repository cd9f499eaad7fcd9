/* SPDX-License-Identifier: MIT */
/*
 * Typed channels: small and large values, in place, as requests; and every way of meeting another type.
 */
#include "channel_fixture.h"

#include <pthread.h>

struct small {
    exo_u64 number;
    exo_u32 words[3];
};

struct large {
    exo_u64 number;
    exo_u8 bytes[5000];
};

struct empty_tail {
    exo_u64 number;
    exo_u32 words[3];
};

EXO_CHANNEL_TYPE(small, struct small)
EXO_CHANNEL_TYPE(large, struct large)
EXO_CHANNEL_TYPE(byte, exo_u8)
EXO_CHANNEL_TYPE(renamed, struct empty_tail)
EXO_CHANNEL_TYPE_VERSION(newer, struct small, 1)

static void open_typed(struct two_ends *two, exo_u32 way, struct exo_channel_config config)
{
    config.ring.arena_size = 65536;
    open_two(two, &ways[way], config);
}

static void values_of_any_size_go_both_ways(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_channel_config config = {0};
        struct two_ends two;
        struct two_ends big;
        struct two_ends tiny;
        open_typed(&two, w, small_config(config));
        open_typed(&big, w, large_config(config));
        open_typed(&tiny, w, byte_config(config));
        for (i = 0; i < 300; i++) {
            struct small out = {i, {i + 1, i + 2, i + 3}};
            struct small in = {0, {0, 0, 0}};
            struct large lout;
            struct large lin;
            exo_u8 byte = 0;
            lout.number = i;
            fill(lout.bytes, sizeof(lout.bytes), i);
            assert_int_equal(small_send(two.a, &out), EXO_OK);
            assert_int_equal(small_recv(two.b, &in), EXO_OK);
            assert_memory_equal(&in, &out, sizeof(in));
            assert_int_equal(large_send_blocking(big.b, &lout, EXO_FOREVER), EXO_OK);
            assert_int_equal(large_recv_blocking(big.a, &lin, EXO_FOREVER), EXO_OK);
            assert_memory_equal(&lin, &lout, sizeof(lin));
            byte = (exo_u8)i;
            assert_int_equal(byte_send(tiny.a, &byte), EXO_OK);
            byte = 0;
            assert_int_equal(byte_recv(tiny.b, &byte), EXO_OK);
            assert_int_equal(byte, (exo_u8)i);
        }
        assert_int_equal(small_recv(two.b, &(struct small){0, {0, 0, 0}}), EXO_EMPTY);
        close_two(&two);
        close_two(&big);
        close_two(&tiny);
    }
}

static void values_are_written_and_read_in_place(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_channel_config config = {0};
        struct two_ends two;
        struct exo_message message;
        struct exo_message got;
        struct large *place = NULL;
        const struct large *seen = NULL;
        open_typed(&two, w, large_config(config));
        assert_int_equal(large_view(two.b, &got, &seen), EXO_EMPTY);
        assert_null(seen);
        assert_int_equal(large_loan(two.a, &message, &place), EXO_OK);
        place->number = 99;
        fill(place->bytes, sizeof(place->bytes), 4);
        message.header.total_size -= 1;
        assert_int_equal(large_send_loan(two.a, &message), EXO_INVALID_SIZE);
        message.header.total_size += 1;
        assert_int_equal(large_send_loan(two.a, &message), EXO_OK);
        assert_int_equal(large_view_blocking(two.b, &got, &seen, EXO_FOREVER), EXO_OK);
        assert_int_equal(seen->number, 99);
        assert_int_equal(seen->bytes[77], (exo_u8)(4 * 31 + 77 * 7 + 5000));
        assert_int_equal(large_release(two.b, &got), EXO_OK);
        assert_int_equal(exo_loans_outstanding(&two.a->tx[0]), 0);
        close_two(&two);
    }
}

static void *doubles(void *argument)
{
    struct exo_channel *channel = (struct exo_channel *)argument;
    struct exo_message message;
    const struct small *question;
    while (small_view_blocking(channel, &message, &question, EXO_FOREVER) == EXO_OK) {
        struct small answer = *question;
        answer.number *= 2;
        if (small_reply(channel, &message.header, &answer) != EXO_OK || small_release(channel, &message) != EXO_OK) {
            return argument;
        }
    }
    return NULL;
}

static void calls_are_answered_in_the_type(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_channel_config config = {0};
        struct two_ends two;
        struct small value = {21, {1, 2, 3}};
        pthread_t thread;
        void *failed = NULL;
        open_typed(&two, w, small_config(config));
        assert_int_equal(pthread_create(&thread, NULL, doubles, two.b), 0);
        assert_int_equal(small_call(two.a, &value, &value, EXO_FOREVER), EXO_OK);
        assert_int_equal(value.number, 42);
        assert_int_equal(value.words[2], 3);
        assert_int_equal(exo_channel_finish(two.a), EXO_OK);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
        close_two(&two);
    }
}

static void another_type_is_refused_by_every_call(void **state)
{
    struct exo_channel_config config = {0};
    struct two_ends two;
    struct small value = {0, {0, 0, 0}};
    struct exo_message message;
    const struct small *seen;
    struct small *place;
    struct exo_message_header request = exo_message_header_new(EXO_MESSAGE_REQUEST, 0, 0, 1);
    (void)state;
    open_typed(&two, 0, large_config(config));
    assert_int_equal(small_send(two.a, &value), EXO_TYPE_MISMATCH);
    assert_int_equal(small_send_blocking(two.a, &value, EXO_NOW), EXO_TYPE_MISMATCH);
    assert_int_equal(small_recv(two.b, &value), EXO_TYPE_MISMATCH);
    assert_int_equal(small_recv_blocking(two.b, &value, EXO_NOW), EXO_TYPE_MISMATCH);
    assert_int_equal(small_loan(two.a, &message, &place), EXO_TYPE_MISMATCH);
    assert_int_equal(small_view(two.b, &message, &seen), EXO_TYPE_MISMATCH);
    assert_int_equal(small_view_blocking(two.b, &message, &seen, EXO_NOW), EXO_TYPE_MISMATCH);
    assert_int_equal(small_call(two.a, &value, &value, EXO_FOREVER), EXO_TYPE_MISMATCH);
    assert_int_equal(small_reply(two.b, &request, &value), EXO_TYPE_MISMATCH);
    close_two(&two);
}

static void a_peer_that_sends_another_size_is_told_apart(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct exo_channel_config config = {0};
        struct exo_message_header error = exo_message_header_new(EXO_MESSAGE_ERROR, 0, 0, 0);
        exo_i32 word = EXO_QUOTA_EXCEEDED;
        struct two_ends two;
        struct small value = {0, {0, 0, 0}};
        open_typed(&two, w, small_config(config));
        assert_int_equal(send_filled(two.a, 0, 300, 1), EXO_OK);
        assert_int_equal(exo_channel_send(two.a, &error, &word, sizeof(word)), EXO_OK);
        assert_int_equal(small_send(two.a, &value), EXO_OK);
        assert_int_equal(small_recv(two.b, &value), EXO_TYPE_MISMATCH);
        assert_int_equal(small_recv(two.b, &value), EXO_QUOTA_EXCEEDED);
        assert_int_equal(small_recv(two.b, &value), EXO_OK);
        assert_int_equal(exo_loans_outstanding(&two.a->tx[0]), 0);
        close_two(&two);
    }
}

static void a_type_is_its_name_size_alignment_and_version(void **state)
{
    (void)state;
    assert_int_equal(small_type(), exo_type_number("small", sizeof(struct small), EXO_ALIGNOF(struct small), 0));
    assert_true(small_type() != renamed_type());
    assert_true(small_type() != newer_type());
    assert_true(small_type() != exo_type_number("small", sizeof(struct small) + 8, EXO_ALIGNOF(struct small), 0));
    assert_true(small_type() != exo_type_number("small", sizeof(struct small), 4, 0)); /* as i386 aligns it */
    assert_true(exo_type_number("small", 24, 8, 1) != exo_type_number("small", 24, 8, 0));
    assert_true(exo_type_number("", 1, 0, 0) != exo_type_number("", 0, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_any_size_go_both_ways),
        cmocka_unit_test(values_are_written_and_read_in_place),
        cmocka_unit_test(calls_are_answered_in_the_type),
        cmocka_unit_test(another_type_is_refused_by_every_call),
        cmocka_unit_test(a_peer_that_sends_another_size_is_told_apart),
        cmocka_unit_test(a_type_is_its_name_size_alignment_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
