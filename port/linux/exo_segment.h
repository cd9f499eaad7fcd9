/* SPDX-License-Identifier: MIT */
/*
 * Segments of shared memory between processes: a memfd that its maker maps writable, commits, and then seals
 * against shrinking, growing and any further writable mapping; whoever gets the descriptor can only read.
 *
 * The receiver of a descriptor believes nothing: it must be a memfd, carry the seals, have its memory
 * committed, and agree with its own header, before the ring in it is used. A sealed file cannot be
 * truncated or punched under a reader, so reading it never raises SIGBUS.
 *
 * Mappings are not inherited by fork: exactly one process uses an end.
 */
#ifndef EXO_PORT_LINUX_SEGMENT_H
#define EXO_PORT_LINUX_SEGMENT_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "exo_ipc/exo_ipc.h"
#include "exo_life.h"

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif

/* A mapped segment, with private memory right behind it on the maker's side. */
struct exo_segment {
    exo_u8 *memory;
    exo_size bytes;
    exo_u8 *private_memory;
    exo_size private_bytes;
    int descriptor; /* -1 once it is closed */
    exo_u32 life;   /* bytes from the life word to the segment's end; 0: none */
};

EXO_INLINE void exo_segment_clear(struct exo_segment *segment)
{
    segment->memory = NULL;
    segment->bytes = 0;
    segment->private_memory = NULL;
    segment->private_bytes = 0;
    segment->descriptor = -1;
    segment->life = 0;
}

EXO_INLINE exo_size exo_page_bytes(void)
{
    return (exo_size)sysconf(_SC_PAGESIZE);
}

EXO_INLINE exo_status exo_segment_error_pvt(int error)
{
    switch (error) {
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
        return EXO_NO_MEMORY;
    case EMFILE:
    case ENFILE:
        return EXO_QUOTA_EXCEEDED;
    case EACCES:
    case EPERM:
        return EXO_PERMISSION_DENIED;
    case EFBIG:
        return EXO_INVALID_SIZE;
    default:
        return EXO_SYSTEM_ERROR;
    }
}

/* A memfd of that size with all its memory committed. */
EXO_INLINE exo_status exo_segment_file_pvt(const char *label, exo_size bytes, int *descriptor)
{
    exo_status status;
    int made;
    if (!exo_port_affordable_pvt(bytes)) {
        return EXO_NO_MEMORY;
    }
    made = (int)syscall(SYS_memfd_create, label, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (made < 0 && errno == EINVAL) {
        made = (int)syscall(SYS_memfd_create, label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    if (made < 0) {
        return exo_segment_error_pvt(errno);
    }
    if (ftruncate(made, (off_t)bytes) == 0 && fallocate(made, 0, 0, (off_t)bytes) == 0) {
        *descriptor = made;
        return EXO_OK;
    }
    status = exo_segment_error_pvt(errno);
    (void)close(made);
    return status;
}

/**
 * exo_segment_destroy - unmap a segment and close its descriptor. Harmless on a cleared one.
 */
EXO_INLINE void exo_segment_destroy(struct exo_segment *segment)
{
    int saved = errno;
    exo_size page = exo_page_bytes();
    if (segment->memory != NULL) {
        exo_u8 *boundary = segment->memory + segment->bytes;
        if (segment->private_memory == NULL || exo_life_end(boundary, segment->life)) {
            (void)munmap(segment->memory, segment->bytes + segment->private_bytes);
        } else {
            /* The page on either side of the boundary stays, for the thread that holds the life word. */
            (void)munmap(segment->memory, segment->bytes - page);
            (void)munmap(boundary + page, segment->private_bytes - page);
        }
    }
    if (segment->descriptor >= 0) {
        (void)close(segment->descriptor);
    }
    exo_segment_clear(segment);
    errno = saved;
}

/**
 * exo_segment_create - make a segment, mapped writable here, with private memory behind it.
 * @segment: written on success only
 * @label: shown in /proc, for people
 * @bytes: bytes that must fit; rounded up to pages, with room for a life word
 * @private_bytes: private memory wanted behind, zeroed; at private_memory + EXO_LIFE_PRIVATE_BYTES
 *
 * All memory is committed: shortage is an error here and never a signal later.
 * Returns: EXO_OK; EXO_NO_MEMORY; EXO_QUOTA_EXCEEDED when no descriptor is left; EXO_INVALID_SIZE;
 * EXO_SYSTEM_ERROR. Context: may sleep.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_segment_create(struct exo_segment *segment, const char *label,
                                                      exo_size bytes, exo_size private_bytes)
{
    struct exo_segment made;
    exo_size page = exo_page_bytes();
    void *at;
    void *over;
    exo_status status;
    if (bytes > EXO_SIZE_MAX / 4 || private_bytes > EXO_SIZE_MAX / 4) {
        return EXO_INVALID_SIZE;
    }
    exo_segment_clear(&made);
    made.bytes = (exo_size)exo_align_up(bytes + EXO_LIFE_RESERVED_BYTES, page);
    made.private_bytes = (exo_size)exo_align_up(private_bytes + EXO_LIFE_PRIVATE_BYTES, page);
    status = exo_segment_file_pvt(label, made.bytes, &made.descriptor);
    if (status != EXO_OK) {
        return status;
    }
    at = mmap(NULL, made.bytes + made.private_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
              -1, 0);
    over = at == MAP_FAILED ? MAP_FAILED
                            : mmap(at, made.bytes, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_FIXED | MAP_POPULATE, made.descriptor, 0);
    if (over == MAP_FAILED) {
        status = exo_segment_error_pvt(errno);
        if (at != MAP_FAILED) {
            (void)munmap(at, made.bytes + made.private_bytes);
        }
        (void)close(made.descriptor);
        return status;
    }
    made.memory = (exo_u8 *)at;
    made.private_memory = made.memory + made.bytes;
    (void)madvise(at, made.bytes + made.private_bytes, MADV_DONTFORK);
    *segment = made;
    return EXO_OK;
}

/**
 * exo_segment_seal - forbid every change but those through the mapping that exists.
 *
 * Returns: EXO_OK; EXO_NOT_SUPPORTED where the kernel has no such seals (before Linux 5.1).
 */
EXO_INLINE EXO_MUST_USE exo_status exo_segment_seal(const struct exo_segment *segment)
{
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    return fcntl(segment->descriptor, F_ADD_SEALS, seals) == 0 ? EXO_OK : EXO_NOT_SUPPORTED;
}

/**
 * exo_segment_attach - check a descriptor that came from somebody else, and map it for reading.
 * @segment: written on success only; owns the descriptor then
 * @descriptor: a memfd as exo_segment_seal() leaves it
 * @bytes_min: bytes that must be there at least
 *
 * Returns: EXO_OK; EXO_INVALID_ARGUMENT if it is no descriptor; EXO_TYPE_MISMATCH if it is no memfd;
 * EXO_PERMISSION_DENIED if a seal is missing, so that somebody could change it under us; EXO_INVALID_SIZE if it
 * is too small or not whole pages; EXO_NO_MEMORY if its memory is not committed, or cannot be mapped.
 */
EXO_INLINE EXO_MUST_USE exo_status exo_segment_attach(struct exo_segment *segment, int descriptor,
                                                      exo_size bytes_min)
{
    int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
    int seals = fcntl(descriptor, F_GET_SEALS);
    struct stat about;
    void *at;
    if (seals < 0) {
        return errno == EBADF ? EXO_INVALID_ARGUMENT : EXO_TYPE_MISMATCH;
    }
    if ((seals & needed) != needed) {
        return EXO_PERMISSION_DENIED;
    }
    if (fstat(descriptor, &about) != 0 || about.st_size <= 0 || (exo_u64)about.st_size < bytes_min ||
        (exo_u64)about.st_size > EXO_SIZE_MAX / 4 ||
        ((exo_u64)about.st_size & (exo_page_bytes() - 1)) != 0) {
        return EXO_INVALID_SIZE;
    }
    if ((exo_u64)about.st_blocks * 512 < (exo_u64)about.st_size) {
        return EXO_NO_MEMORY;
    }
    at = mmap(NULL, (exo_size)about.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (at == MAP_FAILED) {
        return exo_segment_error_pvt(errno);
    }
    (void)madvise(at, (exo_size)about.st_size, MADV_DONTFORK);
    exo_segment_clear(segment);
    segment->memory = (exo_u8 *)at;
    segment->bytes = (exo_size)about.st_size;
    segment->descriptor = descriptor;
    return EXO_OK;
}

#endif
