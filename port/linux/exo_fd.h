/* SPDX-License-Identifier: MIT */
/*
 * An end as one descriptor, for epoll, poll and io_uring: readable when the end should be looked at. It is made when it
 * is asked for first; until then nothing is paid for it, and no byte more is sent.
 *
 *   int fd = (int)exo_fd(&end);                  add it to an epoll set, EPOLLIN
 *   for (;;) {
 *       while (exo_recv(&end.rx, ...) >= 0) {    take all there is
 *       }
 *       if (exo_fd_arm(&end, EXO_READABLE, 0) == EXO_OK) {
 *           epoll_wait(...);                     among whatever else there is
 *           exo_fd_clear(&end);
 *       }
 *   }
 *
 * Arming announces this side as about to sleep and looks once more (fusion_ring/bell.h): anything but EXO_OK means that
 * there is something to do, and not to sleep. The peer rings an armed end by a letter (exo_letter.h) over the socket of
 * the two, once. While nobody is armed nobody rings, and a send makes no system call.
 *
 * The descriptor is an epoll set of its own:
 *
 *   socket   a ring has come, or the peer has hung up
 *   pidfd    the peer is dead; as the hang-up that stays so, and the descriptor readable
 *   timer    it is time to look again (EXO_PORT_FENCE_DOUBT_NS), or another thread of this side has read a ring
 *
 * The peer is rung by the socket that is there already and not by an eventfd of the sleeper's: whoever holds an eventfd can
 * make a write to it block, whatever was checked before, while a send says for itself that it must not. Also, a socket
 * that has no room for a ring is readable at its other side, which is all that a ring is for.
 *
 * A hostile peer can ring for nothing, as often as it likes, which costs turns of this loop; it can never ring, which
 * makes its own messages late; and it can send nonsense, which exo_fd_arm() answers with EXO_CORRUPT.
 *
 * One thread at a time arms and clears; others may send, receive and take from the mailbox.
 */
#ifndef EXO_PORT_LINUX_FD_H
#define EXO_PORT_LINUX_FD_H

#include <sys/epoll.h>

#include "exo_end.h"

EXO_INLINE exo_status exo_gate_add_pvt(int epoll, int descriptor)
{
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    if (descriptor < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) {
        return EXO_OK;
    }
    return errno == ENOSPC ? EXO_QUOTA_EXCEEDED : exo_segment_error_pvt(errno);
}

/* The descriptor of a link; made when it is asked for first. A negative status on an error. */
EXO_INLINE exo_i64 exo_gate_open_pvt(struct exo_link *link)
{
    struct exo_gate *gate = &link->gate;
    exo_status status = EXO_OK;
    int saved = errno;
    if (gate->epoll >= 0 || link->socket < 0) {
        return gate->epoll >= 0 ? gate->epoll : EXO_INVALID_ARGUMENT;
    }
    gate->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    gate->epoll = gate->timer < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (gate->epoll < 0) {
        status = exo_segment_error_pvt(errno);
    }
    status = status == EXO_OK ? exo_gate_add_pvt(gate->epoll, gate->timer) : status;
    status = status == EXO_OK ? exo_gate_add_pvt(gate->epoll, link->socket) : status;
    status = status == EXO_OK ? exo_gate_add_pvt(gate->epoll, link->pidfd) : status;
    if (status != EXO_OK) {
        exo_gate_close_pvt(gate);
        errno = saved;
        return status;
    }
    gate->due_ns = EXO_FOREVER;
    /* relaxed: nobody rings for our sake before we are armed */
    exo_store32(&link->mailbox.chime, (exo_u32)gate->timer + 1, EXO_RELAXED);
    errno = saved;
    return gate->epoll;
}

/* All rings of the link that are waited for were armed: whether to sleep. `again_ns` is when to look again at the latest,
 * `progress` a sum of their positions. */
EXO_INLINE exo_status exo_gate_settle_pvt(struct exo_link *link, exo_u64 again_ns, exo_u64 progress)
{
    struct exo_gate *gate = &link->gate;
    int saved = errno;
    if (gate->refused != EXO_OK) {
        exo_status status = gate->refused;
        gate->refused = status == EXO_QUOTA_EXCEEDED ? EXO_OK : status; /* that may pass */
        return status;
    }
    gate->naps = gate->mark == progress ? gate->naps + (gate->naps < 24) : 0;
    gate->mark = progress;
    if (again_ns < gate->due_ns) {
        struct itimerspec at = {{0, 0}, {0, 0}};
        at.it_value.tv_sec = (time_t)(again_ns / 1000000000u);
        at.it_value.tv_nsec = (long)(again_ns % 1000000000u);
        gate->due_ns = again_ns;
        (void)timerfd_settime(gate->timer, TFD_TIMER_ABSTIME, &at, NULL);
        errno = saved;
    }
    /* [gate:rung] pairs [mailbox:rung]: a chime that the timer's new time has silenced */
    return exo_load32(&link->mailbox.rung, EXO_ACQUIRE) != 0 ? EXO_INTERRUPTED : EXO_OK;
}

/* Nothing else woke us: ask the kernel whether the peer is dead, for the handles that this thread waits for. */
EXO_INLINE void exo_gate_confirm_pvt(struct exo_link *link)
{
    if ((link->gate.armed & EXO_READABLE) != 0) {
        (void)exo_port_confirm_death_pvt(&link->rx_peer, 0);
    }
    if ((link->gate.armed & EXO_WRITABLE) != 0) {
        (void)exo_port_confirm_death_pvt(&link->tx_peer, 0);
    }
}

/* Woken: read what made the descriptor readable, and believe in the peer's death if that is what does. */
EXO_INLINE void exo_gate_clear_pvt(struct exo_link *link)
{
    struct exo_gate *gate = &link->gate;
    exo_bool any = EXO_FALSE;
    exo_word64 times = 0;
    int saved = errno;
    exo_status status = exo_mailbox_collect_pvt(&link->mailbox, &any);
    exo_bool rung = exo_load32(&link->mailbox.rung, EXO_RELAXED) != 0; /* relaxed: the look after it decides */
    if (status == EXO_CORRUPT || status == EXO_QUOTA_EXCEEDED) {
        gate->refused = status;
    } else if (status == EXO_OK) {
        gate->refused = EXO_OK;
    }
    if (any && !rung) {
        return;
    }
    /* relaxed: a chime that comes now sets the timer after it is read, or is seen when it is armed again */
    exo_store32(&link->mailbox.rung, 0u, EXO_RELAXED);
    if (read(gate->timer, &times, sizeof(times)) == (ssize_t)sizeof(times)) {
        gate->due_ns = EXO_FOREVER;
    } else if (!rung) {
        exo_gate_confirm_pvt(link);
    }
    errno = saved;
}

/**
 * exo_fd - a descriptor that is readable when an armed end should be looked at.
 * @end: an open end, which keeps the descriptor and closes it
 *
 * The first call makes it (three descriptors in all); the others answer the same.
 * Returns: the descriptor, close-on-exec; EXO_QUOTA_EXCEEDED when none is left; EXO_NO_MEMORY;
 * EXO_INVALID_ARGUMENT if the end is closed; EXO_SYSTEM_ERROR. Context: may sleep. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_fd(struct exo_end *end)
{
    return exo_gate_open_pvt(&end->link);
}

EXO_INLINE void exo_fd_disarm_pvt(struct exo_end *end, exo_u32 events)
{
    if ((events & EXO_READABLE) != 0) {
        exo_receiver_disarm(&end->rx);
    }
    if ((events & EXO_WRITABLE) != 0) {
        exo_sender_disarm(&end->tx);
    }
}

/**
 * exo_fd_clear - the descriptor was readable, or the caller gives up sleeping: take the announcement back, and read the
 * rings that came.
 * @end: the end, armed or not
 *
 * Then take all there is, and arm again. After the peer's death, and when nobody reads its nonsense, the descriptor
 * stays readable; the calls on the end say so.
 * Context: the thread that arms; does not sleep. errno stays as it was.
 */
EXO_INLINE void exo_fd_clear(struct exo_end *end)
{
    if (end->link.gate.epoll >= 0) {
        exo_fd_disarm_pvt(end, end->link.gate.armed);
        exo_gate_clear_pvt(&end->link);
        end->link.gate.armed = 0;
    }
}

/**
 * exo_fd_arm - have the descriptor made readable when there is something to do, unless there is already.
 * @end: an end whose exo_fd() was called
 * @events: EXO_READABLE: a message can be received; EXO_WRITABLE: one can be sent; or both
 * @size: EXO_WRITABLE: of the message to be sent, in bytes: a larger one needs room in the arena besides a slot
 *
 * Returns: EXO_OK: sleep on the descriptor, then exo_fd_clear(). EXO_INTERRUPTED: there is something to do. EXO_CLOSED,
 * EXO_PEER_DIED, EXO_CORRUPT: as the calls on the end will say; there is nothing more to wait for. EXO_QUOTA_EXCEEDED:
 * descriptors have come that nobody takes (exo_mailbox.h). EXO_INVALID_ARGUMENT: no event, an unknown one, or no
 * exo_fd() before. EXO_INVALID_SIZE: as a send. EXO_NOT_SUPPORTED on polled rings. Only EXO_OK leaves it armed.
 * Context: one thread at a time, which owns the handles that it waits for; does not sleep. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fd_arm(struct exo_end *end, exo_u32 events, exo_size size)
{
    exo_u64 again_ns = EXO_FOREVER;
    exo_u64 progress = 0;
    exo_status status = EXO_OK;
    exo_u32 naps = end->link.gate.naps;
    if (events == 0 || (events & ~(EXO_READABLE | EXO_WRITABLE)) != 0 || end->link.gate.epoll < 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if ((events & EXO_READABLE) != 0) {
        progress += end->rx.pos;
        status = exo_receiver_arm(&end->rx, naps, &again_ns);
    }
    if (status == EXO_OK && (events & EXO_WRITABLE) != 0) {
        progress += end->tx.pos;
        status = exo_sender_arm(&end->tx, size, naps, &again_ns);
    }
    status = status == EXO_OK ? exo_gate_settle_pvt(&end->link, again_ns, progress) : status;
    end->link.gate.armed = events;
    if (status != EXO_OK) {
        exo_fd_disarm_pvt(end, events);
    }
    return status;
}

#endif
