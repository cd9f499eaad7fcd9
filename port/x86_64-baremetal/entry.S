/* SPDX-License-Identifier: MIT */
/*
 * The ways into the kernel and out of it: traps, system calls, the change of threads.
 *
 * Direction flag clear and AC clear (no access to what is the user's) is what C expects; %gs is the kernel's while the
 * kernel runs. The processor clears neither of the first two when an interrupt comes.
 */
#include "layout.h"

    .text

    .macro push_registers
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

    .macro pop_registers
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    .endm

/* 16 bytes for each vector. Some exceptions push an error code; the others get a 0. */
    .globl trap_stubs
    .align 16
trap_stubs:
    .set vector, 0
    .rept 256
    .align 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    pushq $0
    .endif
    pushq $vector
    .if vector == VECTOR_DEBUG || vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK
    jmp trap_anywhere
    .else
    jmp trap
    .endif
    .set vector, vector + 1
    .endr

    .align 16
trap:
    cld
    clac
    testb $3, 24(%rsp)      /* cs, above vector, error and rip */
    jz 1f
    swapgs
1:  push_registers
    xor %ebp, %ebp
    mov %rsp, %rdi
    call trap_handle
    pop_registers
    testb $3, 24(%rsp)
    jz 1f
    swapgs
1:  add $16, %rsp
    iretq

/* These come between any two instructions, on a stack of their own: also where the kernel runs and %gs is still, or
 * already, the user's. The kernel's base is in the upper half. */
    .align 16
trap_anywhere:
    cld
    clac
    push_registers
    mov $0xC0000101, %ecx   /* MSR_GS_BASE */
    xor %ebx, %ebx
    rdmsr
    test %edx, %edx
    js 1f
    swapgs
    inc %ebx
1:  mov %rsp, %rdi
    xor %ebp, %ebp
    call trap_handle
    test %ebx, %ebx
    jz 1f
    swapgs
1:  pop_registers
    add $16, %rsp
    iretq

/* rax: the number; rdi, rsi, rdx, r10, r8, r9: arguments. rax: the result; rcx and r11 are lost, the rest stays.
 * C keeps rbx, rbp, r12 to r15. */
    .globl system_call_entry
    .align 16
system_call_entry:
    swapgs
    mov %rsp, %gs:CPU_USER_STACK
    mov %gs:CPU_KERNEL_STACK, %rsp
    pushq %gs:CPU_USER_STACK
    push %r11               /* flags */
    push %rcx               /* rip */
    push %rdi
    push %rsi
    push %rdx
    push %r8
    push %r9
    push %r10
    sub $8, %rsp
    sti
    cmp $SYSTEM_CALLS, %rax
    jae 2f
    sbb %rcx, %rcx          /* all ones, unless the jump was only guessed: then the first entry */
    and %rcx, %rax
    mov %r10, %rcx
    call *system_calls(, %rax, 8)
1:  cli
    mov %gs:CPU_CURRENT, %rcx
    cmpl $0, (%rcx)         /* killed */
    jne 3f
    add $8, %rsp
    pop %r10
    pop %r9
    pop %r8
    pop %rdx
    pop %rsi
    pop %rdi
    pop %rcx
    pop %r11
    pop %rsp
    swapgs
    sysretq
2:  mov $-19, %rax          /* EXO_NOT_SUPPORTED */
    jmp 1b
3:  call process_check
    ud2

/* void context_switch(exo_uptr *save, exo_uptr load): goes on where the other thread called this. */
    .globl context_switch
    .align 16
context_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .globl thread_first
thread_first:
    xor %ebp, %ebp
    mov %rbx, %rdi
    call thread_enter
    ud2

/* void stack_begin(exo_uptr top, void (*run)(void)) */
    .globl stack_begin
stack_begin:
    mov %rdi, %rsp
    xor %ebp, %ebp
    call *%rsi
    ud2

/* void user_enter(exo_uptr rip, exo_uptr rsp, exo_u64 argument): to ring 3, with nothing of the kernel's in a register. */
    .globl user_enter
user_enter:
    cli
    pushq $SELECTOR_USER_DATA
    push %rsi
    pushq $0x202            /* interrupts on */
    pushq $SELECTOR_USER_CODE
    push %rdi
    mov %rdx, %rdi
    mov $SELECTOR_USER_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %ebp, %ebp
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r11d, %r11d
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r14d, %r14d
    xor %r15d, %r15d
    swapgs
    iretq

/* exo_bool user_copy(void *to, const void *from, exo_size bytes): the only instruction that touches what is the user's,
 * between stac and clac. False: it faulted; trap_handle() then goes on at the second address of the pair. */
    .globl user_copy
    .align 16
user_copy:
    mov %rdx, %rcx
    stac
1:  rep movsb
    clac
    mov $1, %eax
    ret
2:  clac
    xor %eax, %eax
    ret

    .section .fixups, "a", @progbits
    .quad 1b, 2b

    .section .note.GNU-stack, "", @progbits
