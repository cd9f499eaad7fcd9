/* SPDX-License-Identifier: MIT */
/*
 * What compilers call on their own. A few moves where it is little, else by string instructions, of which processors make
 * whole lines.
 */
#include "exo_ipc/base/types.h"

void *memcpy(void *to, const void *from, exo_size bytes);
void *memmove(void *to, const void *from, exo_size bytes);
void *memset(void *to, int value, exo_size bytes);
int memcmp(const void *one, const void *other, exo_size bytes);

/* Words at any address, of anybody's. */
typedef exo_u64 loose64 __attribute__((may_alias, aligned(1)));
typedef exo_u32 loose32 __attribute__((may_alias, aligned(1)));

/* Fewer than 8 bytes. */
static void copy_tail(exo_u8 *out, const exo_u8 *in, exo_size bytes)
{
    if ((bytes & 4) != 0) {
        *(loose32 *)(void *)out = *(const loose32 *)(const void *)in;
        out += 4;
        in += 4;
    }
    if ((bytes & 2) != 0) {
        out[0] = in[0];
        out[1] = in[1];
        out += 2;
        in += 2;
    }
    if ((bytes & 1) != 0) {
        *out = *in;
    }
}

void *memcpy(void *to, const void *from, exo_size bytes)
{
    exo_u8 *out = (exo_u8 *)to;
    const exo_u8 *in = (const exo_u8 *)from;
    exo_size words = bytes / 8;
    if (words > 8) {
        __asm__ __volatile__("rep movsq" : "+D"(out), "+S"(in), "+c"(words) : : "memory");
    }
    for (; words != 0; words--) {
        *(loose64 *)(void *)out = *(const loose64 *)(const void *)in;
        out += 8;
        in += 8;
        __asm__ __volatile__("" : "+r"(out), "+r"(in)); /* or a compiler would make a call of memcpy() of it */
    }
    copy_tail(out, in, bytes & 7);
    return to;
}

void *memmove(void *to, const void *from, exo_size bytes)
{
    exo_u8 *last = (exo_u8 *)to + bytes - 1;
    const exo_u8 *last_from = (const exo_u8 *)from + bytes - 1;
    if ((exo_uptr)to - (exo_uptr)from >= bytes) {
        return memcpy(to, from, bytes); /* forwards is safe: to lies before from, or behind its end */
    }
    __asm__ __volatile__("std; rep movsb; cld" : "+D"(last), "+S"(last_from), "+c"(bytes) : : "memory");
    return to;
}

void *memset(void *to, int value, exo_size bytes)
{
    void *out = to;
    __asm__ __volatile__("rep stosb" : "+D"(out), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

int memcmp(const void *one, const void *other, exo_size bytes)
{
    const exo_u8 *a = (const exo_u8 *)one;
    const exo_u8 *b = (const exo_u8 *)other;
    for (; bytes != 0; bytes--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}
