/* SPDX-License-Identifier: MIT */
/*
 * Capabilities from capabilities, and their end.
 *
 * To end one is to close it (nobody takes hold of it any more) and take it out of the order of descent, in one step under the
 * lock; then, without the lock, to wait until those who use it are done and tell the hook; then, under the lock again,
 * to give back its place and its quota. Many are ended in lots of EXO_CAPABILITY_LOT, so that the lock is never held for
 * longer than that takes.
 *
 * Who revokes puts two marks into the order of descent, around what is to end, and takes the first capability between them
 * until there is none. Whatever others do meanwhile, derive, drop, revoke more or less of it, what belongs between the marks
 * stays between them. What the revoked one's own holder derives from it during the call stands outside. Somebody
 * who derives from what has not been reached yet is overtaken: each derivation takes the lock for one, each lot for many.
 *
 * What is ending counts for its table (`ending`) until its place is given back, so a table's end waits for those who
 * are ending parts of it.
 */
#ifndef EXO_IPC_NUCLEUS_CAPABILITY_DERIVE_H
#define EXO_IPC_NUCLEUS_CAPABILITY_DERIVE_H

#include "capability.h"

#define EXO_CAPABILITY_LOT 32u

/**
 * exo_capability_derive - a new capability with some of the rights of another one, for this process or another.
 * @from: table of the process that asks  @handle: any number
 * @rights: EXO_RIGHT_..., none included; all of them must be the handle's
 * @to: table of who gets it; if it is another one, the handle must have EXO_RIGHT_GRANT, or @from belong to no process: what
 *   is there was given away already
 * @made: set to the new handle, in @to
 *
 * The badge stays. The new one pays from the account of @to. Returns: EXO_OK; EXO_INVALID_ARGUMENT for null, rights that are
 * none, or tables of different spaces; EXO_NOT_FOUND; EXO_PERMISSION_DENIED; then as exo_capability_create().
 * On an error nothing has changed and nothing is charged.
 * Context: not from an interrupt. Progress: blocking, by the lock.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_capability_derive(struct exo_capability_table *from, exo_u64 handle, exo_u32 rights,
                                                         struct exo_capability_table *to, exo_u64 *made)
{
    struct exo_capability_wish_pvt wish;
    struct exo_capability *parent;
    exo_status status;
    if (from == EXO_NULL || to == EXO_NULL || made == EXO_NULL || from->space != to->space ||
        (rights & ~EXO_RIGHTS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_capability_check(from, handle, 0, rights | (from != to && from->owner != EXO_NULL ? EXO_RIGHT_GRANT : 0u));
    if (status != EXO_OK) {
        return status;
    }
    status = exo_quota_charge(to->account, EXO_QUOTA_CAPABILITIES, 1);
    if (status != EXO_OK) {
        return status;
    }
    exo_port_lock(&from->space->lock);
    parent = exo_capability_live_pvt(from, handle);
    status = EXO_NOT_FOUND;
    if (parent != EXO_NULL) { /* its rights are those that were checked: a handle means the same for ever */
        wish.object = parent->object;
        wish.behind = &parent->open;
        wish.badge = parent->badge;
        wish.rights = rights;
        status = exo_capability_enter_pvt(to, &wish, made);
    }
    exo_port_unlock(&from->space->lock);
    if (status != EXO_OK) {
        (void)exo_quota_return(to->account, EXO_QUOTA_CAPABILITIES, 1);
    }
    return status;
}

/* Close a capability and put it on the lot; its children are its parent's from now on. Under the lock. */
EXO_INLINE void exo_capability_take_pvt(struct exo_capability *cap, struct exo_capability **lot)
{
    exo_u64 state = exo_load64(&cap->item.state, EXO_RELAXED); /* relaxed: the generation changes under the lock alone */
    (void)exo_reference_close(&cap->item.state, (exo_u32)(state >> 32));
    exo_derivation_remove_pvt(&cap->open);
    exo_derivation_remove_pvt(&cap->close);
    cap->open.opens = *lot; /* out of the order, it links the lot */
    cap->table->ending++;
    *lot = cap;
}

/* Give back the places of a lot. Under the lock. Returns the objects that nothing names any more. */
EXO_INLINE struct exo_object *exo_capability_give_pvt(struct exo_capability *lot)
{
    struct exo_object *unnamed = (struct exo_object *)EXO_NULL;
    while (lot != EXO_NULL) {
        struct exo_capability *next = lot->open.opens;
        struct exo_object *object = lot->object;
        exo_capability_index_remove_pvt(lot);
        (void)exo_quota_return(lot->table->account, EXO_QUOTA_CAPABILITIES, 1);
        lot->table->ending--;
        exo_table_give(&lot->table->items, &lot->item);
        if (exo_object_put_pvt(object)) {
            object->next = unnamed;
            unnamed = object;
        }
        lot = next;
    }
    return unnamed;
}

/* End what is on a lot. */
EXO_INLINE void exo_capability_end_pvt(struct exo_capability_space *space, struct exo_capability *lot)
{
    struct exo_capability *cap;
    struct exo_object *unnamed;
    for (cap = lot; cap != EXO_NULL; cap = cap->open.opens) {
        exo_reference_end(&cap->item.state);
        if (space->gone != EXO_NULL) {
            space->gone(space->context, cap->table->owner, cap);
        }
    }
    exo_port_lock(&space->lock);
    unnamed = exo_capability_give_pvt(lot);
    exo_port_unlock(&space->lock);
    while (unnamed != EXO_NULL) {
        struct exo_object *object = unnamed;
        unnamed = object->next;
        if (space->release != EXO_NULL) {
            space->release(space->context, object);
        }
    }
}

/**
 * exo_capability_drop - give a capability up.
 * @table: of the process that does  @handle: any number
 *
 * What was derived from it stays, as if it had been derived from what this one came from. Returns: EXO_OK, when nobody uses it
 * any more; EXO_NOT_FOUND.
 * Context: not from an interrupt; not by who uses it. Ordering: what its users did is visible. Progress: blocking, by the lock
 * and by those who use it.
 */
EXO_INLINE exo_status exo_capability_drop(struct exo_capability_table *table, exo_u64 handle)
{
    struct exo_capability *lot = (struct exo_capability *)EXO_NULL;
    struct exo_capability *cap;
    exo_port_lock(&table->space->lock);
    cap = exo_capability_live_pvt(table, handle);
    if (cap != EXO_NULL) {
        exo_capability_take_pvt(cap, &lot);
    }
    exo_port_unlock(&table->space->lock);
    if (lot == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    exo_capability_end_pvt(table->space, lot);
    return EXO_OK;
}

/* The two marks of one who revokes, and what lies between them. In his frame, in the order of descent while he works. */
struct exo_revocation_pvt {
    struct exo_derivation first;
    struct exo_derivation last;
    struct exo_object *object; /* held: its order of descent must not go while the marks are in it */
};

/* Begin. Under the lock. */
EXO_INLINE void exo_revocation_begin_pvt(struct exo_revocation_pvt *work, struct exo_object *object,
                                         struct exo_derivation *open, struct exo_derivation *close)
{
    work->object = object;
    work->first.opens = (struct exo_capability *)EXO_NULL;
    work->last.opens = (struct exo_capability *)EXO_NULL;
    exo_derivation_join_pvt(&work->first, open->next);
    exo_derivation_join_pvt(open, &work->first);
    exo_derivation_join_pvt(close->prev, &work->last);
    exo_derivation_join_pvt(&work->last, close);
    object->references++;
}

/* Put up to a lot of what is between the marks on a lot. Under the lock. How many; 0 when there is nothing: the marks are gone
 * then. */
EXO_INLINE exo_u32 exo_revocation_next_pvt(struct exo_revocation_pvt *work, struct exo_capability **lot)
{
    exo_u32 count = 0;
    struct exo_derivation *at = work->first.next;
    while (count < EXO_CAPABILITY_LOT && at != &work->last) {
        if (at->opens == EXO_NULL) {
            at = at->next; /* somebody else's mark */
            continue;
        }
        exo_capability_take_pvt(at->opens, lot);
        at = work->first.next;
        count++;
    }
    if (count == 0) {
        exo_derivation_remove_pvt(&work->first);
        exo_derivation_remove_pvt(&work->last);
    }
    return count;
}

/* End all that is between the marks. Begins and ends without the lock. */
EXO_INLINE exo_i64 exo_revocation_run_pvt(struct exo_capability_space *space, struct exo_revocation_pvt *work)
{
    exo_i64 ended = 0;
    exo_u32 count;
    do {
        struct exo_capability *lot = (struct exo_capability *)EXO_NULL;
        exo_port_lock(&space->lock);
        count = exo_revocation_next_pvt(work, &lot);
        exo_port_unlock(&space->lock);
        if (count != 0) {
            exo_capability_end_pvt(space, lot);
        }
        ended += count;
    } while (count != 0);
    exo_object_drop(space, work->object);
    return ended;
}

/**
 * exo_capability_revoke - end all that was derived from a capability, in whatever table it is.
 * @table: of the process that does  @handle: any number
 * @itself: end this one as well
 *
 * Returns: how many this call has ended; EXO_NOT_FOUND. When it returns, none of them can be used any more, and those that it
 * ended are not in use; what somebody else is ending at the same time may be for a moment more. What is derived from the
 * handle itself during the call may stay, unless @itself.
 * Context: not from an interrupt; not by who uses one of them. Ordering: what their users did is visible. Progress:
 * blocking, by the lock, which it takes twice for each lot, and by those who use them.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_capability_revoke(struct exo_capability_table *table, exo_u64 handle, exo_bool itself)
{
    struct exo_revocation_pvt work;
    struct exo_capability *lot = (struct exo_capability *)EXO_NULL;
    struct exo_capability *cap;
    exo_port_lock(&table->space->lock);
    cap = exo_capability_live_pvt(table, handle);
    if (cap == EXO_NULL) {
        exo_port_unlock(&table->space->lock);
        return EXO_NOT_FOUND;
    }
    exo_revocation_begin_pvt(&work, cap->object, &cap->open, &cap->close);
    if (itself) {
        exo_capability_take_pvt(cap, &lot);
    }
    exo_port_unlock(&table->space->lock);
    if (itself) {
        exo_capability_end_pvt(table->space, lot);
    }
    return exo_revocation_run_pvt(table->space, &work) + (itself ? 1 : 0);
}

/**
 * exo_object_end - end all capabilities to an object, and let none begin any more.
 * @space: its space  @object: one that the caller knows to be there
 *
 * The hook `release` is called when the last one has ended, within this call unless somebody else holds the object or is just
 * ending one; also if there was none.
 * Returns: how many capabilities this call has ended; EXO_NOT_FOUND if the object had ended already.
 * Context, Ordering, Progress: as exo_capability_revoke().
 */
EXO_INLINE exo_i64 exo_object_end(struct exo_capability_space *space, struct exo_object *object)
{
    struct exo_revocation_pvt work;
    exo_bool begins;
    exo_port_lock(&space->lock);
    begins = object->ended == 0;
    object->ended = 1;
    if (begins) {
        exo_revocation_begin_pvt(&work, object, &object->open, &object->close);
    }
    exo_port_unlock(&space->lock);
    return begins ? exo_revocation_run_pvt(space, &work) : (exo_i64)EXO_NOT_FOUND;
}

/* Take up to a lot of what a table holds, from a number on. Under the lock. Returns where to go on. */
EXO_INLINE exo_u32 exo_capability_sweep_pvt(struct exo_capability_table *table, exo_u32 index, struct exo_capability **lot)
{
    exo_u32 steps;
    for (steps = 0; steps < EXO_CAPABILITY_LOT; steps++, index++) {
        struct exo_capability *cap = exo_capability_at_pvt(table, index);
        if (cap == EXO_NULL) {
            return EXO_TABLE_NONE;
        }
        if (exo_capability_live_pvt(table, exo_table_handle(&cap->item)) != EXO_NULL) {
            exo_capability_take_pvt(cap, lot);
        }
    }
    return index;
}

/**
 * exo_capability_table_clear - the process is gone: give up all that it held.
 * @table: its process makes no call any more; others may look at it until exo_capability_table_fini()
 *
 * As exo_capability_drop() for each. Others may go on to revoke what is in it, and are waited for: when this returns, nobody
 * comes to the table by what was derived from what any more. Who creates or derives to it gets EXO_CLOSED from now on; the
 * struct and its account must stay until he has.
 * Context: not from an interrupt, nor in a hook for a capability of this table. Progress: blocking, by the lock and by those
 * who use or end what is in it.
 */
EXO_INLINE void exo_capability_table_clear(struct exo_capability_table *table)
{
    struct exo_capability_space *space = table->space;
    exo_u32 index = 0;
    exo_u32 ending;
    while (index != EXO_TABLE_NONE) {
        struct exo_capability *lot = (struct exo_capability *)EXO_NULL;
        exo_port_lock(&space->lock);
        table->closed = EXO_TRUE;
        index = exo_capability_sweep_pvt(table, index, &lot);
        exo_port_unlock(&space->lock);
        if (lot != EXO_NULL) {
            exo_capability_end_pvt(space, lot);
        }
    }
    for (;;) {
        exo_port_lock(&space->lock);
        ending = table->ending;
        exo_port_unlock(&space->lock);
        if (ending == 0) {
            break;
        }
        exo_cpu_relax();
    }
}

/**
 * exo_capability_table_fini - exo_capability_table_clear(), and give the table's memory back.
 * @table: nobody looks at it any more. The struct may go when this returns
 *
 * Context, Progress: as exo_capability_table_clear().
 */
EXO_INLINE void exo_capability_table_fini(struct exo_capability_table *table)
{
    exo_capability_table_clear(table);
    exo_table_fini(&table->items);
}

#endif
