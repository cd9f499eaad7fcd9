/* SPDX-License-Identifier: MIT */
/*
 * Calls at random. Three arguments in four are what the call asks for: something that was yielded by an earlier one, an
 * address of a buffer, a small number; the fourth is anything.
 */
#include "subject_parts.h"

/* What each argument is: h a handle of any kind, r of a region, c of a channel, q of a queue, g of a group, a an address
 * that was mapped, s a source, p a process; b a buffer, n a number, z whole pages, m what a mapping allows, R rights, u an event, 0. */
static const char *const shapes[EXO_SYSCALLS] = {
    "",     "",      "h",     "hR",   "hpR",   "hn",   "hbz", "bnzR", "bnR",  "r0m", "a",   "am",  "r",    "bnRnn",
    "bnR",  "cbbn",  "cbbz",  "n",    "qhnn",  "qs",   "qsu", "qbz0", "gbz",  "gpnz", "",   "g",   "cR",
};
static const char yields[EXO_SYSCALLS + 1] = "   h   rra   cc  qs     g c";

#define KINDS 7u
#define PLACES 8u
static const char kinds[KINDS + 1] = "rcqgash";
static exo_u64 known[KINDS][PLACES];
static exo_u64 allowed[EXO_SYSCALLS]; /* how many of each call had their way */
static exo_u64 state;
/* Room behind it: what is received is as long as it is. */
static exo_u8 scratch[4096 + EXO_SYS_MESSAGE_MAX + 4096] EXO_ALIGNED(4096);

/* Marsaglia 2003. */
static exo_u64 random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 3;
}

static exo_u64 *place_of(char kind)
{
    exo_u32 i;
    for (i = 0; i < KINDS - 1 && kinds[i] != kind; i++) {
    }
    if (i == KINDS - 1 && random() % 4 != 0) {
        i = (exo_u32)(random() % 4);
    }
    return &known[i][random() % PLACES];
}

static exo_u64 anything(void)
{
    exo_u64 of = random();
    switch (of & 3) {
    case 0:
        return wild[(of >> 8) % WILD];
    case 1:
        return known[(of >> 8) % KINDS][(of >> 16) % PLACES];
    case 2:
        return (exo_u64)(exo_uptr)scratch + (of >> 8 & 0xFFF);
    default:
        return of >> 8;
    }
}

static exo_u64 argument_for(char shape)
{
    if (random() % 4 == 0) {
        return anything();
    }
    switch (shape) {
    case 'b':
        return (exo_u64)(exo_uptr)scratch + random() % 256 * 8;
    case 'n':
        return random() % 17;
    case 'z':
        return random() % 5 * EXO_PORT_PAGE_BYTES;
    case 'm':
        return random() % 6;
    case 'R':
        return random() % 2 == 0 ? EXO_RIGHTS_ALL & random() : EXO_RIGHT_MAP_READ;
    case 'u':
        return EXO_USER_EVENT;
    case 'p':
        return user_self.nucleus;
    case '0':
        return 0;
    default:
        return *place_of(shape);
    }
}

/* What was yielded takes the place of something else, which is given up if it is a handle. */
static void keep(exo_u32 number, exo_u64 result)
{
    exo_u64 *place;
    exo_u64 none;
    if (yields[number] == ' ' || result == 0) {
        return;
    }
    place = place_of(yields[number]);
    if (number != EXO_SYS_SHM_MAP && number != EXO_SYS_QUEUE_BIND) {
        const exo_u64 old[EXO_SYSCALL_ARGUMENTS] = {*place, 0, 0, 0, 0, 0};
        (void)make(EXO_SYS_CLOSE, old, &none);
    }
    *place = result;
}

static void random_call(void)
{
    exo_u32 number = (exo_u32)(random() % (EXO_SYSCALLS + 1));
    exo_u32 arguments = exo_syscall_form_of(number).arguments;
    exo_u64 a[EXO_SYSCALL_ARGUMENTS] = {0, 0, 0, 0, 0, 0};
    exo_u64 result;
    exo_u32 i;
    for (i = 0; i < arguments; i++) {
        a[i] = argument_for(shapes[number][i]);
    }
    if (number == EXO_SYS_WAIT) {
        a[3] = EXO_NOW;
    } else if (number == EXO_SYS_QUOTA_SET) {
        a[1] = random() % 2 == 0 ? 0 : a[1]; /* of the group, not of a process in it */
        a[2] = random() % 2 == 0 ? a[2] % EXO_SYS_QUOTAS : a[2];
        a[3] |= 1u << 22; /* or nothing more would be allowed */
    } else if (number == EXO_SYS_CHANNEL_SEND && random() % 2 == 0) {
        __builtin_memset(scratch, 0, sizeof(struct exo_sys_letter)); /* or no letter would be one */
        a[1] = (exo_u64)(exo_uptr)scratch;
        *(exo_u64 *)(void *)scratch = random() % 2 == 0 ? *place_of('h') : 0;
    }
    if (make(number, a, &result) == EXO_OK && number < EXO_SYSCALLS) {
        allowed[number]++;
        keep(number, result);
    }
}

/* Calls of the kernel's own that do not wait for long; some make a process. */
static void random_kernel_call(void)
{
    exo_u64 call = CALL_WAIT + random() % (CALL_JOIN - CALL_WAIT + 1);
    if (call == CALL_WAIT) {
        (void)user_call(call, anything(), anything(), 1, anything());
    } else if (call == CALL_SPAWN) {
        struct user_child child;
        struct user_end end;
        if (random() % 64 == 0 && user_spawn(PROGRAM_SUBJECT, SUBJECT_NOTHING, &child) == EXO_OK) {
            (void)user_join(&child, random() % 2 == 0 ? 1 : EXO_FOREVER, &end);
        }
    } else if (call == CALL_WAKE || call == CALL_ALIVE || (call == CALL_FENCE && random() % 16 == 0)) {
        (void)user_call(call, anything(), anything(), 0, 0);
    }
}

static void names_again(void)
{
    exo_u32 i;
    for (i = 0; i < 4096; i++) {
        scratch[i] = (exo_u8)('a' + i % 3);
    }
}

void fuzz(exo_u64 number)
{
    exo_u64 calls = number & 0xFFFFFFFF;
    exo_u64 i;
    state = number * 0x9E3779B97F4A7C15ull + 1;
    for (i = 0; i < calls; i++) {
        if (i % 256 == 0) {
            names_again();
        }
        if (i % 16 == 0) {
            random_kernel_call();
        } else {
            random_call();
        }
    }
    for (i = 0; calls >= 100000 && i < EXO_SYSCALLS; i++) {
        /* One is not offered, and of the other's names few are guessed. */
        if (allowed[i] == 0 && i != EXO_SYS_GROUP_JOIN && i != EXO_SYS_CHANNEL_OPEN) {
            user_exit(2000 + (exo_i64)i);
        }
    }
}
