/* SPDX-License-Identifier: MIT */
/*
 * Channels: three lanes that sleep by the same words. All that was sent is received, in the order of its lane and never
 * behind what is less urgent; calls are over once; closing and dying are told apart, after the last message.
 */
#include <string.h>

#include "../client.h"

#define MESSAGES 8u
#define URGENT 100u /* numbers of urgent messages begin here */

static struct {
    exo_u8 memory[65536] __attribute__((aligned(128)));
    struct exo_channel_pair pair;
    struct exo_channel end[2];
    struct exo_call call[2];
    exo_u32 sent[2];    /* main, urgent */
    exo_u32 taken[2];   /* main, urgent */
    exo_u32 answered;
    exo_u32 refused;
} scene;

static void setup(void)
{
    struct exo_channel_config config;
    exo_u32 i;
    memset(&config, 0, sizeof(config));
    config.ring.slots = 2;
    config.ring.arena_size = EXO_ARENA_NONE;
    config.ring.start = 0xFFFFFFFFull;
    config.ring.spin = 1;
    config.ring.profile = client_now->param2;
    config.calls = 2;
    config.urgent = 2;
    memset(&scene, 0, sizeof(scene));
    client_check(exo_channel_pair_init(&scene.pair, &config, scene.memory, sizeof(scene.memory)) == EXO_OK);
    for (i = 0; i < 2; i++) {
        client_acts_as(1 + i);
        client_check(exo_channel_pair_open(&scene.pair, i, &scene.end[i]) == EXO_OK);
    }
    client_acts_as(1);
}

static void setup_mortal(void)
{
    exo_u32 end;
    exo_u32 lane;
    setup();
    for (end = 0; end < 2; end++) {
        for (lane = 0; lane < EXO_LANES_CHANNEL; lane++) {
            scene.end[end].tx[lane].peer = client_process(2 - end);
            scene.end[end].rx[lane].peer = client_process(2 - end);
        }
    }
}

/* Thread 1 sends; the number says by which lane and in which order. */
static exo_status send(exo_bool urgent)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_u64 number = (urgent ? URGENT : 0) + scene.sent[urgent];
    exo_u64 words[2];
    exo_status status;
    words[0] = number;
    words[1] = ~number;
    header.priority = urgent;
    status = exo_channel_send_blocking(&scene.end[0], &header, words, sizeof(words), EXO_FOREVER);
    scene.sent[urgent] += status == EXO_OK;
    return status;
}

/* Thread 2 takes: the next of its lane. */
static exo_status take(void)
{
    struct exo_message message;
    exo_u64 words[2] = {0, 0};
    exo_u32 urgent;
    exo_status status = exo_channel_recv_blocking(&scene.end[1], &message, EXO_FOREVER);
    if (status != EXO_OK) {
        return status;
    }
    client_check(exo_message_size(&message) == sizeof(words) && message.header.sender == 1);
    memcpy(words, exo_message_payload(&message), sizeof(words));
    urgent = words[0] >= URGENT;
    client_check(words[1] == ~words[0] && message.header.priority == urgent);
    client_check(words[0] == (urgent ? URGENT : 0) + scene.taken[urgent]);
    scene.taken[urgent]++;
    client_check(exo_channel_release(&scene.end[1], &message) == EXO_OK);
    return EXO_OK;
}

static void send_both(void)
{
    client_check(send(EXO_FALSE) == EXO_OK && send(EXO_TRUE) == EXO_OK && send(EXO_FALSE) == EXO_OK);
    client_check(send(EXO_FALSE) == EXO_OK);
}
static void take_four(void)
{
    client_check(take() == EXO_OK && take() == EXO_OK && take() == EXO_OK && take() == EXO_OK);
}

/* One more than its lane holds. */
static void send_urgent(void)
{
    client_check(send(EXO_TRUE) == EXO_OK && send(EXO_TRUE) == EXO_OK && send(EXO_TRUE) == EXO_OK);
}
static void take_three(void)
{
    client_check(take() == EXO_OK && take() == EXO_OK && take() == EXO_OK);
}

/* Close behind the last message, half or whole. */
static void send_and_close(void)
{
    client_check(send(EXO_TRUE) == EXO_OK && send(EXO_FALSE) == EXO_OK);
    if (client_now->param != 0) {
        exo_channel_close(&scene.end[0]);
    } else {
        client_check(exo_channel_finish(&scene.end[0]) == EXO_OK);
    }
}

static void take_all(void)
{
    exo_status status = EXO_OK;
    while (status == EXO_OK) {
        status = take();
    }
    client_check(status == EXO_CLOSED || (status == EXO_PEER_DIED && client_now->kills != 0));
}

/* The last message goes by the urgent lane, and the main one is found closed. */
static void send_urgent_and_close(void)
{
    client_check(send(EXO_TRUE) == EXO_OK);
    client_check(exo_channel_finish(&scene.end[0]) == EXO_OK);
}

/* The receiver leaves. */
static void send_until_closed(void)
{
    exo_status status = EXO_OK;
    exo_u32 i;
    for (i = 0; status == EXO_OK && i < MESSAGES; i++) {
        status = send(client_now->param == 2 || (client_now->param == 1 && i % 2 != 0));
    }
    client_check(status == EXO_CLOSED);
}
static void take_one_and_close(void)
{
    client_check(take() == EXO_OK);
    exo_channel_close(&scene.end[1]);
}

static void finish(void)
{
    exo_u32 lane;
    for (lane = 0; lane < 2; lane++) {
        if (client_died(1)) {
            client_check(scene.taken[lane] >= scene.sent[lane] && scene.taken[lane] <= scene.sent[lane] + 1);
        } else {
            client_check(scene.taken[lane] == scene.sent[lane]);
        }
    }
}

/* What the one who left had received was not refused. */
static void finish_left(void)
{
    client_check(scene.taken[0] <= scene.sent[0] && scene.taken[1] <= scene.sent[1]);
}

/* Two calls, answered in the other order. */
static void ask(exo_u32 i, exo_u64 deadline_ns)
{
    exo_u64 number = i;
    client_check(exo_call_send_blocking(&scene.end[0], &scene.call[i], (const struct exo_message_header *)EXO_NULL,
                                        &number, sizeof(number), deadline_ns) == EXO_OK);
}

static void expect(exo_u32 i)
{
    exo_u64 number = 0;
    exo_status status = exo_call_wait(&scene.end[0], &scene.call[i]);
    if (status == EXO_TIMEOUT && client_now->timed) {
        return;
    }
    client_check(status == EXO_OK && exo_message_size(&scene.call[i].answer) == sizeof(number));
    memcpy(&number, exo_message_payload(&scene.call[i].answer), sizeof(number));
    client_check(number == 10 + i);
    client_check(exo_call_release(&scene.end[0], &scene.call[i]) == EXO_OK);
    scene.answered++;
}

static void call_two(void)
{
    ask(0, EXO_FOREVER);
    ask(1, EXO_FOREVER);
    expect(0);
    expect(1);
}

static void call_with_deadlines(void)
{
    ask(0, exo_port_now_ns() + 1000000000u);
    expect(0);
    ask(1, EXO_FOREVER);
    expect(1);
}

static void answer_one(const struct exo_message_header *request, exo_u64 number)
{
    exo_status status = exo_reply_blocking(&scene.end[1], request, &number, sizeof(number), EXO_FOREVER);
    client_check(status == EXO_OK);
    client_check(exo_reply(&scene.end[1], request, &number, sizeof(number)) == EXO_NOT_FOUND);
}

static void answer_two(void)
{
    struct exo_message message;
    struct exo_message_header request[2];
    exo_u64 number[2] = {0, 0};
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        client_check(exo_channel_recv_blocking(&scene.end[1], &message, EXO_FOREVER) == EXO_OK);
        client_check(message.header.msg_type == EXO_MESSAGE_REQUEST);
        memcpy(&number[i], exo_message_payload(&message), sizeof(number[i]));
        request[i] = message.header;
        if (client_now->timed) {
            answer_one(&request[i], 10 + number[i]);
        }
    }
    for (i = 2; i-- != 0 && !client_now->timed;) {
        answer_one(&request[i], 10 + number[i]);
    }
}

static void finish_calls(void)
{
    exo_u32 over = scene.answered;
    client_check(scene.end[0].unanswered == 0);
    if (client_now->timed) {
        (void)exo_call_drain_pvt(&scene.end[0], (const struct exo_call *)EXO_NULL);
        over += (exo_u32)scene.end[0].late;
    }
    client_check(over == 2);
}

CLIENT(lanes) = {.name = "channel-lanes", .setup = setup, .thread = {send_both, take_four}, .finish = finish};
CLIENT(urgent) = {.name = "channel-urgent", .setup = setup, .thread = {send_urgent, take_three}, .finish = finish,
                  .spurious = 1};
CLIENT(half) = {.name = "channel-half-close", .setup = setup, .thread = {send_and_close, take_all}, .finish = finish};
CLIENT(whole) = {.name = "channel-close", .setup = setup, .thread = {send_and_close, take_all}, .finish = finish,
                 .param = 1};
CLIENT(last) = {.name = "channel-last-urgent", .setup = setup, .thread = {send_urgent_and_close, take_all},
                .finish = finish};
CLIENT(left) = {.name = "channel-receiver-leaves", .setup = setup, .thread = {send_until_closed, take_one_and_close},
                .finish = finish_left, .param = 1};
CLIENT(left_main) = {.name = "channel-receiver-leaves-main", .setup = setup,
                     .thread = {send_until_closed, take_one_and_close}, .finish = finish_left};
CLIENT(left_urgent) = {.name = "channel-receiver-leaves-urgent", .setup = setup,
                       .thread = {send_until_closed, take_one_and_close}, .finish = finish_left, .param = 2};
CLIENT(dies) = {.name = "channel-sender-dies", .setup = setup_mortal, .thread = {send_and_close, take_all},
                .finish = finish, .param2 = EXO_CRASH_SAFE, .kills = 1, .killable = 1};
CLIENT(calls) = {.name = "channel-calls", .setup = setup, .thread = {call_two, answer_two}, .finish = finish_calls};
CLIENT(timed) = {.name = "channel-call-deadline", .setup = setup, .thread = {call_with_deadlines, answer_two},
                 .finish = finish_calls, .timed = EXO_TRUE};
