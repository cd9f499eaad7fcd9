/* SPDX-License-Identifier: MIT */
/*
 * Page tables: what map, unmap and protect take and refuse, large pages, tables that go when they are empty.
 */
#include "claims.h"

#define RW        (EXO_MAP_READ | EXO_MAP_WRITE)
#define FREE_NOW() (frames_counted().free_bytes)
#define PLACE     (AREA_BASE + 0x4000000000) /* far from what chooses its own place */

static struct exo_port_space *const kernel = &kernel_space;

static exo_u64 entry_of(exo_uptr virt)
{
    exo_u32 level;
    return *paging_entry(kernel, virt, &level);
}

static exo_u32 level_of(exo_uptr virt)
{
    exo_u32 level;
    return (*paging_entry(kernel, virt, &level) & ENTRY_PRESENT) != 0 ? level : 0;
}

static const char *a_page_is_seen_where_it_was_mapped_until_it_is_unmapped(void)
{
    struct caught caught;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_uptr first = 0;
    exo_uptr second = PLACE;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &first, RW) == EXO_OK);
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &second, RW) == EXO_OK);
    REQUIRE(first >= AREA_BASE && first < AREA_END && second == PLACE);
    *(volatile exo_u64 *)first = 0x1234567890ABCDEF;
    REQUIRE(*(volatile exo_u64 *)second == 0x1234567890ABCDEF);
    REQUIRE(paging_phys(kernel, second + 24) == phys + 24);
    REQUIRE(paging_unmap(kernel, first, PAGE_BYTES) == EXO_OK);
    REQUIRE(read_faults(first, &caught));
    REQUIRE(caught.vector == VECTOR_PAGE_FAULT && caught.address == first && caught.error == 0);
    REQUIRE(*(volatile exo_u64 *)second == 0x1234567890ABCDEF);
    REQUIRE(paging_unmap(kernel, second, PAGE_BYTES) == EXO_OK);
    REQUIRE(read_faults(second, &caught));
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *bad_mappings_are_refused(void)
{
    static const struct {
        exo_u64 phys, bytes, virt;
        exo_u32 flags;
        exo_status status;
    } bad[] = {
        {0x200000, PAGE_BYTES, PLACE, EXO_MAP_WRITE | EXO_MAP_EXEC, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, PLACE, RW | EXO_MAP_EXEC, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, PLACE, 64, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, PLACE, RW | EXO_MAP_USER, EXO_INVALID_ARGUMENT},
        {0x200001, PAGE_BYTES, PLACE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, PLACE + 1, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES + 1, PLACE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, 0, PLACE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, 0, 0, RW, EXO_INVALID_ARGUMENT},
        {1ull << 52, PAGE_BYTES, PLACE, RW, EXO_INVALID_ARGUMENT},
        {EXO_NO_FRAME, PAGE_BYTES, PLACE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, ~0xFFFull, PLACE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, USER_BEGIN, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, DIRECT_BASE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, IMAGE_BASE, RW, EXO_INVALID_ARGUMENT},
        {0x200000, PAGE_BYTES, 0x0000800000000000, RW, EXO_INVALID_ARGUMENT},
        {0x200000, 2 * PAGE_BYTES, AREA_END - PAGE_BYTES, RW, EXO_INVALID_ARGUMENT},
        {0x200000, AREA_END - AREA_BASE, 0, RW, EXO_NO_MEMORY},
    };
    exo_u64 before = FREE_NOW();
    exo_size i;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        exo_uptr virt = bad[i].virt;
        REQUIRE(paging_map(kernel, bad[i].phys, bad[i].bytes, &virt, bad[i].flags) == bad[i].status);
        REQUIRE(virt == bad[i].virt);
    }
    REQUIRE(FREE_NOW() == before && level_of(PLACE) == 0);
    return CLAIM_OK;
}

static const char *what_is_taken_or_not_there_is_refused_whole(void)
{
    exo_u64 phys = frames_alloc(4 * PAGE_BYTES);
    exo_u64 before = FREE_NOW();
    exo_uptr virt = PLACE + PAGE_BYTES;
    exo_uptr around = PLACE;
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &virt, RW) == EXO_OK);
    REQUIRE(paging_map(kernel, phys, PAGE_BYTES, &virt, RW) == EXO_ALREADY_EXISTS);
    REQUIRE(paging_map(kernel, phys, 4 * PAGE_BYTES, &around, RW) == EXO_ALREADY_EXISTS);
    REQUIRE(level_of(PLACE) == 0 && level_of(PLACE + 2 * PAGE_BYTES) == 0);
    REQUIRE(paging_unmap(kernel, PLACE, PAGE_BYTES) == EXO_NOT_FOUND);
    REQUIRE(paging_unmap(kernel, PLACE, 2 * PAGE_BYTES) == EXO_NOT_FOUND);
    REQUIRE(paging_unmap(kernel, virt, 2 * PAGE_BYTES) == EXO_NOT_FOUND);
    REQUIRE(paging_protect(kernel, virt, 2 * PAGE_BYTES, EXO_MAP_READ) == EXO_NOT_FOUND);
    REQUIRE(paging_unmap(kernel, virt, 0) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_unmap(kernel, virt + 1, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_unmap(kernel, (exo_uptr)image_text, PAGE_BYTES) == EXO_INVALID_ARGUMENT);
    REQUIRE(paging_protect(kernel, virt, PAGE_BYTES, EXO_MAP_WRITE | EXO_MAP_EXEC) == EXO_INVALID_ARGUMENT);
    *(volatile exo_u8 *)virt = 1; /* still there, still writable */
    REQUIRE(paging_unmap(kernel, virt, PAGE_BYTES) == EXO_OK);
    REQUIRE(paging_unmap(kernel, virt, PAGE_BYTES) == EXO_NOT_FOUND);
    REQUIRE(FREE_NOW() == before);
    REQUIRE(frames_free(phys, 4 * PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *large_pages_are_used_where_they_fit_and_split_where_not(void)
{
    struct caught caught;
    exo_u64 bytes = 3 * LARGE_PAGE_BYTES;
    exo_u64 phys = frames_alloc(4 * LARGE_PAGE_BYTES);
    exo_u64 before = FREE_NOW();
    exo_uptr virt = 0;
    exo_uptr middle;
    if (phys == EXO_NO_FRAME) {
        return CLAIM_SKIP;
    }
    phys += phys % LARGE_PAGE_BYTES;
    REQUIRE(paging_map(kernel, phys, bytes, &virt, RW) == EXO_OK);
    REQUIRE(virt % LARGE_PAGE_BYTES == 0 && level_of(virt) == LEVEL_LARGE && level_of(virt + bytes - 1) == LEVEL_LARGE);
    middle = virt + LARGE_PAGE_BYTES + 5 * PAGE_BYTES;
    *(volatile exo_u64 *)middle = 7;
    REQUIRE(*(const exo_u64 *)direct(phys + (middle - virt)) == 7);
    REQUIRE(paging_protect(kernel, middle, PAGE_BYTES, EXO_MAP_READ) == EXO_OK);
    REQUIRE(level_of(middle) == LEVEL_PAGE && level_of(virt) == LEVEL_LARGE);
    REQUIRE(write_faults(middle, &caught) && !read_faults(middle, &caught));
    REQUIRE(!write_faults(middle - 1, &caught) && !write_faults(middle + PAGE_BYTES, &caught));
    REQUIRE(*(volatile exo_u64 *)middle == 7);
    /* From the middle of one large page into the next. */
    REQUIRE(paging_unmap(kernel, middle + PAGE_BYTES, LARGE_PAGE_BYTES) == EXO_OK);
    REQUIRE(read_faults(middle + PAGE_BYTES, &caught) && read_faults(middle + LARGE_PAGE_BYTES, &caught));
    REQUIRE(!read_faults(middle + LARGE_PAGE_BYTES + PAGE_BYTES, &caught) && !read_faults(middle, &caught));
    REQUIRE(paging_unmap(kernel, virt, bytes) == EXO_NOT_FOUND);
    REQUIRE(paging_unmap(kernel, virt, middle + PAGE_BYTES - virt) == EXO_OK);
    middle += PAGE_BYTES + LARGE_PAGE_BYTES;
    REQUIRE(paging_unmap(kernel, middle, virt + bytes - middle) == EXO_OK);
    REQUIRE(FREE_NOW() == before); /* the tables of the split pages too */
    REQUIRE(frames_free(phys, 4 * LARGE_PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *the_bits_for_caches_reach_the_entries(void)
{
    exo_u64 small = frames_alloc(PAGE_BYTES);
    exo_u64 large = frames_alloc(LARGE_PAGE_BYTES);
    exo_u32 round;
    for (round = 0; round < 4; round++) {
        exo_u32 flags = RW | ((round & 1u) != 0 ? EXO_MAP_WRITE_THROUGH : 0) |
                        ((round & 2u) != 0 ? EXO_MAP_CACHE_DISABLED : 0);
        exo_u64 both = ENTRY_WRITE_THROUGH | ENTRY_CACHE_DISABLED;
        exo_u64 bits = ((round & 1u) != 0 ? ENTRY_WRITE_THROUGH : 0) | ((round & 2u) != 0 ? ENTRY_CACHE_DISABLED : 0);
        exo_uptr a = 0;
        exo_uptr b = 0;
        REQUIRE(paging_map(kernel, small, PAGE_BYTES, &a, flags) == EXO_OK);
        REQUIRE(paging_map(kernel, large, LARGE_PAGE_BYTES, &b, flags) == EXO_OK);
        REQUIRE((entry_of(a) & both) == bits && (entry_of(b) & both) == bits && level_of(b) == LEVEL_LARGE);
        *(volatile exo_u32 *)a = round;
        *(volatile exo_u32 *)b = round;
        REQUIRE(*(const exo_u32 *)direct(small) == round && *(const exo_u32 *)direct(large) == round);
        REQUIRE(paging_protect(kernel, a, PAGE_BYTES, RW) == EXO_OK && (entry_of(a) & both) == 0);
        REQUIRE(paging_protect(kernel, a, PAGE_BYTES, flags) == EXO_OK && (entry_of(a) & both) == bits);
        REQUIRE(paging_unmap(kernel, a, PAGE_BYTES) == EXO_OK);
        REQUIRE(paging_unmap(kernel, b, LARGE_PAGE_BYTES) == EXO_OK);
    }
    REQUIRE(frames_free(small, PAGE_BYTES) == EXO_OK && frames_free(large, LARGE_PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *tables_come_with_the_first_page_and_go_with_the_last(void)
{
    struct exo_port_space space;
    exo_u64 phys = frames_alloc(PAGE_BYTES);
    exo_u64 before = FREE_NOW();
    exo_uptr far[] = {USER_BEGIN, USER_BEGIN + PAGE_BYTES, 0x40000000, 0x8000000000, USER_END - PAGE_BYTES};
    exo_u32 tables[] = {3, 0, 2, 3, 3};
    exo_u32 flags = RW | EXO_MAP_USER;
    exo_u64 now;
    exo_u32 i;
    REQUIRE(space_init(&space) == EXO_OK);
    tables[3] = 3;
    now = FREE_NOW();
    REQUIRE(now == before - PAGE_BYTES);
    for (i = 0; i < 5; i++) {
        REQUIRE(paging_map(&space, phys, PAGE_BYTES, &far[i], flags) == EXO_OK);
        now -= tables[i] * PAGE_BYTES;
        REQUIRE(FREE_NOW() == now);
    }
    REQUIRE(paging_unmap(&space, far[0], PAGE_BYTES) == EXO_OK);
    REQUIRE(FREE_NOW() == now); /* its neighbour needs the tables */
    REQUIRE(paging_unmap(&space, far[1], PAGE_BYTES) == EXO_OK);
    REQUIRE(FREE_NOW() == now + 2 * PAGE_BYTES); /* the third is that of far[2] too */
    REQUIRE(paging_unmap(&space, far[2], PAGE_BYTES) == EXO_OK);
    REQUIRE(paging_unmap(&space, far[3], PAGE_BYTES) == EXO_OK);
    REQUIRE(FREE_NOW() == before - 4 * PAGE_BYTES);
    space_fini(&space); /* with one page still mapped */
    REQUIRE(FREE_NOW() == before);
    REQUIRE(frames_free(phys, PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *a_chosen_place_has_a_free_page_on_either_side(void)
{
    struct caught caught;
    exo_u64 phys = frames_alloc(2 * PAGE_BYTES);
    exo_uptr virt[20];
    exo_u32 i;
    exo_u32 j;
    for (i = 0; i < 20; i++) {
        virt[i] = 0;
        REQUIRE(paging_map(kernel, phys, 2 * PAGE_BYTES, &virt[i], RW) == EXO_OK);
        REQUIRE(read_faults(virt[i] - 1, &caught) && read_faults(virt[i] + 2 * PAGE_BYTES, &caught));
        for (j = 0; j < i; j++) {
            REQUIRE(virt[i] >= virt[j] + 3 * PAGE_BYTES || virt[j] >= virt[i] + 3 * PAGE_BYTES);
        }
    }
    for (i = 0; i < 20; i++) {
        REQUIRE(paging_unmap(kernel, virt[i], 2 * PAGE_BYTES) == EXO_OK);
    }
    kernel_space.cursor = AREA_END - 2 * PAGE_BYTES; /* at the end it begins again at the begin */
    virt[0] = 0;
    REQUIRE(paging_map(kernel, phys, 2 * PAGE_BYTES, &virt[0], RW) == EXO_OK);
    REQUIRE(virt[0] < AREA_END - LARGE_PAGE_BYTES);
    REQUIRE(paging_unmap(kernel, virt[0], 2 * PAGE_BYTES) == EXO_OK);
    REQUIRE(frames_free(phys, 2 * PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *without_memory_for_tables_nothing_changes(void)
{
    exo_u64 phys = frames_alloc(LARGE_PAGE_BYTES);
    exo_u64 before = FREE_NOW();
    exo_u64 fail;
    exo_u32 refused = 0;
    exo_status status;
    for (fail = 0; fail < 20; fail++) {
        exo_uptr virt = PLACE + LARGE_PAGE_BYTES - 8 * PAGE_BYTES; /* across the border of two tables */
        frames_fail_after(fail);
        status = paging_map(kernel, phys, 16 * PAGE_BYTES, &virt, RW);
        frames_fail_after(~0ull);
        if (status == EXO_OK) {
            REQUIRE(paging_unmap(kernel, virt, 16 * PAGE_BYTES) == EXO_OK);
        } else {
            REQUIRE(status == EXO_NO_MEMORY);
            refused++;
        }
        REQUIRE(FREE_NOW() == before && paging_first_used(kernel, PLACE, PLACE + 2 * LARGE_PAGE_BYTES) == 0);
    }
    REQUIRE(refused == 3);
    for (fail = 0; fail < 2; fail++) { /* and where a large page is to be split */
        exo_uptr virt = PLACE;
        REQUIRE(paging_map(kernel, phys, LARGE_PAGE_BYTES, &virt, RW) == EXO_OK);
        frames_fail_after(fail);
        status = paging_protect(kernel, virt, PAGE_BYTES, EXO_MAP_READ);
        frames_fail_after(~0ull);
        REQUIRE(status == (fail == 0 ? EXO_NO_MEMORY : EXO_OK));
        REQUIRE(level_of(virt) == (fail == 0 ? LEVEL_LARGE : LEVEL_PAGE));
        REQUIRE(paging_unmap(kernel, virt, LARGE_PAGE_BYTES) == EXO_OK && FREE_NOW() == before);
    }
    REQUIRE(frames_free(phys, LARGE_PAGE_BYTES) == EXO_OK);
    return CLAIM_OK;
}

static const char *the_hooks_of_the_port_reach_all_this(void)
{
    exo_u64 phys = exo_port_frame_alloc(2 * EXO_PORT_PAGE_BYTES);
    exo_uptr virt = 0;
    struct caught caught;
    REQUIRE(phys != EXO_NO_FRAME);
    REQUIRE(exo_port_map((struct exo_port_space *)EXO_NULL, phys, 2 * EXO_PORT_PAGE_BYTES, &virt, EXO_MAP_READ) == EXO_OK);
    REQUIRE(write_faults(virt, &caught) && !read_faults(virt, &caught));
    REQUIRE(exo_port_protect((struct exo_port_space *)EXO_NULL, virt, EXO_PORT_PAGE_BYTES, RW) == EXO_OK);
    REQUIRE(!write_faults(virt, &caught) && write_faults(virt + EXO_PORT_PAGE_BYTES, &caught));
    REQUIRE(exo_port_unmap((struct exo_port_space *)EXO_NULL, virt, 2 * EXO_PORT_PAGE_BYTES) == EXO_OK);
    REQUIRE(read_faults(virt, &caught));
    exo_port_frame_free(phys, 2 * EXO_PORT_PAGE_BYTES);
    return CLAIM_OK;
}

const struct claim claims_paging[] = {
    CLAIM(a_page_is_seen_where_it_was_mapped_until_it_is_unmapped),
    CLAIM(bad_mappings_are_refused),
    CLAIM(what_is_taken_or_not_there_is_refused_whole),
    CLAIM(large_pages_are_used_where_they_fit_and_split_where_not),
    CLAIM(the_bits_for_caches_reach_the_entries),
    CLAIM(tables_come_with_the_first_page_and_go_with_the_last),
    CLAIM(a_chosen_place_has_a_free_page_on_either_side),
    CLAIM(without_memory_for_tables_nothing_changes),
    CLAIM(the_hooks_of_the_port_reach_all_this),
    CLAIMS_END,
};
