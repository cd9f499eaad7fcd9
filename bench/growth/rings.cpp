// SPDX-License-Identifier: MIT
/*
 * rings.cpp - cost of a message against the number of slots, and with done[], which several consumers need.
 */
#include "flow.hpp"
#include "growth.hpp"
#include "walk.hpp"

namespace bench {

constexpr unsigned sizes[] = {1, 3, 6, 8, 10, 12, 14, 16, 18, 20}; /* powers of two */

/* At least four laps, and slices of at least one. */
static std::uint64_t messages_for(std::uint64_t slots)
{
    return std::max<std::uint64_t>(4 * slots, 1u << 20);
}

static std::uint64_t slice_for(std::uint64_t slots)
{
    return std::max<std::uint64_t>(slots, 1u << 14);
}

static exo_ring_config sized(exo_u32 mode, std::uint64_t slots)
{
    exo_ring_config config = ring_config(mode, EXO_THREADS);
    config.slots = static_cast<exo_u32>(slots);
    return config;
}

static void alone(const Growth &growth, const char *name, exo_u32 mode)
{
    std::vector<Trial> trials;
    for (unsigned shift : sizes) {
        const std::uint64_t slots = std::uint64_t{1} << shift, count = messages_for(slots);
        trials.push_back({slots,
                          [=] {
                              Slices slices(slice_for(slots), count);
                              return flow_alone(sized(mode, slots), count, slices);
                          },
                          [=] { return walk_alone(slots, count, slice_for(slots)); }});
    }
    measure({name, "slots", "array walk", {}}, trials, growth.repeats);
}

static void across(const Growth &growth)
{
    std::vector<Trial> trials;
    for (unsigned shift : sizes) {
        const std::uint64_t slots = std::uint64_t{1} << shift, count = messages_for(slots);
        trials.push_back({slots,
                          [=] {
                              Slices slices(slice_for(slots), count);
                              return flow_across(sized(EXO_SPSC, slots), 1, count, slices);
                          },
                          [=] { return walk_across(slots, count, slice_for(slots)); }});
    }
    measure({"ring size, spsc, two threads", "slots", "array walk", {}}, trials, growth.repeats);
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
