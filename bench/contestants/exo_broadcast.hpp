// SPDX-License-Identifier: MIT
/*
 * exo_broadcast.hpp - a broadcast of exo_ipc in the shape that direct.hpp asks for, with one
 * subscriber or more.
 *
 * Subscribers are admitted before the clock starts, for a message sent before would not be theirs.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_BROADCAST_HPP
#define EXO_BENCH_CONTESTANTS_EXO_BROADCAST_HPP

#include <cstddef>
#include <exo_ipc/exo_ipc.h>
#include <new>

namespace bench {

template <class Msg, unsigned Policy, unsigned Subscribers = 1> struct ExoBroadcast {
    explicit ExoBroadcast(std::size_t slots)
    {
        exo_broadcast_config config = {};
        config.slots = static_cast<exo_u32>(slots);
        config.policy = Policy;
        config.subscribers = Subscribers;
        config.arena_size = EXO_ARENA_NONE;
        config.lag_ns = EXO_FOREVER;
        if (exo_broadcast_create(&broadcast, &config, &tx) != EXO_OK)
            throw std::bad_alloc();
        for (One &one : subscriber) {
            if (exo_broadcast_subscribe(&broadcast, &one.sub, 0) != EXO_OK)
                throw std::bad_alloc();
        }
        if (exo_broadcast_subscribers(&tx) != Subscribers)
            throw std::bad_alloc();
    }
    ~ExoBroadcast()
    {
        exo_broadcast_destroy(&broadcast);
    }
    ExoBroadcast(const ExoBroadcast &) = delete;
    ExoBroadcast &operator=(const ExoBroadcast &) = delete;

    struct Producer {
        explicit Producer(ExoBroadcast &q) : tx(q.tx)
        {
        }
        bool push(const Msg &m)
        {
            return exo_broadcast_send(&tx, m.word, sizeof m.word) == EXO_OK;
        }
        exo_publisher &tx;
    };

    struct Consumer {
        explicit Consumer(ExoBroadcast &q, unsigned which = 0) : sub(q.subscriber[which].sub)
        {
        }
        bool pop(Msg &m)
        {
            return exo_subscriber_recv(&sub, m.word, sizeof m.word) ==
                   static_cast<exo_i64>(sizeof m.word);
        }
        exo_subscriber &sub;
    };

    struct alignas(128) One {
        exo_subscriber sub;
    };

    exo_broadcast broadcast;
    alignas(128) exo_publisher tx;
    One subscriber[Subscribers];
};

template <class Msg> struct ExoReliable : ExoBroadcast<Msg, EXO_RELIABLE> {
    static constexpr const char *name = "exo-broadcast";
    using ExoBroadcast<Msg, EXO_RELIABLE>::ExoBroadcast;
};

} // namespace bench

#endif
