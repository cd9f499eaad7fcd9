/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: handles that cannot be forged, what they allow, and what was derived from them.
 *
 *   table of a process: [ 0 | 1 | 2 | ... ]         a handle is a number and a generation, never an address
 *                             |
 *   an object's capabilities: maker (0) -> granted (1) -> derived (2) -> granted (1) -> ...     (depths in brackets)
 *
 * Derivation. All capabilities of an object stand in one list, in preorder, each with its depth: those derived from one are
 * the run of deeper ones that follows it. So deriving is one insertion, revoking takes the run, and none of it grows
 * with capabilities of other objects. Dropping one makes those derived from it children of its parent: their depths
 * shrink by one. (After the mapping database of L4 and seL4.)
 *
 * Use. A handle is looked up without a lock and held by a reference (reference.h): while it is held, its object, rights
 * and badge stand still and its object stays. Revoking closes the capability, so that nobody takes hold any more, and then
 * waits for those who do: when it returns no use is under way and none will succeed. Who holds a capability never sleeps and
 * never revokes or drops.
 *
 * Each capability is a reference to its object; so is exo_object_hold_pvt(). When the last one goes the nucleus is told. Each
 * is charged to its table's account as one of EXO_QUOTA_CAPABILITIES.
 *
 * Progress: check, use, done are lock-free; all else takes the lock of the space, of which there is one for each nucleus.
 */
#ifndef EXO_IPC_NUCLEUS_CAPABILITY_H
#define EXO_IPC_NUCLEUS_CAPABILITY_H

#include "../shared_memory/table.h"
#include "quota.h"
#include "rights.h"

struct exo_capability;

/* What a capability names: stands in the struct of the thing. */
struct exo_object {
    exo_u32 references;
    exo_u32 kind;
    struct exo_capability *first; /* its capabilities, in preorder */
    struct exo_object *next;      /* while it waits for its end */
};

/**
 * struct exo_capability - one capability. Read @object, @badge, @rights and @kind while it is held; all else is the library's.
 * @object: what it names
 * @badge: the nucleus's own; passed on to what is derived
 * @rights: EXO_RIGHT_...
 * @kind: of its object
 */
struct exo_capability {
    struct exo_table_item item;
    struct exo_object *object;
    struct exo_capability_table *table;
    struct exo_capability *previous;
    struct exo_capability *next;
    exo_u64 badge;
    exo_u32 rights;
    exo_u32 kind;
    exo_u32 depth;
};

/**
 * struct exo_capability_space - all capabilities of a nucleus.
 * @gone: called for each that has ended, before its place is used again, without locks
 * @release: called when an object's last reference has gone, without locks
 * @context: for both
 */
struct exo_capability_space {
    void (*gone)(void *context, void *owner, const struct exo_capability *ended);
    void (*release)(void *context, struct exo_object *object);
    void *context;
    exo_u32 lock;
};

/**
 * struct exo_capability_table - the capabilities of one process. Its members are the library's.
 */
struct exo_capability_table {
    struct exo_capability_space *space;
    void *owner; /* null: what is on its way between processes; anything may be derived from it into any table */
    struct exo_account *account;
    struct exo_table entries; /* guarded by the space's lock, but for look-ups */
    exo_bool closed;          /* nothing new comes in */
};

EXO_INLINE void exo_capability_space_init(struct exo_capability_space *space,
                                          void (*gone)(void *, void *, const struct exo_capability *),
                                          void (*release)(void *, struct exo_object *), void *context)
{
    space->gone = gone;
    space->release = release;
    space->context = context;
    space->lock = 0;
}

/**
 * exo_capability_table_init - begin a table without capabilities.
 * @table: in the caller's memory, until exo_capability_table_fini()
 * @space: the nucleus's
 * @owner: the process; given to @space->gone
 * @account: who pays; null: nobody
 * @most: capabilities at most
 */
EXO_INLINE void exo_capability_table_init(struct exo_capability_table *table, struct exo_capability_space *space,
                                          void *owner, struct exo_account *account, exo_u32 most)
{
    table->space = space;
    table->owner = owner;
    table->account = account;
    table->closed = EXO_FALSE;
    exo_table_init(&table->entries, sizeof(struct exo_capability), most);
}

/* An object that nothing refers to yet. */
EXO_INLINE void exo_object_init_pvt(struct exo_object *object, exo_u32 kind)
{
    exo_store32(&object->references, 0u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
    object->kind = kind;
    object->first = (struct exo_capability *)EXO_NULL;
    object->next = (struct exo_object *)EXO_NULL;
}

/* Take hold of an object that the caller knows to be there. */
EXO_INLINE void exo_object_hold_pvt(struct exo_object *object)
{
    (void)exo_fetch_add32(&object->references, 1u, EXO_RELAXED); /* relaxed: it is there already */
}

/* Take hold of an object that may be about to go. */
EXO_INLINE exo_bool exo_object_get_pvt(struct exo_object *object)
{
    exo_u32 seen = exo_load32(&object->references, EXO_RELAXED); /* relaxed: checked by the swap */
    while (seen != 0) {
        /* relaxed: the caller's lock shows what it is */
        if (exo_cas32(&object->references, &seen, seen + 1, EXO_RELAXED)) {
            return EXO_TRUE;
        }
        exo_cpu_relax();
    }
    return EXO_FALSE;
}

/* Let go of an object; the last one ends it. */
EXO_INLINE void exo_object_put_pvt(struct exo_capability_space *space, struct exo_object *object)
{
    /* [object:put] pairs [object:put]: the last one ends it after all others */
    if (exo_fetch_add32(&object->references, ~0u, EXO_ACQ_REL) == 1) {
        space->release(space->context, object);
    }
}

/* The place that a handle names, whatever is in it; or null. */
EXO_HOT struct exo_capability *exo_capability_at_pvt(const struct exo_capability_table *table, exo_u64 handle)
{
    return (struct exo_capability *)(void *)exo_table_at(&table->entries, (exo_u32)handle);
}

/**
 * exo_capability_use - take hold of a capability.
 * @table: whose handle it is
 * @handle: any number
 * @kind: of the object; 0: any
 * @rights: those that are needed
 * @capability: is set on success only; give it back with exo_capability_done(), soon
 *
 * Returns: EXO_OK; EXO_NOT_FOUND for a handle that is none here, or has ended; EXO_TYPE_MISMATCH; EXO_PERMISSION_DENIED.
 * Context: any. Ordering: acquire. Progress: lock-free.
 */
EXO_HOT EXO_MUST_USE exo_status exo_capability_use(const struct exo_capability_table *table, exo_u64 handle, exo_u32 kind,
                                                   exo_u32 rights, struct exo_capability **capability)
{
    struct exo_capability *found = exo_capability_at_pvt(table, handle);
    exo_status status;
    if (EXO_UNLIKELY(found == EXO_NULL)) {
        return EXO_NOT_FOUND;
    }
    status = exo_reference_get(&found->item.state, (exo_u32)(handle >> 32));
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status == EXO_FULL ? EXO_WOULD_BLOCK : status; /* 2^30 uses at the same time */
    }
    if (EXO_UNLIKELY((kind != 0 && found->kind != kind) || (rights & ~found->rights) != 0)) {
        status = kind != 0 && found->kind != kind ? EXO_TYPE_MISMATCH : EXO_PERMISSION_DENIED;
        (void)exo_reference_put(&found->item.state, (exo_u32)(handle >> 32), EXO_FALSE);
        return status;
    }
    *capability = found;
    return EXO_OK;
}

/**
 * exo_capability_done - let go of a capability that exo_capability_use() gave.
 */
EXO_HOT void exo_capability_done(struct exo_capability *capability)
{
    exo_u32 generation = (exo_u32)(exo_load64(&capability->item.state, EXO_RELAXED) >> 32); /* relaxed: we hold it */
    (void)exo_reference_put(&capability->item.state, generation, EXO_FALSE);
}

/**
 * exo_capability_check - whether a handle would do, without taking hold of it.
 * @table, @handle, @kind, @rights: as exo_capability_use()
 *
 * Returns: as exo_capability_use(), of a moment within the call. Context: any. Progress: wait-free.
 */
EXO_HOT exo_status exo_capability_check(const struct exo_capability_table *table, exo_u64 handle, exo_u32 kind,
                                        exo_u32 rights)
{
    const struct exo_capability *found = exo_capability_at_pvt(table, handle);
    exo_u32 generation = (exo_u32)(handle >> 32);
    exo_u32 has;
    exo_u32 is;
    exo_u32 uses;
    if (EXO_UNLIKELY(found == EXO_NULL || !exo_reference_alive(&found->item.state, generation, &uses))) {
        return EXO_NOT_FOUND;
    }
    has = exo_load32(&found->rights, EXO_RELAXED); /* relaxed: the second look decides */
    is = exo_load32(&found->kind, EXO_RELAXED);    /* relaxed: same */
    exo_fence_acquire();                           /* [capability:checked] pairs [capability:write] */
    if (EXO_UNLIKELY(!exo_reference_alive(&found->item.state, generation, &uses))) {
        return EXO_NOT_FOUND;
    }
    if (EXO_UNLIKELY(kind != 0 && is != kind)) {
        return EXO_TYPE_MISMATCH;
    }
    return (rights & ~has) != 0 ? EXO_PERMISSION_DENIED : EXO_OK;
}

/* Fill a new capability in, behind another one in its object's list, or first. The caller holds the lock. */
EXO_INLINE exo_u64 exo_capability_enter_pvt(struct exo_capability_table *table, struct exo_capability *made,
                                            struct exo_object *object, exo_u32 rights, exo_u64 badge,
                                            struct exo_capability *parent)
{
    struct exo_capability *next = parent == EXO_NULL ? object->first : parent->next;
    exo_fence_release(); /* [capability:write] pairs [capability:checked]: who looked before finds the place empty */
    made->object = object;
    made->table = table;
    made->badge = badge;
    exo_store32(&made->rights, rights, EXO_RELAXED);     /* relaxed: the begin publishes */
    exo_store32(&made->kind, object->kind, EXO_RELAXED); /* relaxed: same */
    made->depth = parent == EXO_NULL ? 0 : parent->depth + 1;
    made->previous = parent;
    made->next = next;
    if (next != EXO_NULL) {
        next->previous = made;
    }
    if (parent == EXO_NULL) {
        object->first = made;
    } else {
        parent->next = made;
    }
    exo_object_hold_pvt(object);
    return (exo_u64)exo_reference_begin(&made->item.state, 0) << 32 | made->item.index;
}

/* A place in a table, paid for. The caller holds the lock. */
EXO_INLINE exo_status exo_capability_place_pvt(struct exo_capability_table *table, struct exo_capability **place)
{
    if (table->closed) {
        return EXO_NOT_FOUND;
    }
    *place = (struct exo_capability *)(void *)exo_table_take(&table->entries);
    return *place == EXO_NULL ? EXO_NO_MEMORY : EXO_OK;
}

/**
 * exo_capability_create - the first capability of an object, derived from none.
 * @table: whose it becomes
 * @object: held by the caller, or still his alone
 * @rights: EXO_RIGHT_...  @badge: any number
 * @handle: is set on success only
 *
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED; EXO_NO_MEMORY; EXO_NOT_FOUND if the table's process has ended.
 * Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_capability_create(struct exo_capability_table *table, struct exo_object *object,
                                                         exo_u32 rights, exo_u64 badge, exo_u64 *handle)
{
    struct exo_capability *made = (struct exo_capability *)EXO_NULL;
    exo_status status = exo_quota_charge(table->account, EXO_QUOTA_CAPABILITIES, 1);
    if (status != EXO_OK) {
        return status;
    }
    exo_port_lock(&table->space->lock);
    status = exo_capability_place_pvt(table, &made);
    if (status == EXO_OK) {
        *handle = exo_capability_enter_pvt(table, made, object, rights, badge, (struct exo_capability *)EXO_NULL);
    }
    exo_port_unlock(&table->space->lock);
    if (status != EXO_OK) {
        (void)exo_quota_return(table->account, EXO_QUOTA_CAPABILITIES, 1);
    }
    return status;
}

/* Whether a handle may be derived from, and how. The caller holds the lock: nothing ends meanwhile. */
EXO_INLINE exo_status exo_capability_derivable_pvt(const struct exo_capability_table *from, exo_u64 handle,
                                                   exo_u32 rights, const struct exo_capability_table *to,
                                                   struct exo_capability **parent)
{
    exo_u32 uses;
    *parent = exo_capability_at_pvt(from, handle);
    if (*parent == EXO_NULL || !exo_reference_alive(&(*parent)->item.state, (exo_u32)(handle >> 32), &uses)) {
        return EXO_NOT_FOUND;
    }
    if ((rights & ~(*parent)->rights) != 0) {
        return EXO_PERMISSION_DENIED;
    }
    if (from != to && from->owner != EXO_NULL && ((*parent)->rights & EXO_RIGHT_GRANT) == 0) {
        return EXO_PERMISSION_DENIED;
    }
    return EXO_OK;
}

/**
 * exo_capability_derive - a capability of the same object, with the same rights or fewer, in the same table or another.
 * @from, @handle: what it is derived from; into another table only if that has EXO_RIGHT_GRANT
 * @rights: some of those that it has
 * @to: the table that gets it, and pays
 * @derived: its handle there; set on success only
 *
 * Returns: EXO_OK; EXO_NOT_FOUND; EXO_PERMISSION_DENIED; EXO_QUOTA_EXCEEDED; EXO_NO_MEMORY. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_capability_derive(struct exo_capability_table *from, exo_u64 handle,
                                                         exo_u32 rights, struct exo_capability_table *to,
                                                         exo_u64 *derived)
{
    struct exo_capability *parent;
    struct exo_capability *made = (struct exo_capability *)EXO_NULL;
    exo_status status = exo_quota_charge(to->account, EXO_QUOTA_CAPABILITIES, 1);
    if (status != EXO_OK) {
        exo_status first = exo_capability_check(from, handle, 0, rights); /* what is wrong with the call comes first */
        return first == EXO_OK ? status : first;
    }
    exo_port_lock(&to->space->lock);
    status = exo_capability_derivable_pvt(from, handle, rights, to, &parent);
    status = status == EXO_OK ? exo_capability_place_pvt(to, &made) : status;
    if (status == EXO_OK) {
        *derived = exo_capability_enter_pvt(to, made, parent->object, rights, parent->badge, parent);
    }
    exo_port_unlock(&to->space->lock);
    if (status != EXO_OK) {
        (void)exo_quota_return(to->account, EXO_QUOTA_CAPABILITIES, 1);
    }
    return status;
}

#endif
