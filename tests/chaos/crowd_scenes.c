/* SPDX-License-Identifier: MIT */
/*
 * The scenes of crowds. This process receives, or sends, or only looks after the others.
 */
#include "crowd.h"

#define MANY 4096u

static struct crowd crowd;
static struct taker taker;
static struct producer producer;

/* When the receiver came past which position: what a dead claim held up is read off it. */
static struct {
    exo_u64 pos[MANY];
    exo_u64 ns[MANY];
    exo_u32 count;
} passed;

/* Claims of the dead that the receiver has perhaps not come past yet. */
static struct {
    exo_u64 pos[64];
    exo_u64 kill_ns[64];
    exo_u32 count;
} orphans;

static void note_passage(void)
{
    passed.pos[passed.count % MANY] = taker.rx.pos;
    passed.ns[passed.count % MANY] = exo_port_now_ns();
    passed.count++;
}

/* How long the first message behind a dead claim came later than the death, and than the message before it. A claim
 * whose very position was received had been published; such are not counted. */
static exo_bool measure(exo_u64 pos, exo_u64 kill_ns)
{
    exo_u32 i = passed.count > MANY ? passed.count - MANY + 1 : 1;
    for (; i < passed.count; i++) {
        exo_u64 before_ns = passed.ns[(i - 1) % MANY];
        if (passed.pos[i % MANY] == pos + 1) {
            return EXO_TRUE;
        }
        if ((exo_i64)(passed.pos[i % MANY] - pos) > 1) {
            if ((exo_i64)(passed.pos[(i - 1) % MANY] - pos) <= 0 && passed.ns[i % MANY] > kill_ns) {
                times_add(&chaos.delay, passed_between(before_ns > kill_ns ? before_ns : kill_ns, passed.ns[i % MANY]));
            }
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

static void look_after_orphans(void)
{
    exo_u32 i = 0;
    while (i < orphans.count) {
        if (measure(orphans.pos[i], orphans.kill_ns[i])) {
            orphans.count--;
            orphans.pos[i] = orphans.pos[orphans.count];
            orphans.kill_ns[i] = orphans.kill_ns[orphans.count];
        } else {
            i++;
        }
    }
}

/* One step of this process as receiver. Somebody lives and sends, so something comes. */
static exo_i64 receive(exo_bool all_live)
{
    static exo_u64 last_ns;
    exo_i64 got = taker_step(&taker);
    if (got > 0 || last_ns == 0 || passed.count == 0) {
        last_ns = exo_port_now_ns();
    }
    if (got > 0) {
        note_passage();
    } else if (all_live) {
        MUST(got == EXO_EMPTY);
        /* a dead claim holds nobody up for longer */
        MUST(exo_port_now_ns() - last_ns < KNOWN_NS || passed_since(last_ns) < KNOWN_NS);
    }
    return got;
}

/* Replace a dead producer; note what it had claimed. */
static void replace_producer(exo_bool mortal)
{
    exo_u32 place = crowd_reap(&crowd, EXO_FALSE);
    const struct note *note;
    if (place > PLACES) {
        return;
    }
    note = &crowd.board->life[crowd.life[place]];
    if (note->phase == PHASE_CLAIM && orphans.count < COUNT(orphans.pos)) {
        orphans.pos[orphans.count] = note->claimed;
        orphans.kill_ns[orphans.count++] = note->kill_ns;
    }
    if (crowd.board->stop == 0) {
        (void)crowd_bear(&crowd, place, mortal);
    }
}

static exo_bool any_child(void)
{
    exo_u32 place;
    for (place = 0; place <= PLACES; place++) {
        if (crowd.child[place] != 0) {
            return EXO_TRUE;
        }
    }
    return EXO_FALSE;
}

/* All producers are killed at once: the receiver learns of it, after the last message. */
static void lose_all_producers(void)
{
    exo_u64 now = exo_port_now_ns();
    const struct note *last = NULL;
    exo_u32 place;
    exo_i64 got;
    for (place = 0; place < PLACES; place++) {
        struct note *note = &crowd.board->life[crowd.life[place]];
        if (note->kill_ns == 0 || note->kill_ns > now) {
            exo_store64(&note->kill_ns, now, EXO_RELEASE);
            last = note;
        }
        MUST(kill(crowd.child[place], SIGKILL) == 0);
    }
    do {
        got = receive(EXO_FALSE);
    } while (got > 0 || got == EXO_EMPTY);
    MUST(got == EXO_PEER_DIED);
    if (last != NULL) {
        hear(last, exo_port_now_ns(), EXO_TRUE);
    }
    while (any_child()) {
        (void)crowd_reap(&crowd, EXO_TRUE);
    }
}

/* All producers end in order, or are killed before they do. */
static void stop_all_producers(void)
{
    exo_i64 got;
    exo_store32(&crowd.board->stop, 1, EXO_RELEASE);
    while (any_child()) {
        (void)receive(EXO_FALSE);
        replace_producer(EXO_FALSE);
    }
    do {
        got = receive(EXO_FALSE);
    } while (got > 0 || got == EXO_EMPTY);
}

void crowd_senders(exo_u32 kills)
{
    struct held before = count_held();
    exo_u32 turn = 0;
    crowd_begin(&crowd, EXO_FALSE);
    taker_attach(&taker, &crowd, &crowd.board->life[0]);
    taker.hurried = EXO_TRUE;
    passed.count = 0;
    orphans.count = 0;
    crowd_populate(&crowd);
    while (crowd.killed < kills) {
        exo_i64 got = receive(EXO_TRUE);
        if (got == EXO_EMPTY || ++turn % 64 == 0) {
            replace_producer(EXO_TRUE);
            look_after_orphans();
        }
        if (turn % 1024 == 5) {
            turn++;
            sleep_us(random_below(&crowd.random, 1500)); /* meanwhile the ring is full, and they sleep */
        }
    }
    if (random_below(&crowd.random, 2) == 0) {
        lose_all_producers();
    } else {
        stop_all_producers();
    }
    look_after_orphans();
    MUST(exo_receiver_close(&taker.rx) == EXO_OK);
    crowd_end(&crowd);
    MUST(count_held().descriptors == before.descriptors);
}

/* This process, a producer, learns that the receiver is dead. */
static void hear_of_receiver(void)
{
    exo_word64 words[WORDS];
    const struct note *note = &crowd.board->life[crowd.life[RECEIVER]];
    exo_status status;
    do {
        words[0] = (exo_u64)producer.note->place << 32 | producer.life;
        words[1] = producer.sent;
        stream_fill(words + 2, words[1] * LIVES + producer.life, WORDS - 2);
        producer.note->begun = producer.sent + 1;
        status = exo_send_blocking(&producer.tx, words, sizeof(words), EXO_FOREVER);
        if (status == EXO_OK) {
            producer.note->done = ++producer.sent;
        }
    } while (status == EXO_OK);
    MUST(status == EXO_PEER_DIED);
    hear(note, exo_port_now_ns(), EXO_TRUE);
}

/* Until all have ended, a receiver that is not killed takes what is left. */
static void finish(void)
{
    exo_store32(&crowd.board->stop, 1, EXO_RELEASE);
    while (any_child()) {
        exo_u32 place = crowd_reap(&crowd, EXO_TRUE);
        const struct note *note = &crowd.board->life[crowd.life[place]];
        if (place == RECEIVER && note->phase != PHASE_CLOSE) {
            (void)crowd_bear(&crowd, RECEIVER, EXO_FALSE);
        }
    }
}

#define HEIR_NS (100 * MILLISECOND_NS) /* to be born and to die, at most */

static void send_to_the_mortal(exo_u32 kills)
{
    exo_u32 turn = 0;
    exo_bool attached = EXO_FALSE;
    exo_u64 last = 0;
    exo_u64 last_ns = exo_port_now_ns();
    exo_u32 heirs = 0; /* since then: where others want the processors, one may be killed before it has had any */
    while (crowd.killed < kills) {
        producer_step(&producer);
        if (producer.sent != last) {
            last = producer.sent;
            last_ns = exo_port_now_ns();
            heirs = 0;
        }
        /* the next receiver takes over */
        MUST(exo_port_now_ns() - last_ns < 2 * KNOWN_NS || passed_since(last_ns) < 2 * KNOWN_NS + heirs * HEIR_NS);
        if (++turn % 16 == 0 && crowd_reap(&crowd, EXO_FALSE) == RECEIVER) {
            const struct note *dead = &crowd.board->life[crowd.life[RECEIVER]];
            attached = attached || dead->phase > PHASE_OPEN; /* a place that nobody ever held is not a dead one's */
            if (attached && !crowd.messages && random_below(&crowd.random, 10) == 0) {
                hear_of_receiver();
            }
            (void)crowd_bear(&crowd, RECEIVER, EXO_TRUE);
            heirs++;
        }
    }
}

static void crowd_receivers(exo_u32 kills, exo_bool views)
{
    struct held before = count_held();
    crowd_begin(&crowd, views);
    crowd.bereft = EXO_TRUE;
    crowd.board->life[crowd.lives].place = 0;
    crowd.life[0] = crowd.lives++;
    producer_attach(&producer, &crowd, crowd.life[0]);
    (void)crowd_bear(&crowd, 1, EXO_FALSE);
    (void)crowd_bear(&crowd, RECEIVER, EXO_TRUE);
    send_to_the_mortal(kills);
    MUST(exo_sender_close(&producer.tx) == EXO_OK);
    finish();
    MUST(exo_loans_outstanding(&producer.tx) == 0); /* what the dead were viewing came back */
    crowd_end(&crowd);
    MUST(count_held().descriptors == before.descriptors);
}

void crowd_receiver(exo_u32 kills)
{
    crowd_receivers(kills, EXO_FALSE);
}

void crowd_views(exo_u32 kills)
{
    crowd_receivers(kills, EXO_TRUE);
}

void crowd_all(exo_u32 kills)
{
    struct held before = count_held();
    exo_u32 place;
    crowd_begin(&crowd, EXO_FALSE);
    crowd.bereft = EXO_TRUE;
    crowd_populate(&crowd);
    (void)crowd_bear(&crowd, RECEIVER, EXO_TRUE);
    while (crowd.killed < kills) {
        place = crowd_reap(&crowd, EXO_TRUE);
        (void)crowd_bear(&crowd, place, EXO_TRUE);
    }
    finish();
    crowd_end(&crowd);
    MUST(count_held().descriptors == before.descriptors);
}
