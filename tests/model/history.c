/* SPDX-License-Identifier: MIT */
/*
 * Linearizability: is there an order of all calls, one that respects which call had ended before which began,
 * in which a sequential bounded queue gives the same answers?
 *
 * "Before" is happens-before, not the clock on the wall. A call that its thread did not survive may have taken
 * effect or not. Empty and Full are compared only where no call that could explain them was under way: a message
 * that is claimed and not published holds up those behind it, which the documentation says.
 */
#include <string.h>

#include "model.h"

#define CALLS 24u

struct call {
    exo_u32 thread;
    exo_bool sends;
    exo_bool ended;
    exo_u64 value;
    exo_i64 result;
    exo_u32 end;
    exo_u16_pvt seen[MODEL_THREADS]; /* when it began */
};

static struct {
    struct call call[CALLS];
    exo_u32 count;
    exo_u32 capacity; /* 0: Full is not compared */
    exo_u64 queue[CALLS];
} history;

void history_reset(void)
{
    history.count = 0;
    history.capacity = 0;
}

void client_capacity(exo_u32 messages)
{
    history.capacity = messages;
}

void client_begins(exo_bool sends, exo_u64 value)
{
    struct call *call = &history.call[history.count++];
    if (history.count == CALLS) {
        schedule_fail("too many calls in one history");
    }
    (void)memory_tick(model.running);
    call->thread = model.running;
    call->sends = sends;
    call->ended = EXO_FALSE;
    call->value = value;
    call->result = EXO_OK;
    memcpy(call->seen, model.thread[model.running].current.did, sizeof(call->seen));
}

void client_ends(exo_i64 result, exo_u64 value)
{
    exo_u32 i = history.count;
    while (history.call[--i].thread != model.running || history.call[i].ended) {
    }
    history.call[i].ended = EXO_TRUE;
    history.call[i].result = result;
    history.call[i].value = value;
    history.call[i].end = memory_tick(model.running);
}

static exo_bool precedes(const struct call *a, const struct call *b)
{
    return a->ended && (a->thread == b->thread ? a < b : b->seen[a->thread] >= a->end);
}

static exo_bool overlap(const struct call *a, const struct call *b)
{
    return a != b && !precedes(a, b) && !precedes(b, a);
}

/* Whether the call's answer can be compared. */
static exo_bool counts(const struct call *call)
{
    exo_u32 i;
    if (!call->ended) {
        return EXO_TRUE;
    }
    if (call->result >= 0) {
        return EXO_TRUE;
    }
    if (call->result != EXO_EMPTY && (call->result != EXO_FULL || history.capacity == 0)) {
        return EXO_FALSE;
    }
    for (i = 0; i < history.count; i++) {
        const struct call *other = &history.call[i];
        if (overlap(call, other) && (other->sends || call->sends)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/* Whether the calls outside `done` can be put in order behind those inside. The queue holds [head, tail). */
static exo_bool place(exo_u32 done, exo_u32 head, exo_u32 tail)
{
    exo_bool rest = EXO_FALSE;
    exo_u32 i;
    exo_u32 j;
    for (i = 0; i < history.count; i++) {
        const struct call *call = &history.call[i];
        exo_bool ready = EXO_TRUE;
        if ((done >> i & 1) != 0) {
            continue;
        }
        rest = rest || call->ended;
        for (j = 0; j < history.count && ready; j++) {
            ready = (done >> j & 1) != 0 || !precedes(&history.call[j], call);
        }
        if (!ready) {
            continue;
        }
        if (call->sends && call->result >= 0) {
            history.queue[tail] = call->value;
            if (place(done | 1u << i, head, tail + 1)) {
                return EXO_TRUE;
            }
        } else if (call->sends ? tail - head == history.capacity : call->result < 0 && head == tail) {
            if (place(done | 1u << i, head, tail)) {
                return EXO_TRUE;
            }
        } else if (!call->sends && (call->result >= 0 || !call->ended) && head != tail &&
                   (!call->ended || history.queue[head] == call->value)) {
            if (place(done | 1u << i, head + 1, tail)) {
                return EXO_TRUE;
            }
        }
    }
    return !rest;
}

const char *history_check(void)
{
    exo_u32 left_out = 0;
    exo_u32 i;
    for (i = 0; i < history.count; i++) {
        left_out |= counts(&history.call[i]) ? 0 : 1u << i;
    }
    return history.count == 0 || place(left_out, 0, 0)
               ? NULL
               : "the answers are not those of any sequential queue";
}
