/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels between processes: a server that echoes, and is killed at a random instant with operations in flight.
 * All of them complete in time, and what came back is what was sent, from the beginning and without a gap.
 */
#include "kill_fixture.h"

#define NO_HEADER ((const struct exo_message_header *)NULL)
#define SENDS 48u
#define RECEIVES 40u
#define CALLS 20u
#define OPS (SENDS + RECEIVES + CALLS)

struct server {
    int sockets[2];
    struct kill_page *page;
    const struct exo_channel_config *config;
    exo_bool mute; /* it takes nothing, and sleeps */
};

struct client {
    struct exo_channel_end end;
    struct exo_async async;
    struct exo_op op[OPS];
    exo_u64 number[OPS]; /* payloads */
    exo_u64 sent;        /* numbers given away */
    exo_u64 accepted;    /* sends that completed with EXO_OK */
    exo_u64 received;    /* numbers received */
    exo_u64 calls;       /* answers received */
    exo_u32 over;        /* operations that ended for good */
};

/* Sends every message back, and answers every request with its number. */
static void echo_until_killed(void *argument)
{
    const struct server *server = (const struct server *)argument;
    static struct exo_channel_end end;
    struct exo_message message;
    (void)close(server->sockets[0]);
    CHECK(exo_channel_open(&end, server->sockets[1], server->config, in_seconds(10)) == EXO_OK);
    exo_store32(&server->page->ready, 1, EXO_RELEASE);
    while (server->mute) {
        (void)pause();
    }
    for (;;) {
        const void *data;
        CHECK(exo_channel_recv_blocking(&end.channel, &message, EXO_FOREVER) == EXO_OK);
        data = exo_message_payload(&message);
        if (message.header.msg_type == EXO_MESSAGE_REQUEST) {
            CHECK(exo_reply_blocking(&end.channel, &message.header, data, exo_message_size(&message), EXO_FOREVER) ==
                  EXO_OK);
        } else {
            CHECK(exo_channel_send_blocking(&end.channel, NO_HEADER, data, exo_message_size(&message), EXO_FOREVER) ==
                  EXO_OK);
        }
        CHECK(exo_channel_release(&end.channel, &message) == EXO_OK);
    }
}

/* The first are sends, then receives, then calls. */
static void submit(struct client *client, exo_u32 i)
{
    struct exo_op *op = &client->op[i];
    exo_status status;
    if (i < SENDS) {
        client->number[i] = client->sent++;
        status = exo_async_submit_send(&client->async, op, NO_HEADER, &client->number[i], sizeof(exo_u64), EXO_FOREVER);
    } else if (i < SENDS + RECEIVES) {
        status = exo_async_submit_recv(&client->async, op, EXO_FOREVER);
    } else {
        client->number[i] = i;
        status = exo_async_submit_call(&client->async, op, NO_HEADER, &client->number[i], sizeof(exo_u64), EXO_FOREVER);
    }
    assert_int_equal(status, EXO_OK);
}

static void take(struct client *client, struct exo_op *op)
{
    exo_u32 i = (exo_u32)op->key;
    exo_u64 number = ~0ull;
    if (op->status != EXO_OK) {
        assert_int_equal(op->status, EXO_PEER_DIED);
        client->over++;
        return;
    }
    if (i < SENDS) {
        client->accepted++;
        submit(client, i);
        return;
    }
    assert_int_equal(exo_message_size(exo_op_message(op)), sizeof(number));
    memcpy(&number, exo_message_payload(exo_op_message(op)), sizeof(number));
    assert_int_equal(exo_op_release(&client->async, op), EXO_OK);
    if (i < SENDS + RECEIVES) {
        assert_int_equal(number, client->received); /* a prefix, without a gap */
        client->received++;
    } else {
        assert_int_equal(number, i);
        client->calls++;
    }
    submit(client, i);
}

static void serve_and_kill(struct client *client, struct kill_page *page, exo_u32 profile, exo_u32 delay_us,
                           exo_bool mute, struct death_times *times)
{
    struct exo_channel_config config = {0};
    struct server server = {.page = page, .config = &config, .mute = mute};
    struct kill_order order = {.page = page, .delay_us = delay_us, .asleep = mute,
                               .survivor = getpid()};
    struct exo_op *op;
    pid_t child;
    pid_t killer;
    exo_u32 i;
    memset(client, 0, sizeof(*client));
    config.ring.profile = profile;
    config.ring.start = delay_us % 2 == 0 ? 0 : NEAR_WRAP;
    config.ring.slots = 16;
    config.calls = 8;
    kill_page_reset(page);
    assert_int_equal(exo_pair(server.sockets), EXO_OK);
    child = start_child(echo_until_killed, &server);
    (void)close(server.sockets[1]);
    assert_int_equal(exo_channel_open(&client->end, server.sockets[0], &config, in_seconds(10)), EXO_OK);
    exo_async_init(&client->async, &client->end.channel);
    order.victim = child;
    killer = start_child(killer_body, &order);
    for (i = 0; i < OPS; i++) {
        exo_op_init(&client->op[i], i);
        submit(client, i);
    }
    while (client->over < OPS) {
        assert_int_equal(exo_async_wait(&client->async, in_seconds(20)), EXO_OK);
        while ((op = exo_async_next(&client->async)) != NULL) {
            take(client, op);
        }
    }
    note_death(times, page);
    assert_int_equal(client->async.pending, 0);
    assert_int_equal(exo_async_wait(&client->async, EXO_FOREVER), EXO_EMPTY);
    assert_int_equal(client->end.channel.unanswered, 0);
    assert_true(client->received <= client->accepted && client->accepted <= client->sent);
    assert_int_equal(join_child(killer), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    exo_async_close(&client->async);
    exo_channel_end_close(&client->end);
}

static void all_that_is_in_flight_ends_when_a_busy_peer_is_killed(void **state)
{
    static struct client client;
    static struct death_times times;
    struct kill_page *page = kill_page_new();
    struct held before = count_held();
    exo_u64 seed = 1;
    exo_u64 received = 0;
    exo_u64 calls = 0;
    exo_u32 round;
    (void)state;
    times.count = 0;
    for (round = 0; round < ROUNDS(60); round++) {
        serve_and_kill(&client, page, round % 2 == 0 ? EXO_CRASH_SAFE : EXO_HOSTILE, random_below(&seed, 4000),
                       EXO_FALSE, &times);
        received += client.received;
        calls += client.calls;
    }
    assert_true(received > 0 && calls > 0);
    print_message("             %llu messages and %llu answers came back\n", (unsigned long long)received,
                  (unsigned long long)calls);
    assert_deaths_known_in_time(&times, "busy");
    assert_held(before);
}

/* Nothing moves any more: the lane is full, no call is answered, nothing comes, and the owner sleeps. */
static void all_that_is_in_flight_ends_when_a_silent_peer_is_killed(void **state)
{
    static struct client client;
    static struct death_times times;
    struct kill_page *page = kill_page_new();
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    times.count = 0;
    for (round = 0; round < ROUNDS(20); round++) {
        serve_and_kill(&client, page, round % 2 == 0 ? EXO_CRASH_SAFE : EXO_HOSTILE, round, EXO_TRUE, &times);
        assert_int_equal(client.received, 0);
        assert_int_equal(client.calls, 0);
        assert_true(client.accepted >= 8 && client.accepted <= 16); /* what the lane holds */
    }
    assert_deaths_known_in_time(&times, "silent");
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(all_that_is_in_flight_ends_when_a_busy_peer_is_killed),
        CLAIM(all_that_is_in_flight_ends_when_a_silent_peer_is_killed),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
