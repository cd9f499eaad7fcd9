/* SPDX-License-Identifier: MIT */
/*
 * The calls of a process on channels, queues of events, and accounts. What holds of all calls is said in calls.h.
 */
#ifndef EXO_IPC_NUCLEUS_CALLS_CHANNEL_H
#define EXO_IPC_NUCLEUS_CALLS_CHANNEL_H

#include "calls.h"

/**
 * exo_sys_channel_create - make a channel that the nucleus carries, and take side 0 of it.
 * @name, @name_bytes: under which others open side 1; null and 0 for none
 * @perms: EXO_PERMS(): who may
 * @slots: messages that wait at most on each side; 0 means 16, at most 1024
 * @limit: bytes of payload that a message has at most; 0 means 1024, at most 65536
 * @channel: a handle with all rights
 *
 * Returns: EXO_OK; EXO_ALREADY_EXISTS; EXO_INVALID_ARGUMENT; EXO_INVALID_SIZE. Charged: a channel, and the bytes of all its
 * messages.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_channel_create(struct exo_door *door, const char *name, exo_size name_bytes,
                                                          exo_u32 perms, exo_u32 slots, exo_u32 limit, exo_u64 *channel)
{
    const exo_u64 a[5] = {exo_user_address_pvt(name), name_bytes, perms, slots, limit};
    return exo_call_door_pvt(door, EXO_SYS_CHANNEL_CREATE, a, 5, channel);
}

/**
 * exo_sys_channel_open - take side 1 of a named channel, as its permissions allow.
 * Returns: EXO_OK; EXO_NOT_FOUND if nothing has this name; EXO_TYPE_MISMATCH if it is a region's; EXO_CLOSED or
 * EXO_PEER_DIED if side 1 was there and has gone.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_channel_open(struct exo_door *door, const char *name, exo_size name_bytes,
                                                        exo_u32 rights, exo_u64 *channel)
{
    const exo_u64 a[3] = {exo_user_address_pvt(name), name_bytes, rights};
    return exo_call_door_pvt(door, EXO_SYS_CHANNEL_OPEN, a, 3, channel);
}

/**
 * exo_sys_channel_peer - the other side of a channel of one's own, to be granted or passed on. Needs all rights on side 0.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_channel_peer(struct exo_door *door, exo_u64 channel, exo_u32 rights,
                                                        exo_u64 *peer)
{
    const exo_u64 a[2] = {channel, rights};
    return exo_call_door_pvt(door, EXO_SYS_CHANNEL_PEER, a, 2, peer);
}

/**
 * exo_sys_channel_send_letter - send a message with its header, and perhaps a capability, without waiting.
 * @letter: header: type, flags within EXO_FLAGS_USER, priority, dest, request_id; total_size 0 or what it will be. passed:
 *   a handle with EXO_RIGHT_GRANT, or 0; rights: those of it that the receiver gets
 * @data, @len: the payload
 *
 * Returns: EXO_OK; EXO_FULL; EXO_QUOTA_EXCEEDED when too many messages of this process have not been received;
 * EXO_INVALID_SIZE over the channel's limit or a total_size that contradicts; EXO_INVALID_ARGUMENT for a header that is
 * none; EXO_CLOSED or EXO_PEER_DIED. On an error nothing was sent or passed.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_channel_send_letter(struct exo_door *door, exo_u64 channel,
                                                               const struct exo_sys_letter *letter, const void *data,
                                                               exo_size len)
{
    const exo_u64 a[4] = {channel, exo_user_address_pvt(letter), exo_user_address_pvt(data), len};
    return exo_call_door_pvt(door, EXO_SYS_CHANNEL_SEND, a, 4, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_channel_send - send data, as exo_sys_channel_send_letter() with a header of type Data and priority 0.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_channel_send(struct exo_door *door, exo_u64 channel, const void *data,
                                                        exo_size len)
{
    struct exo_sys_letter letter;
    letter.passed = 0;
    letter.rights = 0;
    letter.reserved = 0;
    letter.header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
    letter.header.total_size = 0;
    return exo_sys_channel_send_letter(door, channel, &letter, data, len);
}

/**
 * exo_sys_channel_recv_letter - receive a message, without waiting.
 * @letter: is filled in: its header, whose sender is the process that sent it; and the handle that it passed, which is now
 *   this process's, with its rights; 0 if there is none, or it was revoked on its way
 * @buffer, @size: for the payload
 *
 * The highest priority comes first, among equals the oldest.
 * Returns: the payload's bytes; EXO_EMPTY; EXO_BUFFER_TOO_SMALL, EXO_QUOTA_EXCEEDED (for what is passed): the message
 * stays; EXO_CLOSED or EXO_PEER_DIED after the last one.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_sys_channel_recv_letter(struct exo_door *door, exo_u64 channel,
                                                            struct exo_sys_letter *letter, void *buffer, exo_size size)
{
    const exo_u64 a[4] = {channel, exo_user_address_pvt(letter), exo_user_address_pvt(buffer), size};
    exo_u64 bytes = 0;
    exo_status status = exo_call_door_pvt(door, EXO_SYS_CHANNEL_RECV, a, 4, &bytes);
    return status == EXO_OK ? (exo_i64)bytes : (exo_i64)status;
}

/**
 * exo_sys_channel_recv - receive data; as exo_sys_channel_recv_letter(), but what is passed along is given up at once.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_sys_channel_recv(struct exo_door *door, exo_u64 channel, void *buffer, exo_size size)
{
    struct exo_sys_letter letter;
    exo_i64 bytes = exo_sys_channel_recv_letter(door, channel, &letter, buffer, size);
    if (bytes >= 0 && letter.passed != 0) {
        exo_status closed = exo_sys_close(door, letter.passed); /* it may have been revoked meanwhile */
        (void)closed;
    }
    return bytes;
}

/**
 * exo_sys_queue_create - make a queue of events.
 * @slots: sources that it has room for, 1 to 4096; charged as that many
 * @queue: a handle with all rights: EXO_RIGHT_RECEIVE to bind and to wait, EXO_RIGHT_SEND to post
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_queue_create(struct exo_door *door, exo_u32 slots, exo_u64 *queue)
{
    const exo_u64 a = slots;
    return exo_call_door_pvt(door, EXO_SYS_QUEUE_CREATE, &a, 1, queue);
}

/**
 * exo_sys_queue_bind - be told of what happens to something.
 * @queue: a queue that this process made
 * @handle: of a channel: EXO_READABLE, EXO_WRITABLE, EXO_PEER_CLOSED, EXO_PEER_GONE; of a group: EXO_QUOTA_LOW; 0: of this
 *   process's own account, and what exo_sys_queue_post() says
 * @key: comes with each event
 * @events: which of them to deliver
 * @source: the binding's name, for the calls below
 *
 * Events that are pending coalesce, none is lost: an event comes when something has happened since the last one, so take all
 * there is until EXO_EMPTY. What is so already comes at once. A binding ends with the handle.
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED when all slots are in use; EXO_PERMISSION_DENIED for somebody else's queue.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_queue_bind(struct exo_door *door, exo_u64 queue, exo_u64 handle, exo_u64 key,
                                                      exo_u32 events, exo_u64 *source)
{
    const exo_u64 a[4] = {queue, handle, key, events};
    return exo_call_door_pvt(door, EXO_SYS_QUEUE_BIND, a, 4, source);
}

/**
 * exo_sys_queue_unbind - end a binding. What is pending of it is dropped.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_queue_unbind(struct exo_door *door, exo_u64 queue, exo_u64 source)
{
    const exo_u64 a[2] = {queue, source};
    return exo_call_door_pvt(door, EXO_SYS_QUEUE_UNBIND, a, 2, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_queue_post - let an event of the user's happen at a source.
 * @events: EXO_USER_EVENT and the bits above it
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_queue_post(struct exo_door *door, exo_u64 queue, exo_u64 source,
                                                      exo_u32 events)
{
    const exo_u64 a[3] = {queue, source, events};
    return exo_call_door_pvt(door, EXO_SYS_QUEUE_POST, a, 3, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_wait - wait for events.
 * @events, @max: room for them; at most 8 come by one call
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: how many, 1 or more; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_NOT_FOUND when the handle ends meanwhile;
 * EXO_CLOSED when the process is to end.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_sys_wait(struct exo_door *door, exo_u64 queue, struct exo_sys_event *events,
                                             exo_size max, exo_u64 deadline_ns)
{
    const exo_u64 a[4] = {queue, exo_user_address_pvt(events), max * sizeof(*events), deadline_ns};
    exo_u64 bytes = 0;
    exo_status status = exo_call_door_pvt(door, EXO_SYS_WAIT, a, 4, &bytes);
    return status == EXO_OK ? (exo_i64)((exo_size)bytes / sizeof(*events)) : (exo_i64)status;
}

/**
 * exo_sys_quota_get - what an account has used, and its limits, by EXO_QUOTA_...
 * @group: a handle with EXO_RIGHT_DESTROY; 0: this process's own account
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_quota_get(struct exo_door *door, exo_u64 group, struct exo_sys_quota *quota)
{
    const exo_u64 a[3] = {group, exo_user_address_pvt(quota), sizeof(*quota)};
    return exo_call_door_pvt(door, EXO_SYS_QUOTA_GET, a, 3, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_quota_set - change a limit: of a group, or of a process in it.
 * @group: a handle with EXO_RIGHT_DESTROY; 0: this process's own limit, which it can only lower
 * @process: a member's number, or 0 for the group's own limit
 * @kind: EXO_QUOTA_...
 * @limit: what is over it already stays, and nothing is added
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_quota_set(struct exo_door *door, exo_u64 group, exo_u64 process, exo_u32 kind,
                                                     exo_u64 limit)
{
    const exo_u64 a[4] = {group, process, kind, limit};
    return exo_call_door_pvt(door, EXO_SYS_QUOTA_SET, a, 4, (exo_u64 *)EXO_NULL);
}

/**
 * exo_sys_group_create - make a group below this process's own account. Who has EXO_RIGHT_SEND on it may join, who has
 * EXO_RIGHT_DESTROY owns it.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_group_create(struct exo_door *door, exo_u64 *group)
{
    return exo_call_door_pvt(door, EXO_SYS_GROUP_CREATE, (const exo_u64 *)EXO_NULL, 0, group);
}

/**
 * exo_sys_group_join - have a group pay for this process from now on, and for what it has so far.
 * Returns: EXO_OK; EXO_QUOTA_EXCEEDED if that is too much for the group; EXO_INVALID_ARGUMENT for a group below this
 * process; EXO_NOT_SUPPORTED where calls are made at the same time: there a process is begun in its group.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_sys_group_join(struct exo_door *door, exo_u64 group)
{
    return exo_call_door_pvt(door, EXO_SYS_GROUP_JOIN, &group, 1, (exo_u64 *)EXO_NULL);
}

#endif
