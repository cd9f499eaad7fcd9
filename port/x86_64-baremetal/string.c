/* SPDX-License-Identifier: MIT */
/*
 * What compilers call on their own. By string instructions, of which processors make whole lines.
 */
#include "exo_ipc/base/types.h"

void *memcpy(void *to, const void *from, exo_size bytes);
void *memmove(void *to, const void *from, exo_size bytes);
void *memset(void *to, int value, exo_size bytes);
int memcmp(const void *one, const void *other, exo_size bytes);

void *memcpy(void *to, const void *from, exo_size bytes)
{
    void *out = to;
    __asm__ __volatile__("rep movsb" : "+D"(out), "+S"(from), "+c"(bytes) : : "memory");
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
