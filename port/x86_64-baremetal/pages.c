/* SPDX-License-Identifier: MIT */
/*
 * The hooks of exo_port_pages.h that are no other function of this kernel.
 */
#include "task.h"

static struct exo_port_space *own_or(struct exo_port_space *space)
{
    return space == EXO_NULL ? &kernel_space : space;
}

static exo_size whole_pages(exo_size bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(exo_size)(PAGE_BYTES - 1);
}

void *kernel_page_alloc(exo_size bytes)
{
    exo_u64 phys = bytes > DIRECT_BYTES ? EXO_NO_FRAME : frames_alloc(whole_pages(bytes));
    return phys == EXO_NO_FRAME ? EXO_NULL : direct(phys);
}

void kernel_page_free(void *memory, exo_size bytes)
{
    (void)frames_free(direct_phys(memory), whole_pages(bytes));
}

exo_status kernel_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt, exo_u32 flags)
{
    return paging_map(own_or(space), phys, bytes, virt, flags);
}

exo_status kernel_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    return paging_unmap(own_or(space), virt, bytes);
}

exo_status kernel_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags)
{
    return paging_protect(own_or(space), virt, bytes, flags);
}

/* Where a word is, whoever asks: its physical address. The kernel's own words are found without a look at the tables. */
exo_u64 kernel_word_key(const exo_u32 *word)
{
    exo_uptr at = (exo_uptr)word;
    if (at >= IMAGE_BASE) {
        return at - IMAGE_BASE;
    }
    if (at >= DIRECT_BASE && at - DIRECT_BASE < DIRECT_BYTES) {
        return at - DIRECT_BASE;
    }
    return paging_phys(at < USER_END ? cpu_thread()->space : &kernel_space, at);
}
