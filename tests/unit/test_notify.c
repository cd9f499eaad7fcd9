/* SPDX-License-Identifier: MIT */
/*
 * The queue of events: its rules, one by one, and with threads that post and sleep.
 */
#include "ring_fixture.h"

#include <unistd.h>

#define SOURCES 40u

static struct exo_notify q;
static struct exo_notify_source sources[SOURCES];
static exo_u64 names[SOURCES];
static struct exo_event event;

static int open_queue(void **state)
{
    (void)state;
    return exo_notify_init(&q, sources, SOURCES) == EXO_OK ? 0 : -1;
}

static void add_posted(exo_u32 count, exo_u32 flags)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        assert_int_equal(exo_notify_add(&q, NULL, 100 + i, EXO_EVENTS_ALL, flags, &names[i]), EXO_OK);
    }
}

static void add_ring(struct fixture *f, exo_u64 key, exo_u32 flags, exo_u64 *name)
{
    const struct exo_ring_config config = plain_config(EXO_SPSC, EXO_THREADS, key % 2 == 0 ? 0 : NEAR_WRAP + 14);
    struct exo_waitable item;
    fixture_open(f, &config);
    exo_waitable_receiver(&item, &f->rx);
    assert_int_equal(exo_notify_add(&q, &item, key, EXO_READABLE | EXO_USER_EVENT, flags, name), EXO_OK);
}

static void assert_next(exo_u64 key, exo_u32 events)
{
    assert_int_equal(exo_notify_next(&q, &event), EXO_OK);
    assert_int_equal(event.key, key);
    assert_int_equal(event.events, events);
}

static void assert_none(void)
{
    assert_int_equal(exo_notify_next(&q, &event), EXO_EMPTY);
}

static void equal_posts_coalesce_and_different_ones_come_together(void **state)
{
    (void)state;
    add_posted(SOURCES, EXO_LEVEL);
    assert_none();
    assert_int_equal(exo_notify_post(&q, names[3], EXO_USER_EVENT), EXO_OK);
    assert_int_equal(exo_notify_post(&q, names[39], EXO_COMPLETION), EXO_OK);
    assert_int_equal(exo_notify_post(&q, names[3], EXO_USER_EVENT), EXO_OK);
    assert_int_equal(exo_notify_post(&q, names[3], EXO_QUOTA_LOW), EXO_OK);
    assert_next(103, EXO_USER_EVENT | EXO_QUOTA_LOW);
    assert_int_equal(event.source, names[3]);
    assert_next(139, EXO_COMPLETION);
    assert_none();
    assert_int_equal(exo_notify_post(&q, names[3], EXO_USER_EVENT), EXO_OK);
    assert_next(103, EXO_USER_EVENT);
    assert_none();
}

static void a_source_too_many_is_over_quota_and_one_twice_exists(void **state)
{
    struct fixture f;
    struct exo_waitable item;
    exo_u64 name = 0;
    (void)state;
    add_ring(&f, 1, EXO_LEVEL, &name);
    exo_waitable_receiver(&item, &f.rx);
    assert_int_equal(exo_notify_add(&q, &item, 2, EXO_READABLE, EXO_EDGE, &name), EXO_ALREADY_EXISTS);
    add_posted(SOURCES - 1, EXO_LEVEL);
    assert_int_equal(exo_notify_add(&q, NULL, 2, 1, EXO_LEVEL, &name), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_notify_remove(&q, names[7]), EXO_OK);
    assert_int_equal(exo_notify_add(&q, NULL, 2, 1, EXO_LEVEL, &name), EXO_OK);
    assert_int_equal(exo_notify_add(&q, NULL, 2, 1, 4, &name), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_notify_add(&q, NULL, 2, 0x80000000u, 0, &name), EXO_INVALID_ARGUMENT);
    exo_notify_fini(&q);
    fixture_close(&f);
}

static void a_removed_source_gets_nothing_and_its_heir_not_its_events(void **state)
{
    exo_u64 heir = 0;
    (void)state;
    add_posted(2, EXO_LEVEL);
    assert_int_equal(exo_notify_post(&q, names[0], EXO_USER_EVENT), EXO_OK);
    assert_int_equal(exo_notify_remove(&q, names[0]), EXO_OK);
    assert_int_equal(exo_notify_remove(&q, names[0]), EXO_NOT_FOUND);
    assert_int_equal(exo_notify_post(&q, names[0], EXO_USER_EVENT), EXO_NOT_FOUND);
    assert_int_equal(exo_notify_post(&q, 0, EXO_USER_EVENT), EXO_NOT_FOUND);
    assert_int_equal(exo_notify_add(&q, NULL, 9, EXO_EVENTS_ALL, EXO_LEVEL, &heir), EXO_OK);
    assert_int_not_equal(heir, names[0]);
    assert_none();
    assert_int_equal(exo_notify_post(&q, names[0], EXO_USER_EVENT), EXO_NOT_FOUND);
    assert_int_equal(exo_notify_post(&q, heir, EXO_COMPLETION), EXO_OK);
    assert_next(9, EXO_COMPLETION);
    assert_none();
}

static void what_is_not_wanted_is_dropped(void **state)
{
    exo_u64 name = 0;
    (void)state;
    assert_int_equal(exo_notify_add(&q, NULL, 1, EXO_COMPLETION, EXO_LEVEL, &name), EXO_OK);
    assert_int_equal(exo_notify_post(&q, name, EXO_USER_EVENT), EXO_OK);
    assert_none();
    assert_int_equal(exo_notify_post(&q, name, EXO_USER_EVENT | EXO_COMPLETION), EXO_OK);
    assert_next(1, EXO_COMPLETION);
}

static void a_level_is_told_until_it_is_gone(void **state)
{
    struct fixture f;
    exo_u64 name = 0;
    exo_u32 i;
    (void)state;
    add_ring(&f, 5, EXO_LEVEL, &name);
    assert_none();
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    for (i = 0; i < 5; i++) {
        assert_next(5, EXO_READABLE);
    }
    assert_int_equal(recv_number(&f.rx), 1);
    assert_none();
    exo_notify_fini(&q);
    fixture_close(&f);
}

static void an_edge_is_told_once_and_again_for_what_comes_later(void **state)
{
    struct fixture f;
    exo_u64 name = 0;
    exo_u32 i;
    (void)state;
    add_ring(&f, 5, EXO_EDGE, &name);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_next(5, EXO_READABLE);
    assert_none();
    assert_int_equal(recv_number(&f.rx), 1);
    assert_none(); /* the second was there when the event was told */
    assert_int_equal(send_number(&f.tx, 3), EXO_OK);
    assert_next(5, EXO_READABLE); /* though the second was not taken */
    assert_none();
    for (i = 2; i < 4; i++) {
        assert_int_equal(recv_number(&f.rx), i);
    }
    /* Drained and refilled between two looks: the queue has never seen it empty. */
    assert_int_equal(send_number(&f.tx, 4), EXO_OK);
    assert_next(5, EXO_READABLE);
    assert_int_equal(recv_number(&f.rx), 4);
    assert_none();
    exo_notify_fini(&q);
    fixture_close(&f);
}

static void a_one_shot_keeps_what_is_posted_until_it_is_armed(void **state)
{
    (void)state;
    add_posted(1, EXO_ONESHOT);
    assert_int_equal(exo_notify_post(&q, names[0], EXO_USER_EVENT), EXO_OK);
    assert_next(100, EXO_USER_EVENT);
    assert_int_equal(exo_notify_post(&q, names[0], EXO_COMPLETION), EXO_OK);
    assert_none();
    assert_int_equal(exo_notify_arm(&q, names[0], EXO_EVENTS_ALL, EXO_ONESHOT), EXO_OK);
    assert_next(100, EXO_COMPLETION);
    assert_none();
}

static void an_end_is_told_once_after_the_last_message(void **state)
{
    struct fixture f;
    exo_u64 name = 0;
    (void)state;
    add_ring(&f, 5, EXO_LEVEL, &name);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_next(5, EXO_READABLE);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_next(5, EXO_PEER_CLOSED);
    assert_none();
    assert_int_equal(exo_notify_wait(&q, &event, 1, exo_port_now_ns() + 1000000), EXO_TIMEOUT);
    exo_notify_fini(&q);
    fixture_close(&f);
}

static void a_busy_source_starves_no_other(void **state)
{
    struct fixture f[3];
    exo_u64 name = 0;
    exo_u32 seen[3] = {0, 0, 0};
    exo_u32 posted = 0;
    exo_u32 i;
    (void)state;
    for (i = 0; i < 3; i++) {
        add_ring(&f[i], i, EXO_LEVEL, &name);
        assert_int_equal(send_number(&f[i].tx, 1), EXO_OK);
    }
    add_posted(1, EXO_LEVEL);
    for (i = 0; i < 60; i++) {
        assert_int_equal(exo_notify_post(&q, names[0], EXO_USER_EVENT), EXO_OK);
        assert_int_equal(exo_notify_next(&q, &event), EXO_OK);
        if (event.key < 3) {
            seen[event.key]++;
        } else {
            posted++;
        }
    }
    assert_int_equal(posted, 30);
    for (i = 0; i < 3; i++) {
        assert_int_equal(seen[i], 10);
        fixture_close(&f[i]);
    }
}

static void queues_nest_but_not_in_each_other(void **state)
{
    static struct exo_notify outer;
    static struct exo_notify third;
    static struct exo_notify_source outer_sources[2];
    static struct exo_notify_source third_source;
    struct exo_waitable item;
    struct fixture f;
    exo_u64 name = 0;
    exo_u64 ring = 0;
    (void)state;
    assert_int_equal(exo_notify_init(&outer, outer_sources, 2), EXO_OK);
    add_ring(&f, 5, EXO_LEVEL, &ring);
    exo_waitable_notify(&item, &outer);
    assert_int_equal(exo_notify_add(&outer, &item, 1, EXO_READABLE, EXO_LEVEL, &name), EXO_NOT_SUPPORTED);
    exo_waitable_notify(&item, &q);
    assert_int_equal(exo_notify_add(&outer, &item, 1, EXO_READABLE, EXO_LEVEL, &name), EXO_OK);
    exo_waitable_notify(&item, &outer);
    assert_int_equal(exo_notify_add(&q, &item, 1, EXO_READABLE, EXO_LEVEL, &name), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_notify_init(&third, &third_source, 1), EXO_OK);
    exo_waitable_notify(&item, &third); /* would be a third storey */
    assert_int_equal(exo_notify_add(&q, &item, 1, EXO_READABLE, EXO_LEVEL, &name), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_notify_wait(&outer, &event, 1, exo_port_now_ns() + 1000000), EXO_TIMEOUT);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(exo_notify_wait(&outer, &event, 1, EXO_FOREVER), 1);
    assert_int_equal(event.key, 1);
    assert_next(5, EXO_READABLE);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(exo_notify_next(&outer, &event), EXO_EMPTY);
    exo_notify_fini(&outer);
    exo_notify_fini(&q);
    fixture_close(&f);
}

struct waiting {
    struct sleeping_thread thread;
    struct exo_event got;
};

static void *wait_for_events(void *argument)
{
    struct waiting *self = (struct waiting *)argument;
    thread_started(&self->thread);
    self->thread.result = exo_notify_wait(&q, &self->got, 1, in_seconds(10));
    return NULL;
}

static void a_sleeper_is_woken_by_a_post_and_by_a_message(void **state)
{
    struct fixture f;
    exo_u64 name = 0;
    exo_u32 turn;
    (void)state;
    add_ring(&f, 5, EXO_EDGE, &name);
    add_posted(3, EXO_LEVEL);
    for (turn = 0; turn < 8; turn++) {
        struct waiting waiting;
        memset(&waiting, 0, sizeof(waiting));
        thread_start(&waiting.thread, wait_for_events);
        assert_true(fell_asleep(&waiting.thread, &q.waiters));
        if (turn % 2 == 0) {
            assert_int_equal(exo_notify_post(&q, names[2], EXO_USER_EVENT), EXO_OK);
        } else {
            assert_int_equal(send_number(&f.tx, turn), EXO_OK);
        }
        assert_int_equal(thread_join(&waiting.thread), 1);
        assert_int_equal(waiting.got.key, turn % 2 == 0 ? 102 : 5);
        assert_int_equal(recv_number(&f.rx), turn % 2 == 0 ? EXO_EMPTY : (int)turn);
    }
    exo_notify_fini(&q);
    fixture_close(&f);
}

#define POSTERS 3u
#define POSTS 20000u

static exo_u32 posted_last[SOURCES];

static void *post_often(void *argument)
{
    exo_u32 mine = (exo_u32)(exo_uptr)argument;
    exo_u32 i;
    for (i = 1; i <= POSTS; i++) {
        exo_store32(&posted_last[mine], i, EXO_RELAXED);
        if (exo_notify_post(&q, names[mine * 16], EXO_USER_EVENT) != EXO_OK) {
            return argument;
        }
    }
    return NULL;
}

/* Each poster counts, and posts; when its last event has come its last count is seen. */
static void no_post_of_many_threads_is_lost(void **state)
{
    pthread_t thread[POSTERS];
    exo_u32 seen[POSTERS] = {0, 0, 0};
    exo_u32 i;
    (void)state;
    add_posted(SOURCES, EXO_LEVEL);
    for (i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, post_often, (void *)(exo_uptr)i), 0);
    }
    while (seen[0] + seen[1] + seen[2] < POSTERS * POSTS) {
        assert_int_equal(exo_notify_wait(&q, &event, 1, in_seconds(10)), 1);
        i = (exo_u32)(event.key - 100) / 16;
        assert_true(i < POSTERS && event.events == EXO_USER_EVENT);
        seen[i] = exo_load32(&posted_last[i], EXO_RELAXED);
    }
    for (i = 0; i < POSTERS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
}

#define TEST(claim) cmocka_unit_test_setup(claim, open_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_posts_coalesce_and_different_ones_come_together),
        TEST(a_source_too_many_is_over_quota_and_one_twice_exists),
        TEST(a_removed_source_gets_nothing_and_its_heir_not_its_events),
        TEST(what_is_not_wanted_is_dropped),
        TEST(a_level_is_told_until_it_is_gone),
        TEST(an_edge_is_told_once_and_again_for_what_comes_later),
        TEST(a_one_shot_keeps_what_is_posted_until_it_is_armed),
        TEST(an_end_is_told_once_after_the_last_message),
        TEST(a_busy_source_starves_no_other),
        TEST(queues_nest_but_not_in_each_other),
        TEST(a_sleeper_is_woken_by_a_post_and_by_a_message),
        TEST(no_post_of_many_threads_is_lost),
    };
    (void)alarm(100); /* a call that never returns fails */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
