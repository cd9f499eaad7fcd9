/* SPDX-License-Identifier: MIT */
/*
 * Conformance: the hooks that concern one thread: copy, clock, self, peer, fence, pages.
 */
#ifndef EXO_TESTS_CLAIMS_MEMORY_H
#define EXO_TESTS_CLAIMS_MEMORY_H

#include "conformance.h"

#define COPY_ROOM 320u

EXO_INLINE exo_u8 copy_pattern(exo_size i)
{
    return (exo_u8)(i * 7u + (i >> 8) * 3u + 1u);
}

/* Copies len bytes between the offsets and looks at every byte of the destination. */
static const char *copy_case(exo_size to, exo_size from, exo_size len)
{
    static exo_u8 source[COPY_ROOM];
    static exo_u8 target[COPY_ROOM];
    exo_size i;
    for (i = 0; i < COPY_ROOM; i++) {
        source[i] = copy_pattern(i);
        target[i] = 0xEE;
    }
    exo_port_copy(target + to, source + from, len);
    for (i = 0; i < COPY_ROOM; i++) {
        exo_bool inside = i >= to && i < to + len;
        CONFORMANCE_REQUIRE(source[i] == copy_pattern(i));
        CONFORMANCE_REQUIRE(!inside || target[i] == copy_pattern(from + i - to));
        CONFORMANCE_REQUIRE(inside || target[i] == 0xEE);
    }
    return (const char *)EXO_NULL;
}

static const char *copy_of_no_bytes_touches_nothing(struct conformance_host *host)
{
    exo_u8 one = 1;
    (void)host;
    exo_port_copy(&one, &one + 1, 0);
    CONFORMANCE_REQUIRE(one == 1);
    return copy_case(8, 16, 0);
}

static const char *
copy_moves_exactly_the_bytes_of_any_size_and_alignment(struct conformance_host *host)
{
    static const exo_size sizes[] = {1,  2,   3,   5,   7,   8,   9,   13,  15,  16, 17,
                                     23, 24,  31,  32,  33,  48,  55,  56,  57,  63, 64,
                                     65, 100, 127, 128, 129, 200, 255, 256, 257, 299};
    exo_size i;
    exo_size to;
    exo_size from;
    const char *verdict = (const char *)EXO_NULL;
    (void)host;
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (to = 0; to <= 9 && verdict == EXO_NULL; to++) {
            for (from = 0; from <= 9 && verdict == EXO_NULL; from++) {
                verdict = copy_case(to, from, sizes[i]);
            }
        }
    }
    return verdict;
}

static const char *clock_never_goes_back_and_goes_on(struct conformance_host *host)
{
    exo_u64 first = exo_port_now_ns();
    exo_u64 last = first;
    exo_u32 i;
    (void)host;
    for (i = 0; i < 10000000u && (i < 10000u || last == first); i++) {
        exo_u64 now = exo_port_now_ns();
        CONFORMANCE_REQUIRE(now >= last);
        last = now;
    }
    CONFORMANCE_REQUIRE(last > first);
    CONFORMANCE_REQUIRE(last < EXO_FOREVER / 2); /* room for deadlines */
    return (const char *)EXO_NULL;
}

static const char *self_stays_the_same_and_fits_24_bits(struct conformance_host *host)
{
    exo_u32 self = exo_port_self();
    exo_u32 i;
    (void)host;
    CONFORMANCE_REQUIRE(self != 0);
    CONFORMANCE_REQUIRE(self < 1u << 24);
    for (i = 0; i < 100; i++) {
        CONFORMANCE_REQUIRE(exo_port_self() == self);
    }
    return (const char *)EXO_NULL;
}

static const char *no_peer_is_always_alive(struct conformance_host *host)
{
    exo_u32 i;
    (void)host;
    for (i = 0; i < 1000; i++) {
        CONFORMANCE_REQUIRE(exo_port_peer_alive(CONFORMANCE_NO_PEER));
    }
    return (const char *)EXO_NULL;
}

static const char *
fence_setup_is_idempotent_and_the_heavy_fence_can_be_called(struct conformance_host *host)
{
    exo_bool asymmetric = exo_port_fence_setup();
    exo_u32 i;
    (void)host;
    CONFORMANCE_REQUIRE(exo_port_fence_setup() == asymmetric);
    for (i = 0; i < 100; i++) {
        exo_port_fence_heavy(EXO_TRUE);
    }
    CONFORMANCE_REQUIRE(exo_port_fence_setup() == asymmetric);
    return (const char *)EXO_NULL;
}

EXO_INLINE exo_bool bytes_are(const exo_u8 *memory, exo_size bytes, exo_u8 value)
{
    exo_size i;
    for (i = 0; i < bytes && memory[i] == value; i++) {
    }
    return i == bytes;
}

EXO_INLINE void fill_bytes(exo_u8 *memory, exo_size bytes, exo_u8 value)
{
    exo_size i;
    for (i = 0; i < bytes; i++) {
        memory[i] = value;
    }
}

static const char *pages_are_zeroed_aligned_and_distinct(struct conformance_host *host)
{
    static const exo_size sizes[] = {64, 4096, 4160, 128, 65536, 192};
    enum { count = sizeof(sizes) / sizeof(sizes[0]) };
    exo_u8 *memory[count];
    exo_size i;
    (void)host;
    for (i = 0; i < count; i++) {
        memory[i] = (exo_u8 *)exo_port_page_alloc(sizes[i]);
        CONFORMANCE_REQUIRE(memory[i] != EXO_NULL);
        CONFORMANCE_REQUIRE(exo_is_aligned(memory[i], EXO_LINE_PAIR));
        CONFORMANCE_REQUIRE(bytes_are(memory[i], sizes[i], 0));
        fill_bytes(memory[i], sizes[i], (exo_u8)(i + 1));
    }
    for (i = 0; i < count; i++) {
        CONFORMANCE_REQUIRE(bytes_are(memory[i], sizes[i], (exo_u8)(i + 1)));
        exo_port_page_free(memory[i], sizes[i]);
    }
    return (const char *)EXO_NULL;
}

static const char *
pages_come_back_zeroed_and_without_end_once_they_are_freed(struct conformance_host *host)
{
    exo_u32 i;
    (void)host;
    for (i = 0; i < 2000; i++) {
        exo_size bytes = 4096u * (1u + i % 5u) - 64u * (i % 3u);
        exo_u8 *memory = (exo_u8 *)exo_port_page_alloc(bytes);
        CONFORMANCE_REQUIRE(memory != EXO_NULL);
        CONFORMANCE_REQUIRE(bytes_are(memory, bytes, 0));
        fill_bytes(memory, bytes, 0xA5);
        exo_port_page_free(memory, bytes);
    }
    return (const char *)EXO_NULL;
}

static const char *pages_too_many_to_have_are_refused(struct conformance_host *host)
{
    static const exo_size sizes[] = {EXO_SIZE_MAX - 63, EXO_SIZE_MAX - 4095, EXO_SIZE_MAX / 2 - 63,
                                     EXO_SIZE_MAX / 2 + 1 + 4096};
    exo_size i;
    void *memory;
    (void)host;
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CONFORMANCE_REQUIRE(exo_port_page_alloc(sizes[i]) == EXO_NULL);
    }
    memory = exo_port_page_alloc(4096);
    CONFORMANCE_REQUIRE(memory != EXO_NULL);
    exo_port_page_free(memory, 4096);
    return (const char *)EXO_NULL;
}

static const char *a_fixed_arena_serves_all_of_itself_again_and_again(struct conformance_host *host)
{
    exo_u32 round;
    if (host->arena_bytes == 0) {
        return CONFORMANCE_SKIP;
    }
    for (round = 0; round < 3; round++) {
        exo_size half = host->arena_bytes / 2;
        exo_u8 *low = (exo_u8 *)exo_port_page_alloc(half);
        exo_u8 *high = (exo_u8 *)exo_port_page_alloc(half);
        void *all;
        CONFORMANCE_REQUIRE(low != EXO_NULL && high != EXO_NULL);
        CONFORMANCE_REQUIRE(low + half <= high || high + half <= low);
        CONFORMANCE_REQUIRE(exo_port_page_alloc(64) == EXO_NULL);
        exo_port_page_free(low, half);
        CONFORMANCE_REQUIRE(exo_port_page_alloc(half + 64) == EXO_NULL);
        CONFORMANCE_REQUIRE(exo_port_page_alloc(half) == low);
        exo_port_page_free(high, half);
        exo_port_page_free(low, half);
        all = exo_port_page_alloc(host->arena_bytes);
        CONFORMANCE_REQUIRE(all != EXO_NULL);
        exo_port_page_free(all, host->arena_bytes);
    }
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_memory[] = {
    CONFORMANCE_CLAIM(copy_of_no_bytes_touches_nothing),
    CONFORMANCE_CLAIM(copy_moves_exactly_the_bytes_of_any_size_and_alignment),
    CONFORMANCE_CLAIM(clock_never_goes_back_and_goes_on),
    CONFORMANCE_CLAIM(self_stays_the_same_and_fits_24_bits),
    CONFORMANCE_CLAIM(no_peer_is_always_alive),
    CONFORMANCE_CLAIM(fence_setup_is_idempotent_and_the_heavy_fence_can_be_called),
    CONFORMANCE_CLAIM(pages_are_zeroed_aligned_and_distinct),
    CONFORMANCE_CLAIM(pages_come_back_zeroed_and_without_end_once_they_are_freed),
    CONFORMANCE_CLAIM(pages_too_many_to_have_are_refused),
    CONFORMANCE_CLAIM(a_fixed_arena_serves_all_of_itself_again_and_again),
};

#endif
