// SPDX-License-Identifier: MIT
/*
 * pipe.hpp - two pipes, as large as the kernel allows without privilege.
 *
 * No vmsplice: the pages that it gives away must not be written again before the reader is done,
 * and a pipe does not tell when that is.
 */
#ifndef EXO_BENCH_CONTESTANTS_PIPE_HPP
#define EXO_BENCH_CONTESTANTS_PIPE_HPP

#include "byte_stream.hpp"

namespace bench {

template <bool Polled> struct Pipe {
    static constexpr const char *name = Polled ? "pipe, polled" : "pipe";
    static constexpr bool spins = Polled, pinned = true, has_batches = true;

    explicit Pipe(const LinkSetup &s) : setup(s)
    {
        for (int *both : fd) {
            if (pipe(both) != 0)
                throw Unfit::because_of("pipe");
            (void)fcntl(both[1], F_SETPIPE_SZ, 1 << 20); /* refused: it stays as it was */
        }
    }
    ~Pipe()
    {
        for (int *both : fd) {
            close(both[0]);
            close(both[1]);
        }
    }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;

    struct End : ByteStream<Polled> {
        End(Pipe &link, unsigned side)
            : ByteStream<Polled>(link.fd[side][1], link.fd[1 - side][0], link.setup)
        {
        }
    };

    LinkSetup setup;
    int fd[2][2];
};

} // namespace bench

#endif
