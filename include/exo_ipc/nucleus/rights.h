/* SPDX-License-Identifier: MIT */
/*
 * What a capability may name, and what it may allow.
 */
#ifndef EXO_IPC_NUCLEUS_RIGHTS_H
#define EXO_IPC_NUCLEUS_RIGHTS_H

/* Kinds of objects. */
#define EXO_OBJECT_REGION 1u
#define EXO_OBJECT_CHANNEL 2u
#define EXO_OBJECT_QUEUE 3u
#define EXO_OBJECT_GROUP 4u

/* Rights. */
#define EXO_RIGHT_SEND 1u      /* send messages, post events, join a group */
#define EXO_RIGHT_RECEIVE 2u   /* receive messages, wait for events */
#define EXO_RIGHT_MAP_READ 4u
#define EXO_RIGHT_MAP_WRITE 8u
#define EXO_RIGHT_MAP_EXEC 16u
#define EXO_RIGHT_GRANT 32u    /* give to other processes what is derived from it */
#define EXO_RIGHT_DESTROY 64u  /* end the object, change its limits */
#define EXO_RIGHTS_ALL 127u

/* Those that mean something for each kind: what its maker gets. */
#define EXO_RIGHTS_REGION (EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE | EXO_RIGHT_MAP_EXEC | EXO_RIGHT_GRANT | EXO_RIGHT_DESTROY)
#define EXO_RIGHTS_CHANNEL (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE | EXO_RIGHT_GRANT | EXO_RIGHT_DESTROY)
#define EXO_RIGHTS_QUEUE (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE | EXO_RIGHT_GRANT | EXO_RIGHT_DESTROY)
#define EXO_RIGHTS_GROUP (EXO_RIGHT_SEND | EXO_RIGHT_GRANT | EXO_RIGHT_DESTROY)

#endif
