/* SPDX-License-Identifier: MIT */
/*
 * exo_ipc: all of the library that needs no particular system. Includes only.
 *
 *   a ring for threads        exo_ring_create, exo_send, exo_recv, ..._blocking
 *   without a copy            exo_loan, exo_send_loan, exo_view, exo_release
 *   lots                      exo_send_bulk, exo_send_burst, exo_recv_bulk, exo_recv_burst
 *   in place                  exo_reserve, exo_commit, exo_peek, exo_consume
 *   with headers              exo_message_send, exo_message_recv
 *   channels                  exo_channel_send, exo_channel_recv, exo_request, exo_reply
 *   of one type of C          EXO_CHANNEL_TYPE
 *   from many senders         exo_fanin_add, exo_fanin_recv
 *   asynchronous              exo_async_submit_..., exo_async_poll, exo_async_wait, exo_async_next, exo_async_cancel
 *   many at once              exo_waitable_receiver, exo_waitable_sender, exo_wait_many
 *   a queue of events         exo_notify_add, exo_notify_post, exo_notify_wait
 *   one to many               exo_broadcast_create, exo_broadcast_send, exo_broadcast_subscribe, exo_subscriber_recv
 *   pages and mappings        exo_alloc_shared_page, exo_clone_shared_page, exo_map, exo_map_shared, exo_protect, exo_unmap
 *   regions, by number, name  exo_shared_memory_init, exo_pool_create_named, exo_pool_open_named, exo_pool_attach
 *   capabilities              exo_capability_create, exo_capability_use, exo_capability_derive, exo_capability_revoke
 *   quotas                    exo_quota_charge, exo_quota_return, exo_quota_limit_set
 *   seeing what happens       exo_profiler_init, exo_profile_channel, exo_profile_counters, exo_histogram_at
 *   between processes         port/linux/exo_linux.h
 */
#ifndef EXO_IPC_H
#define EXO_IPC_H

#include "channel/async.h"
#include "channel/broadcast.h"
#include "channel/fanin.h"
#include "channel/notify.h"
#include "channel/ready.h"
#include "channel/typed.h"
#include "channel/wait.h"
#include "fusion_ring/batch.h"
#include "fusion_ring/bell.h"
#include "fusion_ring/create.h"
#include "message_transfer.h"
#include "nucleus/capability_derive.h"
#include "nucleus/quota.h"
#include "profile.h"
#include "shared_memory/mapping.h"
#include "shared_memory/pool.h"

#endif
