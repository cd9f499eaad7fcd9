/* SPDX-License-Identifier: MIT */
/*
 * Where a program begins, and what it calls of the kernel without seeing it.
 */
#include "user.h"

struct user_self user_self;
exo_u64 user_calls;

static exo_status call_nucleus(struct exo_door *door, struct exo_syscall *call)
{
    (void)door;
    return (exo_status)user_call(CALL_NUCLEUS, (exo_u64)(exo_uptr)call, 0, 0, 0);
}

static struct exo_door door = {call_nucleus};
struct exo_door *const user_door = &door;

void user_exit(exo_i64 code)
{
    for (;;) {
        (void)user_call(CALL_EXIT, (exo_u64)code, 0, 0, 0);
    }
}

exo_size user_length(const char *text)
{
    const volatile char *at = text; /* or the compiler would call strlen() */
    while (*at != 0) {
        at++;
    }
    return (exo_size)(at - text);
}

void user_print(const char *text)
{
    (void)user_call(CALL_WRITE, (exo_u64)(exo_uptr)text, user_length(text), 0, 0);
}

void user_begin(exo_u64 argument);
/* The kernel jumps here, with the stack pointer at the top: a call would have pushed an address. */
__attribute__((force_align_arg_pointer)) void user_begin(exo_u64 argument)
{
    if (user_call(CALL_SELF, (exo_u64)(exo_uptr)&user_self, 0, 0, 0) != EXO_OK) {
        user_exit(-1);
    }
    user_exit(user_main(argument));
}
