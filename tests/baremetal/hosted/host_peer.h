/* SPDX-License-Identifier: MIT */
/*
 * Peers that have died: processes that there never were.
 */
#ifndef HOST_PEER_H
#define HOST_PEER_H

#include "exo_linux.h"

#define NO_PROCESS ((exo_u64)0xFFFFFFFF)

EXO_INLINE void peer_is_dead(struct exo_port_peer *peer)
{
    peer->process = NO_PROCESS;
}

/* Who receives at this end finds the other one dead. */
EXO_INLINE void end_finds_peer_dead(struct exo_channel_end *end)
{
    static struct exo_port_peer dead = {NO_PROCESS};
    exo_u32 lane;
    for (lane = 0; lane < EXO_LANES_CHANNEL; lane++) {
        end->channel.rx[lane].peer = &dead;
    }
}

#endif
