/* SPDX-License-Identifier: MIT */
/*
 * Traps: exceptions and interrupts. A fault of a process ends the process. A fault of the kernel is either one of an
 * instruction that may fault (.fixups), or the kernel's end, with all that can be said about it.
 */
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "task.h"

#define FAULT_PRESENT 1u
#define FAULT_WRITE   2u
#define FAULT_USER    4u
#define FAULT_FETCH   16u

struct fixup {
    exo_uptr at;
    exo_uptr to;
};

static struct {
    exo_u16 offset_low;
    exo_u16 selector;
    exo_u8 stack;
    exo_u8 type;
    exo_u16 offset_middle;
    exo_u32 offset_high;
    exo_u32 reserved;
} idt[256];

extern char trap_stubs[];
extern const struct fixup fixups_begin[], fixups_end[];
exo_bool (*trap_hook)(struct trap_frame *frame, exo_uptr address);

void trap_handle(struct trap_frame *frame);

static void gate_set(exo_u32 vector, exo_u32 stack)
{
    exo_uptr stub = (exo_uptr)trap_stubs + 16 * vector;
    idt[vector].offset_low = (exo_u16)stub;
    idt[vector].offset_middle = (exo_u16)(stub >> 16);
    idt[vector].offset_high = (exo_u32)(stub >> 32);
    idt[vector].selector = SELECTOR_KERNEL_CODE;
    idt[vector].stack = (exo_u8)stack;
    idt[vector].type = 0x8E; /* an interrupt gate, for ring 0 only: int in ring 3 is a protection fault */
}

void idt_init(void)
{
    exo_u32 vector;
    for (vector = 0; vector < 256; vector++) {
        gate_set(vector, 0);
    }
    gate_set(VECTOR_DOUBLE_FAULT, IST_DOUBLE_FAULT);
    gate_set(VECTOR_NMI, IST_NMI);
    gate_set(VECTOR_MACHINE_CHECK, IST_MACHINE_CHECK);
    gate_set(VECTOR_DEBUG, IST_DEBUG);
}

void idt_load(void)
{
    exo_uptr base = (exo_uptr)idt;
    exo_u16 idtr[5] = {sizeof(idt) - 1, (exo_u16)base, (exo_u16)(base >> 16), (exo_u16)(base >> 32),
                       (exo_u16)(base >> 48)};
    __asm__ __volatile__("lidt %0" : : "m"(idtr));
}

static const char *vector_name(exo_u64 vector)
{
    static const char *const names[] = {
        "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode",
        "no coprocessor", "double fault", "coprocessor overrun", "invalid TSS", "segment not present",
        "stack fault", "general protection", "page fault", "reserved", "floating point", "alignment check",
        "machine check", "vector floating point", "virtualization", "control protection"};
    return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "unexpected vector";
}

static void print_page_fault(exo_u64 error, exo_uptr address)
{
    const struct thread *guarded = thread_of_guard(address);
    exo_u32 level;
    exo_u64 entry = *paging_entry(cpu_this()->space, address, &level);
    print("  %s %s %x: %s (entry of level %u: %x)\n", (error & FAULT_USER) != 0 ? "the user" : "the kernel",
          (error & FAULT_FETCH) != 0 ? "executes" : ((error & FAULT_WRITE) != 0 ? "writes" : "reads"), NUMBER(address),
          (error & FAULT_PRESENT) != 0 ? "not allowed" : "nothing is there", NUMBER(level), entry);
    if (guarded != EXO_NULL) {
        print("  that is below the stack of thread %u (%s): too deep\n", NUMBER(guarded->id), guarded->name);
    }
}

static void dump(const struct trap_frame *f, exo_uptr address)
{
    const struct cpu *cpu = cpu_this();
    const struct thread *thread = cpu->current;
    print("\n%s (vector %u, error %x) on processor %u, ", vector_name(f->vector), f->vector, f->error,
          NUMBER(cpu->number));
    if (thread != EXO_NULL) {
        print("thread %u (%s)\n", NUMBER(thread->id), thread->name);
    } else {
        print("before there were threads\n");
    }
    if (f->vector == VECTOR_PAGE_FAULT || f->vector == VECTOR_DOUBLE_FAULT) {
        print_page_fault(f->error, address);
    }
    print("  rip %p  cs %x  flags %x  rsp %p\n", f->rip, f->cs, f->flags, f->rsp);
    print("  rax %p  rbx %p  rcx %p  rdx %p\n", f->rax, f->rbx, f->rcx, f->rdx);
    print("  rsi %p  rdi %p  rbp %p  r8  %p\n", f->rsi, f->rdi, f->rbp, f->r8);
    print("  r9  %p  r10 %p  r11 %p  r12 %p\n", f->r9, f->r10, f->r11, f->r12);
    print("  r13 %p  r14 %p  r15 %p  cr3 %p\n", f->r13, f->r14, f->r15, cr3_read());
    if (!trap_from_user(f)) {
        print_trace(f->rbp);
    }
}

/* An instruction of the kernel's that may fault on what is the user's: goes on where its pair says. */
static exo_bool fix_up(struct trap_frame *frame, exo_uptr address)
{
    const struct fixup *pair;
    if ((frame->vector == VECTOR_PAGE_FAULT && address >= USER_END) ||
        (frame->vector != VECTOR_PAGE_FAULT && frame->vector != VECTOR_PROTECTION)) {
        return EXO_FALSE;
    }
    for (pair = fixups_begin; pair < fixups_end; pair++) {
        if (pair->at == frame->rip) {
            frame->rip = pair->to;
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

static void exception(struct trap_frame *frame, exo_uptr address)
{
    if (trap_hook != EXO_NULL && trap_hook(frame, address)) {
        return;
    }
    if (trap_from_user(frame) && frame->vector != VECTOR_DOUBLE_FAULT && frame->vector != VECTOR_MACHINE_CHECK &&
        frame->vector != VECTOR_NMI) {
        struct process_end end = {(exo_u32)frame->vector, (exo_u32)frame->error, address, frame->rip, 0};
        process_exit(&end);
    }
    if (fix_up(frame, address)) {
        return;
    }
    console_panic_mode();
    dump(frame, address);
    machine_exit(EXIT_PANIC);
}

static void interrupt(struct cpu *cpu, exo_u64 vector)
{
    if (vector == VECTOR_SPURIOUS) {
        return; /* takes no end */
    }
    apic_end_of_interrupt(); /* first: what follows may run another thread for a long time */
    if (vector == VECTOR_TIMER) {
        cpu->interrupts[0]++;
        sched_timer();
    } else if (vector == VECTOR_WAKE) {
        cpu->interrupts[1]++; /* ends a halt, or brings a process here that was killed */
    } else if (vector == VECTOR_MAIL) {
        cpu->interrupts[2]++;
        mail_read();
    }
}

/* Called by entry.S with interrupts off. */
void trap_handle(struct trap_frame *frame)
{
    exo_bool faulted = frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT;
    exo_uptr address = faulted ? cr2_read() : 0;
    if (frame->vector < VECTOR_EXCEPTIONS) {
        exception(frame, address);
    } else {
        interrupt(cpu_this(), frame->vector);
    }
    if (trap_from_user(frame)) {
        process_check();
    }
}
