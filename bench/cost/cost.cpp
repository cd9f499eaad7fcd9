// SPDX-License-Identifier: MIT
/*
 * cost.cpp - times each operation in one thread, with Google Benchmark; its flags apply.
 *
 * Time is per message. "ticks" is the time-stamp counter's advance per message: cycles of the nominal clock, not of
 * the core's. An operation that loses or damages a message ends with an error.
 */
#include "../clock.hpp"
#include "operations.hpp"

#include <benchmark/benchmark.h>
#include <new>

namespace bench {

constexpr std::int64_t messages_per_block = 4096;

static void time_operation(benchmark::State &state, const Operation &operation)
{
    Runner run;
    try {
        run = operation.make();
    } catch (const std::bad_alloc &) {
        state.SkipWithError("its queue could not be made");
        return;
    }
    const std::uint64_t turns = messages_per_block / operation.messages;
    const std::uint64_t block = turns * operation.messages;
    std::uint64_t seq = block, spent = 0;
    bool sound = run(0, turns); /* touches all slots */
    while (sound && state.KeepRunningBatch(static_cast<std::int64_t>(block))) {
        const std::uint64_t start = ticks();
        sound = run(seq, turns);
        spent += ticks() - start;
        seq += block;
    }
    if (!sound)
        state.SkipWithError("a message was lost or damaged");
    if (seq > block)
        state.counters["ticks"] = static_cast<double>(spent) / static_cast<double>(seq - block);
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
