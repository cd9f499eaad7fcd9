// SPDX-License-Identifier: MIT
/*
 * json.hpp - the results as one JSON document, written section by section.
 */
#ifndef EXO_BENCH_SUITE_JSON_HPP
#define EXO_BENCH_SUITE_JSON_HPP

#include "rounds.hpp"

#include <cstdio>

namespace bench::suite {

void write_head(std::FILE *out, bool quick);
void write_section(std::FILE *out, const Section &section, const std::vector<GroupLog> &logs,
                   bool first);
void write_tail(std::FILE *out, double seconds);

} // namespace bench::suite

#endif
