/* SPDX-License-Identifier: MIT */
/*
 * Where things are: the address space, selectors, vectors. For C and for assembly; README.md has the drawing.
 */
#ifndef BAREMETAL_LAYOUT_H
#define BAREMETAL_LAYOUT_H

#ifdef __ASSEMBLER__
#define LAYOUT_ADDRESS(x) x
#else
#define LAYOUT_ADDRESS(x) x##ull
#endif

/* Processes. The last page below the middle of the address space is never mapped: a system call in its last bytes would
 * return to an address that is none, and sysret faults on those in ring 0, on the user's stack. */
#define USER_BEGIN  LAYOUT_ADDRESS(0x0000000000010000)
#define USER_CHOSEN LAYOUT_ADDRESS(0x0000000100000000) /* where mappings go that nobody gave a place */
#define USER_END    LAYOUT_ADDRESS(0x00007FFFFFFFE000)

/* All RAM, one after the other; kernel.ld knows IMAGE_BASE too. One entry of the root table each. */
#define DIRECT_BASE  LAYOUT_ADDRESS(0xFFFF800000000000)
#define DIRECT_BYTES LAYOUT_ADDRESS(0x0000008000000000)
#define AREA_BASE    LAYOUT_ADDRESS(0xFFFFC00000000000)
#define AREA_END     LAYOUT_ADDRESS(0xFFFFC08000000000)
#define IMAGE_BASE   LAYOUT_ADDRESS(0xFFFFFFFF80000000)

/* Real mode ends below 1 MiB: where other processors begin. None of that MiB is handed out. */
#define TRAMPOLINE 0x8000
#define LOW_MEMORY 0x100000

#define PAGE_BYTES       0x1000
#define LARGE_PAGE_BYTES 0x200000
#define STACK_BYTES      0x4000

/* sysret takes the data selector + 8 and the code selector + 16 of what STAR says, so the order is given. */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x1B
#define SELECTOR_USER_CODE   0x23
#define SELECTOR_TSS         0x28
#define SELECTOR_CODE_32     0x18 /* of the boot table only */

#define VECTOR_DEBUG         1
#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_PROTECTION    13
#define VECTOR_PAGE_FAULT    14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_EXCEPTIONS    32 /* the first that is none */
#define VECTOR_TIMER         0xE0
#define VECTOR_WAKE          0xE1
#define VECTOR_MAIL          0xE2
#define VECTOR_SPURIOUS      0xFF

/* Members of struct cpu, by %gs. */
#define CPU_CURRENT      8
#define CPU_KERNEL_STACK 16
#define CPU_USER_STACK   24

/* System calls, by number; syscall.c */
#define CALL_NULL    0
#define CALL_EXIT    1
#define CALL_YIELD   2
#define CALL_WRITE   3
#define CALL_NUCLEUS 4
#define CALL_WAIT    5
#define CALL_WAKE    6
#define CALL_FENCE   7
#define CALL_SELF    8
#define CALL_ALIVE   9
#define CALL_SPAWN   10
#define CALL_JOIN    11
#define SYSTEM_CALLS 12

#endif
