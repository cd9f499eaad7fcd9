// SPDX-License-Identifier: MIT
/*
 * slow_path.cpp - round trips in which both sides sleep, for one pair and for more pairs than
 * there are CPUs.
 *
 * With one pair a party sleeps on an idle CPU, and what is measured is mostly how long the kernel
 * takes to wake that; with more pairs another party is always ready to run.
 */
#include "plan.hpp"

namespace bench::suite {

using P56 = Payload<56>;

static Group parked_group(unsigned pairs)
{
    Group group{
        std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs"), static_cast<double>(pairs), {}};
    Job job;
    job.ms = 40;
    job.pairs = pairs;
    job.round_trips = true;
    job.setup.crowded = pairs > 1;
    add<FutexSlot, P56>(group, "anchor", job, true, FutexSlot::name);
    add<FutexSlot, P56>(group, "anchor", job, false, "raw futex, threads");
    add<ExoThreads<EXO_THREADS, Path::inlined, true>, P56>(group, "ours", job, false,
                                                           "exo asleep, threads");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::inlined, true>, P56>(group, "ours", job, true,
                                                                "exo asleep");
    add<ExoProcesses<EXO_HOSTILE, Path::inlined, true>, P56>(group, "ours", job, true,
                                                             "exo asleep, hostile");
    add<EventfdSlots, P56>(group, "peer", job, true, EventfdSlots::name);
    add<Pipe<false>, P56>(group, "peer", job, true, "pipe");
    add<PosixMq, P56>(group, "peer", job, true, "posix mq");
    add<UnixStream<false>, P56>(group, "peer", job, true, "unix stream");
    add<UnixSeqpacket, P56>(group, "peer", job, true, "unix seqpacket");
#if EXO_BENCH_HAS_ZEROMQ
    add<ZeroMq<true>, P56>(group, "peer", job, true, "zeromq ipc");
#endif
#if EXO_BENCH_HAS_NNG
    add<NngIpc, P56>(group, "peer", job, true, "nng ipc");
#endif
    return group;
}

std::vector<Section> slow_path_sections(const Depth &depth)
{
    Section section{"asleep", "ns", "trip", {}};
    section.groups = {parked_group(1), parked_group(4)};
    if (!depth.quick)
        section.groups.push_back(parked_group(8));
    return {section};
}

} // namespace bench::suite
