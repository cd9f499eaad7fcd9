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
 * The bulletproof flavour, so that any thread may look up without having registered: liburcu does it in the thread's first
 * look-up. Names are spread over EXO_NAMES_TABLES tables, none of which grows beyond EXO_NAMES_BUCKETS: liburcu starts threads
 * to double a larger one, and no call of ours starts any. So there are two million buckets at most.
 */
#ifndef EXO_PORT_LINUX_NAMES_URCU_H
#define EXO_PORT_LINUX_NAMES_URCU_H

#include <stddef.h>
#include <urcu/rculfhash.h>
#include <urcu/urcu-bp.h>

#include "exo_ipc/shared_memory/name_text.h"
#include "exo_ipc/shared_memory/table.h"

#define EXO_NAMES_TABLES 256u
#define EXO_NAMES_FIRST 4u       /* buckets of each at first */
#ifndef EXO_NAMES_BUCKETS
#define EXO_NAMES_BUCKETS 8192u  /* and at most. Fewer only where tests want that to be reached */
#endif
#define EXO_NAMES_WAITING 64u    /* records that wait for one grace period */

/* A name. Nothing of it changes while a reader may see it. */
struct exo_name_record {
    struct exo_table_item item; /* item.next, of those that wait: number of the next + 1 */
    struct cds_lfht_node node;
    exo_u64 value;
    struct exo_name_text text;
};

/* The names whose hash has the same high byte. */
struct exo_names_table {
    struct cds_lfht *names;
    exo_u32 buckets;
    exo_u32 live;
};

/**
 * struct exo_names - an index of names. Its members are the library's.
 * @waiting: number of the first record that waits for a grace period + 1, of @waiters
 */
struct exo_names {
    struct exo_table records;
    struct exo_names_table table[EXO_NAMES_TABLES];
    exo_u64 seed;
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

/* Which table a hash belongs to; within it, liburcu goes by the low bits. */
EXO_INLINE exo_u32 exo_names_table_pvt(exo_u64 hash)
{
    return (exo_u32)(hash >> 56) % EXO_NAMES_TABLES;
}

/* What liburcu asks of two names of one hash. */
EXO_INLINE int exo_name_match_pvt(struct cds_lfht_node *node, const void *key)
{
    const struct exo_name_text *text = (const struct exo_name_text *)key;
    const struct exo_name_text *other = &exo_name_record_pvt(node)->text;
    return other->bytes == text->bytes &&
           __builtin_memcmp(other->word, text->word, (text->bytes / 8 + 1) * sizeof(exo_word64)) == 0;
}

EXO_INLINE void exo_names_table_fini_pvt(struct exo_names_table *table)
{
    struct cds_lfht_iter at;
    if (table->names == EXO_NULL) {
        return;
    }
    urcu_bp_read_lock();
    for (cds_lfht_first(table->names, &at); cds_lfht_iter_get_node(&at) != EXO_NULL; cds_lfht_next(table->names, &at)) {
        (void)cds_lfht_del(table->names, cds_lfht_iter_get_node(&at));
    }
    urcu_bp_read_unlock();
    (void)cds_lfht_destroy(table->names, NULL);
    table->names = (struct cds_lfht *)EXO_NULL;
}

/* Nobody looks any more. */
EXO_INLINE void exo_names_fini(struct exo_names *names)
{
    exo_u32 i;
    for (i = 0; i < EXO_NAMES_TABLES; i++) {
        exo_names_table_fini_pvt(&names->table[i]);
    }
    exo_table_fini(&names->records);
}

/* As shared_memory/names.h says it. */
EXO_INLINE EXO_MUST_USE exo_status exo_names_init(struct exo_names *names, exo_u64 seed, exo_u32 most)
{
    exo_u32 i;
    __builtin_memset(names, 0, sizeof(*names));
    exo_table_init(&names->records, sizeof(struct exo_name_record), EXO_TABLE_NONE); /* those that wait are not counted */
    names->most = most;
    names->seed = seed;
    for (i = 0; i < EXO_NAMES_TABLES; i++) {
        struct exo_names_table *table = &names->table[i];
        table->buckets = EXO_NAMES_FIRST;
        table->names =
            cds_lfht_new_flavor(EXO_NAMES_FIRST, EXO_NAMES_FIRST, EXO_NAMES_BUCKETS, 0, &urcu_bp_flavor, NULL);
        if (table->names == EXO_NULL) {
            exo_names_fini(names);
            return EXO_NO_MEMORY;
        }
    }
    return EXO_OK;
}

EXO_INLINE exo_bool exo_names_look_pvt(const struct exo_names *names, const struct exo_name_text *text, exo_u64 hash,
                                       exo_u64 *value)
{
    struct cds_lfht_node *node;
    struct cds_lfht_iter at;
    urcu_bp_read_lock();
    cds_lfht_lookup(names->table[exo_names_table_pvt(hash)].names, (unsigned long)hash, exo_name_match_pvt, text, &at);
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

/* Under the lock. The table that is to have more buckets now, or null. */
EXO_INLINE struct exo_names_table *exo_names_link_pvt(struct exo_names *names, struct exo_name_record *made, exo_u64 hash)
{
    struct exo_names_table *table = &names->table[exo_names_table_pvt(hash)];
    urcu_bp_read_lock();
    cds_lfht_add(table->names, (unsigned long)hash, &made->node);
    urcu_bp_read_unlock();
    names->live++;
    if (++table->live <= table->buckets || table->buckets == EXO_NAMES_BUCKETS) {
        return (struct exo_names_table *)EXO_NULL;
    }
    table->buckets *= 2;
    return table;
}

EXO_INLINE EXO_MUST_USE exo_status exo_names_add(struct exo_names *names, const char *name, exo_size bytes, exo_u64 value,
                                                 exo_u64 *record)
{
    struct exo_names_table *grown = (struct exo_names_table *)EXO_NULL;
    struct exo_name_record *made = (struct exo_name_record *)EXO_NULL;
    struct exo_name_text text;
    exo_status status = exo_name_check(name, bytes);
    exo_u32 buckets;
    exo_u64 other = 0;
    exo_u64 hash;
    if (status != EXO_OK) {
        return status;
    }
    exo_name_text_pvt(&text, name, bytes);
    hash = exo_name_hash_pvt(names->seed, &text);
    exo_port_lock(&names->lock);
    if (exo_names_look_pvt(names, &text, hash, &other)) {
        status = EXO_ALREADY_EXISTS;
    } else if (names->live < names->most) {
        made = (struct exo_name_record *)(void *)exo_table_take(&names->records);
    }
    if (made != EXO_NULL) {
        cds_lfht_node_init(&made->node);
        made->value = value;
        made->text = text;
        (void)exo_reference_begin(&made->item.state, 0);
        *record = exo_table_handle(&made->item);
        grown = exo_names_link_pvt(names, made, hash);
    } else if (status == EXO_OK) {
        status = EXO_NO_MEMORY;
    }
    buckets = grown == EXO_NULL ? 0 : grown->buckets;
    exo_port_unlock(&names->lock);
    if (grown != EXO_NULL) {
        cds_lfht_resize(grown->names, buckets);
    }
    return status;
}

EXO_INLINE exo_status exo_names_remove(struct exo_names *names, exo_u64 record)
{
    struct exo_name_record *gone = (struct exo_name_record *)(void *)exo_table_at(&names->records, (exo_u32)record);
    struct exo_names_table *table;
    exo_bool settle;
    if (gone == EXO_NULL) {
        return EXO_NOT_FOUND;
    }
    exo_port_lock(&names->lock);
    if (!exo_reference_close(&gone->item.state, (exo_u32)(record >> 32))) {
        exo_port_unlock(&names->lock);
        return EXO_NOT_FOUND;
    }
    table = &names->table[exo_names_table_pvt(exo_name_hash_pvt(names->seed, &gone->text))];
    urcu_bp_read_lock();
    (void)cds_lfht_del(table->names, &gone->node);
    urcu_bp_read_unlock();
    exo_reference_end(&gone->item.state);
    table->live--;
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
