/* SPDX-License-Identifier: MIT */
/* From a configuration or a foreign header to checked numbers: what is refused, and where things lie. */
#include "ring_fixture.h"

static exo_status refused_without_a_trace(const struct exo_ring_config *config)
{
    static const struct exo_geometry zero;
    struct exo_geometry geometry;
    exo_status status;
    memset(&geometry, 0x5A, sizeof(geometry));
    status = exo_geometry_from_config(&geometry, config);
    assert_memory_equal(&geometry, &zero, sizeof(geometry));
    return status;
}

static struct exo_geometry made_from(const struct exo_ring_config *config)
{
    struct exo_geometry geometry;
    assert_int_equal(exo_geometry_from_config(&geometry, config), EXO_OK);
    return geometry;
}

static void slot_counts_that_are_none_are_refused(void **state)
{
    static const exo_u32 bad[] = {1,   3,   5,    6,           7,           9,
                                  255, 257, 1000, 0x7FFFFFFFu, 0x80000001u, 0xFFFFFFFFu};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        struct exo_ring_config config = {0};
        config.slots = bad[i];
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    }
}

static void every_power_of_two_from_2_to_2_to_the_31_is_a_slot_count(void **state)
{
    exo_u32 bit;
    (void)state;
    for (bit = 1; bit < 32; bit++) {
        struct exo_ring_config config = {0};
        struct exo_geometry geometry;
        config.slots = (exo_u32)1 << bit;
        geometry = made_from(&config);
        assert_int_equal(geometry.slots, config.slots);
        assert_true(geometry.arena_off - geometry.slots_off >= (exo_u64)config.slots * 64);
    }
}

static void unknown_modes_and_profiles_are_refused(void **state)
{
    static const exo_u32 modes[] = {EXO_MODE_OWNED, EXO_MODE_OWNED | EXO_MPSC, 16, 0x80000000u,
                                    0xFFFFFFFFu};
    static const exo_u32 profiles[] = {3, 4, 0x100, 0xFFFFFFFFu};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(modes); i++) {
        struct exo_ring_config config = {0};
        config.mode = modes[i];
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
    }
    for (i = 0; i < COUNT(profiles); i++) {
        struct exo_ring_config config = {0};
        config.profile = profiles[i];
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
    }
}

static void a_mode_that_its_profile_does_not_have_is_not_supported(void **state)
{
    exo_u32 mode;
    exo_u32 profile;
    (void)state;
    for (mode = 0; mode <= (EXO_MPMC | EXO_POLLED); mode++) {
        for (profile = EXO_THREADS; profile <= EXO_HOSTILE; profile++) {
            struct exo_ring_config config = {0};
            exo_bool bad = (profile != EXO_THREADS && (mode & EXO_MODE_MC) != 0) ||
                           (profile == EXO_HOSTILE && (mode & EXO_MODE_MP) != 0);
            config.mode = mode;
            config.profile = profile;
            if (bad) {
                assert_int_equal(refused_without_a_trace(&config), EXO_NOT_SUPPORTED);
            } else {
                exo_bool owned = profile == EXO_CRASH_SAFE && (mode & EXO_MODE_MP) != 0;
                assert_int_equal(made_from(&config).mode, owned ? mode | EXO_MODE_OWNED : mode);
            }
        }
    }
}

static void slot_sizes_other_than_64_and_128_are_refused(void **state)
{
    static const exo_u32 bad[] = {1, 8, 32, 63, 65, 96, 127, 129, 192, 256, 0x80000000u};
    struct exo_ring_config config = {0};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        config.slot_size = bad[i];
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    }
    config.slot_size = 64;
    assert_int_equal(made_from(&config).slot_shift, 6);
    config.slot_size = 128;
    assert_int_equal(made_from(&config).slot_shift, 7);
}

static void block_sizes_that_are_none_are_refused(void **state)
{
    static const exo_size bad[] = {
        1, 32, 63, 65, 96, 1000, ((exo_size)1 << 30) + 1, (exo_size)1 << 31};
    struct exo_ring_config config = {0};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        config.block_size = bad[i];
        config.arena_size = 0;
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
        config.arena_size = EXO_ARENA_NONE;
        assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    }
    for (config.arena_size = 0, config.block_size = 64; config.block_size <= (exo_size)1 << 30;
         config.block_size *= 2) {
        assert_int_equal((exo_size)1 << made_from(&config).block_shift, config.block_size);
    }
}

static void arenas_beyond_the_address_space_or_the_block_numbers_are_refused(void **state)
{
    struct exo_ring_config config = {0};
    (void)state;
    config.arena_size = EXO_SIZE_MAX / 4 + 1;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    config.arena_size = EXO_SIZE_MAX - 1;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    config.block_size = 64;
    config.arena_size = ((exo_size)64 << 31) + 1;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    config.arena_size = (exo_size)64 << 31;
    assert_int_equal(made_from(&config).blocks, 0x80000000u);
    config.mode = EXO_MPSC;
    config.producers = 2;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_SIZE);
    config.arena_size /= 2;
    assert_int_equal(made_from(&config).blocks, 0x40000000u);
    assert_int_equal(made_from(&config).release_entries, 0x40000000u);
}

static void producers_beyond_the_mode_or_the_limit_are_refused(void **state)
{
    struct exo_ring_config config = {0};
    (void)state;
    config.producers = 2;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
    config.mode = EXO_SPMC;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
    config.mode = EXO_MPSC;
    assert_int_equal(made_from(&config).producers, 2);
    config.producers = EXO_PRODUCERS_MAX;
    assert_int_equal(made_from(&config).producers, EXO_PRODUCERS_MAX);
    config.producers = EXO_PRODUCERS_MAX + 1;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
    config.producers = 0xFFFFFFFFu;
    assert_int_equal(refused_without_a_trace(&config), EXO_INVALID_ARGUMENT);
}

static void nowhere_to_put_the_numbers_is_an_invalid_argument(void **state)
{
    exo_size bytes = 77;
    struct exo_ring_config config = {0};
    (void)state;
    assert_int_equal(exo_geometry_from_config(NULL, NULL), EXO_INVALID_ARGUMENT);
    config.slots = 1;
    assert_int_equal(exo_ring_bytes(&config, &bytes), EXO_INVALID_SIZE);
    assert_int_equal(bytes, 77);
}

static void all_zero_is_the_default_and_so_is_null(void **state)
{
    struct exo_ring_config zero = {0};
    struct exo_geometry made = made_from(&zero);
    struct exo_geometry from_null = made_from(NULL);
    (void)state;
    assert_memory_equal(&made, &from_null, sizeof(made));
    assert_int_equal(made.slots, 256);
    assert_int_equal(made.slot_shift, 6);
    assert_int_equal(made.mode, EXO_SPSC);
    assert_int_equal(made.profile, EXO_THREADS);
    assert_int_equal(made.producers, 1);
    assert_int_equal(made.arena_size, 32768);
    assert_int_equal(made.start, 0);
    zero.mode = EXO_MPMC;
    assert_int_equal(made_from(&zero).producers, 16);
}

static void an_idle_default_ring_takes_at_most_64_kib(void **state)
{
    exo_size bytes = 0;
    (void)state;
    assert_int_equal(exo_ring_bytes(NULL, &bytes), EXO_OK);
    assert_true(bytes <= 65536);
    assert_true(bytes >= 256 * 64 + 32768);
}

static void an_arena_is_rounded_up_to_blocks(void **state)
{
    struct exo_ring_config config = {0};
    struct exo_geometry made;
    (void)state;
    config.arena_size = 1;
    config.block_size = 4096;
    made = made_from(&config);
    assert_int_equal(made.arena_size, 4096);
    assert_int_equal(made.blocks, 1);
    assert_int_equal(made.release_entries, 2);
    config.arena_size = 5 * 4096 - 1;
    made = made_from(&config);
    assert_int_equal(made.blocks, 5);
    assert_int_equal(made.release_entries, 8);
    config.arena_size = EXO_ARENA_NONE;
    made = made_from(&config);
    assert_int_equal(made.arena_size, 0);
    assert_int_equal(made.blocks, 0);
    assert_int_equal(made.release_entries, 0);
}

static void the_default_ring_lies_where_it_always_lay(void **state)
{
    struct exo_geometry made = made_from(NULL);
    (void)state;
    assert_int_equal(made.block_shift, 9);
    assert_int_equal(made.blocks, 64);
    assert_int_equal(made.slots_off, 512);
    assert_int_equal(made.arena_off, 16896);
    assert_int_equal(made.tx_bytes, 49664);
    assert_int_equal(made.done_off, 512);
    assert_int_equal(made.release_off, 512);
    assert_int_equal(made.rx_bytes, 1536);
}

static void a_ring_with_everything_lies_where_it_always_lay(void **state)
{
    struct exo_ring_config config = {0};
    struct exo_geometry made;
    (void)state;
    config.slots = 16;
    config.slot_size = 128;
    config.mode = EXO_MPMC;
    config.producers = 3;
    config.arena_size = 20000;
    config.block_size = 4096;
    made = made_from(&config);
    assert_int_equal(made.slots_off, 640);  /* 384 + 3 owners of 64, rounded up to 128 */
    assert_int_equal(made.arena_off, 4096); /* the page behind 640 + 16 * 128 */
    assert_int_equal(made.arena_size, 20480);
    assert_int_equal(made.tx_bytes, 65536); /* and 3 arenas of 5 pages */
    assert_int_equal(made.done_off, 512);
    assert_int_equal(made.release_off, 640); /* 512 + 16 * 4, rounded up to 128 */
    assert_int_equal(made.rx_bytes, 1024);   /* and 3 release rings of 8 * 16 */
}

#define FIELD_AT(type, member, offset, width)                \
    assert_int_equal(offsetof(struct type, member), offset); \
    assert_int_equal(sizeof(((struct type *)0)->member), width)

static void the_words_of_the_segments_lie_where_they_always_lay(void **state)
{
    (void)state;
    FIELD_AT(exo_ring_header, magic, 0, 8);
    FIELD_AT(exo_ring_header, version, 8, 4);
    FIELD_AT(exo_ring_header, slots, 12, 4);
    FIELD_AT(exo_ring_header, slot_size, 16, 4);
    FIELD_AT(exo_ring_header, mode, 20, 4);
    FIELD_AT(exo_ring_header, profile, 24, 4);
    FIELD_AT(exo_ring_header, producers, 28, 4);
    FIELD_AT(exo_ring_header, arena_size, 32, 8);
    FIELD_AT(exo_ring_header, block_size, 40, 4);
    FIELD_AT(exo_ring_header, asymmetric, 44, 4);
    FIELD_AT(exo_ring_header, type, 48, 8);
    FIELD_AT(exo_ring_header, start, 56, 8);
    FIELD_AT(exo_ring_header, bytes, 64, 8);
    FIELD_AT(exo_ring_sync, event, 0, 4);
    FIELD_AT(exo_ring_sync, waiters, 4, 4);
    FIELD_AT(exo_ring_sync, open, 8, 4);
    FIELD_AT(exo_tx_segment, sync, 128, 128);
    FIELD_AT(exo_tx_segment, tail, 256, 128);
    FIELD_AT(exo_rx_segment, sync, 128, 128);
    FIELD_AT(exo_rx_segment, late, 256, 128);
    FIELD_AT(exo_rx_segment, exact, 384, 128);
    FIELD_AT(exo_release_entry, token, 0, 8);
    FIELD_AT(exo_release_entry, tag, 8, 8);
    FIELD_AT(exo_descriptor, token, 0, 8);
    FIELD_AT(exo_descriptor, offset, 8, 8);
    FIELD_AT(exo_descriptor, length, 16, 8);
    assert_int_equal(sizeof(struct exo_ring_header), 128);
    assert_int_equal(sizeof(struct exo_tx_segment), 384);
    assert_int_equal(sizeof(struct exo_rx_segment), 512);
    assert_int_equal(sizeof(struct exo_owner), 64);
}

static void the_control_word_keeps_its_parts_apart(void **state)
{
    exo_u64 control = exo_control_pvt(0x1234FFFFFFFFull, EXO_KIND_PACKED, 0xABCDEFu);
    (void)state;
    assert_true(control == 0xABCDEF0200000000ull);
    assert_int_equal(exo_control_kind_pvt(control), EXO_KIND_PACKED);
    assert_int_equal(exo_control_argument_pvt(control), 0xABCDEF);
    assert_true(exo_control_is_for_pvt(control, 0x1234FFFFFFFFull));
    assert_false(exo_control_is_for_pvt(control, 0x123500000000ull));
    assert_true(EXO_MAGIC_TX == 0x786574676E697200ull && EXO_MAGIC_RX == 0x786572676E697200ull);
    assert_int_equal(EXO_LAYOUT_VERSION, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slot_counts_that_are_none_are_refused),
        cmocka_unit_test(every_power_of_two_from_2_to_2_to_the_31_is_a_slot_count),
        cmocka_unit_test(unknown_modes_and_profiles_are_refused),
        cmocka_unit_test(a_mode_that_its_profile_does_not_have_is_not_supported),
        cmocka_unit_test(slot_sizes_other_than_64_and_128_are_refused),
        cmocka_unit_test(block_sizes_that_are_none_are_refused),
        cmocka_unit_test(arenas_beyond_the_address_space_or_the_block_numbers_are_refused),
        cmocka_unit_test(producers_beyond_the_mode_or_the_limit_are_refused),
        cmocka_unit_test(nowhere_to_put_the_numbers_is_an_invalid_argument),
        cmocka_unit_test(all_zero_is_the_default_and_so_is_null),
        cmocka_unit_test(an_idle_default_ring_takes_at_most_64_kib),
        cmocka_unit_test(an_arena_is_rounded_up_to_blocks),
        cmocka_unit_test(the_default_ring_lies_where_it_always_lay),
        cmocka_unit_test(a_ring_with_everything_lies_where_it_always_lay),
        cmocka_unit_test(the_words_of_the_segments_lie_where_they_always_lay),
        cmocka_unit_test(the_control_word_keeps_its_parts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
