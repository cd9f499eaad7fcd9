/* SPDX-License-Identifier: MIT */
/* Listeners and those who connect: names, rights, dead listeners, floods. */
#include "process_fixture.h"

#include <sys/resource.h>

#define NOBODY 65534u

/* A folder of its own for each claim, and the path of a socket file in it. */
struct place {
    char folder[64];
    char path[96];
};

static struct place place_make(void)
{
    struct place place;
    (void)strcpy(place.folder, "/tmp/exo_listen_XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    assert_int_equal(chmod(place.folder, 0755), 0);
    (void)snprintf(place.path, sizeof(place.path), "%s/door", place.folder);
    return place;
}

/* How many files are left in the folder; then it is removed. */
static int place_remove(const struct place *place)
{
    const struct dirent *entry;
    char path[400];
    int count = 0;
    DIR *folder = opendir(place->folder);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(path, sizeof(path), "%s/%s", place->folder, entry->d_name);
            (void)unlink(path);
            count++;
        }
    }
    (void)closedir(folder);
    (void)rmdir(place->folder);
    return count;
}

/* An abstract name that no other run of the tests has. */
static const char *abstract_name(void)
{
    static char name[64];
    (void)snprintf(name, sizeof(name), "@exo_listen_%d", (int)getpid());
    return name;
}

static exo_bool lets_all_in(const struct exo_credentials *who, void *context)
{
    (void)who;
    (void)context;
    return EXO_TRUE;
}

/* A child that connects, sends a number and waits for it to come back. */
struct caller {
    const char *name;
    exo_u32 number;
    exo_u32 user; /* to become before; 0: stay */
    exo_u32 server;
    exo_status expected; /* of exo_connect() */
};

static void becomes(exo_u32 user)
{
    if (user != 0) {
        CHECK(setgid(user) == 0 && setuid(user) == 0);
    }
}

static void calls(void *argument)
{
    const struct caller *caller = (const struct caller *)argument;
    struct exo_end end;
    exo_u32 number = caller->number;
    int socket = -1;
    exo_status status;
    becomes(caller->user);
    errno = 77;
    status = exo_connect(&socket, caller->name, caller->server, in_seconds(20));
    CHECK(status == caller->expected && errno == 77);
    if (status == EXO_OK) {
        CHECK(exo_open(&end, socket, NULL, in_seconds(20)) == EXO_OK);
        CHECK(exo_send_blocking(&end.tx, &number, sizeof(number), in_seconds(20)) == EXO_OK);
        CHECK(exo_recv_blocking(&end.rx, &number, sizeof(number), in_seconds(20)) == sizeof(number));
        CHECK(number == ~caller->number);
        exo_close(&end);
    }
}

/* Serve one caller; returns its number. */
static exo_u32 serve(struct exo_listener *listener)
{
    struct exo_end end;
    exo_u32 number = 0;
    exo_u32 answer;
    int socket = -1;
    assert_int_equal(exo_accept(listener, &socket, NULL, in_seconds(20)), EXO_OK);
    assert_int_equal(fcntl(socket, F_GETFD), FD_CLOEXEC);
    assert_int_equal(exo_open(&end, socket, NULL, in_seconds(20)), EXO_OK);
    assert_int_equal(exo_recv_blocking(&end.rx, &number, sizeof(number), in_seconds(20)), sizeof(number));
    answer = ~number;
    assert_int_equal(exo_send_blocking(&end.tx, &answer, sizeof(answer), in_seconds(20)), EXO_OK);
    assert_int_equal(exo_wait_readable(&end.rx, in_seconds(20)), EXO_CLOSED);
    exo_close(&end);
    return number;
}

static void four_processes_meet(const char *name)
{
    struct held before = count_held();
    struct exo_listener listener;
    struct caller callers[4];
    pid_t children[4];
    exo_u32 seen = 0;
    exo_u32 i;
    errno = 77;
    assert_int_equal(exo_listen(&listener, name, NULL), EXO_OK);
    assert_int_equal(fcntl(exo_listener_fd(&listener), F_GETFD), FD_CLOEXEC);
    for (i = 0; i < 4; i++) {
        struct caller caller = {name, i, 0, (exo_u32)geteuid(), EXO_OK};
        callers[i] = caller;
        children[i] = start_child(calls, &callers[i]);
    }
    for (i = 0; i < 4; i++) {
        seen |= 1u << serve(&listener);
    }
    assert_int_equal(seen, 15);
    for (i = 0; i < 4; i++) {
        assert_int_equal(join_child(children[i]), 0);
    }
    errno = 77;
    exo_listener_close(&listener);
    exo_listener_close(&listener);
    assert_int_equal(errno, 77);
    assert_held(before);
}

static void four_processes_meet_by_a_path(void **state)
{
    struct place place = place_make();
    (void)state;
    four_processes_meet(place.path);
    assert_int_equal(place_remove(&place), 0);
}

static void four_processes_meet_by_an_abstract_name(void **state)
{
    (void)state;
    four_processes_meet(abstract_name());
}

static void bad_names_are_refused(void **state)
{
    static char long_path[200];
    static const struct {
        const char *name;
        exo_status status;
    } rows[] = {
        {NULL, EXO_INVALID_ARGUMENT},   {"", EXO_INVALID_ARGUMENT},      {"@", EXO_INVALID_ARGUMENT},
        {"/tmp/", EXO_INVALID_ARGUMENT}, {long_path, EXO_INVALID_SIZE},
    };
    struct held before = count_held();
    struct exo_listener listener;
    struct exo_listen_config config = {NULL, NULL, 01777, 0};
    int socket = -5;
    exo_u32 i;
    (void)state;
    memset(long_path, 'x', 108);
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(exo_listen(&listener, rows[i].name, NULL), rows[i].status);
        assert_int_equal(exo_listener_fd(&listener), -1);
        assert_int_equal(exo_connect(&socket, rows[i].name, EXO_ANYBODY, EXO_NOW), rows[i].status);
    }
    long_path[0] = '@'; /* just short enough */
    long_path[107] = 0;
    assert_int_equal(exo_listen(&listener, long_path, NULL), EXO_OK);
    exo_listener_close(&listener);
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_listen(&listener, abstract_name(), &config), EXO_INVALID_ARGUMENT);
    assert_int_equal(socket, -5);
    assert_held(before);
}

static void nobody_there_is_not_found(void **state)
{
    struct held before = count_held();
    struct place place = place_make();
    struct exo_listener listener;
    char beyond[128];
    int socket = -5;
    (void)state;
    (void)snprintf(beyond, sizeof(beyond), "%s/none/door", place.folder);
    errno = 77;
    assert_int_equal(exo_connect(&socket, place.path, EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(exo_connect(&socket, beyond, EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(exo_connect(&socket, abstract_name(), EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(exo_listen(&listener, beyond, NULL), EXO_NOT_FOUND);
    assert_int_equal(errno, 77);
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_OK);
    exo_listener_close(&listener);
    assert_int_equal(exo_connect(&socket, place.path, EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(socket, -5);
    assert_int_equal(place_remove(&place), 0);
    assert_held(before);
}

static void listens_where_it_may_not(void *argument)
{
    struct exo_listener listener;
    becomes(NOBODY);
    CHECK(exo_listen(&listener, (const char *)argument, NULL) == EXO_PERMISSION_DENIED);
}

static void rights_of_the_file_and_its_folder_decide(void **state)
{
    struct place place = place_make();
    struct exo_listen_config config = {lets_all_in, NULL, 0, 0};
    struct caller caller = {place.path, 7, NOBODY, EXO_ANYBODY, EXO_PERMISSION_DENIED};
    struct exo_listener listener;
    struct stat about;
    pid_t child;
    (void)state;
    if (geteuid() != 0) {
        (void)place_remove(&place);
        skip();
    }
    (void)umask(077); /* does not matter */
    assert_int_equal(exo_listen(&listener, place.path, &config), EXO_OK);
    assert_int_equal(stat(place.path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(join_child(start_child(calls, &caller)), 0);
    assert_int_equal(join_child(start_child(listens_where_it_may_not, place.path)), 0);
    exo_listener_close(&listener);
    config.mode = 0666;
    caller.expected = EXO_OK;
    assert_int_equal(exo_listen(&listener, place.path, &config), EXO_OK);
    child = start_child(calls, &caller);
    assert_int_equal(serve(&listener), 7);
    assert_int_equal(join_child(child), 0);
    exo_listener_close(&listener);
    assert_int_equal(place_remove(&place), 0);
    (void)umask(022);
}

static void another_user_is_refused_by_default(void **state)
{
    struct held before = count_held();
    struct caller stranger = {abstract_name(), 3, NOBODY, EXO_ANYBODY, EXO_PERMISSION_DENIED};
    struct caller friend = {abstract_name(), 4, 0, EXO_ANYBODY, EXO_OK};
    struct exo_listener listener;
    pid_t children[2];
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    children[0] = start_child(calls, &stranger);
    assert_int_equal(exo_socket_wait_pvt(exo_listener_fd(&listener), POLLIN, in_seconds(20)), EXO_OK);
    children[1] = start_child(calls, &friend);
    assert_int_equal(serve(&listener), 4); /* the stranger stood in front */
    assert_int_equal(listener.refused, 1);
    assert_int_equal(join_child(children[0]), 0);
    assert_int_equal(join_child(children[1]), 0);
    exo_listener_close(&listener);
    assert_held(before);
}

/* Lets in one process. */
struct guest {
    exo_u32 pid;
    exo_u32 asked;
};

static exo_bool lets_the_guest_in(const struct exo_credentials *who, void *context)
{
    struct guest *guest = (struct guest *)context;
    guest->asked += who->uid == (exo_u32)getuid() && who->gid == (exo_u32)getgid();
    return who->pid == guest->pid;
}

static void the_listener_says_whom_to_let_in(void **state)
{
    struct place place = place_make();
    struct guest guest = {0, 0};
    struct exo_listen_config config = {lets_the_guest_in, &guest, 0, 0};
    struct caller refused = {place.path, 1, 0, EXO_ANYBODY, EXO_PERMISSION_DENIED};
    struct caller welcome = {place.path, 2, 0, EXO_ANYBODY, EXO_OK};
    struct exo_listener listener;
    pid_t children[4];
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_listen(&listener, place.path, &config), EXO_OK);
    for (i = 0; i < 4; i++) {
        children[i] = start_child(calls, i == 2 ? &welcome : &refused);
    }
    guest.pid = (exo_u32)children[2];
    assert_int_equal(serve(&listener), 2);
    while (listener.refused < 3) {
        int socket = -1;
        assert_int_equal(exo_accept(&listener, &socket, NULL, in_ms(5)), EXO_TIMEOUT);
    }
    assert_int_equal(guest.asked, 4);
    for (i = 0; i < 4; i++) {
        assert_int_equal(join_child(children[i]), 0);
    }
    exo_listener_close(&listener);
    assert_int_equal(place_remove(&place), 0);
}

/* Connects to itself: what accept says of it is what the kernel knows. */
static void connects_to_a_parent(void *argument)
{
    struct caller caller = {(const char *)argument, 9, 0, EXO_ANYBODY, EXO_OK};
    calls(&caller);
}

static void who_connects_is_known_from_the_kernel(void **state)
{
    struct exo_credentials who = {1, 1, 1};
    struct exo_listener listener;
    struct exo_end end;
    exo_u32 number = 0;
    int socket = -1;
    pid_t child;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    child = start_child(connects_to_a_parent, (void *)(exo_uptr)abstract_name());
    assert_int_equal(exo_accept(&listener, &socket, &who, in_seconds(20)), EXO_OK);
    assert_int_equal(who.pid, child);
    assert_int_equal(who.uid, getuid());
    assert_int_equal(who.gid, getgid());
    assert_int_equal(exo_open(&end, socket, NULL, in_seconds(20)), EXO_OK);
    assert_int_equal(end.peer.pid, child);
    assert_int_equal(exo_recv_blocking(&end.rx, &number, sizeof(number), in_seconds(20)), sizeof(number));
    number = ~number;
    assert_int_equal(exo_send(&end.tx, &number, sizeof(number)), EXO_OK);
    assert_int_equal(join_child(child), 0);
    exo_close(&end);
    exo_listener_close(&listener);
}

static void a_listener_of_another_user_is_not_talked_to(void **state)
{
    struct caller caller = {abstract_name(), 1, 0, (exo_u32)geteuid() + 1, EXO_PERMISSION_DENIED};
    struct exo_listener listener;
    int socket = -1;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    assert_int_equal(join_child(start_child(calls, &caller)), 0);
    /* It has gone by now: nobody is handed out. */
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_WOULD_BLOCK);
    exo_listener_close(&listener);
}

/* Listens and says so, then waits to be killed. */
static void listens_until_killed(void *argument)
{
    static struct exo_listener listener;
    char *page = (char *)argument;
    CHECK(exo_listen(&listener, page + 64, NULL) == EXO_OK);
    exo_store32((exo_u32 *)argument, 1u, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

static pid_t start_listener(void *page, const char *path)
{
    pid_t child;
    exo_store32((exo_u32 *)page, 0u, EXO_RELAXED);
    (void)strcpy((char *)page + 64, path);
    child = start_child(listens_until_killed, page);
    while (exo_load32((exo_u32 *)page, EXO_ACQUIRE) == 0) {
        sleep_us(200);
    }
    return child;
}

static void what_a_killed_listener_left_is_replaced_and_a_living_one_is_not(void **state)
{
    struct place place = place_make();
    void *page = shared_page(4096);
    struct caller caller = {place.path, 5, 0, EXO_ANYBODY, EXO_OK};
    struct exo_listener listener;
    struct exo_listener second;
    int socket = -1;
    pid_t child = start_listener(page, place.path);
    struct held before = count_held();
    (void)state;
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_ALREADY_EXISTS);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    assert_int_equal(access(place.path, F_OK), 0);
    assert_int_equal(exo_connect(&socket, place.path, EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_OK);
    assert_int_equal(exo_listen(&second, place.path, NULL), EXO_ALREADY_EXISTS);
    child = start_child(calls, &caller);
    assert_int_equal(serve(&listener), 5);
    assert_int_equal(join_child(child), 0);
    exo_listener_close(&listener);
    assert_int_equal(place_remove(&place), 0);
    assert_held(before);
}

static void an_abstract_name_is_free_when_its_listener_was_killed(void **state)
{
    void *page = shared_page(4096);
    struct exo_listener listener;
    pid_t child = start_listener(page, abstract_name());
    (void)state;
    /* The child's name is that of this process: abstract_name() was called here. */
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_ALREADY_EXISTS);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    exo_listener_close(&listener);
}

/* Several who find the same dead file at once. */
struct race {
    exo_u32 go;
    exo_u32 won;
    exo_u32 lost;
    exo_u32 done;
    char path[96];
};

static void races(void *argument)
{
    struct race *race = (struct race *)argument;
    struct exo_listener listener;
    exo_status status;
    while (exo_load32(&race->go, EXO_ACQUIRE) == 0) {
        exo_cpu_relax();
    }
    status = exo_listen(&listener, race->path, NULL);
    CHECK(status == EXO_OK || status == EXO_ALREADY_EXISTS);
    (void)exo_fetch_add32(status == EXO_OK ? &race->won : &race->lost, 1u, EXO_RELEASE);
    while (exo_load32(&race->done, EXO_ACQUIRE) == 0) {
        sleep_us(100); /* the winner goes on listening */
    }
    exo_listener_close(&listener);
}

static void of_many_who_replace_a_dead_file_at_once_one_wins(void **state)
{
    struct place place = place_make();
    struct race *race = (struct race *)shared_page(sizeof(struct race));
    void *page = shared_page(4096);
    pid_t racers[6];
    exo_u32 round;
    exo_u32 i;
    (void)state;
    for (round = 0; round < ROUNDS(60); round++) {
        pid_t child = start_listener(page, place.path);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(join_child(child), -SIGKILL);
        memset(race, 0, sizeof(*race));
        (void)strcpy(race->path, place.path);
        for (i = 0; i < COUNT(racers); i++) {
            racers[i] = start_child(races, race);
        }
        exo_store32(&race->go, 1u, EXO_RELEASE);
        while (exo_load32(&race->won, EXO_ACQUIRE) + exo_load32(&race->lost, EXO_ACQUIRE) < COUNT(racers)) {
            sleep_us(100);
        }
        assert_int_equal(race->won, 1);
        exo_store32(&race->done, 1u, EXO_RELEASE);
        for (i = 0; i < COUNT(racers); i++) {
            assert_int_equal(join_child(racers[i]), 0);
        }
        assert_int_not_equal(access(place.path, F_OK), 0); /* the winner's, which it removed */
    }
    assert_int_equal(place_remove(&place), 0);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct place place = place_make();
    struct exo_listener listener;
    int socket = -1;
    int file = open(place.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_ALREADY_EXISTS);
    assert_int_equal(exo_connect(&socket, place.path, EXO_ANYBODY, in_seconds(5)), EXO_NOT_FOUND);
    assert_int_equal(place_remove(&place), 1);
}

static void only_its_own_file_is_removed(void **state)
{
    struct place place = place_make();
    struct exo_listener first;
    struct exo_listener second;
    (void)state;
    assert_int_equal(exo_listen(&first, place.path, NULL), EXO_OK);
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(exo_listen(&second, place.path, NULL), EXO_OK);
    exo_listener_close(&first);
    assert_int_equal(access(place.path, F_OK), 0);
    exo_listener_close(&second);
    assert_int_equal(place_remove(&place), 0);
}

static void keeps_a_folder_locked(void *argument)
{
    char *page = (char *)argument;
    int folder = open(page + 64, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(folder >= 0 && flock(folder, LOCK_EX) == 0);
    exo_store32((exo_u32 *)argument, 1u, EXO_RELEASE);
    for (;;) {
        (void)pause();
    }
}

static void a_locked_folder_delays_only_who_replaces_a_dead_file(void **state)
{
    struct place place = place_make();
    void *page = shared_page(4096);
    struct exo_listener listener;
    pid_t child = start_listener(page, place.path);
    (void)state;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    exo_store32((exo_u32 *)page, 0u, EXO_RELAXED);
    (void)strcpy((char *)page + 64, place.folder);
    child = start_child(keeps_a_folder_locked, page);
    while (exo_load32((exo_u32 *)page, EXO_ACQUIRE) == 0) {
        sleep_us(200);
    }
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_TIMEOUT);
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_OK);
    exo_listener_close(&listener);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(join_child(child), -SIGKILL);
    assert_int_equal(place_remove(&place), 0);
}

static int connect_raw(const char *name)
{
    struct sockaddr_un address;
    socklen_t bytes = 0;
    int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(made >= 0);
    assert_int_equal(exo_address_make_pvt(&address, &bytes, name), EXO_OK);
    if (connect(made, (struct sockaddr *)&address, bytes) != 0) {
        (void)close(made);
        return -1;
    }
    return made;
}

static void who_connects_and_says_nothing_is_in_nobodys_way(void **state)
{
    struct held before = count_held();
    struct caller caller = {abstract_name(), 8, 0, EXO_ANYBODY, EXO_OK};
    struct exo_listener listener;
    struct exo_end end;
    exo_u64 begun;
    pid_t child;
    int silent;
    int socket = -1;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    silent = connect_raw(abstract_name());
    assert_true(silent >= 0);
    assert_int_equal(exo_accept(&listener, &socket, NULL, in_seconds(5)), EXO_OK);
    begun = exo_port_now_ns();
    assert_int_equal(exo_open(&end, socket, NULL, in_ms(20)), EXO_TIMEOUT);
    assert_in_range(exo_port_now_ns() - begun, 19 * MILLISECOND_NS, 5 * SECOND_NS);
    child = start_child(calls, &caller);
    assert_int_equal(serve(&listener), 8);
    assert_int_equal(join_child(child), 0);
    (void)close(silent);
    exo_listener_close(&listener);
    assert_held(before);
}

static void a_full_backlog_is_waited_for_until_the_deadline(void **state)
{
    struct held before = count_held();
    struct exo_listen_config config = {NULL, NULL, 0, 2};
    struct exo_listener listener;
    int silent[64];
    int count = 0;
    int socket = -5;
    exo_u64 begun;
    int i;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), &config), EXO_OK);
    while (count < 64 && (silent[count] = connect_raw(abstract_name())) >= 0) {
        count++;
    }
    assert_in_range(count, 1, 63);
    errno = 77;
    begun = exo_port_now_ns();
    assert_int_equal(exo_connect(&socket, abstract_name(), EXO_ANYBODY, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_connect(&socket, abstract_name(), EXO_ANYBODY, in_ms(30)), EXO_TIMEOUT);
    assert_in_range(exo_port_now_ns() - begun, 29 * MILLISECOND_NS, 5 * SECOND_NS);
    assert_int_equal(errno, 77);
    assert_int_equal(socket, -5);
    for (i = 0; i < count; i++) {
        assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_OK);
        (void)close(socket);
        (void)close(silent[i]);
    }
    /* A place is free, but nobody accepts. */
    assert_int_equal(exo_connect(&socket, abstract_name(), EXO_ANYBODY, in_ms(30)), EXO_TIMEOUT);
    exo_listener_close(&listener);
    assert_held(before);
}

#define FLOOD 200

static void connects_and_leaves(void *argument)
{
    int socket = -1;
    exo_status status = exo_connect(&socket, (const char *)argument, EXO_ANYBODY, in_seconds(30));
    CHECK(status == EXO_OK);
}

static void a_flood_of_200_processes_is_served(void **state)
{
    struct held before = count_held();
    struct exo_listener listener;
    static pid_t children[FLOOD];
    int socket = -1;
    exo_u32 i;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    for (i = 0; i < FLOOD; i++) {
        children[i] = start_child(connects_and_leaves, (void *)(exo_uptr)abstract_name());
    }
    for (i = 0; i < FLOOD; i++) {
        assert_int_equal(exo_accept(&listener, &socket, NULL, in_seconds(30)), EXO_OK);
        (void)close(socket);
    }
    for (i = 0; i < FLOOD; i++) {
        assert_int_equal(join_child(children[i]), 0);
    }
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_WOULD_BLOCK);
    exo_listener_close(&listener);
    assert_held(before);
}

static void a_listener_out_of_descriptors_recovers(void **state)
{
    struct exo_listener listener;
    struct rlimit limit;
    struct rlimit few;
    int peer;
    int socket = -5;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    peer = connect_raw(abstract_name());
    assert_true(peer >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    errno = 77;
    assert_int_equal(exo_accept(&listener, &socket, NULL, in_seconds(5)), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_connect(&socket, abstract_name(), EXO_ANYBODY, in_seconds(5)), EXO_QUOTA_EXCEEDED);
    assert_int_equal(errno, 77);
    assert_int_equal(socket, -5);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_OK);
    (void)close(socket);
    (void)close(peer);
    exo_listener_close(&listener);
}

static void the_listeners_descriptor_is_readable_when_somebody_waits(void **state)
{
    struct exo_listener listener;
    struct pollfd ready;
    int peer;
    int socket = -1;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    ready.fd = exo_listener_fd(&listener);
    ready.events = POLLIN;
    assert_int_equal(poll(&ready, 1, 0), 0);
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_accept(&listener, &socket, NULL, in_ms(5)), EXO_TIMEOUT);
    peer = connect_raw(abstract_name());
    assert_int_equal(poll(&ready, 1, 5000), 1);
    assert_int_equal(exo_accept(&listener, &socket, NULL, EXO_NOW), EXO_OK);
    assert_int_equal(poll(&ready, 1, 0), 0);
    (void)close(socket);
    (void)close(peer);
    exo_listener_close(&listener);
}

/* A listener made by hand, and what it says to whoever connects. */
static exo_status connect_to_a_listener_who_says(const void *said, exo_size bytes, int descriptor)
{
    struct exo_listener listener;
    struct sockaddr_un address;
    exo_status status;
    socklen_t length = 0;
    pid_t child;
    int fate = 0;
    int socket = -1;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    assert_int_equal(exo_address_make_pvt(&address, &length, abstract_name()), EXO_OK);
    child = fork();
    if (child == 0) {
        int made = -1;
        while ((made = accept4(listener.socket, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        }
        if (bytes != 0) {
            (void)exo_socket_send_pvt(made, said, bytes, descriptor, EXO_NOW);
        }
        _exit(0);
    }
    exo_descriptor_close_pvt(&listener.socket);
    status = exo_connect(&socket, abstract_name(), EXO_ANYBODY, in_seconds(5));
    exo_descriptor_close_pvt(&socket);
    assert_int_equal(waitpid(child, &fate, 0), child);
    return status;
}

static void a_listener_that_talks_nonsense_is_corrupt(void **state)
{
    struct held before = count_held();
    struct exo_letter letter = {EXO_LETTER_MAGIC, EXO_LETTER_WELCOME, 0};
    (void)state;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_OK);
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), 0), EXO_CORRUPT);
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter) - 1, -1), EXO_CORRUPT);
    assert_int_equal(connect_to_a_listener_who_says(NULL, 0, -1), EXO_PEER_DIED);
    letter.tag = 22;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_SYSTEM_ERROR);
    letter.tag = 23;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_CORRUPT);
    letter.tag = ~0ull;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_CORRUPT);
    letter.tag = 0;
    letter.what = EXO_LETTER_RING;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_CORRUPT);
    letter.what = EXO_LETTER_WELCOME;
    letter.magic++;
    assert_int_equal(connect_to_a_listener_who_says(&letter, sizeof(letter), -1), EXO_CORRUPT);
    assert_held(before);
}

static void a_socket_of_another_kind_is_told_apart(void **state)
{
    struct place place = place_make();
    struct exo_listener listener;
    struct sockaddr_un address;
    socklen_t length = 0;
    int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int socket = -1;
    (void)state;
    assert_int_equal(exo_address_make_pvt(&address, &length, place.path), EXO_OK);
    assert_int_equal(bind(stream, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(stream, 4), 0);
    assert_int_equal(exo_connect(&socket, place.path, EXO_ANYBODY, in_seconds(5)), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_listen(&listener, place.path, NULL), EXO_ALREADY_EXISTS);
    (void)close(stream);
    assert_int_equal(place_remove(&place), 1);
}

static void a_listener_that_closes_tells_those_who_wait(void **state)
{
    struct caller caller = {abstract_name(), 1, 0, EXO_ANYBODY, EXO_PEER_DIED};
    struct exo_listener listener;
    pid_t child;
    (void)state;
    assert_int_equal(exo_listen(&listener, abstract_name(), NULL), EXO_OK);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        exo_descriptor_close_pvt(&listener.socket);
        (void)alarm(WATCHDOG_S);
        calls(&caller);
        _exit(0);
    }
    assert_int_equal(exo_socket_wait_pvt(exo_listener_fd(&listener), POLLIN, in_seconds(20)), EXO_OK);
    exo_listener_close(&listener);
    assert_int_equal(join_child(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(four_processes_meet_by_a_path),
        CLAIM(four_processes_meet_by_an_abstract_name),
        CLAIM(bad_names_are_refused),
        CLAIM(nobody_there_is_not_found),
        CLAIM(rights_of_the_file_and_its_folder_decide),
        CLAIM(another_user_is_refused_by_default),
        CLAIM(the_listener_says_whom_to_let_in),
        CLAIM(who_connects_is_known_from_the_kernel),
        CLAIM(a_listener_of_another_user_is_not_talked_to),
        CLAIM(what_a_killed_listener_left_is_replaced_and_a_living_one_is_not),
        CLAIM(an_abstract_name_is_free_when_its_listener_was_killed),
        CLAIM(of_many_who_replace_a_dead_file_at_once_one_wins),
        CLAIM(a_file_that_is_no_socket_is_left_alone),
        CLAIM(only_its_own_file_is_removed),
        CLAIM(a_locked_folder_delays_only_who_replaces_a_dead_file),
        CLAIM(who_connects_and_says_nothing_is_in_nobodys_way),
        CLAIM(a_full_backlog_is_waited_for_until_the_deadline),
        CLAIM(a_flood_of_200_processes_is_served),
        CLAIM(a_listener_out_of_descriptors_recovers),
        CLAIM(the_listeners_descriptor_is_readable_when_somebody_waits),
        CLAIM(a_listener_that_talks_nonsense_is_corrupt),
        CLAIM(a_socket_of_another_kind_is_told_apart),
        CLAIM(a_listener_that_closes_tells_those_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
