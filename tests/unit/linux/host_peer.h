/* SPDX-License-Identifier: MIT */
/*
 * Peers that have died, as Linux knows them; tests/baremetal/hosted has the same for the kernel there.
 */
#ifndef HOST_PEER_H
#define HOST_PEER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>

#include "exo_linux.h"

EXO_INLINE void peer_is_dead(struct exo_port_peer *peer)
{
    memset(peer, 0, sizeof(*peer));
    peer->dead = EXO_TRUE;
}

/* Who receives at this end finds the other one dead. */
EXO_INLINE void end_finds_peer_dead(struct exo_channel_end *end)
{
    end->link.rx_peer.dead = EXO_TRUE;
}

#endif
