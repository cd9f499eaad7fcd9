/* SPDX-License-Identifier: MIT */
/* Corrupt headers and wrong segments, at attach: nothing is attached, nothing is taken, and all is well again after. */
#include "corruptions.h"

struct header_row {
    const char *name;
    exo_size off;
    exo_u32 width;
    enum change how;
    exo_u64 value;
    exo_status in_tx; /* what the receiver says to it in the sender's segment */
    exo_status in_rx; /* what the sender says to it in the receiver's segment */
};

#define FIELD(member, how, value, in_tx, in_rx)                                                      \
    {                                                                                                \
        #member " " #how " " #value, offsetof(struct exo_ring_header, member),                       \
            sizeof(((struct exo_ring_header *)0)->member) == 4 ? 4 : 8, how, value, in_tx, in_rx     \
    }
#define BAD EXO_CORRUPT
#define OTHER EXO_TYPE_MISMATCH /* no such segment, or a good one of another ring */
#define VERSION EXO_VERSION_MISMATCH

/* For a ring of 8 slots of 128 bytes and 4096 bytes of arena in blocks of 256. */
static const struct header_row rows[] = {
    FIELD(magic, SET, 0, OTHER, OTHER),
    FIELD(magic, SET, MAX64, OTHER, OTHER),
    FIELD(magic, ADD, 1, OTHER, OTHER),
    FIELD(magic, ADD, MAX64, OTHER, OTHER),
    FIELD(magic, SET, RANDOM64, OTHER, OTHER),
    FIELD(version, SET, 0, VERSION, VERSION),
    FIELD(version, SET, MAX32, VERSION, VERSION),
    FIELD(version, ADD, 1, VERSION, VERSION),
    FIELD(version, ADD, MAX32, VERSION, VERSION),
    FIELD(slots, SET, 0, BAD, BAD),
    FIELD(slots, SET, 1, BAD, BAD),
    FIELD(slots, SET, MAX32, BAD, BAD),
    FIELD(slots, ADD, 1, BAD, BAD),
    FIELD(slots, ADD, MAX32, BAD, BAD),
    FIELD(slots, SET, 4, BAD, OTHER),
    FIELD(slots, SET, 16, BAD, OTHER),
    FIELD(slots, SET, 0x80000000u, BAD, OTHER),
    FIELD(slot_size, SET, 0, BAD, BAD),
    FIELD(slot_size, SET, MAX32, BAD, BAD),
    FIELD(slot_size, ADD, 1, BAD, BAD),
    FIELD(slot_size, ADD, MAX32, BAD, BAD),
    FIELD(slot_size, SET, 64, BAD, OTHER),
    FIELD(mode, SET, EXO_MPSC, BAD, BAD),
    FIELD(mode, SET, EXO_SPMC, BAD, BAD),
    FIELD(mode, SET, EXO_MPMC, BAD, BAD),
    FIELD(mode, SET, EXO_POLLED, OTHER, OTHER),
    FIELD(mode, SET, EXO_MODE_OWNED, BAD, BAD),
    FIELD(mode, SET, MAX32, BAD, BAD),
    FIELD(profile, SET, EXO_THREADS, OTHER, OTHER),
    FIELD(profile, SET, EXO_CRASH_SAFE, OTHER, BAD), /* its receiver segment is larger */
    FIELD(profile, ADD, 1, BAD, BAD),
    FIELD(profile, SET, MAX32, BAD, BAD),
    FIELD(producers, SET, 0, BAD, BAD),
    FIELD(producers, ADD, 1, BAD, BAD),
    FIELD(producers, SET, 257, BAD, BAD),
    FIELD(producers, SET, MAX32, BAD, BAD),
    FIELD(arena_size, SET, 0, BAD, BAD),
    FIELD(arena_size, ADD, 1, BAD, BAD),
    FIELD(arena_size, ADD, MAX64, BAD, BAD),
    FIELD(arena_size, ADD, STAGE_BLOCK, BAD, BAD),
    FIELD(arena_size, ADD, -(exo_u64)STAGE_BLOCK, BAD, OTHER),
    FIELD(arena_size, SET, 1ull << 60, BAD, BAD),
    FIELD(arena_size, SET, 1ull << 63, BAD, BAD),
    FIELD(arena_size, SET, MAX64, BAD, BAD),
    FIELD(block_size, SET, 0, BAD, BAD),
    FIELD(block_size, SET, MAX32, BAD, BAD),
    FIELD(block_size, ADD, 1, BAD, BAD),
    FIELD(block_size, ADD, MAX32, BAD, BAD),
    FIELD(block_size, SET, 32, BAD, BAD),
    FIELD(block_size, SET, 128, OTHER, BAD),
    FIELD(block_size, SET, 512, OTHER, BAD),
    FIELD(block_size, SET, 0x80000000u, BAD, BAD),
    FIELD(asymmetric, SET, 0, EXO_OK, EXO_OK),
    FIELD(asymmetric, ADD, 1, EXO_OK, EXO_OK),
    FIELD(asymmetric, SET, MAX32, EXO_OK, EXO_OK),
    FIELD(type, ADD, 1, OTHER, OTHER),
    FIELD(type, SET, MAX64, OTHER, OTHER),
    FIELD(type, SET, RANDOM64, OTHER, OTHER),
    FIELD(start, ADD, 1, OTHER, OTHER),
    FIELD(start, ADD, MAX64, OTHER, OTHER),
    FIELD(start, SET, MAX64, OTHER, OTHER),
    FIELD(start, SET, RANDOM64, OTHER, OTHER),
    FIELD(bytes, SET, 0, BAD, BAD),
    FIELD(bytes, ADD, 1, BAD, BAD),
    FIELD(bytes, ADD, MAX64, BAD, BAD),
    FIELD(bytes, ADD, 128, BAD, BAD),
    FIELD(bytes, SET, 1ull << 63, BAD, BAD),
    FIELD(bytes, SET, MAX64, BAD, BAD),
    FIELD(reserved, SET, MAX64, EXO_OK, EXO_OK),
};

static exo_status attach_victim(struct stage *stage, exo_bool sends)
{
    return sends ? exo_sender_attach(&stage->to, &stage->sender, 1, NULL)
                 : exo_receiver_attach(&stage->from, &stage->receiver, 1, NULL);
}

/* All is as it was: whoever is not attached yet attaches, and a message of each kind passes. */
static void assert_nothing_taken(struct stage *stage, exo_bool sender_is_there, exo_bool receiver_is_there)
{
    if (!sender_is_there) {
        assert_int_equal(attach_victim(stage, EXO_TRUE), EXO_OK);
    }
    if (!receiver_is_there) {
        assert_int_equal(attach_victim(stage, EXO_FALSE), EXO_OK);
    }
    assert_int_equal(send_by(stage, SEND_INLINE, 0), EXO_OK);
    assert_int_equal(send_by(stage, LOAN_SEND, 300), EXO_OK);
    assert_int_equal(receive_by(stage, RECV_INLINE, 56), 40);
    assert_int_equal(receive_by(stage, VIEW, 0), EXO_OK);
}

static void try_header(const struct header_row *row, exo_u64 start, exo_bool in_rx)
{
    struct exo_ring_config config = stage_config(start);
    struct exo_ring_header good;
    struct stage stage;
    exo_u8 *header;
    exo_status got;
    stage_make(&stage, &config);
    stage_reset(&stage);
    header = in_rx ? (exo_u8 *)stage.rx : (exo_u8 *)stage.tx;
    memcpy(&good, header, sizeof(good));
    corruption_apply(header + row->off, row->width, row->how, row->value, 0);
    if (memcmp(&good, header, sizeof(good)) == 0) {
        print_message("             %s changes nothing\n", row->name);
        fail();
    }
    got = attach_victim(&stage, in_rx);
    corruption_answer(row->name, in_rx ? "sender_attach" : "receiver_attach", got, in_rx ? row->in_rx : row->in_tx);
    memcpy(header, &good, sizeof(good));
    assert_nothing_taken(&stage, in_rx && got == EXO_OK, !in_rx && got == EXO_OK);
    stage_close(&stage);
}

void every_header_field_that_is_corrupt_at_attach_is_found(void **state)
{
    exo_size i;
    exo_u32 in_rx;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        for (in_rx = 0; in_rx < 2; in_rx++) {
            try_header(&rows[i], 0x1000, in_rx != 0);
            try_header(&rows[i], STAGE_WRAP, in_rx != 0);
            corruption_tried(rows[i].name);
        }
    }
}

/* Wrong segments: what is mapped is not what is needed. */
struct segment_row {
    const char *name;
    exo_size tx_less; /* bytes that are missing */
    exo_size rx_less;
    exo_bool swapped;
    exo_bool twice_tx;
    exo_bool other_rx;
    exo_status declared;
};

static const struct segment_row segments[] = {
    {"sender segment truncated by a byte", 1, 0, 0, 0, 0, EXO_NO_MEMORY},
    {"sender segment truncated behind its slots", STAGE_ARENA, 0, 0, 0, 0, EXO_NO_MEMORY},
    {"sender segment truncated to nothing", MAX32, 0, 0, 0, 0, EXO_NO_MEMORY},
    {"receiver segment truncated by a byte", 0, 1, 0, 0, 0, EXO_NO_MEMORY},
    {"receiver segment truncated to nothing", 0, MAX32, 0, 0, 0, EXO_NO_MEMORY},
    {"segments swapped", 0, 0, 1, 0, 0, EXO_TYPE_MISMATCH},
    {"sender segment twice", 0, 0, 0, 1, 0, EXO_TYPE_MISMATCH},
    {"receiver segment of another ring", 0, 0, 0, 0, 1, EXO_TYPE_MISMATCH},
};

static struct exo_ring_memory wrong_memory(const struct segment_row *row, const struct exo_ring_memory *whole,
                                           const struct stage *other)
{
    struct exo_ring_memory memory = *whole;
    memory.tx_bytes = row->tx_less > memory.tx_bytes ? 0 : memory.tx_bytes - row->tx_less;
    memory.rx_bytes = row->rx_less > memory.rx_bytes ? 0 : memory.rx_bytes - row->rx_less;
    if (row->swapped) {
        memory.tx = whole->rx;
        memory.tx_bytes = whole->rx_bytes;
    }
    if (row->swapped || row->twice_tx) {
        memory.rx = whole->tx;
        memory.rx_bytes = whole->tx_bytes;
    }
    if (row->other_rx) {
        memory.rx = other->receiver.rx;
        memory.rx_bytes = other->receiver.rx_bytes;
    }
    return memory;
}

void segments_that_are_too_short_or_another_rings_are_refused(void **state)
{
    struct exo_ring_config config = stage_config(0);
    struct stage stage;
    struct stage other;
    exo_size i;
    (void)state;
    config.type = 7;
    stage_make(&other, &config);
    stage_reset(&other);
    config.type = 0;
    for (i = 0; i < COUNT(segments); i++) {
        struct exo_ring_memory memory;
        stage_make(&stage, &config);
        stage_reset(&stage);
        memory = wrong_memory(&segments[i], &stage.sender, &other);
        corruption_answer(segments[i].name, "sender_attach", exo_sender_attach(&stage.to, &memory, 1, NULL),
                          segments[i].declared);
        memory = wrong_memory(&segments[i], &stage.receiver, &other);
        corruption_answer(segments[i].name, "receiver_attach", exo_receiver_attach(&stage.from, &memory, 1, NULL),
                          segments[i].declared);
        assert_nothing_taken(&stage, EXO_FALSE, EXO_FALSE);
        stage_close(&stage);
        corruption_tried(segments[i].name);
    }
    stage_close(&other);
}
