/* SPDX-License-Identifier: MIT */
/*
 * What a client of the daemon has mapped: a table of its own, sorted by address, in pages that grow with it. The daemon hands
 * out descriptors and does not know of mappings; a descriptor that was opened for reading cannot be mapped writable.
 */
#ifndef EXO_PORT_LINUX_CLIENT_MAP_H
#define EXO_PORT_LINUX_CLIENT_MAP_H

#include "exo_packet.h"
#include "exo_segment.h"

#define EXO_CLIENT_MAP_BYTES 4096u /* of the table, to begin with */

/* A region that this process has mapped. */
struct exo_client_mapping {
    exo_uptr address;
    exo_size bytes;
    exo_u64 handle; /* 0: of a daemon that is gone */
};

/* All of them. */
struct exo_client_maps {
    struct exo_client_mapping *at;
    exo_size bytes; /* of the table's memory */
    exo_size count;
};

/* Where an address is in the table, or would be. */
EXO_INLINE exo_size exo_client_maps_seek_pvt(const struct exo_client_maps *maps, exo_uptr address)
{
    exo_size low = 0;
    exo_size high = maps->count;
    while (low < high) {
        exo_size middle = low + (high - low) / 2;
        if (maps->at[middle].address < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The mapping that begins at an address, or null. */
EXO_INLINE struct exo_client_mapping *exo_client_maps_find_pvt(const struct exo_client_maps *maps, exo_u64 address)
{
    exo_size i = exo_client_maps_seek_pvt(maps, (exo_uptr)address);
    return i < maps->count && maps->at[i].address == address ? &maps->at[i] : NULL;
}

/* Room for one more. */
EXO_INLINE exo_status exo_client_maps_room_pvt(struct exo_client_maps *maps)
{
    exo_size wanted = maps->bytes == 0 ? EXO_CLIENT_MAP_BYTES : 2 * maps->bytes;
    struct exo_client_mapping *made;
    if ((maps->count + 1) * sizeof(maps->at[0]) <= maps->bytes) {
        return EXO_OK;
    }
    made = (struct exo_client_mapping *)exo_port_page_alloc(wanted);
    if (made == NULL) {
        return EXO_NO_MEMORY;
    }
    if (maps->bytes != 0) {
        memcpy(made, maps->at, maps->count * sizeof(made[0]));
        exo_port_page_free(maps->at, maps->bytes);
    }
    maps->at = made;
    maps->bytes = wanted;
    return EXO_OK;
}

EXO_INLINE void exo_client_maps_add_pvt(struct exo_client_maps *maps, exo_uptr address, exo_size bytes, exo_u64 handle)
{
    exo_size i = exo_client_maps_seek_pvt(maps, address);
    memmove(&maps->at[i + 1], &maps->at[i], (maps->count - i) * sizeof(maps->at[0]));
    maps->at[i].address = address;
    maps->at[i].bytes = bytes;
    maps->at[i].handle = handle;
    maps->count++;
}

/* Unmap one, and forget it. */
EXO_INLINE void exo_client_maps_end_pvt(struct exo_client_maps *maps, struct exo_client_mapping *mapping)
{
    exo_size i = (exo_size)(mapping - maps->at);
    (void)munmap((void *)mapping->address, mapping->bytes);
    maps->count--;
    memmove(mapping, mapping + 1, (maps->count - i) * sizeof(mapping[0]));
}

/* Unmap all that was mapped under a handle that has ended; with 0 whatever the handle. */
EXO_INLINE void exo_client_maps_gone_pvt(struct exo_client_maps *maps, exo_u64 handle)
{
    exo_size i = maps->count;
    while (i-- != 0) {
        if (handle == 0 || maps->at[i].handle == handle) {
            exo_client_maps_end_pvt(maps, &maps->at[i]);
        }
    }
}

/* Whether a descriptor is what the daemon hands out: a memfd that nobody can shrink under us, all of it there. */
EXO_INLINE exo_status exo_client_region_pvt(int descriptor, exo_size *bytes)
{
    const int needed = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
    const int seals = fcntl(descriptor, F_GET_SEALS);
    struct stat about;
    if (seals < 0 || (seals & needed) != needed) {
        return EXO_CORRUPT;
    }
    if (fstat(descriptor, &about) != 0 || about.st_size <= 0 || (exo_u64)about.st_size > EXO_SIZE_MAX / 2) {
        return EXO_CORRUPT;
    }
    if ((exo_u64)about.st_blocks * 512 < (exo_u64)about.st_size) {
        return EXO_NO_MEMORY;
    }
    *bytes = (exo_size)about.st_size;
    return EXO_OK;
}

EXO_INLINE exo_status exo_client_map_error_pvt(int error)
{
    switch (error) {
    case EEXIST:
        return EXO_ALREADY_EXISTS;
    case ENOMEM:
    case EAGAIN:
        return EXO_NO_MEMORY;
    case EACCES:
    case EPERM:
        return EXO_PERMISSION_DENIED;
    default:
        return EXO_INVALID_ARGUMENT;
    }
}

/* Map a region: at an address where nothing may be, in place of the mapping that is there, or anywhere. */
EXO_INLINE exo_status exo_client_map_pvt(int descriptor, exo_size bytes, exo_uptr where, exo_bool instead, exo_u32 flags,
                                         exo_uptr *mapped)
{
    int placed = where == 0 ? 0 : instead ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    void *at = mmap((void *)where, bytes, exo_port_protection_pvt(flags), MAP_SHARED | placed, descriptor, 0);
    if (at == MAP_FAILED) {
        return exo_client_map_error_pvt(errno);
    }
    if (where != 0 && (exo_uptr)at != where) { /* before Linux 4.17 */
        (void)munmap(at, bytes);
        return EXO_ALREADY_EXISTS;
    }
    *mapped = (exo_uptr)at;
    return EXO_OK;
}

#endif
