/* SPDX-License-Identifier: MIT */
/*
 * The checker's command line: which clients, how to search, which place of the source to weaken.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

extern struct site __start_model_sites[] __attribute__((weak));
extern struct site __stop_model_sites[] __attribute__((weak));
extern const struct client *const __start_exo_clients[] __attribute__((weak));
extern const struct client *const __stop_exo_clients[] __attribute__((weak));

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* "file:line" or "file:line:acquire": take an order away. How many places it names. */
static exo_u32 weaken(const char *text)
{
    struct site *site;
    exo_u32 found = 0;
    for (site = __start_model_sites; site < __stop_model_sites; site++) {
        char name[128];
        int length = snprintf(name, sizeof(name), "%s:%u", base_name(site->file), site->line);
        const char *half = text + length;
        if (strncmp(name, text, (size_t)length) != 0 || site->order == EXO_RELAXED ||
            (*half != '\0' && *half != ':')) {
            continue;
        }
        site->weak = strcmp(half, ":acquire") == 0   ? EXO_ACQUIRE
                     : strcmp(half, ":release") == 0 ? EXO_RELEASE
                                                     : EXO_ACQ_REL;
        found++;
    }
    return found;
}

/* Payload words are copied in these files. */
static void mark_quiet(void)
{
    struct site *site;
    for (site = __start_model_sites; site < __stop_model_sites; site++) {
        site->quiet = strcmp(base_name(site->file), "copy.h") == 0 ||
                      strcmp(base_name(site->file), "model_atomic.h") == 0;
    }
}

static void print_sites(void)
{
    static const char *const kinds[] = {"load", "store", "rmw", "fence_seq", "fence_compiler", "fence_heavy", "other",
                                        "fence_acquire", "fence_release"};
    static const char *const orders[] = {"relaxed", "acquire", "release", "acq_rel"};
    const struct site *site;
    for (site = __start_model_sites; site < __stop_model_sites; site++) {
        if (site->order != EXO_RELAXED) {
            (void)printf("%s:%u %s %s\n", base_name(site->file), site->line, kinds[site->kind],
                         orders[site->order]);
        }
    }
}

static exo_bool wanted(const struct client *client, const struct options *options)
{
    exo_u32 i;
    for (i = 0; i < options->only_count; i++) {
        size_t length = strlen(options->only[i]);
        if (strncmp(client->name, options->only[i], options->exact ? length + 1 : length) == 0) {
            return EXO_TRUE;
        }
    }
    return options->only_count == 0;
}

static exo_u32 bound_of(const char *argument)
{
    return strcmp(argument, "all") == 0 ? MODEL_UNBOUNDED : (exo_u32)strtoul(argument, NULL, 0);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'm':
        options->mode = strcmp(argument, "random") == 0 ? SEARCH_RANDOM
                        : strcmp(argument, "pct") == 0  ? SEARCH_PCT
                                                        : SEARCH_DFS;
        break;
    case 'r':
        options->replay = argument;
        break;
    case 's':
        options->seed = strtoull(argument, NULL, 0);
        break;
    case 'n':
        options->runs = strtoull(argument, NULL, 0);
        break;
    case 't':
        options->seconds = strtod(argument, NULL);
        break;
    case 'T':
        options->total = strtod(argument, NULL);
        break;
    case 'b':
        options->bound.preemptions = bound_of(argument);
        break;
    case 'a':
        options->bound.old = bound_of(argument);
        options->old_given = EXO_TRUE;
        break;
    case 'w':
        if (weaken(argument) == 0) {
            argp_error(state, "no order to weaken at %s", argument);
        }
        break;
    case 'l':
        options->list = EXO_TRUE;
        break;
    case 'o':
        options->sites = EXO_TRUE;
        break;
    case 'e':
        options->exact = EXO_TRUE;
        break;
    case 'x':
        options->stop = EXO_TRUE;
        break;
    case 'q':
        options->quiet = EXO_TRUE;
        break;
    case ARGP_KEY_ARG:
        if (options->only_count == 64) {
            argp_error(state, "too many clients");
        }
        options->only[options->only_count++] = argument;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option entries[] = {
    {"mode", 'm', "dfs|random|pct", 0, "order of the search", 0},
    {"replay", 'r', "CLIENT@BOUND@CHOICES", 0, "repeat one run, with a trace", 0},
    {"seed", 's', "N", 0, "for random and pct", 0},
    {"runs", 'n', "N", 0, "end each search after so many", 0},
    {"seconds", 't', "N", 0, "end each search after so long", 0},
    {"total", 'T', "N", 0, "end all searches after so long, each after its share", 0},
    {"bound", 'b', "N|all", 0, "preemptions in one run", 0},
    {"old", 'a', "N|all", 0, "loads in one run that return an old value", 0},
    {"weaken", 'w', "FILE:LINE[:acquire|:release]", 0, "take an order away", 0},
    {"list", 'l', NULL, 0, "list the clients", 0},
    {"orders", 'o', NULL, 0, "list the places that have an order", 0},
    {"exact", 'e', NULL, 0, "CLIENT is a whole name, not the beginning of one", 0},
    {"stop", 'x', NULL, 0, "at the first failure", 0},
    {"quiet", 'q', NULL, 0, "only failures and the sum", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

/* One run again. */
static void replay(struct options *options)
{
    const char *at = strchr(options->replay, '@');
    static char name[128];
    if (at == NULL || (size_t)(at - options->replay) >= sizeof(name) || !search_load(at + 1)) {
        (void)fprintf(stderr, "model: a replay string is CLIENT@BOUND@ZEROS.CHOICE-ZEROS.CHOICE-...\n");
        exit(2);
    }
    memcpy(name, options->replay, (size_t)(at - options->replay));
    options->only[0] = name;
    options->only_count = 1;
    options->mode = SEARCH_REPLAY;
    options->exact = EXO_TRUE;
    model.tracing = EXO_TRUE;
}

static void share_time(struct options *options)
{
    const struct client *const *client;
    exo_u32 count = 0;
    for (client = __start_exo_clients; client < __stop_exo_clients; client++) {
        count += wanted(*client, options);
    }
    options->seconds = count == 0 ? 0 : options->total / count;
}

static void print_total(const struct options *options, double seconds)
{
    static const char *const modes[] = {"dfs", "random", "pct", "replay"};
    (void)printf("figure: model, %s: %u clients, %llu executions (%llu steps, %llu kills, %llu hostile values), ",
                 modes[options->mode], total.clients, (unsigned long long)total.runs, (unsigned long long)total.steps,
                 (unsigned long long)total.kills, (unsigned long long)total.lies);
    if (options->mode == SEARCH_DFS) {
        (void)printf("%u whole, %u without all old values, %u cut short, ", total.whole,
                     total.clients - total.whole - total.cut - total.failed, total.cut);
    }
    (void)printf("%u failed, %.1f s\n", total.failed, seconds);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {entries, parse, "[CLIENT...]",
                                     "Explore what the library's threads can do to each other.", NULL, NULL, NULL};
    static struct options options = {.seed = 1};
    const struct client *const *client;
    double start = explore_now();
    mark_quiet();
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.sites) {
        print_sites();
        return 0;
    }
    if (options.replay != NULL) {
        replay(&options);
    }
    if (options.total != 0) {
        share_time(&options);
    }
    for (client = __start_exo_clients; client < __stop_exo_clients; client++) {
        if (options.list) {
            (void)puts((*client)->name);
        } else if (wanted(*client, &options) && !(options.stop && total.failed != 0)) {
            explore_client(*client, &options);
        }
    }
    if (!options.list) {
        print_total(&options, explore_now() - start);
    }
    return total.failed != 0 || (!options.list && total.clients == 0);
}
