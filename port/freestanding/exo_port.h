/* SPDX-License-Identifier: MIT */
/*
 * Port to no system at all: the worked example, to be used as it is or copied and filled in.
 *
 * It needs a compiler and nothing else, and runs at once: waiting spins, pages come from a static
 * arena, time is a counter of looks at the clock. Each of these is a macro that your kernel replaces
 * before this header is seen, most conveniently in a header of its own that ends with including this
 * one:
 *
 *     #define EXO_PORT_NOW_NS()   my_clock_ns()
 *     #define EXO_PORT_SELF()     my_thread_number()
 *     #define EXO_PORT_USE_PARKING 1
 *     #include "freestanding/exo_port.h"
 *
 *  macro                    default         meaning
 *  ------------------------ --------------- ----------------------------------------------------------
 *  EXO_PORT_YIELD()         exo_cpu_relax() one turn of a loop that waits for another thread
 *  EXO_PORT_NOW_NS()        counts          nanoseconds, never going back, the same on all CPUs
 *  EXO_PORT_SELF()          1               this thread's number, 1 .. 2^24 - 1. The default is right
 *                                           only where one thread exists
 *  EXO_PORT_PROCESS()       1               this process, as exo_port_process() answers it. The default is
 *                                           right where rings are not shared between processes
 *  EXO_PORT_PROCESS_ALIVE(p) true           whether that process still exists
 *  EXO_PORT_PEER_ALIVE(p)   true            whether the process p (never null) still exists
 *  EXO_PORT_USE_PARKING     0               1: wait and wake sleep in base/parking.h, and need the five
 *                                           functions that it names, and EXO_PORT_NOW_NS
 *  EXO_PORT_TIMED_BLOCK     1               0: exo_port_block_current() ignores its deadline; waits
 *  that
 *                                           have one then yield instead of sleeping
 *
 * Exactly one C file defines EXO_PORT_IMPLEMENTATION 1 and thereby the objects that all share. These
 * concern that file alone:
 *
 *  EXO_PORT_ARENA_BYTES     1 MiB           for exo_port_page_alloc(); a multiple of 4096
 *  EXO_PORT_NEED_MEMCPY     0               1: also define, weakly, what compilers emit calls to:
 *  memcpy,
 *                                           memmove, memset, memcmp; for programs that link no libc
 *
 * The other macros must be the same in all files, since the functions below are inline.
 */
#ifndef EXO_PORT_FREESTANDING_H
#define EXO_PORT_FREESTANDING_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/config.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/math.h"
#include "exo_ipc/base/types.h"
#include "exo_ipc/base/wait_word.h"

#ifndef EXO_PORT_IMPLEMENTATION
#define EXO_PORT_IMPLEMENTATION 0
#endif
#ifndef EXO_PORT_NEED_MEMCPY
#define EXO_PORT_NEED_MEMCPY 0
#endif
#ifndef EXO_PORT_ARENA_BYTES
#define EXO_PORT_ARENA_BYTES 0x100000
#endif
#ifndef EXO_PORT_USE_PARKING
#define EXO_PORT_USE_PARKING 0
#endif
#ifndef EXO_PORT_TIMED_BLOCK
#define EXO_PORT_TIMED_BLOCK 1
#endif
#if EXO_PORT_USE_PARKING && !defined(EXO_PORT_NOW_NS)
#error "EXO_PORT_USE_PARKING needs EXO_PORT_NOW_NS: a thread that sleeps does not count"
#endif

#ifndef EXO_PORT_YIELD
#define EXO_PORT_YIELD() exo_cpu_relax()
#endif
#ifndef EXO_PORT_SELF
#define EXO_PORT_SELF() 1u
#endif
#ifndef EXO_PORT_PROCESS
#define EXO_PORT_PROCESS() 1u
#endif
#ifndef EXO_PORT_PROCESS_ALIVE
#define EXO_PORT_PROCESS_ALIVE(process) ((void)(process), EXO_TRUE)
#endif
#ifndef EXO_PORT_PEER_ALIVE
#define EXO_PORT_PEER_ALIVE(peer) ((void)(peer), EXO_TRUE)
#endif

#if EXO_PORT_USE_PARKING
#include "exo_ipc/base/parking.h"
#endif

#define EXO_PORT_PAGE 4096u

/* How long a wait lasts at most that watches a peer: nothing here is told of a death. */
#define EXO_PORT_SLICE_NS 50000000u

/* What the default clock adds for each look at it: about one turn of a spin loop. */
#define EXO_PORT_TICK_NS 50u

/* A process at the other end; the number is for EXO_PORT_PEER_ALIVE to interpret. */
struct exo_port_peer {
    exo_uptr id;
};

/* The page arena: first fit over a map of pages. The lock guards the map. */
struct exo_port_arena {
    exo_u32 lock; /* 1 while held */
    exo_size pages;
    exo_u8 *memory; /* pages * EXO_PORT_PAGE bytes */
    exo_u8 *used;   /* one byte for each page: 0 or 1 */
};

EXO_EXTERN_C_BEGIN

extern struct exo_port_arena exo_port_arena;
#ifndef EXO_PORT_NOW_NS
extern exo_word64 exo_port_ticks;
#endif

EXO_EXTERN_C_END

/* A kernel links memcpy. Where it is __builtin_memcpy, small constant sizes become plain moves. */
EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes)
{
    __builtin_memcpy(to, from, bytes);
}

/* Fences are symmetric here. A kernel that can interrupt its other CPUs may return true, and have
 * exo_port_fence_heavy() make each of them pass a fence and wait until all have. */
EXO_INLINE exo_bool exo_port_fence_setup(void)
{
    return EXO_FALSE;
}

EXO_INLINE void exo_port_fence_heavy(exo_bool shared)
{
    (void)shared;
    exo_fence_seq();
}

/* The default is no clock but lets deadlines pass: the sooner, the more threads wait. */
EXO_INLINE exo_u64 exo_port_now_ns(void)
{
#ifdef EXO_PORT_NOW_NS
    return EXO_PORT_NOW_NS();
#else
    /* relaxed: the one word is all there is to order. */
    return exo_fetch_add64(&exo_port_ticks, EXO_PORT_TICK_NS, EXO_RELAXED);
#endif
}

EXO_INLINE exo_u32 exo_port_self(void)
{
    return EXO_PORT_SELF();
}

EXO_INLINE exo_u64 exo_port_process(void)
{
    return EXO_PORT_PROCESS();
}

EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    return EXO_PORT_PROCESS_ALIVE(process);
}

EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    return peer == EXO_NULL || EXO_PORT_PEER_ALIVE(peer);
}

EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                              exo_bool shared, struct exo_port_peer *peer)
{
    (void)shared; /* one kernel, one lot: EXO_PARKING_KEY sees to mappings at several addresses */
    if (peer != EXO_NULL) {
        if (!exo_port_peer_alive(peer)) {
            return;
        }
        deadline_ns = exo_min64(deadline_ns, exo_port_now_ns() + EXO_PORT_SLICE_NS);
    }
#if EXO_PORT_USE_PARKING
    if (EXO_PORT_TIMED_BLOCK || deadline_ns == EXO_FOREVER) {
        exo_parking_wait(word, expected, deadline_ns);
        return;
    }
#endif
    /* relaxed: the caller looks again, with the order it needs. */
    while (exo_load32(word, EXO_RELAXED) == expected && exo_port_now_ns() < deadline_ns) {
        EXO_PORT_YIELD();
    }
}

/* Waits for many words at once, as exo_port_wait() for one. */
#define EXO_PORT_HAS_WAIT_MANY 1

EXO_INLINE void exo_port_wait_many(struct exo_wait_word *first, exo_u64 deadline_ns)
{
    exo_u64 end_ns = deadline_ns;
    const struct exo_wait_word *at;
    for (at = first; at != EXO_NULL; at = at->next) {
        if (at->peer != EXO_NULL && end_ns == deadline_ns) {
            end_ns = exo_min64(deadline_ns, exo_port_now_ns() + EXO_PORT_SLICE_NS);
        }
    }
#if EXO_PORT_USE_PARKING
    if (EXO_PORT_TIMED_BLOCK || end_ns == EXO_FOREVER) {
        exo_parking_wait_many(first, end_ns);
        return;
    }
#endif
    while (!exo_wait_word_changed(first) && exo_port_now_ns() < end_ns) {
        EXO_PORT_YIELD();
    }
}

EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    (void)shared;
#if EXO_PORT_USE_PARKING
    (void)exo_parking_wake(word, count);
#else
    (void)word; /* whoever spins sees the change */
    (void)count;
#endif
}

EXO_INLINE void exo_port_arena_lock_pvt(void)
{
    exo_u32 expected = 0;
    /* [arena:lock] pairs [arena:unlock]: the map, and pages no longer in use. */
    while (!exo_cas32(&exo_port_arena.lock, &expected, 1u, EXO_ACQUIRE)) {
        expected = 0;
        EXO_PORT_YIELD();
    }
}

EXO_INLINE void exo_port_arena_unlock_pvt(void)
{
    /* [arena:unlock] pairs [arena:lock]: hands on the map. */
    exo_store32(&exo_port_arena.lock, 0u, EXO_RELEASE);
}

EXO_INLINE exo_size exo_port_pages_pvt(exo_size bytes)
{
    return bytes / EXO_PORT_PAGE + (bytes % EXO_PORT_PAGE != 0);
}

/* The first of need free pages in a row, or the number of pages if there are none. */
EXO_INLINE exo_size exo_port_first_fit_pvt(exo_size need)
{
    exo_size run = 0;
    exo_size page;
    for (page = 0; page < exo_port_arena.pages; page++) {
        run = exo_port_arena.used[page] ? 0 : run + 1;
        if (run == need) {
            return page + 1 - need;
        }
    }
    return exo_port_arena.pages;
}

EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    exo_size need = exo_port_pages_pvt(bytes);
    exo_size first;
    void *memory = EXO_NULL;
    if (need == 0) {
        return memory;
    }
    exo_port_arena_lock_pvt();
    first = exo_port_first_fit_pvt(need);
    if (first < exo_port_arena.pages) {
        __builtin_memset(exo_port_arena.used + first, 1, need);
        memory = exo_port_arena.memory + first * EXO_PORT_PAGE;
    }
    exo_port_arena_unlock_pvt();
    if (memory != EXO_NULL) {
        __builtin_memset(memory, 0, need * EXO_PORT_PAGE);
    }
    return memory;
}

EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    exo_size first = (exo_size)((exo_u8 *)memory - exo_port_arena.memory) / EXO_PORT_PAGE;
    exo_port_arena_lock_pvt();
    __builtin_memset(exo_port_arena.used + first, 0, exo_port_pages_pvt(bytes));
    exo_port_arena_unlock_pvt();
}

#if EXO_PORT_IMPLEMENTATION

#define EXO_PORT_ARENA_PAGES (EXO_PORT_ARENA_BYTES / EXO_PORT_PAGE)

EXO_STATIC_ASSERT(EXO_PORT_ARENA_BYTES > 0 && EXO_PORT_ARENA_BYTES % EXO_PORT_PAGE == 0,
                  "whole pages");

EXO_EXTERN_C_BEGIN

static exo_u8 exo_port_memory_pvt[EXO_PORT_ARENA_BYTES] EXO_ALIGNED(EXO_PORT_PAGE);
static exo_u8 exo_port_used_pvt[EXO_PORT_ARENA_PAGES];

struct exo_port_arena exo_port_arena = {0, EXO_PORT_ARENA_PAGES, exo_port_memory_pvt,
                                        exo_port_used_pvt};

#ifndef EXO_PORT_NOW_NS
exo_word64 exo_port_ticks;
#endif

#if EXO_PORT_USE_PARKING
EXO_PARKING_DEFINE_LOT;
#endif

#if EXO_PORT_NEED_MEMCPY

#define EXO_PORT_WEAK __attribute__((weak, used))

void *memcpy(void *to, const void *from, exo_size bytes);
void *memmove(void *to, const void *from, exo_size bytes);
void *memset(void *to, int value, exo_size bytes);
int memcmp(const void *one, const void *other, exo_size bytes);

typedef exo_uptr exo_port_chunk EXO_MAY_ALIAS;

/* The fence of each turn keeps the compiler from making a call of memcpy, itself, out of the loop. */
EXO_PORT_WEAK void *memcpy(void *to, const void *from, exo_size bytes)
{
    exo_u8 *out = (exo_u8 *)to;
    const exo_u8 *in = (const exo_u8 *)from;
    if ((((exo_uptr)out | (exo_uptr)in) & (sizeof(exo_port_chunk) - 1)) == 0) {
        for (; bytes >= sizeof(exo_port_chunk); bytes -= sizeof(exo_port_chunk)) {
            *(exo_port_chunk *)(void *)out = *(const exo_port_chunk *)(const void *)in;
            out += sizeof(exo_port_chunk);
            in += sizeof(exo_port_chunk);
            exo_fence_compiler();
        }
    }
    for (; bytes != 0; bytes--) {
        *out++ = *in++;
        exo_fence_compiler();
    }
    return to;
}

EXO_PORT_WEAK void *memmove(void *to, const void *from, exo_size bytes)
{
    exo_u8 *out = (exo_u8 *)to;
    const exo_u8 *in = (const exo_u8 *)from;
    if ((exo_uptr)out - (exo_uptr)in >= bytes) {
        return memcpy(to, from,
                      bytes); /* forwards is safe: out lies before in, or behind its end */
    }
    while (bytes-- != 0) {
        out[bytes] = in[bytes];
        exo_fence_compiler();
    }
    return to;
}

EXO_PORT_WEAK void *memset(void *to, int value, exo_size bytes)
{
    exo_u8 *out = (exo_u8 *)to;
    exo_port_chunk chunk = ((exo_port_chunk)-1 / 255u) * (exo_u8)value;
    for (; bytes != 0 && ((exo_uptr)out & (sizeof(chunk) - 1)) != 0; bytes--) {
        *out++ = (exo_u8)value;
        exo_fence_compiler();
    }
    for (; bytes >= sizeof(chunk); bytes -= sizeof(chunk)) {
        *(exo_port_chunk *)(void *)out = chunk;
        out += sizeof(chunk);
        exo_fence_compiler();
    }
    for (; bytes != 0; bytes--) {
        *out++ = (exo_u8)value;
        exo_fence_compiler();
    }
    return to;
}

EXO_PORT_WEAK int memcmp(const void *one, const void *other, exo_size bytes)
{
    const exo_u8 *a = (const exo_u8 *)one;
    const exo_u8 *b = (const exo_u8 *)other;
    for (; bytes != 0; bytes--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}

#endif /* EXO_PORT_NEED_MEMCPY */

EXO_EXTERN_C_END

#endif /* EXO_PORT_IMPLEMENTATION */

#endif
