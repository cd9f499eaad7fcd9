// SPDX-License-Identifier: MIT
/*
 * rounds.hpp - runs a section in rounds and keeps the undisturbed ones.
 *
 * The groups of a section take turns: a round of each, then the next round. Before and after every
 * round of a group stand the anchors; what stands after one is what stands before the next. If the
 * line, the block or the locked operation differs by more than a quarter, the round saw two
 * machines and is dropped: its values are written, but count only for a group that has no other.
 * So is a slice that spins and lost its CPU to somebody for more than a twentieth of its time, three
 * times in a row. The futex round trip is recorded and never judges (anchors.hpp).
 */
#ifndef EXO_BENCH_SUITE_ROUNDS_HPP
#define EXO_BENCH_SUITE_ROUNDS_HPP

#include "plan.hpp"

namespace bench::suite {

struct Marks {
    Anchors gates;
    double futex = 0;
};

struct Round {
    Marks before, after;
    std::vector<double> value; /* of each slice; 0: none; negative: it lost its CPU meanwhile */
    bool kept = false;
};

struct SliceLog {
    Fate fate = Fate::good;
    std::string reason;
    unsigned preempted = 0; /* rounds in which it spun and lost its CPU */
    std::unique_ptr<Histogram> near, far, disturbed; /* round trips, ticks */
};

struct GroupLog {
    std::vector<Round> rounds;
    std::vector<SliceLog> slice;
    std::size_t kept = 0;
};

struct Limits {
    unsigned rounds = 9;  /* to keep */
    double seconds = 100; /* for the whole section: a round is begun only before that */
};

std::vector<GroupLog> run_section(const Section &section, const Limits &limits);

} // namespace bench::suite

#endif
