/* SPDX-License-Identifier: MIT */
/*
 * What the tests of rings share: a ring of any kind in memory that AddressSanitizer watches, every allowed
 * kind of ring in turn, numbered messages, and threads that are known to be asleep.
 *
 * A claim about all rings is a function of a configuration, registered with IN_EVERY_KIND. Each kind
 * comes twice: positions from 0, and from just below 2^32, so that they pass it after 16 messages.
 */
#ifndef EXO_TESTS_RING_FIXTURE_H
#define EXO_TESTS_RING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exo_ipc/exo_ipc.h"

#define NEAR_WRAP    0xFFFFFFF0ull
#define SECOND_NS    1000000000ull
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct ring_kind {
    const char *name;
    exo_u32 mode;
    exo_u32 profile;
};

/* Every combination of mode and profile there is, and the polled ones. */
static const struct ring_kind ring_kinds[] = {
    {"SPSC threads", EXO_SPSC, EXO_THREADS},
    {"SPSC crash-safe", EXO_SPSC, EXO_CRASH_SAFE},
    {"SPSC hostile", EXO_SPSC, EXO_HOSTILE},
    {"MPSC threads", EXO_MPSC, EXO_THREADS},
    {"MPSC crash-safe", EXO_MPSC, EXO_CRASH_SAFE},
    {"SPMC threads", EXO_SPMC, EXO_THREADS},
    {"MPMC threads", EXO_MPMC, EXO_THREADS},
    {"SPSC hostile polled", EXO_SPSC | EXO_POLLED, EXO_HOSTILE},
    {"MPSC crash-safe polled", EXO_MPSC | EXO_POLLED, EXO_CRASH_SAFE},
    {"MPMC threads polled", EXO_MPMC | EXO_POLLED, EXO_THREADS},
};

/* A ring with its first two handles. */
struct fixture {
    struct exo_ring ring;
    struct exo_sender tx;
    struct exo_receiver rx;
    void *memory;
};

/* Eight slots, no arena. */
EXO_INLINE struct exo_ring_config plain_config(exo_u32 mode, exo_u32 profile, exo_u64 start)
{
    struct exo_ring_config config = {0};
    config.slots = 8;
    config.mode = mode;
    config.profile = profile;
    config.producers = (mode & EXO_MODE_MP) != 0 ? 4 : 1;
    config.spin = 1;
    config.arena_size = EXO_ARENA_NONE;
    config.start = start;
    return config;
}

EXO_INLINE exo_bool has_mp(const struct exo_ring_config *config)
{
    return (config->mode & EXO_MODE_MP) != 0;
}
EXO_INLINE exo_bool has_mc(const struct exo_ring_config *config)
{
    return (config->mode & EXO_MODE_MC) != 0;
}
EXO_INLINE exo_bool is_polled(const struct exo_ring_config *config)
{
    return (config->mode & EXO_MODE_POLLED) != 0;
}
EXO_INLINE exo_bool is_owned(const struct exo_ring_config *config)
{
    return has_mp(config) && config->profile == EXO_CRASH_SAFE;
}

EXO_INLINE void fixture_open(struct fixture *f, const struct exo_ring_config *config)
{
    exo_size bytes = 0;
    assert_int_equal(exo_ring_bytes(config, &bytes), EXO_OK);
    f->memory = aligned_alloc(EXO_LINE_PAIR, exo_align_up(bytes, EXO_LINE_PAIR));
    assert_non_null(f->memory);
    memset(f->memory, 0xA5, bytes); /* a ring must not rely on what was there */
    assert_int_equal(exo_ring_init(&f->ring, config, f->memory, bytes), EXO_OK);
    assert_int_equal(exo_ring_sender(&f->ring, &f->tx), EXO_OK);
    assert_int_equal(exo_ring_receiver(&f->ring, &f->rx), EXO_OK);
}

EXO_INLINE void fixture_close(struct fixture *f)
{
    free(f->memory);
    f->memory = NULL;
}

/* One claim, and the kind of ring it failed with. */
struct kind_claim {
    void (*claim)(struct exo_ring_config config);
    const struct ring_kind *at;
};

EXO_INLINE void claim_in_every_kind(void **state)
{
    struct kind_claim *run = (struct kind_claim *)*state;
    exo_size i;
    for (i = 0; i < COUNT(ring_kinds); i++) {
        run->at = &ring_kinds[i];
        run->claim(plain_config(run->at->mode, run->at->profile, 0));
        run->claim(plain_config(run->at->mode, run->at->profile, NEAR_WRAP));
    }
    run->at = NULL;
}

EXO_INLINE int tell_the_kind(void **state)
{
    const struct kind_claim *run = (const struct kind_claim *)*state;
    if (run->at != NULL) {
        print_message("             (with %s)\n", run->at->name);
    }
    return 0;
}

#define IN_EVERY_KIND(body)                                                   \
    {                                                                         \
#body, claim_in_every_kind, NULL, tell_the_kind, &(struct kind_claim) \
        {                                                                     \
            (body), NULL                                                      \
        }                                                                     \
    }

/* The bytes of message number n. */
EXO_INLINE void fill_message(exo_u8 *bytes, exo_size len, exo_u32 n)
{
    exo_size i;
    for (i = 0; i < len; i++) {
        bytes[i] = (exo_u8)(n * 7u + i * 13u + 1u);
    }
}

EXO_INLINE void assert_message(const void *bytes, exo_size len, exo_u32 n)
{
    exo_u8 wanted[EXO_INLINE_THRESHOLD];
    fill_message(wanted, len, n);
    if (len != 0) {
        assert_memory_equal(bytes, wanted, len);
    }
}

EXO_INLINE exo_status send_number(struct exo_sender *tx, exo_u64 number)
{
    return exo_send_inline(tx, &number, sizeof(number));
}

/* The number received, or the negative reason why there is none. */
EXO_INLINE exo_i64 recv_number(struct exo_receiver *rx)
{
    exo_i64 number = 0;
    exo_i64 len = exo_recv_inline(rx, &number, sizeof(number));
    return len < 0 ? len : len == (exo_i64)sizeof(number) ? number : -1000 - len;
}

/* Send the numbers first, first + 1, ... until the ring is full. Returns how many went in. */
EXO_INLINE exo_u32 fill_ring(struct exo_sender *tx, exo_u64 first)
{
    exo_u32 sent = 0;
    exo_status status;
    while ((status = send_number(tx, first + sent)) == EXO_OK) {
        sent++;
    }
    assert_int_equal(status, EXO_FULL);
    return sent;
}

EXO_INLINE exo_u64 in_seconds(exo_u32 seconds)
{
    return exo_port_now_ns() + seconds * SECOND_NS;
}

/* A thread in a blocking call. Its function calls thread_started() first and stores `result` last. */
struct sleeping_thread {
    pthread_t thread;
    struct exo_sender *tx;
    struct exo_receiver *rx;
    exo_u32 id;
    exo_i64 result;
    exo_u64 value;
};

EXO_INLINE void thread_started(struct sleeping_thread *self)
{
    exo_store32(&self->id, exo_port_self(), EXO_RELEASE);
}

/* Whether the kernel has the thread asleep, by /proc/self/task/ID/stat: "ID (name) S ..." */
EXO_INLINE exo_bool is_asleep(exo_u32 id)
{
    char path[64];
    char line[256];
    const char *behind;
    FILE *file;
    (void)snprintf(path, sizeof(path), "/proc/self/task/%u/stat", id);
    file = fopen(path, "r");
    if (file == NULL) {
        return EXO_FALSE;
    }
    behind = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
    (void)fclose(file);
    return behind != NULL && behind[1] == ' ' && behind[2] == 'S';
}

/* Wait until the thread has announced itself `waiters` and sleeps; false after some seconds. */
EXO_INLINE exo_bool fell_asleep(const struct sleeping_thread *thread, const exo_u32 *waiters)
{
    exo_u64 deadline = in_seconds(10);
    while (exo_port_now_ns() < deadline) {
        exo_u32 id = exo_load32(&thread->id, EXO_ACQUIRE);
        if (id != 0 && exo_load32(waiters, EXO_RELAXED) != 0 && is_asleep(id)) {
            return EXO_TRUE;
        }
        (void)sched_yield();
    }
    return EXO_FALSE;
}

EXO_INLINE void thread_start(struct sleeping_thread *thread, void *(*body)(void *))
{
    thread->id = 0;
    thread->result = -1000;
    assert_int_equal(pthread_create(&thread->thread, NULL, body, thread), 0);
}

/* The call has ended; soon, for one that is not woken ends at its deadline, ten seconds on. */
EXO_INLINE exo_i64 thread_join(struct sleeping_thread *thread)
{
    exo_u64 before = exo_port_now_ns();
    assert_int_equal(pthread_join(thread->thread, NULL), 0);
    assert_true(exo_port_now_ns() - before < 5 * SECOND_NS);
    return thread->result;
}

#endif
