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

/* A message that is sampled, at either side. Out of line: the others should not pay for the call. */
EXO_OUTLINE void exo_tx_sample_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 bytes)
{
    exo_word64 *stamp = tx->slot_shift == 7 ? exo_tx_line_pvt(tx, pos) - EXO_STAMP_WORDS : (exo_word64 *)EXO_NULL;
    exo_probe_sent_sample_pvt(tx->waker.profiler, stamp, pos, bytes);
}

EXO_OUTLINE void exo_rx_sample_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 bytes, exo_u64 stamp)
{
    exo_probe_received_sample_pvt(rx->waker.profiler, stamp, pos, bytes);
}

/* Messages are about to be published from pos on. */
EXO_HOT void exo_tx_tally_pvt(struct exo_sender *tx, exo_u64 pos, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    struct exo_profiler *profiler = tx->waker.profiler;
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_messages_pvt(profiler, messages, bytes, by_reference);
        if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos))) {
            exo_tx_sample_pvt(tx, pos, bytes);
        }
    }
}

/* Messages from pos on were read, and their slots are not given back yet. */
EXO_HOT void exo_rx_tally_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    struct exo_profiler *profiler = rx->waker.profiler;
    exo_u64 stamp = 0;
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_messages_pvt(profiler, messages, bytes, by_reference);
        if (rx->slot_shift == 7) {
            stamp = exo_load64(exo_rx_line_pvt(rx, pos) - EXO_STAMP_WORDS, EXO_RELAXED); /* relaxed: acquired with the slot */
        }
        if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos) || (stamp != 0 && exo_stamp_is_for_pvt(stamp, pos)))) {
            exo_rx_sample_pvt(rx, pos, bytes, stamp);
        }
    }
}

/* The same of the view of a message that may have come by reference. */
EXO_HOT void exo_rx_tally_view_pvt(struct exo_receiver *rx, exo_u64 pos, exo_u64 token, exo_u64 bytes)
{
    exo_rx_tally_pvt(rx, pos, 1, bytes, token != 0);
}

#endif
