// SPDX-License-Identifier: MIT
/*
 * all.hpp - the contestants that were found at build time.
 */
#ifndef EXO_BENCH_CONTESTANTS_ALL_HPP
#define EXO_BENCH_CONTESTANTS_ALL_HPP

#include "../message.hpp"
#include "../plan.hpp"

#if EXO_BENCH_HAS_BOOST
#include "boost_queue.hpp"
#include "boost_spsc.hpp"
#endif
#if EXO_BENCH_HAS_CK
#include "ck_ring.hpp"
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
#include "reader_writer_queue.hpp"
#endif
#if EXO_BENCH_HAS_CONCURRENTQUEUE
#include "concurrent_queue.hpp"
#endif
#if EXO_BENCH_HAS_DPDK
#include "dpdk_ring.hpp"
#include "dpdk_ring_many.hpp"
#endif
#if EXO_BENCH_HAS_URCU
#include "wfcqueue.hpp"
#endif
#if EXO_BENCH_HAS_EXO
#include "exo.hpp"
#include "exo_fan_in.hpp"
#endif

#endif
