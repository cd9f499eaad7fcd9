/* SPDX-License-Identifier: MIT */
/*
 * Quotas: how much of each kind a process, and the groups that it is in, may hold.
 *
 * Accounts form a tree of at most EXO_ACCOUNT_DEPTH. A charge is paid by an account and all above it, or by none of them;
 * what was charged is returned in the same amounts when the thing goes. The accounts belong to the trusted side; no peer
 * sees them.
 *
 * `used` holds the amount in its lower 63 bits; the highest one says that a warning was given, so that amount and warning
 * change in one step. Any thread may change both words of a kind; `parent`, `depth` and the hook stand still once the
 * account is shared.
 *
 * Invariants. No amount ever passes its limit, not for a moment, but where the limit was set below what was used already.
 * An account has at any time at least what those below it have together: charges go from the root down, returns from the
 * leaf up. So whoever may return something from an account finds it in all above it, and a return never fails halfway.
 *
 * A charge looks at all accounts before it changes one. What it takes from an ancestor and must put back is therefore never
 * more than what its own account had room for when it looked: who is at its limit cannot shut others out by trying.
 *
 * Progress: lock-free; a loop is repeated only when another charge or return of the same kind went through.
 */
#ifndef EXO_IPC_NUCLEUS_QUOTA_H
#define EXO_IPC_NUCLEUS_QUOTA_H

#include "../port.h"

enum exo_quota_kind {
    EXO_QUOTA_BYTES = 0,        /* of shared memory */
    EXO_QUOTA_REGIONS = 1,      /* of shared memory */
    EXO_QUOTA_CHANNELS = 2,     /* ends of channels */
    EXO_QUOTA_CAPABILITIES = 3, /* in the table of a process */
    EXO_QUOTA_MESSAGES = 4,     /* in flight */
    EXO_QUOTA_SLOTS = 5         /* of notification queues */
};

#define EXO_QUOTA_KINDS 6u
#define EXO_ACCOUNT_DEPTH 8u

/* No amount is larger, whatever the limit. */
#define EXO_QUOTA_MAX (((exo_u64)1 << 63) - 1)
#define EXO_QUOTA_UNLIMITED (~(exo_u64)0)

#define EXO_QUOTA_WARNED_PVT ((exo_u64)1 << 63)

/* One who has quotas. In the caller's memory; set up by exo_account_init(). */
struct exo_account {
    exo_word64 used[EXO_QUOTA_KINDS];
    exo_word64 limit[EXO_QUOTA_KINDS];
    struct exo_account *parent; /* null: a root */
    /* Called when use passes 90 % of the limit; see exo_account_warn_set(). */
    void (*warn)(void *context, struct exo_account *account, exo_u32 kind);
    void *context;
    exo_u32 depth; /* a root has 1 */
};

/**
 * exo_account_init - begin an account that has used nothing and is not limited.
 * @account: to be set up; not shared yet
 * @parent: who pays as well, and outlives this account; null for none
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT if @account is null, its own parent, or would be deeper than EXO_ACCOUNT_DEPTH.
 * Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_account_init(struct exo_account *account, struct exo_account *parent)
{
    exo_u32 kind;
    if (account == EXO_NULL || account == parent || (parent != EXO_NULL && parent->depth >= EXO_ACCOUNT_DEPTH)) {
        return EXO_INVALID_ARGUMENT;
    }
    for (kind = 0; kind < EXO_QUOTA_KINDS; kind++) {
        /* relaxed: nobody else knows it yet */
        exo_store64(&account->used[kind], 0, EXO_RELAXED);
        exo_store64(&account->limit[kind], EXO_QUOTA_UNLIMITED, EXO_RELAXED); /* relaxed: the same */
    }
    account->parent = parent;
    account->warn = EXO_NULL;
    account->context = EXO_NULL;
    account->depth = parent == EXO_NULL ? 1 : parent->depth + 1;
    return EXO_OK;
}

/**
 * exo_account_warn_set - have a function called when use passes 90 % of a limit.
 * @account: set up, not shared yet
 * @warn: given @context, the account (this one, whoever below it was charged) and the kind; null for none
 *
 * It is called once, by the call of exo_quota_charge() that passed, when that call has done its work; and again only after
 * use was below 80 %. It is called too if that charge was refused by an account below, after it had passed here. It may
 * charge and return.
 * Context: any. Progress: wait-free.
 */
EXO_INLINE void exo_account_warn_set(struct exo_account *account,
                                     void (*warn)(void *context, struct exo_account *account, exo_u32 kind), void *context)
{
    account->warn = warn;
    account->context = context;
}

/* Whether used is more than so many tenths of limit, exactly; from 2^60 on in steps of 16. */
EXO_INLINE exo_bool exo_quota_above_pvt(exo_u64 used, exo_u64 limit, exo_u32 tenths)
{
    if (limit >> 60 != 0) {
        used >>= 4;
        limit >>= 4;
    }
    return used > limit || used * 10 > limit * tenths;
}

/* Whether an account that has used so much may use so much more. */
EXO_INLINE exo_bool exo_quota_fits_pvt(exo_u64 used, exo_u64 limit, exo_u64 amount)
{
    limit = exo_min64(limit, EXO_QUOTA_MAX);
    return used <= limit && amount <= limit - used;
}

/* What `used` becomes. A warning that was given while the limit was another is forgotten when use is low by this one. */
EXO_INLINE exo_u64 exo_quota_raised_pvt(exo_u64 seen, exo_u64 limit, exo_u64 amount)
{
    exo_u64 used = seen & EXO_QUOTA_MAX;
    exo_u64 warned = exo_quota_above_pvt(used, limit, 8) ? seen & EXO_QUOTA_WARNED_PVT : 0;
    if (exo_quota_above_pvt(used + amount, limit, 9)) {
        warned = EXO_QUOTA_WARNED_PVT;
    }
    return (used + amount) | warned;
}

/* Charge one account: 1; 2 if the use has passed the mark just now; 0 if there is no room. */
EXO_INLINE exo_u32 exo_quota_add_pvt(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    exo_u64 limit = exo_load64(&account->limit[kind], EXO_RELAXED); /* relaxed: a number, nothing comes with it */
    exo_u64 seen = exo_load64(&account->used[kind], EXO_RELAXED);   /* relaxed: the swap decides */
    while (exo_quota_fits_pvt(seen & EXO_QUOTA_MAX, limit, amount)) {
        exo_u64 next = exo_quota_raised_pvt(seen, limit, amount);
        exo_u64 was = seen;
        /* [quota:charge] pairs [quota:back] */
        if (exo_cas64(&account->used[kind], &seen, next, EXO_RELEASE)) {
            exo_bool fresh = !exo_quota_above_pvt(was & EXO_QUOTA_MAX, limit, 8) || was <= EXO_QUOTA_MAX;
            return next > EXO_QUOTA_MAX && fresh ? 2 : 1;
        }
        exo_cpu_relax();
    }
    return 0;
}

/* Take back from one account. False if it has not so much; nothing is changed then. Who finds here what was charged below
 * finds it above as well. */
EXO_INLINE exo_bool exo_quota_sub_pvt(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    exo_u64 limit = exo_load64(&account->limit[kind], EXO_RELAXED); /* relaxed: a number, nothing comes with it */
    exo_u64 seen = exo_load64(&account->used[kind], EXO_RELAXED);   /* relaxed: the swap decides */
    while (amount <= (seen & EXO_QUOTA_MAX)) {
        exo_u64 next = seen - amount;
        if (!exo_quota_above_pvt(next & EXO_QUOTA_MAX, limit, 8)) {
            next &= EXO_QUOTA_MAX;
        }
        /* [quota:back] pairs [quota:charge] */
        if (exo_cas64(&account->used[kind], &seen, next, EXO_ACQUIRE)) {
            return EXO_TRUE;
        }
        exo_cpu_relax();
    }
    return EXO_FALSE;
}

/* Take back from an account and all above it, as far as there are any. */
EXO_INLINE exo_status exo_quota_sub_all_pvt(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    for (; account != EXO_NULL; account = account->parent) {
        if (!exo_quota_sub_pvt(account, kind, amount)) {
            return EXO_INVALID_ARGUMENT;
        }
    }
    return EXO_OK;
}

/* The account and all above it, if each has room now. How many they are; 0 if one has no room. */
EXO_INLINE exo_u32 exo_quota_path_pvt(struct exo_account *account, exo_u32 kind, exo_u64 amount,
                                      struct exo_account *path[EXO_ACCOUNT_DEPTH])
{
    exo_u32 count = 0;
    for (; account != EXO_NULL && count < EXO_ACCOUNT_DEPTH; account = account->parent) {
        /* relaxed: a first look; the swaps decide */
        exo_u64 limit = exo_load64(&account->limit[kind], EXO_RELAXED);
        exo_u64 used = exo_load64(&account->used[kind], EXO_RELAXED) & EXO_QUOTA_MAX; /* relaxed: the same */
        if (!exo_quota_fits_pvt(used, limit, amount)) {
            return 0;
        }
        path[count++] = account;
    }
    return count;
}

/**
 * exo_quota_charge - charge an account and all above it, or none.
 * @account: who pays; null: nobody, always EXO_OK
 * @kind: of enum exo_quota_kind
 * @amount: any number, 0 included
 *
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED if a limit would be passed, in this account or above: nothing is charged then;
 * EXO_INVALID_ARGUMENT for an unknown kind. While one charge is being refused, another one to the same ancestor may be
 * refused that would have had room the moment after.
 * Context: any, interrupts included if the hook may be called there. Ordering: none that a caller may rely on.
 * Progress: lock-free, in time that grows with the depth.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_quota_charge(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    struct exo_account *path[EXO_ACCOUNT_DEPTH];
    exo_status status = EXO_OK;
    exo_u32 passed = 0; /* bit i: path[i] is to be warned */
    exo_u32 count;
    exo_u32 at;
    if (kind >= EXO_QUOTA_KINDS) {
        return EXO_INVALID_ARGUMENT;
    }
    if (account == EXO_NULL || amount == 0) {
        return EXO_OK;
    }
    count = exo_quota_path_pvt(account, kind, amount, path);
    if (count == 0) {
        return EXO_QUOTA_EXCEEDED;
    }
    for (at = count; at > 0 && status == EXO_OK; at--) {
        exo_u32 added = exo_quota_add_pvt(path[at - 1], kind, amount);
        passed |= (added >> 1) << (at - 1);
        if (added == 0) {
            (void)exo_quota_sub_all_pvt(path[at - 1]->parent, kind, amount);
            status = EXO_QUOTA_EXCEEDED;
        }
    }
    for (at = 0; passed >> at != 0; at++) {
        if ((passed >> at & 1) != 0 && path[at]->warn != EXO_NULL) {
            path[at]->warn(path[at]->context, path[at], kind);
        }
    }
    return status;
}

/**
 * exo_quota_return - give back what was charged.
 * @account: who paid; null: nobody
 * @kind, @amount: as charged; parts of a charge may be returned one by one
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for an unknown kind, and if the account has not so much: nothing is changed then.
 * Context: any, interrupts included. Ordering: none that a caller may rely on.
 * Progress: lock-free, in time that grows with the depth.
 */
EXO_INLINE exo_status exo_quota_return(struct exo_account *account, exo_u32 kind, exo_u64 amount)
{
    if (kind >= EXO_QUOTA_KINDS) {
        return EXO_INVALID_ARGUMENT;
    }
    return amount == 0 ? EXO_OK : exo_quota_sub_all_pvt(account, kind, amount);
}

/**
 * exo_quota_limit_set - say how much an account, with all below it, may use.
 * @account: any  @kind: of enum exo_quota_kind  @limit: the largest amount; EXO_QUOTA_UNLIMITED for none
 *
 * What is used already stays, even if it is more: then charges are refused until enough was returned. A charge that has
 * begun before may still go by the former limit. Nobody is warned before the next charge.
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for an unknown kind.
 * Context: any, interrupts included. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_quota_limit_set(struct exo_account *account, exo_u32 kind, exo_u64 limit)
{
    if (account == EXO_NULL || kind >= EXO_QUOTA_KINDS) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_store64(&account->limit[kind], limit, EXO_RELAXED); /* relaxed: a number, nothing comes with it */
    return EXO_OK;
}

/**
 * exo_quota_limit_get - the limit that was set.
 * @account: any  @kind: of enum exo_quota_kind
 *
 * Returns: the limit, EXO_QUOTA_UNLIMITED if there is none; 0 for an unknown kind. Context: any. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_quota_limit_get(const struct exo_account *account, exo_u32 kind)
{
    /* relaxed: a number, nothing comes with it */
    return kind < EXO_QUOTA_KINDS ? exo_load64(&account->limit[kind], EXO_RELAXED) : 0;
}

/**
 * exo_quota_used - how much an account, with all below it, uses now.
 * @account: any  @kind: of enum exo_quota_kind
 *
 * Returns: the amount; 0 for an unknown kind. Context: any. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_quota_used(const struct exo_account *account, exo_u32 kind)
{
    /* relaxed: a number, nothing comes with it */
    return kind < EXO_QUOTA_KINDS ? exo_load64(&account->used[kind], EXO_RELAXED) & EXO_QUOTA_MAX : 0;
}

#endif
