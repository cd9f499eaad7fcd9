// SPDX-License-Identifier: MIT
/*
 * many.hpp - N producers and M consumers on the two CPUs; ns per message, all messages over all
 * time.
 *
 * Thread i is pinned to CPU i mod 2, producers first, so each CPU gets producers and consumers
 * alike. Where there are more threads than CPUs a waiting thread yields now and then (Waiter), for
 * every contestant alike. A message's first word is its producer's number and count; each consumer
 * checks the words and that the counts of one producer rise, and in the end as many must have
 * arrived as were sent.
 */
#ifndef EXO_BENCH_DRIVERS_MANY_HPP
#define EXO_BENCH_DRIVERS_MANY_HPP

#include "../threads.hpp"

#include <memory>

namespace bench {

constexpr unsigned producer_shift = 48;
constexpr std::uint64_t count_mask = (std::uint64_t{1} << producer_shift) - 1;

struct ManyState {
    LoneCounter sent, received, running; /* updated once per thread, at its end */
    LoneCounter first, last;             /* ticks: earliest start, latest end */
    std::atomic<bool> sound{true};

    ManyState(unsigned producers)
    {
        running.value = producers;
        first.value = ~std::uint64_t{0};
    }
};

template <class Q, class Msg>
void many_produce(Q &queue, ManyState &state, std::uint64_t id, double ms, bool crowded)
{
    typename Q::Producer producer(queue);
    const std::uint64_t start = ticks(), end = start + ticks_of_ms(ms);
    std::uint64_t count = 0, seen = state.first.value.load();
    bool stuck = false;
    while (start < seen && !state.first.value.compare_exchange_weak(seen, start)) {
    }
    while (!stuck && (count % 64 != 0 || ticks() < end)) {
        Msg msg;
        msg.fill(id << producer_shift | count);
        if (!producer.push(msg)) {
            Waiter waiter(crowded);
            while (!producer.push(msg)) {
                if (!waiter.turn()) {
                    stuck = true;
                    break;
                }
            }
        }
        count += !stuck;
    }
    if (stuck)
        state.sound = false;
    state.sent.value.fetch_add(count);
    state.running.value.fetch_sub(1);
}

/* All producers have ended and all that they sent has been received; `mine` is added to it once. */
inline bool many_drained(ManyState &state, std::uint64_t &mine)
{
    if (state.running.value.load() != 0)
        return false;
    if (mine != 0)
        state.received.value.fetch_add(mine);
    mine = 0;
    return state.received.value.load() >= state.sent.value.load();
}

/* The next message; false when there will be none. */
template <class C, class Msg>
bool many_pop(C &consumer, Msg &msg, ManyState &state, std::uint64_t &mine, bool crowded)
{
    if (consumer.pop(msg))
        return true;
    Waiter waiter(crowded);
    while (!consumer.pop(msg)) {
        if (many_drained(state, mine))
            return false;
        if (!waiter.turn()) {
            state.sound = false;
            return false;
        }
    }
    return true;
}

template <unsigned N, class Q, class Msg>
void many_consume(Q &queue, ManyState &state, bool crowded)
{
    typename Q::Consumer consumer(queue);
    std::uint64_t next[N] = {}, bad = 0, mine = 0;
    Msg msg;
    for (; many_pop(consumer, msg, state, mine, crowded); mine++) {
        const std::uint64_t id = msg.word[0] >> producer_shift, count = msg.word[0] & count_mask;
        bad |= msg.mismatch(msg.word[0]) | (id >= N) | (count < next[id % N]);
        next[id % N] = count + 1;
    }
    const std::uint64_t now = ticks();
    std::uint64_t seen = state.last.value.load();
    while (now > seen && !state.last.value.compare_exchange_weak(seen, now)) {
    }
    if (bad != 0)
        state.sound = false;
}

template <unsigned N, unsigned M, class Q, class Msg>
__attribute__((noinline)) Outcome many(double ms)
{
    const std::unique_ptr<Q> queue(new Q(queue_slots));
    const bool crowded = N + M > 2;
    ManyState state(N);
    std::vector<std::function<void()>> bodies;
    for (unsigned i = 0; i < N; i++)
        bodies.push_back([&, i] { many_produce<Q, Msg>(*queue, state, i, ms, crowded); });
    for (unsigned i = 0; i < M; i++)
        bodies.push_back([&] { many_consume<N, Q, Msg>(*queue, state, crowded); });
    Outcome out;
    out.preemptions = run_pinned(bodies);
    out.sound = state.sound && state.sent.value == state.received.value;
    if (crowded)
        out.preemptions = 0; /* expected here, no sign of a disturbance */
    out.value = ns_per_item(state.first.value, state.last.value, state.sent.value);
    return out;
}

} // namespace bench

#endif
