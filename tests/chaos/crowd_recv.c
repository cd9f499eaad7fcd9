/* SPDX-License-Identifier: MIT */
/*
 * Receivers of a crowd, and their accounts.
 */
#include "crowd.h"

#define NUMBER_BITS 40u

static exo_u8 books[32768] EXO_ALIGNED(64);

/* What a life had sent for certain, and has not come. */
static exo_u64 missing(const struct note *note, exo_u64 received)
{
    MUST(received <= exo_load64(&note->begun, EXO_ACQUIRE));
    return note->done > received ? note->done - received : 0;
}

/* The same for all lives of a place from the one in the account on, up to `life`. */
static exo_u64 missing_before(const struct crowd *crowd, exo_u64 account, exo_u32 place, exo_u32 life)
{
    exo_u32 at = (exo_u32)(account >> NUMBER_BITS);
    exo_u64 received = account & ((1ull << NUMBER_BITS) - 1);
    exo_u64 sum = 0;
    for (; at < life; at++) {
        const struct note *note = &crowd->board->life[at];
        if (at != 0 && note->receiver == 0 && note->place == place) {
            sum += missing(note, received);
        }
        received = 0;
    }
    return sum;
}

/* Enter a message: it is the next of its life, or dead receivers took those between. */
static void enter(struct taker *self, const exo_word64 *words, exo_size bytes)
{
    struct accounts *accounts = &self->crowd->board->accounts;
    exo_u32 life = (exo_u32)words[0];
    exo_u32 place = (exo_u32)(words[0] >> 32);
    exo_u64 number = words[1];
    exo_u64 account;
    exo_u64 gap;
    MUST(bytes == 8 * WORDS || bytes == 8 * WORDS_LENT);
    MUST(place < PLACES && life != 0 && life < LIVES && self->crowd->board->life[life].place == place);
    MUST(stream_shows(words + 2, number * LIVES + life, bytes / 8 - 2));
    account = accounts->next[place];
    if (self->again && account == ((exo_u64)life << NUMBER_BITS | (number + 1))) {
        self->again = EXO_FALSE; /* it was entered before the death of who took it */
        return;
    }
    self->again = EXO_FALSE;
    MUST(life >= account >> NUMBER_BITS);
    if (account >> NUMBER_BITS == life) {
        MUST(number >= (account & ((1ull << NUMBER_BITS) - 1)));
        gap = number - (account & ((1ull << NUMBER_BITS) - 1));
    } else {
        gap = number + missing_before(self->crowd, account, place, life);
    }
    MUST(gap <= accounts->allowed);
    exo_store64(&accounts->next[place], (exo_u64)life << NUMBER_BITS | (number + 1), EXO_RELEASE);
    if (gap != 0) {
        exo_store32(&accounts->allowed, accounts->allowed - (exo_u32)gap, EXO_RELEASE);
    }
}

void accounts_close(struct crowd *crowd)
{
    struct accounts *accounts = &crowd->board->accounts;
    exo_u64 sum = 0;
    exo_u32 place;
    exo_u32 life;
    for (place = 0; place < PLACES; place++) {
        sum += missing_before(crowd, accounts->next[place], place, crowd->lives);
    }
    MUST(sum <= accounts->allowed);
    for (life = 0; life < crowd->lives; life++) {
        chaos.messages += crowd->board->life[life].receiver == 0 ? crowd->board->life[life].done : 0;
    }
}

/* Up to so many messages may be taken from here on without being entered. */
static void taking(struct taker *self, exo_u32 messages)
{
    exo_store32(&self->crowd->board->accounts.taking, messages, EXO_RELEASE);
}

static void taken(struct taker *self)
{
    exo_store64(&self->crowd->board->accounts.noted, self->rx.pos, EXO_RELEASE);
    taking(self, 0);
}

void taker_attach(struct taker *self, struct crowd *crowd, struct note *note)
{
    struct exo_ring_memory memory = crowd->ring.receiver;
    struct accounts *accounts = &crowd->board->accounts;
    memset(self, 0, sizeof(*self));
    memset(books, 0, sizeof(books));
    MUST(memory.books_bytes <= sizeof(books));
    memory.books = memory.books_bytes == 0 ? NULL : books;
    self->crowd = crowd;
    self->note = note;
    self->random = crowd->random + crowd->lives * 99u;
    note_phase(note, PHASE_OPEN);
    MUST(exo_receiver_attach(&self->rx, &memory, crowd->ring.spin, NULL) == EXO_OK);
    self->again = accounts->taking != 0;
    if (self->rx.pos > accounts->noted) {
        exo_u64 gone = self->rx.pos - accounts->noted; /* discarded slots among them */
        accounts->allowed += gone < accounts->taking ? (exo_u32)gone : accounts->taking;
    }
    note_phase(note, PHASE_RECEIVE);
    taken(self);
}

static exo_i64 take_copy(struct taker *self, exo_bool sleeping)
{
    exo_word64 words[WORDS_LENT];
    exo_i64 got;
    taking(self, 1);
    if (sleeping) {
        exo_store64(&self->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
        note_phase(self->note, PHASE_ASLEEP);
        got = exo_recv_blocking(&self->rx, words, sizeof(words), in_ms(2));
        note_phase(self->note, PHASE_RECEIVE);
    } else {
        got = self->crowd->views ? exo_recv(&self->rx, words, sizeof(words))
                                 : exo_recv_inline(&self->rx, words, sizeof(words));
    }
    if (got >= 0) {
        enter(self, words, (exo_size)got);
    }
    taken(self);
    return got >= 0 ? 1 : got;
}

static exo_i64 take_lot(struct taker *self)
{
    exo_word64 words[LOT * WORDS];
    exo_i64 got;
    exo_i64 i;
    taking(self, LOT);
    got = exo_recv_burst(&self->rx, words, 8 * WORDS, LOT, NULL);
    for (i = 0; i < got; i++) {
        enter(self, words + WORDS * i, 8 * WORDS);
    }
    taken(self);
    return got;
}

/* Entered first and taken then: here a death makes it come again. */
static exo_i64 take_in_place(struct taker *self)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    exo_status status = exo_peek(&self->rx, &peeked);
    if (status != EXO_OK) {
        return status;
    }
    taking(self, 1);
    enter(self, (const exo_word64 *)peeked.data, peeked.len);
    status = exo_consume(&self->rx, &peeked);
    MUST(status == EXO_OK);
    taken(self);
    return 1;
}

static exo_i64 take_message(struct taker *self)
{
    struct exo_message message;
    exo_status status;
    taking(self, 1);
    status = exo_message_recv(&self->rx, &message);
    if (status == EXO_OK) {
        const exo_word64 *words = (const exo_word64 *)exo_message_payload(&message);
        MUST(message.header.request_id == words[1] && message.header.sender == (exo_u32)words[0]);
        enter(self, words, exo_message_size(&message));
        MUST(exo_message_release(&self->rx, &message) == EXO_OK);
    }
    taken(self);
    return status == EXO_OK ? 1 : status;
}

/* Three views are held, and released in turn. */
static exo_i64 take_view(struct taker *self)
{
    struct exo_viewed *view = &self->view[self->at];
    exo_status status;
    if (view->data != NULL) {
        MUST(exo_release(&self->rx, view) == EXO_OK);
    }
    taking(self, 1);
    status = exo_view(&self->rx, view);
    if (status == EXO_OK) {
        note_phase(self->note, PHASE_VIEW);
        enter(self, (const exo_word64 *)view->data, view->len);
        self->at = (self->at + 1) % COUNT(self->view);
    }
    taken(self);
    return status == EXO_OK ? 1 : status;
}

static void release_all(struct taker *self)
{
    exo_u32 i;
    for (i = 0; i < COUNT(self->view); i++) {
        if (self->view[i].data != NULL) {
            MUST(exo_release(&self->rx, &self->view[i]) == EXO_OK);
        }
    }
    note_phase(self->note, PHASE_RECEIVE);
}

static exo_i64 take_some(struct taker *self)
{
    exo_u32 how = random_below(&self->random, 8);
    if (self->crowd->messages) {
        return take_message(self);
    }
    if (self->crowd->views) {
        return how < 6 ? take_view(self) : take_copy(self, how == 7);
    }
    switch (how) {
    case 0: return self->hurried ? take_copy(self, EXO_FALSE) : take_lot(self);
    case 1:
    case 2: return take_in_place(self);
    case 3: return take_copy(self, EXO_TRUE);
    default: return take_copy(self, EXO_FALSE);
    }
}

exo_i64 taker_step(struct taker *self)
{
    exo_i64 got = take_some(self);
    if (got > 0) {
        exo_store64(&self->note->done, self->note->done + (exo_u64)got, EXO_RELEASE);
    }
    if (got == EXO_EMPTY || got == EXO_TIMEOUT) {
        if (random_below(&self->random, 8) == 0) {
            release_all(self);
        }
        (void)sched_yield();
        return EXO_EMPTY;
    }
    MUST(got > 0 || got == EXO_CLOSED || got == EXO_PEER_DIED);
    return got;
}

void taker_life(struct crowd *crowd, exo_u32 life)
{
    static struct taker self;
    exo_i64 got;
    taker_attach(&self, crowd, &crowd->board->life[life]);
    do {
        got = taker_step(&self);
    } while (got > 0 || got == EXO_EMPTY);
    MUST(exo_load32(&crowd->board->stop, EXO_ACQUIRE) != 0);
    release_all(&self);
    note_phase(self.note, PHASE_CLOSE);
    MUST(exo_receiver_close(&self.rx) == EXO_OK);
}
