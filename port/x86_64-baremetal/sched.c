/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: a queue for each processor, round robin, with time slices.
 *
 *      ready:    queue, oldest first        taken by its processor, or by one that has nothing to do
 *      blocked:  in no queue; with a deadline, in the list of the processor where it blocked
 *
 * What happens to a thread is decided under the lock of the queue of thread->cpu. The lock is held from the moment when a
 * thread is marked blocked or queued until its processor has left its stack (the next thread releases it, in
 * sched_finish()). So whoever finds a thread under that lock may make it run elsewhere at once; no thread runs twice.
 *
 * A processor without work marks itself asleep under its lock, and halts with interrupts off until the halt; who gives it
 * work takes the mark away under the same lock, and sends an interrupt only if it was there.
 *
 * Costs: O(1), but for a sleeper with a deadline, which is sorted into its processor's list, and the look for an idle
 * processor, at most CPUS steps.
 */
#include "console.h"
#include "lock.h"
#include "task.h"

#define SLICE_NS 5000000ull

static void queue_push(struct run_queue *queue, struct thread *thread)
{
    thread->state = THREAD_READY;
    thread->next = (struct thread *)EXO_NULL;
    thread->previous = queue->last;
    if (queue->last != EXO_NULL) {
        queue->last->next = thread;
    } else {
        queue->first = thread;
    }
    queue->last = thread;
}

/* The oldest that may run on a processor; null if there is none. */
static struct thread *queue_take(struct run_queue *queue, exo_u32 cpu)
{
    struct thread *thread = queue->first;
    while (thread != EXO_NULL && (thread->allowed >> cpu & 1u) == 0) {
        thread = thread->next;
    }
    if (thread == EXO_NULL) {
        return thread;
    }
    if (thread->previous != EXO_NULL) {
        thread->previous->next = thread->next;
    } else {
        queue->first = thread->next;
    }
    if (thread->next != EXO_NULL) {
        thread->next->previous = thread->previous;
    } else {
        queue->last = thread->previous;
    }
    return thread;
}

static void sleepers_insert(struct run_queue *queue, struct thread *thread)
{
    struct thread *before = (struct thread *)EXO_NULL;
    struct thread *after = queue->sleepers;
    while (after != EXO_NULL && after->deadline_ns <= thread->deadline_ns) {
        before = after;
        after = after->next;
    }
    thread->previous = before;
    thread->next = after;
    if (before != EXO_NULL) {
        before->next = thread;
    } else {
        queue->sleepers = thread;
    }
    if (after != EXO_NULL) {
        after->previous = thread;
    }
}

static void sleepers_remove(struct run_queue *queue, struct thread *thread)
{
    if (thread->previous != EXO_NULL) {
        thread->previous->next = thread->next;
    } else {
        queue->sleepers = thread->next;
    }
    if (thread->next != EXO_NULL) {
        thread->next->previous = thread->previous;
    }
}

/* Sees to it that the timer fires in time: for the first deadline, and for the end of the slice. It may fire early: that
 * is cheaper than to set it anew each time a thread is changed. */
static void timer_update(struct cpu *cpu)
{
    struct run_queue *queue = &cpu->queue;
    exo_u64 wanted = cpu->current == cpu->idle ? EXO_FOREVER : queue->slice_end_ns;
    if (queue->sleepers != EXO_NULL) {
        wanted = exo_min64(wanted, queue->sleepers->deadline_ns);
    }
    if (wanted < queue->armed_ns) {
        exo_u64 now = exo_port_now_ns();
        apic_timer_set(wanted > now ? wanted - now : 0);
        queue->armed_ns = wanted;
    }
}

void sched_init(struct cpu *cpu)
{
    cpu->queue.armed_ns = EXO_FOREVER;
    cpu->current = cpu->idle;
    cpu->idle->state = THREAD_RUNNING;
}

/* From the queue of another processor, if its lock is free: two who steal from each other do not wait. */
static struct thread *steal(struct cpu *cpu)
{
    struct thread *thread = (struct thread *)EXO_NULL;
    exo_u32 i;
    for (i = 0; i < cpu_count && thread == EXO_NULL; i++) {
        struct cpu *other = &cpus[(cpu->number + 1 + i) % cpu_count];
        if (other != cpu && other->queue.first != EXO_NULL && spin_try(&other->queue.lock)) {
            thread = queue_take(&other->queue, cpu->number);
            if (thread != EXO_NULL) {
                thread->cpu = cpu->number;
            }
            spin_unlock(&other->queue.lock);
        }
    }
    return thread;
}

static struct thread *find_work(struct cpu *cpu)
{
    struct thread *thread = queue_take(&cpu->queue, cpu->number);
    return thread != EXO_NULL ? thread : steal(cpu);
}

/* Releases the lock of the queue, on the stack of the next thread; tells who waits for the end of the last one. */
void sched_finish(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *previous = cpu->previous;
    exo_bool ended = previous->state == THREAD_ENDED;
    spin_unlock(&cpu->queue.lock);
    if (ended) {
        exo_store32(&previous->ended, 1u, EXO_RELEASE); /* [thread:ended] pairs [thread:join] */
        /* It may be freed already, by one who looked in between; then its address wakes nobody. */
        (void)exo_parking_wake(&previous->ended, 0xFFFFFFFFu);
    }
}

/* Gives the processor to another, or to nobody. The lock is held, and is free when this returns. */
static void switch_to(struct cpu *cpu, struct thread *next)
{
    struct thread *self = cpu->current;
    if (next == EXO_NULL) {
        next = cpu->idle;
    }
    next->state = THREAD_RUNNING;
    if (next == self) {
        spin_unlock(&cpu->queue.lock);
        return;
    }
    cpu->current = next;
    cpu->previous = self;
    cpu_kernel_stack_set(cpu, next->stack_top);
    space_load(next->space);
    cpu->queue.slice_end_ns = exo_port_now_ns() + SLICE_NS;
    timer_update(cpu);
    context_switch(&self->stack_pointer, next->stack_pointer);
    sched_finish(); /* perhaps on another processor */
}

/* The processor for a thread that has become ready: where it was, if that one sleeps or no other does. A look without
 * locks: wrong is slower, not worse. */
static exo_u32 select_cpu(const struct thread *thread)
{
    exo_u32 home = thread->cpu;
    exo_u32 i;
    exo_bool home_allowed = home < cpu_count && (thread->allowed >> home & 1u) != 0;
    if (home_allowed && exo_load32(&cpus[home].queue.sleeping, EXO_RELAXED) != 0) { /* relaxed: a guess */
        return home;
    }
    for (i = 0; i < cpu_count; i++) {
        if ((thread->allowed >> i & 1u) != 0 && exo_load32(&cpus[i].queue.sleeping, EXO_RELAXED) != 0) { /* relaxed: same */
            return i;
        }
    }
    for (i = 0; !home_allowed && i < cpu_count; i++) {
        if ((thread->allowed >> i & 1u) != 0) {
            return i;
        }
    }
    return home;
}

/* Queues a thread that is in no queue; interrupts are off, and the lock of thread->cpu is held, and is free after. */
static void make_ready(struct thread *thread)
{
    exo_u32 home = thread->cpu;
    exo_u32 target = select_cpu(thread);
    struct run_queue *queue = &cpus[target].queue;
    thread->state = THREAD_READY;
    if (target != home) {
        thread->cpu = target; /* in no queue for a moment: who finds it now leaves a permit */
        spin_unlock(&cpus[home].queue.lock);
        spin_lock(&queue->lock);
    }
    queue_push(queue, thread);
    if (queue->sleeping != 0) {
        exo_store32(&queue->sleeping, 0u, EXO_RELAXED); /* relaxed: under the lock */
        if (target != cpu_this()->number) {
            apic_send(cpus[target].apic_id, VECTOR_WAKE);
        }
    }
    spin_unlock(&queue->lock);
}

static struct run_queue *lock_home(struct thread *thread)
{
    for (;;) {
        exo_u32 home = exo_load32(&thread->cpu, EXO_RELAXED); /* relaxed: looked at again under the lock */
        spin_lock(&cpus[home].queue.lock);
        if (exo_load32(&thread->cpu, EXO_RELAXED) == home) { /* relaxed: same */
            return &cpus[home].queue;
        }
        spin_unlock(&cpus[home].queue.lock);
    }
}

void sched_ready(struct thread *thread)
{
    exo_uptr flags = interrupts_save();
    (void)lock_home(thread);
    make_ready(thread);
    interrupts_restore(flags);
}

void *exo_port_thread_current(void)
{
    return cpu_thread();
}

void exo_port_block_current(exo_u64 deadline_ns)
{
    exo_uptr flags = interrupts_save();
    struct cpu *cpu = cpu_this();
    struct thread *self = cpu->current;
    if (cpu->lock_depth != 0) {
        panic("a thread blocks that holds a lock");
    }
    spin_lock(&cpu->queue.lock);
    /* relaxed: who kills stores it first, and unblocks then, under this lock */
    if (self->permit || exo_load32(&self->killed, EXO_RELAXED) != 0 ||
        (deadline_ns != EXO_FOREVER && deadline_ns <= exo_port_now_ns())) {
        self->permit = EXO_FALSE;
        spin_unlock(&cpu->queue.lock);
    } else {
        self->state = THREAD_BLOCKED;
        self->deadline_ns = deadline_ns;
        if (deadline_ns != EXO_FOREVER) {
            sleepers_insert(&cpu->queue, self);
            timer_update(cpu);
        }
        switch_to(cpu, find_work(cpu));
    }
    interrupts_restore(flags);
}

void exo_port_unblock(void *other)
{
    struct thread *thread = (struct thread *)other;
    exo_uptr flags = interrupts_save();
    struct run_queue *queue = lock_home(thread);
    if (thread->state == THREAD_BLOCKED) {
        if (thread->deadline_ns != EXO_FOREVER) {
            sleepers_remove(queue, thread);
        }
        make_ready(thread);
    } else {
        thread->permit = EXO_TRUE;
        spin_unlock(&queue->lock);
    }
    interrupts_restore(flags);
}

exo_uptr exo_port_critical_enter(void)
{
    return interrupts_save();
}

void exo_port_critical_exit(exo_uptr state)
{
    interrupts_restore(state);
}

void sched_yield(void)
{
    exo_uptr flags = interrupts_save();
    struct cpu *cpu = cpu_this();
    spin_lock(&cpu->queue.lock);
    queue_push(&cpu->queue, cpu->current);
    switch_to(cpu, find_work(cpu));
    interrupts_restore(flags);
}

void sched_exit(void)
{
    struct cpu *cpu;
    interrupts_off();
    cpu = cpu_this();
    spin_lock(&cpu->queue.lock);
    cpu->current->state = THREAD_ENDED;
    switch_to(cpu, find_work(cpu));
    panic("a thread came back that had ended");
}

/* One that sleeps is told that there is work in somebody's queue. */
static void call_a_thief(const struct cpu *cpu)
{
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        if (&cpus[i] != cpu && exo_load32(&cpus[i].queue.sleeping, EXO_RELAXED) != 0) { /* relaxed: a guess */
            apic_send(cpus[i].apic_id, VECTOR_WAKE);
            return;
        }
    }
}

/* The timer's interrupt: deadlines that have passed, and the end of a slice. */
void sched_timer(void)
{
    struct cpu *cpu = cpu_this();
    struct run_queue *queue = &cpu->queue;
    struct thread *next = (struct thread *)EXO_NULL;
    exo_u64 now = exo_port_now_ns();
    spin_lock(&queue->lock);
    queue->armed_ns = EXO_FOREVER;
    while (queue->sleepers != EXO_NULL && queue->sleepers->deadline_ns <= now) {
        struct thread *thread = queue->sleepers;
        sleepers_remove(queue, thread);
        queue_push(queue, thread);
    }
    if (cpu->current != cpu->idle && now >= queue->slice_end_ns) {
        queue->slice_end_ns = now + SLICE_NS;
        next = queue_take(queue, cpu->number);
    }
    timer_update(cpu);
    if (next != EXO_NULL) {
        queue_push(queue, cpu->current);
    }
    if (queue->first != EXO_NULL && cpu->current != cpu->idle) {
        call_a_thief(cpu);
    }
    if (next != EXO_NULL) {
        switch_to(cpu, next);
    } else {
        spin_unlock(&queue->lock);
    }
}

void sched_idle(void)
{
    for (;;) {
        struct cpu *cpu;
        struct thread *next;
        interrupts_off();
        cpu = cpu_this();
        spin_lock(&cpu->queue.lock);
        exo_store32(&cpu->queue.sleeping, 0u, EXO_RELAXED); /* relaxed: under the lock */
        next = find_work(cpu);
        if (next != EXO_NULL) {
            switch_to(cpu, next);
        } else {
            exo_store32(&cpu->queue.sleeping, 1u, EXO_RELAXED); /* relaxed: same */
            timer_update(cpu);
            spin_unlock(&cpu->queue.lock);
            interrupts_on_and_halt();
        }
    }
}
