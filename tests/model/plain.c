/* SPDX-License-Identifier: MIT */
/*
 * The same clients with POSIX threads and the real port: what the model says about the headers is said of the
 * code that ships, and outside checkers find here a plain program. Nobody is killed or lied to in it.
 *
 * usage: clients [ROUNDS [CLIENT]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define WATCHDOG_S 300u

extern const struct client *const __start_exo_clients[] __attribute__((weak));
extern const struct client *const __stop_exo_clients[] __attribute__((weak));

const struct client *client_now;

static __thread exo_u32 self;
static pthread_barrier_t start_line;

void client_failed(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: %s: %s\n", file, line, client_now->name, what);
    exit(1);
}

exo_u32 client_self(void)
{
    return self;
}

void client_acts_as(exo_u32 thread)
{
    self = thread;
}

struct exo_port_peer *client_process(exo_u32 thread)
{
    (void)thread;
    return NULL;
}

exo_bool client_died(exo_u32 thread)
{
    (void)thread;
    return EXO_FALSE;
}

void client_write(exo_u64 *p, exo_u64 value)
{
    *p = value;
}

exo_u64 client_read(const exo_u64 *p)
{
    return *p;
}

void client_shares(void *p, exo_size bytes)
{
    (void)p;
    (void)bytes;
}

void client_distrusts(const void *p, exo_size bytes)
{
    (void)p;
    (void)bytes;
}

void client_predicts(const exo_u32 *word)
{
    (void)word;
}

void client_names(const char *name, const void *p, exo_size bytes)
{
    (void)name;
    (void)p;
    (void)bytes;
}

void client_capacity(exo_u32 messages)
{
    (void)messages;
}

void client_begins(exo_bool sends, exo_u64 value)
{
    (void)sends;
    (void)value;
}

void client_ends(exo_i64 result, exo_u64 value)
{
    (void)result;
    (void)value;
}

static void *run_thread(void *number)
{
    self = (exo_u32)(exo_uptr)number;
    (void)pthread_barrier_wait(&start_line);
    client_now->thread[self - 1]();
    return NULL;
}

static void run_client(void)
{
    pthread_t thread[CLIENT_THREADS];
    exo_u32 count = 0;
    exo_u32 i;
    while (count < CLIENT_THREADS && client_now->thread[count] != NULL) {
        count++;
    }
    client_now->setup();
    (void)pthread_barrier_init(&start_line, NULL, count);
    for (i = 0; i < count; i++) {
        if (pthread_create(&thread[i], NULL, run_thread, (void *)(exo_uptr)(i + 1)) != 0) {
            client_failed(__FILE__, __LINE__, "no more threads");
        }
    }
    for (i = 0; i < count; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    (void)pthread_barrier_destroy(&start_line);
    client_now->finish();
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 300;
    const struct client *const *client;
    unsigned long clients = 0;
    unsigned long round;
    (void)alarm(WATCHDOG_S);
    for (client = __start_exo_clients; client < __stop_exo_clients; client++) {
        if (argc > 2 && strcmp(argv[2], (*client)->name) != 0) {
            continue;
        }
        client_now = *client;
        for (round = 0; round < rounds; round++) {
            run_client();
        }
        clients++;
    }
    (void)printf("clients: %lu, %lu rounds each, as plain threads\n", clients, rounds);
    return clients == 0 || rounds == 0;
}
