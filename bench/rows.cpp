// SPDX-License-Identifier: MIT
/*
 * rows.cpp - every row that `ratios` prints: its goal, its group of measurements and what is
 * divided by what.
 *
 * Sizes are payload bytes. "over" names a slice of the same group; the fastest peer is found by
 * median.
 */
#include "plan.hpp"

namespace bench {

const std::vector<Row> &rows()
{
    static const std::vector<Row> table = {
        /* name, goal, group, form, ours, reference, scale, unit */
        {"spsc-56-publish", 0.30, "spsc-56", Form::over_fastest_peer, "exo", "", 1, "ratio"},
        {"spsc-56-publish-chunk", 1.3, "spsc-56", Form::over, "exo", "chunk256", 1, "ratio"},
        {"spsc-56-batch32", 1.1, "spsc-56", Form::over, "exo-batch32", "chunk256", 1, "ratio"},
        {"spsc-8-packed", 0.40, "spsc-8", Form::over_fastest_peer, "exo-batch32", "", 1, "ratio"},
        {"spsc-8-packed-bulk", 0.40, "spsc-8", Form::over_fastest_any, "exo-batch32", "", 1,
         "ratio"},
        {"single-56", 1.2, "single-56", Form::over, "exo", "boost", 1, "ratio"},
        {"notify-awake", 2, "single-56", Form::difference, "exo", "exo-raw", 1, "ns"},
        {"mpsc-pair", 1.5, "single-56", Form::over, "exo-mpsc", "locked-rmw", 1, "ratio"},
        {"mpmc-pair", 1.15, "single-56", Form::over, "exo-mpmc", "locked-rmw", 2, "ratio"},
        {"mpsc-pair-bare", 1.5, "single-56", Form::over, "exo-mpsc", "bare-mpsc", 1, "ratio"},
        {"mpmc-pair-bare", 1.15, "single-56", Form::over, "exo-mpmc", "bare-mpmc", 1, "ratio"},
        {"single-8", 1.2, "single-8", Form::over, "exo", "boost", 1, "ratio"},
        {"mpsc-1p1c", 1.5, "many-1p1c", Form::over, "exo-mpsc", "chunk256", 1, "ratio"},
        {"mpmc-1p1c", 2.0, "many-1p1c", Form::over, "exo-mpmc", "chunk256", 1, "ratio"},
        {"mpsc-2p1c", 0.8, "many-2p1c", Form::over_fastest_of, "exo-mpsc", "concurrentqueue", 1,
         "ratio"},
        {"mpsc-4p1c", 0.8, "many-4p1c", Form::over_fastest_of, "exo-mpsc", "concurrentqueue", 1,
         "ratio"},
        {"mpmc-2p2c", 0.8, "many-2p2c", Form::over_fastest_of, "exo-mpmc", "concurrentqueue", 1,
         "ratio"},
        {"mpmc-4p4c", 0.8, "many-4p4c", Form::over_fastest_of, "exo-mpmc", "concurrentqueue", 1,
         "ratio"},
        {"rtt-spin", 1.05, "rtt-spin", Form::over, "exo", "one-line-rtt", 1, "ratio"},
        {"rtt-spin-two-lines", 1.15, "rtt-spin", Form::over, "exo", "two-line-rtt", 1, "ratio"},
        {"zero-copy-over-inline", 1.25, "rtt-spin", Form::over, "exo-zero-copy", "exo", 1, "ratio"},
        {"rtt-parked", 1.05, "rtt-parked", Form::over, "exo", "futex-rtt", 1, "ratio"},
        {"zero-copy-flat", 1.1, "zero-copy", Form::spread, "exo-trip-", "", 1, "ratio"},
        {"zero-copy-flat-pair", 1.1, "zero-copy-pair", Form::spread, "exo-pair-", "", 1, "ratio"},
        {"zero-copy-4k-filled", 1.1, "zero-copy-4k", Form::over, "exo-filled", "fixed-pool", 1,
         "ratio"},
        {"price-crash-safe", 1.03, "price", Form::over, "exo-crash-safe", "exo", 1, "ratio"},
        {"price-hostile", 1.10, "price", Form::over, "exo-hostile", "exo-crash-safe", 1, "ratio"},
        {"channel-over-ring", 1.25, "channel", Form::over, "exo-channel", "exo-message", 1, "ratio"},
        {"channel-over-inline", 1.25, "channel", Form::over, "exo-channel", "exo", 1, "ratio"},
        {"channel-single", 1.25, "channel-single", Form::over, "exo-channel", "exo-message", 1,
         "ratio"},
        {"async", 15, "channel-single", Form::difference, "exo-async", "exo-channel", 1, "ns"},
        {"call-rtt", 1.15, "call-rtt", Form::over, "exo-call", "exo-message", 1, "ratio"},
        {"call-rtt-over-inline", 1.15, "call-rtt", Form::over, "exo-call", "exo", 1, "ratio"},
        {"urgent-in-flood", 2, "urgent", Form::over, "flood", "idle", 1, "ratio"},
        {"profiler-ring", 1.05, "profiler-ring", Form::over, "counting", "without", 1, "ratio"},
        {"profiler-channel", 1.05, "profiler-channel", Form::over, "counting", "without", 1, "ratio"},
        {"profiler-compiled-in", 1.05, "profiler-ring", Form::over, "compiled-in", "without", 1, "ratio"},
        {"profiler-single", 3, "profiler-single", Form::difference, "counting", "without", 1, "ns"},
        {"wait-many", 60, "wait-many", Form::difference, "exo-wait-many", "told", 1, "ns"},
        {"wait-many-queue", 150, "wait-many", Form::difference, "exo-notify", "told", 1, "ns"},
        {"fan-in-8", 1.5, "fan-in-8", Form::over, "exo-fan-in-8", "exo", 1, "ratio"},
        {"broadcast-1", 1.1, "broadcast-1", Form::over, "exo-broadcast", "exo", 1, "ratio"},
        {"broadcast-each", 2, "broadcast-each", Form::difference, "to-17-by-16", "to-1-by-16", 1,
         "ns"},
        {"control-call", 1.3, "control", Form::over, "exo-call", "seqpacket-rtt", 1, "ratio"},
        {"control-call-one-cpu", 1.3, "control", Form::over, "exo-one-cpu", "seqpacket-one-cpu", 1,
         "ratio"},
        {"pool-lookup-growth", 2, "pool", Form::over, "regions-1000000", "regions-1000", 1, "ratio"},
        {"pool-name-growth", 2, "pool-names", Form::over, "regions-1000000", "regions-1000", 1, "ratio"},
        {"pool-lookup-anywhere", 2, "pool-anywhere", Form::over, "regions-1000000", "lines-1000000", 1, "ratio"},
        {"capability-check", 10, "capability", Form::absolute, "check", "", 1, "ns"},
        {"capability-use", 1.5, "capability", Form::over, "use", "locked-pair", 1, "ratio"},
        {"revoke-100000", 1000, "revoke", Form::absolute, "derived-100000", "", 1, "ns each"},
        {"revoke-among-100000", 2, "revoke", Form::over, "derived-100-of-100000", "derived-100", 1, "ratio"},
        {"map-over-mmap-4k", 1.1, "map-4k", Form::over, "exo-map", "mmap", 1, "ratio"},
        {"map-over-mmap-2m", 1.1, "map-2m", Form::over, "exo-map", "mmap", 1, "ratio"},
        {"memory-region", 1024, "weight", Form::absolute, "region", "", 1, "bytes"},
        {"memory-process", 16384, "weight", Form::absolute, "process", "", 1, "bytes"},
        {"code-size-send", 160, "footprint", Form::absolute, "send", "", 1, "bytes"},
        {"code-size-recv", 200, "footprint", Form::absolute, "recv", "", 1, "bytes"},
        {"idle-memory", 65536, "footprint", Form::absolute, "idle-memory", "", 1, "bytes"},
    };
    return table;
}

static void append(std::vector<Group> &all, std::vector<Group> some)
{
    for (Group &group : some)
        all.push_back(std::move(group));
}

const std::vector<Group> &groups()
{
    static const std::vector<Group> all = [] {
        std::vector<Group> list;
        append(list, stream_groups());
        append(list, single_groups());
        append(list, many_groups());
        append(list, round_trip_groups());
        append(list, zero_copy_groups());
        append(list, channel_groups());
        append(list, profiler_groups());
        append(list, wait_many_groups());
        append(list, broadcast_groups());
        append(list, control_groups());
        append(list, trusted_groups());
        append(list, footprint_groups());
        return list;
    }();
    return all;
}

} // namespace bench
