/* SPDX-License-Identifier: MIT */
/* Mappings: what they allow, what they refuse, and the tree that they stand in. */
#include "pages_fixture.h"

#define READ_WRITE (EXO_MAP_READ | EXO_MAP_WRITE)

static struct exo_address_space space;
static struct exo_shared_page page;
static struct exo_shared_mapping mapping[8];

static int open_page(void **state)
{
    (void)state;
    exo_address_space_init(&space, NULL);
    memset(mapping, 0, sizeof(mapping));
    return exo_alloc_shared_page(&page, 2 * PAGE, EXO_PAGE_WRITABLE) == EXO_OK ? 0 : -1;
}

static int close_page(void **state)
{
    (void)state;
    return exo_free_shared_page(&page) == 1 && space.count == 0 && space.root == NULL ? 0 : -1;
}

static void a_page_is_seen_at_each_of_its_addresses(void **state)
{
    exo_uptr place = free_place(2 * PAGE);
    (void)state;
    assert_int_equal(exo_map(&space, &mapping[1], &page, place, EXO_MAP_READ), EXO_OK);
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, READ_WRITE), EXO_OK);
    assert_int_equal(mapping[1].virt_addr, place);
    assert_int_equal(mapping[1].size, 2 * PAGE);
    assert_int_equal(mapping[1].flags, EXO_MAP_READ);
    assert_ptr_equal(mapping[1].pages, &page);
    assert_int_equal(page.ref_count, 3);
    ((exo_u8 *)mapping[0].virt_addr)[PAGE + 7] = 42;
    assert_int_equal(((exo_u8 *)place)[PAGE + 7], 42);
    assert_ptr_equal(exo_mapping_at(&space, place), &mapping[1]);
    assert_ptr_equal(exo_mapping_at(&space, place + 2 * PAGE - 1), &mapping[1]);
    assert_ptr_equal(exo_mapping_at(&space, mapping[0].virt_addr + 1), &mapping[0]);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
    assert_int_equal(exo_unmap(&space, &mapping[1]), EXO_OK);
    assert_int_equal(page.ref_count, 1);
    assert_null(exo_mapping_at(&space, place));
}

static void the_page_stays_as_long_as_a_mapping_shows_it(void **state)
{
    struct exo_shared_page own;
    exo_u32 before = frames_out();
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&own, PAGE, 0), EXO_OK);
    assert_int_equal(exo_map(&space, &mapping[0], &own, 0, EXO_MAP_READ), EXO_OK);
    assert_int_equal(exo_free_shared_page(&own), 0);
    assert_int_equal(frames_out(), before + 1);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
    assert_int_equal(frames_out(), before);
    assert_int_equal(exo_map(&space, &mapping[0], &own, 0, EXO_MAP_READ), EXO_NOT_FOUND);
}

static void unmapping_twice_or_elsewhere_is_an_error(void **state)
{
    struct exo_address_space other;
    (void)state;
    exo_address_space_init(&other, NULL);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_NOT_FOUND);
    assert_int_equal(exo_protect(&space, &mapping[0], EXO_MAP_READ), EXO_NOT_FOUND);
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, READ_WRITE), EXO_OK);
    assert_int_equal(exo_unmap(&other, &mapping[0]), EXO_NOT_FOUND);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_NOT_FOUND);
    assert_int_equal(page.ref_count, 1);
}

static void write_and_exec_together_are_refused(void **state)
{
    exo_u64 phys = page.phys_addr;
    (void)state;
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, READ_WRITE | EXO_MAP_EXEC), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE, 0, EXO_MAP_WRITE | EXO_MAP_EXEC),
                     EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, EXO_MAP_READ), EXO_OK);
    assert_int_equal(exo_protect(&space, &mapping[0], READ_WRITE | EXO_MAP_EXEC), EXO_INVALID_ARGUMENT);
    assert_int_equal(mapping[0].flags, EXO_MAP_READ);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
}

static void more_than_the_page_allows_is_refused(void **state)
{
    struct exo_shared_page bare;
    struct exo_shared_page code;
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&bare, PAGE, 0), EXO_OK);
    assert_int_equal(exo_alloc_shared_page(&code, PAGE, EXO_PAGE_EXECUTABLE), EXO_OK);
    assert_int_equal(exo_map(&space, &mapping[0], &bare, 0, READ_WRITE), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_map(&space, &mapping[0], &bare, 0, EXO_MAP_READ | EXO_MAP_EXEC), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_map(&space, &mapping[0], &bare, 0, EXO_MAP_READ | EXO_MAP_USER), EXO_PERMISSION_DENIED);
    assert_int_equal(bare.ref_count, 1);
    assert_int_equal(exo_map(&space, &mapping[0], &bare, 0, EXO_MAP_READ), EXO_OK);
    assert_int_equal(exo_protect(&space, &mapping[0], READ_WRITE), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_protect(&space, &mapping[0], EXO_MAP_READ | EXO_MAP_USER), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_map(&space, &mapping[1], &code, 0, EXO_MAP_READ | EXO_MAP_EXEC), EXO_OK);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
    assert_int_equal(exo_unmap(&space, &mapping[1]), EXO_OK);
    assert_int_equal(exo_free_shared_page(&bare), 1);
    assert_int_equal(exo_free_shared_page(&code), 1);
}

static void how_it_is_cached_is_the_pages_to_say(void **state)
{
    struct exo_shared_page device;
    (void)state;
    assert_int_equal(exo_alloc_shared_page(&device, PAGE, EXO_PAGE_WRITABLE | EXO_PAGE_CACHE_DISABLED |
                                                              EXO_PAGE_WRITE_THROUGH), EXO_OK);
    assert_int_equal(exo_map(&space, &mapping[0], &device, 0, EXO_MAP_READ | EXO_MAP_CACHE_DISABLED),
                     EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map(&space, &mapping[0], &device, 0, READ_WRITE), EXO_OK);
    assert_int_equal(exo_protect(&space, &mapping[0], EXO_MAP_READ | EXO_MAP_WRITE_THROUGH), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_protect(&space, &mapping[0], EXO_MAP_READ), EXO_OK);
    assert_int_equal(mapping[0].flags, EXO_MAP_READ | EXO_MAP_CACHE_DISABLED | EXO_MAP_WRITE_THROUGH);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
    assert_int_equal(exo_free_shared_page(&device), 1);
}

static void what_is_protected_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, READ_WRITE), EXO_OK);
    assert_false(access_kills((void *)mapping[0].virt_addr, EXO_TRUE));
    assert_int_equal(exo_protect(&space, &mapping[0], EXO_MAP_READ), EXO_OK);
    assert_true(access_kills((void *)mapping[0].virt_addr, EXO_TRUE));
    assert_int_equal(exo_protect(&space, &mapping[0], READ_WRITE), EXO_OK);
    assert_false(access_kills((void *)mapping[0].virt_addr, EXO_TRUE));
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
}

static void bad_addresses_sizes_and_flags_are_refused(void **state)
{
    exo_u64 phys = page.phys_addr;
    exo_uptr place = free_place(2 * PAGE);
    exo_uptr last = (exo_uptr)0 - PAGE;
    (void)state;
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, 0, 0, EXO_MAP_READ), EXO_INVALID_SIZE);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE + 1, 0, EXO_MAP_READ), EXO_INVALID_SIZE);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys + 8, PAGE, 0, EXO_MAP_READ), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE, place + 64, EXO_MAP_READ), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, 2 * PAGE, last, EXO_MAP_READ), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE, last, EXO_MAP_READ), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map_shared(&space, &mapping[0], phys, PAGE, 0, EXO_MAP_FLAGS + 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map(&space, &mapping[0], &page, place + 1, EXO_MAP_READ), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_map(&space, &mapping[0], &page, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(page.ref_count, 1);
    assert_int_equal(space.count, 0);
}

static void overlap_is_refused_at_every_edge(void **state)
{
    exo_uptr place = free_place(12 * PAGE);
    exo_uptr middle = place + 4 * PAGE;
    exo_size size;
    exo_size from;
    (void)state;
    assert_int_equal(exo_map_shared(&space, &mapping[0], page.phys_addr, 2 * PAGE, middle, EXO_MAP_READ), EXO_OK);
    for (size = 1; size <= 2; size++) {
        for (from = 0; from <= 8; from++) {
            exo_bool overlaps = from < 6 && 4 < from + size;
            exo_status status = exo_map_shared(&space, &mapping[1], page.phys_addr, size * PAGE, place + from * PAGE,
                                               EXO_MAP_READ);
            assert_int_equal(status, overlaps ? EXO_ALREADY_EXISTS : EXO_OK);
            assert_int_equal(exo_unmap(&space, &mapping[1]), overlaps ? EXO_NOT_FOUND : EXO_OK);
        }
    }
    assert_int_equal(exo_map(&space, &mapping[1], &page, middle + PAGE, EXO_MAP_READ), EXO_ALREADY_EXISTS);
    assert_int_equal(page.ref_count, 1);
    assert_int_equal(exo_unmap(&space, &mapping[0]), EXO_OK);
}

/* What somebody else has mapped there is in no tree; the port refuses. */
static void what_is_mapped_by_others_is_not_replaced(void **state)
{
    exo_u8 *other = foreign_page();
    (void)state;
    other[0] = 9;
    assert_int_equal(exo_map(&space, &mapping[0], &page, (exo_uptr)other, EXO_MAP_READ), EXO_ALREADY_EXISTS);
    assert_int_equal(other[0], 9);
    assert_int_equal(page.ref_count, 1);
    foreign_page_end(other);
}

/* The tree against a list: neither touches memory. */

#define NODES 500u
#define STEPS 40000u

static struct exo_shared_mapping node[NODES];
static exo_bool present[NODES];

static struct exo_shared_mapping *listed_at(exo_uptr address)
{
    exo_u32 i;
    for (i = 0; i < NODES; i++) {
        if (present[i] && address >= node[i].virt_addr && address - node[i].virt_addr < node[i].size) {
            return &node[i];
        }
    }
    return NULL;
}

static exo_bool list_overlaps(exo_uptr from, exo_size size)
{
    exo_u32 i;
    for (i = 0; i < NODES; i++) {
        if (present[i] && from < node[i].virt_addr + node[i].size && node[i].virt_addr < from + size) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

/* In order of addresses, ranks falling from the root; how deep it is. */
static exo_u32 assert_tree(const struct exo_shared_mapping *at, exo_uptr low, exo_uptr high, exo_u32 *count)
{
    exo_u32 left;
    exo_u32 right;
    if (at == NULL) {
        return 0;
    }
    assert_true(at->virt_addr >= low && at->virt_addr + at->size <= high);
    assert_true(at->left == NULL || exo_mapping_rank_pvt(at->left) < exo_mapping_rank_pvt(at));
    assert_true(at->right == NULL || exo_mapping_rank_pvt(at->right) <= exo_mapping_rank_pvt(at));
    ++*count;
    left = assert_tree(at->left, low, at->virt_addr, count);
    right = assert_tree(at->right, at->virt_addr + at->size, high, count);
    return 1 + (left > right ? left : right);
}

static void the_tree_is_what_a_list_says(void **state)
{
    struct exo_address_space tree;
    exo_u64 seed = 1;
    exo_u32 step;
    exo_u32 deepest = 0;
    (void)state;
    exo_address_space_init(&tree, NULL);
    memset(present, 0, sizeof(present));
    for (step = 0; step < STEPS; step++) {
        exo_u32 i = (exo_u32)(random_next(&seed) % NODES);
        exo_uptr address = (exo_uptr)(1 + random_next(&seed) % 4000) * PAGE;
        exo_size size = (exo_size)(1 + random_next(&seed) % 6) * PAGE;
        assert_int_equal(exo_mapping_overlaps_pvt(&tree, address, size), list_overlaps(address, size));
        assert_ptr_equal(exo_mapping_at(&tree, address + 5), listed_at(address + 5));
        if (present[i]) {
            exo_mapping_remove_pvt(&tree, &node[i]);
            present[i] = EXO_FALSE;
        } else if (!list_overlaps(address, size)) {
            node[i].virt_addr = address;
            node[i].size = size;
            exo_mapping_insert_pvt(&tree, &node[i]);
            present[i] = EXO_TRUE;
        }
        if (step % 64 == 0) {
            exo_u32 count = 0;
            exo_u32 depth = assert_tree(tree.root, 0, (exo_uptr)-1, &count);
            assert_int_equal(count, tree.count);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    assert_in_range(deepest, 8, 40); /* some 250 nodes: expected 1.5 log2 of that, three times at worst */
}

#define MAPPERS 3u
#define ROUNDS 2000u

static void *map_and_unmap(void *nothing)
{
    struct exo_shared_mapping own;
    exo_u32 i;
    for (i = 0; i < ROUNDS; i++) {
        if (exo_map(&space, &own, &page, 0, READ_WRITE) != EXO_OK ||
            exo_mapping_at(&space, own.virt_addr + PAGE) != &own || exo_unmap(&space, &own) != EXO_OK) {
            return &page;
        }
    }
    return nothing;
}

static void threads_share_a_space(void **state)
{
    pthread_t thread[MAPPERS];
    void *wrong;
    exo_u32 i;
    (void)state;
    for (i = 0; i < MAPPERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, map_and_unmap, NULL), 0);
    }
    for (i = 0; i < MAPPERS; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(page.ref_count, 1);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, open_page, close_page)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_page_is_seen_at_each_of_its_addresses),
        CLAIM(the_page_stays_as_long_as_a_mapping_shows_it),
        CLAIM(unmapping_twice_or_elsewhere_is_an_error),
        CLAIM(write_and_exec_together_are_refused),
        CLAIM(more_than_the_page_allows_is_refused),
        CLAIM(how_it_is_cached_is_the_pages_to_say),
        CLAIM(what_is_protected_cannot_be_written),
        CLAIM(bad_addresses_sizes_and_flags_are_refused),
        CLAIM(overlap_is_refused_at_every_edge),
        CLAIM(what_is_mapped_by_others_is_not_replaced),
        CLAIM(the_tree_is_what_a_list_says),
        CLAIM(threads_share_a_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
