// SPDX-License-Identifier: MIT
/*
 * zeromq.hpp - a ZeroMQ PAIR, ipc between processes or inproc between threads. Messages are built
 * and read in ZeroMQ's own buffers, which saves it a copy on each side.
 *
 * Not pinned: ZeroMQ moves ipc messages by a thread of its own in each process, which would else be
 * tied to the CPU of the party that it serves.
 */
#ifndef EXO_BENCH_CONTESTANTS_ZEROMQ_HPP
#define EXO_BENCH_CONTESTANTS_ZEROMQ_HPP

#include "link.hpp"

#include <unistd.h>
#include <zmq.h>

namespace bench {

template <bool Processes> struct ZeroMq {
    static constexpr const char *name = Processes ? "zeromq ipc" : "zeromq inproc";
    static constexpr bool spins = false, pinned = !Processes, has_batches = false;

    explicit ZeroMq(const LinkSetup &s) : setup(s)
    {
        static int links;
        address = std::string(Processes ? "ipc://@exo-bench-" : "inproc://exo-bench-") +
                  std::to_string(getpid()) + "-" + std::to_string(links++);
        if (!Processes)
            context = zmq_ctx_new();
    }

    struct End {
        End(ZeroMq &link, unsigned side)
        {
            const int depth = static_cast<int>(link.setup.slots), patience_ms = 2000, none = 0;
            /* Processes part before there is a context: its threads would not follow. */
            void *own = Processes ? zmq_ctx_new() : link.context;
            socket = zmq_socket(own, ZMQ_PAIR);
            zmq_setsockopt(socket, ZMQ_SNDHWM, &depth, sizeof depth);
            zmq_setsockopt(socket, ZMQ_RCVHWM, &depth, sizeof depth);
            zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
            zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
            zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
            const char *at = link.address.c_str();
            if ((side == 0 ? zmq_bind(socket, at) : zmq_connect(socket, at)) != 0)
                throw Unfit(std::string("zeromq: ") + zmq_strerror(zmq_errno()));
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            zmq_msg_t message;
            if (zmq_msg_init_size(&message, len) != 0)
                return false;
            fill(zmq_msg_data(&message));
            return zmq_msg_send(&message, socket, 0) >= 0;
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            zmq_msg_t message;
            zmq_msg_init(&message);
            const bool got = zmq_msg_recv(&message, socket, 0) == static_cast<int>(len);
            if (got)
                read(zmq_msg_data(&message));
            zmq_msg_close(&message);
            return got;
        }
        void *socket;
    };

    LinkSetup setup;
    std::string address;
    void *context = nullptr;
};

} // namespace bench

#endif
