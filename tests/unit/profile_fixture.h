/* SPDX-License-Identifier: MIT */
/*
 * Profilers in memory that AddressSanitizer watches, and what they counted. Include it first: it compiles the profiler in.
 */
#ifndef EXO_TESTS_PROFILE_FIXTURE_H
#define EXO_TESTS_PROFILE_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* channel_fixture.h may follow */
#endif
#define EXO_IPC_PROFILER 1

#include "ring_fixture.h"

#define EVENTS 64u

/* One that samples each message, and traces. */
EXO_INLINE struct exo_profiler *profiler_new(exo_u32 every)
{
    const struct exo_profiler_config config = {every, EVENTS};
    exo_size bytes = exo_profiler_bytes(&config);
    void *memory = aligned_alloc(EXO_CACHE_LINE, bytes);
    assert_non_null(memory);
    memset(memory, 0xA5, bytes); /* it must not rely on what was there */
    assert_int_equal(exo_profiler_init(memory, bytes, &config), EXO_OK);
    return (struct exo_profiler *)memory;
}

EXO_INLINE struct exo_counters counted(const struct exo_profiler *profiler)
{
    struct exo_counters counters;
    memset(&counters, 0xA5, sizeof(counters));
    exo_profile_counters(profiler, &counters);
    return counters;
}

EXO_INLINE void assert_counted(const struct exo_profiler *profiler, exo_u64 messages, exo_u64 bytes, exo_u64 by_reference)
{
    struct exo_counters counters = counted(profiler);
    assert_int_equal(counters.messages, messages);
    assert_int_equal(counters.bytes, bytes);
    assert_int_equal(counters.by_reference, by_reference);
}

/* How many events of this kind the trace holds; the last of them in *last. */
EXO_INLINE exo_u32 traced(const struct exo_profiler *profiler, exo_u32 kind, struct exo_trace_event *last)
{
    struct exo_trace_event event;
    exo_u64 cursor = 0;
    exo_u32 found = 0;
    exo_status status;
    while ((status = exo_profile_trace(profiler, EVENTS, &cursor, &event)) != EXO_EMPTY) {
        if (status == EXO_OK && event.kind == kind) {
            *last = event;
            found++;
        }
    }
    return found;
}

#define PROFILED_BLOCK 64u

/* A ring with an arena of eight blocks, both sides of which count. */
struct profiled {
    struct fixture f;
    struct exo_profiler *sent;
    struct exo_profiler *received;
};

EXO_INLINE void profiled_open(struct profiled *p, struct exo_ring_config config)
{
    config.arena_size = 8 * PROFILED_BLOCK;
    config.block_size = PROFILED_BLOCK;
    fixture_open(&p->f, &config);
    p->sent = profiler_new(1);
    p->received = profiler_new(1);
    assert_int_equal(exo_profile_sender(&p->f.tx, p->sent), EXO_OK);
    assert_int_equal(exo_profile_receiver(&p->f.rx, p->received), EXO_OK);
}

EXO_INLINE void profiled_close(struct profiled *p)
{
    free(p->sent);
    free(p->received);
    fixture_close(&p->f);
}

#endif
