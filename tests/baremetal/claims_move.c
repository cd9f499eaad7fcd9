/* SPDX-License-Identifier: MIT */
/*
 * Pages that change hands: what is in them stands still, and the sender has lost them.
 */
#include "claims.h"
#include "user.h"

#define RW       (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_USER)
#define BYTES    0x10000u
#define FREE_NOW() (frames_counted().free_bytes)

static struct exo_port_space one;
static struct exo_port_space other;

static const char *both_begin(exo_u64 *phys, exo_uptr *virt)
{
    REQUIRE(space_init(&one) == EXO_OK && space_init(&other) == EXO_OK);
    *phys = frames_alloc(BYTES);
    *virt = 0;
    REQUIRE(*phys != EXO_NO_FRAME);
    REQUIRE(paging_map(&one, *phys, BYTES, virt, RW) == EXO_OK);
    return CLAIM_OK;
}

static const char *both_end(exo_u64 phys)
{
    space_fini(&one);
    space_fini(&other);
    REQUIRE(frames_free(phys, BYTES) == EXO_OK);
    return CLAIM_OK;
}

/* Reads by the space's own addresses, as its process would. */
static exo_bool reads(struct exo_port_space *space, exo_uptr virt, exo_u64 *value)
{
    return exo_port_copy_from_user(space, value, virt, sizeof(*value)) == EXO_OK;
}

static const char *move_and_look(exo_u64 phys, exo_uptr virt)
{
    exo_uptr there = 0;
    exo_u64 value = 0;
    exo_size at;
    for (at = 0; at < BYTES; at += PAGE_BYTES) {
        *(exo_u64 *)direct(phys + at) = 1000 + at;
        REQUIRE(reads(&one, virt + at, &value) && value == 1000 + at); /* the processor remembers it now */
    }
    REQUIRE(paging_move(&one, virt, BYTES, &other, &there, RW) == EXO_OK);
    for (at = 0; at < BYTES; at += PAGE_BYTES) {
        REQUIRE(!reads(&one, virt + at, &value));
        REQUIRE(paging_phys(&one, virt + at) == EXO_NO_FRAME);
        REQUIRE(reads(&other, there + at, &value) && value == 1000 + at);
        REQUIRE(paging_phys(&other, there + at) == phys + at);
    }
    return CLAIM_OK;
}

static const char *what_is_moved_stands_still_and_its_sender_has_it_no_more(void)
{
    exo_u64 before = FREE_NOW();
    exo_u64 phys;
    exo_uptr virt;
    const char *verdict = both_begin(&phys, &virt);
    REQUIRE(verdict == CLAIM_OK);
    live_in(&one);
    verdict = move_and_look(phys, virt);
    live_in(&kernel_space);
    REQUIRE(verdict == CLAIM_OK);
    verdict = both_end(phys);
    REQUIRE(verdict == CLAIM_OK);
    REQUIRE(FREE_NOW() == before);
    return CLAIM_OK;
}

/* The sender writes to the page, on whatever processor, when it is taken away. */
static const char *take_from_writer(struct process *process, exo_u64 phys)
{
    volatile exo_u64 *word = (volatile exo_u64 *)direct(phys);
    struct process_end end;
    exo_uptr virt = 0x10000000;
    exo_uptr there = 0;
    exo_u64 until = BY_THEN;
    exo_u64 seen;
    REQUIRE(paging_map(&process->space, phys, PAGE_BYTES, &virt, RW) == EXO_OK);
    thread_start(process->thread);
    while (*word < 100 && exo_port_now_ns() < until) {
        sched_yield();
    }
    REQUIRE(*word >= 100);
    REQUIRE(paging_move(&process->space, virt, PAGE_BYTES, &other, &there, RW) == EXO_OK);
    seen = *word;
    REQUIRE(process_join(process, BY_THEN, &end));
    REQUIRE(end.vector == VECTOR_PAGE_FAULT && end.address == virt);
    REQUIRE(*word == seen);
    return CLAIM_OK;
}

static const char *a_sender_that_is_writing_faults_and_writes_no_more(void)
{
    exo_u64 before = free_without_nucleus();
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    struct process *process;
    const char *verdict;
    exo_u32 round;
    for (round = 0; round < 20; round++) {
        *(exo_u64 *)direct(phys) = 0;
        REQUIRE(space_init(&other) == EXO_OK);
        REQUIRE(process_create("user", user_image, (exo_size)(user_image_end - user_image),
                               USER_ARGUMENT(USER_STORE_UNTIL_FAULT, 0x10000000), &process) == EXO_OK);
        verdict = take_from_writer(process, phys);
        REQUIRE(verdict == CLAIM_OK);
        space_fini(&other);
    }
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    REQUIRE(free_without_nucleus() == before);
    return CLAIM_OK;
}

static const char *refused(exo_u64 phys, exo_uptr virt)
{
    exo_uptr there = 0;
    exo_uptr taken = virt;
    exo_uptr kernels = (exo_uptr)AREA_BASE;
    exo_u32 i;
    REQUIRE(paging_move(&one, virt, BYTES, &one, &there, RW) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt + 1, BYTES, &other, &there, RW) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt, 0, &other, &there, RW) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt, BYTES, &other, &there, RW | EXO_MAP_EXEC) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt, BYTES, &other, &there, EXO_MAP_READ) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt, BYTES, &other, &kernels, RW) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, DIRECT_BASE + phys, BYTES, &other, &there, RW) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_move(&one, virt, BYTES + PAGE_BYTES, &other, &there, RW) == EXO_NOT_FOUND);
    REQUIRE(paging_move(&one, virt - PAGE_BYTES, BYTES, &other, &there, RW) == EXO_NOT_FOUND);
    for (i = 0; i < 3; i++) { /* three tables are missing there */
        frames_fail_after(i);
        REQUIRE(paging_move(&one, virt, BYTES, &other, &there, RW) == EXO_NO_MEMORY);
    }
    REQUIRE(there == 0);
    REQUIRE(paging_map(&other, phys, PAGE_BYTES, &taken, RW) == EXO_OK);
    REQUIRE(paging_move(&one, virt, BYTES, &other, &taken, RW) == EXO_ALREADY_EXISTS);
    for (i = 0; i < BYTES / PAGE_BYTES; i++) {
        REQUIRE(paging_phys(&one, virt + i * PAGE_BYTES) == phys + i * PAGE_BYTES);
    }
    return CLAIM_OK;
}

static const char *a_move_that_is_refused_changes_nothing(void)
{
    exo_u64 phys;
    exo_uptr virt;
    const char *verdict = both_begin(&phys, &virt);
    REQUIRE(verdict == CLAIM_OK);
    verdict = refused(phys, virt);
    frames_fail_after(~0ull);
    REQUIRE(verdict == CLAIM_OK);
    return both_end(phys);
}

static exo_u32 movers;

/* Both at once, where there are two processors: a thread that has begun waits for the other, a while. */
static void back_and_forth(void *argument)
{
    struct exo_port_space *from = (struct exo_port_space *)argument;
    struct exo_port_space *to = from == &one ? &other : &one;
    exo_uptr place = from == &one ? 0x20000000 : 0x30000000;
    exo_uptr nowhere = 0;
    exo_u32 i;
    (void)exo_fetch_add32(&movers, 1u, EXO_RELAXED); /* relaxed: nothing else is told by it */
    for (i = 0; i < 1000000 && exo_load32(&movers, EXO_RELAXED) != 2; i++) { /* relaxed: same */
        exo_cpu_relax();
    }
    for (i = 0; i < 600; i++) {
        exo_u32 tries;
        (void)paging_move(from, place, PAGE_BYTES, to, &place, RW);
        (void)paging_move(to, place, PAGE_BYTES, from, &place, RW);
        for (tries = 0; tries < 100; tries++) { /* always in the same direction, and short: nothing is there */
            exo_u32 pause = (i * 100 + tries) * (from == &one ? 7u : 13u) % 61u; /* or they would fall into step */
            while (pause-- != 0) {
                __asm__ __volatile__("");
            }
            (void)paging_move(from, 0x50000000, PAGE_BYTES, to, &nowhere, RW);
        }
    }
}

static const char *moves_in_opposite_directions_do_not_wait_for_each_other(void)
{
    exo_u64 phys;
    exo_uptr virt;
    exo_uptr places[2] = {0x20000000, 0x30000000};
    struct thread *threads[2];
    const char *verdict = both_begin(&phys, &virt);
    REQUIRE(verdict == CLAIM_OK);
    REQUIRE(paging_map(&one, phys, PAGE_BYTES, &places[0], RW) == EXO_OK);
    REQUIRE(paging_map(&other, phys + PAGE_BYTES, PAGE_BYTES, &places[1], RW) == EXO_OK);
    movers = 0;
    threads[0] = thread_create("there", back_and_forth, &one, 1);
    threads[1] = thread_create("back", back_and_forth, &other, 1u << (cpu_count - 1));
    REQUIRE(threads[0] != EXO_NULL && threads[1] != EXO_NULL);
    thread_start(threads[0]);
    thread_start(threads[1]);
    REQUIRE(thread_join(threads[0], BY_THEN) && thread_join(threads[1], BY_THEN));
    REQUIRE(paging_phys(&one, places[0]) == phys && paging_phys(&other, places[1]) == phys + PAGE_BYTES);
    return both_end(phys);
}

const struct claim claims_move[] = {
    CLAIM(what_is_moved_stands_still_and_its_sender_has_it_no_more),
    CLAIM(a_sender_that_is_writing_faults_and_writes_no_more),
    CLAIM(a_move_that_is_refused_changes_nothing),
    CLAIM(moves_in_opposite_directions_do_not_wait_for_each_other),
    CLAIMS_END,
};
