// SPDX-License-Identifier: MIT
/*
 * growth.hpp - tables of what a message costs as one thing grows and all else stays.
 *
 * Each line of a table has a cost and, where memory is walked, the cost of the same walk over a plain array: a ring
 * that does not fit a cache costs what that cache costs, and that is no fault of the ring. A table ends with
 * the ratio of the largest to the smallest figure, of the cost and of cost over anchor.
 */
#ifndef EXO_BENCH_GROWTH_GROWTH_HPP
#define EXO_BENCH_GROWTH_GROWTH_HPP

#include "../threads.hpp"

#include <functional>
#include <string>
#include <vector>

namespace bench {

/* A table whose largest figure is at most this many times its smallest is called flat. */
constexpr double flat_ratio = 1.25;

struct Growth {
    std::uint64_t most_messages = 100000000;
    unsigned repeats = 5;
};

/* One line: x is what grows. The figures are nanoseconds per message; anchor 0: none. */
struct Point {
    std::uint64_t x;
    double cost, anchor;
    bool sound;
};

struct Table {
    std::string name, grows, anchor; /* anchor: what it is, or empty */
    std::vector<Point> points;
};

void print_table(const Table &table);

/* What yields one line; anchor may be empty. */
struct Trial {
    std::uint64_t x;
    std::function<Outcome()> ours, anchor;
};

/* Runs all trials once, then once more, `repeats` times in all, so that a bad minute of the machine is spread over
 * all lines; keeps the least figure of each, and prints the table. */
void measure(Table table, const std::vector<Trial> &trials, unsigned repeats);

struct Section {
    const char *name, *what;
    std::function<void(const Growth &)> run;
};

/* One function per file. */
void add_ring_sections(std::vector<Section> &list);
void add_flow_sections(std::vector<Section> &list);
void add_arena_sections(std::vector<Section> &list);

} // namespace bench

#endif
