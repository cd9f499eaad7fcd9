/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts: subscribers are killed while another one goes on, or the sender is while this process listens. What was
 * received and what was missed add up to what was sent.
 */
#include "chaos.h"

#define VICTIMS 2u
#define HELD 3u

static struct note *notes; /* shared: of the victims, and of the one that survives */

/* What a process is told before it is born. */
struct part {
    struct exo_broadcast_config config;
    struct note *note;
    exo_u32 delay_us; /* 0: it lives */
    exo_u32 holds;
    exo_bool views;
    int socket;
    int other; /* to be closed */
};

static void begin_scene(void)
{
    (void)alarm(WATCHDOG_S);
    if (notes == NULL) {
        notes = (struct note *)shared_page((VICTIMS + 1) * sizeof(*notes));
    }
}

static exo_u64 begin_kill(struct exo_broadcast_config *config)
{
    exo_u64 random = chaos.seed ^ (exo_u64)chaos.scene << 56 ^ (exo_u64)chaos.index * 0x9E3779B97F4A7C15ull;
    (void)random_below(&random, 2);
    memset(notes, 0, (VICTIMS + 1) * sizeof(*notes));
    memset(config, 0, sizeof(*config));
    config->policy = chaos.index % 2;
    config->profile = chaos.index / 2 % 2 != 0 ? EXO_HOSTILE : EXO_CRASH_SAFE;
    config->slots = chaos.index / 4 % 2 != 0 ? 4 : 64;
    config->start = chaos.index / 8 % 2 != 0 ? NEAR_WRAP : 0;
    config->spin = 1 + random_below(&random, 100);
    config->arena_size = 8 * 512;
    config->lag_ns = EXO_FOREVER; /* the dead are known to be dead, not late */
    (void)alarm(WATCHDOG_S);
    return random;
}

static exo_size length_of(exo_u64 number)
{
    return number % 4 == 3 ? 400 : 24;
}

static void must_be(const void *data, exo_size len, exo_u64 number)
{
    exo_size i;
    MUST(len == length_of(number));
    for (i = 0; i < len / 8; i++) {
        MUST(exo_read64((const exo_u8 *)data + 8 * i) == number * 64 + i);
    }
}

static exo_status cast_next(struct exo_station *station, exo_u64 number, exo_bool loans)
{
    exo_u64 words[50];
    struct exo_loaned loan;
    exo_size len = length_of(number);
    exo_status status;
    exo_u32 i;
    for (i = 0; i < COUNT(words); i++) {
        words[i] = number * 64 + i;
    }
    if (!loans) {
        return exo_broadcast_send_blocking(&station->tx, words, len, EXO_FOREVER);
    }
    status = exo_broadcast_loan_blocking(&station->tx, len, &loan, EXO_FOREVER);
    if (status != EXO_OK) {
        return status;
    }
    memcpy(loan.data, words, len);
    return exo_broadcast_send_loan_blocking(&station->tx, &loan, EXO_FOREVER);
}

/* What one subscriber keeps. */
struct ear {
    struct exo_subscription subscription;
    struct exo_viewed held[HELD];
    exo_u64 first;
    exo_u64 received;
};

static exo_u64 missed_by(const struct ear *ear)
{
    return exo_subscriber_missed_all(&ear->subscription.sub);
}

static void hear_out(struct ear *ear, const void *data, exo_size len)
{
    exo_u64 number = exo_read64(data) / 64;
    if (ear->received == 0) {
        ear->first = number - missed_by(ear);
    }
    MUST(number == ear->first + ear->received + missed_by(ear));
    must_be(data, len, number);
    ear->received++;
}

/* Receive once, by either call; views are kept for a while. */
static exo_i64 hear_once(struct ear *ear, const struct part *part)
{
    exo_u8 buffer[400];
    struct exo_viewed *view = &ear->held[ear->received % HELD];
    exo_i64 result;
    if (!part->views) {
        result = exo_subscriber_recv_blocking(&ear->subscription.sub, buffer, sizeof(buffer), EXO_FOREVER);
        if (result >= 0) {
            hear_out(ear, buffer, (exo_size)result);
        }
        return result;
    }
    if (view->data != NULL) {
        note_phase(part->note, PHASE_VIEW);
        MUST(exo_subscriber_release(&ear->subscription.sub, view) == EXO_OK);
    }
    result = exo_subscriber_view_blocking(&ear->subscription.sub, view, EXO_FOREVER);
    if (result == EXO_OK) {
        hear_out(ear, view->data, view->len);
        if (ear->received % (part->holds + 1) == 0) {
            MUST(exo_subscriber_release(&ear->subscription.sub, view) == EXO_OK);
        }
    }
    return result;
}

/* Until the end; the answer. */
static exo_i64 hear_all(struct ear *ear, const struct part *part)
{
    exo_i64 result;
    do {
        note_phase(part->note, PHASE_RECEIVE);
        result = hear_once(ear, part);
        exo_store64(&part->note->done, ear->received + missed_by(ear), EXO_RELEASE);
    } while (result >= 0 || (result == EXO_OVERFLOW && part->config.policy == EXO_LATEST));
    return result;
}

static void ear_body(void *argument)
{
    const struct part *part = (const struct part *)argument;
    static struct ear ear;
    (void)close(part->other);
    die_at(part->note, part->delay_us == 0 ? 0 : exo_port_now_ns() + part->delay_us * 1000ull);
    note_phase(part->note, PHASE_OPEN);
    MUST(exo_subscribe(&ear.subscription, part->socket, &part->config, 0, EXO_FOREVER) == EXO_OK);
    MUST(hear_all(&ear, part) == EXO_CLOSED && part->delay_us == 0);
    exo_unsubscribe(&ear.subscription);
}

static pid_t add_ear(struct exo_station *station, struct part *part)
{
    int sockets[2];
    exo_status status;
    pid_t child;
    MUST(exo_pair(sockets) == EXO_OK);
    part->socket = sockets[1];
    part->other = sockets[0];
    child = start_child(ear_body, part);
    MUST(close(sockets[1]) == 0);
    status = exo_broadcast_admit(station, sockets[0], EXO_FOREVER);
    MUST(status == EXO_OK || (status == EXO_PEER_DIED && part->delay_us != 0));
    return child;
}

static void kill_ears(void)
{
    static struct exo_station station;
    struct part part[VICTIMS + 1];
    struct exo_broadcast_config config;
    exo_u64 random = begin_kill(&config);
    pid_t child[VICTIMS + 1];
    exo_u64 sent = 0;
    int status = 0;
    exo_u32 i;
    MUST(exo_station_open(&station, &config) == EXO_OK);
    for (i = 0; i <= VICTIMS; i++) {
        memset(&part[i], 0, sizeof(part[i]));
        part[i].config = config;
        part[i].note = &notes[i];
        part[i].note->receiver = 1;
        part[i].delay_us = i == VICTIMS ? 0 : SLOW(300u + random_below(&random, 4000));
        part[i].views = random_below(&random, 2) != 0;
        part[i].holds = random_below(&random, HELD);
        child[i] = add_ear(&station, &part[i]);
    }
    while (station.tx.count > 1) {
        exo_u64 began = exo_port_now_ns();
        MUST(cast_next(&station, sent, sent % 3 == 0) == EXO_OK);
        MUST(exo_port_now_ns() - began < KNOWN_NS || passed_since(began) < KNOWN_NS);
        if (++sent % 16 == 0) {
            MUST(exo_station_poll(&station) == EXO_OK);
        }
    }
    for (i = 0; i < 20; i++) { /* the arena is whole again but for what the survivor has */
        MUST(cast_next(&station, sent++, EXO_TRUE) == EXO_OK);
    }
    MUST(exo_broadcast_close(&station.tx) == EXO_OK);
    for (i = 0; i < VICTIMS; i++) {
        bury(child[i], &notes[i]);
        MUST(notes[i].done <= sent);
        chaos.messages += notes[i].done;
    }
    MUST(waitpid(child[VICTIMS], &status, 0) == child[VICTIMS] && status == 0);
    MUST(notes[VICTIMS].done == sent);
    chaos.messages += sent;
    exo_station_close(&station);
}

void cast_subscribers(exo_u32 kills)
{
    exo_u32 until = chaos.kills + kills;
    struct held before;
    struct held after;
    begin_scene();
    before = count_held();
    while (chaos.kills < until) {
        kill_ears();
    }
    after = count_held();
    MUST(after.descriptors == before.descriptors && after.segments == before.segments);
}

static void station_body(void *argument)
{
    const struct part *part = (const struct part *)argument;
    static struct exo_station station;
    exo_u64 sent;
    (void)close(part->other);
    die_at(part->note, exo_port_now_ns() + part->delay_us * 1000ull);
    note_phase(part->note, PHASE_OPEN);
    MUST(exo_station_open(&station, &part->config) == EXO_OK);
    MUST(exo_broadcast_admit(&station, part->socket, EXO_FOREVER) == EXO_OK);
    for (sent = 0; part->holds == 0 || sent < part->holds * 10; sent++) {
        exo_store64(&part->note->begun, sent + 1, EXO_RELEASE);
        note_phase(part->note, sent % 3 == 0 ? PHASE_LOAN : PHASE_SEND);
        MUST(cast_next(&station, sent, sent % 3 == 0) == EXO_OK);
        exo_store64(&part->note->done, sent + 1, EXO_RELEASE);
    }
    await_death();
}

static void kill_station(void)
{
    static struct ear ear;
    struct note own;
    struct part part;
    struct part mine;
    exo_u64 random;
    exo_status status;
    exo_i64 result;
    pid_t child;
    int sockets[2];
    memset(&part, 0, sizeof(part));
    memset(&ear, 0, sizeof(ear));
    memset(&own, 0, sizeof(own));
    random = begin_kill(&part.config);
    MUST(exo_pair(sockets) == EXO_OK);
    part.note = &notes[0];
    part.delay_us = SLOW(300u + random_below(&random, 3000));
    part.holds = random_below(&random, 2) != 0 ? 0 : random_below(&random, 20); /* sends so much, and then sleeps */
    part.socket = sockets[1];
    part.other = sockets[0];
    child = start_child(station_body, &part);
    MUST(close(sockets[1]) == 0);
    status = exo_subscribe(&ear.subscription, sockets[0], &part.config, 0, EXO_FOREVER);
    MUST(status == EXO_OK || status == EXO_PEER_DIED);
    mine = part;
    mine.note = &own;
    mine.views = random_below(&random, 2) != 0;
    mine.holds = random_below(&random, HELD);
    result = status == EXO_OK ? hear_all(&ear, &mine) : (exo_i64)EXO_PEER_DIED;
    MUST(result == EXO_PEER_DIED);
    hear(part.note, exo_port_now_ns(), EXO_FALSE);
    bury(child, part.note);
    if (status == EXO_OK && ear.subscription.sub.joined) {
        MUST(own.done == notes[0].done || own.done == notes[0].begun);
        chaos.messages += own.done;
    }
    exo_unsubscribe(&ear.subscription);
}

void cast_sender(exo_u32 kills)
{
    exo_u32 until = chaos.kills + kills;
    struct held before;
    struct held after;
    begin_scene();
    before = count_held();
    while (chaos.kills < until) {
        kill_station();
    }
    after = count_held();
    MUST(after.descriptors == before.descriptors && after.segments == before.segments);
}
