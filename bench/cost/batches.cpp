// SPDX-License-Identifier: MIT
/*
 * batches.cpp - lots of 1 to 256 messages in one call; figures are per message. Items of 8 bytes are packed,
 * seven to a slot, where one consumer takes them.
 */
#include "ends.hpp"
#include "operations.hpp"

namespace bench {

template <class Msg, exo_u32 Mode, unsigned N>
static void add_batch(Operations &list, const char *mode)
{
    const std::string name = "batch-" + std::to_string(sizeof(Msg)) + "/" + mode + "/" +
                             (N < 10    ? "00"
                              : N < 100 ? "0"
                                        : "") +
                             std::to_string(N);
    list.push_back(
        operation<Ends>(name, N, ring_config(Mode, EXO_THREADS), [](Ends &ends, std::uint64_t seq) {
            Msg out[N], in[N];
            for (unsigned i = 0; i < N; i++)
                out[i].fill(seq + i);
            if (exo_send_bulk_as(&ends.tx, Mode, out, sizeof(Msg), N) != N ||
                exo_recv_burst_as(&ends.rx, Mode, in, sizeof(Msg), N, nullptr) != N)
                return std::uint64_t{1};
            std::uint64_t bad = 0;
            for (unsigned i = 0; i < N; i++)
                bad |= in[i].mismatch(seq + i);
            return bad;
        }));
}

template <class Msg, exo_u32 Mode> static void add_sizes(Operations &list, const char *mode)
{
    add_batch<Msg, Mode, 1>(list, mode);
    add_batch<Msg, Mode, 2>(list, mode);
    add_batch<Msg, Mode, 4>(list, mode);
    add_batch<Msg, Mode, 8>(list, mode);
    add_batch<Msg, Mode, 16>(list, mode);
    add_batch<Msg, Mode, 32>(list, mode);
    add_batch<Msg, Mode, 64>(list, mode);
    add_batch<Msg, Mode, 128>(list, mode);
    add_batch<Msg, Mode, 256>(list, mode);
}

void add_batch_operations(Operations &list)
{
    add_sizes<Msg8, EXO_SPSC>(list, "spsc");
    add_sizes<Msg56, EXO_SPSC>(list, "spsc");
    add_batch<Msg8, EXO_MPSC, 32>(list, "mpsc");
    add_batch<Msg56, EXO_MPSC, 32>(list, "mpsc");
    add_batch<Msg8, EXO_MPMC, 32>(list, "mpmc");
    add_batch<Msg56, EXO_MPMC, 32>(list, "mpmc");
}

} // namespace bench
