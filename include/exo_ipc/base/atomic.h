/* SPDX-License-Identifier: MIT */
/*
 * The only door to atomic memory. Everything above works on plain integers through these calls, so
 * that one header can be exchanged for a model checker's (EXO_ATOMIC_HEADER, which must define all the
 * names below) and so that an order is always spelled at its call.
 *
 * Orders are constants: EXO_RELAXED, EXO_ACQUIRE, EXO_RELEASE, EXO_ACQ_REL. There are fences, sequentially
 * consistent ones too, and no sequentially consistent accesses. Each word is only ever accessed in the
 * size of its type.
 *
 * Every call is wait-free where the processor has the instruction, and may be used in an interrupt.
 */
#ifndef EXO_IPC_BASE_ATOMIC_H
#define EXO_IPC_BASE_ATOMIC_H

#include "config.h"
#include "types.h"

#ifdef EXO_ATOMIC_HEADER
#include EXO_ATOMIC_HEADER
#else

#define EXO_RELAXED __ATOMIC_RELAXED
#define EXO_ACQUIRE __ATOMIC_ACQUIRE
#define EXO_RELEASE __ATOMIC_RELEASE
#define EXO_ACQ_REL __ATOMIC_ACQ_REL

/* These give the macros below the type checking of functions; the order stays a literal constant
 * even without optimisation. */
EXO_HOT exo_u32 *exo_word32_pvt(exo_u32 *p)
{
    return p;
}
EXO_HOT const exo_u32 *exo_const_word32_pvt(const exo_u32 *p)
{
    return p;
}
EXO_HOT exo_word64 *exo_word64_pvt(exo_word64 *p)
{
    return p;
}
EXO_HOT const exo_word64 *exo_const_word64_pvt(const exo_word64 *p)
{
    return p;
}

#define exo_load32(p, order) __atomic_load_n(exo_const_word32_pvt(p), order)
#define exo_store32(p, value, order) __atomic_store_n(exo_word32_pvt(p), value, order)
#define exo_fetch_add32(p, value, order) __atomic_fetch_add(exo_word32_pvt(p), value, order)
#define exo_fetch_or32(p, value, order) __atomic_fetch_or(exo_word32_pvt(p), value, order)
#define exo_fetch_and32(p, value, order) __atomic_fetch_and(exo_word32_pvt(p), value, order)

/* Compare and swap: strong, relaxed on failure; *expected is updated then. True when it stored. */
#define exo_cas32(p, expected, desired, order)                                                       \
    __atomic_compare_exchange_n(exo_word32_pvt(p), expected, desired, 0, order, __ATOMIC_RELAXED)

#if defined(__i386__) && defined(__GNUC__) && !defined(__clang__) && defined(_SOFT_FLOAT) &&         \
    !defined(__SSE2__)

/* A 32-bit kernel without FPU: cmpxchg8b is the only 8-byte access. It writes, so even memory that is
 * only read must be mapped writable there. All orders are the strongest. */
EXO_INLINE exo_u64 exo_cmpxchg8b_pvt(const exo_word64 *p, exo_u64 expected, exo_u64 desired)
{
    exo_word64 *word = (exo_word64 *)(exo_uptr)p;
    __asm__ __volatile__("lock; cmpxchg8b %1"
                         : "+A"(expected), "+m"(*word)
                         : "b"((exo_u32)desired), "c"((exo_u32)(desired >> 32))
                         : "memory", "cc");
    return expected;
}
EXO_INLINE exo_bool exo_cas64_pvt(exo_word64 *p, exo_u64 *expected, exo_u64 desired)
{
    exo_u64 seen = exo_cmpxchg8b_pvt(p, *expected, desired);
    exo_bool stored = seen == *expected;
    *expected = seen;
    return stored;
}
EXO_INLINE exo_u64 exo_exchange64_pvt(exo_word64 *p, exo_u64 value, exo_bool add)
{
    exo_u64 seen = *p;
    while (!exo_cas64_pvt(p, &seen, add ? seen + value : value)) {
    }
    return seen;
}
#define exo_load64(p, order) ((void)(order), exo_cmpxchg8b_pvt(p, 0, 0))
#define exo_store64(p, value, order) ((void)(order), (void)exo_exchange64_pvt(p, value, EXO_FALSE))
#define exo_fetch_add64(p, value, order) ((void)(order), exo_exchange64_pvt(p, value, EXO_TRUE))
#define exo_cas64(p, expected, desired, order) ((void)(order), exo_cas64_pvt(p, expected, desired))

#else

#define exo_load64(p, order) __atomic_load_n(exo_const_word64_pvt(p), order)
#define exo_store64(p, value, order) __atomic_store_n(exo_word64_pvt(p), value, order)
#define exo_fetch_add64(p, value, order) __atomic_fetch_add(exo_word64_pvt(p), value, order)
#define exo_cas64(p, expected, desired, order)                                                       \
    __atomic_compare_exchange_n(exo_word64_pvt(p), expected, desired, 0, order, __ATOMIC_RELAXED)

#endif

/*
 * Two neighbouring words in one access, aligned to 16 bytes, where there is such a thing. Nobody relies on
 * the pair being one: each word is.
 */
#if defined(__x86_64__) && defined(__AVX__) && !EXO_VERIFY && !EXO_HAS_TSAN
#define EXO_HAS_PAIR 1
typedef exo_u64 exo_pair_pvt __attribute__((vector_size(16), aligned(16), may_alias));
#else
#define EXO_HAS_PAIR 0
#endif

EXO_HOT void exo_store_pair_relaxed(exo_word64 *p, exo_u64 low, exo_u64 high)
{
#if EXO_HAS_PAIR
    exo_pair_pvt pair = {low, high};
    *(volatile exo_pair_pvt *)(void *)p = pair;
#else
    exo_store64(p, low, EXO_RELAXED);
    exo_store64(p + 1, high, EXO_RELAXED);
#endif
}

/* Two neighbouring words, in one load where there is such a thing, to anywhere. */
EXO_HOT void exo_load_pair_relaxed(void *to, const exo_word64 *p)
{
#if EXO_HAS_PAIR
    exo_pair_pvt pair = *(const volatile exo_pair_pvt *)(const void *)p;
#else
    exo_u64 pair[2];
    pair[0] = exo_load64(p, EXO_RELAXED);
    pair[1] = exo_load64(p + 1, EXO_RELAXED);
#endif
    __builtin_memcpy(to, &pair, sizeof(pair));
}

/* Full fence. ThreadSanitizer knows no fences; a locked instruction is one on every machine it runs on. */
EXO_HOT void exo_fence_seq(void)
{
#if EXO_HAS_TSAN
    exo_u32 scratch = 0;
    (void)__atomic_fetch_add(&scratch, 1u, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* What was read before this fence is not overtaken by what follows it. Under ThreadSanitizer, which would reject
 * it, the full one: it still orders the machine, but gives no happens-before there, so that whoever relies on it
 * guards only words that are atomic themselves. */
EXO_HOT void exo_fence_acquire(void)
{
#if EXO_HAS_TSAN
    exo_fence_seq();
#else
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

/* What is written after this fence does not overtake what stands before it. Otherwise as exo_fence_acquire(). */
EXO_HOT void exo_fence_release(void)
{
#if EXO_HAS_TSAN
    exo_fence_seq();
#else
    __atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

/* Orders the compiler only, in both directions. */
EXO_HOT void exo_fence_compiler(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif /* EXO_ATOMIC_HEADER */

#endif
