/* SPDX-License-Identifier: MIT */
/*
 * A crowd's ring and board, births and deaths on it.
 */
#include "crowd.h"

void crowd_begin(struct crowd *crowd, exo_bool views)
{
    struct exo_ring_config config = {0};
    exo_u64 random = chaos.seed ^ (exo_u64)chaos.scene << 56 ^ (exo_u64)chaos.index * 0x9E3779B97F4A7C15ull;
    memset(crowd, 0, sizeof(*crowd));
    (void)random_below(&random, 2);
    crowd->messages = !views && random_below(&random, 4) == 0;
    crowd->views = views;
    crowd->recovers = random_below(&random, 2) == 0;
    config.slots = 8u << random_below(&random, 4);
    config.slot_size = crowd->messages ? 128 : 64;
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    /* With places to spare nobody comes upon the dead but the receiver. */
    config.producers = crowd->recovers || views ? PLACES : SPARE_PLACES;
    config.arena_size = views ? BLOCK * BLOCKS : EXO_ARENA_NONE;
    config.block_size = views ? BLOCK : 0;
    config.start = random_below(&random, 2) == 0 ? 0 : NEAR_WRAP;
    config.spin = random_below(&random, 2);
    crowd->random = random;
    crowd->lives = 1;
    MUST(exo_ring_bytes(&config, &crowd->bytes) == EXO_OK);
    crowd->memory = shared_page(crowd->bytes);
    crowd->board = (struct board *)shared_page(sizeof(struct board));
    MUST(exo_ring_init(&crowd->ring, &config, crowd->memory, crowd->bytes) == EXO_OK);
    crowd->board->accounts.noted = config.start;
    (void)alarm(WATCHDOG_S);
}

void crowd_end(struct crowd *crowd)
{
    accounts_close(crowd);
    chaos.again += crowd->board->refused;
    MUST(munmap(crowd->memory, crowd->bytes) == 0);
    MUST(munmap(crowd->board, sizeof(struct board)) == 0);
}

struct birth {
    struct crowd *crowd;
    exo_u32 life;
};

static void live(void *argument)
{
    const struct birth *birth = (const struct birth *)argument;
    struct note *note = &birth->crowd->board->life[birth->life];
    die_at(note, note->kill_ns);
    if (note->receiver != 0) {
        taker_life(birth->crowd, birth->life);
    } else {
        producer_life(birth->crowd, birth->life);
    }
}

/* When the next one shall die: sometimes together with the last one. */
static exo_u64 choose_death(struct crowd *crowd)
{
    exo_u64 now = exo_port_now_ns();
    if (random_below(&crowd->random, 3) != 0 || crowd->last_kill_ns < now + SLOW(500000u)) {
        crowd->last_kill_ns = now + SLOW(300000u + random_below(&crowd->random, 3500000));
    }
    return crowd->last_kill_ns;
}

exo_u32 crowd_bear(struct crowd *crowd, exo_u32 place, exo_bool mortal)
{
    struct birth birth = {crowd, crowd->lives};
    struct note *note = &crowd->board->life[crowd->lives];
    MUST(crowd->lives < LIVES);
    note->place = place;
    note->receiver = place == RECEIVER;
    note->kill_ns = mortal ? choose_death(crowd) : 0;
    crowd->life[place] = crowd->lives++;
    crowd->child[place] = start_child(live, &birth);
    return birth.life;
}

void crowd_populate(struct crowd *crowd)
{
    exo_u32 first = crowd_bear(crowd, 0, EXO_FALSE);
    exo_u32 place;
    while (exo_load32(&crowd->board->life[first].phase, EXO_ACQUIRE) <= PHASE_OPEN) {
        (void)sched_yield();
    }
    for (place = 1; place < PLACES; place++) {
        (void)crowd_bear(crowd, place, EXO_TRUE);
    }
}

exo_u32 crowd_reap(struct crowd *crowd, exo_bool waiting)
{
    int status = 0;
    pid_t dead = waitpid(-1, &status, waiting ? 0 : WNOHANG);
    exo_u32 place;
    if (dead == 0) {
        return PLACES + 1;
    }
    MUST(dead > 0);
    for (place = 0; crowd->child[place] != dead; place++) {
        MUST(place < PLACES);
    }
    if (status != 0 || crowd->board->stop == 0) {
        mourn(&crowd->board->life[crowd->life[place]], status);
        crowd->killed++;
    }
    crowd->child[place] = 0;
    return place;
}
