/* SPDX-License-Identifier: MIT */
/* Who is let in, what a user may take, and what two users may do with each other's. */
#include "daemon_fixture.h"

#include <grp.h>
#include <sys/resource.h>

#define STRANGER 65534u
#define OTHER 65533u
#define CLUB 4321u

/* A user who is somebody else connects; what he then does is the body's affair. */
struct visitor {
    struct exo_client client;
    const char *path;
    exo_u32 uid;
    exo_u32 gid;
    exo_u32 club; /* a group beside the first, or 0 */
    exo_status expected; /* of connecting */
    void (*body)(struct visitor *visitor);
};

static void visits(void *argument)
{
    struct visitor *visitor = (struct visitor *)argument;
    const gid_t club = visitor->club;
    CHECK(setgroups(visitor->club != 0, &club) == 0);
    CHECK(setgid(visitor->gid) == 0 && setuid(visitor->uid) == 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    CHECK(client_connects(&visitor->client, visitor->path) == visitor->expected);
    if (visitor->expected == EXO_OK && visitor->body != NULL) {
        visitor->body(visitor);
    }
    if (visitor->expected == EXO_OK) {
        exo_client_close(&visitor->client);
    }
}

static int send_in(struct visitor *visitor, const char *path, exo_status expected)
{
    visitor->path = path;
    visitor->expected = expected;
    return join_child(start_child(visits, visitor));
}

static exo_bool is_root(void)
{
    return geteuid() == 0;
}

static void wait_until_open(const struct running *running)
{
    static struct exo_client client;
    assert_int_equal(client_connects(&client, running->path), EXO_OK);
    exo_client_close(&client);
}

/* Somebody of another user and group; skips the claim for who cannot become that. */
static void a_stranger_comes(struct visitor *visitor)
{
    if (!is_root()) {
        print_message("skipped: another user takes root to become\n");
        skip();
    }
    memset(visitor, 0, sizeof(*visitor));
    visitor->uid = STRANGER;
    visitor->gid = STRANGER;
}

static void a_users_daemon_lets_no_other_user_in(void **state)
{
    struct running running;
    struct visitor visitor;
    (void)state;
    a_stranger_comes(&visitor);
    running_begin(&running, NULL, NULL);
    wait_until_open(&running);
    assert_int_equal(send_in(&visitor, running.path, EXO_PERMISSION_DENIED), 0); /* by the file's rights */
    assert_int_equal(chmod(running.path, 0666), 0);
    assert_int_equal(send_in(&visitor, running.path, EXO_PERMISSION_DENIED), 0); /* by the daemon */
    running_end(&running);
}

static void a_list_of_groups_is_all_that_are_let_in(void **state)
{
    static char club[] = "4321";
    struct running running;
    struct visitor visitor;
    (void)state;
    a_stranger_comes(&visitor);
    running_begin(&running, "--system", "--allow-gid=4321");
    wait_until_open(&running);
    assert_string_equal(club, "4321");
    assert_int_equal(send_in(&visitor, running.path, EXO_PERMISSION_DENIED), 0);
    visitor.gid = CLUB;
    assert_int_equal(send_in(&visitor, running.path, EXO_OK), 0);
    visitor.gid = STRANGER;
    visitor.club = CLUB;
    assert_int_equal(send_in(&visitor, running.path, EXO_OK), 0);
    running_end(&running);
}

static void reads_but_cannot_write(struct visitor *visitor)
{
    struct exo_daemon_report report;
    exo_u64 region = 0;
    void *at = NULL;
    struct exo_door *door = &visitor->client.door;
    CHECK(exo_sys_shm_open(door, "private", 7, EXO_RIGHT_MAP_READ, &region) == EXO_PERMISSION_DENIED);
    CHECK(exo_sys_shm_open(door, "public", 6, EXO_RIGHT_MAP_READ | EXO_RIGHT_MAP_WRITE, &region) ==
          EXO_PERMISSION_DENIED);
    CHECK(exo_sys_shm_open(door, "public", 6, EXO_RIGHT_MAP_READ, &region) == EXO_OK);
    CHECK(exo_sys_shm_map(door, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at) == EXO_PERMISSION_DENIED);
    CHECK(exo_sys_shm_map(door, region, NULL, EXO_MAP_READ, &at) == EXO_OK);
    CHECK(strcmp((const char *)at, "to all") == 0);
    CHECK(exo_sys_shm_protect(door, at, EXO_MAP_READ | EXO_MAP_WRITE) == EXO_PERMISSION_DENIED);
    CHECK(mprotect(at, 4096, PROT_READ | PROT_WRITE) != 0);
    CHECK(exo_client_report(&visitor->client, &report) == EXO_PERMISSION_DENIED);
}

/* Not even by opening its own descriptor anew: the file is another user's. */
static void cannot_reopen_for_writing(struct visitor *visitor)
{
    struct exo_syscall call;
    char path[64];
    int descriptor = -1;
    exo_u64 region = 0;
    CHECK(exo_sys_shm_open(&visitor->client.door, "public", 6, EXO_RIGHT_MAP_READ, &region) == EXO_OK);
    memset(&call, 0, sizeof(call));
    call.number = EXO_SYS_SHM_MAP;
    call.version = EXO_SYSCALL_VERSION;
    call.argument[0] = region;
    call.argument[2] = EXO_MAP_READ;
    CHECK(exo_client_talk_pvt(&visitor->client, &call, &descriptor) == EXO_OK && descriptor >= 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    CHECK(open(path, O_RDWR) < 0 && errno == EACCES);
    CHECK(fchmod(descriptor, 0666) < 0);
}

static void users_open_of_each_other_what_permissions_say(void **state)
{
    static struct exo_client client;
    struct running running;
    struct visitor visitor;
    exo_u64 region = 0;
    void *at = NULL;
    (void)state;
    a_stranger_comes(&visitor);
    running_begin(&running, "--system", NULL);
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&client.door, "private", 7, 4096, EXO_PERMS(EXO_RIGHT_MAP_READ, 0), &region), EXO_OK);
    assert_int_equal(exo_sys_shm_create(&client.door, "public", 6, 4096, EXO_PERMS(EXO_RIGHT_MAP_READ, EXO_RIGHT_MAP_READ),
                                        &region),
                     EXO_OK);
    assert_int_equal(exo_sys_shm_map(&client.door, region, NULL, EXO_MAP_READ | EXO_MAP_WRITE, &at), EXO_OK);
    (void)strcpy((char *)at, "to all");
    visitor.body = reads_but_cannot_write;
    assert_int_equal(send_in(&visitor, running.path, EXO_OK), 0);
    visitor.body = cannot_reopen_for_writing;
    assert_int_equal(send_in(&visitor, running.path, EXO_OK), 0);
    exo_client_close(&client);
    running_end(&running);
}

static void takes_all_he_may(struct visitor *visitor)
{
    exo_u64 region = 0;
    exo_u32 count = 0;
    exo_status status;
    while ((status = exo_sys_shm_create(&visitor->client.door, NULL, 0, 4096, 0, &region)) == EXO_OK) {
        count++;
    }
    CHECK(status == EXO_QUOTA_EXCEEDED && count == 20);
}

static void what_one_user_takes_another_still_has(void **state)
{
    struct running running;
    struct visitor visitor;
    exo_u32 turn;
    (void)state;
    if (!is_root()) {
        print_message("skipped: another user takes root to become\n");
        skip();
    }
    memset(&visitor, 0, sizeof(visitor));
    visitor.body = takes_all_he_may;
    running_begin(&running, "--system", "--limit-regions=20");
    wait_until_open(&running);
    for (turn = 0; turn < 4; turn++) { /* also one after the other: all comes back */
        visitor.uid = turn % 2 == 0 ? STRANGER : OTHER;
        visitor.gid = visitor.uid;
        assert_int_equal(send_in(&visitor, running.path, EXO_OK), 0);
    }
    running_end(&running);
}

static void connections_over_the_limit_are_refused_with_a_word(void **state)
{
    static struct exo_client clients[4];
    struct running running;
    exo_u32 i;
    (void)state;
    running_begin(&running, "--max-clients", "3");
    for (i = 0; i < 3; i++) {
        assert_int_equal(client_connects(&clients[i], running.path), EXO_OK);
    }
    assert_int_equal(exo_client_open(&clients[3], running.path, in_seconds(20)), EXO_QUOTA_EXCEEDED);
    exo_client_close(&clients[0]);
    assert_int_equal(client_connects(&clients[3], running.path), EXO_OK);
    assert_int_equal(report_of(&clients[3]).refused, 1);
    for (i = 1; i < 4; i++) {
        exo_client_close(&clients[i]);
    }
    running_end(&running);
}

/* A daemon that may have few descriptors, and its users all of them. */
static void few_begin(struct running *running)
{
    const struct rlimit few = {48, 48};
    (void)strcpy(running->folder, "/tmp/exo_ipcd_XXXXXX");
    assert_non_null(mkdtemp(running->folder));
    (void)snprintf(running->path, sizeof(running->path), "%s/socket", running->folder);
    running->daemon = fork();
    assert_true(running->daemon >= 0);
    if (running->daemon == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setrlimit(RLIMIT_NOFILE, &few);
        (void)execl(getenv("EXO_IPCD"), "exo-ipcd", "--socket", running->path, "--max-clients=1000", "--limit-regions=1000",
                    (char *)NULL);
        _exit(127);
    }
}

/* With few descriptors: who is in is served, who wants in waits for his turn. */
static void without_descriptors_the_daemon_serves_on_and_recovers(void **state)
{
    enum { CLIENTS = 40 };
    static struct exo_client clients[CLIENTS];
    struct running running;
    exo_u64 number = 0;
    exo_u64 region = 0;
    exo_u32 in = 0;
    exo_u32 again = 0;
    exo_u32 i;
    exo_status status;
    (void)state;
    if (SANITIZED) {
        skip(); /* a sanitizer wants descriptors of its own */
    }
    few_begin(&running);
    assert_int_equal(client_connects(&clients[in++], running.path), EXO_OK);
    do { /* so few have descriptors: it was the machine that was late then */
        status = exo_client_open(&clients[in], running.path, in_ms(300));
        in += status == EXO_OK;
    } while ((status == EXO_OK && in < CLIENTS) || (in <= 10 && ++again < 10));
    assert_true(in > 10 && in < CLIENTS);
    assert_true(status == EXO_TIMEOUT || status == EXO_QUOTA_EXCEEDED || status == EXO_NO_MEMORY);
    for (i = 0; i < in; i++) {
        assert_int_equal(exo_sys_version(&clients[i].door, &number), EXO_OK);
    }
    exo_client_close(&clients[--in]);
    exo_client_close(&clients[--in]);
    assert_int_equal(client_connects(&clients[in], running.path), EXO_OK);
    in++;
    do { /* regions run out too, and that is an answer */
        status = exo_sys_shm_create(&clients[0].door, NULL, 0, 4096, 0, &region);
    } while (status == EXO_OK);
    assert_int_equal(status, EXO_NO_MEMORY);
    while (in > 1) {
        exo_client_close(&clients[--in]);
    }
    assert_int_equal(exo_sys_shm_create(&clients[0].door, NULL, 0, 4096, 0, &region), EXO_OK);
    exo_client_close(&clients[0]);
    running_end(&running);
}

struct latecomer {
    struct exo_client client;
    const char *path;
    exo_u32 *page;
};

static void comes_late(void *argument)
{
    struct latecomer *late = (struct latecomer *)argument;
    CHECK(exo_client_open(&late->client, late->path, in_seconds(20)) == EXO_OK);
    exo_store32(late->page, 1, EXO_RELEASE);
    exo_client_close(&late->client);
}

/* Not only when a client ends, nor only when nobody has anything to ask. */
static void who_waits_for_a_descriptor_comes_in_while_others_ask_on(void **state)
{
    static struct exo_client client;
    static struct latecomer late;
    struct running running;
    exo_u64 regions[64];
    exo_u64 number = 0;
    exo_u64 end;
    exo_u32 count = 0;
    exo_u32 i;
    pid_t child;
    (void)state;
    if (SANITIZED) {
        skip();
    }
    few_begin(&running);
    assert_int_equal(client_connects(&client, running.path), EXO_OK);
    while (count < COUNT(regions) && exo_sys_shm_create(&client.door, NULL, 0, 4096, 0, &regions[count]) == EXO_OK) {
        count++;
    }
    assert_true(count > 10 && count < COUNT(regions));
    late.path = running.path;
    late.page = (exo_u32 *)shared_page(4096);
    child = start_child(comes_late, &late);
    for (end = in_ms(50); exo_port_now_ns() < end;) { /* so that it is at the door, most likely */
        assert_int_equal(exo_sys_version(&client.door, &number), EXO_OK);
    }
    for (i = 0; i < 10; i++) {
        assert_int_equal(exo_sys_close(&client.door, regions[i]), EXO_OK);
    }
    for (end = in_seconds(10); exo_load32(late.page, EXO_ACQUIRE) == 0 && exo_port_now_ns() < end;) {
        assert_int_equal(exo_sys_version(&client.door, &number), EXO_OK);
    }
    assert_int_equal(exo_load32(late.page, EXO_ACQUIRE), 1);
    assert_int_equal(join_child(child), 0);
    exo_client_close(&client);
    running_end(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_users_daemon_lets_no_other_user_in),
        CLAIM(a_list_of_groups_is_all_that_are_let_in),
        CLAIM(users_open_of_each_other_what_permissions_say),
        CLAIM(what_one_user_takes_another_still_has),
        CLAIM(connections_over_the_limit_are_refused_with_a_word),
        CLAIM(without_descriptors_the_daemon_serves_on_and_recovers),
        CLAIM(who_waits_for_a_descriptor_comes_in_while_others_ask_on),
    };
    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
