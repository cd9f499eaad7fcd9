// SPDX-License-Identifier: MIT
/*
 * exo_link.hpp - exo_ipc between two threads (a ring in each direction) and between two processes
 * (a pair of ends), in any profile, by any path of exo_calls.hpp, spinning or asleep at once.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_LINK_HPP
#define EXO_BENCH_CONTESTANTS_EXO_LINK_HPP

#include "exo_calls.hpp"

#include <exo_linux.h>
#include <unistd.h>

namespace bench {

/* Room for eight messages, the arena's least being its default. */
inline exo_ring_config exo_config(const LinkSetup &setup, unsigned profile, Path path)
{
    exo_ring_config config = {};
    config.slots = static_cast<exo_u32>(setup.slots);
    config.profile = profile;
    config.spin = 1;
    config.arena_size = EXO_ARENA_NONE;
    if (path == Path::lent || (path == Path::copied && setup.bytes > EXO_INLINE_THRESHOLD)) {
        const std::size_t messages = setup.bytes >= (std::size_t{1} << 20) ? 4 : 16;
        config.arena_size = messages * setup.bytes < 262144 ? 262144 : messages * setup.bytes;
    }
    return config;
}

inline void exo_must(exo_status status, const char *call)
{
    if (status != EXO_OK)
        throw Unfit(std::string(call) + ": " + exo_status_text(status));
}

/* What the ends below have in common; Derived has tx() and rx(). */
template <class Derived, Path path, bool Parked> struct ExoEnd : ExoCalls<path, Parked> {
    using ExoCalls<path, Parked>::ExoCalls;

    template <class Fill> bool send(std::size_t len, Fill fill)
    {
        return this->send_to(self().tx(), len, fill);
    }
    template <class Read> bool receive(std::size_t len, Read read)
    {
        return this->receive_from(self().rx(), len, read);
    }
    template <class Fill> bool send_batch(std::size_t len, std::size_t n, Fill fill)
    {
        return this->send_lot(self().tx(), len, n, fill);
    }
    template <class Read> std::size_t receive_batch(std::size_t len, std::size_t n, Read read)
    {
        return this->receive_lot(self().rx(), len, n, read);
    }
    Derived &self()
    {
        return static_cast<Derived &>(*this);
    }
};

template <unsigned Profile, Path path, bool Parked = false> struct ExoThreads {
    static constexpr const char *name = "exo";
    static constexpr bool spins = !Parked, pinned = true, has_batches = path == Path::inlined;

    explicit ExoThreads(const LinkSetup &s) : setup(s)
    {
        const exo_ring_config config = exo_config(setup, Profile, path);
        exo_must(exo_ring_create(&ring[0], &config, nullptr, nullptr), "exo_ring_create");
        exo_must(exo_ring_create(&ring[1], &config, nullptr, nullptr), "exo_ring_create");
    }
    ~ExoThreads()
    {
        exo_ring_destroy(&ring[0]);
        exo_ring_destroy(&ring[1]);
    }
    ExoThreads(const ExoThreads &) = delete;
    ExoThreads &operator=(const ExoThreads &) = delete;

    struct End : ExoEnd<End, path, Parked> {
        End(ExoThreads &link, unsigned side)
            : ExoEnd<End, path, Parked>(link.setup.bytes, link.setup.crowded)
        {
            exo_must(exo_ring_sender(&link.ring[side], &sender), "exo_ring_sender");
            exo_must(exo_ring_receiver(&link.ring[1 - side], &receiver), "exo_ring_receiver");
        }
        exo_sender *tx()
        {
            return &sender;
        }
        exo_receiver *rx()
        {
            return &receiver;
        }
        exo_sender sender;
        exo_receiver receiver;
    };

    LinkSetup setup;
    exo_ring ring[2] = {};
};

template <unsigned Profile, Path path, bool Parked = false> struct ExoProcesses {
    static constexpr const char *name = "exo";
    static constexpr bool spins = !Parked, pinned = true, has_batches = path == Path::inlined;

    explicit ExoProcesses(const LinkSetup &s) : setup(s)
    {
        exo_must(exo_pair(socket), "exo_pair");
    }
    ~ExoProcesses()
    {
        for (int one : socket) {
            if (one >= 0)
                close(one);
        }
    }
    ExoProcesses(const ExoProcesses &) = delete;
    ExoProcesses &operator=(const ExoProcesses &) = delete;

    struct End : ExoEnd<End, path, Parked> {
        End(ExoProcesses &link, unsigned side)
            : ExoEnd<End, path, Parked>(link.setup.bytes, link.setup.crowded)
        {
            const exo_ring_config config = exo_config(link.setup, Profile, path);
            const int mine = link.socket[side];
            close(link.socket[1 - side]); /* the other process's: its hang-up must be seen */
            link.socket[0] = link.socket[1] = -1;
            exo_must(exo_open(&end, mine, &config, exo_port_now_ns() + 2000000000u), "exo_open");
        }
        exo_sender *tx()
        {
            return &end.tx;
        }
        exo_receiver *rx()
        {
            return &end.rx;
        }
        exo_end end;
    };

    LinkSetup setup;
    int socket[2] = {-1, -1};
};

} // namespace bench

#endif
