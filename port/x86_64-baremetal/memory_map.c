/* SPDX-License-Identifier: MIT */
/*
 * The memory map: ranges of RAM as the firmware tells them, in any order, with holes, odd ends and overlaps; here as whole
 * pages, sorted and apart. What is needed for other things is cut out.
 */
#include "memory.h"

static void drop(struct memory_map *map, exo_u32 at)
{
    map->count--;
    for (; at < map->count; at++) {
        map->range[at] = map->range[at + 1];
    }
}

/* What does not fit is forgotten: less memory, not more than there is. */
static void insert(struct memory_map *map, exo_u32 at, exo_u64 begin, exo_u64 end)
{
    exo_u32 i;
    if (map->count == MEMORY_RANGES || begin >= end) {
        return;
    }
    for (i = map->count++; i > at; i--) {
        map->range[i] = map->range[i - 1];
    }
    map->range[at].begin = begin;
    map->range[at].end = end;
}

void memory_map_remove(struct memory_map *map, exo_u64 begin, exo_u64 end)
{
    exo_u32 i = 0;
    begin &= ~(exo_u64)(PAGE_BYTES - 1);
    end = (end + PAGE_BYTES - 1) & ~(exo_u64)(PAGE_BYTES - 1);
    while (i < map->count) {
        struct memory_range range = map->range[i];
        if (end <= range.begin || begin >= range.end) {
            i++;
            continue;
        }
        drop(map, i);
        insert(map, i, end > range.begin ? end : range.begin, range.end);
        insert(map, i, range.begin, exo_min64(begin, range.end));
        i += begin > range.begin; /* the part in front is done; the one behind is outside */
    }
}

void memory_map_add(struct memory_map *map, exo_u64 begin, exo_u64 bytes)
{
    exo_u64 end = begin + exo_min64(bytes, ~begin);
    exo_u32 at = 0;
    if (begin > DIRECT_BYTES - PAGE_BYTES) {
        return; /* more than can be mapped */
    }
    begin = (begin + PAGE_BYTES - 1) & ~(exo_u64)(PAGE_BYTES - 1);
    end = exo_min64(end, DIRECT_BYTES) & ~(exo_u64)(PAGE_BYTES - 1);
    if (begin >= end) {
        return;
    }
    memory_map_remove(map, begin, end);
    while (at < map->count && map->range[at].begin < begin) {
        at++;
    }
    insert(map, at, begin, end);
}

exo_u64 memory_map_bytes(const struct memory_map *map)
{
    exo_u64 bytes = 0;
    exo_u32 i;
    for (i = 0; i < map->count; i++) {
        bytes += map->range[i].end - map->range[i].begin;
    }
    return bytes;
}

void memory_map_read(struct memory_map *map, const struct start_info *info)
{
    const struct start_memory *entry = (const struct start_memory *)direct(info->memory_map);
    exo_u32 i;
    map->count = 0;
    for (i = 0; i < info->memory_map_entries; i++) {
        if (entry[i].type == START_MEMORY_RAM) {
            memory_map_add(map, entry[i].begin, entry[i].bytes);
        }
    }
    /* What one entry calls RAM and another does not, is not. */
    for (i = 0; i < info->memory_map_entries; i++) {
        if (entry[i].type != START_MEMORY_RAM && entry[i].begin < DIRECT_BYTES) {
            memory_map_remove(map, entry[i].begin,
                              entry[i].begin + exo_min64(entry[i].bytes, DIRECT_BYTES));
        }
    }
}
