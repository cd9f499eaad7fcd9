// SPDX-License-Identifier: MIT
/*
 * profiler.cpp - what counting costs: not compiled in, compiled in and not asked for, and asked
 * for.
 */
#include "../plan.hpp"

#if EXO_BENCH_HAS_EXO
#include "../profiled.hpp"
#endif

namespace bench {

#if EXO_BENCH_HAS_EXO

static Group profiler_group(const char *name, unsigned gates, Outcome (*ProfiledRuns::*run)(double, bool),
                            double ms)
{
    Group group{name, gates, (gates & gate_line) != 0, false, "ns", 1, {}};
    group.slices.push_back({"without", Role::anchor, [run, ms] { return (profiled_without.*run)(ms, false); }});
    group.slices.push_back({"compiled-in", Role::ours, [run, ms] { return (profiled_with.*run)(ms, false); }});
    group.slices.push_back({"counting", Role::ours, [run, ms] { return (profiled_with.*run)(ms, true); }});
    return group;
}

#endif

std::vector<Group> profiler_groups()
{
    std::vector<Group> list;
#if EXO_BENCH_HAS_EXO
    list.push_back(profiler_group("profiler-ring", gate_line, &ProfiledRuns::ring, 10));
    list.push_back(profiler_group("profiler-channel", gate_line, &ProfiledRuns::channel, 10));
    list.push_back(profiler_group("profiler-single", gate_rmw, &ProfiledRuns::alone, 4));
#endif
    return list;
}

} // namespace bench
