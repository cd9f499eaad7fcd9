/* SPDX-License-Identifier: MIT */
/*
 * Strangers that meet by a name: one listens, others connect. Each connection yields a socket on either side, which
 * becomes an end as those of exo_pair() do.
 *
 * A name is that of a socket file ("/run/x", "./x"), or an abstract one ("@x"), which has no file, no rights and ends
 * with its listener. Both processes learn from the kernel who the other one is, before anything is read from it. The
 * listener decides whom to let in and says so in a letter; exo_connect() returns only when it has come, so that a
 * refusal is told apart from a listener that is gone.
 *
 * What a killed listener left is replaced by the next one (exo_name.h tells how).
 *
 * A hostile peer can connect as often as its own descriptors allow, and say nothing: it takes a place in the backlog
 * until exo_accept() has called allow(), no more. Nothing is read from it here.
 */
#ifndef EXO_PORT_LINUX_LISTEN_H
#define EXO_PORT_LINUX_LISTEN_H

#include "exo_letter.h"
#include "exo_name.h"

/* Any user, for exo_connect(). */
#define EXO_ANYBODY 0xFFFFFFFFu

/* Connections that wait to be accepted, when the configuration does not say; the system may allow fewer. */
#define EXO_LISTEN_BACKLOG 64

/* So many peers one call of exo_accept() refuses that was told not to wait. */
#define EXO_LISTEN_REFUSALS 64u

/**
 * struct exo_listen_config - zero is the default throughout.
 * @allow: whether to let a process in, by what the kernel says of it; null: those of the listener's own user. It is
 *   called in exo_accept(). A process in another PID namespace has pid 0, and a user who is unknown here the kernel's
 *   overflow uid (65534)
 * @context: handed to allow
 * @mode: rights of the socket file (connecting needs the right to write); 0 means 0600
 * @backlog: connections that may wait to be accepted; 0 means EXO_LISTEN_BACKLOG
 */
struct exo_listen_config {
    exo_bool (*allow)(const struct exo_credentials *who, void *context);
    void *context;
    exo_u32 mode;
    exo_u32 backlog;
};

/**
 * struct exo_listener - somebody who listens. refused counts those who were not let in; the rest is the library's.
 */
struct exo_listener {
    struct exo_listen_config config;
    exo_u64 refused;
    struct sockaddr_un address;
    struct stat file; /* of the socket file, to tell it from another one of its name */
    int socket;
};

/* Listen by a socket file. */
EXO_INLINE exo_status exo_listen_file_pvt(struct exo_listener *listener, int backlog)
{
    const mode_t mode = listener->config.mode == 0 ? 0600 : (mode_t)listener->config.mode & 0777;
    struct sockaddr_un ours;
    exo_status status = EXO_ALREADY_EXISTS;
    exo_u32 attempt;
    for (attempt = 0; attempt < 16 && status == EXO_ALREADY_EXISTS; attempt++) {
        status = exo_address_temporary_pvt(&ours, &listener->address, attempt);
        if (status == EXO_OK && bind(listener->socket, (struct sockaddr *)&ours, sizeof(ours)) != 0) {
            status = exo_listen_error_pvt(errno);
        }
    }
    if (status != EXO_OK) {
        return status;
    }
    if (chmod(ours.sun_path, mode) != 0 || lstat(ours.sun_path, &listener->file) != 0 ||
        listen(listener->socket, backlog) != 0) {
        status = exo_listen_error_pvt(errno);
    } else {
        status = exo_listen_publish_pvt(&ours, &listener->address);
    }
    if (status != EXO_OK) {
        (void)unlink(ours.sun_path);
    }
    return status;
}

/**
 * exo_listener_close - stop listening, and remove the socket file if it is still this listener's.
 * @listener: harmless if it is closed already
 *
 * Those who wait to be accepted get EXO_PEER_DIED; connections that were accepted stay. A relative name must still
 * lead to the same place. Context: not from an interrupt.
 */
EXO_INLINE void exo_listener_close(struct exo_listener *listener)
{
    struct stat now;
    int saved = errno;
    if (listener->socket >= 0 && listener->file.st_ino != 0 &&
        lstat(listener->address.sun_path, &now) == 0 && exo_same_file_pvt(&now, &listener->file)) {
        (void)unlink(listener->address.sun_path); /* still listening, so that nobody takes it for dead */
    }
    exo_descriptor_close_pvt(&listener->socket);
    memset(&listener->file, 0, sizeof(listener->file));
    errno = saved;
}

/**
 * exo_listen - listen by a name.
 * @listener: the object, in the caller's memory
 * @name: path of a socket file, or '@' and an abstract name; at most 107 bytes. A path's folder must leave room for a
 *   temporary name of 21
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for null, an empty name, a mode with other bits than 0777; EXO_INVALID_SIZE
 * for one that is too long; EXO_ALREADY_EXISTS if somebody listens there, or a file of another kind is there;
 * EXO_NOT_FOUND if its folder does not exist; EXO_PERMISSION_DENIED; EXO_TIMEOUT if a dead file lies there and somebody
 * keeps its folder locked; EXO_QUOTA_EXCEEDED when no descriptor is left; EXO_NO_MEMORY; EXO_NOT_SUPPORTED for a
 * file system that cannot rename without replacing; EXO_SYSTEM_ERROR.
 * Context: may sleep. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_listen(struct exo_listener *listener, const char *name,
                                              const struct exo_listen_config *config)
{
    socklen_t bytes = 0;
    exo_status status;
    int saved = errno;
    int backlog;
    memset(listener, 0, sizeof(*listener));
    listener->socket = -1;
    if (config != NULL) {
        listener->config = *config;
    }
    status = exo_address_make_pvt(&listener->address, &bytes, name);
    if (status != EXO_OK || listener->config.mode > 0777) {
        return status == EXO_OK ? EXO_INVALID_ARGUMENT : status;
    }
    backlog = listener->config.backlog == 0 ? EXO_LISTEN_BACKLOG
                                            : (int)(listener->config.backlog & 0x7FFFFFFFu);
    listener->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->socket < 0) {
        status = exo_listen_error_pvt(errno);
    } else if (listener->address.sun_path[0] != 0) {
        status = exo_listen_file_pvt(listener, backlog);
    } else if (bind(listener->socket, (struct sockaddr *)&listener->address, bytes) != 0 ||
               listen(listener->socket, backlog) != 0) {
        status = exo_listen_error_pvt(errno);
    }
    if (status != EXO_OK) {
        exo_descriptor_close_pvt(&listener->socket);
    }
    errno = saved;
    return status;
}

/**
 * exo_listener_fd - a descriptor for epoll, poll or io_uring, readable while somebody waits to be accepted.
 *
 * It is the listener's. Returns: the descriptor; -1 if the listener is closed. Context: any.
 */
EXO_INLINE EXO_MUST_USE int exo_listener_fd(const struct exo_listener *listener)
{
    return listener->socket;
}

/* Ask the kernel who is at the other side of a connected socket: who connected, or who listened. */
EXO_INLINE exo_status exo_socket_peer_pvt(int socket, struct exo_credentials *who)
{
    struct ucred peer = {0, 0, 0};
    socklen_t bytes = sizeof(peer);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) {
        return exo_socket_error_pvt(errno);
    }
    who->pid = (exo_u32)peer.pid;
    who->uid = peer.uid;
    who->gid = peer.gid;
    return EXO_OK;
}

/* Whether somebody who connected is let in; he is told. */
EXO_INLINE exo_status exo_accept_judge_pvt(struct exo_listener *listener, int socket,
                                           struct exo_credentials *who)
{
    exo_bool welcome;
    exo_status said;
    exo_status status = exo_socket_peer_pvt(socket, who);
    if (status != EXO_OK) {
        return status;
    }
    welcome = listener->config.allow == NULL ? who->uid == (exo_u32)geteuid()
                                             : listener->config.allow(who, listener->config.context);
    status = welcome ? EXO_OK : EXO_PERMISSION_DENIED;
    listener->refused += !welcome;
    said = exo_letter_send_pvt(socket, EXO_LETTER_WELCOME, (exo_u64) - (exo_i64)status, -1, EXO_NOW);
    return status == EXO_OK ? said : status;
}

/**
 * exo_accept - take the next process that connected and may.
 * @listener: the listener
 * @descriptor: written on success only; for exo_open(), which it belongs to then; close-on-exec
 * @who: who it is, as the kernel said when it connected; or null
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Those whom the listener's allow() refuses are told and dropped on the way, and so is who has gone already. Nothing is
 * read from the peer: whoever stays silent is found out by the deadline of exo_open().
 *
 * Returns: EXO_OK; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_QUOTA_EXCEEDED when no descriptor is left, and
 * EXO_NO_MEMORY (the peer waits on, and comes when there is one again); EXO_INVALID_ARGUMENT if the listener is closed;
 * EXO_SYSTEM_ERROR. Context: may sleep; one thread at a time. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_accept(struct exo_listener *listener, int *descriptor,
                                              struct exo_credentials *who, exo_u64 deadline_ns)
{
    struct exo_credentials peer;
    exo_status status = listener->socket < 0 ? EXO_INVALID_ARGUMENT : EXO_OK;
    int saved = errno;
    exo_u32 turn;
    for (turn = 0; status == EXO_OK; turn++) {
        int made = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);
        if (made >= 0 && exo_accept_judge_pvt(listener, made, &peer) == EXO_OK) {
            *descriptor = made;
            if (who != NULL) {
                *who = peer;
            }
            break;
        }
        if (made < 0 && errno == EAGAIN) {
            status = exo_socket_wait_pvt(listener->socket, POLLIN, deadline_ns);
        } else if (made < 0 && errno != EINTR && errno != ECONNABORTED) {
            status = exo_listen_error_pvt(errno);
        } else if (deadline_ns == EXO_NOW && turn >= EXO_LISTEN_REFUSALS) {
            status = EXO_WOULD_BLOCK;
        } else if (deadline_ns != EXO_NOW && exo_port_now_ns() >= deadline_ns) {
            status = EXO_TIMEOUT;
        }
        exo_descriptor_close_pvt(&made);
    }
    errno = saved;
    return status;
}

/* Connect, waiting for a place in the backlog. The kernel itself waits, for a full backlog cannot be polled: until the
 * deadline by its send timeout. */
EXO_INLINE exo_status exo_connect_reach_pvt(int descriptor, const struct sockaddr_un *address,
                                            socklen_t bytes, exo_u64 deadline_ns)
{
    struct timeval left = {0, 0};
    for (;;) {
        exo_u64 now = exo_port_now_ns();
        if (deadline_ns != EXO_NOW && deadline_ns != EXO_FOREVER) {
            exo_u64 span = deadline_ns > now ? deadline_ns - now : 0;
            left.tv_sec = (time_t)(span / 1000000000u);
            left.tv_usec = (suseconds_t)(span % 1000000000u / 1000u);
            left.tv_usec += span < 1000u; /* 0 would be for ever */
            if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left)) != 0) {
                return EXO_SYSTEM_ERROR;
            }
        }
        if (connect(descriptor, (const struct sockaddr *)address, bytes) == 0) {
            memset(&left, 0, sizeof(left));
            return setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left)) == 0
                       ? EXO_OK
                       : EXO_SYSTEM_ERROR;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return exo_listen_error_pvt(errno);
        }
        if (exo_port_now_ns() >= deadline_ns) {
            return deadline_ns == EXO_NOW ? EXO_WOULD_BLOCK : EXO_TIMEOUT;
        }
    }
}

/* Who listens there, and what he says. */
EXO_INLINE exo_status exo_connect_hear_pvt(int descriptor, exo_u32 server, exo_u64 deadline_ns)
{
    struct exo_credentials who = {0, 0, 0};
    struct exo_letter letter;
    int along = -1;
    exo_status status = exo_socket_peer_pvt(descriptor, &who);
    if (status == EXO_OK && server != EXO_ANYBODY && who.uid != server) {
        status = EXO_PERMISSION_DENIED;
    }
    if (status == EXO_OK) {
        status = exo_letter_recv_pvt(descriptor, &letter, &along, deadline_ns);
    }
    if (status != EXO_OK) {
        return status;
    }
    if (along >= 0 || letter.what != EXO_LETTER_WELCOME ||
        letter.tag > (exo_u64) - (exo_i64)EXO_SYSTEM_ERROR) {
        exo_descriptor_close_pvt(&along);
        return EXO_CORRUPT;
    }
    return (exo_status) - (exo_i32)letter.tag;
}

/**
 * exo_connect - connect to a listener and be let in.
 * @descriptor: written on success only; for exo_open(), which it belongs to then; close-on-exec
 * @name: as exo_listen()
 * @server: user that must have called exo_listen(), or EXO_ANYBODY. An abstract name anybody may take, and a path
 *   whoever may write to its folder
 * @deadline_ns: until when to wait for a place in the backlog and to be let in, absolute. With EXO_NOW that has hardly
 *   happened yet, and the answer is EXO_WOULD_BLOCK
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if nobody listens there; EXO_PERMISSION_DENIED if the listener does not let this
 * process in, if there is no right to the path, or another user listens; EXO_TIMEOUT; EXO_WOULD_BLOCK;
 * EXO_TYPE_MISMATCH for a socket of another kind; EXO_PEER_DIED if the listener left meanwhile; EXO_CORRUPT if it talks
 * nonsense; EXO_INVALID_ARGUMENT, EXO_INVALID_SIZE for the name as exo_listen(); EXO_QUOTA_EXCEEDED when no descriptor
 * is left; EXO_NO_MEMORY; EXO_SYSTEM_ERROR. Context: may sleep. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_connect(int *descriptor, const char *name, exo_u32 server,
                                               exo_u64 deadline_ns)
{
    struct sockaddr_un address;
    socklen_t bytes = 0;
    int saved = errno;
    int made;
    exo_status status = exo_address_make_pvt(&address, &bytes, name);
    if (status != EXO_OK) {
        return status;
    }
    made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (deadline_ns == EXO_NOW ? SOCK_NONBLOCK : 0), 0);
    if (made < 0) {
        status = exo_listen_error_pvt(errno);
    } else {
        status = exo_connect_reach_pvt(made, &address, bytes, deadline_ns);
        status = status == EXO_OK ? exo_connect_hear_pvt(made, server, deadline_ns) : status;
    }
    if (status == EXO_OK) {
        *descriptor = made;
    } else {
        exo_descriptor_close_pvt(&made);
    }
    errno = saved;
    return status;
}

#endif
