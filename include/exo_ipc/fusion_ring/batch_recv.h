/* SPDX-License-Identifier: MIT */
/*
 * Receiving lots: bulk is all or nothing, burst is up to n. The slots of a lot are given back in one step,
 * with one look for sleepers. Packed slots are unpacked; a lot may end in the middle of one.
 */
#ifndef EXO_IPC_FUSION_RING_BATCH_RECV_H
#define EXO_IPC_FUSION_RING_BATCH_RECV_H

#include "inline.h"

/* A lot being received: where the next item goes. */
struct exo_batch_into {
    exo_u8 *items;
    exo_size size;
    exo_u32 *lengths; /* null: the caller does not want them */
    exo_u64 got;
    exo_u64 most;
    exo_u64 bytes; /* of what was got, for who counts */
};

/* Take what one slot of kind INLINE or PACKED still holds. Returns false when the slot could not be taken
 * to its end; *status then says why, if it is an error. */
EXO_HOT exo_bool exo_batch_take_slot_pvt(struct exo_receiver *rx, const exo_word64 *line,
                                         exo_u64 control, struct exo_batch_into *into,
                                         exo_status *status)
{
    exo_u32 argument = exo_control_argument_pvt(control);
    exo_bool packed = exo_control_kind_pvt(control) == EXO_KIND_PACKED;
    exo_u32 len = packed ? argument & 0xFFu : argument;
    exo_u32 count = packed ? argument >> 8 : 1;
    exo_u32 left = count - rx->taken;
    exo_u8 *to = into->items + (exo_size)into->got * into->size;
    exo_word64 copy[EXO_LINE_WORDS];
    exo_u32 i;
    if ((exo_u64)len * count > EXO_INLINE_THRESHOLD || count > EXO_INLINE_THRESHOLD ||
        rx->taken >= count) {
        *status = exo_rx_refuse_pvt(rx, EXO_CORRUPT);
        return EXO_FALSE;
    }
    if (len > into->size) {
        *status = EXO_BUFFER_TOO_SMALL;
        return EXO_FALSE;
    }
    if (left > into->most - into->got) {
        left = (exo_u32)(into->most - into->got);
    }
    if (len == into->size && rx->taken == 0 && left == count && len * count == EXO_INLINE_THRESHOLD) {
        exo_line_read_pvt(to, line, EXO_INLINE_THRESHOLD);
    } else if (len == into->size && rx->taken == 0 && left == count) {
        exo_line_read_pvt(to, line, (exo_size)len * count);
    } else {
        exo_words_load(copy, line, sizeof(copy));
        for (i = 0; i < left; i++) {
            __builtin_memcpy(to + (exo_size)i * into->size,
                             (const exo_u8 *)copy + (exo_size)(rx->taken + i) * len, len);
        }
    }
    for (i = 0; into->lengths != EXO_NULL && i < left; i++) {
        into->lengths[into->got + i] = len;
    }
    into->got += left;
    into->bytes += (exo_u64)left * len;
    rx->taken += left;
    if (rx->taken != count) {
        return EXO_FALSE;
    }
    rx->taken = 0;
    return EXO_TRUE;
}

/* Whether a slot holds messages that a lot takes. */
EXO_HOT exo_bool exo_batch_takes_pvt(exo_u64 control, exo_u64 pos)
{
    exo_u32 kind = exo_control_kind_pvt(control);
    return exo_control_is_for_pvt(control, pos) && (kind == EXO_KIND_INLINE || kind == EXO_KIND_PACKED);
}

/* Take slots as long as each holds just what the caller's items are made for: one of `size` bytes, or as many as share a
 * slot. Returns how many slots. */
EXO_HOT exo_u32 exo_batch_take_plain_pvt(struct exo_receiver *rx, const exo_u32 mode, struct exo_batch_into *into)
{
    const exo_u32 per = exo_batch_per_slot_pvt(mode, into->size);
    const exo_u32 len = (exo_u32)into->size;
    const exo_u32 full = (exo_u32)exo_min64(into->most, 0x7FFFFFFFu) / per; /* no division of 64 bits by 32 */
    const exo_u64 most = exo_min64(full, (exo_u64)rx->mask + 1);
    const exo_u8 *const lines = rx->lines; /* in locals: as far as the compiler knows, each store could change them */
    const exo_size off_mask = rx->off_mask;
    const exo_u32 shift = rx->slot_shift;
    const exo_u64 pos = rx->pos;
    exo_u8 *to = into->items;
    exo_u64 slots;
    exo_u64 i;
    for (slots = 0; slots < most; slots++) {
        exo_size off = ((exo_size)(pos + slots) << shift) & off_mask;
        const exo_word64 *line = (const exo_word64 *)(const void *)(lines + off);
        exo_u64 plain = per == 1 ? exo_control_pvt(pos + slots, EXO_KIND_INLINE, len)
                                 : exo_control_pvt(pos + slots, EXO_KIND_PACKED, len | per << 8);
        if (exo_line_ready_pvt(line) != plain) {
            break;
        }
        exo_line_read_pvt(to, line, (exo_size)len * per);
        to += (exo_size)len * per;
    }
    into->got = slots * per;
    into->bytes = into->got * len;
    for (i = 0; into->lengths != EXO_NULL && i < into->got; i++) {
        into->lengths[i] = len;
    }
    return (exo_u32)slots;
}

/* Single consumer: up to into->most messages, from one ring full of slots at most, so that a sender who goes on
 * discarding cannot keep the receiver here. Gives the slots back in one step. */
EXO_HOT exo_i64 exo_recv_batch_sc_pvt(struct exo_receiver *rx, const exo_u32 mode,
                                      struct exo_batch_into *into)
{
    exo_u32 slots = 0;
    exo_status status = EXO_OK;
    if (into->size <= EXO_INLINE_THRESHOLD && rx->taken == 0) {
        slots = exo_batch_take_plain_pvt(rx, mode, into);
    }
    while (into->got < into->most && slots <= rx->mask) {
        exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos + slots));
        if (!exo_batch_takes_pvt(control, rx->pos + slots)) {
            if (into->got != 0 && exo_control_is_for_pvt(control, rx->pos + slots) &&
                exo_rx_skippable_pvt(rx, rx->pos + slots, control)) {
                slots++;
                continue;
            }
            if (into->got != 0) {
                break;
            }
            status = exo_rx_settle_pvt(rx, &control); /* nothing yet: step over, or learn why */
            if (status == EXO_OK && !exo_batch_takes_pvt(control, rx->pos)) {
                status = EXO_TYPE_MISMATCH;
            }
            if (status != EXO_OK) {
                break;
            }
        }
        if (!exo_batch_take_slot_pvt(rx, exo_rx_line_pvt(rx, rx->pos + slots), control, into, &status)) {
            break;
        }
        slots++;
    }
    if (into->got != 0) {
        exo_rx_tally_pvt(rx, rx->pos, into->got, into->bytes, EXO_FALSE);
    }
    if (slots != 0) {
        exo_rx_advance_pvt(rx, mode, slots);
    }
    return into->got != 0 ? (exo_i64)into->got : (exo_i64)status;
}

/* Several consumers. */
EXO_HOT exo_i64 exo_recv_batch_mc_pvt(struct exo_receiver *rx, const exo_u32 mode,
                                      struct exo_batch_into *into, exo_u32 least)
{
    const struct exo_rx_wish wish = {least, (exo_u32)exo_min64(into->most, (exo_u64)rx->mask + 1),
                                     into->size, EXO_KIND_INLINE};
    do {
        exo_u64 pos = 0;
        exo_u32 taken = 0;
        exo_u32 i;
        exo_status status = exo_rx_obtain_mc_pvt(rx, &wish, &pos, &taken);
        if (status != EXO_OK) {
            return status;
        }
        for (i = 0; i < taken; i++) {
            const exo_word64 *line = exo_rx_line_pvt(rx, pos + i);
            exo_u64 control = exo_line_ready_pvt(line);
            if (exo_control_kind_pvt(control) == EXO_KIND_INLINE &&
                exo_batch_take_slot_pvt(rx, line, control, into, &status)) {
                exo_rx_tally_pvt(rx, pos + i, 1, exo_control_argument_pvt(control), EXO_FALSE);
            }
            exo_rx_done_pvt(rx, pos + i);
        }
        exo_rx_notify_pvt(rx, mode, taken);
    } while (into->got == 0);
    return (exo_i64)into->got;
}

/* How many messages the slot at rx->pos + slot adds to a lot that takes inline ones of at most `size` bytes and,
 * if `any`, those by reference. Negative: why the lot ends before it. */
EXO_INLINE exo_i64 exo_batch_weigh_pvt(struct exo_receiver *rx, exo_u64 slot, exo_size size,
                                       exo_bool any)
{
    exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos + slot));
    exo_u32 argument = exo_control_argument_pvt(control);
    exo_u32 kind = exo_control_kind_pvt(control);
    exo_u32 taken = slot == 0 ? rx->taken : 0;
    if (!exo_control_is_for_pvt(control, rx->pos + slot) || kind == EXO_KIND_NONE) {
        return EXO_EMPTY;
    }
    if (exo_rx_skippable_pvt(rx, rx->pos + slot, control)) {
        return 0;
    }
    if (kind == EXO_KIND_LOAN && any) {
        return 1;
    }
    if (kind == EXO_KIND_PACKED) {
        exo_u32 count = argument >> 8;
        return (argument & 0xFFu) > size ? (exo_i64)EXO_BUFFER_TOO_SMALL
                                         : (exo_i64)(count > taken ? count - taken : 0);
    }
    if (kind == EXO_KIND_INLINE) {
        return argument > size ? (exo_i64)EXO_BUFFER_TOO_SMALL : 1;
    }
    return kind == EXO_KIND_CLAIM ? EXO_EMPTY : EXO_TYPE_MISMATCH;
}

/* Single consumer: whether `most` such messages are there. */
EXO_INLINE exo_status exo_batch_count_pvt(struct exo_receiver *rx, exo_size size, exo_u64 most,
                                          exo_bool any)
{
    exo_u64 control = 0;
    exo_u64 there = 0;
    exo_u64 slot;
    exo_status status = exo_rx_settle_pvt(rx, &control);
    for (slot = 0; status == EXO_OK && slot <= rx->mask && there < most; slot++) {
        exo_i64 weight = exo_batch_weigh_pvt(rx, slot, size, any);
        if (weight < 0) {
            status = (exo_status)weight;
        } else {
            there += (exo_u64)weight;
        }
    }
    return status == EXO_OK && there < most ? EXO_EMPTY : status;
}

/* The same; where there are too few, whether there will never be more. */
EXO_INLINE exo_status exo_batch_all_there_pvt(struct exo_receiver *rx, exo_size size, exo_u64 most,
                                              exo_bool any)
{
    exo_status status = exo_batch_count_pvt(rx, size, most, any);
    if (status == EXO_EMPTY) {
        exo_status reason = exo_rx_empty_reason_pvt(rx);
        if (reason != EXO_EMPTY) {
            status = exo_batch_count_pvt(rx, size, most, any);
            return status == EXO_EMPTY ? reason : status;
        }
    }
    return status;
}

EXO_HOT exo_i64 exo_recv_batch_pvt(struct exo_receiver *rx, const exo_u32 mode, void *items,
                                   exo_size size, exo_size n, exo_u32 *lengths, exo_bool all)
{
    struct exo_batch_into into = {(exo_u8 *)items, size, lengths, 0, n, 0};
    if (n == 0) {
        return 0;
    }
    if (all && n > ((exo_u64)rx->mask + 1) * EXO_INLINE_THRESHOLD) {
        return EXO_INVALID_SIZE;
    }
    if ((mode & EXO_MODE_MC) != 0) {
        if (all && n > (exo_u64)rx->mask + 1) {
            return EXO_INVALID_SIZE;
        }
        return exo_recv_batch_mc_pvt(rx, mode, &into, all ? (exo_u32)n : 1);
    }
    if (all) {
        exo_status status = exo_batch_all_there_pvt(rx, size, n, EXO_FALSE);
        if (status != EXO_OK) {
            return status;
        }
        if (exo_recv_batch_sc_pvt(rx, mode, &into) != (exo_i64)n) { /* the sender took back what it published */
            return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
        }
        return (exo_i64)n;
    }
    return exo_recv_batch_sc_pvt(rx, mode, &into);
}

EXO_HOT EXO_MUST_USE exo_i64 exo_recv_burst_as(struct exo_receiver *rx, const exo_u32 mode,
                                               void *items, exo_size size, exo_size n,
                                               exo_u32 *lengths)
{
    return exo_recv_batch_pvt(rx, mode, items, size, n, lengths, EXO_FALSE);
}

/**
 * exo_recv_burst - receive up to n inline messages, without waiting.
 * @rx: receiver handle
 * @items: where they go, one every `size` bytes
 * @size: room for each, in bytes
 * @n: how many at most
 * @lengths: the length of each received message, in bytes; null if not wanted
 *
 * Returns: how many were received, at least 1 (0 if n is 0); else as exo_recv_inline(), EXO_BUFFER_TOO_SMALL
 * and EXO_TYPE_MISMATCH speaking of the first message. Stops before a message that is longer than size or
 * travels by reference.
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_recv_burst(struct exo_receiver *rx, void *items, exo_size size,
                                                exo_size n, exo_u32 *lengths)
{
    if (size == EXO_INLINE_THRESHOLD) { /* full lines and words: worth code of their own */
        return exo_recv_batch_pvt(rx, rx->mode, items, EXO_INLINE_THRESHOLD, n, lengths, EXO_FALSE);
    }
    if (size == 8) {
        return exo_recv_batch_pvt(rx, rx->mode, items, 8, n, lengths, EXO_FALSE);
    }
    return exo_recv_batch_pvt(rx, rx->mode, items, size, n, lengths, EXO_FALSE);
}

/**
 * exo_recv_bulk - receive n inline messages, all or none, without waiting.
 * @rx, @items, @size, @n, @lengths: as exo_recv_burst()
 *
 * Returns: n; EXO_EMPTY when there are fewer, EXO_CLOSED or EXO_PEER_DIED when moreover no more will come (the
 * rest can be taken as a burst); EXO_INVALID_SIZE when the ring can never hold n;
 * EXO_BUFFER_TOO_SMALL or EXO_TYPE_MISMATCH when one of the n is too long or travels by reference; nothing
 * was taken then; EXO_CORRUPT when one of the n is malformed, or changes meanwhile: it sticks.
 * Context, Ordering, Progress: as exo_recv_inline().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_recv_bulk(struct exo_receiver *rx, void *items, exo_size size,
                                               exo_size n, exo_u32 *lengths)
{
    return exo_recv_batch_pvt(rx, rx->mode, items, size, n, lengths, EXO_TRUE);
}

#endif
