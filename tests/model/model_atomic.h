/* SPDX-License-Identifier: MIT */
/*
 * base/atomic.h for the model checker (EXO_ATOMIC_HEADER): every access is a step of the model, with the place in
 * the source that made it. A place can be weakened from the command line: that is how orders are mutated.
 */
#ifndef EXO_TESTS_MODEL_ATOMIC_H
#define EXO_TESTS_MODEL_ATOMIC_H

#include "exo_ipc/base/compiler.h"

/* Orders as sets of their halves. */
#define EXO_RELAXED 0u
#define EXO_ACQUIRE 1u
#define EXO_RELEASE 2u
#define EXO_ACQ_REL 3u

typedef unsigned short exo_u16_pvt;

enum site_kind { SITE_LOAD, SITE_STORE, SITE_RMW, SITE_FENCE_SEQ, SITE_FENCE_COMPILER, SITE_FENCE_HEAVY, SITE_OTHER,
    SITE_FENCE_ACQUIRE, SITE_FENCE_RELEASE };

/* One place of the source. */
struct site {
    const char *file;
    exo_u32 line;
    exo_u32 kind;
    exo_u32 order;
    exo_u16_pvt weak;  /* halves taken away; of a fence: not 0 if it is weakened */
    exo_u16_pvt quiet; /* nobody needs to go first here */
};

/* All places lie in one section, so that they can be listed before any of them runs. */
#define MODEL_SITE(kind, order)                                                                      \
    __extension__({                                                                                  \
        static struct site model_site __attribute__((section("model_sites"), used, aligned(8))) = {              \
            __FILE__, __LINE__, kind, order, 0, 0};                                                     \
        &model_site;                                                                                 \
    })

exo_u64 model_load(const struct site *site, const void *p, exo_u32 bytes);
void model_store(const struct site *site, void *p, exo_u32 bytes, exo_u64 value);
/* Kinds of read-modify-write: the new value from the old one. */
enum rmw_kind { RMW_ADD, RMW_OR, RMW_AND };
exo_u64 model_rmw(const struct site *site, void *p, exo_u32 bytes, enum rmw_kind kind, exo_u64 value);
exo_bool model_cas(const struct site *site, void *p, exo_u32 bytes, exo_u64 *expected, exo_u64 desired);
void model_fence_seq(const struct site *site);
void model_fence_compiler(const struct site *site);
void model_fence_acquire(const struct site *site);
void model_fence_release(const struct site *site);

EXO_HOT exo_bool model_cas32(const struct site *site, exo_u32 *p, exo_u32 *expected, exo_u32 desired)
{
    exo_u64 seen = *expected;
    exo_bool done = model_cas(site, p, 4, &seen, desired);
    *expected = (exo_u32)seen;
    return done;
}

/* These check the types, as in base/atomic.h. */
EXO_HOT const exo_u32 *model_word32(const exo_u32 *p)
{
    return p;
}
EXO_HOT const exo_word64 *model_word64(const exo_word64 *p)
{
    return p;
}
EXO_HOT exo_u32 *model_own32(exo_u32 *p)
{
    return p;
}
EXO_HOT exo_word64 *model_own64(exo_word64 *p)
{
    return p;
}

#define exo_load32(p, order) ((exo_u32)model_load(MODEL_SITE(SITE_LOAD, order), model_word32(p), 4))
#define exo_load64(p, order) model_load(MODEL_SITE(SITE_LOAD, order), model_word64(p), 8)
#define exo_store32(p, value, order) model_store(MODEL_SITE(SITE_STORE, order), model_own32(p), 4, value)
#define exo_store64(p, value, order) model_store(MODEL_SITE(SITE_STORE, order), model_own64(p), 8, value)
#define exo_fetch_add32(p, value, order)                                                             \
    ((exo_u32)model_rmw(MODEL_SITE(SITE_RMW, order), model_own32(p), 4, RMW_ADD, value))
#define exo_fetch_or32(p, value, order)                                                              \
    ((exo_u32)model_rmw(MODEL_SITE(SITE_RMW, order), model_own32(p), 4, RMW_OR, value))
#define exo_fetch_and32(p, value, order)                                                             \
    ((exo_u32)model_rmw(MODEL_SITE(SITE_RMW, order), model_own32(p), 4, RMW_AND, value))
#define exo_fetch_add64(p, value, order)                                                             \
    model_rmw(MODEL_SITE(SITE_RMW, order), model_own64(p), 8, RMW_ADD, value)
#define exo_cas32(p, expected, desired, order)                                                       \
    model_cas32(MODEL_SITE(SITE_RMW, order), model_own32(p), expected, desired)
#define exo_cas64(p, expected, desired, order)                                                       \
    model_cas(MODEL_SITE(SITE_RMW, order), model_own64(p), 8, expected, desired)

#define exo_fence_seq() model_fence_seq(MODEL_SITE(SITE_FENCE_SEQ, EXO_ACQ_REL))
#define exo_fence_compiler() model_fence_compiler(MODEL_SITE(SITE_FENCE_COMPILER, EXO_ACQ_REL))

#define exo_fence_acquire() model_fence_acquire(MODEL_SITE(SITE_FENCE_ACQUIRE, EXO_ACQUIRE))
#define exo_fence_release() model_fence_release(MODEL_SITE(SITE_FENCE_RELEASE, EXO_RELEASE))

#define EXO_HAS_PAIR 0

EXO_HOT void exo_store_pair_relaxed(exo_word64 *p, exo_u64 low, exo_u64 high)
{
    exo_store64(p, low, EXO_RELAXED);
    exo_store64(p + 1, high, EXO_RELAXED);
}

EXO_HOT void exo_load_pair_relaxed(void *to, const exo_word64 *p)
{
    exo_u64 pair[2];
    pair[0] = exo_load64(p, EXO_RELAXED);
    pair[1] = exo_load64(p + 1, EXO_RELAXED);
    __builtin_memcpy(to, pair, sizeof(pair));
}

#endif
