/* SPDX-License-Identifier: MIT */
/*
 * Senders that are killed at any instant while one receiver takes from all of them through a fan-in. Each one's stream is
 * a gapless prefix of what it would have sent, its death is told once and soon, the others do not notice, and the next
 * sender takes the free place.
 */
#include "sources.h"

#define LANES 5u
#define KILLS ROUNDS(500u)
#define LIFE_US 6000u /* at most */

/* What the next child is to do. */
struct orders {
    struct source *source;
    struct exo_channel_config config;
    exo_u32 life_us;
    exo_u32 most; /* messages; then it sleeps */
    exo_u32 pause_us;
    struct source *all; /* whose sockets it has to close */
};

static void die_after(struct source_note *note, exo_u32 us)
{
    struct sigevent event;
    struct itimerspec at;
    timer_t timer;
    exo_u64 when = exo_port_now_ns() + (exo_u64)us * 1000;
    memset(&event, 0, sizeof(event));
    memset(&at, 0, sizeof(at));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    at.it_value.tv_sec = (time_t)(when / SECOND_NS);
    at.it_value.tv_nsec = (long)(when % SECOND_NS);
    exo_store64(&note->kill_ns, when, EXO_RELEASE);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0);
}

static void sends_until_killed(void *argument)
{
    static struct exo_channel_end end;
    const struct orders *orders = (const struct orders *)argument;
    struct source_note *note = orders->source->note;
    exo_u32 i;
    for (i = 0; i < LANES; i++) {
        (void)close(orders->all[i].sockets[0]);
    }
    source_opens(orders->source, &end, &orders->config);
    die_after(note, orders->life_us);
    for (i = 0; i < orders->most; i++) {
        CHECK(source_send(&end.channel, i, EXO_FOREVER) == EXO_OK);
        exo_store64(&note->sent, i + 1, EXO_RELEASE);
        if (orders->pause_us != 0) {
            sleep_us(orders->pause_us);
        }
    }
    for (;;) {
        (void)pause();
    }
}

/* When the receiver did not look at its lanes, for it was burying senders and making new ones: that is no part of how late
 * it learns of the next death, and on a slow machine most of it. */
static struct {
    exo_u32 count;
    exo_u64 begin_ns[1100];
    exo_u64 end_ns[1100];
} away;

static void look_away(void)
{
    assert_true(away.count < COUNT(away.begin_ns));
    away.begin_ns[away.count] = exo_port_now_ns();
}

static void look_again(void)
{
    away.end_ns[away.count++] = exo_port_now_ns();
}

/* How long the receiver has been looking since a kill, but for what the machine was late. */
static exo_u64 looked_between(exo_u64 killed_ns, exo_u64 until)
{
    exo_u64 looked = 0;
    exo_u32 i;
    for (i = away.count; i > 0 && away.end_ns[i - 1] > killed_ns; i--) {
        looked += passed_between(away.end_ns[i - 1], until);
        until = away.begin_ns[i - 1];
    }
    return until > killed_ns ? looked + passed_between(killed_ns, until) : looked;
}

/* A new sender in this place, added to the fan-in. */
static void start_source(struct exo_fanin *fanin, struct source *sources, exo_u32 i, exo_u64 *seed, exo_u32 number)
{
    struct source *source = &sources[i];
    struct orders orders;
    memset(&orders, 0, sizeof(orders));
    orders.source = source;
    orders.all = sources;
    orders.config = source_config(number % 2 != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE, number % 4 < 2 ? 0 : NEAR_WRAP);
    orders.life_us = random_below(seed, LIFE_US);
    orders.most = number % 3 == 0 ? random_below(seed, 4) : 0x7FFFFFFFu; /* some are silent when they die */
    orders.pause_us = number % 5 < 3 ? 0 : 100;
    source->got = 0;
    source->note->sent = 0;
    source->note->kill_ns = 0;
    assert_int_equal(exo_pair(source->sockets), EXO_OK);
    source->child = start_child(sends_until_killed, &orders);
    assert_int_equal(close(source->sockets[1]), 0);
    assert_int_equal(exo_channel_open(&source->end, source->sockets[0], &orders.config, in_seconds(20)), EXO_OK);
    assert_int_equal(exo_fanin_add(fanin, &source->end.channel, i), EXO_OK);
}

/* The lane has said that its sender is dead: how soon, and what must have come. */
static void bury_source(struct source *source, struct death_times *times)
{
    exo_u64 now = exo_port_now_ns();
    exo_u64 killed = exo_load64(&source->note->kill_ns, EXO_ACQUIRE);
    exo_u64 sent;
    assert_true(killed != 0 && now >= killed); /* never before the kill */
    assert_true(times->count < COUNT(times->us));
    times->us[times->count++] = (exo_u32)(looked_between(killed, now) / 1000);
    assert_int_equal(join_child(source->child), -SIGKILL);
    sent = exo_load64(&source->note->sent, EXO_ACQUIRE);
    assert_true(source->got >= sent);
    assert_true(source->got <= sent + 1);
    exo_channel_end_close(&source->end);
    source->sockets[0] = -1;
}

static void each_killed_senders_stream_is_a_gapless_prefix(void **state)
{
    static struct source sources[LANES];
    static struct death_times times;
    struct held before = count_held();
    struct exo_fanin_lane places[LANES];
    struct exo_fanin fanin;
    exo_u64 messages = 0;
    exo_u64 seed = 11;
    exo_u32 started = 0;
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_fanin_init(&fanin, places, LANES), EXO_OK);
    for (i = 0; i < LANES; i++) {
        sources[i].note = (struct source_note *)shared_page(sizeof(struct source_note));
        sources[i].sockets[0] = -1;
    }
    look_away();
    for (i = 0; i < LANES; i++) {
        start_source(&fanin, sources, i, &seed, started++);
    }
    look_again();
    while (exo_fanin_count(&fanin) != 0) {
        struct exo_message message;
        struct exo_fanin_from from;
        exo_u64 age;
        exo_status status = exo_fanin_recv_blocking(&fanin, &message, &from, in_seconds(10));
        assert_true(status == EXO_OK || status == EXO_PEER_DIED);
        assert_true(from.key < LANES);
        if (status == EXO_OK) {
            assert_true(source_heard(&sources[from.key], &message, &age));
            messages++;
            continue;
        }
        look_away();
        bury_source(&sources[from.key], &times);
        /* Who is killed before a busy machine has let him send much is no stream: then more of them. */
        if (started < KILLS || (messages <= 10 * KILLS && started < COUNT(times.us))) {
            start_source(&fanin, sources, (exo_u32)from.key, &seed, started++);
        }
        look_again();
    }
    assert_int_equal(times.count, started);
    assert_true(messages > 10 * KILLS);
    assert_deaths_known_in_time(&times, "fan-in");
    (void)printf("figure: fan-in %u senders killed, %llu messages, each stream gapless\n", times.count,
                 (unsigned long long)messages);
    for (i = 0; i < LANES; i++) {
        (void)munmap(sources[i].note, sizeof(struct source_note));
    }
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(each_killed_senders_stream_is_a_gapless_prefix),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
