/* SPDX-License-Identifier: MIT */
/*
 * Pages that change hands: moved from one space to another by their tables, where a share would leave them with both, and
 * a copy would cost their bytes. What is in them stands still.
 */
#include "lock.h"
#include "memory.h"

/* In the order of their addresses, so that two moves in opposite directions do not wait for each other. */
static void lock_both(struct exo_port_space *one, struct exo_port_space *other)
{
    kernel_lock(one < other ? &one->lock : &other->lock);
    kernel_lock(one < other ? &other->lock : &one->lock);
}

static void unlock_both(struct exo_port_space *one, struct exo_port_space *other)
{
    kernel_unlock(&one->lock);
    kernel_unlock(&other->lock);
}

/* The frames of a range, one after the other; EXO_NO_FRAME: they are not, or something is not mapped. */
static exo_u64 frames_of_range(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    exo_u64 phys = paging_phys(space, virt);
    exo_size at;
    for (at = PAGE_BYTES; at < bytes && phys != EXO_NO_FRAME; at += PAGE_BYTES) {
        phys = paging_phys(space, virt + at) == phys + at ? phys : EXO_NO_FRAME;
    }
    return phys;
}

exo_status paging_move(struct exo_port_space *from, exo_uptr virt, exo_size bytes, struct exo_port_space *to,
                       exo_uptr *there, exo_u32 flags)
{
    exo_status status = EXO_NOT_FOUND;
    exo_u64 phys;
    if (from == to || bytes == 0 || (virt | bytes) % PAGE_BYTES != 0 || virt >= USER_END || bytes > USER_END - virt) {
        return EXO_INVALID_ARGUMENT;
    }
    lock_both(from, to);
    phys = frames_of_range(from, virt, bytes);
    if (phys != EXO_NO_FRAME) {
        /* First there: what may fail has not changed anything yet. Nobody is told the place before this returns. */
        status = paging_map_locked(to, phys, bytes, there, flags);
    }
    if (status == EXO_OK) {
        status = paging_unmap_locked(from, virt, bytes);
        if (status != EXO_OK) { /* no memory to cut a large page */
            (void)paging_unmap_locked(to, *there, bytes);
        }
    }
    unlock_both(from, to);
    return status;
}
