/* SPDX-License-Identifier: MIT */
/*
 * kill -9 of an owner, a holder and the daemon in turn, at random instants, while all of them work. Whoever survives ends by
 * itself, by what it is told; then nothing is left: by the daemon's own count, and by its descriptors.
 *
 *     test_kills [KILLS [SECONDS]]      stops after so many kills, or so long
 */
#include "one_daemon.h"

#define BOTH (EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE)
#define WORD 0x6B6E6F77u /* what the owner writes into its region */

static exo_u32 kills_wanted = 60;
static exo_u64 seconds_most = 20;

/* One pair, and what the supervisor tells it. */
struct pair {
    exo_u32 *over; /* [0] somebody was killed: do not wait for a peer that has never come */
    exo_u64 seed;
    struct exo_client client;
    exo_u64 channel;
    exo_u64 queue;
    exo_bool met;
};

/* The daemon is gone, or the peer: time to end. */
static exo_bool ends(struct pair *pair, exo_i64 status)
{
    if (status == EXO_CLOSED || status == EXO_PEER_DIED) {
        return EXO_TRUE;
    }
    return !pair->met && exo_load32(pair->over, EXO_ACQUIRE) != 0;
}

static void leaves(struct pair *pair, const exo_u32 *mapped)
{
    exo_u32 word = mapped == NULL ? 0 : exo_load32(mapped, EXO_RELAXED); /* relaxed: a look */
    CHECK(word == WORD || word == 0); /* it stays, whoever is gone */
    exo_client_close(&pair->client);
    _exit(0);
}

/* Work that ends when it is said: messages, waits, more regions than it gives back. */
static exo_i64 works(struct pair *pair)
{
    struct exo_door *door = &pair->client.door;
    struct exo_sys_event event;
    struct exo_sys_letter letter;
    exo_u64 handle = 0;
    exo_i64 status;
    char text[64];
    switch (random_below(&pair->seed, 6)) {
    case 0:
        return exo_sys_shm_create(door, NULL, 0, 4096u << random_below(&pair->seed, 4), 0, &handle);
    case 1:
        status = exo_sys_shm_create(door, NULL, 0, 8192, 0, &handle);
        if (status == EXO_OK) {
            memset(&letter, 0, sizeof(letter));
            letter.passed = handle;
            letter.rights = EXO_RIGHT_MAP_READ;
            letter.header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
            letter.header.total_size = 0;
            status = exo_sys_channel_send_letter(door, pair->channel, &letter, "region", 6);
        }
        return status;
    case 2:
        return exo_sys_wait(door, pair->queue, &event, 1, exo_port_now_ns() + random_below(&pair->seed, 200000));
    case 3:
        return exo_sys_channel_send(door, pair->channel, "word", 4);
    default:
        status = exo_sys_channel_recv_letter(door, pair->channel, &letter, text, sizeof(text));
        pair->met = pair->met || status >= 0;
        if (status >= 0 && letter.passed != 0) {
            void *at = NULL;
            status = exo_sys_shm_map(door, letter.passed, NULL, EXO_MAP_READ, &at);
        }
        return status;
    }
}

static void works_until_told(struct pair *pair, const exo_u32 *mapped)
{
    exo_u64 end = in_seconds(20);
    exo_u64 source = 0;
    exo_i64 status = exo_sys_queue_create(&pair->client.door, 4, &pair->queue);
    if (status == EXO_OK) {
        status = exo_sys_queue_bind(&pair->client.door, pair->queue, pair->channel, 1, EXO_READABLE, &source);
    }
    while (!ends(pair, status)) {
        CHECK(exo_port_now_ns() < end);
        status = works(pair);
    }
    leaves(pair, mapped);
}

static void enters(struct pair *pair)
{
    exo_status status;
    do {
        status = exo_client_open(&pair->client, running.path, in_seconds(20));
        if (status != EXO_OK && exo_load32(pair->over, EXO_ACQUIRE) != 0) {
            _exit(0); /* the daemon was killed before */
        }
    } while (status != EXO_OK);
}

static void owns(void *argument)
{
    struct pair *pair = (struct pair *)argument;
    struct exo_door *door = &pair->client.door;
    exo_u64 region = 0;
    exo_i64 status;
    void *at = NULL;
    enters(pair);
    status = exo_sys_shm_create(door, "killed", 6, 65536, EXO_PERMS(EXO_RIGHT_MAP_READ, 0), &region);
    if (status == EXO_OK) {
        status = exo_sys_shm_map(door, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at);
    }
    if (status == EXO_OK) {
        exo_store32((exo_u32 *)at, WORD, EXO_RELEASE);
        status = exo_sys_channel_create(door, "pair", 4, EXO_PERMS(BOTH | EXO_RIGHT_GRANT, 0), 8, 0, &pair->channel);
    }
    CHECK(status == EXO_OK || status == EXO_CLOSED);
    if (status != EXO_OK) {
        leaves(pair, (const exo_u32 *)at);
    }
    works_until_told(pair, (const exo_u32 *)at);
}

static void holds(void *argument)
{
    struct pair *pair = (struct pair *)argument;
    struct exo_door *door = &pair->client.door;
    exo_u64 region = 0;
    exo_i64 status;
    void *at = NULL;
    enters(pair);
    do {
        status = exo_sys_channel_open(door, "pair", 4, BOTH, &pair->channel);
    } while (status == EXO_NOT_FOUND && !ends(pair, status));
    if (status == EXO_OK) {
        pair->met = EXO_TRUE;
        status = exo_sys_shm_open(door, "killed", 6, EXO_RIGHT_MAP_READ, &region);
    }
    if (status == EXO_OK) {
        status = exo_sys_shm_map(door, region, NULL, EXO_MAP_READ, &at);
    }
    if (status != EXO_OK) {
        CHECK(status == EXO_NOT_FOUND || status == EXO_CLOSED || status == EXO_PEER_DIED);
        leaves(pair, (const exo_u32 *)at);
    }
    works_until_told(pair, (const exo_u32 *)at);
}

static void whoever_is_killed_leaves_nothing(void **state)
{
    enum { VICTIMS = 3 };
    static struct exo_client client;
    static struct pair pair;
    exo_u64 seed = exo_port_now_ns();
    exo_u64 end = in_seconds(seconds_most);
    exo_u32 killed[VICTIMS] = {0, 0, 0};
    exo_u32 kills;
    int descriptors = -1;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    pair.over = (exo_u32 *)shared_page(4096);
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    for (kills = 0; kills < kills_wanted && exo_port_now_ns() < end; kills++) {
        exo_u32 victim = kills % VICTIMS;
        pid_t owner;
        pid_t holder;
        int now;
        exo_store32(pair.over, 0, EXO_RELEASE);
        pair.seed = random_below(&seed, ~0u);
        owner = start_child(owns, &pair);
        pair.seed = random_below(&seed, ~0u);
        holder = start_child(holds, &pair);
        sleep_us(random_below(&seed, 3000));
        assert_int_equal(kill(victim == 0 ? owner : victim == 1 ? holder : running.daemon, SIGKILL), 0);
        exo_store32(pair.over, 1, EXO_RELEASE);
        killed[victim]++;
        if (victim == 2) {
            assert_int_equal(join_child(running.daemon), -SIGKILL);
        }
        now = join_child(owner);
        assert_true(now == 0 || (victim == 0 && now == -SIGKILL));
        now = join_child(holder);
        assert_true(now == 0 || (victim == 1 && now == -SIGKILL));
        if (victim == 2) {
            daemon_start(&running, NULL, NULL);
            exo_client_close(&client);
            assert_int_equal(client_connects(&client, running.path), EXO_OK);
            descriptors = descriptors_of(running.daemon);
        }
        assert_true(becomes_bare(&client));
        now = descriptors_of(running.daemon);
        assert_true(descriptors < 0 || now == descriptors);
    }
    print_message("figure: daemon kills survived: %u owners, %u holders, %u daemons; nothing left after each\n", killed[0],
                  killed[1], killed[2]);
    assert_true(kills > 0);
    exo_client_close(&client);
}

int main(int count, char **words)
{
    /* It has bounds of its own, and may last longer than the watchdog of a claim. */
    const struct CMUnitTest tests[] = {cmocka_unit_test(whoever_is_killed_leaves_nothing)};
    if (count > 1) {
        kills_wanted = (exo_u32)strtoul(words[1], NULL, 10);
    }
    if (count > 2) {
        seconds_most = strtoull(words[2], NULL, 10);
    }
    return cmocka_run_group_tests_name("kills", tests, begin, end);
}
