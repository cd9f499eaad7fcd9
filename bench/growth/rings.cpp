// SPDX-License-Identifier: MIT
/*
 * rings.cpp - cost of a message against the number of slots, and with done[], which several consumers need.
 */
#include "flow.hpp"
#include "growth.hpp"
#include "walk.hpp"

namespace bench {

constexpr unsigned sizes[] = {1, 3, 6, 8, 10, 12, 14, 16, 18, 20}; /* powers of two */

static std::uint64_t messages_for(std::uint64_t slots)
{
    return std::max<std::uint64_t>(4 * slots, 1000000);
}

/* Each size with the walk over as many lines. */
template <class Ours, class Anchor>
static void sweep(const Growth &growth, const char *name, const char *anchor, Ours ours,
                  Anchor walk)
{
    Table table{name, "slots", anchor, {}};
    for (unsigned shift : sizes) {
        const std::uint64_t slots = std::uint64_t{1} << shift, count = messages_for(slots);
        const Outcome base = median_of(growth.repeats, [&] { return walk(slots, count); });
        const Outcome cost = median_of(growth.repeats, [&] { return ours(slots, count); });
        table.points.push_back({slots, cost.value, base.value, cost.sound && base.sound});
    }
    print_table(table);
}

static exo_ring_config sized(exo_u32 mode, std::uint64_t slots)
{
    exo_ring_config config = ring_config(mode, EXO_THREADS);
    config.slots = static_cast<exo_u32>(slots);
    config.spin = 1;
    return config;
}

static void alone(const Growth &growth, const char *name, exo_u32 mode)
{
    sweep(
        growth, name, "array walk",
        [mode](std::uint64_t slots, std::uint64_t count) {
            return flow_alone(sized(mode, slots), count);
        },
        walk_alone);
}

static void across(const Growth &growth)
{
    sweep(
        growth, "ring size, spsc, two threads", "array walk",
        [](std::uint64_t slots, std::uint64_t count) {
            return flow_across(sized(EXO_SPSC, slots), 1, count);
        },
        walk_across);
}

void add_ring_sections(std::vector<Section> &list)
{
    list.push_back(
        {"ring-alone", "slots, one producer and one consumer in one thread",
         [](const Growth &growth) { alone(growth, "ring size, spsc, one thread", EXO_SPSC); }});
    list.push_back({"done", "slots, several consumers: each slot has a word in done[] as well",
                    [](const Growth &growth) {
                        alone(growth, "ring size, spmc, one thread", EXO_SPMC);
                        alone(growth, "ring size, mpmc, one thread", EXO_MPMC);
                    }});
    list.push_back({"ring-across", "slots, one producer and one consumer in two threads", across});
}

} // namespace bench
