/* SPDX-License-Identifier: MIT */
/* The door to atomic memory: values, widths, and that concurrent changes are not lost. */
#include "ring_fixture.h"

#define TURNS 300000u

static void a_store_changes_only_its_own_word(void **state)
{
    exo_u32 narrow[3] = {1, 2, 3};
    exo_word64 wide[3] = {1, 2, 3};
    (void)state;
    exo_store32(&narrow[1], 0xFFFFFFFFu, EXO_RELEASE);
    exo_store64(&wide[1], ~(exo_u64)0, EXO_RELEASE);
    assert_true(narrow[0] == 1 && narrow[2] == 3 && wide[0] == 1 && wide[2] == 3);
    assert_true(exo_load32(&narrow[1], EXO_ACQUIRE) == 0xFFFFFFFFu);
    assert_true(exo_load64(&wide[1], EXO_ACQUIRE) == ~(exo_u64)0);
}

static void a_change_answers_the_value_before_it(void **state)
{
    exo_u32 narrow = 0xFFFFFFFFu;
    exo_word64 wide = 0xFFFFFFFFull;
    (void)state;
    assert_true(exo_fetch_add32(&narrow, 2u, EXO_ACQ_REL) == 0xFFFFFFFFu && narrow == 1);
    assert_true(exo_fetch_or32(&narrow, 6u, EXO_RELEASE) == 1 && narrow == 7);
    assert_true(exo_fetch_and32(&narrow, ~2u, EXO_RELAXED) == 7 && narrow == 5);
    assert_true(exo_fetch_add64(&wide, 1u, EXO_RELAXED) == 0xFFFFFFFFull && wide == 0x100000000ull);
}

static void a_swap_that_fits_stores(void **state)
{
    exo_u32 narrow = 5;
    exo_word64 wide = 0x500000005ull;
    exo_u32 narrow_seen = 5;
    exo_u64 wide_seen = 0x500000005ull;
    (void)state;
    assert_true(exo_cas32(&narrow, &narrow_seen, 6u, EXO_ACQUIRE));
    assert_true(exo_cas64(&wide, &wide_seen, 6u, EXO_ACQ_REL));
    assert_true(narrow == 6 && narrow_seen == 5);
    assert_true(wide == 6 && wide_seen == 0x500000005ull);
}

static void a_swap_that_does_not_fit_tells_why_and_stores_nothing(void **state)
{
    exo_u32 narrow = 5;
    exo_word64 wide = 0x500000005ull;
    exo_u32 narrow_seen = 4;
    exo_u64 wide_seen = 5; /* differs in the high half only */
    (void)state;
    assert_false(exo_cas32(&narrow, &narrow_seen, 6u, EXO_ACQUIRE));
    assert_false(exo_cas64(&wide, &wide_seen, 6u, EXO_ACQ_REL));
    assert_true(narrow == 5 && narrow_seen == 5);
    assert_true(wide == 0x500000005ull && wide_seen == 0x500000005ull);
}

static void a_pair_is_two_neighbouring_words(void **state)
{
    EXO_ALIGNED(16) exo_word64 words[4] = {1, 2, 3, 4};
    (void)state;
    exo_store_pair_relaxed(words, 11, 12);
    assert_true(words[0] == 11 && words[1] == 12 && words[2] == 3);
    exo_store_pair_relaxed(words + 2, 13, 14);
    assert_true(words[0] == 11 && words[1] == 12 && words[2] == 13 && words[3] == 14);
}

static void a_shared_word_never_straddles_a_line(void **state)
{
    struct {
        char byte;
        exo_word64 word;
    } odd = {0, 0};
    (void)state;
    assert_true(exo_is_aligned(&odd.word, 8));
    assert_int_equal(sizeof(odd), 16);
}

struct counters {
    exo_u32 ready; /* both begin together, or one may be done before the other begins */
    exo_u32 narrow;
    exo_word64 wide;
    exo_word64 swapped;
};

static void *count_up(void *argument)
{
    struct counters *counters = (struct counters *)argument;
    exo_u32 i;
    (void)exo_fetch_add32(&counters->ready, 1u, EXO_RELAXED);
    while (exo_load32(&counters->ready, EXO_RELAXED) != 2) {
        (void)sched_yield();
    }
    for (i = 0; i < TURNS; i++) {
        exo_u64 seen = exo_load64(&counters->swapped, EXO_RELAXED);
        (void)exo_fetch_add32(&counters->narrow, 1u, EXO_RELAXED);
        (void)exo_fetch_add64(&counters->wide, 0x100000001ull, EXO_RELAXED);
        while (!exo_cas64(&counters->swapped, &seen, seen + 1, EXO_RELAXED)) {
        }
    }
    return NULL;
}

static void no_concurrent_change_is_lost(void **state)
{
    struct counters counters = {0, 0, 0, 0};
    pthread_t other;
    (void)state;
    assert_int_equal(pthread_create(&other, NULL, count_up, &counters), 0);
    (void)count_up(&counters);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_true(counters.narrow == 2 * TURNS);
    assert_true(counters.wide == 0x100000001ull * 2 * TURNS);
    assert_true(counters.swapped == 2 * TURNS);
}

/* A payload that is no atomic, and the word that hands it over. */
struct handover {
    exo_u64 payload[4];
    EXO_ALIGNED(16) exo_word64 pair[2];
    exo_u32 taken;
};

static void *hand_over(void *argument)
{
    struct handover *box = (struct handover *)argument;
    exo_u32 n;
    for (n = 1; n <= TURNS / 30; n++) {
        box->payload[n % 4] = n;
        exo_fence_compiler();
        exo_store64(&box->pair[0], n + 1, EXO_RELAXED);
        exo_store64(&box->pair[1], n, EXO_RELEASE);
        while (exo_load32(&box->taken, EXO_ACQUIRE) != n) {
            (void)sched_yield();
        }
    }
    return NULL;
}

static void an_acquire_sees_what_was_written_before_the_release(void **state)
{
    static struct handover box;
    pthread_t other;
    exo_u32 wrong = 0;
    exo_u32 n;
    (void)state;
    assert_int_equal(pthread_create(&other, NULL, hand_over, &box), 0);
    for (n = 1; n <= TURNS / 30; n++) {
        while (exo_load64(&box.pair[1], EXO_ACQUIRE) != n) {
            (void)sched_yield();
        }
        wrong += box.payload[n % 4] != n;
        wrong += exo_load64(&box.pair[0], EXO_RELAXED) != n + 1;
        exo_fence_seq();
        exo_store32(&box.taken, n, EXO_RELEASE);
    }
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_changes_only_its_own_word),
        cmocka_unit_test(a_change_answers_the_value_before_it),
        cmocka_unit_test(a_swap_that_fits_stores),
        cmocka_unit_test(a_swap_that_does_not_fit_tells_why_and_stores_nothing),
        cmocka_unit_test(a_pair_is_two_neighbouring_words),
        cmocka_unit_test(a_shared_word_never_straddles_a_line),
        cmocka_unit_test(no_concurrent_change_is_lost),
        cmocka_unit_test(an_acquire_sees_what_was_written_before_the_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
