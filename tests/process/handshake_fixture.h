/* SPDX-License-Identifier: MIT */
/*
 * A peer that shakes hands by hand. exo_open() first says hello and then listens, so all that the peer will ever
 * say can be in the socket before exo_open() is called, and one thread is enough.
 */
#ifndef EXO_TESTS_HANDSHAKE_FIXTURE_H
#define EXO_TESTS_HANDSHAKE_FIXTURE_H

#include "process_fixture.h"

/* What a peer has in hand: good segments for the default configuration, and a socket to say so. */
struct peer {
    struct exo_segment tx;
    struct exo_segment rx;
    int socket;
    int other; /* what exo_open() gets */
};

/* How a datagram differs from a good one. */
struct datagram {
    struct exo_hello hello;
    exo_size bytes;
    int descriptors[64];
    int count;
};

EXO_INLINE void default_geometry(struct exo_geometry *geometry)
{
    struct exo_ring_config config = {0};
    config.profile = EXO_CRASH_SAFE;
    assert_int_equal(exo_geometry_from_config(geometry, &config), EXO_OK);
}

/* Segments that hold those of the geometry; sealed by the caller, who may want to spoil them before. */
EXO_INLINE void peer_begin(struct peer *peer, const struct exo_geometry *geometry)
{
    int sockets[2] = {-1, -1};
    assert_int_equal(exo_pair(sockets), EXO_OK);
    peer->socket = sockets[0];
    peer->other = sockets[1];
    assert_int_equal(exo_segment_create(&peer->tx, "exo_ipc peer", (exo_size)geometry->tx_bytes, 0), EXO_OK);
    assert_int_equal(exo_segment_create(&peer->rx, "exo_ipc peer", (exo_size)geometry->rx_bytes, 0), EXO_OK);
    assert_int_equal(exo_tx_segment_init(peer->tx.memory, peer->tx.bytes, geometry), EXO_OK);
    assert_int_equal(exo_rx_segment_init(peer->rx.memory, peer->rx.bytes, geometry), EXO_OK);
}

EXO_INLINE void peer_seal(struct peer *peer)
{
    assert_int_equal(exo_segment_seal(&peer->tx), EXO_OK);
    assert_int_equal(exo_segment_seal(&peer->rx), EXO_OK);
}

EXO_INLINE void peer_end(struct peer *peer)
{
    exo_segment_destroy(&peer->tx);
    exo_segment_destroy(&peer->rx);
    (void)close(peer->socket);
}

EXO_INLINE struct datagram good_datagram(exo_u32 what, int descriptor)
{
    struct datagram datagram;
    memset(&datagram, 0, sizeof(datagram));
    datagram.hello.magic = EXO_HELLO_MAGIC;
    datagram.hello.version = EXO_LAYOUT_VERSION;
    datagram.hello.what = what;
    datagram.bytes = sizeof(struct exo_hello);
    datagram.descriptors[0] = descriptor;
    datagram.count = 1;
    return datagram;
}

EXO_INLINE struct datagram good_hello(const struct peer *peer)
{
    return good_datagram(EXO_HELLO, peer->tx.descriptor);
}

EXO_INLINE struct datagram good_accept(const struct peer *peer)
{
    return good_datagram(EXO_ACCEPT, peer->rx.descriptor);
}

/* Send it, of whatever length and with however many descriptors. */
EXO_INLINE void say(const struct peer *peer, const struct datagram *datagram)
{
    exo_u8 bytes[256] = {0};
    exo_word64 control[CMSG_SPACE(sizeof(datagram->descriptors)) / sizeof(exo_word64)];
    struct iovec part = {bytes, datagram->bytes};
    struct msghdr message = {NULL, 0, &part, 1, NULL, 0, 0};
    exo_size room = sizeof(int) * (exo_size)datagram->count;
    memcpy(bytes, &datagram->hello, sizeof(datagram->hello));
    if (datagram->count != 0) {
        struct cmsghdr *header = (struct cmsghdr *)(void *)control;
        memset(control, 0, sizeof(control));
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(room);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(room);
        memcpy(CMSG_DATA(header), datagram->descriptors, room);
    }
    assert_int_equal(sendmsg(peer->socket, &message, MSG_NOSIGNAL), (long)datagram->bytes);
}

#endif
