/* SPDX-License-Identifier: MIT */
/*
 * A stateless model checker for the library's headers as they ship.
 *
 * What is modelled. The threads of a client (client.h) are fibers; each atomic access, fence, sleep and wake of
 * the library is a step; between two steps any other fiber may run. Memory is a list of stores for each location
 * (memory.c); which of them a load returns is a choice, bounded by what the reader must have seen. The same
 * client is run again and again, and a stack of choices (search.c) makes each run another one, in depth-first
 * order, at random, or by random priorities. A run fails if a check of the client fails, if two accesses to plain
 * memory race, if it does not end, or if everybody sleeps or spins and nothing will change any more.
 *
 * What is not. Stores of one location get their modification order when they are executed, so 2+2W is not seen. No
 * load reads from a store that is executed later, so load buffering is not seen either, but on the few words that a
 * client names (client_predicts): there a load may guess what will be stored, as far as C11 lets it come true.
 * Dependencies order nothing (as in C11). A fence of the compiler is modelled by what its absence would allow the load behind it: to be done before
 * the store in front of it.
 *
 * Learned from: CDSChecker (B. Norris, B. Demsky, OOPSLA 2013: stores a load may read from), the view machines
 * of A promising semantics (J. Kang et al., POPL 2017: current, acquire and release views, a view for fences),
 * CHESS (M. Musuvathi, S. Qadeer, PLDI 2007: preemption bound), Partial-order methods (P. Godefroid, 1996:
 * sleep sets), PCT (S. Burckhardt et al., ASPLOS 2010: random priorities), Relacy and loom (a checker as a library,
 * a spinning thread waits until something changes).
 */
#ifndef EXO_TESTS_MODEL_MODEL_H
#define EXO_TESTS_MODEL_MODEL_H

#include <stdio.h>

#include "client.h"
#include "fiber.h"

#ifndef EXO_MODEL
#error "this is the checker's side"
#endif

#define MODEL_THREADS 5u   /* 0: setup and finish; 1..4: the client's */
#define MODEL_LOCATIONS 160u
#define MODEL_STORES 3000u /* in one run */
#define MODEL_STEPS 6000u  /* in one run; more do not end */
#define MODEL_CHOICES 6000u
#define MODEL_UNBOUNDED 1000000u

/* How far a thread must have seen each location, and what each thread has done: a vector clock. */
struct view {
    exo_u16_pvt seen[MODEL_LOCATIONS];
    exo_u16_pvt did[MODEL_THREADS];
};

/* One store, and what whoever acquires it learns. */
struct store {
    exo_u64 value;
    exo_u32 thread;
    struct view view;
};

/* One word of shared memory. */
struct location {
    exo_uptr address;
    exo_u32 bytes;
    exo_u32 count;
    exo_u16_pvt store[512];
};

enum thread_state { THREAD_READY, THREAD_SPINS, THREAD_SLEEPS, THREAD_DONE, THREAD_DEAD };

/* What a thread will do next; steps on different locations, or two loads, commute. */
struct step {
    exo_uptr address; /* 0: commutes with nothing */
    exo_bool writes;
};

/* A load that has read what nobody has stored yet. */
struct guess {
    exo_uptr address; /* 0: none */
    exo_u64 value;
    exo_u32 clock;
    exo_bool acquires;
};

struct thread {
    struct fiber fiber;
    enum thread_state state;
    struct step next;
    struct view current; /* what it must have seen */
    struct view acquire; /* what it would have after an acquire fence */
    struct view release; /* what its relaxed stores publish: its view at the last fence */
    struct view before_store; /* current, when it came to its last store, */
    exo_u32 stored;           /* which was to this location + 1: the compiler may do the next load before it; 0: no */
    struct guess guess;
    const struct exo_wait_word *words; /* sleeps on */
    exo_u64 deadline;
    exo_u32 others; /* stores of others when it began to spin */
    exo_u32 own;    /* stores */
    exo_bool learned; /* has read something new since its last cpu_relax */
    exo_u32 priority;
};

enum search_mode { SEARCH_DFS, SEARCH_RANDOM, SEARCH_PCT, SEARCH_REPLAY };

struct choice {
    exo_u16_pvt picked;
    exo_u16_pvt among;
};

/* How far a search goes from the run without surprises. */
struct bounds {
    exo_u32 preemptions;
    exo_u32 old; /* loads that return another value than the newest */
};

/* What one run may do, and what it has done. */
struct budget {
    struct bounds bound;
    exo_u32 kills;
    exo_u32 lies;     /* hostile values */
    exo_u32 guesses;
    exo_u32 spurious; /* wake-ups, failures of a swap on an old value */
};

struct model {
    const struct client *client;
    struct thread thread[MODEL_THREADS];
    struct fiber host;
    exo_u32 running; /* thread, 0 between runs */
    exo_u32 acting;  /* in setup: for whom */
    exo_u32 wanted;  /* thread to run next, chosen by the one that stops; 0: none */
    struct budget left;
    exo_u32 asleep;  /* sleep set, bit by bit */
    exo_bool pruned; /* all that could run is in it */
    exo_u32 steps;
    exo_u32 stores;
    exo_u32 kills;
    exo_u32 lies;
    exo_u32 idle;  /* times nobody could run, since the last store */
    exo_u64 now_ns;
    struct view fence; /* what sequentially consistent fences have seen */
    exo_bool kept_out; /* in any run, an old value by its bound */
    const char *failure;
    exo_bool tracing;
};

extern struct model model;

/* search.c: the choice stack. */
exo_u32 search_choose(exo_u32 among);
exo_u32 search_choose_thread(const exo_u32 *threads, exo_u32 count, exo_u32 extra);
void search_begin(enum search_mode mode, exo_u64 seed, struct bounds bound);
exo_bool search_next(void);
exo_bool search_load(const char *text);
void search_print(FILE *to);
exo_bool search_thins(void);
struct bounds search_bounds(void);

/* memory.c: stores and views; more in model_memory.h. */
void memory_reset(void);
void memory_settle_guess(exo_u32 thread);
exo_u64 memory_kernel_look(const void *p, exo_u32 bytes);
exo_bool memory_catch_up(exo_u32 thread);
void memory_learn(exo_u32 thread, exo_u32 other);
exo_bool memory_before(const struct view *view, exo_u32 thread, exo_u32 clock);
exo_u32 memory_tick(exo_u32 thread);

/* words.c: what a client said of its words. */
void words_reset(void);

/* schedule.c: who runs. */
void schedule_point(exo_uptr address, exo_bool writes);
void schedule_stop(enum thread_state state);
const char *schedule_run(void);
void schedule_fail(const char *why) __attribute__((noreturn));
void schedule_prune(void) __attribute__((noreturn));

/* trace.c */
void trace_step(const struct site *site, const void *p, exo_u64 value, const char *what);
void trace_names_reset(void);

/* history.c: what the client's threads did, against a sequential queue. */
void history_reset(void);
const char *history_check(void);

#endif
