/* SPDX-License-Identifier: MIT */
/* Profilers themselves: their memory, what they refuse, and their clock. */
#include "profile_fixture.h"

static void bad_profilers_are_refused(void **state)
{
    static const struct exo_profiler_config bad[] = {{3, 0}, {0, 5}, {0xFFFFFFFF, 1}, {1, EXO_PROFILE_EVENTS_MAX * 2}};
    static exo_u8 memory[sizeof(struct exo_profiler) + 1024] EXO_ALIGNED(64);
    const struct exo_profiler_config good = {0x80000000u, 8};
    exo_size needed = exo_profiler_bytes(&good);
    exo_u32 i;
    (void)state;
    memset(memory, 0x5A, sizeof(memory));
    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(exo_profiler_bytes(&bad[i]), 0);
        assert_int_equal(exo_profiler_init(memory, sizeof(memory), &bad[i]), EXO_INVALID_ARGUMENT);
    }
    assert_in_range(needed, 1, sizeof(memory) - 8);
    assert_int_equal(needed % 64, 0);
    assert_int_equal(exo_profiler_init(NULL, needed, &good), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_profiler_init(memory + 8, needed, &good), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_profiler_init(memory, needed - 1, &good), EXO_NO_MEMORY);
    for (i = 0; i < sizeof(memory); i++) {
        assert_int_equal(memory[i], 0x5A);
    }
    assert_int_equal(exo_profiler_init(memory, needed, &good), EXO_OK);
    for (i = (exo_u32)needed; i < sizeof(memory); i++) {
        assert_int_equal(memory[i], 0x5A);
    }
    assert_int_equal(exo_profiler_init(memory, sizeof(struct exo_profiler) + 64, NULL), EXO_OK);
}

/* It holds no pointer: whoever maps it elsewhere reads the same. */
static void a_profiler_can_be_read_where_it_was_copied_to(struct exo_ring_config config)
{
    struct profiled p;
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    const struct exo_profiler_config shape = {1, EVENTS};
    exo_size bytes = exo_profiler_bytes(&shape);
    void *copy = aligned_alloc(EXO_CACHE_LINE, bytes);
    assert_non_null(copy);
    profiled_open(&p, config);
    assert_int_equal(send_number(&p.f.tx, 1), EXO_OK);
    memcpy(copy, p.sent, bytes);
    memset(p.sent, 0, bytes);
    assert_counted((struct exo_profiler *)copy, 1, 8, 0);
    assert_int_equal(traced((struct exo_profiler *)copy, EXO_TRACE_SENT, &event), 1);
    free(copy);
    profiled_close(&p);
}

static void ticks_become_nanoseconds(void **state)
{
    struct exo_profiler *profiler = profiler_new(1);
    const struct exo_u64_pair { exo_u64 numerator, denominator, ratio; } ratios[] = {
        {1, 1, 1ull << 32}, {1, 2, 1ull << 31}, {1000000000, 24000000, 178956970666ull}, {7, 1ull << 40, 0},
        {(1ull << 50) + 1, (1ull << 50) + 1, 1ull << 32}, {1ull << 55, 1ull << 54, 1ull << 33},
    };
    exo_u64 before_ns = exo_port_now_ns();
    exo_u64 ticks = exo_ticks();
    exo_u64 after_ns = exo_port_now_ns();
    exo_u64 least;
    exo_u64 most;
    exo_u64 now_ns;
    exo_u32 i;
    (void)state;
    for (i = 0; i < COUNT(ratios); i++) {
        assert_true(exo_profile_ratio_pvt(ratios[i].numerator, ratios[i].denominator) == ratios[i].ratio);
    }
    assert_int_equal(exo_profile_scaled_pvt(0xFFFFFFFFFFFFull, 1ull << 32), 0xFFFFFFFFFFFFull);
    assert_int_equal(exo_profile_scaled_pvt(1000000007, 1ull << 31), 500000003);
    assert_in_range(exo_profile_scaled_pvt(24000000, 178956970666ull), 999999997, 1000000000); /* each part rounds down */
    do {
        now_ns = exo_port_now_ns();
    } while (now_ns - after_ns < 3000000);
    least = now_ns - after_ns;
    ticks = exo_profile_ns(profiler, exo_ticks() - ticks);
    most = exo_port_now_ns() - before_ns;
    assert_in_range(ticks, least - least / 50, most + most / 50);
    free(profiler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_profilers_are_refused),
        IN_EVERY_KIND(a_profiler_can_be_read_where_it_was_copied_to),
        cmocka_unit_test(ticks_become_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
