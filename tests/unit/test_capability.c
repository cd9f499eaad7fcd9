/* SPDX-License-Identifier: MIT */
/* Capabilities: what a handle allows, what it can become, and that it ends when it is said to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "exo_ipc/nucleus/capability_derive.h"

#define TABLES 4u
#define KIND EXO_OBJECT_CHANNEL

/* A nucleus with some processes. */
struct world {
    struct exo_capability_space space;
    struct exo_account root;
    struct exo_account account[TABLES];
    struct exo_capability_table table[TABLES];
    exo_u32 gone[TABLES]; /* hooks called, by owner */
    exo_u32 released;
    struct exo_object *last_released;
    exo_u64 last_badge;
};

static void note_gone(void *context, void *owner, const struct exo_capability *ended)
{
    struct world *world = context;
    struct exo_capability_table *table = owner;
    if (ended->table != table || ended->object == NULL) {
        abort();
    }
    (void)__atomic_fetch_add(&world->gone[table - world->table], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&world->last_badge, ended->badge, __ATOMIC_RELAXED);
}

static void note_release(void *context, struct exo_object *object)
{
    struct world *world = context;
    (void)__atomic_fetch_add(&world->released, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&world->last_released, object, __ATOMIC_RELAXED);
}

static void open_world(struct world *world, exo_u32 max)
{
    exo_u32 i;
    memset(world, 0, sizeof(*world));
    exo_capability_space_init(&world->space, world, note_gone, note_release);
    assert_int_equal(exo_account_init(&world->root, NULL), EXO_OK);
    for (i = 0; i < TABLES; i++) {
        assert_int_equal(exo_account_init(&world->account[i], &world->root), EXO_OK);
        assert_int_equal(exo_capability_table_init(&world->table[i], &world->space, &world->table[i], &world->account[i], max),
                         EXO_OK);
    }
}

static exo_u64 paid(const struct world *world, exo_u32 table)
{
    return exo_quota_used(&world->account[table], EXO_QUOTA_CAPABILITIES);
}

/* Every table ends; then nothing is charged, and every capability was told of once. */
static void close_world(struct world *world)
{
    exo_u32 i;
    for (i = 0; i < TABLES; i++) {
        exo_u64 held = paid(world, i);
        exo_u32 before = world->gone[i];
        exo_capability_table_fini(&world->table[i]);
        assert_int_equal(world->gone[i] - before, held);
        assert_true(paid(world, i) == 0);
    }
    assert_true(exo_quota_used(&world->root, EXO_QUOTA_CAPABILITIES) == 0);
    assert_int_equal(world->space.lock, 0);
}

static exo_u64 make(struct world *world, exo_u32 table, struct exo_object *object, exo_u32 rights)
{
    exo_u64 handle = 0;
    assert_int_equal(exo_capability_create(&world->table[table], object, rights, 77, &handle), EXO_OK);
    assert_true(handle != 0 && handle >> 63 == 0);
    return handle;
}

static exo_u64 derive(struct world *world, exo_u32 from, exo_u64 handle, exo_u32 rights, exo_u32 to)
{
    exo_u64 made = 0;
    assert_int_equal(exo_capability_derive(&world->table[from], handle, rights, &world->table[to], &made), EXO_OK);
    assert_true(made != 0);
    return made;
}

static exo_bool lives(struct world *world, exo_u32 table, exo_u64 handle)
{
    struct exo_capability *cap = NULL;
    exo_status asked = exo_capability_check(&world->table[table], handle, 0, 0);
    exo_status used = exo_capability_use(&world->table[table], handle, 0, 0, &cap);
    assert_int_equal(asked, used);
    if (used == EXO_OK) {
        exo_capability_done(cap);
    }
    return used == EXO_OK;
}

static void use_shows_what_the_handle_says(void **state)
{
    struct world world;
    struct exo_object object;
    struct exo_capability *cap = NULL;
    exo_u64 handle;
    (void)state;
    open_world(&world, 100);
    exo_object_init(&object, KIND);
    handle = make(&world, 1, &object, EXO_RIGHT_SEND | EXO_RIGHT_GRANT);
    assert_int_equal(exo_capability_use(&world.table[1], handle, KIND, EXO_RIGHT_SEND, &cap), EXO_OK);
    assert_ptr_equal(cap->object, &object);
    assert_ptr_equal(cap->table, &world.table[1]);
    assert_true(cap->badge == 77);
    assert_int_equal(cap->rights, EXO_RIGHT_SEND | EXO_RIGHT_GRANT);
    assert_int_equal(cap->kind, KIND);
    exo_capability_done(cap);
    assert_int_equal(exo_capability_drop(&world.table[1], handle), EXO_OK);
    assert_true(world.last_badge == 77);
    assert_ptr_equal(world.last_released, &object);
    close_world(&world);
}

static void missing_rights_and_wrong_kinds_are_told_apart(void **state)
{
    struct world world;
    struct exo_object object;
    struct exo_capability *cap = NULL;
    exo_u64 handle;
    exo_u32 has;
    exo_u32 wants;
    (void)state;
    open_world(&world, 200);
    exo_object_init(&object, KIND);
    for (has = 0; has <= EXO_RIGHTS_ALL; has++) {
        handle = make(&world, 0, &object, has);
        for (wants = 0; wants <= EXO_RIGHTS_ALL; wants++) {
            exo_status expected = (wants & has) == wants ? EXO_OK : EXO_PERMISSION_DENIED;
            exo_status got = exo_capability_use(&world.table[0], handle, wants % 2 == 0 ? KIND : 0, wants, &cap);
            assert_int_equal(got, expected);
            if (got == EXO_OK) {
                exo_capability_done(cap);
            }
            assert_int_equal(exo_capability_check(&world.table[0], handle, KIND, wants), expected);
            assert_int_equal(exo_capability_check(&world.table[0], handle, KIND + 1, wants), EXO_TYPE_MISMATCH);
            assert_int_equal(exo_capability_use(&world.table[0], handle, KIND + 1, wants, &cap), EXO_TYPE_MISMATCH);
        }
        assert_int_equal(exo_capability_check(&world.table[0], handle, 0, 1u << 7), EXO_PERMISSION_DENIED);
        assert_int_equal(exo_capability_drop(&world.table[0], handle), EXO_OK); /* it would hang on a use that was not undone */
        exo_object_init(&object, KIND);
    }
    close_world(&world);
}

static void a_derived_one_never_has_more_rights(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u32 has;
    exo_u32 wants;
    (void)state;
    open_world(&world, 400);
    exo_object_init(&object, KIND);
    for (has = 0; has <= EXO_RIGHTS_ALL; has++) {
        exo_u64 handle = make(&world, 0, &object, has);
        for (wants = 0; wants <= EXO_RIGHTS_ALL; wants++) {
            exo_u64 own = 0;
            exo_u64 given = 0;
            exo_bool subset = (wants & has) == wants;
            exo_status mine = exo_capability_derive(&world.table[0], handle, wants, &world.table[0], &own);
            exo_status others = exo_capability_derive(&world.table[0], handle, wants, &world.table[1], &given);
            assert_int_equal(mine, subset ? EXO_OK : EXO_PERMISSION_DENIED);
            assert_int_equal(others, subset && (has & EXO_RIGHT_GRANT) != 0 ? EXO_OK : EXO_PERMISSION_DENIED);
            if (mine == EXO_OK) {
                struct exo_capability *cap = NULL;
                assert_int_equal(exo_capability_use(&world.table[0], own, KIND, wants, &cap), EXO_OK);
                assert_int_equal(cap->rights, wants);
                assert_true(cap->badge == 77);
                exo_capability_done(cap);
                assert_int_equal(exo_capability_check(&world.table[0], own, 0, has), wants == has ? EXO_OK
                                                                                                 : EXO_PERMISSION_DENIED);
            }
            if (others == EXO_OK) {
                assert_int_equal(exo_capability_check(&world.table[1], given, KIND, wants), EXO_OK);
            }
            assert_int_equal(exo_capability_revoke(&world.table[0], handle, EXO_FALSE), (mine == EXO_OK) + (others == EXO_OK));
        }
        assert_int_equal(exo_capability_drop(&world.table[0], handle), EXO_OK);
        exo_object_init(&object, KIND);
    }
    assert_int_equal(world.released, EXO_RIGHTS_ALL + 1);
    close_world(&world);
}

static void bad_arguments_are_refused_and_nothing_is_charged(void **state)
{
    struct world world;
    struct exo_capability_space foreign;
    struct exo_capability_table table;
    struct exo_object object;
    exo_u64 handle;
    exo_u64 made = 5;
    (void)state;
    open_world(&world, 10);
    exo_object_init(&object, KIND);
    exo_capability_space_init(&foreign, NULL, NULL, NULL);
    assert_int_equal(exo_capability_table_init(NULL, &foreign, NULL, NULL, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_table_init(&table, NULL, NULL, NULL, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_table_init(&table, &foreign, NULL, NULL, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_table_init(&table, &foreign, NULL, NULL, 1), EXO_OK);
    assert_int_equal(exo_capability_create(NULL, &object, 0, 0, &made), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_create(&world.table[0], NULL, 0, 0, &made), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_create(&world.table[0], &object, 0, 0, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_create(&world.table[0], &object, 128, 0, &made), EXO_INVALID_ARGUMENT);
    handle = make(&world, 0, &object, EXO_RIGHTS_ALL);
    assert_int_equal(exo_capability_derive(NULL, handle, 0, &world.table[0], &made), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, NULL, &made), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[0], NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 255, &world.table[0], &made), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &table, &made), EXO_INVALID_ARGUMENT);
    assert_true(made == 5 && paid(&world, 0) == 1);
    exo_capability_table_fini(&table);
    close_world(&world);
}

/* Whether every way to name something says that there is nothing. */
static void names_nothing(struct world *world, exo_u32 table, exo_u64 handle)
{
    struct exo_capability *cap = NULL;
    exo_u64 made = 5;
    struct exo_capability_table *asks = &world->table[table];
    assert_int_equal(exo_capability_check(asks, handle, 0, 0), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_check(asks, handle, KIND + 1, 255), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_use(asks, handle, 0, 0, &cap), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_derive(asks, handle, 0, asks, &made), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_revoke(asks, handle, EXO_FALSE), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_revoke(asks, handle, EXO_TRUE), EXO_NOT_FOUND);
    assert_int_equal(exo_capability_drop(asks, handle), EXO_NOT_FOUND);
    assert_true(cap == NULL && made == 5);
}

static exo_u64 random_state = 88172645463325252u;
static exo_u64 random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void forged_stale_and_foreign_handles_name_nothing(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 handle[100];
    exo_u64 stale;
    exo_u32 i;
    (void)state;
    open_world(&world, 1000);
    exo_object_init(&object, KIND);
    names_nothing(&world, 0, 0);
    names_nothing(&world, 0, 1);
    names_nothing(&world, 0, (exo_u64)1 << 32);
    for (i = 0; i < 100; i++) {
        handle[i] = make(&world, 0, &object, EXO_RIGHTS_ALL);
    }
    stale = handle[50];
    assert_int_equal(exo_capability_drop(&world.table[0], stale), EXO_OK);
    handle[50] = make(&world, 0, &object, 0);
    assert_true((exo_u32)handle[50] == (exo_u32)stale && handle[50] != stale); /* the same place again */
    names_nothing(&world, 0, stale);
    for (i = 0; i < 100; i++) {
        names_nothing(&world, 1, handle[i]);
        names_nothing(&world, 0, handle[i] + ((exo_u64)1 << 32));
        names_nothing(&world, 0, handle[i] | (exo_u64)1 << 63);
        names_nothing(&world, 0, handle[i] + 4096);
        names_nothing(&world, 0, handle[i] | 0xFFFFFFFFu);
        names_nothing(&world, 0, (exo_u32)handle[i]);
    }
    for (i = 0; i < 10000; i++) {
        exo_u64 forged = random_word();
        exo_u32 known;
        forged = i % 2 == 0 ? forged : forged & 0x70000007Fu; /* near the real ones */
        for (known = 0; known < 100 && handle[known] != forged; known++) {
        }
        if (known == 100) {
            names_nothing(&world, 0, forged);
        } else {
            assert_true(lives(&world, 0, forged));
        }
    }
    assert_true(paid(&world, 0) == 100 && paid(&world, 1) == 0);
    for (i = 0; i < 100; i++) {
        assert_true(lives(&world, 0, handle[i]));
    }
    close_world(&world);
    assert_int_equal(world.released, 1);
}

static void a_place_is_used_again_and_a_handle_never(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 first;
    exo_u64 last = 0;
    exo_u32 i;
    (void)state;
    open_world(&world, 1);
    exo_object_init(&object, KIND);
    assert_int_equal(exo_object_hold(&world.space, &object), EXO_OK);
    first = make(&world, 0, &object, 0);
    last = first;
    for (i = 0; i < 1000; i++) {
        exo_u64 next;
        assert_int_equal(exo_capability_drop(&world.table[0], last), EXO_OK);
        next = make(&world, 0, &object, 0);
        assert_true((exo_u32)next == (exo_u32)first && next > last);
        assert_false(lives(&world, 0, last));
        assert_true(lives(&world, 0, next));
        last = next;
    }
    assert_int_equal(world.released, 0);
    /* A place whose generations are used up stays empty. */
    assert_int_equal(exo_capability_drop(&world.table[0], last), EXO_OK);
    exo_store64(&exo_table_at(&world.table[0].items, (exo_u32)first)->state, (exo_u64)(EXO_REFERENCE_LAST - 1) << 32, EXO_RELAXED);
    last = make(&world, 0, &object, 0);
    assert_true(lives(&world, 0, last) && last >> 63 == 0);
    assert_int_equal(exo_capability_drop(&world.table[0], last), EXO_OK);
    assert_int_equal(exo_capability_create(&world.table[0], &object, 0, 0, &first), EXO_NO_MEMORY);
    assert_true(paid(&world, 0) == 0);
    exo_object_drop(&world.space, &object);
    assert_int_equal(world.released, 1);
    close_world(&world);
}

static void full_accounts_and_tables_refuse_and_charge_nothing(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 handle;
    exo_u64 made = 5;
    (void)state;
    open_world(&world, 3);
    exo_object_init(&object, KIND);
    handle = make(&world, 0, &object, EXO_RIGHTS_ALL);
    /* The account: first the process's, then the one above all. */
    assert_int_equal(exo_quota_limit_set(&world.account[1], EXO_QUOTA_CAPABILITIES, 1), EXO_OK);
    (void)derive(&world, 0, handle, 0, 1);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[1], &made), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_capability_create(&world.table[1], &object, 0, 0, &made), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_limit_set(&world.root, EXO_QUOTA_CAPABILITIES, 2), EXO_OK);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[2], &made), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[0], &made), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_quota_limit_set(&world.root, EXO_QUOTA_CAPABILITIES, EXO_QUOTA_UNLIMITED), EXO_OK);
    assert_true(made == 5 && paid(&world, 0) == 1 && paid(&world, 1) == 1 && paid(&world, 2) == 0);
    /* The rights come first: who lacks them learns nothing of the other's account. */
    assert_int_equal(exo_capability_derive(&world.table[0], handle + ((exo_u64)1 << 32), 0, &world.table[1], &made), EXO_NOT_FOUND);
    /* The table. */
    (void)derive(&world, 0, handle, 0, 0);
    (void)derive(&world, 0, handle, 0, 0);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[0], &made), EXO_FULL);
    assert_int_equal(exo_capability_create(&world.table[0], &object, 0, 0, &made), EXO_FULL);
    assert_true(made == 5 && paid(&world, 0) == 3);
    /* A table that has ended, as its struct still shows. */
    exo_capability_table_fini(&world.table[1]);
    assert_int_equal(exo_capability_derive(&world.table[0], handle, 0, &world.table[1], &made), EXO_CLOSED);
    assert_true(paid(&world, 1) == 0);
    /* An object that has ended. */
    assert_int_equal(exo_object_end(&world.space, &object), 3);
    assert_int_equal(world.released, 1);
    assert_int_equal(exo_capability_create(&world.table[0], &object, 0, 0, &made), EXO_NOT_FOUND);
    assert_int_equal(exo_object_hold(&world.space, &object), EXO_NOT_FOUND);
    assert_int_equal(exo_object_end(&world.space, &object), EXO_NOT_FOUND);
    assert_true(made == 5 && paid(&world, 0) == 0);
    close_world(&world);
    assert_int_equal(world.released, 1);
}

/* Descent, with names as in the drawing of capability_layout.h. */
static void revoke_ends_what_was_derived_and_nothing_else(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 a;
    exo_u64 b;
    exo_u64 c;
    exo_u64 d;
    exo_u64 e;
    (void)state;
    open_world(&world, 100);
    exo_object_init(&object, KIND);
    a = make(&world, 0, &object, EXO_RIGHTS_ALL);
    b = derive(&world, 0, a, EXO_RIGHTS_ALL, 1);
    c = derive(&world, 0, a, EXO_RIGHTS_ALL, 2);
    d = derive(&world, 2, c, EXO_RIGHT_SEND, 3);
    e = make(&world, 3, &object, EXO_RIGHTS_ALL);
    assert_int_equal(exo_capability_revoke(&world.table[1], b, EXO_FALSE), 0);
    assert_int_equal(exo_capability_revoke(&world.table[2], c, EXO_FALSE), 1);
    assert_true(lives(&world, 0, a) && lives(&world, 1, b) && lives(&world, 2, c) && !lives(&world, 3, d) && lives(&world, 3, e));
    d = derive(&world, 2, c, 0, 3);
    assert_int_equal(exo_capability_revoke(&world.table[2], c, EXO_TRUE), 2);
    assert_true(lives(&world, 0, a) && lives(&world, 1, b) && !lives(&world, 2, c) && !lives(&world, 3, d));
    c = derive(&world, 0, a, EXO_RIGHTS_ALL, 2);
    d = derive(&world, 2, c, 0, 3);
    assert_int_equal(exo_capability_revoke(&world.table[0], a, EXO_FALSE), 3);
    assert_true(lives(&world, 0, a) && lives(&world, 3, e) && !lives(&world, 1, b) && !lives(&world, 3, d));
    assert_int_equal(exo_capability_revoke(&world.table[0], a, EXO_TRUE), 1);
    assert_true(lives(&world, 3, e) && world.released == 0);
    assert_int_equal(exo_capability_revoke(&world.table[3], e, EXO_TRUE), 1);
    assert_int_equal(world.released, 1);
    assert_int_equal(world.gone[0] + world.gone[1] + world.gone[2] + world.gone[3], 8);
    close_world(&world);
}

static void what_was_derived_from_a_dropped_one_belongs_to_its_parent(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 top;
    exo_u64 middle;
    exo_u64 elder;
    exo_u64 younger;
    exo_u64 below[3];
    exo_u64 sibling;
    (void)state;
    open_world(&world, 100);
    exo_object_init(&object, KIND);
    top = make(&world, 0, &object, EXO_RIGHTS_ALL);
    elder = derive(&world, 0, top, EXO_RIGHTS_ALL, 1);
    middle = derive(&world, 0, top, EXO_RIGHTS_ALL, 1);
    younger = derive(&world, 0, top, EXO_RIGHTS_ALL, 1);
    below[0] = derive(&world, 1, middle, EXO_RIGHTS_ALL, 2);
    below[1] = derive(&world, 1, middle, EXO_RIGHTS_ALL, 3);
    below[2] = derive(&world, 2, below[0], 0, 3);
    sibling = make(&world, 0, &object, EXO_RIGHTS_ALL);
    assert_int_equal(exo_capability_drop(&world.table[1], middle), EXO_OK);
    assert_false(lives(&world, 1, middle));
    assert_int_equal(exo_capability_revoke(&world.table[1], elder, EXO_FALSE), 0);
    assert_int_equal(exo_capability_revoke(&world.table[1], younger, EXO_FALSE), 0);
    assert_int_equal(exo_capability_revoke(&world.table[0], sibling, EXO_TRUE), 1);
    assert_true(lives(&world, 2, below[0]) && lives(&world, 3, below[1]) && lives(&world, 3, below[2]));
    assert_int_equal(exo_capability_revoke(&world.table[0], top, EXO_FALSE), 5);
    assert_false(lives(&world, 2, below[0]) || lives(&world, 3, below[1]) || lives(&world, 3, below[2]) || lives(&world, 1, elder));
    assert_true(lives(&world, 0, top));
    close_world(&world);
    assert_int_equal(world.released, 1);
}

static void a_dead_process_takes_nothing_from_those_it_gave_to(void **state)
{
    struct world world;
    struct exo_object object;
    struct exo_object own;
    exo_u64 root;
    exo_u64 given[50];
    exo_u64 passed[50];
    exo_u32 i;
    (void)state;
    open_world(&world, 1000);
    exo_object_init(&object, KIND);
    exo_object_init(&own, KIND);
    root = make(&world, 0, &object, EXO_RIGHTS_ALL);
    (void)make(&world, 1, &own, EXO_RIGHTS_ALL);
    for (i = 0; i < 50; i++) {
        given[i] = derive(&world, 0, root, EXO_RIGHTS_ALL, 1);
        passed[i] = derive(&world, 1, given[i], EXO_RIGHTS_ALL, 2 + i % 2);
        (void)derive(&world, 1, given[i], 0, 1);
    }
    exo_capability_table_fini(&world.table[1]);
    assert_int_equal(world.gone[1], 101);
    assert_true(paid(&world, 1) == 0 && paid(&world, 2) == 25 && paid(&world, 3) == 25);
    assert_int_equal(world.released, 1); /* its own object went with it */
    assert_ptr_equal(world.last_released, &own);
    for (i = 0; i < 50; i++) {
        assert_true(lives(&world, 2 + i % 2, passed[i]));
    }
    assert_int_equal(exo_capability_revoke(&world.table[0], root, EXO_TRUE), 51);
    for (i = 0; i < 50; i++) {
        assert_false(lives(&world, 2 + i % 2, passed[i]));
    }
    assert_int_equal(world.released, 2);
    close_world(&world);
}

/* As a list of parents: what descent must be, whatever happens. */
#define NODES 300u
struct node {
    exo_u64 handle;
    exo_u32 table;
    exo_u32 parent; /* NODES: a root */
    exo_bool alive;
};

static exo_bool descends(const struct node *node, exo_u32 at, exo_u32 from)
{
    for (at = node[at].parent; at != NODES; at = node[at].parent) {
        if (at == from) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

static exo_u32 model_drop(struct node *node, exo_u32 which)
{
    exo_u32 i;
    node[which].alive = EXO_FALSE;
    for (i = 0; i < NODES; i++) {
        if (node[i].alive && node[i].parent == which) {
            node[i].parent = node[which].parent;
        }
    }
    return 1;
}

static exo_u32 model_revoke(struct node *node, exo_u32 which, exo_bool itself)
{
    exo_bool doomed[NODES];
    exo_u32 count = 0;
    exo_u32 i;
    for (i = 0; i < NODES; i++) {
        doomed[i] = node[i].alive && (descends(node, i, which) || (itself && i == which));
        count += doomed[i];
    }
    for (i = 0; i < NODES; i++) {
        node[i].alive = node[i].alive && !doomed[i];
    }
    return count;
}

static void random_step(struct world *world, struct exo_object *object, struct node *node, exo_u32 which)
{
    struct node *it = &node[which];
    exo_u32 other = (exo_u32)(random_word() % NODES);
    exo_u32 what = (exo_u32)(random_word() % 16);
    if (!it->alive) {
        it->table = (exo_u32)(random_word() % TABLES);
        it->alive = EXO_TRUE;
        it->parent = node[other].alive && other != which ? other : NODES;
        it->handle = it->parent == NODES ? make(world, it->table, object, EXO_RIGHTS_ALL)
                                         : derive(world, node[other].table, node[other].handle, EXO_RIGHTS_ALL, it->table);
    } else if (what < 4) {
        assert_int_equal(exo_capability_drop(&world->table[it->table], it->handle), EXO_OK);
        (void)model_drop(node, which);
    } else if (what == 4) {
        exo_bool itself = other % 2 != 0;
        assert_int_equal(exo_capability_revoke(&world->table[it->table], it->handle, itself), model_revoke(node, which, itself));
    }
}

static void descent_is_that_of_a_plain_list_of_parents(void **state)
{
    static struct node node[NODES];
    struct world world;
    struct exo_object object;
    exo_u32 round;
    exo_u32 i;
    (void)state;
    open_world(&world, 2000);
    exo_object_init(&object, KIND);
    memset(node, 0, sizeof(node));
    assert_int_equal(exo_object_hold(&world.space, &object), EXO_OK);
    for (round = 0; round < 20000; round++) {
        random_step(&world, &object, node, (exo_u32)(random_word() % NODES));
        if (round % 500 == 0) {
            for (i = 0; i < NODES; i++) {
                assert_true(node[i].handle == 0 || lives(&world, node[i].table, node[i].handle) == node[i].alive);
            }
        }
    }
    exo_object_drop(&world.space, &object);
    close_world(&world);
    assert_int_equal(world.released, 1);
}

static void find_knows_every_object_of_its_table_alone(void **state)
{
    enum { OBJECTS = 500 };
    static struct exo_object object[OBJECTS];
    static exo_u64 handle[OBJECTS][3];
    struct world world;
    struct exo_object never;
    exo_u32 round;
    exo_u32 i;
    exo_u32 j;
    (void)state;
    open_world(&world, 2000);
    memset(handle, 0, sizeof(handle));
    exo_object_init(&never, KIND);
    for (i = 0; i < OBJECTS; i++) {
        exo_object_init(&object[i], KIND);
        assert_int_equal(exo_object_hold(&world.space, &object[i]), EXO_OK);
    }
    for (round = 0; round < 20000; round++) {
        i = (exo_u32)(random_word() % OBJECTS);
        j = (exo_u32)(random_word() % 3);
        if (handle[i][j] == 0) {
            handle[i][j] = make(&world, 0, &object[i], 0);
        } else {
            assert_int_equal(exo_capability_drop(&world.table[0], handle[i][j]), EXO_OK);
            handle[i][j] = 0;
        }
        i = (exo_u32)(random_word() % OBJECTS);
        {
            exo_u64 found = exo_capability_find(&world.table[0], &object[i]);
            if (found == 0) {
                assert_true(handle[i][0] == 0 && handle[i][1] == 0 && handle[i][2] == 0);
            } else {
                assert_true(found == handle[i][0] || found == handle[i][1] || found == handle[i][2]);
            }
        }
        assert_true(exo_capability_find(&world.table[1], &object[i]) == 0);
        assert_true(exo_capability_find(&world.table[0], &never) == 0);
    }
    for (i = 0; i < OBJECTS; i++) {
        exo_object_drop(&world.space, &object[i]);
    }
    close_world(&world);
    assert_int_equal(world.released, OBJECTS);
}

#define HUGE 100000u

static void a_hundred_thousand_derived_ones_end_with_their_origin(void **state)
{
    static exo_u64 handle[HUGE];
    struct world world;
    struct exo_object object;
    exo_u32 shape; /* a fan, a chain, and a bit of both */
    exo_u32 i;
    (void)state;
    open_world(&world, HUGE);
    for (shape = 0; shape < 3; shape++) {
        exo_u64 root;
        exo_object_init(&object, KIND);
        root = make(&world, 0, &object, EXO_RIGHTS_ALL);
        for (i = 0; i < HUGE; i++) {
            exo_u32 from = shape == 0 ? HUGE : shape == 1 ? i - 1 : (exo_u32)(random_word() % (i + 1)) - 1;
            exo_bool first = from >= HUGE;
            handle[i] = derive(&world, first ? 0 : 1 + from % 3, first ? root : handle[from], EXO_RIGHTS_ALL, 1 + i % 3);
        }
        assert_int_equal(exo_capability_revoke(&world.table[0], root, EXO_FALSE), HUGE);
        for (i = 0; i < HUGE; i++) {
            assert_int_equal(exo_capability_check(&world.table[1 + i % 3], handle[i], 0, 0), EXO_NOT_FOUND);
        }
        assert_true(exo_quota_used(&world.root, EXO_QUOTA_CAPABILITIES) == 1);
        assert_int_equal(world.released, shape);
        assert_int_equal(exo_capability_drop(&world.table[0], root), EXO_OK);
    }
    assert_int_equal(world.gone[1] + world.gone[2] + world.gone[3], 3 * HUGE);
    close_world(&world);
}

/* A hook that looks for what it was promised: no lock is held, and the space can be used. */
struct nosy {
    struct world world;
    struct exo_object second;
    exo_u64 other;
    exo_u32 calls;
};

static void revoke_another(void *context, struct exo_object *object)
{
    struct nosy *nosy = context;
    nosy->calls++;
    if (object != &nosy->second) {
        exo_u64 found = exo_capability_find(&nosy->world.table[1], &nosy->second);
        if (found != nosy->other || exo_capability_revoke(&nosy->world.table[1], found, EXO_TRUE) != 1) {
            abort();
        }
    }
}

static void hooks_may_end_other_capabilities(void **state)
{
    struct nosy nosy;
    struct exo_object object;
    exo_u64 handle;
    (void)state;
    memset(&nosy, 0, sizeof(nosy));
    open_world(&nosy.world, 10);
    exo_capability_space_init(&nosy.world.space, &nosy, NULL, revoke_another);
    exo_object_init(&object, KIND);
    exo_object_init(&nosy.second, KIND);
    nosy.other = make(&nosy.world, 1, &nosy.second, 0);
    handle = make(&nosy.world, 0, &object, 0);
    assert_int_equal(exo_capability_drop(&nosy.world.table[0], handle), EXO_OK);
    assert_int_equal(nosy.calls, 2);
    close_world(&nosy.world);
}

static void an_object_without_capabilities_can_end(void **state)
{
    struct world world;
    struct exo_object object;
    exo_u64 handle;
    (void)state;
    open_world(&world, 10);
    exo_object_init(&object, KIND);
    assert_int_equal(exo_object_end(&world.space, &object), 0);
    assert_int_equal(world.released, 1);
    exo_object_init(&object, KIND);
    handle = make(&world, 0, &object, EXO_RIGHTS_ALL);
    (void)derive(&world, 0, handle, 0, 1);
    (void)make(&world, 2, &object, 0);
    assert_int_equal(exo_object_hold(&world.space, &object), EXO_OK);
    assert_int_equal(exo_object_end(&world.space, &object), 3);
    assert_int_equal(world.released, 1); /* somebody holds it */
    assert_int_equal(exo_capability_create(&world.table[0], &object, 0, 0, &handle), EXO_NOT_FOUND);
    exo_object_drop(&world.space, &object);
    assert_int_equal(world.released, 2);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(use_shows_what_the_handle_says),
        cmocka_unit_test(missing_rights_and_wrong_kinds_are_told_apart),
        cmocka_unit_test(a_derived_one_never_has_more_rights),
        cmocka_unit_test(bad_arguments_are_refused_and_nothing_is_charged),
        cmocka_unit_test(forged_stale_and_foreign_handles_name_nothing),
        cmocka_unit_test(a_place_is_used_again_and_a_handle_never),
        cmocka_unit_test(full_accounts_and_tables_refuse_and_charge_nothing),
        cmocka_unit_test(revoke_ends_what_was_derived_and_nothing_else),
        cmocka_unit_test(what_was_derived_from_a_dropped_one_belongs_to_its_parent),
        cmocka_unit_test(a_dead_process_takes_nothing_from_those_it_gave_to),
        cmocka_unit_test(descent_is_that_of_a_plain_list_of_parents),
        cmocka_unit_test(find_knows_every_object_of_its_table_alone),
        cmocka_unit_test(a_hundred_thousand_derived_ones_end_with_their_origin),
        cmocka_unit_test(hooks_may_end_other_capabilities),
        cmocka_unit_test(an_object_without_capabilities_can_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
