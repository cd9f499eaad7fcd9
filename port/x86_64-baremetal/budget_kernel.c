/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's short paths cost. Tables of pages are there already where a page is mapped: a neighbour has been
 * mapped before.
 */
#include "budget.h"

#define ROUNDS 32u
#define RW_USER (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_USER)

static void live_where(struct exo_port_space *space)
{
    exo_uptr flags = interrupts_save();
    cpu_thread()->space = space;
    space_load(space);
    interrupts_restore(flags);
}

static exo_u32 measure_null_call(void)
{
    struct process_end end;
    struct process *process;
    if (process_create("budget", budget_user, (exo_size)(budget_user_end - budget_user), 0, &process) != EXO_OK) {
        return ~0u;
    }
    thread_start(process->thread);
    if (!process_join(process, EXO_FOREVER, &end) || end.vector != PROCESS_EXIT) {
        return ~0u;
    }
    return budget_mean((exo_u64)end.code, 64);
}

/* One thread blocks, whereupon the other one runs and wakes it, and so on; nobody else runs on this processor. */
static struct {
    exo_u64 begin;
    exo_u32 rounds;
} block;

static void block_again(void *argument)
{
    exo_uptr flags = interrupts_save();
    (void)argument;
    while (block.rounds != 0) {
        block.begin = budget_stamp();
        exo_port_block_current(EXO_FOREVER);
    }
    interrupts_restore(flags);
}

static void measure_block(void)
{
    struct thread *other = thread_create("blocks", block_again, EXO_NULL, 1);
    exo_u64 blocked = 0;
    exo_u64 woken = 0;
    exo_uptr flags;
    exo_u64 now;
    if (other == EXO_NULL) {
        return;
    }
    flags = interrupts_save();
    block.rounds = ROUNDS;
    thread_start(other);
    while (block.rounds-- != 0) {
        sched_yield(); /* comes back from the other's block */
        now = budget_stamp();
        blocked += now - block.begin;
        now = budget_stamp();
        exo_port_unblock(other);
        woken += budget_stamp() - now;
    }
    block.rounds = 0;
    interrupts_restore(flags);
    (void)thread_join(other, EXO_FOREVER);
    budget_counted[BUDGET_BLOCK] = budget_mean(blocked, ROUNDS);
    budget_counted[BUDGET_WAKE] = budget_mean(woken, ROUNDS);
}

/* Another processor with a space loaded, which only waits. */
static struct {
    struct exo_port_space *space;
    exo_u32 step;
} holder;

static void hold(void *argument)
{
    (void)argument;
    live_where(holder.space);
    exo_store32(&holder.step, 1u, EXO_RELEASE); /* [budget:held] pairs [budget:wait] */
    while (exo_load32(&holder.step, EXO_ACQUIRE) != 2) { /* [budget:hold] pairs [budget:leave] */
        exo_cpu_relax();
    }
    live_where(&kernel_space);
}

static struct thread *hold_elsewhere(struct exo_port_space *space)
{
    struct thread *thread = thread_create("holds", hold, EXO_NULL, 2);
    if (thread != EXO_NULL) {
        holder.space = space;
        holder.step = 0;
        thread_start(thread);
        while (exo_load32(&holder.step, EXO_ACQUIRE) != 1) { /* [budget:wait] pairs [budget:held] */
            exo_cpu_relax();
        }
    }
    return thread;
}

static void let_go(struct thread *thread)
{
    exo_store32(&holder.step, 2u, EXO_RELEASE); /* [budget:leave] pairs [budget:hold] */
    (void)thread_join(thread, EXO_FOREVER);
}

/* A page at a place that the kernel chooses, each time another. */
static void measure_map(struct exo_port_space *space, exo_u64 phys, exo_u32 *map, exo_u32 *unmap)
{
    exo_u64 mapped = 0;
    exo_u64 unmapped = 0;
    exo_u32 i;
    for (i = 0; i < ROUNDS; i++) {
        exo_uptr virt = 0;
        exo_u64 begin = budget_stamp();
        exo_status status = exo_port_map(space, phys, PAGE_BYTES, &virt, RW_USER);
        mapped += budget_stamp() - begin;
        if (status != EXO_OK) {
            return;
        }
        *(volatile exo_u8 *)direct(phys) = 1;
        begin = budget_stamp();
        status = exo_port_unmap(space, virt, PAGE_BYTES);
        unmapped += budget_stamp() - begin;
        if (status != EXO_OK) {
            return;
        }
    }
    if (map != EXO_NULL) {
        *map = budget_mean(mapped, ROUNDS);
    }
    *unmap = budget_mean(unmapped, ROUNDS);
}

static void measure_maps(struct exo_port_space *space, exo_u64 phys)
{
    exo_uptr neighbour = 0;
    struct thread *other;
    if (exo_port_map(space, phys, PAGE_BYTES, &neighbour, RW_USER) != EXO_OK) {
        return;
    }
    live_where(space);
    measure_map(space, phys, &budget_counted[BUDGET_MAP], &budget_counted[BUDGET_UNMAP_OWN]);
    if (cpu_count > 1) {
        other = hold_elsewhere(space);
        if (other != EXO_NULL) {
            measure_map(space, phys, (exo_u32 *)EXO_NULL, &budget_counted[BUDGET_UNMAP_OTHER]);
            let_go(other);
        }
    } else {
        budget_counted[BUDGET_UNMAP_OTHER] = 0;
    }
    live_where(&kernel_space);
}

/* From one space to another and back, each time half of a round trip; both have tables there already. */
static exo_u32 measure_move(struct exo_port_space *one, struct exo_port_space *other, exo_u64 phys, exo_size bytes)
{
    exo_uptr here = 0;
    exo_u64 total = 0;
    exo_u32 i;
    if (exo_port_map(one, phys, bytes, &here, RW_USER) != EXO_OK) {
        return ~0u;
    }
    for (i = 0; i < ROUNDS; i++) { /* not so many that another table is needed */
        exo_bool there = i % 2 == 0;
        exo_uptr virt = 0;
        exo_u64 begin = budget_stamp();
        exo_status status = paging_move(there ? one : other, here, bytes, there ? other : one, &virt, RW_USER);
        total += budget_stamp() - begin;
        if (status != EXO_OK) {
            return ~0u;
        }
        here = virt;
    }
    (void)exo_port_unmap(one, here, bytes);
    return budget_mean(total, ROUNDS);
}

static void measure_moves(struct exo_port_space *one, exo_u64 phys)
{
    struct exo_port_space other;
    exo_uptr neighbours[2] = {0, 0};
    if (space_init(&other) != EXO_OK) {
        return;
    }
    if (exo_port_map(one, phys, PAGE_BYTES, &neighbours[0], RW_USER) == EXO_OK &&
        exo_port_map(&other, phys, PAGE_BYTES, &neighbours[1], RW_USER) == EXO_OK) {
        live_where(one);
        budget_counted[BUDGET_MOVE_4K] = measure_move(one, &other, phys, 0x1000);
        budget_counted[BUDGET_MOVE_64K] = measure_move(one, &other, phys, 0x10000);
        live_where(&kernel_space);
    }
    space_fini(&other);
}

void budget_measure_kernel(void)
{
    struct exo_port_space space;
    exo_u64 phys = frames_alloc(0x10000);
    budget_counted[BUDGET_NULL_CALL] = measure_null_call();
    measure_block();
    if (phys == EXO_NO_FRAME || space_init(&space) != EXO_OK) {
        return;
    }
    measure_maps(&space, phys);
    measure_moves(&space, phys);
    space_fini(&space);
    (void)frames_free(phys, 0x10000);
}
