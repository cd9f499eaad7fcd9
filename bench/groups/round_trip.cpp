// SPDX-License-Identifier: MIT
/*
 * round_trip.cpp - there and back between two CPUs: both sides spinning, and both sides asleep.
 */
#include "../contestants/all.hpp"
#include "../drivers/round_trip.hpp"
#include "../drivers/zero_copy.hpp"

namespace bench {

/* A sleeping CPU's wake-up time wanders within milliseconds: many short slices in turn. */
constexpr unsigned parked_passes = 8;
constexpr double spin_ms = 10, parked_ms = 8;
[[maybe_unused]] constexpr std::size_t zero_copy_bytes = 4096;

template <class Q, class Msg> static void add(Group &group, Role role)
{
    group.slices.push_back({Q::name, role, [] { return round_trip<Q, Msg>(spin_ms); }});
}

static Group spin_group()
{
    Group group{"rtt-spin", gate_line, true, false, "ns", 1, {}};
    group.slices.push_back({"one-line-rtt", Role::anchor, [] { return ping_pong(spin_ms); }});
    group.slices.push_back(
        {"two-line-rtt", Role::anchor, [] { return two_line_ping_pong(spin_ms); }});
#if EXO_BENCH_HAS_BOOST
    add<BoostSpsc<Line56>, Line56>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_CK
    add<CkSpsc<Line56>, Line56>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add<ReaderWriterQueue<Line56>, Line56>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_DPDK
    add<DpdkSpsc<Line56>, Line56>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_EXO
    add<ExoSpsc<Msg56>, Msg56>(group, Role::ours);
    group.slices.push_back({"exo-zero-copy", Role::ours, [] {
                                return zero_copy_round_trip<ExoZeroCopy>(spin_ms, zero_copy_bytes);
                            }});
#endif
    return group;
}

static Group parked_group()
{
    Group group{"rtt-parked", gate_line, true, false, "ns", parked_passes, {}};
    group.slices.push_back({"futex-rtt", Role::anchor, [] { return futex_ping_pong(parked_ms); }});
#if EXO_BENCH_HAS_EXO
    group.slices.push_back({"exo", Role::ours, [] {
                                return round_trip<ExoSpsc<Msg56>, Msg56, ParkedEnds>(parked_ms);
                            }});
#endif
    return group;
}

std::vector<Group> round_trip_groups()
{
    return {spin_group(), parked_group()};
}

} // namespace bench
