/* SPDX-License-Identifier: MIT */
/*
 * The budgets: a table of them, and who measures.
 */
#include "budget.h"
#include "console.h"

const struct budget budgets[BUDGETS] = {
    [BUDGET_SEND_8] = {"send of 8 bytes", 30, 31},
    [BUDGET_SEND_56] = {"send of 56 bytes", 30, 41},
    [BUDGET_RECV_8] = {"receive of 8 bytes", 30, 25},
    [BUDGET_RECV_56] = {"receive of 56 bytes", 30, 37},
    [BUDGET_SEND_POLLED] = {"send of 8 bytes where nobody sleeps", 30, 27},
    [BUDGET_RECV_POLLED] = {"receive of 8 bytes where nobody sleeps", 30, 21},
    [BUDGET_LOAN_56] = {"56 bytes without a copy: sent, viewed, released", 120, 122},
    [BUDGET_LOAN_1K] = {"1 KiB without a copy", 120, 122},
    [BUDGET_LOAN_4K] = {"4 KiB without a copy", 120, 123},
    [BUDGET_LOAN_64K] = {"64 KiB without a copy", 120, 122},
    [BUDGET_PART_LOAN] = {"- the loan in front of it", 0, 67},
    [BUDGET_PART_SEND] = {"- its send", 0, 53},
    [BUDGET_PART_VIEW] = {"- the view", 0, 51},
    [BUDGET_PART_RELEASE] = {"- its release", 0, 34},
    [BUDGET_NULL_CALL] = {"null system call", 60, 43},
    [BUDGET_BLOCK] = {"block, with the change of threads", 250, 222},
    [BUDGET_WAKE] = {"wake", 150, 137},
    [BUDGET_MAP] = {"map 4 KiB", 400, 332},
    [BUDGET_UNMAP_OWN] = {"unmap 4 KiB, loaded here alone", 0, 429},
    [BUDGET_UNMAP_OTHER] = {"unmap 4 KiB, loaded on one other processor too", 800, 689},
    [BUDGET_COPY_4K] = {"4 KiB with two copies", 0, 1502},
    [BUDGET_COPY_64K] = {"64 KiB with two copies", 0, 16879},
    [BUDGET_MOVE_4K] = {"4 KiB moved from space to space", 0, 855},
    [BUDGET_MOVE_64K] = {"64 KiB moved from space to space", 0, 6179},
};

exo_u32 budget_counted[BUDGETS];

exo_bool budget_is_exact(void)
{
    exo_u32 i;
    for (i = 0; i < 8; i++) {
        exo_u64 begin = budget_stamp();
        __asm__ __volatile__(".rept 100; nop; .endr" : : : "memory");
        if (budget_stamp() - begin != 100 + BUDGET_STAMP) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

exo_u32 budget_limit(const struct budget *budget)
{
    exo_u32 limit = budget->known + budget->known / 10;
    return budget->goal != 0 && budget->known <= budget->goal && limit > budget->goal ? budget->goal : limit;
}

static void measure(void *argument)
{
    (void)argument;
    budget_measure_rings();
    budget_measure_kernel();
}

void budget_measure(void)
{
    struct thread *thread;
    exo_u32 i;
    for (i = 0; i < BUDGETS; i++) {
        budget_counted[i] = ~0u;
    }
    thread = thread_create("budget", measure, EXO_NULL, 1);
    if (thread != EXO_NULL) {
        thread_start(thread);
        (void)thread_join(thread, EXO_FOREVER);
    }
}

void budget_print(void)
{
    exo_bool exact = budget_is_exact();
    exo_u32 i;
    print("%s, on the mean: taken, budget\n", exact ? "instructions" : "cycles, which no budget is for");
    for (i = 0; i < BUDGETS; i++) {
        const struct budget *budget = &budgets[i];
        exo_u32 counted = budget_counted[i];
        if (counted == 0) {
            print("  -  -  %s: wants another processor\n", budget->name);
        } else if (counted == ~0u) {
            print("  -  -  %s: failed\n", budget->name);
        } else if (budget->goal == 0) {
            print("  %u  -  %s\n", NUMBER(counted), budget->name);
        } else {
            print("  %u  %u  %s%s\n", NUMBER(counted), NUMBER(budget->goal), budget->name,
                  exact && counted > budget->goal ? ": MISSED" : "");
        }
    }
}
