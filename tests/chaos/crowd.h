/* SPDX-License-Identifier: MIT */
/*
 * Several producers and a receiver, in processes of their own, over one ring whose claims carry their owner. All
 * processes inherit ring and board; whoever dies is replaced on the same ring.
 *
 * A process has one life, which has a number that is never used again and stands in every message. The receivers keep
 * their accounts on the board, so that the next one goes on where a dead one stopped.
 */
#ifndef EXO_TESTS_CHAOS_CROWD_H
#define EXO_TESTS_CHAOS_CROWD_H

#include "chaos.h"

#define PLACES 4u
#define RECEIVER PLACES /* its place among the children */
#define SPARE_PLACES 200u
#define LIVES 512u
#define WORDS 7u
#define WORDS_LENT 20u
#define LOT 5u
#define BLOCK 256u
#define BLOCKS 256u

/* The receivers' accounts. What changes together is one word, and where the order of two matters, a death in
 * between makes them milder, never stricter. */
struct accounts {
    exo_word64 next[PLACES]; /* life << 40 | number of its next message */
    exo_word64 noted;        /* the position behind the last message that was entered */
    exo_u32 taking;          /* messages that a call may have taken without entering them */
    exo_u32 allowed;         /* messages that dead receivers had taken and not entered */
};

struct board {
    exo_u32 stop;
    exo_u32 refused; /* attaching, though there was a place */
    struct accounts accounts;
    struct note life[LIVES];
};

struct crowd {
    struct exo_ring ring;
    struct board *board;
    void *memory;
    exo_size bytes;
    exo_bool messages; /* travel with headers */
    exo_bool views;    /* there are arenas */
    exo_bool recovers; /* producers look after the dead */
    exo_bool bereft;   /* the receiver may die */
    exo_u32 lives;
    exo_u32 killed;
    exo_u32 life[PLACES + 1]; /* the present one of each place; 0: none */
    pid_t child[PLACES + 1];
    exo_u64 last_kill_ns;
    exo_u64 random;
};

/* One who sends. */
struct producer {
    struct crowd *crowd;
    struct exo_sender tx;
    struct note *note;
    exo_u32 life;
    exo_u64 sent;
    exo_u64 random;
};

/* One who receives. */
struct taker {
    struct crowd *crowd;
    struct exo_receiver rx;
    struct note *note;
    exo_u64 random;
    exo_bool again;  /* the first message may be one that was entered */
    exo_bool hurried; /* never waits long */
    struct exo_viewed view[3];
    exo_u32 at; /* the view to release next */
};

void producer_attach(struct producer *self, struct crowd *crowd, exo_u32 life);
/* Send something, if there is room. */
void producer_step(struct producer *self);
/* A child that produces until the board says stop. */
void producer_life(struct crowd *crowd, exo_u32 life);

void taker_attach(struct taker *self, struct crowd *crowd, struct note *note);
/* Receive something. How many messages; EXO_EMPTY; EXO_CLOSED, EXO_PEER_DIED; nothing else. */
exo_i64 taker_step(struct taker *self);
/* A child that receives until nothing more will come. */
void taker_life(struct crowd *crowd, exo_u32 life);

/* All lives are over: each one's account is closed. */
void accounts_close(struct crowd *crowd);

void crowd_begin(struct crowd *crowd, exo_bool views);
void crowd_end(struct crowd *crowd);
/* Start a life, which ends by itself if it is mortal. Returns its number. */
exo_u32 crowd_bear(struct crowd *crowd, exo_u32 place, exo_bool mortal);
/* Producers for all places, the first of them immortal and there before the others. */
void crowd_populate(struct crowd *crowd);
/* The place of a child that has died or, once the board says stop, has ended; PLACES + 1 if there is none. */
exo_u32 crowd_reap(struct crowd *crowd, exo_bool waiting);

#endif
