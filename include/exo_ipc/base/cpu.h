/* SPDX-License-Identifier: MIT */
/*
 * What the library knows of processors: how to be polite in a spin loop and how to read the cycle
 * counter. A port may define EXO_PORT_HAS_CPU 1 and both functions itself.
 */
#ifndef EXO_IPC_BASE_CPU_H
#define EXO_IPC_BASE_CPU_H

#include "config.h"
#include "types.h"

/* One turn of a spin loop: gives the other hardware thread the core and leaves the bus alone.
 * Context: any. Orders nothing. */
EXO_HOT void exo_cpu_relax(void)
{
#if EXO_VERIFY
#elif defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#elif defined(__riscv)
    __asm__ __volatile__(".4byte 0x0100000f"); /* pause, a hint: a no-op where it is unknown */
#endif
}

/* A hint that this line will be written soon. Orders nothing and never faults. Compilers emit prefetchw only for
 * processors that are said to have it; those of 64 bits without it take it for a no-op. */
EXO_HOT void exo_cpu_prefetch_write(const void *line)
{
#if EXO_VERIFY
    (void)line;
#elif defined(__x86_64__)
    __asm__ __volatile__("prefetchw (%0)" : : "r"(line)); /* no memory operand: it would pin the payload */
#else
    __builtin_prefetch(line, 1);
#endif
}

/* A hint that this line will be read soon. */
EXO_HOT void exo_cpu_prefetch_read(const void *line)
{
#if EXO_VERIFY
    (void)line;
#else
    __builtin_prefetch(line, 0);
#endif
}

/* Cycle counter of this CPU, or 0 where user code may not read one. Context: any. */
EXO_HOT exo_u64 exo_cpu_cycles(void)
{
#if EXO_VERIFY
    return 0;
#elif defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    exo_u64 ticks;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

#endif
