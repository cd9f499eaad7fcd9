/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite on the freestanding port with the parking lot, over a kernel made of POSIX
 * threads: a semaphore for each is its permit, and a signal plays the interrupt that calls wake.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define EXO_PORT_IMPLEMENTATION 1
#define EXO_PORT_ARENA_BYTES    0x40000
#include "posix_host.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>

#include "claims_fence.h"
#include "claims_freestanding.h"
#include "claims_memory.h"
#include "claims_pages.h"
#include "claims_parking.h"
#include "claims_threads.h"
#include "claims_waiting.h"
#include "ring_smoke.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define INTERRUPT SIGUSR1

struct kernel_thread {
    sem_t permit;
    exo_u32 number; /* 0: not known to the kernel yet */
    exo_u32 jitter;
};

static __thread struct kernel_thread kernel_self;
static exo_u32 kernel_threads;

exo_u64 posix_kernel_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (exo_u64)now.tv_sec * 1000000000u + (exo_u64)now.tv_nsec;
}

void posix_kernel_yield(void)
{
    (void)sched_yield();
}

/* The one process that exists, number 1. */
static exo_u32 kernel_peer_dead;

exo_bool posix_kernel_peer_alive(exo_uptr id)
{
    return id == 1 &&
           exo_load32(&kernel_peer_dead, EXO_RELAXED) == 0; /* relaxed: a fact of its own */
}

static void kill_peer(void *context)
{
    (void)context;
    exo_store32(&kernel_peer_dead, 1u, EXO_RELAXED); /* relaxed: same */
}

void *exo_port_thread_current(void)
{
    if (kernel_self.number == 0) {
        (void)sem_init(&kernel_self.permit, 0, 0);
        kernel_self.number =
            1 + exo_fetch_add32(&kernel_threads, 1u, EXO_RELAXED); /* relaxed: a number */
        kernel_self.jitter = kernel_self.number;
    }
    return &kernel_self;
}

exo_u32 posix_kernel_self(void)
{
    return ((struct kernel_thread *)exo_port_thread_current())->number;
}

/* May return early: a signal interrupts it. */
void exo_port_block_current(exo_u64 deadline_ns)
{
    struct kernel_thread *self = (struct kernel_thread *)exo_port_thread_current();
    struct timespec until = {(time_t)(deadline_ns / 1000000000u),
                             (long)(deadline_ns % 1000000000u)};
    if (deadline_ns == EXO_FOREVER) {
        (void)sem_wait(&self->permit);
    } else {
        (void)sem_clockwait(&self->permit, CLOCK_MONOTONIC, &until);
    }
}

/* Once armed, the interrupt comes in the middle of a wake. */
static exo_bool interrupt_in_unblock;

void exo_port_unblock(void *thread)
{
    if (interrupt_in_unblock) {
        interrupt_in_unblock = EXO_FALSE;
        (void)raise(INTERRUPT);
    }
    (void)sem_post(&((struct kernel_thread *)thread)->permit);
}

/* Holds off the "interrupt". Now and then it lets others run first, which widens every window between
 * what is done with the lock and what is done before it. */
exo_uptr exo_port_critical_enter(void)
{
    sigset_t interrupt;
    sigset_t before;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, INTERRUPT);
    kernel_self.jitter = kernel_self.jitter * 1664525u + 1013904223u;
    if (kernel_self.jitter >> 29 == 0) {
        (void)sched_yield();
    }
    (void)pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    return sigismember(&before, INTERRUPT) == 1;
}

void exo_port_critical_exit(exo_uptr state)
{
    sigset_t interrupt;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, INTERRUPT);
    if (state == 0) {
        (void)pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
    }
}

static struct {
    exo_u32 word;
    exo_u32 finished;
} device;

/* Wakes on the very thread that waits, at any instruction outside of its critical sections. */
static void device_interrupts(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    (void)exo_fetch_add32(&device.word, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
    (void)exo_parking_wake(&device.word, 0xFFFFFFFFu);
    errno = saved;
}

static void wait_for_device(void *argument)
{
    exo_u64 until = exo_port_now_ns() + 1500 * CONFORMANCE_MS;
    exo_u32 seen = 0;
    (void)argument;
    while (seen < 3000 && exo_port_now_ns() < until) {
        exo_parking_wait(&device.word, seen, EXO_FOREVER);
        seen = exo_load32(&device.word, EXO_ACQUIRE); /* [test:count] pairs [test:counted] */
    }
    exo_store32(&device.finished, 1u, EXO_RELEASE); /* [test:counted] pairs [test:count] */
}

static const char *wake_may_come_from_an_interrupt_of_the_waiter(struct conformance_host *host)
{
    struct posix_host *posix = (struct posix_host *)host->context;
    exo_u64 until = exo_port_now_ns() + 20000 * CONFORMANCE_MS;
    (void)signal(INTERRUPT, device_interrupts);
    CONFORMANCE_REQUIRE(conformance_start(host, 1, wait_for_device, NULL));
    /* [test:count] pairs [test:counted] */
    while (exo_load32(&device.finished, EXO_ACQUIRE) == 0 && exo_port_now_ns() < until) {
        (void)pthread_kill(posix->thread[0].id, INTERRUPT);
        (void)sched_yield();
    }
    CONFORMANCE_REQUIRE(conformance_join(host, 1));
    CONFORMANCE_REQUIRE(lot_is_empty());
    return NULL;
}

static void wait_for_device_once(void *argument)
{
    (void)argument;
    /* relaxed: nobody changes it meanwhile */
    exo_parking_wait(&device.word, exo_load32(&device.word, EXO_RELAXED), EXO_FOREVER);
}

static const char *an_interrupt_waits_until_the_lot_is_let_go(struct conformance_host *host)
{
    exo_u32 before = exo_load32(&device.word, EXO_RELAXED); /* relaxed: nobody else is there */
    (void)signal(INTERRUPT, device_interrupts);
    CONFORMANCE_REQUIRE(conformance_start(host, 1, wait_for_device_once, NULL));
    CONFORMANCE_REQUIRE(become_parked(&device.word, 1));
    interrupt_in_unblock = EXO_TRUE;
    CONFORMANCE_REQUIRE(exo_parking_wake(&device.word, 1) == 1);
    CONFORMANCE_REQUIRE(exo_load32(&device.word, EXO_RELAXED) ==
                        before + 1); /* relaxed: this thread's */
    CONFORMANCE_REQUIRE(conformance_join(host, 1));
    CONFORMANCE_REQUIRE(lot_is_empty());
    return NULL;
}

static const struct conformance_claim claims_interrupt[] = {
    CONFORMANCE_CLAIM(an_interrupt_waits_until_the_lot_is_let_go),
    CONFORMANCE_CLAIM(wake_may_come_from_an_interrupt_of_the_waiter),
};

int main(void)
{
    static struct posix_host posix;
    static struct exo_port_peer peer = {1};
    struct conformance_host host = posix_host_make(&posix);
    exo_u32 number = 0;
    exo_u32 failed = 0;

    host.peer = &peer;
    host.kill_peer = kill_peer;
    host.arena_bytes = EXO_PORT_ARENA_BYTES;
    host.sleeps = EXO_TRUE;
    failed += conformance_run(&host, claims_memory, COUNT(claims_memory), &number);
    failed += conformance_run(&host, claims_pages, COUNT(claims_pages), &number);
    failed += conformance_run(&host, claims_freestanding, COUNT(claims_freestanding), &number);
    failed += conformance_run(&host, claims_parking, COUNT(claims_parking), &number);
    failed += conformance_run(&host, claims_waiting, COUNT(claims_waiting), &number);
    failed += conformance_run(&host, claims_threads, COUNT(claims_threads), &number);
    failed += conformance_run(&host, claims_interrupt, COUNT(claims_interrupt), &number);
    failed += conformance_run(&host, claims_fence, COUNT(claims_fence), &number);
    failed += conformance_run(&host, claims_ring, COUNT(claims_ring), &number);
    posix_host_exit(number, failed);
}
