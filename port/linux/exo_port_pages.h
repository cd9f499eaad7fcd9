/* SPDX-License-Identifier: MIT */
/*
 * A part of exo_port.h, which includes it: frames, mappings, the memory of clients, and a lock.
 *
 * A frame is a memfd, sealed against any change of size and of seals, all its memory committed. A physical address is its
 * descriptor and an offset in it: (descriptor + 1) << 40 | offset. Mapping is mmap of that. Only its owner (the user that runs
 * this process, and root) may open the file again by /proc, so for everybody else a descriptor that was opened for reading
 * stays one. Clients of the same user could as well attach a debugger to this process: they are not kept apart by this.
 *
 * An address space is this process (null), or a client of the daemon: what it has said lies in `in`, what is to be answered
 * goes to `out`, and its addresses are offsets there. It maps by itself, so to map for it is to find the descriptor to
 * hand over: one that was opened for reading, unless it may write.
 */
#ifndef EXO_PORT_LINUX_PAGES_H
#define EXO_PORT_LINUX_PAGES_H

#include <sys/stat.h>

#include "exo_port.h"

#define EXO_PORT_HAS_PAGES 1
#define EXO_PORT_HAS_LOCK 1

#define EXO_PORT_FRAME_SHIFT 40

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED
#define MAP_SHARED 1
#endif

/* Names of the kernel that <fcntl.h> and <sys/mman.h> hide in strict modes. */
#define EXO_PORT_MEMFD_FLAGS 3u  /* MFD_CLOEXEC | MFD_ALLOW_SEALING */
#define EXO_PORT_MEMFD_NOEXEC 8u /* MFD_NOEXEC_SEAL: it is no program; mapping it to execute is another matter */
#define EXO_PORT_ADD_SEALS 1033  /* F_ADD_SEALS */
#define EXO_PORT_SEALS 7         /* F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW */
#ifndef __cplusplus
extern int ftruncate(int file, off_t bytes);
extern int fchmod(int file, mode_t mode);
extern int fallocate(int file, int mode, off_t from, off_t bytes);
#endif

/* From this size on it is asked how much memory there is: below, the answer costs more than it tells. */
#define EXO_PORT_LARGE ((exo_size)64 << 20)

/* A client of the daemon. */
struct exo_port_space {
    const exo_u8 *in;
    exo_size in_bytes;
    exo_u8 *out;
    exo_size out_bytes;
    int descriptor; /* to hand over; -1: none */
};

/* The number behind a name in /proc/meminfo, in KiB; 0 if it is not there. */
EXO_INLINE exo_u64 exo_port_kib_pvt(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    exo_u64 kib = 0;
    for (at = at == NULL ? "" : at + strlen(name); *at == ' '; at++) {
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        kib = kib * 10 + (exo_u64)(*at - '0');
    }
    return kib;
}

/* Whether there is that much memory. The kernel would not refuse to commit a file beyond it, but kill. */
EXO_INLINE exo_bool exo_port_affordable_pvt(exo_size bytes)
{
    char text[512];
    ssize_t got;
    int file;
    if (bytes < EXO_PORT_LARGE) {
        return EXO_TRUE;
    }
    file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return EXO_TRUE;
    }
    got = read(file, text, sizeof(text) - 1);
    (void)close(file);
    text[got < 0 ? 0 : got] = 0;
    return strstr(text, "MemAvailable:") == NULL ||
           bytes / 1024 < exo_port_kib_pvt(text, "MemAvailable:") + exo_port_kib_pvt(text, "SwapFree:");
}

EXO_INLINE exo_u64 exo_port_frame_alloc(exo_size bytes)
{
    int saved = errno;
    exo_u64 phys = EXO_NO_FRAME;
    long made;
    if (bytes == 0 || (exo_u64)bytes >> EXO_PORT_FRAME_SHIFT != 0 || !exo_port_affordable_pvt(bytes)) {
        return EXO_NO_FRAME;
    }
    made = syscall(SYS_memfd_create, "exo-region", (long)(EXO_PORT_MEMFD_FLAGS | EXO_PORT_MEMFD_NOEXEC));
    if (made < 0) { /* before Linux 6.3 */
        made = syscall(SYS_memfd_create, "exo-region", (long)EXO_PORT_MEMFD_FLAGS);
    }
    if (made >= 0) {
        if (fchmod((int)made, 0600) == 0 && ftruncate((int)made, (off_t)bytes) == 0 &&
            fallocate((int)made, 0, 0, (off_t)bytes) == 0 &&
            fcntl((int)made, EXO_PORT_ADD_SEALS, EXO_PORT_SEALS) == 0) {
            phys = ((exo_u64)made + 1) << EXO_PORT_FRAME_SHIFT;
        } else {
            (void)close((int)made);
        }
    }
    errno = saved;
    return phys;
}

EXO_INLINE int exo_port_frame_descriptor_pvt(exo_u64 phys)
{
    return (int)(phys >> EXO_PORT_FRAME_SHIFT) - 1;
}

EXO_INLINE void exo_port_frame_free(exo_u64 phys, exo_size bytes)
{
    int saved = errno;
    (void)bytes;
    (void)close(exo_port_frame_descriptor_pvt(phys));
    errno = saved;
}

/* A new descriptor of a frame, for reading only unless it says otherwise. */
EXO_INLINE int exo_port_frame_open_pvt(exo_u64 phys, exo_bool writable)
{
    char path[40] = "/proc/self/fd/";
    char digits[12];
    int number = exo_port_frame_descriptor_pvt(phys);
    int at = 14;
    int n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (n != 0) {
        path[at++] = digits[--n];
    }
    path[at] = 0;
    return open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
}

EXO_INLINE int exo_port_protection_pvt(exo_u32 flags)
{
    return ((flags & EXO_MAP_READ) != 0 ? PROT_READ : 0) | ((flags & EXO_MAP_WRITE) != 0 ? PROT_WRITE : 0) |
           ((flags & EXO_MAP_EXEC) != 0 ? PROT_EXEC : 0);
}

EXO_INLINE exo_status exo_port_map(struct exo_port_space *space, exo_u64 phys, exo_size bytes, exo_uptr *virt,
                                   exo_u32 flags)
{
    const exo_u64 within = ((exo_u64)1 << EXO_PORT_FRAME_SHIFT) - 1;
    int saved = errno;
    int error = 0;
    void *at;
    if (space != NULL) {
        space->descriptor = exo_port_frame_open_pvt(phys, (flags & EXO_MAP_WRITE) != 0);
        error = errno;
        errno = saved;
        return space->descriptor >= 0 ? EXO_OK : error == EMFILE || error == ENFILE ? EXO_NO_MEMORY : EXO_SYSTEM_ERROR;
    }
    at = mmap((void *)*virt, bytes, exo_port_protection_pvt(flags),
              MAP_SHARED | (*virt != 0 ? MAP_FIXED_NOREPLACE : 0), exo_port_frame_descriptor_pvt(phys),
              (off_t)(phys & within));
    error = errno;
    errno = saved;
    if (at == MAP_FAILED) {
        return error == EEXIST ? EXO_ALREADY_EXISTS : error == ENOMEM ? EXO_NO_MEMORY : EXO_INVALID_ARGUMENT;
    }
    if (*virt != 0 && (exo_uptr)at != *virt) { /* before Linux 4.17 */
        (void)munmap(at, bytes);
        errno = saved;
        return EXO_ALREADY_EXISTS;
    }
    *virt = (exo_uptr)at;
    return EXO_OK;
}

EXO_INLINE exo_status exo_port_unmap(struct exo_port_space *space, exo_uptr virt, exo_size bytes)
{
    int saved = errno;
    exo_status status = EXO_OK;
    if (space == NULL && munmap((void *)virt, bytes) != 0) {
        status = EXO_INVALID_ARGUMENT;
    }
    errno = saved;
    return status;
}

EXO_INLINE exo_status exo_port_protect(struct exo_port_space *space, exo_uptr virt, exo_size bytes, exo_u32 flags)
{
    int saved = errno;
    exo_status status = EXO_OK;
    if (space == NULL && mprotect((void *)virt, bytes, exo_port_protection_pvt(flags)) != 0) {
        status = errno == ENOMEM ? EXO_NO_MEMORY : EXO_PERMISSION_DENIED;
    }
    errno = saved;
    return status;
}

EXO_INLINE exo_status exo_port_copy_from_user(struct exo_port_space *space, void *to, exo_u64 from, exo_size bytes)
{
    if (bytes == 0) {
        return EXO_OK;
    }
    if (space == NULL) {
        exo_port_copy(to, (const void *)(exo_uptr)from, bytes);
        return EXO_OK;
    }
    if (from > space->in_bytes || bytes > space->in_bytes - (exo_size)from) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_port_copy(to, space->in + from, bytes);
    return EXO_OK;
}

EXO_INLINE exo_status exo_port_copy_to_user(struct exo_port_space *space, exo_u64 to, const void *from, exo_size bytes)
{
    if (bytes == 0) {
        return EXO_OK;
    }
    if (space == NULL) {
        exo_port_copy((void *)(exo_uptr)to, from, bytes);
        return EXO_OK;
    }
    if (to > space->out_bytes || bytes > space->out_bytes - (exo_size)to) {
        return EXO_INVALID_ARGUMENT;
    }
    exo_port_copy(space->out + to, from, bytes);
    return EXO_OK;
}

/*
 * 0: free, 1: taken, 2: taken, and somebody may sleep. After Ulrich Drepper, "Futexes Are Tricky" (2011), mutex 2.
 */
EXO_INLINE void exo_port_lock(exo_u32 *word)
{
    exo_u32 seen = 0;
    exo_u32 spin;
    for (spin = 0; spin < 100; spin++) {
        seen = 0;
        if (exo_cas32(word, &seen, 1u, EXO_ACQUIRE)) { /* [port:lock] pairs [port:unlock] */
            return;
        }
        exo_cpu_relax();
    }
    for (;;) {
        seen = exo_load32(word, EXO_RELAXED); /* relaxed: the swap decides */
        if (seen == 0) {
            if (exo_cas32(word, &seen, 2u, EXO_ACQUIRE)) { /* [port:lock] pairs [port:unlock] */
                return;
            }
        } else if (seen == 2 || exo_cas32(word, &seen, 2u, EXO_RELAXED)) { /* relaxed: it is not ours yet */
            exo_port_wait(word, 2u, EXO_FOREVER, EXO_FALSE, NULL);
        }
    }
}

EXO_INLINE void exo_port_unlock(exo_u32 *word)
{
    exo_u32 seen = 1;
    /* [port:unlock] pairs [port:lock] */
    if (exo_cas32(word, &seen, 0u, EXO_RELEASE)) {
        return;
    }
    exo_store32(word, 0u, EXO_RELEASE); /* [port:unlock] pairs [port:lock] */
    exo_port_wake(word, 1, EXO_FALSE);
}

#endif
