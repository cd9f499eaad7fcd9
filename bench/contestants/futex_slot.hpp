// SPDX-License-Identifier: MIT
/*
 * futex_slot.hpp - one slot each way and nothing but the two system calls that a hand-over between
 * sleepers needs: a futex wait on one side, a futex wake on the other. No peer, but the floor for
 * all that sleep; it can hold one message, and would stand still in a stream.
 */
#ifndef EXO_BENCH_CONTESTANTS_FUTEX_SLOT_HPP
#define EXO_BENCH_CONTESTANTS_FUTEX_SLOT_HPP

#include "link.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bench {

struct FutexSlot {
    static constexpr const char *name = "raw futex";
    static constexpr bool spins = false, pinned = true, has_batches = false;

    struct alignas(128) Way {
        std::atomic<std::uint32_t> count{0};
        alignas(64) unsigned char message[192];
    };
    struct Board {
        Way way[2];
    };

    explicit FutexSlot(const LinkSetup &setup)
    {
        if (setup.bytes > sizeof Way::message)
            throw Unfit("its slot is too small");
    }

    struct End {
        End(FutexSlot &link, unsigned side)
            : out(link.board->way[side]), in(link.board->way[1 - side])
        {
        }
        template <class Fill> bool send(std::size_t, Fill fill)
        {
            fill(out.message);
            out.count.fetch_add(1, std::memory_order_release);
            syscall(SYS_futex, &out.count, FUTEX_WAKE, 1, nullptr, nullptr, 0);
            return true;
        }
        template <class Read> bool receive(std::size_t, Read read)
        {
            while (in.count.load(std::memory_order_acquire) == taken)
                syscall(SYS_futex, &in.count, FUTEX_WAIT, taken, nullptr, nullptr, 0);
            taken++;
            read(in.message);
            return true;
        }
        Way &out, &in;
        std::uint32_t taken = 0;
    };

    Shared<Board> board;
};

} // namespace bench

#endif
