/* SPDX-License-Identifier: MIT */
/*
 * Port to Linux user space: futex, membarrier, the monotonic clock, anonymous pages, pidfd.
 *
 * Sleeping is futex(FUTEX_WAIT), on process-private keys where both ends are threads, else on shared keys,
 * which work between mappings at different addresses, read-only ones included. While a peer process is watched, the sleeper waits on two
 * words at once with futex_waitv: the event word, and the peer's life word, which the kernel itself
 * changes when the peer's thread dies (robust futex; port/linux/exo_life.h prepares it). The life word is
 * only a hint: a thread may end while its process lives, so death is believed when the pidfd or the
 * socket confirms it. Where futex_waitv is missing (before Linux 5.16), or the life word is spent, the
 * sleep is cut into slices of 50 ms and the pidfd asked after each; so it is for a hostile peer, whose life
 * word may be any word.
 *
 * Who waits for many words sleeps on all of them, and on their peers' life words, by one futex_waitv, which takes 128.
 * More than that, or a kernel without it, cost a look each millisecond.
 *
 * Fences are asymmetric through membarrier: GLOBAL_EXPEDITED reaches every process that registered.
 *
 * Nothing here starts a thread, keeps a global, or leaves errno changed.
 */
#ifndef EXO_PORT_LINUX_H
#define EXO_PORT_LINUX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Strict C modes (-std=c11 without _GNU_SOURCE) hide what the kernel and libc offer all the same. */
#ifndef MAP_ANONYMOUS
#include <asm/mman.h>
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC __O_CLOEXEC
#endif
#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC 1
#endif
#ifndef __cplusplus
extern long syscall(long number, ...);
extern int clock_gettime(int clock, struct timespec *now);
#endif

#if __has_include("exo_ipc/base/atomic.h")
#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/map_flags.h"
#include "exo_ipc/base/status.h"
#include "exo_ipc/base/wait_word.h"
#else
#include "../../include/exo_ipc/base/atomic.h"
#include "../../include/exo_ipc/base/cpu.h"
#include "../../include/exo_ipc/base/map_flags.h"
#include "../../include/exo_ipc/base/status.h"
#include "../../include/exo_ipc/base/wait_word.h"
#endif

/* How long a sleep lasts at most where the kernel cannot report the peer's death by itself. */
#define EXO_PORT_SLICE_NS 50000000ull

/* How long a peer whose thread has ended is waited for to be dead altogether, once. */
#define EXO_PORT_DYING_MS 50

/* How often at most somebody who polls asks the kernel where the life word is spent, or there is none. */
#define EXO_PORT_ASK_NS 100000u

/* And where the peer's word alone says that it lives. */
#define EXO_PORT_DOUBT_NS 10000000u

/* How long a sleeper first trusts that a heavy fence reached the threads of other processes. */
#define EXO_PORT_FENCE_DOUBT_NS 1000000u

/* A bell of Linux: an eventfd of this process's own, or the socket to another one. */
#define EXO_PORT_HAS_BELL 1
struct exo_port_bell {
    int descriptor;
    exo_bool letter; /* it is a socket: a ring is a datagram */
};

/* What is said over the socket of two ends once their handshake is over (exo_letter.h). */
#define EXO_LETTER_MAGIC 0x72657474656C7865ull /* "exletter" */
#define EXO_LETTER_RING 5u

/* MSG_DONTWAIT | MSG_NOSIGNAL, without the names of <sys/socket.h> in every program. */
#define EXO_PORT_SEND_QUIETLY 0x4040ul

/* A process at the other end. Descriptors are -1 where there is none. */
struct exo_port_peer {
    const exo_u32 *life; /* the peer's life word, mapped read-only; null where there is none */
    exo_u32 life_alive;  /* its value while the peer's thread lives */
    exo_u64 asked_ns;    /* when the kernel was asked last, where the life word does not tell */
    int pidfd;
    int socket;
    exo_bool dead;       /* confirmed; final */
    exo_bool life_spent; /* the life word has changed, and death was waited for once */
    exo_bool unsure;     /* hostile: what it calls its life word may be any word, and never change */
};

EXO_INLINE long exo_port_syscall_pvt(long number, const void *a, long b, long c, const void *d,
                                     const void *e, long f)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result < 0) {
        result = -(long)errno;
        errno = saved;
    }
    return result;
}

EXO_HOT void exo_port_copy(void *to, const void *from, exo_size bytes)
{
    memcpy(to, from, bytes);
}

EXO_INLINE long exo_port_membarrier_pvt(long command)
{
    return exo_port_syscall_pvt(SYS_membarrier, (const void *)(exo_uptr)command, 0, 0, NULL, NULL, 0);
}

EXO_INLINE exo_bool exo_port_fence_setup(void)
{
    const long both = MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    long result = exo_port_membarrier_pvt(MEMBARRIER_CMD_QUERY);
    return result >= 0 && (result & both) == both &&
           exo_port_membarrier_pvt(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0 &&
           exo_port_membarrier_pvt(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

/* The private fence asks each CPU which process it runs. The global one trusts what the CPU noted when it last
 * changed processes, and was seen to miss threads of one that registered since (Linux 6.18): hence the first for
 * our own threads in any case, and EXO_PORT_FENCE_DOUBT_NS for those of others. */
EXO_INLINE void exo_port_fence_heavy(exo_bool shared)
{
    (void)exo_port_membarrier_pvt(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    if (shared) {
        (void)exo_port_membarrier_pvt(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    }
}

EXO_INLINE exo_u64 exo_port_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (exo_u64)now.tv_sec * 1000000000ull + (exo_u64)now.tv_nsec;
}

EXO_INLINE exo_u32 exo_port_self(void)
{
    return (exo_u32)syscall(SYS_gettid) & 0xFFFFFFu;
}

/* When a process was born, from its /proc/N/stat: 24 bits of it, never 0; 0 if that cannot be read. */
EXO_INLINE exo_u64 exo_port_birth_pvt(exo_u32 number)
{
    char text[512] = "/proc/";
    char digits[12];
    exo_u64 birth = 0;
    int field = 2; /* the name ends field 2; the birth is field 22 */
    int saved = errno;
    int at = 6;
    int n = 0;
    int file;
    long got;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (n != 0) {
        text[at++] = digits[--n];
    }
    memcpy(text + at, "/stat", 6);
    file = open(text, O_RDONLY | O_CLOEXEC);
    got = file < 0 ? 0 : (long)read(file, text, sizeof(text));
    if (file >= 0) {
        (void)close(file);
    }
    errno = saved;
    for (at = (int)got - 1; at > 0 && text[at] != ')'; at--) {
    }
    for (; at > 0 && at < got && field < 22; at++) {
        field += text[at] == ' ';
    }
    for (; at > 0 && at < got && text[at] >= '0' && text[at] <= '9'; at++) {
        birth = birth * 10 + (exo_u64)(text[at] - '0');
    }
    return birth == 0 || (birth & 0xFFFFFFu) != 0 ? birth & 0xFFFFFFu : 1;
}

EXO_INLINE exo_u64 exo_port_process(void)
{
    exo_u32 number = (exo_u32)getpid() & 0xFFFFFFu;
    return exo_port_birth_pvt(number) << 24 | number;
}

/* A pidfd is readable when the whole process has ended, reaped or not. */
EXO_INLINE exo_bool exo_port_process_alive(exo_u64 process)
{
    exo_u32 number = (exo_u32)process & 0xFFFFFFu;
    exo_u64 birth = process >> 24 & 0xFFFFFFu;
    exo_u64 now;
    int saved = errno;
    struct pollfd fact = {-1, POLLIN, 0};
    int ended;
    fact.fd = (int)exo_port_syscall_pvt(SYS_pidfd_open, (const void *)(exo_uptr)number, 0, 0, NULL, NULL, 0);
    if (fact.fd < 0) {
        return fact.fd != -ESRCH;
    }
    ended = poll(&fact, 1, 0) > 0;
    (void)close(fact.fd);
    errno = saved;
    now = ended || birth == 0 ? 0 : exo_port_birth_pvt(number);
    return !ended && (now == 0 || birth == 0 || now == birth);
}

/* Whether the kernel says that the peer is gone, now or within some milliseconds. */
EXO_COLD exo_bool exo_port_confirm_death_pvt(struct exo_port_peer *peer, int milliseconds)
{
    struct pollfd facts[2] = {{peer->pidfd, POLLIN, 0}, {peer->socket, 0, 0}};
    int saved = errno;
    /* Negative descriptors are skipped; a hang-up is reported unasked. */
    if (poll(facts, 2, milliseconds) > 0 && (facts[0].revents != 0 || facts[1].revents != 0)) {
        peer->dead = EXO_TRUE;
    }
    errno = saved;
    return peer->dead;
}

/* Whether the life word is as it was when the peer made it. */
EXO_INLINE exo_bool exo_port_life_ok_pvt(const struct exo_port_peer *peer)
{
    /* relaxed: a hint; a system call decides */
    return peer->life != NULL && exo_load32(peer->life, EXO_RELAXED) == peer->life_alive;
}

EXO_INLINE exo_bool exo_port_peer_alive(struct exo_port_peer *peer)
{
    exo_bool life_ok;
    exo_u64 now;
    if (peer == NULL) {
        return EXO_TRUE;
    }
    if (peer->dead) {
        return EXO_FALSE;
    }
    life_ok = exo_port_life_ok_pvt(peer);
    if (life_ok && !peer->unsure) {
        return EXO_TRUE;
    }
    now = exo_port_now_ns();
    if (now - peer->asked_ns < (life_ok ? EXO_PORT_DOUBT_NS : EXO_PORT_ASK_NS)) {
        return EXO_TRUE;
    }
    peer->asked_ns = now;
    return !exo_port_confirm_death_pvt(peer, 0);
}

/* A timespec of either kernel flavour: 64-bit fields, as futex_waitv wants them everywhere. */
struct exo_port_time64 {
    exo_word64 seconds;
    exo_word64 nanoseconds;
};

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#ifndef FUTEX_32
#define FUTEX_32 2
#endif

/* struct futex_waitv of <linux/futex.h>, which older headers lack. */
struct exo_port_waitv {
    exo_word64 value;
    exo_word64 address;
    exo_u32 flags;
    exo_u32 reserved;
};

/* On 32-bit machines the plain call takes a time that ends in 2038. */
#ifdef SYS_futex_time64
#define EXO_PORT_SYS_FUTEX SYS_futex_time64
#else
#define EXO_PORT_SYS_FUTEX SYS_futex
#endif

EXO_INLINE long exo_port_futex_wait_pvt(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                                        exo_bool shared)
{
    struct exo_port_time64 until = {deadline_ns / 1000000000u, deadline_ns % 1000000000u};
    return exo_port_syscall_pvt(EXO_PORT_SYS_FUTEX, word,
                                FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG), (long)expected,
                                deadline_ns == EXO_FOREVER ? NULL : &until, NULL,
                                (long)FUTEX_BITSET_MATCH_ANY);
}

/* Returns a negative error where the kernel has no futex_waitv. */
EXO_INLINE long exo_port_futex_wait_two_pvt(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                                            const struct exo_port_peer *peer)
{
    struct exo_port_time64 until = {deadline_ns / 1000000000u, deadline_ns % 1000000000u};
    struct exo_port_waitv both[2] = {
        {expected, (exo_u64)(exo_uptr)word, FUTEX_32, 0},
        {peer->life_alive, (exo_u64)(exo_uptr)peer->life, FUTEX_32, 0},
    };
    return exo_port_syscall_pvt(SYS_futex_waitv, both, 2, 0,
                                deadline_ns == EXO_FOREVER ? NULL : &until,
                                (const void *)(exo_uptr)CLOCK_MONOTONIC, 0);
}

/* The whole milliseconds until a deadline, `most` at most. */
EXO_INLINE int exo_port_until_ms_pvt(exo_u64 deadline_ns, exo_u32 most)
{
    exo_u64 now = exo_port_now_ns();
    exo_u64 left = deadline_ns > now ? (deadline_ns - now) / 1000000u : 0;
    return (int)(left < most ? left : most);
}

EXO_INLINE void exo_port_wait(const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                              exo_bool shared, struct exo_port_peer *peer)
{
    if (peer == NULL) {
        (void)exo_port_futex_wait_pvt(word, expected, deadline_ns, shared);
        return;
    }
    if (exo_port_life_ok_pvt(peer)) {
        exo_u64 slice = peer->unsure ? exo_port_now_ns() + EXO_PORT_SLICE_NS : EXO_FOREVER;
        long result =
            exo_port_futex_wait_two_pvt(word, expected, slice < deadline_ns ? slice : deadline_ns, peer);
        if (result != -ENOSYS && result != -EPERM) {
            return;
        }
    } else if (peer->life != NULL && !peer->life_spent) {
        /* The kernel marks the word early in a thread's exit, and the process as dead a little later. */
        peer->life_spent = EXO_TRUE;
        (void)exo_port_confirm_death_pvt(peer, exo_port_until_ms_pvt(deadline_ns, EXO_PORT_DYING_MS));
        return;
    }
    if (!exo_port_confirm_death_pvt(peer, 0)) {
        exo_u64 slice = exo_port_now_ns() + EXO_PORT_SLICE_NS;
        (void)exo_port_futex_wait_pvt(word, expected, slice < deadline_ns ? slice : deadline_ns, shared);
    }
}

EXO_INLINE void exo_port_wake(exo_u32 *word, exo_u32 count, exo_bool shared)
{
    if (count == 0) {
        return; /* the system call would wake one all the same */
    }
    long limit = count > 0x7FFFFFFFu ? 0x7FFFFFFF : (long)count;
    (void)exo_port_syscall_pvt(SYS_futex, word,
                               FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), limit, NULL, NULL, 0);
}

/* A socket that has no room is readable at its other side already, and so is an eventfd that is full. Nothing here
 * depends on flags that the peer could change. */
EXO_INLINE void exo_port_ring_bell(struct exo_port_bell *bell)
{
    const exo_word64 letter[3] = {EXO_LETTER_MAGIC, EXO_LETTER_RING, 0};
    const exo_word64 one = 1;
    const void *descriptor = (const void *)(exo_uptr)bell->descriptor;
    if (bell->letter) {
        (void)exo_port_syscall_pvt(SYS_sendto, descriptor, (long)(exo_uptr)letter, sizeof(letter),
                                   (const void *)EXO_PORT_SEND_QUIETLY, NULL, 0);
    } else {
        (void)exo_port_syscall_pvt(SYS_write, descriptor, (long)(exo_uptr)&one, sizeof(one), NULL, NULL, 0);
    }
}

EXO_INLINE void *exo_port_page_alloc(exo_size bytes)
{
    int saved = errno;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                        -1, 0);
    errno = saved;
    return memory == MAP_FAILED ? NULL : memory;
}

EXO_INLINE void exo_port_page_free(void *memory, exo_size bytes)
{
    int saved = errno;
    (void)munmap(memory, bytes);
    errno = saved;
}

#include "exo_port_many.h"
#include "exo_port_pages.h"

#endif
