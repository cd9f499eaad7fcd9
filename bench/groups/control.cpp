// SPDX-License-Identifier: MIT
/*
 * control.cpp - what a call to the daemon costs, over the least that the kernel takes to carry one: the empty round trip
 * of a SOCK_SEQPACKET pair between two processes (control.c).
 */
#include "../plan.hpp"

#ifndef EXO_BENCH_HAS_DAEMON
#define EXO_BENCH_HAS_DAEMON 0
#endif

#if EXO_BENCH_HAS_DAEMON
extern "C" double exo_bench_control(int ours, int one_cpu, double ms);
#endif

namespace bench {

#if EXO_BENCH_HAS_DAEMON
/* Many short slices in turn. */
constexpr double slice_ms = 10;
constexpr unsigned passes = 4;

static void add(Group &group, const char *name, bool ours, bool one_cpu)
{
    group.slices.push_back({name, ours ? Role::ours : Role::anchor, [ours, one_cpu] {
                                Outcome out;
                                out.value = exo_bench_control(ours, one_cpu, slice_ms);
                                out.sound = out.value > 0;
                                return out;
                            }});
}
#endif

std::vector<Group> control_groups()
{
    Group group{"control", 0, true, false, "ns", 1, {}};
#if EXO_BENCH_HAS_DAEMON
    group.passes = passes;
    add(group, "seqpacket-rtt", false, false);
    add(group, "exo-call", true, false);
    add(group, "seqpacket-one-cpu", false, true);
    add(group, "exo-one-cpu", true, true);
#endif
    return {group};
}

} // namespace bench
