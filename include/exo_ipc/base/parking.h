/* SPDX-License-Identifier: MIT */
/*
 * A parking lot: wait and wake on any 32-bit word, made of a kernel's block_current() and
 * unblock(thread).
 *
 * Nothing else in the library includes this header. A port without a futex of its own does, and
 * builds exo_port_wait() and exo_port_wake() on exo_parking_wait() and exo_parking_wake();
 * port/freestanding/exo_port.h shows how.
 *
 *      word's key --hash--> bucket[0]   lock | first --> node <--> node <-- last
 *                           bucket[1]   lock | first = last = null    (oldest ... youngest)
 *                           ...         each node lies on the stack of the thread that waits, or,
 *                                       where it waits for many words, in its records of them
 *
 * One object. The lot must be the same for all waiters and wakers, so it is an external object:
 * exactly one C file of the kernel says EXO_PARKING_DEFINE_LOT; A lot of zeros is an empty lot.
 *
 * Keys. A waiter is found by the key of its word: EXO_PARKING_KEY(word), by default the word's address,
 * so both sides must use the same address. Where a word is mapped at several addresses, define it
 * before including this header as something that all mappings agree on, such as the physical address,
 * and the same in every file. It is called with no lock held, from wherever wake is called.
 *
 * Who writes what: a bucket and all the nodes in it are read and written under the bucket's lock only.
 *
 * Why no wake-up is lost. A waiter compares and queues under the bucket's lock; a waker changes the
 * word first and takes the same lock then. If the waiter had the lock first, the waker finds its node;
 * if the waker had it first, the waiter sees the changed word and does not sleep. A node that was taken
 * out before its thread came to block is caught by the permit (2. below).
 *
 * Why no node dangles. unblock() is called under the lock, and a waiter takes the lock once more before
 * it leaves, also when its node was taken out already: until the waker is done with thread and node,
 * both exist. Whoever returned early finds itself still queued then, and takes itself out.
 *
 * What the kernel must offer. Five functions, all of them called from kernel context:
 *
 * 1. void *exo_port_thread_current(void): the calling thread, as unblock() wants it. Never null.
 *
 * 2. void exo_port_unblock(void *thread): make that thread's block_current() return. If the thread is
 *    not blocked, because it is still on its way there on this or another CPU, a permit must stay with
 *    the thread, and its next block_current() takes the permit and returns at once. ("Mark it runnable;
 *    nothing to do if it runs already" loses wake-ups.) One permit is enough; counting them is allowed.
 *    Called under a spin lock, inside a critical section, perhaps in an interrupt: it must not sleep
 *    and must not enter the lot. It may take the scheduler's locks, whose holders then must not enter
 *    the lot.
 *
 * 3. void exo_port_block_current(exo_u64 deadline_ns): sleep until a permit is there, or the deadline
 *    passes: absolute, on the clock of exo_port_now_ns(); EXO_FOREVER for none; one that has passed
 *    returns at once. May return early for any reason. Called with no lock held, outside of critical
 *    sections. A thread that returned early may be left with a permit: the next one who blocks it, in
 *    the lot or not, must bear an early return.
 *
 * 4. exo_uptr exo_port_critical_enter(void), void exo_port_critical_exit(exo_uptr state): between the
 *    two, nothing on this CPU that may call wake interrupts the caller, and the caller is not
 *    preempted. state is what enter returned (the flags, for example); pairs nest. Where wake is never
 *    called from an interrupt, both may do nothing. Wake must not be called from what cannot be held
 *    off (an NMI).
 *
 * 5. The stacks of waiting threads, and the records of those that wait for many words, stay readable and
 *    writable at the same addresses from wherever wake is called: kernel memory, not that of user space. The word is read in the critical section:
 *    it must not fault there. A thread that is to be killed while it waits is unblocked and runs out of
 *    exo_parking_wait() first.
 *
 * By default the five are declared here, as external C functions. A port that has them as static inline
 * functions or macros defines EXO_PORT_HAS_PARKING_HOOKS 1 and all five before it includes this header.
 *
 * Progress: blocking, and not fair between CPUs; the lock is held for one walk over a bucket's waiters.
 */
#ifndef EXO_IPC_BASE_PARKING_H
#define EXO_IPC_BASE_PARKING_H

#include "atomic.h"
#include "compiler.h"
#include "config.h"
#include "cpu.h"
#include "types.h"
#include "wait_word.h"

#ifndef EXO_PORT_HAS_PARKING_HOOKS
#define EXO_PORT_HAS_PARKING_HOOKS 0
#endif

#ifndef EXO_PARKING_KEY
#define EXO_PARKING_KEY(word) ((exo_u64)(exo_uptr)(word))
#endif

/* Fixed: the lot is shared by files that may have been compiled with different macros. */
#define EXO_PARKING_BUCKET_BITS 6
#define EXO_PARKING_BUCKETS     (1u << EXO_PARKING_BUCKET_BITS)

/* One waiting thread, on its own stack; or in a struct exo_wait_word. */
struct exo_parked {
    struct exo_parked *next;
    struct exo_parked *previous;
    void *thread;
    exo_u64 key;
    exo_bool queued; /* false once a waker, or the thread itself, has taken it out */
};

EXO_STATIC_ASSERT(sizeof(struct exo_parked) <= sizeof(((struct exo_wait_word *)0)->room), "has room");

struct exo_parking_bucket {
    exo_u32 lock;             /* 1 while held */
    struct exo_parked *first; /* has waited longest */
    struct exo_parked *last;
} EXO_ALIGNED(EXO_CACHE_LINE);

struct exo_parking_lot {
    struct exo_parking_bucket bucket[EXO_PARKING_BUCKETS];
};

EXO_EXTERN_C_BEGIN

extern struct exo_parking_lot exo_parking_lot;

#if !EXO_PORT_HAS_PARKING_HOOKS
void *exo_port_thread_current(void);
void exo_port_block_current(exo_u64 deadline_ns);
void exo_port_unblock(void *thread);
exo_uptr exo_port_critical_enter(void);
void exo_port_critical_exit(exo_uptr state);
#endif

EXO_EXTERN_C_END

/* The definition of the lot; ends with a semicolon of the user's. */
#define EXO_PARKING_DEFINE_LOT struct exo_parking_lot exo_parking_lot

EXO_INLINE struct exo_parking_bucket *exo_parking_bucket_pvt(exo_u64 key)
{
    /* Multiplication by 2^64 over the golden ratio; the top bits depend on all bits of the key. */
    exo_u64 hash = key * 0x9E3779B97F4A7C15ull;
    return &exo_parking_lot.bucket[hash >> (64 - EXO_PARKING_BUCKET_BITS)];
}

EXO_INLINE exo_uptr exo_parking_lock_pvt(struct exo_parking_bucket *bucket)
{
    exo_uptr state = exo_port_critical_enter();
    exo_u32 expected = 0;
    /* [parking:lock] pairs [parking:unlock]: what the last holder did is seen. */
    while (!exo_cas32(&bucket->lock, &expected, 1u, EXO_ACQUIRE)) {
        do {
            exo_cpu_relax();
            expected = exo_load32(&bucket->lock, EXO_RELAXED); /* relaxed: the exchange decides */
        } while (expected != 0);
    }
    return state;
}

EXO_INLINE void exo_parking_unlock_pvt(struct exo_parking_bucket *bucket, exo_uptr state)
{
    /* [parking:unlock] pairs [parking:lock]: hands on the bucket, and the changed word. */
    exo_store32(&bucket->lock, 0u, EXO_RELEASE);
    exo_port_critical_exit(state);
}

EXO_INLINE void exo_parking_append_pvt(struct exo_parking_bucket *bucket, struct exo_parked *node)
{
    node->next = (struct exo_parked *)EXO_NULL;
    node->previous = bucket->last;
    node->queued = EXO_TRUE;
    if (bucket->last != EXO_NULL) {
        bucket->last->next = node;
    } else {
        bucket->first = node;
    }
    bucket->last = node;
}

EXO_INLINE void exo_parking_remove_pvt(struct exo_parking_bucket *bucket, struct exo_parked *node)
{
    if (node->previous != EXO_NULL) {
        node->previous->next = node->next;
    } else {
        bucket->first = node->next;
    }
    if (node->next != EXO_NULL) {
        node->next->previous = node->previous;
    } else {
        bucket->last = node->previous;
    }
    node->queued = EXO_FALSE;
}

/* Queues up, unless the word has changed. */
EXO_INLINE exo_bool exo_parking_queue_pvt(struct exo_parked *self, const exo_u32 *word, exo_u32 expected)
{
    struct exo_parking_bucket *bucket;
    exo_uptr state;
    exo_bool same;

    self->key = EXO_PARKING_KEY(word);
    self->thread = exo_port_thread_current();
    bucket = exo_parking_bucket_pvt(self->key);

    state = exo_parking_lock_pvt(bucket);
    /* relaxed: the lock orders it behind the change of every waker that held the lock before. */
    same = exo_load32(word, EXO_RELAXED) == expected;
    if (same) {
        exo_parking_append_pvt(bucket, self);
    }
    exo_parking_unlock_pvt(bucket, state);
    return same;
}

/* Takes itself out, unless a waker did. */
EXO_INLINE void exo_parking_leave_pvt(struct exo_parked *self)
{
    struct exo_parking_bucket *bucket = exo_parking_bucket_pvt(self->key);
    exo_uptr state = exo_parking_lock_pvt(bucket);
    if (self->queued) {
        exo_parking_remove_pvt(bucket, self);
    }
    exo_parking_unlock_pvt(bucket, state);
}

/**
 * exo_parking_wait - sleep until a word is woken, if it still has a value.
 * @word: any word that stays mapped; read once, never written
 * @expected: returns at once if the word has another value
 * @deadline_ns: absolute, as exo_port_block_current() takes it; EXO_FOREVER for none
 *
 * Returns early whenever exo_port_block_current() does: look again and decide.
 * Context: a thread that may sleep; not in a critical section, not holding a spin lock.
 * Ordering: none promised; read what you waited for with the order you need.
 */
EXO_INLINE void exo_parking_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns)
{
    struct exo_parked self;
    if (exo_parking_queue_pvt(&self, word, expected)) {
        exo_port_block_current(deadline_ns);
        exo_parking_leave_pvt(&self);
    }
}

/* The node in the room that the port has. */
EXO_INLINE struct exo_parked *exo_parking_node_pvt(struct exo_wait_word *at)
{
    return (struct exo_parked *)(void *)at->room;
}

/**
 * exo_parking_wait_many - sleep until one of several words is woken, if they all still have their values.
 * @first: the words, linked by `next`; `peer` and `shared` mean nothing here
 * @deadline_ns: as exo_parking_wait()
 *
 * The thread queues for one word after the other, and does not sleep if it finds one changed on its way; a waker
 * of one where it queued already has left it a permit. Each waker that finds it counts it as woken: it looks at all
 * words again, and may keep a permit for each of them but one.
 *
 * Context, Ordering: as exo_parking_wait().
 */
EXO_INLINE void exo_parking_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    struct exo_wait_word *at = first;
    struct exo_wait_word *end;
    while (at != EXO_NULL && exo_parking_queue_pvt(exo_parking_node_pvt(at), at->word, at->expected)) {
        at = at->next;
    }
    end = at; /* null: all are queued for */
    if (end == EXO_NULL) {
        exo_port_block_current(deadline_ns);
    }
    for (at = first; at != end; at = at->next) {
        exo_parking_leave_pvt(exo_parking_node_pvt(at));
    }
}

/**
 * exo_parking_wake - wake those who have waited longest on a word.
 * @word: a word with the same key as the waiters'; not accessed
 * @count: at most this many; 0xFFFFFFFF for all
 *
 * The caller has changed the word before. One of the woken may be on its way back already, because of
 * its deadline; it counts all the same, and looks at the word again.
 *
 * Returns: how many were woken.
 * Context: any, interrupts included, if exo_port_critical_enter() holds those off.
 * Ordering: what the caller did before is seen by the threads that it woke.
 */
EXO_INLINE exo_u32 exo_parking_wake(const exo_u32 *word, exo_u32 count)
{
    exo_u64 key = EXO_PARKING_KEY(word);
    struct exo_parking_bucket *bucket = exo_parking_bucket_pvt(key);
    exo_uptr state = exo_parking_lock_pvt(bucket);
    struct exo_parked *node = bucket->first;
    exo_u32 woken = 0;

    while (node != EXO_NULL && woken < count) {
        struct exo_parked *next = node->next;
        if (node->key == key) {
            exo_parking_remove_pvt(bucket, node);
            exo_port_unblock(node->thread);
            woken++;
        }
        node = next;
    }
    exo_parking_unlock_pvt(bucket, state);
    return woken;
}

#endif
