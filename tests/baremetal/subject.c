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

/* What is done, and by the second of two; with the number, or without. */
static const struct {
    enum subject_act act;
    void (*first)(void);
    void (*second)(void);
    void (*first_of)(exo_u64 number);
    void (*second_of)(exo_u64 number);
} acts[] = {
    {SUBJECT_READ_ONLY, read_only, read_only_other, EXO_NULL, EXO_NULL},
    {SUBJECT_REVOKE, revoke, revoke_other, EXO_NULL, EXO_NULL},
    {SUBJECT_SENDER, sender, sender_other, EXO_NULL, EXO_NULL},
    {SUBJECT_QUOTA, quota, EXO_NULL, EXO_NULL, EXO_NULL},
    {SUBJECT_PEER_DIES, peer_dies, peer_dies_other, EXO_NULL, EXO_NULL},
    {SUBJECT_HOLD, hold, EXO_NULL, EXO_NULL, EXO_NULL},
    {SUBJECT_CHURN, churn, EXO_NULL, EXO_NULL, EXO_NULL},
    {SUBJECT_SLEEP, sleep_for_ever, EXO_NULL, EXO_NULL, EXO_NULL},
    {SUBJECT_ORPHANS, EXO_NULL, EXO_NULL, orphans, EXO_NULL},
    {SUBJECT_TALK, talk, EXO_NULL, EXO_NULL, talk_other},
    {SUBJECT_SCRIBBLE, scribble, EXO_NULL, EXO_NULL, scribble_other},
    {SUBJECT_LIAR, liar, liar_other, EXO_NULL, EXO_NULL},
    {SUBJECT_SERVER, server, EXO_NULL, EXO_NULL, server_other},
    {SUBJECT_CAST, cast, cast_other, EXO_NULL, EXO_NULL},
    {SUBJECT_FORGE, forge, EXO_NULL, EXO_NULL, EXO_NULL},
    {SUBJECT_FUZZ, EXO_NULL, EXO_NULL, fuzz, EXO_NULL},
};

exo_i64 user_main(exo_u64 argument)
{
    exo_u32 act = (exo_u32)argument & (SUBJECT_OTHER - 1);
    exo_bool other = (argument & SUBJECT_OTHER) != 0;
    exo_size i;
    if (act == SUBJECT_MEMORY) {
        return memory();
    }
    for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        void (*plain)(void) = other ? acts[i].second : acts[i].first;
        void (*numbered)(exo_u64) = other ? acts[i].second_of : acts[i].first_of;
        if (acts[i].act == act && plain != EXO_NULL) {
            plain();
            return 0;
        }
        if (acts[i].act == act && numbered != EXO_NULL) {
            numbered(argument >> SUBJECT_BITS);
            return 0;
        }
    }
    return act == SUBJECT_NOTHING ? 0 : -1;
}
