/* SPDX-License-Identifier: MIT */
/*
 * The part of the port that the trusted side needs: frames and address spaces as they are, the memory of processes under
 * stac and clac, and locks that keep interrupts out. An address space of null is the kernel's own, which maps in an area of
 * its own; to a copy, null is the one of the process whose thread runs. Mappings that nobody gave a place have a page on
 * either side that faults.
 */
#ifndef EXO_PORT_BAREMETAL_PAGES_H
#define EXO_PORT_BAREMETAL_PAGES_H

#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/status.h"
#include "exo_ipc/base/types.h"

#define EXO_PORT_HAS_PAGES  1
#define EXO_PORT_HAS_LOCK   1
#define EXO_PORT_PAGE_BYTES 4096u

struct exo_port_space;

EXO_EXTERN_C_BEGIN

/* frames.c */
exo_u64 frames_alloc(exo_size bytes);
exo_status frames_free(exo_u64 phys, exo_size bytes);

/* pages.c */
void *kernel_page_alloc(exo_size bytes);
void kernel_page_free(void *memory, exo_size bytes);
exo_status kernel_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags);
exo_status kernel_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes);
exo_status kernel_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags);

/* user_copy.c */
exo_status kernel_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes);
exo_status kernel_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes);

/* lock.c */
void kernel_lock(exo_u32 *word);
void kernel_unlock(exo_u32 *word);

EXO_EXTERN_C_END

EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    return kernel_page_alloc(bytes);
}

EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    kernel_page_free(memory, bytes);
}

EXO_INLINE exo_u64 exo_port_frame_alloc(exo_size bytes)
{
    return frames_alloc(bytes);
}

/* What was not handed out like that stays as it is, and is counted (frames_counted()). */
EXO_INLINE void exo_port_frame_free(exo_u64 phys, exo_size bytes)
{
    (void)frames_free(phys, bytes);
}

EXO_INLINE exo_status exo_port_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt,
                                   exo_u32 flags)
{
    return kernel_map(space, phys, bytes, virt, flags);
}

EXO_INLINE exo_status exo_port_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    return kernel_unmap(space, virt, bytes);
}

EXO_INLINE exo_status exo_port_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags)
{
    return kernel_protect(space, virt, bytes, flags);
}

EXO_INLINE exo_status exo_port_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes)
{
    return kernel_copy_from_user(space, to, from, bytes);
}

EXO_INLINE exo_status exo_port_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes)
{
    return kernel_copy_to_user(space, to, from, bytes);
}

EXO_INLINE void exo_port_lock(exo_u32 *word)
{
    kernel_lock(word);
}

EXO_INLINE void exo_port_unlock(exo_u32 *word)
{
    kernel_unlock(word);
}

#endif
