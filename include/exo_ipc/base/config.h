/* SPDX-License-Identifier: MIT */
/*
 * Constants of the library. None of them may be changed by a macro of one translation unit: what
 * lies in shared memory has one layout, whoever compiled it. What a user may tune (spin turns, sizes,
 * modes) is a field of `struct exo_ring_config` instead.
 */
#ifndef EXO_IPC_BASE_CONFIG_H
#define EXO_IPC_BASE_CONFIG_H

#define EXO_VERSION_MAJOR 0
#define EXO_VERSION_MINOR 1
#define EXO_VERSION_PATCH 0

/* Version of the layout of shared memory. Two ends with different values refuse each other. */
#define EXO_LAYOUT_VERSION 5

/* Largest payload in bytes that travels inside a slot. */
#define EXO_INLINE_THRESHOLD 56

/* Bytes of a message header, and of a whole inline message. */
#define EXO_MESSAGE_HEADER_SIZE 32
#define EXO_MESSAGE_INLINE_MAX (EXO_MESSAGE_HEADER_SIZE + EXO_INLINE_THRESHOLD)

/* Bytes of a cache line, and the distance between words that different sides write: the adjacent-line
 * prefetcher of x86 fetches lines in pairs. */
#define EXO_CACHE_LINE 64
#define EXO_LINE_PAIR 128

/* Turns a waiter spins before it sleeps, when the configuration does not say. */
#define EXO_SPIN_DEFAULT 100

/* Absolute deadlines in nanoseconds: "not at all" and "for ever". */
#define EXO_NOW 0
#define EXO_FOREVER 0xFFFFFFFFFFFFFFFFull

/*
 * EXO_VERIFY = 1 restricts the headers to what weak-memory checkers understand: no inline assembly,
 * no vector store, every shared word accessed in one size. It changes no layout.
 */
#ifndef EXO_VERIFY
#define EXO_VERIFY 0
#endif

#endif
