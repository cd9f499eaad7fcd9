// SPDX-License-Identifier: MIT
/*
 * profiled.hpp - the same flows, from one source, compiled without the profiler and with it.
 */
#ifndef EXO_BENCH_PROFILED_HPP
#define EXO_BENCH_PROFILED_HPP

#include "anchors.hpp"

namespace bench {

/* Each runs for some milliseconds; `counts`: both sides have a profiler. */
struct ProfiledRuns {
    Outcome (*ring)(double ms, bool counts);
    Outcome (*channel)(double ms, bool counts);
    Outcome (*alone)(double ms, bool counts); /* a ring, in one thread */
};

extern const ProfiledRuns profiled_without;
extern const ProfiledRuns profiled_with;

} // namespace bench

#endif
