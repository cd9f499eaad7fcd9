/* SPDX-License-Identifier: MIT */
/*
 * What the library asks of a compiler: GCC 9 or Clang 10 and later, as C11, C17, C++17 or newer.
 */
#ifndef EXO_IPC_BASE_COMPILER_H
#define EXO_IPC_BASE_COMPILER_H

#if !defined(__GNUC__) && !defined(__clang__)
#error "exo_ipc needs GCC or Clang: it is built on their __atomic builtins"
#endif

#define EXO_LIKELY(x) __builtin_expect(!!(x), 1)
#define EXO_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* EXO_INLINE: a function of a header. EXO_HOT: one whose constant arguments must fold away.
 * EXO_OUTLINE: one that is not worth a copy at each call; also a slow path from which a fast one goes on. EXO_COLD: a slow
 * path from which none does: GCC 12 takes the branch that leads to a cold call, and what it came from, to be cold itself
 * where both ways meet again, and has moved whole fast paths away. */
#define EXO_INLINE static inline __attribute__((unused))
#define EXO_HOT static inline __attribute__((always_inline, unused))
#define EXO_OUTLINE static __attribute__((noinline, unused))
#define EXO_COLD static __attribute__((noinline, cold, unused))

#define EXO_MUST_USE __attribute__((warn_unused_result))
#define EXO_ALIGNED(n) __attribute__((aligned(n)))
#define EXO_MAY_ALIAS __attribute__((may_alias))

#ifdef __cplusplus
#define EXO_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define EXO_ALIGNOF(type) alignof(type)
#define EXO_EXTERN_C_BEGIN extern "C" {
#define EXO_EXTERN_C_END }
#else
#define EXO_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define EXO_ALIGNOF(type) _Alignof(type)
#define EXO_EXTERN_C_BEGIN
#define EXO_EXTERN_C_END
#endif

/* ThreadSanitizer does not model fences or vector stores: base/ then uses what it does model. */
#ifndef EXO_HAS_TSAN
#if defined(__SANITIZE_THREAD__)
#define EXO_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EXO_HAS_TSAN 1
#else
#define EXO_HAS_TSAN 0
#endif
#else
#define EXO_HAS_TSAN 0
#endif
#endif

#endif
