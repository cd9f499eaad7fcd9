/* SPDX-License-Identifier: MIT */
/*
 * Threads: turns, places, sleeps, wake-ups. What base/parking.h asks of block and unblock is in the conformance suite.
 */
#include "claims.h"

#define FREE_NOW() (frames_counted().free_bytes)

static exo_u32 processor_now(void)
{
    exo_uptr flags = interrupts_save();
    exo_u32 number = cpu_this()->number;
    interrupts_restore(flags);
    return number;
}

static struct {
    exo_u32 counted;
    exo_u32 wanted;
    exo_u32 seen; /* processors, by bit */
} turns;

/* Never gives way by itself. */
static void spin_until_all_have_counted(void *argument)
{
    exo_u64 until = BY_THEN;
    (void)argument;
    (void)exo_fetch_add32(&turns.counted, 1u, EXO_RELEASE); /* [test:turn] pairs [test:turns] */
    /* [test:turns] pairs [test:turn] */
    while (exo_load32(&turns.counted, EXO_ACQUIRE) < turns.wanted && exo_port_now_ns() < until) {
        exo_cpu_relax();
    }
}

static const char *threads_that_never_give_way_take_turns(void)
{
    struct thread *threads[3 * CPUS];
    exo_u32 count = 3 * cpu_count;
    exo_u32 i;
    turns.counted = 0;
    turns.wanted = count;
    for (i = 0; i < count; i++) {
        threads[i] = thread_create("spinner", spin_until_all_have_counted, NO_ARGUMENT, CPUS_ANY);
        REQUIRE(threads[i] != EXO_NULL);
        thread_start(threads[i]);
    }
    for (i = 0; i < count; i++) {
        REQUIRE(thread_join(threads[i], BY_THEN));
    }
    REQUIRE(turns.counted == count);
    return CLAIM_OK;
}

static void note_processor(void *argument)
{
    *(exo_u32 *)argument = processor_now() + 1;
}

static const char *a_thread_runs_where_it_is_allowed(void)
{
    exo_u32 round;
    exo_u32 i;
    for (round = 0; round < 20; round++) {
        for (i = 0; i < cpu_count; i++) {
            exo_u32 where = 0;
            struct thread *thread = thread_create("pinned", note_processor, &where, 1u << i);
            REQUIRE(thread != EXO_NULL);
            thread_start(thread);
            REQUIRE(thread_join(thread, BY_THEN));
            REQUIRE(where == i + 1);
        }
    }
    return CLAIM_OK;
}

static void spread_out(void *argument)
{
    exo_u64 until = BY_THEN;
    exo_u32 all = (1u << cpu_count) - 1;
    (void)argument;
    do {
        (void)exo_fetch_or32(&turns.seen, 1u << processor_now(), EXO_RELAXED); /* relaxed: read after the join */
        exo_cpu_relax();
    } while (exo_load32(&turns.seen, EXO_RELAXED) != all && exo_port_now_ns() < until); /* relaxed: same */
}

static const char *threads_that_may_run_anywhere_use_all_processors(void)
{
    struct thread *threads[CPUS];
    exo_u32 i;
    turns.seen = 0;
    for (i = 0; i < cpu_count; i++) {
        threads[i] = thread_create("anywhere", spread_out, NO_ARGUMENT, CPUS_ANY);
        REQUIRE(threads[i] != EXO_NULL);
        thread_start(threads[i]);
    }
    for (i = 0; i < cpu_count; i++) {
        REQUIRE(thread_join(threads[i], BY_THEN));
    }
    REQUIRE(turns.seen == (1u << cpu_count) - 1);
    return CLAIM_OK;
}

#define SLEEPERS 60u

static struct sleeper {
    exo_u64 deadline_ns;
    exo_u64 began_ns;
    exo_u64 woke_ns;
    exo_u32 place;
} sleepers[SLEEPERS];
static exo_u32 next_place;

/* Without interrupts, so that nobody is put aside between his waking and his number. */
static void sleep_to_the_deadline(void *argument)
{
    struct sleeper *self = (struct sleeper *)argument;
    exo_uptr flags = interrupts_save();
    self->began_ns = exo_port_now_ns();
    while (exo_port_now_ns() < self->deadline_ns) {
        exo_port_block_current(self->deadline_ns);
    }
    self->woke_ns = exo_port_now_ns();
    self->place = exo_fetch_add32(&next_place, 1u, EXO_RELAXED); /* relaxed: a number only */
    interrupts_restore(flags);
}

/* Started in an order of their own; on one processor they must also wake in order, if none was late to go to sleep. */
static const char *sleep_all(exo_u32 allowed, exo_u64 lead_ns, exo_bool *late)
{
    struct thread *threads[SLEEPERS];
    exo_u64 begin = exo_port_now_ns() + lead_ns;
    exo_u32 i;
    *late = EXO_FALSE;
    next_place = 0;
    for (i = 0; i < SLEEPERS; i++) {
        exo_u32 which = i * 37 % SLEEPERS;
        sleepers[which].deadline_ns = begin + which * MS / 2;
        threads[i] = thread_create("sleeper", sleep_to_the_deadline, &sleepers[which], allowed);
        REQUIRE(threads[i] != EXO_NULL);
        thread_start(threads[i]);
    }
    for (i = 0; i < SLEEPERS; i++) {
        REQUIRE(thread_join(threads[i], BY_THEN));
    }
    for (i = 0; i < SLEEPERS; i++) {
        REQUIRE(sleepers[i].woke_ns >= sleepers[i].deadline_ns);
        REQUIRE(sleepers[i].woke_ns < sleepers[i].deadline_ns + 5000 * MS);
        *late = *late || sleepers[i].began_ns >= begin;
    }
    for (i = 0; i < SLEEPERS && allowed == 1 && !*late; i++) {
        REQUIRE(sleepers[i].place == i);
    }
    return CLAIM_OK;
}

static const char *sleeps_end_at_their_deadlines_and_in_order(void)
{
    exo_bool late;
    exo_u64 lead_ns = 20 * MS;
    const char *verdict = sleep_all(CPUS_ANY, lead_ns, &late);
    late = EXO_TRUE;
    for (; verdict == CLAIM_OK && late && lead_ns < 3000 * MS; lead_ns *= 2) {
        verdict = sleep_all(1, lead_ns, &late);
    }
    REQUIRE(verdict != CLAIM_OK || !late);
    return verdict;
}

static void block_until(void *argument)
{
    exo_port_block_current(*(const exo_u64 *)argument);
}

/* Until it is blocked, by its own processor's word. */
static exo_bool becomes_blocked(struct thread *thread)
{
    exo_u64 until = BY_THEN;
    enum thread_state state;
    do {
        exo_uptr flags = interrupts_save();
        spin_lock(&cpus[thread->cpu].queue.lock);
        state = thread->state;
        spin_unlock(&cpus[thread->cpu].queue.lock);
        interrupts_restore(flags);
        sched_yield();
    } while (state != THREAD_BLOCKED && exo_port_now_ns() < until);
    return state == THREAD_BLOCKED;
}

static const char *an_unblock_ends_a_sleep_whatever_its_deadline(void)
{
    static exo_u64 deadlines[4];
    exo_u32 i;
    deadlines[0] = EXO_FOREVER;
    deadlines[1] = EXO_FOREVER - 1;
    deadlines[2] = exo_port_now_ns() + 3600 * 1000 * MS; /* longer than the timer counts */
    deadlines[3] = 1ull << 62;
    for (i = 0; i < 4; i++) {
        struct thread *thread = thread_create("sleeper", block_until, &deadlines[i], CPUS_ANY);
        REQUIRE(thread != EXO_NULL);
        thread_start(thread);
        REQUIRE(becomes_blocked(thread));
        exo_port_unblock(thread);
        REQUIRE(thread_join(thread, BY_THEN));
    }
    return CLAIM_OK;
}

static exo_u32 spin_stop;

static void spin_there(void *argument)
{
    (void)argument;
    while (exo_load32(&spin_stop, EXO_ACQUIRE) == 0) { /* [test:spin] pairs [test:stop] */
        exo_cpu_relax();
    }
}

static exo_bool falls_asleep(exo_u32 cpu)
{
    exo_u64 until = BY_THEN;
    while (exo_load32(&cpus[cpu].queue.sleeping, EXO_RELAXED) == 0) { /* relaxed: waited for */
        if (exo_port_now_ns() >= until) {
            return EXO_FALSE;
        }
        exo_cpu_relax();
    }
    return EXO_TRUE;
}

static const char *wake_there(exo_u32 target, exo_bool busy, exo_u32 *interrupts)
{
    static const exo_u64 forever = EXO_FOREVER;
    struct thread *sleeper = thread_create("sleeper", block_until, (void *)(exo_uptr)&forever, 1u << target);
    struct thread *spinner = thread_create("spinner", spin_there, NO_ARGUMENT, 1u << target);
    exo_u32 before;
    REQUIRE(sleeper != EXO_NULL && spinner != EXO_NULL);
    spin_stop = 0;
    thread_start(sleeper);
    REQUIRE(becomes_blocked(sleeper) && falls_asleep(target));
    if (busy) {
        thread_start(spinner);
        while (exo_load32(&cpus[target].queue.sleeping, EXO_RELAXED) != 0 || cpus[target].current != spinner) {
            exo_cpu_relax(); /* relaxed: waited for */
        }
    }
    before = cpus[target].interrupts[1];
    exo_port_unblock(sleeper);
    REQUIRE(thread_join(sleeper, BY_THEN));
    *interrupts = cpus[target].interrupts[1] - before;
    exo_store32(&spin_stop, 1u, EXO_RELEASE); /* [test:stop] pairs [test:spin] */
    if (!busy) {
        thread_start(spinner);
    }
    REQUIRE(thread_join(spinner, BY_THEN));
    return CLAIM_OK;
}

static const char *an_interrupt_is_sent_only_to_a_processor_that_sleeps(void)
{
    exo_u32 self = processor_now();
    exo_u32 target = self == 0 ? 1 : 0;
    exo_u32 interrupts = 0;
    const char *verdict;
    if (cpu_count < 2) {
        return CLAIM_SKIP;
    }
    cpu_thread()->allowed = 1u << self; /* stays here meanwhile */
    verdict = wake_there(target, EXO_FALSE, &interrupts);
    if (verdict == CLAIM_OK && interrupts == 0) {
        verdict = "a sleeping processor was not called";
    }
    if (verdict == CLAIM_OK) {
        verdict = wake_there(target, EXO_TRUE, &interrupts);
    }
    cpu_thread()->allowed = CPUS_ANY;
    REQUIRE(verdict != CLAIM_OK || interrupts == 0);
    return verdict;
}

static const char *a_machine_without_work_is_not_disturbed(void)
{
    exo_u32 before = 0;
    exo_u32 after = 0;
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        before += cpus[i].interrupts[0];
    }
    exo_port_block_current(exo_port_now_ns() + 100 * MS);
    for (i = 0; i < cpu_count; i++) {
        after += cpus[i].interrupts[0];
    }
    /* 20 slices would have passed on each; an old slice may end, and the deadline. */
    REQUIRE(after - before <= cpu_count + 3);
    return CLAIM_OK;
}

static void do_nothing(void *argument)
{
    (void)argument;
}

static const char *ended_threads_leave_nothing_behind(void)
{
    exo_u64 before = FREE_NOW();
    exo_u32 i;
    for (i = 0; i < 2000; i++) { /* more than there are numbers */
        struct thread *thread = thread_create("short", do_nothing, NO_ARGUMENT, CPUS_ANY);
        REQUIRE(thread != EXO_NULL && thread->id >= 1 && thread->id <= THREADS);
        thread_start(thread);
        REQUIRE(thread_join(thread, BY_THEN));
    }
    REQUIRE(FREE_NOW() + 8 * PAGE_BYTES >= before); /* tables of places further on */
    return CLAIM_OK;
}

static const char *without_memory_there_is_no_thread_and_no_loss(void)
{
    exo_u64 before = FREE_NOW();
    exo_u64 fail;
    exo_u32 refused = 0;
    for (fail = 0; fail < 6; fail++) {
        struct thread *thread;
        frames_fail_after(fail);
        thread = thread_create("none", do_nothing, NO_ARGUMENT, CPUS_ANY);
        frames_fail_after(~0ull);
        if (thread != EXO_NULL) {
            thread_free(thread);
        } else {
            refused++;
        }
        REQUIRE(FREE_NOW() == before);
    }
    REQUIRE(refused >= 1);
    return CLAIM_OK;
}

const struct claim claims_tasks[] = {
    CLAIM(threads_that_never_give_way_take_turns),
    CLAIM(a_thread_runs_where_it_is_allowed),
    CLAIM(threads_that_may_run_anywhere_use_all_processors),
    CLAIM(sleeps_end_at_their_deadlines_and_in_order),
    CLAIM(an_unblock_ends_a_sleep_whatever_its_deadline),
    CLAIM(an_interrupt_is_sent_only_to_a_processor_that_sleeps),
    CLAIM(a_machine_without_work_is_not_disturbed),
    CLAIM(ended_threads_leave_nothing_behind),
    CLAIM(without_memory_there_is_no_thread_and_no_loss),
    CLAIMS_END,
};
