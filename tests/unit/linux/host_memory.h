/* SPDX-License-Identifier: MIT */
/*
 * What the tests of shared memory and of the nucleus ask of the system below them; tests/baremetal/hosted has the same for the
 * kernel there. Here it is Linux: a frame is a memfd, so what becomes of frames can be counted by descriptors.
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exo_ipc/exo_ipc.h"

/* Frames that are out, counted from anywhere: descriptors of this process. */
EXO_INLINE exo_u32 frames_out(void)
{
    DIR *folder = opendir("/proc/self/fd");
    exo_u32 count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* Whether an access kills who makes it; asked of a child. */
EXO_INLINE exo_bool access_kills(void *at, exo_bool store)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        if (store) {
            __atomic_store_n((exo_u8 *)at, (exo_u8)1, __ATOMIC_RELAXED);
        } else {
            (void)__atomic_load_n((exo_u8 *)at, __ATOMIC_RELAXED);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
    return WIFSIGNALED(status);
}

/* A place for so many bytes that is free, somewhere. */
EXO_INLINE exo_uptr free_place(exo_size bytes)
{
    void *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(munmap(at, bytes), 0);
    return (exo_uptr)at;
}

/* A page that the library knows nothing of. */
EXO_INLINE exo_u8 *foreign_page(void)
{
    void *at = mmap(NULL, EXO_PORT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return (exo_u8 *)at;
}

EXO_INLINE void foreign_page_end(exo_u8 *page)
{
    assert_int_equal(munmap(page, EXO_PORT_PAGE_BYTES), 0);
}

/* What is answered to who asks for a shared page of a size that the machine does not have. Asked by a child: where the port
 * does not refuse, Linux ends the child, and not others. */
EXO_INLINE int ask_for_too_much(exo_size bytes)
{
    struct exo_shared_page page;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (file < 0 || write(file, "1000", 4) != 4) {
            _exit(1);
        }
        _exit(-(int)exo_alloc_shared_page(&page, bytes, 0));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

/* What is answered when there is no frame: no descriptor is left. */
EXO_INLINE exo_status ask_without_frames(struct exo_shared_page *page)
{
    struct rlimit old;
    struct rlimit few;
    exo_status status;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    status = exo_alloc_shared_page(page, EXO_PORT_PAGE_BYTES, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    return status;
}

/* Where the processes of a nucleus live that are threads of the test: in its own address space. */
EXO_INLINE struct exo_port_space *processes_space(void)
{
    return (struct exo_port_space *)NULL;
}

#endif
