/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic that every floor needs. All functions are pure; none divides 64-bit numbers, so
 * that 32-bit kernels need no helper library.
 */
#ifndef EXO_IPC_BASE_MATH_H
#define EXO_IPC_BASE_MATH_H

#include "types.h"

EXO_INLINE exo_bool exo_is_pow2(exo_u64 value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Whether counting zero bits is an instruction; elsewhere the builtins call a helper library. */
#if defined(__riscv) && !defined(__riscv_zbb)
#define EXO_HAS_BIT_COUNT 0
#else
#define EXO_HAS_BIT_COUNT 1
#endif

/* Index of the highest set bit; value must not be 0. */
EXO_INLINE exo_u32 exo_log2(exo_u64 value)
{
#if EXO_HAS_BIT_COUNT
    return 63u - (exo_u32)__builtin_clzll(value);
#else
    exo_u32 log = 0;
    exo_u32 step;
    for (step = 32; step != 0; step /= 2) {
        if (value >> step != 0) {
            value >>= step;
            log += step;
        }
    }
    return log;
#endif
}

/* Index of the lowest set bit; value must not be 0. */
EXO_INLINE exo_u32 exo_lowest_bit(exo_u32 value)
{
#if EXO_HAS_BIT_COUNT
    return (exo_u32)__builtin_ctz(value);
#else
    return exo_log2(value & (0u - value));
#endif
}

/* value rounded up to a multiple of align, a power of two. The caller checked that it does not wrap. */
EXO_INLINE exo_u64 exo_align_up(exo_u64 value, exo_u64 align)
{
    return (value + align - 1) & ~(align - 1);
}

EXO_INLINE exo_u64 exo_min64(exo_u64 a, exo_u64 b)
{
    return a < b ? a : b;
}

/* Whether [off, off + len) lies within [0, size), without ever computing off + len. */
EXO_INLINE exo_bool exo_range_ok(exo_u64 off, exo_u64 len, exo_u64 size)
{
    return off <= size && len <= size - off;
}

/* The same in the fewest instructions: one carry, one comparison with what is in memory. */
EXO_HOT exo_bool exo_range_within(exo_u64 off, exo_u64 len, const exo_u64 *size)
{
    exo_u64 end = off + len;
    return EXO_LIKELY(end >= off) && EXO_LIKELY(end <= *size);
}

EXO_INLINE exo_bool exo_is_aligned(const void *pointer, exo_size align)
{
    return ((exo_uptr)pointer & (align - 1)) == 0;
}

#endif
