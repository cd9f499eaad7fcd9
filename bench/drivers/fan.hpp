// SPDX-License-Identifier: MIT
/*
 * fan.hpp - what one sender pays for a message to many subscribers, in one thread; ns per message,
 * divided by `share`.
 *
 * Only the sends are timed: half a queue of them, to subscribers that have taken everything, and
 * take these afterwards.
 */
#ifndef EXO_BENCH_DRIVERS_FAN_HPP
#define EXO_BENCH_DRIVERS_FAN_HPP

#include "../threads.hpp"

#include <memory>

namespace bench {

template <class Q, class Msg, unsigned Subscribers>
__attribute__((noinline)) bool fan_drain(Q &queue, std::uint64_t seq, std::uint64_t sent)
{
    std::uint64_t bad = 0;
    for (unsigned i = 0; i < Subscribers; i++) {
        typename Q::Consumer consumer(queue, i);
        Msg got;
        for (std::uint64_t k = 0; k < sent; k++) {
            if (!consumer.pop(got))
                return false;
            bad |= got.mismatch(seq + k);
        }
    }
    return bad == 0;
}

template <class Q, class Msg, unsigned Subscribers>
__attribute__((noinline)) Outcome fan(double ms, double share)
{
    constexpr std::uint64_t block = queue_slots / 2;
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    std::uint64_t spent = 0, seq = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        typename Q::Producer producer(*queue);
        const std::uint64_t end = ticks() + ticks_of_ms(ms);
        for (std::uint64_t rounds = 0; out.sound && ticks() < end; rounds++, seq += block) {
            const std::uint64_t t0 = ticks();
            for (std::uint64_t i = 0; i < block; i++) {
                Msg msg;
                msg.fill(seq + i);
                out.sound &= producer.push(msg);
            }
            if (rounds > 1) /* the first two touch all slots */
                spent += ticks() - t0;
            out.sound &= fan_drain<Q, Msg, Subscribers>(*queue, seq, block);
        }
    }});
    out.sound &= seq > 4 * block;
    out.value = out.sound ? ns_per_item(0, spent, seq - 2 * block) / share : 0;
    return out;
}

} // namespace bench

#endif
