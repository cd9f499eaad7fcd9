/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the daemon share: one that runs on a socket of its own, clients of it, and what the daemon and the kernel
 * say that it holds.
 */
#ifndef EXO_TESTS_DAEMON_FIXTURE_H
#define EXO_TESTS_DAEMON_FIXTURE_H

#include "../process/process_fixture.h"

#include "exo_client.h"

/* A daemon, in a folder of its own. */
struct running {
    char folder[64];
    char path[96];
    pid_t daemon;
};

/* Start the program that the environment names, on the socket of `running`. */
EXO_INLINE void daemon_start(struct running *running, const char *option, const char *value)
{
    const char *program = getenv("EXO_IPCD");
    assert_non_null(program);
    running->daemon = fork();
    assert_true(running->daemon >= 0);
    if (running->daemon == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGALRM, SIG_DFL);
        (void)execl(program, "exo-ipcd", "--socket", running->path, option, value, (char *)NULL);
        _exit(127);
    }
}

EXO_INLINE void running_begin(struct running *running, const char *option, const char *value)
{
    (void)strcpy(running->folder, "/tmp/exo_ipcd_XXXXXX");
    assert_non_null(mkdtemp(running->folder));
    assert_int_equal(chmod(running->folder, 0755), 0);
    (void)snprintf(running->path, sizeof(running->path), "%s/socket", running->folder);
    daemon_start(running, option, value);
}

/* End the daemon in order. Returns its status, negative for a signal. */
EXO_INLINE int running_stop(struct running *running)
{
    int status;
    assert_true(running->daemon > 0); /* 0 would be ourselves, and -1 everybody */
    assert_int_equal(kill(running->daemon, SIGTERM), 0);
    status = join_child(running->daemon);
    running->daemon = 0;
    return status;
}

/* The same, and see that nothing is left in its folder. */
EXO_INLINE void running_end(struct running *running)
{
    assert_int_equal(running_stop(running), 0);
    assert_int_equal(rmdir(running->folder), 0);
}

/* Connect, also where the daemon has only just begun. */
EXO_INLINE exo_status client_connects(struct exo_client *client, const char *path)
{
    exo_u64 end = in_seconds(20);
    exo_status status;
    do {
        status = exo_client_open(client, path, end);
        if (status == EXO_NOT_FOUND || status == EXO_PEER_DIED) {
            sleep_us(1000);
        }
    } while ((status == EXO_NOT_FOUND || status == EXO_PEER_DIED) && exo_port_now_ns() < end);
    return status;
}

/* A socket to the daemon for who does not keep to the rules: let in, and nothing said. */
EXO_INLINE int raw_connects(const char *path)
{
    int socket = -1;
    exo_status status = exo_connect(&socket, path, EXO_ANYBODY, in_seconds(20));
    return status == EXO_OK ? socket : -1;
}

/* What the daemon holds, until it is what it is said to become, or 10 s have passed. */
EXO_INLINE struct exo_daemon_report report_of(struct exo_client *client)
{
    struct exo_daemon_report report;
    assert_int_equal(exo_client_report(client, &report), EXO_OK);
    return report;
}

/* Whether nothing is left but the asker himself. */
EXO_INLINE exo_bool report_is_bare(const struct exo_daemon_report *report)
{
    exo_u64 sum = 0;
    exo_u32 kind;
    for (kind = 0; kind < EXO_SYS_QUOTAS; kind++) {
        sum += report->used[kind];
    }
    sum += report->regions + report->channels + report->queues + report->groups + report->waiting + report->links;
    return sum == 0 && report->clients == 1 && report->processes == 1;
}

/* Everything comes back in the end, within a bound. */
EXO_INLINE exo_bool becomes_bare(struct exo_client *client)
{
    exo_u64 end = in_seconds(10);
    struct exo_daemon_report report = report_of(client);
    while (!report_is_bare(&report) && exo_port_now_ns() < end) {
        sleep_us(500);
        report = report_of(client);
    }
    return report_is_bare(&report);
}

/* Open descriptors of another process; -1 where that may not be seen. */
EXO_INLINE int descriptors_of(pid_t process)
{
    char path[64];
    const struct dirent *entry;
    int count = 0;
    DIR *folder;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    folder = opendir(path);
    if (folder == NULL) {
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

/* Resident pages of another process. */
EXO_INLINE long resident_of(pid_t process)
{
    char path[64];
    long all = 0;
    long resident = 0;
    FILE *file;
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)process);
    file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%ld %ld", &all, &resident) != 2) {
        resident = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return resident;
}

/* Wait until a page that processes share says so. */
EXO_INLINE exo_bool page_says(const exo_u32 *word, exo_u32 value)
{
    exo_u64 end = in_seconds(20);
    while (exo_load32(word, EXO_ACQUIRE) != value) {
        if (exo_port_now_ns() > end) {
            return EXO_FALSE;
        }
        sleep_us(200);
    }
    return EXO_TRUE;
}

#endif
