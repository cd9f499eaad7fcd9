/* SPDX-License-Identifier: MIT */
/*
 * Links: two processes, or two strangers in one, that have exchanged the segments of lanes in each direction.
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
 * What travels over a link is told apart by lanes->kind: a ring (exo_end.h) or a channel (exo_channel.h).
 */
#ifndef EXO_PORT_LINUX_LINK_H
#define EXO_PORT_LINUX_LINK_H

#include "exo_mailbox.h"

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
    exo_word64 kind;
};

/* A link as one descriptor (exo_fd.h); both -1 until somebody asks for it. */
struct exo_gate {
    int epoll;
    int timer;
    exo_u32 armed;      /* events that are waited for */
    exo_status refused; /* EXO_OK, or what is wrong with the mailbox */
    exo_u32 naps;       /* so often in a row it was armed and nothing had moved */
    exo_u64 due_ns;     /* when the timer ends; EXO_FOREVER: it is not set */
    exo_u64 mark;       /* how far things had moved when it was armed last */
};

EXO_INLINE void exo_gate_close_pvt(struct exo_gate *gate)
{
    exo_descriptor_close_pvt(&gate->epoll);
    exo_descriptor_close_pvt(&gate->timer);
}

/**
 * struct exo_link - what both sides of a link keep. Its members are the library's, but
 * @peer: the peer's credentials, from the kernel
 */
struct exo_link {
    struct exo_credentials peer;
    struct exo_port_peer tx_peer;
    struct exo_port_peer rx_peer;
    struct exo_segment own_tx;
    struct exo_segment own_rx;
    struct exo_segment peer_tx;
    struct exo_segment peer_rx;
    struct exo_lanes out; /* what this side sends through; set before the handshake */
    struct exo_lanes in;
    exo_status (*judge)(struct exo_lanes *offered); /* what else must hold of the peer's lanes; null: nothing */
    exo_u64 limit;                                  /* bytes of payload that we take in a message; 0: any */
    struct exo_mailbox mailbox; /* what comes over the socket after the handshake */
    struct exo_port_bell bell;  /* rings the peer; for the wakers of all lanes */
    struct exo_gate gate;
    int socket;
    int pidfd;
};

EXO_INLINE void exo_link_clear_pvt(struct exo_link *link, int socket)
{
    memset(link, 0, sizeof(*link));
    exo_segment_clear(&link->own_tx);
    exo_segment_clear(&link->own_rx);
    exo_segment_clear(&link->peer_tx);
    exo_segment_clear(&link->peer_rx);
    exo_mailbox_init(&link->mailbox, socket);
    link->bell.descriptor = socket;
    link->bell.letter = EXO_TRUE;
    link->gate.epoll = -1;
    link->gate.timer = -1;
    link->gate.refused = EXO_OK;
    link->socket = socket;
    link->pidfd = -1;
}

/* Unmap and close everything; harmless a second time. */
EXO_INLINE void exo_link_close_pvt(struct exo_link *link)
{
    exo_segment_destroy(&link->own_tx);
    exo_segment_destroy(&link->own_rx);
    exo_segment_destroy(&link->peer_tx);
    exo_segment_destroy(&link->peer_rx);
    exo_gate_close_pvt(&link->gate);
    exo_mailbox_close(&link->mailbox);
    exo_descriptor_close_pvt(&link->pidfd);
    exo_descriptor_close_pvt(&link->socket);
}

EXO_INLINE exo_status exo_link_say_pvt(const struct exo_link *link, exo_u32 what, exo_status status,
                                       const struct exo_segment *segment, exo_u64 deadline_ns)
{
    struct exo_hello hello = {EXO_HELLO_MAGIC, EXO_LAYOUT_VERSION, what, status,
                              segment == NULL ? 0 : segment->life, link->out.kind};
    return exo_socket_send_pvt(link->socket, &hello, sizeof(hello),
                               segment == NULL ? -1 : segment->descriptor, deadline_ns);
}

/* Whether a datagram of the handshake is the one expected, and brings a segment. */
EXO_INLINE exo_status exo_link_check_pvt(const struct exo_link *link, const struct exo_hello *hello, exo_u32 what,
                                         int descriptor)
{
    if (hello->magic != EXO_HELLO_MAGIC || hello->what != what) {
        return EXO_CORRUPT;
    }
    if (hello->version != EXO_LAYOUT_VERSION) {
        return EXO_VERSION_MISMATCH;
    }
    if (hello->status != EXO_OK) {
        return hello->status < EXO_OK && hello->status >= EXO_SYSTEM_ERROR ? (exo_status)hello->status
                                                                           : EXO_CORRUPT;
    }
    if (hello->kind != link->out.kind) {
        return EXO_TYPE_MISMATCH;
    }
    return descriptor < 0 ? EXO_CORRUPT : EXO_OK;
}

/* Receive a datagram of the handshake, and map the segment that comes with it. */
EXO_INLINE exo_status exo_link_hear_pvt(struct exo_link *link, exo_u32 what, exo_size bytes_min,
                                        struct exo_segment *segment, struct exo_port_peer *peer,
                                        exo_u64 deadline_ns)
{
    struct exo_hello hello;
    int descriptor = -1;
    exo_status status = exo_socket_recv_pvt(link->socket, &hello, sizeof(hello), &descriptor,
                                            &link->peer, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    status = exo_link_check_pvt(link, &hello, what, descriptor);
    if (status == EXO_OK) {
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

/* Make one of our segments: its memory, its lanes, its life word, its seals. */
EXO_INLINE exo_status exo_link_segment_pvt(struct exo_segment *segment, const struct exo_lanes *lanes, exo_u64 magic)
{
    exo_bool sends = magic == EXO_MAGIC_TX;
    exo_status status = exo_segment_create(segment, sends ? "exo_ipc sender" : "exo_ipc receiver",
                                           sends ? lanes->tx_bytes : lanes->rx_bytes,
                                           sends ? lanes->sender_books : lanes->receiver_books);
    if (status == EXO_OK) {
        status = exo_lanes_init(lanes, segment->memory, segment->bytes, magic);
    }
    if (status == EXO_OK) {
        segment->life = exo_life_begin(segment->private_memory);
        status = exo_segment_seal(segment);
    }
    return status;
}

/* Step 1: make the sender segment, say hello. */
EXO_INLINE exo_status exo_link_begin_pvt(struct exo_link *link, exo_u64 deadline_ns)
{
    exo_status status = exo_socket_prepare_pvt(link->socket);
    if (status == EXO_OK) {
        status = exo_link_segment_pvt(&link->own_tx, &link->out, EXO_MAGIC_TX);
    }
    return status == EXO_OK ? exo_link_say_pvt(link, EXO_HELLO, EXO_OK, &link->own_tx, deadline_ns) : status;
}

/* What the peer offers to send: as many lanes as ours, of our profile and type, from one producer to one consumer. */
EXO_INLINE exo_status exo_link_judge_pvt(struct exo_link *link)
{
    const struct exo_geometry *ours = &link->out.lane[0];
    exo_status status = EXO_OK;
    exo_lanes_clear(&link->in, link->out.kind);
    link->in.limit = link->limit;
    while (link->in.count < link->out.count && status == EXO_OK) {
        const struct exo_geometry *lane = &link->in.lane[link->in.count];
        status = exo_lanes_add_offered(&link->in, link->peer_tx.memory, link->peer_tx.bytes);
        if (status == EXO_OK && (lane->profile != ours->profile || lane->type != ours->type ||
                                 (lane->mode & EXO_MPMC) != 0)) {
            status = EXO_TYPE_MISMATCH;
        }
    }
    return status == EXO_OK && link->judge != NULL ? link->judge(&link->in) : status;
}

/* Step 2: take the peer's sender segment, make a receiver segment for it, accept; or say why not. */
EXO_INLINE exo_status exo_link_accept_pvt(struct exo_link *link, exo_u64 deadline_ns)
{
    exo_status status = exo_link_hear_pvt(link, EXO_HELLO, sizeof(struct exo_tx_segment), &link->peer_tx,
                                          &link->rx_peer, deadline_ns);
    if (status == EXO_OK) {
        status = exo_link_judge_pvt(link);
    }
    if (status == EXO_OK) {
        status = exo_link_segment_pvt(&link->own_rx, &link->in, EXO_MAGIC_RX);
    }
    if (status == EXO_OK) {
        return exo_link_say_pvt(link, EXO_ACCEPT, EXO_OK, &link->own_rx, deadline_ns);
    }
    (void)exo_link_say_pvt(link, EXO_ACCEPT, status, NULL, EXO_NOW);
    return status;
}

EXO_INLINE void exo_link_watch_pvt(const struct exo_link *link, struct exo_port_peer *peer)
{
    peer->pidfd = link->pidfd;
    peer->socket = link->socket;
    peer->unsure = link->out.lane[0].profile == EXO_HOSTILE;
}

/* Step 3: take the peer's receiver segment, watch the peer. The lanes can be attached then. */
EXO_INLINE exo_status exo_link_finish_pvt(struct exo_link *link, exo_u64 deadline_ns)
{
    exo_status status = exo_link_hear_pvt(link, EXO_ACCEPT, sizeof(struct exo_rx_segment), &link->peer_rx,
                                          &link->tx_peer, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (link->peer_rx.bytes < link->out.rx_bytes) {
        return EXO_INVALID_SIZE;
    }
    if (link->peer.pid != 0) {
        link->pidfd = (int)exo_port_syscall_pvt(SYS_pidfd_open, (const void *)(exo_uptr)link->peer.pid, 0,
                                                0, NULL, NULL, 0);
        if (link->pidfd == -ESRCH) {
            /* Come, gone and reaped meanwhile: what it sent is there all the same. */
            link->tx_peer.dead = EXO_TRUE;
            link->rx_peer.dead = EXO_TRUE;
        }
    }
    exo_link_watch_pvt(link, &link->tx_peer);
    exo_link_watch_pvt(link, &link->rx_peer);
    exo_descriptor_close_pvt(&link->own_tx.descriptor);
    exo_descriptor_close_pvt(&link->own_rx.descriptor);
    exo_descriptor_close_pvt(&link->peer_tx.descriptor);
    exo_descriptor_close_pvt(&link->peer_rx.descriptor);
    return EXO_OK;
}

/* One lane as the sender, or as the receiver, attaches to it. */
EXO_INLINE struct exo_ring_memory exo_link_out_pvt(const struct exo_link *link, exo_u32 lane)
{
    return exo_lanes_memory(&link->out, lane, link->own_tx.memory, link->peer_rx.memory,
                            link->own_tx.private_memory + EXO_LIFE_PRIVATE_BYTES,
                            link->own_tx.private_bytes - EXO_LIFE_PRIVATE_BYTES);
}

EXO_INLINE struct exo_ring_memory exo_link_in_pvt(const struct exo_link *link, exo_u32 lane)
{
    return exo_lanes_memory(&link->in, lane, link->peer_tx.memory, link->own_rx.memory,
                            link->own_rx.private_memory + EXO_LIFE_PRIVATE_BYTES,
                            link->own_rx.private_bytes - EXO_LIFE_PRIVATE_BYTES);
}

#endif
