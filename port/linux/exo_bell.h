/* SPDX-License-Identifier: MIT */
/*
 * Bells: one descriptor for the rings between the threads of a process, for epoll, poll and io_uring. Between processes an
 * end is one by itself (exo_fd.h).
 *
 * A thread opens a bell and gives it, before they are used, to the handles whose other side it will wait on; any number of
 * rings may share one.
 *
 *   exo_bell_open(&bell);
 *   exo_bell_for_sender(&bell, &tx);          what is sent through tx rings bell
 *
 *   the receiver's thread:
 *   for (;;) {
 *       while (exo_recv(&rx, ...) >= 0) {     take all there is
 *       }
 *       if (exo_receiver_arm(&rx, 0, &again_ns) == EXO_OK) {
 *           epoll_wait(...);                  on exo_bell_fd(&bell), among whatever else there is
 *           exo_receiver_disarm(&rx);
 *           exo_bell_clear(&bell);
 *       }
 *   }
 *
 * Threads are sure of their heavy fence: again_ns stays EXO_FOREVER. Every sender of a ring must have been given the bell;
 * one that was not does not ring.
 */
#ifndef EXO_PORT_LINUX_BELL_H
#define EXO_PORT_LINUX_BELL_H

#include <sys/eventfd.h>

#include "exo_socket.h"

/**
 * struct exo_bell - a descriptor that other threads make readable. Its members are the library's.
 */
struct exo_bell {
    struct exo_port_bell port;
};

/**
 * exo_bell_open - make a bell.
 * @bell: the object, in the caller's memory; do not move it while handles have it
 *
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED when no descriptor is left; EXO_NO_MEMORY; EXO_SYSTEM_ERROR.
 * Context: not from an interrupt. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_bell_open(struct exo_bell *bell)
{
    exo_status status = EXO_OK;
    int saved = errno;
    bell->port.letter = EXO_FALSE;
    bell->port.descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell->port.descriptor < 0) {
        status = exo_segment_error_pvt(errno);
    }
    errno = saved;
    return status;
}

/**
 * exo_bell_close - close a bell. No handle that was given it may be used any more; harmless a second time.
 */
EXO_INLINE void exo_bell_close(struct exo_bell *bell)
{
    exo_descriptor_close_pvt(&bell->port.descriptor);
}

/**
 * exo_bell_fd - the descriptor, readable from a ring until exo_bell_clear(). It is the bell's. Context: any.
 */
EXO_INLINE EXO_MUST_USE int exo_bell_fd(const struct exo_bell *bell)
{
    return bell->port.descriptor;
}

/**
 * exo_bell_for_sender - let what a sender publishes ring for an armed receiver.
 * @bell: the receiver's  @tx: attached; not in use at this moment
 */
EXO_INLINE void exo_bell_for_sender(struct exo_bell *bell, struct exo_sender *tx)
{
    tx->waker.bell = &bell->port;
}

/**
 * exo_bell_for_receiver - let what a receiver gives back ring for an armed sender. As exo_bell_for_sender().
 */
EXO_INLINE void exo_bell_for_receiver(struct exo_bell *bell, struct exo_receiver *rx)
{
    rx->waker.bell = &bell->port;
}

/**
 * exo_bell_clear - the descriptor is no longer readable. Then take all there is.
 *
 * Context: the thread that waits; does not sleep. errno stays as it was.
 */
EXO_INLINE void exo_bell_clear(struct exo_bell *bell)
{
    exo_word64 rings = 0;
    int saved = errno;
    if (read(bell->port.descriptor, &rings, sizeof(rings)) < 0) {
        errno = saved; /* nobody rang */
    }
}

#endif
