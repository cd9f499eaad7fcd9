/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: map, unmap, protect, and what a processor has loaded.
 *
 * Everything is checked before anything is changed: map finds the range free, unmap and protect find all of it mapped, or
 * they refuse. Pages of 2 MiB are used where both addresses and the length allow it, and are split when only a part of one
 * is meant. A change is finished when tlb_flush() has returned, under the space's lock: nobody maps a place anew of which a
 * processor still has the old translation.
 */
#include "memory.h"
#include "cpu.h"
#include "lock.h"

#define MAP_FLAGS                                                                                  \
    (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_EXEC | EXO_MAP_USER | EXO_MAP_WRITE_THROUGH |          \
     EXO_MAP_CACHE_DISABLED)

struct exo_port_space kernel_space;

static exo_bool is_kernel(const struct exo_port_space *space)
{
    return space == &kernel_space;
}

static exo_u64 bits_of(const struct exo_port_space *space, exo_u32 flags)
{
    exo_u64 bits = ENTRY_PRESENT; /* what is present can be read: the processor has no bit for that */
    bits |= (flags & EXO_MAP_WRITE) != 0 ? ENTRY_WRITE : 0;
    bits |= (flags & EXO_MAP_EXEC) != 0 ? 0 : ENTRY_NO_EXECUTE;
    bits |= (flags & EXO_MAP_USER) != 0 ? ENTRY_USER : 0;
    bits |= (flags & EXO_MAP_WRITE_THROUGH) != 0 ? ENTRY_WRITE_THROUGH : 0;
    bits |= (flags & EXO_MAP_CACHE_DISABLED) != 0 ? ENTRY_CACHE_DISABLED : 0;
    bits |= is_kernel(space) ? ENTRY_GLOBAL : 0;
    return bits;
}

static exo_bool flags_are_good(const struct exo_port_space *space, exo_u32 flags)
{
    exo_u32 both = EXO_MAP_WRITE | EXO_MAP_EXEC;
    /* What is not the user's is not in the user's half: the kernel reads and writes there in the user's name, and the
     * processor would allow it more than the user. */
    return (flags & ~MAP_FLAGS) == 0 && (flags & both) != both && is_kernel(space) == ((flags & EXO_MAP_USER) == 0);
}

/* Whether mappings may be there: not in the kernel's half for a process, not in the direct map or the image for the
 * kernel. */
static exo_bool range_is_good(const struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    exo_uptr begin = is_kernel(space) ? AREA_BASE : USER_BEGIN;
    exo_uptr end = is_kernel(space) ? AREA_END : USER_END;
    return bytes != 0 && (virt | bytes) % PAGE_BYTES == 0 && virt >= begin && virt < end && bytes <= end - virt;
}

/* A free range with a free page on either side, so that who runs over the end of a mapping is caught. 0: none. With its
 * first entry, or null, as paging_free_pages() has it: then nobody need walk there again. */
static exo_uptr choose(struct exo_port_space *space, exo_size bytes, exo_size align, exo_u64 **entry)
{
    exo_uptr first = (is_kernel(space) ? AREA_BASE : USER_CHOSEN) + LARGE_PAGE_BYTES;
    exo_uptr end = (is_kernel(space) ? AREA_END : USER_END) - PAGE_BYTES;
    exo_uptr at = space->cursor > first ? (space->cursor + align - 1) & ~(align - 1) : first;
    exo_u32 laps = 0;
    while (laps < 2) {
        exo_uptr used;
        if (at >= end || bytes > end - at) {
            at = first;
            laps++;
            continue;
        }
        *entry = paging_free_pages(space, at - PAGE_BYTES, at + bytes + PAGE_BYTES);
        if (EXO_LIKELY(*entry != EXO_NULL)) {
            ++*entry;
            space->cursor = at + bytes + PAGE_BYTES;
            return at;
        }
        used = paging_first_used(space, at - PAGE_BYTES, at + bytes + PAGE_BYTES);
        if (used == 0) {
            space->cursor = at + bytes + PAGE_BYTES;
            return at;
        }
        at = (used + PAGE_BYTES + align - 1) & ~(align - 1);
    }
    return 0;
}

exo_uptr paging_fill(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr virt, exo_u64 bits)
{
    exo_uptr at = virt;
    exo_u64 *entry = (exo_u64 *)EXO_NULL;
    while (at < virt + bytes) {
        exo_u64 here = phys + (at - virt);
        exo_bool large = (here | at) % LARGE_PAGE_BYTES == 0 && virt + bytes - at >= LARGE_PAGE_BYTES;
        if (entry != EXO_NULL && at % LARGE_PAGE_BYTES != 0) {
            entry++; /* of the same table */
        } else {
            entry = paging_make(space, at, large ? LEVEL_LARGE : LEVEL_PAGE);
            if (entry == EXO_NULL) {
                break;
            }
        }
        paging_set(entry, here | bits | (large ? ENTRY_LARGE : 0));
        at += large ? LARGE_PAGE_BYTES : PAGE_BYTES;
    }
    return at;
}

static void drop_range(struct exo_port_space *space, exo_uptr virt, exo_uptr end)
{
    struct tlb_batch batch;
    exo_uptr next;
    tlb_batch_init(&batch, space);
    while (virt < end) {
        next = paging_drop(&batch, virt);
        if (next == 0) { /* a hole */
            next = paging_first_used(space, virt, end);
            virt = next == 0 ? end : next - PAGE_BYTES;
        } else {
            virt = next;
        }
    }
    tlb_flush(&batch);
}

/* In line: what the call would cost, twice, is a tenth of a map. */
EXO_HOT exo_status map_locked(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags)
{
    exo_size align = (phys | bytes) % LARGE_PAGE_BYTES == 0 ? LARGE_PAGE_BYTES : PAGE_BYTES;
    exo_uptr at = *virt;
    exo_u64 *entry = (exo_u64 *)EXO_NULL;
    exo_u64 bits;
    if (!flags_are_good(space, flags) || phys % PAGE_BYTES != 0 || (phys & ~ENTRY_ADDRESS) != 0 ||
        bytes == 0 || bytes > ENTRY_ADDRESS - phys || bytes % PAGE_BYTES != 0 ||
        (at != 0 && !range_is_good(space, at, bytes))) {
        return EXO_INVALID_ARGUMENT;
    }
    if (at == 0) {
        at = choose(space, bytes, align, &entry);
        if (at == 0) {
            return EXO_NO_MEMORY;
        }
    } else if (paging_first_used(space, at, at + bytes) != 0) {
        return EXO_ALREADY_EXISTS;
    }
    bits = bits_of(space, flags);
    if (entry == EXO_NULL) {
        exo_uptr end = paging_fill(space, phys, bytes, at, bits);
        if (end != at + bytes) {
            drop_range(space, at, end);
            return EXO_NO_MEMORY;
        }
    } else {
        exo_size done;
        for (done = 0; done < bytes; done += PAGE_BYTES) {
            paging_set(entry++, (phys + done) | bits);
        }
    }
    *virt = at;
    return EXO_OK;
}

exo_status paging_map_locked(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags)
{
    return map_locked(space, phys, bytes, virt, flags);
}

exo_status paging_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags)
{
    exo_status status;
    kernel_lock(&space->lock);
    status = map_locked(space, phys, bytes, virt, flags);
    kernel_unlock(&space->lock);
    return status;
}

/* Makes an address the begin of an entry, where it lies within the large page that has the page at `in`. */
static exo_bool cut(struct exo_port_space *space, exo_uptr virt, exo_uptr in)
{
    exo_u32 level;
    return virt % LARGE_PAGE_BYTES == 0 || paging_split(paging_entry(space, in, &level));
}

/* Whether all of a range is mapped, and then makes its ends ends of entries. */
static exo_status prepare_change(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    exo_uptr at = virt;
    exo_u32 first = 0;
    exo_u32 last = 0;
    while (at < virt + bytes) {
        const exo_u64 *entry = paging_entry(space, at, &last);
        if ((exo_load64(entry, EXO_RELAXED) & ENTRY_PRESENT) == 0) { /* relaxed: writers hold the lock */
            return EXO_NOT_FOUND;
        }
        first = first == 0 ? last : first;
        at = (at | (level_bytes(last) - 1)) + 1;
    }
    if (first == LEVEL_LARGE && !cut(space, virt, virt)) {
        return EXO_NO_MEMORY;
    }
    /* The same large page may have been cut for the begin. */
    if (last == LEVEL_LARGE) {
        (void)paging_entry(space, virt + bytes - 1, &last);
    }
    return last != LEVEL_LARGE || cut(space, virt + bytes, virt + bytes - 1) ? EXO_OK : EXO_NO_MEMORY;
}

exo_status paging_unmap_locked(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    exo_status status;
    if (!range_is_good(space, virt, bytes)) {
        return EXO_INVALID_ARGUMENT;
    }
    status = prepare_change(space, virt, bytes);
    if (status == EXO_OK) {
        drop_range(space, virt, virt + bytes);
    }
    return status;
}

exo_status paging_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    exo_status status;
    kernel_lock(&space->lock);
    status = paging_unmap_locked(space, virt, bytes);
    kernel_unlock(&space->lock);
    return status;
}

/* Processors forget old translations also where rights are only added: with an old one, a write that is allowed now would
 * fault. */
exo_status paging_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags)
{
    struct tlb_batch batch;
    exo_uptr at = virt;
    exo_status status;
    if (!flags_are_good(space, flags) || !range_is_good(space, virt, bytes)) {
        return EXO_INVALID_ARGUMENT;
    }
    tlb_batch_init(&batch, space);
    kernel_lock(&space->lock);
    status = prepare_change(space, virt, bytes);
    while (status == EXO_OK && at < virt + bytes) {
        exo_u32 level;
        exo_u64 *entry = paging_entry(space, at, &level);
        exo_u64 stays = ENTRY_ADDRESS | (level == LEVEL_LARGE ? ENTRY_LARGE : 0);
        /* relaxed: writers hold the lock, and tlb_flush() tells the processors */
        exo_store64(entry, (exo_load64(entry, EXO_RELAXED) & stays) | bits_of(space, flags), EXO_RELAXED);
        tlb_batch_add(&batch, at);
        at += level_bytes(level);
    }
    tlb_flush(&batch);
    kernel_unlock(&space->lock);
    return status;
}

exo_status space_init(struct exo_port_space *space)
{
    exo_u64 *root;
    const exo_u64 *kernel = (const exo_u64 *)direct(kernel_space.root);
    exo_size i;
    space->root = frames_alloc(PAGE_BYTES);
    if (space->root == EXO_NO_FRAME) {
        return EXO_NO_MEMORY;
    }
    space->lock = 0;
    space->cpus = 0;
    space->cursor = 0;
    root = (exo_u64 *)direct(space->root);
    for (i = 256; i < 512; i++) {
        root[i] = kernel[i]; /* never change: the tables that they name are made at the beginning, and stay */
    }
    return EXO_OK;
}

void space_fini(struct exo_port_space *space)
{
    drop_range(space, USER_BEGIN, USER_END);
    (void)frames_free(space->root, PAGE_BYTES);
    space->root = EXO_NO_FRAME;
}

void space_load(struct exo_port_space *space)
{
    struct cpu *cpu = cpu_this();
    struct exo_port_space *former = cpu->space;
    exo_u32 bit = 1u << cpu->number;
    if (former == space) {
        return;
    }
    if (!is_kernel(space)) {
        (void)exo_fetch_or32(&space->cpus, bit, EXO_RELAXED); /* relaxed: the fence follows */
        /* [space:enter] pairs [tlb:fence]: who changes an entry and does not see the bit has changed it before this
         * processor reads it. */
        exo_fence_seq();
    }
    cr3_write(space->root);
    cpu->space = space;
    if (!is_kernel(former)) {
        (void)exo_fetch_and32(&former->cpus, ~bit, EXO_RELEASE); /* [space:leave] pairs [tlb:look] */
    }
}
