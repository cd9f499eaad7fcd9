/* SPDX-License-Identifier: MIT */
/*
 * The calls of a process, the same by every road: exo_inner_door within one process, exo_client to the daemon on Linux, the
 * syscall instruction on bare metal.
 *
 *   struct exo_door *door = &client.door;
 *   exo_sys_shm_create(door, "frames", 6, 1 << 20, 0, &region);
 *   exo_sys_shm_map(door, region, 0, EXO_MAP_READ | EXO_MAP_WRITE, &address);
 *   exo_sys_grant(door, region, other, EXO_RIGHT_MAP_READ, &theirs);
 *
 * Of each call, beside what is said there: EXO_NOT_FOUND for a handle that denotes nothing here (any more),
 * EXO_TYPE_MISMATCH for one of another kind, EXO_PERMISSION_DENIED where a right is missing, EXO_QUOTA_EXCEEDED and
 * EXO_NO_MEMORY where something is made, EXO_INVALID_ARGUMENT for an address that is not the caller's, EXO_CLOSED or
 * EXO_PEER_DIED where the nucleus is gone. On an error nothing has changed and results are set to 0.
 * Context: the process's threads, not from an interrupt; only exo_sys_wait() sleeps for long.
 */
#ifndef EXO_IPC_NUCLEUS_CALLS_H
#define EXO_IPC_NUCLEUS_CALLS_H

#include "abi.h"
#include "rights.h"

/* Make a call of up to five arguments. */
EXO_INLINE exo_status exo_call_door_pvt(struct exo_door *door, exo_u32 number, const exo_u64 *arguments, exo_u32 count,
                                        exo_u64 *result)
{
    struct exo_syscall call;
    exo_status status;
    exo_u32 i;
    call.number = number;
    call.version = EXO_SYSCALL_VERSION;
    for (i = 0; i < EXO_SYSCALL_ARGUMENTS; i++) {
        call.argument[i] = i < count ? arguments[i] : 0;
    }
    call.result = 0;
    status = door->call(door, &call);
    if (result != EXO_NULL) {
        *result = call.result;
    }
    return status;
}

EXO_INLINE exo_u64 exo_user_address_pvt(const void *at)
{
    return (exo_u64)(exo_uptr)at;
}

/**
 * exo_sys_version - which version of the calls the nucleus speaks.
 * Returns: EXO_OK, and the version in @version; EXO_VERSION_MISMATCH if it does not speak ours.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_version(struct exo_door *door, exo_u64 *version)
{
    return exo_call_door_pvt(door, EXO_SYS_VERSION, (const exo_u64 *)EXO_NULL, 0, version);
}

/**
 * exo_sys_self - this process's number, by which others grant to it, and which stands in the messages that it sends.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_self(struct exo_door *door, exo_u64 *number)
{
    return exo_call_door_pvt(door, EXO_SYS_SELF, (const exo_u64 *)EXO_NULL, 0, number);
}

/**
 * exo_sys_close - give up a handle. What was derived from it stays; what was mapped under it is unmapped.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_close(struct exo_door *door, exo_u64 handle)
{
    return exo_call_door_pvt(door, EXO_SYS_CLOSE, &handle, 1, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_derive - another handle to the same, with fewer rights, or the same.
 * @rights: EXO_RIGHT_..., some of those that @handle has: else EXO_PERMISSION_DENIED
 * @made: the new handle; it ends with @handle when that is revoked
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_derive(struct exo_door *door, exo_u64 handle, exo_u32 rights, exo_u64 *made)
{
    const exo_u64 a[2] = {handle, rights};
    return exo_call_door_pvt(door, EXO_SYS_DERIVE, a, 2, made);
}

/**
 * exo_sys_grant - give another process a capability, derived from one that has EXO_RIGHT_GRANT.
 * @process: its number, as it said or as it stands in a message; EXO_NOT_FOUND if it is gone. It is charged for the
 *   capability
 * @theirs: its handle, for us to tell it
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_grant(struct exo_door *door, exo_u64 handle, exo_u64 process, exo_u32 rights,
                                                 exo_u64 *theirs)
{
    const exo_u64 a[3] = {handle, process, rights};
    return exo_call_door_pvt(door, EXO_SYS_GRANT, a, 3, theirs);
}

/**
 * exo_sys_revoke - end all that was derived from a handle, in every process, and what it was used for.
 * @itself: the handle too
 * @count: how many capabilities ended; may be null
 *
 * When the call returns, no use of them is under way and none will succeed; pages that were mapped under them are unmapped
 * (by the daemon's clients they cannot be: there, nothing new can be mapped).
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_revoke(struct exo_door *door, exo_u64 handle, exo_bool itself, exo_u64 *count)
{
    const exo_u64 a[2] = {handle, itself ? 1u : 0u};
    return exo_call_door_pvt(door, EXO_SYS_REVOKE, a, 2, count);
}

/**
 * exo_sys_inspect - what a handle denotes.
 * @info: is filled in
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_inspect(struct exo_door *door, exo_u64 handle, struct exo_sys_info *info)
{
    const exo_u64 a[3] = {handle, exo_user_address_pvt(info), sizeof(*info)};
    return exo_call_door_pvt(door, EXO_SYS_INSPECT, a, 3, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_shm_create - make a region of zeroed memory.
 * @name: 1 to 255 bytes without NUL, slash and control bytes, or null and 0 for none
 * @size: in bytes, a multiple of the page
 * @perms: EXO_PERMS(): who may open it by its name, beside who was granted it; 0: nobody
 * @region: a handle with all rights
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS for a name that is taken; EXO_INVALID_ARGUMENT for one that is none or permissions
 * that are none; EXO_INVALID_SIZE.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_create(struct exo_door *door, const char *name, exo_size name_bytes,
                                                      exo_u64 size, exo_u32 perms, exo_u64 *region)
{
    const exo_u64 a[4] = {exo_user_address_pvt(name), name_bytes, size, perms};
    return exo_call_door_pvt(door, EXO_SYS_SHM_CREATE, a, 4, region);
}

/**
 * exo_sys_shm_open - a capability of a named region: of one that this process has already, or as the region's permissions
 * allow.
 * @rights: EXO_RIGHT_... that are wanted, all of them: else EXO_PERMISSION_DENIED
 * Returns: EXO_OK; EXO_NOT_FOUND if nothing has this name; EXO_TYPE_MISMATCH if it is a channel's.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_open(struct exo_door *door, const char *name, exo_size name_bytes,
                                                    exo_u32 rights, exo_u64 *region)
{
    const exo_u64 a[3] = {exo_user_address_pvt(name), name_bytes, rights};
    return exo_call_door_pvt(door, EXO_SYS_SHM_OPEN, a, 3, region);
}

/**
 * exo_sys_shm_map - map a region, whole.
 * @address: where, a multiple of the page; 0: anywhere
 * @flags: EXO_MAP_READ, EXO_MAP_WRITE, EXO_MAP_EXEC; each needs its right; write and exec together are
 *   EXO_INVALID_ARGUMENT
 * @mapped: where it is
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS if something is there. The mapping lasts until exo_sys_shm_unmap(), or until the
 * handle ends.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_map(struct exo_door *door, exo_u64 region, void *address, exo_u32 flags,
                                                   void **mapped)
{
    const exo_u64 a[3] = {region, exo_user_address_pvt(address), flags};
    exo_u64 at = 0;
    exo_status status = exo_call_door_pvt(door, EXO_SYS_SHM_MAP, a, 3, &at);
    *mapped = (void *)(exo_uptr)at;
    return status;
}

/**
 * exo_sys_shm_unmap - unmap what exo_sys_shm_map() mapped there. EXO_NOT_FOUND if that is nothing.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_unmap(struct exo_door *door, const void *address)
{
    const exo_u64 at = exo_user_address_pvt(address);
    return exo_call_door_pvt(door, EXO_SYS_SHM_UNMAP, &at, 1, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_shm_protect - change what a mapping allows; rights and errors as exo_sys_shm_map().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_protect(struct exo_door *door, const void *address, exo_u32 flags)
{
    const exo_u64 a[2] = {exo_user_address_pvt(address), flags};
    return exo_call_door_pvt(door, EXO_SYS_SHM_PROTECT, a, 2, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_shm_destroy - end a region: its name is free, every capability of it ends. Needs EXO_RIGHT_DESTROY.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_shm_destroy(struct exo_door *door, exo_u64 region)
{
    return exo_call_door_pvt(door, EXO_SYS_SHM_DESTROY, &region, 1, (exo_u64 *)EXO_NULL);
}

#endif
