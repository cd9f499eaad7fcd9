/* SPDX-License-Identifier: MIT */
/* A trace that is read while it is written: events come whole, in order, and are missed only if they were overwritten. */
#include "../client.h"

#define ENTRIES 2u

static struct exo_trace trace;
static struct exo_trace_entry entries[ENTRIES];

static void setup(void)
{
    exo_store64(&trace.written, 0, EXO_RELAXED);
    exo_store64(&trace.size, client_now->param, EXO_RELAXED);
    __builtin_memset(entries, 0, sizeof(entries));
    client_names("trace", &trace, sizeof(trace));
    client_names("entries", entries, sizeof(entries));
}

static void write_events(void)
{
    exo_u32 n;
    for (n = 0; n < client_now->param2; n++) {
        struct exo_trace_event event = {0, 0, 0, 0, 0};
        event.kind = n + 1;
        event.ticks = n + 10;
        event.subject = n + 20;
        event.argument = n + 30;
        exo_trace_write_pvt(&trace, entries, &event);
    }
}

static void read_events(void)
{
    exo_u64 cursor = 0;
    exo_u32 look;
    for (look = 0; look < 3; look++) {
        struct exo_trace_event event = {0, 0, 0, 0, 0};
        exo_u64 wanted = cursor;
        exo_status status = exo_trace_read(&trace, entries, client_now->param, &cursor, &event);
        if (status == EXO_OK) {
            client_check(event.number == wanted && cursor == wanted + 1 && event.kind == wanted + 1);
            client_check(event.ticks == wanted + 10 && event.subject == wanted + 20 && event.argument == wanted + 30);
        } else if (status == EXO_OVERFLOW) {
            client_check(client_now->param2 > client_now->param); /* else nothing is ever overwritten */
            client_check(cursor > wanted && cursor <= client_now->param2);
        } else {
            client_check(status == EXO_EMPTY && cursor == wanted);
        }
    }
}

/* Once nobody writes, the last are there. */
static void finish(void)
{
    exo_u64 cursor = client_now->param2 - (client_now->param == 1 ? 1 : client_now->param - 1);
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    while (cursor != client_now->param2) {
        exo_u64 wanted = cursor;
        client_check(exo_trace_read(&trace, entries, client_now->param, &cursor, &event) == EXO_OK);
        client_check(event.number == wanted && event.argument == wanted + 30);
    }
    client_check(exo_trace_read(&trace, entries, client_now->param, &cursor, &event) == EXO_EMPTY);
}

CLIENT(trace_kept) = {.name = "trace-kept", .setup = setup, .thread = {write_events, read_events},
                      .finish = finish, .param = ENTRIES, .param2 = ENTRIES};
CLIENT(trace_overwritten) = {.name = "trace-overwritten", .setup = setup, .thread = {write_events, read_events},
                             .finish = finish, .param = 1, .param2 = 2};
CLIENT(trace_laps) = {.name = "trace-laps", .setup = setup, .thread = {write_events, read_events},
                      .finish = finish, .param = ENTRIES, .param2 = 2 * ENTRIES};
