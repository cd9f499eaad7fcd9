// SPDX-License-Identifier: MIT
/*
 * zero_copy.cpp - loan, send, view, release. "bare" hands the buffer over untouched, which is the cost of the calls;
 * "filled" writes the payload and reads it, "fill-and-check" does the same without any queue.
 */
#include "ends.hpp"
#include "operations.hpp"

namespace bench {

constexpr exo_size arena_bytes = exo_size{4} << 20;

template <bool Filled>
static std::uint64_t hand_over(Ends &ends, std::uint64_t seq, std::size_t len)
{
    exo_loaned loan;
    exo_viewed view;
    if (exo_loan(&ends.tx, len, &loan) != EXO_OK)
        return 1;
    if (Filled)
        fill_words(loan.data, len, seq);
    if (exo_send_loan(&ends.tx, &loan) != EXO_OK || exo_view(&ends.rx, &view) != EXO_OK ||
        view.len != len)
        return 1;
    const std::uint64_t bad = Filled ? mismatch_words(view.data, len, seq) : 0;
    return bad | (exo_release(&ends.rx, &view) != EXO_OK);
}

static void add_hand_overs(Operations &list, const Kind &kind, std::size_t len)
{
    const exo_ring_config config = ring_config(kind.mode, kind.profile, arena_bytes);
    const std::string rest = std::to_string(len) + "/" + kind.name;
    list.push_back(
        operation<Ends>("zero-copy-bare-" + rest, 1, config, [len](Ends &ends, std::uint64_t seq) {
            return hand_over<false>(ends, seq, len);
        }));
    list.push_back(operation<Ends>(
        "zero-copy-filled-" + rest, 1, config,
        [len](Ends &ends, std::uint64_t seq) { return hand_over<true>(ends, seq, len); }));
}

/* What filling and checking costs by itself. */
static void add_floor(Operations &list, std::size_t len)
{
    struct Buffer {
        explicit Buffer(std::size_t bytes) : word(bytes / 8)
        {
        }
        std::vector<std::uint64_t> word;
    };
    list.push_back(operation<Buffer>("fill-and-check-" + std::to_string(len), 1, len,
                                     [len](Buffer &buffer, std::uint64_t seq) {
                                         fill_words(buffer.word.data(), len, seq);
                                         asm volatile("" ::: "memory");
                                         return mismatch_words(buffer.word.data(), len, seq);
                                     }));
}

static std::uint64_t message_by_loan(Ends &ends, std::uint64_t seq, std::size_t len)
{
    const exo_message_header header = exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, seq);
    exo_message message;
    if (exo_message_new_zero_copy(&message, &ends.tx, &header, len) != EXO_OK)
        return 1;
    fill_words(exo_message_payload(&message), len, seq);
    if (exo_message_send(&ends.tx, &message) != EXO_OK ||
        exo_message_recv(&ends.rx, &message) != EXO_OK || exo_message_size(&message) != len)
        return 1;
    const std::uint64_t bad = mismatch_words(exo_message_payload(&message), len, seq);
    return bad | (exo_message_release(&ends.rx, &message) != EXO_OK);
}

/* exo_send and exo_recv of what does not fit a slot: one copy in, one out. */
static std::uint64_t send_by_copy(Ends &ends, std::uint64_t seq)
{
    std::uint64_t out[512], in[512];
    fill_words(out, sizeof out, seq);
    if (exo_send(&ends.tx, out, sizeof out) != EXO_OK ||
        exo_recv(&ends.rx, in, sizeof in) != sizeof in)
        return 1;
    return mismatch_words(in, sizeof in, seq);
}

void add_zero_copy_operations(Operations &list)
{
    for (std::size_t len : {std::size_t{64}, std::size_t{512}, std::size_t{4096},
                            std::size_t{65536}, std::size_t{1} << 20})
        add_hand_overs(list, kinds[0], len);
    for (std::size_t i = 1; i < sizeof kinds / sizeof kinds[0]; i++)
        add_hand_overs(list, kinds[i], 4096);
    for (std::size_t len : {std::size_t{512}, std::size_t{4096}, std::size_t{65536}})
        add_floor(list, len);
    for (const Kind &kind : kinds) {
        exo_ring_config config = ring_config(kind.mode, kind.profile, arena_bytes);
        config.slot_size = 128;
        list.push_back(operation<Ends>(
            std::string("message-zero-copy-512/") + kind.name, 1, config,
            [](Ends &ends, std::uint64_t seq) { return message_by_loan(ends, seq, 512); }));
    }
    list.push_back(operation<Ends>("any-4096/spsc/threads", 1,
                                   ring_config(EXO_SPSC, EXO_THREADS, arena_bytes), send_by_copy));
}

} // namespace bench
