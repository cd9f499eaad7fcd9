// SPDX-License-Identifier: MIT
/*
 * exo_calls.hpp - the ways to hand a message over with exo_ipc, for the links in exo_link.hpp.
 *
 *     inlined   up to 56 bytes: exo_send_inline; above that in slots of 56, by exo_send_burst
 *     copied    exo_send and exo_recv: in the slot up to 56 bytes, above that copied in and out
 *     lent      exo_loan, filled, exo_send_loan; exo_view, read, exo_release: no copy
 *
 * Who is Parked sleeps at once and without a deadline, as all peers that sleep do here: a slice has
 * its limit from outside.
 */
#ifndef EXO_BENCH_CONTESTANTS_EXO_CALLS_HPP
#define EXO_BENCH_CONTESTANTS_EXO_CALLS_HPP

#include "link.hpp"

#include <exo_ipc/exo_ipc.h>

namespace bench {

enum class Path { inlined, copied, lent };

constexpr std::size_t exo_batch_most = 256;

template <Path path, bool Parked> struct ExoCalls {
    ExoCalls(std::size_t bytes, bool is_crowded) : out(bytes), in(bytes), crowded(is_crowded)
    {
    }
    template <class Fill> bool send_to(exo_sender *tx, std::size_t len, Fill fill)
    {
        if constexpr (path == Path::lent)
            return lend(tx, len, fill);
        if (len > EXO_INLINE_THRESHOLD) {
            fill(out.at());
            return path == Path::inlined ? send_pieces(tx, len) : send_whole(tx, out.at(), len);
        }
        exo_u64 message[EXO_INLINE_THRESHOLD / 8];
        fill(message);
        if constexpr (Parked)
            return send_whole(tx, message, len);
        return insist(crowded, [&] { return exo_send_inline(tx, message, len) == EXO_OK; });
    }

    template <class Read> bool receive_from(exo_receiver *rx, std::size_t len, Read read)
    {
        if constexpr (path == Path::lent)
            return view(rx, read);
        if (len > EXO_INLINE_THRESHOLD) {
            if (!(path == Path::inlined ? receive_pieces(rx, len)
                                        : receive_whole(rx, in.at(), len)))
                return false;
            read(in.at());
            return true;
        }
        exo_u64 message[EXO_INLINE_THRESHOLD / 8];
        if (!(Parked ? receive_whole(rx, message, len) : receive_small(rx, message, len)))
            return false;
        read(message);
        return true;
    }

    bool receive_small(exo_receiver *rx, void *message, std::size_t len)
    {
        return insist(crowded, [&] {
            return exo_recv_inline(rx, message, len) == static_cast<exo_i64>(len);
        });
    }

    bool send_whole(exo_sender *tx, const void *data, std::size_t len)
    {
        if constexpr (Parked)
            return exo_send_blocking(tx, data, len, EXO_FOREVER) == EXO_OK;
        return insist(crowded, [&] { return exo_send(tx, data, len) == EXO_OK; });
    }

    bool receive_whole(exo_receiver *rx, void *buffer, std::size_t len)
    {
        const exo_i64 wanted = static_cast<exo_i64>(len);
        if constexpr (Parked)
            return exo_recv_blocking(rx, buffer, len, EXO_FOREVER) == wanted;
        return insist(crowded, [&] { return exo_recv(rx, buffer, len) == wanted; });
    }

    /* Words of 8 bytes pack into full slots of 56, so that a message of any size fits. */
    bool send_pieces(exo_sender *tx, std::size_t len)
    {
        std::size_t words = len / 8, sent = 0;
        return insist(crowded, [&] {
            const exo_i64 n = exo_send_burst(tx, out.at(8 * sent), 8, words - sent);
            sent += n > 0 ? static_cast<std::size_t>(n) : 0;
            return sent == words;
        });
    }

    bool receive_pieces(exo_receiver *rx, std::size_t len)
    {
        std::size_t words = len / 8, got = 0;
        while (got < words) {
            exo_i64 n = 0;
            if (!insist(crowded, [&] {
                    return (n = exo_recv_burst(rx, in.at(8 * got), 8, words - got, nullptr)) > 0;
                }))
                return false;
            got += static_cast<std::size_t>(n);
        }
        return true;
    }

    template <class Fill> bool lend(exo_sender *tx, std::size_t len, Fill fill)
    {
        exo_loaned loan = {};
        const bool lent = Parked
                              ? exo_loan_blocking(tx, len, &loan, EXO_FOREVER) == EXO_OK
                              : insist(crowded, [&] { return exo_loan(tx, len, &loan) == EXO_OK; });
        if (!lent)
            return false;
        fill(loan.data);
        if constexpr (Parked)
            return exo_send_loan_blocking(tx, &loan, EXO_FOREVER) == EXO_OK;
        return insist(crowded, [&] { return exo_send_loan(tx, &loan) == EXO_OK; });
    }

    template <class Read> bool view(exo_receiver *rx, Read read)
    {
        exo_viewed viewed;
        const bool seen = Parked ? exo_view_blocking(rx, &viewed, EXO_FOREVER) == EXO_OK
                                 : insist(crowded, [&] { return exo_view(rx, &viewed) == EXO_OK; });
        if (!seen)
            return false;
        read(viewed.data);
        return exo_release(rx, &viewed) == EXO_OK;
    }

    template <class Fill> bool send_lot(exo_sender *tx, std::size_t len, std::size_t n, Fill fill)
    {
        alignas(64) unsigned char lot[exo_batch_most * EXO_INLINE_THRESHOLD];
        std::size_t sent = 0;
        for (std::size_t i = 0; i < n; i++)
            fill(i, lot + i * len);
        return insist(crowded, [&] {
            const exo_i64 now = exo_send_burst(tx, lot + sent * len, len, n - sent);
            sent += now > 0 ? static_cast<std::size_t>(now) : 0;
            return sent == n;
        });
    }

    template <class Read>
    std::size_t receive_lot(exo_receiver *rx, std::size_t len, std::size_t n, Read read)
    {
        alignas(64) unsigned char lot[exo_batch_most * EXO_INLINE_THRESHOLD];
        exo_i64 got = 0;
        if (!insist(crowded, [&] { return (got = exo_recv_burst(rx, lot, len, n, nullptr)) > 0; }))
            return 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); i++)
            read(i, lot + i * len);
        return static_cast<std::size_t>(got);
    }

    Buffer out, in;
    bool crowded;
};

} // namespace bench

#endif
