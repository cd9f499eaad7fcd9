/* SPDX-License-Identifier: MIT */
/* How clients reach each other by the daemon: a wait that ends when something arrives, and sockets for the sides of a channel. */
#include "children.h"

static void waits_for_word(struct child *child)
{
    struct exo_sys_event event;
    exo_u64 channel = 0;
    exo_u64 queue = 0;
    exo_u64 source = 0;
    exo_i64 got;
    CHECK(exo_sys_queue_create(&child->client.door, 8, &queue) == EXO_OK);
    CHECK(exo_sys_wait(&child->client.door, queue, &event, 1, in_ms(20)) == EXO_TIMEOUT);
    CHECK(exo_sys_channel_create(&child->client.door, "word", 4, EXO_PERMS(BOTH, 0), 0, 0, &channel) == EXO_OK);
    CHECK(exo_sys_queue_bind(&child->client.door, queue, channel, 9, EXO_READABLE, &source) == EXO_OK);
    says(child, 1);
    got = exo_sys_wait(&child->client.door, queue, &event, 1, EXO_FOREVER);
    CHECK(got == 1 && event.key == 9 && event.events == EXO_READABLE);
    CHECK(exo_sys_wait(&child->client.door, queue, &event, 1, in_ms(20)) == EXO_TIMEOUT);
    exo_client_close(&child->client);
}

/* Wait until the daemon has so many that wait. */
static void until_waiting(struct exo_client *client, exo_u64 count)
{
    exo_u64 end = in_seconds(20);
    while (report_of(client).waiting != count) {
        assert_true(exo_port_now_ns() < end);
        sleep_us(200);
    }
}

static void a_waiter_is_woken_by_what_arrives(void **state)
{
    static struct exo_client client;
    exo_u64 peer = 0;
    struct child *child;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    child = begins(0, waits_for_word);
    assert_true(page_says(&child->page[0], 1));
    until_waiting(&client, 1);
    assert_int_equal(exo_sys_channel_open(&client.door, "word", 4, BOTH, &peer), EXO_OK);
    assert_int_equal(exo_sys_channel_send(&client.door, peer, "x", 1), EXO_OK);
    assert_int_equal(join_child(child->pid), 0);
    assert_int_equal(exo_sys_close(&client.door, peer), EXO_OK);
    assert_true(becomes_bare(&client));
    exo_client_close(&client);
}

static void waits_as_a_guest(struct child *child)
{
    struct exo_sys_event event;
    exo_u64 number = 0;
    exo_u64 handle;
    CHECK(exo_sys_self(&child->client.door, &number) == EXO_OK);
    memcpy(&child->page[2], &number, sizeof(number));
    says(child, 1);
    CHECK(page_says(&child->page[1], 1));
    memcpy(&handle, &child->page[4], sizeof(handle));
    CHECK(exo_sys_wait(&child->client.door, handle, &event, 1, EXO_FOREVER) == 1 && event.key == 5);
    CHECK(exo_sys_wait(&child->client.door, handle, &event, 1, EXO_FOREVER) == EXO_NOT_FOUND);
}

/* A queue that was granted wakes whoever waits at it, also when it is revoked. */
static void a_guest_at_a_queue_is_woken_and_sent_away(void **state)
{
    static struct exo_client client;
    struct child *child;
    exo_u64 number = 0;
    exo_u64 queue = 0;
    exo_u64 source = 0;
    exo_u64 theirs = 0;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    child = begins(0, waits_as_a_guest);
    assert_true(page_says(&child->page[0], 1));
    memcpy(&number, &child->page[2], sizeof(number));
    assert_int_equal(exo_sys_queue_create(&client.door, 8, &queue), EXO_OK);
    assert_int_equal(exo_sys_queue_bind(&client.door, queue, 0, 5, EXO_USER_EVENT, &source), EXO_OK);
    assert_int_equal(exo_sys_grant(&client.door, queue, number, EXO_RIGHT_RECEIVE, &theirs), EXO_OK);
    memcpy(&child->page[4], &theirs, sizeof(theirs));
    exo_store32(&child->page[1], 1, EXO_RELEASE);
    until_waiting(&client, 1);
    assert_int_equal(exo_sys_queue_post(&client.door, queue, source, EXO_USER_EVENT), EXO_OK);
    sleep_us(20000);
    until_waiting(&client, 1);
    assert_int_equal(exo_sys_revoke(&client.door, queue, EXO_FALSE, NULL), EXO_OK);
    assert_int_equal(join_child(child->pid), 0);
    exo_client_close(&client);
}

static void waits_once_as_a_guest(struct child *child)
{
    struct exo_sys_event event;
    exo_u64 number = 0;
    exo_u64 handle;
    CHECK(exo_sys_self(&child->client.door, &number) == EXO_OK);
    memcpy(&child->page[2], &number, sizeof(number));
    says(child, 1);
    CHECK(page_says(&child->page[1], 1));
    memcpy(&handle, &child->page[4], sizeof(handle));
    CHECK(exo_sys_wait(&child->client.door, handle, &event, 1, EXO_FOREVER) == 1 && event.key == 5);
    exo_client_close(&child->client);
}

/* Two wait at one queue and one at another: an event is one waiter's, and who got none is told of the next. */
static void each_event_wakes_one_of_those_who_wait_at_its_queue(void **state)
{
    static struct exo_client client;
    struct child *child[3];
    exo_u64 queue[2] = {0, 0};
    exo_u64 source[2] = {0, 0};
    exo_u32 i;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    for (i = 0; i < 2; i++) {
        assert_int_equal(exo_sys_queue_create(&client.door, 8, &queue[i]), EXO_OK);
        assert_int_equal(exo_sys_queue_bind(&client.door, queue[i], 0, 5, EXO_USER_EVENT, &source[i]), EXO_OK);
    }
    for (i = 0; i < 3; i++) {
        exo_u64 number = 0;
        exo_u64 theirs = 0;
        child[i] = begins(i, waits_once_as_a_guest);
        assert_true(page_says(&child[i]->page[0], 1));
        memcpy(&number, &child[i]->page[2], sizeof(number));
        assert_int_equal(exo_sys_grant(&client.door, queue[i / 2], number, EXO_RIGHT_RECEIVE, &theirs), EXO_OK);
        memcpy(&child[i]->page[4], &theirs, sizeof(theirs));
        exo_store32(&child[i]->page[1], 1, EXO_RELEASE);
    }
    until_waiting(&client, 3);
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_sys_queue_post(&client.door, queue[i / 2], source[i / 2], EXO_USER_EVENT), EXO_OK);
        until_waiting(&client, 2 - i);
    }
    for (i = 0; i < 3; i++) {
        assert_int_equal(join_child(child[i]->pid), 0);
    }
    exo_client_close(&client);
}

/* Receive a number; 0 if none comes. */
static exo_u64 hears(struct exo_channel *channel)
{
    struct exo_message message;
    exo_u64 number = 0;
    if (exo_channel_recv_blocking(channel, &message, in_seconds(20)) == EXO_OK) {
        exo_status status;
        memcpy(&number, exo_message_payload(&message), sizeof(number));
        status = exo_channel_release(channel, &message);
        number = status == EXO_OK ? number : 0;
    }
    return number;
}

static void talks_by_a_link(struct child *child)
{
    static struct exo_channel_end end;
    exo_u64 channel = 0;
    exo_u64 number;
    CHECK(exo_sys_channel_open(&child->client.door, "link", 4, BOTH, &channel) == EXO_OK);
    says(child, 1);
    CHECK(exo_client_channel(&child->client, channel, &end, NULL, in_seconds(20)) == EXO_OK);
    number = hears(&end.channel) + 1;
    CHECK(exo_channel_send_blocking(&end.channel, NULL, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
    exo_channel_end_close(&end);
    exo_client_close(&child->client);
}

static void asks_for_a_link_and_dies(struct child *child)
{
    static struct exo_channel_end end;
    exo_u64 channel = 0;
    CHECK(exo_sys_channel_open(&child->client.door, "left", 4, BOTH, &channel) == EXO_OK);
    CHECK(exo_client_channel(&child->client, channel, &end, NULL, in_ms(1)) == EXO_TIMEOUT);
    says(child, 1);
    for (;;) {
        (void)pause();
    }
}

/* Nobody is joined with one that asked and died. */
static void a_link_that_a_dead_client_asked_for_is_forgotten(void **state)
{
    static struct exo_client client;
    static struct exo_channel_end end;
    struct child *child;
    exo_u64 channel = 0;
    exo_u64 deadline = in_seconds(20);
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_int_equal(exo_sys_channel_create(&client.door, "left", 4, EXO_PERMS(BOTH, 0), 0, 0, &channel), EXO_OK);
    child = begins(0, asks_for_a_link_and_dies);
    assert_true(page_says(&child->page[0], 1));
    assert_int_equal(report_of(&client).links, 1);
    assert_int_equal(kill(child->pid, SIGKILL), 0);
    assert_int_equal(join_child(child->pid), -SIGKILL);
    while (report_of(&client).links != 0 && exo_port_now_ns() < deadline) {
        (void)sched_yield();
    }
    assert_int_equal(report_of(&client).links, 0);
    assert_int_not_equal(exo_client_channel(&client, channel, &end, NULL, in_ms(1)), EXO_OK);
    exo_client_close(&client);
}

static void two_sides_of_a_channel_get_a_shared_one(void **state)
{
    static struct exo_client client;
    static struct exo_channel_end end;
    struct child *child;
    exo_u64 channel = 0;
    exo_u64 weak = 0;
    exo_u64 number = 42;
    exo_u32 i;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_int_equal(exo_sys_channel_create(&client.door, "link", 4, EXO_PERMS(BOTH, 0), 0, 0, &channel), EXO_OK);
    assert_int_equal(exo_sys_derive(&client.door, channel, EXO_RIGHT_SEND, &weak), EXO_OK);
    assert_int_equal(exo_client_channel(&client, weak, &end, NULL, in_ms(10)), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_client_channel(&client, 12345, &end, NULL, in_ms(10)), EXO_NOT_FOUND);
    for (i = 0; i < 20; i++) { /* alone; asking again withdraws what was asked before */
        assert_int_equal(exo_client_channel(&client, channel, &end, NULL, in_ms(1)), EXO_TIMEOUT);
        assert_int_equal(report_of(&client).links, 1);
    }
    child = begins(0, talks_by_a_link);
    assert_true(page_says(&child->page[0], 1));
    assert_int_equal(exo_client_channel(&client, channel, &end, NULL, in_seconds(20)), EXO_OK);
    assert_int_equal(end.peer.pid, (exo_u32)child->pid);
    assert_int_equal(exo_channel_send_blocking(&end.channel, NULL, &number, sizeof(number), EXO_FOREVER), EXO_OK);
    assert_int_equal(hears(&end.channel), 43);
    exo_channel_end_close(&end);
    assert_int_equal(join_child(child->pid), 0);
    exo_client_close(&client);
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_true(becomes_bare(&client));
    exo_client_close(&client);
}

static int begin(void **state)
{
    (void)state;
    running_begin(&running, NULL, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    running_end(&running);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_waiter_is_woken_by_what_arrives),
        CLAIM(a_guest_at_a_queue_is_woken_and_sent_away),
        CLAIM(each_event_wakes_one_of_those_who_wait_at_its_queue),
        CLAIM(two_sides_of_a_channel_get_a_shared_one),
        CLAIM(a_link_that_a_dead_client_asked_for_is_forgotten),
    };
    return cmocka_run_group_tests_name("meet", tests, begin, end);
}
