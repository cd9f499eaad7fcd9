/* SPDX-License-Identifier: MIT */
/*
 * What the short paths cost, in instructions, and what they may cost. True where the emulator counts instructions instead
 * of time (-icount shift=0,sleep=off): then the time stamp counter is their number.
 */
#ifndef BAREMETAL_BUDGET_H
#define BAREMETAL_BUDGET_H

#include "cpu.h"
#include "memory.h"
#include "task.h"

enum budget_path {
    BUDGET_SEND_8,
    BUDGET_SEND_56,
    BUDGET_RECV_8,
    BUDGET_RECV_56,
    BUDGET_SEND_POLLED,
    BUDGET_RECV_POLLED,
    BUDGET_LOAN_56,
    BUDGET_LOAN_1K,
    BUDGET_LOAN_4K,
    BUDGET_LOAN_64K,
    BUDGET_PART_LOAN,
    BUDGET_PART_SEND,
    BUDGET_PART_VIEW,
    BUDGET_PART_RELEASE,
    BUDGET_NULL_CALL,
    BUDGET_BLOCK,
    BUDGET_WAKE,
    BUDGET_MAP,
    BUDGET_UNMAP_OWN,
    BUDGET_UNMAP_OTHER,
    BUDGET_COPY_4K,
    BUDGET_COPY_64K,
    BUDGET_MOVE_4K,
    BUDGET_MOVE_64K,
    BUDGETS
};

/**
 * struct budget - one path.
 * @goal: instructions that it may take; 0: none is set
 * @known: what it took when it was last looked at, with the compiler that does worse
 */
struct budget {
    const char *name;
    exo_u32 goal;
    exo_u32 known;
};

extern const struct budget budgets[BUDGETS];

/* What a path took on the mean, rounded up; ~0: it failed. 0: there was none to measure, for want of processors. */
extern exo_u32 budget_counted[BUDGETS];

/* Whether instructions are counted here. */
exo_bool budget_is_exact(void);
/* What a path may take: a tenth over what is known, but not more than its goal if that is met. */
exo_u32 budget_limit(const struct budget *budget);
/* Measures all of it, on the first processor. */
void budget_measure(void);
/* The table. */
void budget_print(void);

/* budget_rings.c, budget_kernel.c: on the first processor. */
void budget_measure_rings(void);
void budget_measure_kernel(void);

/* The time stamp; as far as the compiler goes, everything before it is done and nothing after it is begun. It is in a
 * register that nobody needs, so that what is measured contains no instruction to keep it. */
EXO_INLINE exo_u64 budget_stamp(void)
{
    exo_u64 stamp;
    __asm__ __volatile__("rdtsc; shl $32, %%rdx; or %%rdx, %%rax; mov %%rax, %0"
                         : "=r"(stamp)
                         :
                         : "rax", "rdx", "memory", "cc");
    return stamp;
}

/* What two stamps with nothing in between differ by. */
#define BUDGET_STAMP 4u

/* The mean of so many rounds. */
EXO_INLINE exo_u32 budget_mean(exo_u64 total, exo_u32 rounds)
{
    total -= (exo_u64)rounds * BUDGET_STAMP;
    return (exo_u32)((total + rounds - 1) / rounds);
}

/* budget_user.S: a program that exits with what a null system call took. */
extern const char budget_user[], budget_user_end[];

#endif
