/* SPDX-License-Identifier: MIT */
/*
 * Channels of the nucleus: messages that it carries itself, and capabilities with them. Two sides, each with its
 * inbox of whole messages; who holds a capability of a side may send to the other and receive from its own.
 *
 *   send: charge -> take a cell -> copy in -> derive what is passed -> put in line -> tell
 *   receive: take the first -> hand over what was passed -> copy out -> give the cell back -> give the charge back -> tell
 *
 * This is the road for what must be trusted (capabilities, the first words between strangers); whoever wants speed passes
 * a region over it and runs a ring there. The sender pays for each message until it is received, out of its own account,
 * wherever it is stored: who fills another's inbox fills his own quota. The cells are the maker's, charged with the channel.
 *
 * Order: the highest priority first, among equals the oldest. A capability in a message is derived from the sender's when
 * the message is sent, so revoking that one reaches it on the way. A channel carries only channels that are younger than
 * itself: so none is ever reached only through itself, held by messages that nobody can receive.
 *
 * A side is gone when its last capability has: its peer receives what was sent, then EXO_CLOSED, or EXO_PEER_DIED if the
 * last holder died. A side that nobody has opened yet is waited for: messages to it are kept.
 */
#ifndef EXO_IPC_NUCLEUS_MAIL_H
#define EXO_IPC_NUCLEUS_MAIL_H

#include "queue.h"

#define EXO_MAIL_SLOTS 16u /* when the maker does not say, and at most */
#define EXO_MAIL_SLOTS_MAX 1024u
#define EXO_MAIL_LIMIT 1024u /* bytes of payload, when the maker does not say */
#define EXO_MAIL_LIMIT_MAX 65536u

#define EXO_MAIL_NONE 0xFFFFFFFFu

/* A message on its way; the payload stands behind it. */
struct exo_mail_cell {
    struct exo_message_header header;
    struct exo_process *sender; /* who pays; held */
    exo_u64 passed;             /* a handle in the transit table, or 0 */
    exo_u32 bytes;
    exo_u32 next;
};

/* One side: what waits for it, and who is there. */
struct exo_mail_side {
    exo_u32 first; /* cells in line, by priority */
    exo_u32 last;
    exo_u32 free;    /* cells that are not in use */
    exo_u32 holders; /* capabilities of this side */
    exo_bool opened;
    exo_bool died; /* the last holder, once there was one and there is none */
    struct exo_binding_list bindings;
};

/* A channel of the nucleus. */
struct exo_mail {
    struct exo_table_item item;
    struct exo_object object;
    struct exo_process *payer;
    exo_u64 owner; /* the maker's number */
    exo_u64 user;
    exo_u64 born; /* how many channels were made before it */
    exo_u32 perms;
    exo_u32 lock;
    exo_u32 slots;
    exo_u32 limit;
    struct exo_mail_side side[2];
    exo_u8 *memory; /* the cells of side 0, then of side 1 */
    exo_size memory_bytes;
    exo_u64 name; /* its record among the names, or 0 */
};

EXO_INLINE exo_size exo_mail_cell_bytes_pvt(exo_u32 limit)
{
    return (exo_size)exo_align_up(sizeof(struct exo_mail_cell) + limit, 8u);
}

EXO_INLINE struct exo_mail_cell *exo_mail_cell_pvt(const struct exo_mail *mail, exo_u32 side, exo_u32 index)
{
    exo_size at = ((exo_size)side * mail->slots + index) * exo_mail_cell_bytes_pvt(mail->limit);
    return (struct exo_mail_cell *)(void *)(mail->memory + at);
}

/* Nobody holds this side, though somebody did. */
EXO_INLINE exo_status exo_mail_gone_pvt(const struct exo_mail_side *side)
{
    if (!side->opened || side->holders != 0) {
        return EXO_OK;
    }
    return side->died ? EXO_PEER_DIED : EXO_CLOSED;
}

EXO_INLINE exo_status exo_mail_look_gone_pvt(struct exo_mail *mail, exo_u32 side)
{
    exo_status status;
    exo_port_lock(&mail->lock);
    status = exo_mail_gone_pvt(&mail->side[side]);
    exo_port_unlock(&mail->lock);
    return status;
}

/* A capability of a side begins. Before it can be used, so that the count is never too low. */
EXO_INLINE void exo_mail_hold_pvt(struct exo_mail *mail, exo_u32 side)
{
    exo_port_lock(&mail->lock);
    mail->side[side].holders++;
    mail->side[side].opened = EXO_TRUE;
    exo_port_unlock(&mail->lock);
}

/* A capability of a side has ended; the last one's peer is told. */
EXO_INLINE void exo_mail_let_go_pvt(struct exo_nucleus *nucleus, struct exo_mail *mail, exo_u32 side, exo_bool died)
{
    exo_bool last;
    exo_port_lock(&mail->lock);
    last = --mail->side[side].holders == 0;
    mail->side[side].died = last && died;
    exo_port_unlock(&mail->lock);
    if (last) {
        exo_bindings_post_pvt(nucleus, &mail->side[1 - side].bindings, died ? EXO_PEER_GONE : EXO_PEER_CLOSED);
    }
}

/* A cell of the other side's inbox. */
EXO_INLINE exo_status exo_mail_take_cell_pvt(struct exo_mail *mail, exo_u32 side, exo_u32 *index)
{
    struct exo_mail_side *to = &mail->side[side];
    exo_status status;
    exo_port_lock(&mail->lock);
    status = exo_mail_gone_pvt(to);
    if (status == EXO_OK && to->free == EXO_MAIL_NONE) {
        status = EXO_FULL;
    }
    if (status == EXO_OK) {
        *index = to->free;
        to->free = exo_mail_cell_pvt(mail, side, *index)->next;
    }
    exo_port_unlock(&mail->lock);
    return status;
}

EXO_INLINE void exo_mail_give_cell_pvt(struct exo_mail *mail, exo_u32 side, exo_u32 index)
{
    exo_port_lock(&mail->lock);
    exo_mail_cell_pvt(mail, side, index)->next = mail->side[side].free;
    mail->side[side].free = index;
    exo_port_unlock(&mail->lock);
}

/* Put a cell in line: behind those of its priority, or before them (what was taken and could not be delivered). */
EXO_INLINE void exo_mail_line_up_pvt(struct exo_mail *mail, exo_u32 side, exo_u32 index, exo_bool again)
{
    struct exo_mail_side *to = &mail->side[side];
    struct exo_mail_cell *cell = exo_mail_cell_pvt(mail, side, index);
    exo_u32 priority = (exo_u32)cell->header.priority + (again ? 1u : 0u); /* comes behind those of this and more */
    exo_u32 before = EXO_MAIL_NONE;
    exo_u32 at;
    exo_port_lock(&mail->lock);
    at = to->first;
    if (to->last != EXO_MAIL_NONE && exo_mail_cell_pvt(mail, side, to->last)->header.priority >= priority) {
        before = to->last; /* the usual case needs no walk */
        at = EXO_MAIL_NONE;
    }
    while (at != EXO_MAIL_NONE && exo_mail_cell_pvt(mail, side, at)->header.priority >= priority) {
        before = at;
        at = exo_mail_cell_pvt(mail, side, at)->next;
    }
    cell->next = at;
    if (before == EXO_MAIL_NONE) {
        to->first = index;
    } else {
        exo_mail_cell_pvt(mail, side, before)->next = index;
    }
    if (at == EXO_MAIL_NONE) {
        to->last = index;
    }
    exo_port_unlock(&mail->lock);
}

/* Take the first message of a side's inbox out, if it fits; *bytes says how large it is in any case. */
EXO_INLINE exo_status exo_mail_take_pvt(struct exo_mail *mail, exo_u32 side, exo_u64 size, exo_u32 *index,
                                        exo_u32 *bytes)
{
    struct exo_mail_side *from = &mail->side[side];
    exo_status status = EXO_OK;
    exo_port_lock(&mail->lock);
    *index = from->first;
    if (*index == EXO_MAIL_NONE) {
        status = exo_mail_gone_pvt(&mail->side[1 - side]);
        status = status == EXO_OK ? EXO_EMPTY : status;
    } else {
        const struct exo_mail_cell *cell = exo_mail_cell_pvt(mail, side, *index);
        *bytes = cell->bytes;
        if (cell->bytes > size) {
            status = EXO_BUFFER_TOO_SMALL;
        } else {
            from->first = cell->next;
            from->last = cell->next == EXO_MAIL_NONE ? EXO_MAIL_NONE : from->last;
        }
    }
    exo_port_unlock(&mail->lock);
    return status;
}

/* A message has arrived or is given up: what it cost its sender comes back. */
EXO_INLINE void exo_mail_done_pvt(struct exo_mail *mail, exo_u32 side, exo_u32 index)
{
    struct exo_process *sender = exo_mail_cell_pvt(mail, side, index)->sender;
    exo_mail_give_cell_pvt(mail, side, index);
    (void)exo_quota_return(&sender->account, EXO_QUOTA_MESSAGES, 1);
    exo_process_put_pvt(sender);
}

/* The state of a side for who binds a queue to it. */
EXO_INLINE exo_u32 exo_mail_events_pvt(struct exo_mail *mail, exo_u32 side)
{
    exo_u32 events = 0;
    exo_status gone;
    exo_port_lock(&mail->lock);
    events |= mail->side[side].first != EXO_MAIL_NONE ? EXO_READABLE : 0u;
    events |= mail->side[1 - side].free != EXO_MAIL_NONE ? EXO_WRITABLE : 0u;
    gone = exo_mail_gone_pvt(&mail->side[1 - side]);
    exo_port_unlock(&mail->lock);
    if (gone != EXO_OK) {
        events |= gone == EXO_CLOSED ? EXO_PEER_CLOSED : EXO_PEER_GONE;
    }
    return events;
}

#endif
