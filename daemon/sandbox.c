/* SPDX-License-Identifier: MIT */
/*
 * What the daemon may still do once it listens: a list of system calls, by seccomp; any other one kills it. It reads
 * what strangers send, so whoever takes it over by a fault in it shall get no more than sockets, memfds and what it has open: no
 * new program, no file for writing, no memory that can be executed, no process to be traced or signalled. Nor may those
 * of its own user look into it (PR_SET_DUMPABLE).
 */
#include "daemon.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE

/* Without conditions. The comments say for what. */
static const int allowed[] = {
    SYS_epoll_pwait, SYS_epoll_ctl, /* the loop */
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_accept4, SYS_recvmsg, SYS_sendmsg, SYS_getsockopt, SYS_setsockopt, SYS_ioctl, /* clients */
    SYS_ppoll, SYS_pidfd_open,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_socketpair,                                                       /* links */
    SYS_memfd_create, SYS_ftruncate, SYS_fallocate, SYS_fchmod, SYS_fcntl, /* regions */
    SYS_read, SYS_close, SYS_lseek, SYS_newfstatat, SYS_fstat,            /* /proc/meminfo, the socket file */
    SYS_munmap, SYS_brk, SYS_madvise, SYS_futex, SYS_getrandom, SYS_membarrier, /* memory, sleepers */
    SYS_clock_gettime, SYS_getpid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_gettid,
    SYS_unlinkat, SYS_write, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall, /* the end */
#ifdef EXO_IPC_NAMES
    SYS_rt_sigprocmask, /* liburcu, where it registers the thread */
#endif
#ifdef SYS_unlink
    SYS_unlink, SYS_lstat,
#endif
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (exo_u32)offsetof(struct seccomp_data, member))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (exo_u32)(what))
/* Low half of an argument: all flags that matter are there. */
#define LOAD_ARGUMENT(n) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (exo_u32)(offsetof(struct seccomp_data, args) + 8u * (n) + EXO_ARGUMENT_LOW))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EXO_ARGUMENT_LOW 0u
#else
#define EXO_ARGUMENT_LOW 4u
#endif

/* Allow a call unless any of these bits is in an argument. Five instructions. */
#define UNLESS(call, n, bits)                                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (exo_u32)(call), 0, 4), LOAD_ARGUMENT(n),                                          \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (exo_u32)(bits), 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS),                     \
        ANSWER(SECCOMP_RET_ALLOW)

exo_status sandbox_enter(void)
{
    static const struct sock_filter head[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        UNLESS(SYS_mmap, 2, PROT_EXEC),
        UNLESS(SYS_mprotect, 2, PROT_EXEC),
        UNLESS(SYS_openat, 2, O_CREAT | O_TRUNC | O_APPEND | O_WRONLY),
    };
    struct sock_filter filter[COUNT(head) + 2 * COUNT(allowed) + 1];
    struct sock_fprog program;
    exo_size at = COUNT(head);
    exo_size i;
    memcpy(filter, head, sizeof(head));
    for (i = 0; i < COUNT(allowed); i++) {
        const struct sock_filter test = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (exo_u32)allowed[i], 0, 1);
        const struct sock_filter yes = ANSWER(SECCOMP_RET_ALLOW);
        filter[at++] = test;
        filter[at++] = yes;
    }
    {
        const struct sock_filter no = ANSWER(SECCOMP_RET_KILL_PROCESS);
        filter[at++] = no;
    }
    program.len = (unsigned short)at;
    program.filter = filter;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return EXO_SYSTEM_ERROR;
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? EXO_OK : EXO_NOT_SUPPORTED;
}

#else

exo_status sandbox_enter(void)
{
    return EXO_NOT_SUPPORTED;
}

#endif
