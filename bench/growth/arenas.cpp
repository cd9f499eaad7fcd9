// SPDX-License-Identifier: MIT
/*
 * arenas.cpp - cost of loan, send, view and release against the size of the arena, in one thread, in three states:
 *
 *   empty     nothing else is lent
 *   full      three quarters of the arena are lent, a quarter is free in single blocks between them
 *   circling  half of the arena is viewed and released in order, so that each loan is of another block
 *
 * Blocks are of 4 KiB and nobody touches the payload. Even an empty arena's release ring is walked, 16 bytes a message
 * and as many entries as blocks; the anchor is that walk, beside which circling walks the books of
 * both sides.
 */
#include "../cost/ends.hpp"
#include "growth.hpp"
#include "slices.hpp"

#include <memory>

namespace bench {

constexpr exo_size block_bytes = 4096, least = exo_size{64} << 10, most = exo_size{1} << 30;
constexpr std::uint64_t turns = 1u << 19, slice = 1u << 14;

enum class State { empty, full, circling };

static exo_ring_config config_of(exo_size arena)
{
    exo_ring_config config = ring_config(EXO_SPSC, EXO_THREADS, arena);
    config.block_size = block_bytes;
    config.slots = 256;
    return config;
}

/* Lends the whole arena block by block and gives every fourth block back. */
static bool fill(Ends &ends, std::uint64_t blocks)
{
    for (std::uint64_t i = 0; i < blocks; i++) {
        exo_loaned loan;
        if (exo_loan(&ends.tx, block_bytes, &loan) != EXO_OK)
            return false;
        if (i % 4 == 3 && exo_loan_cancel(&ends.tx, &loan) != EXO_OK)
            return false;
    }
    return true;
}

static bool hand_over(Ends &ends, exo_viewed &view)
{
    exo_loaned loan;
    return exo_loan(&ends.tx, block_bytes, &loan) == EXO_OK &&
           exo_send_loan(&ends.tx, &loan) == EXO_OK && exo_view(&ends.rx, &view) == EXO_OK;
}

/* `count` messages; views are released `views.size()` messages later. */
static bool circle(Ends &ends, std::vector<exo_viewed> &views, std::uint64_t count, Slices &slices)
{
    const std::size_t mask = views.size() - 1;
    for (std::uint64_t i = 0; i < count; i++) {
        exo_viewed &view = views[i & mask];
        if (view.data != nullptr && exo_release(&ends.rx, &view) != EXO_OK)
            return false;
        if (!hand_over(ends, view))
            return false;
        slices.note(i);
    }
    return true;
}

static Outcome run(exo_size arena, State state)
{
    const std::unique_ptr<Ends> ends(new Ends(config_of(arena)));
    const std::uint64_t blocks = arena / block_bytes;
    std::vector<exo_viewed> views(state == State::circling ? blocks / 2 : 1);
    Slices first(slice, blocks + slice), slices(slice, turns);
    Outcome out;
    for (exo_viewed &view : views)
        view.data = nullptr;
    out.preemptions = run_pinned({[&] {
        out.sound = (state != State::full || fill(*ends, blocks)) &&
                    circle(*ends, views, blocks + slice, first);
        slices.start();
        out.sound = out.sound && circle(*ends, views, turns, slices);
    }});
    out.value = slices.cost(alone_quantile);
    return out;
}

/* 16 bytes a step written and read, over as many entries as there are blocks. */
static Outcome walk_entries(std::uint64_t blocks)
{
    struct Entry {
        std::uint64_t token, tag;
    };
    std::vector<Entry> ring(blocks);
    Slices slices(slice, turns);
    std::uint64_t bad = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        slices.start();
        for (std::uint64_t i = 0; i < turns; i++) {
            Entry &entry = ring[i & (blocks - 1)];
            entry.token = i;
            entry.tag = i + 1;
            asm volatile("" ::: "memory");
            bad |= (entry.token ^ i) | (entry.tag ^ (i + 1));
            slices.note(i);
        }
    }});
    out.sound = bad == 0;
    out.value = slices.cost(alone_quantile);
    return out;
}

static void arena(const Growth &growth, const char *name, State state)
{
    std::vector<Trial> trials;
    for (exo_size bytes = least; bytes <= most; bytes *= 4) {
        trials.push_back({bytes >> 10, [=] { return run(bytes, state); },
                          [=] { return walk_entries(bytes / block_bytes); }});
    }
    measure({name, "KiB of arena", "walk of entries", {}}, trials, growth.repeats);
}

void add_arena_sections(std::vector<Section> &list)
{
    list.push_back({"arena", "bytes of arena, 64 KiB to 1 GiB, empty, fragmented, in turn",
                    [](const Growth &growth) {
                        arena(growth, "arena, empty", State::empty);
                        arena(growth, "arena, three quarters lent", State::full);
                        arena(growth, "arena, half of it in circulation", State::circling);
                    }});
}

} // namespace bench
