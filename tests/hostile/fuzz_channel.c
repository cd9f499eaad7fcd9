/* SPDX-License-Identifier: MIT */
/*
 * The calls of a channel whose other end is hostile (hostile_channel.h). Whatever comes, they answer what they are declared
 * to answer, what the victim receives is named after the peer and lies where it may, and its own books are right.
 */
#include "hostile_channel.h"

#define HELD 4u

struct held {
    struct exo_message message;
    exo_bool used;
};

struct scene {
    struct hostile hostile;
    struct held held[HELD];
    struct exo_call calls[CALLS];
    struct exo_message_header request; /* the last that the victim received */
    exo_bool corrupt;
};

static void receive(struct scene *scene)
{
    struct held *held = &scene->held[fuzz_below(&scene->hostile.input, HELD)];
    exo_status status;
    if (held->used) {
        STAGE_CHECK(exo_channel_release(&scene->hostile.victim, &held->message) == EXO_OK);
        STAGE_CHECK(exo_channel_release(&scene->hostile.victim, &held->message) == EXO_NOT_FOUND);
        held->used = EXO_FALSE;
    }
    status = exo_channel_recv(&scene->hostile.victim, &held->message);
    STAGE_CHECK(!scene->corrupt || status == EXO_CORRUPT);
    scene->corrupt = status == EXO_CORRUPT;
    if (status == EXO_OK) {
        hostile_check_message(&held->message);
        STAGE_CHECK(held->message.header.msg_type != EXO_MESSAGE_RESPONSE);
        held->used = EXO_TRUE;
        if (held->message.header.msg_type == EXO_MESSAGE_REQUEST) {
            scene->request = held->message.header;
        }
    } else {
        STAGE_CHECK(status == EXO_EMPTY || status == EXO_CLOSED || status == EXO_CORRUPT);
    }
}

static exo_bool sending_answers(exo_status status)
{
    return status == EXO_OK || status == EXO_FULL || status == EXO_CLOSED || status == EXO_CORRUPT;
}

static void send(struct scene *scene)
{
    static const exo_u8 bytes[ARENA + 64];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    struct exo_message message;
    exo_size len = fuzz_take(&scene->hostile.input, 2) % (ARENA + 64);
    exo_status status;
    header.priority = (exo_u8)fuzz_below(&scene->hostile.input, 2);
    if (fuzz_below(&scene->hostile.input, 2) == 0) {
        status = exo_channel_send(&scene->hostile.victim, &header, bytes, len);
        STAGE_CHECK(sending_answers(status) || (status == EXO_INVALID_SIZE && len > TAKES));
        return;
    }
    status = exo_channel_loan(&scene->hostile.victim, &message, &header, len);
    if (status == EXO_OK) {
        memset(exo_message_payload(&message), 1, len);
        status = exo_channel_send_message(&scene->hostile.victim, &message);
        if (status != EXO_OK && status != EXO_CLOSED && message.loan.data != NULL) {
            STAGE_CHECK(exo_channel_drop(&scene->hostile.victim, &message) == EXO_OK);
        }
    }
    STAGE_CHECK(sending_answers(status) || (status == EXO_INVALID_SIZE && len > TAKES));
}

/* A call is over: its answer, if it has one, is of this request. */
static void over(struct scene *scene, exo_u32 at, exo_status status)
{
    struct exo_call *call = &scene->calls[at];
    STAGE_CHECK(call->id == 0);
    if (status == EXO_OK) {
        hostile_check_message(&call->answer);
        STAGE_CHECK(call->answer.header.request_id == scene->hostile.numbers[at]);
        STAGE_CHECK(call->answer.header.msg_type == EXO_MESSAGE_RESPONSE ||
                    call->answer.header.msg_type == EXO_MESSAGE_ERROR);
        STAGE_CHECK(exo_message_error(&call->answer) <= EXO_OK);
        STAGE_CHECK(exo_call_release(&scene->hostile.victim, call) == EXO_OK);
        STAGE_CHECK(exo_call_release(&scene->hostile.victim, call) == EXO_NOT_FOUND);
    } else {
        STAGE_CHECK(status == EXO_TIMEOUT || status == EXO_CLOSED || status == EXO_CORRUPT || status == EXO_CANCELLED);
    }
    scene->hostile.numbers[at] = 0;
}

static void call(struct scene *scene)
{
    static const exo_u8 bytes[TAKES];
    exo_u32 at = fuzz_below(&scene->hostile.input, CALLS);
    struct exo_call *one = &scene->calls[at];
    exo_status status;
    if (scene->hostile.numbers[at] == 0) {
        exo_u64 deadline = fuzz_below(&scene->hostile.input, 4) == 0 ? exo_port_now_ns() + 20000 : EXO_FOREVER;
        status = exo_call_send(&scene->hostile.victim, one, NULL, bytes, fuzz_take(&scene->hostile.input, 2) % TAKES, deadline);
        STAGE_CHECK(sending_answers(status));
        if (status == EXO_OK) {
            scene->hostile.numbers[at] = one->id;
            STAGE_CHECK(one->id != 0);
        }
    } else if (fuzz_below(&scene->hostile.input, 4) == 0) {
        status = exo_call_cancel(&scene->hostile.victim, one);
        STAGE_CHECK(status == EXO_OK || (status == EXO_NOT_FOUND && one->id == 0));
        over(scene, at, status == EXO_OK ? EXO_CANCELLED : one->status);
    } else {
        status = exo_call_poll(&scene->hostile.victim, one);
        if (status != EXO_EMPTY) {
            over(scene, at, status);
        }
    }
}

static void reply(struct scene *scene)
{
    static const exo_u8 bytes[256];
    exo_status status = exo_reply(&scene->hostile.victim, &scene->request, bytes, fuzz_take(&scene->hostile.input, 1));
    STAGE_CHECK(sending_answers(status) || status == EXO_NOT_FOUND || status == EXO_INVALID_ARGUMENT);
    if (status == EXO_OK) {
        STAGE_CHECK(exo_reply(&scene->hostile.victim, &scene->request, bytes, 1) == EXO_NOT_FOUND);
    }
}

/* As many calls are in flight as were made and are not over. */
static void check_books(const struct scene *scene)
{
    exo_u32 pending = 0;
    exo_u32 i;
    for (i = 0; i < CALLS; i++) {
        pending += scene->calls[i].id != 0;
    }
    STAGE_CHECK(scene->hostile.victim.unanswered == pending);
    STAGE_CHECK(scene->hostile.victim.tx[0].arena->lent <= ARENA / 64);
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.hostile.input.at = data;
    scene.hostile.input.left = size;
    hostile_begin(&scene.hostile);
    for (i = 0; i < FUZZ_STEPS && scene.hostile.input.left != 0; i++) {
        exo_u32 step = fuzz_below(&scene.hostile.input, 12);
        if (step < 6) {
            hostile_step(&scene.hostile, step);
        } else if (step < 8) {
            receive(&scene);
        } else if (step == 8) {
            send(&scene);
        } else if (step < 11) {
            call(&scene);
        } else {
            reply(&scene);
        }
        check_books(&scene);
    }
    return 0;
}
