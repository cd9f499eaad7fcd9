/* SPDX-License-Identifier: MIT */
/*
 * A program for ring 3, as an ELF image: exits with the instructions that 64 null system calls took, each between two
 * stamps (BUDGET_STAMP each).
 */
#include "layout.h"

#define BASE 0x400000
#define ROUNDS 64

    .section .rodata, "a", @progbits
    .align 16
    .globl budget_user, budget_user_end
budget_user:
    .byte 0x7F, 'E', 'L', 'F', 2, 1, 1, 0
    .quad 0
    .short 2, 62                /* fixed addresses, x86_64 */
    .long 1
    .quad BASE + begin - budget_user
    .quad segment - budget_user
    .quad 0
    .long 0
    .short 64, 56, 1, 0, 0, 0
segment:
    .long 1, 5                  /* load, r-x */
    .quad 0, BASE, BASE, budget_user_end - budget_user, budget_user_end - budget_user, PAGE_BYTES

begin:
    xor %ebx, %ebx
    mov $ROUNDS, %ebp
1:  rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, %r12
    mov $CALL_NULL, %eax
    syscall
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    sub %r12, %rax             
    add %rax, %rbx
    dec %ebp
    jnz 1b
    mov %rbx, %rdi
    mov $CALL_EXIT, %eax
    syscall
budget_user_end:

    .section .note.GNU-stack, "", @progbits
