/* SPDX-License-Identifier: MIT */
/*
 * Tables that grow and never move: items of one size, in chunks of doubling size.
 *
 *   chunk 0: items 0 .. first - 1      chunk 1: first .. 3 first - 1      chunk 2: 3 first .. 7 first - 1 ...
 *
 * An item's place is found from its number by counting leading zeros, without a lock and without a search; it stays where
 * it is, and what it is, until the table ends, so a stale number leads to a place that says that it is another's
 * (reference.h). Taking and giving back are the owner's, under a lock of his.
 *
 * Memory comes from the port's pages when it is needed, and goes back with the table.
 */
#ifndef EXO_IPC_SHARED_MEMORY_TABLE_H
#define EXO_IPC_SHARED_MEMORY_TABLE_H

#include "../port_pages.h"
#include "reference.h"

#define EXO_TABLE_CHUNKS 28u
#define EXO_TABLE_NONE 0xFFFFFFFFu

/* What every item begins with. */
struct exo_table_item {
    exo_word64 state; /* reference.h */
    exo_u32 next;     /* of those that are not in use; its owner's while it is */
    exo_u32 index;
};

/**
 * struct exo_table - a table. Its members are the library's.
 */
struct exo_table {
    exo_uptr chunk[EXO_TABLE_CHUNKS]; /* read without the lock once `grown` says so */
    exo_u32 grown;                    /* items that there are */
    exo_u32 most;
    exo_u32 free; /* the first that is not in use */
    exo_u32 used;
    exo_u32 first_shift;
    exo_size item_bytes;
};

/**
 * exo_table_init - make an empty table. It takes no memory yet.
 * @table: in the caller's memory
 * @item_bytes: of an item, which begins with a struct exo_table_item
 * @most: how many items there may be at most
 */
EXO_INLINE void exo_table_init(struct exo_table *table, exo_size item_bytes, exo_u32 most)
{
    exo_u32 shift = 0;
    table->item_bytes = (exo_size)exo_align_up(item_bytes, 8u);
    while (shift < 6 && (table->item_bytes << (shift + 1)) <= EXO_PORT_PAGE_BYTES) {
        shift++;
    }
    table->first_shift = shift;
    table->most = most;
    table->free = EXO_TABLE_NONE;
    table->used = 0;
    exo_store32(&table->grown, 0u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
}

EXO_INLINE exo_size exo_table_chunk_bytes_pvt(const struct exo_table *table, exo_u32 chunk)
{
    return (exo_size)exo_align_up(table->item_bytes << (table->first_shift + chunk), EXO_PORT_PAGE_BYTES);
}

/* The item of a number that is below `grown`. */
EXO_HOT struct exo_table_item *exo_table_item_pvt(const struct exo_table *table, exo_u32 index)
{
    exo_u64 scaled = ((exo_u64)index >> table->first_shift) + 1;
    exo_u32 chunk = exo_log2(scaled);
    exo_size within = index - (exo_size)((((exo_u64)1 << chunk) - 1) << table->first_shift);
    return (struct exo_table_item *)(table->chunk[chunk] + within * table->item_bytes);
}

/**
 * exo_table_at - the place of a number.
 * @table: the table  @index: any number
 *
 * Returns: the item, in use or not; null if there is none. Context: any. Progress: wait-free.
 */
EXO_HOT struct exo_table_item *exo_table_at(const struct exo_table *table, exo_u32 index)
{
    /* [table:at] pairs [table:grow] */
    if (EXO_UNLIKELY(index >= exo_load32(&table->grown, EXO_ACQUIRE))) {
        return (struct exo_table_item *)EXO_NULL;
    }
    return exo_table_item_pvt(table, index);
}

/* One chunk more; all its items in line. */
EXO_COLD exo_bool exo_table_grow_pvt(struct exo_table *table)
{
    exo_u32 grown = exo_load32(&table->grown, EXO_RELAXED); /* relaxed: only we change it */
    exo_u32 chunk = exo_log2(((exo_u64)grown >> table->first_shift) + 1);
    exo_u64 more = (exo_u64)1 << (table->first_shift + chunk);
    exo_u8 *memory;
    exo_u64 i;
    if (grown >= table->most || chunk >= EXO_TABLE_CHUNKS ||
        table->item_bytes > EXO_SIZE_MAX >> (table->first_shift + chunk + 1)) {
        return EXO_FALSE;
    }
    memory = (exo_u8 *)exo_port_page_alloc(exo_table_chunk_bytes_pvt(table, chunk));
    if (memory == EXO_NULL) {
        return EXO_FALSE;
    }
    table->chunk[chunk] = (exo_uptr)memory;
    for (i = 0; i < more && grown + i < table->most; i++) {
        struct exo_table_item *item = (struct exo_table_item *)(void *)(memory + (exo_size)i * table->item_bytes);
        item->index = grown + (exo_u32)i;
        item->next = i + 1 < more && item->index + 1 < table->most ? item->index + 1 : EXO_TABLE_NONE;
    }
    table->free = grown;
    exo_store32(&table->grown, grown + (exo_u32)i, EXO_RELEASE); /* [table:grow] pairs [table:at] */
    return EXO_TRUE;
}

/**
 * exo_table_take - an item that is not in use. What it held before is still in it; zero where it is new.
 * @table: the table; the caller holds its lock
 *
 * Returns: the item, whose state says that nothing is there; null without memory, or when there are as many as may be.
 * Context: not from an interrupt.
 */
EXO_INLINE struct exo_table_item *exo_table_take(struct exo_table *table)
{
    struct exo_table_item *item;
    if (table->free == EXO_TABLE_NONE && !exo_table_grow_pvt(table)) {
        return (struct exo_table_item *)EXO_NULL;
    }
    item = exo_table_item_pvt(table, table->free);
    table->free = item->next;
    table->used++;
    return item;
}

/**
 * exo_table_give - an item is not in use any more. One that has used up its generations is not taken again.
 * @table: the table; the caller holds its lock  @item: its state says that nothing is there
 */
EXO_INLINE void exo_table_give(struct exo_table *table, struct exo_table_item *item)
{
    table->used--;
    if (!exo_reference_worn(&item->state)) {
        item->next = table->free;
        table->free = item->index;
    }
}

/* The name of what is in a place: generation and number, never 0. */
EXO_INLINE exo_u64 exo_table_handle(const struct exo_table_item *item)
{
    exo_u64 state = exo_load64(&item->state, EXO_RELAXED); /* relaxed: it stays while the caller holds it */
    return state >> 32 << 32 | item->index;
}

/* The bytes of memory that a table has taken. */
EXO_INLINE exo_u64 exo_table_bytes(const struct exo_table *table)
{
    exo_u32 grown = exo_load32(&table->grown, EXO_RELAXED); /* relaxed: a figure */
    exo_u64 bytes = 0;
    exo_u64 items = 0;
    exo_u32 chunk;
    for (chunk = 0; chunk < EXO_TABLE_CHUNKS && items < grown; chunk++) {
        items += (exo_u64)1 << (table->first_shift + chunk);
        bytes += exo_table_chunk_bytes_pvt(table, chunk);
    }
    return bytes;
}

/**
 * exo_table_fini - give a table's memory back. Nobody looks at it any more.
 */
EXO_INLINE void exo_table_fini(struct exo_table *table)
{
    exo_u64 items = 0;
    exo_u32 chunk;
    exo_u32 grown = exo_load32(&table->grown, EXO_RELAXED); /* relaxed: nobody else is there */
    for (chunk = 0; chunk < EXO_TABLE_CHUNKS && items < grown; chunk++) {
        items += (exo_u64)1 << (table->first_shift + chunk);
        exo_port_page_free((void *)table->chunk[chunk], exo_table_chunk_bytes_pvt(table, chunk));
    }
    exo_table_init(table, table->item_bytes, table->most);
}

#endif
