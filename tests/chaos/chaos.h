/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the chaos test share: notes of the dying, children that die on time, tallies, and how a
 * failure is reported.
 *
 * A victim is killed by a timer of its own that carries SIGKILL: the kernel ends it at whatever instruction it is,
 * and no killer needs a processor. What it has done it notes in a page that outlives it, before and after each step, so
 * that what was published is known up to the one step in which it died.
 */
#ifndef EXO_TESTS_CHAOS_H
#define EXO_TESTS_CHAOS_H

#include "../process/kill_fixture.h"

/* What a process is doing. */
enum phase {
    PHASE_BORN,
    PHASE_OPEN, /* opens, shakes hands, attaches */
    PHASE_SEND,
    PHASE_CLAIM, /* between claim and publication */
    PHASE_LOAN,  /* holds loans */
    PHASE_RECEIVE,
    PHASE_VIEW,   /* holds views */
    PHASE_ASLEEP, /* waits for its peer */
    PHASE_CLOSE,
    PHASES
};

/* The notes of one process. It alone writes them; others read them after its death, but for kill_ns and
 * phase. */
struct note {
    exo_word64 begun;    /* sender: messages it has begun to send */
    exo_word64 done;     /* messages it has sent or received */
    exo_word64 kill_ns;  /* when it is killed; 0: not known yet, or never */
    exo_word64 since_ns; /* asleep since then */
    exo_word64 claimed;  /* PHASE_CLAIM: at this position */
    exo_word64 news_ns;  /* when it learnt of its peer's death; 0: not */
    exo_u32 phase;
    exo_u32 place; /* among the producers of a crowd */
    exo_u32 generation;
    exo_u32 receiver; /* 1: it receives */
} EXO_ALIGNED(64);

/* Times from a death to its news, or to what it held up, in microseconds, but for what the machine was late. */
struct times {
    exo_u32 count;
    exo_u32 most;
    exo_u32 bucket[4096]; /* eighths of powers of two */
};

struct chaos {
    exo_u64 seed;
    exo_u32 scene;
    exo_u32 index; /* of the kill in its scene */
    exo_u32 kills;
    exo_u32 senders;
    exo_u32 receivers;
    exo_u32 asleep;
    exo_u32 at[PHASES];
    exo_u32 again;        /* attached after a first refusal */
    exo_u64 messages;     /* checked */
    struct times news[2]; /* of a peer's death: in pairs, in crowds */
    struct times woken;   /* the same, after a long sleep */
    struct times delay;   /* of what stood behind a dead claim */
};

extern struct chaos chaos;

/* Says what was expected, and where, and ends this process; a child's end ends the whole. */
void chaos_fail(const char *file, int line, const char *what);

#define MUST(condition) ((condition) ? (void)0 : chaos_fail(__FILE__, __LINE__, #condition))

/* What a death is followed by within that time, but for what the machine was late. */
#define KNOWN_NS ((DEATH_KNOWN_MS + DEATH_SLACK_MS) * MILLISECOND_NS)

/* Sanitized processes take this much longer to be born and to die. */
#define SLOW(microseconds) (SANITIZED ? 12u * (microseconds) : (microseconds))

void times_add(struct times *times, exo_u64 nanoseconds);
exo_u32 times_median(const struct times *times);

/* In a child: be killed then. A time of 0 is never. */
void die_at(struct note *note, exo_u64 kill_ns);
/* In a child: wait until that long before its death. */
void wait_for_death(const struct note *note, exo_u32 before_ns);
/* In a child: nothing is left to do but to be killed. */
void await_death(void);

/* A child died: it was killed on time. Enters it in the tallies. */
void mourn(const struct note *note, int status);
/* Wait for a child to die, and mourn it. */
void bury(pid_t child, const struct note *note);
/* News came now of the death of whoever wrote the note. */
void hear(const struct note *note, exo_u64 now_ns, exo_bool in_crowd);

EXO_INLINE void note_phase(struct note *note, enum phase phase)
{
    exo_store32(&note->phase, (exo_u32)phase, EXO_RELAXED);
}

/* A scene: kills `kills` victims or a few more. */
void pair_sender(exo_u32 kills);
void pair_receiver(exo_u32 kills);
void pair_open(exo_u32 kills);
void pair_asleep(exo_u32 kills);
void pair_close(exo_u32 kills);
void pair_both(exo_u32 kills);
void crowd_senders(exo_u32 kills);
void crowd_receiver(exo_u32 kills);
void crowd_views(exo_u32 kills);
void crowd_all(exo_u32 kills);
void channel_client(exo_u32 kills);
void channel_server(exo_u32 kills);
void cast_subscribers(exo_u32 kills);
void cast_sender(exo_u32 kills);

#endif
