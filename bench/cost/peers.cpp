// SPDX-License-Identifier: MIT
/*
 * peers.cpp - push and pop of the peers, in the same loop and with the same messages, and a locked
 * read-modify-write as a yardstick.
 */
#include "../contestants/all.hpp"
#include "operations.hpp"

#include <atomic>

namespace bench {

template <class Q> struct PeerEnds {
    explicit PeerEnds(std::size_t slots) : queue(slots), producer(queue), consumer(queue)
    {
    }
    Q queue;
    typename Q::Producer producer;
    typename Q::Consumer consumer;
};

template <class Q, class Msg> static void add(Operations &list)
{
    list.push_back(operation<PeerEnds<Q>>("peer-" + std::to_string(8 * Msg::words) + "/" + Q::name,
                                          1, queue_slots, [](PeerEnds<Q> &ends, std::uint64_t seq) {
                                              Msg out, in;
                                              out.fill(seq);
                                              if (!ends.producer.push(out) ||
                                                  !ends.consumer.pop(in))
                                                  return std::uint64_t{1};
                                              return in.mismatch(seq);
                                          }));
}

template <class Q, class Msg> static void add_bulk(Operations &list)
{
    constexpr unsigned n = 32;
    list.push_back(operation<PeerEnds<Q>>(
        "peer-batch-" + std::to_string(8 * Msg::words) + "/" + Q::name + "/032", n, queue_slots,
        [](PeerEnds<Q> &ends, std::uint64_t seq) {
            Msg out[n], in[n];
            for (unsigned i = 0; i < n; i++)
                out[i].fill(seq + i);
            if (ends.producer.push_bulk(out, n) != n || ends.consumer.pop_bulk(in, n) != n)
                return std::uint64_t{1};
            std::uint64_t bad = 0;
            for (unsigned i = 0; i < n; i++)
                bad |= in[i].mismatch(seq + i);
            return bad;
        }));
}

template <class Msg> static void add_all(Operations &list)
{
    (void)list;
#if EXO_BENCH_HAS_BOOST
    add<BoostSpsc<Msg>, Msg>(list);
    add_bulk<BoostSpsc<Msg>, Msg>(list);
    add<BoostQueue<Msg>, Msg>(list);
#endif
#if EXO_BENCH_HAS_CK
    add<CkSpsc<Msg>, Msg>(list);
    add<CkSpscReserve<Msg>, Msg>(list);
    add<CkMpmc<Msg>, Msg>(list);
#endif
#if EXO_BENCH_HAS_READERWRITERQUEUE
    add<ReaderWriterQueue<Msg>, Msg>(list);
#endif
#if EXO_BENCH_HAS_CONCURRENTQUEUE
    add<ConcurrentQueue<Msg>, Msg>(list);
#endif
#if EXO_BENCH_HAS_DPDK
    add<DpdkSpsc<Msg>, Msg>(list);
    add_bulk<DpdkSpsc<Msg>, Msg>(list);
    add<DpdkMt<Msg>, Msg>(list);
    add<DpdkRts<Msg>, Msg>(list);
    add<DpdkHts<Msg>, Msg>(list);
#endif
#if EXO_BENCH_HAS_URCU
    add<Wfcqueue<Msg>, Msg>(list);
#endif
}

struct OneWord {
    explicit OneWord(std::uint64_t start) : value(start)
    {
    }
    std::atomic<std::uint64_t> value;
};

void add_peer_operations(Operations &list)
{
    add_all<Msg8>(list);
    add_all<Line56>(list);
    list.push_back(
        operation<OneWord>("locked-rmw", 1, std::uint64_t{0}, [](OneWord &word, std::uint64_t) {
            keep(word.value.fetch_add(1));
            return std::uint64_t{0};
        }));
}

} // namespace bench
