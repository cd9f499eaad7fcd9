// SPDX-License-Identifier: MIT
/*
 * concurrent_queue.hpp - moodycamel::ConcurrentQueue with tokens, its fastest shape: as it is made to
 * be used, without a bound (its memory grows as far as the producers are ahead), and bounded as the
 * others are.
 *
 * The bound is MAX_SUBQUEUE_SIZE: `queue_slots` elements of each producer. try_enqueue on blocks
 * allocated up front would not do: a producer keeps the blocks that it took, so that one may take
 * them all and starve the other for good.
 */
#ifndef EXO_BENCH_CONTESTANTS_CONCURRENT_QUEUE_HPP
#define EXO_BENCH_CONTESTANTS_CONCURRENT_QUEUE_HPP

#include "../threads.hpp"
#include "direct.hpp"

#include <concurrentqueue/concurrentqueue.h>

namespace bench {

struct UnboundedTraits : moodycamel::ConcurrentQueueDefaultTraits {
    static constexpr const char *name = "concurrentqueue";
    static const std::size_t BLOCK_SIZE = 64;
};

struct BoundedTraits : moodycamel::ConcurrentQueueDefaultTraits {
    static constexpr const char *name = "concurrentqueue-bounded";
    static const std::size_t MAX_SUBQUEUE_SIZE = queue_slots;
};

template <class Msg, class Traits = UnboundedTraits> struct ConcurrentQueue {
    static constexpr const char *name = Traits::name;
    using Queue = moodycamel::ConcurrentQueue<Msg, Traits>;
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
