/* SPDX-License-Identifier: MIT */
/*
 * Letters: the short datagrams that two processes send each other over their socket, besides the handshake of the
 * ends. Three words, and one descriptor at most.
 *
 *   welcome      what a listener says first to whoever connects: come in, or why not
 *   descriptor   a descriptor that belongs to a message, which its tag names
 *   ring         somebody who waits by descriptor shall look at his rings again; carries nothing
 *
 * A letter of another shape, an unknown one, and one with a descriptor too many are EXO_CORRUPT.
 */
#ifndef EXO_PORT_LINUX_LETTER_H
#define EXO_PORT_LINUX_LETTER_H

#include "exo_socket.h"

/* EXO_LETTER_MAGIC, and EXO_LETTER_RING (5): exo_port.h */
#define EXO_LETTER_WELCOME 3u    /* tag: 0, or why not: a status, negated */
#define EXO_LETTER_DESCRIPTOR 4u /* tag: the message's; without a descriptor, what was sent before is taken back */

struct exo_letter {
    exo_word64 magic;
    exo_word64 what;
    exo_word64 tag;
};

EXO_INLINE exo_status exo_letter_send_pvt(int socket, exo_u64 what, exo_u64 tag, int descriptor,
                                          exo_u64 deadline_ns)
{
    struct exo_letter letter = {EXO_LETTER_MAGIC, what, tag};
    return exo_socket_send_pvt(socket, &letter, sizeof(letter), descriptor, deadline_ns);
}

/* Returns EXO_QUOTA_EXCEEDED with the letter filled in when its descriptor found no room here. */
EXO_INLINE exo_status exo_letter_recv_pvt(int socket, struct exo_letter *letter, int *descriptor,
                                          exo_u64 deadline_ns)
{
    struct exo_credentials from;
    exo_status status;
    memset(letter, 0, sizeof(*letter));
    *descriptor = -1;
    status = exo_socket_recv_pvt(socket, letter, sizeof(*letter), descriptor, &from, deadline_ns);
    if ((status == EXO_OK || status == EXO_QUOTA_EXCEEDED) && letter->magic != EXO_LETTER_MAGIC) {
        exo_descriptor_close_pvt(descriptor);
        return EXO_CORRUPT;
    }
    return status;
}

#endif
