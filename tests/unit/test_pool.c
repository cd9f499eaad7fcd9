/* SPDX-License-Identifier: MIT */
/* The pool of regions: numbers, names, counts, and what becomes of the memory. */
#include "pages_fixture.h"

#define RW (EXO_MAP_READ | EXO_MAP_WRITE)
#define MANY 100000u

static struct exo_pool pool;
static struct exo_shm_info info;

static int open_pool(void **state)
{
    (void)state;
    return exo_shared_memory_init(&pool, NULL) == EXO_OK ? 0 : -1;
}

static int close_pool(void **state)
{
    (void)state;
    exo_pool_fini(&pool);
    return 0;
}

static exo_u64 create(const char *name, exo_size bytes)
{
    exo_u64 id = 0;
    assert_int_equal(exo_pool_create_named(&pool, name, strlen(name), bytes, RW, 4711, &id), EXO_OK);
    return id;
}

static exo_status open_by(const char *name, exo_u64 *id)
{
    return exo_pool_open_named(&pool, name, strlen(name), id);
}

static exo_u8 *map_region(struct exo_address_space *space, struct exo_shared_mapping *mapping, exo_u64 phys)
{
    assert_int_equal(exo_map_shared(space, mapping, phys, PAGE, 0, RW), EXO_OK);
    return (exo_u8 *)mapping->virt_addr;
}

/* Made, attached twice at the same physical address, detached twice, gone. */
static void a_named_page_is_attached_twice_and_goes_with_the_second_detach(void **state)
{
    struct exo_address_space space[2];
    struct exo_shared_mapping mapping[2];
    exo_u32 before = frames_out();
    exo_u64 id = create("shm-test", 4096);
    exo_u64 found[2] = {0, 0};
    exo_u64 phys[2] = {0, 1};
    exo_u8 *at[2];
    exo_u32 i;
    (void)state;
    for (i = 0; i < 2; i++) {
        assert_int_equal(open_by("shm-test", &found[i]), EXO_OK);
        assert_int_equal(exo_pool_attach(&pool, found[i], &phys[i]), EXO_OK);
        exo_address_space_init(&space[i], NULL);
        at[i] = map_region(&space[i], &mapping[i], phys[i]);
    }
    assert_int_equal(found[0], id);
    assert_int_equal(found[1], id);
    assert_int_equal(phys[0], phys[1]);
    assert_ptr_not_equal(at[0], at[1]);
    at[0][100] = 0x5A;
    assert_int_equal(at[1][100], 0x5A);
    assert_int_equal(exo_pool_find(&pool, id, &info), EXO_OK);
    assert_int_equal(info.ref_count, 2);
    assert_int_equal(exo_unmap(&space[0], &mapping[0]), EXO_OK);
    assert_int_equal(exo_pool_detach(&pool, id), 0);
    assert_int_equal(exo_unmap(&space[1], &mapping[1]), EXO_OK);
    assert_int_equal(frames_out(), before + 1);
    assert_int_equal(exo_pool_detach(&pool, id), 1);
    assert_int_equal(frames_out(), before);
    assert_int_equal(exo_pool_detach(&pool, id), EXO_NOT_FOUND);
    assert_int_equal(exo_pool_attach(&pool, id, &phys[0]), EXO_NOT_FOUND);
    assert_int_equal(open_by("shm-test", &found[0]), EXO_NOT_FOUND);
}

static void a_region_says_what_it_is(void **state)
{
    exo_u64 id = create("what", 3 * PAGE);
    exo_u64 phys = 0;
    (void)state;
    assert_int_equal(exo_pool_attach(&pool, id, &phys), EXO_OK);
    assert_int_equal(exo_pool_find(&pool, id, &info), EXO_OK);
    assert_int_equal(info.id, id);
    assert_int_equal(info.phys_addr, phys);
    assert_int_equal(info.size, 3 * PAGE);
    assert_int_equal(info.perms, RW);
    assert_int_equal(info.owner_pid, 4711);
    assert_int_equal(info.ref_count, 1);
    assert_int_equal(exo_pool_find(&pool, id + 1, &info), EXO_NOT_FOUND);
    assert_int_equal(exo_pool_find(&pool, id ^ (exo_u64)1 << 32, &info), EXO_NOT_FOUND);
    assert_int_equal(exo_pool_find(&pool, 0, &info), EXO_NOT_FOUND);
    assert_int_equal(exo_pool_find(&pool, ~(exo_u64)0, &info), EXO_NOT_FOUND);
}

static void what_can_be_no_region_is_refused(void **state)
{
    exo_u32 before = frames_out();
    exo_u64 id = 99;
    char name[256];
    (void)state;
    memset(name, 'n', sizeof(name));
    assert_int_equal(exo_pool_create_named(&pool, "", 0, PAGE, RW, 1, &id), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pool_create_named(&pool, "a/b", 3, PAGE, RW, 1, &id), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pool_create_named(&pool, "a\0b", 3, PAGE, RW, 1, &id), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pool_create_named(&pool, name, 256, PAGE, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_create_named(&pool, "n", 1, 0, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_create_named(&pool, "n", 1, PAGE + 1, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_allocate(&pool, PAGE - 1, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_allocate(&pool, (exo_size)1 << 40, RW, 1, &id), EXO_NO_MEMORY);
    assert_int_equal(exo_pool_adopt(&pool, "n", 1, PAGE, 0, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_adopt(&pool, "n", 1, PAGE, PAGE + 64, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_adopt(&pool, "n", 1, PAGE + 64, PAGE, RW, 1, &id), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_pool_adopt(&pool, "n", 1, (exo_u64)0 - PAGE, 2 * PAGE, RW, 1, &id), EXO_INVALID_SIZE);
    assert_int_equal(exo_pool_adopt(&pool, "a/", 2, PAGE, PAGE, RW, 1, &id), EXO_INVALID_ARGUMENT);
    assert_int_equal(id, 99);
    assert_int_equal(open_by("n", &id), EXO_NOT_FOUND);
    assert_int_equal(open_by("never", &id), EXO_NOT_FOUND);
    assert_int_equal(open_by("", &id), EXO_NOT_FOUND);
    assert_int_equal(frames_out(), before);
    assert_int_equal(pool.regions.used, 0);
}

static void a_taken_name_is_refused_and_costs_nothing(void **state)
{
    exo_u64 first = create("taken", PAGE);
    exo_u32 before = frames_out();
    exo_u64 id = 0;
    (void)state;
    assert_int_equal(exo_pool_create_named(&pool, "taken", 5, PAGE, RW, 1, &id), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_pool_adopt(&pool, "taken", 5, PAGE, PAGE, RW, 1, &id), EXO_ALREADY_EXISTS);
    assert_int_equal(frames_out(), before);
    assert_int_equal(pool.regions.used, 1);
    assert_int_equal(open_by("taken", &id), EXO_OK);
    assert_int_equal(id, first);
}

static void a_number_never_names_another_region(void **state)
{
    static exo_u64 seen[2000];
    exo_u64 phys;
    exo_u32 i;
    exo_u32 j;
    (void)state;
    for (i = 0; i < COUNT(seen); i++) {
        assert_int_equal(exo_pool_allocate(&pool, PAGE, RW, 1, &seen[i]), EXO_OK);
        assert_true((exo_i64)seen[i] > 0);
        assert_int_equal(exo_pool_attach(&pool, seen[i], &phys), EXO_OK);
        if (i % 3 != 0) {
            assert_int_equal(exo_pool_detach(&pool, seen[i]), 1);
        } else {
            assert_int_equal(exo_pool_destroy(&pool, seen[i]), 0);
            assert_int_equal(exo_pool_detach(&pool, seen[i]), 1);
        }
        for (j = 0; j < i; j++) {
            assert_int_not_equal(seen[i], seen[j]);
        }
    }
    for (i = 0; i < COUNT(seen); i++) {
        assert_int_equal(exo_pool_attach(&pool, seen[i], &phys), EXO_NOT_FOUND);
        assert_int_equal(exo_pool_detach(&pool, seen[i]), EXO_NOT_FOUND);
        assert_int_equal(exo_pool_destroy(&pool, seen[i]), EXO_NOT_FOUND);
        assert_int_equal(exo_pool_find(&pool, seen[i], &info), EXO_NOT_FOUND);
    }
    assert_int_equal(pool.regions.used, 0);
}

static void a_destroyed_region_lives_on_for_who_is_attached(void **state)
{
    struct exo_address_space space;
    struct exo_shared_mapping mapping;
    exo_u32 before = frames_out();
    exo_u64 old = create("name", PAGE);
    exo_u64 phys = 0;
    exo_u64 heir;
    exo_u64 id = 0;
    exo_u8 *at;
    (void)state;
    exo_address_space_init(&space, NULL);
    assert_int_equal(exo_pool_attach(&pool, old, &phys), EXO_OK);
    at = map_region(&space, &mapping, phys);
    at[9] = 9;
    assert_int_equal(exo_pool_destroy(&pool, old), 0);
    assert_int_equal(exo_pool_destroy(&pool, old), EXO_NOT_FOUND);
    assert_int_equal(exo_pool_attach(&pool, old, &phys), EXO_NOT_FOUND);
    assert_int_equal(open_by("name", &id), EXO_NOT_FOUND);
    heir = create("name", PAGE); /* the name is free at once */
    assert_int_not_equal(heir, old);
    assert_int_equal(at[9], 9);
    assert_int_equal(exo_unmap(&space, &mapping), EXO_OK);
    assert_int_equal(exo_pool_detach(&pool, old), 1);
    assert_int_equal(open_by("name", &id), EXO_OK); /* the heir's, still */
    assert_int_equal(id, heir);
    assert_int_equal(exo_pool_destroy(&pool, heir), 1);
    assert_int_equal(frames_out(), before);
}

static void a_restarted_owner_finds_zeroes_under_the_same_name(void **state)
{
    struct exo_address_space space;
    struct exo_shared_mapping mapping;
    exo_u64 last = 0;
    exo_u64 phys = 0;
    exo_u32 round;
    (void)state;
    exo_address_space_init(&space, NULL);
    for (round = 0; round < 3; round++) {
        exo_u64 id = create("owner", PAGE);
        exo_u8 *at;
        exo_size i;
        assert_int_not_equal(id, last);
        last = id;
        assert_int_equal(exo_pool_attach(&pool, id, &phys), EXO_OK);
        at = map_region(&space, &mapping, phys);
        for (i = 0; i < PAGE; i++) {
            assert_int_equal(at[i], 0);
        }
        memset(at, 0xEE, PAGE);
        assert_int_equal(exo_unmap(&space, &mapping), EXO_OK);
        assert_int_equal(exo_pool_detach(&pool, id), 1);
    }
}

static void adopted_memory_is_not_freed(void **state)
{
    exo_u64 phys = exo_port_frame_alloc(PAGE);
    exo_u32 before = frames_out();
    exo_u64 again = 0;
    exo_u64 id = 0;
    (void)state;
    assert_int_not_equal(phys, EXO_NO_FRAME);
    assert_int_equal(exo_pool_adopt(&pool, "device", 6, phys, PAGE, RW, 0, &id), EXO_OK);
    assert_int_equal(exo_pool_attach(&pool, id, &again), EXO_OK);
    assert_int_equal(again, phys);
    assert_int_equal(exo_pool_detach(&pool, id), 1);
    assert_int_equal(exo_pool_adopt(&pool, "device", 6, phys, PAGE, RW, 0, &id), EXO_OK);
    assert_int_equal(exo_pool_destroy(&pool, id), 1);
    assert_int_equal(frames_out(), before);
    exo_port_frame_free(phys, PAGE);
}

static void a_region_too_many_is_refused(void **state)
{
    struct exo_pool small;
    struct exo_pool_config config = {2, 0};
    exo_u32 before = frames_out();
    exo_u64 id[3] = {0, 0, 0};
    (void)state;
    assert_int_equal(exo_shared_memory_init(&small, &config), EXO_OK);
    assert_int_equal(exo_pool_allocate(&small, PAGE, RW, 1, &id[0]), EXO_OK);
    assert_int_equal(exo_pool_allocate(&small, PAGE, RW, 1, &id[1]), EXO_OK);
    assert_int_equal(exo_pool_allocate(&small, PAGE, RW, 1, &id[2]), EXO_NO_MEMORY);
    assert_int_equal(exo_pool_destroy(&small, id[0]), 1);
    assert_int_equal(exo_pool_allocate(&small, PAGE, RW, 1, &id[2]), EXO_OK);
    exo_pool_fini(&small); /* with regions in it */
    assert_int_equal(frames_out(), before);
}

static void a_hundred_thousand_regions_are_found_by_number_and_by_name(void **state)
{
    static exo_u64 id[MANY];
    char name[24];
    exo_u64 found = 0;
    exo_u32 i;
    (void)state;
    for (i = 0; i < MANY; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "region.%u", i);
        assert_int_equal(exo_pool_adopt(&pool, name, bytes, (exo_u64)(i + 1) << 16, PAGE, RW, i, &id[i]), EXO_OK);
    }
    for (i = 0; i < MANY; i++) {
        exo_size bytes = (exo_size)snprintf(name, sizeof(name), "region.%u", i);
        assert_int_equal(exo_pool_open_named(&pool, name, bytes, &found), EXO_OK);
        assert_int_equal(found, id[i]);
        assert_int_equal(exo_pool_find(&pool, found, &info), EXO_OK);
        assert_int_equal(info.phys_addr, (exo_u64)(i + 1) << 16);
        assert_int_equal(info.owner_pid, i);
    }
    assert_int_equal(pool.regions.used, MANY);
    for (i = 0; i < MANY; i++) {
        assert_int_equal(exo_pool_destroy(&pool, id[i]), 1);
    }
    assert_int_equal(open_by("region.5", &found), EXO_NOT_FOUND);
    assert_int_equal(pool.regions.used, 0);
    assert_int_equal(NAMES_IN(pool.names), 0);
}

/* Two threads look by name and by number, two make and end regions of few names in few places. */

#define NAMES 6u
#define TURNS 20000u

static exo_u32 over;

static exo_bool consistent(exo_u64 id)
{
    struct exo_shm_info seen;
    return exo_pool_find(&pool, id, &seen) != EXO_OK ||
           (seen.owner_pid == seen.phys_addr >> 16 && seen.size == seen.phys_addr && seen.id == id);
}

static void *look(void *nothing)
{
    exo_u64 seed = (exo_u64)(exo_uptr)&seed;
    exo_u64 phys = 0;
    exo_u64 id = 0;
    while (__atomic_load_n(&over, __ATOMIC_ACQUIRE) == 0) {
        char name[2] = {'a', 0};
        name[0] = (char)('a' + random_next(&seed) % NAMES);
        if (open_by(name, &id) == EXO_OK && !consistent(id)) {
            return &pool;
        }
        if (open_by(name, &id) == EXO_OK && exo_pool_attach(&pool, id, &phys) == EXO_OK &&
            ((phys >> 16) % NAMES != (exo_u64)(name[0] - 'a') || exo_pool_detach(&pool, id) < 0)) {
            return &pool;
        }
        if (open_by("keep", &id) != EXO_OK || exo_pool_attach(&pool, id, &phys) != EXO_OK || phys != PAGE ||
            exo_pool_detach(&pool, id) != 0) {
            return &pool;
        }
    }
    return nothing;
}

static void *change(void *which)
{
    exo_u64 seed = (exo_u64)(exo_uptr)which;
    exo_u64 id = 0;
    exo_u32 i;
    for (i = 0; i < TURNS; i++) {
        exo_u64 number = NAMES + random_next(&seed) % 4096;
        char name[2] = {'a', 0};
        name[0] = (char)('a' + number % NAMES);
        if (open_by(name, &id) == EXO_OK) {
            exo_i64 gone = exo_pool_destroy(&pool, id);
            if (gone < 0 && gone != EXO_NOT_FOUND) {
                return &pool;
            }
        }
        switch (exo_pool_adopt(&pool, name, 1, number << 16, number << 16, RW, number, &id)) {
        case EXO_OK:
        case EXO_ALREADY_EXISTS:
            break;
        default:
            return &pool;
        }
    }
    return NULL;
}

static void look_ups_are_right_beside_creation_and_removal(void **state)
{
    pthread_t looking[2];
    pthread_t changing[2];
    void *wrong = NULL;
    exo_u64 phys = 0;
    exo_u64 keep = 0;
    exo_uptr i;
    (void)state;
    over = 0;
    assert_int_equal(exo_pool_adopt(&pool, "keep", 4, PAGE, PAGE, RW, 0, &keep), EXO_OK);
    assert_int_equal(exo_pool_attach(&pool, keep, &phys), EXO_OK);
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&looking[i], NULL, look, NULL), 0);
        assert_int_equal(pthread_create(&changing[i], NULL, change, (void *)(i + 1)), 0);
    }
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(changing[i], &wrong), 0);
        assert_null(wrong);
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(looking[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_in_range(pool.regions.used, 1, NAMES + 1);
    assert_int_equal(NAMES_IN(pool.names), pool.regions.used);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, open_pool, close_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_named_page_is_attached_twice_and_goes_with_the_second_detach),
        CLAIM(a_region_says_what_it_is),
        CLAIM(what_can_be_no_region_is_refused),
        CLAIM(a_taken_name_is_refused_and_costs_nothing),
        CLAIM(a_number_never_names_another_region),
        CLAIM(a_destroyed_region_lives_on_for_who_is_attached),
        CLAIM(a_restarted_owner_finds_zeroes_under_the_same_name),
        CLAIM(adopted_memory_is_not_freed),
        cmocka_unit_test(a_region_too_many_is_refused),
        CLAIM(a_hundred_thousand_regions_are_found_by_number_and_by_name),
        CLAIM(look_ups_are_right_beside_creation_and_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
