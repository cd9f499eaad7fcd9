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

/* The kernel compares the newest value, under a lock of its own. */
void model_wait(const struct site *site, const exo_u32 *word, exo_u32 expected, exo_u64 deadline_ns,
                exo_u32 peers)
{
    struct thread *self = &model.thread[model.running];
    if (model.running == 0) {
        return;
    }
    schedule_point(0, EXO_TRUE);
    memory_settle_guess(model.running);
    trace_step(site, word, expected, "wait");
    if (memory_kernel_look(word, 4) != expected || deadline_ns <= model.now_ns ||
        (peers != 0 && !any_alive(peers))) {
        return;
    }
    if (model.left.spurious != 0 && search_choose(2) != 0) {
        model.left.spurious--;
        return;
    }
    self->word = word;
    self->deadline = deadline_ns;
    self->peers = peers;
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
        if (model.thread[i].state == THREAD_SLEEPS && model.thread[i].word == word) {
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
