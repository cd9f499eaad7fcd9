// SPDX-License-Identifier: MIT
/*
 * rounds.cpp - the interleaving of rounds.hpp. The gate after one round is the gate before the
 * next.
 */
#include "rounds.hpp"

#include <cstdio>

namespace bench {

constexpr double gate_tolerance = 0.25;

static Round run_round(const Group &group, unsigned number, Log &log)
{
    const std::size_t count = group.slices.size();
    Round round;
    round.value.resize(count);
    for (std::size_t i = 0; i < count * group.passes; i++) {
        const std::size_t at = (i + number) % count;
        const Outcome out = run_undisturbed(group.slices[at].run);
        round.value[at] += out.value / group.passes;
        if (!out.sound && log.sound[at]) {
            log.sound[at] = false;
            std::fprintf(stderr, "\nratios: %s/%s lost, tore or reordered a message, or hung\n",
                         group.name.c_str(), group.slices[at].name.c_str());
        }
    }
    return round;
}

Log run_group(const Group &group, unsigned wanted)
{
    Log log;
    log.sound.assign(group.slices.size(), true);
    if (group.slices.empty()) {
        log.skipped = "none of its contestants is in this build";
        return log;
    }
    if (group.needs_two_cpus && usable_cpus().size() < 2) {
        log.skipped = "needs two CPUs";
        return log;
    }
    if (group.once) {
        log.kept.push_back(run_round(group, 0, log));
        log.rounds = 1;
        return log;
    }
    Anchors before = measure_anchors(group.gates);
    while (log.kept.size() < wanted && log.rounds < 2 * wanted) {
        std::fprintf(stderr, "\r%-16s round %u, kept %zu/%u ", group.name.c_str(), log.rounds + 1,
                     log.kept.size(), wanted);
        Round round = run_round(group, log.rounds++, log);
        const Anchors after = measure_anchors(group.gates);
        round.anchors = before;
        if (!moved(before, after, gate_tolerance)) {
            log.near += is_near(before);
            log.kept.push_back(round);
        }
        before = after;
    }
    std::fprintf(stderr, "\r%-50s\r", "");
    if (log.kept.empty())
        log.skipped = "every round was disturbed (its anchors moved)";
    return log;
}

} // namespace bench
