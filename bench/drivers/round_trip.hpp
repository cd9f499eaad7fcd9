// SPDX-License-Identifier: MIT
/*
 * round_trip.hpp - two queues between two pinned threads: a message goes there and its copy comes
 * back.
 *
 * `round_trip` spins on both sides. `Ends` says how a side sends and receives, so that the same
 * loop also measures sides that sleep (ParkedEnds) and payloads that stay where they are (see
 * zero_copy.hpp). A message whose first word is `stop_word` ends the far side.
 */
#ifndef EXO_BENCH_DRIVERS_ROUND_TRIP_HPP
#define EXO_BENCH_DRIVERS_ROUND_TRIP_HPP

#include "../threads.hpp"

#include <memory>

namespace bench {

constexpr std::uint64_t stop_word = std::uint64_t{1} << 62;
constexpr std::uint64_t trips_per_look = 32; /* between two looks at the clock */

struct SpinningEnds {
    template <class P, class Msg> static bool send(P &producer, const Msg &msg)
    {
        if (producer.push(msg))
            return true;
        Waiter waiter;
        while (!producer.push(msg)) {
            if (!waiter.turn())
                return false;
        }
        return true;
    }
    template <class C, class Msg> static bool receive(C &consumer, Msg &msg)
    {
        if (consumer.pop(msg))
            return true;
        Waiter waiter;
        while (!consumer.pop(msg)) {
            if (!waiter.turn())
                return false;
        }
        return true;
    }
};

/* Both sides sleep at once when they have to wait; the calls give up by a deadline of their own. */
struct ParkedEnds {
    template <class P, class Msg> static bool send(P &producer, const Msg &msg)
    {
        return producer.push_parked(msg);
    }
    template <class C, class Msg> static bool receive(C &consumer, Msg &msg)
    {
        return consumer.pop_parked(msg);
    }
};

template <class Q> struct TwoQueues {
    TwoQueues() : there(queue_slots), back(queue_slots)
    {
    }
    Q there, back;
};

template <class Q, class Msg, class Ends> void echo(TwoQueues<Q> &queues)
{
    typename Q::Consumer consumer(queues.there);
    typename Q::Producer producer(queues.back);
    Msg msg;
    while (Ends::receive(consumer, msg) && msg.word[0] != stop_word) {
        if (!Ends::send(producer, msg))
            return;
    }
}

template <class Q, class Msg, class Ends = SpinningEnds>
__attribute__((noinline)) Outcome round_trip(double ms)
{
    const std::unique_ptr<TwoQueues<Q>> queues(new TwoQueues<Q>);
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        typename Q::Producer producer(queues->there);
        typename Q::Consumer consumer(queues->back);
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        Msg msg, got;
        while (out.sound && (trips % trips_per_look != 0 || (t1 = ticks()) < end)) {
            msg.fill(trips);
            out.sound = Ends::send(producer, msg) && Ends::receive(consumer, got) &&
                        got.mismatch(trips) == 0;
            trips++;
        }
        msg.fill(stop_word);
        out.sound &= Ends::send(producer, msg);
    };
    out.preemptions = run_pinned({client, [&] { echo<Q, Msg, Ends>(*queues); }});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

} // namespace bench

#endif
