/* SPDX-License-Identifier: MIT */
/*
 * Operations over a channel whose other end is hostile (hostile_channel.h): each that was submitted is over exactly
 * once, with a status that it may end with, and what it brought is named after the peer and lies where it may.
 */
#include "hostile_channel.h"

#define OPS 10u

struct scene {
    struct hostile hostile;
    struct exo_async async;
    struct exo_op ops[OPS];
    exo_bool in_flight[OPS];
    exo_bool cancelled[OPS];
    exo_u32 kind[OPS];
    struct exo_message_header request; /* the last that was received */
    exo_u32 flying;
};

static const exo_u8 bytes[TAKES];

static exo_u64 some_deadline(struct scene *scene)
{
    exo_u32 how = fuzz_below(&scene->hostile.input, 4);
    return how == 0 ? EXO_NOW : how == 1 ? exo_port_now_ns() + 15000 : EXO_FOREVER;
}

static void submit(struct scene *scene)
{
    struct fuzz_input *input = &scene->hostile.input;
    exo_u32 at = fuzz_below(input, OPS);
    struct exo_op *op = &scene->ops[at];
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_u64 deadline = some_deadline(scene);
    exo_u32 kind = fuzz_below(input, 4);
    exo_size len = fuzz_take(input, 2) % TAKES;
    exo_status status;
    header.priority = (exo_u8)(len & 1);
    if (kind == EXO_OP_SEND) {
        status = exo_async_submit_send(&scene->async, op, &header, bytes, len, deadline);
    } else if (kind == EXO_OP_CALL) {
        status = exo_async_submit_call(&scene->async, op, NULL, bytes, len, deadline);
    } else if (kind == EXO_OP_REPLY) {
        status = exo_async_submit_reply(&scene->async, op, &scene->request, bytes, len, deadline);
    } else {
        status = exo_async_submit_recv(&scene->async, op, deadline);
    }
    if (scene->in_flight[at]) {
        STAGE_CHECK(status == EXO_ALREADY_EXISTS || status == EXO_INVALID_ARGUMENT);
        return;
    }
    STAGE_CHECK(status == EXO_OK ||
                (kind == EXO_OP_REPLY && (status == EXO_NOT_FOUND || status == EXO_INVALID_ARGUMENT)));
    if (status == EXO_OK) {
        scene->in_flight[at] = EXO_TRUE;
        scene->kind[at] = kind;
        scene->flying++;
    }
}

/* Whether an operation of this kind may end so. */
static exo_bool may_end_with(exo_u32 kind, exo_status status)
{
    switch (status) {
    case EXO_OK:
    case EXO_TIMEOUT:
    case EXO_WOULD_BLOCK:
    case EXO_CANCELLED:
    case EXO_CLOSED:
    case EXO_CORRUPT:
        return EXO_TRUE;
    case EXO_NOT_FOUND:
        return kind == EXO_OP_REPLY;
    default:
        return EXO_FALSE;
    }
}

static void complete(struct scene *scene, struct exo_op *op)
{
    exo_u64 at = op->key;
    STAGE_CHECK(at < OPS && op == &scene->ops[at] && scene->in_flight[at]);
    STAGE_CHECK(may_end_with(scene->kind[at], op->status));
    STAGE_CHECK(!scene->cancelled[at] || op->status == EXO_CANCELLED);
    scene->cancelled[at] = EXO_FALSE;
    scene->in_flight[at] = EXO_FALSE;
    scene->flying--;
    if (op->status == EXO_OK && (scene->kind[at] == EXO_OP_RECV || scene->kind[at] == EXO_OP_CALL)) {
        struct exo_message *message = exo_op_message(op);
        hostile_check_message(message);
        if (scene->kind[at] == EXO_OP_CALL) {
            STAGE_CHECK(message->header.msg_type == EXO_MESSAGE_RESPONSE ||
                        message->header.msg_type == EXO_MESSAGE_ERROR);
        } else if (message->header.msg_type == EXO_MESSAGE_REQUEST) {
            scene->request = message->header;
        }
        STAGE_CHECK(exo_op_release(&scene->async, op) == EXO_OK);
        STAGE_CHECK(exo_op_release(&scene->async, op) == EXO_NOT_FOUND);
    }
}

static void take(struct scene *scene)
{
    struct exo_op *op;
    exo_i64 ended = exo_async_poll(&scene->async);
    STAGE_CHECK(ended >= 0 && ended <= OPS);
    while ((op = exo_async_next(&scene->async)) != NULL) {
        complete(scene, op);
    }
    STAGE_CHECK(scene->async.pending == scene->flying);
}

static void cancel(struct scene *scene)
{
    exo_u32 at = fuzz_below(&scene->hostile.input, OPS);
    exo_status status = exo_async_cancel(&scene->async, &scene->ops[at]);
    STAGE_CHECK(status == EXO_NOT_FOUND || (status == EXO_OK && scene->in_flight[at]));
    scene->cancelled[at] |= status == EXO_OK;
    STAGE_CHECK(exo_async_cancel(&scene->async, &scene->ops[at]) == EXO_NOT_FOUND);
}

/* The numbers that the attacker may answer. */
static void tell_numbers(struct scene *scene)
{
    exo_u32 told = 0;
    exo_u32 i;
    memset(scene->hostile.numbers, 0, sizeof(scene->hostile.numbers));
    for (i = 0; i < OPS && told < CALLS; i++) {
        if (scene->in_flight[i] && scene->kind[i] == EXO_OP_CALL && scene->ops[i].list == EXO_OPS_UNANSWERED) {
            scene->hostile.numbers[told++] = scene->ops[i].call.id;
        }
    }
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.hostile.input.at = data;
    scene.hostile.input.left = size;
    hostile_begin(&scene.hostile);
    exo_async_init(&scene.async, &scene.hostile.victim);
    for (i = 0; i < OPS; i++) {
        exo_op_init(&scene.ops[i], i);
    }
    for (i = 0; i < FUZZ_STEPS && scene.hostile.input.left != 0; i++) {
        exo_u32 step = fuzz_below(&scene.hostile.input, 13);
        if (step < 6) {
            hostile_step(&scene.hostile, step);
        } else if (step < 10) {
            submit(&scene);
        } else if (step < 12) {
            take(&scene);
        } else {
            cancel(&scene);
        }
        tell_numbers(&scene);
    }
    exo_async_close(&scene.async);
    take(&scene);
    STAGE_CHECK(scene.flying == 0 && scene.hostile.victim.unanswered == 0);
    return 0;
}
