/* SPDX-License-Identifier: MIT */
/*
 * The port contract for the model checker (EXO_IPC_PORT). Sleeping, waking, the clock and death are the
 * scheduler's; memory is static, and as new in each run.
 */
#ifndef EXO_TESTS_MODEL_PORT_H
#define EXO_TESTS_MODEL_PORT_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/wait_word.h"

/* The process at the other end: some threads of the client, bit by bit. It is dead when they all are. */
struct exo_port_peer {
    exo_u32 threads;
};

void model_copy(void *to, const void *from, exo_size bytes);
void *model_page_alloc(exo_size bytes);
exo_bool model_asymmetric(void);
void model_fence_heavy(const struct site *site);
void model_wait(const struct site *site, const struct exo_wait_word *first, exo_u64 deadline_ns);
void model_wake(const struct site *site, exo_u32 *word, exo_u32 count);
exo_u64 model_now_ns(void);
exo_u32 model_self(void);
exo_bool model_alive(const struct site *site, exo_u32 threads);
void model_relax(const struct site *site);

/* A bell is a word that rings count, and whoever sleeps on it waits for. */
#define EXO_PORT_HAS_BELL 1
struct exo_port_bell {
    exo_u32 rings;
};

/* Pages and tables so small that they are used up within a run. */
#define EXO_PORT_PAGE_BYTES 256u
#define EXO_NAMES_FIRST 1u

#define exo_cpu_relax() model_relax(MODEL_SITE(SITE_OTHER, EXO_RELAXED))

EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes)
{
    model_copy(to, from, bytes);
}
EXO_INLINE exo_bool exo_port_fence_setup(void)
{
    return model_asymmetric();
}
EXO_INLINE void exo_port_fence_heavy(exo_bool shared)
{
    (void)shared;
    model_fence_heavy(MODEL_SITE(SITE_FENCE_HEAVY, EXO_ACQ_REL));
}
EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                              exo_bool shared, struct exo_port_peer *peer)
{
    struct exo_wait_word only = {EXO_NULL, word, peer, expected, shared, {0, 0, 0, 0, 0}};
    model_wait(MODEL_SITE(SITE_OTHER, EXO_RELAXED), &only, deadline_ns);
}
#define EXO_PORT_HAS_WAIT_MANY 1
EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    model_wait(MODEL_SITE(SITE_OTHER, EXO_RELAXED), first, deadline_ns);
}
EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    (void)shared;
    model_wake(MODEL_SITE(SITE_OTHER, EXO_RELAXED), word, count);
}
EXO_INLINE void exo_port_ring_bell(struct exo_port_bell *bell)
{
    (void)exo_fetch_add32(&bell->rings, 1u, EXO_RELEASE);
    model_wake(MODEL_SITE(SITE_OTHER, EXO_RELAXED), &bell->rings, 0xFFFFFFFFu);
}
EXO_INLINE exo_u64 exo_port_now_ns(void)
{
    return model_now_ns();
}
EXO_INLINE exo_u32 exo_port_self(void)
{
    return model_self();
}
EXO_INLINE exo_u64 exo_port_process(void)
{
    return 0x5000000u | model_self(); /* each thread plays a process */
}
EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    return model_alive(MODEL_SITE(SITE_OTHER, EXO_RELAXED), 1u << (process & 0xFFu));
}
EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    return peer == EXO_NULL || model_alive(MODEL_SITE(SITE_OTHER, EXO_RELAXED), peer->threads);
}
EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    return model_page_alloc(bytes);
}
EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    (void)memory;
    (void)bytes;
}

#endif
