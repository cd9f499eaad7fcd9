/* SPDX-License-Identifier: MIT */
/*
 * A pair of rings between two processes that do not trust each other.
 *
 *   side 0                      nucleus                       side 1
 *   region 0: tx of ring 0  --- read-only ---> mapped:        receives from ring 0
 *             rx of ring 1
 *   receives from ring 1    <--- read-only --- region 1:      tx of ring 1, rx of ring 0
 *
 * Each side makes the region that it alone writes, and passes a capability that allows to read it over a channel of the
 * nucleus. From then on messages go from one to the other through the pages, and the kernel is asked only for sleep.
 */
#ifndef BAREMETAL_USER_LINK_H
#define BAREMETAL_USER_LINK_H

#include "user.h"

#define USER_LINK_BOOKS 8192u
#define USER_NOBODY     (~(exo_u64)0) /* no process has this number */

/**
 * struct user_link - one side's end.
 * @tx, @rx: what it sends to and receives from
 * @peer: the process at the other end; its death ends waits
 * @channel: of the nucleus, where the regions were passed
 * @region: handles of the two, @at: where they are mapped
 */
struct user_link {
    struct exo_sender tx;
    struct exo_receiver rx;
    struct exo_port_peer peer;
    struct exo_geometry geometry;
    exo_u64 channel;
    exo_u64 queue;
    exo_u64 region[2];
    void *at[2];
    exo_u8 sender_books[USER_LINK_BOOKS] EXO_ALIGNED(64);
    exo_u8 receiver_books[USER_LINK_BOOKS] EXO_ALIGNED(64);
};

EXO_INLINE exo_size user_link_bytes(const struct exo_geometry *geometry)
{
    return (exo_size)exo_align_up(geometry->tx_bytes + geometry->rx_bytes, EXO_PORT_PAGE_BYTES);
}

/* The next letter of a channel, slept for. */
EXO_INLINE exo_i64 user_letter(exo_u64 queue, exo_u64 channel, struct exo_sys_letter *letter, void *data, exo_size bytes)
{
    struct exo_sys_event event;
    exo_i64 got;
    while ((got = exo_sys_channel_recv_letter(user_door, channel, letter, data, bytes)) == EXO_EMPTY) {
        exo_i64 events = exo_sys_wait(user_door, queue, &event, 1, EXO_FOREVER);
        if (events < 0) {
            return events;
        }
    }
    return got;
}

/* Passes a capability along with some data. */
EXO_INLINE exo_status user_pass(exo_u64 channel, exo_u64 handle, exo_u32 rights, const void *data, exo_size bytes)
{
    struct exo_sys_letter letter;
    letter.passed = handle;
    letter.rights = rights;
    letter.reserved = 0;
    letter.header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    letter.header.total_size = 0;
    return exo_sys_channel_send_letter(user_door, channel, &letter, data, bytes);
}

/* This side's own region, mapped, with its segments in it. */
EXO_INLINE exo_status user_link_own_pvt(struct user_link *link, exo_u32 side)
{
    exo_status status = exo_sys_shm_create(user_door, (const char *)EXO_NULL, 0, user_link_bytes(&link->geometry), 0,
                                           &link->region[side]);
    exo_u8 *at;
    if (status == EXO_OK) {
        status = exo_sys_shm_map(user_door, link->region[side], EXO_NULL, EXO_MAP_READ | EXO_MAP_WRITE, &link->at[side]);
    }
    if (status == EXO_OK) {
        at = (exo_u8 *)link->at[side];
        status = exo_tx_segment_init(at, (exo_size)link->geometry.tx_bytes, &link->geometry);
    }
    if (status == EXO_OK) {
        status = exo_rx_segment_init((exo_u8 *)link->at[side] + link->geometry.tx_bytes,
                                     (exo_size)link->geometry.rx_bytes, &link->geometry);
    }
    return status;
}

/* The region of the other, read-only. */
EXO_INLINE exo_status user_link_other_pvt(struct user_link *link, exo_u32 side)
{
    struct exo_sys_letter letter;
    exo_i64 got = user_letter(link->queue, link->channel, &letter, &link->peer.process, sizeof(link->peer.process));
    if (got != (exo_i64)sizeof(link->peer.process)) {
        return got < 0 ? (exo_status)got : EXO_CORRUPT;
    }
    link->region[1 - side] = letter.passed;
    /* Who sent the letter the nucleus says; by which number its waits can watch it, only the sender. */
    if (user_call(CALL_ALIVE, link->peer.process, letter.header.sender, 0, 0) != 1) {
        if (exo_port_process_alive(link->peer.process)) {
            return EXO_CORRUPT; /* somebody else's */
        }
        link->peer.process = USER_NOBODY; /* dead, or soon to be somebody's */
    }
    return exo_sys_shm_map(user_door, letter.passed, EXO_NULL, EXO_MAP_READ, &link->at[1 - side]);
}

EXO_INLINE exo_status user_link_attach_pvt(struct user_link *link, exo_u32 side)
{
    const struct exo_geometry *geometry = &link->geometry;
    struct exo_ring_memory memory;
    exo_status status;
    memory.tx = link->at[side];
    memory.tx_bytes = (exo_size)geometry->tx_bytes;
    memory.rx = (exo_u8 *)link->at[1 - side] + geometry->tx_bytes;
    memory.rx_bytes = (exo_size)geometry->rx_bytes;
    memory.books = link->sender_books;
    memory.books_bytes = sizeof(link->sender_books);
    status = exo_sender_attach(&link->tx, &memory, 1, &link->peer);
    if (status != EXO_OK) {
        return status;
    }
    memory.tx = link->at[1 - side];
    memory.rx = (exo_u8 *)link->at[side] + geometry->tx_bytes;
    memory.books = link->receiver_books;
    memory.books_bytes = sizeof(link->receiver_books);
    return exo_receiver_attach(&link->rx, &memory, 1, &link->peer);
}

/**
 * user_link - join two processes by a name.
 * @link: zeroed; do not move it
 * @side: 0, where the name is made, or 1, where it is opened after that
 * @name, @bytes: as for a channel
 *
 * user_link_wait() answers EXO_CORRUPT if the other gives itself out for somebody else.
 */
EXO_INLINE EXO_MUST_USE exo_status user_link(struct user_link *link, exo_u32 side, const char *name, exo_size bytes)
{
    struct exo_ring_config config;
    exo_u64 source;
    exo_u64 own = exo_port_process();
    exo_status status;
    __builtin_memset(&config, 0, sizeof(config));
    config.slots = 8;
    config.profile = EXO_HOSTILE;
    status = exo_geometry_from_config(&link->geometry, &config);
    if (status == EXO_OK) {
        status = side == 0 ? exo_sys_channel_create(user_door, name, bytes, EXO_PERMS(EXO_RIGHTS_CHANNEL, 0), 0, 0,
                                                    &link->channel)
                           : exo_sys_channel_open(user_door, name, bytes, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE,
                                                  &link->channel);
    }
    if (status == EXO_OK) {
        status = exo_sys_queue_create(user_door, 1, &link->queue);
    }
    if (status == EXO_OK) {
        status = exo_sys_queue_bind(user_door, link->queue, link->channel, 0,
                                    EXO_READABLE | EXO_PEER_CLOSED | EXO_PEER_GONE, &source);
    }
    if (status == EXO_OK) {
        status = user_link_own_pvt(link, side);
    }
    return status != EXO_OK ? status
                            : user_pass(link->channel, link->region[side], EXO_RIGHT_MAP_READ, &own, sizeof(own));
}

/* The second half, when the other side has begun or will: waits for its region. */
EXO_INLINE EXO_MUST_USE exo_status user_link_wait(struct user_link *link, exo_u32 side)
{
    exo_status status = user_link_other_pvt(link, side);
    return status == EXO_OK ? user_link_attach_pvt(link, side) : status;
}

#endif
