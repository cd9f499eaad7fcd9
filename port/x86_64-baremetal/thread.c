/* SPDX-License-Identifier: MIT */
/*
 * Threads: their stacks, their numbers, their ends.
 */
#include "console.h"
#include "lock.h"
#include "task.h"

static struct thread *threads[THREADS]; /* by id - 1 */
static exo_u32 threads_lock;

static exo_bool number(struct thread *thread)
{
    exo_u32 i;
    kernel_lock(&threads_lock);
    for (i = 0; i < THREADS && threads[i] != EXO_NULL; i++) {
    }
    if (i < THREADS) {
        threads[i] = thread;
        thread->id = i + 1;
    }
    kernel_unlock(&threads_lock);
    return i < THREADS;
}

struct thread *thread_create(const char *name, void (*run)(void *argument), void *argument, exo_u32 allowed)
{
    exo_uptr top = stack_alloc(); /* zeroed */
    struct thread *thread = (struct thread *)(top - sizeof(struct thread));
    exo_uptr *frame;
    if (top == 0) {
        return (struct thread *)EXO_NULL;
    }
    if (!number(thread)) {
        stack_free(top);
        return (struct thread *)EXO_NULL;
    }
    thread->name = name;
    thread->run = run;
    thread->argument = argument;
    thread->allowed = allowed;
    thread->space = &kernel_space;
    thread->stack_top = (exo_uptr)thread & ~(exo_uptr)15;
    /* As context_switch() left it: six registers, and where to go on. A zero above ends traces. */
    frame = (exo_uptr *)(thread->stack_top - 16);
    frame -= 7;
    frame[4] = (exo_uptr)thread; /* %rbx */
    frame[6] = (exo_uptr)thread_first;
    thread->stack_pointer = (exo_uptr)frame;
    return thread;
}

struct thread *thread_create_idle(struct cpu *cpu)
{
    struct thread *thread = thread_create("idle", (void (*)(void *))EXO_NULL, EXO_NULL, 1u << cpu->number);
    if (thread == EXO_NULL) {
        panic("no memory for a processor");
    }
    thread->cpu = cpu->number;
    return thread;
}

/* Called by thread_first, with the queue's lock held and interrupts off, as switch_to() leaves them. */
void thread_enter(struct thread *self)
{
    sched_finish();
    interrupts_on();
    self->run(self->argument);
    thread_exit();
}

void thread_start(struct thread *thread)
{
    sched_ready(thread);
}

void thread_exit(void)
{
    sched_exit();
}

void thread_free(struct thread *thread)
{
    kernel_lock(&threads_lock);
    threads[thread->id - 1] = (struct thread *)EXO_NULL;
    kernel_unlock(&threads_lock);
    stack_free((exo_uptr)(thread + 1));
}

exo_bool thread_join(struct thread *thread, exo_u64 deadline_ns)
{
    while (exo_load32(&thread->ended, EXO_ACQUIRE) == 0) { /* [thread:join] pairs [thread:ended] */
        if (deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
            return EXO_FALSE;
        }
        exo_port_wait(&thread->ended, 0, deadline_ns, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
    }
    thread_free(thread);
    return EXO_TRUE;
}

/* Without a lock: for a kernel that is about to panic. */
const struct thread *thread_of_guard(exo_uptr address)
{
    exo_u32 i;
    for (i = 0; i < THREADS; i++) {
        if (threads[i] != EXO_NULL) {
            exo_uptr bottom = (exo_uptr)(threads[i] + 1) - STACK_BYTES;
            if (address < bottom && address >= bottom - PAGE_BYTES) {
                return threads[i];
            }
        }
    }
    return (const struct thread *)EXO_NULL;
}

exo_u32 kernel_self(void)
{
    return cpu_thread()->id;
}
