// SPDX-License-Identifier: MIT
/*
 * message.hpp - what the contestants carry.
 *
 * A message is a row of 64-bit words, each derived from one sequence number, so that the producer
 * must write all of them and the consumer must read all of them, and a lost, doubled, reordered or
 * torn message shows. Both loops vectorise; every contestant gets the same ones.
 */
#ifndef EXO_BENCH_MESSAGE_HPP
#define EXO_BENCH_MESSAGE_HPP

#include <cstddef>
#include <cstdint>

namespace bench {

constexpr std::uint64_t word_step = 0x9e3779b97f4a7c15u;

template <std::size_t Bytes> struct Message {
    static_assert(Bytes % 8 == 0, "a message is whole words");
    static constexpr std::size_t words = Bytes / 8;
    std::uint64_t word[words];

    void fill(std::uint64_t seq)
    {
        for (std::size_t i = 0; i < words; i++)
            word[i] = seq + i * word_step;
    }

    /* 0 if this is the whole message of `seq`, else some other value. */
    std::uint64_t mismatch(std::uint64_t seq) const
    {
        std::uint64_t acc = 0;
        for (std::size_t i = 0; i < words; i++)
            acc |= word[i] ^ (seq + i * word_step);
        return acc;
    }
};

/* A message that owns its cache line, for queues that would otherwise let two share one. */
template <std::size_t Bytes> struct alignas(64) Padded : Message<Bytes> {
};

using Msg8 = Message<8>;
using Msg56 = Message<56>;
using Msg4k = Message<4096>;
using Line56 = Padded<56>;

} // namespace bench

#endif
