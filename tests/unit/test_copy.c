/* SPDX-License-Identifier: MIT */
/* Copies between bytes anywhere and the words of a line. */
#include "ring_fixture.h"

#define CANARY      0xC3u
#define CANARY_WORD 0xC3C3C3C3C3C3C3C3ull
#define WORDS       8
#define SHIFTS      16

struct outside {
    EXO_ALIGNED(64) exo_u8 bytes[16 + SHIFTS + EXO_INLINE_THRESHOLD + 16];
};

static void paint(struct outside *outside, exo_word64 *words)
{
    exo_u32 i;
    memset(outside->bytes, CANARY, sizeof(outside->bytes));
    for (i = 0; i < WORDS; i++) {
        words[i] = CANARY_WORD;
    }
}

static void assert_canaries_around(const struct outside *outside, exo_size from, exo_size len)
{
    exo_size i;
    for (i = 0; i < sizeof(outside->bytes); i++) {
        if (i < from || i >= from + len) {
            assert_int_equal(outside->bytes[i], CANARY);
        }
    }
}

/* Calls with every length and every misalignment. */
static void for_every_place(void (*check)(exo_size shift, exo_size len))
{
    exo_size shift;
    exo_size len;
    for (shift = 0; shift < SHIFTS; shift++) {
        for (len = 0; len <= EXO_INLINE_THRESHOLD; len++) {
            check(16 + shift, len);
        }
    }
}

static void check_store(exo_size shift, exo_size len)
{
    struct outside from;
    EXO_ALIGNED(64) exo_word64 words[WORDS];
    const exo_u8 *stored = (const exo_u8 *)words;
    exo_size i;
    paint(&from, words);
    fill_message(from.bytes + shift, len, (exo_u32)len);
    exo_words_store(words, from.bytes + shift, len);
    assert_message(stored, len, (exo_u32)len);
    for (i = len; i % 8 != 0; i++) {
        assert_int_equal(stored[i], 0);
    }
    for (; i < sizeof(words); i++) {
        assert_int_equal(stored[i], CANARY);
    }
    assert_canaries_around(&from, shift, len);
}

static void a_store_fills_whole_words_and_touches_no_other(void **state)
{
    (void)state;
    for_every_place(check_store);
}

static void check_load(exo_size shift, exo_size len)
{
    struct outside to;
    EXO_ALIGNED(64) exo_word64 words[WORDS];
    paint(&to, words);
    fill_message((exo_u8 *)words, EXO_INLINE_THRESHOLD, (exo_u32)len);
    exo_words_load(to.bytes + shift, words, len);
    assert_message(to.bytes + shift, len, (exo_u32)len);
    assert_canaries_around(&to, shift, len);
}

static void a_load_writes_exactly_the_length(void **state)
{
    (void)state;
    for_every_place(check_load);
}

static void check_tail(exo_size shift, exo_size len)
{
    struct outside there;
    exo_word64 unused[WORDS];
    exo_u64 value;
    exo_u8 raw[8];
    if (len < 1 || len > 7) {
        return;
    }
    paint(&there, unused);
    fill_message(there.bytes + shift, len, 5);
    value = exo_read_tail(there.bytes + shift, len);
    memcpy(raw, &value, sizeof(raw));
    assert_message(raw, len, 5);
    for (; len < 8; len++) {
        assert_int_equal(raw[len], 0);
    }
    for (len = 1; len < 8; len++) {
        paint(&there, unused);
        fill_message(raw, sizeof(raw), 9);
        memcpy(&value, raw, sizeof(raw));
        exo_write_tail(there.bytes + shift, value, len);
        assert_message(there.bytes + shift, len, 9);
        assert_canaries_around(&there, shift, len);
    }
}

static void a_tail_reads_and_writes_only_its_bytes_in_the_order_of_memory(void **state)
{
    (void)state;
    for_every_place(check_tail);
}

static void whole_words_travel_at_any_address(void **state)
{
    struct outside there;
    exo_word64 unused[WORDS];
    exo_size shift;
    (void)state;
    for (shift = 16; shift < 16 + SHIFTS; shift++) {
        paint(&there, unused);
        exo_write64(there.bytes + shift, 0x0123456789ABCDEFull);
        assert_true(exo_read64(there.bytes + shift) == 0x0123456789ABCDEFull);
        assert_canaries_around(&there, shift, 8);
    }
}

static void check_line(exo_size shift, exo_size len)
{
    struct outside from;
    struct outside to;
    EXO_ALIGNED(64) exo_word64 line[WORDS];
    exo_u64 control = exo_control_pvt(0xFFFFFFFFull, EXO_KIND_INLINE, (exo_u32)len);
    paint(&from, line);
    paint(&to, line);
    fill_message(from.bytes + shift, len, 3);
    exo_line_publish_pvt(line, from.bytes + shift, len, control);
    assert_true(exo_line_ready_pvt(line) == control);
    assert_true(exo_control_is_for_pvt(control, 0xFFFFFFFFull));
    assert_false(exo_control_is_for_pvt(control, 0));
    exo_line_read_pvt(to.bytes + shift, line, len);
    assert_message(to.bytes + shift, len, 3);
    assert_canaries_around(&to, shift, len);
    assert_canaries_around(&from, shift, len);
}

static void a_line_carries_every_length_and_its_control_word(void **state)
{
    (void)state;
    for_every_place(check_line);
}

static void nothing_may_come_from_nowhere_and_go_nowhere(void **state)
{
    exo_word64 words[WORDS];
    struct outside unused;
    exo_u32 i;
    (void)state;
    paint(&unused, words);
    exo_words_store(words, NULL, 0);
    exo_words_load(NULL, words, 0);
    for (i = 0; i < WORDS; i++) {
        assert_true(words[i] == CANARY_WORD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_fills_whole_words_and_touches_no_other),
        cmocka_unit_test(a_load_writes_exactly_the_length),
        cmocka_unit_test(a_tail_reads_and_writes_only_its_bytes_in_the_order_of_memory),
        cmocka_unit_test(whole_words_travel_at_any_address),
        cmocka_unit_test(a_line_carries_every_length_and_its_control_word),
        cmocka_unit_test(nothing_may_come_from_nowhere_and_go_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
