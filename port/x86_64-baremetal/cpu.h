/* SPDX-License-Identifier: MIT */
/*
 * What each processor has of its own, and what an interrupt leaves on the stack.
 */
#ifndef BAREMETAL_CPU_H
#define BAREMETAL_CPU_H

#include "layout.h"
#include "machine.h"
#include "exo_ipc/base/config.h"

#define CPUS 8 /* at most */

struct thread;
struct exo_port_space;
struct mail;

/* As entry.S pushes it; from rip on, the processor did. */
struct trap_frame {
    exo_u64 r15, r14, r13, r12, r11, r10, r9, r8;
    exo_u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
    exo_u64 vector, error;
    exo_u64 rip, cs, flags, rsp, ss;
};

EXO_INLINE exo_bool trap_from_user(const struct trap_frame *frame)
{
    return (frame->cs & 3u) != 0;
}

struct tss {
    exo_u32 reserved;
    exo_u32 rsp0[2]; /* halves: the format is not aligned */
    exo_u32 rsp1_2[4];
    exo_u32 reserved_ist[2];
    exo_u32 ist[7][2];
    exo_u32 reserved_end[2];
    exo_u16 reserved_map;
    exo_u16 io_map; /* beyond the limit: no port is the user's */
};

EXO_STATIC_ASSERT(sizeof(struct tss) == 104, "as the processor reads it");

/* Stacks for what may come at any instruction: each entry begins at the top of its own. */
enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_DEBUG, IST_STACKS = IST_DEBUG };

/* The threads of one processor. Everything is under the lock, which is also held from the choice of the next thread until
 * that one runs: a thread that is found in a queue has left its processor. */
struct run_queue {
    exo_u32 lock;
    exo_u32 sleeping; /* 1: halted, or about to be, and nobody has sent an interrupt yet */
    struct thread *first;
    struct thread *last;
    struct thread *sleepers; /* by deadline, the earliest first */
    exo_u64 slice_end_ns;
    exo_u64 armed_ns; /* when the timer fires; EXO_FOREVER: it does not */
};

/**
 * struct cpu - one processor; %gs points to it while the kernel runs.
 * @current: the running thread; @kernel_stack: the top of its stack; @user_stack: scratch of the system call entry
 * @lock_depth, @lock_flags: how many locks are held, and whether interrupts were on before the first
 * @space: the address space whose entries its TLB holds besides the kernel's
 * @mailbox: by sender, what the others ask it to do; @letters: which of them are there, by bit
 */
struct cpu {
    struct cpu *self;
    struct thread *current;
    exo_uptr kernel_stack;
    exo_uptr user_stack;
    exo_u32 number;
    exo_u32 apic_id;
    exo_u32 online;
    exo_u32 lock_depth;
    exo_uptr lock_flags;
    struct exo_port_space *space;
    struct thread *idle;
    struct thread *previous; /* who left the processor last */
    exo_uptr ist[IST_STACKS + 1];
    exo_u64 gdt[7];
    struct tss tss;
    struct run_queue queue EXO_ALIGNED(EXO_LINE_PAIR);
    exo_u32 letters EXO_ALIGNED(EXO_LINE_PAIR);
    struct mail *mailbox[CPUS];
    exo_u32 interrupts[3]; /* taken: timer, wake, mail; its own */
} EXO_ALIGNED(EXO_LINE_PAIR);

EXO_STATIC_ASSERT(__builtin_offsetof(struct cpu, current) == CPU_CURRENT, "entry.S");
EXO_STATIC_ASSERT(__builtin_offsetof(struct cpu, kernel_stack) == CPU_KERNEL_STACK, "entry.S");
EXO_STATIC_ASSERT(__builtin_offsetof(struct cpu, user_stack) == CPU_USER_STACK, "entry.S");

extern struct cpu cpus[CPUS];
extern exo_u32 cpu_count;

/* Interrupts must be off, or the caller may be on another one already. */
EXO_INLINE struct cpu *cpu_this(void)
{
    struct cpu *self;
    __asm__ __volatile__("mov %%gs:0, %0" : "=r"(self));
    return self;
}

/* One instruction, so that no interrupt comes between. */
EXO_INLINE struct thread *cpu_thread(void)
{
    struct thread *current;
    __asm__ __volatile__("mov %%gs:%c1, %0" : "=r"(current) : "i"(CPU_CURRENT));
    return current;
}

/* cpu.c: descriptor tables and control registers of the processor that calls. */
void cpu_init(struct cpu *cpu);
void cpu_stacks_init(struct cpu *cpu);
void cpu_kernel_stack_set(struct cpu *cpu, exo_uptr top);

/* smp.c: starts those of these APIC ids that are not the caller's own. */
void smp_start(const exo_u32 *ids, exo_u32 found);

/* acpi.c: the processors' ids by the firmware's tables; how many. */
exo_u32 acpi_processors(exo_u64 root_pointer, exo_u32 *ids, exo_u32 room);

/* idt.c */
void idt_init(void);
void idt_load(void);

/* A debugger's, or a test's: sees each exception first, and returns true if it has dealt with it. */
extern exo_bool (*trap_hook)(struct trap_frame *frame, exo_uptr address);

/* apic.c. The timer fires once, so many nanoseconds from now. */
void pic_mask(void);
void apic_init(void);
void apic_enable(void);
exo_u32 apic_id(void);
void apic_end_of_interrupt(void);
void apic_send(exo_u32 apic_id, exo_u8 vector);
void apic_send_init(exo_u32 apic_id);
void apic_send_startup(exo_u32 apic_id, exo_u8 page);
void apic_timer_set(exo_u64 nanoseconds);
void apic_timer_begin(void);
exo_u32 apic_timer_elapsed(void);
void apic_timer_frequency_set(exo_u64 hertz);

/* clock.c */
void clock_init(void);
void clock_pause_ns(exo_u64 nanoseconds);

#endif
