// SPDX-License-Identifier: MIT
/*
 * queue_link.hpp - a queue between threads (direct.hpp), one for each direction, as a link.
 *
 * A patient receiver waits longer each time that it has found nothing: some queues stream much
 * faster when they are left alone.
 */
#ifndef EXO_BENCH_CONTESTANTS_QUEUE_LINK_HPP
#define EXO_BENCH_CONTESTANTS_QUEUE_LINK_HPP

#include "link.hpp"

namespace bench {

template <class Q, class Msg, bool Batches = false, bool Patient = false> struct QueueLink {
    static constexpr const char *name = Q::name;
    static constexpr bool spins = true, pinned = true, has_batches = Batches;
    static constexpr std::size_t most = 256;

    explicit QueueLink(const LinkSetup &setup)
        : there(setup.slots), back(setup.slots), crowded(setup.crowded)
    {
    }

    struct End {
        End(QueueLink &link, unsigned side)
            : producer(side == 0 ? link.there : link.back),
              consumer(side == 0 ? link.back : link.there), crowded(link.crowded)
        {
        }
        template <class Fill> bool send(std::size_t, Fill fill)
        {
            Msg msg;
            fill(&msg);
            return insist(crowded, [&] { return producer.push(msg); });
        }
        template <class Read> bool receive(std::size_t, Read read)
        {
            Msg msg;
            if (!insist(crowded, [&] { return pop(msg); }))
                return false;
            read(&msg);
            return true;
        }
        bool pop(Msg &msg)
        {
            if (consumer.pop(msg))
                return true;
            for (unsigned i = 0; Patient && i < patience; i++)
                cpu_relax();
            return false;
        }
        template <class Fill> bool send_batch(std::size_t, std::size_t n, Fill fill)
        {
            Msg msg[most];
            std::size_t sent = 0;
            for (std::size_t i = 0; i < n; i++)
                fill(i, &msg[i]);
            return insist(crowded, [&] {
                sent += producer.push_bulk(msg + sent, n - sent);
                return sent == n;
            });
        }
        template <class Read> std::size_t receive_batch(std::size_t, std::size_t n, Read read)
        {
            Msg msg[most];
            std::size_t got = 0;
            if (!insist(crowded, [&] { return (got = consumer.pop_bulk(msg, n)) != 0; }))
                return 0;
            for (std::size_t i = 0; i < got; i++)
                read(i, &msg[i]);
            return got;
        }

        typename Q::Producer producer;
        typename Q::Consumer consumer;
        bool crowded;
    };

    Q there, back;
    bool crowded;
};

} // namespace bench

#endif
