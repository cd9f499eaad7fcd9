/* SPDX-License-Identifier: MIT */
/*
 * Each bit that forbids something, shown to act by the fault that it makes.
 */
#include "claims.h"
#include "user.h"

#define RW   (EXO_MAP_READ | EXO_MAP_WRITE)
#define USER EXO_MAP_USER

static struct exo_port_space *const kernel = &kernel_space;

static const char *writing_where_only_reading_is_allowed_faults(void)
{
    struct caught caught;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr virt = 0;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &virt, EXO_MAP_READ) == EXO_OK);
    REQUIRE(!read_faults(virt, &caught));
    REQUIRE(write_faults(virt, &caught)); /* the kernel too: WP */
    REQUIRE(caught.vector == VECTOR_PAGE_FAULT && caught.address == virt && caught.error == (FAULT_PRESENT | FAULT_WRITE));
    REQUIRE(*(const exo_u8 *)direct(phys) == 0);
    REQUIRE(paging_protect(kernel, virt, PAGE_BYTES, RW) == EXO_OK && !write_faults(virt, &caught));
    REQUIRE(paging_protect(kernel, virt, PAGE_BYTES, EXO_MAP_READ) == EXO_OK && write_faults(virt, &caught));
    REQUIRE(paging_unmap(kernel, virt, PAGE_BYTES) == EXO_OK && frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *executing_where_it_is_not_allowed_faults(void)
{
    struct caught caught;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr virt = 0;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &virt, RW) == EXO_OK);
    REQUIRE(!write_faults(virt, &caught)); /* a ret */
    REQUIRE(call_faults(virt, &caught));
    REQUIRE(caught.vector == VECTOR_PAGE_FAULT && caught.address == virt && caught.error == (FAULT_PRESENT | FAULT_FETCH));
    REQUIRE(paging_protect(kernel, virt, PAGE_BYTES, EXO_MAP_READ | EXO_MAP_EXEC) == EXO_OK);
    REQUIRE(!call_faults(virt, &caught) && write_faults(virt, &caught));
    REQUIRE(paging_unmap(kernel, virt, PAGE_BYTES) == EXO_OK && frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static exo_u8 datum = 0xC3;

static const char *the_image_is_protected_at_both_of_its_addresses(void)
{
    struct caught caught;
    exo_uptr stack = (exo_uptr)&caught;
    REQUIRE(write_faults((exo_uptr)image_text, &caught) && write_faults((exo_uptr)image_rodata, &caught));
    REQUIRE(write_faults((exo_uptr)direct(image_phys(image_text)), &caught));
    REQUIRE(write_faults((exo_uptr)direct(image_phys(image_data) - 1), &caught));
    REQUIRE(!write_faults((exo_uptr)direct(image_phys(&datum)), &caught));
    REQUIRE(call_faults((exo_uptr)&datum, &caught) && (caught.error & FAULT_FETCH) != 0);
    REQUIRE(call_faults((exo_uptr)image_rodata, &caught) && call_faults(stack, &caught));
    REQUIRE(call_faults((exo_uptr)direct(image_phys(image_text)), &caught));
    REQUIRE(read_faults(0, &caught) && read_faults((exo_uptr)image_load, &caught)); /* boot.S's tables are gone */
    return CLAIM_OK;
}

/* Every leaf of the kernel's half. */
static const char *nothing_of_the_kernels_is_writable_and_executable_or_the_users(void)
{
    exo_uptr at = DIRECT_BASE;
    exo_u64 leaves = 0;
    while (at != 0) {
        exo_u32 level;
        exo_u64 entry = *paging_entry(kernel, at, &level);
        if ((entry & ENTRY_PRESENT) != 0) {
            REQUIRE((entry & ENTRY_WRITE) == 0 || (entry & ENTRY_NO_EXECUTE) != 0);
            REQUIRE((entry & ENTRY_USER) == 0);
            REQUIRE((entry & ENTRY_NO_EXECUTE) != 0 || (at >= (exo_uptr)image_text && at < (exo_uptr)image_rodata));
            leaves++;
        }
        at = (at | (level_bytes(level) - 1)) + 1;
    }
    REQUIRE(leaves > 20);
    return CLAIM_OK;
}

/* A page of a process, seen from the kernel while it lives in that process's space. */
static const char *what_is_the_users_the_kernel_neither_touches_nor_runs_by_accident(void)
{
    struct exo_port_space space;
    struct caught caught;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr data = 0x400000;
    exo_uptr code = 0x500000;
    exo_u8 byte = 0;
    REQUIRE(space_init(&space) == EXO_OK);
    *(exo_u8 *)direct(phys) = 0xC3;
    REQUIRE(paging_map(&space, phys, PAGE_BYTES, &data, RW | USER) == EXO_OK);
    REQUIRE(paging_map(&space, phys, PAGE_BYTES, &code, EXO_MAP_READ | EXO_MAP_EXEC | USER) == EXO_OK);
    live_in(&space);
    REQUIRE(read_faults(data, &caught)); /* SMAP */
    REQUIRE(caught.vector == VECTOR_PAGE_FAULT && caught.address == data && caught.error == FAULT_PRESENT);
    REQUIRE(write_faults(data, &caught) && caught.error == (FAULT_PRESENT | FAULT_WRITE));
    REQUIRE(call_faults(code, &caught)); /* SMEP */
    REQUIRE(caught.vector == VECTOR_PAGE_FAULT && caught.error == (FAULT_PRESENT | FAULT_FETCH));
    REQUIRE(exo_port_copy_from_user(&space, &byte, data, 1) == EXO_OK && byte == 0xC3);
    REQUIRE(read_faults(data, &caught)); /* the door is closed again */
    REQUIRE(exo_port_copy_from_user(&space, &byte, data + PAGE_BYTES, 1) == EXO_INVALID_ARGUMENT);
    REQUIRE(read_faults(data, &caught)); /* also after a fault */
    live_in(kernel);
    space_fini(&space);
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *copies_reach_what_the_user_may_reach_and_nothing_else(void)
{
    static const exo_u64 wild[] = {0, 1, USER_BEGIN - 1, USER_END, USER_END - 1, 0x800000000000, DIRECT_BASE,
                                   AREA_BASE, IMAGE_BASE, 0xFFFFFFFFFFFFFFFF, 0x8000000000000000};
    struct exo_port_space space;
    exo_u64 phys = frames_alloc(3 * PAGE_BYTES);
    exo_uptr rw = 0x400000;
    exo_uptr ro = 0x401000; /* and nothing behind it */
    exo_u8 bytes[64];
    exo_size i;
    REQUIRE(space_init(&space) == EXO_OK);
    REQUIRE(paging_map(&space, phys, PAGE_BYTES, &rw, RW | USER) == EXO_OK);
    REQUIRE(paging_map(&space, phys + PAGE_BYTES, PAGE_BYTES, &ro, EXO_MAP_READ | USER) == EXO_OK);
    __builtin_memset(direct(phys), 5, 2 * PAGE_BYTES);
    /* From a thread that lives elsewhere. */
    REQUIRE(exo_port_copy_from_user(&space, bytes, ro - 32, 64) == EXO_OK && bytes[0] == 5 && bytes[63] == 5);
    REQUIRE(exo_port_copy_from_user(&space, bytes, ro + PAGE_BYTES - 63, 64) == EXO_INVALID_ARGUMENT);
    REQUIRE(exo_port_copy_from_user(&space, bytes, ro + PAGE_BYTES - 64, 64) == EXO_OK);
    __builtin_memset(bytes, 6, sizeof(bytes));
    REQUIRE(exo_port_copy_to_user(&space, rw, bytes, 64) == EXO_OK && *(const exo_u8 *)direct(phys + 63) == 6);
    REQUIRE(exo_port_copy_to_user(&space, ro, bytes, 1) == EXO_INVALID_ARGUMENT);
    REQUIRE(exo_port_copy_to_user(&space, ro - 1, bytes, 2) == EXO_INVALID_ARGUMENT);
    REQUIRE(*(const exo_u8 *)direct(phys + PAGE_BYTES) == 5);
    for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        REQUIRE(exo_port_copy_from_user(&space, bytes, wild[i], 8) == EXO_INVALID_ARGUMENT);
        REQUIRE(exo_port_copy_to_user(&space, wild[i], bytes, 8) == EXO_INVALID_ARGUMENT);
        REQUIRE(exo_port_copy_to_user(&space, wild[i], bytes, 0) == EXO_OK);
    }
    REQUIRE(exo_port_copy_from_user(&space, bytes, rw, ~(exo_size)0) == EXO_INVALID_ARGUMENT);
    REQUIRE(exo_port_copy_from_user((struct exo_port_space *)EXO_NULL, bytes, rw, 8) == EXO_INVALID_ARGUMENT);
    REQUIRE(cpu_thread()->space == kernel);
    space_fini(&space);
    REQUIRE(frames_free(phys, 3 * PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *the_kernels_pages_are_closed_to_ring_3(void)
{
    exo_uptr places[] = {(exo_uptr)image_text, (exo_uptr)&datum, (exo_uptr)direct(0x200000), cpus[0].idle->stack_top - 8};
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        struct process_end end;
        REQUIRE(run_user(USER_ARGUMENT(USER_READ, places[i]), &end) == EXO_OK);
        REQUIRE(end.vector == VECTOR_PAGE_FAULT && end.address == places[i]);
        REQUIRE(end.error == (FAULT_PRESENT | FAULT_USER)); /* it is there, and not his */
        REQUIRE(run_user(USER_ARGUMENT(USER_STORE, places[i]), &end) == EXO_OK);
        REQUIRE(end.error == (FAULT_PRESENT | FAULT_USER | FAULT_WRITE));
        REQUIRE(run_user(USER_ARGUMENT(USER_JUMP, places[i]), &end) == EXO_OK);
        REQUIRE(end.error == (FAULT_PRESENT | FAULT_USER | FAULT_FETCH));
    }
    return CLAIM_OK;
}

/* Deeper and deeper, until the stack is used up; each level is known to the next, or the compiler would make a loop of it. */
static __attribute__((noinline)) exo_u64 dig(exo_u64 depth, const volatile exo_u64 *above)
{
    volatile exo_u64 room[32];
    room[depth % 32] = above == EXO_NULL ? depth : above[depth % 32];
    return depth == 0 ? room[0] : dig(depth - 1, room) + room[depth % 32];
}

static void overflow(void *argument)
{
    (void)argument;
    (void)dig(1000000, EXO_NULL);
}

static const char *a_stack_that_is_used_up_ends_in_its_guard_page(void)
{
    struct caught caught;
    exo_uptr bottom = (exo_uptr)(cpu_thread() + 1) - STACK_BYTES;
    /* The processor cannot push the page fault's frame: that is a double fault, which has a stack of its own. */
    REQUIRE(catches(overflow, NO_ARGUMENT, &caught));
    REQUIRE(caught.vector == VECTOR_DOUBLE_FAULT);
    REQUIRE(caught.address < bottom && caught.address >= bottom - PAGE_BYTES);
    REQUIRE(thread_of_guard(caught.address) == cpu_thread());
    REQUIRE(catches(overflow, NO_ARGUMENT, &caught)); /* and again */
    return CLAIM_OK;
}

static exo_u32 without_bits;

static void look_at_bits(void *argument)
{
    exo_u64 cr0;
    exo_u64 wanted = CR4_SMEP | CR4_SMAP | CR4_UMIP;
    (void)argument;
    __asm__ __volatile__("mov %%cr0, %0" : "=r"(cr0));
    if ((cr4_read() & wanted) != wanted || (cr0 & 0x10004u) != 0x10004u || (msr_read(0xC0000080) & 0x800u) == 0) {
        (void)exo_fetch_add32(&without_bits, 1u, EXO_RELAXED); /* relaxed: read after the join */
    }
}

static const char *the_bits_that_protect_the_kernel_are_on_everywhere(void)
{
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        struct thread *thread = thread_create("bits", look_at_bits, NO_ARGUMENT, 1u << i);
        REQUIRE(thread != EXO_NULL);
        thread_start(thread);
        REQUIRE(thread_join(thread, BY_THEN));
    }
    REQUIRE(without_bits == 0);
    return CLAIM_OK;
}

const struct claim claims_rights[] = {
    CLAIM(writing_where_only_reading_is_allowed_faults),
    CLAIM(executing_where_it_is_not_allowed_faults),
    CLAIM(the_image_is_protected_at_both_of_its_addresses),
    CLAIM(nothing_of_the_kernels_is_writable_and_executable_or_the_users),
    CLAIM(what_is_the_users_the_kernel_neither_touches_nor_runs_by_accident),
    CLAIM(copies_reach_what_the_user_may_reach_and_nothing_else),
    CLAIM(the_kernels_pages_are_closed_to_ring_3),
    CLAIM(a_stack_that_is_used_up_ends_in_its_guard_page),
    CLAIM(the_bits_that_protect_the_kernel_are_on_everywhere),
    CLAIMS_END,
};
