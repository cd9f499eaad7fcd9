/* SPDX-License-Identifier: MIT */
/*
 * Copies between a caller's bytes, at any address, and the words of a slot. Slot words are always stored
 * and loaded whole, in one size, by relaxed atomics: the other side may be reading, or scribbling, at
 * the same time. Whole words keep store forwarding alive where one thread sends and receives; a byte copy of
 * a run-time length costs four times as much.
 */
#ifndef EXO_IPC_BASE_COPY_H
#define EXO_IPC_BASE_COPY_H

#include "atomic.h"

EXO_HOT exo_u64 exo_read64(const void *from)
{
    exo_u64 value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
}

EXO_HOT void exo_write64(void *to, exo_u64 value)
{
    __builtin_memcpy(to, &value, sizeof(value));
}

/* The first n bytes (1..7) at from as they lie in memory, the rest zero. */
EXO_INLINE exo_u64 exo_read_tail(const exo_u8 *from, exo_size n)
{
    exo_u64 value = 0;
    exo_u32 i;
    for (i = 0; i < n; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        value |= (exo_u64)from[i] << (8 * i);
#else
        value |= (exo_u64)from[i] << (56 - 8 * i);
#endif
    }
    return value;
}

/* The first n bytes (1..7) of value as they lie in memory. */
EXO_INLINE void exo_write_tail(exo_u8 *to, exo_u64 value, exo_size n)
{
    exo_u32 i;
    for (i = 0; i < n; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        to[i] = (exo_u8)(value >> (8 * i));
#else
        to[i] = (exo_u8)(value >> (56 - 8 * i));
#endif
    }
}

/* Store len bytes as words; the last word is filled up with zeros. The words belong to the caller until a
 * later release store publishes them. */
EXO_HOT void exo_words_store(exo_word64 *words, const void *from, exo_size len)
{
    const exo_u8 *bytes = (const exo_u8 *)from;
    exo_size full = len >> 3;
    exo_size tail = len & 7;
    exo_size i;
    for (i = 0; i < full; i++) {
        exo_store64(&words[i], exo_read64(bytes + 8 * i), EXO_RELAXED); /* relaxed: published later */
    }
    if (tail != 0) {
        exo_u64 last = exo_read_tail(bytes + 8 * full, tail);
        exo_store64(&words[full], last, EXO_RELAXED); /* relaxed: published later */
    }
}

/* Load len bytes from words whose publication the caller has acquired. Writes exactly len bytes. */
EXO_HOT void exo_words_load(void *to, const exo_word64 *words, exo_size len)
{
    exo_u8 *bytes = (exo_u8 *)to;
    exo_size full = len >> 3;
    exo_size tail = len & 7;
    exo_size i;
    for (i = 0; i < full; i++) {
        exo_write64(bytes + 8 * i, exo_load64(&words[i], EXO_RELAXED)); /* relaxed: acquired before */
    }
    if (tail != 0) {
        exo_write_tail(bytes + 8 * full, exo_load64(&words[full], EXO_RELAXED), tail); /* relaxed: same */
    }
}

#endif
