/* SPDX-License-Identifier: MIT */
/*
 * Capabilities that end while they are used, derived from and ended by others; accounts that are charged and given back by
 * several at once.
 */
#include <string.h>

#include "../client.h"

#define DEAD ((exo_u64)0xDEAD)

static struct {
    struct exo_capability_space space;
    struct exo_capability_table table[2];
    struct exo_account root;
    struct exo_account account[2];
    struct exo_object object;
    exo_u64 thing;    /* the object's memory, which the library must order */
    exo_u64 owner[2]; /* that of a process */
    exo_u64 top;      /* in table 0 */
    exo_u64 child;    /* of top, in table 1 */
    exo_u64 made[4];
    exo_u32 told; /* the end has been told */
    exo_u32 gone;
    exo_u32 released;
    exo_u32 begun; /* capabilities */
    exo_u64 held[CLIENT_THREADS + 1];
} stage;

static void count(exo_u32 *word)
{
    (void)exo_fetch_add32(word, 1u, EXO_RELAXED);
}

static void gone(void *context, void *owner, const struct exo_capability *ended)
{
    (void)context;
    client_check(ended->object == &stage.object);
    client_check(client_read(owner) != DEAD);
    count(&stage.gone);
}

static void release(void *context, struct exo_object *object)
{
    (void)context;
    client_check(object == &stage.object);
    client_write(&stage.thing, DEAD);
    count(&stage.released);
}

static void setup(void)
{
    exo_u32 i;
    memset(&stage, 0, sizeof(stage));
    exo_capability_space_init(&stage.space, EXO_NULL, gone, release);
    client_check(exo_account_init(&stage.root, EXO_NULL) == EXO_OK);
    for (i = 0; i < 2; i++) {
        client_check(exo_account_init(&stage.account[i], &stage.root) == EXO_OK);
        client_check(exo_capability_table_init(&stage.table[i], &stage.space, &stage.owner[i], &stage.account[i], 8) == EXO_OK);
    }
    exo_object_init(&stage.object, EXO_OBJECT_REGION);
    client_check(exo_capability_create(&stage.table[0], &stage.object, EXO_RIGHTS_ALL, 0, &stage.top) == EXO_OK);
    client_check(exo_capability_derive(&stage.table[0], stage.top, EXO_RIGHTS_ALL, &stage.table[1], &stage.child) == EXO_OK);
    stage.begun = 2;
    client_names("space", &stage.space, sizeof(stage.space));
    client_names("root", &stage.root, sizeof(stage.root));
    client_names("account", stage.account, sizeof(stage.account));
}

/* Use against revoke. */

static void revoke_all(void)
{
    client_check(exo_capability_revoke(&stage.table[0], stage.top, EXO_TRUE) == 2);
    (void)exo_fetch_or32(&stage.told, 1u, EXO_RELEASE);
}

/* These two at once: one of them comes too late, or finds less. */
static void end_object(void)
{
    exo_i64 ended = exo_object_end(&stage.space, &stage.object);
    client_check(ended >= 0 || ended == EXO_NOT_FOUND);
    (void)exo_fetch_or32(&stage.told, 1u, EXO_RELEASE);
}

static void revoke_or_not(void)
{
    exo_i64 ended = exo_capability_revoke(&stage.table[0], stage.top, EXO_TRUE);
    client_check(ended >= 0 || ended == EXO_NOT_FOUND);
}

static void use_child(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_u32 told = exo_load32(&stage.told, EXO_ACQUIRE);
        struct exo_capability *cap;
        exo_status status = exo_capability_use(&stage.table[1], stage.child, EXO_OBJECT_REGION, EXO_RIGHT_MAP_READ, &cap);
        client_check(status == EXO_OK || status == EXO_NOT_FOUND);
        if (status == EXO_OK) {
            client_check(told == 0);
            client_check(cap->object == &stage.object && cap->kind == EXO_OBJECT_REGION);
            client_check(client_read(&stage.thing) != DEAD);
            exo_capability_done(cap);
        }
    }
}

/* Somebody makes one, and somebody uses what he is told of by no more than a number. */
static void make_another(void)
{
    exo_u64 made = 0;
    client_write(&stage.owner[0], 1);
    client_check(exo_capability_create(&stage.table[1], &stage.object, EXO_RIGHTS_ALL, 5, &made) == EXO_OK);
    count(&stage.begun);
    client_check(exo_capability_drop(&stage.table[1], stage.child) == EXO_OK);
}

static void use_another(void)
{
    exo_u64 guess;
    for (guess = 0; guess < 2; guess++) {
        struct exo_capability *cap;
        exo_status status = exo_capability_use(&stage.table[1], (exo_u64)1 << 32 | guess, 0, EXO_RIGHTS_ALL, &cap);
        exo_status asked = exo_capability_check(&stage.table[1], (exo_u64)1 << 32 | 1, EXO_OBJECT_REGION, EXO_RIGHTS_ALL);
        client_check(asked == EXO_OK || asked == EXO_NOT_FOUND);
        client_check(status == EXO_OK || status == EXO_NOT_FOUND);
        if (status == EXO_OK) {
            client_check(cap->badge == (guess == 0 ? 0u : 5u) && cap->object == &stage.object);
            client_check(guess == 0 || client_read(&stage.owner[0]) == 1);
            exo_capability_done(cap);
        }
    }
}

/* All that has begun has ended, was told of once and is paid for no more. */
static void finish_all_gone(void)
{
    client_check(stage.released == 1);
    client_check(stage.gone == stage.begun);
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_CAPABILITIES) == 0);
    client_check(stage.space.lock == 0 && stage.table[0].ending == 0 && stage.table[1].ending == 0);
}

static void finish_some(void)
{
    exo_u64 left = exo_quota_used(&stage.root, EXO_QUOTA_CAPABILITIES);
    client_check(stage.released == 0 && stage.gone + left == stage.begun && stage.object.references == left);
}

/* A weak one ends, and a strong one begins in its place: the old number never has the new one's rights. */
static void weak_setup(void)
{
    setup();
    client_check(exo_capability_drop(&stage.table[1], stage.child) == EXO_OK);
    client_check(exo_capability_derive(&stage.table[0], stage.top, EXO_RIGHT_MAP_READ, &stage.table[1], &stage.child) == EXO_OK);
    stage.begun = 3;
}

static void replace_by_strong(void)
{
    exo_u64 made = 0;
    client_check(exo_capability_drop(&stage.table[1], stage.child) == EXO_OK);
    client_check(exo_capability_create(&stage.table[1], &stage.object, EXO_RIGHTS_ALL, 0, &made) == EXO_OK);
    client_check((exo_u32)made == (exo_u32)stage.child && made != stage.child);
    count(&stage.begun);
}

static void ask_for_more(void)
{
    exo_status asked = exo_capability_check(&stage.table[1], stage.child, EXO_OBJECT_REGION, EXO_RIGHT_DESTROY);
    client_check(asked == EXO_PERMISSION_DENIED || asked == EXO_NOT_FOUND);
}

CLIENT(check_reuse) = {.name = "capability-check-reuse", .setup = weak_setup, .thread = {replace_by_strong, ask_for_more},
                       .finish = finish_some};
CLIENT(revoke_use) = {.name = "capability-revoke-use", .setup = setup, .thread = {revoke_all, use_child, use_child},
                      .finish = finish_all_gone};
CLIENT(end_use) = {.name = "capability-end-use", .setup = setup, .thread = {end_object, use_child, revoke_or_not},
                   .finish = finish_all_gone};
CLIENT(create_use) = {.name = "capability-create-use", .setup = setup, .thread = {make_another, use_another},
                      .finish = finish_some};

/* Derive against revoke. */

static void derive_twice(void)
{
    exo_u32 self = client_self();
    exo_u64 from = stage.child;
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        exo_status status = exo_capability_derive(&stage.table[1], from, EXO_RIGHTS_ALL, &stage.table[1], &stage.made[self]);
        client_check(status == EXO_OK || status == EXO_NOT_FOUND || status == EXO_CLOSED);
        if (status != EXO_OK) {
            return;
        }
        count(&stage.begun);
        from = stage.made[self];
    }
}

static void drop_child(void)
{
    exo_status status = exo_capability_drop(&stage.table[1], stage.child);
    client_check(status == EXO_OK || status == EXO_NOT_FOUND);
}

static void revoke_derived(void)
{
    client_check(exo_capability_revoke(&stage.table[0], stage.top, EXO_FALSE) >= 0);
}

static void finish_only_top(void)
{
    exo_u32 i;
    for (i = 0; i < 4; i++) {
        client_check(exo_capability_check(&stage.table[1], stage.made[i], 0, 0) == EXO_NOT_FOUND);
    }
    client_check(exo_capability_check(&stage.table[1], stage.child, 0, 0) == EXO_NOT_FOUND);
    client_check(exo_capability_check(&stage.table[0], stage.top, 0, EXO_RIGHTS_ALL) == EXO_OK);
    client_check(stage.gone + 1 == stage.begun && stage.object.references == 1 && stage.released == 0);
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_CAPABILITIES) == 1);
    client_check(stage.object.open.next->next == stage.object.close.prev); /* no mark is left */
}

CLIENT(derive_revoke) = {.name = "capability-derive-revoke", .setup = setup,
                         .thread = {revoke_derived, derive_twice, drop_child}, .finish = finish_only_top};
CLIENT(revoke_twice) = {.name = "capability-revoke-twice", .setup = setup,
                        .thread = {revoke_or_not, derive_twice, revoke_or_not}, .finish = finish_all_gone};

/* The end of a process against revoke and against grants to it. */

static void process_ends(void)
{
    exo_capability_table_fini(&stage.table[1]);
    client_write(&stage.owner[1], DEAD);
}

static void grant(void)
{
    exo_u64 made;
    exo_status status = exo_capability_derive(&stage.table[0], stage.top, 0, &stage.table[1], &made);
    client_check(status == EXO_OK || status == EXO_NOT_FOUND || status == EXO_CLOSED);
    if (status == EXO_OK) {
        count(&stage.begun);
    }
}

CLIENT(fini_revoke) = {.name = "capability-fini-revoke", .setup = setup, .thread = {revoke_or_not, process_ends, grant},
                       .finish = finish_all_gone};

/* Each ends another one of the same table, and the table goes: not before the other is done, too. */

static void two_setup(void)
{
    setup();
    client_check(exo_capability_create(&stage.table[1], &stage.object, EXO_RIGHTS_ALL, 0, &stage.made[0]) == EXO_OK);
    stage.begun = 3;
}

static void finish_one_left(void)
{
    client_check(stage.gone == 2 && stage.object.references == 1 && stage.released == 0);
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_CAPABILITIES) == 1);
    client_check(stage.space.lock == 0 && stage.table[0].ending == 0 && stage.table[1].ending == 0);
}

CLIENT(fini_two) = {.name = "capability-fini-two", .setup = two_setup, .thread = {revoke_derived, process_ends},
                    .finish = finish_one_left};

/* Charges against returns. */

static void charge_setup(void)
{
    setup();
    client_check(exo_quota_limit_set(&stage.root, EXO_QUOTA_BYTES, 3) == EXO_OK);
    client_check(exo_quota_limit_set(&stage.account[0], EXO_QUOTA_BYTES, 2) == EXO_OK);
}

static void within_limits(void)
{
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_BYTES) <= 3);
    client_check(exo_quota_used(&stage.account[0], EXO_QUOTA_BYTES) <= 2);
}

/* Threads 1 and 2 share an account, the third has one of its own. */
static void charge_and_return(void)
{
    exo_u32 self = client_self();
    struct exo_account *account = &stage.account[self == 3 ? 1 : 0];
    exo_u64 amount = self == 2 ? 1 : 2;
    exo_status status = exo_quota_charge(account, EXO_QUOTA_BYTES, amount);
    within_limits();
    client_check(status == EXO_OK || status == EXO_QUOTA_EXCEEDED);
    if (status == EXO_OK) {
        client_check(exo_quota_return(account, EXO_QUOTA_BYTES, amount) == EXO_OK);
        within_limits();
    }
}

static void charge_finish(void)
{
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_BYTES) == 0);
    client_check(exo_quota_used(&stage.account[0], EXO_QUOTA_BYTES) == 0);
    client_check(exo_quota_used(&stage.account[1], EXO_QUOTA_BYTES) == 0);
}

CLIENT(charge) = {.name = "quota-charge-return", .setup = charge_setup,
                  .thread = {charge_and_return, charge_and_return, charge_and_return}, .finish = charge_finish};

/* Whoever gives back what another one has charged, told by nothing but the account. */
static void charge_one(void)
{
    client_check(exo_quota_charge(&stage.account[1], EXO_QUOTA_SLOTS, 1) == EXO_OK);
    stage.held[client_self()]++;
}

static void return_any(void)
{
    exo_u32 i;
    for (i = 0; i < 2; i++) {
        if (exo_quota_used(&stage.account[1], EXO_QUOTA_SLOTS) != 0) {
            client_check(exo_quota_return(&stage.account[1], EXO_QUOTA_SLOTS, 1) == EXO_OK);
            stage.held[client_self()]--;
        }
    }
}

static void return_finish(void)
{
    exo_u64 left = stage.held[1] + stage.held[2] + stage.held[3];
    client_check(exo_quota_used(&stage.account[1], EXO_QUOTA_SLOTS) == left);
    client_check(exo_quota_used(&stage.root, EXO_QUOTA_SLOTS) == left);
}

CLIENT(give_back) = {.name = "quota-give-back", .setup = charge_setup, .thread = {charge_one, charge_one, return_any},
                     .finish = return_finish};
