/* SPDX-License-Identifier: MIT */
/*
 * Two processes, one of which scribbles over all that it may write, as fast as it can, while the other goes on using its
 * end: every call comes back in time with an answer that is declared, nothing outside is touched, and after a ring
 * is corrupt a new one is opened. What the scribbler writes is random, or nearly right, by turns.
 */
#include "../process/process_fixture.h"

#undef NEAR_WRAP
#include "ways.h"

/* How long each claim scribbles, how long one ring lasts at most, and how late a call may be on a busy machine. */
#define SCRIBBLE_MS (SANITIZED ? 1500u : 2000u)
#define RING_MS 12u
#define LATE_MS (SANITIZED ? 4000u : 2000u)
#define WAIT_US 300u

/* What the scribbler of a ring does. */
enum style { RANDOM_WORDS, LIKELY_WORDS, BUSY_AND_SYNC, BUSY_AND_DATA, STYLES };

static exo_u64 operations;
static exo_u64 scribbled_rings;
static exo_u64 corrupt_rings;

struct scribble {
    exo_bool as_receiver; /* scribbles over its receiver segment */
    enum style style;
    exo_u64 seed;
};

static exo_u64 random_word(exo_u64 *seed)
{
    exo_u64 high = (exo_u64)random_below(seed, 0x7FFFFFFF) << 33;
    return high ^ (exo_u64)random_below(seed, 0x7FFFFFFF) << 8 ^ random_below(seed, 256);
}

static void put(exo_u8 *at, exo_u64 value)
{
    __atomic_store_n((exo_u64 *)(void *)at, value, __ATOMIC_RELAXED);
}

/* Something that a sender could have written at, or near, the receiver's position. */
static void likely_slot(struct exo_end *end, exo_u64 *seed, exo_bool data_only)
{
    const struct exo_rx_segment *theirs = (const struct exo_rx_segment *)(const void *)end->link.peer_rx.memory;
    exo_u64 pos = exo_load64(&theirs->exact.value, EXO_RELAXED) + random_below(seed, 4);
    exo_u8 *line = (exo_u8 *)exo_tx_line_pvt(&end->tx, pos);
    exo_u32 kind = 1 + random_below(seed, 7);
    exo_u32 argument = random_below(seed, 61);
    exo_u32 i;
    put(line, (1 + (exo_u64)random_below(seed, 3)) << 32 | random_below(seed, STAGE_BLOCKS));
    put(line + 8, random_below(seed, 300));
    put(line + 16, random_below(seed, 600));
    for (i = 0; i < EXO_MESSAGE_HEADER_WORDS; i++) {
        put(line - EXO_MESSAGE_HEADER_SIZE + 8 * i, i == 0 ? (exo_u64)(32 + argument) << 32 : 0);
    }
    if (!data_only) {
        argument = kind == EXO_KIND_PACKED ? 8u | (1 + argument % 7) << 8 : argument;
        kind = kind == EXO_KIND_CLAIM ? (exo_u32)EXO_KIND_DISCARD : kind;
        put(line + 8 * EXO_LINE_WORDS, exo_control_pvt(pos, kind, argument));
    }
}

/* Something that a receiver could have written. */
static void likely_receipt(struct exo_end *end, exo_u64 *seed, exo_bool data_only)
{
    struct exo_rx_segment *mine = (struct exo_rx_segment *)(void *)end->link.own_rx.memory;
    exo_u64 pos = exo_load64(&mine->exact.value, EXO_RELAXED) + random_below(seed, 3) - 1;
    struct exo_release_entry *entry = &end->rx.views.ring[random_below(seed, STAGE_BLOCKS)];
    exo_u64 at = (exo_u64)(entry - end->rx.views.ring) + STAGE_BLOCKS * (exo_u64)random_below(seed, 3);
    if (!data_only) {
        put((exo_u8 *)(random_below(seed, 2) == 0 ? &mine->exact.value : &mine->late.value), pos);
    }
    put((exo_u8 *)&entry->token, (1 + (exo_u64)random_below(seed, 3)) << 32 | random_below(seed, STAGE_BLOCKS));
    put((exo_u8 *)&entry->tag, at + random_below(seed, 2));
}

/* What an honest peer does, so that the victim has something to do. */
static void be_busy(struct exo_end *end, exo_bool as_receiver)
{
    static exo_u8 bytes[600];
    exo_i64 done;
    if (as_receiver) {
        done = exo_recv(&end->rx, bytes, sizeof(bytes));
    } else {
        done = exo_send(&end->tx, bytes, 40);
        done = done == EXO_OK ? (exo_i64)exo_send(&end->tx, bytes, 300) : done;
    }
    (void)done;
}

static void scribble_once(struct exo_end *end, struct scribble *how)
{
    struct exo_segment *mine = how->as_receiver ? &end->link.own_rx : &end->link.own_tx;
    struct exo_ring_sync *sync = &((struct exo_tx_segment *)(void *)mine->memory)->sync; /* at the same place in both */
    exo_size words = mine->bytes / 8;
    exo_u64 value;
    switch (how->style) {
    case RANDOM_WORDS:
        put(mine->memory + 8 * (exo_size)random_below(&how->seed, (exo_u32)words), random_word(&how->seed));
        break;
    case LIKELY_WORDS:
        (how->as_receiver ? likely_receipt : likely_slot)(end, &how->seed, EXO_FALSE);
        break;
    case BUSY_AND_SYNC:
        be_busy(end, how->as_receiver);
        value = random_word(&how->seed);
        exo_store32(&sync->event, (exo_u32)value, EXO_RELAXED);
        exo_store32(&sync->waiters, (exo_u32)(value >> 32) & ~EXO_WAIT_CLOSED, EXO_RELAXED);
        break;
    default:
        be_busy(end, how->as_receiver);
        (how->as_receiver ? likely_receipt : likely_slot)(end, &how->seed, EXO_TRUE);
        break;
    }
}

/* The scribbler: until it is killed. */
static void scribbles(struct meeting *meeting)
{
    struct scribble *how = (struct scribble *)meeting->argument;
    child_opens(meeting);
    for (;;) {
        scribble_once(&meeting->end, how);
    }
}

/* One of the victim's calls. */
static exo_i64 operate(struct stage *stage, const struct scribble *how, exo_u64 *seed, exo_bool *right)
{
    exo_u64 begun = exo_port_now_ns();
    exo_size size = random_below(seed, 2) == 0 ? 8 : 1 + (exo_size)random_below(seed, 600);
    exo_u32 way = random_below(seed, how->as_receiver ? (exo_u32)SEND_WAYS : (exo_u32)RECEIVE_WAYS);
    exo_i64 got;
    if (random_below(seed, 16) == 0) {
        exo_u64 deadline = begun + WAIT_US * 1000;
        way = how->as_receiver ? (exo_u32)WAIT_WRITABLE : (exo_u32)WAIT_READABLE;
        got = how->as_receiver ? exo_wait_writable(&stage->to, deadline) : exo_wait_readable(&stage->from, deadline);
        *right = got != EXO_TIMEOUT || exo_port_now_ns() >= deadline;
    } else {
        got = how->as_receiver ? send_by(stage, way, size) : receive_by(stage, way, size);
        *right = EXO_TRUE;
    }
    *right = *right && (how->as_receiver ? send_declared(way, got) : receive_declared(way, size, got));
    if (exo_port_now_ns() - begun > LATE_MS * MILLISECOND_NS && passed_since(begun) > LATE_MS * MILLISECOND_NS) {
        print_message("             a call took %llu us\n", (unsigned long long)((exo_port_now_ns() - begun) / 1000));
        *right = EXO_FALSE;
    }
    if (!*right) {
        print_message("             %s answers %s (%lld), %zu bytes, style %u\n",
                      how->as_receiver ? send_names[way] : receive_names[way], exo_status_text(got), (long long)got,
                      size, how->style);
    }
    operations++;
    return got;
}

/* The ends' handles as a stage, so that every way can be tried on them. */
static void enter_stage(struct stage *stage, struct exo_end *end, const struct exo_ring_config *config)
{
    memset(stage, 0, sizeof(*stage));
    stage->config = *config;
    assert_int_equal(exo_geometry_from_config(&stage->geometry, config), EXO_OK);
    stage->tx = (struct exo_tx_segment *)(void *)end->link.own_tx.memory;
    stage->receiver.tx = end->link.peer_tx.memory;
    stage->to = end->tx;
    stage->from = end->rx;
}

/* Use the end until the ring is corrupt, and a little longer, or its time is over. */
static void use_end(struct exo_end *end, const struct scribble *how, const struct exo_ring_config *config, exo_u64 *seed)
{
    struct exo_ring_header headers[2];
    exo_u64 until = in_ms(RING_MS);
    exo_u32 refused = 0;
    struct stage stage;
    memcpy(&headers[0], end->link.own_tx.memory, sizeof(headers[0]));
    memcpy(&headers[1], end->link.own_rx.memory, sizeof(headers[1]));
    enter_stage(&stage, end, config);
    while (exo_port_now_ns() < until && refused < 20) {
        exo_bool right;
        exo_i64 got = operate(&stage, how, seed, &right);
        assert_true(right);
        assert_true(got != EXO_PEER_DIED);
        refused += (how->as_receiver ? stage.to.refused : stage.from.refused) != EXO_OK;
        assert_true(refused <= 1 || how->as_receiver || got == EXO_CORRUPT); /* it sticks */
    }
    corrupt_rings += refused != 0;
    stage_check_books(&stage);
    assert_int_equal(stage_viewed(&stage), 0);
    end->tx = stage.to;
    end->rx = stage.from;
    assert_memory_equal(&headers[0], end->link.own_tx.memory, sizeof(headers[0]));
    assert_memory_equal(&headers[1], end->link.own_rx.memory, sizeof(headers[1]));
}

/* What a peer whose header changes may be told. */
static exo_bool is_refusal(exo_status got)
{
    return got == EXO_TYPE_MISMATCH || got == EXO_VERSION_MISMATCH || got == EXO_CORRUPT || got == EXO_INVALID_SIZE;
}

static void one_ring(struct scribble *how, exo_u64 *seed)
{
    struct held before = count_held();
    struct exo_ring_config config = stage_config(random_below(seed, 2) == 0 ? 0 : STAGE_WRAP);
    struct meeting meeting = {.sockets = {-1, -1}, .body = scribbles, .config = &config, .argument = how};
    exo_status opened;
    exo_u64 begun;
    pid_t child;
    how->seed = random_word(seed);
    child = meet(&meeting);
    opened = parent_opens(&meeting, &config); /* the other side may scribble already */
    if (opened == EXO_OK) {
        use_end(&meeting.end, how, &config, seed);
    } else {
        assert_true(is_refusal(opened));
    }
    begun = exo_port_now_ns();
    exo_close(&meeting.end);
    assert_true(passed_since(begun) < LATE_MS * MILLISECOND_NS);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL); /* it has not ended by itself */
    assert_held(before);
    scribbled_rings++;
}

static void scribble_for_a_while(exo_bool as_receiver)
{
    exo_u64 until = in_ms(SCRIBBLE_MS);
    exo_u64 seed = 7 + as_receiver;
    exo_u64 corrupt_before = corrupt_rings;
    exo_u32 round;
    for (round = 0; exo_port_now_ns() < until || round < STYLES; round++) {
        struct scribble how = {as_receiver, (enum style)(round % STYLES), 0};
        one_ring(&how, &seed);
    }
    assert_true(corrupt_rings > corrupt_before); /* else it hardly scribbled */
}

static void a_receiver_survives_a_sender_that_scribbles(void **state)
{
    (void)state;
    scribble_for_a_while(EXO_FALSE);
}

static void a_sender_survives_a_receiver_that_scribbles(void **state)
{
    (void)state;
    scribble_for_a_while(EXO_TRUE);
}

/* A peer that has said all it will say, and scribbles on its headers while the other opens. */
static void scribbles_on_headers(struct meeting *meeting)
{
    struct exo_hello hello = {EXO_HELLO_MAGIC, EXO_LAYOUT_VERSION, EXO_HELLO, EXO_OK, 0, 0};
    struct exo_segment segments[2];
    struct exo_ring_header good[2];
    struct exo_geometry geometry;
    exo_u64 seed = *(const exo_u64 *)meeting->argument;
    exo_u32 i;
    CHECK(exo_geometry_from_config(&geometry, meeting->config) == EXO_OK);
    CHECK(exo_segment_create(&segments[0], "exo_ipc peer", (exo_size)geometry.tx_bytes, 0) == EXO_OK);
    CHECK(exo_segment_create(&segments[1], "exo_ipc peer", (exo_size)geometry.rx_bytes, 0) == EXO_OK);
    CHECK(exo_tx_segment_init(segments[0].memory, segments[0].bytes, &geometry) == EXO_OK);
    CHECK(exo_rx_segment_init(segments[1].memory, segments[1].bytes, &geometry) == EXO_OK);
    for (i = 0; i < 2; i++) {
        memcpy(&good[i], segments[i].memory, sizeof(good[i]));
        CHECK(exo_segment_seal(&segments[i]) == EXO_OK);
        hello.what = i == 0 ? EXO_HELLO : EXO_ACCEPT;
        CHECK(exo_socket_send_pvt(meeting->sockets[1], &hello, sizeof(hello), segments[i].descriptor, in_seconds(5)) ==
              EXO_OK);
    }
    for (;;) {
        exo_u32 which = random_below(&seed, 2);
        exo_size at = 8 * (exo_size)random_below(&seed, sizeof(good[0]) / 8);
        exo_u64 word = exo_read64((const exo_u8 *)&good[which] + at);
        exo_u32 stays = random_below(&seed, 100);
        put(segments[which].memory + at, random_below(&seed, 2) == 0 ? random_word(&seed) : word ^ 0x1800000018ull);
        while (stays-- != 0) {
            exo_cpu_relax();
        }
        put(segments[which].memory + at, word);
    }
}

static void opening_survives_headers_that_change_meanwhile(void **state)
{
    exo_u64 until = in_ms(SCRIBBLE_MS / 2);
    exo_u64 seed = 3;
    exo_u32 opened = 0;
    exo_u32 refused = 0;
    (void)state;
    while (exo_port_now_ns() < until || opened + refused < 20) {
        struct held before = count_held();
        struct exo_ring_config config = stage_config(0);
        exo_u64 theirs = random_word(&seed);
        struct meeting meeting = {
            .sockets = {-1, -1}, .body = scribbles_on_headers, .config = &config, .argument = &theirs};
        pid_t child = meet(&meeting);
        exo_status got = parent_opens(&meeting, &config);
        assert_true(got == EXO_OK || is_refusal(got));
        if (got == EXO_OK) {
            struct scribble how = {EXO_FALSE, RANDOM_WORDS, 0};
            use_end(&meeting.end, &how, &config, &seed);
            opened++;
        } else {
            refused++;
        }
        exo_close(&meeting.end);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(join_child(child), -SIGKILL);
        assert_held(before);
        operations++;
    }
    print_message("             %u opened, %u refused\n", opened, refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_receiver_survives_a_sender_that_scribbles),
        CLAIM(a_sender_survives_a_receiver_that_scribbles),
        CLAIM(opening_survives_headers_that_change_meanwhile),
    };
    int failed;
    lateness_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("             %llu rings, %llu of them corrupt in the end\n", (unsigned long long)scribbled_rings,
                  (unsigned long long)corrupt_rings);
    if (failed == 0) {
        (void)printf("figure: scribbled %llu operations survived\n", (unsigned long long)operations);
    }
    return failed;
}
