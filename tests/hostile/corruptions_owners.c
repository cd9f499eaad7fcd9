/* SPDX-License-Identifier: MIT */
/*
 * Places of producers in a crash-safe ring, where processes trust each other's words but not each other's lives. No
 * declared error is promised for hostile ones there: only that a receiver who looks at them, to recover from the
 * dead, and a sender who wants a place, do so without harm.
 */
#include "corruptions.h"

struct owner_row {
    const char *name;
    exo_u64 claim;
    exo_u64 process;
    exo_u32 argument; /* of a claim in the next slot: index, generation */
};

#define NOBODY 0xFFFFFEull /* no process has this number */

static const struct owner_row rows[] = {
    {"place zero", 0, 0, 0x100},
    {"place max", MAX64, MAX64, 0x100},
    {"place random", RANDOM64, RANDOM64, 0x100},
    {"place of nobody", 1ull << 48 | NOBODY << 24 | 1, 1ull << 48 | NOBODY, 0x100},
    {"place of nobody, born at another time", 1ull << 48 | NOBODY << 24 | 1, 1ull << 48 | 5ull << 24 | NOBODY, 0x100},
    {"place of process zero", 1ull << 48 | 1, 1ull << 48, 0x100},
    {"place of process one", 1ull << 48 | 1ull << 24 | 1, 1ull << 48 | 1, 0x100},
    {"place of the next generation", 2ull << 48, 0, 0x100},
    {"place of generation max", 0xFFFFull << 48 | 1, 0, 0x100},
    {"claim by owner four of four", 1ull << 48 | 1, 0, 0x104},
    {"claim by owner 255", 1ull << 48 | 1, 0, 0x1FF},
    {"claim by all bits", 1ull << 48 | 1, 0, 0xFFFFFF},
    {"claim without generation", 1ull << 48 | 1, 0, 0},
};

static exo_bool is_flow(exo_i64 got)
{
    return got >= 0 || got == EXO_EMPTY || got == EXO_TIMEOUT || got == EXO_CLOSED || got == EXO_PEER_DIED ||
           got == EXO_TYPE_MISMATCH || got == EXO_BUFFER_TOO_SMALL;
}

static void try_row(const struct owner_row *row, exo_u64 start)
{
    struct exo_ring_config config = stage_config(start);
    struct exo_owner *owners;
    struct exo_sender second;
    struct stage stage;
    exo_status attached;
    exo_u32 turn;
    config.mode = EXO_MPSC;
    config.profile = EXO_CRASH_SAFE;
    config.producers = 4;
    stage_make(&stage, &config);
    stage_reset(&stage);
    stage_attach(&stage);
    owners = (struct exo_owner *)(void *)(stage.tx + 1);
    for (turn = 0; turn < 4; turn++) {
        owners[turn].claim = row->claim;
        owners[turn].process = row->process;
    }
    stage_line(&stage, start)[EXO_LINE_WORDS] = exo_control_pvt(start, EXO_KIND_CLAIM, row->argument);
    for (turn = 0; turn < 3 * RECEIVE_WAYS; turn++) {
        exo_i64 got = receive_by(&stage, turn % RECEIVE_WAYS, 1300);
        if (!is_flow(got)) {
            corruption_answer(row->name, receive_names[turn % RECEIVE_WAYS], got, EXO_EMPTY);
        }
        if (turn % RECEIVE_WAYS == 0) {
            (void)usleep(EXO_CLAIM_PATIENCE_NS / 1000);
        }
    }
    attached = exo_sender_attach(&second, &stage.sender, 1, NULL);
    assert_true(attached == EXO_OK || attached == EXO_ALREADY_EXISTS);
    if (attached == EXO_OK) {
        assert_int_equal(exo_sender_close(&second), EXO_OK);
    }
    assert_true(exo_sender_recover(&stage.to) >= 0);
    (void)exo_sender_bury(&stage.to, 1);
    assert_int_equal(exo_receiver_close(&stage.from), EXO_OK);
    stage_close(&stage);
}

void corrupt_places_of_producers_lead_nowhere(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        try_row(&rows[i], 0);
        try_row(&rows[i], STAGE_WRAP);
        corruption_tried(rows[i].name);
    }
}
