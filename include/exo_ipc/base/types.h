/* SPDX-License-Identifier: MIT */
/*
 * Integer types without a system header. exo_u64 is exactly uint64_t, exo_size exactly size_t.
 */
#ifndef EXO_IPC_BASE_TYPES_H
#define EXO_IPC_BASE_TYPES_H

#include "compiler.h"

typedef __UINT8_TYPE__ exo_u8;
typedef __UINT16_TYPE__ exo_u16;
typedef __UINT32_TYPE__ exo_u32;
typedef __UINT64_TYPE__ exo_u64;
typedef __INT32_TYPE__ exo_i32;
typedef __INT64_TYPE__ exo_i64;
typedef __SIZE_TYPE__ exo_size;
typedef __UINTPTR_TYPE__ exo_uptr;

#ifdef __cplusplus
typedef bool exo_bool;
#define EXO_NULL nullptr
#else
typedef _Bool exo_bool;
#define EXO_NULL ((void *)0)
#endif

#define EXO_TRUE ((exo_bool)1)
#define EXO_FALSE ((exo_bool)0)

/* A 64-bit word of shared memory. On i386 a plain 64-bit integer is aligned to 4 bytes only, which
 * would let it straddle a cache line and lose its atomicity. */
typedef exo_u64 exo_word64 EXO_ALIGNED(8);

#define EXO_SIZE_MAX ((exo_size)-1)

EXO_STATIC_ASSERT(sizeof(exo_u8) == 1 && sizeof(exo_u16) == 2, "narrow integers");
EXO_STATIC_ASSERT(sizeof(exo_u32) == 4 && sizeof(exo_u64) == 8, "wide integers");

#endif
