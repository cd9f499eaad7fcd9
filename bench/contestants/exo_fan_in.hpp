// SPDX-License-Identifier: MIT
/*
 * exo_fan_in.hpp - N rings into one receiver through a fan-in. All lanes together hold as much as
 * one queue of the other contestants.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_FAN_IN_HPP
#define EXO_BENCH_CONTESTANTS_EXO_FAN_IN_HPP

#include "exo.hpp"

#include <array>
#include <memory>

namespace bench {

template <class Msg, unsigned N> struct ExoFanIn {
    static constexpr unsigned lanes = N;

    explicit ExoFanIn(std::size_t slots)
    {
        for (auto &ring : rings)
            ring = std::make_unique<ExoRing>(EXO_SPSC, slots / N, EXO_ARENA_NONE);
    }

    struct Producer {
        explicit Producer(ExoFanIn &queue)
        {
            for (unsigned i = 0; i < N; i++)
                tx[i] = std::make_unique<ExoSenderHandle>(*queue.rings[i]);
        }
        bool push(const Msg &m, unsigned lane)
        {
            return exo_send_inline_as(&tx[lane]->tx, EXO_SPSC, m.word, sizeof m.word) == EXO_OK;
        }

        std::array<std::unique_ptr<ExoSenderHandle>, N> tx;
    };

    struct Consumer {
        explicit Consumer(ExoFanIn &queue)
        {
            if (exo_fanin_init(&fanin, places, N) != EXO_OK)
                throw std::bad_alloc();
            for (unsigned i = 0; i < N; i++) {
                rx[i] = std::make_unique<ExoReceiverHandle>(*queue.rings[i]);
                if (exo_fanin_add_receiver(&fanin, &rx[i]->rx, i) != EXO_OK)
                    throw std::bad_alloc();
            }
        }
        bool pop(Msg &m, unsigned &lane)
        {
            exo_fanin_from from;
            if (exo_fanin_recv_inline(&fanin, m.word, sizeof m.word, &from) !=
                static_cast<exo_i64>(sizeof m.word))
                return false;
            lane = static_cast<unsigned>(from.key);
            return true;
        }

        std::array<std::unique_ptr<ExoReceiverHandle>, N> rx;
        exo_fanin_lane places[N];
        exo_fanin fanin;
    };

    std::array<std::unique_ptr<ExoRing>, N> rings;
};

} // namespace bench

#endif
