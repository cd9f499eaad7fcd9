// SPDX-License-Identifier: MIT
/*
 * plan.hpp - what is measured (groups of slices) and what is reported (rows).
 *
 * A group is what must be compared within the same second: its slices run one after another in each
 * round, in rotating order, between two measurements of its gates. A row divides (or subtracts) the
 * figures of slices of one group, round by round, and reports the median of the quotients. Groups
 * know nothing of goals, rows nothing of queues.
 */
#ifndef EXO_BENCH_PLAN_HPP
#define EXO_BENCH_PLAN_HPP

#include "anchors.hpp"

#include <functional>
#include <string>
#include <vector>

/* 1 when the contestant was found at build time (bench/meson.build). */
#ifndef EXO_BENCH_HAS_EXO
#define EXO_BENCH_HAS_EXO 0
#endif
#ifndef EXO_BENCH_HAS_BOOST
#define EXO_BENCH_HAS_BOOST 0
#endif
#ifndef EXO_BENCH_HAS_CK
#define EXO_BENCH_HAS_CK 0
#endif
#ifndef EXO_BENCH_HAS_READERWRITERQUEUE
#define EXO_BENCH_HAS_READERWRITERQUEUE 0
#endif
#ifndef EXO_BENCH_HAS_CONCURRENTQUEUE
#define EXO_BENCH_HAS_CONCURRENTQUEUE 0
#endif
#ifndef EXO_BENCH_HAS_DPDK
#define EXO_BENCH_HAS_DPDK 0
#endif
#ifndef EXO_BENCH_HAS_URCU
#define EXO_BENCH_HAS_URCU 0
#endif

namespace bench {

enum class Role {
    ours,
    anchor,    /* what the machine allows */
    peer,      /* one message a call */
    peer_bulk, /* the peer's batch calls */
};

struct Slice {
    std::string name; /* unique within its group */
    Role role;
    std::function<Outcome()> run;
};

struct Group {
    std::string name;
    unsigned gates; /* Gate bits measured around each round */
    bool needs_two_cpus;
    bool once;        /* a property, not a time: measured once, no rounds */
    const char *unit; /* of its slices' values */
    unsigned passes;  /* times that a round runs all slices; a slice's figure is the mean */
    std::vector<Slice> slices;
};

enum class Form {
    over,              /* ours / (scale x reference) */
    over_fastest_peer, /* ours / the fastest slice with Role::peer */
    over_fastest_any,  /* the same, batch shapes of the peers included */
    over_fastest_of,   /* ours / the fastest slice whose name begins with `reference` */
    difference,        /* ours - reference */
    spread,   /* largest / smallest of all slices of Role::ours whose name begins with `ours` */
    absolute, /* ours */
};

struct Row {
    const char *name;
    double goal;
    const char *group;
    Form form;
    const char *ours;
    const char *reference;
    double scale;
    const char *unit;
};

const std::vector<Row> &rows();
const std::vector<Group> &groups();

/* One function per file in groups/. */
std::vector<Group> stream_groups();
std::vector<Group> single_groups();
std::vector<Group> many_groups();
std::vector<Group> round_trip_groups();
std::vector<Group> zero_copy_groups();
std::vector<Group> channel_groups();
std::vector<Group> wait_many_groups();
std::vector<Group> broadcast_groups();
std::vector<Group> control_groups();
std::vector<Group> trusted_groups();
std::vector<Group> footprint_groups();
std::vector<Group> profiler_groups();

} // namespace bench

#endif
