// SPDX-License-Identifier: MIT
/*
 * channel.cpp - what a channel costs over the ring under it, a call over two rings, and what an
 * urgent message notices of a flood.
 */
#include "../contestants/all.hpp"
#include "../drivers/pair.hpp"
#include "../drivers/stream.hpp"
#if EXO_BENCH_HAS_EXO
#include "../drivers/calls.hpp"
#endif

namespace bench {

std::vector<Group> channel_groups()
{
    std::vector<Group> list;
#if EXO_BENCH_HAS_EXO
    constexpr double stream_ms = 10, pair_ms = 4, trip_ms = 10, urgent_ms = 20;
    Group flow{"channel", gate_line, true, false, "ns", 1, {}};
    flow.slices.push_back({"exo", Role::anchor, [] { return stream<ExoSpsc<Msg56>, Msg56>(stream_ms); }});
    flow.slices.push_back(
        {"exo-message", Role::anchor, [] { return stream<ExoMessages<Msg56>, Msg56>(stream_ms); }});
    flow.slices.push_back(
        {"exo-channel", Role::ours, [] { return stream<ExoChannelFlow<Msg56>, Msg56>(stream_ms); }});
    list.push_back(flow);

    Group single{"channel-single", gate_rmw, false, false, "ns", 1, {}};
    single.slices.push_back(
        {"exo-message", Role::anchor, [] { return pair<ExoMessages<Msg56>, Msg56>(pair_ms); }});
    single.slices.push_back(
        {"exo-channel", Role::ours, [] { return pair<ExoChannelFlow<Msg56>, Msg56>(pair_ms); }});
    single.slices.push_back(
        {"exo-async", Role::ours, [] { return pair<ExoAsyncFlow<Msg56>, Msg56>(pair_ms); }});
    list.push_back(single);

    Group trip{"call-rtt", gate_line, true, false, "ns", 1, {}};
    trip.slices.push_back({"exo", Role::anchor, [] { return round_trip<ExoSpsc<Msg56>, Msg56>(trip_ms); }});
    trip.slices.push_back(
        {"exo-message", Role::anchor, [] { return round_trip<ExoMessages<Msg56>, Msg56>(trip_ms); }});
    trip.slices.push_back({"exo-call", Role::ours, [] { return call_round_trip<Msg56>(trip_ms); }});
    list.push_back(trip);

    Group urgent{"urgent", gate_line, true, false, "ns, p99", 1, {}};
    urgent.slices.push_back({"idle", Role::anchor, [] { return urgent_delay(urgent_ms, false); }});
    urgent.slices.push_back({"flood", Role::ours, [] { return urgent_delay(urgent_ms, true); }});
    list.push_back(urgent);
#endif
    return list;
}

} // namespace bench
