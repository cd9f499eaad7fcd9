/* SPDX-License-Identifier: MIT */
/*
 * Processes: an address space, a program in it, and one thread, which begins in the kernel and goes to ring 3.
 *
 * A process ends in its own thread: by its call, by a fault, or, killed, on its next way back to ring 3. What it holds in the
 * nucleus is given back there. The record stays until process_join(), and so do its children.
 */
#include "console.h"
#include "lock.h"
#include "task.h"

#define USER_STACK_BYTES 0x10000u
#define NUMBER_BITS      24u

EXO_STATIC_ASSERT(__builtin_offsetof(struct thread, killed) == 0, "entry.S");
EXO_STATIC_ASSERT(sizeof(struct process) <= PAGE_BYTES, "a frame each");

/* By number - FIRST_PROCESS. The kernel itself is number 1. */
#define KERNEL_PROCESS 1u
#define FIRST_PROCESS  2u
static struct process *processes[PROCESSES];
static exo_u64 births;
static exo_u32 processes_lock;

exo_u64 kernel_process(void)
{
    const struct process *process = cpu_thread()->process;
    return process == EXO_NULL ? KERNEL_PROCESS : process->id;
}

/* Found by number, of which a birth of 0 is not compared; or by its whole number and the nucleus's. */
exo_bool process_is_alive(exo_u64 id, exo_u64 nucleus)
{
    exo_u64 place = (id & ((1u << NUMBER_BITS) - 1)) - FIRST_PROCESS;
    const struct process *process;
    exo_bool alive = EXO_FALSE;
    if (place >= PROCESSES) {
        return (id & ((1u << NUMBER_BITS) - 1)) == KERNEL_PROCESS && nucleus == 0;
    }
    kernel_lock(&processes_lock);
    process = processes[place];
    if (process != EXO_NULL && (nucleus == 0 ? id >> NUMBER_BITS == 0 || process->id == id
                                             : process->id == id && process->nucleus == nucleus)) {
        alive = exo_load32(&process->thread->ended, EXO_ACQUIRE) == 0; /* [process:alive] pairs [thread:ended] */
    }
    kernel_unlock(&processes_lock);
    return alive;
}

exo_bool kernel_process_alive(exo_u64 id)
{
    return process_is_alive(id, 0);
}

static exo_status enlist(struct process *process)
{
    exo_u32 place;
    kernel_lock(&processes_lock);
    for (place = 0; place < PROCESSES && processes[place] != EXO_NULL; place++) {
    }
    if (place < PROCESSES) {
        births = births % ((1u << NUMBER_BITS) - 1) + 1; /* never 0 */
        process->id = births << NUMBER_BITS | (place + FIRST_PROCESS);
        processes[place] = process;
    }
    kernel_unlock(&processes_lock);
    return place < PROCESSES ? EXO_OK : EXO_NO_MEMORY;
}

exo_status process_memory(struct process *process, exo_uptr *virt, exo_size bytes, exo_u32 flags, exo_u64 *phys)
{
    struct process_segment *segment = &process->segment[process->segments];
    exo_status status;
    if (process->segments == PROCESS_SEGMENTS) {
        return EXO_NO_MEMORY;
    }
    *phys = frames_alloc(bytes);
    if (*phys == EXO_NO_FRAME) {
        return EXO_NO_MEMORY;
    }
    status = paging_map(&process->space, *phys, bytes, virt, flags);
    if (status != EXO_OK) {
        (void)frames_free(*phys, bytes);
        return status;
    }
    segment->phys = *phys;
    segment->bytes = bytes;
    process->segments++;
    return EXO_OK;
}

static void begin(void *argument)
{
    struct process *process = (struct process *)argument;
    process_check(); /* killed before it began */
    user_enter(process->entry, USER_END, process->argument);
}

/* Nothing of it runs any more. */
static void free_memory(struct process *process)
{
    exo_u32 i;
    if (process->space.root != EXO_NO_FRAME) {
        space_fini(&process->space);
    }
    for (i = 0; i < process->segments; i++) {
        (void)frames_free(process->segment[i].phys, process->segment[i].bytes);
    }
    (void)frames_free(direct_phys(process), PAGE_BYTES);
}

static exo_status fill(struct process *process, const char *name, const void *image, exo_size bytes)
{
    exo_uptr stack = USER_END - USER_STACK_BYTES; /* nothing is mapped below */
    exo_u64 phys;
    exo_status status = space_init(&process->space);
    if (status == EXO_OK) {
        status = elf_load(process, image, bytes);
    }
    if (status == EXO_OK) {
        status = process_memory(process, &stack, USER_STACK_BYTES, EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_USER, &phys);
    }
    if (status == EXO_OK) {
        process->thread = thread_create(name, begin, process, CPUS_ANY);
        status = process->thread == EXO_NULL ? EXO_NO_MEMORY : EXO_OK;
    }
    if (status == EXO_OK) {
        process->thread->process = process;
        process->thread->space = &process->space;
        status = nucleus_begin(process);
        if (status == EXO_OK) {
            status = enlist(process);
            if (status != EXO_OK) {
                nucleus_end(process, EXO_FALSE);
            }
        }
        if (status != EXO_OK) {
            thread_free(process->thread);
        }
    }
    return status;
}

exo_status process_create(const char *name, const void *image, exo_size bytes, exo_u64 argument,
                          struct process **created)
{
    exo_u64 frame = frames_alloc(PAGE_BYTES); /* zeroed */
    struct process *process = (struct process *)direct(frame);
    exo_status status;
    if (frame == EXO_NO_FRAME) {
        return EXO_NO_MEMORY;
    }
    process->space.root = EXO_NO_FRAME;
    process->argument = argument;
    status = fill(process, name, image, bytes);
    if (status != EXO_OK) {
        free_memory(process);
        return status;
    }
    *created = process;
    return EXO_OK;
}

exo_status process_spawn(struct process *parent, exo_u64 program, exo_u64 argument, struct process **created)
{
    const struct program *at;
    exo_status status;
    if (program >= program_count) {
        return EXO_NOT_FOUND;
    }
    if (parent->child_count == PROCESS_CHILDREN) {
        return EXO_QUOTA_EXCEEDED;
    }
    at = &programs[program];
    status = process_create(at->name, at->image, (exo_size)(at->image_end - at->image), argument, created);
    if (status == EXO_OK) {
        (*created)->parent = parent;
        (*created)->next = parent->children;
        parent->children = *created;
        parent->child_count++;
    }
    return status;
}

struct process *process_child(struct process *parent, exo_u64 id)
{
    struct process *at = parent->children;
    while (at != EXO_NULL && at->id != id) {
        at = at->next;
    }
    return at;
}

static exo_bool wait_for_end(struct thread *thread, exo_u64 deadline_ns, exo_bool always)
{
    while (exo_load32(&thread->ended, EXO_ACQUIRE) == 0) { /* [process:join] pairs [thread:ended] */
        if (deadline_ns != EXO_FOREVER && exo_port_now_ns() >= deadline_ns) {
            return EXO_FALSE;
        }
        if (!always && exo_load32(&cpu_thread()->killed, EXO_RELAXED) != 0) { /* relaxed: sleeps end early then */
            return EXO_FALSE;
        }
        exo_port_wait(&thread->ended, 0, deadline_ns, EXO_FALSE, (struct exo_port_peer *)EXO_NULL);
    }
    return EXO_TRUE;
}

/* A process that has ended and has no children. */
static void remove_process(struct process *process)
{
    struct process *parent = process->parent;
    struct process **link;
    if (parent != EXO_NULL) {
        for (link = &parent->children; *link != process; link = &(*link)->next) {
        }
        *link = process->next;
        parent->child_count--;
    }
    kernel_lock(&processes_lock);
    processes[(process->id & ((1u << NUMBER_BITS) - 1)) - FIRST_PROCESS] = (struct process *)EXO_NULL;
    kernel_unlock(&processes_lock);
    thread_free(process->thread);
    free_memory(process);
}

exo_bool process_join(struct process *process, exo_u64 deadline_ns, struct process_end *end)
{
    struct process *at = process;
    exo_bool last = EXO_FALSE;
    if (!wait_for_end(process->thread, deadline_ns, EXO_FALSE)) {
        return EXO_FALSE;
    }
    *end = process->end;
    while (!last) { /* the youngest of the youngest first, one after the other: they may be many */
        struct process *parent = at->parent;
        if (at->children != EXO_NULL) {
            at = at->children;
            process_kill(at);
            (void)wait_for_end(at->thread, EXO_FOREVER, EXO_TRUE);
        } else {
            last = at == process;
            remove_process(at);
            at = parent;
        }
    }
    return EXO_TRUE;
}

/* On the thread's own stack, whatever stack its last trap came on: from here on it may be put aside. */
static void end_process(void)
{
    struct process *process = cpu_thread()->process;
    interrupts_on();
    nucleus_end(process, process->end.vector != PROCESS_EXIT);
    thread_exit();
}

void process_exit(const struct process_end *end)
{
    struct thread *self = cpu_thread();
    self->process->end = *end;
    stack_begin(self->stack_top, end_process);
}

void process_kill(struct process *process)
{
    struct thread *thread = process->thread;
    exo_u32 cpu;
    exo_store32(&thread->killed, 1u, EXO_RELAXED); /* relaxed: the fence follows */
    /* [process:kill] pairs [process:check]: either it is seen on the way back to ring 3, or that was before, and then the
     * processor is the one that is found here */
    exo_fence_seq();
    exo_port_unblock(thread);
    cpu = exo_load32(&thread->cpu, EXO_RELAXED); /* relaxed: see above */
    apic_send(cpus[cpu].apic_id, VECTOR_WAKE);
}

void process_check(void)
{
    struct thread *self = cpu_thread();
    exo_fence_seq(); /* [process:check] pairs [process:kill] */
    if (exo_load32(&self->killed, EXO_RELAXED) != 0) { /* relaxed: behind the fence */
        struct process_end end = {PROCESS_KILLED, 0, 0, 0, 0};
        process_exit(&end);
    }
}
