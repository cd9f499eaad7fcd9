/* SPDX-License-Identifier: MIT */
/* Inline messages, one by one: every size, every refusal, every end. */
#include "ring_fixture.h"

#define CANARY 0xC3u

static void a_12_byte_message_passes_a_ring_of_16(struct exo_ring_config config)
{
    static const char text[] = "Hello world!";
    char buffer[12];
    struct fixture f;
    config.slots = 16;
    fixture_open(&f, &config);
    assert_int_equal(exo_recv_inline(&f.rx, buffer, sizeof(buffer)), EXO_EMPTY);
    assert_int_equal(exo_send_inline(&f.tx, text, 12), EXO_OK);
    assert_int_equal(exo_recv_inline(&f.rx, buffer, sizeof(buffer)), 12);
    assert_memory_equal(buffer, text, 12);
    assert_int_equal(exo_recv_inline(&f.rx, buffer, sizeof(buffer)), EXO_EMPTY);
    fixture_close(&f);
}

struct two_messages {
    struct exo_sender *tx;
    exo_status status[2];
};

static void *send_two(void *argument)
{
    struct two_messages *job = (struct two_messages *)argument;
    job->status[0] = exo_send_blocking(job->tx, "first", 5, in_seconds(10));
    job->status[1] = exo_send_blocking(job->tx, "second", 6, in_seconds(10));
    return NULL;
}

static void two_blocking_sends_meet_two_blocking_receives(struct exo_ring_config config)
{
    struct fixture f;
    struct two_messages job = {&f.tx, {EXO_FULL, EXO_FULL}};
    pthread_t thread;
    char buffer[16];
    if (is_polled(&config)) {
        return;
    }
    config.slots = 4;
    fixture_open(&f, &config);
    assert_int_equal(pthread_create(&thread, NULL, send_two, &job), 0);
    assert_int_equal(exo_recv_blocking(&f.rx, buffer, sizeof(buffer), in_seconds(10)), 5);
    assert_memory_equal(buffer, "first", 5);
    assert_int_equal(exo_recv_inline_blocking(&f.rx, buffer, sizeof(buffer), in_seconds(10)), 6);
    assert_memory_equal(buffer, "second", 6);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.status[0], EXO_OK);
    assert_int_equal(job.status[1], EXO_OK);
    fixture_close(&f);
}

/* Send and receive one message of `len` bytes with `room` for it, by the plain or the constant-mode calls. */
static void pass_one(struct fixture *f, const struct exo_ring_config *config, exo_size len,
                     exo_size room, exo_bool constant)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u8 got[64 + 8];
    exo_u32 mode = f->tx.mode;
    exo_i64 result;
    exo_size i;
    (void)config;
    fill_message(bytes, len, (exo_u32)len);
    memset(got, CANARY, sizeof(got));
    if (constant) {
        assert_int_equal(exo_send_inline_as(&f->tx, mode, bytes, len), EXO_OK);
        result = exo_recv_inline_as(&f->rx, mode, got + 8, room);
    } else {
        assert_int_equal(exo_send_inline(&f->tx, bytes, len), EXO_OK);
        result = exo_recv_inline(&f->rx, got + 8, room);
    }
    assert_int_equal(result, len);
    assert_message(got + 8, len, (exo_u32)len);
    for (i = 0; i < sizeof(got); i++) {
        if (i < 8 || i >= 8 + len) {
            assert_int_equal(got[i], CANARY);
        }
    }
}

static void every_size_arrives_and_nothing_beyond_it_is_written(struct exo_ring_config config)
{
    exo_u32 slot_size;
    for (slot_size = 64; slot_size <= 128; slot_size += 64) {
        struct fixture f;
        exo_size len;
        config.slot_size = slot_size;
        fixture_open(&f, &config);
        for (len = 0; len <= EXO_INLINE_THRESHOLD; len++) {
            pass_one(&f, &config, len, 64, EXO_FALSE);
            pass_one(&f, &config, len, len, EXO_FALSE);
            pass_one(&f, &config, len, 64, EXO_TRUE);
            pass_one(&f, &config, len, len, EXO_TRUE);
        }
        fixture_close(&f);
    }
}

/* With a constant mode, of which everything else folds away. */
EXO_HOT void behave_as_the_plain_calls(const exo_u32 mode)
{
    const struct exo_ring_config config = plain_config(mode, EXO_THREADS, NEAR_WRAP);
    struct fixture f;
    exo_u64 n;
    exo_u64 got;
    fixture_open(&f, &config);
    for (n = 0; n < 100; n++) {
        assert_int_equal(exo_send_inline_as(&f.tx, mode, &n, 8), EXO_OK);
        assert_int_equal(exo_recv_inline_as(&f.rx, mode, &got, 8), 8);
        assert_int_equal(got, n);
    }
    for (n = 0; n < 8; n++) {
        assert_int_equal(exo_send_inline_as(&f.tx, mode, &n, 8), EXO_OK);
    }
    assert_int_equal(exo_send_inline_as(&f.tx, mode, &n, 8), EXO_FULL);
    assert_int_equal(exo_send_inline_as(&f.tx, mode, &n, 57), EXO_INVALID_SIZE);
    for (n = 0; n < 8; n++) {
        assert_int_equal(exo_recv_inline_as(&f.rx, mode, &got, 7), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(exo_recv_inline_as(&f.rx, mode, &got, 8), 8);
        assert_int_equal(got, n);
    }
    assert_int_equal(exo_recv_inline_as(&f.rx, mode, &got, 8), EXO_EMPTY);
    fixture_close(&f);
}

#define PASS_AS(name, mode)              \
    static void name(void **state)       \
    {                                    \
        (void)state;                     \
        behave_as_the_plain_calls(mode); \
    }

PASS_AS(a_constant_spsc_behaves_as_the_plain_calls, EXO_SPSC)
PASS_AS(a_constant_mpsc_behaves_as_the_plain_calls, EXO_MPSC)
PASS_AS(a_constant_spmc_behaves_as_the_plain_calls, EXO_SPMC)
PASS_AS(a_constant_mpmc_behaves_as_the_plain_calls, EXO_MPMC)
PASS_AS(a_constant_polled_spsc_behaves_as_the_plain_calls, EXO_SPSC | EXO_POLLED)
PASS_AS(a_constant_polled_mpmc_behaves_as_the_plain_calls, EXO_MPMC | EXO_POLLED)

static void only_up_to_56_bytes_fit_inline(void **state)
{
    (void)state;
    assert_true(exo_fits_inline(0));
    assert_true(exo_fits_inline(56));
    assert_false(exo_fits_inline(57));
    assert_false(exo_fits_inline(EXO_SIZE_MAX));
}

static void a_message_too_long_is_refused_and_sends_nothing(struct exo_ring_config config)
{
    exo_u8 bytes[64] = {0};
    struct fixture f;
    fixture_open(&f, &config);
    assert_int_equal(exo_send_inline(&f.tx, bytes, 57), EXO_INVALID_SIZE);
    assert_int_equal(exo_send_inline(&f.tx, bytes, EXO_SIZE_MAX), EXO_INVALID_SIZE);
    assert_int_equal(exo_send(&f.tx, bytes, 57), EXO_INVALID_SIZE); /* there is no arena */
    assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_send_inline(&f.tx, bytes, 57),
                     EXO_INVALID_SIZE); /* misuse before fullness */
    fixture_close(&f);
}

static void a_buffer_too_small_leaves_the_message(struct exo_ring_config config)
{
    exo_u8 bytes[EXO_INLINE_THRESHOLD];
    exo_u8 got[64];
    struct fixture f;
    exo_size len;
    fixture_open(&f, &config);
    for (len = 1; len <= EXO_INLINE_THRESHOLD; len++) {
        fill_message(bytes, len, 1);
        memset(got, CANARY, sizeof(got));
        assert_int_equal(exo_send_inline(&f.tx, bytes, len), EXO_OK);
        assert_int_equal(exo_recv_inline(&f.rx, got, len - 1), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(exo_recv_inline(&f.rx, NULL, 0), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(exo_recv(&f.rx, got, len - 1), EXO_BUFFER_TOO_SMALL);
        assert_int_equal(got[0], CANARY);
        assert_int_equal(exo_recv(&f.rx, got, len), len);
        assert_message(got, len, 1);
    }
    fixture_close(&f);
}

static void a_message_of_no_bytes_needs_no_memory(struct exo_ring_config config)
{
    struct fixture f;
    exo_u32 i;
    fixture_open(&f, &config);
    for (i = 0; i < 30; i++) {
        assert_int_equal(exo_send_inline(&f.tx, NULL, 0), EXO_OK);
        assert_int_equal(exo_send(&f.tx, NULL, 0), EXO_OK);
        assert_int_equal(exo_recv_inline(&f.rx, NULL, 0), 0);
        assert_int_equal(exo_recv(&f.rx, NULL, 0), 0);
        assert_int_equal(exo_recv_inline(&f.rx, NULL, 0), EXO_EMPTY);
    }
    fixture_close(&f);
}

static void full_ring_refuses_and_keeps_the_messages(struct exo_ring_config config)
{
    struct fixture f;
    exo_u64 lap;
    fixture_open(&f, &config);
    for (lap = 0; lap < 5; lap++) {
        exo_u32 i;
        assert_int_equal(fill_ring(&f.tx, 100 * lap), 8);
        assert_int_equal(send_number(&f.tx, 99), EXO_FULL);
        for (i = 0; i < 8; i++) {
            assert_int_equal(recv_number(&f.rx), 100 * lap + i);
        }
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
    }
    fixture_close(&f);
}

static void messages_keep_their_order_across_2_to_the_32(struct exo_ring_config config)
{
    struct fixture f;
    exo_u64 sent = 0;
    exo_u64 received = 0;
    exo_u32 turn;
    fixture_open(&f, &config);
    for (turn = 0; turn < 200; turn++) {
        exo_u32 i;
        for (i = 0; i < turn % 9; i++) {
            exo_status status = send_number(&f.tx, sent);
            assert_int_equal(status, sent - received == 8 ? EXO_FULL : EXO_OK);
            sent += status == EXO_OK;
        }
        for (i = 0; i < (turn + 5) % 9; i++) {
            exo_i64 got = recv_number(&f.rx);
            assert_int_equal(got, sent == received ? (exo_i64)EXO_EMPTY : (exo_i64)received);
            received += got >= 0;
        }
    }
    assert_true(sent > 300);
    fixture_close(&f);
}

static void a_fresh_ring_is_empty_wherever_it_starts(struct exo_ring_config config)
{
    exo_u64 off;
    for (off = 0; off < 20; off++) {
        struct fixture f;
        struct exo_ring_config shifted = config;
        shifted.start = config.start + off;
        fixture_open(&f, &shifted);
        assert_int_equal(recv_number(&f.rx), EXO_EMPTY);
        assert_int_equal(fill_ring(&f.tx, 0), 8);
        assert_int_equal(recv_number(&f.rx), 0);
        fixture_close(&f);
    }
}

static void a_call_that_may_not_wait_says_so(struct exo_ring_config config)
{
    struct fixture f;
    exo_u64 number = 0;
    const exo_u64 past = 1;
    const exo_status late = is_polled(&config) ? EXO_NOT_SUPPORTED : EXO_TIMEOUT;
    fixture_open(&f, &config);
    assert_int_equal(exo_recv_blocking(&f.rx, &number, 8, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_recv_blocking(&f.rx, &number, 8, past), late);
    assert_int_equal(exo_wait_readable(&f.rx, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_send_blocking(&f.tx, &number, 8, past), EXO_OK); /* one attempt is made */
    assert_int_equal(exo_wait_readable(&f.rx, past), EXO_OK);
    assert_int_equal(exo_recv_inline_blocking(&f.rx, &number, 8, EXO_NOW), 8);
    assert_int_equal(fill_ring(&f.tx, 0), 8);
    assert_int_equal(exo_send_blocking(&f.tx, &number, 8, EXO_NOW), EXO_WOULD_BLOCK);
    assert_int_equal(exo_send_blocking(&f.tx, &number, 8, past), late);
    assert_int_equal(exo_wait_writable(&f.tx, past), late);
    assert_int_equal(recv_number(&f.rx), 0);
    assert_int_equal(exo_wait_writable(&f.tx, EXO_NOW), EXO_OK);
    fixture_close(&f);
}

static void *receive_until_the_end(void *argument)
{
    struct sleeping_thread *self = (struct sleeping_thread *)argument;
    thread_started(self);
    self->result = exo_recv_blocking(self->rx, &self->value, 8, in_seconds(10));
    return NULL;
}

static void a_sleeping_receiver_wakes_for_a_message_and_for_the_end(struct exo_ring_config config)
{
    struct fixture f;
    struct sleeping_thread thread = {0};
    const exo_u32 *waiters;
    exo_u32 turn;
    if (is_polled(&config)) {
        return;
    }
    fixture_open(&f, &config);
    thread.rx = &f.rx;
    waiters = &f.rx.rx->sync.waiters;
    for (turn = 0; turn < 20; turn++) {
        thread_start(&thread, receive_until_the_end);
        assert_true(fell_asleep(&thread, waiters));
        assert_int_equal(send_number(&f.tx, turn), EXO_OK);
        assert_int_equal(thread_join(&thread), 8);
        assert_int_equal(thread.value, turn);
    }
    thread_start(&thread, receive_until_the_end);
    assert_true(fell_asleep(&thread, waiters));
    assert_int_equal(exo_sender_close(&f.tx), EXO_OK);
    assert_int_equal(thread_join(&thread), EXO_CLOSED);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EVERY_KIND(a_12_byte_message_passes_a_ring_of_16),
        IN_EVERY_KIND(two_blocking_sends_meet_two_blocking_receives),
        IN_EVERY_KIND(every_size_arrives_and_nothing_beyond_it_is_written),
        cmocka_unit_test(a_constant_spsc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_mpsc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_spmc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_mpmc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_polled_spsc_behaves_as_the_plain_calls),
        cmocka_unit_test(a_constant_polled_mpmc_behaves_as_the_plain_calls),
        cmocka_unit_test(only_up_to_56_bytes_fit_inline),
        IN_EVERY_KIND(a_message_too_long_is_refused_and_sends_nothing),
        IN_EVERY_KIND(a_buffer_too_small_leaves_the_message),
        IN_EVERY_KIND(a_message_of_no_bytes_needs_no_memory),
        IN_EVERY_KIND(full_ring_refuses_and_keeps_the_messages),
        IN_EVERY_KIND(messages_keep_their_order_across_2_to_the_32),
        IN_EVERY_KIND(a_fresh_ring_is_empty_wherever_it_starts),
        IN_EVERY_KIND(a_call_that_may_not_wait_says_so),
        IN_EVERY_KIND(a_sleeping_receiver_wakes_for_a_message_and_for_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
