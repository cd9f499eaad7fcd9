/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of each processor, by its memory window (xAPIC): a timer that fires once, and interrupts to others.
 * The window shows each processor its own.
 */
#include "console.h"
#include "cpu.h"
#include "memory.h"

#define APIC_ID             0x020u
#define APIC_PRIORITY       0x080u
#define APIC_EOI            0x0B0u
#define APIC_SPURIOUS       0x0F0u
#define APIC_COMMAND        0x300u
#define APIC_COMMAND_HIGH   0x310u
#define APIC_TIMER          0x320u
#define APIC_TIMER_INITIAL  0x380u
#define APIC_TIMER_CURRENT  0x390u
#define APIC_TIMER_DIVIDE   0x3E0u
#define APIC_ENABLED        0x100u
#define APIC_BY_ONE         0xBu
#define COMMAND_INIT        0x4500u
#define COMMAND_STARTUP     0x4600u
#define COMMAND_FIXED       0x4000u
#define COMMAND_PENDING     0x1000u

#define PIC_MASTER 0x20u
#define PIC_SLAVE  0xA0u

static exo_u8 *apic;
static exo_u64 timer_scale; /* ticks for each nanosecond, 32.32 */

static exo_u32 apic_read(exo_u32 offset)
{
    return *(volatile exo_u32 *)(void *)(apic + offset);
}

static void apic_write(exo_u32 offset, exo_u32 value)
{
    *(volatile exo_u32 *)(void *)(apic + offset) = value;
}

/* Both are moved away from the exceptions' vectors, in case one lets something through all the same, and masked. */
void pic_mask(void)
{
    static const exo_u8 words[] = {0x11, 0xF0, 4, 1}; /* in a chain, at vector 0xF0, 8086 mode */
    exo_u32 i;
    for (i = 0; i < sizeof(words); i++) {
        out8(PIC_MASTER + (i != 0), words[i]);
        out8(PIC_SLAVE + (i != 0), i == 2 ? 2 : words[i]);
    }
    out8(PIC_MASTER + 1, 0xFF);
    out8(PIC_SLAVE + 1, 0xFF);
}

void apic_init(void)
{
    exo_u64 phys = msr_read(MSR_APIC_BASE) & ENTRY_ADDRESS;
    exo_uptr virt = 0;
    if (paging_map(&kernel_space, phys, PAGE_BYTES, &virt,
                   EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_CACHE_DISABLED) != EXO_OK) {
        panic("no memory for the APIC's window");
    }
    apic = (exo_u8 *)virt;
}

void apic_enable(void)
{
    apic_write(APIC_SPURIOUS, APIC_ENABLED | VECTOR_SPURIOUS);
    apic_write(APIC_PRIORITY, 0);
    apic_write(APIC_TIMER_DIVIDE, APIC_BY_ONE);
    apic_write(APIC_TIMER, VECTOR_TIMER);
}

exo_u32 apic_id(void)
{
    return apic_read(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
    apic_write(APIC_EOI, 0);
}

/* Two writes that belong together: no interrupt may come between. */
static void command(exo_u32 id, exo_u32 what)
{
    exo_uptr flags = interrupts_save();
    while ((apic_read(APIC_COMMAND) & COMMAND_PENDING) != 0) {
        exo_cpu_relax();
    }
    apic_write(APIC_COMMAND_HIGH, id << 24);
    apic_write(APIC_COMMAND, what);
    interrupts_restore(flags);
}

void apic_send(exo_u32 id, exo_u8 vector)
{
    command(id, COMMAND_FIXED | vector);
}

void apic_send_init(exo_u32 id)
{
    command(id, COMMAND_INIT);
}

void apic_send_startup(exo_u32 id, exo_u8 page)
{
    command(id, COMMAND_STARTUP | page);
}

void apic_timer_set(exo_u64 nanoseconds)
{
    __extension__ unsigned __int128 ticks = (unsigned __int128)nanoseconds * timer_scale >> 32;
    /* One that is too far away fires early, and is set again. At least 1: 0 stops the timer. */
    apic_write(APIC_TIMER_INITIAL, ticks >= 0xFFFFFFFFu ? 0xFFFFFFFFu : (exo_u32)ticks + 1);
}

void apic_timer_begin(void)
{
    apic_write(APIC_TIMER_INITIAL, 0xFFFFFFFFu);
}

exo_u32 apic_timer_elapsed(void)
{
    exo_u32 ticks = 0xFFFFFFFFu - apic_read(APIC_TIMER_CURRENT);
    apic_write(APIC_TIMER_INITIAL, 0);
    return ticks;
}

void apic_timer_frequency_set(exo_u64 hertz)
{
    timer_scale = (hertz << 32) / 1000000000u;
}
