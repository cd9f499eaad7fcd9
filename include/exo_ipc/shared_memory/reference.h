/* SPDX-License-Identifier: MIT */
/*
 * References to things that come and go in places that stay: one word says which thing is there now, whether it can still
 * be taken hold of, and how many hold it.
 *
 *   63         32   31     30      29         0
 *   generation    | LIVE | CLOSING | count
 *
 * A name of a thing is its place and its generation. Taking hold is one compare-and-swap on this word, which fails if the
 * thing has gone, is going, or is another one: so a look-up needs no lock, only memory that stays. A generation is
 * never used twice; a place that has used them up stays empty for ever.
 *
 * Whoever begins or ends a thing owns its place at that moment; get and put are everybody's. Progress: lock-free.
 * What crashes here is the whole trusted side; there is nothing to recover.
 *
 * Learned from: the tagged pointers of IBM System/370's free lists, and Linux's lockref and type-stable slabs.
 */
#ifndef EXO_IPC_SHARED_MEMORY_REFERENCE_H
#define EXO_IPC_SHARED_MEMORY_REFERENCE_H

#include "../base/atomic.h"
#include "../base/cpu.h"
#include "../base/status.h"

#define EXO_REFERENCE_LIVE 0x80000000u
#define EXO_REFERENCE_CLOSING 0x40000000u
#define EXO_REFERENCE_COUNT 0x3FFFFFFFu

/* The last generation of a place, in 31 bits so that a name is never negative. */
#define EXO_REFERENCE_LAST 0x7FFFFFFFu

/* Whether a place has used up its generations. */
EXO_INLINE exo_bool exo_reference_worn(const exo_word64 *word)
{
    return exo_load64(word, EXO_RELAXED) >> 32 >= EXO_REFERENCE_LAST; /* relaxed: only its owner changes it */
}

/* The generation that exo_reference_begin() will give: the name of a thing that is not there yet. */
EXO_INLINE exo_u32 exo_reference_next(const exo_word64 *word)
{
    return (exo_u32)(exo_load64(word, EXO_RELAXED) >> 32) + 1; /* relaxed: only its owner changes it */
}

/**
 * exo_reference_begin - a new thing is in its place, and can be taken hold of.
 * @word: of a place that is empty and not worn; the caller owns it
 * @count: how many hold it from the start
 *
 * Returns: its generation, 1 or more. Ordering: what was written to the place before is visible to who takes hold.
 */
EXO_INLINE exo_u32 exo_reference_begin(exo_word64 *word, exo_u32 count)
{
    exo_u32 generation = exo_reference_next(word);
    /* [reference:begin] pairs [reference:get], [reference:look] */
    exo_store64(word, (exo_u64)generation << 32 | EXO_REFERENCE_LIVE | count, EXO_RELEASE);
    return generation;
}

/**
 * exo_reference_get - take hold of a thing.
 * @word: the place  @generation: which thing is meant
 *
 * Returns: EXO_OK; EXO_NOT_FOUND if it is not there (any more) or is closing; EXO_FULL if 2^30 - 1 hold it.
 * Context: any, interrupts included.
 */
EXO_HOT exo_status exo_reference_get(exo_word64 *word, exo_u32 generation)
{
    exo_u64 seen = exo_load64(word, EXO_RELAXED); /* relaxed: checked by the swap */
    for (;;) {
        if (EXO_UNLIKELY(seen >> 32 != generation ||
                         (seen & (EXO_REFERENCE_LIVE | EXO_REFERENCE_CLOSING)) != EXO_REFERENCE_LIVE)) {
            return EXO_NOT_FOUND;
        }
        if (EXO_UNLIKELY((seen & EXO_REFERENCE_COUNT) == EXO_REFERENCE_COUNT)) {
            return EXO_FULL;
        }
        /* [reference:get] pairs [reference:begin] */
        if (exo_cas64(word, &seen, seen + 1, EXO_ACQUIRE)) {
            return EXO_OK;
        }
        exo_cpu_relax();
    }
}

/**
 * exo_reference_put - let go of a thing.
 * @word: the place  @generation: the thing
 * @last_ends: with the last one the thing ends: nobody takes hold of it any more, and the caller owns the place
 *
 * Returns: how many still hold it; EXO_NOT_FOUND if nobody did, and nothing has changed.
 * Ordering: what all that let go had done is visible to who gets 0. Context: any.
 */
EXO_HOT exo_i64 exo_reference_put(exo_word64 *word, exo_u32 generation, exo_bool last_ends)
{
    exo_u64 seen = exo_load64(word, EXO_RELAXED); /* relaxed: checked by the swap */
    for (;;) {
        exo_u64 left = seen - 1;
        if (EXO_UNLIKELY(seen >> 32 != generation || (seen & EXO_REFERENCE_COUNT) == 0)) {
            return EXO_NOT_FOUND;
        }
        if (last_ends && (left & EXO_REFERENCE_COUNT) == 0) {
            left = left >> 32 << 32;
        }
        /* [reference:put] pairs [reference:put], [reference:drained] */
        if (exo_cas64(word, &seen, left, EXO_ACQ_REL)) {
            return (exo_i64)(left & EXO_REFERENCE_COUNT);
        }
        exo_cpu_relax();
    }
}

/**
 * exo_reference_close - let nobody take hold of a thing any more.
 * @word: the place  @generation: the thing
 *
 * Returns: true to the one caller that closed it; false if it was closing or gone. Who holds it goes on until
 * exo_reference_put().
 */
EXO_INLINE exo_bool exo_reference_close(exo_word64 *word, exo_u32 generation)
{
    exo_u64 seen = exo_load64(word, EXO_RELAXED); /* relaxed: checked by the swap */
    while (seen >> 32 == generation && (seen & (EXO_REFERENCE_LIVE | EXO_REFERENCE_CLOSING)) == EXO_REFERENCE_LIVE) {
        if (exo_cas64(word, &seen, seen | EXO_REFERENCE_CLOSING, EXO_RELAXED)) { /* relaxed: it orders nothing */
            return EXO_TRUE;
        }
        exo_cpu_relax();
    }
    return EXO_FALSE;
}

/**
 * exo_reference_end - wait until nobody holds a closing thing, and empty its place.
 * @word: the place, of a thing that the caller closed; who holds it does so for a short time and never sleeps
 *
 * Ordering: what all that let go had done is visible. Progress: blocking, for as long as others hold it.
 */
EXO_INLINE void exo_reference_end(exo_word64 *word)
{
    exo_u64 seen;
    /* [reference:drained] pairs [reference:put] */
    while (((seen = exo_load64(word, EXO_ACQUIRE)) & EXO_REFERENCE_COUNT) != 0) {
        exo_cpu_relax();
    }
    exo_store64(word, seen >> 32 << 32, EXO_RELAXED); /* relaxed: the next thing's begin publishes */
}

/* Whether a thing is there, and how many hold it; a snapshot. */
EXO_INLINE exo_bool exo_reference_alive(const exo_word64 *word, exo_u32 generation, exo_u32 *count)
{
    exo_u64 seen = exo_load64(word, EXO_ACQUIRE); /* [reference:look] pairs [reference:begin] */
    *count = (exo_u32)seen & EXO_REFERENCE_COUNT;
    return seen >> 32 == generation && (seen & (EXO_REFERENCE_LIVE | EXO_REFERENCE_CLOSING)) == EXO_REFERENCE_LIVE;
}

#endif
