/* SPDX-License-Identifier: MIT */
/*
 * Names of listeners, and how a socket file comes to have one.
 *
 * A socket file outlives a listener that was killed. The next one of that name finds that nobody answers there, and puts
 * its own in place of it:
 *
 *   make   a file of another name in the same folder, with its rights, that already listens
 *   free   the name does not exist: rename, unless it exists by now
 *   dead   lock the folder, ask again whether anybody answers, exchange the two files, and throw away what came out;
 *          if that is not what was asked, exchange them back
 *
 * At every instant there is no file of that name, or a dead one, or one that answers; of several that come at once
 * one wins, and the others get EXO_ALREADY_EXISTS. The lock is the kernel's (flock on the folder), goes with its
 * process, and is needed only where a dead file lies. Whoever is killed between the first and the second step leaves
 * a file .exo-..., which nobody looks at.
 *
 * All here leaves errno changed; its callers put it back.
 */
#ifndef EXO_PORT_LINUX_NAME_H
#define EXO_PORT_LINUX_NAME_H

#include <stddef.h>
#include <sys/file.h>

#include "exo_socket.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u
#endif

/* How long a dead file is waited for that somebody else is about to replace. */
#define EXO_LISTEN_LOCK_MS 1000u

EXO_INLINE exo_status exo_listen_error_pvt(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        return EXO_NOT_FOUND;
    case EADDRINUSE:
    case EEXIST:
        return EXO_ALREADY_EXISTS;
    case EROFS:
        return EXO_PERMISSION_DENIED;
    case EPROTOTYPE:
        return EXO_TYPE_MISMATCH;
    case ENOBUFS:
        return EXO_NO_MEMORY;
    case ENAMETOOLONG:
        return EXO_INVALID_SIZE;
    case ELOOP:
        return EXO_INVALID_ARGUMENT;
    default:
        return exo_segment_error_pvt(error);
    }
}

EXO_INLINE exo_status exo_address_make_pvt(struct sockaddr_un *address, socklen_t *bytes, const char *name)
{
    exo_size length;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (name == NULL || name[0] == 0) {
        return EXO_INVALID_ARGUMENT;
    }
    length = strlen(name);
    if (length >= sizeof(address->sun_path)) {
        return EXO_INVALID_SIZE;
    }
    if (name[length - 1] == '/' || (name[0] == '@' && length == 1)) {
        return EXO_INVALID_ARGUMENT;
    }
    memcpy(address->sun_path, name, length);
    *bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] != '@'));
    if (name[0] == '@') {
        address->sun_path[0] = 0;
    }
    return EXO_OK;
}

/* The length of a path's folder with its slash; 0 for the current one. */
EXO_INLINE exo_size exo_folder_length_pvt(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (exo_size)(slash - path) + 1;
}

/* A name in the same folder that nobody else has. */
EXO_INLINE exo_status exo_address_temporary_pvt(struct sockaddr_un *other, const struct sockaddr_un *address,
                                                exo_u32 attempt)
{
    exo_size folder = exo_folder_length_pvt(address->sun_path);
    exo_size room = sizeof(other->sun_path) - folder;
    exo_u64 number = (exo_u64)getpid() << 32 | ((exo_u32)exo_port_now_ns() + attempt);
    char *at = other->sun_path + folder;
    exo_u32 digit;
    memcpy(other, address, sizeof(*other));
    if (room < sizeof(".exo-") + 16) {
        return EXO_INVALID_SIZE;
    }
    memcpy(at, ".exo-", 5);
    for (at += 5, digit = 0; digit < 16; digit++) {
        *at++ = "0123456789abcdef"[number >> (60 - 4 * digit) & 15u];
    }
    *at = 0;
    return EXO_OK;
}

EXO_INLINE exo_bool exo_same_file_pvt(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

EXO_INLINE exo_status exo_rename_pvt(const char *from, const char *to, exo_u32 flags)
{
    long result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
    if (result == 0) {
        return EXO_OK;
    }
    return errno == EINVAL || errno == ENOSYS ? EXO_NOT_SUPPORTED : exo_listen_error_pvt(errno);
}

/* EXO_NOT_FOUND: the socket file is gone. EXO_PEER_DIED: nobody listens there. EXO_OK: somebody does, or other things
 * stand in the way. */
EXO_INLINE exo_status exo_listen_probe_pvt(const struct sockaddr_un *address, struct stat *file)
{
    exo_status status = EXO_OK;
    int probe;
    if (lstat(address->sun_path, file) != 0) {
        return exo_listen_error_pvt(errno);
    }
    if (!S_ISSOCK(file->st_mode)) {
        return EXO_OK;
    }
    probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return exo_listen_error_pvt(errno);
    }
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        status = errno == ECONNREFUSED ? EXO_PEER_DIED : errno == ENOENT ? EXO_NOT_FOUND : EXO_OK;
    }
    (void)close(probe);
    return status;
}

/* Lock the folder of a path against others who replace a dead file there. The lock goes with the descriptor. */
EXO_INLINE exo_status exo_folder_lock_pvt(const char *path, int *lock)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = ".";
    exo_u64 deadline = exo_port_now_ns() + EXO_LISTEN_LOCK_MS * 1000000ull;
    memcpy(folder, path, exo_folder_length_pvt(path));
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) {
        return exo_listen_error_pvt(errno);
    }
    while (flock(*lock, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || exo_port_now_ns() >= deadline) {
            exo_descriptor_close_pvt(lock);
            return EXO_TIMEOUT;
        }
        (void)poll(NULL, 0, 1);
    }
    return EXO_OK;
}

/* There is a file of that name: put ours in its place if nobody listens there. EXO_NOT_FOUND: it has gone. */
EXO_INLINE exo_status exo_listen_replace_pvt(const struct sockaddr_un *ours, const struct sockaddr_un *address)
{
    struct stat dead;
    struct stat out;
    int lock = -1;
    exo_status status = exo_listen_probe_pvt(address, &dead);
    if (status == EXO_PEER_DIED) {
        status = exo_folder_lock_pvt(address->sun_path, &lock);
        status = status == EXO_OK ? exo_listen_probe_pvt(address, &dead) : status;
    }
    if (status == EXO_PEER_DIED) {
        status = exo_rename_pvt(ours->sun_path, address->sun_path, RENAME_EXCHANGE);
        if (status == EXO_OK && (lstat(ours->sun_path, &out) != 0 || !exo_same_file_pvt(&dead, &out))) {
            status = exo_rename_pvt(ours->sun_path, address->sun_path, RENAME_EXCHANGE);
            status = status == EXO_OK ? EXO_ALREADY_EXISTS : status;
        } else if (status == EXO_OK) {
            (void)unlink(ours->sun_path);
        }
    } else if (status == EXO_OK) {
        status = EXO_ALREADY_EXISTS;
    }
    exo_descriptor_close_pvt(&lock);
    return status;
}

/* Give a file that already listens its name. */
EXO_INLINE exo_status exo_listen_publish_pvt(const struct sockaddr_un *ours, const struct sockaddr_un *address)
{
    exo_status status = EXO_NOT_FOUND;
    exo_u32 attempt;
    for (attempt = 0; attempt < 16 && status == EXO_NOT_FOUND; attempt++) {
        status = exo_rename_pvt(ours->sun_path, address->sun_path, RENAME_NOREPLACE);
        if (status == EXO_ALREADY_EXISTS) {
            status = exo_listen_replace_pvt(ours, address);
        }
    }
    return status;
}

#endif
