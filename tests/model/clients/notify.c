/* SPDX-License-Identifier: MIT */
/*
 * A queue of events. What is posted is delivered, with what was written before it; what arrives in a ring is an event or
 * is seen by whoever drains; nobody sleeps beside either.
 */
#include "../client.h"

#include <string.h>

#define SOURCES 33u /* one more than a group has */
#define LAST (SOURCES - 1)

static struct {
    exo_u8 memory[4096] __attribute__((aligned(128)));
    struct exo_ring ring;
    struct exo_sender tx;
    struct exo_receiver rx;
    struct exo_notify q;
    struct exo_notify_source sources[SOURCES];
    exo_u64 name[SOURCES];
    exo_u64 payload[CLIENT_THREADS + 1];
    exo_u32 got[SOURCES];   /* events delivered, by key */
    exo_u32 count[SOURCES]; /* how often */
    exo_u32 sent;
    exo_u32 taken;
    exo_u32 refused;
} s;

/* Sources 0, 1 and the last one are posted to. */
static void setup_posts(void)
{
    exo_u32 i;
    memset(&s, 0, sizeof(s));
    client_check(exo_notify_init(&s.q, s.sources, SOURCES) == EXO_OK);
    s.q.sleeper.spin = 0; /* who spins is not run until something changes, and would never come to sleep */
    for (i = 0; i < SOURCES; i++) {
        client_check(exo_notify_add(&s.q, NULL, i, EXO_EVENTS_ALL, EXO_LEVEL, &s.name[i]) == EXO_OK);
    }
    client_names("queue", &s.q, sizeof(s.q));
    client_names("sources", s.sources, sizeof(s.sources));
}

static void setup_ring(void)
{
    struct exo_ring_config config = {0};
    struct exo_waitable item;
    memset(&s, 0, sizeof(s));
    config.slots = 4;
    config.arena_size = EXO_ARENA_NONE;
    config.start = 0xFFFFFFFEull;
    config.spin = 1;
    client_check(exo_ring_init(&s.ring, &config, s.memory, sizeof(s.memory)) == EXO_OK);
    client_check(exo_ring_sender(&s.ring, &s.tx) == EXO_OK);
    client_acts_as(3);
    client_check(exo_ring_receiver(&s.ring, &s.rx) == EXO_OK);
    client_check(exo_notify_init(&s.q, s.sources, 2) == EXO_OK);
    s.q.sleeper.spin = 0;
    exo_waitable_receiver(&item, &s.rx);
    client_check(exo_notify_add(&s.q, &item, 0, EXO_READABLE | EXO_USER_EVENT, client_now->param, &s.name[0]) == EXO_OK);
    client_check(exo_notify_add(&s.q, NULL, 1, EXO_EVENTS_ALL, EXO_LEVEL, &s.name[1]) == EXO_OK);
    client_names("queue", &s.q, sizeof(s.q));
    client_names("sources", s.sources, sizeof(s.sources));
    client_names("ring", s.memory, sizeof(s.memory));
    client_acts_as(1);
}

/* Thread t posts the event t, after it has written. */
static void post(exo_u32 source)
{
    exo_u32 self = client_self();
    client_write(&s.payload[self], self);
    client_check(exo_notify_post(&s.q, s.name[source], 1u << self) == EXO_OK);
}

static void post_first(void)
{
    post(0);
}

static void post_own(void)
{
    post(client_self() == 1 ? 0 : LAST);
}

static void post_pair(void)
{
    exo_u32 self = client_self();
    post(0);
    client_check(exo_notify_post(&s.q, s.name[1], 1u << self) == EXO_OK);
}

static void note(const struct exo_event *event)
{
    exo_u32 t;
    client_check(event->key < SOURCES && event->source == s.name[event->key]);
    for (t = 1; t <= CLIENT_THREADS; t++) {
        if ((event->events >> t & 1u) != 0) {
            client_check(client_read(&s.payload[t]) == t);
        }
    }
    s.got[event->key] |= event->events;
    s.count[event->key]++;
}

static exo_u32 all_got(void)
{
    return s.got[0] | s.got[1] << 8 | s.got[LAST] << 16;
}

/* Polls until these events have been delivered. */
static void poll_for(exo_u32 wanted)
{
    struct exo_event event;
    while (all_got() != wanted) {
        exo_status status = exo_notify_next(&s.q, &event);
        client_check(status == EXO_OK || status == EXO_EMPTY);
        if (status == EXO_OK) {
            note(&event);
        } else {
            exo_cpu_relax();
        }
    }
}

static void sleep_for(exo_u32 wanted)
{
    struct exo_event events[2];
    while (all_got() != wanted) {
        exo_i64 count = exo_notify_wait(&s.q, events, 2, EXO_FOREVER);
        client_check(count == 1 || count == 2);
        while (count-- > 0) {
            note(&events[count]);
        }
    }
}

static void poll_one_source(void)
{
    poll_for(6);
}
static void sleep_one_source(void)
{
    sleep_for(6);
}
static void sleep_two_sources(void)
{
    sleep_for(2 | 4u << 16);
}
static void sleep_pair(void)
{
    sleep_for(6 | 6u << 8);
}

/* Nothing is left, and nothing was delivered without a post. */
static void finish_posts(void)
{
    struct exo_event event;
    client_check(exo_notify_next(&s.q, &event) == EXO_EMPTY);
    client_check(s.count[0] <= 2 && s.count[1] <= 2 && s.count[LAST] <= 2);
}

/* The source is taken out and given to somebody else while others post to it. */
static void post_or_be_refused(void)
{
    exo_status status = exo_notify_post(&s.q, s.name[0], 2);
    client_check(status == EXO_OK || status == EXO_NOT_FOUND);
    s.refused = status == EXO_NOT_FOUND;
}

static void remove_and_add(void)
{
    struct exo_event event;
    exo_u64 name = 0;
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        if (exo_notify_next(&s.q, &event) == EXO_OK) {
            client_check(event.key == 0 && event.source == s.name[0] && event.events == 2);
            s.taken++;
        }
    }
    client_check(exo_notify_remove(&s.q, s.name[0]) == EXO_OK);
    client_check(exo_notify_add(&s.q, NULL, 1, EXO_EVENTS_ALL, EXO_LEVEL, &name) == EXO_OK);
    client_check(name != s.name[0]);
    client_check(exo_notify_post(&s.q, name, 4) == EXO_OK);
    for (i = 0; s.got[1] == 0;) {
        if (exo_notify_wait(&s.q, &event, 1, EXO_FOREVER) == 1) {
            client_check(event.key == 1 && event.source == name && event.events == 4);
            s.got[1] = 4;
        }
    }
}

static void finish_removed(void)
{
    struct exo_event event;
    client_check(exo_notify_next(&s.q, &event) == EXO_EMPTY);
    client_check(s.taken <= 1 && (s.taken == 0 || s.refused == 0));
}

static void send_some(exo_u32 count)
{
    exo_u64 number;
    for (number = 0; number < count; number++) {
        client_check(exo_send_inline(&s.tx, &number, sizeof(number)) == EXO_OK);
        s.sent++;
    }
}

static void send_one(void)
{
    send_some(1);
}
static void send_two(void)
{
    send_some(2);
}
static void send_three(void)
{
    send_some(3);
}

/* Takes `most` messages at each event. An edge is enough if all are taken; a level whatever is. */
static void take_at_events(exo_u32 want, exo_u32 most)
{
    struct exo_event event;
    exo_u64 number;
    exo_u32 i;
    while (s.taken < want) {
        client_check(exo_notify_wait(&s.q, &event, 1, EXO_FOREVER) == 1);
        client_check(event.key == 0 && event.events == EXO_READABLE);
        s.count[0]++;
        for (i = 0; i < most && exo_recv_inline(&s.rx, &number, sizeof(number)) == sizeof(number); i++) {
            client_check(number == s.taken);
            s.taken++;
        }
    }
}

static void drain_two(void)
{
    take_at_events(2, 99);
}
static void drain_three(void)
{
    take_at_events(3, 99);
}
static void take_three_singly(void)
{
    take_at_events(3, 1);
}

/* One event for each message that came later, at most, and none for nothing. */
static void finish_ring(void)
{
    struct exo_event event;
    client_check(s.taken == s.sent && s.count[0] <= s.sent);
    client_check(exo_notify_next(&s.q, &event) == EXO_EMPTY);
}

static void finish_level(void)
{
    client_check(s.taken == s.sent && s.count[0] == s.sent);
}

/* Both kinds at once: a message and a post. */
static void take_both(void)
{
    struct exo_event event;
    exo_u64 number;
    while (s.taken == 0 || s.got[0] == 0) {
        client_check(exo_notify_wait(&s.q, &event, 1, EXO_FOREVER) == 1);
        client_check(event.key == 0);
        if ((event.events & EXO_READABLE) != 0) {
            s.taken += exo_recv_inline(&s.rx, &number, sizeof(number)) == sizeof(number);
        }
        s.got[0] |= event.events & EXO_USER_EVENT;
    }
}

static void post_user(void)
{
    client_check(exo_notify_post(&s.q, s.name[0], EXO_USER_EVENT) == EXO_OK);
}

static void finish_both(void)
{
    client_check(s.taken == 1 && s.got[0] == EXO_USER_EVENT);
}

CLIENT(coalesce) = {.name = "notify-coalesce", .setup = setup_posts,
                    .thread = {post_first, post_first, poll_one_source}, .finish = finish_posts};
CLIENT(asleep) = {.name = "notify-asleep", .setup = setup_posts,
                  .thread = {post_first, post_first, sleep_one_source}, .finish = finish_posts, .spurious = 1};
CLIENT(groups) = {.name = "notify-groups", .setup = setup_posts,
                  .thread = {post_own, post_own, sleep_two_sources}, .finish = finish_posts};
CLIENT(pair) = {.name = "notify-pair", .setup = setup_posts, .thread = {post_pair, post_pair, sleep_pair},
                .finish = finish_posts};
CLIENT(symmetric) = {.name = "notify-symmetric", .setup = setup_posts,
                     .thread = {post_first, post_first, sleep_one_source}, .finish = finish_posts,
                     .symmetric = EXO_TRUE};
CLIENT(removal) = {.name = "notify-remove", .setup = setup_posts,
                   .thread = {post_or_be_refused, remove_and_add}, .finish = finish_removed};
CLIENT(edge_two) = {.name = "notify-edge-two", .setup = setup_ring, .thread = {send_two, drain_two},
                    .finish = finish_ring, .param = EXO_EDGE};
CLIENT(edge_three) = {.name = "notify-edge-three", .setup = setup_ring, .thread = {send_three, drain_three},
                      .finish = finish_ring, .param = EXO_EDGE};
CLIENT(level) = {.name = "notify-level", .setup = setup_ring, .thread = {send_three, take_three_singly},
                 .finish = finish_level, .param = EXO_LEVEL};
CLIENT(both) = {.name = "notify-both", .setup = setup_ring, .thread = {send_one, post_user, take_both},
                .finish = finish_both, .param = EXO_LEVEL};
