// SPDX-License-Identifier: MIT
/*
 * link.hpp - the shape of a contestant that joins two parties, threads or processes.
 *
 *     struct Pipe {
 *         static constexpr const char *name;
 *         static constexpr bool spins;        waits busily: a slice that was preempted is run again
 *         static constexpr bool pinned;       a party stays on its CPU
 *         static constexpr bool has_batches;  has the two calls at the end
 *         explicit Pipe(const LinkSetup &);   before the parties part; throws Unfit
 *         struct End {
 *             End(Pipe &, unsigned side);     in the party itself, side 0 or 1; throws Unfit
 *             bool send(len, fill);           fill(void *) writes the message
 *             bool receive(len, read);        read(const void *) checks it
 *             bool send_batch(len, n, fill);  fill(i, void *)
 *             std::size_t receive_batch(len, n, read);    read(i, const void *); up to n
 *         };
 *     };
 *
 * Every call waits, in the way of that contestant, and returns false (or 0) when it has given up.
 * fill and read run where the message lies in that contestant's best shape: in its own buffer if it
 * copies, in the shared memory if it need not.
 */
#ifndef EXO_BENCH_CONTESTANTS_LINK_HPP
#define EXO_BENCH_CONTESTANTS_LINK_HPP

#include "../message.hpp"
#include "../threads.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/mman.h>

namespace bench {

struct LinkSetup {
    std::size_t bytes = 56; /* of a message */
    std::size_t slots = queue_slots;
    std::size_t batch = 1;
    bool crowded = false;  /* more parties than CPUs: who spins yields now and then */
    bool processes = true; /* else threads */
};

/* This contestant cannot do that on this machine, and why. */
struct Unfit : std::runtime_error {
    using std::runtime_error::runtime_error;

    static Unfit because_of(const char *call)
    {
        return Unfit(std::string(call) + ": " + std::strerror(errno));
    }
};

/* The message of a number: as Message in message.hpp, but anywhere, and of a size known at run time
 * if Fixed is 0. */
template <std::size_t Fixed> struct Payload {
    std::size_t bytes;

    std::size_t size() const
    {
        return Fixed != 0 ? Fixed : bytes;
    }
    void fill(void *at, std::uint64_t seq) const
    {
        unsigned char *byte = static_cast<unsigned char *>(at);
        for (std::size_t i = 0; i < size() / 8; i++) {
            const std::uint64_t word = seq + i * word_step;
            std::memcpy(byte + 8 * i, &word, 8);
        }
    }
    /* 0 if this is the whole message of seq. */
    std::uint64_t mismatch(const void *at, std::uint64_t seq) const
    {
        const unsigned char *byte = static_cast<const unsigned char *>(at);
        std::uint64_t acc = 0;
        for (std::size_t i = 0; i < size() / 8; i++) {
            std::uint64_t word;
            std::memcpy(&word, byte + 8 * i, 8);
            acc |= word ^ (seq + i * word_step);
        }
        return acc;
    }
    static std::uint64_t number(const void *at)
    {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        return word;
    }
};

/* Repeats attempt() until it says true; false when that takes seconds. */
template <class Try> inline bool insist(bool crowded, Try attempt)
{
    if (attempt())
        return true;
    for (Waiter waiter(crowded); waiter.turn();) {
        if (attempt())
            return true;
    }
    return false;
}

/* Memory that parent and children share, zeroed. */
template <class T> class Shared {
  public:
    explicit Shared(std::size_t extra_bytes = 0) : bytes_(sizeof(T) + extra_bytes)
    {
        void *at = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            throw Unfit::because_of("mmap");
        it_ = new (at) T;
    }
    ~Shared()
    {
        munmap(static_cast<void *>(it_), bytes_);
    }
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;

    T *operator->() const
    {
        return it_;
    }
    T &operator*() const
    {
        return *it_;
    }
    /* What lies behind the object. */
    unsigned char *extra() const
    {
        return reinterpret_cast<unsigned char *>(it_ + 1);
    }

  private:
    std::size_t bytes_;
    T *it_;
};

/* A buffer for messages, lines of its own. */
class Buffer {
  public:
    explicit Buffer(std::size_t bytes)
        : at_(static_cast<unsigned char *>(::operator new (bytes + 64, std::align_val_t{128})))
    {
    }
    ~Buffer()
    {
        ::operator delete (at_, std::align_val_t{128});
    }
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

    unsigned char *at(std::size_t offset = 0) const
    {
        return at_ + offset;
    }

  private:
    unsigned char *at_;
};

} // namespace bench

#endif
