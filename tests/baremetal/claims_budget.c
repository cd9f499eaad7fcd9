/* SPDX-License-Identifier: MIT */
/*
 * What the short paths cost, against budget.c. Where instructions are counted and the compiler optimizes for speed; without
 * either there is nothing to say.
 */
#include "budget.h"
#include "claims.h"

static exo_bool is_measurable(void)
{
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
    return budget_is_exact();
#else
    return EXO_FALSE;
#endif
}

static const char *every_path_stays_within_its_limit(void)
{
    exo_u32 over = 0;
    exo_u32 i;
    if (!is_measurable()) {
        return CLAIM_SKIP;
    }
    budget_measure();
    budget_print();
    for (i = 0; i < BUDGETS; i++) {
        exo_u32 limit = budget_limit(&budgets[i]);
        if (budget_counted[i] > limit) {
            print("%s: %u, limit %u\n", budgets[i].name, NUMBER(budget_counted[i]), NUMBER(limit));
            over++;
        }
    }
    REQUIRE(over == 0);
    return CLAIM_OK;
}

static const char *the_same_is_counted_twice(void)
{
    exo_u32 first[BUDGETS];
    exo_u32 differ = 0;
    exo_u32 i;
    if (!is_measurable()) {
        return CLAIM_SKIP;
    }
    budget_measure();
    for (i = 0; i < BUDGETS; i++) {
        first[i] = budget_counted[i];
    }
    budget_measure();
    for (i = 0; i < BUDGETS; i++) {
        exo_u32 least = exo_min64(first[i], budget_counted[i]) == first[i] ? first[i] : budget_counted[i];
        exo_u32 most = first[i] ^ budget_counted[i] ^ least;
        if (most - least > least / 20 + 1) { /* an interrupt or two in between */
            print("%s: %u, %u\n", budgets[i].name, NUMBER(first[i]), NUMBER(budget_counted[i]));
            differ++;
        }
    }
    REQUIRE(differ == 0);
    return CLAIM_OK;
}

static const char *nothing_is_left_behind(void)
{
    exo_u64 before;
    budget_measure();
    before = frames_counted().free_bytes;
    budget_measure();
    REQUIRE(frames_counted().free_bytes == before);
    return CLAIM_OK;
}

const struct claim claims_budget[] = {
    CLAIM(every_path_stays_within_its_limit),
    CLAIM(the_same_is_counted_twice),
    CLAIM(nothing_is_left_behind),
    CLAIMS_END,
};
