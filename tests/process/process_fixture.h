/* SPDX-License-Identifier: MIT */
/*
 * What the tests of processes share: children that cannot outlive a test or hang, facts of /proc (open
 * descriptors, mappings), pages to tell each other things, and a generator of random numbers.
 *
 * A child never uses cmocka: it has no claim to fail. It says CHECK(...), which ends it with status 1.
 */
#ifndef EXO_TESTS_PROCESS_FIXTURE_H
#define EXO_TESTS_PROCESS_FIXTURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "exo_linux.h"

#include "../lateness.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif
#define SANITIZED (HAS_ASAN || EXO_HAS_TSAN)

#define NEAR_WRAP 0xFFFFFFF0ull
#define MILLISECOND_NS 1000000ull
#define SECOND_NS 1000000000ull
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* How often a claim is put to the test: less under sanitizers, whose processes are slow to make. */
#define ROUNDS(n) (SANITIZED ? (n) / 6 : (n))

/* No claim takes this long; whatever hangs is ended by SIGALRM, children too. */
#define WATCHDOG_S (SANITIZED ? 100u : 40u)

#define CHECK(condition)                                                                             \
    do {                                                                                             \
        if (!(condition)) {                                                                          \
            (void)fprintf(stderr, "%s:%d: child: %s\n", __FILE__, __LINE__, #condition);             \
            _exit(1);                                                                                \
        }                                                                                            \
    } while (0)

EXO_INLINE int watchdog_start(void **state)
{
    (void)state;
    (void)alarm(WATCHDOG_S);
    return 0;
}

EXO_INLINE int watchdog_stop(void **state)
{
    (void)state;
    (void)alarm(0);
    return 0;
}

#define CLAIM(function)                                                                              \
    {                                                                                                \
        #function, function, watchdog_start, watchdog_stop, NULL                                     \
    }

EXO_INLINE exo_u64 in_ms(exo_u64 milliseconds)
{
    return exo_port_now_ns() + milliseconds * MILLISECOND_NS;
}

EXO_INLINE exo_u64 in_seconds(exo_u64 seconds)
{
    return exo_port_now_ns() + seconds * SECOND_NS;
}

/* A random number below `limit`; the same sequence in each run. */
EXO_INLINE exo_u32 random_below(exo_u64 *seed, exo_u32 limit)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (exo_u32)((*seed >> 33) % limit);
}

/* Open descriptors of this process. */
EXO_INLINE int count_descriptors(void)
{
    int count = -1; /* the folder's own */
    const struct dirent *entry;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

/* One line of /proc/self/maps. */
struct mapping {
    exo_uptr begin;
    exo_uptr end;
    char rights[5];
    char name[128];
};

/* Mappings of this process, at most `most`; returns how many there are. */
EXO_INLINE exo_size read_mappings(struct mapping *mappings, exo_size most)
{
    char line[512];
    exo_size count = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    if (file == NULL) {
        return 0;
    }
    while (count < most && fgets(line, sizeof(line), file) != NULL) {
        struct mapping *at = &mappings[count];
        unsigned long begin = 0;
        unsigned long end = 0;
        at->name[0] = 0;
        count += sscanf(line, "%lx-%lx %4s %*s %*s %*s %127[^\n]", &begin, &end, at->rights, at->name) >= 3;
        at->begin = begin;
        at->end = end;
    }
    (void)fclose(file);
    return count;
}

/* Mappings of segments in this process. */
EXO_INLINE int count_segments(void)
{
    char line[512];
    int count = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        count += strstr(line, "/memfd:exo_ipc") != NULL;
    }
    (void)fclose(file);
    return count;
}

/* Descriptors and mappings, to be the same after as before. */
struct held {
    int descriptors;
    int segments;
};

EXO_INLINE struct held count_held(void)
{
    struct held held = {count_descriptors(), count_segments()};
    return held;
}

#define assert_held(before)                                                                          \
    do {                                                                                             \
        struct held now_held = count_held();                                                         \
        assert_int_equal(now_held.descriptors, (before).descriptors);                                \
        assert_int_equal(now_held.segments, (before).segments);                                      \
    } while (0)

/* Zeroed memory that children share with their parent. */
EXO_INLINE void *shared_page(exo_size bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

/* A child that dies with its parent, and of its own watchdog. */
EXO_INLINE pid_t start_child(void (*body)(void *), void *argument)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(WATCHDOG_S);
        body(argument);
        _exit(0);
    }
    return child;
}

/* The status with which a child ended, negative for the signal that killed it. */
EXO_INLINE int join_child(pid_t child)
{
    int status = 0;
    pid_t joined;
    do {
        joined = waitpid(child, &status, 0);
    } while (joined < 0 && errno == EINTR);
    assert_int_equal(joined, child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Whether the kernel has a thread asleep, by /proc/ID/stat: "ID (name) S ..." */
EXO_INLINE exo_bool is_asleep(pid_t id)
{
    char path[64];
    char line[512];
    const char *behind;
    FILE *file;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)id);
    file = fopen(path, "r");
    if (file == NULL) {
        return EXO_FALSE;
    }
    behind = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
    (void)fclose(file);
    return behind != NULL && behind[1] == ' ' && behind[2] == 'S';
}

EXO_INLINE void sleep_us(exo_u32 microseconds)
{
    struct timespec span = {microseconds / 1000000u, (long)(microseconds % 1000000u) * 1000};
    (void)nanosleep(&span, NULL);
}

/* A pair of sockets whose other side becomes a child's; the parent's half of it is closed. */
struct meeting {
    int sockets[2];
    void (*body)(struct meeting *meeting);
    const struct exo_ring_config *config; /* the child's */
    struct exo_end end;                   /* of whoever looks: parent and child have each their own copy */
    void *argument;
};

EXO_INLINE void meeting_child_pvt(void *argument)
{
    struct meeting *meeting = (struct meeting *)argument;
    (void)close(meeting->sockets[0]);
    meeting->body(meeting);
}

EXO_INLINE pid_t meet(struct meeting *meeting)
{
    pid_t child;
    assert_int_equal(exo_pair(meeting->sockets), EXO_OK);
    child = start_child(meeting_child_pvt, meeting);
    (void)close(meeting->sockets[1]);
    return child;
}

/* In the child: open its end, or end. */
EXO_INLINE void child_opens(struct meeting *meeting)
{
    exo_status status = exo_open(&meeting->end, meeting->sockets[1], meeting->config, in_seconds(20));
    CHECK(status == EXO_OK);
}

/* In the parent: open the other one. */
EXO_INLINE exo_status parent_opens(struct meeting *meeting, const struct exo_ring_config *config)
{
    return exo_open(&meeting->end, meeting->sockets[0], config, in_seconds(20));
}

#endif
