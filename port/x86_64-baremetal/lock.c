/* SPDX-License-Identifier: MIT */
#include "lock.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"

exo_bool spin_try(exo_u32 *word)
{
    exo_u32 expected = 0;
    /* [spin:try] pairs [spin:unlock] */
    return exo_cas32(word, &expected, 1u, EXO_ACQUIRE);
}

void spin_lock(exo_u32 *word)
{
    while (!spin_try(word)) {
        do {
            mail_read();
            exo_cpu_relax();
        } while (exo_load32(word, EXO_RELAXED) != 0); /* relaxed: the exchange decides */
    }
}

void spin_unlock(exo_u32 *word)
{
    exo_store32(word, 0u, EXO_RELEASE); /* [spin:unlock] pairs [spin:try] */
}

void kernel_lock(exo_u32 *word)
{
    exo_uptr flags = interrupts_save();
    struct cpu *cpu = cpu_this();
    if (cpu->lock_depth++ == 0) {
        cpu->lock_flags = flags;
    }
    spin_lock(word);
}

void kernel_unlock(exo_u32 *word)
{
    struct cpu *cpu = cpu_this();
    spin_unlock(word);
    if (--cpu->lock_depth == 0) {
        interrupts_restore(cpu->lock_flags);
    }
}
