// SPDX-License-Identifier: MIT
/*
 * ends.hpp - a ring of exo_ipc with both its handles in one thread, for the operations and for `growth`.
 */
#ifndef EXO_BENCH_COST_ENDS_HPP
#define EXO_BENCH_COST_ENDS_HPP

#include "../message.hpp"

#include <exo_ipc/exo_ipc.h>
#include <new>
#include <string>

namespace bench {

constexpr exo_u32 ends_slots = 1024;

struct Ends {
    explicit Ends(const exo_ring_config &config)
    {
        if (exo_ring_create(&ring, &config, &tx, &rx) != EXO_OK)
            throw std::bad_alloc();
    }
    ~Ends()
    {
        (void)!exo_sender_close(&tx);
        (void)!exo_receiver_close(&rx);
        exo_ring_destroy(&ring);
    }
    Ends(const Ends &) = delete;
    Ends &operator=(const Ends &) = delete;

    exo_ring ring;
    exo_sender tx;
    exo_receiver rx;
};

inline exo_ring_config ring_config(exo_u32 mode, exo_u32 profile, exo_size arena = EXO_ARENA_NONE)
{
    exo_ring_config config = {};
    config.slots = ends_slots;
    config.mode = mode;
    config.profile = profile;
    config.arena_size = arena;
    return config;
}

/* A ring that there is: several producers only among those who trust each other, and so on. */
struct Kind {
    exo_u32 mode, profile;
    const char *name;
};

constexpr Kind kinds[] = {
    {EXO_SPSC, EXO_THREADS, "spsc/threads"},       {EXO_SPSC, EXO_CRASH_SAFE, "spsc/crash-safe"},
    {EXO_SPSC, EXO_HOSTILE, "spsc/hostile"},       {EXO_MPSC, EXO_THREADS, "mpsc/threads"},
    {EXO_MPSC, EXO_CRASH_SAFE, "mpsc/crash-safe"}, {EXO_SPMC, EXO_THREADS, "spmc/threads"},
    {EXO_MPMC, EXO_THREADS, "mpmc/threads"},
};

/* Fill and check payloads whose size is known at run time only; whole words. */
inline void fill_words(void *at, std::size_t bytes, std::uint64_t seq)
{
    std::uint64_t *word = static_cast<std::uint64_t *>(at);
    for (std::size_t i = 0; i < bytes / 8; i++)
        word[i] = seq + i * word_step;
}

inline std::uint64_t mismatch_words(const void *at, std::size_t bytes, std::uint64_t seq)
{
    const std::uint64_t *word = static_cast<const std::uint64_t *>(at);
    std::uint64_t acc = 0;
    for (std::size_t i = 0; i < bytes / 8; i++)
        acc |= word[i] ^ (seq + i * word_step);
    return acc;
}

} // namespace bench

#endif
