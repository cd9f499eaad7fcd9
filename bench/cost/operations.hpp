// SPDX-License-Identifier: MIT
/*
 * operations.hpp - what `cost` times and `count` counts: one operation a row, each in one thread.
 *
 * An operation is a whole cycle that leaves its queue as it found it, as a rule a send and a receive. It fills every
 * word of its payload from a sequence number and checks every word that it gets back. What it runs on
 * is made by make(), outside of what is measured, and lives as long as the Runner that make() returns.
 */
#ifndef EXO_BENCH_COST_OPERATIONS_HPP
#define EXO_BENCH_COST_OPERATIONS_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/* Runs the operation `turns` times from a sequence number on. False: a message was lost or damaged. */
using Runner = std::function<bool(std::uint64_t seq, std::uint64_t turns)>;

struct Operation {
    std::string name;
    unsigned messages; /* that one turn moves; figures are per message */
    std::function<Runner()> make;
};

/* Step(state, seq) is one turn and returns 0, or something else when it failed. It is part of the loop, not called
 * through a pointer. Made from Config, a State holds the queue and its handles. */
template <class State, class Config, class Step>
Operation operation(std::string name, unsigned messages, Config config, Step step)
{
    return {std::move(name), messages, [messages, config, step]() -> Runner {
                const std::shared_ptr<State> state = std::make_shared<State>(config);
                return [messages, state, step](std::uint64_t seq, std::uint64_t turns) {
                    State &here = *state;
                    std::uint64_t bad = 0;
                    for (; turns != 0; turns--, seq += messages)
                        bad |= step(here, seq);
                    return bad == 0;
                };
            }};
}

using Operations = std::vector<Operation>;

/* One function per file. */
void add_inline_operations(Operations &list);
void add_batch_operations(Operations &list);
void add_zero_copy_operations(Operations &list);
void add_waiting_operations(Operations &list);
void add_peer_operations(Operations &list);

inline Operations all_operations()
{
    Operations list;
    add_inline_operations(list);
    add_batch_operations(list);
    add_zero_copy_operations(list);
    add_waiting_operations(list);
    add_peer_operations(list);
    return list;
}

} // namespace bench

#endif
