// SPDX-License-Identifier: MIT
/*
 * zero_copy.cpp - does handing over a payload cost the same whatever its size? From 57 bytes, the
 * first size that does not fit into a slot, to 16 MiB; between two CPUs, and in one thread, where a
 * single nanosecond shows. And: what does an allocator on the way cost, where buffers are filled
 * and read?
 */
#include "../contestants/all.hpp"
#include "../contestants/fixed_pool.hpp"
#include "../drivers/zero_copy.hpp"

namespace bench {

constexpr double filled_ms = 20;

#if EXO_BENCH_HAS_EXO
constexpr double trip_ms = 10, pair_ms = 4;

/* As many buffers as the fixed pool has. */
struct ExoFixedArena : ExoZeroCopy {
    explicit ExoFixedArena(std::size_t slots)
        : ExoZeroCopy(slots, FixedPool<4096>::buffers * std::size_t{4096})
    {
    }
};

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
    Group filled{"zero-copy-4k", gate_line | gate_chunk, true, false, "ns", 1, {}};
    filled.slices.push_back({"fixed-pool", Role::anchor,
                             [] { return zero_copy_stream<FixedPool<4096>, Msg4k>(filled_ms); }});
#if EXO_BENCH_HAS_EXO
    filled.slices.push_back({"exo-filled", Role::ours,
                             [] { return zero_copy_stream<ExoFixedArena, Msg4k>(filled_ms); }});
#endif
    return {trips, pairs, filled};
}

} // namespace bench
