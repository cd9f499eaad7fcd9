// SPDX-License-Identifier: MIT
/*
 * nng_ipc.hpp - an nng pair over its ipc transport (a Unix socket), messages built and read in
 * nng's own buffers. Not pinned, for the reason given in zeromq.hpp: nng has many threads.
 */
#ifndef EXO_BENCH_CONTESTANTS_NNG_IPC_HPP
#define EXO_BENCH_CONTESTANTS_NNG_IPC_HPP

#include "link.hpp"

#include <algorithm>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <unistd.h>

namespace bench {

struct NngIpc {
    static constexpr const char *name = "nng ipc";
    static constexpr bool spins = false, pinned = false, has_batches = false;

    explicit NngIpc(const LinkSetup &s) : setup(s)
    {
        static int links;
        address =
            "abstract://exo-bench-" + std::to_string(getpid()) + "-" + std::to_string(links++);
    }

    struct End {
        End(NngIpc &link, unsigned side)
        {
            const int depth = static_cast<int>(std::min<std::size_t>(link.setup.slots, 8192));
            must(nng_pair0_open(&socket));
            must(nng_socket_set_int(socket, NNG_OPT_SENDBUF, depth));
            must(nng_socket_set_int(socket, NNG_OPT_RECVBUF, depth));
            must(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0));
            must(nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, 2000));
            must(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, 2000));
            must(nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, 1));
            must(side == 0 ? nng_listen(socket, link.address.c_str(), nullptr, 0)
                           : nng_dial(socket, link.address.c_str(), nullptr, NNG_FLAG_NONBLOCK));
        }
        static void must(int result)
        {
            if (result != 0)
                throw Unfit(std::string("nng: ") + nng_strerror(result));
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            nng_msg *message = nullptr;
            if (nng_msg_alloc(&message, len) != 0)
                return false;
            fill(nng_msg_body(message));
            if (nng_sendmsg(socket, message, 0) == 0)
                return true;
            nng_msg_free(message);
            return false;
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            nng_msg *message = nullptr;
            if (nng_recvmsg(socket, &message, 0) != 0)
                return false;
            const bool whole = nng_msg_len(message) == len;
            if (whole)
                read(nng_msg_body(message));
            nng_msg_free(message);
            return whole;
        }
        nng_socket socket;
    };

    LinkSetup setup;
    std::string address;
};

} // namespace bench

#endif
