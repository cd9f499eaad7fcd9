/* SPDX-License-Identifier: MIT */
/*
 * Regions behind capabilities: memory of the pool, who pays for it, and where it is mapped.
 *
 * A mapping lives as long as the capability under which it was made: when that ends, by revocation or death, the pages
 * are unmapped before the call that ended it returns. Where the process maps by itself (a client of the Linux daemon), it got
 * a descriptor that carries no more than the right, and keeps what it has mapped.
 */
#ifndef EXO_IPC_NUCLEUS_REGION_H
#define EXO_IPC_NUCLEUS_REGION_H

#include "queue.h"

/* A region of the nucleus. */
struct exo_region {
    struct exo_table_item item;
    struct exo_object object;
    struct exo_process *payer;
    exo_u64 owner;
    exo_u64 user;
    exo_u64 root; /* the maker's handle */
    exo_u64 id;   /* in the pool */
    exo_u64 phys;
    exo_u64 size;
    exo_u32 perms;
    exo_u32 lock; /* guards where it is mapped */
    struct exo_region_mapping *mapped;
    exo_u64 name; /* its record among the names, or 0 */
};

/* A region mapped by a process. */
struct exo_region_mapping {
    struct exo_table_item item;
    struct exo_region_mapping *next; /* of the same region */
    struct exo_region *region;
    struct exo_process *process;
    exo_u64 handle; /* ends with this capability */
    struct exo_shared_mapping mapping;
};

/* The pool's region goes: it is used by nobody but its object. */
EXO_INLINE void exo_pool_end_pvt(struct exo_pool *pool, exo_u64 id)
{
    exo_i64 gone = exo_pool_destroy(pool, id);
    gone = gone == 0 ? exo_pool_detach(pool, id) : gone;
    (void)gone;
}

/* The region itself, charged to its maker: itself, and its bytes. */
EXO_INLINE exo_status exo_region_make_pvt(struct exo_process *process, exo_u64 size, struct exo_region **made)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_region *region;
    exo_u64 id = 0;
    exo_u64 phys = 0;
    exo_status status = exo_quota_charge(&process->account, EXO_QUOTA_REGIONS, 1);
    if (status != EXO_OK) {
        return status;
    }
    status = exo_quota_charge(&process->account, EXO_QUOTA_BYTES, size);
    if (status == EXO_OK) {
        status = exo_pool_allocate(&nucleus->pool, (exo_size)size, EXO_RIGHTS_ALL, exo_process_number(process), &id);
        if (status == EXO_OK) {
            region = (struct exo_region *)(void *)exo_nucleus_take_pvt(nucleus, &nucleus->regions);
            if (region != EXO_NULL && exo_pool_attach(&nucleus->pool, id, &phys) == EXO_OK) {
                exo_object_init(&region->object, EXO_OBJECT_REGION);
                region->payer = process;
                region->owner = exo_process_number(process);
                region->user = process->user;
                region->id = id;
                region->phys = phys;
                region->size = size;
                region->lock = 0;
                region->mapped = (struct exo_region_mapping *)EXO_NULL;
                exo_process_hold_pvt(process);
                *made = region;
                return EXO_OK;
            }
            exo_pool_end_pvt(&nucleus->pool, id);
            status = EXO_NO_MEMORY;
        }
        (void)exo_quota_return(&process->account, EXO_QUOTA_BYTES, size);
    }
    (void)exo_quota_return(&process->account, EXO_QUOTA_REGIONS, 1);
    return status;
}

/* The last capability of a region has ended. */
EXO_INLINE void exo_region_release_pvt(struct exo_nucleus *nucleus, struct exo_region *region)
{
    struct exo_process *payer = region->payer;
    exo_u64 size = region->size;
    exo_nucleus_forget_name_pvt(nucleus, &region->name);
    exo_pool_end_pvt(&nucleus->pool, region->id);
    exo_nucleus_give_pvt(nucleus, &nucleus->regions, &region->item);
    (void)exo_quota_return(&payer->account, EXO_QUOTA_BYTES, size);
    (void)exo_quota_return(&payer->account, EXO_QUOTA_REGIONS, 1);
    exo_process_put_pvt(payer);
}

/* A record that nobody finds any more goes back. */
EXO_INLINE void exo_region_mapping_give_pvt(struct exo_process *process, struct exo_region_mapping *at)
{
    exo_port_lock(&process->lock);
    exo_table_give(&process->mappings, &at->item);
    exo_port_unlock(&process->lock);
}

/*
 * Take one mapping of a process out of a region's list: that at an address, or, where that is 0, one that was made under a
 * capability. Nobody takes hold of it any more. Null: there is none.
 */
EXO_INLINE struct exo_region_mapping *exo_region_mapping_cut_pvt(struct exo_region *region,
                                                                 const struct exo_process *process, exo_u64 handle,
                                                                 exo_uptr address)
{
    struct exo_region_mapping **link;
    struct exo_region_mapping *at;
    exo_port_lock(&region->lock);
    for (link = &region->mapped; (at = *link) != EXO_NULL; link = &at->next) {
        if (at->process == process && (address != 0 ? at->mapping.virt_addr == address : at->handle == handle)) {
            *link = at->next;
            (void)exo_reference_close(&at->item.state, (exo_u32)(exo_table_handle(&at->item) >> 32));
            break;
        }
    }
    exo_port_unlock(&region->lock);
    return at;
}

/* Unmap what was mapped under a capability of a process that has ended; or at one address, where that is not 0. */
EXO_INLINE exo_status exo_region_unmap_pvt(struct exo_region *region, struct exo_process *process, exo_u64 handle,
                                           exo_uptr address)
{
    struct exo_region_mapping *at;
    exo_status status = EXO_NOT_FOUND;
    while ((at = exo_region_mapping_cut_pvt(region, process, handle, address)) != EXO_NULL) {
        exo_reference_end(&at->item.state); /* somebody may be changing what it allows */
        status = exo_unmap(&process->space, &at->mapping);
        exo_region_mapping_give_pvt(process, at);
    }
    return status;
}

/* Map a region for a process under a capability that is held meanwhile. */
EXO_INLINE exo_status exo_region_map_pvt(struct exo_region *region, struct exo_process *process, exo_u64 handle,
                                         exo_uptr address, exo_u32 flags, exo_u64 *result)
{
    struct exo_region_mapping *made;
    exo_status status;
    exo_port_lock(&process->lock);
    made = (struct exo_region_mapping *)exo_table_take(&process->mappings);
    exo_port_unlock(&process->lock);
    if (made == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    made->region = region;
    made->process = process;
    made->handle = handle;
    status = exo_map_shared(&process->space, &made->mapping, region->phys, (exo_size)region->size, address, flags);
    if (status != EXO_OK) {
        exo_region_mapping_give_pvt(process, made);
        return status;
    }
    exo_port_lock(&region->lock);
    (void)exo_reference_begin(&made->item.state, 0);
    made->next = region->mapped;
    region->mapped = made;
    exo_port_unlock(&region->lock);
    *result = made->mapping.virt_addr;
    return EXO_OK;
}

/* Change what a mapping allows. It is held meanwhile, not locked: the port may take its time. */
EXO_INLINE exo_status exo_region_protect_pvt(struct exo_region *region, struct exo_process *process, exo_uptr address,
                                             exo_u32 flags)
{
    struct exo_region_mapping *at;
    exo_status status = EXO_NOT_FOUND;
    exo_u32 generation = 0;
    exo_port_lock(&region->lock);
    for (at = region->mapped; at != EXO_NULL; at = at->next) {
        if (at->process == process && at->mapping.virt_addr == address) {
            generation = (exo_u32)(exo_table_handle(&at->item) >> 32);
            status = exo_reference_get(&at->item.state, generation);
            break;
        }
    }
    exo_port_unlock(&region->lock);
    if (status == EXO_OK) {
        status = exo_protect(&process->space, &at->mapping, flags);
        (void)exo_reference_put(&at->item.state, generation, EXO_FALSE);
    }
    return status;
}

/* The region that a process has mapped at an address, and under what; held, or null. */
EXO_INLINE struct exo_region *exo_region_at_pvt(struct exo_process *process, exo_u64 address, exo_u64 *handle)
{
    struct exo_region *region = (struct exo_region *)EXO_NULL;
    struct exo_shared_mapping *mapping;
    exo_port_lock(&process->lock); /* nobody gives the record back meanwhile */
    mapping = address == (exo_uptr)address ? exo_mapping_at(&process->space, (exo_uptr)address)
                                           : (struct exo_shared_mapping *)EXO_NULL;
    if (mapping != EXO_NULL && mapping->virt_addr == address) {
        exo_size off = __builtin_offsetof(struct exo_region_mapping, mapping);
        struct exo_region_mapping *at = (struct exo_region_mapping *)(void *)((exo_u8 *)mapping - off);
        region = exo_object_hold(&process->nucleus->capabilities, &at->region->object) == EXO_OK ? at->region : region;
        *handle = at->handle;
    }
    exo_port_unlock(&process->lock);
    return region;
}

#endif
