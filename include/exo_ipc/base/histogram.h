/* SPDX-License-Identifier: MIT */
/*
 * A histogram of times or sizes, in a fixed number of words and without a division.
 *
 * Values below EXO_HISTOGRAM_STEPS have a bucket each; above, every doubling is cut into so many buckets of the same
 * width, so that a bucket is at most a 16th of its values wide. The idea is that of HdrHistogram (Gil Tene).
 *
 * One thread records; any other, in any process that sees the memory, may read at the same time. What it reads is then
 * a mixture of moments, but each word of it was true.
 */
#ifndef EXO_IPC_BASE_HISTOGRAM_H
#define EXO_IPC_BASE_HISTOGRAM_H

#include "atomic.h"
#include "math.h"

#define EXO_HISTOGRAM_STEPS 16u
#define EXO_HISTOGRAM_STEP_BITS 4u
#define EXO_HISTOGRAM_BITS 48u /* of a value; what is larger counts as the largest of them */
#define EXO_HISTOGRAM_BUCKETS (EXO_HISTOGRAM_STEPS * (EXO_HISTOGRAM_BITS - EXO_HISTOGRAM_STEP_BITS + 1u))

/**
 * struct exo_histogram - how often each value came. All zero is an empty one; its members are the library's.
 */
struct exo_histogram {
    exo_word64 count[EXO_HISTOGRAM_BUCKETS];
    exo_word64 largest;
    exo_word64 sum;
};

/* One writer: no locked instruction. */
EXO_HOT void exo_tally_pvt(exo_word64 *word, exo_u64 more)
{
    exo_store64(word, exo_load64(word, EXO_RELAXED) + more, EXO_RELAXED); /* relaxed: a figure, guards nothing */
}

EXO_INLINE exo_u32 exo_histogram_bucket_pvt(exo_u64 value)
{
    exo_u32 shift;
    if (value < EXO_HISTOGRAM_STEPS) {
        return (exo_u32)value;
    }
    shift = exo_log2(value) - EXO_HISTOGRAM_STEP_BITS;
    return shift * EXO_HISTOGRAM_STEPS + (exo_u32)(value >> shift);
}

/* The value in the middle of a bucket. */
EXO_INLINE exo_u64 exo_histogram_middle_pvt(exo_u32 bucket)
{
    exo_u32 shift = bucket / EXO_HISTOGRAM_STEPS;
    if (shift < 2) {
        return bucket;
    }
    shift--;
    return ((exo_u64)(bucket - shift * EXO_HISTOGRAM_STEPS) << shift) + ((exo_u64)1 << shift) / 2;
}

/**
 * exo_histogram_record - count a value.
 * @histogram: the caller is its only writer
 * @value: 2^48 - 1 stands for all that is larger
 *
 * Context: any, interrupts included. Orders nothing. Progress: wait-free.
 */
EXO_INLINE void exo_histogram_record(struct exo_histogram *histogram, exo_u64 value)
{
    value = exo_min64(value, ((exo_u64)1 << EXO_HISTOGRAM_BITS) - 1);
    exo_tally_pvt(&histogram->count[exo_histogram_bucket_pvt(value)], 1);
    exo_tally_pvt(&histogram->sum, value);
    if (value > exo_load64(&histogram->largest, EXO_RELAXED)) { /* relaxed: only we write it */
        exo_store64(&histogram->largest, value, EXO_RELAXED);   /* relaxed: as exo_tally_pvt() */
    }
}

/**
 * exo_histogram_total - how many values were counted. Context: any. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_histogram_total(const struct exo_histogram *histogram)
{
    exo_u64 total = 0;
    exo_u32 i;
    for (i = 0; i < EXO_HISTOGRAM_BUCKETS; i++) {
        total += exo_load64(&histogram->count[i], EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
    }
    return total;
}

/**
 * exo_histogram_largest - the largest value that was counted, exactly; 0 if none was. Context: any.
 */
EXO_INLINE exo_u64 exo_histogram_largest(const struct exo_histogram *histogram)
{
    return exo_load64(&histogram->largest, EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
}

/**
 * exo_histogram_sum - all values that were counted, added up: with the total, their mean. Context: any.
 */
EXO_INLINE exo_u64 exo_histogram_sum(const struct exo_histogram *histogram)
{
    return exo_load64(&histogram->sum, EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
}

/**
 * exo_histogram_at - a value that so many of those counted do not exceed.
 * @histogram: may be written meanwhile
 * @per_million: 500000 for the median, 999000 for the 99.9th percentile; 1000000 and more for the largest
 *
 * Returns: the middle of the value's bucket, which is within a 32nd of the value, and never more than the largest; 0 if
 * nothing was counted. Context: any. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_histogram_at(const struct exo_histogram *histogram, exo_u32 per_million)
{
    exo_u64 total = exo_histogram_total(histogram);
    exo_u64 largest = exo_histogram_largest(histogram);
    exo_u64 seen = 0;
    exo_u32 i;
    for (i = 0; i < EXO_HISTOGRAM_BUCKETS && per_million < 1000000u; i++) {
        exo_u64 count = exo_load64(&histogram->count[i], EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
        seen += count;
        /* seen / total >= per_million / 10^6, and no product of 64 bits: 2^44 values are weeks of counting. */
        if (count != 0 && seen * 1000000u >= total * per_million) {
            return exo_min64(exo_histogram_middle_pvt(i), largest);
        }
    }
    return largest;
}

/**
 * exo_histogram_add - count all that another histogram has counted.
 * @histogram: the caller is its only writer
 * @other: may be written meanwhile
 *
 * Context: any. Progress: wait-free.
 */
EXO_INLINE void exo_histogram_add(struct exo_histogram *histogram, const struct exo_histogram *other)
{
    exo_u64 largest = exo_histogram_largest(other);
    exo_u32 i;
    for (i = 0; i < EXO_HISTOGRAM_BUCKETS; i++) {
        exo_tally_pvt(&histogram->count[i], exo_load64(&other->count[i], EXO_RELAXED)); /* relaxed: as exo_tally_pvt() */
    }
    exo_tally_pvt(&histogram->sum, exo_histogram_sum(other));
    if (largest > exo_histogram_largest(histogram)) {
        exo_store64(&histogram->largest, largest, EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
    }
}

#endif
