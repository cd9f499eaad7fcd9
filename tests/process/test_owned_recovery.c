/* SPDX-License-Identifier: MIT */
/*
 * Several producers in processes of their own, and nobody who buries the dead: the ring asks the kernel itself. A
 * claim of the dead holds nobody up for long, one of the living for as long as it takes, and places are taken again.
 */
#include "kill_fixture.h"

#define KNOWN_NS ((DEATH_KNOWN_MS + DEATH_SLACK_MS) * MILLISECOND_NS)

struct shop {
    struct exo_ring ring;
    void *memory;
    exo_size bytes;
    exo_u32 *stage; /* how far a child has come */
    void (*deed)(struct shop *shop);
};

static void shop_open(struct shop *shop, exo_u32 producers)
{
    struct exo_ring_config config = {0};
    config.slots = 8;
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    config.producers = producers;
    config.arena_size = EXO_ARENA_NONE;
    config.start = NEAR_WRAP;
    config.spin = 1;
    memset(shop, 0, sizeof(*shop));
    assert_int_equal(exo_ring_bytes(&config, &shop->bytes), EXO_OK);
    shop->memory = shared_page(shop->bytes);
    shop->stage = (exo_u32 *)shared_page(sizeof(exo_u32));
    assert_int_equal(exo_ring_init(&shop->ring, &config, shop->memory, shop->bytes), EXO_OK);
}

static void shop_close(struct shop *shop)
{
    (void)munmap(shop->memory, shop->bytes);
    (void)munmap(shop->stage, sizeof(exo_u32));
}

static void does_it(void *argument)
{
    struct shop *shop = (struct shop *)argument;
    shop->deed(shop);
}

static pid_t start(struct shop *shop, void (*deed)(struct shop *shop))
{
    exo_store32(shop->stage, 0, EXO_RELEASE);
    shop->deed = deed;
    return start_child(does_it, shop);
}

static void await_stage(const struct shop *shop, exo_u32 stage)
{
    while (exo_load32(shop->stage, EXO_ACQUIRE) != stage) {
        sleep_us(100);
    }
}

static void die_of(struct shop *shop, void (*deed)(struct shop *shop))
{
    assert_int_equal(join_child(start(shop, deed)), -SIGKILL);
}

static void claims_and_dies(struct shop *shop)
{
    struct exo_sender tx;
    struct exo_reserved reserved;
    CHECK(exo_ring_sender(&shop->ring, &tx) == EXO_OK);
    CHECK(exo_send_inline(&tx, "1", 1) == EXO_OK);
    CHECK(exo_reserve(&tx, 1, &reserved) == EXO_OK);
    (void)kill(getpid(), SIGKILL);
}

static void claims_and_stops(struct shop *shop)
{
    struct exo_sender tx;
    struct exo_reserved reserved;
    CHECK(exo_ring_sender(&shop->ring, &tx) == EXO_OK);
    CHECK(exo_reserve(&tx, 1, &reserved) == EXO_OK);
    exo_store32(shop->stage, 1, EXO_RELEASE);
    (void)raise(SIGSTOP);
    memcpy(reserved.data, "1", 1);
    CHECK(exo_commit(&tx, &reserved, 1) == EXO_OK);
    CHECK(exo_sender_close(&tx) == EXO_OK);
}

static void attaches_and_dies(struct shop *shop)
{
    struct exo_sender tx;
    CHECK(exo_ring_sender(&shop->ring, &tx) == EXO_OK);
    (void)kill(getpid(), SIGKILL);
}

static void receives_one_and_dies(struct shop *shop)
{
    struct exo_receiver rx;
    char byte = 0;
    CHECK(exo_ring_receiver(&shop->ring, &rx) == EXO_OK);
    exo_store32(shop->stage, 1, EXO_RELEASE);
    CHECK(exo_recv_blocking(&rx, &byte, 1, in_seconds(10)) == 1);
    (void)kill(getpid(), SIGKILL);
}

/* Takes the next message, asleep or polling; how long that took, but for what the machine was late. */
static exo_u64 take(struct exo_receiver *rx, exo_bool asleep, char expected)
{
    exo_u64 begin = exo_port_now_ns();
    char byte = 0;
    exo_i64 got;
    do {
        got = asleep ? exo_recv_blocking(rx, &byte, 1, in_seconds(10)) : exo_recv_inline(rx, &byte, 1);
    } while (got == EXO_EMPTY && exo_port_now_ns() < begin + 10 * SECOND_NS);
    assert_int_equal(got, 1);
    assert_int_equal(byte, expected);
    return passed_since(begin);
}

static void a_dead_claimant_delays_nobody_by_more_than_it_takes_to_know(void **state)
{
    struct shop shop;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u64 worst[2] = {0, 0};
    exo_u32 round;
    (void)state;
    shop_open(&shop, 3);
    assert_int_equal(exo_ring_sender(&shop.ring, &tx), EXO_OK);
    assert_int_equal(exo_ring_receiver(&shop.ring, &rx), EXO_OK);
    for (round = 0; round < ROUNDS(60); round++) {
        exo_u64 took;
        die_of(&shop, claims_and_dies); /* takes the dead one's place from the third on */
        assert_int_equal(exo_send_inline(&tx, "2", 1), EXO_OK);
        assert_int_equal(exo_send_inline(&tx, "3", 1), EXO_OK);
        (void)take(&rx, EXO_FALSE, '1');
        took = take(&rx, round % 2 != 0, '2');
        worst[round % 2] = took > worst[round % 2] ? took : worst[round % 2];
        (void)take(&rx, EXO_FALSE, '3');
    }
    print_message("             delayed by at most %u us polling, %u us asleep\n", (unsigned)(worst[0] / 1000),
                  (unsigned)(worst[1] / 1000));
    assert_true(worst[0] < KNOWN_NS && worst[1] < KNOWN_NS);
    shop_close(&shop);
}

static void a_paused_claimant_is_never_robbed(void **state)
{
    struct shop shop;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u64 until;
    char byte = 0;
    pid_t child;
    (void)state;
    shop_open(&shop, 2);
    assert_int_equal(exo_ring_sender(&shop.ring, &tx), EXO_OK);
    assert_int_equal(exo_ring_receiver(&shop.ring, &rx), EXO_OK);
    child = start(&shop, claims_and_stops);
    await_stage(&shop, 1);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_int_equal(exo_send_inline(&tx, "2", 1), EXO_OK);
    until = in_ms(400);
    while (exo_port_now_ns() < until) {
        assert_int_equal(exo_recv_inline(&rx, &byte, 1), EXO_EMPTY);
        assert_int_equal(exo_sender_recover(&tx), 0);
    }
    assert_int_equal(exo_recv_blocking(&rx, &byte, 1, in_ms(200)), EXO_TIMEOUT);
    assert_int_equal(kill(child, SIGCONT), 0);
    (void)take(&rx, EXO_TRUE, '1');
    (void)take(&rx, EXO_TRUE, '2');
    assert_int_equal(join_child(child), 0);
    shop_close(&shop);
}

static void when_all_producers_are_dead_the_receiver_is_told_and_goes_on_with_the_next(void **state)
{
    struct shop shop;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u64 begin;
    char byte = 0;
    (void)state;
    shop_open(&shop, 2);
    assert_int_equal(exo_ring_receiver(&shop.ring, &rx), EXO_OK);
    die_of(&shop, claims_and_dies);
    (void)take(&rx, EXO_TRUE, '1');
    begin = exo_port_now_ns();
    assert_int_equal(exo_recv_blocking(&rx, &byte, 1, EXO_FOREVER), EXO_PEER_DIED);
    assert_true(passed_since(begin) < KNOWN_NS);
    assert_int_equal(exo_ring_sender(&shop.ring, &tx), EXO_OK);
    assert_int_equal(exo_send_inline(&tx, "2", 1), EXO_OK);
    (void)take(&rx, EXO_TRUE, '2');
    assert_int_equal(exo_sender_close(&tx), EXO_OK);
    shop_close(&shop);
}

static void places_of_the_dead_are_taken_again(void **state)
{
    struct shop shop;
    struct exo_sender tx;
    struct exo_sender other;
    exo_u32 round;
    (void)state;
    shop_open(&shop, 1);
    for (round = 0; round < ROUNDS(60); round++) {
        die_of(&shop, attaches_and_dies);
    }
    assert_int_equal(exo_ring_sender(&shop.ring, &tx), EXO_OK);
    assert_int_equal(exo_ring_sender(&shop.ring, &other), EXO_ALREADY_EXISTS); /* the living keep theirs */
    assert_int_equal(exo_sender_close(&tx), EXO_OK);
    shop_close(&shop);
}

static void a_receiver_takes_over_from_a_dead_one(void **state)
{
    struct shop shop;
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u32 i;
    pid_t child;
    (void)state;
    shop_open(&shop, 2);
    assert_int_equal(exo_ring_sender(&shop.ring, &tx), EXO_OK);
    child = start(&shop, receives_one_and_dies);
    await_stage(&shop, 1);
    assert_int_equal(exo_ring_receiver(&shop.ring, &rx), EXO_ALREADY_EXISTS); /* it lives */
    assert_int_equal(exo_send_inline(&tx, "0", 1), EXO_OK);
    assert_int_equal(join_child(child), -SIGKILL);
    for (i = 0; i < 8; i++) {
        assert_int_equal(exo_send_blocking(&tx, &"12345678"[i], 1, in_seconds(10)), EXO_OK);
    }
    assert_int_equal(exo_send_blocking(&tx, "9", 1, EXO_FOREVER), EXO_PEER_DIED);
    assert_int_equal(exo_ring_receiver(&shop.ring, &rx), EXO_OK);
    for (i = 0; i < 8; i++) {
        (void)take(&rx, EXO_FALSE, "12345678"[i]);
    }
    assert_int_equal(exo_send_blocking(&tx, "9", 1, in_seconds(10)), EXO_OK);
    (void)take(&rx, EXO_TRUE, '9');
    shop_close(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_dead_claimant_delays_nobody_by_more_than_it_takes_to_know),
        CLAIM(a_paused_claimant_is_never_robbed),
        CLAIM(when_all_producers_are_dead_the_receiver_is_told_and_goes_on_with_the_next),
        CLAIM(places_of_the_dead_are_taken_again),
        CLAIM(a_receiver_takes_over_from_a_dead_one),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
