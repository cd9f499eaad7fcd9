/* SPDX-License-Identifier: MIT */
/*
 * Sending lots of messages of one size. Bulk is all or nothing, burst is up to n.
 *
 * A lot becomes visible in one step: its first slot is published last, and since the receiver goes in
 * order, that one opens them all. Until then the receiver polls a line that the
 * sender does not touch. One claim and one look for sleepers per lot.
 *
 * Where one thread receives, items of up to 28 bytes are packed, as many to a slot as fit, because a line
 * costs the same with 8 bytes in it as with 56. With several consumers each item has its own slot, so that
 * every consumer can take any.
 *
 * Owned claims (mp, crash-safe) are made one by one, so that other senders' messages may lie between those of
 * a lot; what a bulk has claimed before it finds the ring full is discarded, which the receiver steps over.
 */
#ifndef EXO_IPC_FUSION_RING_BATCH_SEND_H
#define EXO_IPC_FUSION_RING_BATCH_SEND_H

#include "inline.h"

/* Publish `count` items in the line of the slot at pos. */
EXO_HOT void exo_batch_fill_pvt(exo_word64 *line, exo_u64 pos, const exo_u8 *items, exo_size size, exo_u32 count)
{
    exo_u64 control = count == 1
                          ? exo_control_pvt(pos, EXO_KIND_INLINE, (exo_u32)size)
                          : exo_control_pvt(pos, EXO_KIND_PACKED, (exo_u32)size | count << 8);
    if (EXO_LIKELY(size * count == EXO_INLINE_THRESHOLD)) {
        exo_line_publish_pvt(line, items, EXO_INLINE_THRESHOLD, control);
    } else {
        exo_line_publish_pvt(line, items, size * count, control);
    }
}

/* Publish n items in the slots from pos on, the first slot last. */
EXO_HOT void exo_batch_publish_pvt(struct exo_sender *tx, exo_u64 pos, const exo_u8 *items,
                                   exo_size size, exo_u64 n, exo_u32 per)
{
    exo_u8 *const lines = tx->lines; /* in locals: as far as the compiler knows, each store could change them */
    const exo_size off_mask = tx->off_mask;
    const exo_size fetch = tx->fetch;
    const exo_size step = (exo_size)1 << tx->slot_shift;
    const exo_u64 until = exo_tx_fetch_until_pvt(tx);
    exo_u64 first = exo_min64(n, per);
    exo_u64 at = first;
    exo_u64 slot = pos;
    exo_size off = (exo_size)pos << tx->slot_shift;
    while (at < n) {
        exo_u64 count = exo_min64(n - at, per);
        slot++;
        off += step;
        if (EXO_LIKELY(slot < until)) {
            exo_cpu_prefetch_write(lines + ((off + fetch) & off_mask));
        }
        exo_batch_fill_pvt((exo_word64 *)(void *)(lines + (off & off_mask)), slot, items + (exo_size)at * size, size,
                           (exo_u32)count);
        at += count;
    }
    exo_batch_fill_pvt(exo_tx_line_pvt(tx, pos), pos, items, size, (exo_u32)first);
}

/* The same for owned claims, one item to a slot: they may lie apart, and become visible one by one. */
EXO_COLD void exo_batch_publish_owned_pvt(struct exo_sender *tx, exo_u64 pos, const exo_u8 *items,
                                          exo_size size, exo_u64 n)
{
    exo_u64 i;
    for (i = 0; i < n; i++) {
        pos = exo_tx_next_owned_pvt(tx, pos);
        exo_batch_fill_pvt(exo_tx_line_pvt(tx, pos), pos, items + (exo_size)i * size, size, 1);
    }
}

/* Check, claim, publish, notify: bulk (all) and burst. */
EXO_HOT exo_i64 exo_send_batch_pvt(struct exo_sender *tx, const exo_u32 mode, const void *items,
                                   exo_size size, exo_size n, exo_bool all)
{
    const exo_u32 per = exo_batch_per_slot_pvt(mode, size);
    exo_u64 slots;
    exo_u64 pos;
    exo_status status;
    if (EXO_UNLIKELY(size > EXO_INLINE_THRESHOLD)) {
        return EXO_INVALID_SIZE;
    }
    if (EXO_UNLIKELY(n == 0)) {
        return 0;
    }
    slots = n / per + (n % per != 0);
    if (EXO_UNLIKELY(slots > (exo_u64)tx->mask + 1)) {
        if (all) {
            return EXO_INVALID_SIZE;
        }
        slots = (exo_u64)tx->mask + 1;
    }
    if (!all) {
        slots = exo_tx_room_pvt(tx, mode, exo_tx_guess_pvt(tx, mode), (exo_u32)slots);
        n = (exo_size)exo_min64(n, slots * per);
    }
    status = exo_tx_claim_pvt(tx, mode, (exo_u32)slots, &pos);
    if (EXO_UNLIKELY(status == EXO_FULL && !all && slots > 1)) {
        n = (exo_size)exo_min64(n, per); /* other producers were faster: what still fits? */
        status = exo_tx_claim_pvt(tx, mode, 1, &pos);
    }
    if (EXO_UNLIKELY(status != EXO_OK)) {
        return status;
    }
    exo_tx_tally_pvt(tx, pos, n, (exo_u64)n * size, EXO_FALSE);
    if ((mode & EXO_MODE_OWNED) != 0) {
        exo_batch_publish_owned_pvt(tx, pos, (const exo_u8 *)items, size, n);
    } else {
        exo_batch_publish_pvt(tx, pos, (const exo_u8 *)items, size, n, per);
    }
    status = exo_tx_notify_pvt(tx, mode, pos, (exo_u32)n);
    return status == EXO_OK ? (exo_i64)n : (exo_i64)status;
}

EXO_HOT EXO_MUST_USE exo_i64 exo_send_bulk_as(struct exo_sender *tx, const exo_u32 mode,
                                              const void *items, exo_size size, exo_size n)
{
    return exo_send_batch_pvt(tx, mode, items, size, n, EXO_TRUE);
}

EXO_HOT EXO_MUST_USE exo_i64 exo_send_burst_as(struct exo_sender *tx, const exo_u32 mode,
                                               const void *items, exo_size size, exo_size n)
{
    return exo_send_batch_pvt(tx, mode, items, size, n, EXO_FALSE);
}

/**
 * exo_send_bulk - send n messages of one size, all or none, without waiting.
 * @tx: sender handle
 * @items: the payloads, one behind the other
 * @size: bytes of each, 0 to 56
 * @n: how many
 *
 * Returns: n; EXO_FULL when they do not all fit now; EXO_INVALID_SIZE if size is over 56 or n messages
 * can never fit; EXO_CLOSED if the receiver has closed without taking the first of them; else as exo_send_inline().
 * Context, Ordering, Progress: as exo_send_inline(). The messages become visible together (one by one with
 * several producers in the crash-safe profile).
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_send_bulk(struct exo_sender *tx, const void *items, exo_size size,
                                               exo_size n)
{
    return exo_send_batch_pvt(tx, tx->mode, items, size, n, EXO_TRUE);
}

/**
 * exo_send_burst - send up to n messages of one size, without waiting.
 * @tx, @items, @size, @n: as exo_send_bulk()
 *
 * Returns: how many of the first were sent, at least 1 (0 if n is 0); else as exo_send_bulk(). With several
 * producers it may send fewer than would have fitted.
 * Context, Ordering, Progress: as exo_send_bulk().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_send_burst(struct exo_sender *tx, const void *items, exo_size size,
                                                exo_size n)
{
    if (size == EXO_INLINE_THRESHOLD) { /* full lines and words: worth code of their own */
        return exo_send_batch_pvt(tx, tx->mode, items, EXO_INLINE_THRESHOLD, n, EXO_FALSE);
    }
    if (size == 8) {
        return exo_send_batch_pvt(tx, tx->mode, items, 8, n, EXO_FALSE);
    }
    return exo_send_batch_pvt(tx, tx->mode, items, size, n, EXO_FALSE);
}

#endif
