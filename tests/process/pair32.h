/* SPDX-License-Identifier: MIT */
/*
 * What test_pair32.c and peer32_main.c agree on: one file with a ring in each direction, and a dialogue.
 * The peer answers each message with the same numbers, changed by PAIR32_ANSWER.
 */
#ifndef EXO_TESTS_PAIR32_H
#define EXO_TESTS_PAIR32_H

#include "exo_ipc/exo_ipc.h"

#define PAIR32_DESCRIPTOR 100 /* where the peer finds the file */
#define PAIR32_PART 131072u   /* each of the four segments begins a multiple of this into the file */
#define PAIR32_BYTES (4 * PAIR32_PART)
#define PAIR32_OUT_TX 0u /* the 64-bit side sends through OUT, receives through IN */
#define PAIR32_OUT_RX 1u
#define PAIR32_IN_TX 2u
#define PAIR32_IN_RX 3u

#define PAIR32_ROUNDS 500u
#define PAIR32_LOT 30u /* packed items of 8 bytes */
#define PAIR32_LONG 3000u
#define PAIR32_ANSWER 0x5A5A5A5A5A5A5A5Aull

EXO_INLINE struct exo_ring_config pair32_config(void)
{
    struct exo_ring_config config = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    config.slots = 16;
    config.slot_size = 128;
    config.mode = EXO_SPSC | EXO_POLLED;
    config.profile = EXO_CRASH_SAFE;
    config.arena_size = 16384;
    config.type = 0x123456789ABCDEF0ull;
    config.start = 0xFFFFFFF0ull;
    return config;
}

#endif
