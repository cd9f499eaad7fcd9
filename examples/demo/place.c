/* SPDX-License-Identifier: MIT */
/*
 * Two processes that hand work to each other are often put on one CPU by the scheduler, and then take turns
 * instead of working side by side. How fast they are then says more of the scheduler than of the path.
 */
#include "place.h"

#include <sched.h>
#include <stdio.h>

/* The number of the core that a CPU belongs to: that of its first hardware thread. */
static int core_of(int cpu)
{
    char name[96];
    int first = cpu;
    FILE *file;
    (void)snprintf(name, sizeof(name),
                   "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    file = fopen(name, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &first) != 1) {
            first = cpu;
        }
        (void)fclose(file);
    }
    return first;
}

static cpu_set_t allowed;

int place_choose(int cpus[2])
{
    int found = 0;
    size_t i;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return 0;
    }
    for (i = 0; i < CPU_SETSIZE; i++) {
        int cpu = (int)i;
        if (!CPU_ISSET(i, &allowed)) {
            continue;
        }
        if (found == 0) {
            cpus[found++] = cpu;
        } else if (found == 1 || core_of(cpus[1]) == core_of(cpus[0])) {
            cpus[1] = cpu; /* on the same core for want of a better one */
            found = 2;
        }
    }
    return found == 2;
}

void place_here(int cpu)
{
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    (void)sched_setaffinity(0, sizeof(only), &only);
}

void place_anywhere(void)
{
    (void)sched_setaffinity(0, sizeof(allowed), &allowed);
}
