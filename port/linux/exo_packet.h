/* SPDX-License-Identifier: MIT */
/*
 * What a process and the daemon say to each other, over a SOCK_SEQPACKET socket: one datagram a request, one datagram its
 * answer, in turn.
 *
 *   request   magic, bytes behind the head, struct exo_syscall | letter | what the call reads
 *   answer    magic, status, result                            | letter | what the call writes      + a descriptor
 *
 * A buffer's address is its offset behind the head, so nothing in a packet points anywhere: the letter stands first, the
 * buffer behind it. A descriptor comes with the answers to shm_map and link, and with no others; none is ever taken from a
 * client.
 *
 * The parser believes nothing: magic, length, version, number, and each argument that says where something is or how long,
 * are checked against what came. What the call itself means by its arguments is the nucleus's affair.
 */
#ifndef EXO_PORT_LINUX_PACKET_H
#define EXO_PORT_LINUX_PACKET_H

#include "exo_ipc/exo_ipc.h"
#include "exo_ipc/nucleus/abi.h"

/* Calls of this road alone. */
#define EXO_SYS_LINK (EXO_SYS_PORT + 0u)   /* channel handle: one end of a socket to whoever asks at the other side */
#define EXO_SYS_CANCEL (EXO_SYS_PORT + 1u) /* ends a wait; has no answer of its own */
#define EXO_SYS_BYE (EXO_SYS_PORT + 2u)    /* answered when all that the process held has come back */
#define EXO_SYS_REPORT (EXO_SYS_PORT + 3u) /* [out] struct exo_daemon_report; for the daemon's own user, and root */
#define EXO_SYS_ROAD_END (EXO_SYS_PORT + 4u)

#define EXO_PACKET_ASKS 0x71737870u    /* "pxsq" */
#define EXO_PACKET_ANSWERS 0x61737870u /* "pxsa" */

struct exo_packet_request {
    exo_u32 magic;
    exo_u32 bytes; /* behind this head */
    struct exo_syscall call;
};

struct exo_packet_answer {
    exo_u32 magic;
    exo_i32 status;
    exo_word64 result;
};

EXO_STATIC_ASSERT(sizeof(struct exo_packet_request) == 72, "fixed layout");
EXO_STATIC_ASSERT(sizeof(struct exo_packet_answer) == 16, "fixed layout");

/* Bytes behind the head, at most, in either direction; the buffer alone. */
#define EXO_PACKET_BUFFER_MAX EXO_SYS_MESSAGE_MAX
#define EXO_PACKET_BODY_MAX (sizeof(struct exo_sys_letter) + EXO_PACKET_BUFFER_MAX)
#define EXO_PACKET_REQUEST_MAX (sizeof(struct exo_packet_request) + EXO_PACKET_BODY_MAX)
#define EXO_PACKET_ANSWER_MAX (sizeof(struct exo_packet_answer) + EXO_PACKET_BODY_MAX)

/**
 * struct exo_daemon_report - what there is in the daemon: all 0 but for the asker's own when nobody else is there.
 * @used: what all processes together are charged, by EXO_QUOTA_...
 * @clients: connections, the asker's included
 * @processes: records of processes; one that has ended has one as long as something is charged to it
 * @waiting: clients whose wait has not ended
 * @links: ends of sockets that nobody has asked for yet
 * @refused: connections that were not let in, since the daemon began
 */
struct exo_daemon_report {
    exo_word64 used[EXO_SYS_QUOTAS];
    exo_word64 clients;
    exo_word64 processes;
    exo_word64 regions;
    exo_word64 channels;
    exo_word64 queues;
    exo_word64 groups;
    exo_word64 waiting;
    exo_word64 links;
    exo_word64 refused;
};

/**
 * struct exo_packet - a request that was found sound.
 * @call: its addresses are offsets into the body and into the answer's
 * @body, @body_bytes: what stands behind the head, in the caller's buffer
 * @front: bytes of the letter in the answer
 * @room: bytes that the answer may have behind its head, the letter's included
 */
struct exo_packet {
    struct exo_syscall call;
    const exo_u8 *body;
    exo_size body_bytes;
    exo_size front;
    exo_size room;
};

/**
 * exo_packet_form - where the buffers of a call are, those of this road included.
 */
EXO_INLINE struct exo_syscall_form exo_packet_form(exo_u32 number)
{
    enum { NONE = EXO_SYS_NO_BUFFER };
    static const struct exo_syscall_form link = {1, NONE, NONE, NONE};
    static const struct exo_syscall_form report = {2, NONE, 0, NONE};
    if (number == EXO_SYS_LINK) {
        return link;
    }
    return number == EXO_SYS_REPORT ? report : exo_syscall_form_of(number);
}

/* Whether there is such a call. */
EXO_INLINE exo_bool exo_packet_known_pvt(exo_u32 number)
{
    return number < EXO_SYSCALLS || (number >= EXO_SYS_PORT && number < EXO_SYS_ROAD_END);
}

/* What the call's buffers must be, and whether they are. */
EXO_INLINE exo_status exo_packet_buffers_pvt(struct exo_packet *packet)
{
    const struct exo_syscall_form form = exo_packet_form(packet->call.number);
    const exo_u64 *argument = packet->call.argument;
    const exo_u64 front = form.letter == EXO_SYS_NO_BUFFER ? 0 : sizeof(struct exo_sys_letter);
    const exo_bool reads = form.in != EXO_SYS_NO_BUFFER;
    const exo_u32 at = reads ? form.in : form.out;
    exo_u32 i;
    for (i = form.arguments; i < EXO_SYSCALL_ARGUMENTS; i++) {
        if (argument[i] != 0) {
            return EXO_INVALID_ARGUMENT;
        }
    }
    packet->front = 0;
    packet->room = 0;
    if (at == EXO_SYS_NO_BUFFER) {
        return packet->body_bytes == 0 ? EXO_OK : EXO_INVALID_ARGUMENT;
    }
    if (argument[at + 1] > EXO_PACKET_BUFFER_MAX) {
        return EXO_INVALID_SIZE;
    }
    if (argument[at] != front || (form.letter != EXO_SYS_NO_BUFFER && argument[form.letter] != 0) ||
        packet->body_bytes != (reads ? front + argument[at + 1] : 0)) {
        return EXO_INVALID_ARGUMENT;
    }
    if (!reads) {
        packet->front = (exo_size)front;
        packet->room = (exo_size)(front + argument[at + 1]);
    }
    return EXO_OK;
}

/**
 * exo_packet_parse - look at a datagram that came from a client.
 * @data: the datagram, in private memory: nobody changes it meanwhile
 * @bytes: how long it is, or was, where it did not fit
 * @packet: is filled in; `call` also where the answer is an error other than EXO_CORRUPT
 *
 * Returns: EXO_OK; EXO_CORRUPT for what is no request, or longer or shorter than it says: there is nobody to talk to;
 * EXO_VERSION_MISMATCH; EXO_NOT_SUPPORTED for a number that is none; EXO_INVALID_SIZE for a buffer that no call takes;
 * EXO_INVALID_ARGUMENT for offsets and lengths that contradict what came, and arguments that the call does not have.
 * Context: any. Progress: wait-free. Reads nothing outside of `bytes`.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_packet_parse(const void *data, exo_size bytes, struct exo_packet *packet)
{
    struct exo_packet_request head;
    if (bytes < sizeof(head) || bytes > EXO_PACKET_REQUEST_MAX) {
        return EXO_CORRUPT;
    }
    exo_port_copy(&head, data, sizeof(head));
    if (head.magic != EXO_PACKET_ASKS || head.bytes != bytes - sizeof(head)) {
        return EXO_CORRUPT;
    }
    packet->call = head.call;
    packet->call.result = 0;
    packet->body = (const exo_u8 *)data + sizeof(head);
    packet->body_bytes = bytes - sizeof(head);
    if (head.call.version != EXO_SYSCALL_VERSION) {
        return EXO_VERSION_MISMATCH;
    }
    if (!exo_packet_known_pvt(head.call.number)) {
        return EXO_NOT_SUPPORTED;
    }
    return exo_packet_buffers_pvt(packet);
}

/**
 * exo_packet_written - how many bytes of an answer's body a call has written.
 * @packet: the request  @status: what the call answered  @result: and its result
 */
EXO_INLINE exo_size exo_packet_written(const struct exo_packet *packet, exo_status status, exo_u64 result)
{
    if (status != EXO_OK || packet->room == 0 || result > packet->room - packet->front) {
        return 0;
    }
    return packet->front + (exo_size)result;
}

#endif
