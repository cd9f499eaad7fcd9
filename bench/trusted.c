/* SPDX-License-Identifier: MIT */
/*
 * trusted.c - the trusted side's own operations: look-ups of the pool, checks of capabilities, revocation, mappings beside the
 * kernel's, and what its records weigh. groups/trusted.cpp runs it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "trusted.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exo_ipc/exo_ipc.h"
#include "exo_ipc/nucleus/nucleus.h"

#define PAGE ((exo_u64)EXO_PORT_PAGE_BYTES)
#define ASKED 1024u /* look-ups of a slice go round these */

static exo_u64 random_next(exo_u64 *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

/* A pool of so many named regions, and those that are asked for. */
struct stock {
    struct exo_pool pool;
    exo_u64 id[ASKED];
    char name[ASKED][24];
    exo_size bytes[ASKED];
    unsigned regions;
};

static struct stock stocks[2];

static void stock_ask(struct stock *stock, unsigned place, unsigned region, exo_u64 id)
{
    stock->id[place] = id;
    stock->bytes[place] = (exo_size)snprintf(stock->name[place], sizeof(stock->name[place]), "region.%u", region);
}

static int stock_fill(struct stock *stock, unsigned regions)
{
    const unsigned step = regions / ASKED == 0 ? 1 : regions / ASKED;
    char name[24];
    unsigned i;
    if (exo_shared_memory_init(&stock->pool, NULL) != EXO_OK) {
        return 0;
    }
    for (i = 0; i < regions; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "region.%u", i);
        exo_u64 id = 0;
        if (exo_pool_adopt(&stock->pool, name, bytes, (exo_u64)(i + 1) * PAGE, PAGE, 0, i, &id) != EXO_OK) {
            return 0;
        }
        if (i % step == 0 && i / step < ASKED) {
            stock_ask(stock, i / step, i, id);
        }
    }
    for (i = regions; i < ASKED; i++) {
        stock_ask(stock, i, i % regions, stock->id[i % regions]);
    }
    stock->regions = regions;
    return 1;
}

static struct stock *stock_of(unsigned regions)
{
    struct stock *stock = &stocks[regions > 100000 ? 1 : 0];
    return stock->regions == regions || stock_fill(stock, regions) ? stock : NULL;
}

double exo_bench_lookup(unsigned regions, int by_name, unsigned looks)
{
    struct stock *stock = stock_of(regions);
    struct exo_shm_info info;
    exo_u64 seed = 7;
    exo_u64 begin;
    exo_u64 id = 0;
    unsigned i;
    if (stock == NULL) {
        return -1;
    }
    begin = exo_port_now_ns();
    for (i = 0; i < looks; i++) {
        const unsigned place = (unsigned)random_next(&seed) % ASKED;
        exo_status status = by_name ? exo_pool_open_named(&stock->pool, stock->name[place], stock->bytes[place], &id)
                                    : exo_pool_find(&stock->pool, stock->id[place], &info);
        if (status != EXO_OK || (by_name ? id : info.id) != stock->id[place]) {
            return -1;
        }
    }
    return (double)(exo_port_now_ns() - begin) / looks;
}

double exo_bench_lookup_anywhere(unsigned regions, unsigned looks)
{
    struct stock *stock = stock_of(regions);
    struct exo_shm_info info;
    exo_u64 seed = 7;
    exo_u64 begin = exo_port_now_ns();
    unsigned i;
    for (i = 0; i < looks && stock != NULL; i++) {
        exo_u64 id = stock->id[0] + random_next(&seed) % regions; /* a pool that is only filled numbers them in line */
        if (exo_pool_find(&stock->pool, id, &info) != EXO_OK || info.id != id) {
            return -1;
        }
    }
    return stock == NULL ? -1 : (double)(exo_port_now_ns() - begin) / looks;
}

double exo_bench_lines_anywhere(unsigned lines, unsigned looks)
{
    static exo_u64 *memory;
    exo_u64 seed = 7;
    exo_u64 sum = 0;
    exo_u64 begin;
    unsigned i;
    if (memory == NULL) {
        memory = (exo_u64 *)exo_port_page_alloc((exo_size)lines * 64);
        for (i = 0; i < lines && memory != NULL; i++) {
            memory[(exo_size)i * 8] = i;
        }
    }
    begin = exo_port_now_ns();
    for (i = 0; i < looks && memory != NULL; i++) {
        exo_u64 word = exo_load64(&memory[(exo_size)(random_next(&seed) % lines) * 8], EXO_ACQUIRE);
        sum += word;
    }
    begin = exo_port_now_ns() - begin;
    return memory == NULL || sum == 0 ? -1 : (double)begin / looks;
}

/* A nucleus with a process that has a region. */
struct office {
    struct exo_nucleus nucleus;
    struct exo_process *process;
    struct exo_inner_door door;
    exo_u64 region;
};

static int office_open(struct office *office)
{
    const struct exo_process_config config = {1, NULL, NULL, NULL, EXO_FALSE, NULL};
    if (exo_init(&office->nucleus, NULL) != EXO_OK || exo_process_begin(&office->nucleus, &config, &office->process) != EXO_OK) {
        return 0;
    }
    exo_inner_door_init(&office->door, office->process);
    return exo_sys_shm_create(&office->door.door, NULL, 0, PAGE, 0, &office->region) == EXO_OK;
}

static void office_close(struct office *office)
{
    exo_process_end(office->process, EXO_FALSE);
    exo_fini(&office->nucleus);
}

static double checks(struct office *office, int hold, unsigned count)
{
    const struct exo_capability_table *table = &office->process->capabilities;
    exo_u64 begin = exo_port_now_ns();
    struct exo_capability *cap;
    unsigned i;
    for (i = 0; i < count; i++) {
        exo_u64 handle = office->region;
        exo_status status;
        __asm__ volatile("" : "+r"(handle)); /* each one is another's, for all that the compiler knows */
        if (hold) {
            status = exo_capability_use(table, handle, EXO_OBJECT_REGION, EXO_RIGHT_MAP_READ, &cap);
            if (status == EXO_OK) {
                exo_capability_done(cap);
            }
        } else {
            status = exo_capability_check(table, handle, EXO_OBJECT_REGION, EXO_RIGHT_MAP_READ);
        }
        if (status != EXO_OK) {
            return -1;
        }
    }
    return (double)(exo_port_now_ns() - begin) / count;
}

double exo_bench_capability(int hold, unsigned count)
{
    static struct office office;
    double figure = -1;
    if (office_open(&office)) {
        figure = checks(&office, hold, count);
        office_close(&office);
    }
    return figure;
}

double exo_bench_locked_pair(unsigned count)
{
    static exo_word64 word;
    exo_u64 begin = exo_port_now_ns();
    unsigned i;
    for (i = 0; i < count; i++) {
        exo_u64 seen = exo_load64(&word, EXO_ACQUIRE);
        while (!exo_cas64(&word, &seen, seen + 1, EXO_ACQ_REL)) {
        }
        seen++;
        while (!exo_cas64(&word, &seen, seen - 1, EXO_ACQ_REL)) {
        }
    }
    return (double)(exo_port_now_ns() - begin) / count;
}

/* Derive so many from a handle. */
static int derive_many(struct office *office, exo_u64 from, unsigned count)
{
    exo_u64 made;
    unsigned i;
    for (i = 0; i < count; i++) {
        if (exo_sys_derive(&office->door.door, from, EXO_RIGHT_MAP_READ, &made) != EXO_OK) {
            return 0;
        }
    }
    return 1;
}

double exo_bench_revoke(unsigned derived, unsigned unrelated)
{
    static struct office office;
    double figure = -1;
    exo_u64 other = 0;
    exo_u64 ended = 0;
    exo_u64 begin;
    if (!office_open(&office)) {
        return -1;
    }
    if (exo_sys_derive(&office.door.door, office.region, EXO_RIGHT_MAP_READ, &other) == EXO_OK &&
        derive_many(&office, office.region, unrelated) && derive_many(&office, other, derived)) {
        begin = exo_port_now_ns();
        if (exo_sys_revoke(&office.door.door, other, EXO_FALSE, &ended) == EXO_OK && ended == derived) {
            figure = (double)(exo_port_now_ns() - begin) / derived;
        }
    }
    office_close(&office);
    return figure;
}

static int map_ours(struct exo_address_space *space, exo_u64 phys, exo_size bytes)
{
    struct exo_shared_mapping mapping;
    memset(&mapping, 0, sizeof(mapping));
    return exo_map_shared(space, &mapping, phys, bytes, 0, EXO_MAP_READ | EXO_MAP_WRITE) == EXO_OK &&
           exo_unmap(space, &mapping) == EXO_OK;
}

static int map_raw(int file, exo_size bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return at != MAP_FAILED && munmap(at, bytes) == 0;
}

double exo_bench_map(int ours, unsigned long bytes, unsigned times)
{
    struct exo_address_space space;
    exo_u64 phys = exo_port_frame_alloc(bytes);
    exo_u64 begin;
    int right = phys != EXO_NO_FRAME;
    int file = memfd_create("bench", MFD_CLOEXEC);
    unsigned i;
    right = right && file >= 0 && fallocate(file, 0, 0, (off_t)bytes) == 0;
    exo_address_space_init(&space, NULL);
    begin = exo_port_now_ns();
    for (i = 0; i < times && right; i++) {
        right = ours ? map_ours(&space, phys, bytes) : map_raw(file, bytes);
    }
    begin = exo_port_now_ns() - begin;
    if (file >= 0) {
        (void)close(file);
    }
    if (phys != EXO_NO_FRAME) {
        exo_port_frame_free(phys, bytes);
    }
    return right ? (double)begin / times : -1;
}

/* Bytes of memory that this process really has. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long whole = 0;
    unsigned long here = 0;
    if (file == NULL) {
        return -1;
    }
    if (fscanf(file, "%lu %lu", &whole, &here) != 2) {
        here = 0;
    }
    (void)fclose(file);
    return (double)here * (double)sysconf(_SC_PAGESIZE);
}

/* Every process has a queue and a handle to it, so that its table is there. */
static int open_processes(struct office *office, unsigned count)
{
    const struct exo_process_config config = {1, NULL, NULL, NULL, EXO_TRUE, NULL};
    unsigned i;
    for (i = 0; i < count; i++) {
        struct exo_process *process;
        struct exo_inner_door door;
        exo_u64 queue = 0;
        if (exo_process_begin(&office->nucleus, &config, &process) != EXO_OK) {
            return 0;
        }
        exo_inner_door_init(&door, process);
        if (exo_sys_queue_create(&door.door, 8, &queue) != EXO_OK) {
            return 0;
        }
    }
    return 1;
}

double exo_bench_process_bytes(unsigned count)
{
    static struct office office; /* stays: the figure is taken once */
    double before;
    if (!office_open(&office)) {
        return -1;
    }
    before = resident();
    return open_processes(&office, count) ? (resident() - before) / count : -1;
}

double exo_bench_region_bytes(unsigned count)
{
    static struct exo_pool pool; /* stays, as above */
    double before;
    char name[24];
    exo_u64 id;
    unsigned i;
    if (exo_shared_memory_init(&pool, NULL) != EXO_OK) {
        return -1;
    }
    before = resident();
    for (i = 0; i < count; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "region.%u", i);
        if (exo_pool_adopt(&pool, name, bytes, (exo_u64)(i + 1) * PAGE, PAGE, 0, i, &id) != EXO_OK) {
            return -1;
        }
    }
    return (resident() - before) / count;
}
