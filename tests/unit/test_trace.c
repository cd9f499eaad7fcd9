/* SPDX-License-Identifier: MIT */
/* The trace: the last events, in order, whole, whoever reads and whatever else is written. */
#include "ring_fixture.h"

#define SIZE 8u
#define MANY 200000u

static struct exo_trace trace;
static struct exo_trace_entry entries[SIZE];

static int begin(void **state)
{
    (void)state;
    memset(&trace, 0, sizeof(trace));
    memset(entries, 0, sizeof(entries));
    trace.size = SIZE;
    return 0;
}

/* Event n, all members of which say so. */
static void write_event(exo_u64 n)
{
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    event.number = 77; /* the trace numbers them */
    event.kind = 1 + (exo_u32)(n % 200);
    event.ticks = n * 3;
    event.subject = n * 5;
    event.argument = ~n;
    exo_trace_write_pvt(&trace, entries, &event);
}

static void assert_event(const struct exo_trace_event *event, exo_u64 n)
{
    assert_int_equal(event->number, n);
    assert_int_equal(event->kind, 1 + n % 200);
    assert_int_equal(event->ticks, n * 3);
    assert_int_equal(event->subject, n * 5);
    assert_true(event->argument == ~n);
}

static void events_come_in_order(void **state)
{
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    exo_u64 cursor = 0;
    exo_u64 n;
    (void)state;
    assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_EMPTY);
    for (n = 0; n < 3 * SIZE; n++) {
        write_event(n);
        assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_OK);
        assert_event(&event, n);
        assert_int_equal(cursor, n + 1);
        assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_EMPTY);
    }
}

static void all_that_are_kept_can_be_read(void **state)
{
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    exo_u64 cursor = 0;
    exo_u64 n;
    (void)state;
    for (n = 0; n < SIZE; n++) {
        write_event(n);
    }
    for (n = 0; n < SIZE; n++) {
        assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_OK);
        assert_event(&event, n);
    }
}

static void what_was_overwritten_is_told(void **state)
{
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    exo_u64 cursor = 2;
    exo_u64 n;
    (void)state;
    memset(&event, 0x5A, sizeof(event));
    for (n = 0; n < 20; n++) {
        write_event(n);
    }
    assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_OVERFLOW);
    assert_int_equal(event.number, 0x5A5A5A5A5A5A5A5Aull); /* untouched */
    assert_int_equal(cursor, 13); /* 10 were missed; and 12, which the next event might have been overwriting */
    for (n = 13; n < 20; n++) {
        assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_OK);
        assert_event(&event, n);
    }
    assert_int_equal(exo_trace_read(&trace, entries, SIZE, &cursor, &event), EXO_EMPTY);
}

static void without_entries_nothing_is_written(void **state)
{
    struct exo_trace_event event = {0, 0, 0, 0, 0};
    exo_u64 cursor = 0;
    (void)state;
    trace.size = 0;
    write_event(0);
    assert_int_equal(trace.written, 0);
    assert_int_equal(exo_trace_read(&trace, entries, 0, &cursor, &event), EXO_EMPTY);
    trace.written = 5; /* as a writer that lies may say */
    assert_int_equal(exo_trace_read(&trace, entries, 0, &cursor, &event), EXO_EMPTY);
    assert_int_equal(cursor, 0);
}

/* Whatever stands in the memory, a reader stays within the entries it knows of, and gets on. */
static void a_lying_writer_is_survived(void **state)
{
    static const exo_u64 lies[] = {1, 7, 8, 9, 1000, 0x7FFFFFFFFFFFFFFFull, 0x8000000000000000ull, ~(exo_u64)0};
    exo_u32 i;
    exo_u32 turn;
    (void)state;
    for (i = 0; i < COUNT(lies); i++) {
        struct exo_trace_event event = {0, 0, 0, 0, 0};
        exo_u64 cursor = 0;
        memset(entries, (int)(i * 37), sizeof(entries));
        trace.size = lies[i]; /* not the reader's business */
        trace.written = lies[i];
        for (turn = 0; turn < 3 * SIZE; turn++) {
            exo_u64 before = cursor;
            exo_status status = exo_trace_read(&trace, entries, SIZE, &cursor, &event);
            assert_true(status == EXO_EMPTY || status == EXO_OVERFLOW || status == EXO_OK);
            assert_true(status == EXO_EMPTY ? cursor == before : cursor - before - 1 < ~(exo_u64)0 / 2);
        }
    }
}

static void *writes_many(void *argument)
{
    exo_u64 n;
    (void)argument;
    for (n = 0; n < MANY; n++) {
        write_event(n);
    }
    return NULL;
}

static void a_reader_beside_the_writer_sees_whole_events(void **state)
{
    pthread_t writer;
    exo_u64 cursor = 0;
    exo_u64 read = 0;
    exo_u64 missed = 0;
    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, writes_many, NULL), 0);
    while (cursor != MANY) {
        struct exo_trace_event event = {0, 0, 0, 0, 0};
        exo_u64 before = cursor;
        exo_status status = exo_trace_read(&trace, entries, SIZE, &cursor, &event);
        if (status == EXO_OK) {
            assert_event(&event, before);
            read++;
        } else if (status == EXO_OVERFLOW) {
            assert_true(cursor > before && cursor <= MANY);
            missed += cursor - before;
        } else {
            assert_int_equal(status, EXO_EMPTY);
            (void)sched_yield();
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(read + missed, MANY);
    assert_true(read >= SIZE - 1); /* the last of all are there in any case */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(events_come_in_order, begin),
        cmocka_unit_test_setup(all_that_are_kept_can_be_read, begin),
        cmocka_unit_test_setup(what_was_overwritten_is_told, begin),
        cmocka_unit_test_setup(without_entries_nothing_is_written, begin),
        cmocka_unit_test_setup(a_lying_writer_is_survived, begin),
        cmocka_unit_test_setup(a_reader_beside_the_writer_sees_whole_events, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
