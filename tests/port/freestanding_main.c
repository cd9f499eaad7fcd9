/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite on the freestanding port, without libc: prints TAP by raw system calls. Its
 * threads are Linux threads all the same; the parking lot's kernel is a table of them, each with a
 * permit.
 */
#define EXO_PORT_IMPLEMENTATION 1
#define EXO_PORT_NEED_MEMCPY    1
#define EXO_PORT_ARENA_BYTES    0x80000

#include "nolibc.h"

#include "claims_fence.h"
#include "claims_freestanding.h"
#include "claims_memory.h"
#include "claims_pages.h"
#include "claims_threads.h"
#include "claims_waiting.h"
#if EXO_PORT_USE_PARKING
#include "claims_parking.h"
#endif
#include "ring_smoke.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define HANG_NS      20000000000ull

exo_u32 kernel_self(void)
{
    return (exo_u32)nolibc_call(SYS_gettid, 0, 0, 0, 0);
}

exo_u64 kernel_now_ns(void)
{
    return nolibc_now_ns();
}

/* The one process that exists, number 1. */
static exo_u32 kernel_peer_dead;

exo_bool kernel_peer_alive(exo_uptr id)
{
    return id == 1 &&
           exo_load32(&kernel_peer_dead, EXO_RELAXED) == 0; /* relaxed: a fact of its own */
}

static void kill_peer(void *context)
{
    (void)context;
    exo_store32(&kernel_peer_dead, 1u, EXO_RELAXED); /* relaxed: same */
}

#if EXO_PORT_USE_PARKING
/* One line for each thread that ever asked who it is: ids are not given back, permits are. */
struct kernel_thread {
    exo_u32 id;
    exo_u32 permit; /* 1: the next block returns at once */
};

static struct kernel_thread kernel_thread[4096];

void *exo_port_thread_current(void)
{
    exo_u32 self = kernel_self();
    exo_u32 i = self % COUNT(kernel_thread);
    for (;; i = (i + 1) % COUNT(kernel_thread)) {
        exo_u32 seen = 0;
        /* relaxed: a line belongs to one thread for good. */
        if (exo_cas32(&kernel_thread[i].id, &seen, self, EXO_RELAXED) || seen == self) {
            return &kernel_thread[i];
        }
    }
}

void exo_port_block_current(exo_u64 deadline_ns)
{
    struct kernel_thread *self = (struct kernel_thread *)exo_port_thread_current();
    exo_u32 permit = 1;
    /* [permit:take] pairs [permit:give] */
    while (!exo_cas32(&self->permit, &permit, 0u, EXO_ACQUIRE)) {
        exo_u64 now = deadline_ns == EXO_FOREVER ? 0 : nolibc_now_ns();
        if (now >= deadline_ns) {
            return;
        }
        nolibc_futex_wait(&self->permit, 0, exo_min64(deadline_ns - now, HANG_NS));
        permit = 1;
    }
}

void exo_port_unblock(void *thread)
{
    struct kernel_thread *other = (struct kernel_thread *)thread;
    exo_store32(&other->permit, 1u, EXO_RELEASE); /* [permit:give] pairs [permit:take] */
    nolibc_futex_wake(&other->permit);
}

/* There are no interrupts here. */
exo_uptr exo_port_critical_enter(void)
{
    return 0;
}

void exo_port_critical_exit(exo_uptr state)
{
    (void)state;
}
#endif

static struct nolibc_thread thread_table[CONFORMANCE_THREADS];

static exo_bool start_thread(void *context, exo_u32 thread, void (*run)(void *), void *argument)
{
    (void)context;
    return nolibc_start(&thread_table[thread], run, argument);
}

static exo_bool join_thread(void *context, exo_u32 thread)
{
    (void)context;
    return nolibc_join(&thread_table[thread], HANG_NS);
}

static void report(void *context, exo_u32 number, const char *claim, const char *verdict)
{
    exo_bool skipped = verdict != EXO_NULL && verdict[0] == CONFORMANCE_SKIP[0];
    (void)context;
    nolibc_print(verdict == EXO_NULL || skipped ? "ok " : "not ok ");
    nolibc_print_number(number);
    nolibc_print(" - ");
    nolibc_print(claim);
    nolibc_print(skipped ? " # SKIP\n" : "\n");
    if (verdict != EXO_NULL && !skipped) {
        nolibc_print("# ");
        nolibc_print(verdict);
        nolibc_print("\n");
    }
}

int nolibc_main(void)
{
    static struct exo_port_peer peer = {1};
    static struct conformance_host host = {
        EXO_NULL, report,    start_thread,         join_thread,
        &peer,    kill_peer, EXO_PORT_ARENA_BYTES, EXO_PORT_USE_PARKING,
        EXO_FALSE, EXO_NULL, EXO_NULL, 0, 0};
    exo_u32 number = 0;
    exo_u32 failed = 0;

    failed += conformance_run(&host, claims_memory, COUNT(claims_memory), &number);
    failed += conformance_run(&host, claims_pages, COUNT(claims_pages), &number);
    failed += conformance_run(&host, claims_freestanding, COUNT(claims_freestanding), &number);
#if EXO_PORT_USE_PARKING
    failed += conformance_run(&host, claims_parking, COUNT(claims_parking), &number);
#endif
    failed += conformance_run(&host, claims_waiting, COUNT(claims_waiting), &number);
    failed += conformance_run(&host, claims_threads, COUNT(claims_threads), &number);
    failed += conformance_run(&host, claims_fence, COUNT(claims_fence), &number);
    failed += conformance_run(&host, claims_ring, COUNT(claims_ring), &number);
    nolibc_print("1..");
    nolibc_print_number(number);
    nolibc_print("\n");
    return failed != 0;
}
