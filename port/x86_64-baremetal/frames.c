/* SPDX-License-Identifier: MIT */
/*
 * Frames of physical memory: a buddy allocator (Knowlton 1965) over the ranges of the memory map.
 *
 *   a free block of 2^order frames, aligned to its size, is linked into a list of its order through its own first frame;
 *   a block's buddy is the one whose number differs in one bit, and two free buddies become one block.
 *
 * A request need not be a power of two: what is too much goes back at once, in smaller blocks. Each frame has four bytes
 * beside it, at the begin of its range, which tell what it is; so giving back twice, or with another size, is refused
 * and counted. Under the lock everything is O(orders), but for the marks, a byte a frame; zeroing is done outside of it.
 */
#include "memory.h"
#include "console.h"
#include "lock.h"
#include "machine.h"

#define ORDERS 19 /* the largest block has 1 GiB */

enum { FRAME_INSIDE, FRAME_FREE, FRAME_HEAD, FRAME_TAIL }; /* within a free block, its first; the same of one that is out */

/* At the begin of a free block. */
struct block {
    struct block *next;
    struct block *previous;
};

/* Numbers of frames are addresses / PAGE_BYTES. */
struct region {
    exo_u64 begin;
    exo_u64 end;
    struct frame *frame;
};

static struct region regions[MEMORY_RANGES];
static exo_u32 region_count;
static struct block *free_blocks[ORDERS];
static struct frames_count counted;
static exo_u64 fail_after = ~0ull;
static exo_u32 frames_lock;

static struct region *region_of(exo_u64 number)
{
    exo_u32 i;
    for (i = 0; i < region_count; i++) {
        if (number - regions[i].begin < regions[i].end - regions[i].begin) {
            return &regions[i];
        }
    }
    return (struct region *)EXO_NULL;
}

static struct frame *frame_at(exo_u64 number)
{
    struct region *region = region_of(number);
    return region == EXO_NULL ? (struct frame *)EXO_NULL : &region->frame[number - region->begin];
}

struct frame *frame_of(exo_u64 phys)
{
    return frame_at(phys / PAGE_BYTES);
}

static struct block *block_at(exo_u64 number)
{
    return (struct block *)direct(number * PAGE_BYTES);
}

static void unlink(struct block *block, exo_u32 order)
{
    if (block->previous != EXO_NULL) {
        block->previous->next = block->next;
    } else {
        free_blocks[order] = block->next;
    }
    if (block->next != EXO_NULL) {
        block->next->previous = block->previous;
    }
}

/* One block becomes free, and one with its buddies as long as those are. */
static void give_block(const struct region *region, exo_u64 number, exo_u32 order)
{
    struct block *block;
    for (; order + 1 < ORDERS; order++) {
        exo_u64 buddy = number ^ 1ull << order;
        struct frame *frame;
        if (buddy < region->begin || buddy + (1ull << order) > region->end) {
            break;
        }
        frame = &region->frame[buddy - region->begin];
        if (frame->state != FRAME_FREE || frame->order != order) {
            break;
        }
        unlink(block_at(buddy), order);
        frame->state = FRAME_INSIDE;
        number &= ~(1ull << order);
    }
    region->frame[number - region->begin].state = FRAME_FREE;
    region->frame[number - region->begin].order = (exo_u8)order;
    block = block_at(number);
    block->previous = (struct block *)EXO_NULL;
    block->next = free_blocks[order];
    if (block->next != EXO_NULL) {
        block->next->previous = block;
    }
    free_blocks[order] = block;
}

/* Any number of frames, cut into the largest blocks that are aligned to their sizes. */
static void give_range(const struct region *region, exo_u64 begin, exo_u64 end)
{
    exo_u64 at;
    for (at = begin; at < end; at++) {
        region->frame[at - region->begin].state = FRAME_INSIDE;
    }
    counted.free_bytes += (end - begin) * PAGE_BYTES;
    while (begin < end) {
        exo_u32 order = 0;
        while (order + 1 < ORDERS && (begin & ((2ull << order) - 1)) == 0 && begin + (2ull << order) <= end) {
            order++;
        }
        give_block(region, begin, order);
        begin += 1ull << order;
    }
}

/* Takes a range in. The range must be mapped at DIRECT_BASE; its marks take a thousandth of it. */
void frames_add(exo_u64 begin, exo_u64 end)
{
    struct region *region = &regions[region_count];
    exo_u64 marks = ((end - begin) / PAGE_BYTES * sizeof(struct frame) + PAGE_BYTES - 1) / PAGE_BYTES;
    if (region_count == MEMORY_RANGES || end - begin < 4 * PAGE_BYTES) {
        return;
    }
    region_count++;
    region->begin = begin / PAGE_BYTES + marks;
    region->end = end / PAGE_BYTES;
    region->frame = (struct frame *)direct(begin);
    memory_zero(region->frame, (exo_size)marks * PAGE_BYTES);
    counted.total_bytes += (region->end - region->begin) * PAGE_BYTES;
    give_range(region, region->begin, region->end);
}

/* The smallest free block that is large enough, cut to size; under the lock. 0: there is none. */
static exo_u64 take_range(exo_u64 count)
{
    exo_u32 order = 0;
    struct block *block;
    struct region *region;
    exo_u64 number;
    exo_u64 i;
    while (order < ORDERS && (1ull << order < count || free_blocks[order] == EXO_NULL)) {
        order++;
    }
    if (order == ORDERS || fail_after-- == 0) {
        return 0;
    }
    block = free_blocks[order];
    unlink(block, order);
    number = direct_phys(block) / PAGE_BYTES;
    region = region_of(number);
    counted.free_bytes -= (exo_u64)PAGE_BYTES << order;
    for (i = 0; i < count; i++) {
        region->frame[number - region->begin + i].state = i == 0 ? FRAME_HEAD : FRAME_TAIL;
        region->frame[number - region->begin + i].entries = 0;
    }
    give_range(region, number + count, number + (1ull << order));
    return number;
}

exo_u64 frames_alloc(exo_size bytes)
{
    exo_u64 number;
    if (bytes == 0 || bytes % PAGE_BYTES != 0) {
        return EXO_NO_FRAME;
    }
    kernel_lock(&frames_lock);
    number = take_range(bytes / PAGE_BYTES);
    kernel_unlock(&frames_lock);
    if (number == 0) { /* frame 0 is real mode's, and never handed out */
        return EXO_NO_FRAME;
    }
    memory_zero(direct(number * PAGE_BYTES), bytes);
    return number * PAGE_BYTES;
}

/* Whether exactly this was handed out, and is still out. */
static exo_bool is_out(const struct region *region, exo_u64 number, exo_u64 count)
{
    exo_u64 i;
    if (region == EXO_NULL || count == 0 || count > region->end - number ||
        region->frame[number - region->begin].state != FRAME_HEAD) {
        return EXO_FALSE;
    }
    for (i = 1; i < count; i++) {
        if (region->frame[number - region->begin + i].state != FRAME_TAIL) {
            return EXO_FALSE;
        }
    }
    return number + count == region->end || region->frame[number - region->begin + count].state != FRAME_TAIL;
}

/* EXO_INVALID_ARGUMENT: not handed out like that, or given back already; nothing has changed then. */
exo_status frames_free(exo_u64 phys, exo_size bytes)
{
    exo_u64 number = phys / PAGE_BYTES;
    exo_u64 count = bytes / PAGE_BYTES;
    struct region *region = region_of(number);
    exo_status status = EXO_OK;
    kernel_lock(&frames_lock);
    if (phys % PAGE_BYTES != 0 || bytes % PAGE_BYTES != 0 || !is_out(region, number, count)) {
        counted.refused++;
        status = EXO_INVALID_ARGUMENT;
    } else {
        give_range(region, number, number + count);
    }
    kernel_unlock(&frames_lock);
    return status;
}

struct frames_count frames_counted(void)
{
    struct frames_count copy;
    kernel_lock(&frames_lock);
    copy = counted;
    kernel_unlock(&frames_lock);
    return copy;
}

void frames_fail_after(exo_u64 allocations)
{
    kernel_lock(&frames_lock);
    fail_after = allocations;
    kernel_unlock(&frames_lock);
}
