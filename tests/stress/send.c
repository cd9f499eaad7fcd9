/* SPDX-License-Identifier: MIT */
/*
 * The senders of the stress test.
 */
#include "stress.h"

static exo_u32 pick_length(struct sending *self, exo_u32 most)
{
    exo_u32 least = length_min();
    return least + random_below(&self->random, most - least + 1);
}

/* Something was full: waits as the scene wants it. */
static void wait_for_slot(struct sending *self)
{
    exo_status status = EXO_OK;
    if (scene.style == STYLE_BLOCK) {
        status = exo_wait_writable(&self->tx, EXO_FOREVER);
    } else if (scene.style == STYLE_DEADLINE) {
        status = exo_wait_writable(&self->tx, soon(&self->random));
    } else {
        exo_cpu_relax();
        (void)sched_yield();
    }
    if (status != EXO_OK && status != EXO_TIMEOUT) {
        fail("wait_writable", status);
    }
}

/* Whether a call is to be made again; fails on what is neither success nor a reason to wait. */
static exo_bool again(exo_i64 status)
{
    if (status == EXO_FULL) {
        (void)sched_yield();
    }
    if (status < 0 && status != EXO_FULL && status != EXO_TIMEOUT) {
        fail("send", status);
    }
    return status < 0;
}

static void send_one(struct sending *self, exo_u32 most)
{
    exo_u64 words[LENGTH_MAX / 8 + 1];
    exo_u32 length = pick_length(self, most);
    exo_status status;
    body_make(words, self->id, self->sequence, length);
    do {
        if (scene.style == STYLE_BLOCK) {
            status = exo_send_blocking(&self->tx, words, length, EXO_FOREVER);
        } else if (scene.style == STYLE_DEADLINE) {
            status = exo_send_blocking(&self->tx, words, length, soon(&self->random));
        } else {
            status = exo_send(&self->tx, words, length);
        }
    } while (again(status));
    self->sequence++;
}

static void send_lot(struct sending *self)
{
    exo_u8 items[LOT_MAX * 56 + 8];
    exo_u32 n = 1 + random_below(&self->random, LOT_MAX);
    exo_u32 length = pick_length(self, random_below(&self->random, 2) == 0 ? 16 : 56);
    exo_u32 sent = 0;
    exo_i64 got;
    exo_u32 i;
    for (i = 0; i < n; i++) {
        exo_u64 words[56 / 8 + 1];
        body_make(words, self->id, self->sequence + i, length);
        memcpy(items + (size_t)i * length, words, length);
    }
    got = random_below(&self->random, 2) == 0 ? exo_send_bulk(&self->tx, items, length, n) : EXO_FULL;
    if (got > 0 && got != n) {
        fail("bulk sent a part", got);
    }
    while (sent < n) {
        if (got > 0) {
            sent += (exo_u32)got;
        } else if (got != EXO_FULL && got != EXO_INVALID_SIZE) {
            fail("send_bulk or burst", got);
        } else {
            wait_for_slot(self);
        }
        if (sent < n) {
            got = exo_send_burst(&self->tx, items + (size_t)sent * length, length, n - sent);
        }
    }
    self->sequence += n;
}

/* A large lot of equal messages, so that most of the time goes into messages. */
static void send_bulk(struct sending *self)
{
    exo_u64 items[BULK_MAX * 7];
    exo_u32 words = scene.bulk_length / 8;
    exo_u32 sent = 0;
    exo_u32 i;
    for (i = 0; i < BULK_MAX; i++) {
        body_make(items + i * words, self->id, self->sequence + i, scene.bulk_length);
    }
    while (sent < BULK_MAX) {
        exo_i64 got = exo_send_burst(&self->tx, items + sent * words, scene.bulk_length, BULK_MAX - sent);
        if (got > 0) {
            sent += (exo_u32)got;
        } else if (got == EXO_FULL) {
            wait_for_slot(self);
        } else {
            fail("send_burst", got);
        }
    }
    self->sequence += BULK_MAX;
}

static void borrow(struct sending *self, exo_u32 size, struct exo_loaned *loan)
{
    exo_status status;
    do {
        if (scene.style == STYLE_BLOCK) {
            status = exo_loan_blocking(&self->tx, size, loan, EXO_FOREVER);
        } else if (scene.style == STYLE_DEADLINE) {
            status = exo_loan_blocking(&self->tx, size, loan, soon(&self->random));
        } else {
            status = exo_loan(&self->tx, size, loan);
        }
    } while (again(status));
}

/* A loan with the message that is `ahead` of the next one, in a random part of it. */
static struct exo_loaned prepare(struct sending *self, exo_u32 ahead)
{
    exo_u64 words[LENGTH_MAX / 8 + 1];
    exo_u32 length = pick_length(self, random_below(&self->random, 4) == 0 ? LENGTH_MAX - 64 : 100);
    exo_u32 off = random_below(&self->random, 2) * random_below(&self->random, 60);
    struct exo_loaned loan;
    borrow(self, length + off, &loan);
    if (random_below(&self->random, 16) == 0) {
        if (exo_loan_cancel(&self->tx, &loan) != EXO_OK) {
            fail("loan_cancel", EXO_NOT_FOUND);
        }
        borrow(self, length + off, &loan);
    }
    body_make(words, self->id, self->sequence + ahead, length);
    memcpy((exo_u8 *)loan.data + off, words, length);
    loan.off = off;
    loan.len = length;
    return loan;
}

static void send_loans(struct sending *self)
{
    struct exo_loaned loan[3];
    exo_u32 n = 1 + random_below(&self->random, 3);
    exo_u32 sent = 0;
    exo_u32 i;
    for (i = 0; i < n; i++) {
        loan[i] = prepare(self, i);
    }
    while (sent < n) {
        exo_i64 got;
        if (n - sent > 1 && random_below(&self->random, 2) == 0) {
            got = exo_send_loans_burst(&self->tx, loan + sent, n - sent);
        } else if (n - sent == 2) {
            got = exo_send_loans_bulk(&self->tx, loan + sent, 2);
        } else {
            exo_u64 deadline =
                scene.style == STYLE_BLOCK ? EXO_FOREVER : exo_port_now_ns() + 20000;
            exo_status status = scene.style == STYLE_TRY
                                    ? exo_send_loan(&self->tx, &loan[sent])
                                    : exo_send_loan_blocking(&self->tx, &loan[sent], deadline);
            got = status == EXO_OK ? 1 : (exo_i64)status;
        }
        if (got > 0) {
            sent += (exo_u32)got;
        } else if (got == EXO_FULL) {
            wait_for_slot(self);
        } else if (got != EXO_TIMEOUT) {
            fail("send_loan", got);
        }
    }
    self->sequence += n;
}

static exo_bool reserve(struct sending *self, struct exo_reserved *reserved, exo_bool must)
{
    exo_status status = exo_reserve(&self->tx, 56, reserved);
    while (status == EXO_FULL && must) {
        wait_for_slot(self);
        status = exo_reserve(&self->tx, 56, reserved);
    }
    if (status != EXO_OK && status != EXO_FULL) {
        fail("reserve", status);
    }
    return status == EXO_OK;
}

static void write_and_commit(struct sending *self, struct exo_reserved *reserved, exo_u32 ahead)
{
    exo_u64 words[56 / 8 + 1];
    exo_u32 length = pick_length(self, 56);
    exo_status status;
    body_make(words, self->id, self->sequence + ahead, length);
    memcpy(reserved->data, words, length);
    status = exo_commit(&self->tx, reserved, length);
    if (status != EXO_OK) {
        fail("commit", status);
    }
}

/* One slot in place, or two that are published in the other order, or one that is given up. */
static void send_in_place(struct sending *self)
{
    struct exo_reserved first = {NULL, 0, 0};
    struct exo_reserved second = {NULL, 0, 0};
    (void)reserve(self, &first, EXO_TRUE);
    if (random_below(&self->random, 8) == 0) {
        if (exo_abort(&self->tx, &first) != EXO_OK) {
            fail("abort", EXO_NOT_FOUND);
        }
    } else if (random_below(&self->random, 4) == 0 && reserve(self, &second, EXO_FALSE)) {
        write_and_commit(self, &second, 1);
        write_and_commit(self, &first, 0);
        self->sequence += 2;
    } else {
        write_and_commit(self, &first, 0);
        self->sequence++;
    }
}

void *send_thread(void *argument)
{
    struct sending *self = argument;
    exo_u32 turn = 0;
    while (self->sequence < SEQUENCE_MAX - BULK_MAX &&
           (++turn % 8 != 0 || exo_port_now_ns() < scene.until_ns)) {
        exo_u32 path = scene.path == PATH_MIXED ? random_below(&self->random, 5) : scene.path;
        switch (path) {
        case PATH_INLINE: send_one(self, 56); break;
        case PATH_BATCH: send_lot(self); break;
        case PATH_LOAN: send_loans(self); break;
        case PATH_PLACE: send_in_place(self); break;
        case PATH_BULK: send_bulk(self); break;
        default: send_one(self, 300); break;
        }
    }
    if (exo_sender_close(&self->tx) != EXO_OK) {
        fail("sender_close", EXO_CLOSED);
    }
    return NULL;
}
