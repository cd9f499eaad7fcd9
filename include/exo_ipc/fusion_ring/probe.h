/* SPDX-License-Identifier: MIT */
/*
 * Where the library counts: the calls that the data path makes to a profiler (../profile.h tells what one is for, and
 * reads it).
 *
 * With EXO_IPC_PROFILER 1 each handle whose waker names a profiler counts there; without, each of these calls is one
 * condition that is constantly false. Handles have the same members either way, so that parts of a program may be
 * compiled either way.
 *
 * A profiler has one writer at a time, the thread that its handle belongs to: no locked instruction, no fence.
 *
 * How long a message was under way is known of messages with headers: a slot of 128 bytes has 32 that nothing else uses,
 * and the sender writes the time there, of one message in so many. The receiver looks at that word of each message, which
 * is in a line that it reads anyway; a word that was not written for this position is not taken for a time. A hostile
 * sender can lie about it: the figures are wrong then, nothing else.
 */
#ifndef EXO_IPC_FUSION_RING_PROBE_H
#define EXO_IPC_FUSION_RING_PROBE_H

#include "../base/histogram.h"
#include "../base/trace.h"
#include "../port.h"

#ifndef EXO_IPC_PROFILER
#define EXO_IPC_PROFILER 0
#endif

/* Kinds of events in a trace. */
#define EXO_TRACE_SENT 1u     /* subject: position; argument: bytes */
#define EXO_TRACE_RECEIVED 2u /* subject: position; argument: bytes */
#define EXO_TRACE_WAITED 3u   /* subject: times slept; argument: ticks it took */
#define EXO_TRACE_WOKE 4u     /* the other side was woken */
#define EXO_TRACE_CALLED 5u   /* subject: number of the request; argument: ticks until its answer was there */
#define EXO_TRACE_REFUSED 6u  /* argument: the status that the handle answers from now on */

/**
 * struct exo_counters - what one side of a ring, channel or broadcast did. Each grows only.
 * @messages: sent, or received; what is shared out to subscribers counts once at its sender
 * @bytes: of their payload
 * @by_reference: those of them that travelled in shared pages, not in the slot
 * @full: looks for room, in the ring or in the arena, that found none
 * @empty: looks for a message that found none
 * @waits: calls that could not go on at once and were allowed to wait
 * @spins_paid: those that went on before they had to sleep
 * @sleeps: times that they slept
 * @wakes: times that this side woke the other
 */
struct exo_counters {
    exo_word64 messages;
    exo_word64 bytes;
    exo_word64 by_reference;
    exo_word64 full;
    exo_word64 empty;
    exo_word64 waits;
    exo_word64 spins_paid;
    exo_word64 sleeps;
    exo_word64 wakes;
};

/**
 * struct exo_profiler - where one side counts. Its members are the library's; exo_profile_... reads them.
 *
 * It holds no pointer, so that it may lie in memory that others see, at an address of their own; the entries of the
 * trace stand behind it. Whoever may write there is believed, as the thread that counts is.
 */
struct exo_profiler {
    struct exo_counters counters;
    exo_word64 every; /* mask: positions without any of its bits are sampled. Constant, as the next two */
    exo_word64 began_ticks;
    exo_word64 began_ns;
    struct exo_trace trace;
    /* Of the wait that is going on. */
    exo_word64 waiting; /* 1: looks that find nothing do not count */
    exo_word64 wait_ticks;
    exo_word64 wait_sleeps;
    struct exo_histogram transit; /* ticks from before a message was published until it was received */
    struct exo_histogram wait;    /* ticks that the waits took */
    struct exo_histogram call;    /* ticks from a request until its answer was taken */
};

/**
 * exo_ticks - the profiler's clock: the processor's cycle counter, or nanoseconds where user code may not read one.
 *
 * exo_profile_ns() turns differences into nanoseconds. The counters of all processors are taken to run alike, as an invariant
 * time-stamp counter and Arm's virtual counter do. Context: any.
 */
EXO_HOT exo_u64 exo_ticks(void)
{
    exo_u64 cycles = exo_cpu_cycles();
    return cycles != 0 ? cycles : exo_port_now_ns();
}

/* Bits of a stamp that hold a time. The others are made of the position, all bits of which count. */
#define EXO_STAMP_TICK_BITS 48u
#define EXO_STAMP_TICKS (((exo_u64)1 << EXO_STAMP_TICK_BITS) - 1)

EXO_HOT exo_u64 exo_stamp_mark_pvt(exo_u64 pos)
{
    return (pos * 0x9E3779B97F4A7C15ull) & ~EXO_STAMP_TICKS;
}

EXO_HOT exo_bool exo_stamp_is_for_pvt(exo_u64 stamp, exo_u64 pos)
{
    return (stamp ^ exo_stamp_mark_pvt(pos)) <= EXO_STAMP_TICKS;
}

/* Whether somebody counts here. */
#define EXO_PROBED_PVT(profiler) (EXO_IPC_PROFILER != 0 && (profiler) != EXO_NULL)

EXO_INLINE struct exo_trace_entry *exo_profiler_entries_pvt(struct exo_profiler *profiler)
{
    return (struct exo_trace_entry *)(void *)(profiler + 1);
}

EXO_INLINE void exo_probe_event_pvt(struct exo_profiler *profiler, exo_u32 kind, exo_u64 ticks, exo_u64 subject,
                                    exo_u64 argument)
{
    struct exo_trace_event event;
    event.number = 0;
    event.kind = kind;
    event.ticks = ticks;
    event.subject = subject;
    event.argument = argument;
    exo_trace_write_pvt(&profiler->trace, exo_profiler_entries_pvt(profiler), &event);
}

/* A message that is sampled will be published at pos; stamp: the word for its time, or null. */
EXO_INLINE void exo_probe_sent_sample_pvt(struct exo_profiler *profiler, exo_word64 *stamp, exo_u64 pos, exo_u64 bytes)
{
    exo_u64 now = exo_ticks();
    if (stamp != EXO_NULL) {
        /* relaxed: published with the slot */
        exo_store64(stamp, exo_stamp_mark_pvt(pos) | (now & EXO_STAMP_TICKS), EXO_RELAXED);
    }
    exo_probe_event_pvt(profiler, EXO_TRACE_SENT, now, pos, bytes);
}

/* A message was received at pos that is sampled, or has a time; stamp: what stands there, or 0. */
EXO_INLINE void exo_probe_received_sample_pvt(struct exo_profiler *profiler, exo_u64 stamp, exo_u64 pos, exo_u64 bytes)
{
    exo_u64 now = exo_ticks();
    if (stamp != 0 && exo_stamp_is_for_pvt(stamp, pos)) {
        exo_u64 took = (now - stamp) & EXO_STAMP_TICKS;
        /* Two processors' counters may differ by more than a message takes. */
        exo_histogram_record(&profiler->transit, took > EXO_STAMP_TICKS / 2 ? 0 : took);
    }
    exo_probe_event_pvt(profiler, EXO_TRACE_RECEIVED, now, pos, bytes);
}

EXO_HOT void exo_probe_messages_pvt(struct exo_profiler *profiler, exo_u64 messages, exo_u64 bytes, exo_bool by_reference)
{
    exo_tally_pvt(&profiler->counters.messages, messages);
    exo_tally_pvt(&profiler->counters.bytes, bytes);
    if (by_reference) {
        exo_tally_pvt(&profiler->counters.by_reference, messages);
    }
}

/* Whether this side samples what stands at pos. */
EXO_HOT exo_bool exo_probe_samples_pvt(const struct exo_profiler *profiler, exo_u64 pos)
{
    return (pos & exo_load64(&profiler->every, EXO_RELAXED)) == 0; /* relaxed: constant */
}

EXO_OUTLINE void exo_probe_untimed_sample_pvt(struct exo_profiler *profiler, exo_u32 kind, exo_u64 pos, exo_u64 bytes)
{
    exo_probe_event_pvt(profiler, kind, exo_ticks(), pos, bytes);
}

/* A message of a side whose slots have no room for a time; kind: EXO_TRACE_SENT or EXO_TRACE_RECEIVED. */
EXO_HOT void exo_probe_untimed_pvt(struct exo_profiler *profiler, exo_u32 kind, exo_u64 pos, exo_u64 bytes,
                                   exo_bool by_reference)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_messages_pvt(profiler, 1, bytes, by_reference);
        if (EXO_UNLIKELY(exo_probe_samples_pvt(profiler, pos))) {
            exo_probe_untimed_sample_pvt(profiler, kind, pos, bytes);
        }
    }
}

/* A look found nothing; the looks of a call that waits do not count. */
EXO_INLINE void exo_probe_nothing_pvt(const struct exo_profiler *profiler, exo_word64 *counter)
{
    exo_tally_pvt(counter, exo_load64(&profiler->waiting, EXO_RELAXED) == 0); /* relaxed: only we write it */
}

EXO_INLINE void exo_probe_full_pvt(struct exo_profiler *profiler)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_nothing_pvt(profiler, &profiler->counters.full);
    }
}

EXO_INLINE void exo_probe_empty_pvt(struct exo_profiler *profiler)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_nothing_pvt(profiler, &profiler->counters.empty);
    }
}

EXO_INLINE void exo_probe_slept_pvt(struct exo_profiler *profiler)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_tally_pvt(&profiler->counters.sleeps, 1);
    }
}

EXO_INLINE void exo_probe_woke_pvt(struct exo_profiler *profiler)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_tally_pvt(&profiler->counters.wakes, 1);
        exo_probe_event_pvt(profiler, EXO_TRACE_WOKE, exo_ticks(), 0, 0);
    }
}

EXO_INLINE void exo_probe_refused_pvt(struct exo_profiler *profiler, exo_status reason)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_probe_event_pvt(profiler, EXO_TRACE_REFUSED, exo_ticks(), 0, (exo_u64)(exo_i64)reason);
    }
}

/* A call begins to wait, and it is over, settled if the call can go on. */
EXO_INLINE void exo_probe_wait_pvt(struct exo_profiler *profiler)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_u64 sleeps = exo_load64(&profiler->counters.sleeps, EXO_RELAXED); /* relaxed: only we write it */
        exo_tally_pvt(&profiler->counters.waits, 1);
        exo_store64(&profiler->wait_sleeps, sleeps, EXO_RELAXED);     /* relaxed: as exo_tally_pvt() */
        exo_store64(&profiler->wait_ticks, exo_ticks(), EXO_RELAXED); /* relaxed: same */
        exo_store64(&profiler->waiting, 1, EXO_RELAXED);              /* relaxed: same */
    }
}

EXO_INLINE void exo_probe_waited_pvt(struct exo_profiler *profiler, exo_bool settled)
{
    if (EXO_PROBED_PVT(profiler)) {
        exo_u64 began = exo_load64(&profiler->wait_ticks, EXO_RELAXED);  /* relaxed: only we write it */
        exo_u64 before = exo_load64(&profiler->wait_sleeps, EXO_RELAXED); /* relaxed: same */
        exo_u64 slept = exo_load64(&profiler->counters.sleeps, EXO_RELAXED) - before; /* relaxed: same */
        exo_u64 took = exo_ticks() - began;
        exo_store64(&profiler->waiting, 0, EXO_RELAXED); /* relaxed: as exo_tally_pvt() */
        exo_tally_pvt(&profiler->counters.spins_paid, settled && slept == 0);
        exo_histogram_record(&profiler->wait, took);
        exo_probe_event_pvt(profiler, EXO_TRACE_WAITED, began, slept, took);
    }
}

/* When a request was made; 0: nobody counts. */
EXO_INLINE exo_u64 exo_probe_call_pvt(const struct exo_profiler *profiler)
{
    return EXO_PROBED_PVT(profiler) ? exo_ticks() : 0;
}

/* The answer of a request made then was taken. */
EXO_INLINE void exo_probe_called_pvt(struct exo_profiler *profiler, exo_u64 began, exo_u64 number)
{
    if (EXO_PROBED_PVT(profiler) && began != 0) {
        exo_u64 took = exo_ticks() - began;
        exo_histogram_record(&profiler->call, took);
        exo_probe_event_pvt(profiler, EXO_TRACE_CALLED, began, number, took);
    }
}

#endif
