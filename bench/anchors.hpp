// SPDX-License-Identifier: MIT
/*
 * anchors.hpp - what the machine allows, in the same minute as the contestants.
 *
 * Yardsticks that no queue can beat: a single line that two cores bounce, a line in each direction,
 * blocks of lines that one core writes and the other reads (chunk256), a locked read-modify-write
 * in the own cache, and two threads that wake each other through raw futexes. They serve twice: as references of a ratio,
 * and as gates, short runs before and after each round. Under a hypervisor the two CPUs may move
 * nearer or farther while the program runs; a round whose gates differ saw two machines and is
 * dropped.
 */
#ifndef EXO_BENCH_ANCHORS_HPP
#define EXO_BENCH_ANCHORS_HPP

#include "threads.hpp"

namespace bench {

/* Round trip of one cache line between two pinned threads, ns. */
Outcome ping_pong(double ms);

/* The same with a line in each direction, as two queues have it; ns. Where a processor hands a line
 * that it reads over for writing, the single line is written without asking again and takes half. */
Outcome two_line_ping_pong(double ms);

/* Blocks of 256 lines through a ring of 64 KiB, one index published per block; ns per line. */
Outcome chunk256(double ms);

/* One locked read-modify-write on a line in the own cache, ns. */
Outcome locked_rmw(double ms);

/* Round trip of two threads, on two CPUs, that sleep in futex(2) between turns, ns. */
Outcome futex_ping_pong(double ms);

/* Calls run(), and up to twice more while the kernel took a CPU away from one of its threads: such
 * a figure would be the neighbour's. Returns the least disturbed outcome. */
Outcome run_undisturbed(const std::function<Outcome()> &run);

/* Which gates a group of measurements needs. The futex round trip is no gate but only a yardstick:
 * under a hypervisor it changes by a factor of four within milliseconds, with the depth of sleep of
 * an idle CPU. */
enum Gate : unsigned { gate_line = 1, gate_chunk = 2, gate_rmw = 4 };

struct Anchors {
    double line = 0, chunk = 0, rmw = 0; /* 0: not measured */
};

Anchors measure_anchors(unsigned gates);

/* Below this round trip of one line the CPUs share a cache ("near"); above it they do not ("far").
 * */
constexpr double near_below_ns = 200;

inline bool is_near(const Anchors &a)
{
    return a.line > 0 && a.line < near_below_ns;
}

/* True if a and b differ by more than `tolerance` (0.25 = a quarter) in any gate, or in placement.
 * */
bool moved(const Anchors &a, const Anchors &b, double tolerance);

} // namespace bench

#endif
