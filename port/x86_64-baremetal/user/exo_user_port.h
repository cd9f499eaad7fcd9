/* SPDX-License-Identifier: MIT */
/*
 * Port to ring 3 of the kernel in the folder above: what a program needs to share rings with others. It enters the kernel
 * to sleep, to wake a sleeper, and for the fence before a sleep; not to send or to receive. Memory comes from the nucleus
 * (user.h), so exo_port_page_alloc() has none: rings are made by exo_ring_init() in a region.
 */
#ifndef EXO_PORT_BAREMETAL_USER_H
#define EXO_PORT_BAREMETAL_USER_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/config.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/math.h"
#include "exo_ipc/base/status.h"
#include "exo_ipc/base/types.h"
#include "exo_ipc/base/wait_word.h"
#include "layout.h"
#include "user_abi.h"

EXO_EXTERN_C_BEGIN
extern struct user_self user_self; /* runtime.c; set before user_main() */
extern exo_u64 user_calls;         /* how many system calls were made */
EXO_EXTERN_C_END

/* A process at the other end, as exo_port_process() names it. */
struct exo_port_peer {
    exo_u64 process;
};

EXO_HOT exo_i64 user_call(exo_u64 number, exo_u64 a, exo_u64 b, exo_u64 c, exo_u64 d)
{
    exo_i64 result;
    register exo_u64 fourth __asm__("r10") = d;
    user_calls++;
    __asm__ __volatile__("syscall"
                         : "=a"(result)
                         : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                         : "rcx", "r11", "memory", "cc");
    return result;
}

EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes)
{
    __builtin_memcpy(to, from, bytes);
}

EXO_INLINE exo_bool exo_port_fence_setup(void)
{
    return EXO_TRUE;
}

EXO_INLINE void exo_port_fence_heavy(exo_bool shared)
{
    (void)shared;
    (void)user_call(CALL_FENCE, 0, 0, 0, 0);
}

EXO_INLINE exo_u64 exo_port_now_ns(void)
{
    __extension__ typedef unsigned __int128 wide;
    return (exo_u64)((wide)(exo_cpu_cycles() - user_self.clock_begin) * user_self.clock_scale >> 32);
}

EXO_INLINE exo_u32 exo_port_self(void)
{
    return (exo_u32)user_self.thread;
}

EXO_INLINE exo_u64 exo_port_process(void)
{
    return user_self.process;
}

EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    return user_call(CALL_ALIVE, process, 0, 0, 0) == 1;
}

EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    return peer == EXO_NULL || exo_port_process_alive(peer->process);
}

EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns, exo_bool shared,
                              struct exo_port_peer *peer)
{
    (void)shared;
    (void)user_call(CALL_WAIT, (exo_u64)(exo_uptr)word, expected, deadline_ns, peer == EXO_NULL ? 0 : peer->process);
}

EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    (void)shared;
    (void)user_call(CALL_WAKE, (exo_u64)(exo_uptr)word, count, 0, 0);
}

EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    (void)bytes;
    return EXO_NULL;
}

EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    (void)memory;
    (void)bytes;
}

#endif
