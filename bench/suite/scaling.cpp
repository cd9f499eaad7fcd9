// SPDX-License-Identifier: MIT
/*
 * scaling.cpp - over the batch, the ring and the number of producers and consumers.
 */
#include "../drivers/many.hpp"
#include "plan.hpp"

namespace bench::suite {

using P8 = Payload<8>;
using P56 = Payload<56>;

/* The same message one at a time when the batch is one. */
static Group batch_group(std::size_t batch)
{
    Group group{std::to_string(batch), static_cast<double>(batch), {}};
    Job job;
    job.ms = 15;
    job.setup.batch = batch;
    add<ExoThreads<EXO_THREADS, Path::inlined>, P56>(group, "ours", job, false, "exo, 56 B");
#if EXO_BENCH_HAS_BOOST
    add<QueueLink<BoostSpsc<Line56>, Line56, true>, P56>(group, "peer", job, false, "boost, 56 B");
#endif
#if EXO_BENCH_HAS_DPDK
    add<QueueLink<DpdkSpsc<Line56>, Line56, true>, P56>(group, "peer", job, false, "dpdk, 56 B");
#endif
    add<Pipe<false>, P56>(group, "peer", job, true, "pipe, 56 B");
    job.setup.bytes = 8;
    add<ExoThreads<EXO_THREADS, Path::inlined>, P8>(group, "ours", job, false, "exo, 8 B");
#if EXO_BENCH_HAS_BOOST
    add<QueueLink<BoostSpsc<Msg8>, Msg8, true>, P8>(group, "peer", job, false, "boost, 8 B");
#endif
#if EXO_BENCH_HAS_DPDK
    add<QueueLink<DpdkSpsc<Msg8>, Msg8, true>, P8>(group, "peer", job, false, "dpdk, 8 B");
#endif
    return group;
}

static Group ring_group(std::size_t slots)
{
    Group group{std::to_string(slots), static_cast<double>(slots), {}};
    Job job;
    job.ms = 15;
    job.setup.slots = slots;
    add<QueueLink<ExoSpsc<Msg56>, Msg56>, P56>(group, "ours", job, false, "exo");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::inlined>, P56>(group, "ours", job, true,
                                                          "exo, processes");
#if EXO_BENCH_HAS_BOOST
    add<QueueLink<BoostSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "boost spsc_queue");
#endif
#if EXO_BENCH_HAS_CK
    add<QueueLink<CkSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "ck_ring");
#endif
#if EXO_BENCH_HAS_DPDK
    add<QueueLink<DpdkSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "dpdk rte_ring");
#endif
    return group;
}

/* The driver of bench/drivers, in a host of its own as everything else. */
template <unsigned N, unsigned M, class Q, class Msg>
static void add_many(Group &group, const char *role, const char *label)
{
    constexpr double ms = 25;
    const auto run = [] {
        Board &board = the_board();
        Finding finding;
        finding.fate = run_contained(board, 8 * ms + 4000, [](Board &there) {
            const Outcome out = many<N, M, Q, Msg>(ms);
            there.party[0].count = static_cast<std::uint64_t>(out.value * 1000);
            there.party[0].fate = out.sound ? Fate::good : Fate::unsound;
        });
        if (finding.fate == Fate::good)
            finding.fate = board.party[0].fate;
        if (finding.fate == Fate::unsound)
            finding.reason = "lost, tore or reordered a message, or gave up";
        finding.value = static_cast<double>(board.party[0].count) / 1000;
        return finding;
    };
    group.slices.push_back({label, role, false, run});
}

template <unsigned N, unsigned M> static Group many_group()
{
    Group group{std::to_string(N) + "x" + std::to_string(M), N * 10 + M, {}};
    add_many<N, M, ExoMpmc<Msg56>, Msg56>(group, "ours", "exo");
#if EXO_BENCH_HAS_CONCURRENTQUEUE
    add_many<N, M, ConcurrentQueue<Line56>, Line56>(group, "peer", "concurrentqueue");
#endif
#if EXO_BENCH_HAS_BOOST
    add_many<N, M, BoostQueue<Line56>, Line56>(group, "peer", "boost queue");
#endif
#if EXO_BENCH_HAS_CK
    add_many<N, M, CkMpmc<Line56>, Line56>(group, "peer", "ck_ring");
#endif
    return group;
}

static std::vector<Group> many_groups(const Depth &depth)
{
    if (depth.quick)
        return {many_group<1, 1>(), many_group<2, 2>(), many_group<4, 4>(), many_group<4, 1>(),
                many_group<1, 4>()};
    return {many_group<1, 1>(), many_group<1, 2>(), many_group<1, 3>(), many_group<1, 4>(),
            many_group<2, 1>(), many_group<2, 2>(), many_group<2, 3>(), many_group<2, 4>(),
            many_group<3, 1>(), many_group<3, 2>(), many_group<3, 3>(), many_group<3, 4>(),
            many_group<4, 1>(), many_group<4, 2>(), many_group<4, 3>(), many_group<4, 4>()};
}

std::vector<Section> scaling_sections(const Depth &depth)
{
    Section batches{"batch", "ns", "stream", {}}, rings{"ring", "ns", "stream", {}};
    for (std::size_t batch = 1; batch <= 256; batch *= depth.quick ? 4 : 2)
        batches.groups.push_back(batch_group(batch));
    for (std::size_t slots = 2; slots <= 65536; slots *= depth.quick ? 8 : 2)
        rings.groups.push_back(ring_group(slots));
    return {batches, rings, {"many", "ns", "stream", many_groups(depth)}};
}

} // namespace bench::suite
