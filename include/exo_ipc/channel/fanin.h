/* SPDX-License-Identifier: MIT */
/*
 * Fan-in: one receiver, many senders that distrust each other. Each sender has a lane of its own, a whole channel or a
 * ring, that no other sender has mapped; the fan-in is how one thread receives from all of them by one call.
 *
 *     sender 0 --- lane 0 --.
 *     sender 1 --- lane 1 ---+--- exo_fanin_recv --- and who it came from: exo_reply
 *     sender 2 --- lane 2 --'
 *
 * All of it is private memory of the receiving thread; nothing is shared that was not shared before. Senders need not
 * know of it, and come and go at run time.
 *
 * Fairness: the lanes take turns. A turn ends when the lane has nothing left, or after EXO_FANIN_IN_A_ROW messages if
 * another lane has something: so between two turns of a lane there are at most that many messages of each other lane,
 * however one of them floods. Within a lane the order is that of its own: urgent messages first, then as they were sent.
 *
 * A lane that was found empty rests (fanin_lanes.h): it costs a look at one word, of a channel at two, while others are
 * busy. What does not show there, that a sender has closed or died, is found when nothing else is there, before each
 * sleep, and while others are busy by trying one more lane, in turn, for every EXO_FANIN_IN_A_ROW messages.
 *
 * The end of a lane (closed, dead, corrupt) is a result like a message, told once, behind the last message; the lane is
 * out of the fan-in then, and the others go on.
 *
 * A hostile sender can spoil its own lane. It costs the others the time of its turns; a slot that says it is published
 * and is not costs one fruitless attempt a turn, a storm of wakes as many looks.
 */
#ifndef EXO_IPC_CHANNEL_FANIN_H
#define EXO_IPC_CHANNEL_FANIN_H

#include "../fusion_ring/batch_recv.h"
#include "fanin_lanes.h"

/* What a call wants of whichever lane it finds: a message; or `most` raw ones of `size` bytes. */
struct exo_fanin_wish {
    struct exo_message *message;
    void *buffer;
    exo_size size;
    exo_size most;
    exo_u32 *lengths;
    struct exo_fanin_from *from;
};

/* Receive from one lane. Returns EXO_OK, a length, or a number of messages, as the wish is. */
EXO_INLINE exo_i64 exo_fanin_take_pvt(struct exo_fanin_lane *lane, const struct exo_fanin_wish *wish)
{
    exo_i64 result;
    if (lane->channel != EXO_NULL) {
        result = exo_channel_recv(lane->channel, wish->message);
    } else if (wish->most == 0) {
        result = exo_recv_inline(lane->rx, wish->buffer, wish->size);
    } else {
        exo_size most = wish->most < EXO_FANIN_IN_A_ROW ? wish->most : EXO_FANIN_IN_A_ROW;
        result = exo_recv_burst(lane->rx, wish->buffer, wish->size, most, wish->lengths);
    }
    return result;
}

EXO_HOT void exo_fanin_name_pvt(const struct exo_fanin_lane *lane, struct exo_fanin_from *from)
{
    from->key = lane->key;
    from->channel = lane->channel;
    from->rx = lane->rx;
}

/* What the lane whose turn it is has answered is the answer of the call. A lane at its end goes. */
EXO_INLINE exo_i64 exo_fanin_tell_pvt(struct exo_fanin *fanin, exo_i64 result, const struct exo_fanin_wish *wish)
{
    exo_fanin_name_pvt(&fanin->lanes[fanin->at], wish->from);
    if (result >= 0) {
        exo_u32 taken = wish->most == 0 ? 1 : (exo_u32)result;
        fanin->left -= taken < fanin->left ? taken : fanin->left;
        return result;
    }
    fanin->left = 0;
    if (result != EXO_TYPE_MISMATCH && result != EXO_BUFFER_TOO_SMALL) {
        exo_fanin_leave_pvt(fanin, fanin->at);
    }
    return result;
}

/* Once round, from the lane behind the last one on: those that do not rest, or all. */
EXO_INLINE exo_i64 exo_fanin_round_pvt(struct exo_fanin *fanin, const struct exo_fanin_wish *wish, exo_bool all)
{
    exo_u32 i;
    for (i = 0; i < fanin->count; i++) {
        struct exo_fanin_lane *lane;
        fanin->at = fanin->at + 1 < fanin->count ? fanin->at + 1 : 0;
        lane = &fanin->lanes[fanin->at];
        if (all || !exo_fanin_rests_pvt(lane)) {
            exo_i64 result = exo_fanin_take_pvt(lane, wish);
            if (result != EXO_EMPTY) {
                return result;
            }
            (void)exo_fanin_rest_pvt(lane);
        }
    }
    return EXO_EMPTY;
}

/* A turn is over: after some messages, have a lane tried that rests. */
EXO_INLINE void exo_fanin_patrol_pvt(struct exo_fanin *fanin)
{
    fanin->since += EXO_FANIN_IN_A_ROW - fanin->left;
    if (fanin->since >= EXO_FANIN_IN_A_ROW) {
        fanin->since = 0;
        fanin->patrol = fanin->patrol + 1 < fanin->count ? fanin->patrol + 1 : 0;
        exo_fanin_rouse_pvt(&fanin->lanes[fanin->patrol]);
    }
}

/* Something was found, at once or after a sleep: who finds often without sleeping asks the lane's sender to fence no
 * more (wake.h). */
EXO_INLINE void exo_fanin_found_pvt(struct exo_fanin *fanin)
{
    struct exo_sleeper *sleeper = &fanin->lanes[fanin->at].rx->sleeper;
    if (sleeper->parked != 0 && !fanin->slept) {
        exo_sleeper_adapt_pvt(sleeper, EXO_FALSE);
    }
    fanin->slept = EXO_FALSE;
}

/* Receive from the lane whose turn it is, or from the next one that has something. */
EXO_OUTLINE exo_i64 exo_fanin_next_pvt(struct exo_fanin *fanin, const struct exo_fanin_wish *wish)
{
    exo_i64 result = EXO_EMPTY;
    if (fanin->count == 0) {
        return EXO_EMPTY;
    }
    if ((wish->message == EXO_NULL) != (fanin->lanes[0].channel == EXO_NULL)) {
        wish->from->rx = (struct exo_receiver *)EXO_NULL;
        return EXO_TYPE_MISMATCH;
    }
    if (fanin->left != 0 && !exo_fanin_rest_pvt(&fanin->lanes[fanin->at])) {
        result = exo_fanin_take_pvt(&fanin->lanes[fanin->at], wish);
    }
    if (result == EXO_EMPTY) {
        exo_fanin_patrol_pvt(fanin);
        result = exo_fanin_round_pvt(fanin, wish, EXO_FALSE);
        if (result == EXO_EMPTY) {
            result = exo_fanin_round_pvt(fanin, wish, EXO_TRUE);
        }
        fanin->left = result == EXO_EMPTY ? 0 : EXO_FANIN_IN_A_ROW;
    }
    if (result == EXO_EMPTY) {
        return result;
    }
    exo_fanin_found_pvt(fanin);
    return exo_fanin_tell_pvt(fanin, result, wish);
}

EXO_INLINE struct exo_fanin_wish exo_fanin_wish_pvt(struct exo_message *message, struct exo_fanin_from *from)
{
    struct exo_fanin_wish wish;
    wish.message = message;
    wish.buffer = EXO_NULL;
    wish.size = 0;
    wish.most = 0;
    wish.lengths = (exo_u32 *)EXO_NULL;
    wish.from = from;
    return wish;
}

EXO_INLINE struct exo_fanin_wish exo_fanin_raw_wish_pvt(void *buffer, exo_size size, struct exo_fanin_from *from)
{
    struct exo_fanin_wish wish = exo_fanin_wish_pvt((struct exo_message *)EXO_NULL, from);
    wish.buffer = buffer;
    wish.size = size;
    return wish;
}

/**
 * exo_fanin_recv - receive the next message of any channel, without waiting.
 * @fanin: the fan-in
 * @message: as exo_channel_recv(); give it back with exo_channel_release(from->channel, ...)
 * @from: where it came from, or which lane has ended; written unless the answer is EXO_EMPTY or EXO_TYPE_MISMATCH.
 *   A request is answered by exo_reply(from->channel, ...)
 *
 * Returns: EXO_OK; EXO_EMPTY: there is nothing in any lane; EXO_CLOSED, EXO_PEER_DIED, EXO_CORRUPT: the lane @from is
 * at its end and out of the fan-in, while its channel stays open (a peer that sends no more may wait for answers) until
 * it is closed; EXO_TYPE_MISMATCH if the lanes are receivers.
 * Context: the receiving thread; not from an interrupt that may have interrupted it. Ordering: acquire.
 * Progress: wait-free, in two rounds of the lanes.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_recv(struct exo_fanin *fanin, struct exo_message *message,
                                                  struct exo_fanin_from *from)
{
    const struct exo_fanin_wish wish = exo_fanin_wish_pvt(message, from);
    return (exo_status)exo_fanin_next_pvt(fanin, &wish);
}

/**
 * exo_fanin_recv_burst - receive up to n messages of one channel, the rest of its turn at most, without waiting.
 * @messages: n of them; do not move them
 * @n: how many at most, 1 or more; not more than EXO_FANIN_IN_A_ROW come
 * @from: of all of them
 *
 * Returns: how many, 1 or more; else as exo_fanin_recv(). Context, Ordering, Progress: as there.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_fanin_recv_burst(struct exo_fanin *fanin, struct exo_message *messages,
                                                     exo_size n, struct exo_fanin_from *from)
{
    struct exo_fanin_lane *lane;
    exo_i64 got = 1;
    exo_status status = n == 0 ? EXO_INVALID_ARGUMENT : exo_fanin_recv(fanin, messages, from);
    if (status != EXO_OK) {
        return status;
    }
    lane = &fanin->lanes[fanin->at];
    while ((exo_size)got < n && fanin->left != 0 && !exo_fanin_rest_pvt(lane) &&
           exo_channel_recv(lane->channel, &messages[got]) == EXO_OK) {
        fanin->left--;
        got++;
    }
    return got;
}

/**
 * exo_fanin_recv_inline - receive the next message of at most 56 bytes of any ring, without waiting.
 * @buffer, @size: as exo_recv_inline()
 * @from: as exo_fanin_recv()
 *
 * Returns: the length, 0 to 56; EXO_EMPTY; EXO_BUFFER_TOO_SMALL or EXO_TYPE_MISMATCH: the message stays in the lane
 * @from (from->rx null: the lanes are channels), whose turn is over; take it with the calls of its receiver; EXO_CLOSED,
 * EXO_PEER_DIED, EXO_CORRUPT: as exo_fanin_recv().
 * Context, Ordering, Progress: as exo_fanin_recv().
 */
EXO_HOT EXO_MUST_USE exo_i64 exo_fanin_recv_inline(struct exo_fanin *fanin, void *buffer, exo_size size,
                                                   struct exo_fanin_from *from)
{
    struct exo_fanin_wish wish;
    if (EXO_LIKELY(fanin->left != 0)) {
        const struct exo_fanin_lane *lane = &fanin->lanes[fanin->at];
        struct exo_receiver *rx = lane->rx;
        exo_u64 pos = rx->pos;
        const exo_word64 *line = exo_rx_line_pvt(rx, pos);
        exo_size len;
        if (EXO_LIKELY(exo_rx_plain_pvt(exo_line_ready_pvt(line), pos, size, &len))) {
            exo_line_read_pvt(buffer, line, len);
            exo_rx_tally_pvt(rx, pos, 1, len, EXO_FALSE);
            exo_rx_reach_pvt(rx, EXO_SPSC, pos + 1, 1);
            exo_fanin_name_pvt(lane, from);
            fanin->left--;
            return (exo_i64)len;
        }
    }
    wish = exo_fanin_raw_wish_pvt(buffer, size, from);
    return exo_fanin_next_pvt(fanin, &wish);
}

/**
 * exo_fanin_recv_inline_burst - receive up to n messages of at most 56 bytes of one ring, without waiting.
 * @items, @size, @n, @lengths: as exo_recv_burst(); not more than EXO_FANIN_IN_A_ROW come
 * @from: of all of them
 *
 * Returns: how many, 1 or more; else as exo_fanin_recv_inline(). Context, Ordering, Progress: as there.
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_fanin_recv_inline_burst(struct exo_fanin *fanin, void *items, exo_size size,
                                                            exo_size n, exo_u32 *lengths,
                                                            struct exo_fanin_from *from)
{
    struct exo_fanin_wish wish = exo_fanin_raw_wish_pvt(items, size, from);
    wish.most = n;
    wish.lengths = lengths;
    return n == 0 ? (exo_i64)EXO_INVALID_ARGUMENT : exo_fanin_next_pvt(fanin, &wish);
}

/* Whether a receiving call has something to say. Looks at all lanes, so that nobody sleeps beside a message. */
EXO_INLINE exo_i64 exo_fanin_look_pvt(void *object)
{
    struct exo_fanin *fanin = (struct exo_fanin *)object;
    exo_u32 i;
    for (i = 0; i < fanin->count; i++) {
        const struct exo_waitable *item = &fanin->lanes[i].item;
        if (item->look(item->object) != EXO_EMPTY) {
            return EXO_OK;
        }
    }
    return EXO_EMPTY;
}

/* Before a sleep: it ends with news of any lane. */
EXO_INLINE void exo_fanin_spread_pvt(void *object, struct exo_wait_chain *chain)
{
    struct exo_fanin *fanin = (struct exo_fanin *)object;
    exo_u32 i;
    for (i = 0; i < fanin->count; i++) {
        struct exo_waitable *item = &fanin->lanes[i].item;
        if (item->sleeper != EXO_NULL) {
            exo_sleeper_adapt_pvt(item->sleeper, EXO_TRUE);
            exo_wait_chain_add(chain, item, item->peer);
        } else if (chain->most == 0 || chain->most > EXO_PORT_MANY_SLICE_NS) {
            chain->most = EXO_PORT_MANY_SLICE_NS; /* nobody wakes us for it */
        }
    }
    fanin->slept = EXO_TRUE;
}

/**
 * exo_waitable_fanin - wait for what a fan-in receives, among other things: EXO_READABLE, also for the end of a lane.
 * @item: the item, in the caller's memory; it lasts as long as the fan-in, whatever lanes come and go
 * @fanin: the fan-in. None of its lanes may be waited for by itself in the same call. With polled lanes it can only be
 *   looked at (EXO_NOW); where they were added later, a sleep looks at them each millisecond
 */
EXO_INLINE void exo_waitable_fanin(struct exo_waitable *item, struct exo_fanin *fanin)
{
    exo_waitable_init(item, fanin, exo_fanin_look_pvt, EXO_READABLE,
                      fanin->polled != 0 ? (struct exo_sleeper *)EXO_NULL : &fanin->sleeper);
    item->spread = exo_fanin_spread_pvt;
}

/* There was nothing: wait until there is. A lane that says it has something, and has not, is no reason to stay beyond the
 * deadline. */
EXO_OUTLINE exo_i64 exo_fanin_wait_pvt(struct exo_fanin *fanin, const struct exo_fanin_wish *wish, exo_u64 deadline_ns)
{
    struct exo_waitable item;
    exo_i64 result = EXO_EMPTY;
    if (deadline_ns == EXO_NOW) {
        return EXO_WOULD_BLOCK;
    }
    if (fanin->count == 0) {
        return EXO_NOT_FOUND;
    }
    exo_waitable_fanin(&item, fanin);
    while (result == EXO_EMPTY) {
        result = exo_many_wait_pvt(&item, 1, deadline_ns);
        if (result < 0) {
            return result;
        }
        result = exo_fanin_next_pvt(fanin, wish);
        if (result == EXO_EMPTY && deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
            return EXO_TIMEOUT;
        }
        exo_cpu_relax();
    }
    return result;
}

/**
 * exo_fanin_recv_blocking - exo_fanin_recv(), waiting until a deadline.
 * @fanin, @message, @from: as exo_fanin_recv()
 * @deadline_ns: absolute, or EXO_NOW, or EXO_FOREVER
 *
 * Returns: as exo_fanin_recv() but never EXO_EMPTY; EXO_TIMEOUT; EXO_WOULD_BLOCK with EXO_NOW; EXO_NOT_FOUND without
 * lanes; EXO_NOT_SUPPORTED when it would have to sleep for a polled one.
 * Context: not from an interrupt, may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_fanin_recv_blocking(struct exo_fanin *fanin, struct exo_message *message,
                                                           struct exo_fanin_from *from, exo_u64 deadline_ns)
{
    const struct exo_fanin_wish wish = exo_fanin_wish_pvt(message, from);
    exo_i64 result = exo_fanin_next_pvt(fanin, &wish);
    return (exo_status)(result != EXO_EMPTY ? result : exo_fanin_wait_pvt(fanin, &wish, deadline_ns));
}

/**
 * exo_fanin_recv_inline_blocking - exo_fanin_recv_inline(), waiting until a deadline. Otherwise as
 * exo_fanin_recv_blocking().
 */
EXO_INLINE EXO_MUST_USE exo_i64 exo_fanin_recv_inline_blocking(struct exo_fanin *fanin, void *buffer, exo_size size,
                                                               struct exo_fanin_from *from, exo_u64 deadline_ns)
{
    const struct exo_fanin_wish wish = exo_fanin_raw_wish_pvt(buffer, size, from);
    exo_i64 result = exo_fanin_recv_inline(fanin, buffer, size, from);
    return result != EXO_EMPTY ? result : exo_fanin_wait_pvt(fanin, &wish, deadline_ns);
}

#endif
