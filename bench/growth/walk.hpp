// SPDX-License-Identifier: MIT
/*
 * walk.hpp - the anchor of a ring of any size: an array of as many lines, written and read in the same way by nobody's
 * queue. In one thread each line is written and read at once; between two, one writes blocks and tells the
 * other by one index, as chunk256 does (anchors.hpp).
 */
#ifndef EXO_BENCH_GROWTH_WALK_HPP
#define EXO_BENCH_GROWTH_WALK_HPP

#include "../message.hpp"
#include "../threads.hpp"
#include "slices.hpp"

#include <memory>

namespace bench {

/* `lines` lines, a power of two, touched. */
struct Lines {
    explicit Lines(std::size_t lines) : mask(lines - 1), line(new Padded<64>[lines])
    {
        for (std::size_t i = 0; i < lines; i++)
            line[i].fill(i);
    }
    std::size_t mask;
    std::unique_ptr<Padded<64>[]> line;
};

inline Outcome walk_alone(std::size_t lines, std::uint64_t count, std::uint64_t every)
{
    Lines array(lines);
    Slices slices(every, count);
    std::uint64_t bad = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        slices.start();
        for (std::uint64_t seq = 0; seq < count; seq++) {
            Padded<64> &line = array.line[seq & array.mask];
            line.fill(seq);
            asm volatile("" ::: "memory");
            bad |= line.mismatch(seq);
            slices.note(seq);
        }
    }});
    out.sound = bad == 0;
    out.value = slices.cost(alone_quantile);
    return out;
}

struct Walk {
    explicit Walk(std::size_t lines)
        : array(lines), block(std::clamp<std::size_t>(lines / 4, 1, 256))
    {
    }
    Lines array;
    std::size_t block;
    LoneCounter written, taken;
};

inline bool walk_write(Walk &walk, std::uint64_t count)
{
    for (std::uint64_t pos = 0; pos < count;) {
        Waiter waiter;
        while (pos + walk.block - walk.taken.value.load(std::memory_order_acquire) >
               walk.array.mask + 1) {
            if (!waiter.turn())
                return false;
        }
        for (std::size_t i = 0; i < walk.block; i++, pos++)
            walk.array.line[pos & walk.array.mask].fill(pos);
        walk.written.value.store(pos, std::memory_order_release);
    }
    return true;
}

inline bool walk_read(Walk &walk, std::uint64_t count, Slices &slices)
{
    std::uint64_t bad = 0;
    for (std::uint64_t pos = 0; pos < count;) {
        Waiter waiter;
        std::uint64_t written;
        while ((written = walk.written.value.load(std::memory_order_acquire)) == pos) {
            if (!waiter.turn())
                return false;
        }
        for (; pos != written; pos++) {
            bad |= walk.array.line[pos & walk.array.mask].mismatch(pos);
            slices.note(pos);
        }
        walk.taken.value.store(pos, std::memory_order_release);
    }
    return bad == 0;
}

/* `count` lines, rounded up to whole blocks. */
inline Outcome walk_across(std::size_t lines, std::uint64_t count, std::uint64_t every)
{
    Walk walk(lines);
    Slices slices(every, count + walk.block);
    Outcome out;
    bool wrote = false, read = false;
    count = (count + walk.block - 1) / walk.block * walk.block;
    const auto writer = [&] { wrote = walk_write(walk, count); };
    const auto reader = [&] {
        slices.start();
        read = walk_read(walk, count, slices);
    };
    out.preemptions = run_pinned({writer, reader});
    out.sound = wrote && read;
    out.value = slices.cost(across_quantile);
    return out;
}

} // namespace bench

#endif
