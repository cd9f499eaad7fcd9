/* SPDX-License-Identifier: MIT */
/*
 * The hooks of the port (model_port.h): sleep and wake, the clock, who lives; and what a client asks of its threads.
 * Time stands still until nobody can run.
 */
#include "model.h"

void model_relax(const struct site *site)
{
    struct thread *self = &model.thread[model.running];
    (void)site;
    if (model.running == 0) {
        return;
    }
    if (self->learned || memory_catch_up(model.running)) {
        self->learned = EXO_FALSE;
        return; /* its next turn may end otherwise */
    }
    self->others = model.stores - self->own;
    schedule_stop(THREAD_SPINS);
}

exo_u64 model_now_ns(void)
{
    return model.now_ns;
}

/* In setup, the thread that will use what is made there. */
exo_u32 model_self(void)
{
    return model.running == 0 ? model.acting : model.running;
}

void client_acts_as(exo_u32 thread)
{
    model.acting = thread;
}

struct exo_port_peer *client_process(exo_u32 thread)
{
    static struct exo_port_peer process[CLIENT_THREADS + 1];
    process[thread].threads = 1u << thread;
    return &process[thread];
}

/* Whether one of these threads lives. Who learns of a death has seen all that the dead did. */
static exo_bool any_alive(exo_u32 threads)
{
    exo_u32 i;
    for (i = 1; i < MODEL_THREADS; i++) {
        if ((threads >> i & 1) != 0 && model.thread[i].state != THREAD_DEAD) {
            return EXO_TRUE;
        }
    }
    for (i = 1; i < MODEL_THREADS; i++) {
        if ((threads >> i & 1) != 0) {
            memory_learn(model.running, i);
        }
    }
    return EXO_FALSE;
}

exo_bool model_alive(const struct site *site, exo_u32 threads)
{
    exo_bool alive;
    if (model.running != 0) {
        schedule_point(0, EXO_TRUE);
    }
    alive = any_alive(threads);
    trace_step(site, NULL, threads, alive ? "alive" : "dead");
    return alive;
}

/* Whether one of the words, or of the peers, is not as the sleeper has it. The kernel compares the newest value, under
 * a lock of its own; a wake while it goes from word to word is not lost either. */
static exo_bool sleeps_in_vain(const struct exo_wait_word *first)
{
    const struct exo_wait_word *at;
    for (at = first; at != NULL; at = at->next) {
        if (memory_kernel_look(at->word, 4) != at->expected ||
            (at->peer != NULL && !any_alive(at->peer->threads))) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

static exo_bool sleeps_on(const struct thread *thread, const exo_u32 *word)
{
    const struct exo_wait_word *at;
    for (at = thread->state == THREAD_SLEEPS ? thread->words : NULL; at != NULL; at = at->next) {
        if (at->word == word) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

void model_wait(const struct site *site, const struct exo_wait_word *first, exo_u64 deadline_ns)
{
    struct thread *self = &model.thread[model.running];
    if (model.running == 0) {
        return;
    }
    schedule_point(0, EXO_TRUE);
    memory_settle_guess(model.running);
    trace_step(site, first->word, first->expected, "wait");
    if (sleeps_in_vain(first) || deadline_ns <= model.now_ns) {
        return;
    }
    if (model.left.spurious != 0 && search_choose(2) != 0) {
        model.left.spurious--;
        return;
    }
    self->words = first;
    self->deadline = deadline_ns;
    schedule_stop(THREAD_SLEEPS);
}

void model_wake(const struct site *site, exo_u32 *word, exo_u32 count)
{
    exo_u32 sleepers[MODEL_THREADS];
    exo_u32 n = 0;
    exo_u32 i;
    if (model.running == 0) {
        return;
    }
    schedule_point(0, EXO_TRUE);
    trace_step(site, word, count, "wake");
    for (i = 1; i < MODEL_THREADS; i++) {
        if (sleeps_on(&model.thread[i], word)) {
            sleepers[n++] = i;
        }
    }
    while (n != 0 && count-- != 0) {
        i = n <= count ? 0 : search_choose(n);
        model.thread[sleepers[i]].state = THREAD_READY;
        sleepers[i] = sleepers[--n];
    }
}

exo_bool model_asymmetric(void)
{
    return !model.client->symmetric;
}

exo_u32 client_self(void)
{
    return model.running;
}

exo_bool client_died(exo_u32 thread)
{
    return model.thread[thread].state == THREAD_DEAD;
}
