/* SPDX-License-Identifier: MIT */
/*
 * What a process and the nucleus say to each other: the numbered calls, their arguments, and what lies in the buffers
 * that go along. The same on every road (a function call, a packet to the daemon, the syscall instruction), on 32 and
 * 64 bits, and fixed for ever: a number is never used again, a call's arguments never change their meaning. Whoever finds
 * a call missing asks EXO_SYS_VERSION.
 *
 *   call             arguments                                   result beside the status
 *   ---------------- ------------------------------------------- ---------------------------------------------------
 *   version                                                      EXO_SYSCALL_VERSION
 *   self                                                         this process's number
 *   close            handle                                      it is given up; what was derived from it stays
 *   derive           handle, rights                              a new handle with some of its rights
 *   grant            handle, process, rights                     the handle that the other process got
 *   revoke           handle, itself too                          how many capabilities ended
 *   inspect          handle, [out] struct exo_sys_info           bytes written
 *   shm_create       [in] name, size, perms                      a handle with all rights
 *   shm_open         [in] name, rights                           a handle with these
 *   shm_map          handle, address or 0, EXO_MAP_...           the address; 0 where the caller maps it by itself
 *   shm_unmap        address
 *   shm_protect      address, EXO_MAP_...
 *   shm_destroy      handle                                      the name is free, all capabilities end
 *   channel_create   [in] name, perms, slots, limit              a handle to side 0
 *   channel_open     [in] name, rights                           a handle to side 1
 *   channel_send     handle, struct exo_sys_letter, [in] payload
 *   channel_recv     handle, struct exo_sys_letter, [out] payload    bytes of payload
 *   queue_create     slots                                       a handle
 *   queue_bind       queue, handle or 0, key, events             the source's name
 *   queue_unbind     queue, source
 *   queue_post       queue, source, events
 *   wait             queue, [out] struct exo_sys_event[], deadline   how many bytes; 8 events at most
 *   quota_get        group handle or 0, [out] struct exo_sys_quota   bytes written
 *   quota_set        group handle, process or 0, kind, limit
 *   group_create                                                 a handle of a group below the caller's account
 *   group_join       group handle
 *   channel_peer     handle of side 0, rights                    a handle to side 1, for a channel without a name
 *
 * [in] and [out] stand for two arguments, a buffer's address and its bytes; the letter for its address.
 */
#ifndef EXO_IPC_NUCLEUS_ABI_H
#define EXO_IPC_NUCLEUS_ABI_H

#include "../message.h"
#include "../port.h"

#define EXO_SYSCALL_VERSION 1u

enum exo_syscall_number {
    EXO_SYS_VERSION = 0,
    EXO_SYS_SELF = 1,
    EXO_SYS_CLOSE = 2,
    EXO_SYS_DERIVE = 3,
    EXO_SYS_GRANT = 4,
    EXO_SYS_REVOKE = 5,
    EXO_SYS_INSPECT = 6,
    EXO_SYS_SHM_CREATE = 7,
    EXO_SYS_SHM_OPEN = 8,
    EXO_SYS_SHM_MAP = 9,
    EXO_SYS_SHM_UNMAP = 10,
    EXO_SYS_SHM_PROTECT = 11,
    EXO_SYS_SHM_DESTROY = 12,
    EXO_SYS_CHANNEL_CREATE = 13,
    EXO_SYS_CHANNEL_OPEN = 14,
    EXO_SYS_CHANNEL_SEND = 15,
    EXO_SYS_CHANNEL_RECV = 16,
    EXO_SYS_QUEUE_CREATE = 17,
    EXO_SYS_QUEUE_BIND = 18,
    EXO_SYS_QUEUE_UNBIND = 19,
    EXO_SYS_QUEUE_POST = 20,
    EXO_SYS_WAIT = 21,
    EXO_SYS_QUOTA_GET = 22,
    EXO_SYS_QUOTA_SET = 23,
    EXO_SYS_GROUP_CREATE = 24,
    EXO_SYS_GROUP_JOIN = 25,
    EXO_SYS_CHANNEL_PEER = 26,
    EXO_SYSCALLS = 27
};

/* Numbers from here on belong to the road, not to the nucleus: the daemon's, a kernel's own. */
#define EXO_SYS_PORT 64u

#define EXO_SYSCALL_ARGUMENTS 6u

/**
 * struct exo_syscall - one call: a cache line, all of it the caller's word until it is checked.
 * @number: one of enum exo_syscall_number
 * @version: EXO_SYSCALL_VERSION
 * @argument: as the table says; those that a call does not have must be 0
 * @result: what the call yields beside its status, 0 on an error
 */
struct exo_syscall {
    exo_u32 number;
    exo_u32 version;
    exo_word64 argument[EXO_SYSCALL_ARGUMENTS];
    exo_word64 result;
};

EXO_STATIC_ASSERT(sizeof(struct exo_syscall) == 64, "one line");

/**
 * struct exo_syscall_form - where a call's buffers are among its arguments.
 * @arguments: how many it has
 * @in, @out: the argument that is a buffer's address, its bytes being the next; or EXO_SYS_NO_BUFFER
 * @letter: the argument that is the address of a struct exo_sys_letter, which travels in front of that buffer and in the
 *   same direction; or EXO_SYS_NO_BUFFER
 */
struct exo_syscall_form {
    exo_u8 arguments;
    exo_u8 in;
    exo_u8 out;
    exo_u8 letter;
};
#define EXO_SYS_NO_BUFFER 0xFFu

/* Who may open something by its name: rights of processes of the same user, and of all others. The maker has all. */
#define EXO_PERMS(same_user, others) ((exo_u32)(same_user) | (exo_u32)(others) << 8)

/**
 * struct exo_sys_info - what a handle denotes.
 * @kind: EXO_OBJECT_...
 * @rights: EXO_RIGHT_..., what this handle may do
 * @id: the object's number, the same for everybody; never used again for another object
 * @size: bytes of a region; of a message that a channel takes; slots of a queue
 * @owner: the process that made it
 * @side: of a channel, 0 or 1
 */
struct exo_sys_info {
    exo_u32 kind;
    exo_u32 rights;
    exo_word64 id;
    exo_word64 size;
    exo_word64 owner;
    exo_u32 side;
    exo_u32 reserved;
};

/* An event, as wait delivers it. What happened is said by the EXO_READABLE and others of channel/waitable.h. */
struct exo_sys_event {
    exo_word64 key;
    exo_word64 source;
    exo_u32 events;
    exo_u32 reserved;
};

/**
 * struct exo_sys_letter - what goes along with a message's payload.
 * @passed: a handle to pass, or 0; to who receives, the handle that it got
 * @rights: those of them that the receiver gets
 * @reserved: 0
 * @header: sender and total_size are the nucleus's word
 */
struct exo_sys_letter {
    exo_word64 passed;
    exo_u32 rights;
    exo_u32 reserved;
    struct exo_message_header header;
};

EXO_STATIC_ASSERT(sizeof(struct exo_sys_letter) == 48, "fixed layout");

#define EXO_SYS_QUOTAS 6u
struct exo_sys_quota {
    exo_word64 used[EXO_SYS_QUOTAS];
    exo_word64 limit[EXO_SYS_QUOTAS];
};

/* Longest name, and the largest message that a channel of the nucleus carries, header included. */
#define EXO_SYS_NAME_MAX 255u
#define EXO_SYS_MESSAGE_MAX 65536u

/**
 * exo_syscall_form - where the buffers of a call are.
 * @number: any number
 *
 * Returns: its form; no arguments and no buffers for a number that is none. Context: any. Progress: wait-free.
 */
EXO_INLINE struct exo_syscall_form exo_syscall_form(exo_u32 number)
{
    enum { NONE = EXO_SYS_NO_BUFFER };
    static const struct exo_syscall_form forms[EXO_SYSCALLS] = {
        {0, NONE, NONE, NONE}, /* version */
        {0, NONE, NONE, NONE}, /* self */
        {1, NONE, NONE, NONE}, /* close */
        {2, NONE, NONE, NONE}, /* derive */
        {3, NONE, NONE, NONE}, /* grant */
        {2, NONE, NONE, NONE}, /* revoke */
        {3, NONE, 1, NONE},    /* inspect */
        {4, 0, NONE, NONE},    /* shm_create */
        {3, 0, NONE, NONE},    /* shm_open */
        {3, NONE, NONE, NONE}, /* shm_map */
        {1, NONE, NONE, NONE}, /* shm_unmap */
        {2, NONE, NONE, NONE}, /* shm_protect */
        {1, NONE, NONE, NONE}, /* shm_destroy */
        {5, 0, NONE, NONE},    /* channel_create */
        {3, 0, NONE, NONE},    /* channel_open */
        {4, 2, NONE, 1},       /* channel_send */
        {4, NONE, 2, 1},       /* channel_recv */
        {1, NONE, NONE, NONE}, /* queue_create */
        {4, NONE, NONE, NONE}, /* queue_bind */
        {2, NONE, NONE, NONE}, /* queue_unbind */
        {3, NONE, NONE, NONE}, /* queue_post */
        {4, NONE, 1, NONE},    /* wait */
        {3, NONE, 1, NONE},    /* quota_get */
        {4, NONE, NONE, NONE}, /* quota_set */
        {0, NONE, NONE, NONE}, /* group_create */
        {1, NONE, NONE, NONE}, /* group_join */
        {2, NONE, NONE, NONE}, /* channel_peer */
    };
    static const struct exo_syscall_form none = {0, NONE, NONE, NONE};
    return number < EXO_SYSCALLS ? forms[number] : none;
}

/**
 * struct exo_door - the road to the nucleus.
 * @call: makes the call; the answer is the status, and call->result. Never sleeps but in EXO_SYS_WAIT
 *
 * It stands first in the struct of whoever makes one: exo_inner_door within one process, exo_client on Linux.
 */
struct exo_door {
    exo_status (*call)(struct exo_door *door, struct exo_syscall *call);
};

#endif
