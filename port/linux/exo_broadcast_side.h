/* SPDX-License-Identifier: MIT */
/*
 * What station and subscriber of a broadcast keep of each other, and the datagrams by which they meet. The whole is told
 * in exo_broadcast.h. Nothing that arrives is trusted.
 */
#ifndef EXO_PORT_LINUX_BROADCAST_SIDE_H
#define EXO_PORT_LINUX_BROADCAST_SIDE_H

#include "exo_socket.h"

#define EXO_CAST_MAGIC 0x7473616363706978ull /* "xipccast" */
#define EXO_CAST_HELLO 1u
#define EXO_CAST_ACCEPT 2u

/* Both datagrams of the handshake. */
struct exo_cast_hello {
    exo_word64 magic;
    exo_u32 version;
    exo_u32 what;
    exo_i32 status; /* EXO_CAST_ACCEPT: EXO_OK, or why not */
    exo_u32 life;   /* bytes from the life word to the segment's end; 0: none */
    exo_u32 seat;
    exo_u32 reserved;
    exo_word64 generation;
};

/* What one side keeps of the other. */
struct exo_cast_side {
    struct exo_segment segment; /* the other's, mapped read-only */
    struct exo_port_peer peer;
    struct exo_credentials credentials;
    int socket;
    int pidfd;
};

EXO_INLINE void exo_cast_side_clear_pvt(struct exo_cast_side *side, int socket)
{
    memset(side, 0, sizeof(*side));
    exo_segment_clear(&side->segment);
    side->socket = socket;
    side->pidfd = -1;
}

EXO_INLINE void exo_cast_side_close_pvt(struct exo_cast_side *side)
{
    exo_segment_destroy(&side->segment);
    exo_descriptor_close_pvt(&side->pidfd);
    exo_descriptor_close_pvt(&side->socket);
}

/* Receive a datagram of the handshake, and map the segment that comes with it. */
EXO_INLINE exo_status exo_cast_hear_pvt(struct exo_cast_side *side, exo_u32 what, exo_size bytes_min,
                                        struct exo_cast_hello *hello, exo_u64 deadline_ns)
{
    int descriptor = -1;
    exo_status status =
        exo_socket_recv_pvt(side->socket, hello, sizeof(*hello), &descriptor, &side->credentials, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (hello->magic != EXO_CAST_MAGIC || hello->what != what) {
        status = EXO_CORRUPT;
    } else if (hello->version != EXO_LAYOUT_VERSION) {
        status = EXO_VERSION_MISMATCH;
    } else if (hello->status != EXO_OK) {
        status = hello->status < EXO_OK && hello->status >= EXO_SYSTEM_ERROR ? (exo_status)hello->status : EXO_CORRUPT;
    } else if (descriptor < 0) {
        status = EXO_CORRUPT;
    } else {
        status = exo_segment_attach(&side->segment, descriptor, bytes_min);
    }
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(&descriptor);
    }
    return status;
}

/* From now on the other side's death is noticed. */
EXO_INLINE void exo_cast_watch_pvt(struct exo_cast_side *side, exo_u32 life, exo_u32 profile)
{
    struct exo_port_peer *peer = &side->peer;
    if (side->credentials.pid != 0) {
        side->pidfd = (int)exo_port_syscall_pvt(SYS_pidfd_open, (const void *)(exo_uptr)side->credentials.pid, 0, 0,
                                                NULL, NULL, 0);
        peer->dead = side->pidfd == -ESRCH; /* come, gone and reaped meanwhile */
        side->pidfd = side->pidfd < 0 ? -1 : side->pidfd;
    }
    peer->pidfd = side->pidfd;
    peer->socket = side->socket;
    peer->unsure = profile == EXO_HOSTILE;
    peer->life = NULL;
    if (life >= 4 && life <= EXO_LIFE_RESERVED_BYTES && life % 4 == 0) {
        peer->life = (const exo_u32 *)(const void *)(side->segment.memory + side->segment.bytes - life);
        peer->life_alive = exo_load32(peer->life, EXO_RELAXED); /* relaxed: a hint */
        if (peer->life_alive == 0 || (peer->life_alive & FUTEX_OWNER_DIED) != 0) {
            peer->life = NULL;
        }
    }
}

#endif
