// SPDX-License-Identifier: MIT
/*
 * parties.hpp - what the two parties of a link do: a stream one way, or round trips.
 *
 * Every word of every message is written by its sender and compared by its receiver. The first word
 * is the message's number; one with stop_bit set is the last and says how many came before it, so
 * that the end travels the same way as the messages and a loss shows.
 */
#ifndef EXO_BENCH_SUITE_PARTIES_HPP
#define EXO_BENCH_SUITE_PARTIES_HPP

#include "sandbox.hpp"

#include <algorithm>
#include <time.h>

namespace bench {

constexpr std::uint64_t stop_bit = std::uint64_t{1} << 62;

struct Job {
    LinkSetup setup;
    double ms = 20;
    unsigned pairs = 1;
    bool round_trips = false;
};

/* Messages before the clock starts: they touch the ring and its memory twice, where that is not
 * more than 32 MiB. */
inline std::uint64_t warm_up_of(const Job &job)
{
    const std::size_t least = 8;
    if (job.round_trips)
        return job.setup.bytes > 65536 ? least : 64;
    return std::max(least,
                    std::min(2 * job.setup.slots, (std::size_t{32} << 20) / job.setup.bytes));
}

/* The two ways to move messages, one at a time or in batches, behind one name. Both return how many
 * were moved, 0 when it was given up. */
template <class L, class P> struct Mover {
    typename L::End &end;
    const P payload;
    const std::size_t batch;

    std::size_t put(std::uint64_t seq)
    {
        if constexpr (L::has_batches) {
            if (batch > 1) {
                const bool sent =
                    end.send_batch(payload.size(), batch,
                                   [&](std::size_t i, void *at) { payload.fill(at, seq + i); });
                return sent ? batch : 0;
            }
        }
        return end.send(payload.size(), [&](void *at) { payload.fill(at, seq); });
    }

    template <class Look> std::size_t take(Look look)
    {
        if constexpr (L::has_batches) {
            if (batch > 1)
                return end.receive_batch(payload.size(), batch,
                                         [&](std::size_t, const void *at) { look(at); });
        }
        return end.receive(payload.size(), look);
    }
};

template <class L, class P> void stream_out(typename L::End &end, const Job &job, PartyBoard &mine)
{
    Mover<L, P> mover{end, P{job.setup.bytes}, job.setup.batch};
    const std::uint64_t warm = warm_up_of(job);
    const unsigned per_look = job.setup.bytes >= 4096 || job.setup.batch > 1 ? 1 : 32;
    std::uint64_t seq = 0, end_at = 0;
    for (;;) {
        for (unsigned i = 0; i < per_look; i++) {
            const std::size_t sent = mover.put(seq);
            if (sent == 0) {
                mine.fate = Fate::hung;
                return;
            }
            seq += sent;
        }
        if (seq < warm)
            continue;
        const std::uint64_t now = ticks();
        if (end_at == 0)
            end_at = now + ticks_of_ms(job.ms);
        else if (now >= end_at && seq >= warm + 8)
            break;
    }
    Mover<L, P> last{end, P{job.setup.bytes}, 1};
    if (last.put(stop_bit | seq) == 0)
        mine.fate = Fate::hung;
}

/* The clock is the receiver's, from the last message of the warm-up to the last of all. */
template <class L, class P> void stream_in(typename L::End &end, const Job &job, PartyBoard &mine)
{
    Mover<L, P> mover{end, P{job.setup.bytes}, job.setup.batch};
    const std::uint64_t warm = warm_up_of(job);
    std::uint64_t seq = 0, bad = 0, counted_from = 0;
    bool ended = false;
    while (!ended) {
        const std::size_t got = mover.take([&](const void *at) {
            if ((P::number(at) & stop_bit) == 0) {
                bad |= mover.payload.mismatch(at, seq++);
                return;
            }
            bad |= mover.payload.mismatch(at, stop_bit | seq);
            ended = true;
        });
        if (got == 0) {
            mine.fate = Fate::hung;
            return;
        }
        if (counted_from == 0 && seq >= warm) {
            counted_from = seq;
            mine.started = ticks();
        }
    }
    mine.ended = ticks();
    mine.count = seq - counted_from;
    if (bad != 0 || counted_from == 0)
        mine.fate = Fate::unsound;
}

template <class L, class P>
void ask(typename L::End &end, const Job &job, PartyBoard &mine, Histogram &trips)
{
    Mover<L, P> mover{end, P{job.setup.bytes}, 1};
    const std::uint64_t warm = warm_up_of(job);
    std::uint64_t seq = 0, bad = 0, end_at = ~std::uint64_t{0}, from = ticks(), now;
    for (; bad == 0; seq++, from = now) { /* the clock is read once a trip */
        if (from >= end_at && seq >= warm + 8)
            break;
        if (seq == warm) {
            mine.started = from;
            end_at = from + ticks_of_ms(job.ms);
        }
        if (mover.put(seq) == 0 ||
            mover.take([&](const void *at) { bad |= mover.payload.mismatch(at, seq); }) == 0) {
            mine.fate = Fate::hung;
            return;
        }
        now = ticks();
        if (seq >= warm)
            trips.add(now - from);
    }
    mine.ended = ticks();
    mine.count = seq - warm;
    if (bad != 0)
        mine.fate = Fate::unsound;
    if (mover.put(stop_bit | seq) == 0)
        mine.fate = Fate::hung;
}

template <class L, class P> void answer(typename L::End &end, const Job &job, PartyBoard &mine)
{
    Mover<L, P> mover{end, P{job.setup.bytes}, 1};
    std::uint64_t bad = 0;
    for (std::uint64_t seq = 0;; seq++) {
        std::uint64_t number = 0;
        const std::size_t got = mover.take([&](const void *at) {
            number = P::number(at);
            bad |= mover.payload.mismatch(at, (number & stop_bit) | seq);
        });
        if (bad != 0) {
            mine.fate = Fate::unsound;
            return;
        }
        if (got != 0 && (number & stop_bit) != 0)
            return;
        if (got == 0 || mover.put(seq) == 0) {
            mine.fate = Fate::hung;
            return;
        }
    }
}

/* How long the calling thread has had a CPU, ns. */
inline double own_cpu_ns()
{
    struct timespec used;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0
               ? static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec)
               : 0;
}

template <class L, class P> void run_party(L &link, const Job &job, Board &board, unsigned index)
{
    const unsigned side = index % 2;
    PartyBoard &mine = board.party[index];
    typename L::End end(link, side);
    board.meet(board.arrived);
    const double cpu_before = own_cpu_ns(), wall_before = static_cast<double>(monotonic_ns());
    if (job.round_trips && side == 0)
        ask<L, P>(end, job, mine, board.trips[index / 2]);
    else if (job.round_trips)
        answer<L, P>(end, job, mine);
    else if (side == 0)
        stream_out<L, P>(end, job, mine);
    else
        stream_in<L, P>(end, job, mine);
    if (L::spins)
        mine.lost =
            1 - (own_cpu_ns() - cpu_before) / (static_cast<double>(monotonic_ns()) - wall_before);
    board.meet(board.left);
}

/* The board's entries as one finding. */
Finding conclude(Board &board, const Job &job, Fate fate);

/* One slice: job.pairs links of kind L with messages P. */
template <class L, class P> __attribute__((noinline)) Finding measure(const Job &job)
{
    const double limit_ms = 4 * job.ms + 4000;
    const auto host = [&job](Board &board) {
        std::vector<std::unique_ptr<L>> links;
        for (unsigned i = 0; i < job.pairs; i++)
            links.emplace_back(new L(job.setup));
        run_parties(board, {2 * job.pairs, job.setup.processes, L::pinned},
                    [&](unsigned index) { run_party<L, P>(*links[index / 2], job, board, index); });
    };
    Board &board = the_board();
    const Fate fate = run_contained(board, limit_ms, host);
    return conclude(board, job, fate);
}

} // namespace bench

#endif
