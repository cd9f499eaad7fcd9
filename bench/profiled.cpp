// SPDX-License-Identifier: MIT
/*
 * profiled.cpp - what the profiler costs. Compiled twice, EXO_IPC_PROFILER being 0 and 1; all types
 * here are local to the file, so that the linker cannot take one's code for the other's.
 */
#include "profiled.hpp"

#include "contestants/exo_channel.hpp"
#include "drivers/pair.hpp"
#include "drivers/stream.hpp"
#include "message.hpp"

#include <cstdlib>

namespace bench {
namespace {

/* Where a side counts, or nothing. */
struct Counts {
    Counts()
    {
        const exo_size bytes = exo_profiler_bytes(nullptr);
        memory = std::aligned_alloc(EXO_CACHE_LINE, bytes);
        if (memory == nullptr || exo_profiler_init(memory, bytes, nullptr) != EXO_OK)
            throw std::bad_alloc();
    }
    ~Counts()
    {
        std::free(memory);
    }
    Counts(const Counts &) = delete;
    Counts &operator=(const Counts &) = delete;

    exo_profiler *profiler() const
    {
        return static_cast<exo_profiler *>(memory);
    }
    void *memory;
};

template <bool On> struct Ring : ExoRing {
    static constexpr const char *name = "exo";

    explicit Ring(std::size_t slots) : ExoRing(EXO_SPSC, slots, EXO_ARENA_NONE)
    {
    }
    struct Producer : ExoSenderHandle {
        explicit Producer(ExoRing &ring) : ExoSenderHandle(ring)
        {
            if (On)
                exo_profile_sender(&tx, counts.profiler());
        }
        bool push(const Msg56 &m)
        {
            return exo_send_inline_as(&tx, EXO_SPSC, m.word, sizeof m.word) == EXO_OK;
        }
        Counts counts;
    };
    struct Consumer : ExoReceiverHandle {
        explicit Consumer(ExoRing &ring) : ExoReceiverHandle(ring)
        {
            if (On)
                exo_profile_receiver(&rx, counts.profiler());
        }
        bool pop(Msg56 &m)
        {
            return exo_recv_inline_as(&rx, EXO_SPSC, m.word, sizeof m.word) ==
                   static_cast<exo_i64>(sizeof m.word);
        }
        Counts counts;
    };
};

template <bool On> struct Flow : ExoChannelPair {
    static constexpr const char *name = "exo-channel";
    using ExoChannelPair::ExoChannelPair;

    struct Producer : ExoChannelEnd {
        explicit Producer(Flow &q) : ExoChannelEnd(q, 0)
        {
            if (On)
                exo_profile_channel(&channel, counts.profiler(), nullptr);
        }
        bool push(const Msg56 &m)
        {
            return exo_channel_send(&channel, nullptr, m.word, sizeof m.word) == EXO_OK;
        }
        Counts counts;
    };
    struct Consumer : ExoChannelEnd {
        explicit Consumer(Flow &q) : ExoChannelEnd(q, 1)
        {
            if (On)
                exo_profile_channel(&channel, nullptr, counts.profiler());
        }
        bool pop(Msg56 &m)
        {
            exo_message message;
            if (exo_channel_recv(&channel, &message) != EXO_OK)
                return false;
            std::memcpy(m.word, exo_message_payload(&message), sizeof m.word);
            return exo_channel_release(&channel, &message) == EXO_OK;
        }
        Counts counts;
    };
};

Outcome ring(double ms, bool counts)
{
    return counts ? stream<Ring<true>, Msg56>(ms) : stream<Ring<false>, Msg56>(ms);
}

Outcome channel(double ms, bool counts)
{
    return counts ? stream<Flow<true>, Msg56>(ms) : stream<Flow<false>, Msg56>(ms);
}

Outcome alone(double ms, bool counts)
{
    return counts ? pair<Ring<true>, Msg56>(ms) : pair<Ring<false>, Msg56>(ms);
}

} // namespace

const ProfiledRuns EXO_BENCH_RUNS = {ring, channel, alone};

} // namespace bench
