/* SPDX-License-Identifier: MIT */
/*
 * Queues of events of the nucleus, groups and quotas, and random calls by three processes at once.
 */
#include "nucleus_fixture.h"

#include <unistd.h>

#define MILLISECOND 1000000ull

static struct world world;
static exo_u64 side[2];
static exo_u64 queue;

static int begin(void **state)
{
    (void)state;
    world_begin(&world);
    assert_int_equal(exo_sys_channel_create(world.door[0], "talk", 4, EXO_PERMS(EXO_RIGHTS_CHANNEL, 0), 2, 64, &side[0]),
                     EXO_OK);
    assert_int_equal(exo_sys_channel_open(world.door[1], "talk", 4, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE, &side[1]),
                     EXO_OK);
    assert_int_equal(exo_sys_queue_create(world.door[0], 4, &queue), EXO_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void assert_event(exo_u64 key, exo_u32 events)
{
    struct exo_sys_event got;
    assert_int_equal(exo_sys_wait(world.door[0], queue, &got, 1, EXO_NOW), 1);
    assert_int_equal(got.key, key);
    assert_int_equal(got.events, events);
}

static void assert_quiet(void)
{
    struct exo_sys_event got;
    assert_int_equal(exo_sys_wait(world.door[0], queue, &got, 1, EXO_NOW), EXO_WOULD_BLOCK);
}

static void a_channel_tells_what_happens_to_it(void **state)
{
    const exo_u32 all = EXO_READABLE | EXO_WRITABLE | EXO_PEER_CLOSED | EXO_PEER_GONE;
    exo_u64 source = 0;
    exo_u32 word = 1;
    (void)state;
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, side[0], 77, all, &source), EXO_OK);
    assert_event(77, EXO_WRITABLE);
    assert_quiet();
    assert_int_equal(exo_sys_channel_send(world.door[1], side[1], &word, 4), EXO_OK);
    assert_int_equal(exo_sys_channel_send(world.door[1], side[1], &word, 4), EXO_OK);
    assert_event(77, EXO_READABLE); /* equal ones coalesce */
    assert_quiet();
    assert_int_equal(exo_sys_channel_send(world.door[0], side[0], &word, 4), EXO_OK);
    assert_quiet();
    assert_int_equal(exo_sys_channel_recv(world.door[1], side[1], &word, 4), 4);
    assert_event(77, EXO_WRITABLE);
    world_end_one(&world, 1, EXO_TRUE);
    assert_event(77, EXO_PEER_GONE);
    assert_int_equal(exo_sys_queue_unbind(world.door[0], queue, source), EXO_OK);
    assert_int_equal(exo_sys_queue_unbind(world.door[0], queue, source), EXO_NOT_FOUND);
}

static void what_is_so_already_is_the_first_event(void **state)
{
    exo_u64 source = 0;
    exo_u32 word = 1;
    (void)state;
    assert_int_equal(exo_sys_channel_send(world.door[1], side[1], &word, 4), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[1], side[1]), EXO_OK);
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, side[0], 5, EXO_READABLE, &source), EXO_OK);
    assert_event(5, EXO_READABLE | EXO_PEER_CLOSED);
}

static void a_binding_ends_with_its_handle(void **state)
{
    exo_u64 other = 0;
    exo_u64 source = 0;
    exo_u32 word = 1;
    (void)state;
    assert_int_equal(exo_sys_derive(world.door[0], side[0], EXO_RIGHT_RECEIVE, &other), EXO_OK);
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, other, 5, EXO_READABLE, &source), EXO_OK);
    assert_int_equal(exo_sys_close(world.door[0], other), EXO_OK);
    assert_int_equal(exo_sys_channel_send(world.door[1], side[1], &word, 4), EXO_OK);
    assert_quiet();
}

static void bindings_are_checked(void **state)
{
    exo_u64 weak = 0;
    exo_u64 source = 0;
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, 99, 0, EXO_READABLE, &source), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, queue, 0, EXO_READABLE, &source), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, side[0], 0, 0, &source), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_queue_bind(world.door[0], side[0], side[0], 0, EXO_READABLE, &source), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_sys_derive(world.door[0], queue, EXO_RIGHT_SEND, &weak), EXO_OK);
    assert_int_equal(exo_sys_queue_bind(world.door[0], weak, side[0], 0, EXO_READABLE, &source), EXO_PERMISSION_DENIED);
    for (i = 0; i < 4; i++) {
        assert_int_equal(exo_sys_queue_bind(world.door[0], queue, 0, i, EXO_USER_EVENT, &source), EXO_OK);
    }
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, 0, 4, EXO_USER_EVENT, &source), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_sys_queue_create(world.door[0], 0, &weak), EXO_INVALID_SIZE);
    assert_int_equal(exo_sys_queue_create(world.door[0], 4097, &weak), EXO_INVALID_SIZE);
    assert_int_equal(used(&world, 0, EXO_QUOTA_SLOTS), 4);
}

static void users_post_events_of_their_own(void **state)
{
    exo_u64 weak = 0;
    exo_u64 source = 0;
    (void)state;
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, 0, 9, EXO_USER_EVENT | EXO_USER_EVENT << 3, &source),
                     EXO_OK);
    assert_int_equal(exo_sys_grant(world.door[0], queue, world.number[2], EXO_RIGHT_SEND, &weak), EXO_OK);
    assert_int_equal(exo_sys_queue_post(world.door[2], weak, source, EXO_USER_EVENT << 3), EXO_OK);
    assert_int_equal(exo_sys_queue_post(world.door[2], weak, source, EXO_READABLE), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_queue_post(world.door[2], weak, source + 1, EXO_USER_EVENT), EXO_NOT_FOUND);
    assert_event(9, EXO_USER_EVENT << 3);
}

static void *ends_the_wait(void *argument)
{
    exo_u32 how = *(exo_u32 *)argument;
    exo_u32 word = 1;
    (void)usleep(20000);
    if (how == 0) {
        assert_int_equal(exo_sys_channel_send(world.door[1], side[1], &word, 4), EXO_OK);
    } else if (how == 1) {
        assert_int_equal(exo_sys_close(world.door[0], queue), EXO_OK);
    } else {
        world_end_one(&world, 1, EXO_TRUE);
    }
    return NULL;
}

static void a_sleeper_is_woken_by_each_of_them(void **state)
{
    static const exo_i64 answers[] = {1, EXO_NOT_FOUND, 1};
    struct exo_sys_event got;
    exo_u64 deadline;
    exo_u32 how;
    (void)state;
    for (how = 0; how < 3; how++) {
        exo_u64 source = 0;
        pthread_t thread;
        assert_int_equal(exo_sys_queue_bind(world.door[0], queue, side[0], 3,
                                            EXO_READABLE | EXO_PEER_GONE, &source), EXO_OK);
        while (exo_sys_wait(world.door[0], queue, &got, 1, EXO_NOW) == 1) {
        }
        assert_int_equal(exo_sys_wait(world.door[0], queue, &got, 1, exo_port_now_ns() + MILLISECOND), EXO_TIMEOUT);
        assert_int_equal(pthread_create(&thread, NULL, ends_the_wait, &how), 0);
        deadline = exo_port_now_ns() + 20000 * MILLISECOND;
        assert_int_equal(exo_sys_wait(world.door[0], queue, &got, 1, deadline), answers[how]);
        assert_true(exo_port_now_ns() < deadline);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (how == 1) {
            assert_int_equal(exo_sys_queue_create(world.door[0], 4, &queue), EXO_OK);
        }
    }
}

static void *revokes(void *argument)
{
    (void)argument;
    (void)usleep(20000);
    assert_int_equal(exo_sys_revoke(world.door[0], queue, EXO_FALSE, NULL), EXO_OK);
    return NULL;
}

/* The queue itself stays: only the handle that somebody waits by has gone. */
static void revoking_wakes_who_waits_by_what_was_derived(void **state)
{
    struct exo_sys_event got;
    pthread_t thread;
    exo_u64 deadline;
    exo_u64 weak = 0;
    (void)state;
    assert_int_equal(exo_sys_grant(world.door[0], queue, world.number[1], EXO_RIGHT_RECEIVE, &weak), EXO_OK);
    assert_int_equal(pthread_create(&thread, NULL, revokes, NULL), 0);
    deadline = exo_port_now_ns() + 20000 * MILLISECOND;
    assert_int_equal(exo_sys_wait(world.door[1], weak, &got, 1, deadline), EXO_NOT_FOUND);
    assert_true(exo_port_now_ns() < deadline); /* at the deadline it would have found out by itself */
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_quiet();
}

static void a_quota_that_runs_low_is_an_event(void **state)
{
    exo_u64 source = 0;
    exo_u64 made[10];
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_sys_quota_set(world.door[0], 0, 0, EXO_QUOTA_CAPABILITIES, 12), EXO_OK);
    assert_int_equal(exo_sys_quota_set(world.door[0], 0, 0, EXO_QUOTA_CAPABILITIES, 13), EXO_PERMISSION_DENIED);
    assert_int_equal(exo_sys_queue_bind(world.door[0], queue, 0, 8, EXO_QUOTA_LOW, &source), EXO_OK);
    for (i = 0; i < 10; i++) {
        assert_int_equal(exo_sys_derive(world.door[0], side[0], 0, &made[i]), EXO_OK);
    }
    assert_int_equal(exo_sys_derive(world.door[0], side[0], 0, &made[0]), EXO_QUOTA_EXCEEDED);
    assert_event(8, EXO_QUOTA_LOW);
    assert_quiet();
}

static void a_group_pays_for_its_members_and_its_owner_limits_them(void **state)
{
    struct exo_process_config config = {USER, NULL, NULL, NULL, EXO_FALSE, NULL};
    struct exo_sys_quota quota;
    struct exo_capability *held = NULL;
    struct exo_inner_door inner;
    struct exo_process *member;
    exo_u64 group = 0;
    exo_u64 region = 0;
    (void)state;
    assert_int_equal(exo_sys_group_create(world.door[0], &group), EXO_OK);
    assert_int_equal(exo_capability_use(&world.process[0]->capabilities, group, EXO_OBJECT_GROUP, 0, &held), EXO_OK);
    config.group = held->object;
    assert_int_equal(exo_process_begin(&world.nucleus, &config, &member), EXO_OK);
    exo_capability_done(held);
    exo_inner_door_init(&inner, member);
    assert_int_equal(exo_sys_quota_set(world.door[0], group, 0, EXO_QUOTA_BYTES, 8192), EXO_OK);
    assert_int_equal(exo_sys_quota_set(world.door[0], group, exo_process_number(member), EXO_QUOTA_REGIONS, 1), EXO_OK);
    assert_int_equal(exo_sys_quota_set(world.door[0], group, world.number[1], EXO_QUOTA_REGIONS, 1), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_quota_set(world.door[0], group, 0, EXO_SYS_QUOTAS, 1), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sys_quota_set(world.door[1], group, 0, EXO_QUOTA_BYTES, 1), EXO_NOT_FOUND);
    assert_int_equal(exo_sys_shm_create(&inner.door, NULL, 0, 12288, 0, &region), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_sys_shm_create(&inner.door, NULL, 0, 4096, 0, &region), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&inner.door, NULL, 0, 4096, 0, &region), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_sys_quota_get(world.door[0], group, &quota), EXO_OK);
    assert_int_equal(quota.used[EXO_QUOTA_BYTES], 4096);
    assert_int_equal(quota.limit[EXO_QUOTA_BYTES], 8192);
    assert_int_equal(exo_sys_group_join(world.door[1], group), EXO_NOT_SUPPORTED);
    exo_process_end(member, EXO_TRUE);
    assert_int_equal(exo_sys_quota_get(world.door[0], group, &quota), EXO_OK);
    assert_int_equal(quota.used[EXO_QUOTA_BYTES], 0);
}

/* Random calls: small numbers, handles that were seen, buffers that are there. */
static exo_u64 handles[64];
static exo_u8 buffers[4][128] __attribute__((aligned(16)));

static exo_u64 random_argument(unsigned *seed)
{
    exo_u32 pick = (exo_u32)rand_r(seed) % 8;
    if (pick < 4) {
        return handles[(exo_u32)rand_r(seed) % 64];
    }
    if (pick == 4) {
        return (exo_u64)(uintptr_t)buffers[(exo_u32)rand_r(seed) % 4];
    }
    if (pick == 5) {
        return (exo_u64)rand_r(seed) % 200;
    }
    return pick == 6 ? 4096u * ((exo_u64)rand_r(seed) % 3) : world.number[(exo_u32)rand_r(seed) % PROCESSES];
}

/* Addresses where a call takes one; all else as it comes. */
static void random_call(unsigned *seed, struct exo_syscall *call)
{
    struct exo_syscall_form form;
    exo_u32 i;
    memset(call, 0, sizeof(*call));
    call->version = EXO_SYSCALL_VERSION;
    call->number = (exo_u32)rand_r(seed) % EXO_SYSCALLS;
    form = exo_syscall_form_of(call->number);
    for (i = 0; i < form.arguments; i++) {
        call->argument[i] = random_argument(seed);
        if (i == form.in || i == form.out || i == form.letter) {
            call->argument[i] = (exo_u64)(uintptr_t)buffers[(exo_u32)rand_r(seed) % 4];
        } else if (i == form.in + 1u || i == form.out + 1u) {
            call->argument[i] = (exo_u64)rand_r(seed) % 128;
        }
    }
    if (call->number == EXO_SYS_WAIT) {
        call->argument[3] = EXO_NOW;
    }
    if (call->number == EXO_SYS_SHM_MAP) {
        call->argument[1] = 0;
    }
}

static void random_calls_leave_nothing_behind(void **state)
{
    unsigned seed = 20261125;
    exo_u32 answers[2] = {0, 0};
    exo_u32 round;
    (void)state;
    for (round = 0; round < 200000; round++) {
        struct exo_syscall call;
        exo_u32 who = (exo_u32)rand_r(&seed) % PROCESSES;
        if (round % 5000 == 4999) {
            world_end_one(&world, who, round % 2 == 0);
            world_begin_one(&world, who);
        }
        memset(buffers[0], rand_r(&seed) % 3, 8); /* what is passed, or how a name begins */
        memcpy(buffers[1], &handles[(exo_u32)rand_r(&seed) % 64], 8);
        memset(buffers[2], 'a' + rand_r(&seed) % 8, 2);
        random_call(&seed, &call);
        answers[exo_syscall_dispatch(world.process[who], &call) == EXO_OK]++;
        if (call.result > 0xFFFFFFFFull) {
            handles[(exo_u32)rand_r(&seed) % 64] = call.result;
        }
    }
    print_message("             %u refused, %u done\n", answers[0], answers[1]);
    assert_true(answers[1] > 1000);
}

int main(void)
{
#define WITH(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(a_channel_tells_what_happens_to_it),
        WITH(what_is_so_already_is_the_first_event),
        WITH(a_binding_ends_with_its_handle),
        WITH(bindings_are_checked),
        WITH(users_post_events_of_their_own),
        WITH(a_sleeper_is_woken_by_each_of_them),
        WITH(revoking_wakes_who_waits_by_what_was_derived),
        WITH(a_quota_that_runs_low_is_an_event),
        WITH(a_group_pays_for_its_members_and_its_owner_limits_them),
        WITH(random_calls_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
