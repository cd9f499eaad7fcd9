/* SPDX-License-Identifier: MIT */
/*
 * The trusted side's shared memory: references, pages, tables, names, regions, and the locks below them. Everything is used
 * again within a run: places of regions, records of names, generations of one word.
 */
#include <string.h>

#include "../client.h"

#define UNIT ((exo_u64)65536) /* of invented physical addresses: a multiple of any page */
#define DEAD ((exo_u64)0xDEAD)
#define REGIONS 3u

static struct {
    struct exo_shared_page page;
    struct exo_table table;
    struct exo_names names;
    struct exo_pool pool;
    struct exo_address_space space;
    exo_word64 reference;
    exo_u64 thing; /* plain memory that the library must order */
    exo_u64 id[4];
    exo_u32 lock;
    exo_u32 freed[CLIENT_THREADS + 1];
    exo_u32 done[CLIENT_THREADS + 1];
} stage;

static void clear(void)
{
    memset(&stage, 0, sizeof(stage));
}

/* A page: the last free against clones. */

static void page_setup(void)
{
    clear();
    client_check(exo_alloc_shared_page(&stage.page, 65536, EXO_PAGE_WRITABLE) == EXO_OK);
}

static void page_let_go(void)
{
    exo_i64 got;
    client_check(client_read(&stage.thing) != DEAD);
    got = exo_free_shared_page(&stage.page);
    client_check(got == 0 || got == 1);
    if (got == 1) {
        client_write(&stage.thing, DEAD);
        stage.freed[client_self()]++;
    }
}

static void page_share(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_status status = exo_clone_shared_page(&stage.page);
        client_check(status == EXO_OK || status == EXO_NOT_FOUND);
        if (status == EXO_OK) {
            page_let_go();
        }
    }
}

static void page_finish(void)
{
    exo_u32 freed = 0;
    exo_u32 i;
    for (i = 0; i <= CLIENT_THREADS; i++) {
        freed += stage.freed[i];
    }
    client_check(freed == 1);
    client_check(exo_free_shared_page(&stage.page) == EXO_NOT_FOUND);
}

CLIENT(page) = {.name = "page-clone-free", .setup = page_setup, .thread = {page_let_go, page_share, page_share},
                .finish = page_finish};

/* One place, three things in it one after the other; who holds one reads what belongs to it. */

static void reference_setup(void)
{
    clear();
    stage.thing = 1;
    client_check(exo_reference_begin(&stage.reference, 0) == 1);
}

static void reference_hold(void)
{
    exo_u32 generation;
    for (generation = 1; generation <= 3; generation++) {
        if (exo_reference_get(&stage.reference, generation) == EXO_OK) {
            client_check(client_read(&stage.thing) == generation);
            client_check(exo_reference_put(&stage.reference, generation, EXO_FALSE) >= 0);
        }
    }
}

static void reference_replace(void)
{
    exo_u32 generation;
    for (generation = 1; generation <= 2; generation++) {
        client_check(exo_reference_close(&stage.reference, generation));
        client_check(!exo_reference_close(&stage.reference, generation));
        exo_reference_end(&stage.reference);
        client_write(&stage.thing, generation + 1);
        client_check(exo_reference_begin(&stage.reference, 0) == generation + 1);
    }
}

static void reference_finish(void)
{
    client_check(exo_reference_get(&stage.reference, 3) == EXO_OK);
    client_check(exo_reference_put(&stage.reference, 3, EXO_TRUE) == 0);
    client_check(exo_reference_put(&stage.reference, 3, EXO_TRUE) == EXO_NOT_FOUND);
}

CLIENT(reference) = {.name = "reference-close", .setup = reference_setup,
                     .thread = {reference_replace, reference_hold, reference_hold}, .finish = reference_finish};

/* The last one that lets go ends the thing, and does with its place as he likes. */

static void last_setup(void)
{
    clear();
    client_check(exo_reference_begin(&stage.reference, 1) == 1);
}

static void last_let_go(void)
{
    exo_i64 left;
    client_check(client_read(&stage.thing) != DEAD);
    left = exo_reference_put(&stage.reference, 1, EXO_TRUE);
    client_check(left >= 0);
    if (left == 0) {
        client_write(&stage.thing, DEAD);
        stage.freed[client_self()]++;
    }
}

static void last_hold(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        if (exo_reference_get(&stage.reference, 1) == EXO_OK) {
            last_let_go();
        }
    }
}

static void last_finish(void)
{
    client_check(stage.freed[1] + stage.freed[2] + stage.freed[3] == 1);
    client_check(exo_reference_get(&stage.reference, 1) == EXO_NOT_FOUND);
}

CLIENT(last) = {.name = "reference-last", .setup = last_setup, .thread = {last_let_go, last_hold, last_hold},
                .finish = last_finish};

/* A table that grows beside a look-up. */

static void table_setup(void)
{
    clear();
    exo_table_init(&stage.table, 200, 8);
}

static void table_take(void)
{
    client_check(exo_table_take(&stage.table) != EXO_NULL);
    client_check(exo_table_take(&stage.table) != EXO_NULL);
}

static void table_look(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        struct exo_table_item *item = exo_table_at(&stage.table, i);
        if (item != EXO_NULL) {
            client_check(exo_load64(&item->state, EXO_RELAXED) == 0); /* relaxed: the place is known */
            client_check(item->index == i);
        }
    }
}

static void table_finish(void)
{
    exo_table_fini(&stage.table);
}

CLIENT(table) = {.name = "table-grow", .setup = table_setup, .thread = {table_take, table_look},
                 .finish = table_finish};

/* Names that come and go, in few records; "a" is there all the time. */

static exo_status names_add(const char *name, exo_u64 value, exo_u64 *record)
{
    return exo_names_add(&stage.names, name, strlen(name), value, record);
}

static exo_bool names_find(const char *name, exo_u64 *value)
{
    return exo_names_find(&stage.names, name, strlen(name), value) == EXO_OK;
}

static void names_setup(void)
{
    clear();
    client_check(exo_names_init(&stage.names, client_now->param, 3) == EXO_OK);
    client_check(names_add("a", 10, &stage.id[0]) == EXO_OK);
}

static void names_look(void)
{
    exo_u64 value = 0;
    client_check(names_find("a", &value) && value == 10);
    client_check(!names_find("b", &value) || value == 20);
    client_check(!names_find("c", &value) || value == 30);
}

/* Remove, and use the record again, twice: each time for another name. */
static void names_replace(void)
{
    exo_u64 record = 0;
    client_check(names_add("b", 20, &record) == EXO_OK);
    client_check(exo_names_remove(&stage.names, record) == EXO_OK);
    client_check(exo_names_remove(&stage.names, record) == EXO_NOT_FOUND);
    client_check(names_add("c", 30, &record) == EXO_OK);
}

static void names_grow(void)
{
    exo_u64 record = 0;
    client_check(names_add("b", 20, &record) == EXO_OK);
    client_check(names_add("c", 30, &record) == EXO_OK);
    client_check(names_add("d", 40, &record) == EXO_NO_MEMORY);
}

static void names_grow_look(void)
{
    exo_u64 value = 0;
    client_check(names_find("a", &value) && value == 10);
    client_check(names_find("a", &value) && value == 10);
}

static void names_split(void)
{
    exo_u64 record = 0;
    client_check(names_add("b", 20, &record) == EXO_OK);
}

static void names_split_look(void)
{
    exo_u64 value = 0;
    client_check(names_find("a", &value) && value == 10);
}

static void names_split_finish(void)
{
    names_split_look();
    exo_names_fini(&stage.names);
}

static void names_finish(void)
{
    exo_u64 value = 0;
    client_check(names_find("a", &value) && value == 10);
    client_check(names_find("c", &value) && value == 30);
    exo_names_fini(&stage.names);
}

CLIENT(names_reuse) = {.name = "names-reuse", .setup = names_setup, .thread = {names_replace, names_look},
                 .finish = names_finish, .param = 1};
/* "a" moves with the first split (seed 3), with the second (2), or not at all. */
CLIENT(split1) = {.name = "names-split-1", .setup = names_setup, .thread = {names_split, names_split_look},
                  .finish = names_split_finish, .param = 1};
CLIENT(split2) = {.name = "names-split-2", .setup = names_setup, .thread = {names_split, names_split_look},
                  .finish = names_split_finish, .param = 3};
CLIENT(grow1) = {.name = "names-grow-1", .setup = names_setup, .thread = {names_grow, names_grow_look},
                 .finish = names_finish, .param = 2};
CLIENT(grow2) = {.name = "names-grow-2", .setup = names_setup, .thread = {names_grow, names_grow_look},
                 .finish = names_finish, .param = 3};

/* One thread removes, another one uses the record again: they know of each other by the lock alone. */

static void names_hand_setup(void)
{
    names_setup();
    client_check(names_add("b", 20, &stage.id[1]) == EXO_OK);
    client_check(names_add("e", 50, &stage.id[2]) == EXO_OK);
}

static void names_hand_remove(void)
{
    client_check(exo_names_remove(&stage.names, stage.id[1]) == EXO_OK);
}

static void names_hand_add(void)
{
    exo_u64 record = 0;
    exo_status status = names_add("c", 30, &record);
    client_check(status == EXO_OK || status == EXO_NO_MEMORY);
    stage.done[client_self()] = status == EXO_OK;
}

static void names_hand_look(void)
{
    exo_u64 value = 0;
    client_check(!names_find("b", &value) || value == 20);
    client_check(names_find("a", &value) && value == 10);
}

static void names_hand_finish(void)
{
    exo_u64 value = 0;
    client_check(names_find("a", &value) && value == 10);
    client_check(!names_find("b", &value));
    client_check(names_find("c", &value) == (stage.done[2] != 0));
    exo_names_fini(&stage.names);
}

CLIENT(names_hand) = {.name = "names-hand-over", .setup = names_hand_setup,
                      .thread = {names_hand_remove, names_hand_add, names_hand_look}, .finish = names_hand_finish,
                      .param = 1};

/* Regions by number and name, in fewer places than there are regions. What a region is follows from one number. */

static exo_status pool_adopt(const char *name, exo_u64 number, exo_u64 *id)
{
    return exo_pool_adopt(&stage.pool, name, strlen(name), number * UNIT, number * UNIT, (exo_u32)number, number, id);
}

static void pool_setup(void)
{
    struct exo_pool_config config = {REGIONS, 1};
    exo_u64 phys = 0;
    clear();
    client_check(exo_shared_memory_init(&stage.pool, &config) == EXO_OK);
    client_check(pool_adopt("a", 1, &stage.id[0]) == EXO_OK);
    client_check(pool_adopt("b", 2, &stage.id[1]) == EXO_OK);
    client_check(exo_pool_attach(&stage.pool, stage.id[0], &phys) == EXO_OK && phys == UNIT);
}

/* What is said of a region is true, or it is not there. */
static exo_bool pool_is(exo_u64 id, exo_u64 number)
{
    struct exo_shm_info info;
    if (exo_pool_find(&stage.pool, id, &info) != EXO_OK) {
        return EXO_FALSE;
    }
    client_check(info.id == id && info.phys_addr == number * UNIT && info.size == number * UNIT &&
                 info.owner_pid == number && info.perms == number);
    return EXO_TRUE;
}

static void pool_finish(void)
{
    client_check(pool_is(stage.id[0], 1));
    client_check(exo_pool_detach(&stage.pool, stage.id[0]) == 1);
    client_check(exo_pool_detach(&stage.pool, stage.id[0]) == EXO_NOT_FOUND);
    client_check(!pool_is(stage.id[1], 2));
    exo_pool_fini(&stage.pool);
}

static void pool_find_replace(void)
{
    exo_u64 id = 0;
    client_check(exo_pool_destroy(&stage.pool, stage.id[1]) == 1);
    client_check(pool_adopt("c", 3, &id) == EXO_OK && id == stage.id[1] + ((exo_u64)1 << 32));
}

static void pool_find_look(void)
{
    (void)pool_is(stage.id[1], 2);
    (void)pool_is(stage.id[1] + ((exo_u64)1 << 32), 3);
}

CLIENT(pool_find) = {.name = "pool-find", .setup = pool_setup, .thread = {pool_find_replace, pool_find_look},
                     .finish = pool_finish};

/* The same place goes from hand to hand: one ends the region, the other begins the next. */

static void pool_hand_setup(void)
{
    pool_setup();
    client_check(pool_adopt("e", 5, &stage.id[2]) == EXO_OK);
}

static void pool_hand_end(void)
{
    client_check(exo_pool_destroy(&stage.pool, stage.id[1]) == 1);
}

static void pool_hand_begin(void)
{
    exo_u64 id = 0;
    exo_status status = exo_pool_adopt(&stage.pool, (const char *)EXO_NULL, 0, 3 * UNIT, 3 * UNIT, 3, 3, &id);
    client_check(status == EXO_NO_MEMORY || (status == EXO_OK && id == stage.id[1] + ((exo_u64)1 << 32)));
}

static void pool_hand_look(void)
{
    (void)pool_is(stage.id[1], 2);
}

CLIENT(pool_hand) = {.name = "pool-hand-over", .setup = pool_hand_setup,
                     .thread = {pool_hand_end, pool_hand_begin, pool_hand_look}, .finish = pool_finish};

/* By name, against removal and creation under the same and under other names. */

static void pool_names_replace(void)
{
    exo_i64 gone = exo_pool_destroy(&stage.pool, stage.id[1]);
    exo_status status;
    exo_u64 id = 0;
    client_check(gone >= 0 || gone == EXO_NOT_FOUND);
    status = pool_adopt("c", 3, &id);
    client_check(status == EXO_OK);
    gone = exo_pool_destroy(&stage.pool, id);
    client_check(gone >= 0 || gone == EXO_NOT_FOUND);
    client_check(exo_pool_destroy(&stage.pool, id) == EXO_NOT_FOUND);
    status = pool_adopt("b", 4, &stage.id[3]);
    client_check(status == EXO_OK || status == EXO_ALREADY_EXISTS); /* the other may be about to end the first "b" */
}

/* Attach by name; which of two regions it is, or 0. */
static exo_u64 pool_open(const char *name, exo_u64 number, exo_u64 or_number)
{
    exo_u64 phys = 0;
    exo_u64 id = 0;
    exo_i64 left;
    if (exo_pool_open_named(&stage.pool, name, strlen(name), &id) != EXO_OK ||
        exo_pool_attach(&stage.pool, id, &phys) != EXO_OK) {
        return 0;
    }
    client_check(phys == number * UNIT || phys == or_number * UNIT);
    (void)pool_is(id, phys / UNIT);
    left = exo_pool_detach(&stage.pool, id);
    client_check(left == 0 || left == 1);
    client_check(left == 0 || exo_pool_attach(&stage.pool, id, &phys) == EXO_NOT_FOUND);
    return phys / UNIT;
}

static void pool_names_look(void)
{
    (void)pool_open("b", 2, 4);
    client_check(pool_open("a", 1, 1) == 1);
    (void)pool_open("c", 3, 3);
}

CLIENT(pool_names) = {.name = "pool-names", .setup = pool_setup, .thread = {pool_names_replace, pool_names_look},
                      .finish = pool_finish};

/* Of two that destroy a region and one that detaches from it, exactly one ends it. */

static void pool_end_setup(void)
{
    exo_u64 phys = 0;
    pool_setup();
    client_check(exo_pool_attach(&stage.pool, stage.id[1], &phys) == EXO_OK);
}

static void pool_end_detach(void)
{
    exo_i64 left = exo_pool_detach(&stage.pool, stage.id[1]);
    client_check(left >= 0);
    stage.freed[client_self()] = left == 1;
}

/* Finds none if the detach comes first, or the other destroy. */
static void pool_end_destroy(void)
{
    exo_i64 left = exo_pool_destroy(&stage.pool, stage.id[1]);
    client_check(left >= 0 || left == EXO_NOT_FOUND);
    stage.freed[client_self()] = left == 1;
}

static void pool_end_finish(void)
{
    client_check(stage.freed[1] + stage.freed[2] + stage.freed[3] == 1);
    pool_finish();
}

CLIENT(pool_end) = {.name = "pool-end", .setup = pool_end_setup,
                    .thread = {pool_end_destroy, pool_end_detach, pool_end_destroy}, .finish = pool_end_finish};

/* The locks. */

static void lock_setup(void)
{
    clear();
    exo_address_space_init(&stage.space, (struct exo_port_space *)EXO_NULL);
}

static void count_one(void)
{
    client_write(&stage.thing, client_read(&stage.thing) + 1);
}

static void lock_count(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_port_lock(&stage.lock);
        count_one();
        exo_port_unlock(&stage.lock);
    }
}

static void turn_count(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_mapping_begin_pvt(&stage.space);
        count_one();
        exo_mapping_end_pvt(&stage.space);
    }
}

static void count_finish(void)
{
    client_check(stage.thing == client_now->param);
}

CLIENT(lock) = {.name = "lock", .setup = lock_setup, .thread = {lock_count, lock_count}, .finish = count_finish,
                .param = 4};
CLIENT(turn) = {.name = "mapping-turn", .setup = lock_setup, .thread = {turn_count, turn_count},
                .finish = count_finish, .param = 4};
CLIENT(turn3) = {.name = "mapping-turn-3", .setup = lock_setup, .thread = {turn_count, turn_count, turn_count},
                 .finish = count_finish, .param = 6};
