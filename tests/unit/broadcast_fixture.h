/* SPDX-License-Identifier: MIT */
/*
 * What the tests of broadcasts share: one of either policy in memory that AddressSanitizer watches, positions from 0 and
 * from just below 2^32, numbered messages.
 *
 * A claim about both policies is a function of a configuration, registered with IN_BOTH; one about one of them with
 * IN_RELIABLE or IN_LATEST. All of them come with either start.
 */
#ifndef EXO_TESTS_BROADCAST_FIXTURE_H
#define EXO_TESTS_BROADCAST_FIXTURE_H

#include "ring_fixture.h"

#define SUBSCRIBERS 4u
#define BLOCK 64u
#define BLOCKS 8u
#define MILLISECOND_NS 1000000ull

struct cast {
    struct exo_broadcast broadcast;
    struct exo_publisher tx;
    struct exo_subscriber sub[SUBSCRIBERS];
    void *memory;
};

/* Eight slots, eight blocks, four places; nobody is cut off before a test waits for it. */
EXO_INLINE struct exo_broadcast_config cast_config(exo_u32 policy, exo_u64 start)
{
    struct exo_broadcast_config config = {0};
    config.slots = 8;
    config.subscribers = SUBSCRIBERS;
    config.policy = policy;
    config.arena_size = BLOCKS * BLOCK;
    config.block_size = BLOCK;
    config.spin = 1;
    config.lag_ns = EXO_FOREVER;
    config.start = start;
    return config;
}

EXO_INLINE void cast_open(struct cast *cast, const struct exo_broadcast_config *config)
{
    exo_size bytes = 0;
    assert_int_equal(exo_broadcast_bytes(config, &bytes), EXO_OK);
    cast->memory = aligned_alloc(EXO_LINE_PAIR, exo_align_up(bytes, EXO_LINE_PAIR));
    assert_non_null(cast->memory);
    memset(cast->memory, 0xA5, bytes); /* a broadcast must not rely on what was there, */
    memset(&cast->tx, 0xA5, sizeof(cast->tx)); /* nor its handle */
    assert_int_equal(exo_broadcast_init(&cast->broadcast, config, cast->memory, bytes, &cast->tx), EXO_OK);
}

EXO_INLINE void cast_close(struct cast *cast)
{
    free(cast->memory);
    cast->memory = NULL;
}

/* The first n handles subscribe and are admitted. */
EXO_INLINE void cast_join(struct cast *cast, exo_u32 n)
{
    exo_u32 i;
    for (i = 0; i < n; i++) {
        assert_int_equal(exo_broadcast_subscribe(&cast->broadcast, &cast->sub[i], 0), EXO_OK);
    }
    assert_int_equal(exo_broadcast_subscribers(&cast->tx), n);
}

EXO_INLINE exo_status cast_number(struct cast *cast, exo_u64 number)
{
    return exo_broadcast_send(&cast->tx, &number, sizeof(number));
}

/* The numbers from first to last are sent. */
EXO_INLINE void cast_numbers(struct cast *cast, exo_u64 first, exo_u64 last)
{
    for (; first <= last; first++) {
        assert_int_equal(cast_number(cast, first), EXO_OK);
    }
}

/* The number received, or the negative reason why there is none. */
EXO_INLINE exo_i64 hear_number(struct exo_subscriber *sub)
{
    exo_i64 number = 0;
    exo_i64 len = exo_subscriber_recv(sub, &number, sizeof(number));
    return len < 0 ? len : len == (exo_i64)sizeof(number) ? number : -1000 - len;
}

EXO_INLINE void hear_numbers(struct exo_subscriber *sub, exo_i64 first, exo_i64 last)
{
    for (; first <= last; first++) {
        assert_int_equal(hear_number(sub), first);
    }
}

/* A message by reference that is filled with a number. */
EXO_INLINE exo_status cast_loan(struct cast *cast, exo_size size, exo_u8 number)
{
    struct exo_loaned loan;
    exo_status status = exo_broadcast_loan(&cast->tx, size, &loan);
    if (status != EXO_OK) {
        return status;
    }
    memset(loan.data, number, size);
    status = exo_broadcast_send_loan(&cast->tx, &loan);
    if (status != EXO_OK) {
        assert_int_equal(exo_broadcast_loan_cancel(&cast->tx, &loan), EXO_OK);
    }
    return status;
}

EXO_INLINE void assert_filled(const void *data, exo_size len, exo_u8 number)
{
    exo_size i;
    for (i = 0; i < len; i++) {
        assert_int_equal(((const exo_u8 *)data)[i], number);
    }
}

/* The next message is a view of so many bytes of that number, which stays open. */
EXO_INLINE void open_view(struct exo_subscriber *sub, struct exo_viewed *view, exo_size len, exo_u8 number)
{
    assert_int_equal(exo_subscriber_view(sub, view), EXO_OK);
    assert_int_equal(view->len, len);
    assert_filled(view->data, len, number);
}

EXO_INLINE void hear_view(struct exo_subscriber *sub, exo_size len, exo_u8 number)
{
    struct exo_viewed view;
    open_view(sub, &view, len, number);
    assert_int_equal(exo_subscriber_release(sub, &view), EXO_OK);
}

/* Time passes until so much of it is over. */
EXO_INLINE void outwait(exo_u64 nanoseconds)
{
    exo_u64 until = exo_port_now_ns() + nanoseconds;
    while (exo_port_now_ns() < until) {
        exo_cpu_relax();
    }
}

/* Who holds the sender back is tolerated for the limit and no longer: once it has passed since a call was refused, the next
 * call is not, however late the machine makes it. Returns how long it was refused at most. */
EXO_INLINE exo_u64 refused_until_the_limit(struct cast *cast, exo_status (*try_once)(struct cast *cast))
{
    exo_u64 began = exo_port_now_ns();
    exo_u64 first = 0; /* when the first refusal was known */
    exo_u64 turn = began;
    while (try_once(cast) == EXO_FULL) {
        first = first == 0 ? exo_port_now_ns() : first;
        assert_true(turn < first + cast->tx.lag_ns);
        turn = exo_port_now_ns();
    }
    return exo_port_now_ns() - began;
}

/* One claim, and what it failed with. */
struct cast_claim {
    void (*claim)(struct exo_broadcast_config config);
    exo_u32 policies; /* bit by bit */
    const char *at;
};

EXO_INLINE void claim_in_policies(void **state)
{
    static const char *const names[2] = {"reliable", "latest"};
    struct cast_claim *run = (struct cast_claim *)*state;
    exo_u32 policy;
    for (policy = EXO_RELIABLE; policy <= EXO_LATEST; policy++) {
        if ((run->policies >> policy & 1) != 0) {
            run->at = names[policy];
            run->claim(cast_config(policy, 0));
            run->claim(cast_config(policy, NEAR_WRAP));
        }
    }
    run->at = NULL;
}

EXO_INLINE int tell_the_policy(void **state)
{
    const struct cast_claim *run = (const struct cast_claim *)*state;
    if (run->at != NULL) {
        print_message("             (%s)\n", run->at);
    }
    return 0;
}

#define IN_POLICIES(body, policies)                                               \
    {                                                                             \
#body, claim_in_policies, NULL, tell_the_policy, &(struct cast_claim) \
        {                                                                         \
            (body), (policies), NULL                                              \
        }                                                                         \
    }
#define IN_RELIABLE(body) IN_POLICIES(body, 1u)
#define IN_LATEST(body)   IN_POLICIES(body, 2u)
#define IN_BOTH(body)     IN_POLICIES(body, 3u)

#endif
