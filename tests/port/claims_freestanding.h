/* SPDX-License-Identifier: MIT */
/*
 * Claims about port/freestanding beyond the contract.
 */
#ifndef EXO_TESTS_CLAIMS_FREESTANDING_H
#define EXO_TESTS_CLAIMS_FREESTANDING_H

#include "conformance.h"

/* other_unit.c: the same call from another translation unit. */
void *other_unit_page_alloc(exo_size bytes);

static const char *two_translation_units_share_one_arena(struct conformance_host *host)
{
    exo_u8 *all = (exo_u8 *)exo_port_page_alloc(host->arena_bytes);
    void *other;
    CONFORMANCE_REQUIRE(all != EXO_NULL);
    CONFORMANCE_REQUIRE(other_unit_page_alloc(64) == EXO_NULL);
    exo_port_page_free(all, host->arena_bytes);
    other = other_unit_page_alloc(64);
    CONFORMANCE_REQUIRE(other == all);
    exo_port_page_free(other, 64);
    return (const char *)EXO_NULL;
}

static const char *no_pages_are_not_pages(struct conformance_host *host)
{
    void *one = exo_port_page_alloc(64);
    (void)host;
    CONFORMANCE_REQUIRE(one != EXO_NULL);
    CONFORMANCE_REQUIRE(exo_port_page_alloc(0) == EXO_NULL);
    exo_port_page_free(one, 64);
    return (const char *)EXO_NULL;
}

/* Compilers emit these on their own; without libc they are the port's. Sizes the compiler cannot know. */
static const char *moves_fills_and_comparisons_work(struct conformance_host *host)
{
    exo_u8 bytes[96];
    exo_size shift;
    exo_size size;
    (void)host;
    for (size = 0; size < 40; size++) {
        for (shift = 0; shift < 18; shift++) {
            exo_bool down = (size & 1u) != 0;
            exo_u8 *from = bytes + 8 + (down ? shift : 0);
            exo_u8 *to = bytes + 8 + (down ? 0 : shift);
            exo_u8 *end = to + size;
            exo_size i;
            __builtin_memset(bytes + 1, 0xEE, sizeof(bytes) - 1 - shift);
            for (i = 0; i < size; i++) {
                from[i] = (exo_u8)(i + 1);
            }
            __builtin_memmove(to, from, size);
            for (i = 0; i < size; i++) {
                CONFORMANCE_REQUIRE(to[i] == i + 1);
            }
            CONFORMANCE_REQUIRE(bytes[7] == 0xEE && (end < from + size || *end == 0xEE));
            for (i = 0; i < size; i++) {
                from[i] = to[i];
            }
            CONFORMANCE_REQUIRE(shift < size || __builtin_memcmp(to, from, size) == 0);
            CONFORMANCE_REQUIRE(size == 0 || shift < size ||
                                __builtin_memcmp(to, bytes + 1, size) < 0);
            CONFORMANCE_REQUIRE(size == 0 || shift < size ||
                                __builtin_memcmp(bytes + 1, to, size) > 0);
        }
    }
    return (const char *)EXO_NULL;
}

/* Threads that take pages, mark them as theirs, and find the mark unharmed. */
struct tenants {
    exo_u32 next;
    exo_u32 trespasses;
    exo_u64 until;
};

static void take_and_give_back(void *argument)
{
    struct tenants *tenants = (struct tenants *)argument;
    exo_u32 me = 1 + exo_fetch_add32(&tenants->next, 1u, EXO_RELAXED); /* relaxed: a number only */
    exo_u32 i;
    for (i = 0; i < 50000 && exo_port_now_ns() < tenants->until; i++) {
        exo_size bytes = 4096u * (1u + (i + me) % 4u);
        exo_u8 *memory = (exo_u8 *)exo_port_page_alloc(bytes);
        exo_size at;
        exo_u32 wrong = memory == EXO_NULL;
        for (at = 0; memory != EXO_NULL && at < bytes; at += 512) {
            wrong += memory[at] != 0;
            memory[at] = (exo_u8)me;
        }
        for (at = 0; memory != EXO_NULL && at < bytes; at += 512) {
            wrong += memory[at] != me;
        }
        if (memory != EXO_NULL) {
            exo_port_page_free(memory, bytes);
        }
        /* relaxed: read after the join */
        (void)exo_fetch_add32(&tenants->trespasses, wrong, EXO_RELAXED);
    }
}

static const char *pages_of_two_threads_never_overlap(struct conformance_host *host)
{
    static struct tenants tenants;
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    tenants.until = exo_port_now_ns() + 400 * CONFORMANCE_MS;
    CONFORMANCE_REQUIRE(conformance_start(host, 3, take_and_give_back, &tenants));
    CONFORMANCE_REQUIRE(conformance_join(host, 3));
    CONFORMANCE_REQUIRE(tenants.trespasses == 0);
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_freestanding[] = {
    CONFORMANCE_CLAIM(two_translation_units_share_one_arena),
    CONFORMANCE_CLAIM(no_pages_are_not_pages),
    CONFORMANCE_CLAIM(moves_fills_and_comparisons_work),
    CONFORMANCE_CLAIM(pages_of_two_threads_never_overlap),
};

#endif
