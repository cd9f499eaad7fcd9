/* SPDX-License-Identifier: MIT */
/*
 * Calls on channels of the nucleus: make, open, send, receive.
 */
#ifndef EXO_IPC_NUCLEUS_SYS_CHANNEL_H
#define EXO_IPC_NUCLEUS_SYS_CHANNEL_H

#include "../channel/handle.h"
#include "sys_capability.h"
#include "sys_name.h"

EXO_INLINE void exo_mail_lay_out_pvt(struct exo_mail *mail)
{
    exo_u32 side;
    exo_u32 i;
    for (side = 0; side < 2; side++) {
        struct exo_mail_side *at = &mail->side[side];
        at->first = EXO_MAIL_NONE;
        at->last = EXO_MAIL_NONE;
        at->free = 0;
        at->holders = 0;
        at->opened = EXO_FALSE;
        at->died = EXO_FALSE;
        at->bindings.count = 0;
        at->bindings.first = (struct exo_binding *)EXO_NULL;
        for (i = 0; i < mail->slots; i++) {
            exo_mail_cell_pvt(mail, side, i)->next = i + 1 < mail->slots ? i + 1 : EXO_MAIL_NONE;
        }
    }
}

/* The channel itself, charged to its maker: itself, and the bytes of its cells. */
EXO_INLINE exo_status exo_mail_make_pvt(struct exo_process *process, exo_u32 slots, exo_u32 limit,
                                        struct exo_mail **made)
{
    struct exo_nucleus *nucleus = process->nucleus;
    exo_size bytes = (exo_size)exo_align_up(2 * slots * exo_mail_cell_bytes_pvt(limit), EXO_LINE_PAIR);
    exo_status status = exo_quota_charge(&process->account, EXO_QUOTA_CHANNELS, 1);
    struct exo_mail *mail = (struct exo_mail *)EXO_NULL;
    exo_u8 *memory = (exo_u8 *)EXO_NULL;
    if (status != EXO_OK) {
        return status;
    }
    status = exo_quota_charge(&process->account, EXO_QUOTA_BYTES, bytes);
    if (status == EXO_OK) {
        memory = (exo_u8 *)exo_port_page_alloc(bytes);
        mail = memory == EXO_NULL ? mail : (struct exo_mail *)exo_nucleus_take_pvt(nucleus, &nucleus->channels);
        if (mail != EXO_NULL) {
            exo_object_init_pvt(&mail->object, EXO_OBJECT_CHANNEL);
            mail->payer = process;
            mail->owner = exo_process_number(process);
            mail->user = process->user;
            mail->born = exo_fetch_add64(&nucleus->born, 1u, EXO_RELAXED); /* relaxed: a count of its own */
            mail->lock = 0;
            mail->slots = slots;
            mail->limit = limit;
            mail->memory = memory;
            mail->memory_bytes = bytes;
            exo_mail_lay_out_pvt(mail);
            exo_process_hold_pvt(process);
            *made = mail;
            return EXO_OK;
        }
        if (memory != EXO_NULL) {
            exo_port_page_free(memory, bytes);
        }
        (void)exo_quota_return(&process->account, EXO_QUOTA_BYTES, bytes);
        status = EXO_NO_MEMORY;
    }
    (void)exo_quota_return(&process->account, EXO_QUOTA_CHANNELS, 1);
    return status;
}

/* The last capability of a channel has ended, or it was never given out. */
EXO_INLINE void exo_mail_release_pvt(struct exo_nucleus *nucleus, struct exo_mail *mail)
{
    struct exo_process *payer = mail->payer;
    exo_size bytes = mail->memory_bytes;
    exo_u32 side;
    exo_nucleus_forget_name_pvt(nucleus, &mail->name);
    for (side = 0; side < 2; side++) {
        exo_u32 index;
        exo_u32 length;
        exo_bindings_end_pvt(nucleus, &mail->side[side].bindings, (const struct exo_process *)EXO_NULL, 0);
        while (exo_mail_take_pvt(mail, side, ~(exo_u64)0, &index, &length) == EXO_OK) {
            exo_u64 passed = exo_mail_cell_pvt(mail, side, index)->passed;
            if (passed != 0) {
                (void)exo_capability_drop(&nucleus->transit, passed);
            }
            exo_mail_done_pvt(mail, side, index);
        }
    }
    exo_port_page_free(mail->memory, bytes);
    exo_nucleus_give_pvt(nucleus, &nucleus->channels, &mail->item);
    (void)exo_quota_return(&payer->account, EXO_QUOTA_BYTES, bytes);
    (void)exo_quota_return(&payer->account, EXO_QUOTA_CHANNELS, 1);
    exo_process_put_pvt(payer);
}

/* A new capability of a side, in a process's table: a root, or derived from another one of the channel. */
EXO_INLINE exo_status exo_mail_admit_pvt(struct exo_process *process, struct exo_mail *mail, exo_u32 side,
                                         exo_u32 rights, exo_u64 *handle)
{
    exo_status status;
    exo_mail_hold_pvt(mail, side);
    status = exo_capability_create(&process->capabilities, &mail->object, rights, side, handle);
    if (status != EXO_OK) {
        exo_mail_let_go_pvt(process->nucleus, mail, side, EXO_FALSE);
    }
    return status;
}

/* channel_create: [in] name, perms, slots, limit */
EXO_INLINE exo_status exo_sys_channel_create_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_mail *mail = (struct exo_mail *)EXO_NULL;
    exo_u64 slots = a[3] == 0 ? EXO_MAIL_SLOTS : a[3];
    exo_u64 limit = a[4] == 0 ? EXO_MAIL_LIMIT : a[4];
    struct exo_sys_name name;
    exo_status status = exo_sys_name_fetch_pvt(process, a[0], a[1], EXO_TRUE, &name);
    if (status != EXO_OK) {
        return status;
    }
    if ((a[2] & ~(exo_u64)EXO_PERMS_ALL) != 0) {
        return EXO_INVALID_ARGUMENT;
    }
    if (slots > EXO_MAIL_SLOTS_MAX || limit > EXO_MAIL_LIMIT_MAX) {
        return EXO_INVALID_SIZE;
    }
    status = exo_mail_make_pvt(process, (exo_u32)slots, (exo_u32)limit, &mail);
    if (status != EXO_OK) {
        return status;
    }
    mail->perms = (exo_u32)a[2];
    mail->name = 0;
    exo_object_hold_pvt(&mail->object); /* a guessed handle cannot end it meanwhile */
    status = exo_mail_admit_pvt(process, mail, 0, EXO_RIGHTS_CHANNEL, result);
    if (status == EXO_OK && name.bytes != 0) {
        status = exo_nucleus_name_pvt(nucleus, &mail->name, &name, &mail->object);
    }
    if (status != EXO_OK && *result != 0) {
        (void)exo_capability_drop(&process->capabilities, *result);
        *result = 0;
    }
    exo_object_put_pvt(&nucleus->capabilities, &mail->object);
    return status;
}

/* channel_open: [in] name, rights */
EXO_INLINE exo_status exo_sys_channel_open_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_object *object = (struct exo_object *)EXO_NULL;
    struct exo_sys_name name;
    struct exo_mail *mail;
    exo_status status = exo_sys_name_fetch_pvt(process, a[0], a[1], EXO_FALSE, &name);
    if (status == EXO_OK) {
        status = (a[2] & ~(exo_u64)EXO_RIGHTS_CHANNEL) != 0 || a[2] == 0 ? EXO_INVALID_ARGUMENT : EXO_OK;
    }
    if (status == EXO_OK) {
        status = exo_nucleus_find_name_pvt(nucleus, &name, &object);
    }
    if (status != EXO_OK) {
        return status;
    }
    mail = exo_object_of(struct exo_mail, object);
    if (object->kind != EXO_OBJECT_CHANNEL) {
        status = EXO_TYPE_MISMATCH;
    } else if (!exo_perms_allow_pvt(mail->perms, mail->user == process->user, (exo_u32)a[2])) {
        status = EXO_PERMISSION_DENIED;
    } else {
        status = exo_mail_look_gone_pvt(mail, 1);
    }
    if (status == EXO_OK) {
        status = exo_mail_admit_pvt(process, mail, 1, (exo_u32)a[2], result);
    }
    exo_object_put_pvt(&nucleus->capabilities, object);
    return status;
}

/* channel_peer: handle of side 0 with all rights, rights. */
EXO_INLINE exo_status exo_sys_channel_peer_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_capability *capability;
    struct exo_mail *mail;
    exo_status status;
    if ((a[1] & ~(exo_u64)EXO_RIGHTS_CHANNEL) != 0 || a[1] == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_CHANNEL, EXO_RIGHTS_CHANNEL, &capability);
    if (status != EXO_OK) {
        return status;
    }
    mail = exo_object_of(struct exo_mail, capability->object);
    status = capability->badge != 0 ? EXO_PERMISSION_DENIED : exo_mail_look_gone_pvt(mail, 1);
    if (status == EXO_OK) {
        status = exo_mail_admit_pvt(process, mail, 1, (exo_u32)a[1], result);
    }
    exo_capability_done(capability);
    return status;
}

/* What a letter may say. */
EXO_INLINE exo_status exo_letter_check_pvt(const struct exo_sys_letter *letter, exo_u64 bytes)
{
    const struct exo_message_header *header = &letter->header;
    if (letter->reserved != 0 || header->reserved != 0 || header->msg_type > EXO_MESSAGE_CONTROL ||
        (header->flags & ~EXO_FLAGS_USER) != 0 || (letter->passed == 0 && letter->rights != 0)) {
        return EXO_INVALID_ARGUMENT;
    }
    if (header->total_size != 0 && header->total_size != EXO_MESSAGE_HEADER_SIZE + bytes) {
        return EXO_INVALID_SIZE;
    }
    return EXO_OK;
}

/* Fill a cell that was taken: the payload, and what is passed. */
EXO_INLINE exo_status exo_mail_fill_pvt(struct exo_process *process, const struct exo_mail *mail,
                                        struct exo_mail_cell *cell, const struct exo_sys_letter *letter, exo_u64 data,
                                        exo_u64 bytes)
{
    exo_status status = EXO_OK;
    cell->header = letter->header;
    cell->header.total_size = EXO_MESSAGE_HEADER_SIZE + (exo_u32)bytes;
    cell->header.sender = exo_process_number(process);
    cell->sender = process;
    cell->passed = 0;
    cell->bytes = (exo_u32)bytes;
    if (bytes != 0) {
        status = exo_port_copy_from_user(process->space.port, cell + 1, data, (exo_size)bytes);
    }
    if (status == EXO_OK && letter->passed != 0) {
        status = exo_sys_derive_pvt(process, letter->passed, letter->rights, mail, &process->nucleus->transit,
                                    &cell->passed);
    }
    return status;
}

/* channel_send: handle, letter, [in] payload */
EXO_INLINE exo_status exo_sys_channel_send_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_capability *capability;
    struct exo_sys_letter letter;
    struct exo_mail *mail;
    exo_u32 to;
    exo_u32 index = 0;
    exo_status status = exo_port_copy_from_user(process->space.port, &letter, a[1], sizeof(letter));
    (void)result;
    if (status == EXO_OK) {
        status = exo_letter_check_pvt(&letter, a[3]);
    }
    if (status == EXO_OK) {
        status = exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_CHANNEL, EXO_RIGHT_SEND, &capability);
    }
    if (status != EXO_OK) {
        return status;
    }
    mail = exo_object_of(struct exo_mail, capability->object);
    to = 1 - (exo_u32)capability->badge;
    status = a[3] > mail->limit ? EXO_INVALID_SIZE : exo_quota_charge(&process->account, EXO_QUOTA_MESSAGES, 1);
    if (status == EXO_OK) {
        status = exo_mail_take_cell_pvt(mail, to, &index);
        if (status == EXO_OK) {
            status = exo_mail_fill_pvt(process, mail, exo_mail_cell_pvt(mail, to, index), &letter, a[2], a[3]);
            if (status == EXO_OK) {
                exo_process_hold_pvt(process);
                exo_mail_line_up_pvt(mail, to, index, EXO_FALSE);
            } else {
                exo_mail_give_cell_pvt(mail, to, index);
            }
        }
        if (status != EXO_OK) {
            (void)exo_quota_return(&process->account, EXO_QUOTA_MESSAGES, 1);
        }
    }
    if (status == EXO_OK) {
        exo_bindings_post_pvt(nucleus, &mail->side[to].bindings, EXO_READABLE);
    }
    exo_capability_done(capability);
    return status;
}

/* Hand a message that was taken out of line to its receiver; on an error nothing of it has changed. */
EXO_INLINE exo_status exo_mail_deliver_pvt(struct exo_process *process, struct exo_mail_cell *cell, exo_u64 to_letter,
                                           exo_u64 to_data)
{
    struct exo_sys_letter letter;
    exo_status status = EXO_OK;
    letter.passed = 0;
    letter.rights = 0;
    letter.reserved = 0;
    letter.header = cell->header;
    if (cell->passed != 0) {
        status = exo_sys_arrive_pvt(process, cell->passed, &letter.passed, &letter.rights);
    }
    if (status == EXO_OK) {
        status = exo_port_copy_to_user(process->space.port, to_letter, &letter, sizeof(letter));
    }
    if (status == EXO_OK && cell->bytes != 0) {
        status = exo_port_copy_to_user(process->space.port, to_data, cell + 1, cell->bytes);
    }
    if (status != EXO_OK && letter.passed != 0) {
        (void)exo_capability_drop(&process->capabilities, letter.passed);
    }
    if (status == EXO_OK && cell->passed != 0) {
        (void)exo_capability_drop(&process->nucleus->transit, cell->passed);
        cell->passed = 0;
    }
    return status;
}

/* channel_recv: handle, letter, [out] payload. Yields the payload's bytes, also where the buffer is too small for them. */
EXO_INLINE exo_status exo_sys_channel_recv_pvt(struct exo_process *process, const exo_u64 *a, exo_u64 *result)
{
    struct exo_nucleus *nucleus = process->nucleus;
    struct exo_capability *capability;
    struct exo_mail *mail;
    exo_u32 side;
    exo_u32 index = 0;
    exo_u32 bytes = 0;
    exo_status status =
        exo_capability_use(&process->capabilities, a[0], EXO_OBJECT_CHANNEL, EXO_RIGHT_RECEIVE, &capability);
    if (status != EXO_OK) {
        return status;
    }
    mail = exo_object_of(struct exo_mail, capability->object);
    side = (exo_u32)capability->badge;
    status = exo_mail_take_pvt(mail, side, a[3], &index, &bytes);
    *result = bytes;
    if (status == EXO_OK) {
        status = exo_mail_deliver_pvt(process, exo_mail_cell_pvt(mail, side, index), a[1], a[2]);
        if (status == EXO_OK) {
            exo_mail_done_pvt(mail, side, index);
            exo_bindings_post_pvt(nucleus, &mail->side[1 - side].bindings, EXO_WRITABLE);
        } else {
            exo_mail_line_up_pvt(mail, side, index, EXO_TRUE);
        }
    }
    exo_capability_done(capability);
    return status;
}

#endif
