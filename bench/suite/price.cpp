// SPDX-License-Identifier: MIT
/*
 * price.cpp - what the profiles cost: the same calls, ring and message in threads, crash-safe and
 * hostile; among threads, where only the profile differs, and between processes.
 */
#include "plan.hpp"

namespace bench::suite {

using P56 = Payload<56>;
using P4k = Payload<4096>;

template <Path path, class P> static void add_profiles(Group &group, const Job &job)
{
    add<ExoThreads<EXO_THREADS, path>, P>(group, "ours", job, false, "threads profile");
    add<ExoThreads<EXO_CRASH_SAFE, path>, P>(group, "ours", job, false,
                                             "crash-safe, among threads");
    add<ExoThreads<EXO_HOSTILE, path>, P>(group, "ours", job, false, "hostile, among threads");
    add<ExoProcesses<EXO_CRASH_SAFE, path>, P>(group, "ours", job, true, "crash-safe");
    add<ExoProcesses<EXO_HOSTILE, path>, P>(group, "ours", job, true, "hostile");
}

std::vector<Section> price_sections(const Depth &)
{
    Job job;
    Group small{"stream, 56 B", 56, {}}, large{"stream, 4 KiB, zero-copy", 4096, {}};
    add_profiles<Path::inlined, P56>(small, job);
    Job trips;
    trips.round_trips = true;
    Group round{"round trip, 56 B", 56, {}};
    add_profiles<Path::inlined, P56>(round, trips);
    job.setup.bytes = 4096;
    job.setup.slots = 256;
    add_profiles<Path::lent, P4k>(large, job);
    return {{"price", "ns", "stream", {small, large}}, {"price-trip", "ns", "trip", {round}}};
}

} // namespace bench::suite
