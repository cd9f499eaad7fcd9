/* SPDX-License-Identifier: MIT */
/*
 * The trusted side's front door: one call in, one answer out, whatever road it came by.
 *
 *   version, number, arguments that must be 0 ---> handler: copy in once, capability, quota, act, copy out
 *
 * A handler that fails half-way holds nothing: what it took is given back in the reverse order.
 */
#ifndef EXO_IPC_NUCLEUS_SYSCALL_H
#define EXO_IPC_NUCLEUS_SYSCALL_H

#include "sys_channel.h"
#include "sys_memory.h"
#include "sys_queue.h"

/* version */
EXO_INLINE exo_status exo_sys_version_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    (void)process;
    (void)a;
    *result = EXO_SYSCALL_VERSION;
    return EXO_OK;
}

/* self */
EXO_INLINE exo_status exo_sys_self_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    (void)a;
    *result = exo_process_number(process);
    return EXO_OK;
}

typedef exo_status (*exo_syscall_handler)(struct exo_process *process, const exo_u64 *a, exo_u64 *result);

/**
 * exo_syscall - make a call for a process.
 * @process: who makes it, as the road knows; it must not end before the call returns
 * @call: in private memory of the trusted side: the road has copied it once. @call->result is set, to 0 on an error but for
 *   EXO_BUFFER_TOO_SMALL, where it is the size that is needed if that is known
 *
 * Returns: what the call answers (calls.h says it of each); EXO_VERSION_MISMATCH; EXO_NOT_SUPPORTED for a number that is
 * none here; EXO_INVALID_ARGUMENT for an argument that the call does not have and that is not 0.
 * Context: a thread of the nucleus; sleeps in EXO_SYS_WAIT only, and never for a remote process, which is answered
 * EXO_WOULD_BLOCK and told by the nucleus's @rang. Several threads may make calls at the same time, also for one process.
 * Progress: blocking: short critical sections, none of which lasts longer than what the call itself is about.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_syscall(struct exo_process *process, struct exo_syscall *call)
{
    static const exo_syscall_handler handlers[EXO_SYSCALLS] = {
        exo_sys_version_pvt,        exo_sys_self_pvt,         exo_sys_close_pvt,        exo_sys_derive_here_pvt,
        exo_sys_grant_pvt,          exo_sys_revoke_pvt,       exo_sys_inspect_pvt,      exo_sys_shm_create_pvt,
        exo_sys_shm_open_pvt,       exo_sys_shm_map_pvt,      exo_sys_shm_unmap_pvt,    exo_sys_shm_protect_pvt,
        exo_sys_shm_destroy_pvt,    exo_sys_channel_create_pvt, exo_sys_channel_open_pvt, exo_sys_channel_send_pvt,
        exo_sys_channel_recv_pvt,   exo_sys_queue_create_pvt, exo_sys_queue_bind_pvt,   exo_sys_queue_unbind_pvt,
        exo_sys_queue_post_pvt,     exo_sys_wait_pvt,         exo_sys_quota_get_pvt,    exo_sys_quota_set_pvt,
        exo_sys_group_create_pvt,   exo_sys_group_join_pvt,   exo_sys_channel_peer_pvt,
    };
    exo_u64 result = 0;
    exo_status status;
    exo_u32 i;
    call->result = 0;
    if (call->version != EXO_SYSCALL_VERSION) {
        return EXO_VERSION_MISMATCH;
    }
    if (call->number >= EXO_SYSCALLS) {
        return EXO_NOT_SUPPORTED;
    }
    for (i = exo_syscall_form(call->number).arguments; i < EXO_SYSCALL_ARGUMENTS; i++) {
        if (call->argument[i] != 0) {
            return EXO_INVALID_ARGUMENT;
        }
    }
    status = handlers[call->number](process, call->argument, &result);
    call->result = status == EXO_OK || status == EXO_BUFFER_TOO_SMALL ? result : 0;
    return status;
}

/**
 * struct exo_inner_door - the road to a nucleus in the same address space.
 */
struct exo_inner_door {
    struct exo_door door;
    struct exo_process *process;
};

EXO_INLINE exo_status exo_inner_door_call_pvt(struct exo_door *door, struct exo_syscall *call)
{
    return exo_syscall(((struct exo_inner_door *)(void *)door)->process, call);
}

/**
 * exo_inner_door_init - make the calls of calls.h go to a nucleus in the same address space.
 * @door: in the caller's memory
 * @process: whom the calls are made for
 */
EXO_INLINE void exo_inner_door_init(struct exo_inner_door *door, struct exo_process *process)
{
    door->door.call = exo_inner_door_call_pvt;
    door->process = process;
}

#endif
