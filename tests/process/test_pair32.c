/* SPDX-License-Identifier: MIT */
/*
 * A 64-bit and a 32-bit process share rings that the former made. The latter, peer32_main.c, is named by the
 * environment (EXO_PEER32). Where neither kernel nor qemu-i386 runs such programs, the claim is skipped.
 */
#include "process_fixture.h"

#include "pair32.h"

struct dialogue {
    struct exo_sender tx;
    struct exo_receiver rx;
    exo_u8 *file;
    int descriptor;
    pid_t peer;
};

/* The peer: descriptor in place, then the program, by emulation where the kernel has no 32-bit programs. */
static void becomes_the_peer(void *argument)
{
    const struct dialogue *dialogue = (const struct dialogue *)argument;
    const char *path = getenv("EXO_PEER32");
    CHECK(dup2(dialogue->descriptor, PAIR32_DESCRIPTOR) == PAIR32_DESCRIPTOR);
    (void)execl(path, path, (char *)NULL);
    CHECK(errno == ENOEXEC);
    (void)execlp("qemu-i386", "qemu-i386", path, (char *)NULL);
    _exit(127);
}

static struct exo_ring_memory make_ring(exo_u8 *file, exo_u32 tx, exo_u32 rx, exo_bool sends)
{
    static exo_word64 books[2][1024] EXO_ALIGNED(64);
    struct exo_ring_config config = pair32_config();
    struct exo_geometry geometry;
    struct exo_ring_memory memory = {file + tx * PAIR32_PART, PAIR32_PART, file + rx * PAIR32_PART, PAIR32_PART,
                                     books[sends], sizeof(books[0])};
    memset(books[sends], 0, sizeof(books[0]));
    assert_int_equal(exo_geometry_from_config(&geometry, &config), EXO_OK);
    assert_int_equal(exo_tx_segment_init(memory.tx, PAIR32_PART, &geometry), EXO_OK);
    assert_int_equal(exo_rx_segment_init(memory.rx, PAIR32_PART, &geometry), EXO_OK);
    return memory;
}

static void dialogue_begin(struct dialogue *dialogue)
{
    struct exo_ring_memory out;
    struct exo_ring_memory in;
    void *at;
    memset(dialogue, 0, sizeof(*dialogue));
    dialogue->descriptor = (int)syscall(SYS_memfd_create, "exo_ipc test", MFD_CLOEXEC);
    assert_int_equal(ftruncate(dialogue->descriptor, PAIR32_BYTES), 0);
    at = mmap(NULL, PAIR32_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, dialogue->descriptor, 0);
    assert_true(at != MAP_FAILED);
    dialogue->file = (exo_u8 *)at;
    out = make_ring(dialogue->file, PAIR32_OUT_TX, PAIR32_OUT_RX, EXO_TRUE);
    in = make_ring(dialogue->file, PAIR32_IN_TX, PAIR32_IN_RX, EXO_FALSE);
    assert_int_equal(exo_sender_attach(&dialogue->tx, &out, 0, NULL), EXO_OK);
    assert_int_equal(exo_receiver_attach(&dialogue->rx, &in, 0, NULL), EXO_OK);
    dialogue->peer = start_child(becomes_the_peer, dialogue);
}

/* Nothing has come yet: give way, and see that the peer is still there. */
static void wait_a_turn(struct dialogue *dialogue)
{
    int status = 0;
    if (waitpid(dialogue->peer, &status, WNOHANG) == dialogue->peer) {
        print_message("             the peer left with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        dialogue->peer = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
            skip();
        }
        fail();
    }
    (void)sched_yield();
}

static void talk_inline(struct dialogue *dialogue, exo_u64 number)
{
    exo_word64 numbers[EXO_LINE_WORDS];
    exo_i64 len;
    exo_u32 i;
    for (i = 0; i < EXO_LINE_WORDS; i++) {
        numbers[i] = number + i;
    }
    assert_int_equal(exo_send_inline(&dialogue->tx, numbers, sizeof(numbers)), EXO_OK);
    while ((len = exo_recv_inline(&dialogue->rx, numbers, sizeof(numbers))) == EXO_EMPTY) {
        wait_a_turn(dialogue);
    }
    assert_int_equal(len, sizeof(numbers));
    for (i = 0; i < EXO_LINE_WORDS; i++) {
        assert_true(numbers[i] == ((number + i) ^ PAIR32_ANSWER));
    }
}

static void talk_packed(struct dialogue *dialogue, exo_u64 number)
{
    exo_word64 numbers[PAIR32_LOT];
    exo_size got = 0;
    exo_u32 i;
    for (i = 0; i < PAIR32_LOT; i++) {
        numbers[i] = number * 3 + i;
    }
    assert_int_equal(exo_send_bulk(&dialogue->tx, numbers, 8, PAIR32_LOT), PAIR32_LOT);
    while (got < PAIR32_LOT) {
        exo_i64 count = exo_recv_burst(&dialogue->rx, numbers + got, 8, PAIR32_LOT - got, NULL);
        assert_true(count > 0 || count == EXO_EMPTY);
        got += count > 0 ? (exo_size)count : 0;
        if (count < 0) {
            wait_a_turn(dialogue);
        }
    }
    for (i = 0; i < PAIR32_LOT; i++) {
        assert_true(numbers[i] == ((number * 3 + i) ^ PAIR32_ANSWER));
    }
}

static void talk_zero_copy(struct dialogue *dialogue, exo_u64 number)
{
    struct exo_loaned loan = {NULL, 0, 0, 0, 0};
    struct exo_viewed view;
    exo_status status;
    exo_u32 i;
    assert_int_equal(exo_loan(&dialogue->tx, PAIR32_LONG, &loan), EXO_OK);
    for (i = 0; i < PAIR32_LONG; i += 8) {
        exo_write64((exo_u8 *)loan.data + i, number * 5 + i);
    }
    assert_int_equal(exo_send_loan(&dialogue->tx, &loan), EXO_OK);
    while ((status = exo_view(&dialogue->rx, &view)) == EXO_EMPTY) {
        wait_a_turn(dialogue);
    }
    assert_int_equal(status, EXO_OK);
    assert_int_equal(view.len, PAIR32_LONG);
    for (i = 0; i < PAIR32_LONG; i += 8) {
        assert_true(exo_read64((const exo_u8 *)view.data + i) == ((number * 5 + i) ^ PAIR32_ANSWER));
    }
    assert_int_equal(exo_release(&dialogue->rx, &view), EXO_OK);
}

static void talk_messages(struct dialogue *dialogue, exo_u64 number)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_REQUEST, 1, 2, number);
    struct exo_message message;
    exo_word64 numbers[5];
    exo_status status;
    exo_u32 i;
    for (i = 0; i < 5; i++) {
        numbers[i] = number * 7 + i;
    }
    header.priority = 9;
    assert_int_equal(exo_message_send_data(&dialogue->tx, &header, numbers, sizeof(numbers)), EXO_OK);
    while ((status = exo_message_recv(&dialogue->rx, &message)) == EXO_EMPTY) {
        wait_a_turn(dialogue);
    }
    assert_int_equal(status, EXO_OK);
    assert_int_equal(message.header.msg_type, EXO_MESSAGE_RESPONSE);
    assert_int_equal(message.header.priority, 9);
    assert_true(message.header.request_id == number);
    assert_int_equal(exo_message_size(&message), sizeof(numbers));
    for (i = 0; i < 5; i++) {
        assert_true(exo_read64((exo_u8 *)exo_message_payload(&message) + 8 * i) ==
                    ((number * 7 + i) ^ PAIR32_ANSWER));
    }
}

static void processes_of_32_and_64_bits_understand_each_other(void **state)
{
    struct dialogue dialogue;
    exo_u64 number = 0x1234567800000000ull;
    exo_u32 round;
    (void)state;
    if (getenv("EXO_PEER32") == NULL) {
        skip();
    }
    dialogue_begin(&dialogue);
    for (round = 0; round < PAIR32_ROUNDS; round++) {
        talk_inline(&dialogue, number);
        talk_packed(&dialogue, number);
        talk_zero_copy(&dialogue, number);
        talk_messages(&dialogue, number);
        number += 0x100000001ull;
    }
    assert_int_equal(join_child(dialogue.peer), 0);
    assert_int_equal(exo_loans_outstanding(&dialogue.tx), 0);
    assert_int_equal(exo_recv_inline(&dialogue.rx, NULL, 0), EXO_CLOSED);
    assert_int_equal(munmap(dialogue.file, PAIR32_BYTES) + close(dialogue.descriptor), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(processes_of_32_and_64_bits_understand_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
