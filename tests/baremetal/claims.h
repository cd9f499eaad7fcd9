/* SPDX-License-Identifier: MIT */
/*
 * Tests that run inside the kernel of port/x86_64-baremetal. Each is a function named as the claim it makes; it returns
 * null, what is wrong, or CLAIM_SKIP. main.c runs the table that the command line names.
 */
#ifndef BAREMETAL_CLAIMS_H
#define BAREMETAL_CLAIMS_H

#include "catch.h"
#include "console.h"
#include "cpu.h"
#include "lock.h"
#include "memory.h"
#include "task.h"

struct claim {
    const char *name;
    const char *(*check)(void);
};

#define CLAIM(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }
#define CLAIMS_END                                                                                 \
    {                                                                                              \
        (const char *)EXO_NULL, (const char *(*)(void))EXO_NULL                                    \
    }
#define CLAIM_OK ((const char *)EXO_NULL)
#define CLAIM_SKIP "skip"
#define REQUIRE(ok)                                                                                \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            return "not so: " #ok;                                                                 \
        }                                                                                          \
    } while (0)
#define MS 1000000ull
#define BY_THEN (exo_port_now_ns() + 10000 * MS) /* only a hang takes longer */
#define NO_ARGUMENT EXO_NULL

extern const struct claim claims_budget[];
extern const struct claim claims_conformance[];
extern const struct claim claims_frames[];
extern const struct claim claims_map[];
extern const struct claim claims_move[];
extern const struct claim claims_paging[];
extern const struct claim claims_rights[];
extern const struct claim claims_tlb[];
extern const struct claim claims_tasks[];
extern const struct claim claims_process[];
extern const struct claim claims_rings[];
extern const struct claim claims_nucleus[];
extern const struct claim claims_ends[];
extern const struct claim claims_fuzz[];
extern const struct claim claims_no_memory[];

/* From the command line: "cpus=N", "mib=N"; 0: not said. */
exo_u64 expected(const char *what);

/* main.c: all the RAM that the kernel was told of. */
extern const struct memory_map *test_ram;

/* The program of user.c, as an ELF image. */
extern const char user_image[], user_image_end[];

/* claims_process.c: runs it with an argument to its end. */
exo_status run_user(exo_u64 argument, struct process_end *end);

/* claims_nucleus.c: programs by their place in the table. */
exo_status begin_program(exo_u32 number, exo_u64 argument, struct process **process);
exo_status run_program(exo_u32 number, exo_u64 argument, struct process_end *end);
exo_bool nothing_is_charged(void);

/* claims_ends.c: ends the nucleus, whose tables never shrink, and begins another. How much was free in between. */
exo_u64 free_without_nucleus(void);

#endif
