/* SPDX-License-Identifier: MIT */
/* Opening an end against a peer that breaks the rules: a declared error, and nothing left behind. */
#include "handshake_fixture.h"

#include <sys/resource.h>

/* A good peer, a change to it before it is sealed, a change to what it says, and what comes of it. */
struct offence {
    const char *name;
    void (*spoil)(struct peer *peer, struct exo_ring_header *tx, struct exo_ring_header *rx);
    void (*change)(struct peer *peer, struct datagram *hello, struct datagram *accept);
    exo_status wanted;
};

static void commit_offence(const struct offence *offence)
{
    struct held before = count_held();
    struct exo_geometry geometry;
    struct peer peer;
    struct datagram hello;
    struct datagram accept;
    struct exo_end end;
    exo_status status;
    default_geometry(&geometry);
    peer_begin(&peer, &geometry);
    if (offence->spoil != NULL) {
        offence->spoil(&peer, (struct exo_ring_header *)(void *)peer.tx.memory,
                       (struct exo_ring_header *)(void *)peer.rx.memory);
    }
    peer_seal(&peer);
    hello = good_hello(&peer);
    accept = good_accept(&peer);
    if (offence->change != NULL) {
        offence->change(&peer, &hello, &accept);
    }
    say(&peer, &hello);
    say(&peer, &accept);
    status = exo_open(&end, peer.other, NULL, in_seconds(5));
    if (status != offence->wanted) {
        print_message("             (with %s)\n", offence->name);
    }
    assert_int_equal(status, offence->wanted);
    if (status == EXO_OK) {
        assert_int_equal(exo_send_inline(&end.tx, "abc", 4), EXO_OK);
        assert_int_equal(exo_recv_inline(&end.rx, NULL, 0), EXO_EMPTY);
    }
    assert_int_equal(end.link.socket == -1, status != EXO_OK);
    exo_close(&end);
    peer_end(&peer);
    assert_held(before);
}

#define SPOIL(name, statement)                                                                       \
    static void name(struct peer *peer, struct exo_ring_header *tx, struct exo_ring_header *rx)      \
    {                                                                                                \
        (void)peer;                                                                                  \
        (void)tx;                                                                                    \
        (void)rx;                                                                                    \
        statement;                                                                                   \
    }
#define CHANGE(name, statement)                                                                      \
    static void name(struct peer *peer, struct datagram *hello, struct datagram *accept)             \
    {                                                                                                \
        (void)peer;                                                                                  \
        (void)hello;                                                                                 \
        (void)accept;                                                                                \
        statement;                                                                                   \
    }

/* Descriptors that are borrowed for one datagram each. */
static int pipe_side(void)
{
    int sides[2];
    assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
    (void)close(sides[1]);
    return sides[0];
}

static int unsealed_memfd(void)
{
    int made = (int)syscall(SYS_memfd_create, "exo_ipc test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(made, 1 << 20), 0);
    return made;
}

static int sparse_memfd(void)
{
    int made = unsealed_memfd();
    assert_int_equal(fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE), 0);
    return made;
}

static int small_memfd(void)
{
    int made = unsealed_memfd();
    assert_int_equal(ftruncate(made, 0), 0);
    assert_int_equal(fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE), 0);
    return made;
}

/* The peer's segment is replaced: its own copy is closed with the peer. */
static void instead(struct exo_segment *segment, struct datagram *datagram, int descriptor)
{
    (void)close(segment->descriptor);
    segment->descriptor = descriptor;
    datagram->descriptors[0] = descriptor;
}

static void flood(struct datagram *datagram, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        datagram->descriptors[i] = datagram->descriptors[0];
    }
    datagram->count = count;
}

CHANGE(short_hello, hello->bytes = sizeof(struct exo_hello) - 1)
CHANGE(one_byte_hello, hello->bytes = 1)
CHANGE(empty_hello, hello->bytes = 0)
CHANGE(long_hello, hello->bytes = sizeof(struct exo_hello) + 1)
CHANGE(very_long_hello, hello->bytes = 256)
CHANGE(magic_hello, hello->hello.magic ^= (exo_u64)1 << 63)
CHANGE(version_hello, hello->hello.version++)
CHANGE(accept_first, hello->hello.what = EXO_ACCEPT)
CHANGE(unknown_what, hello->hello.what = 3)
CHANGE(refusing_hello, hello->hello.status = EXO_NO_MEMORY)
CHANGE(positive_hello, hello->hello.status = 1)
CHANGE(unknown_status_hello, hello->hello.status = -23)
CHANGE(least_status_hello, hello->hello.status = (exo_i32)0x80000000u)
CHANGE(no_descriptor, hello->count = 0)
CHANGE(two_descriptors, flood(hello, 2))
CHANGE(nine_descriptors, flood(hello, 9))
CHANGE(sixty_descriptors, flood(hello, 60))
CHANGE(pipe_hello, instead(&peer->tx, hello, pipe_side()))
CHANGE(unsealed_hello, instead(&peer->tx, hello, unsealed_memfd()))
CHANGE(sparse_hello, instead(&peer->tx, hello, sparse_memfd()))
CHANGE(small_hello, instead(&peer->tx, hello, small_memfd()))
CHANGE(receiver_segment_hello, instead(&peer->tx, hello, dup(peer->rx.descriptor)))

CHANGE(short_accept, accept->bytes--)
CHANGE(long_accept, accept->bytes++)
CHANGE(hello_twice, accept->hello.what = EXO_HELLO)
CHANGE(version_accept, accept->hello.version--)
CHANGE(refusing_accept, accept->hello.status = EXO_TYPE_MISMATCH)
CHANGE(nonsense_accept, accept->hello.status = 77)
CHANGE(accept_without, accept->count = 0)
CHANGE(accept_with_many, flood(accept, 8))
CHANGE(pipe_accept, instead(&peer->rx, accept, pipe_side()))
CHANGE(unsealed_accept, instead(&peer->rx, accept, unsealed_memfd()))
CHANGE(sender_segment_accept, instead(&peer->rx, accept, dup(peer->tx.descriptor)))

CHANGE(life_outside, hello->hello.life = accept->hello.life = 68)
CHANGE(life_huge, hello->hello.life = accept->hello.life = 0xFFFFFFFFu)
CHANGE(life_odd, hello->hello.life = accept->hello.life = 26)
CHANGE(life_dead, hello->hello.life = accept->hello.life = 64)

SPOIL(magic_segment, tx->magic++)
SPOIL(version_segment, tx->version++)
SPOIL(slots_segment, tx->slots = 3)
SPOIL(bytes_segment, tx->bytes += 64)
SPOIL(producers_segment, tx->producers = 2)
SPOIL(arena_segment, tx->arena_size = (exo_u64)1 << 60)
SPOIL(mode_segment, tx->mode = EXO_SPMC)
SPOIL(profile_segment, tx->profile = EXO_HOSTILE)
SPOIL(type_segment, tx->type = 5)
SPOIL(other_ring, rx->slots = 512)
SPOIL(rx_magic, rx->magic++)

/* A consistent header of a ring that is larger than its segment. */
static void larger_segment(struct peer *peer, struct exo_ring_header *tx, struct exo_ring_header *rx)
{
    struct exo_ring_config config = {0};
    struct exo_geometry geometry;
    (void)peer;
    (void)rx;
    config.profile = EXO_CRASH_SAFE;
    config.slots = 4096;
    assert_int_equal(exo_geometry_from_config(&geometry, &config), EXO_OK);
    exo_header_fill_pvt(tx, &geometry, EXO_MAGIC_TX);
}

#define SAID(change, wanted) {#change, NULL, change, wanted}
#define MADE(spoil, wanted) {#spoil, spoil, NULL, wanted}

static void a_peer_that_keeps_the_rules_is_accepted(void **state)
{
    static const struct offence none[] = {
        {"nothing", NULL, NULL, EXO_OK}, SAID(life_outside, EXO_OK), SAID(life_huge, EXO_OK),
        SAID(life_odd, EXO_OK),          SAID(life_dead, EXO_OK),
    };
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(none); i++) {
        commit_offence(&none[i]);
    }
}

static void each_bad_hello_has_its_error_and_leaves_nothing(void **state)
{
    static const struct offence bad[] = {
        SAID(short_hello, EXO_CORRUPT),
        SAID(one_byte_hello, EXO_CORRUPT),
        SAID(empty_hello, EXO_PEER_DIED), /* how a socket says that nothing more will come */
        SAID(long_hello, EXO_CORRUPT),
        SAID(very_long_hello, EXO_CORRUPT),
        SAID(magic_hello, EXO_CORRUPT),
        SAID(version_hello, EXO_VERSION_MISMATCH),
        SAID(accept_first, EXO_CORRUPT),
        SAID(unknown_what, EXO_CORRUPT),
        SAID(refusing_hello, EXO_NO_MEMORY),
        SAID(positive_hello, EXO_CORRUPT),
        SAID(unknown_status_hello, EXO_CORRUPT),
        SAID(least_status_hello, EXO_CORRUPT),
        SAID(no_descriptor, EXO_CORRUPT),
        SAID(two_descriptors, EXO_CORRUPT),
        SAID(nine_descriptors, EXO_CORRUPT),
        SAID(sixty_descriptors, EXO_CORRUPT),
        SAID(pipe_hello, EXO_TYPE_MISMATCH),
        SAID(unsealed_hello, EXO_PERMISSION_DENIED),
        SAID(sparse_hello, EXO_NO_MEMORY),
        SAID(small_hello, EXO_INVALID_SIZE),
        SAID(receiver_segment_hello, EXO_TYPE_MISMATCH),
    };
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        commit_offence(&bad[i]);
    }
}

static void each_bad_accept_has_its_error_and_leaves_nothing(void **state)
{
    static const struct offence bad[] = {
        SAID(short_accept, EXO_CORRUPT),
        SAID(long_accept, EXO_CORRUPT),
        SAID(hello_twice, EXO_CORRUPT),
        SAID(version_accept, EXO_VERSION_MISMATCH),
        SAID(refusing_accept, EXO_TYPE_MISMATCH),
        SAID(nonsense_accept, EXO_CORRUPT),
        SAID(accept_without, EXO_CORRUPT),
        SAID(accept_with_many, EXO_CORRUPT),
        SAID(pipe_accept, EXO_TYPE_MISMATCH),
        SAID(unsealed_accept, EXO_PERMISSION_DENIED),
        SAID(sender_segment_accept, EXO_TYPE_MISMATCH),
        MADE(other_ring, EXO_TYPE_MISMATCH),
        MADE(rx_magic, EXO_TYPE_MISMATCH),
    };
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        commit_offence(&bad[i]);
    }
}

static void each_bad_segment_has_its_error_and_leaves_nothing(void **state)
{
    static const struct offence bad[] = {
        MADE(magic_segment, EXO_TYPE_MISMATCH),   MADE(version_segment, EXO_VERSION_MISMATCH),
        MADE(slots_segment, EXO_CORRUPT),         MADE(bytes_segment, EXO_CORRUPT),
        MADE(producers_segment, EXO_CORRUPT),     MADE(arena_segment, EXO_CORRUPT),
        MADE(mode_segment, EXO_CORRUPT),          MADE(profile_segment, EXO_TYPE_MISMATCH),
        MADE(type_segment, EXO_TYPE_MISMATCH),    MADE(larger_segment, EXO_INVALID_SIZE),
    };
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        commit_offence(&bad[i]);
    }
}

/* Random bytes in the place of the hello, the accept or the header of the segment. */
static void random_bytes_are_refused_and_leave_nothing(void **state)
{
    struct held before = count_held();
    exo_u64 seed = 1;
    exo_u32 round;
    (void)state;
    for (round = 0; round < 300; round++) {
        struct exo_geometry geometry;
        struct peer peer;
        struct datagram said[2];
        struct exo_end end;
        exo_u8 *at;
        exo_size room = sizeof(struct exo_hello);
        default_geometry(&geometry);
        peer_begin(&peer, &geometry);
        said[0] = good_hello(&peer);
        said[1] = good_accept(&peer);
        at = round % 3 == 0 ? (exo_u8 *)&said[0].hello : (exo_u8 *)&said[1].hello;
        if (round % 3 == 2) {
            at = peer.tx.memory;
            room = sizeof(struct exo_ring_header);
        }
        at[random_below(&seed, (exo_u32)room)] ^= (exo_u8)(1 + random_below(&seed, 255));
        peer_seal(&peer);
        say(&peer, &said[0]);
        say(&peer, &said[1]);
        if (exo_open(&end, peer.other, NULL, in_seconds(5)) == EXO_OK) {
            exo_i64 got = exo_recv_inline(&end.rx, NULL, 0);
            assert_true(got == EXO_EMPTY || got == EXO_CORRUPT);
        }
        exo_close(&end);
        peer_end(&peer);
        assert_held(before);
    }
}

/* The kernel drops a descriptor for which there is no room: not the peer's fault. */
static void no_room_for_the_peers_descriptor_is_quota_exceeded(void **state)
{
    struct held before = count_held();
    struct rlimit old;
    struct rlimit low;
    struct exo_geometry geometry;
    struct peer peer;
    struct datagram hello;
    struct exo_end end;
    exo_status status;
    (void)state;
    default_geometry(&geometry);
    peer_begin(&peer, &geometry);
    peer_seal(&peer);
    hello = good_hello(&peer);
    say(&peer, &hello);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)dup(0);
    assert_int_equal(close((int)low.rlim_cur), 0);
    low.rlim_cur++; /* room for one: its own segment */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    status = exo_open(&end, peer.other, NULL, in_seconds(5));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(status, EXO_QUOTA_EXCEEDED);
    peer_end(&peer);
    assert_held(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_peer_that_keeps_the_rules_is_accepted),
        CLAIM(each_bad_hello_has_its_error_and_leaves_nothing),
        CLAIM(each_bad_accept_has_its_error_and_leaves_nothing),
        CLAIM(each_bad_segment_has_its_error_and_leaves_nothing),
        CLAIM(random_bytes_are_refused_and_leave_nothing),
        CLAIM(no_room_for_the_peers_descriptor_is_quota_exceeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
