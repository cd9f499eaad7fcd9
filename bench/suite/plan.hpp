// SPDX-License-Identifier: MIT
/*
 * plan.hpp - sections of groups of slices: what the suite measures.
 *
 * A group is compared within the same second: its slices run one after another, in rotating order,
 * between two measurements of the anchors. A section is a question with one plot or table; its
 * groups take turns round by round. The report (suite/report) looks sections up by name.
 */
#ifndef EXO_BENCH_SUITE_PLAN_HPP
#define EXO_BENCH_SUITE_PLAN_HPP

#include "../contestants/all_links.hpp"
#include "parties.hpp"

namespace bench::suite {

struct Slice {
    std::string series; /* what it is called in the report, unique within its group */
    const char *role;   /* "ours", "peer" or "anchor" */
    bool spins;
    std::function<Finding()> run;
};

struct Group {
    std::string name; /* unique within its section */
    double x;         /* on the section's axis; 0: none */
    std::vector<Slice> slices;
};

struct Section {
    std::string name;
    const char *unit;
    const char *kind; /* "stream": ns per message; "trip": durations; "size": bytes, once */
    std::vector<Group> groups;
};

struct Depth {
    bool quick = false;
};

template <class L, class P>
void add(Group &group, const char *role, Job job, bool processes, const std::string &label)
{
    job.setup.processes = processes;
    group.slices.push_back(
        {label, role, L::spins && job.pairs == 1, [job] { return measure<L, P>(job); }});
}

/* One function per file. */
Section sweep_section(const Depth &depth);
std::vector<Section> peer_sections(const Depth &depth);
std::vector<Section> scaling_sections(const Depth &depth);
std::vector<Section> slow_path_sections(const Depth &depth);
std::vector<Section> price_sections(const Depth &depth);
Section footprint_section();

} // namespace bench::suite

#endif
