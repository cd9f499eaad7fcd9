// SPDX-License-Identifier: MIT
/*
 * unix_seqpacket.hpp - a connected pair of Unix seqpacket sockets: sendmmsg for batches, recvmmsg
 * for as many messages as there are.
 */
#ifndef EXO_BENCH_CONTESTANTS_UNIX_SEQPACKET_HPP
#define EXO_BENCH_CONTESTANTS_UNIX_SEQPACKET_HPP

#include "unix_stream.hpp"

namespace bench {

struct UnixSeqpacket {
    static constexpr const char *name = "unix seqpacket";
    static constexpr bool spins = false, pinned = true, has_batches = true;
    static constexpr std::size_t largest = std::size_t{1} << 20, most = 32;

    explicit UnixSeqpacket(const LinkSetup &s) : setup(s)
    {
        if (setup.bytes > largest)
            throw Unfit("no message of more than its socket buffer");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) != 0)
            throw Unfit::because_of("socketpair");
        enlarge_buffers(fd);
    }
    ~UnixSeqpacket()
    {
        close(fd[0]);
        close(fd[1]);
    }
    UnixSeqpacket(const UnixSeqpacket &) = delete;
    UnixSeqpacket &operator=(const UnixSeqpacket &) = delete;

    struct End {
        End(UnixSeqpacket &link, unsigned side)
            : fd(link.fd[side]), bytes(link.setup.bytes), out(most * bytes), in(most * bytes)
        {
            for (std::size_t i = 0; i < most; i++) {
                into[i] = {in.at(i * bytes), bytes};
                from[i] = {out.at(i * bytes), bytes};
                arriving[i].msg_hdr.msg_iov = &into[i];
                leaving[i].msg_hdr.msg_iov = &from[i];
                arriving[i].msg_hdr.msg_iovlen = leaving[i].msg_hdr.msg_iovlen = 1;
            }
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            fill(out.at());
            return ::send(fd, out.at(), len, 0) == static_cast<ssize_t>(len);
        }
        template <class Fill> bool send_batch(std::size_t, std::size_t n, Fill fill)
        {
            for (std::size_t base = 0; base < n; base += most) {
                const std::size_t lot = std::min(n - base, most);
                for (std::size_t i = 0; i < lot; i++)
                    fill(base + i, out.at(i * bytes));
                for (std::size_t sent = 0; sent < lot;) {
                    const int now =
                        sendmmsg(fd, leaving + sent, static_cast<unsigned>(lot - sent), 0);
                    if (now <= 0)
                        return false;
                    sent += static_cast<std::size_t>(now);
                }
            }
            return true;
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            return receive_batch(len, 1, [&](std::size_t, const void *at) { read(at); }) == 1;
        }
        template <class Read> std::size_t receive_batch(std::size_t, std::size_t n, Read read)
        {
            if (next == have) {
                const int now = recvmmsg(fd, arriving, most, MSG_WAITFORONE, nullptr);
                if (now <= 0)
                    return 0;
                next = 0;
                have = static_cast<std::size_t>(now);
            }
            std::size_t got = 0;
            for (; got < n && next < have; got++, next++) {
                if (arriving[next].msg_len != bytes)
                    return 0;
                read(got, in.at(next * bytes));
            }
            return got;
        }

        int fd;
        std::size_t bytes, next = 0, have = 0;
        Buffer out, in;
        struct iovec into[most], from[most];
        struct mmsghdr arriving[most] = {}, leaving[most] = {};
    };

    LinkSetup setup;
    int fd[2];
};

} // namespace bench

#endif
