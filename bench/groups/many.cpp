// SPDX-License-Identifier: MIT
/*
 * many.cpp - 56-byte messages through queues for many producers and consumers, on two CPUs.
 */
#include "../contestants/all.hpp"
#include "../drivers/many.hpp"

namespace bench {

/* Longer where threads take turns on a CPU: a time slice of the scheduler lasts some milliseconds.
 * */
template <unsigned N> constexpr double slice_ms = N == 1 ? 20 : 40;

template <unsigned N, class Q, class Msg, unsigned M = N> static void add(Group &group, Role role)
{
    group.slices.push_back({Q::name, role, [] { return many<N, M, Q, Msg>(slice_ms<N>); }});
}

template <unsigned N, unsigned M> static void add_peers(Group &group)
{
#if EXO_BENCH_HAS_CONCURRENTQUEUE
    add<N, ConcurrentQueue<Line56>, Line56, M>(group, Role::peer);
    add<N, ConcurrentQueue<Line56, BoundedTraits>, Line56, M>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_BOOST
    add<N, BoostQueue<Line56>, Line56, M>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_CK
    add<N, CkMpmc<Line56>, Line56, M>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_DPDK
    add<N, DpdkMt<Line56>, Line56, M>(group, Role::peer);
    add<N, DpdkRts<Line56>, Line56, M>(group, Role::peer);
    add<N, DpdkHts<Line56>, Line56, M>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_URCU
    if constexpr (M == 1)
        add<N, Wfcqueue<Line56>, Line56, M>(group, Role::peer);
#endif
}

template <unsigned N> static Group many_group(const char *name)
{
    Group group{name, gate_line | gate_chunk, true, false, "ns", 1, {}};
    if (N == 1)
        group.slices.push_back({"chunk256", Role::anchor, [] { return chunk256(slice_ms<1>); }});
    add_peers<N, N>(group);
#if EXO_BENCH_HAS_EXO
    if constexpr (N == 1)
        add<N, ExoMpsc<Msg56>, Msg56>(group, Role::ours);
    add<N, ExoMpmc<Msg56>, Msg56>(group, Role::ours);
#endif
    return group;
}

/* Several producers, one consumer. */
template <unsigned N> static Group fan_in_group(const char *name)
{
    Group group{name, gate_line | gate_chunk, true, false, "ns", 1, {}};
    add_peers<N, 1>(group);
#if EXO_BENCH_HAS_EXO
    add<N, ExoMpsc<Msg56>, Msg56, 1>(group, Role::ours);
#endif
    return group;
}

std::vector<Group> many_groups()
{
    return {many_group<1>("many-1p1c"), many_group<2>("many-2p2c"), many_group<4>("many-4p4c"),
            fan_in_group<2>("many-2p1c"), fan_in_group<4>("many-4p1c")};
}

} // namespace bench
