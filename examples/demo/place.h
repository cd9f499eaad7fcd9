/* SPDX-License-Identifier: MIT */
/* Where the two processes run. */
#ifndef DEMO_PLACE_H
#define DEMO_PLACE_H

/* Choose two CPUs that this process may use, on different cores if there are any. False if there is only one
 * CPU. Call it before the others, and before the fork. */
int place_choose(int cpus[2]);

/* Run the calling process on one CPU from now on, if that can be done. */
void place_here(int cpu);

/* Leave it to the scheduler again. */
void place_anywhere(void);

#endif
