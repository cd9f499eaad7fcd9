// SPDX-License-Identifier: MIT
/*
 * wait_many.cpp - 64 rings of one process, of which one has something: what it costs to be told which.
 *
 * One thread sends to each ring in turn, far apart, and receives there; with and without asking in
 * between. Nobody sleeps: the difference is the price of the question.
 */
#include "../contestants/all.hpp"
#include "../threads.hpp"

#if EXO_BENCH_HAS_EXO
#include <memory>
#include <vector>
#endif

namespace bench {

#if EXO_BENCH_HAS_EXO

constexpr double slice_ms = 4;
constexpr std::size_t ring_count = 64, ring_slots = 64;
constexpr std::uint64_t turns_per_block = 1024;

/* A ring with both its handles. */
struct WaitedRing {
    WaitedRing() : ring(EXO_SPSC, ring_slots, EXO_ARENA_NONE), sender(ring), receiver(ring)
    {
    }
    /* Rings are not in step with each other: their next slots share no set of the cache. */
    void move_on(std::size_t messages)
    {
        for (; messages != 0; messages--) {
            if (exo_send_inline(&sender.tx, nullptr, 0) != EXO_OK ||
                exo_recv_inline(&receiver.rx, nullptr, 0) != 0)
                throw std::bad_alloc();
        }
    }
    ExoRing ring;
    ExoSenderHandle sender;
    ExoReceiverHandle receiver;
};

/* How the receiving side finds the ring that is ready. */
struct Told {
    std::size_t find(std::size_t sent)
    {
        return sent;
    }
    explicit Told(std::vector<std::unique_ptr<WaitedRing>> &)
    {
    }
};

struct WaitMany {
    exo_waitable items[ring_count];

    explicit WaitMany(std::vector<std::unique_ptr<WaitedRing>> &rings)
    {
        for (std::size_t i = 0; i < ring_count; i++)
            exo_waitable_receiver(&items[i], &rings[i]->receiver.rx);
    }
    std::size_t find(std::size_t sent)
    {
        const bool one = exo_wait_many(items, ring_count, EXO_FOREVER) == 1;
        return one && items[sent].events == EXO_READABLE ? sent : ring_count;
    }
};

struct NotifyWait {
    exo_notify queue;
    exo_notify_source sources[ring_count];

    explicit NotifyWait(std::vector<std::unique_ptr<WaitedRing>> &rings)
    {
        exo_u64 name = 0;
        exo_waitable item;
        bool ok = exo_notify_init(&queue, sources, ring_count) == EXO_OK;
        for (std::size_t i = 0; ok && i < ring_count; i++) {
            exo_waitable_receiver(&item, &rings[i]->receiver.rx);
            ok = exo_notify_add(&queue, &item, i, EXO_READABLE, EXO_LEVEL, &name) == EXO_OK;
        }
        if (!ok)
            throw std::bad_alloc();
    }
    std::size_t find(std::size_t)
    {
        exo_event event;
        const bool one = exo_notify_wait(&queue, &event, 1, EXO_FOREVER) == 1;
        return one ? static_cast<std::size_t>(event.key) : ring_count;
    }
};

template <class How>
__attribute__((noinline)) static bool
turns(std::vector<std::unique_ptr<WaitedRing>> &rings, How &how, std::uint64_t seq)
{
    for (const std::uint64_t stop = seq + turns_per_block; seq < stop; seq++) {
        const std::size_t at = static_cast<std::size_t>(seq * 29 % ring_count);
        Msg56 msg, got;
        msg.fill(seq);
        if (exo_send_inline(&rings[at]->sender.tx, &msg, sizeof(msg)) != EXO_OK ||
            how.find(at) != at ||
            exo_recv_inline(&rings[at]->receiver.rx, &got, sizeof(got)) !=
                static_cast<exo_i64>(sizeof(got)) ||
            got.mismatch(seq))
            return false;
    }
    return true;
}

template <class How> static Outcome wait_many()
{
    std::vector<std::unique_ptr<WaitedRing>> rings;
    for (std::size_t i = 0; i < ring_count; i++)
        rings.emplace_back(new WaitedRing);
    for (std::size_t i = 0; i < ring_count; i++)
        rings[i]->move_on(i);
    const std::unique_ptr<How> how(new How(rings));
    std::uint64_t seq = 0, t0 = 0, t1 = 0;
    Outcome out;
    out.preemptions = run_pinned({[&] {
        out.sound = turns(rings, *how, 0) && turns(rings, *how, turns_per_block);
        const std::uint64_t end = (t0 = ticks()) + ticks_of_ms(slice_ms);
        for (; out.sound && (t1 = ticks()) < end; seq += turns_per_block)
            out.sound = turns(rings, *how, seq);
    }});
    out.value = ns_per_item(t0, t1, seq);
    return out;
}

#endif

std::vector<Group> wait_many_groups()
{
    Group group{"wait-many", gate_rmw, false, false, "ns", 1, {}};
#if EXO_BENCH_HAS_EXO
    group.slices.push_back({"told", Role::anchor, [] { return wait_many<Told>(); }});
    group.slices.push_back({"exo-wait-many", Role::ours, [] { return wait_many<WaitMany>(); }});
    group.slices.push_back({"exo-notify", Role::ours, [] { return wait_many<NotifyWait>(); }});
#endif
    return {group};
}

} // namespace bench
