/* SPDX-License-Identifier: MIT */
/*
 * Shoot-downs: that they are needed, that they work, that they ask nobody else, and that nobody waits for ever.
 */
#include "claims.h"
#include "user.h"

#define RW        (EXO_MAP_READ | EXO_MAP_WRITE)
#define MAIL(cpu) (cpus[cpu].interrupts[2])

static struct exo_port_space *const kernel = &kernel_space;

static void step_to(exo_u32 *step, exo_u32 value)
{
    exo_store32(step, value, EXO_RELEASE); /* [test:step] pairs [test:stepped] */
}

/* Without a sleep, a lock or a change of threads, which might make the processor forget. */
static void spin_until(const exo_u32 *step, exo_u32 value)
{
    while (exo_load32(step, EXO_ACQUIRE) < value) { /* [test:stepped] pairs [test:step] */
        exo_cpu_relax();
    }
}

/* Runs on one processor, and waits for its verdict. */
struct errand {
    const char *(*run)(void);
    const char *verdict;
};

static void do_errand(void *argument)
{
    struct errand *errand = (struct errand *)argument;
    errand->verdict = errand->run();
}

static const char *on_first_processor(const char *(*run)(void))
{
    struct errand errand = {run, "the errand did not end"};
    struct thread *thread = thread_create("errand", do_errand, &errand, 1);
    REQUIRE(thread != EXO_NULL);
    thread_start(thread);
    REQUIRE(thread_join(thread, BY_THEN));
    return errand.verdict;
}

static struct {
    exo_uptr virt;
    exo_u32 step;
    exo_u64 seen[3];
} look;

static void look_thrice(void *argument)
{
    (void)argument;
    interrupts_off(); /* the shoot-down comes when they are on again */
    look.seen[0] = *(volatile exo_u64 *)look.virt;
    step_to(&look.step, 1);
    spin_until(&look.step, 2);
    look.seen[1] = *(volatile exo_u64 *)look.virt;
    step_to(&look.step, 3);
    interrupts_on();
    spin_until(&look.step, 4);
    look.seen[2] = *(volatile exo_u64 *)look.virt;
}

static const char *exchange_page(exo_u64 phys)
{
    struct thread *looker = thread_create("looker", look_thrice, NO_ARGUMENT, 2);
    struct tlb_batch batch;
    exo_u32 level;
    exo_u64 *entry = paging_entry(kernel, look.virt, &level);
    REQUIRE(looker != EXO_NULL && level == LEVEL_PAGE);
    thread_start(looker);
    spin_until(&look.step, 1);
    *(volatile exo_u64 *)entry = (*entry & ~ENTRY_ADDRESS) | (phys + PAGE_BYTES);
    page_invalidate(look.virt);
    REQUIRE(*(volatile exo_u64 *)look.virt == 222);
    step_to(&look.step, 2);
    spin_until(&look.step, 3);
    tlb_batch_init(&batch, kernel);
    tlb_batch_add(&batch, look.virt);
    tlb_flush(&batch);
    step_to(&look.step, 4);
    REQUIRE(thread_join(looker, BY_THEN));
    return CLAIM_OK;
}

static const char *see_stale(void)
{
    exo_u64 phys = frames_alloc(2 * PAGE_BYTES);
    const char *verdict;
    *(exo_u64 *)direct(phys) = 111;
    *(exo_u64 *)direct(phys + PAGE_BYTES) = 222;
    look.virt = 0;
    look.step = 0;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &look.virt, RW) == EXO_OK);
    verdict = exchange_page(phys);
    REQUIRE(verdict == CLAIM_OK);
    REQUIRE(look.seen[0] == 111);
    REQUIRE(look.seen[1] == 111); /* the tables say otherwise */
    REQUIRE(look.seen[2] == 222);
    REQUIRE(paging_unmap(kernel, look.virt, PAGE_BYTES) == EXO_OK);
    REQUIRE(frames_free(phys, 2 * PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *a_stale_entry_is_seen_without_a_shoot_down_and_not_with_it(void)
{
    return cpu_count < 2 ? CLAIM_SKIP : on_first_processor(see_stale);
}

/* Threads that live in a space, each on a processor, until they are let go. */
static struct {
    struct exo_port_space space;
    exo_u32 inside;
    exo_u32 leave;
} house;

static void live_there(void *argument)
{
    (void)argument;
    live_in(&house.space);
    (void)exo_fetch_add32(&house.inside, 1u, EXO_RELEASE); /* [test:in] pairs [test:stepped] */
    spin_until(&house.leave, 1);
    live_in(kernel);
}

static const char *count_mail(void)
{
    struct thread *tenants[2];
    exo_u64 phys = frames_alloc(64 * PAGE_BYTES);
    exo_uptr virt = 0x400000;
    exo_u32 before[CPUS];
    exo_u32 i;
    REQUIRE(space_init(&house.space) == EXO_OK);
    house.inside = 0;
    house.leave = 0;
    REQUIRE(paging_map(&house.space, phys, 64 * PAGE_BYTES, &virt, RW | EXO_MAP_USER) == EXO_OK);
    for (i = 0; i < 2; i++) {
        tenants[i] = thread_create("tenant", live_there, NO_ARGUMENT, 2u << i);
        REQUIRE(tenants[i] != EXO_NULL);
        thread_start(tenants[i]);
    }
    spin_until(&house.inside, 2);
    for (i = 0; i < CPUS; i++) {
        before[i] = MAIL(i);
    }
    REQUIRE(house.space.cpus == 6);
    REQUIRE(paging_protect(&house.space, virt, PAGE_BYTES, EXO_MAP_READ | EXO_MAP_USER) == EXO_OK);
    REQUIRE(MAIL(1) == before[1] + 1 && MAIL(2) == before[2] + 1);
    REQUIRE(paging_protect(&house.space, virt, 64 * PAGE_BYTES, EXO_MAP_READ | EXO_MAP_USER) == EXO_OK);
    REQUIRE(MAIL(1) == before[1] + 2 && MAIL(2) == before[2] + 2); /* all in one letter */
    REQUIRE(MAIL(0) == before[0] && MAIL(3) == before[3]);
    step_to(&house.leave, 1);
    REQUIRE(thread_join(tenants[0], BY_THEN) && thread_join(tenants[1], BY_THEN));
    REQUIRE(house.space.cpus == 0);
    for (i = 0; i < CPUS; i++) {
        before[i] = MAIL(i);
    }
    REQUIRE(paging_unmap(&house.space, virt, 64 * PAGE_BYTES) == EXO_OK);
    for (i = 0; i < CPUS; i++) {
        REQUIRE(MAIL(i) == before[i]); /* nobody has it loaded */
    }
    space_fini(&house.space);
    REQUIRE(frames_free(phys, 64 * PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *those_and_only_those_who_may_hold_an_entry_are_asked_once_a_batch(void)
{
    return cpu_count < 4 ? CLAIM_SKIP : on_first_processor(count_mail);
}

static struct {
    exo_u32 lock;
    exo_u32 step;
} door;

static void wait_at_the_door(void *argument)
{
    exo_uptr flags = interrupts_save();
    (void)argument;
    step_to(&door.step, 1);
    kernel_lock(&door.lock); /* with interrupts off: the letter is read all the same */
    kernel_unlock(&door.lock);
    interrupts_restore(flags);
}

static const char *flush_in_lock(void)
{
    struct thread *waiter;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr virt = 0;
    exo_status status;
    door.step = 0;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &virt, RW) == EXO_OK);
    waiter = thread_create("waiter", wait_at_the_door, NO_ARGUMENT, 2);
    REQUIRE(waiter != EXO_NULL);
    kernel_lock(&door.lock);
    thread_start(waiter);
    spin_until(&door.step, 1);
    clock_pause_ns(MS);
    status = paging_unmap(kernel, virt, PAGE_BYTES);
    kernel_unlock(&door.lock);
    REQUIRE(status == EXO_OK && thread_join(waiter, BY_THEN));
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *who_waits_for_a_lock_answers_the_one_who_holds_it(void)
{
    return cpu_count < 2 ? CLAIM_SKIP : on_first_processor(flush_in_lock);
}

static exo_u32 wrong;

/* Each word is written by one mapping and read by another, with changes of both in between. */
static void map_and_unmap(void *argument)
{
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_u32 i;
    (void)argument;
    for (i = 0; i < 20; i++) {
        exo_uptr virt = 0;
        exo_bool bad = paging_map(kernel, phys, PAGE_BYTES, &virt, RW) != EXO_OK;
        if (!bad) {
            *(volatile exo_u64 *)virt = virt + i;
            bad = *(volatile exo_u64 *)direct(phys) != virt + i;
            bad |= paging_protect(kernel, virt, PAGE_BYTES, EXO_MAP_READ) != EXO_OK;
            bad |= *(volatile exo_u64 *)virt != virt + i;
            bad |= paging_unmap(kernel, virt, PAGE_BYTES) != EXO_OK;
        }
        (void)exo_fetch_add32(&wrong, bad, EXO_RELAXED); /* relaxed: read after the join */
    }
    (void)frames_free(phys, PAGE_BYTES);
}

static const char *all_may_shoot_at_all_at_once(void)
{
    struct thread *threads[CPUS];
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        threads[i] = thread_create("mapper", map_and_unmap, NO_ARGUMENT, 1u << i);
        REQUIRE(threads[i] != EXO_NULL);
        thread_start(threads[i]);
    }
    for (i = 0; i < cpu_count; i++) {
        REQUIRE(thread_join(threads[i], BY_THEN));
    }
    REQUIRE(wrong == 0);
    return CLAIM_OK;
}

/* A process that writes to a page as fast as it can, on whatever processor, until the page is taken from it. */
static const char *take_away(exo_bool unmap)
{
    struct process *process;
    struct process_end end;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr virt = 0x10000000;
    volatile exo_u64 *counter = (volatile exo_u64 *)direct(phys);
    exo_u64 until = BY_THEN;
    exo_u64 last;
    REQUIRE(process_create("writer", user_image, (exo_size)(user_image_end - user_image),
                           USER_ARGUMENT(USER_STORE_UNTIL_FAULT, virt), &process) == EXO_OK);
    REQUIRE(paging_map(&process->space, phys, PAGE_BYTES, &virt, RW | EXO_MAP_USER) == EXO_OK);
    thread_start(process->thread);
    while (*counter < 1000 && exo_port_now_ns() < until) {
        sched_yield();
    }
    REQUIRE(*counter >= 1000);
    if (unmap) {
        REQUIRE(paging_unmap(&process->space, virt, PAGE_BYTES) == EXO_OK);
    } else {
        REQUIRE(paging_protect(&process->space, virt, PAGE_BYTES, EXO_MAP_READ | EXO_MAP_USER) == EXO_OK);
    }
    last = *counter;
    clock_pause_ns(MS);
    REQUIRE(*counter == last); /* not one write after the call has returned */
    REQUIRE(process_join(process, BY_THEN, &end));
    REQUIRE(end.vector == VECTOR_PAGE_FAULT && end.address == virt);
    /* An emulator may find the read of a read and write first. */
    REQUIRE((end.error | FAULT_WRITE) == (FAULT_USER | FAULT_WRITE | (unmap ? 0 : FAULT_PRESENT)));
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *what_is_taken_from_a_process_it_writes_no_more(void)
{
    exo_u32 round;
    const char *verdict = CLAIM_OK;
    for (round = 0; round < 10 && verdict == CLAIM_OK; round++) {
        verdict = take_away((round & 1u) != 0);
    }
    return verdict;
}

static const char *a_fence_for_all_returns_on_all(void)
{
    exo_u32 i;
    for (i = 0; i < 200; i++) {
        exo_port_fence_heavy(EXO_FALSE);
    }
    return CLAIM_OK;
}

const struct claim claims_tlb[] = {
    CLAIM(a_stale_entry_is_seen_without_a_shoot_down_and_not_with_it),
    CLAIM(those_and_only_those_who_may_hold_an_entry_are_asked_once_a_batch),
    CLAIM(who_waits_for_a_lock_answers_the_one_who_holds_it),
    CLAIM(all_may_shoot_at_all_at_once),
    CLAIM(what_is_taken_from_a_process_it_writes_no_more),
    CLAIM(a_fence_for_all_returns_on_all),
    CLAIMS_END,
};
