// SPDX-License-Identifier: MIT
/*
 * anchors.cpp - the yardsticks of anchors.hpp.
 *
 * Each runs until its time is over and divides by what it did. The loops are as bare as they can
 * be: nothing that a queue could leave out is in them, and they wait with the same Waiter as the
 * queues.
 */
#include "anchors.hpp"
#include "message.hpp"

#include <algorithm>
#include <linux/futex.h>
#include <memory>
#include <sys/syscall.h>
#include <unistd.h>

namespace bench {

constexpr std::uint64_t stop_value = ~std::uint64_t{0};
constexpr std::uint64_t trips_per_look = 32; /* between two looks at the clock */
constexpr std::size_t chunk_lines = 256, chunk_ring_lines = 1024;

static bool await(const std::atomic<std::uint64_t> &word, std::uint64_t wanted)
{
    Waiter waiter;
    while (word.load(std::memory_order_acquire) != wanted) {
        if (!waiter.turn())
            return false;
    }
    return true;
}

Outcome ping_pong(double ms)
{
    LoneCounter line;
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        for (; out.sound && (t1 = ticks()) < end; trips += trips_per_look) {
            for (std::uint64_t turn = 2 * trips; out.sound && turn < 2 * (trips + trips_per_look);
                 turn += 2) {
                line.value.store(turn + 1, std::memory_order_release);
                out.sound = await(line.value, turn + 2);
            }
        }
        line.value.store(stop_value, std::memory_order_release);
    };
    const auto server = [&] {
        for (std::uint64_t turn = 1;; turn += 2) {
            Waiter waiter;
            std::uint64_t seen;
            while ((seen = line.value.load(std::memory_order_acquire)) != turn &&
                   seen != stop_value) {
                if (!waiter.turn())
                    return;
            }
            if (seen == stop_value)
                return;
            line.value.store(turn + 1, std::memory_order_release);
        }
    };
    out.preemptions = run_pinned({client, server});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

/* Each side writes a line of its own and polls the other's. */
Outcome two_line_ping_pong(double ms)
{
    LoneCounter ask, answer;
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        while (out.sound && (trips % trips_per_look != 0 || (t1 = ticks()) < end)) {
            ask.value.store(++trips, std::memory_order_release);
            out.sound = await(answer.value, trips);
        }
        ask.value.store(stop_value, std::memory_order_release);
    };
    const auto server = [&] {
        for (std::uint64_t turn = 1;; turn++) {
            Waiter waiter;
            std::uint64_t seen;
            while ((seen = ask.value.load(std::memory_order_acquire)) != turn &&
                   seen != stop_value) {
                if (!waiter.turn())
                    return;
            }
            if (seen == stop_value)
                return;
            answer.value.store(turn, std::memory_order_release);
        }
    };
    out.preemptions = run_pinned({client, server});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

/* What the two sides of chunk256 share; positions count lines. */
struct ChunkRing {
    LoneCounter written, taken, limit;
    alignas(128) Padded<64> line[chunk_ring_lines];
};

static void chunk_writer(ChunkRing &ring, double ms, std::uint64_t &t0)
{
    const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
    std::uint64_t pos = 0;
    while (ticks() < end) {
        Waiter waiter;
        while (pos + chunk_lines - ring.taken.value.load(std::memory_order_acquire) >
               chunk_ring_lines) {
            if (!waiter.turn())
                return;
        }
        for (std::size_t i = 0; i < chunk_lines; i++, pos++)
            ring.line[pos % chunk_ring_lines].fill(pos);
        ring.written.value.store(pos, std::memory_order_release);
    }
    ring.limit.value.store(pos, std::memory_order_release);
}

static bool chunk_reader(ChunkRing &ring, std::uint64_t &pos)
{
    std::uint64_t bad = 0;
    Waiter waiter;
    for (;;) {
        const std::uint64_t written = ring.written.value.load(std::memory_order_acquire);
        if (written == pos) {
            if (pos == ring.limit.value.load(std::memory_order_acquire))
                return bad == 0;
            if (!waiter.turn())
                return false;
            continue;
        }
        for (; pos != written; pos++)
            bad |= ring.line[pos % chunk_ring_lines].mismatch(pos);
        ring.taken.value.store(pos, std::memory_order_release);
        waiter = Waiter();
    }
}

Outcome chunk256(double ms)
{
    static const std::unique_ptr<ChunkRing> ring(new ChunkRing);
    std::uint64_t pos = 0, t0 = 0, t1 = 0;
    Outcome out;
    ring->written.value = ring->taken.value = 0;
    ring->limit.value = stop_value;
    const auto reader = [&] {
        out.sound = chunk_reader(*ring, pos);
        t1 = ticks();
    };
    out.preemptions = run_pinned({[&] { chunk_writer(*ring, ms, t0); }, reader});
    out.value = ns_per_item(t0, t1, pos);
    return out;
}

Outcome locked_rmw(double ms)
{
    LoneCounter line;
    std::uint64_t done = 0, t0 = 0, t1 = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        for (; (t1 = ticks()) < end; done += 512) {
            for (int i = 0; i < 512; i++)
                keep(line.value.fetch_add(1, std::memory_order_acq_rel));
        }
    }});
    out.value = ns_per_item(t0, t1, done);
    return out;
}

struct alignas(128) FutexWord {
    std::atomic<std::uint32_t> value{0};
};

static void futex_wake(FutexWord &word)
{
    syscall(SYS_futex, &word.value, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

/* Sleep until the word is no longer `old`; false after two seconds without a change. */
static bool futex_await(FutexWord &word, std::uint32_t old)
{
    const struct timespec limit = {2, 0};
    const std::uint64_t give_up_at = ticks() + ticks_of_ms(give_up_ms);
    while (word.value.load(std::memory_order_acquire) == old) {
        syscall(SYS_futex, &word.value, FUTEX_WAIT_PRIVATE, old, &limit, nullptr, 0);
        if (ticks() > give_up_at)
            return false;
    }
    return true;
}

Outcome futex_ping_pong(double ms)
{
    FutexWord ask, answer;
    std::atomic<bool> stop{false};
    std::uint64_t trips = 0, t0 = 0, t1 = 0;
    Outcome out;
    const auto client = [&] {
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(ms);
        for (std::uint32_t turn = 0; out.sound && (t1 = ticks()) < end; turn++, trips++) {
            ask.value.store(turn + 1, std::memory_order_release);
            futex_wake(ask);
            out.sound = futex_await(answer, turn);
        }
        stop.store(true);
        ask.value.fetch_add(1);
        futex_wake(ask);
    };
    const auto server = [&] {
        for (std::uint32_t turn = 0; futex_await(ask, turn) && !stop.load(); turn++) {
            answer.value.store(turn + 1, std::memory_order_release);
            futex_wake(answer);
        }
    };
    out.preemptions = run_pinned({client, server});
    out.value = ns_per_item(t0, t1, trips);
    return out;
}

Outcome run_undisturbed(const std::function<Outcome()> &run)
{
    Outcome best = run();
    for (int i = 0; i < 2 && best.sound && best.preemptions != 0; i++) {
        const Outcome again = run();
        if (!again.sound || again.preemptions < best.preemptions)
            best = again;
    }
    return best;
}

Anchors measure_anchors(unsigned gates)
{
    Anchors a;
    if (gates & gate_line)
        a.line = run_undisturbed([] { return ping_pong(2); }).value;
    if (gates & gate_chunk)
        a.chunk = run_undisturbed([] { return chunk256(4); }).value;
    if (gates & gate_rmw)
        a.rmw = run_undisturbed([] { return locked_rmw(1); }).value;
    return a;
}

static bool differs(double a, double b, double tolerance)
{
    return a > 0 && b > 0 && std::max(a, b) > (1 + tolerance) * std::min(a, b);
}

bool moved(const Anchors &a, const Anchors &b, double tolerance)
{
    return is_near(a) != is_near(b) || differs(a.line, b.line, tolerance) ||
           differs(a.chunk, b.chunk, tolerance) || differs(a.rmw, b.rmw, tolerance);
}

} // namespace bench
