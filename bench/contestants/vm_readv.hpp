// SPDX-License-Identifier: MIT
/*
 * vm_readv.hpp - process_vm_readv: the sender leaves messages in its own memory and says where by a
 * counter in shared memory; the receiver fetches as many as there are in one system call.
 *
 * Both sides spin on the counters. It asks for the permission to trace the peer, which both give
 * each other here, and gives up all protection between them.
 */
#ifndef EXO_BENCH_CONTESTANTS_VM_READV_HPP
#define EXO_BENCH_CONTESTANTS_VM_READV_HPP

#include "link.hpp"

#include <algorithm>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {

struct VmReadv {
    static constexpr const char *name = "process_vm_readv";
    static constexpr bool spins = true, pinned = true, has_batches = true;
    static constexpr std::size_t memory = std::size_t{8} << 20, most = 64;

    struct Way {
        LoneCounter sent, taken, address, pid; /* written by the sender, but for taken */
    };
    struct Board {
        Way way[2];
    };

    explicit VmReadv(const LinkSetup &s)
        : setup(s), slots(std::max<std::size_t>(2, std::min(s.slots, memory / s.bytes)))
    {
    }

    struct End {
        End(VmReadv &link, unsigned side)
            : setup(link.setup), slots(link.slots),
              lot(std::max<std::size_t>(1, std::min(most, (std::size_t{1} << 20) / setup.bytes))),
              mine(link.board->way[side]), theirs(link.board->way[1 - side]),
              out(slots * setup.bytes), in(lot * setup.bytes)
        {
            (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* where Yama asks for it */
            mine.address.value = reinterpret_cast<std::uintptr_t>(out.at());
            mine.pid.value.store(static_cast<std::uint64_t>(getpid()), std::memory_order_release);
            if (!insist(setup.crowded, [&] { return theirs.pid.value.load() != 0; }))
                throw Unfit("the peer did not come");
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            return send_batch(len, 1, [&](std::size_t, void *at) { fill(at); });
        }
        template <class Fill> bool send_batch(std::size_t len, std::size_t n, Fill fill)
        {
            for (std::size_t i = 0; i < n; i++, sent++) {
                if (sent - seen == slots && !room())
                    return false;
                fill(i, out.at(sent % slots * len));
            }
            mine.sent.value.store(sent, std::memory_order_release);
            return true;
        }
        bool room()
        {
            mine.sent.value.store(sent, std::memory_order_release);
            return insist(setup.crowded, [&] {
                seen = mine.taken.value.load(std::memory_order_acquire);
                return sent - seen < slots;
            });
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            return receive_batch(len, 1, [&](std::size_t, const void *at) { read(at); }) == 1;
        }
        template <class Read> std::size_t receive_batch(std::size_t len, std::size_t n, Read read)
        {
            if (next == have && !fetch(len))
                return 0;
            const std::size_t got = std::min(n, have - next);
            for (std::size_t i = 0; i < got; i++, next++)
                read(i, in.at(next * len));
            return got;
        }
        /* All that is there and fits, up to the end of the sender's ring. */
        bool fetch(std::size_t len)
        {
            std::uint64_t there = 0;
            if (!insist(setup.crowded, [&] {
                    there = theirs.sent.value.load(std::memory_order_acquire);
                    return there != taken;
                }))
                return false;
            const std::size_t at = taken % slots;
            have = std::min({static_cast<std::size_t>(there - taken), lot, slots - at});
            next = 0;
            struct iovec to = {in.at(), have * len};
            struct iovec from = {reinterpret_cast<void *>(theirs.address.value.load() + at * len),
                                 have * len};
            const ssize_t got =
                process_vm_readv(static_cast<pid_t>(theirs.pid.value.load()), &to, 1, &from, 1, 0);
            taken += have;
            theirs.taken.value.store(taken, std::memory_order_release);
            if (got < 0 && taken == have)
                throw Unfit::because_of("process_vm_readv");
            return got == static_cast<ssize_t>(have * len);
        }

        LinkSetup setup;
        std::size_t slots, lot;
        Way &mine, &theirs;
        Buffer out, in;
        std::uint64_t sent = 0, seen = 0, taken = 0;
        std::size_t next = 0, have = 0;
    };

    LinkSetup setup;
    std::size_t slots;
    Shared<Board> board;
};

} // namespace bench

#endif
