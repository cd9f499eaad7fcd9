// SPDX-License-Identifier: MIT
/*
 * single.cpp - one thread sends and receives: the price of the instructions, and of looking for a
 * sleeper.
 */
#include "../contestants/all.hpp"
#include "../contestants/bare_slots.hpp"
#include "../drivers/pair.hpp"

namespace bench {

constexpr double slice_ms = 4;

template <class Q, class Msg, class How = PlainSend>
static void add(Group &group, Role role, const char *name = Q::name)
{
    group.slices.push_back({name, role, [] { return pair<Q, Msg, How>(slice_ms); }});
}

template <class Msg, class PeerMsg> static Group single_group(const char *name)
{
    Group group{name, gate_rmw, false, false, "ns", 1, {}};
    group.slices.push_back({"locked-rmw", Role::anchor, [] { return locked_rmw(slice_ms); }});
    add<BareSlots<Msg, false>, Msg>(group, Role::anchor);
    add<BareSlots<Msg, true>, Msg>(group, Role::anchor);
#if EXO_BENCH_HAS_BOOST
    add<BoostSpsc<PeerMsg>, PeerMsg>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_CK
    add<CkSpsc<PeerMsg>, PeerMsg>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add<ReaderWriterQueue<PeerMsg>, PeerMsg>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_DPDK
    add<DpdkSpsc<PeerMsg>, PeerMsg>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_CONCURRENTQUEUE
    add<ConcurrentQueue<PeerMsg>, PeerMsg>(group, Role::peer);
#endif
#if EXO_BENCH_HAS_EXO
    add<ExoSpsc<Msg>, Msg>(group, Role::ours);
    add<ExoSpsc<Msg>, Msg, RawSend>(group, Role::ours, "exo-raw");
    add<ExoMpsc<Msg>, Msg>(group, Role::ours);
    add<ExoMpmc<Msg>, Msg>(group, Role::ours);
#endif
    return group;
}

std::vector<Group> single_groups()
{
    return {single_group<Msg56, Line56>("single-56"), single_group<Msg8, Msg8>("single-8")};
}

} // namespace bench
