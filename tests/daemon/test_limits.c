/* SPDX-License-Identifier: MIT */
/* What a user may take when nobody has said it. */
#include "daemon_fixture.h"

#include <sys/resource.h>

#define DESCRIPTORS 64u /* of the daemon */
#define FILE_BYTES (1u << 20)

static struct running running;
static struct exo_client client;

/* A daemon without options. A file that is too large is an error to it, so that no memory is committed for what it lets pass. */
static void limits_begin(exo_u32 descriptors)
{
    const struct rlimit few = {descriptors, descriptors};
    const struct rlimit small = {FILE_BYTES, FILE_BYTES};
    (void)strcpy(running.folder, "/tmp/exo_ipcd_XXXXXX");
    assert_non_null(mkdtemp(running.folder));
    (void)snprintf(running.path, sizeof(running.path), "%s/socket", running.folder);
    running.daemon = fork();
    assert_true(running.daemon >= 0);
    if (running.daemon == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &small);
        if (descriptors != 0) {
            (void)setrlimit(RLIMIT_NOFILE, &few);
        }
        (void)execl(getenv("EXO_IPCD"), "exo-ipcd", "--socket", running.path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
}

static void limits_end(void)
{
    exo_client_close(&client);
    running_end(&running);
}

static exo_status takes_bytes(exo_u64 bytes)
{
    exo_u64 region = 0;
    return exo_sys_shm_create(&client.door, NULL, 0, (exo_size)bytes, 0, &region);
}

static void half_of_the_memory(void **state)
{
    const exo_u64 page = (exo_u64)sysconf(_SC_PAGESIZE);
    const exo_u64 half = (exo_u64)sysconf(_SC_PHYS_PAGES) * page / 2 / page * page;
    (void)state;
    limits_begin(0);
    assert_int_equal(takes_bytes(half + page), EXO_QUOTA_EXCEEDED);
    assert_int_equal(takes_bytes(half), EXO_NO_MEMORY); /* he may; it is the file that is too large */
    assert_int_equal(takes_bytes(page), EXO_OK);
    assert_int_equal(takes_bytes(half), EXO_QUOTA_EXCEEDED);
    limits_end();
}

static void a_quarter_of_the_descriptors_for_regions_and_one_for_connections(void **state)
{
    static struct exo_client others[DESCRIPTORS];
    exo_u32 count = 0;
    exo_status status;
    (void)state;
    if (SANITIZED) {
        skip(); /* a sanitizer wants descriptors of its own */
    }
    limits_begin(DESCRIPTORS);
    while ((status = takes_bytes(4096)) == EXO_OK && count < DESCRIPTORS) {
        count++;
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(count, DESCRIPTORS / 4);
    for (count = 1; count < DESCRIPTORS; count++) { /* two for each */
        status = exo_client_open(&others[count], running.path, in_seconds(20));
        if (status != EXO_OK) {
            break;
        }
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(count, DESCRIPTORS / 8);
    while (count > 1) {
        exo_client_close(&others[--count]);
    }
    limits_end();
}

static void so_many_channels_sources_and_messages(void **state)
{
    enum { CHANNELS = 1 << 14, SLOTS = 1 << 16, SLOTS_OF_ONE = 4096, MESSAGES = 1 << 16, MESSAGES_OF_ONE = 1024 };
    exo_u64 handle = 0;
    exo_u32 count = 0;
    exo_u32 i;
    exo_status status;
    (void)state;
    limits_begin(0);
    for (status = EXO_OK; status == EXO_OK && count <= SLOTS; count += SLOTS_OF_ONE) {
        status = exo_sys_queue_create(&client.door, SLOTS_OF_ONE, &handle);
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(count, SLOTS + SLOTS_OF_ONE);
    for (count = 0, status = EXO_OK; status == EXO_OK && count <= MESSAGES; count += status == EXO_OK) {
        if (count % MESSAGES_OF_ONE == 0) {
            assert_int_equal(exo_sys_channel_create(&client.door, NULL, 0, 0, MESSAGES_OF_ONE, 8, &handle), EXO_OK);
        }
        status = exo_sys_channel_send(&client.door, handle, "m", 1);
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(count, MESSAGES);
    for (i = MESSAGES / MESSAGES_OF_ONE + 1, status = EXO_OK; status == EXO_OK && i <= CHANNELS; i += status == EXO_OK) {
        status = exo_sys_channel_create(&client.door, NULL, 0, 0, 1, 8, &handle);
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(i, CHANNELS);
    limits_end();
}

static void so_many_capabilities(void **state)
{
    enum { CAPABILITIES = 1 << 18 };
    exo_u64 queue = 0;
    exo_u64 handle = 0;
    exo_u32 count = 1;
    exo_status status;
    (void)state;
    if (SANITIZED) {
        skip(); /* it takes too many calls */
    }
    limits_begin(0);
    assert_int_equal(exo_sys_queue_create(&client.door, 1, &queue), EXO_OK);
    while ((status = exo_sys_derive(&client.door, queue, EXO_RIGHT_RECEIVE, &handle)) == EXO_OK && count <= CAPABILITIES) {
        count++;
    }
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    assert_int_equal(count, CAPABILITIES);
    limits_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(half_of_the_memory),
        CLAIM(a_quarter_of_the_descriptors_for_regions_and_one_for_connections),
        CLAIM(so_many_channels_sources_and_messages),
        CLAIM(so_many_capabilities),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
