// SPDX-License-Identifier: MIT
/*
 * posix_mq.hpp - two POSIX message queues, as deep as the machine's limits allow. They have no
 * name any more once they are open.
 */
#ifndef EXO_BENCH_CONTESTANTS_POSIX_MQ_HPP
#define EXO_BENCH_CONTESTANTS_POSIX_MQ_HPP

#include "link.hpp"

#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

namespace bench {

struct PosixMq {
    static constexpr const char *name = "posix mq";
    static constexpr bool spins = false, pinned = true, has_batches = false;

    explicit PosixMq(const LinkSetup &s) : setup(s)
    {
        for (int i = 0; i < 2; i++) {
            if ((queue[i] = open_one(i)) == static_cast<mqd_t>(-1))
                throw Unfit::because_of("mq_open");
        }
    }
    mqd_t open_one(int which) const
    {
        const std::string text =
            "/exo-bench-" + std::to_string(getpid()) + "-" + std::to_string(which);
        mqd_t made = static_cast<mqd_t>(-1);
        for (long depth : {1024L, 256L, 64L, 10L}) {
            struct mq_attr attr = {};
            attr.mq_maxmsg = depth;
            attr.mq_msgsize = static_cast<long>(setup.bytes);
            made = mq_open(text.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
            if (made != static_cast<mqd_t>(-1))
                break;
        }
        const int saved = errno;
        (void)mq_unlink(text.c_str());
        errno = saved;
        return made;
    }

    struct End {
        End(PosixMq &link, unsigned side)
            : out_queue(link.queue[side]), in_queue(link.queue[1 - side]), out(link.setup.bytes),
              in(link.setup.bytes)
        {
        }
        template <class Fill> bool send(std::size_t len, Fill fill)
        {
            fill(out.at());
            return mq_send(out_queue, reinterpret_cast<const char *>(out.at()), len, 0) == 0;
        }
        template <class Read> bool receive(std::size_t len, Read read)
        {
            const ssize_t got =
                mq_receive(in_queue, reinterpret_cast<char *>(in.at()), len, nullptr);
            if (got != static_cast<ssize_t>(len))
                return false;
            read(in.at());
            return true;
        }
        mqd_t out_queue, in_queue;
        Buffer out, in;
    };

    LinkSetup setup;
    mqd_t queue[2];
};

} // namespace bench

#endif
