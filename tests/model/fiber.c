/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "fiber.h"

#if defined(__x86_64__) && !defined(__ILP32__)

void fiber_swap(void **save, void *load);

__asm__(".text\n"
        ".globl fiber_swap\n"
        ".type fiber_swap, @function\n"
        "fiber_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap, . - fiber_swap\n");

#define SAVED_WORDS 6 /* below the return address */

void fiber_prepare(struct fiber *fiber, void *stack, void (*entry)(void))
{
    void **top = (void **)((char *)stack + FIBER_STACK_BYTES);
    int i;
    *--top = NULL; /* as if entry() had been called: 8 bytes off a multiple of 16 */
    *--top = (void *)(uintptr_t)entry;
    for (i = 0; i < SAVED_WORDS; i++) {
        *--top = NULL;
    }
    fiber->stack_pointer = top;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    fiber_swap(&from->stack_pointer, to->stack_pointer);
}

#elif defined(__aarch64__)

void fiber_swap(void **save, void *load);

__asm__(".text\n"
        ".globl fiber_swap\n"
        ".type fiber_swap, %function\n"
        "fiber_swap:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size fiber_swap, . - fiber_swap\n");

#define FRAME_WORDS 20
#define RETURN_WORD 11

void fiber_prepare(struct fiber *fiber, void *stack, void (*entry)(void))
{
    void **top = (void **)((char *)stack + FIBER_STACK_BYTES) - FRAME_WORDS;
    int i;
    for (i = 0; i < FRAME_WORDS; i++) {
        top[i] = NULL;
    }
    top[RETURN_WORD] = (void *)(uintptr_t)entry;
    fiber->stack_pointer = top;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    fiber_swap(&from->stack_pointer, to->stack_pointer);
}

#else

void fiber_prepare(struct fiber *fiber, void *stack, void (*entry)(void))
{
    (void)getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = FIBER_STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, entry, 0);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    (void)swapcontext(&from->context, &to->context);
}

#endif
