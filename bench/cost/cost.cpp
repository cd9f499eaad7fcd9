// SPDX-License-Identifier: MIT
/*
 * cost.cpp - times each operation in one thread, with Google Benchmark; its flags apply.
 *
 * Time is per message, and the mean. "ticks" is the time-stamp counter's advance per message, cycles of the nominal
 * clock and not of the core's, in the fastest block of some thousands: what others do on the machine at the same time
 * hardly shows in it. An operation that loses or damages a message ends with an error.
 */
#include "../clock.hpp"
#include "operations.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <new>

namespace bench {

constexpr std::uint64_t messages_per_block = 4096;
constexpr double long_block_ms = 1; /* a block that long is likely to be interrupted */

static void time_operation(benchmark::State &state, const Operation &operation)
{
    Runner run;
    try {
        run = operation.make();
    } catch (const std::bad_alloc &) {
        state.SkipWithError("its queue could not be made");
        return;
    }
    std::uint64_t turns = messages_per_block / operation.messages;
    const std::uint64_t start = ticks();
    bool sound = run(0, turns); /* touches all slots */
    std::uint64_t seq = turns * operation.messages;
    if (ticks() - start > ticks_of_ms(long_block_ms))
        turns = turns / 64 + 1;
    const std::uint64_t block = turns * operation.messages;
    std::uint64_t least = ~std::uint64_t{0};
    while (sound && state.KeepRunningBatch(static_cast<std::int64_t>(block))) {
        const std::uint64_t before = ticks();
        sound = run(seq, turns);
        least = std::min(least, ticks() - before);
        seq += block;
    }
    if (!sound)
        state.SkipWithError("a message was lost or damaged");
    state.counters["ticks"] = static_cast<double>(least) / static_cast<double>(block);
}

} // namespace bench

int main(int argc, char **argv)
{
    static char short_time[] = "--benchmark_min_time=0.05"; /* the last one given counts */
    std::vector<char *> args = {argv[0], short_time};
    args.insert(args.end(), argv + 1, argv + argc);
    int count = static_cast<int>(args.size());
    benchmark::Initialize(&count, args.data());
    if (benchmark::ReportUnrecognizedArguments(count, args.data()))
        return 2;
    for (const bench::Operation &operation : bench::all_operations()) {
        benchmark::RegisterBenchmark(operation.name.c_str(), [operation](benchmark::State &state) {
            bench::time_operation(state, operation);
        });
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
