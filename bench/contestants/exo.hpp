// SPDX-License-Identifier: MIT
/*
 * exo.hpp - exo_ipc itself, in the shape that direct.hpp asks for.
 *
 * push() and pop() are a user's whole calls, as exo_send_inline() and exo_recv_inline() are: both
 * end with the look whether the other side sleeps, so every row that is measured with them pays for
 * it. push_raw() is the send without that look; the row notify-awake is the difference. Mode and
 * size are constants, as they are in a program that knows its ring. Handles lie on their thread's
 * stack, where direct.hpp wants a side's private state.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_HPP
#define EXO_BENCH_CONTESTANTS_EXO_HPP

#include <cstddef>
#include <exo_ipc/exo_ipc.h>
#include <new>

namespace bench {

/* A ring between threads, and its memory. */
struct ExoRing {
    ExoRing(unsigned mode, std::size_t slots, std::size_t arena_bytes,
            unsigned profile = EXO_THREADS)
    {
        exo_ring_config config = {};
        config.mode = mode;
        config.profile = profile;
        config.slots = static_cast<exo_u32>(slots);
        config.arena_size = arena_bytes;
        config.spin = 1; /* only push_parked() and pop_parked() wait inside the library */
        if (exo_ring_create(&ring, &config, nullptr, nullptr) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoRing()
    {
        exo_ring_destroy(&ring);
    }
    ExoRing(const ExoRing &) = delete;
    ExoRing &operator=(const ExoRing &) = delete;

    exo_ring ring;
};

struct ExoSenderHandle {
    explicit ExoSenderHandle(ExoRing &ring)
    {
        if (exo_ring_sender(&ring.ring, &tx) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoSenderHandle()
    {
        exo_sender_close(&tx);
    }
    ExoSenderHandle(const ExoSenderHandle &) = delete;
    ExoSenderHandle &operator=(const ExoSenderHandle &) = delete;

    exo_sender tx;
};

struct ExoReceiverHandle {
    explicit ExoReceiverHandle(ExoRing &ring)
    {
        if (exo_ring_receiver(&ring.ring, &rx) != EXO_OK)
            throw std::bad_alloc();
    }
    ~ExoReceiverHandle()
    {
        exo_receiver_close(&rx);
    }
    ExoReceiverHandle(const ExoReceiverHandle &) = delete;
    ExoReceiverHandle &operator=(const ExoReceiverHandle &) = delete;

    exo_receiver rx;
};

template <class Msg, unsigned Mode, unsigned Profile = EXO_THREADS> struct ExoInline : ExoRing {
    static constexpr exo_u64 parked_ns = 2000000000;

    explicit ExoInline(std::size_t slots) : ExoRing(Mode, slots, EXO_ARENA_NONE, Profile)
    {
    }

    struct Producer : ExoSenderHandle {
        using ExoSenderHandle::ExoSenderHandle;

        bool push(const Msg &m)
        {
            return exo_send_inline_as(&tx, Mode, m.word, sizeof m.word) == EXO_OK;
        }
        bool push_raw(const Msg &m)
        {
            return exo_send_inline_as(&tx, Mode | EXO_POLLED, m.word, sizeof m.word) == EXO_OK;
        }
        /* Packs messages of 8 bytes, seven to a slot. */
        std::size_t push_bulk(const Msg *m, std::size_t n)
        {
            const exo_i64 sent = exo_send_burst_as(&tx, Mode, m, sizeof *m, n);
            return sent < 0 ? 0 : static_cast<std::size_t>(sent);
        }
        /* Sleeps while the ring is full, for two seconds at most. */
        bool push_parked(const Msg &m)
        {
            return exo_send_blocking(&tx, m.word, sizeof m.word, exo_port_now_ns() + parked_ns) ==
                   EXO_OK;
        }
    };

    struct Consumer : ExoReceiverHandle {
        using ExoReceiverHandle::ExoReceiverHandle;

        bool pop(Msg &m)
        {
            return exo_recv_inline_as(&rx, Mode, m.word, sizeof m.word) ==
                   static_cast<exo_i64>(sizeof m.word);
        }
        std::size_t pop_bulk(Msg *m, std::size_t n)
        {
            const exo_i64 got = exo_recv_burst_as(&rx, Mode, m, sizeof *m, n, nullptr);
            return got < 0 ? 0 : static_cast<std::size_t>(got);
        }
        /* Sleeps while the ring is empty, for two seconds at most. */
        bool pop_parked(Msg &m)
        {
            return exo_recv_inline_blocking(&rx, m.word, sizeof m.word,
                                            exo_port_now_ns() + parked_ns) ==
                   static_cast<exo_i64>(sizeof m.word);
        }
    };
};

template <class Msg> struct ExoSpsc : ExoInline<Msg, EXO_SPSC> {
    static constexpr const char *name = "exo";
    using ExoInline<Msg, EXO_SPSC>::ExoInline;
};

/* The other profiles, among threads, where nothing differs but the profile. */
template <class Msg> struct ExoCrashSafe : ExoInline<Msg, EXO_SPSC, EXO_CRASH_SAFE> {
    static constexpr const char *name = "exo-crash-safe";
    using ExoInline<Msg, EXO_SPSC, EXO_CRASH_SAFE>::ExoInline;
};

template <class Msg> struct ExoHostile : ExoInline<Msg, EXO_SPSC, EXO_HOSTILE> {
    static constexpr const char *name = "exo-hostile";
    using ExoInline<Msg, EXO_SPSC, EXO_HOSTILE>::ExoInline;
};

template <class Msg> struct ExoMpsc : ExoInline<Msg, EXO_MPSC> {
    static constexpr const char *name = "exo-mpsc";
    using ExoInline<Msg, EXO_MPSC>::ExoInline;
};

template <class Msg> struct ExoMpmc : ExoInline<Msg, EXO_MPMC> {
    static constexpr const char *name = "exo-mpmc";
    using ExoInline<Msg, EXO_MPMC>::ExoInline;
};

struct ExoZeroCopy : ExoRing {
    ExoZeroCopy(std::size_t slots, std::size_t arena_bytes = std::size_t{64} << 20)
        : ExoRing(EXO_SPSC, slots, arena_bytes)
    {
    }

    struct Producer : ExoSenderHandle {
        using ExoSenderHandle::ExoSenderHandle;

        bool push_loan(std::size_t len)
        {
            exo_loaned loan;
            if (exo_loan(&tx, len, &loan) != EXO_OK)
                return false;
            if (exo_send_loan(&tx, &loan) == EXO_OK)
                return true;
            (void)!exo_loan_cancel(&tx, &loan);
            return false;
        }
        template <class Fill> bool push_filled(std::size_t len, Fill fill)
        {
            exo_loaned loan;
            if (exo_loan(&tx, len, &loan) != EXO_OK)
                return false;
            fill(static_cast<unsigned char *>(loan.data));
            return exo_send_loan(&tx, &loan) == EXO_OK; /* never full: fewer buffers than slots */
        }
    };

    struct Consumer : ExoReceiverHandle {
        using ExoReceiverHandle::ExoReceiverHandle;

        std::size_t pop_view()
        {
            exo_viewed view;
            if (exo_view(&rx, &view) != EXO_OK)
                return 0;
            const std::size_t len = view.len;
            return exo_release(&rx, &view) == EXO_OK ? len : 0;
        }
        template <class Read> bool pop_read(Read read)
        {
            exo_viewed view;
            if (exo_view(&rx, &view) != EXO_OK)
                return false;
            read(static_cast<const unsigned char *>(view.data));
            return exo_release(&rx, &view) == EXO_OK;
        }
    };
};

/* All memory of a ring that nobody configured: segments, books, object and both handles, in pages.
 */
inline std::size_t exo_idle_memory()
{
    constexpr std::size_t page = 4096;
    exo_size bytes = 0;
    if (exo_ring_bytes(nullptr, &bytes) != EXO_OK)
        return 0;
    bytes += sizeof(exo_ring) + sizeof(exo_sender) + sizeof(exo_receiver);
    return (bytes + page - 1) / page * page;
}

} // namespace bench

#endif
