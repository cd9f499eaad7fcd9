// SPDX-License-Identifier: MIT
/*
 * stream.hpp - one producer on one CPU, one consumer on the other, for some milliseconds; ns per
 * message.
 *
 * The producer writes every word of every message and the consumer reads and checks every word. The
 * first `warm_up` messages touch the queue's memory before the clock starts. When its time is over
 * the producer publishes how many messages there were; the consumer looks at that only when it
 * finds the queue empty.
 *
 * A consumer that comes back too soon takes the producer's lines away from it. A patient one waits
 * longer when it has found the queue empty, which makes some queues much faster.
 */
#ifndef EXO_BENCH_DRIVERS_STREAM_HPP
#define EXO_BENCH_DRIVERS_STREAM_HPP

#include "../threads.hpp"

#include <memory>

namespace bench {

constexpr std::uint64_t no_limit = ~std::uint64_t{0};
constexpr std::uint64_t warm_up = 2 * queue_slots;
constexpr std::size_t batch = 32;

/* What the two sides share beside the queue. */
struct StreamState {
    LoneCounter limit;         /* messages sent in all; no_limit while the producer runs */
    std::uint64_t started = 0; /* ticks */
    std::uint64_t ended = 0;
    std::uint64_t received = 0;
    bool sound = true;

    StreamState()
    {
        limit.value = no_limit;
    }
};

/* Calls step(seq), which sends messages from seq on and returns how many (0: gave up), until time
 * is over. */
template <class Step> void run_producer(StreamState &state, double ms, Step step)
{
    std::uint64_t seq = 0, end = no_limit;
    for (;;) {
        for (std::uint64_t stop = seq + 256; seq < stop;) {
            const std::uint64_t sent = step(seq);
            if (sent == 0)
                return;
            seq += sent;
        }
        const std::uint64_t now = ticks();
        if (end == no_limit && seq >= warm_up) {
            state.started = now;
            end = now + ticks_of_ms(ms);
        }
        if (now >= end)
            break;
    }
    state.limit.value.store(seq, std::memory_order_release);
}

/* Calls step(seq, bad), which takes messages and returns how many (0: empty), until all have
 * arrived. */
template <bool Patient = false, class Step> void run_consumer(StreamState &state, Step step)
{
    std::uint64_t seq = 0, bad = 0;
    for (;;) {
        std::uint64_t got = step(seq, bad);
        if (got == 0) {
            Waiter waiter;
            while ((got = step(seq, bad)) == 0) {
                if (seq == state.limit.value.load(std::memory_order_acquire))
                    break;
                for (unsigned i = 0; Patient && i < patience; i++)
                    cpu_relax();
                if (!waiter.turn())
                    return;
            }
            if (got == 0)
                break;
        }
        seq += got;
    }
    state.ended = ticks();
    state.received = seq;
    state.sound = bad == 0;
}

inline Outcome stream_outcome(const StreamState &state, unsigned preemptions)
{
    Outcome out;
    out.preemptions = preemptions;
    out.sound =
        state.sound && state.received > warm_up && state.received == state.limit.value.load();
    out.value = out.sound ? ns_per_item(state.started, state.ended, state.received - warm_up) : 0;
    return out;
}

/* Each message published and taken by itself. */
template <class Q, class Msg, bool Patient = false>
__attribute__((noinline)) Outcome stream(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    StreamState state;
    const auto produce = [&] {
        typename Q::Producer producer(*queue);
        run_producer(state, ms, [&producer](std::uint64_t seq) -> std::uint64_t {
            Msg msg;
            msg.fill(seq);
            if (producer.push(msg))
                return 1;
            Waiter waiter;
            while (!producer.push(msg)) {
                if (!waiter.turn())
                    return 0;
            }
            return 1;
        });
    };
    const auto consume = [&] {
        typename Q::Consumer consumer(*queue);
        run_consumer<Patient>(state,
                              [&consumer](std::uint64_t seq, std::uint64_t &bad) -> std::uint64_t {
                                  Msg msg;
                                  if (!consumer.pop(msg))
                                      return 0;
                                  bad |= msg.mismatch(seq);
                                  return 1;
                              });
    };
    const unsigned preemptions = run_pinned({produce, consume});
    return stream_outcome(state, preemptions);
}

/* Batches of 32: handed over in one call, or in as few as the queue has room for. */
template <class Q, class Msg> __attribute__((noinline)) Outcome stream_bulk(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    StreamState state;
    const auto produce = [&] {
        typename Q::Producer producer(*queue);
        run_producer(state, ms, [&producer](std::uint64_t seq) -> std::uint64_t {
            Msg msg[batch];
            for (std::size_t i = 0; i < batch; i++)
                msg[i].fill(seq + i);
            std::size_t sent = producer.push_bulk(msg, batch);
            for (Waiter waiter; sent < batch;
                 sent += producer.push_bulk(msg + sent, batch - sent)) {
                if (!waiter.turn())
                    return 0;
            }
            return batch;
        });
    };
    const auto consume = [&] {
        typename Q::Consumer consumer(*queue);
        run_consumer(state, [&consumer](std::uint64_t seq, std::uint64_t &bad) -> std::uint64_t {
            Msg msg[batch];
            const std::size_t got = consumer.pop_bulk(msg, batch);
            for (std::size_t i = 0; i < got; i++)
                bad |= msg[i].mismatch(seq + i);
            return got;
        });
    };
    const unsigned preemptions = run_pinned({produce, consume});
    return stream_outcome(state, preemptions);
}

} // namespace bench

#endif
