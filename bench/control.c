/* SPDX-License-Identifier: MIT */
/*
 * control.c - a call to the daemon, there and back, beside what the kernel itself takes for an empty request and an empty
 * answer between two processes. groups/control.cpp runs it.
 *
 * Both are the same for the scheduler: one process asks and sleeps, the other sleeps and answers. Where they run is left to
 * it, which is what a user gets, and is mostly the waking of an idle CPU; or both on one CPU, which shows what the call itself
 * adds.
 */
#include <exo_client.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

double exo_bench_control(int ours, int one_cpu, double ms);

#define CALLS_PER_LOOK 16

/* Trips until the time is over; ns per trip, negative if one failed. */
static double trips_for(double ms, int (*trip)(void *), void *context)
{
    exo_u64 start = exo_port_now_ns();
    exo_u64 end = start + (exo_u64)(ms * 1e6);
    exo_u64 now = start;
    exo_u64 trips = 0;
    int i;
    while (now < end) {
        for (i = 0; i < CALLS_PER_LOOK; i++) {
            if (!trip(context)) {
                return -1;
            }
        }
        trips += CALLS_PER_LOOK;
        now = exo_port_now_ns();
    }
    return (double)(now - start) / (double)trips;
}

static int call_trip(void *context)
{
    exo_u64 version = 0;
    return exo_sys_version(&((struct exo_client *)context)->door, &version) == EXO_OK;
}

static pid_t daemon_begins(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl(EXO_IPCD_PATH, "exo-ipcd", "--socket", path, (char *)NULL);
        _exit(127);
    }
    return child;
}

static double call(double ms)
{
    static struct exo_client client;
    exo_u64 deadline = exo_port_now_ns() + 5000000000u;
    exo_status status = EXO_NOT_FOUND;
    char path[64];
    double figure = -1;
    pid_t daemon;
    (void)snprintf(path, sizeof(path), "/tmp/exo_bench_control-%d", (int)getpid());
    daemon = daemon_begins(path);
    while (daemon > 0 && status == EXO_NOT_FOUND && exo_port_now_ns() < deadline) {
        const struct timespec a_while = {0, 1000000};
        status = exo_client_open(&client, path, deadline);
        (void)nanosleep(&a_while, NULL);
    }
    if (status == EXO_OK) {
        figure = trips_for(ms, call_trip, &client);
        exo_client_close(&client);
    }
    if (daemon > 0) {
        (void)kill(daemon, SIGTERM);
        (void)waitpid(daemon, NULL, 0);
    }
    return figure;
}

static int anchor_trip(void *context)
{
    const int socket = *(const int *)context;
    char byte = 0;
    return send(socket, &byte, 1, MSG_NOSIGNAL) == 1 && recv(socket, &byte, 1, 0) == 1;
}

static double anchor(double ms)
{
    int sockets[2];
    double figure;
    pid_t child;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        char byte;
        (void)close(sockets[0]);
        while (recv(sockets[1], &byte, 1, 0) == 1 && send(sockets[1], &byte, 1, MSG_NOSIGNAL) == 1) {
        }
        _exit(0);
    }
    (void)close(sockets[1]);
    figure = child < 0 ? -1 : trips_for(ms, anchor_trip, &sockets[0]);
    (void)close(sockets[0]);
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return figure;
}

double exo_bench_control(int ours, int one_cpu, double ms)
{
    cpu_set_t usual;
    cpu_set_t one;
    double figure;
    exo_size cpu = 0;
    if (one_cpu && sched_getaffinity(0, sizeof(usual), &usual) == 0) {
        while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &usual)) {
            cpu++;
        }
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        (void)sched_setaffinity(0, sizeof(one), &one); /* children inherit it */
    }
    figure = ours ? call(ms) : anchor(ms);
    if (one_cpu) {
        (void)sched_setaffinity(0, sizeof(usual), &usual);
    }
    return figure;
}
