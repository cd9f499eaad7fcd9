/* SPDX-License-Identifier: MIT */
/*
 * Calls on capabilities, whatever they denote: close, derive, grant, revoke, inspect.
 */
#ifndef EXO_IPC_NUCLEUS_SYS_CAPABILITY_H
#define EXO_IPC_NUCLEUS_SYS_CAPABILITY_H

#include "group.h"
#include "mail.h"
#include "region.h"

/*
 * Derive a capability into another table. A channel counts its holders before the new one can be used, and takes it back
 * if there is none after all. `carrier` is the channel that it travels through, or null.
 */
EXO_INLINE exo_status exo_sys_derive_pvt(struct exo_process *process, exo_u64 handle, exo_u32 rights,
                                         const struct exo_mail *carrier, struct exo_capability_table *to, exo_u64 *made)
{
    struct exo_capability *capability;
    struct exo_mail *mail = (struct exo_mail *)EXO_NULL;
    exo_u32 side = 0;
    exo_status status = exo_capability_use(&process->capabilities, handle, 0, 0, &capability);
    if (status != EXO_OK) {
        return status;
    }
    if (capability->object->kind == EXO_OBJECT_CHANNEL) {
        mail = exo_object_of(struct exo_mail, capability->object);
        if (carrier != EXO_NULL && mail->born <= carrier->born) {
            exo_capability_done(capability);
            return EXO_NOT_SUPPORTED;
        }
        side = (exo_u32)capability->badge;
        exo_mail_hold_pvt(mail, side);
    }
    status = exo_capability_derive(&process->capabilities, handle, rights, to, made);
    if (status != EXO_OK && mail != EXO_NULL) {
        exo_mail_let_go_pvt(process->nucleus, mail, side, EXO_FALSE);
    }
    exo_capability_done(capability);
    return status;
}

/* What was passed in a message arrives: derived from the one on its way, with all its rights. */
EXO_INLINE exo_status exo_sys_arrive_pvt(struct exo_process *process, exo_u64 passed, exo_u64 *handle, exo_u32 *rights)
{
    struct exo_capability *capability;
    exo_status status = exo_capability_use(&process->nucleus->transit, passed, 0, 0, &capability);
    if (status == EXO_NOT_FOUND) {
        return EXO_OK; /* revoked on its way: the message comes without it */
    }
    if (status != EXO_OK) {
        return status;
    }
    *rights = capability->rights;
    if (capability->object->kind == EXO_OBJECT_CHANNEL) {
        exo_mail_hold_pvt(exo_object_of(struct exo_mail, capability->object), (exo_u32)capability->badge);
    }
    status = exo_capability_derive(&process->nucleus->transit, passed, *rights, &process->capabilities, handle);
    if (status != EXO_OK && capability->object->kind == EXO_OBJECT_CHANNEL) {
        exo_mail_let_go_pvt(process->nucleus, exo_object_of(struct exo_mail, capability->object),
                            (exo_u32)capability->badge, EXO_FALSE);
    }
    exo_capability_done(capability);
    return status;
}

/* close: handle */
EXO_INLINE exo_status exo_sys_close_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    (void)result;
    return exo_capability_drop(&process->capabilities, a[0]);
}

/* derive: handle, rights */
EXO_INLINE exo_status exo_sys_derive_here_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    if ((a[1] & ~(exo_u64)EXO_RIGHTS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    return exo_sys_derive_pvt(process, a[0], (exo_u32)a[1], (const struct exo_mail *)EXO_NULL, &process->capabilities,
                              result);
}

/* grant: handle, process, rights */
EXO_INLINE exo_status exo_sys_grant_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_process *to;
    exo_status status;
    if ((a[2] & ~(exo_u64)EXO_RIGHTS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    to = exo_process_get_pvt(process->nucleus, a[1]);
    if (to == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    status = exo_sys_derive_pvt(process, a[0], (exo_u32)a[2], (const struct exo_mail *)EXO_NULL, &to->capabilities,
                                result);
    exo_process_put_pvt(to);
    return status == EXO_CLOSED ? EXO_NOT_FOUND : status; /* only its record is left */
}

/* revoke: handle, itself too */
EXO_INLINE exo_status exo_sys_revoke_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    exo_i64 count;
    if (a[1] > 1) {
        return EXO_INVALID_ARGUMENT;
    }
    count = exo_capability_revoke(&process->capabilities, a[0], a[1] != 0);
    if (count < 0) {
        return (exo_status)count;
    }
    *result = (exo_u64)count;
    return EXO_OK;
}

/* What a capability denotes. */
EXO_INLINE void exo_sys_describe_pvt(const struct exo_capability *capability, struct exo_sys_info *info)
{
    info->kind = capability->object->kind;
    info->rights = capability->rights;
    info->side = 0;
    info->reserved = 0;
    if (info->kind == EXO_OBJECT_REGION) {
        const struct exo_region *region = exo_object_of(const struct exo_region, capability->object);
        info->id = exo_table_handle(&region->item);
        info->size = region->size;
        info->owner = region->owner;
    } else if (info->kind == EXO_OBJECT_CHANNEL) {
        const struct exo_mail *mail = exo_object_of(const struct exo_mail, capability->object);
        info->id = exo_table_handle(&mail->item);
        info->size = mail->limit;
        info->owner = mail->owner;
        info->side = (exo_u32)capability->badge;
    } else if (info->kind == EXO_OBJECT_QUEUE) {
        const struct exo_queue *queue = exo_object_of(const struct exo_queue, capability->object);
        info->id = exo_table_handle(&queue->item);
        info->size = queue->notify.capacity;
        info->owner = exo_process_number(queue->payer);
    } else {
        const struct exo_group *group = exo_object_of(const struct exo_group, capability->object);
        info->id = exo_table_handle(&group->item);
        info->size = 0;
        info->owner = exo_process_number(group->payer);
    }
}

/* inspect: handle, [out] info */
EXO_INLINE exo_status exo_sys_inspect_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_sys_info info;
    exo_status status;
    if (a[2] < sizeof(info)) {
        return EXO_BUFFER_TOO_SMALL;
    }
    status = exo_capability_use(&process->capabilities, a[0], 0, 0, &capability);
    if (status != EXO_OK) {
        return status;
    }
    exo_sys_describe_pvt(capability, &info);
    exo_capability_done(capability);
    status = exo_port_copy_to_user(process->space.port, a[1], &info, sizeof(info));
    *result = status == EXO_OK ? sizeof(info) : 0;
    return status;
}

#endif
