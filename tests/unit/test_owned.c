/* SPDX-License-Identifier: MIT */
/*
 * Producers that may die (mp, crash-safe): what a dead one has claimed is stepped over once it is buried,
 * nobody else loses a message, its place is free again. Death is played: a thread attaches, claims,
 * and ends; exo_port_self() of it names the dead one.
 */
#include "ring_fixture.h"

/* A producer that ends with open reservations. */
struct victim {
    const struct exo_ring *ring;
    struct exo_sender tx;
    struct exo_reserved reserved[8];
    exo_u32 claims;
    exo_u32 self;
    exo_status status;
};

static void *attach_claim_and_end(void *argument)
{
    struct victim *victim = (struct victim *)argument;
    exo_u32 i;
    victim->self = exo_port_self();
    victim->status = exo_ring_sender(victim->ring, &victim->tx);
    for (i = 0; i < victim->claims && victim->status == EXO_OK; i++) {
        victim->status = exo_reserve(&victim->tx, 8, &victim->reserved[i]);
    }
    return NULL;
}

static void make_victim(struct victim *victim, const struct fixture *f, exo_u32 claims)
{
    pthread_t thread;
    victim->ring = &f->ring;
    victim->claims = claims;
    assert_int_equal(pthread_create(&thread, NULL, attach_claim_and_end, victim), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(victim->status, EXO_OK);
}

static const exo_u64 starts[] = {0, NEAR_WRAP};

static struct exo_ring_config owned_config(exo_u64 start)
{
    return plain_config(EXO_MPSC, EXO_CRASH_SAFE, start);
}

#define WITH_BOTH_STARTS(body)                  \
    static void body(void **state)              \
    {                                           \
        exo_size i;                             \
        (void)state;                            \
        for (i = 0; i < COUNT(starts); i++) {   \
            body##_in(owned_config(starts[i])); \
        }                                       \
    }

static void
the_claim_of_a_dead_producer_holds_the_ring_up_until_it_is_buried_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victim;
    exo_u64 n;
    fixture_open(&f, &config);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    make_victim(&victim, &f, 1);
    for (n = 2; n < 5; n++) {
        assert_int_equal(send_number(&f.tx, n), EXO_OK); /* the others are not held up */
    }
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(exo_wait_readable(&f.rx, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_OK);
    assert_int_equal(exo_wait_readable(&f.rx, EXO_NOW), EXO_OK);
    for (n = 2; n < 5; n++) {
        assert_int_equal(recv_number(&f.rx), n); /* in the order they were sent */
    }
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    fixture_close(&f);
}
WITH_BOTH_STARTS(the_claim_of_a_dead_producer_holds_the_ring_up_until_it_is_buried)

static void
claims_of_the_dead_and_messages_of_the_living_may_alternate_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victims[3];
    exo_u64 got[8];
    exo_u64 n;
    exo_u32 lap;
    fixture_open(&f, &config);
    for (lap = 0; lap < 10; lap++) {
        for (n = 0; n < 3; n++) {
            make_victim(&victims[n], &f, 1);
            assert_int_equal(send_number(&f.tx, n), EXO_OK);
        }
        for (n = 3; n != 0; n--) {
            assert_int_equal(exo_sender_bury(&f.tx, victims[n - 1].self), EXO_OK);
        }
        if (lap % 2 == 0) {
            assert_int_equal(exo_recv_bulk(&f.rx, got, 8, 3, NULL), 3);
            assert_true(got[0] == 0 && got[1] == 1 && got[2] == 2);
        } else {
            for (n = 0; n < 3; n++) {
                assert_int_equal(recv_number(&f.rx), n);
            }
        }
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    }
    fixture_close(&f);
}
WITH_BOTH_STARTS(claims_of_the_dead_and_messages_of_the_living_may_alternate)

static void a_ring_full_of_claims_of_the_dead_comes_free_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victim;
    fixture_open(&f, &config);
    make_victim(&victim, &f, 8);
    assert_int_equal(send_number(&f.tx, 1), EXO_FULL);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(send_number(&f.tx, 1), EXO_FULL);
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(fill_ring(&f.tx, 0), 8); /* over the very slots */
    assert_int_equal(recv_number(&f.rx), 0);
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_ring_full_of_claims_of_the_dead_comes_free)

static void a_place_is_reused_with_a_new_generation_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim first;
    struct victim second;
    config.producers = 2;
    fixture_open(&f, &config);
    make_victim(&first, &f, 1);
    assert_int_equal(exo_sender_bury(&f.tx, first.self), EXO_OK);
    make_victim(&second, &f, 1); /* in the place of the first */
    assert_ptr_equal(second.tx.owner, first.tx.owner);
    assert_int_not_equal(second.tx.claim >> 32, first.tx.claim >> 32);
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY); /* the second's claim is not the first's */
    assert_int_equal(exo_sender_bury(&f.tx, second.self), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_place_is_reused_with_a_new_generation)

static void a_survivor_in_the_place_of_the_dead_sends_as_before_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victim;
    struct exo_sender heir;
    config.producers = 2;
    fixture_open(&f, &config);
    make_victim(&victim, &f, 2);
    assert_int_equal(exo_ring_sender(&f.ring, &heir), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_OK);
    assert_int_equal(exo_ring_sender(&f.ring, &heir), EXO_OK);
    assert_int_equal(send_number(&heir, 1), EXO_OK);
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(recv_number(&f.rx), 2);
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_survivor_in_the_place_of_the_dead_sends_as_before)

static void burying_twice_or_nobody_is_not_found_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victim;
    exo_u32 open;
    fixture_open(&f, &config);
    make_victim(&victim, &f, 0);
    open = f.tx.tx->sync.open;
    assert_int_equal(exo_sender_bury(&f.tx, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_sender_bury(&f.tx, 0xFFFFFFu), EXO_NOT_FOUND);
    assert_int_equal(f.tx.tx->sync.open, open);
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_OK);
    assert_int_equal(f.tx.tx->sync.open, open - 1);
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_NOT_FOUND);
    assert_int_equal(f.tx.tx->sync.open, open - 1);
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(recv_number(&f.rx), EXO_CLOSED); /* the dead one does not keep the ring open */
    fixture_close(&f);
}
WITH_BOTH_STARTS(burying_twice_or_nobody_is_not_found)

static void only_rings_whose_claims_have_owners_bury(struct exo_ring_config config)
{
    struct fixture f;
    fixture_open(&f, &config);
    if (!is_owned(&config)) {
        assert_int_equal(exo_sender_bury(&f.tx, exo_port_self()), EXO_NOT_SUPPORTED);
        assert_int_equal(send_number(&f.tx, 1), EXO_OK);
        assert_int_equal(recv_number(&f.rx), 1);
    }
    fixture_close(&f);
}

static void *receive_one(void *argument)
{
    struct sleeping_thread *self = (struct sleeping_thread *)argument;
    thread_started(self);
    self->result = exo_recv_blocking(self->rx, &self->value, 8, in_seconds(10));
    return NULL;
}

static void
a_receiver_asleep_behind_the_claim_of_the_dead_wakes_at_the_burial_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim victim;
    struct sleeping_thread thread = {0};
    fixture_open(&f, &config);
    make_victim(&victim, &f, 1);
    assert_int_equal(send_number(&f.tx, 7), EXO_OK);
    thread.rx = &f.rx;
    thread_start(&thread, receive_one);
    assert_true(fell_asleep(&thread, &f.rx.rx->sync.waiters));
    assert_int_equal(exo_sender_bury(&f.tx, victim.self), EXO_OK);
    assert_int_equal(thread_join(&thread), 8);
    assert_int_equal(thread.value, 7);
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_receiver_asleep_behind_the_claim_of_the_dead_wakes_at_the_burial)

static void a_reservation_committed_late_keeps_its_place_in(struct exo_ring_config config)
{
    struct fixture f;
    struct victim slow;
    exo_u64 number = 1;
    fixture_open(&f, &config);
    make_victim(&slow, &f, 1); /* only slow: another thread goes on with its handle */
    assert_int_equal(send_number(&f.tx, 2), EXO_OK);
    memcpy(slow.reserved[0].data, &number, sizeof(number));
    assert_int_equal(exo_commit(&slow.tx, &slow.reserved[0], 8), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(recv_number(&f.rx), 2);
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_reservation_committed_late_keeps_its_place)

static void a_lot_that_does_not_fit_is_discarded_whole_in(struct exo_ring_config config)
{
    exo_u64 items[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct fixture f;
    struct victim slow;
    exo_u64 number = 50;
    fixture_open(&f, &config);
    make_victim(&slow, &f, 1);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, 8), EXO_FULL); /* 7 claimed, 7 discarded */
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    memcpy(slow.reserved[0].data, &number, sizeof(number));
    assert_int_equal(exo_commit(&slow.tx, &slow.reserved[0], 8), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 50);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(exo_send_bulk(&f.tx, items, 8, 8), 8);
    for (number = 0; number < 8; number++) {
        assert_int_equal(recv_number(&f.rx), number);
    }
    fixture_close(&f);
}
WITH_BOTH_STARTS(a_lot_that_does_not_fit_is_discarded_whole)

/* Two producers, each with at most two messages under way in a ring of 8: it is never full. */
#define TURNS 3000u

struct modest {
    struct exo_sender tx;
    exo_u32 taken; /* by the receiver */
    exo_u32 refused;
    exo_u64 deadline;
};

static void *send_modestly(void *argument)
{
    struct modest *self = (struct modest *)argument;
    exo_u64 n;
    for (n = 0; n < TURNS; n++) {
        exo_status status;
        while (n - exo_load32(&self->taken, EXO_ACQUIRE) >= 2) {
            if (exo_port_now_ns() > self->deadline) {
                return NULL;
            }
        }
        while ((status = exo_send_inline(&self->tx, &self, sizeof(self))) != EXO_OK) {
            self->refused++;
            if (exo_port_now_ns() > self->deadline) {
                return NULL;
            }
        }
    }
    return NULL;
}

static void a_ring_that_is_not_full_refuses_nobody(void **state)
{
    static struct modest senders[2];
    struct exo_ring_config config = owned_config(NEAR_WRAP);
    struct fixture f;
    pthread_t threads[2];
    exo_u64 deadline = in_seconds(15);
    exo_u32 left = 2 * TURNS;
    exo_u32 i;
    (void)state;
    fixture_open(&f, &config);
    for (i = 0; i < 2; i++) {
        senders[i].deadline = deadline;
        assert_int_equal(exo_ring_sender(&f.ring, &senders[i].tx), EXO_OK);
        assert_int_equal(pthread_create(&threads[i], NULL, send_modestly, &senders[i]), 0);
    }
    while (left != 0 && exo_port_now_ns() < deadline) {
        struct modest *from;
        if (exo_recv_inline(&f.rx, &from, sizeof(from)) == (exo_i64)sizeof(from)) {
            (void)exo_fetch_add32(&from->taken, 1u, EXO_RELEASE);
            left--;
        }
    }
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(senders[i].refused, 0);
    }
    assert_int_equal(left, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claim_of_a_dead_producer_holds_the_ring_up_until_it_is_buried),
        cmocka_unit_test(claims_of_the_dead_and_messages_of_the_living_may_alternate),
        cmocka_unit_test(a_ring_full_of_claims_of_the_dead_comes_free),
        cmocka_unit_test(a_place_is_reused_with_a_new_generation),
        cmocka_unit_test(a_survivor_in_the_place_of_the_dead_sends_as_before),
        cmocka_unit_test(burying_twice_or_nobody_is_not_found),
        IN_EVERY_KIND(only_rings_whose_claims_have_owners_bury),
        cmocka_unit_test(a_receiver_asleep_behind_the_claim_of_the_dead_wakes_at_the_burial),
        cmocka_unit_test(a_reservation_committed_late_keeps_its_place),
        cmocka_unit_test(a_lot_that_does_not_fit_is_discarded_whole),
        cmocka_unit_test(a_ring_that_is_not_full_refuses_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
