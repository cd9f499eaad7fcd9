/* SPDX-License-Identifier: MIT */
/*
 * What exchange.c is told, and what its code says.
 */
#ifndef BAREMETAL_USER_EXCHANGE_H
#define BAREMETAL_USER_EXCHANGE_H

#define EXCHANGE_MESSAGES 1000u
#define EXCHANGE_LOANS    100u
#define EXCHANGE_BYTES    3000u

/* The one who asks spawns the one who answers, the same program of that place in the table. */
#define EXCHANGE_ANSWER    0xFFFFu
#define EXCHANGE_ASK(self) (self)

/* The code is this and the system calls that the messages took, or the line of exchange.c that went wrong. */
#define EXCHANGE_DONE 1000000

#endif
