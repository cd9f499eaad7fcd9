/* SPDX-License-Identifier: MIT */
/*
 * A port for freestanding_main.c: the freestanding one, either with its defaults, or, with
 * EXO_PORT_USE_PARKING 1, through the parking lot over a tiny kernel made of system calls.
 */
#ifndef EXO_TESTS_NOLIBC_KERNEL_H
#define EXO_TESTS_NOLIBC_KERNEL_H

#include "exo_ipc/base/types.h"

exo_u64 kernel_now_ns(void);
exo_u32 kernel_self(void);
exo_bool kernel_peer_alive(exo_uptr id);

#define EXO_PORT_SELF()           kernel_self()
#define EXO_PORT_PEER_ALIVE(peer) kernel_peer_alive((peer)->id)

#ifndef EXO_PORT_USE_PARKING
#define EXO_PORT_USE_PARKING 0
#endif
#if EXO_PORT_USE_PARKING
#define EXO_PORT_NOW_NS() kernel_now_ns()
#endif

#include "../../port/freestanding/exo_port.h"

#endif
