/* SPDX-License-Identifier: MIT */
/*
 * What the tests of shared memory and of the nucleus ask of the kernel below them, memory.c. Their processes are threads of
 * the kernel's that live in one address space, in the user's half of it: what they map is the user's, in real page tables. Their
 * own variables are the kernel's, so the calls copy from and to these without a look at whose they are.
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

/* The port's, with a count of what is out, and with such copies. */
#define frames_alloc          hosted_frames_alloc
#define frames_free           hosted_frames_free
#define kernel_copy_from_user hosted_copy_from_user
#define kernel_copy_to_user   hosted_copy_to_user
#include "exo_ipc/exo_ipc.h"
#undef frames_alloc
#undef frames_free
#undef kernel_copy_from_user
#undef kernel_copy_to_user

#include "cmocka.h"

/* Frames that the port has handed out, and the kernel has not taken back. */
exo_u32 frames_out(void);
/* Whether an access faults. */
exo_bool access_kills(void *at, exo_bool store);
/* A place for so many bytes that is free, somewhere. */
exo_uptr free_place(exo_size bytes);
/* A page that the library knows nothing of. */
exo_u8 *foreign_page(void);
void foreign_page_end(exo_u8 *page);
/* Where the processes live; the caller too, from here on. */
struct exo_port_space *processes_space(void);

void hosted_frames_fail_next(exo_bool fail);

/* What is answered to who asks for a shared page of a size that the machine does not have. */
EXO_INLINE int ask_for_too_much(exo_size bytes)
{
    struct exo_shared_page page;
    return exo_alloc_shared_page(&page, bytes, 0);
}

/* What is answered when there is no frame. */
EXO_INLINE exo_status ask_without_frames(struct exo_shared_page *page)
{
    exo_status status;
    hosted_frames_fail_next(EXO_TRUE);
    status = exo_alloc_shared_page(page, EXO_PORT_PAGE_BYTES, 0);
    hosted_frames_fail_next(EXO_FALSE);
    return status;
}

#endif
