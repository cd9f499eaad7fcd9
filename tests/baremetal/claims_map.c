/* SPDX-License-Identifier: MIT */
/*
 * The memory map, and what the machine is said to have: "cpus=N" and "mib=N" on the command line.
 */
#include "claims.h"

#define PAGES 256u

static struct memory_map map;

static exo_bool is_sorted_and_apart(void)
{
    exo_u32 i;
    for (i = 0; i < map.count; i++) {
        if (map.range[i].begin >= map.range[i].end || (map.range[i].begin | map.range[i].end) % PAGE_BYTES != 0 ||
            (i > 0 && map.range[i].begin < map.range[i - 1].end)) {
            return EXO_FALSE;
        }
    }
    return EXO_TRUE;
}

static exo_bool has_page(exo_u64 page)
{
    exo_u32 i;
    for (i = 0; i < map.count; i++) {
        if (page * PAGE_BYTES >= map.range[i].begin && page * PAGE_BYTES < map.range[i].end) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

static const char *ranges_are_cut_to_whole_pages(void)
{
    map.count = 0;
    memory_map_add(&map, 100, 2 * PAGE_BYTES);
    REQUIRE(map.count == 1 && map.range[0].begin == PAGE_BYTES && map.range[0].end == 2 * PAGE_BYTES);
    memory_map_add(&map, 5 * PAGE_BYTES + 1, PAGE_BYTES);
    memory_map_add(&map, 7 * PAGE_BYTES, 0);
    REQUIRE(map.count == 1);
    memory_map_remove(&map, PAGE_BYTES + 5, PAGE_BYTES + 6);
    REQUIRE(map.count == 0);
    return CLAIM_OK;
}

static const char *ranges_beyond_what_can_be_mapped_are_left_out(void)
{
    map.count = 0;
    memory_map_add(&map, DIRECT_BYTES - PAGE_BYTES, 16 * PAGE_BYTES);
    REQUIRE(map.count == 1 && memory_map_bytes(&map) == PAGE_BYTES);
    memory_map_add(&map, DIRECT_BYTES, PAGE_BYTES);
    memory_map_add(&map, ~0ull - 10, 5);
    memory_map_add(&map, ~0ull - 10, ~0ull);
    REQUIRE(map.count == 1);
    memory_map_add(&map, PAGE_BYTES, ~0ull);
    REQUIRE(is_sorted_and_apart() && memory_map_bytes(&map) == DIRECT_BYTES - PAGE_BYTES);
    return CLAIM_OK;
}

/* Against one bit a page. */
static const char *ranges_in_any_order_with_holes_and_overlaps_add_up(void)
{
    static exo_u8 model[PAGES];
    exo_u32 random = 1;
    exo_u32 round;
    for (round = 0; round < 200; round++) {
        exo_u32 turn;
        map.count = 0;
        __builtin_memset(model, 0, sizeof(model));
        for (turn = 0; turn < 20; turn++) {
            exo_u64 begin;
            exo_u64 count;
            random = random * 1664525u + 1013904223u;
            begin = (random >> 8) % (PAGES - 40);
            count = 1 + (random >> 20) % 40;
            if (turn % 3 == 2) {
                memory_map_remove(&map, begin * PAGE_BYTES, (begin + count) * PAGE_BYTES);
            } else {
                memory_map_add(&map, begin * PAGE_BYTES, count * PAGE_BYTES);
            }
            __builtin_memset(model + begin, turn % 3 != 2, count);
        }
        REQUIRE(is_sorted_and_apart());
        for (turn = 0; turn < PAGES; turn++) {
            REQUIRE(has_page(turn) == (model[turn] != 0));
        }
    }
    return CLAIM_OK;
}

static const char *too_many_ranges_lose_memory_and_nothing_else(void)
{
    exo_u64 i;
    map.count = 0;
    for (i = 0; i < 100; i++) {
        memory_map_add(&map, 2 * i * PAGE_BYTES, PAGE_BYTES);
    }
    REQUIRE(map.count == MEMORY_RANGES && is_sorted_and_apart());
    for (i = 0; i < 200; i++) {
        REQUIRE(!has_page(i) || i % 2 == 0);
    }
    return CLAIM_OK;
}

static const char *the_machine_has_what_it_is_said_to_have(void)
{
    exo_u64 mib = expected("mib");
    exo_u64 bytes = memory_map_bytes(test_ram);
    exo_u64 hole = expected("hole");
    if (mib == 0) {
        return CLAIM_SKIP;
    }
    REQUIRE(cpu_count == expected("cpus"));
    REQUIRE(bytes <= mib << 20 && bytes > (mib - (hole != 0 ? 8 : 2)) << 20);
    REQUIRE(frames_counted().total_bytes < bytes);
    if (hole != 0) {
        exo_u32 i;
        REQUIRE(test_ram->count >= 3);
        for (i = 0; i < test_ram->count; i++) {
            REQUIRE(hole * PAGE_BYTES < test_ram->range[i].begin || hole * PAGE_BYTES >= test_ram->range[i].end);
        }
        REQUIRE(paging_phys(&kernel_space, (exo_uptr)direct(hole * PAGE_BYTES)) == EXO_NO_FRAME);
    }
    return CLAIM_OK;
}

const struct claim claims_map[] = {
    CLAIM(ranges_are_cut_to_whole_pages),
    CLAIM(ranges_beyond_what_can_be_mapped_are_left_out),
    CLAIM(ranges_in_any_order_with_holes_and_overlaps_add_up),
    CLAIM(too_many_ranges_lose_memory_and_nothing_else),
    CLAIM(the_machine_has_what_it_is_said_to_have),
    CLAIMS_END,
};
