// SPDX-License-Identifier: MIT
/*
 * dpdk_ring_many.hpp - DPDK's rte_ring for many producers and consumers, in its three ways of keeping them
 * in order: MT (the default: each waits for those who came before it), RTS (the last of those under way moves
 * the tail for all) and HTS (one at a time moves head and tail together).
 *
 * Of the three only HTS has the zero-copy calls; it uses them for what is larger than 8 bytes, as the single
 * ring does. The others copy 64 bytes as sixteen 32-bit words, which is all that the element calls offer.
 */
#ifndef EXO_BENCH_CONTESTANTS_DPDK_RING_MANY_HPP
#define EXO_BENCH_CONTESTANTS_DPDK_RING_MANY_HPP

#include "dpdk_ring.hpp"

namespace bench {

template <class Msg> struct DpdkMt : DpdkMemory {
    static constexpr const char *name = "dpdk-mt";
    using Producer = DirectProducer<DpdkMt>;
    using Consumer = DirectConsumer<DpdkMt>;

    explicit DpdkMt(std::size_t slots) : DpdkMemory(slots, sizeof(Msg), RTE_RING_SYNC_MT)
    {
    }
    bool push(const Msg &m)
    {
        return rte_ring_mp_enqueue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
    }
    bool pop(Msg &m)
    {
        return rte_ring_mc_dequeue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
    }
};

template <class Msg> struct DpdkRts : DpdkMemory {
    static constexpr const char *name = "dpdk-rts";
    using Producer = DirectProducer<DpdkRts>;
    using Consumer = DirectConsumer<DpdkRts>;

    explicit DpdkRts(std::size_t slots) : DpdkMemory(slots, sizeof(Msg), RTE_RING_SYNC_MT_RTS)
    {
    }
    bool push(const Msg &m)
    {
        return rte_ring_mp_rts_enqueue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
    }
    bool pop(Msg &m)
    {
        return rte_ring_mc_rts_dequeue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
    }
};

template <class Msg> struct DpdkHts : DpdkMemory {
    static constexpr const char *name = "dpdk-hts";
    using Producer = DirectProducer<DpdkHts>;
    using Consumer = DirectConsumer<DpdkHts>;

    explicit DpdkHts(std::size_t slots) : DpdkMemory(slots, sizeof(Msg), RTE_RING_SYNC_MT_HTS)
    {
    }
    bool push(const Msg &m)
    {
        if constexpr (sizeof(Msg) == 8)
            return rte_ring_mp_hts_enqueue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
        rte_ring_zc_data at;
        if (rte_ring_enqueue_zc_bulk_elem_start(ring, sizeof m, 1, &at, nullptr) == 0)
            return false;
        new (at.ptr1) Msg(m);
        rte_ring_enqueue_zc_finish(ring, 1);
        return true;
    }
    bool pop(Msg &m)
    {
        if constexpr (sizeof(Msg) == 8)
            return rte_ring_mc_hts_dequeue_bulk_elem(ring, &m, sizeof m, 1, nullptr) == 1;
        rte_ring_zc_data at;
        if (rte_ring_dequeue_zc_bulk_elem_start(ring, sizeof m, 1, &at, nullptr) == 0)
            return false;
        m = *static_cast<const Msg *>(at.ptr1);
        rte_ring_dequeue_zc_finish(ring, 1);
        return true;
    }
};

} // namespace bench

#endif
