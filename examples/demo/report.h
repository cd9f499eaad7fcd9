/* SPDX-License-Identifier: MIT */
/* What the demo prints. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include "sweep.h"

/* Below this a file is too short to time. */
#define TIMED_BYTES_MIN 1048576u

void report_setting(const struct input *input, const exo_u8 digest[32],
                    const struct exo_ring_config *ring, const int cpus[2]);
void report_paths(const struct input *input, const struct result results[PATHS]);
void report_sweep(const struct sweep_point points[SWEEP_SIZES]);

/* The name of a path, for messages; in one static place. */
const char *report_name(unsigned path);

#endif
