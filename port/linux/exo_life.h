/* SPDX-License-Identifier: MIT */
/*
 * A life word: 32 bits of shared memory that the kernel itself changes, waking one sleeper, when the thread
 * that made it dies by any means. A peer that maps it read-only can sleep on it together with its event word.
 *
 * It is the lock word of a robust mutex that is locked once and never unlocked. The mutex also holds
 * list links, which are pointers; so that none of them is shared, it lies across the end of the segment: the
 * words before its list in the segment's last bytes, the list in the private page behind.
 *
 *   | segment (shared) ............. lock word, ... || list links, books (private) ... |
 *
 * The bit FUTEX_WAITERS is set beforehand: without it the kernel marks the word but wakes nobody.
 *
 * A robust mutex dies with its thread, not with its process. A peer therefore takes the word for a hint and
 * believes in a death only when the pidfd or the socket confirms it.
 */
#ifndef EXO_PORT_LINUX_LIFE_H
#define EXO_PORT_LINUX_LIFE_H

#include <pthread.h>

#include "exo_port.h"

/* The words of a mutex before its list, where the C library is known to keep them together. */
#ifdef __GLIBC__
#define EXO_LIFE_SHARED_BYTES ((exo_u32)__builtin_offsetof(pthread_mutex_t, __data.__list))
#else
#define EXO_LIFE_SHARED_BYTES 0u
#endif

/* Private bytes that a life word needs right behind its segment. */
#define EXO_LIFE_PRIVATE_BYTES 64u

/* Bytes to keep free at a segment's end. */
#define EXO_LIFE_RESERVED_BYTES 64u

/**
 * exo_life_begin - tie a life word to the calling thread.
 * @boundary: where the segment ends and EXO_LIFE_PRIVATE_BYTES of private memory begin
 *
 * Returns: bytes from the word to the boundary; 0 where there can be none, which only makes death be noticed
 * later. Context: not from an interrupt.
 */
EXO_INLINE exo_u32 exo_life_begin(void *boundary)
{
#if defined(__GLIBC__)
    pthread_mutex_t *mutex = (pthread_mutex_t *)(void *)((exo_u8 *)boundary - EXO_LIFE_SHARED_BYTES);
    pthread_mutexattr_t attributes;
    int failed = pthread_mutexattr_init(&attributes);
    failed |= pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    failed |= pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    failed |= pthread_mutex_init(mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    if (failed != 0 || pthread_mutex_lock(mutex) != 0) {
        return 0;
    }
    /* relaxed: nobody looks at the word before its place is told */
    (void)exo_fetch_or32((exo_u32 *)(void *)mutex, FUTEX_WAITERS, EXO_RELAXED);
    return EXO_LIFE_SHARED_BYTES;
#else
    (void)boundary;
    return 0;
#endif
}

/**
 * exo_life_end - release a life word.
 * @boundary: as given to exo_life_begin()
 * @bytes: what that returned
 *
 * Returns: true if the memory may be unmapped. False if another, living thread made the word: the kernel will
 * look at it when that thread ends, so the pages around the boundary must stay mapped.
 */
EXO_INLINE exo_bool exo_life_end(void *boundary, exo_u32 bytes)
{
    exo_u32 *word = (exo_u32 *)(void *)((exo_u8 *)boundary - bytes);
    if (bytes == 0 || pthread_mutex_unlock((pthread_mutex_t *)(void *)word) == 0) {
        return EXO_TRUE;
    }
    return (exo_load32(word, EXO_RELAXED) & FUTEX_OWNER_DIED) != 0; /* relaxed: final once set */
}

#endif
