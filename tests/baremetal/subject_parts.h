/* SPDX-License-Identifier: MIT */
/*
 * The parts of the program of subject.c.
 */
#ifndef BAREMETAL_SUBJECT_PARTS_H
#define BAREMETAL_SUBJECT_PARTS_H

#include "subject.h"
#include "user/link.h"

/* Spawns the other one of an act. */
EXO_INLINE void spawn_other(exo_u32 act, exo_u64 number, struct user_child *child)
{
    USER_OR_EXIT(user_spawn(PROGRAM_SUBJECT, SUBJECT_ARGUMENT(act | SUBJECT_OTHER, number), child) == EXO_OK);
}

/* A channel of that name, from either side, and a queue that tells of it. */
struct meeting {
    exo_u64 channel;
    exo_u64 queue;
};
void meet(struct meeting *meeting, const char *name, exo_bool first);

/* A region of one page, mapped to write. */
exo_u64 page_made(void **at);

/* subject_grants.c */
void read_only(void);
void read_only_other(void);
void revoke(void);
void revoke_other(void);
void sender(void);
void sender_other(void);
void quota(void);
void peer_dies(void);
void peer_dies_other(void);

/* subject_take.c */
void hold(void);
void churn(void);
exo_i64 memory(void);

/* subject_talk.c */
void sleep_for_ever(void);
void orphans(exo_u64 depth);
void talk(void);
void talk_other(exo_u64 after);
void scribble(void);
void scribble_other(exo_u64 seed);
void liar(void);
void liar_other(void);
void server(void);
void server_other(exo_u64 self);

/* subject_cast.c */
void cast(void);
void cast_other(void);

/* subject_wild.c */
#define WILD 19u
extern const exo_u64 wild[WILD];
EXO_INLINE exo_status make(exo_u32 number, const exo_u64 *a, exo_u64 *result)
{
    return exo_call_door_pvt(user_door, number, a, EXO_SYSCALL_ARGUMENTS, result);
}
void forge(void);

/* subject_fuzz.c */
void fuzz(exo_u64 number);

#endif
