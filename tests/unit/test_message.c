/* SPDX-License-Identifier: MIT */
/*
 * Messages with headers: layout, types, both paths, and what a hostile sender can put into a header.
 */
#include "ring_fixture.h"

static struct exo_ring_config message_config(struct exo_ring_config config)
{
    config.slot_size = 128;
    config.arena_size = 8192;
    return config;
}

static struct exo_message_header a_header(void)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_REQUEST, 11, 22, 33);
    header.priority = 200;
    header.flags = 5;
    return header;
}

static void assert_header(const struct exo_message_header *header, exo_size len)
{
    assert_int_equal(header->msg_type, EXO_MESSAGE_REQUEST);
    assert_int_equal(header->flags, 5);
    assert_int_equal(header->priority, 200);
    assert_int_equal(header->reserved, 0);
    assert_int_equal(header->total_size, 32 + len);
    assert_int_equal(header->sender, 11);
    assert_int_equal(header->dest, 22);
    assert_int_equal(header->request_id, 33);
}

static void header_has_the_fixed_layout(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct exo_message_header), 32);
    assert_int_equal(offsetof(struct exo_message_header, msg_type), 0);
    assert_int_equal(offsetof(struct exo_message_header, flags), 1);
    assert_int_equal(offsetof(struct exo_message_header, priority), 2);
    assert_int_equal(offsetof(struct exo_message_header, total_size), 4);
    assert_int_equal(offsetof(struct exo_message_header, sender), 8);
    assert_int_equal(offsetof(struct exo_message_header, dest), 16);
    assert_int_equal(offsetof(struct exo_message_header, request_id), 24);
    assert_int_equal(EXO_MESSAGE_DATA, 0);
    assert_int_equal(EXO_MESSAGE_REQUEST, 1);
    assert_int_equal(EXO_MESSAGE_RESPONSE, 2);
    assert_int_equal(EXO_MESSAGE_ERROR, 3);
    assert_int_equal(EXO_MESSAGE_CONTROL, 4);
    assert_int_equal(EXO_INLINE_THRESHOLD, 56);
    assert_int_equal(EXO_MESSAGE_INLINE_MAX, 88);
}

/* Send one message of this size by exo_message_send_data, receive it, check all of it. */
static void exchange(struct fixture *f, exo_size len, exo_u32 n)
{
    static exo_u8 data[8192];
    struct exo_message_header header = a_header();
    struct exo_message got;
    exo_size i;
    for (i = 0; i < len; i++) {
        data[i] = (exo_u8)(n + i);
    }
    assert_int_equal(exo_message_send_data(&f->tx, &header, data, len), EXO_OK);
    assert_int_equal(exo_message_recv(&f->rx, &got), EXO_OK);
    assert_header(&got.header, len);
    assert_int_equal(exo_message_size(&got), len);
    assert_int_equal(got.view.token != 0, !exo_fits_inline(len));
    assert_memory_equal(exo_message_payload(&got), data, len);
    assert_int_equal(exo_message_release(&f->rx, &got), EXO_OK);
    assert_int_equal(exo_message_release(&f->rx, &got), EXO_NOT_FOUND);
}

static void every_size_arrives_whole_by_the_path_its_size_picks(struct exo_ring_config config)
{
    static const exo_size sizes[] = {0, 1, 7, 8, 55, 56, 57, 58, 511, 512, 513, 4096, 8192};
    struct fixture f;
    exo_u32 n;
    config = message_config(config);
    fixture_open(&f, &config);
    for (n = 0; n < 40; n++) {
        exchange(&f, sizes[n % COUNT(sizes)], n);
    }
    assert_int_equal(exo_loans_outstanding(&f.tx), 0);
    fixture_close(&f);
}

static void built_messages_arrive_in_order(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_message_header header = a_header();
    struct exo_message message;
    struct exo_message got;
    exo_u32 n;
    config = message_config(config);
    fixture_open(&f, &config);
    for (n = 0; n < 30; n++) {
        assert_int_equal(exo_message_new_inline(&message, &header, "inline", 7), EXO_OK);
        assert_string_equal((const char *)exo_message_payload(&message), "inline");
        assert_int_equal(exo_message_send(&f.tx, &message), EXO_OK);
        assert_int_equal(exo_message_new_zero_copy(&message, &f.tx, &header, 100), EXO_OK);
        memset(exo_message_payload(&message), (int)n, 100);
        assert_int_equal(exo_message_send(&f.tx, &message), EXO_OK);
        assert_int_equal(exo_message_send(&f.tx, &message), EXO_NOT_FOUND);
        assert_int_equal(exo_message_recv(&f.rx, &got), EXO_OK);
        assert_string_equal((const char *)exo_message_payload(&got), "inline");
        assert_int_equal(exo_message_recv(&f.rx, &got), EXO_OK);
        assert_header(&got.header, 100);
        assert_int_equal(((const exo_u8 *)exo_message_payload(&got))[99], n);
        assert_int_equal(exo_message_release(&f.rx, &got), EXO_OK);
        assert_int_equal(exo_message_recv(&f.rx, &got), EXO_EMPTY);
    }
    assert_int_equal(exo_loans_outstanding(&f.tx), 0);
    fixture_close(&f);
}

static void full_ring_refuses_and_the_built_message_stays(struct exo_ring_config config)
{
    struct fixture f;
    struct exo_message_header header = a_header();
    struct exo_message message;
    struct exo_message got;
    config = message_config(config);
    fixture_open(&f, &config);
    (void)fill_ring(&f.tx, 0);
    assert_int_equal(exo_message_new_zero_copy(&message, &f.tx, &header, 57), EXO_OK);
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_FULL);
    assert_int_equal(exo_message_send_data(&f.tx, &header, "0123456789", 10), EXO_FULL);
    assert_int_equal(recv_number(&f.rx), 0);
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_OK);
    assert_int_equal(exo_message_recv(&f.rx, &got), EXO_TYPE_MISMATCH);
    while (recv_number(&f.rx) >= 0) {
    }
    assert_int_equal(recv_number(&f.rx), EXO_TYPE_MISMATCH);
    assert_int_equal(exo_message_recv(&f.rx, &got), EXO_OK);
    assert_int_equal(exo_message_size(&got), 57);
    assert_int_equal(exo_message_release(&f.rx, &got), EXO_OK);
    fixture_close(&f);
}

static void bad_messages_are_refused_and_nothing_is_sent(struct exo_ring_config config)
{
    static exo_u8 data[9000];
    struct fixture f;
    struct exo_message_header header = a_header();
    struct exo_message message;
    config = message_config(config);
    fixture_open(&f, &config);
    assert_int_equal(exo_message_new_inline(&message, &header, data, 57), EXO_INVALID_SIZE);
    assert_int_equal(exo_message_new_zero_copy(&message, &f.tx, &header, 8193), EXO_INVALID_SIZE);
    assert_int_equal(exo_message_send_data(&f.tx, &header, data, 9000), EXO_INVALID_SIZE);
    header.msg_type = 5;
    assert_int_equal(exo_message_send_data(&f.tx, &header, data, 3), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_message_send_data(&f.tx, &header, data, 300), EXO_INVALID_ARGUMENT);
    assert_int_equal(exo_message_new_inline(&message, &header, data, 3), EXO_INVALID_ARGUMENT);
    header.msg_type = EXO_MESSAGE_DATA;
    assert_int_equal(exo_message_new_inline(&message, &header, data, 3), EXO_OK);
    message.header.total_size = 31;
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_INVALID_SIZE);
    message.header.total_size = 32 + 57;
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_NOT_FOUND);
    assert_int_equal(exo_message_new_zero_copy(&message, &f.tx, &header, 300), EXO_OK);
    message.header.total_size++;
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_INVALID_SIZE);
    assert_int_equal(exo_message_drop(&f.tx, &message), EXO_OK);
    assert_int_equal(exo_message_drop(&f.tx, &message), EXO_NOT_FOUND);
    assert_int_equal(exo_message_recv(&f.rx, &message), EXO_EMPTY);
    assert_int_equal(exo_loans_outstanding(&f.tx), 0);
    fixture_close(&f);
}

static void slots_without_room_for_headers_are_refused(void **state)
{
    struct fixture f;
    struct exo_ring_config config = plain_config(EXO_SPSC, EXO_THREADS, 0);
    struct exo_message_header header = a_header();
    struct exo_message message;
    (void)state;
    fixture_open(&f, &config);
    assert_int_equal(exo_message_send_data(&f.tx, &header, "x", 1), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_message_new_inline(&message, &header, "x", 1), EXO_OK);
    assert_int_equal(exo_message_send(&f.tx, &message), EXO_NOT_SUPPORTED);
    assert_int_equal(exo_message_recv(&f.rx, &message), EXO_NOT_SUPPORTED);
    fixture_close(&f);
}

/* A header word of the message in slot 0, changed behind the library's back. */
static exo_status receive_with_header_changed(exo_u32 word, exo_u64 change, exo_size len)
{
    struct fixture f;
    struct exo_ring_config config = message_config(plain_config(EXO_SPSC, EXO_HOSTILE, 0));
    struct exo_message_header header = a_header();
    struct exo_message got;
    exo_u8 data[512] = {0};
    exo_status first;
    fixture_open(&f, &config);
    assert_int_equal(exo_message_send_data(&f.tx, &header, data, len), EXO_OK);
    (exo_tx_line_pvt(&f.tx, 0) - EXO_MESSAGE_HEADER_WORDS)[word] ^= change;
    first = exo_message_recv(&f.rx, &got);
    if (first != EXO_OK) {
        assert_int_equal(exo_message_recv(&f.rx, &got), first); /* it sticks */
        assert_int_equal(exo_recv_inline(&f.rx, data, sizeof(data)), first);
    }
    fixture_close(&f);
    return first;
}

static void headers_that_contradict_their_slot_are_corrupt(void **state)
{
    static const exo_u64 total_size_changes[] = {1, 32, 64, 0x80000000u, 0xFFFFFFFFu};
    exo_size i;
    (void)state;
    for (i = 0; i < COUNT(total_size_changes); i++) {
        assert_int_equal(receive_with_header_changed(0, total_size_changes[i] << 32, 10), EXO_CORRUPT);
        assert_int_equal(receive_with_header_changed(0, total_size_changes[i] << 32, 300), EXO_CORRUPT);
    }
    assert_int_equal(receive_with_header_changed(0, 0x80u, 10), EXO_CORRUPT);       /* type */
    assert_int_equal(receive_with_header_changed(0, 0x01000000u, 10), EXO_CORRUPT); /* reserved */
    assert_int_equal(receive_with_header_changed(1, 0xFFu, 10), EXO_OK);            /* the user's */
    assert_int_equal(receive_with_header_changed(3, 0xFFu, 300), EXO_OK);
}

static void *receive_one(void *argument)
{
    struct sleeping_thread *self = (struct sleeping_thread *)argument;
    struct exo_message got;
    thread_started(self);
    self->result = exo_message_recv_blocking(self->rx, &got, in_seconds(20));
    self->value = got.header.request_id;
    return NULL;
}

static void sleeping_receiver_is_woken_by_a_message(void **state)
{
    struct fixture f;
    struct exo_ring_config config = message_config(plain_config(EXO_SPSC, EXO_THREADS, NEAR_WRAP));
    struct exo_message_header header = a_header();
    struct exo_message message;
    struct sleeping_thread thread;
    (void)state;
    fixture_open(&f, &config);
    memset(&thread, 0, sizeof(thread));
    thread.rx = &f.rx;
    assert_int_equal(pthread_create(&thread.thread, NULL, receive_one, &thread), 0);
    assert_true(fell_asleep(&thread, &f.rx.rx->sync.waiters));
    assert_int_equal(exo_message_new_inline(&message, &header, NULL, 0), EXO_OK);
    assert_int_equal(exo_message_send_blocking(&f.tx, &message, in_seconds(10)), EXO_OK);
    assert_int_equal(pthread_join(thread.thread, NULL), 0);
    assert_int_equal(thread.result, EXO_OK);
    assert_int_equal(thread.value, 33);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_has_the_fixed_layout),
        IN_EVERY_KIND(every_size_arrives_whole_by_the_path_its_size_picks),
        IN_EVERY_KIND(built_messages_arrive_in_order),
        IN_EVERY_KIND(full_ring_refuses_and_the_built_message_stays),
        IN_EVERY_KIND(bad_messages_are_refused_and_nothing_is_sent),
        cmocka_unit_test(slots_without_room_for_headers_are_refused),
        cmocka_unit_test(headers_that_contradict_their_slot_are_corrupt),
        cmocka_unit_test(sleeping_receiver_is_woken_by_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
