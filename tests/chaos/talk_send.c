/* SPDX-License-Identifier: MIT */
/*
 * The sending half of a talk. What has been begun is noted before a call, what has been done after it.
 */
#include "talk.h"

/* Nothing was free: wait. True to try again; else the reason is in *result. */
static exo_bool wait_for_room(struct talk *talk, exo_i64 *result)
{
    enum phase before = (enum phase)talk->note->phase;
    if (*result != EXO_FULL) {
        return EXO_FALSE;
    }
    if (talk->sleeping) {
        exo_store64(&talk->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
        note_phase(talk->note, PHASE_ASLEEP);
        *result = exo_wait_writable(talk->tx, EXO_FOREVER);
        note_phase(talk->note, before);
        return *result == EXO_OK;
    }
    exo_cpu_relax();
    (void)sched_yield();
    return EXO_TRUE;
}

#define UNTIL_ROOM(talk, result, attempt)                                                            \
    do {                                                                                             \
        (result) = (attempt);                                                                        \
    } while (wait_for_room(talk, &(result)))

static void begin(struct talk *talk, exo_u32 lot)
{
    exo_store64(&talk->note->begun, talk->next + lot, EXO_RELEASE);
}

/* Claim, linger, publish. */
static exo_i64 send_in_place(struct talk *talk)
{
    struct exo_reserved reserved = {NULL, 0, 0};
    exo_u32 turns = random_below(&talk->random, 64);
    exo_i64 result;
    UNTIL_ROOM(talk, result, exo_reserve(talk->tx, 8 * EXO_LINE_WORDS, &reserved));
    if (result != EXO_OK) {
        return result;
    }
    exo_store64(&talk->note->claimed, reserved.pos, EXO_RELAXED);
    note_phase(talk->note, PHASE_CLAIM);
    stream_fill(reserved.data, talk->next, EXO_LINE_WORDS / 2);
    while (turns-- != 0) {
        exo_cpu_relax();
    }
    stream_fill(reserved.data, talk->next, EXO_LINE_WORDS);
    result = exo_commit(talk->tx, &reserved, 8 * EXO_LINE_WORDS);
    note_phase(talk->note, PHASE_SEND);
    return result == EXO_OK ? 1 : result;
}

static exo_i64 send_inline(struct talk *talk)
{
    exo_word64 words[3 * EXO_LINE_WORDS];
    exo_u32 how = random_below(&talk->random, 4);
    exo_u32 lot = how == 0 ? 3 : 1;
    exo_i64 result;
    exo_u32 i;
    begin(talk, lot);
    if (how == 1) {
        return send_in_place(talk);
    }
    for (i = 0; i < lot; i++) {
        stream_fill(words + EXO_LINE_WORDS * i, talk->next + i, EXO_LINE_WORDS);
    }
    if (how == 0) {
        UNTIL_ROOM(talk, result, exo_send_bulk(talk->tx, words, 8 * EXO_LINE_WORDS, lot));
        return result;
    }
    if (how == 2 && talk->sleeping) {
        result = exo_send_blocking(talk->tx, words, 8 * EXO_LINE_WORDS, EXO_FOREVER);
    } else {
        UNTIL_ROOM(talk, result, exo_send_inline(talk->tx, words, 8 * EXO_LINE_WORDS));
    }
    return result == EXO_OK ? 1 : result;
}

static exo_i64 send_packed(struct talk *talk)
{
    exo_word64 items[STREAM_LOT];
    exo_u32 lot = 1 + random_below(&talk->random, STREAM_LOT);
    exo_i64 result;
    exo_u32 i;
    begin(talk, lot);
    for (i = 0; i < lot; i++) {
        items[i] = stream_word(talk->next + i, 0);
    }
    UNTIL_ROOM(talk, result, exo_send_bulk(talk->tx, items, 8, lot));
    return result;
}

static exo_i64 borrow(struct talk *talk, exo_u64 number, struct exo_loaned *loan)
{
    exo_size bytes = 8 * stream_words(number);
    exo_i64 result = exo_loan(talk->tx, bytes, loan);
    while (result == EXO_FULL && !talk->sleeping) {
        (void)sched_yield();
        result = exo_loan(talk->tx, bytes, loan);
    }
    if (result == EXO_FULL) {
        exo_store64(&talk->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
        note_phase(talk->note, PHASE_ASLEEP);
        result = exo_loan_blocking(talk->tx, bytes, loan, EXO_FOREVER);
    }
    note_phase(talk->note, PHASE_LOAN);
    if (result == EXO_OK) {
        stream_fill(loan->data, number, stream_words(number));
    }
    return result;
}

static exo_i64 send_loans(struct talk *talk)
{
    struct exo_loaned loan[2] = {{NULL, 0, 0, 0, 0}, {NULL, 0, 0, 0, 0}};
    exo_u32 lot = 1 + random_below(&talk->random, 2);
    exo_i64 result = EXO_OK;
    exo_u32 lent;
    begin(talk, lot);
    for (lent = 0; lent < lot && result == EXO_OK; lent++) {
        result = borrow(talk, talk->next + lent, &loan[lent]);
    }
    if (result == EXO_OK && lot == 1) {
        UNTIL_ROOM(talk, result, exo_send_loan(talk->tx, &loan[0]));
    } else if (result == EXO_OK) {
        UNTIL_ROOM(talk, result, exo_send_loans_bulk(talk->tx, loan, lot));
    }
    for (lent = 0; result < 0 && lent < lot; lent++) {
        MUST(loan[lent].data == NULL || exo_loan_cancel(talk->tx, &loan[lent]) == EXO_OK);
    }
    note_phase(talk->note, PHASE_SEND);
    return result < 0 ? result : (exo_i64)lot;
}

/* Odd numbers travel inline, even ones by reference. */
static exo_i64 send_message(struct talk *talk)
{
    struct exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, talk->next);
    struct exo_message message;
    exo_word64 words[5];
    exo_i64 result;
    begin(talk, 1);
    if (talk->next % 2 != 0) {
        stream_fill(words, talk->next, 5);
        result = exo_message_new_inline(&message, &header, words, sizeof(words));
    } else {
        exo_size count = stream_words(talk->next);
        while ((result = exo_message_new_zero_copy(&message, talk->tx, &header, 8 * count)) == EXO_FULL) {
            (void)sched_yield();
        }
        if (result == EXO_OK) {
            note_phase(talk->note, PHASE_LOAN);
            stream_fill(exo_message_payload(&message), talk->next, count);
        }
    }
    if (result == EXO_OK) {
        UNTIL_ROOM(talk, result, exo_message_send(talk->tx, &message));
        if (result != EXO_OK && message.loan.data != NULL) {
            MUST(exo_message_drop(talk->tx, &message) == EXO_OK);
        }
    }
    note_phase(talk->note, PHASE_SEND);
    return result == EXO_OK ? 1 : result;
}

exo_i64 talk_send(struct talk *talk)
{
    static exo_i64 (*const sends[STREAM_KINDS])(struct talk *) = {send_inline, send_packed, send_loans, send_message};
    exo_i64 sent = sends[talk->kind](talk);
    if (sent > 0) {
        talk->next += (exo_u64)sent;
        exo_store64(&talk->note->done, talk->next, EXO_RELEASE);
    }
    return sent;
}
