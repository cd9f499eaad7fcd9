/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables and control registers. Segments mean nothing any more but the ring; the task segment names the stacks
 * that the processor changes to by itself.
 */
#include "cpu.h"
#include "console.h"
#include "memory.h"

struct cpu cpus[CPUS];
exo_u32 cpu_count = 1;

void system_call_entry(void);

#define GDT_CODE_64 0x00AF9B000000FFFFull
#define GDT_DATA    0x00CF93000000FFFFull
#define GDT_USER    0x0000600000000000ull
#define GDT_TSS     0x0000890000000000ull

struct EXO_ALIGNED(2) table_register {
    exo_u16 limit;
    exo_u16 base[4];
};

static void load_descriptors(struct cpu *cpu)
{
    exo_uptr tss = (exo_uptr)&cpu->tss;
    exo_uptr gdt = (exo_uptr)cpu->gdt;
    struct table_register gdtr = {sizeof(cpu->gdt) - 1,
                                  {(exo_u16)gdt, (exo_u16)(gdt >> 16), (exo_u16)(gdt >> 32), (exo_u16)(gdt >> 48)}};
    cpu->gdt[SELECTOR_KERNEL_CODE / 8] = GDT_CODE_64;
    cpu->gdt[SELECTOR_KERNEL_DATA / 8] = GDT_DATA;
    cpu->gdt[SELECTOR_USER_DATA / 8] = GDT_DATA | GDT_USER;
    cpu->gdt[SELECTOR_USER_CODE / 8] = GDT_CODE_64 | GDT_USER;
    cpu->gdt[SELECTOR_TSS / 8] = GDT_TSS | (sizeof(struct tss) - 1) | (tss & 0xFFFFFFu) << 16 |
                                 (tss >> 24 & 0xFFu) << 56;
    cpu->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
    cpu->tss.io_map = sizeof(struct tss);
    __asm__ __volatile__("lgdt %0\n\t"
                         "pushq %1\n\t"
                         "leaq 1f(%%rip), %%rax\n\t"
                         "pushq %%rax\n\t"
                         "lretq\n"
                         "1:\tmovl %2, %%eax\n\t"
                         "movl %%eax, %%ds\n\t"
                         "movl %%eax, %%es\n\t"
                         "movl %%eax, %%ss\n\t"
                         "ltr %w3"
                         :
                         : "m"(gdtr), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA), "r"(SELECTOR_TSS)
                         : "rax", "memory");
    msr_write(MSR_GS_BASE, (exo_uptr)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
}

#define CPUID_7_B_SMEP (1u << 7)
#define CPUID_7_B_SMAP (1u << 20)
#define CPUID_7_C_UMIP (1u << 2)

/* The kernel may neither execute nor, unless it says so, access what is the user's; and the user may not ask where the
 * descriptor tables are. boot.S has set NX and WP. */
static void protect_kernel(void)
{
    struct cpuid features = cpuid(7);
    exo_u64 cr4 = cr4_read() | CR4_PGE | CR4_SMEP | CR4_SMAP;
    if ((features.b & CPUID_7_B_SMEP) == 0 || (features.b & CPUID_7_B_SMAP) == 0) {
        panic("this processor has no SMEP or no SMAP (qemu: -cpu max)");
    }
    if ((features.c & CPUID_7_C_UMIP) != 0) {
        cr4 |= CR4_UMIP;
    }
    cr4_write(cr4);
}

void cpu_init(struct cpu *cpu)
{
    cpu->self = cpu;
    cpu->space = &kernel_space;
    load_descriptors(cpu);
    protect_kernel();
    msr_write(MSR_STAR, (exo_u64)SELECTOR_KERNEL_CODE << 32 | (exo_u64)(SELECTOR_KERNEL_DATA | 3u) << 48);
    msr_write(MSR_LSTAR, (exo_uptr)system_call_entry);
    msr_write(MSR_FLAG_MASK, FLAGS_IF | FLAGS_DF | FLAGS_TF | FLAGS_AC | FLAGS_NT);
}

void cpu_stacks_init(struct cpu *cpu)
{
    exo_u32 i;
    for (i = 1; i <= IST_STACKS; i++) {
        cpu->ist[i] = stack_alloc();
        if (cpu->ist[i] == 0) {
            panic("no memory for the stacks of a processor");
        }
        cpu->tss.ist[i - 1][0] = (exo_u32)cpu->ist[i];
        cpu->tss.ist[i - 1][1] = (exo_u32)(cpu->ist[i] >> 32);
    }
}

/* Where the processor begins when it comes from ring 3. */
void cpu_kernel_stack_set(struct cpu *cpu, exo_uptr top)
{
    cpu->kernel_stack = top;
    cpu->tss.rsp0[0] = (exo_u32)top;
    cpu->tss.rsp0[1] = (exo_u32)(top >> 32);
}
