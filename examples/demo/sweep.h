/* SPDX-License-Identifier: MIT */
/* From which size on a payload is cheaper by reference than as a chain of inline messages. */
#ifndef DEMO_SWEEP_H
#define DEMO_SWEEP_H

#include "sender.h"

#define SWEEP_SIZES 14

struct sweep_point {
    size_t bytes;
    double inline_ns; /* for each payload */
    double zero_copy_ns;
};

/* Fill in all points, by `rounds` rounds. */
exo_status sweep_run(struct link *link, unsigned rounds, struct sweep_point points[SWEEP_SIZES]);

/* The first point from which on zero-copy is faster; SWEEP_SIZES if it never is. */
unsigned sweep_crossover(const struct sweep_point points[SWEEP_SIZES]);

#endif
