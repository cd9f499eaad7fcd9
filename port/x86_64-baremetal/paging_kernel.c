/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own address space. Text may be executed and not written, constants neither, data written and not executed.
 * The direct map shows the same frames a second time, and must not undo that: it is never executable, and where the text
 * and the constants lie it is read-only too.
 */
#include "memory.h"
#include "console.h"
#include "cpu.h"

static void fill(exo_u64 phys, exo_u64 end, exo_uptr virt, exo_u64 bits)
{
    if (phys < end && paging_fill(&kernel_space, phys, end - phys, virt, bits | ENTRY_PRESENT | ENTRY_GLOBAL) !=
                          virt + (end - phys)) {
        panic("no memory for the kernel's page tables");
    }
}

static void fill_image(const char *begin, const char *end, exo_u64 bits)
{
    fill(image_phys(begin), image_phys(end), (exo_uptr)begin, bits);
}

static void fill_direct(exo_u64 begin, exo_u64 end, exo_u64 bits)
{
    fill(begin, end, (exo_uptr)direct(begin), bits | ENTRY_NO_EXECUTE);
}

/* A table below the root of which all spaces have a copy of the entry: it never goes, for it never becomes empty. */
static void pin(exo_uptr virt)
{
    exo_u64 *entry = paging_make(&kernel_space, virt, LEVEL_ROOT - 1);
    if (entry == EXO_NULL) {
        panic("no memory for the kernel's page tables");
    }
    frame_of(direct_phys(entry))->entries++;
}

void paging_kernel_init(const struct memory_map *ram)
{
    exo_u64 fixed = image_phys(image_text);
    exo_u64 fixed_end = image_phys(image_data);
    exo_u32 i;
    kernel_space.root = frames_alloc(PAGE_BYTES);
    if (kernel_space.root == EXO_NO_FRAME) {
        panic("no memory for the kernel's page tables");
    }
    pin(DIRECT_BASE);
    pin(AREA_BASE);
    pin(IMAGE_BASE);
    fill_image(image_text, image_rodata, 0);
    fill_image(image_rodata, image_data, ENTRY_NO_EXECUTE);
    fill_image(image_data, image_end, ENTRY_NO_EXECUTE | ENTRY_WRITE);
    for (i = 0; i < ram->count; i++) {
        struct memory_range range = ram->range[i];
        if (fixed >= range.begin && fixed_end <= range.end) {
            fill_direct(range.begin, fixed, ENTRY_WRITE);
            fill_direct(fixed, fixed_end, 0);
            fill_direct(fixed_end, range.end, ENTRY_WRITE);
        } else {
            fill_direct(range.begin, range.end, ENTRY_WRITE);
        }
    }
    cr3_write(kernel_space.root);
}

exo_uptr stack_alloc(void)
{
    exo_u64 phys = frames_alloc(STACK_BYTES);
    exo_uptr virt = 0;
    if (phys == EXO_NO_FRAME) {
        return 0;
    }
    if (paging_map(&kernel_space, phys, STACK_BYTES, &virt, EXO_MAP_READ | EXO_MAP_WRITE) != EXO_OK) {
        (void)frames_free(phys, STACK_BYTES);
        return 0;
    }
    return virt + STACK_BYTES;
}

void stack_free(exo_uptr top)
{
    exo_uptr virt = top - STACK_BYTES;
    exo_u64 phys = paging_phys(&kernel_space, virt);
    if (paging_unmap(&kernel_space, virt, STACK_BYTES) != EXO_OK || frames_free(phys, STACK_BYTES) != EXO_OK) {
        panic("a stack that is none");
    }
}
