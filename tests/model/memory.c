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

#include "model_memory.h"

#define BUCKETS 512u

static struct {
    exo_u32 locations;
    exo_u32 stores;
    exo_u32 run;
    exo_u16_pvt bucket[BUCKETS];
    exo_u32 bucket_run[BUCKETS];
    struct location location[MODEL_LOCATIONS];
    struct store store[MODEL_STORES];
} memory;

void memory_reset(void)
{
    memory.locations = 0;
    memory.stores = 0;
    memory.run++;
    memset(&model.fence, 0, sizeof(model.fence));
}

void view_join(struct view *into, const struct view *from)
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

exo_u64 memory_real(const void *p, exo_u32 bytes)
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

struct location *memory_find(const void *p, exo_u32 bytes)
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
    memset(&append(location, memory_real(p, bytes), 0)->view, 0, sizeof(struct view));
    return location;
}

exo_u32 memory_index(const struct location *location)
{
    return (exo_u32)(location - memory.location);
}

struct store *memory_store(const struct location *location, exo_u32 number)
{
    return &memory.store[location->store[number]];
}

/* The kernel looks at a word for this thread, which cannot see an older value afterwards. */
exo_u64 memory_kernel_look(const void *p, exo_u32 bytes)
{
    struct location *location = memory_find(p, bytes);
    model.thread[model.running].current.seen[memory_index(location)] = (exo_u16_pvt)(location->count - 1);
    return memory_store(location, location->count - 1)->value;
}

/* The thread has read a store. */
void memory_observe(struct thread *self, const struct location *location, exo_u32 number, exo_bool acquires)
{
    const struct store *store = memory_store(location, number);
    exo_u32 at = memory_index(location);
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
        model.thread[i].current.seen[memory_index(location)] = (exo_u16_pvt)(location->count - 1);
    }
}

/* The thread stores; `carried` is what a read-modify-write carries on. */
void memory_publish(exo_u32 thread, struct location *location, void *p, exo_u64 value, exo_bool releases,
                    const struct view *carried)
{
    struct thread *self = &model.thread[thread];
    exo_u32 at = memory_index(location);
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

