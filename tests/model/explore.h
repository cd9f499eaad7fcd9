/* SPDX-License-Identifier: MIT */
/* How to search, and what was found. */
#ifndef EXO_TESTS_MODEL_EXPLORE_H
#define EXO_TESTS_MODEL_EXPLORE_H

#include "model.h"

struct options {
    const char *only[64];
    exo_u32 only_count;
    enum search_mode mode;
    const char *replay;
    exo_u64 seed;
    exo_u64 runs;        /* 0: no limit */
    double seconds;      /* for each client; 0: no limit */
    double total;        /* for all of them together; 0: no limit */
    struct bounds bound; /* preemptions 0: 2 */
    exo_bool old_given;  /* bound.old counts; else round after round */
    exo_bool list;
    exo_bool sites;
    exo_bool quiet;
    exo_bool stop;
    exo_bool exact;
};

struct totals {
    exo_u64 runs;
    exo_u64 pruned;
    exo_u64 kills;
    exo_u64 lies;
    exo_u64 steps;
    exo_u32 clients;
    exo_u32 whole; /* clients all of whose runs, within the bound of preemptions, were made */
    exo_u32 cut;   /* clients whose time was over before the first round was through */
    exo_u32 failed;
};

extern struct totals total;

double explore_now(void);
void explore_client(const struct client *client, const struct options *options);

#endif
