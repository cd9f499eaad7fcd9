// SPDX-License-Identifier: MIT
/*
 * bare_slots.hpp - the least that a ring of slots for many takes: a yardstick, not a library.
 *
 * A position is claimed by one locked instruction on either side; the slot says for which position
 * it was written. Nobody looks whether the ring is full, whether somebody sleeps, or whether the
 * claimed slot holds anything before it claims: it is sound only where one thread sends and
 * receives in turn.
 */
#ifndef EXO_BENCH_CONTESTANTS_BARE_SLOTS_HPP
#define EXO_BENCH_CONTESTANTS_BARE_SLOTS_HPP

#include "direct.hpp"

#include "../threads.hpp"

#include <cstring>
#include <memory>

namespace bench {

template <class Msg, bool ManyConsumers> struct BareSlots {
    static constexpr const char *name = ManyConsumers ? "bare-mpmc" : "bare-mpsc";
    using Producer = DirectProducer<BareSlots>;
    using Consumer = DirectConsumer<BareSlots>;

    struct alignas(64) Slot {
        Msg msg;
        std::atomic<std::uint64_t> sequence;
    };

    explicit BareSlots(std::size_t n) : slots(new Slot[n]()), mask(n - 1)
    {
    }
    bool push(const Msg &m)
    {
        const std::uint64_t pos = tail.value.fetch_add(1, std::memory_order_relaxed);
        Slot &slot = slots[pos & mask];
        slot.msg = m;
        slot.sequence.store(pos + 1, std::memory_order_release);
        return true;
    }
    bool pop(Msg &m)
    {
        const std::uint64_t pos =
            ManyConsumers ? head.value.fetch_add(1, std::memory_order_relaxed) : taken++;
        const Slot &slot = slots[pos & mask];
        if (slot.sequence.load(std::memory_order_acquire) != pos + 1)
            return false;
        m = slot.msg;
        return true;
    }

    std::unique_ptr<Slot[]> slots;
    std::size_t mask;
    std::uint64_t taken = 0;
    LoneCounter tail, head;
};

} // namespace bench

#endif
