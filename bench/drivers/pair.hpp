// SPDX-License-Identifier: MIT
/*
 * pair.hpp - one thread sends a message and receives it at once, over and over; ns per pair.
 *
 * Nothing crosses to another core: what remains is the instructions and the cost of the own cache.
 */
#ifndef EXO_BENCH_DRIVERS_PAIR_HPP
#define EXO_BENCH_DRIVERS_PAIR_HPP

#include "../threads.hpp"

#include <memory>

namespace bench {

constexpr std::uint64_t pairs_per_block = 2 * queue_slots;

/* The usual send of a Producer. */
struct PlainSend {
    template <class P, class Msg> static bool send(P &producer, const Msg &msg)
    {
        return producer.push(msg);
    }
};

/* Send without the look whether the receiver sleeps. */
struct RawSend {
    template <class P, class Msg> static bool send(P &producer, const Msg &msg)
    {
        return producer.push_raw(msg);
    }
};

template <class Q, class Msg, class How>
__attribute__((noinline)) bool pair_block(typename Q::Producer &producer,
                                          typename Q::Consumer &consumer, std::uint64_t seq)
{
    std::uint64_t bad = 0;
    for (const std::uint64_t stop = seq + pairs_per_block; seq < stop; seq++) {
        Msg msg;
        msg.fill(seq);
        if (!How::send(producer, msg))
            return false;
        Msg got;
        if (!consumer.pop(got))
            return false;
        bad |= got.mismatch(seq);
    }
    return bad == 0;
}

template <class Q, class Msg, class How = PlainSend>
__attribute__((noinline)) Outcome pair(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    std::uint64_t seq = 0, t0 = 0, t1 = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        typename Q::Producer producer(*queue);
        typename Q::Consumer consumer(*queue);
        out.sound = pair_block<Q, Msg, How>(producer, consumer, 0); /* touches all slots */
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        for (; out.sound && (t1 = ticks()) < end; seq += pairs_per_block)
            out.sound = pair_block<Q, Msg, How>(producer, consumer, seq);
    }});
    out.value = ns_per_item(t0, t1, seq);
    return out;
}

} // namespace bench

#endif
