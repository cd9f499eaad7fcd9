/* SPDX-License-Identifier: MIT */
/*
 * Calls that nobody should make: forged handles, addresses of the kernel's, lengths without end. What they answer is of no
 * interest but where it must be a refusal; the kernel is to outlive them.
 */
#include "subject_parts.h"

const exo_u64 wild[WILD] = {1, 2, 7, 8, 0xFFF, 0x1000, 0x7FFFFFFFDFFF, 0x7FFFFFFFE000, 0x7FFFFFFFFFFF, 0x800000000000,
                               0xFFFF800000000000, 0xFFFFC00000000000, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFF000,
                               0xFFFFFFFFFFFFFFFE, 0x8000000000000000, 0x100000001, 0xFFFFFFFF, 0x100000000};

static exo_u8 scratch[4096] EXO_ALIGNED(4096);

/* Each argument of each call in turn, among others that are right for some call, and all at once. */
static void wild_arguments(exo_u64 base)
{
    exo_u64 result;
    exo_u32 number;
    exo_u32 i;
    exo_size w;
    for (number = 0; number < EXO_SYSCALLS + 3; number++) {
        for (i = 0; i <= EXO_SYSCALL_ARGUMENTS; i++) {
            for (w = 0; w < WILD; w++) {
                exo_u64 a[EXO_SYSCALL_ARGUMENTS] = {base, base, base, 0, 0, 0};
                exo_u32 j;
                for (j = 0; j < EXO_SYSCALL_ARGUMENTS; j++) {
                    a[j] = i == j || i == EXO_SYSCALL_ARGUMENTS ? wild[w] : a[j];
                }
                if (make(number, a, &result) == EXO_OK && result != 0 && number != EXO_SYS_SELF) {
                    const exo_u64 made[EXO_SYSCALL_ARGUMENTS] = {result, 0, 0, 0, 0, 0};
                    (void)make(EXO_SYS_CLOSE, made, &result);
                }
            }
        }
    }
}

/* The road itself: calls that lie where none can be. */
static void wild_calls(void)
{
    exo_u64 call;
    exo_size w;
    for (w = 0; w < WILD; w++) {
        USER_OR_EXIT(user_call(CALL_NUCLEUS, wild[w], 0, 0, 0) == EXO_INVALID_ARGUMENT);
        USER_OR_EXIT(user_call(CALL_WAIT, wild[w], 0, 0, 0) == EXO_INVALID_ARGUMENT);
        USER_OR_EXIT(user_call(CALL_WAKE, wild[w], ~0ull, 0, 0) == EXO_INVALID_ARGUMENT);
        USER_OR_EXIT(user_call(CALL_SELF, wild[w], 0, 0, 0) == EXO_INVALID_ARGUMENT);
        USER_OR_EXIT(user_call(CALL_SPAWN, wild[w] | 2, 0, 0, 0) == EXO_NOT_FOUND);
        USER_OR_EXIT(user_call(CALL_JOIN, wild[w], 0, 0, 0) == EXO_NOT_FOUND);
        (void)user_call(CALL_ALIVE, wild[w], 0, 0, 0);
        for (call = CALL_WAIT; call < SYSTEM_CALLS + 2; call++) {
            (void)user_call(call, wild[w], wild[(w + 3) % WILD], 1, wild[(w + 5) % WILD]);
        }
    }
    /* A child whose numbers cannot be told is no child that was made. */
    for (w = 0; w < WILD; w++) {
        USER_OR_EXIT(user_call(CALL_SPAWN, PROGRAM_SUBJECT, SUBJECT_SLEEP, wild[w], 0) == EXO_INVALID_ARGUMENT);
    }
    /* The code of this program can be read, but no result be written there. */
    USER_OR_EXIT(user_call(CALL_NUCLEUS, (exo_u64)(exo_uptr)make & ~63ull, 0, 0, 0) == EXO_INVALID_ARGUMENT);
}

/* One bit of a handle that is good. */
static void forged_handles(exo_u64 good)
{
    struct exo_sys_info info;
    exo_u32 bit;
    USER_OR_EXIT(exo_sys_inspect(user_door, good, &info) == EXO_OK);
    for (bit = 0; bit < 64; bit++) {
        exo_u64 forged = good ^ 1ull << bit;
        USER_OR_EXIT(exo_sys_inspect(user_door, forged, &info) == EXO_NOT_FOUND);
        USER_OR_EXIT(exo_sys_close(user_door, forged) == EXO_NOT_FOUND);
    }
    USER_OR_EXIT(exo_sys_close(user_door, good) == EXO_OK);
    USER_OR_EXIT(exo_sys_inspect(user_door, good, &info) == EXO_NOT_FOUND); /* nor one that was */
}

void forge(void)
{
    void *at;
    exo_u64 region = page_made(&at);
    exo_u64 base;
    wild_calls();
    forged_handles(region);
    base = page_made(&at); /* later on the process may have no quota left */
    wild_arguments(0);
    wild_arguments((exo_u64)(exo_uptr)scratch);
    wild_arguments(base);
}
