/* SPDX-License-Identifier: MIT */
/*
 * One process waits for eight others: each message is reported for the one that sent it, and so is a death.
 */
#include "kill_fixture.h"

#define CHILDREN 8u

/* A sleeper that looks again after 1 ms, 2 ms, 4 ms, ... does not look for a second now: only the kernel tells it. */
#define LONG_US 1100000u

struct job {
    struct kill_page *page;
    exo_u32 messages;
};

static void sends_some_then_sleeps(struct meeting *meeting)
{
    const struct job *job = (const struct job *)meeting->argument;
    exo_u64 i;
    child_opens(meeting);
    for (i = 0; i < job->messages; i++) {
        CHECK(exo_send_blocking(&meeting->end.tx, &i, sizeof(i), EXO_FOREVER) == EXO_OK);
    }
    (void)exo_fetch_add32(&job->page->ready, 1, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

struct family {
    struct meeting meeting[CHILDREN];
    pid_t child[CHILDREN];
    struct exo_waitable items[CHILDREN];
    struct exo_ring_config config;
    struct job job;
};

static void raise_family(struct family *family, exo_u32 profile, exo_u32 messages)
{
    exo_u32 i;
    memset(family, 0, sizeof(*family));
    family->config.slots = 16;
    family->config.profile = profile;
    family->config.spin = 1;
    family->config.arena_size = EXO_ARENA_NONE;
    family->config.start = NEAR_WRAP;
    family->job.page = kill_page_new();
    family->job.messages = messages;
    for (i = 0; i < CHILDREN; i++) {
        struct meeting *meeting = &family->meeting[i];
        meeting->body = sends_some_then_sleeps;
        meeting->config = &family->config;
        meeting->argument = &family->job;
        family->child[i] = meet(meeting);
        assert_int_equal(parent_opens(meeting, &family->config), EXO_OK);
        exo_waitable_receiver(&family->items[i], &meeting->end.rx);
    }
}

static void bury_family(struct family *family)
{
    exo_u32 i;
    for (i = 0; i < CHILDREN; i++) {
        exo_close(&family->meeting[i].end);
        (void)kill(family->child[i], SIGKILL);
        assert_int_equal(join_child(family->child[i]), -SIGKILL);
    }
    (void)munmap(family->job.page, sizeof(*family->job.page));
}

/* Takes what each of them sent. */
static void take_all(struct family *family)
{
    exo_u32 left = CHILDREN * family->job.messages;
    exo_u64 next[CHILDREN] = {0};
    exo_u64 number = 0;
    exo_u32 i;
    while (left != 0) {
        assert_true(exo_wait_many(family->items, CHILDREN, in_seconds(20)) > 0);
        for (i = 0; i < CHILDREN; i++) {
            if (family->items[i].events != 0) {
                assert_int_equal(family->items[i].events, EXO_READABLE);
                assert_int_equal(exo_recv_inline(&family->meeting[i].end.rx, &number, sizeof(number)), 8);
                assert_int_equal(number, next[i]++);
                left--;
            }
        }
    }
}

static void messages_of_eight_processes_are_all_reported(void **state)
{
    static struct family family;
    struct held before = count_held();
    (void)state;
    raise_family(&family, EXO_CRASH_SAFE, 500);
    take_all(&family);
    assert_int_equal(exo_wait_many(family.items, CHILDREN, EXO_NOW), EXO_WOULD_BLOCK);
    bury_family(&family);
    assert_held(before);
}

/* The parent sleeps in exo_wait_many(), or in exo_notify_wait() where a queue is given, when one child is killed. */
static void lose_one(struct family *family, exo_u32 victim, struct exo_notify *q, struct death_times *times)
{
    struct kill_order order = {.page = family->job.page, .victim = family->child[victim], .asleep = EXO_TRUE,
                               .survivor = getpid(), .delay_us = victim == 0 ? LONG_US : 100};
    struct exo_event event;
    pid_t killer = start_child(killer_body, &order);
    if (q != NULL) {
        assert_int_equal(exo_notify_wait(q, &event, 1, in_seconds(20)), 1);
        note_death(times, family->job.page);
        assert_int_equal(event.key, victim);
        assert_int_equal(event.events, EXO_PEER_GONE);
    } else {
        assert_int_equal(exo_wait_many(family->items, CHILDREN, in_seconds(20)), 1);
        note_death(times, family->job.page);
        assert_int_equal(family->items[victim].events, EXO_PEER_GONE);
        family->items[victim].wanted = 0;
    }
    assert_int_equal(join_child(killer), 0);
}

static void lose_in_turn(exo_bool by_queue, exo_u32 profile, const char *what)
{
    static struct family family;
    static struct exo_notify_source sources[CHILDREN];
    struct exo_notify q;
    struct death_times times = {0, {0}};
    exo_u64 name;
    exo_u32 i;
    raise_family(&family, profile, 1);
    take_all(&family);
    assert_int_equal(exo_notify_init(&q, sources, CHILDREN), EXO_OK);
    for (i = 0; i < CHILDREN; i++) {
        assert_int_equal(exo_notify_add(&q, &family.items[i], i, EXO_READABLE, i % 2, &name), EXO_OK);
    }
    for (i = 0; i < CHILDREN - 1; i++) { /* those that were told must not keep the others from sleeping */
        lose_one(&family, i, by_queue ? &q : NULL, &times);
    }
    exo_notify_fini(&q);
    bury_family(&family);
    qsort(times.us, times.count, sizeof(times.us[0]), compare_times);
    print_message("             %s: deaths known after %u us in the median, %u us at most\n", what,
                  times.us[times.count / 2], times.us[times.count - 1]);
    assert_true(times.us[times.count - 1] <= (DEATH_KNOWN_MS + DEATH_SLACK_MS) * 1000);
}

static void one_death_among_eight_processes_is_known_in_time(void **state)
{
    struct held before = count_held();
    (void)state;
    lose_in_turn(EXO_FALSE, EXO_CRASH_SAFE, "crash-safe, wait_many");
    lose_in_turn(EXO_FALSE, EXO_HOSTILE, "hostile, wait_many");
    assert_held(before);
}

static void one_death_among_eight_processes_is_an_event(void **state)
{
    struct held before = count_held();
    (void)state;
    lose_in_turn(EXO_TRUE, EXO_CRASH_SAFE, "crash-safe, queue");
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(messages_of_eight_processes_are_all_reported),
        CLAIM(one_death_among_eight_processes_is_known_in_time),
        CLAIM(one_death_among_eight_processes_is_an_event),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
