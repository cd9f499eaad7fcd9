// SPDX-License-Identifier: MIT
/*
 * count.cpp - runs each operation N and 2N times between two marks for callgrind, which counts its instructions; see
 * the script `instructions`, which starts it.
 *
 *     count N [PART]...      only operations whose names contain a PART
 *
 * The counters are set to zero before each run and dumped after it, so that neither the making of the queues nor the
 * first turns, which touch all slots, are in the figures.
 */
#include "operations.hpp"

#include <cstdio>
#include <cstdlib>
#include <valgrind/callgrind.h>

static bool wanted(const bench::Operation &operation, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (operation.name.find(argv[i]) != std::string::npos)
            return true;
    }
    return argc <= 2;
}

int main(int argc, char **argv)
{
    constexpr std::uint64_t first_messages = 2048;
    const std::uint64_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
    if (n == 0) {
        std::fprintf(stderr, "usage: count N [PART]...\n");
        return 2;
    }
    for (const bench::Operation &operation : bench::all_operations()) {
        if (!wanted(operation, argc, argv))
            continue;
        const bench::Runner run = operation.make();
        bool sound = run(0, first_messages / operation.messages + 1);
        std::uint64_t seq = 1u << 20;
        for (std::uint64_t times = 1; times <= 2; times++) {
            const std::string mark =
                std::to_string(times * n * operation.messages) + " " + operation.name;
            CALLGRIND_ZERO_STATS;
            sound = run(seq, times * n) && sound;
            CALLGRIND_DUMP_STATS_AT(mark.c_str());
            seq += times * n * operation.messages;
        }
        if (!sound)
            std::fprintf(stderr, "count: %s lost or damaged a message\n", operation.name.c_str());
    }
    return 0;
}
