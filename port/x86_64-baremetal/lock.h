/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. A holder is not interrupted, so a lock may be taken in interrupts too; who waits reads its mail
 * meanwhile, so that a holder may wait for all processors to do something (tlb.c).
 */
#ifndef BAREMETAL_LOCK_H
#define BAREMETAL_LOCK_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/cpu.h"
#include "exo_ipc/base/types.h"

/* Locks of any number, in any order of release. Interrupts are off until the last is released. */
void kernel_lock(exo_u32 *word);
void kernel_unlock(exo_u32 *word);

/* The bare lock, for callers that have turned interrupts off. */
void spin_lock(exo_u32 *word);
exo_bool spin_try(exo_u32 *word);
void spin_unlock(exo_u32 *word);

#endif
