// SPDX-License-Identifier: MIT
/*
 * clock.hpp - time for slices of a few milliseconds.
 *
 * On x86-64 the time-stamp counter, calibrated once against CLOCK_MONOTONIC; elsewhere the
 * monotonic clock itself. A reading is not serialising: a slice lasts millions of cycles, so the
 * few that the processor may move across a reading do not show. Both CPUs are assumed to share one
 * counter (constant, synchronised TSC); a slice whose end lies before its start is reported as
 * unsound.
 */
#ifndef EXO_BENCH_CLOCK_HPP
#define EXO_BENCH_CLOCK_HPP

#include <chrono>
#include <cstdint>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

namespace bench {

inline std::uint64_t monotonic_ns()
{
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

inline std::uint64_t ticks()
{
#if defined(__x86_64__) || defined(__i386__)
    return __rdtsc();
#else
    return monotonic_ns();
#endif
}

inline void cpu_relax()
{
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#else
    asm volatile("" ::: "memory");
#endif
}

/* Keep a value alive without a store that the loop would not otherwise make. */
template <class T> inline void keep(const T &value)
{
    asm volatile("" : : "r"(value) : "memory");
}

inline double calibrate_ns_per_tick()
{
    const std::uint64_t ns0 = monotonic_ns(), t0 = ticks();
    while (monotonic_ns() - ns0 < 30'000'000)
        cpu_relax();
    const std::uint64_t ns1 = monotonic_ns(), t1 = ticks();
    return static_cast<double>(ns1 - ns0) / static_cast<double>(t1 - t0);
}

/* Nanoseconds per tick; the first call takes 30 ms. */
inline double ns_per_tick()
{
    static const double value = calibrate_ns_per_tick();
    return value;
}

inline std::uint64_t ticks_of_ms(double ms)
{
    return static_cast<std::uint64_t>(ms * 1e6 / ns_per_tick());
}

/* Nanoseconds per item for `items` between two readings; negative when the clock ran backwards. */
inline double ns_per_item(std::uint64_t from, std::uint64_t to, std::uint64_t items)
{
    const double span = static_cast<double>(static_cast<std::int64_t>(to - from));
    return span * ns_per_tick() / static_cast<double>(items ? items : 1);
}

} // namespace bench

#endif
