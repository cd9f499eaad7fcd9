/* SPDX-License-Identifier: MIT */
/*
 * Pairs: two ends over a socket, one of which is killed, or both. The survivor is this process; it goes on with the
 * next victim over a new socket.
 */
#include "pair.h"

static struct note *notes; /* shared: the victims' */
static struct note own;    /* the survivor's own */

/* Each kill in a mixture of its own; the low digits of the index make sure that all mixtures come. */
static void plan_make(struct plan *plan, struct note *note, exo_bool sends, exo_u64 *random)
{
    exo_u32 index = chaos.index;
    exo_bool hostile = index % 2 != 0;
    memset(plan, 0, sizeof(*plan));
    memset(note, 0, sizeof(*note));
    plan->sends = sends;
    plan->kind = index / 4 % STREAM_KINDS;
    plan->waiting = index / 16 % 2 != 0;
    plan->sleeping = index / 32 % 2 != 0;
    plan->holds = random_below(random, TALK_HELD);
    plan->delay_us = SLOW(250u + random_below(random, 2500));
    plan->config = stream_config(plan->kind, (index / 2 % 2 != 0 ? NEAR_WRAP : 0) + hostile);
    plan->config.spin = random_below(random, 2);
    plan->random = (exo_u64)random_below(random, 0xFFFFFFFFu) + 1;
    plan->note = note;
    plan->note->receiver = !sends;
    plan->socket = -1;
    plan->other = -1;
}

static exo_u64 seed_of_kill(void)
{
    exo_u64 random = chaos.seed ^ (exo_u64)chaos.scene << 56 ^ (exo_u64)chaos.index * 0x9E3779B97F4A7C15ull;
    (void)random_below(&random, 2);
    return random;
}

/* Fork the victim, and open the survivor's end; false if the victim was dead by then. */
static exo_bool pair_begin(struct plan *plan, struct exo_end *end, struct talk *talk, pid_t *child)
{
    struct plan mine = *plan;
    int sockets[2];
    exo_status status;
    MUST(exo_pair(sockets) == EXO_OK);
    plan->other = sockets[0];
    plan->socket = sockets[1];
    *child = start_child(pair_victim, plan);
    MUST(close(sockets[1]) == 0);
    status = exo_open(end, sockets[0], &plan->config, EXO_FOREVER);
    if (status == EXO_PEER_DIED) {
        hear(plan->note, exo_port_now_ns(), EXO_FALSE);
        return EXO_FALSE;
    }
    MUST(status == EXO_OK);
    memset(&own, 0, sizeof(own));
    mine.note = &own;
    mine.sleeping = plan->waiting;
    mine.random = ~plan->random;
    pair_talk(&mine, end, talk);
    return EXO_TRUE;
}

/* What the dead one had sent is there, and at most what it was about to send: a lot of one sender as a whole. */
static void judge_received(const struct note *note, exo_u64 received)
{
    MUST(received == note->done || received == note->begun);
    chaos.messages += received;
}

static void judge_end(const struct plan *plan, exo_i64 result)
{
    if (result == EXO_CLOSED) {
        MUST(plan->note->phase == PHASE_CLOSE);
        return;
    }
    MUST(result == EXO_PEER_DIED);
    hear(plan->note, exo_port_now_ns(), EXO_FALSE);
}

static void outlive_sender(const struct plan *plan, struct talk *talk, pid_t child)
{
    exo_i64 result;
    exo_i64 again;
    do {
        result = talk_recv(talk);
    } while (result > 0);
    judge_end(plan, result);
    bury(child, plan->note);
    judge_received(plan->note, talk->next);
    again = exo_wait_readable(talk->rx, EXO_FOREVER);
    MUST(again == result || (again == EXO_PEER_DIED && result == EXO_CLOSED));
    MUST(exo_recv_inline(talk->rx, NULL, 0) == again);
    MUST(talk_release(talk)); /* what was being viewed stood still */
}

static void outlive_receiver(const struct plan *plan, struct talk *talk, pid_t child)
{
    struct exo_loaned kept = {NULL, 0, 0, 0, 0};
    exo_bool keeps = plan->random % 2 == 0 && exo_loan(talk->tx, 100, &kept) == EXO_OK;
    exo_i64 result;
    do {
        result = talk_send(talk);
    } while (result > 0);
    judge_end(plan, result);
    bury(child, plan->note);
    MUST(plan->note->done <= own.begun); /* nothing came that was not sent */
    chaos.messages += plan->note->done;
    MUST(!keeps || exo_loan_cancel(talk->tx, &kept) == EXO_OK);
    if (result == EXO_PEER_DIED) {
        MUST(exo_wait_writable(talk->tx, EXO_FOREVER) == EXO_PEER_DIED);
        MUST(exo_loans_outstanding(talk->tx) == 0);
    }
}

static void pair_kill(struct plan *plan)
{
    static struct exo_end end;
    struct talk talk;
    pid_t child;
    if (!pair_begin(plan, &end, &talk, &child)) {
        bury(child, plan->note);
    } else if (plan->sends) {
        outlive_sender(plan, &talk, child);
    } else {
        outlive_receiver(plan, &talk, child);
    }
    exo_close(&end);
}

static void set_watchdog(void)
{
    (void)alarm(WATCHDOG_S);
    if (notes == NULL) {
        notes = (struct note *)shared_page(2 * sizeof(*notes));
    }
}

static void must_hold(const struct held *before)
{
    struct held now = count_held();
    MUST(now.descriptors == before->descriptors);
    MUST(now.segments == before->segments);
}

static void pair_scene(exo_u32 kills, void (*change)(struct plan *plan, exo_u64 *random))
{
    exo_u32 until = chaos.kills + kills;
    struct held before;
    set_watchdog();
    before = count_held();
    while (chaos.kills < until) {
        exo_u64 random = seed_of_kill();
        struct plan plan;
        plan_make(&plan, notes, random_below(&random, 2) == 0, &random);
        change(&plan, &random);
        (void)alarm(WATCHDOG_S);
        pair_kill(&plan);
    }
    must_hold(&before);
}

static void change_sender(struct plan *plan, exo_u64 *random)
{
    (void)random;
    plan->sends = EXO_TRUE;
    plan->note->receiver = 0;
}

void pair_sender(exo_u32 kills)
{
    pair_scene(kills, change_sender);
}

static void change_receiver(struct plan *plan, exo_u64 *random)
{
    (void)random;
    plan->sends = EXO_FALSE;
    plan->note->receiver = 1;
}

void pair_receiver(exo_u32 kills)
{
    pair_scene(kills, change_receiver);
}

static void change_open(struct plan *plan, exo_u64 *random)
{
    plan->deed = DEED_OPEN;
    plan->delay_us = SLOW(500u);
    plan->aim_ns = SLOW(1000u * random_below(random, 400));
}

void pair_open(exo_u32 kills)
{
    pair_scene(kills, change_open);
}

static void change_close(struct plan *plan, exo_u64 *random)
{
    plan->deed = DEED_CLOSE;
    plan->messages = random_below(random, 60);
    plan->delay_us = SLOW(800u + random_below(random, 400));
    plan->aim_ns = SLOW(random_below(random, 120000));
}

void pair_close(exo_u32 kills)
{
    pair_scene(kills, change_close);
}

/* So long that nobody is about to look up by himself. */
#define LONG_SLEEP_US 540000u

/* Both sleep in the library, or the victim does while the survivor knows of nothing. */
static void outlive_sleeper(const struct plan *plan, struct talk *talk, exo_u32 how, pid_t child)
{
    exo_i64 result = EXO_PEER_DIED;
    if (how == 0) { /* both wait for a message */
        judge_end(plan, exo_wait_readable(talk->rx, EXO_FOREVER));
    } else if (how == 1) { /* both wait for room */
        while ((result = talk_send(talk)) > 0) {
        }
        judge_end(plan, result);
    }
    if (plan->delay_us == LONG_SLEEP_US) {
        times_add(&chaos.woken, passed_since(plan->note->kill_ns));
    }
    bury(child, plan->note);
    talk->next = 0;
    if (plan->deed == DEED_FILL) {
        while ((result = talk_recv(talk)) > 0) {
        }
        judge_received(plan->note, talk->next);
        MUST(talk_release(talk));
    } else {
        while ((result = talk_send(talk)) > 0) {
        }
        MUST(exo_loans_outstanding(talk->tx) == 0);
    }
    MUST(result == EXO_PEER_DIED);
}

void pair_asleep(exo_u32 kills)
{
    exo_u32 until = chaos.kills + kills;
    static struct exo_end end;
    struct held before;
    set_watchdog();
    before = count_held();
    while (chaos.kills < until) {
        exo_u64 random = seed_of_kill();
        exo_bool longer = !SANITIZED && chaos.index % 32 == 8 + chaos.index / 64 % 2; /* in either profile */
        exo_u32 how = longer ? chaos.index / 32 % 2 : random_below(&random, 4);
        struct plan plan;
        struct talk talk;
        pid_t child;
        plan_make(&plan, notes, how % 2 != 0, &random);
        plan.deed = plan.sends ? DEED_FILL : DEED_LISTEN;
        plan.delay_us = longer ? LONG_SLEEP_US : SLOW(900u + random_below(&random, 1000));
        plan.sleeping = EXO_TRUE;
        plan.waiting = EXO_TRUE;
        (void)alarm(WATCHDOG_S);
        if (pair_begin(&plan, &end, &talk, &child)) {
            outlive_sleeper(&plan, &talk, how, child);
        } else {
            bury(child, plan.note);
        }
        exo_close(&end);
    }
    must_hold(&before);
}

/* The one that outlived the other, if so, learnt of it in time. */
static void judge_news(const struct plan *first, const struct plan *second)
{
    exo_u64 news_ns = second->note->news_ns;
    if (news_ns != 0) {
        hear(first->note, news_ns, EXO_FALSE);
        if (!second->sends) {
            judge_received(first->note, second->note->done);
        }
    }
}

void pair_both(exo_u32 kills)
{
    exo_u32 until = chaos.kills + kills;
    struct held before;
    set_watchdog();
    before = count_held();
    while (chaos.kills < until) {
        exo_u64 random = seed_of_kill();
        struct plan plan[2];
        pid_t child[2];
        int sockets[2];
        exo_u32 i;
        MUST(exo_pair(sockets) == EXO_OK);
        for (i = 0; i < 2; i++) {
            plan_make(&plan[i], &notes[i], i == 0, &random);
            plan[i].both = EXO_TRUE;
            plan[i].socket = sockets[i];
            plan[i].other = sockets[1 - i];
            plan[i].config = plan[0].config; /* as near to each other as not */
        }
        plan[1].delay_us = random_below(&random, 2) == 0 ? plan[0].delay_us : plan[1].delay_us;
        (void)alarm(WATCHDOG_S);
        for (i = 0; i < 2; i++) {
            child[i] = start_child(pair_victim, &plan[i]);
        }
        MUST(close(sockets[0]) == 0 && close(sockets[1]) == 0);
        for (i = 0; i < 2; i++) {
            bury(child[i], plan[i].note);
            chaos.index -= i; /* one pair, one index */
        }
        judge_news(&plan[0], &plan[1]);
        judge_news(&plan[1], &plan[0]);
        MUST(plan[1].note->done <= plan[0].note->begun);
    }
    must_hold(&before);
}
