/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's own system calls say to ring 3 in memory. Numbers are in layout.h, the calls in user_calls.c.
 */
#ifndef BAREMETAL_USER_ABI_H
#define BAREMETAL_USER_ABI_H

#include "exo_ipc/base/types.h"

/**
 * struct user_self - who the caller is, and how to read the clock.
 * @process: as exo_port_process() says it
 * @nucleus: the number by which the nucleus's calls and messages name it
 * @thread: as exo_port_self() says it
 * @clock_begin, @clock_scale: nanoseconds = (time stamp counter - begin) * scale / 2^32
 */
struct user_self {
    exo_u64 process;
    exo_u64 nucleus;
    exo_u64 thread;
    exo_u64 clock_begin;
    exo_u64 clock_scale;
};

/* Whom spawn made: its numbers, as above. */
struct user_child {
    exo_u64 process;
    exo_u64 nucleus;
};

/* How a child ended: struct process_end, made for two compilers. */
struct user_end {
    exo_u64 vector; /* of an exception, or one of these */
    exo_u64 address;
    exo_i64 code;
};
#define USER_END_EXIT   0x100u
#define USER_END_KILLED 0x101u

#endif
