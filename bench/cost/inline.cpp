// SPDX-License-Identifier: MIT
/*
 * inline.cpp - messages in their slots: send and receive, reserve and peek, with a header.
 *
 * "plain" is exo_send_inline() and exo_recv_inline(), which read the mode from the handle; "const" the
 * calls that are told it and fold. Lengths are constants, as they are in most programs.
 */
#include "ends.hpp"
#include "operations.hpp"

namespace bench {

template <std::size_t Bytes> static void add_plain(Operations &list)
{
    for (const Kind &kind : kinds) {
        list.push_back(operation<Ends>(
            "inline-" + std::to_string(Bytes) + "/" + kind.name + "/plain", 1,
            ring_config(kind.mode, kind.profile), [](Ends &ends, std::uint64_t seq) {
                Message<Bytes> out, in;
                out.fill(seq);
                if (exo_send_inline(&ends.tx, out.word, Bytes) != EXO_OK ||
                    exo_recv_inline(&ends.rx, in.word, Bytes) != static_cast<exo_i64>(Bytes))
                    return std::uint64_t{1};
                return in.mismatch(seq);
            }));
    }
}

template <std::size_t Bytes, exo_u32 Mode> static void add_const(Operations &list, const char *name)
{
    list.push_back(operation<Ends>(
        "inline-" + std::to_string(Bytes) + "/" + name + "/threads/const", 1,
        ring_config(Mode, EXO_THREADS), [](Ends &ends, std::uint64_t seq) {
            Message<Bytes> out, in;
            out.fill(seq);
            if (exo_send_inline_as(&ends.tx, Mode, out.word, Bytes) != EXO_OK ||
                exo_recv_inline_as(&ends.rx, Mode, in.word, Bytes) != static_cast<exo_i64>(Bytes))
                return std::uint64_t{1};
            return in.mismatch(seq);
        }));
}

template <std::size_t Bytes> static void add_inline(Operations &list)
{
    add_plain<Bytes>(list);
    add_const<Bytes, EXO_SPSC>(list, "spsc");
    add_const<Bytes, EXO_MPSC>(list, "mpsc");
    add_const<Bytes, EXO_SPMC>(list, "spmc");
    add_const<Bytes, EXO_MPMC>(list, "mpmc");
}

static void add_any_size(Operations &list)
{
    list.push_back(
        operation<Ends>("any-56/spsc/threads", 1, ring_config(EXO_SPSC, EXO_THREADS),
                        [](Ends &ends, std::uint64_t seq) {
                            Msg56 out, in;
                            out.fill(seq);
                            if (exo_send(&ends.tx, out.word, sizeof out.word) != EXO_OK ||
                                exo_recv(&ends.rx, in.word, sizeof in.word) != sizeof in.word)
                                return std::uint64_t{1};
                            return in.mismatch(seq);
                        }));
}

template <std::size_t Bytes> static void add_in_place(Operations &list)
{
    for (const Kind &kind : kinds) {
        list.push_back(operation<Ends>(
            "reserve-peek-" + std::to_string(Bytes) + "/" + kind.name, 1,
            ring_config(kind.mode, kind.profile), [](Ends &ends, std::uint64_t seq) {
                exo_reserved reserved;
                exo_peeked peeked;
                if (exo_reserve(&ends.tx, Bytes, &reserved) != EXO_OK)
                    return std::uint64_t{1};
                static_cast<Message<Bytes> *>(reserved.data)->fill(seq);
                if (exo_commit(&ends.tx, &reserved, Bytes) != EXO_OK ||
                    exo_peek(&ends.rx, &peeked) != EXO_OK || peeked.len != Bytes)
                    return std::uint64_t{1};
                const std::uint64_t bad =
                    static_cast<const Message<Bytes> *>(peeked.data)->mismatch(seq);
                return bad | (exo_consume(&ends.rx, &peeked) != EXO_OK);
            }));
    }
}

static void add_messages(Operations &list)
{
    for (const Kind &kind : kinds) {
        exo_ring_config config = ring_config(kind.mode, kind.profile);
        config.slot_size = 128;
        list.push_back(operation<Ends>(
            std::string("message-inline-56/") + kind.name, 1, config,
            [](Ends &ends, std::uint64_t seq) {
                const exo_message_header header =
                    exo_message_header_new(EXO_MESSAGE_DATA, 1, 2, seq);
                exo_message message;
                Msg56 out;
                out.fill(seq);
                if (exo_message_new_inline(&message, &header, out.word, sizeof out.word) !=
                        EXO_OK ||
                    exo_message_send(&ends.tx, &message) != EXO_OK ||
                    exo_message_recv(&ends.rx, &message) != EXO_OK ||
                    exo_message_size(&message) != sizeof out.word)
                    return std::uint64_t{1};
                const std::uint64_t bad =
                    mismatch_words(exo_message_payload(&message), sizeof out.word, seq);
                return bad | (message.header.request_id ^ seq) |
                       (exo_message_release(&ends.rx, &message) != EXO_OK);
            }));
    }
}

/* What filling and checking costs by itself, to be subtracted. */
template <std::size_t Bytes> static void add_floor(Operations &list)
{
    struct Floor {
        explicit Floor(std::uint64_t seq)
        {
            msg.fill(seq);
        }
        Message<Bytes> msg;
    };
    list.push_back(operation<Floor>("fill-and-check-" + std::to_string(Bytes), 1, std::uint64_t{0},
                                    [](Floor &floor, std::uint64_t seq) {
                                        floor.msg.fill(seq);
                                        asm volatile("" ::: "memory");
                                        return floor.msg.mismatch(seq);
                                    }));
}

void add_inline_operations(Operations &list)
{
    add_floor<8>(list);
    add_floor<56>(list);
    add_inline<8>(list);
    add_inline<56>(list);
    add_any_size(list);
    add_in_place<8>(list);
    add_in_place<56>(list);
    add_messages(list);
}

} // namespace bench
