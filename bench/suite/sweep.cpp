// SPDX-License-Identifier: MIT
/*
 * sweep.cpp - one message of 8 bytes to 16 MiB, written, handed over, read: inline, by copy,
 * without a copy, and by the peers that take any size.
 */
#include "plan.hpp"

namespace bench::suite {

using Any = Payload<0>;
constexpr std::size_t kib = 1024, mib = 1024 * kib;

static std::vector<std::size_t> sizes(const Depth &depth)
{
    if (depth.quick)
        return {8, 56, 128, 512, 4 * kib, 32 * kib, 256 * kib, 2 * mib, 16 * mib};
    return {8,       16,      32,       56,       128,       256,     512,     kib,
            2 * kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, 1 * mib, 4 * mib, 16 * mib};
}

static Group sweep_group(std::size_t bytes)
{
    Group group{std::to_string(bytes), static_cast<double>(bytes), {}};
    Job job;
    job.setup.bytes = bytes;
    job.setup.slots = 256;
    /* In slots alone it becomes slow long before this, and says nothing new. */
    if (bytes <= mib)
        add<ExoProcesses<EXO_CRASH_SAFE, Path::inlined>, Any>(group, "ours", job, true,
                                                              "exo inline");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::copied>, Any>(group, "ours", job, true, "exo copy");
    add<ExoProcesses<EXO_CRASH_SAFE, Path::lent>, Any>(group, "ours", job, true, "exo zero-copy");
    add<ExoThreads<EXO_THREADS, Path::lent>, Any>(group, "ours", job, false,
                                                  "exo zero-copy, threads");
    add<Pipe<false>, Any>(group, "peer", job, true, "pipe");
    add<UnixStream<false>, Any>(group, "peer", job, true, "unix stream");
    add<VmReadv, Any>(group, "peer", job, true, "process_vm_readv");
#if EXO_BENCH_HAS_ZEROMQ
    add<ZeroMq<true>, Any>(group, "peer", job, true, "zeromq ipc");
#endif
    return group;
}

Section sweep_section(const Depth &depth)
{
    Section section{"sweep", "ns", "stream", {}};
    for (std::size_t bytes : sizes(depth))
        section.groups.push_back(sweep_group(bytes));
    return section;
}

} // namespace bench::suite
