/* SPDX-License-Identifier: MIT */
/*
 * The Linux wing: rings between processes. Includes only. Define _GNU_SOURCE before the first include.
 *
 *   exo_pair, exo_open, exo_close     two processes, through fork or a socket
 *   exo_channel_open                  the same with a channel
 *   exo_listen, exo_accept, exo_connect   two strangers, by a name
 *   exo_fd, exo_fd_arm, exo_fd_clear  an end as one descriptor for epoll, poll, io_uring
 *   exo_bell_...                      the same for rings between threads
 *   exo_mailbox_...                   descriptors that go along with messages
 *   exo_station_open, exo_broadcast_admit, exo_subscribe   one process to many
 *   exo_pass, exo_take                hand a descriptor over
 *   exo_segment_...                   sealed shared memory
 */
#ifndef EXO_PORT_LINUX_WING_H
#define EXO_PORT_LINUX_WING_H

#include "exo_channel_fd.h"
#include "exo_bell.h"
#include "exo_broadcast.h"
#include "exo_end.h"
#include "exo_fd.h"
#include "exo_listen.h"

#endif
