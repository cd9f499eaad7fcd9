/* SPDX-License-Identifier: MIT */
/*
 * A program in ring 3 that makes the nucleus's calls, well or badly, as its argument says. subject.h has the list.
 */
#include "subject_parts.h"

void meet(struct meeting *meeting, const char *name, exo_bool first)
{
    exo_size bytes = user_length(name);
    exo_u64 source;
    exo_status status = first ? exo_sys_channel_create(user_door, name, bytes, EXO_PERMS(EXO_RIGHTS_CHANNEL, 0), 0, 0,
                                                       &meeting->channel)
                              : exo_sys_channel_open(user_door, name, bytes, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE,
                                                     &meeting->channel);
    USER_OR_EXIT(status == EXO_OK);
    USER_OR_EXIT(exo_sys_queue_create(user_door, 1, &meeting->queue) == EXO_OK);
    USER_OR_EXIT(exo_sys_queue_bind(user_door, meeting->queue, meeting->channel, 0,
                                    EXO_READABLE | EXO_PEER_CLOSED | EXO_PEER_GONE, &source) == EXO_OK);
}

exo_u64 page_made(void **at)
{
    exo_u64 region;
    USER_OR_EXIT(exo_sys_shm_create(user_door, (const char *)EXO_NULL, 0, EXO_PORT_PAGE_BYTES, 0, &region) == EXO_OK);
    USER_OR_EXIT(exo_sys_shm_map(user_door, region, EXO_NULL, EXO_MAP_READ | EXO_MAP_WRITE, at) == EXO_OK);
    return region;
}

static exo_i64 second(exo_u32 act)
{
    if (act == SUBJECT_READ_ONLY) {
        read_only_other();
    } else if (act == SUBJECT_REVOKE) {
        revoke_other();
    } else if (act == SUBJECT_SENDER) {
        sender_other();
    } else if (act == SUBJECT_PEER_DIES) {
        peer_dies_other();
    }
    return 0;
}

exo_i64 user_main(exo_u64 argument)
{
    exo_u32 act = (exo_u32)argument & (SUBJECT_OTHER - 1);
    if ((argument & SUBJECT_OTHER) != 0) {
        return second(act);
    }
    if (act == SUBJECT_READ_ONLY) {
        read_only();
    } else if (act == SUBJECT_REVOKE) {
        revoke();
    } else if (act == SUBJECT_SENDER) {
        sender();
    } else if (act == SUBJECT_QUOTA) {
        quota();
    } else if (act == SUBJECT_PEER_DIES) {
        peer_dies();
    } else {
        return -1;
    }
    return 0;
}
