/* SPDX-License-Identifier: MIT */
/*
 * A stream of numbered messages between two ends, by every call there is for its kind, with notes of each step.
 * Victims and survivors use the same.
 */
#ifndef EXO_TESTS_CHAOS_TALK_H
#define EXO_TESTS_CHAOS_TALK_H

#include "chaos.h"

#define TALK_HELD 4u

struct talk {
    struct exo_sender *tx;
    struct exo_receiver *rx;
    struct note *note; /* never null */
    exo_u64 random;
    exo_u64 next; /* message to send or to receive */
    exo_u32 kind;
    exo_bool sleeping; /* waits in the kernel, or polls */
    exo_bool hurried;  /* answers EXO_EMPTY instead of waiting */
    exo_u32 holds;     /* views kept at most, up to TALK_HELD */
    struct exo_viewed held[TALK_HELD];
    exo_u64 number[TALK_HELD];
};

/* Send the next message, or lot. How many, or the error: then nothing is lent, and talk->next has not moved. */
exo_i64 talk_send(struct talk *talk);

/* Receive the next message, or some, waiting for them. How many, STREAM_WRONG, or the error. */
exo_i64 talk_recv(struct talk *talk);

/* Release all views; false if one of them had changed. */
exo_bool talk_release(struct talk *talk);

#endif
