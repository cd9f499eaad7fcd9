/* SPDX-License-Identifier: MIT */
/*
 * One thread waits for two rings at once: two receivers, or a receiver and a sender. A wake-up that is lost leaves
 * everybody asleep.
 */
#include "../client.h"

#include <string.h>

#define RING_BYTES 4096u
#define MESSAGES 2u

#define OFTEN 1u /* param2: as if all had slept often, so that they ask the other side to fence */
#define MANY_CONSUMERS 2u
#define CRASH_SAFE 4u

static struct {
    exo_u8 memory[2][RING_BYTES] __attribute__((aligned(128)));
    struct exo_ring ring[2];
    struct exo_sender tx[2];
    struct exo_receiver rx[2];
    struct exo_waitable items[2];
    exo_u64 payload[2];
    exo_u32 sent[2];
    exo_u32 got[2];
    exo_u32 ended[2];
} s;

static exo_bool has(exo_u32 what)
{
    return (client_now->param2 & what) != 0;
}

/* Ring i leads from thread `from` to thread `to`. */
static void open_ring(exo_u32 i, exo_u32 from, exo_u32 to)
{
    struct exo_ring_config config = {0};
    config.slots = 2;
    config.arena_size = EXO_ARENA_NONE;
    config.mode = has(MANY_CONSUMERS) ? EXO_SPMC : EXO_SPSC;
    config.profile = has(CRASH_SAFE) ? EXO_CRASH_SAFE : EXO_THREADS;
    config.start = 0xFFFFFFFFull;
    config.spin = 1;
    client_check(exo_ring_init(&s.ring[i], &config, s.memory[i], RING_BYTES) == EXO_OK);
    client_acts_as(from);
    client_check(exo_ring_sender(&s.ring[i], &s.tx[i]) == EXO_OK);
    client_acts_as(to);
    client_check(exo_ring_receiver(&s.ring[i], &s.rx[i]) == EXO_OK);
    if (has(CRASH_SAFE)) {
        s.tx[i].peer = client_process(to);
        s.rx[i].peer = client_process(from);
    }
    if (has(OFTEN)) {
        s.tx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
        s.rx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
    }
    client_names(i == 0 ? "ring0" : "ring1", s.memory[i], RING_BYTES);
}

/* Threads 1 and 2 send to thread 3. */
static void setup_receivers(void)
{
    memset(&s, 0, sizeof(s));
    open_ring(0, 1, 3);
    open_ring(1, 2, 3);
    exo_waitable_receiver(&s.items[0], &s.rx[0]);
    exo_waitable_receiver(&s.items[1], &s.rx[1]);
    client_acts_as(1);
}

/* Thread 1 sends to thread 2, which sends to thread 3. */
static void setup_chain(void)
{
    memset(&s, 0, sizeof(s));
    open_ring(0, 1, 2);
    open_ring(1, 2, 3);
    exo_waitable_receiver(&s.items[0], &s.rx[0]);
    exo_waitable_sender(&s.items[1], &s.tx[1]);
    client_acts_as(1);
}

static exo_status send_to(exo_u32 i, exo_u64 deadline_ns)
{
    exo_u64 number = s.sent[i];
    exo_status status = exo_send_blocking(&s.tx[i], &number, sizeof(number), deadline_ns);
    s.sent[i] += status == EXO_OK;
    return status;
}

static exo_i64 take_from(exo_u32 i)
{
    exo_u64 number = 99;
    exo_i64 got = exo_recv_inline(&s.rx[i], &number, sizeof(number));
    if (got == sizeof(number)) {
        client_check(number == s.got[i]);
        s.got[i]++;
    }
    return got;
}

static void send_one(void)
{
    client_check(send_to(client_self() - 1, EXO_FOREVER) == EXO_OK);
}

static void send_two(void)
{
    send_one();
    send_one();
}

static void send_one_and_close(void)
{
    send_one();
    client_check(exo_sender_close(&s.tx[client_self() - 1]) == EXO_OK);
}

static void send_until_refused(void)
{
    exo_u32 i;
    for (i = 0; i < MESSAGES && send_to(client_self() - 1, EXO_FOREVER) == EXO_OK; i++) {
    }
}

/* Takes from whatever is ready, until so many messages have come. */
static void take_all(exo_u32 messages)
{
    exo_u32 i;
    while (s.got[0] + s.got[1] < messages) {
        client_check(exo_wait_many(s.items, 2, EXO_FOREVER) > 0);
        for (i = 0; i < 2; i++) {
            client_check((s.items[i].events & ~EXO_READABLE) == 0);
            if (s.items[i].events != 0) {
                client_check(take_from(i) == sizeof(exo_u64));
            }
        }
    }
}

static void take_two(void)
{
    take_all(2);
}

static void take_three(void)
{
    take_all(3);
}

/* Takes until both rings have come to their end. */
static void take_to_the_end(void)
{
    exo_u32 i;
    while ((s.items[0].wanted | s.items[1].wanted) != 0) {
        client_check(exo_wait_many(s.items, 2, EXO_FOREVER) > 0);
        for (i = 0; i < 2; i++) {
            if ((s.items[i].events & EXO_EVENTS_FINAL) != 0) {
                client_check(take_from(i) < 0);
                s.ended[i] = s.items[i].events;
                s.items[i].wanted = 0;
            } else if (s.items[i].events != 0) {
                client_check(take_from(i) == sizeof(exo_u64));
            }
        }
    }
}

/* Hands on what comes, three messages through rings of two slots: waits for either side, as it needs. */
static void hand_on(void)
{
    exo_u32 held = 0;
    while (s.sent[1] < 3) {
        s.items[0].wanted = held + s.sent[1] < 3 && held == 0 ? EXO_READABLE : 0;
        s.items[1].wanted = held != 0 ? EXO_WRITABLE : 0;
        client_check(exo_wait_many(s.items, 2, EXO_FOREVER) > 0);
        if (s.items[0].events != 0) {
            client_check(s.items[0].events == EXO_READABLE && take_from(0) == sizeof(exo_u64));
            held++;
        }
        if (s.items[1].events != 0) {
            client_check(s.items[1].events == EXO_WRITABLE && send_to(1, EXO_NOW) == EXO_OK);
            held--;
        }
    }
}

/* Takes and gives whatever is possible: a receiver and a sender in one sleep. */
static void echo(void)
{
    exo_u32 want = 2;
    while (s.got[0] < want || s.sent[1] < want) {
        s.items[0].wanted = s.got[0] < want ? EXO_READABLE : 0;
        s.items[1].wanted = s.sent[1] < want ? EXO_WRITABLE : 0;
        client_check(exo_wait_many(s.items, 2, EXO_FOREVER) > 0);
        if (s.items[0].events != 0) {
            client_check(take_from(0) == sizeof(exo_u64));
        }
        if (s.items[1].events != 0) {
            client_check(send_to(1, EXO_NOW) == EXO_OK);
        }
    }
}

/* The ring to it is full already, so that the sender has to wait for room. */
static void setup_full(void)
{
    setup_chain();
    client_acts_as(2);
    client_check(send_to(1, EXO_NOW) == EXO_OK);
    client_check(send_to(1, EXO_NOW) == EXO_OK);
    s.sent[1] = 0;
    client_acts_as(1);
}

static void send_one_through(void)
{
    client_check(send_to(0, EXO_FOREVER) == EXO_OK);
}

static void send_two_through(void)
{
    send_one_through();
    send_one_through();
}

static void drain_blocking(exo_u32 count)
{
    exo_u64 number;
    while (count-- != 0) {
        client_check(exo_recv_blocking(&s.rx[1], &number, sizeof(number), EXO_FOREVER) == sizeof(number));
        s.got[1]++;
    }
}

static void drain_three(void)
{
    drain_blocking(3);
}

static void drain_four(void)
{
    drain_blocking(4);
}

static void send_three_through(void)
{
    send_two_through();
    send_one_through();
}

static void finish_all(void)
{
    client_check(s.got[0] == s.sent[0] && s.got[1] == s.sent[1]);
}

static void finish_full(void)
{
    client_check(s.got[0] == 2 && s.got[1] == 4);
}

static void finish_closed(void)
{
    finish_all();
    client_check(s.ended[0] == EXO_PEER_CLOSED && s.ended[1] == EXO_PEER_CLOSED);
}

/* Whoever died had sent all that its calls said, and perhaps one message more. */
static void finish_dead(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_bool died = client_died(i + 1);
        client_check(s.ended[i] == (died ? EXO_PEER_GONE : EXO_PEER_CLOSED) ||
                     (died && s.ended[i] == EXO_PEER_CLOSED));
        client_check(s.got[i] == s.sent[i] || (died && s.got[i] == s.sent[i] + 1));
    }
}

static void send_and_close_or_die(void)
{
    send_until_refused();
    client_check(exo_sender_close(&s.tx[client_self() - 1]) == EXO_OK);
}

CLIENT(two) = {.name = "wait-two", .setup = setup_receivers, .thread = {send_one, send_one, take_two},
               .finish = finish_all, .spurious = 1};
CLIENT(more) = {.name = "wait-more", .setup = setup_receivers, .thread = {send_two, send_one, take_three},
                .finish = finish_all};
CLIENT(often) = {.name = "wait-often", .setup = setup_receivers, .thread = {send_two, send_one, take_three},
                 .finish = finish_all, .param2 = OFTEN};
CLIENT(symmetric) = {.name = "wait-symmetric", .setup = setup_receivers,
                     .thread = {send_one, send_one, take_two}, .finish = finish_all, .symmetric = EXO_TRUE};
CLIENT(consumers) = {.name = "wait-consumers", .setup = setup_receivers,
                     .thread = {send_two, send_one, take_three}, .finish = finish_all,
                     .param2 = MANY_CONSUMERS};
CLIENT(hand_on) = {.name = "wait-hand-on", .setup = setup_chain,
                   .thread = {send_three_through, hand_on, drain_three}, .finish = finish_all};
CLIENT(both) = {.name = "wait-both-sides", .setup = setup_full, .thread = {send_two_through, echo, drain_four},
                .finish = finish_full};
CLIENT(close) = {.name = "wait-close", .setup = setup_receivers,
                 .thread = {send_one_and_close, send_one_and_close, take_to_the_end}, .finish = finish_closed};
CLIENT(death) = {.name = "wait-death", .setup = setup_receivers,
                 .thread = {send_and_close_or_die, send_and_close_or_die, take_to_the_end},
                 .finish = finish_dead, .param2 = CRASH_SAFE, .kills = 1, .killable = 3};
