/* SPDX-License-Identifier: MIT */
/*
 * Two senders and one receiver that sleeps for both at once, through a fan-in: of two rings, or of two channels. Whatever
 * the order, each message comes once and in its lane's order, each lane's end is told once, and nobody sleeps for ever.
 */
#include "../client.h"

#include <string.h>

#define RING_BYTES 4096u
#define PAIR_BYTES 65536u
#define MESSAGES 2u

#define OFTEN 1u /* param2: as if the receiver had slept often, so that it asks the senders to fence */
#define CRASH_SAFE 2u
#define CHANNELS 4u
#define AMONG_OTHERS 8u /* the fan-in is one item of exo_wait_many() */

static struct {
    exo_u8 memory[2][PAIR_BYTES] __attribute__((aligned(128)));
    struct exo_ring ring[2];
    struct exo_sender tx[2];
    struct exo_receiver rx[2];
    struct exo_channel_pair pair[2];
    struct exo_channel near[2]; /* the senders' ends */
    struct exo_channel far[2];
    struct exo_fanin fanin;
    struct exo_fanin_lane places[2];
    exo_u32 sent[2];
    exo_u32 got[2];
    exo_status ended[2];
} s;

static exo_bool has(exo_u32 what)
{
    return (client_now->param2 & what) != 0;
}

/* Lane i leads from thread i + 1 to thread 3. */
static void open_ring(exo_u32 i)
{
    struct exo_ring_config config = {0};
    config.slots = 2;
    config.arena_size = EXO_ARENA_NONE;
    config.profile = has(CRASH_SAFE) ? EXO_CRASH_SAFE : EXO_THREADS;
    config.start = 0xFFFFFFFFull;
    config.spin = 1;
    client_check(exo_ring_init(&s.ring[i], &config, s.memory[i], RING_BYTES) == EXO_OK);
    client_acts_as(i + 1);
    client_check(exo_ring_sender(&s.ring[i], &s.tx[i]) == EXO_OK);
    client_acts_as(3);
    client_check(exo_ring_receiver(&s.ring[i], &s.rx[i]) == EXO_OK);
    if (has(CRASH_SAFE)) {
        s.tx[i].peer = client_process(3);
        s.rx[i].peer = client_process(i + 1);
    }
    if (has(OFTEN)) {
        s.tx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
        s.rx[i].sleeper.parked = 2 * EXO_PARKED_OFTEN;
    }
    client_names(i == 0 ? "ring0" : "ring1", s.memory[i], RING_BYTES);
    client_check(exo_fanin_add_receiver(&s.fanin, &s.rx[i], i) == EXO_OK);
}

static void open_channel(exo_u32 i)
{
    struct exo_channel_config config = {0};
    config.ring.slots = 2;
    config.ring.arena_size = EXO_ARENA_NONE;
    config.ring.start = 0xFFFFFFFFull;
    config.ring.spin = 1;
    config.calls = 2;
    client_check(exo_channel_pair_init(&s.pair[i], &config, s.memory[i], PAIR_BYTES) == EXO_OK);
    client_acts_as(i + 1);
    client_check(exo_channel_pair_open(&s.pair[i], 0, &s.near[i]) == EXO_OK);
    client_acts_as(3);
    client_check(exo_channel_pair_open(&s.pair[i], 1, &s.far[i]) == EXO_OK);
    client_names(i == 0 ? "channel0" : "channel1", s.memory[i], PAIR_BYTES);
    client_check(exo_fanin_add(&s.fanin, &s.far[i], i) == EXO_OK);
}

static void setup(void)
{
    exo_u32 i;
    memset(&s, 0, sizeof(s));
    client_check(exo_fanin_init(&s.fanin, s.places, 2) == EXO_OK);
    for (i = 0; i < 2; i++) {
        (has(CHANNELS) ? open_channel : open_ring)(i);
    }
    client_acts_as(1);
}

static exo_status send_to(exo_u32 i, exo_u8 priority)
{
    exo_u64 number = s.sent[i];
    exo_status status;
    if (has(CHANNELS)) {
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        header.priority = priority;
        status = exo_channel_send_blocking(&s.near[i], &header, &number, sizeof(number), EXO_FOREVER);
    } else {
        status = exo_send_blocking(&s.tx[i], &number, sizeof(number), EXO_FOREVER);
    }
    s.sent[i] += status == EXO_OK;
    return status;
}

static void send_one(void)
{
    client_check(send_to(client_self() - 1, 0) == EXO_OK);
}

static void send_urgent(void)
{
    client_check(send_to(client_self() - 1, 1) == EXO_OK);
}

static void send_two(void)
{
    send_one();
    send_one();
}

static void close_lane(void)
{
    exo_u32 i = client_self() - 1;
    if (has(CHANNELS)) {
        exo_channel_close(&s.near[i]);
    } else {
        client_check(exo_sender_close(&s.tx[i]) == EXO_OK);
    }
}

static void send_one_and_close(void)
{
    send_one();
    close_lane();
}

static void send_until_refused_and_close(void)
{
    exo_u32 i;
    for (i = 0; i < MESSAGES && send_to(client_self() - 1, 0) == EXO_OK; i++) {
    }
    close_lane();
}

/* Waits for something by the fan-in; among others, for its item. */
static exo_i64 take(void)
{
    struct exo_fanin_from from = {99, EXO_NULL, EXO_NULL};
    struct exo_message message;
    exo_u64 number = 99;
    exo_i64 result;
    if (has(AMONG_OTHERS)) {
        struct exo_waitable item;
        exo_waitable_fanin(&item, &s.fanin);
        client_check(exo_wait_many(&item, 1, EXO_FOREVER) == 1 && item.events == EXO_READABLE);
        result = exo_fanin_recv_inline(&s.fanin, &number, sizeof(number), &from);
    } else if (has(CHANNELS)) {
        result = exo_fanin_recv_blocking(&s.fanin, &message, &from, EXO_FOREVER);
        if (result == EXO_OK) {
            client_check(exo_message_size(&message) == sizeof(number));
            memcpy(&number, exo_message_payload(&message), sizeof(number));
            client_check(exo_channel_release(from.channel, &message) == EXO_OK);
        }
    } else {
        result = exo_fanin_recv_inline_blocking(&s.fanin, &number, sizeof(number), &from, EXO_FOREVER);
    }
    client_check(from.key < 2);
    if (result >= 0) {
        client_check(number == s.got[from.key]);
        s.got[from.key]++;
    } else {
        client_check(s.ended[from.key] == EXO_OK);
        s.ended[from.key] = (exo_status)result;
    }
    return result;
}

static void take_two(void)
{
    while (s.got[0] + s.got[1] < 2) {
        client_check(take() >= 0);
    }
}

static void take_three(void)
{
    while (s.got[0] + s.got[1] < 3) {
        client_check(take() >= 0);
    }
}

static void take_to_the_end(void)
{
    while (exo_fanin_count(&s.fanin) != 0) {
        (void)take();
    }
}

static void finish_all(void)
{
    client_check(s.got[0] == s.sent[0] && s.got[1] == s.sent[1]);
}

static void finish_closed(void)
{
    finish_all();
    client_check(s.ended[0] == EXO_CLOSED && s.ended[1] == EXO_CLOSED);
}

/* Whoever died had sent all that its calls said, and perhaps one message more. */
static void finish_dead(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_bool died = client_died(i + 1);
        client_check(s.ended[i] == EXO_CLOSED || (died && s.ended[i] == EXO_PEER_DIED));
        client_check(s.got[i] == s.sent[i] || (died && s.got[i] == s.sent[i] + 1));
    }
}

CLIENT(two) = {.name = "fanin-two", .setup = setup, .thread = {send_one, send_one, take_two}, .finish = finish_all,
               .spurious = 1};
CLIENT(more) = {.name = "fanin-more", .setup = setup, .thread = {send_two, send_one, take_three},
                .finish = finish_all};
CLIENT(often) = {.name = "fanin-often", .setup = setup, .thread = {send_two, send_one, take_three},
                 .finish = finish_all, .param2 = OFTEN};
CLIENT(symmetric) = {.name = "fanin-symmetric", .setup = setup, .thread = {send_one, send_one, take_two},
                     .finish = finish_all, .symmetric = EXO_TRUE};
CLIENT(among) = {.name = "fanin-among-others", .setup = setup, .thread = {send_two, send_one, take_three},
                 .finish = finish_all, .param2 = AMONG_OTHERS};
CLIENT(close) = {.name = "fanin-close", .setup = setup, .thread = {send_one_and_close, close_lane, take_to_the_end},
                 .finish = finish_closed};
CLIENT(death) = {.name = "fanin-death", .setup = setup,
                 .thread = {send_until_refused_and_close, send_one_and_close, take_to_the_end},
                 .finish = finish_dead, .param2 = CRASH_SAFE, .kills = 1, .killable = 3};
CLIENT(channels) = {.name = "fanin-channels", .setup = setup, .thread = {send_one, send_urgent, take_two},
                    .finish = finish_all, .param2 = CHANNELS};
CLIENT(channels_close) = {.name = "fanin-channels-close", .setup = setup,
                          .thread = {close_lane, send_one_and_close, take_to_the_end}, .finish = finish_closed,
                          .param2 = CHANNELS};
