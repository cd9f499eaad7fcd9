/* SPDX-License-Identifier: MIT */
/*
 * Conformance: the ring itself runs on the port, by both paths, in every mode, asleep and awake. What a
 * ring promises in detail is tested elsewhere; here it must hold under this port's flags and hooks.
 */
#ifndef EXO_TESTS_RING_SMOKE_H
#define EXO_TESTS_RING_SMOKE_H

#include "conformance.h"
#include "exo_ipc/exo_ipc.h"

static const exo_u32 ring_modes[] = {EXO_SPSC, EXO_MPSC, EXO_SPMC, EXO_MPMC};

#define RING_MODES (sizeof(ring_modes) / sizeof(ring_modes[0]))

/* Eight slots, whose positions pass 2^32 after a few messages. */
EXO_INLINE struct exo_ring_config ring_config(exo_u32 mode)
{
    struct exo_ring_config config = {8, 0, mode, EXO_THREADS, 0, 0, 4096, 256, 0, 0};
    config.start = 0xFFFFFFFFull - 10;
    return config;
}

/* Message number n: its length is n modulo 57. */
EXO_INLINE exo_size fill_message(exo_u8 *bytes, exo_u32 n)
{
    exo_size len = n % (EXO_INLINE_THRESHOLD + 1);
    exo_size i;
    for (i = 0; i < len; i++) {
        bytes[i] = (exo_u8)(n + i);
    }
    return len;
}

EXO_INLINE exo_bool is_message(const exo_u8 *bytes, exo_i64 len, exo_u32 n)
{
    exo_u8 wanted[EXO_INLINE_THRESHOLD];
    exo_i64 i;
    if (len != (exo_i64)fill_message(wanted, n)) {
        return EXO_FALSE;
    }
    for (i = 0; i < len && bytes[i] == wanted[i]; i++) {
    }
    return i == len;
}

static const char *fill_drain_and_wrap(struct exo_sender *tx, struct exo_receiver *rx)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u32 sent = 0;
    exo_u32 received = 0;
    exo_u32 round;
    for (round = 0; round < 20; round++) {
        exo_u32 in_flight;
        for (in_flight = 0; in_flight < 8; in_flight++, sent++) {
            exo_size len = fill_message(bytes, sent);
            CONFORMANCE_REQUIRE(exo_send_inline(tx, bytes, len) == EXO_OK);
        }
        CONFORMANCE_REQUIRE(exo_send_inline(tx, bytes, 1) == EXO_FULL);
        for (; in_flight > 0; in_flight--, received++) {
            exo_i64 len = exo_recv_inline(rx, bytes, sizeof(bytes));
            CONFORMANCE_REQUIRE(is_message(bytes, len, received));
        }
        CONFORMANCE_REQUIRE(exo_recv_inline(rx, bytes, sizeof(bytes)) == EXO_EMPTY);
    }
    return (const char *)EXO_NULL;
}

static const char *a_ring_fills_drains_and_wraps_in_every_mode(struct conformance_host *host)
{
    const char *verdict = (const char *)EXO_NULL;
    exo_u32 i;
    (void)host;
    for (i = 0; i < RING_MODES && verdict == EXO_NULL; i++) {
        struct exo_ring_config config = ring_config(ring_modes[i]);
        static struct exo_ring ring;
        static struct exo_sender tx;
        static struct exo_receiver rx;
        CONFORMANCE_REQUIRE(exo_ring_create(&ring, &config, &tx, &rx) == EXO_OK);
        verdict = fill_drain_and_wrap(&tx, &rx);
        exo_ring_destroy(&ring);
    }
    return verdict;
}

static const char *lend_send_view_release(struct exo_sender *tx, struct exo_receiver *rx)
{
    exo_u32 round;
    for (round = 0; round < 50; round++) {
        struct exo_loaned loan;
        struct exo_viewed view;
        const void *lent;
        exo_size i;
        CONFORMANCE_REQUIRE(exo_loan(tx, 1000, &loan) == EXO_OK);
        lent = loan.data;
        for (i = 0; i < 1000; i++) {
            ((exo_u8 *)loan.data)[i] = (exo_u8)(round + i);
        }
        CONFORMANCE_REQUIRE(exo_send_loan(tx, &loan) == EXO_OK);
        CONFORMANCE_REQUIRE(exo_view(rx, &view) == EXO_OK);
        CONFORMANCE_REQUIRE(view.data == lent && view.len == 1000);
        for (i = 0; i < 1000; i++) {
            CONFORMANCE_REQUIRE(((const exo_u8 *)view.data)[i] == (exo_u8)(round + i));
        }
        CONFORMANCE_REQUIRE(exo_loans_outstanding(tx) == 1024);
        CONFORMANCE_REQUIRE(exo_release(rx, &view) == EXO_OK);
        CONFORMANCE_REQUIRE(exo_loans_outstanding(tx) == 0);
        CONFORMANCE_REQUIRE(exo_view(rx, &view) == EXO_EMPTY);
    }
    return (const char *)EXO_NULL;
}

static const char *
a_loan_reaches_the_receiver_where_it_lies_and_comes_back(struct conformance_host *host)
{
    const char *verdict = (const char *)EXO_NULL;
    exo_u32 i;
    (void)host;
    for (i = 0; i < RING_MODES && verdict == EXO_NULL; i++) {
        struct exo_ring_config config = ring_config(ring_modes[i]);
        static struct exo_ring ring;
        static struct exo_sender tx;
        static struct exo_receiver rx;
        CONFORMANCE_REQUIRE(exo_ring_create(&ring, &config, &tx, &rx) == EXO_OK);
        verdict = lend_send_view_release(&tx, &rx);
        exo_ring_destroy(&ring);
    }
    return verdict;
}

static const char *blocking_calls_end_at_their_deadline(struct conformance_host *host)
{
    static struct exo_ring ring;
    static struct exo_sender tx;
    static struct exo_receiver rx;
    struct exo_ring_config config = ring_config(EXO_SPSC);
    exo_u8 bytes[EXO_INLINE_THRESHOLD] = {0};
    exo_u64 start = exo_port_now_ns();
    exo_u32 i;
    (void)host;
    CONFORMANCE_REQUIRE(exo_ring_create(&ring, &config, &tx, &rx) == EXO_OK);
    CONFORMANCE_REQUIRE(exo_recv_blocking(&rx, bytes, sizeof(bytes), start + CONFORMANCE_MS) ==
                        EXO_TIMEOUT);
    for (i = 0; i < 8; i++) {
        CONFORMANCE_REQUIRE(exo_send_inline(&tx, bytes, 8) == EXO_OK);
    }
    start = exo_port_now_ns();
    CONFORMANCE_REQUIRE(exo_send_blocking(&tx, bytes, 8, start + CONFORMANCE_MS) == EXO_TIMEOUT);
    CONFORMANCE_REQUIRE(exo_port_now_ns() - start < 1000 * CONFORMANCE_MS);
    exo_ring_destroy(&ring);
    return (const char *)EXO_NULL;
}

/* Two rings, one each way, and a thread that sends back what it gets. */
struct ring_echo {
    struct exo_ring there;
    struct exo_ring back;
    struct exo_sender tx[2];
    struct exo_receiver rx[2];
};

static void echo_messages(void *argument)
{
    struct ring_echo *echo = (struct ring_echo *)argument;
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_i64 len;
    do { /* an empty message ends it; so does an error, by silence */
        len = exo_recv_blocking(&echo->rx[0], bytes, sizeof(bytes), EXO_FOREVER);
        if (len < 0 ||
            exo_send_blocking(&echo->tx[1], bytes, (exo_size)len, EXO_FOREVER) != EXO_OK) {
            return;
        }
    } while (len != 0);
}

static const char *call_the_echo(struct ring_echo *echo, exo_u32 messages)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u64 last = exo_port_now_ns() + 400 * CONFORMANCE_MS;
    exo_u64 deadline = exo_port_now_ns() + 10000 * CONFORMANCE_MS;
    exo_u32 n;
    exo_i64 len;
    for (n = 1; n < messages && exo_port_now_ns() < last; n++) {
        exo_u32 number = n % 57 == 0 ? n + 1 : n;
        exo_size size = fill_message(bytes, number);
        CONFORMANCE_REQUIRE(exo_send_blocking(&echo->tx[0], bytes, size, deadline) == EXO_OK);
        len = exo_recv_blocking(&echo->rx[1], bytes, sizeof(bytes), deadline);
        CONFORMANCE_REQUIRE(is_message(bytes, len, number));
    }
    CONFORMANCE_REQUIRE(exo_send_blocking(&echo->tx[0], bytes, 0, deadline) == EXO_OK);
    CONFORMANCE_REQUIRE(exo_recv_blocking(&echo->rx[1], bytes, sizeof(bytes), deadline) == 0);
    return (const char *)EXO_NULL;
}

static const char *
an_echo_between_two_threads_never_sleeps_through_a_message(struct conformance_host *host)
{
    static struct ring_echo echo[RING_MODES];
    const char *verdict = (const char *)EXO_NULL;
    exo_u32 i;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    for (i = 0; i < RING_MODES && verdict == EXO_NULL; i++) {
        struct exo_ring_config config = ring_config(ring_modes[i]);
        config.spin = 1; /* sleep as often as can be */
        CONFORMANCE_REQUIRE(
            exo_ring_create(&echo[i].there, &config, &echo[i].tx[0], &echo[i].rx[0]) == EXO_OK);
        CONFORMANCE_REQUIRE(
            exo_ring_create(&echo[i].back, &config, &echo[i].tx[1], &echo[i].rx[1]) == EXO_OK);
        CONFORMANCE_REQUIRE(conformance_start(host, 1, echo_messages, &echo[i]));
        verdict = call_the_echo(&echo[i], 2000);
        if (verdict != EXO_NULL) {
            host->hung = EXO_TRUE; /* the echo still waits */
            return verdict;
        }
        CONFORMANCE_REQUIRE(conformance_join(host, 1));
        exo_ring_destroy(&echo[i].back);
        exo_ring_destroy(&echo[i].there);
    }
    return verdict;
}

static const struct conformance_claim claims_ring[] = {
    CONFORMANCE_CLAIM(a_ring_fills_drains_and_wraps_in_every_mode),
    CONFORMANCE_CLAIM(a_loan_reaches_the_receiver_where_it_lies_and_comes_back),
    CONFORMANCE_CLAIM(blocking_calls_end_at_their_deadline),
    CONFORMANCE_CLAIM(an_echo_between_two_threads_never_sleeps_through_a_message),
};

#endif
