/* SPDX-License-Identifier: MIT */
/*
 * Broadcast across processes: a station sends, up to 64 processes subscribe, each over a socket of its own.
 *
 *   station                                              subscriber
 *   own sender segment  (written, made once)  -- hello + memfd -->  mapped read-only
 *   mapped read-only                        <-- accept + memfd --   own subscriber segment (written)
 *
 * The station makes, maps and seals its segment once, and hands the same descriptor to everybody; each subscriber makes,
 * maps and seals its own. Neither side can ever write the other's memory, nor one subscriber another's. After the
 * handshake only the socket and a pidfd for each subscriber stay open: with the life words in the segments they tell when
 * somebody dies. There is nothing to clean up after a kill.
 *
 * The profile is EXO_CRASH_SAFE or EXO_HOSTILE (EXO_THREADS is taken as EXO_CRASH_SAFE).
 */
#ifndef EXO_PORT_LINUX_BROADCAST_H
#define EXO_PORT_LINUX_BROADCAST_H

#include "exo_broadcast_side.h"

/* One subscriber, as the station knows it. */
struct exo_station_seat {
    struct exo_cast_side side;
    exo_u64 generation;
    exo_bool used;
};

/**
 * struct exo_station - the sending end of a broadcast between processes. tx is its handle; the rest is the library's.
 * @tx: for exo_broadcast_send() and all other calls of a sender
 */
struct exo_station {
    struct exo_publisher tx;
    struct exo_segment own;
    struct exo_geometry geometry;
    struct exo_station_seat seats[EXO_SUBSCRIBERS_MAX];
};

/**
 * struct exo_subscription - the receiving end. sub is its handle; the rest is the library's.
 * @sub: for exo_subscriber_recv() and all other calls of a subscriber
 */
struct exo_subscription {
    struct exo_subscriber sub;
    struct exo_segment own;
    struct exo_cast_side side;
    exo_bool attached;
};

/**
 * exo_station_close - close a station: subscribers can still receive what was sent, then get EXO_CLOSED.
 * @station: harmless if it is closed already
 *
 * Best called by the thread that opened it, as exo_close(). Context: may sleep.
 */
EXO_INLINE void exo_station_close(struct exo_station *station)
{
    exo_u32 i;
    if (station->own.memory != NULL) {
        (void)exo_broadcast_close(&station->tx);
    }
    exo_segment_destroy(&station->own);
    for (i = 0; i < EXO_SUBSCRIBERS_MAX; i++) {
        exo_cast_side_close_pvt(&station->seats[i].side);
        station->seats[i].used = EXO_FALSE;
    }
}

/**
 * exo_station_open - make a broadcast that other processes can subscribe to.
 * @station: the station, in the caller's memory; do not move it while it is open
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_NO_MEMORY; EXO_QUOTA_EXCEEDED; EXO_NOT_SUPPORTED where the kernel has no such seals; else as
 * exo_broadcast_geometry(). On an error nothing is left behind.
 * Context: may sleep. The thread should live as long as the station: its death is what subscribers notice first.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_station_open(struct exo_station *station,
                                                    const struct exo_broadcast_config *config)
{
    struct exo_broadcast_config mine;
    exo_status status;
    exo_u32 i;
    memset(station, 0, sizeof(*station));
    exo_segment_clear(&station->own);
    for (i = 0; i < EXO_SUBSCRIBERS_MAX; i++) {
        exo_cast_side_clear_pvt(&station->seats[i].side, -1);
    }
    memset(&mine, 0, sizeof(mine));
    if (config != NULL) {
        mine = *config;
    }
    mine.profile = mine.profile == EXO_THREADS ? EXO_CRASH_SAFE : mine.profile;
    status = exo_broadcast_geometry(&station->geometry, &mine);
    if (status == EXO_OK) {
        status = exo_segment_create(&station->own, "exo_ipc broadcast", (exo_size)station->geometry.tx_bytes,
                                    exo_cast_books_pvt(&station->geometry).bytes);
    }
    if (status == EXO_OK) {
        status = exo_cast_tx_init_pvt(station->own.memory, station->own.bytes, &station->geometry);
    }
    if (status == EXO_OK) {
        station->own.life = exo_life_begin(station->own.private_memory);
        status = exo_segment_seal(&station->own);
    }
    if (status != EXO_OK) {
        exo_segment_destroy(&station->own);
        return status;
    }
    exo_publisher_init_pvt(&station->tx, &station->geometry, station->own.memory,
                           station->own.private_memory + EXO_LIFE_PRIVATE_BYTES, &mine);
    return EXO_OK;
}

/**
 * exo_station_poll - exo_broadcast_poll(), and close what belonged to subscribers that are gone.
 * @station: the station
 *
 * Returns: as exo_broadcast_poll(). Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_station_poll(struct exo_station *station)
{
    exo_status status = exo_broadcast_poll(&station->tx);
    exo_u32 i;
    for (i = 0; i < EXO_SUBSCRIBERS_MAX; i++) {
        if (station->seats[i].used && (station->tx.mask_admitted >> i & 1) == 0) {
            exo_cast_side_close_pvt(&station->seats[i].side);
            station->seats[i].used = EXO_FALSE;
        }
    }
    return status;
}

/* A free seat; the number of seats if there is none. */
EXO_INLINE exo_u32 exo_station_free_seat_pvt(const struct exo_station *station)
{
    exo_u32 seat = 0;
    while (seat < station->geometry.producers && station->seats[seat].used) {
        seat++;
    }
    return seat;
}

/* What a subscriber offers: must be a segment for this broadcast. */
EXO_INLINE exo_status exo_station_judge_pvt(const struct exo_station *station, const struct exo_segment *segment,
                                            exo_bool *asymmetric)
{
    struct exo_ring_header header;
    struct exo_geometry offered;
    exo_status status;
    exo_words_load(&header, (const exo_word64 *)(const void *)segment->memory, sizeof(header));
    status = exo_cast_from_header_pvt(&offered, &header, EXO_MAGIC_BROADCAST_RX);
    if (status != EXO_OK) {
        return status;
    }
    *asymmetric = header.asymmetric == 1;
    if (!exo_geometry_equal(&offered, &station->geometry)) {
        return EXO_TYPE_MISMATCH;
    }
    return segment->bytes < offered.rx_bytes ? EXO_INVALID_SIZE : EXO_OK;
}

/* The handshake with one subscriber. */
EXO_INLINE exo_status exo_station_meet_pvt(struct exo_station *station, exo_u32 seat, exo_u64 deadline_ns)
{
    struct exo_station_seat *place = &station->seats[seat];
    struct exo_cast_hello hello = {EXO_CAST_MAGIC, EXO_LAYOUT_VERSION, EXO_CAST_HELLO, EXO_OK, station->own.life,
                                   seat, 0, place->generation};
    struct exo_newcomer who;
    exo_status status = exo_socket_prepare_pvt(place->side.socket);
    if (status == EXO_OK) {
        status = exo_socket_send_pvt(place->side.socket, &hello, sizeof(hello), station->own.descriptor, deadline_ns);
    }
    if (status == EXO_OK) {
        status = exo_cast_hear_pvt(&place->side, EXO_CAST_ACCEPT, sizeof(struct exo_cast_rx), &hello, deadline_ns);
    }
    if (status == EXO_OK) {
        status = exo_station_judge_pvt(station, &place->side.segment, &who.asymmetric);
    }
    if (status != EXO_OK) {
        return status;
    }
    exo_cast_watch_pvt(&place->side, hello.life, station->geometry.profile);
    exo_descriptor_close_pvt(&place->side.segment.descriptor);
    who.rx = (const struct exo_cast_rx *)(const void *)place->side.segment.memory;
    who.peer = &place->side.peer;
    who.generation = place->generation;
    who.seat = seat;
    exo_cast_link_add_pvt(&station->tx, &who);
    exo_publisher_wake_pvt(&station->tx);
    return EXO_OK;
}

/**
 * exo_broadcast_admit - admit the process on the other side of a socket, which calls exo_subscribe().
 * @station: the station
 * @socket: one of exo_pair(), or any connected AF_UNIX SOCK_SEQPACKET socket; the station's from now on, also when
 *   this fails (it is closed then)
 * @deadline_ns: how long to wait for the other side, absolute. The station sends nothing meanwhile.
 *
 * What is sent after this call is received there.
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS when all seats are taken; EXO_CLOSED; EXO_INVALID_ARGUMENT if it is no such
 * socket; EXO_TYPE_MISMATCH if another profile or type is wanted there; EXO_VERSION_MISMATCH; EXO_PERMISSION_DENIED if
 * the other's memory is not sealed; EXO_CORRUPT, EXO_INVALID_SIZE if it is nonsense; EXO_PEER_DIED; EXO_TIMEOUT;
 * EXO_WOULD_BLOCK; EXO_NO_MEMORY; EXO_QUOTA_EXCEEDED.
 * Context: the sender's side; may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_broadcast_admit(struct exo_station *station, int socket, exo_u64 deadline_ns)
{
    exo_status status = exo_station_poll(station);
    exo_u32 seat = exo_station_free_seat_pvt(station);
    struct exo_station_seat *place = &station->seats[seat];
    if (status == EXO_OK && seat == station->geometry.producers) {
        status = EXO_ALREADY_EXISTS;
    }
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(&socket);
        return status;
    }
    exo_cast_side_clear_pvt(&place->side, socket);
    place->generation++;
    status = exo_station_meet_pvt(station, seat, deadline_ns);
    if (status != EXO_OK) {
        exo_cast_side_close_pvt(&place->side);
    }
    place->used = status == EXO_OK;
    return status;
}

/**
 * exo_unsubscribe - leave a broadcast. Views are gone afterwards.
 * @subscription: harmless if it is closed already
 *
 * Best called by the thread that subscribed, as exo_close(). Context: may sleep.
 */
EXO_INLINE void exo_unsubscribe(struct exo_subscription *subscription)
{
    if (subscription->attached) {
        (void)exo_subscriber_leave(&subscription->sub);
    }
    subscription->attached = EXO_FALSE;
    exo_segment_destroy(&subscription->own);
    exo_cast_side_close_pvt(&subscription->side);
}

/* What the station sends: must be a broadcast of our profile and type. */
EXO_INLINE exo_status exo_subscription_judge_pvt(const struct exo_subscription *subscription,
                                                 const struct exo_broadcast_config *config,
                                                 struct exo_geometry *offered, exo_bool *asymmetric)
{
    const struct exo_segment *segment = &subscription->side.segment;
    exo_u32 profile = config == NULL || config->profile == EXO_THREADS ? EXO_CRASH_SAFE : config->profile;
    struct exo_ring_header header;
    exo_status status;
    exo_words_load(&header, (const exo_word64 *)(const void *)segment->memory, sizeof(header));
    status = exo_cast_from_header_pvt(offered, &header, EXO_MAGIC_BROADCAST_TX);
    if (status != EXO_OK) {
        return status;
    }
    *asymmetric = header.asymmetric == 1;
    if (offered->profile != profile || offered->type != (config == NULL ? 0 : config->type)) {
        return EXO_TYPE_MISMATCH;
    }
    return segment->bytes < offered->tx_bytes ? EXO_INVALID_SIZE : EXO_OK;
}

/* Make our segment, for a sender segment that was found to be good. */
EXO_INLINE exo_status exo_subscription_make_pvt(struct exo_subscription *subscription,
                                                const struct exo_geometry *geometry, exo_u64 history)
{
    struct exo_segment *own = &subscription->own;
    struct exo_cast_rx *rx;
    exo_status status = exo_segment_create(own, "exo_ipc subscriber", (exo_size)geometry->rx_bytes,
                                           exo_cast_viewed_bytes_pvt(geometry));
    if (status == EXO_OK) {
        status = exo_cast_rx_init_pvt(own->memory, own->bytes, geometry);
    }
    if (status == EXO_OK) {
        rx = (struct exo_cast_rx *)(void *)own->memory;
        rx->sync.waiters = 0;
        rx->place.history = history;
        own->life = exo_life_begin(own->private_memory);
        status = exo_segment_seal(own);
    }
    return status;
}

/* The handshake with a station. */
EXO_INLINE exo_status exo_subscription_meet_pvt(struct exo_subscription *subscription,
                                                const struct exo_broadcast_config *config, exo_u64 history,
                                                exo_u64 deadline_ns)
{
    struct exo_cast_side *side = &subscription->side;
    struct exo_geometry geometry;
    struct exo_cast_memory memory;
    struct exo_cast_hello hello;
    exo_status status = exo_socket_prepare_pvt(side->socket);
    if (status == EXO_OK) {
        status = exo_cast_hear_pvt(side, EXO_CAST_HELLO, sizeof(struct exo_cast_tx), &hello, deadline_ns);
    }
    if (status != EXO_OK) {
        return status;
    }
    status = exo_subscription_judge_pvt(subscription, config, &geometry, &memory.asymmetric);
    if (status == EXO_OK && hello.seat >= geometry.producers) {
        status = EXO_CORRUPT;
    }
    if (status == EXO_OK) {
        status = exo_subscription_make_pvt(subscription, &geometry, history);
    }
    if (status == EXO_OK) {
        exo_cast_watch_pvt(side, hello.life, geometry.profile);
        memory.geometry = &geometry;
        memory.tx = side->segment.memory;
        memory.rx = subscription->own.memory;
        memory.viewed = subscription->own.private_memory + EXO_LIFE_PRIVATE_BYTES;
        memory.peer = &side->peer;
        memory.generation = hello.generation;
        memory.seat = hello.seat;
        memory.spin = config == NULL ? 0 : config->spin;
        exo_subscriber_init_pvt(&subscription->sub, &memory);
        subscription->attached = EXO_TRUE;
    }
    hello.what = EXO_CAST_ACCEPT;
    hello.status = status;
    hello.life = subscription->own.life;
    deadline_ns = status == EXO_OK ? deadline_ns : EXO_NOW;
    {
        exo_status said = exo_socket_send_pvt(side->socket, &hello, sizeof(hello),
                                              status == EXO_OK ? subscription->own.descriptor : -1, deadline_ns);
        return status == EXO_OK ? said : status;
    }
}

/**
 * exo_subscribe - subscribe to the station on the other side of a socket, which calls exo_broadcast_admit().
 * @subscription: the receiving end, in the caller's memory; do not move it while it is open
 * @socket: as exo_broadcast_admit(); the subscription's from now on, also when this fails
 * @config: profile and type that the broadcast must have, and how long to spin; null means the default
 * @history: how many of the last messages are wanted first, as many as there are still
 * @deadline_ns: how long to wait for the station, absolute
 *
 * Returns: as exo_broadcast_admit(), but for EXO_ALREADY_EXISTS, which is EXO_PEER_DIED here: the station hung up.
 * Context: may sleep. The thread should live as long as the subscription.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_subscribe(struct exo_subscription *subscription, int socket,
                                                 const struct exo_broadcast_config *config, exo_u64 history,
                                                 exo_u64 deadline_ns)
{
    exo_status status;
    memset(subscription, 0, sizeof(*subscription));
    exo_segment_clear(&subscription->own);
    exo_cast_side_clear_pvt(&subscription->side, socket);
    status = exo_subscription_meet_pvt(subscription, config, history, deadline_ns);
    if (status != EXO_OK) {
        exo_unsubscribe(subscription);
        return status;
    }
    exo_descriptor_close_pvt(&subscription->own.descriptor);
    exo_descriptor_close_pvt(&subscription->side.segment.descriptor);
    return EXO_OK;
}

#endif
