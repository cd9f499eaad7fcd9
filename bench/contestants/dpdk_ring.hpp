// SPDX-License-Identifier: MIT
/*
 * dpdk_ring.hpp - DPDK's rte_ring, single producer and consumer, elements in place, without EAL.
 *
 * rte_ring_init lives in a library that pulls in all of EAL; the ring's fields are public, and what
 * it does is set here by hand, so that nothing is linked. Elements of 8 bytes use the element
 * calls, which have a path of their own for them; larger ones the zero-copy ("peek") calls, since
 * the element calls copy 64 bytes as sixteen 32-bit words. The ring holds exactly `slots` elements
 * (RING_F_EXACT_SZ).
 */
#ifndef EXO_BENCH_CONTESTANTS_DPDK_RING_HPP
#define EXO_BENCH_CONTESTANTS_DPDK_RING_HPP

#include "direct.hpp"

#include <cstring>
#include <new>
#include <rte_config.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

namespace bench {

/* A ring and its memory, set up by hand; both sides are kept in order in the same way. */
struct DpdkMemory {
    DpdkMemory(std::size_t slots, std::size_t esize, rte_ring_sync_type sync)
    {
        std::size_t size = 1;
        while (size <= slots)
            size *= 2;
        memory = ::operator new (sizeof(rte_ring) + size * esize, std::align_val_t{128});
        ring = static_cast<rte_ring *>(memory);
        std::memset(memory, 0, sizeof(rte_ring) + size * esize);
        ring->flags = RING_F_EXACT_SZ;
        if (sync == RTE_RING_SYNC_ST)
            ring->flags |= RING_F_SP_ENQ | RING_F_SC_DEQ;
        ring->prod.sync_type = sync;
        ring->cons.sync_type = sync;
        if (sync == RTE_RING_SYNC_MT_RTS) /* what rte_ring_init sets */
            ring->rts_prod.htd_max = ring->rts_cons.htd_max = static_cast<std::uint32_t>(slots / 8);
        ring->size = static_cast<std::uint32_t>(size);
        ring->mask = static_cast<std::uint32_t>(size - 1);
        ring->capacity = static_cast<std::uint32_t>(slots);
    }
    ~DpdkMemory()
    {
        ::operator delete (memory, std::align_val_t{128});
    }
    DpdkMemory(const DpdkMemory &) = delete;
    DpdkMemory &operator=(const DpdkMemory &) = delete;

    void *memory;
    rte_ring *ring;
};

template <class Msg> struct DpdkSpsc : DpdkMemory {
    static constexpr const char *name = "dpdk";
    using Producer = DirectProducer<DpdkSpsc>;
    using Consumer = DirectConsumer<DpdkSpsc>;
    static constexpr unsigned esize = sizeof(Msg);

    explicit DpdkSpsc(std::size_t slots) : DpdkMemory(slots, esize, RTE_RING_SYNC_ST)
    {
    }

    bool push(const Msg &m)
    {
        if constexpr (esize == 8)
            return push_bulk(&m, 1) == 1;
        rte_ring_zc_data at;
        if (rte_ring_enqueue_zc_bulk_elem_start(ring, esize, 1, &at, nullptr) == 0)
            return false;
        new (at.ptr1) Msg(m);
        rte_ring_enqueue_zc_finish(ring, 1);
        return true;
    }
    bool pop(Msg &m)
    {
        if constexpr (esize == 8)
            return pop_bulk(&m, 1) == 1;
        rte_ring_zc_data at;
        if (rte_ring_dequeue_zc_bulk_elem_start(ring, esize, 1, &at, nullptr) == 0)
            return false;
        m = *static_cast<const Msg *>(at.ptr1);
        rte_ring_dequeue_zc_finish(ring, 1);
        return true;
    }
    std::size_t push_bulk(const Msg *m, std::size_t n)
    {
        return rte_ring_sp_enqueue_burst_elem(ring, m, esize, static_cast<unsigned>(n), nullptr);
    }
    std::size_t pop_bulk(Msg *m, std::size_t n)
    {
        return rte_ring_sc_dequeue_burst_elem(ring, m, esize, static_cast<unsigned>(n), nullptr);
    }
};

} // namespace bench

#endif
