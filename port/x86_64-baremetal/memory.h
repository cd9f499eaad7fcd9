/* SPDX-License-Identifier: MIT */
/*
 * Memory: the map, frames, page tables, and the caches of those.
 */
#ifndef BAREMETAL_MEMORY_H
#define BAREMETAL_MEMORY_H

#include "layout.h"
#include "start_info.h"
#include "exo_ipc/port.h"

/* All RAM is mapped at DIRECT_BASE. */
EXO_INLINE void *direct(exo_u64 phys)
{
    return (void *)(exo_uptr)(phys + DIRECT_BASE);
}

EXO_INLINE exo_u64 direct_phys(const void *memory)
{
    return (exo_u64)(exo_uptr)memory - DIRECT_BASE;
}

/* The image, by kernel.ld. */
extern char image_load[], image_text[], image_rodata[], image_data[], image_end[];

EXO_INLINE exo_u64 image_phys(const void *symbol)
{
    return (exo_u64)(exo_uptr)symbol - IMAGE_BASE;
}

/* memory_map.c: whole pages of RAM, sorted, apart from each other. */
#define MEMORY_RANGES 32

struct memory_range {
    exo_u64 begin;
    exo_u64 end;
};

struct memory_map {
    struct memory_range range[MEMORY_RANGES];
    exo_u32 count;
};

void memory_map_add(struct memory_map *map, exo_u64 begin, exo_u64 bytes);
void memory_map_remove(struct memory_map *map, exo_u64 begin, exo_u64 end);
exo_u64 memory_map_bytes(const struct memory_map *map);
void memory_map_read(struct memory_map *map, const struct start_info *info);

/* frames.c */
struct frame {
    exo_u8 state;
    exo_u8 order;    /* of a free block, at its first frame */
    exo_u16 entries; /* of a page table: how many are in use */
};

/* How much there is, and what went wrong. */
struct frames_count {
    exo_u64 total_bytes;
    exo_u64 free_bytes;
    exo_u64 refused; /* what was given back that was not out */
};

void frames_add(exo_u64 begin, exo_u64 end);
exo_u64 frames_alloc(exo_size bytes);
exo_status frames_free(exo_u64 phys, exo_size bytes);
struct frame *frame_of(exo_u64 phys);
struct frames_count frames_counted(void);
/* Lets the allocation after so many more fail, once; 0: the next one. ~0: none. For tests. */
void frames_fail_after(exo_u64 allocations);

/* paging.c */
#define ENTRY_PRESENT        0x1ull
#define ENTRY_WRITE          0x2ull
#define ENTRY_USER           0x4ull
#define ENTRY_WRITE_THROUGH  0x8ull
#define ENTRY_CACHE_DISABLED 0x10ull
#define ENTRY_LARGE          0x80ull
#define ENTRY_GLOBAL         0x100ull
#define ENTRY_NO_EXECUTE     0x8000000000000000ull
#define ENTRY_ADDRESS        0x000FFFFFFFFFF000ull

#define LEVEL_PAGE  1u
#define LEVEL_LARGE 2u
#define LEVEL_ROOT  4u

/**
 * struct exo_port_space - an address space.
 * @root: physical address of its root table
 * @lock: guards the tables
 * @cpus: bit n: processor n may hold entries of it in its TLB. Set by that one before it loads the root, cleared by it
 *   after it has loaded another
 * @cursor: where to look first for a free place
 */
struct exo_port_space {
    exo_u64 root;
    exo_u32 lock;
    exo_u32 cpus;
    exo_uptr cursor;
};

extern struct exo_port_space kernel_space;

exo_status space_init(struct exo_port_space *space);
/* Takes everything out of it, tables too. No processor may have it loaded. */
void space_fini(struct exo_port_space *space);
/* On this processor, with interrupts off. */
void space_load(struct exo_port_space *space);

/* See exo_port_map(), exo_port_unmap(), exo_port_protect(). */
exo_status paging_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags);
exo_status paging_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes);
exo_status paging_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags);

/* The first two for who holds the space's lock. */
exo_status paging_map_locked(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags);
exo_status paging_unmap_locked(struct exo_port_space *space, exo_uptr virt, exo_size bytes);

/**
 * paging_move - pages leave one process and come to another, paging_move.c.
 * @from, @virt, @bytes: all of it mapped, on frames that follow each other
 * @to, @there, @flags: as exo_port_map(); whether the receiver may have these rights, the caller knows
 *
 * When this returns no processor reaches them by the old addresses. The frames' owner in any books is the caller's to
 * change.
 *
 * Returns: EXO_OK; EXO_NOT_FOUND: not mapped like that; else as exo_port_map(). On an error nothing has moved.
 */
exo_status paging_move(struct exo_port_space *from, exo_uptr virt, exo_size bytes, struct exo_port_space *to,
                       exo_uptr *there, exo_u32 flags);

/* The entry that decides about an address, and its level: a leaf, or the first on the way that is absent. */
exo_u64 *paging_entry(struct exo_port_space *space, exo_uptr virt, exo_u32 *level);

/* Where an address leads; EXO_NO_FRAME: nowhere. Takes no lock: what is mapped as long as this lasts is found. */
exo_u64 paging_phys(struct exo_port_space *space, exo_uptr virt);

/* Fills a free range with entries of these bits, as large ones as fit. Returns where it ended: early without memory. */
exo_uptr paging_fill(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr virt, exo_u64 bits);

/* paging_walk.c: one entry, and the tables above it. */
struct tlb_batch;

EXO_INLINE exo_size level_bytes(exo_u32 level)
{
    return (exo_size)PAGE_BYTES << 9 * (level - 1);
}

/* The entry of an address at a level, with the tables that are missing on the way; null: no memory, nothing changed. */
exo_u64 *paging_make(struct exo_port_space *space, exo_uptr virt, exo_u32 level);
/* Sets an entry that is absent. */
void paging_set(exo_u64 *entry, exo_u64 value);
/* Clears the leaf of an address, and takes out the tables that become empty. Returns its end; 0: there is none. */
exo_uptr paging_drop(struct tlb_batch *batch, exo_uptr virt);
/* Turns a large entry into a table of small ones that say the same. */
exo_bool paging_split(exo_u64 *entry);
/* The end of the first leaf in a range; 0: the range is free. */
exo_uptr paging_first_used(struct exo_port_space *space, exo_uptr begin, exo_uptr end);

/* The entry of a range's first page, if all of them are free and in one table; null: they are not, or there is no table. */
exo_u64 *paging_free_pages(struct exo_port_space *space, exo_uptr begin, exo_uptr end);

/* paging_kernel.c: the kernel's own tables over the map, from those of boot.S. */
void paging_kernel_init(const struct memory_map *ram);
/* A kernel stack with nothing mapped below it. Returns its top; 0: no memory. */
exo_uptr stack_alloc(void);
void stack_free(exo_uptr top);

/* tlb.c */
#define TLB_BATCH 32u

/**
 * struct tlb_batch - translations that have changed, and that no processor may know any more.
 * @count: of addresses; TLB_BATCH + 1: too many to name, all go
 * @tables: page tables that have become empty, linked through their first words; freed after the processors have
 *   forgotten them
 */
struct tlb_batch {
    struct exo_port_space *space;
    exo_u32 count;
    exo_u64 tables;
    exo_uptr address[TLB_BATCH];
};

void tlb_batch_init(struct tlb_batch *batch, struct exo_port_space *space);
void tlb_batch_add(struct tlb_batch *batch, exo_uptr address);
void tlb_flush(struct tlb_batch *batch);

/* A full fence on all processors; returns when all have passed it. */
void fence_everywhere(void);

/* Does what others have asked of this processor. Interrupts must be off. */
void mail_read(void);

#endif
