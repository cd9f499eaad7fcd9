/* SPDX-License-Identifier: MIT */
/*
 * A ring with an arena in any mode and profile, with one receiver and up to two senders, all in this process.
 */
#ifndef EXO_TESTS_ZEROCOPY_FIXTURE_H
#define EXO_TESTS_ZEROCOPY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exo_ipc/fusion_ring/batch.h"
#include "exo_ipc/fusion_ring/create.h"

#define BLOCK 256u
#define ARENA 4096u
#define BLOCKS (ARENA / BLOCK)
#define BELOW_WRAP (0xFFFFFFFFull - 2)

struct variant {
    exo_u32 mode;
    exo_u32 profile;
    exo_u64 start;
};

static const struct variant variants[] = {
    {EXO_SPSC, EXO_THREADS, 0},
    {EXO_SPSC, EXO_CRASH_SAFE, BELOW_WRAP},
    {EXO_SPSC, EXO_HOSTILE, 0},
    {EXO_SPSC, EXO_HOSTILE, BELOW_WRAP},
    {EXO_MPSC, EXO_THREADS, BELOW_WRAP},
    {EXO_MPSC, EXO_CRASH_SAFE, 0},
    {EXO_MPSC, EXO_CRASH_SAFE, BELOW_WRAP},
    {EXO_SPMC, EXO_THREADS, 0},
    {EXO_SPMC, EXO_THREADS, BELOW_WRAP},
    {EXO_MPMC, EXO_THREADS, BELOW_WRAP},
    {EXO_MPMC | EXO_POLLED, EXO_THREADS, 0},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

struct pair {
    struct exo_ring ring;
    struct exo_sender tx;
    struct exo_receiver rx;
    struct exo_sender second; /* open_second() only */
    void *second_books;
};

static exo_u64 random_state;

EXO_INLINE exo_u32 random_below(exo_u32 bound)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (exo_u32)(((random_state >> 33) * bound) >> 31);
}

EXO_INLINE void open_sized(struct pair *pair, const struct variant *variant, exo_u32 slots, exo_size arena)
{
    struct exo_ring_config config = {0};
    config.mode = variant->mode;
    config.profile = variant->profile;
    config.start = variant->start;
    config.slots = slots;
    config.arena_size = arena;
    config.block_size = BLOCK;
    config.producers = (variant->mode & EXO_MODE_MP) != 0 ? 2 : 0;
    memset(pair, 0, sizeof(*pair));
    assert_int_equal(exo_ring_create(&pair->ring, &config, &pair->tx, &pair->rx), EXO_OK);
}

EXO_INLINE void open_pair(struct pair *pair, const struct variant *variant)
{
    open_sized(pair, variant, 8, ARENA);
}

/* A second sender. In the crash-safe profile it stands for another process and has books of its own. */
EXO_INLINE void open_second(struct pair *pair, const struct variant *variant)
{
    struct exo_ring_memory memory = pair->ring.sender;
    if (variant->profile != EXO_THREADS) {
        pair->second_books = aligned_alloc(EXO_CACHE_LINE, memory.books_bytes);
        assert_non_null(pair->second_books);
        memset(pair->second_books, 0, memory.books_bytes);
        memory.books = pair->second_books;
    }
    assert_int_equal(exo_sender_attach(&pair->second, &memory, 0, NULL), EXO_OK);
}

EXO_INLINE void close_pair(struct pair *pair)
{
    exo_ring_destroy(&pair->ring);
    free(pair->second_books);
}

/* A loan of `size` bytes, filled with a pattern that belongs to `seed`. */
EXO_INLINE struct exo_loaned filled_loan(struct exo_sender *tx, exo_size size, exo_u32 seed)
{
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    exo_size i;
    assert_int_equal(exo_loan(tx, size, &loan), EXO_OK);
    for (i = 0; i < size; i++) {
        ((exo_u8 *)loan.data)[i] = (exo_u8)(seed * 31 + i * 7 + i / 256);
    }
    return loan;
}

EXO_INLINE exo_bool has_pattern(const void *data, exo_size size, exo_u32 seed)
{
    exo_size i;
    for (i = 0; i < size; i++) {
        if (((const exo_u8 *)data)[i] != (exo_u8)(seed * 31 + i * 7 + i / 256)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

EXO_INLINE void send_filled(struct exo_sender *tx, exo_size size, exo_u32 seed)
{
    struct exo_loaned loan = filled_loan(tx, size, seed);
    assert_int_equal(exo_send_loan(tx, &loan), EXO_OK);
}

EXO_INLINE void assert_loan_equal(const struct exo_loaned *a, const struct exo_loaned *b)
{
    assert_ptr_equal(a->data, b->data);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->off, b->off);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->token, b->token);
}

/* Receives one message by view, of the given size and pattern, and releases it. */
EXO_INLINE void expect_filled(struct exo_receiver *rx, exo_size size, exo_u32 seed)
{
    struct exo_viewed view;
    assert_int_equal(exo_view(rx, &view), EXO_OK);
    assert_int_equal(view.len, size);
    assert_true(has_pattern(view.data, size, seed));
    assert_int_equal(exo_release(rx, &view), EXO_OK);
}

#endif
