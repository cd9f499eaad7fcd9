/* SPDX-License-Identifier: MIT */
/* Histograms: what a bucket is, and what the percentiles say, beside an exact count. */
#include "ring_fixture.h"

static struct exo_histogram histogram;
static struct exo_histogram other;
static exo_u64 random_state;

static exo_u64 random_value(void)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return random_state >> 16 >> (random_state % 48); /* all sizes up to 48 bits */
}

static int begin(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof(histogram));
    memset(&other, 0, sizeof(other));
    random_state = 1;
    return 0;
}

static void an_empty_one_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(exo_histogram_total(&histogram), 0);
    assert_int_equal(exo_histogram_largest(&histogram), 0);
    assert_int_equal(exo_histogram_sum(&histogram), 0);
    assert_int_equal(exo_histogram_at(&histogram, 0), 0);
    assert_int_equal(exo_histogram_at(&histogram, 500000), 0);
    assert_int_equal(exo_histogram_at(&histogram, 1000000), 0);
}

/* Alone in a histogram, with a larger one behind it, a value is answered as the middle of its bucket. */
static exo_u64 answered(exo_u64 value)
{
    memset(&histogram, 0, sizeof(histogram));
    exo_histogram_record(&histogram, value);
    exo_histogram_record(&histogram, ~(exo_u64)0);
    return exo_histogram_at(&histogram, 500000);
}

static void a_value_is_known_within_a_32nd(void **state)
{
    exo_u64 value;
    exo_u32 i;
    (void)state;
    for (value = 0; value < 2000; value++) {
        exo_u64 got = answered(value);
        assert_true((got > value ? got - value : value - got) <= value / 32);
    }
    for (i = 0; i < 2000; i++) {
        exo_u64 got;
        value = random_value();
        got = answered(value);
        assert_true((got > value ? got - value : value - got) <= value / 32);
    }
}

static void buckets_go_up_without_a_gap(void **state)
{
    exo_u32 before = exo_histogram_bucket_pvt(0);
    exo_u64 value;
    exo_u32 bit;
    (void)state;
    assert_int_equal(before, 0);
    for (value = 1; value < 5000; value++) {
        exo_u32 bucket = exo_histogram_bucket_pvt(value);
        assert_true(bucket == before || bucket == before + 1);
        before = bucket;
    }
    for (bit = 5; bit < EXO_HISTOGRAM_BITS; bit++) {
        exo_u64 power = (exo_u64)1 << bit;
        assert_int_equal(exo_histogram_bucket_pvt(power), exo_histogram_bucket_pvt(power - 1) + 1);
    }
    assert_int_equal(exo_histogram_bucket_pvt(((exo_u64)1 << EXO_HISTOGRAM_BITS) - 1), EXO_HISTOGRAM_BUCKETS - 1);
}

static int ascending(const void *a, const void *b)
{
    exo_u64 left = *(const exo_u64 *)a;
    exo_u64 right = *(const exo_u64 *)b;
    return (left > right) - (left < right);
}

static void percentiles_are_those_of_the_values(void **state)
{
    static const exo_u32 asked[] = {0, 1, 10000, 250000, 500000, 900000, 990000, 999000, 999999, 1000000, 2000000};
    static exo_u64 values[5000];
    exo_u64 sum = 0;
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        values[i] = random_value();
        sum += values[i];
        exo_histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT(values), sizeof(values[0]), ascending);
    assert_int_equal(exo_histogram_total(&histogram), COUNT(values));
    assert_int_equal(exo_histogram_sum(&histogram), sum);
    assert_int_equal(exo_histogram_largest(&histogram), values[COUNT(values) - 1]);
    for (i = 0; i < COUNT(asked); i++) {
        exo_u64 rank = ((exo_u64)asked[i] * COUNT(values) + 999999) / 1000000; /* so many do not exceed it */
        exo_u64 wanted;
        exo_u64 got = exo_histogram_at(&histogram, asked[i]);
        rank = rank == 0 ? 1 : rank > COUNT(values) ? COUNT(values) : rank;
        wanted = values[rank - 1];
        assert_true((got > wanted ? got - wanted : wanted - got) <= wanted / 32);
        assert_true(got <= values[COUNT(values) - 1]);
    }
    assert_int_equal(exo_histogram_at(&histogram, 1000000), values[COUNT(values) - 1]);
}

static void what_is_too_large_counts_as_the_largest(void **state)
{
    (void)state;
    exo_histogram_record(&histogram, ~(exo_u64)0);
    exo_histogram_record(&histogram, (exo_u64)1 << EXO_HISTOGRAM_BITS);
    assert_int_equal(exo_histogram_total(&histogram), 2);
    assert_int_equal(exo_histogram_largest(&histogram), ((exo_u64)1 << EXO_HISTOGRAM_BITS) - 1);
    assert_int_equal(exo_histogram_at(&histogram, 1000000), ((exo_u64)1 << EXO_HISTOGRAM_BITS) - 1);
}

static void two_are_added_as_if_one_had_counted(void **state)
{
    static struct exo_histogram both;
    exo_u32 i;
    (void)state;
    memset(&both, 0, sizeof(both));
    for (i = 0; i < 1000; i++) {
        exo_u64 value = random_value();
        exo_histogram_record(i % 3 == 0 ? &histogram : &other, value);
        exo_histogram_record(&both, value);
    }
    exo_histogram_record(&other, ~(exo_u64)0); /* the largest comes with the other */
    exo_histogram_record(&both, ~(exo_u64)0);
    exo_histogram_add(&histogram, &other);
    assert_memory_equal(&histogram, &both, sizeof(both));
    memset(&other, 0, sizeof(other));
    exo_histogram_add(&histogram, &other);
    assert_memory_equal(&histogram, &both, sizeof(both));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_one_says_nothing, begin),
        cmocka_unit_test_setup(a_value_is_known_within_a_32nd, begin),
        cmocka_unit_test_setup(buckets_go_up_without_a_gap, begin),
        cmocka_unit_test_setup(percentiles_are_those_of_the_values, begin),
        cmocka_unit_test_setup(what_is_too_large_counts_as_the_largest, begin),
        cmocka_unit_test_setup(two_are_added_as_if_one_had_counted, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
