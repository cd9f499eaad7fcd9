/* SPDX-License-Identifier: MIT */
/*
 * Channels: whole messages both ways, who sent them, what is urgent, half-close and close, and bad input. Each claim is
 * made in one address space and over sealed segments.
 */
#include "channel_fixture.h"

static const exo_size sizes[] = {0, 1, 8, 55, 56, 57, 500, 4096, 20000};

static void messages_of_any_size_go_both_ways(void **state)
{
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        open_two(&two, &ways[w], config);
        for (i = 0; i < 9 * 40; i++) {
            assert_int_equal(send_filled(two.a, 0, sizes[i % 9], i), EXO_OK);
            assert_int_equal(send_filled(two.b, 0, sizes[(i + 4) % 9], i), EXO_OK);
            receive_filled(two.b, sizes[i % 9], i);
            receive_filled(two.a, sizes[(i + 4) % 9], i);
        }
        assert_int_equal(receive_byte(two.a), EXO_EMPTY);
        assert_int_equal(exo_loans_outstanding(&two.a->tx[0]), 0);
        close_two(&two);
    }
}

static void zero_copy_messages_are_read_where_they_were_written(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_CONTROL, 0, 5, 0);
        struct exo_message message;
        struct exo_message got[2];
        open_two(&two, &ways[w], config);
        assert_int_equal(exo_channel_loan(two.a, &message, &header, 3000), EXO_OK);
        fill((exo_u8 *)exo_message_payload(&message), 3000, 1);
        assert_int_equal(exo_channel_send_message(two.a, &message), EXO_OK);
        assert_int_equal(exo_channel_send_message(two.a, &message), EXO_NOT_FOUND);
        header.priority = 9;
        assert_int_equal(exo_channel_loan(two.a, &message, &header, 10), EXO_OK);
        fill((exo_u8 *)exo_message_payload(&message), 10, 2);
        assert_int_equal(exo_channel_send_message(two.a, &message), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &got[0]), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &got[1]), EXO_OK);
        assert_filled(&got[0], 10, 2); /* urgent, from the same arena */
        assert_filled(&got[1], 3000, 1);
        assert_int_equal(got[1].header.msg_type, EXO_MESSAGE_CONTROL);
        assert_int_equal(got[1].header.dest, 5);
        assert_int_equal(exo_channel_release(two.b, &got[0]), EXO_OK);
        assert_int_equal(exo_channel_release(two.b, &got[0]), EXO_NOT_FOUND);
        assert_int_equal(exo_channel_release(two.b, &got[1]), EXO_OK);
        assert_int_equal(exo_loans_outstanding(&two.a->tx[0]), 0);
        assert_int_equal(exo_channel_loan(two.a, &message, NO_HEADER, 100), EXO_OK);
        assert_int_equal(exo_channel_drop(two.a, &message), EXO_OK);
        assert_int_equal(exo_channel_drop(two.a, &message), EXO_NOT_FOUND);
        close_two(&two);
    }
}

static void the_sender_is_who_the_trusted_side_says(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message_header forged = exo_message_header_new(EXO_MESSAGE_DATA, 0xBAD, 4, 5);
        struct exo_message message;
        exo_u32 i;
        open_two(&two, &ways[w], config);
        for (i = 0; i < 2; i++) {
            forged.priority = (exo_u8)i;
            two.a->self = 0xBAD; /* a peer that writes its own headers */
            assert_int_equal(exo_channel_send(two.a, &forged, "x", 1), EXO_OK);
            assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
            assert_int_equal(message.header.sender, two.name_of_a);
            assert_int_equal(message.header.dest, 4);
            assert_int_equal(message.header.request_id, 5);
        }
        assert_int_equal(exo_channel_send(two.b, NO_HEADER, "x", 1), EXO_OK);
        assert_int_equal(exo_channel_recv(two.a, &message), EXO_OK);
        assert_int_equal(message.header.sender, two.name_of_b);
        close_two(&two);
    }
}

static void what_is_more_urgent_is_received_first(void **state)
{
    static const exo_u8 sent[] = {0, 5, 3, 0, 9, 1, 200, 9, 255, 0};
    static const exo_u8 order[] = {8, 6, 4, 7, 1, 2, 5, 0, 3, 9};
    exo_u32 w;
    exo_u32 round;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        open_two(&two, &ways[w], config);
        for (round = 0; round < 50; round++) {
            for (i = 0; i < sizeof(sent); i++) {
                assert_int_equal(send_byte(two.a, sent[i], (int)i), EXO_OK);
            }
            for (i = 0; i < sizeof(sent); i++) {
                assert_int_equal(receive_byte(two.b), order[i]);
            }
            assert_int_equal(receive_byte(two.b), EXO_EMPTY);
        }
        close_two(&two);
    }
}

static void an_urgent_lane_may_be_small(void **state)
{
    exo_u32 w;
    exo_u32 round;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        config.urgent = 2;
        open_two(&two, &ways[w], config);
        for (round = 0; round < 100; round++) {
            assert_int_equal(send_byte(two.a, 4, 1), EXO_OK);
            assert_int_equal(send_byte(two.a, 5, 2), EXO_OK);
            assert_int_equal(send_byte(two.a, 6, 3), EXO_FULL);
            assert_int_equal(receive_byte(two.b), 2);
            assert_int_equal(send_byte(two.a, 6, 3), EXO_FULL);
            assert_int_equal(receive_byte(two.b), 1);
            assert_int_equal(send_byte(two.a, 6, 3), EXO_OK);
            assert_int_equal(receive_byte(two.b), 3);
        }
        close_two(&two);
    }
}

static void what_comes_later_may_overtake(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        exo_u32 i;
        open_two(&two, &ways[w], config);
        assert_int_equal(send_byte(two.a, 7, 0), EXO_OK);
        for (i = 1; i < 64; i++) { /* the first holds its slot, and all behind it */
            assert_int_equal(send_byte(two.a, 8, (int)i), EXO_OK);
            assert_int_equal(receive_byte(two.b), i);
        }
        assert_int_equal(send_byte(two.a, 8, 64), EXO_FULL);
        assert_int_equal(receive_byte(two.b), 0);
        for (i = 0; i < 64; i++) {
            assert_int_equal(send_byte(two.a, 1, (int)i), EXO_OK);
        }
        assert_int_equal(send_byte(two.a, 1, 64), EXO_FULL);
        for (i = 0; i < 64; i++) {
            assert_int_equal(receive_byte(two.b), i);
        }
        close_two(&two);
    }
}

static void a_flood_of_urgent_messages_does_not_starve_the_others(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        exo_u32 urgent = 0;
        int got;
        open_two(&two, &ways[w], config);
        assert_int_equal(send_byte(two.a, 0, 1), EXO_OK);
        do {
            while (send_byte(two.a, 1, 2) == EXO_OK) {
            }
            got = receive_byte(two.b);
            urgent += got == 2;
        } while (got == 2 && urgent < 1000);
        assert_int_equal(got, 1);
        assert_int_equal(urgent, EXO_URGENT_IN_A_ROW);
        close_two(&two);
    }
}

static void a_flood_of_others_does_not_fill_the_urgent_lane(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        exo_u32 sent = 0;
        open_two(&two, &ways[w], config);
        while (send_byte(two.a, 0, 1) == EXO_OK) {
            sent++;
        }
        assert_int_equal(sent, 256);
        assert_int_equal(send_byte(two.a, 1, 2), EXO_OK);
        assert_int_equal(receive_byte(two.b), 2);
        assert_int_equal(receive_byte(two.b), 1);
        close_two(&two);
    }
}

static void half_close_ends_one_direction_after_its_last_message(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        open_two(&two, &ways[w], config);
        assert_int_equal(send_byte(two.a, 0, 1), EXO_OK);
        assert_int_equal(send_byte(two.a, 3, 2), EXO_OK);
        assert_int_equal(exo_channel_finish(two.a), EXO_OK);
        assert_int_equal(exo_channel_finish(two.a), EXO_CLOSED);
        assert_int_equal(send_byte(two.a, 0, 3), EXO_CLOSED);
        assert_int_equal(send_byte(two.a, 1, 3), EXO_CLOSED);
        assert_int_equal(receive_byte(two.b), 2);
        assert_int_equal(receive_byte(two.b), 1);
        assert_int_equal(receive_byte(two.b), EXO_CLOSED);
        assert_int_equal(send_byte(two.b, 0, 4), EXO_OK);
        assert_int_equal(receive_byte(two.a), 4);
        close_two(&two);
    }
}

static void nothing_urgent_is_lost_when_the_other_lane_says_closed(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message message;
        open_two(&two, &ways[w], config);
        assert_int_equal(send_byte(two.a, 3, 2), EXO_OK);
        exo_channel_close(two.a);
        assert_int_equal(exo_channel_idle_pvt(two.b, &message, EXO_CLOSED), EXO_OK);
        assert_int_equal(*(const exo_u8 *)exo_message_payload(&message), 2);
        assert_int_equal(receive_byte(two.b), EXO_CLOSED);
        assert_int_equal(send_byte(two.b, 0, 1), EXO_CLOSED);
        assert_int_equal(send_byte(two.b, 1, 1), EXO_CLOSED);
        assert_int_equal(exo_channel_recv_blocking(two.b, &message, EXO_FOREVER), EXO_CLOSED);
        assert_int_equal(exo_channel_send_blocking(two.b, NO_HEADER, "x", 1, EXO_FOREVER), EXO_CLOSED);
        close_two(&two);
    }
}

static void waiting_ends_at_its_deadline(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message_header urgent = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        struct exo_message message;
        exo_u64 start = exo_port_now_ns();
        urgent.priority = 1;
        open_two(&two, &ways[w], config);
        assert_int_equal(exo_channel_recv_blocking(two.b, &message, EXO_NOW), EXO_WOULD_BLOCK);
        assert_int_equal(exo_channel_recv_blocking(two.b, &message, start + SOON_NS), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() - start >= SOON_NS);
        while (send_byte(two.a, 0, 1) == EXO_OK) {
        }
        while (send_byte(two.a, 1, 1) == EXO_OK) {
        }
        start = exo_port_now_ns();
        assert_int_equal(exo_channel_send_blocking(two.a, NO_HEADER, "x", 1, start + SOON_NS), EXO_TIMEOUT);
        assert_int_equal(exo_channel_send_blocking(two.a, &urgent, "x", 1, start + 2 * SOON_NS), EXO_TIMEOUT);
        assert_true(exo_port_now_ns() - start >= 2 * SOON_NS);
        assert_int_equal(exo_channel_loan_blocking(two.a, &message, NO_HEADER, 32768, EXO_NOW), EXO_OK);
        assert_int_equal(exo_channel_send_message_blocking(two.a, &message, start), EXO_TIMEOUT);
        assert_int_equal(exo_channel_drop(two.a, &message), EXO_OK);
        close_two(&two);
    }
}

static void bad_input_is_refused_and_sends_nothing(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 0, 0, 0);
        struct exo_message message;
        exo_u8 type;
        config.limit = 1000;
        open_two(&two, &ways[w], config);
        for (type = 0; type < 255; type++) {
            header.msg_type = type;
            header.request_id = type == EXO_MESSAGE_ERROR;
            if (type != EXO_MESSAGE_DATA && type != EXO_MESSAGE_CONTROL) {
                assert_int_equal(exo_channel_send(two.a, &header, "x", 1), EXO_INVALID_ARGUMENT);
                assert_int_equal(exo_channel_loan(two.a, &message, &header, 1), EXO_INVALID_ARGUMENT);
            }
        }
        header.msg_type = EXO_MESSAGE_DATA;
        header.flags = 0x10;
        assert_int_equal(exo_channel_send(two.a, &header, "x", 1), EXO_INVALID_ARGUMENT);
        header.flags = EXO_FLAG_DESCRIPTOR;
        assert_int_equal(exo_channel_send(two.a, &header, "x", 1), EXO_INVALID_ARGUMENT);
        header.flags = EXO_FLAGS_USER;
        assert_int_equal(send_filled(two.a, 0, 1001, 0), EXO_INVALID_SIZE);
        assert_int_equal(exo_channel_loan(two.a, &message, NO_HEADER, 1001), EXO_INVALID_SIZE);
        assert_int_equal(exo_channel_loan(two.a, &message, NO_HEADER, 1000), EXO_OK);
        message.header.total_size = 31;
        assert_int_equal(exo_channel_send_message(two.a, &message), EXO_INVALID_SIZE);
        message.header.total_size = 1032;
        assert_int_equal(exo_channel_drop(two.a, &message), EXO_OK);
        assert_int_equal(receive_byte(two.b), EXO_EMPTY);
        assert_int_equal(send_filled(two.a, 0, 1000, 3), EXO_OK);
        receive_filled(two.b, 1000, 3);
        assert_int_equal(exo_channel_send(two.a, &header, "x", 1), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
        assert_int_equal(message.header.flags, EXO_FLAGS_USER);
        close_two(&two);
    }
}

static void control_messages_say_what_opens_and_closes(void **state)
{
    exo_u32 w;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        struct two_ends two;
        struct exo_channel_config config = {0};
        struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_CONTROL, 0, 0, 0);
        struct exo_control control = {9, 9};
        struct exo_message message;
        exo_u32 i;
        open_two(&two, &ways[w], config);
        assert_int_equal(exo_control_send(two.a, 42, EXO_CONTROL_OPEN, EXO_OK), EXO_OK);
        assert_int_equal(exo_control_send(two.a, 42, EXO_CONTROL_CLOSE, EXO_QUOTA_EXCEEDED), EXO_OK);
        assert_int_equal(exo_control_send(two.a, 42, 0, EXO_OK), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_control_send(two.a, 42, 3, EXO_OK), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_control_send(two.a, 42, EXO_CONTROL_OPEN, (exo_status)1), EXO_INVALID_ARGUMENT);
        assert_int_equal(exo_control_send(two.a, 42, EXO_CONTROL_OPEN, (exo_status)-99), EXO_INVALID_ARGUMENT);
        for (i = EXO_CONTROL_OPEN; i <= EXO_CONTROL_CLOSE; i++) {
            assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
            assert_int_equal(message.header.dest, 42);
            assert_int_equal(exo_control_read(&message, &control), EXO_OK);
            assert_int_equal(control.what, i);
            assert_int_equal(control.status, i == EXO_CONTROL_OPEN ? EXO_OK : EXO_QUOTA_EXCEEDED);
        }
        assert_int_equal(send_byte(two.a, 0, 1), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
        assert_int_equal(exo_control_read(&message, &control), EXO_TYPE_MISMATCH);
        for (i = 0; i < 4; i++) { /* from a peer that writes its own */
            const struct exo_control bad[4] = {{0, 0}, {3, 0}, {1, 1}, {2, -99}};
            assert_int_equal(exo_channel_send(two.a, &header, &bad[i], sizeof(bad[i])), EXO_OK);
            assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
            assert_int_equal(exo_control_read(&message, &control), EXO_CORRUPT);
        }
        assert_int_equal(exo_channel_send(two.a, &header, "1234567", 7), EXO_OK);
        assert_int_equal(exo_channel_recv(two.b, &message), EXO_OK);
        assert_int_equal(exo_control_read(&message, &control), EXO_CORRUPT);
        close_two(&two);
    }
}

static void configurations_that_are_no_channel_are_refused(void **state)
{
    struct exo_channel_config config = {0};
    struct exo_channel_pair pair;
    exo_size bytes = 1;
    (void)state;
    config.ring.slot_size = 64;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.ring.slot_size = 128;
    config.calls = 3;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.calls = 1;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.calls = 131072;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.calls = 2;
    config.urgent = 128;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.urgent = 5;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.urgent = 2;
    config.ring.mode = EXO_MPSC;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_NOT_SUPPORTED);
    config.ring.mode = EXO_SPSC;
    config.ring.slots = 3;
    assert_int_equal(exo_channel_pair_bytes(&pair, &config, &bytes), EXO_INVALID_SIZE);
    config.ring.slots = 2;
    assert_int_equal(bytes, 1);
    assert_int_equal(exo_channel_pair_create(&pair, &config), EXO_OK);
    assert_int_equal(exo_channel_pair_open(&pair, 2, (struct exo_channel *)NULL), EXO_INVALID_ARGUMENT);
    exo_channel_pair_destroy(&pair);
}

static void an_end_is_opened_once(void **state)
{
    struct two_ends two;
    struct exo_channel_config config = {0};
    struct exo_channel again;
    (void)state;
    open_two(&two, &ways[0], config);
    assert_int_equal(exo_channel_pair_open(&two.pair, 0, &again), EXO_ALREADY_EXISTS);
    assert_int_equal(send_byte(two.a, 0, 1), EXO_OK);
    assert_int_equal(receive_byte(two.b), 1);
    exo_channel_close(two.a);
    assert_int_equal(exo_channel_pair_open(&two.pair, 0, &again), EXO_OK);
    assert_int_equal(send_byte(&again, 5, 2), EXO_OK);
    assert_int_equal(receive_byte(two.b), 2);
    exo_channel_close(&again);
    close_two(&two);
}

static void what_is_larger_than_this_side_takes_is_refused(void **state)
{
    exo_u32 w;
    exo_u32 lane;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        for (lane = 0; lane < 2; lane++) {
            struct two_ends two;
            struct exo_channel_config config = {0};
            config.limit = 1000;
            open_two(&two, &ways[w], config);
            two.a->limit = 0; /* a peer that does not care */
            assert_int_equal(send_filled(two.a, (exo_u8)lane, 1000, 1), EXO_OK);
            receive_filled(two.b, 1000, 1);
            assert_int_equal(send_filled(two.a, (exo_u8)lane, 1001, 1), EXO_OK);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            close_two(&two);
        }
    }
}

/* What a hostile sender puts into a header: the message, or the channel, is refused, and stays so. */
static void headers_out_of_range_are_refused(void **state)
{
    static const struct {
        exo_u32 byte;
        exo_u8 value;
    } forged[] = {
        {0, 5}, {0, 255}, {0, EXO_MESSAGE_RESPONSE}, {0, EXO_MESSAGE_REQUEST}, {1, 0x10}, {1, 0x40}, {3, 1}, {4, 34}, {7, 1},
    };
    exo_u32 lane;
    exo_u32 w;
    exo_u32 i;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        for (i = 0; i < sizeof(forged) / sizeof(forged[0]) * 2; i++) {
            struct two_ends two;
            struct exo_channel_config config = {0};
            exo_u8 *header;
            lane = i & 1;
            open_two(&two, &ways[w], config);
            header = (exo_u8 *)exo_tx_line_pvt(&two.a->tx[lane], two.a->tx[lane].pos) - 32;
            assert_int_equal(send_byte(two.a, (exo_u8)lane, 1), EXO_OK);
            assert_int_equal(header[4], 33);
            header[forged[i / 2].byte] = forged[i / 2].value;
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            assert_int_equal(send_byte(two.a, (exo_u8)(1 - lane), 1), EXO_OK);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            assert_int_equal(send_byte(two.b, 0, 9), EXO_OK); /* the other direction is unharmed */
            assert_int_equal(receive_byte(two.a), 9);
            close_two(&two);
        }
    }
}

static void slots_that_no_channel_writes_are_refused(void **state)
{
    exo_u32 w;
    exo_u32 lane;
    (void)state;
    for (w = 0; w < WAYS; w++) {
        for (lane = 0; lane < 2; lane++) {
            struct two_ends two;
            struct exo_channel_config config = {0};
            open_two(&two, &ways[w], config);
            assert_int_equal(exo_send_inline(&two.a->tx[lane], "raw", 3), EXO_OK);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            assert_int_equal(receive_byte(two.b), EXO_CORRUPT);
            close_two(&two);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_size_go_both_ways),
        cmocka_unit_test(zero_copy_messages_are_read_where_they_were_written),
        cmocka_unit_test(the_sender_is_who_the_trusted_side_says),
        cmocka_unit_test(what_is_more_urgent_is_received_first),
        cmocka_unit_test(an_urgent_lane_may_be_small),
        cmocka_unit_test(what_comes_later_may_overtake),
        cmocka_unit_test(a_flood_of_urgent_messages_does_not_starve_the_others),
        cmocka_unit_test(a_flood_of_others_does_not_fill_the_urgent_lane),
        cmocka_unit_test(half_close_ends_one_direction_after_its_last_message),
        cmocka_unit_test(nothing_urgent_is_lost_when_the_other_lane_says_closed),
        cmocka_unit_test(waiting_ends_at_its_deadline),
        cmocka_unit_test(bad_input_is_refused_and_sends_nothing),
        cmocka_unit_test(control_messages_say_what_opens_and_closes),
        cmocka_unit_test(configurations_that_are_no_channel_are_refused),
        cmocka_unit_test(an_end_is_opened_once),
        cmocka_unit_test(what_is_larger_than_this_side_takes_is_refused),
        cmocka_unit_test(headers_out_of_range_are_refused),
        cmocka_unit_test(slots_that_no_channel_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
