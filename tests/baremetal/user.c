/* SPDX-License-Identifier: MIT */
/*
 * A program in ring 3 that does as its argument says, most of which it may not do. user.h has the list.
 */
#include "layout.h"
#include "user.h"
#include "exo_ipc/base/types.h"

#define OR_EXIT_1(ok)                                                                              \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            leave(__LINE__);                                                                       \
        }                                                                                          \
    } while (0)

void user_begin(exo_u64 argument);

static inline exo_i64 call(exo_u64 number, exo_u64 a, exo_u64 b)
{
    exo_i64 result;
    __asm__ __volatile__("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static void leave(exo_u64 code)
{
    (void)call(CALL_EXIT, code, 0);
}

/* Every register but the result and the two that the instruction takes comes back as it was. */
static exo_bool registers_stay(void)
{
    exo_u64 wrong = 0;
    __asm__ __volatile__("mov $0x11, %%rdi; mov $0x22, %%rsi; mov $0x33, %%rdx; mov $0x44, %%r10; mov $0x55, %%r8\n\t"
                         "mov $0x66, %%r9; mov $0x77, %%rbx; mov $0x88, %%r12; mov $0x99, %%r13; mov $0xAA, %%r14\n\t"
                         "mov $0xBB, %%r15; xor %%eax, %%eax; syscall\n\t"
                         "or %%rax, %0; sub $0x11, %%rdi; or %%rdi, %0; sub $0x22, %%rsi; or %%rsi, %0\n\t"
                         "sub $0x33, %%rdx; or %%rdx, %0; sub $0x44, %%r10; or %%r10, %0; sub $0x55, %%r8; or %%r8, %0\n\t"
                         "sub $0x66, %%r9; or %%r9, %0; sub $0x77, %%rbx; or %%rbx, %0; sub $0x88, %%r12; or %%r12, %0\n\t"
                         "sub $0x99, %%r13; or %%r13, %0; sub $0xAA, %%r14; or %%r14, %0; sub $0xBB, %%r15; or %%r15, %0"
                         : "+m"(wrong)
                         :
                         : "rax", "rcx", "r11", "rdi", "rsi", "rdx", "r10", "r8", "r9", "rbx", "r12", "r13", "r14",
                           "r15", "memory", "cc");
    return wrong == 0;
}

static void refused_calls(void)
{
    static const exo_u64 wild[] = {0, 1, 0xFFF, 0x7FFFFFFFEFFF, 0x7FFFFFFFFFFF, 0x800000000000, 0xFFFF800000000000,
                                   0xFFFFC00000000000, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFF, 0x8000000000000000};
    static const char text[] = "";
    exo_size i;
    OR_EXIT_1(call(CALL_NULL, 0, 0) == 0);
    OR_EXIT_1(registers_stay());
    OR_EXIT_1(call(SYSTEM_CALLS, 0, 0) == -19);
    OR_EXIT_1(call(0xFFFFFFFF, 0, 0) == -19);
    OR_EXIT_1(call(~0ull, 0, 0) == -19);
    OR_EXIT_1(call(1ull << 63, 0, 0) == -19);
    OR_EXIT_1(call(CALL_WRITE, (exo_u64)text, 0) == 0);
    OR_EXIT_1(call(CALL_WRITE, (exo_u64)text, 4097) == -5);
    OR_EXIT_1(call(CALL_WRITE, (exo_u64)text, ~0ull) == -5);
    for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        OR_EXIT_1(call(CALL_WRITE, wild[i], 1) == -9);
        OR_EXIT_1(call(CALL_WRITE, wild[i], 4096) == -9);
    }
    leave(0);
}

static void flags_for_a_while(void)
{
    exo_u64 i;
    exo_i64 result = 0;
    for (i = 0; i < 20000; i++) {
        exo_u64 saved;
        __asm__ __volatile__("pushfq; pop %1; pushfq; orq $0x44400, (%%rsp); popfq\n\t" /* DF, NT, AC */
                             "syscall; push %1; popfq"
                             : "=a"(result), "=&r"(saved)
                             : "a"(i % 16 == 0 ? (exo_u64)CALL_YIELD : (exo_u64)CALL_NULL)
                             : "rcx", "r11", "memory", "cc");
        OR_EXIT_1(result == 0);
    }
    leave(0);
}

static void segments(void)
{
    exo_u64 i;
    for (i = 0; i < 2000; i++) {
        __asm__ __volatile__("mov %0, %%gs; mov %0, %%fs; mov %0, %%ds; mov %0, %%es" : : "r"(0));
        OR_EXIT_1(call(CALL_YIELD, 0, 0) == 0);
        __asm__ __volatile__("mov %0, %%gs; mov %0, %%fs; mov %0, %%ds; mov %0, %%es" : : "r"(SELECTOR_USER_DATA));
        OR_EXIT_1(call(CALL_NULL, 0, 0) == 0);
    }
    leave(0);
}

/* Deeper and deeper, until the stack is used up; each level is known to the next, or the compiler would make a loop of it. */
static __attribute__((noinline)) exo_u64 dig(exo_u64 depth, const volatile exo_u64 *above)
{
    volatile exo_u64 room[32];
    room[depth % 32] = above == EXO_NULL ? depth : above[depth % 32];
    return depth == 0 ? room[0] : dig(depth - 1, room) + room[depth % 32];
}

/* What ends the program if it ends at all. */
static void forbidden(enum user_act act)
{
    switch (act) {
    case USER_HALT:
        __asm__ __volatile__("hlt");
        break;
    case USER_CLI:
        __asm__ __volatile__("cli");
        break;
    case USER_PORT:
        __asm__ __volatile__("inb $0x60, %%al" : : : "rax");
        break;
    case USER_INT80:
        __asm__ __volatile__("int $0x80");
        break;
    case USER_INT_TIMER:
        __asm__ __volatile__("int $0xE0");
        break;
    case USER_SGDT: {
        exo_u8 room[16];
        __asm__ __volatile__("sgdt %0" : "=m"(room));
        break;
    }
    case USER_RDMSR:
        __asm__ __volatile__("rdmsr" : : "c"(0x1B) : "rax", "rdx");
        break;
    case USER_VECTOR:
        __asm__ __volatile__("xorps %xmm0, %xmm0");
        break;
    case USER_X87:
        __asm__ __volatile__("fld1");
        break;
    case USER_DIVIDE:
        __asm__ __volatile__("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : "a"(1) : "rdx", "rcx");
        break;
    case USER_UNDEFINED:
        __asm__ __volatile__("ud2");
        break;
    case USER_BREAKPOINT:
        __asm__ __volatile__("int3");
        break;
    case USER_TRAP_FLAG:
        __asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
        break;
    case USER_FLAGS_FAULT:
        __asm__ __volatile__("pushfq; orq $0x40400, (%%rsp); popfq; ud2" : : : "memory", "cc");
        break;
    case USER_CR3:
        __asm__ __volatile__("mov %0, %%cr3" : : "r"(0ull));
        break;
    default:
        break;
    }
    leave(1000); /* it was allowed */
}

static void touch(enum user_act act, exo_uptr number)
{
    exo_u8 code[16];
    switch (act) {
    case USER_READ:
        (void)*(volatile exo_u8 *)number;
        break;
    case USER_STORE:
        *(volatile exo_u8 *)number = 1;
        break;
    case USER_STORE_UNTIL_FAULT:
        for (;;) {
            (*(volatile exo_u64 *)number)++;
        }
    case USER_JUMP:
        ((void (*)(void))number)();
        break;
    case USER_STORE_TEXT:
        *(volatile exo_u8 *)(exo_uptr)&user_begin = 1;
        break;
    case USER_RUN_STACK:
        *(volatile exo_u8 *)code = 0xC3;
        ((void (*)(void))(exo_uptr)code)();
        break;
    case USER_OVERFLOW:
        leave(dig(100000, EXO_NULL));
        break;
    default:
        __asm__ __volatile__("mov %0, %%rsp; xor %%eax, %%eax; syscall; 1: pause; jmp 1b"
                             :
                             : "r"(0xDEAD000000000000ull));
    }
    leave(1000); /* it was allowed */
}

void user_begin(exo_u64 argument)
{
    enum user_act act = (enum user_act)(argument & ((1u << USER_ACT_BITS) - 1));
    exo_i64 number = (exo_i64)argument >> USER_ACT_BITS;
    exo_i64 i;
    static const char text[] = "ring 3 says hello\n";
    if (act == USER_EXIT) {
        leave((exo_u64)number);
    } else if (act == USER_WRITE) {
        leave((exo_u64)call(CALL_WRITE, (exo_u64)text, sizeof(text) - 1));
    } else if (act == USER_CALLS) {
        refused_calls();
    } else if (act == USER_FLAGS) {
        flags_for_a_while();
    } else if (act == USER_SEGMENTS) {
        segments();
    } else if (act == USER_SPIN || act == USER_YIELD || act == USER_COUNT) {
        for (i = 0; act != USER_COUNT || i < number; i++) {
            if (act != USER_SPIN) {
                (void)call(CALL_YIELD, 0, 0);
            }
            __asm__ __volatile__("pause");
        }
        leave((exo_u64)number);
    } else if ((act >= USER_READ && act <= USER_OVERFLOW) || act == USER_WILD_STACK || act == USER_STORE_UNTIL_FAULT) {
        touch(act, (exo_uptr)number);
    } else {
        forbidden(act);
    }
}
