/* SPDX-License-Identifier: MIT */
/* What a hostile sender writes where a receiver reads: control words, descriptors, headers of messages, sync words. */
#include "corruptions.h"

/* What lies in the ring before: three of a kind, the row's slot counted from the first. */
enum content { INLINES, LOANS, MESSAGES, REFERENCES };

/* Where the row's word lies. */
enum place { IN_LINE, IN_HEADER, IN_SEGMENT };

struct receive_row {
    const char *name;
    enum content content;
    exo_u32 slot;
    enum place place;
    exo_size off;
    exo_u32 width;
    enum change how;
    exo_u64 value;
    /* The declared answers: of calls that copy inline messages, of those that take any, of the two kinds of bulk, of those
     * that take messages with headers, and of the one that only looks. */
    exo_i32 copy, any, bulk, views, message, look;
};

#define CONTROL (8 * EXO_LINE_WORDS)
#define WELL GOES_WELL
#define NONE EXO_EMPTY
#define BAD EXO_CORRUPT
#define KIND EXO_TYPE_MISMATCH
#define SMALL EXO_BUFFER_TOO_SMALL
#define CLOSED EXO_CLOSED

/* The control word of the first of three inline messages says kind and argument. */
#define KINDS(name, kind, argument, copy, any, bulk, views, message, look)                           \
    {                                                                                                \
        name, INLINES, 0, IN_LINE, CONTROL + 4, 4, SET, (kind) | (exo_u64)(argument) << 8, copy, any, bulk, views, \
            message, look                                                                            \
    }
/* Its low half, the position. */
#define POSITION(name, how, value)                                                                   \
    {                                                                                                \
        name, INLINES, 0, IN_LINE, CONTROL, 4, how, value, NONE, NONE, NONE, NONE, NONE, NONE        \
    }
#define PACKED(size, count) ((size) | (count) << 8)
/* A word of the first descriptor, of a loan of 300 bytes at block 0. */
#define DESCRIPTOR(name, word, value, any, views)                                                    \
    {                                                                                                \
        name, LOANS, 0, IN_LINE, 8 * (word), 8, SET, value, KIND, any, KIND, views, KIND, 0          \
    }
/* A part of the first message's header. */
#define HEADER(content, member, how, value, message)                                                 \
    {                                                                                                \
        #content " " #member " " #how " " #value, content, 0, IN_HEADER, offsetof(struct exo_message_header, member), \
            sizeof(((struct exo_message_header *)0)->member), how, value, KIND, KIND, KIND, KIND, message, 0 \
    }
#define SYNC(member, how, value)                                                                     \
    {                                                                                                \
        "sender's " #member " " #how " " #value, INLINES, 0, IN_SEGMENT, offsetof(struct exo_tx_segment, member), \
            sizeof(((struct exo_tx_segment *)0)->member) == 4 ? 4 : 8, how, value, WELL, WELL, WELL, WELL, KIND, 0 \
    }

static const struct receive_row rows[] = {
    POSITION("position zero", SET, 0),
    POSITION("position max", SET, MAX32),
    POSITION("position of the next slot", ADD, 1),
    POSITION("position of the slot before", ADD, MAX32),
    POSITION("position of the next lap", ADD, STAGE_SLOTS),
    POSITION("stale position, of the lap before", ADD, MAX32 - STAGE_SLOTS + 1),
    POSITION("position half the way round", ADD, 0x80000000u),
    KINDS("no kind", EXO_KIND_NONE, 40, NONE, NONE, NONE, NONE, NONE, NONE),
    KINDS("claim where there are no owners", EXO_KIND_CLAIM, 0x100, BAD, BAD, BAD, BAD, BAD, BAD),
    KINDS("discarded", EXO_KIND_DISCARD, 0, WELL, WELL, NONE, NONE, KIND, 0),
    KINDS("discarded, with an argument", EXO_KIND_DISCARD, MAX32 >> 8, WELL, WELL, NONE, NONE, KIND, 0),
    KINDS("kind one too many", EXO_KIND_MESSAGE_LOAN + 1, 8, BAD, BAD, BAD, BAD, BAD, BAD),
    KINDS("kind max", 255u, 0xFFFFFF, BAD, BAD, BAD, BAD, BAD, BAD),
    KINDS("length zero", EXO_KIND_INLINE, 0, WELL, WELL, WELL, WELL, KIND, 0),
    KINDS("length one less", EXO_KIND_INLINE, 39, WELL, WELL, WELL, WELL, KIND, 0),
    KINDS("length one more", EXO_KIND_INLINE, 41, WELL, WELL, WELL, WELL, KIND, 0),
    KINDS("length of a whole line", EXO_KIND_INLINE, 56, WELL, WELL, WELL, WELL, KIND, 0),
    KINDS("length one over a line", EXO_KIND_INLINE, 57, BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("length 255", EXO_KIND_INLINE, 255, BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("length right in its low bits", EXO_KIND_INLINE, 0x10028, BAD, BAD, SMALL, BAD, KIND, 0),
    KINDS("length max", EXO_KIND_INLINE, 0xFFFFFF, BAD, BAD, SMALL, BAD, KIND, 0),
    KINDS("packed, nothing", EXO_KIND_PACKED, PACKED(0, 0), BAD, BAD, NONE, NONE, KIND, 0),
    KINDS("packed, none of size 8", EXO_KIND_PACKED, PACKED(8, 0), BAD, BAD, NONE, NONE, KIND, 0),
    KINDS("packed, three of size zero", EXO_KIND_PACKED, PACKED(0, 3), WELL, WELL, WELL, WELL, KIND, 0),
    KINDS("packed, one item over a line", EXO_KIND_PACKED, PACKED(57, 1), BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("packed, two items over a line", EXO_KIND_PACKED, PACKED(29, 2), BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("packed, one item too many", EXO_KIND_PACKED, PACKED(8, 8), BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("packed, all bits", EXO_KIND_PACKED, PACKED(255, 0xFFFF), BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("packed, product wraps 16 bits", EXO_KIND_PACKED, PACKED(32, 0x800), BAD, BAD, BAD, BAD, KIND, 0),
    KINDS("inline called a message", EXO_KIND_MESSAGE, 40, KIND, KIND, KIND, KIND, BAD, 0),
    KINDS("inline called a message by reference", EXO_KIND_MESSAGE_LOAN, 40, KIND, KIND, KIND, KIND, BAD, 0),
    {"third of a lot, one item too many", INLINES, 2, IN_LINE, CONTROL + 4, 4, SET,
     EXO_KIND_PACKED | PACKED(8u, 8u) << 8, WELL, WELL, BAD, BAD, KIND, 0},
    DESCRIPTOR("token zero", 0, 0, BAD, BAD),
    DESCRIPTOR("token max", 0, MAX64, BAD, BAD),
    DESCRIPTOR("token without generation", 0, 1, BAD, BAD),
    DESCRIPTOR("token of the block behind the last", 0, GENERATION | STAGE_BLOCKS, BAD, BAD),
    DESCRIPTOR("token of block max", 0, GENERATION | MAX32, BAD, BAD),
    DESCRIPTOR("token of another block", 0, GENERATION | 7, WELL, WELL),
    DESCRIPTOR("token of another generation", 0, 9 * GENERATION, WELL, WELL),
    DESCRIPTOR("token of the last block", 0, GENERATION | (STAGE_BLOCKS - 1), WELL, WELL),
    DESCRIPTOR("offset zero less one", 1, MAX64, BAD, BAD),
    DESCRIPTOR("offset at which it just fits", 1, STAGE_ARENA - 300, WELL, WELL),
    DESCRIPTOR("offset one more", 1, STAGE_ARENA - 299, BAD, BAD),
    DESCRIPTOR("offset of the arena's end", 1, STAGE_ARENA, BAD, BAD),
    DESCRIPTOR("offset that wraps with the length", 1, MAX64 - 299, BAD, BAD),
    DESCRIPTOR("offset 2^32", 1, GENERATION, BAD, BAD),
    DESCRIPTOR("offset negative", 1, 1ull << 63, BAD, BAD),
    DESCRIPTOR("length zero by reference", 2, 0, WELL, WELL),
    DESCRIPTOR("length more than was lent", 2, 1300, WELL, WELL),
    DESCRIPTOR("length one over the arena", 2, STAGE_ARENA + 1, BAD, BAD),
    DESCRIPTOR("length 2^32 and some", 2, GENERATION | 300, BAD, BAD),
    DESCRIPTOR("length negative", 2, 1ull << 63, BAD, BAD),
    DESCRIPTOR("length max by reference", 2, MAX64, BAD, BAD),
    {"third of a lot, token of the first", LOANS, 2, IN_LINE, 0, 8, SET, GENERATION, KIND, WELL, KIND, BAD, KIND, 0},
    {"third of a lot, offset max", LOANS, 2, IN_LINE, 8, 8, SET, MAX64, KIND, WELL, KIND, BAD, KIND, 0},
    HEADER(MESSAGES, msg_type, SET, 5, BAD),
    HEADER(MESSAGES, msg_type, SET, 255, BAD),
    HEADER(MESSAGES, reserved, SET, 1, BAD),
    HEADER(MESSAGES, total_size, SET, 0, BAD),
    HEADER(MESSAGES, total_size, SET, 31, BAD),
    HEADER(MESSAGES, total_size, ADD, 1, BAD),
    HEADER(MESSAGES, total_size, ADD, MAX32, BAD),
    HEADER(MESSAGES, total_size, SET, MAX32, BAD),
    HEADER(MESSAGES, flags, SET, 255, WELL),
    HEADER(MESSAGES, priority, SET, 255, WELL),
    HEADER(MESSAGES, sender, SET, MAX64, WELL),
    HEADER(MESSAGES, dest, SET, RANDOM64, WELL),
    HEADER(MESSAGES, request_id, SET, MAX64, WELL),
    HEADER(REFERENCES, msg_type, SET, 255, BAD),
    HEADER(REFERENCES, reserved, SET, 255, BAD),
    HEADER(REFERENCES, total_size, ADD, 1, BAD),
    HEADER(REFERENCES, total_size, SET, 32, BAD),
    SYNC(sync.event, SET, MAX32),
    SYNC(sync.event, ADD, 1),
    SYNC(sync.waiters, SET, MAX32 - EXO_WAIT_CLOSED),
    SYNC(sync.waiters, ADD, EXO_WAIT_STEP),
    SYNC(sync.waiters, SET, EXO_WAIT_FENCE),
    SYNC(sync.waiters, WITH, EXO_WAIT_CLOSED),
    SYNC(sync.open, SET, 0),
    SYNC(sync.open, SET, MAX32),
    SYNC(sync.holder, SET, MAX64),
    SYNC(tail.value, SET, 0),
    SYNC(tail.value, SET, MAX64),
    SYNC(header.slots, SET, 1u << 31),
    SYNC(header.bytes, SET, MAX64),
    SYNC(header.arena_size, SET, MAX64),
};

static exo_i64 declared_for(const struct receive_row *row, exo_u32 way)
{
    switch (way) {
    case RECV:
    case RECV_BLOCKING:
    case VIEW:
    case VIEW_BURST:
    case VIEW_BLOCKING:
        return row->any;
    case RECV_BULK:
        return row->bulk;
    case VIEW_BULK:
        return row->views;
    case MESSAGE_RECV:
    case MESSAGE_RECV_BLOCKING:
        return row->message;
    case WAIT_READABLE:
        return row->look;
    default:
        return row->copy;
    }
}

static void fill(struct stage *stage, enum content content)
{
    static const exo_u32 ways[] = {SEND_INLINE, LOAN_SEND, MESSAGE_SEND, MESSAGE_ZERO_COPY};
    exo_u32 i;
    for (i = 0; i < WAY_LOT; i++) {
        assert_int_equal(send_by(stage, ways[content], 300), EXO_OK);
    }
}

static exo_u8 *place_of(const struct stage *stage, const struct receive_row *row)
{
    exo_u8 *line = (exo_u8 *)stage_line(stage, stage->config.start + row->slot);
    if (row->place == IN_SEGMENT) {
        return (exo_u8 *)stage->tx + row->off;
    }
    return row->place == IN_HEADER ? line - EXO_MESSAGE_HEADER_SIZE + row->off : line + row->off;
}

/* From now on every way says Corrupt, also when the word is as it was. */
static void assert_sticks(struct stage *stage, const char *name, exo_u8 *word, const exo_u8 *was, exo_u32 width)
{
    exo_u32 turn;
    exo_u32 way;
    for (turn = 0; turn < 2; turn++) {
        for (way = 0; way < RECEIVE_WAYS; way++) {
            corruption_answer(name, "once corrupt,", receive_by(stage, way, 1300), EXO_CORRUPT);
        }
        memcpy(word, was, width);
    }
    assert_int_equal(exo_receiver_close(&stage->from), EXO_OK);
}

/* Nothing was taken: put right, all three are received. */
static void assert_unharmed(struct stage *stage, const struct receive_row *row, exo_u8 *word, const exo_u8 *was)
{
    static const exo_u32 ways[] = {RECV_INLINE, VIEW, MESSAGE_RECV, MESSAGE_RECV};
    exo_u32 i;
    memcpy(word, was, row->width);
    for (i = 0; i < WAY_LOT; i++) {
        corruption_answer(row->name, "put right,", receive_by(stage, ways[row->content], 1300), GOES_WELL);
    }
    corruption_answer(row->name, "put right,", receive_by(stage, RECV, 1300),
                      (stage->tx->sync.waiters & EXO_WAIT_CLOSED) != 0 ? EXO_CLOSED : EXO_EMPTY);
}

static void try_row(const struct receive_row *row, exo_u32 way, exo_u64 start)
{
    struct stage stage;
    exo_i64 declared = declared_for(row, way);
    exo_u8 was[8];
    exo_u8 *word;
    exo_i64 got;
    stage_open(&stage, start);
    fill(&stage, row->content);
    word = place_of(&stage, row);
    memcpy(was, word, row->width);
    corruption_apply(word, row->width, row->how, row->value, start);
    got = receive_by(&stage, way, 1300);
    corruption_answer(row->name, receive_names[way], got == EXO_TIMEOUT ? EXO_EMPTY : got, declared);
    assert_int_equal(stage_viewed(&stage), 0);
    if (declared == EXO_CORRUPT) {
        assert_sticks(&stage, row->name, word, was, row->width);
    } else if (declared != GOES_WELL && stage.from.pos == start) {
        assert_unharmed(&stage, row, word, was);
    }
    stage_close(&stage);
}

void a_receiver_gives_the_declared_answer_to_each_corruption(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        exo_u32 way;
        for (way = 0; way < 2 * RECEIVE_WAYS; way++) {
            try_row(&rows[i], way / 2, corruption_starts[way % 2]);
        }
        corruption_tried(rows[i].name);
    }
}
