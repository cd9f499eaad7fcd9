// SPDX-License-Identifier: MIT
/*
 * threads.cpp - pinning, the start line and the slow half of the wait loop (see threads.hpp).
 */
#include "threads.hpp"

#include <cstdio>
#include <fstream>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <thread>

namespace bench {

bool Waiter::long_turn()
{
    if (crowded_)
        sched_yield();
    const std::uint64_t now = ticks();
    if (give_up_at_ == 0)
        give_up_at_ = now + ticks_of_ms(give_up_ms);
    return now < give_up_at_;
}

const std::vector<int> &usable_cpus()
{
    static const std::vector<int> cpus = [] {
        std::vector<int> found;
        cpu_set_t set;
        CPU_ZERO(&set);
        if (sched_getaffinity(0, sizeof set, &set) == 0) {
            for (int i = 0; i < CPU_SETSIZE; i++) {
                if (CPU_ISSET(i, &set))
                    found.push_back(i);
            }
        }
        if (found.empty())
            found.push_back(0);
        return found;
    }();
    return cpus;
}

static std::string cpu_text(int cpu)
{
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/core_id");
    std::string core;
    file >> core;
    return "cpu " + std::to_string(cpu) + " (core " + (core.empty() ? "?" : core) + ")";
}

const char *placement_text()
{
    static const std::string text = [] {
        const std::vector<int> &cpus = usable_cpus();
        return cpus.size() < 2 ? cpu_text(cpus[0]) : cpu_text(cpus[0]) + " + " + cpu_text(cpus[1]);
    }();
    return text.c_str();
}

void pin_to(std::size_t index)
{
    const std::vector<int> &cpus = usable_cpus();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpus[index % (cpus.size() < 2 ? 1 : 2)]), &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        std::fprintf(stderr, "bench: a thread could not be pinned; figures will wander\n");
}

static long involuntary_switches()
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

unsigned run_pinned(const std::vector<std::function<void()>> &bodies)
{
    (void)ns_per_tick(); /* calibrated before any slice starts */
    std::atomic<std::size_t> ready{0};
    std::atomic<unsigned> switches{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < bodies.size(); i++) {
        threads.emplace_back([&, i] {
            pin_to(i);
            ready.fetch_add(1);
            while (ready.load() < bodies.size())
                sched_yield();
            const long before = involuntary_switches();
            bodies[i]();
            switches.fetch_add(static_cast<unsigned>(involuntary_switches() - before));
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    return switches.load();
}

} // namespace bench
