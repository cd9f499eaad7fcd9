// SPDX-License-Identifier: MIT
/*
 * histogram.hpp - counts of durations in log-linear buckets.
 *
 * The idea is HdrHistogram's: each power of two is cut into as many equal buckets (64 here), so
 * that every value is kept with a relative error of under 1.6 %, in a fixed number of counters and
 * without a loss at the tail. It is plain memory without pointers and lies in pages that parent and
 * child share.
 */
#ifndef EXO_BENCH_SUITE_HISTOGRAM_HPP
#define EXO_BENCH_SUITE_HISTOGRAM_HPP

#include <cstddef>
#include <cstdint>

namespace bench {

struct Histogram {
    static constexpr unsigned sub_bits = 6, octaves = 40;
    static constexpr std::uint64_t sub_count = std::uint64_t{1} << sub_bits;
    static constexpr std::size_t buckets = sub_count * (octaves + 1);

    std::uint64_t count[buckets];
    std::uint64_t total;
    std::uint64_t largest;

    static std::size_t bucket_of(std::uint64_t value)
    {
        if (value < sub_count)
            return static_cast<std::size_t>(value);
        const unsigned octave = 63u - static_cast<unsigned>(__builtin_clzll(value)) - sub_bits;
        const std::uint64_t sub = (value >> octave) - sub_count;
        const std::size_t at = static_cast<std::size_t>((octave + 1) * sub_count + sub);
        return at < buckets ? at : buckets - 1;
    }

    /* The middle of a bucket. */
    static double value_of(std::size_t bucket)
    {
        if (bucket < sub_count)
            return static_cast<double>(bucket);
        const std::uint64_t octave = bucket / sub_count - 1, sub = bucket % sub_count + sub_count;
        return (static_cast<double>(sub) + 0.5) * static_cast<double>(std::uint64_t{1} << octave);
    }

    void add(std::uint64_t value)
    {
        count[bucket_of(value)]++;
        total++;
        largest = value > largest ? value : largest;
    }

    void add(const Histogram &other)
    {
        for (std::size_t i = 0; i < buckets; i++)
            count[i] += other.count[i];
        total += other.total;
        largest = other.largest > largest ? other.largest : largest;
    }

    /* The mean without the largest of each hundred. Where the clock ticks coarsely it resolves what
     * quantiles cannot, and unlike the mean it does not tell of the one preemption in a slice. */
    double mean_of_99() const
    {
        const std::uint64_t wanted = total - total / 100;
        std::uint64_t seen = 0;
        double sum = 0;
        for (std::size_t i = 0; i < buckets && seen < wanted; i++) {
            const std::uint64_t here = count[i] < wanted - seen ? count[i] : wanted - seen;
            sum += static_cast<double>(here) * value_of(i);
            seen += here;
        }
        return seen == 0 ? 0 : sum / static_cast<double>(seen);
    }

    /* The smallest value that a share of q of all values does not exceed; 0 when there is none. */
    double quantile(double q) const
    {
        const double wanted = q * static_cast<double>(total);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets; i++) {
            seen += count[i];
            if (seen != 0 && static_cast<double>(seen) >= wanted)
                return value_of(i);
        }
        return 0;
    }
};

} // namespace bench

#endif
