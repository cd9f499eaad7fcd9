/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share. An input is a list of steps, each a byte that says what is done and the bytes it needs; where
 * they run out it ends. Some steps are the attacker's, some the victim's. A broken promise aborts
 * (STAGE_CHECK); what lies outside faults.
 */
#ifndef EXO_TESTS_FUZZ_H
#define EXO_TESTS_FUZZ_H

#include "ways.h"

#define FUZZ_STEPS 200u /* of one input at most */

int LLVMFuzzerTestOneInput(const exo_u8 *data, exo_size size);

struct fuzz_input {
    const exo_u8 *at;
    exo_size left;
};

/* The next `bytes` <= 8 bytes as a number, 0 where there are none. */
EXO_INLINE exo_u64 fuzz_take(struct fuzz_input *input, exo_u32 bytes)
{
    exo_u64 value = 0;
    exo_u32 i;
    for (i = 0; i < bytes && input->left != 0; i++) {
        value |= (exo_u64)*input->at << (8 * i);
        input->at++;
        input->left--;
    }
    return value;
}

/* A number below `limit`, of one byte. */
EXO_INLINE exo_u32 fuzz_below(struct fuzz_input *input, exo_u32 limit)
{
    return (exo_u32)fuzz_take(input, 1) % limit;
}

/* Positions begin at 0, just below 2^32, just below 2^64, or at 2^63. */
EXO_INLINE exo_u64 fuzz_start(exo_u32 choice)
{
    static const exo_u64 starts[] = {0, STAGE_WRAP, ~(exo_u64)3, (exo_u64)1 << 63};
    return starts[choice % 4];
}

/* A word near `of`, or any word. */
EXO_INLINE exo_u64 fuzz_near(struct fuzz_input *input, exo_u64 of)
{
    exo_u32 how = fuzz_below(input, 8);
    if (how == 7) {
        return fuzz_take(input, 8);
    }
    if (how >= 5) {
        return of + ((exo_u64)1 << (fuzz_take(input, 1) & 63)) * (how == 6 ? 1 : ~(exo_u64)0);
    }
    return of + fuzz_take(input, 1) - 128;
}

/* One ring for all inputs: two kinds of slot, made once. */
EXO_INLINE struct stage *fuzz_stage(exo_u32 options)
{
    static struct stage stages[2];
    static exo_bool made[2];
    struct stage *stage = &stages[options & 1];
    exo_u64 start = fuzz_start(options >> 1);
    if (!made[options & 1]) {
        struct exo_ring_config config = stage_config(0);
        config.slot_size = (options & 1) != 0 ? 64 : 128;
        stage_make(stage, &config);
        made[options & 1] = EXO_TRUE;
    }
    stage->config.start = start;
    stage->geometry.start = start;
    stage_reset(stage);
    stage_attach(stage);
    return stage;
}

#endif
