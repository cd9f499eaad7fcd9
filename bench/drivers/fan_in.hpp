// SPDX-License-Identifier: MIT
/*
 * fan_in.hpp - the stream of stream.hpp through several lanes: one producer feeds them in turn, one
 * consumer takes from whichever has something. ns per message.
 *
 * Message seq goes through lane seq modulo their number; the consumer checks that each lane's
 * messages come whole and in order, and in the end that all have come.
 */
#ifndef EXO_BENCH_DRIVERS_FAN_IN_HPP
#define EXO_BENCH_DRIVERS_FAN_IN_HPP

#include "stream.hpp"

namespace bench {

template <class Q, class Msg> __attribute__((noinline)) Outcome fan_in(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    StreamState state;
    const auto produce = [&] {
        typename Q::Producer producer(*queue);
        run_producer(state, ms, [&producer](std::uint64_t seq) -> std::uint64_t {
            const auto lane = static_cast<unsigned>(seq % Q::lanes);
            Msg msg;
            msg.fill(seq);
            if (producer.push(msg, lane))
                return 1;
            Waiter waiter;
            while (!producer.push(msg, lane)) {
                if (!waiter.turn())
                    return 0;
            }
            return 1;
        });
    };
    const auto consume = [&] {
        typename Q::Consumer consumer(*queue);
        std::uint64_t next[Q::lanes];
        for (unsigned i = 0; i < Q::lanes; i++)
            next[i] = i;
        run_consumer(state, [&](std::uint64_t, std::uint64_t &bad) -> std::uint64_t {
            Msg msg;
            unsigned lane = 0;
            if (!consumer.pop(msg, lane))
                return 0;
            bad |= msg.mismatch(next[lane]);
            next[lane] += Q::lanes;
            return 1;
        });
    };
    const unsigned preemptions = run_pinned({produce, consume});
    return stream_outcome(state, preemptions);
}

} // namespace bench

#endif
