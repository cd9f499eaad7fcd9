/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite on the port to Linux user space, with POSIX threads.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "posix_host.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "claims_fence.h"
#include "claims_memory.h"
#include "claims_pages.h"
#include "claims_threads.h"
#include "claims_waiting.h"
#include "ring_smoke.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static pid_t child;

/* A child that does nothing, known by its pidfd. It goes when the parent goes, however that ends. */
static exo_bool make_peer(struct exo_port_peer *peer)
{
    pid_t parent = getpid();
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(0);
        }
        for (;;) {
            (void)pause();
        }
    }
    peer->pidfd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
    peer->socket = -1;
    return peer->pidfd >= 0;
}

static void kill_peer(void *context)
{
    (void)context;
    if (child > 0) { /* kill(-1) would mean everybody */
        (void)kill(child, SIGKILL);
    }
}

/* Asked of a child. */
static exo_bool store_faults(void *context, exo_u8 *byte)
{
    int status = 0;
    pid_t storing = fork();
    (void)context;
    if (storing == 0) {
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)signal(SIGSEGV, SIG_DFL);
        __atomic_store_n(byte, (exo_u8)5, __ATOMIC_RELAXED);
        _exit(0);
    }
    return storing > 0 && waitpid(storing, &status, 0) == storing && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGSEGV;
}

/* A client of a daemon, which says and hears this. */
static exo_u8 users_memory[256];
static struct exo_port_space user = {users_memory, sizeof(users_memory), users_memory, sizeof(users_memory), -1};

int main(void)
{
    static struct posix_host posix;
    static struct exo_port_peer peer;
    struct conformance_host host = posix_host_make(&posix);
    exo_u32 number = 0;
    exo_u32 failed = 0;

    host.peer = make_peer(&peer) ? &peer : CONFORMANCE_NO_PEER;
    host.kill_peer = kill_peer;
    host.sleeps = EXO_TRUE;
    host.store_faults = store_faults;
    host.user = &user;
    host.user_bytes = sizeof(users_memory);
    failed += conformance_run(&host, claims_memory, COUNT(claims_memory), &number);
    failed += conformance_run(&host, claims_pages, COUNT(claims_pages), &number);
    failed += conformance_run(&host, claims_waiting, COUNT(claims_waiting), &number);
    failed += conformance_run(&host, claims_threads, COUNT(claims_threads), &number);
    failed += conformance_run(&host, claims_fence, COUNT(claims_fence), &number);
    failed += conformance_run(&host, claims_ring, COUNT(claims_ring), &number);
    kill_peer(NULL);
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    posix_host_exit(number, failed);
}
