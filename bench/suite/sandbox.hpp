// SPDX-License-Identifier: MIT
/*
 * sandbox.hpp - runs the parties of a slice where they can do no harm.
 *
 *     suite  --fork-->  host  --fork-->  party 0, party 1, ...      between processes
 *                       host  --thread-> party 0, party 1, ...      between threads
 *
 * The host makes the links; the parties meet, run and write what they found to a board in shared
 * memory. The suite waits for the host with a time limit and then kills its whole process group, so
 * that no contestant can hang the program, crash it, or leave threads, descriptors or memory of
 * its own for the next one. Orphans die with their parent.
 */
#ifndef EXO_BENCH_SUITE_SANDBOX_HPP
#define EXO_BENCH_SUITE_SANDBOX_HPP

#include "../contestants/link.hpp"
#include "histogram.hpp"

namespace bench {

constexpr unsigned most_pairs = 8;

enum class Fate : int { good, unsound, hung, crashed, unfit };

const char *fate_text(Fate fate);

struct PartyBoard {
    std::uint64_t started, ended, count; /* ticks, ticks, messages or trips between the two */
    double lost; /* share of its time in which a spinning party had no CPU */
    Fate fate;
    char reason[96];
};

/* In shared memory; all zero before each slice. */
struct Board {
    std::atomic<unsigned> arrived, left;
    unsigned parties;
    PartyBoard party[2 * most_pairs];
    Histogram trips[most_pairs];

    /* Wait for all the others, for some seconds at most. Called by every party once it has made
     * its end, and again before it gives it up. */
    void meet(std::atomic<unsigned> &counter);
};

/* What a slice found. */
struct Finding {
    Fate fate = Fate::good;
    std::string reason;
    double value = 0;                 /* ns per message or per round trip (Histogram::mean_of_99) */
    double lost = 0;                  /* the most of any party */
    const Histogram *trips = nullptr; /* ticks; until the next slice */
};

struct PartyOptions {
    unsigned parties;
    bool processes, pinned;
};

/* In the host: party(index) in a process or thread each, party i on CPU i modulo 2. */
void run_parties(Board &board, const PartyOptions &options,
                 const std::function<void(unsigned index)> &party);

/* Runs host(board) in a child, for limit_ms at most; nothing on the board is lost by that. */
Fate run_contained(Board &board, double limit_ms, const std::function<void(Board &)> &host);

/* The board of this program. */
Board &the_board();

} // namespace bench

#endif
