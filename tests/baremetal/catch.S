/* SPDX-License-Identifier: MIT */
/*
 * exo_u32 catch_call(void (*run)(void *), void *argument, exo_uptr *stack): calls, and returns 0; or 1, from
 * catch_faulted, to which catch.c leads a fault.
 */
    .text
    .globl catch_call
catch_call:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdx)
    mov %rdi, %rax
    mov %rsi, %rdi
    sub $8, %rsp
    call *%rax
    add $8, %rsp
    xor %eax, %eax
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .globl catch_faulted
catch_faulted:
    cld
    clac
    mov $1, %eax
    jmp 1b

    .section .note.GNU-stack, "", @progbits
