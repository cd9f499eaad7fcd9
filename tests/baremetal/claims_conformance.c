/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of tests/port/, unchanged, on this port; its threads are the kernel's, its peer is a process.
 */
#include "claims.h"
#include "user.h"

#include "claims_fence.h"
#include "claims_memory.h"
#include "claims_pages.h"
#include "claims_parking.h"
#include "claims_threads.h"
#include "claims_waiting.h"
#include "ring_smoke.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct thread *threads[CONFORMANCE_THREADS];
static struct process *peer_process;
static struct exo_port_peer peer;
static exo_u32 failures;

static exo_bool start_thread(void *context, exo_u32 thread, void (*run)(void *), void *argument)
{
    (void)context;
    threads[thread] = thread_create("claim", run, argument, CPUS_ANY);
    if (threads[thread] == EXO_NULL) {
        return EXO_FALSE;
    }
    thread_start(threads[thread]);
    return EXO_TRUE;
}

static exo_bool join_thread(void *context, exo_u32 thread)
{
    (void)context;
    return thread_join(threads[thread], BY_THEN);
}

static void kill_peer(void *context)
{
    (void)context;
    process_kill(peer_process);
}

static exo_bool store_faults(void *context, exo_u8 *byte)
{
    struct caught caught;
    (void)context;
    return write_faults((exo_uptr)byte, &caught);
}

static void report(void *context, exo_u32 number, const char *claim, const char *verdict)
{
    exo_bool skipped = verdict != EXO_NULL && verdict[0] == CONFORMANCE_SKIP[0];
    (void)context;
    (void)number;
    if (verdict != EXO_NULL && !skipped) {
        print("%s\n", verdict);
        failures++;
    }
    print("[%s] %s\n", verdict == EXO_NULL ? "       OK " : (skipped ? "  SKIPPED " : "  FAILED  "), claim);
}

static const char *the_port_keeps_the_contract(void)
{
    static struct exo_port_space user;
    static struct conformance_host host = {EXO_NULL,  report, start_thread, join_thread, &peer,
                                           kill_peer, 0,      EXO_TRUE,     EXO_FALSE,   store_faults,
                                           &user,     0,      PAGE_BYTES};
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr at = 0x400000; /* and nothing around it */
    struct process_end end;
    exo_u32 number = 0;
    REQUIRE(space_init(&user) == EXO_OK);
    REQUIRE(paging_map(&user, phys, PAGE_BYTES, &at, EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_USER) == EXO_OK);
    host.user_begin = at;
    REQUIRE(process_create("peer", user_image, (exo_size)(user_image_end - user_image), USER_YIELD, &peer_process) ==
            EXO_OK);
    peer.process = peer_process->id;
    thread_start(peer_process->thread);
    (void)conformance_run(&host, claims_memory, COUNT(claims_memory), &number);
    (void)conformance_run(&host, claims_pages, COUNT(claims_pages), &number);
    (void)conformance_run(&host, claims_parking, COUNT(claims_parking), &number);
    (void)conformance_run(&host, claims_waiting, COUNT(claims_waiting), &number);
    (void)conformance_run(&host, claims_threads, COUNT(claims_threads), &number);
    (void)conformance_run(&host, claims_fence, COUNT(claims_fence), &number);
    (void)conformance_run(&host, claims_ring, COUNT(claims_ring), &number);
    REQUIRE(process_join(peer_process, BY_THEN, &end));
    REQUIRE(end.vector == PROCESS_KILLED);
    REQUIRE(failures == 0 && number > 39);
    space_fini(&user);
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

const struct claim claims_conformance[] = {
    CLAIM(the_port_keeps_the_contract),
    CLAIMS_END,
};
