/* SPDX-License-Identifier: MIT */
/*
 * Who runs. A thread stops in front of each step; there, the search may let another one go first (a preemption,
 * of which there is a budget), or kill it (another budget). A thread that sleeps, or that has called cpu_relax,
 * is not run until something has changed for it.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define TURNS 4u /* of those that spin, while nobody stores anything: more than a bounded spin takes */
#define JUMPS 12u
#define JUMP_NS 1000000ull

struct model model;
const struct client *client_now;

static char stacks[MODEL_THREADS][FIBER_STACK_BYTES] __attribute__((aligned(64)));

static void to_host(void)
{
    fiber_switch(&model.thread[model.running].fiber, &model.host);
}

static void leave_for_good(void) __attribute__((noreturn));
static void leave_for_good(void)
{
    for (;;) {
        to_host(); /* never comes back */
    }
}

void schedule_fail(const char *why)
{
    if (model.running == 0) {
        (void)fprintf(stderr, "model: %s\n", why);
        exit(2);
    }
    model.failure = model.failure == NULL ? why : model.failure;
    leave_for_good();
}

void client_failed(const char *file, int line, const char *what)
{
    static char text[200];
    const char *slash = strrchr(file, '/');
    (void)snprintf(text, sizeof(text), "%s:%d: %s", slash == NULL ? file : slash + 1, line, what);
    if (model.running != 0) {
        schedule_fail(text);
    }
    model.failure = model.failure == NULL ? text : model.failure;
}

static exo_bool can_run(exo_u32 i)
{
    const struct thread *thread = &model.thread[i];
    return thread->state == THREAD_READY ||
           (thread->state == THREAD_SPINS && model.stores - thread->own != thread->others);
}

/* This run can not be: others are looked at instead. */
void schedule_prune(void)
{
    model.pruned = EXO_TRUE;
    leave_for_good();
}

/* Those that can run, the one given first; without those that sleep sets leave out. */
static exo_u32 candidates(exo_u32 first, exo_u32 *threads, exo_u32 *left_out)
{
    exo_u32 count = 0;
    exo_u32 i;
    *left_out = 0;
    for (i = 0; i < MODEL_THREADS; i++) {
        exo_u32 thread = i == 0 ? first : i;
        if (thread == 0 || (i != 0 && thread == first) || !can_run(thread)) {
            continue;
        }
        if ((model.asleep >> thread & 1) != 0) {
            ++*left_out;
        } else {
            threads[count++] = thread;
        }
    }
    return count;
}

/* What was tried before at this choice need not go first again, until a step that it does not commute with. */
static void fall_asleep(const exo_u32 *threads, exo_u32 picked)
{
    exo_u32 i;
    for (i = 0; search_thins() && i < picked; i++) {
        model.asleep |= 1u << threads[i];
    }
}

static void wake_dependent(const struct step *step)
{
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        const struct step *other = &model.thread[i].next;
        if (step->address == 0 || other->address == 0 ||
            (step->address == other->address && (step->writes || other->writes))) {
            model.asleep &= ~(1u << i);
        }
    }
}

static void wake_for_death(exo_u32 dead)
{
    const struct exo_wait_word *at;
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        at = model.thread[i].state == THREAD_SLEEPS ? model.thread[i].words : NULL;
        for (; at != NULL; at = at->next) {
            if (at->peer != NULL && (at->peer->threads >> dead & 1) != 0) {
                model.thread[i].state = THREAD_READY;
            }
        }
    }
}

static void die(void)
{
    trace_step(NULL, NULL, 0, "killed");
    model.thread[model.running].state = THREAD_DEAD;
    model.left.kills--;
    model.kills++;
    model.stores++; /* a change, for those that spin */
    model.asleep = 0;
    wake_for_death(model.running);
    leave_for_good();
}

/* Lets others go first, if the search wants that: this thread is chosen for its step when it comes back. */
static void let_others(exo_u32 me, exo_bool mortal)
{
    exo_bool asleep = (model.asleep >> me & 1) != 0;
    exo_u32 threads[MODEL_THREADS];
    exo_u32 left_out;
    exo_u32 count = candidates(me, threads, &left_out);
    exo_u32 picked;
    if (count == 0) {
        schedule_prune();
    }
    if (!asleep && model.left.bound.preemptions == 0) {
        count = 1;
    }
    picked = search_choose_thread(threads, count, mortal && !asleep);
    if (picked == count) {
        die();
    }
    fall_asleep(threads, picked);
    if (threads[picked] != me) {
        model.left.bound.preemptions -= model.left.bound.preemptions != MODEL_UNBOUNDED;
        model.wanted = threads[picked];
        to_host();
        if (mortal && model.left.kills != 0 && search_choose_thread(&me, 1, 1) == 1) {
            die();
        }
    }
}

/* In front of a step. One without an address is a fence or a call of the kernel: nothing moves across it. */
void schedule_point(exo_uptr address, exo_bool writes)
{
    struct thread *self = &model.thread[model.running];
    self->stored = address == 0 ? 0 : self->stored;
    self->next.address = address;
    self->next.writes = writes;
    if (++model.steps > MODEL_STEPS) {
        schedule_fail("a run that does not end");
    }
    let_others(model.running,
               model.left.kills != 0 && (model.client->killable >> (model.running - 1) & 1) != 0);
    wake_dependent(&self->next);
}

/* This thread goes on when it can run again. */
void schedule_stop(enum thread_state state)
{
    struct thread *self = &model.thread[model.running];
    self->state = state;
    self->next.address = 0;
    self->next.writes = EXO_TRUE;
    to_host();
    self->state = THREAD_READY;
}

static void thread_entry(void)
{
    model.client->thread[model.running - 1]();
    memory_settle_guess(model.running);
    schedule_stop(THREAD_DONE);
}

/* A round has room for one more kill, or hostile value, than for old values. */
static exo_u32 within_round(exo_u32 budget)
{
    exo_u32 most = model.left.bound.old == MODEL_UNBOUNDED ? budget : model.left.bound.old + 1;
    model.kept_out = model.kept_out || budget > most;
    return budget < most ? budget : most;
}

static void prepare(void)
{
    const struct client *client = model.client;
    exo_u32 i;
    memset(model.thread, 0, sizeof(model.thread));
    memory_reset();
    words_reset();
    history_reset();
    trace_names_reset();
    model.asleep = 0;
    model.pruned = EXO_FALSE;
    model.steps = 0;
    model.stores = 0;
    model.kills = 0;
    model.lies = 0;
    model.idle = 0;
    model.now_ns = 1;
    model.failure = NULL;
    model.running = 0;
    model.acting = 1;
    model.left.bound = search_bounds();
    model.left.kills = within_round(client->kills);
    model.left.lies = within_round(client->lies);
    model.left.guesses = client->guesses;
    model.left.spurious = client->spurious;
    for (i = 0; i < MODEL_THREADS; i++) {
        model.thread[i].state = THREAD_DONE;
    }
    client->setup();
    for (i = 1; i < MODEL_THREADS && client->thread[i - 1] != NULL; i++) {
        model.thread[i].state = THREAD_READY;
        fiber_prepare(&model.thread[i].fiber, stacks[i], thread_entry);
    }
}

static exo_bool spinners_go_on(void)
{
    exo_bool any = EXO_FALSE;
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        if (model.thread[i].state == THREAD_SPINS) {
            model.thread[i].state = THREAD_READY;
            any = EXO_TRUE;
        }
    }
    return any;
}

static exo_bool sleepers_time_out(void)
{
    exo_bool any = EXO_FALSE;
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        struct thread *thread = &model.thread[i];
        if (thread->state == THREAD_SLEEPS && thread->deadline != EXO_FOREVER) {
            any = EXO_TRUE;
            if (thread->deadline <= model.now_ns) {
                thread->state = THREAD_READY;
            }
        }
    }
    return any;
}

/* Nobody can run. A spin may be a bounded one; then, where somebody has died, time may help. */
static const char *advance(void)
{
    exo_bool helps;
    if (++model.idle <= TURNS) {
        if (spinners_go_on()) {
            return NULL;
        }
        model.idle = TURNS + 1;
    }
    if (model.idle > TURNS + JUMPS) {
        return "everybody spins or sleeps, and time does not help";
    }
    model.now_ns += JUMP_NS << (model.idle - TURNS);
    helps = sleepers_time_out();
    if (model.kills != 0 || model.client->timed) {
        helps = spinners_go_on() || helps;
        return helps ? NULL : "everybody sleeps: a lost wake-up";
    }
    return helps ? "everybody spins or sleeps: a lost wake-up, which only the clock would repair"
                 : "everybody spins or sleeps: a lost wake-up";
}

static exo_bool all_over(void)
{
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        if (model.thread[i].state != THREAD_DONE && model.thread[i].state != THREAD_DEAD) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

static void run_thread(exo_u32 thread)
{
    model.running = thread;
    model.wanted = 0;
    fiber_switch(&model.host, &model.thread[thread].fiber);
    model.running = 0;
}

/* One run. Returns why it failed, or null. */
const char *schedule_run(void)
{
    exo_u32 threads[MODEL_THREADS];
    exo_u32 left_out;
    prepare();
    while (model.failure == NULL && !model.pruned && !all_over()) {
        exo_u32 count;
        exo_u32 picked;
        if (model.wanted != 0) {
            run_thread(model.wanted);
            continue;
        }
        count = candidates(0, threads, &left_out);
        if (count == 0) {
            if (left_out != 0) {
                model.pruned = EXO_TRUE;
                break;
            }
            model.failure = advance();
            continue;
        }
        picked = search_choose_thread(threads, count, 0);
        fall_asleep(threads, picked);
        run_thread(threads[picked]);
    }
    model.wanted = 0;
    if (model.failure == NULL && !model.pruned) {
        for (left_out = 1; left_out < MODEL_THREADS; left_out++) {
            memory_learn(0, left_out);
        }
        model.client->finish();
    }
    return model.failure;
}
