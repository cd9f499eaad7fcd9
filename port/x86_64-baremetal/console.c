/* SPDX-License-Identifier: MIT */
/*
 * Serial line (16550, polled), formatted output, panic. The line's lock is the only thing shared.
 */
#include "console.h"
#include "cpu.h"
#include "lock.h"

#define SERIAL          0x3F8u
#define SERIAL_STATUS   (SERIAL + 5)
#define SERIAL_CAN_SEND 0x20u
#define DEBUG_EXIT      0xF4u

static exo_u32 console_lock;
static exo_bool console_panics;

void console_init(void)
{
    static const exo_u8 setup[][2] = {
        {1, 0x00}, /* no interrupts */
        {3, 0x80}, {0, 1}, {1, 0}, /* 115200 baud */
        {3, 0x03}, /* 8 bits, no parity */
        {2, 0xC7}, /* queues on, emptied */
        {4, 0x03},
    };
    exo_size i;
    for (i = 0; i < sizeof(setup) / sizeof(setup[0]); i++) {
        out8((exo_u16)(SERIAL + setup[i][0]), setup[i][1]);
    }
}

static void put(char c)
{
    exo_u32 patience = 1000000; /* a line that takes nothing must not stop the kernel */
    if (c == '\n') {
        put('\r');
    }
    while ((in8(SERIAL_STATUS) & SERIAL_CAN_SEND) == 0 && --patience != 0) {
        exo_cpu_relax();
    }
    out8(SERIAL, (exo_u8)c);
}

static void put_text(const char *text)
{
    for (; *text != 0; text++) {
        put(*text);
    }
}

static void put_number(exo_u64 number, exo_u32 base, exo_u32 digits)
{
    char text[20];
    exo_u32 at = sizeof(text);
    do {
        text[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0 || sizeof(text) - at < digits);
    for (; at < sizeof(text); at++) {
        put(text[at]);
    }
}

static void put_formatted(const char *format, __builtin_va_list *arguments)
{
    for (; *format != 0; format++) {
        if (*format != '%' || format[1] == 0) {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            put_text(__builtin_va_arg(*arguments, const char *));
            break;
        case 'u':
            put_number(__builtin_va_arg(*arguments, exo_u64), 10, 1);
            break;
        case 'x':
            put_number(__builtin_va_arg(*arguments, exo_u64), 16, 1);
            break;
        case 'p':
            put_number(__builtin_va_arg(*arguments, exo_u64), 16, 16);
            break;
        case 'c':
            put((char)__builtin_va_arg(*arguments, exo_u64));
            break;
        default:
            put(*format);
        }
    }
}

static void line_lock(void)
{
    if (!console_panics) {
        kernel_lock(&console_lock);
    }
}

static void line_unlock(void)
{
    if (!console_panics) {
        kernel_unlock(&console_lock);
    }
}

void print(const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    line_lock();
    put_formatted(format, &arguments);
    line_unlock();
    __builtin_va_end(arguments);
}

void print_bytes(const char *bytes, exo_size count)
{
    exo_size i;
    line_lock();
    for (i = 0; i < count; i++) {
        put((bytes[i] >= ' ' && bytes[i] <= '~') || bytes[i] == '\n' ? bytes[i] : '.');
    }
    line_unlock();
}

void print_trace(exo_uptr frame_pointer)
{
    exo_uptr begin = frame_pointer;
    exo_u32 depth;
    print("  called from");
    for (depth = 0; depth < 12 && frame_pointer % 8 == 0 && frame_pointer >= begin &&
                    frame_pointer - begin < STACK_BYTES && frame_pointer >= DIRECT_BASE;
         depth++) {
        const exo_uptr *frame = (const exo_uptr *)frame_pointer; /* the caller's, and where to return */
        if (frame[1] < IMAGE_BASE) {
            break;
        }
        print(" %x", NUMBER(frame[1]));
        frame_pointer = frame[0];
    }
    print("\n");
}

void console_panic_mode(void)
{
    interrupts_off();
    console_panics = EXO_TRUE;
}

void panic(const char *why)
{
    console_panic_mode();
    print("\npanic: %s\n", why);
    print_trace((exo_uptr)__builtin_frame_address(0));
    machine_exit(EXIT_PANIC);
}

void machine_exit(exo_u8 code)
{
    interrupts_off();
    out8(DEBUG_EXIT, code);
    halt_for_ever();
}
