/* SPDX-License-Identifier: MIT */
/*
 * A trace: the last events of one writer, in a ring of the caller's memory. The oldest are overwritten, so that the
 * writer never waits and never loses the newest.
 *
 * Anybody who sees the memory may read while it is written. The writer names an entry's new event in its tag before it
 * changes the rest: a reader that has read the rest, and then finds the tag of the event it wanted, has read that event
 * and not parts of two (half of a sequence lock: see Boehm, "Can seqlocks get along with programming language memory
 * models?", MSPC 2012; the other half is that the event was complete before it was counted).
 */
#ifndef EXO_IPC_BASE_TRACE_H
#define EXO_IPC_BASE_TRACE_H

#include "atomic.h"
#include "math.h"
#include "status.h"

struct exo_trace_entry {
    exo_word64 tag; /* (number of the event + 1) << 8 | its kind; 0: none yet */
    exo_word64 ticks;
    exo_word64 subject;
    exo_word64 argument;
};

/**
 * struct exo_trace_event - one event, as it was read.
 * @number: events of this trace are numbered from 0
 * @ticks: when it began, on the clock of exo_ticks()
 * @kind: what happened
 * @subject: of what, for example a message's position
 * @argument: what else there is to say of it, for example how many ticks it took
 */
struct exo_trace_event {
    exo_u64 number;
    exo_u64 ticks;
    exo_u32 kind;
    exo_u64 subject;
    exo_u64 argument;
};

/* What is written of a trace, beside its entries. */
struct exo_trace {
    exo_word64 written; /* events so far */
    exo_word64 size;    /* entries: a power of two, or 0: none are kept. Constant */
};

EXO_INLINE exo_u64 exo_trace_tag_pvt(exo_u64 number, exo_u32 kind)
{
    return (number + 1) << 8 | kind;
}

/* The next event. The caller is the only writer. */
EXO_INLINE void exo_trace_write_pvt(struct exo_trace *trace, struct exo_trace_entry *entries,
                                    const struct exo_trace_event *event)
{
    exo_u64 number = exo_load64(&trace->written, EXO_RELAXED); /* relaxed: only we write it */
    exo_u64 size = exo_load64(&trace->size, EXO_RELAXED);      /* relaxed: constant */
    struct exo_trace_entry *entry;
    if (size == 0) {
        return;
    }
    entry = &entries[(exo_size)(number & (size - 1))];
    exo_store64(&entry->tag, exo_trace_tag_pvt(number, event->kind), EXO_RELAXED); /* relaxed: the fence */
    /* [trace:begin] pairs [trace:again] */
    exo_fence_release();
    exo_store64(&entry->ticks, event->ticks, EXO_RELAXED);       /* relaxed: counted below */
    exo_store64(&entry->subject, event->subject, EXO_RELAXED);   /* relaxed: counted below */
    exo_store64(&entry->argument, event->argument, EXO_RELAXED); /* relaxed: counted below */
    /* [trace:count] pairs [trace:counted] */
    exo_store64(&trace->written, number + 1, EXO_RELEASE);
}

/**
 * exo_trace_read - the next event of a trace.
 * @trace, @entries: possibly written meanwhile, possibly by somebody who is not to be trusted
 * @size: how many entries the caller knows there to be: a power of two
 * @cursor: number of the event wanted, 0 at first; moved on
 * @event: written on success only
 *
 * Returns: EXO_OK; EXO_EMPTY when it has not happened yet; EXO_OVERFLOW when it was overwritten: *cursor is now the oldest
 * that may still be there, and the difference tells how many were missed. Context: any. Progress: wait-free.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_trace_read(const struct exo_trace *trace, const struct exo_trace_entry *entries,
                                                  exo_u64 size, exo_u64 *cursor, struct exo_trace_event *event)
{
    const struct exo_trace_entry *entry;
    struct exo_trace_event found;
    exo_u64 tag;
    /* [trace:counted] pairs [trace:count] */
    exo_u64 written = exo_load64(&trace->written, EXO_ACQUIRE);
    if (size == 0 || (exo_i64)(written - *cursor) <= 0) {
        return EXO_EMPTY;
    }
    if (written - *cursor <= size) {
        entry = &entries[(exo_size)(*cursor & (size - 1))];
        found.number = *cursor;
        found.ticks = exo_load64(&entry->ticks, EXO_RELAXED);       /* relaxed: acquired with the count, or newer */
        found.subject = exo_load64(&entry->subject, EXO_RELAXED);   /* relaxed: same */
        found.argument = exo_load64(&entry->argument, EXO_RELAXED); /* relaxed: same */
        /* [trace:again] pairs [trace:begin] */
        exo_fence_acquire();
        tag = exo_load64(&entry->tag, EXO_RELAXED); /* relaxed: if one of them was newer, so is this */
        found.kind = (exo_u32)tag & 0xFFu;
        if (tag == exo_trace_tag_pvt(*cursor, found.kind)) {
            *event = found;
            (*cursor)++;
            return EXO_OK;
        }
        written = exo_load64(&trace->written, EXO_RELAXED); /* relaxed: says where to go on, no more */
    }
    /* The oldest may be in the course of being overwritten. */
    *cursor = (exo_i64)(written - size - *cursor) > 0 ? written - size + 1 : *cursor + 1;
    return EXO_OVERFLOW;
}

#endif
