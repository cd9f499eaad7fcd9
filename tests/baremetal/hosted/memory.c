/* SPDX-License-Identifier: MIT */
/*
 * host_memory.h over the kernel's frames and page tables.
 */
#define HOSTED_ITSELF
#include "cmocka.h"
#include "../catch.h"
#include "../../../port/x86_64-baremetal/task.h"

#define READ_WRITE (EXO_MAP_READ | EXO_MAP_WRITE)

/* In the place of the kernel's: host_memory.h. */
exo_u64 hosted_frames_alloc(exo_size bytes);
exo_status hosted_frames_free(exo_u64 phys, exo_size bytes);
exo_status hosted_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes);
exo_status hosted_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes);

exo_u32 frames_out(void);
exo_bool access_kills(void *at, exo_bool store);
exo_uptr free_place(exo_size bytes);
exo_u8 *foreign_page(void);
void foreign_page_end(exo_u8 *page);
struct exo_port_space *processes_space(void);
void hosted_frames_fail_next(exo_bool fail);

static struct exo_port_space users;
static exo_u32 out;
static exo_u64 foreign;

exo_u64 hosted_frames_alloc(exo_size bytes)
{
    exo_u64 phys = frames_alloc(bytes);
    if (phys != EXO_NO_FRAME) {
        (void)exo_fetch_add32(&out, 1u, EXO_RELAXED); /* relaxed: a count */
    }
    return phys;
}

exo_status hosted_frames_free(exo_u64 phys, exo_size bytes)
{
    exo_status status = frames_free(phys, bytes);
    if (status == EXO_OK) {
        (void)exo_fetch_add32(&out, (exo_u32)-1, EXO_RELAXED); /* relaxed: a count */
    }
    return status;
}

exo_u32 frames_out(void)
{
    return exo_load32(&out, EXO_RELAXED); /* relaxed: asked when nothing else runs */
}

void hosted_frames_fail_next(exo_bool fail)
{
    frames_fail_after(fail ? 0 : ~(exo_u64)0);
}

exo_bool access_kills(void *at, exo_bool store)
{
    struct caught caught;
    exo_bool faults = store ? write_faults((exo_uptr)at, &caught) : read_faults((exo_uptr)at, &caught);
    assert_true(!faults || caught.vector == VECTOR_PAGE_FAULT);
    return faults;
}

static exo_uptr map_anywhere(exo_u64 phys, exo_size bytes)
{
    exo_uptr at = 0;
    assert_int_equal(exo_port_map((struct exo_port_space *)NULL, phys, bytes, &at, READ_WRITE), EXO_OK);
    return at;
}

exo_uptr free_place(exo_size bytes)
{
    exo_u64 phys = frames_alloc(bytes);
    exo_uptr at;
    assert_true(phys != EXO_NO_FRAME);
    at = map_anywhere(phys, bytes);
    assert_int_equal(exo_port_unmap((struct exo_port_space *)NULL, at, bytes), EXO_OK);
    assert_int_equal(frames_free(phys, bytes), EXO_OK);
    return at;
}

exo_u8 *foreign_page(void)
{
    foreign = frames_alloc(PAGE_BYTES);
    assert_true(foreign != EXO_NO_FRAME);
    return (exo_u8 *)map_anywhere(foreign, PAGE_BYTES);
}

void foreign_page_end(exo_u8 *page)
{
    assert_int_equal(exo_port_unmap((struct exo_port_space *)NULL, (exo_uptr)page, PAGE_BYTES), EXO_OK);
    assert_int_equal(frames_free(foreign, PAGE_BYTES), EXO_OK);
}

/* The threads touch what is the user's, as the threads of a process do. */
static void let_touch(void *nothing)
{
    (void)nothing;
    cr4_write(cr4_read() & ~(exo_u64)CR4_SMAP);
}

struct exo_port_space *processes_space(void)
{
    exo_u32 i;
    for (i = 0; users.root == 0 && i < cpu_count; i++) {
        struct thread *thread = thread_create("host", let_touch, NULL, 1u << i);
        assert_non_null(thread);
        thread_start(thread);
        assert_true(thread_join(thread, EXO_FOREVER));
    }
    if (users.root == 0) {
        assert_int_equal(space_init(&users), EXO_OK);
    }
    live_in(&users);
    return &users;
}

static exo_bool is_the_kernels(exo_u64 at)
{
    return at >= DIRECT_BASE;
}

exo_status hosted_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes)
{
    if (!is_the_kernels(from)) {
        return kernel_copy_from_user(space, to, from, bytes);
    }
    memcpy(to, (const void *)(exo_uptr)from, bytes);
    return EXO_OK;
}

exo_status hosted_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes)
{
    if (!is_the_kernels(to)) {
        return kernel_copy_to_user(space, to, from, bytes);
    }
    memcpy((void *)(exo_uptr)to, from, bytes);
    return EXO_OK;
}
