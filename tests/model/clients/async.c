/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous channels: of a cancel and a completion exactly one happens, and both wake the owner. Thread 1 owns end 0,
 * thread 2 is the peer, thread 3, or the peer, cancels.
 */
#include <string.h>

#include "../client.h"

#define NO_HEADER ((const struct exo_message_header *)EXO_NULL)

static struct {
    exo_u8 memory[65536] __attribute__((aligned(128)));
    struct exo_channel_pair pair;
    struct exo_channel end[2];
    struct exo_async async;
    struct exo_op op[3];
    exo_u64 reason[2]; /* plain memory, written before a cancel */
    exo_u32 cancelled; /* that a canceller was told */
    exo_u32 completed[3];
    exo_status status[3];
    exo_u64 got;      /* messages received by the owner */
    exo_u64 received; /* by the peer */
} s;

static void setup(void)
{
    struct exo_channel_config config;
    exo_u32 i;
    memset(&config, 0, sizeof(config));
    config.ring.slots = 2;
    config.ring.arena_size = EXO_ARENA_NONE;
    config.ring.start = 0xFFFFFFFFull;
    config.ring.spin = 1;
    config.calls = 2;
    config.urgent = 2;
    memset(&s, 0, sizeof(s));
    client_check(exo_channel_pair_init(&s.pair, &config, s.memory, sizeof(s.memory)) == EXO_OK);
    for (i = 0; i < 2; i++) {
        client_acts_as(1 + i);
        client_check(exo_channel_pair_open(&s.pair, i, &s.end[i]) == EXO_OK);
    }
    client_acts_as(1);
    exo_async_init(&s.async, &s.end[0]);
    for (i = 0; i < 3; i++) {
        exo_op_init(&s.op[i], i);
    }
    client_shares(s.reason, sizeof(s.reason));
}

static void setup_receive(void)
{
    setup();
    client_check(exo_async_submit_recv(&s.async, &s.op[0], EXO_FOREVER) == EXO_OK);
}

static void setup_two_receives(void)
{
    setup_receive();
    client_check(exo_async_submit_recv(&s.async, &s.op[1], EXO_FOREVER) == EXO_OK);
}

static exo_status submit_number(exo_u32 i)
{
    static const exo_u64 numbers[] = {0, 1, 2, 3};
    return exo_async_submit_send(&s.async, &s.op[i], NO_HEADER, &numbers[i + 2], sizeof(exo_u64), EXO_FOREVER);
}

/* The lane is full, with messages 0 and 1; 2 and 3 are pending. */
static void setup_full(void)
{
    exo_u64 i;
    setup();
    for (i = 0; i < 2; i++) {
        client_check(exo_channel_send(&s.end[0], NO_HEADER, &i, sizeof(i)) == EXO_OK);
    }
    client_check(submit_number(0) == EXO_OK && submit_number(1) == EXO_OK);
}

static void setup_calls(void)
{
    exo_u64 i;
    setup();
    for (i = 0; i < 2; i++) {
        client_check(exo_async_submit_call(&s.async, &s.op[i], NO_HEADER, &i, sizeof(i), EXO_FOREVER) == EXO_OK);
    }
}

/* What a completion is allowed to say. */
static void note(struct exo_op *op)
{
    exo_u64 number = 0;
    s.completed[op->key]++;
    s.status[op->key] = op->status;
    if (op->status == EXO_CANCELLED) {
        client_check(client_read(&s.reason[op->key & 1]) == op->key + 1);
        return;
    }
    client_check(op->status == EXO_OK);
    if (op->kind == EXO_OP_SEND) {
        return;
    }
    client_check(exo_message_size(exo_op_message(op)) == sizeof(number));
    memcpy(&number, exo_message_payload(exo_op_message(op)), sizeof(number));
    client_check(number == (op->kind == EXO_OP_CALL ? 10 + op->key : s.got));
    client_check(exo_op_release(&s.async, op) == EXO_OK);
    s.got++;
}

static void own(void)
{
    struct exo_op *op;
    while (s.async.pending != 0) {
        client_check(exo_async_wait(&s.async, EXO_FOREVER) == EXO_OK);
        while ((op = exo_async_next(&s.async)) != EXO_NULL) {
            note(op);
        }
    }
    client_check(exo_async_wait(&s.async, EXO_FOREVER) == EXO_EMPTY);
}

/* And finishes, so that the peer knows how much there was. */
static void own_and_finish(void)
{
    own();
    client_check(exo_channel_finish(&s.end[0]) == EXO_OK);
}

static void cancel(exo_u32 i)
{
    exo_status status;
    client_write(&s.reason[i], i + 1);
    status = exo_async_cancel(&s.async, &s.op[i]);
    client_check(status == EXO_OK || status == EXO_NOT_FOUND);
    if (status == EXO_OK) {
        s.cancelled |= 1u << i;
        client_check(exo_async_cancel(&s.async, &s.op[i]) == EXO_NOT_FOUND);
    }
}

static void cancel_first(void)
{
    cancel(0);
}

static void cancel_both(void)
{
    cancel(0);
    cancel(1);
}

static void send_numbers(exo_u64 count)
{
    exo_u64 i;
    for (i = 0; i < count; i++) {
        client_check(exo_channel_send_blocking(&s.end[1], NO_HEADER, &i, sizeof(i), EXO_FOREVER) == EXO_OK);
    }
}

static void send_one(void)
{
    send_numbers(1);
}

static void send_two(void)
{
    send_numbers(2);
}

/* The numbers that come are those that were not cancelled, in order. */
static void take_to_the_end(void)
{
    struct exo_message message;
    exo_u64 last = 0;
    exo_status status;
    while ((status = exo_channel_recv_blocking(&s.end[1], &message, EXO_FOREVER)) == EXO_OK) {
        exo_u64 number = 0;
        memcpy(&number, exo_message_payload(&message), sizeof(number));
        client_check(number >= last);
        last = number + 1;
        s.received |= 1u << number;
        client_check(exo_channel_release(&s.end[1], &message) == EXO_OK);
    }
    client_check(status == EXO_CLOSED);
}

static void answer_two(void)
{
    struct exo_message message;
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_u64 number = 0;
        client_check(exo_channel_recv_blocking(&s.end[1], &message, EXO_FOREVER) == EXO_OK);
        memcpy(&number, exo_message_payload(&message), sizeof(number));
        number += 10;
        client_check(exo_reply_blocking(&s.end[1], &message.header, &number, sizeof(number), EXO_FOREVER) == EXO_OK);
        client_check(exo_channel_release(&s.end[1], &message) == EXO_OK);
    }
}

/* Each was completed once, and cancelled exactly if whoever cancelled was told so. */
static void finish_ops(exo_u32 count)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        client_check(s.completed[i] == 1);
        client_check((s.status[i] == EXO_CANCELLED) == ((s.cancelled >> i & 1) != 0));
    }
}

static void finish_one(void)
{
    struct exo_message message;
    finish_ops(1);
    if (client_now->thread[1] != cancel_first) { /* what no operation has received is still there */
        client_acts_as(1);
        client_check((exo_channel_recv(&s.end[0], &message) == EXO_OK) == (s.status[0] == EXO_CANCELLED));
    }
}

static void finish_two(void)
{
    finish_ops(2);
}

static void finish_sends(void)
{
    finish_ops(2);
    client_check(s.received == (3u | (s.status[0] == EXO_OK ? 4u : 0) | (s.status[1] == EXO_OK ? 8u : 0)));
}

static void finish_calls(void)
{
    finish_ops(2);
    client_check(s.end[0].unanswered == 0);
}

CLIENT(wakes) = {.name = "async-cancel-wakes", .setup = setup_receive, .thread = {own, cancel_first},
                 .finish = finish_one, .spurious = 1};
CLIENT(receive) = {.name = "async-receive", .setup = setup_two_receives, .thread = {own, send_two}, .finish = finish_two};
CLIENT(race) = {.name = "async-cancel-receive", .setup = setup_receive, .thread = {own, send_one, cancel_first},
                .finish = finish_one};
CLIENT(symmetric) = {.name = "async-cancel-symmetric", .setup = setup_receive, .thread = {own, send_one, cancel_first},
                     .finish = finish_one, .symmetric = EXO_TRUE};
CLIENT(send) = {.name = "async-send", .setup = setup_full, .thread = {own_and_finish, take_to_the_end},
                .finish = finish_sends};
CLIENT(unsend) = {.name = "async-cancel-send", .setup = setup_full,
                  .thread = {own_and_finish, take_to_the_end, cancel_both}, .finish = finish_sends};
CLIENT(calls) = {.name = "async-calls", .setup = setup_calls, .thread = {own, answer_two}, .finish = finish_calls};
CLIENT(uncall) = {.name = "async-cancel-call", .setup = setup_calls, .thread = {own, answer_two, cancel_first},
                  .finish = finish_calls};
