/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: who may do what with which object.
 *
 * Each process has a table of them and names them by handles. A handler of a call takes hold of one for as long as it
 * works, exo_capability_use() ... exo_capability_done(); while it does, what the capability says stands still, the object
 * is there, and whoever ends the capability waits. That takes no lock, and a number from the other side is worth no more
 * than what its own table says of it.
 *
 * A capability lives from exo_capability_create() or exo_capability_derive() until it is dropped, revoked, or its table ends
 * (capability_derive.h). A handle is never used twice; it means the same capability for ever, or nothing.
 *
 * Invariants. A capability that can be used is in its table, in the order of descent and in the index of its table, is
 * counted by its object and paid for by its table's account; one that has ended is in none of them. The rights of what was
 * derived are never more than those it came from.
 *
 * Progress: use, done and check are lock-free and may be called from interrupts; all others take the lock of the space, for
 * a number of steps that does not grow with how many there are.
 */
#ifndef EXO_IPC_NUCLEUS_CAPABILITY_H
#define EXO_IPC_NUCLEUS_CAPABILITY_H

#include "capability_index.h"

/**
 * exo_capability_table_init - begin the table of a process.
 * @table: in the caller's memory
 * @space: to which its capabilities belong
 * @owner: the process, for the hook `gone`
 * @account: who pays EXO_QUOTA_CAPABILITIES for each one; null for nobody. It outlives the table
 * @max: how many there may be at most
 *
 * Takes no memory yet; later exo_port_page_alloc() in chunks of doubling size, until exo_capability_table_fini().
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null or 0.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_capability_table_init(struct exo_capability_table *table,
                                                             struct exo_capability_space *space, void *owner,
                                                             struct exo_account *account, exo_u32 max)
{
    if (table == EXO_NULL || space == EXO_NULL || max == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_table_init(&table->items, sizeof(struct exo_capability), max);
    table->space = space;
    table->owner = owner;
    table->account = account;
    table->root = (struct exo_capability *)EXO_NULL;
    table->ending = 0;
    table->closed = EXO_FALSE;
    return EXO_OK;
}

/* The place that a handle leads to, whatever is there; null if there is none. */
EXO_HOT struct exo_capability *exo_capability_at_pvt(const struct exo_capability_table *table, exo_u64 handle)
{
    return (struct exo_capability *)(void *)exo_table_at(&table->items, (exo_u32)handle);
}

/* Whether kind (0: any) and rights are what is asked for. */
EXO_HOT exo_status exo_capability_allows_pvt(exo_u32 has_kind, exo_u32 has_rights, exo_u32 kind, exo_u32 rights)
{
    if (EXO_UNLIKELY(kind != 0 && kind != has_kind)) {
        return EXO_TYPE_MISMATCH;
    }
    return EXO_LIKELY((rights & ~has_rights) == 0) ? EXO_OK : EXO_PERMISSION_DENIED;
}

/**
 * exo_capability_check - ask whether a handle allows something.
 * @table: of the process that asks
 * @handle: any number
 * @kind: the object's, EXO_OBJECT_...; 0 for any
 * @rights: all that is needed, EXO_RIGHT_...
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if the handle is none of this table's, or what it named has ended; EXO_TYPE_MISMATCH;
 * EXO_PERMISSION_DENIED. True of a moment during the call; who wants to rely on it takes exo_capability_use().
 * Context: any, interrupts included. Progress: wait-free.
 */
EXO_HOT EXO_MUST_USE exo_status exo_capability_check(const struct exo_capability_table *table, exo_u64 handle, exo_u32 kind,
                                                     exo_u32 rights)
{
    const struct exo_capability *cap = exo_capability_at_pvt(table, handle);
    exo_u32 uses;
    exo_u64 claim;
    if (EXO_UNLIKELY(cap == EXO_NULL || !exo_reference_alive(&cap->item.state, (exo_u32)(handle >> 32), &uses))) {
        return EXO_NOT_FOUND;
    }
    claim = exo_load64(&cap->claim, EXO_RELAXED); /* relaxed: it has the generation in it, and [reference:look] */
    if (EXO_UNLIKELY(claim >> 32 != handle >> 32)) {
        return EXO_NOT_FOUND;
    }
    return exo_capability_allows_pvt((exo_u32)claim >> 8, (exo_u32)claim & EXO_RIGHTS_ALL, kind, rights);
}

/**
 * exo_capability_done - the use of a capability is over.
 * @cap: from exo_capability_use(); not to be touched any more
 *
 * Context: any, interrupts included. Ordering: what was done before is visible to who ends the capability.
 * Progress: lock-free.
 */
EXO_HOT void exo_capability_done(struct exo_capability *cap)
{
    exo_u64 state = exo_load64(&cap->item.state, EXO_RELAXED); /* relaxed: its generation stays while it is used */
    (void)exo_reference_put(&cap->item.state, (exo_u32)(state >> 32), EXO_FALSE);
}

/**
 * exo_capability_use - take hold of what a handle names, if it allows something.
 * @table, @handle, @kind, @rights: as exo_capability_check()
 * @cap: set to the capability, to null on an error; its object, badge, rights and kind stand still until exo_capability_done()
 *
 * Who ends it waits: be short, do not sleep, and do not end it or what it was derived from in between.
 * Returns: EXO_OK, and only then must exo_capability_done() be called; else as exo_capability_check(); EXO_FULL if 2^30 uses
 * are on at once. One that begins after the end of the capability was told (by the return of revoke, say) never succeeds.
 * Context: any, interrupts included. Ordering: what was done before the capability was made is visible.
 * Progress: lock-free.
 */
EXO_HOT EXO_MUST_USE exo_status exo_capability_use(const struct exo_capability_table *table, exo_u64 handle, exo_u32 kind,
                                                   exo_u32 rights, struct exo_capability **cap)
{
    struct exo_capability *at = exo_capability_at_pvt(table, handle);
    exo_status status = EXO_NOT_FOUND;
    *cap = (struct exo_capability *)EXO_NULL;
    if (EXO_LIKELY(at != EXO_NULL)) {
        status = exo_reference_get(&at->item.state, (exo_u32)(handle >> 32));
    }
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    status = exo_capability_allows_pvt(at->kind, at->rights, kind, rights);
    if (EXO_UNLIKELY(status != EXO_OK)) {
        exo_capability_done(at);
        return status;
    }
    *cap = at;
    return EXO_OK;
}

/* What a handle names, if it has not ended; null if it has. Under the lock it stays so. */
EXO_INLINE struct exo_capability *exo_capability_live_pvt(const struct exo_capability_table *table, exo_u64 handle)
{
    struct exo_capability *cap = exo_capability_at_pvt(table, handle);
    exo_u32 uses;
    if (cap != EXO_NULL && exo_reference_alive(&cap->item.state, (exo_u32)(handle >> 32), &uses)) {
        return cap;
    }
    return (struct exo_capability *)EXO_NULL;
}

/* What a new capability will be. */
struct exo_capability_wish_pvt {
    struct exo_object *object;
    struct exo_derivation *behind; /* the opening one of what it comes from */
    exo_u64 badge;
    exo_u32 rights;
};

/* Begin a capability. Under the lock. Changes nothing unless it answers EXO_OK. */
EXO_INLINE exo_status exo_capability_enter_pvt(struct exo_capability_table *table, const struct exo_capability_wish_pvt *wish,
                                               exo_u64 *handle)
{
    struct exo_capability *cap;
    exo_u32 generation;
    if (table->closed) {
        return EXO_CLOSED;
    }
    if (wish->object->references >= EXO_REFERENCE_COUNT) {
        return EXO_FULL;
    }
    cap = (struct exo_capability *)(void *)exo_table_take(&table->items);
    if (cap == EXO_NULL) {
        return table->items.used >= table->items.most ? EXO_FULL : EXO_NO_MEMORY;
    }
    cap->object = wish->object;
    cap->table = table;
    cap->badge = wish->badge;
    cap->rights = wish->rights;
    cap->kind = wish->object->kind;
    cap->open.opens = cap;
    cap->close.opens = (struct exo_capability *)EXO_NULL;
    exo_derivation_insert_pvt(wish->behind, &cap->open, &cap->close);
    exo_capability_index_add_pvt(table, cap);
    wish->object->references++;
    /* relaxed: nothing is begun in this place yet, and then the claim's generation is the last one's */
    generation = (exo_u32)(exo_load64(&cap->item.state, EXO_RELAXED) >> 32) + 1;
    exo_store64(&cap->claim, (exo_u64)generation << 32 | cap->kind << 8 | cap->rights, EXO_RELAXED); /* relaxed: begin publishes */
    (void)exo_reference_begin(&cap->item.state, 0);
    *handle = exo_table_handle(&cap->item);
    return EXO_OK;
}

/**
 * exo_capability_create - the first capability to an object, or another one that comes from nothing but the object.
 * @table: gets it
 * @object: set up by exo_object_init(); the caller knows that it is there
 * @rights: EXO_RIGHT_..., none included
 * @badge: any number; what is derived has the same
 * @handle: set to its handle, never 0
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null, or for rights that are none; EXO_QUOTA_EXCEEDED; EXO_NOT_FOUND if the
 * object has ended; EXO_CLOSED if the table is ending; EXO_FULL if the table has as many as it may; EXO_NO_MEMORY. On an error
 * nothing has changed and nothing is charged.
 * Context: not from an interrupt. Ordering: what was done before is visible to who uses it. Progress: blocking, by the lock.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_capability_create(struct exo_capability_table *table, struct exo_object *object,
                                                         exo_u32 rights, exo_u64 badge, exo_u64 *handle)
{
    struct exo_capability_wish_pvt wish;
    exo_status status;
    if (table == EXO_NULL || object == EXO_NULL || handle == EXO_NULL || (rights & ~EXO_RIGHTS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_quota_charge(table->account, EXO_QUOTA_CAPABILITIES, 1);
    if (status != EXO_OK) {
        return status;
    }
    wish.object = object;
    wish.behind = &object->open;
    wish.badge = badge;
    wish.rights = rights;
    exo_port_lock(&table->space->lock);
    status = object->ended != 0 ? EXO_NOT_FOUND : exo_capability_enter_pvt(table, &wish, handle);
    exo_port_unlock(&table->space->lock);
    if (status != EXO_OK) {
        (void)exo_quota_return(table->account, EXO_QUOTA_CAPABILITIES, 1);
    }
    return status;
}

/**
 * exo_capability_find - a handle of a table that names an object.
 * @table: where to look  @object: its address is only compared
 *
 * Returns: one of them that has not ended; 0 if there is none.
 * Context: not from an interrupt. Progress: blocking, by the lock; in time that grows with the logarithm of the number of
 * objects that the table names, and with the number of capabilities to this one that are just ending.
 */
EXO_INLINE exo_u64 exo_capability_find(struct exo_capability_table *table, const struct exo_object *object)
{
    struct exo_capability *cap;
    exo_u64 handle = 0;
    exo_port_lock(&table->space->lock);
    for (cap = *exo_capability_slot_pvt(table, object); cap != EXO_NULL && handle == 0; cap = cap->same) {
        exo_u64 name = exo_table_handle(&cap->item);
        handle = exo_capability_live_pvt(table, name) != EXO_NULL ? name : 0;
    }
    exo_port_unlock(&table->space->lock);
    return handle;
}

#endif
