// SPDX-License-Identifier: MIT
/*
 * ck_ring.hpp - Concurrency Kit's ring with the elements by value, single or many on both sides.
 *
 * ck_ring.h is C and does not compile as C++ as it stands: one function that returns a pointer says
 * `return false`, and CK_RING_PROTOTYPE converts `void *` implicitly. So `false` is 0 while the
 * header is read, and the calls below are the ones that CK_RING_PROTOTYPE would stamp out. A single
 * producer has two shapes, enqueue by copy and reserve/commit in place; which is faster depends on
 * the size, so both compete.
 */
#ifndef EXO_BENCH_CONTESTANTS_CK_RING_HPP
#define EXO_BENCH_CONTESTANTS_CK_RING_HPP

#include "direct.hpp"

#include <cstdint>
#include <memory>
#include <new>

extern "C" {
#include <ck_stdbool.h>
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define false 0
#include <ck_ring.h>
#undef false
#ifdef __clang__
#pragma clang diagnostic pop
#endif
}

namespace bench {

template <class Msg> struct CkBase {
    explicit CkBase(std::size_t slots) : buffer(new Cell[slots])
    {
        ck_ring_init(&ring, static_cast<unsigned>(slots));
    }
    ck_ring_buffer_t *cells()
    {
        return reinterpret_cast<ck_ring_buffer_t *>(buffer.get());
    }

    struct alignas(alignof(Msg)) Cell {
        unsigned char bytes[sizeof(Msg)];
    };
    alignas(128) ck_ring_t ring;
    alignas(128) std::unique_ptr<Cell[]> buffer;
};

template <class Msg> struct CkSpsc : CkBase<Msg> {
    static constexpr const char *name = "ck";
    using Producer = DirectProducer<CkSpsc>;
    using Consumer = DirectConsumer<CkSpsc>;
    using CkBase<Msg>::CkBase;

    bool push(const Msg &m)
    {
        return _ck_ring_enqueue_sp(&this->ring, this->cells(), &m, sizeof m, nullptr);
    }
    bool pop(Msg &m)
    {
        return _ck_ring_dequeue_sc(&this->ring, this->cells(), &m, sizeof m);
    }
};

template <class Msg> struct CkSpscReserve : CkBase<Msg> {
    static constexpr const char *name = "ck-reserve";
    using Producer = DirectProducer<CkSpscReserve>;
    using Consumer = DirectConsumer<CkSpscReserve>;
    using CkBase<Msg>::CkBase;

    bool push(const Msg &m)
    {
        void *cell = _ck_ring_enqueue_reserve_sp(&this->ring, this->cells(), sizeof m, nullptr);
        if (cell == nullptr)
            return false;
        new (cell) Msg(m);
        ck_ring_enqueue_commit_spsc(&this->ring);
        return true;
    }
    bool pop(Msg &m)
    {
        return _ck_ring_dequeue_sc(&this->ring, this->cells(), &m, sizeof m);
    }
};

template <class Msg> struct CkMpmc : CkBase<Msg> {
    static constexpr const char *name = "ck-mpmc";
    using Producer = DirectProducer<CkMpmc>;
    using Consumer = DirectConsumer<CkMpmc>;
    using CkBase<Msg>::CkBase;

    bool push(const Msg &m)
    {
        return _ck_ring_enqueue_mp(&this->ring, this->cells(), &m, sizeof m, nullptr);
    }
    bool pop(Msg &m)
    {
        return _ck_ring_dequeue_mc(&this->ring, this->cells(), &m, sizeof m);
    }
};

} // namespace bench

#endif
