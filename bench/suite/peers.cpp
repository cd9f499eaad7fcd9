// SPDX-License-Identifier: MIT
/*
 * peers.cpp - throughput and round trips against every peer, between threads and processes.
 */
#include "plan.hpp"

namespace bench::suite {

using P8 = Payload<8>;
using P56 = Payload<56>;
using P4k = Payload<4096>;

static void add_thread_queues([[maybe_unused]] Group &group, [[maybe_unused]] const Job &job)
{
#if EXO_BENCH_HAS_BOOST
    add<QueueLink<BoostSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "boost spsc_queue");
#endif
#if EXO_BENCH_HAS_CK
    add<QueueLink<CkSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "ck_ring");
    add<QueueLink<CkSpscReserve<Line56>, Line56>, P56>(group, "peer", job, false,
                                                       "ck_ring, in place");
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add<QueueLink<ReaderWriterQueue<Line56>, Line56>, P56>(group, "peer", job, false,
                                                           "readerwriterqueue");
#endif
#if EXO_BENCH_HAS_CONCURRENTQUEUE
    add<QueueLink<ConcurrentQueue<Line56>, Line56>, P56>(group, "peer", job, false,
                                                         "concurrentqueue");
#endif
#if EXO_BENCH_HAS_DPDK
    add<QueueLink<DpdkSpsc<Line56>, Line56>, P56>(group, "peer", job, false, "dpdk rte_ring");
#endif
}

/* Those that stream faster to a receiver that leaves them alone. */
static void add_patient_queues([[maybe_unused]] Group &group, [[maybe_unused]] const Job &job)
{
#if EXO_BENCH_HAS_CK
    add<QueueLink<CkSpscReserve<Line56>, Line56, false, true>, P56>(group, "peer", job, false,
                                                                    "ck_ring, in place, patient");
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add<QueueLink<ReaderWriterQueue<Line56>, Line56, false, true>, P56>(
        group, "peer", job, false, "readerwriterqueue, patient");
#endif
}

static Group threads_group(const Job &job)
{
    Group group{"threads, 56 B", 56, {}};
    add<QueueLink<ExoSpsc<Msg56>, Msg56>, P56>(group, "ours", job, false, "exo");
    add<ExoThreads<EXO_THREADS, Path::lent>, P56>(group, "ours", job, false, "exo zero-copy");
    add_thread_queues(group, job);
    if (!job.round_trips)
        add_patient_queues(group, job);
#if EXO_BENCH_HAS_ZEROMQ
    add<ZeroMq<false>, P56>(group, "peer", job, false, "zeromq inproc");
#endif
    return group;
}

/* Those who sleep, and the polled forms of those who have one. */
template <class P> static void add_process_peers(Group &group, const Job &job)
{
    add<VmReadv, P>(group, "peer", job, true, VmReadv::name);
    add<EventfdSlots, P>(group, "peer", job, true, EventfdSlots::name);
    add<Pipe<false>, P>(group, "peer", job, true, Pipe<false>::name);
    add<Pipe<true>, P>(group, "peer", job, true, Pipe<true>::name);
    add<PosixMq, P>(group, "peer", job, true, PosixMq::name);
    add<UnixStream<false>, P>(group, "peer", job, true, UnixStream<false>::name);
    add<UnixStream<true>, P>(group, "peer", job, true, UnixStream<true>::name);
    add<UnixSeqpacket, P>(group, "peer", job, true, UnixSeqpacket::name);
#if EXO_BENCH_HAS_ZEROMQ
    add<ZeroMq<true>, P>(group, "peer", job, true, ZeroMq<true>::name);
#endif
#if EXO_BENCH_HAS_NNG
    add<NngIpc, P>(group, "peer", job, true, NngIpc::name);
#endif
}

static Group processes_group(Job job)
{
    Group group{"processes, 56 B", 56, {}};
    add<ExoProcesses<EXO_CRASH_SAFE, Path::inlined>, P56>(group, "ours", job, true, "exo");
    add<ExoProcesses<EXO_HOSTILE, Path::inlined>, P56>(group, "ours", job, true, "exo, hostile");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::inlined, true>, P56>(group, "ours", job, true,
                                                                "exo, asleep");
    add_process_peers<P56>(group, job);
    return group;
}

static Group large_group(Job job)
{
    Group group{"processes, 4 KiB", 4096, {}};
    job.setup.bytes = 4096;
    job.setup.slots = 256;
    add<ExoProcesses<EXO_CRASH_SAFE, Path::lent>, P4k>(group, "ours", job, true, "exo zero-copy");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::copied>, P4k>(group, "ours", job, true, "exo copy");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::lent, true>, P4k>(group, "ours", job, true,
                                                             "exo zero-copy, asleep");
    add_process_peers<P4k>(group, job);
    return group;
}

std::vector<Section> peer_sections(const Depth &)
{
    Job stream;
    stream.ms = 20;
    Section through{"throughput", "ns", "stream", {}};
    through.groups = {threads_group(stream), processes_group(stream), large_group(stream)};
    Job trips;
    trips.ms = 30;
    trips.round_trips = true;
    Section round{"latency", "ns", "trip", {}};
    round.groups = {threads_group(trips), processes_group(trips)};
    return {through, round};
}

} // namespace bench::suite
