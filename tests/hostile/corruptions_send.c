/* SPDX-License-Identifier: MIT */
/* What a hostile receiver writes where a sender reads: positions, release entries, sync words. */
#include "corruptions.h"

/* What was sent before: eight inline messages; or a loan, with another one still in the user's hands. */
enum content { FULL_RING, LOANS_OUT };

struct send_row {
    const char *name;
    enum content content;
    exo_size off[2]; /* of one word or two in the segment; 0: none */
    exo_u32 width;
    enum change how;
    exo_u64 value[2];
    /* The declared answers: of calls that need a slot only, and of those that look for blocks. */
    exo_i32 slot, arena;
};

#define LATE offsetof(struct exo_rx_segment, late.value)
#define EXACT offsetof(struct exo_rx_segment, exact.value)
#define PART offsetof(struct exo_rx_segment, exact.part)
#define WELL GOES_WELL
#define BAD EXO_CORRUPT

#define POSITIONS(name, how, value, slot)                                                            \
    {                                                                                                \
        name, FULL_RING, {LATE, EXACT}, 8, how, {value, value}, slot, slot                           \
    }
#define ONE(name, at, how, value, slot)                                                              \
    {                                                                                                \
        name, FULL_RING, {at, 0}, 8, how, {value, 0}, slot, slot                                     \
    }
#define SYNC(member, how, value, slot)                                                               \
    {                                                                                                \
        "receiver's " #member " " #how " " #value, FULL_RING, {offsetof(struct exo_rx_segment, member), 0}, \
            sizeof(((struct exo_rx_segment *)0)->member) == 4 ? 4 : 8, how, {value, 0}, slot, slot   \
    }
/* The first release entry; its offset is put in by the test. */
#define TOKEN 1
#define TAG 9
#define RELEASE(name, token, tag, arena)                                                             \
    {                                                                                                \
        name, LOANS_OUT, {TOKEN, TAG}, 8, SET, {token, tag}, WELL, arena                             \
    }

static const struct send_row rows[] = {
    POSITIONS("positions that fit: three were taken", AHEAD, 3, WELL),
    POSITIONS("positions that fit: all were taken", AHEAD, 8, WELL),
    POSITIONS("positions beyond the sender's by one", AHEAD, 9, BAD),
    POSITIONS("positions beyond by a lap", AHEAD, 16, BAD),
    POSITIONS("positions one before the first", AHEAD, MAX64, BAD),
    POSITIONS("positions a lap before the first", AHEAD, MAX64 - 7, BAD),
    POSITIONS("positions 2^31 ahead", AHEAD, 1ull << 31, BAD),
    POSITIONS("positions 2^32 ahead", AHEAD, GENERATION, BAD),
    POSITIONS("positions 2^32 and three ahead", AHEAD, GENERATION | 3, BAD),
    POSITIONS("positions 2^63 ahead", AHEAD, 1ull << 63, BAD),
    POSITIONS("positions max", SET, MAX64, BAD),
    POSITIONS("positions random", SET, RANDOM64, BAD),
    POSITIONS("positions stale", AHEAD, 0, EXO_FULL),
    ONE("late position beyond, exact one right", LATE, AHEAD, 9, EXO_FULL),
    ONE("late position max, exact one right", LATE, SET, MAX64, EXO_FULL),
    ONE("late position random, exact one right", LATE, SET, RANDOM64, EXO_FULL),
    ONE("late position ahead of the exact one", LATE, AHEAD, 8, WELL),
    ONE("exact position beyond", EXACT, AHEAD, 9, BAD),
    ONE("exact position one before the first", EXACT, AHEAD, MAX64, BAD),
    ONE("exact position random", EXACT, SET, RANDOM64, BAD),
    ONE("part of a packed slot max", PART, SET, MAX64, EXO_FULL),
    ONE("part of a packed slot random", PART, SET, RANDOM64, EXO_FULL),
    SYNC(sync.event, SET, MAX32, EXO_FULL),
    SYNC(sync.event, ADD, 1, EXO_FULL),
    SYNC(sync.waiters, SET, MAX32 - EXO_WAIT_CLOSED, EXO_FULL),
    SYNC(sync.waiters, SET, EXO_WAIT_FENCE | EXO_WAIT_ASLEEP, EXO_FULL),
    SYNC(sync.waiters, ADD, EXO_WAIT_STEP, EXO_FULL),
    SYNC(sync.waiters, SET, EXO_WAIT_CLOSED, EXO_CLOSED),
    SYNC(sync.waiters, SET, MAX32, EXO_CLOSED),
    SYNC(sync.open, SET, 0, EXO_FULL),
    SYNC(sync.open, SET, MAX32, EXO_FULL),
    SYNC(sync.holder, SET, 0, EXO_FULL),
    SYNC(sync.holder, SET, MAX64, EXO_FULL),
    SYNC(header.slots, SET, 1u << 31, EXO_FULL),
    SYNC(header.arena_size, SET, MAX64, EXO_FULL),
    /* Held: block 0, generation 1, of two blocks. Sent: block 2, generation 1, of two blocks. */
    RELEASE("release of what was sent", GENERATION | 2, 1, WELL),
    RELEASE("release of a loan that was never sent", GENERATION, 1, BAD),
    RELEASE("release of the inner block of a loan", GENERATION | 1, 1, BAD),
    RELEASE("release of the inner block of what was sent", GENERATION | 3, 1, BAD),
    RELEASE("release of a free block", GENERATION | 4, 1, BAD),
    RELEASE("release of the block behind the last", GENERATION | STAGE_BLOCKS, 1, BAD),
    RELEASE("release of block max", GENERATION | MAX32, 1, BAD),
    RELEASE("release of block 2^31 and two", GENERATION | 0x80000002u, 1, BAD),
    RELEASE("release with the next generation", 2 * GENERATION | 2, 1, BAD),
    RELEASE("release without generation", 2, 1, BAD),
    RELEASE("release with generation max", MAX64 - MAX32 + 2, 1, BAD),
    RELEASE("release of zero", 0, 1, BAD),
    RELEASE("release of max", MAX64, 1, BAD),
    RELEASE("release with tag zero", GENERATION, 0, WELL),
    RELEASE("release with the next tag", GENERATION, 2, WELL),
    RELEASE("release with the tag of the next lap", GENERATION, 1 + STAGE_BLOCKS, WELL),
    RELEASE("release with a tag right in its low half", GENERATION, GENERATION | 1, WELL),
    RELEASE("release with tag max", GENERATION, MAX64, WELL),
};

static exo_bool looks_for_blocks(exo_u32 way)
{
    return way == SEND || way == SEND_BLOCKING || (way >= LOAN_SEND && way <= LOANS_BURST) || way == MESSAGE_ZERO_COPY;
}

static exo_i64 declared_for(const struct send_row *row, exo_u32 way)
{
    if (way == OUTSTANDING || (way == LOAN_CANCEL && row->content == FULL_RING)) {
        return GOES_WELL;
    }
    return looks_for_blocks(way) ? row->arena : row->slot;
}

static void corrupt(const struct stage *stage, const struct send_row *row)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_u8 *at = (exo_u8 *)stage->rx + row->off[i];
        if (row->off[i] == 0) {
            continue;
        }
        if (row->content == LOANS_OUT) {
            at = (exo_u8 *)stage_entry(stage, 0) + row->off[i] - TOKEN;
        }
        corruption_apply(at, row->width, row->how, row->value[i], stage->config.start);
    }
}

/* Every way says so from now on, whatever the receiver writes. */
static void assert_sticks(struct stage *stage, const struct send_row *row, exo_i64 declared)
{
    exo_u32 way;
    stage->rx->late.value = stage->config.start + STAGE_SLOTS;
    stage->rx->exact.value = stage->config.start + STAGE_SLOTS;
    for (way = 0; way < SEND_WAYS - 1; way++) {
        corruption_answer(row->name, "once refused,", send_by(stage, way, 300), declared);
    }
    assert_true(send_by(stage, OUTSTANDING, 0) >= 0);
}

static void try_row(const struct send_row *row, exo_u32 way, exo_u64 start)
{
    struct exo_loaned held = {NULL, 0, 0, 0, 0};
    struct stage stage;
    exo_i64 declared = declared_for(row, way);
    exo_i64 got;
    exo_size i;
    stage_open(&stage, start);
    if (row->content == FULL_RING) {
        for (i = 0; i < STAGE_SLOTS; i++) {
            assert_int_equal(send_by(&stage, SEND_INLINE, 0), EXO_OK);
        }
    } else {
        assert_int_equal(exo_loan(&stage.to, 300, &held), EXO_OK);
        memset(held.data, 0x77, held.size);
        assert_int_equal(send_by(&stage, LOAN_SEND, 300), EXO_OK);
    }
    corrupt(&stage, row);
    got = send_by(&stage, way, 300);
    corruption_answer(row->name, send_names[way], got == EXO_TIMEOUT ? EXO_FULL : got, declared);
    if (declared == EXO_CORRUPT || declared == EXO_CLOSED) {
        assert_sticks(&stage, row, declared);
    }
    for (i = 0; i < held.size; i++) {
        assert_int_equal(((exo_u8 *)held.data)[i], 0x77); /* whose it was, it still is */
    }
    if (held.data != NULL) {
        assert_int_equal(exo_loan_cancel(&stage.to, &held), EXO_OK);
    }
    stage_check_books(&stage);
    stage_close(&stage);
}

/* Twice the same: the second is of what is not out any more. */
static void a_double_release(exo_u64 start)
{
    struct stage stage;
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    struct exo_loaned more = {NULL, 0, 0, 0, 0};
    exo_u32 i;
    stage_open(&stage, start);
    assert_int_equal(send_by(&stage, LOAN_SEND, 300), EXO_OK);
    assert_int_equal(receive_by(&stage, VIEW, 0), EXO_OK);
    for (i = 1; i < STAGE_BLOCKS; i++) { /* a flood of them */
        *stage_entry(&stage, i) = *stage_entry(&stage, 0);
        stage_entry(&stage, i)->tag = i + 1;
    }
    corruption_answer("release twice and more", "loan", exo_loan(&stage.to, 300, &loan), EXO_OK);
    corruption_answer("release twice and more", "loan again", exo_loan(&stage.to, 300, &more), EXO_CORRUPT);
    corruption_answer("release twice and more", "and again", exo_loan(&stage.to, 300, &more), EXO_CORRUPT);
    assert_int_equal(exo_loan_cancel(&stage.to, &loan), EXO_OK);
    stage_check_books(&stage);
    stage_close(&stage);
}

void a_sender_gives_the_declared_answer_to_each_corruption(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        exo_u32 way;
        for (way = 0; way < 2 * SEND_WAYS; way++) {
            try_row(&rows[i], way / 2, corruption_starts[way % 2]);
        }
        corruption_tried(rows[i].name);
    }
    a_double_release(0);
    a_double_release(STAGE_WRAP);
    corruption_tried("release twice and more");
}
