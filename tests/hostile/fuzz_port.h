/* SPDX-License-Identifier: MIT */
/*
 * The port of the fuzzers and of their replay: no system calls, nobody sleeps, time passes with each look at the
 * clock, so that an input always does the same.
 */
#ifndef EXO_TESTS_FUZZ_PORT_H
#define EXO_TESTS_FUZZ_PORT_H

#include <stdlib.h>
#include <string.h>

#include "exo_ipc/base/atomic.h"

struct exo_port_peer {
    exo_bool dead;
};

EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes)
{
    memcpy(to, from, bytes);
}
EXO_INLINE exo_bool exo_port_fence_setup(void)
{
    return EXO_FALSE;
}
EXO_INLINE void exo_port_fence_heavy(exo_bool shared)
{
    (void)shared;
}
EXO_INLINE exo_u64 exo_port_now_ns(void)
{
    static exo_u64 now = 1000000000u;
    return now += 1000;
}
EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns, exo_bool shared,
                              struct exo_port_peer *peer)
{
    (void)word;
    (void)expected;
    (void)deadline_ns;
    (void)shared;
    (void)peer;
}
EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    (void)word;
    (void)count;
    (void)shared;
}
EXO_INLINE exo_u32 exo_port_self(void)
{
    return 1;
}
EXO_INLINE exo_u64 exo_port_process(void)
{
    return (exo_u64)1 << 24 | 1;
}
EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    return (process & 1) != 0;
}
EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    return peer == NULL || !peer->dead;
}
EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    void *memory = aligned_alloc(128, (bytes + 127) & ~(exo_size)127);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}
EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    (void)bytes;
    free(memory);
}

#endif
