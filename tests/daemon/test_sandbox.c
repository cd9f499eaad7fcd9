/* SPDX-License-Identifier: MIT */
/* The list of system calls: what is not on it kills, what the daemon needs is. */
#include "daemon_fixture.h"

#include <sys/ptrace.h>
#include <sys/socket.h>

exo_status sandbox_enter(void);

static void opens_for_writing(void)
{
    (void)open("/tmp/exo_never", O_WRONLY | O_CREAT, 0600);
}

static void runs_a_program(void)
{
    char *none[] = {NULL};
    (void)execve("/bin/true", none, none);
}

static void forks(void)
{
    (void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void makes_memory_executable(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void turns_memory_executable(void)
{
    (void)mprotect((void *)((exo_uptr)&opens_for_writing & ~(exo_uptr)4095), 4096, PROT_READ | PROT_EXEC);
}

static void signals_others(void)
{
    (void)kill(getppid(), SIGKILL);
}

static void traces_others(void)
{
    (void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void goes_online(void)
{
    (void)socket(AF_INET, SOCK_STREAM, 0);
}

static void does_what_the_daemon_does(void)
{
    exo_u64 frame = exo_port_frame_alloc(4096);
    exo_uptr virt = 0;
    struct exo_port_space space = {NULL, 0, NULL, 0, -1};
    int pair[2];
    CHECK(frame != EXO_NO_FRAME);
    CHECK(exo_port_map(&space, frame, 4096, &virt, EXO_MAP_READ) == EXO_OK && space.descriptor >= 0);
    CHECK(exo_port_map(&space, frame, 4096, &virt, EXO_MAP_WRITE) == EXO_OK && space.descriptor >= 0);
    exo_port_frame_free(frame, 4096);
    CHECK(exo_pair(pair) == EXO_OK);
    CHECK(exo_port_page_alloc(1 << 20) != NULL && malloc(1 << 22) != NULL);
    CHECK(open("/tmp", O_RDONLY | O_CLOEXEC) >= 0);
}

struct deed {
    void (*does)(void);
};

static void confined(void *argument)
{
    CHECK(sandbox_enter() == EXO_OK);
    ((const struct deed *)argument)->does();
}

static void what_is_not_on_the_list_kills(void **state)
{
    static void (*const deeds[])(void) = {opens_for_writing,       runs_a_program, forks,         makes_memory_executable,
                                          turns_memory_executable, signals_others, traces_others, goes_online};
    exo_size i;
    (void)state;
    if (SANITIZED) {
        skip(); /* sanitizers make calls of their own */
    }
    for (i = 0; i < COUNT(deeds); i++) {
        struct deed deed = {deeds[i]};
        assert_int_equal(join_child(start_child(confined, &deed)), -SIGSYS);
    }
}

static void what_the_daemon_needs_is_on_the_list(void **state)
{
    struct deed deed = {does_what_the_daemon_does};
    (void)state;
    if (SANITIZED) {
        skip();
    }
    assert_int_equal(join_child(start_child(confined, &deed)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_not_on_the_list_kills),
        CLAIM(what_the_daemon_needs_is_on_the_list),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
