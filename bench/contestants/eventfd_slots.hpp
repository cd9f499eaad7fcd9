// SPDX-License-Identifier: MIT
/*
 * eventfd_slots.hpp - slots in shared memory, filled and read in place, and two eventfds that count
 * the filled and the free ones: what one writes by hand with the kernel's means alone.
 *
 * A read of an eventfd takes the whole count, so that a side which lags behind pays one system call
 * for many messages. The sender announces each message (or batch); slots go back by the half ring.
 */
#ifndef EXO_BENCH_CONTESTANTS_EVENTFD_SLOTS_HPP
#define EXO_BENCH_CONTESTANTS_EVENTFD_SLOTS_HPP

#include "link.hpp"

#include <algorithm>
#include <sys/eventfd.h>
#include <unistd.h>

namespace bench {

struct EventfdSlots {
    static constexpr const char *name = "eventfd + slots";
    static constexpr bool spins = false, pinned = true, has_batches = true;
    static constexpr std::size_t memory = std::size_t{16} << 20;

    explicit EventfdSlots(const LinkSetup &s)
        : stride((s.bytes + 63) / 64 * 64),
          slots(std::max<std::size_t>(2, std::min(s.slots, memory / stride))),
          shared(2 * slots * stride)
    {
        for (std::size_t i = 0; i < 2; i++) {
            filled[i] = eventfd(0, 0);
            free[i] = eventfd(static_cast<unsigned>(slots), 0);
            if (filled[i] < 0 || free[i] < 0)
                throw Unfit::because_of("eventfd");
        }
    }
    ~EventfdSlots()
    {
        for (std::size_t i = 0; i < 2; i++) {
            close(filled[i]);
            close(free[i]);
        }
    }
    EventfdSlots(const EventfdSlots &) = delete;
    EventfdSlots &operator=(const EventfdSlots &) = delete;

    struct End {
        End(EventfdSlots &l, unsigned s) : link(l), side(s)
        {
        }
        unsigned char *slot(std::size_t ring, std::uint64_t pos) const
        {
            return link.shared.extra() + (ring * link.slots + pos % link.slots) * link.stride;
        }
        static bool wait(int fd, std::uint64_t &count)
        {
            return count != 0 || ::read(fd, &count, sizeof count) == sizeof count;
        }
        static bool announce(int fd, std::uint64_t count)
        {
            return ::write(fd, &count, sizeof count) == sizeof count;
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            return send_batch(len, 1, [&](std::size_t, void *at) { fill(at); });
        }
        template <class Fill> bool send_batch(std::size_t, std::size_t n, Fill fill)
        {
            std::uint64_t fresh = 0;
            for (std::size_t i = 0; i < n; i++, room--, fresh++) {
                if (room == 0 && fresh != 0) { /* the others must be seen before we wait */
                    if (!announce(link.filled[side], fresh))
                        return false;
                    fresh = 0;
                }
                if (!wait(link.free[side], room))
                    return false;
                fill(i, slot(side, out++));
            }
            return announce(link.filled[side], fresh);
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            return receive_batch(len, 1, [&](std::size_t, const void *at) { read(at); }) == 1;
        }
        template <class Read> std::size_t receive_batch(std::size_t, std::size_t n, Read read)
        {
            if (!wait(link.filled[1 - side], have))
                return 0;
            const std::size_t got = std::min<std::size_t>(n, have);
            for (std::size_t i = 0; i < got; i++)
                read(i, slot(1 - side, in++));
            have -= got;
            owed += got;
            if (owed >= link.slots / 2) {
                if (!announce(link.free[1 - side], owed))
                    return 0;
                owed = 0;
            }
            return got;
        }

        EventfdSlots &link;
        unsigned side;
        std::uint64_t out = 0, in = 0, room = 0, have = 0, owed = 0;
    };

    struct Nothing {
        alignas(64) unsigned char unused[64];
    };
    std::size_t stride, slots;
    Shared<Nothing> shared;
    int filled[2], free[2];
};

} // namespace bench

#endif
