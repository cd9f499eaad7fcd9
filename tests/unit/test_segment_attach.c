/* SPDX-License-Identifier: MIT */
/* Segments and handles: headers that are not to be believed, places that are taken, closing and coming back. */
#include "ring_fixture.h"

static exo_status attach_either(const struct exo_ring_memory *memory, exo_bool sender)
{
    struct exo_sender tx;
    struct exo_receiver rx;
    return sender ? exo_sender_attach(&tx, memory, 0, NULL)
                  : exo_receiver_attach(&rx, memory, 0, NULL);
}

static void make_ring(struct fixture *f, exo_size arena_size)
{
    struct exo_ring_config config = plain_config(EXO_SPSC, EXO_THREADS, NEAR_WRAP);
    exo_size bytes = 0;
    config.arena_size = arena_size;
    config.block_size = 256;
    assert_int_equal(exo_ring_bytes(&config, &bytes), EXO_OK);
    f->memory = aligned_alloc(EXO_LINE_PAIR, exo_align_up(bytes, EXO_LINE_PAIR));
    assert_non_null(f->memory);
    assert_int_equal(exo_ring_init(&f->ring, &config, f->memory, bytes), EXO_OK);
}

static void memory_that_is_null_misaligned_or_too_little_is_refused(void **state)
{
    struct exo_ring ring;
    struct exo_geometry geometry;
    exo_size bytes = 0;
    exo_u8 *memory;
    exo_u32 off;
    (void)state;
    assert_int_equal(exo_ring_bytes(NULL, &bytes), EXO_OK);
    assert_int_equal(exo_geometry_from_config(&geometry, NULL), EXO_OK);
    memory =
        (exo_u8 *)aligned_alloc(EXO_LINE_PAIR, exo_align_up(bytes, EXO_LINE_PAIR) + EXO_LINE_PAIR);
    memset(memory, 0xA5, bytes);
    assert_int_equal(exo_ring_init(&ring, NULL, NULL, bytes), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_ring_init(NULL, NULL, memory, bytes), EXO_INVALID_ARGUMENT);
    for (off = 1; off < EXO_LINE_PAIR; off++) {
        assert_int_equal(exo_ring_init(&ring, NULL, memory + off, bytes), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_tx_segment_init(memory + off, bytes, &geometry), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_rx_segment_init(memory + off, bytes, &geometry), EXO_INVALID_ARGUMENT);
    }
    assert_int_equal(exo_ring_init(&ring, NULL, memory, bytes - 1), EXO_NO_MEMORY);
    assert_int_equal(exo_ring_init(&ring, NULL, memory, 0), EXO_NO_MEMORY);
    assert_int_equal(exo_tx_segment_init(memory, (exo_size)geometry.tx_bytes - 1, &geometry),
                     EXO_NO_MEMORY);
    assert_int_equal(exo_rx_segment_init(memory, (exo_size)geometry.rx_bytes - 1, &geometry),
                     EXO_NO_MEMORY);
    assert_int_equal(exo_tx_segment_init(NULL, bytes, &geometry), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_rx_segment_init(NULL, bytes, &geometry), EXO_INVALID_ARGUMENT);
    for (off = 0; off < bytes; off++) {
        assert_int_equal(memory[off], 0xA5); /* nothing was written */
    }
    free(memory);
}

static void attaching_to_too_little_is_refused(void **state)
{
    static EXO_ALIGNED(128) exo_u8 nothing[64];
    struct fixture f;
    exo_u32 sender;
    (void)state;
    make_ring(&f, 4096);
    for (sender = 0; sender < 2; sender++) {
        const struct exo_ring_memory whole = sender ? f.ring.sender : f.ring.receiver;
        struct exo_ring_memory part = whole;
        part.tx_bytes = sizeof(struct exo_tx_segment) - 1;
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part.tx_bytes = whole.tx_bytes - 1;
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part = whole;
        part.rx_bytes = 0;
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part.rx_bytes = whole.rx_bytes - 1;
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part = whole;
        part.books_bytes--;
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part = whole;
        part.tx = nothing; /* too little even for a header: it is not looked at */
        part.tx_bytes = sizeof(nothing);
        assert_int_equal(attach_either(&part, sender), EXO_NO_MEMORY);
        part = whole;
        assert_int_equal(attach_either(&part, sender), EXO_OK); /* nothing above took a place */
    }
    fixture_close(&f);
}

static void attaching_to_null_or_misaligned_memory_is_refused(void **state)
{
    struct fixture f;
    exo_u32 sender;
    (void)state;
    make_ring(&f, 4096);
    assert_int_equal(exo_sender_attach(NULL, &f.ring.sender, 0, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_sender_attach(&f.tx, NULL, 0, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_receiver_attach(NULL, &f.ring.receiver, 0, NULL), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_receiver_attach(&f.rx, NULL, 0, NULL), EXO_INVALID_ARGUMENT);
    for (sender = 0; sender < 2; sender++) {
        const struct exo_ring_memory whole = sender ? f.ring.sender : f.ring.receiver;
        struct exo_ring_memory part = whole;
        part.tx = NULL;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
        part = whole;
        part.rx = NULL;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
        part = whole;
        part.tx = (exo_u8 *)whole.tx + 64;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
        part = whole;
        part.rx = (exo_u8 *)whole.rx + 8;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
        part = whole;
        part.books = NULL;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
        part.books = (exo_u8 *)whole.books + 32;
        assert_int_equal(attach_either(&part, sender), EXO_INVALID_ARGUMENT);
    }
    fixture_close(&f);
}

static void a_ring_without_arena_needs_no_books(void **state)
{
    struct fixture f;
    struct exo_loaned loan;
    (void)state;
    make_ring(&f, EXO_ARENA_NONE);
    assert_null(f.ring.sender.books);
    assert_null(f.ring.receiver.books);
    assert_int_equal(exo_ring_sender(&f.ring, &f.tx), EXO_OK);
    assert_int_equal(exo_ring_receiver(&f.ring, &f.rx), EXO_OK);
    assert_int_equal(exo_loan(&f.tx, 100, &loan), EXO_NOT_SUPPORTED);
    fixture_close(&f);
}

/* Attach both handles to a ring, some bytes of one of whose headers are changed. */
static void with_a_changed_header(exo_bool in_tx, exo_size off, exo_size width, exo_u64 change,
                                  exo_status wanted)
{
    struct fixture f;
    exo_u8 *header;
    exo_u32 sender;
    make_ring(&f, 4096);
    header = (exo_u8 *)(in_tx ? f.ring.sender.tx : f.ring.sender.rx) + off;
    for (off = 0; off < width; off++) {
        header[off] ^= off < 8 ? (exo_u8)(change >> (8 * off)) : 0;
    }
    for (sender = 0; sender < 2; sender++) {
        assert_int_equal(attach_either(sender ? &f.ring.sender : &f.ring.receiver, sender), wanted);
    }
    fixture_close(&f);
}

struct changed_field {
    exo_size off;
    exo_size width;
    exo_u64 change; /* xored into a ring of 8 slots, 4 KiB in blocks of 256 */
    exo_status in_tx;
    exo_status in_rx;
};

#define CHANGED(member, change, in_tx, in_rx)                                                    \
    {                                                                                            \
        offsetof(struct exo_ring_header, member), sizeof(((struct exo_ring_header *)0)->member), \
            change, in_tx, in_rx                                                                 \
    }
#define CORRUPT EXO_CORRUPT
#define OTHER   EXO_TYPE_MISMATCH /* a good header, but of another ring than the other segment's */

static const struct changed_field changed_fields[] = {
    CHANGED(magic, 1, EXO_TYPE_MISMATCH, EXO_TYPE_MISMATCH),
    CHANGED(magic, EXO_MAGIC_TX ^ EXO_MAGIC_RX, EXO_TYPE_MISMATCH, EXO_TYPE_MISMATCH),
    CHANGED(version, 1 ^ 2, EXO_VERSION_MISMATCH, EXO_VERSION_MISMATCH),
    CHANGED(version, 1 ^ 0, EXO_VERSION_MISMATCH, EXO_VERSION_MISMATCH),
    CHANGED(version, 0x80000000u, EXO_VERSION_MISMATCH, EXO_VERSION_MISMATCH),
    CHANGED(slots, 8 ^ 0, CORRUPT, CORRUPT),
    CHANGED(slots, 8 ^ 1, CORRUPT, CORRUPT),
    CHANGED(slots, 8 ^ 7, CORRUPT, CORRUPT),
    CHANGED(slots, 8 ^ 16, CORRUPT, OTHER),
    CHANGED(slots, 8 ^ 0x80000000u, CORRUPT, OTHER),
    CHANGED(slot_size, 64 ^ 0, CORRUPT, CORRUPT),
    CHANGED(slot_size, 64 ^ 32, CORRUPT, CORRUPT),
    CHANGED(slot_size, 64 ^ 128, CORRUPT, OTHER),
    CHANGED(mode, EXO_MODE_OWNED, CORRUPT, CORRUPT),
    CHANGED(mode, 0x80000000u, CORRUPT, CORRUPT),
    CHANGED(mode, EXO_MPSC, OTHER, OTHER),
    CHANGED(mode, EXO_SPMC, OTHER, CORRUPT),
    CHANGED(mode, EXO_POLLED, OTHER, OTHER),
    CHANGED(profile, 3, CORRUPT, CORRUPT),
    CHANGED(profile, EXO_CRASH_SAFE, OTHER, CORRUPT), /* its receiver segment is larger */
    CHANGED(producers, 1 ^ 0, CORRUPT, CORRUPT),
    CHANGED(producers, 1 ^ 2, CORRUPT, CORRUPT),
    CHANGED(producers, 1 ^ 257, CORRUPT, CORRUPT),
    CHANGED(arena_size, 4096, CORRUPT, CORRUPT),
    CHANGED(arena_size, 4096 ^ 8192, CORRUPT, CORRUPT),
    CHANGED(arena_size, 1, CORRUPT, CORRUPT),
    CHANGED(arena_size, 1ull << 63, CORRUPT, CORRUPT),
    CHANGED(block_size, 256, CORRUPT, CORRUPT),
    CHANGED(block_size, 256 ^ 128, OTHER, CORRUPT),
    CHANGED(block_size, 256 ^ 257, CORRUPT, CORRUPT),
    CHANGED(block_size, 256 ^ 32, CORRUPT, CORRUPT),
    CHANGED(block_size, 1u << 31, CORRUPT, CORRUPT),
    CHANGED(asymmetric, 0xFFFFFFFEu, EXO_OK, EXO_OK), /* anything but 1 means no */
    CHANGED(type, 1, OTHER, OTHER),
    CHANGED(type, 1ull << 63, OTHER, OTHER),
    CHANGED(start, 1, OTHER, OTHER),
    CHANGED(start, 1ull << 63, OTHER, OTHER),
    CHANGED(bytes, 128, CORRUPT, CORRUPT),
    CHANGED(bytes, 1ull << 63, CORRUPT, CORRUPT),
    CHANGED(reserved, 0xFFFFFFFFull, EXO_OK, EXO_OK), /* for later versions to use */
};

static void every_changed_header_field_is_found_by_both_sides(void **state)
{
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(changed_fields); i++) {
        const struct changed_field *field = &changed_fields[i];
        with_a_changed_header(EXO_TRUE, field->off, field->width, field->change, field->in_tx);
        with_a_changed_header(EXO_FALSE, field->off, field->width, field->change, field->in_rx);
    }
}

static void segments_of_different_rings_are_refused(void **state)
{
    struct fixture one;
    struct fixture two;
    struct exo_ring_memory mixed;
    (void)state;
    make_ring(&one, 4096);
    make_ring(&two, 8192);
    mixed = one.ring.sender;
    mixed.rx = two.ring.sender.rx;
    mixed.rx_bytes = two.ring.sender.rx_bytes;
    assert_int_equal(attach_either(&mixed, EXO_TRUE), EXO_TYPE_MISMATCH);
    assert_int_equal(attach_either(&mixed, EXO_FALSE), EXO_TYPE_MISMATCH);
    mixed = one.ring.sender; /* both parts the sender's */
    mixed.rx = mixed.tx;
    mixed.rx_bytes = mixed.tx_bytes;
    assert_int_equal(attach_either(&mixed, EXO_TRUE), EXO_TYPE_MISMATCH);
    assert_int_equal(attach_either(&one.ring.sender, EXO_TRUE), EXO_OK);
    fixture_close(&one);
    fixture_close(&two);
}

static void a_header_keeps_what_the_configuration_said(struct exo_ring_config config)
{
    static const struct exo_geometry zero;
    struct exo_geometry made;
    struct exo_geometry read;
    struct fixture f;
    config.type = 0x1122334455667788ull;
    config.arena_size = 10000;
    config.slot_size = 128;
    fixture_open(&f, &config);
    assert_int_equal(exo_geometry_from_config(&made, &config), EXO_OK);
    assert_int_equal(
        exo_geometry_from_header(&read, (struct exo_ring_header *)f.ring.sender.tx, EXO_MAGIC_TX),
        EXO_OK);
    assert_memory_equal(&read, &made, sizeof(made));
    assert_true(exo_geometry_equal(&read, &made));
    assert_int_equal(
        exo_geometry_from_header(&read, (struct exo_ring_header *)f.ring.sender.rx, EXO_MAGIC_RX),
        EXO_OK);
    assert_memory_equal(&read, &made, sizeof(made));
    assert_int_equal(
        exo_geometry_from_header(&read, (struct exo_ring_header *)f.ring.sender.rx, EXO_MAGIC_TX),
        EXO_TYPE_MISMATCH);
    assert_memory_equal(&read, &zero, sizeof(made));
    fixture_close(&f);
}

static void a_ring_that_cannot_be_made_leaves_nothing_behind(void **state)
{
    struct exo_ring ring = {0};
    struct exo_ring_config config = {0};
    (void)state;
    config.slots = 3;
    assert_int_equal(exo_ring_create(&ring, &config, NULL, NULL), EXO_INVALID_SIZE);
    assert_int_equal(exo_ring_create(NULL, NULL, NULL, NULL), EXO_INVALID_ARGUMENT);
    config.slots = 4;
    assert_int_equal(exo_ring_create(&ring, &config, NULL, NULL), EXO_OK);
    exo_ring_destroy(&ring);
    exo_ring_destroy(&ring); /* harmless */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_null_misaligned_or_too_little_is_refused),
        cmocka_unit_test(attaching_to_too_little_is_refused),
        cmocka_unit_test(attaching_to_null_or_misaligned_memory_is_refused),
        cmocka_unit_test(a_ring_without_arena_needs_no_books),
        cmocka_unit_test(every_changed_header_field_is_found_by_both_sides),
        cmocka_unit_test(segments_of_different_rings_are_refused),
        IN_EVERY_KIND(a_header_keeps_what_the_configuration_said),
        cmocka_unit_test(a_ring_that_cannot_be_made_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
