// SPDX-License-Identifier: MIT
/*
 * growth.cpp - shows what grows with size and what does not.
 *
 *     growth [--only SECTION]... [--messages N] [--repeats N] [--list]
 *
 * The program informs: it ends with 0 whatever it measured, and with 2 only when it was called wrongly.
 */
#include "growth.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

static void keep_least(double &least, const Outcome &out, Point &point)
{
    least = least == 0 ? out.value : std::min(least, out.value);
    point.sound = point.sound && out.sound && out.value > 0;
}

void measure(Table table, const std::vector<Trial> &trials, unsigned repeats)
{
    for (const Trial &trial : trials)
        table.points.push_back({trial.x, 0, 0, true});
    for (unsigned i = 0; i < repeats; i++) {
        for (std::size_t at = 0; at < trials.size(); at++) {
            Point &point = table.points[at];
            if (trials[at].anchor)
                keep_least(point.anchor, trials[at].anchor(), point);
            keep_least(point.cost, trials[at].ours(), point);
        }
    }
    print_table(table);
}

struct Range {
    double low = 0, high = 0;

    void add(double value)
    {
        low = low == 0 ? value : std::min(low, value);
        high = std::max(high, value);
    }
};

static void print_verdict(const char *what, const Range &range)
{
    if (range.low <= 0)
        return;
    const double ratio = range.high / range.low;
    std::printf("  %s: largest / smallest %.2f, %s\n", what, ratio,
                ratio <= flat_ratio ? "flat" : "not flat");
}

void print_table(const Table &table)
{
    const bool anchored = !table.anchor.empty();
    Range cost, over;
    std::printf("\n%s (ns per message)\n", table.name.c_str());
    std::printf("  %14s %10s", table.grows.c_str(), "cost");
    std::printf(anchored ? " %18s %12s\n" : "\n", table.anchor.c_str(), "cost/anchor");
    for (const Point &point : table.points) {
        std::printf("  %14llu", static_cast<unsigned long long>(point.x));
        if (!point.sound) {
            std::printf("   UNSOUND: a message was lost or damaged, or it never ended\n");
            continue;
        }
        std::printf(" %10.2f", point.cost);
        cost.add(point.cost);
        if (anchored) {
            std::printf(" %18.2f %12.2f", point.anchor, point.cost / point.anchor);
            over.add(point.cost / point.anchor);
        }
        std::printf("\n");
    }
    print_verdict("cost", cost);
    print_verdict("cost over anchor", over);
    std::fflush(stdout);
}

struct Options {
    Growth growth;
    std::vector<std::string> only;
    bool list = false, wrong = false;
};

static Options parse(int argc, char **argv)
{
    Options options;
    for (int i = 1; i < argc && !options.wrong; i++) {
        const std::string arg = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (arg == "--list") {
            options.list = true;
            continue;
        }
        options.wrong = value == nullptr;
        if (options.wrong)
            break;
        i++;
        if (arg == "--only")
            options.only.push_back(value);
        else if (arg == "--messages")
            options.growth.most_messages = static_cast<std::uint64_t>(std::atof(value));
        else if (arg == "--repeats")
            options.growth.repeats = static_cast<unsigned>(std::max(1, std::atoi(value)));
        else
            options.wrong = true;
    }
    return options;
}

static bool selected(const Options &options, const Section &section)
{
    for (const std::string &name : options.only) {
        if (name == section.name)
            return true;
    }
    return options.only.empty();
}

} // namespace bench

int main(int argc, char **argv)
{
    using namespace bench;
    const Options options = parse(argc, argv);
    if (options.wrong) {
        std::fprintf(stderr,
                     "usage: growth [--only SECTION]... [--messages N] [--repeats N] [--list]\n");
        return 2;
    }
    std::vector<Section> sections;
    add_ring_sections(sections);
    add_flow_sections(sections);
    add_arena_sections(sections);
    for (const Section &section : sections) {
        if (options.list)
            std::printf("%-12s %s\n", section.name, section.what);
        else if (selected(options, section))
            section.run(options.growth);
    }
    return 0;
}
