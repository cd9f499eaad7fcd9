// SPDX-License-Identifier: MIT
/*
 * rounds.cpp - the interleaving of rounds.hpp, and the line on stderr that tells how far it is.
 */
#include "rounds.hpp"

#include <cstdio>
#include <unistd.h>

namespace bench::suite {

constexpr double gate_tolerance = 0.25, futex_ms = 3;

static Marks measure_marks()
{
    Marks marks;
    marks.gates = measure_anchors(gate_line | gate_chunk | gate_rmw);
    marks.futex = futex_ping_pong(futex_ms).value;
    return marks;
}

static void tell(const Section &section, const Group &group, const GroupLog &log, unsigned wanted)
{
    if (isatty(STDERR_FILENO))
        std::fprintf(stderr, "\r%-12s %-14s round %zu, kept %zu/%u      ", section.name.c_str(),
                     group.name.c_str(), log.rounds.size() + 1, log.kept, wanted);
}

static void keep_trips(SliceLog &log, const Histogram &trips, const Round &round, bool whole)
{
    std::unique_ptr<Histogram> &into = !(round.kept && whole)        ? log.disturbed
                                       : is_near(round.before.gates) ? log.near
                                                                     : log.far;
    if (!into)
        into.reset(new Histogram());
    into->add(trips);
}

constexpr double most_lost = 0.05;

/* Up to three times while one that spins loses its CPU: that figure would be the neighbour's.
 * `trips` is what the least disturbed run saw, if it saw any. */
static Finding run_slice(const Slice &slice, std::unique_ptr<Histogram> &trips)
{
    Finding best;
    for (int i = 0; i < 3; i++) {
        const Finding finding = slice.run();
        if (i == 0 || finding.fate != Fate::good || finding.lost < best.lost) {
            best = finding;
            if (finding.trips != nullptr)
                trips.reset(new Histogram(*finding.trips));
        }
        if (!slice.spins || best.fate != Fate::good || best.lost <= most_lost)
            break;
    }
    return best;
}

static void run_round(const Group &group, GroupLog &log, Marks &before)
{
    const std::size_t count = group.slices.size();
    Round round;
    std::vector<std::unique_ptr<Histogram>> trips(count);
    round.value.resize(count);
    for (std::size_t i = 0; i < count; i++) {
        const std::size_t at = (i + log.rounds.size()) % count;
        SliceLog &slice = log.slice[at];
        if (slice.fate != Fate::good)
            continue; /* once is enough: it may have cost seconds */
        const Finding finding = run_slice(group.slices[at], trips[at]);
        const bool lost = group.slices[at].spins && finding.lost > most_lost;
        round.value[at] = lost ? -finding.value : finding.value;
        slice.preempted += lost;
        if (finding.fate != Fate::good) {
            slice.fate = finding.fate;
            slice.reason = finding.reason;
            std::fprintf(stderr, "\n%s, %s: %s (%s)\n", group.name.c_str(),
                         group.slices[at].series.c_str(), fate_text(finding.fate),
                         finding.reason.c_str());
        }
    }
    round.before = before;
    before = round.after = measure_marks();
    round.kept = !moved(round.before.gates, round.after.gates, gate_tolerance);
    log.kept += round.kept;
    for (std::size_t i = 0; i < count; i++) {
        if (trips[i])
            keep_trips(log.slice[i], *trips[i], round, round.value[i] > 0);
    }
    log.rounds.push_back(std::move(round));
}

static void tell_end(const Section &section, const std::vector<GroupLog> &logs, double seconds)
{
    std::size_t rounds = 0, kept = 0, near = 0;
    for (const GroupLog &log : logs) {
        rounds += log.rounds.size();
        kept += log.kept;
        for (const Round &round : log.rounds)
            near += round.kept && is_near(round.before.gates);
    }
    std::fprintf(stderr, "%s%-12s %3zu groups, %4zu rounds, kept %4zu (%zu near), %.0f s%s\n",
                 isatty(STDERR_FILENO) ? "\r" : "", section.name.c_str(), logs.size(), rounds, kept,
                 near, seconds, isatty(STDERR_FILENO) ? "          " : "");
}

std::vector<GroupLog> run_section(const Section &section, const Limits &limits)
{
    std::vector<GroupLog> logs(section.groups.size());
    for (std::size_t i = 0; i < logs.size(); i++)
        logs[i].slice.resize(section.groups[i].slices.size());
    const std::uint64_t start = monotonic_ns();
    const auto seconds = [&] { return static_cast<double>(monotonic_ns() - start) / 1e9; };
    Marks before = measure_marks();
    bool again = true;
    for (unsigned turn = 0; again && turn < 2 * limits.rounds; turn++) {
        again = false;
        for (std::size_t i = 0; i < logs.size(); i++) {
            const bool enough = logs[i].kept >= limits.rounds;
            if (enough || (turn != 0 && seconds() > limits.seconds))
                continue;
            tell(section, section.groups[i], logs[i], limits.rounds);
            run_round(section.groups[i], logs[i], before);
            again = true;
        }
    }
    tell_end(section, logs, seconds());
    return logs;
}

} // namespace bench::suite
