/* SPDX-License-Identifier: MIT */
/*
 * Ends: two processes, or two strangers in one, joined by a ring in each direction.
 *
 *   process A                                            process B
 *   own sender segment    (written)  -- hello + memfd --> mapped read-only
 *   own receiver segment  (written)  -- accept + memfd -> mapped read-only
 *   mapped read-only      <-- hello + memfd --            own sender segment    (written)
 *   mapped read-only      <-- accept + memfd -            own receiver segment  (written)
 *
 * Each side makes, maps and then seals its own two segments and passes their descriptors; neither can ever write
 * the other's. After the handshake only the socket and a pidfd stay open: both tell, with the life words
 * in the segments, when the peer dies. There is nothing to clean up after a kill.
 *
 * The profile is EXO_CRASH_SAFE or EXO_HOSTILE (EXO_THREADS is taken as EXO_CRASH_SAFE), the mode EXO_SPSC. The
 * two directions may be configured differently, each by its sender.
 */
#ifndef EXO_PORT_LINUX_END_H
#define EXO_PORT_LINUX_END_H

#include "exo_socket.h"

#define EXO_HELLO_MAGIC 0x6F6C6C6568637069ull /* "ipchello" */
#define EXO_HELLO 1u
#define EXO_ACCEPT 2u

/* Both datagrams of the handshake. */
struct exo_hello {
    exo_word64 magic;
    exo_u32 version;
    exo_u32 what;
    exo_i32 status; /* EXO_ACCEPT: EXO_OK, or why not */
    exo_u32 life;   /* bytes from the life word to the segment's end; 0: none */
    exo_word64 reserved;
};

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
    struct exo_port_peer tx_peer;
    struct exo_port_peer rx_peer;
    struct exo_segment own_tx;
    struct exo_segment own_rx;
    struct exo_segment peer_tx;
    struct exo_segment peer_rx;
    struct exo_ring_config config;
    int socket;
    int pidfd;
    exo_u32 attached; /* bit 0: tx, bit 1: rx */
};

EXO_INLINE void exo_end_clear_pvt(struct exo_end *end, int socket)
{
    memset(end, 0, sizeof(*end));
    exo_segment_clear(&end->own_tx);
    exo_segment_clear(&end->own_rx);
    exo_segment_clear(&end->peer_tx);
    exo_segment_clear(&end->peer_rx);
    end->socket = socket;
    end->pidfd = -1;
}

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
    exo_segment_destroy(&end->own_tx);
    exo_segment_destroy(&end->own_rx);
    exo_segment_destroy(&end->peer_tx);
    exo_segment_destroy(&end->peer_rx);
    exo_descriptor_close_pvt(&end->pidfd);
    exo_descriptor_close_pvt(&end->socket);
    end->attached = 0;
}

EXO_INLINE exo_status exo_end_say_pvt(struct exo_end *end, exo_u32 what, exo_status status,
                                      const struct exo_segment *segment, exo_u64 deadline_ns)
{
    struct exo_hello hello = {EXO_HELLO_MAGIC, EXO_LAYOUT_VERSION, what, status,
                              segment == NULL ? 0 : segment->life, 0};
    return exo_socket_send_pvt(end->socket, &hello, sizeof(hello),
                               segment == NULL ? -1 : segment->descriptor, deadline_ns);
}

/* Receive a datagram of the handshake, and map the segment that comes with it. */
EXO_INLINE exo_status exo_end_hear_pvt(struct exo_end *end, exo_u32 what, exo_size bytes_min,
                                       struct exo_segment *segment, struct exo_port_peer *peer,
                                       exo_u64 deadline_ns)
{
    struct exo_hello hello;
    int descriptor = -1;
    exo_status status = exo_socket_recv_pvt(end->socket, &hello, sizeof(hello), &descriptor,
                                            &end->peer, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (hello.magic != EXO_HELLO_MAGIC || hello.what != what) {
        status = EXO_CORRUPT;
    } else if (hello.version != EXO_LAYOUT_VERSION) {
        status = EXO_VERSION_MISMATCH;
    } else if (hello.status != EXO_OK) {
        status = hello.status < EXO_OK && hello.status >= EXO_SYSTEM_ERROR ? (exo_status)hello.status
                                                                        : EXO_CORRUPT;
    } else if (descriptor < 0) {
        status = EXO_CORRUPT;
    } else {
        status = exo_segment_attach(segment, descriptor, bytes_min);
    }
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(&descriptor);
        return status;
    }
    peer->life = NULL;
    if (hello.life >= 4 && hello.life <= EXO_LIFE_RESERVED_BYTES && hello.life % 4 == 0) {
        peer->life = (const exo_u32 *)(const void *)(segment->memory + segment->bytes - hello.life);
        peer->life_alive = exo_load32(peer->life, EXO_RELAXED); /* relaxed: a hint */
        if (peer->life_alive == 0 || (peer->life_alive & FUTEX_OWNER_DIED) != 0) {
            peer->life = NULL;
        }
    }
    return EXO_OK;
}

/* Step 1: make the sender segment, say hello. */
EXO_INLINE exo_status exo_end_begin_pvt(struct exo_end *end, const struct exo_ring_config *config,
                                        exo_u64 deadline_ns)
{
    struct exo_geometry geometry;
    exo_status status = exo_socket_prepare_pvt(end->socket);
    if (status != EXO_OK) {
        return status;
    }
    if (config != NULL) {
        end->config = *config;
    }
    if (end->config.profile == EXO_THREADS) {
        end->config.profile = EXO_CRASH_SAFE;
    }
    if ((end->config.mode & EXO_MPMC) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    status = exo_geometry_from_config(&geometry, &end->config);
    if (status == EXO_OK) {
        status = exo_segment_create(&end->own_tx, "exo_ipc sender", (exo_size)geometry.tx_bytes,
                                    exo_sender_books_bytes(&geometry));
    }
    if (status == EXO_OK) {
        status = exo_tx_segment_init(end->own_tx.memory, end->own_tx.bytes, &geometry);
    }
    if (status == EXO_OK) {
        end->own_tx.life = exo_life_begin(end->own_tx.private_memory);
        status = exo_segment_seal(&end->own_tx);
    }
    return status == EXO_OK ? exo_end_say_pvt(end, EXO_HELLO, EXO_OK, &end->own_tx, deadline_ns) : status;
}

/* What the peer offers to send: must be a ring of our profile and type. */
EXO_INLINE exo_status exo_end_judge_pvt(const struct exo_end *end, struct exo_geometry *offered)
{
    struct exo_ring_header header;
    exo_status status;
    exo_words_load(&header, (const exo_word64 *)(const void *)end->peer_tx.memory, sizeof(header));
    status = exo_geometry_from_header(offered, &header, EXO_MAGIC_TX);
    if (status != EXO_OK) {
        return status;
    }
    if (offered->profile != end->config.profile || offered->type != end->config.type ||
        (offered->mode & EXO_MPMC) != 0) {
        return EXO_TYPE_MISMATCH;
    }
    return end->peer_tx.bytes < offered->tx_bytes ? EXO_INVALID_SIZE : EXO_OK;
}

/* Step 2: take the peer's sender segment, make a receiver segment for it, accept; or say why not. */
EXO_INLINE exo_status exo_end_accept_pvt(struct exo_end *end, exo_u64 deadline_ns)
{
    struct exo_geometry offered;
    exo_status status = exo_end_hear_pvt(end, EXO_HELLO, sizeof(struct exo_tx_segment), &end->peer_tx,
                                         &end->rx_peer, deadline_ns);
    if (status == EXO_OK) {
        status = exo_end_judge_pvt(end, &offered);
    }
    if (status == EXO_OK) {
        status = exo_segment_create(&end->own_rx, "exo_ipc receiver", (exo_size)offered.rx_bytes,
                                    exo_receiver_books_bytes(&offered));
    }
    if (status == EXO_OK) {
        status = exo_rx_segment_init(end->own_rx.memory, end->own_rx.bytes, &offered);
    }
    if (status == EXO_OK) {
        end->own_rx.life = exo_life_begin(end->own_rx.private_memory);
        status = exo_segment_seal(&end->own_rx);
    }
    if (status == EXO_OK) {
        return exo_end_say_pvt(end, EXO_ACCEPT, EXO_OK, &end->own_rx, deadline_ns);
    }
    (void)exo_end_say_pvt(end, EXO_ACCEPT, status, NULL, EXO_NOW);
    return status;
}

EXO_INLINE void exo_end_watch_pvt(const struct exo_end *end, struct exo_port_peer *peer)
{
    peer->pidfd = end->pidfd;
    peer->socket = end->socket;
    peer->unsure = end->config.profile == EXO_HOSTILE;
}

EXO_INLINE struct exo_ring_memory exo_end_memory_pvt(const struct exo_segment *tx,
                                                     const struct exo_segment *rx,
                                                     const struct exo_segment *own)
{
    struct exo_ring_memory memory = {tx->memory, tx->bytes, rx->memory, rx->bytes,
                                     own->private_memory + EXO_LIFE_PRIVATE_BYTES,
                                     own->private_bytes - EXO_LIFE_PRIVATE_BYTES};
    return memory;
}

/* Step 3: take the peer's receiver segment, attach both handles. */
EXO_INLINE exo_status exo_end_finish_pvt(struct exo_end *end, exo_u64 deadline_ns)
{
    struct exo_ring_memory out;
    struct exo_ring_memory in;
    exo_status status = exo_end_hear_pvt(end, EXO_ACCEPT, sizeof(struct exo_rx_segment), &end->peer_rx,
                                         &end->tx_peer, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (end->peer.pid != 0) {
        end->pidfd = (int)exo_port_syscall_pvt(SYS_pidfd_open, (const void *)(exo_uptr)end->peer.pid, 0,
                                               0, NULL, NULL, 0);
        if (end->pidfd == -ESRCH) {
            /* Come, gone and reaped meanwhile: what it sent is there all the same. */
            end->tx_peer.dead = EXO_TRUE;
            end->rx_peer.dead = EXO_TRUE;
        }
    }
    exo_end_watch_pvt(end, &end->tx_peer);
    exo_end_watch_pvt(end, &end->rx_peer);
    out = exo_end_memory_pvt(&end->own_tx, &end->peer_rx, &end->own_tx);
    in = exo_end_memory_pvt(&end->peer_tx, &end->own_rx, &end->own_rx);
    status = exo_sender_attach(&end->tx, &out, end->config.spin, &end->tx_peer);
    if (status == EXO_OK) {
        end->attached |= 1u;
        status = exo_receiver_attach(&end->rx, &in, end->config.spin, &end->rx_peer);
    }
    if (status == EXO_OK) {
        end->attached |= 2u;
        exo_descriptor_close_pvt(&end->own_tx.descriptor);
        exo_descriptor_close_pvt(&end->own_rx.descriptor);
        exo_descriptor_close_pvt(&end->peer_tx.descriptor);
        exo_descriptor_close_pvt(&end->peer_rx.descriptor);
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
    exo_status status;
    exo_end_clear_pvt(end, socket);
    status = exo_end_begin_pvt(end, config, deadline_ns);
    if (status == EXO_OK) {
        status = exo_end_accept_pvt(end, deadline_ns);
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
    exo_end_clear_pvt(a, sockets[0]);
    exo_end_clear_pvt(b, sockets[1]);
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_end_begin_pvt(ends[i], config, EXO_NOW);
    }
    for (i = 0; i < 2 && status == EXO_OK; i++) {
        status = exo_end_accept_pvt(ends[i], EXO_NOW);
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
