/* SPDX-License-Identifier: MIT */
/*
 * The head movers: how a sender comes by positions to write, and a receiver by positions to read.
 *
 *   sender, sp       its own counter
 *   sender, mp       compare-and-swap on tail, after the bound was checked (as in the bounded queue of
 *                    D. Vyukov, 2010, with the check against the consumer's position instead of the slot)
 *   sender, owned    compare-and-swap on the slot's own control word, which then names the owner: there is
 *                    no instant at which a claim exists and its owner is unknown. tail is a hint that may
 *                    lag; whoever walks from it sees taken slots and steps over them
 *   receiver, sc     its own counter
 *   receiver, mc     compare-and-swap on the claimed position, then done[] gives the slot back (Vyukov's
 *                    per-slot sequence, moved out of the slot so that the receiver never writes it)
 *
 * A crash of an owned claimant leaves kind CLAIM with its owner's index and generation. Once the kernel says that
 * this owner is dead, or somebody has buried it (exo_sender_bury), the receiver steps over the slot; nobody
 * has to repair anything, and the next lap claims over it.
 */
#ifndef EXO_IPC_FUSION_RING_CLAIM_H
#define EXO_IPC_FUSION_RING_CLAIM_H

#include "tally.h"

/* How many lines a consumer among several fetches at once: nearer than what a producer fetches when the ring is full
 * (EXO_FETCH_AHEAD_MPMC), so that they do not take the same lines from each other. */
#define EXO_SCOUT_STEP 8u

/* Several producers: n consecutive positions. */
EXO_HOT exo_status exo_tx_claim_mp_pvt(struct exo_sender *tx, exo_u32 n, exo_u64 *pos)
{
    exo_u64 tail = exo_load64(&tx->tx->tail.value, EXO_RELAXED); /* relaxed: checked by the swap */
    for (;;) {
        if (EXO_UNLIKELY(!exo_tx_has_room_pvt(tx, tail, n))) {
            exo_status status = exo_tx_refresh_pvt(tx, tail, n);
            if (status != EXO_OK) {
                exo_u64 now = exo_load64(&tx->tx->tail.value, EXO_RELAXED); /* relaxed: as above */
                if (status != EXO_FULL || now == tail) {
                    return status;
                }
                tail = now;
                continue;
            }
        }
        /* relaxed: the slot is ours because the bound was acquired; tail itself guards no data */
        if (EXO_LIKELY(exo_cas64(&tx->tx->tail.value, &tail, tail + n, EXO_RELAXED))) {
            /* A locked instruction waits for the stores before it: have the lines that they need by then. */
            exo_tx_fetch_pvt(tx, tail + n - 1);
            *pos = tail;
            return EXO_OK;
        }
        exo_cpu_relax();
    }
}

/* The argument of a claim: index of the owner, and the low bits of its generation. */
EXO_INLINE exo_u32 exo_claim_argument_pvt(const struct exo_sender *tx)
{
    const exo_u8 *first = (const exo_u8 *)tx->tx + sizeof(struct exo_tx_segment);
    exo_size index = (exo_size)((const exo_u8 *)tx->owner - first) / sizeof(struct exo_owner);
    return (exo_u32)index | (exo_u32)(tx->claim >> 48) << 8;
}

/* Lets the others start their walk here. Two producers may store in the wrong order: then it lags. */
EXO_INLINE void exo_tx_hint_pvt(struct exo_sender *tx, exo_u64 pos)
{
    tx->pos = pos;
    if ((exo_i64)(pos - exo_load64(&tx->tx->tail.value, EXO_RELAXED)) > 0) { /* relaxed: a hint */
        exo_store64(&tx->tx->tail.value, pos, EXO_RELAXED);                  /* relaxed: a hint */
    }
}

/* Several producers that may die: the first position nobody has claimed yet, and its slot's control word. */
EXO_INLINE exo_u64 exo_tx_frontier_pvt(const struct exo_sender *tx, exo_u64 *control)
{
    exo_u64 at = exo_load64(&tx->tx->tail.value, EXO_RELAXED); /* relaxed: a hint */
    if ((exo_i64)(tx->pos - at) > 0) {
        at = tx->pos;
    }
    for (;;) {
        const exo_word64 *line = exo_tx_line_pvt(tx, at);
        exo_i32 ahead;
        *control = exo_load64(&line[EXO_LINE_WORDS], EXO_RELAXED); /* relaxed: checked by the swap */
        ahead = (exo_i32)((exo_u32)*control - (exo_u32)(at + 1));
        if (exo_control_kind_pvt(*control) == EXO_KIND_NONE || ahead < 0) {
            return at;
        }
        at += (exo_u32)ahead + 1; /* taken for this lap or a later one: step over */
    }
}

/* Several producers that may die: one position. */
EXO_OUTLINE exo_status exo_tx_claim_owned_pvt(struct exo_sender *tx, exo_u64 *pos)
{
    exo_u32 argument;
    if (EXO_UNLIKELY(tx->refused != EXO_OK)) {
        return tx->refused;
    }
    argument = exo_claim_argument_pvt(tx);
    for (;;) {
        exo_u64 control;
        exo_u64 at = exo_tx_frontier_pvt(tx, &control);
        exo_word64 *line = exo_tx_line_pvt(tx, at);
        exo_tx_hint_pvt(tx, at);
        if (!exo_tx_has_room_pvt(tx, at, 1)) {
            exo_status status = exo_tx_refresh_pvt(tx, at, 1);
            if (status == EXO_FULL && exo_tx_frontier_pvt(tx, &control) != at) {
                continue; /* others went on meanwhile, the bound is of an old position */
            }
            if (status != EXO_OK) {
                return status;
            }
        }
        /* relaxed: a claim publishes nothing but itself */
        if (exo_cas64(&line[EXO_LINE_WORDS], &control, exo_control_pvt(at, EXO_KIND_CLAIM, argument),
                      EXO_RELAXED)) {
            exo_tx_fetch_pvt(tx, at); /* the next claim's swap finds its line */
            tx->pos = at + 1;
            *pos = at;
            return EXO_OK;
        }
        exo_cpu_relax();
    }
}

/* The next position from `pos` on that this sender has claimed and not published. There must be one. */
EXO_INLINE exo_u64 exo_tx_next_owned_pvt(const struct exo_sender *tx, exo_u64 pos)
{
    exo_u32 argument = exo_claim_argument_pvt(tx);
    for (;; pos++) {
        const exo_word64 *line = exo_tx_line_pvt(tx, pos);
        /* relaxed: only we turn our claim into something else */
        if (exo_load64(&line[EXO_LINE_WORDS], EXO_RELAXED) ==
            exo_control_pvt(pos, EXO_KIND_CLAIM, argument)) {
            return pos;
        }
    }
}

/* Several producers that may die: n positions, not always consecutive; *pos is the first. What was claimed
 * when the ring turns out to be full is discarded. */
EXO_COLD exo_status exo_tx_claim_owned_many_pvt(struct exo_sender *tx, exo_u32 n, exo_u64 *pos)
{
    exo_u64 at = 0;
    exo_u32 got;
    for (got = 0; got < n; got++) {
        exo_u64 next;
        exo_status status = exo_tx_claim_owned_pvt(tx, &next);
        if (status != EXO_OK) {
            for (; got != 0; got--) {
                at = exo_tx_next_owned_pvt(tx, *pos);
                exo_line_commit_pvt(exo_tx_line_pvt(tx, at), exo_control_pvt(at, EXO_KIND_DISCARD, 0));
            }
            (void)exo_tx_notify_pvt(tx, tx->mode, *pos, 0xFFFFFFFFu); /* a receiver may sleep before them */
            return status;
        }
        *pos = got == 0 ? next : *pos;
    }
    return EXO_OK;
}

/* n positions to write. They are consecutive, except that owned claims have to be found one by one with
 * exo_tx_next_owned_pvt(). */
EXO_HOT exo_status exo_tx_claim_pvt(struct exo_sender *tx, const exo_u32 mode, exo_u32 n, exo_u64 *pos)
{
    if ((mode & EXO_MODE_OWNED) != 0) {
        return n == 1 ? exo_tx_claim_owned_pvt(tx, pos) : exo_tx_claim_owned_many_pvt(tx, n, pos);
    }
    if ((mode & EXO_MODE_MP) != 0) {
        return exo_tx_claim_mp_pvt(tx, n, pos);
    }
    if (EXO_UNLIKELY(!exo_tx_has_room_pvt(tx, tx->pos, n))) {
        exo_status status = exo_tx_refresh_pvt(tx, tx->pos, n);
        if (status != EXO_OK) {
            return status;
        }
    }
    *pos = tx->pos;
    tx->pos += n;
    exo_tx_fetch_pvt(tx, *pos + n - 1);
    return EXO_OK;
}

/* Where the next claim will probably begin. */
EXO_HOT exo_u64 exo_tx_guess_pvt(const struct exo_sender *tx, const exo_u32 mode)
{
    if ((mode & EXO_MODE_MP) != 0) {
        return exo_load64(&tx->tx->tail.value, EXO_RELAXED); /* relaxed: a guess */
    }
    return tx->pos;
}

/* How many positions a burst may claim at once: at least 1, at most n. Exact when the ring is short. */
EXO_HOT exo_u32 exo_tx_room_pvt(struct exo_sender *tx, const exo_u32 mode, exo_u64 pos, exo_u32 n)
{
    exo_u64 room;
    if ((mode & EXO_MODE_OWNED) != 0) {
        return 1;
    }
    if (!exo_tx_has_room_pvt(tx, pos, n)) {
        (void)exo_tx_refresh_pvt(tx, pos, n);
    }
    room = tx->limit - pos;
    if ((exo_i64)room < 1) {
        return 1;
    }
    return room < n ? (exo_u32)room : n;
}

/* What a receiver would take: how much, into what, of which kind. */
struct exo_rx_wish {
    exo_u32 least; /* not fewer than this */
    exo_u32 most;
    exo_size size; /* room for each inline message */
    exo_u32 kind;
};

/* The length of the message at pos; of use only if a later swap proves that the slot was still ours to look
 * at. */
EXO_INLINE exo_u64 exo_rx_length_pvt(const struct exo_receiver *rx, exo_u64 pos, exo_u64 control)
{
    exo_u32 argument = exo_control_argument_pvt(control);
    if (EXO_LIKELY(argument != EXO_ARGUMENT_MAX)) {
        return argument; /* the line itself may be written again by now, and not by atomics */
    }
    return exo_load64(exo_rx_line_pvt(rx, pos) + 2, EXO_RELAXED); /* relaxed: acquired with the control */
}

/*
 * Several consumers: counts the published slots from head on that satisfy the wish, and says in *reason what
 * stopped it. A discarded slot that comes first counts alone; behind a message it is taken along.
 */
EXO_HOT exo_u32 exo_rx_ready_mc_pvt(const struct exo_receiver *rx, exo_u64 head,
                                    const struct exo_rx_wish *wish, exo_status *reason)
{
    exo_u32 messages = 0;
    exo_u32 slots = 0;
    *reason = EXO_EMPTY;
    while (messages < wish->most) {
        exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, head + slots));
        exo_u32 kind = exo_control_kind_pvt(control);
        if (!exo_control_is_for_pvt(control, head + slots) || kind == EXO_KIND_NONE) {
            break;
        }
        if (kind == EXO_KIND_DISCARD) {
            if (slots == 0) {
                return 1;
            }
            slots++;
            continue;
        }
        if (kind != wish->kind) {
            *reason = EXO_TYPE_MISMATCH;
            break;
        }
        if (exo_rx_length_pvt(rx, head + slots, control) > wish->size) {
            *reason = EXO_BUFFER_TOO_SMALL;
            break;
        }
        messages++;
        slots++;
    }
    return messages >= wish->least ? slots : 0;
}

/* Several consumers: claim consecutive published slots. */
EXO_HOT exo_status exo_rx_claim_mc_pvt(struct exo_receiver *rx, const struct exo_rx_wish *wish,
                                       exo_u64 *pos, exo_u32 *taken)
{
    exo_u64 head = exo_load64(rx->exact, EXO_RELAXED); /* relaxed: checked by the swap */
    for (;;) {
        exo_status reason;
        exo_u64 now;
        exo_u32 ready = exo_rx_ready_mc_pvt(rx, head, wish, &reason);
        if (ready != 0) {
            /* relaxed: what is read was acquired with the control words; this guards no data */
            if (exo_cas64(rx->exact, &head, head + ready, EXO_RELAXED)) {
                *pos = head;
                *taken = ready;
                return EXO_OK;
            }
            exo_cpu_relax();
            continue;
        }
        now = exo_load64(rx->exact, EXO_RELAXED); /* relaxed: checked by the swap */
        if (now == head) {
            return reason;
        }
        head = now;
    }
}

/* The same, and where there is nothing: why, with a last look after the sender closed. */
EXO_HOT exo_status exo_rx_obtain_mc_pvt(struct exo_receiver *rx, const struct exo_rx_wish *wish,
                                        exo_u64 *pos, exo_u32 *taken)
{
    exo_status status = exo_rx_claim_mc_pvt(rx, wish, pos, taken);
    if (EXO_UNLIKELY(status == EXO_EMPTY)) {
        exo_status reason = exo_rx_empty_reason_pvt(rx);
        if (reason != EXO_EMPTY) {
            status = exo_rx_claim_mc_pvt(rx, wish, pos, taken);
            return status == EXO_EMPTY ? reason : status;
        }
    }
    return status;
}

/* Several consumers: give a slot back. */
EXO_HOT void exo_rx_done_pvt(struct exo_receiver *rx, exo_u64 pos)
{
    /* [ring:done] pairs [ring:done_seen] */
    exo_store32(&rx->done[(exo_u32)pos & rx->mask], (exo_u32)(pos + 1), EXO_RELEASE);
}

/*
 * Several consumers: a claim is a locked instruction, behind which no load begins before it is done, so that each
 * message would wait for its line alone. Where the senders are known to be well ahead, the lines are fetched by the
 * lot. Not where they are near: a line that is fetched before it is written crosses twice more.
 */
EXO_OUTLINE void exo_rx_scout_on_pvt(const struct exo_receiver *rx, exo_u64 pos)
{
    exo_u64 at;
    if (rx->mask < 4 * EXO_SCOUT_STEP || !exo_rx_is_published_pvt(rx, pos + 2 * EXO_SCOUT_STEP)) {
        return;
    }
    for (at = pos + EXO_SCOUT_STEP; at != pos + 2 * EXO_SCOUT_STEP; at++) {
        exo_cpu_prefetch_read(exo_rx_line_pvt(rx, at));
    }
}

EXO_HOT void exo_rx_scout_pvt(const struct exo_receiver *rx, exo_u64 pos)
{
    if (EXO_UNLIKELY(pos % EXO_SCOUT_STEP == 0)) {
        exo_rx_scout_on_pvt(rx, pos);
    }
}

/* Several consumers: step over the discarded slot at pos, unless another one did. */
EXO_COLD void exo_rx_step_over_mc_pvt(struct exo_receiver *rx, exo_u64 pos)
{
    /* relaxed: guards no data, the slot holds none */
    if (exo_cas64(rx->exact, &pos, pos + 1, EXO_RELAXED)) {
        exo_rx_done_pvt(rx, pos);
        exo_rx_notify_pvt(rx, rx->mode, 1);
    }
}

/* Whether the claim at pos stands there long enough to ask after the claimant. At once, where all have gone: the last
 * look before Closed or PeerDied is not to be stopped by it. */
EXO_COLD exo_bool exo_rx_patience_over_pvt(struct exo_receiver *rx, exo_u64 pos)
{
    if (rx->deserted || exo_rx_closed_pvt(rx)) {
        return EXO_TRUE;
    }
    if (rx->claim_pos != pos || rx->claim_ns == 0) {
        rx->claim_pos = pos;
        rx->claim_ns = exo_port_now_ns();
        return EXO_FALSE;
    }
    return exo_life_due_pvt(&rx->claim_ns, EXO_CLAIM_PATIENCE_NS);
}

/* Whether the claim at pos was left by a producer that is dead: buried since, or dead by the kernel's word. It may
 * have published before it died, so the caller must look at the slot again. */
EXO_COLD exo_bool exo_rx_orphan_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u32 argument)
{
    const struct exo_owner *owners = (const struct exo_owner *)(const void *)(rx->tx + 1);
    exo_u32 index = argument & 0xFFu;
    exo_u16 later;
    exo_u64 claim;
    if (index >= rx->producers) {
        return EXO_FALSE;
    }
    /* [claim:buried] pairs [claim:bury] */
    claim = exo_load64(&owners[index].claim, EXO_ACQUIRE);
    later = (exo_u16)((claim >> 48) - (argument >> 8));
    if (later != 0) {
        return later < 0x8000u; /* else an old value of the word, which says nothing */
    }
    if (argument == rx->claim_dead) {
        return EXO_TRUE;
    }
    if (!exo_rx_patience_over_pvt(rx, pos) || !exo_owner_dead_pvt(&owners[index], claim)) {
        return EXO_FALSE;
    }
    rx->claim_dead = argument;
    return EXO_TRUE;
}

#endif
