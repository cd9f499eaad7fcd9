/* SPDX-License-Identifier: MIT */
/*
 * The other processors: INIT, STARTUP, STARTUP (Intel, Multiprocessor Specification B.4), one after the other, so that
 * they share what they read on their way.
 */
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "task.h"

extern char trampoline_begin[], trampoline_end[];
exo_u64 smp_root;
exo_uptr smp_stack;
struct cpu *smp_cpu;

void smp_begin(struct cpu *cpu);

static exo_bool comes_online(const struct cpu *cpu, exo_u64 patience_ns)
{
    exo_u64 until = exo_port_now_ns() + patience_ns;
    do {
        if (exo_load32(&cpu->online, EXO_ACQUIRE) != 0) { /* [smp:wait] pairs [smp:online] */
            return EXO_TRUE;
        }
        clock_pause_ns(1000);
    } while (exo_port_now_ns() < until);
    return EXO_FALSE;
}

static exo_bool start_one(struct cpu *cpu)
{
    exo_u32 attempt;
    smp_cpu = cpu;
    smp_root = kernel_space.root;
    smp_stack = cpu->idle->stack_top;
    apic_send_init(cpu->apic_id);
    clock_pause_ns(10000000);
    for (attempt = 0; attempt < 2; attempt++) {
        apic_send_startup(cpu->apic_id, TRAMPOLINE / PAGE_BYTES);
        if (comes_online(cpu, attempt == 0 ? 1000000 : 2000000000)) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

void smp_start(const exo_u32 *ids, exo_u32 found)
{
    exo_u32 own = apic_id();
    exo_u32 i;
    cpus[0].apic_id = own;
    /* Linked where it was loaded, low. */
    __builtin_memcpy(direct(TRAMPOLINE), direct((exo_u64)(exo_uptr)trampoline_begin),
                     (exo_size)(trampoline_end - trampoline_begin));
    for (i = 0; i < found && cpu_count < CPUS; i++) {
        struct cpu *cpu = &cpus[cpu_count];
        if (ids[i] == own) {
            continue;
        }
        cpu->apic_id = ids[i];
        cpu->number = cpu_count;
        cpu_stacks_init(cpu);
        cpu->idle = thread_create_idle(cpu);
        cpu->current = cpu->idle;
        if (start_one(cpu)) {
            cpu_count++;
        } else {
            print("processor %u does not start\n", NUMBER(ids[i]));
        }
    }
}

/* Called by boot.S, on the new processor, on the stack of its idle thread. */
void smp_begin(struct cpu *cpu)
{
    cpu_init(cpu);
    cpu_kernel_stack_set(cpu, cpu->idle->stack_top);
    idt_load();
    apic_enable();
    sched_init(cpu);
    (void)exo_fetch_or32(&kernel_space.cpus, 1u << cpu->number, EXO_RELAXED); /* relaxed: the fence follows */
    /* [smp:fence] pairs [tlb:fence]: from here on it is asked to forget; what it may have read before goes here */
    exo_fence_seq();
    cr3_write(kernel_space.root);
    cr4_write(cr4_read() & ~(exo_u64)CR4_PGE);
    cr4_write(cr4_read() | CR4_PGE);
    exo_store32(&cpu->online, 1u, EXO_RELEASE); /* [smp:online] pairs [smp:wait] */
    sched_idle();
}
