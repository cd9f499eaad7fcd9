// SPDX-License-Identifier: MIT
/*
 * byte_stream.hpp - whole messages over a pair of descriptors that carry bytes, for pipe.hpp and
 * unix_stream.hpp.
 *
 * The best shape of a byte stream: one write for each message (or batch), and reads of as much as
 * there is, from which messages are then taken without a system call. Large messages are read into
 * place. With Polled the descriptors do not block and the party repeats the call.
 */
#ifndef EXO_BENCH_CONTESTANTS_BYTE_STREAM_HPP
#define EXO_BENCH_CONTESTANTS_BYTE_STREAM_HPP

#include "link.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace bench {

template <bool Polled> class ByteStream {
  public:
    ByteStream(int out_fd, int in_fd, const LinkSetup &setup)
        : out_fd_(out_fd), in_fd_(in_fd), room_(std::max<std::size_t>(65536, setup.bytes)),
          out_(std::max(setup.bytes, setup.bytes * setup.batch)), in_(room_)
    {
        if (Polled &&
            (fcntl(out_fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(in_fd, F_SETFL, O_NONBLOCK) != 0))
            throw Unfit::because_of("fcntl");
    }

    template <class Fill> bool send(std::size_t len, Fill fill)
    {
        fill(out_.at());
        return write_all(len);
    }
    template <class Fill> bool send_batch(std::size_t len, std::size_t n, Fill fill)
    {
        for (std::size_t i = 0; i < n; i++)
            fill(i, out_.at(i * len));
        return write_all(n * len);
    }
    template <class Read> bool receive(std::size_t len, Read read)
    {
        return receive_batch(len, 1, [&](std::size_t, const void *at) { read(at); }) == 1;
    }
    template <class Read> std::size_t receive_batch(std::size_t len, std::size_t n, Read read)
    {
        while (end_ - begin_ < len) {
            if (!read_more(len))
                return 0;
        }
        const std::size_t got = std::min(n, (end_ - begin_) / len);
        for (std::size_t i = 0; i < got; i++, begin_ += len)
            read(i, in_.at(begin_));
        return got;
    }

  private:
    bool write_all(std::size_t bytes)
    {
        std::size_t done = 0;
        return insist(false, [&] {
            while (done < bytes) {
                const ssize_t now = write(out_fd_, out_.at(done), bytes - done);
                if (now <= 0)
                    return false;
                done += static_cast<std::size_t>(now);
            }
            return true;
        });
    }

    bool read_more(std::size_t len)
    {
        if (begin_ + len > room_ || begin_ == end_) {
            std::memmove(in_.at(), in_.at(begin_), end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        ssize_t now = 0;
        if (!insist(false, [&] { return (now = read(in_fd_, in_.at(end_), room_ - end_)) > 0; }))
            return false;
        end_ += static_cast<std::size_t>(now);
        return true;
    }

    int out_fd_, in_fd_;
    std::size_t room_, begin_ = 0, end_ = 0;
    Buffer out_, in_;
};

} // namespace bench

#endif
