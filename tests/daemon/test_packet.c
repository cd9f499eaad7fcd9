/* SPDX-License-Identifier: MIT */
/* Requests to the daemon, as bytes: what is sound, and each way in which it is not. */
#include "../process/process_fixture.h"

#include "exo_packet.h"

/* A request with room for a body. */
struct shape {
    struct exo_packet_request head;
    exo_u8 body[600];
};

static struct shape request(exo_u32 number, exo_u32 body)
{
    struct shape shape;
    memset(&shape, 0, sizeof(shape));
    shape.head.magic = EXO_PACKET_ASKS;
    shape.head.bytes = body;
    shape.head.call.number = number;
    shape.head.call.version = EXO_SYSCALL_VERSION;
    return shape;
}

static exo_status parses(const struct shape *shape, struct exo_packet *packet)
{
    exo_size bytes = sizeof(shape->head) + shape->head.bytes;
    exo_u8 *exact = (exo_u8 *)malloc(bytes); /* its end is watched */
    exo_status status;
    assert_non_null(exact);
    memcpy(exact, shape, bytes);
    status = exo_packet_parse(exact, bytes, packet);
    free(exact);
    return status;
}

static void every_call_has_a_sound_request(void **state)
{
    exo_u32 number;
    (void)state;
    for (number = 0; number < EXO_SYS_ROAD_END; number++) {
        const struct exo_syscall_form form = exo_packet_form(number);
        exo_u32 front = form.letter == EXO_SYS_NO_BUFFER ? 0 : (exo_u32)sizeof(struct exo_sys_letter);
        exo_bool reads = form.in != EXO_SYS_NO_BUFFER;
        exo_bool writes = form.out != EXO_SYS_NO_BUFFER;
        struct shape shape = request(number, reads ? front + 100 : 0);
        struct exo_packet packet;
        if (reads || writes) {
            shape.head.call.argument[reads ? form.in : form.out] = front;
            shape.head.call.argument[(reads ? form.in : form.out) + 1] = 100;
        }
        if (number >= EXO_SYSCALLS && number < EXO_SYS_PORT) {
            assert_int_equal(parses(&shape, &packet), EXO_NOT_SUPPORTED);
            continue;
        }
        assert_int_equal(parses(&shape, &packet), EXO_OK);
        assert_int_equal(packet.body_bytes, reads ? front + 100 : 0);
        assert_int_equal(packet.room, writes ? front + 100 : 0);
        assert_int_equal(packet.front, writes ? front : 0);
    }
}

static void what_is_no_request_is_corrupt(void **state)
{
    struct shape shape = request(EXO_SYS_VERSION, 0);
    struct exo_packet packet;
    exo_size bytes;
    (void)state;
    for (bytes = 0; bytes < sizeof(shape.head); bytes++) {
        assert_int_equal(exo_packet_parse(&shape, bytes, &packet), EXO_CORRUPT);
    }
    assert_int_equal(exo_packet_parse(&shape, sizeof(shape.head) + 1, &packet), EXO_CORRUPT); /* longer than it says */
    shape.head.bytes = 1;
    assert_int_equal(exo_packet_parse(&shape, sizeof(shape.head), &packet), EXO_CORRUPT); /* torn */
    shape.head.bytes = ~(exo_u32)0;
    assert_int_equal(exo_packet_parse(&shape, sizeof(shape), &packet), EXO_CORRUPT);
    shape = request(EXO_SYS_VERSION, 0);
    shape.head.magic ^= 1;
    assert_int_equal(parses(&shape, &packet), EXO_CORRUPT);
    /* A datagram that did not fit says how long it was. */
    assert_int_equal(exo_packet_parse(&shape, EXO_PACKET_REQUEST_MAX + 1, &packet), EXO_CORRUPT);
}

static void versions_and_numbers_are_told_apart(void **state)
{
    struct shape shape = request(EXO_SYS_VERSION, 0);
    struct exo_packet packet;
    (void)state;
    shape.head.call.version = EXO_SYSCALL_VERSION + 1;
    assert_int_equal(parses(&shape, &packet), EXO_VERSION_MISMATCH);
    shape = request(EXO_SYSCALLS, 0);
    assert_int_equal(parses(&shape, &packet), EXO_NOT_SUPPORTED);
    shape = request(EXO_SYS_ROAD_END, 0);
    assert_int_equal(parses(&shape, &packet), EXO_NOT_SUPPORTED);
    shape = request(~(exo_u32)0, 0);
    assert_int_equal(parses(&shape, &packet), EXO_NOT_SUPPORTED);
}

static void arguments_that_a_call_does_not_have_must_be_zero(void **state)
{
    struct exo_packet packet;
    exo_u32 i;
    (void)state;
    for (i = 0; i < EXO_SYSCALL_ARGUMENTS; i++) {
        struct shape shape = request(EXO_SYS_DERIVE, 0); /* has two */
        shape.head.call.argument[i] = 1;
        assert_int_equal(parses(&shape, &packet), i < 2 ? EXO_OK : EXO_INVALID_ARGUMENT);
    }
}

static void a_buffer_is_where_it_must_be_and_as_long_as_what_came(void **state)
{
    struct shape shape = request(EXO_SYS_SHM_CREATE, 8);
    struct exo_packet packet;
    (void)state;
    shape.head.call.argument[1] = 8;
    assert_int_equal(parses(&shape, &packet), EXO_OK);
    shape.head.call.argument[1] = 7;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape.head.call.argument[1] = 9;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape.head.call.argument[1] = ~(exo_u64)0;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_SIZE);
    shape.head.call.argument[1] = 8;
    shape.head.call.argument[0] = 1;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape = request(EXO_SYS_CLOSE, 8); /* reads nothing */
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape = request(EXO_SYS_INSPECT, 8); /* writes only */
    shape.head.call.argument[2] = 8;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
}

static void a_letter_stands_first_or_the_request_is_refused(void **state)
{
    struct shape shape = request(EXO_SYS_CHANNEL_SEND, sizeof(struct exo_sys_letter));
    struct exo_packet packet;
    (void)state;
    shape.head.call.argument[2] = sizeof(struct exo_sys_letter);
    assert_int_equal(parses(&shape, &packet), EXO_OK); /* an empty payload */
    shape.head.call.argument[1] = 1;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape.head.call.argument[1] = 0;
    shape.head.call.argument[2] = 0;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
    shape.head.call.argument[2] = sizeof(struct exo_sys_letter);
    shape.head.bytes -= 1;
    assert_int_equal(parses(&shape, &packet), EXO_INVALID_ARGUMENT);
}

static void only_what_a_call_wrote_is_answered(void **state)
{
    struct shape shape = request(EXO_SYS_CHANNEL_RECV, 0);
    struct exo_packet packet;
    (void)state;
    shape.head.call.argument[2] = sizeof(struct exo_sys_letter);
    shape.head.call.argument[3] = 100;
    assert_int_equal(parses(&shape, &packet), EXO_OK);
    assert_int_equal(exo_packet_written(&packet, EXO_OK, 100), sizeof(struct exo_sys_letter) + 100);
    assert_int_equal(exo_packet_written(&packet, EXO_OK, 0), sizeof(struct exo_sys_letter));
    assert_int_equal(exo_packet_written(&packet, EXO_OK, 101), 0);
    assert_int_equal(exo_packet_written(&packet, EXO_BUFFER_TOO_SMALL, 50), 0);
}

static void random_bytes_never_lead_outside(void **state)
{
    exo_u64 seed = 5;
    exo_u32 turn;
    (void)state;
    for (turn = 0; turn < 20000; turn++) {
        struct shape shape = request(random_below(&seed, EXO_SYS_ROAD_END + 2), random_below(&seed, 600));
        struct exo_packet packet;
        exo_u32 i;
        for (i = 0; i < 3; i++) {
            shape.head.call.argument[random_below(&seed, 6)] = random_below(&seed, 4) == 0 ? ~(exo_u64)0 - random_below(&seed, 600)
                                                                                      : random_below(&seed, 700);
        }
        if (parses(&shape, &packet) == EXO_OK) {
            assert_int_equal(packet.body_bytes, shape.head.bytes);
            assert_true(packet.room <= EXO_PACKET_BODY_MAX && packet.front <= packet.room);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(every_call_has_a_sound_request),
        CLAIM(what_is_no_request_is_corrupt),
        CLAIM(versions_and_numbers_are_told_apart),
        CLAIM(arguments_that_a_call_does_not_have_must_be_zero),
        CLAIM(a_buffer_is_where_it_must_be_and_as_long_as_what_came),
        CLAIM(a_letter_stands_first_or_the_request_is_refused),
        CLAIM(only_what_a_call_wrote_is_answered),
        CLAIM(random_bytes_never_lead_outside),
    };
    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
