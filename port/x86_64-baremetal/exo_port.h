/* SPDX-License-Identifier: MIT */
/*
 * Port to the kernel in this folder, for code inside it: threads of the kernel, and the handlers of system calls.
 *
 * Waits sleep in base/parking.h on top of the scheduler (sched.c), by the physical address of the word, so that the two
 * sides may have it mapped at different places. Fences are asymmetric: the side that is about to sleep sends an interrupt
 * to the other processors, the side that sends a message pays nothing. exo_port_pages.h has the part for the trusted side.
 */
#ifndef EXO_PORT_BAREMETAL_H
#define EXO_PORT_BAREMETAL_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/config.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/map_flags.h"
#include "exo_ipc/base/math.h"
#include "exo_ipc/base/status.h"
#include "exo_ipc/base/types.h"
#include "exo_ipc/base/wait_word.h"

EXO_EXTERN_C_BEGIN

/* clock.c: nanoseconds = (time stamp counter - begin) * scale / 2^32. Written once, before there are threads. */
struct kernel_clock {
    exo_u64 begin;
    exo_u64 scale;
};
extern struct kernel_clock kernel_clock;

exo_u32 kernel_self(void);                      /* thread.c */
exo_u64 kernel_process(void);                   /* process.c */
exo_bool kernel_process_alive(exo_u64 process); /* process.c */
exo_u64 kernel_word_key(const exo_u32 *word);   /* pages.c */
void fence_everywhere(void);                    /* tlb.c */

EXO_EXTERN_C_END

#define EXO_PARKING_KEY(word) kernel_word_key(word)
#include "exo_ipc/base/parking.h"

/* A process at the other end, as exo_port_process() names it. */
struct exo_port_peer {
    exo_u64 process;
};

/* How long a wait lasts at most that watches a peer. */
#define EXO_PORT_SLICE_NS 50000000u

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
    (void)shared; /* processors, not threads, are made to pass a fence: whoever runs there */
    fence_everywhere();
}

EXO_INLINE exo_u64 exo_port_now_ns(void)
{
    __extension__ typedef unsigned __int128 wide;
    return (exo_u64)((wide)(exo_cpu_cycles() - kernel_clock.begin) * kernel_clock.scale >> 32);
}

EXO_INLINE exo_u32 exo_port_self(void)
{
    return kernel_self();
}

EXO_INLINE exo_u64 exo_port_process(void)
{
    return kernel_process();
}

EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    return kernel_process_alive(process);
}

EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    return peer == EXO_NULL || kernel_process_alive(peer->process);
}

EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns, exo_bool shared,
                              struct exo_port_peer *peer)
{
    (void)shared; /* one lot for all */
    if (peer != EXO_NULL) {
        if (!exo_port_peer_alive(peer)) {
            return;
        }
        deadline_ns = exo_min64(deadline_ns, exo_port_now_ns() + EXO_PORT_SLICE_NS);
    }
    exo_parking_wait(word, expected, deadline_ns);
}

#define EXO_PORT_HAS_WAIT_MANY 1

EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    const struct exo_wait_word *at = first;
    while (at != EXO_NULL && at->peer == EXO_NULL) {
        at = at->next;
    }
    if (at != EXO_NULL) {
        deadline_ns = exo_min64(deadline_ns, exo_port_now_ns() + EXO_PORT_SLICE_NS);
    }
    exo_parking_wait_many(first, deadline_ns);
}

EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    (void)shared;
    (void)exo_parking_wake(word, count);
}

#include "exo_port_pages.h"

#endif
