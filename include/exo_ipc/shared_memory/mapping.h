/* SPDX-License-Identifier: MIT */
/*
 * Mappings: physical memory at an address of an address space, what it allows there, and which mapping an address is in.
 *
 * The mappings of a space stand in a zip tree: a search tree over their addresses, which is a heap over ranks that fall like
 * coin tosses, here tosses of a number mixed from the address. Inserting unzips the search path in two, removing zips
 * the two subtrees together; both are loops, touch O(log n) nodes, and need no balance to be kept. (R. Tarjan, C. Levy,
 * S. Timmel, "Zip Trees", 2019.) Who chooses addresses on purpose can make the tree of his own space deep, and no other's.
 *
 * Nodes are the caller's mappings themselves; nothing is allocated. All calls on a space may be made by several threads. Who
 * changes it has the turn, by a word on which others sleep: the port may sleep while it maps, and may have to wait for other
 * processors while it unmaps. The lock is for the tree alone, so that exo_mapping_at() need not wait for any of that.
 */
#ifndef EXO_IPC_SHARED_MEMORY_MAPPING_H
#define EXO_IPC_SHARED_MEMORY_MAPPING_H

#include "../port_pages.h"
#include "page.h"

/**
 * struct exo_shared_mapping - one mapping. Its members may be read, but the first three are the library's.
 * @virt_addr: the address of its first byte
 * @pages: the page that it shows, or null (exo_map_shared())
 * @size: in bytes
 * @flags: EXO_MAP_...
 */
struct exo_shared_mapping {
    struct exo_shared_mapping *left;
    struct exo_shared_mapping *right;
    struct exo_address_space *space; /* null: not mapped */
    exo_uptr virt_addr;
    struct exo_shared_page *pages;
    exo_size size;
    exo_u32 flags;
};

/**
 * struct exo_address_space - the mappings of an address space. Its members are the library's.
 */
struct exo_address_space {
    struct exo_port_space *port;
    struct exo_shared_mapping *root;
    exo_u32 turn; /* 0: nobody changes the space; 1: somebody does; 2: and somebody may sleep */
    exo_u32 lock; /* for the tree */
    exo_u32 count;
};

/**
 * exo_address_space_init - begin with an address space in which nothing of ours is mapped.
 * @space: in the caller's memory
 * @port: the port's; null: the caller's own
 */
EXO_INLINE void exo_address_space_init(struct exo_address_space *space, struct exo_port_space *port)
{
    space->port = port;
    space->root = (struct exo_shared_mapping *)EXO_NULL;
    space->turn = 0;
    space->lock = 0;
    space->count = 0;
}

/* Have the turn to change a space. After Ulrich Drepper, "Futexes Are Tricky" (2011), mutex 2. */
EXO_INLINE void exo_mapping_begin_pvt(struct exo_address_space *space)
{
    exo_u32 seen = 0;
    /* [mapping:begin] pairs [mapping:end], [mapping:end_wake] */
    if (exo_cas32(&space->turn, &seen, 1u, EXO_ACQUIRE)) {
        return;
    }
    for (;;) {
        seen = exo_load32(&space->turn, EXO_RELAXED); /* relaxed: the swap decides */
        if (seen == 0) {
            /* [mapping:begin_late] pairs [mapping:end], [mapping:end_wake] */
            if (exo_cas32(&space->turn, &seen, 2u, EXO_ACQUIRE)) {
                return;
            }
        } else if (seen == 2 || exo_cas32(&space->turn, &seen, 2u, EXO_RELAXED)) { /* relaxed: it is not ours yet */
            exo_port_wait(&space->turn, 2u, EXO_FOREVER, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
        }
        exo_cpu_relax();
    }
}

EXO_INLINE void exo_mapping_end_pvt(struct exo_address_space *space)
{
    exo_u32 seen = 1;
    /* [mapping:end] pairs [mapping:begin], [mapping:begin_late] */
    if (exo_cas32(&space->turn, &seen, 0u, EXO_RELEASE)) {
        return;
    }
    exo_store32(&space->turn, 0u, EXO_RELEASE); /* [mapping:end_wake] pairs [mapping:begin], [mapping:begin_late] */
    exo_port_wake(&space->turn, 1, EXO_FALSE);
}

/* How high a node stands: k with probability 2^-(k+1). */
EXO_INLINE exo_u32 exo_mapping_rank_pvt(const struct exo_shared_mapping *mapping)
{
    exo_u64 mixed = (exo_u64)mapping->virt_addr / EXO_PORT_PAGE_BYTES * 0x9E3779B97F4A7C15ull;
    return exo_lowest_bit((exo_u32)(mixed >> 32) | 1u << 31);
}

/* The mapping that an address is in, or null. */
EXO_INLINE struct exo_shared_mapping *exo_mapping_find_pvt(const struct exo_address_space *space, exo_uptr address)
{
    struct exo_shared_mapping *at = space->root;
    while (at != EXO_NULL && (address < at->virt_addr || address - at->virt_addr >= at->size)) {
        at = address < at->virt_addr ? at->left : at->right;
    }
    return at;
}

/* Whether something is mapped between two addresses. */
EXO_INLINE exo_bool exo_mapping_overlaps_pvt(const struct exo_address_space *space, exo_uptr from, exo_size size)
{
    const struct exo_shared_mapping *at = space->root;
    while (at != EXO_NULL) {
        if (from < at->virt_addr + at->size && at->virt_addr < from + size) {
            return EXO_TRUE;
        }
        at = from < at->virt_addr ? at->left : at->right;
    }
    return EXO_FALSE;
}

EXO_INLINE void exo_mapping_insert_pvt(struct exo_address_space *space, struct exo_shared_mapping *mapping)
{
    exo_u32 rank = exo_mapping_rank_pvt(mapping);
    struct exo_shared_mapping **link = &space->root;
    struct exo_shared_mapping **smaller = &mapping->left;
    struct exo_shared_mapping **larger = &mapping->right;
    struct exo_shared_mapping *at;
    while (*link != EXO_NULL) { /* down to where it belongs: below higher ones; among equals the smaller address is higher */
        exo_u32 other = exo_mapping_rank_pvt(*link);
        if (other < rank || (other == rank && mapping->virt_addr < (*link)->virt_addr)) {
            break;
        }
        link = mapping->virt_addr < (*link)->virt_addr ? &(*link)->left : &(*link)->right;
    }
    at = *link;
    *link = mapping;
    while (at != EXO_NULL) { /* unzip the rest of the path */
        if (at->virt_addr < mapping->virt_addr) {
            *smaller = at;
            smaller = &at->right;
            at = at->right;
        } else {
            *larger = at;
            larger = &at->left;
            at = at->left;
        }
    }
    *smaller = (struct exo_shared_mapping *)EXO_NULL;
    *larger = (struct exo_shared_mapping *)EXO_NULL;
    space->count++;
}

EXO_INLINE void exo_mapping_remove_pvt(struct exo_address_space *space, struct exo_shared_mapping *mapping)
{
    struct exo_shared_mapping **link = &space->root;
    struct exo_shared_mapping *smaller = mapping->left;
    struct exo_shared_mapping *larger = mapping->right;
    while (*link != mapping) {
        link = mapping->virt_addr < (*link)->virt_addr ? &(*link)->left : &(*link)->right;
    }
    while (smaller != EXO_NULL && larger != EXO_NULL) { /* zip them */
        if (exo_mapping_rank_pvt(smaller) >= exo_mapping_rank_pvt(larger)) {
            *link = smaller;
            link = &smaller->right;
            smaller = smaller->right;
        } else {
            *link = larger;
            link = &larger->left;
            larger = larger->left;
        }
    }
    *link = smaller != EXO_NULL ? smaller : larger;
    space->count--;
}

/* Whether a page allows that. */
EXO_INLINE exo_bool exo_page_allows_pvt(const struct exo_shared_page *page, exo_u32 flags)
{
    return ((flags & EXO_MAP_WRITE) == 0 || (page->flags & EXO_PAGE_WRITABLE) != 0) &&
           ((flags & EXO_MAP_EXEC) == 0 || (page->flags & EXO_PAGE_EXECUTABLE) != 0) &&
           ((flags & EXO_MAP_USER) == 0 || (page->flags & EXO_PAGE_USER_ACCESSIBLE) != 0);
}

/* What a mapping may ask for. */
EXO_INLINE exo_status exo_mapping_check_pvt(exo_uptr virt, exo_size size, exo_u32 flags)
{
    if (size == 0 || (size & (EXO_PORT_PAGE_BYTES - 1u)) != 0) {
        return EXO_INVALID_SIZE;
    }
    if ((virt & (EXO_PORT_PAGE_BYTES - 1u)) != 0 || virt + size < virt || flags == 0 || flags > EXO_MAP_FLAGS ||
        (flags & (EXO_MAP_WRITE | EXO_MAP_EXEC)) == (EXO_MAP_WRITE | EXO_MAP_EXEC)) {
        return EXO_INVALID_ARGUMENT;
    }
    return EXO_OK;
}

/* Map what is in order, and put it into the tree. */
EXO_INLINE exo_status exo_mapping_make_pvt(struct exo_address_space *space, struct exo_shared_mapping *mapping,
                                           struct exo_shared_page *page, exo_u64 phys, exo_size size, exo_uptr virt,
                                           exo_u32 flags)
{
    exo_status status;
    exo_mapping_begin_pvt(space);
    if (virt != 0 && exo_mapping_overlaps_pvt(space, virt, size)) {
        status = EXO_ALREADY_EXISTS;
    } else {
        status = exo_port_map(space->port, phys, size, &virt, flags);
    }
    /* Without an MMU the same memory cannot be seen twice by one space. */
    if (status == EXO_OK && exo_mapping_overlaps_pvt(space, virt, size)) {
        status = EXO_ALREADY_EXISTS;
    }
    if (status == EXO_OK) {
        mapping->space = space;
        mapping->virt_addr = virt;
        mapping->pages = page;
        mapping->size = size;
        mapping->flags = flags;
        exo_port_lock(&space->lock);
        exo_mapping_insert_pvt(space, mapping);
        exo_port_unlock(&space->lock);
    }
    exo_mapping_end_pvt(space);
    return status;
}

/**
 * exo_map_shared - map physical memory.
 * @space: where
 * @mapping: in the caller's memory, until exo_unmap(); written on success only
 * @phys: of a frame that stays, a multiple of the page
 * @size: in bytes, a multiple of the page
 * @virt: the address, a multiple of the page; 0: anywhere
 * @flags: EXO_MAP_READ, _WRITE, _EXEC, _USER, and how it is cached; write and exec together are refused
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS if something is mapped there; EXO_INVALID_SIZE; EXO_INVALID_ARGUMENT for an address or
 * flags that are none or contradict; EXO_NO_MEMORY; else as exo_port_map(). On an error nothing has changed.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_map_shared(struct exo_address_space *space, struct exo_shared_mapping *mapping,
                                                  exo_u64 phys, exo_size size, exo_uptr virt, exo_u32 flags)
{
    exo_status status = exo_mapping_check_pvt(virt, size, flags);
    if (status == EXO_OK && (phys & (EXO_PORT_PAGE_BYTES - 1u)) != 0) {
        status = EXO_INVALID_ARGUMENT;
    }
    return status == EXO_OK ? exo_mapping_make_pvt(space, mapping, (struct exo_shared_page *)EXO_NULL, phys, size, virt,
                                                   flags)
                            : status;
}

/**
 * exo_map - map a shared page. It is shared by one more until exo_unmap().
 * @space, @mapping, @virt, @flags: as exo_map_shared(); how it is cached is the page's to say
 * @page: the page; it must allow what @flags ask for
 *
 * Returns: as exo_map_shared(); EXO_PERMISSION_DENIED for more than the page allows; EXO_NOT_FOUND if its frame is gone.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_map(struct exo_address_space *space, struct exo_shared_mapping *mapping,
                                           struct exo_shared_page *page, exo_uptr virt, exo_u32 flags)
{
    exo_status status = exo_mapping_check_pvt(virt, (exo_size)page->size, flags);
    if (status == EXO_OK && (flags & (EXO_MAP_WRITE_THROUGH | EXO_MAP_CACHE_DISABLED)) != 0) {
        status = EXO_INVALID_ARGUMENT;
    }
    if (status == EXO_OK && !exo_page_allows_pvt(page, flags)) {
        status = EXO_PERMISSION_DENIED;
    }
    if (status == EXO_OK) {
        status = exo_clone_shared_page(page);
    }
    if (status != EXO_OK) {
        return status;
    }
    flags |= (page->flags & EXO_PAGE_WRITE_THROUGH) != 0 ? EXO_MAP_WRITE_THROUGH : 0u;
    flags |= (page->flags & EXO_PAGE_CACHE_DISABLED) != 0 ? EXO_MAP_CACHE_DISABLED : 0u;
    status = exo_mapping_make_pvt(space, mapping, page, page->phys_addr, (exo_size)page->size, virt, flags);
    if (status != EXO_OK) {
        exo_i64 freed = exo_free_shared_page(page);
        (void)freed;
    }
    return status;
}

/**
 * exo_unmap - take a mapping out of its space.
 * @space: the space  @mapping: one that is mapped there, or was
 *
 * Returns: EXO_OK: nobody reaches the memory by that address any more, and a page has one fewer that shares it;
 * EXO_NOT_FOUND if it is not mapped there. Context: not from an interrupt, may sleep.
 */
EXO_INLINE exo_status exo_unmap(struct exo_address_space *space, struct exo_shared_mapping *mapping)
{
    struct exo_shared_page *page = (struct exo_shared_page *)EXO_NULL;
    exo_status status = EXO_NOT_FOUND;
    exo_mapping_begin_pvt(space);
    if (exo_mapping_find_pvt(space, mapping->virt_addr) == mapping) {
        status = exo_port_unmap(space->port, mapping->virt_addr, mapping->size);
    }
    if (status == EXO_OK) {
        exo_port_lock(&space->lock);
        exo_mapping_remove_pvt(space, mapping);
        exo_port_unlock(&space->lock);
        page = mapping->pages;
        mapping->pages = (struct exo_shared_page *)EXO_NULL;
        mapping->space = (struct exo_address_space *)EXO_NULL;
    }
    exo_mapping_end_pvt(space);
    if (page != EXO_NULL) {
        exo_i64 freed = exo_free_shared_page(page);
        (void)freed;
    }
    return status;
}

/**
 * exo_protect - change what a mapping allows.
 * @space: the space  @mapping: one that is mapped there
 * @flags: EXO_MAP_READ, _WRITE, _EXEC, _USER, no more than the page allows; how it is cached stays
 *
 * Returns: EXO_OK: nobody does what is not allowed any more; EXO_NOT_FOUND; EXO_PERMISSION_DENIED; EXO_INVALID_ARGUMENT.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_protect(struct exo_address_space *space, struct exo_shared_mapping *mapping,
                                               exo_u32 flags)
{
    exo_status status = exo_mapping_check_pvt(0, EXO_PORT_PAGE_BYTES, flags);
    if (status != EXO_OK || (flags & (EXO_MAP_WRITE_THROUGH | EXO_MAP_CACHE_DISABLED)) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_mapping_begin_pvt(space);
    if (exo_mapping_find_pvt(space, mapping->virt_addr) != mapping) {
        status = EXO_NOT_FOUND;
    } else if (mapping->pages != EXO_NULL && !exo_page_allows_pvt(mapping->pages, flags)) {
        status = EXO_PERMISSION_DENIED;
    } else {
        flags |= mapping->flags & (EXO_MAP_WRITE_THROUGH | EXO_MAP_CACHE_DISABLED);
        status = exo_port_protect(space->port, mapping->virt_addr, mapping->size, flags);
        mapping->flags = status == EXO_OK ? flags : mapping->flags;
    }
    exo_mapping_end_pvt(space);
    return status;
}

/**
 * exo_mapping_at - which mapping an address is in.
 * @space: the space  @address: any
 *
 * Returns: the mapping, which stays as long as nobody unmaps it; or null. Context: never sleeps. Progress: O(log n)
 * expected, under the space's lock.
 */
EXO_INLINE struct exo_shared_mapping *exo_mapping_at(struct exo_address_space *space, exo_uptr address)
{
    struct exo_shared_mapping *found;
    exo_port_lock(&space->lock);
    found = exo_mapping_find_pvt(space, address);
    exo_port_unlock(&space->lock);
    return found;
}

#endif
