/* SPDX-License-Identifier: MIT */
/*
 * The nucleus and its processes: who there is, what each is charged for, and what ends with it.
 *
 *   nucleus --- pool of regions, names of channels, capability space, root account
 *      |
 *      +--- process: capability table, account, address space, mappings
 *      |       ^ held by: being alive, and each object and message that is charged to it
 *      +--- objects: region, channel, queue, group   <--- capabilities of any process
 *
 * A process's record outlives the process as long as something is charged to its account: a region that others still
 * use, a message that nobody has received yet. So each charge is given back to the account that paid, exactly once.
 *
 * Locks. The capability space has its own; `lock` guards the tables of objects and processes and the names of
 * channels; each object and each process has one for itself; `binding_lock` guards who is told of what. They are taken in
 * this order: an object's, a process's, `lock`, the capability space's, `binding_lock`; nobody sleeps or touches user
 * memory while holding one, and the hooks of the capability space are called without any.
 *
 * All of it is private memory of the trusted side. Nothing here believes anything that a process says.
 */
#ifndef EXO_IPC_NUCLEUS_PROCESS_H
#define EXO_IPC_NUCLEUS_PROCESS_H

#include "../shared_memory/mapping.h"
#include "../shared_memory/pool.h"
#include "abi.h"
#include "capability_derive.h"

struct exo_process;

/**
 * struct exo_nucleus_config - what a nucleus shall be. All zero is a sensible default.
 * @processes, @objects: how many there may be at most, of objects for each kind; 0 means 65536 and 1048576
 * @capabilities: how many each process may have at most; 0 means 1048576
 * @seed: secret number that spreads names; give a random one where names come from strangers
 * @serial: calls are never made at the same time (a daemon of one thread): group_join is offered
 * @rang: null, or called when something arrives at a queue where somebody was answered EXO_WOULD_BLOCK by wait, with the process
 *   that made it and the queue's number, as inspect says it; from any thread, with locks held: take a note and return
 * @context: for @rang
 */
struct exo_nucleus_config {
    exo_u32 processes;
    exo_u32 objects;
    exo_u32 capabilities;
    exo_bool serial;
    exo_u64 seed;
    void (*rang)(void *context, struct exo_process *maker, exo_u64 queue);
    void *context;
};

/* Who is told of what happens to something: a list of sources in queues (queue.h). */
struct exo_binding;
struct exo_binding_list {
    exo_u32 count; /* read without the lock, as a hint */
    struct exo_binding *first;
};

/**
 * struct exo_nucleus - the trusted side's state. Its members are the library's.
 */
struct exo_nucleus {
    struct exo_nucleus_config config;
    struct exo_pool pool;
    struct exo_capability_space capabilities;
    struct exo_capability_table transit; /* what travels in messages */
    struct exo_account root;
    exo_u32 lock;
    exo_u32 binding_lock;
    struct exo_table processes;
    struct exo_table regions;
    struct exo_table channels;
    struct exo_table queues;
    struct exo_table groups;
    struct exo_names names; /* of regions and channels */
    exo_word64 born;           /* channels made so far */
    struct exo_object *ending; /* objects to release */
    exo_bool clearing;         /* somebody does */
};

/**
 * struct exo_process - a process, as the nucleus knows it. Its members are the library's, but
 * @context: the port's own
 */
struct exo_process {
    struct exo_table_item item; /* held by being alive, and by each charge to its account */
    struct exo_nucleus *nucleus;
    void *context;
    exo_u64 user;
    struct exo_object *group; /* that pays for it; null: nobody else */
    struct exo_account account;
    struct exo_capability_table capabilities;
    struct exo_address_space space;
    struct exo_table mappings; /* guarded by the lock */
    struct exo_binding_list bindings;
    const exo_u32 *ending; /* null, or a word that is not 0 once the process is to end */
    exo_u32 lock;
    exo_bool remote; /* it maps by itself what it is given, and never sleeps here */
    exo_bool died;   /* it ended without closing anything */
};

/**
 * struct exo_process_config - a process that begins.
 * @user: who it belongs to, a number of the system's; processes of one user may open each other's things
 * @group: the group that pays for it, held meanwhile by the caller; null for none
 * @account: an account that pays for it instead, and outlives it; null: the group's, or the nucleus's own
 * @space: its address space; null: the caller's own
 * @remote: the space cannot be mapped into from here (see struct exo_process)
 * @context: the port's own
 */
struct exo_process_config {
    exo_u64 user;
    struct exo_object *group;
    struct exo_account *account;
    struct exo_port_space *space;
    exo_bool remote;
    void *context;
};

/* A process's number, by which others and messages name it. */
EXO_INLINE exo_u64 exo_process_number(const struct exo_process *process)
{
    return exo_table_handle(&process->item);
}

/**
 * exo_process_ending_set - where the road says that a process is to end, so that its wait does not outlast that.
 * @word: 0 as long as it is not; stays until exo_process_end(). Who sets it wakes the process's sleeper then, and its sleeps
 *   end early from there on: its waits answer EXO_CLOSED
 *
 * Context: after exo_process_begin(), before the process makes its first call.
 */
EXO_INLINE void exo_process_ending_set(struct exo_process *process, const exo_u32 *word)
{
    process->ending = word;
}

/* An object has no name any more. */
EXO_INLINE void exo_nucleus_forget_name_pvt(struct exo_nucleus *nucleus, exo_u64 *slot)
{
    exo_port_lock(&nucleus->lock);
    if (*slot != 0) {
        (void)exo_names_remove(&nucleus->names, *slot);
        *slot = 0;
    }
    exo_port_unlock(&nucleus->lock);
}

/* A place in one of the nucleus's tables, with nothing in it yet; null without memory. */
EXO_INLINE struct exo_table_item *exo_nucleus_place_pvt(struct exo_nucleus *nucleus, struct exo_table *table)
{
    struct exo_table_item *item;
    exo_port_lock(&nucleus->lock);
    item = exo_table_take(table);
    exo_port_unlock(&nucleus->lock);
    return item;
}

/* The same for an object, which is found by its capabilities only: it has its number at once. */
EXO_INLINE struct exo_table_item *exo_nucleus_take_pvt(struct exo_nucleus *nucleus, struct exo_table *table)
{
    struct exo_table_item *item = exo_nucleus_place_pvt(nucleus, table);
    if (item != EXO_NULL) {
        (void)exo_reference_begin(&item->state, 1);
    }
    return item;
}

/* It is not in use any more: whoever has its number finds nothing. */
EXO_INLINE void exo_nucleus_give_pvt(struct exo_nucleus *nucleus, struct exo_table *table, struct exo_table_item *item)
{
    (void)exo_reference_put(&item->state, (exo_u32)(exo_table_handle(item) >> 32), EXO_TRUE);
    exo_port_lock(&nucleus->lock);
    exo_table_give(table, item);
    exo_port_unlock(&nucleus->lock);
}

/* One thing more is charged to a process that is there. */
EXO_INLINE void exo_process_hold_pvt(struct exo_process *process)
{
    (void)exo_reference_get(&process->item.state, (exo_u32)(exo_process_number(process) >> 32));
}

/* One thing fewer. The last one's process has ended, and its record goes. */
EXO_INLINE void exo_process_put_pvt(struct exo_process *process)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_object *group = process->group;
    if (exo_reference_put(&process->item.state, (exo_u32)(exo_process_number(process) >> 32), EXO_TRUE) != 0) {
        return;
    }
    exo_capability_table_fini(&process->capabilities);
    exo_table_fini(&process->mappings);
    exo_port_lock(&nucleus->lock);
    exo_table_give(&nucleus->processes, &process->item);
    exo_port_unlock(&nucleus->lock);
    if (group != EXO_NULL) {
        exo_object_drop(&nucleus->capabilities, group);
    }
}

/* The record of the process of a number, held; null if there is none. The process itself may have ended: its table of
 * capabilities says so to who would add to it. */
EXO_INLINE struct exo_process *exo_process_get_pvt(struct exo_nucleus *nucleus, exo_u64 number)
{
    struct exo_process *process = (struct exo_process *)(void *)exo_table_at(&nucleus->processes, (exo_u32)number);
    if (process == EXO_NULL || exo_reference_get(&process->item.state, (exo_u32)(number >> 32)) != EXO_OK) {
        return (struct exo_process *)EXO_NULL;
    }
    return process;
}

#endif
