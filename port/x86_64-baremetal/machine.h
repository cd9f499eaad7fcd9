/* SPDX-License-Identifier: MIT */
/*
 * Instructions that C has no words for, and the bits of registers that this kernel sets.
 */
#ifndef BAREMETAL_MACHINE_H
#define BAREMETAL_MACHINE_H

#include "exo_ipc/base/compiler.h"
#include "exo_ipc/base/types.h"

#define CR4_PGE  (1u << 7)
#define CR4_UMIP (1u << 11)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

#define FLAGS_TF  (1u << 8)
#define FLAGS_IF  (1u << 9)
#define FLAGS_DF  (1u << 10)
#define FLAGS_NT  (1u << 14)
#define FLAGS_AC  (1u << 18)
#define FLAGS_ONE (1u << 1) /* always set */

#define MSR_APIC_BASE      0x1Bu
#define MSR_STAR           0xC0000081u
#define MSR_LSTAR          0xC0000082u
#define MSR_FLAG_MASK      0xC0000084u
#define MSR_GS_BASE        0xC0000101u
#define MSR_KERNEL_GS_BASE 0xC0000102u

EXO_INLINE void out8(exo_u16 port, exo_u8 value)
{
    __asm__ __volatile__("outb %0, %1" : : "a"(value), "Nd"(port));
}

EXO_INLINE exo_u8 in8(exo_u16 port)
{
    exo_u8 value;
    __asm__ __volatile__("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

EXO_INLINE exo_u64 msr_read(exo_u32 number)
{
    exo_u32 low;
    exo_u32 high;
    __asm__ __volatile__("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (exo_u64)high << 32 | low;
}

EXO_INLINE void msr_write(exo_u32 number, exo_u64 value)
{
    __asm__ __volatile__("wrmsr"
                         :
                         : "c"(number), "a"((exo_u32)value), "d"((exo_u32)(value >> 32))
                         : "memory");
}

EXO_INLINE exo_uptr cr2_read(void)
{
    exo_uptr value;
    __asm__ __volatile__("mov %%cr2, %0" : "=r"(value));
    return value;
}

EXO_INLINE exo_u64 cr3_read(void)
{
    exo_u64 value;
    __asm__ __volatile__("mov %%cr3, %0" : "=r"(value));
    return value;
}

EXO_INLINE void cr3_write(exo_u64 value)
{
    __asm__ __volatile__("mov %0, %%cr3" : : "r"(value) : "memory");
}

EXO_INLINE exo_u64 cr4_read(void)
{
    exo_u64 value;
    __asm__ __volatile__("mov %%cr4, %0" : "=r"(value));
    return value;
}

EXO_INLINE void cr4_write(exo_u64 value)
{
    __asm__ __volatile__("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* Forgets the translation of one address on this processor, global ones too, and all that it caches of the
 * tables above. */
EXO_INLINE void page_invalidate(exo_uptr address)
{
    __asm__ __volatile__("invlpg (%0)" : : "r"(address) : "memory");
}

struct cpuid {
    exo_u32 a, b, c, d;
};

EXO_INLINE struct cpuid cpuid(exo_u32 leaf)
{
    struct cpuid of;
    __asm__ __volatile__("cpuid"
                         : "=a"(of.a), "=b"(of.b), "=c"(of.c), "=d"(of.d)
                         : "a"(leaf), "c"(0));
    return of;
}

/* Interrupts off; returns what restores them. */
EXO_INLINE exo_uptr interrupts_save(void)
{
    exo_uptr flags;
    __asm__ __volatile__("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

EXO_INLINE void interrupts_restore(exo_uptr flags)
{
    if ((flags & FLAGS_IF) != 0) {
        __asm__ __volatile__("sti" : : : "memory");
    }
}

EXO_INLINE void interrupts_on(void)
{
    __asm__ __volatile__("sti" : : : "memory");
}

EXO_INLINE void interrupts_off(void)
{
    __asm__ __volatile__("cli" : : : "memory");
}

/* sti takes effect after the instruction that follows it: no interrupt comes between the two, so that one that was sent
 * after the last look, with interrupts off, ends the halt. */
EXO_INLINE void interrupts_on_and_halt(void)
{
    __asm__ __volatile__("sti; hlt" : : : "memory");
}

static inline __attribute__((noreturn, unused)) void halt_for_ever(void)
{
    for (;;) {
        __asm__ __volatile__("cli; hlt");
    }
}

/* By string instructions: without vector registers nothing is faster for pages. */
EXO_INLINE void memory_zero(void *to, exo_size bytes)
{
    exo_size words = bytes / 8;
    __asm__ __volatile__("rep stosq" : "+D"(to), "+c"(words) : "a"(0ull) : "memory");
}

#endif
