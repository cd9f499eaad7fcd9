/* SPDX-License-Identifier: MIT */
/*
 * demo - hands a file from one process to another by each path of exo_ipc and through a pipe, checks that it
 * arrived intact, and prints what each path costs.
 *
 *     demo [--profile=crash-safe|hostile] [--quick] [FILE]
 *
 * Status 0 and the last line "identical" if every byte arrived by every path; 1 otherwise.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"
#include "receiver.h"
#include "report.h"

struct options {
    const char *file;
    exo_u32 profile;
    int quick;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'p':
        if (strcmp(argument, "crash-safe") != 0 && strcmp(argument, "hostile") != 0) {
            argp_error(state, "no profile between processes is called '%s'", argument);
        }
        options->profile = strcmp(argument, "hostile") == 0 ? EXO_HOSTILE : EXO_CRASH_SAFE;
        return 0;
    case 'q':
        options->quick = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL) {
            argp_error(state, "one file only");
        }
        options->file = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option option_table[] = {
    {"profile", 'p', "NAME", 0, "crash-safe (default) or hostile: whom the two processes trust", 0},
    {"quick", 'q', NULL, 0, "One round only: does it work?", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const struct argp argp = {
    option_table,
    parse,
    "[FILE]",
    "Hands a file from one process to another by each path of exo_ipc and through a pipe.\v"
    "Without FILE, a large file that comes with the compiler.",
    NULL,
    NULL,
    NULL,
};

/* Everything the sending side knows. */
struct demo {
    struct options options;
    struct input input;
    struct exo_ring_config ring;
    struct link link;
    int cpus[2]; /* the sender's, the receiver's; -1: any */
    pid_t receiver;
    unsigned path; /* at work; PATHS: none */
    exo_u8 digest[32];
    struct result results[PATHS];
    struct sweep_point points[SWEEP_SIZES];
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "demo: %s: %s\n", what, why);
    return -1;
}

static int receive_in_child(struct demo *demo, const int sockets[2], const int there[2],
                            const int back[2])
{
    exo_status status;
    (void)close(sockets[0]);
    (void)close(there[1]);
    (void)close(back[0]);
    demo->link.pipe_in = there[0];
    demo->link.pipe_out = back[1];
    demo->link.cpu = demo->cpus[1];
    status = exo_open(&demo->link.end, sockets[1], &demo->ring, EXO_FOREVER);
    if (status == EXO_OK) {
        status = receiver_run(&demo->link);
        exo_close(&demo->link.end);
    }
    /* The sender says itself why it leaves. */
    if (status != EXO_OK && status != EXO_PEER_DIED && status != EXO_CLOSED) {
        (void)fail("receiver", exo_status_text(status));
    }
    return status == EXO_OK ? 0 : 1;
}

static int start(struct demo *demo)
{
    int sockets[2] = {-1, -1};
    int there[2] = {-1, -1};
    int back[2] = {-1, -1};
    exo_status status = exo_pair(sockets);
    if (status != EXO_OK) {
        return fail("exo_pair", exo_status_text(status));
    }
    if (pipe(there) != 0 || pipe(back) != 0) {
        return fail("pipe", strerror(errno));
    }
    demo->receiver = fork();
    if (demo->receiver < 0) {
        return fail("fork", strerror(errno));
    }
    if (demo->receiver == 0) {
        _exit(receive_in_child(demo, sockets, there, back));
    }
    (void)close(sockets[1]);
    (void)close(there[0]);
    (void)close(back[1]);
    demo->link.pipe_out = there[1];
    demo->link.pipe_in = back[0];
    demo->link.cpu = demo->cpus[0];
    status = exo_open(&demo->link.end, sockets[0], &demo->ring, EXO_FOREVER);
    return status == EXO_OK ? 0 : fail("exo_open", exo_status_text(status));
}

static exo_status work(struct demo *demo)
{
    const struct effort full = {ROUNDS_MAX, ROUND_TRIPS, 4000000000u};
    const struct effort quick = {1, 50, 0};
    exo_u8 digest[32];
    exo_status status;
    for (demo->path = 0; demo->path < PATHS; demo->path++) {
        status = sender_hash(&demo->link, &demo->input, demo->path, digest);
        if (status != EXO_OK) {
            return status;
        }
        demo->results[demo->path].identical = memcmp(digest, demo->digest, sizeof(digest)) == 0;
    }
    status = sender_measure(&demo->link, &demo->input, demo->options.quick ? &quick : &full,
                            demo->results, &demo->path);
    if (status == EXO_OK) {
        report_paths(&demo->input, demo->results);
        (void)fflush(stdout);
        demo->path = ZERO_COPY_1M;
        status = sweep_run(&demo->link, demo->options.quick ? 1 : 15, demo->points);
    }
    if (status == EXO_OK) {
        report_sweep(demo->points);
        status = sender_quit(&demo->link);
    }
    return status;
}

/* Why the work ended early: the receiver's fate, if that is the reason. */
static void explain(struct demo *demo, exo_status status)
{
    char why[128];
    int fate = 0;
    (void)snprintf(why, sizeof(why), "%s", exo_status_text(status));
    if (status == EXO_PEER_DIED || status == EXO_CLOSED) {
        if (waitpid(demo->receiver, &fate, 0) == demo->receiver && WIFSIGNALED(fate)) {
            (void)snprintf(why, sizeof(why), "the receiver was killed by signal %d (%s)",
                           WTERMSIG(fate), strsignal(WTERMSIG(fate)));
        } else {
            (void)snprintf(why, sizeof(why), "the receiver ended with status %d",
                           WEXITSTATUS(fate));
        }
    }
    (void)fail(report_name(demo->path), why);
}

static int all_identical(const struct demo *demo)
{
    int all = 1;
    unsigned i;
    for (i = 0; i < PATHS; i++) {
        all &= demo->results[i].identical;
    }
    return all;
}

int main(int argc, char **argv)
{
    static struct demo demo;
    exo_status status;
    int fate = 1;
    demo.options.profile = EXO_CRASH_SAFE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &demo.options) != 0 ||
        input_open(&demo.input, demo.options.file) != 0) {
        return 1;
    }
    demo.ring.profile = demo.options.profile;
    demo.ring.slots = 1024;
    demo.ring.arena_size = 4 * FRAME_MAX;
    demo.ring.spin = 1000;
    demo.path = PATHS;
    if (!place_choose(demo.cpus)) {
        demo.cpus[0] = demo.cpus[1] = -1;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(&demo) != 0) {
        return 1;
    }
    input_guard();
    if (EVP_Digest(demo.input.data, demo.input.bytes, demo.digest, NULL, EVP_sha256(), NULL) != 1) {
        (void)fail("SHA-256", "libcrypto does not offer it");
        return 1;
    }
    report_setting(&demo.input, demo.digest, &demo.ring, demo.cpus);
    (void)fflush(stdout);
    status = work(&demo);
    if (status != EXO_OK) {
        explain(&demo, status);
        return 1;
    }
    if (waitpid(demo.receiver, &fate, 0) != demo.receiver || fate != 0) {
        (void)fail("receiver", "did not end well");
        return 1;
    }
    exo_close(&demo.link.end);
    printf("%s\n", all_identical(&demo) ? "identical" : "DIFFERENT");
    return all_identical(&demo) ? 0 : 1;
}
