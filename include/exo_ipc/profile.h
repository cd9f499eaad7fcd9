/* SPDX-License-Identifier: MIT */
/*
 * The profiler: counters, times and a trace for each side of a ring, a channel or a broadcast.
 *
 *   #define EXO_IPC_PROFILER 1          in front of the first header, or -DEXO_IPC_PROFILER=1
 *
 *   exo_profiler_init(memory, ...)      once, in memory of the caller's
 *   exo_profile_receiver(&rx, profiler) from now on rx counts there
 *   exo_profile_counters(...)           at any time, by anybody who sees the memory
 *   exo_histogram_at(&profiler->transit, 999000), exo_profile_ns(profiler, ...)
 *   exo_profile_trace(profiler, ...)
 *
 * What is counted stands beside struct exo_counters. How long a message was under way is measured of one in `every`, and
 * only of messages with headers (channels, and rings with slots of 128 bytes): the others have no room for a time. The
 * sender decides which, so both sides must count. Waits are measured one by one, and so are calls.
 *
 * Not compiled in, the profiler costs a word in each handle, which nobody reads. Compiled in, a handle without one pays a
 * load and a branch for each message.
 *
 * A profiler belongs to the thread that its handle belongs to. Sides that different threads use need one each; those of
 * one thread may share one, which then counts them together. Detach it, or close the handle, before the memory goes.
 */
#ifndef EXO_IPC_PROFILE_H
#define EXO_IPC_PROFILE_H

#include "channel/broadcast.h"
#include "channel/channel.h"
#include "fusion_ring/probe.h"

/* Of how many messages one is sampled, when the configuration does not say. */
#define EXO_PROFILE_EVERY 64u
#define EXO_PROFILE_EVENTS_MAX (1u << 24)

/**
 * struct exo_profiler_config - what a profiler shall do. All zero is a sensible default.
 * @every: of so many messages one is timed and traced: a power of two up to 2^31; 1 means each; 0 means 64
 * @events: how many of the last events the trace keeps: a power of two up to 2^24; 0 means none
 */
struct exo_profiler_config {
    exo_u32 every;
    exo_u32 events;
};

/* What both clocks show at one moment. The thread may be stopped between two looks: the best of a few counts. */
EXO_INLINE void exo_profile_moment_pvt(exo_u64 *ticks, exo_u64 *ns)
{
    exo_u64 least = ~(exo_u64)0;
    exo_u32 turn;
    for (turn = 0; turn < 8; turn++) {
        exo_u64 before = exo_port_now_ns();
        exo_u64 between = exo_ticks();
        exo_u64 took = exo_port_now_ns() - before;
        if (took < least) {
            least = took;
            *ticks = between;
            *ns = before + took / 2;
        }
    }
}

/* Whether a configuration can be had. */
EXO_INLINE exo_bool exo_profiler_config_ok_pvt(const struct exo_profiler_config *config)
{
    return config == EXO_NULL || ((config->every == 0 || exo_is_pow2(config->every)) &&
                                  (config->events == 0 || (exo_is_pow2(config->events) &&
                                                           config->events <= EXO_PROFILE_EVENTS_MAX)));
}

/**
 * exo_profiler_bytes - memory that a profiler needs, in bytes.
 * @config: null means the default
 *
 * Returns: a multiple of 64; 0 for a configuration that cannot be had. Context: any.
 */
EXO_INLINE exo_size exo_profiler_bytes(const struct exo_profiler_config *config)
{
    exo_size events = config == EXO_NULL ? 0 : config->events;
    if (!exo_profiler_config_ok_pvt(config)) {
        return 0;
    }
    return (exo_size)exo_align_up(sizeof(struct exo_profiler) + events * sizeof(struct exo_trace_entry), EXO_CACHE_LINE);
}

/**
 * exo_profiler_init - make a profiler, with everything at zero.
 * @memory: aligned to 64 bytes; may be shared with others, read-only if they are not to be trusted
 * @bytes: of it, exo_profiler_bytes() or more
 * @config: null means the default
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT for a configuration that cannot be had, or memory that is none or not aligned;
 * EXO_NO_MEMORY if it is too small. Context: any; nobody may count there meanwhile.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_profiler_init(void *memory, exo_size bytes,
                                                     const struct exo_profiler_config *config)
{
    struct exo_profiler *profiler = (struct exo_profiler *)memory;
    exo_word64 *words = (exo_word64 *)memory;
    exo_size needed = exo_profiler_bytes(config);
    exo_u64 every = config == EXO_NULL || config->every == 0 ? EXO_PROFILE_EVERY : config->every;
    exo_u64 events = config == EXO_NULL ? 0 : config->events;
    exo_u64 ticks = 0;
    exo_u64 ns = 0;
    exo_size i;
    if (needed == 0 || memory == EXO_NULL || !exo_is_aligned(memory, EXO_CACHE_LINE)) {
        return EXO_INVALID_ARGUMENT;
    }
    if (bytes < needed) {
        return EXO_NO_MEMORY;
    }
    for (i = 0; i < needed / sizeof(exo_word64); i++) {
        exo_store64(&words[i], 0, EXO_RELAXED); /* relaxed: handed over with the pointer */
    }
    exo_profile_moment_pvt(&ticks, &ns);
    exo_store64(&profiler->every, every - 1, EXO_RELAXED);      /* relaxed: same */
    exo_store64(&profiler->trace.size, events, EXO_RELAXED);    /* relaxed: same */
    exo_store64(&profiler->began_ticks, ticks, EXO_RELAXED);    /* relaxed: same */
    exo_store64(&profiler->began_ns, ns, EXO_RELAXED);          /* relaxed: same */
    return EXO_OK;
}

/* Whether handles count in this translation unit. */
EXO_INLINE exo_status exo_profile_status_pvt(void)
{
    return EXO_IPC_PROFILER != 0 ? EXO_OK : EXO_NOT_SUPPORTED;
}

/**
 * exo_profile_sender - let a sending handle count, or stop it.
 * @tx: sender handle
 * @profiler: null: count no more
 *
 * Returns: EXO_OK; EXO_NOT_SUPPORTED where the profiler is not compiled in: nothing is changed then.
 * Context: the sender's side.
 */
EXO_INLINE exo_status exo_profile_sender(struct exo_sender *tx, struct exo_profiler *profiler)
{
    exo_status status = exo_profile_status_pvt();
    if (status == EXO_OK) {
        tx->waker.profiler = profiler;
    }
    return status;
}

/**
 * exo_profile_receiver - let a receiving handle count, or stop it. As exo_profile_sender(), on the receiver's side.
 */
EXO_INLINE exo_status exo_profile_receiver(struct exo_receiver *rx, struct exo_profiler *profiler)
{
    exo_status status = exo_profile_status_pvt();
    if (status == EXO_OK) {
        rx->waker.profiler = profiler;
    }
    return status;
}

/**
 * exo_profile_channel - let an end of a channel count, or stop it.
 * @channel: the end
 * @sent: for what it sends, by all lanes; null: not counted
 * @received: for what it receives, and for its calls; null: not counted. May be the same if one thread does both
 *
 * Returns: as exo_profile_sender(). Context: by the thread that the channel belongs to, while nobody else uses it.
 */
EXO_INLINE exo_status exo_profile_channel(struct exo_channel *channel, struct exo_profiler *sent,
                                          struct exo_profiler *received)
{
    exo_status status = exo_profile_status_pvt();
    exo_u32 i;
    for (i = 0; i < EXO_LANES_CHANNEL && status == EXO_OK; i++) {
        channel->tx[i].waker.profiler = sent;
        channel->rx[i].waker.profiler = received;
    }
    return status;
}

/**
 * exo_profile_publisher - let the sender of a broadcast count, or stop it. As exo_profile_sender().
 */
EXO_INLINE exo_status exo_profile_publisher(struct exo_publisher *tx, struct exo_profiler *profiler)
{
    exo_status status = exo_profile_status_pvt();
    if (status == EXO_OK) {
        tx->profiler = profiler;
    }
    return status;
}

/**
 * exo_profile_subscriber - let a subscriber count, or stop it. As exo_profile_sender(), on the subscriber's side. What it
 * missed, exo_subscriber_missed_all() tells.
 */
EXO_INLINE exo_status exo_profile_subscriber(struct exo_subscriber *sub, struct exo_profiler *profiler)
{
    exo_status status = exo_profile_status_pvt();
    if (status == EXO_OK) {
        sub->waker.profiler = profiler;
    }
    return status;
}

/**
 * exo_profile_counters - what was counted so far.
 * @profiler: may be written meanwhile
 * @counters: each of them as it was at some moment of the call
 *
 * Context: any. Progress: wait-free.
 */
EXO_INLINE void exo_profile_counters(const struct exo_profiler *profiler, struct exo_counters *counters)
{
    const struct exo_counters *from = &profiler->counters;
    counters->messages = exo_load64(&from->messages, EXO_RELAXED); /* relaxed, all of them: figures */
    counters->bytes = exo_load64(&from->bytes, EXO_RELAXED);
    counters->by_reference = exo_load64(&from->by_reference, EXO_RELAXED);
    counters->full = exo_load64(&from->full, EXO_RELAXED);
    counters->empty = exo_load64(&from->empty, EXO_RELAXED);
    counters->waits = exo_load64(&from->waits, EXO_RELAXED);
    counters->spins_paid = exo_load64(&from->spins_paid, EXO_RELAXED);
    counters->sleeps = exo_load64(&from->sleeps, EXO_RELAXED);
    counters->wakes = exo_load64(&from->wakes, EXO_RELAXED);
}

/* numerator * 2^32 / denominator, digit by digit: there is no division of 64 bits. Both below 2^62. */
EXO_INLINE exo_u64 exo_profile_ratio_pvt(exo_u64 numerator, exo_u64 denominator)
{
    exo_u64 quotient = 0;
    exo_u64 rest = 0;
    exo_u32 bit;
    for (bit = 96; bit-- != 0;) {
        rest = rest << 1 | (bit >= 32 ? (numerator >> (bit - 32)) & 1u : 0);
        quotient <<= 1;
        if (rest >= denominator) {
            rest -= denominator;
            quotient |= 1;
        }
    }
    return quotient;
}

/* ticks * scale / 2^32, for ticks below 2^48 and a scale below 2^46. */
EXO_INLINE exo_u64 exo_profile_scaled_pvt(exo_u64 ticks, exo_u64 scale)
{
    exo_u64 whole = (ticks >> 32) * scale;
    exo_u64 high = ((ticks >> 16) & 0xFFFFu) * scale >> 16;
    exo_u64 low = (ticks & 0xFFFFu) * scale >> 32;
    return whole + high + low;
}

/**
 * exo_profile_ns - how long so many ticks are, in nanoseconds.
 * @profiler: one of this machine; the rate is what the clocks did since exo_profiler_init(), so that it is better than 1 %
 *   some tens of microseconds after
 * @ticks: a difference, below 2^48
 *
 * Context: any. Progress: wait-free.
 */
EXO_INLINE exo_u64 exo_profile_ns(const struct exo_profiler *profiler, exo_u64 ticks)
{
    exo_u64 passed_ticks = 0;
    exo_u64 passed_ns = 0;
    exo_profile_moment_pvt(&passed_ticks, &passed_ns);
    passed_ticks -= exo_load64(&profiler->began_ticks, EXO_RELAXED); /* relaxed: constant */
    passed_ns -= exo_load64(&profiler->began_ns, EXO_RELAXED);       /* relaxed: constant */
    return exo_profile_scaled_pvt(ticks, passed_ticks == 0 ? (exo_u64)1 << 32
                                                           : exo_profile_ratio_pvt(passed_ns, passed_ticks));
}

/**
 * exo_profile_trace - the next event of the trace.
 * @profiler: may be written meanwhile
 * @events: as configured: how many the trace keeps
 * @cursor: number of the event wanted, 0 at first; moved on
 * @event: written on success only; kind is one of EXO_TRACE_...
 *
 * Returns: as exo_trace_read(): EXO_OK, EXO_EMPTY, EXO_OVERFLOW. Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_profile_trace(const struct exo_profiler *profiler, exo_u32 events,
                                                     exo_u64 *cursor, struct exo_trace_event *event)
{
    const struct exo_trace_entry *entries = (const struct exo_trace_entry *)(const void *)(profiler + 1);
    return exo_trace_read(&profiler->trace, entries, events, cursor, event);
}

#endif
