// SPDX-License-Identifier: MIT
/*
 * zero_copy.hpp - loan, send, view, release; ns per pair, round trip or message.
 *
 * In pairs and round trips the payload is neither written nor read: the cost of handing it over is
 * measured, not memory. In the stream it is filled and read in full. A
 * queue here offers `bool push_loan(len)` (loan len bytes, send them; false: full or nothing to
 * loan yet) and `std::size_t pop_view()` (view, release; the length, or 0: empty); for the stream
 * `bool push_filled(len, fill)` and `bool pop_read(read)`.
 */
#ifndef EXO_BENCH_DRIVERS_ZERO_COPY_HPP
#define EXO_BENCH_DRIVERS_ZERO_COPY_HPP

#include "round_trip.hpp"
#include "stream.hpp"

#include <cstddef>

namespace bench {

constexpr std::size_t zero_copy_arena = std::size_t{64} << 20;

template <class Q> struct TwoArenas {
    TwoArenas() : there(queue_slots, zero_copy_arena), back(queue_slots, zero_copy_arena)
    {
    }
    Q there, back;
};

template <class P> bool send_loan(P &producer, std::size_t len)
{
    if (producer.push_loan(len))
        return true;
    Waiter waiter;
    while (!producer.push_loan(len)) {
        if (!waiter.turn())
            return false;
    }
    return true;
}

/* The length of the next payload; 0 when it was given up. */
template <class C> std::size_t receive_view(C &consumer)
{
    std::size_t len = consumer.pop_view();
    for (Waiter waiter; len == 0; len = consumer.pop_view()) {
        if (!waiter.turn())
            return 0;
    }
    return len;
}

/* One thread. */
template <class Q> __attribute__((noinline)) Outcome zero_copy_pair(double ms, std::size_t len)
{
    constexpr std::uint64_t block = 1024;
    const std::unique_ptr<Q> queue(new Q(queue_slots, zero_copy_arena));
    std::uint64_t done = 0, t0 = 0, t1 = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        typename Q::Producer producer(*queue);
        typename Q::Consumer consumer(*queue);
        std::uint64_t end = 0;
        do {
            for (std::uint64_t i = 0; i < block; i++)
                out.sound &= send_loan(producer, len) && consumer.pop_view() == len;
            t1 = ticks();
            if ((done += block) == 2 * block)
                end = (t0 = t1) + ticks_of_ms(ms);
        } while (out.sound && (done <= 2 * block || t1 < end));
    }});
    out.value = ns_per_item(t0, t1, done - 2 * block);
    return out;
}

/* Two threads; a payload of one byte ends the far side. */
template <class Q>
__attribute__((noinline)) Outcome zero_copy_round_trip(double ms, std::size_t len)
{
    const std::unique_ptr<TwoArenas<Q>> queues(new TwoArenas<Q>);
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        typename Q::Producer producer(queues->there);
        typename Q::Consumer consumer(queues->back);
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        for (; out.sound && (trips % trips_per_look != 0 || (t1 = ticks()) < end); trips++)
            out.sound = send_loan(producer, len) && receive_view(consumer) == len;
        out.sound &= send_loan(producer, 1);
    };
    const auto server = [&] {
        typename Q::Consumer consumer(queues->there);
        typename Q::Producer producer(queues->back);
        for (std::size_t got; (got = receive_view(consumer)) > 1;) {
            if (!send_loan(producer, got))
                return;
        }
    };
    out.preemptions = run_pinned({client, server});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

/* A stream of payloads, each filled where it is lent and read where it lies. */
template <class Q, class Msg> __attribute__((noinline)) Outcome zero_copy_stream(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    StreamState state;
    const auto produce = [&] {
        typename Q::Producer producer(*queue);
        run_producer(state, ms, [&producer](std::uint64_t seq) -> std::uint64_t {
            const auto fill = [seq](unsigned char *at) {
                new (at) Msg;
                reinterpret_cast<Msg *>(at)->fill(seq);
            };
            if (producer.push_filled(sizeof(Msg), fill))
                return 1;
            Waiter waiter;
            while (!producer.push_filled(sizeof(Msg), fill)) {
                if (!waiter.turn())
                    return 0;
            }
            return 1;
        });
    };
    const auto consume = [&] {
        typename Q::Consumer consumer(*queue);
        run_consumer(state, [&consumer](std::uint64_t seq, std::uint64_t &bad) -> std::uint64_t {
            return consumer.pop_read([&](const unsigned char *at) {
                bad |= reinterpret_cast<const Msg *>(at)->mismatch(seq);
            });
        });
    };
    const unsigned preemptions = run_pinned({produce, consume});
    return stream_outcome(state, preemptions);
}

} // namespace bench

#endif
