/* SPDX-License-Identifier: MIT */
/*
 * Several producers in processes of their own, one ring in memory that all inherited, claims that carry their
 * owner. Producers are killed at random instants; once the dead one is buried, the stream goes on, and nothing
 * that anybody had published is lost.
 */
#include "kill_fixture.h"

#define PRODUCERS 4u
#define WORDS 7u

/* What a producer and its parent tell each other. */
struct producer {
    exo_u32 self;       /* its exo_port_self() */
    exo_u32 generation; /* how many had its number before */
    exo_word64 sent;
    exo_u32 stop;
} EXO_ALIGNED(64);

struct board {
    struct producer producer[PRODUCERS];
    exo_u32 bury;   /* order to the producers: bury this one */
    exo_u32 buried; /* done */
};

struct family {
    struct exo_ring ring;
    struct exo_sender tx; /* the parent's own */
    struct exo_receiver rx;
    struct board *board;
    pid_t child[PRODUCERS];
    exo_u64 next[PRODUCERS]; /* what the receiver expects from each */
    void *memory;
    exo_size bytes;
};

static void family_begin(struct family *family, exo_u32 slots, exo_u64 start)
{
    struct exo_ring_config config = {0};
    config.slots = slots;
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    config.producers = PRODUCERS + 1;
    config.arena_size = EXO_ARENA_NONE;
    config.start = start;
    config.spin = 1;
    memset(family, 0, sizeof(*family));
    assert_int_equal(exo_ring_bytes(&config, &family->bytes), EXO_OK);
    family->memory = shared_page(family->bytes);
    family->board = (struct board *)shared_page(sizeof(struct board));
    assert_int_equal(exo_ring_init(&family->ring, &config, family->memory, family->bytes), EXO_OK);
    assert_int_equal(exo_ring_sender(&family->ring, &family->tx), EXO_OK);
    assert_int_equal(exo_ring_receiver(&family->ring, &family->rx), EXO_OK);
}

static void family_end(struct family *family)
{
    (void)munmap(family->memory, family->bytes);
    (void)munmap(family->board, sizeof(struct board));
}

/* Obey an order to bury, if there is one. */
static void bury_as_ordered(struct family *family, struct exo_sender *tx)
{
    exo_u32 dead = exo_load32(&family->board->bury, EXO_ACQUIRE);
    if (dead != 0) {
        exo_status status = exo_sender_bury(tx, dead);
        CHECK(status == EXO_OK || status == EXO_NOT_FOUND); /* another one was faster */
        exo_store32(&family->board->buried, dead, EXO_RELEASE);
    }
}

static void write_message(exo_word64 *words, exo_u32 number, exo_u32 generation, exo_u64 sequence)
{
    words[0] = (exo_u64)generation << 8 | number;
    words[1] = sequence;
    stream_fill(words + 2, sequence * PRODUCERS + number, WORDS - 2);
}

/* One message that is claimed for a while before it is published. */
static exo_i64 send_slowly(struct exo_sender *tx, const exo_word64 *words)
{
    struct exo_reserved reserved;
    exo_status status = exo_reserve(tx, 8 * WORDS, &reserved);
    if (status != EXO_OK) {
        return status;
    }
    memcpy(reserved.data, words, 8);
    (void)sched_yield();
    memcpy((exo_u8 *)reserved.data + 8, words + 1, 8 * (WORDS - 1));
    return exo_commit(tx, &reserved, 8 * WORDS);
}

/* A producer: one message, or a lot of three, at a time. */
static void produce(struct family *family, exo_u32 number)
{
    struct producer *own = &family->board->producer[number];
    struct exo_sender tx;
    exo_word64 lot[3 * WORDS];
    exo_u64 sent = 0;
    exo_store32(&own->self, exo_port_self(), EXO_RELEASE);
    CHECK(exo_ring_sender(&family->ring, &tx) == EXO_OK);
    while (exo_load32(&own->stop, EXO_ACQUIRE) == 0) {
        exo_u32 count = sent % 4 == 0 ? 3 : 1;
        exo_i64 result;
        exo_u32 i;
        for (i = 0; i < count; i++) {
            write_message(lot + WORDS * i, number, own->generation, sent + i);
        }
        if (count == 1) {
            result = sent % 4 == 3 ? send_slowly(&tx, lot) : exo_send_blocking(&tx, lot, 8 * WORDS, in_ms(2));
        } else {
            result = exo_send_bulk(&tx, lot, 8 * WORDS, count);
        }
        if (result == (count == 1 ? 0 : (exo_i64)count)) {
            sent += count;
            exo_store64(&own->sent, sent, EXO_RELEASE);
        } else {
            CHECK(result == EXO_TIMEOUT || result == EXO_FULL);
            CHECK(exo_wait_writable(&tx, in_ms(2)) != EXO_CLOSED);
        }
        bury_as_ordered(family, &tx);
    }
    CHECK(exo_sender_close(&tx) == EXO_OK);
}

static void start_producer(struct family *family, exo_u32 number)
{
    struct producer *own = &family->board->producer[number];
    pid_t child;
    exo_store64(&own->sent, 0, EXO_RELEASE);
    own->generation++;
    own->self = 0;
    family->next[number] = 0;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)alarm(WATCHDOG_S);
        produce(family, number);
        _exit(0);
    }
    family->child[number] = child;
}

/* Receive one message, which must be its producer's next; false if there is none now. */
static exo_bool receive_next(struct family *family, exo_u64 deadline_ns)
{
    exo_word64 words[WORDS] = {0};
    exo_i64 len = exo_recv_blocking(&family->rx, words, sizeof(words), deadline_ns);
    exo_u32 number;
    if (len == EXO_WOULD_BLOCK || len == EXO_TIMEOUT) {
        return EXO_FALSE;
    }
    assert_int_equal(len, sizeof(words));
    number = (exo_u32)words[0] & 0xFFu;
    assert_true(number < PRODUCERS);
    assert_int_equal(words[0] >> 8, family->board->producer[number].generation);
    assert_int_equal(words[1], family->next[number]);
    assert_true(stream_shows(words + 2, words[1] * PRODUCERS + number, WORDS - 2));
    family->next[number]++;
    return EXO_TRUE;
}

/* Whether a claim that nobody will fill holds the receiver up. */
static exo_bool is_held_up(const struct family *family)
{
    exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(&family->rx, family->rx.pos));
    return exo_control_is_for_pvt(control, family->rx.pos) && exo_control_kind_pvt(control) == EXO_KIND_CLAIM;
}

static void bury(struct family *family, exo_u32 number, exo_bool by_survivor)
{
    exo_u32 dead = exo_load32(&family->board->producer[number].self, EXO_ACQUIRE);
    if (!by_survivor) {
        exo_status status = exo_sender_bury(&family->tx, dead);
        assert_true(status == EXO_OK || (status == EXO_NOT_FOUND && family->next[number] == 0));
        return;
    }
    exo_store32(&family->board->buried, 0, EXO_RELEASE);
    exo_store32(&family->board->bury, dead, EXO_RELEASE);
    while (exo_load32(&family->board->buried, EXO_ACQUIRE) != dead) {
        (void)receive_next(family, in_ms(1));
    }
    exo_store32(&family->board->bury, 0, EXO_RELEASE);
}

/* Kill one producer, bury it, see that all it had published comes. Returns whether it left a claim in the way. */
static exo_bool lose_producer(struct family *family, exo_u32 number, exo_bool by_survivor)
{
    exo_u64 published;
    exo_u32 more;
    exo_bool held_up;
    assert_int_equal(kill(family->child[number], SIGKILL), 0);
    assert_int_equal(join_child(family->child[number]), -SIGKILL);
    published = exo_load64(&family->board->producer[number].sent, EXO_ACQUIRE);
    while (receive_next(family, in_ms(1)) && !is_held_up(family)) {
        if (family->next[number] >= published) {
            break;
        }
    }
    held_up = is_held_up(family);
    bury(family, number, by_survivor);
    for (more = 0; more <= 2 * family->rx.mask; more++) {
        assert_true(receive_next(family, in_seconds(10))); /* the stream goes on */
    }
    assert_true(family->next[number] >= published);
    assert_true(family->next[number] <= published + 3);
    return held_up;
}

static void survivors_go_on_and_nothing_published_is_lost(void **state)
{
    struct held before = count_held();
    struct family family;
    exo_u64 seed = 5;
    exo_u32 held_up = 0;
    exo_u32 round;
    exo_u32 i;
    (void)state;
    family_begin(&family, 16, NEAR_WRAP);
    for (i = 0; i < PRODUCERS; i++) {
        start_producer(&family, i);
    }
    for (round = 0; round < 100; round++) {
        exo_u32 number = random_below(&seed, PRODUCERS);
        exo_u32 messages = random_below(&seed, 600);
        while (messages-- != 0) {
            assert_true(receive_next(&family, in_seconds(10)));
        }
        held_up += lose_producer(&family, number, round % 2 != 0);
        start_producer(&family, number);
    }
    for (i = 0; i < PRODUCERS; i++) {
        exo_store32(&family.board->producer[i].stop, 1, EXO_RELEASE);
    }
    for (i = 0; i < PRODUCERS; i++) {
        while (waitpid(family.child[i], NULL, WNOHANG) == 0) {
            (void)receive_next(&family, in_ms(1));
        }
    }
    while (receive_next(&family, EXO_NOW)) {
    }
    for (i = 0; i < PRODUCERS; i++) {
        assert_int_equal(family.next[i], exo_load64(&family.board->producer[i].sent, EXO_ACQUIRE));
    }
    print_message("             %u of 100 kills left a claim in the receiver's way\n", held_up);
    assert_int_equal(exo_sender_close(&family.tx), EXO_OK);
    assert_int_equal(exo_recv_inline(&family.rx, NULL, 0), EXO_CLOSED);
    family_end(&family);
    assert_held(before);
}

/* A child that does something with the ring and then dies on the spot. */
struct last_deed {
    struct family *family;
    void (*deed)(struct family *family, struct exo_sender *tx);
};

static void does_it_and_dies(void *argument)
{
    const struct last_deed *last = (const struct last_deed *)argument;
    struct exo_sender tx;
    memset(&tx, 0, sizeof(tx));
    exo_store32(&last->family->board->producer[0].self, exo_port_self(), EXO_RELEASE);
    last->deed(last->family, &tx);
    (void)kill(getpid(), SIGKILL);
}

static void die_after(struct family *family, void (*deed)(struct family *family, struct exo_sender *tx))
{
    struct last_deed last = {family, deed};
    assert_int_equal(join_child(start_child(does_it_and_dies, &last)), -SIGKILL);
}

static void sends_reserves_and_sends(struct family *family, struct exo_sender *tx)
{
    struct exo_reserved reserved;
    CHECK(exo_ring_sender(&family->ring, tx) == EXO_OK);
    CHECK(exo_send_inline(tx, "1", 1) == EXO_OK);
    CHECK(exo_reserve(tx, 8, &reserved) == EXO_OK);
    memset(reserved.data, 0x77, 8);
    CHECK(exo_send_inline(tx, "2", 1) == EXO_OK);
}

static void a_claim_of_the_dead_is_in_the_way_until_it_is_buried_and_no_longer(void **state)
{
    struct family family;
    exo_u32 dead;
    exo_u32 lap;
    char byte = 0;
    (void)state;
    family_begin(&family, 8, NEAR_WRAP);
    for (lap = 0; lap < 30; lap++) {
        die_after(&family, sends_reserves_and_sends);
        dead = family.board->producer[0].self;
        assert_int_equal(exo_send_inline(&family.tx, "3", 1), EXO_OK);
        assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), 1);
        assert_int_equal(byte, '1');
        assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), EXO_EMPTY);
        assert_int_equal(exo_sender_bury(&family.tx, dead), EXO_OK);
        assert_int_equal(exo_sender_bury(&family.tx, dead), EXO_NOT_FOUND);
        assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), 1);
        assert_int_equal(byte, '2');
        assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), 1);
        assert_int_equal(byte, '3');
        assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), EXO_EMPTY);
    }
    family_end(&family);
}

/* A producer that buries another one while the receiver, its parent, sleeps. */
static void buries_beside_a_sleeper(void *argument)
{
    struct family *family = (struct family *)argument;
    struct exo_sender tx;
    CHECK(exo_ring_sender(&family->ring, &tx) == EXO_OK);
    wait_asleep(getppid());
    CHECK(exo_sender_bury(&tx, family->board->producer[0].self) == EXO_OK);
}

static void a_burial_wakes_the_receiver(void **state)
{
    struct family family;
    char byte = 0;
    pid_t child;
    (void)state;
    family_begin(&family, 8, NEAR_WRAP);
    die_after(&family, sends_reserves_and_sends);
    assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), 1);
    child = start_child(buries_beside_a_sleeper, &family);
    assert_int_equal(exo_recv_blocking(&family.rx, &byte, 1, EXO_FOREVER), 1);
    assert_int_equal(byte, '2');
    assert_int_equal(join_child(child), 0);
    family_end(&family);
}

/* The first half of exo_sender_attach(). */
static void takes_a_place_only(struct family *family, struct exo_sender *tx)
{
    struct exo_geometry geometry;
    exo_u32 index = 0;
    memset(&geometry, 0, sizeof(geometry));
    geometry.producers = PRODUCERS + 1;
    tx->tx = (struct exo_tx_segment *)family->memory;
    CHECK(exo_owner_claim_pvt(tx, &geometry, &index) == EXO_OK);
}

static void attaches_and_closes(struct family *family, struct exo_sender *tx)
{
    CHECK(exo_ring_sender(&family->ring, tx) == EXO_OK);
    CHECK(exo_sender_close(tx) == EXO_OK);
}

static void a_death_while_attaching_does_not_close_the_ring_for_others(void **state)
{
    struct family family;
    char byte = 0;
    (void)state;
    family_begin(&family, 8, NEAR_WRAP);
    die_after(&family, takes_a_place_only);
    assert_int_equal(exo_sender_bury(&family.tx, family.board->producer[0].self), EXO_OK);
    die_after(&family, attaches_and_closes);
    assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), EXO_EMPTY); /* not closed */
    assert_int_equal(exo_send_inline(&family.tx, "a", 1), EXO_OK);
    assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), 1);
    assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), EXO_EMPTY);
    assert_int_equal(exo_sender_close(&family.tx), EXO_OK);
    assert_int_equal(exo_recv_inline(&family.rx, &byte, 1), EXO_CLOSED);
    family_end(&family);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(survivors_go_on_and_nothing_published_is_lost),
        CLAIM(a_claim_of_the_dead_is_in_the_way_until_it_is_buried_and_no_longer),
        CLAIM(a_burial_wakes_the_receiver),
        CLAIM(a_death_while_attaching_does_not_close_the_ring_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
