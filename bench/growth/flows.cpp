// SPDX-License-Identifier: MIT
/*
 * flows.cpp - cost of a message against the number of messages, and against the number of producers that send as many in
 * all.
 */
#include "flow.hpp"
#include "growth.hpp"

namespace bench {

constexpr std::uint64_t slice = 4096;

/* One run; a line is the decade of messages that ends with x. */
static Table decades(const char *name, const Slices &slices, double q, std::uint64_t most,
                     bool sound)
{
    Table table{name, "up to message", "", {}};
    for (std::uint64_t x = 10000, from = 0; x <= most; from = x, x *= 10)
        table.points.push_back({x, slices.cost(q, from, x), 0, sound});
    return table;
}

static void messages(const Growth &growth)
{
    const exo_ring_config config = ring_config(EXO_SPSC, EXO_THREADS);
    const std::uint64_t most = growth.most_messages;
    {
        Slices slices(slice, most);
        const Outcome out = flow_alone(config, most, slices);
        print_table(decades("messages, spsc, one thread", slices, alone_quantile, most, out.sound));
    }
    Slices slices(slice, most);
    const Outcome out = flow_across(config, 1, most, slices);
    print_table(decades("messages, spsc, two threads", slices, across_quantile, most, out.sound));
}

static void producers(const Growth &growth)
{
    constexpr std::uint64_t in_all = 1u << 20;
    for (exo_u32 profile : {EXO_THREADS, EXO_CRASH_SAFE}) {
        std::vector<Trial> trials;
        for (unsigned n : {1u, 2u, 4u, 8u, 16u}) {
            trials.push_back({n,
                              [=] {
                                  Slices slices(slice, in_all);
                                  return flow_across(ring_config(EXO_MPSC, profile), n, in_all,
                                                     slices);
                              },
                              nullptr});
        }
        const bool threads = profile == EXO_THREADS;
        measure({threads ? "producers, mpsc, threads" : "producers, mpsc, crash-safe",
                 "producers",
                 "",
                 {}},
                trials, growth.repeats);
    }
}

void add_flow_sections(std::vector<Section> &list)
{
    list.push_back(
        {"messages", "messages, 10^4 up to --messages, by decades of one run", messages});
    list.push_back({"producers", "producers, the same number of messages in all", producers});
}

} // namespace bench
