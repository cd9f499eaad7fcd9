/* SPDX-License-Identifier: MIT */
/* The sending process: what it has the receiver do, and how long that takes. */
#ifndef DEMO_SENDER_H
#define DEMO_SENDER_H

#include "input.h"
#include "paths.h"

#define ROUNDS_MAX      24
#define ROUND_TRIPS     700 /* in each round */
#define ROUND_TRIPS_MAX (ROUNDS_MAX * ROUND_TRIPS)

/* What is known of a path, in the end. Times in nanoseconds. */
struct result {
    unsigned passes;
    double pass_ns; /* median over the passes; 0: none */
    unsigned round_trips;
    double p50_ns;
    double p99_ns;
    int identical; /* every digest and every sum agreed */
};

/* When to stop: after so many rounds, or so much time; three rounds may take three times as long. */
struct effort {
    unsigned rounds;
    unsigned round_trips;
    exo_u64 enough_ns;
};

/* One transfer of the whole file by a path. The receiver returns its SHA-256. */
exo_status sender_hash(struct link *link, const struct input *input, unsigned path,
                       exo_u8 digest[32]);

/* `times` transfers of `bytes` bytes; *took_ns from the first send to the receiver's last word; *right whether
 * the receiver's sum is that of data, so often. */
exo_status sender_time(struct link *link, const struct command *command, const exo_u8 *data,
                       exo_u64 *took_ns, int *right);

/* Passes over the file and round trips, all paths in turn, round by round. `path` says at any time which one. */
exo_status sender_measure(struct link *link, const struct input *input, const struct effort *effort,
                          struct result results[PATHS], unsigned *path);

/* Tell the receiver to stop. */
exo_status sender_quit(struct link *link);

/* The value below which the part q of all values lies; sorts them. 0 for none. */
double quantile(exo_u64 *values, unsigned count, double q);

#endif
