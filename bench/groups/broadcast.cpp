// SPDX-License-Identifier: MIT
/*
 * broadcast.cpp - one sender to many: what it costs over a ring with one subscriber, and what each
 * further subscriber costs the sender.
 */
#include "../contestants/all.hpp"
#include "../drivers/fan.hpp"
#include "../drivers/stream.hpp"

#if EXO_BENCH_HAS_EXO
#include "../contestants/exo_broadcast.hpp"
#endif

namespace bench {

std::vector<Group> broadcast_groups()
{
    Group one{"broadcast-1", gate_line | gate_chunk, true, false, "ns", 1, {}};
    Group each{"broadcast-each", gate_rmw, false, false, "ns", 1, {}};
#if EXO_BENCH_HAS_EXO
    constexpr double slice_ms = 20, few = 1, many = 17;
    one.slices.push_back(
        {"exo", Role::ours, [] { return stream<ExoSpsc<Msg56>, Msg56>(slice_ms); }});
    one.slices.push_back(
        {"exo-broadcast", Role::ours, [] { return stream<ExoReliable<Msg56>, Msg56>(slice_ms); }});
    /* the difference of these two is what one more subscriber costs */
    each.slices.push_back({"to-1-by-16", Role::ours, [] {
                               return fan<ExoBroadcast<Msg56, EXO_RELIABLE, 1>, Msg56, 1>(
                                   slice_ms, many - few);
                           }});
    each.slices.push_back({"to-17-by-16", Role::ours, [] {
                               return fan<ExoBroadcast<Msg56, EXO_RELIABLE, 17>, Msg56, 17>(
                                   slice_ms, many - few);
                           }});
#endif
    return {one, each};
}

} // namespace bench
