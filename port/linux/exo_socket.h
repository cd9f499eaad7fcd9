/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets as the library uses them: whole datagrams (SOCK_SEQPACKET) that carry at most one descriptor
 * and always the sender's credentials, which the kernel vouches for. Nothing that arrives is trusted: short,
 * long and torn datagrams, too many descriptors and none are each refused, and no descriptor leaks.
 */
#ifndef EXO_PORT_LINUX_SOCKET_H
#define EXO_PORT_LINUX_SOCKET_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include: exo_linux.h needs SO_PASSCRED and struct ucred"
#endif

#include <sys/socket.h>
#include <sys/un.h>

#include "exo_segment.h"

/* Who sent a datagram, as the kernel says. */
struct exo_credentials {
    exo_u32 pid; /* 0: not visible from here */
    exo_u32 uid;
    exo_u32 gid;
};

EXO_INLINE void exo_descriptor_close_pvt(int *descriptor)
{
    int saved = errno;
    if (*descriptor >= 0) {
        (void)close(*descriptor);
    }
    *descriptor = -1;
    errno = saved;
}

/**
 * exo_pair - two connected sockets, each of which becomes an end with exo_open() in the process that uses it.
 * @descriptors: both close-on-exec; -1 on an error
 *
 * Pass one on through fork, or over another socket with exo_pass(). Whoever keeps none of them must close
 * both: the peer's death is noticed by the hang-up too.
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED when no descriptor is left; EXO_SYSTEM_ERROR.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pair(int descriptors[2])
{
    int made[2];
    descriptors[0] = -1;
    descriptors[1] = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made) != 0) {
        return exo_segment_error_pvt(errno);
    }
    descriptors[0] = made[0];
    descriptors[1] = made[1];
    return EXO_OK;
}

/* Wait until the socket can be read (POLLIN) or written (POLLOUT). */
EXO_INLINE exo_status exo_socket_wait_pvt(int socket, short events, exo_u64 deadline_ns)
{
    for (;;) {
        struct pollfd poll_for = {socket, events, 0};
        exo_u64 now = exo_port_now_ns();
        struct timespec left = {0, 0};
        int ready;
        if (deadline_ns != EXO_FOREVER && deadline_ns > now) {
            left.tv_sec = (time_t)((deadline_ns - now) / 1000000000u);
            left.tv_nsec = (long)((deadline_ns - now) % 1000000000u);
        }
        ready = ppoll(&poll_for, 1, deadline_ns == EXO_FOREVER ? NULL : &left, NULL);
        if (ready > 0) {
            return (poll_for.revents & POLLNVAL) != 0 ? EXO_INVALID_ARGUMENT : EXO_OK;
        }
        if (ready == 0 && exo_port_now_ns() >= deadline_ns) {
            return deadline_ns == EXO_NOW ? EXO_WOULD_BLOCK : EXO_TIMEOUT;
        }
        if (ready < 0 && errno != EINTR) {
            return EXO_SYSTEM_ERROR;
        }
    }
}

EXO_INLINE exo_status exo_socket_error_pvt(int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
        return EXO_PEER_DIED;
    case EBADF:
    case ENOTCONN:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EPROTOTYPE:
        return EXO_INVALID_ARGUMENT;
    case ETOOMANYREFS:
        return EXO_QUOTA_EXCEEDED;
    default:
        return exo_segment_error_pvt(error);
    }
}

/* Room for the credentials and one descriptor; and for a few more, so that a flood is seen and closed. */
#define EXO_SOCKET_CONTROL_BYTES (CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)))
#define EXO_SOCKET_FLOOD_BYTES (EXO_SOCKET_CONTROL_BYTES + CMSG_SPACE(8 * sizeof(int)))

/* Send one datagram with the credentials of this process and, if it is not -1, a descriptor. */
EXO_INLINE exo_status exo_socket_send_pvt(int socket, const void *data, exo_size bytes, int descriptor,
                                          exo_u64 deadline_ns)
{
    struct iovec part = {(void *)(exo_uptr)data, bytes};
    exo_word64 control[EXO_SOCKET_CONTROL_BYTES / sizeof(exo_word64)];
    struct msghdr message = {NULL, 0, &part, 1, control, 0, 0};
    struct ucred self = {getpid(), getuid(), getgid()};
    struct cmsghdr *header = (struct cmsghdr *)(void *)control;
    memset(control, 0, sizeof(control));
    message.msg_controllen = CMSG_SPACE(sizeof(self)) + (descriptor < 0 ? 0 : CMSG_SPACE(sizeof(int)));
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    header->cmsg_len = CMSG_LEN(sizeof(self));
    memcpy(CMSG_DATA(header), &self, sizeof(self));
    if (descriptor >= 0) {
        header = (struct cmsghdr *)(void *)((exo_u8 *)control + CMSG_SPACE(sizeof(self)));
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    for (;;) {
        exo_status status;
        if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes) {
            return EXO_OK;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return exo_socket_error_pvt(errno);
        }
        status = exo_socket_wait_pvt(socket, POLLOUT, deadline_ns);
        if (status != EXO_OK) {
            return status;
        }
    }
}

/* What came along with a datagram: keep the first descriptor, close all others. */
EXO_INLINE void exo_socket_unpack_pvt(struct msghdr *message, int *descriptor, exo_u32 *extra,
                                      struct exo_credentials *from)
{
    struct cmsghdr *header;
    for (header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        exo_size bytes = header->cmsg_len - CMSG_LEN(0);
        exo_size off;
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred peer;
            memcpy(&peer, CMSG_DATA(header), sizeof(peer));
            from->pid = (exo_u32)peer.pid;
            from->uid = peer.uid;
            from->gid = peer.gid;
        }
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (off = 0; off + sizeof(int) <= bytes; off += sizeof(int)) {
            int got;
            memcpy(&got, CMSG_DATA(header) + off, sizeof(got));
            if (*descriptor < 0) {
                *descriptor = got;
            } else {
                (void)close(got);
                (*extra)++;
            }
        }
    }
}

/* Receive one datagram of exactly this size, with one descriptor at most (-1: none). */
EXO_INLINE exo_status exo_socket_recv_pvt(int socket, void *data, exo_size bytes, int *descriptor,
                                          struct exo_credentials *from, exo_u64 deadline_ns)
{
    struct iovec part = {data, bytes};
    exo_word64 control[EXO_SOCKET_FLOOD_BYTES / sizeof(exo_word64)];
    struct msghdr message = {NULL, 0, &part, 1, control, sizeof(control), 0};
    exo_u32 extra = 0;
    ssize_t got;
    exo_status status = EXO_OK;
    while ((got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC)) < 0) {
        /* A reset is reported once, in front of what the peer had said before: read on. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNRESET) {
            return exo_socket_error_pvt(errno);
        }
        if (errno == EAGAIN && deadline_ns == EXO_NOW) {
            return EXO_WOULD_BLOCK;
        }
        status = exo_socket_wait_pvt(socket, POLLIN, deadline_ns);
        if (status != EXO_OK) {
            return status;
        }
    }
    from->pid = 0;
    from->uid = 0xFFFFFFFFu;
    from->gid = 0xFFFFFFFFu;
    *descriptor = -1;
    exo_socket_unpack_pvt(&message, descriptor, &extra, from);
    if (got == 0) {
        status = EXO_PEER_DIED;
    } else if (*descriptor < 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
        status = EXO_QUOTA_EXCEEDED; /* one was sent, and there is no room for it here */
    } else if ((exo_size)got != bytes || extra != 0 || (message.msg_flags & MSG_CTRUNC) != 0) {
        status = EXO_CORRUPT;
    }
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(descriptor);
    }
    return status;
}

/* Ask the kernel for the credentials of whoever writes to the other side. */
EXO_INLINE exo_status exo_socket_prepare_pvt(int socket)
{
    int on = 1;
    int kind = 0;
    socklen_t bytes = sizeof(kind);
    if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &kind, &bytes) != 0 || kind != SOCK_SEQPACKET ||
        setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    return EXO_OK;
}

/**
 * exo_pass - hand a descriptor to whoever reads the other side of a connected SOCK_SEQPACKET socket.
 * @socket: the socket  @descriptor: stays open here too
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT; EXO_PEER_DIED; EXO_TIMEOUT; EXO_WOULD_BLOCK; EXO_SYSTEM_ERROR.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_pass(int socket, int descriptor, exo_u64 deadline_ns)
{
    return descriptor < 0 ? EXO_INVALID_ARGUMENT
                          : exo_socket_send_pvt(socket, "exo", 4, descriptor, deadline_ns);
}

/**
 * exo_take - receive a descriptor that exo_pass() sent.
 * @socket: the socket  @descriptor: written on success only; close-on-exec
 *
 * Returns: as exo_pass(); EXO_CORRUPT for anything but one descriptor; EXO_QUOTA_EXCEEDED if there is no room
 * for it here.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_take(int socket, int *descriptor, exo_u64 deadline_ns)
{
    struct exo_credentials from;
    char data[4];
    int got = -1;
    exo_status status = exo_socket_recv_pvt(socket, data, sizeof(data), &got, &from, deadline_ns);
    if (status != EXO_OK) {
        return status;
    }
    if (got < 0) {
        return EXO_CORRUPT;
    }
    *descriptor = got;
    return EXO_OK;
}

#endif
