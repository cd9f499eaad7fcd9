/* SPDX-License-Identifier: MIT */
/*
 * Memory: for each location the list of its stores, for each thread what it must have seen of them.
 *
 * A load may return any store from the one its thread must have seen (view.current) to the newest. A store appends
 * itself; with release it carries the thread's current view, relaxed the view of its last fence. A
 * read-modify-write reads the newest store and carries on what that one carried: a release sequence.
 * A sequentially consistent fence joins its thread's view with that of all fences before it.
 *
 * Real memory always holds the newest value: setup and finish need no model.
 */
#include <string.h>

#include "model.h"

#define BUCKETS 512u
#define CELLS 2048u /* plain words */
#define RANGES 8u

/* One plain word: who wrote it when, and who has read it since. */
struct cell {
    exo_uptr address;
    exo_u32 writer;
    exo_u16_pvt written;
    exo_u16_pvt read[MODEL_THREADS];
};

struct range {
    exo_uptr from;
    exo_uptr to;
};

static struct {
    exo_u32 locations;
    exo_u32 stores;
    exo_u32 plains;
    exo_u32 run;
    exo_u16_pvt bucket[BUCKETS]; /* location + 1 */
    exo_u32 bucket_run[BUCKETS];
    struct location location[MODEL_LOCATIONS];
    struct store store[MODEL_STORES];
    exo_u16_pvt plain_bucket[CELLS];
    exo_u32 plain_run[CELLS];
    struct cell plain[CELLS / 2];
    struct range shared[RANGES];
    struct range distrusted[RANGES];
    struct range predicted[RANGES];
    exo_u32 shared_count;
    exo_u32 distrusted_count;
    exo_u32 predicted_count;
} memory;

void memory_reset(void)
{
    memory.locations = 0;
    memory.stores = 0;
    memory.plains = 0;
    memory.shared_count = 0;
    memory.distrusted_count = 0;
    memory.predicted_count = 0;
    memory.run++;
    memset(&model.fence, 0, sizeof(model.fence));
}

static void view_join(struct view *into, const struct view *from)
{
    exo_u32 i;
    for (i = 0; i < MODEL_LOCATIONS; i++) {
        into->seen[i] = into->seen[i] < from->seen[i] ? from->seen[i] : into->seen[i];
    }
    for (i = 0; i < MODEL_THREADS; i++) {
        into->did[i] = into->did[i] < from->did[i] ? from->did[i] : into->did[i];
    }
}

/* One more event of this thread; its number. */
exo_u32 memory_tick(exo_u32 thread)
{
    return ++model.thread[thread].current.did[thread];
}

exo_bool memory_before(const struct view *view, exo_u32 thread, exo_u32 clock)
{
    return view->did[thread] >= clock;
}

static struct store *append(struct location *location, exo_u64 value, exo_u32 thread)
{
    struct store *store = &memory.store[memory.stores];
    if (memory.stores == MODEL_STORES || location->count == 512) {
        schedule_fail("too many stores in one run");
    }
    location->store[location->count++] = (exo_u16_pvt)memory.stores++;
    store->value = value;
    store->thread = thread;
    return store;
}

static exo_u64 real_value(const void *p, exo_u32 bytes)
{
    exo_u64 value = 0;
    if (bytes == 4) {
        exo_u32 half;
        memcpy(&half, p, 4);
        return half;
    }
    memcpy(&value, p, 8);
    return value;
}

static struct location *find(const void *p, exo_u32 bytes)
{
    exo_uptr address = (exo_uptr)p;
    exo_u32 at = (exo_u32)(address >> 2) * 2654435761u >> 23;
    struct location *location;
    for (;; at = (at + 1) % BUCKETS) {
        if (memory.bucket_run[at] != memory.run) {
            break;
        }
        location = &memory.location[memory.bucket[at]];
        if (location->address == address) {
            if (location->bytes != bytes) {
                schedule_fail("one word is accessed in two sizes");
            }
            return location;
        }
    }
    if (memory.locations == MODEL_LOCATIONS) {
        schedule_fail("too many locations in one run");
    }
    memory.bucket_run[at] = memory.run;
    memory.bucket[at] = (exo_u16_pvt)memory.locations;
    location = &memory.location[memory.locations++];
    location->address = address;
    location->bytes = bytes;
    location->count = 0;
    memset(&append(location, real_value(p, bytes), 0)->view, 0, sizeof(struct view));
    return location;
}

static exo_u32 index_of(const struct location *location)
{
    return (exo_u32)(location - memory.location);
}

static struct store *store_at(const struct location *location, exo_u32 number)
{
    return &memory.store[location->store[number]];
}

/* The kernel looks at a word for this thread, which cannot see an older value afterwards. */
exo_u64 memory_kernel_look(const void *p, exo_u32 bytes)
{
    struct location *location = find(p, bytes);
    model.thread[model.running].current.seen[index_of(location)] = (exo_u16_pvt)(location->count - 1);
    return store_at(location, location->count - 1)->value;
}

/* Half of the order that a place has left. */
static exo_bool has(const struct site *site, exo_u32 half)
{
    return (site->order & ~site->weak & half) != 0;
}

/* The thread has read a store. */
static void observe(struct thread *self, const struct location *location, exo_u32 number, exo_bool acquires)
{
    const struct store *store = store_at(location, number);
    exo_u32 at = index_of(location);
    if (self->current.seen[at] < number) {
        self->current.seen[at] = (exo_u16_pvt)number;
        self->learned = EXO_TRUE;
    }
    view_join(acquires ? &self->current : &self->acquire, &store->view);
}

/* A thread may not go on with a guess that has not come true. */
void memory_settle_guess(exo_u32 thread)
{
    if (model.thread[thread].guess.address != 0) {
        schedule_prune();
    }
}

/* A store may be what another thread has guessed; not if that load happened before it, nor if both are ordered. */
static void come_true(const struct location *location, exo_u64 value, exo_bool releases)
{
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        struct guess *guess = &model.thread[i].guess;
        if (i == model.running || guess->address != location->address) {
            continue;
        }
        if (guess->value != value || (guess->acquires && releases) ||
            memory_before(&model.thread[model.running].current, i, guess->clock)) {
            schedule_prune();
        }
        guess->address = 0;
        model.thread[i].current.seen[index_of(location)] = (exo_u16_pvt)(location->count - 1);
    }
}

/* The thread stores; `carried` is what a read-modify-write carries on. */
static void publish(exo_u32 thread, struct location *location, void *p, exo_u64 value, exo_bool releases,
                    const struct view *carried)
{
    struct thread *self = &model.thread[thread];
    exo_u32 at = index_of(location);
    struct store *store = append(location, value, thread);
    self->current.seen[at] = (exo_u16_pvt)(location->count - 1);
    store->view = releases ? self->current : self->release;
    store->view.seen[at] = (exo_u16_pvt)(location->count - 1);
    if (carried != NULL) {
        view_join(&store->view, carried);
    }
    come_true(location, value, releases);
    memcpy(p, &value, location->bytes); /* little endian, as the hosts of the checker are */
    model.stores++;
    self->own++;
    model.idle = 0;
}

static exo_bool within(const struct range *ranges, exo_u32 count, exo_uptr address)
{
    exo_u32 i;
    for (i = 0; i < count; i++) {
        if (address >= ranges[i].from && address < ranges[i].to) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

/* What a hostile peer may have put there instead. */
static exo_u64 lie(const struct location *location, exo_u64 value)
{
    exo_u64 lies[5];
    exo_u64 all = location->bytes == 4 ? 0xFFFFFFFFull : ~0ull;
    exo_u32 picked;
    if (model.left.lies == 0 || (model.client->liars >> (model.running - 1) & 1) == 0 ||
        !within(memory.distrusted, memory.distrusted_count, location->address)) {
        return value;
    }
    lies[0] = 0;
    lies[1] = all;
    lies[2] = (value + 1) & all;
    lies[3] = (value - 1) & all;
    lies[4] = store_at(location, 0)->value;
    picked = search_choose(6);
    if (picked == 0) {
        return value;
    }
    model.left.lies--;
    return lies[picked - 1];
}

/* In front of an access. Payload words need no switch of threads between them: what another thread would see there
 * it can also see by reading old values, and what is written is published by a later step. */
static void before_access(const struct site *site, const void *p, exo_bool writes)
{
    if (!site->quiet || search_thins()) {
        schedule_point((exo_uptr)p, writes);
    }
    (void)memory_tick(model.running);
}

static exo_bool predicts(const struct location *location)
{
    if (model.left.guesses == 0 ||
        !within(memory.predicted, memory.predicted_count, location->address) || search_choose(2) == 0) {
        return EXO_FALSE;
    }
    model.left.guesses--;
    return EXO_TRUE;
}

exo_u64 model_load(const struct site *site, const void *p, exo_u32 bytes)
{
    struct thread *self = &model.thread[model.running];
    struct location *location;
    struct view after;
    exo_u32 least;
    exo_u32 number;
    exo_u64 value;
    if (model.running == 0) {
        return real_value(p, bytes);
    }
    before_access(site, p, EXO_FALSE);
    location = find(p, bytes);
    if (self->hoisted) {
        after = self->current;
        self->current = self->before_store;
    }
    if (predicts(location)) {
        self->guess.address = location->address;
        self->guess.value = store_at(location, location->count - 1)->value + 1;
        self->guess.clock = self->current.did[model.running];
        self->guess.acquires = has(site, EXO_ACQUIRE);
        trace_step(site, p, self->guess.value, "guessed");
        return self->guess.value;
    }
    least = self->current.seen[index_of(location)];
    number = location->count - 1 - search_choose(location->count - least);
    observe(self, location, number, has(site, EXO_ACQUIRE));
    if (self->hoisted) {
        self->hoisted = EXO_FALSE;
        view_join(&self->current, &after);
    }
    value = lie(location, store_at(location, number)->value);
    trace_step(site, p, value, number == location->count - 1 ? "" : "old");
    return value;
}

void model_store(const struct site *site, void *p, exo_u32 bytes, exo_u64 value)
{
    if (model.running == 0) {
        memcpy(p, &value, bytes);
        return;
    }
    model.thread[model.running].before_store = model.thread[model.running].current;
    before_access(site, p, EXO_TRUE);
    value = bytes == 4 ? (exo_u32)value : value;
    publish(model.running, find(p, bytes), p, value, has(site, EXO_RELEASE), NULL);
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
        old = real_value(p, bytes);
        value = rmw_result(kind, old, value) & all;
        memcpy(p, &value, bytes);
        return old;
    }
    before_access(site, p, EXO_TRUE);
    location = find(p, bytes);
    old = store_at(location, location->count - 1)->value;
    carried = store_at(location, location->count - 1)->view;
    observe(&model.thread[model.running], location, location->count - 1, has(site, EXO_ACQUIRE));
    value = rmw_result(kind, old, value) & all;
    publish(model.running, location, p, value, has(site, EXO_RELEASE), &carried);
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
        exo_u64 old = real_value(p, bytes);
        exo_bool same = old == *expected;
        *expected = old;
        if (same) {
            memcpy(p, &desired, bytes);
        }
        return same;
    }
    before_access(site, p, EXO_TRUE);
    location = find(p, bytes);
    number = location->count - 1;
    if (model.left.spurious != 0 && self->current.seen[index_of(location)] < number &&
        store_at(location, number - 1)->value != *expected && search_choose(2) != 0) {
        model.left.spurious--;
        number--;
    }
    carried = store_at(location, number)->view;
    if (store_at(location, number)->value != *expected) {
        observe(self, location, number, EXO_FALSE);
        *expected = store_at(location, number)->value;
        trace_step(site, p, *expected, "failed");
        return EXO_FALSE;
    }
    observe(self, location, number, has(site, EXO_ACQUIRE));
    publish(model.running, location, p, desired, has(site, EXO_RELEASE), &carried);
    trace_step(site, p, desired, "");
    return EXO_TRUE;
}

/* A full fence of a thread, where it stands. */
void memory_full_fence(exo_u32 thread)
{
    struct thread *self = &model.thread[thread];
    memory_settle_guess(thread);
    view_join(&self->current, &self->acquire);
    view_join(&self->current, &model.fence);
    model.fence = self->current;
    self->release = self->current;
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

/* Weakened: the load behind it may be done before the store in front of it. */
void model_fence_compiler(const struct site *site)
{
    if (model.running != 0) {
        model.thread[model.running].hoisted = site->weak != 0;
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

/* What others stored reaches a thread at last. Whether there was any such thing. */
exo_bool memory_catch_up(exo_u32 thread)
{
    struct thread *self = &model.thread[thread];
    exo_bool new_to_it = EXO_FALSE;
    exo_u32 i;
    for (i = 0; i < memory.locations; i++) {
        exo_u32 newest = memory.location[i].count - 1;
        new_to_it = new_to_it || self->current.seen[i] < newest;
        self->current.seen[i] = (exo_u16_pvt)newest;
    }
    return new_to_it;
}

/* The kernel reports what another thread did: its death. */
void memory_learn(exo_u32 thread, exo_u32 other)
{
    view_join(&model.thread[thread].current, &model.thread[other].current);
}

void client_shares(void *p, exo_size bytes)
{
    struct range *range = &memory.shared[memory.shared_count++ % RANGES];
    range->from = (exo_uptr)p;
    range->to = range->from + bytes;
}

void client_distrusts(const void *p, exo_size bytes)
{
    struct range *range = &memory.distrusted[memory.distrusted_count++ % RANGES];
    range->from = (exo_uptr)p;
    range->to = range->from + bytes;
}

void client_predicts(const exo_u32 *word)
{
    struct range *range = &memory.predicted[memory.predicted_count++ % RANGES];
    range->from = (exo_uptr)word;
    range->to = range->from + sizeof(*word);
}

static struct cell *plain_at(exo_uptr address)
{
    exo_u32 at = (exo_u32)(address >> 3) * 2654435761u >> 21;
    struct cell *cell;
    for (; memory.plain_run[at] == memory.run; at = (at + 1) % CELLS) {
        if (memory.plain[memory.plain_bucket[at]].address == address) {
            return &memory.plain[memory.plain_bucket[at]];
        }
    }
    if (memory.plains == CELLS / 2) {
        schedule_fail("too much plain memory in one run");
    }
    memory.plain_run[at] = memory.run;
    memory.plain_bucket[at] = (exo_u16_pvt)memory.plains;
    cell = &memory.plain[memory.plains++];
    memset(cell, 0, sizeof(*cell));
    cell->address = address;
    return cell;
}

/* A plain access: whatever conflicts with it must have happened before. */
static void plain_access(exo_uptr address, exo_bool writes)
{
    struct cell *cell = plain_at(address & ~(exo_uptr)7);
    const struct view *view = &model.thread[model.running].current;
    exo_u32 now = memory_tick(model.running);
    exo_u32 i;
    if (cell->written != 0 && !memory_before(view, cell->writer, cell->written)) {
        schedule_fail("data race: plain memory, written by another thread");
    }
    if (!writes) {
        cell->read[model.running] = (exo_u16_pvt)now;
        return;
    }
    for (i = 0; i < MODEL_THREADS; i++) {
        if (!memory_before(view, i, cell->read[i])) {
            schedule_fail("data race: plain memory, read by another thread");
        }
        cell->read[i] = 0;
    }
    cell->writer = model.running;
    cell->written = (exo_u16_pvt)now;
}

void client_write(exo_u64 *p, exo_u64 value)
{
    if (model.running != 0) {
        plain_access((exo_uptr)p, EXO_TRUE);
    }
    *p = value;
}

exo_u64 client_read(const exo_u64 *p)
{
    if (model.running != 0) {
        plain_access((exo_uptr)p, EXO_FALSE);
    }
    return *p;
}

void model_copy(void *to, const void *from, exo_size bytes)
{
    exo_size i;
    for (i = 0; model.running != 0 && i < bytes; i += 8) {
        if (within(memory.shared, memory.shared_count, (exo_uptr)from + i)) {
            plain_access((exo_uptr)from + i, EXO_FALSE);
        }
        if (within(memory.shared, memory.shared_count, (exo_uptr)to + i)) {
            plain_access((exo_uptr)to + i, EXO_TRUE);
        }
    }
    memcpy(to, from, bytes);
}
