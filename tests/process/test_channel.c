/* SPDX-License-Identifier: MIT */
/*
 * Channels between processes: who is at the other end, what both must agree on, and how an end is told from a death.
 */
#include "process_fixture.h"

#define NO_HEADER ((const struct exo_message_header *)NULL)

struct talk {
    int sockets[2];
    const struct exo_channel_config *config; /* the child's */
    void (*body)(struct exo_channel_end *end);
    exo_status expected; /* of the child's opening */
    exo_bool as_ring;    /* the child opens a plain ring */
};

static void child_lives(void *argument)
{
    const struct talk *talk = (const struct talk *)argument;
    static struct exo_channel_end end;
    (void)close(talk->sockets[0]);
    if (talk->as_ring) {
        static struct exo_end ring;
        CHECK(exo_open(&ring, talk->sockets[1], NULL, in_seconds(5)) == talk->expected);
        return;
    }
    CHECK(exo_channel_open(&end, talk->sockets[1], talk->config, in_seconds(5)) == talk->expected);
    if (talk->expected == EXO_OK) {
        talk->body(&end);
        exo_channel_end_close(&end);
    }
}

/* Fork the other process; the parent opens its end and says what came of it. */
static exo_status open_with_child(struct talk *talk, struct exo_channel_end *end,
                                  const struct exo_channel_config *config, pid_t *child)
{
    assert_int_equal(exo_pair(talk->sockets), EXO_OK);
    *child = start_child(child_lives, talk);
    (void)close(talk->sockets[1]);
    return exo_channel_open(end, talk->sockets[0], config, in_seconds(5));
}

/* Answers requests with what they carry and who asked. */
static void echoes(struct exo_channel_end *end)
{
    struct exo_message message;
    while (exo_channel_recv_blocking(&end->channel, &message, in_seconds(5)) == EXO_OK) {
        CHECK(message.header.msg_type == EXO_MESSAGE_REQUEST);
        CHECK(message.header.sender == exo_channel_identity(getuid(), (exo_u32)getppid()));
        CHECK(exo_reply_blocking(&end->channel, &message.header, exo_message_payload(&message),
                                 exo_message_size(&message), in_seconds(5)) == EXO_OK);
        CHECK(exo_channel_release(&end->channel, &message) == EXO_OK);
    }
}

static void two_processes_call_each_other(void **state)
{
    static struct exo_channel_end end;
    static exo_u8 data[9000];
    static exo_u8 back[9000];
    struct exo_channel_config config = {0};
    struct talk talk = {.config = &config, .body = echoes};
    struct held before = count_held();
    exo_u32 i;
    exo_u32 round;
    pid_t child;
    (void)state;
    for (round = 0; round < 4; round++) {
        config.ring.profile = round % 2 == 0 ? EXO_CRASH_SAFE : EXO_HOSTILE;
        config.ring.start = round / 2 == 0 ? 0 : NEAR_WRAP;
        assert_int_equal(open_with_child(&talk, &end, &config, &child), EXO_OK);
        for (i = 0; i < 2000; i++) {
            exo_size len = i % 7 == 0 ? 57 + i * 4 : i % 57;
            memset(data, (int)i, len);
            assert_int_equal(exo_request(&end.channel, data, len, back, sizeof(back), in_seconds(5)), len);
            assert_memory_equal(data, back, len);
        }
        assert_int_equal(end.peer.pid, child);
        assert_int_equal(exo_channel_finish(&end.channel), EXO_OK);
        assert_int_equal(join_child(child), 0);
        exo_channel_end_close(&end);
        exo_channel_end_close(&end);
    }
    assert_held(before);
}

static void says_one_word(struct exo_channel_end *end)
{
    CHECK(exo_channel_send(&end->channel, NO_HEADER, "word", 4) == EXO_OK);
}

static void dies_after_one_word(struct exo_channel_end *end)
{
    says_one_word(end);
    (void)kill(getpid(), SIGKILL);
}

static void closed_and_died_are_told_apart_after_the_last_message(void **state)
{
    static struct exo_channel_end end;
    struct exo_channel_config config = {0};
    exo_u32 i;
    (void)state;
    for (i = 0; i < 4; i++) {
        struct talk talk = {.config = &config, .body = i % 2 == 0 ? says_one_word : dies_after_one_word};
        exo_status expected = i % 2 == 0 ? EXO_CLOSED : EXO_PEER_DIED;
        struct exo_message message;
        struct exo_call call;
        pid_t child;
        exo_status status;
        config.ring.profile = i / 2 == 0 ? EXO_CRASH_SAFE : EXO_HOSTILE;
        status = open_with_child(&talk, &end, &config, &child);
        assert_int_equal(join_child(child), i % 2 == 0 ? 0 : -SIGKILL);
        assert_int_equal(status, EXO_OK);
        status = exo_call_send(&end.channel, &call, NO_HEADER, "?", 1, in_seconds(5));
        if (status == EXO_OK) {
            assert_int_equal(exo_call_wait(&end.channel, &call), expected);
        } else {
            assert_int_equal(status, expected);
        }
        assert_int_equal(exo_channel_recv_blocking(&end.channel, &message, in_seconds(5)), EXO_OK);
        assert_int_equal(exo_message_size(&message), 4);
        assert_int_equal(exo_channel_recv_blocking(&end.channel, &message, in_seconds(5)), expected);
        assert_int_equal(exo_channel_recv(&end.channel, &message), expected);
        exo_channel_end_close(&end);
    }
}

/* Sees what the parent takes at most. */
static void meets_the_limit(struct exo_channel_end *end)
{
    static const exo_u8 data[600];
    struct exo_message message;
    CHECK(exo_channel_send(&end->channel, NO_HEADER, data, 501) == EXO_INVALID_SIZE);
    CHECK(exo_channel_send(&end->channel, NO_HEADER, data, 500) == EXO_OK);
    do { /* some requests may have come first */
        CHECK(exo_channel_recv_blocking(&end->channel, &message, in_seconds(5)) == EXO_OK);
    } while (message.header.msg_type == EXO_MESSAGE_REQUEST);
    CHECK(exo_message_size(&message) == 20000);
}

static void each_side_has_its_own_limits(void **state)
{
    static struct exo_channel_end end;
    static const exo_u8 data[20000];
    struct exo_channel_config childs = {0};
    struct exo_channel_config config = {0};
    struct talk talk = {.config = &childs, .body = meets_the_limit};
    struct exo_message message;
    struct exo_call call[5];
    exo_u32 i;
    pid_t child;
    (void)state;
    childs.ring.slots = 8;
    childs.calls = 4;
    childs.urgent = 2;
    config.limit = 500;
    config.calls = 2;
    assert_int_equal(open_with_child(&talk, &end, &config, &child), EXO_OK);
    for (i = 0; i < 4; i++) { /* as many as the child answers at a time */
        assert_int_equal(exo_call_send(&end.channel, &call[i], NO_HEADER, "", 0, EXO_FOREVER),
                         EXO_OK);
        assert_int_equal(exo_call_cancel(&end.channel, &call[i]), EXO_OK);
    }
    for (i = 0; i < 4; i++) {
        assert_int_equal(exo_call_send(&end.channel, &call[i], NO_HEADER, "", 0, EXO_FOREVER), EXO_OK);
    }
    assert_int_equal(exo_call_send(&end.channel, &call[4], NO_HEADER, "", 0, EXO_FOREVER), EXO_FULL);
    assert_int_equal(exo_channel_recv_blocking(&end.channel, &message, in_seconds(5)), EXO_OK);
    assert_int_equal(exo_message_size(&message), 500);
    assert_int_equal(exo_channel_release(&end.channel, &message), EXO_OK);
    {
        struct exo_message_header urgent = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        urgent.priority = 1;
        assert_int_equal(exo_channel_send(&end.channel, &urgent, data, 20000), EXO_OK);
    }
    assert_int_equal(join_child(child), 0);
    exo_channel_end_close(&end);
}

static void ends_that_do_not_fit_refuse_each_other(void **state)
{
    static struct exo_channel_end end;
    static const struct {
        exo_u64 type;
        exo_u32 profile;
        exo_bool as_ring;
    } other[] = {{7, EXO_CRASH_SAFE, EXO_FALSE}, {0, EXO_HOSTILE, EXO_FALSE}, {0, EXO_CRASH_SAFE, EXO_TRUE}};
    struct held before = count_held();
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(other); i++) {
        struct exo_channel_config childs = {0};
        struct talk talk = {.config = &childs, .expected = EXO_TYPE_MISMATCH, .as_ring = other[i].as_ring};
        pid_t child;
        childs.ring.type = other[i].type;
        childs.ring.profile = other[i].profile;
        assert_int_equal(open_with_child(&talk, &end, NULL, &child), EXO_TYPE_MISMATCH);
        assert_int_equal(join_child(child), 0);
    }
    assert_held(before);
}

/* Makes segments of channels by hand and offers others. */
static void lanes_that_are_none_are_refused(void **state)
{
    static struct exo_lanes lanes;
    struct exo_channel_config config = {0};
    (void)state;
    assert_int_equal(exo_channel_lanes(&lanes, &config), EXO_OK);
    assert_int_equal(exo_channel_lanes_offered(&lanes), EXO_OK);
    lanes.lane[EXO_LANE_URGENT].slots = 128;
    assert_int_equal(exo_channel_lanes_offered(&lanes), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_channel_lanes(&lanes, &config), EXO_OK);
    lanes.lane[EXO_LANE_ANSWER].slots = 131072;
    assert_int_equal(exo_channel_lanes_offered(&lanes), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_channel_lanes(&lanes, &config), EXO_OK);
    lanes.lane[EXO_LANE_ANSWER].slot_shift = 6;
    assert_int_equal(exo_channel_lanes_offered(&lanes), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_channel_lanes(&lanes, &config), EXO_OK);
    lanes.count = 2;
    assert_int_equal(exo_channel_lanes_offered(&lanes), EXO_TYPE_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(two_processes_call_each_other),
        CLAIM(closed_and_died_are_told_apart_after_the_last_message),
        CLAIM(each_side_has_its_own_limits),
        CLAIM(ends_that_do_not_fit_refuse_each_other),
        CLAIM(lanes_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
