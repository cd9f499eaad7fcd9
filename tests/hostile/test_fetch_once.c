/* SPDX-License-Identifier: MIT */
/*
 * The double fetch: a peer that changes a word between two reads of it. Every load of the headers goes through
 * fetch_once_load() here (fetch_once_atomic.h), which counts how often a call reads each word of the peer's
 * segment, and plays the peer: it changes a word right behind a load of the test's choice, once, or again and
 * again. What a call may answer then is what it may answer anyway (ways.h), and it touches nothing outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fetch_once_scenes.h"

#define WORDS_MOST 4096u  /* of a segment */
#define LOADS_MOST 20000u /* of one call: more is a loop that the peer keeps going */

/* The peer, who sees each load. */
static struct {
    exo_bool watching;
    const exo_u8 *seen; /* where the victim has mapped the peer's segment read-only */
    exo_u8 *own;        /* where the peer writes it */
    exo_size bytes;
    exo_u16 loads[WORDS_MOST]; /* of each 4 bytes, by the first of them */
    exo_u32 total;
    exo_u32 word;     /* the one to change, in 4 bytes from the segment's start */
    exo_u32 behind;   /* load of that word after which it changes; 0: never */
    exo_bool forever; /* and then back again, with every load */
    exo_u64 value;    /* what it becomes */
    const char *what;
} peer;

static exo_u64 peer_read(exo_u32 word, exo_u32 bytes)
{
    exo_u64 value = 0;
    memcpy(&value, peer.own + 4 * (exo_size)word, bytes);
    return value;
}

exo_u64 fetch_once_load(const void *p, exo_u32 bytes);

exo_u64 fetch_once_load(const void *p, exo_u32 bytes)
{
    exo_uptr off = (exo_uptr)p - (exo_uptr)peer.seen;
    exo_u64 value = bytes == 4 ? __atomic_load_n((const exo_u32 *)p, __ATOMIC_SEQ_CST)
                               : __atomic_load_n((const exo_u64 *)p, __ATOMIC_SEQ_CST);
    if (!peer.watching) {
        return value;
    }
    if (++peer.total > LOADS_MOST) {
        peer.watching = EXO_FALSE;
        print_message("             %s: the peer keeps it in a loop\n", peer.what);
        fail();
    }
    if (off < peer.bytes) {
        exo_u32 word = (exo_u32)(off / 4);
        exo_u32 count = ++peer.loads[word];
        if (word == peer.word && peer.behind != 0 && (count == peer.behind || (peer.forever && count > peer.behind))) {
            memcpy(peer.own + off, &peer.value, bytes);
            peer.value = peer.forever ? value : peer.value;
        }
    }
    return value;
}

static exo_i64 call(struct stage *stage, const struct scene *scene, exo_u32 way, exo_size size)
{
    return scene->sends ? send_by(stage, way, size) : receive_by(stage, way, size);
}

static exo_bool declared(const struct scene *scene, exo_u32 way, exo_size size, exo_i64 got)
{
    return scene->sends ? send_declared(way, got) : receive_declared(way, size, got);
}

static void watch(struct stage *stage, const struct scene *scene)
{
    peer.seen = (const exo_u8 *)(scene->sends ? stage->sender.rx : stage->receiver.tx);
    peer.own = (exo_u8 *)(scene->sends ? stage->receiver.rx : stage->sender.tx);
    peer.bytes = scene->sends ? stage->sender.rx_bytes : stage->receiver.tx_bytes;
    assert_true(peer.bytes / 4 <= WORDS_MOST);
    memset(peer.loads, 0, sizeof(peer.loads));
    peer.total = 0;
    peer.watching = EXO_TRUE;
}

static exo_u32 ways_of(const struct scene *scene)
{
    return scene->sends ? (exo_u32)SEND_WAYS : (exo_u32)RECEIVE_WAYS;
}

/* What a word becomes: kinds and lengths for a control word, positions, tokens, and plain nonsense. */
static exo_u64 changed(const struct stage *stage, exo_u64 was, exo_u32 n)
{
    const exo_u64 position = (exo_u32)was;
    const exo_u64 controls[] = {
        (exo_u64)(EXO_KIND_INLINE | 56u << 8), (exo_u64)(EXO_KIND_INLINE | 57u << 8),
        (exo_u64)(EXO_KIND_PACKED | (8u | 7u << 8) << 8), (exo_u64)(EXO_KIND_PACKED | (56u | 1u << 8) << 8),
        (exo_u64)(EXO_KIND_PACKED | (255u | 255u << 8) << 8), (exo_u64)EXO_KIND_LOAN,
        (exo_u64)EXO_KIND_DISCARD, (exo_u64)EXO_KIND_CLAIM,
        (exo_u64)(EXO_KIND_MESSAGE | 40u << 8), (exo_u64)EXO_KIND_MESSAGE_LOAN,
        (exo_u64)0, (exo_u64)0xFFFFFFFFu,
    };
    const exo_u64 others[] = {
        0, ~0ull, was + 1, was - 1, was + STAGE_SLOTS, was - STAGE_SLOTS, was << 32, was ^ 1ull << 63,
        was | 1ull << 32, STAGE_ARENA, stage->config.start, was | EXO_WAIT_CLOSED,
    };
    if (n < sizeof(controls) / sizeof(controls[0])) {
        return controls[n] << 32 | position;
    }
    return others[n - sizeof(controls) / sizeof(controls[0])];
}
#define CHANGES 24u

static const exo_size sizes[] = {8, 56, 600};
static const exo_u64 starts[] = {0, STAGE_WRAP};

/* A prepared scene, to be set up again and again without system calls. */
static struct {
    exo_u8 tx[4 * WORDS_MOST];
    exo_u8 rx[4 * WORDS_MOST];
    exo_u8 sender_books[4 * WORDS_MOST];
    exo_u8 receiver_books[4 * WORDS_MOST];
    struct exo_sender to;
    struct exo_receiver from;
} prepared;

static void prepare(struct stage *stage, const struct scene *scene)
{
    stage_reset(stage);
    stage_attach(stage);
    scene->prepare(stage);
    assert_true(stage->sender.tx_bytes <= sizeof(prepared.tx) && stage->sender.rx_bytes <= sizeof(prepared.rx));
    assert_true(stage->sender.books_bytes <= sizeof(prepared.sender_books));
    assert_true(stage->receiver.books_bytes <= sizeof(prepared.receiver_books));
    memcpy(prepared.tx, stage->tx, stage->sender.tx_bytes);
    memcpy(prepared.rx, stage->rx, stage->sender.rx_bytes);
    memcpy(prepared.sender_books, stage->sender.books, stage->sender.books_bytes);
    memcpy(prepared.receiver_books, stage->receiver.books, stage->receiver.books_bytes);
    prepared.to = stage->to;
    prepared.from = stage->from;
}

/* Make the call in the prepared scene while the peer does what it is set to do, then use the handle on. */
static exo_i64 play(struct stage *stage, const struct scene *scene, exo_u32 way, exo_size size)
{
    exo_u32 next;
    exo_i64 got;
    memcpy(stage->tx, prepared.tx, stage->sender.tx_bytes);
    memcpy(stage->rx, prepared.rx, stage->sender.rx_bytes);
    memcpy(stage->sender.books, prepared.sender_books, stage->sender.books_bytes);
    memcpy(stage->receiver.books, prepared.receiver_books, stage->receiver.books_bytes);
    stage->to = prepared.to;
    stage->from = prepared.from;
    watch(stage, scene);
    got = call(stage, scene, way, size);
    peer.watching = EXO_FALSE;
    stage_check_books(stage);
    for (next = 0; next < ways_of(scene) && peer.behind != 0; next++) {
        assert_true(declared(scene, next, size, call(stage, scene, next, size)));
    }
    stage_check_books(stage);
    return got;
}

static exo_u64 attacks;

/* The call, while word `word`, `was` before, changes behind its load `behind`; each change once, and for ever. */
static void attack(struct stage *stage, const struct scene *scene, exo_u32 way, exo_size size, exo_u64 was)
{
    exo_u32 n;
    for (n = 0; n < 2 * CHANGES; n++) {
        exo_u64 value = changed(stage, was, n % CHANGES);
        exo_i64 got;
        peer.value = value;
        peer.forever = n >= CHANGES;
        got = play(stage, scene, way, size);
        attacks++;
        if (!declared(scene, way, size, got)) {
            print_message("             %s, word %u becomes %llx behind load %u%s: %s (%lld)\n", peer.what, peer.word,
                          (unsigned long long)value, peer.behind, peer.forever ? ", and back" : "",
                          exo_status_text(got), (long long)got);
            fail();
        }
    }
}

static void attack_each_load(struct stage *stage, const struct scene *scene, exo_u32 way, exo_size size)
{
    static exo_u16 loads[WORDS_MOST];
    static char what[128];
    exo_u32 word;
    (void)snprintf(what, sizeof(what), "%s of %s, %zu bytes", scene->sends ? send_names[way] : receive_names[way],
                   scene->name, size);
    peer.what = what;
    peer.behind = 0;
    assert_true(declared(scene, way, size, play(stage, scene, way, size)));
    memcpy(loads, peer.loads, sizeof(loads));
    for (word = 0; word < peer.bytes / 4; word++) {
        exo_size off = 4 * (exo_size)word;
        const exo_u8 *before = (scene->sends ? prepared.rx : prepared.tx) + off;
        exo_u64 was = 0;
        memcpy(&was, before, off < offsetof(struct exo_tx_segment, tail) ? 4 : 8);
        for (peer.behind = 1; peer.behind <= loads[word]; peer.behind++) {
            peer.word = word;
            attack(stage, scene, way, size, was);
        }
    }
}

static void a_word_that_changes_behind_its_load_gives_a_declared_answer(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < 2 * SCENES; i++) {
        struct exo_ring_config config = stage_config(starts[i % 2]);
        const struct scene *scene = &scenes[i / 2];
        struct stage stage;
        exo_u32 way;
        stage_make(&stage, &config);
        prepare(&stage, scene);
        for (way = 0; way < ways_of(scene); way++) {
            exo_u32 n;
            for (n = 0; n < (!scene->sends && way <= RECV_INLINE_BLOCKING ? 3 : 1); n++) {
                attack_each_load(&stage, scene, way, scene->sends ? 300 : sizes[n]);
            }
        }
        stage_close(&stage);
    }
    print_message("figure: double fetches tried %llu (all with a declared answer)\n", (unsigned long long)attacks);
}

/* How often the most read 8 bytes of the segment's bytes [from, to) were read by the last call. */
static exo_u32 most_loads(exo_size from, exo_size to)
{
    exo_u32 most = 0;
    exo_size off;
    for (off = from; off < to; off += 8) {
        exo_u32 loads = (exo_u32)peer.loads[off / 4] + peer.loads[off / 4 + 1];
        most = loads > most ? loads : most;
    }
    return most;
}

static void payloads_and_descriptors_are_read_once(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < SCENES * RECEIVE_WAYS; i++) {
        const struct scene *scene = &scenes[i / RECEIVE_WAYS];
        struct stage stage;
        exo_u32 slot;
        exo_u32 way = i % RECEIVE_WAYS;
        if (scene->sends || way == VIEW_BURST || way == VIEW_BULK) {
            continue; /* those may meet the items of one packed slot in several calls */
        }
        stage_open(&stage, 0);
        peer.behind = 0;
        prepare(&stage, scene);
        (void)play(&stage, scene, way, 600);
        for (slot = 0; slot < STAGE_SLOTS; slot++) {
            exo_size line = (exo_size)((exo_u8 *)stage_line(&stage, slot) - (exo_u8 *)stage.tx);
            assert_true(most_loads(line - EXO_MESSAGE_HEADER_SIZE, line + 56) <= 1);
            /* Tried, settled, counted by a bulk, and once more before Closed: each decides on its own load. */
            assert_true(most_loads(line + 56, line + 64) <= 7);
        }
        stage_close(&stage);
    }
}

static void the_quick_ways_read_the_control_word_once(void **state)
{
    static const struct {
        exo_u32 scene;
        exo_u32 way;
    } quick[] = {{1, RECV_INLINE}, {1, RECV_INLINE_AS}, {1, RECV}, {1, PEEK}, {5, VIEW}, {6, MESSAGE_RECV}};
    exo_u32 i;
    (void)state;
    for (i = 0; i < sizeof(quick) / sizeof(quick[0]); i++) {
        struct stage stage;
        exo_size control;
        exo_u32 most = quick[i].way == PEEK ? 2 : 1; /* peek and consume are two calls */
        stage_open(&stage, 0);
        peer.behind = 0;
        prepare(&stage, &scenes[quick[i].scene]);
        (void)play(&stage, &scenes[quick[i].scene], quick[i].way, 600);
        control = (exo_size)((exo_u8 *)(stage_line(&stage, 0) + EXO_LINE_WORDS) - (exo_u8 *)stage.tx);
        assert_int_equal(most_loads(control, control + 8), most);
        stage_close(&stage);
    }
}

/* Also where it is Corrupt: no second reading, which might find it mended. */
static void a_false_descriptor_is_read_once(void **state)
{
    static const exo_u64 lies[][2] = {{0, 0}, {0, ~0ull}, {1, ~0ull}, {2, ~0ull}};
    exo_u32 i;
    (void)state;
    for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct stage stage;
        exo_size line;
        stage_open(&stage, 0);
        peer.behind = 0;
        prepare(&stage, &scenes[5]);
        line = (exo_size)((exo_u8 *)stage_line(&stage, 0) - (exo_u8 *)stage.tx);
        memcpy((exo_u8 *)prepared.tx + line + 8 * lies[i][0], &lies[i][1], 8);
        assert_int_equal(play(&stage, &scenes[5], VIEW, 600), EXO_CORRUPT);
        assert_int_equal(most_loads(line, line + 24), 1);
        stage_close(&stage);
    }
}

static void positions_and_releases_are_read_once(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < SCENES * SEND_WAYS; i++) {
        const struct scene *scene = &scenes[i / SEND_WAYS];
        exo_u32 way = i % SEND_WAYS;
        exo_u32 entry;
        struct stage stage;
        exo_bool burst = way == SEND_BURST || way == LOANS_BURST;
        exo_bool waits = way == SEND_BLOCKING || way == LOAN_BLOCKING || way == WAIT_WRITABLE;
        if (!scene->sends || waits) {
            continue;
        }
        stage_open(&stage, 0);
        peer.behind = 0;
        prepare(&stage, scene);
        (void)play(&stage, scene, way, 300);
        assert_true(most_loads(offsetof(struct exo_rx_segment, late), sizeof(struct exo_rx_segment)) <=
                    (burst ? 3u : 1u)); /* how many, all of them, then one */
        for (entry = 0; entry < STAGE_BLOCKS; entry++) {
            exo_size off = (exo_size)((exo_u8 *)stage_entry(&stage, entry) - (exo_u8 *)stage.rx);
            assert_true(most_loads(off, off + 8) <= 1);
        }
        stage_close(&stage);
    }
}

/* Both headers are copied once at attach, and geometry is never read again. */
static void headers_are_read_once_at_attach_and_never_again(void **state)
{
    exo_u32 sends;
    (void)state;
    for (sends = 0; sends < 2; sends++) {
        struct exo_ring_config config = stage_config(0);
        struct scene scene = {"attach", sends != 0, nothing};
        struct stage stage;
        exo_u32 way;
        stage_make(&stage, &config);
        stage_reset(&stage);
        watch(&stage, &scene);
        stage_attach(&stage);
        peer.watching = EXO_FALSE;
        assert_int_equal(most_loads(0, sizeof(struct exo_ring_header)), 1);
        prepare(&stage, &scenes[sends != 0 ? 9 : 2]);
        for (way = 0; way < ways_of(&scene); way++) {
            (void)play(&stage, &scenes[sends != 0 ? 9 : 2], way, 300);
            assert_int_equal(most_loads(0, sizeof(struct exo_ring_header)), 0);
        }
        stage_close(&stage);
    }
}

static void a_header_that_changes_behind_its_load_is_as_it_was(void **state)
{
    exo_u32 i;
    (void)state;
    for (i = 0; i < 2 * CHANGES * sizeof(struct exo_ring_header) / 8; i++) {
        struct exo_ring_config config = stage_config(STAGE_WRAP);
        struct scene scene = {"attach", i % 2 != 0, nothing};
        struct stage stage;
        exo_status got;
        exo_u32 way;
        stage_make(&stage, &config);
        stage_reset(&stage);
        watch(&stage, &scene);
        peer.word = 2 * (i / 2 / CHANGES);
        peer.behind = 1;
        peer.forever = EXO_FALSE;
        peer.value = changed(&stage, peer_read(peer.word, 8), i / 2 % CHANGES);
        got = scene.sends ? exo_sender_attach(&stage.to, &stage.sender, 1, NULL)
                          : exo_receiver_attach(&stage.from, &stage.receiver, 1, NULL);
        peer.watching = EXO_FALSE;
        peer.behind = 0;
        assert_int_equal(got, EXO_OK); /* read once, and before the change */
        assert_int_equal(scene.sends ? stage.to.mask : stage.from.mask, STAGE_SLOTS - 1);
        for (way = 0; way < ways_of(&scene); way++) {
            assert_true(declared(&scene, way, 300, call(&stage, &scene, way, 300)));
        }
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_that_changes_behind_its_load_gives_a_declared_answer),
        cmocka_unit_test(payloads_and_descriptors_are_read_once),
        cmocka_unit_test(the_quick_ways_read_the_control_word_once),
        cmocka_unit_test(a_false_descriptor_is_read_once),
        cmocka_unit_test(positions_and_releases_are_read_once),
        cmocka_unit_test(headers_are_read_once_at_attach_and_never_again),
        cmocka_unit_test(a_header_that_changes_behind_its_load_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
