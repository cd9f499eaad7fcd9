/* SPDX-License-Identifier: MIT */
/*
 * From what the loader leaves to C. The first processor arrives by the PVH note: 32-bit protected mode, no paging, %ebx
 * points to the start info. The others arrive in real mode at TRAMPOLINE. All pass through the same page tables: the first
 * 4 GiB at 0 and at DIRECT_BASE, the first 2 at IMAGE_BASE, everything allowed. paging_kernel.c builds the real ones.
 */
#include "layout.h"

#define PHYSICAL(symbol) ((symbol) - IMAGE_BASE)

#define CR0_PE 0x1
#define CR0_EM 0x4          /* x87 and vector instructions fault: nobody's state is kept */
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xC0000080
#define EFER_LME_NXE_SCE 0x901

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 8, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad boot_pvh

    .section .boot, "ax", @progbits
    .code32
    .globl boot_pvh
boot_pvh:
    cli
    cld
    /* 2048 pages of 2 MiB: present, writable, large */
    mov $PHYSICAL(boot_pages), %edi
    mov $0x83, %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b

    mov $PHYSICAL(boot_low), %edi
    mov $PHYSICAL(boot_pages) + 3, %eax
    mov %eax, PHYSICAL(boot_high) + 510 * 8
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b
    mov $PHYSICAL(boot_pages) + 0x1003, %eax
    mov %eax, PHYSICAL(boot_high) + 511 * 8

    mov $PHYSICAL(boot_low) + 3, %eax
    mov %eax, PHYSICAL(boot_root)
    mov %eax, PHYSICAL(boot_root) + 256 * 8
    mov $PHYSICAL(boot_high) + 3, %eax
    mov %eax, PHYSICAL(boot_root) + 511 * 8

boot_long_mode:             /* %ebx: the start info, or 0 on the processors that come later */
    mov $PHYSICAL(boot_root), %eax
    mov %eax, %cr3
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $MSR_EFER, %ecx
    rdmsr
    or $EFER_LME_NXE_SCE, %eax
    wrmsr
    /* Written whole: a processor comes out of INIT with its caches off. */
    mov $(CR0_PE | CR0_EM | CR0_NE | CR0_WP | CR0_PG), %eax
    mov %eax, %cr0
    lgdt boot_gdt_register
    ljmp $SELECTOR_KERNEL_CODE, $1f
    .code64
1:  movabs $boot_high_half, %rax
    jmp *%rax

    .code32
boot_other:
    mov $SELECTOR_KERNEL_DATA, %ax
    mov %ax, %ds
    xor %ebx, %ebx
    jmp boot_long_mode

    .align 8
boot_gdt:
    .quad 0
    .quad 0x00AF9B000000FFFF /* code, 64 bits */
    .quad 0x00CF93000000FFFF /* data */
    .quad 0x00CF9B000000FFFF /* code, 32 bits */
boot_gdt_register:
    .word . - boot_gdt - 1
    .long boot_gdt

/* Copied to TRAMPOLINE, so it names addresses by their distance from its begin. */
    .code16
    .globl trampoline_begin, trampoline_end
trampoline_begin:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    lgdtl TRAMPOLINE + (trampoline_gdt_register - trampoline_begin)
    mov $CR0_PE, %eax
    mov %eax, %cr0
    ljmpl $SELECTOR_CODE_32, $boot_other
trampoline_gdt_register:
    .word 31
    .long boot_gdt
trampoline_end:

    .text
    .code64
boot_high_half:
    mov $SELECTOR_KERNEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    xor %ebp, %ebp
    test %ebx, %ebx
    jz 1f
    lea boot_stack + STACK_BYTES(%rip), %rsp
    mov %ebx, %edi
    call kernel_start
    ud2
1:  mov smp_root(%rip), %rax
    mov %rax, %cr3
    mov smp_stack(%rip), %rsp
    mov smp_cpu(%rip), %rdi
    call smp_begin
    ud2

    .section .bss, "aw", @nobits
    .align 4096
boot_root:  .skip 4096
boot_low:   .skip 4096
boot_high:  .skip 4096
boot_pages: .skip 4 * 4096
    .globl boot_stack
boot_stack: .skip STACK_BYTES

    .section .note.GNU-stack, "", @progbits
