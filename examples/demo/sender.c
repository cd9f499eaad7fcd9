/* SPDX-License-Identifier: MIT */
/*
 * A pass: the receiver is told what will come and says that it is ready; the clock starts; the sender sends; the
 * receiver reads every byte, adds up, and answers; the clock stops. Hashing happens in passes of its own,
 * which nobody times.
 *
 * Paths take turns, so that a machine that becomes faster or slower meanwhile does so for all of them.
 */
#include "sender.h"

#include <stdlib.h>
#include <string.h>

static exo_status command_send(struct link *link, const struct command *command)
{
    return exo_send_blocking(&link->end.tx, command, sizeof(*command), EXO_FOREVER);
}

static exo_status answer_await(struct link *link, struct answer *answer)
{
    exo_i64 len = exo_recv_blocking(&link->end.rx, answer, sizeof(*answer), EXO_FOREVER);
    if (len != sizeof(*answer)) {
        return len < 0 ? (exo_status)len : EXO_CORRUPT;
    }
    return EXO_OK;
}

/* Until the receiver waits for the first byte. */
static exo_status begin(struct link *link, const struct command *command)
{
    struct answer ready;
    exo_status status;
    path_prepare(link, command->path);
    status = command_send(link, command);
    return status == EXO_OK ? answer_await(link, &ready) : status;
}

static exo_status send_all(struct link *link, const struct command *command, const exo_u8 *data)
{
    const struct path *path = &paths[command->path];
    exo_status status = EXO_OK;
    exo_u64 i;
    for (i = 0; i < command->times && status == EXO_OK; i++) {
        status = path->send(link, data, (size_t)command->bytes, (size_t)command->frame);
    }
    return status;
}

exo_status sender_hash(struct link *link, const struct input *input, unsigned path,
                       exo_u8 digest[32])
{
    const struct command command = {HASH, path, input->bytes, paths[path].frame, 1};
    struct answer answer;
    exo_status status = begin(link, &command);
    if (status == EXO_OK) {
        status = send_all(link, &command, input->data);
    }
    if (status == EXO_OK) {
        status = answer_await(link, &answer);
    }
    if (status == EXO_OK) {
        memcpy(digest, answer.digest, sizeof(answer.digest));
    }
    return status;
}

exo_status sender_time(struct link *link, const struct command *command, const exo_u8 *data,
                       exo_u64 *took_ns, int *right)
{
    struct answer answer;
    exo_u64 start;
    exo_status status = begin(link, command);
    start = exo_port_now_ns();
    if (status == EXO_OK) {
        status = send_all(link, command, data);
    }
    if (status == EXO_OK) {
        status = answer_await(link, &answer);
    }
    *took_ns = exo_port_now_ns() - start;
    if (status == EXO_OK) {
        *right = answer.sum == command->times * fold(data, (size_t)command->bytes);
    }
    return status;
}

/* Round trips one by one: a frame is filled, sent and read there; another one comes back and is read here. */
static exo_status ping_pong(struct link *link, unsigned path, unsigned times, exo_u64 *took_ns,
                            int *right)
{
    const struct path *by = &paths[path];
    const struct command command = {ECHO, path, by->frame, by->frame, times};
    const exo_u64 wanted = times * fold(pattern(), by->frame);
    struct sink sink = {NULL, 0};
    struct answer answer;
    unsigned i;
    exo_status status = begin(link, &command);
    for (i = 0; i < times && status == EXO_OK; i++) {
        exo_u64 start = exo_port_now_ns();
        status = by->send(link, pattern(), by->frame, by->frame);
        if (status == EXO_OK) {
            status = by->receive(link, by->frame, by->frame, &sink);
        }
        took_ns[i] = exo_port_now_ns() - start;
    }
    if (status == EXO_OK) {
        status = answer_await(link, &answer);
    }
    if (status == EXO_OK) {
        *right = sink.sum == wanted && answer.sum == wanted;
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    exo_u64 one = *(const exo_u64 *)a;
    exo_u64 other = *(const exo_u64 *)b;
    return (one > other) - (one < other);
}

double quantile(exo_u64 *values, unsigned count, double q)
{
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof(*values), compare);
    return (double)values[(unsigned)(q * (count - 1) + 0.5)];
}

/* All samples of a path. */
struct samples {
    exo_u64 pass[ROUNDS_MAX];
    exo_u64 trip[ROUND_TRIPS_MAX];
};

static exo_status measure_once(struct link *link, const struct input *input,
                               const struct effort *effort, unsigned path, struct result *result,
                               struct samples *samples)
{
    const struct command command = {FOLD, path, input->bytes, paths[path].frame, 1};
    int right = 1;
    exo_status status =
        sender_time(link, &command, input->data, &samples->pass[result->passes], &right);
    result->passes++;
    result->identical &= right;
    if (status != EXO_OK || !paths[path].round_trips) {
        return status;
    }
    status =
        ping_pong(link, path, effort->round_trips, &samples->trip[result->round_trips], &right);
    result->round_trips += effort->round_trips;
    result->identical &= right;
    return status;
}

exo_status sender_measure(struct link *link, const struct input *input, const struct effort *effort,
                          struct result results[PATHS], unsigned *path)
{
    static struct samples samples[PATHS];
    exo_u64 start = exo_port_now_ns();
    unsigned round;
    for (round = 0; round < effort->rounds; round++) {
        exo_u64 took_ns = exo_port_now_ns() - start;
        if (took_ns > (round >= 3 ? 1 : 3) * effort->enough_ns && round != 0) {
            break;
        }
        for (*path = 0; *path < PATHS; ++*path) {
            exo_status status =
                measure_once(link, input, effort, *path, &results[*path], &samples[*path]);
            if (status != EXO_OK) {
                return status;
            }
        }
    }
    for (*path = 0; *path < PATHS; ++*path) {
        struct result *result = &results[*path];
        result->pass_ns = quantile(samples[*path].pass, result->passes, 0.5);
        result->p50_ns = quantile(samples[*path].trip, result->round_trips, 0.5);
        result->p99_ns = quantile(samples[*path].trip, result->round_trips, 0.99);
    }
    return EXO_OK;
}

exo_status sender_quit(struct link *link)
{
    const struct command command = {QUIT, 0, 0, 0, 0};
    return command_send(link, &command);
}
