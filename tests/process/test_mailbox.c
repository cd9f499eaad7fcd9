/* SPDX-License-Identifier: MIT */
/* Descriptors that go along with messages: order, limits, peers that send anything. */
#include "process_fixture.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

/* A mailbox, and the raw socket of its peer. */
struct scene {
    struct exo_mailbox here;
    struct exo_mailbox there;
    int sockets[2];
    struct held before;
};

static void scene_open(struct scene *scene)
{
    scene->before = count_held();
    assert_int_equal(exo_pair(scene->sockets), EXO_OK);
    assert_int_equal(exo_socket_prepare_pvt(scene->sockets[0]), EXO_OK);
    exo_mailbox_init(&scene->here, scene->sockets[0]);
    exo_mailbox_init(&scene->there, scene->sockets[1]);
}

/* Nothing leaks, whatever was sent. */
static void scene_close(struct scene *scene)
{
    exo_mailbox_close(&scene->here);
    exo_mailbox_close(&scene->here);
    exo_mailbox_close(&scene->there);
    exo_descriptor_close_pvt(&scene->sockets[0]);
    exo_descriptor_close_pvt(&scene->sockets[1]);
    assert_held(scene->before);
}

/* A descriptor that can be told from others: an eventfd that counts so far. */
static int marked(exo_u64 mark)
{
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(made >= 0);
    assert_int_equal(write(made, &mark, sizeof(mark)), sizeof(mark));
    return made;
}

static exo_u64 mark_of(int descriptor)
{
    exo_u64 mark = 0;
    assert_int_equal(read(descriptor, &mark, sizeof(mark)), sizeof(mark));
    (void)close(descriptor);
    return mark;
}

static void post(struct scene *scene, exo_u64 tag, exo_u64 mark)
{
    int descriptor = marked(mark);
    assert_int_equal(exo_mailbox_post(&scene->there, tag, descriptor, EXO_NOW), EXO_OK);
    (void)close(descriptor);
}

static void assert_taken(struct scene *scene, exo_u64 tag, exo_u64 mark)
{
    int got = -1;
    assert_int_equal(exo_mailbox_take(&scene->here, tag, &got, EXO_NOW), EXO_OK);
    assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
    assert_int_equal(mark_of(got), mark);
}

/* A datagram of any shape with many descriptors. */
static void say(const struct scene *scene, const void *data, exo_size bytes, int descriptor, exo_u32 count)
{
    struct iovec part = {(void *)(exo_uptr)data, bytes};
    exo_word64 control[CMSG_SPACE(64 * sizeof(int)) / sizeof(exo_word64)];
    struct msghdr message = {NULL, 0, &part, 1, NULL, 0, 0};
    struct cmsghdr *header = (struct cmsghdr *)(void *)control;
    exo_u32 i;
    memset(control, 0, sizeof(control));
    if (count != 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (i = 0; i < count; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &descriptor, sizeof(int));
        }
    }
    assert_int_equal(sendmsg(scene->sockets[1], &message, MSG_NOSIGNAL), (long)bytes);
}

static void a_descriptor_arrives_with_its_tag(void **state)
{
    struct scene scene;
    exo_u64 tag;
    int got = -5;
    (void)state;
    scene_open(&scene);
    errno = 77;
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, in_ms(5)), EXO_TIMEOUT);
    for (tag = NEAR_WRAP; tag < NEAR_WRAP + 100; tag++) {
        post(&scene, tag, tag);
        errno = 77;
        assert_taken(&scene, tag, tag);
    }
    assert_int_equal(exo_mailbox_post(&scene.there, 1, -2, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_mailbox_post(&scene.there, 1, 12345, EXO_NOW), EXO_INVALID_ARGUMENT);
    assert_int_equal(errno, 77);
    assert_int_equal(got, -5);
    scene_close(&scene);
}

static void any_kind_of_descriptor_goes(void **state)
{
    struct scene scene;
    struct stat sent;
    struct stat came;
    int kinds[6] = {-1, -1, -1, -1, -1, -1};
    int got = -1;
    exo_u32 i;
    (void)state;
    scene_open(&scene);
    assert_int_equal(pipe2(kinds, O_CLOEXEC), 0);
    assert_int_equal(exo_pair(kinds + 2), EXO_OK);
    kinds[4] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    kinds[5] = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(exo_mailbox_post(&scene.there, i, kinds[i], EXO_NOW), EXO_OK);
        assert_int_equal(exo_mailbox_take(&scene.here, i, &got, EXO_NOW), EXO_OK);
        assert_int_equal(fstat(kinds[i], &sent), 0);
        assert_int_equal(fstat(got, &came), 0);
        assert_int_equal(sent.st_ino, came.st_ino);
        (void)close(got);
        (void)close(kinds[i]);
    }
    scene_close(&scene);
}

static void order_does_not_matter_within_the_stash(void **state)
{
    struct scene scene;
    exo_u64 tag;
    (void)state;
    scene_open(&scene);
    for (tag = 0; tag <= EXO_MAILBOX_STASH; tag++) {
        post(&scene, tag, 100 + tag);
    }
    assert_taken(&scene, EXO_MAILBOX_STASH, 100 + EXO_MAILBOX_STASH); /* all others are in the stash now */
    for (tag = EXO_MAILBOX_STASH; tag-- != 0;) {
        assert_taken(&scene, tag, 100 + tag);
    }
    scene_close(&scene);
}

static void more_than_the_stash_holds_wait_in_the_socket(void **state)
{
    struct scene scene;
    exo_u64 tag;
    int got = -5;
    (void)state;
    scene_open(&scene);
    for (tag = 0; tag < EXO_MAILBOX_STASH + 8; tag++) {
        post(&scene, tag, 100 + tag);
    }
    assert_int_equal(exo_mailbox_take(&scene.here, EXO_MAILBOX_STASH + 7, &got, EXO_NOW), EXO_QUOTA_EXCEEDED);
    assert_int_equal(exo_mailbox_take(&scene.here, 99, &got, in_seconds(5)), EXO_QUOTA_EXCEEDED);
    assert_int_equal(got, -5);
    assert_taken(&scene, EXO_MAILBOX_STASH, 100 + EXO_MAILBOX_STASH); /* the next */
    for (tag = 0; tag < EXO_MAILBOX_STASH; tag++) {
        assert_taken(&scene, tag, 100 + tag);
    }
    assert_taken(&scene, EXO_MAILBOX_STASH + 7, 107 + EXO_MAILBOX_STASH);
    scene_close(&scene);
}

static void the_later_of_two_posts_counts_and_a_post_can_be_taken_back(void **state)
{
    struct scene scene;
    exo_u32 i;
    int got = -5;
    (void)state;
    scene_open(&scene);
    for (i = 1; i <= 50; i++) {
        post(&scene, 7, i);
    }
    post(&scene, 8, 80);
    assert_taken(&scene, 8, 80);
    assert_taken(&scene, 7, 50);
    post(&scene, 9, 90);
    assert_int_equal(exo_mailbox_post(&scene.there, 9, -1, EXO_NOW), EXO_OK);
    assert_int_equal(exo_mailbox_post(&scene.there, 10, -1, EXO_NOW), EXO_OK); /* nothing to take back */
    post(&scene, 11, 110);
    assert_taken(&scene, 11, 110);
    assert_int_equal(exo_mailbox_take(&scene.here, 9, &got, EXO_NOW), EXO_WOULD_BLOCK);
    scene_close(&scene);
}

static void what_is_discarded_is_closed(void **state)
{
    struct scene scene;
    int count;
    int got = -1;
    (void)state;
    scene_open(&scene);
    count = count_descriptors();
    post(&scene, 1, 1);
    post(&scene, 2, 2);
    assert_int_equal(exo_mailbox_discard(&scene.here, 2), EXO_OK);
    assert_int_equal(count_descriptors(), count + 1);
    assert_int_equal(exo_mailbox_discard(&scene.here, 1), EXO_OK);
    assert_int_equal(count_descriptors(), count);
    assert_int_equal(exo_mailbox_discard(&scene.here, 1), EXO_WOULD_BLOCK);
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
    scene_close(&scene);
}

static void nonsense_is_corrupt_for_good(void **state)
{
    static const struct {
        const char *name;
        exo_size off; /* of the word that is changed; 99: none */
        exo_u64 value;
        exo_size bytes;
        exo_u32 descriptors;
    } rows[] = {
        {"another magic", 0, 1, sizeof(struct exo_letter), 1},
        {"another letter", 8, 77, sizeof(struct exo_letter), 1},
        {"a hello", 8, EXO_HELLO, sizeof(struct exo_letter), 1},
        {"a welcome", 8, EXO_LETTER_WELCOME, sizeof(struct exo_letter), 0},
        {"a ring with a descriptor", 8, EXO_LETTER_RING, sizeof(struct exo_letter), 1},
        {"a byte less", 99, 0, sizeof(struct exo_letter) - 1, 1},
        {"a byte more", 99, 0, sizeof(struct exo_letter) + 1, 1},
        {"one byte", 99, 0, 1, 0},
        {"two descriptors", 99, 0, sizeof(struct exo_letter), 2},
        {"64 descriptors", 99, 0, sizeof(struct exo_letter), 64},
    };
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        exo_u8 bytes[64] = {0};
        struct exo_letter letter = {EXO_LETTER_MAGIC, EXO_LETTER_DESCRIPTOR, 5};
        struct scene scene;
        exo_bool any;
        int got = -5;
        scene_open(&scene);
        memcpy(bytes, &letter, sizeof(letter));
        if (rows[i].off != 99) {
            memcpy(bytes + rows[i].off, &rows[i].value, sizeof(rows[i].value));
        }
        say(&scene, bytes, rows[i].bytes, scene.sockets[1], rows[i].descriptors);
        post(&scene, 5, 5);
        if (exo_mailbox_take(&scene.here, 5, &got, in_seconds(5)) != EXO_CORRUPT || got != -5) {
            fail_msg("%s", rows[i].name);
        }
        assert_int_equal(exo_mailbox_take(&scene.here, 5, &got, in_seconds(5)), EXO_CORRUPT);
        assert_int_equal(exo_mailbox_collect_pvt(&scene.here, &any), EXO_CORRUPT);
        scene_close(&scene);
    }
}

static void what_came_before_nonsense_can_still_be_taken(void **state)
{
    struct scene scene;
    int got = -1;
    (void)state;
    scene_open(&scene);
    post(&scene, 1, 11);
    say(&scene, "x", 1, -1, 0);
    assert_int_equal(exo_mailbox_take(&scene.here, 2, &got, EXO_NOW), EXO_CORRUPT);
    assert_taken(&scene, 1, 11);
    scene_close(&scene);
}

/* Sends the same letter for ever. */
static void floods(void *argument)
{
    const struct scene *scene = (const struct scene *)argument;
    struct exo_letter letter = {EXO_LETTER_MAGIC, EXO_LETTER_RING, 0};
    for (;;) {
        (void)send(scene->sockets[1], &letter, sizeof(letter), MSG_NOSIGNAL);
    }
}

static void a_flood_is_read_no_longer_than_the_deadline(void **state)
{
    struct scene scene;
    exo_u64 begun;
    exo_bool any;
    pid_t children[4]; /* so that the socket is never found empty */
    exo_u32 i;
    int got = -1;
    (void)state;
    scene_open(&scene);
    for (i = 0; i < COUNT(children); i++) {
        children[i] = start_child(floods, &scene);
    }
    begun = exo_port_now_ns();
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, in_ms(50)), EXO_TIMEOUT);
    assert_in_range(exo_port_now_ns() - begun, 50 * MILLISECOND_NS, 5 * SECOND_NS);
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_mailbox_collect_pvt(&scene.here, &any), EXO_OK);
    for (i = 0; i < COUNT(children); i++) {
        assert_int_equal(kill(children[i], SIGKILL), 0);
        assert_int_equal(join_child(children[i]), -SIGKILL);
    }
    scene_close(&scene);
}

/* Where a user may have so large a buffer: what one call reads has a bound without a deadline, too. */
static void a_call_that_must_not_wait_reads_so_many_letters_at_most(void **state)
{
    struct exo_letter letter = {EXO_LETTER_MAGIC, EXO_LETTER_RING, 0};
    struct scene scene;
    int room = 16 << 20;
    exo_u32 sent = 0;
    int got = -1;
    (void)state;
    scene_open(&scene);
    (void)setsockopt(scene.sockets[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    while (sent < 3 * EXO_MAILBOX_LETTERS &&
           send(scene.sockets[1], &letter, sizeof(letter), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        sent++;
    }
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
    if (sent == 3 * EXO_MAILBOX_LETTERS) {
        assert_int_equal(recv(scene.sockets[0], &letter, sizeof(letter), MSG_DONTWAIT), sizeof(letter));
    }
    scene_close(&scene);
}

static void a_peer_that_does_not_read_is_waited_for_until_the_deadline(void **state)
{
    struct scene scene;
    exo_u64 begun;
    exo_u32 posted = 0;
    exo_status status;
    int descriptor;
    (void)state;
    scene_open(&scene);
    descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while ((status = exo_mailbox_post(&scene.there, posted, descriptor, EXO_NOW)) == EXO_OK && posted < 100000) {
        posted++;
    }
    assert_int_equal(status, EXO_WOULD_BLOCK);
    begun = exo_port_now_ns();
    assert_int_equal(exo_mailbox_post(&scene.there, posted, descriptor, in_ms(20)), EXO_TIMEOUT);
    assert_in_range(exo_port_now_ns() - begun, 19 * MILLISECOND_NS, 5 * SECOND_NS);
    (void)close(descriptor);
    scene_close(&scene);
}

static void a_peer_that_left_is_dead_after_what_it_had_sent(void **state)
{
    struct scene scene;
    int got = -1;
    (void)state;
    scene_open(&scene);
    post(&scene, 1, 1);
    post(&scene, 2, 2);
    assert_int_equal(exo_mailbox_post(&scene.here, 1, 0, EXO_NOW), EXO_OK); /* unread: a reset for the other side */
    exo_descriptor_close_pvt(&scene.sockets[1]);
    assert_int_equal(exo_mailbox_take(&scene.here, 3, &got, in_seconds(5)), EXO_PEER_DIED);
    assert_taken(&scene, 2, 2);
    assert_taken(&scene, 1, 1);
    assert_int_equal(exo_mailbox_post(&scene.here, 1, 0, in_seconds(5)), EXO_PEER_DIED);
    scene_close(&scene);
}

static void a_descriptor_without_room_is_lost_and_the_next_comes(void **state)
{
    struct scene scene;
    struct rlimit limit;
    struct rlimit few;
    int got = -5;
    (void)state;
    scene_open(&scene);
    post(&scene, 1, 1);
    post(&scene, 2, 2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(exo_mailbox_take(&scene.here, 2, &got, EXO_NOW), EXO_QUOTA_EXCEEDED);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_QUOTA_EXCEEDED); /* was lost on the way */
    assert_int_equal(exo_mailbox_take(&scene.here, 1, &got, EXO_NOW), EXO_WOULD_BLOCK);
    post(&scene, 3, 3);
    assert_taken(&scene, 3, 3);
    assert_int_equal(got, -5);
    scene_close(&scene);
}

/* One thread takes what another one's collecting may have read. */
static void *collects(void *argument)
{
    struct scene *scene = (struct scene *)argument;
    exo_bool any;
    while (exo_load32(&scene->there.rung, EXO_ACQUIRE) == 0) {
        (void)exo_mailbox_collect_pvt(&scene->here, &any);
    }
    return NULL;
}

static void *posts(void *argument)
{
    struct scene *scene = (struct scene *)argument;
    exo_u64 tag;
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (tag = 0; tag < ROUNDS(3000u); tag++) {
        if (exo_mailbox_post(&scene->there, tag, descriptor, in_seconds(20)) != EXO_OK) {
            break;
        }
    }
    (void)close(descriptor);
    return NULL;
}

static void threads_share_a_mailbox(void **state)
{
    struct scene scene;
    pthread_t threads[2];
    exo_u64 tag;
    (void)state;
    scene_open(&scene);
    assert_int_equal(pthread_create(&threads[0], NULL, collects, &scene), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, posts, &scene), 0);
    for (tag = 0; tag < ROUNDS(3000u); tag++) {
        int got = -1;
        assert_int_equal(exo_mailbox_take(&scene.here, tag, &got, in_seconds(20)), EXO_OK);
        (void)close(got);
    }
    exo_store32(&scene.there.rung, 1u, EXO_RELEASE);
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    scene_close(&scene);
}

/* Over an end: message and descriptor, between processes. */
static void sends_descriptors(struct meeting *meeting)
{
    exo_u64 position;
    child_opens(meeting);
    for (position = 0; position < 40; position++) {
        int descriptor = marked(1000 + position);
        CHECK(exo_mailbox_post(&meeting->end.link.mailbox, position, descriptor, in_seconds(20)) == EXO_OK);
        CHECK(exo_send_blocking(&meeting->end.tx, &position, sizeof(position), in_seconds(20)) == EXO_OK);
        (void)close(descriptor);
    }
    exo_close(&meeting->end);
}

static void descriptors_go_along_with_the_messages_of_an_end(void **state)
{
    struct meeting meeting = {.sockets = {-1, -1}, .body = sends_descriptors};
    struct held before = count_held();
    exo_u64 expected;
    exo_u64 position = 0;
    pid_t child = meet(&meeting);
    (void)state;
    assert_int_equal(parent_opens(&meeting, NULL), EXO_OK);
    for (expected = 0; expected < 40; expected++) {
        int got = -1;
        assert_int_equal(exo_recv_blocking(&meeting.end.rx, &position, sizeof(position), in_seconds(20)),
                         sizeof(position));
        if (position % 4 == 3) {
            continue; /* nobody wants it */
        }
        assert_int_equal(exo_mailbox_take(&meeting.end.link.mailbox, position, &got, EXO_NOW), EXO_OK);
        assert_int_equal(mark_of(got), 1000 + expected);
    }
    assert_int_equal(join_child(child), 0);
    exo_close(&meeting.end);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_descriptor_arrives_with_its_tag),
        CLAIM(any_kind_of_descriptor_goes),
        CLAIM(order_does_not_matter_within_the_stash),
        CLAIM(more_than_the_stash_holds_wait_in_the_socket),
        CLAIM(the_later_of_two_posts_counts_and_a_post_can_be_taken_back),
        CLAIM(what_is_discarded_is_closed),
        CLAIM(nonsense_is_corrupt_for_good),
        CLAIM(what_came_before_nonsense_can_still_be_taken),
        CLAIM(a_flood_is_read_no_longer_than_the_deadline),
        CLAIM(a_call_that_must_not_wait_reads_so_many_letters_at_most),
        CLAIM(a_peer_that_does_not_read_is_waited_for_until_the_deadline),
        CLAIM(a_peer_that_left_is_dead_after_what_it_had_sent),
        CLAIM(a_descriptor_without_room_is_lost_and_the_next_comes),
        CLAIM(threads_share_a_mailbox),
        CLAIM(descriptors_go_along_with_the_messages_of_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
