/* SPDX-License-Identifier: MIT */
/*
 * A client: two to four threads that use a ring for a handful of messages, and say what must hold.
 *
 * The same file is a program for the model checker (EXO_MODEL), and a plain program with POSIX threads that runs
 * the client many times. Clients stay within what outside checkers take: they are built with EXO_VERIFY, use no
 * allocation and no system call but threads, and check by client_check() alone.
 */
#ifndef EXO_TESTS_MODEL_CLIENT_H
#define EXO_TESTS_MODEL_CLIENT_H

#include "exo_ipc/exo_ipc.h"

#define CLIENT_THREADS 4u

struct client {
    const char *name;
    void (*setup)(void);
    void (*thread[CLIENT_THREADS])(void);
    void (*finish)(void); /* after all threads have ended or died */
    exo_u32 param;
    exo_u32 param2;
    exo_u32 kills;    /* budget */
    exo_u32 killable; /* threads, bit 0: the first */
    exo_u32 lies;     /* budget of hostile values */
    exo_u32 liars;    /* threads that are lied to, bit by bit */
    exo_u32 guesses;  /* budget of loads that read what is stored later */
    exo_u32 spurious; /* budget */
    exo_bool symmetric; /* no asymmetric fences */
    exo_bool overwrites; /* payload words may be stored while somebody reads them */
    exo_bool timed;     /* deadlines may pass although nobody died */
};

/* The client that runs. */
extern const struct client *client_now;

void client_failed(const char *file, int line, const char *what);
#define client_check(condition)                                                                      \
    ((condition) ? (void)0 : client_failed(__FILE__, __LINE__, #condition))

/* Which of the client's threads this is: 1 is the first. */
exo_u32 client_self(void);
/* In setup: the thread that will use the handles attached next. */
void client_acts_as(exo_u32 thread);
/* A thread as the process at the other end; null where nobody dies. */
struct exo_port_peer *client_process(exo_u32 thread);
/* Whether a thread was killed. For finish() only. */
exo_bool client_died(exo_u32 thread);
/* Plain memory that threads hand to each other: two accesses that race are a failure. */
void client_write(exo_u64 *p, exo_u64 value);
exo_u64 client_read(const exo_u64 *p);
void client_shares(void *p, exo_size bytes);
/* Words that the threads in `liars` must not trust. */
void client_distrusts(const void *p, exo_size bytes);
/* A counter whose next value a load may guess. */
void client_predicts(const exo_u32 *word);
/* For traces. */
void client_names(const char *name, const void *p, exo_size bytes);

/* A send or receive, for the history that is compared with a queue. */
void client_capacity(exo_u32 messages);
void client_begins(exo_bool sends, exo_u64 value);
void client_ends(exo_i64 result, exo_u64 value);

/* Puts a client on the list of its program. */
#define CLIENT(name)                                                                                 \
    static const struct client client_##name;                                                        \
    static const struct client *const listed_##name                                                  \
        __attribute__((section("exo_clients"), used)) = &client_##name;                              \
    static const struct client client_##name

#endif
