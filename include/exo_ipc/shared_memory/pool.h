/* SPDX-License-Identifier: MIT */
/*
 * The pool of regions: shared memory with a number, perhaps a name, and a count of who uses it.
 *
 *   exo_pool_create_named ---> region, count 0 ---> attach: count + 1 ---> detach: count - 1; at 0 it is gone
 *
 * A region's number is its place and generation (reference.h), and never another one's. Look-ups by number and by name, and
 * attaching, take no lock and run beside creations and removals; they are O(1) up to a million regions and beyond.
 * Creating and removing take the pool's lock for a few dozen instructions.
 *
 * A region that nobody has attached to yet stays until exo_pool_destroy(). All of it is private memory of the trusted side.
 */
#ifndef EXO_IPC_SHARED_MEMORY_POOL_H
#define EXO_IPC_SHARED_MEMORY_POOL_H

/* The index of names: ours, or one with the same calls that the program brings (port/linux/exo_names_urcu.h). */
#ifdef EXO_IPC_NAMES
#include EXO_IPC_NAMES
#else
#include "names.h"
#endif

/* Regions at most, when the configuration does not say. */
#define EXO_POOL_REGIONS (1u << 20)

/**
 * struct exo_shm_region - a region, as the pool keeps it. Its members are the library's; exo_pool_find() copies them.
 * @item: its number, and who is attached
 * @phys_addr, @size: where, as the port counts, and how many bytes
 * @owner_pid: who made it, as the caller of the pool said
 * @perms: as the caller said
 * @adopted: the memory was there before, and stays
 * @name: its record in the index of names, or 0
 *
 * A line each: a look-up in a large pool costs what one line costs that is in no cache.
 */
struct exo_shm_region {
    struct exo_table_item item;
    exo_word64 phys_addr;
    exo_word64 size;
    exo_word64 owner_pid;
    exo_word64 name;
    exo_u32 perms;
    exo_u32 adopted;
} EXO_ALIGNED(EXO_CACHE_LINE);

/**
 * struct exo_shm_info - what exo_pool_find() says of a region.
 */
struct exo_shm_info {
    exo_u64 id;
    exo_u64 phys_addr;
    exo_u64 size;
    exo_u64 owner_pid;
    exo_u32 perms;
    exo_u32 ref_count;
};

/**
 * struct exo_pool_config - what a pool shall be. All zero is a sensible default.
 * @regions: how many there may be; 0 means 1048576
 * @seed: secret number that spreads names; give a random one where names come from strangers
 */
struct exo_pool_config {
    exo_u32 regions;
    exo_u64 seed;
};

/**
 * struct exo_pool - the pool. Its members are the library's.
 */
struct exo_pool {
    struct exo_table regions;
    struct exo_names names;
    exo_u32 lock;
};

/**
 * exo_shared_memory_init - begin with an empty pool: all that shared memory alone needs.
 * @pool: in the caller's memory
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_NO_MEMORY. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_shared_memory_init(struct exo_pool *pool, const struct exo_pool_config *config)
{
    exo_u32 most = config == EXO_NULL || config->regions == 0 ? EXO_POOL_REGIONS : config->regions;
    exo_table_init(&pool->regions, sizeof(struct exo_shm_region), most);
    pool->lock = 0;
    return exo_names_init(&pool->names, config == EXO_NULL ? 0 : config->seed, most);
}

EXO_HOT struct exo_shm_region *exo_pool_region_pvt(const struct exo_pool *pool, exo_u64 id)
{
    return (struct exo_shm_region *)(void *)exo_table_at(&pool->regions, (exo_u32)id);
}

/* A region that is nobody's any more: the caller owns its place. */
EXO_INLINE void exo_pool_clear_pvt(struct exo_pool *pool, struct exo_shm_region *region)
{
    exo_u64 phys = exo_load64(&region->phys_addr, EXO_RELAXED); /* relaxed: ours alone */
    exo_u64 size = exo_load64(&region->size, EXO_RELAXED);      /* relaxed: same */
    exo_bool adopted = exo_load32(&region->adopted, EXO_RELAXED) != 0; /* relaxed: same */
    exo_u64 name = exo_load64(&region->name, EXO_RELAXED);      /* relaxed: same */
    if (name != 0) {
        (void)exo_names_remove(&pool->names, name); /* unless exo_pool_destroy() has */
    }
    exo_port_lock(&pool->lock);
    exo_table_give(&pool->regions, &region->item);
    exo_port_unlock(&pool->lock);
    if (!adopted) {
        exo_port_frame_free(phys, (exo_size)size);
    }
}

/* What exo_pool_adopt() and the others have in common. */
EXO_INLINE exo_status exo_pool_enter_pvt(struct exo_pool *pool, const char *name, exo_size name_bytes, exo_u64 phys,
                                         exo_u64 size, exo_u32 perms, exo_u64 owner, exo_bool adopted, exo_u64 *id)
{
    struct exo_shm_region *region;
    exo_status status = EXO_OK;
    exo_u64 record = 0;
    exo_u64 made;
    exo_port_lock(&pool->lock);
    region = (struct exo_shm_region *)(void *)exo_table_take(&pool->regions);
    exo_port_unlock(&pool->lock);
    if (region == EXO_NULL) {
        return EXO_NO_MEMORY;
    }
    exo_fence_release(); /* [pool:rewrite] pairs [pool:copied] */
    exo_store64(&region->phys_addr, phys, EXO_RELAXED); /* relaxed, all of them: the begin publishes */
    exo_store64(&region->size, size, EXO_RELAXED);      /* relaxed: same */
    exo_store64(&region->owner_pid, owner, EXO_RELAXED); /* relaxed: same */
    exo_store32(&region->perms, perms, EXO_RELAXED);    /* relaxed: same */
    exo_store32(&region->adopted, adopted ? 1u : 0u, EXO_RELAXED); /* relaxed: same */
    made = (exo_u64)exo_reference_next(&region->item.state) << 32 | region->item.index;
    if (name != EXO_NULL) { /* who finds it before the region is there does not find the region */
        status = exo_names_add(&pool->names, name, name_bytes, made, &record);
    }
    exo_store64(&region->name, record, EXO_RELAXED); /* relaxed: same as the others */
    if (status == EXO_OK) {
        (void)exo_reference_begin(&region->item.state, 0);
        *id = made;
        return EXO_OK;
    }
    exo_port_lock(&pool->lock);
    exo_table_give(&pool->regions, &region->item);
    exo_port_unlock(&pool->lock);
    return status;
}

/**
 * exo_pool_adopt - make a region of memory that is there already: a device's, or what was kept back at boot.
 * @pool: the pool
 * @name, @name_bytes: its name, 1 to 255 bytes without NUL, slash and control bytes; null for none
 * @phys: its physical address, a multiple of the page; the memory is not freed with the region
 * @size: in bytes, a multiple of the page
 * @perms, @owner: kept for who asks
 * @id: is set to its number on success only
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS for a name that is taken; EXO_INVALID_ARGUMENT for one that is none; EXO_INVALID_SIZE;
 * EXO_NO_MEMORY. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_adopt(struct exo_pool *pool, const char *name, exo_size name_bytes,
                                                  exo_u64 phys, exo_u64 size, exo_u32 perms, exo_u64 owner, exo_u64 *id)
{
    if (size == 0 || (size & (EXO_PORT_PAGE_BYTES - 1u)) != 0 || (exo_size)size != size || phys + size - 1 < phys) {
        return EXO_INVALID_SIZE;
    }
    if ((phys & (EXO_PORT_PAGE_BYTES - 1u)) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    return exo_pool_enter_pvt(pool, name, name_bytes, phys, size, perms, owner, EXO_TRUE, id);
}

/**
 * exo_pool_create_named - make a region of zeroed memory with a name.
 * @pool, @name, @name_bytes, @size, @perms, @owner, @id: as exo_pool_adopt()
 *
 * Returns: as exo_pool_adopt(). A name that comes again names a new region, of another number, zeroed.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_create_named(struct exo_pool *pool, const char *name, exo_size name_bytes,
                                                         exo_size size, exo_u32 perms, exo_u64 owner, exo_u64 *id)
{
    exo_status status = name == EXO_NULL ? EXO_OK : exo_name_check(name, name_bytes);
    exo_u64 phys;
    exo_u64 other;
    if (status != EXO_OK) {
        return status;
    }
    if (size == 0 || (size & (EXO_PORT_PAGE_BYTES - 1u)) != 0) {
        return EXO_INVALID_SIZE;
    }
    if (name != EXO_NULL && exo_names_find(&pool->names, name, name_bytes, &other) == EXO_OK) {
        return EXO_ALREADY_EXISTS; /* before memory is taken; decided below */
    }
    phys = exo_port_frame_alloc(size);
    if (phys == EXO_NO_FRAME) {
        return EXO_NO_MEMORY;
    }
    status = exo_pool_enter_pvt(pool, name, name_bytes, phys, size, perms, owner, EXO_FALSE, id);
    if (status != EXO_OK) {
        exo_port_frame_free(phys, size);
    }
    return status;
}

/**
 * exo_pool_allocate - make a region of zeroed memory without a name. As exo_pool_create_named().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_allocate(struct exo_pool *pool, exo_size size, exo_u32 perms, exo_u64 owner,
                                                     exo_u64 *id)
{
    return exo_pool_create_named(pool, (const char *)EXO_NULL, 0, size, perms, owner, id);
}

/**
 * exo_pool_open_named - the number of a named region.
 * @pool: the pool  @name, @name_bytes: any bytes  @id: is set on success only
 *
 * Returns: EXO_OK; EXO_NOT_FOUND, also while it is being made or destroyed. The region may go before the caller attaches to
 * it, which then says so. Context: not from an interrupt. Progress: as exo_names_find().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_open_named(struct exo_pool *pool, const char *name, exo_size name_bytes,
                                                       exo_u64 *id)
{
    const struct exo_shm_region *region;
    exo_u64 found = 0;
    exo_u32 count;
    exo_status status = exo_names_find(&pool->names, name, name_bytes, &found);
    if (status != EXO_OK) {
        return status;
    }
    region = exo_pool_region_pvt(pool, found);
    if (region == EXO_NULL || !exo_reference_alive(&region->item.state, (exo_u32)(found >> 32), &count)) {
        return EXO_NOT_FOUND;
    }
    *id = found;
    return EXO_OK;
}

/**
 * exo_pool_attach - use a region: it stays until exo_pool_detach().
 * @pool: the pool  @id: a region's number
 * @phys_addr: is set to where it is
 *
 * Returns: EXO_OK; EXO_NOT_FOUND for a number of no region, of one that is gone or destroyed; EXO_FULL.
 * Context: any. Progress: lock-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_attach(struct exo_pool *pool, exo_u64 id, exo_u64 *phys_addr)
{
    struct exo_shm_region *region = exo_pool_region_pvt(pool, id);
    exo_status status =
        region == EXO_NULL ? EXO_NOT_FOUND : exo_reference_get(&region->item.state, (exo_u32)(id >> 32));
    if (status == EXO_OK) {
        *phys_addr = exo_load64(&region->phys_addr, EXO_RELAXED); /* relaxed: acquired with the reference */
    }
    return status;
}

/**
 * exo_pool_detach - be done with a region. With the last one it is gone, its memory freed.
 * @pool: the pool  @id: a region that the caller is attached to, unmapped
 *
 * Returns: 1 if it is gone; 0 if others use it; EXO_NOT_FOUND if nobody was attached, and nothing has changed.
 * Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_pool_detach(struct exo_pool *pool, exo_u64 id)
{
    struct exo_shm_region *region = exo_pool_region_pvt(pool, id);
    exo_i64 left =
        region == EXO_NULL ? (exo_i64)EXO_NOT_FOUND : exo_reference_put(&region->item.state, (exo_u32)(id >> 32), EXO_TRUE);
    if (left != 0) {
        return left < 0 ? left : 0;
    }
    exo_pool_clear_pvt(pool, region);
    return 1;
}

/**
 * exo_pool_destroy - end a region: its name is free, nobody attaches any more; its memory goes with the last one that is
 * attached, at once if nobody is.
 * @pool: the pool  @id: a region's number
 *
 * Returns: 1 if it is gone; 0 if it is used still; EXO_NOT_FOUND; EXO_FULL if as many are attached as can be counted, and
 * nothing has changed. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_pool_destroy(struct exo_pool *pool, exo_u64 id)
{
    struct exo_shm_region *region = exo_pool_region_pvt(pool, id);
    exo_u32 generation = (exo_u32)(id >> 32);
    exo_status status =
        region == EXO_NULL ? EXO_NOT_FOUND : exo_reference_get(&region->item.state, generation);
    exo_u64 name;
    if (status != EXO_OK) {
        return status;
    }
    name = exo_load64(&region->name, EXO_RELAXED); /* relaxed: acquired with the reference */
    if (name != 0) {
        (void)exo_names_remove(&pool->names, name);
    }
    (void)exo_reference_close(&region->item.state, generation);
    return exo_pool_detach(pool, id);
}

/**
 * exo_pool_find - what a region is.
 * @pool: the pool  @id: a number  @info: is filled in on success only
 *
 * Returns: EXO_OK; EXO_NOT_FOUND. Context: any. Progress: lock-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pool_find(const struct exo_pool *pool, exo_u64 id, struct exo_shm_info *info)
{
    const struct exo_shm_region *region = exo_pool_region_pvt(pool, id);
    struct exo_shm_info copy;
    exo_u32 count;
    if (region == EXO_NULL || !exo_reference_alive(&region->item.state, (exo_u32)(id >> 32), &copy.ref_count)) {
        return EXO_NOT_FOUND;
    }
    copy.id = id;
    copy.phys_addr = exo_load64(&region->phys_addr, EXO_RELAXED); /* relaxed, all: the second look decides */
    copy.size = exo_load64(&region->size, EXO_RELAXED);           /* relaxed: same */
    copy.owner_pid = exo_load64(&region->owner_pid, EXO_RELAXED); /* relaxed: same */
    copy.perms = exo_load32(&region->perms, EXO_RELAXED);         /* relaxed: same */
    exo_fence_acquire();                                          /* [pool:copied] pairs [pool:rewrite] */
    if (!exo_reference_alive(&region->item.state, (exo_u32)(id >> 32), &count)) {
        return EXO_NOT_FOUND;
    }
    *info = copy;
    return EXO_OK;
}

/**
 * exo_pool_fini - end the pool, and every region in it, whoever is attached.
 */
EXO_INLINE void exo_pool_fini(struct exo_pool *pool)
{
    exo_u32 i;
    for (i = 0; i < exo_load32(&pool->regions.grown, EXO_RELAXED); i++) { /* relaxed: nobody else is there */
        struct exo_shm_region *region = exo_pool_region_pvt(pool, i);
        exo_u64 state = exo_load64(&region->item.state, EXO_RELAXED); /* relaxed: same */
        if ((state & EXO_REFERENCE_LIVE) != 0 && exo_load32(&region->adopted, EXO_RELAXED) == 0) { /* relaxed: same */
            exo_port_frame_free(exo_load64(&region->phys_addr, EXO_RELAXED), /* relaxed: same */
                                (exo_size)exo_load64(&region->size, EXO_RELAXED));
        }
    }
    exo_names_fini(&pool->names);
    exo_table_fini(&pool->regions);
}

#endif
