/* SPDX-License-Identifier: MIT */
/*
 * The umbrella in a program that has neither libc nor libgcc nor a system header: two threads, a ring, inline
 * messages, loans, messages with headers, and blocking calls that spin. Leaves with status 0 if all went well.
 */
#define EXO_PORT_SELF() own_id()
#include "exo_ipc/base/types.h"

exo_u32 own_id(void);

#define EXO_PORT_IMPLEMENTATION 1
#define EXO_PORT_NEED_MEMCPY    1
#include "exo_ipc/exo_ipc.h"

#include "nolibc.h"

#define MESSAGES 2000u
#define HANG_NS  20000000000ull

exo_u32 own_id(void)
{
    return (exo_u32)nolibc_call(SYS_gettid, 0, 0, 0, 0);
}

static struct exo_ring ring;
static struct exo_sender tx;
static struct exo_receiver rx;
static exo_u32 failures;

static void expect(const char *claim, exo_bool holds)
{
    if (!holds) {
        nolibc_print("not so: ");
        nolibc_print(claim);
        nolibc_print("\n");
        failures++;
    }
}

static void make(exo_u32 slot_size)
{
    struct exo_ring_config config = {0};
    config.slots = 16;
    config.slot_size = slot_size;
    config.arena_size = 65536;
    config.start = 0xFFFFFFFFull - 20;
    expect("a ring is made in the port's pages",
           exo_ring_create(&ring, &config, &tx, &rx) == EXO_OK);
}

/* Message n: a number; every fifth is a loan of 1000 bytes that begins with it. */
static void produce(void *unused)
{
    exo_u32 n;
    exo_status status = EXO_OK;
    (void)unused;
    for (n = 1; n <= MESSAGES && status == EXO_OK; n++) {
        struct exo_loaned loan = {0};
        if (n % 5 != 0) {
            status = exo_send_blocking(&tx, &n, sizeof(n), EXO_FOREVER);
            continue;
        }
        status = exo_loan_blocking(&tx, 1000, &loan, EXO_FOREVER);
        if (status == EXO_OK) {
            exo_port_copy(loan.data, &n, sizeof(n));
            status = exo_send_loan_blocking(&tx, &loan, EXO_FOREVER);
        }
    }
    (void)exo_sender_close(&tx);
}

static void two_threads_exchange_messages_and_loans(void)
{
    static struct nolibc_thread thread;
    exo_u32 next = 1;
    exo_status status;
    make(64);
    expect("a thread starts", nolibc_start(&thread, produce, EXO_NULL));
    for (;; next++) {
        struct exo_viewed view = {0};
        exo_u32 n = 0;
        status = exo_view_blocking(&rx, &view, EXO_FOREVER);
        if (status != EXO_OK) {
            break;
        }
        exo_port_copy(&n, view.data, sizeof(n));
        if (n != next || view.len != (n % 5 == 0 ? 1000 : sizeof(n)) ||
            exo_release(&rx, &view) != EXO_OK) {
            break;
        }
    }
    expect("all arrive in order, then Closed", next == MESSAGES + 1 && status == EXO_CLOSED);
    expect("the thread ends", nolibc_join(&thread, HANG_NS));
    exo_ring_destroy(&ring);
}

static void messages_with_headers_keep_them(void)
{
    static struct exo_message out;
    static struct exo_message in;
    const struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_REQUEST, 1, 2, 3);
    make(128);
    expect("a message is built", exo_message_new_inline(&out, &header, "hello", 5) == EXO_OK);
    expect("it is sent", exo_message_send(&tx, &out) == EXO_OK);
    expect("it is received", exo_message_recv(&rx, &in) == EXO_OK);
    expect("its header is whole", in.header.request_id == 3 && in.header.total_size == 37);
    expect("it is given back", exo_message_release(&rx, &in) == EXO_OK);
    expect("a deadline passes", exo_wait_readable(&rx, exo_port_now_ns() + 1000) == EXO_TIMEOUT);
    exo_ring_destroy(&ring);
}

static void lots_and_slots_in_place_work(void)
{
    exo_u64 items[20] = {0};
    exo_u64 got[20] = {0};
    struct exo_reserved reserved = {0};
    struct exo_peeked peeked = {0};
    exo_u32 i;
    make(64);
    for (i = 0; i < 20; i++) {
        items[i] = i + 1;
    }
    expect("a lot is sent", exo_send_bulk(&tx, items, sizeof(items[0]), 20) == 20);
    expect("a lot is received",
           exo_recv_bulk(&rx, got, sizeof(got[0]), 20, (exo_u32 *)EXO_NULL) == 20 && got[19] == 20);
    expect("a slot is reserved", exo_reserve(&tx, 8, &reserved) == EXO_OK);
    exo_port_copy(reserved.data, items, 8);
    expect("it is committed", exo_commit(&tx, &reserved, 8) == EXO_OK);
    expect("it is peeked at", exo_peek(&rx, &peeked) == EXO_OK && peeked.len == 8);
    expect("it is consumed", exo_consume(&rx, &peeked) == EXO_OK);
    exo_ring_destroy(&ring);
}

int nolibc_main(void)
{
    two_threads_exchange_messages_and_loans();
    messages_with_headers_keep_them();
    lots_and_slots_in_place_work();
    return failures != 0;
}
