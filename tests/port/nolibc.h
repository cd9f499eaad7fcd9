/* SPDX-License-Identifier: MIT */
/*
 * As much of Linux as a program without any libc needs: _start, a few system calls, threads. For x86_64,
 * i386, aarch64 and riscv64. The program defines int nolibc_main(void).
 */
#ifndef EXO_TESTS_NOLIBC_H
#define EXO_TESTS_NOLIBC_H

#include "exo_ipc/base/atomic.h"
#include "exo_ipc/base/math.h"
#include "exo_ipc/base/types.h"

#if defined(__x86_64__)
enum {
    SYS_write = 1,
    SYS_gettid = 186,
    SYS_clone = 56,
    SYS_exit = 60,
    SYS_exit_group = 231,
    SYS_futex = 202,
    SYS_clock_gettime = 228
};
#elif defined(__i386__)
/* The two that take a time are the flavours with 64-bit seconds. */
enum {
    SYS_write = 4,
    SYS_gettid = 224,
    SYS_clone = 120,
    SYS_exit = 1,
    SYS_exit_group = 252,
    SYS_futex = 422,
    SYS_clock_gettime = 403
};
#elif defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
enum {
    SYS_write = 64,
    SYS_gettid = 178,
    SYS_clone = 220,
    SYS_exit = 93,
    SYS_exit_group = 94,
    SYS_futex = 98,
    SYS_clock_gettime = 113
};
#else
#error "nolibc.h does not know this machine"
#endif

EXO_INLINE long nolibc_call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    __asm__ __volatile__("syscall"
                         : "+a"(number)
                         : "D"(a), "S"(b), "d"(c), "r"(r10)
                         : "rcx", "r11", "memory");
    return number;
#elif defined(__i386__)
    __asm__ __volatile__("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return number;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ __volatile__("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    __asm__ __volatile__("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
    return a0;
#endif
}

/* Starts a thread that shares everything. The kernel sets *id to 0, and wakes its futex, when the thread
 * has left its stack. On the stack lie the thread's argument and its function; it ends when the
 * function returns. */
long nolibc_clone(unsigned long flags, void *stack, exo_u32 *id);
int nolibc_main(void);
void nolibc_begin(void);

__attribute__((used)) void nolibc_begin(void)
{
    (void)nolibc_call(SYS_exit_group, nolibc_main(), 0, 0, 0);
}

#if defined(__x86_64__)
__asm__(".text\n.globl _start\n_start:\n"
        "    xor %ebp, %ebp\n    and $-16, %rsp\n    call nolibc_begin\n    hlt\n"
        ".globl nolibc_clone\nnolibc_clone:\n"
        "    mov %rdx, %r10\n    xor %edx, %edx\n    xor %r8d, %r8d\n    mov $56, %eax\n"
        "    syscall\n    test %rax, %rax\n    jnz 1f\n"
        "    xor %ebp, %ebp\n    pop %rdi\n    pop %rax\n    call *%rax\n"
        "    xor %edi, %edi\n    mov $60, %eax\n    syscall\n    hlt\n"
        "1:  ret\n");
#elif defined(__i386__)
__asm__(".text\n.globl _start\n_start:\n"
        "    xor %ebp, %ebp\n    and $-16, %esp\n    call nolibc_begin\n    hlt\n"
        ".globl nolibc_clone\nnolibc_clone:\n"
        "    push %ebx\n    push %esi\n    push %edi\n"
        "    mov 16(%esp), %ebx\n    mov 20(%esp), %ecx\n    mov 24(%esp), %edi\n"
        "    xor %edx, %edx\n    xor %esi, %esi\n    mov $120, %eax\n"
        "    int $0x80\n    test %eax, %eax\n    jnz 1f\n"
        "    xor %ebp, %ebp\n    pop %ebx\n    pop %eax\n    sub $12, %esp\n    push %ebx\n    "
        "call *%eax\n"
        "    xor %ebx, %ebx\n    mov $1, %eax\n    int $0x80\n    hlt\n"
        "1:  pop %edi\n    pop %esi\n    pop %ebx\n    ret\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl _start\n_start:\n"
        "    mov x29, #0\n    mov x30, #0\n    bl nolibc_begin\n    brk #0\n"
        ".globl nolibc_clone\nnolibc_clone:\n"
        "    mov x4, x2\n    mov x2, #0\n    mov x3, #0\n    mov x8, #220\n"
        "    svc #0\n    cbnz x0, 1f\n"
        "    mov x29, #0\n    ldp x0, x1, [sp], #16\n    blr x1\n"
        "    mov x0, #0\n    mov x8, #93\n    svc #0\n    brk #0\n"
        "1:  ret\n");
#else
__asm__(".text\n.globl _start\n_start:\n"
        "    .option push\n    .option norelax\n    la gp, __global_pointer$\n    .option pop\n"
        "    li s0, 0\n    andi sp, sp, -16\n    call nolibc_begin\n    ebreak\n"
        ".globl nolibc_clone\nnolibc_clone:\n"
        "    mv a4, a2\n    li a2, 0\n    li a3, 0\n    li a7, 220\n"
        "    ecall\n    bnez a0, 1f\n"
        "    li s0, 0\n    ld a0, 0(sp)\n    ld t0, 8(sp)\n    addi sp, sp, 16\n    jalr t0\n"
        "    li a0, 0\n    li a7, 93\n    ecall\n    ebreak\n"
        "1:  ret\n");
#endif

struct nolibc_time {
    exo_word64 seconds;
    exo_word64 nanoseconds;
};

EXO_INLINE exo_u64 nolibc_now_ns(void)
{
    struct nolibc_time now = {0, 0};
    (void)nolibc_call(SYS_clock_gettime, 1, (long)&now, 0, 0);
    return now.seconds * 1000000000u + now.nanoseconds;
}

/* Sleeps while the word has the value, for at most so long; may return early. */
EXO_INLINE void nolibc_futex_wait(const exo_u32 *word, exo_u32 expected, exo_u64 nanoseconds)
{
    struct nolibc_time span = {0, 0};
    /* Without division, for which i386 would need a helper of libgcc: 2^30 is nearly a billion. */
    span.seconds = nanoseconds >> 30;
    span.nanoseconds = exo_min64(nanoseconds & 0x3FFFFFFFu, 999999999u);
    (void)nolibc_call(SYS_futex, (long)word, 0, (long)expected, (long)&span);
}

EXO_INLINE void nolibc_futex_wake(exo_u32 *word)
{
    (void)nolibc_call(SYS_futex, (long)word, 1, 1, 0);
}

EXO_INLINE void nolibc_print(const char *text)
{
    exo_size length = 0;
    while (text[length] != 0) {
        length++;
    }
    (void)nolibc_call(SYS_write, 1, (long)text, (long)length, 0);
}

EXO_INLINE void nolibc_print_number(exo_u32 number)
{
    char text[11];
    exo_u32 at = sizeof(text) - 1;
    text[at] = 0;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    nolibc_print(text + at);
}

#define NOLIBC_STACK 65536u

struct nolibc_thread {
    exo_u32 id; /* not 0 while it runs; cleared by the kernel */
    exo_u8 stack[NOLIBC_STACK] EXO_ALIGNED(16);
};

EXO_INLINE exo_bool nolibc_start(struct nolibc_thread *thread, void (*run)(void *), void *argument)
{
    /* What every thread library passes, and all that qemu-user takes: VM, FS, FILES, SIGHAND, THREAD,
     * SYSVSEM, CHILD_CLEARTID. */
    unsigned long flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000;
    exo_uptr *top = (exo_uptr *)(void *)(thread->stack + NOLIBC_STACK - 2 * sizeof(exo_uptr));
    top[0] = (exo_uptr)argument;
    top[1] = (exo_uptr)run;
    thread->id = 1;
    return nolibc_clone(flags, top, &thread->id) > 0;
}

/* False if the thread still runs after so long. */
EXO_INLINE exo_bool nolibc_join(struct nolibc_thread *thread, exo_u64 nanoseconds)
{
    exo_u64 until = nolibc_now_ns() + nanoseconds;
    /* acquire: the kernel's clearing store comes after all that the thread did. */
    while (exo_load32(&thread->id, EXO_ACQUIRE) != 0) {
        if (nolibc_now_ns() >= until) {
            return EXO_FALSE;
        }
        nolibc_futex_wait(&thread->id, 1, 1000000000u);
    }
    return EXO_TRUE;
}

#endif
