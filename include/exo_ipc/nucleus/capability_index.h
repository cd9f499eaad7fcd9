/* SPDX-License-Identifier: MIT */
/*
 * Which capability of a table names an object: a binary trie over a hash of the object's address, whose nodes are the
 * capabilities themselves, so that it takes no memory and nothing can fail.
 *
 * Every node holds a capability; the n-th bit of the hash says on which side of the n-th node of its way one lies. The hash
 * is a bijection: different objects differ in some bit, so no way is longer than 64, and on average it is log2 of their
 * number. Those that name the same object hang on the one that is in the trie. All under the lock of the space.
 */
#ifndef EXO_IPC_NUCLEUS_CAPABILITY_INDEX_H
#define EXO_IPC_NUCLEUS_CAPABILITY_INDEX_H

#include "capability_layout.h"

/* SplitMix64 (Steele, Lea and Flood 2014). */
EXO_INLINE exo_u64 exo_capability_hash_pvt(const struct exo_object *object)
{
    exo_u64 hash = (exo_u64)(exo_uptr)object;
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
    return hash ^ hash >> 31;
}

/* Where the pointer to the first capability that names an object lies, or would lie. */
EXO_INLINE struct exo_capability **exo_capability_slot_pvt(struct exo_capability_table *table, const struct exo_object *object)
{
    struct exo_capability **slot = &table->root;
    exo_u64 hash = exo_capability_hash_pvt(object);
    while (*slot != EXO_NULL && (*slot)->object != object) {
        slot = &(*slot)->child[hash & 1];
        hash >>= 1;
    }
    return slot;
}

EXO_INLINE void exo_capability_hang_pvt(struct exo_capability **slot, struct exo_capability *cap)
{
    *slot = cap;
    if (cap != EXO_NULL) {
        cap->slot = slot;
    }
}

EXO_INLINE void exo_capability_index_add_pvt(struct exo_capability_table *table, struct exo_capability *cap)
{
    struct exo_capability **slot = exo_capability_slot_pvt(table, cap->object);
    struct exo_capability *first = *slot;
    cap->child[0] = (struct exo_capability *)EXO_NULL;
    cap->child[1] = (struct exo_capability *)EXO_NULL;
    cap->same = (struct exo_capability *)EXO_NULL;
    cap->chained = first != EXO_NULL;
    if (first != EXO_NULL) {
        exo_capability_hang_pvt(&cap->same, first->same);
        slot = &first->same;
    }
    exo_capability_hang_pvt(slot, cap);
}

/* Take a node without children, of those below another one, out of the trie; null if there is none below. */
EXO_INLINE struct exo_capability *exo_capability_leaf_pvt(struct exo_capability *cap)
{
    struct exo_capability *at = cap;
    struct exo_capability *below = cap;
    while (below != EXO_NULL) {
        at = below;
        below = at->child[0] != EXO_NULL ? at->child[0] : at->child[1];
    }
    if (at == cap) {
        return (struct exo_capability *)EXO_NULL;
    }
    *at->slot = (struct exo_capability *)EXO_NULL;
    return at;
}

EXO_INLINE void exo_capability_index_remove_pvt(struct exo_capability *cap)
{
    struct exo_capability *heir = cap->same;
    if (cap->chained) {
        exo_capability_hang_pvt(cap->slot, heir);
        return;
    }
    if (heir == EXO_NULL) {
        heir = exo_capability_leaf_pvt(cap);
    }
    exo_capability_hang_pvt(cap->slot, heir);
    if (heir != EXO_NULL) {
        heir->chained = EXO_FALSE;
        exo_capability_hang_pvt(&heir->child[0], cap->child[0]);
        exo_capability_hang_pvt(&heir->child[1], cap->child[1]);
    }
}

#endif
