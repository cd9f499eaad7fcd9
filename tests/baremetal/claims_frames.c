/* SPDX-License-Identifier: MIT */
/*
 * Frames: zeroed, apart, given back whole, exhausted and back.
 */
#include "claims.h"

#define FREE_NOW() (frames_counted().free_bytes)

static exo_bool is_zero(exo_u64 phys, exo_size bytes)
{
    const exo_u64 *word = (const exo_u64 *)direct(phys);
    exo_size i;
    for (i = 0; i < bytes / 8 && word[i] == 0; i++) {
    }
    return i == bytes / 8;
}

static const char *frames_are_zeroed_aligned_and_counted(void)
{
    static const exo_size pages[] = {1, 2, 3, 5, 8, 100, 512, 513};
    exo_u64 before = FREE_NOW();
    exo_u64 phys[8];
    exo_u32 round;
    exo_u32 i;
    for (round = 0; round < 3; round++) {
        exo_u64 out = 0;
        for (i = 0; i < 8; i++) {
            phys[i] = frames_alloc(pages[i] * PAGE_BYTES);
            REQUIRE(phys[i] != EXO_NO_FRAME && phys[i] % PAGE_BYTES == 0);
            REQUIRE(pages[i] < 512 || phys[i] % LARGE_PAGE_BYTES == 0); /* or no large page could map it */
            REQUIRE(is_zero(phys[i], pages[i] * PAGE_BYTES));
            __builtin_memset(direct(phys[i]), (int)i + 1, pages[i] * PAGE_BYTES);
            out += pages[i] * PAGE_BYTES;
            REQUIRE(FREE_NOW() == before - out);
        }
        for (i = 0; i < 8; i++) {
            exo_size b;
            for (b = 0; b < pages[i] * PAGE_BYTES; b += 64) {
                REQUIRE(((const exo_u8 *)direct(phys[i]))[b] == i + 1);
            }
            REQUIRE(frames_free(phys[i], pages[i] * PAGE_BYTES) == EXO_OK);
        }
        REQUIRE(FREE_NOW() == before);
    }
    return CLAIM_OK;
}

static const char *giving_back_twice_or_in_part_is_refused(void)
{
    exo_u64 before = FREE_NOW();
    exo_u64 refused = frames_counted().refused;
    exo_u64 phys = frames_alloc(4 * PAGE_BYTES);
    REQUIRE(phys != EXO_NO_FRAME);
    REQUIRE(frames_free(phys, 3 * PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(phys, 5 * PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(phys + PAGE_BYTES, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(phys + 8, 4 * PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(phys, 0) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(phys, 1) == EXO_INVALID_ARGUMENT);
    REQUIRE(FREE_NOW() == before - 4 * PAGE_BYTES);
    REQUIRE(frames_free(phys, 4 * PAGE_BYTES) == EXO_OK);
    REQUIRE(frames_free(phys, 4 * PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(FREE_NOW() == before);
    REQUIRE(frames_counted().refused == refused + 7);
    return CLAIM_OK;
}

static const char *what_was_never_handed_out_is_refused(void)
{
    REQUIRE(frames_free(0, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(TRAMPOLINE, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(image_phys(image_data), PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(0xFEE00000, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(EXO_NO_FRAME, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_free(1ull << 50, ~(exo_size)(PAGE_BYTES - 1)) == EXO_INVALID_ARGUMENT);
    REQUIRE(frames_alloc(0) == EXO_NO_FRAME);
    REQUIRE(frames_alloc(100) == EXO_NO_FRAME);
    REQUIRE(frames_alloc(1ull << 40) == EXO_NO_FRAME);
    return CLAIM_OK;
}

/* How large a block is still there, and how many of that size: what fragmentation would take away. */
static exo_u64 largest(void)
{
    exo_size bytes;
    for (bytes = 1ull << 30; bytes >= PAGE_BYTES; bytes /= 2) {
        exo_u64 phys = frames_alloc(bytes);
        if (phys != EXO_NO_FRAME) {
            (void)frames_free(phys, bytes);
            return bytes;
        }
    }
    return 0;
}

static const char *all_memory_can_be_taken_and_comes_back_whole(void)
{
    exo_u64 before = FREE_NOW();
    exo_u64 block = largest();
    exo_u64 chain = 0; /* linked through the frames themselves */
    exo_u64 taken = 0;
    for (;;) {
        exo_u64 phys = frames_alloc(PAGE_BYTES);
        exo_u32 i;
        exo_bool inside = EXO_FALSE;
        if (phys == EXO_NO_FRAME) {
            break;
        }
        for (i = 0; i < test_ram->count; i++) {
            inside |= phys >= test_ram->range[i].begin && phys < test_ram->range[i].end;
        }
        REQUIRE(inside && phys >= LOW_MEMORY);
        REQUIRE(phys + PAGE_BYTES <= (exo_u64)(exo_uptr)image_load || phys >= image_phys(image_end));
        REQUIRE(is_zero(phys, PAGE_BYTES)); /* so it is no frame that is out already */
        *(exo_u64 *)direct(phys) = chain | 1;
        chain = phys;
        taken += PAGE_BYTES;
    }
    REQUIRE(taken == before && FREE_NOW() == 0);
    REQUIRE(thread_create("none", (void (*)(void *))EXO_NULL, NO_ARGUMENT, CPUS_ANY) == EXO_NULL);
    while (chain != 0) {
        exo_u64 next = *(const exo_u64 *)direct(chain) & ~1ull;
        REQUIRE(frames_free(chain, PAGE_BYTES) == EXO_OK);
        chain = next;
    }
    REQUIRE(FREE_NOW() == before && largest() == block);
    return CLAIM_OK;
}

static const char *frames_taken_at_random_never_overlap(void)
{
    enum { places = 64 };
    static exo_u64 phys[places];
    static exo_size bytes[places];
    exo_u64 before = FREE_NOW();
    exo_u32 random = 12345;
    exo_u32 turn;
    for (turn = 0; turn < 4000 + places; turn++) {
        exo_u32 at = turn >= 4000 ? turn - 4000 : (random >> 8) % places;
        random = random * 1664525u + 1013904223u;
        if (bytes[at] != 0) {
            REQUIRE(((exo_u64 *)direct(phys[at]))[0] == phys[at]);
            REQUIRE(((exo_u64 *)direct(phys[at] + bytes[at]))[-1] == phys[at]);
            REQUIRE(frames_free(phys[at], bytes[at]) == EXO_OK);
            bytes[at] = 0;
        } else if (turn < 4000) {
            exo_size want = (1 + (random >> 16) % 40) * PAGE_BYTES;
            phys[at] = frames_alloc(want);
            if (phys[at] != EXO_NO_FRAME) {
                bytes[at] = want;
                ((exo_u64 *)direct(phys[at]))[0] = phys[at];
                ((exo_u64 *)direct(phys[at] + want))[-1] = phys[at];
            }
        }
    }
    REQUIRE(FREE_NOW() == before);
    return CLAIM_OK;
}

struct crowd {
    exo_u32 wrong;
};

static void take_and_give(void *argument)
{
    struct crowd *crowd = (struct crowd *)argument;
    exo_u32 self = kernel_self();
    exo_u32 i;
    for (i = 0; i < 2000; i++) {
        exo_size bytes = (1 + i % 9) * PAGE_BYTES;
        exo_u64 phys = frames_alloc(bytes);
        if (phys != EXO_NO_FRAME) {
            exo_u64 *word = (exo_u64 *)direct(phys);
            exo_bool wrong = word[0] != 0;
            word[0] = self;
            if (i % 64 == 0) {
                sched_yield();
            }
            wrong |= word[0] != self;
            word[0] = 0;
            wrong |= frames_free(phys, bytes) != EXO_OK;
            (void)exo_fetch_add32(&crowd->wrong, wrong, EXO_RELAXED); /* relaxed: read after the join */
        }
    }
}

static const char *processors_that_allocate_at_once_get_different_frames(void)
{
    static struct crowd crowd;
    struct thread *threads[CPUS];
    exo_u64 before = FREE_NOW();
    exo_u32 i;
    for (i = 0; i < cpu_count; i++) {
        threads[i] = thread_create("taker", take_and_give, &crowd, 1u << i);
        REQUIRE(threads[i] != EXO_NULL);
        thread_start(threads[i]);
    }
    for (i = 0; i < cpu_count; i++) {
        REQUIRE(thread_join(threads[i], BY_THEN));
    }
    REQUIRE(crowd.wrong == 0);
    REQUIRE(FREE_NOW() >= before - LARGE_PAGE_BYTES); /* tables for stacks may have come */
    return CLAIM_OK;
}

static const char *an_allocation_that_is_told_to_fail_does(void)
{
    exo_u64 phys;
    frames_fail_after(1);
    phys = frames_alloc(PAGE_BYTES);
    REQUIRE(phys != EXO_NO_FRAME);
    REQUIRE(frames_alloc(PAGE_BYTES) == EXO_NO_FRAME);
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    phys = frames_alloc(PAGE_BYTES);
    REQUIRE(phys != EXO_NO_FRAME && frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

const struct claim claims_frames[] = {
    CLAIM(frames_are_zeroed_aligned_and_counted),
    CLAIM(giving_back_twice_or_in_part_is_refused),
    CLAIM(what_was_never_handed_out_is_refused),
    CLAIM(all_memory_can_be_taken_and_comes_back_whole),
    CLAIM(frames_taken_at_random_never_overlap),
    CLAIM(processors_that_allocate_at_once_get_different_frames),
    CLAIM(an_allocation_that_is_told_to_fail_does),
    CLAIMS_END,
};
