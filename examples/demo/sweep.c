/* SPDX-License-Identifier: MIT */
/*
 * Payloads of one size in a stream: each as a chain of 56-byte inline messages, or as one loan that is filled,
 * sent, viewed and released. Read in full either way.
 */
#include "sweep.h"

#define ROUNDS   15
#define STREAM   2097152u /* bytes in a stream, about */
#define PAYLOADS 8u       /* in a stream, at least */
#define MESSAGE  ((size_t)EXO_INLINE_THRESHOLD)

/* Messages in a chain; the last is as near to 1 MiB as whole messages come. */
static const unsigned chains[SWEEP_SIZES] = {1,  2,  3,  4,   6,    8,    12,
                                             16, 32, 64, 256, 1024, 4096, 18724};

static exo_status stream(struct link *link, unsigned path, size_t bytes, exo_u64 *each_ns)
{
    const exo_u64 times = STREAM / bytes < PAYLOADS ? PAYLOADS : STREAM / bytes;
    const struct command command = {FOLD, path, bytes, path == INLINE ? MESSAGE : bytes, times};
    exo_u64 took_ns = 0;
    int right = 1;
    exo_status status = sender_time(link, &command, pattern(), &took_ns, &right);
    *each_ns = took_ns * 16 / times; /* sixteenths: small payloads take few nanoseconds */
    return status == EXO_OK && !right ? EXO_CORRUPT : status;
}

exo_status sweep_run(struct link *link, unsigned rounds, struct sweep_point points[SWEEP_SIZES])
{
    exo_u64 inline_ns[ROUNDS];
    exo_u64 zero_copy_ns[ROUNDS];
    exo_status status = EXO_OK;
    unsigned i;
    unsigned round;
    rounds = rounds > ROUNDS ? ROUNDS : rounds;
    for (i = 0; i < SWEEP_SIZES; i++) {
        size_t bytes = chains[i] * MESSAGE;
        for (round = 0; round < rounds && status == EXO_OK; round++) {
            status = stream(link, INLINE, bytes, &inline_ns[round]);
            if (status == EXO_OK) {
                status = stream(link, ZERO_COPY_1M, bytes, &zero_copy_ns[round]);
            }
        }
        if (status != EXO_OK) {
            return status;
        }
        points[i].bytes = bytes;
        points[i].inline_ns = quantile(inline_ns, rounds, 0.5) / 16;
        points[i].zero_copy_ns = quantile(zero_copy_ns, rounds, 0.5) / 16;
    }
    return EXO_OK;
}

unsigned sweep_crossover(const struct sweep_point points[SWEEP_SIZES])
{
    unsigned first = SWEEP_SIZES;
    while (first > 0 && points[first - 1].zero_copy_ns < points[first - 1].inline_ns) {
        first--;
    }
    return first;
}
