// SPDX-License-Identifier: MIT
/*
 * threads.hpp - pinned threads, the common wait loop and what a slice reports.
 *
 * Every contestant waits with the same `Waiter`: pause, and where there are more threads than CPUs
 * a yield after `spins_before_yield` pauses (a spinner would otherwise burn the time slice that its
 * peer needs). A Waiter gives up long after the slice should have ended, so that a contestant that
 * loses a message ends as "unsound" and never hangs the program.
 */
#ifndef EXO_BENCH_THREADS_HPP
#define EXO_BENCH_THREADS_HPP

#include "clock.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

namespace bench {

constexpr std::size_t queue_slots = 1024; /* the capacity of every queue */
constexpr unsigned spins_before_yield = 100;
constexpr double give_up_ms = 2000;
constexpr unsigned patience = 64; /* more turns of a patient receiver that has found nothing */

/* What one slice yields. */
struct Outcome {
    double value = 0;         /* nanoseconds (or bytes) per item */
    unsigned preemptions = 0; /* involuntary context switches of its threads */
    bool sound = true; /* false: a message was lost, torn or out of order, or it never ended */
};

class Waiter {
  public:
    explicit Waiter(bool crowded = false) : crowded_(crowded)
    {
    }

    /* One turn of waiting; false once the slice should be given up. */
    bool turn()
    {
        cpu_relax();
        if (++turns_ % spins_before_yield != 0)
            return true;
        return long_turn();
    }

  private:
    __attribute__((noinline)) bool long_turn();

    bool crowded_;
    unsigned turns_ = 0;
    std::uint64_t give_up_at_ = 0; /* ticks; set by the first long turn */
};

/* The CPUs that the program may use; the first two are the two sides. */
const std::vector<int> &usable_cpus();

/* "cpu 0 (core 0) + cpu 1 (core 1)", for the report. */
const char *placement_text();

/* Pin the calling thread to usable CPU index modulo 2. */
void pin_to(std::size_t index);

/* Run each body in a thread of its own, thread i pinned to usable CPU i modulo their number, all
 * released together. Returns the involuntary context switches of all of them. */
unsigned run_pinned(const std::vector<std::function<void()>> &bodies);

/* A counter that nothing else shares a line (or an adjacent line) with. */
struct alignas(128) LoneCounter {
    std::atomic<std::uint64_t> value{0};
};

} // namespace bench

#endif
