/* SPDX-License-Identifier: MIT */
/* The calls by the daemon's road answer what they answer within one process; what is mapped is what the handle allows. */
#include "one_daemon.h"

#include "exo_ipc/nucleus/nucleus.h"

/* Two processes of one user, by either road. */
struct scene {
    struct exo_door *a;
    struct exo_door *b;
    struct exo_client client[2];
    struct exo_inner_door inner[2];
    struct exo_process *process[2];
    struct exo_nucleus nucleus;
};

#define STEPS 160u

/* What each step answered, without the numbers that differ from run to run. */
struct record {
    exo_u32 count;
    exo_i64 answer[STEPS];
    const char *step[STEPS];
};

#define STEP(expression)                                                                                                   \
    do {                                                                                                                   \
        assert_true(record->count < STEPS);                                                                                \
        record->answer[record->count] = (exo_i64)(expression);                                                             \
        record->step[record->count++] = #expression;                                                                       \
    } while (0)

static void names_and_regions(struct scene *scene, struct record *record)
{
    static const char long_name[300] = {'x'};
    struct exo_sys_info info;
    exo_u64 region = 0;
    exo_u64 other = 0;
    exo_u64 theirs = 0;
    exo_u64 number = 0;
    exo_u64 count = 0;
    void *at = NULL;
    STEP(exo_sys_version(scene->a, &number));
    STEP(exo_sys_shm_create(scene->a, "", 0, 4096, 0, &other));
    STEP(exo_sys_close(scene->a, other));
    STEP(exo_sys_close(scene->a, other));
    STEP(exo_sys_close(scene->a, 0));
    STEP(exo_sys_close(scene->a, ~(exo_u64)0));
    STEP(exo_sys_shm_create(scene->a, "a/b", 3, 4096, 0, &other));
    STEP(exo_sys_shm_create(scene->a, "a\0b", 3, 4096, 0, &other));
    STEP(exo_sys_shm_create(scene->a, long_name, 256, 4096, 0, &other));
    STEP(exo_sys_shm_create(scene->a, "frames", 6, 0, 0, &other));
    STEP(exo_sys_shm_create(scene->a, "frames", 6, 4097, 0, &other));
    STEP(exo_sys_shm_create(scene->a, "frames", 6, ~(exo_u64)4095, 0, &other));
    STEP(exo_sys_shm_create(scene->a, "frames", 6, 4096, ~0u, &other));
    STEP(exo_sys_shm_create(scene->a, "frames", 6, 8192, EXO_PERMS(EXO_RIGHT_MAP_READ, 0), &region));
    STEP(exo_sys_shm_create(scene->b, "frames", 6, 8192, 0, &other));
    STEP(exo_sys_inspect(scene->a, region, &info));
    STEP(info.kind);
    STEP(info.rights);
    STEP(info.size);
    STEP(exo_sys_shm_open(scene->b, "frames", 6, EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &other));
    STEP(exo_sys_shm_open(scene->b, "unknown", 7, EXO_RIGHT_MAP_READ, &other));
    STEP(exo_sys_shm_open(scene->b, "frames", 6, 0, &other));
    STEP(exo_sys_shm_open(scene->b, "frames", 6, EXO_RIGHT_MAP_READ, &other));
    STEP(exo_sys_shm_map(scene->a, region, NULL, EXO_MAP_WRITE | EXO_MAP_EXEC, &at));
    STEP(exo_sys_shm_map(scene->a, region, NULL, 0, &at));
    STEP(exo_sys_shm_map(scene->a, region, NULL, 1u << 20, &at));
    STEP(exo_sys_shm_map(scene->a, region, (void *)4097, EXO_MAP_READ, &at));
    STEP(exo_sys_shm_map(scene->a, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at));
    STEP(memcmp(at, "\0\0\0", 4));
    memcpy(at, "abc", 4);
    STEP(exo_sys_shm_map(scene->a, region, at, EXO_MAP_READ, &at));
    STEP(exo_sys_shm_map(scene->b, other, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at));
    STEP(exo_sys_shm_map(scene->b, other, NULL, EXO_MAP_READ, &at));
    STEP(memcmp(at, "abc", 4));
    STEP(exo_sys_shm_protect(scene->b, at, EXO_MAP_READ | EXO_MAP_WRITE));
    STEP(exo_sys_shm_protect(scene->b, at, EXO_MAP_WRITE | EXO_MAP_EXEC));
    STEP(exo_sys_shm_protect(scene->b, at, EXO_MAP_READ));
    STEP(exo_sys_shm_protect(scene->b, (exo_u8 *)at + 4096, EXO_MAP_READ));
    STEP(exo_sys_shm_unmap(scene->b, (exo_u8 *)at + 4096));
    STEP(exo_sys_shm_unmap(scene->b, at));
    STEP(exo_sys_shm_unmap(scene->b, at));
    STEP(exo_sys_self(scene->b, &number));
    STEP(exo_sys_grant(scene->a, region, number + 1000, EXO_RIGHT_MAP_READ, &theirs));
    STEP(exo_sys_grant(scene->a, region, number, ~0u, &theirs));
    STEP(exo_sys_grant(scene->a, region, number, EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &theirs));
    STEP(exo_sys_grant(scene->b, theirs, number, EXO_RIGHT_MAP_READ, &other));
    STEP(exo_sys_derive(scene->b, theirs, EXO_RIGHT_MAP_READ, &other));
    STEP(exo_sys_derive(scene->b, theirs, EXO_RIGHT_DESTROY, &other));
    STEP(exo_sys_shm_destroy(scene->b, theirs));
    STEP(exo_sys_revoke(scene->a, region, EXO_FALSE, &count));
    STEP(count);
    STEP(exo_sys_shm_map(scene->b, theirs, NULL, EXO_MAP_READ, &at));
    STEP(exo_sys_channel_send(scene->a, region, "x", 1));
    STEP(exo_sys_shm_destroy(scene->a, region));
    STEP(exo_sys_shm_open(scene->a, "frames", 6, EXO_RIGHT_MAP_READ, &other));
}

static void channels_and_queues(struct scene *scene, struct record *record)
{
    static exo_u8 large[70000];
    struct exo_sys_letter letter;
    struct exo_sys_event events[8];
    exo_u64 channel = 0;
    exo_u64 peer = 0;
    exo_u64 queue = 0;
    exo_u64 source = 0;
    exo_u64 region = 0;
    char text[64];
    STEP(exo_sys_channel_create(scene->a, "talk", 4, EXO_PERMS(EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE, 0), 2, 65536, &channel));
    STEP(exo_sys_channel_open(scene->b, "talk", 4, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE | EXO_RIGHT_GRANT, &peer));
    STEP(exo_sys_channel_open(scene->b, "talk", 4, EXO_RIGHT_SEND | EXO_RIGHT_RECEIVE, &peer));
    STEP(exo_sys_channel_recv(scene->b, peer, text, sizeof(text)));
    STEP(exo_sys_channel_send(scene->a, channel, "hello", 5));
    STEP(exo_sys_channel_send(scene->a, channel, NULL, 0));
    STEP(exo_sys_channel_send(scene->a, channel, "full", 4));
    STEP(exo_sys_channel_recv(scene->b, peer, text, 3));
    STEP(exo_sys_channel_recv(scene->b, peer, text, sizeof(text)));
    STEP(memcmp(text, "hello", 5));
    STEP(exo_sys_channel_recv(scene->b, peer, text, sizeof(text)));
    STEP(exo_sys_channel_recv(scene->b, peer, text, sizeof(text)));
    memset(large, 7, sizeof(large));
    STEP(exo_sys_channel_send(scene->b, peer, large, 65536));
    STEP(exo_sys_channel_send(scene->b, peer, large, 65537));
    large[65535] = 0;
    STEP(exo_sys_channel_recv(scene->a, channel, large, sizeof(large)));
    STEP(large[65535]);
    STEP(exo_sys_queue_create(scene->b, 0, &queue));
    STEP(exo_sys_queue_create(scene->b, 2, &queue));
    STEP(exo_sys_wait(scene->b, queue, events, 8, EXO_NOW));
    STEP(exo_sys_wait(scene->b, queue, events, 8, in_ms(5)));
    STEP(exo_sys_wait(scene->b, queue, events, 0, EXO_NOW));
    STEP(exo_sys_wait(scene->b, peer, events, 8, EXO_FOREVER));
    STEP(exo_sys_queue_bind(scene->b, queue, peer, 77, EXO_READABLE, &source));
    STEP(exo_sys_shm_create(scene->a, NULL, 0, 4096, 0, &region));
    memset(&letter, 0, sizeof(letter));
    letter.passed = region;
    letter.rights = EXO_RIGHT_MAP_READ;
    letter.header = exo_message_header_new(EXO_MESSAGE_DATA, 3, 0, 0);
    letter.header.total_size = 0;
    STEP(exo_sys_channel_send_letter(scene->a, channel, &letter, "with", 4));
    STEP(exo_sys_wait(scene->b, queue, events, 8, EXO_FOREVER));
    STEP(events[0].key);
    STEP(events[0].events);
    STEP(exo_sys_channel_recv_letter(scene->b, peer, &letter, text, sizeof(text)));
    STEP(letter.rights);
    STEP(letter.header.priority);
    STEP(exo_sys_derive(scene->b, letter.passed, EXO_RIGHT_MAP_READ, &region));
    STEP(exo_sys_queue_post(scene->b, queue, source, EXO_READABLE));
    STEP(exo_sys_queue_unbind(scene->b, queue, source));
    STEP(exo_sys_close(scene->a, channel));
    STEP(exo_sys_channel_send(scene->b, peer, "x", 1));
    STEP(exo_sys_channel_recv(scene->b, peer, text, sizeof(text)));
}

static void quotas(struct scene *scene, struct record *record)
{
    struct exo_sys_quota quota;
    exo_u64 region = 0;
    exo_u64 group = 0;
    STEP(exo_sys_quota_get(scene->a, 0, &quota));
    STEP(exo_sys_quota_set(scene->a, 0, 0, EXO_QUOTA_REGIONS, quota.used[EXO_QUOTA_REGIONS] + 1));
    STEP(exo_sys_quota_set(scene->a, 0, 0, EXO_QUOTA_REGIONS, 1000));
    STEP(exo_sys_quota_set(scene->a, 0, 0, EXO_SYS_QUOTAS, 1));
    STEP(exo_sys_shm_create(scene->a, NULL, 0, 4096, 0, &region));
    STEP(exo_sys_shm_create(scene->a, NULL, 0, 4096, 0, &region));
    STEP(exo_sys_group_create(scene->a, &group));
    STEP(exo_sys_quota_get(scene->a, group, &quota));
    STEP(exo_sys_quota_set(scene->a, group, 0, EXO_QUOTA_BYTES, 4096));
    STEP(exo_sys_group_join(scene->b, group));
    STEP(exo_sys_group_join(scene->a, group));
}

static void run_script(struct scene *scene, struct record *record)
{
    names_and_regions(scene, record);
    channels_and_queues(scene, record);
    quotas(scene, record);
}

static void by_the_daemon_the_calls_answer_what_they_answer_in_process(void **state)
{
    static struct scene scene;
    static struct record records[2];
    struct exo_nucleus_config config;
    exo_u32 i;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.serial = EXO_TRUE;
    assert_int_equal(exo_init(&scene.nucleus, &config), EXO_OK);
    for (i = 0; i < 2; i++) {
        struct exo_process_config process;
        memset(&process, 0, sizeof(process));
        assert_int_equal(exo_process_begin(&scene.nucleus, &process, &scene.process[i]), EXO_OK);
        exo_inner_door_init(&scene.inner[i], scene.process[i]);
        assert_int_equal(client_connects(&scene.client[i], running.path), EXO_OK);
    }
    scene.a = &scene.inner[0].door;
    scene.b = &scene.inner[1].door;
    run_script(&scene, &records[0]);
    scene.a = &scene.client[0].door;
    scene.b = &scene.client[1].door;
    run_script(&scene, &records[1]);
    for (i = 0; i < records[0].count; i++) {
        if (records[0].answer[i] != records[1].answer[i]) {
            print_message("%s: %lld in process, %lld by the daemon\n", records[0].step[i],
                          (long long)records[0].answer[i], (long long)records[1].answer[i]);
        }
        assert_int_equal(records[0].answer[i], records[1].answer[i]);
    }
    for (i = 0; i < 2; i++) {
        exo_process_end(scene.process[i], EXO_FALSE);
        exo_client_close(&scene.client[i]);
    }
    exo_fini(&scene.nucleus);
}

/* Ask for a region's descriptor as a client does, and keep it. */
static int descriptor_of(struct exo_client *client, exo_u64 handle, exo_u32 flags)
{
    struct exo_syscall call;
    int descriptor = -1;
    memset(&call, 0, sizeof(call));
    call.number = EXO_SYS_SHM_MAP;
    call.version = EXO_SYSCALL_VERSION;
    call.argument[0] = handle;
    call.argument[2] = flags;
    (void)exo_client_talk_pvt(client, &call, &descriptor);
    return descriptor;
}

static void a_descriptor_carries_no_more_than_the_right(void **state)
{
    static struct exo_client owner;
    static struct exo_client other;
    exo_u64 region = 0;
    exo_u64 number = 0;
    exo_u64 theirs = 0;
    int descriptor;
    void *at;
    (void)state;
    assert_int_equal(client_connects(&owner, running.path), EXO_OK);
    assert_int_equal(client_connects(&other, running.path), EXO_OK);
    assert_int_equal(exo_sys_self(&other.door, &number), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&owner.door, NULL, 0, 4096, 0, &region), EXO_OK);
    assert_int_equal(exo_sys_grant(&owner.door, region, number, EXO_RIGHT_MAP_READ, &theirs), EXO_OK);
    assert_int_equal(descriptor_of(&other, theirs, EXO_MAP_READ | EXO_MAP_WRITE), -1);
    descriptor = descriptor_of(&other, theirs, EXO_MAP_READ);
    assert_true(descriptor >= 0);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) == MAP_FAILED);
    at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, descriptor, 0);
    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at, 4096, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(write(descriptor, "x", 1), -1);
    assert_int_equal(ftruncate(descriptor, 0), -1);
    assert_int_equal(munmap(at, 4096), 0);
    assert_int_equal(close(descriptor), 0);
    /* One that may write cannot change the size either: nobody gets SIGBUS. */
    descriptor = descriptor_of(&owner, region, EXO_MAP_READ | EXO_MAP_WRITE);
    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, 0), -1);
    assert_int_equal(ftruncate(descriptor, 1 << 20), -1);
    assert_int_equal(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(close(descriptor), 0);
    exo_client_close(&owner);
    exo_client_close(&other);
}

static void a_handle_that_ends_unmaps_here_what_was_mapped_under_it(void **state)
{
    static struct exo_client client;
    exo_u64 region = 0;
    exo_u64 derived = 0;
    void *under_one = NULL;
    void *under_other = NULL;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&client.door, NULL, 0, 4096, 0, &region), EXO_OK);
    assert_int_equal(exo_sys_derive(&client.door, region, EXO_RIGHT_MAP_READ, &derived), EXO_OK);
    assert_int_equal(exo_sys_shm_map(&client.door, region, NULL, EXO_MAP_READ, &under_one), EXO_OK);
    assert_int_equal(exo_sys_shm_map(&client.door, derived, NULL, EXO_MAP_READ, &under_other), EXO_OK);
    assert_int_equal(exo_sys_close(&client.door, region), EXO_OK);
    assert_int_equal(exo_sys_shm_unmap(&client.door, under_one), EXO_NOT_FOUND);
    assert_int_equal(*(const exo_u8 *)under_other, 0);
    assert_int_equal(exo_sys_shm_unmap(&client.door, under_other), EXO_OK);
    exo_client_close(&client);
}

/* Many mappings, taken out in another order than they came. */
static void the_table_of_mappings_finds_each_of_many(void **state)
{
    enum { MANY = 400 };
    static struct exo_client client;
    static void *at[MANY];
    exo_u64 region = 0;
    exo_u32 i;
    (void)state;
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&client.door, NULL, 0, 4096, 0, &region), EXO_OK);
    for (i = 0; i < MANY; i++) {
        assert_int_equal(exo_sys_shm_map(&client.door, region, NULL, EXO_MAP_READ, &at[i]), EXO_OK);
    }
    for (i = 0; i < MANY; i++) {
        assert_int_equal(exo_sys_shm_unmap(&client.door, at[i * 7 % MANY]), EXO_OK);
        assert_int_equal(exo_sys_shm_unmap(&client.door, at[i * 7 % MANY]), EXO_NOT_FOUND);
    }
    assert_int_equal(client.maps.count, 0);
    exo_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(by_the_daemon_the_calls_answer_what_they_answer_in_process),
        CLAIM(a_descriptor_carries_no_more_than_the_right),
        CLAIM(a_handle_that_ends_unmaps_here_what_was_mapped_under_it),
        CLAIM(the_table_of_mappings_finds_each_of_many),
    };
    return cmocka_run_group_tests_name("calls", tests, begin, end);
}
