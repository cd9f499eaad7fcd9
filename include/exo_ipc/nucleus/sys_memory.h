/* SPDX-License-Identifier: MIT */
/*
 * Calls on regions: create, open, map, unmap, protect, destroy.
 */
#ifndef EXO_IPC_NUCLEUS_SYS_MEMORY_H
#define EXO_IPC_NUCLEUS_SYS_MEMORY_H

#include "region.h"
#include "sys_name.h"

/* The rights that flags of a mapping need. */
EXO_INLINE exo_u32 exo_map_rights_pvt(exo_u32 flags)
{
    return ((flags & EXO_MAP_READ) != 0 ? EXO_RIGHT_MAP_READ : 0u) |
           ((flags & EXO_MAP_WRITE) != 0 ? EXO_RIGHT_MAP_WRITE : 0u) |
           ((flags & EXO_MAP_EXEC) != 0 ? EXO_RIGHT_MAP_EXEC : 0u);
}

/* What a process may ask of a mapping: to read, write or execute, and never to write what it executes. */
EXO_INLINE exo_status exo_map_flags_pvt(exo_u64 flags)
{
    if (flags == 0 || (flags & ~(exo_u64)(EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_EXEC)) != 0 ||
        (flags & (EXO_MAP_WRITE | EXO_MAP_EXEC)) == (EXO_MAP_WRITE | EXO_MAP_EXEC)) {
        return EXO_INVALID_ARGUMENT;
    }
    return EXO_OK;
}

/* shm_create: [in] name, size, perms */
EXO_INLINE exo_status exo_sys_shm_create_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_region *region = (struct exo_region *)EXO_NULL;
    struct exo_sys_name name;
    exo_status status = exo_sys_name_fetch_pvt(process, a[0], a[1], EXO_TRUE, &name);
    if (status != EXO_OK) {
        return status;
    }
    if ((a[3] & ~(exo_u64)EXO_PERMS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (a[2] == 0 || (a[2] & (EXO_PORT_PAGE_BYTES - 1u)) != 0 || a[2] > EXO_SIZE_MAX / 2) {
        return EXO_INVALID_SIZE;
    }
    status = exo_region_make_pvt(process, a[2], &region);
    if (status != EXO_OK) {
        return status;
    }
    region->perms = (exo_u32)a[3];
    region->name = 0;
    exo_object_hold_pvt(&region->object); /* a guessed handle cannot end it meanwhile */
    status = exo_capability_create(&process->capabilities, &region->object, EXO_RIGHTS_REGION, 0, result);
    region->root = *result;
    if (status == EXO_OK && name.bytes != 0) {
        status = exo_nucleus_name_pvt(nucleus, &region->name, &name, &region->object);
    }
    if (status != EXO_OK && *result != 0) {
        (void)exo_capability_drop(&process->capabilities, *result);
        *result = 0;
    }
    exo_object_put_pvt(&nucleus->capabilities, &region->object);
    return status;
}

/* A capability of a region for who opens it: derived from one that the process has, else from the maker's if the
 * permissions allow it. */
EXO_INLINE exo_status exo_region_open_pvt(struct exo_process *process, struct exo_region *region, exo_u32 rights,
                                          exo_u64 *result)
{
    struct exo_process *maker = region->payer;
    exo_u64 own = exo_capability_find(&process->capabilities, &region->object);
    exo_status status;
    if (own != 0) {
        status = exo_capability_derive(&process->capabilities, own, rights, &process->capabilities, result);
        if (status != EXO_NOT_FOUND && status != EXO_PERMISSION_DENIED) {
            return status;
        }
    }
    if (!exo_perms_allow_pvt(region->perms, region->user == process->user, rights)) {
        return EXO_PERMISSION_DENIED;
    }
    status = exo_capability_derive(&maker->capabilities, region->root, rights, &process->capabilities, result);
    if (status == EXO_NOT_FOUND) { /* the maker has given it up, and nobody can revoke it any more */
        status = exo_capability_create(&process->capabilities, &region->object, rights, 0, result);
    }
    return status;
}

/* shm_open: [in] name, rights */
EXO_INLINE exo_status exo_sys_shm_open_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_object *object = (struct exo_object *)EXO_NULL;
    struct exo_sys_name name;
    exo_status status = exo_sys_name_fetch_pvt(process, a[0], a[1], EXO_FALSE, &name);
    if (status == EXO_OK) {
        status = (a[2] & ~(exo_u64)EXO_RIGHTS_REGION) != 0 || a[2] == 0 ? EXO_INVALID_ARGUMENT : EXO_OK;
    }
    if (status == EXO_OK) {
        status = exo_nucleus_find_name_pvt(process->nucleus, &name, &object);
    }
    if (status != EXO_OK) {
        return status;
    }
    status = object->kind != EXO_OBJECT_REGION
                 ? EXO_TYPE_MISMATCH
                 : exo_region_open_pvt(process, exo_object_of(struct exo_region, object), (exo_u32)a[2], result);
    exo_object_put_pvt(&process->nucleus->capabilities, object);
    return status;
}

/* shm_map: handle, address or 0, flags */
EXO_INLINE exo_status exo_sys_shm_map_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_region *region;
    exo_uptr virt = 0;
    exo_status status = exo_map_flags_pvt(a[2]);
    exo_u32 flags = (exo_u32)a[2] | EXO_MAP_USER;
    if (status == EXO_OK && (a[1] > (exo_uptr)-1 || (a[1] & (EXO_PORT_PAGE_BYTES - 1u)) != 0)) {
        status = EXO_INVALID_ARGUMENT;
    }
    if (status == EXO_OK) {
        status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_REGION, exo_map_rights_pvt(flags),
                                    &capability);
    }
    if (status != EXO_OK) {
        return status;
    }
    region = exo_object_of(struct exo_region, capability->object);
    if (process->remote) {
        status = exo_port_map(process->space.port, region->phys, (exo_size)region->size, &virt, flags);
    } else {
        status = exo_region_map_pvt(region, process, a[0], (exo_uptr)a[1], flags, result);
    }
    exo_capability_done(capability);
    return status;
}

/* shm_unmap: address */
EXO_INLINE exo_status exo_sys_shm_unmap_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    exo_u64 handle = 0;
    struct exo_region *region = exo_region_at_pvt(process, a[0], &handle);
    exo_status status;
    (void)result;
    if (region == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    status = exo_region_unmap_pvt(region, process, handle, (exo_uptr)a[0]);
    exo_object_put_pvt(&process->nucleus->capabilities, &region->object);
    return status;
}

/* shm_protect: address, flags */
EXO_INLINE exo_status exo_sys_shm_protect_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_region *region;
    exo_u64 handle = 0;
    exo_status status = exo_map_flags_pvt(a[1]);
    (void)result;
    if (status != EXO_OK) {
        return status;
    }
    region = exo_region_at_pvt(process, a[0], &handle);
    if (region == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    status = exo_capability_use(&process->capabilities, handle, EXO_OBJECT_REGION, exo_map_rights_pvt((exo_u32)a[1]),
                                &capability);
    if (status == EXO_OK) {
        status = exo_region_protect_pvt(region, process, (exo_uptr)a[0], (exo_u32)a[1] | EXO_MAP_USER);
        exo_capability_done(capability);
    }
    exo_object_put_pvt(&process->nucleus->capabilities, &region->object);
    return status;
}

/* shm_destroy: handle. The name is free when the call returns, and every capability of the region has ended. */
EXO_INLINE exo_status exo_sys_shm_destroy_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_region *region;
    exo_status status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_REGION, EXO_RIGHT_DESTROY,
                                           &capability);
    (void)result;
    if (status != EXO_OK) {
        return status;
    }
    region = exo_object_of(struct exo_region, capability->object);
    exo_object_hold_pvt(&region->object);
    exo_capability_done(capability);
    exo_nucleus_forget_name_pvt(process->nucleus, &region->name);
    exo_capability_end_object(&process->nucleus->capabilities, &region->object);
    exo_object_put_pvt(&process->nucleus->capabilities, &region->object);
    return EXO_OK;
}

#endif
