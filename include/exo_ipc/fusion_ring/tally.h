/* SPDX-License-Identifier: MIT */
/*
 * What the handles of a ring tell their profilers of the messages that pass (probe.h).
 */
#ifndef EXO_IPC_FUSION_RING_TALLY_H
#define EXO_IPC_FUSION_RING_TALLY_H

#include "probe.h"
#include "ring.h"

/* Words from the start of a slot of 128 bytes, where the time stands, to its line. */
#define EXO_STAMP_WORDS 8

/* Who counts makes a call for each message; who does not should not have the code in its way. */
EXO_OUTLINE void exo_tx_count_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    struct exo_profiler *profiler = tx->waker.profiler;
    exo_word64 *stamp = tx->slot_shift == 7 ? exo_tx_line_pvt(tx, pos) - EXO_STAMP_WORDS : (exo_word64 *)EXO_NULL;
    exo_probe_messages_pvt(profiler, messages, bytes, by_reference);
    if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos))) {
        exo_probe_sent_sample_pvt(profiler, stamp, pos, bytes);
    }
}

EXO_OUTLINE void exo_rx_count_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 messages, exo_u64 bytes,
                                  exo_bool by_reference)
{
    struct exo_profiler *profiler = rx->waker.profiler;
    exo_u64 stamp = 0;
    exo_probe_messages_pvt(profiler, messages, bytes, by_reference);
    if (rx->slot_shift == 7) {
        stamp = exo_load64(exo_rx_line_pvt(rx, pos) - EXO_STAMP_WORDS, EXO_RELAXED); /* relaxed: acquired with the slot */
    }
    if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos) || (stamp != 0 && exo_stamp_is_for_pvt(stamp, pos)))) {
        exo_probe_received_sample_pvt(profiler, stamp, pos, bytes);
    }
}

/* Messages are about to be published from pos on. */
EXO_HOT void exo_tx_tally_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    if (EXO_UNLIKELY(EXO_PROBED_PVT(tx->waker.profiler))) {
        exo_tx_count_pvt(tx, pos, messages, bytes, by_reference);
    }
}

/* Messages from pos on were read, and their slots are not given back yet. */
EXO_HOT void exo_rx_tally_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    if (EXO_UNLIKELY(EXO_PROBED_PVT(rx->waker.profiler))) {
        exo_rx_count_pvt(rx, pos, messages, bytes, by_reference);
    }
}

/*
 * The same for inline messages by the shortest calls, which take less time than a call of a function hides in: counted in
 * place, and only what is sampled is out of line. Elsewhere this much code, though nobody counts, makes the compiler keep in
 * memory what it had in registers.
 */
EXO_HOT void exo_tx_tally_inline_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 bytes)
{
    struct exo_profiler *profiler = tx->waker.profiler;
    if (EXO_PROBED_PVT(profiler)) {
        if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos))) {
            exo_tx_count_pvt(tx, pos, 1, bytes, EXO_FALSE);
        } else {
            exo_probe_messages_pvt(profiler, 1, bytes, EXO_FALSE);
        }
    }
}

EXO_HOT void exo_rx_tally_inline_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 bytes)
{
    struct exo_profiler *profiler = rx->waker.profiler;
    if (EXO_PROBED_PVT(profiler)) {
        if (EXO_UNLIKELY(rx->slot_shift == 7 || exo_probe_samples_pvt(profiler, pos))) {
            exo_rx_count_pvt(rx, pos, 1, bytes, EXO_FALSE);
        } else {
            exo_probe_messages_pvt(profiler, 1, bytes, EXO_FALSE);
        }
    }
}

/* The same of the view of a message that may have come by reference. */
EXO_HOT void exo_rx_tally_view_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 token, exo_u64 bytes)
{
    exo_rx_tally_pvt(rx, pos, 1, bytes, token != 0);
}

#endif
