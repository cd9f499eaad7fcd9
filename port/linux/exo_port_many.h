/* SPDX-License-Identifier: MIT */
/*
 * A part of exo_port.h, which includes it: waiting for many words by one futex_waitv, up to 128 with the life words of
 * the peers behind them. Where there are more, what found no room is looked at each millisecond; so is everything
 * but the first word on a kernel without futex_waitv.
 */
#ifndef EXO_PORT_LINUX_MANY_H
#define EXO_PORT_LINUX_MANY_H

#include "exo_port.h"

/* Waits for many words at once. */
#define EXO_PORT_HAS_WAIT_MANY 1

/* As many as futex_waitv takes. */
#define EXO_PORT_WAITV_MOST 128u

/* How long it sleeps at most where there are more words than that. */
#define EXO_PORT_CROWD_SLICE_NS 1000000u

/* What one futex_waitv is made of. */
struct exo_port_crowd {
    exo_u32 count;
    exo_u64 slice_ns; /* sleep no longer than that; 0: no bound */
    struct exo_port_waitv words[EXO_PORT_WAITV_MOST];
};

EXO_INLINE void exo_port_crowd_slice_pvt(struct exo_port_crowd *crowd, exo_u64 slice_ns)
{
    crowd->slice_ns = crowd->slice_ns == 0 || slice_ns < crowd->slice_ns ? slice_ns : crowd->slice_ns;
}

EXO_INLINE void exo_port_crowd_add_pvt(struct exo_port_crowd *crowd, const exo_u32 *word, exo_u32 expected,
                                       exo_bool shared)
{
    struct exo_port_waitv *at = &crowd->words[crowd->count];
    if (crowd->count == EXO_PORT_WAITV_MOST) {
        exo_port_crowd_slice_pvt(crowd, EXO_PORT_CROWD_SLICE_NS);
        return;
    }
    at->value = expected;
    at->address = (exo_u64)(exo_uptr)word;
    at->flags = FUTEX_32 | (shared ? 0u : (exo_u32)FUTEX_PRIVATE_FLAG);
    at->reserved = 0;
    crowd->count++;
}

/* Adds what tells of a peer's death. Returns false if it is dead: nobody sleeps then. */
EXO_INLINE exo_bool exo_port_crowd_watch_pvt(struct exo_port_crowd *crowd, struct exo_port_peer *peer)
{
    if (exo_port_life_ok_pvt(peer)) {
        exo_port_crowd_add_pvt(crowd, peer->life, peer->life_alive, EXO_TRUE);
        if (peer->unsure) {
            exo_port_crowd_slice_pvt(crowd, EXO_PORT_SLICE_NS);
        }
        return EXO_TRUE;
    }
    if (exo_port_confirm_death_pvt(peer, 0)) {
        return EXO_FALSE;
    }
    /* A thread that is just exiting is followed by its process at once, or not at all: others wait for us as well. */
    exo_port_crowd_slice_pvt(crowd, peer->life == NULL || peer->life_spent ? EXO_PORT_SLICE_NS
                                                                           : EXO_PORT_CROWD_SLICE_NS);
    peer->life_spent = peer->life != NULL;
    return EXO_TRUE;
}

EXO_INLINE long exo_port_crowd_sleep_pvt(const struct exo_port_crowd *crowd, exo_u64 deadline_ns)
{
    struct exo_port_time64 until;
    if (crowd->slice_ns != 0) {
        exo_u64 slice = exo_port_now_ns() + crowd->slice_ns;
        deadline_ns = slice < deadline_ns ? slice : deadline_ns;
    }
    until.seconds = deadline_ns / 1000000000u;
    until.nanoseconds = deadline_ns % 1000000000u;
    return exo_port_syscall_pvt(SYS_futex_waitv, crowd->words, (long)crowd->count, 0,
                                deadline_ns == EXO_FOREVER ? NULL : &until,
                                (const void *)(exo_uptr)CLOCK_MONOTONIC, 0);
}

/* The words themselves go first: one that is left out for want of room is looked at each millisecond. */
EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    struct exo_port_crowd crowd;
    const struct exo_wait_word *at;
    const struct exo_port_peer *last = NULL;
    long result;
    crowd.count = 0;
    crowd.slice_ns = 0;
    for (at = first; at != NULL; at = at->next) {
        exo_port_crowd_add_pvt(&crowd, at->word, at->expected, at->shared);
    }
    for (at = first; at != NULL; at = at->next) {
        if (at->peer != NULL && at->peer != last && !exo_port_crowd_watch_pvt(&crowd, at->peer)) {
            return;
        }
        last = at->peer;
    }
    result = exo_port_crowd_sleep_pvt(&crowd, deadline_ns);
    if (result == -ENOSYS || result == -EPERM) {
        exo_u64 slice = exo_port_now_ns() + EXO_PORT_CROWD_SLICE_NS;
        (void)exo_port_futex_wait_pvt(first->word, first->expected,
                                      slice < deadline_ns ? slice : deadline_ns, first->shared);
    }
}

#endif
