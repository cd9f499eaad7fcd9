/* SPDX-License-Identifier: MIT */
/*
 * What can be waited for: a receiver with something to receive, a sender with room, and whatever else (channels,
 * broadcasts, queues of events) makes itself a struct exo_waitable. wait.h waits for many of them.
 *
 * All of it is private memory of the thread that waits.
 *
 * A look is often not needed: an item that was found with nothing keeps the word that must change first (its probe: for a
 * receiver the control word of its next slot) and the value under which there was nothing. What does not show there,
 * that a peer has closed or died, only a look finds.
 */
#ifndef EXO_IPC_CHANNEL_WAITABLE_H
#define EXO_IPC_CHANNEL_WAITABLE_H

#include "../fusion_ring/sync.h"

/* Events, bit by bit. The first two are as things stand; the next three are final: nothing else will follow. */
#define EXO_READABLE 1u     /* a message can be received */
#define EXO_WRITABLE 2u     /* a slot is free */
#define EXO_PEER_CLOSED 4u  /* the other side closed in order, and nothing is left to receive */
#define EXO_PEER_GONE 8u    /* the other side died, and nothing is left to receive */
#define EXO_REFUSED 16u     /* the handle answers an error for ever, such as EXO_CORRUPT */
#define EXO_QUOTA_LOW 32u   /* only posted (notify.h), as those that follow */
#define EXO_COMPLETION 64u  /* something asynchronous has ended */
#define EXO_USER_EVENT 0x10000u /* and the 14 bits above it: the application's */

#define EXO_EVENTS_FINAL (EXO_PEER_CLOSED | EXO_PEER_GONE | EXO_REFUSED)
#define EXO_EVENTS_ALL 0x7FFFFFFFu

struct exo_wait_chain;
struct exo_notify;

/**
 * struct exo_waitable - one thing to wait for.
 * @events: what exo_wait_many() found: bits of @wanted, and final ones
 * @wanted: what to wait for; final events are always reported. 0: leave this one out. The caller may change it
 *   between calls
 * @object, @look: whatever makes itself waitable, and its state: EXO_OK when it is ready, EXO_EMPTY or EXO_FULL when
 *   not, EXO_CLOSED, EXO_PEER_DIED or another error when it never will be. Wait-free or lock-free, and never asleep
 * @ready: the bit that EXO_OK stands for
 * @sleeper: whose event word changes when @look may answer otherwise; null: it can be looked at, not slept for
 * @peer: whose death changes it, or null
 * @aim: null, or where the word is that changes whenever @look changes from "not ready" to EXO_OK; null for none
 * @mark: null, or a number that differs from @last if, since it was @last, something came that makes the object ready
 * @spread: null, or adds further items that must be slept for as well (exo_wait_chain_add())
 * @queue: the queue of events (notify.h) that @object is, or null
 * @word, @probe, @idle, @cursor: the library's own
 */
struct exo_waitable {
    struct exo_wait_word word; /* first: a chain of words is one of items */
    const exo_word64 *probe;
    exo_u64 idle; /* the value of *probe with which there was nothing */
    exo_u32 events;
    exo_u32 wanted;
    exo_u32 ready;
    exo_u32 cursor; /* of a first item: calls, which say what is looked at whatever its probe says */
    void *object;
    exo_i64 (*look)(void *object);
    const exo_word64 *(*aim)(const void *object);
    exo_u64 (*mark)(const void *object, exo_u64 last);
    void (*spread)(void *object, struct exo_wait_chain *chain);
    struct exo_notify *queue;
    struct exo_sleeper *sleeper;
    struct exo_port_peer *peer;
};

/* An item whose probe is here is always looked at. */
EXO_INLINE void exo_waitable_blind_pvt(struct exo_waitable *item)
{
    static const exo_word64 nothing[1] = {0};
    item->probe = nothing;
    item->idle = 1;
}

/**
 * exo_waitable_init - make an item of anything. For headers that define waitable objects, which then set @peer, @aim,
 * @mark and @spread where they have them.
 * @item: the item, in the caller's memory
 * @object, @look, @ready, @sleeper: see struct exo_waitable
 *
 * Context: any. Progress: wait-free.
 */
EXO_INLINE void exo_waitable_init(struct exo_waitable *item, void *object, exo_i64 (*look)(void *),
                                  exo_u32 ready, struct exo_sleeper *sleeper)
{
    item->events = 0;
    item->wanted = ready;
    item->ready = ready;
    item->cursor = 0;
    item->object = object;
    item->look = look;
    item->aim = (const exo_word64 *(*)(const void *))EXO_NULL;
    item->mark = (exo_u64(*)(const void *, exo_u64))EXO_NULL;
    item->spread = (void (*)(void *, struct exo_wait_chain *))EXO_NULL;
    item->queue = (struct exo_notify *)EXO_NULL;
    item->sleeper = sleeper;
    item->peer = (struct exo_port_peer *)EXO_NULL;
    exo_waitable_blind_pvt(item);
}

EXO_INLINE exo_i64 exo_rx_look_pvt(void *object)
{
    struct exo_receiver *rx = (struct exo_receiver *)object;
    const struct exo_attempt attempt = {exo_try_readable_pvt, (struct exo_sender *)EXO_NULL, rx, EXO_NULL, EXO_NULL, 0};
    if ((rx->mode & EXO_MODE_MC) == 0) {
        exo_u64 control = exo_line_ready_pvt(exo_rx_line_pvt(rx, rx->pos));
        if (exo_control_is_for_pvt(control, rx->pos) && exo_control_carries_pvt(exo_control_kind_pvt(control))) {
            return EXO_OK;
        }
    }
    return exo_try_readable_pvt(&attempt);
}

EXO_INLINE exo_i64 exo_tx_look_pvt(void *object)
{
    struct exo_sender *tx = (struct exo_sender *)object;
    const struct exo_attempt attempt = {exo_try_writable_pvt, tx, (struct exo_receiver *)EXO_NULL, EXO_NULL, EXO_NULL, 0};
    return exo_try_writable_pvt(&attempt);
}

/* With one consumer, nothing comes but by the next slot's control word. */
EXO_INLINE const exo_word64 *exo_rx_aim_pvt(const void *object)
{
    const struct exo_receiver *rx = (const struct exo_receiver *)object;
    return (rx->mode & EXO_MODE_MC) != 0 ? (const exo_word64 *)EXO_NULL
                                         : exo_rx_line_pvt(rx, rx->pos) + EXO_LINE_WORDS;
}

/* And a full ring has no room before the consumed position moves. */
EXO_INLINE const exo_word64 *exo_tx_aim_pvt(const void *object)
{
    const struct exo_sender *tx = (const struct exo_sender *)object;
    return (tx->mode & EXO_MODE_MC) != 0 ? (const exo_word64 *)EXO_NULL : &tx->rx->exact.value;
}

/* The first position from `last` on, or from the next to receive, that is not published. Each message is passed once. */
EXO_INLINE exo_u64 exo_rx_mark_pvt(const void *object, exo_u64 last)
{
    const struct exo_receiver *rx = (const struct exo_receiver *)object;
    /* relaxed: a look, no claim */
    exo_u64 pos = (rx->mode & EXO_MODE_MC) != 0 ? exo_load64(rx->exact, EXO_RELAXED) : rx->pos;
    exo_u64 at = last - pos > (exo_u64)rx->mask + 1 ? pos : last;
    for (; at - pos <= rx->mask; at++) {
        /* relaxed: counts messages, reads none */
        exo_u64 control = exo_load64(exo_rx_line_pvt(rx, at) + EXO_LINE_WORDS, EXO_RELAXED);
        exo_u32 kind = exo_control_kind_pvt(control);
        if (!exo_control_is_for_pvt(control, at) || kind == EXO_KIND_NONE || kind == EXO_KIND_CLAIM) {
            break;
        }
    }
    return at;
}

/* How many messages were ever taken, at least, that made room: changes whenever there is more of it. */
EXO_INLINE exo_u64 exo_tx_mark_pvt(const void *object, exo_u64 last)
{
    const struct exo_sender *tx = (const struct exo_sender *)object;
    (void)last;
    return exo_load64(&tx->rx->exact.value, EXO_RELAXED); /* relaxed: counts, frees nothing */
}

/**
 * exo_waitable_receiver - wait for a receiver: EXO_READABLE.
 * @item: the item, in the caller's memory; it lasts as long as the handle stays attached to the same ring
 * @rx: a receiver handle; it belongs to the thread that waits. Of a polled ring it can only be looked at (EXO_NOW)
 */
EXO_INLINE void exo_waitable_receiver(struct exo_waitable *item, struct exo_receiver *rx)
{
    exo_waitable_init(item, rx, exo_rx_look_pvt, EXO_READABLE,
                      (rx->mode & EXO_MODE_POLLED) != 0 ? (struct exo_sleeper *)EXO_NULL : &rx->sleeper);
    item->peer = rx->peer;
    item->aim = exo_rx_aim_pvt;
    item->mark = exo_rx_mark_pvt;
}

/**
 * exo_waitable_sender - wait for room in a sender's ring: EXO_WRITABLE. As exo_waitable_receiver().
 */
EXO_INLINE void exo_waitable_sender(struct exo_waitable *item, struct exo_sender *tx)
{
    exo_waitable_init(item, tx, exo_tx_look_pvt, EXO_WRITABLE,
                      (tx->mode & EXO_MODE_POLLED) != 0 ? (struct exo_sleeper *)EXO_NULL : &tx->sleeper);
    item->peer = tx->peer;
    item->aim = exo_tx_aim_pvt;
    item->mark = (tx->mode & EXO_MODE_MC) != 0 ? (exo_u64(*)(const void *, exo_u64))EXO_NULL : exo_tx_mark_pvt;
}

EXO_HOT exo_u32 exo_waitable_events_pvt(const struct exo_waitable *item, exo_i64 result)
{
    return exo_attempt_again_pvt(result) ? 0
           : result == EXO_OK            ? item->ready & item->wanted
           : result == EXO_CLOSED        ? EXO_PEER_CLOSED
           : result == EXO_PEER_DIED     ? EXO_PEER_GONE
                                         : EXO_REFUSED;
}

/* Whether the word that would have changed has not. */
EXO_HOT exo_bool exo_waitable_quiet_pvt(const struct exo_waitable *item)
{
    /* relaxed: a hint; whoever finds a change looks, with the order it needs */
    return exo_load64(item->probe, EXO_RELAXED) == item->idle;
}

/* Looks at the object. The probe is read before that: what comes in between differs from it. */
EXO_OUTLINE exo_u32 exo_waitable_look_pvt(struct exo_waitable *item)
{
    const exo_word64 *probe;
    exo_u64 idle = 0;
    exo_i64 result;
    item->events = 0;
    if (item->wanted == 0) {
        return 0;
    }
    probe = item->aim == EXO_NULL ? (const exo_word64 *)EXO_NULL : item->aim(item->object);
    if (probe != EXO_NULL) {
        idle = exo_load64(probe, EXO_RELAXED); /* relaxed: only compared with itself */
    }
    result = item->look(item->object);
    if (exo_attempt_again_pvt(result) && probe != EXO_NULL && item->aim(item->object) == probe) {
        item->probe = probe;
        item->idle = idle;
    } else {
        exo_waitable_blind_pvt(item);
        item->events = exo_waitable_events_pvt(item, result);
    }
    return item->events;
}

/* Looks at one, which was found without sleeping if it is ready. */
EXO_INLINE exo_bool exo_waitable_found_pvt(struct exo_waitable *item)
{
    if (exo_waitable_look_pvt(item) == 0) {
        return EXO_FALSE;
    }
    if (item->sleeper != EXO_NULL && item->sleeper->parked != 0) {
        exo_sleeper_adapt_pvt(item->sleeper, EXO_FALSE);
    }
    return EXO_TRUE;
}

#endif
