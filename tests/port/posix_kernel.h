/* SPDX-License-Identifier: MIT */
/*
 * A port for parking_main.c: the freestanding one, waiting through the parking lot, over a tiny kernel
 * that POSIX threads pretend to be.
 */
#ifndef EXO_TESTS_POSIX_KERNEL_H
#define EXO_TESTS_POSIX_KERNEL_H

#include "exo_ipc/base/types.h"

exo_u64 posix_kernel_now_ns(void);
exo_u32 posix_kernel_self(void);
void posix_kernel_yield(void);
exo_bool posix_kernel_peer_alive(exo_uptr id);

#define EXO_PORT_NOW_NS()         posix_kernel_now_ns()
#define EXO_PORT_SELF()           posix_kernel_self()
#define EXO_PORT_YIELD()          posix_kernel_yield()
#define EXO_PORT_PEER_ALIVE(peer) posix_kernel_peer_alive((peer)->id)
#define EXO_PORT_USE_PARKING      1

#include "../../port/freestanding/exo_port.h"

#endif
