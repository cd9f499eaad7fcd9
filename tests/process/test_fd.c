/* SPDX-License-Identifier: MIT */
/* Ends and bells as descriptors: what makes them readable, and that nothing is missed or paid for otherwise. */
#include "kill_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/resource.h>

static exo_bool is_readable(int descriptor, int milliseconds)
{
    struct pollfd ready = {descriptor, POLLIN, 0};
    return poll(&ready, 1, milliseconds) == 1 && ready.revents == POLLIN;
}

/* Two ends in this process; b is the one that waits by descriptor. */
struct scene {
    struct exo_end a;
    struct exo_end b;
    struct held before;
    int fd;
};

static void scene_open(struct scene *scene, const struct exo_ring_config *config)
{
    exo_i64 fd;
    scene->before = count_held();
    assert_int_equal(exo_open_both(&scene->a, &scene->b, config), EXO_OK);
    errno = 77;
    assert_int_equal(exo_fd_arm(&scene->b, EXO_READABLE, 0), EXO_INVALID_ARGUMENT);
    exo_fd_clear(&scene->b);
    fd = exo_fd(&scene->b);
    assert_true(fd >= 0);
    assert_int_equal(exo_fd(&scene->b), fd);
    assert_int_equal(errno, 77);
    assert_int_equal(fcntl((int)fd, F_GETFD), FD_CLOEXEC);
    scene->fd = (int)fd;
}

static void scene_close(struct scene *scene)
{
    exo_close(&scene->a);
    exo_close(&scene->b);
    assert_int_equal(exo_fd(&scene->b), EXO_INVALID_ARGUMENT);
    assert_held(scene->before);
}

static struct exo_ring_config config_of(exo_u32 profile)
{
    struct exo_ring_config config = {0};
    config.profile = profile;
    config.slots = 4;
    config.start = NEAR_WRAP;
    config.arena_size = 4096;
    return config;
}

/* Until it is armed and nothing makes it readable any more. */
static void arm_quietly(struct scene *scene, exo_u32 events, exo_size size)
{
    exo_u32 turn;
    for (turn = 0; turn < 10; turn++) {
        assert_int_equal(exo_fd_arm(&scene->b, events, size), EXO_OK);
        if (!is_readable(scene->fd, 0)) {
            return;
        }
        exo_fd_clear(&scene->b);
    }
    fail_msg("it never falls silent");
}

static void a_message_makes_it_readable(void **state)
{
    const exo_u32 profiles[] = {EXO_CRASH_SAFE, EXO_HOSTILE};
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(profiles); i++) {
        struct exo_ring_config config = config_of(profiles[i]);
        struct scene scene;
        exo_u64 number;
        exo_u64 got = 0;
        scene_open(&scene, &config);
        for (number = 0; number < 100; number++) {
            arm_quietly(&scene, EXO_READABLE, 0);
            assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
            assert_true(is_readable(scene.fd, 5000));
            errno = 77;
            exo_fd_clear(&scene.b);
            assert_int_equal(exo_recv(&scene.b.rx, &got, sizeof(got)), sizeof(got));
            assert_int_equal(got, number);
            assert_int_equal(errno, 77);
        }
        scene_close(&scene);
    }
}

static void a_message_that_is_there_is_said_at_once(void **state)
{
    struct scene scene;
    exo_u64 number = 1;
    (void)state;
    scene_open(&scene, NULL);
    assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_INTERRUPTED);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_WRITABLE, 0), EXO_INTERRUPTED);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE | EXO_WRITABLE, 0), EXO_INTERRUPTED);
    assert_int_equal(exo_fd_arm(&scene.b, 0, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_fd_arm(&scene.b, 4, 0), EXO_INVALID_ARGUMENT);
    /* Not armed: nobody rings. */
    assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
    assert_false(is_readable(scene.fd, 0));
    scene_close(&scene);
}

static void a_free_slot_and_room_in_the_arena_make_it_readable(void **state)
{
    const exo_size sizes[] = {8, 1000};
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(sizes); i++) {
        struct exo_ring_config config = config_of(EXO_CRASH_SAFE);
        struct scene scene;
        exo_u8 bytes[1000] = {0};
        exo_u32 round;
        config.slots = i == 0 ? 4 : 64; /* slots run out first, or the arena does */
        scene_open(&scene, &config);
        while (exo_send(&scene.b.tx, bytes, sizes[i]) == EXO_OK) {
        }
        for (round = 0; round < 50; round++) {
            arm_quietly(&scene, EXO_WRITABLE | EXO_READABLE, sizes[i]);
            assert_int_equal(exo_recv(&scene.a.rx, bytes, sizeof(bytes)), sizes[i]);
            assert_true(is_readable(scene.fd, 5000));
            exo_fd_clear(&scene.b);
            assert_int_equal(exo_send(&scene.b.tx, bytes, sizes[i]), EXO_OK);
            assert_int_equal(exo_send(&scene.b.tx, bytes, sizes[i]), EXO_FULL);
        }
        assert_int_equal(exo_fd_arm(&scene.b, EXO_WRITABLE, 100000),
                         i == 0 ? EXO_OK : EXO_INVALID_SIZE); /* without a slot it is not asked */
        scene_close(&scene);
    }
}

static void a_polled_end_cannot_be_armed(void **state)
{
    struct exo_ring_config config = config_of(EXO_CRASH_SAFE);
    struct scene scene;
    (void)state;
    config.mode = EXO_SPSC | EXO_POLLED;
    scene_open(&scene, &config);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_WRITABLE, 0), EXO_NOT_SUPPORTED);
    scene_close(&scene);
}

static void closing_makes_it_readable_for_good(void **state)
{
    struct scene scene;
    exo_u64 number = 1;
    (void)state;
    scene_open(&scene, NULL);
    arm_quietly(&scene, EXO_READABLE, 0);
    assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
    exo_close(&scene.a);
    assert_true(is_readable(scene.fd, 5000));
    exo_fd_clear(&scene.b);
    assert_int_equal(exo_recv(&scene.b.rx, &number, sizeof(number)), sizeof(number));
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_CLOSED);
    assert_true(is_readable(scene.fd, 0));
    exo_fd_clear(&scene.b);
    assert_true(is_readable(scene.fd, 0));
    scene_close(&scene);
}

static void waits_to_be_killed(struct meeting *meeting)
{
    exo_u64 number = 7;
    child_opens(meeting);
    CHECK(exo_send(&meeting->end.tx, &number, sizeof(number)) == EXO_OK);
    for (;;) {
        (void)pause();
    }
}

static void a_killed_peer_makes_it_readable_within_100_ms(void **state)
{
    static struct death_times times;
    const exo_u32 profiles[] = {EXO_CRASH_SAFE, EXO_HOSTILE};
    struct held before = count_held();
    exo_u32 round;
    (void)state;
    times.count = 0;
    for (round = 0; round < ROUNDS(60); round++) {
        struct exo_ring_config config = config_of(profiles[round % 2]);
        struct meeting meeting = {.sockets = {-1, -1}, .body = waits_to_be_killed, .config = &config};
        pid_t child = meet(&meeting);
        exo_u64 number = 0;
        exo_u64 begun;
        exo_u32 turns = 0;
        exo_status status;
        int fd;
        assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
        fd = (int)exo_fd(&meeting.end);
        assert_true(fd >= 0);
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &number, sizeof(number), in_seconds(5)),
                         sizeof(number));
        status = exo_fd_arm(&meeting.end, EXO_READABLE, 0);
        assert_int_equal(status, EXO_OK);
        begun = exo_port_now_ns();
        assert_int_equal(kill(child, SIGKILL), 0);
        while (status == EXO_OK) {
            assert_true(is_readable(fd, 5000));
            exo_fd_clear(&meeting.end);
            assert_int_equal(exo_recv(&meeting.end.rx, &number, sizeof(number)) >= 0, 0);
            status = exo_fd_arm(&meeting.end, EXO_READABLE, 0);
            turns++;
        }
        assert_int_equal(status, EXO_PEER_DIED);
        add_death(&times, begun, exo_port_now_ns());
        assert_true(turns < 100); /* it does not spin */
        assert_true(is_readable(fd, 0));
        assert_int_equal(join_child(child), -SIGKILL);
        exo_close(&meeting.end);
    }
    assert_deaths_known_in_time(&times, "by descriptor");
    assert_in_range(times.us[times.count - 1], 0, SANITIZED ? 1000000u : 100000u); /* sorted by now */
    print_message("figure: fd, a killed peer was told after %u us at worst\n", times.us[times.count - 1]);
    assert_held(before);
}

/* Not interrupted by whoever stops this process for a while. */
static int wait_by_epoll(int set, struct epoll_event *events, int most, int milliseconds)
{
    int count;
    do {
        count = epoll_wait(set, events, most, milliseconds);
    } while (count < 0 && errno == EINTR);
    return count;
}

#define MANY (EXO_HAS_TSAN ? 12 : 200) /* it follows 64 locks of a thread, such as life words, at most */

static void many_ends_in_one_epoll_set(void **state)
{
    static struct exo_end here[MANY];
    static struct exo_end there[MANY];
    struct exo_ring_config config = config_of(EXO_CRASH_SAFE);
    struct held before = count_held();
    struct rlimit limit;
    exo_u64 seed = 1;
    exo_u32 round;
    exo_u32 i;
    int set = epoll_create1(EPOLL_CLOEXEC);
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    config.arena_size = EXO_ARENA_NONE;
    for (i = 0; i < MANY; i++) {
        struct epoll_event event;
        assert_int_equal(exo_open_both(&here[i], &there[i], &config), EXO_OK);
        event.events = EPOLLIN;
        event.data.u64 = i;
        assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, (int)exo_fd(&here[i]), &event), 0);
        assert_int_equal(exo_fd_arm(&here[i], EXO_READABLE, 0), EXO_OK);
    }
    for (round = 0; round < ROUNDS(2000); round++) {
        exo_u32 at = random_below(&seed, MANY);
        exo_u32 got = 0;
        exo_bool found = EXO_FALSE;
        assert_int_equal(exo_send(&there[at].tx, &round, sizeof(round)), EXO_OK);
        while (!found) {
            struct epoll_event events[8];
            int count = wait_by_epoll(set, events, 8, 5000);
            int e;
            assert_true(count > 0);
            for (e = 0; e < count; e++) {
                struct exo_end *end = &here[events[e].data.u64];
                exo_fd_clear(end);
                if (exo_recv(&end->rx, &got, sizeof(got)) == sizeof(got)) {
                    assert_int_equal(events[e].data.u64, at);
                    assert_int_equal(got, round);
                    found = EXO_TRUE;
                }
                assert_int_equal(exo_fd_arm(end, EXO_READABLE, 0), EXO_OK);
            }
        }
    }
    for (i = 0; i < MANY; i++) {
        exo_close(&here[i]);
        exo_close(&there[i]);
    }
    (void)close(set);
    assert_held(before);
}

/* Both sides wait by descriptor only; a ring that is missed would leave them asleep. */
#define TURNS ROUNDS(100000u)

static exo_bool takes_by_epoll(struct exo_end *end, int set, exo_u64 *number)
{
    for (;;) {
        struct epoll_event event;
        exo_status status;
        if (exo_recv(&end->rx, number, sizeof(*number)) == sizeof(*number)) {
            return EXO_TRUE;
        }
        status = exo_fd_arm(end, EXO_READABLE, 0);
        if (status == EXO_INTERRUPTED) {
            continue;
        }
        if (status != EXO_OK || wait_by_epoll(set, &event, 1, 20000) != 1) {
            return EXO_FALSE;
        }
        exo_fd_clear(end);
    }
}

static int set_of(struct exo_end *end)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    exo_i64 fd = exo_fd(end);
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    return set >= 0 && fd >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, (int)fd, &event) == 0 ? set : -1;
}

static void answers_by_epoll(struct meeting *meeting)
{
    exo_u64 expected;
    exo_u64 number = 0;
    int set;
    child_opens(meeting);
    set = set_of(&meeting->end);
    CHECK(set >= 0);
    for (expected = 0; expected < TURNS; expected++) {
        CHECK(takes_by_epoll(&meeting->end, set, &number) && number == expected);
        CHECK(exo_send(&meeting->end.tx, &number, sizeof(number)) == EXO_OK);
    }
    CHECK(exo_wait_readable(&meeting->end.rx, in_seconds(20)) == EXO_CLOSED);
    exo_close(&meeting->end);
}

static void no_ring_is_missed_in_a_ping_pong_of_100000(void **state)
{
    struct exo_ring_config config = config_of(EXO_CRASH_SAFE);
    struct meeting meeting = {.sockets = {-1, -1}, .body = answers_by_epoll, .config = &config};
    pid_t child = meet(&meeting);
    exo_u64 begun;
    exo_u64 number;
    exo_u64 got = 0;
    int set;
    (void)state;
    assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
    set = set_of(&meeting.end);
    assert_true(set >= 0);
    begun = exo_port_now_ns();
    for (number = 0; number < TURNS; number++) {
        assert_int_equal(exo_send(&meeting.end.tx, &number, sizeof(number)), EXO_OK);
        assert_true(takes_by_epoll(&meeting.end, set, &got));
        assert_int_equal(got, number);
    }
    print_message("figure: fd, a round trip by epoll takes %u ns\n",
                  (unsigned int)((exo_port_now_ns() - begun) / TURNS));
    exo_close(&meeting.end);
    assert_int_equal(join_child(child), 0);
    (void)close(set);
}

/* One side streams as fast as it can, and sleeps by descriptor when the ring is full. */
#define STREAMED ROUNDS(300000u)

static void streams_by_poll(struct meeting *meeting)
{
    exo_u64 number = 0;
    int fd;
    child_opens(meeting);
    fd = (int)exo_fd(&meeting->end);
    while (number < STREAMED) {
        exo_status status = exo_send(&meeting->end.tx, &number, sizeof(number));
        CHECK(status == EXO_OK || status == EXO_FULL);
        number += status == EXO_OK;
        if (status == EXO_FULL && exo_fd_arm(&meeting->end, EXO_WRITABLE, sizeof(number)) == EXO_OK) {
            CHECK(is_readable(fd, 20000));
            exo_fd_clear(&meeting->end);
        }
    }
    CHECK(exo_wait_readable(&meeting->end.rx, in_seconds(20)) == EXO_CLOSED);
    exo_close(&meeting->end);
}

static void no_ring_is_missed_in_a_stream(void **state)
{
    struct exo_ring_config config = config_of(EXO_HOSTILE);
    struct meeting meeting = {.sockets = {-1, -1}, .body = streams_by_poll, .config = &config};
    pid_t child = meet(&meeting);
    exo_u64 expected;
    exo_u64 got = 0;
    int set;
    (void)state;
    assert_int_equal(parent_opens(&meeting, &config), EXO_OK);
    set = set_of(&meeting.end);
    for (expected = 0; expected < STREAMED; expected++) {
        assert_true(takes_by_epoll(&meeting.end, set, &got));
        assert_int_equal(got, expected);
    }
    exo_close(&meeting.end);
    assert_int_equal(join_child(child), 0);
    (void)close(set);
}

/* From here on every system call but exit_group kills this process. */
static void forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {COUNT(rules), rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* The descriptor is there, was used, and nobody is armed now. argument: one who is. */
static void sends_with_nobody_armed(void *argument)
{
    struct exo_end a;
    struct exo_end b;
    exo_u64 number;
    CHECK(exo_open_both(&a, &b, NULL) == EXO_OK);
    CHECK(exo_fd(&b) >= 0 && exo_fd_arm(&b, EXO_READABLE, 0) == EXO_OK);
    if (argument == NULL) {
        exo_fd_clear(&b);
    }
    forbid_system_calls();
    for (number = 0; number < 100000; number++) {
        exo_u64 got = 0;
        if (exo_send(&a.tx, &number, sizeof(number)) != EXO_OK ||
            exo_recv(&b.rx, &got, sizeof(got)) != sizeof(got) || got != number) {
            _exit(2);
        }
    }
}

static void while_nobody_is_armed_a_send_makes_no_system_call(void **state)
{
    int armed = 1;
    (void)state;
    if (SANITIZED) {
        skip();
    }
    assert_int_equal(join_child(start_child(sends_with_nobody_armed, NULL)), 0);
    assert_int_equal(join_child(start_child(sends_with_nobody_armed, &armed)), -SIGSYS);
}

static void one_ring_answers_one_arming(void **state)
{
    struct scene scene;
    exo_u64 number;
    exo_bool any = EXO_FALSE;
    exo_u8 byte[64];
    (void)state;
    scene_open(&scene, NULL);
    arm_quietly(&scene, EXO_READABLE, 0);
    for (number = 0; number < 50; number++) {
        assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
    }
    assert_int_equal(recv(scene.b.link.socket, byte, sizeof(byte), MSG_DONTWAIT), sizeof(struct exo_letter));
    assert_int_equal(recv(scene.b.link.socket, byte, sizeof(byte), MSG_DONTWAIT), -1);
    assert_int_equal(exo_mailbox_collect_pvt(&scene.b.link.mailbox, &any), EXO_OK);
    assert_false(any);
    scene_close(&scene);
}

/* A blocking call after arming is woken as ever. */
static void *sends_late(void *argument)
{
    struct scene *scene = (struct scene *)argument;
    exo_u64 number = 5;
    sleep_us(20000);
    (void)!exo_send(&scene->a.tx, &number, sizeof(number));
    return NULL;
}

static void a_blocking_call_takes_the_place_of_arming(void **state)
{
    struct scene scene;
    pthread_t thread;
    exo_u64 got = 0;
    (void)state;
    scene_open(&scene, NULL);
    arm_quietly(&scene, EXO_READABLE, 0);
    assert_int_equal(pthread_create(&thread, NULL, sends_late, &scene), 0);
    assert_int_equal(exo_recv_blocking(&scene.b.rx, &got, sizeof(got), in_seconds(10)), sizeof(got));
    assert_int_equal(pthread_join(thread, NULL), 0);
    scene_close(&scene);
}

/* Another thread that takes a descriptor reads the ring that this one waits for. */
static void a_ring_that_a_take_read_is_passed_on(void **state)
{
    struct scene scene;
    exo_u64 number = 5;
    exo_u32 round;
    (void)state;
    scene_open(&scene, NULL);
    for (round = 0; round < 20; round++) {
        int got = -1;
        exo_u32 tries = 0;
        arm_quietly(&scene, EXO_READABLE, 0);
        assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
        assert_int_equal(exo_mailbox_take(&scene.b.link.mailbox, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
        assert_int_equal(exo_load32(&scene.b.link.mailbox.rung, EXO_ACQUIRE), 1);
        while (!is_readable(scene.fd, 0)) {
            assert_true(tries++ < 100); /* at once, not when it was to look again anyway */
        }
        exo_fd_clear(&scene.b);
        assert_int_equal(exo_recv(&scene.b.rx, &number, sizeof(number)), sizeof(number));
    }
    /* Read between the look and the setting of the timer: arming says so. */
    exo_mailbox_chime_pvt(&scene.b.link.mailbox);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_INTERRUPTED);
    exo_fd_clear(&scene.b);
    arm_quietly(&scene, EXO_READABLE, 0);
    scene_close(&scene);
}

static void rings_and_descriptors_share_the_socket(void **state)
{
    struct scene scene;
    exo_u64 number;
    (void)state;
    scene_open(&scene, NULL);
    for (number = 0; number < 40; number++) {
        exo_u64 position = 0;
        int got = -1;
        arm_quietly(&scene, EXO_READABLE, 0);
        assert_int_equal(exo_mailbox_post(&scene.a.link.mailbox, number, 0, EXO_NOW), EXO_OK);
        assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
        assert_true(is_readable(scene.fd, 5000));
        exo_fd_clear(&scene.b);
        assert_int_equal(exo_recv(&scene.b.rx, &position, sizeof(position)), sizeof(position));
        assert_int_equal(exo_mailbox_take(&scene.b.link.mailbox, position, &got, EXO_NOW), EXO_OK);
        (void)close(got);
    }
    scene_close(&scene);
}

static void a_peer_that_rings_for_nothing_costs_only_turns(void **state)
{
    struct scene scene;
    exo_u64 number = 5;
    exo_u32 i;
    (void)state;
    scene_open(&scene, NULL);
    arm_quietly(&scene, EXO_READABLE, 0);
    for (i = 0; i < 100000; i++) {
        exo_port_ring_bell(&scene.a.link.bell); /* the socket is full at last, and nobody waits */
    }
    assert_true(is_readable(scene.fd, 0));
    exo_fd_clear(&scene.b);
    arm_quietly(&scene, EXO_READABLE, 0);
    assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK);
    assert_true(is_readable(scene.fd, 5000));
    scene_close(&scene);
}

static void a_ring_is_as_good_as_any_other_letter_when_the_socket_is_full(void **state)
{
    struct scene scene;
    exo_u64 number = 5;
    exo_u32 posted = 0;
    (void)state;
    scene_open(&scene, NULL);
    while (exo_mailbox_post(&scene.a.link.mailbox, posted, 0, EXO_NOW) == EXO_OK) {
        posted++;
    }
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_OK);
    assert_int_equal(exo_send(&scene.a.tx, &number, sizeof(number)), EXO_OK); /* rings in vain, does not wait */
    assert_true(is_readable(scene.fd, 0));
    exo_fd_clear(&scene.b);
    assert_int_equal(exo_recv(&scene.b.rx, &number, sizeof(number)), sizeof(number));
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_QUOTA_EXCEEDED); /* nobody takes them */
    while (posted-- != 0) {
        int got = -1;
        exo_status status = exo_mailbox_take(&scene.b.link.mailbox, posted, &got, EXO_NOW);
        if (status == EXO_QUOTA_EXCEEDED) { /* not the next: those in front first */
            exo_u64 tag = scene.b.link.mailbox.stash[0].tag;
            assert_int_equal(exo_mailbox_discard(&scene.b.link.mailbox, tag), EXO_OK);
            posted++;
        }
        exo_descriptor_close_pvt(&got);
        if (status == EXO_WOULD_BLOCK) {
            break;
        }
    }
    arm_quietly(&scene, EXO_READABLE, 0);
    scene_close(&scene);
}

static void nonsense_is_said_by_arming(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene, NULL);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_OK);
    assert_int_equal(send(scene.a.link.socket, "x", 1, MSG_NOSIGNAL), 1);
    assert_true(is_readable(scene.fd, 0));
    exo_fd_clear(&scene.b);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_CORRUPT);
    assert_int_equal(exo_fd_arm(&scene.b, EXO_READABLE, 0), EXO_CORRUPT);
    scene_close(&scene);
}

/* A peer that hangs up without closing, and lives. */
static void a_peer_that_hangs_up_is_dead(void **state)
{
    const exo_u32 profiles[] = {EXO_CRASH_SAFE, EXO_HOSTILE};
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(profiles); i++) {
        struct exo_ring_config config = config_of(profiles[i]);
        struct scene scene;
        exo_u32 turns = 0;
        exo_status status;
        scene_open(&scene, &config);
        status = exo_fd_arm(&scene.b, EXO_READABLE, 0);
        exo_descriptor_close_pvt(&scene.a.link.socket);
        while (status == EXO_OK && turns < 100) {
            assert_true(is_readable(scene.fd, 5000));
            exo_fd_clear(&scene.b);
            status = exo_fd_arm(&scene.b, EXO_READABLE, 0);
            turns++;
        }
        assert_int_equal(status, EXO_PEER_DIED);
        assert_true(turns < 10);
        scene_close(&scene);
    }
}

static void without_descriptors_the_end_goes_on(void **state)
{
    struct exo_end a;
    struct exo_end b;
    struct rlimit limit;
    struct rlimit few;
    exo_u64 number = 1;
    (void)state;
    assert_int_equal(exo_open_both(&a, &b, NULL), EXO_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(exo_fd(&b), EXO_QUOTA_EXCEEDED);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(exo_fd_arm(&b, EXO_READABLE, 0), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_send(&a.tx, &number, sizeof(number)), EXO_OK);
    assert_true(exo_fd(&b) >= 0);
    assert_int_equal(exo_fd_arm(&b, EXO_READABLE, 0), EXO_INTERRUPTED);
    exo_close(&a);
    exo_close(&b);
}

/* Rings between threads: several senders of one ring, and a second ring, on one bell. */
#define SENT ROUNDS(40000u)

struct crowd {
    struct exo_ring rings[2];
    struct exo_sender tx[3]; /* two of the first ring, one of the second */
    struct exo_receiver rx[2];
    struct exo_bell bell;
    struct exo_bell room; /* of the second ring's sender */
};

struct member {
    struct crowd *crowd;
    exo_u32 number;
};

static void *sends_much(void *argument)
{
    const struct member *member = (const struct member *)argument;
    struct crowd *crowd = member->crowd;
    struct exo_sender *tx = &crowd->tx[member->number];
    exo_u64 again_ns = EXO_FOREVER;
    exo_u64 i = 0;
    while (i < SENT) {
        exo_u64 words[2] = {member->number, i};
        exo_status status = member->number == 2 ? exo_send(tx, words, sizeof(words))
                                                : exo_send_blocking(tx, words, sizeof(words), in_seconds(20));
        if (status == EXO_OK) {
            i++;
        } else if (status != EXO_FULL) {
            return argument;
        } else if (exo_sender_arm(tx, sizeof(words), 0, &again_ns) == EXO_OK) {
            if (!is_readable(exo_bell_fd(&crowd->room), 20000)) {
                return argument;
            }
            exo_sender_disarm(tx);
            exo_bell_clear(&crowd->room);
        }
    }
    return NULL;
}

static void threads_wait_by_one_descriptor_for_two_rings(void **state)
{
    static struct crowd crowd;
    struct exo_ring_config config = {0};
    struct member members[3];
    pthread_t threads[3];
    exo_u64 next[3] = {0, 0, 0};
    exo_u64 again_ns = EXO_FOREVER;
    struct held before = count_held();
    exo_u32 i;
    (void)state;
    config.slots = 8;
    config.start = NEAR_WRAP;
    config.mode = EXO_MPSC;
    config.producers = 2;
    assert_int_equal(exo_ring_create(&crowd.rings[0], &config, &crowd.tx[0], &crowd.rx[0]), EXO_OK);
    assert_int_equal(exo_ring_sender(&crowd.rings[0], &crowd.tx[1]), EXO_OK);
    config.mode = EXO_SPSC;
    config.producers = 1;
    assert_int_equal(exo_ring_create(&crowd.rings[1], &config, &crowd.tx[2], &crowd.rx[1]), EXO_OK);
    assert_int_equal(exo_bell_open(&crowd.bell), EXO_OK);
    assert_int_equal(exo_bell_open(&crowd.room), EXO_OK);
    assert_int_equal(fcntl(exo_bell_fd(&crowd.bell), F_GETFD), FD_CLOEXEC);
    assert_int_equal(exo_sender_arm(&crowd.tx[0], 8, 0, &again_ns), EXO_NOT_SUPPORTED); /* not alone */
    exo_bell_for_receiver(&crowd.room, &crowd.rx[1]);
    for (i = 0; i < 3; i++) {
        exo_bell_for_sender(&crowd.bell, &crowd.tx[i]);
        members[i].crowd = &crowd;
        members[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, sends_much, &members[i]), 0);
    }
    while (next[0] + next[1] + next[2] < 3ull * SENT) {
        exo_bool any = EXO_FALSE;
        for (i = 0; i < 2; i++) {
            exo_u64 words[2] = {9, 9};
            while (exo_recv(&crowd.rx[i], words, sizeof(words)) == sizeof(words)) {
                assert_true(words[0] < 3 && words[1] == next[words[0]]);
                next[words[0]]++;
            }
        }
        for (i = 0; i < 2 && !any; i++) {
            any = exo_receiver_arm(&crowd.rx[i], 0, &again_ns) != EXO_OK;
        }
        if (!any && next[0] + next[1] + next[2] < 3ull * SENT) {
            assert_true(is_readable(exo_bell_fd(&crowd.bell), 20000));
            exo_bell_clear(&crowd.bell);
        }
        exo_receiver_disarm(&crowd.rx[0]);
        exo_receiver_disarm(&crowd.rx[1]);
    }
    assert_true(again_ns == EXO_FOREVER);
    for (i = 0; i < 3; i++) {
        void *result = &crowd;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    exo_bell_close(&crowd.bell);
    exo_bell_close(&crowd.bell);
    exo_bell_close(&crowd.room);
    exo_ring_destroy(&crowd.rings[0]);
    exo_ring_destroy(&crowd.rings[1]);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_message_makes_it_readable),
        CLAIM(a_message_that_is_there_is_said_at_once),
        CLAIM(a_free_slot_and_room_in_the_arena_make_it_readable),
        CLAIM(a_polled_end_cannot_be_armed),
        CLAIM(closing_makes_it_readable_for_good),
        CLAIM(a_killed_peer_makes_it_readable_within_100_ms),
        CLAIM(many_ends_in_one_epoll_set),
        CLAIM(no_ring_is_missed_in_a_ping_pong_of_100000),
        CLAIM(no_ring_is_missed_in_a_stream),
        CLAIM(while_nobody_is_armed_a_send_makes_no_system_call),
        CLAIM(one_ring_answers_one_arming),
        CLAIM(a_blocking_call_takes_the_place_of_arming),
        CLAIM(a_ring_that_a_take_read_is_passed_on),
        CLAIM(rings_and_descriptors_share_the_socket),
        CLAIM(a_peer_that_rings_for_nothing_costs_only_turns),
        CLAIM(a_ring_is_as_good_as_any_other_letter_when_the_socket_is_full),
        CLAIM(nonsense_is_said_by_arming),
        CLAIM(a_peer_that_hangs_up_is_dead),
        CLAIM(without_descriptors_the_end_goes_on),
        CLAIM(threads_wait_by_one_descriptor_for_two_rings),
    };
    lateness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
