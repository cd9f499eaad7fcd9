/* SPDX-License-Identifier: MIT */
/* Where the profiler is not compiled in: it says so, changes nothing, and nothing is counted. */
#include "ring_fixture.h"

static void handles_cannot_be_made_to_count(struct exo_ring_config config)
{
    static exo_u8 memory[sizeof(struct exo_profiler) + 64] EXO_ALIGNED(64);
    struct exo_profiler *profiler = (struct exo_profiler *)(void *)memory;
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_profiler_init(memory, sizeof(memory), NULL), EXO_OK);
    assert_int_equal(exo_profile_sender(&f.tx, profiler), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_profile_receiver(&f.rx, profiler), EXO_NOT_SUPPORTED);
    assert_null(f.tx.waker.profiler);
    assert_null(f.rx.waker.profiler);
    f.tx.waker.profiler = profiler; /* a part of the program that was compiled with it did this */
    f.rx.waker.profiler = profiler;
    assert_int_equal(send_number(&f.tx, 1), EXO_OK);
    assert_int_equal(recv_number(&f.rx), 1);
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(profiler->counters.messages, 0);
    assert_int_equal(profiler->counters.empty, 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(handles_cannot_be_made_to_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
