/* SPDX-License-Identifier: MIT */
/*
 * One of several words to sleep on at once: what exo_port_wait() takes, in a record of the waiter's.
 */
#ifndef EXO_IPC_BASE_WAIT_WORD_H
#define EXO_IPC_BASE_WAIT_WORD_H

#include "atomic.h"
#include "types.h"

struct exo_port_peer;

/**
 * struct exo_wait_word - a word that somebody waits for, see exo_port_wait_many().
 * @next: the next one, or null
 * @word, @expected, @shared, @peer: as exo_port_wait() takes them
 * @room: the port's own while the call lasts, such as the node of a queue
 */
struct exo_wait_word {
    struct exo_wait_word *next;
    const exo_u32 *word;
    struct exo_port_peer *peer;
    exo_u32 expected;
    exo_bool shared;
    exo_word64 room[5];
};

/* Whether one of the words from here on has changed already. */
EXO_INLINE exo_bool exo_wait_word_changed(const struct exo_wait_word *first)
{
    for (; first != EXO_NULL; first = first->next) {
        /* relaxed: the caller looks again, with the order it needs */
        if (exo_load32(first->word, EXO_RELAXED) != first->expected) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

#endif
