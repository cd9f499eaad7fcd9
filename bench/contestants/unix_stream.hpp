// SPDX-License-Identifier: MIT
/*
 * unix_stream.hpp - a connected pair of Unix stream sockets with large buffers.
 */
#ifndef EXO_BENCH_CONTESTANTS_UNIX_STREAM_HPP
#define EXO_BENCH_CONTESTANTS_UNIX_STREAM_HPP

#include "byte_stream.hpp"

#include <sys/socket.h>

namespace bench {

/* As much buffer as may be had, up to 4 MiB. */
inline void enlarge_buffers(const int fd[2])
{
    const int bytes = 4 << 20;
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        (void)setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
}

template <bool Polled> struct UnixStream {
    static constexpr const char *name = Polled ? "unix stream, polled" : "unix stream";
    static constexpr bool spins = Polled, pinned = true, has_batches = true;

    explicit UnixStream(const LinkSetup &s) : setup(s)
    {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
            throw Unfit::because_of("socketpair");
        enlarge_buffers(fd);
    }
    ~UnixStream()
    {
        close(fd[0]);
        close(fd[1]);
    }
    UnixStream(const UnixStream &) = delete;
    UnixStream &operator=(const UnixStream &) = delete;

    struct End : ByteStream<Polled> {
        End(UnixStream &link, unsigned side)
            : ByteStream<Polled>(link.fd[side], link.fd[side], link.setup)
        {
        }
    };

    LinkSetup setup;
    int fd[2];
};

} // namespace bench

#endif
