/* SPDX-License-Identifier: MIT */
/*
 * Handlers of system calls: six arguments at most, all of them anybody's; the result is a status or a count. They run in the
 * caller's thread, on its kernel stack, with interrupts on.
 */
#ifndef BAREMETAL_USER_CALLS_H
#define BAREMETAL_USER_CALLS_H

#include "exo_ipc/base/types.h"

#define UNUSED_4                                                                                   \
    (void)c;                                                                                       \
    (void)d;                                                                                       \
    (void)e;                                                                                       \
    (void)f
#define UNUSED_6                                                                                   \
    (void)a;                                                                                       \
    (void)b;                                                                                       \
    UNUSED_4

/* user_calls.c */
exo_i64 call_wait(exo_u64 word, exo_u64 expected, exo_u64 deadline_ns, exo_u64 process, exo_u64 e, exo_u64 f);
exo_i64 call_wake(exo_u64 word, exo_u64 count, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);
exo_i64 call_fence(exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);
exo_i64 call_self(exo_u64 to, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);
exo_i64 call_alive(exo_u64 process, exo_u64 b, exo_u64 c, exo_u64 d, exo_u64 e, exo_u64 f);
exo_i64 call_spawn(exo_u64 program, exo_u64 argument, exo_u64 to, exo_u64 d, exo_u64 e, exo_u64 f);
exo_i64 call_join(exo_u64 process, exo_u64 deadline_ns, exo_u64 to, exo_u64 d, exo_u64 e, exo_u64 f);

#endif
