/* SPDX-License-Identifier: MIT */
/*
 * Named corruptions: one thing each that a hostile peer can write, and the answer that is declared for it. The rows stand
 * in tables, by what they corrupt: headers at attach, what a receiver reads, what a sender reads, places of
 * producers, the handshake. Each row is tried from position 0 and from just below 2^32, by every call that may
 * meet it, on a fresh ring.
 */
#ifndef EXO_TESTS_CORRUPTIONS_H
#define EXO_TESTS_CORRUPTIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ways.h"

#define MAX64 0xFFFFFFFFFFFFFFFFull
#define MAX32 0xFFFFFFFFull
#define RANDOM64 0x9E3779B97F4A7C15ull
#define GENERATION (1ull << 32)

/* Harmless: the call goes well, with whatever the peer's own data is now. */
#define GOES_WELL 1000

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const exo_u64 corruption_starts[] = {0, STAGE_WRAP};

/* How the value of a row makes the word. */
enum change {
    SET,   /* the value */
    ADD,   /* the word and the value */
    AHEAD, /* the ring's first position and the value */
    WITH   /* the word or the value */
};

/* Counts a corruption that gave its declared answer everywhere. */
void corruption_tried(const char *name);

/* One answer; anything else than the declared one fails the test and names the row. */
void corruption_answer(const char *name, const char *where, exo_i64 got, exo_i64 declared);

void every_header_field_that_is_corrupt_at_attach_is_found(void **state);
void segments_that_are_too_short_or_another_rings_are_refused(void **state);
void a_receiver_gives_the_declared_answer_to_each_corruption(void **state);
void a_sender_gives_the_declared_answer_to_each_corruption(void **state);
void corrupt_places_of_producers_lead_nowhere(void **state);
void each_corrupt_handshake_has_its_error_and_leaves_nothing(void **state);
void a_peer_that_says_too_little_is_given_up_in_time(void **state);

EXO_INLINE void corruption_apply(void *at, exo_u32 width, enum change how, exo_u64 value, exo_u64 start)
{
    exo_u64 word = 0;
    memcpy(&word, at, width);
    word = how == ADD ? word + value : how == AHEAD ? start + value : how == WITH ? word | value : value;
    memcpy(at, &word, width);
}

#endif
