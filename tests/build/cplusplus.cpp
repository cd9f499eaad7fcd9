/* SPDX-License-Identifier: MIT */
/*
 * The umbrella and the Linux wing in C++17: templates and lambdas around send and receive, loan and view. Built
 * with and without exceptions.
 */
#include <exo_linux.h>

#include <cstdio>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

int failures = 0;

void expect(bool condition, const char *claim)
{
    if (!condition) {
        std::printf("not so: %s\n", claim);
        failures++;
    }
}

/* A typed ring over the plain calls. */
template <typename T> class Ring {
    static_assert(std::is_trivially_copyable<T>::value && sizeof(T) <= EXO_INLINE_THRESHOLD,
                  "inline");

  public:
    explicit Ring(exo_u32 slots)
    {
        exo_ring_config config{};
        config.slots = slots;
        config.arena_size = 1 << 20;
        status_ = exo_ring_create(&ring_, &config, &tx, &rx);
    }
    ~Ring()
    {
        if (status_ == EXO_OK)
            exo_ring_destroy(&ring_);
    }
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    bool ok() const
    {
        return status_ == EXO_OK;
    }
    exo_status send(const T &value)
    {
        return exo_send_blocking(&tx, &value, sizeof(value), EXO_FOREVER);
    }
    template <typename Consumer> exo_i64 receive_each(Consumer &&consume)
    {
        T value;
        exo_i64 len;
        while ((len = exo_recv_blocking(&rx, &value, sizeof(value), EXO_FOREVER)) ==
               static_cast<exo_i64>(sizeof(value)))
            consume(value);
        return len;
    }

    exo_sender tx{};
    exo_receiver rx{};

  private:
    exo_ring ring_{};
    exo_status status_;
};

template <typename Fill> exo_status lend(exo_sender &tx, exo_size bytes, Fill &&fill)
{
    exo_loaned loan{};
    const exo_status status = exo_loan_blocking(&tx, bytes, &loan, EXO_FOREVER);
    if (status != EXO_OK)
        return status;
    fill(static_cast<unsigned char *>(loan.data), loan.len);
    return exo_send_loan_blocking(&tx, &loan, EXO_FOREVER);
}

template <typename Look> exo_status view(exo_receiver &rx, Look &&look)
{
    exo_viewed seen{};
    const exo_status status = exo_view_blocking(&rx, &seen, EXO_FOREVER);
    if (status != EXO_OK)
        return status;
    look(static_cast<const unsigned char *>(seen.data), seen.len);
    return exo_release(&rx, &seen);
}

struct Point {
    double x, y;
    int number;
};

void typed_messages_pass_between_threads()
{
    Ring<Point> ring(64);
    expect(ring.ok(), "a ring is created");
    std::thread producer([&ring] {
        for (int i = 0; i < 10000; i++)
            (void)ring.send({i * 0.5, i * 2.0, i});
        (void)exo_sender_close(&ring.tx);
    });
    int next = 0;
    bool in_order = true;
    const exo_i64 end = ring.receive_each([&](const Point &point) {
        in_order =
            in_order && point.number == next && point.x == next * 0.5 && point.y == next * 2.0;
        next++;
    });
    producer.join();
    expect(end == EXO_CLOSED && next == 10000 && in_order, "all arrive in order, then Closed");
}

void loans_pass_between_ends()
{
    exo_end a{};
    exo_end b{};
    exo_ring_config config{};
    config.arena_size = 1 << 20;
    expect(exo_open_both(&a, &b, &config) == EXO_OK, "two ends are opened");
    std::vector<unsigned char> wanted(200000);
    for (std::size_t i = 0; i < wanted.size(); i++)
        wanted[i] = static_cast<unsigned char>(i * 7);
    const exo_status lent = lend(a.tx, wanted.size(), [&](unsigned char *to, exo_size len) {
        std::memcpy(to, wanted.data(), len);
    });
    bool same = false;
    const exo_status viewed = view(b.rx, [&](const unsigned char *from, exo_size len) {
        same = len == wanted.size() && std::memcmp(from, wanted.data(), len) == 0;
    });
    expect(lent == EXO_OK && viewed == EXO_OK && same, "a loan arrives as it was filled");
    expect(exo_loans_outstanding(&a.tx) == 0, "it comes back");

    exo_message out{};
    const exo_message_header header = exo_message_header_new(EXO_MESSAGE_REQUEST, 1, 2, 3);
    expect(exo_message_new_inline(&out, &header, "hi", 2) == EXO_OK, "a message is built");
    expect(exo_message_send(&a.tx, &out) == EXO_NOT_SUPPORTED, "slots of 64 bytes refuse it");
    exo_close(&a);
    exo_close(&b);
}

} // namespace

int main()
{
    typed_messages_pass_between_threads();
    loans_pass_between_ends();
    return failures != 0;
}
