/* SPDX-License-Identifier: MIT */
/*
 * The profiler: what passed through a channel, who waited, how long messages and calls took. The figures of time go to
 * standard error, since they differ from run to run.
 *
 *     $ profile
 *     client sent      1000 messages, 516000 bytes, 500 by reference
 *     client received  1000 messages, 8000 bytes, 0 by reference
 *     server timed     1000 messages under way
 *     client timed     1000 calls
 */
#define EXO_IPC_PROFILER 1
#include <exo_ipc/exo_ipc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLS 1000
#define EVENTS 256

/* What one end of the channel does is counted in two places, one for each direction. */
struct counted {
    struct exo_channel channel;
    struct exo_profiler *sent;
    struct exo_profiler *received;
};

static void check(exo_status status, const char *what)
{
    if (status != EXO_OK) {
        fprintf(stderr, "%s: %s\n", what, exo_status_text(status));
        exit(1);
    }
}

static struct exo_profiler *new_profiler(void)
{
    const struct exo_profiler_config config = {.every = 1, .events = EVENTS};
    exo_size bytes = exo_profiler_bytes(&config);
    void *memory = aligned_alloc(EXO_CACHE_LINE, bytes);
    check(memory == NULL ? EXO_NO_MEMORY : exo_profiler_init(memory, bytes, &config), "profiler");
    return memory;
}

static void open_end(struct exo_channel_pair *pair, unsigned which, struct counted *end)
{
    check(exo_channel_pair_open(pair, which, &end->channel), "open");
    end->sent = new_profiler();
    end->received = new_profiler();
    check(exo_profile_channel(&end->channel, end->sent, end->received), "profile");
}

/* Answers each request with its size. */
static void *serve(void *argument)
{
    struct exo_channel *channel = &((struct counted *)argument)->channel;
    struct exo_message request;
    while (exo_channel_recv_blocking(channel, &request, EXO_FOREVER) == EXO_OK) {
        exo_u64 size = exo_message_size(&request);
        check(exo_reply(channel, &request.header, &size, sizeof(size)), "reply");
        check(exo_channel_release(channel, &request), "release");
    }
    exo_channel_close(channel);
    return NULL;
}

static void call(struct exo_channel *channel, exo_size size)
{
    static const char payload[1024];
    struct exo_call request = {.id = 0};
    check(exo_call_send_blocking(channel, &request, NULL, payload, size, EXO_FOREVER), "call");
    check(exo_call_wait(channel, &request), "answer");
    check(exo_call_release(channel, &request), "release");
}

static void print_counts(const char *who, const struct exo_profiler *profiler)
{
    struct exo_counters counters;
    exo_profile_counters(profiler, &counters);
    printf("%-16s %llu messages, %llu bytes, %llu by reference\n", who, (unsigned long long)counters.messages,
           (unsigned long long)counters.bytes, (unsigned long long)counters.by_reference);
    fprintf(stderr, "%-16s %llu waits: %llu paid off in the spin, %llu sleeps; woke the other side %llu times\n", who,
            (unsigned long long)counters.waits, (unsigned long long)counters.spins_paid,
            (unsigned long long)counters.sleeps, (unsigned long long)counters.wakes);
}

static void print_times(const char *what, const struct exo_profiler *profiler, const struct exo_histogram *times)
{
    static const exo_u32 shares[] = {500000, 990000, 999000, 1000000};
    fprintf(stderr, "%-16s p50, p99, p99.9, max in ns:", what);
    for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        fprintf(stderr, " %llu", (unsigned long long)exo_profile_ns(profiler, exo_histogram_at(times, shares[i])));
    }
    fputc('\n', stderr);
}

/* The last calls, one by one. */
static void print_trace(const struct exo_profiler *profiler)
{
    struct exo_trace_event event;
    exo_u64 cursor = 0;
    exo_status status;
    while ((status = exo_profile_trace(profiler, EVENTS, &cursor, &event)) != EXO_EMPTY) {
        if (status == EXO_OK && event.kind == EXO_TRACE_CALLED && event.number % 64 == 0) {
            fprintf(stderr, "event %llu: a call took %llu ns\n", (unsigned long long)event.number,
                    (unsigned long long)exo_profile_ns(profiler, event.argument));
        }
    }
}

int main(void)
{
    struct exo_channel_pair pair;
    struct counted client;
    struct counted server;
    pthread_t thread;
    check(exo_channel_pair_create(&pair, NULL), "create");
    open_end(&pair, 0, &client);
    open_end(&pair, 1, &server);
    if (pthread_create(&thread, NULL, serve, &server) != 0) {
        return 1;
    }
    for (int i = 0; i < CALLS; i++) {
        call(&client.channel, i % 2 == 0 ? 32 : 1000); /* in the slot, and by reference */
    }
    (void)exo_channel_finish(&client.channel);
    (void)pthread_join(thread, NULL);
    print_counts("client sent", client.sent);
    print_counts("client received", client.received);
    printf("server timed     %llu messages under way\n",
           (unsigned long long)exo_histogram_total(&server.received->transit));
    printf("client timed     %llu calls\n", (unsigned long long)exo_histogram_total(&client.received->call));
    print_times("under way", server.received, &server.received->transit);
    print_times("calls", client.received, &client.received->call);
    print_times("server's waits", server.received, &server.received->wait);
    print_trace(client.received);
    exo_channel_close(&client.channel);
    exo_channel_pair_destroy(&pair);
    free(client.sent);
    free(client.received);
    free(server.sent);
    free(server.received);
    return 0;
}
