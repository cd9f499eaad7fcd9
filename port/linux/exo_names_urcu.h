/* SPDX-License-Identifier: MIT */
/*
 * The index of names on liburcu, in place of shared_memory/names.h: for programs that have liburcu anyway.
 *
 *   cc -DEXO_IPC_NAMES='"exo_names_urcu.h"' ... -lurcu-bp -lurcu-cds
 *
 * The same calls, the same answers. A look-up is a read-side section of RCU over liburcu's lock-free hash table (cds_lfht, after
 * O. Shalev and N. Shavit, 2006): it never walks twice and never takes the lock. A record is used again only after a grace
 * period, which is waited for once in EXO_NAMES_WAITING removals, by whoever makes the last of them, without a lock; so a
 * removal may sleep, and none of these calls may be made within a read-side section.
 *
 * The bulletproof flavour, so that any thread may look up without having registered. liburcu registers a thread in the thread's
 * first look-up, and takes helper threads for as long as it doubles a table of more than some thousand buckets.
 */
#ifndef EXO_PORT_LINUX_NAMES_URCU_H
#define EXO_PORT_LINUX_NAMES_URCU_H

#include <stddef.h>
#include <urcu/rculfhash.h>
#include <urcu/urcu-bp.h>

#include "exo_ipc/shared_memory/name_text.h"
#include "exo_ipc/shared_memory/table.h"

#define EXO_NAMES_FIRST 512u /* buckets */
#define EXO_NAMES_MOST (1u << 21)
#define EXO_NAMES_WAITING 64u /* records that wait for one grace period */

/* A name. Nothing of it changes while a reader may see it. */
struct exo_name_record {
    struct exo_table_item item; /* item.next, of those that wait: number of the next + 1 */
    struct cds_lfht_node node;
    exo_u64 value;
    exo_u64 hash;
    struct exo_name_text text;
};

/**
 * struct exo_names - an index of names. Its members are the library's.
 * @waiting: number of the first record that waits for a grace period + 1, of @waiters
 */
struct exo_names {
    struct exo_table records;
    struct cds_lfht *table;
    exo_u64 seed;
    exo_u32 buckets;
    exo_u32 live; /* names */
    exo_u32 most;
    exo_u32 waiting;
    exo_u32 waiters;
    exo_u32 lock;
};

EXO_INLINE struct exo_name_record *exo_name_record_pvt(struct cds_lfht_node *node)
{
    return (struct exo_name_record *)(void *)((char *)node - offsetof(struct exo_name_record, node));
}

/* What liburcu asks of two names of one hash. */
EXO_INLINE int exo_name_match_pvt(struct cds_lfht_node *node, const void *key)
{
    const struct exo_name_text *text = (const struct exo_name_text *)key;
    const struct exo_name_text *other = &exo_name_record_pvt(node)->text;
    return other->bytes == text->bytes &&
           __builtin_memcmp(other->word, text->word, (text->bytes / 8 + 1) * sizeof(exo_word64)) == 0;
}

/* As shared_memory/names.h says it. */
EXO_INLINE EXO_MUST_USE exo_status exo_names_init(struct exo_names *names, exo_u64 seed, exo_u32 most)
{
    __builtin_memset(names, 0, sizeof(*names));
    exo_table_init(&names->records, sizeof(struct exo_name_record), EXO_TABLE_NONE); /* those that wait are not counted */
    names->most = most;
    names->seed = seed;
    names->buckets = EXO_NAMES_FIRST;
    names->table = cds_lfht_new_flavor(EXO_NAMES_FIRST, EXO_NAMES_FIRST, EXO_NAMES_MOST, 0, &urcu_bp_flavor, NULL);
    return names->table == EXO_NULL ? EXO_NO_MEMORY : EXO_OK;
}

/* Nobody looks any more. */
EXO_INLINE void exo_names_fini(struct exo_names *names)
{
    struct cds_lfht_iter at;
    if (names->table != EXO_NULL) {
        urcu_bp_read_lock();
        for (cds_lfht_first(names->table, &at); cds_lfht_iter_get_node(&at) != EXO_NULL; cds_lfht_next(names->table, &at)) {
            (void)cds_lfht_del(names->table, cds_lfht_iter_get_node(&at));
        }
        urcu_bp_read_unlock();
        (void)cds_lfht_destroy(names->table, NULL);
        names->table = (struct cds_lfht *)EXO_NULL;
    }
    exo_table_fini(&names->records);
}

EXO_INLINE exo_bool exo_names_look_pvt(const struct exo_names *names, const struct exo_name_text *text, exo_u64 hash,
                                       exo_u64 *value)
{
    struct cds_lfht_node *node;
    struct cds_lfht_iter at;
    urcu_bp_read_lock();
    cds_lfht_lookup(names->table, (unsigned long)hash, exo_name_match_pvt, text, &at);
    node = cds_lfht_iter_get_node(&at);
    if (node != EXO_NULL) {
        *value = exo_name_record_pvt(node)->value;
    }
    urcu_bp_read_unlock();
    return node != EXO_NULL;
}

EXO_INLINE EXO_MUST_USE exo_status exo_names_find(const struct exo_names *names, const char *name, exo_size bytes,
                                                  exo_u64 *value)
{
    struct exo_name_text text;
    if (exo_name_check(name, bytes) != EXO_OK) {
        return EXO_NOT_FOUND;
    }
    exo_name_text_pvt(&text, name, bytes);
    return exo_names_look_pvt(names, &text, exo_name_hash_pvt(names->seed, &text), value) ? EXO_OK : EXO_NOT_FOUND;
}

/* Wait for a grace period, and let the records that waited for it be used again. The caller does not hold the lock. */
EXO_COLD void exo_names_settle_pvt(struct exo_names *names)
{
    exo_u32 link;
    exo_port_lock(&names->lock);
    link = names->waiting;
    names->waiting = 0;
    names->waiters = 0;
    exo_port_unlock(&names->lock);
    if (link == 0) {
        return;
    }
    urcu_bp_synchronize_rcu();
    exo_port_lock(&names->lock);
    while (link != 0) {
        struct exo_table_item *item = exo_table_at(&names->records, link - 1);
        link = item->next;
        exo_table_give(&names->records, item);
    }
    exo_port_unlock(&names->lock);
}

/* Under the lock. */
EXO_INLINE exo_status exo_names_enter_pvt(struct exo_names *names, const struct exo_name_text *text, exo_u64 value,
                                          exo_u64 *handle)
{
    exo_u64 hash = exo_name_hash_pvt(names->seed, text);
    struct exo_name_record *made;
    exo_u64 other = 0;
    if (exo_names_look_pvt(names, text, hash, &other)) {
        return EXO_ALREADY_EXISTS;
    }
    made = names->live >= names->most
               ? (struct exo_name_record *)EXO_NULL
               : (struct exo_name_record *)(void *)exo_table_take(&names->records);
    if (made == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    cds_lfht_node_init(&made->node);
    made->value = value;
    made->hash = hash;
    made->text = *text;
    (void)exo_reference_begin(&made->item.state, 0);
    *handle = exo_table_handle(&made->item);
    urcu_bp_read_lock();
    cds_lfht_add(names->table, (unsigned long)hash, &made->node);
    urcu_bp_read_unlock();
    names->live++;
    return EXO_OK;
}

EXO_INLINE EXO_MUST_USE exo_status exo_names_add(struct exo_names *names, const char *name, exo_size bytes, exo_u64 value,
                                                 exo_u64 *record)
{
    struct exo_name_text text;
    exo_status status = exo_name_check(name, bytes);
    exo_u32 grow = 0;
    if (status != EXO_OK) {
        return status;
    }
    exo_name_text_pvt(&text, name, bytes);
    exo_port_lock(&names->lock);
    status = exo_names_enter_pvt(names, &text, value, record);
    if (names->live > names->buckets && names->buckets < EXO_NAMES_MOST) {
        grow = names->buckets *= 2;
    }
    exo_port_unlock(&names->lock);
    if (grow != 0) {
        cds_lfht_resize(names->table, grow);
    }
    return status;
}

EXO_INLINE exo_status exo_names_remove(struct exo_names *names, exo_u64 record)
{
    struct exo_name_record *gone = (struct exo_name_record *)(void *)exo_table_at(&names->records, (exo_u32)record);
    exo_bool settle;
    if (gone == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    exo_port_lock(&names->lock);
    if (!exo_reference_close(&gone->item.state, (exo_u32)(record >> 32))) {
        exo_port_unlock(&names->lock);
        return EXO_NOT_FOUND;
    }
    urcu_bp_read_lock();
    (void)cds_lfht_del(names->table, &gone->node);
    urcu_bp_read_unlock();
    exo_reference_end(&gone->item.state);
    names->live--;
    gone->item.next = names->waiting;
    names->waiting = gone->item.index + 1;
    settle = ++names->waiters == EXO_NAMES_WAITING;
    exo_port_unlock(&names->lock);
    if (settle) {
        exo_names_settle_pvt(names);
    }
    return EXO_OK;
}

#endif
