/* SPDX-License-Identifier: MIT */
/*
 * Channels between two processes, over a link (exo_link.h).
 *
 * Who the peer is says the kernel: its credentials are those of the socket by which the segments came, and every
 * message that is received is stamped with them.
 *
 * The profile is EXO_CRASH_SAFE or EXO_HOSTILE (EXO_THREADS is taken as EXO_CRASH_SAFE). The two directions may be
 * configured differently, each by its sender; calls are limited by who answers them.
 */
#ifndef EXO_PORT_LINUX_CHANNEL_H
#define EXO_PORT_LINUX_CHANNEL_H

#include "exo_link.h"

/**
 * struct exo_channel_end - one end of a channel between processes.
 * @channel: its handle, for all calls of channel/channel.h but closing
 * @peer: the peer's credentials, from the kernel
 */
struct exo_channel_end {
    struct exo_channel channel;
    struct exo_credentials peer;
    struct exo_link link;
    exo_u32 spin;
};

/* A process as the header of a message names it: uid << 32 | pid. */
EXO_INLINE exo_u64 exo_channel_identity(exo_u32 uid, exo_u32 pid)
{
    return (exo_u64)uid << 32 | pid;
}

/**
 * exo_channel_end_close - close an end, both directions. As exo_close() and exo_channel_close().
 * @end: harmless if it is closed already
 *
 * Context: may sleep.
 */
EXO_INLINE void exo_channel_end_close(struct exo_channel_end *end)
{
    exo_channel_close(&end->channel);
    exo_link_close_pvt(&end->link);
}

EXO_INLINE exo_status exo_channel_end_begin_pvt(struct exo_channel_end *end, int socket,
                                                const struct exo_channel_config *config, exo_u64 deadline_ns)
{
    struct exo_channel_config made;
    exo_status status;
    memset(&made, 0, sizeof(made));
    if (config != NULL) {
        made = *config;
    }
    if (made.ring.profile == EXO_THREADS) {
        made.ring.profile = EXO_CRASH_SAFE;
    }
    end->channel.attached = 0;
    end->spin = made.ring.spin;
    exo_link_clear_pvt(&end->link, socket);
    end->link.judge = exo_channel_lanes_offered;
    end->link.limit = made.limit;
    status = exo_channel_lanes(&end->link.out, &made);
    return status == EXO_OK ? exo_link_begin_pvt(&end->link, deadline_ns) : status;
}

EXO_INLINE exo_status exo_channel_end_finish_pvt(struct exo_channel_end *end, exo_u64 deadline_ns)
{
    struct exo_channel_place place;
    struct exo_link *link = &end->link;
    exo_u32 i;
    exo_status status = exo_link_finish_pvt(link, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    for (i = 0; i < EXO_LANES_CHANNEL; i++) {
        place.out[i] = exo_link_out_pvt(link, i);
        place.in[i] = exo_link_in_pvt(link, i);
    }
    place.open = link->own_tx.private_memory + EXO_LIFE_PRIVATE_BYTES + link->out.sender_books - link->out.sender_extra;
    place.pending =
        link->own_rx.private_memory + EXO_LIFE_PRIVATE_BYTES + link->in.receiver_books - link->in.receiver_extra;
    place.spin = end->spin;
    place.tx_peer = &link->tx_peer;
    place.rx_peer = &link->rx_peer;
    end->peer = link->peer;
    place.self = exo_channel_identity(getuid(), (exo_u32)getpid());
    place.peer = exo_channel_identity(link->peer.uid, link->peer.pid);
    status = exo_channel_attach(&end->channel, &place);
    for (i = 0; i < EXO_LANES_CHANNEL && status == EXO_OK; i++) {
        end->channel.tx[i].waker.bell = &link->bell;
        end->channel.rx[i].waker.bell = &link->bell;
    }
    return status;
}

/**
 * exo_channel_open - turn a connected Unix socket into one end of a channel, with the process on its other side.
 * @end: the end, in the caller's memory; do not move it while it is open
 * @socket, @deadline_ns: as exo_open()
 * @config: of the direction to the peer; null means the default. The peer's must have the same profile and type
 *
 * Returns: as exo_open() and exo_channel_lanes(); EXO_TYPE_MISMATCH if the peer opens no channel, on both sides.
 * Context: may sleep. The thread should live as long as the end: its death is what the peer notices first.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_open(struct exo_channel_end *end, int socket,
                                                    const struct exo_channel_config *config, exo_u64 deadline_ns)
{
    exo_status status = exo_channel_end_begin_pvt(end, socket, config, deadline_ns);
    if (status == EXO_OK) {
        status = exo_link_accept_pvt(&end->link, deadline_ns);
    }
    if (status == EXO_OK) {
        status = exo_channel_end_finish_pvt(end, deadline_ns);
    }
    if (status != EXO_OK) {
        exo_channel_end_close(end);
    }
    return status;
}

/**
 * exo_channel_open_both - two ends of a channel in one process: for tests, and for threads that distrust each other.
 * @a, @b: the ends; do not move them while they are open
 * @config: of both directions; null means the default
 *
 * Returns: as exo_pair() and exo_channel_open().
 */
EXO_INLINE EXO_MUST_USE exo_status exo_channel_open_both(struct exo_channel_end *a, struct exo_channel_end *b,
                                                         const struct exo_channel_config *config)
{
    struct exo_channel_end *ends[2] = {a, b};
    int sockets[2];
    exo_u32 i;
    exo_status status = exo_pair(sockets);
    if (status != EXO_OK) {
        return status;
    }
    for (i = 0; i < 2; i++) {
        exo_status made = exo_channel_end_begin_pvt(ends[i], sockets[i], config, EXO_NOW);
        status = status == EXO_OK ? made : status;
    }
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_link_accept_pvt(&ends[i]->link, EXO_NOW);
    }
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_channel_end_finish_pvt(ends[i], EXO_NOW);
    }
    if (status != EXO_OK) {
        exo_channel_end_close(a);
        exo_channel_end_close(b);
    }
    return status;
}

#endif
