/* SPDX-License-Identifier: MIT */
/*
 * What the program of user.c does, by its argument: what in the low bits, a number of its own above.
 */
#ifndef BAREMETAL_USER_H
#define BAREMETAL_USER_H

enum user_act {
    USER_EXIT,              /* with the number */
    USER_WRITE,             /* a line to the serial line */
    USER_CALLS,             /* system calls that must be refused, registers that must stay; exits 0 if so */
    USER_SPIN,              /* for ever */
    USER_YIELD,             /* for ever, in system calls */
    USER_COUNT,             /* counts and yields so often */
    USER_READ,              /* reads at the number */
    USER_STORE,             /* writes at the number */
    USER_JUMP,              /* goes to the number */
    USER_STORE_TEXT,        /* writes to its own code */
    USER_RUN_STACK,         /* executes its stack */
    USER_OVERFLOW,          /* uses up its stack */
    USER_HALT,
    USER_CLI,
    USER_PORT,              /* in */
    USER_INT80,
    USER_INT_TIMER,         /* the timer's vector, by an instruction */
    USER_SGDT,              /* forbidden by UMIP */
    USER_RDMSR,
    USER_VECTOR,            /* a vector instruction */
    USER_X87,
    USER_DIVIDE,
    USER_UNDEFINED,
    USER_BREAKPOINT,
    USER_TRAP_FLAG,         /* single step */
    USER_WILD_STACK,        /* rsp that is no address, then a system call and an interrupt */
    USER_FLAGS,             /* direction, alignment and nested-task flags set all the time, for a while */
    USER_SEGMENTS,          /* loads what it may into segment registers, then system calls */
    USER_CR3,               /* writes it */
    USER_FLAGS_FAULT,       /* an undefined instruction with the first two of those flags set */
    USER_STORE_UNTIL_FAULT, /* writes at the number, again and again */
    USER_ACTS
};

#define USER_ACT_BITS 8u
#define USER_ARGUMENT(act, number) ((exo_u64)(act) | (exo_u64)(number) << USER_ACT_BITS)
/* Addresses in the upper half lose their top byte; it is put back from the sign. */

#endif
