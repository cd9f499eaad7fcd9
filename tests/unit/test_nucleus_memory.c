/* SPDX-License-Identifier: MIT */
/*
 * Regions behind capabilities: who may open, map, write; what ends with a capability, a process, a region.
 */
#include "nucleus_fixture.h"

#define PAGE 4096u
#define READ_WRITE (EXO_MAP_READ | EXO_MAP_WRITE)

static struct world world;

static int begin(void **state)
{
    (void)state;
    world_begin(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static exo_u64 create(exo_u32 i, const char *name, exo_u64 size, exo_u32 perms)
{
    exo_u64 region = 0;
    assert_int_equal(exo_sys_shm_create(world.door[i], name, name == NULL ? 0 : strlen(name), size, perms, &region),
                     EXO_OK);
    assert_int_not_equal(region, 0);
    return region;
}

static exo_status open_as(exo_u32 i, const char *name, exo_u32 rights, exo_u64 *region)
{
    return exo_sys_shm_open(world.door[i], name, strlen(name), rights, region);
}

static exo_u32 *map(exo_u32 i, exo_u64 region, exo_u32 flags)
{
    void *at = NULL;
    assert_int_equal(exo_sys_shm_map(world.door[i], region, NULL, flags, &at), EXO_OK);
    assert_non_null(at);
    return (exo_u32 *)at;
}

/* Whether a store, or a load, at an address ends a process. */
static exo_bool faults(exo_u32 *at, exo_bool store)
{
    return access_kills(at, store);
}

static void what_one_process_writes_another_reads(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, EXO_PERMS(EXO_RIGHT_MAP_READ, 0));
    exo_u64 theirs = 0;
    exo_u32 *a = map(0, mine, READ_WRITE);
    exo_u32 *b;
    (void)state;
    assert_int_equal(*a, 0);
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    b = map(1, theirs, EXO_MAP_READ);
    assert_ptr_not_equal(a, b);
    *a = 17;
    assert_int_equal(*b, 17);
    assert_true(faults(b, EXO_TRUE));
    assert_false(faults(b, EXO_FALSE));
    assert_int_equal(exo_sys_shm_unmap(world.door[1], b), EXO_OK);
    assert_int_equal(exo_sys_shm_unmap(world.door[1], b), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_shm_unmap(world.door[1], a), EXO_NOT_FOUND);
}

static void a_mapping_allows_no_more_than_the_right(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, EXO_PERMS(EXO_RIGHT_MAP_READ, 0));
    exo_u64 theirs = 0;
    void *at = NULL;
    exo_u32 *b;
    (void)state;
    (void)mine;
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    assert_int_equal(exo_sys_shm_map(world.door[1], theirs, NULL, READ_WRITE, &at), EXO_PERMISSION_DENIED);
    assert_null(at);
    assert_int_equal(exo_sys_shm_map(world.door[1], theirs, NULL, EXO_MAP_EXEC, &at), EXO_PERMISSION_DENIED);
    b = map(1, theirs, EXO_MAP_READ);
    assert_int_equal(exo_sys_shm_protect(world.door[1], b, READ_WRITE), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_shm_protect(world.door[1], b, EXO_MAP_WRITE | EXO_MAP_EXEC), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_shm_map(world.door[0], mine, NULL, EXO_MAP_WRITE | EXO_MAP_EXEC, &at),
                     EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_shm_map(world.door[0], mine, NULL, 0, &at), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_shm_map(world.door[0], mine, NULL, EXO_MAP_READ | EXO_MAP_USER, &at), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_shm_map(world.door[0], mine, (void *)(uintptr_t)17, EXO_MAP_READ, &at),
                     EXO_INVALID_ARGUMENT);
    assert_true(faults(b, EXO_TRUE));
}

static void protect_takes_writing_away_and_gives_it_back(void **state)
{
    exo_u64 mine = create(0, NULL, PAGE, 0);
    exo_u32 *a = map(0, mine, READ_WRITE);
    (void)state;
    assert_int_equal(exo_sys_shm_protect(world.door[0], a, EXO_MAP_READ), EXO_OK);
    assert_true(faults(a, EXO_TRUE));
    assert_int_equal(exo_sys_shm_protect(world.door[0], a, READ_WRITE), EXO_OK);
    *a = 1;
    assert_int_equal(exo_sys_shm_protect(world.door[0], a + 1, EXO_MAP_READ), EXO_NOT_FOUND);
}

struct rounds {
    exo_u64 read_only;
    exo_u32 stop;
    exo_u64 raised;
    exo_u64 lost;
};

/* Maps at the same few addresses again and again, and tries to make writable what it may only read. */
static void *raises(void *argument)
{
    struct rounds *rounds = (struct rounds *)argument;
    while (exo_load32(&rounds->stop, EXO_RELAXED) == 0) {
        void *at = NULL;
        if (exo_sys_shm_map(world.door[1], rounds->read_only, NULL, EXO_MAP_READ, &at) == EXO_OK) {
            rounds->raised += exo_sys_shm_protect(world.door[1], at, READ_WRITE) == EXO_OK;
            rounds->lost += exo_sys_shm_unmap(world.door[1], at) != EXO_OK;
        }
    }
    return NULL;
}

/* The same addresses are mapped by one thread to read, by another to write: no change is made to the wrong one. */
static void what_is_changed_is_what_was_checked(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, EXO_PERMS(EXO_RIGHT_MAP_READ, 0));
    exo_u64 own = create(1, NULL, PAGE, 0);
    struct rounds rounds = {0, 0, 0, 0};
    pthread_t thread;
    exo_u32 changed = 0;
    exo_u32 i;
    (void)state;
    (void)mine;
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &rounds.read_only), EXO_OK);
    assert_int_equal(pthread_create(&thread, NULL, raises, &rounds), 0);
    for (i = 0; i < 3000; i++) {
        exo_u32 *at = map(1, own, EXO_MAP_READ);
        changed += exo_sys_shm_protect(world.door[1], at, READ_WRITE) == EXO_OK;
        assert_int_equal(exo_sys_shm_unmap(world.door[1], at), EXO_OK);
    }
    exo_store32(&rounds.stop, 1u, EXO_RELAXED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rounds.raised, 0);
    assert_int_equal(rounds.lost, 0);
    assert_int_equal(changed, 3000);
    assert_null(world.process[1]->space.root);
}

static void permissions_decide_who_opens_by_name(void **state)
{
    exo_u64 got = 0;
    (void)state;
    (void)create(0, "closed", PAGE, 0);
    (void)create(0, "users", PAGE, EXO_PERMS(EXO_RIGHT_MAP_READ, 0));
    (void)create(0, "all", PAGE, EXO_PERMS(EXO_RIGHT_MAP_WRITE, EXO_RIGHT_MAP_READ));
    assert_int_equal(open_as(1, "closed", EXO_RIGHT_MAP_READ, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(got, 0);
    assert_int_equal(open_as(1, "users", EXO_RIGHT_MAP_READ, &got), EXO_OK);
    assert_int_equal(open_as(1, "users", EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(open_as(2, "users", EXO_RIGHT_MAP_READ, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(open_as(2, "all", EXO_RIGHT_MAP_READ, &got), EXO_OK);
    assert_int_equal(open_as(2, "all", EXO_RIGHT_MAP_WRITE, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(open_as(1, "all", EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &got), EXO_OK);
    assert_int_equal(open_as(1, "none", EXO_RIGHT_MAP_READ, &got), EXO_NOT_FOUND);
    assert_int_equal(open_as(1, "all", 0, &got), EXO_INVALID_ARGUMENT);
    assert_int_equal(open_as(1, "all", EXO_RIGHT_SEND, &got), EXO_INVALID_ARGUMENT);
}

static void who_was_granted_opens_by_name_too(void **state)
{
    exo_u64 mine = create(0, "closed", PAGE, 0);
    exo_u64 theirs = 0;
    exo_u64 got = 0;
    (void)state;
    assert_int_equal(exo_sys_grant(world.door[0], mine, world.number[2], EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    assert_int_equal(open_as(2, "closed", EXO_RIGHT_MAP_READ, &got), EXO_OK);
    assert_int_equal(open_as(2, "closed", EXO_RIGHT_MAP_WRITE, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(open_as(1, "closed", EXO_RIGHT_MAP_READ, &got), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_grant(world.door[2], theirs, world.number[1], EXO_RIGHT_MAP_READ, &got),
                     EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_grant(world.door[0], mine, world.number[1] + 77, EXO_RIGHT_MAP_READ, &got), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_grant(world.door[0], theirs + 1, world.number[1], EXO_RIGHT_MAP_READ, &got),
                     EXO_NOT_FOUND);
    assert_int_equal(exo_sys_grant(world.door[0], mine, world.number[1], 0x100, &got), EXO_INVALID_ARGUMENT);
}

static void revoking_unmaps_what_was_mapped_under_it(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, EXO_PERMS(0, EXO_RIGHT_MAP_READ));
    exo_u64 granted = 0;
    exo_u64 opened = 0;
    exo_u64 count = 0;
    void *at = NULL;
    exo_u32 *a = map(0, mine, READ_WRITE);
    exo_u32 *b;
    exo_u32 *c;
    (void)state;
    assert_int_equal(exo_sys_grant(world.door[0], mine, world.number[1], EXO_RIGHT_MAP_READ, &granted), EXO_OK);
    assert_int_equal(open_as(2, "frames", EXO_RIGHT_MAP_READ, &opened), EXO_OK);
    b = map(1, granted, EXO_MAP_READ);
    c = map(2, opened, EXO_MAP_READ);
    assert_int_equal(exo_sys_revoke(world.door[0], mine, EXO_FALSE, &count), EXO_OK);
    assert_int_equal(count, 2);
    assert_true(faults(b, EXO_FALSE));
    assert_true(faults(c, EXO_FALSE));
    assert_false(faults(a, EXO_TRUE));
    assert_int_equal(exo_sys_shm_map(world.door[1], granted, NULL, EXO_MAP_READ, &at), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_shm_unmap(world.door[2], c), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_revoke(world.door[0], mine, EXO_TRUE, &count), EXO_OK);
    assert_int_equal(count, 1);
    assert_true(faults(a, EXO_FALSE));
    assert_nothing_held(&world);
}

static void closing_a_handle_leaves_those_derived_from_it(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, 0);
    exo_u64 middle = 0;
    exo_u64 theirs = 0;
    exo_u32 *b;
    (void)state;
    assert_int_equal(exo_sys_derive(world.door[0], mine, EXO_RIGHT_MAP_READ | EXO_RIGHT_GRANT, &middle), EXO_OK);
    assert_int_equal(exo_sys_grant(world.door[0], middle, world.number[1], EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    b = map(1, theirs, EXO_MAP_READ);
    assert_int_equal(exo_sys_close(world.door[0], middle), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[0], middle), EXO_NOT_FOUND);
    assert_false(faults(b, EXO_FALSE));
    assert_int_equal(exo_sys_revoke(world.door[0], mine, EXO_FALSE, NULL), EXO_OK);
    assert_true(faults(b, EXO_FALSE));
}

static void a_region_outlives_its_maker_while_others_hold_it(void **state)
{
    exo_u64 mine = create(0, "frames", 2 * PAGE, 0);
    exo_u64 theirs = 0;
    exo_u64 got = 0;
    exo_u32 *b;
    (void)state;
    *map(0, mine, READ_WRITE) = 5;
    assert_int_equal(exo_sys_grant(world.door[0], mine, world.number[1], EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    b = map(1, theirs, EXO_MAP_READ);
    world_end_one(&world, 0, EXO_TRUE);
    assert_int_equal(*b, 5);
    assert_int_equal(exo_quota_used(&world.nucleus.root, EXO_QUOTA_BYTES), 2 * PAGE);
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &got), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[1], got), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[1], theirs), EXO_OK);
    assert_nothing_held(&world);
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &got), EXO_NOT_FOUND);
    *map(1, create(1, "frames", PAGE, 0), READ_WRITE) += 1; /* the name is free, the memory new */
}

static void destroying_ends_every_capability_and_frees_the_name(void **state)
{
    exo_u64 mine = create(0, "frames", PAGE, EXO_PERMS(EXO_RIGHT_MAP_READ, 0));
    exo_u64 weak = 0;
    exo_u64 theirs = 0;
    exo_u64 got = 0;
    exo_u32 *b;
    (void)state;
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    b = map(1, theirs, EXO_MAP_READ);
    assert_int_equal(exo_sys_derive(world.door[0], mine, EXO_RIGHT_MAP_READ, &weak), EXO_OK);
    assert_int_equal(exo_sys_shm_destroy(world.door[0], weak), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_shm_destroy(world.door[1], theirs), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_shm_destroy(world.door[0], mine), EXO_OK);
    assert_int_equal(exo_sys_shm_destroy(world.door[0], mine), EXO_NOT_FOUND);
    assert_true(faults(b, EXO_FALSE));
    assert_int_equal(open_as(1, "frames", EXO_RIGHT_MAP_READ, &got), EXO_NOT_FOUND);
    assert_nothing_held(&world);
}

static void bad_names_and_sizes_are_refused(void **state)
{
    char name[300];
    exo_u64 got = 7;
    (void)state;
    memset(name, 'n', sizeof(name));
#define CREATE(name, bytes, size) exo_sys_shm_create(world.door[0], name, bytes, size, 0, &got)
    assert_int_equal(CREATE(name, 256, PAGE), EXO_INVALID_SIZE);
    assert_int_equal(CREATE(name, ~(exo_size)0, PAGE), EXO_INVALID_SIZE);
    assert_int_equal(CREATE(name, 255, PAGE), EXO_OK);
    assert_int_equal(CREATE(name, 255, PAGE), EXO_ALREADY_EXISTS);
    assert_int_equal(CREATE("a/b", 3, PAGE), EXO_INVALID_ARGUMENT);
    assert_int_equal(CREATE("a\0b", 3, PAGE), EXO_INVALID_ARGUMENT);
    assert_int_equal(CREATE("a\nb", 3, PAGE), EXO_INVALID_ARGUMENT);
    assert_int_equal(CREATE("zero", 4, 0), EXO_INVALID_SIZE);
    assert_int_equal(CREATE("odd", 3, PAGE + 1), EXO_INVALID_SIZE);
    assert_int_equal(CREATE("huge", 4, (exo_u64)1 << 62), EXO_NO_MEMORY);
    assert_int_equal(got, 0);
    assert_int_equal(exo_sys_shm_create(world.door[0], "p", 1, PAGE, 0x10000, &got), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_shm_open(world.door[0], NULL, 0, EXO_RIGHT_MAP_READ, &got), EXO_INVALID_ARGUMENT);
    assert_int_equal(used(&world, 0, EXO_QUOTA_REGIONS), 1);
    assert_int_equal(used(&world, 0, EXO_QUOTA_BYTES), PAGE);
    assert_int_equal(used(&world, 0, EXO_QUOTA_CAPABILITIES), 1);
}

static void a_quota_that_is_full_leaves_nothing_behind(void **state)
{
    static const enum exo_quota_kind kinds[] = {EXO_QUOTA_REGIONS, EXO_QUOTA_BYTES, EXO_QUOTA_CAPABILITIES};
    exo_u64 got = 0;
    exo_u32 i;
    (void)state;
    for (i = 0; i < 3; i++) {
        assert_int_equal(exo_quota_limit_set(&world.process[0]->account, kinds[i], 0), EXO_OK);
        assert_int_equal(exo_sys_shm_create(world.door[0], "frames", 6, PAGE, 0, &got), EXO_QUOTA_EXCEEDED);
        assert_nothing_held(&world);
        assert_int_equal(exo_quota_limit_set(&world.process[0]->account, kinds[i], ~(exo_u64)0), EXO_OK);
    }
    (void)create(0, "frames", PAGE, 0);
}

static void inspect_tells_what_a_handle_denotes(void **state)
{
    exo_u64 mine = create(0, NULL, 3 * PAGE, 0);
    exo_u64 weak = 0;
    struct exo_sys_info info;
    struct exo_sys_info other;
    (void)state;
    assert_int_equal(exo_sys_derive(world.door[0], mine, EXO_RIGHT_MAP_READ, &weak), EXO_OK);
    assert_int_equal(exo_sys_inspect(world.door[0], mine, &info), EXO_OK);
    assert_int_equal(exo_sys_inspect(world.door[0], weak, &other), EXO_OK);
    assert_int_equal(info.kind, EXO_OBJECT_REGION);
    assert_int_equal(info.size, 3 * PAGE);
    assert_int_equal(info.owner, world.number[0]);
    assert_int_equal(info.rights, EXO_RIGHTS_REGION);
    assert_int_equal(other.rights, EXO_RIGHT_MAP_READ);
    assert_int_equal(info.id, other.id);
    assert_int_equal(exo_sys_inspect(world.door[1], mine + 5, &info), EXO_NOT_FOUND);
}

static void calls_that_are_none_are_refused(void **state)
{
    struct exo_syscall call;
    exo_u64 version = 0;
    (void)state;
    memset(&call, 0, sizeof(call));
    assert_int_equal(exo_sys_version(world.door[0], &version), EXO_OK);
    assert_int_equal(version, EXO_SYSCALL_VERSION);
    assert_int_equal(exo_syscall_dispatch(world.process[0], &call), EXO_VERSION_MISMATCH);
    call.version = EXO_SYSCALL_VERSION;
    assert_int_equal(exo_syscall_dispatch(world.process[0], &call), EXO_OK);
    call.argument[5] = 1;
    assert_int_equal(exo_syscall_dispatch(world.process[0], &call), EXO_INVALID_ARGUMENT);
    call.argument[5] = 0;
    call.number = EXO_SYSCALLS;
    assert_int_equal(exo_syscall_dispatch(world.process[0], &call), EXO_NOT_SUPPORTED);
    call.number = ~0u;
    assert_int_equal(exo_syscall_dispatch(world.process[0], &call), EXO_NOT_SUPPORTED);
}

int main(void)
{
#define WITH(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(what_one_process_writes_another_reads),
        WITH(a_mapping_allows_no_more_than_the_right),
        WITH(protect_takes_writing_away_and_gives_it_back),
        WITH(what_is_changed_is_what_was_checked),
        WITH(permissions_decide_who_opens_by_name),
        WITH(who_was_granted_opens_by_name_too),
        WITH(revoking_unmaps_what_was_mapped_under_it),
        WITH(closing_a_handle_leaves_those_derived_from_it),
        WITH(a_region_outlives_its_maker_while_others_hold_it),
        WITH(destroying_ends_every_capability_and_frees_the_name),
        WITH(bad_names_and_sizes_are_refused),
        WITH(a_quota_that_is_full_leaves_nothing_behind),
        WITH(inspect_tells_what_a_handle_denotes),
        WITH(calls_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
