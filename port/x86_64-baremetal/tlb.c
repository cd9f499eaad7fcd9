/* SPDX-License-Identifier: MIT */
/*
 * Translations that processors remember, and how they are made to forget: shoot-downs.
 *
 * A space knows which processors have it loaded (struct exo_port_space, cpus); those and no others are asked, for all
 * addresses of a batch at once. A letter lies on the sender's stack until everybody whom it is for has crossed himself out;
 * each processor has one place for a letter of each other, so nobody waits for a place:
 *
 *      sender a                                 processor b
 *      mailbox[a] of b = letter
 *      letters of b |= 1 << a   ----------->    on the interrupt, or while it waits for a lock or for answers:
 *      interrupt to b                           letters = 0, and for each: forget, letter.waiting &= ~(1 << b)
 *      waits until letter.waiting is 0
 *
 * Who waits for answers reads his own mail, and so does who waits for a lock (lock.c): two that ask each other, or one
 * that asks another who waits for the lock it holds, both go on.
 */
#include "memory.h"
#include "cpu.h"

/* @batch: what to forget; null: nothing, only pass a fence.  @waiting: who has not answered, by bit */
struct mail {
    const struct tlb_batch *batch;
    exo_u32 waiting;
};

void tlb_batch_init(struct tlb_batch *batch, struct exo_port_space *space)
{
    batch->space = space;
    batch->count = 0;
    batch->tables = 0;
}

void tlb_batch_add(struct tlb_batch *batch, exo_uptr address)
{
    if (batch->count < TLB_BATCH) {
        batch->address[batch->count++] = address;
    } else {
        batch->count = TLB_BATCH + 1;
    }
}

/* All that this processor remembers; entries of the kernel outlive a change of the root, but not this. */
static void forget_all(void)
{
    exo_u64 cr4 = cr4_read();
    cr4_write(cr4 & ~(exo_u64)CR4_PGE);
    cr4_write(cr4);
}

static void forget(struct cpu *cpu, const struct tlb_batch *batch)
{
    exo_u32 i;
    if (batch == EXO_NULL || (batch->space != &kernel_space && batch->space != cpu->space)) {
        return; /* it has loaded another one in the meantime, and forgotten by that */
    }
    if (batch->count > TLB_BATCH) {
        forget_all();
        return;
    }
    for (i = 0; i < batch->count; i++) {
        page_invalidate(batch->address[i]);
    }
}

void mail_read(void)
{
    struct cpu *cpu = cpu_this();
    exo_u32 letters = exo_load32(&cpu->letters, EXO_RELAXED); /* relaxed: looked at again below */
    exo_u32 from;
    if (letters == 0) {
        return;
    }
    letters = exo_fetch_and32(&cpu->letters, 0u, EXO_ACQUIRE); /* [mail:open] pairs [mail:post] */
    for (from = 0; letters != 0; from++, letters >>= 1) {
        if ((letters & 1u) != 0) {
            struct mail *mail = cpu->mailbox[from];
            forget(cpu, mail->batch);
            exo_fence_seq(); /* [mail:fence] pairs [mail:everywhere]: what fence_everywhere() asks for */
            /* [mail:answer] pairs [mail:answered]: after this the letter may be gone */
            (void)exo_fetch_and32(&mail->waiting, ~(1u << cpu->number), EXO_RELEASE);
        }
    }
}

/* Interrupts are off: the letter is on this stack and says it is from this processor. */
static void mail_send(struct cpu *cpu, exo_u32 targets, const struct tlb_batch *batch)
{
    struct mail mail;
    exo_u32 i;
    mail.batch = batch;
    mail.waiting = targets;
    for (i = 0; i < CPUS; i++) {
        if ((targets >> i & 1u) != 0) {
            cpus[i].mailbox[cpu->number] = &mail;
            /* [mail:post] pairs [mail:open] */
            (void)exo_fetch_or32(&cpus[i].letters, 1u << cpu->number, EXO_RELEASE);
            apic_send(cpus[i].apic_id, VECTOR_MAIL);
        }
    }
    while (exo_load32(&mail.waiting, EXO_ACQUIRE) != 0) { /* [mail:answered] pairs [mail:answer] */
        mail_read();
        exo_cpu_relax();
    }
}

static void free_tables(struct tlb_batch *batch)
{
    while (batch->tables != 0) {
        exo_u64 table = batch->tables;
        batch->tables = *(const exo_u64 *)direct(table);
        (void)frames_free(table, PAGE_BYTES);
    }
}

/* Returns when no processor knows any of it, here included. */
void tlb_flush(struct tlb_batch *batch)
{
    exo_uptr flags;
    struct cpu *cpu;
    exo_u32 holders;
    exo_u32 self;
    if (batch->count == 0) {
        return;
    }
    flags = interrupts_save();
    cpu = cpu_this();
    self = 1u << cpu->number;
    exo_fence_seq(); /* [tlb:fence] pairs [space:enter], [smp:fence]: the changed entries, before the look */
    /* [tlb:look] pairs [space:leave] */
    holders = exo_load32(&batch->space->cpus, EXO_ACQUIRE);
    if ((holders & self) != 0) {
        forget(cpu, batch);
    }
    if ((holders & ~self) != 0) {
        mail_send(cpu, holders & ~self, batch);
    }
    interrupts_restore(flags);
    free_tables(batch);
}

void fence_everywhere(void)
{
    exo_uptr flags = interrupts_save();
    struct cpu *cpu = cpu_this();
    /* relaxed: a processor that comes up now has fences on its way */
    exo_u32 others = exo_load32(&kernel_space.cpus, EXO_RELAXED) & ~(1u << cpu->number);
    exo_fence_seq(); /* [mail:everywhere] pairs [mail:fence] */
    if (others != 0) {
        mail_send(cpu, others, (const struct tlb_batch *)EXO_NULL);
    }
    interrupts_restore(flags);
}
