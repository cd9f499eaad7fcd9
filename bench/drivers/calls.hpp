// SPDX-License-Identifier: MIT
/*
 * calls.hpp - requests and responses between two pinned threads that spin; and how long an urgent
 * message is under way, alone or through a flood of ordinary ones.
 */
#ifndef EXO_BENCH_DRIVERS_CALLS_HPP
#define EXO_BENCH_DRIVERS_CALLS_HPP

#include "../contestants/exo_channel.hpp"
#include "round_trip.hpp"

#include <algorithm>

namespace bench {

/* Answers each request with what it carries, until the stop word comes. */
template <class Msg> void answer_calls(ExoChannelPair &pair)
{
    ExoChannelEnd end(pair, 1);
    for (Waiter waiter;;) {
        exo_message request;
        if (exo_channel_recv(&end.channel, &request) != EXO_OK) {
            if (!waiter.turn())
                return;
            continue;
        }
        waiter = Waiter();
        Msg msg;
        std::memcpy(msg.word, exo_message_payload(&request), sizeof msg.word);
        if (exo_channel_release(&end.channel, &request) != EXO_OK || msg.word[0] == stop_word ||
            exo_reply(&end.channel, &request.header, msg.word, sizeof msg.word) != EXO_OK)
            return;
    }
}

/* One call; false if it did not work. */
template <class Msg> bool call_once(exo_channel *channel, const Msg &msg, Msg &got)
{
    exo_call call;
    if (exo_call_send(channel, &call, nullptr, msg.word, sizeof msg.word, EXO_FOREVER) != EXO_OK)
        return false;
    exo_status status;
    for (Waiter waiter; (status = exo_call_poll(channel, &call)) == EXO_EMPTY;) {
        if (!waiter.turn())
            return false;
    }
    if (status != EXO_OK)
        return false;
    std::memcpy(got.word, exo_message_payload(&call.answer), sizeof got.word);
    return exo_call_release(channel, &call) == EXO_OK;
}

template <class Msg> __attribute__((noinline)) Outcome call_round_trip(double ms)
{
    const std::unique_ptr<ExoChannelPair> pair(new ExoChannelPair(queue_slots));
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        ExoChannelEnd end(*pair, 0);
        const std::uint64_t stop = (t0 = ticks()) + ticks_of_ms(ms);
        Msg msg, got;
        while (out.sound && (trips % trips_per_look != 0 || (t1 = ticks()) < stop)) {
            msg.fill(trips);
            out.sound = call_once(&end.channel, msg, got) && got.mismatch(trips) == 0;
            trips++;
        }
        msg.fill(stop_word);
        exo_call last;
        out.sound &= exo_call_send(&end.channel, &last, nullptr, msg.word, sizeof msg.word,
                                   EXO_FOREVER) == EXO_OK;
    };
    out.preemptions = run_pinned({client, [&] { answer_calls<Msg>(*pair); }});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

constexpr double urgent_every_us = 5;

/* Sends a stamped message of priority 255 now and then; with a flood, keeps the main lane full. */
inline void send_urgent(ExoChannelPair &pair, double ms, bool flood, LoneCounter &over)
{
    ExoChannelEnd end(pair, 0);
    exo_message_header urgent = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    urgent.priority = 255;
    const std::uint64_t stop = ticks() + ticks_of_ms(ms);
    const std::uint64_t step = ticks_of_ms(urgent_every_us / 1000);
    std::uint64_t next = ticks() + step, ordinary[2] = {};
    for (std::uint64_t now; (now = ticks()) < stop;) {
        if (now >= next) {
            std::uint64_t stamp[2] = {now, 1};
            next = now + step;
            if (exo_channel_send(&end.channel, &urgent, stamp, sizeof stamp) != EXO_OK)
                break;
        }
        if (flood && exo_channel_send(&end.channel, nullptr, ordinary, sizeof ordinary) != EXO_OK)
            cpu_relax();
    }
    over.value.store(1, std::memory_order_release);
}

/* The 99th percentile of the delays, in ns. */
inline Outcome urgent_delay(double ms, bool flood)
{
    const std::unique_ptr<ExoChannelPair> pair(new ExoChannelPair(queue_slots));
    LoneCounter over;
    std::vector<std::uint64_t> delays;
    Outcome out;
    delays.reserve(1u << 20);
    const auto receive = [&] {
        ExoChannelEnd end(*pair, 1);
        exo_message message;
        while (over.value.load(std::memory_order_acquire) == 0) {
            if (exo_channel_recv(&end.channel, &message) != EXO_OK) {
                cpu_relax();
                continue;
            }
            std::uint64_t stamp[2];
            std::memcpy(stamp, exo_message_payload(&message), sizeof stamp);
            out.sound &= exo_channel_release(&end.channel, &message) == EXO_OK;
            if (stamp[1] == 1)
                delays.push_back(ticks() - stamp[0]);
        }
    };
    out.preemptions = run_pinned({[&] { send_urgent(*pair, ms, flood, over); }, receive});
    out.sound &= delays.size() > 100;
    if (out.sound) {
        const std::size_t at = delays.size() * 99 / 100;
        std::nth_element(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(at), delays.end());
        out.value = ns_per_item(0, delays[at], 1);
    }
    return out;
}

} // namespace bench

#endif
