/* SPDX-License-Identifier: MIT */
/*
 * Copies from and to the memory of a process: by the process's own addresses, so that the processor checks its rights
 * (read-only is read-only for the kernel too, and a page that is not the user's is at none of his addresses, see paging.c).
 * A fault ends the copy, not the kernel.
 */
#include "task.h"

exo_bool user_copy(void *to, const void *from, exo_size bytes); /* entry.S */

static exo_bool range_is_users(exo_u64 at, exo_size bytes)
{
    return at >= USER_BEGIN && at <= USER_END && bytes <= USER_END - at;
}

/* Makes the thread live in an address space; the scheduler keeps it loaded while the thread runs. */
static struct exo_port_space *adopt(struct exo_port_space *space)
{
    struct thread *self = cpu_thread();
    struct exo_port_space *former = self->space;
    if (space != EXO_NULL && space != former) {
        exo_uptr flags = interrupts_save();
        self->space = space;
        space_load(space);
        interrupts_restore(flags);
    }
    return former;
}

static exo_status copy(struct exo_port_space *space, void *to, const void *from, exo_size bytes, exo_u64 user)
{
    struct exo_port_space *former;
    exo_bool done;
    if (bytes == 0) {
        return EXO_OK;
    }
    if (!range_is_users(user, bytes)) {
        return EXO_INVALID_ARGUMENT;
    }
    former = adopt(space);
    done = cpu_thread()->space != &kernel_space && user_copy(to, from, bytes);
    (void)adopt(former);
    return done ? EXO_OK : EXO_INVALID_ARGUMENT;
}

exo_status kernel_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes)
{
    return copy(space, to, (const void *)(exo_uptr)from, bytes, from);
}

exo_status kernel_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes)
{
    return copy(space, (void *)(exo_uptr)to, from, bytes, to);
}
