// SPDX-License-Identifier: MIT
/*
 * flow.hpp - a given number of 56-byte messages through a ring of a given shape, in one thread or from several
 * producers to one consumer; ns per message.
 *
 * The first lap of the ring, which touches its memory, is not timed. In one thread each message is sent and received at
 * once. Between threads the plain calls are used, threads alternate between the two CPUs, and where there are more
 * threads than CPUs whoever waits yields now and then.
 */
#ifndef EXO_BENCH_GROWTH_FLOW_HPP
#define EXO_BENCH_GROWTH_FLOW_HPP

#include "../cost/ends.hpp"
#include "../threads.hpp"
#include "slices.hpp"

namespace bench {

inline bool pass_alone(Ends &ends, std::uint64_t count, Slices &slices)
{
    std::uint64_t bad = 0;
    for (std::uint64_t seq = 0; seq < count; seq++) {
        Msg56 out, in;
        out.fill(seq);
        if (exo_send_inline(&ends.tx, out.word, sizeof out.word) != EXO_OK ||
            exo_recv_inline(&ends.rx, in.word, sizeof in.word) != sizeof in.word)
            return false;
        bad |= in.mismatch(seq);
        slices.note(seq);
    }
    return bad == 0;
}

/* Touches all slots. */
inline bool first_lap(Ends &ends, std::uint64_t slots)
{
    Slices unused(slots, slots);
    return pass_alone(ends, slots, unused);
}

inline Outcome flow_alone(const exo_ring_config &config, std::uint64_t count, Slices &slices)
{
    Ends ends(config);
    Outcome out;
    out.preemptions = run_pinned({[&] {
        out.sound = first_lap(ends, config.slots);
        slices.start();
        out.sound = out.sound && pass_alone(ends, count, slices);
    }});
    out.value = slices.cost(alone_quantile);
    return out;
}

inline bool flow_send(exo_sender &tx, std::uint64_t count, bool crowded)
{
    for (std::uint64_t seq = 0; seq < count; seq++) {
        Msg56 out;
        out.fill(seq);
        Waiter waiter(crowded);
        exo_status status;
        while ((status = exo_send_inline(&tx, out.word, sizeof out.word)) == EXO_FULL) {
            if (!waiter.turn())
                return false;
        }
        if (status != EXO_OK)
            return false;
    }
    return true;
}

/* Checks each message against itself: with several producers the order is theirs. */
inline bool flow_receive(exo_receiver &rx, std::uint64_t count, bool crowded, Slices &slices)
{
    std::uint64_t bad = 0;
    for (std::uint64_t seq = 0; seq < count; seq++) {
        Msg56 in;
        Waiter waiter(crowded);
        exo_i64 got;
        while ((got = exo_recv_inline(&rx, in.word, sizeof in.word)) == EXO_EMPTY) {
            if (!waiter.turn())
                return false;
        }
        if (got != sizeof in.word)
            return false;
        bad |= in.mismatch(in.word[0]);
        slices.note(seq);
    }
    return bad == 0;
}

/* Producers beyond the first take handles of their own. */
struct Crowd {
    Crowd(const exo_ring_config &config, unsigned producers) : ends(config), more(producers - 1)
    {
        for (exo_sender &tx : more) {
            if (exo_ring_sender(&ends.ring, &tx) != EXO_OK)
                throw std::bad_alloc();
        }
    }
    ~Crowd()
    {
        for (exo_sender &tx : more)
            (void)!exo_sender_close(&tx);
    }
    Crowd(const Crowd &) = delete;
    Crowd &operator=(const Crowd &) = delete;

    Ends ends;
    std::vector<exo_sender> more;
};

/* `count` messages in all, the same number from each producer. */
inline Outcome flow_across(const exo_ring_config &config, unsigned producers, std::uint64_t count,
                           Slices &slices)
{
    Crowd crowd(config, producers);
    const std::uint64_t share = count / producers;
    const bool crowded = producers > 1;
    std::vector<std::function<void()>> bodies;
    std::atomic<bool> sound{first_lap(crowd.ends, config.slots)};
    bodies.push_back([&] { /* the consumer keeps the clock */
                           slices.start();
                           if (!flow_receive(crowd.ends.rx, share * producers, crowded, slices))
                               sound = false;
    });
    for (unsigned i = 0; i < producers; i++) {
        bodies.push_back([&, i] {
            if (!flow_send(i == 0 ? crowd.ends.tx : crowd.more[i - 1], share, crowded))
                sound = false;
        });
    }
    Outcome out;
    out.preemptions = crowded ? (run_pinned(bodies), 0) : run_pinned(bodies);
    out.sound = sound;
    out.value = slices.cost(across_quantile);
    return out;
}

} // namespace bench

#endif
