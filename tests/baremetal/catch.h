/* SPDX-License-Identifier: MIT */
/*
 * Faults of the kernel's in functions that are to fault, and threads that live in another address space.
 */
#ifndef BAREMETAL_CATCH_H
#define BAREMETAL_CATCH_H

#include "memory.h"

/* How it faulted. */
struct caught {
    exo_u64 vector;
    exo_u64 error;
    exo_uptr address;
};

/* Calls a function; true if it faulted, and how. What it had taken stays taken. */
exo_bool catches(void (*run)(void *argument), void *argument, struct caught *caught);
/* One access that may fault. */
exo_bool read_faults(exo_uptr address, struct caught *caught);
exo_bool write_faults(exo_uptr address, struct caught *caught);
exo_bool call_faults(exo_uptr address, struct caught *caught);

#define FAULT_PRESENT 1u
#define FAULT_WRITE   2u
#define FAULT_USER    4u
#define FAULT_FETCH   16u

/* Makes the calling thread live in an address space; the kernel's again with &kernel_space. */
void live_in(struct exo_port_space *space);

#endif
