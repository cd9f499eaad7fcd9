/* SPDX-License-Identifier: MIT */
/*
 * What capabilities are made of: objects, rights, the tables that processes hold, and the order of descent.
 *
 * All of this is the trusted side's own memory. A process knows a capability by a number alone, its handle: the place in
 * the table of that process, and the generation of what is there. A number that it invents leads to nothing, or to something
 * that it holds anyway.
 *
 * Descent. What was derived from what is one doubly linked list for each object, in which every capability opens and closes
 * a pair of parentheses, and what was derived from it stands between them:
 *
 *   object ( A ( B ( ) C ( D ( ) ) ) E ( ) )        B and C come from A, D from C; A and E are roots
 *
 * To derive is to put a new pair behind the opening one of the parent. To end one capability is to take its two entries out:
 * what stood between them then stands between those of its parent, without a look at any of it. To revoke is to take out all
 * that stands between two entries. There is no depth to count, and so none to limit.
 *
 * Who writes. `state` of an item is everybody's (shared_memory/reference.h). `object`, `table`, `badge`, `rights` and `kind` are
 * written before a capability begins and stand still until it has ended and nobody uses it. All the rest is guarded by the
 * lock of the space.
 *
 * Learned from: seL4's mapping database (Elkaduwe, Klein and Elphinstone, "Verified protection model of the seL4
 * microkernel", VSTTE 2008) for one list in the order of descent; parentheses instead of its depths, as in Euler tour lists
 * (Tarjan and Vishkin 1984), make the end of one capability independent of how much was derived from it.
 */
#ifndef EXO_IPC_NUCLEUS_CAPABILITY_LAYOUT_H
#define EXO_IPC_NUCLEUS_CAPABILITY_LAYOUT_H

#include "../shared_memory/table.h"
#include "quota.h"
#include "rights.h"

struct exo_capability;
struct exo_capability_space;

/* A parenthesis. */
struct exo_derivation {
    struct exo_derivation *prev;
    struct exo_derivation *next;
    struct exo_capability *opens; /* null: it closes, or is a mark of somebody who walks */
};

/**
 * struct exo_object - what a capability names; the first member of it. Set up by exo_object_init().
 * @references: capabilities, and other holders, that there are
 * @kind: EXO_OBJECT_..., or the user's own, 1 or more
 */
struct exo_object {
    exo_u32 references;
    exo_u32 kind;
    exo_u32 ended;           /* no capability begins any more */
    struct exo_object *next; /* of those that nothing names any more, until release is called */
    struct exo_derivation open;
    struct exo_derivation close;
};

/**
 * struct exo_capability - the right to do something with an object. Read it between exo_capability_use() and
 * exo_capability_done().
 */
struct exo_capability {
    struct exo_table_item item;
    exo_word64 claim; /* generation << 32 | kind << 8 | rights, for who only asks */
    struct exo_object *object;
    struct exo_capability_table *table;
    exo_u64 badge;
    exo_u32 rights;
    exo_u32 kind;
    struct exo_derivation open;
    struct exo_derivation close;
    /* capability_index.h */
    struct exo_capability *child[2];
    struct exo_capability *same;  /* another one of this table that names the same object */
    struct exo_capability **slot; /* where the pointer to this one lies */
    exo_bool chained;             /* in `same` of another one */
};

/**
 * struct exo_capability_space - all capabilities that may be derived from each other: one for each nucleus.
 * @gone: a capability has ended, and nobody uses it any more; its members stand still until this returns. Null: none
 * @release: an object is named by nothing any more: the object's memory is the callee's. Null: none
 *
 * Both are called without a lock, by whoever ended the last of it, once for each; they may use all of this but
 * exo_capability_table_fini() of a table whose capability is just ending.
 */
struct exo_capability_space {
    exo_u32 lock;
    void *context;
    void (*gone)(void *context, void *owner, const struct exo_capability *ended);
    void (*release)(void *context, struct exo_object *object);
};

/**
 * struct exo_capability_table - the capabilities of one process.
 */
struct exo_capability_table {
    struct exo_capability_space *space;
    void *owner;
    struct exo_account *account; /* pays for each one; null: nobody */
    struct exo_table items;
    struct exo_capability *root; /* capability_index.h */
    exo_u32 ending;              /* taken out of the order of descent, and not given back yet */
    exo_bool closed;
};

/**
 * exo_capability_space_init - begin a space.
 * @space: in the caller's memory  @context, @gone, @release: see the struct
 */
EXO_INLINE void exo_capability_space_init(struct exo_capability_space *space, void *context,
                                          void (*gone)(void *context, void *owner, const struct exo_capability *ended),
                                          void (*release)(void *context, struct exo_object *object))
{
    exo_store32(&space->lock, 0u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
    space->context = context;
    space->gone = gone;
    space->release = release;
}

EXO_INLINE void exo_derivation_join_pvt(struct exo_derivation *left, struct exo_derivation *right)
{
    left->next = right;
    right->prev = left;
}

/* Put two entries behind another one. */
EXO_INLINE void exo_derivation_insert_pvt(struct exo_derivation *behind, struct exo_derivation *open,
                                          struct exo_derivation *close)
{
    exo_derivation_join_pvt(close, behind->next);
    exo_derivation_join_pvt(open, close);
    exo_derivation_join_pvt(behind, open);
}

EXO_INLINE void exo_derivation_remove_pvt(struct exo_derivation *entry)
{
    exo_derivation_join_pvt(entry->prev, entry->next);
}

/**
 * exo_object_init - begin an object that no capability names yet.
 * @object: part of what it is  @kind: EXO_OBJECT_..., 1 to 2^24 - 1
 */
EXO_INLINE void exo_object_init(struct exo_object *object, exo_u32 kind)
{
    object->references = 0;
    object->kind = kind;
    object->ended = 0;
    object->next = (struct exo_object *)EXO_NULL;
    object->open.prev = (struct exo_derivation *)EXO_NULL;
    object->open.opens = (struct exo_capability *)EXO_NULL;
    object->close.next = (struct exo_derivation *)EXO_NULL;
    object->close.opens = (struct exo_capability *)EXO_NULL;
    exo_derivation_join_pvt(&object->open, &object->close);
}

/* One that named an object does not any more. Under the lock. True to the last one, who must call release. */
EXO_INLINE exo_bool exo_object_put_pvt(struct exo_object *object)
{
    object->references--;
    object->ended |= object->references == 0;
    return object->references == 0;
}

/**
 * exo_object_hold - keep an object for longer than a capability is used.
 * @space: its space  @object: one that the caller knows to be there
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if its last capability has ended. exo_object_drop() gives it back.
 * Context: not from an interrupt. Progress: blocking, by the lock of the space.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_object_hold(struct exo_capability_space *space, struct exo_object *object)
{
    exo_bool ended;
    exo_port_lock(&space->lock);
    ended = object->ended != 0 && object->references == 0;
    object->references += ended ? 0u : 1u;
    exo_port_unlock(&space->lock);
    return ended ? EXO_NOT_FOUND : EXO_OK;
}

/* Keep an object whose references the caller knows not to be gone, or that has had none yet. */
EXO_INLINE void exo_object_hold_pvt(struct exo_capability_space *space, struct exo_object *object)
{
    exo_status status = exo_object_hold(space, object);
    (void)status;
}

/**
 * exo_object_drop - give back what exo_object_hold() took. Calls release if nothing else names the object.
 * @space: its space  @object: held
 */
EXO_INLINE void exo_object_drop(struct exo_capability_space *space, struct exo_object *object)
{
    exo_bool last;
    exo_port_lock(&space->lock);
    last = exo_object_put_pvt(object);
    exo_port_unlock(&space->lock);
    if (last && space->release != EXO_NULL) {
        space->release(space->context, object);
    }
}

#endif
