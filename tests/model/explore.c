/* SPDX-License-Identifier: MIT */
/*
 * One client after another: run it until its search is through, its time is over or a run fails.
 *
 * Depth-first search goes in rounds. In the first one loads return the newest value only, and there is one kill or
 * hostile value; then one load of a run may return an old value, then two, and so on, until the limits no longer keep
 * anything out. So a search that its time ends has still explored all of something, and says what.
 */
#include <stdlib.h>
#include <time.h>

#include "explore.h"

#define LEVELS 6u

static const exo_u32 levels[LEVELS] = {0, 1, 2, 4, 8, MODEL_UNBOUNDED};

struct totals total;

/* The search of one client. */
struct search_of {
    const struct client *client;
    const struct options *options;
    double start;
    double limit; /* seconds; 0: none */
    exo_u64 runs;
    exo_u64 pruned;
    const char *failure;
};

double explore_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct options *options, const char *failure)
{
    (void)fprintf(stderr, "%s failed: %s\n  replay: %s@", model.client->name, failure, model.client->name);
    search_print(stderr);
    (void)fputc('\n', stderr);
    if (options->mode != SEARCH_REPLAY && !options->quiet) {
        static char text[65536];
        FILE *to = fmemopen(text, sizeof(text) - 1, "w");
        if (to != NULL) {
            search_print(to);
            (void)fclose(to);
            (void)search_load(text);
            search_begin(SEARCH_REPLAY, 1, search_bounds());
            model.tracing = EXO_TRUE;
            (void)search_next();
            (void)schedule_run();
            model.tracing = EXO_FALSE;
        }
    }
}

static exo_bool out_of_time(const struct search_of *search)
{
    return (search->options->runs != 0 && search->runs >= search->options->runs) ||
           (search->limit != 0 && search->runs % 64 == 0 && explore_now() - search->start > search->limit);
}

/* All runs within these bounds. Returns whether there are no more of them. */
static exo_bool explore(struct search_of *search, struct bounds bound)
{
    exo_bool more = EXO_TRUE;
    search_begin(search->options->mode, search->options->seed, bound);
    (void)(search->options->mode == SEARCH_DFS || search_next());
    while (more) {
        search->failure = schedule_run();
        if (search->failure == NULL && !model.pruned) {
            search->failure = history_check();
        }
        search->runs++;
        search->pruned += model.pruned;
        total.kills += model.kills;
        total.steps += model.steps;
        total.lies += model.lies;
        if (search->failure != NULL) {
            report(search->options, search->failure);
            return EXO_FALSE;
        }
        more = search_next();
        if (more && out_of_time(search)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

/* Depth first. Returns how many rounds were gone through; LEVELS: there is nothing else. */
static exo_u32 explore_rounds(struct search_of *search, struct bounds bound)
{
    exo_u32 level;
    for (level = 0; level < LEVELS; level++) {
        bound.old = levels[level];
        model.kept_out = EXO_FALSE;
        if (!explore(search, bound)) {
            return level;
        }
        if (!model.kept_out) {
            return LEVELS;
        }
    }
    return LEVELS;
}

static void describe(const struct search_of *search, exo_u32 rounds)
{
    (void)printf("%-30s %10llu executions", search->client->name, (unsigned long long)(search->runs - search->pruned));
    if (search->failure != NULL) {
        (void)printf(", failed");
    } else if (search->options->mode == SEARCH_DFS && search->options->old_given) {
        (void)printf(", %s", rounds == 0 ? "cut short" : "all");
    } else if (search->options->mode == SEARCH_DFS) {
        (void)printf(rounds == 0 ? ", cut short" : rounds == LEVELS ? ", all" : ", all with %u old values",
                     rounds == 0 || rounds == LEVELS ? 0 : levels[rounds - 1]);
    }
    (void)printf(" %6.1f s\n", explore_now() - search->start);
    (void)fflush(stdout);
}

void explore_client(const struct client *client, const struct options *options)
{
    struct search_of search = {client, options, explore_now(), options->seconds, 0, 0, NULL};
    struct bounds bound;
    exo_u32 rounds;
    model.client = client_now = client;
    bound.preemptions = options->bound.preemptions != 0 ? options->bound.preemptions : 2;
    bound.old = options->old_given ? options->bound.old : MODEL_UNBOUNDED;
    if (options->mode == SEARCH_DFS && !options->old_given) {
        rounds = explore_rounds(&search, bound);
    } else {
        rounds = explore(&search, bound) ? LEVELS : 0;
    }
    total.runs += search.runs - search.pruned;
    total.pruned += search.pruned;
    total.clients++;
    total.failed += search.failure != NULL;
    total.cut += search.failure == NULL && options->mode == SEARCH_DFS && rounds == 0;
    total.whole += search.failure == NULL && rounds == LEVELS;
    if (!options->quiet) {
        describe(&search, rounds);
    }
}
