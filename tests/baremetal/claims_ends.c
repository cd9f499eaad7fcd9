/* SPDX-License-Identifier: MIT */
/*
 * Processes that hold what the nucleus gave them, and end: at any instant, without memory, after calls that nobody should
 * make. Everything comes back.
 */
#include "claims.h"
#include "nucleus.h"
#include "subject.h"
#include "exo_ipc/nucleus/nucleus.h"

#define FREE_NOW() (frames_counted().free_bytes)
#define ROUNDS     80u
#define FAILURES   80u
#define FUZZ_CALLS 1000000u
#define FUZZ_SEEDS 4u

exo_u64 free_without_nucleus(void)
{
    exo_u64 free_bytes;
    exo_fini(&kernel_nucleus);
    free_bytes = FREE_NOW();
    nucleus_init();
    return free_bytes;
}

static exo_u64 argument_of(exo_u64 act, exo_u64 number)
{
    return SUBJECT_ARGUMENT(act, number);
}

/* Until it sleeps, or for some turns: long enough for most of what it does. */
static const char *kill_one(exo_u64 act, exo_u64 number, exo_u64 nanoseconds)
{
    struct process *process;
    struct process_end end;
    REQUIRE(begin_program(PROGRAM_SUBJECT, argument_of(act, number), &process) == EXO_OK);
    exo_port_block_current(exo_port_now_ns() + nanoseconds);
    process_kill(process);
    REQUIRE(process_join(process, BY_THEN, &end));
    REQUIRE(end.vector == PROCESS_KILLED);
    REQUIRE(nothing_is_charged());
    return CLAIM_OK;
}

static const char *kill_many(exo_u64 act, exo_u64 number, exo_u32 rounds, exo_u64 grain)
{
    exo_u64 before = free_without_nucleus();
    exo_u64 after;
    exo_u32 i;
    for (i = 0; i < rounds; i++) {
        const char *verdict = kill_one(act, number, i < 4 ? 50 * MS : i * 37 % 101 * grain);
        if (verdict != CLAIM_OK) {
            return verdict;
        }
    }
    after = free_without_nucleus();
    if (after != before) {
        print("%u bytes are gone\n", before - after);
    }
    REQUIRE(after == before);
    return CLAIM_OK;
}

static const char *who_is_killed_while_he_waits_in_the_nucleus_leaves_nothing_behind(void)
{
    return kill_many(SUBJECT_HOLD, 0, ROUNDS, MS / 50);
}

static const char *who_is_killed_while_he_takes_and_gives_leaves_nothing_behind(void)
{
    return kill_many(SUBJECT_CHURN, 0, ROUNDS, MS / 50);
}

static const char *the_children_of_the_dead_end_with_them(void)
{
    return kill_many(SUBJECT_ORPHANS, 2, 20, MS / 5);
}

static const char *who_is_killed_in_the_midst_of_random_calls_leaves_nothing_behind(void)
{
    return kill_many(SUBJECT_FUZZ, ~0ull >> SUBJECT_BITS, ROUNDS, MS / 20);
}

static const char *forged_handles_wild_addresses_and_lengths_are_refused(void)
{
    exo_u64 before = free_without_nucleus();
    struct process_end end;
    exo_u32 i;
    for (i = 0; i < 3; i++) {
        REQUIRE(run_program(PROGRAM_SUBJECT, SUBJECT_FORGE, &end) == EXO_OK);
        REQUIRE(end.vector == PROCESS_EXIT && end.code == 0);
        REQUIRE(nothing_is_charged());
    }
    REQUIRE(free_without_nucleus() == before);
    return CLAIM_OK;
}

static const char *a_million_random_calls_leave_the_kernel_running_and_nothing_taken(void)
{
    struct process *process[FUZZ_SEEDS];
    struct process_end end;
    exo_u64 before = free_without_nucleus();
    exo_u64 seed;
    for (seed = 0; seed < FUZZ_SEEDS; seed++) {
        REQUIRE(begin_program(PROGRAM_SUBJECT, argument_of(SUBJECT_FUZZ, FUZZ_CALLS / FUZZ_SEEDS | seed << 32),
                              &process[seed]) == EXO_OK);
    }
    for (seed = 0; seed < FUZZ_SEEDS; seed++) {
        REQUIRE(process_join(process[seed], EXO_FOREVER, &end)); /* the run has a limit */
        if (end.vector != PROCESS_EXIT || end.code != 0) {
            print("seed %u: vector %u at %x, address %x, code %u\n", seed, NUMBER(end.vector), end.rip, end.address,
                  NUMBER(end.code));
        }
        REQUIRE(end.vector == PROCESS_EXIT && end.code == 0);
    }
    REQUIRE(nothing_is_charged());
    REQUIRE(frames_counted().refused == 0);
    REQUIRE(free_without_nucleus() == before);
    return CLAIM_OK;
}

/* The allocation after so many fails, whosoever's it is. */
static const char *fail_one(exo_u64 fail, exo_u64 *refusals)
{
    const struct program *subject = &programs[PROGRAM_SUBJECT];
    struct process *process;
    struct process_end end;
    REQUIRE(process_create("memory", subject->image, (exo_size)(subject->image_end - subject->image), SUBJECT_MEMORY,
                           &process) == EXO_OK);
    frames_fail_after(fail);
    thread_start(process->thread);
    REQUIRE(process_join(process, BY_THEN, &end));
    frames_fail_after(~0ull);
    if (end.vector != PROCESS_EXIT || (exo_u64)end.code > 1) {
        print("allocation %u: vector %u, code %u\n", fail, NUMBER(end.vector), NUMBER(end.code));
    }
    REQUIRE(end.vector == PROCESS_EXIT && (exo_u64)end.code <= 1);
    REQUIRE(nothing_is_charged());
    *refusals += (exo_u64)end.code;
    return CLAIM_OK;
}

static const char *without_memory_calls_are_refused_whole(void)
{
    exo_u64 before = free_without_nucleus();
    exo_u64 refusals = 0;
    exo_u64 fail;
    for (fail = 0; fail < FAILURES; fail++) {
        const char *verdict = fail_one(fail, &refusals);
        if (verdict != CLAIM_OK) {
            return verdict;
        }
        REQUIRE(free_without_nucleus() == before); /* and all its tables are to grow again */
    }
    print("%u refusals\n", refusals);
    REQUIRE(refusals > 25 && refusals < FAILURES);
    return CLAIM_OK;
}

const struct claim claims_ends[] = {
    CLAIM(who_is_killed_while_he_waits_in_the_nucleus_leaves_nothing_behind),
    CLAIM(who_is_killed_while_he_takes_and_gives_leaves_nothing_behind),
    CLAIM(the_children_of_the_dead_end_with_them),
    CLAIM(who_is_killed_in_the_midst_of_random_calls_leaves_nothing_behind),
    CLAIM(forged_handles_wild_addresses_and_lengths_are_refused),
    CLAIMS_END,
};

const struct claim claims_no_memory[] = {
    CLAIM(without_memory_calls_are_refused_whole),
    CLAIMS_END,
};

const struct claim claims_fuzz[] = {
    CLAIM(a_million_random_calls_leave_the_kernel_running_and_nothing_taken),
    CLAIMS_END,
};
