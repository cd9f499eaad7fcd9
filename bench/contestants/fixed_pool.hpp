// SPDX-License-Identifier: MIT
/*
 * fixed_pool.hpp - the least that handing over a buffer takes: a yardstick for zero-copy, not a library.
 *
 * A pool of buffers of one size, known when it is compiled. The sender keeps the numbers of free
 * buffers on a stack; a number goes to the receiver in a line of its own, with a sequence; it comes
 * back in a ring of words, sequence and number in one, and is taken back when the stack is empty.
 * One producer, one consumer, nobody sleeps, nobody dies, nothing is checked.
 */
#ifndef EXO_BENCH_CONTESTANTS_FIXED_POOL_HPP
#define EXO_BENCH_CONTESTANTS_FIXED_POOL_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace bench {

template <std::size_t Bytes> struct FixedPool {
    static constexpr const char *name = "fixed-pool";
    static constexpr std::uint32_t buffers = 64;

    struct alignas(64) Slot {
        std::uint64_t number;
        std::atomic<std::uint64_t> sequence;
    };
    struct alignas(128) Memory {
        unsigned char buffer[buffers][Bytes];
        Slot there[buffers];
        alignas(128) std::atomic<std::uint64_t> back[buffers];
    };

    explicit FixedPool(std::size_t) : memory(new Memory())
    {
    }

    struct Producer {
        explicit Producer(FixedPool &pool) : memory(*pool.memory)
        {
            for (std::uint32_t i = 0; i < buffers; i++)
                free[i] = i;
        }
        template <class Fill> bool push_filled(std::size_t, Fill fill)
        {
            if (count == 0 && !collect())
                return false;
            const std::uint32_t number = free[--count];
            fill(memory.buffer[number]);
            Slot &slot = memory.there[sent % buffers];
            slot.number = number;
            slot.sequence.store(++sent, std::memory_order_release);
            return true;
        }
        bool collect()
        {
            for (;;) {
                const std::uint64_t word =
                    memory.back[taken % buffers].load(std::memory_order_acquire);
                if (word >> 32 != (taken + 1) % (std::uint64_t{1} << 32))
                    return count != 0;
                free[count++] = static_cast<std::uint32_t>(word);
                taken++;
            }
        }
        Memory &memory;
        std::uint32_t free[buffers];
        std::uint32_t count = buffers;
        std::uint64_t sent = 0, taken = 0;
    };

    struct Consumer {
        explicit Consumer(FixedPool &pool) : memory(*pool.memory)
        {
        }
        template <class Read> bool pop_read(Read read)
        {
            const Slot &slot = memory.there[got % buffers];
            if (slot.sequence.load(std::memory_order_acquire) != got + 1)
                return false;
            const std::uint64_t number = slot.number;
            read(static_cast<const unsigned char *>(memory.buffer[number]));
            memory.back[got % buffers].store((got + 1) << 32 | number, std::memory_order_release);
            got++;
            return true;
        }
        Memory &memory;
        std::uint64_t got = 0;
    };

    std::unique_ptr<Memory> memory;
};

} // namespace bench

#endif
