/* SPDX-License-Identifier: MIT */
/*
 * base/atomic.h for test_fetch_once.c (EXO_ATOMIC_HEADER): as the real one, but every load asks an attacker what it
 * finds, who may change the word behind it. One thread; orders do not matter.
 */
#ifndef EXO_TESTS_FETCH_ONCE_ATOMIC_H
#define EXO_TESTS_FETCH_ONCE_ATOMIC_H

#include "exo_ipc/base/compiler.h"

#define EXO_RELAXED 0u
#define EXO_ACQUIRE 1u
#define EXO_RELEASE 2u
#define EXO_ACQ_REL 3u

/* The word at p, of 4 or 8 bytes, as the load finds it. */
exo_u64 fetch_once_load(const void *p, exo_u32 bytes);

/* These check the types, as in base/atomic.h. */
EXO_HOT exo_u32 fetch_once_load32(const exo_u32 *p)
{
    return (exo_u32)fetch_once_load(p, 4);
}
EXO_HOT exo_u64 fetch_once_load64(const exo_word64 *p)
{
    return fetch_once_load(p, 8);
}

#define exo_load32(p, order) ((void)(order), fetch_once_load32(p))
#define exo_load64(p, order) ((void)(order), fetch_once_load64(p))
#define exo_store32(p, value, order) ((void)(order), __atomic_store_n(p, value, __ATOMIC_SEQ_CST))
#define exo_store64(p, value, order) ((void)(order), __atomic_store_n(p, value, __ATOMIC_SEQ_CST))
#define exo_fetch_add32(p, value, order) ((void)(order), __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST))
#define exo_fetch_or32(p, value, order) ((void)(order), __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST))
#define exo_fetch_and32(p, value, order) ((void)(order), __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST))
#define exo_fetch_add64(p, value, order) ((void)(order), __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST))
#define exo_cas32(p, expected, desired, order)                                                       \
    ((void)(order),                                                                                  \
     __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
#define exo_cas64(p, expected, desired, order) exo_cas32(p, expected, desired, order)

#define exo_fence_seq() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define exo_fence_compiler() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define exo_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define exo_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)

#define EXO_HAS_PAIR 0

EXO_HOT void exo_store_pair_relaxed(exo_word64 *p, exo_u64 low, exo_u64 high)
{
    exo_store64(p, low, EXO_RELAXED);
    exo_store64(p + 1, high, EXO_RELAXED);
}

EXO_HOT void exo_load_pair_relaxed(void *to, const exo_word64 *p)
{
    exo_u64 pair[2];
    pair[0] = exo_load64(p, EXO_RELAXED);
    pair[1] = exo_load64(p + 1, EXO_RELAXED);
    __builtin_memcpy(to, pair, sizeof(pair));
}

#endif
