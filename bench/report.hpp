// SPDX-License-Identifier: MIT
/*
 * report.hpp - from logs to lines.
 *
 * A row's line: `ratio NAME VALUE GOAL`, then `unit U`, `met yes|no`, `p25-p75 A-B`, `rounds
 * KEPT/RUN`, `placement near:N,far:N`, `over REFERENCE`. A row that cannot be had: `# skipped NAME
 * reason`.
 */
#ifndef EXO_BENCH_REPORT_HPP
#define EXO_BENCH_REPORT_HPP

#include "rounds.hpp"

namespace bench {

/* Machine, compiler, flags, placement, anchors. */
void print_header();

/* `# ns GROUP SLICE MEDIAN (x ANCHOR)` for every slice of the group. */
void print_slices(const Group &group, const Log &log);

void print_row(const Row &row, const Group &group, const Log &log);

} // namespace bench

#endif
