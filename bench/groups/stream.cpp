// SPDX-License-Identifier: MIT
/*
 * stream.cpp - one producer, one consumer, two CPUs: 56-byte and 8-byte messages, singly and in
 * batches.
 */
#include "../contestants/all.hpp"
#include "../drivers/fan_in.hpp"
#include "../drivers/stream.hpp"

namespace bench {

constexpr double slice_ms = 20;

template <class Q, class Msg> static void add(Group &group, Role role)
{
    group.slices.push_back({Q::name, role, [] { return stream<Q, Msg>(slice_ms); }});
}

/* Peers with either kind of receiver: the rows take the faster one. */
template <class Q, class Msg> static void add_peer(Group &group)
{
    add<Q, Msg>(group, Role::peer);
    group.slices.push_back({std::string(Q::name) + "-patient", Role::peer,
                            [] { return stream<Q, Msg, true>(slice_ms); }});
}

template <class Q, class Msg> static void add_bulk(Group &group, Role role)
{
    group.slices.push_back(
        {std::string(Q::name) + "-batch32", role, [] { return stream_bulk<Q, Msg>(slice_ms); }});
}

/* LineMsg is a message with a cache line of its own, which one peer prefers; the others are faster
 * packed. */
template <class Msg, class LineMsg> static Group stream_group(const char *name)
{
    Group group{name, gate_line | gate_chunk, true, false, "ns", 1, {}};
    group.slices.push_back({"chunk256", Role::anchor, [] { return chunk256(slice_ms); }});
#if EXO_BENCH_HAS_BOOST
    add_peer<BoostSpsc<Msg>, Msg>(group);
    add_bulk<BoostSpsc<Msg>, Msg>(group, Role::peer_bulk);
#endif
#if EXO_BENCH_HAS_CK
    add_peer<CkSpsc<Msg>, Msg>(group);
    add_peer<CkSpscReserve<Msg>, Msg>(group);
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add_peer<ReaderWriterQueue<LineMsg>, LineMsg>(group);
#endif
#if EXO_BENCH_HAS_DPDK
    add_peer<DpdkSpsc<Msg>, Msg>(group);
    add_bulk<DpdkSpsc<Msg>, Msg>(group, Role::peer_bulk);
#endif
#if EXO_BENCH_HAS_EXO
    add<ExoSpsc<Msg>, Msg>(group, Role::ours);
    add_bulk<ExoSpsc<Msg>, Msg>(group, Role::ours);
#endif
    return group;
}

/* What a profile costs: the same calls among threads. */
static Group price_group()
{
    Group group{"price", gate_line | gate_chunk, true, false, "ns", 1, {}};
#if EXO_BENCH_HAS_EXO
    add<ExoSpsc<Msg56>, Msg56>(group, Role::ours);
    add<ExoCrashSafe<Msg56>, Msg56>(group, Role::ours);
    add<ExoHostile<Msg56>, Msg56>(group, Role::ours);
#endif
    return group;
}

/* Eight lanes into one receiver, beside one ring. */
static Group fan_in_group()
{
    Group group{"fan-in-8", gate_line | gate_chunk, true, false, "ns", 1, {}};
#if EXO_BENCH_HAS_EXO
    add<ExoSpsc<Msg56>, Msg56>(group, Role::ours);
    group.slices.push_back(
        {"exo-fan-in-8", Role::ours, [] { return fan_in<ExoFanIn<Msg56, 8>, Msg56>(slice_ms); }});
#endif
    return group;
}

std::vector<Group> stream_groups()
{
    return {price_group(), fan_in_group(), stream_group<Msg56, Line56>("spsc-56"),
            stream_group<Msg8, Msg8>("spsc-8")};
}

} // namespace bench
