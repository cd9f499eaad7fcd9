/* SPDX-License-Identifier: MIT */
/*
 * Names of regions and channels, one space of names for both: fetched once from the process, checked, looked up.
 */
#ifndef EXO_IPC_NUCLEUS_SYS_NAME_H
#define EXO_IPC_NUCLEUS_SYS_NAME_H

#include "queue.h"

/* A name, copied out of a process. */
struct exo_sys_name {
    exo_u32 bytes;
    char text[EXO_SYS_NAME_MAX];
};

/* All bits that permissions may have. */
#define EXO_PERMS_ALL EXO_PERMS(EXO_RIGHTS_ALL, EXO_RIGHTS_ALL)

/* Whether permissions give these rights to a process of the same user, or of another. */
EXO_INLINE exo_bool exo_perms_allow_pvt(exo_u32 perms, exo_bool same_user, exo_u32 rights)
{
    exo_u32 given = (perms >> 8) | (same_user ? perms : 0u);
    return (rights & ~given & 0xFFu) == 0;
}

/* Fetch a name. None at all is one too where `optional` says so. */
EXO_INLINE exo_status exo_sys_name_fetch_pvt(const struct exo_process *process, exo_u64 from, exo_u64 bytes,
                                             exo_bool optional, struct exo_sys_name *name)
{
    exo_status status;
    name->bytes = 0;
    if (bytes == 0 && optional) {
        return EXO_OK;
    }
    if (bytes == 0 || bytes > EXO_SYS_NAME_MAX) {
        return bytes == 0 ? EXO_INVALID_ARGUMENT : EXO_INVALID_SIZE;
    }
    status = exo_port_copy_from_user(process->space.port, name->text, from, (exo_size)bytes);
    name->bytes = (exo_u32)bytes;
    return status == EXO_OK ? exo_name_check(name->text, (exo_size)bytes) : status;
}

/* Give an object a name. Its record stands in *slot until the object is forgotten. */
EXO_INLINE exo_status exo_nucleus_name_pvt(struct exo_nucleus *nucleus, exo_u64 *slot, const struct exo_sys_name *name,
                                           struct exo_object *object)
{
    exo_status status;
    exo_port_lock(&nucleus->lock); /* so that who finds the name finds the object */
    status = exo_names_add(&nucleus->names, name->text, name->bytes, (exo_u64)(exo_uptr)object, slot);
    exo_port_unlock(&nucleus->lock);
    return status;
}

/* The object of a name, held. */
EXO_INLINE exo_status exo_nucleus_find_name_pvt(struct exo_nucleus *nucleus, const struct exo_sys_name *name,
                                                struct exo_object **object)
{
    exo_u64 value = 0;
    exo_status status;
    exo_port_lock(&nucleus->lock); /* nobody forgets it meanwhile */
    status = exo_names_find(&nucleus->names, name->text, name->bytes, &value);
    *object = (struct exo_object *)(exo_uptr)value;
    if (status == EXO_OK && !exo_object_get_pvt(*object)) {
        status = EXO_NOT_FOUND;
    }
    exo_port_unlock(&nucleus->lock);
    return status;
}

#endif
