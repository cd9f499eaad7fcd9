/* SPDX-License-Identifier: MIT */
/*
 * Sleeping and waking, both halves, for either direction of a ring.
 *
 *   sleeper                                   waker
 *   S1 read event                             W1 publish (a slot, a position, a released block)
 *   S2 announce in waiters                    W2 light fence
 *   S3 heavy fence                            W3 look at waiters: nobody? done
 *   S4 look again: anything there? done       W4 change event
 *   S5 sleep while event is unchanged         W5 wake
 *
 * W1/W3 against S2/S4 is the store-load race. The heavy fence of S3 makes every other thread pass a full
 * fence where it stands, so W2 need only hold the compiler. Where heavy fences are not to be had on both
 * sides (`fenced`), or where the sleeper asks for it (EXO_WAIT_FENCE), W2 is a full fence, and so is S3.
 * A sleeper that sleeps often asks for it, since that costs less than its heavy fence each time.
 *
 * Who waits for many things does S1 and S2 for each, S3 once, S4 for each, and sleeps on all events (channel/wait.h):
 * for each of them alone the steps come in this order.
 *
 * A waker that saw S2 is never late: it changes event after S1 read it, and S5 does not sleep. For that S1 must stay in
 * front of S2; a machine that lets a store overtake a load in front of it is held by acquire and release on event.
 *
 * With one sleeper, or where sleepers may be killed, each announcement is a new value; the waker wakes all
 * once per value and remembers it. With several sleepers among threads the word counts them; the waker
 * wakes as many as it has news for. A dead sleeper therefore costs at most one system call.
 *
 * One piece of news may be many: where several publish (several producers, or consumers that give slots back), or
 * one out of order (exo_commit), whoever closes the gap makes all behind it available as well. Those who had
 * published them saw nobody asleep, perhaps, so the one who closes it wakes all.
 *
 * Not every sleeper can use every piece of news: a sender that waits for a block of its own arena can use neither
 * a slot nor another sender's block, and to wake it alone would let the one who can sleep on. Where sleepers are
 * counted it therefore sets EXO_WAIT_ASLEEP, and from then on the waker wakes all.
 *
 * A sleeper that is alone on its side may sleep elsewhere, on a bell of its own (bell.h): it announces itself with
 * EXO_WAIT_BELL, and W5 rings instead. Everything else is as above.
 *
 * A hostile peer can write nonsense into its waiters and event words: the cost is useless system calls of
 * this side and useless turns of its own wait loop, never a missed message of somebody else.
 */
#ifndef EXO_IPC_FUSION_RING_WAKE_H
#define EXO_IPC_FUSION_RING_WAKE_H

#include "layout.h"
#include "probe.h"

/* The waker's half, in the handle of the side that publishes. */
struct exo_waker {
    const exo_u32 *waiters; /* of the other side */
    exo_u32 seen;           /* a value of it that needs no further look */
    exo_u32 woken;          /* the last announcement that was answered */
    exo_u32 *event;         /* of this side */
    exo_bool fenced;
    exo_bool counted;
    exo_bool several; /* wakers: what is published here may make more available than itself */
    exo_bool shared;
    struct exo_port_bell *bell; /* how to reach a sleeper that sleeps elsewhere; null: not at all */
    struct exo_profiler *profiler; /* where this side counts; null: nowhere */
};

/* The sleeper's half, in the handle of the side that waits. */
struct exo_sleeper {
    exo_u32 *waiters;     /* of this side */
    const exo_u32 *event; /* of the other side */
    exo_u32 spin;
    exo_u32 parked; /* consecutive waits that had to sleep */
    exo_bool fenced;
    exo_bool counted;
    exo_bool shared;
    exo_bool alone;    /* nobody else writes waiters on this side */
    exo_bool picky;    /* has waited for what only it can use */
    exo_u32 slice_ns;  /* look again so often; 0: sleep on */
    exo_u32 doubt_ns;  /* look again after this, then after twice as long each time; 0: the heavy fence is sure */
    exo_bool asks;     /* EXO_WAIT_FENCE stands in waiters since the last heavy fence */
    exo_u32 bell;      /* EXO_WAIT_BELL while announcing for a sleep elsewhere, else 0 */
    exo_bool asked;    /* it stood there in this announcement already: the wakers fence, but for one that missed it */
};

/* A sleeper in doubt of its heavy fence that has asked the wakers to fence looks again after 2^6 times as long: a timer
 * that is due soon costs a sleeping processor microseconds. */
#define EXO_DOUBT_ASKED 6u

/* Sleep this often in a row before the other side is asked to fence. */
#define EXO_PARKED_OFTEN 4u

/* W2 with a full fence where needed, unless *fenced says that one was made since W1; W3. Returns the value of waiters. */
EXO_HOT exo_u32 exo_waker_look_pvt(struct exo_waker *waker, exo_bool *fenced)
{
    exo_u32 waiters = exo_load32(waker->waiters, EXO_RELAXED); /* relaxed: decides whom to wake, no more */
    if (waker->fenced || (waiters & EXO_WAIT_FENCE) != 0) {
        if (!*fenced) {
            /* [wake:w2] pairs [wake:s3] */
            exo_fence_seq();
        }
        *fenced = EXO_TRUE;
        waiters = exo_load32(waker->waiters, EXO_RELAXED); /* relaxed: the fences see to it */
    } else {
        waker->seen = waiters;
    }
    return waiters;
}

/* W4, W5. */
EXO_HOT void exo_event_change_pvt(exo_u32 *event, exo_u32 count, exo_bool shared)
{
    /* [wake:news] pairs [wake:s1] */
    (void)exo_fetch_add32(event, 1u, EXO_RELEASE);
    exo_port_wake(event, count, shared);
}

/* W2 with a full fence where needed, W3 to W5. Returns the value of waiters. */
EXO_OUTLINE exo_u32 exo_waker_wake_pvt(struct exo_waker *waker, exo_u32 count)
{
    exo_bool fenced = EXO_FALSE;
    exo_u32 waiters = exo_waker_look_pvt(waker, &fenced);
    if (waker->counted) {
        if (waiters / EXO_WAIT_STEP == 0) {
            return waiters;
        }
        waker->seen = ~waiters;
        count = (waiters & EXO_WAIT_ASLEEP) != 0 || waker->several ? 0xFFFFFFFFu : count;
    } else {
        if ((waiters & EXO_WAIT_ASLEEP) == 0 || waiters == waker->woken) {
            return waiters;
        }
        waker->woken = waiters;
        count = 0xFFFFFFFFu;
    }
    exo_probe_woke_pvt(waker->profiler);
    if ((waiters & EXO_WAIT_BELL) != 0 && waker->bell != EXO_NULL) {
        exo_event_change_pvt(waker->event, 0, waker->shared);
        exo_port_ring_bell(waker->bell);
        return waiters;
    }
    exo_event_change_pvt(waker->event, count, waker->shared);
    return waiters;
}

/* W2, W3: whether nothing has changed since the last look. */
EXO_HOT exo_bool exo_waker_quiet_pvt(const struct exo_waker *waker)
{
    /* [wake:w2_light] pairs [wake:s3_heavy] */
    exo_fence_compiler();
    /* relaxed: the fences see to it */
    return exo_load32(waker->waiters, EXO_RELAXED) == waker->seen;
}

/* W2 to W5. Returns 0 when nothing has changed since the last look, else the value of waiters after
 * whoever slept has been woken. */
EXO_HOT exo_u32 exo_waker_notify_pvt(struct exo_waker *waker, exo_u32 count)
{
    return EXO_LIKELY(exo_waker_quiet_pvt(waker)) ? 0 : exo_waker_wake_pvt(waker, count);
}

/* S2 of a sleeper whose word nobody else writes. */
EXO_INLINE void exo_sleeper_announce_alone_pvt(struct exo_sleeper *sleeper, exo_u32 ask)
{
    exo_u32 waiters = exo_load32(sleeper->waiters, EXO_RELAXED); /* relaxed: only we write it */
    exo_u32 number = (waiters & ~(EXO_WAIT_STEP - 1)) + EXO_WAIT_STEP;
    waiters = (waiters & EXO_WAIT_CLOSED) | EXO_WAIT_ASLEEP | ask | sleeper->bell | number;
    exo_store32(sleeper->waiters, waiters, EXO_RELAXED); /* relaxed: S3 follows */
}

/* S1 and S2. Returns what S1 read; exo_sleeper_fence_pvt() must follow. */
EXO_INLINE exo_u32 exo_sleeper_say_pvt(struct exo_sleeper *sleeper)
{
    /* [wake:s1] pairs [wake:news] */
    exo_u32 event = exo_load32(sleeper->event, EXO_ACQUIRE);
    exo_u32 ask = sleeper->alone && sleeper->parked >= EXO_PARKED_OFTEN ? EXO_WAIT_FENCE : 0;
    if (sleeper->counted) {
        if (sleeper->picky) {
            (void)exo_fetch_or32(sleeper->waiters, EXO_WAIT_ASLEEP, EXO_RELAXED); /* relaxed: S3 follows */
        }
        (void)exo_fetch_add32(sleeper->waiters, EXO_WAIT_STEP, EXO_RELAXED); /* relaxed: S3 follows */
    } else if (sleeper->alone) {
        exo_sleeper_announce_alone_pvt(sleeper, ask);
    } else {
        (void)exo_fetch_or32(sleeper->waiters, EXO_WAIT_ASLEEP, EXO_RELAXED); /* relaxed: S3 follows */
        (void)exo_fetch_add32(sleeper->waiters, EXO_WAIT_STEP, EXO_RELAXED); /* relaxed: S3 follows */
    }
    sleeper->asked = ask != 0 && sleeper->asks;
    sleeper->asks = ask != 0;
    return event;
}

/* Whether S3 of this announcement must be heavy: the wakers hold only their compilers. */
EXO_HOT exo_bool exo_sleeper_heavy_pvt(const struct exo_sleeper *sleeper)
{
    return !sleeper->fenced && !sleeper->asked;
}

/* S3. One fence does for all announcements in front of it: heavy if one of them must be, and of other processes'
 * threads as well if one of them is for those. */
EXO_INLINE void exo_sleeper_fence_pvt(exo_bool heavy, exo_bool shared)
{
    if (heavy) {
        /* [wake:s3_heavy] pairs [wake:w2_light] */
        exo_port_fence_heavy(shared);
    } else {
        /* [wake:s3] pairs [wake:w2] */
        exo_fence_seq();
    }
}

/* S1 to S3. Returns what S1 read. */
EXO_INLINE exo_u32 exo_sleeper_announce_pvt(struct exo_sleeper *sleeper)
{
    exo_u32 event = exo_sleeper_say_pvt(sleeper);
    exo_sleeper_fence_pvt(exo_sleeper_heavy_pvt(sleeper), sleeper->shared);
    return event;
}

/* Takes the announcement back. */
EXO_INLINE void exo_sleeper_withdraw_pvt(struct exo_sleeper *sleeper)
{
    if (sleeper->counted) {
        /* relaxed: a late look costs one useless wake */
        (void)exo_fetch_add32(sleeper->waiters, 0u - EXO_WAIT_STEP, EXO_RELAXED);
    } else if (sleeper->alone) {
        exo_u32 waiters = exo_load32(sleeper->waiters, EXO_RELAXED); /* relaxed: only we write it */
        exo_store32(sleeper->waiters, waiters & ~EXO_WAIT_ASLEEP, EXO_RELAXED); /* relaxed: as above */
    }
}

/* The caller found what it wanted without sleeping, or had to sleep: adapts EXO_WAIT_FENCE. */
EXO_INLINE void exo_sleeper_adapt_pvt(struct exo_sleeper *sleeper, exo_bool slept)
{
    if (slept) {
        sleeper->parked += sleeper->parked < 2 * EXO_PARKED_OFTEN;
    } else if (sleeper->parked != 0) {
        sleeper->parked--;
        if (sleeper->parked == 0 && sleeper->asks) {
            exo_u32 waiters = exo_load32(sleeper->waiters, EXO_RELAXED); /* relaxed: only we write it */
            exo_store32(sleeper->waiters, waiters & ~EXO_WAIT_FENCE, EXO_RELAXED); /* relaxed: a hint */
            sleeper->asks = EXO_FALSE;
        }
    }
}

#endif
