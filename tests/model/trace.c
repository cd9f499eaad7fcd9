/* SPDX-License-Identifier: MIT */
/* A readable trace: each step with its place in the source, the word's name, and the value. */
#include <string.h>

#include "model.h"

#define NAMES 32u

static struct {
    const char *name;
    exo_uptr from;
    exo_uptr to;
} names[NAMES];
static exo_u32 name_count;

void trace_names_reset(void)
{
    name_count = 0;
}

void client_names(const char *name, const void *p, exo_size bytes)
{
    if (name_count < NAMES) {
        names[name_count].name = name;
        names[name_count].from = (exo_uptr)p;
        names[name_count].to = (exo_uptr)p + bytes;
        name_count++;
    }
}

static void print_name(const void *p)
{
    exo_uptr address = (exo_uptr)p;
    exo_u32 i;
    for (i = name_count; i-- != 0;) {
        if (address >= names[i].from && address < names[i].to) {
            (void)fprintf(stderr, " %s+%u", names[i].name, (unsigned)(address - names[i].from));
            return;
        }
    }
    if (p != NULL) {
        (void)fprintf(stderr, " %p", p);
    }
}

void trace_step(const struct site *site, const void *p, exo_u64 value, const char *what)
{
    static const char *const kinds[] = {"load", "store", "rmw", "fence", "hold", "heavy fence", "", "fence acquire", "fence release"};
    static const char *const orders[] = {"relaxed", "acquire", "release", "acq_rel"};
    if (!model.tracing) {
        return;
    }
    (void)fprintf(stderr, "  %*s%u ", (int)(model.running * 4), "", model.running);
    if (site == NULL) {
        (void)fprintf(stderr, "%s\n", what);
        return;
    }
    (void)fprintf(stderr, "%s", kinds[site->kind]);
    if (site->kind <= SITE_RMW) {
        (void)fprintf(stderr, " %s", orders[site->order & ~site->weak]);
    }
    print_name(p);
    (void)fprintf(stderr, " %#llx %s  %s:%u\n", (unsigned long long)value, what,
                  strrchr(site->file, '/') == NULL ? site->file : strrchr(site->file, '/') + 1, site->line);
}
