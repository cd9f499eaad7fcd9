// SPDX-License-Identifier: MIT
/*
 * concurrent_queue.hpp - moodycamel::ConcurrentQueue with tokens, its fastest shape.
 *
 * Bounded as the others are, by MAX_SUBQUEUE_SIZE: `queue_slots` elements of each producer.
 * try_enqueue on blocks allocated up front would not do: a producer keeps the blocks that it took,
 * so that one may take them all and starve the other for good.
 */
#ifndef EXO_BENCH_CONTESTANTS_CONCURRENT_QUEUE_HPP
#define EXO_BENCH_CONTESTANTS_CONCURRENT_QUEUE_HPP

#include "../threads.hpp"
#include "direct.hpp"

#include <concurrentqueue/concurrentqueue.h>

namespace bench {

struct BoundedTraits : moodycamel::ConcurrentQueueDefaultTraits {
    static const std::size_t MAX_SUBQUEUE_SIZE = queue_slots;
};

template <class Msg> struct ConcurrentQueue {
    static constexpr const char *name = "concurrentqueue";
    using Queue = moodycamel::ConcurrentQueue<Msg, BoundedTraits>;
    static constexpr std::size_t most_producers = 4;

    explicit ConcurrentQueue(std::size_t slots) : queue(slots, most_producers, 0)
    {
    }

    struct Producer {
        explicit Producer(ConcurrentQueue &q) : queue(q.queue), token(q.queue)
        {
        }
        bool push(const Msg &m)
        {
            return queue.enqueue(token, m);
        }
        Queue &queue;
        moodycamel::ProducerToken token;
    };
    struct Consumer {
        explicit Consumer(ConcurrentQueue &q) : queue(q.queue), token(q.queue)
        {
        }
        bool pop(Msg &m)
        {
            return queue.try_dequeue(token, m);
        }
        Queue &queue;
        moodycamel::ConsumerToken token;
    };

    Queue queue;
};

} // namespace bench

#endif
