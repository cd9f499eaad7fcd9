/* SPDX-License-Identifier: MIT */
/* Integer arithmetic, at its edges. */
#include "ring_fixture.h"

static void only_powers_of_two_are_powers_of_two(void **state)
{
    exo_u32 bit;
    (void)state;
    assert_false(exo_is_pow2(0));
    for (bit = 0; bit < 64; bit++) {
        exo_u64 power = (exo_u64)1 << bit;
        assert_true(exo_is_pow2(power));
        if (bit > 0) {
            assert_false(exo_is_pow2(power + 1));
        }
        if (bit > 1) {
            assert_false(exo_is_pow2(power - 1));
        }
    }
    assert_false(exo_is_pow2(~(exo_u64)0));
}

static void log2_is_the_index_of_the_highest_bit(void **state)
{
    exo_u32 bit;
    (void)state;
    for (bit = 0; bit < 64; bit++) {
        exo_u64 power = (exo_u64)1 << bit;
        assert_int_equal(exo_log2(power), bit);
        assert_int_equal(exo_log2(power | (power - 1)), bit);
    }
}

static void align_up_goes_to_the_next_multiple_and_no_further(void **state)
{
    exo_u64 align;
    (void)state;
    for (align = 1; align <= 4096; align *= 2) {
        exo_u64 value;
        for (value = 0; value < 300; value++) {
            exo_u64 up = exo_align_up(value, align);
            assert_true(up >= value && up - value < align && up % align == 0);
        }
    }
    assert_true(exo_align_up(0x100000001ull, 64) == 0x100000040ull);
    assert_true(exo_align_up(0x8000000000000001ull, 128) == 0x8000000000000080ull);
}

static void min64_compares_all_64_bits(void **state)
{
    (void)state;
    assert_true(exo_min64(1, 2) == 1);
    assert_true(exo_min64(2, 1) == 1);
    assert_true(exo_min64(3, 3) == 3);
    assert_true(exo_min64(0x100000000ull, 5) == 5);
    assert_true(exo_min64(~(exo_u64)0, 1) == 1);
}

static void a_range_is_within_only_if_all_of_it_is(void **state)
{
    const exo_u64 most = ~(exo_u64)0;
    (void)state;
    assert_true(exo_range_ok(0, 0, 0));
    assert_true(exo_range_ok(0, 10, 10));
    assert_true(exo_range_ok(10, 0, 10));
    assert_true(exo_range_ok(3, 7, 10));
    assert_false(exo_range_ok(3, 8, 10));
    assert_false(exo_range_ok(11, 0, 10));
    assert_false(exo_range_ok(0, 11, 10));
    assert_true(exo_range_ok(0, most, most));
    assert_true(exo_range_ok(most, 0, most));
}

static void a_range_whose_end_wraps_is_not_within(void **state)
{
    const exo_u64 most = ~(exo_u64)0;
    (void)state;
    assert_false(exo_range_ok(1, most, 10));
    assert_false(exo_range_ok(most, 1, 10));
    assert_false(exo_range_ok(most, most, 10));
    assert_false(exo_range_ok(5, most - 4, 10));
    assert_false(exo_range_ok(1, most, most));
}

static void alignment_is_that_of_the_address(void **state)
{
    static EXO_ALIGNED(128) exo_u8 bytes[256];
    exo_u32 i;
    (void)state;
    for (i = 0; i < 128; i++) {
        assert_true(exo_is_aligned(&bytes[i], 1));
        assert_int_equal(exo_is_aligned(&bytes[i], 8), i % 8 == 0);
        assert_int_equal(exo_is_aligned(&bytes[i], 64), i % 64 == 0);
        assert_int_equal(exo_is_aligned(&bytes[i], 128), i == 0);
    }
    assert_true(exo_is_aligned(NULL, 128));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_powers_of_two_are_powers_of_two),
        cmocka_unit_test(log2_is_the_index_of_the_highest_bit),
        cmocka_unit_test(align_up_goes_to_the_next_multiple_and_no_further),
        cmocka_unit_test(min64_compares_all_64_bits),
        cmocka_unit_test(a_range_is_within_only_if_all_of_it_is),
        cmocka_unit_test(a_range_whose_end_wraps_is_not_within),
        cmocka_unit_test(alignment_is_that_of_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
