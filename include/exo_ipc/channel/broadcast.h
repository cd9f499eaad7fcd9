/* SPDX-License-Identifier: MIT */
/*
 * Broadcast: one sender, up to 64 subscribers, each of whom sees every message at its own pace.
 *
 *   exo_broadcast_create          the sender's handle         exo_broadcast_subscribe       one more receiving handle
 *   exo_broadcast_send            any size                    exo_subscriber_recv           into a buffer
 *   exo_broadcast_loan, _send_loan   without a copy           exo_subscriber_view, _release    in place
 *   ..._blocking                  until a deadline            ..._blocking
 *   exo_broadcast_poll            with nothing to send        exo_subscriber_missed         after EXO_OVERFLOW
 *   exo_broadcast_close                                       exo_subscriber_leave
 *
 * Two policies. Reliable: the sender is held back by the slowest, which is cut off once it has held it for lag_ns; the
 * others miss nothing. Latest: the sender is never held back; a subscriber that is overtaken gets EXO_OVERFLOW and the
 * exact number that it missed. In both a message is received whole or not at all.
 *
 * One segment is the sender's, one is each subscriber's; every byte has one writer, and either side may map the other's
 * read-only. Among threads all of them lie in one piece of memory (broadcast_create.h); port/linux/exo_broadcast.h puts
 * them into processes.
 *
 *   broadcast_layout.h     what lies in shared memory; the configuration
 *   broadcast_publisher.h  the sending handle and its books
 *   broadcast_links.h      subscribers come, fall behind, and go
 *   broadcast_blocks.h     loans, and how they come back
 *   broadcast_send.h       sending, closing
 *   broadcast_recv.h       the receiving handle: which message is next, and was it whole
 *   broadcast_view.h       receiving
 *   broadcast_wait.h       blocking calls of both sides
 *   broadcast_attach.h     handles on segments
 *   broadcast_create.h     among threads
 *
 * A subscriber can spoil nothing but its own reception: its segment holds its own progress, its own releases and its
 * own pins, and each is checked against what the sender knows (a breach ends its seat). A sender can spoil nothing but
 * its own messages.
 */
#ifndef EXO_IPC_CHANNEL_BROADCAST_H
#define EXO_IPC_CHANNEL_BROADCAST_H

#include "broadcast_create.h"

#endif
