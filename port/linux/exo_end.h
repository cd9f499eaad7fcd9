/* SPDX-License-Identifier: MIT */
/*
 * Ends: two processes, or two strangers in one, joined by a ring in each direction, over a link (exo_link.h).
 *
 * The profile is EXO_CRASH_SAFE or EXO_HOSTILE (EXO_THREADS is taken as EXO_CRASH_SAFE), the mode EXO_SPSC. The
 * two directions may be configured differently, each by its sender.
 */
#ifndef EXO_PORT_LINUX_END_H
#define EXO_PORT_LINUX_END_H

#include "exo_link.h"

/**
 * struct exo_end - one end of a pair. tx and rx are its handles; the rest is the library's.
 * @tx: sends to the peer
 * @rx: receives from the peer
 * @peer: the peer's credentials, from the kernel
 */
struct exo_end {
    struct exo_sender tx;
    struct exo_receiver rx;
    struct exo_credentials peer;
    struct exo_link link;
    exo_u32 spin;
    exo_u32 attached; /* bit 0: tx, bit 1: rx */
};

/**
 * exo_close - close an end: the peer can still receive what was sent, then gets EXO_CLOSED.
 * @end: harmless if it is closed already. Views of received messages are gone afterwards.
 *
 * Best called by the thread that opened the end: while that one lives, another one leaves four pages mapped, for
 * good.
 * Context: may sleep.
 */
EXO_INLINE void exo_close(struct exo_end *end)
{
    if ((end->attached & 1u) != 0) {
        (void)exo_sender_close(&end->tx);
    }
    if ((end->attached & 2u) != 0) {
        (void)exo_receiver_close(&end->rx);
    }
    exo_link_close_pvt(&end->link);
    end->attached = 0;
}

/* Step 1 of the handshake, with the ring that was asked for. */
EXO_INLINE exo_status exo_end_begin_pvt(struct exo_end *end, int socket, const struct exo_ring_config *config,
                                        exo_u64 deadline_ns)
{
    struct exo_ring_config made;
    exo_status status;
    memset(&made, 0, sizeof(made));
    if (config != NULL) {
        made = *config;
    }
    if (made.profile == EXO_THREADS) {
        made.profile = EXO_CRASH_SAFE;
    }
    end->attached = 0;
    end->spin = made.spin;
    exo_link_clear_pvt(&end->link, socket);
    if ((made.mode & EXO_MPMC) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    exo_lanes_clear(&end->link.out, 0);
    status = exo_lanes_add(&end->link.out, &made);
    return status == EXO_OK ? exo_link_begin_pvt(&end->link, deadline_ns) : status;
}

/* Step 3, and attach both handles. */
EXO_INLINE exo_status exo_end_finish_pvt(struct exo_end *end, exo_u64 deadline_ns)
{
    struct exo_ring_memory out;
    struct exo_ring_memory in;
    exo_status status = exo_link_finish_pvt(&end->link, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    end->peer = end->link.peer;
    out = exo_link_out_pvt(&end->link, 0);
    in = exo_link_in_pvt(&end->link, 0);
    status = exo_sender_attach(&end->tx, &out, end->spin, &end->link.tx_peer);
    if (status == EXO_OK) {
        end->attached |= 1u;
        end->tx.waker.bell = &end->link.bell;
        status = exo_receiver_attach(&end->rx, &in, end->spin, &end->link.rx_peer);
    }
    if (status == EXO_OK) {
        end->attached |= 2u;
        end->rx.waker.bell = &end->link.bell;
    }
    return status;
}

/**
 * exo_open - turn a connected Unix socket into an end, together with the process on its other side.
 * @end: the end, in the caller's memory; do not move it while it is open
 * @socket: one of exo_pair(), or any connected AF_UNIX SOCK_SEQPACKET socket; the end's from now on, also
 *   when this fails (it is closed then)
 * @config: the ring to send through; null means the default. The peer's must have the same profile and type
 * @deadline_ns: how long to wait for the peer to open its end, absolute
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT if it is no such socket; EXO_TYPE_MISMATCH if the peer's ring has another
 * profile or type, on both sides; EXO_VERSION_MISMATCH; EXO_PERMISSION_DENIED if the peer's memory is not
 * sealed; EXO_CORRUPT, EXO_INVALID_SIZE if it is nonsense; EXO_PEER_DIED; EXO_TIMEOUT; EXO_WOULD_BLOCK;
 * EXO_NO_MEMORY; EXO_QUOTA_EXCEEDED; EXO_NOT_SUPPORTED for modes with several producers or consumers; else as
 * exo_geometry_from_config().
 * Context: may sleep. The thread should live as long as the end: its death is what the peer notices first.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_open(struct exo_end *end, int socket,
                                            const struct exo_ring_config *config, exo_u64 deadline_ns)
{
    exo_status status = exo_end_begin_pvt(end, socket, config, deadline_ns);
    if (status == EXO_OK) {
        status = exo_link_accept_pvt(&end->link, deadline_ns);
    }
    if (status == EXO_OK) {
        status = exo_end_finish_pvt(end, deadline_ns);
    }
    if (status != EXO_OK) {
        exo_close(end);
    }
    return status;
}

/**
 * exo_open_both - two ends of a pair in one process: for tests, and for threads that distrust each other.
 * @a, @b: the ends; do not move them while they are open
 * @config: of both directions; null means the default
 *
 * Returns: as exo_pair() and exo_open().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_open_both(struct exo_end *a, struct exo_end *b,
                                                 const struct exo_ring_config *config)
{
    struct exo_end *ends[2] = {a, b};
    int sockets[2];
    exo_u32 i;
    exo_status status = exo_pair(sockets);
    if (status != EXO_OK) {
        return status;
    }
    for (i = 0; i < 2; i++) {
        exo_status made = exo_end_begin_pvt(ends[i], sockets[i], config, EXO_NOW);
        status = status == EXO_OK ? made : status;
    }
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_link_accept_pvt(&ends[i]->link, EXO_NOW);
    }
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_end_finish_pvt(ends[i], EXO_NOW);
    }
    if (status != EXO_OK) {
        exo_close(a);
        exo_close(b);
    }
    return status;
}

#endif
