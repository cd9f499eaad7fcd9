// SPDX-License-Identifier: MIT
/*
 * reader_writer_queue.hpp - moodycamel::ReaderWriterQueue, bounded: try_enqueue never allocates.
 */
#ifndef EXO_BENCH_CONTESTANTS_READER_WRITER_QUEUE_HPP
#define EXO_BENCH_CONTESTANTS_READER_WRITER_QUEUE_HPP

#include "direct.hpp"

#include <readerwriterqueue/readerwriterqueue.h>

namespace bench {

template <class Msg> struct ReaderWriterQueue {
    static constexpr const char *name = "readerwriterqueue";
    using Producer = DirectProducer<ReaderWriterQueue>;
    using Consumer = DirectConsumer<ReaderWriterQueue>;

    explicit ReaderWriterQueue(std::size_t slots) : queue(slots)
    {
    }
    bool push(const Msg &m)
    {
        return queue.try_enqueue(m);
    }
    bool pop(Msg &m)
    {
        return queue.try_dequeue(m);
    }

    /* One block: a queue of many small blocks would chase pointers. */
    moodycamel::ReaderWriterQueue<Msg, 2048> queue;
};

} // namespace bench

#endif
