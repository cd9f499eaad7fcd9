/* SPDX-License-Identifier: MIT */
/*
 * control.c - a call to the daemon, there and back, beside what the kernel itself takes for an empty request and an empty
 * answer between two processes. groups/control.cpp runs it.
 *
 * Both are the same for the scheduler: one process asks and sleeps, the other sleeps and answers. Each keeps to a CPU of its
 * own, so that it is mostly the waking of an idle CPU that is compared; or both to one, which shows what the call itself adds.
 * Left to itself the scheduler puts them together or apart as it likes, which makes a factor of six.
 */
#include <exo_client.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

double exo_bench_control(int ours, int one_cpu, double ms);

#define CALLS_PER_LOOK 16

static exo_size serving_cpu; /* where the process that answers runs */

static void keep_to(exo_size cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof(one), &one);
}

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
        keep_to(serving_cpu);
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
        keep_to(serving_cpu);
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

/* The first CPU from one on that may be used; CPU_SETSIZE if there is none. */
static exo_size usable_from(const cpu_set_t *usual, exo_size cpu)
{
    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, usual)) {
        cpu++;
    }
    return cpu;
}

double exo_bench_control(int ours, int one_cpu, double ms)
{
    cpu_set_t usual;
    exo_size asking_cpu;
    double figure;
    if (sched_getaffinity(0, sizeof(usual), &usual) != 0) {
        return -1;
    }
    asking_cpu = usable_from(&usual, 0);
    serving_cpu = one_cpu ? asking_cpu : usable_from(&usual, asking_cpu + 1);
    if (serving_cpu == CPU_SETSIZE) {
        return -1;
    }
    keep_to(asking_cpu);
    figure = ours ? call(ms) : anchor(ms);
    (void)sched_setaffinity(0, sizeof(usual), &usual);
    return figure;
}
