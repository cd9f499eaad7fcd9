/* SPDX-License-Identifier: MIT */
/*
 * Threads of the kernel, their scheduler, and processes, each of which is one thread that runs in ring 3.
 */
#ifndef BAREMETAL_TASK_H
#define BAREMETAL_TASK_H

#include "cpu.h"
#include "memory.h"
#include "exo_ipc/port.h"

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_ENDED };

/**
 * struct thread - a thread; lies at the top of its own stack.
 * @killed: its process is to end; looked at by system calls and traps before they go back (entry.S knows the offset)
 * @cpu: where it runs, is queued, or blocked last: that processor's queue lock guards what follows
 * @allowed: the processors that may run it, by bit
 * @permit: an unblock came while it was not blocked; the next block takes it
 * @space: what is loaded while it runs
 * @ended: 1 once it has left its stack for ever; waited for by thread_join()
 * @id: 1 .. THREADS, its own as long as it is not freed
 */
struct thread {
    exo_u32 killed;
    exo_u32 cpu;
    exo_u32 allowed;
    enum thread_state state;
    exo_bool permit;
    struct thread *next;
    struct thread *previous;
    exo_u64 deadline_ns;
    exo_uptr stack_pointer;
    exo_uptr stack_top;
    struct exo_port_space *space;
    struct process *process;
    void (*run)(void *argument);
    void *argument;
    exo_u32 ended;
    exo_u32 id;
    const char *name;
};

#define THREADS  256u
#define CPUS_ANY 0xFFFFFFFFu

/* thread.c */

/* A thread that does not run yet; null: no memory, or too many. The name must stay. */
struct thread *thread_create(const char *name, void (*run)(void *argument), void *argument, exo_u32 allowed);
void thread_start(struct thread *thread);
/* Waits until it has ended, and frees it. False: it has not, by the deadline. */
exo_bool thread_join(struct thread *thread, exo_u64 deadline_ns);
/* Frees one that was not started. */
void thread_free(struct thread *thread);
void thread_exit(void) __attribute__((noreturn));
struct thread *thread_create_idle(struct cpu *cpu);
/* Which thread's guard page an address is in: null: nobody's. */
const struct thread *thread_of_guard(exo_uptr address);
/* The first function of every thread; entry.S */
void thread_first(void) __attribute__((noreturn));
void thread_enter(struct thread *self) __attribute__((noreturn));

/* sched.c; see base/parking.h for exo_port_block_current() and exo_port_unblock(). */
void sched_init(struct cpu *cpu);
void sched_ready(struct thread *thread);
void sched_yield(void);
void sched_exit(void) __attribute__((noreturn));
void sched_idle(void) __attribute__((noreturn));
void sched_timer(void);
void sched_finish(void);

/* process.c */
#define PROCESSES        64u
#define PROCESS_SEGMENTS 8u
#define PROCESS_CHILDREN 8u

struct exo_process;

struct process_segment {
    exo_u64 phys;
    exo_size bytes;
};

/* How a process ended. vector: of the exception, with the address of a page fault and where it was; PROCESS_EXIT: by its
 * own call, with a code; PROCESS_KILLED. */
#define PROCESS_EXIT   0x100u
#define PROCESS_KILLED 0x101u

struct process_end {
    exo_u32 vector;
    exo_u32 error;
    exo_u64 address;
    exo_u64 rip;
    exo_i64 code;
};

/**
 * struct process - an address space and the thread in it.
 * @id: as exo_port_process() answers it
 * @segment: the frames that are its own, given back with it
 * @trusted: what the nucleus knows of it, from its begin until its thread ends
 * @nucleus: the nucleus's number of it
 * @parent, @children, @next: whom it spawned. Its own thread's, and its joiner's once that has ended
 */
struct process {
    struct exo_port_space space;
    struct thread *thread;
    exo_u64 id;
    exo_uptr entry;
    exo_u64 argument;
    struct process_end end;
    exo_u32 segments;
    struct process_segment segment[PROCESS_SEGMENTS];
    struct exo_process *trusted;
    exo_u64 nucleus;
    struct process *parent;
    struct process *children;
    struct process *next;
    exo_u32 child_count;
};

/* A program that processes may spawn, by its place in the table that the image brings. */
struct program {
    const char *name;
    const char *image;
    const char *image_end;
};
extern const struct program programs[];
extern const exo_u32 program_count;

/* Loads a program; its _start finds the argument in its first register. Runs when its thread is started. */
exo_status process_create(const char *name, const void *image, exo_size bytes, exo_u64 argument,
                          struct process **created);
/* The same for a process that makes another; it is not started. */
exo_status process_spawn(struct process *parent, exo_u64 program, exo_u64 argument, struct process **created);
/* Whether a process runs that has this number, and by which the nucleus knows it (0: by any). */
exo_bool process_is_alive(exo_u64 id, exo_u64 nucleus);
/* By its number; null: no child of this one. */
struct process *process_child(struct process *parent, exo_u64 id);
/* Waits for its end, tells how it was, and frees all of it. Its children are killed then, and go with it. False: it has not
 * ended by the deadline, or the caller is killed. */
exo_bool process_join(struct process *process, exo_u64 deadline_ns, struct process_end *end);
void process_kill(struct process *process);
/* The end of the process that calls. */
void process_exit(const struct process_end *end) __attribute__((noreturn));
/* On the way back to ring 3: ends those who were killed. */
void process_check(void);
/* Memory that belongs to a process, mapped where it says. */
exo_status process_memory(struct process *process, exo_uptr *virt, exo_size bytes, exo_u32 flags, exo_u64 *phys);

/* nucleus.c: the trusted side, and how it knows processes. */
void nucleus_init(void);
exo_status nucleus_begin(struct process *process);
void nucleus_end(struct process *process, exo_bool died);
exo_i64 nucleus_call(exo_u64 address);

/* elf.c */
exo_status elf_load(struct process *process, const void *image, exo_size bytes);

/* entry.S */
void context_switch(exo_uptr *save, exo_uptr load);
void user_enter(exo_uptr rip, exo_uptr rsp, exo_u64 argument) __attribute__((noreturn));
void stack_begin(exo_uptr top, void (*run)(void)) __attribute__((noreturn));

/* What an image is for: it runs in the first thread, and then the machine ends with what it returned. */
exo_u8 kernel_main(const char *command_line, const struct memory_map *ram);

#endif
