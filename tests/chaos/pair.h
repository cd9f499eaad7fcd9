/* SPDX-License-Identifier: MIT */
/*
 * Two processes and a ring each way: what a victim is told before it is born.
 */
#ifndef EXO_TESTS_CHAOS_PAIR_H
#define EXO_TESTS_CHAOS_PAIR_H

#include "talk.h"

/* What a victim does until it is killed. */
enum deed {
    DEED_STREAM, /* sends or receives */
    DEED_OPEN,   /* opens just before its death */
    DEED_FILL,   /* sends until nothing is free, and sleeps */
    DEED_LISTEN, /* sleeps, for nothing comes */
    DEED_CLOSE   /* closes just before its death */
};

struct plan {
    enum deed deed;
    exo_bool sends; /* the victim; its survivor does the other half */
    exo_u32 kind;
    exo_u32 holds;
    exo_bool sleeping; /* the victim */
    exo_bool waiting;  /* the survivor: in the kernel */
    exo_bool both;     /* the other one is a victim, too */
    exo_u32 delay_us;  /* from its birth to its death */
    exo_u32 aim_ns;    /* before its death, that it opens or closes */
    exo_u32 messages;  /* before it closes */
    exo_u64 random;
    struct exo_ring_config config;
    struct note *note;
    int socket; /* its own */
    int other;  /* of the other one: to be closed */
};

/* The life of a victim. */
void pair_victim(void *argument);

/* Talks over an end as a plan says. */
void pair_talk(const struct plan *plan, struct exo_end *end, struct talk *talk);

#endif
