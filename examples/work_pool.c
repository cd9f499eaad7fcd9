/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads: one ring hands each job to whichever worker comes first, another one brings the results back.
 *
 *     $ work_pool
 *     100 jobs, 100 results, 9592 primes below 100000
 */
#include <exo_ipc/exo_ipc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 3
#define JOBS 100 /* fewer than the slots of either ring, so that sending a job never waits for a result to be taken */
#define JOB_SIZE 1000

struct worker {
    struct exo_receiver jobs;
    struct exo_sender results;
    pthread_t thread;
    exo_status failed;
};

static exo_i64 check(exo_i64 result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(result));
        exit(1);
    }
    return result;
}

static exo_u32 count_primes(exo_u32 from, exo_u32 below)
{
    exo_u32 count = 0;
    for (exo_u32 number = from < 2 ? 2 : from; number < below; number++) {
        exo_u32 divisor = 2;
        while (divisor * divisor <= number && number % divisor != 0) {
            divisor++;
        }
        count += divisor * divisor > number;
    }
    return count;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    exo_u32 job;
    exo_i64 len;
    while ((len = exo_recv_blocking(&worker->jobs, &job, sizeof(job), EXO_FOREVER)) >= 0) {
        exo_u32 result = count_primes(job * JOB_SIZE, (job + 1) * JOB_SIZE);
        len = exo_send_blocking(&worker->results, &result, sizeof(result), EXO_FOREVER);
        if (len < 0) {
            break;
        }
    }
    worker->failed = len == EXO_CLOSED ? EXO_OK : (exo_status)len; /* closed: no more jobs */
    (void)exo_sender_close(&worker->results);
    return NULL;
}

int main(void)
{
    static const struct exo_ring_config one_to_many = {.mode = EXO_SPMC};
    static const struct exo_ring_config many_to_one = {.mode = EXO_MPSC, .producers = WORKERS};
    static struct worker workers[WORKERS];
    struct exo_ring jobs;
    struct exo_ring results;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u32 primes = 0;
    exo_u32 result;
    exo_i64 status;
    int answered = 0;
    check(exo_ring_create(&jobs, &one_to_many, &tx, NULL), "ring of jobs");
    check(exo_ring_create(&results, &many_to_one, NULL, &rx), "ring of results");
    for (int i = 0; i < WORKERS; i++) { /* all handles first: the results are closed when the last one closes its own */
        check(exo_ring_receiver(&jobs, &workers[i].jobs), "receiver of jobs");
        check(exo_ring_sender(&results, &workers[i].results), "sender of results");
    }
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            perror("thread");
            return 1;
        }
    }
    for (exo_u32 job = 0; job < JOBS; job++) {
        check(exo_send_blocking(&tx, &job, sizeof(job), EXO_FOREVER), "send a job");
    }
    (void)exo_sender_close(&tx);
    while ((status = exo_recv_blocking(&rx, &result, sizeof(result), EXO_FOREVER)) >= 0) {
        primes += result;
        answered++;
    }
    check(status == EXO_CLOSED ? EXO_OK : status, "receive a result");
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_join(workers[i].thread, NULL) != 0) {
            return 1;
        }
        check(workers[i].failed, "a worker");
    }
    printf("%d jobs, %d results, %u primes below %d\n", JOBS, answered, primes, JOBS * JOB_SIZE);
    exo_ring_destroy(&jobs);
    exo_ring_destroy(&results);
    return answered != JOBS;
}
