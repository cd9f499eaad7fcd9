/* SPDX-License-Identifier: MIT */
/*
 * For programs of ring 3: exo_ipc over shared memory, and the nucleus behind the system call. A program is one C file with a
 * user_main(); runtime.c begins it.
 */
#ifndef BAREMETAL_USER_USER_H
#define BAREMETAL_USER_USER_H

#include "exo_ipc/exo_ipc.h"
#include "exo_ipc/nucleus/calls_channel.h"

/* What a program does, and the code that it ends with. */
exo_i64 user_main(exo_u64 argument);

void user_exit(exo_i64 code) __attribute__((noreturn));
exo_size user_length(const char *text);
void user_print(const char *text);

/* The door that the syscall instruction is. */
extern struct exo_door *const user_door;

EXO_INLINE void user_yield(void)
{
    (void)user_call(CALL_YIELD, 0, 0, 0, 0);
}

/* Another process, of a program of the image's table; EXO_NOT_FOUND, EXO_QUOTA_EXCEEDED (8 at most), EXO_NO_MEMORY. It ends
 * with this one. */
EXO_INLINE exo_status user_spawn(exo_u64 program, exo_u64 argument, struct user_child *child)
{
    return (exo_status)user_call(CALL_SPAWN, program, argument, (exo_u64)(exo_uptr)child, 0);
}

/* The end of a child; EXO_TIMEOUT, EXO_NOT_FOUND. */
EXO_INLINE exo_status user_join(const struct user_child *child, exo_u64 deadline_ns, struct user_end *end)
{
    return (exo_status)user_call(CALL_JOIN, child->process, deadline_ns, (exo_u64)(exo_uptr)end, 0);
}

#define USER_OR_EXIT(ok)                                                                           \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            user_print("ring 3: not so: " #ok "\n");                                               \
            user_exit(__LINE__);                                                                   \
        }                                                                                          \
    } while (0)

#endif
