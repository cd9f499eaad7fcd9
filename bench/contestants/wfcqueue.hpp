// SPDX-License-Identifier: MIT
/*
 * wfcqueue.hpp - liburcu's wfcqueue: many producers, one consumer, a linked list without a bound.
 *
 * The list carries nodes of the user's. Here each producer has `slots` of them, in an array that the queue keeps
 * until it goes, and takes them in turn; the consumer marks a node as free once it has copied the message. That
 * bounds it as the others are bounded, by each producer. The inlined calls are used, its fastest shape.
 */
#ifndef EXO_BENCH_CONTESTANTS_WFCQUEUE_HPP
#define EXO_BENCH_CONTESTANTS_WFCQUEUE_HPP

#include "direct.hpp"

#include <atomic>
#include <memory>

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif
#include <urcu/wfcqueue.h>

namespace bench {

template <class Msg> struct Wfcqueue {
    static constexpr const char *name = "wfcqueue";
    static constexpr unsigned most_producers = 16;

    struct Node {
        cds_wfcq_node link;
        std::atomic<bool> busy{false};
        Msg msg;
    };

    explicit Wfcqueue(std::size_t size) : slots(size)
    {
        __cds_wfcq_init(&head, &tail);
    }

    struct Producer {
        explicit Producer(Wfcqueue &q) : queue(q), mask(q.slots - 1)
        {
            const unsigned index = q.producers.fetch_add(1) % most_producers;
            q.nodes[index].reset(new Node[q.slots]);
            nodes = q.nodes[index].get();
        }
        bool push(const Msg &m)
        {
            Node &node = nodes[at & mask];
            if (node.busy.load(std::memory_order_acquire))
                return false;
            at++;
            node.msg = m;
            node.busy.store(true, std::memory_order_relaxed);
            cds_wfcq_node_init(&node.link);
            cds_wfcq_enqueue(__cds_wfcq_head_cast(&queue.head), &queue.tail, &node.link);
            return true;
        }
        Wfcqueue &queue;
        Node *nodes;
        std::size_t mask, at = 0;
    };
    struct Consumer {
        explicit Consumer(Wfcqueue &q) : queue(q)
        {
        }
        bool pop(Msg &m)
        {
            cds_wfcq_node *link =
                __cds_wfcq_dequeue_nonblocking(__cds_wfcq_head_cast(&queue.head), &queue.tail);
            if (link == nullptr || link == CDS_WFCQ_WOULDBLOCK)
                return false;
            Node *node = reinterpret_cast<Node *>(link); /* its first member */
            m = node->msg;
            node->busy.store(false, std::memory_order_release);
            return true;
        }
        Wfcqueue &queue;
    };

    alignas(128) __cds_wfcq_head head;
    alignas(128) cds_wfcq_tail tail;
    alignas(128) std::size_t slots; /* a power of two */
    std::atomic<unsigned> producers{0};
    std::unique_ptr<Node[]> nodes[most_producers];
};

} // namespace bench

#endif
