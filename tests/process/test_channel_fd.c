/* SPDX-License-Identifier: MIT */
/*
 * Channels and descriptors: driven by poll alone, and with descriptors that go along with messages and answers.
 */
#include "process_fixture.h"

#define NO_HEADER ((const struct exo_message_header *)NULL)

struct talk {
    int sockets[2];
    void (*body)(struct exo_channel_end *end);
};

static void child_lives(void *argument)
{
    const struct talk *talk = (const struct talk *)argument;
    static struct exo_channel_end end;
    (void)close(talk->sockets[0]);
    CHECK(exo_channel_open(&end, talk->sockets[1], NULL, in_seconds(5)) == EXO_OK);
    talk->body(&end);
    exo_channel_end_close(&end);
}

static pid_t open_with_child(struct talk *talk, struct exo_channel_end *end)
{
    pid_t child;
    assert_int_equal(exo_pair(talk->sockets), EXO_OK);
    child = start_child(child_lives, talk);
    (void)close(talk->sockets[1]);
    assert_int_equal(exo_channel_open(end, talk->sockets[0], NULL, in_seconds(5)), EXO_OK);
    return child;
}

/* Sleep in poll until the channel should be looked at; false once the peer is gone. */
static exo_bool sleeps(struct exo_channel_end *end)
{
    struct pollfd one = {(int)exo_channel_fd(end), POLLIN, 0};
    exo_status status = exo_channel_fd_arm(end, EXO_READABLE, 0);
    if (status == EXO_OK) {
        CHECK(poll(&one, 1, 10000) == 1);
        exo_channel_fd_clear(end);
    }
    return status == EXO_OK || status == EXO_INTERRUPTED;
}

/* Echoes requests and messages of either priority, asleep in poll whenever there is nothing. */
static void echoes(struct exo_channel_end *end)
{
    struct exo_message message;
    do {
        while (exo_channel_recv(&end->channel, &message) == EXO_OK) {
            const void *data = exo_message_payload(&message);
            if (message.header.msg_type == EXO_MESSAGE_REQUEST) {
                CHECK(exo_reply_blocking(&end->channel, &message.header, data, exo_message_size(&message),
                                         in_seconds(5)) == EXO_OK);
            } else {
                CHECK(exo_channel_send_blocking(&end->channel, &message.header, data, exo_message_size(&message),
                                                in_seconds(5)) == EXO_OK);
            }
            CHECK(exo_channel_release(&end->channel, &message) == EXO_OK);
        }
    } while (sleeps(end));
}

static void both_sides_sleep_in_poll(void **state)
{
    static struct exo_channel_end end;
    struct talk talk = {.body = echoes};
    struct held before = count_held();
    exo_u32 i;
    pid_t child;
    (void)state;
    child = open_with_child(&talk, &end);
    assert_true(exo_channel_fd(&end) >= 0);
    assert_int_equal(exo_channel_fd_arm(&end, 0, 0), EXO_INVALID_ARGUMENT);
    for (i = 0; i < ROUNDS(3000u); i++) {
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        struct exo_message message;
        struct exo_call call;
        exo_status status;
        header.priority = i % 3 == 1;
        if (i % 3 == 2) {
            assert_int_equal(exo_call_send(&end.channel, &call, NO_HEADER, &i, sizeof(i), EXO_FOREVER), EXO_OK);
            while ((status = exo_call_poll(&end.channel, &call)) == EXO_EMPTY) {
                assert_true(sleeps(&end));
            }
            message = call.answer;
            assert_int_equal(exo_call_release(&end.channel, &call), EXO_OK);
        } else {
            assert_int_equal(exo_channel_send(&end.channel, &header, &i, sizeof(i)), EXO_OK);
            while ((status = exo_channel_recv(&end.channel, &message)) == EXO_EMPTY) {
                assert_true(sleeps(&end));
            }
            assert_int_equal(exo_channel_release(&end.channel, &message), EXO_OK);
        }
        assert_int_equal(status, EXO_OK);
        assert_memory_equal(message.view.copy, &i, sizeof(i));
    }
    assert_int_equal(exo_channel_fd_arm(&end, EXO_READABLE | EXO_WRITABLE, 5000), EXO_INTERRUPTED); /* there is room */
    assert_int_equal(exo_channel_finish(&end.channel), EXO_OK);
    assert_int_equal(join_child(child), 0);
    exo_channel_end_close(&end);
    assert_held(before);
}

static void waits_to_be_killed(struct exo_channel_end *end)
{
    CHECK(exo_channel_send(&end->channel, NO_HEADER, "", 0) == EXO_OK);
    for (;;) {
        (void)pause();
    }
}

static void a_death_makes_the_descriptor_readable(void **state)
{
    static struct exo_channel_end end;
    exo_u32 i;
    (void)state;
    for (i = 0; i < 5; i++) {
        struct talk talk = {.body = waits_to_be_killed};
        struct exo_message message;
        struct pollfd one;
        exo_u64 killed_ns;
        exo_status status;
        pid_t child = open_with_child(&talk, &end);
        one.fd = (int)exo_channel_fd(&end);
        one.events = POLLIN;
        while ((status = exo_channel_recv(&end.channel, &message)) == EXO_EMPTY) {
            assert_true(sleeps(&end));
        }
        assert_int_equal(status, EXO_OK);
        assert_int_equal(exo_channel_fd_arm(&end, EXO_READABLE, 0), EXO_OK);
        killed_ns = exo_port_now_ns();
        assert_int_equal(kill(child, SIGKILL), 0);
        while (exo_channel_recv(&end.channel, &message) != EXO_PEER_DIED) {
            assert_int_equal(poll(&one, 1, 5000), 1);
            exo_channel_fd_clear(&end);
            status = exo_channel_fd_arm(&end, EXO_READABLE, 0);
            assert_true(status == EXO_OK || status == EXO_PEER_DIED);
        }
        assert_true(passed_since(killed_ns) < (SANITIZED ? 2000u : 500u) * MILLISECOND_NS);
        assert_int_equal(poll(&one, 1, 0), 1); /* and stays so */
        assert_int_equal(join_child(child), -SIGKILL);
        exo_channel_end_close(&end);
    }
}

/* A descriptor that reads this text. */
static int descriptor_of(const char *text)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(ends[1]);
    return ends[0];
}

static exo_bool reads(int descriptor, const char *text)
{
    char got[64];
    ssize_t len = read(descriptor, got, sizeof(got));
    (void)close(descriptor);
    return len == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0;
}

/* Gives a descriptor for each request, and two of its own accord, the urgent one second. */
static void gives_descriptors(struct exo_channel_end *end)
{
    static exo_u8 large[3000];
    struct exo_message_header urgent = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    struct exo_message message;
    int first = descriptor_of("ordinary");
    int second = descriptor_of("urgent");
    urgent.priority = 3;
    CHECK(exo_channel_send_descriptor(end, NO_HEADER, large, sizeof(large), first, in_seconds(5)) == EXO_OK);
    CHECK(exo_channel_send_descriptor(end, &urgent, "x", 1, second, in_seconds(5)) == EXO_OK);
    CHECK(exo_channel_send_descriptor(end, &urgent, "x", 1, -1, in_seconds(5)) == EXO_INVALID_ARGUMENT);
    (void)close(first);
    (void)close(second);
    while (exo_channel_recv_blocking(&end->channel, &message, in_seconds(5)) == EXO_OK) {
        int answer = descriptor_of("answer");
        CHECK(message.header.msg_type == EXO_MESSAGE_REQUEST);
        CHECK(exo_reply_descriptor(end, &message.header, "a", 1, answer, in_seconds(5)) == EXO_OK);
        CHECK(exo_reply_descriptor(end, &message.header, "a", 1, answer, in_seconds(5)) == EXO_NOT_FOUND);
        (void)close(answer);
        CHECK(exo_channel_release(&end->channel, &message) == EXO_OK);
    }
}

static void descriptors_come_along_with_messages_and_answers(void **state)
{
    static struct exo_channel_end end;
    struct talk talk = {.body = gives_descriptors};
    struct held before = count_held();
    struct exo_message message[2];
    struct exo_call call;
    int got = -1;
    exo_u32 i;
    pid_t child;
    (void)state;
    child = open_with_child(&talk, &end);
    for (i = 0; i < 20; i++) {
        assert_int_equal(exo_call_send(&end.channel, &call, NO_HEADER, "?", 1, EXO_FOREVER), EXO_OK);
        assert_int_equal(exo_call_wait(&end.channel, &call), EXO_OK);
        assert_int_equal(exo_channel_take_descriptor(&end, &call.answer, &got, in_seconds(5)), EXO_OK);
        assert_true(reads(got, "answer"));
        assert_int_equal(exo_call_release(&end.channel, &call), EXO_OK);
    }
    assert_int_equal(exo_channel_recv(&end.channel, &message[0]), EXO_OK); /* both are there by now */
    assert_int_equal(exo_channel_recv(&end.channel, &message[1]), EXO_OK);
    assert_int_equal(exo_message_size(&message[0]), 1);
    assert_int_equal(exo_message_size(&message[1]), 3000);
    assert_int_equal(exo_channel_take_descriptor(&end, &message[0], &got, in_seconds(5)), EXO_OK);
    assert_true(reads(got, "urgent"));
    assert_int_equal(exo_channel_take_descriptor(&end, &message[1], &got, in_seconds(5)), EXO_OK);
    assert_true(reads(got, "ordinary"));
    message[0].header.flags = 0;
    assert_int_equal(exo_channel_take_descriptor(&end, &message[0], &got, EXO_NOW), EXO_NOT_FOUND);
    assert_int_equal(exo_channel_release(&end.channel, &message[0]), EXO_OK);
    assert_int_equal(exo_channel_release(&end.channel, &message[1]), EXO_OK);
    assert_int_equal(exo_channel_finish(&end.channel), EXO_OK);
    assert_int_equal(join_child(child), 0);
    exo_channel_end_close(&end);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(both_sides_sleep_in_poll),
        CLAIM(a_death_makes_the_descriptor_readable),
        CLAIM(descriptors_come_along_with_messages_and_answers),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
