// SPDX-License-Identifier: MIT
/*
 * zero_copy.cpp - does handing over a payload cost the same whatever its size? From 57 bytes, the
 * first size that does not fit into a slot, to 16 MiB; between two CPUs, and in one thread, where a
 * single nanosecond shows.
 */
#include "../contestants/all.hpp"
#include "../drivers/zero_copy.hpp"

namespace bench {

#if EXO_BENCH_HAS_EXO
constexpr double trip_ms = 10, pair_ms = 4;

static void add_sizes(Group &trips, Group &pairs)
{
    static constexpr std::size_t sizes[] = {57, 4096, 65536, std::size_t{1} << 20,
                                            std::size_t{16} << 20};
    for (std::size_t len : sizes) {
        const std::string text = std::to_string(len);
        trips.slices.push_back({"exo-trip-" + text, Role::ours,
                                [len] { return zero_copy_round_trip<ExoZeroCopy>(trip_ms, len); }});
        pairs.slices.push_back({"exo-pair-" + text, Role::ours,
                                [len] { return zero_copy_pair<ExoZeroCopy>(pair_ms, len); }});
    }
}
#endif

std::vector<Group> zero_copy_groups()
{
    Group trips{"zero-copy", gate_line, true, false, "ns", 1, {}};
    Group pairs{"zero-copy-pair", gate_rmw, false, false, "ns", 1, {}};
#if EXO_BENCH_HAS_EXO
    add_sizes(trips, pairs);
#endif
    return {trips, pairs};
}

} // namespace bench
