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
    SUBJECT_PEER_DIES,   /* waits for a message of a child that faults */
    SUBJECT_HOLD,        /* takes all kinds of things, and a child, and waits for ever in the nucleus */
    SUBJECT_CHURN,       /* takes the same again and again, and gives it back, for ever */
    SUBJECT_MEMORY,      /* takes it once, and gives it back; the code is how often there was no memory */
    SUBJECT_NOTHING,     /* ends */
    SUBJECT_SLEEP,       /* on a word, for ever */
    SUBJECT_ORPHANS,     /* spawns what it may, each of which does so to a depth of the number; and sleeps */
    SUBJECT_TALK,        /* an exchange over rings with one that faults after a while, some times */
    SUBJECT_SCRIBBLE,    /* the same with one that writes over its own half of the rings */
    SUBJECT_LIAR,        /* the same with one that says that it is the kernel, so that its death would not be noticed */
    SUBJECT_SERVER,      /* answers four clients over channels of the nucleus */
    SUBJECT_CAST,        /* tells three subscribers the same, by a broadcast in a region */
    SUBJECT_FORGE,       /* calls with handles, addresses and lengths that are none */
    SUBJECT_FUZZ,        /* random calls, the low half of the number says how many; all of it is the seed */
    SUBJECT_OTHER = 0x80 /* the second of them */
};

#define SUBJECT_BITS 8u
#define SUBJECT_ARGUMENT(act, number) ((exo_u64)(act) | (exo_u64)(number) << SUBJECT_BITS)

/* Places in the table of programs of the test image. */
#define PROGRAM_EXCHANGE 0u
#define PROGRAM_SUBJECT  1u

#endif
