/* SPDX-License-Identifier: MIT */
/*
 * A channel whose other end is hostile: it forges messages in each lane, answers calls as it likes, writes any word of what
 * it may write, and behaves in between. Each segment is mapped as two processes have it, so that the victim faults if it
 * writes to the peer's, or outside. Whatever comes, the victim's calls answer what they are declared to answer, what
 * it receives is named after the peer and lies where it may, and its own books are right.
 */
#include "fuzz.h"

#define SELF 7u
#define PEER 9u
#define CALLS 4u
#define HELD 4u
#define TAKES 300u
#define ARENA 1024u
#define LINES 4u

/* One direction, as the sender maps it and as the receiver does. */
struct direction {
    void *sender_tx;
    void *sender_rx;
    void *receiver_tx;
    void *receiver_rx;
    void *sender_books;
    void *receiver_books;
};

struct held {
    struct exo_message message;
    exo_bool used;
};

struct scene {
    struct fuzz_input input;
    struct exo_channel victim;
    struct exo_channel attacker; /* a handle that would be honest; what it says does not count */
    struct held held[HELD];
    struct exo_call calls[CALLS];
    exo_u64 numbers[CALLS]; /* of the requests that are pending; 0: none */
    struct exo_message_header request; /* the last that the victim, or the attacker, received */
    struct exo_message_header asked;
    exo_bool corrupt;
};

static struct exo_lanes lanes;
static struct direction out; /* of the victim */
static struct direction in;

static void make(struct direction *direction)
{
    stage_share(lanes.tx_bytes, &direction->sender_tx, &direction->receiver_tx);
    stage_share(lanes.rx_bytes, &direction->receiver_rx, &direction->sender_rx);
    direction->sender_books = stage_map(-1, lanes.sender_books, PROT_READ | PROT_WRITE);
    direction->receiver_books = stage_map(-1, lanes.receiver_books, PROT_READ | PROT_WRITE);
}

static void reset(struct direction *direction, exo_u64 start)
{
    exo_u32 i;
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        lanes.lane[i].start = start;
    }
    memset(direction->sender_tx, 0, lanes.tx_bytes);
    memset(direction->receiver_rx, 0, lanes.rx_bytes);
    memset(direction->sender_books, 0, lanes.sender_books);
    memset(direction->receiver_books, 0, lanes.receiver_books);
    STAGE_CHECK(exo_lanes_init(&lanes, direction->sender_tx, lanes.tx_bytes, EXO_MAGIC_TX) == EXO_OK);
    STAGE_CHECK(exo_lanes_init(&lanes, direction->receiver_rx, lanes.rx_bytes, EXO_MAGIC_RX) == EXO_OK);
}

static void attach(struct exo_channel *channel, const struct direction *sends, const struct direction *receives,
                   exo_u64 self, exo_u64 peer)
{
    struct exo_channel_place place;
    exo_u32 i;
    memset(&place, 0, sizeof(place));
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        place.out[i] = exo_lanes_memory(&lanes, i, sends->sender_tx, sends->sender_rx, sends->sender_books,
                                        lanes.sender_books);
        place.in[i] = exo_lanes_memory(&lanes, i, receives->receiver_tx, receives->receiver_rx,
                                       receives->receiver_books, lanes.receiver_books);
    }
    place.open = (exo_u8 *)sends->sender_books + lanes.sender_books - lanes.sender_extra;
    place.pending = (exo_u8 *)receives->receiver_books + lanes.receiver_books - lanes.receiver_extra;
    place.spin = 1;
    place.self = self;
    place.peer = peer;
    STAGE_CHECK(exo_channel_attach(channel, &place) == EXO_OK);
}

static void begin(struct scene *scene)
{
    static exo_bool made;
    struct exo_channel_config config = {0};
    exo_u64 start = fuzz_start(fuzz_below(&scene->input, 4));
    if (!made) {
        config.ring.slots = LINES;
        config.ring.profile = EXO_HOSTILE;
        config.ring.arena_size = ARENA;
        config.ring.block_size = 64;
        config.urgent = LINES;
        config.calls = CALLS;
        config.limit = TAKES;
        STAGE_CHECK(exo_channel_lanes(&lanes, &config) == EXO_OK);
        make(&out);
        make(&in);
        made = EXO_TRUE;
    }
    reset(&out, start);
    reset(&in, start);
    attach(&scene->victim, &out, &in, SELF, PEER);
    attach(&scene->attacker, &in, &out, PEER, SELF);
}

/* ---- the attacker ---- */

static exo_u64 any_number(struct scene *scene)
{
    exo_u64 number = scene->numbers[fuzz_below(&scene->input, CALLS)];
    return fuzz_below(&scene->input, 4) == 0 ? fuzz_near(&scene->input, number) : number;
}

/* Something that looks like a message, at one of the next positions of a lane. */
static void forge(struct scene *scene)
{
    struct fuzz_input *input = &scene->input;
    exo_u32 lane = fuzz_below(input, EXO_LANES_CHANNEL);
    exo_u64 pos = scene->victim.rx[lane].pos + fuzz_below(input, 3);
    exo_word64 *line = exo_tx_line_pvt(&scene->attacker.tx[lane], pos);
    exo_u32 len = fuzz_below(input, 60);
    exo_u32 kind = fuzz_below(input, 8) != 0 ? EXO_KIND_MESSAGE + fuzz_below(input, 2) : fuzz_below(input, 10);
    struct exo_message_header header;
    memset(&header, 0, sizeof(header));
    header.msg_type = (exo_u8)fuzz_below(input, 6);
    header.flags = (exo_u8)(fuzz_below(input, 4) == 0 ? fuzz_take(input, 1) : 0);
    header.reserved = header.flags == 0x0F;
    header.priority = (exo_u8)fuzz_take(input, 1);
    header.request_id = any_number(scene);
    header.sender = SELF;
    if (kind == EXO_KIND_MESSAGE_LOAN || kind == EXO_KIND_LOAN) {
        line[0] = (exo_u64)(1 + fuzz_below(input, 3)) << 32 | fuzz_below(input, ARENA / 64 + 1);
        line[1] = fuzz_below(input, 8) == 0 ? fuzz_near(input, ARENA) : (exo_u64)fuzz_below(input, ARENA / 64) * 64;
        line[2] = fuzz_below(input, 8) == 0 ? fuzz_near(input, TAKES) : fuzz_below(input, 256);
        header.total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)line[2];
    } else {
        header.total_size = EXO_MESSAGE_HEADER_SIZE + len;
    }
    if (fuzz_below(input, 8) == 0) {
        header.total_size = (exo_u32)fuzz_near(input, header.total_size);
    }
    memcpy(line - EXO_MESSAGE_HEADER_WORDS, &header, sizeof(header));
    line[EXO_LINE_WORDS] = exo_control_pvt(pos, kind, len);
}

/* Any word of a segment. */
static void scribble(struct scene *scene, void *segment, exo_size bytes)
{
    exo_word64 *word = (exo_word64 *)segment + fuzz_take(&scene->input, 2) % (bytes / sizeof(exo_word64));
    *word = fuzz_near(&scene->input, *word);
}

/* What an honest peer would do. Its handle may have been refused long ago. */
static void behave(struct scene *scene)
{
    static exo_u8 bytes[512];
    struct exo_message message;
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_u32 how = fuzz_below(&scene->input, 8);
    exo_status status = EXO_OK;
    header.priority = (exo_u8)(how & 1 ? fuzz_take(&scene->input, 1) : 0);
    if (how < 3) {
        status = exo_channel_send(&scene->attacker, &header, bytes, fuzz_take(&scene->input, 2) % 400);
    } else if (how < 5) {
        status = exo_channel_recv(&scene->attacker, &message);
        if (status == EXO_OK) {
            scene->asked = message.header;
            status = exo_channel_release(&scene->attacker, &message);
        }
    } else if (how < 7) {
        status = exo_reply(&scene->attacker, &scene->asked, bytes, fuzz_take(&scene->input, 1));
    } else {
        status = exo_channel_finish(&scene->attacker);
    }
    (void)status;
}

/* ---- the victim ---- */

/* A message that was received, or an answer: named after the peer, whole, within the arena or the message itself. */
static void check_message(struct exo_message *message)
{
    const exo_u8 *payload = (const exo_u8 *)exo_message_payload(message);
    const exo_u8 *arena = (const exo_u8 *)in.receiver_tx + lanes.tx_off[0] + lanes.lane[0].arena_off;
    exo_size len = exo_message_size(message);
    STAGE_CHECK(message->header.sender == PEER && message->header.reserved == 0);
    STAGE_CHECK(message->header.msg_type <= EXO_MESSAGE_CONTROL && len <= TAKES && len == message->view.len);
    if (message->view.token != 0) {
        STAGE_CHECK(payload >= arena && (exo_size)(payload - arena) + len <= ARENA);
    } else {
        STAGE_CHECK(payload == (const exo_u8 *)message->view.copy && len <= EXO_INLINE_THRESHOLD);
    }
    way_read(payload, len);
}

static void receive(struct scene *scene)
{
    struct held *held = &scene->held[fuzz_below(&scene->input, HELD)];
    exo_status status;
    if (held->used) {
        STAGE_CHECK(exo_channel_release(&scene->victim, &held->message) == EXO_OK);
        STAGE_CHECK(exo_channel_release(&scene->victim, &held->message) == EXO_NOT_FOUND);
        held->used = EXO_FALSE;
    }
    status = exo_channel_recv(&scene->victim, &held->message);
    STAGE_CHECK(!scene->corrupt || status == EXO_CORRUPT);
    scene->corrupt = status == EXO_CORRUPT;
    if (status == EXO_OK) {
        check_message(&held->message);
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
    exo_size len = fuzz_take(&scene->input, 2) % (ARENA + 64);
    exo_status status;
    header.priority = (exo_u8)fuzz_below(&scene->input, 2);
    if (fuzz_below(&scene->input, 2) == 0) {
        status = exo_channel_send(&scene->victim, &header, bytes, len);
        STAGE_CHECK(sending_answers(status) || (status == EXO_INVALID_SIZE && len > TAKES));
        return;
    }
    status = exo_channel_loan(&scene->victim, &message, &header, len);
    if (status == EXO_OK) {
        memset(exo_message_payload(&message), 1, len);
        status = exo_channel_send_message(&scene->victim, &message);
        if (status != EXO_OK && status != EXO_CLOSED && message.loan.data != NULL) {
            STAGE_CHECK(exo_channel_drop(&scene->victim, &message) == EXO_OK);
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
        check_message(&call->answer);
        STAGE_CHECK(call->answer.header.request_id == scene->numbers[at]);
        STAGE_CHECK(call->answer.header.msg_type == EXO_MESSAGE_RESPONSE ||
                    call->answer.header.msg_type == EXO_MESSAGE_ERROR);
        STAGE_CHECK(exo_message_error(&call->answer) <= EXO_OK);
        STAGE_CHECK(exo_call_release(&scene->victim, call) == EXO_OK);
        STAGE_CHECK(exo_call_release(&scene->victim, call) == EXO_NOT_FOUND);
    } else {
        STAGE_CHECK(status == EXO_TIMEOUT || status == EXO_CLOSED || status == EXO_CORRUPT || status == EXO_CANCELLED);
    }
    scene->numbers[at] = 0;
}

static void call(struct scene *scene)
{
    static const exo_u8 bytes[TAKES];
    exo_u32 at = fuzz_below(&scene->input, CALLS);
    struct exo_call *one = &scene->calls[at];
    exo_status status;
    if (scene->numbers[at] == 0) {
        exo_u64 deadline = fuzz_below(&scene->input, 4) == 0 ? exo_port_now_ns() + 20000 : EXO_FOREVER;
        status = exo_call_send(&scene->victim, one, NULL, bytes, fuzz_take(&scene->input, 2) % TAKES, deadline);
        STAGE_CHECK(sending_answers(status));
        if (status == EXO_OK) {
            scene->numbers[at] = one->id;
            STAGE_CHECK(one->id != 0);
        }
    } else if (fuzz_below(&scene->input, 4) == 0) {
        status = exo_call_cancel(&scene->victim, one);
        STAGE_CHECK(status == EXO_OK || (status == EXO_NOT_FOUND && one->id == 0));
        over(scene, at, status == EXO_OK ? EXO_CANCELLED : one->status);
    } else {
        status = exo_call_poll(&scene->victim, one);
        if (status != EXO_EMPTY) {
            over(scene, at, status);
        }
    }
}

static void reply(struct scene *scene)
{
    static const exo_u8 bytes[256];
    exo_status status = exo_reply(&scene->victim, &scene->request, bytes, fuzz_take(&scene->input, 1));
    STAGE_CHECK(sending_answers(status) || status == EXO_NOT_FOUND || status == EXO_INVALID_ARGUMENT);
    if (status == EXO_OK) {
        STAGE_CHECK(exo_reply(&scene->victim, &scene->request, bytes, 1) == EXO_NOT_FOUND);
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
    STAGE_CHECK(scene->victim.unanswered == pending);
    STAGE_CHECK(scene->victim.tx[0].arena->lent <= ARENA / 64);
}

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size)
{
    static struct scene scene;
    exo_u32 i;
    memset(&scene, 0, sizeof(scene));
    scene.input.at = data;
    scene.input.left = size;
    begin(&scene);
    for (i = 0; i < FUZZ_STEPS && scene.input.left != 0; i++) {
        switch (fuzz_below(&scene.input, 12)) {
        case 0:
        case 1:
        case 2:
            forge(&scene);
            break;
        case 3:
            scribble(&scene, in.sender_tx, lanes.tx_bytes);
            break;
        case 4:
            scribble(&scene, out.receiver_rx, lanes.rx_bytes);
            break;
        case 5:
            behave(&scene);
            break;
        case 6:
        case 7:
            receive(&scene);
            break;
        case 8:
            send(&scene);
            break;
        case 9:
        case 10:
            call(&scene);
            break;
        default:
            reply(&scene);
            break;
        }
        check_books(&scene);
    }
    return 0;
}
