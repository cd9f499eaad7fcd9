/* SPDX-License-Identifier: MIT */
/*
 * What newcomers may take of the one thread that serves all: whoever is in asks once a turn, but to come and go costs the daemon
 * several times a call, and costs who does it next to nothing. So letting people in has a share of the time, one part in
 * DOOR_SHARE; their ends take about as much again. It is time, not the daemon's part of the CPU: who is welcomed is woken, and
 * where he shares the daemon's CPU he may have it next, so what he does there counts too. What was not used is kept for a
 * crowd, up to DOOR_CROWD_NS, and no deed shuts the door for longer than DOOR_SHUT_NS: somebody else may have had the CPU.
 *
 *     earned_ns:  all that newcomers took so far is earned by then
 *     deaf_ns:    no descriptor was left: nobody is let in until then, or until a client ends
 *
 * Both in the past: open. Else shut until the later one.
 */
#include "daemon.h"

exo_bool door_open(const struct door *door, exo_u64 now_ns)
{
    return door->earned_ns <= now_ns && door->deaf_ns <= now_ns;
}

/* Newcomers took so much of the daemon's time, until now. */
void door_pay(struct door *door, exo_u64 now_ns, exo_u64 took_ns)
{
    const exo_u64 least = now_ns > DOOR_CROWD_NS ? now_ns - DOOR_CROWD_NS : 0;
    const exo_u64 earned = (door->earned_ns > least ? door->earned_ns : least) + took_ns * DOOR_SHARE;
    door->earned_ns = exo_min64(earned, now_ns + DOOR_SHUT_NS);
}

/* No descriptor is left. */
void door_deafen(struct door *door, exo_u64 now_ns)
{
    door->deaf_ns = now_ns + DOOR_SHUT_NS;
}

/* A descriptor has come back. */
void door_listen(struct door *door)
{
    door->deaf_ns = 0;
}

/* How long until it opens, in milliseconds, so that it is open afterwards. */
int door_wait_ms(const struct door *door, exo_u64 now_ns)
{
    const exo_u64 opens_ns = door->earned_ns > door->deaf_ns ? door->earned_ns : door->deaf_ns;
    return door_open(door, now_ns) ? 0 : (int)((opens_ns - now_ns + 999999u) / 1000000u);
}
