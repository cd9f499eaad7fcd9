/* SPDX-License-Identifier: MIT */
/*
 * The urgent lane, as its receiver sees it: the most urgent message first, among equals the oldest.
 *
 * The receiver notes the priority of each message once, when it first sees it, in memory of its own, and takes messages
 * out of their order; the slots are given back in order, so one that waits in front holds back the slots behind it.
 *
 * So that a message of the main lane is not passed over for ever, it is received after EXO_URGENT_IN_A_ROW urgent ones.
 *
 * Progress: wait-free, at most EXO_URGENT_SLOTS looks.
 */
#ifndef EXO_IPC_CHANNEL_URGENT_H
#define EXO_IPC_CHANNEL_URGENT_H

#include "handle.h"

#define EXO_URGENT_IN_A_ROW 256u

EXO_INLINE exo_u64 exo_urgent_bit_pvt(exo_u64 pos)
{
    return (exo_u64)1 << (pos & (EXO_URGENT_SLOTS - 1));
}

/* Whether something stands at pos. */
EXO_HOT exo_bool exo_urgent_published_pvt(const struct exo_receiver *rx, exo_u64 pos)
{
    exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, pos));
    return exo_control_is_for_pvt(control, pos) && exo_control_kind_pvt(control) != EXO_KIND_NONE;
}

/* Note what has come since the last look. */
EXO_INLINE void exo_urgent_look_pvt(struct exo_channel *channel)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_URGENT];
    struct exo_urgent *urgent = &channel->urgent;
    while (urgent->seen - rx->pos <= rx->mask && exo_urgent_published_pvt(rx, urgent->seen)) {
        const exo_word64 *line = exo_rx_line_pvt(rx, urgent->seen);
        exo_u64 word = exo_load64(line - EXO_MESSAGE_HEADER_WORDS, EXO_RELAXED); /* relaxed: acquired with the control word */
        exo_u8 first[8];
        __builtin_memcpy(first, &word, sizeof(first));
        urgent->priority[urgent->seen & (EXO_URGENT_SLOTS - 1)] =
            first[__builtin_offsetof(struct exo_message_header, priority)];
        urgent->waiting |= exo_urgent_bit_pvt(urgent->seen);
        urgent->seen++;
    }
}

/* The position to receive next; something is waiting. */
EXO_INLINE exo_u64 exo_urgent_best_pvt(const struct exo_channel *channel)
{
    const struct exo_urgent *urgent = &channel->urgent;
    exo_u64 pos = channel->rx[EXO_LANE_URGENT].pos;
    exo_u64 best = pos;
    exo_i32 highest = -1;
    for (; pos != urgent->seen; pos++) {
        exo_u8 priority = urgent->priority[pos & (EXO_URGENT_SLOTS - 1)];
        if ((urgent->waiting & exo_urgent_bit_pvt(pos)) != 0 && priority > highest) {
            highest = priority;
            best = pos;
        }
    }
    return best;
}

/* Receive the most urgent message; something is waiting. */
EXO_OUTLINE exo_status exo_urgent_take_pvt(struct exo_channel *channel, struct exo_message *message)
{
    struct exo_receiver *rx = &channel->rx[EXO_LANE_URGENT];
    exo_u64 pos = exo_urgent_best_pvt(channel);
    exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, pos));
    exo_u32 given = 0;
    exo_status status = EXO_CORRUPT;
    message->loan.data = EXO_NULL;
    message->loan.token = 0;
    if (exo_message_stands_pvt(control, pos)) {
        status = exo_message_parse_pvt(rx, exo_rx_line_pvt(rx, pos), control, message);
    }
    if (status != EXO_OK) {
        return exo_channel_refuse_pvt(channel, EXO_CORRUPT);
    }
    exo_rx_tally_view_pvt(rx, pos, message->view.token, message->view.len);
    message->place = exo_channel_place(EXO_LANE_URGENT, pos);
    channel->urgent.waiting &= ~exo_urgent_bit_pvt(pos);
    while (rx->pos + given != channel->urgent.seen &&
           (channel->urgent.waiting & exo_urgent_bit_pvt(rx->pos + given)) == 0) {
        given++;
    }
    if (given != 0) {
        exo_rx_advance_pvt(rx, rx->mode, given);
    }
    return EXO_OK;
}

/* Whether an urgent message is to be received now. */
EXO_HOT exo_bool exo_urgent_first_pvt(struct exo_channel *channel)
{
    struct exo_urgent *urgent = &channel->urgent;
    struct exo_receiver *main_lane = &channel->rx[EXO_LANE_MAIN];
    if (EXO_LIKELY(urgent->waiting == 0 && !exo_urgent_published_pvt(&channel->rx[EXO_LANE_URGENT], urgent->seen))) {
        urgent->passed = 0;
        return EXO_FALSE;
    }
    exo_urgent_look_pvt(channel);
    if (urgent->waiting == 0) {
        return EXO_FALSE;
    }
    if (!exo_rx_is_published_pvt(main_lane, main_lane->pos)) {
        urgent->passed = 0;
        return EXO_TRUE;
    }
    if (urgent->passed >= EXO_URGENT_IN_A_ROW) {
        urgent->passed = 0;
        return EXO_FALSE;
    }
    urgent->passed++;
    return EXO_TRUE;
}

#endif
