/* SPDX-License-Identifier: MIT */
/*
 * What the library's atomic operations do here (model_atomic.h): in front of each another thread may run; which store
 * a load returns, whether a swap fails, and what a hostile peer has put there instead, are choices.
 */
#include <string.h>

#include "model_memory.h"

#define LIES 16u

/* Half of the order that a place has left. */
static exo_bool has(const struct site *site, exo_u32 half)
{
    return (site->order & ~site->weak & half) != 0;
}

/* One more value, if it is another than those. */
static void add_lie(exo_u64 *lies, exo_u32 *count, exo_u64 value)
{
    exo_u32 i;
    for (i = 0; i < *count; i++) {
        if (lies[i] == value) {
            return;
        }
    }
    if (*count < LIES) {
        lies[(*count)++] = value;
    }
}

/* What a hostile peer may have put there instead: 0, all ones, one more, one less, what stood there before. */
static exo_u64 lie(const struct location *location, exo_u64 value)
{
    exo_u64 lies[LIES] = {value};
    exo_u64 all = location->bytes == 4 ? 0xFFFFFFFFull : ~0ull;
    exo_u32 count = 1;
    exo_u32 picked;
    exo_u32 i;
    if (model.left.lies == 0 || (model.client->liars >> (model.running - 1) & 1) == 0 ||
        !words_distrusted(location->address)) {
        return value;
    }
    add_lie(lies, &count, 0);
    add_lie(lies, &count, all);
    add_lie(lies, &count, (value + 1) & all);
    add_lie(lies, &count, (value - 1) & all);
    for (i = 0; i < location->count; i++) {
        add_lie(lies, &count, memory_store(location, i)->value);
    }
    picked = search_choose(count);
    if (picked != 0) {
        model.left.lies--;
        model.lies++;
    }
    return lies[picked];
}

/* In front of an access. Payload words need no switch of threads between them: what another thread would see there
 * it can also see by reading old values, and what is written is published by a later step. Where a reader may be overtaken, it does. */
static void before_access(const struct site *site, const void *p, exo_bool writes)
{
    if (!site->quiet || model.client->overwrites || search_thins()) {
        schedule_point((exo_uptr)p, writes);
    }
    (void)memory_tick(model.running);
    words_check_fresh((exo_uptr)p);
}

static exo_bool predicts(const struct location *location)
{
    if (model.left.guesses == 0 ||
        !words_predicted(location->address) || search_choose(2) == 0) {
        return EXO_FALSE;
    }
    model.left.guesses--;
    return EXO_TRUE;
}

/* How many stores back the one is that a load returns. */
static exo_u32 choose_age(const struct location *location)
{
    exo_u32 least = model.thread[model.running].current.seen[memory_index(location)];
    exo_u32 age;
    if (model.left.bound.old == 0) {
        model.kept_out = model.kept_out || location->count - least > 1;
        return 0;
    }
    age = search_choose(location->count - least);
    model.left.bound.old -= age != 0 && model.left.bound.old != MODEL_UNBOUNDED;
    return age;
}

exo_u64 model_load(const struct site *site, const void *p, exo_u32 bytes)
{
    struct thread *self = &model.thread[model.running];
    struct location *location;
    struct view after;
    exo_bool hoisted;
    exo_u32 number;
    exo_u64 value;
    if (model.running == 0) {
        return memory_real(p, bytes);
    }
    before_access(site, p, EXO_FALSE);
    location = memory_find(p, bytes);
    hoisted = self->stored != 0 && self->stored != memory_index(location) + 1;
    if (hoisted) {
        after = self->current;
        self->current = self->before_store;
    }
    self->stored = 0;
    if (predicts(location)) {
        if (hoisted) {
            self->current = after;
        }
        self->guess.address = location->address;
        self->guess.value = memory_store(location, location->count - 1)->value + 1;
        self->guess.clock = self->current.did[model.running];
        self->guess.acquires = has(site, EXO_ACQUIRE);
        trace_step(site, p, self->guess.value, "guessed");
        return self->guess.value;
    }
    number = location->count - 1 - choose_age(location);
    memory_observe(self, location, number, has(site, EXO_ACQUIRE));
    if (hoisted) {
        view_join(&self->current, &after);
    }
    value = lie(location, memory_store(location, number)->value);
    trace_step(site, p, value, number == location->count - 1 ? "" : "old");
    return value;
}

void model_store(const struct site *site, void *p, exo_u32 bytes, exo_u64 value)
{
    struct location *location;
    if (model.running == 0) {
        memcpy(p, &value, bytes);
        return;
    }
    model.thread[model.running].before_store = model.thread[model.running].current;
    before_access(site, p, EXO_TRUE);
    value = bytes == 4 ? (exo_u32)value : value;
    location = memory_find(p, bytes);
    memory_publish(model.running, location, p, value, has(site, EXO_RELEASE), NULL);
    model.thread[model.running].stored = memory_index(location) + 1;
    trace_step(site, p, value, "");
}

static exo_u64 rmw_result(enum rmw_kind kind, exo_u64 old, exo_u64 value)
{
    return kind == RMW_ADD ? old + value : kind == RMW_OR ? (old | value) : (old & value);
}

exo_u64 model_rmw(const struct site *site, void *p, exo_u32 bytes, enum rmw_kind kind, exo_u64 value)
{
    exo_u64 all = bytes == 4 ? 0xFFFFFFFFull : ~0ull;
    struct location *location;
    struct view carried;
    exo_u64 old;
    if (model.running == 0) {
        old = memory_real(p, bytes);
        value = rmw_result(kind, old, value) & all;
        memcpy(p, &value, bytes);
        return old;
    }
    before_access(site, p, EXO_TRUE);
    model.thread[model.running].stored = 0;
    location = memory_find(p, bytes);
    old = memory_store(location, location->count - 1)->value;
    carried = memory_store(location, location->count - 1)->view;
    memory_observe(&model.thread[model.running], location, location->count - 1, has(site, EXO_ACQUIRE));
    value = rmw_result(kind, old, value) & all;
    memory_publish(model.running, location, p, value, has(site, EXO_RELEASE), &carried);
    trace_step(site, p, value, "");
    return old;
}

/* A strong swap: fails on a newest value that differs, or, as C11 allows, on an older one that does. */
exo_bool model_cas(const struct site *site, void *p, exo_u32 bytes, exo_u64 *expected, exo_u64 desired)
{
    struct thread *self = &model.thread[model.running];
    struct location *location;
    struct view carried;
    exo_u32 number;
    if (model.running == 0) {
        exo_u64 old = memory_real(p, bytes);
        exo_bool same = old == *expected;
        *expected = old;
        if (same) {
            memcpy(p, &desired, bytes);
        }
        return same;
    }
    before_access(site, p, EXO_TRUE);
    self->stored = 0;
    location = memory_find(p, bytes);
    number = location->count - 1;
    if (model.left.spurious != 0 && self->current.seen[memory_index(location)] < number &&
        memory_store(location, number - 1)->value != *expected && search_choose(2) != 0) {
        model.left.spurious--;
        number--;
    }
    carried = memory_store(location, number)->view;
    if (memory_store(location, number)->value != *expected) {
        memory_observe(self, location, number, EXO_FALSE);
        *expected = memory_store(location, number)->value;
        trace_step(site, p, *expected, "failed");
        return EXO_FALSE;
    }
    memory_observe(self, location, number, has(site, EXO_ACQUIRE));
    memory_publish(model.running, location, p, desired, has(site, EXO_RELEASE), &carried);
    trace_step(site, p, desired, "");
    return EXO_TRUE;
}

/* Weakened: orders what acquire and release would. */
void model_fence_seq(const struct site *site)
{
    struct thread *self = &model.thread[model.running];
    if (model.running == 0) {
        return;
    }
    schedule_point(0, EXO_TRUE);
    (void)memory_tick(model.running);
    if (site->weak != 0) {
        view_join(&self->current, &self->acquire);
        self->release = self->current;
    } else {
        memory_full_fence(model.running);
    }
    trace_step(site, NULL, 0, "");
}

/* What relaxed loads have read so far is acquired. Weakened: nothing. */
void model_fence_acquire(const struct site *site)
{
    struct thread *self = &model.thread[model.running];
    if (model.running != 0 && site->weak == 0) {
        memory_settle_guess(model.running);
        view_join(&self->current, &self->acquire);
        self->stored = 0;
    }
}

/* What is stored from now on publishes what happened so far. Weakened: nothing. */
void model_fence_release(const struct site *site)
{
    struct thread *self = &model.thread[model.running];
    if (model.running != 0 && site->weak == 0) {
        memory_settle_guess(model.running);
        self->release = self->current;
    }
}

/* Weakened, or left out: the load behind it may be done before the store in front of it. */
void model_fence_compiler(const struct site *site)
{
    if (model.running != 0 && site->weak == 0) {
        model.thread[model.running].stored = 0;
    }
}

/* Weakened: a fence of the caller alone. */
void model_fence_heavy(const struct site *site)
{
    exo_u32 i;
    if (model.running == 0) {
        return;
    }
    schedule_point(0, EXO_TRUE);
    (void)memory_tick(model.running);
    memory_full_fence(model.running);
    for (i = 1; i < MODEL_THREADS && site->weak == 0; i++) {
        if (i != model.running) {
            memory_full_fence(i);
        }
        if (i != model.running && model.thread[i].state < THREAD_DONE) {
            schedule_point(0, EXO_TRUE); /* the others are interrupted one by one */
        }
    }
    memory_full_fence(model.running);
    trace_step(site, NULL, 0, "");
}
