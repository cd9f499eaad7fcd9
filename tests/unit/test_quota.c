/* SPDX-License-Identifier: MIT */
/* Accounts: all or nothing up the tree, never beyond a limit, one warning, back to zero. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "exo_ipc/nucleus/quota.h"

#define MANY (~(exo_u64)0)

/* A process, its group, and the root of all. */
struct tree {
    struct exo_account root;
    struct exo_account group;
    struct exo_account leaf;
    exo_u32 warned; /* calls of the hook */
    struct exo_account *who;
    exo_u32 kind;
};

static void note(void *context, struct exo_account *account, exo_u32 kind)
{
    struct tree *tree = context;
    (void)__atomic_fetch_add(&tree->warned, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&tree->who, account, __ATOMIC_RELAXED);
    __atomic_store_n(&tree->kind, kind, __ATOMIC_RELAXED);
}

static void open_tree(struct tree *tree)
{
    memset(tree, 0xA5, sizeof(*tree));
    tree->warned = 0;
    assert_int_equal(exo_account_init(&tree->root, NULL), EXO_OK);
    assert_int_equal(exo_account_init(&tree->group, &tree->root), EXO_OK);
    assert_int_equal(exo_account_init(&tree->leaf, &tree->group), EXO_OK);
}

static void limit(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    assert_int_equal(exo_quota_limit_set(account, kind, amount), EXO_OK);
    assert_true(exo_quota_limit_get(account, kind) == amount);
}

static void uses(const struct tree *tree, exo_u32 kind, exo_u64 leaf, exo_u64 group, exo_u64 root)
{
    assert_true(exo_quota_used(&tree->leaf, kind) == leaf);
    assert_true(exo_quota_used(&tree->group, kind) == group);
    assert_true(exo_quota_used(&tree->root, kind) == root);
}

static void charge_is_paid_by_all_ancestors_and_comes_back(void **state)
{
    struct tree tree;
    exo_u32 kind;
    exo_u32 other;
    (void)state;
    open_tree(&tree);
    for (kind = 0; kind < EXO_QUOTA_KINDS; kind++) {
        assert_int_equal(exo_quota_charge(&tree.leaf, kind, 10), EXO_OK);
        assert_int_equal(exo_quota_charge(&tree.group, kind, 5), EXO_OK);
        uses(&tree, kind, 10, 15, 15);
        for (other = kind + 1; other < EXO_QUOTA_KINDS; other++) {
            uses(&tree, other, 0, 0, 0);
        }
        assert_int_equal(exo_quota_return(&tree.leaf, kind, 3), EXO_OK);
        assert_int_equal(exo_quota_return(&tree.leaf, kind, 7), EXO_OK);
        uses(&tree, kind, 0, 5, 5);
        assert_int_equal(exo_quota_return(&tree.group, kind, 5), EXO_OK);
        uses(&tree, kind, 0, 0, 0);
    }
}

static void a_limit_is_reached_exactly_and_never_passed(void **state)
{
    struct tree tree;
    (void)state;
    open_tree(&tree);
    limit(&tree.leaf, EXO_QUOTA_SLOTS, 100);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 101), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 99), EXO_OK);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 2), EXO_QUOTA_EXCEEDED);
    uses(&tree, EXO_QUOTA_SLOTS, 99, 99, 99);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 1), EXO_OK);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 1), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_SLOTS, 0), EXO_OK);
    uses(&tree, EXO_QUOTA_SLOTS, 100, 100, 100);
    limit(&tree.leaf, EXO_QUOTA_REGIONS, 0);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_REGIONS, 1), EXO_QUOTA_EXCEEDED);
}

static void a_refusing_ancestor_leaves_nothing_charged(void **state)
{
    struct tree tree;
    struct exo_account *const accounts[] = {&tree.leaf, &tree.group, &tree.root};
    exo_u32 i;
    (void)state;
    for (i = 0; i < 3; i++) {
        open_tree(&tree);
        limit(accounts[i], EXO_QUOTA_BYTES, 50);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 40), EXO_OK);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 11), EXO_QUOTA_EXCEEDED);
        uses(&tree, EXO_QUOTA_BYTES, 40, 40, 40);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 10), EXO_OK);
        uses(&tree, EXO_QUOTA_BYTES, 50, 50, 50);
    }
}

static void lower_the_leaf(void *context, struct exo_account *account, exo_u32 kind)
{
    struct tree *tree = context;
    (void)account;
    tree->warned++;
    limit(&tree->leaf, kind, 0);
}

static void more_than_was_charged_cannot_be_returned(void **state)
{
    struct tree tree;
    (void)state;
    open_tree(&tree);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 10), EXO_OK);
    assert_int_equal(exo_quota_charge(&tree.group, EXO_QUOTA_BYTES, 100), EXO_OK);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, 11), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, MANY), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, 0), EXO_OK);
    uses(&tree, EXO_QUOTA_BYTES, 10, 110, 110);
}

static void amounts_near_2_to_the_64_do_not_overflow(void **state)
{
    static const exo_u64 large[] = {MANY, MANY - 1, (exo_u64)1 << 63, EXO_QUOTA_MAX};
    struct tree tree;
    exo_u32 i;
    (void)state;
    open_tree(&tree);
    tree.root.warn = note;
    tree.root.context = &tree;
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_OK);
    for (i = 0; i < 4; i++) {
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, large[i]), EXO_QUOTA_EXCEEDED);
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, large[i]), EXO_INVALID_ARGUMENT);
        limit(&tree.root, EXO_QUOTA_REGIONS, large[i]);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_REGIONS, 7), EXO_OK);
    }
    uses(&tree, EXO_QUOTA_BYTES, 1, 1, 1);
    uses(&tree, EXO_QUOTA_REGIONS, 28, 28, 28);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, EXO_QUOTA_MAX - 1), EXO_OK);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_QUOTA_EXCEEDED);
    uses(&tree, EXO_QUOTA_BYTES, EXO_QUOTA_MAX, EXO_QUOTA_MAX, EXO_QUOTA_MAX);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, EXO_QUOTA_MAX), EXO_OK);
    uses(&tree, EXO_QUOTA_BYTES, 0, 0, 0);
    assert_int_equal(tree.warned, 0); /* what is not limited has no 90 % */
}

static void use_is_warned_of_once_above_90_and_again_after_80(void **state)
{
    struct tree tree;
    exo_u32 i;
    (void)state;
    open_tree(&tree);
    exo_account_warn_set(&tree.group, note, &tree);
    limit(&tree.group, EXO_QUOTA_MESSAGES, 1000);
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_MESSAGES, 900), EXO_OK);
        assert_int_equal(tree.warned, i); /* 90 % is not above */
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_MESSAGES, 1), EXO_OK);
        assert_int_equal(tree.warned, i + 1);
        assert_ptr_equal(tree.who, &tree.group);
        assert_int_equal(tree.kind, EXO_QUOTA_MESSAGES);
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_MESSAGES, 100), EXO_OK); /* 801 */
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_MESSAGES, 199), EXO_OK);
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_MESSAGES, 199), EXO_OK);
        assert_int_equal(tree.warned, i + 1); /* it was never below 80 % */
        assert_true(exo_quota_used(&tree.group, EXO_QUOTA_MESSAGES) == 801);
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_MESSAGES, 2), EXO_OK);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_MESSAGES, 1), EXO_OK); /* 800, and no higher */
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_MESSAGES, 800), EXO_OK);
        uses(&tree, EXO_QUOTA_MESSAGES, 0, 0, 0);
    }
}

static void the_mark_is_exact_for_small_and_huge_limits(void **state)
{
    static const exo_u64 limits[] = {1, 2, 9, 10, 11, 19, 100, ((exo_u64)1 << 60) - 1, (exo_u64)10 << 56, EXO_QUOTA_MAX};
    exo_u32 i;
    (void)state;
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct tree tree;
        exo_u64 mark = limits[i] - limits[i] / 10 - (limits[i] % 10 != 0); /* the most that is not above 90 % */
        exo_u64 slack = limits[i] >> 60 != 0 ? 32 : 0;
        open_tree(&tree);
        exo_account_warn_set(&tree.leaf, note, &tree);
        limit(&tree.leaf, EXO_QUOTA_BYTES, limits[i]);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, mark / 2), EXO_OK);
        assert_int_equal(tree.warned, 0);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, mark - slack - mark / 2), EXO_OK);
        assert_int_equal(tree.warned, 0);
        assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, slack * 2 + (slack == 0)), EXO_OK);
        assert_int_equal(tree.warned, 1);
        /* the mark of the warning is no part of what is used */
        assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, mark + slack + (slack == 0) + 1), EXO_INVALID_ARGUMENT);
    }
}

static void a_changed_limit_counts_from_the_next_charge(void **state)
{
    struct tree tree;
    (void)state;
    open_tree(&tree);
    exo_account_warn_set(&tree.leaf, note, &tree);
    limit(&tree.leaf, EXO_QUOTA_BYTES, 100);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 95), EXO_OK);
    assert_int_equal(tree.warned, 1);
    limit(&tree.leaf, EXO_QUOTA_BYTES, 200); /* 95 of 200 is below 80 % */
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 95), EXO_OK);
    assert_int_equal(tree.warned, 2);
    limit(&tree.leaf, EXO_QUOTA_BYTES, 10);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 0), EXO_OK);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, 180), EXO_OK);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_BYTES, 10), EXO_OK);
    uses(&tree, EXO_QUOTA_BYTES, 0, 0, 0);
}

static void a_hook_may_charge_and_set_limits(void **state)
{
    struct tree tree;
    (void)state;
    open_tree(&tree);
    exo_account_warn_set(&tree.root, lower_the_leaf, &tree);
    limit(&tree.root, EXO_QUOTA_BYTES, 10);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 10), EXO_OK); /* the hook runs when it is done */
    assert_int_equal(tree.warned, 1);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_BYTES, 1), EXO_QUOTA_EXCEEDED);
    uses(&tree, EXO_QUOTA_BYTES, 10, 10, 10);
}

static void a_tree_is_eight_accounts_deep(void **state)
{
    struct exo_account account[EXO_ACCOUNT_DEPTH + 1];
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_account_init(&account[0], NULL), EXO_OK);
    for (i = 1; i < EXO_ACCOUNT_DEPTH; i++) {
        assert_int_equal(exo_account_init(&account[i], &account[i - 1]), EXO_OK);
    }
    assert_int_equal(exo_account_init(&account[i], &account[i - 1]), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_account_init(&account[0], &account[0]), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_account_init(NULL, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_charge(&account[i - 1], EXO_QUOTA_BYTES, 3), EXO_OK);
    for (i = 0; i < EXO_ACCOUNT_DEPTH; i++) {
        assert_true(exo_quota_used(&account[i], EXO_QUOTA_BYTES) == 3);
    }
    limit(&account[0], EXO_QUOTA_BYTES, 4);
    assert_int_equal(exo_quota_charge(&account[7], EXO_QUOTA_BYTES, 2), EXO_QUOTA_EXCEEDED);
    for (i = 0; i < EXO_ACCOUNT_DEPTH; i++) {
        assert_true(exo_quota_used(&account[i], EXO_QUOTA_BYTES) == 3);
    }
}

static void unknown_kinds_are_refused_and_nobody_pays_nothing(void **state)
{
    struct tree tree;
    (void)state;
    open_tree(&tree);
    assert_int_equal(exo_quota_charge(&tree.leaf, EXO_QUOTA_KINDS, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_return(&tree.leaf, EXO_QUOTA_KINDS, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_limit_set(&tree.leaf, 0xFFFFFFFFu, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_quota_limit_set(NULL, EXO_QUOTA_BYTES, 1), EXO_INVALID_ARGUMENT);
    assert_true(exo_quota_limit_get(&tree.leaf, EXO_QUOTA_KINDS) == 0);
    assert_true(exo_quota_used(&tree.leaf, EXO_QUOTA_KINDS) == 0);
    assert_true(exo_quota_limit_get(&tree.leaf, EXO_QUOTA_BYTES) == EXO_QUOTA_UNLIMITED);
    assert_int_equal(exo_quota_charge(NULL, EXO_QUOTA_BYTES, MANY), EXO_OK);
    assert_int_equal(exo_quota_return(NULL, EXO_QUOTA_BYTES, MANY), EXO_OK);
}

/* Several threads, two leaves, one group that has room for fewer than they want. */
#define THREADS 4u
#define ROUNDS 50000u

struct crowd {
    struct tree tree;
    struct exo_account second;
    exo_u64 taken[THREADS];
    exo_u32 faults[THREADS];
    exo_u32 next;
    exo_u64 until_ns;
};

/* Whether this thread has got something, and several together have passed the mark. How long that takes is the scheduler's
 * business; 50 s are far more than it needs. */
static exo_bool crowd_has_met(const struct crowd *crowd, exo_u32 self)
{
    return exo_port_now_ns() > crowd->until_ns ||
           (crowd->taken[self] != 0 && __atomic_load_n(&crowd->tree.warned, __ATOMIC_RELAXED) != 0);
}

static void *take_and_give_back(void *argument)
{
    struct crowd *crowd = argument;
    exo_u32 self = __atomic_fetch_add(&crowd->next, 1, __ATOMIC_RELAXED);
    struct exo_account *account = self % 2 == 0 ? &crowd->tree.leaf : &crowd->second;
    exo_u64 held = 0;
    exo_u32 i;
    for (i = 0; i < ROUNDS || !crowd_has_met(crowd, self); i++) {
        exo_u64 amount = (i * 7 + self) % 13 + 1;
        exo_status status = exo_quota_charge(account, EXO_QUOTA_BYTES, amount);
        held += status == EXO_OK ? amount : 0;
        crowd->taken[self] += status == EXO_OK;
        crowd->faults[self] += exo_quota_used(&crowd->tree.group, EXO_QUOTA_BYTES) > 40;
        crowd->faults[self] += exo_quota_used(account, EXO_QUOTA_BYTES) > 30;
        if (status != EXO_OK || i % 3 == 0) {
            crowd->faults[self] += exo_quota_return(account, EXO_QUOTA_BYTES, held) != EXO_OK;
            held = 0;
        }
    }
    crowd->faults[self] += exo_quota_return(account, EXO_QUOTA_BYTES, held) != EXO_OK;
    return NULL;
}

static void many_threads_never_pass_a_limit_and_end_at_zero(void **state)
{
    static struct crowd crowd;
    pthread_t thread[THREADS];
    exo_u32 i;
    (void)state;
    memset(&crowd, 0, sizeof(crowd));
    crowd.until_ns = exo_port_now_ns() + 50000000000ull;
    open_tree(&crowd.tree);
    assert_int_equal(exo_account_init(&crowd.second, &crowd.tree.group), EXO_OK);
    limit(&crowd.tree.group, EXO_QUOTA_BYTES, 40);
    limit(&crowd.tree.leaf, EXO_QUOTA_BYTES, 30);
    limit(&crowd.second, EXO_QUOTA_BYTES, 30);
    exo_account_warn_set(&crowd.tree.group, note, &crowd.tree);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_give_back, &crowd), 0);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(crowd.faults[i], 0);
        assert_true(crowd.taken[i] > 0);
    }
    assert_true(crowd.tree.warned > 0);
    uses(&crowd.tree, EXO_QUOTA_BYTES, 0, 0, 0);
    assert_true(exo_quota_used(&crowd.second, EXO_QUOTA_BYTES) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charge_is_paid_by_all_ancestors_and_comes_back),
        cmocka_unit_test(a_limit_is_reached_exactly_and_never_passed),
        cmocka_unit_test(a_refusing_ancestor_leaves_nothing_charged),
        cmocka_unit_test(more_than_was_charged_cannot_be_returned),
        cmocka_unit_test(amounts_near_2_to_the_64_do_not_overflow),
        cmocka_unit_test(use_is_warned_of_once_above_90_and_again_after_80),
        cmocka_unit_test(the_mark_is_exact_for_small_and_huge_limits),
        cmocka_unit_test(a_changed_limit_counts_from_the_next_charge),
        cmocka_unit_test(a_hook_may_charge_and_set_limits),
        cmocka_unit_test(a_tree_is_eight_accounts_deep),
        cmocka_unit_test(unknown_kinds_are_refused_and_nobody_pays_nothing),
        cmocka_unit_test(many_threads_never_pass_a_limit_and_end_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
