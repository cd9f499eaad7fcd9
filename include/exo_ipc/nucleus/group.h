/* SPDX-License-Identifier: MIT */
/*
 * Groups: an account below its maker's, above those of the processes that are in it. Who holds its capability with all
 * rights owns it: he reads and changes its limits and those of its members.
 */
#ifndef EXO_IPC_NUCLEUS_GROUP_H
#define EXO_IPC_NUCLEUS_GROUP_H

#include "queue.h"

struct exo_group {
    struct exo_table_item item;
    struct exo_object object; /* held by its capabilities and its members */
    struct exo_process *payer;
    struct exo_account account;
    struct exo_binding_list bindings;
};

/* A group's use comes near a limit. */
EXO_INLINE void exo_group_warn_pvt(void *context, struct exo_account *account, exo_u32 kind)
{
    struct exo_group *group = (struct exo_group *)context;
    (void)account;
    (void)kind;
    exo_bindings_post_pvt(group->payer->nucleus, &group->bindings, EXO_QUOTA_LOW);
}

/* group_create */
EXO_INLINE exo_status exo_sys_group_create_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_group *group = (struct exo_group *)exo_nucleus_take_pvt(nucleus, &nucleus->groups);
    exo_status status;
    (void)a;
    if (group == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    exo_object_init_pvt(&group->object, EXO_OBJECT_GROUP);
    group->payer = process;
    group->bindings.count = 0;
    group->bindings.first = (struct exo_binding *)EXO_NULL;
    status = exo_account_init(&group->account, &process->account);
    if (status == EXO_OK) {
        exo_account_warn_set(&group->account, exo_group_warn_pvt, group);
        exo_process_hold_pvt(process);
        exo_object_hold_pvt(&group->object);
        status = exo_capability_create(&process->capabilities, &group->object, EXO_RIGHTS_GROUP, 0, result);
        exo_object_put_pvt(&nucleus->capabilities, &group->object);
        return status;
    }
    exo_nucleus_give_pvt(nucleus, &nucleus->groups, &group->item);
    return status;
}

/* The last capability and the last member have gone. */
EXO_INLINE void exo_group_release_pvt(struct exo_nucleus *nucleus, struct exo_group *group)
{
    struct exo_process *payer = group->payer;
    exo_bindings_end_pvt(nucleus, &group->bindings, (const struct exo_process *)EXO_NULL, 0);
    exo_nucleus_give_pvt(nucleus, &nucleus->groups, &group->item);
    exo_process_put_pvt(payer);
}

/* Whose account a call is about: with a handle a group's, or that of one of its members; else the caller's own. */
EXO_INLINE exo_status exo_quota_of_pvt(struct exo_process *process, exo_u64 handle, exo_u64 member,
                                       struct exo_capability **held, struct exo_process **other,
                                       struct exo_account **account)
{
    struct exo_group *group;
    exo_status status;
    *held = (struct exo_capability *)EXO_NULL;
    *other = (struct exo_process *)EXO_NULL;
    if (handle == 0) {
        *account = &process->account;
        return member == 0 ? EXO_OK : EXO_PERMISSION_DENIED;
    }
    status = exo_capability_use(&process->capabilities, handle, EXO_OBJECT_GROUP, EXO_RIGHT_DESTROY, held);
    if (status != EXO_OK) {
        return status;
    }
    group = exo_object_of(struct exo_group, (*held)->object);
    *account = &group->account;
    if (member != 0) {
        *other = exo_process_get_pvt(process->nucleus, member);
        if (*other == EXO_NULL || (*other)->account.parent != &group->account) {
            status = EXO_NOT_FOUND;
        } else {
            *account = &(*other)->account;
        }
    }
    return status;
}

EXO_INLINE void exo_quota_done_pvt(struct exo_capability *held, struct exo_process *other)
{
    if (other != EXO_NULL) {
        exo_process_put_pvt(other);
    }
    if (held != EXO_NULL) {
        exo_capability_done(held);
    }
}

/* quota_get: group handle or 0, [out] quota */
EXO_INLINE exo_status exo_sys_quota_get_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *held;
    struct exo_process *other;
    struct exo_account *account = &process->account;
    struct exo_sys_quota quota;
    exo_status status = a[2] < sizeof(quota) ? EXO_BUFFER_TOO_SMALL : EXO_OK;
    exo_u32 kind;
    if (status == EXO_OK) {
        status = exo_quota_of_pvt(process, a[0], 0, &held, &other, &account);
        for (kind = 0; kind < EXO_SYS_QUOTAS && status == EXO_OK; kind++) {
            quota.used[kind] = exo_quota_used(account, kind);
            quota.limit[kind] = exo_quota_limit_get(account, kind);
        }
        exo_quota_done_pvt(held, other);
    }
    if (status == EXO_OK) {
        status = exo_port_copy_to_user(process->space.port, a[1], &quota, sizeof(quota));
    }
    *result = status == EXO_OK ? sizeof(quota) : 0;
    return status;
}

/* quota_set: group handle, member or 0, kind, limit. Without a handle a process lowers its own limit. */
EXO_INLINE exo_status exo_sys_quota_set_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *held;
    struct exo_process *other;
    struct exo_account *account = &process->account;
    exo_status status;
    (void)result;
    if (a[2] >= EXO_SYS_QUOTAS) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_quota_of_pvt(process, a[0], a[1], &held, &other, &account);
    if (status == EXO_OK && a[0] == 0 && a[3] > exo_quota_limit_get(account, (exo_u32)a[2])) {
        status = EXO_PERMISSION_DENIED;
    }
    if (status == EXO_OK) {
        status = exo_quota_limit_set(account, (exo_u32)a[2], a[3]);
    }
    exo_quota_done_pvt(held, other);
    return status;
}

/*
 * Put an account below another one: what it has used is charged there and above, then given back where it was. No other call
 * is under way.
 */
EXO_INLINE exo_status exo_account_move_pvt(struct exo_account *account, struct exo_account *parent)
{
    const struct exo_account *at;
    exo_status status = parent->depth >= EXO_ACCOUNT_DEPTH ? EXO_INVALID_ARGUMENT : EXO_OK;
    exo_u32 kind;
    for (at = parent; at != EXO_NULL; at = at->parent) {
        status = at == account ? EXO_INVALID_ARGUMENT : status;
    }
    for (kind = 0; kind < EXO_QUOTA_KINDS && status == EXO_OK; kind++) {
        status = exo_quota_charge(parent, kind, exo_quota_used(account, kind));
    }
    if (status != EXO_OK) {
        while (status == EXO_QUOTA_EXCEEDED && --kind != 0) {
            (void)exo_quota_return(parent, kind - 1, exo_quota_used(account, kind - 1));
        }
        return status;
    }
    for (kind = 0; kind < EXO_QUOTA_KINDS; kind++) {
        (void)exo_quota_return(account->parent, kind, exo_quota_used(account, kind));
    }
    account->parent = parent;
    account->depth = parent->depth + 1;
    return EXO_OK;
}

/* group_join: group handle. What the caller has so far is charged to the group from now on. */
EXO_INLINE exo_status exo_sys_group_join_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *held;
    struct exo_group *group;
    exo_status status;
    (void)result;
    if (!process->nucleus->config.serial) {
        return EXO_NOT_SUPPORTED; /* charges under way would be given back to the wrong account */
    }
    status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_GROUP, EXO_RIGHT_SEND, &held);
    if (status != EXO_OK) {
        return status;
    }
    group = exo_object_of(struct exo_group, held->object);
    status = exo_account_move_pvt(&process->account, &group->account);
    if (status == EXO_OK) {
        exo_object_hold_pvt(&group->object);
        if (process->group != EXO_NULL) {
            exo_object_put_pvt(&process->nucleus->capabilities, process->group);
        }
        process->group = &group->object;
    }
    exo_capability_done(held);
    return status;
}

#endif
