/* SPDX-License-Identifier: MIT */
/*
 * The nucleus: begin and end of the whole, and of each process.
 *
 *   exo_init(&nucleus, NULL);
 *   exo_process_begin(&nucleus, &config, &process);
 *   exo_syscall_dispatch(process, &call);              a road brings calls (syscall.h, calls.h)
 *   exo_process_end(process, died);           everything it held comes back, its peers are told
 *   exo_fini(&nucleus);
 *
 * What ends a process may happen at any instruction: nothing that it holds is in its own hands. Its record holds its
 * capabilities; each one's end undoes what was done under it (mappings, bindings, the count of a channel's holders),
 * and an object's last one ends the object and gives back what it was charged.
 */
#ifndef EXO_IPC_NUCLEUS_NUCLEUS_H
#define EXO_IPC_NUCLEUS_NUCLEUS_H

#include "calls_channel.h"
#include "syscall.h"

/* A capability has ended: undo what was done under it. */
EXO_INLINE void exo_nucleus_gone_pvt(void *context, void *owner, const struct exo_capability *ended)
{
    struct exo_nucleus *nucleus = (struct exo_nucleus *)context;
    struct exo_process *process = (struct exo_process *)owner; /* null for one on its way */
    exo_u64 handle = exo_table_handle(&ended->item);
    if (ended->kind == EXO_OBJECT_REGION) {
        if (process != EXO_NULL && !process->remote) {
            (void)exo_region_unmap_pvt(exo_object_of(struct exo_region, ended->object), process, handle, 0);
        }
    } else if (ended->kind == EXO_OBJECT_CHANNEL) {
        struct exo_mail *mail = exo_object_of(struct exo_mail, ended->object);
        exo_u32 side = (exo_u32)ended->badge;
        if (process != EXO_NULL) {
            exo_bindings_end_pvt(nucleus, &mail->side[side].bindings, process, handle);
        }
        exo_mail_let_go_pvt(nucleus, mail, side, process != EXO_NULL && process->died);
    } else if (ended->kind == EXO_OBJECT_QUEUE) {
        exo_queue_ring_pvt(exo_object_of(struct exo_queue, ended->object)); /* who waits there by it finds it gone */
    } else if (ended->kind == EXO_OBJECT_GROUP && process != EXO_NULL) {
        exo_bindings_end_pvt(nucleus, &exo_object_of(struct exo_group, ended->object)->bindings, process, handle);
    }
}

EXO_INLINE void exo_nucleus_release_one_pvt(struct exo_nucleus *nucleus, struct exo_object *object)
{
    if (object->kind == EXO_OBJECT_REGION) {
        exo_region_release_pvt(nucleus, exo_object_of(struct exo_region, object));
    } else if (object->kind == EXO_OBJECT_CHANNEL) {
        exo_mail_release_pvt(nucleus, exo_object_of(struct exo_mail, object));
    } else if (object->kind == EXO_OBJECT_QUEUE) {
        exo_queue_release_pvt(nucleus, exo_object_of(struct exo_queue, object));
    } else {
        exo_group_release_pvt(nucleus, exo_object_of(struct exo_group, object));
    }
}

/*
 * The last reference of an object has gone. A channel's end may end what its messages carried, and so on, as deep as its
 * makers liked: so it is done one after the other, by whoever came first, and not one within the other.
 */
EXO_INLINE void exo_nucleus_release_pvt(void *context, struct exo_object *object)
{
    struct exo_nucleus *nucleus = (struct exo_nucleus *)context;
    exo_bool ours;
    exo_port_lock(&nucleus->lock);
    object->next = nucleus->ending;
    nucleus->ending = object;
    ours = !nucleus->clearing;
    nucleus->clearing = EXO_TRUE;
    exo_port_unlock(&nucleus->lock);
    while (ours) {
        exo_port_lock(&nucleus->lock);
        object = nucleus->ending;
        ours = object != EXO_NULL;
        nucleus->ending = ours ? object->next : object;
        nucleus->clearing = ours;
        exo_port_unlock(&nucleus->lock);
        if (ours) {
            exo_nucleus_release_one_pvt(nucleus, object);
        }
    }
}

EXO_INLINE void exo_nucleus_tables_pvt(struct exo_nucleus *nucleus)
{
    exo_u32 objects = nucleus->config.objects == 0 ? 1u << 20 : nucleus->config.objects;
    exo_u32 processes = nucleus->config.processes == 0 ? 1u << 16 : nucleus->config.processes;
    exo_table_init(&nucleus->processes, sizeof(struct exo_process), processes);
    exo_table_init(&nucleus->regions, sizeof(struct exo_region), objects);
    exo_table_init(&nucleus->channels, sizeof(struct exo_mail), objects);
    exo_table_init(&nucleus->queues, sizeof(struct exo_queue), objects);
    exo_table_init(&nucleus->groups, sizeof(struct exo_group), objects);
}

/**
 * exo_init - begin the whole: the pool, the names, the accounts.
 * @nucleus: in the caller's memory; do not move it
 * @config: null means the default
 *
 * For shared memory alone there is exo_shared_memory_init().
 * Returns: EXO_OK; EXO_NO_MEMORY. Context: not from an interrupt, before anybody else knows of it.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_init(struct exo_nucleus *nucleus, const struct exo_nucleus_config *config)
{
    struct exo_pool_config pool;
    exo_status status;
    __builtin_memset(nucleus, 0, sizeof(*nucleus));
    __builtin_memset(&pool, 0, sizeof(pool));
    if (config != EXO_NULL) {
        nucleus->config = *config;
    }
    pool.seed = nucleus->config.seed;
    status = exo_shared_memory_init(&nucleus->pool, &pool);
    if (status != EXO_OK) {
        return status;
    }
    exo_nucleus_tables_pvt(nucleus);
    status = exo_names_init(&nucleus->names, nucleus->config.seed, 1u << 21);
    if (status == EXO_OK) {
        status = exo_account_init(&nucleus->root, (struct exo_account *)EXO_NULL);
    }
    if (status != EXO_OK) {
        exo_pool_fini(&nucleus->pool);
        return status;
    }
    exo_capability_space_init(&nucleus->capabilities, nucleus, exo_nucleus_gone_pvt, exo_nucleus_release_pvt);
    return exo_capability_table_init(&nucleus->transit, &nucleus->capabilities, EXO_NULL, (struct exo_account *)EXO_NULL,
                                     1u << 24);
}

/**
 * exo_fini - end the whole. End all processes first.
 * @nucleus: what no process holds is gone already
 */
EXO_INLINE void exo_fini(struct exo_nucleus *nucleus)
{
    exo_capability_table_fini(&nucleus->transit);
    exo_names_fini(&nucleus->names);
    exo_table_fini(&nucleus->groups);
    exo_table_fini(&nucleus->queues);
    exo_table_fini(&nucleus->channels);
    exo_table_fini(&nucleus->regions);
    exo_table_fini(&nucleus->processes);
    exo_pool_fini(&nucleus->pool);
}

/* A process's use comes near one of its limits. */
EXO_INLINE void exo_process_warn_pvt(void *context, struct exo_account *account, exo_u32 kind)
{
    struct exo_process *process = (struct exo_process *)context;
    (void)account;
    (void)kind;
    exo_bindings_post_pvt(process->nucleus, &process->bindings, EXO_QUOTA_LOW);
}

/**
 * exo_process_begin - let a process in.
 * @nucleus: the nucleus
 * @config: who it is
 * @process: is set to its record, which stays until exo_process_end()
 *
 * Returns: EXO_OK; EXO_NO_MEMORY, also when there are as many as there may be; EXO_INVALID_ARGUMENT for an account that is
 * too deep. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_process_begin(struct exo_nucleus *nucleus,
                                                     const struct exo_process_config *config,
                                                     struct exo_process **process)
{
    exo_u32 capabilities = nucleus->config.capabilities == 0 ? 1u << 20 : nucleus->config.capabilities;
    struct exo_account *account = config->account;
    struct exo_process *made;
    exo_status status;
    made = (struct exo_process *)(void *)exo_nucleus_place_pvt(nucleus, &nucleus->processes);
    if (made == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    made->nucleus = nucleus;
    made->context = config->context;
    made->user = config->user;
    made->group = config->group;
    made->bindings.count = 0;
    made->bindings.first = (struct exo_binding *)EXO_NULL;
    made->ending = (const exo_u32 *)EXO_NULL;
    made->lock = 0;
    made->remote = config->remote;
    made->died = EXO_FALSE;
    if (account == EXO_NULL) {
        account = config->group != EXO_NULL ? &exo_object_of(struct exo_group, config->group)->account : &nucleus->root;
    }
    status = exo_account_init(&made->account, account);
    if (status != EXO_OK) {
        exo_nucleus_give_pvt(nucleus, &nucleus->processes, &made->item);
        return status;
    }
    if (made->group != EXO_NULL) {
        exo_object_hold_pvt(&nucleus->capabilities, made->group);
    }
    exo_account_warn_set(&made->account, exo_process_warn_pvt, made);
    exo_address_space_init(&made->space, config->space);
    exo_table_init(&made->mappings, sizeof(struct exo_region_mapping), 1u << 20);
    status = exo_capability_table_init(&made->capabilities, &nucleus->capabilities, made, &made->account, capabilities);
    (void)exo_reference_begin(&made->item.state, 1); /* from now on others find it by its number */
    *process = made;
    return status;
}

/**
 * exo_process_end - a process has ended: give back all it held, and tell its peers.
 * @process: none of its calls is under way and none will come
 * @died: it ended without closing what it had open: peers get EXO_PEER_DIED instead of EXO_CLOSED
 *
 * What it sent is still received; what it made stays as long as others hold it, charged to its account.
 * Context: not from an interrupt. Takes time in proportion to what it held.
 */
EXO_INLINE void exo_process_end(struct exo_process *process, exo_bool died)
{
    process->died = died;
    exo_capability_table_clear(&process->capabilities);
    exo_process_put_pvt(process);
}

#endif
