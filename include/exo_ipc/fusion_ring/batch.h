/* SPDX-License-Identifier: MIT */
/*
 * Lots: exo_send_bulk, exo_send_burst, exo_recv_bulk, exo_recv_burst.
 */
#ifndef EXO_IPC_FUSION_RING_BATCH_H
#define EXO_IPC_FUSION_RING_BATCH_H

#include "batch_recv.h"
#include "batch_send.h"

#endif
