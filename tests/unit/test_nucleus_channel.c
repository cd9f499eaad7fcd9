/* SPDX-License-Identifier: MIT */
/*
 * Channels of the nucleus: messages, what is passed with them, who pays, and how a side's end is told.
 */
#include "nucleus_fixture.h"

#define PAGE 4096u

static struct world world;
static exo_u64 side[2];

static int begin(void **state)
{
    (void)state;
    world_begin(&world);
    assert_int_equal(exo_sys_channel_create(world.door[0], "talk", 4, EXO_PERMS(EXO_RIGHTS_CHANNEL, 0), 4, 256, &side[0]),
                     EXO_OK);
    assert_int_equal(exo_sys_channel_open(world.door[1], "talk", 4,
                                          EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE | EXO_RIGHT_GRANT, &side[1]),
                     EXO_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static struct exo_sys_letter letter_of(exo_u8 priority, exo_u64 passed, exo_u32 rights)
{
    struct exo_sys_letter letter;
    memset(&letter, 0, sizeof(letter));
    letter.header = exo_message_header_new(EXO_MESSAGE_REQUEST, 99, 7, 3);
    letter.header.total_size = 0;
    letter.header.priority = priority;
    letter.passed = passed;
    letter.rights = rights;
    return letter;
}

static exo_status send_at(exo_u32 i, exo_u8 priority, exo_u64 passed, exo_u32 rights, exo_u32 word)
{
    struct exo_sys_letter letter = letter_of(priority, passed, rights);
    return exo_sys_channel_send_letter(world.door[i], side[i], &letter, &word, sizeof(word));
}

static void assert_receives(exo_u32 i, exo_u32 word)
{
    exo_u32 got = 0;
    assert_int_equal(exo_sys_channel_recv(world.door[i], side[i], &got, sizeof(got)), sizeof(got));
    assert_int_equal(got, word);
}

static void a_message_arrives_whole_and_says_who_sent_it(void **state)
{
    struct exo_sys_letter letter;
    char buffer[256];
    (void)state;
    letter = letter_of(0, 0, 0);
    assert_int_equal(exo_sys_channel_send_letter(world.door[0], side[0], &letter, "hello, nucleus", 15), EXO_OK);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, buffer, 14), EXO_BUFFER_TOO_SMALL);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, buffer, sizeof(buffer)), 15);
    assert_string_equal(buffer, "hello, nucleus");
    assert_int_equal(letter.header.sender, world.number[0]);
    assert_int_equal(letter.header.msg_type, EXO_MESSAGE_REQUEST);
    assert_int_equal(letter.header.dest, 7);
    assert_int_equal(letter.header.request_id, 3);
    assert_int_equal(letter.header.total_size, 32 + 15);
    assert_int_equal(letter.passed, 0);
    assert_int_equal(exo_sys_channel_recv(world.door[1], side[1], buffer, sizeof(buffer)), EXO_EMPTY);
    assert_int_equal(exo_sys_channel_send(world.door[1], side[1], NULL, 0), EXO_OK);
    assert_int_equal(exo_sys_channel_recv(world.door[0], side[0], NULL, 0), 0);
}

static void the_highest_priority_comes_first_and_equals_in_order(void **state)
{
    static const exo_u8 priorities[] = {1, 200, 1, 200};
    static const exo_u32 order[] = {1, 3, 0, 2};
    exo_u32 i;
    (void)state;
    for (i = 0; i < 4; i++) {
        assert_int_equal(send_at(0, priorities[i], 0, 0, i), EXO_OK);
    }
    assert_int_equal(send_at(0, 255, 0, 0, 4), EXO_FULL);
    for (i = 0; i < 4; i++) {
        assert_receives(1, order[i]);
    }
}

static void letters_that_are_none_are_refused(void **state)
{
    struct exo_sys_letter letter;
    char bytes[300] = {0};
    (void)state;
#define SEND(len) exo_sys_channel_send_letter(world.door[0], side[0], &letter, bytes, len)
    letter = letter_of(0, 0, 0);
    assert_int_equal(SEND(257), EXO_INVALID_SIZE);
    assert_int_equal(SEND(~(exo_size)0), EXO_INVALID_SIZE);
    letter.header.total_size = 33;
    assert_int_equal(SEND(2), EXO_INVALID_SIZE);
    assert_int_equal(SEND(1), EXO_OK);
    letter = letter_of(0, 0, 0);
    letter.header.msg_type = 5;
    assert_int_equal(SEND(1), EXO_INVALID_ARGUMENT);
    letter = letter_of(0, 0, 0);
    letter.header.flags = 0x80;
    assert_int_equal(SEND(1), EXO_INVALID_ARGUMENT);
    letter = letter_of(0, 0, 0);
    letter.header.reserved = 1;
    assert_int_equal(SEND(1), EXO_INVALID_ARGUMENT);
    letter = letter_of(0, 0, 0);
    letter.reserved = 1;
    assert_int_equal(SEND(1), EXO_INVALID_ARGUMENT);
    letter = letter_of(0, 0, EXO_RIGHT_SEND);
    assert_int_equal(SEND(1), EXO_INVALID_ARGUMENT);
    letter = letter_of(0, 12345, EXO_RIGHT_SEND);
    assert_int_equal(SEND(1), EXO_NOT_FOUND);
    assert_int_equal(used(&world, 0, EXO_QUOTA_MESSAGES), 1);
}

static void a_right_is_needed_to_send_and_to_receive(void **state)
{
    exo_u64 only = 0;
    exo_u32 word = 1;
    (void)state;
    assert_int_equal(exo_sys_derive(world.door[0], side[0], EXO_RIGHT_SEND, &only), EXO_OK);
    assert_int_equal(exo_sys_channel_send(world.door[0], only, &word, 4), EXO_OK);
    assert_int_equal(exo_sys_channel_recv(world.door[0], only, &word, 4), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_derive(world.door[0], side[0], EXO_RIGHT_RECEIVE, &only), EXO_OK);
    assert_int_equal(exo_sys_channel_send(world.door[0], only, &word, 4), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_channel_recv(world.door[0], only, &word, 4), EXO_EMPTY);
    assert_int_equal(exo_sys_channel_send(world.door[2], side[0], &word, 4), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_channel_open(world.door[2], "talk", 4, EXO_RIGHT_SEND, &only), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_shm_open(world.door[1], "talk", 4, EXO_RIGHT_MAP_READ, &only), EXO_TYPE_MISMATCH);
}

static void who_sends_pays_until_it_is_received(void **state)
{
    (void)state;
    assert_int_equal(exo_quota_limit_set(&world.process[1]->account, EXO_QUOTA_MESSAGES, 2), EXO_OK);
    assert_int_equal(send_at(1, 0, 0, 0, 1), EXO_OK);
    assert_int_equal(send_at(1, 0, 0, 0, 2), EXO_OK);
    assert_int_equal(send_at(1, 0, 0, 0, 3), EXO_QUOTA_EXCEEDED);
    assert_int_equal(used(&world, 0, EXO_QUOTA_MESSAGES), 0);
    assert_receives(0, 1);
    assert_int_equal(send_at(1, 0, 0, 0, 4), EXO_OK);
    assert_receives(0, 2);
    assert_receives(0, 4);
    assert_int_equal(used(&world, 1, EXO_QUOTA_MESSAGES), 0);
}

static void a_side_that_closes_is_told_after_its_last_message(void **state)
{
    exo_u32 word;
    (void)state;
    assert_int_equal(send_at(1, 0, 0, 0, 1), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[1], side[1]), EXO_OK);
    assert_int_equal(send_at(0, 0, 0, 0, 1), EXO_CLOSED);
    assert_receives(0, 1);
    assert_int_equal(exo_sys_channel_recv(world.door[0], side[0], &word, 4), EXO_CLOSED);
    assert_int_equal(exo_sys_channel_open(world.door[1], "talk", 4, EXO_RIGHT_SEND, &side[1]), EXO_CLOSED);
    assert_int_equal(used(&world, 0, EXO_QUOTA_MESSAGES), 0);
}

static void a_side_that_dies_is_told_from_one_that_closes(void **state)
{
    exo_u32 word;
    (void)state;
    assert_int_equal(send_at(1, 0, 0, 0, 1), EXO_OK);
    world_end_one(&world, 1, EXO_TRUE);
    assert_receives(0, 1);
    assert_int_equal(exo_sys_channel_recv(world.door[0], side[0], &word, 4), EXO_PEER_DIED);
    assert_int_equal(send_at(0, 0, 0, 0, 1), EXO_PEER_DIED);
}

static void a_region_travels_with_fewer_rights(void **state)
{
    struct exo_sys_letter letter;
    exo_u64 region = 0;
    exo_u32 word;
    void *at = NULL;
    (void)state;
    assert_int_equal(exo_sys_shm_create(world.door[0], NULL, 0, PAGE, 0, &region), EXO_OK);
    assert_int_equal(send_at(0, 0, region, EXO_RIGHT_MAP_READ, 8), EXO_OK);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, &word, 4), 4);
    assert_int_not_equal(letter.passed, 0);
    assert_int_equal(letter.rights, EXO_RIGHT_MAP_READ);
    assert_int_equal(exo_sys_shm_map(world.door[1], letter.passed, NULL, EXO_MAP_WRITE, &at), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_shm_map(world.door[1], letter.passed, NULL, EXO_MAP_READ, &at), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[0], region), EXO_OK);
    assert_int_equal(*(exo_u32 *)at, 0);
    /* without the right to grant it does not travel on */
    assert_int_equal(send_at(1, 0, letter.passed, EXO_RIGHT_MAP_READ, 8), EXO_PERMISSION_DENIED);
    assert_int_equal(used(&world, 1, EXO_QUOTA_MESSAGES), 0);
}

static void revoking_reaches_what_is_on_its_way(void **state)
{
    struct exo_sys_letter letter;
    exo_u64 region = 0;
    exo_u64 count = 0;
    exo_u32 word;
    (void)state;
    assert_int_equal(exo_sys_shm_create(world.door[0], NULL, 0, PAGE, 0, &region), EXO_OK);
    assert_int_equal(send_at(0, 0, region, EXO_RIGHT_MAP_READ, 8), EXO_OK);
    assert_int_equal(exo_sys_revoke(world.door[0], region, EXO_FALSE, &count), EXO_OK);
    assert_int_equal(count, 1);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, &word, 4), 4);
    assert_int_equal(letter.passed, 0);
    assert_int_equal(word, 8);
}

static void a_message_whose_capability_cannot_be_taken_stays(void **state)
{
    struct exo_sys_letter letter;
    exo_u64 region = 0;
    exo_u32 word;
    (void)state;
    assert_int_equal(exo_sys_shm_create(world.door[0], NULL, 0, PAGE, 0, &region), EXO_OK);
    assert_int_equal(send_at(0, 5, region, EXO_RIGHT_MAP_READ, 8), EXO_OK);
    assert_int_equal(send_at(0, 5, 0, 0, 9), EXO_OK);
    assert_int_equal(exo_quota_limit_set(&world.process[1]->account, EXO_QUOTA_CAPABILITIES, 1), EXO_OK);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, &word, 4), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_limit_set(&world.process[1]->account, EXO_QUOTA_CAPABILITIES, 2), EXO_OK);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, &word, 4), 4);
    assert_int_not_equal(letter.passed, 0);
    assert_int_equal(word, 8);
    assert_receives(1, 9);
}

static void a_channel_carries_only_younger_channels(void **state)
{
    struct exo_sys_letter letter;
    exo_u64 young = 0;
    exo_u64 peer = 0;
    exo_u32 word = 4;
    (void)state;
    assert_int_equal(send_at(0, 0, side[0], EXO_RIGHT_SEND, 1), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_sys_channel_create(world.door[0], NULL, 0, 0, 0, 0, &young), EXO_OK);
    assert_int_equal(exo_sys_channel_peer(world.door[0], young, EXO_RIGHT_SEND | EXO_RIGHT_GRANT, &peer), EXO_OK);
    assert_int_equal(send_at(0, 0, peer, EXO_RIGHT_SEND, 1), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[0], peer), EXO_OK);
    assert_int_equal(exo_sys_channel_recv_letter(world.door[1], side[1], &letter, &word, 4), 4);
    assert_int_equal(exo_sys_channel_send(world.door[1], letter.passed, &word, 4), EXO_OK);
    assert_int_equal(exo_sys_channel_recv(world.door[0], young, &word, 4), 4);
    assert_int_equal(exo_sys_close(world.door[1], letter.passed), EXO_OK);
    assert_int_equal(exo_sys_channel_recv(world.door[0], young, &word, 4), EXO_CLOSED);
}

/* Each channel's inbox holds the last capability of the next one: their end must not nest. */
static void a_long_chain_of_channels_ends_at_once(void **state)
{
    enum { CHAIN = 20000 };
    exo_u64 outer = side[0];
    exo_u32 i;
    (void)state;
    for (i = 0; i < CHAIN; i++) {
        exo_u64 inner = 0;
        struct exo_sys_letter letter;
        assert_int_equal(exo_sys_channel_create(world.door[0], NULL, 0, 0, 1, 8, &inner), EXO_OK);
        letter = letter_of(0, inner, EXO_RIGHTS_CHANNEL);
        assert_int_equal(exo_sys_channel_send_letter(world.door[0], outer, &letter, NULL, 0), EXO_OK);
        if (i != 0) {
            assert_int_equal(exo_sys_close(world.door[0], outer), EXO_OK);
        }
        outer = inner;
    }
    assert_int_equal(exo_sys_close(world.door[0], outer), EXO_OK);
    assert_int_equal(used(&world, 0, EXO_QUOTA_CHANNELS), CHAIN + 1);
    world_end_one(&world, 0, EXO_TRUE);
    world_end_one(&world, 1, EXO_TRUE);
    assert_nothing_held(&world);
}

int main(void)
{
#define WITH(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(a_message_arrives_whole_and_says_who_sent_it),
        WITH(the_highest_priority_comes_first_and_equals_in_order),
        WITH(letters_that_are_none_are_refused),
        WITH(a_right_is_needed_to_send_and_to_receive),
        WITH(who_sends_pays_until_it_is_received),
        WITH(a_side_that_closes_is_told_after_its_last_message),
        WITH(a_side_that_dies_is_told_from_one_that_closes),
        WITH(a_region_travels_with_fewer_rights),
        WITH(revoking_reaches_what_is_on_its_way),
        WITH(a_message_whose_capability_cannot_be_taken_stays),
        WITH(a_channel_carries_only_younger_channels),
        WITH(a_long_chain_of_channels_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
