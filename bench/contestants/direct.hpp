// SPDX-License-Identifier: MIT
/*
 * direct.hpp - the shape of a contestant.
 *
 * A contestant is a struct template over the message type:
 *
 *     static constexpr const char *name;
 *     explicit Q(std::size_t slots);
 *     struct Producer { explicit Producer(Q &); bool push(const Msg &); };
 *     struct Consumer { explicit Consumer(Q &); bool pop(Msg &); };
 *
 * and, where it has a batch of its own, `push_bulk(const Msg *, n)` / `pop_bulk(Msg *, n)`, which
 * move up to n messages and return how many. push and pop never wait: false means full, or empty. A
 * Producer or Consumer belongs to one thread, which constructs it on its own stack, so that private
 * state (tokens, cached indices) shares no line with the other side. Queues without such state
 * forward through the two templates below.
 */
#ifndef EXO_BENCH_CONTESTANTS_DIRECT_HPP
#define EXO_BENCH_CONTESTANTS_DIRECT_HPP

#include <cstddef>

namespace bench {

template <class Q> struct DirectProducer {
    explicit DirectProducer(Q &q) : queue(q)
    {
    }
    template <class Msg> bool push(const Msg &m)
    {
        return queue.push(m);
    }
    template <class Msg> std::size_t push_bulk(const Msg *m, std::size_t n)
    {
        return queue.push_bulk(m, n);
    }
    Q &queue;
};

template <class Q> struct DirectConsumer {
    explicit DirectConsumer(Q &q) : queue(q)
    {
    }
    template <class Msg> bool pop(Msg &m)
    {
        return queue.pop(m);
    }
    template <class Msg> std::size_t pop_bulk(Msg *m, std::size_t n)
    {
        return queue.pop_bulk(m, n);
    }
    Q &queue;
};

} // namespace bench

#endif
