/* SPDX-License-Identifier: MIT */
/*
 * Shared pages: physical memory with a count of who shares it. The frame goes back when the last one lets go.
 *
 * The struct is its owner's, in private memory; several threads may clone and free it at the same time. A page that is freed
 * once too often says so, as long as the struct is not used for another one.
 */
#ifndef EXO_IPC_SHARED_MEMORY_PAGE_H
#define EXO_IPC_SHARED_MEMORY_PAGE_H

#include "../port_pages.h"

/* What may be done with a page, and how it is cached. */
#define EXO_PAGE_WRITABLE 1u
#define EXO_PAGE_EXECUTABLE 2u
#define EXO_PAGE_USER_ACCESSIBLE 4u
#define EXO_PAGE_WRITE_THROUGH 8u
#define EXO_PAGE_CACHE_DISABLED 16u
#define EXO_PAGE_FLAGS 31u

/**
 * struct exo_shared_page - one or more contiguous pages of physical memory.
 * @phys_addr: where, as the port counts (exo_port_frame_alloc())
 * @size: in bytes
 * @ref_count: who shares it; 0: the frame is gone
 * @flags: EXO_PAGE_...
 */
struct exo_shared_page {
    exo_u64 phys_addr;
    exo_u64 size;
    exo_u32 ref_count;
    exo_u32 flags;
};

/**
 * exo_alloc_shared_page - a zeroed frame of physical memory, shared by one.
 * @page: in the caller's memory; written on success only; in no use
 * @size: in bytes, a multiple of EXO_PORT_PAGE_BYTES
 * @flags: EXO_PAGE_...; writable and executable together are refused
 *
 * Returns: EXO_OK; EXO_INVALID_SIZE; EXO_INVALID_ARGUMENT for flags that are none or contradict; EXO_NO_MEMORY.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_alloc_shared_page(struct exo_shared_page *page, exo_size size, exo_u32 flags)
{
    exo_u64 phys;
    if (size == 0 || (size & (EXO_PORT_PAGE_BYTES - 1u)) != 0) {
        return EXO_INVALID_SIZE;
    }
    if (page == EXO_NULL || (flags & ~EXO_PAGE_FLAGS) != 0 ||
        (flags & (EXO_PAGE_WRITABLE | EXO_PAGE_EXECUTABLE)) == (EXO_PAGE_WRITABLE | EXO_PAGE_EXECUTABLE)) {
        return EXO_INVALID_ARGUMENT;
    }
    phys = exo_port_frame_alloc(size);
    if (phys == EXO_NO_FRAME) {
        return EXO_NO_MEMORY;
    }
    page->phys_addr = phys;
    page->size = size;
    page->flags = flags;
    exo_store32(&page->ref_count, 1u, EXO_RELAXED); /* relaxed: nobody knows of it yet */
    return EXO_OK;
}

/**
 * exo_clone_shared_page - one more shares a page.
 * @page: the page
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if its frame is gone; EXO_FULL if 2^32 - 1 share it. Context: any. Progress: lock-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_clone_shared_page(struct exo_shared_page *page)
{
    exo_u32 seen = exo_load32(&page->ref_count, EXO_RELAXED); /* relaxed: checked by the swap */
    while (seen != 0) {
        if (seen == 0xFFFFFFFFu) {
            return EXO_FULL;
        }
        /* relaxed: whoever clones has learned of the page, and what it is, in another way */
        if (exo_cas32(&page->ref_count, &seen, seen + 1, EXO_RELAXED)) {
            return EXO_OK;
        }
        exo_cpu_relax();
    }
    return EXO_NOT_FOUND;
}

/**
 * exo_free_shared_page - one fewer shares a page. The last one's frame is freed.
 * @page: the page
 *
 * Returns: 1 if the frame was freed; 0 if others share it still; EXO_NOT_FOUND if it was freed before, and nothing has
 * changed. Ordering: what all that shared it did is done before the frame goes. Context: not from an interrupt.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_free_shared_page(struct exo_shared_page *page)
{
    exo_u64 phys = page->phys_addr; /* read while it is ours: who frees last may use the struct again */
    exo_size size = (exo_size)page->size;
    exo_u32 seen = exo_load32(&page->ref_count, EXO_RELAXED); /* relaxed: checked by the swap */
    while (seen != 0) {
        /* [page:free] pairs [page:free]: the last one frees after all others */
        if (exo_cas32(&page->ref_count, &seen, seen - 1, EXO_ACQ_REL)) {
            if (seen != 1) {
                return 0;
            }
            exo_port_frame_free(phys, size);
            return 1;
        }
        exo_cpu_relax();
    }
    return EXO_NOT_FOUND;
}

#endif
