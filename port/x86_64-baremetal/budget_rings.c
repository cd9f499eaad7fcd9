/* SPDX-License-Identifier: MIT */
/*
 * What messages cost, when nobody has to wait: one thread has both ends.
 */
#include "budget.h"
#include "exo_ipc/exo_ipc.h"

#define ROUNDS 64u

static struct exo_ring ring;
static struct exo_sender tx;
static struct exo_receiver rx;

/* Inline messages, in and out, in a mode that the compiler knows. */
#define MEASURE_INLINE(name, mode, bytes)                                                          \
    static __attribute__((noinline)) exo_bool name(exo_u32 *send, exo_u32 *recv)                   \
    {                                                                                              \
        exo_u64 there[(bytes) / 8] = {1};                                                          \
        exo_u64 here[(bytes) / 8];                                                                 \
        exo_u64 sent = 0;                                                                          \
        exo_u64 received = 0;                                                                      \
        exo_u32 i;                                                                                 \
        for (i = 0; i < ROUNDS; i++) {                                                             \
            exo_u64 begin = budget_stamp();                                                        \
            if (exo_send_inline_as(&tx, mode, there, bytes) != EXO_OK) {                           \
                return EXO_FALSE;                                                                  \
            }                                                                                      \
            sent += budget_stamp() - begin;                                                        \
            begin = budget_stamp();                                                                \
            if (exo_recv_inline_as(&rx, mode, here, bytes) != (bytes)) {                           \
                return EXO_FALSE;                                                                  \
            }                                                                                      \
            received += budget_stamp() - begin;                                                    \
            if (here[0] != there[0]) {                                                             \
                return EXO_FALSE;                                                                  \
            }                                                                                      \
        }                                                                                          \
        *send = budget_mean(sent, ROUNDS);                                                         \
        *recv = budget_mean(received, ROUNDS);                                                     \
        return EXO_TRUE;                                                                           \
    }

MEASURE_INLINE(measure_8, EXO_SPSC, 8)
MEASURE_INLINE(measure_56, EXO_SPSC, 56)
MEASURE_INLINE(measure_polled, EXO_SPSC | EXO_MODE_POLLED, 8)

/* A loan is sent, viewed and released; what is in it, nobody touches. */
static __attribute__((noinline)) exo_u32 measure_loan(exo_size bytes)
{
    exo_u64 total = 0;
    exo_u32 i;
    for (i = 0; i < ROUNDS; i++) {
        struct exo_loaned loan;
        struct exo_viewed view;
        exo_u64 begin;
        if (exo_loan(&tx, bytes, &loan) != EXO_OK) {
            return ~0u;
        }
        begin = budget_stamp();
        if (exo_send_loan_as(&tx, EXO_SPSC, &loan) != EXO_OK || exo_view_as(&rx, EXO_SPSC, &view) != EXO_OK ||
            exo_release_as(&rx, EXO_SPSC, &view) != EXO_OK) {
            return ~0u;
        }
        total += budget_stamp() - begin;
    }
    return budget_mean(total, ROUNDS);
}

/* The same with a copy into the loan, and one out of it. */
static __attribute__((noinline)) exo_u32 measure_copy(void *buffer, exo_size bytes)
{
    exo_u64 total = 0;
    exo_u32 i;
    for (i = 0; i < ROUNDS; i++) {
        exo_u64 begin = budget_stamp();
        exo_bool good = exo_send(&tx, buffer, bytes) == EXO_OK && exo_recv(&rx, buffer, bytes) == (exo_i64)bytes;
        total += budget_stamp() - begin;
        if (!good) {
            return ~0u;
        }
    }
    return budget_mean(total, ROUNDS);
}

/* The four calls, each by itself. */
static __attribute__((noinline)) exo_bool measure_parts(exo_size bytes, exo_u32 *parts)
{
    exo_u64 totals[4] = {0, 0, 0, 0};
    exo_u32 i;
    for (i = 0; i < ROUNDS; i++) {
        struct exo_loaned loan;
        struct exo_viewed view;
        exo_u64 stamp[5];
        exo_bool good;
        exo_u32 part;
        stamp[0] = budget_stamp();
        good = exo_loan(&tx, bytes, &loan) == EXO_OK;
        stamp[1] = budget_stamp();
        good = good && exo_send_loan(&tx, &loan) == EXO_OK;
        stamp[2] = budget_stamp();
        good = good && exo_view(&rx, &view) == EXO_OK;
        stamp[3] = budget_stamp();
        good = good && exo_release(&rx, &view) == EXO_OK;
        stamp[4] = budget_stamp();
        for (part = 0; part < 4; part++) {
            totals[part] += stamp[part + 1] - stamp[part];
        }
        if (!good) {
            return EXO_FALSE;
        }
    }
    for (i = 0; i < 4; i++) {
        parts[i] = budget_mean(totals[i], ROUNDS);
    }
    return EXO_TRUE;
}

static void measure_polled_ring(void)
{
    static const struct exo_ring_config config = {.mode = EXO_SPSC | EXO_MODE_POLLED};
    if (exo_ring_create(&ring, &config, &tx, &rx) == EXO_OK) {
        (void)measure_polled(&budget_counted[BUDGET_SEND_POLLED], &budget_counted[BUDGET_RECV_POLLED]);
        exo_ring_destroy(&ring);
    }
}

void budget_measure_rings(void)
{
    static const struct exo_ring_config config = {.arena_size = 0x100000, .block_size = 4096};
    void *buffer = exo_port_page_alloc(0x10000);
    exo_u32 *counted = budget_counted;
    if (buffer == EXO_NULL || exo_ring_create(&ring, &config, &tx, &rx) != EXO_OK) {
        return;
    }
    (void)measure_8(&counted[BUDGET_SEND_8], &counted[BUDGET_RECV_8]);
    (void)measure_56(&counted[BUDGET_SEND_56], &counted[BUDGET_RECV_56]);
    counted[BUDGET_LOAN_56] = measure_loan(56);
    counted[BUDGET_LOAN_1K] = measure_loan(1024);
    counted[BUDGET_LOAN_4K] = measure_loan(4096);
    counted[BUDGET_LOAN_64K] = measure_loan(65536);
    (void)measure_parts(4096, &counted[BUDGET_PART_LOAN]);
    counted[BUDGET_COPY_4K] = measure_copy(buffer, 4096);
    counted[BUDGET_COPY_64K] = measure_copy(buffer, 65536);
    exo_ring_destroy(&ring);
    exo_port_page_free(buffer, 0x10000);
    measure_polled_ring();
}
