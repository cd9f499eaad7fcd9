/* SPDX-License-Identifier: MIT */
/*
 * Conformance: the hooks that the trusted side needs: frames, mappings, users' memory, the lock. Ports with pages show the same
 * frame twice and make writes fault; the others say where everything is.
 */
#ifndef EXO_TESTS_CLAIMS_PAGES_H
#define EXO_TESTS_CLAIMS_PAGES_H

#include "exo_ipc/port_pages.h"

#include "claims_memory.h"

#define PAGES_BYTES ((exo_size)2 * EXO_PORT_PAGE_BYTES)
#define PAGES_SPACE ((struct exo_port_space *)EXO_NULL)
#define PAGES_TURNS 2000u

/* The address of a frame, mapped wherever the port likes; null if it would not. */
EXO_INLINE exo_u8 *pages_map(exo_u64 phys, exo_u32 flags)
{
    exo_uptr at = 0;
    return exo_port_map(PAGES_SPACE, phys, PAGES_BYTES, &at, flags) == EXO_OK ? (exo_u8 *)at : (exo_u8 *)EXO_NULL;
}

static const char *frames_are_zeroed_aligned_and_distinct(struct conformance_host *host)
{
    exo_u64 phys[3];
    exo_u8 *at[3];
    exo_u32 i;
    (void)host;
    for (i = 0; i < 3; i++) {
        phys[i] = exo_port_frame_alloc(PAGES_BYTES);
        CONFORMANCE_REQUIRE(phys[i] != EXO_NO_FRAME);
        CONFORMANCE_REQUIRE((phys[i] & (EXO_PORT_PAGE_BYTES - 1u)) == 0);
        at[i] = pages_map(phys[i], EXO_MAP_READ | EXO_MAP_WRITE);
        CONFORMANCE_REQUIRE(at[i] != EXO_NULL);
        CONFORMANCE_REQUIRE(bytes_are(at[i], PAGES_BYTES, 0));
        fill_bytes(at[i], PAGES_BYTES, (exo_u8)(i + 1));
    }
    for (i = 0; i < 3; i++) {
        CONFORMANCE_REQUIRE(bytes_are(at[i], PAGES_BYTES, (exo_u8)(i + 1)));
        CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, (exo_uptr)at[i], PAGES_BYTES) == EXO_OK);
        exo_port_frame_free(phys[i], PAGES_BYTES);
    }
    return (const char *)EXO_NULL;
}

static const char *frames_come_back_zeroed_and_without_end(struct conformance_host *host)
{
    exo_u32 i;
    (void)host;
    for (i = 0; i < PAGES_TURNS; i++) {
        exo_u64 phys = exo_port_frame_alloc(PAGES_BYTES);
        exo_u8 *at;
        CONFORMANCE_REQUIRE(phys != EXO_NO_FRAME);
        at = pages_map(phys, EXO_MAP_READ | EXO_MAP_WRITE);
        CONFORMANCE_REQUIRE(at != EXO_NULL);
        CONFORMANCE_REQUIRE(bytes_are(at, PAGES_BYTES, 0));
        fill_bytes(at, PAGES_BYTES, 0xA5);
        CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, (exo_uptr)at, PAGES_BYTES) == EXO_OK);
        exo_port_frame_free(phys, PAGES_BYTES);
    }
    return (const char *)EXO_NULL;
}

static const char *frames_too_large_to_have_are_refused(struct conformance_host *host)
{
    static const exo_size sizes[] = {EXO_SIZE_MAX - EXO_PORT_PAGE_BYTES + 1u, EXO_SIZE_MAX / 2u + 1u};
    exo_u32 i;
    (void)host;
    for (i = 0; i < 2; i++) {
        CONFORMANCE_REQUIRE(exo_port_frame_alloc(sizes[i]) == EXO_NO_FRAME);
    }
    return (const char *)EXO_NULL;
}

static const char *a_frame_mapped_twice_is_the_same_memory(struct conformance_host *host)
{
    exo_u64 phys = exo_port_frame_alloc(PAGES_BYTES);
    exo_u8 *one;
    exo_u8 *other;
    exo_uptr taken;
    (void)host;
    CONFORMANCE_REQUIRE(phys != EXO_NO_FRAME);
    one = pages_map(phys, EXO_MAP_READ | EXO_MAP_WRITE);
    other = pages_map(phys, EXO_MAP_READ);
    CONFORMANCE_REQUIRE(one != EXO_NULL && other != EXO_NULL);
    CONFORMANCE_REQUIRE((one != other) == EXO_PORT_HAS_PAGES);
    one[EXO_PORT_PAGE_BYTES + 3] = 77;
    CONFORMANCE_REQUIRE(other[EXO_PORT_PAGE_BYTES + 3] == 77);
    taken = (exo_uptr)one;
    CONFORMANCE_REQUIRE(exo_port_map(PAGES_SPACE, phys, PAGES_BYTES, &taken, EXO_MAP_READ) ==
                        (EXO_PORT_HAS_PAGES ? EXO_ALREADY_EXISTS : EXO_OK));
    CONFORMANCE_REQUIRE(taken == (exo_uptr)one);
    CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, (exo_uptr)other, PAGES_BYTES) == EXO_OK);
    CONFORMANCE_REQUIRE(one[EXO_PORT_PAGE_BYTES + 3] == 77);
    CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, (exo_uptr)one, PAGES_BYTES) == EXO_OK);
    exo_port_frame_free(phys, PAGES_BYTES);
    return (const char *)EXO_NULL;
}

static const char *a_frame_is_mapped_where_it_is_told_or_not_at_all(struct conformance_host *host)
{
    exo_u64 phys = exo_port_frame_alloc(PAGES_BYTES);
    exo_u64 second = exo_port_frame_alloc(PAGES_BYTES);
    exo_u8 *place = pages_map(second, EXO_MAP_READ);
    exo_uptr at = (exo_uptr)place;
    exo_status status;
    (void)host;
    CONFORMANCE_REQUIRE(phys != EXO_NO_FRAME && second != EXO_NO_FRAME && place != EXO_NULL);
    CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, at, PAGES_BYTES) == EXO_OK);
    status = exo_port_map(PAGES_SPACE, phys, PAGES_BYTES, &at, EXO_MAP_READ);
    CONFORMANCE_REQUIRE(status == (EXO_PORT_HAS_PAGES ? EXO_OK : EXO_NOT_SUPPORTED));
    CONFORMANCE_REQUIRE(at == (exo_uptr)place);
    if (status == EXO_OK) {
        CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, at, PAGES_BYTES) == EXO_OK);
    }
    exo_port_frame_free(phys, PAGES_BYTES);
    exo_port_frame_free(second, PAGES_BYTES);
    return (const char *)EXO_NULL;
}

static const char *what_is_protected_faults_when_written(struct conformance_host *host)
{
    exo_u64 phys = exo_port_frame_alloc(PAGES_BYTES);
    exo_u8 *at;
    (void)host;
    CONFORMANCE_REQUIRE(phys != EXO_NO_FRAME);
    at = pages_map(phys, EXO_MAP_READ | EXO_MAP_WRITE);
    CONFORMANCE_REQUIRE(at != EXO_NULL);
    at[5] = 5;
    CONFORMANCE_REQUIRE(exo_port_protect(PAGES_SPACE, (exo_uptr)at, PAGES_BYTES, EXO_MAP_READ) == EXO_OK);
    CONFORMANCE_REQUIRE(at[5] == 5);
    CONFORMANCE_REQUIRE(host->store_faults == EXO_NULL || host->store_faults(host->context, at + 5));
    CONFORMANCE_REQUIRE(exo_port_protect(PAGES_SPACE, (exo_uptr)at, PAGES_BYTES, EXO_MAP_READ | EXO_MAP_WRITE) == EXO_OK);
    CONFORMANCE_REQUIRE(host->store_faults == EXO_NULL || !host->store_faults(host->context, at + 5));
    CONFORMANCE_REQUIRE(exo_port_unmap(PAGES_SPACE, (exo_uptr)at, PAGES_BYTES) == EXO_OK);
    exo_port_frame_free(phys, PAGES_BYTES);
    return host->store_faults == EXO_NULL ? CONFORMANCE_SKIP : (const char *)EXO_NULL;
}

/* The memory of a user: of the one that the host has, else our own. */
static const char *users_memory_is_copied_in_and_out(struct conformance_host *host)
{
    static exo_u8 here[96];
    static exo_u8 there[96];
    exo_u64 user = host->user == EXO_NULL ? (exo_u64)(exo_uptr)there : host->user_begin;
    exo_u32 i;
    for (i = 0; i < sizeof(here); i++) {
        here[i] = (exo_u8)(i + 1);
    }
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, user, here, 96) == EXO_OK);
    fill_bytes(here, sizeof(here), 0xEE);
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here + 1, user + 1, 94) == EXO_OK);
    for (i = 0; i < sizeof(here); i++) {
        CONFORMANCE_REQUIRE(here[i] == (i == 0 || i == 95 ? 0xEE : (exo_u8)(i + 1)));
    }
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, 0, 0) == EXO_OK);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, 0, here, 0) == EXO_OK);
    return (const char *)EXO_NULL;
}

static const char *what_is_not_the_users_is_refused(struct conformance_host *host)
{
    static exo_u8 here[64];
    exo_u64 end = host->user_begin + host->user_bytes;
    if (host->user == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, end - 64, 64) == EXO_OK);
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, end - 63, 64) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, end, 1) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, ~(exo_u64)0, 64) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_from_user(host->user, here, ~(exo_u64)0 - 31, 64) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, end - 64, here, 64) == EXO_OK);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, end - 63, here, 64) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, end, here, 1) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, ~(exo_u64)0 - 31, here, 64) == EXO_INVALID_ARGUMENT);
    CONFORMANCE_REQUIRE(exo_port_copy_to_user(host->user, end, here, EXO_SIZE_MAX) == EXO_INVALID_ARGUMENT);
    return (const char *)EXO_NULL;
}

static struct {
    exo_u32 lock;
    exo_u32 inside;
    exo_u64 count; /* plain: the lock orders it */
} pages_section;

EXO_INLINE void pages_count(void *argument)
{
    exo_u32 *crowded = (exo_u32 *)argument;
    exo_u32 i;
    for (i = 0; i < PAGES_TURNS; i++) {
        exo_port_lock(&pages_section.lock);
        /* relaxed: the lock orders them */
        if (exo_fetch_add32(&pages_section.inside, 1u, EXO_RELAXED) != 0) {
            exo_store32(crowded, 1u, EXO_RELAXED); /* relaxed: read after the threads have ended */
        }
        pages_section.count++;
        (void)exo_fetch_add32(&pages_section.inside, 0xFFFFFFFFu, EXO_RELAXED); /* relaxed: same as above */
        exo_port_unlock(&pages_section.lock);
    }
}

static const char *the_lock_excludes_and_is_free_again(struct conformance_host *host)
{
    static exo_u32 crowded;
    exo_u32 other = 0;
    crowded = 0;
    pages_section.count = 0;
    exo_port_lock(&pages_section.lock); /* sections nest, each with a word of its own */
    exo_port_lock(&other);
    CONFORMANCE_REQUIRE(pages_section.lock != 0 && other != 0);
    exo_port_unlock(&other);
    exo_port_unlock(&pages_section.lock);
    CONFORMANCE_REQUIRE(pages_section.lock == 0 && other == 0);
    if (host->start == EXO_NULL) {
        return CONFORMANCE_SKIP;
    }
    CONFORMANCE_REQUIRE(conformance_start(host, 4, pages_count, &crowded));
    CONFORMANCE_REQUIRE(conformance_join(host, 4));
    CONFORMANCE_REQUIRE(crowded == 0);
    CONFORMANCE_REQUIRE(pages_section.count == 4u * PAGES_TURNS);
    CONFORMANCE_REQUIRE(pages_section.lock == 0);
    return (const char *)EXO_NULL;
}

static const struct conformance_claim claims_pages[] = {
    CONFORMANCE_CLAIM(frames_are_zeroed_aligned_and_distinct),
    CONFORMANCE_CLAIM(frames_come_back_zeroed_and_without_end),
    CONFORMANCE_CLAIM(frames_too_large_to_have_are_refused),
    CONFORMANCE_CLAIM(a_frame_mapped_twice_is_the_same_memory),
    CONFORMANCE_CLAIM(a_frame_is_mapped_where_it_is_told_or_not_at_all),
    CONFORMANCE_CLAIM(what_is_protected_faults_when_written),
    CONFORMANCE_CLAIM(users_memory_is_copied_in_and_out),
    CONFORMANCE_CLAIM(what_is_not_the_users_is_refused),
    CONFORMANCE_CLAIM(the_lock_excludes_and_is_free_again),
};

#endif
