/* SPDX-License-Identifier: MIT */
/*
 * What the program of subject.c does, by its argument: an act in the low bits, a number of its own above. An act that two
 * processes share is begun by the first, which spawns the second.
 */
#ifndef BAREMETAL_SUBJECT_H
#define BAREMETAL_SUBJECT_H

enum subject_act {
    SUBJECT_READ_ONLY,   /* passes a region to read; the other reads it, may not map or protect it to write, and writes */
    SUBJECT_REVOKE,      /* passes a region; the other reads it until it is taken away */
    SUBJECT_SENDER,      /* a message whose header says that somebody else sent it */
    SUBJECT_QUOTA,       /* lowers its own limits, and is refused what is beyond; cannot raise them */
    SUBJECT_HOLD,        /* takes all kinds of things, tells nobody, and sleeps for ever in the nucleus */
    SUBJECT_CHURN,       /* the same again and again, giving back some of it, for ever */
    SUBJECT_TALK,        /* an exchange without end between two processes */
    SUBJECT_SLEEP,       /* on a word, for ever */
    SUBJECT_ORPHANS,     /* spawns what it may, each of which does the same once more, and sleeps */
    SUBJECT_PEER_DIES,   /* waits for a message of a child that faults */
    SUBJECT_FORGE,       /* calls with handles, addresses and lengths that are none */
    SUBJECT_FUZZ,        /* random calls, the number above says how many; a seed above that */
    SUBJECT_MEMORY,      /* all that takes memory, and whatever fails, nothing but NO_MEMORY */
    SUBJECT_SERVER,      /* answers four clients over rings of their own */
    SUBJECT_CAST,        /* tells three subscribers the same */
    SUBJECT_OTHER = 0x80 /* the second of them */
};

#define SUBJECT_BITS 8u
#define SUBJECT_ARGUMENT(act, number) ((exo_u64)(act) | (exo_u64)(number) << SUBJECT_BITS)

/* Places in the table of programs of the test image. */
#define PROGRAM_EXCHANGE 0u
#define PROGRAM_SUBJECT  1u

#endif
