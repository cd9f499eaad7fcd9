/* SPDX-License-Identifier: MIT */
/*
 * The choice stack. A run is the list of choices it made; the next run in depth-first order repeats all but the
 * last one that has an alternative left. Written down, the list is the replay string: "zeros.choice" for each
 * choice that was not 0.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static struct {
    enum search_mode mode;
    exo_bool thins; /* sleep sets */
    exo_u64 random;
    struct bounds bound;
    exo_u32 depth;
    exo_u32 given; /* choices that are repeated */
    exo_u32 changes[4]; /* pct: steps at which the running thread falls to the lowest priority */
    struct choice stack[MODEL_CHOICES];
} search;

static const struct bounds unbounded = {MODEL_UNBOUNDED, MODEL_UNBOUNDED};

static exo_u64 random_next(void)
{
    search.random ^= search.random << 13;
    search.random ^= search.random >> 7;
    search.random ^= search.random << 17;
    return search.random;
}

static exo_u32 random_below(exo_u32 n)
{
    return (exo_u32)((random_next() >> 33) % n);
}

/* Depth-first without a bound is thinned by sleep sets, which would not be sound under one. */
void search_begin(enum search_mode mode, exo_u64 seed, struct bounds bound)
{
    search.random = seed * 0x9E3779B97F4A7C15ull + 1;
    search.depth = 0;
    search.mode = mode;
    if (mode == SEARCH_REPLAY) {
        return;
    }
    search.thins = mode == SEARCH_DFS && bound.preemptions >= MODEL_UNBOUNDED;
    search.bound = mode == SEARCH_DFS ? bound : unbounded;
    search.given = 0;
}

exo_bool search_thins(void)
{
    return search.thins;
}

struct bounds search_bounds(void)
{
    return search.bound;
}

static exo_u32 record(exo_u32 picked, exo_u32 among)
{
    if (search.depth == MODEL_CHOICES) {
        schedule_fail("too many choices in one run");
    }
    search.stack[search.depth].picked = (exo_u16_pvt)picked;
    search.stack[search.depth].among = (exo_u16_pvt)among;
    search.depth++;
    return picked;
}

/* One of `among` alternatives; 0 is the ordinary one. */
exo_u32 search_choose(exo_u32 among)
{
    exo_u32 picked = 0;
    if (among <= 1) {
        return 0;
    }
    if (search.depth < search.given) {
        picked = search.stack[search.depth].picked;
        if (picked >= among || (search.mode == SEARCH_DFS && search.stack[search.depth].among != among)) {
            schedule_fail("the client is not deterministic, or the replay string is of another one");
        }
    } else if (search.mode == SEARCH_RANDOM || search.mode == SEARCH_PCT) {
        picked = random_below(2) == 0 ? 0 : random_below(among);
    }
    return record(picked, among);
}

static exo_u32 pct_pick(const exo_u32 *threads, exo_u32 count)
{
    exo_u32 best = 0;
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        if (search.changes[i] == model.steps && model.running != 0) {
            model.thread[model.running].priority = i;
        }
    }
    for (i = 1; i < count; i++) {
        if (model.thread[threads[i]].priority > model.thread[threads[best]].priority) {
            best = i;
        }
    }
    return best;
}

/* One of these threads to run next, or one of `extra` other things. */
exo_u32 search_choose_thread(const exo_u32 *threads, exo_u32 count, exo_u32 extra)
{
    exo_u32 picked = 0;
    if (count + extra <= 1 || search.depth < search.given || search.mode == SEARCH_DFS ||
        search.mode == SEARCH_REPLAY) {
        return search_choose(count + extra);
    }
    if (extra != 0 && random_below(40) == 0) {
        picked = count + random_below(extra);
    } else if (search.mode == SEARCH_PCT) {
        picked = pct_pick(threads, count);
    } else {
        picked = random_below(4) != 0 ? 0 : random_below(count);
    }
    return record(picked, count + extra);
}

/* Prepare the next run; false when there is none. */
exo_bool search_next(void)
{
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        model.thread[i].priority = 4 + random_below(1000);
    }
    for (i = 0; i < 4; i++) {
        search.changes[i] = random_below(200);
    }
    if (search.mode != SEARCH_DFS) {
        search.depth = 0;
        return search.mode != SEARCH_REPLAY;
    }
    while (search.depth != 0) {
        struct choice *last = &search.stack[search.depth - 1];
        if (last->picked + 1u < last->among) {
            last->picked++;
            search.given = search.depth;
            search.depth = 0;
            return EXO_TRUE;
        }
        search.depth--;
    }
    return EXO_FALSE;
}

void search_print(FILE *to)
{
    exo_u32 zeros = 0;
    exo_u32 i;
    const char *separator = "";
    if (search.bound.preemptions < MODEL_UNBOUNDED) {
        (void)fprintf(to, "%u", search.bound.preemptions);
    } else {
        (void)fputs(search.thins ? "all" : "any", to);
    }
    if (search.bound.old < MODEL_UNBOUNDED) {
        (void)fprintf(to, "+%u", search.bound.old);
    }
    (void)fputc('@', to);
    for (i = 0; i < search.depth; i++) {
        if (search.stack[i].picked == 0) {
            zeros++;
            continue;
        }
        (void)fprintf(to, "%s%u.%u", separator, zeros, search.stack[i].picked);
        separator = "-";
        zeros = 0;
    }
    if (*separator == '\0') {
        (void)fputs("0.0", to);
    }
}

/* Read a replay string: preemption bound, "all" or "any"; "+" and the bound of old values; "@"; choices. */
exo_bool search_load(const char *text)
{
    const char *at = strchr(text, '@');
    const char *plus = strchr(text, '+');
    if (at == NULL) {
        return EXO_FALSE;
    }
    search.given = 0;
    search.thins = strncmp(text, "all", 3) == 0;
    search.bound = unbounded;
    if (!search.thins && strncmp(text, "any", 3) != 0) {
        search.bound.preemptions = (exo_u32)strtoul(text, NULL, 10);
    }
    if (plus != NULL && plus < at) {
        search.bound.old = (exo_u32)strtoul(plus + 1, NULL, 10);
    }
    memset(search.stack, 0, sizeof(search.stack));
    text = at + 1;
    while (*text != '\0') {
        char *end;
        unsigned long zeros = strtoul(text, &end, 10);
        unsigned long picked;
        if (end == text || *end != '.') {
            return EXO_FALSE;
        }
        text = end + 1;
        picked = strtoul(text, &end, 10);
        if (end == text || (*end != '-' && *end != '\0') || search.given + zeros >= MODEL_CHOICES) {
            return EXO_FALSE;
        }
        text = *end == '-' ? end + 1 : end;
        search.given += (exo_u32)zeros;
        search.stack[search.given++].picked = (exo_u16_pvt)picked;
    }
    return EXO_TRUE;
}
