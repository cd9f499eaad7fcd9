/* SPDX-License-Identifier: MIT */
/*
 * A channel whose other end is hostile: it forges messages in each lane, answers calls as it likes, writes any word of
 * what it may write, and behaves in between. Each segment is mapped as two processes have it, so that the victim faults
 * if it writes to the peer's, or outside.
 */
#ifndef EXO_TESTS_HOSTILE_CHANNEL_H
#define EXO_TESTS_HOSTILE_CHANNEL_H

#include "fuzz.h"

#define SELF 7u
#define PEER 9u
#define CALLS 4u
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

struct hostile {
    struct fuzz_input input;
    struct exo_channel victim;
    struct exo_channel attacker; /* a handle that would be honest; what it says does not count */
    exo_u64 numbers[CALLS];      /* of the victim's requests that are pending; 0: none */
    struct exo_message_header asked; /* the last request, or message, that the attacker received */
};

static struct exo_lanes lanes;
static struct direction out; /* of the victim */
static struct direction in;

EXO_INLINE void direction_make(struct direction *direction)
{
    stage_share(lanes.tx_bytes, &direction->sender_tx, &direction->receiver_tx);
    stage_share(lanes.rx_bytes, &direction->receiver_rx, &direction->sender_rx);
    direction->sender_books = stage_map(-1, lanes.sender_books, PROT_READ | PROT_WRITE);
    direction->receiver_books = stage_map(-1, lanes.receiver_books, PROT_READ | PROT_WRITE);
}

EXO_INLINE void direction_reset(struct direction *direction, exo_u64 start)
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

EXO_INLINE void direction_attach(struct exo_channel *channel, const struct direction *sends,
                                 const struct direction *receives, exo_u64 self, exo_u64 peer)
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

/* Both ends are open, and nothing has happened. */
EXO_INLINE void hostile_begin(struct hostile *hostile)
{
    static exo_bool made;
    struct exo_channel_config config = {0};
    exo_u64 start = fuzz_start(fuzz_below(&hostile->input, 4));
    if (!made) {
        config.ring.slots = LINES;
        config.ring.profile = EXO_HOSTILE;
        config.ring.arena_size = ARENA;
        config.ring.block_size = 64;
        config.urgent = LINES;
        config.calls = CALLS;
        config.limit = TAKES;
        STAGE_CHECK(exo_channel_lanes(&lanes, &config) == EXO_OK);
        direction_make(&out);
        direction_make(&in);
        made = EXO_TRUE;
    }
    direction_reset(&out, start);
    direction_reset(&in, start);
    direction_attach(&hostile->victim, &out, &in, SELF, PEER);
    direction_attach(&hostile->attacker, &in, &out, PEER, SELF);
}

EXO_INLINE exo_u64 hostile_number(struct hostile *hostile)
{
    exo_u64 number = hostile->numbers[fuzz_below(&hostile->input, CALLS)];
    return fuzz_below(&hostile->input, 4) == 0 ? fuzz_near(&hostile->input, number) : number;
}

/* Something that looks like a message, at one of the next positions of a lane. */
EXO_INLINE void hostile_forge(struct hostile *hostile)
{
    struct fuzz_input *input = &hostile->input;
    exo_u32 lane = fuzz_below(input, EXO_LANES_CHANNEL);
    exo_u64 pos = hostile->victim.rx[lane].pos + fuzz_below(input, 3);
    exo_word64 *line = exo_tx_line_pvt(&hostile->attacker.tx[lane], pos);
    exo_u32 len = fuzz_below(input, 60);
    exo_u32 kind = fuzz_below(input, 8) != 0 ? EXO_KIND_MESSAGE + fuzz_below(input, 2) : fuzz_below(input, 10);
    struct exo_message_header header;
    memset(&header, 0, sizeof(header));
    header.msg_type = (exo_u8)fuzz_below(input, 6);
    header.flags = (exo_u8)(fuzz_below(input, 4) == 0 ? fuzz_take(input, 1) : 0);
    header.reserved = header.flags == 0x0F;
    header.priority = (exo_u8)fuzz_take(input, 1);
    header.request_id = hostile_number(hostile);
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
EXO_INLINE void hostile_scribble(struct hostile *hostile, void *segment, exo_size bytes)
{
    exo_word64 *word = (exo_word64 *)segment + fuzz_take(&hostile->input, 2) % (bytes / sizeof(exo_word64));
    *word = fuzz_near(&hostile->input, *word);
}

/* What an honest peer would do. Its handle may have been refused long ago. */
EXO_INLINE void hostile_behave(struct hostile *hostile)
{
    static exo_u8 bytes[512];
    struct exo_message message;
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    exo_u32 how = fuzz_below(&hostile->input, 8);
    exo_status status = EXO_OK;
    header.priority = (exo_u8)(how & 1 ? fuzz_take(&hostile->input, 1) : 0);
    if (how < 3) {
        status = exo_channel_send(&hostile->attacker, &header, bytes, fuzz_take(&hostile->input, 2) % 400);
    } else if (how < 5) {
        status = exo_channel_recv(&hostile->attacker, &message);
        if (status == EXO_OK) {
            hostile->asked = message.header;
            status = exo_channel_release(&hostile->attacker, &message);
        }
    } else if (how < 7) {
        status = exo_reply(&hostile->attacker, &hostile->asked, bytes, fuzz_take(&hostile->input, 1));
    } else {
        status = exo_channel_finish(&hostile->attacker);
    }
    (void)status;
}

/* A message that was received, or an answer: named after the peer, whole, within the arena or the message itself. */
EXO_INLINE void hostile_check_message(struct exo_message *message)
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

/* One step of the attacker's: 0 to 2 forge, 3 and 4 scribble, 5 behaves. */
EXO_INLINE void hostile_step(struct hostile *hostile, exo_u32 step)
{
    if (step < 3) {
        hostile_forge(hostile);
    } else if (step == 3) {
        hostile_scribble(hostile, in.sender_tx, lanes.tx_bytes);
    } else if (step == 4) {
        hostile_scribble(hostile, out.receiver_rx, lanes.rx_bytes);
    } else {
        hostile_behave(hostile);
    }
}

#endif
