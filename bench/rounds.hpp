// SPDX-License-Identifier: MIT
/*
 * rounds.hpp - run the slices of a group in interleaved rounds and keep the undisturbed ones.
 */
#ifndef EXO_BENCH_ROUNDS_HPP
#define EXO_BENCH_ROUNDS_HPP

#include "plan.hpp"

namespace bench {

struct Round {
    std::vector<double> value; /* one per slice, in the order of Group::slices */
    Anchors anchors;           /* of the gate before it */
};

struct Log {
    std::vector<Round> kept;
    std::vector<bool> sound; /* one per slice: false once it failed its check in any round */
    unsigned rounds = 0;     /* run in all */
    unsigned near = 0;       /* of those kept */
    std::string skipped;     /* why there is nothing, or empty */
};

/* Runs rounds until `wanted` were kept, at most twice as many; tells progress on stderr. */
Log run_group(const Group &group, unsigned wanted);

} // namespace bench

#endif
