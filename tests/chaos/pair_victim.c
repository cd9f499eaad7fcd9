/* SPDX-License-Identifier: MIT */
/*
 * Victims of a pair.
 */
#include "pair.h"

void pair_talk(const struct plan *plan, struct exo_end *end, struct talk *talk)
{
    memset(talk, 0, sizeof(*talk));
    talk->tx = &end->tx;
    talk->rx = &end->rx;
    talk->note = plan->note;
    talk->random = plan->random;
    talk->kind = plan->kind;
    talk->sleeping = plan->sleeping;
    talk->holds = plan->holds;
}

/* Its peer lives, unless both are victims: then this one learns of the other's death, and waits for its own. */
static void ended(const struct plan *plan, exo_i64 result)
{
    MUST(plan->both && result == EXO_PEER_DIED);
    exo_store64(&plan->note->news_ns, exo_port_now_ns(), EXO_RELEASE);
    await_death();
}

static void stream(const struct plan *plan, struct talk *talk, exo_u64 most)
{
    note_phase(talk->note, plan->sends ? PHASE_SEND : PHASE_RECEIVE);
    while (talk->next < most) {
        exo_i64 result = plan->sends ? talk_send(talk) : talk_recv(talk);
        if (result <= 0) {
            ended(plan, result);
        }
    }
}

static void listen_in_vain(const struct plan *plan, struct talk *talk)
{
    exo_status status;
    exo_store64(&talk->note->since_ns, exo_port_now_ns(), EXO_RELAXED);
    note_phase(talk->note, PHASE_ASLEEP);
    status = exo_wait_readable(talk->rx, EXO_FOREVER);
    ended(plan, status);
}

void pair_victim(void *argument)
{
    const struct plan *plan = (const struct plan *)argument;
    static struct exo_end end;
    struct talk talk;
    exo_status status;
    (void)close(plan->other);
    die_at(plan->note, exo_port_now_ns() + plan->delay_us * 1000ull);
    if (plan->deed == DEED_OPEN) {
        wait_for_death(plan->note, plan->aim_ns);
    }
    note_phase(plan->note, PHASE_OPEN);
    status = exo_open(&end, plan->socket, &plan->config, EXO_FOREVER);
    if (status != EXO_OK) {
        ended(plan, status);
    }
    pair_talk(plan, &end, &talk);
    if (plan->deed == DEED_LISTEN) {
        listen_in_vain(plan, &talk);
    }
    if (plan->deed == DEED_CLOSE) {
        stream(plan, &talk, plan->messages);
        (void)talk_release(&talk);
        wait_for_death(plan->note, plan->aim_ns);
        note_phase(plan->note, PHASE_CLOSE);
        exo_close(&end);
        await_death();
    }
    stream(plan, &talk, EXO_FOREVER);
}
