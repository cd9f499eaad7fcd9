// SPDX-License-Identifier: MIT
/*
 * report.cpp - the statistics and the printing of report.hpp.
 *
 * A quotient is formed inside each round, where both figures saw the same machine, and the median
 * is taken over the rounds. Which peer is the fastest is decided once, by the medians, so that a
 * lucky round of a slow peer does not count.
 */
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

#ifndef EXO_BENCH_FLAGS
#define EXO_BENCH_FLAGS "unknown"
#endif

namespace bench {

static double quantile(std::vector<double> values, double q)
{
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    const double at = q * static_cast<double>(values.size() - 1);
    const std::size_t low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (at - std::floor(at)) * (values[high] - values[low]);
}

static std::vector<double> column(const Log &log, std::size_t slice)
{
    std::vector<double> values;
    for (const Round &round : log.kept)
        values.push_back(round.value[slice]);
    return values;
}

static int find_slice(const Group &group, const char *name)
{
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        if (group.slices[i].name == name)
            return static_cast<int>(i);
    }
    return -1;
}

/* Whether a row that wants the fastest may take this slice. */
static bool eligible(const Row &row, const Slice &slice)
{
    if (row.form == Form::over_fastest_of)
        return slice.name.rfind(row.reference, 0) == 0;
    return slice.role == Role::peer ||
           (row.form == Form::over_fastest_any && slice.role == Role::peer_bulk);
}

static int fastest(const Row &row, const Group &group, const Log &log)
{
    int best = -1;
    double least = 0;
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        if (!log.sound[i] || !eligible(row, group.slices[i]))
            continue;
        const double median = quantile(column(log, i), 0.5);
        if (best < 0 || median < least) {
            best = static_cast<int>(i);
            least = median;
        }
    }
    return best;
}

/* One value per kept round, or a reason why there is none. */
struct Series {
    std::vector<double> values;
    double value = 0; /* the row's figure: the median of values, unless the form says otherwise */
    std::string over;
    std::string skipped;
};

/* Largest over smallest of several slices: of their medians, since in a single round noise alone
 * makes one the largest. The rounds' own quotients give the range. */
static Series spread_series(const Row &row, const Group &group, const Log &log)
{
    Series series;
    std::vector<double> medians;
    std::vector<std::vector<double>> by_round(log.kept.size());
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        if (group.slices[i].role != Role::ours || group.slices[i].name.rfind(row.ours, 0) != 0)
            continue;
        if (!log.sound[i])
            series.skipped = group.slices[i].name + " failed its check";
        medians.push_back(quantile(column(log, i), 0.5));
        for (std::size_t r = 0; r < by_round.size(); r++)
            by_round[r].push_back(log.kept[r].value[i]);
    }
    if (medians.empty()) {
        series.skipped = "exo_ipc is not in this build";
        return series;
    }
    for (const std::vector<double> &round : by_round)
        series.values.push_back(quantile(round, 1) / quantile(round, 0));
    series.value = quantile(medians, 1) / quantile(medians, 0);
    series.over = "smallest";
    return series;
}

static double combine(const Row &row, double ours, double reference)
{
    switch (row.form) {
    case Form::difference:
        return ours - reference;
    case Form::absolute:
        return ours;
    default:
        return ours / (row.scale * reference);
    }
}

static Series row_series(const Row &row, const Group &group, const Log &log)
{
    if (row.form == Form::spread)
        return spread_series(row, group, log);
    Series series;
    const bool picks = row.form == Form::over_fastest_peer || row.form == Form::over_fastest_any ||
                       row.form == Form::over_fastest_of;
    const int ours = find_slice(group, row.ours);
    const int reference = row.form == Form::absolute ? ours
                          : picks                    ? fastest(row, group, log)
                                                     : find_slice(group, row.reference);
    if (ours < 0)
        series.skipped = std::string(row.ours) + " is not in this build";
    else if (reference < 0)
        series.skipped =
            std::string(picks ? "every peer" : row.reference) + " is missing from this build";
    else if (!log.sound[static_cast<std::size_t>(ours)])
        series.skipped = std::string(row.ours) + " lost, tore or reordered a message, or hung";
    else if (!log.sound[static_cast<std::size_t>(reference)])
        series.skipped =
            group.slices[static_cast<std::size_t>(reference)].name + " failed its check";
    if (!series.skipped.empty())
        return series;
    series.over =
        row.form == Form::absolute ? "-" : group.slices[static_cast<std::size_t>(reference)].name;
    for (const Round &round : log.kept) {
        series.values.push_back(combine(row, round.value[static_cast<std::size_t>(ours)],
                                        round.value[static_cast<std::size_t>(reference)]));
    }
    series.value = quantile(series.values, 0.5);
    return series;
}

void print_row(const Row &row, const Group &group, const Log &log)
{
    Series series;
    if (log.skipped.empty())
        series = row_series(row, group, log);
    else
        series.skipped = log.skipped;
    if (!series.skipped.empty()) {
        std::printf("# skipped %s %s\n", row.name, series.skipped.c_str());
        return;
    }
    const int digits = std::strcmp(row.unit, "bytes") == 0 ? 0 : 3;
    std::printf("ratio %-24s %.*f %g unit %s met %s", row.name, digits, series.value, row.goal,
                row.unit, series.value <= row.goal ? "yes" : "no");
    if (!group.once) {
        std::printf(" p25-p75 %.3f-%.3f rounds %zu/%u", quantile(series.values, 0.25),
                    quantile(series.values, 0.75), log.kept.size(), log.rounds);
        if (group.gates & gate_line)
            std::printf(" placement near:%u,far:%zu", log.near, log.kept.size() - log.near);
    }
    std::printf(" over %s\n", series.over.c_str());
}

static int first_anchor(const Group &group)
{
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        if (group.slices[i].role == Role::anchor)
            return static_cast<int>(i);
    }
    return -1;
}

void print_slices(const Group &group, const Log &log)
{
    if (!log.skipped.empty()) {
        std::printf("# skipped group %s: %s\n", group.name.c_str(), log.skipped.c_str());
        return;
    }
    const int anchor = first_anchor(group);
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        const std::vector<double> values = column(log, i);
        std::printf("# %s %s %s %.2f", group.unit, group.name.c_str(), group.slices[i].name.c_str(),
                    quantile(values, 0.5));
        if (!group.once)
            std::printf(" p25-p75 %.2f-%.2f", quantile(values, 0.25), quantile(values, 0.75));
        if (anchor >= 0 && static_cast<std::size_t>(anchor) != i) {
            std::vector<double> ratios;
            for (const Round &round : log.kept)
                ratios.push_back(round.value[i] / round.value[static_cast<std::size_t>(anchor)]);
            std::printf(" (%.2f x %s)", quantile(ratios, 0.5),
                        group.slices[static_cast<std::size_t>(anchor)].name.c_str());
        }
        std::printf("%s\n", log.sound[i] ? "" : " UNSOUND");
    }
}

static std::string cpu_model()
{
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
            return line.substr(line.find(": ") + 2);
    }
    return "unknown CPU";
}

void print_header()
{
    std::printf("# machine %s, %zu usable CPUs, clock %.3f ns a tick\n", cpu_model().c_str(),
                usable_cpus().size(), ns_per_tick());
    std::printf("# compiler %s\n# flags %s\n# placement %s\n", __VERSION__, EXO_BENCH_FLAGS,
                placement_text());
    const bool two = usable_cpus().size() > 1;
    const Anchors a = measure_anchors(two ? gate_line | gate_chunk | gate_rmw : gate_rmw);
    std::printf("# anchors locked-rmw %.2f ns", a.rmw);
    if (two) {
        std::printf(", one-line-rtt %.0f ns (%s), chunk256 %.1f ns a line, futex-rtt %.0f ns",
                    a.line, is_near(a) ? "near" : "far", a.chunk, futex_ping_pong(20).value);
    }
    std::printf("\n");
    std::printf(
        "# each line: ratio NAME VALUE GOAL ...; VALUE is the median over the rounds kept\n");
    std::fflush(stdout);
}

} // namespace bench
