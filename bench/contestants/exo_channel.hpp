// SPDX-License-Identifier: MIT
/*
 * exo_channel.hpp - channels of exo_ipc, and the plain ring of messages with headers that they are
 * measured against, in the shape that direct.hpp asks for.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_CHANNEL_HPP
#define EXO_BENCH_CONTESTANTS_EXO_CHANNEL_HPP

#include "exo.hpp"

#include <cstring>

namespace bench {

/* A ring of slots of 128 bytes, and messages with headers over it. */
template <class Msg> struct ExoMessages {
    static constexpr const char *name = "exo-message";

    explicit ExoMessages(std::size_t slots)
    {
        exo_ring_config config = {};
        config.slots = static_cast<exo_u32>(slots);
        config.slot_size = 128;
        config.arena_size = EXO_ARENA_NONE;
        if (exo_ring_create(&ring, &config, nullptr, nullptr) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoMessages()
    {
        exo_ring_destroy(&ring);
    }
    ExoMessages(const ExoMessages &) = delete;
    ExoMessages &operator=(const ExoMessages &) = delete;

    struct Producer {
        explicit Producer(ExoMessages &q) : header(exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, 0))
        {
            if (exo_ring_sender(&q.ring, &tx) != EXO_OK)
                throw std::bad_alloc();
        }
        ~Producer()
        {
            exo_sender_close(&tx);
        }
        bool push(const Msg &m)
        {
            return exo_message_send_data(&tx, &header, m.word, sizeof m.word) == EXO_OK;
        }
        exo_sender tx;
        exo_message_header header;
    };

    struct Consumer {
        explicit Consumer(ExoMessages &q)
        {
            if (exo_ring_receiver(&q.ring, &rx) != EXO_OK)
                throw std::bad_alloc();
        }
        ~Consumer()
        {
            exo_receiver_close(&rx);
        }
        bool pop(Msg &m)
        {
            exo_message message;
            if (exo_message_recv(&rx, &message) != EXO_OK)
                return false;
            std::memcpy(m.word, exo_message_payload(&message), sizeof m.word);
            return exo_message_release(&rx, &message) == EXO_OK;
        }
        exo_receiver rx;
    };

    exo_ring ring;
};

/* Both ends of a channel. */
struct ExoChannelPair {
    explicit ExoChannelPair(std::size_t slots)
    {
        exo_channel_config config = {};
        config.ring.slots = static_cast<exo_u32>(slots);
        config.ring.arena_size = EXO_ARENA_NONE;
        if (exo_channel_pair_create(&pair, &config) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoChannelPair()
    {
        exo_channel_pair_destroy(&pair);
    }
    ExoChannelPair(const ExoChannelPair &) = delete;
    ExoChannelPair &operator=(const ExoChannelPair &) = delete;

    exo_channel_pair pair;
};

struct ExoChannelEnd {
    ExoChannelEnd(ExoChannelPair &q, unsigned end)
    {
        if (exo_channel_pair_open(&q.pair, end, &channel) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoChannelEnd()
    {
        exo_channel_close(&channel);
    }
    ExoChannelEnd(const ExoChannelEnd &) = delete;
    ExoChannelEnd &operator=(const ExoChannelEnd &) = delete;

    exo_channel channel;
};

/* One direction of it. */
template <class Msg> struct ExoChannelFlow : ExoChannelPair {
    static constexpr const char *name = "exo-channel";
    using ExoChannelPair::ExoChannelPair;

    struct Producer : ExoChannelEnd {
        explicit Producer(ExoChannelFlow &q) : ExoChannelEnd(q, 0)
        {
        }
        bool push(const Msg &m)
        {
            return exo_channel_send(&channel, nullptr, m.word, sizeof m.word) == EXO_OK;
        }
    };

    struct Consumer : ExoChannelEnd {
        explicit Consumer(ExoChannelFlow &q) : ExoChannelEnd(q, 1)
        {
        }
        bool pop(Msg &m)
        {
            exo_message message;
            if (exo_channel_recv(&channel, &message) != EXO_OK)
                return false;
            std::memcpy(m.word, exo_message_payload(&message), sizeof m.word);
            return exo_channel_release(&channel, &message) == EXO_OK;
        }
    };
};

/* The same by operations, which are done at once and complete at once, on both sides. */
template <class Msg> struct ExoAsyncFlow : ExoChannelPair {
    static constexpr const char *name = "exo-async";
    using ExoChannelPair::ExoChannelPair;

    struct Producer : ExoChannelEnd {
        explicit Producer(ExoAsyncFlow &q) : ExoChannelEnd(q, 0)
        {
            exo_async_init(&async, &channel);
            exo_op_init(&op, 1);
        }
        ~Producer()
        {
            exo_async_close(&async);
        }
        bool push(const Msg &m)
        {
            return exo_async_submit_send(&async, &op, nullptr, m.word, sizeof m.word,
                                         EXO_FOREVER) == EXO_OK &&
                   exo_async_next(&async) == &op && op.status == EXO_OK;
        }
        exo_async async;
        exo_op op;
    };

    struct Consumer : ExoChannelEnd {
        explicit Consumer(ExoAsyncFlow &q) : ExoChannelEnd(q, 1)
        {
            exo_async_init(&async, &channel);
            exo_op_init(&op, 2);
        }
        ~Consumer()
        {
            exo_async_close(&async);
        }
        bool pop(Msg &m)
        {
            if (exo_async_submit_recv(&async, &op, EXO_FOREVER) != EXO_OK ||
                exo_async_next(&async) != &op || op.status != EXO_OK)
                return false;
            std::memcpy(m.word, exo_message_payload(exo_op_message(&op)), sizeof m.word);
            return exo_op_release(&async, &op) == EXO_OK;
        }
        exo_async async;
        exo_op op;
    };
};

} // namespace bench

#endif
