/* SPDX-License-Identifier: MIT */
/* Capabilities in many hands: used, derived, granted, dropped and revoked at once; the object's memory goes with the last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "exo_ipc/nucleus/capability_derive.h"

#define WORKERS 3u
#define ROUNDS  2000u
#define ALIVE   0x600Du

struct thing {
    struct exo_object object;
    exo_u64 alive;
};

struct worker {
    pthread_t thread;
    struct exo_capability_table table;
    struct exo_account account;
    exo_u32 self;
    exo_u64 uses;
    exo_u64 made;
    exo_u64 random;
    exo_u32 faults;
    exo_bool met;
};

static struct {
    struct exo_capability_space space;
    struct exo_account root;
    struct exo_account account;
    struct exo_capability_table table; /* the giver's */
    struct worker worker[WORKERS];
    exo_word64 given[WORKERS]; /* this round's handle, in each worker's table; 0: none */
    exo_word64 told;           /* handles up to this generation and place have ended */
    exo_u32 stop;
    exo_u32 met; /* workers that have used and derived something */
    exo_u32 released;
    exo_u32 gone;
} stage;

static void note_gone(void *context, void *owner, const struct exo_capability *ended)
{
    (void)context;
    (void)owner;
    if (((const struct thing *)ended->object)->alive != ALIVE) {
        abort();
    }
    (void)exo_fetch_add32(&stage.gone, 1u, EXO_RELAXED);
}

static void free_thing(void *context, struct exo_object *object)
{
    struct thing *thing = (struct thing *)object;
    (void)context;
    if (thing->alive != ALIVE) {
        abort();
    }
    thing->alive = 0;
    free(thing);
    (void)exo_fetch_add32(&stage.released, 1u, EXO_RELAXED);
}

static exo_u32 random_below(struct worker *self, exo_u32 bound)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return (exo_u32)(self->random >> 33) % bound;
}

static void use(struct worker *self, exo_u64 handle)
{
    struct exo_capability *cap;
    exo_u64 told = exo_load64(&stage.told, EXO_ACQUIRE);
    exo_status status = exo_capability_use(&self->table, handle, EXO_OBJECT_REGION, EXO_RIGHT_MAP_READ, &cap);
    if (status == EXO_OK) {
        struct thing *thing = (struct thing *)cap->object;
        self->faults += thing->alive != ALIVE;
        self->faults += told == cap->badge; /* the round that is over */
        exo_capability_done(cap);
        self->uses++;
    } else {
        self->faults += status != EXO_NOT_FOUND;
    }
}

static void *work(void *argument)
{
    struct worker *self = argument;
    exo_u64 own[8] = {0};
    while (exo_load32(&stage.stop, EXO_ACQUIRE) == 0) {
        exo_u64 given = exo_load64(&stage.given[self->self], EXO_ACQUIRE);
        exo_u32 at = random_below(self, 8);
        exo_u32 other = random_below(self, WORKERS);
        exo_u64 from = random_below(self, 2) != 0 ? given : own[random_below(self, 8)];
        exo_status status;
        use(self, given);
        use(self, own[at]);
        switch (random_below(self, 6)) {
        case 0:
            status = exo_capability_drop(&self->table, own[at]);
            break;
        case 1:
            status = exo_capability_revoke(&self->table, own[at], EXO_TRUE) >= 0 ? EXO_OK : EXO_NOT_FOUND;
            break;
        case 2: { /* a gift that nobody knows of */
            exo_u64 gift = 0;
            status = exo_capability_derive(&self->table, from, EXO_RIGHTS_ALL, &stage.worker[other].table, &gift);
            self->made += status == EXO_OK;
            break;
        }
        default:
            status = exo_capability_derive(&self->table, from, EXO_RIGHTS_ALL, &self->table, &own[at]);
            self->made += status == EXO_OK;
            break;
        }
        self->faults += status != EXO_OK && status != EXO_NOT_FOUND && status != EXO_QUOTA_EXCEEDED;
        if (self->uses != 0 && self->made != 0 && !self->met) {
            self->met = EXO_TRUE;
            (void)exo_fetch_add32(&stage.met, 1u, EXO_RELAXED);
        }
    }
    return NULL;
}

static void one_round(exo_u64 round)
{
    struct thing *thing = malloc(sizeof(*thing));
    exo_u64 root;
    exo_u64 ended;
    exo_u32 i;
    assert_non_null(thing);
    exo_object_init(&thing->object, EXO_OBJECT_REGION);
    thing->alive = ALIVE;
    assert_int_equal(exo_capability_create(&stage.table, &thing->object, EXO_RIGHTS_ALL, round, &root), EXO_OK);
    for (i = 0; i < WORKERS; i++) {
        exo_u64 given = 0;
        exo_status status = exo_capability_derive(&stage.table, root, EXO_RIGHTS_ALL, &stage.worker[i].table, &given);
        assert_true(status == EXO_OK || status == EXO_QUOTA_EXCEEDED);
        exo_store64(&stage.given[i], given, EXO_RELEASE);
    }
    for (i = 0; i < round % 64 * 8; i++) {
        exo_cpu_relax();
    }
    if (round > ROUNDS) {
        (void)sched_yield(); /* somebody has not met a capability yet */
    }
    if (round % 3 == 0) {
        ended = (exo_u64)exo_object_end(&stage.space, &thing->object);
    } else if (round % 3 == 1) {
        ended = (exo_u64)exo_capability_revoke(&stage.table, root, EXO_TRUE);
    } else {
        ended = (exo_u64)exo_capability_revoke(&stage.table, root, EXO_FALSE);
        assert_int_equal(exo_capability_drop(&stage.table, root), EXO_OK);
    }
    assert_true((exo_i64)ended >= 0);
    exo_store64(&stage.told, round, EXO_RELEASE);
    for (i = 0; i < WORKERS; i++) {
        assert_int_equal(exo_capability_check(&stage.worker[i].table, stage.given[i], 0, 0), EXO_NOT_FOUND);
    }
}

static void revoked_ones_are_not_used_and_objects_go_once(void **state)
{
    exo_u64 round;
    exo_u64 until_ns;
    exo_u64 uses = 0;
    exo_u64 made = 0;
    exo_u32 i;
    (void)state;
    memset(&stage, 0, sizeof(stage));
    exo_capability_space_init(&stage.space, NULL, note_gone, free_thing);
    assert_int_equal(exo_account_init(&stage.root, NULL), EXO_OK);
    assert_int_equal(exo_account_init(&stage.account, &stage.root), EXO_OK);
    assert_int_equal(exo_capability_table_init(&stage.table, &stage.space, NULL, &stage.account, 10), EXO_OK);
    for (i = 0; i < WORKERS; i++) {
        struct worker *worker = &stage.worker[i];
        worker->self = i;
        worker->random = i + 1;
        assert_int_equal(exo_account_init(&worker->account, &stage.root), EXO_OK);
        assert_int_equal(exo_quota_limit_set(&worker->account, EXO_QUOTA_CAPABILITIES, 100), EXO_OK);
        assert_int_equal(exo_capability_table_init(&worker->table, &stage.space, NULL, &worker->account, 100), EXO_OK);
    }
    for (i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_create(&stage.worker[i].thread, NULL, work, &stage.worker[i]), 0);
    }
    until_ns = exo_port_now_ns() + 50000000000ull;
    for (round = 1; round <= ROUNDS || (exo_load32(&stage.met, EXO_RELAXED) != WORKERS && exo_port_now_ns() < until_ns);
         round++) {
        one_round(round);
    }
    exo_store32(&stage.stop, 1u, EXO_RELEASE);
    for (i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(stage.worker[i].thread, NULL), 0);
        assert_int_equal(stage.worker[i].faults, 0);
        uses += stage.worker[i].uses;
        made += stage.worker[i].made;
    }
    assert_true(uses > 0 && made > 0);
    assert_int_equal(stage.released, round - 1); /* all that was derived from each root is gone */
    assert_true(exo_quota_used(&stage.root, EXO_QUOTA_CAPABILITIES) == 0);
    for (i = 0; i < WORKERS; i++) {
        exo_capability_table_fini(&stage.worker[i].table);
    }
    exo_capability_table_fini(&stage.table);
}

/* A process that ends while another one grants to it and a third revokes what it has. */
static void *grant_on(void *argument)
{
    struct worker *self = argument;
    exo_u64 given = exo_load64(&stage.given[0], EXO_ACQUIRE);
    exo_u64 made;
    while (exo_load32(&stage.stop, EXO_ACQUIRE) == 0) {
        exo_status status = exo_capability_derive(&stage.table, given, EXO_RIGHTS_ALL, &self->table, &made);
        self->made += status == EXO_OK;
        self->faults += status != EXO_OK && status != EXO_CLOSED && status != EXO_FULL;
    }
    return NULL;
}

static void *revoke_on(void *argument)
{
    struct worker *self = argument;
    exo_u64 given = exo_load64(&stage.given[0], EXO_ACQUIRE);
    while (exo_load32(&stage.stop, EXO_ACQUIRE) == 0) {
        exo_i64 ended = exo_capability_revoke(&stage.table, given, EXO_FALSE);
        self->faults += ended < 0;
        self->uses += (exo_u64)ended;
    }
    return NULL;
}

static void a_table_ends_beside_grants_and_revokes(void **state)
{
    struct thing *thing = malloc(sizeof(*thing));
    struct worker *worker = stage.worker;
    exo_u64 root = 0;
    exo_u32 round;
    (void)state;
    memset(&stage, 0, sizeof(stage));
    assert_non_null(thing);
    exo_capability_space_init(&stage.space, NULL, note_gone, free_thing);
    exo_object_init(&thing->object, EXO_OBJECT_REGION);
    thing->alive = ALIVE;
    assert_int_equal(exo_account_init(&stage.account, NULL), EXO_OK);
    assert_int_equal(exo_capability_table_init(&stage.table, &stage.space, NULL, NULL, 10), EXO_OK);
    assert_int_equal(exo_capability_create(&stage.table, &thing->object, EXO_RIGHTS_ALL, 1, &root), EXO_OK);
    exo_store64(&stage.given[0], root, EXO_RELEASE);
    for (round = 0; round < 100; round++) {
        exo_u32 i;
        stage.stop = 0;
        assert_int_equal(exo_capability_table_init(&worker->table, &stage.space, NULL, &stage.account, 1000), EXO_OK);
        assert_int_equal(pthread_create(&worker[0].thread, NULL, grant_on, &worker[0]), 0);
        assert_int_equal(pthread_create(&worker[1].thread, NULL, revoke_on, &worker[1]), 0);
        for (i = 0; i < round * 20; i++) {
            exo_cpu_relax();
        }
        exo_capability_table_fini(&worker->table);
        assert_true(exo_table_bytes(&worker->table.items) == 0);
        exo_store32(&stage.stop, 1u, EXO_RELEASE);
        assert_int_equal(pthread_join(worker[0].thread, NULL), 0);
        assert_int_equal(pthread_join(worker[1].thread, NULL), 0);
        assert_int_equal(worker[0].faults + worker[1].faults, 0);
        assert_true(exo_quota_used(&stage.account, EXO_QUOTA_CAPABILITIES) == 0);
    }
    assert_true(stage.gone == worker[0].made && stage.released == 0);
    exo_capability_table_fini(&stage.table);
    assert_int_equal(stage.released, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revoked_ones_are_not_used_and_objects_go_once),
        cmocka_unit_test(a_table_ends_beside_grants_and_revokes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
