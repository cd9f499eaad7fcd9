/* SPDX-License-Identifier: MIT */
/*
 * Messages whose header, descriptor and control word a hostile sender wrote. What comes of each is said beforehand,
 * from the layout alone: a message that agrees with its slot is received as it is, any other is Corrupt for ever.
 */
#include "fuzz.h"

struct scene {
    struct stage *stage;
    struct fuzz_input input;
    exo_u32 open; /* blocks that are viewed, a bit each */
};

/* What is written into the next slot. */
struct forged {
    struct exo_message_header header;
    exo_u64 words[EXO_LINE_WORDS]; /* of the line: payload, or token, offset, length */
    exo_u32 kind;
    exo_u32 argument;
};

static void make(struct scene *scene, struct forged *forged)
{
    struct fuzz_input *input = &scene->input;
    exo_u32 i;
    memset(forged, 0, sizeof(*forged));
    forged->kind = fuzz_below(input, 8) < 6 ? EXO_KIND_MESSAGE + fuzz_below(input, 2) : fuzz_below(input, 10);
    forged->argument = (exo_u32)(fuzz_below(input, 4) != 0 ? fuzz_below(input, 60) : fuzz_take(input, 3));
    for (i = 3; i < EXO_LINE_WORDS; i++) {
        forged->words[i] = fuzz_take(input, 1) * 0x0101010101010101ull;
    }
    forged->words[0] = fuzz_take(input, 1) % 3 << 32;
    forged->words[0] |= fuzz_below(input, STAGE_BLOCKS + 1);
    forged->words[1] = fuzz_near(input, (exo_u32)forged->words[0] * STAGE_BLOCK);
    forged->words[2] = fuzz_near(input, STAGE_ARENA / 2);
    forged->header.msg_type = (exo_u8)fuzz_below(input, 6);
    forged->header.flags = (exo_u8)fuzz_take(input, 1);
    forged->header.priority = (exo_u8)fuzz_take(input, 1);
    forged->header.reserved = fuzz_below(input, 8) == 7;
    forged->header.sender = fuzz_take(input, 2);
    forged->header.request_id = fuzz_take(input, 2);
    forged->header.total_size =
        EXO_MESSAGE_HEADER_SIZE + (forged->kind == EXO_KIND_MESSAGE ? forged->argument : (exo_u32)forged->words[2]);
    if (fuzz_below(input, 4) == 3) {
        forged->header.total_size = (exo_u32)fuzz_near(input, forged->header.total_size);
    }
}

static void put(const struct scene *scene, const struct forged *forged)
{
    exo_u64 pos = scene->stage->from.pos;
    exo_word64 *line = stage_line(scene->stage, pos);
    memcpy(line - EXO_MESSAGE_HEADER_WORDS, &forged->header, sizeof(forged->header));
    memcpy(line, forged->words, sizeof(forged->words));
    line[EXO_LINE_WORDS] = exo_control_pvt(pos, forged->kind, forged->argument & EXO_ARGUMENT_MAX);
}

/* Length of the payload, or negative what the receiver has to say. */
static exo_i64 foretell(const struct scene *scene, const struct forged *forged)
{
    exo_u64 len = forged->argument & EXO_ARGUMENT_MAX;
    exo_u32 block = (exo_u32)forged->words[0];
    if (forged->kind == EXO_KIND_NONE || forged->kind == EXO_KIND_DISCARD) {
        return EXO_EMPTY;
    }
    if (!exo_control_carries_pvt(forged->kind)) {
        return EXO_CORRUPT;
    }
    if (forged->kind != EXO_KIND_MESSAGE && forged->kind != EXO_KIND_MESSAGE_LOAN) {
        return EXO_TYPE_MISMATCH;
    }
    if (forged->kind == EXO_KIND_MESSAGE_LOAN) {
        len = forged->words[2];
        if (forged->words[0] >> 32 == 0 || block >= STAGE_BLOCKS || (scene->open >> block & 1) != 0 ||
            forged->words[1] > STAGE_ARENA || len > STAGE_ARENA - forged->words[1]) {
            return EXO_CORRUPT;
        }
    } else if (len > EXO_INLINE_THRESHOLD) {
        return EXO_CORRUPT;
    }
    if (forged->header.total_size != len + EXO_MESSAGE_HEADER_SIZE || forged->header.reserved != 0 ||
        forged->header.msg_type > EXO_MESSAGE_CONTROL) {
        return EXO_CORRUPT;
    }
    return (exo_i64)len;
}

/* What was received is what was written. */
static void compare(struct scene *scene, struct exo_message *message, const struct forged *forged, exo_i64 len)
{
    const exo_u8 *payload = (const exo_u8 *)exo_message_payload(message);
    STAGE_CHECK(memcmp(&message->header, &forged->header, sizeof(forged->header)) == 0);
    STAGE_CHECK((exo_i64)exo_message_size(message) == len && (exo_i64)message->view.len == len);
    way_read(payload, (exo_size)len);
    if (forged->kind == EXO_KIND_MESSAGE) {
        STAGE_CHECK(memcmp(payload, forged->words, (exo_size)len) == 0);
    } else {
        const exo_u8 *arena = (const exo_u8 *)scene->stage->receiver.tx + scene->stage->geometry.arena_off;
        STAGE_CHECK(stage_in_arena(scene->stage, payload, (exo_size)len));
        STAGE_CHECK(payload == arena + forged->words[1]);
    }
    if (forged->kind == EXO_KIND_MESSAGE_LOAN && fuzz_below(&scene->input, 2) != 0) {
        scene->open |= 1u << (exo_u32)forged->words[0]; /* kept */
        return;
    }
    STAGE_CHECK(exo_message_release(&scene->stage->from, message) == EXO_OK);
    STAGE_CHECK(exo_message_release(&scene->stage->from, message) == EXO_NOT_FOUND);
}

/* One message. False when the receiver has had enough. */
static exo_bool one(struct scene *scene)
{
    struct forged forged;
    struct exo_message message;
    exo_i64 told;
    exo_i64 got;
    make(scene, &forged);
    put(scene, &forged);
    told = foretell(scene, &forged);
    got = exo_message_recv(&scene->stage->from, &message);
    STAGE_CHECK(got == (told < 0 ? told : EXO_OK));
    if (told >= 0) {
        compare(scene, &message, &forged, told);
    } else if (told == EXO_CORRUPT) {
        forged.kind = EXO_KIND_MESSAGE;
        forged.argument = 0;
        forged.header.msg_type = 0;
        forged.header.reserved = 0;
        forged.header.total_size = EXO_MESSAGE_HEADER_SIZE;
        put(scene, &forged); /* repaired: too late */
        STAGE_CHECK(receive_by(scene->stage, MESSAGE_RECV, 0) == EXO_CORRUPT);
        return EXO_FALSE;
    }
    return told != EXO_TYPE_MISMATCH;
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.input.at = data;
    scene.input.left = size;
    scene.stage = fuzz_stage((exo_u32)fuzz_take(&scene.input, 1) << 1);
    for (i = 0; i < FUZZ_STEPS && scene.input.left != 0; i++) {
        exo_u32 kept = 0;
        exo_u32 bit;
        exo_bool more = one(&scene);
        for (bit = 0; bit < STAGE_BLOCKS; bit++) {
            kept += scene.open >> bit & 1;
        }
        STAGE_CHECK(stage_viewed(scene.stage) == kept);
        if (!more) {
            break;
        }
    }
    return 0;
}
