// SPDX-License-Identifier: MIT
/*
 * boost_spsc.hpp - boost::lockfree::spsc_queue, run-time capacity, one element or a batch at a
 * time.
 */
#ifndef EXO_BENCH_CONTESTANTS_BOOST_SPSC_HPP
#define EXO_BENCH_CONTESTANTS_BOOST_SPSC_HPP

#include "direct.hpp"

#include <boost/lockfree/spsc_queue.hpp>

namespace bench {

template <class Msg> struct BoostSpsc {
    static constexpr const char *name = "boost";
    using Producer = DirectProducer<BoostSpsc>;
    using Consumer = DirectConsumer<BoostSpsc>;

    explicit BoostSpsc(std::size_t slots) : queue(slots)
    {
    }
    bool push(const Msg &m)
    {
        return queue.push(m);
    }
    bool pop(Msg &m)
    {
        return queue.pop(m);
    }
    std::size_t push_bulk(const Msg *m, std::size_t n)
    {
        return queue.push(m, n);
    }
    std::size_t pop_bulk(Msg *m, std::size_t n)
    {
        return queue.pop(m, n);
    }

    boost::lockfree::spsc_queue<Msg> queue;
};

} // namespace bench

#endif
