/* SPDX-License-Identifier: MIT */
/*
 * Fibers: stacks that one thread switches between. A switch saves what the calling convention asks a function to
 * keep, and nothing else: about ten instructions. Elsewhere than on x86-64 and aarch64, ucontext.
 */
#ifndef EXO_TESTS_MODEL_FIBER_H
#define EXO_TESTS_MODEL_FIBER_H

#include <stddef.h>

#define FIBER_STACK_BYTES 65536u

#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
struct fiber {
    void *stack_pointer;
};
#else
#include <ucontext.h>
struct fiber {
    ucontext_t context;
};
#endif

/* Prepare a fiber that runs entry() when it is first switched to; entry must not return. */
void fiber_prepare(struct fiber *fiber, void *stack, void (*entry)(void));

/* Leave one fiber for another. Returns when somebody switches back. */
void fiber_switch(struct fiber *from, struct fiber *to);

#endif
