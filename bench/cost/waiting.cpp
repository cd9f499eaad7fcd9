// SPDX-License-Identifier: MIT
/*
 * waiting.cpp - what readiness to sleep costs those who are awake: notify with nobody asleep, waiting calls that find
 * something at once, and the looks that find nothing.
 */
#include "ends.hpp"
#include "operations.hpp"

namespace bench {

/* exo_send_inline() and a receive of the caller's. */
template <class Receive>
static std::uint64_t send_and(Ends &ends, std::uint64_t seq, Receive receive)
{
    Msg56 out, in;
    out.fill(seq);
    if (exo_send_inline(&ends.tx, out.word, sizeof out.word) != EXO_OK ||
        receive(in) != static_cast<exo_i64>(sizeof in.word))
        return 1;
    return in.mismatch(seq);
}

static void add_waits(Operations &list, const Kind &kind)
{
    const exo_ring_config config = ring_config(kind.mode, kind.profile);
    list.push_back(operation<Ends>(
        std::string("wait-recv-56/") + kind.name, 1, config, [](Ends &ends, std::uint64_t seq) {
            return send_and(ends, seq, [&ends](Msg56 &in) {
                return exo_recv_blocking(&ends.rx, in.word, sizeof in.word, EXO_FOREVER);
            });
        }));
    list.push_back(operation<Ends>(
        std::string("wait-readable-56/") + kind.name, 1, config, [](Ends &ends, std::uint64_t seq) {
            return send_and(ends, seq, [&ends](Msg56 &in) {
                return exo_wait_readable(&ends.rx, EXO_FOREVER) != EXO_OK
                           ? exo_i64{EXO_EMPTY}
                           : exo_recv_inline(&ends.rx, in.word, sizeof in.word);
            });
        }));
}

static void add_looks(Operations &list, const Kind &kind)
{
    list.push_back(operation<Ends>(std::string("notify-awake/") + kind.name, 1,
                                   ring_config(kind.mode, kind.profile),
                                   [](Ends &ends, std::uint64_t) {
                                       exo_notify_readers(&ends.tx);
                                       return std::uint64_t{0};
                                   }));
    list.push_back(
        operation<Ends>(std::string("recv-empty/") + kind.name, 1,
                        ring_config(kind.mode, kind.profile), [](Ends &ends, std::uint64_t) {
                            Msg56 in;
                            const exo_i64 got = exo_recv_inline(&ends.rx, in.word, sizeof in.word);
                            return static_cast<std::uint64_t>(got != EXO_EMPTY);
                        }));
}

/* Two slots, both filled: every send finds the ring full. */
struct FullEnds : Ends {
    explicit FullEnds(const exo_ring_config &config) : Ends(config)
    {
        const std::uint64_t word = 0;
        while (exo_send_inline(&tx, &word, sizeof word) == EXO_OK) {
        }
    }
};

static void add_full(Operations &list, const Kind &kind)
{
    exo_ring_config config = ring_config(kind.mode, kind.profile);
    config.slots = 2;
    list.push_back(operation<FullEnds>(
        std::string("send-full/") + kind.name, 1, config, [](FullEnds &ends, std::uint64_t seq) {
            const exo_status status = exo_send_inline(&ends.tx, &seq, sizeof seq);
            return static_cast<std::uint64_t>(status != EXO_FULL);
        }));
}

/* The same ring where it is agreed that nobody sleeps. */
static void add_polled(Operations &list)
{
    constexpr exo_u32 mode = EXO_SPSC | EXO_POLLED;
    list.push_back(operation<Ends>(
        "inline-56/spsc/threads/const-polled", 1, ring_config(mode, EXO_THREADS),
        [](Ends &ends, std::uint64_t seq) {
            Msg56 out, in;
            out.fill(seq);
            if (exo_send_inline_as(&ends.tx, mode, out.word, sizeof out.word) != EXO_OK ||
                exo_recv_inline_as(&ends.rx, mode, in.word, sizeof in.word) != sizeof in.word)
                return std::uint64_t{1};
            return in.mismatch(seq);
        }));
}

void add_waiting_operations(Operations &list)
{
    add_polled(list);
    for (const Kind &kind : kinds)
        add_waits(list, kind);
    for (const Kind &kind : kinds)
        add_looks(list, kind);
    for (const Kind &kind : kinds)
        add_full(list, kind);
}

} // namespace bench
