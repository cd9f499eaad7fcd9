/* SPDX-License-Identifier: MIT */
/*
 * The receiving half of a talk.
 */
#include "talk.h"

static exo_i64 recv_in_place(struct talk *talk)
{
    struct exo_peeked peeked = {NULL, 0, 0};
    exo_bool right;
    exo_status status = exo_peek(talk->rx, &peeked);
    if (status != EXO_OK) {
        return status;
    }
    right = peeked.len == 8 * EXO_LINE_WORDS && stream_shows(peeked.data, talk->next, EXO_LINE_WORDS);
    status = exo_consume(talk->rx, &peeked);
    return right && status == EXO_OK ? 1 : STREAM_WRONG;
}

static exo_i64 recv_lot(struct talk *talk)
{
    exo_word64 words[4 * EXO_LINE_WORDS];
    exo_i64 got = exo_recv_burst(talk->rx, words, 8 * EXO_LINE_WORDS, 4, NULL);
    exo_i64 i;
    for (i = 0; i < got; i++) {
        if (!stream_shows(words + EXO_LINE_WORDS * i, talk->next + (exo_u64)i, EXO_LINE_WORDS)) {
            return STREAM_WRONG;
        }
    }
    return got;
}

static exo_bool release_one(struct talk *talk, exo_u32 i)
{
    struct exo_viewed *view = &talk->held[i];
    exo_size words = stream_words(talk->number[i]);
    exo_bool right;
    if (view->data == NULL) {
        return EXO_TRUE;
    }
    right = view->len == 8 * words && stream_shows(view->data, talk->number[i], words);
    return exo_release(talk->rx, view) == EXO_OK && right;
}

exo_bool talk_release(struct talk *talk)
{
    exo_bool right = EXO_TRUE;
    exo_u32 i;
    for (i = 0; i < TALK_HELD; i++) {
        right = release_one(talk, i) && right;
    }
    note_phase(talk->note, PHASE_RECEIVE);
    return right;
}

/* Views into a random place, so that releases come out of order. */
static exo_i64 recv_view(struct talk *talk)
{
    exo_u32 i = random_below(&talk->random, talk->holds);
    exo_size words = stream_words(talk->next);
    exo_status status;
    if (!release_one(talk, i)) {
        return STREAM_WRONG;
    }
    status = exo_view(talk->rx, &talk->held[i]);
    if (status != EXO_OK) {
        return status;
    }
    note_phase(talk->note, PHASE_VIEW);
    talk->number[i] = talk->next;
    return talk->held[i].len == 8 * words && stream_shows(talk->held[i].data, talk->next, words) ? 1 : STREAM_WRONG;
}

static exo_i64 recv_some(struct talk *talk)
{
    exo_u32 how = random_below(&talk->random, 3);
    if (talk->kind == STREAM_INLINE && how != 0) {
        return how == 1 ? recv_in_place(talk) : recv_lot(talk);
    }
    if (talk->kind == STREAM_ZERO_COPY && talk->holds != 0) {
        return recv_view(talk);
    }
    return stream_recv(talk->rx, talk->kind, talk->next);
}

/* Wait without holding anything: the sender may need it. */
static exo_i64 wait_for_message(struct talk *talk, exo_u32 turn)
{
    exo_status status;
    if (!talk_release(talk)) {
        return STREAM_WRONG;
    }
    if (!talk->sleeping) {
        if (turn % 64 == 63) {
            (void)sched_yield(); /* the other one may have no processor else */
        }
        return EXO_OK;
    }
    exo_store64(&talk->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
    note_phase(talk->note, PHASE_ASLEEP);
    status = exo_wait_readable(talk->rx, EXO_FOREVER);
    note_phase(talk->note, PHASE_RECEIVE);
    return status;
}

exo_i64 talk_recv(struct talk *talk)
{
    exo_u32 turn;
    for (turn = 0;; turn++) {
        exo_i64 got = recv_some(talk);
        if (got > 0) {
            talk->next += (exo_u64)got;
            exo_store64(&talk->note->done, talk->next, EXO_RELEASE);
        }
        if (got != EXO_EMPTY || talk->hurried) {
            return got;
        }
        got = wait_for_message(talk, turn);
        if (got != EXO_OK) {
            return got;
        }
    }
}
