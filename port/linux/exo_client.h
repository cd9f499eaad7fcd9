/* SPDX-License-Identifier: MIT */
/*
 * A process as a client of the daemon exo-ipcd: the calls of nucleus/calls.h, by a socket.
 *
 *   #include <exo_client.h>
 *   struct exo_client client;
 *   exo_client_open(&client, NULL, deadline_ns);
 *   exo_sys_shm_create(&client.door, "frames", 6, 1 << 20, 0, &region);
 *   exo_client_close(&client);
 *
 * Names, arguments and results are those of every other road. Mappings are this process's own: shm_map yields a descriptor
 * that carries no more than the handle's right, and maps it here. So a mapping that exists outlives a revocation, and the
 * daemon; nothing new can be mapped. A wait that runs into its deadline is cancelled by the client: the daemon keeps no clock,
 * and a client that dies waiting costs nothing.
 *
 * One thread at a time uses a client, which also waits in it; threads that shall not wait for each other open one each, and
 * grant each other what they share. After a fork exactly one process goes on using it.
 *
 * When the daemon is gone, every call answers EXO_CLOSED; exo_client_reopen() begins again with the next one.
 */
#ifndef EXO_PORT_LINUX_CLIENT_H
#define EXO_PORT_LINUX_CLIENT_H

#include "exo_channel.h"
#include "exo_client_map.h"
#include "exo_ipc/nucleus/calls_channel.h"
#include "exo_ipc/nucleus/quota.h"
#include "exo_listen.h"

/* Where the daemon of the whole system listens; that of a user in this file of XDG_RUNTIME_DIR. */
#define EXO_CLIENT_SYSTEM_PATH "/run/exo-ipcd/socket"
#define EXO_CLIENT_USER_FILE "/exo-ipcd"

/**
 * struct exo_client - a connection to the daemon. Its members are the library's, but
 * @door: for the calls of nucleus/calls.h
 */
struct exo_client {
    struct exo_door door;
    struct exo_client_maps maps;
    int socket; /* -1: the daemon is gone */
};

/* The daemon is gone. */
EXO_INLINE exo_status exo_client_gone_pvt(struct exo_client *client)
{
    exo_descriptor_close_pvt(&client->socket);
    return EXO_CLOSED;
}

/* Send a request: its head, the letter, the buffer. The addresses become offsets. */
EXO_INLINE exo_status exo_client_ask_pvt(struct exo_client *client, const struct exo_syscall *call, const void *letter,
                                         const void *buffer, exo_size bytes)
{
    const struct exo_syscall_form form = exo_packet_form(call->number);
    const exo_size front = form.letter == EXO_SYS_NO_BUFFER ? 0 : sizeof(struct exo_sys_letter);
    const exo_bool reads = form.in != EXO_SYS_NO_BUFFER;
    const exo_u32 at = reads ? form.in : form.out;
    struct exo_packet_request head = {EXO_PACKET_ASKS, 0, *call};
    struct iovec part[3] = {{&head, sizeof(head)},
                            {(void *)(exo_uptr)letter, reads ? front : 0},
                            {(void *)(exo_uptr)buffer, reads ? bytes : 0}};
    struct msghdr message = {NULL, 0, part, 3, NULL, 0, 0};
    head.call.result = 0;
    head.bytes = (exo_u32)(part[1].iov_len + part[2].iov_len);
    if (at != EXO_SYS_NO_BUFFER) {
        head.call.argument[at] = front;
        head.call.argument[at + 1] = bytes;
    }
    if (form.letter != EXO_SYS_NO_BUFFER) {
        head.call.argument[form.letter] = 0;
    }
    while (sendmsg(client->socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno == EFAULT) {
            return EXO_INVALID_ARGUMENT;
        }
        if (errno != EINTR &&
            (errno != EAGAIN || exo_socket_wait_pvt(client->socket, POLLOUT, EXO_FOREVER) != EXO_OK)) {
            return exo_client_gone_pvt(client);
        }
    }
    return EXO_OK;
}

/* The descriptor that came with an answer; all others are closed. */
EXO_INLINE int exo_client_unpack_pvt(struct msghdr *message)
{
    struct exo_credentials from = {0, 0, 0};
    exo_u32 extra = 0;
    int descriptor = -1;
    exo_socket_unpack_pvt(message, &descriptor, &extra, &from);
    return descriptor;
}

/* Receive the answer, right into the caller's buffers. The descriptor, or -1, is the caller's. */
EXO_INLINE exo_status exo_client_hear_pvt(struct exo_client *client, struct exo_syscall *call, void *letter,
                                          void *buffer, exo_size bytes, int *descriptor)
{
    const struct exo_syscall_form form = exo_packet_form(call->number);
    const exo_bool writes = form.out != EXO_SYS_NO_BUFFER;
    const exo_size front = writes && form.letter != EXO_SYS_NO_BUFFER ? sizeof(struct exo_sys_letter) : 0;
    struct exo_packet_answer head = {0, 0, 0};
    struct iovec part[3] = {{&head, sizeof(head)}, {letter, front}, {buffer, writes ? bytes : 0}};
    exo_word64 control[CMSG_SPACE(sizeof(int)) / sizeof(exo_word64)];
    struct msghdr message = {NULL, 0, part, 3, control, sizeof(control), 0};
    ssize_t got;
    while ((got = recvmsg(client->socket, &message, MSG_CMSG_CLOEXEC)) < 0 &&
           (errno == EINTR ||
            (errno == EAGAIN && exo_socket_wait_pvt(client->socket, POLLIN, EXO_FOREVER) == EXO_OK))) {
        message.msg_controllen = sizeof(control);
    }
    *descriptor = -1;
    if (got <= 0) {
        return exo_client_gone_pvt(client);
    }
    *descriptor = exo_client_unpack_pvt(&message);
    if ((exo_size)got < sizeof(head) || head.magic != EXO_PACKET_ANSWERS || (message.msg_flags & MSG_TRUNC) != 0 ||
        head.status > EXO_OK || head.status < EXO_SYSTEM_ERROR) {
        exo_descriptor_close_pvt(descriptor);
        (void)exo_client_gone_pvt(client);
        return EXO_CORRUPT;
    }
    call->result = head.result;
    if (head.status == EXO_OK && *descriptor < 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
        return EXO_QUOTA_EXCEEDED; /* a descriptor came, and there is no room for it here */
    }
    return (exo_status)head.status;
}

/* Wait for the answer of a wait until its deadline; then have the daemon end it. */
EXO_INLINE void exo_client_await_pvt(struct exo_client *client, exo_u64 deadline_ns)
{
    struct exo_syscall cancel;
    if (deadline_ns == EXO_NOW || deadline_ns == EXO_FOREVER ||
        exo_socket_wait_pvt(client->socket, POLLIN, deadline_ns) != EXO_TIMEOUT) {
        return;
    }
    memset(&cancel, 0, sizeof(cancel));
    cancel.number = EXO_SYS_CANCEL;
    cancel.version = EXO_SYSCALL_VERSION;
    (void)exo_client_ask_pvt(client, &cancel, NULL, NULL, 0);
}

/* A call, there and back. */
EXO_INLINE exo_status exo_client_talk_pvt(struct exo_client *client, struct exo_syscall *call, int *descriptor)
{
    const struct exo_syscall_form form = exo_packet_form(call->number);
    const exo_bool reads = form.in != EXO_SYS_NO_BUFFER;
    const exo_u32 at = reads ? form.in : form.out;
    void *buffer = at == EXO_SYS_NO_BUFFER ? NULL : (void *)(exo_uptr)call->argument[at];
    exo_u64 bytes = at == EXO_SYS_NO_BUFFER ? 0 : call->argument[at + 1];
    void *letter = form.letter == EXO_SYS_NO_BUFFER ? NULL : (void *)(exo_uptr)call->argument[form.letter];
    exo_status status;
    if ((bytes != 0 && buffer == NULL) || (form.letter != EXO_SYS_NO_BUFFER && letter == NULL)) {
        return EXO_INVALID_ARGUMENT;
    }
    if (bytes > EXO_PACKET_BUFFER_MAX) {
        if (reads) {
            return EXO_INVALID_SIZE;
        }
        bytes = EXO_PACKET_BUFFER_MAX; /* nothing longer comes */
    }
    status = exo_client_ask_pvt(client, call, letter, buffer, (exo_size)bytes);
    if (status == EXO_OK && call->number == EXO_SYS_WAIT) {
        exo_client_await_pvt(client, call->argument[3]);
    }
    return status != EXO_OK || client->socket < 0
               ? (status != EXO_OK ? status : EXO_CLOSED)
               : exo_client_hear_pvt(client, call, letter, buffer, (exo_size)bytes, descriptor);
}

/* shm_map, and shm_protect where `place` is a mapping that exists: ask for a descriptor with that right, map it. */
EXO_INLINE exo_status exo_client_shm_map_pvt(struct exo_client *client, struct exo_syscall *call,
                                             const struct exo_client_mapping *place)
{
    const exo_u64 handle = call->argument[0];
    const exo_uptr where = place != NULL ? place->address : (exo_uptr)call->argument[1];
    exo_uptr mapped = 0;
    exo_size bytes = 0;
    int descriptor = -1;
    exo_status status = exo_client_maps_room_pvt(&client->maps);
    if (status == EXO_OK) {
        status = exo_client_talk_pvt(client, call, &descriptor);
    }
    call->result = 0;
    if (status == EXO_OK) {
        status = descriptor < 0 ? EXO_CORRUPT : exo_client_region_pvt(descriptor, &bytes);
    }
    if (status == EXO_OK && place != NULL && place->bytes != bytes) {
        status = EXO_CORRUPT;
    }
    if (status == EXO_OK) {
        status = exo_client_map_pvt(descriptor, bytes, where, place != NULL, (exo_u32)call->argument[2], &mapped);
    }
    exo_descriptor_close_pvt(&descriptor);
    if (status == EXO_OK && place == NULL) {
        exo_client_maps_add_pvt(&client->maps, mapped, bytes, handle);
        call->result = mapped;
    }
    return status;
}

/* shm_protect: the right is the daemon's to judge, so it is asked for a descriptor anew. */
EXO_INLINE exo_status exo_client_shm_protect_pvt(struct exo_client *client, const struct exo_syscall *call)
{
    const struct exo_client_mapping *mapping = exo_client_maps_find_pvt(&client->maps, call->argument[0]);
    struct exo_client_mapping place;
    struct exo_syscall again = *call;
    if (mapping == NULL) {
        return EXO_NOT_FOUND;
    }
    place = *mapping;
    again.number = EXO_SYS_SHM_MAP;
    again.argument[0] = place.handle;
    again.argument[1] = 0;
    again.argument[2] = call->argument[1];
    return exo_client_shm_map_pvt(client, &again, &place);
}

/* The door: calls on mappings are this process's own, all others the daemon's. */
EXO_INLINE exo_status exo_client_call_pvt(struct exo_door *door, struct exo_syscall *call)
{
    struct exo_client *client = (struct exo_client *)(void *)door;
    const exo_u64 first = call->argument[0];
    int saved = errno;
    int descriptor = -1;
    exo_status status = EXO_NOT_FOUND;
    call->result = 0;
    if (call->number == EXO_SYS_SHM_UNMAP) {
        struct exo_client_mapping *mapping = exo_client_maps_find_pvt(&client->maps, first);
        if (mapping != NULL) {
            exo_client_maps_end_pvt(&client->maps, mapping);
            status = EXO_OK;
        }
    } else if (client->socket < 0) {
        status = EXO_CLOSED;
    } else if (call->number == EXO_SYS_SHM_MAP) {
        status = exo_client_shm_map_pvt(client, call, NULL);
    } else if (call->number == EXO_SYS_SHM_PROTECT) {
        status = exo_client_shm_protect_pvt(client, call);
    } else {
        status = exo_client_talk_pvt(client, call, &descriptor);
        exo_descriptor_close_pvt(&descriptor);
    }
    if (status == EXO_OK && first != 0 &&
        (call->number == EXO_SYS_CLOSE || call->number == EXO_SYS_SHM_DESTROY ||
         (call->number == EXO_SYS_REVOKE && call->argument[1] != 0))) {
        exo_client_maps_gone_pvt(&client->maps, first);
    }
    errno = saved;
    return status;
}

/* Connect: to that path, or else to the daemon of this user, or else to the system's. */
EXO_INLINE exo_status exo_client_connect_pvt(struct exo_client *client, const char *path, exo_u64 deadline_ns)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char own[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    exo_size length = folder == NULL ? 0 : strlen(folder);
    exo_status status = EXO_NOT_FOUND;
    if (path != NULL) {
        return exo_connect(&client->socket, path, EXO_ANYBODY, deadline_ns);
    }
    if (length != 0 && length + sizeof(EXO_CLIENT_USER_FILE) <= sizeof(own)) {
        memcpy(own, folder, length);
        memcpy(own + length, EXO_CLIENT_USER_FILE, sizeof(EXO_CLIENT_USER_FILE));
        status = exo_connect(&client->socket, own, (exo_u32)getuid(), deadline_ns);
    }
    return status == EXO_NOT_FOUND ? exo_connect(&client->socket, EXO_CLIENT_SYSTEM_PATH, EXO_ANYBODY, deadline_ns)
                                   : status;
}

/**
 * exo_client_open - connect to the daemon. To it this process is a new one, that has nothing.
 * @client: in the caller's memory; do not move it while something is mapped
 * @path: of the daemon's socket; null: $XDG_RUNTIME_DIR/exo-ipcd, which must be this user's own daemon, or if nobody listens
 *   there /run/exo-ipcd/socket
 * @deadline_ns: until when to wait to be let in, absolute
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if no daemon listens; EXO_PERMISSION_DENIED if it does not let this process in;
 * EXO_QUOTA_EXCEEDED if this user has too many connections, or this process no descriptor; others as exo_connect().
 * Context: may sleep; not from an interrupt. errno stays as it was.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_client_open(struct exo_client *client, const char *path, exo_u64 deadline_ns)
{
    memset(client, 0, sizeof(*client));
    client->door.call = exo_client_call_pvt;
    client->socket = -1;
    return exo_client_connect_pvt(client, path, deadline_ns);
}

/**
 * exo_client_reopen - connect again when the daemon was gone. What is mapped stays mapped, though under no handle.
 * @client: an open client, or one that got EXO_CLOSED  @path, @deadline_ns: as exo_client_open()
 *
 * Returns: as exo_client_open(). Context: same.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_client_reopen(struct exo_client *client, const char *path, exo_u64 deadline_ns)
{
    exo_size i;
    exo_descriptor_close_pvt(&client->socket);
    for (i = 0; i < client->maps.count; i++) {
        client->maps.at[i].handle = 0;
    }
    return exo_client_connect_pvt(client, path, deadline_ns);
}

/**
 * exo_client_close - say goodbye, and unmap all that was mapped. When it returns, all that this process held has come
 * back; its peers get EXO_CLOSED, where one that just vanishes leaves them EXO_PEER_DIED.
 * @client: harmless if it is closed already
 */
EXO_INLINE void exo_client_close(struct exo_client *client)
{
    struct exo_syscall bye;
    int saved = errno;
    int descriptor = -1;
    if (client->socket >= 0) {
        memset(&bye, 0, sizeof(bye));
        bye.number = EXO_SYS_BYE;
        bye.version = EXO_SYSCALL_VERSION;
        (void)exo_client_talk_pvt(client, &bye, &descriptor);
        exo_descriptor_close_pvt(&descriptor);
        exo_descriptor_close_pvt(&client->socket);
    }
    exo_client_maps_gone_pvt(&client->maps, 0);
    if (client->maps.bytes != 0) {
        exo_port_page_free(client->maps.at, client->maps.bytes);
    }
    memset(&client->maps, 0, sizeof(client->maps));
    errno = saved;
}

/**
 * exo_client_channel - make a channel in shared memory of a channel of the nucleus: rings between the two processes, which
 * the daemon is no part of from then on.
 * @client: the client
 * @channel: a handle with EXO_RIGHT_SEND and EXO_RIGHT_RECEIVE; it stays, beside what is made here
 * @end, @config, @deadline_ns: as exo_channel_open(): whoever holds the other side has until then to call this too
 *
 * Who asks again withdraws what it asked before. Revoking the handle does not reach a channel that has been made.
 * Returns: as exo_channel_open(); EXO_ALREADY_EXISTS while another holder of the same side waits for the peer;
 * EXO_QUOTA_EXCEEDED when the daemon keeps too many ends for this client; and what is said in calls.h.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_client_channel(struct exo_client *client, exo_u64 channel,
                                                      struct exo_channel_end *end,
                                                      const struct exo_channel_config *config, exo_u64 deadline_ns)
{
    struct exo_syscall call;
    int saved = errno;
    int socket = -1;
    exo_status status;
    memset(&call, 0, sizeof(call));
    call.number = EXO_SYS_LINK;
    call.version = EXO_SYSCALL_VERSION;
    call.argument[0] = channel;
    status = client->socket < 0 ? EXO_CLOSED : exo_client_talk_pvt(client, &call, &socket);
    errno = saved;
    if (status == EXO_OK) {
        return socket < 0 ? EXO_CORRUPT : exo_channel_open(end, socket, config, deadline_ns);
    }
    exo_descriptor_close_pvt(&socket);
    return status;
}

/**
 * exo_client_report - what there is in the daemon.
 * @report: is filled in
 *
 * Returns: EXO_OK; EXO_PERMISSION_DENIED unless this process's user is the daemon's, or root; EXO_CLOSED.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_client_report(struct exo_client *client, struct exo_daemon_report *report)
{
    const exo_u64 a[2] = {exo_user_address_pvt(report), sizeof(*report)};
    return exo_call_door_pvt(&client->door, EXO_SYS_REPORT, a, 2, (exo_u64 *)EXO_NULL);
}

#endif
