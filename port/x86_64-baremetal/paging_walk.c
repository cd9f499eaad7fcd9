/* SPDX-License-Identifier: MIT */
/*
 * One entry of the page tables, and the tables above it.
 *
 * A table is a frame; struct frame counts the entries that are in use, so that nobody has to look through 512 of them to
 * know that it is empty. Rights are decided by leaves alone: the entries of tables allow everything.
 *
 * Writers hold the space's lock. Processors read the tables at any time, and so does paging_phys(): an entry is one 64-bit
 * store, and a table is complete before it is linked.
 */
#include "memory.h"

EXO_HOT exo_u64 *table_of(exo_u64 entry)
{
    return (exo_u64 *)direct(entry & ENTRY_ADDRESS);
}

EXO_HOT exo_size index_of(exo_uptr virt, exo_u32 level)
{
    return virt >> (12 + 9 * (level - 1)) & 511u;
}

static struct frame *frame_of_entry(const exo_u64 *entry)
{
    return frame_of(direct_phys(entry));
}

/* One step of a walk: true if it goes on, in *table. */
EXO_HOT exo_bool step(exo_u64 **table, exo_uptr virt, exo_u32 at, exo_u64 **entry)
{
    exo_u64 value;
    *entry = &(*table)[index_of(virt, at)];
    value = exo_load64(*entry, EXO_ACQUIRE); /* [table:read] pairs [table:link], [table:set], [table:split] */
    *table = table_of(value);
    return (value & (ENTRY_PRESENT | ENTRY_LARGE)) == ENTRY_PRESENT; /* the root's entries have the latter clear */
}

/* Without a loop: a walk is what most of a map and an unmap consists of. */
exo_u64 *paging_entry(struct exo_port_space *space, exo_uptr virt, exo_u32 *level)
{
    exo_u64 *table = (exo_u64 *)direct(space->root);
    exo_u64 *entry;
    if (EXO_UNLIKELY(!step(&table, virt, LEVEL_ROOT, &entry))) {
        *level = LEVEL_ROOT;
        return entry;
    }
    if (EXO_UNLIKELY(!step(&table, virt, LEVEL_ROOT - 1, &entry))) {
        *level = LEVEL_ROOT - 1;
        return entry;
    }
    if (EXO_UNLIKELY(!step(&table, virt, LEVEL_LARGE, &entry))) {
        *level = LEVEL_LARGE;
        return entry;
    }
    *level = LEVEL_PAGE;
    return &table[index_of(virt, LEVEL_PAGE)];
}

exo_u64 paging_phys(struct exo_port_space *space, exo_uptr virt)
{
    exo_u32 level;
    const exo_u64 *entry = paging_entry(space, virt, &level);
    exo_u64 value = exo_load64(entry, EXO_ACQUIRE); /* [table:leaf] pairs [table:link], [table:set], [table:split] */
    if ((value & ENTRY_PRESENT) == 0) {
        return EXO_NO_FRAME;
    }
    return (value & ENTRY_ADDRESS) + (virt & (level_bytes(level) - 1));
}

void paging_set(exo_u64 *entry, exo_u64 value)
{
    frame_of_entry(entry)->entries++;
    exo_store64(entry, value, EXO_RELEASE); /* [table:set] pairs [table:read] */
}

/* Links the tables that are missing between an entry and one of a lower level. */
EXO_OUTLINE exo_u64 *make_tables(exo_u64 *entry, exo_u32 at, exo_uptr virt, exo_u32 level)
{
    exo_u64 made[LEVEL_ROOT];
    exo_u32 missing = at - level;
    exo_u32 count;
    exo_u64 tables = ENTRY_PRESENT | ENTRY_WRITE | (virt < USER_END ? ENTRY_USER : 0);
    /* All that is needed, before anything changes. */
    for (count = 0; count < missing; count++) {
        made[count] = frames_alloc(PAGE_BYTES);
        if (made[count] == EXO_NO_FRAME) {
            while (count-- != 0) {
                (void)frames_free(made[count], PAGE_BYTES);
            }
            return (exo_u64 *)EXO_NULL;
        }
    }
    for (count = 0; count < missing; count++) {
        frame_of_entry(entry)->entries++;
        exo_store64(entry, made[count] | tables, EXO_RELEASE); /* [table:link] pairs [table:read] */
        entry = table_of(made[count]) + index_of(virt, --at);
    }
    return entry;
}

exo_u64 *paging_make(struct exo_port_space *space, exo_uptr virt, exo_u32 level)
{
    exo_u32 at;
    exo_u64 *entry = paging_entry(space, virt, &at);
    return EXO_LIKELY(at <= level) ? entry : make_tables(entry, at, virt, level);
}

exo_uptr paging_drop(struct tlb_batch *batch, exo_uptr virt)
{
    exo_u64 *path[LEVEL_ROOT + 1];
    exo_u64 *table = (exo_u64 *)direct(batch->space->root);
    exo_uptr next;
    exo_u32 at;
    for (at = LEVEL_ROOT;; at--) {
        exo_u64 value;
        path[at] = &table[index_of(virt, at)];
        value = exo_load64(path[at], EXO_RELAXED); /* relaxed: writers hold the lock */
        if ((value & ENTRY_PRESENT) == 0) {
            return 0;
        }
        if (at == LEVEL_PAGE || (value & ENTRY_LARGE) != 0) {
            break;
        }
        table = table_of(value);
    }
    next = (virt | (level_bytes(at) - 1)) + 1;
    tlb_batch_add(batch, virt);
    for (;; at++) {
        exo_u64 empty;
        exo_store64(path[at], 0, EXO_RELAXED); /* relaxed: tlb_flush() sees to the order */
        if (--frame_of_entry(path[at])->entries != 0 || at == LEVEL_ROOT) {
            return next;
        }
        /* A processor may still walk through it, until it has forgotten the entry above. The link is the address of a
         * frame, whose bit 0 is clear: to the walker, an absent entry. */
        empty = direct_phys(path[at]) & ENTRY_ADDRESS;
        exo_store64((exo_u64 *)direct(empty), batch->tables, EXO_RELAXED); /* relaxed: same */
        batch->tables = empty;
    }
}

exo_bool paging_split(exo_u64 *entry)
{
    exo_u64 large = exo_load64(entry, EXO_RELAXED); /* relaxed: writers hold the lock */
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_u64 *table = (exo_u64 *)direct(phys);
    exo_size i;
    if (phys == EXO_NO_FRAME) {
        return EXO_FALSE;
    }
    for (i = 0; i < 512; i++) {
        table[i] = (large & ~ENTRY_LARGE) + i * PAGE_BYTES;
    }
    frame_of(phys)->entries = 512;
    /* The tables above allow all; what was allowed is in the leaves. Both ways say the same meanwhile. */
    phys |= ENTRY_PRESENT | ENTRY_WRITE | (large & ENTRY_USER);
    exo_store64(entry, phys, EXO_RELEASE); /* [table:split] pairs [table:read] */
    return EXO_TRUE;
}

/* The same among the entries of small pages, from one on: they lie side by side. */
EXO_HOT exo_uptr first_used_page(const exo_u64 *entry, exo_uptr at, exo_uptr end)
{
    for (; at < end; at += PAGE_BYTES, entry++) {
        if ((exo_load64(entry, EXO_ACQUIRE) & ENTRY_PRESENT) != 0) { /* [table:used] pairs [table:set], [table:split] */
            return at + PAGE_BYTES;
        }
    }
    return 0;
}

exo_uptr paging_first_used(struct exo_port_space *space, exo_uptr begin, exo_uptr end)
{
    exo_uptr at = begin;
    while (at < end) {
        exo_u32 level;
        const exo_u64 *entry = paging_entry(space, at, &level);
        exo_uptr next = (at | (level_bytes(level) - 1)) + 1;
        if (EXO_LIKELY(level == LEVEL_PAGE)) {
            exo_uptr table_end = (at | (LARGE_PAGE_BYTES - 1)) + 1;
            exo_uptr found = first_used_page(entry, at, end < table_end ? end : table_end);
            if (found != 0 || end <= table_end) {
                return found;
            }
            next = table_end;
        } else if ((exo_load64(entry, EXO_RELAXED) & ENTRY_PRESENT) != 0) { /* relaxed: read before, in order */
            return next;
        }
        at = next;
    }
    return 0;
}

exo_u64 *paging_free_pages(struct exo_port_space *space, exo_uptr begin, exo_uptr end)
{
    exo_u32 level;
    exo_u64 *entry;
    if ((begin ^ (end - 1)) >= LARGE_PAGE_BYTES) {
        return (exo_u64 *)EXO_NULL;
    }
    entry = paging_entry(space, begin, &level);
    return level == LEVEL_PAGE && first_used_page(entry, begin, end) == 0 ? entry : (exo_u64 *)EXO_NULL;
}
