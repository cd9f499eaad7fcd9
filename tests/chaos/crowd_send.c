/* SPDX-License-Identifier: MIT */
/*
 * Producers of a crowd: everything a producer can do, in random order.
 */
#include "crowd.h"

/* Private books, for what a producer lends is known to itself alone. */
static exo_u8 books[32768] EXO_ALIGNED(64);

/* How often in a row all places may seem to be taken: there are as many as there are producers. */
#define REFUSALS 1u

static void attach(struct producer *self)
{
    struct exo_ring_memory memory = self->crowd->ring.sender;
    exo_status status = EXO_ALREADY_EXISTS;
    exo_u32 tries;
    note_phase(self->note, PHASE_OPEN);
    memory.books = memory.books_bytes == 0 ? NULL : books;
    MUST(memory.books_bytes <= sizeof(books));
    for (tries = 0; tries <= REFUSALS && status == EXO_ALREADY_EXISTS; tries++) {
        status = exo_sender_attach(&self->tx, &memory, self->crowd->ring.spin, NULL);
    }
    MUST(status == EXO_OK);
    (void)exo_fetch_add32(&self->crowd->board->refused, tries - 1, EXO_RELAXED);
    note_phase(self->note, PHASE_SEND);
}

void producer_attach(struct producer *self, struct crowd *crowd, exo_u32 life)
{
    memset(self, 0, sizeof(*self));
    memset(books, 0, sizeof(books));
    self->crowd = crowd;
    self->life = life;
    self->note = &crowd->board->life[life];
    self->random = crowd->random + life * 77u;
    attach(self);
}

static void write_words(const struct producer *self, exo_word64 *words, exo_u64 number, exo_size count)
{
    words[0] = (exo_u64)self->note->place << 32 | self->life;
    words[1] = number;
    stream_fill(words + 2, number * LIVES + self->life, count - 2);
}

static void begin(struct producer *self, exo_u32 lot)
{
    exo_store64(&self->note->begun, self->sent + lot, EXO_RELEASE);
}

static exo_i64 send_lot(struct producer *self, exo_bool all)
{
    exo_word64 words[LOT * WORDS];
    exo_u32 lot = 1 + random_below(&self->random, LOT);
    exo_u32 i;
    begin(self, lot);
    for (i = 0; i < lot; i++) {
        write_words(self, words + WORDS * i, self->sent + i, WORDS);
    }
    return all ? exo_send_bulk(&self->tx, words, 8 * WORDS, lot) : exo_send_burst(&self->tx, words, 8 * WORDS, lot);
}

/* Claim, linger, publish or give up. */
static exo_i64 send_in_place(struct producer *self, exo_bool gives_up)
{
    exo_u32 turns = random_below(&self->random, 2) == 0 ? 0 : random_below(&self->random, 4000);
    struct exo_reserved reserved;
    exo_status status;
    begin(self, 1);
    status = exo_reserve(&self->tx, 8 * WORDS, &reserved);
    if (status != EXO_OK) {
        return status;
    }
    exo_store64(&self->note->claimed, reserved.pos, EXO_RELAXED);
    note_phase(self->note, PHASE_CLAIM);
    memset(reserved.data, 0x77, 8 * WORDS);
    if (random_below(&self->random, 2000) == 0) {
        sleep_us(2500); /* longer than a receiver's patience: it must not be taken for dead */
    }
    while (turns-- != 0) {
        exo_cpu_relax();
    }
    if (gives_up) {
        status = exo_abort(&self->tx, &reserved);
    } else {
        write_words(self, (exo_word64 *)reserved.data, self->sent, WORDS);
        status = exo_commit(&self->tx, &reserved, 8 * WORDS);
    }
    note_phase(self->note, PHASE_SEND);
    return status == EXO_OK ? !gives_up : status;
}

static exo_i64 send_one(struct producer *self, exo_bool sleeping)
{
    exo_word64 words[WORDS];
    exo_status status;
    begin(self, 1);
    write_words(self, words, self->sent, WORDS);
    if (sleeping) {
        exo_store64(&self->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
        note_phase(self->note, PHASE_ASLEEP); /* only if it must wait, which since_ns tells */
        status = exo_send_blocking(&self->tx, words, 8 * WORDS, in_ms(SANITIZED ? 20 : 5));
        note_phase(self->note, PHASE_SEND);
    } else {
        status = exo_send_inline(&self->tx, words, 8 * WORDS);
    }
    return status == EXO_OK ? 1 : status;
}

static exo_i64 send_message(struct producer *self)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, self->life, 2, self->sent);
    exo_word64 words[WORDS];
    exo_status status;
    begin(self, 1);
    write_words(self, words, self->sent, WORDS);
    status = exo_message_send_data(&self->tx, &header, words, 8 * WORDS);
    return status == EXO_OK ? 1 : status;
}

static exo_i64 send_loan(struct producer *self)
{
    struct exo_loaned loan;
    exo_status status = exo_loan(&self->tx, 8 * WORDS_LENT, &loan);
    if (status != EXO_OK) {
        return status;
    }
    begin(self, 1);
    note_phase(self->note, PHASE_LOAN);
    write_words(self, (exo_word64 *)loan.data, self->sent, WORDS_LENT);
    status = exo_send_loan(&self->tx, &loan);
    if (status != EXO_OK) {
        MUST(exo_loan_cancel(&self->tx, &loan) == EXO_OK);
    }
    note_phase(self->note, PHASE_SEND);
    return status == EXO_OK ? 1 : status;
}

static void come_and_go(struct producer *self)
{
    note_phase(self->note, PHASE_CLOSE);
    MUST(exo_sender_close(&self->tx) == EXO_OK);
    attach(self);
}

static exo_i64 send_some(struct producer *self)
{
    if (self->crowd->messages) {
        return send_message(self);
    }
    if (self->tx.arena != NULL && random_below(&self->random, 2) == 0) {
        return send_loan(self);
    }
    switch (random_below(&self->random, 8)) {
    case 0: return send_lot(self, EXO_TRUE);
    case 1: return send_lot(self, EXO_FALSE);
    case 2:
    case 3: return send_in_place(self, EXO_FALSE);
    case 4: return send_in_place(self, random_below(&self->random, 4) == 0);
    case 5: return send_one(self, EXO_TRUE);
    default: return send_one(self, EXO_FALSE);
    }
}

void producer_step(struct producer *self)
{
    exo_bool looks = self->crowd->recovers && random_below(&self->random, 200) == 0;
    exo_i64 result = looks ? exo_sender_recover(&self->tx) : send_some(self);
    if (looks && result >= 0) {
        return; /* so many dead, no messages */
    }
    if (result > 0) {
        self->sent += (exo_u64)result;
        exo_store64(&self->note->done, self->sent, EXO_RELEASE);
    } else if (result < 0) {
        MUST(result == EXO_FULL || result == EXO_TIMEOUT || (result == EXO_PEER_DIED && self->crowd->bereft));
        if (result == EXO_PEER_DIED) {
            sleep_us(50); /* until another receiver comes */
        }
        (void)sched_yield();
    }
}

void producer_life(struct crowd *crowd, exo_u32 life)
{
    static struct producer self;
    producer_attach(&self, crowd, life);
    while (exo_load32(&crowd->board->stop, EXO_ACQUIRE) == 0) {
        producer_step(&self);
        if (self.note->kill_ns != 0 && random_below(&self.random, 500) == 0) {
            come_and_go(&self);
        }
    }
    note_phase(self.note, PHASE_CLOSE);
    MUST(exo_sender_close(&self.tx) == EXO_OK);
}
