/* SPDX-License-Identifier: MIT */
/*
 * Time: the time stamp counter, which is the same on all processors of a machine with an invariant one, against the one
 * clock whose frequency is known, channel 2 of the interval timer. The APIC's timer is measured in the same turn.
 */
#include "cpu.h"
#include "console.h"
#include "exo_ipc/port.h"

#define PIT_HERTZ   1193182ull
#define PIT_TICKS   11932u /* 10 ms */
#define PIT_CHANNEL 0x42u
#define PIT_MODE    0x43u
#define PIT_GATE    0x61u
#define GATE_OPEN   0x01u
#define GATE_SPEAK  0x02u
#define GATE_OUT    0x20u
#define ROUNDS      3u

struct kernel_clock kernel_clock;

/* A microsecond or less between two looks at a clock: an emulator that counts instructions stops for each look. */
static void linger(void)
{
    exo_u32 turns;
    for (turns = 0; turns < 500; turns++) {
        __asm__ __volatile__("");
    }
}

/* Counts both for 10 ms. */
static void measure(exo_u64 *cycles, exo_u64 *ticks)
{
    exo_u8 gate = (exo_u8)((in8(PIT_GATE) & ~(GATE_SPEAK | GATE_OUT)) | GATE_OPEN);
    exo_u64 begin;
    out8(PIT_GATE, gate);
    out8(PIT_MODE, 0xB0); /* channel 2, both bytes, one shot */
    out8(PIT_CHANNEL, PIT_TICKS & 0xFF);
    out8(PIT_CHANNEL, PIT_TICKS >> 8);
    apic_timer_begin();
    begin = exo_cpu_cycles();
    while ((in8(PIT_GATE) & GATE_OUT) == 0) {
        linger();
    }
    *cycles = exo_cpu_cycles() - begin;
    *ticks = apic_timer_elapsed();
}

/* What disturbs a round makes it longer: the shortest counts. */
void clock_init(void)
{
    exo_u64 best_cycles = ~0ull;
    exo_u64 best_ticks = ~0ull;
    exo_u32 round;
    for (round = 0; round < ROUNDS; round++) {
        exo_u64 cycles;
        exo_u64 ticks;
        measure(&cycles, &ticks);
        best_cycles = exo_min64(best_cycles, cycles);
        best_ticks = exo_min64(best_ticks, ticks);
    }
    if (best_cycles == 0 || best_ticks == 0) {
        panic("a clock stands still");
    }
    kernel_clock.scale = (1000000000ull << 32) / (best_cycles * PIT_HERTZ / PIT_TICKS);
    kernel_clock.begin = exo_cpu_cycles();
    apic_timer_frequency_set(best_ticks * PIT_HERTZ / PIT_TICKS);
}

void clock_pause_ns(exo_u64 nanoseconds)
{
    exo_u64 until = exo_port_now_ns() + nanoseconds;
    while (exo_port_now_ns() < until) {
        linger();
    }
}
