/* SPDX-License-Identifier: MIT */
/*
 * What a hostile sender writes into a descriptor, and a hostile receiver into its release ring. Each may spoil
 * its own messages and nothing else.
 */
#include "zerocopy_fixture.h"

static const struct variant hostile = {EXO_SPSC, EXO_HOSTILE, BELOW_WRAP};

#define GENERATION (1ull << 32)
#define MAX 0xFFFFFFFFFFFFFFFFull
#define AT 3u                        /* first block of the loan that is sent */
#define OFF (AT * BLOCK + 16u)       /* of what is sent, from the arena's first byte */
#define LEN 100u

/* A loan of two blocks at block AT, generation 1, of which LEN bytes are sent; blocks before are lent. */
static void send_at(struct pair *pair)
{
    struct exo_loaned loan;
    assert_int_equal(exo_loan(&pair->tx, AT * BLOCK, &loan), EXO_OK);
    assert_int_equal(exo_loan(&pair->tx, 2 * BLOCK, &loan), EXO_OK);
    assert_int_equal(loan.token, GENERATION | EXO_BLOCK_LENT | AT);
    loan.off = 16;
    loan.len = LEN;
    assert_int_equal(exo_send_loan(&pair->tx, &loan), EXO_OK);
}

/* The three words of the message that the receiver takes next. */
static exo_word64 *descriptor_of(struct pair *pair)
{
    return exo_tx_line_pvt(&pair->tx, pair->rx.pos);
}

static void assert_sticks_corrupt(struct pair *pair)
{
    struct exo_viewed view;
    struct exo_peeked peeked;
    exo_u8 bytes[64];
    exo_u32 length;
    assert_int_equal(exo_send_inline(&pair->tx, "good", 4), EXO_OK);
    assert_int_equal(exo_view(&pair->rx, &view), EXO_CORRUPT);
    assert_null(view.data);
    assert_int_equal(exo_recv_inline(&pair->rx, bytes, 56), EXO_CORRUPT);
    assert_int_equal(exo_recv(&pair->rx, bytes, 64), EXO_CORRUPT);
    assert_int_equal(exo_recv_burst(&pair->rx, bytes, 56, 1, &length), EXO_CORRUPT);
    assert_int_equal(exo_recv_bulk(&pair->rx, bytes, 56, 1, &length), EXO_CORRUPT);
    assert_int_equal(exo_peek(&pair->rx, &peeked), EXO_CORRUPT);
    assert_int_equal(exo_wait_readable(&pair->rx, EXO_FOREVER), EXO_CORRUPT);
    assert_int_equal(exo_view_blocking(&pair->rx, &view, EXO_FOREVER), EXO_CORRUPT);
}

static void assert_within_arena(const struct pair *pair, const struct exo_viewed *view)
{
    const exo_u8 *arena = pair->tx.arena->memory;
    exo_size off = (exo_size)((exo_uptr)view->data - (exo_uptr)arena);
    assert_true(off <= ARENA && view->len <= ARENA - off);
}

struct lie {
    exo_u32 word;
    exo_u64 value;
    exo_status answer;
};

static const struct lie lies[] = {
    /* No such block, or no generation. */
    {0, 0, EXO_CORRUPT},
    {0, MAX, EXO_CORRUPT},
    {0, AT, EXO_CORRUPT},
    {0, GENERATION | BLOCKS, EXO_CORRUPT},
    {0, GENERATION | 0x7FFFFFFFu, EXO_CORRUPT},
    {0, GENERATION | 0xFFFFFFFFu, EXO_CORRUPT},
    {0, MAX - 0xFFFFFFFFu + BLOCKS, EXO_CORRUPT},
    /* Another block, or another generation, is a message all the same: it is the sender's own arena. */
    {0, GENERATION | 0, EXO_OK},
    {0, GENERATION | (AT + 1), EXO_OK},
    {0, GENERATION | (AT - 1), EXO_OK},
    {0, GENERATION | (BLOCKS - 1), EXO_OK},
    {0, 2 * GENERATION | AT, EXO_OK},
    {0, MAX - 0xFFFFFFFFu + AT, EXO_OK},
    {1, 0, EXO_OK},
    {1, OFF - 1, EXO_OK},
    {1, OFF + 1, EXO_OK},
    {1, ARENA - LEN, EXO_OK},
    {1, ARENA - LEN + 1, EXO_CORRUPT},
    {1, ARENA, EXO_CORRUPT},
    {1, ARENA + 1, EXO_CORRUPT},
    {1, 1ull << 32, EXO_CORRUPT},
    {1, 1ull << 63, EXO_CORRUPT},
    {1, MAX, EXO_CORRUPT},
    {1, MAX - LEN + 1, EXO_CORRUPT},
    {2, 0, EXO_OK},
    {2, LEN - 1, EXO_OK},
    {2, LEN + 1, EXO_OK},
    {2, ARENA - OFF, EXO_OK},
    {2, ARENA - OFF + 1, EXO_CORRUPT},
    {2, ARENA, EXO_CORRUPT},
    {2, 1ull << 32, EXO_CORRUPT},
    {2, 1ull << 32 | 1, EXO_CORRUPT},
    {2, 1ull << 63, EXO_CORRUPT},
    {2, MAX, EXO_CORRUPT},
    {2, MAX - OFF + 1, EXO_CORRUPT},
};
#define LIES (sizeof(lies) / sizeof(lies[0]))

static void descriptor_that_points_outside_is_corrupt_and_sticks(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < LIES; i++) {
        struct pair pair;
        struct exo_viewed view = {&pair, 1, 1, {0}};
        if (lies[i].answer != EXO_CORRUPT) {
            continue;
        }
        open_pair(&pair, &hostile);
        send_at(&pair);
        descriptor_of(&pair)[lies[i].word] = lies[i].value;
        assert_int_equal(exo_view(&pair.rx, &view), EXO_CORRUPT);
        assert_null(view.data);
        assert_int_equal(view.len, 0);
        assert_sticks_corrupt(&pair);
        close_pair(&pair);
    }
}

static void descriptor_that_lies_within_shows_only_the_senders_arena(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < LIES; i++) {
        struct pair pair;
        struct exo_viewed view;
        struct exo_loaned loan;
        if (lies[i].answer != EXO_OK) {
            continue;
        }
        open_pair(&pair, &hostile);
        send_at(&pair);
        descriptor_of(&pair)[lies[i].word] = lies[i].value;
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        assert_within_arena(&pair, &view);
        assert_int_equal(view.len, lies[i].word == 2 ? lies[i].value : LEN);
        assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
        /* Who lies about a token is answered with it. */
        assert_int_equal(exo_loan(&pair.tx, 1, &loan), lies[i].word == 0 ? EXO_CORRUPT : EXO_OK);
        close_pair(&pair);
    }
}

static void block_that_is_being_viewed_cannot_come_again(void **state)
{
    struct pair pair;
    struct exo_viewed view;
    struct exo_viewed again;
    exo_u64 generation;
    (void)state;
    for (generation = 1; generation < 4; generation++) {
        open_pair(&pair, &hostile);
        send_at(&pair);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_OK);
        send_filled(&pair.tx, LEN, 1);
        descriptor_of(&pair)[0] = generation << 32 | AT;
        assert_int_equal(exo_view(&pair.rx, &again), EXO_CORRUPT);
        assert_sticks_corrupt(&pair);
        /* What is in use stays, and can be given back. */
        assert_within_arena(&pair, &view);
        assert_int_equal(exo_release(&pair.rx, &view), EXO_OK);
        close_pair(&pair);
    }
}

static void receiving_a_copy_checks_the_descriptor_as_well(void **state)
{
    static exo_u8 bytes[ARENA];
    size_t i;
    (void)state;
    for (i = 0; i < LIES; i++) {
        struct pair pair;
        exo_i64 length = lies[i].word == 2 ? (exo_i64)lies[i].value : LEN;
        open_pair(&pair, &hostile);
        send_at(&pair);
        descriptor_of(&pair)[lies[i].word] = lies[i].value;
        assert_int_equal(exo_recv(&pair.rx, bytes, sizeof(bytes)),
                         lies[i].answer == EXO_OK ? length : (exo_i64)EXO_CORRUPT);
        if (lies[i].answer != EXO_OK) {
            assert_sticks_corrupt(&pair);
        }
        close_pair(&pair);
    }
}

static void random_descriptors_never_lead_outside(void **state)
{
    struct pair pair;
    exo_u32 accepted = 0;
    exo_u32 lap;
    (void)state;
    random_state = 42;
    for (lap = 0; lap < 4000; lap++) {
        struct exo_viewed view;
        exo_word64 *words;
        exo_u32 i;
        open_pair(&pair, &hostile);
        send_at(&pair);
        words = descriptor_of(&pair);
        for (i = 0; i < 3; i++) {
            exo_u64 value = random_below(2 * ARENA);
            value = random_below(8) == 0 ? MAX - value : value;
            value ^= random_below(4) == 0 ? 1ull << random_below(64) : 0;
            words[i] = i == 0 ? GENERATION + value % (2 * BLOCKS) : value;
        }
        if (exo_view(&pair.rx, &view) == EXO_OK) {
            accepted++;
            assert_within_arena(&pair, &view);
        }
        close_pair(&pair);
    }
    assert_true(accepted > 20);
}

static void descriptor_on_a_ring_without_arena_is_corrupt(void **state)
{
    static const exo_u32 lengths[] = {0, LEN, EXO_ARGUMENT_MAX};
    size_t i;
    (void)state;
    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct pair pair;
        struct exo_viewed view;
        exo_word64 *line;
        open_sized(&pair, &hostile, 8, EXO_ARENA_NONE);
        line = descriptor_of(&pair);
        line[0] = GENERATION;
        line[EXO_LINE_WORDS] = exo_control_pvt(pair.rx.pos, EXO_KIND_LOAN, lengths[i]);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_CORRUPT);
        assert_int_equal(exo_view(&pair.rx, &view), EXO_CORRUPT);
        close_pair(&pair);
    }
}

/* What a hostile receiver writes as entry number n of its release ring. */
static void forge_release(struct pair *pair, exo_u64 n, exo_u64 token)
{
    struct exo_release_entry *ring = pair->rx.views.ring;
    ring[n & pair->rx.views.ring_mask].token = token;
    ring[n & pair->rx.views.ring_mask].tag = n + 1;
}

/* The sender says Corrupt from now on, to every call, and what it has lent is as it was. */
static void assert_sender_sticks_corrupt(struct pair *pair, struct exo_loaned *held, exo_u64 outstanding)
{
    struct exo_loaned loan;
    assert_int_equal(exo_loan(&pair->tx, 1, &loan), EXO_CORRUPT);
    assert_int_equal(exo_loan(&pair->tx, 1, &loan), EXO_CORRUPT);
    assert_int_equal(exo_loan_blocking(&pair->tx, 1, &loan, EXO_FOREVER), EXO_CORRUPT);
    assert_int_equal(exo_send_inline(&pair->tx, "x", 1), EXO_CORRUPT);
    assert_int_equal(exo_send_bulk(&pair->tx, "x", 1, 1), EXO_CORRUPT);
    assert_int_equal(exo_send(&pair->tx, "x", 1), EXO_CORRUPT);
    assert_int_equal(exo_wait_writable(&pair->tx, EXO_FOREVER), EXO_CORRUPT);
    assert_int_equal(exo_loans_outstanding(&pair->tx), outstanding);
    assert_true(has_pattern(held->data, 300, 9));
    assert_int_equal(exo_send_loan(&pair->tx, held), EXO_CORRUPT);
    assert_int_equal(exo_send_loans_burst(&pair->tx, held, 1), EXO_CORRUPT);
    assert_true(has_pattern(held->data, 300, 9));
    assert_int_equal(exo_loan_cancel(&pair->tx, held), EXO_OK);
}

static void release_of_what_it_never_got_stops_the_sender_and_harms_nothing(void **state)
{
    /* The sender holds block 0 (300 bytes: 2 blocks) and has sent block 2, generation 1. */
    static const exo_u64 tokens[] = {
        GENERATION | 0,           GENERATION | 1,      GENERATION | 3, GENERATION | BLOCKS,
        GENERATION | 0x80000002u, 2 * GENERATION | 2,  2,              0,
        MAX,                      (MAX - 0xFFFFFFFFu) | 2,
    };
    size_t i;
    (void)state;
    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct pair pair;
        struct exo_loaned held;
        open_pair(&pair, &hostile);
        held = filled_loan(&pair.tx, 300, 9);
        send_filled(&pair.tx, 100, 1);
        forge_release(&pair, 0, tokens[i]);
        assert_sender_sticks_corrupt(&pair, &held, 3 * BLOCK);
        close_pair(&pair);
    }
}

static void release_of_one_message_twice_stops_the_sender_and_harms_nothing(void **state)
{
    struct pair pair;
    struct exo_loaned held;
    struct exo_loaned again;
    (void)state;
    open_pair(&pair, &hostile);
    held = filled_loan(&pair.tx, 300, 9);
    send_filled(&pair.tx, 100, 1);
    expect_filled(&pair.rx, 100, 1);
    forge_release(&pair, 1, GENERATION | 2);
    again = filled_loan(&pair.tx, 100, 1); /* the first release was an honest one */
    assert_int_equal(exo_loan_cancel(&pair.tx, &again), EXO_OK);
    assert_sender_sticks_corrupt(&pair, &held, 2 * BLOCK);
    close_pair(&pair);
    /* The second time after the block was lent anew. */
    open_pair(&pair, &hostile);
    held = filled_loan(&pair.tx, 300, 9);
    send_filled(&pair.tx, 100, 1);
    expect_filled(&pair.rx, 100, 1);
    send_filled(&pair.tx, 100, 2);
    forge_release(&pair, 1, GENERATION | 2);
    assert_sender_sticks_corrupt(&pair, &held, 3 * BLOCK);
    close_pair(&pair);
}

/* Released before it was received: the receiver robs only itself of the message. */
static void early_release_spoils_only_that_message(void **state)
{
    struct pair pair;
    struct exo_loaned held;
    (void)state;
    open_pair(&pair, &hostile);
    held = filled_loan(&pair.tx, 300, 9);
    send_filled(&pair.tx, 100, 1);
    forge_release(&pair, 0, GENERATION | 2);
    send_filled(&pair.tx, 100, 2);
    assert_true(has_pattern(held.data, 300, 9));
    assert_int_equal(exo_loans_outstanding(&pair.tx), 3 * BLOCK);
    close_pair(&pair);
}

static void release_entries_without_the_right_tag_are_not_looked_at(void **state)
{
    struct pair pair;
    exo_u32 i;
    (void)state;
    open_pair(&pair, &hostile);
    random_state = 7;
    for (i = 0; i < 1000; i++) {
        struct exo_release_entry *entry = &pair.rx.views.ring[random_below(BLOCKS)];
        exo_u64 index = (exo_u64)(entry - pair.rx.views.ring);
        entry->token = random_below(BLOCKS) | GENERATION;
        entry->tag = (exo_u64)random_below(1000) << (8 * random_below(7));
        entry->tag += entry->tag == index + 1;
        assert_int_equal(exo_loans_outstanding(&pair.tx), 0);
        assert_int_equal(pair.tx.refused, EXO_OK);
    }
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_that_points_outside_is_corrupt_and_sticks),
        cmocka_unit_test(descriptor_that_lies_within_shows_only_the_senders_arena),
        cmocka_unit_test(block_that_is_being_viewed_cannot_come_again),
        cmocka_unit_test(receiving_a_copy_checks_the_descriptor_as_well),
        cmocka_unit_test(random_descriptors_never_lead_outside),
        cmocka_unit_test(descriptor_on_a_ring_without_arena_is_corrupt),
        cmocka_unit_test(release_of_what_it_never_got_stops_the_sender_and_harms_nothing),
        cmocka_unit_test(release_of_one_message_twice_stops_the_sender_and_harms_nothing),
        cmocka_unit_test(early_release_spoils_only_that_message),
        cmocka_unit_test(release_entries_without_the_right_tag_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
