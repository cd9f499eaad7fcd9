/* SPDX-License-Identifier: MIT */
/* Corrupt datagrams of the handshake, wrong descriptors, floods of them, peers that fall silent or leave. */
#include "../process/handshake_fixture.h"

#undef COUNT
#undef NEAR_WRAP
#include "corruptions.h"

/* What comes along in the place of the descriptor. */
enum thing { RIGHT, PIPE, SOCKET, NULL_DEVICE, FOLDER, UNSEALED, GROWABLE, SPARSE, NO_BYTES, OTHER_SEGMENT, CLOSED_BEHIND };

/* One datagram differs from a good one; `accept` says which. */
struct handshake_row {
    const char *name;
    exo_bool accept;
    exo_size off; /* in the datagram; NOTHING is behind it */
    enum change how;
    exo_u64 value;
    int more;  /* bytes more than there should be */
    int count; /* descriptors */
    enum thing thing;
    exo_status declared;
};

#define MAGIC offsetof(struct exo_hello, magic)
#define OF_VERSION offsetof(struct exo_hello, version)
#define WHAT offsetof(struct exo_hello, what)
#define STATUS offsetof(struct exo_hello, status)
#define LIFE offsetof(struct exo_hello, life)
#define NOTHING sizeof(struct exo_hello)
#define WORD(name, accept, off, how, value, declared)                                                \
    {                                                                                                \
        name, accept, off, how, value, 0, 1, RIGHT, declared                                         \
    }
#define LENGTH(name, accept, more, declared)                                                         \
    {                                                                                                \
        name, accept, NOTHING, SET, 0, more, 1, RIGHT, declared                                      \
    }
#define THINGS(name, accept, count, thing, declared)                                                 \
    {                                                                                                \
        name, accept, NOTHING, SET, 0, 0, count, thing, declared                                     \
    }
#define BAD EXO_CORRUPT

static const struct handshake_row rows[] = {
    WORD("hello magic zero", 0, MAGIC, SET, 0, BAD),
    WORD("hello magic max", 0, MAGIC, SET, MAX32, BAD),
    WORD("hello magic one more", 0, MAGIC, ADD, 1, BAD),
    WORD("hello version zero", 0, OF_VERSION, SET, 0, EXO_VERSION_MISMATCH),
    WORD("hello version max", 0, OF_VERSION, SET, MAX32, EXO_VERSION_MISMATCH),
    WORD("hello version one more", 0, OF_VERSION, ADD, 1, EXO_VERSION_MISMATCH),
    WORD("hello says accept", 0, WHAT, SET, EXO_ACCEPT, BAD),
    WORD("hello says nothing", 0, WHAT, SET, 0, BAD),
    WORD("hello says max", 0, WHAT, SET, MAX32, BAD),
    WORD("hello with a status that is none", 0, STATUS, SET, 1, BAD),
    WORD("hello with status least", 0, STATUS, SET, 0x80000000u, BAD),
    WORD("hello with status one below the last", 0, STATUS, SET, (exo_u32)(EXO_SYSTEM_ERROR - 1), BAD),
    WORD("hello that refuses", 0, STATUS, SET, (exo_u32)EXO_NO_MEMORY, EXO_NO_MEMORY),
    WORD("hello life zero", 0, LIFE, SET, 0, EXO_OK),
    WORD("hello life odd", 0, LIFE, SET, 3, EXO_OK),
    WORD("hello life beyond", 0, LIFE, SET, EXO_LIFE_RESERVED_BYTES + 4, EXO_OK),
    WORD("hello life max", 0, LIFE, SET, MAX32, EXO_OK),
    LENGTH("hello of no bytes", 0, -32, EXO_PEER_DIED),
    LENGTH("hello of one byte", 0, -31, BAD),
    LENGTH("hello truncated", 0, -1, BAD),
    LENGTH("hello oversize", 0, 1, BAD),
    LENGTH("hello very much oversize", 0, 200, BAD),
    THINGS("hello without descriptor", 0, 0, RIGHT, BAD),
    THINGS("hello with two descriptors", 0, 2, RIGHT, BAD),
    THINGS("hello with nine descriptors", 0, 9, RIGHT, BAD),
    THINGS("hello with ten descriptors", 0, 10, RIGHT, BAD),
    THINGS("hello with 64 descriptors", 0, 64, RIGHT, BAD),
    THINGS("hello with a pipe", 0, 1, PIPE, EXO_TYPE_MISMATCH),
    THINGS("hello with a socket", 0, 1, SOCKET, EXO_TYPE_MISMATCH),
    THINGS("hello with a device", 0, 1, NULL_DEVICE, EXO_TYPE_MISMATCH),
    THINGS("hello with a folder", 0, 1, FOLDER, EXO_TYPE_MISMATCH),
    THINGS("hello with a segment without seals", 0, 1, UNSEALED, EXO_PERMISSION_DENIED),
    THINGS("hello with a segment that may grow", 0, 1, GROWABLE, EXO_PERMISSION_DENIED),
    THINGS("hello with a segment without memory", 0, 1, SPARSE, EXO_NO_MEMORY),
    THINGS("hello with a segment of no bytes", 0, 1, NO_BYTES, EXO_INVALID_SIZE),
    THINGS("hello with the receiver segment", 0, 1, OTHER_SEGMENT, EXO_TYPE_MISMATCH),
    WORD("accept magic max", 1, MAGIC, SET, MAX32, BAD),
    WORD("accept version one less", 1, OF_VERSION, ADD, MAX32, EXO_VERSION_MISMATCH),
    WORD("accept says hello", 1, WHAT, SET, EXO_HELLO, BAD),
    WORD("accept with status max", 1, STATUS, SET, 0x7FFFFFFFu, BAD),
    WORD("accept that refuses", 1, STATUS, SET, (exo_u32)EXO_TYPE_MISMATCH, EXO_TYPE_MISMATCH),
    WORD("accept life max", 1, LIFE, SET, MAX32, EXO_OK),
    LENGTH("accept of no bytes", 1, -32, EXO_PEER_DIED),
    LENGTH("accept truncated", 1, -1, BAD),
    LENGTH("accept oversize", 1, 1, BAD),
    THINGS("accept without descriptor", 1, 0, RIGHT, BAD),
    THINGS("accept with 64 descriptors", 1, 64, RIGHT, BAD),
    THINGS("accept with a pipe", 1, 1, PIPE, EXO_TYPE_MISMATCH),
    THINGS("accept with a segment without seals", 1, 1, UNSEALED, EXO_PERMISSION_DENIED),
    THINGS("accept with a segment without memory", 1, 1, SPARSE, EXO_NO_MEMORY),
    THINGS("accept with the sender segment", 1, 1, OTHER_SEGMENT, EXO_TYPE_MISMATCH),
};

static int memfd(exo_size bytes, exo_bool committed, int seals)
{
    int made = (int)syscall(SYS_memfd_create, "exo_ipc test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(made >= 0 && ftruncate(made, (off_t)bytes) == 0);
    assert_true(!committed || fallocate(made, 0, 0, (off_t)bytes) == 0);
    assert_true(seals == 0 || fcntl(made, F_ADD_SEALS, seals) == 0);
    return made;
}

/* A new descriptor of the thing. */
static int make_thing(enum thing thing, const struct exo_segment *other)
{
    const int sealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
    int sides[2] = {-1, -1};
    switch (thing) {
    case PIPE:
        assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
        break;
    case SOCKET:
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sides), 0);
        break;
    case NULL_DEVICE:
        return open("/dev/null", O_RDWR | O_CLOEXEC);
    case FOLDER:
        return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case UNSEALED:
        return memfd(1u << 20, EXO_TRUE, 0);
    case GROWABLE:
        return memfd(1u << 20, EXO_TRUE, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE);
    case SPARSE:
        return memfd(1u << 20, EXO_FALSE, sealed);
    case NO_BYTES:
        return memfd(0, EXO_FALSE, sealed);
    default:
        return fcntl(other->descriptor, F_DUPFD_CLOEXEC, 0);
    }
    (void)close(sides[1]);
    return sides[0];
}

static void spoil(const struct handshake_row *row, struct datagram *datagram, int thing)
{
    int i;
    if (row->off < sizeof(struct exo_hello)) {
        corruption_apply((exo_u8 *)&datagram->hello + row->off, 4, row->how, row->value, 0);
    }
    datagram->bytes = (exo_size)((int)sizeof(struct exo_hello) + row->more);
    if (thing >= 0) {
        datagram->descriptors[0] = thing;
    }
    for (i = 1; i < row->count; i++) {
        datagram->descriptors[i] = datagram->descriptors[0];
    }
    datagram->count = row->count;
}

static void try_row(const struct handshake_row *row)
{
    struct held before = count_held();
    struct exo_geometry geometry;
    struct datagram said[2];
    struct peer peer;
    struct exo_end end;
    exo_status got;
    int thing;
    default_geometry(&geometry);
    peer_begin(&peer, &geometry);
    peer_seal(&peer);
    said[0] = good_hello(&peer);
    said[1] = good_accept(&peer);
    thing = row->thing == RIGHT ? -1 : make_thing(row->thing, row->accept ? &peer.tx : &peer.rx);
    spoil(row, &said[row->accept], thing);
    say(&peer, &said[0]);
    say(&peer, &said[1]);
    got = exo_open(&end, peer.other, NULL, in_seconds(5));
    corruption_answer(row->name, "exo_open", got, row->declared);
    if (got == EXO_OK) {
        assert_int_equal(exo_send_inline(&end.tx, "abc", 4), EXO_OK);
        assert_int_equal(exo_recv_inline(&end.rx, NULL, 0), EXO_EMPTY);
    }
    exo_close(&end);
    if (thing >= 0) {
        (void)close(thing);
    }
    peer_end(&peer);
    assert_held(before);
}

void each_corrupt_handshake_has_its_error_and_leaves_nothing(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        try_row(&rows[i]);
        corruption_tried(rows[i].name);
    }
}

/* How much a peer says before it falls silent, or leaves. */
struct silence {
    const char *name;
    exo_bool hello;
    exo_bool leaves;
    exo_status declared;
};

void a_peer_that_says_too_little_is_given_up_in_time(void **state)
{
    static const struct silence silences[] = {
        {"never answers", EXO_FALSE, EXO_FALSE, EXO_TIMEOUT},
        {"leaves before hello", EXO_FALSE, EXO_TRUE, EXO_PEER_DIED},
        {"says hello and never accepts", EXO_TRUE, EXO_FALSE, EXO_TIMEOUT},
        {"says hello and leaves", EXO_TRUE, EXO_TRUE, EXO_PEER_DIED},
    };
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(silences); i++) {
        struct held before = count_held();
        struct exo_geometry geometry;
        struct peer peer;
        struct exo_end end;
        exo_u64 deadline;
        default_geometry(&geometry);
        peer_begin(&peer, &geometry);
        peer_seal(&peer);
        if (silences[i].hello) {
            struct datagram hello = good_hello(&peer);
            say(&peer, &hello);
        }
        if (silences[i].leaves) {
            (void)close(peer.socket);
            peer.socket = -1;
        }
        deadline = in_ms(30);
        corruption_answer(silences[i].name, "exo_open", exo_open(&end, peer.other, NULL, deadline),
                          silences[i].declared);
        assert_true(silences[i].declared != EXO_TIMEOUT || exo_port_now_ns() >= deadline);
        assert_true(exo_port_now_ns() < deadline + 5 * SECOND_NS);
        peer_end(&peer);
        assert_held(before);
        corruption_tried(silences[i].name);
    }
}
