// SPDX-License-Identifier: MIT
/*
 * all_links.hpp - the links (link.hpp) that were found at build time, after the queues.
 */
#ifndef EXO_BENCH_CONTESTANTS_ALL_LINKS_HPP
#define EXO_BENCH_CONTESTANTS_ALL_LINKS_HPP

#include "all.hpp"

#include "eventfd_slots.hpp"
#include "exo_link.hpp"
#include "futex_slot.hpp"
#include "pipe.hpp"
#include "posix_mq.hpp"
#include "queue_link.hpp"
#include "unix_seqpacket.hpp"
#include "unix_stream.hpp"
#include "vm_readv.hpp"

#if EXO_BENCH_HAS_ZEROMQ
#include "zeromq.hpp"
#endif
#if EXO_BENCH_HAS_NNG
#include "nng_ipc.hpp"
#endif

#endif
