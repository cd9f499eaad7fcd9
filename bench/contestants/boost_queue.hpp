// SPDX-License-Identifier: MIT
/*
 * boost_queue.hpp - boost::lockfree::queue, many producers and consumers, its nodes allocated up
 * front.
 */
#ifndef EXO_BENCH_CONTESTANTS_BOOST_QUEUE_HPP
#define EXO_BENCH_CONTESTANTS_BOOST_QUEUE_HPP

#include "direct.hpp"

#include <boost/lockfree/queue.hpp>

namespace bench {

template <class Msg> struct BoostQueue {
    static constexpr const char *name = "boost-queue";
    using Producer = DirectProducer<BoostQueue>;
    using Consumer = DirectConsumer<BoostQueue>;

    explicit BoostQueue(std::size_t slots) : queue(slots)
    {
    }
    bool push(const Msg &m)
    {
        return queue.bounded_push(m);
    }
    bool pop(Msg &m)
    {
        return queue.pop(m);
    }

    boost::lockfree::queue<Msg> queue;
};

} // namespace bench

#endif
