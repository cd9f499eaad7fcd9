/* SPDX-License-Identifier: MIT */
/*
 * The end of capabilities: revoking, dropping, and the end of a table.
 *
 *   under the lock: close, take out of the object's list, keep in a list of ours
 *   without it: wait for who holds it, tell the nucleus, give its place and its charge back, let go of the object
 */
#ifndef EXO_IPC_NUCLEUS_REVOKE_H
#define EXO_IPC_NUCLEUS_REVOKE_H

#include "capability.h"

/* Take a run out of its object's list, from one capability to before another one, or to the end. */
EXO_INLINE void exo_capability_cut_pvt(struct exo_capability *first, struct exo_capability *last)
{
    struct exo_capability *before = first->previous;
    struct exo_capability *after = last->next;
    if (before == EXO_NULL) {
        first->object->first = after;
    } else {
        before->next = after;
    }
    if (after != EXO_NULL) {
        after->previous = before;
    }
    last->next = (struct exo_capability *)EXO_NULL;
}

/* Close all that are derived from a capability, and itself if so said; cut them out. Returns the first of the run, or null. */
EXO_INLINE struct exo_capability *exo_capability_close_run_pvt(struct exo_capability *root, exo_bool itself)
{
    struct exo_capability *first = itself ? root : root->next;
    struct exo_capability *last = root;
    struct exo_capability *at;
    if (itself) {
        (void)exo_reference_close(&root->item.state, (exo_u32)(exo_table_handle(&root->item) >> 32));
    }
    for (at = root->next; at != EXO_NULL && at->depth > root->depth; at = at->next) {
        (void)exo_reference_close(&at->item.state, (exo_u32)(exo_table_handle(&at->item) >> 32));
        last = at;
    }
    if (last == root && !itself) {
        return (struct exo_capability *)EXO_NULL;
    }
    exo_capability_cut_pvt(first, last);
    return first;
}

/* One capability alone: what was derived from it becomes its parent's. */
EXO_INLINE void exo_capability_close_one_pvt(struct exo_capability *capability)
{
    struct exo_capability *at;
    (void)exo_reference_close(&capability->item.state, (exo_u32)(exo_table_handle(&capability->item) >> 32));
    for (at = capability->next; at != EXO_NULL && at->depth > capability->depth; at = at->next) {
        at->depth--;
    }
    exo_capability_cut_pvt(capability, capability);
}

/* Finish those that were closed and cut out. Returns how many. */
EXO_INLINE exo_i64 exo_capability_finish_pvt(struct exo_capability_space *space, struct exo_capability *at)
{
    struct exo_capability *next;
    exo_i64 count = 0;
    for (; at != EXO_NULL; at = next) {
        struct exo_capability_table *table = at->table;
        struct exo_object *object = at->object;
        struct exo_account *account = table->account;
        next = at->next;
        exo_reference_end(&at->item.state);
        space->gone(space->context, table->owner, at);
        exo_port_lock(&space->lock);
        exo_table_give(&table->entries, &at->item);
        exo_port_unlock(&space->lock);
        (void)exo_quota_return(account, EXO_QUOTA_CAPABILITIES, 1);
        exo_object_put_pvt(space, object);
        count++;
    }
    return count;
}

/* A capability that is there, while the caller holds the lock; or null. */
EXO_INLINE struct exo_capability *exo_capability_there_pvt(const struct exo_capability_table *table, exo_u64 handle)
{
    struct exo_capability *found = exo_capability_at_pvt(table, handle);
    exo_u32 uses;
    return found != EXO_NULL && exo_reference_alive(&found->item.state, (exo_u32)(handle >> 32), &uses)
               ? found
               : (struct exo_capability *)EXO_NULL;
}

/**
 * exo_capability_revoke - end all that was derived from a capability, in whatever table it is.
 * @table, @handle: the capability
 * @itself: that one too
 *
 * Returns: how many ended; EXO_NOT_FOUND. When it returns nobody uses them and nobody will.
 * Context: not from an interrupt; the caller holds no capability. Takes time in proportion to how many end.
 */
EXO_INLINE exo_i64 exo_capability_revoke(struct exo_capability_table *table, exo_u64 handle, exo_bool itself)
{
    struct exo_capability_space *space = table->space;
    struct exo_capability *root;
    struct exo_capability *run = (struct exo_capability *)EXO_NULL;
    exo_port_lock(&space->lock);
    root = exo_capability_there_pvt(table, handle);
    if (root != EXO_NULL) {
        run = exo_capability_close_run_pvt(root, itself);
    }
    exo_port_unlock(&space->lock);
    return root == EXO_NULL ? (exo_i64)EXO_NOT_FOUND : exo_capability_finish_pvt(space, run);
}

/**
 * exo_capability_drop - give one capability up. What was derived from it stays, as if derived from its parent.
 * Returns: EXO_OK; EXO_NOT_FOUND. Context: as exo_capability_revoke(); takes time in proportion to what was derived from it.
 */
EXO_INLINE exo_status exo_capability_drop(struct exo_capability_table *table, exo_u64 handle)
{
    struct exo_capability_space *space = table->space;
    struct exo_capability *found;
    exo_port_lock(&space->lock);
    found = exo_capability_there_pvt(table, handle);
    if (found != EXO_NULL) {
        exo_capability_close_one_pvt(found);
    }
    exo_port_unlock(&space->lock);
    if (found == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    (void)exo_capability_finish_pvt(space, found);
    return EXO_OK;
}

/**
 * exo_capability_end_object - end all capabilities of an object.
 * @space: the nucleus's  @object: held by the caller
 */
EXO_INLINE void exo_capability_end_object(struct exo_capability_space *space, struct exo_object *object)
{
    struct exo_capability *run;
    struct exo_capability *at;
    exo_port_lock(&space->lock);
    run = object->first;
    object->first = (struct exo_capability *)EXO_NULL;
    for (at = run; at != EXO_NULL; at = at->next) {
        (void)exo_reference_close(&at->item.state, (exo_u32)(exo_table_handle(&at->item) >> 32));
    }
    exo_port_unlock(&space->lock);
    (void)exo_capability_finish_pvt(space, run);
}

/**
 * exo_capability_find - a capability of a table that names an object.
 * @table: the table  @object: held by the caller
 *
 * Returns: a handle, of the one with the most rights among the first that were found; 0 if there is none. Takes time in
 * proportion to the object's capabilities.
 */
EXO_INLINE exo_u64 exo_capability_find(struct exo_capability_table *table, struct exo_object *object)
{
    const struct exo_capability *at;
    exo_u64 handle = 0;
    exo_u32 best = 0;
    exo_port_lock(&table->space->lock);
    for (at = object->first; at != EXO_NULL; at = at->next) {
        if (at->table == table && (handle == 0 || at->rights > best)) {
            handle = exo_table_handle(&at->item);
            best = at->rights;
        }
    }
    exo_port_unlock(&table->space->lock);
    return handle;
}

EXO_INLINE exo_u32 exo_capability_left_pvt(struct exo_capability_table *table)
{
    exo_u32 left;
    exo_port_lock(&table->space->lock);
    left = table->entries.used;
    exo_port_unlock(&table->space->lock);
    return left;
}

/**
 * exo_capability_table_clear - drop all capabilities of a table, and let no new one in: its process has ended.
 * Context: as exo_capability_revoke(). The table can be looked at until exo_capability_table_fini().
 */
EXO_INLINE void exo_capability_table_clear(struct exo_capability_table *table)
{
    struct exo_capability_space *space = table->space;
    exo_u32 i;
    exo_port_lock(&space->lock);
    table->closed = EXO_TRUE;
    exo_port_unlock(&space->lock);
    for (i = 0; i < exo_load32(&table->entries.grown, EXO_RELAXED); i++) { /* relaxed: it does not grow any more */
        struct exo_capability *at = (struct exo_capability *)(void *)exo_table_at(&table->entries, i);
        (void)exo_capability_drop(table, exo_table_handle(&at->item));
    }
    while (exo_capability_left_pvt(table) != 0) { /* somebody else is ending the last ones */
        exo_cpu_relax();
    }
}

/**
 * exo_capability_table_fini - give a table's memory back. It was cleared, and nobody looks at it any more.
 */
EXO_INLINE void exo_capability_table_fini(struct exo_capability_table *table)
{
    exo_table_fini(&table->entries);
}

#endif
