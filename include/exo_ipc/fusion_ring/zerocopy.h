/* SPDX-License-Identifier: MIT */
/*
 * Messages by reference: loan, fill, send; view, read, release. The library copies no payload byte; the cost
 * does not depend on the size.
 *
 *   sender                                   receiver
 *   exo_loan      buffer in own arena
 *   (fill it)
 *   exo_send_loan descriptor in a slot  -->  exo_view     checked, read in place
 *                                            (read it)
 *   next exo_loan takes it back         <--  exo_release  entry in the release ring, in any order
 *
 * Both sides keep private tables: the sender of what is lent and sent, the receiver of what it views. A slot
 * is given back as soon as its descriptor is read; the buffer lives until its release.
 *
 * A view shows memory that the sender may still write. Between trusted sides nobody does; in the hostile
 * profile treat it as untrusted memory: read each byte once, or take a copy with exo_recv().
 *
 * If the receiver dies, all it holds comes back to the sender. If the sender dies, what was sent stays
 * readable as long as the receiver keeps the ring.
 */
#ifndef EXO_IPC_FUSION_RING_ZEROCOPY_H
#define EXO_IPC_FUSION_RING_ZEROCOPY_H

#include "batch_recv.h"
#include "loan.h"
#include "view.h"

EXO_INLINE void exo_loans_unmark_pvt(struct exo_sender *tx, const struct exo_loaned *loans, exo_u64 n)
{
    exo_u64 i;
    for (i = 0; i < n; i++) {
        exo_arena_unsend_pvt(tx->arena, loans[i].token);
    }
}

/* Mark all loans of a lot as sent; none if one of them may not be sent or stands in it twice. */
EXO_INLINE exo_status exo_loans_mark_pvt(struct exo_sender *tx, const struct exo_loaned *loans, exo_u64 n)
{
    exo_status status = EXO_OK;
    exo_u32 at;
    exo_u64 i;
    for (i = 0; i < n; i++) {
        status = exo_loan_check_pvt(tx, &loans[i], &at);
        if (status != EXO_OK) {
            break;
        }
        exo_arena_send_pvt(tx->arena, at, loans[i].token);
    }
    if (status != EXO_OK) {
        exo_loans_unmark_pvt(tx, loans, i);
    }
    return status;
}

/* Publish marked loans, the first of them last. */
EXO_INLINE void exo_loans_publish_pvt(struct exo_sender *tx, exo_u64 pos, struct exo_loaned *loans,
                                      exo_u64 n)
{
    exo_u64 i;
    if ((tx->mode & EXO_MODE_OWNED) != 0) {
        for (i = 0; i < n; i++) {
            pos = exo_tx_next_owned_pvt(tx, pos);
            exo_loan_publish_pvt(tx, tx->mode, pos, &loans[i], EXO_KIND_LOAN);
        }
        return;
    }
    for (i = n; i-- != 0;) {
        exo_loan_publish_pvt(tx, tx->mode, pos + i, &loans[i], EXO_KIND_LOAN);
    }
}

EXO_INLINE exo_i64 exo_send_loans_pvt(struct exo_sender *tx, struct exo_loaned *loans, exo_size n,
                                      exo_bool all)
{
    exo_u64 most = exo_min64(n, (exo_u64)tx->mask + 1);
    exo_u64 pos = 0;
    exo_status status;
    if (n == 0) {
        return 0;
    }
    if (all && n > most) {
        return EXO_INVALID_SIZE;
    }
    if (!all) {
        most = exo_tx_room_pvt(tx, tx->mode, exo_tx_guess_pvt(tx, tx->mode), (exo_u32)most);
    }
    status = exo_loans_mark_pvt(tx, loans, most);
    if (status != EXO_OK) {
        return status;
    }
    status = exo_tx_claim_pvt(tx, tx->mode, (exo_u32)most, &pos);
    if (status == EXO_FULL && !all && most > 1) {
        exo_loans_unmark_pvt(tx, loans + 1, most - 1); /* other producers were faster: what still fits? */
        most = 1;
        status = exo_tx_claim_pvt(tx, tx->mode, 1, &pos);
    }
    if (status != EXO_OK) {
        exo_loans_unmark_pvt(tx, loans, most);
        return status;
    }
    exo_loans_publish_pvt(tx, pos, loans, most);
    status = exo_tx_notify_pvt(tx, tx->mode, pos, (exo_u32)most);
    return status == EXO_OK ? (exo_i64)most : (exo_i64)status;
}

/**
 * exo_send_loans_bulk - send n filled loans, all or none, without waiting.
 * @tx: sender handle
 * @loans: as in exo_send_loan()
 * @n: how many
 *
 * Returns: n; EXO_FULL when they do not all fit now; EXO_INVALID_SIZE when they never can, or when off and len
 * of one do not lie within it; EXO_NOT_FOUND when one is not out, or stands in the lot twice; else as
 * exo_send_loan().
 * Context, Ordering, Progress: as exo_send_loan().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_send_loans_bulk(struct exo_sender *tx, struct exo_loaned *loans,
                                                     exo_size n)
{
    return exo_send_loans_pvt(tx, loans, n, EXO_TRUE);
}

/**
 * exo_send_loans_burst - send up to n filled loans, without waiting.
 *
 * Returns: how many of the first were sent and cleared, at least 1 (0 if n is 0); else as
 * exo_send_loans_bulk().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_send_loans_burst(struct exo_sender *tx, struct exo_loaned *loans,
                                                      exo_size n)
{
    return exo_send_loans_pvt(tx, loans, n, EXO_FALSE);
}

/**
 * exo_view_burst - receive up to n messages without copying them, without waiting.
 * @rx: receiver handle
 * @views: as in exo_view(), one for each
 * @n: how many at most
 *
 * Returns: how many were received, at least 1 (0 if n is 0); else as exo_view().
 * Context, Ordering, Progress: as exo_view().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_view_burst(struct exo_receiver *rx, struct exo_viewed *views,
                                                exo_size n)
{
    exo_size got;
    for (got = 0; got < n; got++) {
        exo_status status = exo_view(rx, &views[got]);
        if (status != EXO_OK) {
            return got != 0 ? (exo_i64)got : (exo_i64)status;
        }
    }
    return (exo_i64)got;
}

/**
 * exo_view_bulk - receive n messages without copying them, all or none, without waiting.
 * @rx, @views, @n: as exo_view_burst()
 *
 * Returns: n; EXO_EMPTY when there are fewer, EXO_CLOSED or EXO_PEER_DIED when moreover no more will come;
 * EXO_NOT_SUPPORTED with several consumers, who could each hold a part; else as exo_view().
 * Context, Ordering, Progress: as exo_view().
 */
EXO_OUTLINE EXO_MUST_USE exo_i64 exo_view_bulk(struct exo_receiver *rx, struct exo_viewed *views,
                                               exo_size n)
{
    exo_status status;
    exo_i64 got;
    if ((rx->mode & EXO_MODE_MC) != 0) {
        return EXO_NOT_SUPPORTED;
    }
    if (n == 0) {
        return 0;
    }
    status = exo_batch_all_there_pvt(rx, EXO_SIZE_MAX, n, EXO_TRUE);
    if (status != EXO_OK) {
        return status;
    }
    got = exo_view_burst(rx, views, n);
    if (got != (exo_i64)n) { /* one of them is malformed, or the sender took back what it published */
        while (got-- > 0) {
            status = exo_release(rx, &views[got]);
        }
        (void)status; /* viewed just now: it cannot fail */
        return exo_rx_refuse_pvt(rx, EXO_CORRUPT);
    }
    return got;
}

#endif
