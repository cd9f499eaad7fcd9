/* SPDX-License-Identifier: MIT */
/*
 * The part of the port contract that the trusted side needs: frames of memory, address spaces, the memory of user
 * processes, and a lock. What is defined here is for ports that have none of it.
 */
#ifndef EXO_IPC_PORT_PAGES_H
#define EXO_IPC_PORT_PAGES_H

#include "port.h"

#ifndef EXO_PORT_HAS_PAGES
#define EXO_PORT_HAS_PAGES 0
#endif
#ifndef EXO_PORT_PAGE_BYTES
#define EXO_PORT_PAGE_BYTES 4096u
#endif
#ifndef EXO_PORT_HAS_LOCK
#define EXO_PORT_HAS_LOCK 0
#endif

/**
 * exo_port_frame_alloc - contiguous physical memory.
 * @bytes: a multiple of EXO_PORT_PAGE_BYTES, not 0
 *
 * Returns: its physical address, a multiple of EXO_PORT_PAGE_BYTES: zeroed, and committed, so that touching it never fails
 * later; EXO_NO_FRAME if there is none. Physical addresses are the port's own numbers: they name memory, they are not
 * necessarily where it is.
 */
EXO_INLINE exo_u64 exo_port_frame_alloc(exo_size bytes);

/**
 * exo_port_frame_free - give back what exo_port_frame_alloc() returned, with the same size. Nobody maps it any more, or who
 * does cannot be reached and keeps it.
 */
EXO_INLINE void exo_port_frame_free(exo_u64 phys, exo_size bytes);

/**
 * exo_port_map - make physical memory visible in an address space.
 * @space: the address space; null: the caller's own
 * @phys: of exo_port_frame_alloc(), or within
 * @bytes: a multiple of the page
 * @virt: where, a multiple of the page; 0: the port chooses. Set to where it is on success
 * @flags: EXO_MAP_..., never EXO_MAP_WRITE and EXO_MAP_EXEC together
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS if something is there; EXO_NO_MEMORY; EXO_INVALID_ARGUMENT for an address that no
 * mapping can have; EXO_NOT_SUPPORTED. On an error nothing is mapped.
 */
EXO_INLINE exo_status exo_port_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt,
                                   exo_u32 flags);

/**
 * exo_port_unmap - undo exo_port_map(), with the same size. When it returns no processor reaches the memory by that address.
 */
EXO_INLINE exo_status exo_port_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes);

/**
 * exo_port_protect - change what a mapping allows. When it returns no processor does what is not allowed any more.
 */
EXO_INLINE exo_status exo_port_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags);

/**
 * exo_port_copy_from_user - copy from the memory of a process that makes a call.
 * @space: its address space  @to: private memory  @from: its address, not to be believed  @bytes: any number
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT if not all of it is the process's to read: then @to holds anything.
 */
EXO_INLINE exo_status exo_port_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes);

/**
 * exo_port_copy_to_user - the other way; EXO_INVALID_ARGUMENT if not all of it is the process's to write.
 */
EXO_INLINE exo_status exo_port_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes);

/**
 * exo_port_lock - enter a critical section.
 * @word: the lock; 0 when it is free
 *
 * Among threads of one address space. A kernel keeps interrupts out until exo_port_unlock(). Sections nest, each with a word of
 * its own. Ordering: what was done in earlier sections of the same word is visible.
 */
EXO_INLINE void exo_port_lock(exo_u32 *word);
EXO_INLINE void exo_port_unlock(exo_u32 *word);

#if !EXO_PORT_HAS_PAGES

EXO_INLINE exo_u64 exo_port_frame_alloc(exo_size bytes)
{
    void *memory = exo_port_page_alloc(bytes);
    return memory == EXO_NULL ? EXO_NO_FRAME : (exo_u64)(exo_uptr)memory;
}

EXO_INLINE void exo_port_frame_free(exo_u64 phys, exo_size bytes)
{
    exo_port_page_free((void *)(exo_uptr)phys, bytes);
}

/* Without an MMU everybody sees everything, where it is. */
EXO_INLINE exo_status exo_port_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt,
                                   exo_u32 flags)
{
    (void)space;
    (void)bytes;
    (void)flags;
    if (*virt != 0 && *virt != (exo_uptr)phys) {
        return EXO_NOT_SUPPORTED;
    }
    *virt = (exo_uptr)phys;
    return EXO_OK;
}

EXO_INLINE exo_status exo_port_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    (void)space;
    (void)virt;
    (void)bytes;
    return EXO_OK;
}

EXO_INLINE exo_status exo_port_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags)
{
    (void)flags;
    return exo_port_unmap(space, virt, bytes);
}

EXO_INLINE exo_status exo_port_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes)
{
    (void)space;
    if (bytes != 0) {
        exo_port_copy(to, (const void *)(exo_uptr)from, bytes);
    }
    return EXO_OK;
}

EXO_INLINE exo_status exo_port_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes)
{
    (void)space;
    if (bytes != 0) {
        exo_port_copy((void *)(exo_uptr)to, from, bytes);
    }
    return EXO_OK;
}

#endif /* !EXO_PORT_HAS_PAGES */

#if !EXO_PORT_HAS_LOCK

EXO_INLINE void exo_port_lock(exo_u32 *word)
{
    exo_u32 free = 0;
    /* [port:lock] pairs [port:unlock] */
    while (!exo_cas32(word, &free, 1u, EXO_ACQUIRE)) {
        free = 0;
        while (exo_load32(word, EXO_RELAXED) != 0) { /* relaxed: the swap decides */
            exo_cpu_relax();
        }
    }
}

EXO_INLINE void exo_port_unlock(exo_u32 *word)
{
    exo_store32(word, 0u, EXO_RELEASE); /* [port:unlock] pairs [port:lock] */
}

#endif /* !EXO_PORT_HAS_LOCK */

#endif
