// SPDX-License-Identifier: MIT
/*
 * flows.cpp - cost of a message against the number of messages, and against the number of producers that send as many in
 * all.
 */
#include "flow.hpp"
#include "growth.hpp"

namespace bench {

static void messages(const Growth &growth)
{
    Table one{"messages, spsc, one thread", "messages", "", {}};
    Table two{"messages, spsc, two threads", "messages", "", {}};
    const exo_ring_config config = ring_config(EXO_SPSC, EXO_THREADS);
    for (std::uint64_t count = 10000; count <= growth.most_messages; count *= 10) {
        /* A short run is as long as its start; many of them make up for it. */
        const unsigned repeats = count < 1000000 ? 5 * growth.repeats : growth.repeats;
        const Outcome a = median_of(repeats, [&] { return flow_alone(config, count); });
        one.points.push_back({count, a.value, 0, a.sound});
        const Outcome b = median_of(repeats, [&] { return flow_across(config, 1, count); });
        two.points.push_back({count, b.value, 0, b.sound});
    }
    print_table(one);
    print_table(two);
}

static void producers(const Growth &growth)
{
    constexpr std::uint64_t in_all = 2000000;
    for (exo_u32 profile : {EXO_THREADS, EXO_CRASH_SAFE}) {
        Table table{profile == EXO_THREADS ? "producers, mpsc, threads"
                                           : "producers, mpsc, crash-safe",
                    "producers",
                    "",
                    {}};
        for (unsigned n : {1u, 2u, 4u, 8u, 16u}) {
            const exo_ring_config config = ring_config(EXO_MPSC, profile);
            const Outcome out =
                median_of(growth.repeats, [&] { return flow_across(config, n, in_all); });
            table.points.push_back({n, out.value, 0, out.sound});
        }
        print_table(table);
    }
}

void add_flow_sections(std::vector<Section> &list)
{
    list.push_back({"messages", "messages, 10^4 up to --messages", messages});
    list.push_back({"producers", "producers, the same number of messages in all", producers});
}

} // namespace bench
